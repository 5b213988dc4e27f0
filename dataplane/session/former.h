// SPDX-License-Identifier: BSD-3-Clause
// packet path: where a leg's media came from before its address changed: a fork that was not chosen, a party
// before a transfer. Only so that what still comes from there is dropped by a name of its own; nothing is taken
// from there. Kept by the worker for the few sessions whose addresses change; the table is of fixed size, two
// sessions in one place take turns.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    FORMER_SESSIONS = 1024, // places of a table
    FORMER_SOURCES = 4,     // of a leg, the last ones
};

struct former {
    uint64_t route[2][FORMER_SOURCES]; // by leg, as terms_rtp_route(); 0: none
    uint32_t owner;                    // slot of the session + 1, 0: nobody
    uint8_t next[2];                   // place for one more
};

struct former_table {
    struct former place[FORMER_SESSIONS];
};

// A new session in the slot has no former sources. Worker.
static inline void former_forget(struct former_table *table, uint32_t slot)
{
    struct former *f = &table->place[slot % FORMER_SESSIONS];
    if (f->owner == slot + 1)
        memset(f, 0, sizeof *f);
}

// The leg's media comes from elsewhere from now on. Worker.
static inline void former_add(struct former_table *table, uint32_t slot, unsigned leg, uint64_t route)
{
    struct former *f = &table->place[slot % FORMER_SESSIONS];
    if (f->owner != slot + 1)
        *f = (struct former){.owner = slot + 1};
    f->route[leg][f->next[leg]] = route;
    f->next[leg] = (uint8_t)((f->next[leg] + 1) % FORMER_SOURCES);
}

// Did the leg's media come from there once? Worker.
static inline bool former_has(const struct former_table *table, uint32_t slot, unsigned leg, uint64_t route)
{
    const struct former *f = &table->place[slot % FORMER_SESSIONS];
    for (unsigned i = 0; f->owner == slot + 1 && i < FORMER_SOURCES; i++)
        if (f->route[leg][i] == route)
            return true;
    return false;
}
