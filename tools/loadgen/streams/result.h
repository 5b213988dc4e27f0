// SPDX-License-Identifier: BSD-3-Clause
// What a run of bare streams came to, for people and as JSON, and whether that is what was asked for.
#pragma once

#include "tools/loadgen/streams/run.h"

#include <stdio.h>

enum { RESULT_REASONS = 12 };

struct result {
    double seconds;     // that sending took, 0: nothing was sent
    double offered_pps; // as asked for
    double sent_pps;    // as reached
    uint64_t offered;   // packets that were due in the time that was sent, ends not counted
    uint64_t made;      // of them that got a number: what the far side asks for
    uint64_t gone;      // of those that left: not refused by the port or by libre
    uint64_t sent;      // accepted by the port, ends and returned ones included
    uint64_t refused;   // by the port
    uint64_t expected;  // by what the senders say
    uint64_t lost;
    struct ledger in; // sums of all streams
    uint64_t rtcp;
    uint32_t silent;  // streams of which nothing came
    uint32_t endless; // streams whose end was not heard
    uint32_t faulty;  // streams that lost packets or had one that was not as it must be
    struct port_counters port;
    char reason[RESULT_REASONS][160]; // why it is not good
    uint32_t reasons;
};

// Sums up, once the run is over and while its port is open.
void result_make(struct result *r, const struct run *run);

// True when what was asked holds.
bool result_good(const struct result *r);

void result_print(FILE *out, const struct result *r, const struct run *run);
void result_json(FILE *out, const struct result *r, const struct run *run);
