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
    if (r->index ==
        TL_INDEX_NONE) // only SRTCP went out, which names no SSRC of ours: RTP's first packet does
        l->tx.rtp = (struct srtp_window){0};
    else
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

// A new key: indices start anew. The outgoing SSRC and the timestamps go on.
static void forget_tx(struct session *s, struct tl_live_ssrc *live, unsigned leg)
{
    s->leg[leg].tx = (struct srtp_tx){0};
    s->leg[leg].base = 0;
    tl_live_rename(live, s->ssrc_state[leg] == SSRC_NONE ? 0 : s->leg[leg].ssrc);
}

void session_swap(struct session *s, struct tl_live_session *live, unsigned leg, struct leg_parts *parts)
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
        for (unsigned i = 0; i < TL_SSRC_MAX; i++)
            tl_live_rename(&live->rx_ssrc[leg][i], 0);
    } // else the stream goes on
    if (terms_tx_generation(&old) != terms_tx_generation(to))
        forget_tx(s, &live->tx[leg].ssrc, leg);
    *parts->terms = old;
}
