// SPDX-License-Identifier: BSD-3-Clause
// The benchmark's arithmetic: medians and percentiles of few values, histograms of many.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "tools/bench/stats.h"

static void spreads(void)
{
    static const struct {
        double value[12];
        unsigned n;
        double p10, median, p90;
        unsigned count;
    } cases[] = {
        {{5}, 1, 5, 5, 5, 1},
        {{4, 2}, 2, 2, 3, 4, 2},
        {{3, 1, 2}, 3, 1, 2, 3, 3},
        {{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 10, 1, 5.5, 10, 10},
        {{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 11, 2, 6, 10, 11},
        {{NAN, 7, NAN, 1, 4}, 5, 1, 4, 7, 3},
        {{-1.5, 2.5, NAN}, 3, -1.5, 0.5, 2.5, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value[12];
        memcpy(value, cases[i].value, sizeof value);
        struct spread s = spread_of(value, cases[i].n);
        CU_ASSERT_EQUAL(s.count, cases[i].count);
        CU_ASSERT_EQUAL(s.p10, cases[i].p10);
        CU_ASSERT_EQUAL(s.median, cases[i].median);
        CU_ASSERT_EQUAL(s.p90, cases[i].p90);
    }
    double none[2] = {NAN, NAN};
    struct spread s = spread_of(none, 2);
    CU_ASSERT(s.count == 0 && isnan(s.median) && isnan(s.p10) && isnan(s.p90));
}

static void written(void)
{
    json_t *o = stats_spread(&(struct spread){1.005, 2.499, NAN, 3});
    CU_ASSERT_EQUAL(json_number_value(json_object_get(o, "median")), 2.5);
    CU_ASSERT_TRUE(json_is_null(json_object_get(o, "p90")));
    json_decref(o);
    o = stats_number(INFINITY);
    CU_ASSERT_TRUE(json_is_null(o));
    json_decref(o);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Against the sorted values themselves: never below, and at most 1.6 % above.
static void percentiles(void)
{
    enum { MANY = 20000 };
    static const uint32_t share[] = {5000, 9000, 9900, 9990, 9999, 10000};
    struct histogram *h = calloc(1, sizeof *h);
    uint64_t *value = calloc(MANY, sizeof *value), state = 1;
    CU_ASSERT_FATAL(h && value);
    for (unsigned i = 0; i < MANY; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        value[i] = (state >> 33) >> (i % 31); // of all sizes, from 0 to 2^31
        histogram_add(h, value[i]);
    }
    qsort(value, MANY, sizeof *value, by_size);
    for (size_t i = 0; i < sizeof share / sizeof share[0]; i++) {
        uint64_t exact = value[share[i] * (MANY / 10000) - 1], got = histogram_at(h, share[i]);
        CU_ASSERT(got >= exact);
        CU_ASSERT((double)got <= (double)exact * (1 + 1.0 / HISTOGRAM_STEPS));
    }
    CU_ASSERT_EQUAL(h->count, MANY);
    CU_ASSERT_EQUAL(h->max, value[MANY - 1]);
    free(value);
    free(h);
}

static void edges(void)
{
    static const uint64_t value[] = {0, 1, 63, 64, 127, 128, 129, 1u << 20, UINT64_MAX};
    struct histogram *h = calloc(1, sizeof *h), *sum = calloc(1, sizeof *sum);
    CU_ASSERT_FATAL(h && sum);
    CU_ASSERT_EQUAL(histogram_at(h, 5000), 0);
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++) {
        memset(h, 0, sizeof *h);
        histogram_add(h, value[i]);
        CU_ASSERT_EQUAL(histogram_at(h, 5000), value[i]); // never above the largest
        histogram_merge(sum, h);
    }
    CU_ASSERT_EQUAL(sum->count, sizeof value / sizeof value[0]);
    CU_ASSERT_EQUAL(sum->max, UINT64_MAX);
    CU_ASSERT_EQUAL(histogram_at(sum, 1111), 0);
    CU_ASSERT_EQUAL(histogram_at(sum, 3333), 63);
    free(h);
    free(sum);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"spreads", spreads},
        {"written", written},
        {"percentiles", percentiles},
        {"edges", edges},
    };
    return test_main("bench_stats", TEST_CASES(cases), argc, argv);
}
