// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/payload.h"
#include "tools/loadgen/bytes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static const uint8_t magic[4] = {'T', 'L', 'G', '1'};

static_assert((PAYLOAD_BYTES - PAYLOAD_HEADER) % 8 == 0, "the filler is whole words");

// splitmix64: a good word for two multiplications, and nothing to carry but the counter.
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t seed_of(const struct payload *p)
{
    uint64_t seed = mix(((uint64_t)p->label << 32) | p->number);

    seed = mix(seed ^ (((uint64_t)p->ordinal << 32) | p->timestamp));
    return mix(seed ^ ((uint64_t)p->direction << 8 | p->flags));
}

void payload_write(uint8_t out[PAYLOAD_BYTES], const struct payload *p)
{
    uint64_t state = seed_of(p);

    memcpy(out, magic, sizeof magic);
    put32(out + 4, p->label);
    put32(out + 8, p->number);
    put32(out + 12, p->ordinal);
    put32(out + 16, p->timestamp);
    out[20] = p->direction;
    out[21] = p->flags;
    out[22] = 0;
    out[23] = 0;
    for (size_t i = PAYLOAD_HEADER; i < PAYLOAD_BYTES; i += 8) {
        uint64_t word = htole64(mix(state += 0x9e3779b97f4a7c15u));
        memcpy(out + i, &word, sizeof word);
    }
}

enum payload_verdict payload_read(const uint8_t *data, size_t length, struct payload *p)
{
    uint8_t expected[PAYLOAD_BYTES];

    if (length < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return PAYLOAD_NOT_OURS;
    if (length != PAYLOAD_BYTES)
        return PAYLOAD_DAMAGED;

    const struct payload read = {
        .label = get32(data + 4),
        .number = get32(data + 8),
        .ordinal = get32(data + 12),
        .timestamp = get32(data + 16),
        .direction = data[20],
        .flags = data[21],
    };
    payload_write(expected, &read);
    if (memcmp(data, expected, PAYLOAD_BYTES) != 0)
        return PAYLOAD_DAMAGED;
    *p = read;
    return PAYLOAD_OK;
}
