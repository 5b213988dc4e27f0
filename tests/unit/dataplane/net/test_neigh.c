// SPDX-License-Identifier: BSD-3-Clause
// Next hops: resolution, refresh, failure and ageing by a fake clock, with the frames that come of it.
#include <arpa/inet.h>
#include <errno.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/neigh.h"
#include "runner.h"
#include "tests/unit/dataplane/eal_for_tests.h"

#define MS 1000000ull

static struct rte_mempool *pool;
static struct ports ports;
static struct neigh *neigh;
static struct neigh_worker worker[2];
static uint64_t now;

static const struct rte_ether_addr peer = {{2, 0, 0, 0, 0, 0x10}};
static const struct rte_ether_addr other = {{2, 0, 0, 0, 0, 0x20}};
static const struct rte_ether_addr everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static uint32_t ip(const char *text)
{
    uint32_t out = 0;
    inet_pton(AF_INET, text, &out);
    return out;
}

// Two ports, two workers; worker 1 owns the tx queue of port 1.
static void begin(void)
{
    memset(&ports, 0, sizeof ports);
    memset(ports.by_id, UINT8_MAX, sizeof ports.by_id);
    ports.count = 2;
    ports.workers = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct port *p = &ports.port[i];
        p->id = (uint16_t)i; // a net_null that is not started: its link is down
        p->index = (uint16_t)i;
        p->mac = (struct rte_ether_addr){{2, 0, 0, 0, 1, (uint8_t)i}};
        p->queue[0].tx_owner = p->queue[1].tx_owner = (uint16_t)i;
        p->realm_count = 1;
        ports.by_id[p->id] = (uint8_t)i;
    }
    ports.port[0].realm[0] =
        (struct port_realm){.ip = ip("10.99.1.2"), .mask = ip("255.255.255.0"), .gateway = ip("10.99.1.254")};
    ports.port[1].realm[0] = (struct port_realm){.ip = ip("10.99.2.2"), .mask = ip("255.255.255.0")};
    now = 5000 * MS;
    neigh = neigh_create(&ports, pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(neigh);
    for (unsigned w = 0; w < 2; w++)
        neigh_worker_init(&worker[w], neigh, w);
}

// Everything goes back to the pool.
static void end(void)
{
    for (unsigned w = 0; w < 2; w++)
        neigh_worker_fini(&worker[w]);
    neigh_free(neigh);
    neigh = NULL;
    CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static void pass(uint64_t ms)
{
    now += ms * MS;
    neigh_manage(neigh, now);
}

// Takes the frames for a worker; checks that they are ARP requests from that port's addresses. Returns how
// many; the last one's Ethernet destination and target in *dst and *target.
static unsigned frames_of(unsigned w, struct rte_ether_addr *dst, uint32_t *target)
{
    struct rte_mbuf *m[64];
    unsigned n = neigh_own_frames(&worker[w], m, RTE_DIM(m));
    for (unsigned i = 0; i < n; i++) {
        const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *);
        const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);
        const struct port *p = &ports.port[w];
        CU_ASSERT_EQUAL(m[i]->port, p->id);
        CU_ASSERT_EQUAL(rte_pktmbuf_pkt_len(m[i]), 60);
        CU_ASSERT_EQUAL(eth->ether_type, RTE_BE16(0x0806));
        CU_ASSERT_TRUE(rte_is_same_ether_addr(&eth->src_addr, &p->mac));
        CU_ASSERT_EQUAL(arp->arp_opcode, RTE_BE16(1));
        CU_ASSERT_EQUAL(arp->arp_hlen, 6);
        CU_ASSERT_EQUAL(arp->arp_plen, 4);
        CU_ASSERT_TRUE(rte_is_same_ether_addr(&arp->arp_data.arp_sha, &p->mac));
        CU_ASSERT_TRUE(rte_is_zero_ether_addr(&arp->arp_data.arp_tha));
        CU_ASSERT_EQUAL(arp->arp_data.arp_sip, p->realm[0].ip);
        if (dst)
            *dst = eth->dst_addr;
        if (target)
            *target = arp->arp_data.arp_tip;
        rte_pktmbuf_free(m[i]);
    }
    return n;
}

static uint32_t get(unsigned port, const char *address)
{
    uint32_t number = 99;
    CU_ASSERT_EQUAL(
        neigh_get(neigh, &ports.port[port], &ports.port[port].realm[0], ip(address), now, &number), 0);
    return number;
}

static uint64_t record(uint32_t number)
{
    return neigh_load(neigh_table(neigh), number);
}

static bool valid_as(uint32_t number, const struct rte_ether_addr *mac)
{
    struct rte_ether_hdr eth;
    neigh_write_ether(record(number), &eth);
    return record(number) & NEIGH_VALID && rte_is_same_ether_addr(&eth.dst_addr, mac);
}

// The peer answers (or says unasked) that `address` is at `mac`.
static void hear(unsigned port, const char *address, const struct rte_ether_addr *mac, bool reply)
{
    CU_ASSERT_TRUE(neigh_heard(&worker[port], port, ip(address), mac, reply));
    neigh_manage(neigh, now);
}

static struct rte_mbuf *packet(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    memset(rte_pktmbuf_append(m, 60), 0, 60);
    return m;
}

// ---- routes ------------------------------------------------------------------------------------------

static void test_routes(void)
{
    static const struct {
        unsigned port;
        const char *to;
        const char *asked; // NULL: no route
    } table[] = {
        {0, "10.99.1.10", "10.99.1.10"},
        {0, "10.99.1.254", "10.99.1.254"},
        {0, "192.0.2.7", "10.99.1.254"},
        {0, "10.99.2.10", "10.99.1.254"},
        {1, "10.99.2.10", "10.99.2.10"},
        {1, "192.0.2.7", NULL},   // no gateway there
        {0, "10.99.1.2", NULL},   // ourselves
        {0, "10.99.1.255", NULL}, // broadcast
        {0, "10.99.1.0", NULL},   // network
        {0, "224.0.0.1", NULL},
        {0, "255.255.255.255", NULL},
        {0, "127.0.0.1", NULL},
        {0, "0.0.0.0", NULL},
        {0, "0.1.2.3", NULL},
        {0, "240.0.0.1", NULL},
    };
    for (size_t i = 0; i < RTE_DIM(table); i++) {
        begin();
        uint32_t number = 99, target = 0;
        struct port *p = &ports.port[table[i].port];
        int e = neigh_get(neigh, p, &p->realm[0], ip(table[i].to), now, &number);
        unsigned n = frames_of(table[i].port, NULL, &target);
        if (table[i].asked) {
            CU_ASSERT_EQUAL(e, 0);
            CU_ASSERT_NOT_EQUAL(number, NEIGH_NO_ROUTE);
            CU_ASSERT_EQUAL(n, 1);
            CU_ASSERT_EQUAL(target, ip(table[i].asked));
            CU_ASSERT_EQUAL(record(number) & (NEIGH_VALID | NEIGH_FAILED), 0);
        } else {
            CU_ASSERT_EQUAL(e, -ENETUNREACH);
            CU_ASSERT_EQUAL(number, NEIGH_NO_ROUTE);
            CU_ASSERT_EQUAL(n, 0);
        }
        end();
    }
}

static void test_slash_31_and_32(void)
{
    begin();
    ports.port[0].realm[0].mask = ip("255.255.255.254"); // RFC 3021: 10.99.1.2 and .3
    uint32_t target = 0, number = get(0, "10.99.1.3");
    frames_of(0, NULL, &target);
    CU_ASSERT_EQUAL(target, ip("10.99.1.3"));
    ports.port[0].realm[0].mask = ip("255.255.255.255");
    uint32_t through = get(0, "10.99.1.1");
    CU_ASSERT_NOT_EQUAL(through, number);
    frames_of(0, NULL, &target);
    CU_ASSERT_EQUAL(target, ip("10.99.1.254"));
    end();
}

static void test_one_number_for_one_hop(void)
{
    begin();
    uint32_t a = get(0, "192.0.2.1"), b = get(0, "198.51.100.9"), c = get(0, "10.99.1.254");
    CU_ASSERT_EQUAL(a, b);
    CU_ASSERT_EQUAL(a, c);
    CU_ASSERT_NOT_EQUAL(get(0, "10.99.1.10"), a);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 2); // one request each, however many sessions
    CU_ASSERT_EQUAL(frames_of(1, NULL, NULL), 0);
    end();
}

// ---- resolution --------------------------------------------------------------------------------------

static void test_resolves(void)
{
    begin();
    CU_ASSERT_EQUAL(neigh_manage(neigh, now), 1000 * MS);
    uint32_t number = get(0, "10.99.1.10");
    CU_ASSERT_TRUE(neigh_manage(neigh, now) <= MS); // the answer is looked for often
    struct rte_ether_addr dst;
    CU_ASSERT_EQUAL(frames_of(0, &dst, NULL), 1);
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&dst, &everybody));

    struct rte_mbuf *first = packet(), *second = packet(), *third = packet();
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], first, number), TL_DROP_COUNT);
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], second, number), TL_DROP_neighbour_queue);
    CU_ASSERT_EQUAL(neigh_wait(&worker[1], third, number), TL_DROP_COUNT); // one for each worker
    CU_ASSERT_EQUAL(worker[0].count, 1);

    struct rte_mbuf *ready[NEIGH_WAIT_MAX], *failed[NEIGH_WAIT_MAX];
    unsigned good = 9, bad = 9;
    neigh_collect(&worker[0], ready, &good, failed, &bad);
    CU_ASSERT_TRUE(good == 0 && bad == 0 && worker[0].count == 1);

    hear(0, "10.99.1.10", &peer, true);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    CU_ASSERT_TRUE(neigh_manage(neigh, now) > 100 * MS); // and then no more
    neigh_collect(&worker[0], ready, &good, failed, &bad);
    CU_ASSERT_TRUE(good == 1 && bad == 0 && worker[0].count == 0);
    CU_ASSERT_PTR_EQUAL(ready[0], first);
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&rte_pktmbuf_mtod(first, struct rte_ether_hdr *)->dst_addr, &peer));
    rte_pktmbuf_free(first);
    rte_pktmbuf_free(second);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    end(); // frees the third
}

static void test_retries_then_fails(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    struct rte_mbuf *m = packet();
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, number), TL_DROP_COUNT);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    // 250, 500, 1000 ms apart, and 2000 for the last answer
    static const unsigned gap[] = {250, 500, 1000};
    for (size_t i = 0; i < RTE_DIM(gap); i++) {
        pass(gap[i] - 1);
        CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
        pass(1);
        CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
        CU_ASSERT_EQUAL(record(number), 0);
    }
    pass(1999);
    CU_ASSERT_EQUAL(record(number), 0);
    pass(1);
    CU_ASSERT_EQUAL(record(number), NEIGH_FAILED);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);

    struct rte_mbuf *ready[NEIGH_WAIT_MAX], *failed[NEIGH_WAIT_MAX];
    unsigned good = 9, bad = 9;
    neigh_collect(&worker[0], ready, &good, failed, &bad);
    CU_ASSERT_TRUE(good == 0 && bad == 1 && failed[0] == m && worker[0].count == 0);
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, number), TL_DROP_no_neighbour);

    // Nobody asks during the hold-down, nor after it until a packet comes; the next one is twice as long.
    pass(NEIGH_HOLD_MS);
    CU_ASSERT_EQUAL(record(number) & (NEIGH_FAILED | NEIGH_VALID), 0);
    pass(20000);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, number), TL_DROP_COUNT);
    pass(1);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    pass(250);
    pass(500);
    pass(1000);
    pass(2000);
    CU_ASSERT_EQUAL(record(number), NEIGH_FAILED);
    pass(2 * NEIGH_HOLD_MS - 1);
    CU_ASSERT_EQUAL(record(number), NEIGH_FAILED);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 3);
    CU_ASSERT_EQUAL(get(0, "10.99.1.10"), number);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    pass(1);
    CU_ASSERT_NOT_EQUAL(record(number), NEIGH_FAILED);

    // A new session asks without waiting for a packet, but it did not during the hold-down.
    CU_ASSERT_EQUAL(get(0, "10.99.1.10"), number);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    struct neigh_stats stats;
    neigh_stats_read(neigh, &stats);
    CU_ASSERT_EQUAL(stats.requests, 9);
    CU_ASSERT_EQUAL(stats.in_use, 1);
    end();
}

// A worker that stood still over a whole failure must not wait for ever.
static void test_missed_failure_asks_again(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], packet(), number), TL_DROP_COUNT);
    pass(0); // the question has been read
    for (unsigned i = 0; i < 100; i++)
        pass(100); // fails and its hold-down passes
    frames_of(0, NULL, NULL);
    pass(1000);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    struct rte_mbuf *ready[NEIGH_WAIT_MAX], *failed[NEIGH_WAIT_MAX];
    unsigned good, bad;
    neigh_collect(&worker[0], ready, &good, failed, &bad);
    CU_ASSERT_EQUAL(worker[0].count, 1);
    pass(1);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    end();
}

static void test_bounds_of_waiting(void)
{
    begin();
    struct rte_mbuf *m = packet();
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, NEIGH_NO_ROUTE), TL_DROP_no_route);
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, NEIGH_MAX), TL_DROP_no_route);
    for (unsigned i = 0; i < NEIGH_WAIT_MAX; i++) {
        char address[16];
        snprintf(address, sizeof address, "10.99.1.%u", 10 + i);
        CU_ASSERT_EQUAL(neigh_wait(&worker[0], packet(), get(0, address)), TL_DROP_COUNT);
    }
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], m, get(0, "10.99.1.200")), TL_DROP_neighbour_queue);
    CU_ASSERT_EQUAL(worker[0].count, NEIGH_WAIT_MAX);
    rte_pktmbuf_free(m);
    end();
}

// The ring to the manager is full: the question is put again by neigh_collect().
static void test_full_ring_asks_later(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    hear(0, "10.99.1.10", &peer, true);
    for (unsigned i = 0; i < 10000; i++)
        CU_ASSERT_TRUE(neigh_heard(&worker[0], 0, ip("10.99.1.10"), &peer, false));
    uint32_t late = get(0, "10.99.1.11");
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], packet(), late), TL_DROP_COUNT);
    CU_ASSERT_FALSE(worker[0].wait[0].asked);
    neigh_manage(neigh, now);
    struct rte_mbuf *ready[NEIGH_WAIT_MAX], *failed[NEIGH_WAIT_MAX];
    unsigned good, bad;
    neigh_collect(&worker[0], ready, &good, failed, &bad);
    CU_ASSERT_TRUE(worker[0].wait[0].asked);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    end();
}

// ---- freshness ---------------------------------------------------------------------------------------

static void test_recheck_keeps_traffic(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    hear(0, "10.99.1.10", &peer, true);
    frames_of(0, NULL, NULL);
    pass(NEIGH_FRESH_MS - 1);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    pass(1);
    struct rte_ether_addr dst;
    CU_ASSERT_EQUAL(frames_of(0, &dst, NULL), 1);
    CU_ASSERT_TRUE(rte_is_same_ether_addr(&dst, &peer)); // asked directly
    CU_ASSERT_TRUE(valid_as(number, &peer));
    hear(0, "10.99.1.10", &peer, true);
    pass(NEIGH_FRESH_MS - 1);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);

    // Now it is silent: four direct requests, four to everybody, valid all the time, then it has failed.
    unsigned direct = 0, all = 0;
    for (unsigned t = 0; t <= 2 * (250 + 500 + 1000 + 2000); t += 10) {
        CU_ASSERT_TRUE(valid_as(number, &peer));
        pass(10);
        if (frames_of(0, &dst, NULL) == 1)
            *(rte_is_same_ether_addr(&dst, &peer) ? &direct : &all) += 1;
    }
    CU_ASSERT_EQUAL(direct, NEIGH_TRIES);
    CU_ASSERT_EQUAL(all, NEIGH_TRIES);
    CU_ASSERT_EQUAL(record(number), NEIGH_FAILED);
    hear(0, "10.99.1.10", &other, false); // it is back and says so
    CU_ASSERT_TRUE(valid_as(number, &other));
    end();
}

static void test_news(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    frames_of(0, NULL, NULL);
    // Nobody asked for these: nothing is learnt.
    CU_ASSERT_FALSE(neigh_heard(&worker[0], 0, ip("10.99.1.66"), &other, true));
    CU_ASSERT_FALSE(neigh_heard(&worker[0], 1, ip("10.99.1.10"), &other, true));
    // What no host can have as its address is not taken.
    static const struct rte_ether_addr zero, many = {{1, 0, 0, 0, 0, 1}};
    hear(0, "10.99.1.10", &zero, true);
    hear(0, "10.99.1.10", &many, true);
    hear(0, "10.99.1.10", &everybody, true);
    CU_ASSERT_EQUAL(record(number), 0);
    // A request of theirs while we ask is as good as an answer.
    hear(0, "10.99.1.10", &peer, false);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    // Saying the same again and again does not keep it fresh ...
    for (unsigned t = 0; t < NEIGH_FRESH_MS; t += 1000) {
        CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
        hear(0, "10.99.1.10", &peer, t / 1000 % 2);
        pass(1000);
    }
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    hear(0, "10.99.1.10", &peer, true);
    // ... and another MAC is taken (RFC 826), and asked at once whether it is true.
    struct rte_ether_addr dst;
    for (unsigned reply = 0; reply < 2; reply++) {
        const struct rte_ether_addr *mac = reply ? &peer : &other;
        hear(0, "10.99.1.10", mac, reply);
        CU_ASSERT_TRUE(valid_as(number, mac));
        CU_ASSERT_EQUAL(frames_of(0, &dst, NULL), 1);
        CU_ASSERT_TRUE(rte_is_same_ether_addr(&dst, mac));
        hear(0, "10.99.1.10", mac, true);
    }
    struct neigh_stats stats;
    neigh_stats_read(neigh, &stats);
    CU_ASSERT_EQUAL(stats.valid, 1);
    end();
}

// ---- ageing and bounds -------------------------------------------------------------------------------

static void test_linger(void)
{
    begin();
    uint32_t number = get(0, "10.99.1.10");
    CU_ASSERT_EQUAL(get(0, "10.99.1.10"), number);
    hear(0, "10.99.1.10", &peer, true);
    neigh_put(neigh, number, now);
    neigh_put(neigh, number, now);
    neigh_put(neigh, number, now); // one too many does no harm
    neigh_put(neigh, NEIGH_NO_ROUTE, now);
    frames_of(0, NULL, NULL);
    pass(NEIGH_LINGER_MS - 1);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0); // nobody needs it: not asked again
    // Somebody takes it again: it is old, so it is asked for, and used meanwhile.
    CU_ASSERT_EQUAL(get(0, "10.99.1.10"), number);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    pass(0);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1);
    hear(0, "10.99.1.10", &peer, true);
    neigh_put(neigh, number, now);
    pass(NEIGH_LINGER_MS);
    CU_ASSERT_EQUAL(record(number), NEIGH_FAILED); // nobody's
    CU_ASSERT_FALSE(neigh_heard(&worker[0], 0, ip("10.99.1.10"), &peer, true));
    CU_ASSERT_EQUAL(neigh_wait(&worker[0], NULL, number), TL_DROP_no_neighbour);
    end();
}

static uint32_t wide(unsigned i)
{
    return rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1) + i * 3);
}

static void test_table_is_bounded(void)
{
    begin();
    ports.port[0].realm[0].mask = ip("255.0.0.0");
    static uint32_t number[NEIGH_MAX];
    static bool seen[NEIGH_MAX];
    memset(seen, 0, sizeof seen);
    struct port *p = &ports.port[0];
    for (unsigned i = 0; i < NEIGH_MAX - 1; i++) {
        CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], wide(i), now, &number[i]), 0);
        CU_ASSERT_TRUE(number[i] > 0 && number[i] < NEIGH_MAX && !seen[number[i]]);
        seen[number[i]] = true;
        if (i % 32 == 0)
            frames_of(0, NULL, NULL);
    }
    frames_of(0, NULL, NULL);
    uint32_t more = 99;
    CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], wide(NEIGH_MAX), now, &more), -ENOSPC);
    CU_ASSERT_EQUAL(more, NEIGH_NO_ROUTE);
    CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], wide(7), now, &more), 0); // a known one still works
    CU_ASSERT_EQUAL(more, number[7]);
    // Every third goes; the others must still be found, and only as many fit again.
    for (unsigned i = 0; i < NEIGH_MAX - 1; i++) {
        CU_ASSERT_TRUE(neigh_heard(&worker[0], 0, wide(i), &peer, true));
        if (i % 128 == 0)
            neigh_manage(neigh, now);
    }
    neigh_manage(neigh, now);
    unsigned gone = 0;
    for (unsigned i = 0; i < NEIGH_MAX - 1; i += 3, gone++)
        neigh_put(neigh, number[i], now);
    for (unsigned t = 0; t <= NEIGH_LINGER_MS + 10000; t += 500) {
        pass(500);
        while (frames_of(0, NULL, NULL) > 0)
            ;
    }
    for (unsigned i = 0; i < NEIGH_MAX - 1; i++)
        CU_ASSERT_EQUAL(neigh_heard(&worker[1], 0, wide(i), &peer, true), i % 3 != 0);
    for (unsigned i = 0; i < gone; i++)
        CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], wide(NEIGH_MAX + i), now, &more), 0);
    CU_ASSERT_EQUAL(neigh_get(neigh, p, &p->realm[0], wide(2 * NEIGH_MAX), now, &more), -ENOSPC);
    end();
}

// ---- announcements -----------------------------------------------------------------------------------

static void test_announces(void)
{
    begin();
    ports.port[1].realm_count = 2;
    ports.port[1].realm[1] = ports.port[1].realm[0];
    neigh_announce(neigh, &ports.port[1], now);
    struct rte_ether_addr dst;
    uint32_t target;
    for (unsigned i = 0; i < 3; i++) {
        pass(i ? 999 : 0);
        CU_ASSERT_EQUAL(frames_of(1, &dst, &target), i ? 0 : 2);
        pass(i ? 1 : 0);
        CU_ASSERT_EQUAL(frames_of(1, &dst, &target), i ? 2 : 0);
        CU_ASSERT_TRUE(rte_is_same_ether_addr(&dst, &everybody));
        CU_ASSERT_EQUAL(target, ip("10.99.2.2"));
    }
    pass(10000);
    CU_ASSERT_EQUAL(frames_of(1, NULL, NULL), 0);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    end();
}

static void test_no_buffers(void)
{
    begin();
    struct rte_mbuf *all[1024];
    unsigned n = 0;
    while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(pool)))
        n++;
    uint32_t number = get(0, "10.99.1.10");
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 0);
    rte_pktmbuf_free_bulk(all, n);
    pass(250);
    CU_ASSERT_EQUAL(frames_of(0, NULL, NULL), 1); // the next try has one
    hear(0, "10.99.1.10", &peer, true);
    CU_ASSERT_TRUE(valid_as(number, &peer));
    struct neigh_stats stats;
    neigh_stats_read(neigh, &stats);
    CU_ASSERT_EQUAL(stats.lost, 1);
    end();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"routes", test_routes},
        {"slash 31 and 32", test_slash_31_and_32},
        {"one number for one hop", test_one_number_for_one_hop},
        {"resolves", test_resolves},
        {"retries then fails", test_retries_then_fails},
        {"missed failure asks again", test_missed_failure_asks_again},
        {"bounds of waiting", test_bounds_of_waiting},
        {"full ring asks later", test_full_ring_asks_later},
        {"recheck keeps traffic", test_recheck_keeps_traffic},
        {"news", test_news},
        {"linger", test_linger},
        {"table is bounded", test_table_is_bounded},
        {"announces", test_announces},
        {"no buffers", test_no_buffers},
    };
    static const char *const devices[] = {"--vdev=net_null0", "--vdev=net_null1", NULL};
    if (!eal_for_tests(devices))
        return 1;
    pool = rte_pktmbuf_pool_create("test", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!pool)
        return 1;
    int failed = test_main("neigh", TEST_CASES(cases), argc, argv);
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return failed;
}
