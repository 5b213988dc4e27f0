// SPDX-License-Identifier: BSD-3-Clause
// packet path: what may come in on a leg: the signalled source, not too much of it, and what looks like RTP
// or RTCP. Nothing but the loose bucket is written here.
#include <rte_byteorder.h>
#include <rte_prefetch.h>

#include "dataplane/stages.h"

enum {
    RTP_FIRST = 0x80,    // first byte of RTP without padding, extension and CSRC list
    RTCP_PT_FIRST = 192, // RFC 5761 4: what the second byte of RTCP may be
    RTCP_PT_LAST = 223,
    RTCP_MIN = 8,
    EXTENSION_HEADER = 4,
    DTLS_FIRST = 20, // RFC 7983: first bytes of what else comes to a media port
    DTLS_LAST = 63,
    STUN_LAST = 3,
    STUN_HEADER = 20,
    STUN_COOKIE = 0x2112a442, // RFC 5389 6
};

static bool is_rtcp(uint8_t second)
{
    return second >= RTCP_PT_FIRST && second <= RTCP_PT_LAST;
}

// RFC 3550 5.1: fixed header, CSRC list, extension. 0: they do not fit `len`.
static unsigned rtp_header_len(const uint8_t *d, unsigned len)
{
    unsigned header = SRTP_HEADER_MIN + 4 * (d[0] & 0xf);
    if (d[0] & 0x10) {
        if (header + EXTENSION_HEADER > len)
            return 0;
        header += EXTENSION_HEADER + 4 * (d[header + 2] << 8 | d[header + 3]);
    }
    return header > len ? 0 : header;
}

static uint32_t load32(const uint8_t *d)
{
    uint32_t v;
    memcpy(&v, d, sizeof v);
    return rte_be_to_cpu_32(v);
}

// What it is that is neither RTP nor RTCP. Reason to drop.
static unsigned other_kind(const uint8_t *d, unsigned len)
{
    if (len >= STUN_HEADER && d[0] <= STUN_LAST && load32(d + 4) == STUN_COOKIE)
        return TL_DROP_stun;
    if (len > 0 && d[0] >= DTLS_FIRST && d[0] <= DTLS_LAST)
        return TL_DROP_dtls;
    return TL_DROP_not_rtp;
}

// A source that is not the signalled one: is it even ourselves?
static unsigned stranger(const struct worker *w, const struct packet *p, unsigned reason)
{
    return ports_own_address(w->engine->ports, p->src_ip) ? TL_DROP_loop : reason;
}

// What is not plainly RTP on an RTP port: RTCP, an RTP header with more than its fixed part, something else.
// SRTP_OK or the reason to drop.
static __rte_noinline unsigned odd_kind(struct packet *p, const struct leg_terms *t)
{
    bool rtcp_port = portmap_entry_rtcp(p->entry);
    const uint8_t *d = p->data;
    if (p->len < 2 || d[0] >> 6 != 2)
        return other_kind(d, p->len);
    if (rtcp_port && !is_rtcp(d[1]))
        return TL_DROP_not_rtp;
    if (rtcp_port || (t->flags & TL_LEG_RTCP_MUX && is_rtcp(d[1]))) {
        if (p->len < RTCP_MIN)
            return TL_DROP_bad_rtcp;
        p->kind = PACKET_RTCP;
        p->ssrc = load32(d + 4);
        return SRTP_OK;
    }
    if (p->len < SRTP_HEADER_MIN)
        return TL_DROP_bad_rtp;
    p->header_len = rtp_header_len(d, p->len);
    if (p->header_len == 0)
        return TL_DROP_bad_rtp;
    p->kind = PACKET_RTP;
    p->ssrc = load32(d + 8);
    return SRTP_OK;
}

// Is it from where media was signalled? With RTCP mux nobody is signalled for the RTCP port; a source of
// zeroes is not that nobody.
static inline bool right_source(const struct packet *p, const struct leg_terms *t)
{
    if (likely(!portmap_entry_rtcp(p->entry)))
        return p->src_ip == t->rtp_ip && p->src_port == t->rtp_port;
    return p->src_ip == t->rtcp_ip && p->src_port == t->rtcp_port && t->rtcp_port != 0;
}

// Returns SRTP_OK or the reason to drop.
static inline unsigned admit(const struct worker *w, struct packet *p)
{
    const struct leg_terms *t = HELD(p->session->terms[p->leg]);
    if (unlikely(!(t->flags & TERMS_COMPLETE)))
        return stranger(w, p, TL_DROP_leg_incomplete);
    if (unlikely(!right_source(p, t)))
        return stranger(w, p, TL_DROP_wrong_source);
    if (unlikely(p->len > t->max_len))
        return TL_DROP_too_big;
    if (unlikely(!police_loose(&p->session->police[p->leg], &t->police, w->now_ns, p->len)))
        return TL_DROP_flood;

    const uint8_t *d = p->data;
    if (unlikely(portmap_entry_rtcp(p->entry) || p->len < SRTP_HEADER_MIN || d[0] != RTP_FIRST ||
                 is_rtcp(d[1])))
        return odd_kind(p, t);
    p->kind = PACKET_RTP;
    p->header_len = SRTP_HEADER_MIN;
    p->ssrc = load32(d + 8);
    return SRTP_OK;
}

// The head of p's session has arrived: asks for what admission reads.
static void prefetch_terms(const struct packet *p)
{
    const struct session *s = p->session;
    rte_prefetch0(s->terms[p->leg]);
    if (s->rx[p->leg]) {
        rte_prefetch0(s->rx[p->leg]);
        rte_prefetch0(p->live->rx_ssrc[p->leg]);
    }
}

// The packet is admitted: asks for what is written of it. Not before, so that a flood fetches nothing of it.
static inline void prefetch_rest(const struct packet *p, const struct leg_terms *in)
{
    const struct session *s = p->session;
    rte_prefetch0(s->terms[p->leg ^ 1]);
    rte_prefetch0(&s->leg[p->leg ^ 1]);
    rte_prefetch0(&p->live->rx[p->leg]);
    rte_prefetch0(p->live->tx);
    if (in->rx_key) {
        terms_prefetch_rx_key(in);
        packet_prefetch_payload(p);
    }
}

unsigned stage_admit(struct worker *w, struct packet *p, unsigned n)
{
    unsigned gone = 0;
    for (unsigned i = 0; i < n; i++)
        prefetch_terms(&p[i]);
    for (unsigned i = 0; i < n; i++) {
        unsigned verdict = admit(w, &p[i]);
        if (likely(verdict == SRTP_OK)) {
            prefetch_rest(&p[i], p[i].session->terms[p[i].leg]);
            continue;
        }
        packet_drop(w, &p[i], verdict);
        gone++;
    }
    return packets_close_up(p, n, gone);
}
