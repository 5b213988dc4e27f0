// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/receipt.h"

#include <stdlib.h>
#include <string.h>

enum freshness { FRESH, LATE, SEEN };

void receipt_init(struct receipt *r, uint32_t label, uint8_t direction)
{
    memset(r, 0, sizeof *r);
    r->label = label;
    r->direction = direction;
}

// Of audio only: the packets of a telephone-event share one timestamp.
static void take_jitter(struct receipt *r, const struct receipt_header *h)
{
    const uint32_t transit = h->arrival - h->timestamp;

    if (r->based) {
        const uint32_t d = (uint32_t)abs((int32_t)(transit - r->transit));
        // a hold or a stall of the sender's clock is not jitter
        if (d < 8000)
            r->jitter16 += d - ((r->jitter16 + 8) >> 4);
        if (r->jitter16 > r->jitter_max16)
            r->jitter_max16 = r->jitter16;
    }
    r->transit = transit;
}

void receipt_take_header(struct receipt *r, const struct receipt_header *h)
{
    r->packets++;
    if (!r->any_header || r->ssrc != h->ssrc) {
        if (r->any_header)
            r->ssrc_changes++;
        else
            r->seq_first = h->seq;
        r->any_header = true;
        r->ssrc = h->ssrc;
        r->seq_highest = h->seq;
        r->based = false;
        return;
    }
    const int16_t step = (int16_t)(h->seq - (uint16_t)r->seq_highest);
    if (step > 0) {
        const uint32_t next = r->seq_highest + (uint16_t)step;
        if (next >> 16 != r->seq_highest >> 16)
            r->roc_steps++;
        r->seq_highest = next;
    }
}

static bool seen_before(const struct receipt *r, uint32_t number)
{
    return r->seen[number % RECEIPT_WINDOW / 64] >> (number % 64) & 1;
}

static void mark(struct receipt *r, uint32_t number, bool on)
{
    const uint64_t bit = UINT64_C(1) << (number % 64);
    uint64_t *word = &r->seen[number % RECEIPT_WINDOW / 64];

    *word = on ? *word | bit : *word & ~bit;
}

// Where a packet number stands to those that came. What is older than the window can't be told from a
// duplicate.
static enum freshness place(struct receipt *r, uint32_t number)
{
    if (!r->any || number > r->highest) {
        const uint32_t ahead = r->any ? number - r->highest : RECEIPT_WINDOW;
        if (ahead >= RECEIPT_WINDOW)
            memset(r->seen, 0, sizeof r->seen);
        else
            for (uint32_t n = r->highest + 1; n != number; n++)
                mark(r, n, false);
        mark(r, number, true);
        r->highest = number;
        r->any = true;
        return FRESH;
    }
    if (r->highest - number >= RECEIPT_WINDOW || seen_before(r, number))
        return SEEN;
    mark(r, number, true);
    return LATE;
}

void receipt_fault(struct receipt *r, uint32_t *counter)
{
    if (r->judging)
        ++*counter;
    else
        r->early++;
}

static void check_header(struct receipt *r, const struct receipt_header *h, const struct payload *p)
{
    const uint16_t seq_base = (uint16_t)(h->seq - p->number);
    const uint32_t ts_base = h->timestamp - p->timestamp;

    if (r->based) {
        r->seq_jumps += seq_base != r->seq_base;
        r->ts_jumps += ts_base != r->ts_base;
    }
    r->seq_base = seq_base;
    r->ts_base = ts_base;
    r->based = true;
}

void receipt_take_audio(struct receipt *r, const struct receipt_header *h, const uint8_t *payload,
                        size_t length)
{
    struct payload p;

    if (payload_read(payload, length, &p) != PAYLOAD_OK) {
        receipt_fault(r, &r->bad_payload);
        return;
    }
    if (p.label != r->label || p.direction != r->direction) {
        receipt_fault(r, &r->misrouted);
        return;
    }
    take_jitter(r, h);
    check_header(r, h, &p);

    const enum freshness f = place(r, p.number);
    if (f == SEEN) {
        r->duplicate++;
        return;
    }
    if (f == LATE) {
        r->reordered++;
    } else {
        r->peer_paused = p.flags & PAYLOAD_PAUSED;
        r->peer_holds = p.flags & PAYLOAD_HOLDS;
        r->was_paused |= r->peer_paused;
    }
    if (p.ordinal > r->ordinal_max)
        r->ordinal_max = p.ordinal;
    if (p.flags & PAYLOAD_COUNTED) {
        r->received++;
        r->after_hold += r->was_paused;
    } else if (p.ordinal == 0 && !(p.flags & (PAYLOAD_FINAL | PAYLOAD_PAUSED))) {
        r->early++;
    } else {
        r->uncounted++;
    }
    if (p.flags & PAYLOAD_FINAL) {
        r->final_known = true;
        r->final_total = p.ordinal;
    }
}

uint32_t receipt_expected(const struct receipt *r)
{
    return r->final_known && r->final_total > r->ordinal_max ? r->final_total : r->ordinal_max;
}

uint32_t receipt_lost(const struct receipt *r)
{
    const uint32_t expected = receipt_expected(r);

    return expected > r->received ? expected - r->received : 0;
}

uint32_t receipt_jitter_us(const struct receipt *r)
{
    return (uint32_t)((uint64_t)(r->jitter_max16 >> 4) * 125);
}
