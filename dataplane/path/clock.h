// SPDX-License-Identifier: BSD-3-Clause
// packet path: CLOCK_MONOTONIC in nanoseconds for a worker, read from the TSC. The TSC runs free of the
// kernel's slewing, so clock_anchor() ties it to the real clock again every millisecond.
#pragma once

#include <rte_cycles.h>
#include <stdint.h>

struct worker_clock {
    uint64_t anchor_tsc;
    uint64_t anchor_ns;
    uint64_t anchor_cycles; // between two anchors
    uint64_t ns_per_cycle;  // 32.32 fixed point
};

// Sets up the clock and anchors it. Any thread.
void clock_init(struct worker_clock *clock);

// Reads CLOCK_MONOTONIC (which the kernel's vDSO gives without a system call). Owner.
void clock_anchor(struct worker_clock *clock, uint64_t tsc);

// Makes it say `ns` until it is told something else or clock_init() sets it going: for who drives a worker by
// a time of its own. Owner.
static inline void clock_stop(struct worker_clock *clock, uint64_t ns)
{
    clock->anchor_ns = ns;
    clock->ns_per_cycle = 0;
    clock->anchor_cycles = UINT64_MAX;
}

// Nanoseconds of CLOCK_MONOTONIC at `tsc`, which rte_rdtsc() just gave. Owner.
static inline uint64_t clock_at(struct worker_clock *clock, uint64_t tsc)
{
    if (tsc - clock->anchor_tsc >= clock->anchor_cycles)
        clock_anchor(clock, tsc);
    return clock->anchor_ns + (((tsc - clock->anchor_tsc) * clock->ns_per_cycle) >> 32);
}
