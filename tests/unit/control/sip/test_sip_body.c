// SPDX-License-Identifier: BSD-3-Clause
// Bodies and their parts: which one is the SDP, parts by Content-ID, what has to be understood.
#include "sip_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "Via: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: x\n"

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
#define PART(n) "Content-Type: application/sdp\n\nv=" #n "\n"
        // of several the first, of alternatives the last
        {"multipart/mixed;boundary=b", "--b\n" PART(1) "--b\n" PART(2) "--b--\n", "v=1"},
        {"Multipart/Alternative;boundary=b", "--b\n" PART(1) "--b\n" PART(2) "--b--\n", "v=2"},
        {"multipart/alternative;boundary=b", "--b\n" PART(1) "--b\nContent-Type: x/y\n\nv=2\n--b--\n", "v=1"},
        {"multipart/made-up;boundary=b", "--b\n\nhi\n--b\n" PART(2) "--b--\n", "v=2"},
        // the root of what belongs together
        {"multipart/related;boundary=b", "--b\n" PART(1) "--b\n" PART(2) "--b--\n", "v=1"},
        {"multipart/related;start=\"<2@x>\";boundary=b",
         "--b\nContent-ID: <1@x>\n" PART(1) "--b\ncontent-id: <2@x>\n" PART(2) "--b--\n", "v=2"},
        {"multipart/related;start=\"<3@x>\";boundary=b", "--b\nContent-ID: <1@x>\n" PART(1) "--b--\n", "v=1"},
        {"multipart/related;start=\"<1@x>\";boundary=b",
         "--b\nContent-ID: <1@x>\nContent-Type: x/y\n\nv=1\n--b\n" PART(2) "--b--\n", "v=2"},
        // alternatives inside of a mixture
        {"multipart/mixed;boundary=b",
         "--b\nContent-Type: x/y\n\nz\n--b\nContent-Type: multipart/alternative;\n boundary=c\n\n--c\n" PART(
             1) "--c\n" PART(2) "--c--\n--b\n" PART(3) "--b--\n",
         "v=2"},
        // preamble, epilogue, blanks behind a delimiter, a longer delimiter that begins like ours
        {"multipart/mixed;boundary=b", "--bb\n" PART(1) "--b \t\n" PART(2) "--b--\n--b\n" PART(3) "--b--\n",
         "v=2"},
        {"multipart/mixed;boundary=b", "x--b\n" PART(1) "--b\n" PART(2) "--b-\n--b--\n", "v=2\r\n--b-"},
        {"multipart/mixed;boundary=b", "--b--\n" PART(1) "--b--\n", NULL},
        {"multipart/mixed;boundary=b", "--b\n--b\n" PART(1) "--b--\n", "v=1"}, // a part without an empty line
        // encodings
        {"multipart/mixed;boundary=b", "--b\nContent-Transfer-Encoding: 8bit\n" PART(1) "--b--\n", "v=1"},
        {"multipart/mixed;boundary=b", "--b\nContent-Transfer-Encoding: Binary\n" PART(1) "--b--\n", "v=1"},
        {"multipart/mixed;boundary=b",
         "--b\nContent-Transfer-Encoding: base64\n" PART(1) "--b\n" PART(2) "--b--\n", "v=2"},
        // RFC 3959: not that of the session
        {"multipart/mixed;boundary=b",
         "--b\nContent-Disposition: early-session;handling=optional\n" PART(1) "--b\nContent-Disposition: "
                                                                               "session\n" PART(2) "--b--\n",
         "v=2"},
        // five deep is too deep
        {"multipart/mixed;boundary=b",
         "--b\nContent-Type: multipart/mixed;boundary=c\n\n--c\nContent-Type: multipart/mixed;boundary=d\n\n--d\n"
         "Content-Type: multipart/mixed;boundary=e\n\n--e\n" PART(1) "--e--\n--d--\n--c--\n--b--\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[1024];
        snprintf(text, sizeof text, "INVITE sip:b SIP/2.0\n" HEAD "CSeq: 1 INVITE\nContent-Type: %s\n\n%s",
                 table[i].type, table[i].body);
        struct sip_msg *m = fix_message(text, &shape);
        CU_ASSERT_FATAL(m != NULL);
        struct sip_str sdp = sip_msg_body(m, "application/sdp");
        bool good = table[i].sdp ? sip_str_is(sdp, table[i].sdp) : sdp.p == NULL;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: \"%.*s\"\n", i, (int)sdp.len, sdp.p ? sdp.p : "");
        sip_msg_free(m);
    }
}

static void parts_by_id(void)
{
    static const char body[] = "--b\nContent-ID: <1@x>\nContent-Type: application/pidf+xml\n\none\n"
                               "--b\nContent-ID: 2@x\nContent-Type: application/pidf+xml\n\ntwo\n"
                               "--b\nContent-Type: application/sdp\n\nv=0\n--b--\n";
    static const struct {
        const char *type, *id, *part;
    } table[] = {
        {"application/pidf+xml", NULL, "one"},    {"application/pidf+xml", "2@x", "two"},
        {"application/pidf+xml", "<2@x>", "two"}, {NULL, "1@x", "one"},
        {"application/pidf+xml", "3@x", NULL},    {"application/sdp", "1@x", NULL},
        {"application/pidf+xml", "", NULL},       {"application/sdp", NULL, "v=0"},
    };
    struct sip_shape shape;
    char text[1024];
    snprintf(text, sizeof text,
             "INVITE sip:b SIP/2.0\n" HEAD "CSeq: 1 INVITE\nContent-Type: multipart/mixed;boundary=b\n\n%s",
             body);
    struct sip_msg *m = fix_message(text, &shape);
    CU_ASSERT_FATAL(m != NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_str part = sip_msg_part(m, table[i].type, table[i].id);
        CU_ASSERT(table[i].part ? sip_str_is(part, table[i].part) : part.p == NULL);
    }
    sip_msg_free(m);
}

// Which bodies are a 415.
static void bodies_refused(void)
{
    static const struct {
        const char *headers, *body;
        bool refused;
    } table[] = {
        {"Content-Type: application/sdp", "", false},
        {"Content-Type: application/sdp", "v=0\n", false},
        {"Content-Type: application/sdp\nContent-Encoding: gzip", "v=0\n", true},
        {"Content-Type: application/isup", "x", true},
        {"Content-Type: application/isup\nContent-Disposition: signal;handling=optional", "x", false},
        {"Content-Type: application/isup\nContent-Disposition: signal;handling=required", "x", true},
        {"Content-Type: multipart/mixed", "x", true},
#define SDP_PART        "--b\nContent-Type: application/sdp\nContent-Disposition: session;handling=required\n\nv=0\n"
#define OTHER(handling) "--b\nContent-Type: x/y\nContent-Disposition: signal" handling "\n\nx\n"
        {"Content-Type: multipart/mixed;boundary=b", SDP_PART OTHER("") "--b--", false},
        {"Content-Type: multipart/mixed;boundary=b", SDP_PART OTHER(";handling=optional") "--b--", false},
        {"Content-Type: multipart/mixed;boundary=b", SDP_PART OTHER(";handling=required") "--b--", true},
        {"Content-Type: multipart/mixed;boundary=b", SDP_PART OTHER(";Handling=\"Required\"") "--b--", true},
        {"Content-Type: multipart/mixed;boundary=b", SDP_PART OTHER(";handling=made-up") "--b--", true},
        {"Content-Type: multipart/mixed;boundary=b", OTHER(";handling=optional") "--b--", false},
        {"Content-Type: multipart/alternative;boundary=b", OTHER(";handling=required") SDP_PART "--b--",
         false},
        {"Content-Type: multipart/alternative;boundary=b", OTHER(";handling=required") "--b--", true},
        {"Content-Type: multipart/mixed;boundary=b\nContent-Disposition: session;handling=optional",
         OTHER(";handling=required") "--b--", false},
        {"Content-Type: multipart/mixed;boundary=a",
         "--a\nContent-Type: multipart/mixed;boundary=b\n\n" SDP_PART OTHER(
             ";handling=required") "--b--\n--a--",
         true},
    };
    static const char *const types[] = {"application/sdp", NULL};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sip_shape shape;
        char text[1024];
        snprintf(text, sizeof text, "INVITE sip:b SIP/2.0\n" HEAD "CSeq: 1 INVITE\n%s\n\n%s",
                 table[i].headers, table[i].body);
        struct sip_msg *m = fix_message(text, &shape);
        CU_ASSERT_FATAL(m != NULL);
        if (sip_msg_body_refused(m, types) != table[i].refused)
            printf("     row %zu\n", i);
        CU_ASSERT_EQUAL(sip_msg_body_refused(m, types), table[i].refused);
        sip_msg_free(m);
    }
}

// A body cut at every byte, with as many delimiters as fit: nothing hangs, nothing is read behind the end.
static void bodies_cut(void)
{
    static const char body[] =
        "--b\nContent-Type: multipart/related;start=\"<1@x>\";\n boundary=c\n\n--c\nContent-ID: <1@x>\n"
        "Content-Type: multipart/alternative;boundary=d\n\n--d\nContent-Type: application/sdp\n\n"
        "v=0\n--d\n--d--\n--c--\n--b--\n--b\n--b\n";
    static const char *const types[] = {"application/sdp", NULL};
    for (size_t len = 0; len < sizeof body; len++) {
        struct sip_shape shape;
        char text[1024];
        snprintf(text, sizeof text,
                 "INVITE sip:b SIP/2.0\n" HEAD
                 "CSeq: 1 INVITE\nContent-Type: multipart/mixed;boundary=b\n\n%.*s",
                 (int)len, body);
        struct sip_msg *m = fix_message(text, &shape);
        CU_ASSERT_FATAL(m != NULL);
        struct sip_str sdp = sip_msg_body(m, "application/sdp");
        CU_ASSERT(!sdp.p || memcmp(sdp.p, "v=0", sdp.len < 3 ? sdp.len : 3) == 0);
        sip_msg_body_refused(m, types);
        sip_msg_part(m, NULL, "1@x");
        sip_msg_free(m);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"bodies", bodies},
        {"parts by Content-ID", parts_by_id},
        {"bodies that are refused", bodies_refused},
        {"bodies that are cut", bodies_cut},
    };
    return test_main("sip_body", TEST_CASES(cases), argc, argv);
}
