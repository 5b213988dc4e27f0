// SPDX-License-Identifier: BSD-3-Clause
// Where a call goes: its route, and the trunks of it that are to be tried.
#include <stdio.h>

#include "control/agent/agent_internal.h"
#include "control/trunk/number.h"
#include "control/trunk/route.h"

int agent_route_inside(const struct generation *generation, uint32_t from, const char *called,
                       const char *calling, uint64_t now_ms, struct agent_way *out)
{
    const struct route_ask ask = {.from = from, .called = called, .calling = calling};
    struct trunk_choice choice[TL_ROUTE_TRUNKS_MAX];
    bool closed;
    uint64_t rest_ms;
    *out = (struct agent_way){.why = "no route for the called number",
                              .emergency = number_is_emergency(generation->config, called)};
    snprintf(out->called, sizeof out->called, "%s", called);
    snprintf(out->calling, sizeof out->calling, "%s", calling);
    const struct tl_route_config *route = route_find(generation->routes, &ask, &closed);
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
    out->count = trunk_plan(generation, route,
                            &(struct trunk_ask){.from = from, .anyhow = out->emergency, .now_ms = now_ms},
                            choice, &rest_ms);
    for (unsigned i = 0; i < out->count; i++)
        out->target[i] = (struct call_target){.trunk = choice[i].trunk, .last = choice[i].last};
    if (out->count)
        return 0;
    out->why = "no trunk of its route is registered";
    if (rest_ms == UINT64_MAX)
        return 503;
    out->why = "every trunk of its route has sent Retry-After and rests";
    out->retry_after = (unsigned)((rest_ms + 999) / 1000);
    return 503;
}

int agent_route(const struct generation *generation, uint32_t from, const char *called, const char *calling,
                uint64_t now_ms, struct agent_way *out)
{
    const struct tl_trunk_config *trunk = &generation->config->trunks[from];
    char inside_called[NUMBER_MAX], inside_calling[NUMBER_MAX];
    number_translate(generation->config, trunk->called_in, called, inside_called);
    number_translate(generation->config, trunk->calling_in, calling, inside_calling);
    return agent_route_inside(generation, from, inside_called, inside_calling, now_ms, out);
}
