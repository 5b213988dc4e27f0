// SPDX-License-Identifier: BSD-3-Clause
// A worker's making, loop and end; worker.c is what it does in a turn.
#include <errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#include "dataplane/net/eal.h"
#include "dataplane/path/worker.h"

enum {
    SPIN_US = 50,           // without packets before an adaptive worker sleeps
    SLEEP_FIRST_NS = 10000, // then this long, doubling ...
    SLEEP_MAX_NS = 200000,  // ... up to this
    LEG_PPS = 200,          // that a leg may bring: 10 ms packets, RTCP and as much again
};

static struct rte_ring *make_ring(const char *what, unsigned id, unsigned size, unsigned flags)
{
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof name, "%s%u", what, id);
    return rte_ring_create(name, size, SOCKET_ID_ANY, flags);
}

static uint32_t smallest_ring(const struct tl_dataplane_config *c)
{
    uint32_t slots = UINT32_MAX;
    for (uint32_t i = 0; i < c->port_count; i++)
        slots = RTE_MIN(slots, c->ports[i].rx_descriptors);
    return slots;
}

uint32_t worker_sleep_max(uint32_t ring_slots, uint32_t calls)
{
    uint64_t pps = 2ull * LEG_PPS * RTE_MAX(calls, 1u);
    return RTE_MIN((uint64_t)SLEEP_MAX_NS, ring_slots / 4 * 1000000000ull / pps);
}

static void own_queues(struct worker *w)
{
    const struct ports *ports = w->engine->ports;
    for (uint32_t i = 0; i < ports->count; i++) {
        uint16_t queue = ports->port[i].queue[w->id].rx;
        if (queue != PORT_NO_QUEUE)
            w->rx[w->rx_count++] = (struct worker_rx){ports->port[i].id, queue};
    }
}

int worker_init(struct worker **out, struct engine *engine, struct neigh *neigh, unsigned id)
{
    unsigned lcore = eal_worker_lcore(id);
    int node = rte_lcore_is_enabled(lcore) ? (int)rte_lcore_to_socket_id(lcore) : SOCKET_ID_ANY;
    struct worker *w = rte_zmalloc_socket("worker", sizeof *w, RTE_CACHE_LINE_SIZE, node);
    *out = NULL;
    if (!w)
        return -ENOMEM;
    w->engine = engine;
    w->id = id;
    w->live = &engine->live->workers[id];
    w->live_session = engine->live->sessions;
    w->burst = engine->config->dataplane.burst;
    w->ring_slots = smallest_ring(&engine->config->dataplane);
    w->sleep_ns = SLEEP_FIRST_NS;
    own_queues(w);
    int e = srtp_ctx_new(SRTP_ENGINE_AUTO, &w->srtp);
    if (!e) {
        w->cm_lines = srtp_key_lines(w->srtp, false);
        w->gcm_lines = srtp_key_lines(w->srtp, true);
    }
    w->tasks = make_ring("tasks", id, WORKER_TASKS, RING_F_SP_ENQ | RING_F_SC_DEQ);
    w->done = make_ring("done", id, WORKER_TASKS, RING_F_SP_ENQ | RING_F_SC_DEQ);
    // A producer that loses its core in the middle must not hold up the others: relaxed tail sync.
    w->handoff = make_ring("handoff", id, WORKER_HANDOFF, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
    w->transmit = make_ring("transmit", id, WORKER_HANDOFF, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
    if (!e && (!w->tasks || !w->done || !w->handoff || !w->transmit))
        e = -ENOMEM;
    if (e) {
        worker_fini(w);
        return e;
    }
    neigh_worker_init(&w->neigh, neigh, id);
    host_init(&w->host, engine->ports, &w->neigh);
    clock_init(&w->clock);
    w->now_ns = w->clock.anchor_ns;
    engine->worker[id] = w;
    *out = w;
    return 0;
}

static void free_packet_ring(struct rte_ring *ring)
{
    struct rte_mbuf *m;
    while (ring && rte_ring_dequeue(ring, (void **)&m) == 0)
        rte_pktmbuf_free(m);
    rte_ring_free(ring);
}

void worker_fini(struct worker *w)
{
    if (!w)
        return;
    worker_flush_dead(w);
    neigh_worker_fini(&w->neigh);
    free_packet_ring(w->handoff);
    free_packet_ring(w->transmit);
    rte_ring_free(w->tasks);
    rte_ring_free(w->done);
    srtp_ctx_free(w->srtp);
    rte_free(w);
}

// Spins while packets may be near, then sleeps longer and longer.
static void rest(struct worker *w, unsigned packets)
{
    uint64_t now = rte_rdtsc();
    if (packets > 0 || !rte_ring_empty(w->tasks)) {
        w->spin_until = now + rte_get_tsc_hz() / 1000000u * SPIN_US;
        w->sleep_ns = SLEEP_FIRST_NS;
        return;
    }
    if (now < w->spin_until) {
        rte_pause();
        return;
    }
    uint32_t calls = atomic_load_explicit(&w->engine->live->header->in_use, memory_order_relaxed);
    uint32_t ns = RTE_MIN(w->sleep_ns, worker_sleep_max(w->ring_slots, calls));
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
    w->sleep_ns = RTE_MIN(ns * 2, (uint32_t)SLEEP_MAX_NS);
}

int worker_main(void *arg)
{
    struct worker *w = arg;
    bool adaptive = w->engine->config->dataplane.poll == TL_POLL_ADAPTIVE;
    if (adaptive)
        prctl(PR_SET_TIMERSLACK, 1); // else each sleep is 50 µs longer
    while (!atomic_load_explicit(&w->stop, memory_order_acquire)) {
        unsigned packets = worker_step(w);
        if (adaptive)
            rest(w, packets);
    }
    return 0;
}

void worker_stop(struct worker *w)
{
    atomic_store_explicit(&w->stop, true, memory_order_release);
}
