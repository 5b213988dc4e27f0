// SPDX-License-Identifier: BSD-3-Clause
// packet path: the SSRCs that a leg receives under its key: windows of those heard last, floors of those
// before.
//
// The key is shared, indices are each SSRC's own. An authentic packet of one SSRC more than there is room for
// takes the place of the longest silent one, whose highest indices stay behind as a floor. When that SSRC
// comes back it goes on from there: its rollover counter is right, and everything up to the floor counts as
// seen. Only the last LEG_FLOORS evicted are remembered.
//
// All of it is the worker's that owns the session; the manager only makes the block and takes it back.
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "dataplane/srtp/index.h"

enum { LEG_FLOORS = 2 };

enum {
    LEG_RX_ROC = 3,        // bits of leg_rx.roc that are enum tl_roc
    LEG_RX_KEEPS = 1 << 7, // the remote side was seen to keep its ROC when its key changed
    LEG_RX_BEFORE = 1,
    LEG_RX_GUESSES = 3,
    LEG_RX_CREDIT_MAX = 255,
    LEG_RX_GUESS_COSTS = 8,
};

// The first line has all that the packets of a leg's only SSRC need.
struct leg_rx {
    // Slots in the order of use, two bits each: the newest in the lowest, the longest silent in the highest.
    alignas(64) uint8_t order;
    uint8_t floor_has; // bit 2i: floor i has an SRTP index, bit 2i + 1: it has an SRTCP index; 0 is newer
    uint8_t roc;       // enum tl_roc, and LEG_RX_KEEPS
    uint8_t credit;    // for guesses, see leg_rx_may_guess()
    uint32_t floor_ssrc[LEG_FLOORS];
    uint16_t floor_index[LEG_FLOORS][3]; // 48 bits, low ones first
    // By slot. Not leg_rx_used(): free, and with LEG_RX_BEFORE in rtp.bits[1] it says where the SSRC stood under
    // the key before: rtp.top.
    struct srtp_rx stream[TL_SSRC_MAX];
    uint32_t floor_srtcp[LEG_FLOORS];
};
static_assert(sizeof(struct leg_rx) == 192, "memory of a leg with a key");
static_assert(offsetof(struct leg_rx, stream[1]) == 64, "the first stream shares the line with the order");
static_assert(TL_SSRC_MAX == 4, "a slot has two bits of the order");

// Makes it new: nothing was received under the key. `roc`: enum tl_roc.
void leg_rx_reset(struct leg_rx *rx, uint8_t roc);

// A new key takes the place of another: where each SSRC stood under that one is a guess at where it goes on.
void leg_rx_follow(struct leg_rx *rx, const struct leg_rx *before);

// Indices that a packet with `seq` of an SSRC may have of which nothing is known under this key, the likeliest
// first: ROC 0, or 1 when the first packets were lost around a wrap, and the one before the key changed.
// RFC 3711 3.3.1. Returns how many, 1 to LEG_RX_GUESSES, each another one. Reads only.
unsigned leg_rx_guess(const struct leg_rx *rx, uint32_t ssrc, uint16_t seq, uint64_t index[LEG_RX_GUESSES]);

// Another guess than the first one was right, or the first one that was not ROC 0 was not: learns what the
// remote side does when its key changes. `index`: of the authentic packet.
void leg_rx_learn(struct leg_rx *rx, uint32_t ssrc, uint64_t index);

// Each packet of an unknown SSRC earns credit, each further guess at one costs eight times that: a flood of bad
// packets is not authenticated much more than once each, and a stream that begins under it still gets through.
static inline void leg_rx_earn(struct leg_rx *rx)
{
    rx->credit += rx->credit < LEG_RX_CREDIT_MAX;
}

static inline bool leg_rx_may_guess(const struct leg_rx *rx)
{
    return rx->credit >= LEG_RX_GUESS_COSTS;
}

// Has the stream committed anything?
static inline bool leg_rx_used(const struct srtp_rx *stream)
{
    return (stream->rtp.bits[0] | stream->rtcp_bits) & 1;
}

// Was nothing received under the key yet?
static inline bool leg_rx_new(const struct leg_rx *rx)
{
    for (unsigned i = 0; i < TL_SSRC_MAX; i++)
        if (leg_rx_used(&rx->stream[i]))
            return false;
    return true;
}

// Slot of `ssrc`, or -1. The newest is looked at first. Reads only.
static inline int leg_rx_find(const struct leg_rx *rx, uint32_t ssrc)
{
    for (unsigned order = rx->order, i = 0; i < TL_SSRC_MAX; i++, order >>= 2) {
        const struct srtp_rx *stream = &rx->stream[order & 3];
        if (stream->ssrc == ssrc && leg_rx_used(stream))
            return (int)(order & 3);
    }
    return -1;
}

// What is known of an SSRC that has no slot: what its floor says, or nothing (all zero but for the SSRC).
// Reads only.
void leg_rx_floor(const struct leg_rx *rx, uint32_t ssrc, struct srtp_rx *out);

// Gives an SSRC that has no slot, of which an authentic packet has come, the place of the longest silent one
// and returns its slot. The stream is what leg_rx_floor() said; the caller commits the packet's index at
// once, which makes the slot used.
unsigned leg_rx_add(struct leg_rx *rx, uint32_t ssrc);

void leg_rx_reorder(struct leg_rx *rx, unsigned slot);

// The slot's SSRC was heard just now.
static inline void leg_rx_heard(struct leg_rx *rx, unsigned slot)
{
    if ((rx->order & 3) != slot)
        leg_rx_reorder(rx, slot);
}
