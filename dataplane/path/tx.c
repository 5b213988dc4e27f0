// SPDX-License-Identifier: BSD-3-Clause
// packet path: headers of our own around what the stages made, and out by the port. Checksums are always made
// anew, by the device where it can.
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/path/checksum.h"
#include "dataplane/path/stages.h"

enum {
    HEADER_LEN = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
    IP_HEADERS = sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
    MEDIA_TOS = 46 << 2, // expedited forwarding: what RFC 4594 4.1 asks for telephony
    MEDIA_TTL = 64,
    // the words of the IPv4 header that are the same in each packet, for its checksum
    IP_WORDS = (RTE_IPV4_VHL_DEF << 8 | MEDIA_TOS) + RTE_IPV4_HDR_DF_FLAG + (MEDIA_TTL << 8 | IPPROTO_UDP),
};
static_assert(HEADER_LEN == 42, "headers are written as five words of 8 bytes and one of 4");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "in memory order from the lowest byte");

#define SUMS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM)

// Version and TOS, id 0 (RFC 6864 4.1) and DF around the length; TTL and protocol before the checksum, which
// is 0, and the source.
#define IP_FIRST  ((RTE_IPV4_VHL_DEF | MEDIA_TOS << 8) | (uint64_t)RTE_BE16(RTE_IPV4_HDR_DF_FLAG) << 48)
#define IP_SECOND (MEDIA_TTL | IPPROTO_UDP << 8)

// One port's part of what a turn sends: what all its headers share, and its frames.
struct way {
    const struct port_realm *realm; // of the port
    uint64_t source;                // our MAC and the type
    uint64_t tx_flags;              // likewise
    uint16_t id;
    uint16_t len_max;       // of UDP payload
    bool software;          // a checksum is left to us
    struct rte_mbuf **next; // place in m
    struct rte_mbuf *m[WORKER_PACKETS];
};

static __rte_noinline void open_way(struct way *way, const struct port *port)
{
    way->realm = port->realm;
    way->source = (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 48;
    memcpy(&way->source, port->mac.addr_bytes, sizeof port->mac.addr_bytes);
    way->tx_flags = port->tx_flags;
    way->id = port->id;
    way->len_max = port->frame_max - HEADER_LEN;
    way->software = (port->tx_flags & SUMS) != SUMS;
    way->next = way->m;
}

static inline bool own_rtcp_port(const struct leg_terms *t)
{
    return !(t->flags & TL_LEG_RTCP_MUX);
}

static inline uint32_t next_hop(const struct leg_terms *t, bool rtcp)
{
    return rtcp && own_rtcp_port(t) ? t->rtcp_hop : t->rtp_hop;
}

static inline void store64(uint8_t *d, uint64_t v)
{
    memcpy(d, &v, sizeof v);
}

// Sums that the device does not make. `route`: destination's address and both ports.
static __rte_noinline void make_sums(const struct packet *p, uint64_t tx_flags, uint32_t src_ip,
                                     uint64_t route)
{
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(p->data - IP_HEADERS);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint16_t ip_len = rte_cpu_to_be_16((uint16_t)(IP_HEADERS + p->len));
    uint16_t udp_len = rte_cpu_to_be_16((uint16_t)(sizeof *udp + p->len));
    uint64_t addresses = (uint64_t)src_ip + (uint32_t)route;
    if (!(tx_flags & RTE_MBUF_F_TX_IP_CKSUM))
        ip->hdr_checksum = ~checksum_fold(addresses + ip_len + RTE_BE16(IP_WORDS % UINT16_MAX));
    if (tx_flags & RTE_MBUF_F_TX_UDP_CKSUM)
        return;
    // pseudo header with the length a second time, header, data
    uint64_t sum = addresses + RTE_BE16(IPPROTO_UDP) + udp_len + (route >> 32) + udp_len;
    uint16_t made = ~checksum_fold(checksum_data(sum, p->data, p->len));
    udp->dgram_cksum = made ? made : UINT16_MAX;
}

// Writes the headers before the data; `neighbour` has the destination's MAC in its low 6 bytes. They were
// received with headers at least as long in front.
static __rte_always_inline void write_headers(uint8_t *frame, unsigned len, uint64_t neighbour,
                                              uint64_t source, uint32_t src_ip, uint64_t route)
{
    // both lengths in network byte order: UDP's in the low half, IPv4's in the high one
    uint32_t lens = __builtin_bswap32(len * 0x10001 +
                                      ((uint32_t)sizeof(struct rte_udp_hdr) << 16 | (uint32_t)IP_HEADERS));
    uint32_t udp_len = lens & UINT16_MAX;
    // the pseudo header's sum, for a device that does the rest
    uint32_t sum = checksum_add32(src_ip, (uint32_t)route);
    sum = checksum_halves(checksum_add32(sum, RTE_BE16(IPPROTO_UDP) + udp_len));
    uint32_t end = (sum & ~(uint32_t)UINT16_MAX) | udp_len;

    store64(frame, neighbour); // its two bytes behind the MAC are written over at once
    store64(frame + 6, source);
    store64(frame + 14, IP_FIRST | (lens & ~(uint32_t)UINT16_MAX));
    store64(frame + 22, IP_SECOND | (uint64_t)src_ip << 32);
    store64(frame + 30, route);
    memcpy(frame + 38, &end, sizeof end);
}

static inline void describe(struct rte_mbuf *m, const uint8_t *frame, unsigned len, const struct way *way)
{
    m->tx_offload =
        rte_mbuf_tx_offload(sizeof(struct rte_ether_hdr), sizeof(struct rte_ipv4_hdr), 0, 0, 0, 0, 0);
    m->ol_flags = (m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | way->tx_flags;
    m->data_off = (uint16_t)(frame - (const uint8_t *)m->buf_addr);
    m->data_len = len;
    m->pkt_len = len;
    m->port = way->id;
}

// What is not sent after all is taken back.
static void count_unsent(const struct packet *p)
{
    unsigned to = p->leg ^ 1;
    if (p->kind == PACKET_RTCP) {
        count32(&p->live->tx_rtcp[to], -1);
        return;
    }
    count64(&p->live->tx[to].packets, -1);
    count64(&p->live->tx[to].octets, -(uint64_t)p->len);
}

static inline void count_sent(const struct packet *p, bool rtcp, unsigned to, unsigned len)
{
    if (rtcp) {
        count32(&p->live->tx_rtcp[to], 1);
        return;
    }
    struct tl_live_tx *live = HELD(&p->live->tx[to]);
    count64(&live->packets, 1);
    count64(&live->octets, len);
}

// For a packet whose next hop is not there: it waits for it, counted as sent because the leg is not known
// when the answer comes, or is dropped.
static __rte_noinline void wait_or_drop(struct worker *w, struct packet *p)
{
    uint32_t hop = next_hop(&p->session->leg[p->leg ^ 1].terms, p->kind == PACKET_RTCP);
    enum tl_drop reason = neigh_wait(&w->neigh, p->m, hop);
    if (reason == TL_DROP_COUNT)
        return;
    count_unsent(p);
    packet_drop(w, p, reason);
}

// Finishes a packet for the leg `to` and puts it with what goes its way; `rtcp` is a constant.
static inline __attribute__((always_inline)) void finish(struct worker *w, const struct neigh_table *neigh,
                                                         struct packet *p, unsigned to,
                                                         const struct leg_terms *t, struct way *way,
                                                         bool rtcp)
{
    unsigned len = p->len;
    if (unlikely(len > way->len_max)) {
        packet_drop(w, p, TL_DROP_too_long);
        return;
    }
    uint32_t src_ip = way->realm[t->realm].ip;
    uint64_t record = neigh_load(neigh, next_hop(t, rtcp));
    uint64_t route = terms_rtp_route(t);
    if (rtcp && own_rtcp_port(t))
        route = t->rtcp_ip | (uint64_t)(t->local_port | RTE_BE16(1)) << 32 | (uint64_t)t->rtcp_port << 48;
    struct rte_mbuf *m = p->m;
    uint8_t *frame = HELD(p->data - HEADER_LEN);
    write_headers(frame, len, record, way->source, src_ip, route);
    describe(m, frame, HEADER_LEN + len, way);
    if (unlikely(way->software))
        make_sums(p, way->tx_flags, src_ip, route);
    count_sent(p, rtcp, to, len);
    if (likely(record & NEIGH_VALID))
        *way->next++ = m;
    else
        wait_or_drop(w, p);
}

static __rte_noinline void finish_rtcp(struct worker *w, const struct neigh_table *neigh, struct packet *p,
                                       unsigned to, const struct leg_terms *t, struct way *way)
{
    finish(w, neigh, p, to, t, way, true);
}

// Drops what the driver did not take: m[0..n-1], which are packets of p[] in its order.
static __rte_noinline void drop_unsent(struct worker *w, struct packet *p, struct rte_mbuf **m, unsigned n,
                                       enum tl_drop reason)
{
    for (unsigned i = 0; i < n; i++) {
        while (p->m != m[i])
            p++;
        count_unsent(p);
        packet_drop(w, p, reason);
    }
}

void stage_tx(struct worker *w, struct packet *p, unsigned n)
{
    const struct neigh_table *neigh = w->engine->neigh;
    const struct packet *end = p + n;
    struct way ways[TL_PORTS_MAX];
    uint32_t open = 0; // bit per port that has a way
    for (struct packet *q = p; q < end; q++) {
        unsigned to = q->leg ^ 1;
        const struct leg_terms *t = &q->session->leg[to].terms;
        unsigned port = t->tx_port;
        struct way *way = HELD(&ways[port]);
        if (unlikely(!(open >> port & 1))) {
            open |= 1u << port;
            open_way(way, &w->engine->ports->port[port]);
        }
        if (likely(q->kind == PACKET_RTP))
            finish(w, neigh, q, to, t, way, false);
        else
            finish_rtcp(w, neigh, q, to, t, way);
    }
    // A next hop may have answered since this turn began: what waited for it goes first.
    worker_send_waiting(w);
    for (; open; open &= open - 1) {
        unsigned port = rte_bsf32(open);
        struct way *way = &ways[port];
        enum tl_drop reason = TL_DROP_tx_full;
        unsigned count = way->next - way->m, sent = worker_transmit(w, port, way->m, count, &reason);
        if (unlikely(sent < count))
            drop_unsent(w, p, &way->m[sent], count - sent, reason);
    }
}
