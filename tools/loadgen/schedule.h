// SPDX-License-Identifier: BSD-3-Clause
// When a call does what, in milliseconds from its ACK, and which of its packets count. Pure: time is a
// parameter.
#pragma once

#include "tools/loadgen/payload.h"

#include <stdbool.h>

enum {
    SCHEDULE_GUARD_MS = 200,  // before a BYE or a hold nothing counts: such a packet may rightly be cut off
    SCHEDULE_MARGIN_MS = 100, // and as much more, since the two sides' ACKs are not at the same instant
    SCHEDULE_DTMF_AT = 400,
    // a far side that sends nothing for so long won't send its end any more
    SCHEDULE_SILENCE_MS = 2000,
    // its ACK may be so late (64 T1), and with it its end; then patience is over
    SCHEDULE_LATE_MS = 32000,
};

struct schedule {
    uint32_t count_end; // the window is [0, count_end), less the hold
    uint32_t dtmf_at;   // first digit
    uint32_t hold_at;   // the far side is asked to pause; valid when `holds`
    uint32_t hold_for;  // from held to the resuming re-INVITE
    uint32_t bye_at;    // the earliest BYE
    bool holds;         // this side holds
    bool hangs_up;      // this side sends the BYE
};

// Lays out a call of `seconds` with `digits` telephone-events. Returns 0, or -ERANGE when it is too short for
// that.
int schedule_make(struct schedule *s, uint32_t seconds, uint32_t digits, bool holds, bool hangs_up);

// The shortest call, in seconds, that has room for `digits` and perhaps a hold.
uint32_t schedule_shortest(uint32_t digits, bool holds);

// What the sender of one stream counts.
struct window {
    uint32_t counted;  // packets sent that count
    bool open;         // the call is answered: ACK sent or received
    bool paused_here;  // this side holds, or is about to
    bool paused_there; // the far side asked for a pause
    bool closed;       // for good
};

// Fills in `flags` and `ordinal` of the next packet, sent `now` ms after the ACK; closes the window when its
// time is over.
void window_stamp(struct window *w, const struct schedule *s, uint32_t now, struct payload *p);

// The packet that was stamped was handed to the kernel.
void window_sent(struct window *w, const struct payload *p);

// What was heard of the far side, in ms since our ACK.
struct heard {
    uint32_t last;  // its newest packet
    uint32_t final; // the first that said its end, UINT32_MAX: none yet
};

// True when the side that hangs up may do so: its time has come, and the far side's end was heard
// SCHEDULE_GUARD_MS ago or will not come.
bool schedule_bye_due(const struct schedule *s, uint32_t now, const struct heard *heard);

// True when the side that is to be hung up on need not wait for that any longer.
bool schedule_overdue(const struct schedule *s, uint32_t now, const struct heard *heard);
