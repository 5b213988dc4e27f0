// SPDX-License-Identifier: BSD-3-Clause
// Durations by the million in a fixed space: exact below 32 ns, within 1/32 above. Pure.
#pragma once

#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 32,     // buckets to a doubling
    HISTOGRAM_DOUBLINGS = 37, // from 32 ns to 2^42 ns, over an hour
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (HISTOGRAM_DOUBLINGS + 1),
};

struct histogram {
    uint64_t count;
    uint64_t max; // exact
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

// Counts one value in ns. What is longer than the last bucket counts in it; `max` stays exact.
void histogram_add(struct histogram *h, uint64_t ns);

// The value that `per_10000` in ten thousand (1 to 10,000) do not exceed, by nearest rank: the upper end of
// its bucket, never above `max`. 0 when nothing was counted.
uint64_t histogram_at(const struct histogram *h, uint32_t per_10000);
