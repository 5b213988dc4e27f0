// SPDX-License-Identifier: BSD-3-Clause
#include "common/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static_assert(TL_ADDR_TEXT >= INET6_ADDRSTRLEN + sizeof "[]:65535" - 1, "room for any address");

static size_t ip_size(const struct tl_addr *addr)
{
    return addr->family == TL_AF_INET6 ? 16 : addr->family == TL_AF_INET ? 4 : 0;
}

// ---- printing ------------------------------------------------------------------------------------------

static char *put_byte(char *p, unsigned byte)
{
    if (byte >= 100)
        *p++ = (char)('0' + byte / 100);
    if (byte >= 10)
        *p++ = (char)('0' + byte / 10 % 10);
    *p++ = (char)('0' + byte % 10);
    return p;
}

const char *tl_addr_print_ip(const struct tl_addr *addr, char out[static TL_ADDR_TEXT])
{
    out[0] = '\0';
    if (addr->family == TL_AF_INET6) {
        inet_ntop(AF_INET6, addr->ip, out, TL_ADDR_TEXT);
    } else if (addr->family == TL_AF_INET) {
        char *p = out;
        for (unsigned i = 0; i < 4; i++) {
            p = put_byte(p, addr->ip[i]);
            *p++ = i < 3 ? '.' : '\0';
        }
    }
    return out;
}

const char *tl_addr_print_host(const struct tl_addr *addr, char out[static TL_ADDR_TEXT])
{
    char ip[TL_ADDR_TEXT];
    if (addr->family != TL_AF_INET6)
        return tl_addr_print_ip(addr, out);
    snprintf(out, TL_ADDR_TEXT, "[%.*s]", INET6_ADDRSTRLEN, tl_addr_print_ip(addr, ip));
    return out;
}

const char *tl_addr_print(const struct tl_addr *addr, char out[static TL_ADDR_TEXT])
{
    tl_addr_print_host(addr, out);
    size_t n = strlen(out);
    if (n)
        snprintf(out + n, TL_ADDR_TEXT - n, ":%u", addr->port);
    return out;
}

// ---- reading -------------------------------------------------------------------------------------------

static bool none(struct tl_addr *out)
{
    memset(out, 0, sizeof *out);
    return false;
}

// ::ffff:192.0.2.1 is 192.0.2.1 (RFC 4291 2.5.5.2).
static void unmap(struct tl_addr *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (addr->family != TL_AF_INET6 || memcmp(addr->ip, mapped, sizeof mapped) != 0)
        return;
    addr->family = TL_AF_INET;
    memmove(addr->ip, addr->ip + 12, 4);
    memset(addr->ip + 4, 0, 12);
}

bool tl_addr_read_ip(const char *s, size_t len, struct tl_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    memset(out, 0, sizeof *out);
    if (len == 0 || len >= sizeof text || memchr(s, '\0', len))
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    bool six = memchr(s, ':', len) != NULL;
    if (inet_pton(six ? AF_INET6 : AF_INET, text, out->ip) != 1)
        return none(out);
    out->family = six ? TL_AF_INET6 : TL_AF_INET;
    unmap(out);
    return true;
}

bool tl_addr_read_host(const char *s, size_t len, struct tl_addr *out)
{
    bool brackets = len > 2 && s[0] == '[' && s[len - 1] == ']';
    const char *ip = s + brackets;
    len -= 2 * (size_t)brackets;
    return tl_addr_read_ip(ip, len, out) && (brackets == (memchr(ip, ':', len) != NULL) || none(out));
}

bool tl_addr_read(const char *s, size_t len, struct tl_addr *out)
{
    const char *colon = len ? memrchr(s, ':', len) : NULL;
    uint32_t port = 0;
    if (!colon || s[len - 1] == ']')
        return tl_addr_read_host(s, len, out);
    size_t host = (size_t)(colon - s), digits = len - host - 1;
    if (digits == 0 || digits > 5 || colon[1] == '0')
        return none(out);
    for (size_t i = 1; i <= digits; i++) {
        if (colon[i] < '0' || colon[i] > '9')
            return none(out);
        port = port * 10 + (uint32_t)(colon[i] - '0');
    }
    if (port > UINT16_MAX || !tl_addr_read_host(s, host, out))
        return none(out);
    out->port = (uint16_t)port;
    return true;
}

// ---- comparing -----------------------------------------------------------------------------------------

bool tl_addr_is_any(const struct tl_addr *addr)
{
    static const uint8_t zero[16];
    return tl_addr_is_set(addr) && memcmp(addr->ip, zero, ip_size(addr)) == 0;
}

bool tl_addr_same_host(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, ip_size(a)) == 0;
}

bool tl_addr_equal(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->port == b->port && tl_addr_same_host(a, b);
}

// ---- the kernel's form ---------------------------------------------------------------------------------

unsigned tl_addr_to_sockaddr(const struct tl_addr *addr, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == TL_AF_INET) {
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&sin.sin_addr, addr->ip, sizeof sin.sin_addr);
        memcpy(out, &sin, sizeof sin);
        return sizeof sin;
    }
    if (addr->family == TL_AF_INET6) {
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
        memcpy(&sin6.sin6_addr, addr->ip, sizeof sin6.sin6_addr);
        memcpy(out, &sin6, sizeof sin6);
        return sizeof sin6;
    }
    return 0;
}

bool tl_addr_from_sockaddr(const struct sockaddr *from, struct tl_addr *out)
{
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        struct sockaddr_in sin;
        memcpy(&sin, from, sizeof sin);
        *out = (struct tl_addr){.family = TL_AF_INET, .port = ntohs(sin.sin_port)};
        memcpy(out->ip, &sin.sin_addr, sizeof sin.sin_addr);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 sin6;
        memcpy(&sin6, from, sizeof sin6);
        *out = (struct tl_addr){.family = TL_AF_INET6, .port = ntohs(sin6.sin6_port)};
        memcpy(out->ip, &sin6.sin6_addr, sizeof sin6.sin6_addr);
        unmap(out);
    }
    return tl_addr_is_set(out);
}
