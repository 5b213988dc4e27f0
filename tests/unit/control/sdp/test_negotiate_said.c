// SPDX-License-Identifier: BSD-3-Clause
// What was said stays said: an answer that is given once more, what the media does when the other side has said
// something else since, offers that say nothing new, and why one is turned away.
#include "negotiate_fixture.h"

static void sdp_with(char *out, size_t cap, const char *formats, const char *direction)
{
    snprintf(out, cap,
             "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP %s\na=rtpmap:101 telephone-event/8000\na=%s\n",
             formats, direction);
}

// "8>0:au 101>101": what comes in, what it becomes, and from which law to which.
static void map_of(const struct tl_leg *leg, char *text, size_t cap)
{
    static const char *const laws[] = {"", ":au", ":ua"};
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < leg->pt_count; i++)
        used += (size_t)snprintf(text + used, cap - used, "%s%u>%u%s", i ? " " : "", leg->pt_in[i],
                                 leg->pt_out[i], laws[leg->pt_law[i]]);
}

static bool is(size_t row, const char *what, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        printf("row %zu, %s: '%s' instead of '%s'\n", row, what, got, wanted);
    return strcmp(got, wanted) == 0;
}

// The first fork answers, A is told; then another fork answers for good and A's answer stays.
static void test_fixed_answer(void)
{
    static const char *const flags[] = {"-", "recv", "send", "both"};
    static const struct {
        const char *offer; // of A, sendrecv
        const char *first, *first_direction;
        const char *second, *second_direction;
        const char *a_to_b, *b_to_a;
        const char *a, *b; // flags of the legs
        const char *names;
    } table[] = {
        {"8 0 101", "8 101", "sendrecv", "8 101", "sendrecv", "8>8 101>101", "8>8 101>101", "both", "both",
         "PCMA+telephone-event"},
        // another law
        {"8 0 101", "8 101", "sendrecv", "0 101", "sendrecv", "8>0:au 101>101", "0>8:ua 101>101", "both",
         "both", "PCMA/PCMU+telephone-event"},
        {"8 0 101", "0 101", "sendrecv", "8 101", "sendrecv", "0>8:ua 101>101", "8>0:au 101>101", "both",
         "both", "PCMU/PCMA+telephone-event"},
        // A was told both laws and may send either
        {"8 0", "8 0", "sendrecv", "0", "sendrecv", "0>0 8>0:au", "0>0", "both", "both", "PCMU"},
        // the callee now takes both, and may send the one that A was not told
        {"8 0", "8", "sendrecv", "0 8", "sendrecv", "8>8", "0>8:ua 8>8", "both", "both", "PCMA"},
        // telephone-event that A was told and the callee lacks, and the other way round: nowhere to go
        {"8 101", "8 101", "sendrecv", "8", "sendrecv", "8>8", "8>8", "both", "both", "PCMA"},
        {"8 101", "8", "sendrecv", "8 101", "sendrecv", "8>8", "8>8", "both", "both", "PCMA"},
        // A was told that it may send and the callee takes nothing: dropped as held
        {"8", "8", "sendrecv", "8", "sendonly", "8>8", "8>8", "send", "recv", "PCMA"},
        {"8", "8", "sendrecv", "8", "inactive", "8>8", "8>8", "-", "-", "PCMA"},
        {"8", "8", "sendrecv", "8", "recvonly", "8>8", "8>8", "recv", "send", "PCMA"},
        // A was told that it may not send, or that nothing comes
        {"8", "8", "sendonly", "8", "sendrecv", "8>8", "8>8", "send", "recv", "PCMA"},
        {"8", "8", "recvonly", "8", "sendrecv", "8>8", "8>8", "recv", "send", "PCMA"},
        {"8", "8", "inactive", "8", "sendrecv", "8>8", "8>8", "-", "-", "PCMA"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        char sdp[200], said[NEG_BODY_MAX], map[80], names[48];
        begin(&p, &plain, &plain);
        sdp_with(sdp, sizeof sdp, table[i].offer, "sendrecv");
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, sdp), 0);
        CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), -ENOENT);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        struct neg_leg other_fork = p.b;
        sdp_with(sdp, sizeof sdp, table[i].first, table[i].first_direction);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, sdp), 0);
        int len = neg_make_answer(&p.a, &p.b, said);
        CU_ASSERT_TRUE_FATAL(len > 0);
        p.b = other_fork;
        sdp_with(sdp, sizeof sdp, table[i].second, table[i].second_direction);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, sdp), 0);
        CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), len);
        CU_ASSERT_STRING_EQUAL(p.out, said);
        neg_fill(&p.a, &p.b, p.leg);
        map_of(&p.leg[0], map, sizeof map);
        CU_ASSERT_TRUE(is(i, "A to B", map, table[i].a_to_b));
        map_of(&p.leg[1], map, sizeof map);
        CU_ASSERT_TRUE(is(i, "B to A", map, table[i].b_to_a));
        CU_ASSERT_TRUE(is(i, "A", flags[p.leg[0].flags & 3], table[i].a));
        CU_ASSERT_TRUE(is(i, "B", flags[p.leg[1].flags & 3], table[i].b));
        neg_codec_names(&p.a, &p.b, names, sizeof names);
        CU_ASSERT_TRUE(is(i, "names", names, table[i].names));
        // a refresh of A gets that answer too, and nothing changes for the dataplane
        struct tl_leg before[2];
        memcpy(before, p.leg, sizeof before);
        sdp_with(sdp, sizeof sdp, table[i].offer, "sendrecv");
        CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), 0);
        CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), len);
        CU_ASSERT_STRING_EQUAL(p.out, said);
        neg_fill(&p.a, &p.b, p.leg);
        CU_ASSERT_EQUAL(memcmp(p.leg, before, sizeof before), 0);
        CU_ASSERT_TRUE(fits_contract(&p));
    }
}

static_assert(TL_LEG_RECV == 1 && TL_LEG_SEND == 2, "index of the flags above");

// Between an early answer and the final one the side was made an offer that it refused: the answer stays byte for byte,
// and what is new after it has a version above both.
static void test_repeat_behind_refused_offer(void)
{
    struct pair p;
    char said[NEG_BODY_MAX], sdp[200];
    begin(&p, &plain, &plain);
    sdp_with(sdp, sizeof sdp, "8", "sendrecv");
    exchange(&p, &p.a, &p.b, sdp, sdp);
    memcpy(said, p.out, sizeof said);
    struct neg_leg copy = p.a;
    sdp_with(sdp, sizeof sdp, "8", "sendonly");
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&copy, &p.b, test_random, p.out) > 0);
    CU_ASSERT_STRING_NOT_EQUAL(p.out, said);
    neg_keep_version(&p.a, &copy);
    CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), (int)strlen(said));
    CU_ASSERT_STRING_EQUAL(p.out, said);
    sdp_with(sdp, sizeof sdp, "8", "inactive");
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_EQUAL(p.a.word.version, copy.version + 1);
}

// Keys, MKI and refused lines are said once more as they were; a new offer ends what was said.
static void test_repeat_with_keys(void)
{
    struct pair p;
    char said[NEG_BODY_MAX];
    struct sdp s;
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_mediation, ANSWER_PCMA_96);
    memcpy(said, p.out, sizeof said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "a=crypto:"));
    uint64_t version = p.a.version;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), (int)strlen(said));
        CU_ASSERT_STRING_EQUAL(p.out, said);
    }
    CU_ASSERT_EQUAL(p.a.version, version);
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_pbx, "c=IN IP4 203.0.113.5\nm=audio 4000 RTP/AVP 0\na=recvonly\n");
    memcpy(said, p.out, sizeof said);
    CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), (int)strlen(said));
    CU_ASSERT_STRING_EQUAL(p.out, said);
    CU_ASSERT_EQUAL(sdp_parse(&s, sdp_mediation, strlen(sdp_mediation), NULL), 0);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_pbx), 0); // the same offer: the same answer
    CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), (int)strlen(said));
    CU_ASSERT_STRING_EQUAL(p.out, said);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, "c=IN IP4 192.0.2.20\nm=audio 2070 RTP/AVP 0\n"), 0);
    CU_ASSERT_EQUAL(neg_repeat_answer(&p.a, p.out), -ENOENT);
    CU_ASSERT_EQUAL(neg_repeat_answer(&p.b, p.out), -ENOENT); // was made an offer, and gave the answer
}

#define BASE "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/SAVP 8 101\na=rtpmap:101 telephone-event/8000\n"

static void test_same(void)
{
    static const char first[] =
        "v=0\no=- 7 1 IN IP4 192.0.2.1\ns=-\n" BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\n"
        "a=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n";
    static const struct {
        const char *sdp;
        bool same;
    } table[] = {
        {first, true},
        {"v=0\no=- 7 2 IN IP4 192.0.2.1\ns=-\n" BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\n"
         "a=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false}, // another version
        {"v=0\no=- 7 1 IN IP4 192.0.2.1\ns=x\nt=0 0\n" BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\n"
         "a=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         true}, // lines that we don't use
        {"v=0\no=- 7 1 IN IP4 192.0.2.1\ns=-\n" BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\n"
         "a=ptime:20\nb=AS:80\na=sendonly\nm=video 0 RTP/AVP 31\n",
         false}, // the same version, but held
        {BASE "a=fmtp:101 0-16\na=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "|2^31\na=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\na=ptime:30\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:64\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80
              "\na=ptime:20\nb=AS:80\na=rtcp-mux\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80
              "\na=ptime:20\nb=AS:80\na=rtcp:9\nm=video 0 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\nm=video 5 RTP/AVP 31\n",
         false},
        {BASE "a=fmtp:101 0-15\na=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\n", false},
        {"c=IN IP4 192.0.2.9\nm=audio 9000 RTP/SAVP 8 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
         "a=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
        {"c=IN IP4 192.0.2.1\nm=audio 9002 RTP/SAVP 8 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
         "a=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
        {"c=IN IP4 192.0.2.1\nm=audio 9000 RTP/SAVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
         "a=crypto:1 " SAMPLE_CM80 "\na=ptime:20\nb=AS:80\nm=video 0 RTP/AVP 31\n",
         false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        struct sdp s;
        char text[1024]; // rows without a beginning have that of `first`
        snprintf(text, sizeof text, "%s%s",
                 table[i].sdp[0] == 'v' ? "" : "v=0\no=- 7 1 IN IP4 192.0.2.1\ns=-\n", table[i].sdp);
        begin(&p, &maybe, &plain);
        CU_ASSERT_EQUAL_FATAL(sdp_parse(&s, text, strlen(text), NULL), 0);
        CU_ASSERT_FALSE(neg_same_sdp(&p.a, &s, text)); // nothing was said yet
        CU_ASSERT_FALSE(neg_has_spoken(&p.a));
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, first), 0);
        if (neg_same_sdp(&p.a, &s, text) != table[i].same)
            printf("row %zu\n", i);
        CU_ASSERT_EQUAL(neg_same_sdp(&p.a, &s, text), table[i].same);
    }
}

// A refresh from either side is answered from what the other said last, and changes nothing.
static void test_refresh(void)
{
    struct pair p;
    struct tl_leg before[2];
    struct sdp s;
    char said[NEG_BODY_MAX];
    begin(&p, &secure, &plain96);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    memcpy(said, p.out, sizeof said);
    memcpy(before, p.leg, sizeof before);
    CU_ASSERT_EQUAL(sdp_parse(&s, sdp_soft, strlen(sdp_soft), NULL), 0);
    CU_ASSERT_TRUE(neg_same_sdp(&p.a, &s, sdp_soft));
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_soft), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_STRING_EQUAL(p.out, said); // the version too
    CU_ASSERT_EQUAL(sdp_parse(&s, ANSWER_PCMA_96, strlen(ANSWER_PCMA_96), NULL), 0);
    CU_ASSERT_TRUE(neg_same_sdp(&p.b, &s, ANSWER_PCMA_96)); // its answer of then is its offer now
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, ANSWER_PCMA_96), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.b, &p.a, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/AVP 8 96\r\n"));
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(memcmp(p.leg, before, sizeof before), 0);
}

// Every refusal has a sentence that fits a Warning, and a code.
static void test_warnings(void)
{
    static const struct {
        const struct tl_trunk_config *trunk;
        const char *offer;
        unsigned code;
    } offers[] = {
        {&plain, "c=IN IP6 2001:db8::1\nm=audio 9 RTP/AVP 0\n", 301},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 UDP/TLS/RTP/SAVPF 0\n", 302},
        {&plain, sdp_soft, 302},
        {&secure, sdp_router, 302},
        {&plain, "c=IN IP4 192.0.2.1\nm=video 9 RTP/AVP 31\n", 304},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 18\n", 305},
        {&secure, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\n", 306},
        {&maybe, BASE "a=crypto:1 " SAMPLE_CM80 "|2^31|1:9\n", 306},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 0\n", 399},
    };
    static const struct {
        const struct tl_trunk_config *trunk;
        const char *answer;
        unsigned code;
    } answers[] = {
        {&plain, "m=audio 9 RTP/AVP 0\n", 301},
        {&secure, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 0\n", 302},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\na=crypto:1 " SAMPLE_CM80 "\n", 302},
        {&plain, "c=IN IP4 192.0.2.1\nm=video 9 RTP/AVP 0\n", 304},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 18\n", 305},
        {&maybe, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n",
         306},
    };
    char warning[160], wanted[160];
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        struct pair p;
        begin(&p, offers[i].trunk, &plain);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, offers[i].offer), -ENOTSUP);
        if (neg_warn_code(p.why) != offers[i].code)
            printf("offer %zu: %u %s\n", i, neg_warn_code(p.why), p.why);
        CU_ASSERT_EQUAL(neg_warn_code(p.why), offers[i].code);
        snprintf(wanted, sizeof wanted, "%u gw.example \"%s\"", offers[i].code, p.why);
        CU_ASSERT_EQUAL(neg_warning(p.why, "gw.example", warning, sizeof warning), (int)strlen(wanted));
        CU_ASSERT_STRING_EQUAL(warning, wanted); // so there is neither quote nor backslash in the sentence
    }
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct pair p;
        begin(&p, &plain, answers[i].trunk);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, sdp_router), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, answers[i].answer), -ENOTSUP);
        if (neg_warn_code(p.why) != answers[i].code)
            printf("answer %zu: %u %s\n", i, neg_warn_code(p.why), p.why);
        CU_ASSERT_EQUAL(neg_warn_code(p.why), answers[i].code);
    }
    static const char *const unread[] = {"v=1", "m=audio x RTP/AVP 8"};
    for (size_t i = 0; i < 2; i++) {
        struct sdp s;
        const char *why = NULL;
        CU_ASSERT_EQUAL(sdp_parse(&s, unread[i], strlen(unread[i]), &why), -EINVAL);
        CU_ASSERT_EQUAL(neg_warn_code(why), 307);
    }
    CU_ASSERT_TRUE(neg_warning("a \"b\" \\", "x", warning, sizeof warning) > 0);
    CU_ASSERT_STRING_EQUAL(warning, "399 x \"a \\\"b\\\" \\\\\"");
    CU_ASSERT_EQUAL(neg_warning("a", "x", warning, 9), -ENOSPC);
    CU_ASSERT_EQUAL(neg_warning("a", "x", warning, 10), 9);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"an answer that stays", test_fixed_answer},
        {"an answer with keys, once more", test_repeat_with_keys},
        {"an answer behind a refused offer", test_repeat_behind_refused_offer},
        {"the same SDP", test_same},
        {"session refresh", test_refresh},
        {"warnings", test_warnings},
    };
    return test_main("negotiate_said", TEST_CASES(cases), argc, argv);
}
