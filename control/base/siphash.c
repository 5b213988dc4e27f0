// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/siphash.h"

static uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void rounds(struct siphash *h, unsigned n)
{
    while (n--) {
        h->v0 += h->v1;
        h->v1 = rotl(h->v1, 13) ^ h->v0;
        h->v0 = rotl(h->v0, 32);
        h->v2 += h->v3;
        h->v3 = rotl(h->v3, 16) ^ h->v2;
        h->v0 += h->v3;
        h->v3 = rotl(h->v3, 21) ^ h->v0;
        h->v2 += h->v1;
        h->v1 = rotl(h->v1, 17) ^ h->v2;
        h->v2 = rotl(h->v2, 32);
    }
}

static void word(struct siphash *h, uint64_t m)
{
    h->v3 ^= m;
    rounds(h, 2);
    h->v0 ^= m;
}

void siphash_init(struct siphash *h, const uint8_t key[static 16])
{
    uint64_t k0 = load64(key), k1 = load64(key + 8);
    h->v0 = k0 ^ UINT64_C(0x736f6d6570736575);
    h->v1 = k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee; // 0xee: the variant with 128 bits
    h->v2 = k0 ^ UINT64_C(0x6c7967656e657261);
    h->v3 = k1 ^ UINT64_C(0x7465646279746573);
    h->tail = 0;
    h->len = 0;
}

void siphash_update(struct siphash *h, const void *bytes, size_t len)
{
    if (!len)
        return;
    const uint8_t *p = bytes, *end = p + len;
    while (p < end) {
        if (h->len % 8 == 0 && end - p >= 8) {
            word(h, load64(p));
            h->len += 8;
            p += 8;
            continue;
        }
        h->tail |= (uint64_t)*p++ << (8 * (h->len % 8));
        if (++h->len % 8 == 0) {
            word(h, h->tail);
            h->tail = 0;
        }
    }
}

struct siphash_value siphash_final(struct siphash *h)
{
    struct siphash_value out;
    word(h, h->tail | h->len << 56);
    h->v2 ^= 0xee;
    rounds(h, 4);
    out.a = h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
    h->v1 ^= 0xdd;
    rounds(h, 4);
    out.b = h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
    return out;
}
