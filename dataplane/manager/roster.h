// SPDX-License-Identifier: BSD-3-Clause
// The manager's own record of each session, by slot: who owns it, where its media is, what control asked for.
// Workers never see it. Manager only.
//
// Small, since there may be 100,000 of them and each is looked at all the time: what a realm knows (port,
// address, map) is looked up by its number, and the history of keys is an object that plain legs don't have.
#pragma once

#include <assert.h>
#include <stdbool.h>

#include "common/contract.h"
#include "dataplane/manager/leg_keys.h"

enum roster_state {
    ROSTER_FREE,
    ROSTER_LIVE,   // linked, or on its way to the worker
    ROSTER_ENDING, // on its way back
};

struct roster_leg {
    struct leg_keys *keys; // NULL: the leg never had one
    uint64_t since_ns;     // silence: when watching began, or last media before it fell silent
    uint32_t silence_ms;   // 0: not watched
    uint16_t local_port;   // RTP, host byte order; 0: none taken yet
    uint8_t realm;         // index into tl_config.realms
    bool silent;           // control was told
};

struct roster_entry {
    uint64_t call_ref;
    uint64_t born;       // counts ADDs, so that FLUSH knows what was there before it
    uint32_t generation; // of the slot; survives the session
    uint32_t next;       // slot + 1 in the chain of its call_ref's hash, or among the free ones; 0: the last
    uint8_t state;       // enum roster_state
    uint8_t worker;
    uint8_t owner; // control loop
    struct roster_leg leg[2];
};
static_assert(sizeof(struct roster_entry) == 80, "at most 88 bytes an entry with its share of the hash");
static_assert(TL_WORKERS_MAX <= UINT8_MAX && TL_LOOPS_MAX <= UINT8_MAX, "bytes hold them");

struct roster {
    struct roster_entry *entry; // [count], by slot; pages are touched when a slot is first used
    uint32_t *chain;            // [chains] first slot + 1, 0 = none
    uint64_t *live;             // a bit for each slot that is ROSTER_LIVE
    uint32_t count;             // slots
    uint32_t chains;            // a power of two
    uint32_t fresh;             // slots from here on were never used
    uint32_t free_head;         // slot + 1 of the longest-free of those that were, 0 = none
    uint32_t free_tail;
    uint32_t live_count;
    uint32_t worker_calls[TL_WORKERS_MAX];
    uint64_t seed; // of the hash and of keys' fingerprints
    uint64_t born;
};

// Makes records for `count` slots. Returns 0 or -ENOMEM.
int roster_init(struct roster *roster, uint32_t count);

// Wipes and frees them; safe on a zeroed object. Every entry was put back.
void roster_fini(struct roster *roster);

// Session with this call_ref that is not ending, or NULL.
struct roster_entry *roster_find(struct roster *roster, uint64_t call_ref);

// Session that the handle names (its incarnation has been checked) and that is not ending, or NULL.
struct roster_entry *roster_get(struct roster *roster, const struct tl_handle *handle);

uint32_t roster_slot(const struct roster *roster, const struct roster_entry *entry);

// First slot from `slot` on that is ROSTER_LIVE; roster->count: none. Looks at 64 slots at a time.
uint32_t roster_next_live(const struct roster *roster, uint32_t slot);

// Takes the longest-free slot for a new session: zeroed but for its generation, which is one more. NULL: none
// is free. roster_link() then makes it findable and counts it for its worker.
struct roster_entry *roster_take(struct roster *roster);
void roster_link(struct roster *roster, struct roster_entry *entry);

// From now on neither call_ref nor handle find it; roster_put() gives the slot back. An entry that roster_take()
// gave and that was never linked is put back directly. What it knows of keys is wiped and goes to `slab`,
// where leg_keys_need() took it.
void roster_end(struct roster *roster, struct roster_entry *entry);
void roster_put(struct roster *roster, struct roster_entry *entry, struct slab *slab);

// Bytes that the entries take: those that were ever used, and the hash.
uint64_t roster_bytes(const struct roster *roster);
