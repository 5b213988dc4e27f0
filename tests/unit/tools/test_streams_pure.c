// SPDX-License-Identifier: BSD-3-Clause
// The load generator's bare streams: schedule, percentiles, stamps, lookup, mischief.
#include "tests/unit/runner.h"
#include "tools/lib/histogram.h"
#include "tools/loadgen/streams/demux.h"
#include "tools/loadgen/streams/inject.h"
#include "tools/loadgen/streams/pace.h"
#include "tools/loadgen/streams/stamp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

// ---- schedule -----------------------------------------------------------------------------------------

static void due_by_time(void)
{
    static const struct {
        uint32_t streams;
        uint64_t interval, rounds;
        int64_t now; // since the start
        uint64_t due;
    } table[] = {
        {1, 20000000, 5, -1, 0},
        {1, 20000000, 5, 0, 1},
        {1, 20000000, 5, 19999999, 1},
        {1, 20000000, 5, 20000000, 2},
        {1, 20000000, 5, 80000000, 5},
        {1, 20000000, 5, 900000000000, 5},
        {4, 20000000, 5, 4999999, 1},
        {4, 20000000, 5, 5000000, 2},
        {4, 20000000, 5, 15000000, 4},
        {4, 20000000, 5, 19999999, 4},
        {4, 20000000, 5, 20000000, 5},
        {3, 10, 2, 2, 1},
        {3, 10, 2, 3, 2},
        {3, 10, 2, 5, 2},
        {3, 10, 2, 6, 3},
        {50000, 20000000, 100, 400, 2},
        {50000, 20000000, 100, 399, 1},
        {7, 1, 3, 0, 7},
        {50000, 20000000, 1000000000, INT64_C(20000000000000), 50000 * UINT64_C(1000000) + 1},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pace p;

        pace_init(&p, 1000, table[i].interval, table[i].streams, table[i].rounds, 0);
        CU_ASSERT_EQUAL(pace_due(&p, 1000 + table[i].now, UINT32_MAX),
                        table[i].due > UINT32_MAX ? UINT32_MAX : table[i].due);
    }
}

// A packet is due exactly from the time on that pace_next_at() says, for sizes that don't divide.
static void due_agrees_with_next(void)
{
    static const struct {
        uint32_t streams;
        uint64_t interval;
    } table[] = {{1, 7}, {3, 10}, {7, 20}, {11, 5}, {13, 1000003}, {64, 64}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pace p;
        uint32_t handed = 0;

        pace_init(&p, -5, table[i].interval, table[i].streams, 4, 0);
        while (!pace_over(&p)) {
            const int64_t at = pace_next_at(&p);

            CU_ASSERT_EQUAL(pace_due(&p, at - 1, 1), 0);
            CU_ASSERT_EQUAL(pace_due(&p, at, 1), 1);
            CU_ASSERT_EQUAL(pace_stream(&p), handed % table[i].streams);
            pace_step(&p);
            handed++;
        }
        CU_ASSERT_EQUAL(handed, 4 * table[i].streams);
    }
}

static void no_drift(void)
{
    struct pace p;

    pace_init(&p, 0, 1000, 2, 100, 0);
    CU_ASSERT_EQUAL(pace_due(&p, 5200, UINT32_MAX), 11); // served late: all that is due, none moved
    for (int i = 0; i < 11; i++)
        pace_step(&p);
    CU_ASSERT_EQUAL(pace_next_at(&p), 5500);
    CU_ASSERT_EQUAL(pace_due(&p, 6000, 1), 1); // no more than there is room for
    CU_ASSERT_EQUAL(p.skipped, 0);
}

static void too_late_is_left_out(void)
{
    struct pace p;

    pace_init(&p, 0, 1000, 4, 10, 2000);
    CU_ASSERT_EQUAL(pace_due(&p, 2000, UINT32_MAX), 9); // as late as may be
    CU_ASSERT_EQUAL(pace_due(&p, 2001, UINT32_MAX), 0);
    CU_ASSERT_EQUAL(p.skipped, 9);
    CU_ASSERT_EQUAL(pace_next_at(&p), 2250);
    CU_ASSERT_EQUAL(pace_stream(&p), 1);
    CU_ASSERT_EQUAL(pace_due(&p, 1000000, UINT32_MAX), 0);
    CU_ASSERT_TRUE(pace_over(&p));
    CU_ASSERT_EQUAL(p.skipped, 40);
}

// ---- percentiles --------------------------------------------------------------------------------------

static void percentiles(void)
{
    static struct histogram h;

    memset(&h, 0, sizeof h);
    CU_ASSERT_EQUAL(histogram_at(&h, 5000), 0);
    for (uint64_t i = 1; i <= 20; i++)
        histogram_add(&h, i);
    CU_ASSERT_EQUAL(histogram_at(&h, 5000), 10);
    CU_ASSERT_EQUAL(histogram_at(&h, 9500), 19);
    CU_ASSERT_EQUAL(histogram_at(&h, 9501), 20);
    CU_ASSERT_EQUAL(histogram_at(&h, 10000), 20);
    CU_ASSERT_EQUAL(histogram_at(&h, 1), 1);
}

// Whatever the value, it is reported not too low and at most 1/64 too high; the maximum is exact.
static void percentile_precision(void)
{
    static struct histogram h;

    for (uint64_t value = 1; value < UINT64_C(1) << 41; value = value * 9 / 7 + 1) {
        memset(&h, 0, sizeof h);
        histogram_add(&h, value);
        histogram_add(&h, UINT64_MAX);
        const uint64_t half = histogram_at(&h, 5000);

        CU_ASSERT_TRUE(half >= value && half <= value + value / 64);
        CU_ASSERT_EQUAL(histogram_at(&h, 10000), UINT64_MAX);
    }
}

// ---- stamps -------------------------------------------------------------------------------------------

static const struct stamp sample = {.ssrc = 0xdeadbeef, .number = 4711, .value = 123456789012345};

static void stamp_round_trip(void)
{
    uint8_t data[STAMP_MAX];
    struct stamp read;

    for (size_t length = STAMP_MIN; length <= STAMP_MAX; length += length < 40 ? 1 : 97) {
        stamp_write(data, length, &sample);
        CU_ASSERT_TRUE(stamp_read(data, length, &read));
        CU_ASSERT_TRUE(read.ssrc == sample.ssrc && read.number == sample.number && !read.final &&
                       read.value == sample.value);
    }
    const struct stamp last = {.ssrc = 1, .number = INT32_MAX, .final = true, .value = 99};
    stamp_write(data, 20, &last);
    CU_ASSERT_TRUE(stamp_read(data, 20, &read));
    CU_ASSERT_TRUE(read.final && read.number == INT32_MAX && read.value == 99);
}

static void stamp_sees_every_bit(void)
{
    uint8_t data[163];
    struct stamp read;
    unsigned unseen = 0;

    stamp_write(data, sizeof data, &sample);
    for (size_t bit = 0; bit < sizeof data * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        unseen += stamp_read(data, sizeof data, &read);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT_EQUAL(unseen, 0);
    CU_ASSERT_TRUE(stamp_read(data, sizeof data, &read));
    CU_ASSERT_FALSE(stamp_read(data, sizeof data - 1, &read));
    CU_ASSERT_FALSE(stamp_read(data, STAMP_MIN, &read));
    CU_ASSERT_FALSE(stamp_read(data, STAMP_MIN - 1, &read));
    CU_ASSERT_FALSE(stamp_read(data, 0, &read));
}

// ---- lookup -------------------------------------------------------------------------------------------

static void lookup(void)
{
    enum { MANY = 1000 };
    struct demux d;
    const struct endpoint here = {0x0a000001, 5004};
    unsigned wrong = 0;

    CU_ASSERT_EQUAL_FATAL(demux_init(&d, MANY), 0);
    for (uint32_t i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(
            demux_put(&d, &here, &(struct endpoint){0x0a000002 + i % 2, (uint16_t)(1 + i / 2)}, i), 0);
    for (uint32_t i = 0; i < MANY; i++)
        wrong += demux_get(&d, &here, &(struct endpoint){0x0a000002 + i % 2, (uint16_t)(1 + i / 2)}) != i;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(demux_put(&d, &here, &(struct endpoint){0x0a000002, 1}, 5), -EEXIST);
    CU_ASSERT_EQUAL(demux_get(&d, &here, &(struct endpoint){0x0a000004, 1}), UINT32_MAX);
    CU_ASSERT_EQUAL(demux_get(&d, &(struct endpoint){0x0a000001, 5005}, &(struct endpoint){0x0a000002, 1}),
                    UINT32_MAX);
    demux_fini(&d);
    demux_fini(&d);
}

// ---- mischief -----------------------------------------------------------------------------------------

static void mischief_shares(void)
{
    struct inject i;

    inject_init(&i, 1, 100000, 50000, 20000, 10000);
    for (int n = 0; n < 100000; n++)
        inject_draw(&i);
    CU_ASSERT_TRUE(i.count[INJECT_LOSE] > 9500 && i.count[INJECT_LOSE] < 10500);
    CU_ASSERT_TRUE(i.count[INJECT_DUPLICATE] > 4700 && i.count[INJECT_DUPLICATE] < 5300);
    CU_ASSERT_TRUE(i.count[INJECT_CORRUPT] > 1800 && i.count[INJECT_CORRUPT] < 2200);
    CU_ASSERT_TRUE(i.count[INJECT_SWAP] > 850 && i.count[INJECT_SWAP] < 1150);

    inject_init(&i, 1, 0, 0, 0, 0);
    for (int n = 0; n < 1000; n++)
        CU_ASSERT_EQUAL(inject_draw(&i), INJECT_NONE);
    inject_init(&i, 1, 0, 1000000, 0, 0);
    for (int n = 0; n < 1000; n++)
        CU_ASSERT_EQUAL(inject_draw(&i), INJECT_DUPLICATE);
}

static void mischief_damages_one_bit(void)
{
    struct inject i;
    unsigned kept = 0;

    inject_init(&i, 9, 0, 0, 1000000, 0);
    for (int n = 0; n < 1000; n++) {
        uint8_t data[30] = {0};
        unsigned bits = 0;

        inject_damage(&i, data, sizeof data, 12);
        for (size_t at = 0; at < sizeof data; at++) {
            bits += (unsigned)__builtin_popcount(data[at]);
            kept += at < 12 && data[at] != 0;
        }
        CU_ASSERT_EQUAL(bits, 1);
    }
    CU_ASSERT_EQUAL(kept, 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"due_by_time", due_by_time},
        {"due_agrees_with_next", due_agrees_with_next},
        {"no_drift", no_drift},
        {"too_late_is_left_out", too_late_is_left_out},
        {"percentiles", percentiles},
        {"percentile_precision", percentile_precision},
        {"stamp_round_trip", stamp_round_trip},
        {"stamp_sees_every_bit", stamp_sees_every_bit},
        {"lookup", lookup},
        {"mischief_shares", mischief_shares},
        {"mischief_damages_one_bit", mischief_damages_one_bit},
    };

    return test_main("streams pure", TEST_CASES(cases), argc, argv);
}
