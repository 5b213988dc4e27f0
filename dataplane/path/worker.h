// SPDX-License-Identifier: BSD-3-Clause
// packet path: a worker lcore. It owns its queues, its sessions and everything in struct worker, and talks to
// the others over rings only.
#pragma once

#include <rte_ring.h>

#include "dataplane/net/host.h"
#include "dataplane/path/arrival.h"
#include "dataplane/path/clock.h"
#include "dataplane/path/packet.h"
#include "dataplane/session/engine.h"
#include "dataplane/session/former.h"
#include "dataplane/session/turns.h"

enum {
    WORKER_PACKETS = 128,  // the most that one pass of the stages takes
    WORKER_TASKS = 1024,   // between manager and worker, each way
    WORKER_HANDOFF = 4096, // packets that wait to be taken over: 40 ms of 100 kpps
    WORKER_SAVED = 8,      // first packets of a stream in one pass that more than one ROC is tried for
};

enum task_kind { TASK_LINK, TASK_SWAP, TASK_UNLINK, TASK_NONE };

// What the manager asks of a worker. The same object comes back when it is done; whatever it points to
// belongs to the worker in between. LINK and UNLINK touch the port map only: sessions, keys and the live
// record are the manager's work, before and after.
struct task {
    alignas(RTE_CACHE_LINE_SIZE) uint8_t kind; // enum task_kind
    uint16_t port[2];                          // LINK, UNLINK: each leg's RTP port
    uint32_t slot;                             // LINK, SWAP
    uint8_t tx_slot[2];                        // SWAP: see session_swap()
    union {
        struct portmap *map[2]; // LINK, UNLINK: of each leg's address
        struct leg_parts parts
            [2]; // SWAP: new ones, no terms leave the leg alone. Back: what the leg does not use any more
    };
};
static_assert(sizeof(struct task) == RTE_CACHE_LINE_SIZE, "a worker fetches one line for a task");

struct worker_rx {
    uint16_t port_id;
    uint16_t queue;
};

// A packet that may be authenticated more than once, as it came: unprotecting changes it.
struct worker_saved {
    const struct rte_mbuf *m;
    uint16_t len;
    uint8_t bytes[TL_LEN_MAX];
};

struct worker {
    const struct engine *engine;
    struct tl_live_worker *live;
    struct tl_live_session *live_session; // by slot
    struct srtp_ctx *srtp;
    uint32_t cm_lines, gcm_lines; // of keys: srtp_key_lines()
    unsigned id;
    unsigned burst; // packets taken from one queue at once
    unsigned rx_count;
    struct worker_rx rx[TL_PORTS_MAX];
    struct rte_ring *tasks;    // manager to worker
    struct rte_ring *done;     // worker to manager
    struct rte_ring *handoff;  // received packets whose session is ours; all other workers fill it
    struct rte_ring *transmit; // finished packets that leave by our queues; all other workers fill it
    // worker_life.c: rest between turns
    uint64_t spin_until; // TSC
    uint32_t sleep_ns;
    uint32_t ring_slots; // of the smallest receive ring

    struct worker_clock clock;
    uint64_t now_ns;       // of this step, CLOCK_MONOTONIC
    unsigned to_unprotect; // of the packets that were admitted, those that came in on a leg with a key
    unsigned to_protect;   // and those that leave by one
    struct neigh_worker neigh;
    struct host host;
    unsigned dead_count;
    struct rte_mbuf *dead[WORKER_PACKETS]; // dropped, freed together
    unsigned away_count;
    struct rte_mbuf *away[WORKER_PACKETS]; // for other workers ...
    uint8_t away_to[WORKER_PACKETS];       // ... and which
    struct arrival arrival[TL_PORTS_MAX];  // by index of the port
    struct packet packet[WORKER_PACKETS];
    struct srtp_op op[WORKER_PACKETS];
    struct turns_table turns;
    struct former_table former;
    unsigned saved_count;
    struct worker_saved saved[WORKER_SAVED];

    alignas(RTE_CACHE_LINE_SIZE) _Atomic bool stop; // manager: wo
};
static_assert(offsetof(struct worker, stop) % RTE_CACHE_LINE_SIZE == 0, "the manager's line");

// Makes worker `id` with its rings and its machine for SRTP; it owns the queues that engine->ports gives it.
// `neigh` as neigh_create() made it. Sets engine->worker[id]. Returns 0 or -errno. Main lcore.
int worker_init(struct worker **out, struct engine *engine, struct neigh *neigh, unsigned id);

// Frees it with the packets in its rings. Tasks must all have come back. NULL is fine. Main lcore, after the
// worker's loop has ended.
void worker_fini(struct worker *w);

// One turn: tasks, packets from all queues and rings through all stages, frames that waited for ARP.
// Returns how many packets there were. Worker's lcore.
unsigned worker_step(struct worker *w);

// The loop, until worker_stop(): for rte_eal_remote_launch(). `arg` is the struct worker. Returns 0.
int worker_main(void *arg);

// Longest sleep, in nanoseconds, in which a quarter of a receive ring of `ring_slots` cannot fill up with
// this many calls. Any thread.
uint32_t worker_sleep_max(uint32_t ring_slots, uint32_t calls);

// Makes the loop end after its turn. Any thread.
void worker_stop(struct worker *w);

// Takes the mbuf back to its pool with the others at the end of the step.
void worker_discard(struct worker *w, struct rte_mbuf *m);
void worker_flush_dead(struct worker *w);

// Sends finished frames by engine->ports->port[port], or through the worker that owns its queue, in order.
// Returns how many were taken (counted as tx or handed_off); of the others *reason says why they must be
// dropped.
unsigned worker_transmit(struct worker *w, unsigned port, struct rte_mbuf **m, unsigned n,
                         enum tl_drop *reason);

// Sends the packets whose next hop has answered and drops those whose next hop has not. Returns how many.
unsigned worker_send_waiting(struct worker *w);

// Sends the host part's answer to a received frame by m->port. Counted as absorbed, or dropped as tx_full.
void worker_answer(struct worker *w, struct rte_mbuf *m);

// Adds to a counter that this thread alone writes.
static inline void count64(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void count32(_Atomic uint32_t *counter, uint32_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

// Counts a frame as dropped and discards it.
static inline void worker_drop(struct worker *w, struct rte_mbuf *m, enum tl_drop reason)
{
    count64(&w->live->drops[reason], 1);
    worker_discard(w, m);
}

// The same for a packet, whose leg is known where the reason is a leg's; it is gone from its array
// (packets_close_up).
static inline void packet_drop(struct worker *w, struct packet *p, enum tl_drop reason)
{
    int at = tl_drop_leg(reason);
    if (at >= 0)
        count32(&p->live->drops[p->leg][at], 1);
    worker_drop(w, p->m, reason);
    p->m = NULL;
}

// Prefetches what packet_drop() will count in.
static inline void packet_prefetch_drop(const struct packet *p, enum tl_drop reason)
{
    int at = tl_drop_leg(reason);
    if (at >= 0)
        rte_prefetch0(&p->live->drops[p->leg][at]);
}

// Moves up those of p[0..n-1] that are not gone (m is NULL) and returns how many they are. `gone`: how many
// are, so that the common case costs nothing.
static inline unsigned packets_close_up(struct packet *p, unsigned n, unsigned gone)
{
    unsigned left = 0;
    if (likely(gone == 0))
        return n;
    for (unsigned i = 0; i < n; i++) {
        if (!p[i].m)
            continue;
        if (left != i)
            p[left] = p[i];
        left++;
    }
    return left;
}
