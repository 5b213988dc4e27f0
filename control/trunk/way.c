// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/way.h"

#include <stdio.h>

enum trunk_urgency way_urgency(const struct way *way)
{
    return way->emergency ? TRUNK_URGENT : TRUNK_ORDINARY;
}

// Whether calls that are not sips: have a trunk there.
static bool has_others(const struct generation *generation, const struct tl_route_config *route,
                       struct trunk_ask ask)
{
    struct trunk_choice room[TL_ROUTE_TRUNKS_MAX];
    uint64_t rest_ms;
    ask.need = TRUNK_ANY_WAY;
    ask.dry = true;
    ask.tell = NULL;
    return trunk_plan(generation, route, &ask, room, &rest_ms) > 0;
}

int way_find_inside(const struct generation *generation, const struct way_ask *ask, struct way *out)
{
    static const struct way_watch nobody = {0};
    const struct way_watch *watch = ask->watch ? ask->watch : &nobody;
    const struct route_ask route_ask = {.from = ask->from,
                                        .called = ask->called,
                                        .calling = ask->calling,
                                        .tell = watch->route,
                                        .arg = watch->arg};
    bool closed;
    uint64_t rest_ms;
    *out = (struct way){.why = "no route for the called number",
                        .emergency = number_is_emergency(generation->config, ask->called),
                        .called_rule = -1,
                        .calling_rule = -1};
    snprintf(out->called, sizeof out->called, "%s", ask->called);
    snprintf(out->calling, sizeof out->calling, "%s", ask->calling);
    const struct tl_route_config *route = route_find(generation->routes, &route_ask, &closed);
    if (closed)
        out->why =
            "its routes lead from a peer to a peer or back to where it came from, and none says that it may";
    if (!route)
        return closed ? 403 : 404;
    if (route->deny) {
        out->why = "a route denies it";
        out->phrase = route->deny_text[0] ? route->deny_text : NULL;
        return (int)route->deny;
    }
    out->peer_to_peer = route->peer_to_peer;
    const struct trunk_ask trunk_ask = {.from = ask->from,
                                        .need = ask->need,
                                        .anyhow = out->emergency,
                                        .dry = ask->dry,
                                        .now_ms = ask->now_ms,
                                        .tell = watch->trunk,
                                        .arg = watch->arg};
    out->count = trunk_plan(generation, route, &trunk_ask, out->target, &rest_ms);
    if (out->count)
        return 0;
    out->why = "it is sips:, and no trunk of its route has a peer over TLS";
    out->clear = ask->need == TRUNK_SECURE_WAY && has_others(generation, route, trunk_ask);
    if (out->clear)
        return 480;
    out->why = "no trunk of its route is registered";
    if (rest_ms == UINT64_MAX)
        return 503;
    out->why = "every trunk of its route has sent Retry-After and rests";
    out->retry_after = (unsigned)((rest_ms + 999) / 1000);
    return 503;
}

int way_find(const struct generation *generation, const struct way_ask *ask, struct way *out)
{
    const struct tl_trunk_config *trunk = &generation->config->trunks[ask->from];
    struct way_ask inside = *ask;
    char called[NUMBER_MAX], calling[NUMBER_MAX];
    int called_rule = number_translate(generation->config, trunk->called_in, ask->called, called);
    int calling_rule = number_translate(generation->config, trunk->calling_in, ask->calling, calling);
    inside.called = called;
    inside.calling = calling;
    int status = way_find_inside(generation, &inside, out);
    out->called_rule = called_rule;
    out->calling_rule = calling_rule;
    return status;
}

enum trunk_limit way_drop_full(const struct generation *generation, struct way *way, uint64_t now_ms,
                               void (*full)(void *arg, struct trunk *trunk, enum trunk_limit limit),
                               void *arg)
{
    enum trunk_limit last = TRUNK_LIMIT_NONE;
    unsigned left = 0;
    for (unsigned i = 0; i < way->count; i++) {
        struct trunk *trunk = generation->trunks[way->target[i].trunk];
        enum trunk_limit limit = trunk_room(trunk, way_urgency(way), now_ms);
        if (limit == TRUNK_LIMIT_NONE) {
            way->target[left++] = way->target[i];
            continue;
        }
        full(arg, trunk, limit);
        last = limit;
    }
    way->count = left;
    return left ? TRUNK_LIMIT_NONE : last;
}
