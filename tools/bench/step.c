// SPDX-License-Identifier: BSD-3-Clause
// The timed part: one loop for all arms.
#include <rte_ethdev.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/bench/reference.h"

enum {
    IDLE_MAX = 64
}; // turns without a packet before a round is given up; the gate then says what is missing

static unsigned step_null(struct lane *l)
{
    return 2 * l->bench->burst;
}

// As the worker does it: a burst of each port, out by the other one.
unsigned step_mac_swap(struct lane *l)
{
    struct rte_mbuf *m[64];
    unsigned burst = l->bench->burst, total = 0;
    for (unsigned side = 0; side < SIDES; side++) {
        unsigned n = rte_eth_rx_burst(l->bench->ethdev[side], l->id, m, burst);
        for (unsigned i = 0; i < n; i++) {
            struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *);
            struct rte_ether_addr mac = eth->dst_addr;
            eth->dst_addr = eth->src_addr;
            eth->src_addr = mac;
        }
        unsigned sent = n ? rte_eth_tx_burst(l->bench->ethdev[side ^ 1], l->id, m, n) : 0;
        if (sent < n)
            rte_pktmbuf_free_bulk(m + sent, n - sent);
        total += n;
    }
    return total;
}

static unsigned step_engine(struct lane *l)
{
    return worker_step(l->worker);
}

step_fn step_of(const struct set *s)
{
    switch (s->arm->kind) {
    case ARM_NULL:
        return step_null;
    case ARM_SWAP:
        return step_mac_swap;
    case ARM_RAW:
    case ARM_OWN:
    case ARM_LIBRE:
    case ARM_PROTECT:
        return reference_step(s);
    case ARM_ENGINE:
        break;
    }
    return step_engine;
}

static inline uint64_t tsc_begin(void)
{
    rte_mb();
    uint64_t t = rte_rdtsc();
    __asm__ volatile("lfence" ::: "memory");
    return t;
}

// Not rdtscp: not every virtual machine says that it has it, and valgrind believes them.
static inline uint64_t tsc_end(void)
{
    __asm__ volatile("lfence" ::: "memory");
    uint64_t t = rte_rdtsc();
    __asm__ volatile("lfence" ::: "memory");
    return t;
}

// An answer of ARP's among the packets is work of the worker's, too, but not one of them.
static bool taken_in(const struct lane *l)
{
    enum arm_kind kind = l->set->arm->kind;
    if (kind != ARM_ENGINE && kind != ARM_SWAP)
        return true;
    return rte_ring_empty(l->in[0]) && rte_ring_empty(l->in[1]);
}

// Not inlined: callgrind counts what happens in here.
__attribute__((noinline, noclone)) uint64_t step_timed(struct lane *l, step_fn step, unsigned packets)
{
    struct set *s = l->set;
    struct worker_clock *clock = l->worker ? &l->worker->clock : NULL;
    uint64_t now = s->virtual_ns << 8, begin = tsc_begin();
    for (unsigned done = 0, idle = 0; (done < packets || !taken_in(l)) && idle < IDLE_MAX;) {
        unsigned n = step(l);
        done += n;
        idle = n ? 0 : idle + 1;
        now += n * s->packet_ns;
        if (clock)
            clock_stop(clock, now >> 8);
    }
    uint64_t end = tsc_end();
    s->virtual_ns = now >> 8;
    return end - begin;
}
