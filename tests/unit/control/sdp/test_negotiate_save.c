// SPDX-License-Identifier: BSD-3-Clause
// Legs as records: a call whose legs are saved and read back between any two steps says and agrees the same as one
// that goes on, and no damaged record is taken for more than it is.
#include <stdlib.h>

#include "negotiate_fixture.h"

static struct tl_config config;

// Saves a leg and reads it back into itself.
static void through_record(struct neg_leg *leg)
{
    static char text[NEG_SAVE_MAX], again[NEG_SAVE_MAX];
    struct record_writer w;
    struct record r;
    struct neg_leg loaded;
    record_writer_init(&w, text, sizeof text);
    record_begin(&w, "call", 1);
    neg_save(&w, "leg", leg);
    record_end(&w);
    int n = record_finish(&w);
    CU_ASSERT_TRUE_FATAL(n > 0);
    CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)n, "call"), 0);
    CU_ASSERT_EQUAL_FATAL(neg_load(&loaded, &r, "leg", &config), 0);
    record_writer_init(&w, again, sizeof again);
    record_begin(&w, "call", 1);
    neg_save(&w, "leg", &loaded);
    record_end(&w);
    CU_ASSERT_EQUAL(record_finish(&w), n);
    CU_ASSERT_EQUAL(memcmp(text, again, (size_t)n), 0);
    CU_ASSERT_STRING_EQUAL(loaded.trunk->name, leg->trunk->name);
    CU_ASSERT_TRUE(loaded.trunk >= config.trunks && loaded.trunk < config.trunks + config.trunk_count);
    *leg = loaded;
}

// What each step said, one after the other, and what was agreed at the end.
struct story {
    char said[8][NEG_BODY_MAX];
    struct tl_leg leg[2];
};

static void save(struct pair *p, bool saved)
{
    if (saved) {
        through_record(&p->a);
        through_record(&p->b);
    }
}

static void tell(struct story *s, const struct tl_trunk_config *ta, const struct tl_trunk_config *tb,
                 const char *offer, const char *answer, const char *later, bool saved)
{
    struct pair p;
    begin(&p, ta, tb);
    memset(s, 0, sizeof *s);
    save(&p, saved);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, offer), 0);
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, s->said[0]) > 0);
    save(&p, saved);
    CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, answer), 0);
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, s->said[1]) > 0);
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_repeat_answer(&p.a, s->said[2]) > 0);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, offer), 0); // a refresh
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_repeat_answer(&p.a, s->said[3]) > 0);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, later), 0);
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, s->said[4]) > 0);
    save(&p, saved);
    CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, answer), 0);
    save(&p, saved);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, s->said[5]) > 0);
    save(&p, saved);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.b, answer), 0); // and from the other side
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.a, &p.b, test_random, s->said[6]) > 0);
    save(&p, saved);
    neg_fill(&p.a, &p.b, s->leg);
}

#define HEAD          "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
#define LATER         HEAD "m=audio 9000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\na=sendonly\n"
#define ANSWER_SECURE HEAD "m=audio 4000 RTP/SAVP 8\na=crypto:2 " SAMPLE_CM80 "|2^31|5:2\n"

static void test_goes_on(void)
{
    static const struct {
        const struct tl_trunk_config *a, *b;
        const char *offer, *answer, *later;
    } table[] = {
        {&plain, &plain96, sdp_router, ANSWER_PCMA_96, LATER},
        {&secure, &plain, sdp_soft, ANSWER_PCMA_96,
         HEAD "m=audio 9 RTP/SAVP 8\na=crypto:7 " SAMPLE_CM80 "\n"},
        {&plain, &secure, sdp_router, ANSWER_SECURE, LATER},
        {&maybe, &plain, sdp_mediation, ANSWER_PCMA_96, LATER},
        {&maybe, &plain, sdp_pbx, HEAD "m=audio 4000 RTP/AVP 0\na=recvonly\nb=AS:80\n",
         HEAD "m=audio 0 RTP/SAVP 0\nm=audio 9 RTP/AVP 0\n"},
        {&plain, &plain, HEAD "m=audio 0 RTP/AVP 8\n", HEAD "m=audio 0 RTP/AVP 8\n",
         HEAD "m=audio 0 RTP/AVP 8\nm=video 0 RTP/AVP 31\n"},
    };
    static struct story plainly, saved;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        tell(&plainly, table[i].a, table[i].b, table[i].offer, table[i].answer, table[i].later, false);
        tell(&saved, table[i].a, table[i].b, table[i].offer, table[i].answer, table[i].later, true);
        for (int n = 0; n < 7; n++) {
            if (strcmp(plainly.said[n], saved.said[n]) != 0)
                printf("call %zu, step %d:\n%s\n%s", i, n, plainly.said[n], saved.said[n]);
            CU_ASSERT_STRING_EQUAL(plainly.said[n], saved.said[n]);
        }
        CU_ASSERT_EQUAL(memcmp(plainly.leg, saved.leg, sizeof saved.leg), 0);
        CU_ASSERT_STRING_EQUAL(saved.said[1], saved.said[2]);
        CU_ASSERT_STRING_EQUAL(saved.said[1], saved.said[3]);
    }
}

// A key that was used before is known again.
static void test_keys_known(void)
{
    struct pair p;
    begin(&p, &secure, &plain);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    exchange(&p, &p.a, &p.b, HEAD "m=audio 9 RTP/SAVP 8\na=crypto:7 " SAMPLE_CM80 "\n", ANSWER_PCMA_96);
    struct tl_key_history before = p.a.rx_keys;
    CU_ASSERT_EQUAL(before.count, 2);
    through_record(&p.a);
    CU_ASSERT_EQUAL(memcmp(before.print, p.a.rx_keys.print, sizeof before.print), 0);
    CU_ASSERT_EQUAL(memcmp(before.order, p.a.rx_keys.order, sizeof before.order), 0);
    CU_ASSERT_EQUAL(memcmp(before.generation, p.a.rx_keys.generation, sizeof before.generation), 0);
    CU_ASSERT_EQUAL(before.newest, p.a.rx_keys.newest);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.a.rx_keys.count, 2);
}

static int record_of(struct neg_leg *leg, char *text, size_t cap)
{
    struct record_writer w;
    record_writer_init(&w, text, cap);
    record_begin(&w, "call", 1);
    neg_save(&w, "leg", leg);
    record_end(&w);
    return record_finish(&w);
}

static int load(const char *text, size_t len, const char *name, const struct tl_config *of)
{
    struct record r;
    struct neg_leg leg;
    int rc = record_open(&r, text, len, "call");
    if (rc == 0)
        rc = neg_load(&leg, &r, name, of);
    if (rc == 0)
        neg_fini(&leg);
    return rc;
}

// Each line left out, and values out of range: refused, and nothing is kept.
static void test_damaged(void)
{
    static const struct {
        const char *from, *to;
    } table[] = {
        {"\nleg 1 {", "\nleg 2 {"},
        {"direction 3", "direction 4"},
        {"first 1", "first 2"},
        {"off 0", "off 2"},
        {"remote_pt 00", "remote_pt 80"},
        {"rtp 192.0.2.40:11338", "rtp 192.0.2.40"},
        {"local 198.51.100.1", "local ::1"},
        {"line_count 1", "line_count 33"},
        {"audio_line 0", "audio_line 1"},
        {"line_count 1", "line_count 0"},
        {"proto 3", "proto 9"},
        {"RTP/SAVP 0%0a", "RTP/SAVP 0"},
        {"order 00", "order 09"},
        {"forget_at 0", "forget_at 32"},
        {"kind 2", "kind 3"},
        {"rx 1 AEAD", "rx 1 BEAD"},
        {"pass a=maxptime:150%0d%0a", "pass a=maxptime:150"},
    };
    struct pair p;
    char text[NEG_SAVE_MAX], changed[NEG_SAVE_MAX];
    begin(&p, &secure, &plain);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    int n = record_of(&p.a, text, sizeof text);
    CU_ASSERT_TRUE_FATAL(n > 0);
    text[n] = 0;
    CU_ASSERT_EQUAL(load(text, (size_t)n, "leg", &config), 0);
    CU_ASSERT_EQUAL(load(text, (size_t)n, "other", &config), -EINVAL);
    static const struct tl_config empty; // larger than a stack
    CU_ASSERT_EQUAL(load(text, (size_t)n, "leg", &empty), -ENOENT);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *at = strstr(text, table[i].from);
        if (!at)
            printf("no \"%s\" in\n%s", table[i].from, text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        int len = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, table[i].to,
                           at + strlen(table[i].from));
        if (load(changed, (size_t)len, "leg", &config) != -EINVAL)
            printf("%s was taken\n", table[i].to);
        CU_ASSERT_EQUAL(load(changed, (size_t)len, "leg", &config), -EINVAL);
    }
    for (const char *line = text, *end; *line; line = end) { // without one line
        end = strchr(line, '\n') + 1;
        bool brace = line[0] == '}' || end[-2] == '{';
        bool may_lack = strncmp(line, "rx ", 3) == 0 || strncmp(line, "tx ", 3) == 0 ||
                        strncmp(line, "rt", 2) == 0 || strncmp(line, "local ", 6) == 0;
        int len = snprintf(changed, sizeof changed, "%.*s%s", (int)(line - text), text, end);
        int rc = load(changed, (size_t)len, "leg", &config);
        if ((rc == 0) != (may_lack && !brace))
            printf("%d without %.*s", rc, (int)(end - line), line);
        CU_ASSERT_EQUAL(rc, may_lack && !brace ? 0 : -EINVAL);
    }
}

// Whatever is read from changed bytes can be used: nothing is read or written past an end.
static void test_mutated(void)
{
    static const char nasty[] = "0123456789abcdef{}\n %:.|-/";
    static char text[NEG_SAVE_MAX], out[NEG_BODY_MAX];
    struct pair p;
    unsigned seed = 11;
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_mediation, ANSWER_PCMA_96);
    size_t n = (size_t)record_of(&p.a, text, sizeof text);
    unsigned taken = 0;
    for (int round = 0; round < 20000; round++) {
        char *exact = malloc(n);
        struct record r;
        struct neg_leg leg;
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, text, n);
        for (int k = 0; k < 1 + round % 4; k++)
            exact[(size_t)rand_r(&seed) % n] = nasty[(unsigned)rand_r(&seed) % (sizeof nasty - 1)];
        if (record_open(&r, exact, n, "call") == 0 && neg_load(&leg, &r, "leg", &config) == 0) {
            taken++;
            struct pair q = p;
            q.a = leg;
            neg_repeat_answer(&q.a, out);
            neg_make_offer(&q.b, &q.a, test_random, out);
            neg_make_answer(&q.a, &q.b, out);
            neg_fill(&q.a, &q.b, q.leg);
            take_offer(&q, &q.a, sdp_mediation);
            neg_make_offer(&q.a, &q.b, test_random, out);
        }
        free(exact);
    }
    CU_ASSERT_TRUE(taken > 0);
}

int main(int argc, char **argv)
{
    static const struct tl_trunk_config *const trunks[] = {&plain, &plain96, &secure, &maybe};
    for (unsigned i = 0; i < 4; i++)
        config.trunks[config.trunk_count++] = *trunks[i];
    static const struct test_case cases[] = {
        {"goes on", test_goes_on},
        {"keys are known", test_keys_known},
        {"damaged records", test_damaged},
        {"mutations", test_mutated},
    };
    return test_main("negotiate_save", TEST_CASES(cases), argc, argv);
}
