// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { WORD = 64 }; // slots in a word of calls.live

static uint32_t words(const struct calls *calls)
{
    return (calls->count + WORD - 1) / WORD;
}

int calls_init(struct calls *calls, uint32_t count)
{
    memset(calls, 0, sizeof *calls);
    for (calls->chains = 1; calls->chains < count; calls->chains *= 2)
        ;
    calls->count = count;
    calls->call = calloc(count, sizeof *calls->call);
    calls->chain = calloc(calls->chains, sizeof *calls->chain);
    calls->live = calloc(words(calls), sizeof *calls->live);
    if (!calls->call || !calls->chain || !calls->live) {
        calls_fini(calls);
        return -ENOMEM;
    }
    // Without randomness the hash is a known one: slower at worst.
    if (getrandom(&calls->seed, sizeof calls->seed, GRND_NONBLOCK) != sizeof calls->seed)
        calls->seed = 0;
    return 0;
}

void calls_fini(struct calls *calls)
{
    if (calls->call)
        explicit_bzero(calls->call, calls->fresh * sizeof *calls->call);
    free(calls->call);
    free(calls->chain);
    free(calls->live);
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
    for (uint32_t i = *chain_of(calls, call_ref); i != 0; i = calls->call[i - 1].next)
        if (calls->call[i - 1].call_ref == call_ref)
            return &calls->call[i - 1];
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

uint32_t calls_next_live(const struct calls *calls, uint32_t slot)
{
    if (slot >= calls->count)
        return calls->count;
    uint32_t w = slot / WORD;
    uint64_t bits = calls->live[w] & UINT64_MAX << slot % WORD;
    while (bits == 0 && ++w < words(calls))
        bits = calls->live[w];
    return bits ? w * WORD + (uint32_t)__builtin_ctzll(bits) : calls->count;
}

static struct call *take_free(struct calls *calls)
{
    if (calls->fresh < calls->count)
        return &calls->call[calls->fresh++];
    if (calls->free_head == 0)
        return NULL;
    struct call *call = &calls->call[calls->free_head - 1];
    calls->free_head = call->next;
    if (calls->free_head == 0)
        calls->free_tail = 0;
    return call;
}

struct call *calls_take(struct calls *calls)
{
    struct call *call = take_free(calls);
    if (!call)
        return NULL;
    uint32_t generation = call->generation + 1;
    memset(call, 0, sizeof *call);
    call->generation = generation ? generation : 1;
    return call;
}

void calls_link(struct calls *calls, struct call *call)
{
    uint32_t *chain = chain_of(calls, call->call_ref), slot = calls_slot(calls, call);
    call->next = *chain;
    *chain = slot + 1;
    call->state = CALL_LIVE;
    call->born = ++calls->born;
    calls->worker_calls[call->worker]++;
    calls->live[slot / WORD] |= 1ull << slot % WORD;
    calls->live_count++;
}

void calls_end(struct calls *calls, struct call *call)
{
    uint32_t *at = chain_of(calls, call->call_ref), slot = calls_slot(calls, call);
    while (*at != slot + 1)
        at = &calls->call[*at - 1].next;
    *at = call->next;
    call->state = CALL_ENDING;
    calls->worker_calls[call->worker]--;
    calls->live[slot / WORD] &= ~(1ull << slot % WORD);
    calls->live_count--;
}

void calls_put(struct calls *calls, struct call *call, struct slab *slab)
{
    for (unsigned i = 0; i < 2; i++)
        leg_keys_free(call->leg[i].keys, slab);
    memset(call->leg, 0, sizeof call->leg);
    call->state = CALL_FREE;
    call->call_ref = 0;
    call->next = 0;
    uint32_t mark = calls_slot(calls, call) + 1;
    if (calls->free_tail)
        calls->call[calls->free_tail - 1].next = mark;
    else
        calls->free_head = mark;
    calls->free_tail = mark;
}

uint64_t calls_bytes(const struct calls *calls)
{
    return (uint64_t)calls->fresh * sizeof *calls->call + (uint64_t)calls->chains * sizeof *calls->chain +
           (uint64_t)words(calls) * sizeof *calls->live;
}
