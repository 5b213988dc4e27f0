// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/dtmf.h"

#include <assert.h>
#include <string.h>

static const char events[] = "0123456789*#ABCD"; // RFC 4733 3.2: the place is the code

static_assert(sizeof events - 1 == 16, "sixteen digits");
static_assert((DTMF_EVENT_TICKS - 2) * 160 == DTMF_LAST_DURATION, "the end is said three times");

int dtmf_event_of(char digit)
{
    const char *at = digit == 0 ? NULL : strchr(events, digit);

    return at == NULL ? -1 : (int)(at - events);
}

char dtmf_digit_of(uint8_t event)
{
    return (char)(event < sizeof events - 1 ? events[event] : 0);
}

bool dtmf_said(const struct dtmf_sender *s)
{
    return s->digits == NULL || s->step >= strlen(s->digits) * DTMF_TICKS;
}

bool dtmf_step(struct dtmf_sender *s, uint32_t timestamp, struct dtmf_packet *out)
{
    if (dtmf_said(s))
        return false;

    const uint32_t tick = s->step % DTMF_TICKS;
    const int event = dtmf_event_of(s->digits[s->step / DTMF_TICKS]);

    s->step++;
    if (tick >= DTMF_EVENT_TICKS || event < 0)
        return false;
    if (tick == 0)
        s->timestamp = timestamp;

    const bool end = tick >= DTMF_EVENT_TICKS - 3;
    const uint16_t duration = end ? DTMF_LAST_DURATION : (uint16_t)((tick + 1) * 160);
    out->payload[0] = (uint8_t)event;
    out->payload[1] = (uint8_t)(10 | (end ? 0x80 : 0)); // -10 dBm0
    out->payload[2] = (uint8_t)(duration >> 8);
    out->payload[3] = (uint8_t)duration;
    out->timestamp = s->timestamp;
    out->marker = tick == 0;
    out->last_of_digit = tick == DTMF_EVENT_TICKS - 1;
    return true;
}

void dtmf_take(struct dtmf_receiver *r, uint32_t timestamp, const uint8_t *payload, size_t length)
{
    r->packets++;
    if (length != DTMF_BYTES || dtmf_digit_of(payload[0]) == 0) {
        r->malformed++;
        return;
    }
    const bool end = payload[1] & 0x80;
    const uint16_t duration = (uint16_t)(payload[2] << 8 | payload[3]);

    if (!r->any || timestamp != r->timestamp) {
        r->any = true;
        r->timestamp = timestamp;
        r->event = payload[0];
        r->duration = duration;
        r->end_seen = false;
        if (r->heard < DTMF_DIGITS_MAX)
            r->digits[r->heard] = dtmf_digit_of(payload[0]);
        r->heard++;
    } else if (payload[0] != r->event || duration < r->duration) {
        r->malformed++;
        return;
    }
    r->duration = duration;
    if (end && !r->end_seen) {
        r->end_seen = true;
        r->ended++;
    }
}

uint32_t dtmf_right(const struct dtmf_receiver *r, const char *expected)
{
    uint32_t right = 0;

    for (uint32_t i = 0; i < r->heard && i < DTMF_DIGITS_MAX && expected[i] != 0; i++)
        right += r->digits[i] == expected[i];
    return right < r->ended ? right : r->ended;
}

uint32_t dtmf_wrong(const struct dtmf_receiver *r, const char *expected)
{
    const uint32_t asked = (uint32_t)strlen(expected);
    const uint32_t extra = r->heard > asked ? r->heard - asked : 0;

    return asked - dtmf_right(r, expected) + extra + r->malformed;
}
