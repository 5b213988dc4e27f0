// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdp/sdes.h"
#include "common/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/base/random.h"
#include "control/sdp/sdp.h"

enum { BOTH_MAX = TL_KEY_MAX + TL_SALT_MAX }; // key || salt

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct text {
    const char *p;
    size_t len;
};

int sdes_kernel_random(void *arg, void *out, size_t len)
{
    (void)arg;
    return random_bytes(out, len);
}

// Next word of the line; what separates is spaces and tabs.
static struct text word(struct text *line)
{
    while (line->len > 0 && (line->p[0] == ' ' || line->p[0] == '\t'))
        line->p++, line->len--;
    struct text w = {line->p, 0};
    while (w.len < line->len && w.p[w.len] != ' ' && w.p[w.len] != '\t')
        w.len++;
    line->p += w.len;
    line->len -= w.len;
    return w;
}

static int base64_value(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

// Decodes exactly `want` bytes; padding may be missing, as some peers leave it out. Returns 0 or -EINVAL.
static int base64_decode(struct text in, uint8_t *out, size_t want)
{
    size_t digits = (want * 8 + 5) / 6;
    uint32_t bits = 0;
    unsigned have = 0;
    if (in.len < digits || in.len > (want + 2) / 3 * 4)
        return -EINVAL;
    for (size_t i = digits; i < in.len; i++)
        if (in.p[i] != '=')
            return -EINVAL;
    int v = 0;
    for (size_t i = 0, n = 0; i < digits && (v = base64_value(in.p[i])) >= 0; i++) {
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    explicit_bzero(&bits, sizeof bits); // of the key
    return v < 0 ? -EINVAL : 0;
}

static size_t base64_encode(const uint8_t *in, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= left > 2 ? in[i + 2] : 0;
        out[n++] = alphabet[bits >> 18];
        out[n++] = alphabet[bits >> 12 & 63];
        out[n++] = (char)(left > 1 ? alphabet[bits >> 6 & 63] : '=');
        out[n++] = (char)(left > 2 ? alphabet[bits & 63] : '=');
    }
    out[n] = 0;
    return n;
}

static int refuse(const char **why, int rc, const char *what)
{
    *why = what;
    return rc;
}

// Cuts `s` at the first `c`: *s keeps what is before it, the rest with its `c` is returned.
static struct text cut(struct text *s, char c)
{
    const char *at = s->len ? memchr(s->p, c, s->len) : NULL;
    size_t len = at ? (size_t)(at - s->p) : s->len;
    struct text rest = {s->p + len, s->len - len};
    s->len = len;
    return rest;
}

// Lifetime in packets: "2^31" or a plain number, RFC 4568 6.1; at most 2^48.
static int check_lifetime(struct text t, const char **why)
{
    uint64_t n;
    bool power = t.len > 2 && t.p[0] == '2' && t.p[1] == '^';
    bool good = power ? tl_read_number(t.p + 2, t.len - 2, 48, &n)
                      : tl_read_number(t.p, t.len, UINT64_C(1) << 48, &n);
    if (!good || (!power && n == 0))
        return refuse(why, -EINVAL, "an a=crypto line has a lifetime that is not 1 to 2^48 packets");
    return 0;
}

// "VALUE:LENGTH", the value a decimal number that its packets carry in LENGTH bytes, big end first.
static int parse_mki(struct sdes_crypto *c, struct text t, const char **why)
{
    uint64_t value, len;
    struct text length = cut(&t, ':');
    if (!tl_read_number(length.p + 1, length.len - 1, 128, &len) || len == 0)
        return refuse(why, -EINVAL, "an a=crypto line has an MKI whose length is not 1 to 128 bytes");
    if (len > TL_MKI_MAX)
        return refuse(why, -ENOTSUP, "an a=crypto line has an MKI longer than 8 bytes");
    if (!tl_read_number(t.p, t.len, len == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * len) - 1, &value))
        return refuse(why, -EINVAL, "an a=crypto line has an MKI that is no number of its length");
    c->mki_len = (uint8_t)len;
    for (unsigned i = 0; i < len; i++)
        c->mki[i] = (uint8_t)(value >> 8 * (len - 1 - i));
    return 0;
}

// What may follow the key: |lifetime and |MKI:length, in this order.
static int parse_key_extras(struct sdes_crypto *c, struct text t, const char **why)
{
    while (t.len > 0) {
        struct text one = {t.p + 1, t.len - 1}; // without the '|'
        t = cut(&one, '|');
        bool mki = one.len > 0 && memchr(one.p, ':', one.len);
        if (c->mki_len || (c->lifetime && !mki))
            return refuse(why, -EINVAL,
                          "an a=crypto line has more behind its key than a lifetime and an MKI");
        int rc = mki ? parse_mki(c, one, why) : check_lifetime(one, why);
        if (rc < 0)
            return rc;
        c->lifetime |= !mki;
    }
    return 0;
}

// One key with its lifetime and MKI: "inline:BASE64|2^31|1:4".
static int parse_key(struct sdes_crypto *c, const struct tl_suite_info *info, struct text t, const char **why)
{
    if (t.len < 7 || strncasecmp(t.p, "inline:", 7) != 0)
        return refuse(why, -EINVAL, "an a=crypto line has no inline key");
    t.p += 7, t.len -= 7;
    int rc = parse_key_extras(c, cut(&t, '|'), why);
    if (rc < 0)
        return rc;
    uint8_t both[BOTH_MAX] = {0};
    rc = base64_decode(t, both, (size_t)info->key_len + info->salt_len);
    uint8_t any = 0;
    for (unsigned i = 0; rc == 0 && i < info->key_len; i++)
        any |= both[i];
    if (rc == 0 && any) { // a key of zeros is one that somebody forgot to make
        memcpy(c->key, both, info->key_len);
        memcpy(c->salt, both + info->key_len, info->salt_len);
    } else {
        rc = refuse(why, -EINVAL, "an a=crypto line has a key that is not the base64 of its suite's length");
    }
    explicit_bzero(both, sizeof both);
    return rc;
}

// Several keys have different MKIs of one length, RFC 4568 6.1. The first is kept, the others only checked.
static int parse_keys(struct sdes_crypto *c, const struct tl_suite_info *info, struct text t,
                      const char **why)
{
    struct text rest = cut(&t, ';');
    int rc = parse_key(c, info, t, why);
    while (rc == 0 && rest.len > 0) {
        struct sdes_crypto other = {0};
        t = (struct text){rest.p + 1, rest.len - 1};
        rest = cut(&t, ';');
        rc = parse_key(&other, info, t, why);
        if (rc == 0 &&
            (!c->mki_len || other.mki_len != c->mki_len || memcmp(other.mki, c->mki, c->mki_len) == 0))
            rc = refuse(why, -EINVAL, "an a=crypto line has several keys without MKIs that tell them apart");
        sdes_wipe(&other);
    }
    return rc;
}

// Session parameters, RFC 4568 6.3: all of them are binding unless they begin with '-'.
static int check_session_params(struct text line)
{
    for (struct text w = word(&line); w.len > 0; w = word(&line)) {
        uint64_t n;
        if (w.p[0] == '-')
            continue;
        if (w.len > 4 &&
            strncasecmp(w.p, "WSH=", 4) == 0) { // a hint, and our window is wider than the default
            if (!tl_read_number(w.p + 4, w.len - 4, UINT32_MAX, &n))
                return -EINVAL;
            continue;
        }
        if (w.len > 4 && strncasecmp(w.p, "KDR=", 4) == 0 && !tl_read_number(w.p + 4, w.len - 4, 24, &n))
            return -EINVAL;
        return -ENOTSUP; // KDR, UNENCRYPTED_*, UNAUTHENTICATED_SRTP, FEC_* and what nobody knows
    }
    return 0;
}

enum tl_suite sdes_suite(const char *text, size_t len)
{
    struct text line = {text, len};
    word(&line); // the tag
    struct text suite = word(&line);
    return tl_suite_by_name(suite.p, (unsigned)suite.len);
}

int sdes_parse(struct sdes_crypto *out, const char *text, size_t len, const char **why)
{
    const char *unused;
    struct text line = {text, len};
    struct text tag = word(&line), suite = word(&line), key = word(&line);
    struct sdes_crypto c = {0};
    uint64_t n;
    if (!why)
        why = &unused;
    if (tag.len > 9 || !tl_read_number(tag.p, tag.len, SDES_TAG_MAX, &n) || suite.len == 0)
        return refuse(why, -EINVAL, "an a=crypto line has no tag and suite");
    c.tag = (uint32_t)n;
    c.suite = (uint8_t)tl_suite_by_name(suite.p, (unsigned)suite.len);
    const struct tl_suite_info *info = tl_suite_info(c.suite);
    if (!info)
        return refuse(why, -ENOTSUP, "an a=crypto line has a suite that we don't have");
    int rc = parse_keys(&c, info, key, why);
    if (rc == 0 && (rc = check_session_params(line)) < 0)
        *why = "an a=crypto line has a session parameter that is malformed or that we don't keep";
    if (rc == 0)
        *out = c;
    sdes_wipe(&c);
    return rc;
}

int sdes_write(const struct sdes_crypto *crypto, char *out, size_t cap)
{
    const struct tl_suite_info *info = tl_suite_info(crypto->suite);
    if (!info)
        return -EINVAL;
    uint8_t both[BOTH_MAX];
    char b64[(BOTH_MAX + 2) / 3 * 4 + 1];
    memcpy(both, crypto->key, info->key_len);
    memcpy(both + info->key_len, crypto->salt, info->salt_len);
    base64_encode(both, (size_t)info->key_len + info->salt_len, b64);
    int n = snprintf(out, cap, "%u %s inline:%s%s", crypto->tag, info->name, b64,
                     crypto->lifetime ? "|2^31" : "");
    if (crypto->mki_len && n >= 0 && (size_t)n < cap) {
        uint64_t mki = 0;
        for (unsigned i = 0; i < crypto->mki_len && i < TL_MKI_MAX; i++)
            mki = mki << 8 | crypto->mki[i];
        n += snprintf(out + n, cap - (size_t)n, "|%" PRIu64 ":%u", mki, crypto->mki_len);
    }
    explicit_bzero(both, sizeof both);
    explicit_bzero(b64, sizeof b64);
    return n < 0 || (size_t)n >= cap ? -ENOSPC : n;
}

int sdes_generate(struct sdes_crypto *out, uint32_t tag, enum tl_suite suite, sdes_random random, void *arg)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    if (!info)
        return -EINVAL;
    struct sdes_crypto c = {.tag = tag, .suite = (uint8_t)suite};
    int rc = random(arg, c.key, info->key_len);
    if (rc == 0)
        rc = random(arg, c.salt, info->salt_len);
    if (rc == 0)
        *out = c;
    sdes_wipe(&c);
    return rc;
}

void sdes_wipe(struct sdes_crypto *crypto)
{
    explicit_bzero(crypto, sizeof *crypto);
}
