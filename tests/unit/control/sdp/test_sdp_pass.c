// SPDX-License-Identifier: BSD-3-Clause
// Which lines of one network's SDP the other gets: the list, its values, and docs/sdp.md, which has both lists from the
// same source as the code.
#include <stdlib.h>

#include "negotiate_fixture.h"

static void test_list(void)
{
    for (int i = 0; i < TL_SDP_PASS_COUNT; i++) {
        const char *name = sdp_pass_name((enum tl_sdp_pass)i);
        bool bandwidth = strncmp(name, "b=", 2) == 0;
        const char *bare = bandwidth ? name + 2 : name;
        CU_ASSERT_EQUAL(sdp_pass_find(bare, strlen(bare), bandwidth), i);
        CU_ASSERT_EQUAL(sdp_pass_find(bare, strlen(bare), !bandwidth), -1);
        CU_ASSERT_EQUAL(sdp_pass_find(bare, strlen(bare) - 1, bandwidth), -1);
    }
    CU_ASSERT_EQUAL(sdp_pass_find("PTIME", 5, false), TL_SDP_PTIME);
    CU_ASSERT_EQUAL(sdp_pass_find("", 0, false), -1);
}

// What no value of a line that passes can be: an address, a key, a name of a host.
static void test_values(void)
{
    static const struct {
        enum tl_sdp_pass line;
        const char *value;
        bool good;
    } table[] = {
        {TL_SDP_PTIME, "20", true},
        {TL_SDP_PTIME, "2.5", true},
        {TL_SDP_PTIME, "", false},
        {TL_SDP_PTIME, "2.", false},
        {TL_SDP_PTIME, ".5", false},
        {TL_SDP_PTIME, "10.0.0.1", false},
        {TL_SDP_PTIME, "20 ms", false},
        {TL_SDP_PTIME, "-20", false},
        {TL_SDP_PTIME, "4294967296", false},
        {TL_SDP_B_AS, "80", true},
        {TL_SDP_B_AS, "80 10.0.0.1", false},
        {TL_SDP_SILENCESUPP, "off - - - -", true},
        {TL_SDP_SILENCESUPP, "off 10.0.0.1", false},
        {TL_SDP_ECAN, "fb on g168", true},
        {TL_SDP_CONTENT, "main,speaker", true},
        {TL_SDP_CONTENT, "", false},
        {TL_SDP_CONTENT, "sip:x@y", false},
        {TL_SDP_LANG, "de-CH", true},
        {TL_SDP_LANG, "2001:db8::1", false},
        {TL_SDP_LANG, "gw.example.com", false},
        {TL_SDP_HLANG_SEND, "es eu *", true},
        {TL_SDP_LABEL, "inline|x=", false},
        {TL_SDP_LABEL, "1\n", false},
        {TL_SDP_LABEL, "\xc3\xa4", false},
        {TL_SDP_LABEL, "1234567890123456789012345678901234567890123456789012345678901234", true},
        {TL_SDP_LABEL, "12345678901234567890123456789012345678901234567890123456789012345", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        bool good = sdp_pass_harmless(table[i].line, table[i].value, strlen(table[i].value));
        if (good != table[i].good)
            printf("%s:%s\n", sdp_pass_name(table[i].line), table[i].value);
        CU_ASSERT_EQUAL(good, table[i].good);
    }
}

// Lines of transport, keys, addresses, capabilities and makers: each alone, in an offer to a trunk that gets all that
// can pass, and in an answer.
static void test_nothing_else(void)
{
    static const char *const lines[] = {
        "a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80,
        "a=crypto:9 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80,
        "a=key-mgmt:mikey AQAF",
        "a=zrtp-hash:1.10 fe30efd02423cb054e50efd0248742ac7a52c8f91bc2df881ae642c371ba46df",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:actpass",
        "a=dtls-id:1",
        "a=tls-id:1",
        "k=base64:c2VjcmV0",
        "a=source-filter: incl IN IP4 * 192.0.2.7",
        "a=altc:1 IP4 192.0.2.7 7100",
        "a=candidate:1 1 UDP 2130706431 192.0.2.7 7100 typ host",
        "a=remote-candidates:1 192.0.2.7 7",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:efgh",
        "a=ice-lite",
        "a=end-of-candidates",
        "a=rtcp:7101 IN IP4 192.0.2.7",
        "a=rtcp-unicast:reflection",
        "a=rtcp-xr:rcvr-rtt=all",
        "a=rtcp-rsize",
        "a=rtcp-fb:* ccm fir",
        "a=ssrc:1 cname:x@192.0.2.7",
        "a=ssrc-group:FID 1 2",
        "a=msid:x y",
        "a=mid:1",
        "a=group:BUNDLE 1",
        "a=extmap:1 urn:x",
        "a=curr:qos local none",
        "a=des:qos mandatory local sendrecv",
        "a=conf:qos remote sendrecv",
        "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80,
        "a=pcfg:1 t=1",
        "a=tcap:1 RTP/SAVP",
        "a=sqn: 0",
        "a=cdsc: 1 audio RTP/AVP 0",
        "a=T38FaxVersion:0",
        "a=fmtp:18 annexb=no",
        "a=rtpmap:18 G729/8000",
        "a=gpmd:99 vbd=yes",
        "a=x-custom-address:192.0.2.7",
        "a=X-nat:1",
        "a=x-bypassid:11111111-2222-3333-4444-555555555555",
        "a=x-mediasettings:signalboostunsupported",
        "a=tool:gw 1.2",
        "a=sendrecv-x",
        "a=floorctrl:c-only",
        "a=anything at all",
        "a=ptimex:20",
        "a=ptime:192.0.2.7",
        "b=CT:100",
        "b=X-YZ:128",
        "b=AS:192.0.2.7",
        "i=192.0.2.7",
        "z=0 -1h",
        "u=http://192.0.2.7/",
        "e=x@192.0.2.7",
    };
    static const char clean[] = "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8\n";
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct pair p, without;
        char text[400], offer[NEG_BODY_MAX];
        snprintf(text, sizeof text, "%s%s\n", clean, lines[i]);
        begin(&without, &plain, &plain);
        CU_ASSERT_EQUAL_FATAL(take_offer(&without, &without.a, clean), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&without.b, &without.a, test_random, without.out) > 0);
        memcpy(offer, without.out, sizeof offer);
        exchange(&without, &without.a, &without.b, clean, clean);
        begin(&p, &plain, &plain);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, text), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        if (strcmp(p.out, offer) != 0)
            printf("offer with %s\n%s", lines[i], p.out);
        CU_ASSERT_STRING_EQUAL(p.out, offer);
        exchange(&p, &p.a, &p.b, text, text);
        if (strcmp(p.out, without.out) != 0)
            printf("answer with %s\n%s", lines[i], p.out);
        CU_ASSERT_STRING_EQUAL(p.out, without.out);
    }
}

// telephone-event has its list of events there, and nothing else.
static void test_events(void)
{
    static const struct {
        const char *fmtp, *passes;
    } table[] = {
        {"0-15", "0-15"},
        {"0-11,66", "0-11,66"},
        {"0-15, 66", "0-15, 66"},
        {"192.0.2.7", "0-15"},
        {"0-15;x=sip:a@b", "0-15"},
        {"events=0-15", "0-15"},
        {"00000000000000000000000000000000000000000000000000", "0-15"},
        {"", "0-15"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pair p;
        char text[300], line[80];
        begin(&p, &plain, &plain);
        snprintf(
            text, sizeof text,
            "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 %s\n",
            table[i].fmtp);
        snprintf(line, sizeof line, "\r\na=fmtp:101 %s\r\n", table[i].passes);
        CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, text), 0);
        CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
        CU_ASSERT_TRUE(says(&p, line));
    }
}

// Each trunk gets the lines of its own list, whatever the other one's is.
static void test_by_trunk(void)
{
    static const char all[] = "c=IN IP4 192.0.2.1\nm=audio 9000 RTP/AVP 8\na=PTIME: 20 \na=label:7\nb=AS:80\n"
                              "a=silenceSupp:off - - - -\n";
    struct tl_trunk_config none = plain, some = plain;
    struct pair p;
    none.sdp_pass[0] = TL_SDP_PASS_COUNT; // "none"
    none.sdp_pass_count = 1;
    some.sdp_pass[0] = TL_SDP_LABEL;
    some.sdp_pass[1] = TL_SDP_B_AS;
    some.sdp_pass_count = 2;
    begin(&p, &none, &some);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, all), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "m=audio 30000 RTP/AVP 8 0\r\nb=AS:80\r\n") && says(&p, "\r\na=label:7\r\n"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "ptime"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "silence"));
    CU_ASSERT_EQUAL_FATAL(take_answer(&p, &p.b, all), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(&p.a, &p.b, p.out) > 0);
    CU_ASSERT_PTR_NULL(strstr(p.out, "label"));
    CU_ASSERT_PTR_NULL(strstr(p.out, "b=AS"));
    begin(&p, &none, &plain);
    CU_ASSERT_EQUAL_FATAL(take_offer(&p, &p.a, all), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(&p.b, &p.a, test_random, p.out) > 0);
    CU_ASSERT_TRUE(says(&p, "\r\na=ptime:20\r\n") &&
                   says(&p, "\r\na=silenceSupp:off - - - -\r\n")); // written anew
    CU_ASSERT_PTR_NULL(strstr(p.out, "label"));
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    char *text = calloc(1, 100000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_TRUE(fread(text, 1, 99999, f) > 0);
    fclose(f);
    return text;
}

static void test_document(void)
{
    static const char *const number = "number", *const words = "words";
    static const char *const usual[] = {"no", "yes"};
    char *text = slurp(TEST_SOURCE_ROOT "/docs/sdp.md"), *at, table[6000];
    size_t n = 0;
#define NUMBER number
#define WORDS  words
#define X(constant, line, values, otherwise, why)                                                            \
    n += (size_t)snprintf(table + n, sizeof table - n, "| `%s%s` | %s | %s | %s |\n",                        \
                          line[1] == '=' ? "" : "a=", line, values, usual[otherwise], why);
    TL_SDP_PASS(X)
#undef X
#undef NUMBER
#undef WORDS
    if (!strstr(text, table))
        printf("docs/sdp.md should have\n%s", table);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, table));
    at = table;
    for (int i = 0; i < SDP_ODD_COUNT; i++)
        at += sprintf(at, "| `%s` | %s |\n", sdp_odd_name((enum sdp_odd)i), sdp_odd_text((enum sdp_odd)i));
    if (!strstr(text, table))
        printf("docs/sdp.md should have\n%s", table);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, table));
    free(text);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"the list", test_list}, {"harmless values", test_values}, {"nothing else", test_nothing_else},
        {"events", test_events}, {"by trunk", test_by_trunk},      {"docs/sdp.md", test_document},
    };
    return test_main("sdp_pass", TEST_CASES(cases), argc, argv);
}
