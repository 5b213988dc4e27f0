// SPDX-License-Identifier: BSD-3-Clause
// What makes a port a host on its network: answers ARP (RFC 826) and ICMP echo (RFC 792) for the media
// addresses, takes ARP news, and names everything else as not ours.
#pragma once

#include <rte_mbuf.h>
#include <stdint.h>

#include "common/drops.h"
#include "dataplane/net/neigh.h"
#include "dataplane/net/port.h"

enum {
    HOST_ECHO_RATE = 1000,  // echo answers a second and worker
    HOST_ECHO_BURST = 100,  // at once
    HOST_ECHO_BYTES = 1472, // of ICMP payload: what fits an Ethernet frame
};

enum host_verdict {
    HOST_REPLY, // the frame is now the answer: send it by m->port, count `absorbed` (or tx_full if it cannot)
    HOST_TAKEN, // read and done with: free it, count `absorbed`
    HOST_DROP,  // free it, count *reason
};

// One per worker.
struct host {
    const struct ports *ports;
    struct neigh_worker *neigh;
    uint64_t echo_credit_ns; // token bucket of echo answers
    uint64_t echo_last_ns;
};

// Makes *out ready; `ports` and `neigh` must outlive it. Main lcore, before the worker starts.
void host_init(struct host *out, const struct ports *ports, struct neigh_worker *neigh);

// Looks at a frame that is no media: any EtherType, any length, one segment or more. It makes all its own
// checks, so that it may get what classification gave up on. m->port is the ethdev it came in by. `now_ns`:
// any monotonic clock in nanoseconds. *reason is set with HOST_DROP: runt, bad_ip, fragment, echo_rate,
// not_ours. Never frees the frame. Worker.
enum host_verdict host_input(struct host *host, struct rte_mbuf *m, uint64_t now_ns, enum tl_drop *reason);
