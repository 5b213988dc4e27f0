// SPDX-License-Identifier: BSD-3-Clause
// Reading messages: the filter's table, RFC 4475's messages, header values, numbers, bodies.
#include "sip_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fix fix;

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, s ? strlen(s) : 0};
}

// Message of a text with "\n" for line ends; NULL with the verdict in *shape.
static struct sip_msg *message(const char *text, struct sip_shape *shape)
{
    struct sip_head head;
    size_t len = 0, n = strlen(text);
    char *bytes = malloc(2 * n + 1);
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            bytes[len++] = '\r';
        bytes[len++] = *p;
    }
    char *exact = malloc(len ? len : 1); // the sanitiser sees a byte read behind it
    memcpy(exact, bytes, len);
    free(bytes);
    sip_msg_setup();
    sip_read(exact, len, &head);
    struct sip_msg *msg = sip_filter(&head, false, shape) ? sip_msg_new(&head, shape) : NULL;
    free(exact);
    return msg;
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
        struct sip_msg *msg = message(table[i].text, &shape);
        bool good = shape.reason == table[i].reason && shape.status == table[i].status &&
                    (msg != NULL) == (table[i].reason == SIP_REJECT_COUNT);
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s %d: %.60s\n", i, sip_reject_label(shape.reason), shape.status,
                   table[i].text);
        sip_msg_free(msg);
    }
}

// What the stack makes of each message of RFC 4475: handed to the user (0), answered, or dropped and counted.
static void rfc4475(void)
{
    enum { TAKEN = 0, DROPPED = -1 };
    static const struct {
        const char *name;
        int outcome;
        enum sip_reject counted; // of what is not taken
    } table[] = {
        // 3.1.1 valid
        {"wsinv", TAKEN, 0},
        {"intmeth", 400,
         SIP_REJECT_line}, // escaped NUL, BEL and DEL in a quoted string: not let through to C strings
        {"esc01", TAKEN, 0},
        {"escnull", TAKEN, 0},
        {"esc02", TAKEN, 0},
        {"lwsdisp", TAKEN, 0},
        {"longreq", TAKEN, 0},
        {"dblreq", TAKEN, 0}, // the first; what follows in the datagram is ignored
        {"semiuri", TAKEN, 0},
        {"transports", TAKEN, 0},
        {"mpart01", TAKEN, 0},
        {"unreason", DROPPED, SIP_REJECT_via}, // responses to nothing of ours
        {"noreason", DROPPED, SIP_REJECT_via},
        // 3.1.2 invalid
        {"badinv01", 400, SIP_REJECT_syntax},
        {"clerr", 400, SIP_REJECT_length},
        {"ncl", 400, SIP_REJECT_number},
        {"scalar02", 400, SIP_REJECT_number},
        {"scalarlg", DROPPED, SIP_REJECT_number},
        {"quotbal", 400, SIP_REJECT_syntax},
        {"ltgtruri", 400, SIP_REJECT_syntax},
        {"lwsruri", 400, SIP_REJECT_start_line},
        {"lwsstart", 400, SIP_REJECT_start_line},
        {"trws", 400, SIP_REJECT_start_line},
        {"escruri", 400, SIP_REJECT_syntax},
        {"baddate", TAKEN, 0}, // nobody here reads Date
        {"regbadct", 400, SIP_REJECT_syntax},
        {"badaspec", 400, SIP_REJECT_syntax},
        {"baddn", 400, SIP_REJECT_line}, // the stored copy has no empty line either
        {"badvers", 505, SIP_REJECT_version},
        {"mismatch01", 400, SIP_REJECT_required},
        {"mismatch02", 400, SIP_REJECT_required},
        {"bigcode", DROPPED, SIP_REJECT_number},
        // 3.2 transaction layer
        {"badbranch", TAKEN, 0}, // matched by RFC 2543's rule
        // 3.3 application layer
        {"insuf", 400, SIP_REJECT_required},
        {"unkscm", 416, SIP_REJECT_scheme},
        {"novelsc", 416, SIP_REJECT_scheme},
        {"unksm2", TAKEN, 0},
        {"bext01", 420, SIP_REJECT_COUNT},
        {"invut", TAKEN, 0},
        {"regaut01", TAKEN, 0},
        {"multi01", 400, SIP_REJECT_required},
        {"mcl01", 400, SIP_REJECT_required},
        {"bcast", DROPPED, SIP_REJECT_via},
        {"zeromf", TAKEN, 0},
        {"cparam01", TAKEN, 0},
        {"cparam02", TAKEN, 0},
        {"regescrt", TAKEN, 0},
        {"sdp01", TAKEN, 0},
        // 3.4
        {"inv2543", TAKEN, 0},
        // RFC 3261's old torture test
        {"test", DROPPED, SIP_REJECT_start_line},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char name[64], bytes[8192];
        snprintf(name, sizeof name, "rfc4475/%s.dat", table[i].name);
        const char *path = test_data(name);
        if (!path)
            return;
        FILE *f = fopen(path, "rb");
        size_t len = f ? fread(bytes, 1, sizeof bytes, f) : 0;
        CU_ASSERT(f && len > 0 && len < sizeof bytes);
        if (f)
            fclose(f);
        fix_open(&fix);
        struct sip_flow flow = sip_flow_to(fix.stack, 0, &fix_peer);
        char *exact = malloc(len);
        memcpy(exact, bytes, len);
        sip_core_receive(fix.stack, &flow, exact, len);
        free(exact);
        unsigned requests = fix_events(&fix, FIX_REQUEST), statuses = fix_count(&fix, 0, "SIP/2.0 ");
        int outcome = DROPPED;
        if (requests)
            outcome = TAKEN;
        else if (statuses)
            outcome = atoi(fix.sent[0].text + 8);
        bool good = outcome == table[i].outcome && requests <= 1;
        const struct sip_counters *c = sip_stack_counters(fix.stack);
        if (outcome != TAKEN && table[i].counted < SIP_REJECT_COUNT)
            good = good && c->rejects[table[i].counted] == 1;
        CU_ASSERT(good);
        if (!good)
            printf("     %s: %d\n", table[i].name, outcome);
        if (requests)
            CU_ASSERT(
                sip_respond(fix_event(&fix, FIX_REQUEST, 0)->txn, &(struct sip_answer){.status = 486}) == 0);
        fix_close(&fix);
    }
}

static void header_values(void)
{
    struct sip_shape shape;
    struct sip_msg *m = message("INVITE sip:+1%2d555@b:5062;user=phone SIP/2.0\n" HEAD "CSeq: 77 INVITE\n"
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
    CU_ASSERT(sip_str_is(sip_msg_record_route(m, 0), "<sip:r1;lr>"));
    CU_ASSERT(sip_str_is(sip_msg_record_route(m, 1), "<sip:r2;lr>"));
    CU_ASSERT(sip_str_is(sip_msg_record_route(m, 2), "<sip:r3>"));
    CU_ASSERT(sip_msg_record_route(m, 3).p == NULL);
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
        {"sip:*72#5@h", NULL}, // '#' must be escaped; whatever osip makes of it, it does not crash
        {"sip:h", NULL},
        {"tel:+1-555-1234", "+15551234"},
        {"tel:5551234;phone-context=+1", "5551234"},
        {"sip:00000000000000000000000000000000000000000000000000000000000000000000@h", NULL}, // does not fit
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[512], number[SIP_NUMBER_MAX] = "";
        snprintf(text, sizeof text, "INVITE %s SIP/2.0\n" HEAD "CSeq: 1 INVITE\n\n", table[i].uri);
        struct sip_msg *m = message(text, &shape);
        bool has = m && sip_msg_called(m, number);
        if (table[i].number) {
            CU_ASSERT(has);
            CU_ASSERT_STRING_EQUAL(number, table[i].number);
        } else if (strncmp(table[i].uri, "sip:*", 5) != 0) {
            CU_ASSERT(!has);
        }
        sip_msg_free(m);
    }
}

static void bodies(void)
{
    static const struct {
        const char *type, *body;
        const char *sdp; // NULL: none
    } table[] = {
        {"application/sdp", "v=0\n", "v=0\r\n"},
        {"Application/SDP;charset=utf-8", "v=0\n", "v=0\r\n"},
        {"application/isup", "v=0\n", NULL},
        {"multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n\n--b--\n", "v=0\r\n"},
        {"multipart/mixed; boundary=\"b b\"",
         "pre\n--b b\nContent-Type: x/y\n\nxx\n--b b\nc: application/sdp\n\nv=1\n--b b--", "v=1"},
        {"multipart/mixed;boundary=b", "--b\n\nv=0\n--b--\n", NULL},
        {"multipart/mixed;boundary=b", "--b", NULL},
        {"multipart/mixed;boundary=b", "--b\n", NULL},
        {"multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp", NULL},
        {"multipart/mixed;boundary=b", "--b\nContent-Type: application/sdp\n\nv=2", "v=2"},
        {"multipart/mixed", "--b\nContent-Type: application/sdp\n\nv=0\n--b--", NULL},
        {"multipart/mixed;boundary=", "--\nContent-Type: application/sdp\n\nv=0\n----", NULL},
        {"multipart/mixed;boundary=b",
         "--b\nContent-Type: multipart/mixed;boundary=c\n\n--c\nContent-Type: "
         "application/sdp\n\nv=3\n--c--\n--b--",
         "v=3"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[1024];
        snprintf(text, sizeof text, "INVITE sip:b SIP/2.0\n" HEAD "CSeq: 1 INVITE\nContent-Type: %s\n\n%s",
                 table[i].type, table[i].body);
        struct sip_msg *m = message(text, &shape);
        CU_ASSERT_FATAL(m != NULL);
        struct sip_str sdp = sip_msg_body(m, "application/sdp");
        bool good = table[i].sdp ? sip_str_is(sdp, table[i].sdp) : sdp.p == NULL;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: \"%.*s\"\n", i, (int)sdp.len, sdp.p ? sdp.p : "");
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
        {"A, B <sip:a@b>", NULL, NULL},
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

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"filter_table", filter_table},     {"rfc4475", rfc4475}, {"header_values", header_values},
        {"called_numbers", called_numbers}, {"bodies", bodies},   {"vias", vias},
        {"addresses", addresses},           {"numbers", numbers}, {"loop_numbers", loop_numbers},
    };
    return test_main("sip_msg", TEST_CASES(cases), argc, argv);
}
