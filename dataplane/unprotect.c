// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP and SRTCP of the leg that receives. Check, authenticate, commit: nothing is written to
// the session before the packet is authentic.
//
// A run of packets is checked and authenticated together. A stream that has committed nothing yet has no
// index to estimate from, so the second packet of such a stream ends the run (srtp_index.h).
#include "dataplane/stages.h"

static const struct leg_terms *terms(const struct packet *p)
{
    return p->session->terms[p->leg];
}

// A stream of which nothing is known, for the check only.
static const struct srtp_rx unknown;

static const struct srtp_rx *stream(const struct packet *p)
{
    return p->rx_slot < 0 ? &unknown : &p->session->leg[p->leg].rx[p->rx_slot].stream;
}

// Is there an earlier packet of p's stream that has not been committed yet?
static bool follows(const struct packet *first, const struct packet *p)
{
    for (; first < p; first++)
        if (first->session == p->session && first->leg == p->leg && first->ssrc == p->ssrc)
            return true;
    return false;
}

static bool no_slot(const struct packet *p)
{
    return p->rx_slot < 0 && p->session->rx_used[p->leg] == (1u << TL_SSRC_MAX) - 1;
}

// Reads only. SRTP_OK or the reason to drop.
static unsigned check(struct packet *p)
{
    const struct srtp_key *key = terms(p)->rx_key;
    if (p->kind == PACKET_RTP) {
        const struct tl_suite_info *suite = tl_suite_info(terms(p)->rx_suite);
        if (p->len < p->header_len + suite->rtp_tag)
            return TL_DROP_short_srtp;
        if (no_slot(p))
            return TL_DROP_ssrc_limit;
        return srtp_rx_check(stream(p), p->data[2] << 8 | p->data[3], &p->index);
    }
    uint32_t index;
    unsigned status = srtcp_peek(key, p->data, p->len, &index);
    if (status != SRTP_OK)
        return status;
    if (no_slot(p))
        return TL_DROP_ssrc_limit;
    p->index = index;
    return srtcp_rx_check(stream(p), index);
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

// The packet is authentic: takes its index. SRTP_OK, replayed, too_old, ssrc_limit.
static unsigned commit(struct packet *p)
{
    struct session *s = p->session;
    if (p->rx_slot < 0) // an earlier packet of this run may have brought the SSRC
        p->rx_slot = session_find_rx(s, p->leg, p->ssrc);
    if (p->rx_slot < 0)
        p->rx_slot = session_add_rx(s, p->leg, p->ssrc);
    if (p->rx_slot < 0)
        return TL_DROP_ssrc_limit;
    struct srtp_rx *rx = &s->leg[p->leg].rx[p->rx_slot].stream;
    struct tl_live_ssrc *live = &s->live->rx_ssrc[p->leg][p->rx_slot];
    if (p->kind == PACKET_RTP) {
        unsigned status = srtp_rx_commit(rx, p->index);
        if (status == SRTP_OK)
            live_store_index(live, rx->rtp.top, terms(p)->rx_generation);
        return status;
    }
    unsigned status = srtcp_rx_commit(rx, p->index);
    if (status == SRTP_OK)
        atomic_store_explicit(&live->srtcp_index, (uint32_t)rx->rtcp.top, memory_order_relaxed);
    return status;
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
        if (op[i] && status == SRTP_OK) {
            p[i].len = op[i]->len;
            status = commit(&p[i]);
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
    unsigned left = 0, from = 0, have = 0; // the run is p[from .. from + have - 1]
    for (unsigned i = 0; i < n; i++) {
        struct packet *next = &p[from + have];
        if (next != &p[i])
            *next = p[i];
        if (!terms(next)->rx_key) {
            have++;
            continue;
        }
        if (next->rx_slot < 0) // a run before this one may have brought the SSRC
            next->rx_slot = session_find_rx(next->session, next->leg, next->ssrc);
        if (next->kind == PACKET_RTP && srtp_rx_fresh(stream(next)) && follows(&p[from], next)) {
            left += run(w, &p[from], have, &p[left]);
            from = i; // leaves a gap that nobody reads
            have = 0;
            p[from] = *next;
            next = &p[from];
            next->rx_slot = session_find_rx(next->session, next->leg, next->ssrc);
        }
        unsigned status = check(next);
        if (status == SRTP_OK)
            have++;
        else
            packet_drop(w, next, status);
    }
    return left + run(w, &p[from], have, &p[left]);
}
