// SPDX-License-Identifier: BSD-3-Clause
// Where a call goes: its route, and the trunks of it that are to be tried.
#include "control/agent/agent_internal.h"
#include "control/trunk/number.h"
#include "control/trunk/route.h"

int agent_route(const struct generation *generation, uint32_t from, const char *called, uint64_t now_ms,
                struct agent_way *out)
{
    struct trunk_choice choice[TL_ROUTE_TRUNKS_MAX];
    bool closed;
    uint64_t rest_ms;
    const struct tl_route_config *route = route_find(generation->config, from, called, &closed);
    *out = (struct agent_way){.why = "no route for the called number",
                              .emergency = number_is_emergency(generation->config, called)};
    if (closed)
        out->why =
            "its routes lead from a peer to a peer or back to where it came from, and none says that it may";
    if (!route)
        return closed ? 403 : 404;
    out->count = trunk_plan(generation, route, from, out->emergency, now_ms, choice, &rest_ms);
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
