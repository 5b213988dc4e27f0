// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/histogram.h"

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_STEPS)
        return (uint32_t)ns;
    const uint32_t exponent = 63 - (uint32_t)__builtin_clzll(ns);
    const uint32_t index =
        (exponent - 4) * HISTOGRAM_STEPS + (uint32_t)(ns >> (exponent - 5)) % HISTOGRAM_STEPS;

    return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

// The highest value that falls into the bucket.
static uint64_t top_of(uint32_t bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    const uint32_t shift = bucket / HISTOGRAM_STEPS - 1;

    return ((uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->bucket[bucket_of(ns)]++;
    if (ns > h->max)
        h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, uint32_t per_10000)
{
    const uint64_t rank = (h->count / 10000) * per_10000 + (h->count % 10000 * per_10000 + 9999) / 10000;
    uint64_t below = 0;

    if (h->count == 0)
        return 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += h->bucket[i];
        if (below >= rank)
            return i == HISTOGRAM_BUCKETS - 1 || top_of(i) > h->max ? h->max : top_of(i);
    }
    return h->max;
}
