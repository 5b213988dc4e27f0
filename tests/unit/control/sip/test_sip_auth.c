// SPDX-License-Identifier: BSD-3-Clause
// Requests of ours that are challenged: sent again under the same pointer, below what their user sees.
#include <stdio.h>
#include <string.h>

#include "sip_fixture.h"

static struct fix fix;
static struct sip_owner owner;
static struct sip_account *account;

#define ASK    "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n1\", qop=\"auth\"\n"
#define ASK_2  "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n2\", qop=\"auth\"\n"
#define OTHERS "WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"n1\"\n"

static void open_fix(void)
{
    fix_open(&fix);
    fix.again_cseq = 7;
    account = sip_account_new("carrier");
    CU_ASSERT_FATAL(account && sip_account_add(account, "biloxi.com", "bob", "zanzibar") == 0);
}

static void close_fix(void)
{
    fix_close(&fix);
    sip_account_release(account);
}

static struct sip_txn *request(enum sip_method method, uint32_t listener)
{
    struct sip_request r = fix_request(method);
    struct sip_flow to = sip_flow_to(fix.stack, listener, &fix_peer);
    struct sip_txn *txn = NULL;
    r.account = account;
    r.headers = "X-One: 1\r\n";
    r.body_type = "application/sdp";
    r.body = "v=0\r\n";
    r.body_len = 5;
    CU_ASSERT_FATAL(sip_request(fix.stack, &to, &r, &owner, &txn) == 0);
    return txn;
}

static const char *sent(unsigned n)
{
    CU_ASSERT_FATAL(n < fix.sent_count);
    return fix.sent[n].text;
}

static const struct sip_counters *counters(void)
{
    return sip_stack_counters(fix.stack);
}

// Another party's 200 to that INVITE, which wants requests at its Contact.
static void fork_answers(const char *invite, const char *tag, const char *contact)
{
    fix_receive(&fix, 0,
                "SIP/2.0 200 OK\n"
                "Via: %s;received=192.0.2.1\n"
                "From: %s\n"
                "To: %s;tag=%s\n"
                "Call-ID: %s\n"
                "CSeq: %s\n"
                "Contact: <%s>\n"
                "Content-Length: 0\n\n",
                fix_header(invite, "Via"), fix_header(invite, "From"), fix_header(invite, "To"), tag,
                fix_header(invite, "Call-ID"), fix_header(invite, "CSeq"), contact);
}

// The second INVITE is the first one but for its branch, CSeq and credentials; its user hears of the 200 alone.
static void invite(void)
{
    open_fix();
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_answer_with(&fix, 0, sent(0), 401, "x", ASK);
    CU_ASSERT_FATAL(fix.sent_count == 3);
    CU_ASSERT(strncmp(sent(1), "ACK ", 4) == 0);
    CU_ASSERT_STRING_EQUAL(fix_branch(sent(1)), fix_branch(sent(0)));
    const char *again = sent(2);
    char line[300];
    snprintf(line, sizeof line, "CSeq: 7 INVITE\r\nAuthorization: Digest username=\"bob\"");
    CU_ASSERT(strncmp(again, "INVITE sip:b@192.0.2.10:5060 SIP/2.0\r\n", 38) == 0 && strstr(again, line));
    CU_ASSERT(strcmp(fix_branch(again), fix_branch(sent(0))) != 0);
    static const char *const same[] = {"Max-Forwards",  "From",  "To",        "Call-ID", "Contact",
                                       "User-Agent",    "Allow", "Supported", "X-One",   "Content-Type",
                                       "Content-Length"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        CU_ASSERT_STRING_EQUAL(fix_header(again, same[i]), fix_header(sent(0), same[i]));
    CU_ASSERT(strstr(again, "\r\n\r\nv=0\r\n") != NULL);
    CU_ASSERT(fix.event_count == 0 && counters()->challenged == 1 && counters()->challenged_in_vain == 0);
    // the challenge comes again: its ACK does, and nothing else
    fix_answer_with(&fix, 0, sent(0), 401, "x", ASK);
    CU_ASSERT(fix.sent_count == 4 && strncmp(sent(3), "ACK ", 4) == 0 && fix.event_count == 0);
    fix_answer(&fix, 0, again, 180, "b1");
    fix_answer(&fix, 0, again, 200, "b1");
    CU_ASSERT(fix.event_count == 2 && fix.event[1].txn == txn && fix.event[1].status == 200);
    struct sip_request r = fix_request(SIP_ACK);
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    r.cseq = 7;
    CU_ASSERT(sip_ack(txn, &to, &r) == 0);
    // RFC 3261 13.2.2.4: the ACK has the credentials of the INVITE, as they are
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Authorization"), fix_header(again, "Authorization"));
    // so has the ACK to another fork, whose BYE answers for itself
    fork_answers(again, "b2", "sip:b@192.0.2.10:5060");
    const struct fix_sent *bye = fix_find(&fix, 0, "BYE ", 0), *ack = fix_find(&fix, 0, "ACK ", 3);
    CU_ASSERT_FATAL(bye && ack);
    CU_ASSERT_STRING_EQUAL(fix_header(ack->text, "Authorization"), fix_header(again, "Authorization"));
    CU_ASSERT(strstr(fix_header(bye->text, "Authorization"), "nc=00000002") != NULL);
    fix_answer_with(&fix, 0, bye->text, 401, NULL, ASK_2);
    CU_ASSERT_FATAL(fix_count(&fix, 0, "BYE ") == 2);
    CU_ASSERT(strstr(fix_header(fix_find(&fix, 0, "BYE ", 1)->text, "Authorization"), "nonce=\"n2\"") !=
              NULL);
    fix_answer(&fix, 0, fix_find(&fix, 0, "BYE ", 1)->text, 200, NULL);
    // what goes to another host than the peer has none, and answers no challenge
    fork_answers(again, "b3", "sip:b@192.0.2.20:5070");
    bye = fix_find(&fix, 0, "BYE ", 2);
    CU_ASSERT_FATAL(bye && strncmp(bye->text, "BYE sip:b@192.0.2.20", 20) == 0);
    CU_ASSERT_STRING_EQUAL(fix_header(bye->text, "Authorization"), "");
    CU_ASSERT_STRING_EQUAL(fix_header(fix_find(&fix, 0, "ACK ", 4)->text, "Authorization"), "");
    fix_answer_with(&fix, 0, bye->text, 401, NULL, ASK_2);
    CU_ASSERT(fix_count(&fix, 0, "BYE ") == 3);
    CU_ASSERT(fix.event_count == 2);
    close_fix();
}

// A request inside a dialog, and the next one, which says who we are at once.
static void others(void)
{
    static const enum sip_method methods[] = {SIP_BYE,   SIP_OPTIONS, SIP_UPDATE, SIP_PRACK,
                                              SIP_REFER, SIP_INFO,    SIP_NOTIFY, SIP_REGISTER};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        for (uint32_t listener = 0; listener < 2; listener++) {
            open_fix();
            struct sip_txn *txn = request(methods[i], listener);
            fix_answer_with(&fix, listener, sent(0), 401, "x", ASK);
            CU_ASSERT_FATAL(fix.sent_count == 2 && fix.event_count == 0);
            CU_ASSERT(strstr(fix_header(sent(1), "Authorization"), "nc=00000001") != NULL);
            fix_answer(&fix, listener, sent(1), 200, "x");
            CU_ASSERT(fix.event_count == 1 && fix.event[0].txn == txn && fix.event[0].status == 200);
            request(methods[i], listener);
            CU_ASSERT(strstr(fix_header(sent(2), "Authorization"), "nc=00000002") != NULL);
            fix_answer(&fix, listener, sent(2), 200, "x");
            CU_ASSERT(fix.sent_count == 3 && fix.event_count == 2);
            close_fix();
        }
    }
}

// What cannot be answered is the user's.
static void in_vain(void)
{
    open_fix();
    request(SIP_OPTIONS, 0);
    fix_answer_with(&fix, 0, sent(0), 401, "x", OTHERS);
    CU_ASSERT(fix.sent_count == 1 && fix.event_count == 1 && fix.event[0].status == 401);
    request(SIP_OPTIONS, 0);
    fix_answer_with(&fix, 0, sent(1), 401, "x", ASK);
    fix_answer_with(&fix, 0, sent(2), 401, "x", ASK_2); // a wrong password
    CU_ASSERT(fix.sent_count == 3 && fix.event_count == 2 && fix.event[1].status == 401);
    fix.again_cseq = 0; // the user does not want it
    request(SIP_OPTIONS, 0);
    fix_answer_with(&fix, 0, sent(3), 401, "x", ASK);
    CU_ASSERT(fix.sent_count == 4 && fix.event_count == 3);
    sip_account_forget(account);
    struct sip_account *kept = account;
    account = NULL;
    request(SIP_OPTIONS, 0); // nobody's
    account = kept;
    fix_answer_with(&fix, 0, sent(4), 401, "x", ASK);
    CU_ASSERT(fix.sent_count == 5 && fix.event_count == 4);
    CU_ASSERT(counters()->challenged == 4 && counters()->challenged_in_vain == 2);
    close_fix();
}

// A peer that challenges on and on gets six requests.
static void bounded(void)
{
    open_fix();
    request(SIP_INVITE, 0);
    for (unsigned i = 0; i < 10; i++) {
        char ask[200];
        const struct fix_sent *last = fix_find(&fix, 0, "INVITE ", i);
        if (!last)
            break;
        snprintf(ask, sizeof ask,
                 "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"s%u\", stale=true\n", i);
        fix_answer_with(&fix, 0, last->text, 401, "x", ask);
    }
    CU_ASSERT(fix_count(&fix, 0, "INVITE ") == 1 + SIP_AUTH_ROUNDS && fix_count(&fix, 0, "ACK ") == 6);
    CU_ASSERT(fix.event_count == 1 && fix.event[0].status == 401);
    close_fix();
}

// A CANCEL before the challenge: nothing is sent again. One behind it cancels the second INVITE.
static void cancelled(void)
{
    open_fix();
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_answer(&fix, 0, sent(0), 100, NULL);
    CU_ASSERT(sip_cancel(txn) == 0);
    fix_answer_with(&fix, 0, sent(0), 401, "x", ASK);
    CU_ASSERT(fix_count(&fix, 0, "INVITE ") == 1 && fix.event_count == 1 && fix.event[0].status == 401);
    fix_answer(&fix, 0, fix_find(&fix, 0, "CANCEL ", 0)->text, 200, "x");
    unsigned from = fix.sent_count;
    txn = request(SIP_INVITE, 0);
    fix_answer_with(&fix, 0, sent(from), 401, "x", ASK);
    const struct fix_sent *again = fix_find(&fix, from + 1, "INVITE ", 0);
    CU_ASSERT_FATAL(again != NULL);
    fix_answer(&fix, 0, again->text, 180, "b1");
    CU_ASSERT(sip_cancel(txn) == 0);
    const struct fix_sent *cancel = fix_find(&fix, from, "CANCEL ", 0);
    CU_ASSERT_FATAL(cancel != NULL);
    CU_ASSERT_STRING_EQUAL(fix_branch(cancel->text), fix_branch(again->text));
    CU_ASSERT_STRING_EQUAL(fix_header(cancel->text, "CSeq"), "7 CANCEL");
    // RFC 3261 22.1: nobody challenges a CANCEL; whoever does gets no answer
    CU_ASSERT(fix_header(cancel->text, "Authorization")[0] == '\0');
    fix_answer_with(&fix, 0, cancel->text, 401, "b1", ASK_2);
    CU_ASSERT(fix_count(&fix, from, "CANCEL ") == 1);
    fix_answer(&fix, 0, again->text, 487, "b1");
    CU_ASSERT(fix.event[fix.event_count - 1].txn == txn && fix.event[fix.event_count - 1].status == 487);
    close_fix();
}

// Given up in between; and nobody answers the second one: timer F runs anew.
static void times(void)
{
    open_fix();
    struct sip_txn *txn = request(SIP_INVITE, 0);
    fix_answer_with(&fix, 0, sent(0), 401, "x", ASK);
    sip_abandon(txn);
    fix_answer(&fix, 0, sent(2), 200, "b1");
    CU_ASSERT(fix_count(&fix, 0, "BYE ") == 1 && fix.event_count == 0);
    fix_answer(&fix, 0, fix_find(&fix, 0, "BYE ", 0)->text, 200, NULL);
    unsigned from = fix.sent_count;
    request(SIP_OPTIONS, 0);
    fix_advance(&fix, 30 * FIX_T1);
    fix_answer_with(&fix, 0, sent(from), 401, "x", ASK_2);
    fix_advance(&fix, 64 * FIX_T1 - 1);
    CU_ASSERT(fix.event_count == 0);
    fix_advance(&fix, 1);
    CU_ASSERT(fix.event_count == 1 && fix.event[0].what == FIX_FAILURE && fix.event[0].why == SIP_TIMEOUT);
    close_fix();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"invite", invite},   {"others", others},       {"in_vain", in_vain},
        {"bounded", bounded}, {"cancelled", cancelled}, {"times", times},
    };
    return test_main("sip_auth", TEST_CASES(cases), argc, argv);
}
