// SPDX-License-Identifier: BSD-3-Clause
#include "common/key_history.h"

#include <errno.h>
#include <string.h>

static uint64_t mix(uint64_t h, const uint8_t *bytes, size_t len)
{
    for (; len > 0; bytes += 8, len = len > 8 ? len - 8 : 0) {
        uint64_t word = 0;
        memcpy(&word, bytes, len < 8 ? len : 8);
        h = (h ^ word) * 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    return h;
}

uint64_t tl_key_print(const struct tl_crypto *crypto, uint64_t seed)
{
    if (crypto->suite == TL_SUITE_NONE)
        return 0;
    uint64_t h = mix(seed, &crypto->suite, sizeof crypto->suite);
    h = mix(h, crypto->key, sizeof crypto->key);
    h = mix(h, crypto->salt, sizeof crypto->salt);
    return h ? h : 1;
}

// The upper half: each bit of the key reaches it.
static uint32_t half(uint64_t print)
{
    uint32_t h = (uint32_t)(print >> 32);
    return h ? h : 1;
}

static int find(const struct tl_key_history *history, uint64_t print)
{
    if (print == 0)
        return -ENOENT;
    for (int i = 0; i < TL_KEYS_KEPT; i++)
        if (history->print[i] == print)
            return i;
    for (int i = 0; i < TL_KEYS_FORGOTTEN; i++)
        if (history->forgotten[i] == half(print))
            return -ESTALE;
    return -ENOENT;
}

int tl_key_history_find(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    return find(history, tl_key_print(crypto, seed));
}

uint32_t tl_key_history_generation(const struct tl_key_history *history, const struct tl_crypto *crypto,
                                   uint64_t seed)
{
    if (crypto->suite == TL_SUITE_NONE)
        return 0;
    int slot = tl_key_history_find(history, crypto, seed);
    if (slot >= 0)
        return history->generation[slot];
    return history->newest == UINT32_MAX ? 1 : history->newest + 1;
}

int tl_key_history_check(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    if (crypto->suite == TL_SUITE_NONE)
        return 0;
    int slot = tl_key_history_find(history, crypto, seed);
    if (slot >= 0)
        return crypto->generation == history->generation[slot] ? 0 : -EINVAL;
    if (slot == -ESTALE)
        return -ESTALE;
    if (crypto->generation == 0)
        return -EINVAL;
    for (int i = 0; i < history->count; i++)
        if (history->generation[history->order[i]] == crypto->generation)
            return -EINVAL;
    return 0;
}

static void forget(struct tl_key_history *history, unsigned slot)
{
    history->forgotten[history->forget_at] = half(history->print[slot]);
    history->forget_at = (uint8_t)((history->forget_at + 1) % TL_KEYS_FORGOTTEN);
    history->print[slot] = 0;
}

// A slot that no key has.
static uint8_t free_slot(struct tl_key_history *history)
{
    if (history->count == TL_KEYS_KEPT)
        forget(history, history->order[--history->count]);
    uint8_t slot = 0;
    while (history->print[slot])
        slot++;
    return slot;
}

// Puts a slot first in the order of use.
static void used(struct tl_key_history *history, uint8_t slot)
{
    unsigned at = 0;
    while (at < history->count && history->order[at] != slot)
        at++;
    if (at == history->count)
        history->count++;
    memmove(history->order + 1, history->order, at);
    history->order[0] = slot;
}

int tl_key_history_take(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    uint64_t print = tl_key_print(crypto, seed);
    history->plain = print == 0;
    if (print == 0)
        return -1;
    int slot = find(history, print);
    if (slot < 0) {
        slot = free_slot(history);
        history->print[slot] = print;
        history->generation[slot] = crypto->generation;
        if (crypto->generation > history->newest)
            history->newest = crypto->generation;
    }
    used(history, (uint8_t)slot);
    return slot;
}

void tl_key_history_lose(struct tl_key_history *history)
{
    unsigned keep = history->plain ? 0 : 1;
    while (history->count > keep)
        forget(history, history->order[--history->count]);
}
