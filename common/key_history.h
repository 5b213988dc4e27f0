// SPDX-License-Identifier: BSD-3-Clause
// Which SRTP keys one direction of a leg has had, so that none of them begins anew: a key that starts again
// at index 0 encrypts two packets with the same keystream, and what was received under it could be played
// back.
//
// Rules, for the MODIFY that brings a key:
// - the key of now keeps its generation; another key has another one (plain counts as 0), else no state would
//   start anew;
// - a key does not come back: the last one not even after plain RTP in between, and none of those before it
//   where tl_key_history_reserve() was called for each (what we send; what we receive is the other side's to
//   choose, and answers of two forks may alternate).
//
// Kept are fingerprints, not keys.
#pragma once

#include "common/contract.h"

enum { TL_KEY_HISTORY_MAX = 1024 }; // keys of a direction in a call's life

// All zero: no key yet.
struct tl_key_history {
    uint64_t last;       // fingerprint of the newest key, 0 = none
    uint64_t *older;     // [count] the others
    uint32_t generation; // of the newest key
    uint16_t count, room;
    bool plain; // no key is in use now
};

// Fingerprint of a key; `seed` is random and the same for the life of a history. Never 0; 0 for plain.
uint64_t tl_key_print(const struct tl_crypto *crypto, uint64_t seed);

// May `crypto` follow what was there (tl_key_history_take() at ADD, and since)? 0 or -EINVAL.
int tl_key_history_check(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// Makes room to remember the newest key when `crypto` takes its place. 0; -ENOSPC: TL_KEY_HISTORY_MAX keys,
// or no memory.
int tl_key_history_reserve(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// `crypto` is in use from now on; it was checked.
void tl_key_history_take(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed);

// Wipes and frees; safe on a zeroed one, which it is afterwards.
void tl_key_history_fini(struct tl_key_history *history);
