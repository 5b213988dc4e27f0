// SPDX-License-Identifier: BSD-3-Clause
#include "common/key_history.h"

#include <errno.h>
#include <stdlib.h>
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

int tl_key_history_check(const struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    uint64_t print = tl_key_print(crypto, seed);
    if (print == 0)
        return 0;
    if (print == history->last)
        return !history->plain && crypto->generation == history->generation ? 0 : -EINVAL;
    if (crypto->generation == history->generation || (history->plain && crypto->generation == 0))
        return -EINVAL;
    for (unsigned i = 0; i < history->count; i++)
        if (history->older[i] == print)
            return -EINVAL;
    return 0;
}

int tl_key_history_reserve(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    uint64_t print = tl_key_print(crypto, seed);
    if (print == 0 || print == history->last || history->count < history->room)
        return 0;
    unsigned room = history->room ? 2u * history->room : 4;
    if (room > TL_KEY_HISTORY_MAX)
        return -ENOSPC;
    uint64_t *older = calloc(room, sizeof *older);
    if (!older)
        return -ENOSPC;
    if (history->older) {
        memcpy(older, history->older, history->count * sizeof *older);
        explicit_bzero(history->older, history->count * sizeof *older);
        free(history->older);
    }
    history->older = older;
    history->room = (uint16_t)room;
    return 0;
}

void tl_key_history_take(struct tl_key_history *history, const struct tl_crypto *crypto, uint64_t seed)
{
    uint64_t print = tl_key_print(crypto, seed);
    history->plain = print == 0;
    if (print == 0)
        return;
    if (history->last && history->last != print && history->count < history->room)
        history->older[history->count++] = history->last;
    history->last = print;
    history->generation = crypto->generation;
}

void tl_key_history_fini(struct tl_key_history *history)
{
    if (history->older)
        explicit_bzero(history->older, history->count * sizeof *history->older);
    free(history->older);
    explicit_bzero(history, sizeof *history);
}
