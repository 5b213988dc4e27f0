// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdp/sdp.h"

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
    uint8_t own_addr;        // bit per medium that has its own c=
    uint8_t own_direction;   // bit per medium
    uint8_t rtcp_plain;      // bit per medium whose a=rtcp brings no address
};

int sdp_number(const char *s, size_t len, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (len == 0)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -EINVAL;
        unsigned digit = (unsigned)(s[i] - '0');
        if (digit > max || n > (max - digit) / 10)
            return -EINVAL;
        n = n * 10 + digit;
    }
    *out = n;
    return 0;
}

bool sdp_str_is(const char *text, struct sdp_str s, const char *name)
{
    return s.len == strlen(name) && strncasecmp(text + s.off, name, s.len) == 0;
}

static struct sdp_str str_of(const struct reader *r, struct span s)
{
    return (struct sdp_str){(uint16_t)(s.p - r->text), (uint16_t)s.len};
}

static int bad(struct reader *r, const char *why)
{
    r->why = why;
    return -EINVAL;
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
        if (last != (i == 3) || part.len > 3 || sdp_number(part.p, part.len, 255, &n) < 0)
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

static uint8_t media_bit(const struct reader *r)
{
    return (uint8_t)(1u << (r->media - r->sdp->media));
}

static int read_connection(struct reader *r, struct span line)
{
    if (!r->media) {
        read_address(line, &r->addr);
    } else if (!(r->own_addr &
                 media_bit(r))) { // several c= lines are layers of a multicast: the first counts
        r->own_addr |= media_bit(r);
        read_address(line, &r->media->addr);
    }
    return 0;
}

static int read_origin(struct reader *r, struct span line)
{
    word(&line);
    r->sdp->session_id = str_of(r, word(&line));
    r->sdp->version = str_of(r, word(&line));
    return 0;
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

static int read_formats(struct reader *r, struct span line)
{
    struct sdp_media *m = r->media;
    for (struct span w = word(&line); w.len > 0; w = word(&line)) {
        uint64_t pt;
        if (sdp_number(w.p, w.len, 127, &pt) < 0)
            return bad(r, "m= line with a payload type that is not 0..127");
        bool known = m->format_count == SDP_FORMAT_MAX;
        for (unsigned i = 0; i < m->format_count; i++)
            known |= m->format[i].pt == pt;
        if (!known)
            m->format[m->format_count++] = (struct sdp_format){.pt = (uint8_t)pt, .channels = 1};
    }
    return 0;
}

static int read_media(struct reader *r, struct span line)
{
    if (r->sdp->media_count == SDP_MEDIA_MAX) {
        r->why = "more than 8 m= lines";
        return -E2BIG;
    }
    struct sdp_media *m = r->media = &r->sdp->media[r->sdp->media_count++];
    struct span kind = word(&line), port = word(&line), proto = word(&line);
    struct span count = cut(&port, '/');
    uint64_t n = 0;
    if (kind.len == 0 || proto.len == 0 || sdp_number(port.p, port.len, 65535, &n) < 0)
        return bad(r, "m= line without medium, port 0..65535 and protocol");
    m->port = (uint16_t)n;
    if (count.p != port.p + port.len && sdp_number(count.p, count.len, 65535, &n) < 0)
        return bad(r, "m= line with a number of ports that is none");
    m->direction = SDP_SENDRECV;
    m->kind = str_of(r, kind);
    m->proto_text = str_of(r, proto);
    m->proto = (uint8_t)proto_of(proto);
    m->audio = is(kind, "audio");
    line = trim(line);
    m->fmt_text = str_of(r, line);
    // the format list of other protocols is not made of payload types
    return m->proto == SDP_PROTO_OTHER ? 0 : read_formats(r, line);
}

static struct sdp_format *format_by_pt(struct sdp_media *m, uint64_t pt)
{
    for (unsigned i = 0; i < m->format_count; i++)
        if (m->format[i].pt == pt)
            return &m->format[i];
    return NULL;
}

static int read_rtpmap(struct reader *r, struct span value)
{
    struct span pt = word(&value), name = word(&value);
    struct span rate = cut(&name, '/');
    struct span channels = cut(&rate, '/');
    uint64_t n, hz = 0, ch = 1;
    if (sdp_number(pt.p, pt.len, 127, &n) < 0)
        return bad(r, "a=rtpmap with a payload type that is not 0..127");
    if (name.len == 0 || sdp_number(rate.p, rate.len, UINT32_MAX, &hz) < 0 || hz == 0)
        return bad(r, "a=rtpmap without name and clock rate");
    if (channels.len > 0 && (sdp_number(channels.p, channels.len, 255, &ch) < 0 || ch == 0))
        return bad(r, "a=rtpmap with a number of channels that is not 1..255");
    struct sdp_format *f = format_by_pt(r->media, n);
    if (f && f->name.len == 0) {
        f->name = str_of(r, name);
        f->rate = (uint32_t)hz;
        f->channels = (uint8_t)ch;
    }
    return 0;
}

static int read_fmtp(struct reader *r, struct span value)
{
    struct span pt = word(&value);
    uint64_t n;
    if (sdp_number(pt.p, pt.len, 127, &n) < 0)
        return bad(r, "a=fmtp with a payload type that is not 0..127");
    struct sdp_format *f = format_by_pt(r->media, n);
    if (f)
        f->fmtp = str_of(r, trim(value));
    return 0;
}

static int read_rtcp(struct reader *r, struct span value)
{
    struct span port = word(&value);
    uint64_t n;
    if (sdp_number(port.p, port.len, 65535, &n) < 0)
        return bad(r, "a=rtcp with a port that is not 0..65535");
    if (n == 0)
        return 0; // disabled with the medium
    struct tl_addr *a = &r->media->rtcp;
    value = trim(value);
    if (value.len > 0) {
        read_address(value, a);
        if (!a->family)
            return 0;
        r->rtcp_plain &= (uint8_t)~media_bit(r);
    } else {
        r->rtcp_plain |= media_bit(r);
    }
    a->port = (uint16_t)n;
    return 0;
}

// A hint only, so what is no number is as good as absent.
static void read_packet_time(struct span value, uint16_t *out)
{
    uint64_t ms;
    value = trim(value);
    if (sdp_number(value.p, value.len, UINT16_MAX, &ms) == 0)
        *out = (uint16_t)ms;
}

static int read_direction(struct reader *r, int direction)
{
    if (!r->media) {
        r->direction = direction;
    } else if (!(r->own_direction & media_bit(r))) {
        r->own_direction |= media_bit(r);
        r->media->direction = (uint8_t)direction;
    }
    return 0;
}

// Attributes of the transport between the sender and us, and of media we don't relay: they end here.
static bool stays_here(struct span name)
{
    static const char *const names[] = {
        "acap",
        "acfg",
        "bundle-only",
        "cap",
        "candidate",
        "connection",
        "creq",
        "csup",
        "encryption",
        "extmap",
        "fingerprint",
        "group",
        "key-mgmt",
        "mid",
        "msid",
        "path",
        "pcfg",
        "rtcp-fb",
        "rtcp-rsize",
        "rtcp-mux-only",
        "rtcp-xr",
        "setup",
        "ssrc",
        "ssrc-group",
        "tcap",
        "x-bypassid",
        "x-candidate",
        "x-candidate-info",
        "x-mediasettings",
        "x-ssrc-range",
        "end-of-candidates",
        "remote-candidates",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is(name, names[i]))
            return true;
    return name.len >= 4 && strncasecmp(name.p, "ice-", 4) == 0;
}

static void pass_line(struct reader *r, struct span line)
{
    struct sdp_media *m = r->media;
    if (m && m->pass_count < SDP_PASS_MAX)
        m->pass[m->pass_count++] = str_of(r, line);
}

static int read_attribute(struct reader *r, struct span line, struct span value)
{
    static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    struct span name = value;
    value = cut(&name, ':');
    name = trim(name);
    for (int d = 0; d < 4; d++)
        if (is(name, directions[d]))
            return read_direction(r, d);
    if (!r->media)
        return 0;
    if (is(name, "rtpmap"))
        return r->media->proto == SDP_PROTO_OTHER ? 0 : read_rtpmap(r, value);
    if (is(name, "fmtp"))
        return r->media->proto == SDP_PROTO_OTHER ? 0 : read_fmtp(r, value);
    if (is(name, "rtcp"))
        return read_rtcp(r, value);
    if (is(name, "ptime"))
        read_packet_time(value, &r->media->ptime);
    if (is(name, "maxptime"))
        read_packet_time(value, &r->media->maxptime);
    if (is(name, "rtcp-mux")) {
        r->media->rtcp_mux = true;
    } else if (is(name, "crypto")) {
        if (r->media->crypto_count < SDP_CRYPTO_MAX)
            r->media->crypto[r->media->crypto_count++] = str_of(r, trim(value));
    } else if (name.len > 0 && !stays_here(name)) {
        pass_line(r, line);
    }
    return 0;
}

static int read_line(struct reader *r, struct span line)
{
    if (line.len < 2 || line.p[1] != '=')
        return 0; // no SDP line, so nothing of ours
    struct span value = {line.p + 2, line.len - 2};
    switch (line.p[0]) {
    case 'v':
        value = trim(value);
        return is(value, "0") ? 0 : bad(r, "v= line that is not 0");
    case 'o':
        return read_origin(r, value);
    case 'c':
        return read_connection(r, value);
    case 'm':
        return read_media(r, value);
    case 'a':
        return read_attribute(r, line, value);
    case 'b':
        pass_line(r, line);
        return 0;
    default:
        return 0;
    }
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
    memset(out, 0, sizeof *out);
    if (len > SDP_BYTES_MAX) {
        r.why = "body longer than 16,384 bytes";
        rc = -E2BIG;
    }
    for (size_t at = 0; rc == 0 && at < len;) {
        struct span line = {text + at, 0};
        while (at + line.len < len && line.p[line.len] != '\n' && line.p[line.len] != '\r')
            line.len++;
        at += line.len + 1;
        if (line.len > 0 && memchr(line.p, 0, line.len))
            rc = bad(&r, "a NUL byte");
        else
            rc = read_line(&r, line);
    }
    if (rc == 0)
        inherit(&r);
    if (why)
        *why = rc < 0 ? r.why : NULL;
    return rc;
}
