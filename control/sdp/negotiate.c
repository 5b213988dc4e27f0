// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/sdp/negotiate_internal.h"

int neg_init(struct neg_leg *leg, const struct tl_trunk_config *trunk, struct neg_random random)
{
    memset(leg, 0, sizeof *leg);
    leg->trunk = trunk;
    leg->direction = SDP_SENDRECV;
    leg->audio_line = 0;
    leg->word.direction = SDP_SENDRECV;
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

// ---- what the remote side says ------------------------------------------------------------------------

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

static_assert((int)NEG_PCMU == TL_PCMU && (int)NEG_PCMA == TL_PCMA, "one numbering of the laws");

static bool trunk_has(const struct tl_trunk_config *trunk, int codec)
{
    for (unsigned i = 0; i < trunk->codec_count; i++)
        if ((int)trunk->codecs[i] == codec)
            return true;
    return codec == NEG_EVENT;
}

// The events of telephone-event, "0-15,66" (RFC 4733 2.4.1); "" for what is no such list, which stays here.
static void take_events(char out[static NEG_FMTP_MAX], const char *text, struct sdp_str s)
{
    out[0] = 0;
    if (s.len >= NEG_FMTP_MAX)
        return;
    for (unsigned i = 0; i < s.len; i++)
        if (!strchr("0123456789,- ", text[s.off + i]))
            return;
    memcpy(out, text + s.off, s.len);
    out[s.len] = 0;
}

// Payload types of the trunk's codecs in a medium. Returns whether there is any G.711.
static bool take_codecs(struct neg_leg *leg, const struct sdp_media *m, const char *text)
{
    bool first = true;
    memset(leg->remote_pt, NEG_NO_PT, sizeof leg->remote_pt);
    leg->event_fmtp[0] = 0;
    for (unsigned i = 0; i < m->format_count; i++) {
        int codec = codec_of(&m->format[i], text);
        if (codec < 0 || leg->remote_pt[codec] != NEG_NO_PT || !trunk_has(leg->trunk, codec))
            continue;
        leg->remote_pt[codec] = m->format[i].pt;
        if (codec == NEG_EVENT) {
            take_events(leg->event_fmtp, text, m->format[i].fmtp);
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

static void take_packet_time(struct neg_leg *leg, const struct sdp_media *m)
{
    bool max_is_less = m->maxptime && (!m->ptime || m->maxptime < m->ptime);
    leg->ptime = max_is_less ? m->maxptime : m->ptime;
}

// Writes them anew, name by name: what passes is what was understood.
static void take_pass_lines(struct neg_leg *leg, const struct sdp_media *m, const char *text)
{
    size_t n = 0;
    leg->pass[0] = 0;
    for (int attributes = 0; attributes < 2; attributes++) // b= lines come before a= lines
        for (unsigned i = 0; i < m->pass_count; i++) {
            const char *name = sdp_pass_name((enum tl_sdp_pass)m->pass_kind[i]);
            bool attribute = strncmp(name, "b=", 2) != 0;
            size_t len = strlen(name) + m->pass[i].len + 5; // a=, colon, CRLF
            if (attribute == attributes && n + len < sizeof leg->pass)
                n += (size_t)sprintf(leg->pass + n, "%s%s:%.*s\r\n", attribute ? "a=" : "", name,
                                     m->pass[i].len, text + m->pass[i].off);
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

// Whether a medium can be taken under the trunk's policy; *crypto is filled when it brings keys to use.
static int weigh_offer(const struct neg_leg *leg, const struct sdp_media *m, const char *text,
                       struct sdes_crypto *crypto, const char **why)
{
    memset(crypto, 0, sizeof *crypto);
    if (m->proto == SDP_PROTO_OTHER)
        return neg_refuse(why, "audio is offered over a transport that is not RTP");
    if (!m->addr.family)
        return neg_refuse(why, "audio has no IPv4 address");
    if (!rtcp_fits(leg, m))
        return neg_refuse(why, "audio on port 65535 leaves no port for RTCP");
    if (leg->trunk->srtp == TL_SRTP_OFF)
        return neg_secure(m->proto) ? neg_refuse(why, "SRTP is offered and the trunk has srtp off") : 0;
    const char *line = NULL;
    if (neg_pick_crypto(leg, m, text, crypto, &line))
        return 0;
    if (neg_secure(m->proto))
        return neg_refuse(why, line ? line : "no a=crypto line of the offer has a suite of the trunk");
    return leg->trunk->srtp == TL_SRTP_REQUIRED
               ? neg_refuse(why, "the trunk requires SRTP and plain RTP is offered")
               : 0;
}

// ---- offers -------------------------------------------------------------------------------------------

// Keeps each m= line as it is refused: port 0 and one format. What cannot be read of it is made up.
static int remember_lines(struct neg_leg *leg, const struct sdp *sdp, const char *text, unsigned audio)
{
    size_t used = 0;
    leg->line_count = sdp->media_count;
    leg->audio_line = (uint8_t)audio;
    leg->lines[0] = 0;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        const char *at = text + m->fmt_text.off;
        int fmt = 0;
        while (fmt < m->fmt_text.len && at[fmt] != ' ' && at[fmt] != '\t')
            fmt++;
        int n = snprintf(
            leg->lines + used, sizeof leg->lines - used, "%.*s 0 %.*s %.*s\n", m->kind.len ? m->kind.len : 5,
            m->kind.len ? text + m->kind.off : "audio", m->proto_text.len ? m->proto_text.len : 7,
            m->proto_text.len ? text + m->proto_text.off : "RTP/AVP", fmt ? fmt : 1, fmt ? at : "0");
        used += (size_t)n;
        if (used >= sizeof leg->lines)
            return -ENOTSUP;
    }
    return 0;
}

// The line that the audio comes from: the first that the trunk can take, of a plain and a secure one for one
// stream the secure one. -1: none, and *why says why.
static int choose_line(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct sdes_crypto *best,
                       const char **why)
{
    struct sdes_crypto crypto = {0};
    int audio = -1;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *m = &sdp->media[i];
        if (!m->audio || !m->port || weigh_offer(leg, m, text, &crypto, why) < 0)
            continue;
        if (!take_codecs(leg, m, text)) {
            neg_refuse(why, "no codec of the offer is G.711 of a law that the trunk has");
            continue;
        }
        if (audio < 0 || (crypto.suite && !best->suite)) {
            audio = (int)i;
            *best = crypto;
        }
    }
    sdes_wipe(&crypto);
    return audio;
}

// The line of the audio, whatever its port: where it was before, else the first one.
static uint8_t audio_line(const struct neg_leg *leg, const struct sdp *sdp)
{
    if (leg->line_count && leg->audio_line < sdp->media_count && sdp->media[leg->audio_line].audio)
        return leg->audio_line;
    for (unsigned i = 0; i < sdp->media_count; i++)
        if (sdp->media[i].audio)
            return (uint8_t)i;
    return NEG_NO_LINE;
}

// Whether an offer that has no audio for us wants none: all its media have port 0, or it has none, or the audio
// that there was has port 0 now.
static bool wants_no_audio(const struct neg_leg *leg, const struct sdp *sdp)
{
    bool live = false;
    for (unsigned i = 0; i < sdp->media_count; i++) {
        if (sdp->media[i].audio && sdp->media[i].port)
            return false;
        live |= sdp->media[i].port != 0;
    }
    if (sdp->media_count == 0)
        return sdp->session_id.len > 0; // else it is no SDP at all
    return !live || (leg->agreed && audio_line(leg, sdp) != NEG_NO_LINE);
}

static int take_no_audio(struct neg_leg *leg, const struct sdp *sdp, const char *text, const char **why)
{
    leg->direction = SDP_INACTIVE;
    leg->off = true;
    leg->pass[0] = 0;
    leg->ptime = 0;
    return remember_lines(leg, sdp, text, audio_line(leg, sdp)) < 0
               ? neg_refuse(why, "the m= lines of the offer are too long to be answered")
               : 0;
}

static int take_audio(struct neg_leg *leg, const struct sdp *sdp, const char *text, unsigned audio,
                      const struct sdes_crypto *crypto, struct neg_random random, const char **why)
{
    const struct sdp_media *m = &sdp->media[audio];
    take_codecs(leg, m, text);
    memcpy(leg->local_pt, leg->remote_pt, sizeof leg->local_pt);
    bool moved = take_transport(leg, m);
    take_packet_time(leg, m);
    take_pass_lines(leg, m, text);
    leg->proto = m->proto;
    leg->off = false;
    leg->agreed = true;
    leg->rtcp_mux = m->rtcp_mux && leg->trunk->rtcp_mux && pts_fit_mux(leg);
    if (neg_key_forgotten(leg, crypto))
        return neg_refuse(
            why,
            "the SRTP key of the offer was used too long ago in this call: its replay window is forgotten");
    int rc = neg_answer_keys(leg, crypto, moved, random);
    if (rc == 0 && remember_lines(leg, sdp, text, audio) < 0)
        return neg_refuse(why, "the m= lines of the offer are too long to be answered");
    return rc;
}

int neg_take_offer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                   const char **why)
{
    struct sdes_crypto crypto = {0};
    uint8_t pts[NEG_CODECS];
    if (leg->word.kind == NEG_SAID_ANSWER && neg_same_sdp(leg, sdp, text))
        return 0; // the answer that it was given is the answer to this one too
    memcpy(pts, leg->remote_pt, sizeof pts);
    neg_refuse(why, "no audio is offered");
    int audio = choose_line(leg, sdp, text, &crypto, why), rc = -ENOTSUP;
    leg->word.kind = NEG_SAID_NOTHING;
    leg->offered_last = true;
    if (audio >= 0) {
        rc = take_audio(leg, sdp, text, (unsigned)audio, &crypto, random, why);
    } else if (wants_no_audio(leg, sdp)) {
        memcpy(leg->remote_pt, pts, sizeof pts); // what it can is as it was
        rc = take_no_audio(leg, sdp, text, why);
    }
    leg->remote_hash = neg_hash(sdp, text);
    sdes_wipe(&crypto);
    return rc;
}

// ---- answers ------------------------------------------------------------------------------------------

// An answer that takes no audio: there was none in our offer, or it ends what there was (RFC 3264 8.2).
static int take_no_answer(struct neg_leg *leg, const struct sdp *sdp, const char *text, const char **why)
{
    if (!leg->word.off && !leg->agreed)
        return neg_refuse(why, "the answer refuses the audio");
    leg->direction = SDP_INACTIVE;
    leg->off = true;
    leg->pass[0] = 0;
    leg->offered_last = false;
    leg->remote_hash = neg_hash(sdp, text);
    return 0;
}

// The codecs of the answer that were offered. Returns whether there is any G.711.
static bool take_chosen(struct neg_leg *leg, const struct sdp_media *m, const char *text)
{
    take_codecs(leg, m, text);
    for (int c = 0; c < NEG_CODECS; c++)
        if (leg->local_pt[c] == NEG_NO_PT)
            leg->remote_pt[c] = NEG_NO_PT; // what was not offered cannot be chosen
    if (leg->remote_pt[NEG_PCMU] == NEG_NO_PT && leg->remote_pt[NEG_PCMA] == NEG_NO_PT)
        return false;
    if (leg->remote_pt[leg->g711_first] == NEG_NO_PT)
        leg->g711_first = leg->g711_first == NEG_PCMU ? NEG_PCMA : NEG_PCMU;
    return true;
}

int neg_take_answer(struct neg_leg *leg, const struct sdp *sdp, const char *text, struct neg_random random,
                    const char **why)
{
    (void)random;
    unsigned line = leg->audio_line;
    if (sdp->media_count == 1)
        line = 0; // some peers answer only the line they take
    bool there = line < sdp->media_count && sdp->media[line].audio;
    if (leg->word.off || (there && sdp->media[line].port == 0))
        return take_no_answer(leg, sdp, text, why);
    if (!there)
        return neg_refuse(why, "the answer has no audio where audio was offered");
    const struct sdp_media *m = &sdp->media[line];
    if (m->proto == SDP_PROTO_OTHER || !m->addr.family)
        return neg_refuse(why, "the audio of the answer has no IPv4 address or is not RTP");
    if (!take_chosen(leg, m, text))
        return neg_refuse(why, "the answer chooses no codec that was offered");
    if (!rtcp_fits(leg, m))
        return neg_refuse(why, "the audio of the answer on port 65535 leaves no port for RTCP");
    take_transport(leg, m);
    // what it sends or takes beyond our offer does not count: the answer to our sendonly is at most recvonly
    leg->direction &= neg_reverse(leg->word.direction);
    leg->rtcp_mux = m->rtcp_mux && leg->trunk->rtcp_mux;
    if (leg->rtcp_mux && !pts_fit_mux(leg))
        return neg_refuse(why, "the answer has rtcp-mux and a payload type that RFC 5761 rules out with it");
    take_packet_time(leg, m);
    take_pass_lines(leg, m, text);
    leg->off = false;
    leg->agreed = true;
    leg->offered_last = false;
    leg->remote_hash = neg_hash(sdp, text);
    return neg_answered_keys(leg, m, text, why);
}
