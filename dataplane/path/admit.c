// SPDX-License-Identifier: BSD-3-Clause
// packet path: what may come in on a leg: from the signalled source, what looks like RTP or RTCP, and not too
// much of it. Nothing but buckets is written here.
#include <rte_prefetch.h>

#include "common/bytes.h"
#include "dataplane/path/stages.h"

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
        header += EXTENSION_HEADER + 4 * tl_get16(d + header + 2);
    }
    return header > len ? 0 : header;
}

// What it is that is neither RTP nor RTCP. Reason to drop.
static unsigned other_kind(const uint8_t *d, unsigned len)
{
    if (len >= STUN_HEADER && d[0] <= STUN_LAST && tl_get32(d + 4) == STUN_COOKIE)
        return TL_DROP_stun;
    if (len > 0 && d[0] >= DTLS_FIRST && d[0] <= DTLS_LAST)
        return TL_DROP_dtls;
    return TL_DROP_not_rtp;
}

// A source that is not the signalled one: is it even ourselves?
static unsigned stranger(const struct worker *w, const struct packet *p, unsigned reason)
{
    return ports_own_address(w->engine->ports, packet_src_ip(p)) ? TL_DROP_loop : reason;
}

// Not the signalled source. Was it the one before?
static unsigned wrong_source(const struct worker *w, const struct packet *p)
{
    uint64_t route = p->route;
    if (portmap_entry_rtcp(p->entry)) { // RTP is a port lower on both sides
        uint8_t *port = (uint8_t *)&route + sizeof(uint32_t);
        tl_put16(port, (uint16_t)(tl_get16(port) - 1));
        tl_put16(port + 2, (uint16_t)(tl_get16(port + 2) - 1));
    }
    return former_has(&w->former, p->session->slot, p->leg, route) ? TL_DROP_former_source
                                                                   : TL_DROP_wrong_source;
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
        p->ssrc = tl_get32(d + 4);
        return SRTP_OK;
    }
    if (p->len < SRTP_HEADER_MIN)
        return TL_DROP_bad_rtp;
    p->header_len = rtp_header_len(d, p->len);
    if (p->header_len == 0)
        return TL_DROP_bad_rtp;
    p->kind = PACKET_RTP;
    p->ssrc = tl_get32(d + 8);
    return SRTP_OK;
}

// Is it from where media was signalled? With RTCP mux nobody is signalled for the RTCP port; a source of
// zeroes is not that nobody.
static bool right_source(const struct packet *p, const struct leg_terms *t)
{
    if (!portmap_entry_rtcp(p->entry))
        return p->route == terms_rtp_route(t);
    return packet_src_ip(p) == t->rtcp_ip && packet_src_port(p) == t->rtcp_port && t->rtcp_port != 0;
}

// Is it RTP without more than the fixed header? Then that is filled in. Not of an RTCP port.
static inline bool take_plain_header(struct packet *p)
{
    const uint8_t *d = p->data;
    if (unlikely(p->len < SRTP_HEADER_MIN || d[0] != RTP_FIRST || is_rtcp(d[1])))
        return false;
    p->kind = PACKET_RTP;
    p->header_len = SRTP_HEADER_MIN;
    p->ssrc = tl_get32(d + 8);
    return true;
}

// What is not usual, check by check. SRTP_OK or the reason to drop.
static __rte_noinline unsigned look_closely(const struct worker *w, struct packet *p,
                                            const struct leg_terms *t)
{
    if (!(t->flags & TERMS_COMPLETE))
        return stranger(w, p, TL_DROP_leg_incomplete);
    if (!right_source(p, t))
        return stranger(w, p, wrong_source(w, p));
    if (p->len > t->max_len)
        return TL_DROP_too_big;
    return !portmap_entry_rtcp(p->entry) && take_plain_header(p) ? SRTP_OK : odd_kind(p, t);
}

// Is it, like nearly all, an RTP packet without more than the fixed header, from the right source?
static inline bool is_usual(struct packet *p, const struct leg_terms *t)
{
    // RTP ports are even, so this is also no RTCP port's
    return likely(t->flags & TERMS_COMPLETE) && likely(p->route == terms_rtp_route(t)) &&
           likely(p->len <= t->max_len) && take_plain_header(p);
}

// Not too much of it: before authentication the loose bucket; without one, the stream's own at once, which
// for RTP hold less than the loose one does. SRTP_OK or the reason to drop.
static inline unsigned police(const struct packet *p, const struct leg_terms *t, struct police *words,
                              uint64_t now_ns)
{
    bool plain = !t->rx_key;
    if (plain && likely(p->kind == PACKET_RTP))
        return likely(police_own(words, &t->police, now_ns, p->len, true)) ? SRTP_OK : TL_DROP_over_rate;
    if (unlikely(!police_loose(words, &t->police, now_ns, p->len)))
        return TL_DROP_flood;
    return plain && !police_own(words, &t->police, now_ns, p->len, false) ? TL_DROP_over_rate : SRTP_OK;
}

// The packet is admitted: prefetches what is read and written of it. Not before, so that a flood fetches nothing.
// Not later, since keys are many lines.
static inline void prefetch_live(const struct packet *p)
{
    rte_prefetch0(&p->live->rx[p->leg]);
    rte_prefetch0(p->live->tx);
}

static __rte_noinline void prefetch_rx_key(const struct worker *w, const struct packet *p,
                                           const struct leg_terms *in)
{
    rte_prefetch0(p->session->rx[p->leg]);
    rte_prefetch0(p->live->rx_ssrc[p->leg]);
    srtp_key_prefetch(in->rx_key, in->flags & TERMS_RX_GCM ? w->gcm_lines : w->cm_lines);
}

static __rte_noinline void prefetch_tx_key(const struct worker *w, const struct leg_terms *out)
{
    srtp_key_prefetch(out->tx_key, out->flags & TERMS_TX_GCM ? w->gcm_lines : w->cm_lines);
}

// Drops what was refused: its counters were prefetched.
static __rte_noinline unsigned drop_refused(struct worker *w, struct packet *p, unsigned n, unsigned gone)
{
    for (struct packet *q = p; q < p + n; q++)
        if (q->verdict != SRTP_OK)
            packet_drop(w, q, q->verdict);
    return packets_close_up(p, n, gone);
}

unsigned stage_admit(struct worker *w, struct packet *p, unsigned n)
{
    const uint64_t now_ns = w->now_ns;
    unsigned gone = 0, rx_keys = 0, tx_keys = 0;
    for (struct packet *q = p; q < p + n; q++) {
        struct session *s = HELD(q->session);
        const struct leg_terms *in = HELD(&s->leg[q->leg].terms), *out = &s->leg[q->leg ^ 1].terms;
        unsigned verdict = likely(is_usual(q, in)) ? SRTP_OK : look_closely(w, q, in);
        if (likely(verdict == SRTP_OK))
            verdict = police(q, in, &s->police[q->leg], now_ns);
        q->verdict = (uint8_t)verdict;
        if (unlikely(verdict != SRTP_OK)) {
            packet_prefetch_drop(q, verdict);
            gone++;
            continue;
        }
        prefetch_live(q);
        if (in->rx_key) {
            prefetch_rx_key(w, q, in);
            rx_keys++;
        }
        if (out->tx_key) {
            prefetch_tx_key(w, out);
            tx_keys++;
        }
    }
    w->to_unprotect = rx_keys;
    w->to_protect = tx_keys;
    return likely(gone == 0) ? n : drop_refused(w, p, n, gone);
}
