// SPDX-License-Identifier: BSD-3-Clause
// What a receiver knows of one incoming stream: every packet is judged by its payload and its RTP header.
// Pure.
#pragma once

#include "tools/loadgen/payload.h"

#include <stdbool.h>

enum { RECEIPT_WINDOW = 1024 }; // packet numbers in which a duplicate is told from a late packet: 20 s

struct receipt_header {
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t seq;
    uint32_t arrival; // in 8,000ths of a second, any origin
};

struct receipt {
    uint32_t label;    // expected
    uint8_t direction; // expected

    uint64_t packets;    // that came with the right payload type, telephone-events too
    uint32_t received;   // distinct counted packets: what `lost` is measured against
    uint32_t early;      // sent before the sender began to count, or not ours and before the ACK
    uint32_t uncounted;  // good, sent while held or after the window
    uint32_t after_hold; // of `received`: those that came after the first hold
    uint32_t reordered;
    uint32_t duplicate;
    uint32_t bad_payload; // a byte is wrong
    uint32_t misrouted;   // good, but of another call or direction
    uint32_t seq_jumps;   // the sequence number doesn't move with the packet number
    uint32_t ts_jumps;    // the timestamp doesn't move as the sender's did
    uint32_t ssrc_changes;
    uint32_t roc_steps; // wraps of the sequence number seen

    uint32_t highest;     // packet number, valid when `any`
    uint32_t ordinal_max; // highest ordinal seen
    uint32_t final_total; // valid when `final_known`
    bool judging;         // from the ACK on; whatever came before is early, be it a ringing tone
    bool any;
    bool any_header;
    bool final_known;
    bool peer_paused; // the newest packet said so
    bool peer_holds;  // likewise
    bool was_paused;

    uint32_t ssrc;
    uint32_t seq_highest; // extended by the wraps
    uint16_t seq_first;
    uint16_t seq_base; // sequence number less packet number
    uint32_t ts_base;
    bool based;
    uint32_t jitter16; // RFC 3550 A.8, times 16, in timestamp units
    uint32_t jitter_max16;
    uint32_t transit;                   // valid when `based`
    uint64_t seen[RECEIPT_WINDOW / 64]; // ring of bits, by packet number
};

// Starts a receipt for packets of call `label` sent in `direction`.
void receipt_init(struct receipt *r, uint32_t label, uint8_t direction);

// Takes the RTP header of a packet of either kind (audio or telephone-event), authentic and from the
// signalled address.
void receipt_take_header(struct receipt *r, const struct receipt_header *h);

// Counts a packet from the signalled address that is not as it should be: in `counter`, or as early before
// the ACK.
void receipt_fault(struct receipt *r, uint32_t *counter);

// Takes the payload of an audio packet, after its header.
void receipt_take_audio(struct receipt *r, const struct receipt_header *h, const uint8_t *payload,
                        size_t length);

// Counted packets that the far side is known to have sent: its own total once that came, else the highest
// ordinal.
uint32_t receipt_expected(const struct receipt *r);

// Expected less received.
uint32_t receipt_lost(const struct receipt *r);

// Interarrival jitter in microseconds, the highest that the running mean reached.
uint32_t receipt_jitter_us(const struct receipt *r);
