// SPDX-License-Identifier: BSD-3-Clause
// What a trunk may take of control, so that none harms the others: calls, calls a second, calls that wait for an answer,
// bandwidth, its share of max_calls and, when control has more to do than it can, its share of what it can. Pure state: time
// is a parameter. One thread.
#pragma once

#include <stdint.h>

#include "control/base/bucket.h"

struct trunk;
struct tl_control_config;

// Why a call is not taken: label, Q.850 cause for the peer, sentence.
#define TRUNK_LIMITS(X)                                                                                      \
    X(calls, 34, "the trunk's max_calls are up")                                                             \
    X(waiting, 42, "the trunk's max_waiting_calls wait for an answer")                                       \
    X(bandwidth, 34, "the trunk's max_kbit_per_s are taken")                                                 \
    X(rate, 42, "more new calls than the trunk's max_calls_per_s")                                           \
    X(share, 34, "max_calls are up, but for those that are kept for other trunks")                           \
    X(overload, 42, "more new calls than the trunk's share while control is busy")

enum trunk_limit {
#define X(name, cause, text) TRUNK_LIMIT_##name,
    TRUNK_LIMITS(X)
#undef X
        TRUNK_LIMIT_COUNT,
    TRUNK_LIMIT_NONE = TRUNK_LIMIT_COUNT
};

const char *trunk_limit_label(enum trunk_limit limit);
const char *trunk_limit_text(enum trunk_limit limit);
// Cause of Q.850: 34, no circuit; 42, congestion.
unsigned trunk_limit_cause(enum trunk_limit limit);

// What all trunks share; lies in their table.
struct trunk_shares {
    uint32_t max_calls;
    uint32_t calls;  // of all trunks
    uint32_t kept;   // of max_calls: what the trunks have not taken of their shares
    uint32_t even;   // a trunk's part of control.reserved_percent
    uint32_t pace;   // new calls/s that a trunk may bring now
    uint32_t window; // number of the time that trunk_pace() looks at ...
    uint32_t most;   // ... and calls of the trunk that brought most in it
    bool late;       // messages waited too long in it
};

// What a trunk has taken; lies in its struct trunk. Zeroed: nothing.
struct trunk_use {
    struct trunk_shares *shares;
    uint32_t share;   // of max_calls, for calls that the peer makes
    uint32_t calls;   // calls with a leg here
    uint32_t from;    // of these: calls that the peer made
    uint32_t waiting; // of these: not answered yet
    uint32_t kbit;    // kbit/s of their media in one direction, IP headers included
    struct bucket rate, pace;
    uint32_t window, brought;             // calls that the peer asked for in that time
    uint64_t refused[TRUNK_LIMIT_COUNT];  // calls from the peer, by limit ...
    uint64_t diverted[TRUNK_LIMIT_COUNT]; // ... and to it: another trunk got them, or none
};

// One leg of a call at a trunk. Zeroed: none.
struct trunk_leg {
    struct trunk *trunk;
    uint32_t kbit;
    bool from, waiting;
};

enum trunk_urgency {
    TRUNK_ORDINARY,
    TRUNK_URGENT, // an emergency call: no limit of a trunk holds it back
};

// Whether the peer's new call is taken, at `now_ms`. What holds it back is counted; a call that is taken has taken its token.
// The caller begins its leg at once.
enum trunk_limit trunk_admit(struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms);

// What trunk_admit() would say. Takes and counts nothing.
enum trunk_limit trunk_admission(const struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms);

// Whether the trunk can be given one more call. Takes and counts nothing.
enum trunk_limit trunk_room(const struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms);

// The same for the call that goes out now: takes a token, counts what holds it back.
enum trunk_limit trunk_send(struct trunk *trunk, enum trunk_urgency urgency, uint64_t now_ms);

// A leg of a call begins at the trunk, waiting for an answer, in place of what *leg was. `from`: the peer made the call.
enum trunk_leg_side { TRUNK_LEG_FROM, TRUNK_LEG_TO };
void trunk_leg_begin(struct trunk_leg *leg, struct trunk *trunk, enum trunk_leg_side side);
// Its call was answered, with `ptime` ms of audio in a packet (0: not said, 20).
void trunk_leg_answered(struct trunk_leg *leg, unsigned ptime);
void trunk_leg_end(struct trunk_leg *leg);

// kbit/s of one direction of G.711 with `ptime` ms in a packet (0: 20), IPv4, UDP and RTP headers and SRTP's tag included.
uint32_t trunk_kbit(unsigned ptime, bool srtp);

// A new generation: the shares are given out anew, by trunk_share() for each of its trunks. A trunk that it has not, whose
// config is NULL, gets none.
void trunk_shares_begin(struct trunk_shares *shares, const struct tl_control_config *control,
                        uint32_t trunks);
void trunk_share(struct trunk *trunk, struct trunk_shares *shares);

// ---- overload

enum {
    TRUNK_PACE_MS = 100,      // between two calls of trunk_pace()
    TRUNK_DELAY_MS = 40,      // messages of which each waits longer for its turn: control is busy
    TRUNK_PACE_LEAST = 50,    // calls/s that a trunk is never held below: they cost little
    TRUNK_PACE_FREE = 100000, // calls/s beyond which nobody is held
};

// Told each TRUNK_PACE_MS how long messages waited for their turn since the last time, at least. When that was too long twice in
// a row the pace falls to a part of what the busiest trunk brought; while it is not, the pace rises until nobody is held. A
// trunk with fewer new calls than the pace notices nothing.
void trunk_pace(struct trunk_shares *shares, uint32_t delay_ms);
