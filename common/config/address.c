// SPDX-License-Identifier: BSD-3-Clause
// Addresses: of media, IPv4 alone and with prefix length; of SIP, of both families, with port. Ranges of media ports.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/config/parse.h"

// Reads an unsigned decimal without sign, space or leading zero that fills the string.
static bool decimal(const char *s, uint32_t max, uint32_t *out)
{
    size_t digits = strspn(s, "0123456789");

    if (digits == 0 || digits > 5 || s[digits] || (s[0] == '0' && digits > 1))
        return false;
    *out = (uint32_t)strtoul(s, NULL, 10);
    return *out <= max;
}

// What is wrong with an address that one host is to have, or NULL.
static const char *not_a_host(const struct tl_addr *addr)
{
    if (addr->family == TL_AF_INET)
        return addr->ip[0] == 0 || addr->ip[0] >= 224 ? "not an address that a host can have" : NULL;
    if (addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80)
        return "a link-local address, which means nothing without an interface";
    return addr->ip[0] == 0xff || tl_addr_is_any(addr) ? "not an address that a host can have" : NULL;
}

// IPv4 address and, with a separator, the number behind it. Says what is wrong, or NULL.
static const char *read_ip4(const char *s, char separator, uint32_t max, struct tl_addr *addr,
                            uint32_t *behind)
{
    const char *end = separator ? strrchr(s, separator) : s + strlen(s);
    const char *colon = strchr(s, ':');

    if (colon && strchr(colon + 1, ':'))
        return "media is IPv4 only";
    if (!end)
        return "not an address and prefix length";
    if (!tl_addr_read_ip(s, (size_t)(end - s), addr) || addr->family != TL_AF_INET)
        return "not an address";
    if (not_a_host(addr))
        return not_a_host(addr);
    return separator && !decimal(end + 1, max, behind) ? "not a prefix length" : NULL;
}

// "192.0.2.10:5060", "[2001:db8::1]:5060", or without a port. An IPv6 address that only stands for an IPv4 one is that one.
static const char *read_transport(const char *s, const struct option *o, struct tl_addr *addr)
{
    bool bare = tl_addr_read_ip(s, strlen(s), addr), six = bare && addr->family == TL_AF_INET6;
    const char *end = s[0] == '[' ? strchr(s, ']') : strchr(s, ':');
    uint32_t port = 0;

    if (strchr(s, '%'))
        return "has a scope id, which SIP cannot carry";
    if (!bare) {
        if (!end || (*end == ']' && end[1] != ':' && end[1]))
            return !end && o->flags & OPTION_PORT_OR_NOT ? "not an address" : "not an address and port";
        end += *end == ']';
        if (!tl_addr_read_host(s, (size_t)(end - s), addr))
            return strchr(end + (*end != '\0'), ':') && s[0] != '['
                       ? "an IPv6 address with a port stands in brackets"
                       : "not an address";
        if (*end && (!decimal(end + 1, UINT16_MAX, &port) || !port))
            return "not a port";
    }
    if (!port && !(o->flags & OPTION_PORT_OR_NOT))
        return six ? "an IPv6 address with a port stands in brackets" : "not an address and port";
    addr->port = (uint16_t)port;
    return o->flags & OPTION_ANY_ADDRESS && tl_addr_is_any(addr) ? NULL : not_a_host(addr);
}

// "192.0.2.10", "2001:db8::10", or a network: "192.0.2.0/28", "2001:db8::/64". *len says how many bits count.
static const char *read_peer(const char *s, struct tl_addr *addr, uint32_t *len)
{
    const char *slash = strchr(s, '/');

    if (strchr(s, '%'))
        return "has a scope id, which SIP cannot carry";
    if (!tl_addr_read_ip(s, slash ? (size_t)(slash - s) : strlen(s), addr))
        return "not an address";
    if (not_a_host(addr))
        return not_a_host(addr);
    *len = addr->family == TL_AF_INET ? 32 : 128;
    if (!slash)
        return NULL;
    uint32_t whole = *len;
    if (!decimal(slash + 1, whole, len))
        return "not a prefix length";
    return *len < TL_PEER_PREFIX_MIN || *len == whole ? "prefix length is out of range" : NULL;
}

bool config_set_address(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        void *base)
{
    char quoted[CONFIG_QUOTE];
    struct tl_addr addr;
    uint32_t behind = 0;
    const char *s = config_string(p, o, value, node);
    const char *wrong;

    if (!s)
        return false;
    if (o->type == OPTION_PEER && config_is_host(s) && strlen(s) < TL_HOST_MAX) {
        memcpy(((struct tl_peer_config *)base)->name, s, strlen(s) + 1);
        return true;
    }
    if (o->type == OPTION_TRANSPORT)
        wrong = read_transport(s, o, &addr);
    else if (o->type == OPTION_PEER)
        wrong = read_peer(s, &addr, &behind);
    else
        wrong = read_ip4(s, o->type == OPTION_SUBNET ? '/' : '\0', 32, &addr, &behind);
    if (!wrong && o->type == OPTION_SUBNET && behind < o->min)
        wrong = "prefix length is out of range";
    if (wrong) {
        config_refuse(p, o, node, "%s: %s", wrong, config_quote(s, quoted));
        return false;
    }
    if (o->type == OPTION_SUBNET || o->type == OPTION_PEER)
        config_store((char *)base + o->offset2, o->size2, behind);
    memcpy((char *)base + o->offset, &addr, sizeof addr);
    return true;
}

bool config_set_servers(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        char *base)
{
    enum { PORT = 53 };
    struct tl_addr *servers = (struct tl_addr *)(void *)(base + o->offset);
    struct option one = *o; // what an item takes
    char quoted[CONFIG_QUOTE];
    bool good = true;

    config_store(base + o->offset2, o->size2, 0);
    if (!config_array(p, o, value, node, 0, o->size / sizeof *servers))
        return false;
    for (uint32_t i = 0; i < json_array_size(value); i++) {
        uint32_t at = scan_item(&p->scan, node, i);
        const char *s = config_string(p, &one, json_array_get(value, i), at);
        if (!s || !tl_addr_read(s, strlen(s), &servers[i]) || tl_addr_is_any(&servers[i])) {
            if (s)
                config_refuse(p, &one, at, "not an address: %s", config_quote(s, quoted));
            good = false;
            continue;
        }
        if (!servers[i].port)
            servers[i].port = PORT;
        for (uint32_t k = 0; k < i; k++)
            if (tl_addr_equal(&servers[i], &servers[k])) {
                config_complain(p, at, NULL, "is in the list already; expected each server once");
                good = false;
                break;
            }
    }
    config_store(base + o->offset2, o->size2, (uint32_t)json_array_size(value));
    return good;
}

bool config_set_ports(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      void *base)
{
    uint32_t port[2];
    struct option one = *o; // what an item takes

    if (!config_array(p, o, value, node, 2, 2))
        return false;
    one.type = OPTION_NUMBER;
    for (uint32_t i = 0; i < 2; i++)
        if (!config_number(p, &one, json_array_get(value, i), scan_item(&p->scan, node, i), &port[i]))
            return false;
    if (port[0] % 2 || port[1] % 2 == 0 || port[0] > port[1]) {
        config_refuse(p, o, node, "%s",
                      port[0] % 2        ? "the first port is odd"
                      : port[1] % 2 == 0 ? "the last port is even"
                                         : "the last port is below the first");
        return false;
    }
    config_store((char *)base + o->offset, o->size, port[0]);
    config_store((char *)base + o->offset2, o->size2, port[1]);
    return true;
}
