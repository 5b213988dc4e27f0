// SPDX-License-Identifier: BSD-3-Clause
// Hold in every form that comes, towards a trunk in the form that it wants; audio with port 0, at the start of a
// call and later.
#include "negotiate_fixture.h"

#define HEAD "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"

static const char up[] = HEAD "m=audio 9000 RTP/AVP 8\n";
static const char port_0[] = HEAD "m=audio 0 RTP/AVP 8\n";

static const char *flags_of(const struct tl_leg *leg)
{
    static const char *const names[] = {"-", "recv", "send", "both"};
    return names[leg->flags & (TL_LEG_RECV | TL_LEG_SEND)];
}

// A holds; what B is offered, and what comes of B's answer.
static void test_forms(void)
{
    static const struct {
        const char *hold;
        enum tl_hold_form form;
        const char *offered, *address; // to B: direction, c=
        const char *answer;            // of B
        const char *answered;          // to A
        const char *a, *b;             // who still sends
    } table[] = {
        {"a=sendonly\n", TL_HOLD_SENDONLY, "a=sendonly", "198.51.100.2", "a=recvonly\n", "a=recvonly", "recv",
         "send"},
        {"a=sendonly\n", TL_HOLD_INACTIVE, "a=inactive", "198.51.100.2", "a=inactive\n", "a=inactive", "-",
         "-"},
        // one that answers more than it was offered gets no more
        {"a=sendonly\n", TL_HOLD_INACTIVE, "a=inactive", "198.51.100.2", "a=recvonly\n", "a=inactive", "-",
         "-"},
        {"a=sendonly\n", TL_HOLD_SENDONLY, "a=sendonly", "198.51.100.2", "a=sendrecv\n", "a=recvonly", "recv",
         "send"},
        {"a=sendonly\n", TL_HOLD_ZERO, "a=sendonly", "0.0.0.0", "a=recvonly\n", "a=recvonly", "recv", "send"},
        {"a=inactive\n", TL_HOLD_SENDONLY, "a=inactive", "198.51.100.2", "a=inactive\n", "a=inactive", "-",
         "-"},
        {"a=inactive\n", TL_HOLD_INACTIVE, "a=inactive", "198.51.100.2", "a=inactive\n", "a=inactive", "-",
         "-"},
        {"a=inactive\n", TL_HOLD_ZERO, "a=inactive", "0.0.0.0", "a=inactive\n", "a=inactive", "-", "-"},
        {"c=IN IP4 0.0.0.0\n", TL_HOLD_SENDONLY, "a=sendonly", "198.51.100.2", "a=recvonly\n", "a=recvonly",
         "recv", "send"},
        {"c=IN IP4 0.0.0.0\n", TL_HOLD_ZERO, "a=sendonly", "0.0.0.0", "a=recvonly\n", "a=recvonly", "recv",
         "send"},
        {"c=IN IP4 0.0.0.0\na=sendonly\n", TL_HOLD_INACTIVE, "a=inactive", "198.51.100.2", "a=inactive\n",
         "a=inactive", "-", "-"},
        {"c=IN IP4 0.0.0.0\na=recvonly\n", TL_HOLD_SENDONLY, "a=inactive", "198.51.100.2", "a=inactive\n",
         "a=inactive", "-", "-"},
        // a side that only listens holds nobody
        {"a=recvonly\n", TL_HOLD_INACTIVE, "a=recvonly", "198.51.100.2", "a=sendonly\n", "a=sendonly", "send",
         "recv"},
        {"a=recvonly\n", TL_HOLD_ZERO, "a=recvonly", "198.51.100.2", "a=sendonly\n", "a=sendonly", "send",
         "recv"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        struct tl_trunk_config trunk = plain;
        char text[300], line[60];
        trunk.hold = table[i].form;
        begin(&p, &plain, &trunk);
        exchange(&p, &p.a, &p.b, up, up);
        snprintf(text, sizeof text, "%s%s", up, table[i].hold);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, text), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        snprintf(line, sizeof line, "%s\r\n", table[i].offered);
        bool good = says(&p, line);
        snprintf(line, sizeof line, "c=IN IP4 %s\r\n", table[i].address);
        good = says(&p, line) && says(&p, "m=audio 30000 ") && good;
        snprintf(text, sizeof text, "%s%s", up, table[i].answer);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, text), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
        snprintf(line, sizeof line, "%s\r\n", table[i].answered);
        good = says(&p, line) && says(&p, "m=audio 20000 ") && good;
        neg_fill(&p.a, &p.b, p.leg);
        good = strcmp(flags_of(&p.leg[0]), table[i].a) == 0 && strcmp(flags_of(&p.leg[1]), table[i].b) == 0 &&
               good;
        if (!good)
            printf("row %zu: A %s, B %s\n", i, flags_of(&p.leg[0]), flags_of(&p.leg[1]));
        CU_ASSERT_TRUE(good);
        CU_ASSERT_TRUE(fits_contract(&p));
        // and back
        exchange(&p, &p.a, &p.b, up, up);
        CU_ASSERT_TRUE(says(&p, "a=sendrecv\r\n") && says(&p, "c=IN IP4 198.51.100.1\r\n"));
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "both");
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[1]), "both");
    }
}

// B takes the call and holds in its answer: A is told in the form of its trunk. The answer to a side that itself
// only listens is no hold.
static void test_hold_in_answer(void)
{
    static const struct {
        enum tl_hold_form form;
        const char *offer, *answer;
        const char *direction, *address;
    } table[] = {
        {TL_HOLD_SENDONLY, "", "a=sendonly\n", "a=sendonly\r\n", "c=IN IP4 198.51.100.1\r\n"},
        {TL_HOLD_INACTIVE, "", "a=sendonly\n", "a=inactive\r\n", "c=IN IP4 198.51.100.1\r\n"},
        {TL_HOLD_ZERO, "", "a=sendonly\n", "a=sendonly\r\n", "c=IN IP4 0.0.0.0\r\n"},
        {TL_HOLD_ZERO, "", "a=inactive\n", "a=inactive\r\n", "c=IN IP4 0.0.0.0\r\n"},
        {TL_HOLD_ZERO, "a=recvonly\n", "a=sendonly\n", "a=sendonly\r\n", "c=IN IP4 198.51.100.1\r\n"},
        {TL_HOLD_INACTIVE, "a=recvonly\n", "a=sendonly\n", "a=sendonly\r\n", "c=IN IP4 198.51.100.1\r\n"},
        {TL_HOLD_ZERO, "a=sendonly\n", "a=recvonly\n", "a=recvonly\r\n", "c=IN IP4 198.51.100.1\r\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        struct tl_trunk_config trunk = plain;
        char offer[300], answer[300], again[NEG_BODY_MAX];
        trunk.hold = table[i].form;
        begin(&p, &trunk, &plain);
        snprintf(offer, sizeof offer, "%s%s", up, table[i].offer);
        snprintf(answer, sizeof answer, "%s%s", up, table[i].answer);
        exchange(&p, &p.a, &p.b, offer, answer);
        if (!says(&p, table[i].direction) || !says(&p, table[i].address))
            printf("row %zu\n", i);
        CU_ASSERT_TRUE(says(&p, table[i].direction) && says(&p, table[i].address));
        CU_ASSERT_TRUE(neg_repeat_answer(&p.a, again) > 0);
        CU_ASSERT_STRING_EQUAL(again, p.out);
    }
}

// A re-INVITE with port 0 holds: the other side keeps its audio, its port and its key.
static void test_port_0_holds(void)
{
    static const enum tl_hold_form forms[] = {TL_HOLD_SENDONLY, TL_HOLD_INACTIVE, TL_HOLD_ZERO};
    for (unsigned f = 0; f < 3; f++) {
        struct pair p;
        struct tl_trunk_config trunk = secure;
        trunk.hold = forms[f];
        static const char answer[] =
            HEAD "m=audio 4000 RTP/SAVP 8\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n";
        static const char held[] =
            HEAD "m=audio 4000 RTP/SAVP 8\na=inactive\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n";
        begin(&p, &plain, &trunk);
        exchange(&p, &p.a, &p.b, up, answer);
        struct tl_leg before[2];
        memcpy(before, p.leg, sizeof before);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, port_0), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/SAVP 8") && says(&p, "a=inactive\r\n"));
        CU_ASSERT_EQUAL(strstr(p.out, "c=IN IP4 0.0.0.0") != NULL, forms[f] == TL_HOLD_ZERO);
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, held), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
        CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/AVP 8\r\n"));
        neg_fill(&p.a, &p.b, p.leg);
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "-");
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[1]), "-");
        CU_ASSERT_EQUAL(p.leg[0].rtp.family, TL_AF_UNSET);
        CU_ASSERT_TRUE(fits_contract(&p));
        exchange(&p, &p.a, &p.b, up, answer);
        CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/AVP 8\r\n") && says(&p, "a=sendrecv\r\n"));
        CU_ASSERT_EQUAL(memcmp(p.leg, before, sizeof before), 0); // keys and their generations too
    }
}

// A call that begins without audio: neither side has a port, and either can bring the audio later.
static void test_port_0_at_first(void)
{
    static const struct {
        const char *offer;
        const char *answered; // m= lines to A
        const char *later;    // m= lines of an offer to A that B brings later
    } table[] = {
        {HEAD "m=audio 0 RTP/AVP 8 101\n", "m=audio 0 RTP/AVP 8\r\n", "m=audio 20000 RTP/AVP 8 0\r\n"},
        {HEAD "m=audio 0 RTP/AVP 18\n", "m=audio 0 RTP/AVP 18\r\n", "m=audio 20000 RTP/AVP 8 0\r\n"},
        {HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 9\n", "m=audio 0 UDP/TLS/RTP/SAVPF 9\r\n",
         "m=audio 20000 RTP/AVP 8 0\r\n"},
        {HEAD "m=video 0 RTP/AVP 31\nm=audio 0 RTP/AVP 8\n",
         "m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/AVP 8\r\n",
         "m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8 0\r\n"},
        {HEAD "m=video 0 RTP/AVP 31\n", "m=video 0 RTP/AVP 31\r\n",
         "m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8 0\r\n"},
        {HEAD, "t=0 0\r\n", "t=0 0\r\nm=audio 20000 RTP/AVP 8 0\r\n"},
    };
    static const char *const answers[] = {port_0, HEAD, up};
    for (size_t i = 0; i < 3 * sizeof table / sizeof table[0]; i++) {
        struct pair p, q;
        char end[200];
        begin(&p, &plain, &plain);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, table[i / 3].offer), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        CU_ASSERT_TRUE(says(&p, "t=0 0\r\nm=audio 0 RTP/AVP 8 0 101\r\n"));
        CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, answers[i % 3]), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
        size_t len = strlen(table[i / 3].answered), n = strlen(p.out);
        CU_ASSERT_TRUE(says(&p, table[i / 3].answered) &&
                       strcmp(p.out + n - len, table[i / 3].answered) == 0);
        neg_fill(&p.a, &p.b, p.leg);
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "-");
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[1]), "-");
        CU_ASSERT_TRUE(fits_contract(&p));
        neg_codec_names(&p.a, &p.b, end, sizeof end);
        q = p;
        exchange(&p, &p.a, &p.b, up, up); // A brings it
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "both");
        CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[1]), "both");
        CU_ASSERT_EQUAL(p.leg[0].rtp.port, 9000);
        CU_ASSERT_TRUE(fits_contract(&p));
        CU_ASSERT_EQUAL_FATAL(take_offer(&q, &q.b, up), 0); // B brings it
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&q.a, &q.b, test_random, q.out) > 0);
        CU_ASSERT_TRUE(says(&q, table[i / 3].later));
        snprintf(end, sizeof end, "%s%s", HEAD,
                 i / 3 == 3 || i / 3 == 4 ? "m=video 0 RTP/AVP 31\nm=audio 9 RTP/AVP 8\n"
                                          : "m=audio 9 RTP/AVP 8\n");
        CU_ASSERT_EQUAL_FATAL(take_answer(&q, &q.a, end), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_answer(&q.b, &q.a, q.out) > 0);
        CU_ASSERT_TRUE(says(&q, "m=audio 30000 RTP/AVP 8\r\n"));
        neg_fill(&q.a, &q.b, q.leg);
        CU_ASSERT_STRING_EQUAL(flags_of(&q.leg[0]), "both");
        CU_ASSERT_TRUE(fits_contract(&q));
    }
}

// The same with SRTP: keys come with the audio.
static void test_port_0_with_keys(void)
{
    struct pair p;
    begin(&p, &secure, &secure);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, HEAD "m=audio 0 RTP/SAVP 8\n"), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/SAVP 0 8 101\r\n"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "a=crypto"));
    CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, HEAD "m=audio 0 RTP/SAVP 8\n"), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_PTR_NULL(strstr(p.out, "a=crypto"));
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, sdp_soft), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/SAVP ") &&
                   says(&p, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
    CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, HEAD "m=audio 9 RTP/SAVP 8\na=crypto:2 " SAMPLE_CM80 "\n"),
                          0);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_AEAD_AES_128_GCM);
    CU_ASSERT_EQUAL(p.leg[1].rx.suite, TL_SUITE_AES_CM_128_HMAC_SHA1_80);
    CU_ASSERT_TRUE(fits_contract(&p));
}

// The answer to a later offer takes the audio away: the call goes on without, and can have it again.
static void test_answer_ends_audio(void)
{
    struct pair p;
    begin(&p, &plain, &plain);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, up), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, port_0), -ENOTSUP); // at first it is a refusal
    begin(&p, &plain, &plain);
    exchange(&p, &p.a, &p.b, up, up);
    exchange(&p, &p.a, &p.b, up, port_0);
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/AVP 8\r\n") && says(&p, "a=inactive\r\n"));
    CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "-");
    CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[1]), "-");
    CU_ASSERT_TRUE(fits_contract(&p));
    exchange(&p, &p.a, &p.b, up, up);
    CU_ASSERT_STRING_EQUAL(flags_of(&p.leg[0]), "both");
    // a later offer of other media only leaves the audio out; at first it is refused
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, HEAD "m=audio 0 RTP/AVP 8\nm=video 9 RTP/AVP 31\n"), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\n"));
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, "no SDP at all\n"), -ENOTSUP);
}

// As many m= lines as the offer has, also those that cannot be read.
static void test_many_lines(void)
{
    struct pair p;
    char offer[2000];
    size_t n = (size_t)snprintf(offer, sizeof offer, "%sm= \nm=video x\n", up);
    for (int i = 3; i < SDP_MEDIA_MAX; i++)
        n += (size_t)snprintf(offer + n, sizeof offer - n, "m=video 0 RTP/AVP %d 31\n", 64 + i);
    begin(&p, &plain, &plain);
    exchange(&p, &p.a, &p.b, offer, up);
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/AVP 8\r\n"));
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 67\r\n"));
    unsigned lines = 0;
    for (const char *at = p.out; (at = strstr(at, "\r\nm=")); at++)
        lines++;
    CU_ASSERT_EQUAL(lines, SDP_MEDIA_MAX);
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, up), 0); // and so does an offer of ours
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    lines = 0;
    for (const char *at = p.out; (at = strstr(at, "\r\nm=")); at++)
        lines++;
    CU_ASSERT_EQUAL(lines, SDP_MEDIA_MAX);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"forms of a hold", test_forms},
        {"hold in an answer", test_hold_in_answer},
        {"port 0 holds", test_port_0_holds},
        {"port 0 at first", test_port_0_at_first},
        {"port 0 with keys", test_port_0_with_keys},
        {"an answer ends the audio", test_answer_ends_audio},
        {"many lines", test_many_lines},
    };
    return test_main("negotiate_hold", TEST_CASES(cases), argc, argv);
}
