// SPDX-License-Identifier: BSD-3-Clause
// The header plan by tables: what came in, between which trunks, and what goes on.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/trunk/headers.h"
#include "runner.h"

// ---- a message from text ------------------------------------------------------------------------------

enum { LINES_MAX = 160 };

struct sample {
    struct header_view view;
    struct header_line line[LINES_MAX];
};

// "Name: value\nName: value"; without From one is there.
static void read_sample(struct sample *s, const char *uri, const char *text)
{
    s->view = (struct header_view){.request = true, .uri = header_str(uri), .line = s->line};
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        const char *colon = memchr(text, ':', n);
        size_t name = (size_t)(colon - text);
        s->line[s->view.count++] = header_line((struct header_str){text, name},
                                               header_trim((struct header_str){colon + 1, n - name - 1}));
        text += n + (text[n] == '\n');
    }
}

enum {
    FROM_STRANGER = 1u << 0, // the trunk that it came from is not trusted
    TO_STRANGER = 1u << 1,   // the one that it goes to is not
    DOMAIN = 1u << 2,        // sbc.example.com
    NAMES = 1u << 3,         // host_names keep
    DROP = 1u << 4,          // user_params drop
    PHONE = 1u << 5,         // user_phone always
    NO_PHONE = 1u << 6,      // user_phone never
    LOCATION = 1u << 7,
    RULES = 1u << 8,    // pass X-* and History-Info, remove Subject and Divers*, add X-Tenant and Priority
    RESPONSE = 1u << 9, // From is not the sender's
    TCP = 1u << 10,
    FROM_DOMAIN = 1u << 11, // the other side knows us as other.example.net
};

static void make_trunks(unsigned switches, struct tl_trunk_config *from, struct tl_trunk_config *to)
{
    *from = (struct tl_trunk_config){.trusted = !(switches & FROM_STRANGER)};
    *to = (struct tl_trunk_config){.trusted = !(switches & TO_STRANGER),
                                   .host_names = switches & NAMES ? TL_HOST_NAMES_KEEP : TL_HOST_NAMES_HIDE,
                                   .user_params = switches & DROP ? TL_USER_PARAMS_DROP : TL_USER_PARAMS_KEEP,
                                   .user_phone = switches & PHONE      ? TL_USER_PHONE_ALWAYS
                                                 : switches & NO_PHONE ? TL_USER_PHONE_NEVER
                                                                       : TL_USER_PHONE_KEEP,
                                   .location = switches & LOCATION ? TL_LOCATION_PASS : TL_LOCATION_REMOVE};
    if (switches & DOMAIN)
        strcpy(to->domain, "sbc.example.com");
    if (switches & FROM_DOMAIN)
        strcpy(from->domain, "other.example.net");
    if (switches & RULES)
        to->headers = (struct tl_header_rules){.pass = {"X-*", "History-Info"},
                                               .pass_count = 2,
                                               .remove = {"Subject", "Divers*", "x-secret"},
                                               .remove_count = 3,
                                               .add = {{"X-Tenant", "5"}, {"Priority", "normal"}},
                                               .add_count = 2};
}

static char room[HEADERS_ROOM];

static int make_plan(enum tl_message message, unsigned switches, const struct header_view *view,
                     struct header_plan *plan)
{
    static struct tl_trunk_config from, to;
    make_trunks(switches, &from, &to);
    struct header_ask ask = {.message = message,
                             .msg = view,
                             .from = &from,
                             .to = &to,
                             .local = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}},
                             .peer = {.family = TL_AF_INET, .port = 5070, .ip = {192, 0, 2, 9}},
                             .transport = switches & TCP ? TL_TCP : TL_UDP,
                             .user = "2000"};
    return headers_plan(&ask, room, sizeof room, plan);
}

// ---- set-up: who calls whom ---------------------------------------------------------------------------

#define FROM "From: <sip:1000@10.1.1.5>;tag=a\n"

static const struct {
    const char *title;
    unsigned switches;
    const char *request_uri, *from;
    const char *uri, *to, *sent_from, *contact; // NULL: not looked at
} setups[] = {
    {"our address on the sending side", 0, "sip:2000@10.1.1.1:5060;transport=tcp",
     "<sip:1000@10.1.1.5:5080>;tag=a", "sip:2000@192.0.2.9:5070", "<sip:2000@192.0.2.9>",
     "<sip:1000@192.0.2.1>", "<sip:1000@192.0.2.1:5060>"},
    {"our name", DOMAIN, "sip:2000@10.1.1.1", "\"Jane\" <sip:1000@10.1.1.5>;tag=a", "sip:2000@192.0.2.9:5070",
     "<sip:2000@192.0.2.9>", "\"Jane\" <sip:1000@sbc.example.com>", "<sip:1000@sbc.example.com:5060>"},
    {"the transport", TCP, "sip:2000@10.1.1.1", "sip:1000@10.1.1.5;tag=a",
     "sip:2000@192.0.2.9:5070;transport=tcp", "<sip:2000@192.0.2.9>", "<sip:1000@192.0.2.1>",
     "<sip:1000@192.0.2.1:5060;transport=tcp>"},
    {"a name is no number", 0, "sip:alice.b-c@10.1.1.1", "<sip:bob.x@host.example>;tag=a",
     "sip:alice.b-c@192.0.2.9:5070", NULL, "<sip:bob.x@192.0.2.1>", "<sip:bob.x@192.0.2.1:5060>"},
    {"separators", 0, "sip:+1-(555).010-0123@10.1.1.1;user=phone", "<sip:+1-555@x>",
     "sip:+15550100123@192.0.2.9:5070;user=phone", "<sip:+15550100123@192.0.2.9;user=phone>",
     "<sip:+1555@192.0.2.1>", NULL},
    {"user=phone always", PHONE, "sip:+15550100@10.1.1.1", "<sip:alice@x>",
     "sip:+15550100@192.0.2.9:5070;user=phone", "<sip:+15550100@192.0.2.9;user=phone>",
     "<sip:alice@192.0.2.1>", NULL},
    {"user=phone never", NO_PHONE, "sip:+15550100@10.1.1.1;user=phone", "<sip:1@x;user=phone>",
     "sip:+15550100@192.0.2.9:5070", "<sip:+15550100@192.0.2.9>", "<sip:1@192.0.2.1>", NULL},
    {"number portability", 0, "sip:+15550100;rn=+15550999;npdi@10.1.1.1;user=phone", "<sip:1;ext=7@x>",
     "sip:+15550100;rn=+15550999;npdi@192.0.2.9:5070;user=phone", NULL, "<sip:1;ext=7@192.0.2.1>",
     "<sip:1@192.0.2.1:5060>"},
    {"parameters dropped", DROP, "sip:+15550100;rn=+15550999;npdi@10.1.1.1;user=phone", "<sip:1;ext=7@x>",
     "sip:+15550100@192.0.2.9:5070;user=phone", NULL, "<sip:1@192.0.2.1>", NULL},
    {"trunk group", 0, "sip:+15550100;tgrp=TG-1;trunk-context=10.1.1.7@10.1.1.1", "<sip:1@x>",
     "sip:+15550100;tgrp=TG-1;trunk-context=192.0.2.1@192.0.2.9:5070", NULL, NULL, NULL},
    {"tel:", 0, "tel:+1-555-0100;phone-context=+1", "<tel:7042;phone-context=example.com>;tag=a",
     "sip:+15550100;phone-context=+1@192.0.2.9:5070;user=phone", NULL,
     "<sip:7042;phone-context=example.com@192.0.2.1;user=phone>", "<sip:7042@192.0.2.1:5060>"},
    {"sips:", 0, "sips:2000@10.1.1.1", "<sips:1@x>", "sip:2000@192.0.2.9:5070", NULL, "<sip:1@192.0.2.1>",
     NULL},
    {"# as it comes", 0, "sip:#31#5550100@10.1.1.1", "<sip:PBX#1000@x>", "sip:%2331%235550100@192.0.2.9:5070",
     NULL, "<sip:PBX%231000@192.0.2.1>", NULL},
    {"# escaped", 0, "sip:%2331%235550100@10.1.1.1", "<sip:%2a1@x>", "sip:%2331%235550100@192.0.2.9:5070",
     NULL, "<sip:%2a1@192.0.2.1>", NULL},
    {"star", 0, "sip:*725550100@10.1.1.1", "<sip:1@x>", "sip:*725550100@192.0.2.9:5070", NULL, NULL, NULL},
    {"? in the user part", 0, "sip:55?501@10.1.1.1", "<sip:a?b/c@x>", "sip:55?501@192.0.2.9:5070", NULL,
     "<sip:a?b/c@192.0.2.1>", NULL},
    {"escapes stay, a lone % becomes one", 0, "sip:a%20b%@10.1.1.1", "<sip:%3B%zz@x>",
     "sip:a%20b%25@192.0.2.9:5070", NULL, "<sip:%3B%25zz@192.0.2.1>", NULL},
    {"space, quote and more", 0, "sip:a b{c}@10.1.1.1", "<sip:a|b\\@x>", "sip:a%20b%7Bc%7D@192.0.2.9:5070",
     NULL, "<sip:a%7Cb%5C@192.0.2.1>", NULL},
    {"two @", 0, "sip:alice@home@10.1.1.1", "<sip:1@x>", "sip:alice%40home@192.0.2.9:5070", NULL, NULL, NULL},
    {"no password", 0, "sip:2000:secret@10.1.1.1", "<sip:1;p=a:secret@x>", "sip:2000@192.0.2.9:5070", NULL,
     "<sip:1;p=a@192.0.2.1>", NULL},
    {"bytes that are no UTF-8", 0, "sip:a\xff@10.1.1.1", "<sip:J\xc3\xa4ne@x>", "sip:a%FF@192.0.2.9:5070",
     NULL, "<sip:J%C3%A4ne@192.0.2.1>", NULL},
    {"IPv6", 0, "sip:2000@[2001:db8::1]:5060", "<sip:1@[2001:db8::2]:5060>", "sip:2000@192.0.2.9:5070", NULL,
     "<sip:1@192.0.2.1>", NULL},
    {"nobody", 0, "sip:2000@10.1.1.1", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=a", NULL, NULL,
     "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "<sip:anonymous@192.0.2.1:5060>"},
    {"no user", 0, "sip:2000@10.1.1.1", "<sip:10.1.1.5>;tag=a", NULL, NULL, "<sip:192.0.2.1>",
     "<sip:192.0.2.1:5060>"},
    // display names
    {"comma in quotes", 0, "sip:2@x", "\"Doe, Jane\" <sip:1@x>;tag=a", NULL, NULL,
     "\"Doe, Jane\" <sip:1@192.0.2.1>", NULL},
    {"< > in quotes", 0, "sip:2@x", "\"a <b@c> d\" <sip:1@x>", NULL, NULL, "\"a <b@c> d\" <sip:1@192.0.2.1>",
     NULL},
    {"escaped quotes", 0, "sip:2@x", "\"J \\\"JD\\\" D\" <sip:1@x>", NULL, NULL,
     "\"J \\\"JD\\\" D\" <sip:1@192.0.2.1>", NULL},
    {"empty quotes", 0, "sip:2@x", "\"\" <sip:1@x>", NULL, NULL, "\"\" <sip:1@192.0.2.1>", NULL},
    {"no space", 0, "sip:2@x", "\"Jane\"<sip:1@x>", NULL, NULL, "\"Jane\" <sip:1@192.0.2.1>", NULL},
    {"words", 0, "sip:2@x", "Jane Doe  <sip:1@x>", NULL, NULL, "Jane Doe <sip:1@192.0.2.1>", NULL},
    {"what needs quotes", 0, "sip:2@x", "Jane (Sales) <sip:1@x>", NULL, NULL,
     "\"Jane (Sales)\" <sip:1@192.0.2.1>", NULL},
    {"what needs escapes", 0, "sip:2@x", "J \"D\" \\x <sip:1@x>", NULL, NULL,
     "\"J \\\"D\\\" \\\\x\" <sip:1@192.0.2.1>", NULL},
    {"UTF-8", 0, "sip:2@x", "\"J\xc3\xa4ne\" <sip:1@x>", NULL, NULL, "\"J\xc3\xa4ne\" <sip:1@192.0.2.1>",
     NULL},
    {"no UTF-8", 0, "sip:2@x", "\"J\xe4ne \xc0\xaf\xed\xa0\x80 \xf4\x90\x80\x80\" <sip:1@x>", NULL, NULL,
     "\"J?ne ????? ????\" <sip:1@192.0.2.1>", NULL},
    {"quotes that do not end", 0, "sip:2@x", "\"Jane <sip:1@x>;tag=a", NULL, NULL, "<sip:192.0.2.1>", NULL},
    {"no >", 0, "sip:2@x", "Jane <sip:1@x;tag=a", NULL, NULL, "<sip:192.0.2.1>", NULL},
    {"no From", 0, "sip:2@x", NULL, NULL, NULL, "<sip:192.0.2.1>", NULL},
};

static void check(const char *title, const char *what, const char *is, const char *want)
{
    if (!want || (is && strcmp(is, want) == 0))
        return;
    printf("   %s: %s is\n%s\n   not\n%s\n", title, what, is ? is : "(none)", want);
    CU_FAIL("differs");
}

static void who_calls_whom(void)
{
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        char text[600] = "";
        struct sample s;
        struct header_plan plan;
        if (setups[i].from)
            snprintf(text, sizeof text, "f: %s", setups[i].from);
        read_sample(&s, setups[i].request_uri, text);
        CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, setups[i].switches, &s.view, &plan) == 0);
        check(setups[i].title, "Request-URI", plan.uri, setups[i].uri);
        check(setups[i].title, "To", plan.to, setups[i].to);
        check(setups[i].title, "From", plan.from, setups[i].sent_from);
        check(setups[i].title, "Contact", plan.contact, setups[i].contact);
        check(setups[i].title, "lines", plan.lines, "");
    }
}

static void nobody_to_call(void)
{
    static const char *const uris[] = {
        "",     "2000",    "sip:",       "sip:@",         "sip:2000@",       "sip:2000@ho st",
        "tel:", "tel:abc", "http://a/b", "sip:2000@[::1", "sip:2000@x\x01y", "urn:service:sos",
        ":x"};
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        struct sample s;
        struct header_plan plan;
        read_sample(&s, uris[i], FROM);
        if (make_plan(TL_MSG_SETUP, 0, &s.view, &plan) != -EINVAL)
            printf("   %s\n", uris[i]);
        CU_ASSERT_EQUAL(make_plan(TL_MSG_SETUP, 0, &s.view, &plan), -EINVAL);
    }
}

// ---- lines --------------------------------------------------------------------------------------------

#define PAI       "P-Asserted-Identity: \"J\" <sip:+1555@10.1.1.5:5060;transport=tcp>, <tel:+1555>\n"
#define OUR_PAI   "P-Asserted-Identity: \"J\" <sip:+1555@192.0.2.1>, <tel:+1555>\r\n"
#define ANONYMOUS "From: <sip:anonymous@anonymous.invalid>;tag=a\n"

static const struct {
    const char *title;
    enum tl_message message;
    unsigned switches;
    const char *in;  // lines
    const char *out; // lines that go on
    const char *from;
    unsigned dropped;
} rows[] = {
    // what never passes
    {"dialog and transport", TL_MSG_SETUP, 0,
     FROM
     "Via: SIP/2.0/UDP 10.1.1.5\nv: SIP/2.0/UDP 10.1.1.5\nTo: <sip:2@x>\nContact: <sip:a@10.1.1.5>\nCall-ID: "
     "a@10.1.1.5\nCSeq: 1 INVITE\nRecord-Route: <sip:10.1.1.5>\nRoute: <sip:10.1.1.5>\nMax-Forwards: 70\nRequire: "
     "100rel\nk: timer\nAllow: INVITE\nx: 90\nMin-SE: 90\nUser-Agent: PBX/1.0\nServer: PBX\nc: "
     "application/sdp\nContent-Foo: x\nAuthorization: Digest x\nWarning: 399 10.1.1.5 \"x\"\nOrganization: "
     "ACME\nX-A: 1\nP-Charging-Vector: icid-value=1\nP-Access-Network-Info: x\nReply-To: <sip:a@b>",
     "", NULL, 0},
    // RFC 3325
    {"PAI between the trusted", TL_MSG_SETUP, 0, FROM PAI, OUR_PAI, NULL, 0},
    {"PAI with id between the trusted", TL_MSG_SETUP, 0, ANONYMOUS PAI "Privacy: id",
     OUR_PAI "Privacy: id\r\n", "<sip:anonymous@anonymous.invalid>", 0},
    {"PAI from a stranger", TL_MSG_SETUP, FROM_STRANGER, FROM PAI "P-Preferred-Identity: <sip:+1@x>",
     "P-Preferred-Identity: <sip:+1@192.0.2.1>\r\n", NULL, 0},
    {"PAI to a stranger", TL_MSG_SETUP, TO_STRANGER, FROM PAI, OUR_PAI, NULL, 0},
    {"PAI to a stranger, id", TL_MSG_SETUP, TO_STRANGER,
     FROM PAI "P-Preferred-Identity: <sip:+1@x>\nPrivacy: id", "Privacy: id\r\n", "<sip:1000@192.0.2.1>", 0},
    {"PAI to a stranger, none", TL_MSG_SETUP, TO_STRANGER, ANONYMOUS PAI "Privacy: none",
     OUR_PAI "Privacy: none\r\n", NULL, 0},
    {"PAI to a stranger, From anonymous", TL_MSG_SETUP, TO_STRANGER, ANONYMOUS PAI, "",
     "<sip:anonymous@anonymous.invalid>", 0},
    {"everything for a stranger, user", TL_MSG_SETUP, TO_STRANGER,
     FROM PAI
     "Privacy: user;critical\nSubject: me\nCall-Info: <http://a/b>\nDiversion: <sip:1@x>\nReferred-By: "
     "<sip:1@x>\nRemote-Party-ID: <sip:1@x>\nIdentity: abc\nReason: Q.850;cause=16\nUser-to-User: 00;x=y",
     "User-to-User: 00;x=y\r\n", "\"Anonymous\" <sip:anonymous@anonymous.invalid>", 0},
    {"what is done is not asked for again", TL_MSG_SETUP, TO_STRANGER,
     FROM "Privacy: header; session ;id;history", "Privacy: id\r\n", NULL, 0},
    {"a privacy that we do not know", TL_MSG_SETUP, TO_STRANGER, FROM "Privacy: foo;critical",
     "Privacy: foo;critical\r\n", "<sip:1000@192.0.2.1>", 0},
    {"privacy for the trusted", TL_MSG_SETUP, 0, FROM PAI "Privacy: user;header;id",
     OUR_PAI "Privacy: user;header;id\r\n", "<sip:1000@192.0.2.1>", 0},
    {"broken Privacy", TL_MSG_SETUP, 0, FROM "Privacy: ;;, id; a b ;", "Privacy: id\r\n", NULL, 0},
    // RFC 5876: who answered
    {"connected identity", TL_MSG_SUCCESS, RESPONSE, FROM PAI "Privacy: none", OUR_PAI "Privacy: none\r\n",
     NULL, 0},
    {"connected identity in 180", TL_MSG_PROVISIONAL, RESPONSE, FROM PAI, OUR_PAI, NULL, 0},
    {"connected, A is anonymous", TL_MSG_SUCCESS, RESPONSE | TO_STRANGER, ANONYMOUS PAI, OUR_PAI, NULL, 0},
    {"connected, restricted", TL_MSG_SUCCESS, RESPONSE | TO_STRANGER, FROM PAI "Privacy: id",
     "Privacy: id\r\n", NULL, 0},
    {"no identity in a failure", TL_MSG_FAILURE, RESPONSE, FROM PAI, "", NULL, 0},
    {"identity in UPDATE", TL_MSG_DIALOG, 0, FROM PAI, OUR_PAI, NULL, 0},
    // hosts
    {"names are hidden", TL_MSG_SETUP, 0, FROM "P-Asserted-Identity: <sip:alice@pbx.example.net:5061>",
     "P-Asserted-Identity: <sip:alice@192.0.2.1>\r\n", NULL, 0},
    {"names are kept", TL_MSG_SETUP, NAMES,
     FROM "P-Asserted-Identity: <sip:alice@pbx.example.net:5061>, <sip:b@[::2]>",
     "P-Asserted-Identity: <sip:alice@pbx.example.net>, <sip:b@192.0.2.1>\r\n", NULL, 0},
    {"but ours of the other side", TL_MSG_SETUP, NAMES | FROM_DOMAIN | DOMAIN,
     FROM "P-Asserted-Identity: <sip:a@other.example.net>",
     "P-Asserted-Identity: <sip:a@sbc.example.com>\r\n", NULL, 0},
    {"nobody stays", TL_MSG_SETUP, DOMAIN, FROM "P-Asserted-Identity: <sip:anonymous@anonymous.invalid>",
     "P-Asserted-Identity: <sip:anonymous@anonymous.invalid>\r\n", NULL, 0},
    {"what stays of a URI", TL_MSG_SETUP, 0,
     FROM
     "P-Asserted-Identity: "
     "<sip:+1555;cpc=x@10.1.1.5;user=phone;cause=302;maddr=10.1.1.9;lr;gr=abc;cpc=ordinary;x=1?Subject=a>;foo",
     "P-Asserted-Identity: <sip:+1555;cpc=x@192.0.2.1;user=phone;cause=302;cpc=ordinary>;foo\r\n", NULL, 0},
    {"addr-spec", TL_MSG_SETUP, 0, FROM "P-Asserted-Identity: sip:+1555@10.1.1.5",
     "P-Asserted-Identity: <sip:+1555@192.0.2.1>\r\n", NULL, 0},
    // RPID
    {"RPID", TL_MSG_SETUP, 0,
     FROM "Remote-Party-ID: \"J\" <sip:1@10.1.1.5>;party=calling;privacy=full;screen=yes",
     "Remote-Party-ID: \"J\" <sip:1@192.0.2.1>;party=calling;privacy=full;screen=yes\r\n", NULL, 0},
    {"RPID to a stranger", TL_MSG_SETUP, TO_STRANGER,
     FROM "Remote-Party-ID: <sip:1@x>;privacy=full\nremote-party-id: <sip:2@x>;privacy=off",
     "Remote-Party-ID: <sip:2@192.0.2.1>;privacy=off\r\n", NULL, 0},
    {"RPID from a stranger", TL_MSG_SETUP, FROM_STRANGER, FROM "Remote-Party-ID: <sip:1@x>", "", NULL, 0},
    // RFC 5806
    {"Diversion", TL_MSG_SETUP, 0,
     FROM
     "Diversion: \"A, B\" <sip:1@10.1.1.5>;reason=unconditional;counter=1;tag=x, <tel:+2>;reason=\"no;answer\"\n"
     "Diversion: <sip:3@10.1.1.6>;privacy=full",
     "Diversion: \"A, B\" <sip:1@192.0.2.1>;reason=unconditional;counter=1, <tel:+2>;reason=\"no;answer\"\r\n"
     "Diversion: <sip:3@192.0.2.1>;privacy=full\r\n",
     NULL, 0},
    {"Diversion to a stranger", TL_MSG_SETUP, TO_STRANGER,
     FROM "Diversion: <sip:1@x>;privacy=full, <sip:2@x>;privacy=off, <sip:3@x>;privacy=\"name\"",
     "Diversion: <sip:2@192.0.2.1>;privacy=off\r\n", NULL, 0},
    {"Diversion in 302", TL_MSG_FAILURE, RESPONSE, "Diversion: <sip:1@10.1.1.5>",
     "Diversion: <sip:1@192.0.2.1>\r\n", NULL, 0},
    // RFC 7044
    {"History-Info", TL_MSG_SETUP, 0,
     FROM
     "History-Info: <sip:1@10.1.1.5?Reason=SIP%3Bcause%3D302%3Btext%3D%2210.1.1.9%22&Foo=1&Privacy=none>;index=1,"
     "<sip:2@10.1.1.6;cause=302>;index=1.1;mp=1\nHistory-Info: <urn:service:sos>;index=1.2, <http://10.1.1.5/x>;index=1.3",
     "History-Info: <sip:1@192.0.2.1?Reason=SIP%3Bcause%3D302%3Btext%3D%22192.0.2.1%22&Privacy=none>;index=1, "
     "<sip:2@192.0.2.1;cause=302>;index=1.1;mp=1\r\nHistory-Info: <urn:service:sos>;index=1.2\r\n",
     NULL, 1},
    {"History-Info, entry private", TL_MSG_SETUP, TO_STRANGER,
     FROM "History-Info: \"J\" <sip:1@x?Privacy=history>;index=1, <sip:2@x?Privacy=none>;index=1.1",
     "History-Info: <sip:anonymous@anonymous.invalid>;index=1, <sip:2@192.0.2.1?Privacy=none>;index=1.1\r\n",
     NULL, 0},
    {"History-Info, all private", TL_MSG_SETUP, TO_STRANGER,
     FROM "Privacy: history\nHistory-Info: <sip:1@x>;index=1",
     "History-Info: <sip:anonymous@anonymous.invalid>;index=1\r\n", NULL, 0},
    // RFC 8224
    {"Identity", TL_MSG_SETUP, 0,
     FROM "Date: Mon, 30 Nov 2026 10:00:00 GMT\ny: abc.def;info=<https://10.1.1.5/c>;alg=ES256",
     "Date: Mon, 30 Nov 2026 10:00:00 GMT\r\nIdentity: abc.def;info=<https://10.1.1.5/c>;alg=ES256\r\n", NULL,
     0},
    {"Identity of one who hides", TL_MSG_SETUP, TO_STRANGER, FROM "Privacy: id\nIdentity: abc\nDate: x",
     "Privacy: id\r\n", NULL, 0},
    // texts
    {"texts", TL_MSG_SETUP, 0,
     FROM "s: call from 10.1.1.5, [2001:db8::7]:5060, 2001:db8::7 and 127.0.0.1\nAlert-Info: "
          "<http://127.0.0.1/Bellcore-dr4>\nCall-Info: <http://10.1.1.5:80/p.jpg>;purpose=icon\nPriority: "
          "urgent\nUser-to-User: 00c81031;encoding=hex\nReason: Q.850;cause=16",
     "Subject: call from 192.0.2.1, 192.0.2.1:5060, 192.0.2.1 and 127.0.0.1\r\nAlert-Info: "
     "<http://127.0.0.1/Bellcore-dr4>\r\nCall-Info: <http://192.0.2.1:80/p.jpg>;purpose=icon\r\nPriority: "
     "urgent\r\nUser-to-User: 00c81031;encoding=hex\r\n",
     NULL, 0},
    {"what looks like an address", TL_MSG_SETUP, 0,
     FROM "Subject: 1.2.3.4.5 300.1.1.1 12:30:45 a::b 1.2.3 x::y",
     "Subject: 1.2.3.4.5 300.1.1.1 12:30:45 192.0.2.1 1.2.3 x::y\r\n", NULL, 0},
    {"our name on the other side", TL_MSG_SETUP, FROM_DOMAIN | DOMAIN,
     FROM "Subject: via OTHER.example.net, not another.example.net-x",
     "Subject: via sbc.example.com, not another.example.net-x\r\n", NULL, 0},
    {"Reason", TL_MSG_DIALOG, 0, FROM "Reason: Q.850;cause=16;text=\"from 10.1.1.5\"\nReason: SIP;cause=200",
     "Reason: Q.850;cause=16;text=\"from 192.0.2.1\"\r\nReason: SIP;cause=200\r\n", NULL, 0},
    {"CANCEL says why and nothing else", TL_MSG_CANCEL, 0,
     FROM PAI "Reason: SIP;cause=200\nUser-to-User: 00\nPrivacy: id", "Reason: SIP;cause=200\r\n", NULL, 0},
    {"Reason of an answer", TL_MSG_FAILURE, RESPONSE, "Reason: Q.850;cause=17", "Reason: Q.850;cause=17\r\n",
     NULL, 0},
    {"no UTF-8", TL_MSG_SETUP, 0, FROM "Subject: a\xff\xc3\xa4\tb", "Subject: a?\xc3\xa4 b\r\n", NULL, 0},
    // location
    {"location removed", TL_MSG_SETUP, 0, FROM "Geolocation: <cid:a@x>\nGeolocation-Routing: yes", "", NULL,
     0},
    {"location passes", TL_MSG_SETUP, LOCATION,
     FROM "geolocation: <cid:a@10.1.1.5>\nGeolocation-Routing: yes",
     "Geolocation: <cid:a@10.1.1.5>\r\nGeolocation-Routing: yes\r\n", NULL, 0},
    {"identity without brackets, with one", TL_MSG_SETUP, 0,
     FROM "History-Info: 5:2&x>;index=1, y:2&x>;index=1", "", NULL, 2},
    {"a user of nothing but parameters", TL_MSG_SETUP, 0, FROM "P-Asserted-Identity: <sip:;1000@10.1.1.5>",
     "P-Asserted-Identity: <sip:192.0.2.1>\r\n", NULL, 0},
    // the trunk's own
    {"pass, remove, add", TL_MSG_SETUP, RULES,
     FROM
     "X-A: as it is 10.1.1.5\nx-Secret: 1\nSubject: s\nDiversion: <sip:1@x>\nPriority: urgent\nX-Tenant: 9",
     "X-A: as it is 10.1.1.5\r\nX-Tenant: 5\r\nPriority: normal\r\n", NULL, 0},
    {"the same in an answer", TL_MSG_FAILURE, RULES | RESPONSE, "X-A: 1\nX-Tenant: 9",
     "X-A: 1\r\nX-Tenant: 9\r\n", NULL, 0},
    {"pass adds messages", TL_MSG_DIALOG, RULES, FROM "History-Info: <sip:1@10.1.1.5>;index=1",
     "History-Info: <sip:1@192.0.2.1>;index=1\r\n", NULL, 0},
    // broken
    {"broken values", TL_MSG_SETUP, 0,
     FROM
     "P-Asserted-Identity: \"J <sip:1@x>, <sip:2@x>\nP-Asserted-Identity: <sip:3@x>, <sip:4@x, <sip:>, , "
     "x\nDiversion: <sip:1@x>x\nHistory-Info:\nSubject: a\x01"
     "b\nAlert-Info: \x7f",
     "P-Asserted-Identity: <sip:3@192.0.2.1>\r\n", NULL, 6},
    {"name that is none", TL_MSG_SETUP, RULES, FROM "X-A B: 1\nX-\xff: 1\nX-C: 1",
     "X-C: 1\r\nX-Tenant: 5\r\nPriority: normal\r\n", NULL, 2},
};

static void what_passes(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample s;
        struct header_plan plan;
        read_sample(&s, "sip:2000@10.1.1.1", rows[i].in);
        s.view.request = !(rows[i].switches & RESPONSE);
        CU_ASSERT_FATAL(make_plan(rows[i].message, rows[i].switches, &s.view, &plan) == 0);
        check(rows[i].title, "what passes", plan.lines, rows[i].out);
        check(rows[i].title, "From", plan.from, rows[i].from);
        if (plan.dropped != rows[i].dropped)
            printf("   %s: dropped %u\n", rows[i].title, plan.dropped);
        CU_ASSERT_EQUAL(plan.dropped, rows[i].dropped);
        if (rows[i].message != TL_MSG_SETUP) {
            CU_ASSERT_PTR_NULL(plan.uri);
            check(rows[i].title, "Contact", plan.contact, "<sip:2000@192.0.2.1:5060>");
        }
    }
}

// Numbers that are sent instead of those that came.
static void other_numbers(void)
{
    static const struct {
        const char *calling, *called, *from, *uri;
        bool identity;
    } numbers[] = {
        {NULL, NULL, "<sip:+1-5@192.0.2.1>", "sip:2000@192.0.2.9:5070", true},
        {"1000", "2000", "<sip:1000@192.0.2.1>", "sip:2000@192.0.2.9:5070", true},
        {"10-00", NULL, "<sip:1000@192.0.2.1>", "sip:2000@192.0.2.9:5070", true},
        {NULL, "2001", "<sip:1000@192.0.2.1>", "sip:2001@192.0.2.9:5070", false},
        {"+1000", NULL, "<sip:+1000@192.0.2.1>", "sip:2000@192.0.2.9:5070", false},
    };
    struct tl_trunk_config from = {.trusted = true}, to = {.trusted = true};
    struct sample s;
    struct header_plan plan;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        read_sample(&s, "sip:2000@x",
                    i ? "From: <sip:1000@x>\nIdentity: a" : "From: <sip:+1-5@x>\nIdentity: a");
        struct header_ask ask = {.message = TL_MSG_SETUP,
                                 .msg = &s.view,
                                 .from = &from,
                                 .to = &to,
                                 .local = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}},
                                 .peer = {.family = TL_AF_INET, .port = 5070, .ip = {192, 0, 2, 9}},
                                 .calling = numbers[i].calling,
                                 .called = numbers[i].called};
        CU_ASSERT_FATAL(headers_plan(&ask, room, sizeof room, &plan) == 0);
        check("numbers", "From", plan.from, i ? numbers[i].from : "<sip:+15@192.0.2.1>");
        check("numbers", "Request-URI", plan.uri, numbers[i].uri);
        check("numbers", "lines", plan.lines, numbers[i].identity ? "Identity: a\r\n" : "");
    }
}

// ---- sizes and bad input ------------------------------------------------------------------------------

static void none_is_cut(void)
{
    static struct sample s;
    struct header_plan plan;
    char text[20000];
    size_t used = (size_t)snprintf(text, sizeof text, "From: <sip:1@x>");
    for (unsigned i = 0; i < 127; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "\nHistory-Info: <sip:%u@10.1.1.5>;index=1.%u", i, i);
    read_sample(&s, "sip:2@x", text);
    CU_ASSERT_EQUAL(s.view.count, 128);
    CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, 0, &s.view, &plan) == 0);
    unsigned lines = 0;
    for (const char *p = plan.lines; (p = strstr(p, "History-Info: <sip:")); p++)
        lines++;
    CU_ASSERT_EQUAL(lines, 127);
    CU_ASSERT_PTR_NOT_NULL(strstr(plan.lines, "<sip:126@192.0.2.1>;index=1.126\r\n"));
    // a room that is too small by any number of bytes says so and is never left
    size_t need = (size_t)(plan.lines + strlen(plan.lines) + 1 - room);
    struct tl_trunk_config from = {.trusted = true}, to = {.trusted = true};
    struct header_ask ask = {.message = TL_MSG_SETUP,
                             .msg = &s.view,
                             .from = &from,
                             .to = &to,
                             .local = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}},
                             .peer = {.family = TL_AF_INET, .port = 5070, .ip = {192, 0, 2, 9}}};
    for (size_t size = 1; size <= need; size += size < need - 40 && size > 200 ? 37 : 1) {
        char *small = malloc(size);
        CU_ASSERT_FATAL(small != NULL);
        CU_ASSERT_EQUAL(headers_plan(&ask, small, size, &plan), size < need ? -EMSGSIZE : 0);
        free(small);
    }
}

static void long_lines(void)
{
    static struct sample s;
    struct header_plan plan;
    static char text[3 * 4200];
    size_t from = (size_t)snprintf(text, sizeof text, "From: \"%0*d\" <sip:1@x>\nSubject: ", 4000, 0);
    memset(text + from, 'a', HEADERS_LINE_MAX);
    read_sample(&s, "sip:2@x", text);
    CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, 0, &s.view, &plan) == 0);
    CU_ASSERT_EQUAL(strlen(plan.lines), HEADERS_LINE_MAX + 11);
    CU_ASSERT_EQUAL(strlen(plan.from), 4000 + 2 + 1 + 17);
    text[from + HEADERS_LINE_MAX] = 'a';
    read_sample(&s, "sip:2@x", text);
    CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, 0, &s.view, &plan) == 0);
    CU_ASSERT_STRING_EQUAL(plan.lines, "");
    CU_ASSERT_EQUAL(plan.dropped, 1);
}

// A line of the plan never becomes two, whatever came: bytes by chance, in buffers of exactly their size.
static void noise(void)
{
    static const char parts[] = "<>\"\\;:,@?%[]()=&. \t\r\n\0\x7f\xff\xc3\xa4"
                                "sip:tel:10.1.1.5aA19-+#*Privacy=none";
    static const char *const names[] = {
        "From",    "P-Asserted-Identity", "Diversion", "History-Info",    "Privacy",
        "Subject", "Geolocation",         "X-Any",     "Remote-Party-ID", "Reason"};
    uint32_t seed = 5;
    for (unsigned round = 0; round < 20000; round++) {
        struct header_line line[4];
        char *bytes[5];
        for (unsigned i = 0; i < 5; i++) {
            seed = seed * 1664525 + 1013904223;
            size_t len = (seed >> 16) % 48;
            bytes[i] = malloc(len ? len : 1);
            CU_ASSERT_FATAL(bytes[i] != NULL);
            for (size_t k = 0; k < len; k++) {
                seed = seed * 1664525 + 1013904223;
                bytes[i][k] = parts[(seed >> 16) % (sizeof parts - 1)];
            }
            if (len > 6 && (seed & 0x10000))
                memcpy(bytes[i], "<sip:1", 6);
            if (i < 4)
                line[i] = header_line(header_str(i ? names[(seed >> 8) % 10] : "From"),
                                      (struct header_str){bytes[i], len});
        }
        struct header_view view = {.request = round & 1, .uri = {bytes[4], 1}, .count = 4, .line = line};
        if (round & 2)
            view.uri = header_str("sip:2@x");
        struct header_plan plan;
        int rc = make_plan(round & 4 ? TL_MSG_SETUP : TL_MSG_SUCCESS, round >> 3 & 0xfff, &view, &plan);
        CU_ASSERT(rc == 0 || rc == -EINVAL);
        for (const char *p = rc == 0 ? plan.lines : ""; *p;) {
            const char *end = strpbrk(p, "\r\n");
            CU_ASSERT_FATAL(end && end > p && end[0] == '\r' && end[1] == '\n');
            CU_ASSERT(memchr(p, ':', (size_t)(end - p)) != NULL);
            p = end + 2;
        }
        if (rc == 0 && plan.from)
            CU_ASSERT(!strpbrk(plan.from, "\r\n") && !strpbrk(plan.uri, "\r\n<>\" ") &&
                      !strpbrk(plan.to, "\r\n\" "));
        struct header_view *copy = headers_keep(&view);
        CU_ASSERT_FATAL(copy != NULL);
        CU_ASSERT_EQUAL(copy->count, 4);
        free(copy);
        for (unsigned i = 0; i < 5; i++)
            free(bytes[i]);
    }
}

// ---- the rest -----------------------------------------------------------------------------------------

static void kept_copy_makes_the_same_plan(void)
{
    struct sample s;
    struct header_plan plan;
    static char first[HEADERS_ROOM];
    char text[] = FROM PAI "Via: SIP/2.0/UDP 10.1.1.5\nc: application/sdp\nX-A: 1\nSubject:";
    read_sample(&s, "sip:2000@10.1.1.1", text);
    struct header_view *copy = headers_keep(&s.view);
    CU_ASSERT_FATAL(copy != NULL);
    CU_ASSERT_EQUAL(copy->count, 4);
    CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, 0, &s.view, &plan) == 0);
    memcpy(first, room, sizeof first);
    memset(text, 'x', sizeof text - 1);
    CU_ASSERT_FATAL(make_plan(TL_MSG_SETUP, 0, copy, &plan) == 0);
    CU_ASSERT(memcmp(first, room, (size_t)(plan.lines - room) + strlen(plan.lines) + 1) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(plan.lines, "P-Asserted-Identity"));
    free(copy);
}

static void contact_and_host(void)
{
    struct tl_trunk_config to = {0};
    const struct tl_addr local = {.family = TL_AF_INET, .port = 5061, .ip = {192, 0, 2, 1}};
    char out[64];
    CU_ASSERT(headers_contact(&to, &local, TL_TCP, TL_URI_SIP, "a b", out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "<sip:a%20b@192.0.2.1:5061;transport=tcp>");
    CU_ASSERT(headers_contact(&to, &local, TL_UDP, TL_URI_SIP, NULL, out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "<sip:192.0.2.1:5061>");
    CU_ASSERT(headers_contact(&to, &local, TL_TLS, TL_URI_SIP, "1", out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "<sip:1@192.0.2.1:5061;transport=tls>");
    CU_ASSERT(headers_contact(&to, &local, TL_TLS, TL_URI_SIPS, "1", out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "<sips:1@192.0.2.1:5061>");
    strcpy(to.domain, "sbc.example.com");
    CU_ASSERT(headers_contact(&to, &local, TL_UDP, TL_URI_SIP, "", out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "<sip:sbc.example.com:5061>");
    CU_ASSERT(!headers_contact(&to, &local, TL_UDP, TL_URI_SIP, "1", out, 28));
    CU_ASSERT(headers_contact(&to, &local, TL_UDP, TL_URI_SIP, "1", out,
                              sizeof "<sip:1@sbc.example.com:5061>" + 1));
    struct tl_trunk_config from = {.domain = "other.example.net"};
    CU_ASSERT(headers_text(&from, &to, &local, header_str("Busy at 10.1.1.5, other.example.net\xff"), out,
                           sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "Busy at sbc.example.com, sbc.example.com?");
    CU_ASSERT(!headers_text(&from, &to, &local, header_str("Busy at 10.1.1.5"), out, 23));
    CU_ASSERT(!headers_text(&from, &to, &local, header_str(""), out, sizeof out));
    CU_ASSERT(!headers_text(&from, &to, &local, header_str("a\rb"), out, sizeof out));
    char host[TL_HOST_MAX];
    headers_host(&to, &local, host);
    CU_ASSERT_STRING_EQUAL(host, "sbc.example.com");
}

static void location_body(void)
{
    static const struct tl_trunk_config off, on = {.location = TL_LOCATION_PASS};
    struct sample s;
    char type[LOCATION_TYPE_MAX], body[600];
    read_sample(&s, "sip:112@x", "Geolocation: <https://lis.example.com/x>, <cid:a@b.example>;x=y");
    CU_ASSERT(headers_location_passes(&on, &s.view) && !headers_location_passes(&off, &s.view));
    int n = headers_location_body(&s.view, header_str("v=0\r\n"), header_str("<presence a='__'/>"), type,
                                  body, sizeof body);
    static const char want[] =
        "--part___\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--part___\r\nContent-Type: "
        "application/pidf+xml\r\nContent-ID: <a@b.example>\r\nContent-Disposition: "
        "render\r\n\r\n<presence a='__'/>\r\n--part___--\r\n";
    CU_ASSERT_EQUAL(n, (int)sizeof want - 1);
    CU_ASSERT_STRING_EQUAL(body, want);
    CU_ASSERT_STRING_EQUAL(type, "multipart/mixed;boundary=\"part___\"");
    CU_ASSERT_EQUAL(headers_location_body(&s.view, header_str("v"), header_str("x"), type, body, 100),
                    -EMSGSIZE);
    char runs[64];
    memset(runs, '_', sizeof runs);
    CU_ASSERT_EQUAL(
        headers_location_body(&s.view, header_str("v"), (struct header_str){runs, 32}, type, body, 600),
        -EINVAL);
    CU_ASSERT(
        headers_location_body(&s.view, header_str("v"), (struct header_str){runs, 31}, type, body, 600) > 0);
    read_sample(&s, "sip:112@x", "Geolocation: <cid:a\r\nX: b>");
    n = headers_location_body(&s.view, header_str("v"), header_str("x"), type, body, sizeof body);
    CU_ASSERT(n > 0 && !strstr(body, "Content-ID"));
    read_sample(&s, "sip:112@x", "Subject: x");
    CU_ASSERT(!headers_location_passes(&on, &s.view));
}

// ---- names --------------------------------------------------------------------------------------------

static void names_and_patterns(void)
{
    static const struct {
        const char *pattern, *name;
        bool fits;
    } fits[] = {
        {"X-*", "x-a", true},
        {"X-*", "X-", true},
        {"X-*", "X", false},
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "a", false},
        {"a*b*c", "aXbYbc", true},
        {"a*b*c", "aXbYb", false},
        {"*-Info", "Call-Info", true},
        {"*-Info", "Info", false},
        {"**a**", "bab", true},
        {"Subject", "subject", true},
        {"Subject", "Subjects", false},
        {"Subjects", "Subject", false},
    };
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++)
        CU_ASSERT_EQUAL(tl_header_fits(fits[i].pattern, fits[i].name, strlen(fits[i].name)), fits[i].fits);
    CU_ASSERT_STRING_EQUAL(tl_header_find("V", 1)->name, "Via");
    CU_ASSERT_STRING_EQUAL(tl_header_find("history-info", 12)->name, "History-Info");
    CU_ASSERT(tl_header_is_own("content-foo", 11) && tl_header_is_own("v", 1) &&
              tl_header_is_own("CALL-ID", 7));
    CU_ASSERT(!tl_header_is_own("Content", 7) && !tl_header_is_own("Subject", 7) &&
              !tl_header_is_own("X-A", 3));
    CU_ASSERT_PTR_NULL(tl_header_find("q", 1));
    CU_ASSERT_PTR_NULL(tl_header_find("", 0));
    CU_ASSERT_PTR_NULL(tl_header_find("X-A", 3));
}

// docs/headers.md has the table that the code works by.
static void document_has_the_table(void)
{
    char *table = NULL, text[32768];
    size_t size = 0;
    FILE *out = open_memstream(&table, &size), *f = fopen(TEST_SOURCE_ROOT "/docs/headers.md", "r");
    CU_ASSERT_FATAL(out != NULL && f != NULL);
    tl_header_print_table(out);
    fclose(out);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    if (size < 1000 || !strstr(text, table))
        printf("   docs/headers.md is not what the table says: run tools/update-config-doc.sh\n");
    CU_ASSERT(size > 1000 && strstr(text, table) != NULL);
    free(table);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"who_calls_whom", who_calls_whom},
        {"nobody_to_call", nobody_to_call},
        {"what_passes", what_passes},
        {"other_numbers", other_numbers},
        {"none_is_cut", none_is_cut},
        {"long_lines", long_lines},
        {"noise", noise},
        {"kept_copy_makes_the_same_plan", kept_copy_makes_the_same_plan},
        {"contact_and_host", contact_and_host},
        {"location_body", location_body},
        {"names_and_patterns", names_and_patterns},
        {"document_has_the_table", document_has_the_table},
    };
    return test_main("headers", TEST_CASES(cases), argc, argv);
}
