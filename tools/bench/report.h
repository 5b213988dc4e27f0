// SPDX-License-Identifier: BSD-3-Clause
// What the terminal and the JSON file say of a run. Figures of an arm whose packets did not pass the gate are
// left out.
#pragma once

#include <jansson.h>

#include "tools/bench/plan.h"

struct run {
    const struct bench *bench;
    const struct plan *plan;
    const char *command; // as it was typed
    const char *commit;  // of the sources, or NULL
    double seconds;
    double load_before[3];
    char started[32]; // ISO 8601, UTC
    json_t *extra;    // what other parts of the run found, by name; merged into the top level
};

// A ratio that the run judges.
struct goal {
    const char *name;
    const char *unit; // "cycles" or "times"
    struct spread value;
    double target; // NaN: none
    bool at_least; // the target is a floor, else a ceiling
};

// The goals that the plan's figures can say anything about; returns how many of `room`.
unsigned report_goals(const struct run *run, struct goal *goals, unsigned room);

// Table for people.
void report_text(const struct run *run, FILE *out);

// Writes the JSON file. 0 or -errno, said on stderr.
int report_json(const struct run *run, const char *file);

// Did every packet of every arm pass the gate?
bool report_gate(const struct run *run, struct verdict *sum);

// One line that says what the gate found wrong.
void report_failure(const char *what, unsigned streams, const struct verdict *v, FILE *out);

// ---- machine.c ---------------------------------------------------------------------------------------

json_t *machine_json(const struct run *run);
json_t *versions_json(const struct run *run);
void machine_load(double load[3]);
double machine_tsc_hz(void);
