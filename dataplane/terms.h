// SPDX-License-Identifier: BSD-3-Clause
// Makes the immutable half of a leg from what control sent. Manager only.
#pragma once

#include "dataplane/neigh.h"
#include "dataplane/port.h"
#include "dataplane/session.h"

// Where a leg's media is on our side, fixed for its life.
struct leg_place {
    const struct port *port;
    const struct port_realm *realm;
    uint16_t local_port; // RTP, host byte order
};

// Derives keys, finds next hops and writes the header template of a leg that tl_command_check() has passed.
// The block comes from DPDK's memory and is the caller's until a worker has it; terms_free() ends it.
// A destination that no route leads to is no error: its packets are dropped as no_route.
// `srtp` is the manager's own; `now_ns` CLOCK_MONOTONIC. Returns 0, -ENOMEM, -EIO (crypto library), -ENOSPC
// (next hops).
int terms_make(struct leg_terms **out, const struct tl_leg *leg, const struct leg_place *place,
               struct srtp_ctx *srtp, struct neigh *neigh, uint64_t now_ns);

// Wipes the keys, lets go of the next hops and frees the block. NULL is fine. No worker may have it any more.
void terms_free(const struct leg_terms *terms, struct neigh *neigh, uint64_t now_ns);
