// SPDX-License-Identifier: BSD-3-Clause
//
// How far a transfer is that we carry out (RFC 5589): which calls have a part in it and whose turn it is. What is done in each
// stage is the agent's. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct record;
struct record_writer;

enum transfer_stage {
    TRANSFER_CALLING, // the target is called, or the session for two parties of two calls is made
    TRANSFER_WAITING, // that is done; the calls have to be at rest
    TRANSFER_MOVING,  // who was transferred is being told of its new place
    TRANSFER_STAGE_COUNT
};

struct transfer {
    enum transfer_stage stage;
    bool attended;                 // by the transferor's other call, `second`
    bool replaces;                 // no REFER: the target's INVITE replaces who is `by`
    uint8_t dialog;                // ... in that dialog of its side: what counts where it rings there
    uint8_t by, by_second;         // sides of the transferor: in its call, and in its other one
    uint8_t moving;                // side of the target's call that is being told
    uint16_t answer;               // the target's final answer, 0: none yet
    uint16_t joined;               // what became of the move, 0: nothing yet
    uint64_t call, target, second; // numbers of the calls
};

// Writes it as a section "transfer", and reads that back: 0, or -EINVAL and *t is zeroed.
void transfer_save(const struct transfer *t, struct record_writer *w);
int transfer_load(struct transfer *t, struct record *in);
