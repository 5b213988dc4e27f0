// SPDX-License-Identifier: BSD-3-Clause
// Durations by the million in a fixed space: 64 buckets to a doubling, so a percentile is exact below 128 and within
// 1/64 above. Pure. Zeroed is empty.
#pragma once

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 48 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t bucket[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max; // exact
};

// Counts one value. What is longer than the last bucket counts in it; `max` stays exact.
static inline void histogram_add(struct histogram *h, uint64_t value)
{
    unsigned high = 63 - (unsigned)__builtin_clzll(value | HISTOGRAM_STEPS), shift = high - 6;
    uint64_t bucket = shift * HISTOGRAM_STEPS + (value >> shift);
    h->bucket[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
    h->count++;
    if (value > h->max)
        h->max = value;
}

void histogram_merge(struct histogram *to, const struct histogram *h);

// The value that `per_10000` in ten thousand (1 to 10,000) do not exceed, by nearest rank: the upper end of its bucket,
// never above `max`. 0 when nothing was counted.
uint64_t histogram_at(const struct histogram *h, uint32_t per_10000);
