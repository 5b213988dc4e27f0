// SPDX-License-Identifier: BSD-3-Clause
// Targets of a trunk: which is tried, how each does, and what that makes of the trunk.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/record.h"
#include "control/trunk/generation.h"
#include "runner.h"

static struct tl_config config;
static struct trunk_table table;

static struct tl_addr addr(unsigned host, uint16_t port)
{
    return (struct tl_addr){.family = TL_AF_INET, .port = port, .ip = {10, 0, 0, (uint8_t)host}};
}

// "1 2:10 3:10/5": hosts with priority and weight (0/1).
static void peers_of(struct tl_trunk_config *t, const char *text)
{
    int used;
    unsigned host;

    t->peer_count = 0;
    for (; sscanf(text, "%u%n", &host, &used) == 1;) {
        struct tl_peer_config *p = &t->peers[t->peer_count++];
        *p =
            (struct tl_peer_config){.address = addr(host, 5060), .prefix_len = 32, .weight = 1, .send = true};
        text += used;
        if (sscanf(text, ":%u%n", &p->priority, &used) == 1)
            text += used;
        if (sscanf(text, "/%u%n", &p->weight, &used) == 1)
            text += used;
    }
}

static struct trunk *begin(const char *peers)
{
    memset(&config, 0, sizeof config);
    config.listener_count = 2;
    config.trunk_count = 1;
    config.trunks[0] = (struct tl_trunk_config){.name = "t",
                                                .options_interval_s = 30,
                                                .options_failures = 2,
                                                .last_after_failures = 3,
                                                .last_for_s = 60};
    tl_failover_add(&config.trunks[0].failover, 503);
    peers_of(&config.trunks[0], peers);
    CU_ASSERT_FATAL(trunk_table_init(&table, &config, 0) == 0);
    return table.now->trunks[0];
}

static unsigned host_of(const struct trunk_target *t)
{
    return t ? t->addr.ip[3] : 0;
}

// The order in which a request tries them.
static const char *order_of(struct trunk *t, uint64_t now)
{
    static char out[64];
    uint32_t tried[TRUNK_TRIED_MAX];
    size_t n = 0, used = 0;

    out[0] = '\0';
    for (struct trunk_target *x; n < TRUNK_TRIED_MAX && (x = trunk_pick(t, TRUNK_ANY_WAY, tried, n, now));) {
        tried[n++] = x->id;
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%u", used ? " " : "", host_of(x));
    }
    CU_ASSERT(trunk_pick_rank(t, TRUNK_ANY_WAY, tried, n, now) == TRUNK_RESTING);
    return out;
}

// RFC 5630 5.3: a sips: call goes to no target without TLS, whatever its priority.
static void what_is_needed_is_there(void)
{
    struct trunk *t = begin("1:1 2:2 3:3");
    const uint32_t tried[] = {t->targets[1].id};
    CU_ASSERT(trunk_meets(t, TRUNK_ANY_WAY) && !trunk_meets(t, TRUNK_SECURE_WAY));
    CU_ASSERT_PTR_NULL(trunk_pick(t, TRUNK_SECURE_WAY, NULL, 0, 0));
    config.listeners[1].transport = TL_TLS;
    config.trunks[0].peers[1].listener = 1;
    trunk_configure(t, &config, 0, NULL, 0);
    CU_ASSERT(trunk_meets(t, TRUNK_SECURE_WAY));
    CU_ASSERT(host_of(trunk_pick(t, TRUNK_SECURE_WAY, NULL, 0, 0)) == 2);
    CU_ASSERT(host_of(trunk_pick(t, TRUNK_ANY_WAY, NULL, 0, 0)) == 1);
    const uint32_t id[] = {trunk_pick(t, TRUNK_SECURE_WAY, NULL, 0, 0)->id};
    CU_ASSERT(trunk_pick_rank(t, TRUNK_SECURE_WAY, id, 1, 0) == TRUNK_RESTING);
    CU_ASSERT(trunk_pick_rank(t, TRUNK_ANY_WAY, tried, 1, 0) == TRUNK_GOOD);
    trunk_table_fini(&table);
}

static void health_comes_before_priority(void)
{
    static const struct {
        const char *peers;
        unsigned down, failing, resting; // bit per target
        const char *order;
    } rows[] = {
        {"1", 0, 0, 0, "1"},
        {"1:20 2:10 3", 0, 0, 0, "3 2 1"},
        {"1:20 2:10 3", 4, 0, 0, "2 1 3"}, // down: behind all that answer
        {"1:20 2:10 3", 4, 2, 0, "1 2 3"}, // failing calls: between
        {"1:20 2:10 3", 7, 0, 0, "3 2 1"}, // all are down: tried all the same
        {"1:20 2:10 3", 0, 0, 4, "2 1"},   // Retry-After: left alone
        {"1:20 2:10 3", 1, 2, 4, "2 1"},
        {"1:20 2:10 3", 0, 0, 7, "3"}, // all rest: who must be called all the same is, once
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trunk *t = begin(rows[i].peers);
        for (unsigned k = 0; k < t->target_count; k++) {
            t->targets[k].down = rows[i].down >> k & 1;
            t->targets[k].last_until_ms = rows[i].failing >> k & 1 ? 2000 : 0;
            t->targets[k].rest_until_ms = rows[i].resting >> k & 1 ? 2000 : 0;
        }
        CU_ASSERT_STRING_EQUAL(order_of(t, 1000), rows[i].order);
        trunk_table_fini(&table);
    }
}

// RFC 2782: each of one priority is first as often as its weight says.
static void weights_share_the_firsts(void)
{
    static const struct {
        const char *peers;
        unsigned firsts[4]; // of 1,000 requests, by host
    } rows[] = {
        {"1 2 3", {0, 334, 333, 333}},
        {"1:0/7 2:0/2 3:0/1", {0, 700, 200, 100}},
        {"1:1/7 2:0/2 3:0/2", {0, 0, 500, 500}},
        {"1:0/0 2:0/0", {0, 500, 500, 0}},
        {"1:0/0 2:0/10", {0, 2, 998, 0}}, // hardly ever, and not never
        {"1:0/65535 2:0/65535", {0, 500, 500, 0}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trunk *t = begin(rows[i].peers);
        unsigned firsts[4] = {0};
        for (unsigned n = 0; n < 1000; n++)
            firsts[host_of(trunk_pick(t, TRUNK_ANY_WAY, NULL, 0, 0))]++;
        for (unsigned h = 1; h < 4; h++) {
            if (firsts[h] != rows[i].firsts[h])
                printf("   row %zu: host %u %u times\n", i, h, firsts[h]);
            CU_ASSERT(firsts[h] + 1 >= rows[i].firsts[h] && firsts[h] <= rows[i].firsts[h] + 1);
        }
        trunk_table_fini(&table);
    }
}

// A trunk is down when all of its targets are, and rests when all of them do.
static void a_trunk_is_what_its_targets_are(void)
{
    struct trunk *t = begin("1 2");
    struct trunk_target *one = &t->targets[0], *two = &t->targets[1];
    enum trunk_change of_target;

    CU_ASSERT(trunk_target_due(t, 0) == one && !t->checked);
    trunk_options_sent(t, one, 0);
    CU_ASSERT(trunk_target_due(t, 0) == two && trunk_due(&table, 0) == t);
    trunk_options_sent(t, two, 0);
    CU_ASSERT(trunk_due(&table, 1000000) == NULL && trunk_table_due(&table) == TRUNK_NEVER);
    CU_ASSERT(trunk_options_result(t, one, 0, 100, &of_target) == TRUNK_SAME && of_target == TRUNK_SAME);
    CU_ASSERT(trunk_options_result(t, two, 200, 100, &of_target) == TRUNK_SAME && t->checked);
    CU_ASSERT(t->failures == 0 && one->failures == 1);
    trunk_options_sent(t, one, 30000);
    CU_ASSERT(trunk_options_result(t, one, 0, 30100, &of_target) == TRUNK_SAME);
    CU_ASSERT(of_target == TRUNK_WENT_DOWN && !t->down && trunk_rank(t, 30100) == TRUNK_GOOD);
    trunk_options_sent(t, two, 30200);
    trunk_options_result(t, two, 503, 30300, &of_target);
    trunk_options_sent(t, two, 60200);
    CU_ASSERT(trunk_options_result(t, two, 408, 60300, &of_target) == TRUNK_WENT_DOWN);
    CU_ASSERT(of_target == TRUNK_WENT_DOWN && t->down && t->changed_ms == 60300);
    trunk_attempt(t, two); // a call that is answered shows life as well
    bool last;
    CU_ASSERT(trunk_attempt_result(t, two, t->config, 200, false, 61000, &last) == TRUNK_WENT_UP);
    CU_ASSERT(!two->down && one->down && t->changed_ms == 61000);
    CU_ASSERT(two->counters.attempts == 1 && two->counters.answered == 1 &&
              one->counters.options_failed == 2);
    trunk_rest(t, two, 10, 70000);
    CU_ASSERT(trunk_rank(t, 70000) != TRUNK_RESTING); // the other one does not rest
    CU_ASSERT(trunk_rank(t, 70000) == TRUNK_DOWN);    // ... but is down
    trunk_rest(t, one, 5, 70000);
    CU_ASSERT(trunk_rank(t, 74999) == TRUNK_RESTING && trunk_rank(t, 75000) != TRUNK_RESTING);
    trunk_table_fini(&table);
}

// A target that fails calls comes behind; its trunk fails only where no other target took them.
static void a_failing_target_is_not_a_failing_trunk(void)
{
    struct trunk *t = begin("1:0 2:1");
    struct trunk_target *one = &t->targets[0], *two = &t->targets[1];
    bool last;

    for (unsigned n = 0; n < 3; n++) {
        trunk_attempt(t, one);
        trunk_attempt_result(t, one, t->config, 0, true, 1000, &last);
        CU_ASSERT(!last);
        trunk_attempt(t, two);
        trunk_attempt_result(t, two, t->config, 200, false, 1000, &last);
    }
    CU_ASSERT(target_rank(one, 1000) == TRUNK_FAILING && target_rank(two, 1000) == TRUNK_GOOD);
    CU_ASSERT(trunk_rank(t, 1000) == TRUNK_GOOD && t->counters.attempts == 6 && t->counters.failed == 3);
    CU_ASSERT_STRING_EQUAL(order_of(t, 1000), "2 1");
    CU_ASSERT_STRING_EQUAL(order_of(t, 61000), "1 2");
    for (unsigned n = 0; n < 3; n++)
        trunk_attempt_result(t, two, t->config, 503, false, 1000, &last);
    CU_ASSERT(last && trunk_rank(t, 1000) == TRUNK_FAILING);
    trunk_table_fini(&table);
}

// A reload keeps what is known of targets that stay, and asks new ones.
static void health_stays_with_the_address(void)
{
    struct trunk *t = begin("1 2");
    enum trunk_change of_target;
    uint32_t id = t->targets[1].id;

    for (unsigned n = 0; n < 2; n++) {
        trunk_options_sent(t, &t->targets[1], 0);
        trunk_options_result(t, &t->targets[1], 0, 100, &of_target);
    }
    t->targets[1].rest_until_ms = 90000;
    struct tl_config *next = calloc(1, sizeof *next);
    CU_ASSERT_FATAL(next != NULL);
    *next = config;
    peers_of(&next->trunks[0], "3:5 2:7");
    CU_ASSERT_FATAL(trunk_table_reload(&table, next, 10000) == 0);
    CU_ASSERT(t->target_count == 2 && !trunk_target(t, 1) && trunk_target(t, id) == &t->targets[1]);
    CU_ASSERT(host_of(&t->targets[0]) == 3 && !t->targets[0].down && t->targets[0].due_ms == 10000);
    CU_ASSERT(t->targets[1].down && t->targets[1].priority == 7 && t->targets[1].rest_until_ms == 90000);
    CU_ASSERT(!t->down);

    // and over a restart
    char text[1000];
    struct record_writer w;
    struct record r;
    record_writer_init(&w, text, sizeof text - 1);
    trunk_save(&w, t, 20000);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0);
    trunk_table_fini(&table);
    t = begin("4 2 3");
    CU_ASSERT_FATAL(record_open(&r, text, (size_t)len, "trunk") == 0);
    CU_ASSERT(trunk_load(&table, &r, 50000) == 0);
    CU_ASSERT(!t->targets[0].down && t->targets[1].down && !t->targets[2].down && !t->down);
    CU_ASSERT(t->targets[1].failures == 2 && t->targets[1].changed_ms == 50000 - 19900 &&
              t->targets[1].rest_until_ms == 120000);
    trunk_table_fini(&table);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"what_is_needed_is_there", what_is_needed_is_there},
        {"health_comes_before_priority", health_comes_before_priority},
        {"weights_share_the_firsts", weights_share_the_firsts},
        {"a_trunk_is_what_its_targets_are", a_trunk_is_what_its_targets_are},
        {"a_failing_target_is_not_a_failing_trunk", a_failing_target_is_not_a_failing_trunk},
        {"health_stays_with_the_address", health_stays_with_the_address},
    };
    return test_main("target", TEST_CASES(cases), argc, argv);
}
