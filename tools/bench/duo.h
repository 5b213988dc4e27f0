// SPDX-License-Identifier: BSD-3-Clause
// Two cores: a generator that is its own sink on the main lcore, and what is tested on the other one. Packets
// go round: what comes out is looked at, gets a new header and goes in again, so that 4,096 buffers never end
// and nothing but the rings lies between the two.
#pragma once

#include "tools/bench/bench.h"
#include "tools/lib/histogram.h"

enum duo_kind {
    DUO_RINGS, // takes from a ring and puts into the other: the generator's own limit
    DUO_SWAP,  // swaps MAC addresses
    DUO_LOOP,  // worker_main()
    DUO_TURNS, // worker_step(), each turn timed
};

// A stream as the generator needs it.
struct flow {
    uint8_t header[FRAME_HEADER + RTP_HEADER]; // ready but for sequence number and timestamp
    uint16_t seq;                              // of the next packet
    uint16_t seen;                             // of the last one that came out
    uint8_t known;                             // one has come out
    uint8_t pad[5];
};
static_assert(sizeof(struct flow) == 64, "a flow is a line");

// A packet that must not come out, whole.
struct forged {
    uint8_t bytes[FRAME_HEADER + PACKET_ROOM];
    uint16_t len;
    uint8_t side;
};

struct traffic {
    const struct set *set;
    struct flow *flow[SIDES];
    unsigned count[SIDES], next[SIDES];
    struct forged *forged; // or NULL
    unsigned forged_count, forged_next;
    unsigned forged_of_ten; // packets
};

struct duo_result {
    uint64_t sent, came; // good ones
    uint64_t forged, forged_came;
    uint64_t unsent; // good ones that were due while no buffer was free: a NIC would have lost them
    uint64_t out_of_order, foreign;
    uint64_t dropped; // counted by the worker, without forged ones
    double seconds;
    double pps;             // came out
    struct histogram wall;  // from ring to ring, TSC cycles
    struct histogram turns; // DUO_TURNS and DUO_RINGS: turns that had packets, TSC cycles
};

// Of a set made at any rate; ends with traffic_end().
void traffic_begin(struct traffic *t, const struct set *s);
void traffic_end(struct traffic *t);

// Forged tags, replays and unknown ports for the streams of an SRTP set, `per_stream` of each: 7 of 10
// packets.
void traffic_forge(struct bench *b, struct traffic *t, const struct set *victims);

// Runs for `ms`, at `pps` packets a second, or 0: as fast as they come back. `hook` is called in every turn
// of the generator (or NULL). Returns false when two lcores are not there. Main lcore.
bool duo_run(struct bench *b, enum duo_kind kind, struct traffic *t, double pps, unsigned ms,
             void (*hook)(struct bench *b, void *arg), void *arg, struct duo_result *out);

// What is right: all that went in came out once, in order, or was counted; nothing forged did.
bool duo_right(const struct duo_result *r);
