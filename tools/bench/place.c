// SPDX-License-Identifier: BSD-3-Clause
// Where the benchmark runs: DPDK without a NIC, two ports over rings, neighbours that answer ARP, and a
// dataplane with its manager, driven through the contract by a client in the same process.
#include <errno.h>
#include <rte_arp.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/bench.h"

enum { OWN_MBUFS = 2047, MBUF_CACHE = 256 };

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

// ---- addresses ---------------------------------------------------------------------------------------

static uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    return rte_cpu_to_be_32(a << 24 | b << 16 | c << 8 | d);
}

uint32_t place_media_ip(unsigned side, unsigned realm)
{
    return ip4(10, 1 + side, realm, 2);
}

uint32_t place_remote_ip(unsigned side, unsigned realm, unsigned remote)
{
    return ip4(10, 1 + side, realm, 10 + remote);
}

void place_port_mac(uint8_t mac[6], unsigned side)
{
    memcpy(mac, (uint8_t[6]){2, 0, 0, 1, side, 2}, 6);
}

void place_remote_mac(uint8_t mac[6], unsigned side, uint32_t ip)
{
    const uint8_t *d = (const uint8_t *)&ip;
    memcpy(mac, (uint8_t[6]){2, 0, 0, 2 + side, d[2], d[3]}, 6);
}

// ---- EAL ---------------------------------------------------------------------------------------------

static void start_eal(const struct options *o)
{
    char lcores[64], memory[16], prefix[48];
    char *argv[16];
    int n = 0, used = 0;
    for (unsigned i = 0; i < o->cores; i++)
        used += snprintf(lcores + used, sizeof lcores - used, "%s%u@%u", i ? "," : "", i, o->core[i]);
    snprintf(memory, sizeof memory, "%u", o->memory_mb);
    snprintf(prefix, sizeof prefix, "--file-prefix=bench%d", (int)getpid());
    argv[n++] = (char *)"bench";
    argv[n++] = (char *)"--lcores";
    argv[n++] = lcores;
    argv[n++] = (char *)"--no-pci";
    argv[n++] = (char *)"--no-telemetry";
    argv[n++] = (char *)"--iova-mode=va"; // no device: memory need not be in one piece for one
    argv[n++] = (char *)"--log-level=4";
    argv[n++] = prefix;
    if (o->huge) {
        argv[n++] = (char *)"--in-memory";
        argv[n++] = (char *)"--single-file-segments";
    } else {
        argv[n++] = (char *)"--no-huge";
        argv[n++] = (char *)"--no-shconf";
        argv[n++] = (char *)"-m";
        argv[n++] = memory;
    }
    if (rte_eal_init(n, argv) < 0)
        die("DPDK did not start: %s", o->huge
                                          ? "are there free huge pages (tools/bench.sh sees to them, or use "
                                            "--no-huge)?"
                                          : "is there enough memory?");
}

static struct rte_ring *make_ring(const char *kind, unsigned side, unsigned lane)
{
    char name[32];
    snprintf(name, sizeof name, "%s%u.%u", kind, side, lane);
    struct rte_ring *ring = rte_ring_create(name, RING_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (!ring)
        die("no memory for the ring %s", name);
    return ring;
}

static void make_port(struct bench *b, unsigned side)
{
    struct rte_ring *in[LANES_MAX], *out[LANES_MAX];
    struct rte_eth_conf conf = {0};
    char name[32];
    for (unsigned q = 0; q < LANES_MAX; q++) {
        in[q] = b->lane[q].in[side] = make_ring("in", side, q);
        out[q] = b->lane[q].out[side] = make_ring("out", side, q);
    }
    snprintf(name, sizeof name, "bench%u", side);
    int id = rte_eth_from_rings(name, in, LANES_MAX, out, LANES_MAX, 0);
    if (id < 0 || rte_eth_dev_configure(id, LANES_MAX, LANES_MAX, &conf) != 0)
        die("no port over rings");
    for (unsigned q = 0; q < LANES_MAX; q++)
        if (rte_eth_rx_queue_setup(id, q, RING_SLOTS, 0, NULL, b->own_pool) != 0 ||
            rte_eth_tx_queue_setup(id, q, RING_SLOTS, 0, NULL) != 0)
            die("no queues for the port over rings");
    if (rte_eth_dev_start(id) != 0)
        die("the port over rings does not start");
    b->ethdev[side] = id;
}

static void note_ends(struct rte_mempool *pool, void *arg, void *object, unsigned i)
{
    struct lane *l = arg;
    (void)pool;
    if (i == 0 || (uintptr_t)object < l->pool_base)
        l->pool_base = (uintptr_t)object;
    l->pool_last = RTE_MAX(l->pool_last, (uintptr_t)object);
}

// The pool has CIRCULATING mbufs and no more, in one piece, so that an mbuf's place names its entry in
// sent[].
static void make_lane(struct bench *b, unsigned id)
{
    struct lane *l = &b->lane[id];
    char name[32];
    snprintf(name, sizeof name, "circulating%u", id);
    l->bench = b;
    l->id = id;
    l->rng.state = 77 + id;
    l->pool = rte_pktmbuf_pool_create(name, CIRCULATING, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (!l->pool || l->pool->nb_mem_chunks != 1)
        die("no memory in one piece for %d packet buffers", CIRCULATING);
    rte_mempool_obj_iter(l->pool, note_ends, l);
    l->pool_stride = l->pool->header_size + l->pool->elt_size + l->pool->trailer_size;
    l->sent = calloc((l->pool_last - l->pool_base) / l->pool_stride + 1, sizeof *l->sent);
    l->staging = aligned_alloc(64, (size_t)CIRCULATING * PACKET_ROOM);
    l->staged = calloc(CIRCULATING, sizeof *l->staged);
    l->ops = calloc(CIRCULATING, sizeof *l->ops);
    if (!l->sent || !l->staging || !l->staged || !l->ops || srtp_ctx_new(SRTP_ENGINE_AUTO, &l->srtp))
        die("no memory for a lane");
    memset(l->staging, 0, (size_t)CIRCULATING * PACKET_ROOM);
    while (l->idle < CIRCULATING) {
        l->mbuf[l->idle] = rte_pktmbuf_alloc(l->pool);
        if (!l->mbuf[l->idle++])
            die("a packet buffer is missing");
    }
}

void place_start(struct bench *b)
{
    struct rng rng = {2026};
    start_eal(&b->options);
    for (unsigned i = 0; i < sizeof b->noise; i++)
        b->noise[i] = rng_next(&rng);
    b->own_pool = rte_pktmbuf_pool_create("own", OWN_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (!b->own_pool)
        die("no memory for packet buffers");
    for (unsigned id = 0; id < LANES_MAX; id++)
        make_lane(b, id);
    for (unsigned side = 0; side < SIDES; side++)
        make_port(b, side);
}

void place_end(struct bench *b)
{
    char folder[128];
    for (unsigned side = 0; side < SIDES; side++) {
        rte_eth_dev_stop(b->ethdev[side]);
        rte_eth_dev_close(b->ethdev[side]);
    }
    for (unsigned id = 0; id < LANES_MAX; id++) {
        struct lane *l = &b->lane[id];
        rte_pktmbuf_free_bulk(l->mbuf, l->idle);
        rte_mempool_free(l->pool);
        srtp_ctx_free(l->srtp);
        free(l->sent);
        free(l->staging);
        free(l->staged);
        free(l->ops);
    }
    rte_mempool_free(b->own_pool);
    snprintf(folder, sizeof folder, "%s", rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    rmdir(folder); // DPDK leaves it
}

// ---- dataplane ---------------------------------------------------------------------------------------

// What an operator would write: so all that has a default has the shipped one.
static struct tl_config *make_config(const struct bench *b, unsigned workers)
{
    struct tl_config_errors errors;
    struct tl_config *config = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        die("no memory for a configuration");
    fprintf(f,
            "{\"dataplane\": {\"socket\": \"/tmp/trunkline-bench-%d.sock\", \"max_sessions\": %u, "
            "\"main_core\": 127, "
            "\"worker_cores\": [%s], \"huge_pages\": %s, \"ports\": [",
            (int)getpid(), b->options.max_sessions, workers == 1 ? "0" : "0, 1",
            b->options.huge ? "true" : "false");
    for (unsigned side = 0; side < SIDES; side++)
        fprintf(f, "%s{\"name\": \"port%u\", \"device\": \"net_null%u\"}", side ? ", " : "", side, side);
    fprintf(f, "]}, \"realms\": [");
    for (unsigned i = 0; i < SIDES * b->options.realms; i++) {
        unsigned side = i % SIDES, realm = i / SIDES;
        fprintf(f,
                "%s{\"name\": \"side%u.%u\", \"port\": \"port%u\", \"address\": \"10.%u.%u.2/24\", "
                "\"rtp_ports\": [1024, "
                "65279]}",
                i ? ", " : "", side, realm, side, 1 + side, realm);
    }
    fprintf(f, "]}");
    fclose(f);
    int e = tl_config_parse("bench", text, len, &config, &errors);
    if (e) {
        tl_config_print_errors(stderr, "bench", &errors);
        die("its own configuration is refused");
    }
    free(text);
    return config;
}

static void make_ports(struct bench *b, unsigned workers)
{
    struct ports *ports = &b->ports;
    memset(ports, 0, sizeof *ports);
    memset(ports->by_id, UINT8_MAX, sizeof ports->by_id);
    ports->count = SIDES;
    ports->workers = workers;
    for (unsigned i = 0; i < TL_PORT_BUCKETS; i++)
        ports->bucket_worker[i] = port_bucket_worker(i, workers);
    for (unsigned side = 0; side < SIDES; side++) {
        struct port *port = &ports->port[side];
        port->id = b->ethdev[side];
        port->index = side;
        port->frame_max = RTE_ETHER_HDR_LEN + RTE_ETHER_MTU;
        port->rx_udp_checksum = !b->options.sums_in_software;
        if (!b->options.sums_in_software)
            port->tx_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
        snprintf(port->name, sizeof port->name, "port%u", side);
        place_port_mac(port->mac.addr_bytes, side);
        port_plan_queues(port, workers, workers, workers);
        port_bind_realms(port, b->config, side);
        ports->by_id[port->id] = side;
    }
}

static void connect_client(struct bench *b)
{
    if (tl_client_open(&b->client, b->config->dataplane.socket, 1))
        die("no client of the contract");
    for (unsigned tries = 0; tries < 10000; tries++) {
        if (tl_client_state(b->client) == TL_CLIENT_AWAY)
            tl_client_connect(b->client);
        place_turn(b);
        if (tl_client_poll(b->client) == TL_CLIENT_UP)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    die("the dataplane does not answer: %s", tl_client_error(b->client));
}

void place_up(struct bench *b, unsigned workers)
{
    static struct rte_mempool *pools[1];
    char why[MANAGER_WHY_LEN] = "";
    pools[0] = b->own_pool;
    b->config = make_config(b, workers);
    b->workers = workers;
    b->burst = b->config->dataplane.burst;
    make_ports(b, workers);
    struct manager_config c = {.config = b->config, .ports = &b->ports, .pools = pools};
    if (manager_init(&b->manager, &c, why))
        die("%s", why);
    for (unsigned i = 0; i < workers; i++) {
        b->lane[i].worker = manager_worker(b->manager, i);
        memset(b->lane[i].drops_seen, 0, sizeof b->lane[i].drops_seen);
    }
    connect_client(b);
}

void place_down(struct bench *b)
{
    tl_client_close(b->client);
    for (unsigned i = 0; i < 3; i++)
        place_turn(b);
    manager_fini(b->manager);
    tl_config_free(b->config);
    b->manager = NULL;
    b->client = NULL;
    b->config = NULL;
    b->workers = 0;
    for (unsigned i = 0; i < LANES_MAX; i++)
        b->lane[i].worker = NULL;
}

// ---- neighbours --------------------------------------------------------------------------------------

bool place_arp(struct bench *b, unsigned side, struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const struct rte_arp_hdr *ask = (const struct rte_arp_hdr *)(frame + RTE_ETHER_HDR_LEN);
    bool arp = m->data_len >= RTE_ETHER_HDR_LEN + sizeof *ask && frame[12] == 0x08 && frame[13] == 0x06;
    struct rte_mbuf *answer = NULL;
    uint8_t mac[6];
    if (arp && ask->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) &&
        ask->arp_data.arp_tip != ask->arp_data.arp_sip)
        answer = rte_pktmbuf_alloc(b->own_pool);
    if (answer) {
        uint8_t *reply = (uint8_t *)rte_pktmbuf_append(answer, 60);
        struct rte_arp_hdr *to = (struct rte_arp_hdr *)(reply + RTE_ETHER_HDR_LEN);
        memset(reply, 0, 60);
        place_remote_mac(mac, side, ask->arp_data.arp_tip);
        memcpy(reply, &ask->arp_data.arp_sha, 6);
        memcpy(reply + 6, mac, 6);
        memcpy(reply + 12, frame + 12, 2);
        *to = *ask;
        to->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
        memcpy(&to->arp_data.arp_sha, mac, 6);
        to->arp_data.arp_sip = ask->arp_data.arp_tip;
        to->arp_data.arp_tha = ask->arp_data.arp_sha;
        to->arp_data.arp_tip = ask->arp_data.arp_sip;
        answer->port = b->ethdev[side];
        if (rte_ring_enqueue(b->lane[0].in[side], answer) != 0)
            rte_pktmbuf_free(answer);
    }
    rte_pktmbuf_free(m);
    return arp;
}

bool place_turn(struct bench *b)
{
    bool only_arp = true;
    struct rte_mbuf *m;
    manager_turn(b->manager);
    for (unsigned i = 0; i < b->workers; i++) {
        struct lane *l = &b->lane[i];
        worker_step(l->worker);
        for (unsigned side = 0; side < SIDES; side++)
            while (rte_ring_dequeue(l->out[side], (void **)&m) == 0)
                only_arp &= place_arp(b, side, m);
    }
    return only_arp;
}
