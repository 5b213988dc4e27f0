// SPDX-License-Identifier: BSD-3-Clause
// packet path: a call's two legs as the worker sees them.
//
// An object has two halves. The terms of a leg are immutable: the manager makes them, the worker swaps the
// pointer between two bursts and hands the old ones back. The rest is mutable and the owning worker's alone,
// from the moment it links the session until it hands it back.
//
// Cache lines that one RTP packet touches: session head, the receiving leg's terms (first line) and one
// srtp_rx, the sending leg's send line and terms (both lines), and a live record's hot lines. All other rx
// slots, keys and cold counters stay out of the way.
#pragma once

#include <assert.h>
#include <rte_common.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/contract.h"
#include "dataplane/srtp.h"
#include "dataplane/srtp_index.h"

enum { HEADER_LEN = 14 + 20 + 8 }; // Ethernet, IPv4, UDP

// What the remote side of a leg and we have agreed on. Read by the owning worker, made and freed by the
// manager. Addresses and ports in network byte order.
struct leg_terms {
    // what we take from there
    alignas(RTE_CACHE_LINE_SIZE) uint32_t rtp_ip; // 0 before the answer
    uint32_t rtcp_ip;                             // 0 with RTCP mux and before the answer
    uint16_t rtp_port;
    uint16_t rtcp_port;
    uint8_t flags;             // enum tl_leg_flags
    uint8_t complete;          // the remote RTP address is known
    uint8_t pt_in[TL_PT_MAX];  // 0xff where unused
    uint8_t pt_out[TL_PT_MAX]; // what pt_in becomes on the other leg
    uint16_t tx_port;          // index into ports.port[]
    uint8_t rx_suite;          // enum tl_suite of the keys
    uint8_t tx_suite;
    const struct srtp_key *rx_key; // NULL: plain
    const struct srtp_key *tx_key;
    uint32_t rx_generation; // of the keys
    uint32_t tx_generation;
    // what we send there
    alignas(RTE_CACHE_LINE_SIZE) uint8_t header[HEADER_LEN]; // of an RTP packet; lengths, sums, MAC left 0
    uint16_t rtcp_src_port;                                  // what an RTCP packet has instead
    uint16_t rtcp_dst_port;
    uint32_t rtcp_dst_ip;
    uint16_t rtp_hop; // next hop's number
    uint16_t rtcp_hop;
    // manager only
    size_t size; // of the whole block with its keys, to wipe and free
};
static_assert(sizeof(struct leg_terms) == 2 * RTE_CACHE_LINE_SIZE, "one line to receive, one to send");
static_assert(offsetof(struct leg_terms, header) == RTE_CACHE_LINE_SIZE, "the template has its line");

// A leg's outgoing SSRC: none yet, from before a restart, or in use.
enum ssrc_state { SSRC_NONE, SSRC_RESUMED, SSRC_SENDING };

// A leg's mutable half.
struct leg {
    // send line: the one stream that we send to the remote side
    alignas(RTE_CACHE_LINE_SIZE) struct srtp_tx tx;
    uint32_t base;    // outgoing index - near side's extended sequence number, modulo 2^32 as in RTCP
    uint32_t ssrc;    // outgoing; valid as session.ssrc_state says
    uint32_t ts_base; // outgoing timestamp - near side's
    uint32_t last_ts; // outgoing; valid with SSRC_SENDING
    // one line for each SSRC that we receive under the key; plain legs need none
    struct rx_line {
        alignas(RTE_CACHE_LINE_SIZE) struct srtp_rx stream;
    } rx[TL_SSRC_MAX];
};
static_assert(offsetof(struct leg, rx) == RTE_CACHE_LINE_SIZE, "what sending needs is one line");
static_assert(sizeof(struct leg) == RTE_CACHE_LINE_SIZE * (1 + TL_SSRC_MAX),
              "and one line per received SSRC");

struct session {
    alignas(RTE_CACHE_LINE_SIZE) const struct leg_terms *terms[2]; // swapped by the worker
    struct tl_live_session *live;
    uint32_t rx_ssrc[2][TL_SSRC_MAX]; // which SSRC each rx slot has; valid where rx_used says so
    uint8_t rx_used[2];               // bit per slot
    uint8_t ssrc_state[2];            // enum ssrc_state of leg[].ssrc
    uint32_t slot;
    struct leg leg[2];
};
static_assert(offsetof(struct session, leg) == RTE_CACHE_LINE_SIZE, "the head is one line");

// Slot of `ssrc` among those that the leg receives, or -1. Worker.
static inline int session_find_rx(const struct session *s, unsigned leg, uint32_t ssrc)
{
    for (int i = 0; i < TL_SSRC_MAX; i++)
        if (s->rx_ssrc[leg][i] == ssrc && s->rx_used[leg] >> i & 1)
            return i;
    return -1;
}

// Gives `ssrc` a free slot, zeroed; -1 when none is left. The live record names it from now on. Worker.
int session_add_rx(struct session *s, unsigned leg, uint32_t ssrc);

// Makes the mutable half new and goes on where `resume` says each leg's streams stood (tl_leg's rx_resume and
// tx_resume, NULL entries for a fresh start). terms, live and slot are set. Manager, before the worker links
// it.
void session_start(struct session *s, const struct tl_resume_ssrc *rx_resume[2],
                   const struct tl_resume_ssrc *tx_resume[2]);

// Puts new terms in place of a leg's; where a key's generation changed, its indices and windows start anew.
// Returns the old ones, which nobody uses any more. Worker, between two bursts.
const struct leg_terms *session_swap(struct session *s, unsigned leg, const struct leg_terms *terms);

// Stores where a stream stands in the live record; before its packet reaches the driver. Worker.
static inline void live_store_index(struct tl_live_ssrc *live, uint64_t index, uint32_t generation)
{
    atomic_store_explicit(&live->word, srtp_word(index, generation), memory_order_release);
}
