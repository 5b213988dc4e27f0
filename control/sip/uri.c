// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/uri.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/sip/value.h"

// ---- reading -------------------------------------------------------------------------------------------

static struct header_str outward(struct sip_str s)
{
    return (struct header_str){s.p, s.len};
}

static struct sip_str inward(struct header_str s)
{
    return (struct sip_str){s.len ? s.p : NULL, s.len};
}

bool sip_has_scheme(struct sip_str text)
{
    return uri_scheme_length(outward(text)) > 0;
}

bool sip_uri_is_secure(struct sip_str text)
{
    return header_str_is((struct header_str){text.p, uri_scheme_length(outward(text))}, "sips");
}

bool sip_read_uri(struct sip_str text, struct sip_uri *uri)
{
    struct uri parts;
    memset(uri, 0, sizeof *uri);
    if (!uri_read(outward(text), &parts) || !parts.callable)
        return false;
    *uri = (struct sip_uri){.scheme = parts.scheme,
                            .user = inward(parts.user),
                            .host = inward(parts.host),
                            .port = parts.port,
                            .params = inward(parts.params)};
    if (parts.headers.p) // with their '?'
        uri->headers = (struct sip_str){parts.headers.p - 1, parts.headers.len + 1};
    if (parts.scheme == URI_TEL)
        uri->params = inward(parts.options);
    else
        uri->user.len += parts.options.len; // which stand behind it
    return true;
}

bool sip_uri_user(const struct sip_uri *uri, char *out, size_t size)
{
    struct header_str user = outward(uri->user);
    const char *params = user.p ? memchr(user.p, ';', user.len) : NULL;
    if (params)
        user.len = (size_t)(params - user.p);
    return uri_unescape(user, out, size);
}

// Drops, from what is a number, visual separators.
static bool plain_user(const char *user, char *out)
{
    size_t n = 0;
    bool number = uri_user_is_number(header_str(user));
    for (const char *p = user; *p; p++) {
        if (number && strchr("-.()", *p))
            continue;
        if (n == SIP_NUMBER_MAX - 1) {
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
    if (uri->scheme == URI_TEL || !tl_addr_read_host(host.p, host.len, out))
        return false;
    enum tl_transport transport = TL_UDP;
    if (uri->scheme == URI_SIPS) // over TLS, whatever its parameter says (RFC 3261 26.2.2)
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
        if (uri_is_user_char(*user))
            out[n++] = *user;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*user);
        out[n] = '\0';
    }
}

void sip_write_uri(char *out, size_t size, enum tl_uri_scheme scheme, const char *user,
                   const struct tl_addr *addr, enum tl_transport transport)
{
    char escaped[3 * SIP_NUMBER_MAX + 1], at[TL_ADDR_TEXT];
    sip_escape_user(user ? user : "", escaped, sizeof escaped);
    snprintf(out, size, "%s%s%s%s%s", tl_uri_scheme_text(scheme), escaped, escaped[0] ? "@" : "",
             tl_addr_print(addr, at), tl_uri_transport(scheme, transport));
}
