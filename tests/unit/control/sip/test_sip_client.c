// SPDX-License-Identifier: BSD-3-Clause
// Client transactions: what leaves when the peer's messages are lost, late, repeated or forked.
#include "sip_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fix fix;
static struct sip_owner owner;

static struct sip_txn *request(enum sip_method method, uint32_t listener)
{
    struct sip_request r = fix_request(method);
    struct sip_flow to = sip_flow_to(fix.stack, listener, &fix_peer);
    struct sip_txn *txn = NULL;
    CU_ASSERT_FATAL(sip_request(fix.stack, &to, &r, &owner, &txn) == 0);
    return txn;
}

static int ack(struct sip_txn *txn)
{
    struct sip_request r = fix_request(SIP_ACK);
    r.to = "<sip:b@192.0.2.10>;tag=b1";
    r.contact = NULL;
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    return sip_ack(txn, &to, &r);
}

static const struct sip_counters *counters(void)
{
    return sip_stack_counters(fix.stack);
}

// Nobody answers an INVITE: it is repeated by timer A, and timer B ends it.
static void invite_repeated_until_b(void)
{
    static const unsigned at[] = {0, 50, 150, 350, 750, 1550, 3150};
    fix_open(&fix);
    uint64_t start = fix.wheel.now;
    request(SIP_INVITE, 0);
    fix_advance(&fix, 64 * FIX_T1 - 1);
    CU_ASSERT(fix.sent_count == sizeof at / sizeof *at);
    for (unsigned i = 0; i < fix.sent_count; i++) {
        CU_ASSERT(fix.sent[i].at == start + at[i]);
        CU_ASSERT_STRING_EQUAL(fix.sent[i].text, fix.sent[0].text);
    }
    CU_ASSERT(fix.event_count == 0);
    fix_advance(&fix, 1);
    CU_ASSERT_FATAL(fix.event_count == 1);
    CU_ASSERT(fix.event[0].what == FIX_FAILURE && fix.event[0].why == SIP_TIMEOUT);
    CU_ASSERT(fix.event[0].owner == &owner);
    CU_ASSERT(counters()->timeouts == 1 && counters()->tx_again == 6);
    fix_close(&fix);
}

// What a request of ours looks like.
static void request_has_what_it_needs(void)
{
    fix_open(&fix);
    static const char *const routes[] = {"<sip:r1;lr>", "<sip:r2;lr>"};
    struct sip_request r = fix_request(SIP_INVITE);
    r.routes = routes;
    r.route_count = 2;
    r.headers = "X-One: 1\r\n";
    r.body_type = "application/sdp";
    r.body = "v=0\r\n";
    r.body_len = 5;
    r.max_forwards = 12;
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    struct sip_txn *txn;
    CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, &txn) == 0);
    const char *t = fix.sent[0].text, *branch = fix_branch(t);
    char expect[1024];
    snprintf(
        expect, sizeof expect,
        "INVITE sip:b@192.0.2.10:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%s;rport\r\n"
        "Max-Forwards: 12\r\nRoute: <sip:r1;lr>\r\nRoute: <sip:r2;lr>\r\nFrom: "
        "<sip:us@192.0.2.1>;tag=ours\r\n"
        "To: <sip:b@192.0.2.10>\r\nCall-ID: 3.feedbeef\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:us@192.0.2.1:5060>\r\nUser-Agent: trunkline-test\r\n"
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO\r\nX-One: 1\r\nContent-Type: application/sdp\r\n"
        "Content-Length: 5\r\n\r\nv=0\r\n",
        branch);
    CU_ASSERT_STRING_EQUAL(t, expect);
    CU_ASSERT(sip_loop_of((struct sip_str){branch, strlen(branch)}) == 3);
    sip_abandon(txn);
    // 0 is a number like others, not a field that was left out
    static const struct {
        unsigned given;
        const char *written;
    } hops[] = {{0, "70"}, {1, "1"}, {255, "255"}, {SIP_LAST_HOP, "0"}};
    for (unsigned i = 0; i < sizeof hops / sizeof *hops; i++) {
        r.max_forwards = hops[i].given;
        CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, &txn) == 0);
        CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Max-Forwards"), hops[i].written);
        sip_abandon(txn);
    }
    fix_close(&fix);
}

static void bad_requests_refused(void)
{
    fix_open(&fix);
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    struct sip_request good = fix_request(SIP_OPTIONS), r;
    struct sip_txn *txn;
#define REFUSED(change)                                                                                      \
    r = good;                                                                                                \
    change;                                                                                                  \
    CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, &txn) == -EINVAL)
    REFUSED(r.uri = NULL);
    REFUSED(r.uri = "sip:x y");
    REFUSED(r.uri = "mailto:x");
    REFUSED(r.from = "<sip:a>\r\nX: y");
    REFUSED(r.to = "\"unbalanced <sip:a>");
    REFUSED(r.call_id = "");
    REFUSED(r.call_id = "with space");
    REFUSED(r.headers = "no line end");
    REFUSED(r.headers = "X: 1\r\n\r\nbody");
    REFUSED(r.method = SIP_ACK);
    REFUSED(r.method = SIP_CANCEL);
    REFUSED(r.method = SIP_OTHER);
    REFUSED(r.cseq = 1u << 31);
    REFUSED(r.max_forwards = SIP_LAST_HOP + 1);
    REFUSED(r.body = "x"); // no type
#undef REFUSED
    CU_ASSERT(fix.sent_count == 0 && fix.stack->all == NULL);
    fix_close(&fix);
}

// A provisional response stops timer A; 100 is not the user's business.
static void provisional_stops_repeating(void)
{
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_advance(&fix, 60);
    CU_ASSERT(fix.sent_count == 2);
    fix_answer(&fix, 0, fix.sent[0].text, 100, NULL);
    fix_advance(&fix, 2 * 64 * FIX_T1);
    CU_ASSERT(fix.sent_count == 2 && fix.event_count == 0);
    fix_answer(&fix, 0, fix.sent[0].text, 183, "b1");
    fix_answer(&fix, 0, fix.sent[0].text, 180, "b1");
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 2);
    CU_ASSERT(fix.event[0].status == 183 && fix.event[1].status == 180 && fix.event[1].txn == txn);
    fix_answer(&fix, 0, fix.sent[0].text, 486, "b1");
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 3);
    fix_close(&fix);
}

// The ACK to a 486 is lost: it is sent again for each 486 that comes again, as long as timer D.
static void failure_acked_again(void)
{
    fix_open(&fix);
    request(SIP_INVITE, 0);
    const char *invite = fix.sent[0].text;
    fix_answer(&fix, 0, invite, 486, "b1");
    CU_ASSERT_FATAL(fix_count(&fix, 0, "ACK ") == 1);
    const char *a = fix_find(&fix, 0, "ACK ", 0)->text;
    CU_ASSERT(strncmp(a, "ACK sip:b@192.0.2.10:5060 SIP/2.0\r\n", 35) == 0);
    CU_ASSERT_STRING_EQUAL(fix_header(a, "Via"), fix_header(invite, "Via"));
    CU_ASSERT_STRING_EQUAL(fix_header(a, "To"), "<sip:b@192.0.2.10>;tag=b1");
    CU_ASSERT_STRING_EQUAL(fix_header(a, "From"), fix_header(invite, "From"));
    CU_ASSERT_STRING_EQUAL(fix_header(a, "CSeq"), "1 ACK");
    CU_ASSERT_STRING_EQUAL(fix_header(a, "Max-Forwards"), "70");
    CU_ASSERT(counters()->txns_live == 0 && counters()->txns_waiting == 1);
    for (unsigned i = 0; i < 3; i++) {
        fix_advance(&fix, 1000);
        fix_answer(&fix, 0, invite, 486, "b1");
    }
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 4);
    CU_ASSERT_STRING_EQUAL(fix_last(&fix), a);
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1);
    fix_advance(&fix, 201);
    CU_ASSERT(counters()->txns_waiting == 0);
    fix_answer(&fix, 0, invite, 486, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 4);
    CU_ASSERT(counters()->rejects[SIP_REJECT_stray_response] == 1);
    fix_close(&fix);
}

// The ACK to a 2xx is lost: each 2xx that comes again gets the same ACK; the user hears of one.
static void success_acked_again(void)
{
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    const char *invite = fix.sent[0].text;
    fix_answer(&fix, 0, invite, 200, "b1");
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1 && fix.event[0].status == 200);
    CU_ASSERT(counters()->txns_live == 0);
    fix_advance(&fix, 20);
    fix_answer(&fix, 0, invite, 200, "b1"); // before the user has ACKed: absorbed
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 0);
    CU_ASSERT(ack(txn) == 0);
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1);
    CU_ASSERT(strcmp(fix_branch(fix_last(&fix)), fix_branch(invite)) !=
              0); // 13.2.2.4: a transaction of its own
    for (unsigned i = 0; i < 3; i++) {
        fix_advance(&fix, 900);
        fix_answer(&fix, 0, invite, 200, "b1");
    }
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 4);
    CU_ASSERT_STRING_EQUAL(fix_last(&fix), fix_find(&fix, 0, "ACK ", 0)->text);
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1);
    CU_ASSERT(fix_count(&fix, 0, "BYE ") == 0);
    fix_close(&fix);
}

static void ack_at_once(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    (void)f;
    (void)msg;
    if (event->what == FIX_RESPONSE && event->status == 200)
        CU_ASSERT(ack(event->txn) == 0);
}

// A 2xx of another fork is ACKed and BYEd, once; when it comes again it is ACKed again.
static void fork_acked_and_byed(void)
{
    fix_open(&fix);
    fix.act = ack_at_once;
    request(SIP_INVITE, 0);
    const char *invite = fix.sent[0].text;
    fix_answer(&fix, 0, invite, 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1);
    unsigned before = fix.sent_count;
    fix_answer(&fix, 0, invite, 200, "b2");
    CU_ASSERT_FATAL(fix_count(&fix, before, "ACK ") == 1 && fix_count(&fix, before, "BYE ") == 1);
    const struct fix_sent *a = fix_find(&fix, before, "ACK ", 0), *b = fix_find(&fix, before, "BYE ", 0);
    CU_ASSERT(a < b);
    // by the fork's own Contact and Record-Route, in reverse
    CU_ASSERT(strncmp(b->text, "BYE sip:b@192.0.2.20:5070 SIP/2.0\r\n", 35) == 0);
    CU_ASSERT(strstr(b->text, "\r\nRoute: <sip:192.0.2.9;lr>\r\nRoute: <sip:192.0.2.8;lr>\r\n") != NULL);
    CU_ASSERT(b->flow.remote.ip[3] == 9 && a->flow.remote.ip[3] == 9);
    CU_ASSERT_STRING_EQUAL(fix_header(b->text, "To"), "<sip:b@192.0.2.10>;tag=b2");
    CU_ASSERT_STRING_EQUAL(fix_header(a->text, "CSeq"), "1 ACK");
    CU_ASSERT_STRING_EQUAL(fix_header(b->text, "CSeq"), "1002 BYE");
    fix_answer(&fix, 0, b->text, 200, NULL);
    before = fix.sent_count;
    fix_answer(&fix, 0, invite, 200, "b2");
    CU_ASSERT(fix_count(&fix, before, "ACK ") == 1 && fix_count(&fix, before, "BYE ") == 0);
    CU_ASSERT_STRING_EQUAL(fix_last(&fix), a->text);
    fix_answer(&fix, 0, invite, 200, "b3");
    CU_ASSERT(counters()->forks_ended == 2);
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1 && fix_events(&fix, FIX_FAILURE) == 0);
    fix_close(&fix);
}

// CANCEL waits for a provisional response, and then has the INVITE's branch.
static void cancel_waits_for_provisional(void)
{
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    const char *invite = fix.sent[0].text;
    CU_ASSERT(sip_cancel_with(txn, "Reason: SIP;cause=200\r\n") == 0);
    CU_ASSERT(sip_cancel(txn) == -EALREADY);
    fix_advance(&fix, 40);
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 0);
    fix_answer(&fix, 0, invite, 100, NULL);
    CU_ASSERT_FATAL(fix_count(&fix, 0, "CANCEL ") == 1);
    const char *cancel = fix_find(&fix, 0, "CANCEL ", 0)->text;
    CU_ASSERT_STRING_EQUAL(fix_header(cancel, "Via"), fix_header(invite, "Via"));
    CU_ASSERT_STRING_EQUAL(fix_header(cancel, "To"), fix_header(invite, "To"));
    CU_ASSERT_STRING_EQUAL(fix_header(cancel, "CSeq"), "1 CANCEL");
    CU_ASSERT_STRING_EQUAL(fix_header(cancel, "Reason"), "SIP;cause=200");
    CU_ASSERT_STRING_EQUAL(fix_header(cancel, "Call-ID"), fix_header(invite, "Call-ID"));
    fix_answer(&fix, 0, invite, 180, "b1");
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 1);
    fix_advance(&fix, 60); // lost: repeated by its own timer E
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 2);
    fix_answer(&fix, 0, cancel, 200, "b1");
    fix_answer(&fix, 0, invite, 487, "b1");
    fix_advance(&fix, 500);
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 2);
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 2 && fix.event[1].status == 487);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
    fix_close(&fix);
}

// The peer answers the CANCEL and then nothing: 64*T1 after it the INVITE ends.
static void cancelled_and_never_answered(void)
{
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_answer(&fix, 0, fix.sent[0].text, 180, "b1");
    fix_advance(&fix, 5000);
    CU_ASSERT(sip_cancel_with(txn, "Reason: SIP\r\nno line\r\n") == 0);
    CU_ASSERT(!strstr(fix_last(&fix), "Reason") && !strstr(fix_last(&fix), "no line"));
    fix_answer(&fix, 0, fix_last(&fix), 200, "b1");
    fix_advance(&fix, 64 * FIX_T1 - 1);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
    fix_advance(&fix, 1);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 1);
    fix_close(&fix);
}

// An attempt given up before anything was heard: the late provisional is CANCELled.
static void abandoned_late_provisional(void)
{
    fix_open(&fix);
    sip_abandon(request(SIP_INVITE, 0));
    const char *invite = fix.sent[0].text;
    fix_advance(&fix, 500);
    CU_ASSERT(fix_count(&fix, 0, "INVITE ") == 4); // it goes on: the peer may have it
    fix_answer(&fix, 0, invite, 180, "b1");
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 1);
    fix_answer(&fix, 0, invite, 487, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1);
    CU_ASSERT(fix.event_count == 0);
    fix_close(&fix);
}

// The CANCEL was too late: the 2xx is ACKed and BYEd, and ACKed again when it comes again.
static void abandoned_late_success(void)
{
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    const char *invite = fix.sent[0].text;
    fix_answer(&fix, 0, invite, 180, "b1");
    sip_abandon(txn);
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 1);
    fix_advance(&fix, 10);
    fix_answer(&fix, 0, invite, 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1 && fix_count(&fix, 0, "BYE ") == 1);
    CU_ASSERT_STRING_EQUAL(fix_header(fix_find(&fix, 0, "BYE ", 0)->text, "CSeq"), "1002 BYE");
    fix_answer(&fix, 0, invite, 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 2 && fix_count(&fix, 0, "BYE ") == 1);
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1); // the 180 of before
    fix_close(&fix);
}

// Nothing was heard at all when the 2xx comes.
static void abandoned_then_success_only(void)
{
    fix_open(&fix);
    sip_abandon(request(SIP_INVITE, 1));
    fix_advance(&fix, 2000);
    fix_answer(&fix, 1, fix.sent[0].text, 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1 && fix_count(&fix, 0, "BYE ") == 1);
    CU_ASSERT(fix_count(&fix, 0, "CANCEL ") == 0);
    CU_ASSERT(fix.event_count == 0);
    fix_close(&fix);
}

static void abandon_at_once(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    (void)f;
    (void)msg;
    if (event->what == FIX_RESPONSE)
        sip_abandon(event->txn);
}

// Given up with the 2xx in hand, from inside the callback and later.
static void abandoned_instead_of_ack(void)
{
    for (unsigned inside = 0; inside < 2; inside++) {
        fix_open(&fix);
        fix.act = inside ? abandon_at_once : NULL;
        struct sip_txn *txn = request(SIP_INVITE, 0);
        fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
        if (!inside) {
            fix_advance(&fix, 100);
            sip_abandon(txn);
        }
        CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1 && fix_count(&fix, 0, "BYE ") == 1);
        fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
        CU_ASSERT(fix_count(&fix, 0, "ACK ") == 2 && fix_count(&fix, 0, "BYE ") == 1);
        fix_close(&fix);
    }
}

// A 2xx whose Contact is missing or whose route set is a trap makes no dialog for a user; the peer is not
// left with half a call all the same.
static void unusable_success_ended(void)
{
    char routes[2000] = "Contact: <sip:b@192.0.2.20:5070>\n";
    for (unsigned i = 0; i < 20; i++)
        strcat(routes, "Record-Route: <sip:192.0.2.66;lr>\n");
    const struct {
        const char *headers, *bye;
        uint8_t hop;
    } table[] = {{"", "BYE sip:b@192.0.2.10 SIP/2.0\r\n", 10},
                 {"Contact: *\n", "BYE sip:b@192.0.2.10 SIP/2.0\r\n", 10},
                 {routes, "BYE sip:b@192.0.2.20:5070 SIP/2.0\r\n", 20}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fix_open(&fix);
        fix.act = abandon_at_once;
        request(SIP_INVITE, 0);
        const char *invite = fix.sent[0].text;
        for (unsigned again = 0; again < 2; again++)
            fix_receive(
                &fix, 0,
                "SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s;tag=b1\nCall-ID: %s\nCSeq: %s\n%sContent-Length: "
                "0\n\n",
                fix_header(invite, "Via"), fix_header(invite, "From"), fix_header(invite, "To"),
                fix_header(invite, "Call-ID"), fix_header(invite, "CSeq"), table[i].headers);
        CU_ASSERT(fix_count(&fix, 0, "ACK ") == 2 && fix_count(&fix, 0, "BYE ") == 1);
        const struct fix_sent *bye = fix_find(&fix, 0, table[i].bye, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(bye);
        CU_ASSERT(bye->flow.remote.ip[3] == table[i].hop);
        CU_ASSERT(strstr(bye->text, "Route:") == NULL);
        CU_ASSERT_STRING_EQUAL(fix_header(bye->text, "To"), "<sip:b@192.0.2.10>;tag=b1");
        fix_close(&fix);
    }
}

// An ACK with routes and SDP is larger than other records may be; it comes again with each 2xx all the same.
static void large_ack_sent_again(void)
{
    char body[2000];
    memset(body, 'x', sizeof body);
    fix_open(&fix);
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
    struct sip_request r = fix_request(SIP_ACK);
    r.to = "<sip:b@192.0.2.10>;tag=b1";
    r.contact = NULL;
    r.body_type = "application/sdp";
    r.body = body;
    r.body_len = sizeof body;
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    CU_ASSERT(sip_ack(txn, &to, &r) == 0);
    fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 2);
    fix_close(&fix);
}

// The user forgets to ACK: the peer is not left with half a call.
static void never_acked_by_user(void)
{
    fix_open(&fix);
    request(SIP_INVITE, 0);
    fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
    fix_advance(&fix, 64 * FIX_T1);
    CU_ASSERT(fix_count(&fix, 0, "ACK ") == 1 && fix_count(&fix, 0, "BYE ") == 1);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 1);
    fix_close(&fix);
}

// A BYE nobody answers: timer E doubles to T2, timer F ends it. A provisional slows it to T2 at once.
static void bye_repeated_until_f(void)
{
    static const unsigned at[] = {0, 50, 150, 350, 750, 1150, 1550, 1950, 2350, 2750, 3150};
    static const unsigned slow[] = {0, 50, 460, 860, 1260, 1660, 2060, 2460, 2860};
    for (unsigned provisional = 0; provisional < 2; provisional++) {
        fix_open(&fix);
        uint64_t start = fix.wheel.now;
        request(SIP_BYE, 0);
        if (provisional) {
            fix_advance(&fix, 60);
            fix_answer(&fix, 0, fix.sent[0].text, 100, NULL);
        }
        fix_advance(&fix, 64 * FIX_T1 - (provisional ? 60 : 0));
        const unsigned *expect = provisional ? slow : at;
        unsigned n = provisional ? sizeof slow / sizeof *slow : sizeof at / sizeof *at;
        CU_ASSERT_FATAL(fix.sent_count == n);
        for (unsigned i = 0; i < n; i++)
            CU_ASSERT(fix.sent[i].at == start + expect[i]);
        CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 1 && fix.event[0].why == SIP_TIMEOUT);
        fix_close(&fix);
    }
}

// A final response that comes again is absorbed for T4; over TCP nothing waits.
static void bye_answered_once(void)
{
    for (uint32_t listener = 0; listener < 2; listener++) {
        fix_open(&fix);
        request(SIP_BYE, listener);
        fix_answer(&fix, listener, fix.sent[0].text, 200, "b1");
        CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1);
        CU_ASSERT(counters()->txns_live == 0);
        CU_ASSERT(counters()->txns_waiting == (listener ? 0 : 1));
        fix_answer(&fix, listener, fix.sent[0].text, 200, "b1");
        CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 1);
        CU_ASSERT(counters()->rx_again == (listener ? 0 : 1));
        fix_advance(&fix, FIX_T4 + 1);
        CU_ASSERT(counters()->txns_waiting == 0);
        CU_ASSERT(fix.sent_count == 1);
        fix_close(&fix);
    }
}

// Over TCP requests are not repeated; the end is the same.
static void tcp_repeats_nothing(void)
{
    static const enum sip_method methods[] = {SIP_INVITE, SIP_BYE};
    for (unsigned i = 0; i < 2; i++) {
        fix_open(&fix);
        request(methods[i], 1);
        CU_ASSERT(strncmp(fix_header(fix.sent[0].text, "Via"), "SIP/2.0/TCP ", 12) == 0);
        fix_advance(&fix, 64 * FIX_T1 + 1);
        CU_ASSERT(fix.sent_count == 1);
        CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 1);
        fix_close(&fix);
    }
}

// The transport refuses: the user hears it from the loop, not from inside sip_request().
static void transport_failure(void)
{
    static const enum sip_method methods[] = {SIP_INVITE, SIP_OPTIONS};
    for (unsigned i = 0; i < 2; i++) {
        fix_open(&fix);
        fix.fail_send = -ENETUNREACH;
        request(methods[i], 0);
        CU_ASSERT(fix.event_count == 0);
        fix_advance(&fix, 1);
        CU_ASSERT_FATAL(fix.event_count == 1);
        CU_ASSERT(fix.event[0].what == FIX_FAILURE && fix.event[0].why == SIP_TRANSPORT);
        CU_ASSERT(counters()->tx_failed == 1 && fix.stack->all == NULL);
        fix.fail_send = 0;
        fix_close(&fix);
    }
}

static void break_connection(void)
{
    while (fix.waiters) {
        struct sip_waiter *w = fix.waiters;
        sip_waiter_cancel(w);
        w->broken(w->arg);
    }
}

// The connection breaks: requests that nobody has answered fail at once, one that rings goes on.
static void connection_breaks(void)
{
    fix_open(&fix);
    struct sip_txn *quiet = request(SIP_INVITE, 1), *bye = request(SIP_BYE, 1),
                   *rings = request(SIP_INVITE, 1);
    fix_answer(&fix, 1, fix.sent[2].text, 180, "b1");
    break_connection();
    fix_advance(&fix, 1);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 2);
    for (unsigned i = 0; i < fix_events(&fix, FIX_FAILURE); i++) {
        const struct fix_event *e = fix_event(&fix, FIX_FAILURE, i);
        CU_ASSERT(e->why == SIP_TRANSPORT && (e->txn == quiet || e->txn == bye));
    }
    fix_answer(&fix, 1, fix.sent[2].text, 486, "b1");
    CU_ASSERT(fix_events(&fix, FIX_RESPONSE) == 2 && fix_event(&fix, FIX_RESPONSE, 1)->txn == rings);
    CU_ASSERT(fix.waiters == NULL);
    fix_close(&fix);
}

// Responses that are not to a request of ours, or claim to be.
static void stray_responses(void)
{
    static const struct {
        const char *via;
        const char *cseq;
        enum sip_reject counted;
    } table[] = {
        {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKno", "1 INVITE", SIP_REJECT_stray_response},
        {"Via: SIP/2.0/UDP 192.0.2.1:5060", "1 INVITE", SIP_REJECT_stray_response},
        {"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=%s", "1 INVITE", SIP_REJECT_via},
        {"Via: SIP/2.0/UDP 192.0.2.1:5061;branch=%s", "1 INVITE", SIP_REJECT_via},
        {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s\nVia: SIP/2.0/UDP other", "1 INVITE", SIP_REJECT_via},
        {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s, SIP/2.0/UDP other", "1 INVITE", SIP_REJECT_via},
        {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s", "1 BYE", SIP_REJECT_stray_response},
        {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s", "2147483648 INVITE", SIP_REJECT_number},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fix_open(&fix);
        struct sip_txn *txn = request(SIP_INVITE, 0);
        char via[256];
        strcpy(via, "");
        const char *mark = strstr(table[i].via, "%s");
        if (mark)
            snprintf(via, sizeof via, "%.*s%s%s", (int)(mark - table[i].via), table[i].via,
                     fix_branch(fix.sent[0].text), mark + 2);
        else
            snprintf(via, sizeof via, "%s", table[i].via);
        fix_receive(&fix, 0,
                    "SIP/2.0 200 OK\n%s\nFrom: <sip:us@192.0.2.1>;tag=ours\nTo: <sip:b@192.0.2.10>;tag=b\n"
                    "Call-ID: 3.feedbeef\nCSeq: %s\nContent-Length: 0\n\n",
                    via, table[i].cseq);
        CU_ASSERT(fix.event_count == 0);
        CU_ASSERT(counters()->rejects[table[i].counted] == 1);
        sip_abandon(txn);
        fix_close(&fix);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"invite_repeated_until_b", invite_repeated_until_b},
        {"request_has_what_it_needs", request_has_what_it_needs},
        {"bad_requests_refused", bad_requests_refused},
        {"provisional_stops_repeating", provisional_stops_repeating},
        {"failure_acked_again", failure_acked_again},
        {"success_acked_again", success_acked_again},
        {"fork_acked_and_byed", fork_acked_and_byed},
        {"cancel_waits_for_provisional", cancel_waits_for_provisional},
        {"cancelled_and_never_answered", cancelled_and_never_answered},
        {"abandoned_late_provisional", abandoned_late_provisional},
        {"abandoned_late_success", abandoned_late_success},
        {"abandoned_then_success_only", abandoned_then_success_only},
        {"abandoned_instead_of_ack", abandoned_instead_of_ack},
        {"unusable_success_ended", unusable_success_ended},
        {"large_ack_sent_again", large_ack_sent_again},
        {"never_acked_by_user", never_acked_by_user},
        {"bye_repeated_until_f", bye_repeated_until_f},
        {"bye_answered_once", bye_answered_once},
        {"tcp_repeats_nothing", tcp_repeats_nothing},
        {"transport_failure", transport_failure},
        {"connection_breaks", connection_breaks},
        {"stray_responses", stray_responses},
    };
    return test_main("sip_client", TEST_CASES(cases), argc, argv);
}
