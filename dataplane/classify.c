// SPDX-License-Identifier: BSD-3-Clause
// packet path: from a frame to the leg that owns its UDP port.
#include <rte_ip.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/stages.h"

enum { AHEAD = 4 }; // packets that prefetching runs ahead

// Beside reasons to drop.
enum { MEDIA = TL_DROP_COUNT, TO_HOST };

static bool ip_sum_wrong(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, unsigned header)
{
    uint64_t sum = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    if (sum == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        return false;
    return checksum_fold(checksum_data(0, (const uint8_t *)ip, header)) != UINT16_MAX;
}

// Kernel UDP over veth carries only the pseudo-header's sum, so software looks only when told to.
static bool udp_sum_wrong(const struct port *port, const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip,
                          const struct rte_udp_hdr *udp)
{
    uint64_t sum = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (port->rx_udp_checksum && sum == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        return false;
    if (port->rx_udp_checksum && sum == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        return true;
    if (!port->verify_udp_checksum || udp->dgram_cksum == 0)
        return false;
    // Over what carries its own sum, the sum that a sender would make is 0, which UDP writes as all ones.
    return rte_ipv4_udptcp_cksum(ip, udp) != 0xffff;
}

static inline bool same_mac(const struct rte_ether_addr *a, const struct rte_ether_addr *b)
{
    uint32_t a4, b4;
    uint16_t a2, b2;
    memcpy(&a4, a, sizeof a4);
    memcpy(&b4, b, sizeof b4);
    memcpy(&a2, a->addr_bytes + 4, sizeof a2);
    memcpy(&b2, b->addr_bytes + 4, sizeof b2);
    return a4 == b4 && a2 == b2;
}

// Where the packet before this one came to, which is mostly the same.
struct place {
    uint32_t id; // of the ethdev, UINT32_MAX: none yet
    uint32_t ip; // media address ...
    const struct port *port;
    struct portmap *map; // ... and its map
};

// Finds the port that a frame came by, and forgets the address.
static void find_port(const struct ports *ports, const struct rte_mbuf *m, struct place *at)
{
    *at = (struct place){.id = m->port, .port = &ports->port[ports->by_id[m->port]]};
}

static bool find_address(const struct engine *engine, uint32_t ip, struct place *at)
{
    struct portmap *map = engine_find_map(engine, at->port, ip);
    if (!map)
        return false;
    at->ip = ip;
    at->map = map;
    return true;
}

// What is in an IPv4 header of which not all is as in nearly every packet. Returns its length, 0 if it is
// bad.
static unsigned odd_ip_header(const struct rte_ipv4_hdr *ip)
{
    unsigned header = (ip->version_ihl & 0xf) * 4u;
    return ip->version_ihl >> 4 == 4 && header >= sizeof *ip ? header : 0;
}

// Everything that can be said without a session. Returns MEDIA with the packet filled in, TO_HOST, or a
// reason to drop.
static inline unsigned parse(const struct engine *engine, struct packet *p, struct place *at)
{
    struct rte_mbuf *m = p->m;
    unsigned have = m->data_len;
    const struct rte_ether_hdr *eth = HELD(rte_pktmbuf_mtod(m, const struct rte_ether_hdr *));
    if (unlikely(have < sizeof *eth))
        return TL_DROP_runt;
    if (unlikely(m->port != at->id))
        find_port(engine->ports, m, at);
    if (unlikely(eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || m->nb_segs > 1))
        return TO_HOST; // media never fills two segments
    if (unlikely(!same_mac(&eth->dst_addr, &at->port->mac)))
        return TL_DROP_not_ours;
    have -= sizeof *eth;

    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
    if (unlikely(have < sizeof *ip))
        return TL_DROP_runt;
    if (unlikely(ip->dst_addr != at->ip || !at->map) && !find_address(engine, ip->dst_addr, at))
        return TL_DROP_not_ours;
    unsigned header = sizeof *ip, total = rte_be_to_cpu_16(ip->total_length);
    if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF))
        header = odd_ip_header(ip);
    if (unlikely(header == 0 || header > total || total > have || ip_sum_wrong(m, ip, header)))
        return TL_DROP_bad_ip;
    if (unlikely(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
        return TL_DROP_fragment;
    if (unlikely(ip->next_proto_id != IPPROTO_UDP))
        return TO_HOST;

    const struct rte_udp_hdr *udp = HELD((const struct rte_udp_hdr *)((const uint8_t *)ip + header));
    unsigned udp_len = total - header;
    if (unlikely(udp_len < sizeof *udp || rte_be_to_cpu_16(udp->dgram_len) != udp_len))
        return TL_DROP_bad_udp;
    if (unlikely(udp_sum_wrong(at->port, m, ip, udp)))
        return TL_DROP_bad_checksum;

    p->map_entry = &at->map->entry[portmap_place(udp->dst_port)];
    rte_prefetch0(p->map_entry);
    p->data = (uint8_t *)(uintptr_t)(udp + 1);
    p->len = p->wire_len = udp_len - sizeof *udp;
    p->src_ip = ip->src_addr;
    p->src_port = udp->src_port;
    p->bucket = portmap_bucket(portmap_place(udp->dst_port));
    return MEDIA;
}

static void to_host(struct worker *w, struct rte_mbuf *m)
{
    enum tl_drop reason = TL_DROP_not_ours;
    switch (host_input(&w->host, m, w->now_ns, &reason)) {
    case HOST_REPLY:
        worker_answer(w, m);
        break;
    case HOST_TAKEN:
        count64(&w->live->absorbed, 1);
        worker_discard(w, m);
        break;
    case HOST_DROP:
        worker_drop(w, m, reason);
        break;
    }
}

static void hand_off(struct worker *w, struct rte_mbuf *m, unsigned owner)
{
    w->away[w->away_count] = m;
    w->away_to[w->away_count++] = owner;
}

// No session has its port: counted by the media address that it came to. What we sent ourselves came round a
// loop.
static void drop_unknown(struct worker *w, struct packet *p)
{
    const struct ports *ports = w->engine->ports;
    const struct port *port = &ports->port[ports->by_id[p->m->port]];
    const struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(p->m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
    if (ports_own_address(ports, p->src_ip)) {
        packet_drop(w, p, TL_DROP_loop);
        return;
    }
    count64(&w->live->unknown_port[port_find_realm(port, ip->dst_addr)->realm], 1);
    packet_drop(w, p, TL_DROP_unknown_port);
}

// What the packet will touch and whose place its slot alone tells.
static void prefetch_slot(const struct packet *p)
{
    rte_prefetch0(p->session);
    rte_prefetch0(&p->session->leg[p->leg ^ 1]);
    rte_prefetch0(&p->live->rx[p->leg]);
    rte_prefetch0(p->live->tx);
}

// Reads the port map entries that parse() asked for, and asks for the sessions.
static unsigned lookup(struct worker *w, struct packet *p, unsigned n)
{
    struct session *sessions = w->engine->sessions;
    struct tl_live_session *live = w->live_session;
    unsigned gone = 0;
    for (unsigned i = 0; i < n; i++) {
        uint32_t entry = atomic_load_explicit(p[i].map_entry, memory_order_relaxed);
        if (unlikely(entry == PORTMAP_NONE)) {
            drop_unknown(w, &p[i]);
            gone++;
            continue;
        }
        p[i].entry = entry;
        p[i].leg = portmap_entry_leg(entry);
        p[i].session = HELD(&sessions[portmap_entry_slot(entry)]);
        p[i].live = HELD(&live[portmap_entry_slot(entry)]);
        prefetch_slot(&p[i]);
    }
    return packets_close_up(p, n, gone);
}

unsigned stage_classify(struct worker *w, struct packet *p, unsigned n)
{
    const struct engine *engine = w->engine;
    const uint8_t *owner = engine->ports->bucket_worker;
    struct place at = {.id = UINT32_MAX};
    unsigned gone = 0;
    for (unsigned i = 0; i < n && i < AHEAD; i++)
        rte_prefetch0(rte_pktmbuf_mtod(p[i].m, void *));
    for (unsigned i = 0; i < n; i++) {
        if (i + AHEAD < n)
            rte_prefetch0(rte_pktmbuf_mtod(p[i + AHEAD].m, void *));
        unsigned verdict = parse(engine, &p[i], &at);
        if (likely(verdict == MEDIA && owner[p[i].bucket] == w->id))
            continue;
        gone++;
        if (verdict == MEDIA)
            hand_off(w, p[i].m, owner[p[i].bucket]);
        else if (verdict == TO_HOST)
            to_host(w, p[i].m);
        else
            worker_drop(w, p[i].m, verdict);
        p[i].m = NULL;
    }
    return lookup(w, p, packets_close_up(p, n, gone));
}
