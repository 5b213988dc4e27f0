// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(double *value, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++)
        if (!isnan(value[i]))
            value[kept++] = value[i];
    if (kept == 0)
        return (struct spread){NAN, NAN, NAN, 0};
    qsort(value, kept, sizeof *value, compare);
    double half = kept % 2 ? value[kept / 2] : (value[kept / 2 - 1] + value[kept / 2]) / 2;
    return (struct spread){value[(kept - 1) / 10], half, value[kept - 1 - (kept - 1) / 10], kept};
}

json_t *stats_number(double value)
{
    return isfinite(value) ? json_real(round(value * 100) / 100) : json_null();
}

json_t *stats_spread(const struct spread *s)
{
    return json_pack("{s:o, s:o, s:o}", "p10", stats_number(s->p10), "median", stats_number(s->median), "p90",
                     stats_number(s->p90));
}

json_t *stats_histogram(const struct histogram *h, double scale)
{
    static const struct {
        const char *name;
        uint32_t per_10000;
    } points[] = {{"p50", 5000},   {"p90", 9000},    {"p99", 9900},
                  {"p99_9", 9990}, {"p99_99", 9999}, {"max", 10000}};
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        json_object_set_new(all, points[i].name,
                            stats_number((double)histogram_at(h, points[i].per_10000) * scale));
    json_object_set_new(all, "count", json_integer((json_int_t)h->count));
    return all;
}
