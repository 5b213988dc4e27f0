// SPDX-License-Identifier: BSD-3-Clause
// Trunks as the operator sees them.
#include <stdio.h>

#include "common/addr.h"
#include "control/admin/ctl.h"

static const char *const srtp_words[] = {
    [TL_SRTP_OFF] = "off", [TL_SRTP_OPTIONAL] = "optional", [TL_SRTP_REQUIRED] = "required"};

static json_t *counters(const struct trunk_counters *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "attempts", (json_int_t)c->attempts,
                     "answered", (json_int_t)c->answered, "failed", (json_int_t)c->failed, "busy_503",
                     (json_int_t)c->busy_503, "no_response", (json_int_t)c->no_response, "incoming",
                     (json_int_t)c->incoming, "options_sent", (json_int_t)c->options_sent, "options_failed",
                     (json_int_t)c->options_failed);
}

// One that the configuration has no more, while calls of former generations go on over it.
static json_t *former_json(const struct trunk *t, uint64_t now_ms)
{
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:n, s:s, s:b, s:I, s:i, s:I, s:o}", "name", t->name,
                     "listener", "transport", "peer", "realm", "srtp", "state", "removed", "checked", 0,
                     "state_seconds", (json_int_t)((now_ms - t->changed_ms) / 1000), "options_failures", 0,
                     "active_calls", (json_int_t)t->counters.active, "counters", counters(&t->counters));
}

static json_t *trunk_json(const struct tl_config *config, const struct trunk *t, uint64_t now_ms)
{
    const struct tl_trunk_config *c = t->config;
    char peer[TL_ADDR_TEXT];

    if (!c)
        return former_json(t, now_ms);
    const struct tl_listener_config *l = &config->listeners[c->listener];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:I, s:o}", "name", c->name,
                     "listener", l->name, "transport", tl_transport_row(l->transport)->name, "peer",
                     tl_addr_print(&c->peer, peer), "realm", config->realms[c->realm].name, "srtp",
                     srtp_words[c->srtp], "state", t->down ? "down" : "up", "checked",
                     c->options_interval_s != 0, "state_seconds",
                     (json_int_t)((now_ms - t->changed_ms) / 1000), "options_failures", (int)t->failures,
                     "active_calls", (json_int_t)t->counters.active, "counters", counters(&t->counters));
}

struct list {
    json_t *trunks;
    const struct tl_config *config;
    uint64_t now_ms;
    bool full;
};

static void add(void *arg, const struct trunk *t)
{
    struct list *l = arg;

    l->full = l->full || json_array_append_new(l->trunks, trunk_json(l->config, t, l->now_ms)) < 0;
}

json_t *ctl_trunks(const struct trunk_table *table, uint64_t now_ms)
{
    struct list l = {json_array(), table->now->config, now_ms, false};

    trunk_each(table, add, &l);
    if (l.full)
        json_decref(l.trunks);
    return l.full ? NULL : json_pack("{s:o}", "trunks", l.trunks);
}
