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

// Where a packet goes, of what its leg's terms say.
struct target {
    uint32_t ip;
    uint16_t src_port, dst_port;
    uint32_t hop;
};

static struct target target_of(const struct packet *p, const struct leg_terms *t)
{
    if (p->kind == PACKET_RTP)
        return (struct target){t->rtp_ip, t->local_port, t->rtp_port, t->rtp_hop};
    if (t->flags & TL_LEG_RTCP_MUX)
        return (struct target){t->rtp_ip, t->local_port, t->rtp_port, t->rtp_hop};
    return (struct target){t->rtcp_ip, t->local_port | RTE_BE16(1), t->rtcp_port, t->rtcp_hop};
}

// Makes the frame but for the destination MAC. It was received with headers at least as long in front.
static void make_frame(struct packet *p, const struct port *port, const struct target *to, uint32_t src_ip)
{
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)(p->data - HEADER_LEN);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint16_t udp_len = rte_cpu_to_be_16((uint16_t)(sizeof *udp + p->len));
    uint16_t ip_len = rte_cpu_to_be_16((uint16_t)(sizeof *ip + sizeof *udp + p->len));
    uint64_t addresses = (uint64_t)src_ip + to->ip;

    eth->src_addr = port->mac;
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    ip->version_ihl = RTE_IPV4_VHL_DEF;
    ip->type_of_service = MEDIA_TOS;
    ip->total_length = ip_len;
    ip->packet_id = 0; // as RFC 6864 4.1 allows with DF
    ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
    ip->time_to_live = MEDIA_TTL;
    ip->next_proto_id = IPPROTO_UDP;
    ip->hdr_checksum = 0;
    ip->src_addr = src_ip;
    ip->dst_addr = to->ip;
    udp->src_port = to->src_port;
    udp->dst_port = to->dst_port;
    udp->dgram_len = udp_len;
    if (!(port->tx_flags & RTE_MBUF_F_TX_IP_CKSUM))
        ip->hdr_checksum = ~checksum_fold(addresses + ip_len + RTE_BE16(IP_WORDS % UINT16_MAX));

    uint64_t sum = addresses + RTE_BE16(IPPROTO_UDP) + udp_len; // of the pseudo header
    if (port->tx_flags & RTE_MBUF_F_TX_UDP_CKSUM) {
        udp->dgram_cksum = checksum_fold(sum);
    } else {
        sum += (uint64_t)to->src_port + to->dst_port + udp_len;
        uint16_t made = ~checksum_fold(checksum_data(sum, p->data, p->len));
        udp->dgram_cksum = made ? made : UINT16_MAX;
    }

    struct rte_mbuf *m = p->m;
    if (port->tx_flags) {
        m->l2_len = sizeof *eth;
        m->l3_len = sizeof *ip;
    }
    m->ol_flags = (m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | port->tx_flags;
    m->data_off = (uint16_t)((uint8_t *)eth - (uint8_t *)m->buf_addr);
    m->data_len = HEADER_LEN + p->len;
    m->pkt_len = m->data_len;
    m->port = port->id;
}

static void count_sent(const struct packet *p)
{
    struct tl_live_session *live = p->live;
    unsigned to = p->leg ^ 1;
    if (p->kind == PACKET_RTCP) {
        count32(&live->tx_rtcp[to], 1);
        return;
    }
    count64(&live->tx[to].packets, 1);
    count64(&live->tx[to].octets, p->len);
}

// Finishes a packet. Returns whether it can go now; else it waits for its next hop or was dropped.
static bool finish(struct worker *w, struct packet *p)
{
    const struct leg_terms *t = p->session->terms[p->leg ^ 1];
    const struct port *port = &w->engine->ports->port[t->tx_port];
    if (HEADER_LEN + p->len > port->frame_max) {
        packet_drop(w, p, TL_DROP_too_long);
        return false;
    }
    struct target to = target_of(p, t);
    uint64_t record = neigh_load(w->engine->neigh, to.hop);
    make_frame(p, port, &to, port->realm[t->realm].ip);
    p->tx_port = t->tx_port;
    if (record & NEIGH_VALID) {
        neigh_write_ether(record, rte_pktmbuf_mtod(p->m, struct rte_ether_hdr *));
        return true;
    }
    enum tl_drop reason = neigh_wait(&w->neigh, p->m, to.hop);
    if (reason == TL_DROP_COUNT)
        count_sent(p); // the leg is not known when the answer comes
    else
        packet_drop(w, p, reason);
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
    struct packet *ready[WORKER_PACKETS], *batch[WORKER_PACKETS];
    struct rte_mbuf *m[WORKER_PACKETS];
    unsigned waiting = 0;
    for (unsigned i = 0; i < n; i++)
        if (finish(w, &p[i]))
            ready[waiting++] = &p[i];
    // A next hop may have answered since this turn began: what waited for it goes first.
    worker_send_waiting(w);
    while (waiting > 0) { // one port after the other
        unsigned port = ready[0]->tx_port, take = 0, keep = 0;
        for (unsigned i = 0; i < waiting; i++) {
            if (ready[i]->tx_port == port) {
                m[take] = ready[i]->m;
                batch[take++] = ready[i];
            } else {
                ready[keep++] = ready[i];
            }
        }
        send_batch(w, port, batch, m, take);
        waiting = keep;
    }
}
