// SPDX-License-Identifier: BSD-3-Clause
// packet path: AES of four packets at a time, each with a key of its own: round keys made when they are used, so that
// a stream needs no more of them in the cache than the key itself; counter mode. By AVX-512 and VAES; included by
// lanes_cm.c and lanes_gcm.c alone.
//
// Vector operations: the round keys of four packets take 60 with keys of 128 bits (10 rounds of 6), 78 with 256 bits.
// Counter mode of 160 bytes of each: 10 vectors with a block of each packet, of 12 (the count, 11 keys), 24 to turn them
// into 12 vectors of one packet, and 36 to read, XOR and write these: 180.
#pragma once

#include <immintrin.h>

#include "dataplane/srtp/engine.h"

#define LANES_INLINE static inline __attribute__((always_inline))

enum {
    AES_BLOCK = 16,
    AES_ROUNDS_128 = 10,
    AES_ROUNDS_256 = 14,
    FOUR = 4,                 // packets with an AES block each in a vector
    CHUNK = FOUR * AES_BLOCK, // bytes of a packet in a vector
};

// Round keys of four packets: 16 bytes of each in a vector.
struct aes_four {
    __m512i round[AES_ROUNDS_256 + 1];
};

// The lowest n bits, n of any size.
LANES_INLINE __mmask64 first_bytes(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

LANES_INLINE __m512i four_of(const __m128i v[FOUR])
{
    __m512i all = _mm512_inserti32x4(_mm512_castsi128_si512(v[0]), v[1], 1);
    return _mm512_inserti32x4(_mm512_inserti32x4(all, v[2], 2), v[3], 3);
}

// ---- round keys --------------------------------------------------------------------------------------

enum aes_word { AES_WORD_ROTATED = 0x0c0f0e0d, AES_WORD_STRAIGHT = 0x0f0e0d0c }; // the bytes of word 3

// FIPS 197 5.2: the four words behind `four`, whose first one is mixed with the last word of `last`. AESENCLAST of a
// word that stands in all columns is its SubWord: there shifting rows changes nothing.
LANES_INLINE __m512i next_words(__m512i four, __m512i last, enum aes_word word, int rcon)
{
    __m512i mixed = _mm512_aesenclast_epi128(_mm512_shuffle_epi8(last, _mm512_set1_epi32((int)word)),
                                             _mm512_set1_epi32(rcon));
    four = _mm512_xor_si512(four, _mm512_bslli_epi128(four, 4));
    return _mm512_ternarylogic_epi64(four, _mm512_bslli_epi128(four, 8), mixed, 0x96);
}

LANES_INLINE __m512i load_keys(const uint8_t *const key[FOUR], size_t offset)
{
    __m128i v[FOUR];
#pragma GCC unroll 4
    for (unsigned i = 0; i < FOUR; i++)
        v[i] = _mm_load_si128((const __m128i *)(const void *)(key[i] + offset));
    return four_of(v);
}

// Makes the round keys of the four keys at `key`, each 16 (10 rounds) or 32 bytes (14).
LANES_INLINE void expand_four(struct aes_four *x, const uint8_t *const key[FOUR], unsigned rounds)
{
    static const uint8_t rcon[AES_ROUNDS_128] = {1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36};
    __m512i a = load_keys(key, 0), b;
    x->round[0] = a;
    if (rounds == AES_ROUNDS_128) {
#pragma GCC unroll 10
        for (unsigned r = 0; r < AES_ROUNDS_128; r++)
            x->round[r + 1] = a = next_words(a, a, AES_WORD_ROTATED, rcon[r]);
        return;
    }
    x->round[1] = b = load_keys(key, AES_BLOCK);
#pragma GCC unroll 7
    for (unsigned r = 2; r <= AES_ROUNDS_256; r += 2) {
        x->round[r] = a = next_words(a, b, AES_WORD_ROTATED, rcon[r / 2 - 1]);
        if (r < AES_ROUNDS_256)
            x->round[r + 1] = b = next_words(b, a, AES_WORD_STRAIGHT, 0);
    }
}

// A block of each packet.
LANES_INLINE __m512i encrypt_four(const struct aes_four *x, unsigned rounds, __m512i blocks)
{
    blocks = _mm512_xor_si512(blocks, x->round[0]);
#pragma GCC unroll 16
    for (unsigned r = 1; r < rounds; r++)
        blocks = _mm512_aesenc_epi128(blocks, x->round[r]);
    return _mm512_aesenclast_epi128(blocks, x->round[rounds]);
}

// ---- counter mode ------------------------------------------------------------------------------------

// Turns four vectors of four blocks: block j of vector i becomes block i of vector j. Twice is none.
LANES_INLINE void turn(__m512i v[FOUR])
{
    __m512i low = _mm512_shuffle_i64x2(v[0], v[1], 0x44), low_2 = _mm512_shuffle_i64x2(v[2], v[3], 0x44);
    __m512i high = _mm512_shuffle_i64x2(v[0], v[1], 0xee), high_2 = _mm512_shuffle_i64x2(v[2], v[3], 0xee);
    v[0] = _mm512_shuffle_i64x2(low, low_2, 0x88);
    v[1] = _mm512_shuffle_i64x2(low, low_2, 0xdd);
    v[2] = _mm512_shuffle_i64x2(high, high_2, 0x88);
    v[3] = _mm512_shuffle_i64x2(high, high_2, 0xdd);
}

// What is encrypted or decrypted of four packets. A place without a packet has the length 0 and any address.
struct four_texts {
    uint8_t *at[FOUR];
    unsigned len[FOUR];
    unsigned longest;
};

// The next `blocks` blocks of keystream of each packet, and their use at `offset`.
LANES_INLINE void crypt_chunk(const struct aes_four *x, unsigned rounds, __m512i counter,
                              const struct four_texts *text, size_t offset, unsigned blocks)
{
    const __m512i one = _mm512_maskz_set1_epi64(0xaa, 1ll << 56);
    __m512i v[FOUR];
#pragma GCC unroll 4
    for (unsigned b = 0; b < FOUR; b++) {
        v[b] = b < blocks ? _mm512_xor_si512(counter, x->round[0]) : _mm512_setzero_si512();
        counter = _mm512_add_epi64(counter, one);
    }
#pragma GCC unroll 16
    for (unsigned r = 1; r < rounds; r++)
#pragma GCC unroll 4
        for (unsigned b = 0; b < blocks; b++)
            v[b] = _mm512_aesenc_epi128(v[b], x->round[r]);
#pragma GCC unroll 4
    for (unsigned b = 0; b < blocks; b++)
        v[b] = _mm512_aesenclast_epi128(v[b], x->round[rounds]);
    turn(v);
#pragma GCC unroll 4
    for (unsigned i = 0; i < FOUR; i++) {
        const __mmask64 bytes = text->len[i] > offset ? first_bytes(text->len[i] - (unsigned)offset) : 0;
        uint8_t *at = text->at[i] + offset;
        _mm512_mask_storeu_epi8(at, bytes, _mm512_xor_si512(_mm512_maskz_loadu_epi8(bytes, at), v[i]));
    }
}

// Encrypts or decrypts the texts. The count of blocks is the last byte of each `counter`, and must not run over: as
// many blocks more as the text has must fit it.
LANES_INLINE void crypt_four(const struct aes_four *x, unsigned rounds, __m512i counter,
                             const struct four_texts *text)
{
    const __m512i four = _mm512_maskz_set1_epi64(0xaa, 4ll << 56);
    unsigned at = 0;
    for (; at + CHUNK / 2 < text->longest; at += CHUNK) {
        crypt_chunk(x, rounds, counter, text, at, 4);
        counter = _mm512_add_epi64(counter, four);
    }
    if (at < text->longest)
        crypt_chunk(x, rounds, counter, text, at, 2);
}
