// SPDX-License-Identifier: BSD-3-Clause
// packet path: starting a session's mutable half and swapping its terms.
#include "dataplane/session.h"

#include <string.h>

static struct tl_live_ssrc *live_rx(struct session *s, unsigned leg, unsigned slot)
{
    return &s->live->rx_ssrc[leg][slot];
}

static void live_clear(struct tl_live_ssrc *live)
{
    atomic_store_explicit(&live->word, 0, memory_order_relaxed);
    atomic_store_explicit(&live->srtcp_index, 0, memory_order_relaxed);
    atomic_store_explicit(&live->ssrc, 0, memory_order_relaxed);
}

int session_add_rx(struct session *s, unsigned leg, uint32_t ssrc)
{
    for (int i = 0; i < TL_SSRC_MAX; i++) {
        if (s->rx_used[leg] >> i & 1)
            continue;
        s->leg[leg].rx[i].stream = (struct srtp_rx){.ssrc = ssrc};
        s->rx_ssrc[leg][i] = ssrc;
        s->rx_used[leg] |= 1u << i;
        atomic_store_explicit(&live_rx(s, leg, i)->ssrc, ssrc, memory_order_relaxed);
        return i;
    }
    return -1;
}

static bool resume_used(const struct tl_resume_ssrc *r)
{
    return r->ssrc || r->index || r->srtcp_index;
}

static void resume_rx(struct session *s, unsigned leg, const struct tl_resume_ssrc *r)
{
    int i = session_add_rx(s, leg, r->ssrc);
    if (i < 0)
        return;
    struct srtp_rx *rx = &s->leg[leg].rx[i].stream;
    srtp_rx_resume(rx, r->ssrc, r->index, r->srtcp_index);
    if (r->index == TL_INDEX_NONE)
        rx->rtp = (struct srtp_window){0};
    else
        live_store_index(live_rx(s, leg, i), r->index, s->terms[leg]->rx_generation);
    atomic_store_explicit(&live_rx(s, leg, i)->srtcp_index, r->srtcp_index, memory_order_relaxed);
}

static void resume_tx(struct session *s, unsigned leg, const struct tl_resume_ssrc *r)
{
    struct leg *l = &s->leg[leg];
    struct tl_live_ssrc *live = &s->live->tx[leg].ssrc;
    srtp_tx_resume(&l->tx, r->index, r->srtcp_index);
    if (r->index ==
        TL_INDEX_NONE) // only SRTCP went out, which names no SSRC of ours: RTP's first packet does
        l->tx.rtp = (struct srtp_window){0};
    else
        live_store_index(live, r->index, s->terms[leg]->tx_generation);
    if (r->index != TL_INDEX_NONE || r->ssrc != 0) {
        l->ssrc = r->ssrc;
        s->ssrc_state[leg] = SSRC_RESUMED;
        atomic_store_explicit(&live->ssrc, r->ssrc, memory_order_relaxed);
    }
    atomic_store_explicit(&live->srtcp_index, r->srtcp_index, memory_order_relaxed);
}

void session_start(struct session *s, const struct tl_resume_ssrc *rx_resume[2],
                   const struct tl_resume_ssrc *tx_resume[2])
{
    memset(s->leg, 0, sizeof s->leg);
    memset(s->rx_ssrc, 0, sizeof s->rx_ssrc);
    memset(s->rx_used, 0, sizeof s->rx_used);
    memset(s->ssrc_state, 0, sizeof s->ssrc_state);
    for (unsigned leg = 0; leg < 2; leg++) {
        for (unsigned i = 0; rx_resume[leg] && i < TL_SSRC_MAX; i++)
            if (resume_used(&rx_resume[leg][i]))
                resume_rx(s, leg, &rx_resume[leg][i]);
        if (tx_resume[leg] && resume_used(tx_resume[leg]))
            resume_tx(s, leg, tx_resume[leg]);
    }
}

static void forget_rx(struct session *s, unsigned leg)
{
    memset(s->leg[leg].rx, 0, sizeof s->leg[leg].rx);
    s->rx_used[leg] = 0;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++)
        live_clear(live_rx(s, leg, i));
}

// A new key: indices start anew. The outgoing SSRC and the timestamps go on.
static void forget_tx(struct session *s, unsigned leg)
{
    struct tl_live_ssrc *live = &s->live->tx[leg].ssrc;
    s->leg[leg].tx = (struct srtp_tx){0};
    s->leg[leg].base = 0;
    live_clear(live);
    if (s->ssrc_state[leg] != SSRC_NONE)
        atomic_store_explicit(&live->ssrc, s->leg[leg].ssrc, memory_order_relaxed);
}

const struct leg_terms *session_swap(struct session *s, unsigned leg, const struct leg_terms *terms)
{
    const struct leg_terms *old = s->terms[leg];
    s->terms[leg] = terms;
    if (old->rx_generation != terms->rx_generation)
        forget_rx(s, leg);
    if (old->tx_generation != terms->tx_generation)
        forget_tx(s, leg);
    return old;
}
