// SPDX-License-Identifier: BSD-3-Clause
// What a random party may do next.
#pragma once

#include "ladder.h"

// Each run has habits of its own: what is rare when all is mixed evenly is common in some runs.
struct dice {
    uint64_t state;
    unsigned ack_one_in;   // an ACK that is due is sent at one of so many chances, 0: never
    unsigned spoil_one_in; // messages that are wrong
    unsigned kinds;        // bits of requests inside a dialog
    bool short_waits;
    bool
        few; // nearly all that happens is in the two oldest dialogs: long stories of one call, not short ones of many
};

void dice_init(struct dice *dice, uint64_t seed);

// 0 .. n-1.
unsigned roll(struct dice *dice, unsigned n);

struct move {
    char line[400];
    char more[8][160];
    unsigned more_count;
};

// Picks a move for the state that the ladder is in.
void move_pick(struct dice *dice, struct ladder *l, struct move *m);
