// SPDX-License-Identifier: BSD-3-Clause
// Reading messages: the filter's table, header values, numbers.
#include "sip_fixture.h"

#include "common/addr.h"
#include "control/sip/ids.h"
#include "control/sip/uri.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct fix fix;

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, s ? strlen(s) : 0};
}

#define HEAD "Via: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: x\n"

// Each row changes one thing of a message that passes.
static void filter_table(void)
{
    static char long_line[5000];
    static char many[200 * 8];
    memset(long_line, 'x', sizeof long_line - 1);
    for (unsigned i = 0; i < 130; i++)
        strcat(many, "X: 1\n");
    char with_long[6000], with_many[4000];
    snprintf(with_long, sizeof with_long, "OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX: %s\n\n",
             long_line);
    snprintf(with_many, sizeof with_many, "OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n%s\n", many);
    const struct {
        const char *text;
        enum sip_reject reason; // SIP_REJECT_COUNT: passes
        int status;
    } table[] = {
#define OK SIP_REJECT_COUNT, 0
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"OPTIONS sip:a@b sip/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"OPTIONS tel:+1-555 SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"\nOPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_start_line, 0},
        {"", SIP_REJECT_start_line, 0},
        {"OPTIONS sip:a@b\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_start_line, 0},
        {"OPT(IONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPT(IONS\n\n", SIP_REJECT_start_line, 0},
        {"OPTIONS sip:a@b SIP/2.0 \n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_start_line, 400},
        {"OPTIONS sip:a @b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_start_line, 400},
        {"OPTIONS sip:a@b SIP/2.1\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_version, 505},
        {"OPTIONS <sip:a@b> SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS a SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip: SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", OK}, // a caller without a number
        {"OPTIONS sip:a@b@c SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:a@b:0 SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:a@b:65536 SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:a@b?Subject=x SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:a@[::1 SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS tel: SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sips:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", OK}, // who takes it looks at the transport
        {"options sip:a@b SIP/2.0\n" HEAD "CSeq: 1 options\n\n", OK},  // another method than OPTIONS
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 options\n\n", SIP_REJECT_required, 400},
        {"OPTIONS http://a SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_scheme, 416},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n", SIP_REJECT_line, 400}, // no empty line
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n: x\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX y: z\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX: \x01\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX: a\rb\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX: \x7f\n\n", SIP_REJECT_line, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX: \xd0\xb0\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX:\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nX : y\n z\n\n", OK},
        {with_long, SIP_REJECT_line, 400},
        {with_many, SIP_REJECT_headers, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "\n", SIP_REJECT_required, 0}, // no CSeq: nothing to answer with
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nTo: <sip:e@f>\n\n", SIP_REJECT_required, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\ni: y\n\n", SIP_REJECT_required, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 INVITE\n\n", SIP_REJECT_required, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nl: 0\nContent-Length: 0\n\n", SIP_REJECT_required,
         400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 2147483647 OPTIONS\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 2147483648 OPTIONS\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 18446744073709551617 OPTIONS\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: -1 OPTIONS\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: OPTIONS\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS x\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nMax-Forwards: 255\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nMax-Forwards: 256\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nMax-Forwards: x\n\n", SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContent-Length: 3\n\nabc", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContent-Length: 2\n\nabc", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContent-Length: 4\n\nabc", SIP_REJECT_length,
         400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContent-Length: -1\n\nabc", SIP_REJECT_number,
         400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContent-Length: 4294967296\n\n",
         SIP_REJECT_number, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContact: *\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContact: Doe, Jane <sip:a@b>\n\n", OK},
        {"OPTIONS sip:a@b SIP/2.0\nv:SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKx;received=10.0.0.1\n"
         "f:\n <sip:a@b>\n ;tag\n =1\nt\t: sip:c@d\ni:x\nCSeq:1\n OPTIONS\nm : sip:[::1]\nl:\n 0\n\n",
         OK},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContact: sip:a@b;x?y\n\n", SIP_REJECT_syntax,
         400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nContact: <sip:a@b\n\n", SIP_REJECT_syntax, 400},
        {"OPTIONS sip:a@b SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\nRecord-Route: sip:a@b\n\n", SIP_REJECT_syntax,
         400},
        {"ACK sip:a@b SIP/2.0\n" HEAD "CSeq: 1 INVITE\n\n", SIP_REJECT_required,
         0}, // an ACK is never answered
        {"SIP/2.0 200 OK\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"SIP/2.0 200\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"SIP/2.0 100 \n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"SIP/2.0 699 x\n" HEAD "CSeq: 1 OPTIONS\n\n", OK},
        {"SIP/2.0 700 x\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_number, 0},
        {"SIP/2.0 099 x\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_number, 0},
        {"SIP/2.0 20 x\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_number, 0},
        {"SIP/2.0 4294967496 x\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_number, 0},
        {"SIP/2.0 -20 x\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_number, 0},
        {"SIP/2.0\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_version, 0},
        {"SIP/3.0 200 OK\n" HEAD "CSeq: 1 OPTIONS\n\n", SIP_REJECT_version, 0},
#undef OK
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        struct sip_msg *msg = fix_message(table[i].text, &shape);
        bool good = shape.reason == table[i].reason && shape.status == table[i].status &&
                    (msg != NULL) == (table[i].reason == SIP_REJECT_COUNT);
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s %d: %.60s\n", i, sip_reject_label(shape.reason), shape.status,
                   table[i].text);
        sip_msg_free(msg);
    }
}

// The table of names: in order, and each found by its name in any case, and by its compact form.
static void header_names(void)
{
    unsigned compact = 0;
    for (unsigned id = SIP_NAME_OTHER + 1; id < SIP_NAME_COUNT; id++) {
        const char *text = sip_name_text((enum sip_name)id);
        char upper[64];
        if (id > SIP_NAME_OTHER + 1)
            CU_ASSERT(strcasecmp(sip_name_text((enum sip_name)(id - 1)), text) < 0);
        snprintf(upper, sizeof upper, "%s", text);
        for (char *p = upper; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        CU_ASSERT(sip_name_id(str(text)) == id && sip_name_id(str(upper)) == id);
        if (strlen(text) > 2) // "T" is To
            CU_ASSERT(sip_name_id((struct sip_str){text, strlen(text) - 1}) != id);
    }
    for (char c = 'a'; c <= 'z'; c++) {
        enum sip_name id = sip_name_id((struct sip_str){&c, 1});
        char upper = (char)(c - 'a' + 'A');
        CU_ASSERT(sip_name_id((struct sip_str){&upper, 1}) == id);
        CU_ASSERT(id == SIP_NAME_OTHER || sip_name_is((struct sip_str){&c, 1}, sip_name_text(id)));
        compact += id != SIP_NAME_OTHER;
    }
    CU_ASSERT(compact == 20 && sip_name_id(str("v")) == SIP_NAME_VIA && sip_name_id(str("q")) == 0);
    CU_ASSERT(sip_name_id(str("x")) == SIP_NAME_SESSION_EXPIRES && sip_name_id(str("")) == 0);
    CU_ASSERT(sip_name_id(str("\x16")) == 0 && sip_name_id(str("X-Anything")) == 0);
    CU_ASSERT(sip_name_text(SIP_NAME_OTHER) == NULL && sip_name_text(SIP_NAME_COUNT) == NULL);
}

// Lines of one name, wherever they stand and however they are written, in their order.
static void lines_by_number(void)
{
    struct sip_shape shape;
    struct sip_msg *m = fix_message("INVITE sip:b SIP/2.0\n" HEAD "Diversion: one\nX-A: 1\nRSeq: 7\n"
                                    "diversion: two\n three\nX-B: 2\nx-a: 3\nDIVERSION:\nb: <sip:r>\n"
                                    "CSeq: 1 INVITE\n\n",
                                    &shape);
    CU_ASSERT_FATAL(m != NULL);
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_DIVERSION, 0), "one"));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_DIVERSION, 1), "two   three"));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_DIVERSION, 2), ""));
    CU_ASSERT(sip_msg_line(m, SIP_NAME_DIVERSION, 3).p == NULL);
    CU_ASSERT(sip_str_is(sip_msg_header(m, "diversion", 1), "two   three"));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_RSEQ, 0), "7"));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_REFERRED_BY, 0), "<sip:r>"));
    CU_ASSERT(sip_msg_line(m, SIP_NAME_RACK, 0).p == NULL);
    CU_ASSERT(sip_str_is(sip_msg_header(m, "X-A", 0), "1") && sip_str_is(sip_msg_header(m, "X-A", 1), "3"));
    CU_ASSERT(sip_str_is(sip_msg_header(m, "X-B", 0), "2") && sip_msg_header(m, "X-B", 1).p == NULL);
    CU_ASSERT(sip_msg_header(m, "X-C", 0).p == NULL && sip_msg_via_port(m) == 0);
    sip_msg_free(m);
}

// Names of parties that nobody can call: the call is taken, without that number.
static void odd_parties(void)
{
    static const struct {
        const char *from, *calling; // NULL: refused
    } table[] = {
        {"<sip:@192.0.2.1>;tag=1", ""},
        {"<sip:+1 555 0100@h>;tag=1", ""},
        {"<sip:100@>;tag=1", ""},
        {"<sip:100@h:0>;tag=1", ""},
        {"<sip:100@a@b>;tag=1", ""},
        {"<sip:unavailable@unknown.invalid>;tag=1", "unavailable"},
        {"Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=1", "c8oqz84zk7z"},
        {"<SIP:100@H>;TAG=1", "100"},
        {"<urn:service:sos>;tag=1", ""},
        {"<100@h>;tag=1", NULL},
        {"<>;tag=1", NULL},
        {"100;tag=1", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[512], number[SIP_NUMBER_MAX] = "";
        snprintf(text, sizeof text,
                 "INVITE sip:b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: %s\nTo: <sip:c@d>\n"
                 "Call-ID: x\nCSeq: 1 INVITE\n\n",
                 table[i].from);
        struct sip_msg *m = fix_message(text, &shape);
        bool good = (m != NULL) == (table[i].calling != NULL);
        if (m && table[i].calling) {
            sip_msg_calling(m, number);
            good = strcmp(number, table[i].calling) == 0 && sip_str_is(sip_msg_from_tag(m), "1");
        }
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s\n", i, table[i].from);
        sip_msg_free(m);
    }
}

// Every byte at every place of a value: control characters but the tab are a fault of the line.
static void control_characters(void)
{
    static const char around[] = "OPTIONS sip:a@b SIP/2.0\r\nSubject: ";
    static struct sip_head head;
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned at = 0; at < 20; at++) {
            char text[128];
            if (byte == '\r' || byte == '\n')
                continue;
            int n = snprintf(text, sizeof text, "%sabcdefghijklmnopqrst\r\n\r\n", around);
            text[sizeof around - 1 + at] = (char)byte;
            sip_read(text, (size_t)n, &head);
            bool fault = (byte < ' ' && byte != '\t') || byte == 0x7f;
            CU_ASSERT_EQUAL(!!(head.faults & SIP_FAULT_LINE), fault);
        }
}

// A phrase with control characters in it is none.
static void phrases(void)
{
    static const struct {
        const char *line, *phrase;
    } table[] = {
        {"SIP/2.0 486 Busy Here", "Busy Here"},
        {"SIP/2.0 486 ", ""},
        {"SIP/2.0 486", ""},
        {"SIP/2.0 486 Besetzt \xc3\xbc", "Besetzt \xc3\xbc"},
        {"SIP/2.0 486 \x1b[31mBusy", ""},
        {"SIP/2.0 486 a\rb", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[512];
        snprintf(text, sizeof text, "%s\n" HEAD "CSeq: 1 INVITE\n\n", table[i].line);
        struct sip_msg *m = fix_message(text, &shape);
        CU_ASSERT_FATAL(m != NULL);
        CU_ASSERT(sip_msg_status(m) == 486 && sip_str_equal(sip_msg_phrase(m), str(table[i].phrase)));
        sip_msg_free(m);
    }
}

static void uris(void)
{
    static const struct {
        const char *text;
        bool good;
        enum uri_scheme scheme;
        const char *user, *host;
        unsigned port;
        const char *params, *headers, *address;
    } table[] = {
        {"sip:h", true, URI_SIP, "", "h", 0, "", "", ""},
        {"sips:a:pass@h.example:5061;lr?x=y", true, URI_SIPS, "a", "h.example", 5061, ";lr", "?x=y", ""},
        {"SIP:a;p=1@10.0.0.1", true, URI_SIP, "a;p=1", "10.0.0.1", 0, "", "", "10.0.0.1:5060"},
        {"sip:a?b/c;d@10.0.0.1:5070;transport=tcp", true, URI_SIP, "a?b/c;d", "10.0.0.1", 5070,
         ";transport=tcp", "", "10.0.0.1:5070"},
        {"sip:PBX#1000#[x]@10.0.0.1", true, URI_SIP, "PBX#1000#[x]", "10.0.0.1", 0, "", "", "10.0.0.1:5060"},
        {"sip:[2001:db8::1]:5062;ob", true, URI_SIP, "", "[2001:db8::1]", 5062, ";ob", "",
         "[2001:db8::1]:5062"},
        {"sip:[2001:db8::1]", true, URI_SIP, "", "[2001:db8::1]", 0, "", "", "[2001:db8::1]:5060"},
        {"sip:a@gw.example;maddr=10.0.0.9", true, URI_SIP, "a", "gw.example", 0, ";maddr=10.0.0.9", "",
         "10.0.0.9:5060"},
        {"sip:a@10.0.0.1:5070;maddr=10.0.0.9", true, URI_SIP, "a", "10.0.0.1", 5070, ";maddr=10.0.0.9", "",
         "10.0.0.9:5070"},
        {"sip:a@10.0.0.1;maddr=gw.example", true, URI_SIP, "a", "10.0.0.1", 0, ";maddr=gw.example", "", ""},
        {"sip:a_b@h_1", true, URI_SIP, "a_b", "h_1", 0, "", "", ""},
        {"tel:+1-555;ext=1", true, URI_TEL, "+1-555", "", 0, ";ext=1", "", ""},
        {"urn:service:sos", true, URI_OTHER, "", "", 0, "", "", ""},
        {"http://h/", true, URI_OTHER, "", "", 0, "", "", ""},
        {"", false, 0, "", "", 0, "", "", ""},
        {"sip", false, 0, "", "", 0, "", "", ""},
        {":a@b", false, 0, "", "", 0, "", "", ""},
        {"1sip:a@b", true, URI_OTHER, "", "", 0, "", "", ""},
        {"s_p:a@b", false, 0, "", "", 0, "", "", ""},
        {"sip:", false, 0, "", "", 0, "", "", ""},
        {"sip:a@", false, 0, "", "", 0, "", "", ""},
        {"sip:@h", true, URI_SIP, "", "h", 0, "", "", ""},
        {"sip::secret@h", true, URI_SIP, "", "h", 0, "", "", ""},
        {"sip:a@b@c", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h:", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h:0", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h:70000", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h x", false, 0, "", "", 0, "", "", ""},
        {"sip:a@[::1", false, 0, "", "", 0, "", "", ""},
        {"sip:a@::1", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h\"", false, 0, "", "", 0, "", "", ""},
        {"sip:<a>@h", false, 0, "", "", 0, "", "", ""},
        {"sip:a@h/x", false, 0, "", "", 0, "", "", ""},
        {"tel:", false, 0, "", "", 0, "", "", ""},
        {"mailto:", false, 0, "", "", 0, "", "", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_uri uri;
        struct tl_addr addr;
        char at[TL_ADDR_TEXT];
        bool good = sip_read_uri(str(table[i].text), &uri) == table[i].good;
        if (good && table[i].good) {
            bool address = uri.host.p && sip_uri_address(&uri, &addr);
            good = uri.scheme == table[i].scheme && uri.port == table[i].port &&
                   sip_str_equal(uri.user, str(table[i].user)) &&
                   sip_str_equal(uri.host, str(table[i].host)) &&
                   sip_str_equal(uri.params, str(table[i].params)) &&
                   sip_str_equal(uri.headers, str(table[i].headers)) &&
                   strcmp(address ? tl_addr_print(&addr, at) : "", table[i].address) == 0;
        }
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s\n", i, table[i].text);
    }
}

static void uris_written(void)
{
    static const struct {
        const char *user, *uri;
        enum tl_transport transport;
        enum tl_uri_scheme scheme;
    } table[] = {
        {"", "sip:10.0.0.1:5060", TL_UDP, TL_URI_SIP},
        {NULL, "sip:10.0.0.1:5060;transport=tcp", TL_TCP, TL_URI_SIP},
        {"+1555", "sip:+1555@10.0.0.1:5060", TL_UDP, TL_URI_SIP},
        {"#31#5?5", "sip:%2331%235?5@10.0.0.1:5060;transport=tcp", TL_TCP, TL_URI_SIP},
        {"a@b<c> \"", "sip:a%40b%3Cc%3E%20%22@10.0.0.1:5060", TL_UDP, TL_URI_SIP},
        {"a\r\n", "sip:a%0D%0A@10.0.0.1:5060", TL_UDP, TL_URI_SIP},
        {"J\xc3\xa4", "sip:J%C3%A4@10.0.0.1:5060", TL_UDP, TL_URI_SIP},
        {"1", "sip:1@10.0.0.1:5060;transport=tls", TL_TLS, TL_URI_SIP},
        {"1", "sips:1@10.0.0.1:5060", TL_TLS, TL_URI_SIPS}, // RFC 5630 5.1.1
        {NULL, "sips:10.0.0.1:5060", TL_TLS, TL_URI_SIPS},
    };
    struct tl_addr addr;
    CU_ASSERT_FATAL(tl_addr_read("10.0.0.1:5060", 13, &addr));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[128], user[SIP_NUMBER_MAX];
        struct sip_uri uri;
        sip_write_uri(out, sizeof out, table[i].scheme, table[i].user, &addr, table[i].transport);
        CU_ASSERT_STRING_EQUAL(out, table[i].uri);
        CU_ASSERT(sip_read_uri(str(out), &uri));                       // and read back it is what was given
        bool clean = table[i].user && !strpbrk(table[i].user, "\r\n"); // what is not is read by nobody
        sip_uri_user(&uri, user, sizeof user);
        CU_ASSERT_STRING_EQUAL(user, clean ? table[i].user : "");
    }
    char cut[8];
    sip_escape_user("ab##", cut, sizeof cut);
    CU_ASSERT_STRING_EQUAL(cut, "ab%23");
}

static void header_values(void)
{
    struct sip_shape shape;
    struct sip_msg *m = fix_message("INVITE sip:+1%2d555@b:5062;user=phone SIP/2.0\n" HEAD "CSeq: 77 INVITE\n"
                                    "m: \"x, y\" <sip:u@h:5070;p=\"1\">;q=0.5, <sip:second>\n"
                                    "Record-Route: <sip:r1;lr>,\n <sip:r2;lr>\n"
                                    "record-route: <sip:r3>\n"
                                    "Max-Forwards: 12\nSupported: timer, 100rel\nk: replaces\n"
                                    "Retry-After: 30 (busy);duration=5\nExpires: 99999999999\n"
                                    "P-asserted-identity: <sip:pai>\n\n",
                                    &shape);
    CU_ASSERT_FATAL(m != NULL);
    char number[SIP_NUMBER_MAX];
    CU_ASSERT(sip_msg_is_request(m) && sip_msg_method(m) == SIP_INVITE && sip_msg_cseq(m) == 77);
    CU_ASSERT(sip_msg_called(m, number) && strcmp(number, "+1555") == 0);
    CU_ASSERT(sip_msg_calling(m, number) && strcmp(number, "a") == 0);
    CU_ASSERT(sip_str_is(sip_msg_uri(m), "sip:+1%2d555@b:5062;user=phone"));
    CU_ASSERT(sip_str_is(sip_msg_contact(m), "sip:u@h:5070;p=\"1\""));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_RECORD_ROUTE, 0), "<sip:r1;lr>,   <sip:r2;lr>"));
    CU_ASSERT(sip_str_is(sip_msg_line(m, SIP_NAME_RECORD_ROUTE, 1), "<sip:r3>"));
    CU_ASSERT(sip_str_is(sip_msg_from_tag(m), "1") && sip_msg_to_tag(m).p == NULL);
    CU_ASSERT(sip_str_is(sip_msg_header(m, "P-Asserted-Identity", 0), "<sip:pai>"));
    CU_ASSERT(sip_msg_header(m, "P-Asserted-Identity", 1).p == NULL);
    CU_ASSERT(sip_msg_number(m, "max-forwards", 255, 70) == 12);
    CU_ASSERT(sip_msg_number(m, "Retry-After", 3600, 0) == 30);
    CU_ASSERT(sip_msg_number(m, "Retry-After", 20, 7) == 7);
    CU_ASSERT(sip_msg_number(m, "Expires", UINT32_MAX, 5) == 5);
    CU_ASSERT(sip_msg_number(m, "Min-SE", 100, 90) == 90);
    CU_ASSERT(sip_msg_has_token(m, "Supported", "100REL") && sip_msg_has_token(m, "Supported", "replaces"));
    CU_ASSERT(!sip_msg_has_token(m, "Supported", "100") && !sip_msg_has_token(m, "Require", "timer"));
    CU_ASSERT(!sip_msg_has_body(m));
    sip_msg_free(m);
}

static void called_numbers(void)
{
    static const struct {
        const char *uri, *number; // NULL: none
    } table[] = {
        {"sip:+15551234@h", "+15551234"},
        {"sip:+1-555.12(34)@h;user=phone", "+15551234"},
        {"sip:1234;phone-context=x@h", "1234"},
        {"sip:1234:secret@h", "1234"},
        {"sip:alice.smith@h", "alice.smith"},
        {"sip:%31%32@h", "12"},
        {"sip:*72#5@h", "*72#5"}, // '#' should be escaped, and often is not
        {"sip:#31#5550100@h", "#31#5550100"},
        {"sip:%2331%235550100@h", "#31#5550100"},
        {"sip:a%40b@h", "a@b"},
        {"sip:55?501@h", "55?501"}, // user-unreserved, 25.1
        {"sip:a/b,c=d@h", "a/b,c=d"},
        {"sip:1234;ext=5;rn=+1999;npdi@h", "1234"},
        {"sip:12%3b34@h", "12;34"}, // an escaped ';' starts no parameter
        {"sip:100%@h", "100%"},     // no escape: as it stands
        {"sip:100%4@h", "100%4"},
        {"sip:%00@h", NULL},
        {"sip:%1b1@h", NULL},
        {"SIP:5@H", "5"},
        {"sip:5@[2001:db8::1]:5060;user=phone", "5"},
        {"TEL:+1(555)0100", "+15550100"},
        {"sip:h", NULL},
        {"tel:+1-555-1234", "+15551234"},
        {"tel:5551234;phone-context=+1", "5551234"},
        {"sip:00000000000000000000000000000000000000000000000000000000000000000000@h", NULL}, // does not fit
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[512], number[SIP_NUMBER_MAX] = "";
        snprintf(text, sizeof text, "INVITE %s SIP/2.0\n" HEAD "CSeq: 1 INVITE\n\n", table[i].uri);
        struct sip_msg *m = fix_message(text, &shape);
        bool has = m && sip_msg_called(m, number);
        if (table[i].number) {
            CU_ASSERT(has);
            CU_ASSERT_STRING_EQUAL(number, table[i].number);
        } else {
            CU_ASSERT(m != NULL && !has);
        }
        sip_msg_free(m);
    }
}

static void vias(void)
{
    static const struct {
        const char *value;
        bool good;
        const char *host;
        unsigned port;
        const char *branch;
        bool rport;
    } table[] = {
        {"SIP/2.0/UDP h", true, "h", 0, NULL, false},
        {"SIP / 2.0 / TCP  h : 5061 ; branch = z ;rport", true, "h", 5061, "z", true},
        {"SIP/2.0/UDP [::1]:5060;branch=q;received=1.2.3.4", true, "[::1]", 5060, "q", false},
        {"SIP/2.0/UDP h;maddr=224.2.0.1;ttl=16;branch=b, SIP/2.0/UDP o", true, "h", 0, "b", false},
        {"SIP/2.0/UDP h;rport=99", true, "h", 0, NULL, true},
        {"SIP/2.0/UDP h:0", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h:65536", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h:x", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h;", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h;;x", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h;x=", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP h;x=\"open", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP [::1", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDP", false, NULL, 0, NULL, false},
        {"SIP/2.0/UDPh", false, NULL, 0, NULL, false},
        {"HTTP/2.0/UDP h", false, NULL, 0, NULL, false},
        {"SIP/2.0 h", false, NULL, 0, NULL, false},
        {"", false, NULL, 0, NULL, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_via via;
        bool good = sip_read_via(str(table[i].value), &via);
        CU_ASSERT(good == table[i].good);
        if (!good)
            continue;
        CU_ASSERT(sip_str_is(via.host, table[i].host) && via.port == table[i].port &&
                  via.rport == table[i].rport);
        CU_ASSERT(table[i].branch ? sip_str_is(via.branch, table[i].branch) : via.branch.p == NULL);
    }
}

static void addresses(void)
{
    static const struct {
        const char *value, *uri, *tag; // uri NULL: refused
    } table[] = {
        {"<sip:a@b>;tag=1", "sip:a@b", "1"},
        {"sip:a@b;tag=2", "sip:a@b", "2"},
        {"\"D <x>, \\\"y\" < sip:a@b > ; x ; tag = 3", "sip:a@b", "3"},
        {"A B <sip:a@b;tag=in>;TAG=4", "sip:a@b;tag=in", "4"},
        {"<sip:a@b>", "sip:a@b", NULL},
        {"<sip:a,b@c>;tag=5", "sip:a,b@c", "5"},
        // names that should have been quoted: legal or not, they cost nobody a call
        {"A, B <sip:a@b>;tag=6", "sip:a@b", "6"},
        {"Doe; Jane <sip:a@b>;tag=7", "sip:a@b", "7"},
        {"Jane (Sales) <sip:a@b>;tag=8", "sip:a@b", "8"},
        {"J\xc3\xa4ne <sip:a@b>", "sip:a@b", NULL},
        {"\xff\x9b <sip:a@b>", "sip:a@b", NULL},
        {"jane.doe@example.com <sip:a@b>", "sip:a@b", NULL},
        {"Jane \"JD\" Doe <sip:a@b>", "sip:a@b", NULL},
        {"\"Jane\"<sip:a@b>", "sip:a@b", NULL},
        {"\"\" <sip:a@b>", "sip:a@b", NULL},
        {"'Jane' <sip:a@b>", "sip:a@b", NULL},
        {"tel:+1-555-0100;phone-context=+1;tag=9", "tel:+1-555-0100", "9"},
        {"<tel:+15550100;phone-context=example.com>;tag=10", "tel:+15550100;phone-context=example.com", "10"},
        {"<sip:a@[2001:db8::1]:5061>;tag = 11", "sip:a@[2001:db8::1]:5061", "11"},
        {"sip:a@b ;tag\t=\t12 ; x", "sip:a@b", "12"},
        {"<sip:a@b>;x=\"a;tag=no\";tag=13", "sip:a@b", "13"},
        {"<sip:a@b>;tag=a1b2==@10.0.0.1/x", "sip:a@b", "a1b2==@10.0.0.1/x"},
        {"sip:a@b, sip:c@d", NULL, NULL},
        {"A > B <sip:a@b>", NULL, NULL},
        {"\"open <sip:a@b>", NULL, NULL},
        {"<sip:a@b", NULL, NULL},
        {"sip:a@b>", NULL, NULL},
        {"<>", NULL, NULL},
        {"", NULL, NULL},
        {"<<sip:a>>", NULL, NULL},
        {"sip:a@b?x=y", NULL, NULL},
        {"<sip:a@b>;tag=", NULL, NULL},
        {"<sip:a@b> x", NULL, NULL},
        {"<sip:a@b>;", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_addr addr;
        struct sip_str tag = {NULL, 0};
        bool good = sip_read_addr(str(table[i].value), &addr);
        CU_ASSERT(good == (table[i].uri != NULL));
        if (good != (table[i].uri != NULL))
            printf("     row %zu: %s\n", i, table[i].value);
        if (!good || !table[i].uri)
            continue;
        sip_read_param(addr.params, "tag", &tag);
        CU_ASSERT(sip_str_is(addr.uri, table[i].uri));
        CU_ASSERT(table[i].tag ? sip_str_is(tag, table[i].tag) : tag.p == NULL);
    }
}

static bool has_member(const char *members, char c)
{
    return c && strchr(members, c);
}

// Each set of characters is what its comment says, byte by byte.
static void sets(void)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        CU_ASSERT_EQUAL(sip_is_token(c), (i < 128 && isalnum(i)) || has_member("-.!%*_+`'~", c));
        CU_ASSERT_EQUAL(sip_set_has(SIP_SET_VALUE_END, c), !c || has_member(";,\"<> \t", c));
    }
}

static void numbers(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t value;
    } table[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"9", 5, false, 0},
        {"5", 5, true, 5},
        {"", 5, false, 0},
        {"007", 7, true, 7},
        {"255", 255, true, 255},
        {"256", 255, false, 0},
        {"1 ", 9, false, 0},
        {"+1", 9, false, 0},
        {"1a", 9, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t v = 0;
        CU_ASSERT(sip_read_number(str(table[i].text), table[i].max, &v) == table[i].good);
        CU_ASSERT(!table[i].good || v == table[i].value);
    }
}

static void loop_numbers(void)
{
    static const struct {
        const char *id;
        int loop;
    } table[] = {
        {"3.abc", 3}, {"z9hG4bK5.abc", 5}, {"7.", 7}, {"8.abc", -1},
        {"abc", -1},  {".abc", -1},        {"", -1},  {"-1.x", -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CU_ASSERT(sip_loop_of(str(table[i].id)) == table[i].loop);
    fix_open(&fix);
    char a[SIP_TAG_LEN], b[SIP_TAG_LEN], call_id[40];
    sip_make_tag(fix.stack, a);
    sip_make_tag(fix.stack, b);
    sip_make_call_id(fix.stack, call_id, sizeof call_id);
    CU_ASSERT(strcmp(a, b) != 0 && sip_loop_of(str(a)) == 3 && sip_loop_of(str(call_id)) == 3);
    CU_ASSERT(strlen(call_id) == 34 && strlen(a) == 22);
    fix_close(&fix);
}

// A call that comes back is known by the number that it goes to, whatever stands around that, and by any of its Vias.
static void loops(void)
{
    static const struct {
        const char *uri;
        unsigned ours; // which of the Vias is of the call to sip:+4930@b
        bool loop;
    } table[] = {
        {"sip:+4930@b", 0, true},  {"sip:+4930@elsewhere;user=phone", 0, true},
        {"sip:+4930@b", 3, true},  {"sip:%2b4930@b", 3, true},
        {"sip:+4931@b", 3, false}, {"sip:b", 3, false},
        {"sip:+4930@b", 9, false},
    };
    char branch[SIP_BRANCH_LEN], other[SIP_BRANCH_LEN], text[1000];
    fix_open(&fix);
    sip_make_call_branch(fix.stack, "sip:+4930@b", branch);
    sip_make_call_branch(fix.stack, "sip:+4939@b", other);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        int n = snprintf(text, sizeof text, "INVITE %s SIP/2.0\n", table[i].uri);
        for (unsigned via = 0; via < 4; via++)
            n += snprintf(text + n, sizeof text - (size_t)n, "Via: SIP/2.0/UDP 192.0.2.1;branch=%s\n",
                          via == table[i].ours ? branch : other);
        snprintf(text + n, sizeof text - (size_t)n,
                 "From: <sip:a@b>;tag=f\nTo: <sip:c@d>\nCall-ID: id\nCSeq: 1 INVITE\nContent-Length: 0\n\n");
        struct sip_msg *msg = fix_message(text, &shape);
        CU_ASSERT_FATAL(msg != NULL);
        CU_ASSERT_EQUAL(sip_msg_is_loop(fix.stack, msg), table[i].loop);
        sip_msg_free(msg);
    }
    fix_close(&fix);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"control_characters", control_characters},
        {"header_names", header_names},
        {"lines_by_number", lines_by_number},
        {"odd_parties", odd_parties},
        {"phrases", phrases},
        {"uris", uris},
        {"uris_written", uris_written},
        {"filter_table", filter_table},
        {"header_values", header_values},
        {"called_numbers", called_numbers},
        {"vias", vias},
        {"addresses", addresses},
        {"sets", sets},
        {"numbers", numbers},
        {"loop_numbers", loop_numbers},
        {"loops", loops},
    };
    return test_main("sip_msg", TEST_CASES(cases), argc, argv);
}
