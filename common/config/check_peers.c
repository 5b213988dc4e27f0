// SPDX-License-Identifier: BSD-3-Clause
// Peers of trunks: whether each is an address that can be one, and whether two trunks claim the same.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "common/config/parse.h"

// Where the i-th peer of a trunk stands.
struct place {
    uint32_t node;
    const char *key;
};

static struct place place_of(const struct config_parser *p, uint32_t trunk, uint32_t i)
{
    uint32_t node = config_item(p, LIST_TRUNKS, trunk);

    if (!p->root->config.trunks[trunk].peer_count)
        return (struct place){node, "peer"};
    return (struct place){scan_item(&p->scan, scan_find(&p->scan, node, "peers"), i), "address"};
}

static bool is_host(const struct tl_peer_config *peer)
{
    return peer->name[0] || peer->prefix_len == (peer->address.family == TL_AF_INET ? 32 : 128);
}

// ---- one peer

static void mask(struct tl_addr *addr, unsigned len)
{
    for (unsigned i = 0; i < sizeof addr->ip; i++)
        addr->ip[i] &= (uint8_t)(len >= 8 * (i + 1) ? 0xff : len <= 8 * i ? 0 : 0xff << (8 * (i + 1) - len));
}

static void check_network(struct config_parser *p, struct tl_peer_config *peer, uint32_t node)
{
    struct tl_addr whole = peer->address;
    uint32_t send = scan_find(&p->scan, node, "send");

    mask(&whole, peer->prefix_len);
    if (!tl_addr_same_host(&whole, &peer->address))
        config_complain(p, node, "address", "is no network of that prefix length; expected %s/%u",
                        tl_addr_print_ip(&whole, (char[TL_ADDR_TEXT]){""}), peer->prefix_len);
    if (peer->port)
        config_complain(p, node, "port", "a network has no port: requests come from any; expected none");
    if (send != SCAN_NONE && peer->send)
        config_complain(p, node, "send", "nothing can be sent to a network; expected false, or a host");
    peer->send = false;
}

// Fills in what follows from the trunk's listener.
static void complete(struct config_parser *p, struct tl_trunk_config *t, uint32_t i, uint32_t node)
{
    const struct tl_config *c = &p->root->config;
    struct tl_peer_config *peer = &t->peers[i];
    enum tl_transport transport =
        peer->over ? (enum tl_transport)(peer->over - 1) : c->listeners[t->listener].transport;

    peer->listener = transport == c->listeners[t->listener].transport
                         ? t->listener
                         : tl_listener_beside(c, t->listener, transport);
    if (peer->listener == TL_NO_INDEX)
        config_complain(p, node, "transport",
                        "no listener with transport \"%s\" has the address of listener \"%s\"; expected one "
                        "of its transports",
                        tl_transport_row(transport)->name, c->listeners[t->listener].name);
    if (is_host(peer) && !peer->name[0])
        peer->address.port = peer->port ? peer->port : tl_transport_row(transport)->default_port;
}

static void check_host(struct config_parser *p, const struct tl_peer_config *peer, struct place at)
{
    const struct tl_config *c = &p->root->config;

    for (uint32_t k = 0; k < c->listener_count; k++)
        if (tl_addr_equal(&c->listeners[k].address, &peer->address) ||
            tl_addr_equal(&c->listeners[k].advertised, &peer->address)) {
            config_complain(p, at.node, at.key, "is our own listener \"%s\"; expected a remote peer",
                            c->listeners[k].name);
            return;
        }
    for (uint32_t k = 0; k < c->realm_count; k++)
        if (tl_addr_same_host(&c->realms[k].address, &peer->address) ||
            tl_addr_same_host(&c->realms[k].advertised, &peer->address)) {
            config_complain(p, at.node, at.key,
                            "is our own media address in realm \"%s\"; expected a remote peer",
                            c->realms[k].name);
            return;
        }
}

// A listener reaches its own IP family, and media is of one only.
static void check_family(struct config_parser *p, const struct tl_peer_config *peer, struct place at)
{
    const struct tl_config *c = &p->root->config;

    if (peer->listener >= c->listener_count || !tl_addr_is_set(&c->listeners[peer->listener].address))
        return;
    const struct tl_listener_config *l = &c->listeners[peer->listener];
    if (peer->address.family != l->address.family)
        config_complain(p, at.node, at.key,
                        "is IPv%u and listener \"%s\" is IPv%u; expected both of one family",
                        peer->address.family, l->name, l->address.family);
    else if (peer->address.family == TL_AF_INET6)
        config_warn(p, at.node, at.key,
                    "is IPv6, and media is IPv4 only: its SDP has to name IPv4 addresses, as ours does");
}

// sips: means TLS on each hop, so requests to such a peer have no other way.
static void check_scheme(struct config_parser *p, const struct tl_trunk_config *t,
                         const struct tl_peer_config *peer, struct place at)
{
    const struct tl_config *c = &p->root->config;

    if (t->uri_scheme != TL_URI_SIPS || !peer->send || peer->listener >= c->listener_count)
        return;
    const struct tl_listener_config *l = &c->listeners[peer->listener];
    if (!tl_transport_row(l->transport)->secure)
        config_complain(p, at.node, at.key,
                        "uri_scheme is \"sips\" and requests to it leave by listener \"%s\", which is %s; "
                        "expected transport \"tls\", or uri_scheme \"sip\"",
                        l->name, tl_transport_row(l->transport)->name);
}

static void check_trunk(struct config_parser *p, uint32_t trunk)
{
    struct tl_trunk_config *t = &p->root->config.trunks[trunk];
    uint32_t node = config_item(p, LIST_TRUNKS, trunk);
    bool one = scan_find(&p->scan, node, "peer") != SCAN_NONE,
         many = scan_find(&p->scan, node, "peers") != SCAN_NONE;
    struct tl_peer_config peer;

    if (one == many)
        config_complain(
            p, node, one ? "peers" : "peer",
            one ? "has peer and peers; expected one of them"
                : "missing; expected peer, an IP address and port, or peers, a list of addresses");
    for (uint32_t i = 0; i < t->peer_count; i++) {
        struct place at = place_of(p, trunk, i);
        t->peers[i].listener = TL_NO_INDEX;
        if (!tl_addr_is_set(&t->peers[i].address) && !t->peers[i].name[0])
            continue;
        if (t->listener < p->root->config.listener_count)
            complete(p, t, i, at.node);
        if (!is_host(&t->peers[i]))
            check_network(p, &t->peers[i], at.node);
    }
    for (uint32_t i = 0; tl_trunk_peer(t, i, &peer); i++) {
        if (tl_addr_is_set(&peer.address) || peer.name[0])
            check_scheme(p, t, &peer, place_of(p, trunk, i));
        if (!tl_addr_is_set(&peer.address))
            continue;
        check_family(p, &peer, place_of(p, trunk, i));
        if (is_host(&peer))
            check_host(p, &peer, place_of(p, trunk, i));
    }
}

// ---- all of them: who claims what others claim

struct claim {
    uint32_t listener;
    struct tl_addr address;
    uint8_t prefix_len;
    uint32_t trunk, peer;
};

// Networks before hosts, so that what is equal is together.
static int compare(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = memcmp(x->address.ip, y->address.ip, sizeof x->address.ip);

    if (x->listener != y->listener)
        return x->listener < y->listener ? -1 : 1;
    if (x->address.family != y->address.family)
        return x->address.family < y->address.family ? -1 : 1;
    if (x->prefix_len != y->prefix_len)
        return (int)x->prefix_len - (int)y->prefix_len;
    if (order)
        return order;
    return (int)x->address.port - (int)y->address.port;
}

static int compare_whole(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare(x, y);

    if (order)
        return order;
    if (x->trunk != y->trunk)
        return x->trunk < y->trunk ? -1 : 1;
    return (int)x->peer - (int)y->peer;
}

static bool share_a_name(const struct tl_tls_config *a, const struct tl_tls_config *b)
{
    for (uint32_t i = 0; i < a->name_count; i++)
        for (uint32_t k = 0; k < b->name_count; k++)
            if (strcmp(a->names[i], b->names[k]) == 0)
                return true;
    return !a->name_count || !b->name_count || a->verify != TL_TLS_VERIFY_REQUIRED ||
           b->verify != TL_TLS_VERIFY_REQUIRED;
}

// Certificates tell the peers of one network apart.
static bool are_told_apart(const struct tl_config *c, const struct claim *one, const struct claim *other)
{
    return one->trunk != other->trunk && !one->address.port &&
           tl_transport_row(c->listeners[one->listener].transport)->secure &&
           !share_a_name(&c->trunks[one->trunk].tls, &c->trunks[other->trunk].tls);
}

static void check_names(struct config_parser *p, uint32_t trunk)
{
    const struct tl_trunk_config *t = &p->root->config.trunks[trunk];

    for (uint32_t i = 0; i < t->peer_count; i++)
        for (uint32_t k = 0; t->peers[i].name[0] && k < i; k++)
            if (strcasecmp(t->peers[i].name, t->peers[k].name) == 0 && t->peers[i].port == t->peers[k].port &&
                t->peers[i].over == t->peers[k].over) {
                config_complain(p, place_of(p, trunk, i).node, "address",
                                "is in the list already; expected each name once");
                break;
            }
}

static void check_same(struct config_parser *p, const struct claim *first, const struct claim *again)
{
    struct place at = place_of(p, again->trunk, again->peer);

    if (compare(first, again) != 0 || are_told_apart(&p->root->config, first, again))
        return;
    if (first->trunk == again->trunk)
        config_complain(p, at.node, at.key, "is in the list already; expected each address once");
    else
        config_complain(p, at.node, at.key,
                        "trunks[%u] has this listener and %s already; expected another %s or listener",
                        first->trunk, first->address.port ? "peer" : "network",
                        first->address.port ? "peer" : "network");
}

// The smallest network of another trunk around a claim, or NULL.
static const struct claim *around(const struct claim *all, size_t count, const struct claim *claim)
{
    for (unsigned len = claim->prefix_len; len-- > TL_PEER_PREFIX_MIN;) {
        struct claim key = *claim;
        key.prefix_len = (uint8_t)len;
        key.address.port = 0;
        mask(&key.address, len);
        const struct claim *found = bsearch(&key, all, count, sizeof *all, compare);
        if (found)
            return found->trunk == claim->trunk ? NULL : found;
    }
    return NULL;
}

static void warn_inside(struct config_parser *p, const struct claim *all, size_t count,
                        const struct claim *claim)
{
    const struct claim *net = around(all, count, claim);
    struct place at = place_of(p, claim->trunk, claim->peer);

    if (net)
        config_warn(p, at.node, at.key,
                    "is inside of %s/%u, a network of trunks[%u]; what comes from there is this trunk's",
                    tl_addr_print_ip(&net->address, (char[TL_ADDR_TEXT]){""}), net->prefix_len, net->trunk);
}

static void check_claims(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;
    struct claim *all = calloc((size_t)c->trunk_count * TL_PEERS_MAX + 1, sizeof *all);
    struct tl_peer_config peer;
    size_t n = 0;

    if (!all) {
        p->no_memory = true;
        return;
    }
    for (uint32_t t = 0; t < c->trunk_count; t++)
        for (uint32_t i = 0; tl_trunk_peer(&c->trunks[t], i, &peer); i++)
            if (tl_addr_is_set(&peer.address) && peer.listener < c->listener_count)
                all[n++] = (struct claim){peer.listener, peer.address, peer.prefix_len, t, i};
    qsort(all, n, sizeof *all, compare_whole);
    for (size_t i = 1; i < n; i++)
        check_same(p, &all[i - 1], &all[i]);
    for (size_t i = 0; !p->count && i < n; i++)
        warn_inside(p, all, n, &all[i]);
    free(all);
}

void config_check_peers(struct config_parser *p)
{
    for (uint32_t i = 0; i < p->root->config.trunk_count; i++)
        check_trunk(p, i);
    for (uint32_t i = 0; i < p->root->config.trunk_count; i++)
        check_names(p, i);
    check_claims(p);
}
