// SPDX-License-Identifier: BSD-3-Clause
// packet path: the Internet checksum (RFC 1071) by 8 bytes at a time. Sums are of 16-bit words in memory
// order, kept in 64 bits with the carries added back; any words may be added to them, also wider ones.
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint64_t checksum_add(uint64_t sum, uint64_t words)
{
    sum += words;
    return sum + (sum < words);
}

// The sum in 16 bits, not complemented.
static inline uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
}

// Adds `len` bytes at `data`, which are at an even place of what is summed up. The 8 bytes before `data` must
// be readable: they are of no account.
static inline uint64_t checksum_data(uint64_t sum, const uint8_t *data, unsigned len)
{
    uint64_t v;
    for (; len >= sizeof v; data += sizeof v, len -= sizeof v) {
        memcpy(&v, data, sizeof v);
        sum = checksum_add(sum, v);
    }
    if (len == 0)
        return sum;
    memcpy(&v, data + len - sizeof v, sizeof v); // the last of it in the highest bytes, also of an odd number
    return checksum_add(sum, v >> 8 * (sizeof v - len));
}
