// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { WORD = 64 }; // slots in a word of roster.live

static uint32_t words(const struct roster *roster)
{
    return (roster->count + WORD - 1) / WORD;
}

int roster_init(struct roster *roster, uint32_t count)
{
    memset(roster, 0, sizeof *roster);
    for (roster->chains = 1; roster->chains < count; roster->chains *= 2)
        ;
    roster->count = count;
    roster->entry = calloc(count, sizeof *roster->entry);
    roster->chain = calloc(roster->chains, sizeof *roster->chain);
    roster->live = calloc(words(roster), sizeof *roster->live);
    if (!roster->entry || !roster->chain || !roster->live) {
        roster_fini(roster);
        return -ENOMEM;
    }
    // Without randomness the hash is a known one: slower at worst.
    if (getrandom(&roster->seed, sizeof roster->seed, GRND_NONBLOCK) != sizeof roster->seed)
        roster->seed = 0;
    return 0;
}

void roster_fini(struct roster *roster)
{
    if (roster->entry)
        explicit_bzero(roster->entry, roster->fresh * sizeof *roster->entry);
    free(roster->entry);
    free(roster->chain);
    free(roster->live);
    memset(roster, 0, sizeof *roster);
}

static uint32_t *chain_of(struct roster *roster, uint64_t call_ref)
{
    uint64_t h = (call_ref ^ roster->seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return &roster->chain[h >> 32 & (roster->chains - 1)];
}

struct roster_entry *roster_find(struct roster *roster, uint64_t call_ref)
{
    for (uint32_t i = *chain_of(roster, call_ref); i != 0; i = roster->entry[i - 1].next)
        if (roster->entry[i - 1].call_ref == call_ref)
            return &roster->entry[i - 1];
    return NULL;
}

struct roster_entry *roster_get(struct roster *roster, const struct tl_handle *handle)
{
    if (handle->slot >= roster->count)
        return NULL;
    struct roster_entry *entry = &roster->entry[handle->slot];
    return entry->state == ROSTER_LIVE && entry->generation == handle->generation ? entry : NULL;
}

uint32_t roster_slot(const struct roster *roster, const struct roster_entry *entry)
{
    return entry - roster->entry;
}

uint32_t roster_next_live(const struct roster *roster, uint32_t slot)
{
    if (slot >= roster->count)
        return roster->count;
    uint32_t w = slot / WORD;
    uint64_t bits = roster->live[w] & UINT64_MAX << slot % WORD;
    while (bits == 0 && ++w < words(roster))
        bits = roster->live[w];
    return bits ? w * WORD + (uint32_t)__builtin_ctzll(bits) : roster->count;
}

static struct roster_entry *take_free(struct roster *roster)
{
    if (roster->fresh < roster->count)
        return &roster->entry[roster->fresh++];
    if (roster->free_head == 0)
        return NULL;
    struct roster_entry *entry = &roster->entry[roster->free_head - 1];
    roster->free_head = entry->next;
    if (roster->free_head == 0)
        roster->free_tail = 0;
    return entry;
}

struct roster_entry *roster_take(struct roster *roster)
{
    struct roster_entry *entry = take_free(roster);
    if (!entry)
        return NULL;
    uint32_t generation = entry->generation + 1;
    memset(entry, 0, sizeof *entry);
    entry->generation = generation ? generation : 1;
    return entry;
}

void roster_link(struct roster *roster, struct roster_entry *entry)
{
    uint32_t *chain = chain_of(roster, entry->call_ref), slot = roster_slot(roster, entry);
    entry->next = *chain;
    *chain = slot + 1;
    entry->state = ROSTER_LIVE;
    entry->born = ++roster->born;
    roster->worker_calls[entry->worker]++;
    roster->live[slot / WORD] |= 1ull << slot % WORD;
    roster->live_count++;
}

void roster_end(struct roster *roster, struct roster_entry *entry)
{
    uint32_t *at = chain_of(roster, entry->call_ref), slot = roster_slot(roster, entry);
    while (*at != slot + 1)
        at = &roster->entry[*at - 1].next;
    *at = entry->next;
    entry->state = ROSTER_ENDING;
    roster->worker_calls[entry->worker]--;
    roster->live[slot / WORD] &= ~(1ull << slot % WORD);
    roster->live_count--;
}

void roster_put(struct roster *roster, struct roster_entry *entry, struct slab *slab)
{
    for (unsigned i = 0; i < 2; i++)
        leg_keys_free(entry->leg[i].keys, slab);
    memset(entry->leg, 0, sizeof entry->leg);
    entry->state = ROSTER_FREE;
    entry->call_ref = 0;
    entry->next = 0;
    uint32_t mark = roster_slot(roster, entry) + 1;
    if (roster->free_tail)
        roster->entry[roster->free_tail - 1].next = mark;
    else
        roster->free_head = mark;
    roster->free_tail = mark;
}

uint64_t roster_bytes(const struct roster *roster)
{
    return (uint64_t)roster->fresh * sizeof *roster->entry +
           (uint64_t)roster->chains * sizeof *roster->chain + (uint64_t)words(roster) * sizeof *roster->live;
}
