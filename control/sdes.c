// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "control/sdp.h"

enum { BOTH_MAX = TL_KEY_MAX + TL_SALT_MAX }; // key || salt

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct text {
    const char *p;
    size_t len;
};

int sdes_kernel_random(void *arg, void *out, size_t len)
{
    (void)arg;
    for (size_t got = 0; got < len;) {
        ssize_t n = getrandom((uint8_t *)out + got, len - got, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            got += (size_t)n;
    }
    return 0;
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
    for (size_t i = 0, n = 0; i < digits; i++) {
        int v = base64_value(in.p[i]);
        if (v < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    bits = 0;
    return 0;
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
        out[n++] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        out[n++] = left > 2 ? alphabet[bits & 63] : '=';
    }
    out[n] = 0;
    return n;
}

// Lifetime in packets: "2^31" or a plain number, RFC 4568 6.1; at most 2^48.
static int check_lifetime(struct text t)
{
    uint64_t n;
    bool power = t.len > 2 && t.p[0] == '2' && t.p[1] == '^';
    if (power)
        return sdp_number(t.p + 2, t.len - 2, 48, &n);
    if (sdp_number(t.p, t.len, UINT64_C(1) << 48, &n) < 0 || n == 0)
        return -EINVAL;
    return 0;
}

// What may follow the key: |lifetime and |MKI:length.
static int check_key_extras(struct text t)
{
    for (unsigned part = 0; t.len > 0; part++) {
        t.p++, t.len--; // the '|'
        const char *bar = t.len ? memchr(t.p, '|', t.len) : NULL;
        struct text one = {t.p, bar ? (size_t)(bar - t.p) : t.len};
        t.p += one.len;
        t.len -= one.len;
        if (part > 1)
            return -EINVAL;
        if (one.len > 0 && memchr(one.p, ':', one.len))
            return -ENOTSUP; // MKI: its packets have bytes that nobody here would take off
        if (check_lifetime(one) < 0)
            return -EINVAL;
    }
    return 0;
}

static int parse_key(struct sdes_crypto *c, const struct tl_suite_info *info, struct text t)
{
    if (t.len < 7 || strncasecmp(t.p, "inline:", 7) != 0)
        return -EINVAL;
    t.p += 7, t.len -= 7;
    if (memchr(t.p, ';', t.len))
        return -ENOTSUP; // several keys need an MKI
    const char *bar = memchr(t.p, '|', t.len);
    struct text b64 = {t.p, bar ? (size_t)(bar - t.p) : t.len};
    int rc = check_key_extras((struct text){t.p + b64.len, t.len - b64.len});
    if (rc < 0)
        return rc;
    uint8_t both[BOTH_MAX];
    rc = base64_decode(b64, both, (size_t)info->key_len + info->salt_len);
    uint8_t any = 0;
    for (unsigned i = 0; rc == 0 && i < info->key_len; i++)
        any |= both[i];
    if (rc == 0 && !any)
        rc = -EINVAL; // a key of zeros is one that somebody forgot to make
    if (rc == 0) {
        memcpy(c->key, both, info->key_len);
        memcpy(c->salt, both + info->key_len, info->salt_len);
    }
    explicit_bzero(both, sizeof both);
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
            if (sdp_number(w.p + 4, w.len - 4, UINT32_MAX, &n) < 0)
                return -EINVAL;
            continue;
        }
        if (w.len > 4 && strncasecmp(w.p, "KDR=", 4) == 0 && sdp_number(w.p + 4, w.len - 4, 24, &n) < 0)
            return -EINVAL;
        return -ENOTSUP; // KDR, UNENCRYPTED_*, UNAUTHENTICATED_SRTP, FEC_* and what nobody knows
    }
    return 0;
}

int sdes_parse(struct sdes_crypto *out, const char *text, size_t len)
{
    struct text line = {text, len};
    struct text tag = word(&line), suite = word(&line), key = word(&line);
    struct sdes_crypto c = {0};
    uint64_t n;
    if (tag.len > 9 || sdp_number(tag.p, tag.len, SDES_TAG_MAX, &n) < 0 || suite.len == 0)
        return -EINVAL;
    c.tag = (uint32_t)n;
    c.suite = (uint8_t)tl_suite_by_name(suite.p, (unsigned)suite.len);
    const struct tl_suite_info *info = tl_suite_info(c.suite);
    if (!info)
        return -ENOTSUP;
    int rc = parse_key(&c, info, key);
    if (rc == 0)
        rc = check_session_params(line);
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
    int n = snprintf(out, cap, "%u %s inline:%s", crypto->tag, info->name, b64);
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
