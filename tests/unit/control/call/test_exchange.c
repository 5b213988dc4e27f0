// SPDX-License-Identifier: BSD-3-Clause
// Offers after the first: hold, refusals, glare, withdrawal, UPDATE.
#include "tests/unit/control/call/call_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_hold(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=sendonly"));
    GO(&w, {"B 200 held", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV);
    CU_ASSERT_EQUAL(w.legs[1].flags, TL_LEG_SEND);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=recvonly"));
    GO(&w, {"A ack", ""}, {"A reinvite sdp", "reinvite:B+sdp"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", "ack:B A=200+sdp"}, {"A ack", ""});
    // from the other side, with another address
    GO(&w, {"B reinvite moved", "reinvite:A+sdp"}, {"A 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 99);
    GO(&w, {"modified", "ack:A B=200+sdp"}, {"B ack", ""}, {"A bye", "reply:A=200 bye:B del"},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_refused_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite g729", "A=488"}, {"A reinvite garbage", "A=400"},
       {"A reinvite hold", "reinvite:B+sdp"}, {"B 488", "A=488"});
    CU_ASSERT_EQUAL(w.call.state, CALL_UP);
    CU_ASSERT_EQUAL(w.call.side[0].neg.direction, SDP_SENDRECV); // as before
    // what B refused was seen all the same: the next offer has a new version
    char first[64], *o = strstr(w.body, "o=- ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(o, "I"), o);
    GO(&w, {"A reinvite moved", "reinvite:B+sdp"});
    CU_ASSERT_PTR_NULL(strstr(w.body, first));
    // glare: B's own offer meets ours; ours is answered 491, and that goes to A, who tries again
    GO(&w, {"B reinvite sdp", "B=491"}, {"B 491", "A=491"}, {"A reinvite moved", "reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"B reinvite sdp", "B=491"}, {"modified", "ack:B A=200+sdp"},
       {"A reinvite sdp", "A=491"}, {"A ack", ""});
    // the dialog is gone on the far side
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 481", "A=481 bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B timeout", "A=408 bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // one that cannot be sent leaves the call as it was, and so does an answer that nobody can use: B is asked to go back
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B unreachable", "A=503"},
       {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 g729", "ack:B A=488 reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"modified", "ack:B"}, {"A reinvite hold", "reinvite:B+sdp"},
       {"B 200 g729", "ack:B A=488 reinvite:B+sdp"}, {"B 200 g729", "ack:B"},
       {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_change_and_end(void)
{
    struct world w;
    // each hangs up in the middle of a change
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A bye", "reply:A=200 A=487 abandon:B bye:B del"},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B bye", "reply:B=200 A=487 bye:A abandon:B del"},
       {"A byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"},
       {"modified -2", "A=500 bye:A ack:B bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
    // no ACK to the 2xx of a change
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"}, {"modified", "ack:B A=200+sdp"},
       {"A noack", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_cancelled_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"}, {"B 487", ""},
       {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"});
    // the 2xx was faster: B has taken the hold, A has not; the media follows both, and B is asked to go back
    GO(&w, {"B 200 held", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV);
    GO(&w, {"modified", "ack:B reinvite:B+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=sendrecv"));
    GO(&w, {"A reinvite hold", "A=491"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", "ack:B"}, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"},
       {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    // B may refuse to go back: the call goes on
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"}, {"B 200 held", "modify"},
       {"modified", "ack:B reinvite:B+sdp"}, {"B 488", ""}, {"A reinvite moved", "reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
       {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    // the withdrawn INVITE had no offer, so B's 2xx has one: its ACK answers with what A has said before
    UP(&w, 1);
    GO(&w, {"A reinvite", "reinvite:B"}, {"A cancel", "A=487 cancel:B"}, {"B 200 moved", "ack:B+sdp modify"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 RTP/AVP "));
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    GO(&w, {"modified", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
}

// B has agreed and the dataplane is at work when A's CANCEL comes: too late, or the sides would disagree.
static void test_cancel_too_late(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"}, {"A cancel", ""},
       {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    // nor does it keep a dataplane's refusal from A
    UP(&w, 1);
    GO(&w, {"B reinvite hold", "reinvite:A+sdp"}, {"A 200 held", "modify"}, {"B cancel", ""},
       {"modified -22", "B=500 ack:A bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
}

// An INVITE without an offer while the call is up goes through as such: the other side makes the offer.
static void test_late_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite", "reinvite:B"}, {"B 200 moved", "A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 "));
    GO(&w, {"A ack sdp", "ack:B+sdp modify"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 "));
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    GO(&w, {"modified", ""});
    CU_ASSERT_EQUAL(w.call.side[1].neg.rtp.port, 5000);
    CU_ASSERT_PTR_NULL(w.call.x);
    GO(&w, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B reinvite", "reinvite:A"}, {"A 200 sdp", "B=200+sdp"}, {"B noack", "ack:A bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B reinvite", "reinvite:A"}, {"A 200 sdp", "B=200+sdp"}, {"B ack g729", "ack:A bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

// UPDATE: to the other side where it allows it, answered here where it cannot be asked yet.
static void test_update(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A update hold allow", "reinvite:B+sdp"}, {"B 200 held allow", "modify"},
       {"modified", "ack:B update:A=200+sdp"}, {"A update sdp", "send-update:B+sdp"},
       {"B updated 491", "update:A=491"}, {"A update sdp", "send-update:B+sdp"},
       {"B update moved", "update:B=491"}, {"B updated 405", "reinvite:B+sdp"}, {"B 200 sdp", "modify"},
       {"modified", "ack:B update:A=200+sdp"}, {"A update hold", "reinvite:B+sdp"},
       {"hangup", "update:A=487 bye:A abandon:B bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
    // before A has its answer: B's cannot go on, and is answered here
    begin(&w, 1);
    GO(&w, {"A invite sdp allow", "add"}, {"added", "invite:1+sdp"}, {"A update moved", "update:A=500"},
       {"B#1 183 sdp", "modify"}, {"modified", "A=183+sdp"}, {"B#1 update moved", "modify"},
       {"modified", "update:B=200+sdp"}, {"B#2 update moved", "update:B=491"},
       {"A cancel", "A=487 abandon:B del"}, {"deleted", "end"});
    finish(&w);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"hold, resume, new address", test_hold},
        {"refused change", test_refused_change},
        {"end in the middle of a change", test_change_and_end},
        {"cancelled change", test_cancelled_change},
        {"CANCEL that comes too late", test_cancel_too_late},
        {"change without an offer", test_late_change},
        {"UPDATE", test_update},
    };
    make_config();
    int rc = test_main("exchange", TEST_CASES(cases), argc, argv);
    free(config);
    return rc;
}
