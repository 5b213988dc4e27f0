// SPDX-License-Identifier: BSD-3-Clause
// packet path: from a frame to the leg that owns its UDP port.
#include <rte_ip.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "dataplane/path/checksum.h"
#include "dataplane/path/stages.h"

enum {
    AHEAD = 4, // packets that prefetching runs ahead
    ETH_IP_UDP = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
};

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

// What an mbuf's first 8 bytes of description are: data_off, refcnt, nb_segs, port.
static inline uint64_t rearm_word(const struct rte_mbuf *m)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)m + offsetof(struct rte_mbuf, rearm_data), sizeof word);
    return word;
}
static_assert(offsetof(struct rte_mbuf, data_off) == offsetof(struct rte_mbuf, rearm_data) &&
                  offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, rearm_data) + 4 &&
                  offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, rearm_data) + 6,
              "as drivers write it");

static __rte_noinline void fill_arrival(const struct engine *engine, const struct port *port,
                                        struct arrival *at)
{
    at->port = port;
    at->plain = port->realm_count > 0 ? (uint32_t)port->id << 16 | 1 : 0;
    at->mac = 0;
    memcpy(&at->mac, &port->mac, sizeof port->mac);
    at->sums = RTE_MBUF_F_RX_IP_CKSUM_MASK;
    at->good = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    if (port->rx_udp_checksum) {
        at->sums |= RTE_MBUF_F_RX_L4_CKSUM_MASK;
        at->good |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    } else if (port->verify_udp_checksum) {
        at->good = UINT32_MAX;
    }
    for (unsigned i = 0; i < ARRIVAL_ADDRESSES; i++) {
        at->address[i].ip = port->realm[0].ip;
        at->address[i].map = engine->map[port->index][0];
    }
}

static struct arrival *find_arrival(struct worker *w, const struct rte_mbuf *m)
{
    unsigned index = w->engine->ports->by_id[m->port];
    struct arrival *at = &w->arrival[index];
    if (!at->port)
        fill_arrival(w->engine, &w->engine->ports->port[index], at);
    return at;
}

static bool find_address(const struct engine *engine, uint32_t ip, struct arrival *at)
{
    struct portmap *map = engine_find_map(engine, at->port, ip);
    if (!map)
        return false;
    at->address[arrival_place(ip)].ip = ip;
    at->address[arrival_place(ip)].map = map;
    return true;
}

static inline uint64_t load64(const uint8_t *d)
{
    uint64_t v;
    memcpy(&v, d, sizeof v);
    return v;
}

// What the frame says of a packet whose headers are in order.
static inline void fill_in(struct packet *p, const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp,
                           unsigned len, struct portmap *map)
{
    uint16_t place = portmap_place(udp->dst_port);
    p->map_entry = &map->entry[place];
    rte_prefetch0(p->map_entry);
    p->data = (uint8_t *)(uintptr_t)(udp + 1);
    p->len = p->wire_len = len;
    p->route = ip->src_addr | (uint64_t)udp->dst_port << 32 | (uint64_t)udp->src_port << 48;
    p->bucket = portmap_bucket(place);
}

// Bytes of an IPv4 header with its options, 0 if it is bad.
static unsigned ip_header_len(const struct rte_ipv4_hdr *ip)
{
    unsigned header = (ip->version_ihl & 0xf) * 4u;
    return ip->version_ihl >> 4 == 4 && header >= sizeof *ip ? header : 0;
}

static __rte_noinline bool sums_right(const struct port *port, const struct rte_mbuf *m,
                                      const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp)
{
    return !ip_sum_wrong(m, ip, sizeof *ip) && !udp_sum_wrong(port, m, ip, udp);
}

// Is it a packet like nearly all: for the port's MAC and one of its addresses, UDP in a whole IPv4 packet
// without options? Then it is filled in; what is not is for parse() to judge.
static inline bool parse_usual(struct packet *p, const struct arrival *at)
{
    const struct rte_mbuf *m = p->m;
    uint64_t rearm = rearm_word(m);
    const uint8_t *frame = HELD((const uint8_t *)m->buf_addr + (uint16_t)rearm);
    unsigned have = m->data_len;
    if (unlikely(rearm >> 32 != at->plain || have < ETH_IP_UDP))
        return false;

    // Whatever must be as expected leaves a bit where it is not: the destination MAC; the type, version and
    // header length; the fragment's place and the protocol.
    uint64_t odd = (load64(frame) ^ at->mac) << 16;
    odd |= (load64(frame + 12) ^ (RTE_BE16(RTE_ETHER_TYPE_IPV4) | RTE_IPV4_VHL_DEF << 16)) & 0xffffff;
    odd |= (load64(frame + 16) ^ (uint64_t)IPPROTO_UDP << 56) &
           ((uint64_t)UINT8_MAX << 56 | (uint64_t)RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)
                                            << 32);
    if (unlikely(odd))
        return false;

    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + sizeof(struct rte_ether_hdr));
    const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
    // One comparison for both bounds: what is too short is a large number.
    unsigned len = __builtin_bswap16(udp->dgram_len) - (unsigned)sizeof *udp;
    if (unlikely(len > have - ETH_IP_UDP ||
                 __builtin_bswap16(ip->total_length) != sizeof *ip + sizeof *udp + len))
        return false;
    unsigned place = arrival_place(ip->dst_addr);
    if (unlikely(at->address[place].ip != ip->dst_addr))
        return false;
    if (unlikely(((uint32_t)m->ol_flags & at->sums) != at->good) && !sums_right(at->port, m, ip, udp))
        return false;
    fill_in(p, ip, udp, len, at->address[place].map);
    return true;
}

// Everything that can be said without a session, check by check. Returns MEDIA with the packet filled in,
// TO_HOST, or a reason to drop.
static __rte_noinline unsigned parse(const struct engine *engine, struct packet *p, struct arrival *at)
{
    struct rte_mbuf *m = p->m;
    unsigned have = m->data_len;
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    if (have < sizeof *eth)
        return TL_DROP_runt;
    if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || m->nb_segs > 1)
        return TO_HOST; // media never fills two segments
    if (!rte_is_same_ether_addr(&eth->dst_addr, &at->port->mac))
        return TL_DROP_not_ours;
    have -= sizeof *eth;

    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
    if (have < sizeof *ip)
        return TL_DROP_runt;
    if (!find_address(engine, ip->dst_addr, at))
        return TL_DROP_not_ours;
    unsigned header = ip_header_len(ip), total = rte_be_to_cpu_16(ip->total_length);
    if (header == 0 || header > total || total > have || ip_sum_wrong(m, ip, header))
        return TL_DROP_bad_ip;
    if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
        return TL_DROP_fragment;
    if (ip->next_proto_id != IPPROTO_UDP)
        return TO_HOST;

    const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)((const uint8_t *)ip + header);
    unsigned udp_len = total - header;
    if (udp_len < sizeof *udp || rte_be_to_cpu_16(udp->dgram_len) != udp_len)
        return TL_DROP_bad_udp;
    if (udp_sum_wrong(at->port, m, ip, udp))
        return TL_DROP_bad_checksum;
    fill_in(p, ip, udp, udp_len - sizeof *udp, at->address[arrival_place(ip->dst_addr)].map);
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
    if (ports_own_address(ports, packet_src_ip(p))) {
        packet_drop(w, p, TL_DROP_loop);
        return;
    }
    count64(&w->live->unknown_port[port_find_realm(port, ip->dst_addr)->realm], 1);
    packet_drop(w, p, TL_DROP_unknown_port);
}

// Fills in the session of a packet and prefetches every line of it that a plain one reads or writes. All at once:
// the next stage already waits for the first of them.
static inline void find_session(struct packet *p, uint32_t entry, struct session *sessions,
                                struct tl_live_session *live)
{
    uint32_t slot = portmap_entry_slot(entry);
    unsigned leg = portmap_entry_leg(entry);
    struct session *s = HELD(&sessions[slot]);
    p->entry = entry;
    p->leg = leg;
    p->session = s;
    p->live = HELD(&live[slot]);
    rte_prefetch0(s);
    rte_prefetch0(&s->leg[0].terms);
    rte_prefetch0(&s->leg[1].terms);
    rte_prefetch0(&s->leg[leg ^ 1].tx);
}

// Reads the port map entries that parse() prefetched, and prefetches the sessions.
static unsigned lookup(struct worker *w, struct packet *p, unsigned n)
{
    struct session *sessions = w->engine->sessions;
    struct tl_live_session *live = w->live_session;
    unsigned gone = 0;
    for (struct packet *q = p; q < p + n; q++) {
        uint32_t entry = atomic_load_explicit(q->map_entry, memory_order_relaxed);
        if (likely(entry != PORTMAP_NONE)) {
            find_session(q, entry, sessions, live);
        } else {
            drop_unknown(w, q);
            gone++;
        }
    }
    return packets_close_up(p, n, gone);
}

// Prefetches an mbuf and the frame in it, without reading where it starts: drivers leave it where all our pools
// have it.
static inline void prefetch_frame(const struct rte_mbuf *m)
{
    rte_prefetch0(m);
    rte_prefetch0((const uint8_t *)(m + 1) + RTE_PKTMBUF_HEADROOM);
}

// Takes what is not this worker's media out of the array. Returns whether it was such a packet.
static __rte_noinline bool divert(struct worker *w, struct packet *p, unsigned verdict, unsigned owner)
{
    if (verdict == MEDIA && owner == w->id)
        return false;
    if (verdict == MEDIA)
        hand_off(w, p->m, owner);
    else if (verdict == TO_HOST)
        to_host(w, p->m);
    else
        worker_drop(w, p->m, verdict);
    p->m = NULL;
    return true;
}

unsigned stage_classify(struct worker *w, struct packet *p, unsigned n)
{
    const uint8_t *owner = w->engine->ports->bucket_worker;
    const unsigned id = w->id;
    const struct packet *last = p + n - 1, *ahead = p;
    struct arrival *at = n > 0 ? find_arrival(w, p->m) : NULL;
    unsigned gone = 0;
    for (; ahead < p + n && ahead < p + AHEAD; ahead++)
        prefetch_frame(ahead->m);
    for (struct packet *q = p; q < p + n; q++) {
        ahead = ahead < last ? ahead + 1 : last;
        prefetch_frame(ahead->m);
        unsigned verdict = MEDIA;
        if (unlikely(!parse_usual(q, at))) { // also the first one that came by another port
            at = find_arrival(w, q->m);
            verdict = parse(w->engine, q, at);
        }
        if (likely(verdict == MEDIA && owner[q->bucket] == id))
            continue;
        gone += divert(w, q, verdict, owner[q->bucket]);
    }
    return lookup(w, p, packets_close_up(p, n, gone));
}
