// SPDX-License-Identifier: BSD-3-Clause
// The agent over real sockets with the fake dataplane. What SIPp's scenarios can't do is here: messages held
// back, sent late or twice, forged.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent_fixture.h"
#include "control/admin/calls.h"

static bool has(const char *text, const char *part)
{
    bool found = text && strstr(text, part);
    if (!found)
        printf("no \"%s\" in: %s\n", part, text ? text : "nothing");
    return found;
}

#define HAS(text, part) CU_ASSERT_TRUE(has(text, part))

static void hang_up(struct world *w, char *ok, char *invite, unsigned cseq)
{
    party_forget(&w->b);
    a_requests(w, ok, "BYE", cseq, "", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(w, &w->a, "SIP/2.0 200"));
    const char *bye = party_expect(w, &w->b, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(w, &w->b, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
}

static void test_words(void)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "words", "11%2300",
              "Max-Forwards: 10\nP-Asserted-Identity: <tel:+4930100>\nPrivacy: id\nX-Own: no\n", body_a);
    const char *i = party_expect(&w, &w.b, "INVITE sip:11%2300@127.0.0.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    HAS(i, "P-Asserted-Identity: <tel:+4930100>\r\n");
    HAS(i, "Privacy: id\r\n");
    CU_ASSERT_PTR_NULL(strstr(i, "X-Own"));
    CU_ASSERT_PTR_NULL(strstr(i, "words")); // a dialog of our own
    CU_ASSERT_STRING_EQUAL(header_of(i, "Max-Forwards"), "9");
    HAS(header_of(i, "From"), "\"Alice\" <sip:100@127.0.0.1>;tag=");
    HAS(i, "c=IN IP4 203.0.113.1\r\n");
    // the callee's own phrase and Reason reach the caller
    char *copy = strdup(i);
    party_send(&w, &w.b,
               "SIP/2.0 486 Gone Fishing\nVia: %s\nFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\nReason: "
               "Q.850;cause=17\n\n",
               header_of(copy, "Via"), header_of(copy, "From"), header_of(copy, "To"),
               header_of(copy, "Call-ID"), header_of(copy, "CSeq"));
    free(copy);
    const char *r = party_expect(&w, &w.a, "SIP/2.0 486 Gone Fishing");
    HAS(r, "Reason: Q.850;cause=17\r\n");
    world_close(&w);
}

// Names from outside stay names: an escaped one ends no URI of ours, and the call goes through.
static void test_names_stay_names(void)
{
    struct world w;
    world_open(&w, NULL);
    party_send(&w, &w.a,
               "INVITE sip:1100@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP "
               "127.0.0.1:%u;branch=z9hG4bKnames\n"
               "From: <sip:1%%3e%%2c%%3csip:evil@127.0.0.1>;tag=q\nTo: <sip:11@127.0.0.1>\nCall-ID: names\n"
               "CSeq: 1 INVITE\nContact: <sip:1@127.0.0.1:%u>\nContent-Type: application/sdp\n\n%s",
               w.a.port, w.a.port, body_a);
    const char *i = party_expect(&w, &w.b, "INVITE sip:1100@127.0.0.1:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    HAS(header_of(i, "Contact"), "<sip:1%3e%2c%3csip@127.0.0.1:");
    HAS(header_of(i, "From"), "<sip:1%3e%2c%3csip@127.0.0.1>;tag=");
    char *invite = strdup(i);
    party_answer(&w, &w.b, invite, "180 Ringing", "x", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 180"));
    party_answer(&w, &w.b, invite, "486 Busy Here", "x", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 486"));
    free(invite);
    world_close(&w);
}

// Lines that cannot be read and lines that stay here are counted; an SDP of which nothing is left is a 400.
static void test_sdp_counters(void)
{
    struct world w;
    char body[600];
    world_open(&w, NULL);
    snprintf(body, sizeof body, "%sa=rtpmap:\na=x-own:10.9.9.9\na=x-other\n", body_a);
    a_invites(&w, "odd", "1100", "", body);
    const char *i = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    CU_ASSERT_PTR_NULL(strstr(i, "10.9.9.9"));
    a_invites(&w, "none", "1100", "", "v=0\nm=audio x RTP/AVP 8\n");
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 400"));
    const struct sdp_counters *n = &agent_counters(w.agent)->sdp;
    CU_ASSERT_EQUAL(n->parsed, 1);
    CU_ASSERT_EQUAL(n->refused, 1);
    CU_ASSERT_EQUAL(n->odd[SDP_ODD_rtpmap], 1);
    CU_ASSERT_EQUAL(n->odd[SDP_ODD_kept], 2);
    CU_ASSERT_EQUAL(n->odd[SDP_ODD_media], 1);
    json_t *stats = agent_provider.stats(w.agent), *sdp = json_object_get(stats, "sdp");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(sdp, "refused")), 1);
    const json_t *drop = json_array_get(json_object_get(sdp, "drops"), SDP_ODD_kept);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "reason")), "kept");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(drop, "count")), 2);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "text")), sdp_odd_text(SDP_ODD_kept));
    json_decref(stats);
    world_close(&w);
}

// The request is gone with its answer: what goes along must have been read before.
static void test_reason_of_bye(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    a_requests(&w, ok, "BYE", 2, "Reason: Q.850;cause=16;text=\"bye\"\n", NULL);
    const char *bye = party_expect(&w, &w.b, "BYE");
    HAS(bye, "Reason: Q.850;cause=16;text=\"bye\"\r\n");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    world_close(&w);
}

static void test_last_hop(void)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "hop", "1100", "Max-Forwards: 1\n", body_a);
    const char *i = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_STRING_EQUAL(header_of(i, "Max-Forwards"), "0");
    party_answer(&w, &w.b, i, "404 Not Found", "x", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 404"));
    world_close(&w);
}

static void limits(struct tl_config *c)
{
    c->control.max_calls = 1;
}

static void test_turned_away(void)
{
    static const struct {
        const char *number, *extra, *body, *status;
    } table[] = {
        {"999", "", "", "SIP/2.0 404"},
        {"1100", "Max-Forwards: 0\n", "", "SIP/2.0 483"},
        {"1100", "Require: something\n", "", "SIP/2.0 420"},
    };
    struct world w;
    char *ok, *invite;
    world_open(&w, limits);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char id[16];
        snprintf(id, sizeof id, "away%zu", i);
        a_invites(&w, id, table[i].number, table[i].extra, body_a);
        CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, table[i].status));
    }
    party_send(&w, &w.a,
               "INVITE sip:1100@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKnc\nFrom: "
               "<sip:1@a>;tag=q\n"
               "To: <sip:1100@127.0.0.1>\nCall-ID: nc\nCSeq: 1 INVITE\n\n",
               w.a.port);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 400")); // no Contact
    party_send(&w, &w.a,
               "INVITE sip:1100@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKct\nFrom: "
               "<sip:1@a>;tag=q\n"
               "To: <sip:1100@127.0.0.1>\nCall-ID: ct\nCSeq: 1 INVITE\nContact: "
               "<sip:1@127.0.0.1>\nContent-Type: text/plain\n\nhello",
               w.a.port);
    HAS(party_expect(&w, &w.a, "SIP/2.0 415"), "Accept: application/sdp\r\n");
    // max_calls
    bring_up(&w, &ok, &invite);
    party_forget(&w.a);
    a_invites(&w, "second", "1100", "", body_a);
    HAS(party_expect(&w, &w.a, "SIP/2.0 503"), "Retry-After: 7\r\n");
    CU_ASSERT_EQUAL(agent_counters(w.agent)->over_limit, 1);
    hang_up(&w, ok, invite, 2);
    CU_ASSERT_TRUE(world_quiet(&w));
    // no dataplane
    fake_dataplane_die(w.fake);
    world_turn(&w, 50);
    a_invites(&w, "third", "1100", "", body_a);
    for (int i = 0; i < 500 && !agent_counters(w.agent)->media_away; i++)
        world_turn(&w, 2);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->media_away, 1);
    HAS(party_expect(&w, &w.a, "SIP/2.0 503"), "Retry-After: 7\r\n");
    world_close(&w);
}

static unsigned hear_stranger(struct world *w, int fd, const char *status)
{
    unsigned n = 0;
    char answer[2048];
    ssize_t got;
    world_turn(w, 30);
    while ((got = recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT)) > 0) {
        answer[got] = 0;
        n += strncmp(answer, status, strlen(status)) == 0;
    }
    return n;
}

// Who is the peer of no trunk gets its answer, and nothing is kept: no call, no session, no transaction, few
// lines in the log.
static void test_strangers(void)
{
    static const struct {
        const char *method, *to_tag, *status;
    } table[] = {{"INVITE", "", "SIP/2.0 403"},
                 {"INVITE", ";tag=x", "SIP/2.0 481"},
                 {"BYE", ";tag=x", "SIP/2.0 481"},
                 {"OPTIONS", "", "SIP/2.0 200"},
                 {"MESSAGE", "", "SIP/2.0 405"}};
    enum { EACH = 50 };
    struct world w;
    world_open(&w, NULL);
    const struct sip_counters *c = sip_stack_counters(agent_stack(w.agent));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    socklen_t len = sizeof at;
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    unsigned port = ntohs(at.sin_port);
    at.sin_port = htons(w.sip_port);
    uint32_t live = c->txns_live, waiting = c->txns_waiting;
    for (size_t t = 0; t < sizeof table / sizeof table[0]; t++) {
        for (unsigned i = 0; i < EACH; i++) {
            char m[1024];
            snprintf(
                m, sizeof m,
                "%s sip:1100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP "
                "127.0.0.1:%u;branch=z9hG4bKs%zux%u\r\nFrom: "
                "<sip:1@a>;tag=q\r\nTo: <sip:1100@127.0.0.1>%s\r\nCall-ID: s%zu-%u\r\nCSeq: 1 %s\r\nContact: "
                "<sip:1@127.0.0.1:%u>\r\n\r\n",
                table[t].method, port, t, i, table[t].to_tag, t, i, table[t].method, port);
            // each of them twice: what comes again gets the same answer
            for (unsigned again = 0; again < 2; again++)
                CU_ASSERT_FATAL(sendto(fd, m, strlen(m), 0, (struct sockaddr *)&at, sizeof at) > 0);
        }
        CU_ASSERT_EQUAL(hear_stranger(&w, fd, table[t].status), 2 * EACH);
        CU_ASSERT_EQUAL(c->txns_live, live);
        CU_ASSERT_EQUAL(c->txns_waiting, waiting);
    }
    CU_ASSERT_EQUAL(agent_counters(w.agent)->turned_away, 2 * EACH);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->calls, 0);
    CU_ASSERT_EQUAL(fake_dataplane_executed(w.fake, TL_OP_ADD), 0);
    close(fd);
    world_close(&w);
}

// The ACK of A is lost: our 2xx comes again until 64*T1 have gone, then both sides get a BYE.
static void test_ack_lost(void)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "noack", "1100", "", body_a);
    const char *i = party_expect(&w, &w.b, "INVITE");
    party_answer(&w, &w.b, i, "200 OK", "btag", body_b);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 200"));
    const char *bye = party_expect(&w, &w.b, "BYE");
    CU_ASSERT_TRUE(party_has(&w.a, "SIP/2.0 200") >= 5);
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    world_close(&w);
}

// B answers again because our ACK was lost; another fork answers as well.
static void test_2xx_again_and_fork(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    party_answer(&w, &w.b, invite, "200 OK", "btag", body_b);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "ACK"));
    party_answer(&w, &w.b, invite, "200 OK", "fork", body_b);
    const char *ack = party_expect(&w, &w.b, "ACK");
    HAS(header_of(ack, "To"), "fork");
    const char *bye = party_expect(&w, &w.b, "BYE");
    HAS(header_of(bye, "To"), "fork");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->active, 1); // the call itself goes on
    hang_up(&w, ok, invite, 2);
    world_close(&w);
}

// Trunk one is silent and given up; its late messages do not touch the call, which goes on at trunk two.
static void give_up(const char *late_status, const char *late_body)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "late", "2200", "", body_a);
    const char *i = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    char *first = strdup(i);
    i = party_expect(&w, &w.b2, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    char *second = strdup(i);
    CU_ASSERT_EQUAL(party_has(&w.b, "CANCEL"), 0); // not before a provisional
    party_answer(&w, &w.b, first, late_status, "late", late_body);
    if (late_body) {
        CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "ACK"));
        const char *bye = party_expect(&w, &w.b, "BYE");
        party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    } else {
        const char *cancel = party_expect(&w, &w.b, "CANCEL");
        CU_ASSERT_PTR_NOT_NULL_FATAL(cancel);
        party_answer(&w, &w.b, cancel, "200 OK", "late", NULL);
        party_answer(&w, &w.b, first, "487 Request Terminated", "late", NULL);
        CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "ACK"));
    }
    party_answer(&w, &w.b2, second, "200 OK", "two", body_b);
    const char *ok = party_expect(&w, &w.a, "SIP/2.0 200");
    CU_ASSERT_PTR_NOT_NULL_FATAL(ok);
    char *answer = strdup(ok);
    a_requests(&w, answer, "ACK", 1, "", NULL);
    a_requests(&w, answer, "BYE", 2, "", NULL);
    const char *bye = party_expect(&w, &w.b2, "BYE");
    party_answer(&w, &w.b2, bye, "200 OK", "", NULL);
    free(first);
    free(second);
    free(answer);
    world_close(&w);
}

static void test_late_provisional(void)
{
    give_up("180 Ringing", NULL);
}

static void test_late_success(void)
{
    give_up("200 OK", body_b);
}

// CANCEL and 200 cross: A's CANCEL is here when B's 200 arrives.
static void test_cancel_crosses(void)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "cross", "1100", "", body_a);
    const char *i = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    char *invite = strdup(i);
    party_answer(&w, &w.b, invite, "180 Ringing", "btag", NULL);
    const char *ringing = party_expect(&w, &w.a, "SIP/2.0 180");
    CU_ASSERT_PTR_NOT_NULL_FATAL(ringing);
    party_send(&w, &w.a,
               "CANCEL sip:1100@127.0.0.1 SIP/2.0\nVia: %s\nFrom: %s\nTo: <sip:1100@127.0.0.1>\nCall-ID: "
               "cross\nCSeq: 1 CANCEL\n\n",
               header_of(ringing, "Via"), header_of(ringing, "From"));
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 487"));
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "CANCEL"));
    party_answer(&w, &w.b, invite, "200 OK", "btag", body_b); // it was picked up all the same
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "ACK"));
    const char *bye = party_expect(&w, &w.b, "BYE");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    free(invite);
    world_close(&w);
}

// Who knows all tags of a call but is not its peer: refused, and nobody else hears of it.
static void test_in_dialog_from_elsewhere(void)
{
    static const struct {
        const char *method;
        unsigned cseq;
        const char *answer; // NULL: none
    } table[] = {{"INVITE", 20, "SIP/2.0 403"},
                 {"OPTIONS", 21, "SIP/2.0 403"},
                 {"UPDATE", 22, "SIP/2.0 403"},
                 {"INFO", 23, "SIP/2.0 403"},
                 {"REFER", 24, "SIP/2.0 403"},
                 {"BYE", 25, "SIP/2.0 403"},
                 {"ACK", 20, NULL}};
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    struct sockaddr_in elsewhere = {
        .sin_family = AF_INET, .sin_port = htons(w.a.port), .sin_addr.s_addr = htonl(0x7f000002)};
    int peer = w.a.fd, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&elsewhere, sizeof elsewhere) == 0);
    party_forget(&w.a);
    party_forget(&w.b);
    w.a.fd = fd;
    unsigned refused = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        a_requests(&w, ok, table[i].method, table[i].cseq, "", i ? NULL : body_hold);
        if (table[i].answer)
            CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, table[i].answer));
        refused += table[i].answer != NULL;
        party_forget(&w.a);
    }
    world_turn(&w, 60);
    CU_ASSERT_EQUAL(w.a.count + w.b.count, 0);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->strangers, refused);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->active, 1);
    close(fd);
    w.a.fd = peer;
    a_requests(&w, ok, "BYE", 2, "", NULL); // what the stranger numbered is not the peer's
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 200"));
    const char *bye = party_expect(&w, &w.b, "BYE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    world_close(&w);
}

// What is required of us and what we require, refused: each is counted.
static void require_100rel(struct tl_config *config)
{
    config->trunks[0].prack = TL_PRACK_REQUIRED;
}

static void no_100rel(struct tl_config *config)
{
    config->trunks[0].prack = TL_PRACK_OFF;
}

static void test_extensions(void)
{
    static const struct {
        void (*tune)(struct tl_config *config);
        const char *header, *answer, *has;
        unsigned bad, required;
    } table[] = {
        {require_100rel, "", "SIP/2.0 421", "Require: 100rel", 0, 1},
        {no_100rel, "Require: 100rel\n", "SIP/2.0 420", "Unsupported: 100rel\r\n", 1, 0},
        {no_100rel, "Require: x-foo, timer-x\n", "SIP/2.0 420", "Unsupported: x-foo, timer-x\r\n", 1, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct world w;
        world_open(&w, table[i].tune);
        a_invites(&w, "ext", "1100", table[i].header, body_a);
        HAS(party_expect(&w, &w.a, table[i].answer), table[i].has);
        CU_ASSERT_EQUAL(agent_counters(w.agent)->bad_extension, table[i].bad);
        CU_ASSERT_EQUAL(agent_counters(w.agent)->extension_required, table[i].required);
        json_t *status = agent_provider.status(w.agent), *calls = json_object_get(status, "calls");
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(calls, "bad_extension")), table[i].bad);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(calls, "extension_required")), table[i].required);
        json_decref(status);
        world_close(&w);
    }
}

// The agent goes while a request waits for the other side: nothing of the stack, which goes first, is touched.
static void test_end_while_relayed(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    a_requests(&w, ok, "INFO", 2, "", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "INFO"));
    free(ok);
    free(invite);
    world_drop(&w);
}

static void test_in_dialog(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    a_requests(&w, ok, "OPTIONS", 2, "", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 200"));
    a_requests(&w, ok, "MESSAGE", 3, "", NULL);
    HAS(party_expect(&w, &w.a, "SIP/2.0 405"), "Allow: ");
    a_requests(&w, ok, "OPTIONS", 1, "", NULL); // CSeq from the past
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 500"));
    b_requests(&w, &w.b, invite, "nobody", "BYE", 1, "", NULL); // a tag that is not of this dialog
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "SIP/2.0 481"));
    CU_ASSERT_EQUAL(agent_counters(w.agent)->active, 1);
    // glare: both sides at once. B's is refused, A's goes through when B has refused ours
    a_requests(&w, ok, "INVITE", 4, "", body_hold);
    const char *r = party_expect(&w, &w.b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    char *ours = strdup(r);
    b_requests(&w, &w.b, invite, "btag", "INVITE", 1, "", body_b);
    const char *refused = party_expect(&w, &w.b, "SIP/2.0 491");
    CU_ASSERT_PTR_NOT_NULL(refused);
    party_answer(&w, &w.b, ours, "491 Request Pending", "", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 491"));
    free(ours);
    a_requests(&w, ok, "INVITE", 5, "", body_hold);
    r = party_expect(&w, &w.b, "INVITE");
    HAS(r, "a=sendonly");
    party_answer(&w, &w.b, r, "200 OK", "", body_held);
    r = party_expect(&w, &w.a, "SIP/2.0 200");
    HAS(r, "a=recvonly");
    CU_ASSERT_EQUAL(fake_dataplane_at(w.fake, 0)->leg[0].flags, TL_LEG_RECV);
    a_requests(&w, ok, "ACK", 5, "", NULL);
    // B moves: its new Contact is where our next request goes
    b_requests(&w, &w.b, invite, "btag", "INVITE", 2, "", body_b);
    r = party_expect(&w, &w.a, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    party_answer(&w, &w.a, r, "200 OK", "", body_a);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.b, "SIP/2.0 200"));
    b_requests(&w, &w.b, invite, "btag", "ACK", 2, "", NULL);
    CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "ACK"));
    world_turn(&w, 10);
    CU_ASSERT_EQUAL(fake_dataplane_at(w.fake, 0)->leg[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    hang_up(&w, ok, invite, 6);
    world_close(&w);
}

static void test_srtp(void)
{
    struct world w;
    world_open(&w, NULL);
    a_invites(&w, "srtp", "3300", "", body_a);
    const char *i = party_expect(&w, &w.s, "INVITE");
    HAS(i, "RTP/SAVP 8 0 101"); // A's law, then the one that would be converted
    HAS(i, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
    party_answer(
        &w, &w.s, i, "200 OK", "s",
        "v=0\r\nc=IN IP4 192.0.2.3\r\nm=audio 6000 RTP/SAVP 8\r\n"
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^31|7:2\r\n");
    const char *ok = party_expect(&w, &w.a, "SIP/2.0 200");
    CU_ASSERT_PTR_NOT_NULL_FATAL(ok);
    CU_ASSERT_PTR_NULL(strstr(ok, "crypto"));
    char *answer = strdup(ok);
    const struct fake_session *s = fake_dataplane_at(w.fake, 0);
    CU_ASSERT_EQUAL(s->leg[1].rx.suite, TL_SUITE_AES_CM_128_HMAC_SHA1_80);
    CU_ASSERT_EQUAL(memcmp(s->leg[1].rx.key, "123456789ABCDE01", 16), 0);
    CU_ASSERT_EQUAL(s->leg[1].rx.mki_len, 2);
    CU_ASSERT_EQUAL(s->leg[1].rx.mki[1], 7);
    CU_ASSERT_EQUAL(s->leg[1].tx.mki_len, 0);
    CU_ASSERT_EQUAL(s->leg[0].rx.suite, TL_SUITE_NONE);
    CU_ASSERT_EQUAL(s->leg[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    a_requests(&w, answer, "ACK", 1, "", NULL);
    a_requests(&w, answer, "BYE", 2, "", NULL);
    const char *bye = party_expect(&w, &w.s, "BYE");
    party_answer(&w, &w.s, bye, "200 OK", "", NULL);
    free(answer);
    world_close(&w);
}

// The dataplane comes back and cannot take the session again: both sides get a BYE.
static void test_media_lost(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, NULL);
    bring_up(&w, &ok, &invite);
    CU_ASSERT_EQUAL(
        fake_dataplane_event(w.fake, fake_dataplane_at(w.fake, 0)->call_ref, TL_EVENT_SILENT, 1, 30000, 1),
        0);
    world_turn(&w, 20);
    CU_ASSERT_EQUAL(media_counters(agent_media(w.agent))->silences, 1);
    fake_dataplane_refuse(w.fake, TL_OP_ADD, 1, -98, TL_FIELD_LOCAL_PORT);
    fake_dataplane_die(w.fake);
    world_turn(&w, 30);
    CU_ASSERT_EQUAL(agent_counters(w.agent)->active, 1); // calls are kept while it is away
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    const char *bye = party_expect(&w, &w.b, "BYE");
    party_answer(&w, &w.b, bye, "200 OK", "", NULL);
    bye = party_expect(&w, &w.a, "BYE");
    party_answer(&w, &w.a, bye, "200 OK", "", NULL);
    free(ok);
    free(invite);
    world_close(&w);
}

static void options(struct tl_config *c)
{
    c->trunks[2].options_interval_s = 1;
}

// OPTIONS: a trunk that does not answer is down and left out; an answer brings it back.
static void test_keep_alive(void)
{
    struct world w;
    world_open(&w, options);
    const struct trunk *two = agent_trunks(w.agent)->now->trunks[2];
    const char *o = party_expect(&w, &w.b2, "OPTIONS");
    CU_ASSERT_PTR_NOT_NULL(o);
    for (int i = 0; i < 3000 && !two->down; i++)
        world_turn(&w, 2);
    CU_ASSERT_TRUE(two->down);
    party_forget(&w.b2);
    o = party_expect(&w, &w.b2, "OPTIONS");
    party_answer(&w, &w.b2, o, "200 OK", "x", NULL);
    for (int i = 0; i < 500 && two->down; i++)
        world_turn(&w, 2);
    CU_ASSERT_FALSE(two->down);
    world_close(&w);
}

// The ACK to a re-INVITE's 2xx comes late or never, behind further INVITEs and a BYE: whatever transaction
// still waits then, it does not come back to a call that has gone (ASan sees it).
static void test_ack_after_the_end(void)
{
    for (int never = 0; never < 2; never++) {
        struct world w;
        char *ok, *invite;
        world_open(&w, NULL);
        bring_up(&w, &ok, &invite);
        a_requests(&w, ok, "INVITE", 2, "", body_hold);
        const char *again = party_expect(&w, &w.b, "INVITE");
        party_answer(&w, &w.b, again, "200 OK", "", body_held);
        const char *answer = party_expect(&w, &w.a, "SIP/2.0 200");
        CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
        char *first = strdup(answer);
        for (unsigned cseq = 3; cseq < 5; cseq++) { // one change at a time, so long as the ACK is due
            a_requests(&w, ok, "INVITE", cseq, "", body_hold);
            CU_ASSERT_PTR_NOT_NULL(party_expect(&w, &w.a, "SIP/2.0 491"));
            world_turn(&w, 10);
            CU_ASSERT_EQUAL(party_has(&w.b, "INVITE"), 0);
        }
        a_requests(&w, ok, "BYE", 5, "", NULL);
        const char *bye = party_expect(&w, &w.b, "BYE");
        party_answer(&w, &w.b, bye, "200 OK", "", NULL);
        CU_ASSERT_TRUE(world_quiet(&w));
        if (!never)
            a_requests(&w, first, "ACK", 2, "", NULL);
        world_turn(&w, never ? 64 * 20 + 200 : 50);
        free(first);
        free(ok);
        free(invite);
        world_close(&w);
    }
}

// INVITEs with bytes changed at random, and answers to them likewise: nothing breaks, nothing is left.
static void test_mutated(void)
{
    struct world w;
    unsigned seed = 4475;
    world_open(&w, NULL);
    for (int round = 0; round < 400; round++) {
        char body[512], id[32];
        snprintf(id, sizeof id, "m%d", round);
        snprintf(body, sizeof body, "%s", body_a);
        for (int k = 0; k < round % 4; k++)
            body[(size_t)rand_r(&seed) % strlen(body_a)] = (char)(1 + rand_r(&seed) % 255);
        a_invites(&w, id, "1100", "", body);
        for (int t = 0; t < 3; t++) {
            world_turn(&w, 1);
            for (unsigned i = 0; i < w.b.count; i++)
                if (strncmp(w.b.inbox[i], "INVITE", 6) == 0) {
                    snprintf(body, sizeof body, "%s", body_b);
                    for (int k = 0; k < round % 3; k++)
                        body[(size_t)rand_r(&seed) % strlen(body_b)] = (char)(1 + rand_r(&seed) % 255);
                    party_answer(&w, &w.b, w.b.inbox[i], round % 5 ? "200 OK" : "183 Progress", "m", body);
                } else if (strncmp(w.b.inbox[i], "BYE", 3) == 0) {
                    party_answer(&w, &w.b, w.b.inbox[i], "200 OK", "", NULL);
                }
            party_forget(&w.b);
            for (unsigned i = 0; i < w.a.count; i++)
                if (strncmp(w.a.inbox[i], "SIP/2.0 200", 11) == 0 && strstr(w.a.inbox[i], "INVITE\r\n")) {
                    a_requests(&w, w.a.inbox[i], "ACK", 1, "", NULL);
                    a_requests(&w, w.a.inbox[i], "BYE", 2, "", NULL);
                }
            party_forget(&w.a);
        }
    }
    for (int i = 0; i < 4000 && agent_counters(w.agent)->active; i++) {
        world_turn(&w, 1);
        for (unsigned k = 0; k < w.b.count; k++)
            if (strncmp(w.b.inbox[k], "BYE", 3) == 0)
                party_answer(&w, &w.b, w.b.inbox[k], "200 OK", "", NULL);
        party_forget(&w.b);
        party_forget(&w.a);
    }
    world_close(&w);
}

static void no_stranger_comes_in(struct tl_config *config)
{
    config->listeners[0].strangers = TL_STRANGERS_DROP;
    config->control.t1_ms = 10;
}

// A copy of the configuration, for the agent to take.
static void reload(struct world *w, const struct tl_config *config)
{
    struct tl_config *next = malloc(sizeof *next);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    memcpy(next, config, sizeof *next);
    CU_ASSERT_EQUAL_FATAL(agent_reload(w->agent, next), 0);
}

// Whose address a reload took away ends the call that it has, on a listener that drops strangers. Then it is one.
static void test_former_peer(void)
{
    struct world w;
    char *ok, *invite;
    world_open(&w, no_stranger_comes_in);
    bring_up(&w, &ok, &invite);
    struct tl_config *other = malloc(sizeof *other);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    memcpy(other, w.config, sizeof *other);
    for (uint32_t i = 0; i < other->trunk_count; i++)
        other->trunks[i].peer.ip[3] = 99;
    reload(&w, other);
    world_turn(&w, 128 * 10); // whom we have asked something may talk so long
    hang_up(&w, ok, invite, 2);
    CU_ASSERT_TRUE(world_quiet(&w));
    reload(&w, other);
    free(other);
    world_turn(&w, 128 * 10);
    party_forget(&w.a);
    a_invites(&w, "stranger", "1100", "", body_a);
    world_turn(&w, 50);
    CU_ASSERT_EQUAL(w.a.count, 0);
    world_close(&w);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"words of our INVITE", test_words},
        {"Reason of a BYE", test_reason_of_bye},
        {"the last hop", test_last_hop},
        {"names stay names", test_names_stay_names},
        {"counters of SDP", test_sdp_counters},
        {"extensions", test_extensions},
        {"in a dialog from elsewhere", test_in_dialog_from_elsewhere},
        {"turned away", test_turned_away},
        {"strangers", test_strangers},
        {"ACK lost", test_ack_lost},
        {"2xx again, and of a fork", test_2xx_again_and_fork},
        {"late provisional of a given-up trunk", test_late_provisional},
        {"late 2xx of a given-up trunk", test_late_success},
        {"CANCEL and 200 cross", test_cancel_crosses},
        {"requests in a dialog", test_in_dialog},
        {"the end while a request is relayed", test_end_while_relayed},
        {"SRTP on one side", test_srtp},
        {"media lost", test_media_lost},
        {"keep-alive", test_keep_alive},
        {"ACK after the end", test_ack_after_the_end},
        {"former peer", test_former_peer},
        {"mutated SDP", test_mutated},
    };
    return test_main("agent", TEST_CASES(cases), argc, argv);
}
