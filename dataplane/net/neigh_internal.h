// SPDX-License-Identifier: BSD-3-Clause
// Inside of the next-hop table: shared by neigh.c (manager) and neigh_worker.c (packet path).
#pragma once

#include "dataplane/net/neigh.h"

enum {
    NEIGH_HASH =
        4 * NEIGH_MAX, // places for (port, address) to number, a power of two, a quarter full at most
    NEIGH_UP = 256,    // messages of one worker to the manager
    NEIGH_DOWN = 512,  // own frames for one worker
};

enum neigh_message_type {
    NEIGH_ASK = 1,  // a packet waits for `number`
    NEIGH_REPLY,    // `ip` has `mac`: answer to a request of ours
    NEIGH_NEWS,     // `ip` has `mac`: request or announcement of theirs
    NEIGH_CONFLICT, // `mac` says that our media address `ip` is its own
};

// Worker to manager.
struct neigh_message {
    uint8_t type;
    uint8_t port; // index in ports->port
    uint8_t mac[6];
    uint32_t ip; // network byte order
    uint32_t number;
};
static_assert(sizeof(struct neigh_message) == 16, "ring element");

// Who has which number, so that workers can tell news from noise. An entry is ip << 32 | port << 16 | number,
// 0 = free. A worker that reads while the manager moves entries may miss one: then a probe brings the news.
struct neigh_known {
    _Atomic uint64_t place[NEIGH_HASH]; // manager: wo, workers: ro
};

static inline uint32_t neigh_hash(unsigned port, uint32_t ip)
{
    uint64_t x = ((uint64_t)ip << 8 | port) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(x >> 40) & (NEIGH_HASH - 1);
}

// The number of (port index, ip), or NEIGH_NO_ROUTE.
static inline uint32_t neigh_known_find(const struct neigh_known *known, unsigned port, uint32_t ip)
{
    uint32_t at = neigh_hash(port, ip);
    for (unsigned i = 0; i < NEIGH_HASH; i++, at = (at + 1) & (NEIGH_HASH - 1)) {
        uint64_t e = atomic_load_explicit(&known->place[at], memory_order_relaxed);
        if (e == 0)
            return NEIGH_NO_ROUTE;
        if (e >> 16 == ((uint64_t)ip << 16 | port))
            return e & 0xffff;
    }
    return NEIGH_NO_ROUTE;
}

enum neigh_state {
    NEIGH_FREE,    // the number is nobody's
    NEIGH_IDLE,    // nobody asked since the hold-down ended
    NEIGH_PROBING, // broadcast requests are out
    NEIGH_KNOWN,   // valid
    NEIGH_RECHECK, // valid, requests are out
    NEIGH_HOLD,    // failed, until the hold-down ends
};

struct neigh_entry {
    enum neigh_state state;
    uint32_t ip;
    uint32_t source_ip; // the realm's, in requests
    uint32_t refs;
    uint8_t port; // index
    uint8_t tries;
    uint8_t epoch; // counts hold-downs; an unresolved record shows it
    uint32_t hold_ms;
    uint64_t due_ns;  // when the state wants something; UINT64_MAX = never
    uint64_t old_ns;  // when a known MAC wants to be asked for again
    uint64_t idle_ns; // since when refs is 0
    struct rte_ether_addr mac;
};

// A port's announcements.
struct neigh_link {
    uint8_t announcements; // still to be made
    uint64_t due_ns;
};

struct neigh {
    struct neigh_table table;
    struct neigh_known known;
    const struct ports *ports;
    struct rte_mempool *pool;
    struct rte_ring *up[TL_WORKERS_MAX];
    struct rte_ring *down[TL_WORKERS_MAX];
    struct neigh_entry entry[NEIGH_MAX];
    uint32_t top; // numbers below were used at some time
    uint32_t free_count;
    uint32_t probing; // entries in that state
    uint64_t next_due_ns;
    uint64_t announce_due_ns;
    uint64_t conflict_said_ns;
    struct neigh_link link[TL_PORTS_MAX];
    struct neigh_stats stats;
};
