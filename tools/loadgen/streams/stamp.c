// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/stamp.h"
#include "tools/loadgen/bytes.h"

#include <endian.h>
#include <string.h>

enum { CHECK_AT = 0, SSRC_AT = 4, NUMBER_AT = 8, VALUE_AT = 12 };
#define FINAL_BIT (UINT32_C(1) << 31)

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Depends on every field and on the length, so that a cut packet is seen.
static uint64_t seed_of(const struct stamp *s, size_t length)
{
    const uint64_t name = (uint64_t)s->ssrc << 32 | s->number | (s->final ? FINAL_BIT : 0);

    return mix(mix(name) ^ s->value ^ (uint64_t)length << 48);
}

// The next eight bytes of filler.
static uint64_t filler(uint64_t *state)
{
    return htole64(mix(*state += 0x9e3779b97f4a7c15u));
}

void stamp_write(uint8_t *out, size_t length, const struct stamp *s)
{
    const uint64_t seed = seed_of(s, length), value = htobe64(s->value);
    uint64_t state = seed;
    size_t i = STAMP_MIN;

    put32(out + CHECK_AT, (uint32_t)seed);
    put32(out + SSRC_AT, s->ssrc);
    put32(out + NUMBER_AT, s->number | (s->final ? FINAL_BIT : 0));
    memcpy(out + VALUE_AT, &value, sizeof value);
    for (; i + 8 <= length; i += 8) {
        const uint64_t word = filler(&state);
        memcpy(out + i, &word, sizeof word);
    }
    if (i < length) {
        const uint64_t word = filler(&state);
        memcpy(out + i, &word, length - i);
    }
}

bool stamp_read(const uint8_t *data, size_t length, struct stamp *s)
{
    uint64_t value, word, state;
    size_t i = STAMP_MIN;

    if (length < STAMP_MIN || length > STAMP_MAX)
        return false;
    memcpy(&value, data + VALUE_AT, sizeof value);
    const struct stamp read = {
        .ssrc = get32(data + SSRC_AT),
        .number = get32(data + NUMBER_AT) & ~FINAL_BIT,
        .final = (get32(data + NUMBER_AT) & FINAL_BIT) != 0,
        .value = be64toh(value),
    };
    state = seed_of(&read, length);
    if (get32(data + CHECK_AT) != (uint32_t)state)
        return false;
    for (; i + 8 <= length; i += 8) {
        word = filler(&state);
        if (memcmp(data + i, &word, sizeof word) != 0)
            return false;
    }
    word = filler(&state);
    if (i < length && memcmp(data + i, &word, length - i) != 0)
        return false;
    *s = read;
    return true;
}
