// SPDX-License-Identifier: BSD-3-Clause
// What a trunk may take: each limit at its edge, shares of max_calls, and the pace while control is busy.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/trunk/generation.h"
#include "runner.h"

enum { TRUNKS = 3, LEGS = 128 };

static struct tl_config config;
static struct trunk_table table;
static struct trunk_leg leg[LEGS];

static void begin(uint32_t max_calls, uint32_t percent)
{
    memset(&config, 0, sizeof config);
    memset(leg, 0, sizeof leg);
    config.listener_count = 1;
    config.control.max_calls = max_calls;
    config.control.reserved_percent = percent;
    config.trunk_count = TRUNKS;
    for (unsigned i = 0; i < TRUNKS; i++)
        snprintf(config.trunks[i].name, sizeof config.trunks[i].name, "trunk-%u", i);
}

static void ready(void)
{
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
}

static enum trunk_limit call_from(unsigned trunk, unsigned at, uint64_t now)
{
    enum trunk_limit limit = trunk_admit(table.now->trunks[trunk], TRUNK_ORDINARY, now);
    if (limit == TRUNK_LIMIT_NONE)
        trunk_leg_begin(&leg[at], table.now->trunks[trunk], TRUNK_LEG_FROM);
    return limit;
}

static void end_all(void)
{
    for (unsigned i = 0; i < LEGS; i++)
        trunk_leg_end(&leg[i]);
    for (unsigned i = 0; i < TRUNKS; i++) {
        const struct trunk_use *use = &table.now->trunks[i]->use;
        CU_ASSERT(use->calls == 0 && use->from == 0 && use->waiting == 0 && use->kbit == 0);
    }
    CU_ASSERT_EQUAL(table.shares.calls, 0);
    trunk_table_fini(&table);
}

static void each_limit_has_its_edge(void)
{
    static const struct {
        uint32_t calls, waiting, kbit, rate;
        enum tl_srtp_policy srtp;
        unsigned taken; // of ten calls
        enum trunk_limit then;
    } rows[] = {
        {0, 0, 0, 0, TL_SRTP_OFF, 10, TRUNK_LIMIT_NONE},
        {3, 0, 0, 0, TL_SRTP_OFF, 3, TRUNK_LIMIT_calls},
        {0, 4, 0, 0, TL_SRTP_OFF, 4, TRUNK_LIMIT_waiting},
        {0, 0, 400, 0, TL_SRTP_OFF, 5, TRUNK_LIMIT_bandwidth},
        {0, 0, 399, 0, TL_SRTP_OFF, 4, TRUNK_LIMIT_bandwidth},
        {0, 0, 420, 0, TL_SRTP_REQUIRED, 5, TRUNK_LIMIT_bandwidth},
        {0, 0, 79, 0, TL_SRTP_OFF, 0, TRUNK_LIMIT_bandwidth},
        {0, 0, 0, 6, TL_SRTP_OFF, 6, TRUNK_LIMIT_rate},
        {2, 2, 160, 2, TL_SRTP_OFF, 2, TRUNK_LIMIT_calls},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(1000, 0);
        config.trunks[1].max_calls = rows[i].calls;
        config.trunks[1].max_waiting_calls = rows[i].waiting;
        config.trunks[1].max_kbit_per_s = rows[i].kbit;
        config.trunks[1].max_calls_per_s = rows[i].rate;
        config.trunks[1].srtp = rows[i].srtp;
        ready();
        for (unsigned n = 0; n < 10; n++) {
            enum trunk_limit expected = n < rows[i].taken ? TRUNK_LIMIT_NONE : rows[i].then;
            CU_ASSERT_EQUAL(call_from(1, n, 5000), expected);
            CU_ASSERT_EQUAL(call_from(0, 20 + n, 5000), TRUNK_LIMIT_NONE); // the others notice nothing
        }
        if (rows[i].then != TRUNK_LIMIT_NONE)
            CU_ASSERT_EQUAL(table.now->trunks[1]->use.refused[rows[i].then], 10 - rows[i].taken);
        // no limit holds back an emergency call
        CU_ASSERT_EQUAL(trunk_admit(table.now->trunks[1], TRUNK_URGENT, 5000), TRUNK_LIMIT_NONE);
        end_all();
    }
}

static void calls_to_a_trunk_count_as_well(void)
{
    begin(1000, 0);
    config.trunks[1].max_calls = 2;
    config.trunks[2].max_calls_per_s = 2;
    ready();
    trunk_leg_begin(&leg[0], table.now->trunks[1], TRUNK_LEG_TO);
    CU_ASSERT_EQUAL(call_from(1, 1, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(trunk_room(table.now->trunks[1], TRUNK_ORDINARY, 0), TRUNK_LIMIT_calls);
    CU_ASSERT_EQUAL(table.now->trunks[1]->use.diverted[TRUNK_LIMIT_calls], 0); // asked only
    CU_ASSERT_EQUAL(trunk_send(table.now->trunks[1], TRUNK_ORDINARY, 0), TRUNK_LIMIT_calls);
    CU_ASSERT_EQUAL(table.now->trunks[1]->use.diverted[TRUNK_LIMIT_calls], 1);
    CU_ASSERT_EQUAL(trunk_send(table.now->trunks[1], TRUNK_URGENT, 0), TRUNK_LIMIT_NONE);
    // a leg that moves to another trunk leaves the first
    trunk_leg_begin(&leg[0], table.now->trunks[2], TRUNK_LEG_TO);
    CU_ASSERT_EQUAL(table.now->trunks[1]->use.calls, 1);
    CU_ASSERT_EQUAL(trunk_room(table.now->trunks[1], TRUNK_ORDINARY, 0), TRUNK_LIMIT_NONE);
    // tokens are shared by both directions and come back
    CU_ASSERT_EQUAL(trunk_send(table.now->trunks[2], TRUNK_ORDINARY, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(call_from(2, 2, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(trunk_send(table.now->trunks[2], TRUNK_ORDINARY, 499), TRUNK_LIMIT_rate);
    CU_ASSERT_EQUAL(trunk_send(table.now->trunks[2], TRUNK_ORDINARY, 500), TRUNK_LIMIT_NONE);
    end_all();
}

static void an_answer_ends_the_waiting_and_tells_the_bandwidth(void)
{
    begin(1000, 0);
    config.trunks[0].max_waiting_calls = 1;
    ready();
    CU_ASSERT_EQUAL(call_from(0, 0, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(call_from(0, 1, 0), TRUNK_LIMIT_waiting);
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.kbit, 80);
    trunk_leg_answered(&leg[0], 10);
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.kbit, 96);
    CU_ASSERT_EQUAL(call_from(0, 1, 0), TRUNK_LIMIT_NONE);
    trunk_leg_answered(&leg[0], 30); // a second time changes the figure only
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.waiting, 1);
    CU_ASSERT_EQUAL(trunk_kbit(0, false), 80);
    CU_ASSERT_EQUAL(trunk_kbit(20, true), 84);
    CU_ASSERT_EQUAL(trunk_kbit(30, false), 75); // 74.7
    CU_ASSERT_EQUAL(trunk_kbit(1, false), 384);
    end_all();
}

static void nobody_takes_the_share_of_others(void)
{
    // a quarter of 48 for three trunks is 4 for each, and one has 10 of its own
    begin(48, 25);
    config.trunks[2].reserved_calls = 10;
    ready();
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.share, 4);
    CU_ASSERT_EQUAL(table.now->trunks[2]->use.share, 10);
    unsigned taken = 0;
    while (call_from(0, taken, 0) == TRUNK_LIMIT_NONE)
        taken++;
    CU_ASSERT_EQUAL(taken, 48 - 4 - 10);
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.refused[TRUNK_LIMIT_share], 1);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(call_from(1, taken++, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(call_from(1, taken, 0), TRUNK_LIMIT_share);
    // an emergency call takes of what is kept, but not beyond max_calls
    CU_ASSERT_EQUAL(trunk_admit(table.now->trunks[0], TRUNK_URGENT, 0), TRUNK_LIMIT_NONE);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(call_from(2, taken++, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(call_from(2, taken, 0), TRUNK_LIMIT_share);
    CU_ASSERT_EQUAL(trunk_admit(table.now->trunks[0], TRUNK_URGENT, 0), TRUNK_LIMIT_share);
    CU_ASSERT_EQUAL(table.shares.calls, 48);
    // what trunk 1 gives back is within its share: it alone can have it again
    trunk_leg_end(&leg[34]);
    CU_ASSERT_EQUAL(call_from(0, 34, 0), TRUNK_LIMIT_share);
    CU_ASSERT_EQUAL(call_from(1, 34, 0), TRUNK_LIMIT_NONE);
    // what trunk 0 gives back is beyond its share: anybody can
    trunk_leg_end(&leg[0]);
    CU_ASSERT_EQUAL(call_from(2, 0, 0), TRUNK_LIMIT_NONE);
    end_all();
}

static void a_reload_gives_the_shares_out_anew(void)
{
    begin(40, 0);
    config.trunks[0].reserved_calls = 10;
    config.trunks[1].reserved_calls = 10;
    ready();
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(call_from(0, i, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(table.shares.kept, 14);
    struct generation *former = generation_hold(table.now);
    struct tl_config *next = malloc(sizeof *next);
    CU_ASSERT_FATAL(next != NULL);
    *next = config;
    next->trunk_count = 1; // one of them is gone, the other has the place of its name
    next->trunks[0] = config.trunks[1];
    next->control.max_calls = 20;
    CU_ASSERT_FATAL(trunk_table_reload(&table, next, 0) == 0);
    CU_ASSERT_EQUAL(table.shares.calls, 6);
    CU_ASSERT_EQUAL(table.shares.kept, 10);
    CU_ASSERT_EQUAL(former->trunks[0]->use.share, 0);
    CU_ASSERT_EQUAL(trunk_send(former->trunks[0], TRUNK_ORDINARY, 0), TRUNK_LIMIT_NONE);
    for (unsigned i = 6; i < 20; i++)
        CU_ASSERT_EQUAL(call_from(0, i, 0), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(call_from(0, 20, 0), TRUNK_LIMIT_share);
    for (unsigned i = 0; i < LEGS; i++) // the former trunk's calls end as others do
        trunk_leg_end(&leg[i]);
    CU_ASSERT_EQUAL(table.shares.calls, 0);
    CU_ASSERT_EQUAL(table.shares.kept, 10);
    generation_drop(former);
    trunk_table_fini(&table);
}

// Calls that a trunk with `offered` new ones a second is left in the second before `now`.
static unsigned second(unsigned trunk, unsigned offered, uint64_t now)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < offered; i++)
        taken += trunk_admit(table.now->trunks[trunk], TRUNK_ORDINARY, now + i * 1000 / offered) ==
                 TRUNK_LIMIT_NONE;
    return taken;
}

static void the_busiest_gives_way_first(void)
{
    begin(1000000, 0);
    ready();
    CU_ASSERT_EQUAL(second(0, 5000, 0), 5000);
    trunk_pace(&table.shares, TRUNK_DELAY_MS); // just not too long
    CU_ASSERT_EQUAL(table.shares.pace, TRUNK_PACE_FREE);
    trunk_pace(&table.shares, TRUNK_DELAY_MS + 1); // too long, once: the machine stood still
    CU_ASSERT_EQUAL(table.shares.pace, TRUNK_PACE_FREE);
    trunk_pace(&table.shares, 0);
    trunk_pace(&table.shares, TRUNK_DELAY_MS + 1);
    CU_ASSERT_EQUAL(table.shares.pace, TRUNK_PACE_FREE);
    uint64_t now = 1000;
    for (unsigned i = 0; i < 8; i++, now += 1000) {
        second(0, 500, now);
        trunk_pace(&table.shares, TRUNK_DELAY_MS + 1);
    }
    CU_ASSERT(table.shares.pace < 100);
    uint32_t pace = table.shares.pace;
    unsigned taken = second(0, 2000, now);
    CU_ASSERT(taken >= pace && taken <= pace + pace / 10 + 10);
    CU_ASSERT_EQUAL(table.now->trunks[0]->use.refused[TRUNK_LIMIT_overload] > 1900, true);
    CU_ASSERT_EQUAL(second(1, pace / 2, now), pace / 2); // below the pace: nothing to notice
    CU_ASSERT_EQUAL(trunk_admit(table.now->trunks[0], TRUNK_URGENT, now), TRUNK_LIMIT_NONE);
    for (unsigned i = 0; i < 20; i++)
        trunk_pace(&table.shares, 10000);
    CU_ASSERT_EQUAL(table.shares.pace, TRUNK_PACE_LEAST);
    for (unsigned i = 0; i < 400; i++)
        trunk_pace(&table.shares, 0);
    CU_ASSERT(table.shares.pace >= TRUNK_PACE_FREE);
    CU_ASSERT_EQUAL(second(0, 5000, now + 5000), 5000);
    trunk_table_fini(&table);
}

static void buckets(void)
{
    struct bucket b = {0};
    for (int i = 0; i < 5; i++)
        CU_ASSERT_TRUE(bucket_take(&b, 1000000, 10, 5, 1));
    CU_ASSERT_FALSE(bucket_take(&b, 1099999, 10, 5, 1));
    CU_ASSERT_TRUE(bucket_take(&b, 1100000, 10, 5, 1));
    CU_ASSERT_FALSE(bucket_take(&b, 1100000, 10, 5, 1));
    CU_ASSERT_FALSE(bucket_take(&b, 9000000, 10, 5, 6)); // more than it ever holds
    CU_ASSERT_TRUE(bucket_take(&b, 9000000, 10, 5, 5));
    CU_ASSERT_FALSE(bucket_take(&b, 9000000, 10, 5, 1));
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"buckets", buckets},
        {"each_limit_has_its_edge", each_limit_has_its_edge},
        {"calls_to_a_trunk_count_as_well", calls_to_a_trunk_count_as_well},
        {"an_answer_ends_the_waiting_and_tells_the_bandwidth",
         an_answer_ends_the_waiting_and_tells_the_bandwidth},
        {"nobody_takes_the_share_of_others", nobody_takes_the_share_of_others},
        {"a_reload_gives_the_shares_out_anew", a_reload_gives_the_shares_out_anew},
        {"the_busiest_gives_way_first", the_busiest_gives_way_first},
    };
    return test_main("limits", TEST_CASES(cases), argc, argv);
}
