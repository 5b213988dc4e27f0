// SPDX-License-Identifier: BSD-3-Clause
// Which keys a leg has had, and what is kept of each: the windows of what was received under it, and where what
// was sent under it stood. Manager only.
//
// Most legs keep the keys that they begin with: those have one line. The rest is made when a key changes.
//
// Commands may follow each other before the worker has done the first one, so nothing here waits for it: the
// manager knows which object belongs to which key when it posts the task, and the worker does tasks in order.
#pragma once

#include <assert.h>
#include <stdint.h>

#include "common/key_history.h"
#include "dataplane/session/session.h"
#include "dataplane/session/slab.h"

enum leg_keys_side { LEG_KEYS_RX, LEG_KEYS_TX, LEG_KEYS_SIDES };

struct leg_keys_past;

struct leg_keys {
    uint64_t print[LEG_KEYS_SIDES]; // of the first keys, 0: none yet
    uint32_t generation[LEG_KEYS_SIDES];
    struct leg_rx *rx;          // windows of the first rx key
    struct leg_keys_past *past; // NULL: the first ones are in use
};
static_assert(sizeof(struct leg_keys) <= SLAB_LINE, "counted as one line of a leg with SRTP");

// What a MODIFY needs of a leg's keys.
struct leg_keys_change {
    struct leg_past *past;  // the worker's part, or NULL: all keys are the first ones
    uint8_t tx_slot;        // for session_swap()
    struct leg_rx *retired; // windows of a key that was forgotten by it: freed when the task is back
};

// Makes *keys if `terms` bring a key and there are none yet. Returns 0 or -ENOSPC (no memory).
int leg_keys_need(struct leg_keys **keys, const struct tl_leg *terms, struct slab *slab);

// May these keys follow what the leg had? Makes what is needed to remember them, so that leg_keys_take() cannot
// fail. 0; -EINVAL, -ESTALE: as tl_key_history_check() has it; -ENOSPC.
int leg_keys_check(struct leg_keys **keys, const struct tl_leg *terms, struct slab *slab, uint64_t seed);

// The windows that are kept of the rx key of `terms`, or NULL. They stay where they are.
struct leg_rx *leg_keys_rx(const struct leg_keys *keys, const struct tl_leg *terms, uint64_t seed);

// The keys of `terms` are in use from now on. `rx`: the windows of the rx key, old or new ones; they are
// leg_keys' from now on if leg_keys_owns() says so.
struct leg_keys_change leg_keys_take(struct leg_keys *keys, const struct tl_leg *terms, struct leg_rx *rx,
                                     uint64_t seed);

// Are these windows kept for a key, in use or not? Then leg_keys_free() frees them.
bool leg_keys_owns(const struct leg_keys *keys, const struct leg_rx *rx);

// Wipes and frees all of it. NULL is fine. No worker has the session any more.
void leg_keys_free(struct leg_keys *keys, struct slab *slab);
