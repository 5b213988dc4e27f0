// SPDX-License-Identifier: BSD-3-Clause
// A slice: some rounds of one set, timed, checked, and set aside when the core was taken away meanwhile.
#pragma once

#include "tools/bench/bench.h"
#include "tools/bench/stats.h"

enum aside { ASIDE_NO, ASIDE_STEAL, ASIDE_SWITCHED, ASIDE_FREQUENCY, ASIDE_COUNT };

struct slice {
    double cycles;       // TSC cycles a packet: median of the slice's rounds
    double core_per_tsc; // core cycles to a TSC cycle, by a calibrated loop
    enum aside aside;    // why it does not count
    unsigned rounds;
    unsigned lost_rounds; // of them, in which another process had the core; they are left out
    struct verdict verdict;
};

// Runs packets of the set for `wall_us` (at least one round), after a warm-up that is not timed. The lane's
// own thread.
void slice_run(struct bench *b, struct set *s, unsigned wall_us, struct slice *out);

// "steal", "switched", "frequency".
const char *aside_name(enum aside why);

// Core cycles to a TSC cycle now: a loop of dependent multiplications, 3 cycles each.
double core_per_tsc(void);
