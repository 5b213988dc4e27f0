// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/inject.h"

#include <string.h>

static uint32_t draw(struct inject *i, uint32_t below)
{
    uint64_t x = i->state += 0x9e3779b97f4a7c15u;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((x >> 32) * below >> 32);
}

void inject_init(struct inject *i, uint64_t seed, uint32_t lose, uint32_t duplicate, uint32_t corrupt,
                 uint32_t swap)
{
    memset(i, 0, sizeof *i);
    i->state = seed;
    i->below[INJECT_LOSE] = lose;
    i->below[INJECT_DUPLICATE] = i->below[INJECT_LOSE] + duplicate;
    i->below[INJECT_CORRUPT] = i->below[INJECT_DUPLICATE] + corrupt;
    i->below[INJECT_SWAP] = i->below[INJECT_CORRUPT] + swap;
}

enum injection inject_draw(struct inject *i)
{
    enum injection what = INJECT_NONE;

    if (i->below[INJECT_SWAP] == 0)
        return what;
    const uint32_t drawn = draw(i, 1000000);
    for (what = INJECT_LOSE; what < INJECTIONS && drawn >= i->below[what]; what++)
        continue;
    if (what == INJECTIONS)
        what = INJECT_NONE;
    i->count[what]++;
    return what;
}

void inject_damage(struct inject *i, uint8_t *data, uint32_t length, uint32_t keep)
{
    const uint32_t at = keep < length ? keep + draw(i, length - keep) : length - 1;

    data[at] ^= (uint8_t)(1u << draw(i, 8));
}
