// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/challenge.h"

#include "control/sip/value.h"

// What is left of a line.
struct rest {
    const char *p, *end;
};

static void skip_blanks(struct rest *r)
{
    while (r->p < r->end && (sip_is_space(*r->p) || *r->p == '\r' || *r->p == '\n'))
        r->p++;
}

static void skip_commas(struct rest *r)
{
    skip_blanks(r);
    while (r->p < r->end && *r->p == ',') {
        r->p++;
        skip_blanks(r);
    }
}

static struct sip_str take_token(struct rest *r)
{
    struct sip_str token = {r->p, 0};
    while (r->p < r->end && sip_is_token(*r->p))
        r->p++;
    token.len = (size_t)(r->p - token.p);
    return token;
}

// A quoted string, without its quotes. Returns false when it does not end, or has what no header may.
static bool take_quoted(struct rest *r, struct sip_str *out)
{
    *out = (struct sip_str){++r->p, 0};
    for (; r->p < r->end && *r->p != '"'; r->p++) {
        if (*r->p == '\\' && ++r->p == r->end)
            return false;
        if ((unsigned char)*r->p < ' ' || *r->p == 0x7f)
            return false;
    }
    if (r->p == r->end)
        return false;
    out->len = (size_t)(r->p++ - out->p);
    return true;
}

// A value without quotes, which may be no token (base64): up to the next comma or blank. Returns false when it could
// not stand between quotes.
static bool take_plain(struct rest *r, struct sip_str *out)
{
    *out = (struct sip_str){r->p, 0};
    for (; r->p < r->end && *r->p != ',' && !sip_is_space(*r->p); r->p++)
        if (*r->p == '"' || *r->p == '\\' || (unsigned char)*r->p < ' ' || *r->p == 0x7f)
            return false;
    out->len = (size_t)(r->p - out->p);
    return true;
}

// "NAME=VALUE" up to the next comma or the end. Returns false, and the rest stands where it stood, when what comes is
// none: the next scheme; *broken when it is nothing at all.
static bool take_param(struct rest *r, struct sip_str *name, struct sip_str *value, bool *broken)
{
    struct rest before = *r;
    *name = take_token(r);
    skip_blanks(r);
    if (!name->len || r->p == r->end || *r->p != '=') {
        *broken = !name->len && r->p < r->end;
        *r = before;
        return false;
    }
    r->p++;
    skip_blanks(r);
    bool sound = r->p < r->end && *r->p == '"' ? take_quoted(r, value) : take_plain(r, value);
    skip_blanks(r);
    *broken = !sound || (r->p < r->end && *r->p != ',');
    skip_commas(r);
    return !*broken;
}

// Whether the list has that token, compared without case.
static bool lists(struct sip_str list, const char *token)
{
    for (struct sip_str one; (one = sip_next_value(&list)).p;)
        if (sip_str_is_nocase(one, token))
            return true;
    return false;
}

enum param { PARAM_REALM, PARAM_NONCE, PARAM_OPAQUE, PARAM_ALGORITHM, PARAM_QOP, PARAM_STALE, PARAM_COUNT };
static const char *const param_names[PARAM_COUNT] = {"realm", "nonce", "opaque", "algorithm", "qop", "stale"};

// Reads the parameters of one challenge. Returns whether it can be answered; *broken: the line ends here.
static bool take_challenge(struct rest *r, struct sip_challenge *out, bool *broken)
{
    struct sip_str param[PARAM_COUNT] = {{NULL, 0}}, name, value;
    bool twice = false;
    while (take_param(r, &name, &value, broken))
        for (unsigned i = 0; i < PARAM_COUNT; i++)
            if (sip_str_is_nocase(name, param_names[i])) {
                twice = twice || param[i].p;
                param[i] = value;
            }
    if (*broken || twice || !param[PARAM_REALM].p || param[PARAM_REALM].len >= SIP_REALM_MAX ||
        !param[PARAM_NONCE].len || param[PARAM_NONCE].len > SIP_NONCE_MAX ||
        param[PARAM_OPAQUE].len > SIP_NONCE_MAX)
        return false;
    out->algorithm = DIGEST_MD5;
    out->session = false;
    out->named = param[PARAM_ALGORITHM].p;
    if (out->named && !digest_by_name(param[PARAM_ALGORITHM], &out->algorithm, &out->session))
        return false;
    out->qop = param[PARAM_QOP].p;
    if (out->qop && !lists(param[PARAM_QOP], "auth"))
        return false;
    out->stale = param[PARAM_STALE].p && sip_str_is_nocase(param[PARAM_STALE], "true");
    out->realm = param[PARAM_REALM];
    out->nonce = param[PARAM_NONCE];
    out->opaque = param[PARAM_OPAQUE];
    return true;
}

// The challenges of a line: more than one where a server wrote them as HTTP allows it.
static unsigned line_challenges(struct sip_str line, bool proxy, struct sip_challenge *out, unsigned room)
{
    struct rest r = {line.p, line.p + line.len};
    unsigned n = 0;
    bool broken = false;
    for (skip_commas(&r); r.p < r.end && n < room && !broken; skip_commas(&r)) {
        struct sip_str scheme = take_token(&r);
        if (!scheme.len)
            return n;
        if (r.p == r.end || *r.p == ',') // NTLM, Negotiate and their like come without a word
            continue;
        if (!sip_is_space(*r.p))
            return n;
        skip_blanks(&r);
        bool sound = take_challenge(&r, &out[n], &broken);
        out[n].proxy = proxy;
        n += sound && sip_str_is_nocase(scheme, "Digest");
    }
    return n;
}

unsigned sip_read_challenges(const struct sip_msg *response,
                             struct sip_challenge out[static SIP_CHALLENGES_MAX])
{
    unsigned n = 0;
    struct sip_str line;
    for (unsigned proxy = 0; proxy < 2; proxy++)
        for (unsigned i = 0;
             n < SIP_CHALLENGES_MAX &&
             (line =
                  sip_msg_line(response, proxy ? SIP_NAME_PROXY_AUTHENTICATE : SIP_NAME_WWW_AUTHENTICATE, i))
                 .p;
             i++)
            n += line_challenges(line, proxy, out + n, SIP_CHALLENGES_MAX - n);
    return n;
}

struct sip_str sip_next_nonce(const struct sip_msg *response, bool proxy)
{
    struct sip_str line =
        sip_msg_header(response, proxy ? "Proxy-Authentication-Info" : "Authentication-Info", 0);
    struct rest r = {line.p, line.p + line.len};
    struct sip_str name, value, found = {NULL, 0};
    bool broken = false;
    unsigned seen = 0;
    if (!line.p)
        return found;
    skip_commas(&r);
    while (take_param(&r, &name, &value, &broken))
        if (sip_str_is_nocase(name, "nextnonce")) {
            found = value;
            seen++;
        }
    bool sound = !broken && r.p == r.end && seen == 1 && found.len && found.len <= SIP_NONCE_MAX;
    return sound ? found : (struct sip_str){NULL, 0};
}
