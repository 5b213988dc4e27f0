// SPDX-License-Identifier: BSD-3-Clause
// What the engine is measured against: libIPSec_MB alone in every way it can be called, Debian's libre, and
// its own SRTP alone, and as the protect stage calls it. All make real SRTP of a round's packets in place, with a key for each stream,
// and go through the same gate.
#pragma once

#include "tools/bench/bench.h"

enum raw_way {
    RAW_JOBS,        // get_next_job, submit_job, flush_job
    RAW_BURST,       // the same for several jobs at once
    RAW_TWO_BURSTS,  // all ciphers, then all hashes
    RAW_ONE_CALL,    // GCM: a packet in one call
    RAW_THREE_CALLS, // GCM: init, update, finalize
};

// A way to call libIPSec_MB for a suite.
struct raw_pattern {
    const char *name;
    enum tl_suite suite;
    enum raw_way way;
    unsigned batch; // packets of one call
};
extern const struct raw_pattern raw_patterns[];
extern const unsigned raw_pattern_count;

// Makes the keys of all streams; ends the program when it cannot. reference_free() undoes it.
void reference_new(struct set *s);
void reference_free(struct set *s);

// Chooses the pattern that the next steps of a RAW set take, by its number in raw_patterns[].
void reference_pattern(struct set *s, unsigned pattern);

step_fn reference_step(const struct set *s);

// reference_libre.c: one stream's state of libre, NULL if it refuses; protects one packet in place and
// returns its new length, 0 when it fails. `room` bytes are behind `len`.
struct libre_stream;
struct libre_stream *libre_new(const struct tl_crypto *crypto);
void libre_free(struct libre_stream *x);
unsigned libre_protect(struct libre_stream *x, uint8_t *packet, unsigned len, unsigned room);

// reference_raw.c
struct raw;
struct raw *raw_new(struct set *s);
void raw_free(struct raw *raw);
void raw_choose(struct raw *raw, unsigned pattern);
unsigned raw_step(struct lane *lane);
