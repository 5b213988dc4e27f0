// SPDX-License-Identifier: BSD-3-Clause
// What the operator is told of the agent's calls and does to them: the answers of the socket, over real calls.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../agent/agent_fixture.h"
#include "control/admin/calls.h"

static const char *leg_text(json_t *call, const char *leg, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(call, leg), key));
    return text ? text : "";
}

static json_int_t media_number(json_t *call, const char *leg, const char *key)
{
    json_t *media = json_object_get(json_object_get(call, leg), "media");
    return json_integer_value(json_object_get(media, key));
}

// What trunklinectl call answers to "why has this call no audio?": both legs, from the live table.
static void test_operator_sees_media(void)
{
    struct world w;
    char *ok, *invite;
    struct agent_call_info info;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    CU_ASSERT_TRUE_FATAL(agent_find_call(w.agent, 1, &info));
    CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, info.call_ref, 0, 0, 50, 8600), 0);
    struct tl_live_table *live = fake_dataplane_live(w.fake);
    struct tl_live_session *s = &live->sessions[info.handle.slot];
    atomic_store(&s->drops[1][tl_drop_leg(TL_DROP_wrong_source)], 9);

    json_t *call = agent_provider.call(w.agent, "1");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "trunk"), "one");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "remote"), "192.0.2.2:5000");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "remote_rtcp"), "192.0.2.2:5001");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "direction"), "sendrecv");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "srtp"), "off");
    CU_ASSERT_EQUAL(media_number(call, "a", "rx_packets"), 50);
    CU_ASSERT_EQUAL(media_number(call, "a", "rx_octets"), 8600);
    CU_ASSERT_EQUAL(media_number(call, "b", "tx_packets"), 50);
    CU_ASSERT_EQUAL(media_number(call, "b", "dropped"), 9);
    json_t *media = json_object_get(json_object_get(call, "b"), "media");
    CU_ASSERT_TRUE(json_is_null(json_object_get(media, "heard_s_ago")));
    json_t *drops = json_object_get(media, "drops"), *drop = json_array_get(drops, 0);
    CU_ASSERT_EQUAL(json_array_size(drops), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "reason")), "wrong_source");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(drop, "count")), 9);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "text")),
                           tl_drop_text(TL_DROP_wrong_source));
    json_t *limits = json_object_get(json_object_get(call, "b"), "limits");
    const struct fake_session *session = fake_dataplane_at(w.fake, 0); // what it was told is what is shown
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "packets_per_s")), session->leg[1].max_pps);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "octets_per_s")), session->leg[1].max_bps);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "burst_ms")), 1000);
    CU_ASSERT_TRUE(json_is_null(json_object_get(json_object_get(call, "b"), "mki")));
    json_t *types = json_object_get(json_object_get(call, "b"), "payload_types");
    json_t *pcma = json_object_get(types, "PCMA");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(pcma, "in")), 8);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(pcma, "out")), 8);
    json_decref(call);

    // it was heard just now
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    atomic_store(&s->rx[1].last_ns, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
    call = agent_provider.call(w.agent, "1");
    media = json_object_get(json_object_get(call, "b"), "media");
    CU_ASSERT_TRUE(json_is_real(json_object_get(media, "heard_s_ago")));
    json_decref(call);
    json_t *page = agent_provider.calls(w.agent, 0, 10);
    call = json_array_get(json_object_get(page, "calls"), 0);
    CU_ASSERT_TRUE(json_is_real(json_object_get(call, "heard_b_s_ago")));
    json_decref(page);

    // without the dataplane there are no counters, but there is the call
    fake_dataplane_die(w.fake);
    for (int i = 0; i < 500 && media_up(agent_media(w.agent)); i++)
        world_turn(&w, 2);
    call = agent_provider.call(w.agent, "1");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(call, "dataplane")), "away");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "b", "remote"), "192.0.2.2:5000");
    json_decref(call);
    CU_ASSERT_PTR_NULL(agent_provider.call(w.agent, "2"));
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    for (int i = 0; i < 1500 && !media_up(agent_media(w.agent)); i++)
        world_turn(&w, 2);
    world_turn(&w, 20);
    CU_ASSERT_EQUAL(agent_hang_up(w.agent, 1), 0);
    const char *bye = party_expect(&w, &w.b, "BYE");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    CU_ASSERT_TRUE(world_quiet(&w));
    world_close(&w);
}

static void test_operator(void)
{
    struct world w;
    char *ok, *invite;
    struct agent_call_info info;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    CU_ASSERT_TRUE_FATAL(agent_find_call(w.agent, 1, &info));
    CU_ASSERT_STRING_EQUAL(info.state, "up");
    CU_ASSERT_STRING_EQUAL(info.calling, "100");
    CU_ASSERT_STRING_EQUAL(info.called, "1100");
    CU_ASSERT_STRING_EQUAL(info.codec, "PCMA+telephone-event");
    CU_ASSERT_STRING_EQUAL(info.trunk[1]->name, "one");
    CU_ASSERT_STRING_EQUAL(info.sip_call_id[0], "call");
    CU_ASSERT_EQUAL(info.remote[1].port, 5000);
    CU_ASSERT_FALSE(agent_find_call(w.agent, 2, &info));
    CU_ASSERT_TRUE(agent_hang_up(w.agent, 2) < 0);
    CU_ASSERT_EQUAL(agent_hang_up(w.agent, 1), 0);
    const char *bye = party_expect(&w, &w.b, "BYE");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    world_close(&w);
}

// Bytes that are no UTF-8, and terminal escapes, do not hide a call from the operator.
static void test_operator_sees_any_bytes(void)
{
    struct world w;
    world_open(&w, NULL);
    party_send(&w, &w.a,
               "INVITE sip:1100@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKutf\n"
               "From: \"\xc3(\x9b\" <sip:%%ff%%c2%%9b31m@127.0.0.1>;tag=u\nTo: <sip:11@127.0.0.1>\n"
               "Call-ID: \xfe\x9b\nCSeq: 1 INVITE\nContact: <sip:a@127.0.0.1:%u>\n"
               "Content-Type: application/sdp\n\n%s",
               w.a.port, w.a.port, body_a);
    const char *invite = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(invite);
    json_t *calls = agent_provider.calls(w.agent, 0, 10), *list = json_object_get(calls, "calls");
    CU_ASSERT_EQUAL(json_array_size(list), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 0), "from")),
                           "\\xff\\xc2\\x9b31m");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 0), "to")), "1100");
    json_decref(calls);
    json_t *call = agent_provider.call(w.agent, "1");
    CU_ASSERT_STRING_EQUAL(leg_text(call, "a", "call_id"), "\\xfe\\x9b");
    json_decref(call);
    party_answer(&w, &w.b, invite, "486 Busy Here", "x", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 486"));
    world_close(&w);
}

// ---- the operator ends calls ----

static bool by_trunk(void *arg, const struct agent_call_info *info)
{
    const char *name = arg;
    return strcmp(info->trunk[1]->name, name) == 0;
}

static bool any(void *arg, const struct agent_call_info *info)
{
    (void)info;
    ++*(unsigned *)arg;
    return true;
}

// What a callee is told before it has answered, and what its caller is.
static void ends_before_the_answer(struct world *w, struct party *p, const char *cancel)
{
    CU_ASSERT_PTR_NOT_NULL(party_expect(w, p, "CANCEL"));
    party_answer(w, p, cancel, "487 Request Terminated", "t", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(w, p, "ACK"));
    CU_ASSERT_PTR_NOT_NULL(party_expect(w, &w->a, "SIP/2.0 "));
}

static char *rings(struct world *w, struct party *p, const char *call_id, const char *number, const char *tag)
{
    a_invites(w, call_id, number, "", body_a);
    const char *invite = party_expect(w, p, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(invite);
    char *kept = strdup(invite);
    party_answer(w, p, kept, "180 Ringing", tag, NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(w, &w->a, "SIP/2.0 180"));
    return kept;
}

// Calls end one after the other while they are gone through: those of a trunk, then in parts all the others. Who
// ends already is neither asked about nor counted.
static void test_operator_ends_calls(void)
{
    struct world w;
    char *ok, *invite, *ringing[3];
    uint64_t next = 7;
    unsigned asked = 0;
    world_open(&w, NULL);
    CU_ASSERT_EQUAL(agent_hang_up_where(w.agent, 0, 10, any, &asked, &next), 0);
    CU_ASSERT(next == 0 && asked == 0);
    bring_up(&w, &ok, &invite); // call 1
    ringing[0] = rings(&w, &w.b, "second", "1200", "t");
    ringing[1] = rings(&w, &w.s, "third", "3000", "t");
    ringing[2] = rings(&w, &w.b, "fourth", "1300", "t");
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(ringing[i]);
    struct agent_call_info info;
    CU_ASSERT_TRUE_FATAL(agent_find_call(w.agent, 3, &info));
    char name[TL_NAME_MAX];
    snprintf(name, sizeof name, "%s", info.trunk[1]->name);

    CU_ASSERT_EQUAL(agent_hang_up_where(w.agent, 0, 10, by_trunk, name, &next), 1);
    CU_ASSERT_EQUAL(next, 0);
    ends_before_the_answer(&w, &w.s, ringing[1]);
    CU_ASSERT_EQUAL(agent_hang_up_where(w.agent, 0, 2, any, &asked, &next), 2);
    CU_ASSERT_EQUAL(next, 2); // 4 and 2 were asked about
    CU_ASSERT_EQUAL(asked, 2);
    CU_ASSERT_EQUAL(agent_hang_up_where(w.agent, next, 2, any, &asked, &next), 1);
    CU_ASSERT(next == 0 && asked == 3);
    CU_ASSERT_EQUAL(agent_hang_up_where(w.agent, 0, 10, any, &asked, &next), 0);
    CU_ASSERT_EQUAL(asked, 3);

    ends_before_the_answer(&w, &w.b, ringing[2]);
    ends_before_the_answer(&w, &w.b, ringing[0]);
    const char *bye = party_expect(&w, &w.b, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    for (unsigned i = 0; i < 3; i++)
        free(ringing[i]);
    free(ok);
    free(invite);
    CU_ASSERT_TRUE(world_quiet(&w));
    world_close(&w);
}

// The operator's socket asks for the same by names.
static void test_operator_ends_calls_by_name(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    const char *trunk = agent_config(w.agent)->trunks[1].name;
    CU_ASSERT_PTR_NULL(agent_provider.hang_up(w.agent, &(struct ctl_hangup){.trunk = "no such"}));
    CU_ASSERT_PTR_NULL(agent_provider.hang_up(w.agent, &(struct ctl_hangup){.call = "2"}));
    CU_ASSERT_PTR_NULL(agent_provider.hang_up(w.agent, &(struct ctl_hangup){.call = "1x"}));
    json_t *answer =
        agent_provider.hang_up(w.agent, &(struct ctl_hangup){.trunk = agent_config(w.agent)->trunks[3].name});
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(answer, "ended")), 0);
    json_decref(answer);
    answer = agent_provider.hang_up(w.agent, &(struct ctl_hangup){.trunk = trunk});
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(answer, "ended")), 1);
    CU_ASSERT_TRUE(json_is_null(json_object_get(answer, "next")));
    json_decref(answer);
    const char *bye = party_expect(&w, &w.b, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    CU_ASSERT_TRUE(world_quiet(&w));
    world_close(&w);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"the operator's view", test_operator},
        {"the operator's view of odd bytes", test_operator_sees_any_bytes},
        {"the operator ends calls", test_operator_ends_calls},
        {"the operator ends calls by name", test_operator_ends_calls_by_name},
        {"the operator's view of a call's media", test_operator_sees_media},
    };
    return test_main("operator", TEST_CASES(cases), argc, argv);
}
