// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/portalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { END = 0xffff, TAKEN = 0xfffe };

static uint16_t port_of(const struct portalloc *a, uint16_t pair)
{
    return a->first + 2 * pair;
}

static void append(struct portalloc *a, uint16_t pair)
{
    unsigned b = tl_port_bucket(port_of(a, pair));
    a->next[pair] = END;
    a->prev[pair] = a->tail[b];
    if (a->tail[b] == END)
        a->head[b] = pair;
    else
        a->next[a->tail[b]] = pair;
    a->tail[b] = pair;
    a->count[b]++;
    a->worker_free[a->bucket_worker[b]]++;
    a->free_pairs++;
}

static void remove_pair(struct portalloc *a, uint16_t pair)
{
    unsigned b = tl_port_bucket(port_of(a, pair));
    if (a->prev[pair] == END)
        a->head[b] = a->next[pair];
    else
        a->next[a->prev[pair]] = a->next[pair];
    if (a->next[pair] == END)
        a->tail[b] = a->prev[pair];
    else
        a->prev[a->next[pair]] = a->prev[pair];
    a->next[pair] = TAKEN;
    a->count[b]--;
    a->worker_free[a->bucket_worker[b]]--;
    a->free_pairs--;
}

int portalloc_init(struct portalloc *a, uint16_t first, uint16_t last, const uint8_t *bucket_worker)
{
    memset(a, 0, sizeof *a);
    if (first & 1 || !(last & 1) || first >= last || first == 0)
        return -EINVAL;
    a->first = first;
    a->pairs = (last - first + 1u) / 2;
    memcpy(a->bucket_worker, bucket_worker, sizeof a->bucket_worker);
    a->next = calloc(a->pairs, sizeof *a->next);
    a->prev = calloc(a->pairs, sizeof *a->prev);
    if (!a->next || !a->prev) {
        portalloc_fini(a);
        return -ENOMEM;
    }
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++)
        a->head[b] = a->tail[b] = END;
    for (uint32_t pair = 0; pair < a->pairs; pair++)
        append(a, pair);
    return 0;
}

void portalloc_fini(struct portalloc *a)
{
    free(a->next);
    free(a->prev);
    memset(a, 0, sizeof *a);
}

size_t portalloc_bytes(const struct portalloc *a)
{
    return a->pairs * (sizeof *a->next + sizeof *a->prev);
}

uint16_t portalloc_take(struct portalloc *a, unsigned bucket)
{
    uint16_t pair = a->head[bucket];
    if (pair == END)
        return 0;
    remove_pair(a, pair);
    return port_of(a, pair);
}

int portalloc_take_port(struct portalloc *a, uint16_t port)
{
    if (port & 1 || port < a->first || (port - a->first) / 2u >= a->pairs)
        return -EADDRINUSE;
    uint16_t pair = (port - a->first) / 2;
    if (a->next[pair] == TAKEN)
        return -EADDRINUSE;
    remove_pair(a, pair);
    return 0;
}

void portalloc_put(struct portalloc *a, uint16_t port)
{
    append(a, (port - a->first) / 2);
}
