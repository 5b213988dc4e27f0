// SPDX-License-Identifier: BSD-3-Clause
// Which streams there are: addresses, suite and keys of each, from the command line or from a map. Pure.
#pragma once

#include "tools/loadgen/streams/options.h"

struct endpoint { // host order
    uint32_t ip;
    uint16_t port;
};

struct plan_entry {
    struct endpoint local, remote;
    enum stream_suite suite;
    struct stream_key tx_key, rx_key; // valid unless the suite is STREAM_PLAIN
};

// Stream `index` (below o->streams) of the ranges in `o`; keys as given, else from the seed.
void plan_entry_of(const struct stream_options *o, uint32_t index, struct plan_entry *e);

enum plan_line { PLAN_LINE_STREAM, PLAN_LINE_EMPTY, PLAN_LINE_BAD };

// Reads one line of a map; an empty one and one that begins with # is no stream. The line is cut up. On
// PLAN_LINE_BAD `error` says what was expected. Keys that are not given (`-` or missing) come from the seed,
// by `index`.
enum plan_line plan_read_line(const struct stream_options *o, uint32_t index, char *line,
                              struct plan_entry *e, char *error, size_t size);

// The SSRC in the stamps and in the RTP of side 'a' or 'b': differs between any two streams of one seed.
uint32_t plan_ssrc(const char *seed, char side, uint32_t index);
