// SPDX-License-Identifier: BSD-3-Clause
// packet path: one turn of a worker: tasks, packets from queues and rings, stages, frames of our own.
#include "dataplane/path/worker.h"

#include <rte_ethdev.h>

#include "dataplane/path/stages.h"

enum {
    // Their lines come from the manager's core and from memory, some 100 ns each, beside packets that wait:
    // few at a time, fetched together. That is still 250,000 a second with bursts of 32 µs.
    TASKS_AT_ONCE = 8,
    OWN_FRAMES = 16,
};

// ---- out ---------------------------------------------------------------------------------------------

void worker_flush_dead(struct worker *w)
{
    if (w->dead_count > 0)
        rte_pktmbuf_free_bulk(w->dead, w->dead_count);
    w->dead_count = 0;
}

void worker_discard(struct worker *w, struct rte_mbuf *m)
{
    if (w->dead_count == WORKER_PACKETS)
        worker_flush_dead(w);
    w->dead[w->dead_count++] = m;
}

// Puts frames into the hand-off or transmit ring of another worker. Returns how many fitted.
static unsigned give(struct worker *w, struct rte_ring *ring, struct rte_mbuf **m, unsigned n)
{
    unsigned given = rte_ring_enqueue_burst(ring, (void **)m, n, NULL);
    count64(&w->live->handed_off, given);
    return given;
}

unsigned worker_transmit(struct worker *w, unsigned port, struct rte_mbuf **m, unsigned n,
                         enum tl_drop *reason)
{
    const struct port *p = &w->engine->ports->port[port];
    const struct port_queue *q = &p->queue[w->id];
    if (q->tx == PORT_NO_QUEUE) {
        *reason = TL_DROP_handoff_full;
        return give(w, w->engine->worker[q->tx_owner]->transmit, m, n);
    }
    *reason = TL_DROP_tx_full;
    unsigned sent = rte_eth_tx_burst(p->id, q->tx, m, n);
    count64(&w->live->tx, sent);
    return sent;
}

// The same, and drops by name what is not taken.
static void transmit_or_drop(struct worker *w, unsigned port, struct rte_mbuf **m, unsigned n)
{
    enum tl_drop reason;
    for (unsigned i = worker_transmit(w, port, m, n, &reason); i < n; i++)
        worker_drop(w, m[i], reason);
}

static unsigned port_index(const struct worker *w, const struct rte_mbuf *m)
{
    return w->engine->ports->by_id[m->port];
}

void worker_answer(struct worker *w, struct rte_mbuf *m)
{
    const struct port *p = &w->engine->ports->port[port_index(w, m)];
    const struct port_queue *q = &p->queue[w->id];
    if (q->tx == PORT_NO_QUEUE) {
        if (give(w, w->engine->worker[q->tx_owner]->transmit, &m, 1) == 0)
            worker_drop(w, m, TL_DROP_handoff_full);
    } else if (rte_eth_tx_burst(p->id, q->tx, &m, 1) == 1) {
        count64(&w->live->absorbed, 1);
    } else {
        worker_drop(w, m, TL_DROP_tx_full);
    }
}

// Sends frames that leave by several ports: runs of one port together, order kept.
static void transmit_mixed(struct worker *w, struct rte_mbuf **m, unsigned n)
{
    for (unsigned from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && m[to]->port == m[from]->port; to++)
            ;
        transmit_or_drop(w, port_index(w, m[from]), &m[from], to - from);
    }
}

// Hands the packets that stage_classify() found to be other workers' to them, each owner's in order.
static void hand_off(struct worker *w)
{
    struct rte_mbuf *m[WORKER_PACKETS];
    while (w->away_count > 0) {
        unsigned to = w->away_to[0], take = 0, keep = 0;
        for (unsigned i = 0; i < w->away_count; i++) {
            if (w->away_to[i] == to) {
                m[take++] = w->away[i];
            } else {
                w->away[keep] = w->away[i];
                w->away_to[keep++] = w->away_to[i];
            }
        }
        for (unsigned i = give(w, w->engine->worker[to]->handoff, m, take); i < take; i++)
            worker_drop(w, m[i], TL_DROP_handoff_full);
        w->away_count = keep;
    }
}

// ---- in ----------------------------------------------------------------------------------------------

// Where the leg's media came from up to now, if new terms change it.
static void keep_source(struct worker *w, const struct session *s, unsigned leg, const struct leg_terms *to)
{
    const struct leg_terms *was = &s->leg[leg].terms;
    if (was->flags & TERMS_COMPLETE && terms_rtp_route(was) != terms_rtp_route(to))
        former_add(&w->former, s->slot, leg, terms_rtp_route(was));
}

static void run_task(struct worker *w, struct task *t)
{
    struct session *s = &w->engine->sessions[t->slot];
    switch ((enum task_kind)t->kind) {
    case TASK_LINK:
        former_forget(&w->former, t->slot);
        for (unsigned leg = 0; leg < 2; leg++)
            portmap_set(t->map[leg], t->port[leg], t->slot, leg);
        break;
    case TASK_SWAP:
        for (unsigned leg = 0; leg < 2; leg++)
            if (t->parts[leg].terms) {
                keep_source(w, s, leg, t->parts[leg].terms);
                session_swap(s, &w->live_session[t->slot], leg, &t->parts[leg], t->tx_slot[leg]);
            }
        break;
    case TASK_UNLINK:
        for (unsigned leg = 0; leg < 2; leg++)
            portmap_clear(t->map[leg], t->port[leg]);
        break;
    case TASK_NONE:
        break;
    }
}

static void prefetch_task(const struct worker *w, const struct task *t)
{
    if (t->kind == TASK_LINK || t->kind == TASK_UNLINK) {
        for (unsigned leg = 0; leg < 2; leg++)
            portmap_prefetch(t->map[leg], t->port[leg]);
    } else if (t->kind == TASK_SWAP) {
        const struct session *s = &w->engine->sessions[t->slot];
        rte_prefetch0(s);
        for (unsigned leg = 0; leg < 2; leg++) {
            rte_prefetch0(&s->leg[leg].terms);
            rte_prefetch0(t->parts[leg].terms); // NULL does no harm
        }
    }
}

// Between two bursts no packet refers to a session, so what comes back is nobody's but the manager's. There
// is room for it: the manager has never more tasks out than a ring holds.
static void run_tasks(struct worker *w)
{
    struct task *t[TASKS_AT_ONCE];
    unsigned n = rte_ring_sc_dequeue_burst(w->tasks, (void **)t, TASKS_AT_ONCE, NULL);
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(t[i]);
    for (unsigned i = 0; i < n; i++)
        prefetch_task(w, t[i]);
    for (unsigned i = 0; i < n; i++)
        run_task(w, t[i]);
    if (n > 0)
        rte_ring_sp_enqueue_bulk(w->done, (void **)t, n, NULL);
}

static void run_stages(struct worker *w, unsigned n)
{
    struct packet *p = w->packet;
    n = stage_classify(w, p, n);
    n = stage_admit(w, p, n);
    n = stage_unprotect(w, p, n);
    n = stage_relay(w, p, n);
    n = stage_protect(w, p, n);
    stage_tx(w, p, n);
    hand_off(w);
    worker_flush_dead(w);
}

static void take(struct worker *w, unsigned at, struct rte_mbuf **m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        w->packet[at + i].m = m[i];
}

// Packets for our sessions: from other workers, then from our queues.
static unsigned receive(struct worker *w)
{
    struct rte_mbuf *m[WORKER_PACKETS];
    // As many as fit beside one burst: others may hand over more than our own queues bring.
    unsigned have = rte_ring_sc_dequeue_burst(w->handoff, (void **)m, WORKER_PACKETS - w->burst, NULL);
    unsigned total = have;
    take(w, 0, m, have);
    if (have > 0)
        count64(&w->live->rx_handoff, have);
    for (unsigned i = 0; i < w->rx_count; i++) {
        if (have + w->burst > WORKER_PACKETS) {
            run_stages(w, have);
            have = 0;
        }
        unsigned n = rte_eth_rx_burst(w->rx[i].port_id, w->rx[i].queue, m, w->burst);
        if (n == 0)
            continue;
        count64(&w->live->rx_nic, n);
        take(w, have, m, n);
        have += n;
        total += n;
    }
    if (have > 0)
        run_stages(w, have);
    return total;
}

// Finished packets of workers without a queue of their own.
static unsigned send_for_others(struct worker *w)
{
    struct rte_mbuf *m[WORKER_PACKETS];
    unsigned n = rte_ring_sc_dequeue_burst(w->transmit, (void **)m, WORKER_PACKETS, NULL);
    if (n == 0)
        return 0;
    count64(&w->live->rx_handoff, n);
    transmit_mixed(w, m, n);
    return n;
}

unsigned worker_send_waiting(struct worker *w)
{
    struct rte_mbuf *ready[NEIGH_WAIT_MAX], *failed[NEIGH_WAIT_MAX];
    unsigned ready_count = 0, failed_count = 0;
    if (w->neigh.count == 0)
        return 0;
    neigh_collect(&w->neigh, ready, &ready_count, failed, &failed_count);
    transmit_mixed(w, ready, ready_count);
    for (unsigned i = 0; i < failed_count; i++)
        worker_drop(w, failed[i], TL_DROP_no_neighbour);
    return ready_count + failed_count;
}

static unsigned send_own(struct worker *w)
{
    struct rte_mbuf *m[OWN_FRAMES];
    unsigned n = neigh_own_frames(&w->neigh, m, OWN_FRAMES);
    for (unsigned i = 0; i < n; i++) {
        const struct port *p = &w->engine->ports->port[port_index(w, m[i])];
        if (p->queue[w->id].tx != PORT_NO_QUEUE && rte_eth_tx_burst(p->id, p->queue[w->id].tx, &m[i], 1) == 1)
            count64(&w->live->tx_own, 1);
        else
            worker_discard(w, m[i]); // never received, so not a drop; the next probe asks again
    }
    return n;
}

unsigned worker_step(struct worker *w)
{
    uint64_t start = rte_rdtsc();
    w->now_ns = RTE_MAX(w->now_ns, clock_at(&w->clock, start)); // anchoring may set the clock back a little
    run_tasks(w);
    unsigned work = worker_send_waiting(w) + send_for_others(w) + receive(w) + send_own(w);
    worker_flush_dead(w);
    atomic_store_explicit(&w->live->waiting, w->neigh.count, memory_order_relaxed);
    count64(&w->live->heartbeat, 1);
    atomic_store_explicit(&w->live->heartbeat_ns, w->now_ns, memory_order_relaxed);
    if (work > 0) {
        count64(&w->live->busy_cycles, rte_rdtsc() - start);
        count64(&w->live->busy_packets, work);
    }
    return work;
}
