// SPDX-License-Identifier: BSD-3-Clause
// The way of a call from its numbers to the trunks to try, and what is told of each step.
#include <stdio.h>
#include <string.h>

#include "control/trunk/way.h"
#include "runner.h"

enum { PBX, A, B, C };

static struct tl_config *config;
static struct trunk_table table;
static struct way way;
static char told[256];

static void begin(void)
{
    struct tl_config_errors errors;
    int rc = tl_config_load(TEST_SOURCE_ROOT "/tests/unit/control/trunk/way.json", &config, &errors);

    if (rc < 0)
        fputs(errors.text, stdout);
    CU_ASSERT_FATAL(rc == 0);
    CU_ASSERT_FATAL(trunk_table_init(&table, config, 0) == 0);
}

static void end(void)
{
    trunk_table_fini(&table);
    tl_config_free(config);
}

static void on_route(void *arg, uint32_t route, enum route_verdict verdict)
{
    size_t used = strlen(arg);
    snprintf((char *)arg + used, sizeof told - used, "r%u%c ", route, "!fcgx"[verdict]);
}

static void on_trunk(void *arg, uint32_t trunk, enum trunk_verdict verdict)
{
    size_t used = strlen(arg);
    snprintf((char *)arg + used, sizeof told - used, "%s%c ", config->trunks[trunk].name, "!xurt"[verdict]);
}

static const struct way_watch watch = {.route = on_route, .trunk = on_trunk, .arg = told};

static int find(uint32_t from, const char *called, const char *calling)
{
    const struct way_ask ask = {
        .from = from, .called = called, .calling = calling, .now_ms = 1000, .dry = true, .watch = &watch};

    told[0] = '\0';
    return way_find(table.now, &ask, &way);
}

static void numbers_route_and_trunks(void)
{
    begin();
    CU_ASSERT_EQUAL(find(PBX, "0301", "004420"), 0);
    CU_ASSERT_STRING_EQUAL(way.called, "+49301");
    CU_ASSERT_STRING_EQUAL(way.calling, "+4420");
    CU_ASSERT(way.called_rule == 1 && way.calling_rule == 0 && !way.emergency);
    CU_ASSERT_STRING_EQUAL(told, "r2! a! b! c! ");
    CU_ASSERT(way.count == 3 && way.target[0].trunk == A && !way.target[0].last);
    CU_ASSERT_EQUAL(find(PBX, "+4930", ""), 0);
    CU_ASSERT(way.called_rule == -1 && way.calling_rule == -1);
    end();
}

static void ways_that_lead_nowhere(void)
{
    static const struct {
        uint32_t from;
        const char *called;
        int status;
        const char *told, *why, *phrase;
    } rows[] = {
        {PBX, "0900", 403, "r0! ", "a route denies it", "Closed"},
        {PBX, "7", 404, "", "no route for the called number", NULL},
        {B, "+4977", 0, "r1x r2! c! ax bx ", NULL, NULL}, // a peer's call: the longest prefix is closed
        {B, "112", 403, "r3x ", "its routes lead from a peer to a peer", NULL},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(find(rows[i].from, rows[i].called, ""), rows[i].status);
        CU_ASSERT_STRING_EQUAL(told, rows[i].told);
        CU_ASSERT(!rows[i].why || strncmp(way.why, rows[i].why, strlen(rows[i].why)) == 0);
        CU_ASSERT(!rows[i].phrase == !way.phrase && (!way.phrase || strcmp(way.phrase, rows[i].phrase) == 0));
    }
    end();
}

static void trunks_are_left_out_for_a_reason(void)
{
    begin();
    table.now->trunks[A]->rest_until_ms = 8000;
    table.now->trunks[B]->unregistered = true;
    table.now->trunks[C]->down = true;
    CU_ASSERT_EQUAL(find(PBX, "0301", ""), 0);
    CU_ASSERT_STRING_EQUAL(told, "r2! c! ar bu ");
    CU_ASSERT(way.count == 1 && way.target[0].trunk == C && way.target[0].last);
    CU_ASSERT_EQUAL(find(PBX, "112", ""), 0); // an emergency call goes to who rests, too
    CU_ASSERT_STRING_EQUAL(told, "r3! a! bu ");
    CU_ASSERT(way.emergency);
    CU_ASSERT_EQUAL(find(PBX, "077", ""), 503);
    CU_ASSERT_STRING_EQUAL(told, "r1! ar ");
    CU_ASSERT_EQUAL(way.retry_after, 7);
    table.now->trunks[A]->unregistered = true;
    CU_ASSERT_EQUAL(find(PBX, "077", ""), 503);
    CU_ASSERT_EQUAL(way.retry_after, 0);
    end();
}

// A sips: call passes by who has no TLS; where that leaves nobody, it is refused for that.
static void sips_calls_need_tls(void)
{
    begin();
    const struct way_ask ask = {.from = PBX,
                                .called = "+4930",
                                .calling = "",
                                .need = TRUNK_SECURE_WAY,
                                .dry = true,
                                .watch = &watch};

    told[0] = '\0';
    CU_ASSERT_EQUAL(way_find(table.now, &ask, &way), 480);
    CU_ASSERT(way.clear && way.count == 0);
    CU_ASSERT_STRING_EQUAL(told, "r2! at bt ct ");
    table.now->trunks[B]->targets[0].secure = true;
    told[0] = '\0';
    CU_ASSERT_EQUAL(way_find(table.now, &ask, &way), 0);
    CU_ASSERT(!way.clear && way.count == 1 && way.target[0].trunk == B);
    CU_ASSERT_STRING_EQUAL(told, "r2! b! at ct ");
    for (unsigned i = A; i <= C; i++)
        table.now->trunks[i]->unregistered = true;
    CU_ASSERT_EQUAL(way_find(table.now, &ask, &way), 503); // nobody else's call would go there either
    CU_ASSERT(!way.clear);
    end();
}

static void on_full(void *arg, struct trunk *trunk, enum trunk_limit limit)
{
    size_t used = strlen(arg);
    snprintf((char *)arg + used, sizeof told - used, "%s-%s ", trunk->name, trunk_limit_label(limit));
}

static void trunks_without_room_are_dropped(void)
{
    begin();
    config->trunks[A].max_calls = config->trunks[B].max_waiting_calls = 1;
    table.now->trunks[A]->use.calls = table.now->trunks[B]->use.waiting = 1;
    CU_ASSERT_EQUAL(find(PBX, "0301", ""), 0);
    told[0] = '\0';
    CU_ASSERT_EQUAL(way_drop_full(table.now, &way, 1000, on_full, told), TRUNK_LIMIT_NONE);
    CU_ASSERT_STRING_EQUAL(told, "a-calls b-waiting ");
    CU_ASSERT(way.count == 1 && way.target[0].trunk == C);
    CU_ASSERT_EQUAL(find(PBX, "077", ""), 0);
    CU_ASSERT_EQUAL(way_drop_full(table.now, &way, 1000, on_full, told), TRUNK_LIMIT_calls);
    CU_ASSERT_EQUAL(way.count, 0);
    CU_ASSERT_EQUAL(find(PBX, "112", ""), 0); // no limit holds it back
    CU_ASSERT_EQUAL(way_drop_full(table.now, &way, 1000, on_full, told), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(way.count, 2);
    // who only asks whether a call would be admitted takes and counts nothing
    config->trunks[PBX].max_calls_per_s = 1;
    struct trunk *pbx = table.now->trunks[PBX];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(trunk_admission(pbx, TRUNK_ORDINARY, 1000), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(trunk_admit(pbx, TRUNK_ORDINARY, 1000), TRUNK_LIMIT_NONE);
    CU_ASSERT_EQUAL(trunk_admission(pbx, TRUNK_ORDINARY, 1000), TRUNK_LIMIT_rate);
    CU_ASSERT_EQUAL(pbx->use.refused[TRUNK_LIMIT_rate], 0);
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"numbers_route_and_trunks", numbers_route_and_trunks},
        {"ways_that_lead_nowhere", ways_that_lead_nowhere},
        {"trunks_are_left_out_for_a_reason", trunks_are_left_out_for_a_reason},
        {"sips_calls_need_tls", sips_calls_need_tls},
        {"trunks_without_room_are_dropped", trunks_without_room_are_dropped},
    };
    return test_main("way", TEST_CASES(cases), argc, argv);
}
