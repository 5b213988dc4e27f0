// SPDX-License-Identifier: BSD-3-Clause
// The way of a call: its numbers as they are inside, its route, the trunks to try. Who asks what would become of a call gets it
// from here too, with each step told. Pure; one thread.
#pragma once

#include "control/trunk/generation.h"
#include "control/trunk/number.h"

// Where a call goes.
struct way {
    struct trunk_choice target[TL_ROUTE_TRUNKS_MAX]; // to be tried in this order
    unsigned count;
    bool emergency;                               // limits do not hold it back
    bool peer_to_peer;                            // its route lets a peer's call go on to a peer
    char called[NUMBER_MAX], calling[NUMBER_MAX]; // as they are inside
    int called_rule, calling_rule;                // of the translations that made them so, -1: none fitted
    const char *why;                              // nowhere: a sentence
    bool clear;                                   // ... because it is sips:, and no trunk has TLS
    const char *phrase;                           // ... and a reason phrase of the configuration, or NULL
    unsigned retry_after;                         // ... and s until it may be tried again, 0: unknown
};

// Is told of each route that is looked at, in their order, and of each trunk of the one that is taken: those to try as they are
// tried, then the others. NULL members are not called.
struct way_watch {
    void (*route)(void *arg, uint32_t route, enum route_verdict verdict);
    void (*trunk)(void *arg, uint32_t trunk, enum trunk_verdict verdict);
    void *arg;
};

struct way_ask {
    uint32_t from;                // index of the trunk that the call came by
    const char *called, *calling; // user parts without separators and parameters; "" for no caller
    enum trunk_need need;
    uint64_t now_ms;
    bool dry;                      // only asked: nobody's turn in a route group is used up
    const struct way_watch *watch; // NULL: nobody
};

// Finds the way of a call with the numbers that the peer sent. Returns 0, or the status that turns it away: 403, 404, 480 (RFC
// 5630 section 5.3), 503, or what a route denies it with. `out` points into the configuration.
int way_find(const struct generation *generation, const struct way_ask *ask, struct way *out);

// The same for numbers as they are inside, behind the translations of that trunk.
int way_find_inside(const struct generation *generation, const struct way_ask *ask, struct way *out);

// Takes the trunks out that have no room for the call, and tells `full` of each. Returns TRUNK_LIMIT_NONE, or which limit it was
// of the last one when none is left.
enum trunk_limit way_drop_full(const struct generation *generation, struct way *way, uint64_t now_ms,
                               void (*full)(void *arg, struct trunk *trunk, enum trunk_limit limit),
                               void *arg);

// How the limits see the call.
enum trunk_urgency way_urgency(const struct way *way);
