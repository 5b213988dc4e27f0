// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int calls_init(struct calls *calls, uint32_t count)
{
    memset(calls, 0, sizeof *calls);
    for (calls->chains = 1; calls->chains < count; calls->chains *= 2)
        ;
    calls->count = count;
    calls->call = calloc(count, sizeof *calls->call);
    calls->chain = calloc(calls->chains, sizeof *calls->chain);
    calls->free_slot = calloc(count, sizeof *calls->free_slot);
    if (!calls->call || !calls->chain || !calls->free_slot) {
        calls_fini(calls);
        return -ENOMEM;
    }
    // Without randomness the hash is a known one: slower at worst.
    if (getrandom(&calls->seed, sizeof calls->seed, GRND_NONBLOCK) != sizeof calls->seed)
        calls->seed = 0;
    for (uint32_t i = 0; i < calls->chains; i++)
        calls->chain[i] = CALL_NONE;
    for (uint32_t i = 0; i < count; i++)
        calls->free_slot[i] = i;
    calls->free_count = count;
    return 0;
}

void calls_fini(struct calls *calls)
{
    if (calls->call)
        explicit_bzero(calls->call, calls->count * sizeof *calls->call);
    free(calls->call);
    free(calls->chain);
    free(calls->free_slot);
    memset(calls, 0, sizeof *calls);
}

static uint32_t *chain_of(struct calls *calls, uint64_t call_ref)
{
    uint64_t h = (call_ref ^ calls->seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return &calls->chain[h >> 32 & (calls->chains - 1)];
}

struct call *calls_find(struct calls *calls, uint64_t call_ref)
{
    for (uint32_t i = *chain_of(calls, call_ref); i != CALL_NONE; i = calls->call[i].next)
        if (calls->call[i].call_ref == call_ref)
            return &calls->call[i];
    return NULL;
}

struct call *calls_get(struct calls *calls, const struct tl_handle *handle)
{
    if (handle->slot >= calls->count)
        return NULL;
    struct call *call = &calls->call[handle->slot];
    return call->state == CALL_LIVE && call->generation == handle->generation ? call : NULL;
}

uint32_t calls_slot(const struct calls *calls, const struct call *call)
{
    return call - calls->call;
}

struct call *calls_take(struct calls *calls)
{
    if (calls->free_count == 0)
        return NULL;
    struct call *call = &calls->call[calls->free_slot[calls->free_first]];
    calls->free_first = (calls->free_first + 1) % calls->count;
    calls->free_count--;
    uint32_t generation = call->generation + 1;
    memset(call, 0, sizeof *call);
    call->generation = generation ? generation : 1;
    call->next = CALL_NONE;
    return call;
}

void calls_link(struct calls *calls, struct call *call)
{
    uint32_t *chain = chain_of(calls, call->call_ref);
    call->next = *chain;
    *chain = calls_slot(calls, call);
    call->state = CALL_LIVE;
    call->born = ++calls->born;
    calls->worker_calls[call->worker]++;
}

void calls_end(struct calls *calls, struct call *call)
{
    uint32_t *at = chain_of(calls, call->call_ref);
    while (*at != calls_slot(calls, call))
        at = &calls->call[*at].next;
    *at = call->next;
    call->state = CALL_ENDING;
    calls->worker_calls[call->worker]--;
}

void calls_put(struct calls *calls, struct call *call)
{
    for (unsigned i = 0; i < 2; i++) {
        tl_key_history_fini(&call->leg[i].rx_keys);
        tl_key_history_fini(&call->leg[i].tx_keys);
    }
    explicit_bzero(call->leg, sizeof call->leg);
    call->state = CALL_FREE;
    call->call_ref = 0;
    calls->free_slot[(calls->free_first + calls->free_count) % calls->count] = calls_slot(calls, call);
    calls->free_count++;
}
