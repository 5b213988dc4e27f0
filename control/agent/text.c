// SPDX-License-Identifier: BSD-3-Clause
// The words of our own requests: addresses, names, headers that pass.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"

// RFC 3261 25.1: what may stand in the user part as it is.
static bool user_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-_.!~*'()&=+$,;?/", c));
}

static void escape_user(const char *user, char *out, size_t size)
{
    size_t n = 0;
    out[0] = 0;
    for (; *user; user++) {
        if (n + 4 > size)
            return;
        if (user_char(*user))
            out[n++] = *user;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*user);
        out[n] = 0;
    }
}

void agent_uri(char *out, size_t size, const char *user, const struct tl_addr *addr,
               enum tl_transport transport)
{
    char ip[TL_ADDR_TEXT], escaped[3 * SIP_NUMBER_MAX + 1];
    tl_addr_print_host(addr, ip);
    escape_user(user, escaped, sizeof escaped);
    snprintf(out, size, "sip:%s%s%s:%u%s", escaped, escaped[0] ? "@" : "", ip, addr->port,
             tl_transport_row(transport)->uri);
}

void agent_contact(char *out, size_t size, const char *user, const struct sip_flow *flow)
{
    char uri[3 * SIP_NUMBER_MAX + 64];
    agent_uri(uri, sizeof uri, user, &flow->local, flow->transport);
    snprintf(out, size, "<%s>", uri);
}

// The display name of a From, quotes included; nothing that could end the header.
static struct sip_str display_of(struct sip_str from)
{
    const char *angle = from.len ? memchr(from.p, '<', from.len) : NULL;
    struct sip_str name = {from.p, angle ? (size_t)(angle - from.p) : 0};
    if (name.len > 0 && name.p[0] == '"') { // a '<' inside the quotes is part of the name
        size_t end = 1;
        while (end < from.len && from.p[end] != '"')
            end += from.p[end] == '\\' ? 2 : 1;
        name.len = end < from.len ? end + 1 : 0;
    }
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] < ' ')
            name.len = 0;
    while (name.len > 0 && name.p[name.len - 1] == ' ')
        name.len--;
    return name.len > 128 ? (struct sip_str){name.p, 0} : name;
}

char *agent_make_from(const struct sip_msg *invite, const char *calling, const struct sip_flow *flow)
{
    struct sip_str from = sip_msg_from(invite), name = display_of(from);
    char ip[TL_ADDR_TEXT], user[3 * SIP_NUMBER_MAX + 1], *out = NULL;
    const char *host = tl_addr_print_host(&flow->local, ip);
    if (from.len && memmem(from.p, from.len, "@anonymous.invalid", 18))
        host = "anonymous.invalid"; // RFC 3323 4.1.1.3
    escape_user(calling, user, sizeof user);
    if (asprintf(&out, "%.*s%s<sip:%s%s%s>", (int)name.len, name.p ? name.p : "", name.len ? " " : "", user,
                 user[0] ? "@" : "", host) < 0)
        return NULL;
    return out;
}

char *agent_pass_headers(const struct sip_msg *invite)
{
    static const char *const names[] = {"P-Asserted-Identity", "Privacy",   "Diversion",
                                        "History-Info",        "Subject",   "Priority",
                                        "User-to-User",        "Alert-Info"};
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    if (!f)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (unsigned n = 0; n < 16; n++) {
            struct sip_str value = sip_msg_header(invite, names[i], n);
            if (!value.p)
                break;
            fprintf(f, "%s: %.*s\r\n", names[i], (int)value.len, value.p);
        }
    if (fclose(f) != 0 || !size) {
        free(out);
        return NULL;
    }
    return out;
}

void agent_reason_lines(const struct sip_msg *msg, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned n = 0; msg && n < 4; n++) {
        struct sip_str value = sip_msg_header(msg, "Reason", n);
        if (!value.p || used + value.len + 11 > size)
            return;
        used += (size_t)snprintf(out + used, size - used, "Reason: %.*s\r\n", (int)value.len, value.p);
    }
}

uint16_t agent_via_port(const struct sip_msg *msg)
{
    struct sip_str via = sip_msg_header(msg, "Via", 0);
    size_t i = 0;
    while (i < via.len && via.p[i] != ' ' && via.p[i] != '\t')
        i++; // SIP/2.0/UDP
    while (i < via.len && via.p[i] != ':' && via.p[i] != ';' && via.p[i] != ',')
        i++; // host
    uint64_t port = 0;
    size_t digits = 0;
    if (i >= via.len || via.p[i] != ':')
        return 0;
    for (i++; i < via.len && via.p[i] == ' '; i++)
        ;
    while (i + digits < via.len && via.p[i + digits] >= '0' && via.p[i + digits] <= '9')
        digits++;
    return sdp_number(via.p + i, digits, 65535, &port) == 0 ? (uint16_t)port : 0;
}
