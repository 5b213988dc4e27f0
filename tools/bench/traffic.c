// SPDX-License-Identifier: BSD-3-Clause
// Packets of a set, as its remote sides send them: in a phase that is not timed. They are made and protected
// aside first and copied into the mbufs last, so that every arm finds its buffers equally warm.
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#include "tools/bench/bench.h"

enum { PT_PCMA = 8, LOSS_PER_MILLE = 10, REORDER_PER_MILLE = 1, TICKS = 160 };

// Where in the noise a packet's payload begins: each packet another place, repeatable.
static unsigned noise_at(const struct bench *b, uint32_t ssrc, uint64_t index)
{
    struct rng rng = {(uint64_t)ssrc << 32 ^ index};
    return rng_below(&rng, sizeof b->noise - PAYLOAD_MAX);
}

unsigned traffic_plain(const struct bench *b, const struct set *s, const struct stream *st, uint64_t index,
                       uint8_t *out)
{
    uint32_t ts = rte_cpu_to_be_32((uint32_t)index * TICKS), ssrc = rte_cpu_to_be_32(st->ssrc);
    out[0] = 0x80;
    out[1] = PT_PCMA;
    out[2] = index >> 8;
    out[3] = index;
    memcpy(out + 4, &ts, 4);
    memcpy(out + 8, &ssrc, 4);
    memcpy(out + RTP_HEADER, b->noise + noise_at(b, st->ssrc, index), s->payload);
    return RTP_HEADER + s->payload;
}

// The next index of a stream: 1 % are never sent, of 0.1 % the next one comes first.
static uint64_t next_index(struct set *s, struct stream *st)
{
    uint32_t dice = rng_below(&s->rng, 1000);
    if (st->late) {
        st->late = 0;
        st->index += 2;
        return st->index - 2;
    }
    if (dice < LOSS_PER_MILLE && st->sent > 0)
        st->index++;
    else if (dice < LOSS_PER_MILLE + REORDER_PER_MILLE && st->sent > 0) {
        st->late = 1;
        return st->index + 1;
    }
    return st->index++;
}

void traffic_headers(const struct stream *st, uint8_t *frame, unsigned len, uint16_t dst_port)
{
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint32_t src = place_remote_ip(st->side, st->realm, st->remote);
    place_port_mac(eth->dst_addr.addr_bytes, st->side);
    place_remote_mac(eth->src_addr.addr_bytes, st->side, src);
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    *ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
                                .total_length = rte_cpu_to_be_16(sizeof *ip + sizeof *udp + len),
                                .time_to_live = 64,
                                .next_proto_id = IPPROTO_UDP,
                                .src_addr = src,
                                .dst_addr = place_media_ip(st->side, st->realm)};
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    *udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(st->src_port),
                                .dst_port = rte_cpu_to_be_16(dst_port),
                                .dgram_len = rte_cpu_to_be_16(sizeof *udp + len)};
    udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

// Above the realms' ports.
uint16_t traffic_unknown_port(uint64_t number)
{
    return 65280 + 2 * (number % 128);
}

// Those that the dataplane dropped went back to the pool.
static void gather_mbufs(struct lane *l, unsigned n)
{
    while (l->idle < n) {
        l->mbuf[l->idle] = rte_pktmbuf_alloc(l->pool);
        if (!l->mbuf[l->idle++])
            die("packet buffers are lost");
    }
}

// The attack arm's kinds take turns.
static void next_refused(struct set *s)
{
    if (s->refused != REFUSED_NOT)
        s->refused = s->refused + 1 == REFUSED_COUNT ? REFUSED_TAG : s->refused + 1;
}

static void stage(struct bench *b, struct set *s, unsigned n)
{
    struct lane *l = s->lane;
    unsigned protect = 0;
    for (unsigned i = 0; i < n; i++) {
        struct stream *st = &s->stream[s->order[s->cursor]];
        s->cursor = s->cursor + 1 == s->streams ? 0 : s->cursor + 1;
        struct sent *sent = sent_of(l, l->mbuf[i]);
        uint8_t *rtp = l->staging + (size_t)i * PACKET_ROOM;
        next_refused(s);
        *sent = (struct sent){.stream = st,
                              .index = s->refused == REFUSED_REPLAY ? st->first : next_index(s, st),
                              .number = st - s->stream,
                              .ssrc = st->ssrc,
                              .refused = s->refused,
                              .pass = s->refused == REFUSED_NOT};
        if (s->refused != REFUSED_PORT) // which the live table counts nowhere near the stream
            sent->serial = ++st->sent;
        l->staged[i] = sent->len = traffic_plain(b, s, st, sent->index, rtp);
        struct srtp_key *key = s->sender[sent->number];
        if (key)
            l->ops[protect++] = (struct srtp_op){.key = key,
                                                 .pkt = rtp,
                                                 .index = sent->index,
                                                 .ssrc = st->ssrc,
                                                 .len = l->staged[i],
                                                 .hdr_len = RTP_HEADER,
                                                 .room = SRTP_TAILROOM,
                                                 .user = &l->staged[i]};
    }
    srtp_protect(l->srtp, l->ops, protect);
    for (unsigned i = 0; i < protect; i++) {
        if (l->ops[i].status != SRTP_OK)
            die("a packet cannot be protected");
        *(uint16_t *)l->ops[i].user = l->ops[i].len;
    }
}

void traffic_make(struct bench *b, struct set *s, unsigned n)
{
    struct lane *l = s->lane;
    bool rings = s->arm->kind == ARM_ENGINE || s->arm->kind == ARM_SWAP;
    gather_mbufs(l, n);
    stage(b, s, n);
    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *m = l->mbuf[i];
        struct sent *sent = sent_of(l, m);
        rte_pktmbuf_reset(m);
        m->data_len = FRAME_HEADER + l->staged[i];
        m->pkt_len = m->data_len;
        m->port = b->ethdev[sent->stream->side];
        if (!b->options.sums_in_software)
            m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        sent->len = l->staged[i];
        memcpy(rte_pktmbuf_mtod(m, uint8_t *) + FRAME_HEADER, l->staging + (size_t)i * PACKET_ROOM,
               l->staged[i]);
        if (sent->refused == REFUSED_TAG)
            rte_pktmbuf_mtod(m, uint8_t *)[m->data_len - 1] ^= 1;
        traffic_headers(sent->stream, rte_pktmbuf_mtod(m, uint8_t *), l->staged[i],
                        sent->refused == REFUSED_PORT ? traffic_unknown_port(i) : sent->stream->dst_port);
        if (rings && rte_ring_enqueue(l->in[sent->stream->side], m) != 0)
            die("the receive ring is full");
    }
    l->next = 0;
    if (rings)
        l->idle -= n;
    if (rings && l->idle > 0)
        memmove(l->mbuf, l->mbuf + n, l->idle * sizeof l->mbuf[0]);
}
