// SPDX-License-Identifier: BSD-3-Clause
// Trunks as the operator sees them.
#include <stdio.h>
#include <string.h>

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

// Calls that a limit held back, by limit.
static json_t *held_back(const uint64_t *by_limit)
{
    json_t *all = json_object();

    for (int i = 0; all && i < TRUNK_LIMIT_COUNT; i++)
        json_object_set_new(all, trunk_limit_label((enum trunk_limit)i),
                            json_integer((json_int_t)by_limit[i]));
    return all;
}

static json_t *limits(const struct trunk *t)
{
    const struct tl_trunk_config *c = t->config;
    uint64_t sum = 0;

    for (int i = 0; i < TRUNK_LIMIT_COUNT; i++)
        sum += t->use.refused[i] + t->use.diverted[i];
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "max_calls",
                     (json_int_t)c->max_calls, "waiting_calls", (json_int_t)t->use.waiting,
                     "max_waiting_calls", (json_int_t)c->max_waiting_calls, "max_calls_per_s",
                     (json_int_t)c->max_calls_per_s, "kbit_per_s", (json_int_t)t->use.kbit, "max_kbit_per_s",
                     (json_int_t)c->max_kbit_per_s, "calls_from", (json_int_t)t->use.from, "reserved_calls",
                     (json_int_t)t->use.share, "held_back", (json_int_t)sum, "refused",
                     held_back(t->use.refused), "diverted", held_back(t->use.diverted));
}

// One that the configuration has no more, while calls of former generations go on over it.
static json_t *former_json(const struct trunk *t, uint64_t now_ms)
{
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:n, s:s, s:b, s:I, s:I, s:I, s:i, s:I, s:o}", "name",
                     t->name, "listener", "transport", "peer", "realm", "srtp", "state", "removed", "checked",
                     0, "last_seconds", (json_int_t)0, "rest_seconds", (json_int_t)0, "state_seconds",
                     (json_int_t)((now_ms - t->changed_ms) / 1000), "options_failures", 0, "active_calls",
                     (json_int_t)t->use.calls, "counters", counters(&t->counters));
}

// Seconds until then, the last one begun counts.
static json_int_t left(uint64_t until_ms, uint64_t now_ms)
{
    return until_ms > now_ms ? (json_int_t)((until_ms - now_ms + 999) / 1000) : 0;
}

// The peer in a word: the first one that requests go to, with its port where it has one.
static const char *peer_text(const struct tl_trunk_config *c, char room[static TL_HOST_MAX])
{
    struct tl_peer_config peer;
    char host[TL_HOST_MAX];

    trunk_host(c, host);
    snprintf(room, TL_HOST_MAX, "%s", host);
    for (uint32_t i = 0; tl_trunk_peer(c, i, &peer); i++)
        if (peer.send && !peer.name[0] && strcmp(tl_addr_print_host(&peer.address, room), host) == 0)
            return tl_addr_print(&peer.address, room);
    memcpy(room, host, sizeof host);
    return room;
}

static json_t *trunk_json(const struct tl_config *config, const struct trunk *t, uint64_t now_ms)
{
    const struct tl_trunk_config *c = t->config;
    char peer[TL_HOST_MAX];

    if (!c)
        return former_json(t, now_ms);
    const struct tl_listener_config *l = &config->listeners[c->listener];
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:i, s:I, s:o, s:o}", "name",
                     c->name, "listener", l->name, "transport", tl_transport_row(l->transport)->name, "peer",
                     peer_text(c, peer), "realm", config->realms[c->realm].name, "srtp", srtp_words[c->srtp],
                     "state", trunk_state_word(t), "checked", t->checked, "last_seconds",
                     left(t->last_until_ms, now_ms), "rest_seconds", left(t->rest_until_ms, now_ms),
                     "state_seconds", (json_int_t)((now_ms - t->changed_ms) / 1000), "options_failures",
                     (int)t->failures, "active_calls", (json_int_t)t->use.calls, "counters",
                     counters(&t->counters), "limits", limits(t));
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

// ---- one trunk

static const char *target_state(const struct trunk_target *t)
{
    return t->down ? "down" : t->checked ? "up" : "unchecked";
}

static json_t *target_json(const struct tl_config *config, const struct trunk_target *t, uint64_t now_ms)
{
    const struct target_counters *c = &t->counters;

    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:i, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}}",
        "address", TL_ADDR_STR(&t->addr), "transport",
        tl_transport_row(config->listeners[t->listener].transport)->name, "listener",
        config->listeners[t->listener].name, "priority", (json_int_t)t->priority, "weight",
        (json_int_t)t->weight, "state", target_state(t), "rank", target_rank_word(target_rank(t, now_ms)),
        "state_seconds", (json_int_t)((now_ms - t->changed_ms) / 1000), "last_seconds",
        left(t->last_until_ms, now_ms), "rest_seconds", left(t->rest_until_ms, now_ms), "options_failures",
        (int)t->failures, "next_options_seconds",
        t->asking || t->due_ms == TRUNK_NEVER ? json_null() : json_integer(left(t->due_ms, now_ms)),
        "counters", "attempts", (json_int_t)c->attempts, "answered", (json_int_t)c->answered, "failed",
        (json_int_t)c->failed, "no_response", (json_int_t)c->no_response, "options_sent",
        (json_int_t)c->options_sent, "options_failed", (json_int_t)c->options_failed);
}

// As the file has it.
static json_t *peer_json(const struct tl_config *config, const struct tl_peer_config *p)
{
    char text[TL_ADDR_TEXT];
    bool network = p->address.port == 0 && !p->name[0];

    return json_pack("{s:o, s:s, s:b, s:I, s:I}", "address",
                     p->name[0] ? (p->port ? json_sprintf("%s:%u", p->name, p->port) : json_string(p->name))
                     : network  ? json_sprintf("%s/%u", tl_addr_print_ip(&p->address, text), p->prefix_len)
                                : json_string(tl_addr_print(&p->address, text)),
                     "transport", tl_transport_row(config->listeners[p->listener].transport)->name, "send",
                     p->send, "priority", (json_int_t)p->priority, "weight", (json_int_t)p->weight);
}

static json_t *settings_json(const struct tl_config *config, const struct tl_trunk_config *c)
{
    const struct tl_listener_config *l = &config->listeners[c->listener];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "listener", l->name,
                     "address", TL_ADDR_STR(&l->address), "realm", config->realms[c->realm].name, "side",
                     c->side == TL_SIDE_CORE ? "core" : "peer", "srtp", srtp_words[c->srtp], "domain",
                     c->domain, "options_interval_s", (json_int_t)c->options_interval_s, "options_failures",
                     (json_int_t)c->options_failures, "no_response_ms", (json_int_t)c->no_response_ms,
                     "other_transports", c->other_transports, "trusted", c->trusted ? "yes" : "no");
}

// What a name stands for, or NULL for a peer without.
static json_t *name_json(const struct trunk_table *table, const struct trunk *t,
                         const struct tl_peer_config *peer, uint64_t now_ms)
{
    static const char *const words[] = {[NAME_NEW] = "asked",
                                        [NAME_FOUND] = "found",
                                        [NAME_STALE] = "stale",
                                        [NAME_NOTHING] = "nothing",
                                        [NAME_FAILED] = "failed"};
    const struct tl_config *config = table->now->config;
    struct name_now now;
    json_t *addresses = json_array();

    names_of(table->names, config, t->config, peer, now_ms, &now);
    for (uint32_t i = 0; i < now.count; i++)
        json_array_append_new(
            addresses,
            json_pack("{s:s, s:s, s:I, s:I, s:I}", "address", TL_ADDR_STR(&now.place[i].addr), "transport",
                      tl_transport_row(config->listeners[now.place[i].listener].transport)->name, "order",
                      (json_int_t)(now.place[i].tier >> 16), "priority",
                      (json_int_t)(now.place[i].tier & 0xffff), "weight", (json_int_t)now.place[i].weight));
    return json_pack("{s:s, s:s, s:I, s:o}", "name", peer->name, "state", words[now.state], "ttl_seconds",
                     (json_int_t)now.ttl_s, "addresses", addresses);
}

json_t *ctl_trunk(const struct trunk_table *table, const char *name, uint64_t now_ms)
{
    const struct tl_config *config = table->now->config;
    const struct trunk *t = trunk_named(table, name);
    json_t *answer = t ? trunk_json(config, t, now_ms) : NULL, *peers = json_array(), *targets = json_array(),
           *names = json_array();
    struct tl_peer_config peer;

    if (!answer || !t->config) {
        json_decref(peers);
        json_decref(targets);
        json_decref(names);
        return answer;
    }
    for (uint32_t i = 0; tl_trunk_peer(t->config, i, &peer); i++) {
        json_array_append_new(peers, peer_json(config, &peer));
        if (peer.name[0])
            json_array_append_new(names, name_json(table, t, &peer, now_ms));
    }
    for (uint32_t i = 0; i < t->target_count; i++)
        json_array_append_new(targets, target_json(config, &t->targets[i], now_ms));
    json_object_set_new(answer, "rank", json_string(target_rank_word(trunk_rank(t, now_ms))));
    json_object_set_new(answer, "settings", settings_json(config, t->config));
    json_object_set_new(answer, "peers", peers);
    json_object_set_new(answer, "targets", targets);
    json_object_set_new(answer, "names", names);
    return answer;
}
