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
