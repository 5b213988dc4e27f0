// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/ledger.h"

#include <string.h>

void ledger_init(struct ledger *l, uint32_t ssrc)
{
    memset(l, 0, sizeof *l);
    l->ssrc = ssrc;
}

bool ledger_must_verify(const struct ledger *l, const struct ledger_header *h, uint32_t every)
{
    return every <= 1 || !l->stepped || h->marker || h->seq % every == 0 || h->ssrc != l->rtp_ssrc;
}

static bool test_and_set(struct ledger *l, uint32_t number)
{
    uint64_t *word = &l->window[number / 64 % (LEDGER_WINDOW / 64)];
    const uint64_t bit = UINT64_C(1) << number % 64;
    const bool was = (*word & bit) != 0;

    *word |= bit;
    return was;
}

static void advance(struct ledger *l, uint32_t number)
{
    if (number - l->highest >= LEDGER_WINDOW) {
        memset(l->window, 0, sizeof l->window);
    } else {
        for (uint32_t n = l->highest + 1; n != number + 1; n++)
            l->window[n / 64 % (LEDGER_WINDOW / 64)] &= ~(UINT64_C(1) << n % 64);
    }
    l->highest = number;
}

// Counts packet `number`. True when it is new.
static bool count(struct ledger *l, uint32_t number)
{
    const bool forward = (int32_t)(number - l->highest) > 0;

    if (forward) {
        advance(l, number);
    } else if (l->highest - number >= LEDGER_WINDOW) {
        l->too_late++;
        return false;
    }
    if (test_and_set(l, number)) {
        l->duplicate++;
        return false;
    }
    l->received++;
    l->reordered += !forward && number != l->highest;
    return true;
}

// How much the timestamp grows a packet is the sender's business: the first two packets tell.
static void learn_step(struct ledger *l, const struct ledger_header *h, uint32_t number)
{
    const int32_t packets = (int32_t)(number - l->first), ticks = (int32_t)(h->timestamp - l->ts_base);

    if (l->stepped || packets == 0)
        return;
    l->stepped = true;
    l->ts_step = (uint32_t)(ticks / packets);
    l->ts_base -= l->first * l->ts_step; // from here on that of packet 0
}

static void check_header(struct ledger *l, const struct ledger_header *h, uint32_t number)
{
    const uint16_t seq_base = (uint16_t)(h->seq - number);

    learn_step(l, h, number);
    const uint32_t ts_base = h->timestamp - number * l->ts_step;
    l->ssrc_changes += h->ssrc != l->rtp_ssrc;
    l->seq_jumps += seq_base != l->seq_base;
    l->ts_jumps += ts_base != l->ts_base;
    l->rtp_ssrc = h->ssrc;
    l->seq_base = seq_base;
    l->ts_base = ts_base;
}

bool ledger_take(struct ledger *l, const struct ledger_header *h, const uint8_t *data, size_t length,
                 struct stamp *s)
{
    if (!stamp_read(data, length, s)) {
        l->bad_payload++;
        return false;
    }
    if (s->ssrc != l->ssrc) {
        l->misrouted++;
        return false;
    }
    if (!l->any) {
        l->any = true;
        l->highest = s->final ? (uint32_t)s->value - 1 : s->number;
        l->rtp_ssrc = h->ssrc;
        l->seq_base = (uint16_t)(h->seq - s->number);
        l->first = s->number;
        l->ts_base = h->timestamp;
    }
    check_header(l, h, s->number);
    if (s->final) {
        l->finals++;
        l->ended = true;
        l->total = (uint32_t)s->value;
    } else {
        l->verified += count(l, s->number);
    }
    return true;
}

void ledger_take_unverified(struct ledger *l, const struct ledger_header *h)
{
    const int16_t ahead = (int16_t)(h->seq - (uint16_t)(l->highest + l->seq_base));
    const uint32_t number = l->highest + (uint32_t)(int32_t)ahead;

    if (ahead < 0 && (uint32_t)-ahead > l->highest) { // before the first packet: no number of this stream
        l->seq_jumps++;
        return;
    }
    l->ts_jumps += h->timestamp - number * l->ts_step != l->ts_base;
    count(l, number);
}

uint64_t ledger_expected(const struct ledger *l)
{
    if (l->ended)
        return l->total;
    return l->any ? (uint64_t)l->highest + 1 : 0;
}

uint64_t ledger_lost(const struct ledger *l)
{
    const uint64_t expected = ledger_expected(l);

    return expected > l->received ? expected - l->received : 0;
}

uint64_t ledger_faults(const struct ledger *l)
{
    return (uint64_t)l->duplicate + l->too_late + l->bad_payload + l->misrouted + l->seq_jumps + l->ts_jumps +
           l->ssrc_changes + l->bad_rtp + l->bad_pt + l->bad_auth + l->replayed + l->late_for_roc +
           l->foreign;
}
