// SPDX-License-Identifier: BSD-3-Clause
// A dataplane without NIC, huge pages or threads: two ports over rings, workers whose turns the test runs,
// and neighbours on both networks that answer ARP.
//
//   port 0, realm "peer": media address 10.1.0.2/24, RTP ports 20000..20511
//   port 1, realm "core": media address 10.2.0.2/24, RTP ports 30000..30511
#pragma once

#include "dataplane/manager/manager_internal.h"
#include "dataplane/path/worker.h"
#include "dataplane/session/engine.h"
#include "dataplane/session/terms.h"
#include "far.h"
#include "packets.h"

enum {
    RIG_PORTS = 2,
    RIG_QUEUES = 2,
    RIG_WORKERS = 2,
    RIG_SESSIONS = 64,
    RIG_SENT = 4096,
    RIG_MBUFS = 2047,
};

#define RIG_IP(port)   ((port) ? IP4(10, 2, 0, 2) : IP4(10, 1, 0, 2))
#define RIG_PEER(port) ((port) ? IP4(10, 2, 0, 10) : IP4(10, 1, 0, 10))

// A UDP frame that a worker sent, checked: headers, checksums and destination MAC were right.
struct rig_sent {
    uint8_t port;
    uint16_t frame_len;
    struct udp_frame udp;
    uint8_t bytes[PACKET_BYTES_MAX];
};

struct rig {
    struct tl_config *config;
    struct ports ports;
    struct manager *manager; // or NULL: then the rig makes what follows itself
    struct tl_live_table *live;
    struct neigh *neigh;
    struct engine *engine;
    struct srtp_ctx *srtp;
    struct slab slab; // without a manager: of terms and keys
    struct rte_mempool *pool;
    struct rig_sent *sent; // [RIG_SENT]
    unsigned sent_count;
    unsigned other_sent; // ARP and all else
    unsigned free_mbufs; // at the start
    bool silent;         // neighbours don't answer ARP
    uint64_t later_ns;   // added to the clock that ARP sees
};

// A session that the rig made without a manager.
struct rig_call {
    struct session *session;
    struct tl_live_session *live;
    uint16_t port[2]; // local RTP port of each leg, leg 0 on port 0
};

// Starts DPDK once for the program, without huge pages. Returns 0 or -1 (said on stderr). Call rig_eal_end()
// at the end.
int rig_eal(void);
void rig_eal_end(void);

// A fresh dataplane of `workers` (1 or 2); each port has `queues` queues (1 to workers). Aborts if it cannot.
// rig_open_managed() is one with a manager, who listens for control on a socket of the test's own
// (r->config->dataplane.socket).
void rig_open(struct rig *r, unsigned workers, unsigned queues);
void rig_open_managed(struct rig *r, unsigned workers, unsigned queues);

// Ends it. Asserts that each packet buffer is back and each worker's counters add up.
void rig_close(struct rig *r);

// Without a manager: sets up a session between the ports of the realms, with legs as control sends them:
// local_port must be set. `now` as in terms_make().
struct rig_call rig_call(struct rig *r, uint32_t slot, const struct tl_leg leg[2]);

// Puts new terms in place of one leg's, as MODIFY does; rig_end() takes the session apart.
void rig_modify(struct rig *r, struct rig_call *call, unsigned leg, const struct tl_leg *terms);
void rig_end(struct rig *r, struct rig_call *call);

// A leg towards the neighbour .10 on the port: plain, both ways, PCMA 8, PCMU 0, telephone-event 101.
struct tl_leg rig_leg(unsigned port, uint16_t local_port, uint16_t remote_port);

// Puts a frame on a port's receive queue, guarded but for `tail` bytes behind it.
void rig_frame(struct rig *r, unsigned port, unsigned queue, const void *frame, unsigned len, unsigned tail);

// A UDP datagram from the neighbour .10 to the port's media address.
void rig_udp(struct rig *r, unsigned port, unsigned queue, uint16_t src_port, uint16_t dst_port,
             const void *payload, unsigned len);

// The same with a frame that ends where its buffer does.
void rig_frame_at_end(struct rig *r, unsigned port, unsigned queue, const void *frame, unsigned len);

// Makes the frame of rig_udp(), for tests that spoil it first; returns its length.
unsigned rig_udp_write(uint8_t frame[PACKET_BYTES_MAX], unsigned port, uint16_t src_port, uint16_t dst_port,
                       const void *payload, unsigned len);

// Fills a port's transmit queue so that nothing more fits, and empties it again.
void rig_block(unsigned port, unsigned queue);
void rig_unblock(unsigned port, unsigned queue);

// One turn of every worker and the manager, or its part of ARP; what was sent goes to r->sent. `rig_settle`
// turns until nothing moves any more.
void rig_turn(struct rig *r);
void rig_settle(struct rig *r);

// Takes what was sent to r->sent and answers ARP, no more: for tests whose workers run on threads of their
// own. Returns how many frames there were.
unsigned rig_collect(struct rig *r);

// Forgets what was sent so far.
void rig_clear(struct rig *r);

// Sum of a drop counter over all workers, and of one leg.
uint64_t rig_drops(const struct rig *r, enum tl_drop reason);
uint32_t rig_leg_drops(const struct rig_call *call, unsigned leg, enum tl_drop reason);

// All packets that workers dropped, whatever the reason.
uint64_t rig_all_drops(const struct rig *r);

// Bit for each slot that the leg, which has an rx key, knows an SSRC in.
unsigned rig_rx_used(const struct rig_call *call, unsigned leg);
