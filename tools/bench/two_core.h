// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tools/bench/report.h"

// What needs a second core, with `streams` streams, `ms` for a slice of throughput (latency and updates take
// longer): throughput, latency, updates and under_attack go into the object. One worker is up. Returns
// whether every packet was accounted for.
bool two_core_run(struct bench *b, unsigned streams, unsigned repetitions, unsigned ms, json_t *into);

// Two workers at once, each against itself alone: two_workers goes into the object. A dataplane of two
// workers is up.
bool two_workers_run(struct bench *b, unsigned streams, unsigned repetitions, unsigned slice_us,
                     json_t *into);

// What both found, for people.
void two_core_text(const json_t *found, FILE *out);
