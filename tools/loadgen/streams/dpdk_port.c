// SPDX-License-Identifier: BSD-3-Clause
// The port that is a DPDK ethdev: a host of its own with a MAC and the streams' local addresses, which
// answers ARP and sends UDP.
#include "tools/loadgen/streams/dpdk_port.h"

#include "tools/loadgen/streams/frames.h"
#include "tools/loadgen/streams/hops.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    MBUFS = 12287,
    MBUF_CACHE = 256,
    DESCRIPTORS = 1024,
    EAL_ARGUMENTS = 60,
    LINK_TRIES = 100, // tenths of a second
    ARP_TRIES = 25,   // fifths of a second
    SHARED = UINT32_MAX - 1,
    LONGEST_SLEEP_NS = 100000, // a virtual device's ring holds few packets
};

struct dpdk_port {
    struct port port;
    const struct flow *flows;
    struct demux streams; // by both addresses
    struct demux locals;  // by the local one: the stream, SHARED where several have it
    struct hops hops;
    struct rte_mempool *pool;
    uint16_t id;
    bool eal, configured, started;
    uint8_t mac[6];
    uint16_t ip_id;
    uint64_t stray, bad_sum, not_udp;
};

static const struct endpoint nowhere = {0, 0};

static void sleep_ns(int64_t ns)
{
    const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    nanosleep(&time, NULL);
}

__attribute__((format(printf, 4, 5))) static int say(int result, char *error, size_t size, const char *format,
                                                     ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(error, size, format, ap);
    va_end(ap);
    return result;
}

// ---- sending ------------------------------------------------------------------------------------------

static uint32_t buffers(struct port *port, struct packet *p, uint32_t n)
{
    struct dpdk_port *d = (struct dpdk_port *)port;
    struct rte_mbuf *mbuf[PORT_BURST];

    if (rte_pktmbuf_alloc_bulk(d->pool, mbuf, n) != 0)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        p[i] = (struct packet){.data = rte_pktmbuf_mtod(mbuf[i], uint8_t *) + FRAME_HEADERS,
                               .room = rte_pktmbuf_tailroom(mbuf[i]) - FRAME_HEADERS,
                               .handle = mbuf[i]};
    return n;
}

static void free_all(struct port *port, struct packet *p, uint32_t n)
{
    (void)port;
    for (uint32_t i = 0; i < n; i++)
        rte_pktmbuf_free(p[i].handle);
}

static uint32_t send_packets(struct port *port, struct packet *p, uint32_t n)
{
    struct dpdk_port *d = (struct dpdk_port *)port;
    struct rte_mbuf *mbuf[PORT_BURST];

    for (uint32_t i = 0; i < n; i++) {
        const struct flow *f = &d->flows[p[i].stream];
        const struct hop *hop = &d->hops.hop[d->hops.of[p[i].stream]];

        mbuf[i] = p[i].handle;
        mbuf[i]->data_len = (uint16_t)(FRAME_HEADERS + p[i].length);
        mbuf[i]->pkt_len = mbuf[i]->data_len;
        frame_write_udp(rte_pktmbuf_mtod(mbuf[i], uint8_t *), hop->mac, d->mac, &f->local, &f->remote,
                        p[i].length, d->ip_id++);
    }
    return rte_eth_tx_burst(d->id, 0, mbuf, (uint16_t)n);
}

// A frame that is lost here for want of memory or room is asked for again.
static void send_arp(struct dpdk_port *d, uint32_t from_ip, const uint8_t *to_mac, uint32_t to_ip)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(d->pool);

    if (mbuf == NULL)
        return;
    frame_write_arp((uint8_t *)rte_pktmbuf_append(mbuf, FRAME_ARP_BYTES), d->mac, from_ip, to_mac, to_ip);
    if (rte_eth_tx_burst(d->id, 0, &mbuf, 1) != 1)
        rte_pktmbuf_free(mbuf);
}

// ---- receiving ----------------------------------------------------------------------------------------

static bool assign(struct dpdk_port *d, const struct frame *f, struct packet *p)
{
    p->stream = demux_get(&d->streams, &f->to, &f->from);
    if (p->stream != UINT32_MAX)
        return true;
    p->stream = demux_get(&d->locals, &f->to, &nowhere);
    p->foreign = true;
    if (p->stream != UINT32_MAX && p->stream != SHARED)
        return true;
    d->stray++;
    return false;
}

// Whether the frame makes a packet for a stream; ARP is dealt with here.
static bool take_frame(struct dpdk_port *d, struct rte_mbuf *mbuf, struct packet *p)
{
    struct frame f;

    if (mbuf->nb_segs != 1) {
        d->not_udp++;
        return false;
    }
    uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
    switch (frame_read(data, mbuf->data_len, &f)) {
    case FRAME_UDP:
        *p = (struct packet){.data = data + f.at,
                             .length = f.length,
                             .room = mbuf->data_len - f.at + rte_pktmbuf_tailroom(mbuf),
                             .handle = mbuf};
        return assign(d, &f, p);
    case FRAME_ARP_REQUEST:
        hops_learn(&d->hops, f.from.ip, f.mac);
        if (hops_ours(&d->hops, f.to.ip))
            send_arp(d, f.to.ip, f.mac, f.from.ip);
        return false;
    case FRAME_ARP_REPLY:
        hops_learn(&d->hops, f.from.ip, f.mac);
        return false;
    case FRAME_BAD_SUM:
        d->bad_sum++;
        return false;
    default:
        d->not_udp++;
        return false;
    }
}

static uint32_t receive(struct port *port, struct packet *p, uint32_t n)
{
    struct dpdk_port *d = (struct dpdk_port *)port;
    struct rte_mbuf *mbuf[PORT_BURST];
    uint32_t made = 0;

    do { // ARP alone must not look like silence
        const uint16_t got = rte_eth_rx_burst(d->id, 0, mbuf, (uint16_t)n);

        if (got == 0)
            break;
        for (uint16_t i = 0; i < got; i++) {
            if (take_frame(d, mbuf[i], &p[made]))
                made++;
            else
                rte_pktmbuf_free(mbuf[i]);
        }
    } while (made == 0);
    return made;
}

static void wait_for(struct port *port, int64_t ns)
{
    (void)port;
    sleep_ns(ns < LONGEST_SLEEP_NS ? ns : LONGEST_SLEEP_NS);
}

static void counters(struct port *port, struct port_counters *c)
{
    const struct dpdk_port *d = (const struct dpdk_port *)port;
    struct rte_eth_stats stats = {0};

    rte_eth_stats_get(d->id, &stats);
    *c = (struct port_counters){.missed = stats.imissed + stats.rx_nombuf,
                                .stray = d->stray,
                                .bad_sum = d->bad_sum,
                                .not_udp = d->not_udp};
}

// ---- opening ------------------------------------------------------------------------------------------

static void close_port(struct port *port)
{
    struct dpdk_port *d = (struct dpdk_port *)port;

    if (d->started)
        rte_eth_dev_stop(d->id);
    if (d->configured)
        rte_eth_dev_close(d->id);
    if (d->pool != NULL)
        rte_mempool_free(d->pool);
    if (d->eal)
        rte_eal_cleanup();
    hops_fini(&d->hops);
    demux_fini(&d->locals);
    demux_fini(&d->streams);
    free(d);
}

static const struct port_ops ops = {
    .buffers = buffers,
    .send = send_packets,
    .unused = free_all,
    .receive = receive,
    .received_done = free_all,
    .wait = wait_for,
    .counters = counters,
    .close = close_port,
};

// The EAL keeps pointers into its arguments: they stay.
static int start_eal(struct dpdk_port *d, const char *text, char *error, size_t size)
{
    static char *argv[EAL_ARGUMENTS + 2] = {"trunkline-loadgen"};
    char *copy = strdup(text), *save = NULL;
    int argc = 1;

    if (copy == NULL)
        return say(-ENOMEM, error, size, "out of memory");
    for (char *at = strtok_r(copy, " \t", &save); at != NULL; at = strtok_r(NULL, " \t", &save)) {
        if (argc > EAL_ARGUMENTS) {
            free(copy);
            return say(-E2BIG, error, size, "--dpdk: more than %d arguments", EAL_ARGUMENTS);
        }
        argv[argc++] = at;
    }
    if (rte_eal_init(argc, argv) < 0)
        return say(-rte_errno, error, size, "the EAL does not start with '%s': %s (its own words are above)",
                   text, rte_strerror(rte_errno));
    d->eal = true;
    return 0;
}

static int find_device(struct dpdk_port *d, const char *name, char *error, size_t size)
{
    if (name != NULL) {
        if (rte_eth_dev_get_port_by_name(name, &d->id) != 0)
            return say(-ENODEV, error, size, "there is no ethdev '%s': %u were made by the --dpdk arguments",
                       name, rte_eth_dev_count_avail());
        return 0;
    }
    if (rte_eth_dev_count_avail() != 1)
        return say(-ENODEV, error, size, "%u ethdevs were made by the --dpdk arguments: name one with --port",
                   rte_eth_dev_count_avail());
    d->id = (uint16_t)rte_eth_find_next(0);
    return 0;
}

static int start_device(struct dpdk_port *d, char *error, size_t size)
{
    const struct rte_eth_conf conf = {0};
    uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
    int failed;

    d->pool =
        rte_pktmbuf_pool_create("loadgen", MBUFS, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (d->pool == NULL)
        return say(-rte_errno, error, size,
                   "no memory for %d packets: %s (about 32 MB, see -m and huge pages)", MBUFS,
                   rte_strerror(rte_errno));
    failed = rte_eth_dev_configure(d->id, 1, 1, &conf);
    d->configured = failed == 0;
    if (failed == 0)
        failed = rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx, &tx);
    if (failed == 0)
        failed = rte_eth_rx_queue_setup(d->id, 0, rx, SOCKET_ID_ANY, NULL, d->pool);
    if (failed == 0)
        failed = rte_eth_tx_queue_setup(d->id, 0, tx, SOCKET_ID_ANY, NULL);
    if (failed == 0)
        failed = rte_eth_dev_start(d->id);
    if (failed != 0)
        return say(failed, error, size, "the ethdev does not start: %s", strerror(-failed));
    d->started = true;
    return 0;
}

// Takes the address that was given; a device that can't have it listens to all.
static int set_mac(struct dpdk_port *d, const struct stream_options *o, char *error, size_t size)
{
    struct rte_ether_addr mac;
    int failed = rte_eth_macaddr_get(d->id, &mac);

    if (failed == 0 && o->mac_given) {
        memcpy(mac.addr_bytes, o->mac, 6);
        if (rte_eth_dev_default_mac_addr_set(d->id, &mac) != 0)
            failed = rte_eth_promiscuous_enable(d->id);
    }
    if (failed != 0)
        return say(failed, error, size, "the ethdev can't have its MAC: %s", strerror(-failed));
    memcpy(d->mac, mac.addr_bytes, 6);
    return 0;
}

static int wait_for_link(struct dpdk_port *d, char *error, size_t size)
{
    struct rte_eth_link link;

    for (int i = 0; i < LINK_TRIES; i++) {
        if (rte_eth_link_get_nowait(d->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP)
            return 0;
        sleep_ns(100000000);
    }
    return say(-ENETDOWN, error, size, "the link is down");
}

static void drop_what_came(struct dpdk_port *d)
{
    struct packet p[PORT_BURST];
    uint32_t n;

    while ((n = receive(&d->port, p, PORT_BURST)) > 0)
        free_all(&d->port, p, n);
}

static int resolve(struct dpdk_port *d, char *error, size_t size)
{
    struct hops *h = &d->hops;

    for (int i = 0; i < ARP_TRIES && h->unknown > 0; i++) {
        for (uint32_t at = 0; at < h->count; at++)
            if (!h->hop[at].known)
                send_arp(d, h->hop[at].from, NULL, h->hop[at].ip);
        for (int tick = 0; tick < 200 && h->unknown > 0; tick++) {
            sleep_ns(1000000);
            drop_what_came(d);
        }
    }
    for (uint32_t at = 0; at < h->count; at++) {
        const struct in_addr ip = {htonl(h->hop[at].ip)};
        char text[INET_ADDRSTRLEN];

        if (!h->hop[at].known)
            return say(-EHOSTUNREACH, error, size, "%s does not answer ARP",
                       inet_ntop(AF_INET, &ip, text, sizeof text));
    }
    return 0;
}

static int index_streams(struct dpdk_port *d, uint32_t count, char *error, size_t size)
{
    if (demux_init(&d->streams, count) != 0 || demux_init(&d->locals, count) != 0)
        return say(-ENOMEM, error, size, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        const struct flow *f = &d->flows[i];

        if (demux_put(&d->streams, &f->local, &f->remote, i) != 0)
            return say(-EEXIST, error, size,
                       "stream %u has the local and the remote address of one before it", i);
        if (demux_put(&d->locals, &f->local, &nowhere, i) != 0)
            demux_set(&d->locals, &f->local, &nowhere, SHARED);
    }
    return 0;
}

int dpdk_port_open(const struct stream_options *o, const struct flow *flows, uint32_t count,
                   struct port **port, char *error, size_t size)
{
    struct dpdk_port *d = calloc(1, sizeof *d);
    char name[RTE_ETH_NAME_MAX_LEN] = "";
    int failed;

    if (d == NULL)
        return say(-ENOMEM, error, size, "out of memory");
    d->port.ops = &ops;
    d->flows = flows;
    prctl(PR_SET_TIMERSLACK, 1);
    failed = index_streams(d, count, error, size);
    if (failed == 0)
        failed = hops_init(&d->hops, o, flows, count, error, size);
    if (failed == 0)
        failed = start_eal(d, o->dpdk, error, size);
    if (failed == 0)
        failed = find_device(d, o->port, error, size);
    if (failed == 0)
        failed = start_device(d, error, size);
    if (failed == 0)
        failed = set_mac(d, o, error, size);
    if (failed == 0)
        failed = wait_for_link(d, error, size);
    if (failed == 0)
        failed = resolve(d, error, size);
    if (failed != 0) {
        close_port(&d->port);
        return failed;
    }
    rte_eth_stats_reset(d->id);
    rte_eth_dev_get_name_by_port(d->id, name);
    snprintf(d->port.name, sizeof d->port.name, "DPDK %s", name);
    *port = &d->port;
    return 0;
}
