// SPDX-License-Identifier: BSD-3-Clause
// What we answer to whom: realms, algorithms, stale nonces, counts, loops.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/wipe.h"
#include "control/sip/account.h"
#include "sip_fixture.h"

static struct sip_msg *response(int status, const char *method, const char *lines)
{
    char *text = malloc(strlen(lines) + 400);
    struct sip_shape shape;
    sprintf(text,
            "SIP/2.0 %d No\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\n"
            "Call-ID: x\nCSeq: 1 %s\n%s\n",
            status, method, lines);
    struct sip_msg *msg = fix_message(text, &shape);
    free(text);
    CU_ASSERT_FATAL(msg != NULL);
    return msg;
}

static struct sip_account *account;
static struct sip_auth auth;
static char why[512];

static void begin(void)
{
    account = sip_account_new("carrier");
    CU_ASSERT_FATAL(account != NULL);
    CU_ASSERT(sip_account_add(account, "biloxi.com", "bob", "zanzibar") == 0);
    CU_ASSERT(sip_account_add(account, "other.example", "rob", "timbuktu") == 0);
    auth = (struct sip_auth){0};
}

static void end(void)
{
    sip_account_release(account);
}

static bool challenged(int status, const char *method, const char *lines)
{
    struct sip_msg *msg = response(status, method, lines);
    bool more = sip_account_challenged(account, &auth, msg, "0a4f113b", why, sizeof why);
    sip_msg_free(msg);
    return more;
}

static void accepted(const char *method, const char *lines)
{
    struct sip_msg *msg = response(200, method, lines);
    sip_account_accepted(account, msg);
    sip_msg_free(msg);
}

// The lines for a request; until the next call.
static const char *lines(enum sip_method method, const char *uri)
{
    static char kept[6000];
    char *text = sip_account_lines(account, method, uri);
    snprintf(kept, sizeof kept, "%s", text ? text : "");
    wipe_free(text);
    return kept;
}

#define URI "sip:bob@biloxi.com"
#define N1  "dcd98b7102dd2f0e8b11d0f600bfb0c093"

// The whole line, as it leaves (draft-smith-sipping-auth-examples: bob, zanzibar).
static void whole_lines(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, URI), "");
    CU_ASSERT(challenged(407, "INVITE",
                         "Proxy-Authenticate: Digest realm=\"biloxi.com\", nonce=\"" N1 "\", qop=\"auth\", "
                         "algorithm=MD5, opaque=\"5ccc\"\n"));
    CU_ASSERT_STRING_EQUAL(
        lines(SIP_INVITE, URI),
        "Proxy-Authorization: Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"" N1 "\", uri=\"" URI
        "\", response=\"89eb0059246c02b2f6ee02c7961d5ea3\", algorithm=MD5, qop=auth, nc=00000001, "
        "cnonce=\"0a4f113b\", opaque=\"5ccc\"\r\n");
    // no qop, no algorithm, no opaque: nothing of it comes back either
    auth = (struct sip_auth){0};
    CU_ASSERT(
        challenged(401, "REGISTER", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"" N1 "\"\n"));
    CU_ASSERT(strstr(lines(SIP_REGISTER, URI),
                     "Authorization: Digest username=\"bob\", realm=\"biloxi.com\", "
                     "nonce=\"" N1 "\", uri=\"" URI "\", response=\"") != NULL);
    CU_ASSERT(!strstr(lines(SIP_REGISTER, URI), "qop") && !strstr(lines(SIP_REGISTER, URI), "algorithm") &&
              !strstr(lines(SIP_REGISTER, URI), "opaque") && !strstr(lines(SIP_REGISTER, URI), "nc="));
    end();
}

// Nonces are kept and counted; those of REGISTER and those of calls are apart.
static void counts(void)
{
    begin();
    CU_ASSERT(challenged(401, "REGISTER",
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"r\", qop=\"auth\"\n"));
    CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, URI), "");
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(407, "OPTIONS",
                         "Proxy-Authenticate: Digest realm=\"biloxi.com\", nonce=\"c\", qop=\"auth\"\n"));
    CU_ASSERT(strstr(lines(SIP_REGISTER, URI), "nonce=\"r\"") &&
              strstr(lines(SIP_REGISTER, URI), "nc=00000002"));
    for (unsigned i = 1; i < 18; i++) {
        char count[16];
        snprintf(count, sizeof count, "nc=%08x", i);
        CU_ASSERT(strstr(lines(i % 2 ? SIP_INVITE : SIP_BYE, URI), count) != NULL);
    }
    sip_account_forget(account);
    CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, URI), "");
    end();
}

// Of several challenges of a realm the strongest, whatever their order (RFC 8760 2.4 leaves it to us).
static void strongest(void)
{
    static const char *const algorithms[] = {"MD5", "SHA-512-256", "SHA-256"};
    begin();
    for (unsigned first = 0; first < 3; first++) {
        char text[600] = "";
        for (unsigned i = 0; i < 3; i++)
            sprintf(text + strlen(text),
                    "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n\", algorithm=%s\n",
                    algorithms[(first + i) % 3]);
        auth = (struct sip_auth){0};
        CU_ASSERT(challenged(401, "INVITE", text));
        CU_ASSERT(strstr(lines(SIP_INVITE, URI), "algorithm=SHA-512-256") != NULL);
    }
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(401, "INVITE",
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"n\", algorithm=SHA-512-999\n"
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"m\", algorithm=MD5\n"));
    CU_ASSERT(strstr(lines(SIP_INVITE, URI), "nonce=\"m\"") != NULL);
    end();
}

// A realm that is not ours gets nothing; one that is, beside it, does. Case and escapes make another realm.
static void realms(void)
{
    static const char *const foreign[] = {"evil.example", "BILOXI.COM", "biloxi.com ",
                                          "biloxi\\.com", "",           "biloxi"};
    begin();
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char text[300];
        snprintf(text, sizeof text, "WWW-Authenticate: Digest realm=\"%s\", nonce=\"n\"\n", foreign[i]);
        auth = (struct sip_auth){0};
        CU_ASSERT(!challenged(401, "INVITE", text));
        CU_ASSERT(strstr(why, "which is none of the trunk's credentials") != NULL);
        CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, URI), "");
    }
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(401, "INVITE",
                         "WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"e\"\n"
                         "WWW-Authenticate: Digest realm=\"other.example\", nonce=\"o\"\n"));
    const char *text = lines(SIP_INVITE, URI);
    CU_ASSERT(strstr(text, "username=\"rob\", realm=\"other.example\", nonce=\"o\"") &&
              !strstr(text, "evil"));
    // the same again brings no new answer
    CU_ASSERT(!challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"e\"\n"));
    auth = (struct sip_auth){0};
    CU_ASSERT(!challenged(401, "INVITE", "WWW-Authenticate: Basic realm=\"biloxi.com\"\n"));
    CU_ASSERT(strstr(why, "in a way that we do not know") != NULL);
    end();
}

// A proxy and then the server, or both at once: the answer to the first stays.
static void both(void)
{
    begin();
    CU_ASSERT(challenged(407, "INVITE",
                         "Proxy-Authenticate: Digest realm=\"biloxi.com\", nonce=\"p\", qop=\"auth\"\n"));
    lines(SIP_INVITE, URI);
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"other.example\", nonce=\"w\"\n"));
    const char *text = lines(SIP_INVITE, URI);
    CU_ASSERT(strstr(text, "Proxy-Authorization: Digest username=\"bob\"") && strstr(text, "nc=00000002") &&
              strstr(text, "\r\nAuthorization: Digest username=\"rob\""));
    sip_account_forget(account);
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(407, "INVITE",
                         "Proxy-Authenticate: Digest realm=\"biloxi.com\", nonce=\"p\"\n"
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"w\"\n"));
    text = lines(SIP_INVITE, URI);
    CU_ASSERT(strncmp(text, "Authorization: ", 15) == 0 && strstr(text, "\r\nProxy-Authorization: "));
    CU_ASSERT(strstr(text, "nonce=\"p\"") && strstr(text, "nonce=\"w\""));
    end();
}

// A wrong password is said once; a stale nonce is not one; nobody keeps us busy.
static void loops(void)
{
    begin();
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"1\"\n"));
    lines(SIP_INVITE, URI);
    CU_ASSERT(!challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"2\"\n"));
    CU_ASSERT(strstr(why, "does not accept our answer for user bob in the realm \"biloxi.com\"") != NULL);
    CU_ASSERT(!strstr(why, "zanzibar"));
    CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, URI), ""); // the next request is not sent with what is wrong
    // a nonce that was kept and is too old by now costs one round, whether the peer says stale or not
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"3\"\n"));
    lines(SIP_INVITE, URI);
    auth = (struct sip_auth){0};
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"4\"\n"));
    CU_ASSERT(challenged(401, "INVITE",
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"5\", stale=true\n"));
    // stale, and the very nonce that it gave
    CU_ASSERT(!challenged(401, "INVITE",
                          "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"5\", stale=true\n"));
    auth = (struct sip_auth){0};
    unsigned n = 0;
    for (bool more = true; more; n++) {
        char text[200];
        snprintf(text, sizeof text,
                 "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"s%u\", stale=true\n", n);
        more = challenged(401, "INVITE", text);
        CU_ASSERT_FATAL(n < 20);
    }
    CU_ASSERT(n == SIP_AUTH_ROUNDS + 1 && strstr(why, "challenged one request 6 times"));
    end();
}

static void next_nonces(void)
{
    begin();
    CU_ASSERT(challenged(401, "INVITE",
                         "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"1\", qop=\"auth\"\n"));
    lines(SIP_INVITE, URI);
    accepted("INVITE", "Authentication-Info: nextnonce=\"2\"\n");
    const char *text = lines(SIP_INVITE, URI);
    CU_ASSERT(strstr(text, "nonce=\"2\"") && strstr(text, "nc=00000001"));
    accepted("REGISTER", "Authentication-Info: nextnonce=\"3\"\n"); // of another space
    accepted("INVITE", "Proxy-Authentication-Info: nextnonce=\"4\"\n");
    accepted("INVITE", "Authentication-Info: nextnonce=\"5\n");
    CU_ASSERT(strstr(lines(SIP_INVITE, URI), "nonce=\"2\"") != NULL);
    // with two realms nobody knows whose it is
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"other.example\", nonce=\"o\"\n"));
    accepted("INVITE", "Authentication-Info: nextnonce=\"6\"\n");
    text = lines(SIP_INVITE, URI);
    CU_ASSERT(strstr(text, "nonce=\"2\"") && strstr(text, "nonce=\"o\""));
    end();
}

static void logins(void)
{
    static const struct {
        const char *realm, *user;
        int rc;
    } rows[] = {
        {"biloxi.com", "x", -EINVAL}, {"", "x", -EINVAL},       {"r", "", -EINVAL}, {"a\"b", "x", -EINVAL},
        {"a", "x\\", -EINVAL},        {"a", "x\r\ny", -EINVAL}, {"third", "c", 0},  {"fourth", "d", 0},
        {"fifth", "e", -ENOSPC}};
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT(sip_account_add(account, rows[i].realm, rows[i].user, "secret") == rows[i].rc);
    CU_ASSERT(sip_account_hold(account) == account);
    sip_account_release(account);
    CU_ASSERT_STRING_EQUAL(sip_account_name(account), "carrier");
    // a Request-URI that cannot stand between quotes is not answered for
    CU_ASSERT(challenged(401, "INVITE", "WWW-Authenticate: Digest realm=\"biloxi.com\", nonce=\"1\"\n"));
    CU_ASSERT_STRING_EQUAL(lines(SIP_INVITE, "sip:a\"@b"), "");
    CU_ASSERT(lines(SIP_INVITE, "sip:a@b")[0] != '\0');
    end();
    sip_account_release(NULL);
    CU_ASSERT(sip_account_hold(NULL) == NULL);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"whole_lines", whole_lines}, {"counts", counts}, {"strongest", strongest},
        {"realms", realms},           {"both", both},     {"loops", loops},
        {"next_nonces", next_nonces}, {"logins", logins},
    };
    return test_main("account", TEST_CASES(cases), argc, argv);
}
