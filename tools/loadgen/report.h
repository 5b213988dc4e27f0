// SPDX-License-Identifier: BSD-3-Clause
// What a run came to: sums over its calls, for people and as JSON.
#pragma once

#include "tools/loadgen/agent.h"

#include <stdio.h>

struct report {
    uint32_t attempted, completed, failed; // calls placed
    uint32_t answered, answered_completed; // incoming calls that came up; those without a fault
    uint32_t incoming, incoming_failed;    // INVITEs that made a call
    uint32_t still_up;
    uint64_t sent, received, lost, reordered, duplicate, bad_auth, bad_payload, misrouted, bad_pt, bad_rtp,
        foreign, early, uncounted, seq_jumps, ts_jumps, late_for_roc;
    uint64_t packets_sent, packets_received; // every RTP packet, counted or not
    uint64_t ssrc_changes, roc_sent, roc_received, send_errors, skipped;
    uint64_t rtcp_sent, rtcp_received, rtcp_bad_auth, rtcp_bad, rtcp_foreign;
    uint64_t dtmf_sent, dtmf_received, dtmf_wrong, dtmf_packets_sent, dtmf_packets_received;
    uint32_t held;
    uint32_t jitter_us; // the worst call's
    uint32_t setup_p50_us, setup_p99_us;
};

// Judges every call and sums up. Call once, when the run is over.
void report_make(struct report *r, struct agent *a);

// True when every call placed or expected completed and all that came was right.
bool report_good(const struct report *r, const struct agent *a);

void report_print(FILE *out, const struct report *r, const struct agent *a);
void report_json(FILE *out, const struct report *r, const struct agent *a);

// One line on how it stands now.
void report_progress(const struct agent *a, FILE *out);
