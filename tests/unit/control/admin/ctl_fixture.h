// SPDX-License-Identifier: BSD-3-Clause
// The operator's socket with a provider that makes its answers up, in a folder of its own. One thread:
// whoever waits for something lets the loop run meanwhile.
#pragma once

#include <event2/event.h>
#include <stdbool.h>

#include "control/admin/ctl.h"
#include "runner.h"

enum { FIXTURE_PATIENCE_MS = 20000 }; // until a test that waits for something fails

struct fixture {
    struct event_base *base;
    struct ctl *ctl;
    char folder[64];
    char path[96];
    unsigned asked;      // questions that reached the provider
    uint64_t call_count; // calls to list
    bool newest_first;   // the last one first, and so on
    char ended[96];      // what the last request to end calls asked for
    size_t status_size;  // octets of ballast in the answer to status
    bool away;           // the dataplane, as the answers to call and stats say
    const char *refused; // reload, with this sentence
    bool unchanged;      // reload: the file says what it said
    unsigned sdp_lines;  // dropped ones that stats tells of
    const struct trunk_table *trunks;
    const struct tl_live_view *live;
    const struct tl_config *config; // there when `live` is
};

// Opens the socket at FOLDER/control.sock; limits NULL: the standard ones.
void fixture_begin(struct fixture *fixture, const struct ctl_limits *limits);

// Closes it and removes the folder; fails the test if anything is left in it.
void fixture_end(struct fixture *fixture);

// Runs the loop for about a millisecond.
void fixture_turn(struct fixture *fixture);

// A client's socket, not blocking.
int fixture_connect(struct fixture *fixture);

// Sends the bytes, running the loop while they don't fit. False when the other side has closed.
bool fixture_send(struct fixture *fixture, int fd, const void *bytes, size_t len);

// Reads a line without its end, running the loop until it is there. The caller frees it. NULL: end of stream.
char *fixture_line(struct fixture *fixture, int fd);

// Waits for the end of the stream, reading what comes before. False if it does not come.
bool fixture_closed(struct fixture *fixture, int fd);

extern const struct ctl_provider fixture_provider; // its arg is the fixture
