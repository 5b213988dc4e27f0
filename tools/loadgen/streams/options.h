// SPDX-License-Identifier: BSD-3-Clause
// The command line of `trunkline-loadgen streams`. Pure: nothing is opened.
#pragma once

#include "tools/loadgen/streams/suites.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STREAMS_MAX = 50000, // of one program
    FIRST_MAX = 1000000,
};

enum stream_mode {
    MODE_SEND,    // only sends
    MODE_RECEIVE, // only verifies what the far side's instance sends
    MODE_BOTH,    // sends, and verifies what the far side's instance sends
    MODE_ECHO,    // sends, and verifies its own packets, which the far end returns
    MODE_REFLECT, // verifies each packet and returns it
};

// Ports first, first + step, … up to last; then the same on the next address.
struct port_range {
    uint32_t ip; // host order
    uint16_t first, last;
    uint16_t step; // 0: one port for all
};

struct stream_options {
    enum stream_mode mode;
    struct port_range local, remote;
    uint32_t first, streams; // number of the first, how many; streams 0 with a map: all from the first on
    const char *map; // a file instead of the ranges; borrowed from argv, like all texts here; NULL: none
    enum stream_suite suite;
    const char *seed;            // of keys, SSRCs and first numbers
    char side;                   // 'a' or 'b': whose keys are for sending
    const char *tx_key, *rx_key; // base64, for all streams; NULL: from the seed

    uint32_t ptime_us;   // microseconds between two packets of a stream
    uint32_t payload;    // bytes
    uint32_t clock;      // RTP timestamp units a second
    uint8_t pt;          // payload type
    uint64_t packets;    // of each stream
    uint32_t wrap_every; // every Nth stream begins just below the wrap of its sequence number; 0: none
    uint32_t start_after_ms;
    bool start_heard;       // begins to send when the first packet was heard
    uint32_t wait_ms;       // silence after which the far side is taken to have ended
    uint32_t first_wait_ms; // and before its first packet
    bool busy;              // polls without sleeping

    uint32_t verify_every;    // 1: all packets
    bool one_clock;           // both ends are on this machine: one-way latency has a meaning
    uint32_t expect_loss_ppm; // the loss that is still good
    uint32_t expect_rate_ppm; // the part of what was offered that must have been sent
    uint32_t lose_ppm, swap_ppm, duplicate_ppm, corrupt_ppm; // what the sender does to its own packets

    const char *dpdk; // EAL arguments; NULL: kernel sockets
    const char *port; // name of the ethdev
    uint8_t mac[6];
    bool mac_given;
    uint32_t gateway; // next hop, host order; 0: remote addresses are on the link
    uint8_t prefix;   // bits of the subnet of the local addresses

    const char *json;
    bool progress;
};

enum stream_args { STREAM_ARGS_RUN, STREAM_ARGS_HELP, STREAM_ARGS_BAD };

// Reads the arguments after `streams` (argv[0] is skipped) into `o`. On STREAM_ARGS_BAD `error` holds one
// sentence: what is wrong and what was expected.
enum stream_args stream_options_parse(int argc, char **argv, struct stream_options *o, char *error,
                                      size_t size);

// What --help prints.
extern const char stream_options_help[];

// Whether this mode sends of its own accord, and whether it takes packets.
bool stream_mode_sends(enum stream_mode mode);
bool stream_mode_receives(enum stream_mode mode);
