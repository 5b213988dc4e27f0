// SPDX-License-Identifier: BSD-3-Clause
// What is known of one incoming stream: every packet is judged by its RTP header and, where it is verified,
// by its stamp. Pure.
#pragma once

#include "tools/loadgen/streams/stamp.h"

enum { LEDGER_WINDOW = 512 }; // packets in which a duplicate is told from a late packet: 10 s at 20 ms

struct ledger_header { // of RTP
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t seq;
    bool marker;
};

struct ledger {
    uint32_t ssrc; // expected in the stamps

    uint64_t received;  // distinct packets that count
    uint64_t verified;  // of them: payload right to the last byte, on SRTP authentic too
    uint32_t reordered; // of them: came after one with a higher number
    uint32_t duplicate; // came again
    uint32_t too_late;  // from before the window: late or a duplicate, counted as neither
    uint32_t finals;    // that say the end; never counted as received

    uint32_t bad_payload; // a byte is wrong
    uint32_t misrouted;   // right, but another stream's
    uint32_t seq_jumps;   // the RTP sequence number did not move as the sender's did
    uint32_t ts_jumps;    // the RTP timestamp did not
    uint32_t ssrc_changes;
    uint32_t bad_rtp; // no RTP, version or length wrong
    uint32_t bad_pt;  // another payload type than asked for
    uint32_t bad_auth;
    uint32_t replayed;     // SRTP: authentic, by an index that was there before or is too old
    uint32_t late_for_roc; // SRTP: from before a wrap that was passed; libre can't unprotect those
    uint32_t foreign;      // from another address than the stream's

    uint32_t total;   // packets that count, valid when `ended`
    uint32_t highest; // number, valid when `any`
    uint32_t first;   // number of the first packet verified
    uint32_t rtp_ssrc, ts_base, ts_step;
    uint16_t seq_base; // RTP sequence number less number
    bool any;          // a packet was verified: the bases are known
    bool stepped;      // a second one was: ts_step is known, by how much the timestamp grows a packet
    bool ended;        // the sender said its end
    uint64_t window[LEDGER_WINDOW / 64];
};

// Starts a ledger for stamps of `ssrc`.
void ledger_init(struct ledger *l, uint32_t ssrc);

// Whether this packet must be verified when only one in `every` (1: all) is asked for: also the first, all
// with the marker (the ends carry it), and none whose header alone could be judged wrongly.
bool ledger_must_verify(const struct ledger *l, const struct ledger_header *h, uint32_t every);

// Takes a packet whose payload is `data`, already authentic. Returns true when it is one of this stream's;
// then *s is its stamp.
bool ledger_take(struct ledger *l, const struct ledger_header *h, const uint8_t *data, size_t length,
                 struct stamp *s);

// Takes a packet by its header alone. Only where ledger_must_verify() allows it.
void ledger_take_unverified(struct ledger *l, const struct ledger_header *h);

// Packets that are known to have been sent: what the sender says, else the highest number and those before
// it.
uint64_t ledger_expected(const struct ledger *l);

// Expected less received.
uint64_t ledger_lost(const struct ledger *l);

// Packets that are not as they must be: every counter but reordering, loss and late ones.
uint64_t ledger_faults(const struct ledger *l);
