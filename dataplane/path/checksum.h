// SPDX-License-Identifier: BSD-3-Clause
// packet path: the Internet checksum (RFC 1071) by 8 bytes at a time. Sums are of 16-bit words in memory
// order, kept in 64 bits with the carries added back; any words may be added to them, also wider ones.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t checksum_add(uint64_t sum, uint64_t words)
{
    sum += words;
    return sum + (sum < words);
}

static inline uint32_t checksum_add32(uint32_t sum, uint32_t words)
{
    sum += words;
    return sum + (sum < words);
}

// Both halves of a sum added, with the carry: the result is in the upper 16 bits.
static inline uint32_t checksum_halves(uint32_t sum)
{
    return sum + (sum << 16 | sum >> 16);
}

// The sum in 16 bits, not complemented: halves are added as long as there are two, each with its carry.
static inline uint16_t checksum_fold(uint64_t sum)
{
    return (uint16_t)(checksum_halves(checksum_add32((uint32_t)(sum >> 32), (uint32_t)sum)) >> 16);
}

static inline uint64_t checksum_word(const uint8_t *data)
{
    uint64_t v;
    memcpy(&v, data, sizeof v);
    return v;
}

// Adds `len` bytes at `data`, which are at an even place of what is summed up. The 8 bytes before `data` must
// be readable: they are of no account. Four words make a chain of carries, which takes half as long as adding
// one after the other.
static inline uint64_t checksum_data(uint64_t sum, const uint8_t *data, unsigned len)
{
    enum { WORD = sizeof(uint64_t) };
    for (; len >= 4 * WORD; data += 4 * WORD, len -= 4 * WORD) {
        unsigned long long chain;
        unsigned char carry = _addcarry_u64(0, sum, checksum_word(data), &chain);
        carry = _addcarry_u64(carry, chain, checksum_word(data + WORD), &chain);
        carry = _addcarry_u64(carry, chain, checksum_word(data + 2 * WORD), &chain);
        carry = _addcarry_u64(carry, chain, checksum_word(data + 3 * WORD), &chain);
        sum = chain + carry;
    }
    for (; len >= WORD; data += WORD, len -= WORD)
        sum = checksum_add(sum, checksum_word(data));
    if (len == 0)
        return sum;
    // the last of it in the highest bytes, also of an odd number
    return checksum_add(sum, checksum_word(data + len - WORD) >> 8 * (WORD - len));
}
