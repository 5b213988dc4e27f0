// SPDX-License-Identifier: BSD-3-Clause
#include "control/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int refuse(const char **why, const char *sentence)
{
    if (why)
        *why = sentence;
    return -ENOTSUP;
}

int neg_init(struct neg_leg *leg, const struct tl_trunk_config *trunk, struct neg_random random)
{
    memset(leg, 0, sizeof *leg);
    leg->trunk = trunk;
    leg->direction = SDP_SENDRECV;
    leg->said = SDP_SENDRECV;
    memset(leg->remote_pt, NEG_NO_PT, sizeof leg->remote_pt);
    memset(leg->local_pt, NEG_NO_PT, sizeof leg->local_pt);
    memset(leg->kept_pt, NEG_NO_PT, sizeof leg->kept_pt);
    int rc = random.fill(random.arg, &leg->session_id, sizeof leg->session_id);
    leg->session_id >>= 2; // stays below 2^62: some peers read it as a signed number
    leg->version = leg->session_id;
    return rc;
}

void neg_fini(struct neg_leg *leg)
{
    explicit_bzero(leg, sizeof *leg);
}

// ---- what the remote side says -------------------------------------------------------------------------

static int codec_of(const struct sdp_format *f, const char *text)
{
    if (f->name.len == 0) // static assignments, RFC 3551 table 4
        return f->pt == 0 ? NEG_PCMU : f->pt == 8 ? NEG_PCMA : -1;
    if (f->rate != 8000 || f->channels != 1)
        return -1;
    if (sdp_str_is(text, f->name, "PCMU"))
        return NEG_PCMU;
    if (sdp_str_is(text, f->name, "PCMA"))
        return NEG_PCMA;
    return sdp_str_is(text, f->name, "telephone-event") ? NEG_EVENT : -1;
}

static void copy_str(char *out, size_t cap, const char *text, struct sdp_str s)
{
    out[0] = 0;
    if (s.len < cap) {
        memcpy(out, text + s.off, s.len);
        out[s.len] = 0;
    }
}

// Payload types of our codecs in a medium. Returns whether there is any G.711.
static bool take_codecs(struct neg_leg *leg, const struct sdp_media *m, const char *text)
{
    bool first = true;
    memset(leg->remote_pt, NEG_NO_PT, sizeof leg->remote_pt);
    leg->event_fmtp[0] = 0;
    for (unsigned i = 0; i < m->format_count; i++) {
        int codec = codec_of(&m->format[i], text);
        if (codec < 0 || leg->remote_pt[codec] != NEG_NO_PT)
            continue;
        leg->remote_pt[codec] = m->format[i].pt;
        if (codec == NEG_EVENT) {
            copy_str(leg->event_fmtp, sizeof leg->event_fmtp, text, m->format[i].fmtp);
        } else if (first) {
            leg->g711_first = (uint8_t)codec;
            first = false;
        }
    }
    return !first;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static bool same_addr(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

// Addresses and direction. Returns whether the remote side's media address changed.
static bool take_transport(struct neg_leg *leg, const struct sdp_media *m)
{
    bool moved = false;
    leg->direction = m->direction;
    leg->remote_mux = m->rtcp_mux;
    if (all_zero(m->addr.ip, 4)) { // the hold of RFC 2543: it may go on sending, and where to is as before
        leg->direction &= SDP_SENDONLY;
        return false;
    }
    struct tl_addr rtp = m->addr;
    rtp.port = m->port;
    moved = leg->rtp.family && !same_addr(&leg->rtp, &rtp);
    leg->rtp = rtp;
    leg->rtcp = m->rtcp;
    if (all_zero(leg->rtcp.ip, 4))
        memset(&leg->rtcp, 0, sizeof leg->rtcp);
    return moved;
}

static void take_pass_lines(struct neg_leg *leg, const struct sdp_media *m, const char *text)
{
    size_t n = 0;
    leg->pass[0] = 0;
    for (int attributes = 0; attributes < 2; attributes++) // b= lines come before a= lines
        for (unsigned i = 0; i < m->pass_count; i++) {
            const struct sdp_str *s = &m->pass[i];
            if ((text[s->off] == 'a') == attributes && n + s->len + 3 <= sizeof leg->pass)
                n += (size_t)sprintf(leg->pass + n, "%.*s\r\n", (int)s->len, text + s->off);
        }
}

// Without mux and a=rtcp RTCP goes to the next port, which must exist.
static bool rtcp_fits(const struct neg_leg *leg, const struct sdp_media *m)
{
    return m->port != UINT16_MAX || m->rtcp.family || (m->rtcp_mux && leg->trunk->rtcp_mux);
}

// RFC 5761 4: on one port with RTCP these payload types could not be told from its packet types.
static bool pts_fit_mux(const struct neg_leg *leg)
{
    for (int c = 0; c < NEG_CODECS; c++)
        if (leg->remote_pt[c] >= 64 && leg->remote_pt[c] <= 95)
            return false;
    return true;
}

static bool secure(uint8_t proto)
{
    return proto == SDP_PROTO_SAVP || proto == SDP_PROTO_SAVPF;
}

// ---- keys ------------------------------------------------------------------------------------------------

static bool same_keys(const struct sdes_crypto *a, const struct sdes_crypto *b)
{
    return a->suite == b->suite && memcmp(a->key, b->key, sizeof a->key) == 0 &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

static void set_rx(struct neg_leg *leg, const struct sdes_crypto *rx)
{
    if (!same_keys(&leg->rx, rx))
        leg->rx_generation++;
    leg->rx = *rx;
}

static void set_tx(struct neg_leg *leg, const struct sdes_crypto *tx)
{
    if (!same_keys(&leg->tx, tx))
        leg->tx_generation++;
    leg->tx = *tx;
}

static void set_plain(struct neg_leg *leg)
{
    struct sdes_crypto none = {0};
    set_rx(leg, &none);
    set_tx(leg, &none);
}

// The line of an offer that serves best: by our order of suites, then by theirs.
static bool pick_crypto(const struct neg_leg *leg, const struct sdp_media *m, const char *text,
                        struct sdes_crypto *out)
{
    for (unsigned s = 0; s < leg->trunk->suite_count; s++)
        for (unsigned i = 0; i < m->crypto_count; i++)
            if (sdes_parse(out, text + m->crypto[i].off, m->crypto[i].len) == 0) {
                if (out->suite == leg->trunk->suites[s])
                    return true;
                sdes_wipe(out);
            }
    return false;
}

// Whether a medium can be taken under the trunk's policy; *crypto is filled when it brings keys to use.
static int weigh_offer(const struct neg_leg *leg, const struct sdp_media *m, const char *text,
                       struct sdes_crypto *crypto, const char **why)
{
    memset(crypto, 0, sizeof *crypto);
    if (m->proto == SDP_PROTO_OTHER)
        return refuse(why, "audio is offered over a transport that is not RTP");
    if (m->port == 0 || !m->addr.family)
        return refuse(why, "audio has no IPv4 address and port");
    if (!rtcp_fits(leg, m))
        return refuse(why, "audio on port 65535 leaves no port for RTCP");
    if (leg->trunk->srtp == TL_SRTP_OFF)
        return secure(m->proto) ? refuse(why, "SRTP is offered and the trunk has srtp off") : 0;
    if (pick_crypto(leg, m, text, crypto))
        return 0;
    if (secure(m->proto))
        return refuse(why, "no a=crypto line of the offer has a suite of the trunk, without an MKI");
    return leg->trunk->srtp == TL_SRTP_REQUIRED
               ? refuse(why, "the trunk requires SRTP and plain RTP is offered")
               : 0;
}

// Our key for an answer: the one in use as long as the other side keeps its own and its address (it knows our
// ROC then), else a new one, RFC 4568 7.1.4.
static int answer_keys(struct neg_leg *leg, const struct sdes_crypto *rx, bool moved,
                       struct neg_random random)
{
    if (rx->suite == TL_SUITE_NONE) {
        set_plain(leg);
        return 0;
    }
    bool keep = leg->tx.suite == rx->suite && same_keys(&leg->rx, rx) && !moved;
    set_rx(leg, rx);
    if (keep) {
        leg->tx.tag = rx->tag;
        return 0;
    }
    struct sdes_crypto tx;
    int rc = sdes_generate(&tx, rx->tag, rx->suite, random.fill, random.arg);
    if (rc == 0)
        set_tx(leg, &tx);
    sdes_wipe(&tx);
    return rc;
}

// ---- offers ----------------------------------------------------------------------------------------------

static int remember_lines(struct neg_leg *leg, const struct sdp *sdp, const char *text, unsigned audio)
{
    leg->line_count = sdp->media_count;
    leg->audio_line = (uint8_t)audio;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        int fmt = m->fmt_text.len;
        const char *space = fmt ? memchr(text + m->fmt_text.off, ' ', (size_t)fmt) : NULL;
        if (space) // one format is enough to refuse a line
            fmt = (int)(space - (text + m->fmt_text.off));
        int n = snprintf(leg->lines[i], NEG_LINE_MAX, "%.*s 0 %.*s %.*s", m->kind.len, text + m->kind.off,
                         m->proto_text.len, text + m->proto_text.off, fmt ? fmt : 1,
                         fmt ? text + m->fmt_text.off : "0");
        if (n >= NEG_LINE_MAX && i != audio)
            return -ENOTSUP;
    }
    return 0;
}

int neg_take_offer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                   const char **why)
{
    struct sdes_crypto crypto = {0}, best = {0};
    int audio = -1;
    refuse(why, "no audio is offered");
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        if (!m->audio || weigh_offer(leg, m, text, &crypto, why) < 0)
            continue;
        if (!take_codecs(leg, m, text)) {
            refuse(why, "no codec of the offer is G.711");
            continue;
        }
        if (audio < 0 ||
            (crypto.suite && !best.suite)) { // of a plain and a secure line for one stream: secure
            audio = (int)i;
            best = crypto;
        }
    }
    int rc = -ENOTSUP;
    if (audio >= 0) {
        const struct sdp_media *m = &sdp->media[audio];
        take_codecs(leg, m, text);
        memcpy(leg->local_pt, leg->remote_pt, sizeof leg->local_pt);
        bool moved = take_transport(leg, m);
        take_pass_lines(leg, m, text);
        leg->proto = m->proto;
        leg->rtcp_mux = m->rtcp_mux && leg->trunk->rtcp_mux && pts_fit_mux(leg);
        rc = answer_keys(leg, &best, moved, random);
        if (rc == 0 && remember_lines(leg, sdp, text, (unsigned)audio) < 0)
            rc = refuse(why, "an m= line of the offer is too long to be answered");
    }
    sdes_wipe(&crypto);
    sdes_wipe(&best);
    return rc;
}

// ---- answers ---------------------------------------------------------------------------------------------

// The offered key that an answer takes up: by tag and suite, or by suite where a peer makes tags of its own.
static const struct sdes_crypto *taken_up(const struct neg_leg *leg, const struct sdes_crypto *answer)
{
    const struct sdes_crypto *by_suite = NULL;
    for (unsigned i = 0; i < leg->offered_count; i++) {
        const struct sdes_crypto *o = &leg->offered[i];
        if (o->suite == answer->suite && (o->tag == answer->tag || !by_suite))
            by_suite = o;
    }
    return by_suite;
}

static int answered_keys(struct neg_leg *leg, const struct sdp_media *m, const char *text, const char **why)
{
    if (m->crypto_count == 0) {
        if (secure(m->proto))
            return refuse(why, "the answer has SRTP but no a=crypto line");
        if (leg->trunk->srtp == TL_SRTP_REQUIRED)
            return refuse(why, "the trunk requires SRTP and the answer is plain RTP");
        set_plain(leg);
        return 0;
    }
    if (leg->offered_count == 0) { // keys nobody asked for
        if (secure(m->proto))
            return refuse(why, "the answer has SRTP where plain RTP was offered");
        set_plain(leg);
        return 0;
    }
    struct sdes_crypto rx;
    if (sdes_parse(&rx, text + m->crypto[0].off, m->crypto[0].len) < 0)
        return refuse(why,
                      "the a=crypto line of the answer is malformed or has parameters that we don't keep");
    const struct sdes_crypto *tx = taken_up(leg, &rx);
    if (tx) {
        set_rx(leg, &rx);
        set_tx(leg, tx);
    }
    sdes_wipe(&rx);
    return tx ? 0 : refuse(why, "the a=crypto line of the answer is none of those offered");
}

int neg_take_answer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                    const char **why)
{
    (void)random;
    uint8_t offered[NEG_CODECS];
    unsigned line = leg->audio_line;
    memcpy(offered, leg->local_pt, sizeof offered);
    if (sdp->media_count == 1)
        line = 0; // some peers answer only the line they take
    if (line >= sdp->media_count || !sdp->media[line].audio)
        return refuse(why, "the answer has no audio where audio was offered");
    const struct sdp_media *m = &sdp->media[line];
    if (m->port == 0)
        return refuse(why, "the answer refuses the audio");
    if (m->proto == SDP_PROTO_OTHER || !m->addr.family)
        return refuse(why, "the audio of the answer has no IPv4 address or is not RTP");
    take_codecs(leg, m, text);
    for (int c = 0; c < NEG_CODECS; c++)
        if (offered[c] == NEG_NO_PT)
            leg->remote_pt[c] = NEG_NO_PT; // what was not offered cannot be chosen
    if (leg->remote_pt[NEG_PCMU] == NEG_NO_PT && leg->remote_pt[NEG_PCMA] == NEG_NO_PT)
        return refuse(why, "the answer chooses no codec that was offered");
    if (leg->remote_pt[leg->g711_first] == NEG_NO_PT)
        leg->g711_first = leg->g711_first == NEG_PCMU ? NEG_PCMA : NEG_PCMU;
    if (!rtcp_fits(leg, m))
        return refuse(why, "the audio of the answer on port 65535 leaves no port for RTCP");
    take_transport(leg, m);
    // what it sends or takes beyond our offer does not count: the answer to our sendonly is at most recvonly
    uint8_t may = (uint8_t)((leg->said & SDP_SENDONLY ? SDP_RECVONLY : 0) |
                            (leg->said & SDP_RECVONLY ? SDP_SENDONLY : 0));
    leg->direction &= may;
    leg->rtcp_mux = m->rtcp_mux && leg->trunk->rtcp_mux;
    if (leg->rtcp_mux && !pts_fit_mux(leg))
        return refuse(why, "the answer has rtcp-mux and a payload type that RFC 5761 rules out with it");
    take_pass_lines(leg, m, text);
    return answered_keys(leg, m, text, why);
}

// ---- for the dataplane -----------------------------------------------------------------------------------

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
