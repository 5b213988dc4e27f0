// SPDX-License-Identifier: BSD-3-Clause
// Challenges as peers write them, sound and hostile.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sip/challenge.h"
#include "sip_fixture.h"

#define HEAD                                                                                                 \
    "SIP/2.0 401 No\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\n"       \
    "Call-ID: x\nCSeq: 1 REGISTER\n"

static struct sip_msg *response(const char *lines)
{
    char *text = malloc(strlen(lines) + 400);
    struct sip_shape shape;
    sprintf(text, HEAD "%s\n", lines);
    struct sip_msg *msg = fix_message(text, &shape);
    free(text);
    return msg;
}

// What a challenge says, in short.
static const char *shown(const struct sip_challenge *c, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s%s%s realm=%.*s nonce=%.*s opaque=%.*s", c->proxy ? "proxy " : "",
             digest_name(c->algorithm, c->session), c->named ? "" : "?", c->qop ? " auth" : "",
             c->stale ? " stale" : "", (int)c->realm.len, c->realm.p, (int)c->nonce.len, c->nonce.p,
             c->opaque.p ? (int)c->opaque.len : 1, c->opaque.p ? c->opaque.p : "-");
    return out;
}

#define WWW   "WWW-Authenticate: "
#define PROXY "Proxy-Authenticate: "

static void table(void)
{
    static const struct {
        const char *lines;
        const char *expected[4];
    } rows[] = {
        {"", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\"\n", {"MD5? realm=a nonce=n opaque=-"}},
        {PROXY "Digest realm=\"a\", nonce=\"n\", algorithm=MD5, qop=\"auth\", opaque=\"\", stale=FALSE\n",
         {"proxy MD5 auth realm=a nonce=n opaque="}},
        {WWW "digest REALM = \"a b\" ,NONCE=\"n\",  stale = TRUE ,qop=\"auth-int, auth\",algorithm=sha-256\n",
         {"SHA-256 auth stale realm=a b nonce=n opaque=-"}},
        {WWW
         "Digest realm=\"a\",nonce=\"n\",qop=auth,algorithm=\"SHA-512-256-sess\",opaque=\"o\",charset=UTF-8,"
         "userhash=true,domain=\"sip:x sip:y\"\n",
         {"SHA-512-256-sess auth realm=a nonce=n opaque=o"}},
        // folded lines, as old servers write them
        {WWW "Digest realm=\"a\",\n nonce=\"n\",\n\topaque=\"o\"\n", {"MD5? realm=a nonce=n opaque=o"}},
        // several, by line and, as HTTP allows it, in one line
        {WWW "Digest realm=\"a\", nonce=\"1\", algorithm=SHA-256\n" WWW
             "Digest realm=\"a\", nonce=\"2\"\n" PROXY "Digest realm=\"b\", nonce=\"3\"\n",
         {"SHA-256 realm=a nonce=1 opaque=-", "MD5? realm=a nonce=2 opaque=-",
          "proxy MD5? realm=b nonce=3 opaque=-"}},
        {WWW
         "Basic realm=\"a\", Digest realm=\"b\", nonce=\"n\", NTLM, Negotiate YWJj==, Digest nonce=\"m\" , "
         "realm=\"c\"\n",
         {"MD5? realm=b nonce=n opaque=-", "MD5? realm=c nonce=m opaque=-"}},
        // escapes stay as they are; they end nothing
        {WWW "Digest realm=\"a\\\"b, nonce=\\\"x\", nonce=\"n\\\\\"\n",
         {"MD5? realm=a\\\"b, nonce=\\\"x nonce=n\\\\ opaque=-"}},
        {WWW ",, Digest realm=\"\", nonce=\"n\",,\n", {"MD5? realm= nonce=n opaque=-"}},
        {WWW "Digest realm=a, nonce=YWJj==\n", {"MD5? realm=a nonce=YWJj== opaque=-"}},
        // nobody here can answer these
        {WWW "Basic realm=\"a\"\n", {NULL}},
        {WWW "NTLM\n", {NULL}},
        {WWW "Digest\n", {NULL}},
        {WWW "Digest nonce=\"n\"\n", {NULL}},
        {WWW "Digest realm=\"a\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", algorithm=AKAv1-MD5\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", algorithm=\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", qop=\"\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", nonce=\"m\"\n", {NULL}},
        {WWW "Digest realm=\"a\", realm=\"a\", nonce=\"n\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\", algorithm=MD5, Algorithm=SHA-256\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\\\"\n", {NULL}},
        {WWW "Digest realm=\"a\"nonce=\"n\"\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=\"n\" x\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=a\"b\n", {NULL}},
        {WWW "Digest realm=\"a\", nonce=a\\\n", {NULL}},
        {WWW "Digest realm=\"a\", =\"n\"\n", {NULL}},
        {WWW "\"Digest\" realm=\"a\", nonce=\"n\"\n", {NULL}},
        // what is broken hides nothing of other lines
        {WWW "Digest realm=\"a\", nonce=\n" WWW "Digest realm=\"b\", nonce=\"n\"\n",
         {"MD5? realm=b nonce=n opaque=-"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_challenge c[SIP_CHALLENGES_MAX];
        struct sip_msg *msg = response(rows[i].lines);
        CU_ASSERT_FATAL(msg != NULL);
        unsigned n = sip_read_challenges(msg, c), wanted = 0;
        while (rows[i].expected[wanted])
            wanted++;
        CU_ASSERT(n == wanted);
        if (n != wanted)
            printf("row %zu: %u\n", i, n);
        for (unsigned k = 0; k < n && k < wanted; k++) {
            char text[400];
            CU_ASSERT_STRING_EQUAL(shown(&c[k], text, sizeof text), rows[i].expected[k]);
        }
        sip_msg_free(msg);
    }
}

// A nonce and an opaque may have 512 bytes, a realm 127; more than 16 challenges are not looked at.
static void sizes(void)
{
    static const struct {
        size_t realm, nonce, opaque;
        unsigned n;
    } rows[] = {{127, 512, 512, 1}, {128, 1, 1, 0}, {1, 513, 1, 0}, {1, 1, 513, 0}, {1, 3900, 1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_challenge c[SIP_CHALLENGES_MAX];
        static char big[4000], lines[6000];
        memset(big, 'x', sizeof big - 1);
        snprintf(lines, sizeof lines, WWW "Digest realm=\"%.*s\", nonce=\"%.*s\", opaque=\"%.*s\"\n",
                 (int)rows[i].realm, big, (int)rows[i].nonce, big, (int)rows[i].opaque, big);
        struct sip_msg *msg = response(lines);
        CU_ASSERT_FATAL(msg != NULL);
        CU_ASSERT(sip_read_challenges(msg, c) == rows[i].n);
        sip_msg_free(msg);
    }
    static char many[40 * 60], line[3000] = WWW;
    for (unsigned i = 0; i < 40; i++)
        strcat(many, WWW "Digest realm=\"a\", nonce=\"n\"\n");
    while (strlen(line) < 2900)
        strcat(line, "Digest realm=\"a\", nonce=\"n\",");
    strcat(line, "\n");
    const char *const texts[] = {many, line};
    for (unsigned i = 0; i < 2; i++) {
        struct sip_challenge c[SIP_CHALLENGES_MAX];
        struct sip_msg *msg = response(texts[i]);
        CU_ASSERT_FATAL(msg != NULL);
        CU_ASSERT(sip_read_challenges(msg, c) == SIP_CHALLENGES_MAX);
        sip_msg_free(msg);
    }
}

static void next_nonce(void)
{
    static const struct {
        const char *lines;
        bool proxy;
        const char *expected;
    } rows[] = {
        {"Authentication-Info: nextnonce=\"n\"\n", false, "n"},
        {"Authentication-Info: qop=auth, rspauth=\"abc\", cnonce=\"c\", nc=00000001, nextnonce=\"n\\\"\"\n",
         false, "n\\\""},
        {"Proxy-Authentication-Info: nextnonce=\"p\"\n", true, "p"},
        {"Proxy-Authentication-Info: nextnonce=\"p\"\n", false, NULL},
        {"Authentication-Info: nextnonce=\"n\"\n", true, NULL},
        {"Authentication-Info: rspauth=\"abc\"\n", false, NULL},
        {"Authentication-Info: nextnonce=\"n\", nextnonce=\"m\"\n", false, NULL},
        {"Authentication-Info: nextnonce=\"n\", nextnonce=\"m\", nextnonce=\"o\"\n", false, NULL},
        {"Authentication-Info: nextnonce=\"n\n", false, NULL},
        {"Authentication-Info: nextnonce=\"\"\n", false, NULL},
        {"Authentication-Info: Digest nextnonce=\"n\"\n", false, NULL},
        {"", false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_msg *msg = response(rows[i].lines);
        CU_ASSERT_FATAL(msg != NULL);
        struct sip_str nonce = sip_next_nonce(msg, rows[i].proxy);
        CU_ASSERT(rows[i].expected ? nonce.p && sip_str_is(nonce, rows[i].expected) : !nonce.p);
        sip_msg_free(msg);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"table", table},
        {"sizes", sizes},
        {"next_nonce", next_nonce},
    };
    return test_main("challenge", TEST_CASES(cases), argc, argv);
}
