// SPDX-License-Identifier: BSD-3-Clause
// Digits as RFC 4733 telephone-events: the sender's steps and the receiver's check. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DTMF_BYTES = 4,          // of an event payload
    DTMF_DIGITS_MAX = 16,    // of one call
    DTMF_TICKS = 10,         // of 20 ms from digit to digit: seven carry the event, three carry audio
    DTMF_EVENT_TICKS = 7,    // the last three repeat the end (RFC 4733 2.5.1.4)
    DTMF_DIGIT_MS = 200,     // DTMF_TICKS * 20
    DTMF_LAST_DURATION = 800 // timestamp units: five packets of 20 ms
};

// Event code of a digit (0-9 * # A-D), -1 for any other character.
int dtmf_event_of(char digit);

// The digit of an event code, 0 for a code that is no digit.
char dtmf_digit_of(uint8_t event);

struct dtmf_sender {
    const char *digits; // borrowed
    uint32_t step;      // of 20 ms since the first digit began
    uint32_t timestamp; // of the event in progress
};

struct dtmf_packet {
    uint8_t payload[DTMF_BYTES];
    uint32_t timestamp; // RTP timestamp: that of the event's first packet
    bool marker;        // first packet of an event
    bool last_of_digit; // the digit was said in full with this packet
};

// Advances by one 20 ms step. Returns true and fills in `out` when this step carries an event, false when it
// carries audio. `timestamp` is the stream's RTP timestamp now.
bool dtmf_step(struct dtmf_sender *s, uint32_t timestamp, struct dtmf_packet *out);

// True when every digit was said.
bool dtmf_said(const struct dtmf_sender *s);

struct dtmf_receiver {
    char digits[DTMF_DIGITS_MAX + 1]; // heard, in order
    uint32_t heard;                   // events begun, also those beyond the room above
    uint32_t ended;                   // events whose end came
    uint32_t packets;
    uint32_t malformed; // wrong length, no digit, or a code or duration that contradicts the event's earlier
                        // packets
    uint32_t timestamp;
    uint16_t duration;
    uint8_t event;
    bool any;
    bool end_seen;
};

// Takes one telephone-event payload with its RTP timestamp, which names the event.
void dtmf_take(struct dtmf_receiver *r, uint32_t timestamp, const uint8_t *payload, size_t length);

// How many of `expected` were heard at their place, with an end. The rest, and what came beyond, is wrong.
uint32_t dtmf_right(const struct dtmf_receiver *r, const char *expected);

// Digits of `expected` that did not come right, events too many and malformed packets.
uint32_t dtmf_wrong(const struct dtmf_receiver *r, const char *expected);
