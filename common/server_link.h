// SPDX-License-Identifier: BSD-3-Clause
// The server's connection to one control, and what a control that is gone left to do. For server*.c only.
#pragma once

#include "common/channel.h"
#include "common/segment.h"
#include "common/server.h"

struct tl_link_loop {
    struct tl_ring command;
    struct tl_ring completion;
    struct tl_ring event;
    int bell;       // commands in, completions out
    bool rung;      // it did, and was not cleared
    int event_bell; // events out
    uint32_t taken; // commands taken and not yet completed: reserved slots of the completion ring
};

struct tl_link {
    int sock; // -1: no control
    int pid;
    uint32_t id; // tl_origin.connection, never 0
    unsigned loops;
    unsigned turn; // the loop whose turn it is
    struct tl_segment rings;
    struct tl_link_loop loop[TL_LOOPS_MAX];
};

enum { TL_BACKLOG_MAX = 2 * TL_LOOPS_MAX * TL_RING_SLOTS };

// Commands of controls that went, copied when they did. At most two controls' worth: one that was replaced
// and its successor that went too; the next one's greeting waits until the backlog is empty.
struct tl_backlog {
    struct tl_backlog_entry {
        struct tl_command command;
        struct tl_origin origin;
    } * entry; // TL_BACKLOG_MAX, touched only when needed
    uint32_t next;
    uint32_t count;
};

// Makes rings and bells for `loops` loops. `peer_fds` gets the descriptors for control, which the caller
// closes after they were sent: the bells only, in order. 0 or -errno, then nothing is left open. Takes `sock`
// over on success.
int tl_link_init(struct tl_link *link, int sock, int pid, uint32_t id, unsigned loops,
                 int peer_fds[TL_LOOP_FDS * TL_LOOPS_MAX]);

// Ends the connection: adds the commands that were published whole to the backlog, then unmaps the rings.
// Returns how many there were. Safe without a connection.
uint32_t tl_link_fini(struct tl_link *link, struct tl_backlog *backlog);

// Undoes tl_link_init() before anyone knows the rings; `sock` stays the caller's.
void tl_link_discard(struct tl_link *link);

// 0, -EAGAIN, or -EPROTO with origin->loop the loop that broke the rules.
int tl_link_next(struct tl_link *link, struct tl_command *command, struct tl_origin *origin);

// 0, -EALREADY when no command of this loop waits for one, or -EPROTO.
int tl_link_complete(struct tl_link *link, const struct tl_origin *origin,
                     const struct tl_completion *completion);

// 0, -EAGAIN when the ring is full, or -EPROTO.
int tl_link_event(struct tl_link *link, uint32_t loop, const struct tl_event *event);
