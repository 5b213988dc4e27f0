// SPDX-License-Identifier: BSD-3-Clause
// A token bucket in eight bytes: the time at which it would be full again (the generic cell rate algorithm of ITU-T I.371).
// Zeroed it is full. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint64_t full_us; // time at which it is full, us
};

// Takes `tokens` out of a bucket that gets `per_s` tokens a second (1..1,000,000; 0: it is never empty) and holds `depth` at most, at the time
// `now_us` of any clock that never goes back. Returns false, and takes nothing, when there are not as many.
static inline bool bucket_take(struct bucket *bucket, uint64_t now_us, uint32_t per_s, uint32_t depth,
                               uint32_t tokens)
{
    if (!per_s)
        return true;
    uint64_t full = bucket->full_us > now_us ? bucket->full_us : now_us;
    uint64_t then = full + (uint64_t)tokens * 1000000 / per_s;
    if (then > now_us + (uint64_t)depth * 1000000 / per_s)
        return false;
    bucket->full_us = then;
    return true;
}
