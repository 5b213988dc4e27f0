// SPDX-License-Identifier: BSD-3-Clause
// packet path: what arrives and is no media: ARP, ICMP echo, and everything that is not for us.
#include "dataplane/net/host.h"

#include <rte_icmp.h>
#include <rte_ip.h>

#include "dataplane/net/arp.h"

enum { NS_PER_ECHO = 1000000000 / HOST_ECHO_RATE };

void host_init(struct host *out, const struct ports *ports, struct neigh_worker *neigh)
{
    *out = (struct host){
        .ports = ports, .neigh = neigh, .echo_credit_ns = (uint64_t)HOST_ECHO_BURST * NS_PER_ECHO};
}

static enum host_verdict drop(enum tl_drop why, enum tl_drop *reason)
{
    *reason = why;
    return HOST_DROP;
}

// What the device said of the packet that came is not true of the answer; whose memory it is stays.
static void forget_flags(struct rte_mbuf *m)
{
    m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
}

static enum host_verdict arp_input(struct host *host, const struct port *port, struct rte_mbuf *m,
                                   enum tl_drop *reason)
{
    if (rte_pktmbuf_data_len(m) < ARP_FRAME)
        return drop(TL_DROP_runt, reason);
    if (m->nb_segs != 1)
        return drop(TL_DROP_not_ours, reason); // the answer is made in one piece
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);
    bool request = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST);
    if (arp->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
        arp->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || arp->arp_hlen != RTE_ETHER_ADDR_LEN ||
        arp->arp_plen != sizeof(uint32_t) || (!request && arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REPLY)))
        return drop(TL_DROP_not_ours, reason);
    struct rte_ether_addr mac = arp->arp_data.arp_sha;
    uint32_t sender = arp->arp_data.arp_sip;
    uint32_t target = arp->arp_data.arp_tip;
    if (!rte_is_unicast_ether_addr(&mac) || rte_is_zero_ether_addr(&mac) ||
        rte_is_same_ether_addr(&mac, &port->mac))
        return drop(TL_DROP_not_ours, reason);
    if (port_find_realm(port, sender)) {
        neigh_conflict(host->neigh, port->index, sender, &mac);
        return HOST_TAKEN;
    }
    bool answered = !request && rte_is_same_ether_addr(&eth->dst_addr, &port->mac);
    bool known = neigh_heard(host->neigh, port->index, sender, &mac, answered);
    // A request with a zero sender is another host's probe (RFC 5227 2.1): it must learn that we are here.
    if (request && port_find_realm(port, target)) {
        rte_pktmbuf_trim(m, rte_pktmbuf_data_len(m) - ARP_FRAME); // what came behind is not given back
        if (!frame_pad(m))
            return drop(TL_DROP_runt, reason);
        arp_write(m, RTE_ARP_OP_REPLY, &mac, &port->mac, target, &mac, sender);
        forget_flags(m);
        return HOST_REPLY;
    }
    return known ? HOST_TAKEN : drop(TL_DROP_not_ours, reason);
}

static bool echo_allowed(struct host *host, uint64_t now_ns)
{
    const uint64_t full = (uint64_t)HOST_ECHO_BURST * NS_PER_ECHO;
    if (now_ns > host->echo_last_ns) {
        uint64_t credit = host->echo_credit_ns + (now_ns - host->echo_last_ns);
        host->echo_credit_ns = host->echo_last_ns == 0 || credit > full ? full : credit;
        host->echo_last_ns = now_ns;
    }
    if (host->echo_credit_ns < NS_PER_ECHO)
        return false;
    host->echo_credit_ns -= NS_PER_ECHO;
    return true;
}

// A source that an answer can go to.
static bool is_sender(const struct port *port, uint32_t ip)
{
    uint32_t h = rte_be_to_cpu_32(ip);
    return h >> 24 != 0 && h >> 24 != 127 && h >> 28 < 0xe && !port_find_realm(port, ip);
}

// Turns an echo request of `total` bytes at `ip` into its answer, RFC 792.
static enum host_verdict echo_reply(struct rte_mbuf *m, const struct port *port, struct rte_ipv4_hdr *ip,
                                    uint16_t total, enum tl_drop *reason)
{
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
    uint16_t frame = sizeof *eth + total;
    rte_pktmbuf_trim(m, rte_pktmbuf_data_len(m) - frame);
    if (!frame_pad(m))
        return drop(TL_DROP_runt, reason);
    eth->dst_addr = eth->src_addr;
    eth->src_addr = port->mac;
    uint32_t us = ip->dst_addr;
    ip->dst_addr = ip->src_addr;
    ip->src_addr = us;
    ip->time_to_live = 64;
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
    icmp->icmp_cksum = 0;
    icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, total - sizeof *ip);
    forget_flags(m);
    return HOST_REPLY;
}

static enum host_verdict ipv4_input(struct host *host, const struct port *port, struct rte_mbuf *m,
                                    uint64_t now_ns, enum tl_drop *reason)
{
    const uint16_t len = rte_pktmbuf_data_len(m) - sizeof(struct rte_ether_hdr);
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    if (len < sizeof *ip)
        return drop(TL_DROP_runt, reason);
    if (!rte_is_same_ether_addr(&eth->dst_addr, &port->mac) || !port_find_realm(port, ip->dst_addr))
        return drop(TL_DROP_not_ours, reason);
    const uint16_t header = rte_ipv4_hdr_len(ip);
    const uint16_t total = rte_be_to_cpu_16(ip->total_length);
    if (ip->version_ihl >> 4 != 4 || header < sizeof *ip || total < header)
        return drop(TL_DROP_bad_ip, reason);
    if (total > rte_pktmbuf_pkt_len(m) - sizeof *eth || header > len)
        return drop(TL_DROP_runt, reason);
    if (rte_raw_cksum(ip, header) != 0xffff)
        return drop(TL_DROP_bad_ip, reason);
    if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return drop(TL_DROP_fragment, reason);
    if (ip->next_proto_id != IPPROTO_ICMP || header != sizeof *ip)
        return drop(TL_DROP_not_ours, reason);
    if (total < sizeof *ip + sizeof(struct rte_icmp_hdr))
        return drop(TL_DROP_runt, reason);
    const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)(ip + 1);
    if (m->nb_segs != 1 || total > sizeof *ip + sizeof *icmp + HOST_ECHO_BYTES ||
        icmp->icmp_type != RTE_IP_ICMP_ECHO_REQUEST || icmp->icmp_code != 0 ||
        !is_sender(port, ip->src_addr) || !rte_is_unicast_ether_addr(&eth->src_addr) ||
        rte_raw_cksum(icmp, total - sizeof *ip) != 0xffff)
        return drop(TL_DROP_not_ours, reason);
    if (!echo_allowed(host, now_ns))
        return drop(TL_DROP_echo_rate, reason);
    return echo_reply(m, port, ip, total, reason);
}

enum host_verdict host_input(struct host *host, struct rte_mbuf *m, uint64_t now_ns, enum tl_drop *reason)
{
    if (rte_pktmbuf_data_len(m) < sizeof(struct rte_ether_hdr))
        return drop(TL_DROP_runt, reason);
    uint8_t index = m->port < RTE_MAX_ETHPORTS ? host->ports->by_id[m->port] : UINT8_MAX;
    if (index == UINT8_MAX)
        return drop(TL_DROP_not_ours, reason);
    const struct port *port = &host->ports->port[index];
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    if (!rte_is_same_ether_addr(&eth->dst_addr, &port->mac) && !rte_is_broadcast_ether_addr(&eth->dst_addr))
        return drop(TL_DROP_not_ours, reason);
    if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
        return arp_input(host, port, m, reason);
    if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
        return ipv4_input(host, port, m, now_ns, reason);
    return drop(TL_DROP_not_ours, reason);
}
