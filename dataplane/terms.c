// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/terms.h"

#include <errno.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>
#include <string.h>

enum {
    MEDIA_TOS = 46 << 2, // expedited forwarding: what RFC 4594 4.1 asks for telephony
    MEDIA_TTL = 64,
    IP_DONT_FRAGMENT = 0x4000,
    PT_NONE = 0xff,
};
static_assert(NEIGH_MAX <= UINT16_MAX, "terms hold a next hop's number in 16 bits");

static uint32_t ip_of(const struct tl_addr *addr)
{
    uint32_t ip;
    memcpy(&ip, addr->ip, sizeof ip);
    return ip;
}

static void set_source(struct leg_terms *t, const struct tl_leg *leg)
{
    t->flags = leg->flags;
    if (leg->rtp.family == TL_AF_UNSET)
        return;
    t->complete = 1;
    t->rtp_ip = ip_of(&leg->rtp);
    t->rtp_port = rte_cpu_to_be_16(leg->rtp.port);
    if (leg->flags & TL_LEG_RTCP_MUX)
        return;
    bool named = leg->rtcp.family != TL_AF_UNSET;
    t->rtcp_ip = named ? ip_of(&leg->rtcp) : t->rtp_ip;
    t->rtcp_port = rte_cpu_to_be_16(named ? leg->rtcp.port : leg->rtp.port + 1);
}

static void set_payload_types(struct leg_terms *t, const struct tl_leg *leg)
{
    memset(t->pt_in, PT_NONE, sizeof t->pt_in);
    memcpy(t->pt_in, leg->pt_in, leg->pt_count);
    memcpy(t->pt_out, leg->pt_out, leg->pt_count);
}

// Keys lie behind the terms in the same block.
static int set_keys(struct leg_terms *t, const struct tl_leg *leg, struct srtp_ctx *srtp)
{
    uint8_t *at = (uint8_t *)(t + 1);
    t->rx_generation = leg->rx.generation;
    t->tx_generation = leg->tx.generation;
    t->rx_suite = leg->rx.suite;
    t->tx_suite = leg->tx.suite;
    if (leg->rx.suite != TL_SUITE_NONE) {
        t->rx_key = (struct srtp_key *)at;
        if (srtp_key_init(srtp, (struct srtp_key *)at, &leg->rx))
            return -EIO;
        at += srtp_key_size(leg->rx.suite);
    }
    if (leg->tx.suite != TL_SUITE_NONE) {
        t->tx_key = (struct srtp_key *)at;
        if (srtp_key_init(srtp, (struct srtp_key *)at, &leg->tx))
            return -EIO;
    }
    return 0;
}

static int set_hops(struct leg_terms *t, const struct leg_place *place, struct neigh *neigh, uint64_t now_ns)
{
    uint32_t number = NEIGH_NO_ROUTE;
    if (!t->complete)
        return 0;
    if (neigh_get(neigh, place->port, place->realm, t->rtp_ip, now_ns, &number) == -ENOSPC)
        return -ENOSPC;
    t->rtp_hop = number;
    number = NEIGH_NO_ROUTE;
    if (neigh_get(neigh, place->port, place->realm, t->rtcp_dst_ip, now_ns, &number) == -ENOSPC)
        return -ENOSPC;
    t->rtcp_hop = number;
    return 0;
}

// Everything of the headers that is the same in each packet.
static void set_headers(struct leg_terms *t, const struct leg_place *place)
{
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)t->header;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    bool mux = t->flags & TL_LEG_RTCP_MUX;
    t->tx_port = place->port->index;
    eth->src_addr = place->port->mac;
    eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    ip->version_ihl = RTE_IPV4_VHL_DEF;
    ip->type_of_service = MEDIA_TOS;
    ip->fragment_offset = rte_cpu_to_be_16(IP_DONT_FRAGMENT); // so that the id may be 0, RFC 6864 4.1
    ip->time_to_live = MEDIA_TTL;
    ip->next_proto_id = IPPROTO_UDP;
    ip->src_addr = place->realm->ip;
    ip->dst_addr = t->rtp_ip;
    udp->src_port = rte_cpu_to_be_16(place->local_port);
    udp->dst_port = t->rtp_port;
    t->rtcp_src_port = rte_cpu_to_be_16(place->local_port + (mux ? 0 : 1));
    t->rtcp_dst_port = mux ? t->rtp_port : t->rtcp_port;
    t->rtcp_dst_ip = mux ? t->rtp_ip : t->rtcp_ip;
}

int terms_make(struct leg_terms **out, const struct tl_leg *leg, const struct leg_place *place,
               struct srtp_ctx *srtp, struct neigh *neigh, uint64_t now_ns)
{
    size_t size = sizeof **out + srtp_key_size(leg->rx.suite) + srtp_key_size(leg->tx.suite);
    struct leg_terms *t = rte_zmalloc("terms", size, RTE_CACHE_LINE_SIZE);
    *out = NULL;
    if (!t)
        return -ENOMEM;
    t->size = size;
    set_source(t, leg);
    set_payload_types(t, leg);
    set_headers(t, place);
    int e = set_keys(t, leg, srtp);
    if (!e)
        e = set_hops(t, place, neigh, now_ns);
    if (e) {
        terms_free(t, neigh, now_ns);
        return e;
    }
    *out = t;
    return 0;
}

void terms_free(const struct leg_terms *terms, struct neigh *neigh, uint64_t now_ns)
{
    struct leg_terms *t = (struct leg_terms *)(uintptr_t)terms;
    if (!t)
        return;
    neigh_put(neigh, t->rtp_hop, now_ns);
    neigh_put(neigh, t->rtcp_hop, now_ns);
    explicit_bzero(t, t->size);
    rte_free(t);
}
