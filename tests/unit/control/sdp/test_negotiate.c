// SPDX-License-Identifier: BSD-3-Clause
// Offers and answers through both legs, checked on the text that leaves and on the legs that the dataplane
// gets.
#include "negotiate_fixture.h"

static void test_plain(void)
{
    struct pair p;
    begin(&p, &plain, &plain96);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_router), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/AVP 0 8 96\r\n")); // the trunk's order, its telephone-event
    CU_ASSERT_TRUE(says(&p, "c=IN IP4 198.51.100.2\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=fmtp:96 0-16\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=ptime:20\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=rtcp-mux\r\n"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "192.0.2."));
    CU_ASSERT_PTR_NULL(strstr(p.out, "CN/8000"));
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, ANSWER_PCMA_96), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/AVP 8 101\r\n")); // A's numbers, B's choice
    CU_ASSERT_TRUE(says(&p, "a=sendrecv\r\n"));
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(p.leg[0].rtp.port, 17390);
    CU_ASSERT_EQUAL(p.leg[0].rtp.ip[3], 11);
    CU_ASSERT_EQUAL(p.leg[1].rtp.port, 40000);
    CU_ASSERT_EQUAL(pt_of(&p.leg[0], 8), 8);
    CU_ASSERT_EQUAL(pt_of(&p.leg[0], 101), 96);
    CU_ASSERT_EQUAL(pt_of(&p.leg[0], 0), -1);
    CU_ASSERT_EQUAL(pt_of(&p.leg[1], 96), 101);
    CU_ASSERT_EQUAL(p.leg[0].flags, TL_LEG_RECV | TL_LEG_SEND); // the answer did not take up rtcp-mux
    CU_ASSERT_EQUAL(p.leg[1].flags, TL_LEG_RECV | TL_LEG_SEND);
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_NONE);
    char names[48];
    neg_codec_names(&p.a, &p.b, names, sizeof names);
    CU_ASSERT_STRING_EQUAL(names, "PCMA+telephone-event");
}

static void test_secure_to_plain(void)
{
    struct pair p;
    begin(&p, &secure, &plain);
    exchange(&p, &p.a, &p.b, sdp_soft, "c=IN IP4 203.0.113.5\nm=audio 4000 RTP/AVP 0\n");
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/SAVP 0\r\n")); // B took no telephone-event
    CU_ASSERT_TRUE(says(&p, "a=crypto:1 AEAD_AES_128_GCM inline:"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "a=crypto:2"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "telephone-event"));
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_AEAD_AES_128_GCM);
    CU_ASSERT_EQUAL(p.leg[0].rx.key[15], 15);
    CU_ASSERT_EQUAL(p.leg[0].tx.suite, TL_SUITE_AEAD_AES_128_GCM);
    CU_ASSERT_NOT_EQUAL(memcmp(p.leg[0].tx.key, p.leg[0].rx.key, 16), 0);
    CU_ASSERT_EQUAL(p.leg[1].rx.suite, TL_SUITE_NONE);
}

static void test_plain_to_secure(void)
{
    struct pair p;
    begin(&p, &plain, &secure);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_router), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/SAVP 0 8 101\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=crypto:1 AEAD_AES_128_GCM inline:"));
    CU_ASSERT_TRUE(says(&p, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
    struct sdes_crypto second = p.b.offered[1];
    CU_ASSERT_EQUAL(take_answer(&p, &p.b,
                                "c=IN IP4 203.0.113.5\r\nm=audio 4000 RTP/SAVP 0\r\n"
                                "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\r\n"),
                    0);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(memcmp(p.leg[1].tx.key, second.key, 16), 0); // of the two keys offered, the one it took
    CU_ASSERT_EQUAL(memcmp(p.leg[1].rx.key, "123456789ABCDE01", 16), 0);
    CU_ASSERT_EQUAL(p.leg[1].rx.suite, TL_SUITE_AES_CM_128_HMAC_SHA1_80);
}

// Who has to be turned away, and with what sentence.
static void test_refusals(void)
{
    static const struct {
        const struct tl_trunk_config *trunk;
        const char *offer;
    } table[] = {
        {&plain, sdp_soft},    // SRTP only
        {&secure, sdp_router}, // plain only
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 9 18\n"},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 0\na=rtpmap:0 opus/48000/2\n"},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\nm=video 9 RTP/AVP 31\n"},
        {&plain, "c=IN IP6 2001:db8::1\nm=audio 9 RTP/AVP 0\n"},
        {&plain, "c=IN IP4 192.0.2.1\nm=audio 9 UDP/TLS/RTP/SAVPF 0\n"},
        {&plain, "c=IN IP4 192.0.2.1\nm=video 9 RTP/AVP 31\n"},
        {&plain, ""},
        {&secure, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\n"},
        {&secure, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80
                  "|2^20|1:9\n"},
        {&maybe, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 0\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        begin(&p, table[i].trunk, &plain);
        int rc = take_offer(&p, &p.a, table[i].offer);
        if (rc != -ENOTSUP)
            printf("offer %zu: %d\n", i, rc);
        CU_ASSERT_EQUAL(rc, -ENOTSUP);
        CU_ASSERT_PTR_NOT_NULL(p.why);
    }
}

static void test_optional(void)
{
    struct pair p;
    begin(&p, &maybe, &plain);
    // RTP/AVP with keys is answered in kind (RFC 3264 6: the transport of the answer is that of the offer)
    exchange(&p, &p.a, &p.b, sdp_mediation, ANSWER_PCMA_96);
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/AVP 8 101\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:")); // 1 is not of this trunk
    CU_ASSERT_TRUE(says(&p, "|2^31|1:1\r\n"));                              // and its MKI is mirrored
    CU_ASSERT_TRUE(says(&p, "a=rtcp-mux\r\n"));
    CU_ASSERT_TRUE(p.leg[0].flags & TL_LEG_RTCP_MUX);
    CU_ASSERT_EQUAL(p.leg[0].rtcp.family, TL_AF_UNSET);
    // plain, where it offers nothing else
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_NONE);
    // as the side that offers: plain and secure answers are both taken
    begin(&p, &plain, &maybe);
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.leg[1].tx.suite, TL_SUITE_NONE);
    begin(&p, &plain, &maybe);
    exchange(&p, &p.a, &p.b, sdp_router,
             ANSWER_PCMA_96 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\r\n");
    CU_ASSERT_EQUAL(p.leg[1].tx.suite, TL_SUITE_AES_CM_128_HMAC_SHA1_80);
}

// Of two audio lines the secure one is taken where the trunk can; every line of the offer gets one in the
// answer.
static void test_several_lines(void)
{
    struct pair p;
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_pbx, "c=IN IP4 203.0.113.5\nm=audio 4000 RTP/AVP 0\na=recvonly\n");
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/SAVP 0\r\n"));
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/AVP 0\r\n"));
    CU_ASSERT_TRUE(says(&p, "m=video 0 RTP/AVP 99\r\n"));
    CU_ASSERT_EQUAL(p.leg[0].rtcp.port, 2099);
    begin(&p, &plain, &plain);
    exchange(&p, &p.a, &p.b, sdp_pbx, "c=IN IP4 203.0.113.5\nm=audio 4000 RTP/AVP 0\na=recvonly\n");
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0\r\n"));
    // and an offer of ours to that side has all its lines again, RFC 3264 8
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, "c=IN IP4 203.0.113.5\nm=audio 4000 RTP/AVP 0\n"), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0\r\n"));
    CU_ASSERT_TRUE(says(&p, "m=video 0 RTP/AVP 99\r\n"));
}

static void test_bad_answers(void)
{
    static const struct {
        const struct tl_trunk_config *trunk;
        const char *answer;
    } table[] = {
        {&plain, "c=IN IP4 203.0.113.5\nm=audio 0 RTP/AVP 0\n"},
        {&plain, "c=IN IP4 203.0.113.5\nm=audio 9 RTP/AVP 18\n"},
        {&plain, "m=audio 9 RTP/AVP 0\n"},
        {&plain, "c=IN IP4 203.0.113.5\nm=video 9 RTP/AVP 0\n"},
        {&plain, "v=0\n"},
        {&plain,
         "c=IN IP4 203.0.113.5\nm=audio 9 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\n"},
        {&secure, "c=IN IP4 203.0.113.5\nm=audio 9 RTP/SAVP 0\n"},
        {&secure, "c=IN IP4 203.0.113.5\nm=audio 9 RTP/AVP 0\n"},
        {&secure,
         "c=IN IP4 203.0.113.5\nm=audio 9 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n"},
        {&maybe, "c=IN IP4 203.0.113.5\nm=audio 9 RTP/SAVP 0\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        begin(&p, &plain, table[i].trunk);
        CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_router), 0);
        CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        int rc = take_answer(&p, &p.b, table[i].answer);
        if (rc != -ENOTSUP)
            printf("answer %zu: %d\n", i, rc);
        CU_ASSERT_EQUAL(rc, -ENOTSUP);
        CU_ASSERT_PTR_NOT_NULL(p.why);
    }
}

static const char soft_hold[] = "v=0\no=- 2087 2088 IN IP4 192.0.2.40\ns=\nc=IN IP4 192.0.2.40\n"
                                "m=audio 11338 RTP/SAVP 0 8 96\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n"
                                "a=rtpmap:96 telephone-event/8000\na=sendonly\n";

#define SAVP_CM80 "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 8\na=crypto:1 " SAMPLE_CM80

// Each side's MKI is that of its own key; by the trunk's switch ours is none, the one we saw, or always
// there.
static void test_mki(void)
{
    static const struct {
        enum tl_mki_policy policy;
        const char *offered;  // behind A's key
        const char *answered; // behind ours
        uint8_t rx_len, tx_len;
        uint8_t rx_mki[TL_MKI_MAX], tx_mki[TL_MKI_MAX];
    } table[] = {
        {TL_MKI_MIRROR, "", "", 0, 0, {0}, {0}},
        {TL_MKI_MIRROR, "|2^31", "|2^31", 0, 0, {0}, {0}},
        {TL_MKI_MIRROR, "|2^31|1:1", "|2^31|1:1", 1, 1, {1}, {1}},
        {TL_MKI_MIRROR, "|66051:4", "|66051:4", 4, 4, {0, 1, 2, 3}, {0, 1, 2, 3}},
        {TL_MKI_NONE, "|2^31|7:2", "|2^31", 2, 0, {0, 7}, {0}},
        {TL_MKI_ALWAYS, "", "|2^31|1:1", 0, 1, {0}, {1}},
        {TL_MKI_ALWAYS, "|2^48|9:8", "|2^31|9:8", 8, 8, {0, 0, 0, 0, 0, 0, 0, 9}, {0, 0, 0, 0, 0, 0, 0, 9}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        struct tl_trunk_config trunk = maybe;
        char offer[300], ours[40];
        trunk.mki = table[i].policy;
        snprintf(offer, sizeof offer, SAVP_CM80 "%s\n", table[i].offered);
        begin(&p, &trunk, &plain);
        exchange(&p, &p.a, &p.b, offer, ANSWER_PCMA_96);
        snprintf(ours, sizeof ours, "%s\r\n", table[i].answered);
        const char *key = strstr(p.out, "inline:");
        CU_ASSERT_PTR_NOT_NULL_FATAL(key);
        CU_ASSERT_EQUAL(strncmp(key + 7 + 40, ours, strlen(ours)), 0);
        CU_ASSERT_EQUAL(p.leg[0].rx.mki_len, table[i].rx_len);
        CU_ASSERT_EQUAL(p.leg[0].tx.mki_len, table[i].tx_len);
        CU_ASSERT_EQUAL(memcmp(p.leg[0].rx.mki, table[i].rx_mki, TL_MKI_MAX), 0);
        CU_ASSERT_EQUAL(memcmp(p.leg[0].tx.mki, table[i].tx_mki, TL_MKI_MAX), 0);
        CU_ASSERT_TRUE(fits_contract(&p));
        // the peer goes on with its key and has no MKI any more: indices and windows stay, and so does our
        // MKI
        struct tl_leg before = p.leg[0];
        exchange(&p, &p.a, &p.b, SAVP_CM80 "\n", ANSWER_PCMA_96);
        CU_ASSERT_EQUAL(p.leg[0].rx.mki_len, 0);
        CU_ASSERT_EQUAL(memcmp(p.leg[0].rx.key, before.rx.key, sizeof before.rx.key), 0);
        CU_ASSERT_EQUAL(memcmp(&p.leg[0].tx, &before.tx, sizeof before.tx), 0);
        CU_ASSERT_TRUE(fits_contract(&p));
        // a later offer of ours has the key in use as it was
        char tx[SDES_LINE_MAX];
        CU_ASSERT_TRUE(sdes_write(&p.a.tx, tx, sizeof tx) > 0);
        CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
        CU_ASSERT_TRUE(says(&p, tx));
    }
}

// In our offers only with the switch; what the answer has is the answerer's.
static void test_mki_offered(void)
{
    for (int policy = TL_MKI_NONE; policy <= TL_MKI_ALWAYS; policy++) {
        struct pair p;
        struct tl_trunk_config trunk = secure;
        trunk.mki = (enum tl_mki_policy)policy;
        begin(&p, &plain, &trunk);
        CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_router), 0);
        CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        CU_ASSERT_EQUAL(strstr(p.out, "|2^31|1:1\r\n") != NULL, policy == TL_MKI_ALWAYS);
        // two lines, as some send: the first that is one of those offered is taken, with its MKI
        CU_ASSERT_EQUAL(take_answer(&p, &p.b,
                                    "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 8\n"
                                    "a=crypto:9 AES_CM_128_HMAC_SHA1_32 " SAMPLE_KEY80 "\n"
                                    "a=crypto:2 " SAMPLE_CM80 "|2^31|5:2\na=crypto:2 " SAMPLE_CM80 "|2^31\n"),
                        0);
        neg_fill(&p.a, &p.b, p.leg);
        CU_ASSERT_EQUAL(p.leg[1].rx.mki_len, 2);
        CU_ASSERT_EQUAL(p.leg[1].rx.mki[1], 5);
        CU_ASSERT_EQUAL(p.leg[1].tx.mki_len, policy == TL_MKI_ALWAYS);
        CU_ASSERT_TRUE(fits_contract(&p));
    }
    struct pair p; // what is wrong with a line of a suite that would do is said
    begin(&p, &maybe, &plain);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, SAVP_CM80 "|2^31|1:9\n"), -ENOTSUP);
    CU_ASSERT_STRING_EQUAL(p.why, "an a=crypto line has an MKI longer than 8 bytes");
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, SAVP_CM80 "|2^31|1:9\na=crypto:2 " SAMPLE_CM80 "\n"), 0);
}

// Hold and resume with the same key: no key and no index of the media changes; o= counts up.
static void test_hold(void)
{
    struct pair p;
    begin(&p, &secure, &plain96);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    struct tl_leg before = p.leg[0];
    uint64_t va = p.a.version, vb = p.b.version;
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, soft_hold), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "a=sendonly\r\n"));
    CU_ASSERT_EQUAL(p.b.version, vb + 1);
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, ANSWER_PCMA_96 "a=recvonly\r\n"), 0);
    CU_ASSERT_TRUE(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "a=recvonly\r\n"));
    CU_ASSERT_EQUAL(p.a.version, va + 1);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(p.leg[0].flags, TL_LEG_RECV); // music from A still passes
    CU_ASSERT_EQUAL(p.leg[1].flags, TL_LEG_SEND);
    CU_ASSERT_EQUAL(memcmp(&p.leg[0].rx, &before.rx, sizeof before.rx), 0);
    CU_ASSERT_EQUAL(memcmp(&p.leg[0].tx, &before.tx, sizeof before.tx), 0);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(memcmp(&p.leg[0], &before, sizeof before), 0);
    CU_ASSERT_EQUAL(p.a.version, va + 2);
    // the same once more says nothing new: the version stays
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.a.version, va + 2);
    // and from the other side: A is offered the key in use
    char tx[SDES_LINE_MAX];
    CU_ASSERT_TRUE(sdes_write(&p.a.tx, tx, sizeof tx) > 0);
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, ANSWER_PCMA_96 "a=inactive\r\n"), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, tx));
    CU_ASSERT_TRUE(says(&p, "a=inactive\r\n"));
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/SAVP 8 96\r\n")); // A's own number of telephone-event
    sdes_wipe(&p.a.tx);
}

static void test_hold_by_address(void)
{
    struct pair p;
    begin(&p, &plain, &plain);
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, "c=IN IP4 0.0.0.0\nm=audio 17390 RTP/AVP 8\n"), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "a=sendonly\r\n"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "0.0.0.0"));
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(p.leg[0].rtp.ip[3], 11); // where it was, for when it comes back
    CU_ASSERT_FALSE(p.leg[0].flags & TL_LEG_SEND);
}

// A remote side with a new key or address gets a new key from us, because it cannot know our rollover
// counter.
static void test_rekey(void)
{
    struct pair p;
    begin(&p, &secure, &plain);
    exchange(&p, &p.a, &p.b, sdp_soft, ANSWER_PCMA_96);
    struct tl_leg first = p.leg[0];
    exchange(&p, &p.a, &p.b,
             "c=IN IP4 192.0.2.77\nm=audio 9000 RTP/SAVP 8\na=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n",
             ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(p.leg[0].rtp.ip[3], 77);
    CU_ASSERT_EQUAL(memcmp(p.leg[0].rx.key, first.rx.key, sizeof first.rx.key), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(p.leg[0].tx.key, first.tx.key, 16), 0);
    exchange(&p, &p.a, &p.b,
             "c=IN IP4 192.0.2.77\nm=audio 9000 RTP/SAVP 8\na=crypto:4 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80
             "\n",
             ANSWER_PCMA_96);
    CU_ASSERT_TRUE(says(&p, "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"));
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_AES_CM_128_HMAC_SHA1_80);
}

// An offer with the key of this number; GCM's is 28 bytes, the number among them.
static const char *offer_of(unsigned number)
{
    static char text[160];
    snprintf(text, sizeof text,
             "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/SAVP 8\n"
             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJj%04u\n",
             number);
    return text;
}

// A key of before may come back, as often as it likes; one that eight others have followed may not, and the
// refusal says why.
static void test_keys_come_back(void)
{
    struct pair p;
    begin(&p, &secure, &plain);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < TL_KEYS_KEPT; i++) {
            exchange(&p, &p.a, &p.b, offer_of(i), ANSWER_PCMA_96);
            CU_ASSERT_TRUE(fits_contract(&p));
        }
    exchange(&p, &p.a, &p.b, offer_of(100), ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, offer_of(0)), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.why, "forgotten"));
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, offer_of(1)), 0);
    // a copy has a history of its own, as forks have
    struct neg_leg fork = p.a;
    CU_ASSERT_EQUAL(take_offer(&p, &fork, offer_of(200)), 0);
    CU_ASSERT_EQUAL(take_offer(&p, &fork, offer_of(2)), -ENOTSUP);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, offer_of(2)), 0);
}

static void test_contract(void)
{
    struct pair p;
    // SRTP, then plain, then SRTP again on one leg
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b, sdp_mediation, ANSWER_PCMA_96);
    CU_ASSERT_TRUE(fits_contract(&p));
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_TRUE(fits_contract(&p));
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_NONE);
    exchange(&p, &p.a, &p.b, sdp_mediation, ANSWER_PCMA_96); // the same key once more
    CU_ASSERT_TRUE(fits_contract(&p));
    exchange(&p, &p.a, &p.b,
             "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/SAVP 8\n"
             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm\n",
             ANSWER_PCMA_96);
    CU_ASSERT_TRUE(fits_contract(&p));
    // payload types that rule out rtcp-mux
    begin(&p, &maybe, &plain);
    exchange(&p, &p.a, &p.b,
             "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8 72\na=rtpmap:72 telephone-event/8000\na=rtcp-mux\n",
             ANSWER_PCMA_96);
    CU_ASSERT_PTR_NULL(strstr(p.out, "rtcp-mux"));
    CU_ASSERT_TRUE(fits_contract(&p));
    begin(&p, &plain, &plain);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, "c=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 8\n"), -ENOTSUP);
    exchange(&p, &p.a, &p.b, "c=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 8\na=rtcp:9\n", ANSWER_PCMA_96);
    CU_ASSERT_TRUE(fits_contract(&p));
    // every sample against every trunk
    static const struct tl_trunk_config *const trunks[] = {&plain, &plain96, &secure, &maybe};
    for (unsigned t = 0; t < 4; t++)
        for (size_t i = 0; i < sizeof sdp_samples / sizeof sdp_samples[0]; i++) {
            begin(&p, trunks[t], &plain);
            if (take_offer(&p, &p.a, sdp_samples[i]) < 0 ||
                neg_make_offer(&p.b, &p.a, test_random, p.out) < 0 ||
                take_answer(&p, &p.b, ANSWER_PCMA_96) < 0)
                continue;
            neg_fill(&p.a, &p.b, p.leg);
            CU_ASSERT_TRUE(fits_contract(&p));
        }
}

// An answerer with a telephone-event number of its own: it is sent that, and may use either.
static void test_asymmetric_pt(void)
{
    struct pair p;
    begin(&p, &plain, &plain); // offers 101
    exchange(&p, &p.a, &p.b, sdp_router, ANSWER_PCMA_96);
    CU_ASSERT_EQUAL(pt_of(&p.leg[0], 101), 96);
    CU_ASSERT_EQUAL(pt_of(&p.leg[1], 101), 101);
    CU_ASSERT_EQUAL(pt_of(&p.leg[1], 96), 101);
    // a trunk whose number A uses for G.711 gets the next one
    begin(&p, &plain, &plain96);
    CU_ASSERT_EQUAL(take_offer(&p, &p.b, "c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 96\na=rtpmap:96 PCMA/8000\n"),
                    0);
    CU_ASSERT_TRUE(neg_make_answer(&p.b, &p.b, p.out) > 0);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, sdp_router), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, " 97\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=rtpmap:96 PCMA/8000\r\n"));
}

// An INVITE without an offer: B is offered everything, A then what B took.
static void test_late_offer(void)
{
    struct pair p;
    begin(&p, &secure, &plain96);
    CU_ASSERT_TRUE(neg_make_offer(&p.b, NULL, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/AVP 0 8 96\r\n"));
    CU_ASSERT_EQUAL(take_answer(&p, &p.b, ANSWER_PCMA_96), 0);
    CU_ASSERT_TRUE(neg_make_offer(&p.a, &p.b, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 20000 RTP/SAVP 8 0 101\r\n")); // B's first
    CU_ASSERT_EQUAL(take_answer(&p, &p.a,
                                "c=IN IP4 192.0.2.1\nm=audio 9 RTP/SAVP 8\n"
                                "a=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n"),
                    0);
    neg_fill(&p.a, &p.b, p.leg);
    CU_ASSERT_EQUAL(pt_of(&p.leg[0], 8), 8);
    CU_ASSERT_EQUAL(pt_of(&p.leg[1], 8), 8);
    CU_ASSERT_EQUAL(pt_of(&p.leg[1], 96), -1); // A took no telephone-event
    CU_ASSERT_EQUAL(p.leg[0].rx.suite, TL_SUITE_AEAD_AES_128_GCM);
}

// Answer direction is never more than the offer allows, RFC 3264 6.1.
static void test_directions(void)
{
    static const char *const word[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    for (int o = 0; o < 4; o++)
        for (int a = 0; a < 4; a++) {
            struct pair p;
            char offer[200], answer[200];
            begin(&p, &plain, &plain);
            snprintf(offer, sizeof offer, "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8\na=%s\n", word[o]);
            snprintf(answer, sizeof answer, "c=IN IP4 192.0.2.2\nm=audio 9000 RTP/AVP 8\na=%s\n", word[a]);
            exchange(&p, &p.a, &p.b, offer, answer);
            bool a_to_b = o & SDP_SENDONLY && a & SDP_RECVONLY, b_to_a = o & SDP_RECVONLY && a & SDP_SENDONLY;
            CU_ASSERT_EQUAL(p.leg[0].flags, (a_to_b ? TL_LEG_RECV : 0u) | (b_to_a ? TL_LEG_SEND : 0u));
            CU_ASSERT_EQUAL(p.leg[1].flags, (b_to_a ? TL_LEG_RECV : 0u) | (a_to_b ? TL_LEG_SEND : 0u));
            snprintf(offer, sizeof offer, "a=%s\r\n",
                     word[(a_to_b ? SDP_RECVONLY : 0) | (b_to_a ? SDP_SENDONLY : 0)]);
            CU_ASSERT_TRUE(says(&p, offer));
        }
}

// Our own SDP goes through our own reader, and what is too long is cut out rather than overrun.
static void test_long_lines(void)
{
    struct pair p;
    char text[4000], big[NEG_LINES_MAX];
    begin(&p, &plain, &plain);
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    snprintf(text, sizeof text,
             "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8 101\na=content:%s\na=content:main\nb=AS:64\n"
             "a=rtpmap:101 telephone-event/8000\na=fmtp:101 %s\n",
             big, big);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, text), 0);
    int n = neg_make_offer(&p.b, &p.a, test_random, p.out);
    CU_ASSERT_TRUE_FATAL(n > 0);
    CU_ASSERT_TRUE(says(&p, "b=AS:64\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=content:main\r\n"));
    CU_ASSERT_TRUE(says(&p, "a=fmtp:101 0-15\r\n"));
    struct sdp s;
    CU_ASSERT_EQUAL(sdp_parse(&s, p.out, (size_t)n, NULL), 0);
    snprintf(text, sizeof text, "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8\nm=%s 9 RTP/AVP 8\n", big);
    CU_ASSERT_EQUAL(take_offer(&p, &p.a, text), -ENOTSUP);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"plain", test_plain},
        {"SRTP to plain", test_secure_to_plain},
        {"plain to SRTP", test_plain_to_secure},
        {"refused offers", test_refusals},
        {"optional SRTP", test_optional},
        {"several lines", test_several_lines},
        {"bad answers", test_bad_answers},
        {"MKI", test_mki},
        {"MKI offered", test_mki_offered},
        {"hold and resume", test_hold},
        {"hold by address", test_hold_by_address},
        {"new key, new address", test_rekey},
        {"fits the contract", test_contract},
        {"keys come back", test_keys_come_back},
        {"payload types that differ", test_asymmetric_pt},
        {"late offer", test_late_offer},
        {"directions", test_directions},
        {"long lines", test_long_lines},
    };
    return test_main("negotiate", TEST_CASES(cases), argc, argv);
}
