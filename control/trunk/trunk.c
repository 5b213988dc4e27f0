// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/trunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SPREAD_MS = 10, // between the first OPTIONS of two trunks, so that a thousand do not leave at once
    PAUSE_MS = 1000 // at least, between a result and the next OPTIONS
};

// ---- table

static int compare_peers(const struct tl_trunk_config *a, uint32_t listener, const struct tl_addr *peer)
{
    if (a->listener != listener)
        return a->listener < listener ? -1 : 1;
    return memcmp(a->peer.ip, peer->ip, sizeof peer->ip);
}

static int compare_indices(const void *a, const void *b, void *trunks)
{
    const struct tl_trunk_config *t = trunks, *other = &t[*(const uint32_t *)b];

    return compare_peers(&t[*(const uint32_t *)a], other->listener, &other->peer);
}

int trunk_table_init(struct trunk_table *table, const struct tl_config *config, uint64_t now_ms)
{
    uint32_t n = config->trunk_count;

    *table = (struct trunk_table){.config = config, .count = n};
    table->trunks = calloc(n ? n : 1, sizeof *table->trunks);
    table->by_peer = calloc(n ? n : 1, sizeof *table->by_peer);
    if (!table->trunks || !table->by_peer) {
        trunk_table_fini(table);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct tl_trunk_config *c = &config->trunks[i];
        table->by_peer[i] = i;
        table->trunks[i] = (struct trunk){
            .config = c,
            .index = i,
            .due_ms = c->options_interval_s ? now_ms + (uint64_t)i * SPREAD_MS : TRUNK_NEVER,
            .changed_ms = now_ms,
        };
    }
    qsort_r(table->by_peer, n, sizeof *table->by_peer, compare_indices, (void *)(uintptr_t)config->trunks);
    return 0;
}

void trunk_table_fini(struct trunk_table *table)
{
    free(table->trunks);
    free(table->by_peer);
    *table = (struct trunk_table){0};
}

// ---- whose request

// First place in by_peer that is not before the key.
static uint32_t lower_bound(const struct trunk_table *table, uint32_t listener, const struct tl_addr *peer)
{
    uint32_t low = 0, high = table->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_peers(table->trunks[table->by_peer[middle]].config, listener, peer) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// (listener, peer) is unique, so at most one of them has the port.
static struct trunk *with_port(struct trunk_table *table, uint32_t first, uint32_t end, uint16_t port)
{
    for (uint32_t i = first; i < end; i++) {
        struct trunk *t = &table->trunks[table->by_peer[i]];
        if (t->config->peer.port == port)
            return t;
    }
    return NULL;
}

struct trunk *trunk_identify(struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                             uint16_t sent_by_port)
{
    uint32_t first = lower_bound(table, listener, source), end = first;

    if (listener >= table->config->listener_count || source->family != TL_AF_INET)
        return NULL;
    while (end < table->count &&
           compare_peers(table->trunks[table->by_peer[end]].config, listener, source) == 0)
        end++;
    if (end == first)
        return NULL;
    if (end == first + 1)
        return &table->trunks[table->by_peer[first]];
    const struct tl_transport_row *row = tl_transport_row(table->config->listeners[listener].transport);
    if (!row->stream) {
        struct trunk *t = with_port(table, first, end, source->port);
        if (t)
            return t;
    }
    return with_port(table, first, end, sent_by_port ? sent_by_port : row->default_port);
}

unsigned trunk_plan(const struct trunk_table *table, const struct tl_route_config *route,
                    uint32_t out[TL_ROUTE_TRUNKS_MAX])
{
    unsigned n = 0;

    for (uint32_t i = 0; i < route->trunk_count; i++)
        if (!table->trunks[route->trunks[i]].down)
            out[n++] = route->trunks[i];
    if (n)
        return n;
    memcpy(out, route->trunks, route->trunk_count * sizeof *out);
    return route->trunk_count;
}

// ---- keep-alive

uint64_t trunk_table_due(const struct trunk_table *table)
{
    uint64_t due = TRUNK_NEVER;

    for (uint32_t i = 0; i < table->count; i++)
        if (!table->trunks[i].asking && table->trunks[i].due_ms < due)
            due = table->trunks[i].due_ms;
    return due;
}

struct trunk *trunk_due(struct trunk_table *table, uint64_t now_ms)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (!table->trunks[i].asking && table->trunks[i].due_ms <= now_ms)
            return &table->trunks[i];
    return NULL;
}

void trunk_options_sent(struct trunk *trunk, uint64_t now_ms)
{
    trunk->asking = true;
    trunk->due_ms = now_ms + trunk->config->options_interval_s * UINT64_C(1000);
    trunk->counters.options_sent++;
}

static bool shows_life(unsigned status)
{
    return status >= 100 && status != 408 && status != 503;
}

static enum trunk_change alive(struct trunk *trunk, uint64_t now_ms)
{
    trunk->failures = 0;
    if (!trunk->down)
        return TRUNK_SAME;
    trunk->down = false;
    trunk->changed_ms = now_ms;
    return TRUNK_WENT_UP;
}

enum trunk_change trunk_options_result(struct trunk *trunk, unsigned status, uint64_t now_ms)
{
    trunk->asking = false;
    if (trunk->due_ms < now_ms + PAUSE_MS)
        trunk->due_ms = now_ms + PAUSE_MS; // the result took longer than the interval
    if (shows_life(status))
        return alive(trunk, now_ms);
    trunk->counters.options_failed++;
    if (trunk->failures < trunk->config->options_failures)
        trunk->failures++;
    if (trunk->down || trunk->failures < trunk->config->options_failures)
        return TRUNK_SAME;
    trunk->down = true;
    trunk->changed_ms = now_ms;
    return TRUNK_WENT_DOWN;
}

// ---- calls

void trunk_attempt(struct trunk *trunk)
{
    trunk->counters.attempts++;
}

enum trunk_change trunk_attempt_result(struct trunk *trunk, unsigned status, uint64_t now_ms)
{
    struct trunk_counters *c = &trunk->counters;

    if (status >= 200 && status < 300) {
        c->answered++;
    } else {
        c->failed++;
        c->busy_503 += status == 503;
        c->no_response += status == 0;
    }
    return shows_life(status) ? alive(trunk, now_ms) : TRUNK_SAME;
}

void trunk_leg_begins(struct trunk *trunk)
{
    trunk->counters.active++;
}

void trunk_leg_ends(struct trunk *trunk)
{
    if (trunk->counters.active)
        trunk->counters.active--;
}
