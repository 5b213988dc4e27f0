// SPDX-License-Identifier: BSD-3-Clause
// One run: sends on schedule, takes what comes, ends when both sides are through. One thread.
#pragma once

#include "tools/lib/histogram.h"
#include "tools/loadgen/streams/inject.h"
#include "tools/loadgen/streams/pace.h"
#include "tools/loadgen/streams/port.h"

#include <signal.h>
#include <stdio.h>

struct run {
    const struct stream_options *o;
    struct flow *flows;
    uint32_t count;
    struct port *port;
    struct inject inject;

    struct packet out[PORT_BURST]; // [0, filled) wait to be sent, [filled, buffered) are empty
    uint32_t filled, buffered;
    uint8_t held[PACKET_ROOM];         // a packet that goes behind the next one of its stream
    uint32_t held_length, held_stream; // length 0: none

    struct pace pace;
    uint64_t skipped;         // packets left out since the program was too late, known when sending is over
    struct histogram late;    // how long after its due time a packet was made, ns
    uint64_t late_packets;    // of these, more than 2 ms
    struct histogram latency; // from the sender's stamp until here, ns
    uint64_t unsound;         // stamps from the future: the two ends have no common clock
    uint64_t crypto_errors;   // libre refused to protect

    int64_t started, sending_from, sending_until; // ns; the last two of what counts, 0: not yet
    int64_t heard_last, all_ended_at;             // ns; 0: not yet
    uint32_t ended;                               // streams whose sender said its end
    uint64_t received;                            // packets for a stream
    int64_t cpu_ns, run_ns;                       // what the run took of this process's CPU, and in all
    int64_t stalled_since;                        // the port has taken nothing from here on, 0: it does
    bool stuck;                                   // and for so long that packets were given up
    bool ending;                                  // what is sent says the end
    bool interrupted;
    bool silent; // gave up waiting for the far side's end
};

// Set by the signal handlers: once asks to end in order, twice at once.
extern volatile sig_atomic_t run_stop;

// Runs until all is sent and heard. The fields above are zero but the first four and `inject`. Progress goes
// to `progress` once a second, NULL: nowhere.
void run_all(struct run *r, FILE *progress);
