// SPDX-License-Identifier: BSD-3-Clause
// Which worker gets a new session, and by which media ports: both legs' ports lie in buckets of one worker.
#include <errno.h>

#include "dataplane/manager/manager_internal.h"

static bool pair_free(const struct portalloc *a, const struct portalloc *b, unsigned bucket)
{
    return a->count[bucket] > (a == b) && b->count[bucket] > 0;
}

// Worker with the fewest calls that has ports on both sides, or -1.
static int pick_worker(const struct manager *m, const struct portalloc *a, const struct portalloc *b)
{
    int best = -1;
    for (unsigned w = 0; w < m->engine.workers; w++)
        if (a->worker_free[w] > (a == b) && b->worker_free[w] > 0 &&
            (best < 0 || m->roster.worker_calls[w] < m->roster.worker_calls[best]))
            best = (int)w;
    return best;
}

// A free pair of the worker, in `prefer` if it has one: legs in one bucket stay on one worker however many
// workers there are after a restart.
static uint16_t take_near(struct portalloc *a, unsigned worker, unsigned prefer)
{
    for (unsigned i = 0; i < TL_PORT_BUCKETS; i++) {
        unsigned bucket = (prefer + i) % TL_PORT_BUCKETS;
        if (a->bucket_worker[bucket] == worker && a->count[bucket] > 0)
            return portalloc_take(a, bucket);
    }
    return 0;
}

static int take_any(struct manager *m, struct roster_entry *entry)
{
    struct portalloc *a = &m->ports[entry->leg[0].realm], *b = &m->ports[entry->leg[1].realm];
    int worker = pick_worker(m, a, b);
    if (worker < 0)
        return -ENOSPC;
    unsigned bucket = m->bucket;
    for (unsigned i = 0; i < TL_PORT_BUCKETS; i++) {
        unsigned try = (m->bucket + i) % TL_PORT_BUCKETS;
        if (a->bucket_worker[try] == worker && pair_free(a, b, try)) {
            bucket = try;
            break;
        }
    }
    m->bucket = (bucket + 1) % TL_PORT_BUCKETS;
    entry->worker = worker;
    entry->leg[0].local_port = take_near(a, worker, bucket);
    entry->leg[1].local_port = take_near(b, worker, bucket);
    return 0;
}

int manager_take_ports(struct manager *m, struct roster_entry *entry, const struct tl_leg leg[2])
{
    if (!leg[0].local_port && !leg[1].local_port)
        return take_any(m, entry);
    const uint8_t *owner = m->config.ports->bucket_worker;
    int worker = -1;
    unsigned bucket = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (!leg[i].local_port)
            continue;
        bucket = tl_port_bucket(leg[i].local_port);
        if ((worker >= 0 && worker != owner[bucket]) ||
            portalloc_take_port(&m->ports[entry->leg[i].realm], leg[i].local_port))
            return -EADDRINUSE;
        entry->worker = owner[bucket];
        worker = entry->worker;
        entry->leg[i].local_port = leg[i].local_port;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (leg[i].local_port)
            continue;
        entry->leg[i].local_port = take_near(&m->ports[entry->leg[i].realm], worker, bucket);
        if (!entry->leg[i].local_port)
            return -ENOSPC;
    }
    return 0;
}
