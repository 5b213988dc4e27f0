// SPDX-License-Identifier: BSD-3-Clause
#include "tools/lib/histogram.h"

void histogram_merge(struct histogram *to, const struct histogram *h)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->bucket[i] += h->bucket[i];
    to->count += h->count;
    if (h->max > to->max)
        to->max = h->max;
}

// The highest value that falls into the bucket.
static uint64_t top_of(unsigned bucket)
{
    unsigned shift = bucket < 2 * HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;
    return ((uint64_t)(bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

uint64_t histogram_at(const struct histogram *h, uint32_t per_10000)
{
    const uint64_t rank = h->count / 10000 * per_10000 + (h->count % 10000 * per_10000 + 9999) / 10000;
    uint64_t below = 0;

    if (h->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        below += h->bucket[i];
        if (below >= rank)
            return top_of(i) < h->max ? top_of(i) : h->max;
    }
    return h->max; // in the last bucket is all that is longer
}
