// SPDX-License-Identifier: BSD-3-Clause
// Counts of durations: 64 steps to each power of two, so a percentile is right to 1.6 %.
#pragma once

#include <jansson.h>
#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 48 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t count[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t max;
};

static inline void histogram_add(struct histogram *h, uint64_t value)
{
    unsigned high = 63 - __builtin_clzll(value | HISTOGRAM_STEPS), shift = high - 6;
    unsigned bucket = shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
    h->count[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
    h->total++;
    if (value > h->max)
        h->max = value;
}

void histogram_merge(struct histogram *to, const struct histogram *h);

// The value that `share` (0..1) of all are not above; 0 of an empty one.
uint64_t histogram_at(const struct histogram *h, double share);

// {"p50", "p90", "p99", "p99_9", "p99_99", "max", "count"}; values times `scale`.
json_t *histogram_json(const struct histogram *h, double scale);
