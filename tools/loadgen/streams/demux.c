// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/demux.h"

#include <errno.h>
#include <stdlib.h>

struct demux_slot {
    uint64_t local, remote;
    uint32_t value; // UINT32_MAX: free
};

static uint64_t packed(const struct endpoint *e)
{
    return (uint64_t)e->ip << 16 | e->port;
}

static uint32_t hash(uint64_t local, uint64_t remote)
{
    uint64_t x = (local * 0x9e3779b97f4a7c15u) ^ (remote * 0xc2b2ae3d27d4eb4fu);

    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(x >> 32);
}

int demux_init(struct demux *d, uint32_t count)
{
    uint32_t size = 16;

    while (size < count * 2)
        size *= 2;
    d->slot = malloc(size * sizeof *d->slot);
    if (d->slot == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < size; i++)
        d->slot[i].value = UINT32_MAX;
    d->mask = size - 1;
    return 0;
}

void demux_fini(struct demux *d)
{
    free(d->slot);
    d->slot = NULL;
}

// The slot of the pair, or the free one where it belongs.
static struct demux_slot *find(const struct demux *d, uint64_t local, uint64_t remote)
{
    uint32_t at = hash(local, remote) & d->mask;

    while (d->slot[at].value != UINT32_MAX && (d->slot[at].local != local || d->slot[at].remote != remote))
        at = (at + 1) & d->mask;
    return &d->slot[at];
}

int demux_put(struct demux *d, const struct endpoint *local, const struct endpoint *remote, uint32_t value)
{
    struct demux_slot *slot = find(d, packed(local), packed(remote));

    if (slot->value != UINT32_MAX)
        return -EEXIST;
    *slot = (struct demux_slot){packed(local), packed(remote), value};
    return 0;
}

uint32_t demux_get(const struct demux *d, const struct endpoint *local, const struct endpoint *remote)
{
    return find(d, packed(local), packed(remote))->value;
}

void demux_set(struct demux *d, const struct endpoint *local, const struct endpoint *remote, uint32_t value)
{
    struct demux_slot *slot = find(d, packed(local), packed(remote));

    if (slot->value != UINT32_MAX)
        slot->value = value;
}
