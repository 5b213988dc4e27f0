// SPDX-License-Identifier: BSD-3-Clause
// packet path: the table of SSRCs that take turns.
#include "dataplane/session/turns.h"

#include <string.h>

struct turns *turns_add(struct turns_table *table, struct session *s)
{
    struct turns *turns;
    for (;;) { // a round and a step at most: the hand leaves no entry recent
        turns = &table->entry[table->hand];
        table->hand = (table->hand + 1) % TURNS_SESSIONS;
        if (!turns->used || !turns->recent)
            break;
        turns->recent = false;
    }
    memset(turns, 0, sizeof *turns);
    turns->used = turns->recent = true;
    turns->slot = s->slot;
    s->turns = (uint16_t)(turns - table->entry + 1);
    return turns;
}

struct turn *turns_of(struct turns *turns, unsigned leg, uint32_t ssrc)
{
    for (unsigned i = 0; turns && i < TURNS_KEPT; i++)
        if (turns->turn[leg][i].used && turns->turn[leg][i].ssrc == ssrc)
            return &turns->turn[leg][i];
    return NULL;
}

struct turn *turns_place(struct turns *turns, unsigned leg, uint32_t now_ms)
{
    struct turn *longest = &turns->turn[leg][0];
    for (unsigned i = 0; i < TURNS_KEPT; i++) {
        struct turn *turn = &turns->turn[leg][i];
        if (!turn->used)
            return turn;
        if (now_ms - turn->left_ms > now_ms - longest->left_ms)
            longest = turn;
    }
    return longest;
}

uint32_t turns_front(const struct turns *turns, unsigned leg, uint32_t last_ts)
{
    uint32_t front = last_ts;
    for (unsigned i = 0; turns && i < TURNS_KEPT; i++) {
        const struct turn *turn = &turns->turn[leg][i];
        if (turn->used && (int32_t)(turn->last_ts - front) > 0)
            front = turn->last_ts;
    }
    return front;
}
