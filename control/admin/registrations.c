// SPDX-License-Identifier: BSD-3-Clause
// Registrations as the operator sees them, beside their trunk.
#include <jansson.h>

#include "control/admin/calls.h"
#include "control/agent/agent.h"
#include "control/trunk/registration.h"

static const char *state_of(const struct registration *r)
{
    if (r->held)
        return r->failures ? "shaky" : "registered";
    return r->failures ? "failed" : "registering";
}

static json_int_t seconds_to(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms > now_ms ? (json_int_t)((at_ms - now_ms + 999) / 1000) : 0;
}

static void add(void *arg, const struct agent_registration_info *info)
{
    const struct registration *r = info->state;
    const struct registration_counters *n = &r->counters;
    json_array_append_new(
        arg, json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:i, s:s, s:i, s:{s:I, s:I, s:I, s:I}}", "aor",
                       info->aor, "contact_user", info->contact, "state", state_of(r), "holds_seconds",
                       r->held ? seconds_to(r->until_ms, info->now_ms) : 0, "next_seconds",
                       r->asking ? json_null() : json_integer(seconds_to(r->due_ms, info->now_ms)),
                       "asked_seconds", (json_int_t)r->ask_s, "failures", (int)r->failures, "why", info->why,
                       "service_routes", (int)info->service_routes, "counters", "sent", (json_int_t)n->sent,
                       "confirmed", (json_int_t)n->confirmed, "failed", (json_int_t)n->failed, "lost",
                       (json_int_t)n->lost));
}

void ctl_add_registrations(const struct agent *agent, json_t *trunks)
{
    size_t i;
    json_t *trunk;
    json_array_foreach(trunks, i, trunk)
    {
        const char *name = json_string_value(json_object_get(trunk, "name"));
        const struct trunk *t = name ? trunk_named(agent_trunks(agent), name) : NULL;
        json_t *rows = json_array();
        if (name)
            agent_each_registration(agent, name, add, rows);
        if (t && t->unregistered && !t->down)
            json_object_set_new(trunk, "state", json_string("unregistered"));
        json_object_set_new(trunk, "registrations", rows);
    }
}
