// SPDX-License-Identifier: BSD-3-Clause
// When REGISTER leaves, and what its answers mean: by a clock and randomness of paper.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/base/record.h"
#include "control/trunk/registration.h"
#include "runner.h"

static const struct tl_registration_config config = {.user = "1", .expires_s = 3600};
static const struct tl_trunk_config trunk = {.register_retry_s = 30, .register_retry_max_s = 1800};

static struct registration begun(uint64_t now)
{
    struct registration r;
    registration_init(&r, &config, &trunk, now);
    snprintf(r.call_id, sizeof r.call_id, "0.call");
    snprintf(r.tag, sizeof r.tag, "0.tag");
    return r;
}

static enum registration_change answer(struct registration *r, struct registration_answer a, uint64_t now,
                                       uint32_t random)
{
    registration_asks(r);
    return registration_answered(r, &a, now, random);
}

// Renewal: how long before the end, at the least and the most random number.
static void renewal(void)
{
    static const struct {
        uint32_t granted_s, latest_s;
        double earliest_s;
    } rows[] = {
        {1, 0, 0.375},   {10, 5, 3.75},   {60, 30, 22.5},     {80, 40, 30},          {120, 80, 70},
        {400, 360, 350}, {600, 540, 525}, {3600, 3240, 3150}, {86400, 77760, 75600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct registration r = begun(1000), s = r;
        uint64_t latest = rows[i].granted_s == 1 ? 500 : rows[i].latest_s * UINT64_C(1000);
        CU_ASSERT(answer(&r, (struct registration_answer){.status = 200, .granted_s = rows[i].granted_s},
                         1000, 0) == REGISTRATION_BEGINS);
        CU_ASSERT(r.due_ms == 1000 + latest);
        CU_ASSERT(r.until_ms == 1000 + rows[i].granted_s * UINT64_C(1000));
        answer(&s, (struct registration_answer){.status = 200, .granted_s = rows[i].granted_s}, 1000,
               UINT32_MAX);
        CU_ASSERT(s.due_ms <= r.due_ms && s.due_ms + 1 >= 1000 + (uint64_t)(rows[i].earliest_s * 1000));
    }
    struct registration r = begun(0);
    answer(&r, (struct registration_answer){.status = 200, .granted_s = UINT32_MAX}, 0, 0);
    CU_ASSERT(r.until_ms == REGISTRATION_SECONDS_MAX * UINT64_C(1000));
    CU_ASSERT(answer(&r, (struct registration_answer){.status = 200, .granted_s = 60}, 5, 0) ==
              REGISTRATION_SAME);
}

// Pauses behind failures in a row: the longest (random 0) and the shortest.
static void pauses(void)
{
    static const uint64_t expected_s[] = {30, 60, 120, 240, 480, 960, 1800, 1800, 1800};
    struct registration r = begun(0), s = begun(0);
    for (size_t i = 0; i < sizeof expected_s / sizeof *expected_s; i++) {
        const struct registration_answer none = {.status = i % 2 ? 500 : 0};
        CU_ASSERT(answer(&r, none, 7, 0) == REGISTRATION_FAILS);
        answer(&s, none, 7, UINT32_MAX);
        CU_ASSERT(r.due_ms == 7 + expected_s[i] * 1000);
        CU_ASSERT(s.due_ms == 8 + expected_s[i] * 500);
        CU_ASSERT(r.failures == i + 1 && r.counters.failed == i + 1 && r.status == none.status);
    }
    // a success ends the row
    answer(&r, (struct registration_answer){.status = 200, .granted_s = 60}, 10, 0);
    CU_ASSERT(r.failures == 0);
    answer(&r, (struct registration_answer){.status = 500}, 20, 0);
    CU_ASSERT(r.due_ms == 20 + 30000);
}

static void refusals(void)
{
    static const struct {
        struct registration_answer answer;
        uint64_t pause_s;
    } rows[] = {
        {{.status = 403}, 1800},
        {{.status = 404}, 1800},
        {{.status = 401}, 1800},
        {{.status = 407}, 1800},
        {{.status = 400}, 1800},
        {{.status = 603}, 1800},
        {{.status = 408}, 30},
        {{.status = 302}, 30},
        {{.status = 480}, 30},
        {{.status = 503}, 30},
        {{.status = 503, .retry_after_s = 10}, 30},
        {{.status = 503, .retry_after_s = 90}, 90},
        {{.status = 503, .retry_after_s = 1000000}, 86400},
        {{.status = 200, .granted_s = 0}, 30},
        {{.status = 423}, 30},
        {{.status = 423, .min_expires_s = 3600}, 30},
        {{.status = 423, .min_expires_s = 60}, 30},
        {{.status = 423, .min_expires_s = UINT32_MAX}, 30},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct registration r = begun(0);
        CU_ASSERT(answer(&r, rows[i].answer, 0, 0) == REGISTRATION_FAILS);
        CU_ASSERT(r.due_ms == rows[i].pause_s * 1000 && !r.held);
    }
}

static void interval_too_brief(void)
{
    struct registration r = begun(0);
    CU_ASSERT(answer(&r, (struct registration_answer){.status = 423, .min_expires_s = 7200}, 50, 0) ==
              REGISTRATION_SAME);
    CU_ASSERT(r.ask_s == 7200 && r.due_ms == 50 && r.failures == 0 && registration_wants(&r, 50));
    CU_ASSERT(answer(&r, (struct registration_answer){.status = 423, .min_expires_s = 7200}, 50, 0) ==
              REGISTRATION_FAILS);
    // a little more each time: it may do so three times in a row
    struct registration again = begun(0);
    for (uint32_t i = 1; i <= 3; i++)
        CU_ASSERT(answer(&again, (struct registration_answer){.status = 423, .min_expires_s = 3600 + i}, 50,
                         0) == REGISTRATION_SAME);
    CU_ASSERT(answer(&again, (struct registration_answer){.status = 423, .min_expires_s = 3604}, 50, 0) ==
              REGISTRATION_FAILS);
    CU_ASSERT(again.due_ms > 50);
    registration_configure(&r, &config, &trunk, 60);
    CU_ASSERT(r.ask_s == 7200 && r.due_ms == 60); // what the registrar wants is kept, the pause is over
    struct tl_registration_config other = config;
    other.expires_s = 600;
    registration_configure(&r, &other, &trunk, 60);
    CU_ASSERT(r.ask_s == 600);
}

// What holds is over in time, though a REGISTER is on its way, and begins anew with its answer.
static void expiry(void)
{
    struct registration r = begun(0);
    CU_ASSERT(registration_due(&r) == 0 && registration_wants(&r, 0));
    answer(&r, (struct registration_answer){.status = 200, .granted_s = 60}, 0, 0);
    CU_ASSERT(registration_due(&r) == 30000 && !registration_wants(&r, 29999) &&
              registration_wants(&r, 30000));
    CU_ASSERT(registration_asks(&r) == 2);
    CU_ASSERT(registration_due(&r) == 60000 && !registration_wants(&r, 60000));
    CU_ASSERT(registration_expired(&r, 59999) == REGISTRATION_SAME && r.held);
    CU_ASSERT(registration_expired(&r, 60000) == REGISTRATION_LOST && !r.held);
    CU_ASSERT(registration_expired(&r, 60001) == REGISTRATION_SAME);
    CU_ASSERT(registration_due(&r) == REGISTRATION_NEVER);
    const struct registration_answer ok = {.status = 200, .granted_s = 60}, bad = {.status = 500};
    CU_ASSERT(registration_answered(&r, &ok, 61000, 0) == REGISTRATION_BEGINS);
    CU_ASSERT(answer(&r, bad, 91000, 0) == REGISTRATION_SHAKES && r.held);
    CU_ASSERT(registration_due(&r) == 121000 && r.counters.lost == 1);
}

static void records(void)
{
    struct registration r = begun(0), s = begun(500000), fresh = s;
    struct record_writer w;
    struct record in;
    char text[1000];
    answer(&r, (struct registration_answer){.status = 423, .min_expires_s = 7200}, 0, 0);
    answer(&r, (struct registration_answer){.status = 200, .granted_s = 3600}, 1000, 0);
    record_writer_init(&w, text, sizeof text);
    record_begin(&w, "registration", 1);
    registration_save(&r, 61000, &w);
    record_end(&w);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0 && record_open(&in, text, (size_t)len, "registration") == 0);
    CU_ASSERT(registration_load(&s, &in, 500000, 10000) == 0);
    // 60 s had passed, and 10 s more until it was read: what is left is left
    CU_ASSERT(s.held && s.until_ms == 500000 + 3530000 && s.due_ms == 500000 + 3170000);
    CU_ASSERT(s.cseq > r.cseq && s.ask_s == 7200 && !s.asking);
    CU_ASSERT_STRING_EQUAL(s.call_id, "0.call");
    CU_ASSERT_STRING_EQUAL(s.tag, "0.tag");
    // one that is over by now is asked for at once
    s = fresh;
    CU_ASSERT(registration_load(&s, &in, 500000, 3600000) == 0);
    CU_ASSERT(!s.held && registration_wants(&s, 500000));
    static const char *const broken[] = {"registration 1 {\n}\n",
                                         "registration 1 {\ncall_id x\ntag y\ncseq 1\n}\n"};
    for (size_t i = 0; i < 2; i++) {
        s = fresh;
        CU_ASSERT_FATAL(record_open(&in, broken[i], strlen(broken[i]), "registration") == 0);
        CU_ASSERT(registration_load(&s, &in, 0, 0) == -EINVAL);
        CU_ASSERT(memcmp(&s, &fresh, sizeof s) == 0);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"renewal", renewal},   {"pauses", pauses},
        {"refusals", refusals}, {"interval_too_brief", interval_too_brief},
        {"expiry", expiry},     {"records", records},
    };
    return test_main("registration", TEST_CASES(cases), argc, argv);
}
