// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/trunk.h"

#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/record.h"
#include "control/base/record_parts.h"

enum { SPREAD_MS = 10 }; // between the first OPTIONS of two trunks, so that a thousand do not leave at once

// ---- what follows from the targets

// Returns what changed. Without targets nothing can be down.
static enum trunk_change sum_up(struct trunk *trunk, uint64_t now_ms)
{
    bool was = trunk->down;

    trunk->down = trunk->target_count > 0 || trunk->unresolved;
    trunk->checked = false;
    trunk->failures = UINT32_MAX;
    trunk->due_ms = TRUNK_NEVER;
    trunk->rest_until_ms = trunk->target_count ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < trunk->target_count; i++) {
        const struct trunk_target *t = &trunk->targets[i];
        trunk->down = trunk->down && t->down;
        trunk->checked = trunk->checked || t->checked;
        if (t->failures < trunk->failures)
            trunk->failures = t->failures;
        if (!t->asking && t->due_ms < trunk->due_ms)
            trunk->due_ms = t->due_ms;
        if (t->rest_until_ms < trunk->rest_until_ms)
            trunk->rest_until_ms = t->rest_until_ms;
    }
    if (!trunk->target_count)
        trunk->failures = 0;
    if (trunk->down == was)
        return TRUNK_SAME;
    trunk->changed_ms = now_ms;
    return trunk->down ? TRUNK_WENT_DOWN : TRUNK_WENT_UP;
}

// ---- targets

struct trunk_target *trunk_target(struct trunk *trunk, uint32_t id)
{
    for (uint32_t i = 0; i < trunk->target_count; i++)
        if (trunk->targets[i].id == id)
            return &trunk->targets[i];
    return NULL;
}

struct trunk_target *trunk_target_at(struct trunk *trunk, const struct tl_addr *addr, uint32_t listener)
{
    for (uint32_t i = 0; i < trunk->target_count; i++)
        if (target_is_at(&trunk->targets[i], addr, listener))
            return &trunk->targets[i];
    return NULL;
}

struct trunk_target *trunk_pick(struct trunk *trunk, enum trunk_need need, const uint32_t *tried,
                                size_t count, uint64_t now_ms)
{
    return target_pick(trunk->targets, trunk->target_count, need, tried, count, now_ms, false);
}

bool trunk_meets(const struct trunk *trunk, enum trunk_need need)
{
    bool meets = need == TRUNK_ANY_WAY || (!trunk->target_count && trunk->secure);

    for (uint32_t i = 0; !meets && i < trunk->target_count; i++)
        meets = trunk->targets[i].secure;
    return meets;
}

enum trunk_rank trunk_pick_rank(struct trunk *trunk, enum trunk_need need, const uint32_t *tried,
                                size_t count, uint64_t now_ms)
{
    const struct trunk_target *t = count < TRUNK_TRIED_MAX ? target_pick(trunk->targets, trunk->target_count,
                                                                         need, tried, count, now_ms, true)
                                                           : NULL;

    return t ? target_rank(t, now_ms) : TRUNK_RESTING;
}

// Targets of the configuration and of names; `resolved` gets all that names stand for.
struct places {
    struct target_place to[TRUNK_TARGETS_MAX], resolved[TRUNK_TARGETS_MAX];
    size_t to_count, resolved_count;
    bool named; // requests go to one that has a name
    bool open;  // what a name stands for is not known whole yet
    enum name_state name[TL_PEERS_MAX];
};

static void add_to(struct target_place *list, size_t *count, const struct target_place *place)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i].listener == place->listener && tl_addr_equal(&list[i].addr, &place->addr))
            return;
    if (*count < TRUNK_TARGETS_MAX)
        list[(*count)++] = *place;
}

static void add_name(struct places *p, const struct tl_config *config, const struct tl_trunk_config *t,
                     uint32_t i, struct names *names, uint64_t now_ms)
{
    const struct tl_peer_config *peer = &t->peers[i];
    struct name_now now = {.count = 0};

    if (names)
        names_of(names, config, t, peer, now_ms, &now);
    p->name[i] = now.state;
    p->named = p->named || peer->send;
    p->open = p->open || now.open;
    for (uint32_t k = 0; k < now.count; k++) {
        add_to(p->resolved, &p->resolved_count, &now.place[k]);
        if (peer->send)
            add_to(p->to, &p->to_count, &now.place[k]);
    }
}

static void find_places(struct places *p, const struct tl_config *config, const struct tl_trunk_config *t,
                        struct names *names, uint64_t now_ms)
{
    struct tl_peer_config peer;

    *p = (struct places){.to_count = 0};
    for (uint32_t i = 0; tl_trunk_peer(t, i, &peer); i++) {
        const struct target_place place = {.addr = peer.address,
                                           .listener = peer.listener,
                                           .priority = peer.priority,
                                           .weight = peer.weight};
        if (peer.name[0])
            add_name(p, config, t, i, names, now_ms);
        else if (peer.send)
            add_to(p->to, &p->to_count, &place);
    }
}

static bool same_places(const struct trunk *t, const struct places *p)
{
    return t->resolved_count == p->resolved_count &&
           memcmp(t->resolved, p->resolved, p->resolved_count * sizeof p->resolved[0]) == 0;
}

// Records lead to other ones than before, which are not all here: until then what it was is better than half.
static bool is_half(const struct trunk *t, const struct places *p)
{
    return p->open && t->resolved_count;
}

static bool same_peers(const struct tl_trunk_config *a, const struct tl_trunk_config *b)
{
    return a->listener == b->listener && a->peer_count == b->peer_count &&
           memcmp(a->peers, b->peers, a->peer_count * sizeof a->peers[0]) == 0;
}

static void note_names(struct trunk *t, const struct places *p)
{
    t->unresolved = p->named && !p->to_count;
    t->resolved_count = (uint32_t)p->resolved_count;
    memcpy(t->resolved, p->resolved, sizeof t->resolved);
    memcpy(t->name_state, p->name, sizeof t->name_state);
}

static bool is_secure(const struct tl_config *config, uint32_t listener)
{
    return tl_transport_row(config->listeners[listener].transport)->secure;
}

static void set_targets(struct trunk *trunk, const struct tl_config *config,
                        const struct target_place *places, size_t count, uint64_t now_ms)
{
    struct trunk_target next[TRUNK_TARGETS_MAX] = {{.id = 0}};

    for (size_t i = 0; i < count; i++) {
        struct trunk_target *had = trunk_target_at(trunk, &places[i].addr, places[i].listener);
        if (had)
            next[i] = *had;
        else
            next[i] = (struct trunk_target){.addr = places[i].addr,
                                            .listener = places[i].listener,
                                            .id = ++trunk->target_ids,
                                            .due_ms = TRUNK_NEVER,
                                            .changed_ms = now_ms};
        next[i].secure = is_secure(config, places[i].listener);
        next[i].priority = places[i].priority;
        next[i].tier = places[i].tier;
        next[i].weight = places[i].weight;
    }
    memcpy(trunk->targets, next, count * sizeof next[0]);
    trunk->target_count = (uint32_t)count;
}

// When its OPTIONS leave, with the settings of now.
static void schedule(struct trunk_target *t, const struct tl_trunk_config *config, uint64_t first_ms,
                     uint64_t now_ms)
{
    uint64_t next_ms = now_ms + config->options_interval_s * UINT64_C(1000);

    if (!config->options_interval_s) {
        t->failures = 0;
        if (t->down)
            t->changed_ms = now_ms;
        t->down = false;
        t->due_ms = TRUNK_NEVER;
    } else if (t->due_ms == TRUNK_NEVER) {
        t->due_ms = first_ms;
    } else if (t->due_ms > next_ms) {
        t->due_ms = next_ms;
    }
}

// ---- settings

// The peer that requests go to first by the configuration.
static bool first_peer(const struct tl_trunk_config *config, struct tl_peer_config *out)
{
    struct tl_peer_config peer;
    uint32_t lowest = UINT32_MAX;

    for (uint32_t i = 0; tl_trunk_peer(config, i, &peer); i++)
        if (peer.send && peer.priority < lowest) {
            lowest = peer.priority;
            *out = peer;
        }
    return lowest != UINT32_MAX;
}

const char *trunk_host(const struct tl_trunk_config *config, char room[static TL_HOST_MAX])
{
    struct tl_peer_config peer;
    char text[TL_ADDR_TEXT] = "";

    if (first_peer(config, &peer))
        snprintf(room, TL_HOST_MAX, "%s", peer.name[0] ? peer.name : tl_addr_print_host(&peer.address, text));
    else
        room[0] = '\0';
    return room;
}

void trunk_configure(struct trunk *trunk, const struct tl_config *whole, uint32_t index, struct names *names,
                     uint64_t now_ms)
{
    const struct tl_trunk_config *config = &whole->trunks[index];
    uint64_t first_ms = now_ms + (uint64_t)index * SPREAD_MS;
    struct places places;
    uint32_t last_id = trunk->target_ids;
    bool came = !trunk->config, known = false;

    if (came)
        trunk->target_count = 0; // what was known may have changed while nobody looked
    find_places(&places, whole, config, names, now_ms);
    trunk->secure = is_secure(whole, config->listener);
    if (came || !is_half(trunk, &places) || !same_peers(trunk->config, config)) {
        set_targets(trunk, whole, places.to, places.to_count, now_ms);
        note_names(trunk, &places);
    }
    for (uint32_t i = 0; i < trunk->target_count; i++) {
        schedule(&trunk->targets[i], config, first_ms, now_ms);
        known = known || trunk->targets[i].id <= last_id;
    }
    if (!known) { // another peer
        trunk->failed_calls = 0;
        trunk->last_until_ms = 0;
    }
    trunk->config = config;
    trunk->index = index;
    sum_up(trunk, now_ms);
    if (came)
        trunk->changed_ms = now_ms;
}

bool trunk_resolve(struct trunk *trunk, const struct tl_config *config, struct names *names, uint64_t now_ms)
{
    struct places places;

    find_places(&places, config, trunk->config, names, now_ms);
    if (is_half(trunk, &places))
        return false;
    if (same_places(trunk, &places)) {
        note_names(trunk, &places);
        sum_up(trunk, now_ms);
        return false;
    }
    set_targets(trunk, config, places.to, places.to_count, now_ms);
    note_names(trunk, &places);
    for (uint32_t i = 0; i < trunk->target_count; i++)
        schedule(&trunk->targets[i], trunk->config, now_ms, now_ms);
    sum_up(trunk, now_ms);
    return true;
}

void trunk_save(struct record_writer *w, const struct trunk *trunk, uint64_t now_ms)
{
    record_begin(w, "trunk", TRUNK_RECORD);
    record_put_text(w, "name", trunk->name);
    record_put_number(w, "for_ms", now_ms - trunk->changed_ms);
    for (uint32_t i = 0; i < trunk->target_count; i++) {
        const struct trunk_target *t = &trunk->targets[i];
        record_begin(w, "target", TRUNK_RECORD);
        record_put_addr(w, "at", &t->addr);
        record_put_number(w, "down", t->down);
        record_put_number(w, "failures", t->failures);
        record_put_number(w, "for_ms", now_ms - t->changed_ms);
        record_put_number(w, "rest_ms", t->rest_until_ms > now_ms ? t->rest_until_ms - now_ms : 0);
        record_end(w);
    }
    record_end(w);
}

// Into *out what a section "target" says. False: something is missing or cannot be.
static bool load_target(struct record *r, struct trunk_target *out, uint64_t now_ms)
{
    record_addr(r, "at", &out->addr);
    out->down = record_number(r, "down", 1);
    out->failures = (uint32_t)record_number(r, "failures", 100);
    uint64_t for_ms = record_number(r, "for_ms", UINT64_MAX);
    uint64_t rest_ms = record_number(r, "rest_ms", TRUNK_REST_MAX_S * UINT64_C(1000));
    out->changed_ms = now_ms > for_ms ? now_ms - for_ms : 0;
    out->rest_until_ms = rest_ms ? now_ms + rest_ms : 0;
    return !r->bad && r->version == TRUNK_RECORD && (!out->down || out->failures);
}

bool trunk_load_health(struct trunk *trunk, const struct record *in, uint64_t for_ms, uint64_t now_ms)
{
    struct trunk_target saved[TRUNK_TARGETS_MAX];
    struct record r;
    uint32_t n = 0;

    for (; n < TRUNK_TARGETS_MAX && record_section(in, "target", n, &r) == 0; n++)
        if (!load_target(&r, &saved[n], now_ms))
            return false;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < trunk->target_count; k++) {
            struct trunk_target *t = &trunk->targets[k];
            if (!tl_addr_equal(&t->addr, &saved[i].addr))
                continue;
            t->down = saved[i].down;
            t->failures = saved[i].failures;
            t->changed_ms = saved[i].changed_ms;
            t->rest_until_ms = saved[i].rest_until_ms;
        }
    sum_up(trunk, now_ms);
    trunk->changed_ms = now_ms > for_ms ? now_ms - for_ms : 0;
    return true;
}

// ---- keep-alive

struct trunk_target *trunk_target_due(struct trunk *trunk, uint64_t now_ms)
{
    for (uint32_t i = 0; i < trunk->target_count; i++)
        if (!trunk->targets[i].asking && trunk->targets[i].due_ms <= now_ms)
            return &trunk->targets[i];
    return NULL;
}

void trunk_options_sent(struct trunk *trunk, struct trunk_target *target, uint64_t now_ms)
{
    target_options_sent(target, trunk->config, now_ms);
    trunk->counters.options_sent++;
    sum_up(trunk, now_ms);
}

enum trunk_change trunk_options_result(struct trunk *trunk, struct trunk_target *target, unsigned status,
                                       uint64_t now_ms, enum trunk_change *of_target)
{
    trunk->counters.options_failed += !target_shows_life(status);
    *of_target = target_options_result(target, trunk->config, status, now_ms);
    return sum_up(trunk, now_ms);
}

// ---- calls

void trunk_attempt(struct trunk *trunk, struct trunk_target *target)
{
    trunk->counters.attempts++;
    if (target)
        target->counters.attempts++;
}

// What a call that failed or did not counts.
struct row {
    uint32_t *failed;
    uint64_t *last_until_ms;
};

// Whether who it is of is tried last from now on. A 487 of ours says nothing for or against it.
static bool count_failure(struct row row, const struct tl_trunk_config *config, bool led_on, uint64_t now_ms)
{
    bool was = now_ms < *row.last_until_ms;

    if (!led_on) {
        *row.failed = 0;
        *row.last_until_ms = 0;
        return false;
    }
    ++*row.failed;
    if (!config->last_after_failures || *row.failed < config->last_after_failures)
        return false;
    *row.last_until_ms = now_ms + config->last_for_s * UINT64_C(1000);
    return !was;
}

static void count_end(struct trunk_counters *c, struct target_counters *t, unsigned status)
{
    bool good = status >= 200 && status < 300;

    c->answered += good;
    c->failed += !good;
    c->busy_503 += status == 503;
    c->no_response += status == 0;
    if (!t)
        return;
    t->answered += good;
    t->failed += !good;
    t->no_response += status == 0;
}

enum trunk_change trunk_attempt_result(struct trunk *trunk, struct trunk_target *target,
                                       const struct tl_trunk_config *config, unsigned status, bool more,
                                       uint64_t now_ms, bool *now_last)
{
    bool failed = !status || tl_failover_has(&config->failover, status);

    count_end(&trunk->counters, target ? &target->counters : NULL, status);
    *now_last = false;
    if (status != 487 && target)
        count_failure((struct row){&target->failed_calls, &target->last_until_ms}, config, failed || more,
                      now_ms);
    if (status != 487 && !more)
        *now_last =
            count_failure((struct row){&trunk->failed_calls, &trunk->last_until_ms}, config, failed, now_ms);
    if (!target || !target_shows_life(status))
        return TRUNK_SAME;
    target_alive(target, now_ms);
    return sum_up(trunk, now_ms);
}

void trunk_rest(struct trunk *trunk, struct trunk_target *target, uint32_t seconds, uint64_t now_ms)
{
    uint64_t until = now_ms + (seconds < TRUNK_REST_MAX_S ? seconds : TRUNK_REST_MAX_S) * UINT64_C(1000);
    uint64_t *rests = target ? &target->rest_until_ms : &trunk->rest_until_ms;

    if (until > *rests)
        *rests = until;
    if (target)
        sum_up(trunk, now_ms);
}

// One is down and the other rests: then no target is better than down.
static enum trunk_rank best_target(const struct trunk *trunk, uint64_t now_ms)
{
    enum trunk_rank best = trunk->target_count ? TRUNK_RESTING : TRUNK_GOOD;

    for (uint32_t i = 0; i < trunk->target_count; i++) {
        enum trunk_rank rank = target_rank(&trunk->targets[i], now_ms);
        if (rank < best)
            best = rank;
    }
    return best;
}

enum trunk_rank trunk_rank(const struct trunk *trunk, uint64_t now_ms)
{
    enum trunk_rank best = best_target(trunk, now_ms);
    enum trunk_rank own = now_ms < trunk->rest_until_ms   ? TRUNK_RESTING
                          : trunk->down                   ? TRUNK_DOWN
                          : now_ms < trunk->last_until_ms ? TRUNK_FAILING
                                                          : TRUNK_GOOD;

    return own > best ? own : best;
}

const char *trunk_state_word(const struct trunk *trunk)
{
    return trunk->unresolved ? "unresolved" : trunk->down ? "down" : trunk->checked ? "up" : "unchecked";
}
