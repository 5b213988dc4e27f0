// SPDX-License-Identifier: BSD-3-Clause
// Opens the ethdevs of the configuration and says what they can do.
#include "dataplane/net/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/net/eal.h"

unsigned port_bucket_worker(unsigned bucket, unsigned workers)
{
    return bucket * workers / TL_PORT_BUCKETS;
}

void port_plan_queues(struct port *port, unsigned workers, unsigned rx_queues, unsigned tx_queues)
{
    port->rx_queues = (uint16_t)rx_queues;
    port->tx_queues = (uint16_t)tx_queues;
    for (unsigned w = 0; w < workers; w++) {
        port->queue[w].rx = w < rx_queues ? (uint16_t)w : PORT_NO_QUEUE;
        port->queue[w].tx = w < tx_queues ? (uint16_t)w : PORT_NO_QUEUE;
        port->queue[w].tx_owner = (uint16_t)(w % tx_queues);
    }
}

void port_rss_key(uint8_t *key, size_t len)
{
    memset(key, 0, len);
    key[119 / 8] = 0x80 >> 119 % 8;
}

// The seven bits of a bucket in the opposite order.
static unsigned reverse7(unsigned x)
{
    unsigned r = 0;
    for (unsigned bit = 0; bit < 7; bit++)
        r |= (x >> bit & 1) << (6 - bit);
    return r;
}

unsigned port_rss_bucket(unsigned i)
{
    return reverse7(i & (TL_PORT_BUCKETS - 1));
}

void port_bind_realms(struct port *port, const struct tl_config *config, uint32_t index)
{
    port->realm_count = 0;
    for (uint32_t r = 0; r < config->realm_count; r++) {
        const struct tl_realm_config *realm = &config->realms[r];
        if (realm->port != index)
            continue;
        struct port_realm *bound = &port->realm[port->realm_count++];
        *bound = (struct port_realm){
            .mask = realm->prefix_len ? htonl(UINT32_MAX << (32 - realm->prefix_len)) : 0,
            .realm = (uint16_t)r,
            .rtp_first = realm->rtp_first,
            .rtp_last = realm->rtp_last,
        };
        memcpy(&bound->ip, realm->address.ip, sizeof bound->ip);
        if (realm->gateway.family == TL_AF_INET)
            memcpy(&bound->gateway, realm->gateway.ip, sizeof bound->gateway);
    }
}

// ---- opening -----------------------------------------------------------------------------------------

// What one port's opening carries about.
struct opening {
    const struct ports *ports;
    struct port *port;
    const struct tl_port_config *config;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf;
    uint8_t key[PORT_RSS_KEY_MAX];
    bool rss;
    char *why;
    size_t why_len;
};

static int refuse(struct opening *o, int error, const char *what)
{
    snprintf(o->why, o->why_len, "port %s (%s): %s: %s", o->config->name, o->config->device, what,
             strerror(-error));
    return error;
}

static int find_device(struct opening *o)
{
    char name[TL_DEVICE_LEN];
    eal_device_name(o->config, name, sizeof name);
    int error = rte_eth_dev_get_port_by_name(name, &o->port->id);
    if (error == 0)
        error = rte_eth_dev_info_get(o->port->id, &o->info);
    if (error == 0)
        error = rte_eth_macaddr_get(o->port->id, &o->port->mac);
    if (error != 0) {
        snprintf(o->why, o->why_len,
                 "port %s: DPDK found no device \"%s\": check dataplane.ports[].device, and that the network "
                 "card is bound to vfio-pci",
                 o->config->name, o->config->device);
        o->port->id = UINT16_MAX;
        return -ENODEV;
    }
    if (o->ports->by_id[o->port->id] != UINT8_MAX) {
        o->port->id = UINT16_MAX;
        return refuse(o, -EBUSY, "another port has this device already");
    }
    int socket = rte_eth_dev_socket_id(o->port->id);
    o->port->socket = socket < 0 || socket >= EAL_NODES_MAX ? 0 : socket;
    return 0;
}

static int plan(struct opening *o, unsigned workers)
{
    unsigned rx = o->info.max_rx_queues, tx = o->info.max_tx_queues;
    if (rx == 0 || tx == 0)
        return refuse(o, -ENOTSUP, "device has no queues");
    // The kernel spreads what comes over all sockets of an AF_PACKET device, also over those that nobody
    // reads.
    if (rx > workers && strcmp(o->info.driver_name, "net_af_packet") == 0) {
        snprintf(o->why, o->why_len,
                 "port %s: %u queue pairs but %u workers: set qpairs in \"%s\" to %u at most",
                 o->config->name, rx, workers, o->config->device, workers);
        return -EINVAL;
    }
    port_plan_queues(o->port, workers, RTE_MIN(rx, workers), RTE_MIN(tx, workers));
    return 0;
}

// What is longer would be lost in the device or the kernel without a word.
static int plan_frames(struct opening *o)
{
    uint16_t mtu;
    int error = rte_eth_dev_get_mtu(o->port->id, &mtu);
    if (error != 0)
        return refuse(o, error, "device does not tell its MTU");
    o->port->frame_max = RTE_MIN(mtu + RTE_ETHER_HDR_LEN, UINT16_MAX);
    return 0;
}

static void plan_offloads(struct opening *o)
{
    const uint64_t rx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    struct port *port = o->port;
    port->rx_udp_checksum = (o->info.rx_offload_capa & rx) == rx;
    uint64_t tx = o->info.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
    port->tx_flags = (tx ? RTE_MBUF_F_TX_IPV4 : 0) |
                     (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM ? RTE_MBUF_F_TX_IP_CKSUM : 0) |
                     (tx & RTE_ETH_TX_OFFLOAD_UDP_CKSUM ? RTE_MBUF_F_TX_UDP_CKSUM : 0);
    port->verify_udp_checksum = o->config->verify_udp_checksum;
    if (port->rx_udp_checksum)
        o->conf.rxmode.offloads |= rx;
    o->conf.txmode.offloads |= tx;
}

static void plan_rss(struct opening *o)
{
    uint8_t len = o->info.hash_key_size ? o->info.hash_key_size : PORT_RSS_KEY_LEN;
    o->rss = o->port->rx_queues > 1 && (o->info.flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_UDP) &&
             o->info.reta_size >= RTE_ETH_RETA_GROUP_SIZE && o->info.reta_size <= RTE_ETH_RSS_RETA_SIZE_512 &&
             len >= PORT_RSS_KEY_LEN && len <= PORT_RSS_KEY_MAX;
    if (!o->rss)
        return;
    port_rss_key(o->key, len);
    o->conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    o->conf.rx_adv_conf.rss_conf.rss_key = o->key;
    o->conf.rx_adv_conf.rss_conf.rss_key_len = len;
    o->conf.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP;
}

static int set_up_queues(struct opening *o, struct rte_mempool *pool)
{
    struct port *port = o->port;
    uint16_t rx_descriptors = (uint16_t)o->config->rx_descriptors;
    uint16_t tx_descriptors = (uint16_t)o->config->tx_descriptors;
    int error = rte_eth_dev_configure(port->id, port->rx_queues, port->tx_queues, &o->conf);
    if (error != 0)
        return refuse(o, error, "device refuses its configuration");
    error = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx_descriptors, &tx_descriptors);
    if (error != 0)
        return refuse(o, error, "device refuses its ring sizes");
    for (uint16_t q = 0; q < port->rx_queues; q++) {
        struct rte_eth_rxconf rx = o->info.default_rxconf;
        rx.offloads = o->conf.rxmode.offloads;
        error = rte_eth_rx_queue_setup(port->id, q, rx_descriptors, (unsigned)port->socket, &rx, pool);
        if (error != 0)
            return refuse(o, error, "receive queue cannot be set up");
    }
    for (uint16_t q = 0; q < port->tx_queues; q++) {
        struct rte_eth_txconf tx = o->info.default_txconf;
        tx.offloads = o->conf.txmode.offloads;
        error = rte_eth_tx_queue_setup(port->id, q, tx_descriptors, (unsigned)port->socket, &tx);
        if (error != 0)
            return refuse(o, error, "transmit queue cannot be set up");
    }
    return 0;
}

// Points each entry of the redirection table at the queue of the worker that owns its bucket.
static int steer(struct opening *o, unsigned workers)
{
    struct rte_eth_rss_reta_entry64 table[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE] = {0};
    unsigned size = o->info.reta_size;
    for (unsigned i = 0; i < size; i++) {
        unsigned worker = port_bucket_worker(port_rss_bucket(i), workers);
        table[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ull << i % RTE_ETH_RETA_GROUP_SIZE;
        table[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
            (uint16_t)(worker % o->port->rx_queues);
    }
    // Not every driver takes the key when it is configured.
    uint8_t has[PORT_RSS_KEY_MAX] = {0};
    struct rte_eth_rss_conf rss = {.rss_key = has, .rss_key_len = sizeof has};
    bool keyed = rte_eth_dev_rss_hash_conf_get(o->port->id, &rss) == 0 &&
                 memcmp(has, o->key, o->conf.rx_adv_conf.rss_conf.rss_key_len) == 0;
    if (!keyed)
        keyed = rte_eth_dev_rss_hash_update(o->port->id, &o->conf.rx_adv_conf.rss_conf) == 0;
    int error = rte_eth_dev_rss_reta_update(o->port->id, table, (uint16_t)size);
    if (error != 0)
        return refuse(o, error, "device refuses the RSS redirection table");
    // With fewer queues than workers, or a table that is blind to a bit of the bucket, hand-off does the
    // rest.
    o->port->steered = keyed && o->port->rx_queues == workers;
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++) {
        unsigned seen = port_rss_bucket(reverse7(b) % size);
        if (port_bucket_worker(seen, workers) != port_bucket_worker(b, workers))
            o->port->steered = false;
    }
    return 0;
}

static int open_port(struct opening *o, unsigned workers, struct rte_mempool *const *pools)
{
    int error = find_device(o);
    if (error == 0)
        error = plan(o, workers);
    if (error != 0)
        return error;
    plan_offloads(o);
    plan_rss(o);
    struct rte_mempool *pool = pools[o->port->socket] ? pools[o->port->socket] : pools[0];
    error = set_up_queues(o, pool);
    if (error == 0)
        error = plan_frames(o);
    if (error != 0)
        return error;
    error = rte_eth_dev_start(o->port->id);
    if (error != 0)
        return refuse(o, error, "device does not start");
    if (o->rss)
        error = steer(o, workers);
    else
        o->port->steered = workers == 1;
    return error;
}

int ports_open(struct ports *out, const struct tl_config *config, struct rte_mempool *const *pools, char *why,
               size_t why_len)
{
    const struct tl_dataplane_config *d = &config->dataplane;
    memset(out, 0, sizeof *out);
    memset(out->by_id, UINT8_MAX, sizeof out->by_id);
    out->workers = d->worker_count;
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++)
        out->bucket_worker[b] = (uint8_t)port_bucket_worker(b, d->worker_count);
    for (uint32_t i = 0; i < d->port_count; i++) {
        struct port *port = &out->port[i];
        struct opening o = {
            .ports = out, .port = port, .config = &d->ports[i], .why = why, .why_len = why_len};
        port->id = UINT16_MAX;
        port->index = (uint16_t)i;
        snprintf(port->name, sizeof port->name, "%s", d->ports[i].name);
        out->count = i + 1; // also what was half opened is closed
        port_bind_realms(port, config, i);
        int error = open_port(&o, d->worker_count, pools);
        if (error != 0) {
            ports_close(out);
            return error;
        }
        out->by_id[port->id] = (uint8_t)i;
    }
    return 0;
}

void ports_close(struct ports *ports)
{
    for (uint32_t i = 0; i < ports->count; i++) {
        uint16_t id = ports->port[i].id;
        if (!rte_eth_dev_is_valid_port(id))
            continue;
        rte_eth_dev_stop(id);
        rte_eth_dev_close(id);
    }
    memset(ports, 0, sizeof *ports);
}

// ---- facts -------------------------------------------------------------------------------------------

int port_stats_read(const struct port *port, struct port_stats *out)
{
    struct rte_eth_stats stats;
    struct rte_eth_link link = {0};
    int error = rte_eth_stats_get(port->id, &stats);
    if (error != 0)
        return error;
    rte_eth_link_get_nowait(port->id, &link);
    *out = (struct port_stats){
        .rx_packets = stats.ipackets,
        .tx_packets = stats.opackets,
        .missed = stats.imissed,
        .errors = stats.ierrors + stats.oerrors,
        .no_mbuf = stats.rx_nombuf,
        .link_up = link.link_status == RTE_ETH_LINK_UP,
    };
    return 0;
}

void port_describe(const struct port *port, const struct tl_config *config, char *line, size_t len)
{
    const uint8_t *m = port->mac.addr_bytes;
    struct rte_eth_link link = {0};
    rte_eth_link_get_nowait(port->id, &link);
    size_t n = (size_t)snprintf(
        line, len,
        "port %s: %s, MAC %02x:%02x:%02x:%02x:%02x:%02x, link %s, %u rx and %u tx queues for %u workers%s, "
        "checksums: ip tx %s, udp rx %s tx %s",
        port->name, config->dataplane.ports[port->index].device, m[0], m[1], m[2], m[3], m[4], m[5],
        link.link_status == RTE_ETH_LINK_UP ? "up" : "down", port->rx_queues, port->tx_queues,
        config->dataplane.worker_count, port->steered ? "" : " with hand-off",
        port->tx_flags & RTE_MBUF_F_TX_IP_CKSUM ? "device" : "software",
        port->rx_udp_checksum       ? "device"
        : port->verify_udp_checksum ? "software"
                                    : "unverified",
        port->tx_flags & RTE_MBUF_F_TX_UDP_CKSUM ? "device" : "software");
    for (uint32_t w = 0; w < config->dataplane.worker_count && n < len; w++) {
        if (port->queue[w].tx == PORT_NO_QUEUE)
            n += (size_t)snprintf(line + n, len - n, "; worker %u sends through worker %u", w,
                                  port->queue[w].tx_owner);
    }
    for (uint32_t i = 0; i < port->realm_count && n < len; i++) {
        const struct tl_realm_config *realm = &config->realms[port->realm[i].realm];
        char ip[INET_ADDRSTRLEN];
        n += (size_t)snprintf(line + n, len - n, "; realm %s %s/%u ports %u-%u", realm->name,
                              inet_ntop(AF_INET, realm->address.ip, ip, sizeof ip), realm->prefix_len,
                              realm->rtp_first, realm->rtp_last);
    }
}
