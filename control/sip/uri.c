// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/uri.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/sip/value.h"

// ---- reading -------------------------------------------------------------------------------------------

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Returns the length of the scheme, 0 without one.
static size_t scheme_of(struct sip_str text, enum sip_scheme *scheme)
{
    static const char *const names[] = {
        [SIP_SCHEME_SIP] = "sip", [SIP_SCHEME_SIPS] = "sips", [SIP_SCHEME_TEL] = "tel"};
    const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
    struct sip_str name = {text.p, colon ? (size_t)(colon - text.p) : 0};
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.p[i]) && (i == 0 || !strchr("+-.", name.p[i])))
            return 0;
    *scheme = SIP_SCHEME_OTHER;
    for (unsigned i = SIP_SCHEME_SIP; i < sizeof names / sizeof *names; i++)
        if (sip_str_is_nocase(name, names[i]))
            *scheme = (enum sip_scheme)i;
    return name.len;
}

static bool is_host(struct sip_str host)
{
    struct tl_addr addr;
    if (host.len && host.p[0] == '[')
        return tl_addr_read_host(host.p, host.len, &addr);
    for (size_t i = 0; i < host.len; i++)
        if (!is_alnum(host.p[i]) && !strchr("-._", host.p[i]))
            return false;
    return host.len > 0;
}

// Cuts off what is before the first of `ends` and returns it.
static struct sip_str cut(struct sip_str *rest, const char *ends)
{
    struct sip_str first = {rest->p, 0};
    while (first.len < rest->len && !strchr(ends, rest->p[first.len]))
        first.len++;
    rest->p += first.len;
    rest->len -= first.len;
    return first;
}

static bool read_hostport(struct sip_str text, struct sip_uri *uri)
{
    uri->host = text;
    const char *colon = text.len ? memrchr(text.p, ':', text.len) : NULL;
    if (colon && text.p[text.len - 1] != ']') {
        uint64_t port;
        struct sip_str digits = {colon + 1, (size_t)(text.p + text.len - colon - 1)};
        if (!sip_read_number(digits, UINT16_MAX, &port) || port == 0)
            return false;
        uri->port = (uint16_t)port;
        uri->host.len = (size_t)(colon - text.p);
    }
    return is_host(uri->host);
}

static bool read_sip(struct sip_str rest, struct sip_uri *uri)
{
    // An '@' in the user part is escaped, so the first one ends it, whatever else stands before it.
    const char *at = rest.len ? memchr(rest.p, '@', rest.len) : NULL;
    if (at) {
        struct sip_str user = {rest.p, (size_t)(at - rest.p)};
        rest = (struct sip_str){at + 1, rest.len - user.len - 1};
        uri->user = cut(&user, ":");
        if (!uri->user.len) // "sip:@host", as some write a caller without a number
            uri->user.p = NULL;
    }
    struct sip_str hostport = cut(&rest, ";?");
    uri->params = cut(&rest, "?");
    if (rest.len)
        uri->headers = rest;
    return read_hostport(hostport, uri);
}

bool sip_has_scheme(struct sip_str text)
{
    enum sip_scheme scheme;
    return scheme_of(text, &scheme) > 0;
}

bool sip_read_uri(struct sip_str text, struct sip_uri *uri)
{
    memset(uri, 0, sizeof *uri);
    size_t scheme = scheme_of(text, &uri->scheme);
    if (!scheme)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (sip_set_has(SIP_SET_NO_URI, text.p[i]))
            return false;
    struct sip_str rest = {text.p + scheme + 1, text.len - scheme - 1};
    if (uri->scheme == SIP_SCHEME_OTHER)
        return rest.len > 0;
    if (uri->scheme != SIP_SCHEME_TEL)
        return read_sip(rest, uri);
    uri->user = cut(&rest, ";?");
    uri->params = cut(&rest, "?");
    return uri->user.len > 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sip_uri_user(const struct sip_uri *uri, char *out, size_t size)
{
    struct sip_str rest = uri->user;
    out[0] = '\0';
    if (!rest.p)
        return false;
    struct sip_str user = cut(&rest, ";");
    size_t n = 0;
    for (size_t i = 0; i < user.len; i++) {
        char c = user.p[i];
        if (c == '%' && i + 2 < user.len && hex(user.p[i + 1]) >= 0 && hex(user.p[i + 2]) >= 0) {
            c = (char)(hex(user.p[i + 1]) << 4 | hex(user.p[i + 2]));
            i += 2;
        }
        if (n + 1 >= size || c == '\0') {
            out[0] = '\0';
            return false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return n > 0;
}

// Drops, from what is a number, visual separators.
static bool plain_user(const char *user, char *out)
{
    size_t n = 0;
    bool number = *user != '\0';
    for (const char *p = user; *p; p++)
        number = number && strchr("0123456789+*#-.()", *p);
    for (const char *p = user; *p; p++) {
        if (number && strchr("-.()", *p))
            continue;
        if (n == SIP_NUMBER_MAX - 1 || (unsigned char)*p < 0x20 || *p == 0x7f) {
            n = 0;
            break;
        }
        out[n++] = *p;
    }
    out[n] = '\0';
    return n > 0;
}

bool sip_uri_number(struct sip_str text, char out[static SIP_NUMBER_MAX])
{
    struct sip_uri uri;
    char user[SIP_LINE_MAX];
    out[0] = '\0';
    return sip_read_uri(text, &uri) && sip_uri_user(&uri, user, sizeof user) && plain_user(user, out);
}

bool sip_uri_address(const struct sip_uri *uri, struct tl_addr *out)
{
    struct sip_str host = uri->host, value;
    if (sip_read_param(uri->params, "maddr", &value) && value.p)
        host = value;
    if (uri->scheme == SIP_SCHEME_TEL || !tl_addr_read_host(host.p, host.len, out))
        return false;
    enum tl_transport transport = TL_UDP;
    if (uri->scheme == SIP_SCHEME_SIPS) // over TLS, whatever its parameter says (RFC 3261 26.2.2)
        transport = TL_TLS;
    else if (sip_read_param(uri->params, "transport", &value) && value.p)
        tl_transport_by_name(value.p, value.len, &transport);
    out->port = uri->port ? uri->port : tl_transport_row(transport)->default_port;
    return true;
}

// ---- writing -------------------------------------------------------------------------------------------

void sip_escape_user(const char *user, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (; *user && n + 4 <= size; user++) {
        if (is_alnum(*user) || strchr("-_.!~*'()&=+$,;?/", *user))
            out[n++] = *user;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*user);
        out[n] = '\0';
    }
}

void sip_write_uri(char *out, size_t size, const char *user, const struct tl_addr *addr,
                   enum tl_transport transport)
{
    char escaped[3 * SIP_NUMBER_MAX + 1], at[TL_ADDR_TEXT];
    sip_escape_user(user ? user : "", escaped, sizeof escaped);
    snprintf(out, size, "sip:%s%s%s%s", escaped, escaped[0] ? "@" : "", tl_addr_print(addr, at),
             tl_transport_row(transport)->uri);
}
