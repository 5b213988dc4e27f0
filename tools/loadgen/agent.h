// SPDX-License-Identifier: BSD-3-Clause
// The SIP user agent of one process: places calls at a rate, answers, keeps the media clock, knows when all
// is done.
#pragma once

#include "tools/loadgen/call.h"

enum {
    AGENT_TICK_MS = 5, // of the media clock; calls are spread over the four ticks of a packet's 20 ms
    AGENT_SLOTS = PAYLOAD_MS / AGENT_TICK_MS,
};

struct agent {
    const struct options *options; // borrowed
    struct sip *sip;
    struct tls *tls; // NULL: none
    struct sipsess_sock *sock;
    struct sip_lsnr *requests, *responses;
    struct hash *by_call_id;
    struct list calls; // every one that there ever was
    struct list slots[AGENT_SLOTS];
    struct ports ports;
    struct tmr second;
    int timer_fd;
    uint64_t ticks; // of AGENT_TICK_MS
    uint32_t late_ticks;
    uint32_t next_slot;
    int64_t start_us;

    uint32_t placed;
    uint32_t incoming;
    uint32_t over_placed, over_incoming;
    uint32_t up;           // answered and not over
    uint32_t rejected;     // incoming INVITEs that were refused
    uint32_t options_seen; // OPTIONS answered
    uint32_t stray;        // responses that belong to nothing, requests not served
    bool stopping;         // a signal, or the limit: no new calls
    int64_t stop_us;       // when `stopping` was set
    bool limit_reached;
    int64_t done_us; // when nothing was left to do, 0: not yet
};

// Opens the SIP sockets and the clock. 0, or -errno with one sentence in `error`.
int agent_init(struct agent *a, const struct options *o, char *error, size_t size);

// Runs until all is done. Returns 0 or -errno.
int agent_run(struct agent *a);
void agent_fini(struct agent *a);

// Called by a call: it was told its Call-ID; it came up; it is over.
void agent_call_named(struct agent *a, struct call *c);
void agent_call_up(struct agent *a, struct call *c);
void agent_call_over(struct agent *a, struct call *c);

// Monotonic microseconds.
int64_t agent_now_us(void);
