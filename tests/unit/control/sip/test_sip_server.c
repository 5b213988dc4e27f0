// SPDX-License-Identifier: BSD-3-Clause
// Server transactions: what a peer sees when messages are lost, repeated or out of place.
#include "sip_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fix fix;
static struct sip_owner owner;

static int respond(struct sip_txn *txn, int status)
{
    return sip_respond(txn, &(struct sip_answer){.status = status, .contact = "<sip:us@192.0.2.1:5060>"});
}

// An INVITE gets its 100 at once, and again when it comes again; the user hears of it once.
static void invite_gets_trying(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 100 ") == 1);
    CU_ASSERT(fix_to_tag(fix.sent[0].text)[0] == '\0');
    CU_ASSERT(strstr(fix.sent[0].text, "Record-Route") == NULL);
    fix_advance(&fix, 30);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 100 ") == 2);
    CU_ASSERT(sip_stack_counters(fix.stack)->rx_again == 1);
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 486) == 0);
    fix_close(&fix);
}

static void answer_now(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    (void)f;
    (void)msg;
    if (event->what == FIX_REQUEST)
        CU_ASSERT(respond(event->txn, 404) == 0);
}

// A user who answers inside the callback spares the 100.
static void quick_answer_spares_trying(void)
{
    fix_open(&fix);
    fix.act = answer_now;
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 100 ") == 0);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 404 ") == 1);
    fix_close(&fix);
}

// The fields of an answer come from the request, byte for byte where they must.
static void answer_has_what_it_needs(void)
{
    fix_open(&fix);
    fix_receive_from(&fix, 0, &(struct tl_addr){.family = TL_AF_INET, .port = 40001, .ip = {192, 0, 2, 33}},
                     "INVITE sip:1@192.0.2.1 SIP/2.0\n"
                     "v: SIP/2.0/UDP gw.example:5066;received=9.9.9.9;branch=z9hG4bKq;rport;x=\"a;b\" , "
                     "SIP/2.0/TCP old;branch=z9hG4bKold\n"
                     "Via: SIP/2.0/UDP older;branch=z9hG4bKolder\n"
                     "Record-Route: <sip:r1;lr>\n"
                     "f: \"A \\\" B\"\n <sip:a@gw.example>;tag=x\n"
                     "t: <sip:1@192.0.2.1>\n"
                     "i: weird()<>id\n"
                     "CSeq: 0007 INVITE\n"
                     "m: <sip:a@gw.example>\n"
                     "l: 0\n\n");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 180,
                                                    .reason = "Is ringing",
                                                    .headers = "X-One: 1\r\nX-Two: 2\r\n"}) == 0);
    const struct fix_sent *s = &fix.sent[1];
    CU_ASSERT(strncmp(s->text, "SIP/2.0 180 Is ringing\r\n", 24) == 0);
    CU_ASSERT(strstr(s->text, "\r\nVia: SIP/2.0/UDP gw.example:5066;branch=z9hG4bKq;x=\"a;b\""
                              ";received=192.0.2.33;rport=40001, SIP/2.0/TCP old;branch=z9hG4bKold\r\n"
                              "Via: SIP/2.0/UDP older;branch=z9hG4bKolder\r\n") != NULL);
    CU_ASSERT(strstr(s->text, "\r\nFrom: \"A \\\" B\"   <sip:a@gw.example>;tag=x\r\n") != NULL);
    CU_ASSERT(strstr(s->text, "\r\nCall-ID: weird()<>id\r\n") != NULL);
    CU_ASSERT(strstr(s->text, "\r\nCSeq: 0007 INVITE\r\n") != NULL);
    CU_ASSERT(strstr(s->text, "\r\nRecord-Route: <sip:r1;lr>\r\n") != NULL);
    CU_ASSERT(strstr(s->text, "\r\nX-One: 1\r\nX-Two: 2\r\n") != NULL);
    CU_ASSERT_STRING_EQUAL(fix_to_tag(s->text), sip_txn_tag(txn));
    CU_ASSERT(sip_loop_of((struct sip_str){sip_txn_tag(txn), strlen(sip_txn_tag(txn))}) == 3);
    // rport: to the source, socket and port
    CU_ASSERT(s->flow.remote.port == 40001 && s->flow.remote.ip[3] == 33);
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 200, .headers = "X: 1\r\n\r\nBYE x"}) ==
              -EINVAL);
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 200, .contact = "<sip:x>\r\nEvil: 1"}) ==
              -EINVAL);
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 99}) == -EINVAL);
    CU_ASSERT(respond(txn, 603) == 0);
    CU_ASSERT(respond(txn, 603) == -EALREADY);
    fix_close(&fix);
}

// Without rport the answer goes to the port that Via names (18.2.2).
static void answer_goes_to_via_port(void)
{
    static const struct {
        const char *sent_by;
        unsigned port;
    } table[] = {{"192.0.2.44:5099", 5099}, {"192.0.2.44", 5060}, {"gw.example", 5060}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[512];
        fix_open(&fix);
        snprintf(text, sizeof text,
                 "OPTIONS sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bKo\nFrom: <sip:a@b>;tag=1\n"
                 "To: <sip:c@d>\nCall-ID: o\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
                 table[i].sent_by);
        fix_receive_from(&fix, 0,
                         &(struct tl_addr){.family = TL_AF_INET, .port = 40001, .ip = {192, 0, 2, 33}}, text);
        CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == 0);
        CU_ASSERT(fix.sent[0].flow.remote.ip[3] == 33 && fix.sent[0].flow.remote.port == table[i].port);
        CU_ASSERT(strstr(fix.sent[0].text, ";received=192.0.2.33") != NULL);
        fix_close(&fix);
    }
}

// The 2xx is lost: INVITEs that come again never reach the user, the 2xx is repeated T1 doubling to T2.
static void repeats_2xx(uint32_t listener)
{
    static const unsigned at[] = {0, 50, 150, 350, 750, 1150, 1550, 1950, 2350, 2750, 3150};
    fix_open(&fix);
    fix_invite(&fix, listener, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    sip_txn_set_owner(txn, &owner);
    CU_ASSERT(respond(txn, 200) == 0);
    uint64_t start = fix.wheel.now;
    fix_advance(&fix, 20);
    fix_invite(&fix, listener, "a"); // the peer has not seen the 2xx
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    fix_advance(&fix, 64 * FIX_T1 - 21);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == sizeof at / sizeof *at);
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
        const struct fix_sent *s = fix_find(&fix, 0, "SIP/2.0 200 ", i);
        CU_ASSERT_FATAL(s != NULL);
        CU_ASSERT(s->at == start + at[i]);
        CU_ASSERT_STRING_EQUAL(s->text, fix_find(&fix, 0, "SIP/2.0 200 ", 0)->text);
        CU_ASSERT(s->flow.transport == (listener ? TL_TCP : TL_UDP));
    }
    // no ACK at all: the user ends the call
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
    fix_advance(&fix, 2);
    CU_ASSERT_FATAL(fix_events(&fix, FIX_FAILURE) == 1);
    CU_ASSERT(fix_event(&fix, FIX_FAILURE, 0)->owner == &owner);
    CU_ASSERT(fix_event(&fix, FIX_FAILURE, 0)->why == SIP_TIMEOUT);
    CU_ASSERT(sip_stack_counters(fix.stack)->no_ack == 1);
    fix_close(&fix);
}

static void udp_2xx_repeated_until_64_t1(void)
{
    repeats_2xx(0);
}

static void tcp_2xx_repeated_too(void)
{
    repeats_2xx(1);
}

// The ACK is lost once: the 2xx goes on until the next one; then silence, and repeated ACKs and INVITEs are
// absorbed.
static void ack_ends_2xx(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    char tag[SIP_TAG_LEN];
    strcpy(tag, sip_txn_tag(txn));
    sip_txn_set_owner(txn, &owner);
    CU_ASSERT(respond(txn, 200) == 0);
    fix_advance(&fix, 60); // first ACK lost
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "ack1", tag);
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 1);
    CU_ASSERT(fix_event(&fix, FIX_ACK, 0)->owner == &owner);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "ack1", tag);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "ack2", tag);
    fix_invite(&fix, 0, "a");
    fix_advance(&fix, 64 * FIX_T1 - 70);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 1);
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    fix_close(&fix);
}

// ACKs that name another call, tag or CSeq stop nothing.
static void foreign_ack_stops_nothing(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    char tag[SIP_TAG_LEN];
    strcpy(tag, sip_txn_tag(txn));
    CU_ASSERT(respond(txn, 200) == 0);
    fix_in_dialog(&fix, 0, "a", "ACK", 2, "x1", tag);
    fix_in_dialog(&fix, 0, "b", "ACK", 1, "x2", tag);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "x3", "other");
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "x4", NULL);
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 0);
    CU_ASSERT(sip_stack_counters(fix.stack)->rejects[SIP_REJECT_stray_ack] == 4);
    fix_advance(&fix, 60);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "x5", tag);
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 1);
    fix_close(&fix);
}

// 486 is lost: repeated by timer G until its ACK, at once when the INVITE comes again; ACKs are absorbed for
// T4.
static void failure_repeated_until_ack(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    uint64_t start = fix.wheel.now;
    CU_ASSERT(respond(txn, 486) == 0);
    fix_advance(&fix, 20);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 486 ") == 2);
    fix_advance(&fix, 1000);
    static const unsigned at[] = {0, 20, 50, 150, 350, 750};
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 486 ") == sizeof at / sizeof *at);
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++)
        CU_ASSERT(fix_find(&fix, 0, "SIP/2.0 486 ", i)->at == start + at[i]);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 1);
    // same branch as the INVITE: not the user's business
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "a", fix_to_tag(fix.sent[1].text));
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 0);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 0);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_waiting == 1);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "a", fix_to_tag(fix.sent[1].text));
    fix_advance(&fix, 300);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 486 ") == sizeof at / sizeof *at);
    fix_advance(&fix, FIX_T4);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_waiting == 0);
    CU_ASSERT(sip_stack_counters(fix.stack)->rejects[SIP_REJECT_stray_ack] == 0);
    fix_close(&fix);
}

// No ACK to it at all: timer H ends it, silently. Over TCP nothing is repeated meanwhile.
static void failure_without_ack_ends(void)
{
    for (uint32_t listener = 0; listener < 2; listener++) {
        fix_open(&fix);
        fix_invite(&fix, listener, "a");
        CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 503) == 0);
        fix_advance(&fix, 64 * FIX_T1 - 1);
        CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 1);
        fix_advance(&fix, 2);
        CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 0);
        CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
        unsigned n = fix_count(&fix, 0, "SIP/2.0 503 ");
        CU_ASSERT(listener ? n == 1 : n == 11);
        fix_close(&fix);
    }
}

// The 200 to a BYE is lost: the BYE that comes again gets the same bytes from a small record.
static void bye_answered_again(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 0, "a", "BYE", 2, "bye", "ours");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0") == 0);
    fix_in_dialog(&fix, 0, "a", "BYE", 2, "bye", "ours"); // before there is an answer: absorbed
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0") == 0);
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == 0);
    const struct sip_counters *c = sip_stack_counters(fix.stack);
    CU_ASSERT(c->txns_live == 0 && c->txns_waiting == 1);
    fix_advance(&fix, 1000);
    fix_in_dialog(&fix, 0, "a", "BYE", 2, "bye", "ours");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    CU_ASSERT_STRING_EQUAL(fix.sent[0].text, fix.sent[1].text);
    CU_ASSERT(strstr(fix.sent[0].text, "To: <sip:+15551234@192.0.2.1>;tag=ours\r\n") != NULL);
    fix_advance(&fix, 64 * FIX_T1);
    CU_ASSERT(c->txns_waiting == 0);
    fix_in_dialog(&fix, 0, "a", "BYE", 2, "bye", "ours");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 2);
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 1)->txn, 481) == 0);
    fix_close(&fix);
}

// Over TCP nothing comes again: no record.
static void tcp_bye_leaves_no_record(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 1, "a", "BYE", 2, "bye", "ours");
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == 0);
    CU_ASSERT(fix.stack->all == NULL);
    CU_ASSERT(fix.sent[0].flow.conn_generation == 1);
    fix_close(&fix);
}

// A record of a transaction that waits, with what it repeats, is at most 1.5 kB; what is larger is not
// repeated.
static void record_is_small(void)
{
    static char body[4000];
    memset(body, 'x', sizeof body);
    fix_open(&fix);
    fix_in_dialog(&fix, 0, "a", "OPTIONS", 2, "o", NULL);
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    CU_ASSERT(
        sip_respond(txn, &(struct sip_answer){
                             .status = 200, .body_type = "text/plain", .body = body, .body_len = 700}) == 0);
    CU_ASSERT_FATAL(txn->repeat != NULL);
    CU_ASSERT(sizeof *txn + sizeof *txn->repeat + txn->repeat->len <= 1536);
    CU_ASSERT(txn->live == NULL && txn->answer == NULL);
    fix_in_dialog(&fix, 0, "b", "OPTIONS", 2, "p", NULL);
    txn = fix_event(&fix, FIX_REQUEST, 1)->txn;
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 200,
                                                    .body_type = "text/plain",
                                                    .body = body,
                                                    .body_len = sizeof body}) == 0);
    CU_ASSERT(txn->repeat == NULL);
    fix_in_dialog(&fix, 0, "b", "OPTIONS", 2, "p", NULL);
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 2);
    CU_ASSERT(fix.sent_count == 2);
    fix_close(&fix);
}

// An owner that goes takes leave of every transaction in one place: none comes back to it, whatever still
// arrives.
static void owner_goes(void)
{
    fix_open(&fix);
    struct sip_request r = fix_request(SIP_BYE);
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    struct sip_txn *bye;
    fix_invite(&fix, 0, "1"); // answered 200, its ACK is due
    struct sip_txn *invite = fix.event[0].txn;
    sip_txn_set_owner(invite, &owner);
    sip_respond(invite, &(struct sip_answer){.status = 200});
    const char *tag = fix_to_tag(fix_last(&fix));
    fix_invite(&fix, 0, "2"); // not answered yet
    sip_txn_set_owner(fix.event[1].txn, &owner);
    CU_ASSERT(sip_request(fix.stack, &to, &r, &owner, &bye) == 0);
    CU_ASSERT_PTR_NOT_NULL(owner.txns);
    sip_owner_cut(&owner);
    CU_ASSERT_PTR_NULL(owner.txns);
    CU_ASSERT_EQUAL(fix_count(&fix, 0, "SIP/2.0 500"), 1);
    unsigned events = fix.event_count;
    fix_in_dialog(&fix, 0, "1", "ACK", 1, "late", tag);
    fix_advance(&fix, 64 * FIX_T1 + 100);
    CU_ASSERT_EQUAL(fix.event_count, events);
    fix_close(&fix);
}

// CANCEL: 200 by the stack each time, the user told once and only while there is something to cancel.
static void cancel_reaches_user_once(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    sip_txn_set_owner(txn, &owner);
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL);
    CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 1);
    CU_ASSERT(fix_event(&fix, FIX_CANCEL, 0)->owner == &owner && fix_event(&fix, FIX_CANCEL, 0)->txn == txn);
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL); // the 200 was lost
    CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "CSeq"), "1 CANCEL");
    CU_ASSERT_STRING_EQUAL(fix_to_tag(fix_last(&fix)), sip_txn_tag(txn));
    CU_ASSERT(respond(txn, 487) == 0);
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL);
    CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 1);
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "a", fix_to_tag(fix_find(&fix, 0, "SIP/2.0 487", 0)->text));
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 0);
    fix_close(&fix);
}

static void cancel_of_nothing(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 481 ") == 1);
    char first[64];
    strcpy(first, fix_to_tag(fix_last(&fix)));
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL);
    CU_ASSERT_STRING_EQUAL(fix_to_tag(fix_last(&fix)), first); // the same request, the same tag
    fix_in_dialog(&fix, 0, "a", "BYE", 1, "a", "x");
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", "x"); // a BYE is not to be cancelled
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 481 ") == 3);
    CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 0);
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == 0);
    fix_close(&fix);
}

// The same request by another way is 482 (8.2.2.2); inside a dialog it is not looked at.
static void merged_request(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 0, "a", "OPTIONS", 5, "one", NULL);
    fix_in_dialog(&fix, 0, "a", "OPTIONS", 5, "two", NULL);
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 482 ") == 1);
    fix_in_dialog(&fix, 0, "a", "OPTIONS", 6, "three", NULL);
    fix_in_dialog(&fix, 0, "a", "OPTIONS", 5, "four", "tag");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 3);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 482 ") == 1);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, i)->txn, 200) == 0);
    fix_close(&fix);
}

// What the stack refuses by itself.
static void refusals(void)
{
    static const struct {
        const char *start, *header;
        const char *answer, *has;
        enum sip_reject counted; // SIP_REJECT_COUNT: not as a bad message
    } table[] = {
        {"OPTIONS sip:a@192.0.2.1 SIP/2.0", "Require: bar, foo", "SIP/2.0 420 ",
         "\r\nUnsupported: bar, foo\r\n", SIP_REJECT_COUNT},
        {"OPTIONS sip:a@192.0.2.1 SIP/3.0", "X: y", "SIP/2.0 505 ", NULL, SIP_REJECT_version},
        {"OPTIONS mailto:a@192.0.2.1 SIP/2.0", "X: y", "SIP/2.0 416 ", NULL, SIP_REJECT_scheme},
        {"OPTIONS  sip:a@192.0.2.1 SIP/2.0", "X: y", "SIP/2.0 400 ", NULL, SIP_REJECT_start_line},
        {"OPTIONS sip:a@192.0.2.1 SIP/2.0", "no colon", "SIP/2.0 400 ", NULL, SIP_REJECT_line},
        {"OPTIONS sip:a@192.0.2.1 SIP/2.0", "Max-Forwards: 256", "SIP/2.0 400 ", NULL, SIP_REJECT_number},
        {"OPTIONS sip:a@192.0.2.1 SIP/2.0", "Content-Length: 1", "SIP/2.0 400 ", NULL, SIP_REJECT_length},
        {"OPTIONS sip:[bad@192.0.2.1 SIP/2.0", "X: y", NULL, NULL, SIP_REJECT_COUNT},
        {"BYE sip:a@192.0.2.1 SIP/2.0", "X: y", "SIP/2.0 400 ", NULL, SIP_REJECT_required},
        {"ACK sip:a@192.0.2.1 SIP/3.0", "X: y", NULL, NULL, SIP_REJECT_version},
        {"nonsense", "X: y", NULL, NULL, SIP_REJECT_start_line},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fix_open(&fix);
        fix_receive(&fix, 0,
                    "%s\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKr\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\n"
                    "Call-ID: r\nCSeq: 1 OPTIONS\n%s\n\n",
                    table[i].start, table[i].header);
        if (table[i].answer) {
            CU_ASSERT(fix.sent_count == 1 && fix_count(&fix, 0, table[i].answer) == 1);
            CU_ASSERT(fix_to_tag(fix_last(&fix))[0] != '\0');
            CU_ASSERT(!table[i].has || strstr(fix_last(&fix), table[i].has));
            CU_ASSERT(sip_stack_counters(fix.stack)->answered_here == 1);
            CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 0);
        } else if (fix_events(&fix, FIX_REQUEST)) {
            CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == 0);
        } else {
            CU_ASSERT(fix.sent_count == 0 || fix_count(&fix, 0, "SIP/2.0 400 ") == 1);
        }
        for (unsigned r = 0; r < SIP_REJECT_COUNT && table[i].counted < SIP_REJECT_COUNT; r++)
            CU_ASSERT(sip_stack_counters(fix.stack)->rejects[r] == (r == table[i].counted));
        fix_close(&fix);
    }
}

// At the limit new calls get 503 with Retry-After, and calls that exist can still be ended.
static void overload(void)
{
    fix_open(&fix);
    char id[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "n%u", i);
        fix_invite(&fix, 0, id);
    }
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 100);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_live == 100);
    unsigned before = fix.sent_count;
    fix_invite(&fix, 0, "more");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 100);
    CU_ASSERT(fix_count(&fix, before, "SIP/2.0 503 ") == 1);
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Retry-After"), "7");
    CU_ASSERT(sip_stack_counters(fix.stack)->rejects[SIP_REJECT_overload] == 1);
    fix_in_dialog(&fix, 0, "more", "ACK", 1, "more", fix_to_tag(fix_last(&fix))); // harmless
    fix_in_dialog(&fix, 0, "a", "BYE", 2, "bye", "ours");
    CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 101);
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 100)->txn, 200) == 0);
    CU_ASSERT(sip_request(fix.stack, &fix.sent[0].flow, &(struct sip_request){.method = SIP_OPTIONS}, NULL,
                          NULL) == -EINVAL);
    struct sip_request r = fix_request(SIP_OPTIONS);
    CU_ASSERT(sip_request(fix.stack, &fix.sent[0].flow, &r, NULL, NULL) == -EAGAIN);
    for (unsigned i = 0; i < 100; i++)
        CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, i)->txn, 480) == 0);
    CU_ASSERT(sip_stack_counters(fix.stack)->txns_live_most == 101);
    fix_drop(&fix);
}

// The answer cannot be sent: the user is told by the return value and nothing is left.
static void answer_not_sent(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 1, "a", "BYE", 2, "bye", "ours");
    fix.fail_send = -EPIPE;
    CU_ASSERT(respond(fix_event(&fix, FIX_REQUEST, 0)->txn, 200) == -EIO);
    fix.fail_send = 0;
    CU_ASSERT(fix.stack->all == NULL);
    CU_ASSERT(fix_events(&fix, FIX_FAILURE) == 0);
    fix_close(&fix);
}

// Neither the 100, a 180 nor a repetition that cannot be sent ends an INVITE that the user still holds.
static void unsent_provisional_ends_nothing(void)
{
    for (uint32_t listener = 0; listener < 2; listener++) {
        fix_open(&fix);
        fix.fail_send = -EPIPE;
        fix_invite(&fix, listener, "a"); // no 100
        struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
        fix_invite(&fix, listener, "a"); // nor again
        CU_ASSERT(respond(txn, 180) == 0);
        fix_invite(&fix, listener, "a");
        CU_ASSERT(fix.sent_count == 0 && fix_events(&fix, FIX_REQUEST) == 1);
        fix.fail_send = 0;
        fix_invite(&fix, listener, "a");
        CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 180 ") == 1);
        CU_ASSERT(respond(txn, 486) == 0);
        fix.fail_send = -EPIPE;
        fix_advance(&fix, 200); // timer G finds nobody for a while
        fix.fail_send = 0;
        fix_invite(&fix, listener, "a");
        CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 486 ") == 2);
        fix_close(&fix);
    }
}

// A re-INVITE: its 2xx is repeated until the ACK with the dialog's tags.
static void reinvite_2xx_and_ack(void)
{
    fix_open(&fix);
    fix_in_dialog(&fix, 0, "a", "INVITE", 7, "re", "ours");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    CU_ASSERT_STRING_EQUAL(sip_txn_tag(txn), "ours");
    CU_ASSERT(respond(txn, 200) == 0);
    CU_ASSERT(strstr(fix_last(&fix), ";tag=ours\r\n") != NULL && strstr(fix_last(&fix), "tag=3.") == NULL);
    fix_advance(&fix, 60);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    fix_in_dialog(&fix, 0, "a", "ACK", 7, "reack", "ours");
    CU_ASSERT(fix_events(&fix, FIX_ACK) == 1);
    fix_advance(&fix, 1000);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    fix_close(&fix);
}

// The call ends before its ACK is here: the 2xx is repeated no longer, a late ACK is absorbed.
static void abandoned_2xx(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
    CU_ASSERT(respond(txn, 200) == 0);
    fix_advance(&fix, 60);
    char tag[SIP_TAG_LEN];
    strcpy(tag, sip_txn_tag(txn));
    sip_abandon(txn);
    fix_invite(&fix, 0, "a");
    fix_in_dialog(&fix, 0, "a", "ACK", 1, "late", tag);
    fix_advance(&fix, 1000);
    fix_invite(&fix, 0, "a");
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 200 ") == 2);
    CU_ASSERT(fix.event_count == 1);
    CU_ASSERT(sip_stack_counters(fix.stack)->rejects[SIP_REJECT_stray_ack] == 0);
    fix_close(&fix);
    CU_ASSERT(fix.event_count == 1);
}

// A request that nobody is going to answer does not hang.
static void abandoned_request(void)
{
    fix_open(&fix);
    fix_invite(&fix, 0, "a");
    fix_in_dialog(&fix, 0, "b", "BYE", 2, "b", "x");
    sip_abandon(fix_event(&fix, FIX_REQUEST, 0)->txn);
    sip_abandon(fix_event(&fix, FIX_REQUEST, 1)->txn);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 500 ") == 2);
    fix_in_dialog(&fix, 0, "a", "CANCEL", 1, "a", NULL);
    CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 0);
    fix_close(&fix);
}

// A peer of RFC 2543, without a cookie in its branch and without a From tag.
static void old_peer(void)
{
    static const char text[] =
        "%s sip:1@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060\nFrom: <sip:a@192.0.2.10>\n"
        "To: <sip:1@192.0.2.1>%s%s\nCall-ID: old\nCSeq: 1 %s\nContact: <sip:a@192.0.2.10>\n\n";
    for (unsigned failure = 0; failure < 2; failure++) {
        fix_open(&fix);
        fix_receive(&fix, 0, text, "INVITE", "", "", "INVITE");
        fix_receive(&fix, 0, text, "INVITE", "", "", "INVITE");
        CU_ASSERT(fix_events(&fix, FIX_REQUEST) == 1 && fix_count(&fix, 0, "SIP/2.0 100 ") == 2);
        fix_receive(&fix, 0, text, "CANCEL", "", "", "CANCEL");
        CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 1);
        struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
        char tag[SIP_TAG_LEN];
        strcpy(tag, sip_txn_tag(txn));
        CU_ASSERT(respond(txn, failure ? 487 : 200) == 0);
        fix_receive(&fix, 0, text, "ACK", ";tag=", "wrong", "ACK");
        CU_ASSERT(sip_stack_counters(fix.stack)->rejects[SIP_REJECT_stray_ack] == 1);
        fix_receive(&fix, 0, text, "ACK", ";tag=", tag, "ACK");
        CU_ASSERT(fix_events(&fix, FIX_ACK) == 1 - failure);
        unsigned n = fix.sent_count;
        fix_advance(&fix, 1000);
        CU_ASSERT(fix.sent_count == n);
        fix_close(&fix);
    }
}

// Who knows branch and tags, but sits elsewhere: its CANCEL and ACK end nothing.
static void strangers(void)
{
    static const struct tl_addr elsewhere = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 77}};
    const struct sip_counters *c;
    for (uint32_t listener = 0; listener < 2; listener++) {
        fix_open(&fix);
        c = sip_stack_counters(fix.stack);
        fix_invite(&fix, listener, "a");
        struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
        fix.from = &elsewhere;
        fix_in_dialog(&fix, listener, "a", "CANCEL", 1, "a", NULL);
        CU_ASSERT(fix_events(&fix, FIX_CANCEL) == 0 && c->rejects[SIP_REJECT_stranger] == 1);
        CU_ASSERT(strncmp(fix_last(&fix), "SIP/2.0 481 ", 12) == 0);
        CU_ASSERT(respond(txn, 200) == 0);
        char tag[SIP_TAG_LEN];
        snprintf(tag, sizeof tag, "%s", sip_txn_tag(txn));
        fix_in_dialog(&fix, listener, "a", "ACK", 1, "other", tag);
        CU_ASSERT(fix_events(&fix, FIX_ACK) == 0 && c->rejects[SIP_REJECT_stranger] == 2);
        fix.from = NULL;
        fix_in_dialog(&fix, listener, "a", "ACK", 1, "other", tag);
        CU_ASSERT(fix_events(&fix, FIX_ACK) == 1);

        fix_invite(&fix, listener, "b"); // and to what is refused
        txn = fix_event(&fix, FIX_REQUEST, 1)->txn;
        CU_ASSERT(respond(txn, 486) == 0);
        fix.from = &elsewhere;
        fix_in_dialog(&fix, listener, "b", "ACK", 1, "b", fix_to_tag(fix_last(&fix)));
        CU_ASSERT(c->rejects[SIP_REJECT_stranger] == 3 && c->txns_live == 1);
        fix.from = NULL;
        fix_in_dialog(&fix, listener, "b", "ACK", 1, "b", fix_to_tag(fix_last(&fix)));
        CU_ASSERT(c->txns_live == 0);
        fix_close(&fix);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"invite_gets_trying", invite_gets_trying},
        {"quick_answer_spares_trying", quick_answer_spares_trying},
        {"answer_has_what_it_needs", answer_has_what_it_needs},
        {"answer_goes_to_via_port", answer_goes_to_via_port},
        {"udp_2xx_repeated_until_64_t1", udp_2xx_repeated_until_64_t1},
        {"tcp_2xx_repeated_too", tcp_2xx_repeated_too},
        {"ack_ends_2xx", ack_ends_2xx},
        {"foreign_ack_stops_nothing", foreign_ack_stops_nothing},
        {"failure_repeated_until_ack", failure_repeated_until_ack},
        {"failure_without_ack_ends", failure_without_ack_ends},
        {"bye_answered_again", bye_answered_again},
        {"tcp_bye_leaves_no_record", tcp_bye_leaves_no_record},
        {"record_is_small", record_is_small},
        {"owner_goes", owner_goes},
        {"cancel_reaches_user_once", cancel_reaches_user_once},
        {"cancel_of_nothing", cancel_of_nothing},
        {"merged_request", merged_request},
        {"refusals", refusals},
        {"overload", overload},
        {"answer_not_sent", answer_not_sent},
        {"unsent_provisional_ends_nothing", unsent_provisional_ends_nothing},
        {"reinvite_2xx_and_ack", reinvite_2xx_and_ack},
        {"abandoned_2xx", abandoned_2xx},
        {"abandoned_request", abandoned_request},
        {"strangers", strangers},
        {"old_peer", old_peer},
    };
    return test_main("sip_server", TEST_CASES(cases), argc, argv);
}
