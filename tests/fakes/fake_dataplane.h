// SPDX-License-Identifier: BSD-3-Clause
// A dataplane on the contract without packets: sessions in memory, everything else as the real one answers
// it. Runs in the caller's thread: call fake_dataplane_poll() when fake_dataplane_fd() is readable.
#pragma once

#include "common/contract.h"
#include "common/live.h"

struct fake_dataplane;

struct fake_realm {
    char name[TL_NAME_MAX];
    struct tl_addr address; // port 0
    uint16_t first;         // even
    uint16_t last;          // odd, > first
};

struct fake_dataplane_config {
    const char *path; // Unix socket
    struct fake_realm realms[8];
    unsigned realm_count;
    uint32_t sessions;
    uint32_t workers; // ports of both legs of a session are in buckets of one worker
};

// What the fake knows of a session, for assertions.
struct fake_session {
    struct tl_handle handle;
    uint64_t call_ref;
    uint32_t owner;
    struct tl_leg leg[2]; // as last set; local_port filled in
    struct tl_addr local[2];
    unsigned modifies; // MODIFYs that succeeded
};

// Starts with a new incarnation and no sessions. NULL when the socket cannot be had (the reason is on
// stderr).
struct fake_dataplane *fake_dataplane_start(const struct fake_dataplane_config *config);

// Ends it in order: the socket file is gone, connections see EOF. NULL is fine.
void fake_dataplane_stop(struct fake_dataplane *fake);

// Dies: connections see EOF, all sessions are forgotten, commands not yet taken are lost. Then nobody listens
// until fake_dataplane_revive().
void fake_dataplane_die(struct fake_dataplane *fake);

// Comes back with a new incarnation and no sessions. 0 or -errno.
int fake_dataplane_revive(struct fake_dataplane *fake);

// Readable when fake_dataplane_poll() has something to do; changes over die and revive. -1 while dead.
int fake_dataplane_fd(const struct fake_dataplane *fake);

// Does what can be done now, never blocks. Returns how many commands it executed.
unsigned fake_dataplane_poll(struct fake_dataplane *fake);

// From now on executes commands but keeps their completions back, in order ...
void fake_dataplane_hold_completions(struct fake_dataplane *fake);
// ... until `count` of them are let go (UINT_MAX: all, and holding ends). Returns how many went.
unsigned fake_dataplane_release_completions(struct fake_dataplane *fake, unsigned count);

// The next `count` commands of this operation are refused with this status (-errno) and field instead of
// executed.
void fake_dataplane_refuse(struct fake_dataplane *fake, uint16_t op, unsigned count, int status,
                           uint16_t field);

// Raises an event for the session. 0; -ENOENT; -ENOTCONN or -ENOBUFS: it was lost.
int fake_dataplane_event(struct fake_dataplane *fake, uint64_t call_ref, uint16_t type, uint8_t leg,
                         uint32_t ms, uint8_t heard);

// Pretends media: adds packets and octets received on `leg` and sent on the other; with `ssrc` not 0 moves
// that SSRC's received index on (and our sent index of the other leg) as SRTP would. 0 or -ENOENT.
int fake_dataplane_media(struct fake_dataplane *fake, uint64_t call_ref, uint8_t leg, uint32_t ssrc,
                         uint64_t packets, uint64_t octets);

// The session with this call_ref, or NULL. Valid until the next call.
const struct fake_session *fake_dataplane_find(const struct fake_dataplane *fake, uint64_t call_ref);

// Sessions now; the i-th of them (0 ..), in no order that means anything.
unsigned fake_dataplane_count(const struct fake_dataplane *fake);
const struct fake_session *fake_dataplane_at(const struct fake_dataplane *fake, unsigned i);

// Commands of that operation executed since the start, over all lives.
unsigned fake_dataplane_executed(const struct fake_dataplane *fake, uint16_t op);

// The live table, to set what a test needs to read.
struct tl_live_table *fake_dataplane_live(struct fake_dataplane *fake);

uint64_t fake_dataplane_incarnation(const struct fake_dataplane *fake);
