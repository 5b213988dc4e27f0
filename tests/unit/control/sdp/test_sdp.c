// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdp/sdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "sdp_samples.h"

static int parse(struct sdp *s, const char *text)
{
    return sdp_parse(s, text, strlen(text), NULL);
}

static bool addr_is(const struct tl_addr *a, const char *text)
{
    char s[32] = "unset";
    if (a->family == TL_AF_INET)
        snprintf(s, sizeof s, "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3], a->port);
    if (strcmp(s, text) != 0)
        printf("address %s, expected %s\n", s, text);
    return strcmp(s, text) == 0;
}

static bool passes(const char *text, const struct sdp_media *m, unsigned n, enum tl_sdp_pass kind,
                   const char *value)
{
    return n < m->pass_count && m->pass_kind[n] == kind && sdp_str_is(text, m->pass[n], value);
}

static void test_router(void)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(parse(&s, sdp_router), 0);
    CU_ASSERT_EQUAL_FATAL(s.media_count, 1);
    const struct sdp_media *m = &s.media[0];
    CU_ASSERT_TRUE(m->audio);
    CU_ASSERT_EQUAL(m->port, 17390);
    CU_ASSERT_EQUAL(m->proto, SDP_PROTO_AVP);
    CU_ASSERT_EQUAL(m->direction, SDP_SENDRECV);
    CU_ASSERT_TRUE(addr_is(&m->addr, "192.0.2.11:0")); // its own c=, not the session's
    CU_ASSERT_TRUE(addr_is(&m->rtcp, "unset"));
    CU_ASSERT_EQUAL_FATAL(m->format_count, 4);
    CU_ASSERT_EQUAL(m->format[2].pt, 101);
    CU_ASSERT_EQUAL(m->format[2].rate, 8000);
    CU_ASSERT_TRUE(sdp_str_is(sdp_router, m->format[2].name, "TELEPHONE-event"));
    CU_ASSERT_TRUE(sdp_str_is(sdp_router, m->format[2].fmtp, "0-16"));
    CU_ASSERT_TRUE(sdp_str_is(sdp_router, s.session_id, "7124"));
    CU_ASSERT_TRUE(sdp_str_is(sdp_router, s.version, "3210"));
    CU_ASSERT_EQUAL_FATAL(m->pass_count, 1);
    CU_ASSERT_TRUE(passes(sdp_router, m, 0, TL_SDP_PTIME, "20"));
    CU_ASSERT_EQUAL(m->ptime, 20);
    CU_ASSERT_EQUAL(m->maxptime, 0);
}

static void test_pbx(void)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(parse(&s, sdp_pbx), 0);
    CU_ASSERT_EQUAL_FATAL(s.media_count, 3);
    CU_ASSERT_EQUAL(s.media[0].proto, SDP_PROTO_SAVP);
    CU_ASSERT_EQUAL(s.media[0].crypto_count, 1);
    CU_ASSERT_EQUAL(s.media[0].direction, SDP_SENDONLY);
    CU_ASSERT_TRUE(addr_is(&s.media[0].rtcp, "192.0.2.21:2099"));
    CU_ASSERT_TRUE(passes(sdp_pbx, &s.media[0], 0, TL_SDP_B_AS, "80"));
    CU_ASSERT_EQUAL(s.media[1].proto, SDP_PROTO_AVP);
    CU_ASSERT_EQUAL(s.media[1].crypto_count, 0);
    CU_ASSERT_EQUAL(s.media[1].format[0].rate, 0); // static, without a=rtpmap
    CU_ASSERT_FALSE(s.media[2].audio);
    CU_ASSERT_EQUAL(s.media[2].port, 0);
    CU_ASSERT_TRUE(addr_is(&s.media[2].addr, "192.0.2.20:0"));
}

static void test_mediation(void)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(parse(&s, sdp_mediation), 0);
    const struct sdp_media *m = &s.media[0];
    CU_ASSERT_EQUAL(m->crypto_count, 3);
    CU_ASSERT_TRUE(m->rtcp_mux);
    CU_ASSERT_TRUE(addr_is(&m->rtcp, "192.0.2.30:50013")); // a=rtcp without an address: the medium's
    CU_ASSERT_EQUAL_FATAL(m->pass_count, 2);               // neither candidates nor x- lines of its maker
    CU_ASSERT_TRUE(passes(sdp_mediation, m, 0, TL_SDP_LABEL, "Audio"));
    CU_ASSERT_TRUE(passes(sdp_mediation, m, 1, TL_SDP_PTIME, "20"));
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_kept], 3);
}

static void test_soft_and_odd(void)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(parse(&s, sdp_soft), 0);
    CU_ASSERT_EQUAL(s.media_count, 1);
    CU_ASSERT_EQUAL(s.media[0].crypto_count, 2);
    CU_ASSERT_EQUAL(s.media[0].direction, SDP_SENDRECV);
    CU_ASSERT_EQUAL_FATAL(parse(&s, sdp_odd), 0);
    CU_ASSERT_EQUAL(s.media[0].port, 4000);
    CU_ASSERT_EQUAL(s.media[0].direction, SDP_RECVONLY);
    CU_ASSERT_EQUAL(s.media[0].format_count, 1);
    CU_ASSERT_TRUE(addr_is(&s.media[0].addr, "0.0.0.0:0"));
    CU_ASSERT_TRUE(sdp_str_is(sdp_odd, s.version, "2"));
    CU_ASSERT_EQUAL_FATAL(parse(&s, ""), 0);
    CU_ASSERT_EQUAL(s.media_count, 0);
}

#define USED "m=audio 9 RTP/AVP 0\r\n"
enum { CLEAN = SDP_ODD_COUNT, BAD };

// Strict in numbers: what is out of range is dropped by its name, never cut to fit, and the rest stands. An SDP of
// which nothing is left is refused.
static void test_numbers(void)
{
    static const struct {
        const char *text;
        int odd; // CLEAN, BAD: refused, or what is dropped
    } table[] = {
        {"m=audio 65535 RTP/AVP 0", CLEAN},
        {"m=audio 65536 RTP/AVP 0", BAD},
        {"m=audio -1 RTP/AVP 0", BAD},
        {"m=audio 0x10 RTP/AVP 0", BAD},
        {"m=audio 18446744073709551618 RTP/AVP 0", BAD},
        {"m=audio", BAD},
        {"m=", BAD},
        {"m=audio 5000", BAD},
        {USED "m=audio 65536 RTP/AVP 0", SDP_ODD_media},
        {USED "m=video x RTP/AVP 31", SDP_ODD_media},
        {USED "m=", SDP_ODD_media},
        {"m=audio 5000/2 RTP/AVP 0", CLEAN},
        {"m=audio 5000/x RTP/AVP 0", SDP_ODD_ports},
        {"m=audio 5000/ RTP/AVP 0", SDP_ODD_ports},
        {"m=audio 5000 RTP/AVP 128", SDP_ODD_format},
        {"m=audio 5000 RTP/AVP 0 8x", SDP_ODD_format},
        {"m=audio 5000 RTP/AVP x 0", SDP_ODD_format},
        {"m=image 5000 udptl t38", CLEAN},
        {"m=application 5000 UDP/BFCP *", CLEAN},
        {"m=application 5000 udp wb\r\na=rtpmap:x\r\na=orient:portrait", CLEAN},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2", CLEAN},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/0", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/4294967296", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/48000/0", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:200 x/8000", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 8\r\na=rtpmap: PCMA/8000", SDP_ODD_rtpmap},
        {"m=audio 1 RTP/AVP 96\r\na=rtpmap:97 x/8000", CLEAN}, // for no payload type of the line
        {"m=audio 1 RTP/AVP 96\r\na=fmtp:x 0-15", SDP_ODD_fmtp},
        {"m=audio 1 RTP/AVP 96\r\na=fmtp:", SDP_ODD_fmtp},
        {"m=audio 1 RTP/AVP 96\r\na=rtcp:70000", SDP_ODD_rtcp},
        {"m=audio 1 RTP/AVP 96\r\na=rtcp:", SDP_ODD_rtcp},
        {"m=audio 1 RTP/AVP 96\r\na=rtcp:9 IN IP6 ::1", SDP_ODD_rtcp},
        {"m=audio 1 RTP/AVP 0\r\na=ptime:x", SDP_ODD_value},
        {"m=audio 1 RTP/AVP 0\r\nb=X-YZ:128", SDP_ODD_kept},
        {"m=audio 1 RTP/AVP 0\r\na=made-up", SDP_ODD_kept},
        {"b=X-YZ:128\r\nm=audio 1 RTP/AVP 0", CLEAN}, // of the session: passes nowhere anyhow
        {"m=audio 1 RTP/AVP 0\r\nc=IN IP4 host.example", SDP_ODD_connection},
        {USED "nonsense", SDP_ODD_line},
        {USED "x", SDP_ODD_line},
        {USED "i am= no line", SDP_ODD_line},
        {"v=1", BAD},
        {"v=0", CLEAN},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sdp s;
        const char *why = NULL;
        int rc = sdp_parse(&s, table[i].text, strlen(table[i].text), &why);
        if (rc != (table[i].odd == BAD ? -EINVAL : 0))
            printf("%s: %d\n", table[i].text, rc);
        CU_ASSERT_EQUAL(rc, table[i].odd == BAD ? -EINVAL : 0);
        CU_ASSERT_EQUAL(why != NULL, rc < 0);
        for (int odd = 0; rc == 0 && odd < SDP_ODD_COUNT; odd++) {
            if (s.odd[odd] != (odd == table[i].odd))
                printf("%s: %u of %s\n", table[i].text, s.odd[odd], sdp_odd_name((enum sdp_odd)odd));
            CU_ASSERT_EQUAL(s.odd[odd], odd == table[i].odd);
        }
    }
}

// What is left beside a line that cannot be read.
static void test_rest_stands(void)
{
    struct sdp s;
    static const char text[] = "c=IN IP4 192.0.2.1\nm=audio 9000/x RTP/AVP 8 x 101 200\na=rtpmap: PCMA/8000\n"
                               "a=rtpmap:101 telephone-event/8000\na=fmtp:\na=rtcp:\na=ptime:20\n"
                               "m=video x RTP/AVP 31\na=sendonly\nm=audio 9002 RTP/AVP 0\n";
    CU_ASSERT_EQUAL_FATAL(parse(&s, text), 0);
    CU_ASSERT_EQUAL_FATAL(s.media_count, 3);
    CU_ASSERT_EQUAL(s.media[0].port, 9000);
    CU_ASSERT_EQUAL_FATAL(s.media[0].format_count, 2);
    CU_ASSERT_EQUAL(s.media[0].format[1].pt, 101);
    CU_ASSERT_TRUE(sdp_str_is(text, s.media[0].format[1].name, "telephone-event"));
    CU_ASSERT_TRUE(addr_is(&s.media[0].rtcp, "unset"));
    CU_ASSERT_EQUAL(s.media[0].direction, SDP_SENDRECV); // the line belongs to the medium that cannot be read
    CU_ASSERT_FALSE(s.media[1].audio);
    CU_ASSERT_EQUAL(s.media[1].port, 0);
    CU_ASSERT_EQUAL(s.media[2].port, 9002);
    struct sdp_counters sums = {0};
    sdp_count(&sums, &s, 0);
    CU_ASSERT_EQUAL(sdp_parse(&s, "v=1", 3, NULL), -EINVAL);
    sdp_count(&sums, &s, -EINVAL);
    CU_ASSERT_EQUAL(sums.parsed, 1);
    CU_ASSERT_EQUAL(sums.refused, 1);
    CU_ASSERT_EQUAL(sums.odd[SDP_ODD_format], 2);
    CU_ASSERT_EQUAL(sums.odd[SDP_ODD_media], 1);
    CU_ASSERT_STRING_EQUAL(sdp_odd_name(SDP_ODD_rtpmap), "rtpmap");
    CU_ASSERT_PTR_NOT_NULL(strstr(sdp_odd_text(SDP_ODD_rtpmap), "a=rtpmap"));
}

static void test_addresses(void)
{
    static const char *const none[] = {"IN IP4 gateway.example.com",
                                       "IN IP6 2001:db8::1",
                                       "IN IP4 1.2.3",
                                       "IN IP4 1.2.3.4.5",
                                       "IN IP4 256.1.1.1",
                                       "IN IP4 1.2.3.0x4",
                                       "IN IP4 224.2.1.1/127",
                                       "IN IP4 0.0.0.1",
                                       "IN IP4",
                                       "IN IP4 1..2.3"};
    char text[128];
    struct sdp s;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        snprintf(text, sizeof text, "c=%s\r\nm=audio 9 RTP/AVP 0\r\n", none[i]);
        CU_ASSERT_EQUAL(parse(&s, text), 0);
        CU_ASSERT_TRUE(addr_is(&s.media[0].addr, "unset"));
    }
    CU_ASSERT_EQUAL(parse(&s, "m=audio 9 RTP/AVP 0\nc=IN IP4 203.0.113.9\nc=IN IP4 203.0.113.8\n"), 0);
    CU_ASSERT_TRUE(addr_is(&s.media[0].addr, "203.0.113.9:0"));
}

static void test_limits(void)
{
    static char text[SDP_BYTES_MAX + 64];
    struct sdp s;
    size_t n = 0;
    for (int i = 0; i < SDP_MEDIA_MAX; i++)
        n += (size_t)sprintf(text + n, "m=audio %d RTP/AVP 0\r\nc=IN IP4 192.0.2.%d\r\n", 1000 + i, i + 1);
    CU_ASSERT_EQUAL(parse(&s, text), 0);
    CU_ASSERT_EQUAL(s.media_count, 32);
    CU_ASSERT_TRUE(addr_is(&s.media[7].addr, "192.0.2.8:0"));
    CU_ASSERT_TRUE(addr_is(&s.media[31].addr, "192.0.2.32:0"));
    sprintf(text + n, "m=audio 1 RTP/AVP 0\r\n");
    CU_ASSERT_EQUAL(parse(&s, text), -E2BIG);

    n = (size_t)sprintf(text, "m=audio 9 RTP/AVP");
    for (int i = 0; i < 128; i++)
        n += (size_t)sprintf(text + n, " %d", i);
    for (int i = 0; i < 40; i++)
        n += (size_t)sprintf(text + n, "\r\na=crypto:%d X inline:y\r\na=lang:z%d", i, i);
    CU_ASSERT_EQUAL(parse(&s, text), 0);
    CU_ASSERT_EQUAL(s.media[0].format_count, SDP_FORMAT_MAX);
    CU_ASSERT_EQUAL(s.media[0].crypto_count, 32);
    CU_ASSERT_EQUAL(s.media[0].pass_count, SDP_PASS_MAX);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_formats], 128 - SDP_FORMAT_MAX);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_cryptos], 8);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_passes], 40 - SDP_PASS_MAX);

    memset(text, 'x', sizeof text);
    CU_ASSERT_EQUAL(sdp_parse(&s, text, SDP_BYTES_MAX, NULL), 0);
    CU_ASSERT_EQUAL(sdp_parse(&s, text, SDP_BYTES_MAX + 1, NULL), -E2BIG);
    memset(text, '\n', sizeof text); // more odd lines than the counter holds would need a longer text
    for (int i = 0; i < SDP_BYTES_MAX; i += 2)
        text[i] = 'x';
    CU_ASSERT_EQUAL(sdp_parse(&s, text, SDP_BYTES_MAX, NULL), 0);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_line], SDP_BYTES_MAX / 2);
}

// A NUL byte costs its line; a medium keeps its place.
static void test_nul(void)
{
    static const char text[] =
        "v=0\0\r\nm=aud\0io 9 RTP/AVP 0\r\nm=audio 8 RTP/AVP 0\r\na=la\0ng:en\r\na=lang:de";
    struct sdp s;
    CU_ASSERT_EQUAL(sdp_parse(&s, text, sizeof text - 1, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(s.media_count, 2);
    CU_ASSERT_FALSE(s.media[0].audio);
    CU_ASSERT_EQUAL(s.media[1].port, 8);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_line], 2);
    CU_ASSERT_EQUAL(s.odd[SDP_ODD_media], 1);
    CU_ASSERT_TRUE(passes(text, &s.media[1], 0, TL_SDP_LANG, "de"));
}

// Every offset must lie inside the text, whatever the text.
static void check_bounds(const struct sdp *s, size_t len)
{
    CU_ASSERT_TRUE_FATAL(s->media_count <= SDP_MEDIA_MAX);
    for (unsigned i = 0; i < s->media_count; i++) {
        const struct sdp_media *m = &s->media[i];
        CU_ASSERT_TRUE_FATAL(m->format_count <= SDP_FORMAT_MAX && m->crypto_count <= SDP_CRYPTO_MAX &&
                             m->pass_count <= SDP_PASS_MAX);
        CU_ASSERT_TRUE(m->kind.off + m->kind.len <= len && m->proto_text.off + m->proto_text.len <= len);
        CU_ASSERT_TRUE(m->fmt_text.off + m->fmt_text.len <= len);
        for (unsigned f = 0; f < m->format_count; f++)
            CU_ASSERT_TRUE(m->format[f].pt < 128 && m->format[f].name.off + m->format[f].name.len <= len &&
                           m->format[f].fmtp.off + m->format[f].fmtp.len <= len);
        for (unsigned c = 0; c < m->crypto_count; c++)
            CU_ASSERT_TRUE(m->crypto[c].off + m->crypto[c].len <= len);
        for (unsigned p = 0; p < m->pass_count; p++)
            CU_ASSERT_TRUE(m->pass[p].off + m->pass[p].len <= len);
    }
}

// Each prefix in a buffer of exactly its size, so that ASan sees a byte read too many.
static void test_truncated(void)
{
    for (size_t i = 0; i < sizeof sdp_samples / sizeof sdp_samples[0]; i++)
        for (size_t len = 0; len <= strlen(sdp_samples[i]); len++) {
            char *exact = malloc(len ? len : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
            memcpy(exact, sdp_samples[i], len);
            struct sdp s;
            sdp_parse(&s, exact, len, NULL);
            check_bounds(&s, len);
            free(exact);
        }
}

static void test_mutated(void)
{
    static const char nasty[] = "=:/ \r\n\t0123456789aAmcv|;^.-\xff";
    unsigned seed = 20240607;
    for (int round = 0; round < 20000; round++) {
        const char *sample = sdp_samples[(unsigned)round % (sizeof sdp_samples / sizeof sdp_samples[0])];
        size_t len = strlen(sample);
        char *exact = malloc(len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, sample, len);
        for (int k = 0; k < 1 + round % 8; k++)
            exact[(size_t)rand_r(&seed) % len] = nasty[(unsigned)rand_r(&seed) % (sizeof nasty - 1)];
        struct sdp s;
        sdp_parse(&s, exact, len, NULL);
        check_bounds(&s, len);
        free(exact);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"router", test_router},
        {"PBX with two lines", test_pbx},
        {"mediation server", test_mediation},
        {"soft PBX, odd order", test_soft_and_odd},
        {"numbers", test_numbers},
        {"addresses", test_addresses},
        {"limits", test_limits},
        {"the rest stands", test_rest_stands},
        {"NUL bytes", test_nul},
        {"cut at every byte", test_truncated},
        {"mutations", test_mutated},
    };
    return test_main("sdp", TEST_CASES(cases), argc, argv);
}
