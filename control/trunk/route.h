// SPDX-License-Identifier: BSD-3-Clause
// Where a call goes by its numbers. Pure; one thread at a time, as patterns are.
#pragma once

#include "common/config/config.h"

// The routes of a configuration, found by the digits that a number begins with: a lookup looks at those routes alone whose
// prefix fits, and at those with a pattern that says how the number begins.
struct route_index;

// Makes it. `config` has to outlive it. NULL without memory.
struct route_index *route_index_new(const struct tl_config *config);
void route_index_free(struct route_index *index); // NULL is ignored

// What became of a route that was looked at.
enum route_verdict {
    ROUTE_TAKEN,
    ROUTE_OTHER_FROM, // it is for another trunk's calls
    ROUTE_CALLED,     // its pattern does not fit the called number
    ROUTE_CALLING,    // ... the calling number
    ROUTE_CLOSED,     // from a peer to a peer, or back, and it does not say that it may
};

struct route_ask {
    uint32_t from; // index of the trunk that the call came by
    // Numbers as they are inside, E.164 where they can be; without separators and parameters. A user that is no number fits only
    // the prefix "" and patterns.
    const char *called, *calling;
    // Is told of each route that is looked at, in their order; NULL: nobody.
    void (*tell)(void *arg, uint32_t route, enum route_verdict verdict);
    void *arg;
};

// The route of a call: of those that fit the one with the lowest priority, of these the longest prefix, of these one for that trunk
// alone, of these one with a pattern, of these the first. A route that is open to the call on none of its trunks
// (tl_route_open()) does not fit; neither does one whose pattern gave up, unless it denies. NULL: no route, which is 404, or with
// *closed 403: one would fit but for its sides.
const struct tl_route_config *route_find(const struct route_index *index, const struct route_ask *ask,
                                         bool *closed);
