// SPDX-License-Identifier: BSD-3-Clause
// packet path: RTCP from one leg to the other. What one side calls a stream is not what the other calls it
// when the near side changed SSRC or jumped: names, sequence numbers and timestamps are mapped as RTP's are.
// In the common case nothing differs and nothing is written.

#include "common/bytes.h"
#include "dataplane/path/stages.h"

enum { SR = 200, RR = 201, SDES = 202, BYE = 203, APP = 204, RTPFB = 205, PSFB = 206 };

enum { HEADER = 4, SENDER_INFO = 20, REPORT = 24 };

struct mapping {
    // of the stream from this leg to the other one
    uint32_t sender; // SSRC that the other side knows it by
    bool sender_known;
    uint32_t ts_base;
    // of the stream from the other leg to this one, which this side reports on
    uint32_t reported; // as this side knows it
    uint32_t near;     // as the other side sent it
    bool reported_known;
    uint32_t base; // of extended sequence numbers
};

static struct mapping mapping_of(const struct session *s, unsigned leg)
{
    const struct leg *to = &s->leg[leg ^ 1], *from = &s->leg[leg];
    return (struct mapping){.sender = to->ssrc,
                            .sender_known = s->ssrc_state[leg ^ 1] != SSRC_NONE,
                            .ts_base = to->ts_base,
                            .reported = from->ssrc,
                            .near = from->tx.near_ssrc,
                            .reported_known = s->ssrc_state[leg] != SSRC_NONE && from->tx.near_known,
                            .base = from->base};
}

static void map_sender(const struct mapping *m, uint8_t *d)
{
    if (m->sender_known)
        tl_put32(d, m->sender);
}

// An SSRC of the stream that this side receives from us.
static bool map_reported(const struct mapping *m, uint8_t *d)
{
    if (!m->reported_known || tl_get32(d) != m->reported)
        return false;
    tl_put32(d, m->near);
    return true;
}

static void map_reports(const struct mapping *m, uint8_t *d, unsigned count)
{
    for (; count > 0; count--, d += REPORT)
        if (map_reported(m, d))
            tl_put32(d + 8, tl_get32(d + 8) - m->base);
}

// One packet of the compound, `len` bytes with its header. Returns whether its inner lengths fit.
static bool map_packet(const struct mapping *m, uint8_t *d, unsigned len)
{
    unsigned count = d[0] & 0x1f;
    switch (d[1]) {
    case SR:
        if (len < HEADER + 4 + SENDER_INFO + REPORT * count)
            return false;
        map_sender(m, d + 4);
        tl_put32(d + 16, tl_get32(d + 16) + m->ts_base);
        map_reports(m, d + 28, count);
        return true;
    case RR:
        if (len < HEADER + 4 + REPORT * count)
            return false;
        map_sender(m, d + 4);
        map_reports(m, d + 8, count);
        return true;
    case SDES: // only the first chunk can be found without walking its items; more belong to mixers
        if (count > 0 && len < HEADER + 8)
            return false;
        if (count > 0)
            map_sender(m, d + 4);
        return true;
    case BYE:
        if (len < HEADER + 4 * count)
            return false;
        if (count > 0)
            map_sender(m, d + 4);
        return true;
    case APP:
        if (len < HEADER + 8)
            return false;
        map_sender(m, d + 4);
        return true;
    case RTPFB:
    case PSFB:
        if (len < HEADER + 8)
            return false;
        map_sender(m, d + 4);
        map_reported(m, d + 8);
        return true;
    default: // XR and what is still to come: all begin with the sender's SSRC
        if (len < HEADER + 4)
            return false;
        map_sender(m, d + 4);
        return true;
    }
}

uint8_t relay_rtcp(const struct session *s, struct turns *turns, unsigned leg, uint8_t *data, unsigned len)
{
    if (len < HEADER + 4)
        return TL_DROP_bad_rtcp;
    struct mapping m = mapping_of(s, leg);
    const struct turn *turn = turns_of(turns, leg ^ 1, tl_get32(data + HEADER));
    if (turn && s->leg[leg ^ 1].tx.near_ssrc != turn->ssrc) // not the one that sends now
        m.ts_base = turn->ts_base;
    for (unsigned at = 0; at < len;) {
        uint8_t *d = data + at;
        if (len - at < HEADER || d[0] >> 6 != 2)
            return TL_DROP_bad_rtcp;
        unsigned size = HEADER + 4 * (tl_get16(d + 2));
        if (size > len - at)
            return TL_DROP_bad_rtcp;
        unsigned inner = size;
        if (d[0] & 0x20) { // RFC 3550 6.4.1: padding, only on the last one
            unsigned padding = d[size - 1];
            if (at + size != len || padding == 0 || padding % 4 != 0 || padding > size - HEADER)
                return TL_DROP_bad_rtcp;
            inner -= padding;
        }
        if (!map_packet(&m, d, inner))
            return TL_DROP_bad_rtcp;
        at += size;
    }
    return SRTP_OK;
}
