// SPDX-License-Identifier: BSD-3-Clause
// Makes the immutable half of a leg from what control sent. Manager only.
#pragma once

#include "dataplane/net/neigh.h"
#include "dataplane/net/port.h"
#include "dataplane/session/session.h"
#include "dataplane/session/slab.h"

// Where a leg's media is on our side, fixed for its life.
struct leg_place {
    const struct port *port;
    const struct port_realm *realm;
    uint16_t local_port; // RTP, host byte order
};

// What terms are made of; all of it is the manager's own.
struct terms_maker {
    struct slab *slab;
    struct srtp_ctx *srtp;
    struct neigh *neigh;
};

// Makes a leg's terms, at out->terms, and where they have an rx key the state of what is received under it, if
// out->rx is not NULL: then that is it;
// finds next hops and derives keys. `leg` has passed tl_command_check(). All that *out points to is the
// caller's until a worker has it; leg_parts_free() ends it. A destination that no route leads to is no error:
// its packets are dropped as no_route. `now_ns` CLOCK_MONOTONIC. Returns 0, -ENOMEM, -EIO (crypto library),
// -ENOSPC (next hops).
int leg_parts_make(struct leg_parts *out, const struct tl_leg *leg, const struct leg_place *place,
                   const struct terms_maker *maker, uint64_t now_ns);

// Wipes and frees the keys, lets go of the next hops, frees the state and zeroes the terms. Zeroed terms are
// fine. No worker may have them any more.
void leg_parts_free(struct leg_parts *parts, const struct terms_maker *maker, uint64_t now_ns);
