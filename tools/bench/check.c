// SPDX-License-Identifier: BSD-3-Clause
// The correctness gate: no figure without it. Every packet that comes out is the one that went in (the mbuf
// says which), has the right headers, comes in the order of its stream, and once; one in SAMPLE is compared
// byte by byte, opened by libsrtp2 where it is SRTP; and the live table says the same of every stream.
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "dataplane/session/g711.h"
#include "tools/bench/bench.h"

enum { SAMPLE = 512, PT_PCMU = 0 };

bool verdict_right(const struct verdict *v)
{
    return v->wrong + v->out_of_order + v->unexpected + v->missing + v->counters == 0;
}

void verdict_add(struct verdict *to, const struct verdict *v)
{
    to->sent += v->sent;
    to->passed += v->passed;
    to->dropped += v->dropped;
    to->wrong += v->wrong;
    to->out_of_order += v->out_of_order;
    to->unexpected += v->unexpected;
    to->missing += v->missing;
    to->counters += v->counters;
    to->sampled += v->sampled;
    to->by_libsrtp += v->by_libsrtp;
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        to->drops[i] += v->drops[i];
}

static unsigned tag_len(unsigned suite)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    return info ? info->rtp_tag : 0;
}

// The packet as the far side must find it once it is opened.
static unsigned expected(const struct bench *b, const struct set *s, const struct sent *sent, uint8_t *out)
{
    unsigned len = traffic_plain(b, s, sent->stream, sent->index, out);
    if (s->arm->a_to_u) {
        out[1] = PT_PCMU;
        g711_a_to_u(out + RTP_HEADER, len - RTP_HEADER);
    }
    return len;
}

// What the remote side sent, made once more: libsrtp2 must open it, too.
static bool remote_side_right(const struct bench *b, const struct set *s, const struct sent *sent,
                              struct verdict *v)
{
    uint8_t want[PACKET_ROOM], got[PACKET_ROOM];
    struct tl_crypto c = set_crypto(s, sent->number, false);
    unsigned len = traffic_plain(b, s, sent->stream, sent->index, want);
    memcpy(got, want, len);
    struct srtp_op op = {.key = s->sender[sent->number],
                         .pkt = got,
                         .index = sent->index,
                         .ssrc = sent->ssrc,
                         .len = len,
                         .hdr_len = RTP_HEADER,
                         .room = SRTP_TAILROOM};
    srtp_protect(s->lane->srtp, &op, 1);
    v->by_libsrtp++;
    return op.status == SRTP_OK &&
           oracle_open(&c, sent->ssrc, (uint32_t)(sent->index >> 16), got, op.len) == len &&
           memcmp(got, want, len) == 0;
}

// Byte by byte. False: it is not what went in.
static bool look_inside(const struct bench *b, const struct set *s, const struct sent *sent,
                        const uint8_t *rtp, unsigned len, struct verdict *v)
{
    uint8_t want[PACKET_ROOM], got[PACKET_ROOM];
    struct tl_crypto c = set_crypto(s, sent->number, true);
    unsigned want_len = expected(b, s, sent, want);
    v->sampled++;
    if (len > sizeof got)
        return false;
    memcpy(got, rtp, len);
    if (c.suite != TL_SUITE_NONE) {
        v->by_libsrtp++;
        len = oracle_open(&c, sent->stream->ssrc, (uint32_t)(sent->index >> 16), got, len);
    }
    return len == want_len && memcmp(got, want, len) == 0 &&
           (!s->sender[sent->number] || remote_side_right(b, s, sent, v));
}

// Headers of what the engine sent.
static bool headers_right(const struct stream *st, const struct rte_mbuf *m, unsigned len)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
    const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
    unsigned side = st->side ^ 1;
    uint8_t mac[6];
    place_remote_mac(mac, side, ip->dst_addr);
    return memcmp(&eth->dst_addr, mac, 6) == 0 && ip->src_addr == place_media_ip(side, st->realm) &&
           ip->dst_addr == place_remote_ip(side, st->realm, st->remote) &&
           udp->dst_port == rte_cpu_to_be_16(st->out_port) && m->data_len == FRAME_HEADER + len &&
           udp->dgram_len == rte_cpu_to_be_16(sizeof *udp + len);
}

// SSRC and sequence number: of the packet that this mbuf went in with.
static bool rtp_right(const struct sent *sent, const uint8_t *rtp)
{
    uint32_t ssrc;
    memcpy(&ssrc, rtp + 8, 4);
    return rtp[2] == (uint8_t)(sent->index >> 8) && rtp[3] == (uint8_t)sent->index &&
           rte_be_to_cpu_32(ssrc) == sent->stream->ssrc;
}

static void look_at(const struct bench *b, const struct set *s, struct sent *sent, const struct rte_mbuf *m,
                    struct verdict *v)
{
    struct stream *st = sent->stream;
    const uint8_t *rtp = rte_pktmbuf_mtod(m, const uint8_t *) + FRAME_HEADER;
    bool engine = s->arm->kind == ARM_ENGINE, swap = s->arm->kind == ARM_SWAP;
    unsigned len = swap ? sent->len : sent->len - tag_len(st->suite_in) + tag_len(st->suite_out);
    if (!sent->pass) { // or it came out twice
        v->unexpected++;
        return;
    }
    sent->pass = 0;
    v->passed++;
    st->passed++;
    if ((engine && !headers_right(st, m, len)) || m->data_len != FRAME_HEADER + len || !rtp_right(sent, rtp))
        v->wrong++;
    else if (v->passed % SAMPLE == 0 && !look_inside(b, s, sent, rtp, len, v))
        v->wrong++;
    if (sent->serial <= st->last_serial)
        v->out_of_order++;
    st->last_serial = sent->serial;
}

static void collect(struct bench *b, struct set *s, struct verdict *v)
{
    struct lane *l = s->lane;
    struct rte_mbuf *m;
    for (unsigned side = 0; side < SIDES; side++) {
        while (rte_ring_dequeue(l->in[side], (void **)&m) == 0) // never taken in: the round was given up
            rte_pktmbuf_free(m);
        while (rte_ring_dequeue(l->out[side], (void **)&m) == 0) {
            if (m->pool != l->pool) {
                place_arp(b, side, m);
                continue;
            }
            look_at(b, s, sent_of(l, m), m, v);
            l->mbuf[l->idle++] = m;
        }
    }
}

void check_round(struct bench *b, struct set *s, unsigned n, struct verdict *v)
{
    struct lane *l = s->lane;
    v->sent += n;
    switch (s->arm->kind) {
    case ARM_ENGINE:
    case ARM_SWAP:
        collect(b, s, v);
        break;
    case ARM_RAW:
    case ARM_OWN:
    case ARM_LIBRE:
    case ARM_PROTECT:
        for (unsigned i = 0; i < n; i++)
            look_at(b, s, sent_of(l, l->mbuf[i]), l->mbuf[i], v);
        break;
    case ARM_NULL:
        v->passed += n;
        break;
    }
}

// The sets of a dataplane run one after the other, so what the worker dropped since the last look is this
// one's.
static void take_drops(struct bench *b, struct lane *l, struct verdict *v)
{
    struct tl_worker_snapshot worker;
    if (tl_live_read_worker(tl_client_live(b->client), l->id, &worker))
        die("the live table has no worker %u", l->id);
    for (unsigned i = 0; i < TL_DROP_COUNT; i++) {
        uint64_t n = worker.drops[i] - l->drops_seen[i];
        l->drops_seen[i] = worker.drops[i];
        v->drops[i] += n;
        v->dropped += n;
    }
}

void check_counters(struct bench *b, struct set *s, struct verdict *v)
{
    const struct tl_live_view *live = tl_client_live(b->client);
    struct tl_session_snapshot session;
    if (s->arm->kind != ARM_ENGINE) {
        v->missing += v->sent - v->passed;
        return;
    }
    take_drops(b, s->lane, v);
    v->missing += v->sent - v->passed > v->dropped ? v->sent - v->passed - v->dropped
                                                   : v->dropped - (v->sent - v->passed);
    for (unsigned i = 0; i < s->sessions; i++) {
        if (tl_live_read(live, &s->handle[i], &session)) {
            v->counters++;
            continue;
        }
        for (unsigned side = 0; side < SIDES && i * SIDES + side < s->streams; side++) {
            const struct stream *st = &s->stream[i * SIDES + side];
            const struct tl_leg_counters *in = &session.leg[side].counters;
            const struct tl_leg_counters *out = &session.leg[side ^ 1].counters;
            if (in->rx_packets + in->drops != st->sent || out->tx_packets != st->passed ||
                in->rx_packets != st->passed)
                v->counters++;
        }
    }
}
