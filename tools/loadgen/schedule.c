// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/schedule.h"

#include "tools/loadgen/dtmf.h"

#include <errno.h>
#include <string.h>

enum {
    HOLD_AFTER_DTMF_MS = 400,
    HOLD_SIGNALLING_MS = 600, // two re-INVITEs and the pause before the first
    AFTER_HOLD_MS = 500,      // what must be left of the window
    WINDOW_MIN_MS = 500,
    OVERDUE_MS = 5000, // a BYE that was lost comes again within that
};

static uint32_t dtmf_end(uint32_t digits)
{
    return digits == 0 ? 0 : SCHEDULE_DTMF_AT + digits * DTMF_DIGIT_MS;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

int schedule_make(struct schedule *s, uint32_t seconds, uint32_t digits, bool holds, bool hangs_up)
{
    const uint32_t length = seconds * 1000;
    const uint32_t quarter = length / 4;

    memset(s, 0, sizeof *s);
    s->bye_at = length;
    s->count_end = length - SCHEDULE_GUARD_MS - SCHEDULE_MARGIN_MS;
    s->dtmf_at = SCHEDULE_DTMF_AT;
    s->hangs_up = hangs_up;
    s->holds = holds;
    if (length < SCHEDULE_GUARD_MS + SCHEDULE_MARGIN_MS + WINDOW_MIN_MS)
        return -ERANGE;
    if (dtmf_end(digits) + WINDOW_MIN_MS / 2 > s->count_end)
        return -ERANGE;
    if (!holds)
        return 0;

    s->hold_at = larger(dtmf_end(digits) + HOLD_AFTER_DTMF_MS, length * 2 / 5);
    s->hold_for = quarter < 500 ? 500 : quarter > 5000 ? 5000 : quarter;
    if (s->hold_at + s->hold_for + HOLD_SIGNALLING_MS + AFTER_HOLD_MS > s->count_end)
        return -ERANGE;
    return 0;
}

uint32_t schedule_shortest(uint32_t digits, bool holds)
{
    struct schedule s;
    uint32_t seconds = 1;

    while (schedule_make(&s, seconds, digits, holds, false) != 0)
        seconds++;
    return seconds;
}

void window_stamp(struct window *w, const struct schedule *s, uint32_t now, struct payload *p)
{
    if (w->open && now >= s->count_end)
        w->closed = true;

    p->flags = 0;
    p->ordinal = w->counted;
    if (w->closed) {
        p->flags = PAYLOAD_FINAL;
    } else if (w->paused_here || w->paused_there) {
        p->flags = (uint8_t)(PAYLOAD_PAUSED | (w->paused_here ? PAYLOAD_HOLDS : 0));
    } else if (w->open) {
        p->flags = PAYLOAD_COUNTED;
        p->ordinal = w->counted + 1;
    }
}

void window_sent(struct window *w, const struct payload *p)
{
    if (p->flags & PAYLOAD_COUNTED)
        w->counted = p->ordinal;
}

bool schedule_bye_due(const struct schedule *s, uint32_t now, const struct heard *heard)
{
    if (!s->hangs_up || now < s->bye_at)
        return false;
    if (heard->final != UINT32_MAX)
        return now - heard->final >= SCHEDULE_GUARD_MS;
    return now - heard->last >= SCHEDULE_SILENCE_MS || now - s->bye_at >= SCHEDULE_LATE_MS;
}

bool schedule_overdue(const struct schedule *s, uint32_t now, const struct heard *heard)
{
    if (s->hangs_up || now < s->bye_at + OVERDUE_MS)
        return false;
    return now - heard->last >= OVERDUE_MS || now - s->bye_at >= SCHEDULE_LATE_MS + OVERDUE_MS;
}
