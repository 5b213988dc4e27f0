// SPDX-License-Identifier: BSD-3-Clause
// Medians and percentiles, and how they are written.
#pragma once

#include <jansson.h>

#include "tools/lib/histogram.h"

struct spread {
    double p10, median, p90;
    unsigned count; // of the values
};

// Of `n` values, which it sorts; NaN values don't count, and without any other all three are NaN.
struct spread spread_of(double *value, unsigned n);

// {"p10", "median", "p90"}.
json_t *stats_spread(const struct spread *s);

// Rounded to hundredths; null where it is no number.
json_t *stats_number(double value);

// {"p50", "p90", "p99", "p99_9", "p99_99", "max", "count"}; values times `scale`.
json_t *stats_histogram(const struct histogram *h, double scale);
