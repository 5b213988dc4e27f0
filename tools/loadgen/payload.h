// SPDX-License-Identifier: BSD-3-Clause
// What a media packet of ours carries in place of G.711 samples: 160 bytes that say which packet of which
// call they are, so that the receiver can judge every byte alone. Pure: no socket, no clock.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    PAYLOAD_BYTES = 160, // 20 ms of G.711
    PAYLOAD_MS = 20,
    PAYLOAD_HEADER = 24,
};

enum payload_direction { PAYLOAD_FROM_CALLER = 0, PAYLOAD_FROM_CALLEE = 1 };

enum payload_flag {
    PAYLOAD_COUNTED = 1, // sent inside the sender's window: its loss is a loss
    PAYLOAD_PAUSED = 2,  // the sender doesn't count because of a hold
    PAYLOAD_FINAL = 4,   // the window is over: `ordinal` is the number of counted packets of the whole call
    PAYLOAD_HOLDS = 8,   // the sender holds, or is about to: the receiver is asked to pause too
};

struct payload {
    uint32_t label;  // of the call, the same on both sides
    uint32_t number; // of the RTP packet in its stream, from 0; telephone-events take numbers too
    uint32_t
        ordinal; // counted: of this packet among the counted ones, from 1; else how many were counted so far
    uint32_t timestamp; // RTP timestamp less that of the stream's first packet
    uint8_t direction;  // enum payload_direction
    uint8_t flags;      // enum payload_flag
};

enum payload_verdict {
    PAYLOAD_OK,
    PAYLOAD_NOT_OURS, // no magic: not sent by a load generator
    PAYLOAD_DAMAGED,  // ours, but a byte or the length is not what the sender wrote
};

// Writes the header and a filler that depends on every field of `p`.
void payload_write(uint8_t out[PAYLOAD_BYTES], const struct payload *p);

// Reads and checks `length` bytes. `*p` is only filled in when the verdict is PAYLOAD_OK.
enum payload_verdict payload_read(const uint8_t *data, size_t length, struct payload *p);
