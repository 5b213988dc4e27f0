// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/histogram.h"

#include <math.h>

#include "tools/bench/stats.h"

void histogram_merge(struct histogram *to, const struct histogram *h)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->count[i] += h->count[i];
    to->total += h->total;
    if (h->max > to->max)
        to->max = h->max;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
    uint64_t want = (uint64_t)ceil(share * (double)h->total), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->total > 0; i++) {
        seen += h->count[i];
        if (seen < want || h->count[i] == 0)
            continue;
        if (i == HISTOGRAM_BUCKETS - 1) // all that is longer
            break;
        // the upper end of the bucket
        unsigned shift = i < 2 * HISTOGRAM_STEPS ? 0 : i / HISTOGRAM_STEPS - 1;
        uint64_t top = ((uint64_t)(i - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
        return top < h->max ? top : h->max;
    }
    return h->max;
}

json_t *histogram_json(const struct histogram *h, double scale)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "p50", stats_number(histogram_at(h, 0.5) * scale),
                     "p90", stats_number(histogram_at(h, 0.9) * scale), "p99",
                     stats_number(histogram_at(h, 0.99) * scale), "p99_9",
                     stats_number(histogram_at(h, 0.999) * scale), "p99_99",
                     stats_number(histogram_at(h, 0.9999) * scale), "max", stats_number(h->max * scale),
                     "count", (json_int_t)h->total);
}
