// SPDX-License-Identifier: BSD-3-Clause
// packet path: SSRCs that take turns on one leg: a digit from an SSRC of its own beside the audio, two senders
// while a call is transferred. They leave as one stream with one SSRC and one index; what is kept here lets
// each go on where it was: its timestamps as its sender counts them, and its late packets in their places.
//
// The stream of now is in struct leg. The ones before it are kept in a table of the worker, for the few
// sessions that have more than one. The table is of fixed size: an entry that was not used lately gives way, and its
// SSRCs are new ones then.
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/session/session.h"

enum {
    TURNS_KEPT = 3,        // SSRCs of a leg beside the one that sends now
    TURNS_SESSIONS = 1024, // entries of a table
};
static_assert(TURNS_SESSIONS < UINT16_MAX, "session.turns holds them");

// One SSRC of the near side.
struct turn {
    uint64_t index;      // outgoing, of its packet with sequence number `seq`
    uint32_t ssrc;       // as the near side sends it
    uint32_t ts_base;    // outgoing timestamp - near side's
    uint32_t last_ts;    // outgoing, of that packet
    uint32_t left_ms;    // when another one took over
    uint32_t generation; // of the key that `index` belongs to, 0: plain
    uint16_t seq;        // highest
    uint8_t reach;       // indices below `index` that are this SSRC's
    bool used;
};
static_assert(sizeof(struct turn) == 32, "memory of a worker");

// The SSRCs of one session, by the leg that they leave by.
struct turns {
    struct turn turn[2][TURNS_KEPT];
    uint32_t slot; // of the session
    bool used;
    bool recent; // since the hand passed
};

struct turns_table {
    uint32_t hand; // next entry to be given away
    struct turns entry[TURNS_SESSIONS];
};

// What is kept for a session, or NULL. Worker.
static inline struct turns *turns_find(struct turns_table *table, const struct session *s)
{
    if (s->turns == 0)
        return NULL;
    struct turns *turns = &table->entry[s->turns - 1];
    return turns->used && turns->slot == s->slot ? turns : NULL;
}

// An empty entry for a session that has none, at the cost of one that was not used lately. Worker.
struct turns *turns_add(struct turns_table *table, struct session *s);

// The turn of an SSRC that leaves by `leg`, or NULL. `turns` may be NULL. Worker.
struct turn *turns_of(struct turns *turns, unsigned leg, uint32_t ssrc);

// A place for one more: a free one, else that of the SSRC that left first. Worker.
struct turn *turns_place(struct turns *turns, unsigned leg, uint32_t now_ms);

// The outgoing timestamp that is farthest ahead of all the leg's SSRCs, of which `last_ts` is that of now.
// `turns` may be NULL.
uint32_t turns_front(const struct turns *turns, unsigned leg, uint32_t last_ts);
