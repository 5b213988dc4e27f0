// SPDX-License-Identifier: BSD-3-Clause
// packet path: headers of our own around what the stages made, and out by the port. Checksums are always made
// anew, by the device where it can.
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/stages.h"

enum {
    HEADER_LEN = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
    MEDIA_TOS = 46 << 2, // expedited forwarding: what RFC 4594 4.1 asks for telephony
    MEDIA_TTL = 64,
    // the words of the IPv4 header that are the same in each packet, for its checksum
    IP_WORDS = (RTE_IPV4_VHL_DEF << 8 | MEDIA_TOS) + RTE_IPV4_HDR_DF_FLAG + (MEDIA_TTL << 8 | IPPROTO_UDP),
};
static_assert(HEADER_LEN == 42, "headers are written as five words of 8 bytes and the UDP checksum");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "in memory order from the lowest byte");

#define SUMS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM)

// Where a packet goes and comes from, all in network byte order.
struct target {
    uint32_t src_ip, ip;
    uint32_t ports; // source in the low half
    uint32_t hop;
};

static inline struct target target_of(const struct packet *p, const struct leg_terms *t,
                                      const struct port *port)
{
    struct target to = {
        .src_ip = port->realm[t->realm].ip, .ip = t->rtp_ip, .ports = t->local_port, .hop = t->rtp_hop};
    uint16_t dst_port = t->rtp_port;
    if (p->kind == PACKET_RTCP && !(t->flags & TL_LEG_RTCP_MUX)) {
        to.ip = t->rtcp_ip;
        to.ports |= RTE_BE16(1);
        to.hop = t->rtcp_hop;
        dst_port = t->rtcp_port;
    }
    to.ports |= (uint32_t)dst_port << 16;
    return to;
}

static inline void store64(uint8_t *d, uint64_t v)
{
    memcpy(d, &v, sizeof v);
}

// Sums that the device does not make. `addresses` is the sum of both.
static void make_sums(const struct packet *p, const struct port *port, uint8_t *frame, uint64_t addresses,
                      uint32_t ports, uint16_t ip_len, uint16_t udp_len)
{
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + sizeof(struct rte_ether_hdr));
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    if (!(port->tx_flags & RTE_MBUF_F_TX_IP_CKSUM))
        ip->hdr_checksum = ~checksum_fold(addresses + ip_len + RTE_BE16(IP_WORDS % UINT16_MAX));
    if (port->tx_flags & RTE_MBUF_F_TX_UDP_CKSUM)
        return;
    // pseudo header with the length a second time, header, data
    uint64_t sum = addresses + RTE_BE16(IPPROTO_UDP) + udp_len + ports + udp_len;
    uint16_t made = ~checksum_fold(checksum_data(sum, p->data, p->len));
    udp->dgram_cksum = made ? made : UINT16_MAX;
}

// Makes the frame; `mac` has the destination's in its low 6 bytes. It was received with headers at least as
// long in front.
static inline void make_frame(const struct packet *p, const struct port *port, const struct target *to,
                              uint64_t mac)
{
    uint8_t *frame = p->data - HEADER_LEN;
    uint16_t udp_len = rte_cpu_to_be_16((uint16_t)(sizeof(struct rte_udp_hdr) + p->len));
    uint16_t ip_len = rte_cpu_to_be_16((uint16_t)(HEADER_LEN - sizeof(struct rte_ether_hdr) + p->len));
    uint64_t addresses = (uint64_t)to->src_ip + to->ip;
    uint16_t src_high;
    uint32_t src_low;
    memcpy(&src_high, port->mac.addr_bytes, sizeof src_high);
    memcpy(&src_low, port->mac.addr_bytes + 2, sizeof src_low);

    // MACs | the rest, type, version, TOS | length, id 0 (RFC 6864 4.1), DF, TTL, protocol | sum, addresses |
    // the rest, ports, length | sum
    store64(frame, (mac & (UINT64_MAX >> 16)) | (uint64_t)src_high << 48);
    store64(frame + 8, src_low | (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 32 |
                           (uint64_t)(RTE_IPV4_VHL_DEF | MEDIA_TOS << 8) << 48);
    store64(frame + 16, ip_len | (uint64_t)RTE_BE16(RTE_IPV4_HDR_DF_FLAG) << 32 |
                            (uint64_t)(MEDIA_TTL | IPPROTO_UDP << 8) << 48);
    store64(frame + 24, (uint64_t)to->src_ip << 16 | (uint64_t)to->ip << 48);
    store64(frame + 32, to->ip >> 16 | (uint64_t)to->ports << 16 | (uint64_t)udp_len << 48);
    // the pseudo header's for a device that does the rest
    uint16_t pseudo = checksum_fold(addresses + RTE_BE16(IPPROTO_UDP) + udp_len);
    memcpy(frame + 40, &pseudo, sizeof pseudo);
    if ((port->tx_flags & SUMS) != SUMS)
        make_sums(p, port, frame, addresses, to->ports, ip_len, udp_len);

    struct rte_mbuf *m = p->m;
    if (port->tx_flags)
        m->tx_offload =
            rte_mbuf_tx_offload(sizeof(struct rte_ether_hdr), sizeof(struct rte_ipv4_hdr), 0, 0, 0, 0, 0);
    m->ol_flags = (m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | port->tx_flags;
    m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
    m->data_len = HEADER_LEN + p->len;
    m->pkt_len = HEADER_LEN + p->len;
    m->port = port->id;
}

static inline void count_sent(const struct packet *p)
{
    unsigned to = p->leg ^ 1;
    if (unlikely(p->kind == PACKET_RTCP)) {
        count32(&p->live->tx_rtcp[to], 1);
        return;
    }
    struct tl_live_tx *live = HELD(&p->live->tx[to]);
    count64(&live->packets, 1);
    count64(&live->octets, p->len);
}

// For a packet whose next hop is not there: it waits for it, or is dropped.
static void wait_or_drop(struct worker *w, struct packet *p, uint32_t hop)
{
    enum tl_drop reason = neigh_wait(&w->neigh, p->m, hop);
    if (reason == TL_DROP_COUNT)
        count_sent(p); // the leg is not known when the answer comes
    else
        packet_drop(w, p, reason);
}

// Finishes a packet. Returns whether it can go now; else it waits for its next hop or was dropped.
static inline bool finish(struct worker *w, const struct port *ports, const struct neigh_table *neigh,
                          struct packet *p)
{
    const struct leg_terms *t = p->session->terms[p->leg ^ 1];
    uint8_t number = t->tx_port;
    const struct port *port = HELD(&ports[number]);
    if (unlikely(HEADER_LEN + p->len > port->frame_max)) {
        packet_drop(w, p, TL_DROP_too_long);
        return false;
    }
    struct target to = target_of(p, t, port);
    uint64_t record = neigh_load(neigh, to.hop);
    make_frame(p, port, &to, record);
    p->tx_port = number;
    if (likely(record & NEIGH_VALID))
        return true;
    wait_or_drop(w, p, to.hop);
    return false;
}

// Sends m[i], which is p[i]'s frame, by one port, and counts.
static void send_batch(struct worker *w, unsigned port, struct packet **p, struct rte_mbuf **m, unsigned n)
{
    enum tl_drop reason = TL_DROP_tx_full;
    unsigned sent = worker_transmit(w, port, m, n, &reason);
    for (unsigned i = 0; i < sent; i++)
        count_sent(p[i]);
    for (unsigned i = sent; i < n; i++)
        packet_drop(w, p[i], reason);
}

void stage_tx(struct worker *w, struct packet *p, unsigned n)
{
    const struct port *ports = w->engine->ports->port;
    const struct neigh_table *neigh = w->engine->neigh;
    struct packet *batch[WORKER_PACKETS], *other[WORKER_PACKETS];
    struct rte_mbuf *m[WORKER_PACKETS];
    unsigned take = 0, keep = 0;
    if (n == 0)
        return;
    unsigned port = p->session->terms[p->leg ^ 1]->tx_port; // the first one's, which is mostly all of them's
    for (unsigned i = 0; i < n; i++) {
        if (unlikely(!finish(w, ports, neigh, &p[i])))
            continue;
        if (likely(p[i].tx_port == port)) {
            m[take] = p[i].m;
            batch[take++] = &p[i];
        } else {
            other[keep++] = &p[i];
        }
    }
    // A next hop may have answered since this turn began: what waited for it goes first.
    worker_send_waiting(w);
    for (unsigned waiting; take + keep > 0;) { // one port after the other
        send_batch(w, port, batch, m, take);
        waiting = keep;
        take = keep = 0;
        for (unsigned i = 0; i < waiting; i++) {
            if (take == 0)
                port = other[i]->tx_port;
            if (other[i]->tx_port == port) {
                m[take] = other[i]->m;
                batch[take++] = other[i];
            } else {
                other[keep++] = other[i];
            }
        }
    }
}
