// SPDX-License-Identifier: BSD-3-Clause
// Whose an address is: hosts and networks of trunks' peers, found by hash. A look-up costs one probe for each prefix length in
// use, however many trunks there are. Pure; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/contract.h"

#define TRUNK_SOURCE_ANY UINT32_MAX // any listener

// How a listener belongs to a peer's address.
enum trunk_source_kind {
    TRUNK_SOURCE_OWN,   // the peer talks to it
    TRUNK_SOURCE_OTHER, // the peer may have changed to its transport
    // the same, by what a name resolves to: it takes no address away from a trunk that has it in the configuration
    TRUNK_SOURCE_NAMED,
    TRUNK_SOURCE_NAMED_OTHER,
    TRUNK_SOURCE_KINDS
};

struct trunk_source {
    struct trunk_source *next; // in its bucket
    struct tl_addr net;        // its bits behind prefix_len are 0; port: the peer's, 0: it has none
    uint8_t prefix_len;
    uint8_t kind;
    uint32_t listener;
    uint32_t trunk; // index
};

struct trunk_sources {
    struct trunk_source **buckets;
    uint32_t bucket_count;                    // a power of two, or 0
    uint32_t count;                           // of all
    uint32_t in_use[2][129];                  // entries with that prefix length; by family: IPv4, IPv6
    uint8_t lengths[2][129], length_count[2]; // those in use, longest first
};

// Zeroed it has none. 0 or -ENOMEM.
int trunk_sources_add(struct trunk_sources *set, const struct trunk_source *source);
// Takes out one that is the same. False: there is none.
bool trunk_sources_remove(struct trunk_sources *set, const struct trunk_source *source);
void trunk_sources_fini(struct trunk_sources *set);

// A walk over all entries whose host or network has the address `from` at the listener: those that are the listener's own
// before the others, of these the longest prefix first.
struct trunk_walk {
    const struct trunk_sources *set;
    struct tl_addr from;
    uint32_t listener;
    uint8_t kind;
    uint8_t length; // place in lengths[] ...
    uint32_t group; // ... and a number for both: entries of one group come one behind the other
    const struct trunk_source *next; // in its bucket; NULL: the group is through
};

struct trunk_walk trunk_walk(const struct trunk_sources *set, uint32_t listener, const struct tl_addr *from);
// The next one, NULL at the end; walk->group says which group it is of.
const struct trunk_source *trunk_walk_next(struct trunk_walk *walk);
