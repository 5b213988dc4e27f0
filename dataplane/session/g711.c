// SPDX-License-Identifier: BSD-3-Clause
// packet path: see g711.h. The build needs no -march: each function names the instructions it may use, and
// g711_select() asks the CPU.
#include "dataplane/session/g711.h"

#include <immintrin.h>
#include <stddef.h>

// The sign is bit 7 in both laws and never changes, so a table has the seven other bits: entry i is what the
// character signal i (as on the wire: even bits of A-law, all bits of mu-law inverted) becomes.
// ITU-T G.711 Table 4, with A-80 to mu-79.
static const uint8_t a_to_u[128] __attribute__((aligned(64))) = {
    0x2a, 0x2b, 0x28, 0x29, 0x2e, 0x2f, 0x2c, 0x2d, 0x22, 0x23, 0x20, 0x21, 0x26, 0x27, 0x24, 0x25,
    0x39, 0x3a, 0x37, 0x38, 0x3d, 0x3e, 0x3b, 0x3c, 0x31, 0x32, 0x30, 0x30, 0x35, 0x36, 0x33, 0x34,
    0x0a, 0x0b, 0x08, 0x09, 0x0e, 0x0f, 0x0c, 0x0d, 0x02, 0x03, 0x00, 0x01, 0x06, 0x07, 0x04, 0x05,
    0x1a, 0x1b, 0x18, 0x19, 0x1e, 0x1f, 0x1c, 0x1d, 0x12, 0x13, 0x10, 0x11, 0x16, 0x17, 0x14, 0x15,
    0x62, 0x63, 0x60, 0x61, 0x66, 0x67, 0x64, 0x65, 0x5d, 0x5d, 0x5c, 0x5c, 0x5f, 0x5f, 0x5e, 0x5e,
    0x74, 0x76, 0x70, 0x72, 0x7c, 0x7e, 0x78, 0x7a, 0x6a, 0x6b, 0x68, 0x69, 0x6e, 0x6f, 0x6c, 0x6d,
    0x48, 0x49, 0x46, 0x47, 0x4c, 0x4d, 0x4a, 0x4b, 0x40, 0x41, 0x3f, 0x3f, 0x44, 0x45, 0x42, 0x43,
    0x56, 0x57, 0x54, 0x55, 0x5a, 0x5b, 0x58, 0x59, 0x4f, 0x4f, 0x4e, 0x4e, 0x52, 0x53, 0x50, 0x51,
};

// Table 3, with mu-80 to A-81.
static const uint8_t u_to_a[128] __attribute__((aligned(64))) = {
    0x2a, 0x2b, 0x28, 0x29, 0x2e, 0x2f, 0x2c, 0x2d, 0x22, 0x23, 0x20, 0x21, 0x26, 0x27, 0x24, 0x25,
    0x3a, 0x3b, 0x38, 0x39, 0x3e, 0x3f, 0x3c, 0x3d, 0x32, 0x33, 0x30, 0x31, 0x36, 0x37, 0x34, 0x35,
    0x0a, 0x0b, 0x08, 0x09, 0x0e, 0x0f, 0x0c, 0x0d, 0x02, 0x03, 0x00, 0x01, 0x06, 0x07, 0x04, 0x05,
    0x1b, 0x18, 0x19, 0x1e, 0x1f, 0x1c, 0x1d, 0x12, 0x13, 0x10, 0x11, 0x16, 0x17, 0x14, 0x15, 0x6a,
    0x68, 0x69, 0x6e, 0x6f, 0x6c, 0x6d, 0x62, 0x63, 0x60, 0x61, 0x66, 0x67, 0x64, 0x65, 0x7a, 0x78,
    0x7e, 0x7f, 0x7c, 0x7d, 0x72, 0x73, 0x70, 0x71, 0x76, 0x77, 0x74, 0x75, 0x4b, 0x49, 0x4f, 0x4d,
    0x42, 0x43, 0x40, 0x41, 0x46, 0x47, 0x44, 0x45, 0x5a, 0x5b, 0x58, 0x59, 0x5e, 0x5f, 0x5c, 0x5d,
    0x52, 0x52, 0x53, 0x53, 0x50, 0x50, 0x51, 0x51, 0x56, 0x56, 0x57, 0x57, 0x54, 0x54, 0x55, 0x55,
};

static void convert_scalar(uint8_t *p, unsigned len, const uint8_t *table)
{
    for (unsigned i = 0; i < len; i++)
        p[i] = (p[i] & 0x80) | table[p[i] & 0x7f];
}

// ---- AVX2 --------------------------------------------------------------------------------------------

struct tables16 {
    __m256i part[8]; // 16 entries each, twice
};

// pshufb gives 0 where bit 7 of an index is set. An index of this part has, with the part's number XORed
// away, 0 above its low nibble; adding 0x70 with saturation then leaves bit 7 clear for it alone.
__attribute__((target("avx2"))) static inline __m256i convert_32(__m256i x, const struct tables16 *t)
{
    const __m256i sign = _mm256_set1_epi8((char)0x80), only = _mm256_set1_epi8(0x70);
    __m256i index = _mm256_andnot_si256(sign, x), out = _mm256_and_si256(sign, x);
    for (int i = 0; i < 8; i++) {
        __m256i in_part = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8((char)(i << 4))), only);
        out = _mm256_or_si256(out, _mm256_shuffle_epi8(t->part[i], in_part));
    }
    return out;
}

__attribute__((target("avx2"))) static inline __m128i convert_16(__m128i x, const struct tables16 *t)
{
    return _mm256_castsi256_si128(convert_32(_mm256_castsi128_si256(x), t));
}

// The end that fills no vector is read with what is before it, while all of that is still unconverted, and
// written last: bytes that were converted meanwhile get the same value again.
__attribute__((target("avx2"))) static void convert_avx2(uint8_t *p, unsigned len, const uint8_t *table)
{
    struct tables16 t;
    if (len < 16) {
        convert_scalar(p, len, table);
        return;
    }
    for (int i = 0; i < 8; i++)
        t.part[i] = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(table + 16 * (size_t)i)));
    if (len < 32) {
        __m128i first = _mm_loadu_si128((const __m128i *)p);
        __m128i last = _mm_loadu_si128((const __m128i *)(p + len - 16));
        _mm_storeu_si128((__m128i *)p, convert_16(first, &t));
        _mm_storeu_si128((__m128i *)(p + len - 16), convert_16(last, &t));
        return;
    }
    __m256i last = _mm256_loadu_si256((const __m256i *)(p + len - 32));
    for (unsigned i = 0; i + 32 <= len; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(p + i));
        _mm256_storeu_si256((__m256i *)(p + i), convert_32(x, &t));
    }
    _mm256_storeu_si256((__m256i *)(p + len - 32), convert_32(last, &t));
}

// ---- AVX-512 -----------------------------------------------------------------------------------------

#define WITH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))

WITH_AVX512 static inline __m512i convert_64(__m512i x, __m512i low, __m512i high)
{
    // vpermi2b looks at seven bits of an index, which leaves the sign out by itself.
    __m512i value = _mm512_permutex2var_epi8(low, x, high);
    return _mm512_ternarylogic_epi64(value, x, _mm512_set1_epi8((char)0x80), 0xf8); // value | (x & 0x80)
}

// Bytes outside a mask are neither read nor written.
WITH_AVX512 static void convert_avx512(uint8_t *p, unsigned len, const uint8_t *table)
{
    const __m512i low = _mm512_load_si512(table), high = _mm512_load_si512(table + 64);
    unsigned i = 0;
    for (; i + 64 <= len; i += 64)
        _mm512_storeu_si512(p + i, convert_64(_mm512_loadu_si512(p + i), low, high));
    if (i < len) {
        __mmask64 rest = UINT64_MAX >> (64 - (len - i));
        __m512i x = _mm512_maskz_loadu_epi8(rest, p + i);
        _mm512_mask_storeu_epi8(p + i, rest, convert_64(x, low, high));
    }
}

// ---- choice ------------------------------------------------------------------------------------------

#define PAIR(kind)                                                                                           \
    static void a_to_u_##kind(uint8_t *payload, unsigned len)                                                \
    {                                                                                                        \
        convert_##kind(payload, len, a_to_u);                                                                \
    }                                                                                                        \
    static void u_to_a_##kind(uint8_t *payload, unsigned len)                                                \
    {                                                                                                        \
        convert_##kind(payload, len, u_to_a);                                                                \
    }
PAIR(scalar)
PAIR(avx2)
PAIR(avx512)

static const struct g711 all[G711_CODE_COUNT] = {
    [G711_SCALAR] = {G711_SCALAR, a_to_u_scalar, u_to_a_scalar},
    [G711_AVX2] = {G711_AVX2, a_to_u_avx2, u_to_a_avx2},
    [G711_AVX512] = {G711_AVX512, a_to_u_avx512, u_to_a_avx512},
};

struct g711 g711 = {G711_SCALAR, a_to_u_scalar, u_to_a_scalar};

static bool cpu_runs(enum g711_code code)
{
    __builtin_cpu_init();
    switch (code) {
    case G711_AVX512:
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi");
    case G711_AVX2:
        return __builtin_cpu_supports("avx2");
    case G711_SCALAR:
        return true;
    case G711_CODE_COUNT:
        break;
    }
    return false;
}

bool g711_force(enum g711_code code)
{
    if (!cpu_runs(code))
        return false;
    g711 = all[code];
    return true;
}

void g711_select(void)
{
    for (int code = G711_CODE_COUNT - 1; !g711_force((enum g711_code)code); code--)
        ;
}

const char *g711_name(enum g711_code code)
{
    static const char *const name[G711_CODE_COUNT] = {"scalar", "AVX2", "AVX-512 VBMI"};
    return (unsigned)code < G711_CODE_COUNT ? name[code] : "none";
}
