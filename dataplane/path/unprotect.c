// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP and SRTCP of the leg that receives. Check, authenticate, commit: nothing is written to
// the session before the packet is authentic.
//
// A run of packets is checked and authenticated together. A stream that has committed nothing yet has no
// index to estimate from, so the second packet of such a stream ends the run (srtp/index.h).
#include "common/bytes.h"
#include "dataplane/path/stages.h"

static const struct leg_terms *terms(const struct packet *p)
{
    return &p->session->leg[p->leg].terms;
}

// What is known of p's stream: its slot, or in *floor what an evicted one left behind, or nothing.
static const struct srtp_rx *stream(struct packet *p, struct srtp_rx *floor)
{
    const struct leg_rx *rx = p->session->rx[p->leg];
    p->rx_slot = (int8_t)leg_rx_find(rx, p->ssrc);
    if (p->rx_slot >= 0)
        return &rx->stream[p->rx_slot];
    leg_rx_floor(rx, p->ssrc, floor);
    return floor;
}

// Is there an earlier packet of p's stream that has not been committed yet?
static bool follows(const struct packet *first, const struct packet *p)
{
    for (; first < p; first++)
        if (first->session == p->session && first->leg == p->leg && first->ssrc == p->ssrc)
            return true;
    return false;
}

// Reads only. SRTP_OK or the reason to drop.
static unsigned check(struct packet *p, const struct srtp_rx *rx)
{
    const struct srtp_key *key = terms(p)->rx_key;
    if (p->kind == PACKET_RTP) {
        if (p->len < p->header_len + srtp_key_trailer(key))
            return TL_DROP_short_srtp;
        return srtp_rx_check(rx, tl_get16(p->data + 2), &p->index);
    }
    uint32_t index;
    unsigned status = srtcp_peek(key, p->data, p->len, &index);
    if (status != SRTP_OK)
        return status;
    p->index = index;
    return srtcp_rx_check(rx, index);
}

static void make_op(struct srtp_op *op, struct packet *p)
{
    *op = (struct srtp_op){.key = terms(p)->rx_key,
                           .pkt = p->data,
                           .index = p->index,
                           .len = p->len,
                           .hdr_len = p->header_len,
                           .status = SRTP_OK};
}

// Finds the slot of an authentic packet, which may take the place of another SSRC. Earlier packets of the run
// may have brought this one or taken its place. SRTP_OK, replayed, too_old.
static unsigned take_slot(struct packet *p)
{
    struct session *s = p->session;
    const struct leg_rx *rx = s->rx[p->leg];
    if (p->rx_slot >= 0 && rx->stream[p->rx_slot].ssrc == p->ssrc)
        return SRTP_OK;
    struct srtp_rx floor;
    const struct srtp_rx *known = stream(p, &floor);
    if (p->rx_slot >= 0)
        return SRTP_OK;
    unsigned status = p->kind == PACKET_RTP ? srtp_window_check(&known->rtp, p->index)
                                            : srtcp_rx_check(known, (uint32_t)p->index);
    if (status == SRTP_OK)
        p->rx_slot = (int8_t)session_add_rx(s, p->live, p->leg, p->ssrc);
    return status;
}

// The packet is authentic: takes its index. SRTP_OK, replayed, too_old.
static unsigned commit(struct packet *p)
{
    unsigned status = take_slot(p);
    if (status != SRTP_OK)
        return status;
    struct leg_rx *rx = p->session->rx[p->leg];
    struct srtp_rx *of = &rx->stream[p->rx_slot];
    struct tl_live_ssrc *live = &p->live->rx_ssrc[p->leg][p->rx_slot];
    if (p->kind == PACKET_RTP) {
        status = srtp_rx_commit(of, p->index);
        if (status == SRTP_OK)
            live_store_index(live, of->rtp.top, terms_rx_generation(terms(p)));
    } else {
        status = srtcp_rx_commit(of, (uint32_t)p->index);
        if (status == SRTP_OK)
            atomic_store_explicit(&live->srtcp_index, of->rtcp_top, memory_order_release);
    }
    if (status == SRTP_OK)
        leg_rx_heard(rx, (unsigned)p->rx_slot);
    return status;
}

// The packet is authentic and new: the stream's own buckets say whether there is room for it.
static unsigned police(const struct worker *w, const struct packet *p)
{
    struct police *words = &p->session->police[p->leg];
    bool rtp = p->kind == PACKET_RTP;
    return police_own(words, &terms(p)->police, w->now_ns, p->wire_len, rtp) ? SRTP_OK : TL_DROP_over_rate;
}

// ---- the first packet of a stream ----------------------------------------------------------------------

// Nothing is known of the packet's stream: it gets the likeliest index. If another one is worth a try, it is
// kept as it came.
static __rte_noinline void first_packet(struct worker *w, struct packet *p)
{
    struct leg_rx *rx = p->session->rx[p->leg];
    uint64_t guess[LEG_RX_GUESSES];
    unsigned n = leg_rx_guess(rx, p->ssrc, (uint16_t)p->index, guess);
    p->index = guess[0];
    leg_rx_earn(rx);
    if (n == 1 || !leg_rx_may_guess(rx) || w->saved_count == WORKER_SAVED || p->len > TL_LEN_MAX)
        return;
    struct worker_saved *saved = &w->saved[w->saved_count++];
    saved->m = p->m;
    saved->len = p->len;
    memcpy(saved->bytes, p->data, p->len);
}

// The tag was wrong for the likeliest index: tries the others. SRTP_OK with the index in the packet, or bad_auth.
static __rte_noinline unsigned guess_again(struct worker *w, struct packet *p, struct srtp_op *op)
{
    struct leg_rx *rx = p->session->rx[p->leg];
    const struct worker_saved *saved = w->saved, *end = saved + w->saved_count;
    while (saved < end && saved->m != p->m)
        saved++;
    if (saved == end || p->kind != PACKET_RTP)
        return TL_DROP_bad_auth;
    uint64_t guess[LEG_RX_GUESSES];
    unsigned n = leg_rx_guess(rx, p->ssrc, (uint16_t)p->index, guess);
    for (unsigned i = 1; i < n && leg_rx_may_guess(rx); i++) {
        rx->credit -= LEG_RX_GUESS_COSTS;
        memcpy(p->data, saved->bytes, saved->len);
        p->index = guess[i];
        make_op(op, p);
        srtp_unprotect(w->srtp, op, 1);
        if (op->status == SRTP_OK) {
            leg_rx_learn(rx, p->ssrc, p->index);
            return SRTP_OK;
        }
    }
    return TL_DROP_bad_auth;
}

// Authenticates the checked packets of p[0..n-1] and commits them in order. Plain ones pass. Those that are
// left move to `to`, which lies at or before `p`.
static unsigned run(struct worker *w, struct packet *p, unsigned n, struct packet *to)
{
    unsigned rtp = 0, rtcp = 0, left = 0;
    struct srtp_op *op[WORKER_PACKETS];
    // RTP grows from the front of w->op, RTCP from its end
    for (unsigned i = 0; i < n; i++) {
        op[i] = NULL;
        if (!terms(&p[i])->rx_key)
            continue;
        op[i] = p[i].kind == PACKET_RTP ? &w->op[rtp++] : &w->op[WORKER_PACKETS - ++rtcp];
        make_op(op[i], &p[i]);
    }
    srtp_unprotect(w->srtp, w->op, rtp);
    srtcp_unprotect(w->srtp, &w->op[WORKER_PACKETS - rtcp], rtcp);
    for (unsigned i = 0; i < n; i++) {
        unsigned status = op[i] ? op[i]->status : SRTP_OK;
        if (unlikely(status == TL_DROP_bad_auth) && w->saved_count > 0)
            status = guess_again(w, &p[i], op[i]);
        if (op[i] && status == SRTP_OK) {
            p[i].len = op[i]->len;
            status = commit(&p[i]);
            if (status == SRTP_OK)
                status = police(w, &p[i]);
        }
        if (status != SRTP_OK)
            packet_drop(w, &p[i], status);
        else if (&to[left] != &p[i])
            to[left++] = p[i];
        else
            left++;
    }
    return left;
}

unsigned stage_unprotect(struct worker *w, struct packet *p, unsigned n)
{
    unsigned left = 0;
    if (w->to_unprotect == 0)
        return n;
    w->saved_count = 0;
    while (left < n && !terms(&p[left])->rx_key) // plain ones before the first with a key stay where they are
        left++;
    unsigned from = left, have = 0; // the run is p[from .. from + have - 1]
    for (unsigned i = left; i < n; i++) {
        struct packet *next = &p[from + have];
        if (next != &p[i])
            *next = p[i];
        if (!terms(next)->rx_key) {
            have++;
            continue;
        }
        struct srtp_rx floor;
        const struct srtp_rx *rx = stream(next, &floor);
        if (next->kind == PACKET_RTP && srtp_rx_fresh(rx) && follows(&p[from], next)) {
            left += run(w, &p[from], have, &p[left]);
            from = i; // leaves a gap that nobody reads
            have = 0;
            p[from] = *next;
            next = &p[from];
            rx = stream(next, &floor);
        }
        unsigned status = check(next, rx);
        if (status != SRTP_OK) {
            packet_drop(w, next, status);
            continue;
        }
        if (unlikely(srtp_rx_fresh(rx)) && next->kind == PACKET_RTP)
            first_packet(w, next);
        packet_prefetch_payload(next);
        have++;
    }
    return have > 0 ? left + run(w, &p[from], have, &p[left]) : left;
}
