// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdp/sdp.h"
#include "common/number.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

// A piece of the text under the reader's hands.
struct span {
    const char *p;
    size_t len;
};

struct reader {
    struct sdp *sdp;
    const char *text;
    const char *why;
    struct sdp_media *media; // NULL in the session's part
    struct tl_addr addr;     // the session's
    int direction;           // the session's, -1: none
    uint32_t own_addr;       // bit per medium that has its own c=
    uint32_t own_direction;  // bit per medium
    uint32_t rtcp_plain;     // bit per medium whose a=rtcp brings no address
    uint32_t readable;       // bit per medium whose m= line could be read
};

static_assert(SDP_MEDIA_MAX <= 32, "a bit per medium");

bool sdp_str_is(const char *text, struct sdp_str s, const char *name)
{
    return s.len == strlen(name) && strncasecmp(text + s.off, name, s.len) == 0;
}

static struct sdp_str str_of(const struct reader *r, struct span s)
{
    return (struct sdp_str){(uint16_t)(s.p - r->text), (uint16_t)s.len};
}

static void note(struct reader *r, enum sdp_odd odd)
{
    if (r->sdp->odd[odd] < UINT16_MAX)
        r->sdp->odd[odd]++;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && blank(s.p[0]))
        s.p++, s.len--;
    while (s.len > 0 && blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

// Takes the next word of the line; an empty one at its end.
static struct span word(struct span *line)
{
    *line = trim(*line);
    struct span w = {line->p, 0};
    while (w.len < line->len && !blank(w.p[w.len]))
        w.len++;
    line->p += w.len;
    line->len -= w.len;
    return w;
}

// Cuts `s` at the first `c`: *s keeps what is before it, the rest is returned (empty when there is none).
static struct span cut(struct span *s, char c)
{
    const char *at = s->len ? memchr(s->p, c, s->len) : NULL;
    if (!at)
        return (struct span){s->p + s->len, 0};
    struct span rest = {at + 1, s->len - (size_t)(at - s->p) - 1};
    s->len = (size_t)(at - s->p);
    return rest;
}

static bool is(struct span s, const char *name)
{
    return s.len == strlen(name) && strncasecmp(s.p, name, s.len) == 0;
}

// An IPv4 literal of four decimal numbers, nothing else: no octal, no shorthand.
static bool ipv4(struct span s, uint8_t ip[4])
{
    for (int i = 0; i < 4; i++) {
        struct span part = s;
        struct span rest = cut(&part, '.');
        uint64_t n;
        bool last = part.len == s.len;
        if (last != (i == 3) || part.len > 3 || !tl_read_number(part.p, part.len, 255, &n))
            return false;
        ip[i] = (uint8_t)n;
        s = rest;
    }
    return true;
}

// "IN IP4 192.0.2.1": what is no IPv4 unicast literal leaves the address unset, so that only the medium
// that needs it fails.
static void read_address(struct span line, struct tl_addr *out)
{
    memset(out, 0, sizeof *out);
    struct span net = word(&line), type = word(&line), host = word(&line);
    uint8_t ip[4];
    if (!is(net, "IN") || !is(type, "IP4") || !ipv4(host, ip) || ip[0] >= 224)
        return;
    if (ip[0] == 0 &&
        (ip[1] || ip[2] || ip[3])) // "this network": nobody's address, and not the hold of RFC 2543
        return;
    out->family = TL_AF_INET;
    memcpy(out->ip, ip, sizeof ip);
}

static uint32_t media_bit(const struct reader *r)
{
    return UINT32_C(1) << (r->media - r->sdp->media);
}

static void read_connection(struct reader *r, struct span line)
{
    struct tl_addr *addr = r->media ? &r->media->addr : &r->addr;
    if (r->media && r->own_addr & media_bit(r))
        return; // several c= lines are layers of a multicast: the first counts
    if (r->media)
        r->own_addr |= media_bit(r);
    read_address(line, addr);
    if (!addr->family)
        note(r, SDP_ODD_connection);
}

static void read_origin(struct reader *r, struct span line)
{
    word(&line);
    r->sdp->session_id = str_of(r, word(&line));
    r->sdp->version = str_of(r, word(&line));
}

static enum sdp_proto proto_of(struct span s)
{
    static const struct {
        const char *name;
        enum sdp_proto proto;
    } known[] = {{"RTP/AVP", SDP_PROTO_AVP},
                 {"RTP/SAVP", SDP_PROTO_SAVP},
                 {"RTP/AVPF", SDP_PROTO_AVPF},
                 {"RTP/SAVPF", SDP_PROTO_SAVPF}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is(s, known[i].name))
            return known[i].proto;
    return SDP_PROTO_OTHER;
}

static void read_formats(struct reader *r, struct span line)
{
    struct sdp_media *m = r->media;
    for (struct span w = word(&line); w.len > 0; w = word(&line)) {
        uint64_t pt;
        bool known = false;
        if (!tl_read_number(w.p, w.len, 127, &pt)) {
            note(r, SDP_ODD_format);
            continue;
        }
        for (unsigned i = 0; i < m->format_count; i++)
            known |= m->format[i].pt == pt;
        if (known)
            continue;
        if (m->format_count == SDP_FORMAT_MAX)
            note(r, SDP_ODD_formats);
        else
            m->format[m->format_count++] = (struct sdp_format){.pt = (uint8_t)pt, .channels = 1};
    }
}

// One that cannot be read keeps its place, for the answer has as many media as the offer (RFC 3264 6).
static int read_media(struct reader *r, struct span line)
{
    if (r->sdp->media_count == SDP_MEDIA_MAX) {
        r->why = "the SDP has more than 32 m= lines";
        return -E2BIG;
    }
    struct sdp_media *m = r->media = &r->sdp->media[r->sdp->media_count++];
    *m = (struct sdp_media){.direction = SDP_SENDRECV};
    if (memchr(line.p, 0, line.len)) {
        note(r, SDP_ODD_media);
        return 0;
    }
    struct span kind = word(&line), port = word(&line), proto = word(&line);
    struct span count = cut(&port, '/');
    uint64_t n = 0;
    m->kind = str_of(r, kind);
    m->proto_text = str_of(r, proto);
    line = trim(line);
    m->fmt_text = str_of(r, line);
    if (kind.len == 0 || proto.len == 0 || !tl_read_number(port.p, port.len, 65535, &n)) {
        note(r, SDP_ODD_media);
        return 0;
    }
    r->readable |= media_bit(r);
    m->port = (uint16_t)n;
    if (count.p != port.p + port.len && !tl_read_number(count.p, count.len, 65535, &n))
        note(r, SDP_ODD_ports);
    m->proto = (uint8_t)proto_of(proto);
    m->audio = is(kind, "audio");
    if (m->proto != SDP_PROTO_OTHER) // the format list of other protocols is not made of payload types
        read_formats(r, line);
    return 0;
}

static struct sdp_format *format_by_pt(struct sdp_media *m, uint64_t pt)
{
    for (unsigned i = 0; i < m->format_count; i++)
        if (m->format[i].pt == pt)
            return &m->format[i];
    return NULL;
}

static void read_rtpmap(struct reader *r, struct span value)
{
    struct span pt = word(&value), name = word(&value);
    struct span rate = cut(&name, '/');
    struct span channels = cut(&rate, '/');
    uint64_t n, hz = 0, ch = 1;
    if (!tl_read_number(pt.p, pt.len, 127, &n) || name.len == 0 ||
        !tl_read_number(rate.p, rate.len, UINT32_MAX, &hz) || hz == 0 ||
        (channels.len > 0 && (!tl_read_number(channels.p, channels.len, 255, &ch) || ch == 0))) {
        note(r, SDP_ODD_rtpmap);
        return;
    }
    struct sdp_format *f = format_by_pt(r->media, n);
    if (f && f->name.len == 0) {
        f->name = str_of(r, name);
        f->rate = (uint32_t)hz;
        f->channels = (uint8_t)ch;
    }
}

static void read_fmtp(struct reader *r, struct span value)
{
    struct span pt = word(&value);
    uint64_t n;
    if (!tl_read_number(pt.p, pt.len, 127, &n)) {
        note(r, SDP_ODD_fmtp);
        return;
    }
    struct sdp_format *f = format_by_pt(r->media, n);
    if (f)
        f->fmtp = str_of(r, trim(value));
}

static void read_rtcp(struct reader *r, struct span value)
{
    struct span port = word(&value);
    struct tl_addr addr = {0};
    uint64_t n;
    if (!tl_read_number(port.p, port.len, 65535, &n)) {
        note(r, SDP_ODD_rtcp);
        return;
    }
    if (n == 0)
        return; // disabled with the medium
    value = trim(value);
    if (value.len > 0) {
        read_address(value, &addr);
        if (!addr.family) {
            note(r, SDP_ODD_rtcp);
            return;
        }
        r->rtcp_plain &= ~media_bit(r);
    } else {
        r->rtcp_plain |= media_bit(r);
    }
    r->media->rtcp = addr;
    r->media->rtcp.port = (uint16_t)n;
}

// A hint only, so what is no number is as good as absent.
static void read_packet_time(struct span value, uint16_t *out)
{
    uint64_t ms;
    value = trim(value);
    if (tl_read_number(value.p, value.len, UINT16_MAX, &ms))
        *out = (uint16_t)ms;
}

static void read_direction(struct reader *r, int direction)
{
    if (!r->media) {
        r->direction = direction;
    } else if (!(r->own_direction & media_bit(r))) {
        r->own_direction |= media_bit(r);
        r->media->direction = (uint8_t)direction;
    }
}

// Keeps a line that is on the list of what may pass. `value` is what stands behind its colon.
static void pass_line(struct reader *r, struct span name, struct span value, bool bandwidth)
{
    struct sdp_media *m = r->media;
    if (!m || !m->audio) // only the audio has a counterpart on the other side
        return;
    int kind = sdp_pass_find(name.p, name.len, bandwidth);
    value = trim(value);
    if (kind < 0) {
        note(r, SDP_ODD_kept);
    } else if (!sdp_pass_harmless((enum tl_sdp_pass)kind, value.p, value.len)) {
        note(r, SDP_ODD_value);
    } else if (m->pass_count == SDP_PASS_MAX) {
        note(r, SDP_ODD_passes);
    } else {
        m->pass_kind[m->pass_count] = (uint8_t)kind;
        m->pass[m->pass_count++] = str_of(r, value);
    }
}

static void read_crypto(struct reader *r, struct span value)
{
    struct sdp_media *m = r->media;
    if (m->crypto_count == SDP_CRYPTO_MAX)
        note(r, SDP_ODD_cryptos);
    else
        m->crypto[m->crypto_count++] = str_of(r, trim(value));
}

static void read_attribute(struct reader *r, struct span value)
{
    static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    struct span name = value;
    value = cut(&name, ':');
    name = trim(name);
    for (int d = 0; d < 4; d++)
        if (is(name, directions[d])) {
            read_direction(r, d);
            return;
        }
    if (!r->media)
        return;
    bool rtp = r->media->proto != SDP_PROTO_OTHER;
    if (is(name, "ptime"))
        read_packet_time(value, &r->media->ptime);
    if (is(name, "maxptime"))
        read_packet_time(value, &r->media->maxptime);
    if (is(name, "rtpmap") && rtp)
        read_rtpmap(r, value);
    else if (is(name, "fmtp") && rtp)
        read_fmtp(r, value);
    else if (is(name, "rtcp"))
        read_rtcp(r, value);
    else if (is(name, "rtcp-mux"))
        r->media->rtcp_mux = true;
    else if (is(name, "crypto"))
        read_crypto(r, value);
    else if (name.len > 0)
        pass_line(r, name, value, false);
}

static void read_bandwidth(struct reader *r, struct span value)
{
    struct span name = value;
    value = cut(&name, ':');
    pass_line(r, trim(name), value, true);
}

static int read_line(struct reader *r, struct span line)
{
    if (line.len == 0)
        return 0;
    bool shaped = line.len >= 2 && line.p[1] == '=';
    struct span value = {line.p + 2, shaped ? line.len - 2 : 0};
    if (shaped && line.p[0] == 'm')
        return read_media(r, value);
    if (!shaped || memchr(line.p, 0, line.len)) {
        note(r, SDP_ODD_line);
        return 0;
    }
    switch (line.p[0]) {
    case 'v':
        if (is(trim(value), "0"))
            return 0;
        r->why = "the SDP has a v= line that is not 0";
        return -EINVAL;
    case 'o':
        read_origin(r, value);
        break;
    case 'c':
        read_connection(r, value);
        break;
    case 'a':
        read_attribute(r, value);
        break;
    case 'b':
        read_bandwidth(r, value);
        break;
    default:
        break;
    }
    return 0;
}

// Media take over what the session said, and RTCP its medium's address, once all lines are read.
static void inherit(struct reader *r)
{
    for (unsigned i = 0; i < r->sdp->media_count; i++) {
        struct sdp_media *m = &r->sdp->media[i];
        if (!(r->own_addr >> i & 1))
            m->addr = r->addr;
        if (!(r->own_direction >> i & 1) && r->direction >= 0)
            m->direction = (uint8_t)r->direction;
        if (r->rtcp_plain >> i & 1) {
            uint16_t port = m->rtcp.port;
            m->rtcp = m->addr;
            m->rtcp.port = m->addr.family ? port : 0;
        }
    }
}

int sdp_parse(struct sdp *out, const char *text, size_t len, const char **why)
{
    struct reader r = {.sdp = out, .text = text, .direction = -1};
    int rc = 0;
    memset(out, 0, offsetof(struct sdp, media)); // each medium when it begins: together they are large
    if (len > SDP_BYTES_MAX) {
        r.why = "the SDP is longer than 16,384 bytes";
        rc = -E2BIG;
    }
    for (size_t at = 0; rc == 0 && at < len;) {
        struct span line = {text + at, 0};
        while (at + line.len < len && line.p[line.len] != '\n' && line.p[line.len] != '\r')
            line.len++;
        at += line.len + 1;
        rc = read_line(&r, line);
    }
    if (rc == 0 && out->media_count > 0 && !r.readable) {
        r.why = "no m= line of the SDP has medium, port 0..65535 and protocol";
        rc = -EINVAL;
    }
    if (rc == 0)
        inherit(&r);
    if (why)
        *why = rc < 0 ? r.why : NULL;
    return rc;
}

void sdp_count(struct sdp_counters *sums, const struct sdp *sdp, int result)
{
    if (result < 0)
        sums->refused++;
    else
        sums->parsed++;
    for (int i = 0; i < SDP_ODD_COUNT; i++)
        sums->odd[i] += sdp->odd[i];
}

static const struct {
    const char *name, *text;
} odds[] = {
#define X(name, text) {#name, text},
    SDP_ODDITIES(X)
#undef X
};

const char *sdp_odd_name(enum sdp_odd odd)
{
    return odds[odd].name;
}

const char *sdp_odd_text(enum sdp_odd odd)
{
    return odds[odd].text;
}
