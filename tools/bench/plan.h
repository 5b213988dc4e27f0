// SPDX-License-Identifier: BSD-3-Clause
// What is measured beside what. A block is a few series whose slices run next to each other, in random order,
// so that ratios between them are of the same moment; a phase is the blocks whose sessions are in the
// dataplane together.
#pragma once

#include "tools/bench/slice.h"

enum { REPETITIONS_MAX = 200, SERIES_MAX = 10, PATTERNS_MAX = 24 };

// One arm at one number of streams in one block.
struct series {
    const struct arm *arm;
    unsigned streams;
    unsigned payload;
    struct set *set;                // while its phase runs
    double cycles[REPETITIONS_MAX]; // by repetition; NaN: set aside
    unsigned aside[ASIDE_COUNT];    // slices that do not count, by why
    unsigned rounds, lost_rounds;   // of slices that count, too
    struct verdict verdict;
};

struct block {
    const char *name;
    unsigned phase;
    unsigned count;
    unsigned repetitions; // that were run
    struct series series[SERIES_MAX];
};

// How a pattern of libIPSec_MB did at a number of streams.
struct pattern_result {
    unsigned pattern; // in raw_patterns[]
    unsigned streams;
    struct spread cycles;
    bool chosen;
};

struct plan {
    unsigned phases;
    unsigned block_count;
    struct block *block;
    unsigned pattern_count;
    struct pattern_result *pattern;
    unsigned slices;
    double *speed; // core cycles to a TSC cycle, of each slice
};

// Fills the plan for the options: `streams` numbers of streams (count of them). `only` may name a part of an
// arm's name: then other engine arms are left out.
void plan_make(struct plan *p, const struct options *o, const unsigned *streams, unsigned count);
void plan_free(struct plan *p);

// The most sessions that a phase has at once.
unsigned plan_sessions(const struct plan *p);

// Runs it all. `progress` prints where it is.
void plan_run(struct plan *p, struct bench *b,
              void (*progress)(const struct plan *p, unsigned done, unsigned all));

// What was set aside, over all.
struct tally {
    unsigned aside[ASIDE_COUNT];
    unsigned rounds, lost_rounds;
};
struct tally plan_tally(const struct plan *p);

// The series of an arm in a block, or NULL.
const struct series *block_find(const struct block *block, const char *arm, unsigned streams,
                                unsigned payload);

// Of all blocks: how often an arm was measured at this number of streams and payload, with its cycles and
// verdict; false when the gate failed or nothing counted.
bool plan_cycles(const struct plan *p, const char *arm, unsigned streams, unsigned payload,
                 struct spread *cycles, struct verdict *verdict);

// A comparison within a block, by repetition: arm minus, or over, the sum of the others (NULL: none); or what the arm
// takes more than `second`, over `first`.
enum compare { COMPARE_MINUS, COMPARE_OVER, COMPARE_REST_OVER };
struct spread plan_compare(const struct plan *p, enum compare how, const char *arm, unsigned streams,
                           unsigned payload, const char *first, unsigned first_streams, const char *second);
