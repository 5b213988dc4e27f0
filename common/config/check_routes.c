// SPDX-License-Identifier: BSD-3-Clause
// Routes: what they lead to, and what no call can take.
#include <string.h>

#include "common/config/parse.h"

bool tl_route_open(const struct tl_config *config, const struct tl_route_config *route, uint32_t from,
                   uint32_t to)
{
    bool peers = config->trunks[from].side == TL_SIDE_PEER && config->trunks[to].side == TL_SIDE_PEER;

    return (!peers || route->peer_to_peer) && (from != to || route->back_to_origin);
}

static void check_twins(struct config_parser *p, uint32_t i)
{
    const struct tl_config *c = &p->root->config;
    const struct tl_route_config *r = &c->routes[i];

    if (!r->any_from && r->from == CONFIG_NO_INDEX)
        return;
    for (uint32_t k = 0; k < i; k++)
        if (strcmp(c->routes[k].prefix, r->prefix) == 0 && c->routes[k].any_from == r->any_from &&
            c->routes[k].from == r->from) {
            config_complain(
                p, config_item(p, LIST_ROUTES, i), "prefix",
                "routes[%u] has this prefix and from already; expected one route with all its trunks", k);
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

static void warn(struct config_parser *p, uint32_t i)
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
    if (!reachable(c, r))
        config_warn(
            p, node, "trunks",
            "no call can take this route: each would go from a peer to a peer, or back to the trunk that it "
            "came from; set the \"side\" of our own realms to \"core\", or peer_to_peer or back_to_origin where "
            "it is meant");
}

void config_check_routes(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;

    for (uint32_t i = 0; i < c->route_count; i++)
        check_twins(p, i);
    for (uint32_t i = 0; p->count == 0 && i < c->route_count; i++)
        warn(p, i);
}
