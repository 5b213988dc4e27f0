// SPDX-License-Identifier: BSD-3-Clause
// Next hops: their MAC addresses, found by ARP (RFC 826) and kept fresh. A session's template holds a
// next-hop number; the worker reads the 8-byte record behind it for each packet. The manager alone writes
// records, each with a single store; everything else that it knows of a next hop is private to it.
//
// Life of a next hop:
//   neigh_get() makes it and asks at once  -> probing: the first packet of each worker waits
//   the answer comes                       -> valid; asked again by unicast when it is old, traffic goes on
//   no answer after NEIGH_TRIES            -> failed: packets are dropped as no_neighbour until the hold-down
//                                             (it doubles) is over; then the next packet asks again
//   nobody has it for NEIGH_LINGER_MS      -> its number may be given to another next hop
#pragma once

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/drops.h"
#include "dataplane/net/port.h"

enum {
    NEIGH_NO_ROUTE = 0,        // the number of no next hop: packets to it are dropped as no_route
    NEIGH_MAX = 4096,          // next hops, number 0 among them
    NEIGH_WAIT_MAX = 64,       // next hops that a worker has a packet waiting for
    NEIGH_TRIES = 4,           // requests before a next hop counts as failed
    NEIGH_RETRY_MS = 250,      // after the first; doubles with each
    NEIGH_FRESH_MS = 30000,    // before a valid address is asked for again
    NEIGH_HOLD_MS = 1000,      // after a failure; doubles with each, up to ...
    NEIGH_HOLD_MAX_MS = 30000, // ... this
    NEIGH_LINGER_MS = 60000,   // without a session
};

// A record: bytes 0 to 5 are the MAC in memory order, byte 7 has the flags. Without a flag it is not resolved
// (yet), and byte 0 counts the hold-downs that passed.
#define NEIGH_VALID  (1ull << 63) // the MAC may be used
#define NEIGH_FAILED (1ull << 62) // nobody answered: drop as no_neighbour
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a record's low bytes are the MAC in memory order");

struct neigh;
struct neigh_known;

// What the workers see of the table.
struct neigh_table {
    _Atomic uint64_t record[NEIGH_MAX]; // manager: wo, workers: ro
};

// One worker's packets that wait for an answer. Owned by that worker once it runs.
struct neigh_worker {
    const struct neigh_table *table;
    const struct neigh_known *known; // whose news the manager wants
    struct rte_ring *up;             // to the manager
    struct rte_ring *down;           // from the manager: own frames to send
    uint32_t count;                  // waiting, for tl_live_worker.waiting
    struct {
        struct rte_mbuf *packet;
        uint32_t number;
        uint8_t epoch; // of the record when the manager was asked
        bool asked;    // the manager has been told; else neigh_collect() asks again
    } wait[NEIGH_WAIT_MAX];
};

// ---- workers (packet path) ---------------------------------------------------------------------------

// The record of a number below NEIGH_MAX. Worker.
static inline uint64_t neigh_load(const struct neigh_table *table, uint32_t number)
{
    return atomic_load_explicit(&table->record[number], memory_order_relaxed);
}

// Writes a valid record's MAC as the destination. Worker.
static inline void neigh_write_ether(uint64_t record, struct rte_ether_hdr *eth)
{
    memcpy(&eth->dst_addr, &record, sizeof eth->dst_addr);
}

// For a packet whose next hop's record is not NEIGH_VALID. The packet must be finished but for the
// destination MAC, with m->port set to the ethdev it leaves by. Returns TL_DROP_COUNT when it was taken and
// waits, else the reason why the caller must drop it: no_route, no_neighbour, neighbour_queue. Worker.
enum tl_drop neigh_wait(struct neigh_worker *worker, struct rte_mbuf *m, uint32_t number);

// What became of waiting packets: `ready` ones have their destination MAC and go out by m->port, `failed`
// ones the caller drops as no_neighbour. Both arrays have room for NEIGH_WAIT_MAX. To be called once a loop
// while worker->count is not 0. Worker.
void neigh_collect(struct neigh_worker *worker, struct rte_mbuf **ready, unsigned *ready_count,
                   struct rte_mbuf **failed, unsigned *failed_count);

// Frames of our own (ARP requests, announcements) that this worker must send by m->port, whose tx queue it
// owns; counted as tx_own. Returns how many of `max` there were. To be called once a loop. Worker.
unsigned neigh_own_frames(struct neigh_worker *worker, struct rte_mbuf **frames, unsigned max);

// Tells the manager that `ip` (network byte order) on port `port` (index in ports->port) has `mac`, as an ARP
// packet said. `reply`: it was an answer to us, else a request or an announcement. False: nobody asked for
// this address, and nothing is learnt. Never waits: when the ring is full the news is lost, and the next
// probe brings it. Worker.
bool neigh_heard(struct neigh_worker *worker, unsigned port, uint32_t ip, const struct rte_ether_addr *mac,
                 bool reply);

// Tells the manager that `mac` claims our media address `ip` (RFC 5227 2.4). Worker.
void neigh_conflict(struct neigh_worker *worker, unsigned port, uint32_t ip,
                    const struct rte_ether_addr *mac);

// ---- manager -----------------------------------------------------------------------------------------

// Makes the table and the rings for all workers of `ports`; ARP frames come from `pool`. Both must outlive
// it. NULL when there is no memory. Main lcore, before the workers.
struct neigh *neigh_create(const struct ports *ports, struct rte_mempool *pool);

// Frees it with the frames that nobody sent. NULL is fine. Main lcore, after the workers.
void neigh_free(struct neigh *neigh);

// Bytes of it and its rings. Manager.
size_t neigh_bytes(const struct neigh *neigh);

// The table that workers read. Any thread.
const struct neigh_table *neigh_table(const struct neigh *neigh);

// Makes *out ready for worker number `worker`. Main lcore, before that worker starts.
void neigh_worker_init(struct neigh_worker *out, struct neigh *neigh, unsigned worker);

// Frees packets that still wait and zeroes it; safe on a zeroed one. Main lcore, after that worker has ended.
void neigh_worker_fini(struct neigh_worker *worker);

// Finds or makes the next hop towards `ip` (network byte order) from a realm of a port: `ip` itself when it
// is on-link, else the realm's gateway. *number holds it until neigh_put(). Returns 0; -ENETUNREACH off-link
// without a gateway, or `ip` can be nobody's address (ours, network, broadcast, multicast, loopback); -ENOSPC
// when NEIGH_MAX next hops are in use. With an error *number is NEIGH_NO_ROUTE, which neigh_put() ignores.
// `now_ns`: CLOCK_MONOTONIC. Manager.
int neigh_get(struct neigh *neigh, const struct port *port, const struct port_realm *realm, uint32_t ip,
              uint64_t now_ns, uint32_t *number);

// Gives one neigh_get() back. Manager, when no worker uses the template any more.
void neigh_put(struct neigh *neigh, uint32_t number, uint64_t now_ns);

// Takes what workers asked and heard, sends what is due. Returns nanoseconds until it must be called again
// (at most a second); workers' questions want it every few milliseconds while there is traffic. Manager.
uint64_t neigh_manage(struct neigh *neigh, uint64_t now_ns);

// Starts gratuitous announcements (RFC 5227 3) of all media addresses of one port: three, a second apart,
// the first with the next neigh_manage(). At start and when a link comes back. Manager.
void neigh_announce(struct neigh *neigh, const struct port *port, uint64_t now_ns);

struct neigh_stats {
    uint32_t in_use; // next hops that sessions hold
    uint32_t valid;
    uint32_t failed;
    uint64_t requests;      // ARP requests made
    uint64_t announcements; // gratuitous ARP made
    uint64_t answers;       // ARP news that was taken
    uint64_t conflicts;     // others that claimed a media address of ours
    uint64_t lost;          // own frames for which there was no buffer or no room
};

void neigh_stats_read(const struct neigh *neigh, struct neigh_stats *out);
