// SPDX-License-Identifier: BSD-3-Clause
// When a call of the load generator does what, and which packets count.
#include "runner.h"

#include "tools/loadgen/schedule.h"

#include <errno.h>

static void schedule_lengths(void)
{
    static const struct {
        uint32_t seconds, digits;
        bool holds;
        int result;
    } table[] = {
        {1, 0, false, 0},  {1, 2, false, -ERANGE}, {2, 2, false, 0},      {2, 16, false, -ERANGE},
        {5, 16, false, 0}, {10, 16, true, 0},      {3, 0, true, -ERANGE}, {86400, 16, true, 0},
    };
    struct schedule s;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CU_ASSERT_EQUAL(schedule_make(&s, table[i].seconds, table[i].digits, table[i].holds, true),
                        table[i].result);
        CU_ASSERT_EQUAL(schedule_shortest(table[i].digits, table[i].holds) <= table[i].seconds,
                        table[i].result == 0);
    }
}

// Whatever the length: digits, hold, window and BYE follow each other with the guards between them.
static void schedule_order(void)
{
    for (uint32_t seconds = 1; seconds < 120; seconds++)
        for (uint32_t digits = 0; digits <= 16; digits++)
            for (int holds = 0; holds < 2; holds++) {
                struct schedule s;

                if (schedule_make(&s, seconds, digits, holds, true) != 0)
                    continue;
                CU_ASSERT_TRUE(s.count_end + SCHEDULE_GUARD_MS <= s.bye_at);
                CU_ASSERT_TRUE(s.dtmf_at + digits * 200 < s.count_end || digits == 0);
                if (!holds)
                    continue;
                CU_ASSERT_TRUE(s.hold_at >= s.dtmf_at + digits * 200 || digits == 0);
                CU_ASSERT_TRUE(s.hold_at + SCHEDULE_GUARD_MS + s.hold_for < s.count_end);
                CU_ASSERT_TRUE(s.hold_for >= 500);
            }
}

static struct payload stamp(struct window *w, const struct schedule *s, uint32_t now)
{
    struct payload p = {0};

    window_stamp(w, s, now, &p);
    return p;
}

static void window_of_a_call(void)
{
    struct schedule s;
    struct window w = {0};
    struct payload p;

    schedule_make(&s, 2, 0, false, true);
    p = stamp(&w, &s, 0);
    window_sent(&w, &p);
    CU_ASSERT_EQUAL(p.flags, 0); // before the ACK
    CU_ASSERT_EQUAL(p.ordinal, 0);

    w.open = true;
    for (uint32_t now = 0; now < 2000; now += 20) {
        p = stamp(&w, &s, now);
        window_sent(&w, &p);
        CU_ASSERT_EQUAL(p.flags, now < 1700 ? PAYLOAD_COUNTED : PAYLOAD_FINAL);
        CU_ASSERT_EQUAL(p.ordinal, now < 1700 ? now / 20 + 1 : 85);
    }
    CU_ASSERT_EQUAL(w.counted, 85);
    CU_ASSERT_TRUE(w.closed);
}

static void window_counts_only_what_was_sent(void)
{
    struct schedule s;
    struct window w = {.open = true};
    struct payload p;

    schedule_make(&s, 2, 0, false, true);
    p = stamp(&w, &s, 0);
    CU_ASSERT_EQUAL(p.ordinal, 1);
    p = stamp(&w, &s, 20); // the first was refused by the kernel
    CU_ASSERT_EQUAL(p.ordinal, 1);
    window_sent(&w, &p);
    p = stamp(&w, &s, 40);
    CU_ASSERT_EQUAL(p.ordinal, 2);
}

static void window_pauses(void)
{
    struct schedule s;
    struct window w = {.open = true};
    struct payload p;

    schedule_make(&s, 10, 0, true, true);
    p = stamp(&w, &s, 0);
    window_sent(&w, &p);
    w.paused_there = true;
    p = stamp(&w, &s, 20);
    window_sent(&w, &p);
    CU_ASSERT_EQUAL(p.flags,
                    PAYLOAD_PAUSED); // and no HOLDS: else the two sides would wait for each other for ever
    w.paused_there = false;
    w.paused_here = true;
    p = stamp(&w, &s, 40);
    window_sent(&w, &p);
    CU_ASSERT_EQUAL(p.flags, PAYLOAD_PAUSED | PAYLOAD_HOLDS);
    CU_ASSERT_EQUAL(p.ordinal, 1);
    w.paused_here = false;
    p = stamp(&w, &s, 60);
    CU_ASSERT_EQUAL(p.flags, PAYLOAD_COUNTED);
    CU_ASSERT_EQUAL(p.ordinal, 2);
    // the end comes also to who is still held
    w.paused_here = true;
    p = stamp(&w, &s, s.count_end);
    CU_ASSERT_EQUAL(p.flags, PAYLOAD_FINAL);
    CU_ASSERT_EQUAL(p.ordinal, 1);
}

static bool due(const struct schedule *s, uint32_t now, uint32_t last, uint32_t final)
{
    return schedule_bye_due(s, now, &(struct heard){last, final});
}

static void bye_waits_for_the_other_side(void)
{
    struct schedule s;

    schedule_make(&s, 2, 0, false, true);
    CU_ASSERT_FALSE(due(&s, 1999, 1999, 1000));
    CU_ASSERT_TRUE(due(&s, 2000, 2000, 1000));
    CU_ASSERT_FALSE(due(&s, 2000, 2000, 1801));
    CU_ASSERT_TRUE(due(&s, 2001, 2000, 1801));
    // no end yet: as long as it speaks, but not for ever
    CU_ASSERT_FALSE(due(&s, 9000, 8980, UINT32_MAX));
    CU_ASSERT_FALSE(due(&s, 9000, 9001 - SCHEDULE_SILENCE_MS, UINT32_MAX));
    CU_ASSERT_TRUE(due(&s, 9000, 9000 - SCHEDULE_SILENCE_MS, UINT32_MAX));
    CU_ASSERT_TRUE(due(&s, 2000 + SCHEDULE_LATE_MS, 2000 + SCHEDULE_LATE_MS, UINT32_MAX));
    schedule_make(&s, 2, 0, false, false);
    CU_ASSERT_FALSE(due(&s, 100000, 0, 1000));
}

static void the_other_side_may_be_late(void)
{
    struct schedule s;
    struct heard speaking = {7480, 1700}, silent = {2400, 1700};

    schedule_make(&s, 2, 0, false, false);
    CU_ASSERT_FALSE(schedule_overdue(&s, 6999, &silent));
    CU_ASSERT_FALSE(schedule_overdue(&s, 7399, &silent));
    CU_ASSERT_TRUE(schedule_overdue(&s, 7400, &silent));
    CU_ASSERT_FALSE(schedule_overdue(&s, 7500, &speaking));
    speaking.last = 2000 + SCHEDULE_LATE_MS + 5000;
    CU_ASSERT_TRUE(schedule_overdue(&s, speaking.last, &speaking));
    schedule_make(&s, 2, 0, false, true);
    CU_ASSERT_FALSE(schedule_overdue(&s, 100000, &silent));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"schedule_lengths", schedule_lengths},
        {"schedule_order", schedule_order},
        {"window_of_a_call", window_of_a_call},
        {"window_counts_only_what_was_sent", window_counts_only_what_was_sent},
        {"window_pauses", window_pauses},
        {"bye_waits_for_the_other_side", bye_waits_for_the_other_side},
        {"the_other_side_may_be_late", the_other_side_may_be_late},
    };

    return test_main("loadgen plan", TEST_CASES(cases), argc, argv);
}
