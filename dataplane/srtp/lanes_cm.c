// SPDX-License-Identifier: BSD-3-Clause
// packet path: AES_CM and HMAC-SHA1 of sixteen packets of one length, by AVX-512 and VAES.
//
// Vector operations of a packet of 172 bytes with a key of 128 bits: 60 for counter mode and round keys (lanes_aes.h).
// HMAC of sixteen takes three blocks of 837 and one of 757 (lanes_sha1.h), and 80 to read and transpose the states:
// 209 a packet. So 269 in all: with two units for such vectors the limit is 135 cycles of the core.
#include "dataplane/srtp/lanes.h"

#include "dataplane/srtp/lanes_aes.h"
#include "dataplane/srtp/lanes_sha1.h"

enum {
    SHA1_BLOCK = 64,
    ROC_LEN = 4,
    SHA1_END = 1 + 8, // the bit behind a message, and its length
    KEY_INNER = 6,    // words of the first line of a key: see struct srtp_key_cm
    KEY_OUTER = 11,
};
static_assert(offsetof(struct srtp_key_cm, inner) / 4 == KEY_INNER, "the states lie in the first line");
static_assert(offsetof(struct srtp_key_cm, outer) / 4 == KEY_OUTER, "the states lie in the first line");

// ---- counter mode ------------------------------------------------------------------------------------

// srtp_iv_cm() in a register. The salt ends with two zero bytes (RFC 3711 4.1.1), so blocks are counted in the last one.
LANES_INLINE __m128i counter_of(const struct srtp_key_cm *key, uint32_t ssrc, uint64_t index)
{
    uint64_t low, high;
    memcpy(&low, key->salt, 8);
    memcpy(&high, key->salt + 8, 8);
    return _mm_set_epi64x((long long)(high ^ __builtin_bswap64(index << 16)),
                          (long long)(low ^ __builtin_bswap64(ssrc)));
}

// The payloads of 1 to FOUR packets that end at `end`.
LANES_INLINE void crypt_some(struct srtp_op *const ops[], unsigned n, unsigned end, unsigned rounds)
{
    struct aes_four x;
    struct four_texts text = {.longest = 0};
    const uint8_t *key[FOUR];
    __m128i counter[FOUR];
    for (unsigned i = 0; i < FOUR; i++) {
        const struct srtp_op *op = ops[i < n ? i : 0];
        key[i] = srtp_cm(op->key)->enc; // which begins with the key itself
        counter[i] = counter_of(srtp_cm(op->key), tl_get32(op->pkt + 8), op->index);
        text.at[i] = op->pkt + op->hdr_len;
        text.len[i] = i < n ? end - op->hdr_len : 0;
        text.longest = text.len[i] > text.longest ? text.len[i] : text.longest;
    }
    expand_four(&x, key, rounds);
    crypt_four(&x, rounds, four_of(counter), &text);
}

static __attribute__((noinline)) void crypt_128(struct srtp_op *const ops[], unsigned n, unsigned end)
{
    crypt_some(ops, n, end, AES_ROUNDS_128);
}

static __attribute__((noinline)) void crypt_256(struct srtp_op *const ops[], unsigned n, unsigned end)
{
    crypt_some(ops, n, end, AES_ROUNDS_256);
}

// Encrypts or decrypts n packets that end at `end`, four of one size of key at a time.
static void crypt_all(struct srtp_op *const ops[], unsigned n, unsigned end)
{
    struct srtp_op *four[2][FOUR];
    unsigned have[2] = {0};
    for (unsigned i = 0; i < n; i++) {
        const unsigned is_256 = srtp_suite_is_256(ops[i]->key->suite);
        four[is_256][have[is_256]++] = ops[i];
        if (have[is_256] == FOUR) {
            (is_256 ? crypt_256 : crypt_128)(four[is_256], FOUR, end);
            have[is_256] = 0;
        }
    }
    if (have[0])
        crypt_128(four[0], have[0], end);
    if (have[1])
        crypt_256(four[1], have[1], end);
}

// ---- HMAC --------------------------------------------------------------------------------------------

// Ends of messages, the same for each lane but for the ROC.
struct message {
    const uint8_t *text[LANES];
    uint64_t end[LANES]; // ROC and the bit behind it, as they lie in memory
    unsigned len;        // of the text
};

// Loads the block of each message that begins `at` bytes into it.
LANES_INLINE void load_block(__m512i w[16], const struct message *m, unsigned at)
{
    const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    if (at + SHA1_BLOCK <= m->len) {
#pragma GCC unroll 16
        for (unsigned i = 0; i < LANES; i++)
            w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(m->text[i] + at), swap);
        sha1_transpose(w);
        return;
    }
    // Text, ROC and bit may each end in this block, in the one before, or begin in this one.
    const uint64_t end_bytes = (1u << (ROC_LEN + 1)) - 1;
    unsigned left = m->len > at ? m->len - at : 0, gone = at > m->len ? at - m->len : 0;
    __mmask64 text = first_bytes(left), end = gone ? (gone < 8 ? end_bytes >> gone : 0) : end_bytes << left;
    unsigned shift = gone < 8 ? 8 * gone : 0;
#pragma GCC unroll 16
    for (unsigned i = 0; i < LANES; i++) {
        __m512i row = _mm512_maskz_loadu_epi8(text, m->text[i] + at);
        __m512i tail = _mm512_castsi128_si512(_mm_cvtsi64_si128((long long)(m->end[i] >> shift)));
        w[i] = _mm512_shuffle_epi8(_mm512_mask_expand_epi8(row, end, tail), swap);
    }
    sha1_transpose(w);
}

// The first 12 bytes of each packet's HMAC: lane i lies at [i % 4][16 * (i / 4)].
struct tags {
    alignas(64) uint8_t bytes[4][64];
};

LANES_INLINE const uint8_t *tag_of(const struct tags *t, size_t lane)
{
    return t->bytes[lane % 4] + 16 * (lane / 4);
}

LANES_INLINE void store_tags(struct tags *t, const struct sha1_state *s)
{
    const __m512i swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    __m512i ab = _mm512_unpacklo_epi32(s->word[0], s->word[1]),
            c = _mm512_unpacklo_epi32(s->word[2], s->word[2]);
    __m512i ab_high = _mm512_unpackhi_epi32(s->word[0], s->word[1]);
    __m512i c_high = _mm512_unpackhi_epi32(s->word[2], s->word[2]);
    _mm512_store_si512(t->bytes[0], _mm512_shuffle_epi8(_mm512_unpacklo_epi64(ab, c), swap));
    _mm512_store_si512(t->bytes[1], _mm512_shuffle_epi8(_mm512_unpackhi_epi64(ab, c), swap));
    _mm512_store_si512(t->bytes[2], _mm512_shuffle_epi8(_mm512_unpacklo_epi64(ab_high, c_high), swap));
    _mm512_store_si512(t->bytes[3], _mm512_shuffle_epi8(_mm512_unpackhi_epi64(ab_high, c_high), swap));
}

// HMAC-SHA1 (RFC 2104) over text and ROC of all lanes. Those from n on repeat the first.
static __attribute__((noinline)) void hmac(struct srtp_op *const ops[], unsigned n, unsigned len,
                                           struct tags *tags)
{
    struct message m = {.len = len};
    struct sha1_state s;
    __m512i w[16], outer[5];
    for (unsigned i = 0; i < LANES; i++) {
        const struct srtp_op *op = ops[i < n ? i : 0];
        m.text[i] = op->pkt;
        m.end[i] = 0x80ull << 32 | __builtin_bswap32((uint32_t)(op->index >> 16));
    }
    // One line of each key has both states.
#pragma GCC unroll 16
    for (unsigned i = 0; i < LANES; i++)
        w[i] = _mm512_load_si512(ops[i < n ? i : 0]->key);
    sha1_transpose(w);
    for (unsigned i = 0; i < 5; i++) {
        s.word[i] = w[KEY_INNER + i];
        outer[i] = w[KEY_OUTER + i];
    }
    const unsigned message = len + ROC_LEN, blocks = (message + SHA1_END + SHA1_BLOCK - 1) / SHA1_BLOCK;
    for (unsigned b = 0; b < blocks; b++) {
        load_block(w, &m, b * SHA1_BLOCK);
        if (b + 1 == blocks)
            w[15] = _mm512_set1_epi32((int)(8 * (SHA1_BLOCK + message)));
        sha1_block(&s, w);
    }
    for (unsigned i = 0; i < 5; i++) {
        w[i] = s.word[i];
        s.word[i] = outer[i];
    }
    w[5] = _mm512_set1_epi32((int)0x80000000);
    for (unsigned i = 6; i < 15; i++)
        w[i] = _mm512_setzero_si512();
    w[15] = _mm512_set1_epi32(8 * (SHA1_BLOCK + 20));
    sha1_block(&s, w);
    store_tags(tags, &s);
}

// ---- packets -----------------------------------------------------------------------------------------

void lanes_cm_seal(struct srtp_op *const ops[], unsigned n)
{
    struct tags tags;
    const unsigned len = ops[0]->len;
    crypt_all(ops, n, len);
    hmac(ops, n, len, &tags);
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = ops[i];
        const struct srtp_key *key = op->key;
        uint8_t *end = op->pkt + len;
        const uint8_t *tag = tag_of(&tags, i);
        if (key->mki_len) {
            memcpy(end, srtp_mki(key), key->mki_len);
            end += key->mki_len;
        }
        memcpy(end, tag, 4);
        if (key->tag > 4)
            memcpy(end + 4, tag + 4, SRTP_CM_TAG_ROOM - 4); // srtp_room() has checked that all 12 fit
        op->len = (uint16_t)(len + srtp_key_trailer(key));
        op->status = SRTP_OK;
    }
}

void lanes_cm_open(struct srtp_op *const ops[], unsigned n, unsigned text)
{
    struct srtp_op *good[LANES];
    unsigned count = 0;
    struct tags tags;
    hmac(ops, n, text, &tags);
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = ops[i];
        const uint8_t *tag = op->pkt + op->len - op->key->tag;
        bool authentic = srtp_tag_equal(tag_of(&tags, i), tag, op->key->tag);
        op->len = (uint16_t)text;
        op->status = authentic ? SRTP_OK : TL_DROP_bad_auth;
        good[count] = op;
        count += authentic;
    }
    crypt_all(good, count, text);
}
