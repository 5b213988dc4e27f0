// SPDX-License-Identifier: BSD-3-Clause
// The session timer of one dialog by tables: what was said and what is agreed, RFC 4028 sections 7, 9 and 10.
#include "control/call/refresh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

enum { OFF = TL_SESSION_TIMER_OFF, SUP = TL_SESSION_TIMER_SUPPORTED, REQ = TL_SESSION_TIMER_REQUIRED };
enum { AUTO = TL_REFRESHER_AUTO, WE = TL_REFRESHER_US, PEER = TL_REFRESHER_PEER };
enum { NONE = REFRESH_UNSAID, UAC = REFRESH_UAC, UAS = REFRESH_UAS };

#define SAID(se, min, role, sup)                                                                             \
    {                                                                                                        \
        .expires_s = (se), .min_se_s = (min), .refresher = (role), .supported = (sup)                        \
    }

static struct tl_trunk_config trunk_of(int mode, int refresher, uint32_t expires_s, uint32_t min_se_s)
{
    return (struct tl_trunk_config){.session_timer = (enum tl_session_timer)mode,
                                    .refresher = (enum tl_refresher)refresher,
                                    .session_expires_s = expires_s,
                                    .min_se_s = min_se_s};
}

// ---- their requests -----------------------------------------------------------------------------------

static const struct asked_case {
    int mode, refresher;
    uint32_t min_se_s;
    struct refresh before;
    struct refresh_said said;
    int refused;
    uint32_t interval;
    uint8_t who;
} asked_cases[] = {
    // off: what it says is nothing to us
    {OFF, AUTO, 90, {0}, SAID(1800, 0, UAC, true), 0, 0, REFRESH_NOBODY},
    {OFF, AUTO, 90, {0}, SAID(30, 0, NONE, true), 0, 0, REFRESH_NOBODY},
    {OFF, AUTO, 90, {0}, {.expires_s = 1800, .supported = true, .required = true}, 420, 0, REFRESH_NOBODY},
    // nobody asks
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, true), 0, 0, REFRESH_NOBODY},
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, false), 0, 0, REFRESH_NOBODY},
    {REQ, AUTO, 90, {0}, SAID(0, 0, NONE, true), 0, 1800, REFRESH_PEER},
    {REQ, AUTO, 90, {0}, SAID(0, 0, NONE, false), 0, 1800, REFRESH_US},
    {REQ, AUTO, 90, {0}, SAID(0, 3600, NONE, true), 0, 3600, REFRESH_PEER},
    // table 2 of section 9
    {SUP, AUTO, 90, {0}, SAID(600, 0, NONE, true), 0, 600, REFRESH_PEER},
    {SUP, WE, 90, {0}, SAID(600, 0, NONE, true), 0, 600, REFRESH_US},
    {SUP, PEER, 90, {0}, SAID(600, 0, NONE, true), 0, 600, REFRESH_PEER},
    {SUP, WE, 90, {0}, SAID(600, 0, UAC, true), 0, 600, REFRESH_PEER},
    {SUP, PEER, 90, {0}, SAID(600, 0, UAS, true), 0, 600, REFRESH_US},
    {SUP, PEER, 90, {0}, SAID(600, 0, NONE, false), 0, 600, REFRESH_US},
    // the interval: not above ours, not below its Min-SE, never raised
    {SUP, AUTO, 90, {0}, SAID(3600, 0, NONE, true), 0, 1800, REFRESH_PEER},
    {SUP, AUTO, 90, {0}, SAID(7200, 3600, NONE, true), 0, 3600, REFRESH_PEER},
    {SUP, AUTO, 90, {0}, SAID(90, 0, NONE, true), 0, 90, REFRESH_PEER},
    {SUP, AUTO, 90, {0}, SAID(UINT32_MAX, 0, NONE, true), 0, 1800, REFRESH_PEER},
    // too little
    {SUP, AUTO, 90, {0}, SAID(89, 0, NONE, true), 422, 0, REFRESH_NOBODY},
    {SUP, AUTO, 600, {0}, SAID(599, 0, NONE, true), 422, 0, REFRESH_NOBODY},
    {REQ, AUTO, 600, {0}, SAID(600, 0, NONE, true), 0, 600, REFRESH_PEER},
    {SUP, AUTO, 0, {0}, SAID(89, 0, NONE, true), 422, 0, REFRESH_NOBODY}, // whatever the trunk says
    {SUP, AUTO, 600, {0}, SAID(300, 0, NONE, false), 0, 0, REFRESH_NOBODY},
    // inside a dialog
    {SUP, AUTO, 90, {.interval_s = 600, .who = REFRESH_US}, SAID(600, 0, NONE, true), 0, 600, REFRESH_US},
    {SUP, AUTO, 90, {.interval_s = 600, .who = REFRESH_US}, SAID(600, 0, UAC, true), 0, 600, REFRESH_PEER},
    {SUP, AUTO, 90, {.interval_s = 600, .who = REFRESH_PEER}, SAID(0, 0, NONE, true), 0, 600, REFRESH_PEER},
    {SUP, AUTO, 90, {.interval_s = 600, .who = REFRESH_PEER}, SAID(0, 0, NONE, false), 0, 600, REFRESH_US},
    {SUP, AUTO, 90, {.interval_s = 600, .who = REFRESH_PEER}, SAID(50, 0, UAC, true), 422, 600, REFRESH_PEER},
};

static void test_their_requests(void)
{
    for (size_t i = 0; i < sizeof asked_cases / sizeof asked_cases[0]; i++)
        for (int which = 0; which < REFRESH_REQUESTS; which++) {
            const struct asked_case *c = &asked_cases[i];
            struct tl_trunk_config trunk = trunk_of(c->mode, c->refresher, 1800, c->min_se_s);
            struct refresh r = c->before;
            struct refresh_said out = {0};
            int refused = refresh_take_request(&r, &trunk, (enum refresh_request)which, &c->said);
            if (refused != c->refused)
                printf("   case %zu: refused with %d\n", i, refused);
            CU_ASSERT_EQUAL(refused, c->refused);
            if (!refused)
                refresh_answer(&r, &trunk, (enum refresh_request)which, &out);
            if (r.interval_s != c->interval || r.who != c->who)
                printf("   case %zu: %u s, refresher %u\n", i, r.interval_s, r.who);
            CU_ASSERT_EQUAL(r.interval_s, c->interval);
            CU_ASSERT_EQUAL(r.who, c->who);
            if (refused)
                continue;
            // the 2xx says what was agreed, and that the peer has to know of it where it refreshes
            CU_ASSERT_EQUAL(out.expires_s, c->interval);
            CU_ASSERT_EQUAL(out.refresher, c->who == REFRESH_PEER ? UAC : c->who == REFRESH_US ? UAS : NONE);
            CU_ASSERT_EQUAL(out.required, c->who == REFRESH_PEER);
            CU_ASSERT_EQUAL(out.supported, c->mode != OFF);
            CU_ASSERT_EQUAL(out.min_se_s, 0);
        }
}

// An UPDATE between an INVITE and its 2xx does not take the INVITE's place.
static void test_two_requests(void)
{
    struct tl_trunk_config trunk = trunk_of(SUP, AUTO, 1800, 90);
    struct refresh r = {0};
    struct refresh_said invite = SAID(600, 0, UAC, true), update = SAID(300, 0, UAS, true), out;
    CU_ASSERT_EQUAL(refresh_take_request(&r, &trunk, REFRESH_INVITE, &invite), 0);
    CU_ASSERT_EQUAL(refresh_take_request(&r, &trunk, REFRESH_UPDATE, &update), 0);
    CU_ASSERT_EQUAL(r.interval_s, 0); // nothing is agreed before the 2xx
    refresh_answer(&r, &trunk, REFRESH_UPDATE, &out);
    CU_ASSERT_EQUAL(out.expires_s, 300);
    CU_ASSERT_EQUAL(r.who, REFRESH_US);
    refresh_answer(&r, &trunk, REFRESH_INVITE, &out);
    CU_ASSERT_EQUAL(out.expires_s, 600);
    CU_ASSERT_EQUAL(r.who, REFRESH_PEER);
}

// ---- our requests -------------------------------------------------------------------------------------

static const struct ask_case {
    int mode, refresher;
    uint32_t min_se_s;
    struct refresh before;
    struct refresh_said asks, answer;
    uint32_t interval;
    uint8_t who;
} ask_cases[] = {
    {OFF, WE, 600, {0}, {0}, SAID(600, 0, UAC, true), 0, REFRESH_NOBODY},
    {SUP, WE, 90, {0}, SAID(0, 0, NONE, true), {0}, 0, REFRESH_NOBODY},
    // a 2xx may bring what was not asked for
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, true), SAID(600, 0, UAC, true), 600, REFRESH_US},
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, true), SAID(600, 0, UAS, true), 600, REFRESH_PEER},
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, true), SAID(600, 0, NONE, true), 600, REFRESH_US},
    {SUP, AUTO, 600, {0}, SAID(0, 600, NONE, true), {0}, 0, REFRESH_NOBODY},
    {REQ, AUTO, 90, {0}, SAID(1800, 0, NONE, true), SAID(1200, 0, UAS, true), 1200, REFRESH_PEER},
    {REQ, WE, 90, {0}, SAID(1800, 0, UAC, true), SAID(1800, 0, UAC, true), 1800, REFRESH_US},
    {REQ, PEER, 90, {0}, SAID(1800, 0, UAS, true), SAID(1800, 0, UAS, true), 1800, REFRESH_PEER},
    // a peer without timers: we refresh alone
    {REQ, PEER, 90, {0}, SAID(1800, 0, UAS, true), {0}, 1800, REFRESH_US},
    {REQ, AUTO, 600, {0}, SAID(1800, 600, NONE, true), {0}, 1800, REFRESH_US},
    // nobody makes us refresh more often than the RFC knows
    {SUP, AUTO, 90, {0}, SAID(0, 0, NONE, true), SAID(1, 0, UAC, true), 90, REFRESH_US},
    // inside a dialog it is said as it is (7.4), and an answer without it ends it (7.2)
    {SUP,
     AUTO,
     90,
     {.interval_s = 600, .who = REFRESH_US},
     SAID(600, 0, UAC, true),
     SAID(600, 0, UAC, true),
     600,
     REFRESH_US},
    {SUP,
     WE,
     90,
     {.interval_s = 600, .who = REFRESH_PEER},
     SAID(600, 0, UAS, true),
     SAID(300, 0, UAS, true),
     300,
     REFRESH_PEER},
    {SUP,
     AUTO,
     90,
     {.interval_s = 600, .who = REFRESH_PEER},
     SAID(600, 0, UAS, true),
     {0},
     0,
     REFRESH_NOBODY},
    {SUP,
     AUTO,
     90,
     {.interval_s = 600, .who = REFRESH_US, .floor_s = 900},
     SAID(900, 900, UAC, true),
     SAID(900, 0, UAC, true),
     900,
     REFRESH_US},
};

static void test_our_requests(void)
{
    for (size_t i = 0; i < sizeof ask_cases / sizeof ask_cases[0]; i++) {
        const struct ask_case *c = &ask_cases[i];
        struct tl_trunk_config trunk = trunk_of(c->mode, c->refresher, 1800, c->min_se_s);
        struct refresh r = c->before;
        struct refresh_said out;
        refresh_ask(&r, &trunk, &out);
        if (memcmp(&out, &c->asks, sizeof out) != 0)
            printf("   case %zu: asks %u s, Min-SE %u, role %u\n", i, out.expires_s, out.min_se_s,
                   out.refresher);
        CU_ASSERT_EQUAL(out.expires_s, c->asks.expires_s);
        CU_ASSERT_EQUAL(out.min_se_s, c->asks.min_se_s);
        CU_ASSERT_EQUAL(out.refresher, c->asks.refresher);
        CU_ASSERT_EQUAL(out.supported, c->asks.supported);
        CU_ASSERT_FALSE(out.required); // section 7.1
        refresh_take_answer(&r, &trunk, &c->answer);
        if (r.interval_s != c->interval || r.who != c->who)
            printf("   case %zu: %u s, refresher %u\n", i, r.interval_s, r.who);
        CU_ASSERT_EQUAL(r.interval_s, c->interval);
        CU_ASSERT_EQUAL(r.who, c->who);
    }
}

static void test_raised(void)
{
    struct tl_trunk_config trunk = trunk_of(REQ, AUTO, 1800, 90);
    struct refresh r = {0};
    struct refresh_said out, said = SAID(0, 1800, NONE, false), none = {0};
    CU_ASSERT_FALSE(refresh_raise(&r, &trunk, &none)); // a 422 without Min-SE
    CU_ASSERT_FALSE(refresh_raise(&r, &trunk, &said)); // that much was asked for
    said.min_se_s = REFRESH_MAX_S + 1;
    CU_ASSERT_FALSE(refresh_raise(&r, &trunk, &said));
    for (unsigned i = 0; i < REFRESH_RAISES_MAX; i++) {
        said.min_se_s = 2000 + i;
        CU_ASSERT_TRUE(refresh_raise(&r, &trunk, &said));
        refresh_ask(&r, &trunk, &out);
        CU_ASSERT_EQUAL(out.expires_s, 2000 + i);
        CU_ASSERT_EQUAL(out.min_se_s, 2000 + i);
    }
    said.min_se_s = 3000;
    CU_ASSERT_FALSE(refresh_raise(&r, &trunk, &said));
    // one that asked for nothing asks from then on: a proxy on the way wants a timer
    r = (struct refresh){0};
    trunk.session_timer = TL_SESSION_TIMER_SUPPORTED;
    said.min_se_s = 600;
    CU_ASSERT_TRUE(refresh_raise(&r, &trunk, &said));
    refresh_ask(&r, &trunk, &out);
    CU_ASSERT_EQUAL(out.expires_s, 1800);
    CU_ASSERT_EQUAL(out.min_se_s, 600);
    trunk.session_timer = TL_SESSION_TIMER_OFF;
    CU_ASSERT_FALSE(refresh_raise(&r, &trunk, &said));
}

// ---- times --------------------------------------------------------------------------------------------

static void test_times(void)
{
    static const struct {
        uint32_t interval_s;
        uint64_t due_ms, end_ms;
        uint64_t retry_ms[4];
    } cases[] = {
        {90, 45000, 60000, {0}},
        {96, 48000, 64000, {0}},
        {150, 75000, 118000, {21500, 10750, 0}},
        {1800, 900000, 1768000, {434000, 217000, 108500, 54250}},
        {UINT32_MAX,
         UINT32_MAX * UINT64_C(500),
         (UINT32_MAX - UINT64_C(32)) * 1000,
         {1073741807750, 536870903875}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct refresh r = {.interval_s = cases[i].interval_s, .who = REFRESH_US};
        CU_ASSERT_EQUAL(refresh_due_ms(&r), cases[i].due_ms);
        CU_ASSERT_EQUAL(refresh_end_ms(&r), cases[i].end_ms);
        for (unsigned n = 0; n < 2; n++)
            CU_ASSERT_EQUAL(refresh_retry_ms(&r), cases[i].retry_ms[n]);
        r.who = REFRESH_PEER;
        CU_ASSERT_EQUAL(refresh_due_ms(&r), 0);
        CU_ASSERT_EQUAL(refresh_end_ms(&r), cases[i].end_ms);
        CU_ASSERT_EQUAL(refresh_retry_ms(&r), 0);
    }
    struct refresh none = {0}, endless = {.interval_s = UINT32_MAX, .who = REFRESH_US};
    CU_ASSERT_EQUAL(refresh_due_ms(&none), 0);
    CU_ASSERT_EQUAL(refresh_end_ms(&none), 0);
    unsigned tries = 0;
    while (refresh_retry_ms(&endless) && tries < 1000)
        tries++;
    CU_ASSERT_TRUE(tries < 32); // bounded, however long the interval
}

// ---- records ------------------------------------------------------------------------------------------

static int open_record(const char *text, struct refresh *r)
{
    struct record in;
    CU_ASSERT_EQUAL_FATAL(record_open(&in, text, strlen(text), "refresh"), 0);
    return refresh_load(r, &in);
}

static void test_records(void)
{
    static const struct refresh states[] = {
        {0},
        {.interval_s = 90, .who = REFRESH_US},
        {.interval_s = UINT32_MAX,
         .who = REFRESH_PEER,
         .insist = true,
         .raises = 3,
         .failures = 31,
         .floor_s = 7200},
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        char text[400] = "";
        struct record_writer w;
        struct refresh back = {.interval_s = 1, .who = 9};
        record_writer_init(&w, text, sizeof text - 1);
        refresh_save(&states[i], &w);
        CU_ASSERT_TRUE_FATAL(record_finish(&w) > 0);
        text[record_finish(&w)] = 0;
        CU_ASSERT_EQUAL(open_record(text, &back), 0);
        CU_ASSERT_EQUAL(memcmp(&back, &states[i], sizeof back), 0);
    }
    static const char *const wrong[] = {
        "refresh 1 {\n}\n",
        "refresh 1 {\ninterval_s 600\nwho 3\nfloor_s 0\ninsist 0\n}\n",
        "refresh 1 {\ninterval_s 600\nwho 0\nfloor_s 0\ninsist 0\n}\n", // an interval for nobody
        "refresh 1 {\ninterval_s 0\nwho 1\nfloor_s 0\ninsist 0\n}\n",
        "refresh 1 {\ninterval_s 1\nwho 1\nfloor_s 0\ninsist 0\n}\n",
        "refresh 1 {\ninterval_s 600\nwho 1\nfloor_s 0\ninsist 0\nfailures 32\n}\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct refresh r = {.interval_s = 777, .who = REFRESH_US};
        CU_ASSERT_EQUAL(open_record(wrong[i], &r), -EINVAL);
        CU_ASSERT_EQUAL(r.interval_s, 777);
    }
    struct refresh r = {0}; // lines that came later may be missing
    CU_ASSERT_EQUAL(open_record("refresh 1 {\ninterval_s 600\nwho 2\nfloor_s 0\ninsist 0\n}\n", &r), 0);
    CU_ASSERT_EQUAL(r.who, REFRESH_PEER);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"their requests", test_their_requests},
        {"two requests at once", test_two_requests},
        {"our requests", test_our_requests},
        {"422", test_raised},
        {"times", test_times},
        {"records", test_records},
    };
    return test_main("refresh", TEST_CASES(cases), argc, argv);
}
