// SPDX-License-Identifier: BSD-3-Clause
// The manager's own record of each session, by slot: who owns it, where its media is, what control asked for.
// Workers never see it. Manager only.
#pragma once

#include <stdbool.h>

#include "common/contract.h"
#include "common/key_history.h"
#include "dataplane/portalloc.h"
#include "dataplane/terms.h"

enum call_state {
    CALL_FREE,
    CALL_LIVE,   // linked, or on its way to the worker
    CALL_ENDING, // on its way back
};

struct call_leg {
    struct leg_place place;
    struct portmap *map;
    struct portalloc *ports;
    uint16_t realm; // index into tl_config.realms
    // silence
    uint32_t silence_ms; // 0: not watched
    bool silent;         // control was told
    uint64_t since_ns;   // when watching began, or last media before it fell silent
    struct tl_key_history rx_keys, tx_keys;
};

struct call {
    uint64_t call_ref;
    uint64_t born;       // counts ADDs, so that FLUSH knows what was there before it
    uint32_t generation; // of the slot; survives the session
    uint32_t owner;      // control loop
    uint32_t next;       // in the chain of its call_ref's hash
    unsigned worker;
    enum call_state state;
    struct call_leg leg[2];
};

enum { CALL_NONE = UINT32_MAX };

struct calls {
    struct call *call;      // [count], by slot
    uint32_t *chain;        // [chains] first slot
    uint32_t *free_slot;    // ring of free slots: freed last, used last
    uint32_t count, chains; // chains: a power of two
    uint32_t free_first, free_count;
    uint32_t worker_calls[TL_WORKERS_MAX];
    uint64_t seed; // of the hash and of keys' fingerprints
    uint64_t born;
};

// Makes records for `count` slots. Returns 0 or -ENOMEM.
int calls_init(struct calls *calls, uint32_t count);

// Wipes and frees them; safe on a zeroed object.
void calls_fini(struct calls *calls);

// Session with this call_ref that is not ending, or NULL.
struct call *calls_find(struct calls *calls, uint64_t call_ref);

// Session that the handle names (its incarnation has been checked) and that is not ending, or NULL.
struct call *calls_get(struct calls *calls, const struct tl_handle *handle);

uint32_t calls_slot(const struct calls *calls, const struct call *call);

// Takes the longest-free slot for a new session: zeroed but for its generation, which is one more. NULL: none
// is free. calls_link() then makes it findable and counts it for its worker.
struct call *calls_take(struct calls *calls);
void calls_link(struct calls *calls, struct call *call);

// From now on neither call_ref nor handle find it; calls_put() gives the slot back. A call that calls_take()
// gave and that was never linked is put back directly. What it knows of keys is wiped.
void calls_end(struct calls *calls, struct call *call);
void calls_put(struct calls *calls, struct call *call);
