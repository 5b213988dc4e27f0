// SPDX-License-Identifier: BSD-3-Clause
// What was agreed, as the dataplane takes it.
#include <stdio.h>
#include <string.h>

#include "control/sdp/negotiate_internal.h"

int neg_becomes(const struct neg_leg *leg, const struct neg_leg *other, int codec)
{
    if (!neg_takes(leg, codec))
        return -1;
    if (neg_takes(other, codec))
        return codec;
    int law = codec == NEG_PCMU ? NEG_PCMA : NEG_PCMU;
    if (codec == NEG_EVENT || !neg_takes(other, law))
        return -1;
    // An offer of both laws will be answered with the one that the other side has; who has answered both, or
    // was answered both, may use both.
    bool open = leg->offered_last && leg->word.kind != NEG_SAID_ANSWER;
    return open && neg_shared(leg, other, law) ? -1 : law;
}

// `codec` comes in as `in` and goes out as what `other` takes of it.
static void add_codec(struct tl_leg *out, const struct neg_leg *leg, const struct neg_leg *other, int codec,
                      uint8_t in)
{
    int to = neg_becomes(leg, other, codec);
    for (unsigned i = 0; i < out->pt_count; i++)
        if (out->pt_in[i] == in)
            return;
    if (to < 0 || out->pt_count == TL_PT_MAX)
        return;
    out->pt_in[out->pt_count] = in;
    out->pt_out[out->pt_count] = other->remote_pt[to];
    if (to != codec)
        out->pt_law[out->pt_count] = codec == NEG_PCMA ? TL_LAW_A_TO_U : TL_LAW_U_TO_A;
    out->pt_count++;
}

static unsigned packet_ms(const struct neg_leg *leg, unsigned most)
{
    enum { LEAST = 5 }; // nobody sends G.711 in smaller pieces; a ptime of 1 asks for 1,000 packets/s
    unsigned ms = leg->ptime && leg->ptime < most ? leg->ptime : most;
    return ms < LEAST ? LEAST : ms;
}

void neg_limits(const struct tl_trunk_config *trunk, const struct neg_leg *leg, const struct neg_leg *other,
                struct tl_leg *out)
{
    enum {
        ALWAYS_MS = 10,   // packets that are allowed whatever was said
        G711 = 8000,      // bytes/s
        HEADER = 12 + 16, // RTP, and what CSRCs or an extension may add
        RTCP_PERCENT = 5, // RFC 3550 6.2
        HEADROOM_NUM = 5, // a quarter more: clocks that run fast never empty the bucket, and
        HEADROOM_DEN = 4, // telephone-event beside the audio fits
    };
    const struct tl_suite_info *suite = tl_suite_info(leg->rx.suite);
    unsigned ms = packet_ms(other, packet_ms(leg, ALWAYS_MS));
    uint32_t pps = trunk->max_packets_per_s;
    if (!pps)
        pps = (1000 + ms - 1) / ms * HEADROOM_NUM / HEADROOM_DEN;
    uint64_t overhead = HEADER + (suite ? suite->rtp_tag : 0) + leg->rx.mki_len;
    uint64_t bps = G711 * HEADROOM_NUM / HEADROOM_DEN + pps * overhead;
    out->max_len = TL_LEN_MAX;
    out->max_pps = pps;
    out->max_bps = (uint32_t)(bps * (100 + RTCP_PERCENT) / 100);
    out->burst_ms = (uint16_t)trunk->burst_ms;
}

static void fill_one(const struct neg_leg *leg, const struct neg_leg *other, struct tl_leg *out)
{
    memset(out, 0, sizeof *out);
    uint8_t mine = neg_direction(leg), its = neg_direction(other);
    if (mine & SDP_SENDONLY && its & SDP_RECVONLY)
        out->flags |= TL_LEG_RECV;
    if (mine & SDP_RECVONLY && its & SDP_SENDONLY)
        out->flags |= TL_LEG_SEND;
    if (!leg->off) // nobody is behind port 0
        out->rtp = leg->rtp;
    if (leg->rtcp_mux)
        out->flags |= TL_LEG_RTCP_MUX;
    else if (!leg->off)
        out->rtcp = leg->rtcp;
    neg_crypto(&out->rx, &leg->rx);
    neg_crypto(&out->tx, &leg->tx);
    out->roc_on_rekey = (uint8_t)leg->trunk->roc_on_rekey;
    for (int c = 0; c < NEG_CODECS; c++)
        if (leg->local_pt[c] != NEG_NO_PT)
            add_codec(out, leg, other, c, leg->local_pt[c]);
    // An answerer with a number of its own often sends that too; the one we named goes first.
    for (int c = 0; c < NEG_CODECS; c++)
        add_codec(out, leg, other, c, leg->remote_pt[c]);
    out->silence_ms = leg->trunk->silence_ms;
    neg_limits(leg->trunk, leg, other, out);
}

void neg_fill_keys(const struct neg_leg *leg, struct tl_leg *out)
{
    neg_crypto(&out->rx, &leg->rx);
    neg_crypto(&out->tx, &leg->tx);
}

void neg_fill(const struct neg_leg *a, const struct neg_leg *b, struct tl_leg out[2])
{
    fill_one(a, b, &out[0]);
    fill_one(b, a, &out[1]);
}

void neg_codec_names(const struct neg_leg *a, const struct neg_leg *b, char *out, size_t cap)
{
    static const char *const laws[] = {"PCMU", "PCMA"};
    int from = b->g711_first, to;
    if (neg_becomes(a, b, from) < 0)
        from = !from;
    to = neg_becomes(a, b, from);
    snprintf(out, cap, "%s%s%s%s", to < 0 ? "none" : laws[from], to >= 0 && to != from ? "/" : "",
             to >= 0 && to != from ? laws[to] : "", neg_shared(a, b, NEG_EVENT) ? "+telephone-event" : "");
}
