// SPDX-License-Identifier: BSD-3-Clause
// Which SRTP keys one direction of a leg has had. A key that comes back (forks with a key each, a change that
// is taken back) goes on with the replay window and the index that it had: who keeps those keeps them by the
// slot that the key has here. A key that began anew would encrypt two packets with the same keystream, and what
// was received under it could be played back; so one whose state is gone is told apart, and refused.
//
// Rules:
// - Each key has a generation of its own, and keeps it when it comes back. Plain RTP counts as 0.
// - The key in use and the TL_KEYS_KEPT - 1 before it have a slot. One more takes the slot of the key that was
//   not used for the longest time. Of the TL_KEYS_FORGOTTEN that lost theirs last it is known that they were.
//
// Kept are fingerprints, not keys. No pointers: a copy is a history of its own. Any thread, one at a time.
#pragma once

#include "common/contract.h"

enum { TL_KEYS_KEPT = 9, TL_KEYS_FORGOTTEN = 32 };

// All zero: no key yet.
struct tl_key_history {
    uint64_t print[TL_KEYS_KEPT]; // by slot, 0 = free
    uint32_t generation[TL_KEYS_KEPT];
    uint32_t forgotten[TL_KEYS_FORGOTTEN]; // halves of fingerprints, 0 = none
    uint32_t newest;                       // highest generation so far
    uint8_t order[TL_KEYS_KEPT];           // slots, the one used last first
    uint8_t count;                         // of them
    uint8_t forget_at;                     // next place in `forgotten`
    bool plain;                            // no key is in use now
};
static_assert(sizeof(struct tl_key_history) == 256, "two for each leg that changed its key");

// Fingerprint of a key; `seed` is random and the same for the life of a history. Never 0; 0 for plain.
uint64_t tl_key_print(const struct tl_crypto *crypto, uint64_t seed);

// Slot of a key, 0..TL_KEYS_KEPT - 1; -ENOENT: it is a new one, or plain; -ESTALE: it is one that was
// forgotten.
int tl_key_history_find(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// Generation that a key has, or that a new one gets; 0 for plain.
uint32_t tl_key_history_generation(const struct tl_key_history *history, const struct tl_crypto *crypto,
                                   uint64_t seed);

// May `crypto` with the generation that it names be used from now on? 0; -EINVAL: not with this generation;
// -ESTALE: it is a key that was forgotten.
int tl_key_history_check(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// `crypto`, which is not forgotten, is in use from now on, with the generation that it names. Returns its slot,
// or -1 for plain.
int tl_key_history_take(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// The state of all keys but the one in use is lost: they count as forgotten.
void tl_key_history_lose(struct tl_key_history *history);
