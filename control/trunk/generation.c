// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/generation.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/record.h"

// Where the turns of a group are: each call adds to a trunk its weight, and who has most loses the sum of all. So turns are
// spread evenly, however the weights are.
struct group_turn {
    int32_t has[TL_ROUTE_TRUNKS_MAX];
};

// ---- trunks by name

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct trunk *)a)->name, ((const struct trunk *)b)->name);
}

struct trunk *trunk_named(const struct trunk_table *table, const char *name)
{
    struct trunk key = {0};
    size_t len = strlen(name);

    if (len >= sizeof key.name)
        return NULL;
    memcpy(key.name, name, len);
    struct trunk *const *found = tfind(&key, &table->by_name, compare_names);
    return found ? *found : NULL;
}

// The trunk of that name, made where there is none, with one holder more. NULL without memory.
static struct trunk *hold_trunk(struct trunk_table *table, const char *name)
{
    struct trunk *trunk = trunk_named(table, name);

    if (!trunk) {
        trunk = calloc(1, sizeof *trunk);
        if (!trunk)
            return NULL;
        memcpy(trunk->name, name, strlen(name));
        trunk->number = ++table->numbers;
        if (!tsearch(trunk, &table->by_name, compare_names)) {
            free(trunk);
            return NULL;
        }
    }
    trunk->holders++;
    return trunk;
}

static void drop_trunk(struct trunk_table *table, struct trunk *trunk)
{
    if (!trunk || --trunk->holders)
        return;
    tdelete(trunk, &table->by_name, compare_names);
    free(trunk);
}

// ---- generations

// What is done with an entry of the table.
typedef int source_fn(struct trunk_sources *set, const struct trunk_source *source);

static int take_out(struct trunk_sources *set, const struct trunk_source *source)
{
    trunk_sources_remove(set, source);
    return 0;
}

// Who comes from a trunk's peers: at the listeners that they talk to, at those that they may have changed to, and anywhere.
static int each_source(struct trunk_sources *set, const struct tl_config *config, uint32_t trunk,
                       const struct tl_peer_config *peer, enum trunk_source_kind kind, source_fn *fn)
{
    struct trunk_source s = {.net = peer->address,
                             .prefix_len = peer->prefix_len,
                             .kind = (uint8_t)kind,
                             .listener = TRUNK_SOURCE_ANY,
                             .trunk = trunk};
    int rc = fn(set, &s);

    for (uint32_t l = 0; rc == 0 && l < config->listener_count; l++) {
        enum tl_trunk_over over = tl_peer_over(config, &config->trunks[trunk], peer, l);
        if (over == TL_OVER_NOT)
            continue;
        s.listener = l;
        s.kind = (uint8_t)(over == TL_OVER_OWN ? kind : kind + 1); // that of one that changed
        rc = fn(set, &s);
    }
    return rc;
}

static int add_sources(struct trunk_sources *set, const struct tl_config *config, uint32_t trunk)
{
    const struct tl_trunk_config *t = &config->trunks[trunk];
    struct tl_peer_config peer;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && tl_trunk_peer(t, i, &peer); i++) {
        if (peer.name[0])
            continue;
        rc = each_source(set, config, trunk, &peer, TRUNK_SOURCE_OWN, trunk_sources_add);
    }
    return rc;
}

static void generation_free(struct generation *g)
{
    for (uint32_t i = 0; g->trunks && i < g->config->trunk_count; i++)
        drop_trunk(g->table, g->trunks[i]);
    free(g->trunks);
    trunk_sources_fini(&g->sources);
    free(g->turns);
    route_index_free(g->routes);
    tl_config_free(g->owned);
    free(g);
}

static struct generation *generation_new(struct trunk_table *table, const struct tl_config *config)
{
    uint32_t n = config->trunk_count, made = 0;
    struct generation *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    *g = (struct generation){
        .config = config, .number = table->now ? table->now->number + 1 : 1, .table = table, .holders = 1};
    g->trunks = calloc(n ? n : 1, sizeof *g->trunks);
    while (g->trunks && made < n && (g->trunks[made] = hold_trunk(table, config->trunks[made].name)) &&
           add_sources(&g->sources, config, made) == 0)
        made++;
    g->routes = route_index_new(config);
    g->turns = calloc(config->group_count + 1, sizeof *g->turns);
    if (!g->trunks || !g->routes || !g->turns || made < n) {
        generation_free(g);
        return NULL;
    }
    return g;
}

struct generation *generation_hold(struct generation *g)
{
    g->holders++;
    return g;
}

void generation_drop(struct generation *g)
{
    if (g && --g->holders == 0)
        generation_free(g);
}

// ---- names

// What a trunk's names stand for, into the table or out of it. Without memory a request from there is a stranger's until the
// next look-up.
static void each_resolved(struct generation *g, uint32_t trunk, const struct target_place *places,
                          uint32_t count, source_fn *fn)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct tl_peer_config peer = {.address = places[i].addr,
                                            .prefix_len = places[i].addr.family == TL_AF_INET ? 32 : 128,
                                            .listener = places[i].listener};
        each_source(&g->sources, g->config, trunk, &peer, TRUNK_SOURCE_NAMED, fn);
    }
}

static bool has_names(const struct tl_trunk_config *t)
{
    for (uint32_t i = 0; i < t->peer_count; i++)
        if (t->peers[i].name[0])
            return true;
    return false;
}

void trunk_table_resolve(struct trunk_table *table, uint64_t now_ms,
                         void (*tell)(void *arg, struct trunk *trunk, bool moved,
                                      const enum name_state before[static TL_PEERS_MAX]),
                         void *arg)
{
    struct generation *g = table->now;
    enum name_state before[TL_PEERS_MAX];
    struct target_place old[TRUNK_TARGETS_MAX];

    names_round(table->names, now_ms);
    for (uint32_t i = 0; i < g->config->trunk_count; i++) {
        struct trunk *t = g->trunks[i];
        if (!has_names(t->config))
            continue;
        uint32_t old_count = t->resolved_count;
        memcpy(before, t->name_state, sizeof before);
        memcpy(old, t->resolved, sizeof old);
        bool moved = trunk_resolve(t, g->config, table->names, now_ms);
        if (moved) {
            each_resolved(g, i, old, old_count, take_out);
            each_resolved(g, i, t->resolved, t->resolved_count, trunk_sources_add);
        }
        if (moved || memcmp(before, t->name_state, sizeof before) != 0)
            tell(arg, t, moved, before);
    }
}

// ---- the current one

// The trunks have the settings of `g` from now on; those that it lacks have none.
static void make_current(struct trunk_table *table, struct generation *g, uint64_t now_ms)
{
    struct generation *former = table->now;

    for (uint32_t i = 0; i < g->config->trunk_count; i++) {
        trunk_configure(g->trunks[i], g->config, i, table->names, now_ms);
        each_resolved(g, i, g->trunks[i]->resolved, g->trunks[i]->resolved_count, trunk_sources_add);
    }
    for (uint32_t i = 0; former && i < former->config->trunk_count; i++)
        if (former->trunks[i]->config == &former->config->trunks[i]) {
            former->trunks[i]->config = NULL;
            trunk_share(former->trunks[i], &table->shares);
        }
    trunk_shares_begin(&table->shares, &g->config->control, g->config->trunk_count);
    for (uint32_t i = 0; i < g->config->trunk_count; i++)
        trunk_share(g->trunks[i], &table->shares);
    table->now = g;
    generation_drop(former);
}

int trunk_table_init(struct trunk_table *table, const struct tl_config *config, uint64_t now_ms)
{
    *table = (struct trunk_table){.names = names_new()};
    struct generation *g = table->names ? generation_new(table, config) : NULL;
    if (!g) {
        names_free(table->names);
        table->names = NULL;
        return -ENOMEM;
    }
    make_current(table, g, now_ms);
    return 0;
}

int trunk_table_reload(struct trunk_table *table, struct tl_config *config, uint64_t now_ms)
{
    struct generation *g = generation_new(table, config);

    if (!g)
        return -ENOMEM;
    g->owned = config;
    for (uint32_t i = 0; i < config->trunk_count; i++)
        config->trunks[i].number = g->trunks[i]->number;
    make_current(table, g, now_ms);
    return 0;
}

void trunk_table_fini(struct trunk_table *table)
{
    generation_drop(table->now);
    names_free(table->names);
    *table = (struct trunk_table){0};
}

int trunk_load(const struct trunk_table *table, const struct record *in, uint64_t now_ms)
{
    struct record r = *in;
    char name[TL_NAME_MAX];

    record_text(&r, "name", name, sizeof name);
    uint64_t for_ms = record_number(&r, "for_ms", UINT64_MAX);
    if (r.bad || r.version != TRUNK_RECORD)
        return -EINVAL;
    struct trunk *trunk = trunk_named(table, name);
    if (!trunk || !trunk->config || !trunk->config->options_interval_s)
        return -ENOENT;
    return trunk_load_health(trunk, in, for_ms, now_ms) ? 0 : -EINVAL;
}

struct each {
    void (*fn)(void *arg, const struct trunk *trunk);
    void *arg;
};

static void tell_of_former(const void *node, VISIT which, void *arg)
{
    const struct trunk *trunk = *(struct trunk *const *)node;
    const struct each *each = arg;

    if (!trunk->config && (which == postorder || which == leaf))
        each->fn(each->arg, trunk);
}

void trunk_each(const struct trunk_table *table, void (*fn)(void *arg, const struct trunk *trunk), void *arg)
{
    for (uint32_t i = 0; i < table->now->config->trunk_count; i++)
        fn(arg, table->now->trunks[i]);
    twalk_r(table->by_name, tell_of_former, &(struct each){fn, arg});
}

// ---- whose request

uint32_t trunk_candidates(const struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                          uint32_t *out, uint32_t max)
{
    const struct generation *g = table->now;
    struct trunk_walk walk = trunk_walk(&g->sources, listener, source);
    const struct trunk_source *s;
    uint32_t n = 0;

    while (n < max && (s = trunk_walk_next(&walk))) {
        uint32_t number = g->trunks[s->trunk]->number, k = 0;
        while (k < n && out[k] != number)
            k++;
        if (k == n)
            out[n++] = number;
    }
    return n;
}

bool generation_has(const struct generation *g, uint32_t number, uint32_t listener,
                    const struct tl_addr *source)
{
    struct trunk_walk walk = trunk_walk(&g->sources, listener, source);
    const struct trunk_source *s;

    while ((s = trunk_walk_next(&walk)))
        if (g->trunks[s->trunk]->number == number)
            return true;
    return false;
}

bool trunk_has(const struct trunk_table *table, uint32_t number, uint32_t listener,
               const struct tl_addr *source)
{
    return generation_has(table->now, number, listener, source);
}

// What a group of the walk says.
struct found {
    struct trunk *only, *by_source, *by_via;
    bool several;
};

static void note(struct found *f, struct trunk *t, uint16_t port, uint16_t source_port, uint16_t via_port)
{
    f->several = f->several || (f->only && f->only != t);
    f->only = t;
    // (listener, peer) is unique, so at most one of them has a port.
    if (port && port == source_port)
        f->by_source = t;
    if (port && port == via_port)
        f->by_via = t;
}

struct trunk *trunk_identify(const struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                             uint16_t sent_by_port, trunk_vouches_fn *vouches, void *arg)
{
    const struct generation *g = table->now;
    const struct tl_config *config = g->config;
    const struct trunk_source *s;
    struct found f = {0};
    uint32_t group = 0;

    if (listener >= config->listener_count)
        return NULL;
    struct trunk_walk walk = trunk_walk(&g->sources, listener, source);
    const struct tl_transport_row *row = tl_transport_row(config->listeners[listener].transport);
    uint16_t via = sent_by_port ? sent_by_port : row->default_port;
    while ((s = trunk_walk_next(&walk))) {
        struct trunk *t = g->trunks[s->trunk];
        if (f.only && walk.group != group)
            break;
        group = walk.group;
        if (!vouches || vouches(arg, t->number))
            note(&f, t, s->net.port, row->stream ? 0 : source->port, via);
    }
    if (!f.several)
        return f.only;
    return f.by_source ? f.by_source : f.by_via;
}

bool trunk_is_peer(const struct trunk_table *table, const struct tl_addr *source)
{
    struct trunk_walk walk = trunk_walk(&table->now->sources, TRUNK_SOURCE_ANY, source);

    return trunk_walk_next(&walk) != NULL;
}

// ---- which to try

static enum trunk_rank rank_of(const struct generation *g, const struct tl_route_config *route, uint32_t i,
                               const struct trunk_ask *ask)
{
    return trunk_rank(g->trunks[route->trunks[i]], ask->now_ms);
}

static enum trunk_verdict judge(const struct generation *g, const struct tl_route_config *route, uint32_t i,
                                const struct trunk_ask *ask)
{
    if (!tl_route_open(g->config, route, ask->from, route->trunks[i]))
        return TRUNK_CLOSED;
    if (!trunk_meets(g->trunks[route->trunks[i]], ask->need))
        return TRUNK_CLEAR;
    if (g->trunks[route->trunks[i]]->unregistered)
        return TRUNK_UNREGISTERED;
    if (!ask->anyhow && rank_of(g, route, i, ask) == TRUNK_RESTING)
        return TRUNK_LEFT_ALONE;
    return TRUNK_TRIED;
}

// Place in the route of the trunk whose turn it is; 0 where there are none.
static uint32_t whose_turn(const struct generation *g, const struct tl_route_config *route,
                           const struct trunk_ask *ask)
{
    uint32_t best = TL_NO_INDEX;
    int32_t sum = 0;

    if (route->group >= g->config->group_count)
        return 0;
    const struct tl_group_config *group = &g->config->groups[route->group];
    if (group->order == TL_ORDER_LISTED)
        return 0;
    struct group_turn *kept = &g->turns[route->group], turn = *kept;
    for (uint32_t i = 0; i < route->trunk_count; i++) {
        if (rank_of(g, route, i, ask) != TRUNK_GOOD || judge(g, route, i, ask) != TRUNK_TRIED)
            continue;
        int32_t weight = group->weight_count ? (int32_t)group->weights[i] : 1;
        turn.has[i] += weight;
        sum += weight;
        if (best == TL_NO_INDEX || turn.has[i] > turn.has[best])
            best = i;
    }
    if (best == TL_NO_INDEX)
        return 0;
    turn.has[best] -= sum;
    if (!ask->dry)
        *kept = turn;
    return best;
}

unsigned trunk_plan(const struct generation *g, const struct tl_route_config *route,
                    const struct trunk_ask *ask, struct trunk_choice out[TL_ROUTE_TRUNKS_MAX],
                    uint64_t *rest_ms)
{
    uint32_t first = whose_turn(g, route, ask);
    unsigned n = 0;

    for (int rank = TRUNK_GOOD; rank <= TRUNK_RESTING; rank++)
        for (uint32_t k = 0; k < route->trunk_count; k++) {
            uint32_t i = (first + k) % route->trunk_count;
            if ((int)rank_of(g, route, i, ask) != rank || judge(g, route, i, ask) != TRUNK_TRIED)
                continue;
            out[n++] = (struct trunk_choice){route->trunks[i], rank != TRUNK_GOOD};
            if (ask->tell)
                ask->tell(ask->arg, route->trunks[i], TRUNK_TRIED);
        }
    *rest_ms = UINT64_MAX;
    for (uint32_t i = 0; i < route->trunk_count; i++) {
        enum trunk_verdict verdict = judge(g, route, i, ask);
        if (verdict == TRUNK_TRIED)
            continue;
        if (ask->tell)
            ask->tell(ask->arg, route->trunks[i], verdict);
        uint64_t left = g->trunks[route->trunks[i]]->rest_until_ms - ask->now_ms;
        if (verdict == TRUNK_LEFT_ALONE && left < *rest_ms)
            *rest_ms = left;
    }
    return n;
}

// ---- keep-alive

uint64_t trunk_table_due(const struct trunk_table *table)
{
    const struct generation *g = table->now;
    uint64_t due = TRUNK_NEVER;

    for (uint32_t i = 0; i < g->config->trunk_count; i++)
        if (g->trunks[i]->due_ms < due)
            due = g->trunks[i]->due_ms;
    return due;
}

struct trunk *trunk_due(const struct trunk_table *table, uint64_t now_ms)
{
    const struct generation *g = table->now;

    for (uint32_t i = 0; i < g->config->trunk_count; i++)
        if (g->trunks[i]->due_ms <= now_ms)
            return g->trunks[i];
    return NULL;
}
