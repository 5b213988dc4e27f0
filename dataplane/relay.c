// SPDX-License-Identifier: BSD-3-Clause
// packet path: from one leg's stream to the other's: hold, payload types, and the one outgoing stream with
// its index, SSRC and timestamps.
#include <rte_byteorder.h>

#include "dataplane/g711.h"
#include "dataplane/quality.h"
#include "dataplane/stages.h"

enum {
    TICKS_PER_MS = 8,        // every payload type here (G.711, telephone-event) runs at 8 kHz
    TIMESTAMP_SLACK = 8000,  // how far ahead of the clock a timestamp may be and still go on
    TIMESTAMP_STEP = 160,    // a packet of 20 ms
    TICKS_MAX = 3600000 * 8, // of silence that timestamps follow
};

static uint32_t load32(const uint8_t *d)
{
    uint32_t v;
    memcpy(&v, d, sizeof v);
    return rte_be_to_cpu_32(v);
}

static void store32(uint8_t *d, uint32_t v)
{
    v = rte_cpu_to_be_32(v);
    memcpy(d, &v, sizeof v);
}

// Place of the payload type in pt_in, or -1. All eight are compared at once: the lowest zero byte of the
// difference.
static int find_pt(const struct leg_terms *t, uint8_t pt)
{
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

// A new base: timestamps go on where they would be if they go anywhere else. `silent_ns` since the near
// side's last packet.
static void rebase_timestamps(struct leg *l, uint32_t ts, uint64_t silent_ns)
{
    uint64_t ticks = silent_ns / 1000000u * TICKS_PER_MS;
    uint32_t gone = RTE_MIN(ticks, (uint64_t)TICKS_MAX);
    uint32_t ahead = ts + l->ts_base - l->last_ts;
    if (ahead <= gone + TIMESTAMP_SLACK)
        return;
    l->ts_base = l->last_ts + (gone > TIMESTAMP_STEP ? gone : TIMESTAMP_STEP) - ts;
}

static void new_base(struct leg *l, uint8_t *state, struct tl_live_ssrc *live, uint32_t ssrc, uint16_t seq,
                     uint32_t ts, uint64_t index, uint64_t silent_ns)
{
    if (*state == SSRC_NONE) {
        l->ssrc = ssrc;
        atomic_store_explicit(&live->ssrc, ssrc, memory_order_relaxed);
    } else if (*state == SSRC_SENDING) {
        rebase_timestamps(l, ts, silent_ns);
    }
    *state = SSRC_SENDING;
    l->base = index - seq;
}

// The payload, without the padding that padding_fits() has checked, from one law to the other.
static void transcode(const struct leg_terms *in, struct packet *p)
{
    uint8_t *payload = p->data + p->header_len;
    unsigned padding = p->data[0] & 0x20 ? p->data[p->len - 1] : 0, len = p->len - p->header_len - padding;
    if (in->flags & TERMS_U_TO_A)
        g711_u_to_a(payload, len);
    else
        g711_a_to_u(payload, len);
}

static unsigned relay_rtp_packet(struct worker *w, struct packet *p, uint32_t ticks)
{
    struct session *s = p->session;
    const struct leg_terms *in = s->terms[p->leg], *out = s->terms[p->leg ^ 1];
    struct tl_live_rx *rx = &p->live->rx[p->leg];
    struct tl_live_ssrc *tx = &p->live->tx[p->leg ^ 1].ssrc;
    uint8_t *d = p->data;

    if (!padding_fits(p))
        return TL_DROP_bad_rtp;
    if (!(in->flags & TL_LEG_RECV))
        return TL_DROP_held;
    int pt = find_pt(in, d[1] & 0x7f);
    if (pt < 0)
        return TL_DROP_unknown_pt;
    uint64_t silent_ns = w->now_ns - atomic_load_explicit(&rx->last_ns, memory_order_relaxed);
    uint16_t seq = d[2] << 8 | d[3];
    uint32_t ts = load32(d + 4);
    quality_rtp(rx, w->now_ns, ticks, p->ssrc, seq, ts, p->wire_len);
    if (!(out->flags & TERMS_COMPLETE))
        return TL_DROP_other_leg_incomplete;
    if (!(out->flags & TL_LEG_SEND))
        return TL_DROP_held;

    struct leg *l = &s->leg[p->leg ^ 1];
    enum srtp_tx_event event;
    unsigned status = take_index(l, out, p->ssrc, seq, &p->index, &event);
    if (status != SRTP_OK)
        return status;
    if (event == SRTP_TX_NEW)
        new_base(l, &s->ssrc_state[p->leg ^ 1], tx, p->ssrc, seq, ts, p->index, silent_ns);
    live_store_index(tx, l->tx.rtp.top, terms_tx_generation(out));

    ts += l->ts_base;
    if (p->index == l->tx.rtp.top)
        l->last_ts = ts;
    p->ssrc = l->ssrc;
    d[1] = (d[1] & 0x80) | (in->pt_out[pt] & 0x7f);
    d[2] = p->index >> 8;
    d[3] = p->index;
    store32(d + 4, ts);
    store32(d + 8, l->ssrc);
    if (in->pt_out[pt] & TERMS_TRANSCODE)
        transcode(in, p);
    return SRTP_OK;
}

// RTCP goes on while a leg is on hold (RFC 3264 8.4).
static unsigned relay_rtcp_packet(struct packet *p)
{
    struct session *s = p->session;
    const struct leg_terms *out = s->terms[p->leg ^ 1];
    unsigned status = relay_rtcp(s, p->leg, p->data, p->len);
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

// The stream's own buckets: authentic or plain, whatever becomes of the packet from here on.
static bool over_rate(const struct worker *w, const struct packet *p)
{
    const struct police_rate *rate = &p->session->terms[p->leg]->police;
    return !police_own(&p->session->police[p->leg], rate, w->now_ns, p->wire_len, p->kind == PACKET_RTP);
}

unsigned stage_relay(struct worker *w, struct packet *p, unsigned n)
{
    unsigned left = 0;
    uint32_t ticks = quality_ticks(w->now_ns);
    for (unsigned i = 0; i < n; i++) {
        unsigned status;
        if (over_rate(w, &p[i]))
            status = TL_DROP_over_rate;
        else if (p[i].kind == PACKET_RTP)
            status = relay_rtp_packet(w, &p[i], ticks);
        else
            status = relay_rtcp_packet(&p[i]);
        if (status != SRTP_OK) {
            packet_drop(w, &p[i], status);
            continue;
        }
        const struct leg_terms *out = p[i].session->terms[p[i].leg ^ 1];
        if (out->tx_key)
            terms_prefetch_tx_key(out);
        if (left != i)
            p[left] = p[i];
        left++;
    }
    return left;
}
