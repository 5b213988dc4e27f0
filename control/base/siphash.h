// SPDX-License-Identifier: BSD-3-Clause
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed fingerprint whose collisions nobody
// without the key can make. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t tail; // bytes that do not fill a word yet
    uint64_t len;
};

struct siphash_value {
    uint64_t a, b;
};

void siphash_init(struct siphash *h, const uint8_t key[static 16]);
void siphash_update(struct siphash *h, const void *bytes, size_t len);
struct siphash_value siphash_final(struct siphash *h);
