// SPDX-License-Identifier: BSD-3-Clause
// IPv4 addresses, alone, with port and with prefix length; ranges of media ports.
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

// IPv4 address that one host can have, then, with a separator, the number behind it. Says what is wrong, or
// NULL.
static const char *read_address(const char *s, char separator, uint32_t max, struct tl_addr *addr,
                                uint32_t *behind)
{
    const char *end = separator ? strrchr(s, separator) : s + strlen(s);
    const char *colon = strchr(s, ':');

    if (colon && strchr(colon + 1, ':'))
        return "IPv6 is not supported yet";
    if (!end)
        return separator == ':' ? "not an address and port" : "not an address and prefix length";
    if (!tl_addr_read_ip(s, (size_t)(end - s), addr) || addr->family != TL_AF_INET)
        return "not an address";
    if (addr->ip[0] == 0 || addr->ip[0] >= 224)
        return "not an address that a host can have";
    if (separator && !decimal(end + 1, max, behind))
        return separator == ':' ? "not a port" : "not a prefix length";
    return NULL;
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
    bool with_port = o->type == OPTION_TRANSPORT && !(o->flags & OPTION_PORT_OR_NOT && !strchr(s, ':'));
    bool network = o->type == OPTION_SUBNET || (o->type == OPTION_PEER && strchr(s, '/'));
    const char *separator = with_port ? ":" : network ? "/" : "";
    wrong = read_address(s, *separator, with_port ? UINT16_MAX : 32, &addr, &behind);
    if (!wrong && with_port && behind == 0)
        wrong = "not a port";
    if (!wrong && o->type == OPTION_SUBNET && behind < o->min)
        wrong = "prefix length is out of range";
    if (!wrong && o->type == OPTION_PEER && network && (behind < TL_PEER_PREFIX_MIN || behind > 31))
        wrong = "prefix length is out of range";
    if (wrong) {
        config_refuse(p, o, node, "%s: %s", wrong, config_quote(s, quoted));
        return false;
    }
    if (o->type == OPTION_PEER && !network)
        behind = 32;
    if (with_port)
        addr.port = (uint16_t)behind;
    else if (o->type == OPTION_SUBNET || o->type == OPTION_PEER)
        config_store((char *)base + o->offset2, o->size2, behind);
    memcpy((char *)base + o->offset, &addr, sizeof addr);
    return true;
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
