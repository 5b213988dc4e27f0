// SPDX-License-Identifier: BSD-3-Clause
// What who sent a REFER is told, in which order, and when that is all (RFC 3515); saved and loaded anywhere in between.
#include <string.h>

#include "control/base/record.h"
#include "control/call/refer.h"
#include "control/call/transfer.h"
#include "tests/unit/runner.h"

static size_t save(const struct refer *r, char *out, size_t cap)
{
    struct record_writer w;
    record_writer_init(&w, out, cap);
    refer_save(r, &w);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0);
    return (size_t)len;
}

// Goes on with what was saved, as another process would.
static void restart(struct refer *r)
{
    char first[512], again[512];
    struct record in;
    struct refer copy;
    size_t len = save(r, first, sizeof first);
    CU_ASSERT_EQUAL_FATAL(record_open(&in, first, len, "refer"), 0);
    CU_ASSERT_EQUAL_FATAL(refer_load(&copy, &in), 0);
    CU_ASSERT_EQUAL(save(&copy, again, sizeof again), len);
    CU_ASSERT_EQUAL(memcmp(first, again, len), 0);
    *r = copy;
}

static void one_after_the_other(void)
{
    struct refer r = {0};
    CU_ASSERT_EQUAL(refer_next(&r), 0);
    CU_ASSERT_FALSE(refer_is_over(&r));
    refer_begin(&r, 7, false, false);
    restart(&r);
    CU_ASSERT_EQUAL(refer_next(&r), 100);
    CU_ASSERT_EQUAL(refer_next(&r), 0); // until that one is answered
    refer_tell(&r, 180);
    refer_tell(&r, 183);
    refer_tell(&r, 180);
    restart(&r);
    CU_ASSERT_EQUAL(refer_next(&r), 0);
    refer_answered(&r, 200);
    CU_ASSERT_EQUAL(refer_next(&r), 180); // of what came in between only the last one is told
    refer_tell(&r, 486);
    CU_ASSERT(refer_is_decided(&r));
    refer_tell(&r, 200); // the first final status stays
    refer_answered(&r, 200);
    restart(&r);
    CU_ASSERT_EQUAL(refer_next(&r), 486);
    CU_ASSERT_FALSE(refer_is_over(&r));
    restart(&r);
    refer_answered(&r, 200);
    CU_ASSERT(refer_is_over(&r));
    restart(&r);
    CU_ASSERT(refer_is_over(&r));
}

static void quiet_says_nothing(void)
{
    struct refer r;
    refer_begin(&r, 8, true, true);
    CU_ASSERT_EQUAL(refer_next(&r), 0);
    refer_tell(&r, 180);
    CU_ASSERT_EQUAL(refer_next(&r), 0);
    CU_ASSERT_FALSE(refer_is_over(&r));
    refer_tell(&r, 200);
    CU_ASSERT_EQUAL(refer_next(&r), 0);
    CU_ASSERT(refer_is_over(&r));
    CU_ASSERT(r.named);
    restart(&r);
    CU_ASSERT(r.quiet && r.named && r.cseq == 8);
}

// RFC 6665 4.2.2: who refuses a NOTIFY, or answers none, gets no more; what becomes of the transfer is noted all the same.
static void a_refused_notify_is_the_last(void)
{
    static const int answers[] = {0, 408, 481, 503, 603};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct refer r;
        refer_begin(&r, 9, false, false);
        CU_ASSERT_EQUAL(refer_next(&r), 100);
        refer_tell(&r, 180);
        refer_answered(&r, answers[i]);
        restart(&r);
        CU_ASSERT_EQUAL(refer_next(&r), 0);
        CU_ASSERT_FALSE(refer_is_over(&r));
        refer_tell(&r, 200);
        CU_ASSERT_EQUAL(refer_next(&r), 0);
        CU_ASSERT(refer_is_over(&r));
    }
}

static void statuses_out_of_range(void)
{
    struct refer r;
    refer_begin(&r, 1, false, false);
    refer_tell(&r, 0);
    refer_tell(&r, 99);
    refer_tell(&r, 700);
    refer_tell(&r, -1);
    CU_ASSERT_EQUAL(refer_next(&r), 100);
    refer_answered(&r, 200);
    CU_ASSERT_EQUAL(refer_next(&r), 0);
}

static void records_that_are_none(void)
{
    static const char *const records[] = {
        "refer 1 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 0\n}\n",            // no due
        "refer 2 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 0\ndue 100\n}\n",   // another version
        "refer 1 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 7\ndue 100\n}\n",   // no status
        "refer 1 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 200\ndue 486\n}\n", // two last words
        "refer 1 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 183\ndue 180\n}\n", // backwards
        "refer 1 {\nused 2\nquiet 0\nnamed 0\nout 0\ncseq 1\ntold 0\ndue 100\n}\n",   // out of range
        "refer 1 {\nused 1\nquiet 0\nnamed 0\nout 0\ncseq 4294967295\ntold 0\ndue 0\n}\n"};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct record in;
        struct refer r = {.used = true};
        CU_ASSERT_EQUAL_FATAL(record_open(&in, records[i], strlen(records[i]), "refer"), 0);
        CU_ASSERT_NOT_EQUAL(refer_load(&r, &in), 0);
        CU_ASSERT_FALSE(r.used);
    }
}

static void relayed_ones_too(void)
{
    static const struct refer_relayed all[] = {{0}, {true, 0, 1, 700}, {true, 1, INT32_MAX, INT32_MAX}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char text[256];
        struct record_writer w;
        struct record in;
        struct refer_relayed copy;
        record_writer_init(&w, text, sizeof text);
        refer_relayed_save(&all[i], &w);
        int len = record_finish(&w);
        CU_ASSERT_FATAL(len > 0);
        CU_ASSERT_EQUAL_FATAL(record_open(&in, text, (size_t)len, "relayed"), 0);
        CU_ASSERT_EQUAL(refer_relayed_load(&copy, &in), 0);
        CU_ASSERT(copy.used == all[i].used && copy.from == all[i].from && copy.cseq_in == all[i].cseq_in &&
                  copy.cseq_out == all[i].cseq_out);
    }
}

static int load_transfer(struct transfer *t, const char *text)
{
    struct record in;
    CU_ASSERT_EQUAL_FATAL(record_open(&in, text, strlen(text), "transfer"), 0);
    return transfer_load(t, &in);
}

static void transfers(void)
{
    static const struct transfer all[] = {
        {.by = 1, .call = 1, .target = 2},
        {.stage = TRANSFER_WAITING, .answer = 200, .call = UINT64_MAX, .target = 3},
        {.stage = TRANSFER_MOVING,
         .attended = true,
         .by = 1,
         .by_second = 1,
         .moving = 1,
         .joined = 488,
         .call = 7,
         .target = 9,
         .second = 8},
        {.stage = TRANSFER_MOVING, .replaces = true, .dialog = 20, .moving = 1, .call = 7, .target = 9},
    };
    struct transfer copy;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char text[2][512];
        for (int again = 0; again < 2; again++) {
            struct record_writer w;
            record_writer_init(&w, text[again], sizeof text[0]);
            transfer_save(again ? &copy : &all[i], &w);
            int len = record_finish(&w);
            CU_ASSERT_FATAL(len > 0 && len < (int)sizeof text[0]);
            text[again][len] = '\0';
            if (!again)
                CU_ASSERT_EQUAL_FATAL(load_transfer(&copy, text[0]), 0);
        }
        CU_ASSERT_STRING_EQUAL(text[0], text[1]);
        CU_ASSERT_EQUAL(copy.second, all[i].second);
        CU_ASSERT_EQUAL(copy.stage, all[i].stage);
        CU_ASSERT_EQUAL(copy.replaces, all[i].replaces);
        CU_ASSERT_EQUAL(copy.dialog, all[i].dialog);
    }
    static const char *const wrong[] = {
        "transfer 1 {\nstage 0\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 1\n}\n",
        "transfer 1 {\nstage 0\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 0\ntarget 1\n}\n",
        "transfer 1 {\nstage 3\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 1 {\nstage 0\nattended 0\nreplaces 0\ndialog 0\nby 2\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 1 {\nstage 0\nattended 1\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 1 {\nstage 2\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 1\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 1 {\nstage 0\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 180\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 1 {\nstage 0\nattended 1\nreplaces 1\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\nsecond 3\n}\n",
        "transfer 1 {\nstage 0\nattended 0\nreplaces 0\ndialog 1\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
        "transfer 2 {\nstage 0\nattended 0\nreplaces 0\ndialog 0\nby 0\nby_second 0\nmoving 0\nanswer 0\njoined 0\ncall 1\ntarget 2\n}\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CU_ASSERT_NOT_EQUAL(load_transfer(&copy, wrong[i]), 0);
        CU_ASSERT_EQUAL(copy.call, 0);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"one after the other", one_after_the_other},
        {"quiet says nothing", quiet_says_nothing},
        {"a refused NOTIFY is the last", a_refused_notify_is_the_last},
        {"statuses out of range", statuses_out_of_range},
        {"records that are none", records_that_are_none},
        {"relayed ones, too", relayed_ones_too},
        {"transfers", transfers},
    };
    return test_main("refer", TEST_CASES(cases), argc, argv);
}
