// SPDX-License-Identifier: BSD-3-Clause
// The payload of a bare stream's packet: which packet of which stream it is, when it was sent, and a filler
// made from that, so that the receiver can judge every byte alone. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STAMP_MIN = 20,   // bytes of payload: what stands before the filler; also what G.729 sends in 20 ms
    STAMP_MAX = 1400, // with all headers and the longest tag it fits an Ethernet frame
};

struct stamp {
    uint32_t ssrc;   // of the sender; a gateway may change that of RTP, never this one
    uint32_t number; // of the packet in its stream, from 0, less than 2^31
    bool final;      // after the end of what counts; `value` says how many packets that were
    uint64_t value;  // ns at which it was sent, by the sender's monotonic clock
};

// Writes `length` bytes, STAMP_MIN to STAMP_MAX.
void stamp_write(uint8_t *out, size_t length, const struct stamp *s);

// Checks all `length` bytes. True when they are what stamp_write() wrote for that length; only then *s is
// filled in.
bool stamp_read(const uint8_t *data, size_t length, struct stamp *s);
