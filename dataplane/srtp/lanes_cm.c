// SPDX-License-Identifier: BSD-3-Clause
// packet path: AES_CM and HMAC-SHA1 of sixteen packets of one length, by AVX-512 and VAES.
#include "dataplane/srtp/lanes.h"

#include "dataplane/srtp/lanes_sha1.h"

enum {
    SHA1_BLOCK = 64,
    AES_BLOCK = 16,
    ROC_LEN = 4,
    SHA1_END = 1 + 8, // the bit behind a message, and its length
    STEP = 3, // vectors of keystream at a time: a G.711 packet of 20 ms, and enough to keep AES units busy
    KEY_INNER = 6, // words of the first line of a key: see struct srtp_key_cm
    KEY_OUTER = 11,
    FRAMES = 3584, // bytes of stack that the functions here use at most; a test looks for what is left
};
static_assert(offsetof(struct srtp_key_cm, inner) / 4 == KEY_INNER, "the states lie in the first line");
static_assert(offsetof(struct srtp_key_cm, outer) / 4 == KEY_OUTER, "the states lie in the first line");
static_assert(LANES_TEXT_MAX / AES_BLOCK <= UINT8_MAX, "the count of AES blocks is one byte");

// ---- counter mode ------------------------------------------------------------------------------------

// The lowest n bits, n of any size.
SHA1_INLINE __mmask64 first_bytes(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

// srtp_iv_cm() in a register.
SHA1_INLINE __m128i iv_of(const struct srtp_key_cm *key, uint32_t ssrc, uint64_t index)
{
    uint64_t low, high;
    memcpy(&low, key->salt, 8);
    memcpy(&high, key->salt + 8, 8);
    return _mm_set_epi64x((long long)(high ^ __builtin_bswap64(index << 16)),
                          (long long)(low ^ __builtin_bswap64(ssrc)));
}

// Encrypts up to STEP vectors at p with the blocks from `counter` on.
SHA1_INLINE void crypt_step(const uint8_t *round_keys, unsigned rounds, __m512i counter, uint8_t *p,
                            unsigned len, unsigned vectors)
{
    const __m512i four = _mm512_maskz_set1_epi64(0xaa, 4ll << 56);
    __m512i block[STEP],
        key = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(const void *)round_keys));
#pragma GCC unroll 3
    for (size_t i = 0; i < vectors; i++) {
        block[i] = _mm512_xor_si512(counter, key);
        counter = _mm512_add_epi64(counter, four);
    }
#pragma GCC unroll 16
    for (size_t r = 1; r < rounds; r++) {
        key = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(const void *)(round_keys + 16 * r)));
#pragma GCC unroll 3
        for (size_t i = 0; i < vectors; i++)
            block[i] = _mm512_aesenc_epi128(block[i], key);
    }
    key = _mm512_broadcast_i32x4(
        _mm_load_si128((const __m128i *)(const void *)(round_keys + (size_t)16 * rounds)));
#pragma GCC unroll 3
    for (size_t i = 0; i < vectors; i++) {
        __mmask64 bytes = i + 1 < vectors ? ~0ull : first_bytes(len - 64 * (unsigned)i);
        block[i] = _mm512_aesenclast_epi128(block[i], key);
        __m512i text = _mm512_maskz_loadu_epi8(bytes, p + 64 * i);
        _mm512_mask_storeu_epi8(p + 64 * i, bytes, _mm512_xor_si512(text, block[i]));
    }
}

SHA1_INLINE void crypt_rounds(const uint8_t *round_keys, unsigned rounds, __m128i iv, uint8_t *p,
                              unsigned len)
{
    // The salt ends with two zero bytes (RFC 3711 4.1.1), so the count of blocks can be added to the last one.
    __m512i counter = _mm512_xor_si512(_mm512_broadcast_i32x4(iv),
                                       _mm512_set_epi64(3ll << 56, 0, 2ll << 56, 0, 1ll << 56, 0, 0, 0));
    const __m512i step = _mm512_maskz_set1_epi64(0xaa, (4ll * STEP) << 56);
    for (; len > 64 * (STEP - 1); len -= 64 * STEP) {
        crypt_step(round_keys, rounds, counter, p, len, STEP);
        if (len <= 64 * STEP)
            return;
        counter = _mm512_add_epi64(counter, step);
        p += (size_t)64 * STEP;
    }
    if (len > 64)
        crypt_step(round_keys, rounds, counter, p, len, 2);
    else if (len)
        crypt_step(round_keys, rounds, counter, p, len, 1);
}

// Encrypts or decrypts the payload of a packet that ends at `end`.
SHA1_INLINE void crypt(const struct srtp_op *op, uint32_t ssrc, unsigned end)
{
    const struct srtp_key_cm *key = srtp_cm(op->key);
    uint8_t *text = op->pkt + op->hdr_len;
    if (srtp_suite_is_256(key->head.suite))
        crypt_rounds(key->enc, 14, iv_of(key, ssrc, op->index), text, end - op->hdr_len);
    else
        crypt_rounds(key->enc, 10, iv_of(key, ssrc, op->index), text, end - op->hdr_len);
}

// ---- HMAC --------------------------------------------------------------------------------------------

// Ends of messages, the same for each lane but for the ROC.
struct message {
    const uint8_t *text[LANES];
    uint64_t end[LANES]; // ROC and the bit behind it, as they lie in memory
    unsigned len;        // of the text
};

// Loads the block of each message that begins `at` bytes into it.
SHA1_INLINE void load_block(__m512i w[16], const struct message *m, unsigned at)
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

SHA1_INLINE const uint8_t *tag_of(const struct tags *t, size_t lane)
{
    return t->bytes[lane % 4] + 16 * (lane / 4);
}

SHA1_INLINE void store_tags(struct tags *t, const struct sha1_state *s)
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

void lanes_encrypt(const struct srtp_op *op)
{
    crypt(op, op->ssrc, op->len);
}

void lanes_seal(struct srtp_op *const ops[], unsigned n)
{
    struct tags tags;
    const unsigned len = ops[0]->len;
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

void lanes_open(struct srtp_op *const ops[], unsigned n, unsigned text)
{
    struct tags tags;
    hmac(ops, n, text, &tags);
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = ops[i];
        const uint8_t *tag = op->pkt + op->len - op->key->tag;
        bool authentic = srtp_tag_equal(tag_of(&tags, i), tag, op->key->tag);
        op->len = (uint16_t)text;
        op->status = authentic ? SRTP_OK : TL_DROP_bad_auth;
        if (authentic)
            crypt(op, tl_get32(op->pkt + 8), text);
    }
}

// A function's locals lie where this one's do, below the caller's.
__attribute__((noinline)) void lanes_wipe(void)
{
    alignas(64) uint8_t dead[FRAMES];
    for (unsigned i = 0; i < FRAMES; i += 64)
        _mm512_store_si512(dead + i, _mm512_setzero_si512());
    __asm__ volatile("" : : "r"(dead) : "memory"); // the stores are not dead
    __asm__ volatile("vzeroall\n\t"
                     "vpxord %%zmm16, %%zmm16, %%zmm16\n\t"
                     "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"
                     "vpxord %%zmm18, %%zmm18, %%zmm18\n\t"
                     "vpxord %%zmm19, %%zmm19, %%zmm19\n\t"
                     "vpxord %%zmm20, %%zmm20, %%zmm20\n\t"
                     "vpxord %%zmm21, %%zmm21, %%zmm21\n\t"
                     "vpxord %%zmm22, %%zmm22, %%zmm22\n\t"
                     "vpxord %%zmm23, %%zmm23, %%zmm23\n\t"
                     "vpxord %%zmm24, %%zmm24, %%zmm24\n\t"
                     "vpxord %%zmm25, %%zmm25, %%zmm25\n\t"
                     "vpxord %%zmm26, %%zmm26, %%zmm26\n\t"
                     "vpxord %%zmm27, %%zmm27, %%zmm27\n\t"
                     "vpxord %%zmm28, %%zmm28, %%zmm28\n\t"
                     "vpxord %%zmm29, %%zmm29, %%zmm29\n\t"
                     "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
                     "vpxord %%zmm31, %%zmm31, %%zmm31"
                     :
                     :
                     : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9",
                       "zmm10", "zmm11", "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18",
                       "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm24", "zmm25", "zmm26", "zmm27",
                       "zmm28", "zmm29", "zmm30", "zmm31");
}
