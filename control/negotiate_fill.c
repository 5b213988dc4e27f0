// SPDX-License-Identifier: BSD-3-Clause
// What was agreed, as the dataplane takes it.
#include <stdio.h>
#include <string.h>

#include "control/negotiate.h"

// G.711 in packets of 10 ms, whatever ptime was asked for: that is only a wish (RFC 4566 6).
enum { MAX_PPS = 100, MAX_BPS = 20000, BURST_MS = 1000 };

static void fill_crypto(struct tl_crypto *out, const struct sdes_crypto *in, uint32_t generation)
{
    if (in->suite == TL_SUITE_NONE)
        return; // plain is all zero in the contract; the count goes on when keys come back
    out->suite = in->suite;
    out->generation = generation;
    memcpy(out->key, in->key, sizeof out->key);
    memcpy(out->salt, in->salt, sizeof out->salt);
}

static void add_pt(struct tl_leg *out, uint8_t in, uint8_t to)
{
    for (unsigned i = 0; i < out->pt_count; i++)
        if (out->pt_in[i] == in)
            return;
    if (out->pt_count < TL_PT_MAX) {
        out->pt_in[out->pt_count] = in;
        out->pt_out[out->pt_count++] = to;
    }
}

static bool shared(const struct neg_leg *a, const struct neg_leg *b, int codec)
{
    return a->remote_pt[codec] != NEG_NO_PT && b->remote_pt[codec] != NEG_NO_PT;
}

static void fill_one(const struct neg_leg *leg, const struct neg_leg *other, struct tl_leg *out)
{
    memset(out, 0, sizeof *out);
    if (leg->direction & SDP_SENDONLY && other->direction & SDP_RECVONLY)
        out->flags |= TL_LEG_RECV;
    if (leg->direction & SDP_RECVONLY && other->direction & SDP_SENDONLY)
        out->flags |= TL_LEG_SEND;
    out->rtp = leg->rtp;
    if (leg->rtcp_mux)
        out->flags |= TL_LEG_RTCP_MUX;
    else
        out->rtcp = leg->rtcp;
    fill_crypto(&out->rx, &leg->rx, leg->rx_generation);
    fill_crypto(&out->tx, &leg->tx, leg->tx_generation);
    for (int c = 0; c < NEG_CODECS; c++)
        if (shared(leg, other, c) && leg->local_pt[c] != NEG_NO_PT)
            add_pt(out, leg->local_pt[c], other->remote_pt[c]);
    // An answerer with a number of its own often sends that too; the one we named goes first.
    for (int c = 0; c < NEG_CODECS; c++)
        if (shared(leg, other, c))
            add_pt(out, leg->remote_pt[c], other->remote_pt[c]);
    out->max_len = TL_LEN_MAX;
    out->max_pps = MAX_PPS;
    out->max_bps = MAX_BPS;
    out->burst_ms = BURST_MS;
    out->silence_ms = leg->trunk->silence_ms;
}

void neg_fill(const struct neg_leg *a, const struct neg_leg *b, struct tl_leg out[2])
{
    fill_one(a, b, &out[0]);
    fill_one(b, a, &out[1]);
}

void neg_codec_names(const struct neg_leg *a, const struct neg_leg *b, char *out, size_t cap)
{
    int first = b->g711_first;
    int g711 = shared(a, b, first) ? first : shared(a, b, !first) ? !first : -1;
    snprintf(out, cap, "%s%s",
             g711 == NEG_PCMA   ? "PCMA"
             : g711 == NEG_PCMU ? "PCMU"
                                : "none",
             shared(a, b, NEG_EVENT) ? "+telephone-event" : "");
}
