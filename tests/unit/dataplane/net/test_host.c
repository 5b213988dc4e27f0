// SPDX-License-Identifier: BSD-3-Clause
// The host side of a port by tables: what is answered, what is taken, and the name of every other end.
#include <arpa/inet.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "dataplane/net/arp.h"
#include "dataplane/net/host.h"
#include "runner.h"
#include "tests/unit/dataplane/eal_for_tests.h"

enum { ETH = 14, IPV4 = 20, ICMP = 8 };

static struct rte_mempool *pool;
static struct ports ports;
static struct neigh *neigh;
static struct neigh_worker worker;
static struct host host;
static uint32_t known; // next hop 10.99.1.10

static const struct rte_ether_addr us = {{2, 0, 0, 0, 1, 0}};
static const struct rte_ether_addr peer = {{2, 0, 0, 0, 0, 0x10}};
static const struct rte_ether_addr stranger = {{2, 0, 0, 0, 0, 0x66}};
static const struct rte_ether_addr everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct rte_ether_addr zero;

static uint32_t ip(const char *text)
{
    uint32_t out = 0;
    inet_pton(AF_INET, text, &out);
    return out;
}

static void begin(void)
{
    memset(&ports, 0, sizeof ports);
    memset(ports.by_id, UINT8_MAX, sizeof ports.by_id);
    ports.count = ports.workers = 1;
    ports.by_id[0] = 0;
    struct port *p = &ports.port[0];
    p->mac = us;
    p->realm_count = 2;
    p->realm[0] = (struct port_realm){.ip = ip("10.99.1.2"), .mask = ip("255.255.255.0")};
    p->realm[1] = (struct port_realm){.ip = ip("10.99.1.3"), .mask = ip("255.255.255.0")};
    neigh = neigh_create(&ports, pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(neigh);
    neigh_worker_init(&worker, neigh, 0);
    host_init(&host, &ports, &worker);
    CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], ip("10.99.1.10"), 1, &known), 0);
}

static void end(void)
{
    neigh_worker_fini(&worker);
    neigh_free(neigh);
    CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static struct rte_mbuf *frame_of(const void *bytes, unsigned len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    m->port = 0;
    char *to = rte_pktmbuf_append(m, (uint16_t)len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memcpy(to, bytes, len);
    return m;
}

static void freed(void *addr, void *arg)
{
    (void)arg;
    free(addr);
}

// A frame in memory of just its size, so that ASan sees one byte too far.
static struct rte_mbuf *tight_frame(const void *bytes, unsigned len)
{
    static struct rte_mbuf_ext_shared_info shared;
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    uint8_t *to = malloc(len + 2); // attaching nothing is not allowed
    memcpy(to + 2, bytes, len);
    shared.free_cb = freed;
    rte_mbuf_ext_refcnt_set(&shared, 1);
    rte_pktmbuf_attach_extbuf(m, to, RTE_BAD_IOVA, (uint16_t)(len + 2), &shared);
    m->data_off = 2;
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    m->port = 0;
    return m;
}

// ---- ARP ---------------------------------------------------------------------------------------------

struct arp_case {
    const char *name;
    const struct rte_ether_addr *dst;
    uint16_t op;
    const struct rte_ether_addr *sha;
    const char *sip, *tip;
    int verdict;
    enum tl_drop reason;
    int poke; // offset of a byte to change, 0 = none
    uint8_t poked;
    bool learns; // afterwards the next hop is valid
};

static const struct arp_case arp_cases[] = {
    {"asks for us", &everybody, 1, &stranger, "10.99.1.77", "10.99.1.2", HOST_REPLY, 0, 0, 0, false},
    {"asks us directly", &us, 1, &stranger, "10.99.1.77", "10.99.1.2", HOST_REPLY, 0, 0, 0, false},
    {"asks for our other address", &everybody, 1, &peer, "10.99.1.10", "10.99.1.3", HOST_REPLY, 0, 0, 0,
     true},
    {"probes for us", &everybody, 1, &stranger, "0.0.0.0", "10.99.1.2", HOST_REPLY, 0, 0, 0, false},
    {"asks for the kernel", &everybody, 1, &stranger, "10.99.1.77", "10.99.1.1", HOST_DROP, TL_DROP_not_ours,
     0, 0, false},
    {"next hop asks for the kernel", &everybody, 1, &peer, "10.99.1.10", "10.99.1.1", HOST_TAKEN, 0, 0, 0,
     true},
    {"next hop answers", &us, 2, &peer, "10.99.1.10", "10.99.1.2", HOST_TAKEN, 0, 0, 0, true},
    {"next hop announces", &everybody, 1, &peer, "10.99.1.10", "10.99.1.10", HOST_TAKEN, 0, 0, 0, true},
    {"next hop announces by reply", &everybody, 2, &peer, "10.99.1.10", "10.99.1.10", HOST_TAKEN, 0, 0, 0,
     true},
    {"answer nobody asked for", &us, 2, &stranger, "10.99.1.77", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0,
     0, false},
    {"announcement nobody asked for", &everybody, 1, &stranger, "10.99.1.77", "10.99.1.77", HOST_DROP,
     TL_DROP_not_ours, 0, 0, false},
    {"claims our address", &everybody, 1, &stranger, "10.99.1.2", "10.99.1.2", HOST_TAKEN, 0, 0, 0, false},
    {"our own, seen again", &everybody, 1, &us, "10.99.1.2", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0,
     false},
    {"to another MAC", &stranger, 1, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0,
     false},
    {"sender without MAC", &us, 2, &zero, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0,
     false},
    {"sender is everybody", &us, 2, &everybody, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0,
     false},
    {"RARP", &us, 3, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0, false},
    {"operation 0", &us, 0, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, 0, 0, false},
    {"not Ethernet", &us, 2, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, ETH + 1, 6,
     false},
    {"not IPv4", &us, 2, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, ETH + 2, 0x86, false},
    {"hardware length", &us, 2, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, ETH + 4, 8,
     false},
    {"protocol length", &us, 2, &peer, "10.99.1.10", "10.99.1.2", HOST_DROP, TL_DROP_not_ours, ETH + 5, 16,
     false},
};

static void check_arp_reply(const struct rte_mbuf *m, const struct arp_case *c)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
    const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);
    CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(m), 60);
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&eth->dst_addr, c->sha));
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&eth->src_addr, &us));
    CU_ASSERT_EQUAL(eth->ether_type, RTE_BE16(0x0806));
    CU_ASSERT_EQUAL(arp->arp_hardware, RTE_BE16(1));
    CU_ASSERT_EQUAL(arp->arp_protocol, RTE_BE16(0x0800));
    CU_ASSERT_EQUAL(arp->arp_opcode, RTE_BE16(2));
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&arp->arp_data.arp_sha, &us));
    CU_ASSERT_EQUAL(arp->arp_data.arp_sip, ip(c->tip));
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&arp->arp_data.arp_tha, c->sha));
    CU_ASSERT_EQUAL(arp->arp_data.arp_tip, ip(c->sip));
}

static struct rte_mbuf *arp_frame(const struct arp_case *c)
{
    uint8_t bytes[ARP_FRAME] = {0};
    struct rte_mbuf *m = frame_of(bytes, sizeof bytes);
    arp_write(m, c->op, c->dst, c->sha, ip(c->sip), &zero, ip(c->tip));
    if (c->poke)
        rte_pktmbuf_mtod(m, uint8_t *)[c->poke] = c->poked;
    return m;
}

static void test_arp(void)
{
    for (size_t i = 0; i < RTE_DIM(arp_cases); i++) {
        const struct arp_case *c = &arp_cases[i];
        begin();
        struct rte_mbuf *m = arp_frame(c);
        enum tl_drop reason = TL_DROP_COUNT;
        int verdict = host_input(&host, m, 1, &reason);
        if (verdict != c->verdict || (verdict == HOST_DROP && reason != c->reason)) {
            printf("     %s: verdict %d, reason %s\n", c->name, verdict,
                   verdict == HOST_DROP ? tl_drop_label(reason) : "-");
            CU_FAIL("ARP verdict");
        }
        if (verdict == HOST_REPLY)
            check_arp_reply(m, c);
        neigh_manage(neigh, 1);
        bool valid = neigh_load(neigh_table(neigh), known) & NEIGH_VALID;
        if (valid != c->learns) {
            printf("     %s: learnt %d\n", c->name, valid);
            CU_FAIL("ARP learns");
        }
        rte_pktmbuf_free(m);
        end();
    }
}

static void test_conflict_is_counted(void)
{
    begin();
    static const struct arp_case claim = {"",         &everybody, 2, &stranger, "10.99.1.3", "10.99.1.3",
                                          HOST_TAKEN, 0,          0, 0,         false};
    struct rte_mbuf *m = arp_frame(&claim);
    enum tl_drop reason;
    CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_TAKEN);
    neigh_manage(neigh, 1);
    struct neigh_stats stats;
    neigh_stats_read(neigh, &stats);
    CU_ASSERT_EQUAL(stats.conflicts, 1);
    rte_pktmbuf_free(m);
    end();
}

// ---- IPv4 and ICMP -----------------------------------------------------------------------------------

static uint16_t sum(const void *bytes, unsigned len)
{
    const uint8_t *b = bytes;
    uint32_t s = 0;
    for (unsigned i = 0; i < len; i++)
        s += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

// An echo request of `payload` bytes from 10.99.1.10 to 10.99.1.2. Returns the frame's length.
static unsigned echo(uint8_t *f, unsigned payload)
{
    memcpy(f, &us, 6);
    memcpy(f + 6, &peer, 6);
    tl_put16(f + 12, 0x0800);
    uint8_t *p = f + ETH;
    memset(p, 0, IPV4 + ICMP);
    p[0] = 0x45;
    tl_put16(p + 2, IPV4 + ICMP + payload);
    tl_put16(p + 4, 0x1234);
    p[8] = 3;
    p[9] = 1;
    memcpy(p + 12, &(uint32_t){ip("10.99.1.10")}, 4);
    memcpy(p + 16, &(uint32_t){ip("10.99.1.2")}, 4);
    tl_put16(p + 10, sum(p, IPV4));
    uint8_t *c = p + IPV4;
    c[0] = 8;
    tl_put16(c + 4, 0xbeef);
    tl_put16(c + 6, 7);
    for (unsigned i = 0; i < payload; i++)
        c[ICMP + i] = (uint8_t)(i * 7);
    tl_put16(c + 2, sum(c, ICMP + payload));
    return ETH + IPV4 + ICMP + payload;
}

static void fix_ip(uint8_t *f)
{
    tl_put16(f + ETH + 10, 0);
    tl_put16(f + ETH + 10, sum(f + ETH, (f[ETH] & 15) * 4u));
}

static void test_echo(void)
{
    static const unsigned payloads[] = {0, 1, 2, 3, 17, 18, 19, 56, 57, 1471, HOST_ECHO_BYTES};
    for (size_t i = 0; i < RTE_DIM(payloads); i++) {
        for (unsigned padding = 0; padding < 2; padding++) {
            begin();
            static uint8_t f[2048];
            unsigned len = echo(f, payloads[i]);
            memset(f + len, 0xee, 46); // what a switch left behind the packet
            struct rte_mbuf *m = frame_of(f, len + padding * 46);
            enum tl_drop reason;
            CU_ASSERT_EQUAL_FATAL(host_input(&host, m, 1, &reason), HOST_REPLY);
            const uint8_t *r = rte_pktmbuf_mtod(m, const uint8_t *);
            CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(m), len < 60 ? 60 : len);
            CU_ASSERT_EQUAL(memcmp(r, &peer, 6), 0);
            CU_ASSERT_EQUAL(memcmp(r + 6, &us, 6), 0);
            CU_ASSERT_EQUAL(memcmp(r + 12, f + 12, 2), 0);
            CU_ASSERT_EQUAL(sum(r + ETH, IPV4), 0);
            CU_ASSERT_EQUAL(memcmp(r + ETH + 12, f + ETH + 16, 4), 0);
            CU_ASSERT_EQUAL(memcmp(r + ETH + 16, f + ETH + 12, 4), 0);
            CU_ASSERT_EQUAL(memcmp(r + ETH, f + ETH, 4), 0);
            CU_ASSERT_EQUAL(r[ETH + 8], 64);
            CU_ASSERT_EQUAL(r[ETH + IPV4], 0);
            CU_ASSERT_EQUAL(sum(r + ETH + IPV4, ICMP + payloads[i]), 0);
            CU_ASSERT_EQUAL(memcmp(r + ETH + IPV4 + 4, f + ETH + IPV4 + 4, 4 + payloads[i]), 0);
            for (unsigned b = len; b < rte_pktmbuf_pkt_len(m); b++)
                CU_ASSERT_EQUAL(r[b], 0); // nothing of the pool's old content leaves
            rte_pktmbuf_free(m);
            end();
        }
    }
}

struct ip_case {
    const char *name;
    int at; // byte to change in the echo request of 56 bytes
    uint8_t value;
    bool fix; // make the IPv4 checksum right again
    int len;  // cut to, 0 = whole
    enum tl_drop reason;
};

static const struct ip_case ip_cases[] = {
    {"to another MAC", 5, 0x77, false, 0, TL_DROP_not_ours},
    {"IPv6", 12, 0x86, false, 0, TL_DROP_not_ours},
    {"VLAN", 12, 0x81, false, 0, TL_DROP_not_ours},
    {"to the kernel's address", ETH + 19, 1, true, 0, TL_DROP_not_ours},
    {"version 6", ETH, 0x65, true, 0, TL_DROP_bad_ip},
    {"header of 16", ETH, 0x44, true, 0, TL_DROP_bad_ip},
    {"header of 60", ETH, 0x4f, true, 0, TL_DROP_not_ours},
    {"header of 60 past the end", ETH, 0x4f, true, ETH + 40, TL_DROP_runt},
    {"shorter than its header", ETH + 3, 19, true, 0, TL_DROP_bad_ip},
    {"longer than the frame", ETH + 3, 85, true, 0, TL_DROP_runt},
    {"much longer", ETH + 2, 255, true, 0, TL_DROP_runt},
    {"header checksum", ETH + 10, 0x12, false, 0, TL_DROP_bad_ip},
    {"first fragment", ETH + 6, 0x20, true, 0, TL_DROP_fragment},
    {"later fragment", ETH + 7, 1, true, 0, TL_DROP_fragment},
    {"UDP", ETH + 9, 17, true, 0, TL_DROP_not_ours},
    {"TCP", ETH + 9, 6, true, 0, TL_DROP_not_ours},
    {"ICMP of 7 bytes", ETH + 3, 27, true, 0, TL_DROP_runt},
    {"echo answer", ETH + IPV4, 0, false, 0, TL_DROP_not_ours},
    {"unreachable", ETH + IPV4, 3, false, 0, TL_DROP_not_ours},
    {"redirect", ETH + IPV4, 5, false, 0, TL_DROP_not_ours},
    {"timestamp", ETH + IPV4, 13, false, 0, TL_DROP_not_ours},
    {"code 1", ETH + IPV4 + 1, 1, false, 0, TL_DROP_not_ours},
    {"ICMP checksum", ETH + IPV4 + 2, 0, false, 0, TL_DROP_not_ours},
    {"from multicast", ETH + 12, 224, true, 0, TL_DROP_not_ours},
    {"from loopback", ETH + 12, 127, true, 0, TL_DROP_not_ours},
    {"from nobody", ETH + 12, 0, true, 0, TL_DROP_not_ours},
    {"from broadcast", ETH + 12, 255, true, 0, TL_DROP_not_ours},
    {"from ourselves", ETH + 15, 3, true, 0, TL_DROP_not_ours},
    {"from a group's MAC", 6, 1, false, 0, TL_DROP_not_ours},
};

static void test_ip(void)
{
    for (size_t i = 0; i < RTE_DIM(ip_cases); i++) {
        const struct ip_case *c = &ip_cases[i];
        begin();
        uint8_t f[256];
        unsigned len = echo(f, 56);
        f[c->at] = c->value;
        if (c->fix)
            fix_ip(f);
        struct rte_mbuf *m = tight_frame(f, c->len ? (unsigned)c->len : len);
        enum tl_drop reason = TL_DROP_COUNT;
        int verdict = host_input(&host, m, 1, &reason);
        if (verdict != HOST_DROP || reason != c->reason) {
            printf("     %s: verdict %d, reason %s\n", c->name, verdict,
                   verdict == HOST_DROP ? tl_drop_label(reason) : "-");
            CU_FAIL("IPv4 verdict");
        }
        rte_pktmbuf_free(m);
        end();
    }
}

// Every length of an echo request and of an ARP request, in memory that ends with them.
static void test_truncated(void)
{
    begin();
    uint8_t f[256];
    unsigned whole = echo(f, 40);
    enum tl_drop reason = TL_DROP_COUNT;
    for (unsigned len = 0; len < whole; len++) {
        struct rte_mbuf *m = tight_frame(f, len);
        CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
        CU_ASSERT_EQUAL(reason, TL_DROP_runt);
        rte_pktmbuf_free(m);
    }
    struct rte_mbuf *m = arp_frame(&arp_cases[0]);
    memcpy(f, rte_pktmbuf_mtod(m, void *), ARP_FRAME);
    rte_pktmbuf_free(m);
    for (unsigned len = 0; len <= ARP_FRAME; len++) {
        m = tight_frame(f, len);
        // The whole one could be answered but for the room that Ethernet's minimum needs.
        CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
        CU_ASSERT_EQUAL(reason, TL_DROP_runt);
        rte_pktmbuf_free(m);
    }
    end();
}

// An answer has nothing of what came behind the request, and is not made in a frame of several pieces.
static void test_arp_in_a_long_frame(void)
{
    const struct arp_case *ask = &arp_cases[0];
    enum tl_drop reason = TL_DROP_COUNT;
    begin();
    struct rte_mbuf *m = arp_frame(ask);
    memset(rte_pktmbuf_append(m, 500), 0xee, 500);
    CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_REPLY);
    check_arp_reply(m, ask);
    for (unsigned i = ARP_FRAME; i < 60; i++)
        CU_ASSERT_EQUAL(rte_pktmbuf_mtod(m, uint8_t *)[i], 0);
    rte_pktmbuf_free(m);

    uint8_t more[20] = {0};
    m = arp_frame(ask);
    CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, frame_of(more, sizeof more)), 0);
    CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
    CU_ASSERT_EQUAL(reason, TL_DROP_not_ours);
    rte_pktmbuf_free(m);
    end();
}

static void test_segments(void)
{
    begin();
    uint8_t f[256];
    unsigned len = echo(f, 56);
    // The second segment has what the first lacks: nothing is read past a segment's end.
    for (unsigned cut = 0; cut < len; cut++) {
        struct rte_mbuf *m = tight_frame(f, cut), *rest = frame_of(f + cut, len - cut);
        CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, rest), 0);
        enum tl_drop reason = TL_DROP_COUNT;
        CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
        CU_ASSERT_TRUE(reason == TL_DROP_runt || reason == TL_DROP_not_ours);
        rte_pktmbuf_free(m);
    }
    end();
}

static void test_too_big(void)
{
    begin();
    static uint8_t f[2048];
    unsigned len = echo(f, HOST_ECHO_BYTES + 1);
    struct rte_mbuf *m = frame_of(f, len);
    enum tl_drop reason = TL_DROP_COUNT;
    CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
    CU_ASSERT_EQUAL(reason, TL_DROP_not_ours);
    rte_pktmbuf_free(m);
    m = frame_of(f, 60);
    m->port = 3; // of no port of ours
    CU_ASSERT_EQUAL(host_input(&host, m, 1, &reason), HOST_DROP);
    CU_ASSERT_EQUAL(reason, TL_DROP_not_ours);
    rte_pktmbuf_free(m);
    end();
}

static unsigned pings(unsigned count, uint64_t now, unsigned *refused)
{
    unsigned answered = 0;
    *refused = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t f[256];
        unsigned len = echo(f, 20);
        struct rte_mbuf *m = frame_of(f, len);
        enum tl_drop reason = TL_DROP_COUNT;
        int verdict = host_input(&host, m, now, &reason);
        answered += verdict == HOST_REPLY;
        *refused += verdict == HOST_DROP && reason == TL_DROP_echo_rate;
        rte_pktmbuf_free(m);
    }
    return answered;
}

static void test_echo_rate(void)
{
    begin();
    unsigned refused;
    uint64_t now = 77;
    CU_ASSERT_EQUAL(pings(HOST_ECHO_BURST + 5, now, &refused), HOST_ECHO_BURST);
    CU_ASSERT_EQUAL(refused, 5);
    now += 1000000000ull / HOST_ECHO_RATE * 3;
    CU_ASSERT_EQUAL(pings(5, now, &refused), 3);
    CU_ASSERT_EQUAL(pings(5, now - 1000, &refused), 0); // a clock that steps back gives nothing
    now += 3600000000000ull;
    CU_ASSERT_EQUAL(pings(HOST_ECHO_BURST * 2, now, &refused), HOST_ECHO_BURST);
    // ARP is not held up by a flood of pings.
    struct rte_mbuf *m = arp_frame(&arp_cases[0]);
    enum tl_drop reason;
    CU_ASSERT_EQUAL(host_input(&host, m, now, &reason), HOST_REPLY);
    rte_pktmbuf_free(m);
    end();
}

// Ten thousand frames of noise with a plausible front: no crash, and an answer only to what is one.
static void test_garbage(void)
{
    begin();
    uint32_t seed = 12345;
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t f[128];
        unsigned len = echo(f, 40);
        if (i % 2) {
            struct rte_mbuf *m = arp_frame(&arp_cases[i % RTE_DIM(arp_cases)]);
            memcpy(f, rte_pktmbuf_mtod(m, void *), len = ARP_FRAME);
            rte_pktmbuf_free(m);
        }
        for (unsigned k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            f[(seed >> 8) % len] = (uint8_t)(seed >> 24);
        }
        struct rte_mbuf *m = tight_frame(f, len - (seed >> 16) % 3);
        enum tl_drop reason = TL_DROP_COUNT;
        int verdict = host_input(&host, m, i * 10000000ull, &reason);
        CU_ASSERT_TRUE(verdict != HOST_DROP || reason < TL_DROP_COUNT);
        rte_pktmbuf_free(m);
        if (i % 64 == 0)
            neigh_manage(neigh, 1);
    }
    end();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"ARP", test_arp},
        {"conflict is counted", test_conflict_is_counted},
        {"echo", test_echo},
        {"IPv4", test_ip},
        {"truncated", test_truncated},
        {"ARP in a long frame", test_arp_in_a_long_frame},
        {"segments", test_segments},
        {"too big", test_too_big},
        {"echo rate", test_echo_rate},
        {"garbage", test_garbage},
    };
    static const char *const devices[] = {"--vdev=net_null0", NULL};
    if (!eal_for_tests(devices))
        return 1;
    pool = rte_pktmbuf_pool_create("test", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!pool)
        return 1;
    int failed = test_main("host", TEST_CASES(cases), argc, argv);
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return failed;
}
