// SPDX-License-Identifier: BSD-3-Clause
// Who is let in: peers, strangers, who was asked, who is banned; connections and the places kept for others.
#include <string.h>

#include "common/addr.h"
#include "control/base/log.h"
#include "control/sip/gate.h"
#include "runner.h"

static const struct tl_control_config config = {.t1_ms = 500,
                                                .peer_messages_per_s = 1000,
                                                .stranger_messages_per_s = 5,
                                                .strangers_messages_per_s = 50,
                                                .ban_strikes = 20,
                                                .ban_s = 60};
static const struct tl_listener_config answers = {.strangers = TL_STRANGERS_ANSWER},
                                       drops = {.strangers = TL_STRANGERS_DROP};
static struct sip_gate gate;

static struct tl_addr addr(uint8_t net, uint8_t host)
{
    return (struct tl_addr){.family = TL_AF_INET, .ip = {10, net, 0, host}, .port = 5060};
}

// 10.1.0.0/16 are peers.
static bool is_peer(void *arg, const struct tl_addr *source)
{
    CU_ASSERT_PTR_EQUAL(arg, &gate);
    return source->ip[1] == 1;
}

static void begin(void)
{
    CU_ASSERT_FATAL(sip_gate_init(&gate, &config, is_peer, &gate) == 0);
}

// Of `n` messages in a moment, how many are taken; the rest must be dropped as `why`.
static unsigned taken(const struct tl_listener_config *listener, struct tl_addr from, unsigned n,
                      uint64_t now, enum sip_gate_drop why)
{
    unsigned open = 0;
    for (unsigned i = 0; i < n; i++) {
        enum sip_gate_drop drop = sip_gate_message(&gate, listener, &from, now);
        open += drop == SIP_GATE_OPEN;
        if (drop != SIP_GATE_OPEN)
            CU_ASSERT_EQUAL(drop, why);
    }
    return open;
}

static void peers_have_a_bucket_each_and_no_ban(void)
{
    begin();
    CU_ASSERT_EQUAL(taken(&answers, addr(1, 1), 10000, 1000, SIP_GATE_peer_rate), 201);
    CU_ASSERT_EQUAL(taken(&answers, addr(1, 2), 200, 1000, SIP_GATE_peer_rate), 200);
    CU_ASSERT_EQUAL(taken(&drops, addr(1, 1), 10000, 1100, SIP_GATE_peer_rate), 100);
    CU_ASSERT_EQUAL(gate.drops[SIP_GATE_peer_rate], 10000 - 201 + 10000 - 100);
    CU_ASSERT_EQUAL(gate.bans, 0);
    sip_gate_fini(&gate);
}

static void strangers_get_little_and_then_nothing(void)
{
    begin();
    log_set_level(LOG_ERROR - 1);
    CU_ASSERT_EQUAL(taken(&answers, addr(2, 1), 24, 1000, SIP_GATE_stranger_rate), 5);
    CU_ASSERT_EQUAL(gate.bans, 0);
    CU_ASSERT_EQUAL(taken(&answers, addr(2, 1), 1, 1001, SIP_GATE_stranger_rate), 0); // the 20th too many
    CU_ASSERT_EQUAL(gate.bans, 1);
    CU_ASSERT_EQUAL(taken(&answers, addr(2, 1), 100, 1002, SIP_GATE_banned), 0);
    CU_ASSERT_EQUAL(taken(&answers, addr(2, 1), 1, 61000, SIP_GATE_banned), 0);
    CU_ASSERT_EQUAL(taken(&answers, addr(2, 1), 1, 61001, SIP_GATE_banned), 1);
    // all of them together have a bucket, too
    unsigned open = 0;
    for (unsigned host = 1; host < 200; host++)
        open += taken(&answers, addr(3, (uint8_t)host), 1, 70000, SIP_GATE_strangers_rate);
    CU_ASSERT_EQUAL(open, 50);
    // and a peer notices nothing of it
    CU_ASSERT_EQUAL(taken(&answers, addr(1, 1), 200, 70000, SIP_GATE_peer_rate), 200);
    sip_gate_fini(&gate);
}

static void a_listener_that_drops_keeps_nothing_of_strangers(void)
{
    struct tl_addr a = addr(2, 9);
    begin();
    CU_ASSERT_EQUAL(taken(&drops, a, 1000, 1000, SIP_GATE_stranger), 0);
    CU_ASSERT_PTR_NULL(sources_find(&gate.strangers, &a));
    CU_ASSERT_EQUAL(gate.bans, 0);
    // but for whom we have asked something, for a while
    sip_gate_asked(&gate, &a, 1000);
    CU_ASSERT_EQUAL(taken(&drops, a, 150, 64999, SIP_GATE_stranger), 150);
    CU_ASSERT_EQUAL(taken(&drops, a, 1, 65000, SIP_GATE_stranger), 0);
    sip_gate_fini(&gate);
}

// Forged addresses fill every place with bans; whom we ask something is heard nevertheless, and the log stays short.
static void count_line(void *arg, enum log_level level, const char *text)
{
    (void)level;
    *(unsigned *)arg += strstr(text, "banned") != NULL;
}

static void bans_of_forged_addresses(void)
{
    static const struct tl_control_config one_strike = {.t1_ms = 500,
                                                        .peer_messages_per_s = 1000,
                                                        .stranger_messages_per_s = 1,
                                                        .strangers_messages_per_s = 1000000,
                                                        .ban_strikes = 1,
                                                        .ban_s = 3600};
    unsigned lines = 0;
    log_set_sink(count_line, &lines);
    begin();
    gate.config = &one_strike;
    for (unsigned n = 0; n < 100000; n++) {
        struct tl_addr forged = {.family = TL_AF_INET,
                                 .ip = {11, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
        for (unsigned i = 0; i < 2; i++)
            sip_gate_message(&gate, &answers, &forged, 1000 + n / 100);
    }
    CU_ASSERT(gate.bans > 8000);
    CU_ASSERT(lines > 0 && lines <= 25);
    // friends find their places
    for (unsigned host = 0; host < 64; host++)
        sip_gate_asked(&gate, &(struct tl_addr){.family = TL_AF_INET, .ip = {12, 0, 0, (uint8_t)host}}, 3000);
    unsigned open = 0;
    for (unsigned host = 0; host < 64; host++)
        open += taken(&drops, (struct tl_addr){.family = TL_AF_INET, .ip = {12, 0, 0, (uint8_t)host}}, 1,
                      3100, SIP_GATE_stranger);
    CU_ASSERT(open > 60); // by chance a set may get a fifth one
    log_set_sink(NULL, NULL);
    sip_gate_fini(&gate);
}

static void an_operator_ends_a_ban(void)
{
    struct tl_addr a = addr(2, 1), b = addr(2, 2);
    begin();
    log_set_level(LOG_ERROR - 1);
    taken(&answers, a, 25, 1000, SIP_GATE_stranger_rate);
    CU_ASSERT_EQUAL(gate.bans, 1);
    CU_ASSERT_FALSE(sip_gate_unban(&gate, &b, 2000));
    CU_ASSERT_TRUE(sip_gate_unban(&gate, &a, 2000));
    CU_ASSERT_FALSE(sip_gate_unban(&gate, &a, 2000));
    CU_ASSERT_EQUAL(taken(&answers, a, 1, 2000, SIP_GATE_banned), 1);
    sip_gate_fini(&gate);
}

static void connections_leave_room_for_others(void)
{
    // of 64 places 48 can be accepted, 6 of strangers
    static const struct {
        const struct tl_listener_config *listener;
        uint8_t net;
        struct sip_gate_room room;
        enum sip_gate_drop drop;
    } rows[] = {
        {&answers, 1, {0, 0, 0, 64}, SIP_GATE_OPEN},
        {&drops, 1, {0, 47, 0, 64}, SIP_GATE_OPEN},
        {&drops, 1, {0, 48, 0, 64}, SIP_GATE_connection_full}, // the rest is for ours
        {&drops, 1, {23, 30, 0, 64}, SIP_GATE_OPEN},
        {&drops, 1, {24, 30, 0, 64}, SIP_GATE_connection_full}, // one peer has half
        {&drops, 2, {0, 0, 0, 64}, SIP_GATE_connection_stranger},
        {&answers, 2, {0, 0, 0, 640}, SIP_GATE_OPEN},
        {&answers, 2, {0, 300, 59, 640}, SIP_GATE_OPEN},
        {&answers, 2, {0, 300, 60, 640}, SIP_GATE_connection_full},
        {&answers, 2, {7, 300, 40, 640}, SIP_GATE_connection_full}, // one stranger has an eighth of theirs
        {&answers, 3, {0, 0, 0, 640}, SIP_GATE_banned},
    };
    struct tl_addr banned = addr(3, 1);
    begin();
    sources_get(&gate.strangers, &banned, 0)->banned_ms = 5000;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_addr from = addr(rows[i].net, 1);
        CU_ASSERT_EQUAL(sip_gate_connection(&gate, rows[i].listener, &from, &rows[i].room, 1000),
                        rows[i].drop);
    }
    CU_ASSERT_EQUAL(gate.drops[SIP_GATE_connection_full], 4);
    sip_gate_fini(&gate);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"peers_have_a_bucket_each_and_no_ban", peers_have_a_bucket_each_and_no_ban},
        {"strangers_get_little_and_then_nothing", strangers_get_little_and_then_nothing},
        {"a_listener_that_drops_keeps_nothing_of_strangers",
         a_listener_that_drops_keeps_nothing_of_strangers},
        {"bans_of_forged_addresses", bans_of_forged_addresses},
        {"an_operator_ends_a_ban", an_operator_ends_a_ban},
        {"connections_leave_room_for_others", connections_leave_room_for_others},
    };
    return test_main("sip_gate", TEST_CASES(cases), argc, argv);
}
