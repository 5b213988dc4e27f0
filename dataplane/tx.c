// SPDX-License-Identifier: BSD-3-Clause
// packet path: headers of our own around what the stages made, and out by the port. Checksums are always made
// anew, by the device where it can.
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/stages.h"

static_assert(HEADER_LEN ==
                  sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
              "the template is these three");

static void make_checksums(struct rte_mbuf *m, const struct port *port, struct rte_ipv4_hdr *ip,
                           struct rte_udp_hdr *udp)
{
    uint64_t flags = 0;
    if (port->tx_ip_checksum || port->tx_udp_checksum) {
        flags |= RTE_MBUF_F_TX_IPV4;
        m->l2_len = sizeof(struct rte_ether_hdr);
        m->l3_len = sizeof *ip;
    }
    if (port->tx_udp_checksum) {
        flags |= RTE_MBUF_F_TX_UDP_CKSUM;
        udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, flags);
    } else {
        udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
    }
    if (port->tx_ip_checksum)
        flags |= RTE_MBUF_F_TX_IP_CKSUM;
    else
        ip->hdr_checksum = rte_ipv4_cksum(ip);
    m->ol_flags = (m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | flags;
}

// Makes the frame but for the destination MAC. It was received with headers at least as long in front.
static void make_frame(struct packet *p, const struct leg_terms *t, const struct port *port)
{
    struct rte_mbuf *m = p->m;
    uint8_t *frame = p->data - HEADER_LEN;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + sizeof(struct rte_ether_hdr));
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    memcpy(frame, t->header, HEADER_LEN);
    if (p->kind == PACKET_RTCP) {
        ip->dst_addr = t->rtcp_dst_ip;
        udp->src_port = t->rtcp_src_port;
        udp->dst_port = t->rtcp_dst_port;
    }
    ip->total_length = rte_cpu_to_be_16(sizeof *ip + sizeof *udp + p->len);
    udp->dgram_len = rte_cpu_to_be_16(sizeof *udp + p->len);
    m->data_off = frame - (uint8_t *)m->buf_addr;
    m->data_len = HEADER_LEN + p->len;
    m->pkt_len = m->data_len;
    m->port = port->id;
    make_checksums(m, port, ip, udp);
}

static void count_sent(const struct packet *p)
{
    struct tl_live_session *live = p->session->live;
    unsigned to = p->leg ^ 1;
    if (p->kind == PACKET_RTCP) {
        count32(&live->tx_rtcp[to], 1);
        return;
    }
    count64(&live->tx[to].packets, 1);
    count64(&live->tx[to].octets, p->len);
}

static void send_batch(struct worker *w, unsigned port, struct packet **p, unsigned n)
{
    struct rte_mbuf *m[WORKER_PACKETS];
    enum tl_drop reason = TL_DROP_tx_full;
    for (unsigned i = 0; i < n; i++)
        m[i] = p[i]->m;
    unsigned sent = worker_transmit(w, port, m, n, &reason);
    for (unsigned i = 0; i < n; i++)
        if (i < sent)
            count_sent(p[i]);
        else
            packet_drop(w, p[i], reason);
}

// Finishes a packet. Returns whether it can go now; else it waits for its next hop or was dropped.
static bool finish(struct worker *w, struct packet *p)
{
    const struct leg_terms *t = p->session->terms[p->leg ^ 1];
    const struct port *port = &w->engine->ports->port[t->tx_port];
    uint32_t hop = p->kind == PACKET_RTCP ? t->rtcp_hop : t->rtp_hop;
    if (HEADER_LEN + p->len > port->frame_max) {
        packet_drop(w, p, TL_DROP_too_long);
        return false;
    }
    make_frame(p, t, port);
    uint64_t record = neigh_load(w->engine->neigh, hop);
    if (record & NEIGH_VALID) {
        neigh_write_ether(record, rte_pktmbuf_mtod(p->m, struct rte_ether_hdr *));
        return true;
    }
    enum tl_drop reason = neigh_wait(&w->neigh, p->m, hop);
    if (reason == TL_DROP_COUNT)
        count_sent(p); // the leg is not known when the answer comes
    else
        packet_drop(w, p, reason);
    return false;
}

void stage_tx(struct worker *w, struct packet *p, unsigned n)
{
    struct packet *ready[WORKER_PACKETS], *batch[WORKER_PACKETS];
    unsigned waiting = 0;
    for (unsigned i = 0; i < n; i++)
        if (finish(w, &p[i]))
            ready[waiting++] = &p[i];
    // A next hop may have answered since this turn began: what waited for it goes first.
    worker_send_waiting(w);
    while (waiting > 0) { // one port after the other
        unsigned port = ready[0]->session->terms[ready[0]->leg ^ 1]->tx_port, take = 0, keep = 0;
        for (unsigned i = 0; i < waiting; i++) {
            if (ready[i]->session->terms[ready[i]->leg ^ 1]->tx_port == port)
                batch[take++] = ready[i];
            else
                ready[keep++] = ready[i];
        }
        send_batch(w, port, batch, take);
        waiting = keep;
    }
}
