// SPDX-License-Identifier: BSD-3-Clause
// packet path: SHA-1 (FIPS 180-4 6.1) of sixteen messages at once. Vector w[t] holds word t of each message, a lane a
// message. Included by lanes_cm.c alone.
//
// Vector operations of a block: 80 rounds of 7 (two rotations, one logical function, four additions), 64 words of the
// schedule of 3 (two of XOR, one rotation), 5 additions at the end: 757. A block that comes from memory adds 16 to swap
// the bytes of words and 64 to transpose: 837.
#pragma once

#include <immintrin.h>

#include "dataplane/srtp/lanes_aes.h"

struct sha1_state {
    __m512i word[5];
};

// Ch, Parity and Maj as truth tables of a ternary function.
enum { SHA1_CH = 0xca, SHA1_PARITY = 0x96, SHA1_MAJ = 0xe8 };

LANES_INLINE __m512i sha1_f(unsigned t, __m512i b, __m512i c, __m512i d)
{
    if (t < 20)
        return _mm512_ternarylogic_epi32(b, c, d, SHA1_CH);
    if (t >= 40 && t < 60)
        return _mm512_ternarylogic_epi32(b, c, d, SHA1_MAJ);
    return _mm512_ternarylogic_epi32(b, c, d, SHA1_PARITY);
}

LANES_INLINE __m512i sha1_k(unsigned t)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    return _mm512_set1_epi32((int)k[t / 20]);
}

// Takes a block into the state. w is used up.
LANES_INLINE void sha1_block(struct sha1_state *s, __m512i w[16])
{
    __m512i a = s->word[0], b = s->word[1], c = s->word[2], d = s->word[3], e = s->word[4];
#pragma GCC unroll 80
    for (unsigned t = 0; t < 80; t++) {
        if (t >= 16) {
            __m512i three =
                _mm512_ternarylogic_epi32(w[(t - 3) % 16], w[(t - 8) % 16], w[(t - 14) % 16], SHA1_PARITY);
            w[t % 16] = _mm512_rol_epi32(_mm512_xor_si512(three, w[t % 16]), 1);
        }
        // What depends on the round before is added last.
        __m512i sum = _mm512_add_epi32(_mm512_add_epi32(e, sha1_k(t)), w[t % 16]);
        sum = _mm512_add_epi32(sum, sha1_f(t, b, c, d));
        __asm__("" : "+v"(sum)); // keeps the compiler from another order
        e = d;
        d = c;
        c = _mm512_rol_epi32(b, 30);
        b = a;
        a = _mm512_add_epi32(sum, _mm512_rol_epi32(a, 5));
    }
    s->word[0] = _mm512_add_epi32(s->word[0], a);
    s->word[1] = _mm512_add_epi32(s->word[1], b);
    s->word[2] = _mm512_add_epi32(s->word[2], c);
    s->word[3] = _mm512_add_epi32(s->word[3], d);
    s->word[4] = _mm512_add_epi32(s->word[4], e);
}

// Turns sixteen rows of sixteen words into columns: word j of row i becomes lane i of row j.
LANES_INLINE void sha1_transpose(__m512i r[16])
{
    __m512i pair[16], quad[16];
#pragma GCC unroll 8
    for (unsigned i = 0; i < 16; i += 2) { // pairs of rows: words 0, 1 and words 2, 3 of each quarter
        pair[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        pair[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4) { // four rows: quad[i + k] has word k of each quarter
        quad[i] = _mm512_unpacklo_epi64(pair[i], pair[i + 2]);
        quad[i + 1] = _mm512_unpackhi_epi64(pair[i], pair[i + 2]);
        quad[i + 2] = _mm512_unpacklo_epi64(pair[i + 1], pair[i + 3]);
        quad[i + 3] = _mm512_unpackhi_epi64(pair[i + 1], pair[i + 3]);
    }
#pragma GCC unroll 4
    for (unsigned k = 0; k < 4; k++) { // quarters of all sixteen rows
        __m512i low = _mm512_shuffle_i32x4(quad[k], quad[4 + k], 0x88);
        __m512i low_odd = _mm512_shuffle_i32x4(quad[k], quad[4 + k], 0xdd);
        __m512i high = _mm512_shuffle_i32x4(quad[8 + k], quad[12 + k], 0x88);
        __m512i high_odd = _mm512_shuffle_i32x4(quad[8 + k], quad[12 + k], 0xdd);
        r[k] = _mm512_shuffle_i32x4(low, high, 0x88);
        r[4 + k] = _mm512_shuffle_i32x4(low_odd, high_odd, 0x88);
        r[8 + k] = _mm512_shuffle_i32x4(low, high, 0xdd);
        r[12 + k] = _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd);
    }
}
