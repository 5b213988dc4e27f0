// SPDX-License-Identifier: BSD-3-Clause
// packet path: from one leg's stream to the other's: hold, payload types, and the one outgoing stream with
// its index, SSRC and timestamps.

#include "common/bytes.h"
#include "dataplane/path/stages.h"
#include "dataplane/session/g711.h"
#include "dataplane/session/quality.h"

enum {
    TICKS_PER_MS = 8,        // every payload type here (G.711, telephone-event) runs at 8 kHz
    TIMESTAMP_SLACK = 8000,  // how far ahead of the clock a timestamp may be and still go on
    TIMESTAMP_STEP = 160,    // a packet of 20 ms
    TICKS_MAX = 3600000 * 8, // of silence that timestamps follow
    EVENT_TICKS_MAX = 65535, // RFC 4733 2.3.5: the longest that an event may be
};

// Place of the payload type in pt_in, or -1. The first is the codec's; all eight are compared at once: the
// lowest zero byte of the difference.
static inline int find_pt(const struct leg_terms *t, uint8_t pt)
{
    if (likely(t->pt_in[0] == pt))
        return 0;
    const uint64_t ones = 0x0101010101010101u;
    uint64_t x;
    memcpy(&x, t->pt_in, sizeof x);
    x ^= ones * pt;
    x = (x - ones) & ~x & (ones << 7);
    return x ? (int)(rte_bsf64(x) >> 3) : -1;
}
static_assert(TL_PT_MAX == sizeof(uint64_t), "payload types are compared as one word");

// RFC 3550 5.1: the last byte says how many bytes of padding there are, itself among them.
static bool padding_fits(const struct packet *p)
{
    if (!(p->data[0] & 0x20))
        return true;
    unsigned payload = p->len - p->header_len;
    return payload > 0 && p->data[p->len - 1] > 0 && p->data[p->len - 1] <= payload;
}

// The outgoing index. An SRTP leg refuses what could use one twice. A plain stream has no keystream to give
// away: there a duplicate or a late packet keeps its place, and a jump is believed at once.
static unsigned take_index(struct leg *l, const struct leg_terms *out, uint32_t ssrc, uint16_t seq,
                           uint64_t *index, enum srtp_tx_event *event)
{
    if (out->tx_key && srtp_window_empty(&l->tx.rtp)) {
        srtp_tx_begin(&l->tx, ssrc, seq, index);
        *event = SRTP_TX_NEW;
        return SRTP_OK;
    }
    unsigned status = srtp_tx_take(&l->tx, ssrc, seq, index, event);
    if (status == SRTP_OK || out->tx_key || status == TL_DROP_tx_index_end)
        return status;
    if (l->tx.jumped) {
        l->tx.jump_seq = seq - 1; // as if this were the second of its kind
        return srtp_tx_take(&l->tx, ssrc, seq, index, event);
    }
    *index = l->tx.rtp.top + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq - l->tx.near_seq);
    return SRTP_OK;
}

// ---- what is not the next packet of its sequence -------------------------------------------------------

static uint32_t ticks_of(uint64_t ns)
{
    return (uint32_t)RTE_MIN(ns / 1000000u * TICKS_PER_MS, (uint64_t)TICKS_MAX);
}

// The base with which a near side's timestamp comes right behind the outgoing one that is farthest ahead.
// `gone` ticks since the near side's last packet.
static uint32_t base_behind(uint32_t front, uint32_t gone, uint32_t ts)
{
    return front + RTE_MAX(gone, (uint32_t)TIMESTAMP_STEP) - ts;
}

// An SSRC that is not known, or one that began anew: timestamps go on with the base of now, unless that leads
// anywhere but ahead.
static void rebase_timestamps(struct leg *l, uint32_t front, uint32_t ts, uint32_t gone)
{
    uint32_t ahead = ts + l->ts_base - front;
    if (ahead > gone + TIMESTAMP_SLACK)
        l->ts_base = base_behind(front, gone, ts);
}

// Does the clock of an SSRC whose turn it is again still run, so that its timestamps keep their base? An event
// keeps the timestamp of its first packet (RFC 4733 2.5.1.2), so one that is as old as an event may be long
// comes from the same clock. One that stood still while others sent has fallen behind them.
static bool clock_runs(const struct turn *turn, uint32_t front, uint32_t ts, uint32_t now_ms)
{
    uint32_t out = ts + turn->ts_base;
    uint32_t away = ticks_of((uint64_t)(now_ms - turn->left_ms) * 1000000u);
    int32_t ahead = (int32_t)(out - turn->last_ts);
    if (ahead <= 0)
        return ahead >= -EVENT_TICKS_MAX;
    return (uint32_t)ahead <= away + TIMESTAMP_SLACK && (int32_t)(out - front) >= -TIMESTAMP_SLACK;
}

static void new_base(struct packet *p, struct leg *l, const struct turns *turns, uint16_t seq, uint32_t ts,
                     uint32_t gone)
{
    unsigned to = p->leg ^ 1;
    uint8_t *state = &p->session->ssrc_state[to];
    if (*state == SSRC_NONE) {
        l->ssrc = p->ssrc;
        atomic_store_explicit(&p->live->tx[to].ssrc.ssrc, p->ssrc, memory_order_relaxed);
    } else if (*state == SSRC_SENDING) {
        rebase_timestamps(l, turns_front(turns, to, l->last_ts), ts, gone);
    }
    *state = SSRC_SENDING;
    l->base = (uint32_t)p->index - seq;
}

// Keeps the SSRC that has sent up to now. `own`: how many indices below its highest are its own at the most.
static void keep_turn(struct turn *turn, const struct leg *l, uint64_t own, uint32_t now_ms)
{
    *turn = (struct turn){.index = l->tx.rtp.top,
                          .ssrc = l->tx.near_ssrc,
                          .ts_base = l->ts_base,
                          .last_ts = l->last_ts,
                          .left_ms = now_ms,
                          .generation = terms_tx_generation(&l->terms),
                          .seq = l->tx.near_seq,
                          .reach = (uint8_t)RTE_MIN(own, (uint64_t)SRTP_WINDOW),
                          .used = true};
}

// A late packet of an SSRC whose turn is over takes the place that was left for it.
static unsigned take_late(struct packet *p, struct leg *l, const struct turn *turn, unsigned back)
{
    bool taken = back > turn->reach || srtp_window_take(&l->tx.rtp, turn->index - back) != SRTP_OK;
    if (taken && l->terms.tx_key)
        return TL_DROP_tx_index_used;
    p->index = turn->index - back;
    return SRTP_OK;
}

// Another SSRC than the one that sent last. SRTP_OK or the reason to drop; *ts is then such that l->ts_base
// makes the outgoing one of it.
static unsigned take_turn(struct worker *w, struct packet *p, struct leg *l, uint16_t seq, uint32_t *ts,
                          uint32_t gone)
{
    struct session *s = p->session;
    unsigned to = p->leg ^ 1;
    uint32_t now_ms = (uint32_t)(w->now_ns / 1000000u);
    struct turns *turns = turns_find(&w->turns, s);
    struct turn *turn = turns_of(turns, to, p->ssrc), was;
    int step = 1;
    bool follows =
        turn && turn->generation == terms_tx_generation(&l->terms) && srtp_seq_follows(turn->seq, seq, &step);
    if (follows && step <= 0) {
        *ts += turn->ts_base - l->ts_base;
        turns->recent = true;
        return take_late(p, l, turn, (unsigned)-step);
    }
    uint32_t front = turns_front(turns, to, l->last_ts);
    keep_turn(&was, l, l->tx.rtp.top - l->tx.base_first, now_ms);
    unsigned status = srtp_tx_turn(&l->tx, p->ssrc, seq, follows ? step : 1, &p->index);
    if (status != SRTP_OK)
        return status;
    if (turn && clock_runs(turn, front, *ts, now_ms))
        l->ts_base = turn->ts_base;
    else
        rebase_timestamps(l, front, *ts, gone);
    l->base = (uint32_t)p->index - seq;
    if (!turns)
        turns = turns_add(&w->turns, s);
    *(turn ? turn : turns_place(turns, to, now_ms)) = was;
    turns->recent = true;
    return SRTP_OK;
}

// The place of a packet that is not the next of its sequence. SRTP_OK or the reason to drop, in the upper half;
// in the lower one its timestamp, for the base of now.
static __rte_noinline uint64_t take_odd(struct worker *w, struct packet *p, struct leg *l, uint16_t seq,
                                        uint32_t ts, uint64_t silent_ns)
{
    enum srtp_tx_event event;
    unsigned status;
    if (l->tx.near_known && p->ssrc != l->tx.near_ssrc &&
        p->session->ssrc_state[p->leg ^ 1] == SSRC_SENDING) {
        status = take_turn(w, p, l, seq, &ts, ticks_of(silent_ns));
    } else {
        status = take_index(l, &l->terms, p->ssrc, seq, &p->index, &event);
        if (status == SRTP_OK && event == SRTP_TX_NEW)
            new_base(p, l, turns_find(&w->turns, p->session), seq, ts, ticks_of(silent_ns));
    }
    return (uint64_t)status << 32 | ts;
}

// The payload, without the padding that padding_fits() has checked, from one law to the other.
static __rte_noinline void transcode(struct packet *p)
{
    const struct leg_terms *in = &p->session->leg[p->leg].terms;
    uint8_t *payload = p->data + p->header_len;
    unsigned padding = p->data[0] & 0x20 ? p->data[p->len - 1] : 0, len = p->len - p->header_len - padding;
    if (in->flags & TERMS_U_TO_A)
        g711_u_to_a(payload, len);
    else
        g711_a_to_u(payload, len);
}

// RTP from the near side, counted, to RTP of the outgoing stream. SRTP_OK or the reason to drop.
static inline unsigned relay_rtp(struct worker *w, struct packet *p, struct session *s, unsigned leg,
                                 uint64_t now_ns, uint32_t ticks)
{
    const struct leg_terms *in = HELD(&s->leg[leg].terms);
    struct leg *to = HELD(&s->leg[leg ^ 1]);
    const struct leg_terms *out = &to->terms;
    struct tl_live_session *live = HELD(p->live);
    uint8_t *d = HELD(p->data);

    if (unlikely(!padding_fits(p)))
        return TL_DROP_bad_rtp;
    if (unlikely(!(in->flags & TL_LEG_RECV)))
        return TL_DROP_held;
    int pt = find_pt(in, d[1] & 0x7f);
    if (unlikely(pt < 0))
        return TL_DROP_unknown_pt;
    uint16_t seq = tl_get16(d + 2);
    uint32_t ts = tl_get32(d + 4);
    uint64_t silent_ns = quality_rtp(&live->rx[leg], now_ns, ticks, p->ssrc, seq, ts, p->wire_len);

    if (unlikely((out->flags & (TERMS_COMPLETE | TL_LEG_SEND)) != (TERMS_COMPLETE | TL_LEG_SEND)))
        return out->flags & TERMS_COMPLETE ? TL_DROP_held : TL_DROP_other_leg_incomplete;
    if (likely(srtp_tx_next(&to->tx, p->ssrc, seq))) {
        p->index = to->tx.rtp.top;
    } else {
        uint64_t odd = take_odd(w, p, to, seq, ts, silent_ns);
        if (odd >> 32 != SRTP_OK)
            return odd >> 32;
        ts = (uint32_t)odd;
    }
    live_store_index(&live->tx[leg ^ 1].ssrc, to->tx.rtp.top, terms_tx_generation(out));

    ts += to->ts_base;
    if (likely(p->index == to->tx.rtp.top))
        to->last_ts = ts;
    p->ssrc = to->ssrc;
    uint8_t pt_out = in->pt_out[pt];
    d[1] = (d[1] & 0x80) | (pt_out & 0x7f);
    tl_put16(d + 2, (uint16_t)p->index);
    tl_put32(d + 4, ts);
    tl_put32(d + 8, to->ssrc);
    if (unlikely(pt_out & TERMS_TRANSCODE))
        transcode(p);
    return SRTP_OK;
}

// RTCP goes on while a leg is on hold (RFC 3264 8.4).
static __rte_noinline unsigned relay_rtcp_packet(struct worker *w, struct packet *p)
{
    struct session *s = p->session;
    const struct leg_terms *out = &s->leg[p->leg ^ 1].terms;
    unsigned status = relay_rtcp(s, turns_find(&w->turns, s), p->leg, p->data, p->len);
    if (status != SRTP_OK)
        return status;
    count32(&p->live->rx_rtcp[p->leg], 1);
    if (!(out->flags & TERMS_COMPLETE))
        return TL_DROP_other_leg_incomplete;
    if (!out->tx_key)
        return SRTP_OK;
    uint32_t index;
    status = srtcp_tx_take(&s->leg[p->leg ^ 1].tx, &index);
    if (status != SRTP_OK)
        return status;
    atomic_store_explicit(&p->live->tx[p->leg ^ 1].ssrc.srtcp_index, index, memory_order_release);
    p->index = index;
    return SRTP_OK;
}

unsigned stage_relay(struct worker *w, struct packet *p, unsigned n)
{
    const uint64_t now_ns = w->now_ns;
    const uint32_t ticks = quality_ticks(now_ns);
    unsigned gone = 0;
    for (struct packet *q = p; q < p + n; q++) {
        struct session *s = HELD(q->session);
        const struct leg_terms *out = &s->leg[q->leg ^ 1].terms;
        unsigned status = likely(q->kind == PACKET_RTP) ? relay_rtp(w, q, s, q->leg, now_ns, ticks)
                                                        : relay_rtcp_packet(w, q);
        if (unlikely(status != SRTP_OK)) {
            packet_drop(w, q, status);
            gone++;
        } else if (out->tx_key) {
            packet_prefetch_payload(q); // the key itself: since admission
        }
    }
    return packets_close_up(p, n, gone);
}
