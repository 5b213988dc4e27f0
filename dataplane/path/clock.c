// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/path/clock.h"

#include <time.h>

void clock_init(struct worker_clock *clock)
{
    uint64_t hz = rte_get_tsc_hz();
    clock->anchor_cycles = hz / 1000;
    clock->ns_per_cycle = (1000000000ull << 32) / hz;
    clock_anchor(clock, rte_rdtsc());
}

void clock_anchor(struct worker_clock *clock, uint64_t tsc)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    clock->anchor_tsc = tsc;
    clock->anchor_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
