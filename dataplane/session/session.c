// SPDX-License-Identifier: BSD-3-Clause
// packet path: starting a session's mutable half and swapping its terms.
#include "dataplane/session/session.h"

#include <string.h>

#include "common/live.h"
#include "dataplane/session/quality.h"

static void live_store_srtcp(struct tl_live_ssrc *live, uint32_t index)
{
    atomic_store_explicit(&live->srtcp_index, index, memory_order_release);
}

unsigned session_add_rx(struct session *s, struct tl_live_session *live, unsigned leg, uint32_t ssrc)
{
    unsigned slot = leg_rx_add(s->rx[leg], ssrc);
    const struct srtp_rx *stream = &s->rx[leg]->stream[slot];
    struct tl_live_ssrc *to = &live->rx_ssrc[leg][slot];
    tl_live_rename(to, ssrc);
    if (stream->rtcp_bits & 1) // it was here before: what its floor says
        live_store_srtcp(to, stream->rtcp_top);
    if (!srtp_rx_fresh(stream))
        live_store_index(to, stream->rtp.top, terms_rx_generation(&s->leg[leg].terms));
    return slot;
}

static bool resume_used(const struct tl_resume_ssrc *r)
{
    return r->ssrc || r->index || r->srtcp_index;
}

static void resume_rx(struct session *s, struct tl_live_session *live, unsigned leg,
                      const struct tl_resume_ssrc *r)
{
    unsigned slot = session_add_rx(s, live, leg, r->ssrc);
    struct tl_live_ssrc *to = &live->rx_ssrc[leg][slot];
    srtp_rx_resume(&s->rx[leg]->stream[slot], r->ssrc, r->index, r->srtcp_index);
    if (r->index != TL_INDEX_NONE)
        live_store_index(to, r->index, terms_rx_generation(&s->leg[leg].terms));
    live_store_srtcp(to, r->srtcp_index);
}

static void resume_tx(struct session *s, struct tl_live_session *live, unsigned leg,
                      const struct tl_resume_ssrc *r)
{
    struct leg *l = &s->leg[leg];
    struct tl_live_ssrc *to = &live->tx[leg].ssrc;
    srtp_tx_resume(&l->tx, r->index, r->srtcp_index);
    // if only SRTCP went out, it named no SSRC of ours: RTP's first packet does
    if (r->index != TL_INDEX_NONE)
        live_store_index(to, r->index, terms_tx_generation(&s->leg[leg].terms));
    if (r->index != TL_INDEX_NONE || r->ssrc != 0) {
        l->ssrc = r->ssrc;
        s->ssrc_state[leg] = SSRC_RESUMED;
        atomic_store_explicit(&to->ssrc, r->ssrc, memory_order_relaxed);
    }
    live_store_srtcp(to, r->srtcp_index);
}

void session_start(struct session *s, struct tl_live_session *live, const struct tl_resume_ssrc *rx_resume[2],
                   const struct tl_resume_ssrc *tx_resume[2])
{
    memset(s->police, 0, sizeof s->police);
    memset(s->ssrc_state, SSRC_NONE, sizeof s->ssrc_state);
    s->turns = 0;
    for (unsigned leg = 0; leg < 2; leg++) {
        s->leg[leg] = (struct leg){.terms = s->leg[leg].terms};
        for (unsigned i = 0; s->rx[leg] && rx_resume[leg] && i < TL_SSRC_MAX; i++)
            if (resume_used(&rx_resume[leg][i]))
                resume_rx(s, live, leg, &rx_resume[leg][i]);
        if (tx_resume[leg] && resume_used(tx_resume[leg]))
            resume_tx(s, live, leg, tx_resume[leg]);
    }
}

// Stores in the live record what a leg that received under its key before knows of each SSRC.
static void publish_rx(const struct session *s, struct tl_live_session *live, unsigned leg)
{
    for (unsigned i = 0; i < TL_SSRC_MAX; i++) {
        struct tl_live_ssrc *to = &live->rx_ssrc[leg][i];
        const struct srtp_rx *stream = s->rx[leg] ? &s->rx[leg]->stream[i] : NULL;
        bool used = stream && leg_rx_used(stream);
        tl_live_rename(to, used ? stream->ssrc : 0);
        if (used && stream->rtcp_bits & 1)
            live_store_srtcp(to, stream->rtcp_top);
        if (used && !srtp_rx_fresh(stream))
            live_store_index(to, stream->rtp.top, terms_rx_generation(&s->leg[leg].terms));
    }
}

// Do we keep the ROC of what we send when our key changes? As was agreed, or as the remote side does it.
static bool keeps_roc(const struct leg_rx *rx)
{
    unsigned roc = rx ? rx->roc & LEG_RX_ROC : TL_ROC_AUTO;
    return roc == TL_ROC_KEEP || (roc == TL_ROC_AUTO && rx && rx->roc & LEG_RX_KEEPS);
}

// Another key to send with: it goes on where it stood, or is new. `rekeyed`: it takes the place of a key. The
// outgoing SSRC and the timestamps go on.
static void change_tx(struct session *s, struct tl_live_ssrc *live, unsigned leg, struct leg_past *past,
                      uint8_t tx_slot, bool rekeyed)
{
    struct leg *l = &s->leg[leg];
    bool known = past && tx_slot < TL_KEYS_KEPT;
    if (past && past->tx_slot < TL_KEYS_KEPT) {
        past->tx[past->tx_slot].index = srtp_window_empty(&l->tx.rtp) ? TL_INDEX_NONE : l->tx.rtp.top;
        past->tx[past->tx_slot].srtcp_index = l->tx.srtcp_index;
    }
    if (known)
        srtp_tx_resume(&l->tx, past->tx[tx_slot].index, past->tx[tx_slot].srtcp_index);
    else if (rekeyed && !srtp_window_empty(&l->tx.rtp))
        srtp_tx_rekey(&l->tx, l->tx.rtp.top, keeps_roc(s->rx[leg]));
    else
        l->tx = (struct srtp_tx){0};
    l->base = 0;
    if (past)
        past->tx_slot = tx_slot == LEG_PAST_PLAIN ? LEG_PAST_PLAIN : tx_slot & (uint8_t)~LEG_PAST_NEW;
    tl_live_rename(live, s->ssrc_state[leg] == SSRC_NONE ? 0 : l->ssrc);
    if (l->tx.srtcp_index)
        live_store_srtcp(live, l->tx.srtcp_index);
    if (!srtp_window_empty(&l->tx.rtp))
        live_store_index(live, l->tx.rtp.top, terms_tx_generation(&l->terms));
}

void session_swap(struct session *s, struct tl_live_session *live, unsigned leg, struct leg_parts *parts,
                  uint8_t tx_slot)
{
    const struct leg_terms old = s->leg[leg].terms, *to = &s->leg[leg].terms;
    s->leg[leg].terms = *parts->terms;
    police_swap(&s->police[leg], &old.police, &to->police);
    if (old.flags & ~to->flags & TL_LEG_RECV)
        quality_pause(&live->rx[leg]);
    if (terms_rx_generation(&old) != terms_rx_generation(to) || !s->rx[leg] != !parts->rx) {
        struct leg_rx *rx = s->rx[leg];
        s->rx[leg] = parts->rx;
        parts->rx = rx;
        if (rx && s->rx[leg] && leg_rx_new(s->rx[leg]))
            leg_rx_follow(s->rx[leg], rx);
        publish_rx(s, live, leg);
    } // else the stream goes on
    if (terms_tx_generation(&old) != terms_tx_generation(to) || !old.tx_key != !to->tx_key)
        change_tx(s, &live->tx[leg].ssrc, leg, parts->past, tx_slot, old.tx_key && to->tx_key);
    *parts->terms = old;
}
