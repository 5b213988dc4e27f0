// SPDX-License-Identifier: BSD-3-Clause
// Trunks: whose request it is, OPTIONS with a fake clock, which trunks are tried.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "control/trunk/generation.h"
#include "runner.h"

static struct tl_config config;
static struct trunk_table table;
static enum trunk_change of_target;

static struct tl_addr addr(const char *ip, uint16_t port)
{
    struct tl_addr a = {.family = TL_AF_INET, .port = port};

    CU_ASSERT_FATAL(inet_pton(AF_INET, ip, a.ip) == 1);
    return a;
}

static void trunk(uint32_t listener, const char *ip, uint16_t port)
{
    struct tl_trunk_config *t = &config.trunks[config.trunk_count++];

    *t = (struct tl_trunk_config){
        .listener = listener, .peer = addr(ip, port), .options_interval_s = 30, .options_failures = 2};
    snprintf(t->name, sizeof t->name, "t%u", config.trunk_count - 1);
}

static void begin(void)
{
    memset(&config, 0, sizeof config);
    config.listener_count = 3;
    config.listeners[0].transport = TL_UDP;
    config.listeners[1].transport = TL_TCP;
    config.listeners[2].transport = TL_UDP;
}

// ---- identity

static void requests_find_their_trunk(void)
{
    static const struct {
        uint32_t listener;
        const char *ip;
        uint16_t port;
        uint16_t sent_by;
        int trunk; // -1: nobody we know
    } rows[] = {
        // one trunk for the address: no port matters
        {0, "10.0.0.1", 5060, 0, 0},
        {0, "10.0.0.1", 40000, 0, 0},
        {0, "10.0.0.1", 40000, 7777, 0},
        {1, "10.0.0.1", 40000, 0, 1},
        {1, "10.0.0.1", 5060, 5060, 1},
        // another listener, another address
        {2, "10.0.0.1", 5060, 0, -1},
        {0, "10.0.0.2", 5060, 0, -1},
        {0, "10.0.1.1", 5060, 5060, -1},
        {0, "0.0.0.0", 5060, 0, -1},
        {0, "255.255.255.255", 5060, 0, -1},
        {3, "10.0.0.1", 5060, 0, -1},
        {UINT32_MAX, "10.0.0.1", 5060, 0, -1},
        // several trunks to one address, over UDP: the source port, then the Via's
        {0, "10.0.0.7", 5060, 0, 2},
        {0, "10.0.0.7", 5070, 0, 3},
        {0, "10.0.0.7", 5070, 5060, 3},
        {0, "10.0.0.7", 40000, 5070, 3},
        {0, "10.0.0.7", 40000, 5080, -1},
        {0, "10.0.0.7", 40000, 0, 2}, // a Via without port means 5060
        // over TCP: never the source port
        {1, "10.0.0.8", 5071, 0, -1},
        {1, "10.0.0.8", 5071, 5072, 5},
        {1, "10.0.0.8", 33333, 5071, 4},
        {1, "10.0.0.8", 33333, 5073, -1},
    };

    begin();
    trunk(0, "10.0.0.1", 5060);
    trunk(1, "10.0.0.1", 5060);
    trunk(0, "10.0.0.7", 5060);
    trunk(0, "10.0.0.7", 5070);
    trunk(1, "10.0.0.8", 5071);
    trunk(1, "10.0.0.8", 5072);
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_addr source = addr(rows[i].ip, rows[i].port);
        struct trunk *t = trunk_identify(&table, rows[i].listener, &source, rows[i].sent_by, NULL, NULL);
        int found = t ? (int)t->index : -1;
        if (found != rows[i].trunk)
            printf("   row %zu: trunk %d instead of %d\n", i, found, rows[i].trunk);
        CU_ASSERT(found == rows[i].trunk);
    }
    CU_ASSERT(trunk_identify(&table, 0, &(struct tl_addr){0}, 5060, NULL, NULL) == NULL);
    trunk_table_fini(&table);
    trunk_table_fini(&table);
}

static void peer(const char *ip, unsigned len, uint16_t port, uint32_t listener, bool send)
{
    struct tl_trunk_config *t = &config.trunks[config.trunk_count - 1];

    t->peers[t->peer_count++] = (struct tl_peer_config){
        .address = addr(ip, port), .prefix_len = (uint8_t)len, .listener = listener, .send = send};
}

// Several addresses, networks and transports of one trunk.
static void requests_find_the_trunk_of_several_peers(void)
{
    static const struct {
        uint32_t listener;
        const char *ip;
        uint16_t port, sent_by;
        int trunk;
    } rows[] = {
        {0, "10.0.0.1", 5060, 0, 0},  {0, "10.0.0.2", 40000, 0, 0}, {1, "10.0.0.3", 40000, 0, 0}, // over TCP
        {0, "10.0.0.3", 5060, 0, 0},                             // ... whose host may come over UDP as well
        {1, "10.0.0.1", 40000, 0, 0}, {0, "10.1.77.1", 1, 0, 0}, // of a network
        {0, "10.1.2.1", 1, 0, 1},                                // of a smaller one
        {0, "10.1.2.9", 1, 0, 2},                                // of a host in it
        {1, "10.1.2.9", 1, 0, 2}, // a host that changed counts before others' networks that did
        {0, "10.2.0.1", 1, 0, -1},    {2, "10.0.0.1", 5060, 0, -1}, // another address of ours
        {0, "10.0.0.9", 5060, 0, -1}, // two trunks at one host: the port decides
        {0, "10.0.0.8", 5070, 0, 2},  {0, "10.0.0.8", 5060, 0, 1},
    };

    begin();
    for (unsigned l = 0; l < 3; l++)
        config.listeners[l].address = addr(l < 2 ? "10.9.9.1" : "10.9.9.2", 5060);
    trunk(0, "0.0.0.0", 0);
    peer("10.0.0.1", 32, 5060, 0, true);
    peer("10.0.0.2", 32, 5060, 0, true);
    peer("10.0.0.3", 32, 5060, 1, true);
    peer("10.1.0.0", 16, 0, 0, false);
    trunk(0, "0.0.0.0", 0);
    peer("10.1.2.0", 24, 0, 0, false);
    peer("10.0.0.8", 32, 5060, 0, true);
    trunk(0, "0.0.0.0", 0);
    peer("10.1.2.9", 32, 5060, 0, true);
    peer("10.0.0.8", 32, 5070, 0, true);
    for (unsigned i = 0; i < 3; i++)
        config.trunks[i].other_transports = true;
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_addr source = addr(rows[i].ip, rows[i].port);
        struct trunk *t = trunk_identify(&table, rows[i].listener, &source, rows[i].sent_by, NULL, NULL);
        int found = t ? (int)t->index : -1;
        if (found != rows[i].trunk)
            printf("   row %zu: trunk %d instead of %d\n", i, found, rows[i].trunk);
        CU_ASSERT(found == rows[i].trunk);
        CU_ASSERT(trunk_is_peer(&table, &source) == (found >= 0 || rows[i].listener == 2));
    }
    trunk_table_fini(&table);
}

static bool only(void *arg, uint32_t number)
{
    return *(const uint32_t *)arg == number || *(const uint32_t *)arg == UINT32_MAX;
}

// What the transport has shown counts before ports; an address alone is not enough then.
static void certificates_choose(void)
{
    struct tl_addr source = addr("10.0.0.8", 33333), other = addr("10.0.0.9", 33333);
    uint32_t numbers[4], all = UINT32_MAX, nobody = 99;

    begin();
    trunk(1, "10.0.0.8", 5071);
    trunk(1, "10.0.0.8", 5072);
    trunk(1, "10.0.0.9", 5071);
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    CU_ASSERT(trunk_candidates(&table, 1, &source, numbers, 4) == 2 && numbers[0] + numbers[1] == 3);
    CU_ASSERT(trunk_candidates(&table, 1, &source, numbers, 1) == 1);
    CU_ASSERT(trunk_candidates(&table, 1, &other, numbers, 4) == 1 && numbers[0] == 3);
    CU_ASSERT(trunk_candidates(&table, 0, &source, numbers, 4) == 0);
    for (uint32_t number = 1; number <= 2; number++) {
        struct trunk *t = trunk_identify(&table, 1, &source, 5071, only, &number);
        CU_ASSERT(t && t->number == number && t->index == number - 1);
    }
    CU_ASSERT(trunk_identify(&table, 1, &source, 5071, only, &nobody) == NULL);
    CU_ASSERT(trunk_identify(&table, 1, &other, 5071, only, &nobody) == NULL);
    struct trunk *t = trunk_identify(&table, 1, &source, 5072, only, &all);
    CU_ASSERT(t && t->number == 2);
    trunk_table_fini(&table);
}

// A full table against a search through all of it.
static void large_tables_find_the_same(void)
{
    unsigned found = 0;
    char ip[16];

    begin();
    for (unsigned i = 0; i < TL_TRUNKS_MAX; i++) {
        snprintf(ip, sizeof ip, "10.%u.%u.%u", i * 7919 % 5 + 1, i * 31 % 11, i % 97);
        trunk(i % 3, ip, (uint16_t)(5060 + i % 13));
    }
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    for (unsigned i = 0; i < TL_TRUNKS_MAX; i++)
        for (uint32_t listener = 0; listener < 3; listener++) {
            struct tl_addr source = config.trunks[i].peer;
            struct trunk *t = trunk_identify(&table, listener, &source, source.port, NULL, NULL);
            bool known = false;
            for (unsigned k = 0; k < TL_TRUNKS_MAX; k++)
                known = known || (config.trunks[k].listener == listener &&
                                  memcmp(&config.trunks[k].peer, &source, sizeof source) == 0);
            if (known) {
                CU_ASSERT_FATAL(t != NULL);
                CU_ASSERT(t->config->listener == listener &&
                          memcmp(&t->config->peer, &source, sizeof source) == 0);
                found++;
            } else if (t) { // the only one of its address
                CU_ASSERT(t->config->listener == listener && memcmp(t->config->peer.ip, source.ip, 4) == 0);
            }
        }
    CU_ASSERT(found >= TL_TRUNKS_MAX);
    trunk_table_fini(&table);
}

// ---- keep-alive

enum what { SEND, RESULT, CALL };

static void options_follow_the_clock(void)
{
    // interval 30 s, down after 2 failures
    static const struct {
        uint64_t at;
        enum what what;
        unsigned status;
        enum trunk_change change;
        bool down;
        uint64_t due;
    } rows[] = {
        {1000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {1020, RESULT, 200, TRUNK_SAME, false, 31000},
        {31000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {63000, RESULT, 0, TRUNK_SAME, false, 64000}, // longer than the interval: a pause, not a burst
        {64000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {64100, RESULT, 404, TRUNK_SAME, false, 94000}, // any answer shows life and ends the row of failures
        {94000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {94001, RESULT, 503, TRUNK_SAME, false, 124000},
        {124000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {124001, RESULT, 408, TRUNK_WENT_DOWN, true, 154000},
        {154000, SEND, 0, TRUNK_SAME, true, TRUNK_NEVER},
        {154001, RESULT, 0, TRUNK_SAME, true, 184000},
        {184000, SEND, 0, TRUNK_SAME, true, TRUNK_NEVER},
        {184001, RESULT, 405, TRUNK_WENT_UP, false, 214000},
        {214000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {214001, RESULT, 0, TRUNK_SAME, false, 244000},
        {214500, CALL, 486, TRUNK_SAME, false, 244000}, // the row of failures ends here, too
        {244000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {244001, RESULT, 0, TRUNK_SAME, false, 274000},
        {274000, SEND, 0, TRUNK_SAME, false, TRUNK_NEVER},
        {274001, RESULT, 0, TRUNK_WENT_DOWN, true, 304000},
        {274500, CALL, 0, TRUNK_SAME, true, 304000},
        {274600, CALL, 503, TRUNK_SAME, true, 304000},
        {274700, CALL, 200, TRUNK_WENT_UP, false, 304000},
    };

    begin();
    trunk(0, "10.0.0.1", 5060);
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 1000) == 0);
    struct trunk *t = table.now->trunks[0];
    CU_ASSERT(trunk_table_due(&table) == 1000 && trunk_due(&table, 999) == NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum trunk_change change = TRUNK_SAME;
        bool last;
        if (rows[i].what == SEND) {
            CU_ASSERT(trunk_due(&table, rows[i].at - 1) == NULL);
            CU_ASSERT(trunk_due(&table, rows[i].at) == t);
            trunk_options_sent(t, &t->targets[0], rows[i].at);
            CU_ASSERT(trunk_due(&table, rows[i].at + 1000000) == NULL); // one at a time
        } else if (rows[i].what == RESULT) {
            change = trunk_options_result(t, &t->targets[0], rows[i].status, rows[i].at, &of_target);
        } else {
            trunk_attempt(t, &t->targets[0]);
            change =
                trunk_attempt_result(t, &t->targets[0], t->config, rows[i].status, false, rows[i].at, &last);
        }
        if (change != rows[i].change || t->down != rows[i].down || trunk_table_due(&table) != rows[i].due)
            printf("   row %zu: change %d, down %d, due %llu\n", i, change, t->down,
                   (unsigned long long)trunk_table_due(&table));
        CU_ASSERT(change == rows[i].change && t->down == rows[i].down &&
                  trunk_table_due(&table) == rows[i].due);
        if (change != TRUNK_SAME)
            CU_ASSERT(t->changed_ms == rows[i].at);
    }
    CU_ASSERT(t->counters.options_sent == 10 && t->counters.options_failed == 7);
    CU_ASSERT(t->counters.attempts == 4 && t->counters.answered == 1 && t->counters.failed == 3);
    CU_ASSERT(t->counters.busy_503 == 1 && t->counters.no_response == 1);
    trunk_table_fini(&table);
}

static void without_keep_alive_a_trunk_is_up(void)
{
    begin();
    trunk(0, "10.0.0.1", 5060);
    config.trunks[0].options_interval_s = 0;
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 5) == 0);
    CU_ASSERT(trunk_table_due(&table) == TRUNK_NEVER && trunk_due(&table, UINT64_MAX - 1) == NULL);
    CU_ASSERT(!table.now->trunks[0]->down);
    trunk_table_fini(&table);
}

static void first_options_are_spread(void)
{
    unsigned sent = 0;

    begin();
    for (unsigned i = 0; i < 100; i++)
        trunk(0, "10.0.0.1", (uint16_t)(5060 + i));
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    for (uint64_t now = 0; now < 990; now += 10) {
        unsigned at_once = 0;
        for (struct trunk *t; (t = trunk_due(&table, now)); at_once++)
            trunk_options_sent(t, &t->targets[0], now);
        CU_ASSERT(at_once == 1);
        sent += at_once;
    }
    CU_ASSERT(sent == 99);
    CU_ASSERT(trunk_table_due(&table) == 990);
    trunk_table_fini(&table);
}

// ---- which to try

// A route over all trunks for calls of the trunk 3, which is ours: "2 0!" are the trunks tried, with '!' those that are only
// tried where the others have failed.
static bool dry;

static const char *planned(const struct tl_route_config *route, uint32_t from, bool anyhow, uint64_t now)
{
    static char text[64];
    struct trunk_choice choice[TL_ROUTE_TRUNKS_MAX];
    uint64_t rest;
    size_t used = 0;
    unsigned n = trunk_plan(table.now, route,
                            &(struct trunk_ask){.from = from, .anyhow = anyhow, .dry = dry, .now_ms = now},
                            choice, &rest);

    for (unsigned i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u%s", i ? " " : "", choice[i].trunk,
                                 choice[i].last ? "!" : "");
    if (n == 0)
        snprintf(text, sizeof text, "rest %llu", (unsigned long long)rest);
    return text;
}

static void trunks_are_tried_by_rank(void)
{
    static const struct {
        unsigned down, failing, resting; // bit per trunk
        const char *plan, *anyhow;
    } rows[] = {
        {0, 0, 0, "2 0 1", NULL},       {4, 0, 0, "0 1 2!", NULL},
        {5, 0, 0, "1 2! 0!", NULL},     {7, 0, 0, "2! 0! 1!", NULL}, // all are down: tried anyway
        {0, 4, 0, "0 1 2!", NULL},      {2, 4, 0, "0 2! 1!", NULL},  // who answers OPTIONS comes first
        {4, 4, 0, "0 1 2!", NULL},      {0, 0, 4, "0 1", "0 1 2!"},
        {1, 2, 4, "1! 0!", "1! 0! 2!"}, {0, 0, 7, "rest 5000", "2! 0! 1!"},
    };
    const struct tl_route_config route = {.trunks = {2, 0, 1}, .trunk_count = 3};

    begin();
    for (unsigned i = 0; i < 4; i++)
        trunk(0, "10.0.0.1", (uint16_t)(5060 + i));
    config.trunks[3].side = TL_SIDE_CORE;
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned k = 0; k < 3; k++) {
            struct trunk *t = table.now->trunks[k];
            t->down = rows[i].down >> k & 1;
            t->last_until_ms = rows[i].failing >> k & 1 ? 2000 : 1000;
            t->rest_until_ms = rows[i].resting >> k & 1 ? 6000 + 10 * k : 1000;
        }
        CU_ASSERT_STRING_EQUAL(planned(&route, 3, false, 1000), rows[i].plan);
        CU_ASSERT_STRING_EQUAL(planned(&route, 3, true, 1000),
                               rows[i].anyhow ? rows[i].anyhow : rows[i].plan);
    }
    trunk_table_fini(&table);
}

static void groups_take_turns(void)
{
    static const struct {
        enum tl_order order;
        uint32_t weights[3];
        unsigned down;      // bit per trunk
        const char *firsts; // of calls in a row
    } rows[] = {
        {TL_ORDER_LISTED, {0}, 0, "000000"},         {TL_ORDER_TURNS, {0}, 0, "012012"},
        {TL_ORDER_TURNS, {0}, 2, "020202"}, // who is down has no turn
        {TL_ORDER_WEIGHTS, {5, 1, 1}, 0, "0010200"}, {TL_ORDER_WEIGHTS, {1, 1, 2}, 4, "010101"},
        {TL_ORDER_TURNS, {0}, 7, "000000"}, // all are down: in order
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        for (unsigned k = 0; k < 4; k++)
            trunk(0, "10.0.0.1", (uint16_t)(5060 + k));
        config.trunks[3].side = TL_SIDE_CORE;
        config.group_count = 1;
        config.groups[0] = (struct tl_group_config){.trunk_count = 3, .order = rows[i].order};
        memcpy(config.groups[0].weights, rows[i].weights, sizeof rows[i].weights);
        config.groups[0].weight_count = rows[i].order == TL_ORDER_WEIGHTS ? 3 : 0;
        const struct tl_route_config route = {.trunks = {0, 1, 2}, .trunk_count = 3, .group = 0};
        CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
        for (unsigned k = 0; k < 3; k++)
            table.now->trunks[k]->down = rows[i].down >> k & 1;
        for (const char *first = rows[i].firsts; *first; first++) {
            dry = true; // who only asks takes no turn
            CU_ASSERT_EQUAL(planned(&route, 3, false, 0)[0], *first);
            dry = false;
            const char *plan = planned(&route, 3, false, 0);
            CU_ASSERT_EQUAL(plan[0], *first);
            CU_ASSERT(strchr(plan, '0') && strchr(plan, '1') && strchr(plan, '2')); // the others follow
        }
        trunk_table_fini(&table);
        config.group_count = 0;
    }
}

// What is closed to a call is not tried, even where all that is open is down or rests.
static void plan_leaves_out_what_is_closed(void)
{
    const struct tl_route_config route = {.trunks = {0, 1, 2}, .trunk_count = 3};

    begin();
    for (unsigned i = 0; i < 3; i++)
        trunk(0, "10.0.0.1", (uint16_t)(5060 + i));
    config.trunks[1].side = TL_SIDE_CORE;
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    CU_ASSERT_STRING_EQUAL(planned(&route, 0, false, 0), "1");
    CU_ASSERT_STRING_EQUAL(planned(&route, 1, false, 0), "0 2");
    table.now->trunks[1]->down = true;
    CU_ASSERT_STRING_EQUAL(planned(&route, 0, true, 0), "1!");
    trunk_rest(table.now->trunks[1], &table.now->trunks[1]->targets[0], 7, 0);
    trunk_rest(table.now->trunks[0], &table.now->trunks[0]->targets[0], 1, 0);
    CU_ASSERT_STRING_EQUAL(planned(&route, 0, false, 0), "rest 7000");
    trunk_table_fini(&table);
}

// Calls that fail put a trunk behind the others though it answers OPTIONS; mediation.md row 74.
static void failed_calls_make_a_trunk_the_last(void)
{
    static const struct {
        unsigned status;
        bool now_last;
        unsigned failed;
        uint64_t last_until;
    } rows[] = {
        {503, false, 1, 0}, {0, false, 2, 0},      {487, false, 2, 0}, // we gave up: nobody's fault
        {486, false, 0, 0},                                            // a refusal that is the callee's
        {503, false, 1, 0}, {408, false, 2, 0},    {200, false, 0, 0},     {503, false, 1, 0},
        {503, false, 2, 0}, {503, true, 3, 61000}, {503, false, 4, 61000}, // it is already
        {404, false, 0, 0}, {500, false, 0, 0},                            // not in the set
    };
    struct tl_trunk_config c = {.last_after_failures = 3, .last_for_s = 60};
    struct trunk t = {.config = &c};
    bool last;

    for (unsigned s = 0; s < 3; s++)
        tl_failover_add(&c.failover, (const unsigned[]){408, 503, 504}[s]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trunk_attempt_result(&t, NULL, &c, rows[i].status, false, 1000, &last);
        CU_ASSERT_EQUAL(last, rows[i].now_last);
        CU_ASSERT_EQUAL(t.failed_calls, rows[i].failed);
        CU_ASSERT_EQUAL(t.last_until_ms, rows[i].last_until);
    }
    for (int i = 0; i < 3; i++)
        trunk_attempt_result(&t, NULL, &c, 503, false, 1000, &last);
    CU_ASSERT(last && trunk_rank(&t, 60999) == TRUNK_FAILING && trunk_rank(&t, 61000) == TRUNK_GOOD);
    t.target_count = 1;
    trunk_options_result(&t, &t.targets[0], 200, 2000, &of_target);
    t.target_count = 0;
    CU_ASSERT_EQUAL(trunk_rank(&t, 2000), TRUNK_FAILING);
    trunk_attempt_result(&t, NULL, &c, 503, false, 70000, &last); // one more when its time is over: once more
    CU_ASSERT(last && t.last_until_ms == 130000);
    c.last_after_failures = 0;
    t = (struct trunk){.config = &c};
    for (int i = 0; i < 1000; i++)
        trunk_attempt_result(&t, NULL, &c, 0, false, 1000, &last);
    CU_ASSERT(!last && trunk_rank(&t, 1000) == TRUNK_GOOD);
}

static void retry_after_rests_at_most_five_minutes(void)
{
    struct trunk t = {0};

    trunk_rest(&t, NULL, 10, 1000);
    CU_ASSERT(trunk_rank(&t, 10999) == TRUNK_RESTING && trunk_rank(&t, 11000) == TRUNK_GOOD);
    trunk_rest(&t, NULL, 3, 1000); // a shorter one ends no longer one
    CU_ASSERT_EQUAL(t.rest_until_ms, 11000);
    trunk_rest(&t, NULL, UINT32_MAX, 1000);
    CU_ASSERT_EQUAL(t.rest_until_ms, 301000);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"requests_find_their_trunk", requests_find_their_trunk},
        {"requests_find_the_trunk_of_several_peers", requests_find_the_trunk_of_several_peers},
        {"certificates_choose", certificates_choose},
        {"large_tables_find_the_same", large_tables_find_the_same},
        {"options_follow_the_clock", options_follow_the_clock},
        {"without_keep_alive_a_trunk_is_up", without_keep_alive_a_trunk_is_up},
        {"first_options_are_spread", first_options_are_spread},
        {"trunks_are_tried_by_rank", trunks_are_tried_by_rank},
        {"groups_take_turns", groups_take_turns},
        {"failed_calls_make_a_trunk_the_last", failed_calls_make_a_trunk_the_last},
        {"retry_after_rests_at_most_five_minutes", retry_after_rests_at_most_five_minutes},
        {"plan_leaves_out_what_is_closed", plan_leaves_out_what_is_closed},
    };
    return test_main("trunk", TEST_CASES(cases), argc, argv);
}
