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

static json_t *trunk_json(const struct tl_config *config, const struct trunk *t, uint64_t now_ms)
{
    const struct tl_trunk_config *c = t->config;
    const struct tl_listener_config *l = &config->listeners[c->listener];
    char peer[TL_ADDR_TEXT];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:I, s:o}", "name", c->name,
                     "listener", l->name, "transport", tl_transport_row(l->transport)->name, "peer",
                     tl_addr_print(&c->peer, peer), "realm", config->realms[c->realm].name, "srtp",
                     srtp_words[c->srtp], "state", t->down ? "down" : "up", "checked",
                     c->options_interval_s != 0, "state_seconds",
                     (json_int_t)((now_ms - t->changed_ms) / 1000), "options_failures", (int)t->failures,
                     "active_calls", (json_int_t)t->counters.active, "counters", counters(&t->counters));
}

json_t *ctl_trunks(const struct trunk_table *table, uint64_t now_ms)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < table->count; i++)
        if (json_array_append_new(list, trunk_json(table->config, &table->trunks[i], now_ms)) < 0) {
            json_decref(list);
            return NULL;
        }
    return json_pack("{s:o}", "trunks", list);
}
