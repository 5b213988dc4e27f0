// SPDX-License-Identifier: BSD-3-Clause
// packet path: AEAD_AES_GCM (RFC 7714) of up to sixteen packets of one shape, by AVX-512, VAES and VPCLMULQDQ. A packet
// needs one line of its key: powers of H are not stored, H itself is made by AES when it is used.
//
// Vector operations of four packets with keys of 128 bits and 160 bytes of payload: 60 for round keys, 22 to encrypt
// zero (H) and the first counter (for the tag), 180 for counter mode; for GHASH 12 blocks (one of header, ten of payload,
// one of lengths) of 12 (6 products, 2 swaps, 4 additions), 64 to gather them and turn them into a block of each packet,
// 8 for H and tag: 478, so 120 a packet.
#include "dataplane/srtp/lanes.h"
#include "dataplane/srtp/lanes_aes.h"

enum { FOURS = LANES / FOUR };

// What GHASH works with, of four packets. `h` is H, multiplied by x^-1 (see multiply()).
struct gcm_four {
    struct aes_four keys;
    __m512i counter; // the first one, which encrypts the tag
    __m512i h, tag_mask, tag;
    const uint8_t *packet[FOUR];
};

// Bytes of each block in the other order: then bit 127 is the coefficient of x^0 (SP 800-38D 6.3).
LANES_INLINE __m512i swap_bytes(__m512i v)
{
    return _mm512_shuffle_epi8(
        v, _mm512_broadcast_i32x4(_mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f)));
}

LANES_INLINE __m512i add_three(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

LANES_INLINE __m512i swap_halves(__m512i v)
{
    return _mm512_shuffle_epi32(v, _MM_PERM_BADC);
}

// x + x^2 + x^7 of 64 bits, reflected: x^k at bit 64 - k. What the 1 of 1 + x + x^2 + x^7 does is swap_halves().
#define GCM_FOLD 0xc200000000000000

// H * x^-1. Multiplying by x^-1 moves the bits up by one; where x^0 falls out, x^-1 = 1 + x + x^6 + x^127 comes in.
LANES_INLINE __m512i by_inverse_of_x(__m512i h)
{
    const __m512i inverse = _mm512_broadcast_i32x4(_mm_set_epi64x((long long)0xc200000000000000, 1));
    __m512i carry = _mm512_srli_epi64(h, 63);
    __m512i up = _mm512_or_si512(_mm512_slli_epi64(h, 1), _mm512_bslli_epi128(carry, 8));
    __m512i out =
        _mm512_srai_epi64(_mm512_shuffle_epi32(h, _MM_PERM_DCDC), 63); // all ones where x^0 falls out
    return _mm512_xor_si512(up, _mm512_and_si512(out, inverse));
}

// a * H for each of four, `h` as by_inverse_of_x() has made it. The carry-less product of two reflected elements of
// 128 bits has x^k at bit 254 - k; with one of them divided by x it is bit 255 - k, so the upper half of the product
// is what it must be, and the lower half is x^128 and above, which is folded in 64 bits at a time: x^128 = 1 + x +
// x^2 + x^7.
LANES_INLINE __m512i multiply(__m512i a, __m512i h)
{
    const __m512i fold = _mm512_set1_epi64((long long)GCM_FOLD);
    __m512i low = _mm512_clmulepi64_epi128(a, h, 0x00), high = _mm512_clmulepi64_epi128(a, h, 0x11);
    __m512i middle =
        _mm512_xor_si512(_mm512_clmulepi64_epi128(a, h, 0x01), _mm512_clmulepi64_epi128(a, h, 0x10));
    middle = add_three(middle, swap_halves(low), _mm512_clmulepi64_epi128(low, fold, 0x00));
    return add_three(high, swap_halves(middle), _mm512_clmulepi64_epi128(middle, fold, 0x00));
}

// RFC 7714 8.1, and the count 1 behind it: srtp_iv_gcm() in a register.
LANES_INLINE __m128i counter_of(const struct srtp_key_gcm *key, uint32_t ssrc, uint64_t index)
{
    uint64_t low;
    uint32_t high;
    memcpy(&low, key->salt, 8);
    memcpy(&high, key->salt + 8, 4);
    low ^= __builtin_bswap64((uint64_t)ssrc << 16 | index >> 32);
    high ^= __builtin_bswap32((uint32_t)index);
    return _mm_set_epi64x((long long)(1ull << 56 | high), (long long)low);
}

// Makes round keys, H and the masks of tags. Places from n on repeat the first packet.
LANES_INLINE void begin_four(struct gcm_four *f, struct srtp_op *const ops[], unsigned n, unsigned rounds)
{
    const uint8_t *key[FOUR];
    __m128i counter[FOUR];
    for (unsigned i = 0; i < FOUR; i++) {
        const struct srtp_op *op = ops[i < n ? i : 0];
        f->packet[i] = op->pkt;
        key[i] = srtp_gcm(op->key)->data; // which begins with the key itself
        counter[i] = counter_of(srtp_gcm(op->key), tl_get32(op->pkt + 8), op->index);
    }
    f->counter = four_of(counter);
    expand_four(&f->keys, key, rounds);
    f->h = by_inverse_of_x(swap_bytes(encrypt_four(&f->keys, rounds, _mm512_setzero_si512())));
    f->tag_mask = encrypt_four(&f->keys, rounds, f->counter);
}

static void begin(struct gcm_four *f, struct srtp_op *const ops[], unsigned n)
{
    if (srtp_suite_is_256(ops[0]->key->suite))
        for (unsigned i = 0; i < n; i += FOUR)
            begin_four(&f[i / FOUR], ops + i, n - i, AES_ROUNDS_256);
    else
        for (unsigned i = 0; i < n; i += FOUR)
            begin_four(&f[i / FOUR], ops + i, n - i, AES_ROUNDS_128);
}

// Encrypts or decrypts the payloads, which end at `end`, of those packets whose status is SRTP_OK.
static void crypt_all(const struct gcm_four *f, struct srtp_op *const ops[], unsigned n, unsigned end)
{
    const unsigned header = ops[0]->hdr_len;
    const __m512i one = _mm512_maskz_set1_epi64(0xaa, 1ll << 56);
    for (unsigned at = 0; at < n; at += FOUR, f++) {
        struct four_texts text = {.longest = end - header};
        for (unsigned i = 0; i < FOUR; i++) {
            const struct srtp_op *op = ops[at + i < n ? at + i : at];
            text.at[i] = op->pkt + header;
            text.len[i] = at + i < n && op->status == SRTP_OK ? end - header : 0;
        }
        __m512i counter = _mm512_add_epi64(f->counter, one);
        if (srtp_suite_is_256(ops[0]->key->suite))
            crypt_four(&f->keys, AES_ROUNDS_256, counter, &text);
        else
            crypt_four(&f->keys, AES_ROUNDS_128, counter, &text);
    }
}

// Adds the bytes from `begin` to `end` of each packet to the sums, with zeroes behind them up to a whole block.
LANES_INLINE void hash_bytes(const struct gcm_four *f, unsigned fours, __m512i sum[FOURS], unsigned begin,
                             unsigned end)
{
    for (; begin < end; begin += CHUNK) {
        const __mmask64 bytes = first_bytes(end - begin);
        const unsigned blocks = end - begin < CHUNK ? (end - begin + AES_BLOCK - 1) / AES_BLOCK : FOUR;
        __m512i v[FOURS][FOUR];
#pragma GCC unroll 4
        for (unsigned g = 0; g < fours; g++) {
#pragma GCC unroll 4
            for (unsigned i = 0; i < FOUR; i++)
                v[g][i] = swap_bytes(_mm512_maskz_loadu_epi8(bytes, f[g].packet[i] + begin));
            turn(v[g]);
        }
        for (unsigned b = 0; b < blocks; b++)
#pragma GCC unroll 4
            for (unsigned g = 0; g < fours; g++)
                sum[g] = multiply(_mm512_xor_si512(sum[g], v[g][b]), f[g].h);
    }
}

// SP 800-38D 7.1: the tags over header, payload and both lengths. The fours are computed side by side, since a product
// waits for the one before.
LANES_INLINE void hash_fours(struct gcm_four *f, unsigned fours, unsigned header, unsigned end)
{
    const __m512i bits = _mm512_broadcast_i32x4(_mm_set_epi64x(8ll * header, 8ll * (end - header)));
    __m512i sum[FOURS];
#pragma GCC unroll 4
    for (unsigned g = 0; g < fours; g++)
        sum[g] = _mm512_setzero_si512();
    hash_bytes(f, fours, sum, 0, header);
    hash_bytes(f, fours, sum, header, end);
#pragma GCC unroll 4
    for (unsigned g = 0; g < fours; g++) {
        sum[g] = multiply(_mm512_xor_si512(sum[g], bits), f[g].h);
        f[g].tag = _mm512_xor_si512(swap_bytes(sum[g]), f[g].tag_mask);
    }
}

static void hash(struct gcm_four *f, unsigned n, unsigned header, unsigned end)
{
    switch ((n + FOUR - 1) / FOUR) {
    case 1:
        hash_fours(f, 1, header, end);
        break;
    case 2:
        hash_fours(f, 2, header, end);
        break;
    case 3:
        hash_fours(f, 3, header, end);
        break;
    default:
        hash_fours(f, FOURS, header, end);
    }
}

static const uint8_t *tag_of(const struct gcm_four *f, size_t i)
{
    return (const uint8_t *)&f[i / FOUR].tag + AES_BLOCK * (i % FOUR);
}

// ---- packets -----------------------------------------------------------------------------------------

void lanes_gcm_seal(struct srtp_op *const ops[], unsigned n)
{
    struct gcm_four f[FOURS];
    const unsigned len = ops[0]->len;
    begin(f, ops, n);
    for (unsigned i = 0; i < n; i++)
        ops[i]->status = SRTP_OK;
    crypt_all(f, ops, n, len);
    hash(f, n, ops[0]->hdr_len, len);
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = ops[i];
        memcpy(op->pkt + len, tag_of(f, i), SRTP_GCM_TAG);
        if (op->key->mki_len)
            memcpy(op->pkt + len + SRTP_GCM_TAG, srtp_gcm(op->key)->mki, op->key->mki_len);
        op->len = (uint16_t)(len + srtp_key_trailer(op->key));
    }
}

void lanes_gcm_open(struct srtp_op *const ops[], unsigned n, unsigned text)
{
    struct gcm_four f[FOURS];
    begin(f, ops, n);
    hash(f, n, ops[0]->hdr_len, text);
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = ops[i];
        bool authentic = srtp_tag_equal(tag_of(f, i), op->pkt + text, SRTP_GCM_TAG);
        op->len = (uint16_t)text;
        op->status = authentic ? SRTP_OK : TL_DROP_bad_auth;
    }
    crypt_all(f, ops, n, text);
}
