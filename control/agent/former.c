// SPDX-License-Identifier: BSD-3-Clause
// Hosts that are no trunk's any more, by another configuration or because a name stands for others, and still have calls with
// us: strangers are let in seldom, and over streams not at all, but these calls go on to their end.
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"

enum { LOOK_MS = 60000 }; // how long one may stay after its last call

static int compare_hosts(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->family != b->family ? (a->family < b->family ? -1 : 1) : memcmp(a->ip, b->ip, sizeof a->ip);
}

static int compare(const void *a, const void *b)
{
    const struct agent_former_host *x = a, *y = b;
    int order = compare_hosts(&x->host, &y->host);
    return order || x->trunk == y->trunk ? order : x->trunk < y->trunk ? -1 : 1;
}

// ---- who they are

struct found {
    const struct agent *agent;
    struct agent_former_host *host;
    size_t count, room;
    bool failed; // no memory
};

static void add(struct found *f, const struct tl_addr *host, uint32_t trunk)
{
    const struct agent_former_host *last = f->count ? &f->host[f->count - 1] : NULL;
    if (!tl_addr_is_set(host) || trunk_is_peer(&f->agent->trunks, host) ||
        (last && last->trunk == trunk && tl_addr_same_host(&last->host, host)))
        return;
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        struct agent_former_host *more = realloc(f->host, room * sizeof *more);
        f->failed = f->failed || !more;
        if (!more)
            return;
        f->host = more;
        f->room = room;
    }
    f->host[f->count++] = (struct agent_former_host){.host = *host, .trunk = trunk};
}

static void add_flow(struct found *f, const struct sip_flow *flow)
{
    add(f, &flow->peer, flow->trunk);
    add(f, &flow->remote, flow->trunk);
}

static void add_leg(struct found *f, const struct agent_leg *leg)
{
    for (const struct agent_dialog *d = leg->dialogs; d; d = d->next)
        if (d->bound)
            add_flow(f, &d->sip.flow);
    if (leg->invite_in)
        add_flow(f, sip_txn_flow(leg->invite_in));
    if (leg->invite_out)
        add_flow(f, sip_txn_flow(leg->invite_out));
}

static void on_timer(void *arg)
{
    struct agent *agent = arg;
    loop_now(agent->loop);
    agent_former_look(agent);
}

void agent_former_look(struct agent *agent)
{
    struct agent_former *former = &agent->former;
    struct found f = {.agent = agent};
    size_t n = 0;
    for (const struct agent_call *c = agent->calls; c; c = c->next)
        for (unsigned side = 0; side < 2; side++)
            add_leg(&f, c->leg[side]);
    if (f.failed) { // those that are known stay, too
        free(f.host);
    } else {
        if (f.count)
            qsort(f.host, f.count, sizeof *f.host, compare);
        for (size_t i = 0; i < f.count; i++)
            if (!n || compare(&f.host[n - 1], &f.host[i]) != 0)
                f.host[n++] = f.host[i];
        free(former->host);
        former->host = f.host;
        former->count = n;
    }
    if (former->count || f.failed)
        wheel_add(loop_wheel(agent->loop), &former->timer, LOOK_MS, on_timer, agent);
    else
        wheel_cancel(loop_wheel(agent->loop), &former->timer);
}

void agent_former_fini(struct agent *agent)
{
    wheel_cancel(loop_wheel(agent->loop), &agent->former.timer);
    free(agent->former.host);
    agent->former = (struct agent_former){0};
}

// ---- whether one is

// The first entry of that host, or behind those that come before it.
static size_t first_of(const struct agent_former *former, const struct tl_addr *host)
{
    size_t low = 0, high = former->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_hosts(&former->host[middle].host, host) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct agent_former *former, size_t i, const struct tl_addr *host)
{
    return i < former->count && tl_addr_same_host(&former->host[i].host, host);
}

bool agent_is_former(const struct agent *agent, const struct tl_addr *host)
{
    return is_at(&agent->former, first_of(&agent->former, host), host);
}

uint32_t agent_former_trunks(const struct agent *agent, const struct tl_addr *host, uint32_t *out,
                             uint32_t count, uint32_t max)
{
    const struct agent_former *former = &agent->former;
    for (size_t i = first_of(former, host); is_at(former, i, host) && count < max; i++) {
        uint32_t k = 0;
        while (k < count && out[k] != former->host[i].trunk)
            k++;
        if (k == count && former->host[i].trunk)
            out[count++] = former->host[i].trunk;
    }
    return count;
}
