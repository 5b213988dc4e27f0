// SPDX-License-Identifier: BSD-3-Clause
// The SDP that we write: offers and answers.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/sdp/negotiate_internal.h"

struct writer {
    char *out;
    size_t len;
    bool full;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->out + w->len, NEG_BODY_MAX - w->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= NEG_BODY_MAX - w->len)
        w->full = true;
    else
        w->len += (size_t)n;
}

static const char *const codec_names[NEG_CODECS] = {"PCMU", "PCMA", "telephone-event"};
static const char *const proto_names[] = {"RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"};
static const char *const direction_names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

// What one audio line says.
struct line {
    const uint8_t *pt; // per codec, NEG_NO_PT: not there
    int order[NEG_CODECS];
    uint8_t direction;
    bool mux;
    const struct sdes_crypto *crypto;
    unsigned crypto_count;
    const char *event_fmtp;
    const char *pass;
};

static void order_codecs(struct line *line, int first)
{
    line->order[0] = first;
    line->order[1] = first == NEG_PCMU ? NEG_PCMA : NEG_PCMU;
    line->order[2] = NEG_EVENT;
}

// What an offer names first: by the trunk's preference, but before all what the other side has, for an
// answerer takes the first that it can (RFC 3264 6.1) and what is common needs no conversion.
static int first_law(const struct neg_leg *leg, const struct neg_leg *other)
{
    const struct tl_trunk_config *t = leg->trunk;
    for (unsigned i = 0; other && i < t->codec_count; i++)
        if (other->remote_pt[t->codecs[i]] != NEG_NO_PT)
            return (int)t->codecs[i];
    return (int)t->codecs[0];
}

static void put_audio(struct writer *w, const struct neg_leg *leg, const struct line *line)
{
    put(w, "m=audio %u %s", leg->local.port, proto_names[leg->proto]);
    for (int i = 0; i < NEG_CODECS; i++)
        if (line->pt[line->order[i]] != NEG_NO_PT)
            put(w, " %u", line->pt[line->order[i]]);
    put(w, "\r\n");
    const char *attributes = strstr(line->pass, "a=");
    size_t bandwidth = attributes ? (size_t)(attributes - line->pass) : strlen(line->pass);
    put(w, "%.*s", (int)bandwidth, line->pass);
    for (int i = 0; i < NEG_CODECS; i++) {
        int codec = line->order[i];
        if (line->pt[codec] == NEG_NO_PT)
            continue;
        put(w, "a=rtpmap:%u %s/8000\r\n", line->pt[codec], codec_names[codec]);
        if (codec == NEG_EVENT)
            put(w, "a=fmtp:%u %s\r\n", line->pt[codec], line->event_fmtp[0] ? line->event_fmtp : "0-15");
    }
    for (unsigned i = 0; i < line->crypto_count; i++) {
        char text[SDES_LINE_MAX];
        if (sdes_write(&line->crypto[i], text, sizeof text) > 0)
            put(w, "a=crypto:%s\r\n", text);
        explicit_bzero(text, sizeof text);
    }
    put(w, "%s", line->pass + bandwidth);
    put(w, "a=%s\r\n", direction_names[line->direction & 3]);
    if (line->mux)
        put(w, "a=rtcp-mux\r\n");
}

static void put_session(struct writer *w, const struct neg_leg *leg)
{
    char text[TL_ADDR_TEXT];
    const char *ip = tl_addr_is_set(&leg->local) ? tl_addr_print_ip(&leg->local, text) : "0.0.0.0";
    put(w, "o=- %llu %llu IN IP4 %s\r\n", (unsigned long long)leg->session_id,
        (unsigned long long)leg->version, ip);
    put(w, "s=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", ip);
}

static void put_body(struct writer *w, const struct neg_leg *leg, const struct line *line)
{
    put(w, "v=0\r\n");
    put_session(w, leg);
    for (unsigned i = 0; i < leg->line_count || i == 0; i++)
        if (i == leg->audio_line)
            put_audio(w, leg, line);
        else
            put(w, "m=%s\r\n", leg->lines[i]);
}

static uint64_t fnv1a(const char *s, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)s[i]) * 0x100000001b3u;
    return h;
}

// RFC 3264 8: the version in o= rises by one when the description differs from the one before. It is written
// first with the old version; only when that came out different it is written again.
static int write_versioned(struct neg_leg *leg, const struct line *line, char *out)
{
    struct writer w = {.out = out};
    put_body(&w, leg, line);
    uint64_t hash = fnv1a(out, w.len);
    if (leg->hash && hash != leg->hash) {
        leg->version++;
        w = (struct writer){.out = out};
        put_body(&w, leg, line);
        hash = fnv1a(out, w.len);
    }
    if (w.full)
        return -ENOSPC;
    leg->hash = hash;
    return (int)w.len;
}

// ---- offers -------------------------------------------------------------------------------------------

// Numbers once given to a codec stay its own for the whole session, RFC 3264 8.3.2.
static void choose_pts(struct neg_leg *leg, const struct neg_leg *other)
{
    static const uint8_t fixed[NEG_EVENT] = {0, 8};
    for (int c = 0; c < NEG_EVENT; c++)
        if (leg->kept_pt[c] == NEG_NO_PT)
            leg->kept_pt[c] = fixed[c];
    if (leg->kept_pt[NEG_EVENT] == NEG_NO_PT) {
        uint8_t pt = leg->trunk->dtmf_pt;
        while (pt == leg->kept_pt[NEG_PCMU] || pt == leg->kept_pt[NEG_PCMA])
            pt = pt == 127 ? 96 : (uint8_t)(pt + 1);
        leg->kept_pt[NEG_EVENT] = pt;
    }
    memset(leg->local_pt, NEG_NO_PT, sizeof leg->local_pt);
    // a law that the other side lacks is only for a side that is not known to have a common one
    bool common = other && (neg_shared(leg, other, NEG_PCMU) || neg_shared(leg, other, NEG_PCMA));
    for (unsigned i = 0; i < leg->trunk->codec_count; i++) {
        enum tl_g711 law = leg->trunk->codecs[i];
        if (!common || other->remote_pt[law] != NEG_NO_PT)
            leg->local_pt[law] = leg->kept_pt[law];
    }
    if (!other || other->remote_pt[NEG_EVENT] != NEG_NO_PT)
        leg->local_pt[NEG_EVENT] = leg->kept_pt[NEG_EVENT];
}

static int offer_keys(struct neg_leg *leg, struct neg_random random)
{
    const struct tl_trunk_config *t = leg->trunk;
    explicit_bzero(leg->offered, sizeof leg->offered);
    leg->offered_count = 0;
    if (leg->line_count) { // a later offer: the key in use, so that a hold changes nothing for the media
        if (leg->tx.suite)
            leg->offered[leg->offered_count++] = leg->tx;
        return 0;
    }
    leg->proto = t->srtp == TL_SRTP_REQUIRED ? SDP_PROTO_SAVP : SDP_PROTO_AVP;
    for (unsigned i = 0; t->srtp != TL_SRTP_OFF && i < t->suite_count && i < TL_SUITES_MAX; i++) {
        int rc = sdes_generate(&leg->offered[i], i + 1, t->suites[i], random.fill, random.arg);
        if (rc < 0)
            return rc;
        neg_shape_offer(leg, &leg->offered[i]);
        leg->offered_count++;
    }
    return 0;
}

int neg_make_offer(struct neg_leg *leg, const struct neg_leg *other, struct neg_random random, char *out)
{
    struct line line = {.pt = leg->local_pt, .event_fmtp = "", .pass = ""};
    choose_pts(leg, other);
    if (other && other->remote_pt[NEG_PCMU] == NEG_NO_PT && other->remote_pt[NEG_PCMA] == NEG_NO_PT)
        return -ENOTSUP;
    int rc = offer_keys(leg, random);
    if (rc < 0)
        return rc;
    if (!leg->line_count)
        leg->line_count = 1;
    leg->said = other ? other->direction : SDP_SENDRECV;
    order_codecs(&line, first_law(leg, other));
    line.direction = leg->said;
    line.mux = leg->trunk->rtcp_mux;
    line.crypto = leg->offered;
    line.crypto_count = leg->offered_count;
    if (other) {
        line.event_fmtp = other->event_fmtp;
        line.pass = other->pass;
    }
    return write_versioned(leg, &line, out);
}

// ---- answers ------------------------------------------------------------------------------------------

int neg_make_answer(struct neg_leg *leg, const struct neg_leg *other, char *out)
{
    struct line line = {.pt = leg->local_pt, .event_fmtp = other->event_fmtp, .pass = other->pass};
    for (int c = 0; c < NEG_CODECS; c++) {
        leg->local_pt[c] = neg_becomes(leg, other, c) < 0 ? NEG_NO_PT : leg->remote_pt[c];
        if (leg->remote_pt[c] != NEG_NO_PT)
            leg->kept_pt[c] = leg->remote_pt[c];
    }
    if (leg->local_pt[NEG_PCMU] == NEG_NO_PT && leg->local_pt[NEG_PCMA] == NEG_NO_PT)
        return -ENOTSUP;
    // we send as far as the remote side takes, and take as far as it sends
    line.direction = (uint8_t)((leg->direction & SDP_RECVONLY ? other->direction & SDP_SENDONLY : 0) |
                               (leg->direction & SDP_SENDONLY ? other->direction & SDP_RECVONLY : 0));
    order_codecs(&line, other->g711_first);
    line.mux = leg->rtcp_mux;
    line.crypto = &leg->tx;
    line.crypto_count = leg->tx.suite != TL_SUITE_NONE;
    return write_versioned(leg, &line, out);
}
