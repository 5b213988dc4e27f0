// SPDX-License-Identifier: BSD-3-Clause
// packet path: a call's two legs as the worker sees them.
//
// From the moment that it links the session until it hands it back, all of it is the owning worker's alone.
// What the packet path only reads of it are the terms of its legs: the manager makes new ones aside, the
// worker swaps them with the old between two bursts and hands those back.
//
// Cache lines that one RTP packet touches: the session's head, the receiving leg's terms and both lines of
// the sending leg, which lie nearly in a row, so that the hardware brings them nearly as one, and two lines
// of the live record; on a leg with a key also the first line of its leg_rx and the key's own.
#pragma once

#include <assert.h>
#include <rte_common.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/contract.h"
#include "common/key_history.h"
#include "dataplane/session/leg_rx.h"
#include "dataplane/session/police.h"
#include "dataplane/srtp/index.h"
#include "dataplane/srtp/srtp.h"

// Beside enum tl_leg_flags in leg_terms.flags.
enum terms_flags {
    TERMS_COMPLETE = TL_LEG_FLAGS + 1,  // the remote RTP address is known
    TERMS_U_TO_A = TERMS_COMPLETE << 1, // what is transcoded goes from µ to A law, else from A to µ
    TERMS_RX_GCM = TERMS_U_TO_A << 1,   // what kind of key rx_key is, without reading it
    TERMS_TX_GCM = TERMS_RX_GCM << 1,
};
static_assert(TERMS_TX_GCM <= UINT8_MAX, "flags are a byte");

enum { TERMS_TRANSCODE = 0x80 }; // bit of pt_out

// What the remote side of a leg and we have agreed on. Its keys are the leg's alone. Addresses and ports in
// network byte order.
struct leg_terms {
    alignas(RTE_CACHE_LINE_SIZE) uint32_t rtp_ip; // remote; 0 before the answer
    uint16_t local_port;                          // RTP; RTCP is the next one
    uint16_t rtp_port;                            // remote
    uint32_t rtcp_ip;                             // 0 with RTCP mux and before the answer
    uint16_t rtcp_port;
    uint16_t rtp_hop : 12; // next hop's number
    uint16_t tx_port : 4;  // index into ports.port[]; realm: into its realm[]
    uint32_t realm : 6;
    uint32_t rtcp_hop : 12; // none with RTCP mux
    uint32_t : 3;
    uint32_t max_len : 11;         // of a media packet's UDP payload
    struct police_rate police;     // of what comes in
    uint8_t flags;                 // enum tl_leg_flags, enum terms_flags
    uint8_t pt_in[TL_PT_MAX];      // 0xff where unused
    uint8_t pt_out[TL_PT_MAX];     // what pt_in becomes on the other leg | TERMS_TRANSCODE
    const struct srtp_key *rx_key; // NULL: plain
    const struct srtp_key *tx_key;
};
static_assert(sizeof(struct leg_terms) == RTE_CACHE_LINE_SIZE, "one line in all");

// rtp_ip, local_port and rtp_port, which follow one another in the headers of what is sent; also
// packet.route of what comes from there.
static inline uint64_t terms_rtp_route(const struct leg_terms *t)
{
    uint64_t route;
    memcpy(&route, t, sizeof route);
    return route;
}
static_assert(offsetof(struct leg_terms, rtp_ip) == 0 && offsetof(struct leg_terms, local_port) == 4 &&
                  offsetof(struct leg_terms, rtp_port) == 6,
              "the first 8 bytes of terms");

// Generations of the keys; plain counts as 0.
static inline uint32_t terms_rx_generation(const struct leg_terms *t)
{
    return t->rx_key ? srtp_key_generation(t->rx_key) : 0;
}

static inline uint32_t terms_tx_generation(const struct leg_terms *t)
{
    return t->tx_key ? srtp_key_generation(t->tx_key) : 0;
}

// A leg's outgoing SSRC: none yet, from before a restart, or in use.
enum ssrc_state { SSRC_NONE, SSRC_RESUMED, SSRC_SENDING };

// One line of what was agreed on, and one of what sending writes: the one stream that we send to the remote
// side.
struct leg {
    struct leg_terms terms;
    struct srtp_tx tx;
    uint32_t base;    // outgoing index - near side's extended sequence number, modulo 2^32 as in RTCP
    uint32_t ssrc;    // outgoing; valid as session.ssrc_state says
    uint32_t ts_base; // outgoing timestamp - near side's
    uint32_t last_ts; // outgoing; valid with SSRC_SENDING
};
static_assert(offsetof(struct leg, tx) == RTE_CACHE_LINE_SIZE &&
                  sizeof(struct leg) == 2 * RTE_CACHE_LINE_SIZE,
              "two lines");

// Its live record is the one of the same slot.
struct session {
    alignas(RTE_CACHE_LINE_SIZE) struct leg_rx *rx[2]; // of legs with an rx key, else NULL
    struct police police[2];                           // by leg received on
    uint32_t slot;
    uint8_t ssrc_state[2]; // enum ssrc_state of leg[].ssrc
    uint16_t turns;        // entry of the worker's table (turns.h) + 1, 0: none
    struct leg leg[2];
};
static_assert(offsetof(struct session, leg) == RTE_CACHE_LINE_SIZE, "the head is one line");
static_assert(sizeof(struct session) == 5 * RTE_CACHE_LINE_SIZE, "memory of a session");

// Where what was sent under each key that a leg had stood, by the key's slot in their history. Made when a leg
// changes its key; from then on the worker's.
struct leg_past {
    struct {
        uint64_t index;       // highest used, or TL_INDEX_NONE
        uint32_t srtcp_index; // likewise, 0: none
    } tx[TL_KEYS_KEPT];
    uint8_t tx_slot; // of the key in use, or LEG_PAST_PLAIN
};

enum {
    LEG_PAST_NEW = 0x80,   // beside a slot: the key has it from now on, nothing was sent under it
    LEG_PAST_PLAIN = 0xff, // no slot: plain RTP
};

// What the manager makes of a leg: its terms, in place or aside for session_swap(), and the state of what is
// received under their rx key, new or as it was when the key was in use before, or NULL without a key.
struct leg_parts {
    struct leg_terms *terms;
    struct leg_rx *rx;
    struct leg_past *past; // NULL: the leg never changed its keys
};

static inline struct leg_parts session_parts(struct session *s, unsigned leg)
{
    return (struct leg_parts){&s->leg[leg].terms, s->rx[leg], NULL};
}

// Gives an SSRC, of which an authentic packet has come on a leg with a key, a slot; the one silent longest
// gives way. The live record names it from now on. Worker.
unsigned session_add_rx(struct session *s, struct tl_live_session *live, unsigned leg, uint32_t ssrc);

// Makes all but the slot and its legs' parts new, and goes on where `resume` says each leg's streams stood
// (tl_leg's rx_resume and tx_resume, NULL entries for a fresh start). `live` is the slot's record, claimed
// for it. Manager, before the worker links it.
void session_start(struct session *s, struct tl_live_session *live, const struct tl_resume_ssrc *rx_resume[2],
                   const struct tl_resume_ssrc *tx_resume[2]);

// Puts new terms in place of a leg's; where a key's generation changed, the windows of parts->rx take the place of
// the leg's, and what is sent goes on where parts->past says it stood under the key in `tx_slot` of it (with
// LEG_PAST_NEW, or LEG_PAST_PLAIN), or starts anew. Leaves in *parts, and in the terms that it points to, what
// the leg does not use any more. Worker, between two bursts.
void session_swap(struct session *s, struct tl_live_session *live, unsigned leg, struct leg_parts *parts,
                  uint8_t tx_slot);

// Stores where a stream stands in the live record; before its packet reaches the driver. Worker.
static inline void live_store_index(struct tl_live_ssrc *live, uint64_t index, uint32_t generation)
{
    atomic_store_explicit(&live->word, srtp_word(index, generation), memory_order_release);
}
