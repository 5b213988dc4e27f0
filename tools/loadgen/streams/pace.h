// SPDX-License-Identifier: BSD-3-Clause
// When which packet is due, on an absolute schedule: round r, stream i of n at start + (r + i / n) intervals.
// No drift: how late one packet is changes nothing for the next. Pure: time is a parameter.
#pragma once

#include <stdint.h>

struct pace {
    int64_t start;     // ns, any origin
    uint64_t interval; // ns between two packets of one stream
    uint32_t streams;
    uint64_t rounds;    // packets of each stream
    uint64_t next;      // slots passed: packets handed out, or left out
    uint64_t skipped;   // of them left out
    uint64_t lag_limit; // ns behind which what is due is left out, 0: never
};

// A schedule of `rounds` packets for each of `streams` (1 or more), `interval` ns apart (1 or more).
void pace_init(struct pace *p, int64_t start, uint64_t interval, uint32_t streams, uint64_t rounds,
               uint64_t lag_limit);

// How many packets are due at `now`, at most `room`. The next of them is that of stream pace_stream().
// Where the oldest is more than `lag_limit` late, all that is due is left out and counted: a program that
// can't keep up sends what it can, evenly, and says what it left out.
uint32_t pace_due(struct pace *p, int64_t now, uint32_t room);

// The stream whose packet is next.
uint32_t pace_stream(const struct pace *p);

// When that packet is due. Valid unless pace_over().
int64_t pace_next_at(const struct pace *p);

// That packet was sent.
void pace_step(struct pace *p);

// Whether all packets were handed out or left out.
int pace_over(const struct pace *p);
