// SPDX-License-Identifier: BSD-3-Clause
// Routes: what they lead to, and what no call can take.
#include <string.h>

#include "common/addr.h"
#include "common/config/parse.h"

bool tl_route_open(const struct tl_config *config, const struct tl_route_config *route, uint32_t from,
                   uint32_t to)
{
    bool peers = config->trunks[from].side == TL_SIDE_PEER && config->trunks[to].side == TL_SIDE_PEER;

    return (!peers || route->peer_to_peer) && (from != to || route->back_to_origin);
}

static bool gets_calls(const struct tl_trunk_config *trunk)
{
    struct tl_peer_config peer;

    for (uint32_t i = 0; tl_trunk_peer(trunk, i, &peer); i++)
        if (peer.send || !tl_addr_is_set(&peer.address))
            return true;
    return false;
}

// A trunk of a route or group whose peers only send.
static void check_receivers(struct config_parser *p, uint32_t node, const uint32_t *trunks, uint32_t count)
{
    const struct tl_config *c = &p->root->config;
    uint32_t list = scan_find(&p->scan, node, "trunks");

    for (uint32_t i = 0; list != SCAN_NONE && i < count; i++)
        if (trunks[i] < c->trunk_count && c->trunks[trunks[i]].peer_count &&
            !gets_calls(&c->trunks[trunks[i]]))
            config_complain(p, scan_item(&p->scan, list, i), NULL,
                            "no peer of the trunk has send; expected a trunk that calls can go to");
}

// Routes and groups that cannot mean what they say; a route gets the trunks of its group.
static void check_groups(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;

    for (uint32_t i = 0; i < c->group_count; i++) {
        const struct tl_group_config *g = &c->groups[i];
        if (g->weight_count && g->order != TL_ORDER_WEIGHTS)
            config_complain(
                p, config_item(p, LIST_GROUPS, i), "weights",
                "without order \"weighted\" they say nothing; expected that order, or no weights");
        else if (g->weight_count && g->weight_count != g->trunk_count)
            config_complain(p, config_item(p, LIST_GROUPS, i), "weights",
                            "%u weights for %u trunks; expected one for each", g->weight_count,
                            g->trunk_count);
        check_receivers(p, config_item(p, LIST_GROUPS, i), g->trunks, g->trunk_count);
    }
}

static void check_route(struct config_parser *p, uint32_t i)
{
    const struct tl_config *c = &p->root->config;
    struct tl_route_config *r = &p->root->config.routes[i];
    uint32_t node = config_item(p, LIST_ROUTES, i);
    static const char *const ways[] = {"trunks", "group", "deny"};
    unsigned count = 0;

    for (size_t k = 0; k < 3; k++)
        count += scan_find(&p->scan, node, ways[k]) != SCAN_NONE;
    if (count != 1)
        config_complain(p, node, count ? NULL : "trunks", "%s; expected one of trunks, group and deny",
                        count ? "leads to more than one place" : "missing");
    if (scan_find(&p->scan, node, "prefix") == SCAN_NONE &&
        scan_find(&p->scan, node, "called") == SCAN_NONE && scan_find(&p->scan, node, "calling") == SCAN_NONE)
        config_complain(p, node, "prefix", "missing; expected prefix, called or calling; \"\" fits all");
    if (r->deny_text[0] && !r->deny)
        config_complain(p, node, "deny_text", "without deny it says nothing; expected deny with a status");
    check_receivers(p, node, r->trunks, r->trunk_count);
    if (r->group < c->group_count) {
        memcpy(r->trunks, c->groups[r->group].trunks, sizeof r->trunks);
        r->trunk_count = c->groups[r->group].trunk_count;
    }
}

static bool same_match(const struct tl_route_config *a, const struct tl_route_config *b)
{
    return strcmp(a->prefix, b->prefix) == 0 && strcmp(a->called, b->called) == 0 &&
           strcmp(a->calling, b->calling) == 0 && a->any_from == b->any_from && a->from == b->from &&
           a->priority == b->priority;
}

static void check_twins(struct config_parser *p, uint32_t i)
{
    const struct tl_config *c = &p->root->config;
    const struct tl_route_config *r = &c->routes[i];

    if (!r->any_from && r->from == CONFIG_NO_INDEX)
        return;
    for (uint32_t k = 0; k < i; k++)
        if (same_match(&c->routes[k], r)) {
            config_complain(
                p, config_item(p, LIST_ROUTES, i), "prefix",
                "routes[%u] fits the same calls already; expected one route with all its trunks, or another "
                "prefix, called, calling, from or priority",
                k);
            return;
        }
}

// Does it take calls from that trunk?
static bool serves(const struct tl_route_config *r, uint32_t from)
{
    return r->any_from || r->from == from;
}

// A pair of trunks that are both peers, or that are one, between which it lets calls pass.
static bool crosses(const struct tl_config *c, const struct tl_route_config *r, bool back, uint32_t *from,
                    uint32_t *to)
{
    for (*from = 0; *from < c->trunk_count; ++*from)
        for (uint32_t t = 0; serves(r, *from) && t < r->trunk_count; t++) {
            *to = r->trunks[t];
            bool peers = c->trunks[*from].side == TL_SIDE_PEER && c->trunks[*to].side == TL_SIDE_PEER;
            if ((back ? *from == *to : peers && *from != *to) && tl_route_open(c, r, *from, *to))
                return true;
        }
    return false;
}

static bool reachable(const struct tl_config *c, const struct tl_route_config *r)
{
    for (uint32_t from = 0; from < c->trunk_count; from++)
        for (uint32_t t = 0; serves(r, from) && t < r->trunk_count; t++)
            if (tl_route_open(c, r, from, r->trunks[t]))
                return true;
    return false;
}

// Whether it says yes or no to each call of that trunk that it fits.
static bool takes_all_of(const struct tl_config *c, const struct tl_route_config *r, uint32_t from)
{
    for (uint32_t t = 0; t < r->trunk_count; t++)
        if (tl_route_open(c, r, from, r->trunks[t]))
            return true;
    return r->deny != 0;
}

// The first peers, one more than a route leads to.
struct some_peers {
    uint32_t trunk[TL_ROUTE_TRUNKS_MAX + 1], count;
};

static struct some_peers find_peers(const struct tl_config *c)
{
    struct some_peers out = {.count = 0};

    for (uint32_t i = 0; i < c->trunk_count && out.count <= TL_ROUTE_TRUNKS_MAX; i++)
        if (c->trunks[i].side == TL_SIDE_PEER)
            out.trunk[out.count++] = i;
    return out;
}

// Whether it says yes or no to each call that `r` takes. A trunk to which it is closed is one that it leads to, or any peer: so
// these are looked at, and one peer that is none of them if there is one.
static bool takes_all(const struct tl_config *c, const struct some_peers *peers,
                      const struct tl_route_config *k, const struct tl_route_config *r)
{
    if (!r->any_from)
        return r->from >= c->trunk_count || takes_all_of(c, k, r->from);
    for (uint32_t i = 0; i < k->trunk_count; i++)
        if (!takes_all_of(c, k, k->trunks[i]))
            return false;
    for (uint32_t i = 0; i < peers->count; i++)
        if (!takes_all_of(c, k, peers->trunk[i]))
            return false;
    return true;
}

// Whether every call that `r` fits was taken by `k` before.
static bool hides(const struct tl_config *c, const struct some_peers *peers, const struct tl_route_config *k,
                  const struct tl_route_config *r)
{
    char beginning[TL_DIGITS_MAX];

    if (k->priority >= r->priority || (k->called[0] && strcmp(k->called, r->called) != 0) ||
        (k->calling[0] && strcmp(k->calling, r->calling) != 0) ||
        !(k->any_from || (!r->any_from && k->from == r->from)))
        return false;
    tl_pattern_beginning(r->called, beginning, sizeof beginning);
    size_t len = strlen(k->prefix);
    return (strncmp(k->prefix, r->prefix, len) == 0 || strncmp(k->prefix, beginning, len) == 0) &&
           takes_all(c, peers, k, r);
}

// Whether a call may go from peer to peer over `a` and, with the same number, back over `b`.
static bool goes_round(const struct tl_config *c, const struct tl_route_config *a,
                       const struct tl_route_config *b, uint32_t *from, uint32_t *to)
{
    size_t shorter = strlen(a->prefix) < strlen(b->prefix) ? strlen(a->prefix) : strlen(b->prefix);

    if (!a->peer_to_peer || !b->peer_to_peer || strncmp(a->prefix, b->prefix, shorter) != 0)
        return false;
    for (uint32_t i = 0; i < b->trunk_count; i++)
        for (uint32_t k = 0; k < a->trunk_count; k++) {
            *from = b->trunks[i];
            *to = a->trunks[k];
            if (*from != *to && serves(a, *from) && serves(b, *to) && c->trunks[*from].side == TL_SIDE_PEER &&
                c->trunks[*to].side == TL_SIDE_PEER)
                return true;
        }
    return false;
}

static void warn_of_others(struct config_parser *p, const struct some_peers *peers, uint32_t i, uint32_t node)
{
    const struct tl_config *c = &p->root->config;
    uint32_t from, to;

    for (uint32_t k = 0; k < c->route_count; k++)
        if (k != i && hides(c, peers, &c->routes[k], &c->routes[i])) {
            config_warn(p, node, "priority",
                        "no call reaches this route: routes[%u] has a lower priority and fits all of them",
                        k);
            break;
        }
    for (uint32_t k = 0; k <= i; k++)
        if (goes_round(c, &c->routes[i], &c->routes[k], &from, &to)) {
            config_warn(
                p, node, "peer_to_peer",
                "a call may go round: from \"%s\" to \"%s\" over this route, and back over routes[%u]",
                c->trunks[from].name, c->trunks[to].name, k);
            break;
        }
}

static void warn(struct config_parser *p, const struct some_peers *peers, uint32_t i)
{
    const struct tl_config *c = &p->root->config;
    const struct tl_route_config *r = &c->routes[i];
    uint32_t node = config_item(p, LIST_ROUTES, i), from, to;

    if (crosses(c, r, false, &from, &to))
        config_warn(p, node, "peer_to_peer",
                    "calls from peers go on to peers over this route, from \"%s\" to \"%s\" for one",
                    c->trunks[from].name, c->trunks[to].name);
    if (crosses(c, r, true, &from, &to))
        config_warn(p, node, "back_to_origin",
                    "calls go back to where they came from over this route, to \"%s\" for one",
                    c->trunks[from].name);
    warn_of_others(p, peers, i, node);
    if (!r->deny && !reachable(c, r))
        config_warn(
            p, node, "trunks",
            "no call can take this route: each would go from a peer to a peer, or back to the trunk that it "
            "came from; set the \"side\" of our own realms to \"core\", or peer_to_peer or back_to_origin where "
            "it is meant");
}

void config_check_routes(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;

    check_groups(p);
    for (uint32_t i = 0; i < c->route_count; i++) {
        check_route(p, i);
        check_twins(p, i);
    }
    const struct some_peers peers = find_peers(c);
    for (uint32_t i = 0; p->count == 0 && i < c->route_count; i++)
        warn(p, &peers, i);
}
