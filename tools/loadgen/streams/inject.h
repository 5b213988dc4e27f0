// SPDX-License-Identifier: BSD-3-Clause
// What a sender does to its own packets on purpose: leave out, send twice, damage, send behind the next one.
// Pure; chance is a parameter.
#pragma once

#include <stdint.h>

enum injection { INJECT_NONE, INJECT_LOSE, INJECT_DUPLICATE, INJECT_CORRUPT, INJECT_SWAP, INJECTIONS };

struct inject {
    uint32_t below[INJECTIONS]; // of a draw from 0 to 999,999
    uint64_t state;             // of the generator
    uint64_t count[INJECTIONS];
};

// Shares in parts per million, together at most a million.
void inject_init(struct inject *i, uint64_t seed, uint32_t lose, uint32_t duplicate, uint32_t corrupt,
                 uint32_t swap);

// What becomes of the next packet, counted.
enum injection inject_draw(struct inject *i);

// Flips one bit of `data`, `length` bytes (1 or more), anywhere behind the first `keep`.
void inject_damage(struct inject *i, uint8_t *data, uint32_t length, uint32_t keep);
