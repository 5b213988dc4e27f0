// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/leg_keys.h"

#include <errno.h>

struct leg_keys_past {
    struct tl_key_history history[LEG_KEYS_SIDES];
    struct leg_rx *rx[TL_KEYS_KEPT]; // by slot of the rx history, NULL: none
    struct leg_past worker;
};
static_assert(sizeof(struct leg_keys_past) <= SLAB_SIZE_MAX, "a block of the slab");

static const struct tl_crypto *crypto_of(const struct tl_leg *terms, unsigned side)
{
    return side == LEG_KEYS_RX ? &terms->rx : &terms->tx;
}

// History of a leg that has its first key, or none.
static struct tl_key_history first_history(const struct leg_keys *keys, unsigned side)
{
    struct tl_key_history h = {.plain = !keys || !keys->print[side]};
    if (!h.plain) {
        h.print[0] = keys->print[side];
        h.generation[0] = h.newest = keys->generation[side];
        h.count = 1;
    }
    return h;
}

int leg_keys_need(struct leg_keys **keys, const struct tl_leg *terms, struct slab *slab)
{
    if (*keys || (terms->rx.suite == TL_SUITE_NONE && terms->tx.suite == TL_SUITE_NONE))
        return 0;
    *keys = slab_get(slab, sizeof **keys);
    return *keys ? 0 : -ENOSPC;
}

// Is this the first key, or the first one that there is?
static bool stays_first(const struct leg_keys *keys, const struct tl_leg *terms, unsigned side, uint64_t seed)
{
    return keys->print[side] == 0 || keys->print[side] == tl_key_print(crypto_of(terms, side), seed);
}

static int make_past(struct leg_keys *keys, struct slab *slab)
{
    struct leg_keys_past *past = slab_get(slab, sizeof *past);
    if (!past)
        return -ENOSPC;
    for (unsigned side = 0; side < LEG_KEYS_SIDES; side++)
        past->history[side] = first_history(keys, side);
    past->rx[0] = keys->rx;
    past->worker.tx_slot = keys->print[LEG_KEYS_TX] ? 0 : LEG_PAST_PLAIN;
    keys->past = past;
    return 0;
}

int leg_keys_check(struct leg_keys **keys, const struct tl_leg *terms, struct slab *slab, uint64_t seed)
{
    bool first = true;
    for (unsigned side = 0; side < LEG_KEYS_SIDES; side++) {
        const struct tl_crypto *crypto = crypto_of(terms, side);
        struct tl_key_history room;
        const struct tl_key_history *history = &room;
        if (*keys && (*keys)->past)
            history = &(*keys)->past->history[side];
        else
            room = first_history(*keys, side);
        int e = tl_key_history_check(history, crypto, seed);
        if (e)
            return e;
        first = first && (!*keys || stays_first(*keys, terms, side, seed));
    }
    int e = leg_keys_need(keys, terms, slab);
    if (e || !*keys || (*keys)->past || first)
        return e;
    return make_past(*keys, slab);
}

struct leg_rx *leg_keys_rx(const struct leg_keys *keys, const struct tl_leg *terms, uint64_t seed)
{
    if (!keys || !keys->past)
        return NULL;
    int slot = tl_key_history_find(&keys->past->history[LEG_KEYS_RX], &terms->rx, seed);
    return slot < 0 ? NULL : keys->past->rx[slot];
}

static void take_first(struct leg_keys *keys, const struct tl_leg *terms, struct leg_rx *rx, uint64_t seed)
{
    for (unsigned side = 0; side < LEG_KEYS_SIDES; side++) {
        const struct tl_crypto *crypto = crypto_of(terms, side);
        if (keys->print[side] || crypto->suite == TL_SUITE_NONE)
            continue;
        keys->print[side] = tl_key_print(crypto, seed);
        keys->generation[side] = crypto->generation;
        if (side == LEG_KEYS_RX)
            keys->rx = rx;
    }
}

struct leg_keys_change leg_keys_take(struct leg_keys *keys, const struct tl_leg *terms, struct leg_rx *rx,
                                     uint64_t seed)
{
    struct leg_keys_change change = {.tx_slot = LEG_PAST_PLAIN};
    struct leg_keys_past *past = keys ? keys->past : NULL;
    if (keys && !past)
        take_first(keys, terms, rx, seed);
    if (!past)
        return change;
    int slot = tl_key_history_take(&past->history[LEG_KEYS_RX], &terms->rx, seed);
    if (slot >= 0 && past->rx[slot] != rx) {
        change.retired = past->rx[slot];
        past->rx[slot] = rx;
    }
    bool known = tl_key_history_find(&past->history[LEG_KEYS_TX], &terms->tx, seed) >= 0;
    slot = tl_key_history_take(&past->history[LEG_KEYS_TX], &terms->tx, seed);
    if (slot >= 0)
        change.tx_slot = (uint8_t)(known ? slot : slot | LEG_PAST_NEW);
    change.past = &past->worker;
    return change;
}

bool leg_keys_owns(const struct leg_keys *keys, const struct leg_rx *rx)
{
    for (unsigned i = 0; rx && keys && keys->past && i < TL_KEYS_KEPT; i++)
        if (keys->past->rx[i] == rx)
            return true;
    return false;
}

void leg_keys_free(struct leg_keys *keys, struct slab *slab)
{
    if (!keys)
        return;
    if (keys->past)
        for (unsigned i = 0; i < TL_KEYS_KEPT; i++)
            slab_put(slab, keys->past->rx[i], sizeof *keys->past->rx[i]);
    slab_put(slab, keys->past, sizeof *keys->past);
    slab_put(slab, keys, sizeof *keys);
}
