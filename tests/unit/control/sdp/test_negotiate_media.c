// SPDX-License-Identifier: BSD-3-Clause
// What is negotiated about the media itself: which law of G.711 each side has, where it is converted, and how
// much a side may send.
#include "negotiate_fixture.h"

static const struct tl_trunk_config only_a = {
    .name = "only-a", .dtmf_pt = 101, .codecs = {TL_PCMA}, .codec_count = 1, .burst_ms = 1000};
static const struct tl_trunk_config only_u = {
    .name = "only-u", .dtmf_pt = 101, .codecs = {TL_PCMU}, .codec_count = 1, .burst_ms = 1000};

// "8>0:au 101>101": what comes in, what it becomes, and from which law to which.
static const char *map_of(const struct tl_leg *leg)
{
    static const char *const laws[] = {"", ":au", ":ua"};
    static char text[120];
    int used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < leg->pt_count; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%u>%u%s", i ? " " : "", leg->pt_in[i],
                         leg->pt_out[i], laws[leg->pt_law[i]]);
    return text;
}

static bool is(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        printf("%s: '%s' instead of '%s'\n", what, got, wanted);
    return strcmp(got, wanted) == 0;
}

// The formats of the first m= line.
static const char *formats_of(const char *sdp)
{
    static char text[60];
    const char *at = strstr(sdp, "RTP/AVP ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at += 8;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\r\n"), at);
    return text;
}

static void sdp_with(char *out, size_t cap, const char *formats)
{
    snprintf(out, cap, "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP %s\na=rtpmap:101 telephone-event/8000\n%s",
             formats, strstr(formats, "97") ? "a=rtpmap:97 PCMA/8000\n" : "");
}

// Each row is a call; conversion only where the sides have no law in common.
static void test_laws(void)
{
    static const struct {
        const struct tl_trunk_config *a, *b;
        const char *offer;   // of A
        const char *offered; // to B
        const char *answer;  // of B
        const char *answered;
        const char *a_to_b, *b_to_a;
        const char *names;
    } table[] = {
        // both have both: B's first choice, nothing is converted
        {&plain, &plain, "8 0 101", "8 0 101", "8 101", "8 101", "8>8 101>101", "8>8 101>101",
         "PCMA+telephone-event"},
        {&plain, &plain, "0 8", "8 0", "0", "0", "0>0", "0>0", "PCMU"},
        {&plain, &plain, "0 8", "8 0", "0 8", "0 8", "0>0 8>8", "0>0 8>8", "PCMU"},
        // A has one: B is offered both, A's first, whatever the trunk prefers
        {&plain, &plain96, "8", "8 0", "8", "8", "8>8", "8>8", "PCMA"},
        {&plain, &plain, "0", "0 8", "0", "0", "0>0", "0>0", "PCMU"},
        {&plain, &plain, "8", "8 0", "0", "8", "8>0:au", "0>8:ua", "PCMA/PCMU"},
        {&plain, &plain, "0 101", "0 8 101", "8 101", "0 101", "0>8:ua 101>101", "8>0:au 101>101",
         "PCMU/PCMA+telephone-event"},
        // B takes both and may send either, of which A has one
        {&plain, &plain, "8", "8 0", "8 0", "8", "8>8", "0>8:ua 8>8", "PCMA"},
        {&plain, &plain, "8", "8 0", "0 8", "8", "8>8", "0>8:ua 8>8", "PCMA"},
        // A has both and B one: A is answered that one
        {&plain, &plain, "8 0", "8 0", "0", "0", "0>0", "0>0", "PCMU"},
        {&plain, &only_u, "8 0 101", "0 101", "0 101", "0 101", "0>0 101>101", "0>0 101>101",
         "PCMU+telephone-event"},
        // a trunk's switch: its peer has one law whatever it says
        {&plain, &only_u, "8", "0", "0", "8", "8>0:au", "0>8:ua", "PCMA/PCMU"},
        {&only_a, &only_u, "0 8", "0", "0", "8", "8>0:au", "0>8:ua", "PCMA/PCMU"},
        {&only_u, &only_a, "8 0", "8", "8", "0", "0>8:ua", "8>0:au", "PCMU/PCMA"},
        {&only_a, &only_a, "8", "8", "8", "8", "8>8", "8>8", "PCMA"},
        // numbers of their own
        {&plain, &only_u, "97", "0", "0", "97", "97>0:au", "0>97:ua", "PCMA/PCMU"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        char sdp[200], what[40], names[48];
        begin(&p, table[i].a, table[i].b);
        sdp_with(sdp, sizeof sdp, table[i].offer);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, sdp), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        snprintf(what, sizeof what, "call %zu", i);
        CU_ASSERT_TRUE(is(what, formats_of(p.out), table[i].offered));
        sdp_with(sdp, sizeof sdp, table[i].answer);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, sdp), 0);
        for (int told = 0; told < 2; told++) { // the dataplane is told before A is answered
            neg_fill(&p.a, &p.b, p.leg);
            CU_ASSERT_TRUE(is(what, map_of(&p.leg[0]), table[i].a_to_b));
            CU_ASSERT_TRUE(is(what, map_of(&p.leg[1]), table[i].b_to_a));
            CU_ASSERT_TRUE(fits_contract(&p));
            if (!told)
                CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
        }
        CU_ASSERT_TRUE(is(what, formats_of(p.out), table[i].answered));
        neg_codec_names(&p.a, &p.b, names, sizeof names);
        CU_ASSERT_TRUE(is(what, names, table[i].names));
    }
}

// A hold asks nothing new of a side that is known to have the law; one that needs the conversion keeps it.
static void test_laws_later(void)
{
    struct pair p;
    char sdp[200];
    begin(&p, &plain, &plain);
    sdp_with(sdp, sizeof sdp, "8");
    exchange(&p, &p.a, &p.b, sdp, sdp);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(is("with a common law", formats_of(p.out), "8"));

    char answer[200];
    begin(&p, &plain, &plain);
    sdp_with(answer, sizeof answer, "0");
    exchange(&p, &p.a, &p.b, sdp, answer);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(is("without", formats_of(p.out), "8 0"));
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, answer), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_TRUE(is("a to b", map_of(&p.leg[0]), "8>0:au"));
    // and from the other side, which now has both: no conversion any more
    sdp_with(sdp, sizeof sdp, "0 8");
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    sdp_with(sdp, sizeof sdp, "8");
    CU_ASSERT_EQUAL(take_answer(&p, &p.a, sdp), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.b, &p.a, p.out) > 0);
    CU_ASSERT_TRUE(is("answer", formats_of(p.out), "8"));
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_TRUE(is("a to b", map_of(&p.leg[0]), "8>8"));
    CU_ASSERT_TRUE(is("b to a", map_of(&p.leg[1]), "8>8"));
}

// An INVITE without an offer: B takes one law, A is offered that first and takes the other.
static void test_laws_late_offer(void)
{
    struct pair p;
    char sdp[200];
    begin(&p, &plain, &plain);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, NULL, test_random, p.out) > 0);
    CU_ASSERT_TRUE(is("to B", formats_of(p.out), "8 0 101"));
    sdp_with(sdp, sizeof sdp, "0");
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    CU_ASSERT_TRUE(is("to A", formats_of(p.out), "0 8"));
    sdp_with(sdp, sizeof sdp, "8");
    CU_ASSERT_EQUAL(take_answer(&p, &p.a, sdp), 0);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_TRUE(is("a to b", map_of(&p.leg[0]), "8>0:au"));
    CU_ASSERT_TRUE(is("b to a", map_of(&p.leg[1]), "0>8:ua"));
    CU_ASSERT_TRUE(fits_contract(&p));
}

static void test_laws_refused(void)
{
    struct pair p;
    char sdp[200];
    begin(&p, &only_a, &plain);
    sdp_with(sdp, sizeof sdp, "0 101");
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), -ENOTSUP); // a law that the trunk does not have
    CU_ASSERT_STRING_EQUAL(p.why, "no codec of the offer is G.711 of a law that the trunk has");
    begin(&p, &plain, &only_u);
    sdp_with(sdp, sizeof sdp, "8");
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, sdp), -ENOTSUP); // A-law, which it was not offered
}

// ---- how much a side may send ---------------------------------------------------------------------------

#define CM80_LINE "a=crypto:1 " SAMPLE_CM80

// Bytes a second of UDP payload: the audio and, a packet, header with room, tag and MKI; a quarter more for
// the audio; 5 % RTCP.
static uint32_t bytes(uint32_t pps, uint32_t tag_and_mki)
{
    return (10000 + pps * (28 + tag_and_mki)) * 21 / 20;
}

static void test_limits(void)
{
    static const struct {
        const char *a, *b; // lines of A's offer and B's answer
        uint32_t pps;      // of both legs
        uint32_t extra;    // tag and MKI of A's packets
    } table[] = {
        {"", "", 125, 0},
        {"a=ptime:20\n", "a=ptime:20\n", 125, 0}, // 10 ms are allowed to everybody
        {"a=ptime:60\n", "a=maxptime:150\n", 125, 0},
        {"a=ptime:10\n", "", 125, 0},
        {"a=ptime:5\n", "", 250, 0},
        {"", "a=ptime:5\n", 250, 0}, // whoever asks for it: the other one does it, and may expect it in turn
        {"a=ptime:20\na=maxptime:8\n", "", 156, 0},
        {"a=ptime:1\n", "a=ptime:20\n", 250, 0}, // nobody sends so small ones
        {"a=ptime:0\n", "a=ptime:0\na=maxptime:0\n", 125, 0},
        {"a=ptime:x\n", "a=ptime:\n", 125, 0},
        {"a=ptime:-5\n", "a=ptime:99999999\n", 125, 0},
        {CM80_LINE "\n", "", 125, 10},
        {CM80_LINE "|2^31|1:4\na=ptime:5\n", "", 250, 14},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        char offer[300], answer[300];
        snprintf(offer, sizeof offer, "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8\n%s", table[i].a);
        snprintf(answer, sizeof answer, "c=IN IP4 192.0.2.2\nm=audio 9000 RTP/AVP 8\n%s", table[i].b);
        begin(&p, &maybe, &plain);
        exchange(&p, &p.a, &p.b, offer, answer);
        if (p.leg[0].max_pps != table[i].pps)
            printf("limits %zu: %u packets/s\n", i, p.leg[0].max_pps);
        for (int leg = 0; leg < 2; leg++) {
            CU_ASSERT_EQUAL(p.leg[leg].max_pps, table[i].pps);
            CU_ASSERT_EQUAL(p.leg[leg].max_len, 1472);
            CU_ASSERT_EQUAL(p.leg[leg].burst_ms, 1000);
        }
        CU_ASSERT_EQUAL(p.leg[0].max_bps, bytes(table[i].pps, table[i].extra));
        CU_ASSERT_EQUAL(p.leg[1].max_bps, bytes(table[i].pps, 0));
        CU_ASSERT_TRUE(fits_contract(&p));
    }
}

// Nobody who does what was agreed, in packets of any size, is over a limit, telephone-event beside the audio
// included; and what the limits let through is not much more.
static void test_limits_are_fair(void)
{
    struct pair p;
    begin(&p, &secure, &plain);
    exchange(&p, &p.a, &p.b, sdp_soft, "c=IN IP4 192.0.2.2\nm=audio 9000 RTP/AVP 8\n");
    for (uint32_t ms = 10; ms <= 60; ms += 10) {
        uint32_t packets = 1000 / ms, tag = 16;
        uint32_t size = 12 + 8 * ms + tag;
        CU_ASSERT_TRUE(packets < p.leg[0].max_pps);
        CU_ASSERT_TRUE(packets * size + 400 < p.leg[0].max_bps); // 400: RTCP at its 5 % of 64 kbit/s
        CU_ASSERT_TRUE(size <= p.leg[0].max_len);
        CU_ASSERT_TRUE(p.leg[0].max_bps < 3 * packets * size);
        // audio in packets of 20 ms, a digit's in packets of 20 ms beside it
        if (ms >= 20)
            CU_ASSERT_TRUE(packets + 50 < p.leg[0].max_pps);
    }
}

static void test_limits_by_switch(void)
{
    struct pair p;
    struct tl_trunk_config trunk = plain;
    trunk.max_packets_per_s = 60;
    trunk.burst_ms = 250;
    begin(&p, &trunk, &plain);
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.leg[0].max_pps, 60);
    CU_ASSERT_EQUAL(p.leg[0].burst_ms, 250);
    CU_ASSERT_EQUAL(p.leg[0].max_bps, bytes(60, 0));
    CU_ASSERT_EQUAL(p.leg[1].max_pps, 125);
    CU_ASSERT_EQUAL(p.leg[1].burst_ms, 1000);
    trunk.max_packets_per_s = 100000; // the most that there is to configure
    trunk.burst_ms = 10000;
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_TRUE(fits_contract(&p));
    // before anything was said
    struct neg_leg nothing = {0};
    struct tl_leg leg = {0};
    neg_limits(&plain, &nothing, &nothing, &leg);
    CU_ASSERT_EQUAL(leg.max_pps, 125);
    CU_ASSERT_EQUAL(leg.max_bps, bytes(125, 0));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"laws", test_laws},
        {"laws of later offers", test_laws_later},
        {"laws of a late offer", test_laws_late_offer},
        {"laws that are refused", test_laws_refused},
        {"limits", test_limits},
        {"limits are fair", test_limits_are_fair},
        {"limits by switch", test_limits_by_switch},
    };
    return test_main("negotiate_media", TEST_CASES(cases), argc, argv);
}
