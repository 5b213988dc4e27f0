// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/secret.h"
#include "control/base/text.h"
#include "control/base/wipe.h"
#include "control/sip/value.h"

enum { NAME_MAX_LEN = 64, USER_MAX = 128, LINE_MAX_LEN = 2048 };

// Where a nonce is good: a registrar's and a proxy's are different, and so are those for calls.
enum space { SPACE_PROXY = 1, SPACE_REGISTER = 2, SPACES = 4 };

struct nonce {
    char *text;   // NULL: none
    char *opaque; // NULL: none
    enum digest_algorithm algorithm;
    bool session, named, qop;
    uint32_t uses;
    char cnonce[SIP_CNONCE_LEN];
};

struct login {
    char realm[SIP_REALM_MAX];
    char user[USER_MAX];
    struct nonce nonce[SPACES];
};

struct secrets {
    char of[SIP_LOGINS_MAX][DIGEST_ALGORITHM_COUNT][DIGEST_HEX]; // "": OpenSSL does not offer the hash
};

struct sip_account {
    unsigned holders;
    char name[NAME_MAX_LEN];
    struct login login[SIP_LOGINS_MAX];
    unsigned logins;
    struct secrets *secrets;
    struct log_limit limit;
};

static struct sip_str text(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

// ---- life ---------------------------------------------------------------------------------------------

struct sip_account *sip_account_new(const char *name)
{
    struct sip_account *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->holders = 1;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->secrets = secret_alloc(sizeof *a->secrets);
    if (!a->secrets) {
        free(a);
        return NULL;
    }
    return a;
}

struct sip_account *sip_account_hold(struct sip_account *a)
{
    if (a)
        a->holders++;
    return a;
}

static void forget(struct nonce *n)
{
    free(n->text);
    free(n->opaque);
    *n = (struct nonce){0};
}

void sip_account_forget(struct sip_account *a)
{
    for (unsigned i = 0; i < a->logins; i++)
        for (unsigned s = 0; s < SPACES; s++)
            forget(&a->login[i].nonce[s]);
}

void sip_account_release(struct sip_account *a)
{
    if (!a || --a->holders)
        return;
    sip_account_forget(a);
    secret_free(a->secrets, sizeof *a->secrets);
    free(a);
}

// Whether it can stand between quotes as it is.
static bool plain(const char *s, size_t size)
{
    if (!*s || strlen(s) >= size)
        return false;
    for (; *s; s++)
        if (*s == '"' || *s == '\\' || (unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

int sip_account_add(struct sip_account *a, const char *realm, const char *user, const char *password)
{
    if (!plain(realm, sizeof a->login[0].realm) || !plain(user, sizeof a->login[0].user))
        return -EINVAL;
    for (unsigned i = 0; i < a->logins; i++)
        if (strcmp(a->login[i].realm, realm) == 0)
            return -EINVAL;
    if (a->logins == SIP_LOGINS_MAX)
        return -ENOSPC;
    struct login *login = &a->login[a->logins];
    unsigned can = 0;
    for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
        can += digest_secret((enum digest_algorithm)i, text(user), text(realm), text(password),
                             a->secrets->of[a->logins][i]) == 0;
    if (!can)
        return -ENOTSUP;
    snprintf(login->realm, sizeof login->realm, "%s", realm);
    snprintf(login->user, sizeof login->user, "%s", user);
    a->logins++;
    return 0;
}

bool sip_account_may_log(struct sip_account *a, uint64_t now_ms)
{
    uint64_t unsaid;
    return log_allow(&a->limit, now_ms, &unsaid);
}

const char *sip_account_name(const struct sip_account *a)
{
    return a->name;
}

// ---- challenges ---------------------------------------------------------------------------------------

static enum space space_of(enum sip_method method, bool proxy)
{
    return (enum space)((proxy ? SPACE_PROXY : 0) | (method == SIP_REGISTER ? SPACE_REGISTER : 0));
}

// The strongest challenge of a login's realm.
static const struct sip_challenge *strongest(const struct sip_account *a, unsigned login, bool proxy,
                                             const struct sip_challenge *c, unsigned count)
{
    const struct sip_challenge *best = NULL;
    for (unsigned i = 0; i < count; i++)
        if (c[i].proxy == proxy && sip_str_is(c[i].realm, a->login[login].realm) &&
            a->secrets->of[login][c[i].algorithm][0] && (!best || c[i].algorithm > best->algorithm))
            best = &c[i];
    return best;
}

static bool learn(struct nonce *n, const struct sip_challenge *c, const char *cnonce)
{
    forget(n);
    n->text = sip_str_dup(c->nonce);
    n->opaque = c->opaque.p ? sip_str_dup(c->opaque) : NULL;
    if (!n->text || (c->opaque.p && !n->opaque)) {
        forget(n);
        return false;
    }
    n->algorithm = c->algorithm;
    n->session = c->session;
    n->named = c->named;
    n->qop = c->qop;
    snprintf(n->cnonce, sizeof n->cnonce, "%s", cnonce);
    return true;
}

enum outcome { NOT_OURS, NEW_ANSWER, WRONG };

// What is to be done with the challenges of one login.
static enum outcome take(struct sip_account *a, unsigned login, enum space space, struct sip_auth *auth,
                         const struct sip_challenge *c, unsigned count, const char *cnonce)
{
    const struct sip_challenge *best = strongest(a, login, space & SPACE_PROXY, c, count);
    struct nonce *n = &a->login[login].nonce[space];
    uint32_t bit = 1u << (login * 2 + (space & SPACE_PROXY));
    if (!best)
        return NOT_OURS;
    // stale: the password was right, the nonce too old. Of the one that it came with that cannot be true.
    bool again = auth->answered & bit;
    if (again && (!best->stale || (n->text && sip_str_is(best->nonce, n->text)))) {
        forget(n);
        return WRONG;
    }
    auth->answered |= bit;
    return learn(n, best, cnonce) ? NEW_ANSWER : NOT_OURS;
}

static void say_not_ours(const struct sip_challenge *c, unsigned count, char *why, size_t why_size)
{
    char realm[SIP_REALM_MAX * 4];
    if (!count)
        snprintf(
            why, why_size,
            "the peer wants us to log in in a way that we do not know: we answer Digest with MD5, SHA-256 or "
            "SHA-512-256 and qop auth or none");
    else
        snprintf(why, why_size,
                 "the peer wants us to log in to the realm \"%s\", which is none of the trunk's credentials",
                 text_escape(c[0].realm.p, c[0].realm.len, realm, sizeof realm));
}

bool sip_account_challenged(struct sip_account *a, struct sip_auth *auth, const struct sip_msg *response,
                            const char *cnonce, char *why, size_t why_size)
{
    struct sip_challenge c[SIP_CHALLENGES_MAX];
    unsigned count = sip_read_challenges(response, c), answers = 0;
    const struct login *wrong = NULL;
    why[0] = '\0';
    if (auth->rounds == SIP_AUTH_ROUNDS) {
        snprintf(why, why_size, "the peer has challenged one request %u times",
                 (unsigned)SIP_AUTH_ROUNDS + 1);
        return false;
    }
    auth->rounds++;
    for (unsigned i = 0; i < a->logins; i++)
        for (unsigned proxy = 0; proxy < 2; proxy++) {
            enum outcome o = take(a, i, space_of(sip_msg_method(response), proxy), auth, c, count, cnonce);
            answers += o == NEW_ANSWER;
            if (o == WRONG)
                wrong = &a->login[i];
        }
    if (wrong)
        snprintf(
            why, why_size,
            "the peer does not accept our answer for user %s in the realm \"%s\": a wrong user or password?",
            wrong->user, wrong->realm);
    else if (!answers)
        say_not_ours(c, count, why, why_size);
    return answers && !wrong;
}

// ---- answers ------------------------------------------------------------------------------------------

// The line for a nonce behind what is in `out`.
static void add_line(const struct sip_account *a, unsigned login, enum space space, struct nonce *n,
                     enum sip_method method, const char *uri, char *out, size_t size)
{
    const struct digest_input in = {.algorithm = n->algorithm,
                                    .session = n->session,
                                    .qop = n->qop,
                                    .secret = a->secrets->of[login][n->algorithm],
                                    .nonce = text(n->text),
                                    .cnonce = text(n->cnonce),
                                    .count = n->uses + 1,
                                    .method = text(sip_method_name(method)),
                                    .uri = text(uri)};
    char response[DIGEST_HEX], opaque[SIP_NONCE_MAX + 16] = "", algorithm[40] = "", qop[80] = "";
    size_t used = strlen(out);
    if (n->uses == UINT32_MAX || digest_response(&in, response) < 0) {
        forget(n);
        return;
    }
    n->uses++;
    if (n->named)
        snprintf(algorithm, sizeof algorithm, ", algorithm=%s", digest_name(n->algorithm, n->session));
    if (n->opaque)
        snprintf(opaque, sizeof opaque, ", opaque=\"%s\"", n->opaque);
    if (n->qop)
        snprintf(qop, sizeof qop, ", qop=auth, nc=%08x, cnonce=\"%s\"", n->uses, n->cnonce);
    else if (n->session)
        snprintf(qop, sizeof qop, ", cnonce=\"%s\"", n->cnonce);
    int len = snprintf(
        out + used, size - used,
        "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\"%s%s%s\r\n",
        space & SPACE_PROXY ? "Proxy-Authorization" : "Authorization", a->login[login].user,
        a->login[login].realm, n->text, uri, response, algorithm, qop, opaque);
    if (len < 0 || (size_t)len >= size - used)
        out[used] = '\0';
}

char *sip_account_lines(struct sip_account *a, enum sip_method method, const char *uri)
{
    char *out = NULL;
    size_t size = 0;
    if (strpbrk(uri, "\"\\\r\n")) // it could not stand between quotes
        return NULL;
    for (unsigned i = 0; i < a->logins; i++)
        for (unsigned proxy = 0; proxy < 2; proxy++)
            size += a->login[i].nonce[space_of(method, proxy)].text ? LINE_MAX_LEN + strlen(uri) : 0;
    if (size)
        out = wipe_alloc(size);
    if (!out)
        return NULL;
    out[0] = '\0';
    for (unsigned i = 0; i < a->logins; i++)
        for (unsigned proxy = 0; proxy < 2; proxy++) {
            enum space space = space_of(method, proxy);
            if (a->login[i].nonce[space].text)
                add_line(a, i, space, &a->login[i].nonce[space], method, uri, out, size);
        }
    return out;
}

// The only nonce of that space, or NULL.
static struct nonce *only(struct sip_account *a, enum space space)
{
    struct nonce *found = NULL;
    for (unsigned i = 0; i < a->logins; i++)
        if (a->login[i].nonce[space].text) {
            if (found)
                return NULL;
            found = &a->login[i].nonce[space];
        }
    return found;
}

void sip_account_accepted(struct sip_account *a, const struct sip_msg *response)
{
    for (unsigned proxy = 0; proxy < 2; proxy++) {
        struct nonce *n = only(a, space_of(sip_msg_method(response), proxy));
        struct sip_str next = n ? sip_next_nonce(response, proxy) : (struct sip_str){NULL, 0};
        if (!next.p)
            continue;
        char *copy = sip_str_dup(next);
        if (!copy || n->session) { // the secret of a session belongs to the nonce that it began with
            free(copy);
            forget(n);
            continue;
        }
        free(n->text);
        n->text = copy;
        n->uses = 0;
    }
}
