// SPDX-License-Identifier: BSD-3-Clause
// Words in network order at any address. Pure; on the packet path, too.
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t tl_get16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return be16toh(word);
}

static inline uint32_t tl_get32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return be32toh(word);
}

static inline void tl_put16(uint8_t *at, uint16_t value)
{
    uint16_t word = htobe16(value);
    memcpy(at, &word, sizeof word);
}

static inline void tl_put32(uint8_t *at, uint32_t value)
{
    uint32_t word = htobe32(value);
    memcpy(at, &word, sizeof word);
}

static inline uint64_t tl_get64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return be64toh(word);
}

static inline void tl_put64(uint8_t *at, uint64_t value)
{
    uint64_t word = htobe64(value);
    memcpy(at, &word, sizeof word);
}
