// SPDX-License-Identifier: BSD-3-Clause
// Ports: queue plans, RSS that steers by bucket (against DPDK's own Toeplitz hash), opening of virtual
// devices.
#include <arpa/inet.h>
#include <errno.h>
#include <rte_eth_ring.h>
#include <rte_thash.h>
#include <stdlib.h>

#include "dataplane/net/eal.h"
#include "dataplane/net/port.h"
#include "runner.h"
#include "tests/unit/dataplane/eal_for_tests.h"

static struct rte_mempool *pool;

// ---- plans -------------------------------------------------------------------------------------------

static void test_buckets(void)
{
    for (unsigned workers = 1; workers <= TL_WORKERS_MAX; workers++) {
        unsigned count[TL_WORKERS_MAX] = {0}, last = 0;
        for (unsigned b = 0; b < TL_PORT_BUCKETS; b++) {
            unsigned w = port_bucket_worker(b, workers);
            CU_ASSERT_TRUE_FATAL(w < workers && w >= last);
            last = w;
            count[w]++;
        }
        for (unsigned w = 0; w < workers; w++) // fair to one bucket
            CU_ASSERT_TRUE(count[w] >= TL_PORT_BUCKETS / workers &&
                           count[w] <= TL_PORT_BUCKETS / workers + 1);
    }
}

static void test_queue_plan(void)
{
    for (unsigned workers = 1; workers <= 8; workers++) {
        for (unsigned rx = 1; rx <= workers; rx++) {
            for (unsigned tx = 1; tx <= workers; tx++) {
                struct port port = {0};
                port_plan_queues(&port, workers, rx, tx);
                unsigned rx_owners[8] = {0}, tx_owners[8] = {0};
                for (unsigned w = 0; w < workers; w++) {
                    const struct port_queue *q = &port.queue[w];
                    if (q->rx != PORT_NO_QUEUE)
                        rx_owners[q->rx]++;
                    if (q->tx != PORT_NO_QUEUE) {
                        tx_owners[q->tx]++;
                        CU_ASSERT_EQUAL(q->tx_owner, w);
                    }
                    CU_ASSERT_NOT_EQUAL(port.queue[q->tx_owner].tx, PORT_NO_QUEUE);
                }
                for (unsigned q = 0; q < 8; q++) {
                    CU_ASSERT_EQUAL(rx_owners[q], q < rx);
                    CU_ASSERT_EQUAL(tx_owners[q], q < tx);
                }
            }
        }
    }
}

// For every port, whatever the rest of the 5-tuple: the entry that the device looks up is the bucket's.
static void test_rss_key(void)
{
    uint8_t key[PORT_RSS_KEY_MAX];
    srand(7);
    for (unsigned len = PORT_RSS_KEY_LEN; len <= PORT_RSS_KEY_MAX;
         len += PORT_RSS_KEY_MAX - PORT_RSS_KEY_LEN) {
        port_rss_key(key, len);
        for (unsigned p = 0; p < 65536; p++) {
            union rte_thash_tuple tuple = {0};
            tuple.v4.src_addr = (uint32_t)rand();
            tuple.v4.dst_addr = (uint32_t)rand();
            tuple.v4.sport = (uint16_t)rand();
            tuple.v4.dport = (uint16_t)p;
            uint32_t hash = rte_softrss((uint32_t *)&tuple, RTE_THASH_V4_L4_LEN, key);
            unsigned bucket = tl_port_bucket((uint16_t)p);
            CU_ASSERT_EQUAL_FATAL(port_rss_bucket(hash % 128), bucket);
            CU_ASSERT_EQUAL_FATAL(port_rss_bucket(hash % 256), bucket);
            CU_ASSERT_EQUAL_FATAL(port_rss_bucket(hash % 512), bucket);
            CU_ASSERT_EQUAL_FATAL(port_rss_bucket(hash % 64), bucket & ~1u);
        }
    }
}

static void set_address(struct tl_addr *addr, const char *text)
{
    addr->family = TL_AF_INET;
    inet_pton(AF_INET, text, addr->ip);
}

static struct tl_config *new_config(const char *device, unsigned workers)
{
    struct tl_config *c = calloc(1, sizeof *c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->dataplane.worker_count = workers;
    c->dataplane.mbufs = 1023;
    c->dataplane.port_count = 1;
    struct tl_port_config *p = &c->dataplane.ports[0];
    snprintf(p->name, sizeof p->name, "peer");
    snprintf(p->device, sizeof p->device, "%s", device);
    p->rx_descriptors = p->tx_descriptors = 256;
    c->realm_count = 3;
    static const char *const address[] = {"10.99.1.2", "10.99.2.2", "10.99.1.3"};
    for (unsigned i = 0; i < 3; i++) {
        struct tl_realm_config *r = &c->realms[i];
        snprintf(r->name, sizeof r->name, "realm%u", i);
        r->port = i == 1; // the second is on another port
        set_address(&r->address, address[i]);
        r->prefix_len = i ? 32 : 24;
        r->rtp_first = 16384;
        r->rtp_last = 32767;
    }
    set_address(&c->realms[0].gateway, "10.99.1.254");
    return c;
}

static void test_realms(void)
{
    struct tl_config *c = new_config("net_null0", 1);
    struct port port = {0};
    port_bind_realms(&port, c, 0);
    CU_ASSERT_EQUAL(port.realm_count, 2);
    CU_ASSERT_EQUAL(port.realm[0].ip, RTE_BE32(RTE_IPV4(10, 99, 1, 2)));
    CU_ASSERT_EQUAL(port.realm[0].mask, RTE_BE32(0xffffff00));
    CU_ASSERT_EQUAL(port.realm[0].gateway, RTE_BE32(RTE_IPV4(10, 99, 1, 254)));
    CU_ASSERT_EQUAL(port.realm[1].mask, RTE_BE32(0xffffffff));
    CU_ASSERT_EQUAL(port.realm[1].gateway, 0);
    CU_ASSERT_EQUAL(port.realm[1].realm, 2);
    CU_ASSERT_EQUAL(port.realm[0].rtp_last, 32767);
    CU_ASSERT_PTR_EQUAL(port_find_realm(&port, RTE_BE32(RTE_IPV4(10, 99, 1, 3))), &port.realm[1]);
    CU_ASSERT_PTR_NULL(port_find_realm(&port, RTE_BE32(RTE_IPV4(10, 99, 2, 2))));
    free(c);
}

// ---- devices -----------------------------------------------------------------------------------------

// net_null has RSS with a table of 128: three workers get a queue each and every bucket comes to its owner.
static void test_open_with_rss(void)
{
    struct tl_config *c = new_config("net_null0", 3);
    struct rte_mempool *pools[EAL_NODES_MAX] = {pool};
    struct ports *ports = calloc(1, sizeof *ports);
    char why[256] = "", line[1024];
    CU_ASSERT_EQUAL_FATAL(ports_open(ports, c, pools, why, sizeof why), 0);
    const struct port *p = &ports->port[0];
    CU_ASSERT_EQUAL(ports->count, 1);
    CU_ASSERT_EQUAL(ports->by_id[p->id], 0);
    CU_ASSERT_EQUAL(p->rx_queues, 3);
    CU_ASSERT_EQUAL(p->frame_max, 1514);
    CU_ASSERT_EQUAL(p->tx_queues, 3);
    CU_ASSERT_TRUE(p->steered);

    struct rte_eth_rss_reta_entry64 table[2] = {{.mask = UINT64_MAX}, {.mask = UINT64_MAX}};
    CU_ASSERT_EQUAL(rte_eth_dev_rss_reta_query(p->id, table, 128), 0);
    for (unsigned i = 0; i < 128; i++)
        CU_ASSERT_EQUAL(table[i / 64].reta[i % 64], ports->bucket_worker[port_rss_bucket(i)]);
    uint8_t key[PORT_RSS_KEY_MAX], expected[PORT_RSS_KEY_MAX];
    struct rte_eth_rss_conf rss = {.rss_key = key, .rss_key_len = sizeof key};
    CU_ASSERT_EQUAL(rte_eth_dev_rss_hash_conf_get(p->id, &rss), 0);
    port_rss_key(expected, sizeof expected);
    CU_ASSERT_EQUAL(memcmp(key, expected, PORT_RSS_KEY_LEN), 0);

    struct rte_mbuf *m[4];
    CU_ASSERT_EQUAL(rte_eth_rx_burst(p->id, 2, m, 4), 4); // queues run
    CU_ASSERT_EQUAL(rte_eth_tx_burst(p->id, 2, m, 4), 4);
    struct port_stats stats;
    CU_ASSERT_EQUAL(port_stats_read(p, &stats), 0);
    CU_ASSERT_EQUAL(stats.rx_packets, 4);
    CU_ASSERT_EQUAL(stats.tx_packets, 4);
    CU_ASSERT_TRUE(stats.link_up);
    port_describe(p, c, line, sizeof line);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "port peer: net_null0, MAC"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "3 rx and 3 tx queues for 3 workers,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "realm realm0 10.99.1.2/24 ports 16384-32767"));
    ports_close(ports);
    CU_ASSERT_EQUAL(ports->count, 0);
    ports_close(ports); // again does no harm
    free(ports);
    free(c);
    CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

// A device with fewer queues than workers and no RSS.
static void test_open_ring(void)
{
    struct rte_ring *to_us = rte_ring_create("to_us", 64, SOCKET_ID_ANY, 0);
    struct rte_ring *to_them = rte_ring_create("to_them", 64, SOCKET_ID_ANY, 0);
    CU_ASSERT_TRUE_FATAL(to_us && to_them);
    int id = rte_eth_from_rings("wire", &to_us, 1, &to_them, 1, 0);
    CU_ASSERT_TRUE_FATAL(id >= 0);
    struct tl_config *c = new_config("net_ring_wire", 2);
    struct rte_mempool *pools[EAL_NODES_MAX] = {pool};
    struct ports *ports = calloc(1, sizeof *ports);
    char why[256] = "", line[1024];
    int error = ports_open(ports, c, pools, why, sizeof why);
    if (error != 0)
        printf("     %s\n", why);
    CU_ASSERT_EQUAL_FATAL(error, 0);
    const struct port *p = &ports->port[0];
    CU_ASSERT_FALSE(p->steered);
    CU_ASSERT_EQUAL(p->queue[0].rx, 0);
    CU_ASSERT_EQUAL(p->queue[1].rx, PORT_NO_QUEUE);
    CU_ASSERT_EQUAL(p->queue[1].tx, PORT_NO_QUEUE);
    CU_ASSERT_EQUAL(p->queue[1].tx_owner, 0);
    port_describe(p, c, line, sizeof line);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "1 rx and 1 tx queues for 2 workers with hand-off"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "; worker 1 sends through worker 0;"));

    struct port_stats stats;
    rte_eth_dev_set_link_down(p->id);
    CU_ASSERT_TRUE(port_stats_read(p, &stats) == 0 && !stats.link_up);
    rte_eth_dev_set_link_up(p->id);
    CU_ASSERT_TRUE(port_stats_read(p, &stats) == 0 && stats.link_up);
    ports_close(ports);
    free(ports);
    free(c);
    rte_ring_free(to_us);
    rte_ring_free(to_them);
    CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static void test_refused(void)
{
    struct rte_mempool *pools[EAL_NODES_MAX] = {pool};
    struct ports *ports = calloc(1, sizeof *ports);
    char why[256] = "";
    struct tl_config *c = new_config("net_nothing0", 1);
    CU_ASSERT_EQUAL(ports_open(ports, c, pools, why, sizeof why), -ENODEV);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "port peer: DPDK found no device \"net_nothing0\""));
    CU_ASSERT_EQUAL(ports->count, 0);
    free(c);

    c = new_config("net_null1", 1);
    c->dataplane.port_count = 2;
    c->dataplane.ports[1] = c->dataplane.ports[0];
    CU_ASSERT_EQUAL(ports_open(ports, c, pools, why, sizeof why), -EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "another port has this device already"));
    CU_ASSERT_EQUAL(ports->count, 0);
    free(ports);
    free(c);
}

static void test_pools(void)
{
    struct tl_config *c = new_config("net_null0", 1);
    struct rte_mempool *pools[EAL_NODES_MAX];
    char why[EAL_WHY_LEN] = "";
    CU_ASSERT_EQUAL_FATAL(eal_pools_make(c, pools, why), 0);
    for (unsigned i = 0; i < EAL_NODES_MAX; i++)
        CU_ASSERT_PTR_NOT_NULL(pools[i]);
    CU_ASSERT_EQUAL(pools[0]->size, 1023);
    CU_ASSERT_EQUAL(pools[0]->nb_mem_chunks, 1);
    eal_pools_free(pools);
    CU_ASSERT_PTR_NULL(pools[0]);
    c->dataplane.mbufs = 1000000; // 2.4 GB of 64 MB
    CU_ASSERT_NOT_EQUAL(eal_pools_make(c, pools, why), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "no memory for 1000000 packet buffers"));
    CU_ASSERT_PTR_NULL(pools[0]);
    free(c);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"buckets", test_buckets},     {"queue plan", test_queue_plan}, {"RSS key", test_rss_key},
        {"realms", test_realms},       {"refused", test_refused},       {"open with RSS", test_open_with_rss},
        {"open ring", test_open_ring}, {"pools", test_pools},
    };
    static const char *const devices[] = {"--vdev=net_null0", "--vdev=net_null1", NULL};
    if (!eal_for_tests(devices))
        return 1;
    pool = rte_pktmbuf_pool_create("test", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!pool)
        return 1;
    int failed = test_main("port", TEST_CASES(cases), argc, argv);
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return failed;
}
