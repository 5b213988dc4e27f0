// SPDX-License-Identifier: BSD-3-Clause
// The load generator's offers, answers and keys.
#include "runner.h"

#include "tools/loadgen/negotiate.h"

#include <errno.h>
#include <string.h>

#define KEY30 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="

struct side {
    struct options o;
    struct stream s;
    struct negotiation n;
    struct stream_terms terms;
    const char *why;
    char text[2048]; // the last description made
};

static void open_side(struct side *x, enum media_suite suite, bool mux)
{
    memset(x, 0, sizeof *x);
    strcpy(x->o.local.ip, "10.0.0.1");
    x->o.srtp = suite;
    x->o.rtcp_mux = mux;
    x->o.telephone_event = 110;
    x->s.port = 20000;
    if (suite != SUITE_NONE)
        CU_ASSERT_EQUAL(sdes_make(&x->s.tx_key, suite, 1), 0);
    CU_ASSERT_EQUAL_FATAL(negotiation_init(&x->n, &x->o, &x->s), 0);
}

static struct mbuf *body(const char *text)
{
    struct mbuf *mb = mbuf_alloc(strlen(text) + 1);

    mbuf_write_str(mb, text);
    mb->pos = 0;
    return mb;
}

static void keep(struct side *x, struct mbuf *mb)
{
    snprintf(x->text, sizeof x->text, "%.*s", (int)mbuf_get_left(mb), (const char *)mbuf_buf(mb));
}

static int answer(struct side *x, const char *offer)
{
    struct mbuf *in = body(offer), *out = NULL;
    const int result = negotiation_answer(&x->n, in, &x->s, &out, &x->terms, &x->why);

    if (result == 0)
        keep(x, out);
    mem_deref(out);
    mem_deref(in);
    return result;
}

static int finish(struct side *x, const char *text)
{
    struct mbuf *in = body(text);
    const int result = negotiation_finish(&x->n, in, &x->terms, &x->why);

    mem_deref(in);
    return result;
}

static void offer(struct side *x, enum sdp_dir dir)
{
    struct mbuf *out = NULL;

    CU_ASSERT_EQUAL(negotiation_offer(&x->n, dir, &out), 0);
    keep(x, out);
    mem_deref(out);
}

static bool has(const struct side *x, const char *line)
{
    return strstr(x->text, line) != NULL;
}

static bool at(const struct sa *sa, const char *ip, uint16_t port)
{
    struct sa expected;

    sa_set_str(&expected, ip, port);
    return sa_cmp(sa, &expected, SA_ALL);
}

#define PLAIN(media, attributes)                                                                             \
    "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio " media "\r"             \
    "\n" attributes

static void keys_round_trip(void)
{
    static const enum media_suite suites[] = {SUITE_AES_CM_128_HMAC_SHA1_80, SUITE_AEAD_AES_128_GCM};

    for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
        struct sdes in, out;
        char line[SDES_LINE_MAX];

        CU_ASSERT_EQUAL(sdes_make(&in, suites[i], 7), 0);
        sdes_print(&in, suites[i], line);
        CU_ASSERT_EQUAL(sdes_parse(&out, suites[i], line), 0);
        CU_ASSERT_EQUAL(out.tag, 7);
        CU_ASSERT_EQUAL(out.length, in.length);
        CU_ASSERT_EQUAL(memcmp(out.key, in.key, in.length), 0);
        CU_ASSERT_EQUAL(sdes_parse(&out, suites[1 - i], line), -ENOENT);
    }
}

static void keys_read(void)
{
    static const struct {
        const char *value;
        int result;
    } table[] = {
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, 0},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20", 0},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4", -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTP", -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY28, -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 KEY30 KEY30, -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaG%wd", -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:", -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_80", -EBADMSG},
        {"1 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, -ENOENT},
        {"x AES_CM_128_HMAC_SHA1_80 inline:" KEY30, -EBADMSG},
        {"", -EBADMSG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct sdes s;
        CU_ASSERT_EQUAL(sdes_parse(&s, SUITE_AES_CM_128_HMAC_SHA1_80, table[i].value), table[i].result);
    }
}

static void offers(void)
{
    struct side x;

    open_side(&x, SUITE_NONE, false);
    offer(&x, SDP_SENDRECV);
    CU_ASSERT_TRUE(has(&x, "m=audio 20000 RTP/AVP 8 110\r\n"));
    CU_ASSERT_TRUE(has(&x, "a=rtpmap:110 telephone-event/8000\r\n"));
    CU_ASSERT_TRUE(has(&x, "a=ptime:20\r\n"));
    CU_ASSERT_FALSE(has(&x, "rtcp-mux") || has(&x, "crypto"));
    negotiation_fini(&x.n);

    open_side(&x, SUITE_AEAD_AES_128_GCM, true);
    offer(&x, SDP_SENDONLY);
    CU_ASSERT_TRUE(has(&x, "m=audio 20000 RTP/SAVP 8 110\r\n"));
    CU_ASSERT_TRUE(has(&x, "a=crypto:1 AEAD_AES_128_GCM inline:"));
    CU_ASSERT_TRUE(has(&x, "a=rtcp-mux\r\n"));
    CU_ASSERT_TRUE(has(&x, "a=sendonly\r\n"));
    negotiation_fini(&x.n);
}

// The answer keeps our own number for telephone-event; what we send carries the far side's.
static void answers_with_its_own_event_type(void)
{
    struct side x;

    open_side(&x, SUITE_NONE, true);
    for (int round = 0; round < 2; round++) { // a re-INVITE must not change it either
        CU_ASSERT_EQUAL(answer(&x, PLAIN("4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000\r\n")),
                        0);
        CU_ASSERT_TRUE(has(&x, "m=audio 20000 RTP/AVP 8 110\r\n"));
        CU_ASSERT_FALSE(has(&x, "a=rtpmap:101 ") || has(&x, "a=fmtp:101 ") || has(&x, "rtcp-mux"));
        CU_ASSERT_EQUAL(x.terms.tx_event, 101);
        CU_ASSERT_EQUAL(x.terms.rx_event, 110);
        CU_ASSERT_EQUAL(x.terms.tx_audio, 8);
        CU_ASSERT_TRUE(x.terms.may_send && !x.terms.mux);
        CU_ASSERT_TRUE(at(&x.terms.remote, "10.0.0.9", 4000));
        CU_ASSERT_TRUE(at(&x.terms.remote_rtcp, "10.0.0.9", 4001));
    }
    negotiation_fini(&x.n);
}

static void answers_with_the_offers_tag(void)
{
    struct side x;

    open_side(&x, SUITE_AES_CM_128_HMAC_SHA1_80, true);
    CU_ASSERT_EQUAL(answer(&x, PLAIN("4000 RTP/SAVP 8",
                                     "a=rtcp-mux\r\na=rtcp:5000\r\na=crypto:1 AEAD_AES_128_GCM inline:" KEY28
                                     "\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n")),
                    0);
    CU_ASSERT_TRUE(has(&x, "a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:"));
    CU_ASSERT_FALSE(has(&x, "AEAD") || has(&x, KEY30));
    CU_ASSERT_TRUE(has(&x, "a=rtcp-mux\r\n") && x.terms.mux);
    CU_ASSERT_TRUE(at(&x.terms.remote_rtcp, "10.0.0.9", 5000));
    CU_ASSERT_EQUAL(x.terms.rx_key.length, 30);
    CU_ASSERT_EQUAL(x.terms.rx_key.key[29], 0x1d);
    CU_ASSERT_EQUAL(x.terms.tx_event, 0); // none offered
    negotiation_fini(&x.n);
}

static void refuses(void)
{
    static const struct {
        enum media_suite suite;
        const char *offer, *why;
    } table[] = {
        {SUITE_NONE, PLAIN("4000 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"),
         "refused"},
        {SUITE_NONE, PLAIN("4000 RTP/AVP 0", ""), "codec"},
        {SUITE_NONE, PLAIN("0 RTP/AVP 8", ""), "refused"},
        {SUITE_NONE, "v=0\r\nm=audio\r\n", "read"},
        {SUITE_NONE, "nonsense", "read"},
        {SUITE_AEAD_AES_128_GCM, PLAIN("4000 RTP/AVP 8", ""), "refused"},
        {SUITE_AEAD_AES_128_GCM, PLAIN("4000 RTP/SAVP 8", ""), "crypto"},
        {SUITE_AEAD_AES_128_GCM,
         PLAIN("4000 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"), "crypto"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct side x;

        open_side(&x, table[i].suite, false);
        CU_ASSERT_EQUAL(answer(&x, table[i].offer), -EPROTO);
        CU_ASSERT_PTR_NOT_NULL(strstr(x.why, table[i].why));
        negotiation_fini(&x.n);
    }
}

static void holds(void)
{
    struct side x;

    open_side(&x, SUITE_NONE, false);
    CU_ASSERT_EQUAL(answer(&x, PLAIN("4000 RTP/AVP 8", "a=sendonly\r\n")), 0);
    CU_ASSERT_TRUE(has(&x, "a=recvonly\r\n") && !x.terms.may_send);
    CU_ASSERT_EQUAL(answer(&x, PLAIN("4000 RTP/AVP 8", "a=inactive\r\n")), 0);
    CU_ASSERT_TRUE(has(&x, "a=inactive\r\n") && !x.terms.may_send);
    CU_ASSERT_EQUAL(answer(&x, PLAIN("4000 RTP/AVP 8", "a=sendrecv\r\n")), 0);
    CU_ASSERT_TRUE(has(&x, "a=sendrecv\r\n") && x.terms.may_send);
    // the old way
    CU_ASSERT_EQUAL(answer(&x, "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 "
                               "0\r\nm=audio 4000 RTP/AVP 8\r\n"),
                    0);
    CU_ASSERT_FALSE(x.terms.may_send);

    offer(&x, SDP_SENDONLY);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4000 RTP/AVP 8", "a=recvonly\r\n")), 0);
    CU_ASSERT_TRUE(x.terms.may_send);
    offer(&x, SDP_INACTIVE);
    CU_ASSERT_TRUE(has(&x, "a=inactive\r\n"));
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4000 RTP/AVP 8", "a=inactive\r\n")), 0);
    CU_ASSERT_FALSE(x.terms.may_send);
    offer(&x, SDP_SENDRECV);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4002 RTP/AVP 8", "")), 0);
    CU_ASSERT_TRUE(x.terms.may_send && at(&x.terms.remote, "10.0.0.9", 4002));
    negotiation_fini(&x.n);
}

static void answers_that_refuse(void)
{
    struct side x;

    open_side(&x, SUITE_AEAD_AES_128_GCM, false);
    offer(&x, SDP_SENDRECV);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4000 RTP/AVP 8", "")), -EPROTO);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("0 RTP/SAVP 8", "")), -EPROTO);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4000 RTP/SAVP 8", "a=crypto:1 AEAD_AES_128_GCM inline:" KEY30 "\r\n")),
                    -EPROTO);
    CU_ASSERT_EQUAL(finish(&x, PLAIN("4000 RTP/SAVP 8", "a=crypto:1 AEAD_AES_128_GCM inline:" KEY28 "\r\n")),
                    0);
    CU_ASSERT_EQUAL(finish(&x, ""), -EPROTO);
    negotiation_fini(&x.n);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"keys_round_trip", keys_round_trip},
        {"keys_read", keys_read},
        {"offers", offers},
        {"answers_with_its_own_event_type", answers_with_its_own_event_type},
        {"answers_with_the_offers_tag", answers_with_the_offers_tag},
        {"refuses", refuses},
        {"holds", holds},
        {"answers_that_refuse", answers_that_refuse},
    };

    return test_main("loadgen sdp", TEST_CASES(cases), argc, argv);
}
