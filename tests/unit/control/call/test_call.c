// SPDX-License-Identifier: BSD-3-Clause
// Setting up and ending: the first exchange, fail-over, forks, reliable provisionals. The whole machine under random events.
#include "tests/unit/control/call/call_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- cases --------------------------------------------------------------------------------------------

static void test_answered(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"});
    // nothing is known of either side yet, and nothing may pass
    CU_ASSERT_STRING_EQUAL(w.legs[0].realm, "core");
    CU_ASSERT_STRING_EQUAL(w.legs[1].realm, "peers");
    CU_ASSERT_EQUAL(w.legs[0].flags | w.legs[1].flags, 0);
    CU_ASSERT_EQUAL(w.legs[0].rtp.family | w.legs[1].rtp.family, TL_AF_UNSET);
    GO(&w, {"added", "invite:1+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 RTP/AVP ")); // the port that was confirmed
    GO(&w, {"B 180", "A=180"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].rtp.port, 4000);
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    CU_ASSERT_EQUAL(w.legs[1].silence_ms, 30000);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 8 0 101"));
    CU_ASSERT_EQUAL(w.call.status, 200);
    GO(&w, {"A ack", ""}, {"wait 400000", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B bye", "reply:B=200 bye:A del"}, {"A byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_refused(void)
{
    SCRIPT(1, {"A invite garbage", "A=400 end"});
    SCRIPT(1, {"A invite g729", "A=488 end"});
    SCRIPT(1, {"A invite secure", "A=488 end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 486", "A=486 del"}, {"deleted", "end"});
    SCRIPT(3, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 404", "A=404 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 603", "A=603 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 302", "A=480 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 407", "A=403 del"}, {"deleted", "end"});
    // an answer that nobody can use: B is ACKed and BYEd, A is not left ringing
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 g729", "A=488 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200", "A=502 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 garbage", "A=502 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
}

static void test_fail_over(void)
{
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
           {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
           {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "A=503/7 del"},
           {"deleted", "end"});
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B unreachable", "invite:2+sdp"},
           {"B timeout", "A=503/7 del"}, {"deleted", "end"});
    // one that takes no more calls was not asked
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B full", "invite:2+sdp"},
           {"B full", "A=503/7 del"}, {"deleted", "end"});
    // silence: the attempt is given up, the next one gets its own time
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"wait 9999", ""},
           {"wait 1", "abandon:B invite:2+sdp"}, {"wait 9999", ""}, {"wait 1", "abandon:B A=503/7 del"},
           {"deleted", "end"});
    // a provisional stops that clock, not the next trunk on 503
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"}, {"wait 60000", ""},
           {"B 503", "invite:2+sdp"}, {"wait 10000", "abandon:B A=503/7 del"}, {"deleted", "end"});
    // a trunk in another realm needs another session
    SCRIPT(3, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
           {"B 503", "forget add"}, {"added", "invite:3+sdp"}, {"B 486", "A=486 del"}, {"deleted", "end"});
    // not after A was given an answer
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "modify"},
           {"modified", "A=183+sdp"}, {"B 503", "A=503/7 del"}, {"deleted", "end"});
}

static void test_realm_of_second_trunk(void)
{
    struct world w;
    begin(&w, 3);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
       {"B 503", "forget add"});
    CU_ASSERT_STRING_EQUAL(w.legs[1].realm, "others");
    GO(&w, {"added", "invite:3+sdp"}, {"B 500", "A=500 del"}, {"deleted", "end"});
    finish(&w);
}

static void test_early_media(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 pcmu", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 2);
    GO(&w, {"B 180", ""}, {"modified", "A=183+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0\r\n"));
    GO(&w, {"B 180", "A=180"}, {"B 199", ""}, {"B 200", "modify"}, {"modified", "ack:B A=200+sdp"},
       {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // the 2xx overtakes the dataplane: one MODIFY after the other, and A gets the last word
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "modify"},
           {"B 200 moved", ""}, {"modified", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
           {"B bye", "reply:B=200 bye:A del"}, {"A byedone", ""}, {"deleted", "end"});
    // a fork whose early SDP we cannot take does not spoil what another one said
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 pcmu", "modify"},
       {"modified", "A=183+sdp"}, {"B 183 g729", "A=183"}, {"B 200", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].flags, TL_LEG_RECV | TL_LEG_SEND);
    CU_ASSERT_EQUAL(w.legs[1].pt_count, 1);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0\r\n"));
    GO(&w, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // early SDP that we cannot take is not shown to A
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 g729", "A=183"},
           {"A cancel", "A=487 abandon:B del"}, {"deleted", "end"});
}

static void test_withdrawn(void)
{
    SCRIPT(1, {"A invite sdp", "add"}, {"A cancel", "A=487"}, {"added", "del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"A cancel", "A=487"}, {"added -28", "end"});
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"A cancel", "A=487 abandon:B del"},
           {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"},
           {"A cancel", "A=487 abandon:B del"}, {"deleted", "end"});
    // crossing: B's 200 was here first, A's was not out yet
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"A cancel", "A=487 ack:B bye:B del"}, {"modified", ""}, {"deleted", ""}, {"B byedone", "end"});
    // BYE of the caller in the early dialog
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"},
           {"A bye", "reply:A=200 A=487 abandon:B del"}, {"deleted", "end"});
    // B hangs up before A got its answer
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"B bye", "reply:B=200 A=480 ack:B del"}, {"modified", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"}, {"wait 179999", ""},
           {"wait 1", "A=408 abandon:B del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"hangup", "A=480 abandon:B del"},
           {"deleted", "end"});
}

// RFC 3261 15: a callee sends no BYE before the ACK; without an ACK both sides are hung up.
static void test_ack(void)
{
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"B bye", "reply:B=200 del"}, {"deleted", ""}, {"A ack", "bye:A"},
           {"A byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"B bye", "reply:B=200 del"}, {"deleted", ""},
           {"A noack", "bye:A"}, {"A byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"A noack", "bye:A bye:B del"}, {"A byedone", ""},
           {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"A bye", "reply:A=200 bye:B del"}, {"A ack", ""},
           {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"A noack", "abandon:B del"},
           {"deleted", "end"});
}

static void test_both_hang_up(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A bye", "reply:A=200 bye:B del"}, {"B bye", "reply:B=200"}, {"B reinvite sdp", "B=481"},
       {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"hangup", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_media_trouble(void)
{
    struct world w;
    SCRIPT(1, {"A invite sdp", "add"}, {"added -28", "A=503/7 end"});  // ENOSPC
    SCRIPT(1, {"A invite sdp", "add"}, {"added -107", "A=503/7 end"}); // ENOTCONN
    SCRIPT(1, {"A invite sdp", "add"}, {"added -19", "A=500 end"});    // ENODEV
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified -22", "A=500 ack:B bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"lost", "A=503/7 abandon:B end"});
    UP(&w, 1);
    GO(&w, {"lost", "bye:A bye:B"}, {"A byedone", ""}, {"B byedone", "end"});
    finish(&w);
    // a dataplane that says nothing does not keep a call for ever, and is not awaited for the BYE
    SCRIPT(1, {"A invite sdp", "add"}, {"wait 180000", "A=408"}, {"added -110", "end"});
}

static void test_late_offer(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "A=183"},
       {"B 200 pcmu", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0 8\r\n")); // what B took goes first
    GO(&w, {"B reinvite sdp", "B=491"}, {"A ack sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    SCRIPT(1, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "ack:B A=200+sdp"},
           {"A ack", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 200 pcmu", "ack:B A=200+sdp"},
           {"A ack g729", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
}

// Reliable provisionals one after the other, each behind its PRACK; the 2xx behind that of the SDP.
static void test_reliable(void)
{
    struct world w;
    begin(&w, 1);
    config->trunks[0].prack = config->trunks[1].prack = TL_PRACK_SUPPORTED;
    GO(&w, {"A invite sdp 100rel", "add"}, {"added", "invite:1+sdp"}, {"B#1 180", "A=180!"},
       {"B#1 183 sdp reliable", "modify"}, {"modified", ""}, {"B#1 200", "modify"},
       {"modified", "ack:B A=200+sdp"}, {"A prack", "prack:A=200"}, {"A ack", ""},
       {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    begin(&w, 1);
    GO(&w, {"A invite sdp 100rel", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 sdp", "modify"},
       {"modified", "A=183!+sdp"}, {"B#1 180", ""}, {"A prack", "prack:A=200 A=180!"}, {"B#1 200", "modify"},
       {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"A noprack", ""}, {"hangup", "bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // the 2xx waits for the PRACK of the SDP; without it the call ends
    begin(&w, 1);
    GO(&w, {"A invite sdp 100rel", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 sdp", "modify"},
       {"modified", "A=183!+sdp"}, {"B#1 200", "modify"}, {"modified", ""},
       {"A noprack", "A=504 ack:B bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // an INVITE without an offer: the reliable provisional has ours, its PRACK the answer
    begin(&w, 1);
    GO(&w, {"A invite 100rel", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 pcmu", "A=183!+sdp"},
       {"A prack pcmu", "prack:A=200 modify"}, {"modified", ""}, {"B#1 200", "ack:B modify"},
       {"modified", "A=200"}, {"A ack", ""}, {"hangup", "bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    config->trunks[0].prack = config->trunks[1].prack = TL_PRACK_OFF;
}

// Forks: the newest early media flows, the 2xx decides; A sees one dialog, or one for each.
static void test_forks(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 sdp", "modify"},
       {"modified", "A=183+sdp"}, {"B#2 183 pcmu", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 2);
    GO(&w, {"modified", "A=183+sdp"}, {"B#1 180", "A=180"}, {"B#1 200", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 1);
    GO(&w, {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"hangup", "bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    config->trunks[1].early_media = TL_EARLY_FIRST;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 sdp", "modify"},
       {"modified", "A=183+sdp"}, {"B#2 183 pcmu", "A=183"}, {"B#2 200", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 2);
    GO(&w, {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"hangup", "bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    config->trunks[1].early_media = TL_EARLY_LAST;
    config->trunks[1].forks = TL_FORKS_SEPARATE;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B#1 183 sdp", "modify"},
       {"modified", "A=183#1+sdp"}, {"B#2 183 pcmu", "modify"}, {"modified", "A=183#2+sdp"},
       {"B#1 200", "modify"}, {"modified", "ack:B A=200#1+sdp"}, {"A ack", ""}, {"hangup", "bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    config->trunks[1].forks = TL_FORKS_ONE;
}

// What is no record of a call, or one of trunks that are gone, is refused and leaves nothing behind.
static void test_bad_records(void)
{
    static char text[65536];
    struct world w;
    struct record_writer writer;
    struct record r;
    struct call copy;
    UP(&w, 2);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"});
    record_writer_init(&writer, text, sizeof text);
    call_save(&writer, &w.call);
    int len = record_finish(&writer);
    CU_ASSERT_FATAL(len > 0);
    unsigned seed = 3264, taken = 0;
    for (int round = 0; round < 2000; round++) { // a byte changed: taken or refused, never worse
        size_t at = (size_t)rand_r(&seed) % (size_t)len;
        char before = text[at];
        text[at] = (char)(32 + rand_r(&seed) % 95);
        if (record_open(&r, text, (size_t)len, "call") == 0 && call_load(&copy, &env, &r) == 0) {
            taken++;
            call_fini(&copy);
        }
        text[at] = before;
    }
    CU_ASSERT_TRUE(taken > 0 && taken < 2000);
    text[len] = '\0';
    unsigned legs = 0;
    for (char *at = text; (at = strstr(at, "leg 1 {"));
         at++, legs++) { // a leg that is looked at is not there
        at[0] = 'x';
        CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)len, "call"), 0);
        CU_ASSERT_EQUAL(call_load(&copy, &env, &r), -EINVAL);
        at[0] = 'l';
    }
    CU_ASSERT_EQUAL(legs, 2);
    CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)len, "call"), 0);
    strcpy(config->trunks[1].name, "gone");
    CU_ASSERT_EQUAL(call_load(&copy, &env, &r), -ENOENT);
    strcpy(config->trunks[1].name, "trunk1");
    GO(&w, {"hangup", "A=487 bye:A abandon:B bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
    config->trunks[1].forks = TL_FORKS_SEPARATE; // A's answer of each fork is made from what it asked
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"});
    record_writer_init(&writer, text, sizeof text);
    call_save(&writer, &w.call);
    len = record_finish(&writer);
    text[len] = '\0';
    CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)len, "call"), 0);
    CU_ASSERT_EQUAL_FATAL(call_load(&copy, &env, &r), 0);
    call_fini(&copy);
    char *asked = strstr(text, "asked 1 {");
    CU_ASSERT_PTR_NOT_NULL_FATAL(asked);
    asked[0] = 'x';
    CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)len, "call"), 0);
    CU_ASSERT_EQUAL(call_load(&copy, &env, &r), -EINVAL);
    GO(&w, {"hangup", "A=480 abandon:B del"}, {"deleted", "end"});
    finish(&w);
    config->trunks[1].forks = TL_FORKS_ONE;
}

// Any event in any state of any call: no crash, no action after the end, every call can still be ended.
static void test_any_event(void)
{
    static const char *const lines[] = {"A invite sdp",
                                        "A invite",
                                        "added",
                                        "added -28",
                                        "modified",
                                        "modified -22",
                                        "deleted",
                                        "lost",
                                        "hangup",
                                        "A reinvite sdp",
                                        "B reinvite hold",
                                        "A reinvite",
                                        "B reinvite moved",
                                        "A cancel",
                                        "B cancel",
                                        "A ack",
                                        "A ack sdp",
                                        "B ack",
                                        "B ack sdp",
                                        "A bye",
                                        "B bye",
                                        "B 180",
                                        "B 183 sdp",
                                        "B 200 sdp",
                                        "B 200",
                                        "A 200 sdp",
                                        "A 200",
                                        "B 486",
                                        "B 503",
                                        "A 491",
                                        "B 481",
                                        "B timeout",
                                        "A timeout",
                                        "B unreachable",
                                        "A noack",
                                        "B noack",
                                        "A byedone",
                                        "A update moved allow",
                                        "B update hold allow",
                                        "B#2 update moved",
                                        "A prack",
                                        "A prack moved",
                                        "A noprack",
                                        "A updated 200 sdp",
                                        "B updated 200 held",
                                        "B updated 491",
                                        "B updated 0",
                                        "B#1 183 sdp reliable allow",
                                        "B#2 183 pcmu reliable",
                                        "B#3 180",
                                        "B#2 200 pcmu",
                                        "B dead",
                                        "B byedone",
                                        "wait 10000",
                                        "wait 180000"};
    unsigned seed = 3261;
    for (int round = 0; round < 3000; round++) {
        struct world w;
        begin(&w, 1 + (unsigned)round % 3);
        config->trunks[1].forks = round % 7 == 0 ? TL_FORKS_SEPARATE : TL_FORKS_ONE;
        config->trunks[0].prack = config->trunks[1].prack = round % 2 ? TL_PRACK_SUPPORTED : TL_PRACK_OFF;
        hear(&w, round % 5 ? "A invite sdp 100rel allow" : "A invite 100rel allow");
        for (int i = 0; i < 30 && !w.freed; i++) {
            w.out[0] = 0;
            // events that cannot happen because nothing asked for them are left out, as the daemon does
            const char *line = lines[2 + (unsigned)rand_r(&seed) % (sizeof lines / sizeof lines[0] - 2)];
            const struct call_side *a = &w.call.side[0], *b = &w.call.side[1];
            bool modified = strncmp(line, "modified", 8) == 0, added = strncmp(line, "added", 5) == 0;
            const char *first = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;
            int status = *first >= '1' && *first <= '6' ? atoi(first) : 0;
            const struct call_side *its = line[0] == 'A' ? a : b;
            bool updated = strstr(line, " updated"), update = strstr(line, " update ") != NULL;
            if ((updated && !its->update_out) || (update && its->update_in) ||
                (strstr(line, " prack") && (!w.call.prack_due || its->prack_in)) ||
                (strstr(line, "noprack") && !w.call.prack_due))
                continue;
            bool answer = status || strstr(line, "timeout") || strstr(line, "unreachable");
            if ((modified && !w.call.modifying) || (added && !w.call.adding) ||
                (strcmp(line, "deleted") == 0 && !w.call.deleting) ||
                (answer && !(line[0] == 'A' ? a : b)->invite_out) ||
                (strstr(line, "byedone") && !(line[0] == 'A' ? a : b)->bye_out) ||
                (strstr(line, "reinvite") && (line[0] == 'A' ? a : b)->invite_in))
                continue;
            hear(&w, line);
        }
        static const char *const last[] = {"hangup",  "added -107", "modified -107", "deleted", "A noack",
                                           "B noack", "A byedone",  "B byedone",     "deleted"};
        for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
            hear(&w, last[i]);
        if (!w.freed)
            printf("round %d: left in %s\n", round, call_state_name(w.call.state));
        CU_ASSERT_TRUE_FATAL(w.freed);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"answered", test_answered},
        {"refused", test_refused},
        {"fail-over", test_fail_over},
        {"realm of the second trunk", test_realm_of_second_trunk},
        {"early media", test_early_media},
        {"withdrawn", test_withdrawn},
        {"ACK", test_ack},
        {"both hang up", test_both_hang_up},
        {"trouble with the media", test_media_trouble},
        {"late offer", test_late_offer},
        {"reliable provisionals", test_reliable},
        {"forks", test_forks},
        {"bad records", test_bad_records},
        {"any event", test_any_event},
    };
    make_config();
    int rc = test_main("call", TEST_CASES(cases), argc, argv);
    free(config);
    return rc;
}
