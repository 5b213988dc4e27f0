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

// The laws in the order that the line names them, then telephone-event.
static void order_codecs(int first, int order[NEG_CODECS])
{
    order[0] = first;
    order[1] = first == NEG_PCMU ? NEG_PCMA : NEG_PCMU;
    order[2] = NEG_EVENT;
}

// What an offer names first: by the trunk's preference, but before all what the other side has, for an
// answerer takes the first that it can (RFC 3264 6.1) and what is common needs no conversion.
static int first_law(const struct neg_leg *leg, const struct neg_leg *other)
{
    const struct tl_trunk_config *t = leg->trunk;
    for (unsigned i = 0; other && i < t->codec_count; i++)
        if (neg_takes(other, (int)t->codecs[i]))
            return (int)t->codecs[i];
    return (int)t->codecs[0];
}

static void put_codecs(struct writer *w, const struct neg_leg *leg, const int order[NEG_CODECS])
{
    const char *fmtp = leg->word.event_fmtp[0] ? leg->word.event_fmtp : "0-15";
    for (int i = 0; i < NEG_CODECS; i++) {
        int codec = order[i];
        if (leg->local_pt[codec] == NEG_NO_PT)
            continue;
        put(w, "a=rtpmap:%u %s/8000\r\n", leg->local_pt[codec], codec_names[codec]);
        if (codec == NEG_EVENT)
            put(w, "a=fmtp:%u %s\r\n", leg->local_pt[codec], fmtp);
    }
}

static void put_keys(struct writer *w, const struct neg_leg *leg)
{
    bool answer = leg->word.kind == NEG_SAID_ANSWER;
    const struct sdes_crypto *keys = answer ? &leg->tx : leg->offered;
    unsigned count = answer ? leg->tx.suite != TL_SUITE_NONE : leg->offered_count;
    for (unsigned i = 0; i < count; i++) {
        char text[SDES_LINE_MAX];
        if (sdes_write(&keys[i], text, sizeof text) > 0)
            put(w, "a=crypto:%s\r\n", text);
        explicit_bzero(text, sizeof text);
    }
}

// The `n`-th m= line of the remote side, as it is refused.
static void put_refused(struct writer *w, const struct neg_leg *leg, unsigned n)
{
    const char *line = leg->lines;
    while (n-- > 0 && *line)
        line += strcspn(line, "\n") + 1;
    put(w, "m=%.*s\r\n", (int)strcspn(line, "\n"), line);
}

static void put_audio(struct writer *w, const struct neg_leg *leg)
{
    const struct neg_word *word = &leg->word;
    int order[NEG_CODECS];
    order_codecs(word->first, order);
    put(w, "m=audio %u %s", word->off ? 0 : leg->local.port, proto_names[leg->proto]);
    for (int i = 0; i < NEG_CODECS; i++)
        if (leg->local_pt[order[i]] != NEG_NO_PT)
            put(w, " %u", leg->local_pt[order[i]]);
    put(w, "\r\n");
    if (word->off) // of a stream that is not there nothing else is to be said
        return;
    const char *attributes = strstr(word->pass, "a=");
    size_t bandwidth = attributes ? (size_t)(attributes - word->pass) : strlen(word->pass);
    put(w, "%.*s", (int)bandwidth, word->pass);
    put_codecs(w, leg, order);
    put_keys(w, leg);
    put(w, "%s", word->pass + bandwidth);
    put(w, "a=%s\r\n", direction_names[word->direction & 3]);
    if (word->mux)
        put(w, "a=rtcp-mux\r\n");
}

static void put_session(struct writer *w, const struct neg_leg *leg)
{
    char ip[TL_ADDR_TEXT];
    tl_addr_print_ip(&leg->local, ip);
    put(w, "o=- %llu %llu IN IP4 %s\r\n", (unsigned long long)leg->session_id,
        (unsigned long long)leg->word.version, ip);
    put(w, "s=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", leg->word.zero ? "0.0.0.0" : ip);
}

// All that we say follows from the leg, so that it can be said again.
static void put_body(struct writer *w, const struct neg_leg *leg)
{
    bool refused = leg->word.kind == NEG_SAID_ANSWER && leg->word.off; // in the words of the offer
    put(w, "v=0\r\n");
    put_session(w, leg);
    for (unsigned i = 0; i < leg->line_count; i++)
        if (i == leg->audio_line && !refused)
            put_audio(w, leg);
        else
            put_refused(w, leg, i);
}

static uint64_t hash_of(const char *out, size_t len)
{
    return neg_hash_bytes(0, out, len);
}

// RFC 3264 8: the version in o= rises by one when the description differs from the one before. It is written
// first with the old version; only when that came out different it is written again.
static int write_versioned(struct neg_leg *leg, char *out)
{
    struct neg_word *word = &leg->word;
    struct writer w = {.out = out};
    word->version = leg->version;
    put_body(&w, leg);
    word->hash = hash_of(out, w.len);
    if (leg->hash && word->hash != leg->hash) {
        word->version = ++leg->version;
        w = (struct writer){.out = out};
        put_body(&w, leg);
        word->hash = hash_of(out, w.len);
    }
    if (w.full)
        return -ENOSPC;
    leg->hash = word->hash;
    return (int)w.len;
}

static bool trunk_passes(const struct tl_trunk_config *trunk, int line)
{
    for (unsigned i = 0; i < trunk->sdp_pass_count; i++)
        if ((int)trunk->sdp_pass[i] == line)
            return true;
    return false;
}

// The lines of `from` ("b=AS:64\r\na=ptime:20\r\n") that the trunk's peer is to get.
static void quote_lines(const struct tl_trunk_config *trunk, const char *from, char out[static NEG_PASS_MAX])
{
    size_t n = 0;
    for (size_t len; *from; from += len) {
        len = strcspn(from, "\n") + 1;
        if (trunk_passes(trunk, sdp_pass_find(from + 2, strcspn(from, ":") - 2, from[0] == 'b'))) {
            memcpy(out + n, from, len);
            n += len;
        }
    }
    out[n] = 0;
}

// Takes what of `other` goes into the words to `leg`.
static void quote(struct neg_leg *leg, const struct neg_leg *other)
{
    struct neg_word *word = &leg->word;
    word->event_fmtp[0] = word->pass[0] = 0;
    if (!other)
        return;
    memcpy(word->event_fmtp, other->event_fmtp, sizeof word->event_fmtp);
    quote_lines(leg->trunk, other->pass, word->pass);
}

// The direction in the form that the trunk wants; `held`: we do not take what the remote side would send.
static void say_direction(struct neg_leg *leg, uint8_t direction, bool held)
{
    enum tl_hold_form form = leg->trunk->hold;
    leg->word.direction = held && form == TL_HOLD_INACTIVE ? SDP_INACTIVE : direction;
    leg->word.zero = held && form == TL_HOLD_ZERO;
}

// ---- offers -------------------------------------------------------------------------------------------

// Whether `leg`, which may be offered something new, has shown that it knows what `other` takes now.
static bool both_know(const struct neg_leg *leg, const struct neg_leg *other, int codec)
{
    return leg->remote_pt[codec] != NEG_NO_PT && neg_takes(other, codec);
}

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
    bool common = other && (both_know(leg, other, NEG_PCMU) || both_know(leg, other, NEG_PCMA));
    for (unsigned i = 0; i < leg->trunk->codec_count; i++) {
        enum tl_g711 law = leg->trunk->codecs[i];
        if (!common || neg_takes(other, (int)law))
            leg->local_pt[law] = leg->kept_pt[law];
    }
    if (!other || neg_takes(other, NEG_EVENT))
        leg->local_pt[NEG_EVENT] = leg->kept_pt[NEG_EVENT];
}

static int offer_keys(struct neg_leg *leg, struct neg_random random)
{
    const struct tl_trunk_config *t = leg->trunk;
    explicit_bzero(leg->offered, sizeof leg->offered);
    leg->offered_count = 0;
    if (leg->agreed) { // a later offer: the key in use, so that a hold changes nothing for the media
        if (leg->tx.suite)
            leg->offered[leg->offered_count++] = leg->tx;
        return 0;
    }
    leg->proto = t->srtp == TL_SRTP_REQUIRED ? SDP_PROTO_SAVP : SDP_PROTO_AVP;
    if (leg->word.off)
        return 0;
    for (unsigned i = 0; t->srtp != TL_SRTP_OFF && i < t->suite_count && i < TL_SUITES_MAX; i++) {
        int rc = sdes_generate(&leg->offered[i], i + 1, t->suites[i], random.fill, random.arg);
        if (rc < 0)
            return rc;
        neg_shape_offer(leg, &leg->offered[i]);
        leg->offered_count++;
    }
    return 0;
}

// A side that has named no audio line gets one behind its others.
static int need_line(struct neg_leg *leg)
{
    if (!leg->line_count)
        leg->audio_line = 0;
    else if (leg->audio_line == NEG_NO_LINE)
        leg->audio_line = leg->line_count;
    if (leg->audio_line == SDP_MEDIA_MAX)
        return -ENOTSUP;
    if (leg->line_count <= leg->audio_line)
        leg->line_count = (uint8_t)(leg->audio_line + 1);
    return 0;
}

bool neg_has_spoken(const struct neg_leg *leg)
{
    return leg->off || neg_takes_g711(leg);
}

int neg_make_offer(struct neg_leg *leg, const struct neg_leg *other, struct neg_random random, char *out)
{
    bool known = other && neg_takes_g711(other);
    if (other && !neg_has_spoken(other))
        return -ENOTSUP;
    choose_pts(leg, known ? other : NULL);
    leg->word.kind = NEG_SAID_OFFER;
    leg->word.off = other && other->off && !leg->agreed;
    int rc = offer_keys(leg, random);
    if (rc == 0)
        rc = need_line(leg);
    if (rc < 0)
        return rc;
    uint8_t direction = other ? other->direction : SDP_SENDRECV;
    leg->word.first = (uint8_t)first_law(leg, known ? other : NULL);
    leg->word.mux = leg->trunk->rtcp_mux;
    say_direction(leg, direction, !(direction & SDP_RECVONLY));
    quote(leg, other);
    return write_versioned(leg, out);
}

// ---- answers ------------------------------------------------------------------------------------------

// The payload types that `leg` is answered; with a side that is off and was never asked, all of its own.
static int answer_pts(struct neg_leg *leg, const struct neg_leg *other)
{
    bool open = other->off && !neg_takes_g711(other);
    uint8_t pts[NEG_CODECS];
    for (int c = 0; c < NEG_CODECS; c++) {
        pts[c] = open || neg_becomes(leg, other, c) >= 0 ? leg->remote_pt[c] : NEG_NO_PT;
        if (leg->remote_pt[c] != NEG_NO_PT)
            leg->kept_pt[c] = leg->remote_pt[c];
    }
    if (pts[NEG_PCMU] == NEG_NO_PT && pts[NEG_PCMA] == NEG_NO_PT)
        return -ENOTSUP;
    memcpy(leg->local_pt, pts, sizeof leg->local_pt);
    return 0;
}

int neg_make_answer(struct neg_leg *leg, const struct neg_leg *other, char *out)
{
    struct neg_word *word = &leg->word;
    word->kind = NEG_SAID_NOTHING; // what an earlier answer to this offer left out is open again
    if (!leg->off && answer_pts(leg, other) < 0)
        return -ENOTSUP;
    // we send as far as the remote side takes, and take as far as it sends
    uint8_t direction = leg->direction & neg_reverse(neg_direction(other));
    word->kind = NEG_SAID_ANSWER;
    word->off = leg->off;
    word->first = other->g711_first;
    word->mux = leg->rtcp_mux;
    direction = neg_reverse(direction);
    say_direction(leg, direction, !leg->off && leg->direction & SDP_SENDONLY && !(direction & SDP_RECVONLY));
    quote(leg, other);
    return write_versioned(leg, out);
}

int neg_repeat_answer(const struct neg_leg *leg, char *out)
{
    struct writer w = {.out = out};
    if (leg->word.kind != NEG_SAID_ANSWER)
        return -ENOENT;
    put_body(&w, leg);
    if (w.full)
        return -ENOSPC;
    return hash_of(out, w.len) == leg->word.hash ? (int)w.len : -ENOENT;
}

void neg_keep_version(struct neg_leg *leg, const struct neg_leg *later)
{
    leg->version = later->version;
    leg->hash = later->hash;
}
