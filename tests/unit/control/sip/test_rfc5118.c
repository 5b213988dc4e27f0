// SPDX-License-Identifier: BSD-3-Clause
// RFC 5118: SIP over IPv6. A message for each case of its section 4, written for this test after what the section asks for.
#include "common/addr.h"
#include "control/sip/uri.h"
#include "sip_fixture.h"

#include <string.h>

static struct fix fix;

static const struct tl_addr six = {
    .family = TL_AF_INET6, .port = 5060, .ip = {0x20, 0x01, 0x0d, 0xb8, [13] = 0x09, [15] = 0x01}};

#define PARTY                                                                                                \
    "From: <sip:a@[2001:db8::9:1]>;tag=f\nTo: <sip:b@[2001:db8::9:255]>\nCall-ID: c@[2001:db8::9:1]\n"

static const struct {
    const char *section;
    const char *text;
    bool taken;       // else answered 400
    const char *host; // of the Request-URI
    uint16_t port;
    const char *answer; // what has to stand in the answer
} rows[] = {
    {"4.1 an IPv6 reference",
     "REGISTER sip:[2001:db8::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa1\n" PARTY
     "CSeq: 1 REGISTER\nContact: <sip:a@[2001:db8::1]>\nContent-Length: 0\n\n",
     true, "[2001:db8::10]", 0, "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa1\r\n"},
    {"4.2 an address without brackets",
     "REGISTER sip:2001:db8::10 SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa2\n" PARTY
     "CSeq: 1 REGISTER\nContent-Length: 0\n\n",
     false, NULL, 0, "SIP/2.0 400 "},
    {"4.3 the last group may look like a port",
     "REGISTER sip:[2001:db8::10:5070] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa3\n" PARTY
     "CSeq: 1 REGISTER\nContent-Length: 0\n\n",
     true, "[2001:db8::10:5070]", 0, ""},
    {"4.4 a port",
     "REGISTER sip:[2001:db8::10]:5070 SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa4\n" PARTY
     "CSeq: 1 REGISTER\nContent-Length: 0\n\n",
     true, "[2001:db8::10]", 5070, ""},
    {"4.5 received with brackets",
     "OPTIONS sip:[2001:db8::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKa5\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[2001:db8::10]", 0, "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa5\r\n"},
    {"4.5 received without brackets",
     "OPTIONS sip:[2001:db8::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKa6\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[2001:db8::10]", 0, "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa6\r\n"},
    {"4.5 ours has none, and rport",
     "OPTIONS sip:[2001:db8::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::77]:5061;rport;branch=z9hG4bKa7\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[2001:db8::10]", 0,
     "Via: SIP/2.0/UDP [2001:db8::77]:5061;branch=z9hG4bKa7;received=2001:db8::9:1;rport=5060\r\n"},
    {"one address written in another way",
     "OPTIONS sip:[2001:DB8:0:0::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:DB8:0::0009:1];branch=z9hG4bKa8\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[2001:DB8:0:0::10]", 0, "Via: SIP/2.0/UDP [2001:DB8:0::0009:1];branch=z9hG4bKa8\r\n"},
    {"4.6 IPv6 in SDP",
     "INVITE sip:b@[2001:db8::10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa9\n" PARTY
     "CSeq: 1 INVITE\nContact: <sip:a@[2001:db8::9:1]>\nContent-Type: application/sdp\nContent-Length: 108\n\n"
     "v=0\r\no=a 1 1 IN IP6 2001:db8::20\r\ns=-\r\nt=0 0\r\nc=IN IP6 2001:db8::20\r\nm=audio 42000 RTP/AVP 0\r\na=sendrecv    \r\n",
     true, "[2001:db8::10]", 0, ""},
    {"4.7 both families in headers",
     "BYE sip:b@[2001:db8::9:2] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKaa\n"
     "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKold;received=192.0.2.254\nMax-Forwards: 70\n"
     "From: A <sip:a@[2001:db8::9:1]>;tag=f\nTo: B <sip:b@192.0.2.1>;tag=t\nCall-ID: c7@[2001:db8::9:1]\nCSeq: 2 BYE\nContent-Length: 0\n\n",
     true, "[2001:db8::9:2]", 0,
     "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKaa\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKold;received=192.0.2.254\r\n"},
    {"4.9 an IPv4 address as an IPv6 one",
     "OPTIONS sip:b@[::ffff:192.0.2.10] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKab\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[::ffff:192.0.2.10]", 0, ""},
    {"4.10 the colon too many of RFC 3261's grammar",
     "OPTIONS sip:b@[2001:db8:::192.0.2.1] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKac\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     false, NULL, 0, "SIP/2.0 400 "},
    {"4.10 the same with two",
     "OPTIONS sip:b@[2001:db8::192.0.2.1] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKad\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     true, "[2001:db8::192.0.2.1]", 0, ""},
    {"a scope id",
     "OPTIONS sip:b@[fe80::1%25eth0] SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKae\n" PARTY
     "CSeq: 1 OPTIONS\nContent-Length: 0\n\n",
     false, NULL, 0, "SIP/2.0 400 "},
};

// What the user of the stack sees of the Request-URI.
static struct {
    char host[64];
    uint16_t port;
} seen;

static void answer(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    struct sip_uri uri;
    (void)f;
    if (event->what != FIX_REQUEST || !sip_read_uri(sip_msg_uri(msg), &uri))
        return;
    sip_str_copy(uri.host, seen.host, sizeof seen.host);
    seen.port = uri.port;
    CU_ASSERT(sip_respond(event->txn, &(struct sip_answer){.status = 603}) == 0);
}

static void messages_of_the_rfc(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fix_open(&fix);
        fix.act = answer;
        memset(&seen, 0, sizeof seen);
        fix_receive_from(&fix, 0, &six, rows[i].text);
        bool taken = fix_events(&fix, FIX_REQUEST) == 1;
        bool good = taken == rows[i].taken && strstr(fix_last(&fix), rows[i].answer) &&
                    (!taken || (strcmp(seen.host, rows[i].host) == 0 && seen.port == rows[i].port));
        if (!good)
            printf("   %s: taken %d, host %s port %u, answered:\n%s\n", rows[i].section, taken, seen.host,
                   seen.port, fix_last(&fix));
        CU_ASSERT(good);
        const struct fix_sent *sent = fix.sent_count ? &fix.sent[fix.sent_count - 1] : NULL;
        CU_ASSERT(sent && tl_addr_same_host(&sent->flow.remote, &six));
        fix_drop(&fix);
    }
}

// What an address in a URI stands for, whatever it is written like.
static void addresses_of_uris(void)
{
    static const struct {
        const char *uri, *address; // NULL: none
    } uris[] = {
        {"sip:a@[2001:db8::1]", "[2001:db8::1]:5060"},
        {"sip:a@[2001:DB8:0::1]:5070;transport=tcp", "[2001:db8::1]:5070"},
        {"sip:[2001:db8::10:5070]", "[2001:db8::10:5070]:5060"},
        {"sip:a@[::ffff:192.0.2.10]:5080", "192.0.2.10:5080"},
        {"sip:a@host;maddr=[2001:db8::2]", "[2001:db8::2]:5060"},
        {"sip:a@[192.0.2.1]", NULL},
        {"sip:a@2001:db8::1", NULL},
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct sip_uri uri;
        struct tl_addr addr = {0};
        bool good = sip_read_uri((struct sip_str){uris[i].uri, strlen(uris[i].uri)}, &uri) &&
                    sip_uri_address(&uri, &addr);
        CU_ASSERT(good == (uris[i].address != NULL));
        if (good)
            CU_ASSERT_STRING_EQUAL(TL_ADDR_STR(&addr), uris[i].address);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"messages_of_the_rfc", messages_of_the_rfc},
        {"addresses_of_uris", addresses_of_uris},
    };
    return test_main("rfc5118", TEST_CASES(cases), argc, argv);
}
