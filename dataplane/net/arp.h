// SPDX-License-Identifier: BSD-3-Clause
// packet path: ARP packets for IPv4 over Ethernet (RFC 826) as bytes in a frame.
#pragma once

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    ARP_FRAME = sizeof(struct rte_ether_hdr) + sizeof(struct rte_arp_hdr), // 42
    FRAME_MIN = RTE_ETHER_MIN_LEN - RTE_ETHER_CRC_LEN,                     // 60: what Ethernet wants
};
static_assert(ARP_FRAME == 42, "ARP over Ethernet is 42 bytes");

// Makes `len` bytes of frame at least FRAME_MIN long, with zeroes. False: no tailroom.
static inline bool frame_pad(struct rte_mbuf *m)
{
    uint16_t len = rte_pktmbuf_data_len(m);
    if (len >= FRAME_MIN)
        return true;
    char *tail = rte_pktmbuf_append(m, FRAME_MIN - len);
    if (!tail)
        return false;
    memset(tail, 0, FRAME_MIN - len);
    return true;
}

// Writes the whole frame over the first ARP_FRAME bytes of `m`, which must be there. Addresses in network
// byte order.
static inline void arp_write(struct rte_mbuf *m, uint16_t op, const struct rte_ether_addr *eth_dst,
                             const struct rte_ether_addr *sender_mac, uint32_t sender_ip,
                             const struct rte_ether_addr *target_mac, uint32_t target_ip)
{
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
    eth->dst_addr = *eth_dst;
    eth->src_addr = *sender_mac;
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
    arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
    arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    arp->arp_hlen = RTE_ETHER_ADDR_LEN;
    arp->arp_plen = sizeof(uint32_t);
    arp->arp_opcode = rte_cpu_to_be_16(op);
    arp->arp_data.arp_sha = *sender_mac;
    arp->arp_data.arp_sip = sender_ip;
    arp->arp_data.arp_tha = *target_mac;
    arp->arp_data.arp_tip = target_ip;
}
