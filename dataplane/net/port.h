// SPDX-License-Identifier: BSD-3-Clause
// The ethdevs that the dataplane drives: which worker owns which queue, what the device computes for us,
// and which media addresses live on it. Made once before the workers start, read-only afterwards.
#pragma once

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"

// A media address on a port. IPv4 addresses and masks are in network byte order.
struct port_realm {
    uint32_t ip;
    uint32_t mask;
    uint32_t gateway; // next hop off-link, 0 = none
    uint16_t realm;   // index into tl_config.realms
    uint16_t rtp_first;
    uint16_t rtp_last;
};

enum { PORT_NO_QUEUE = UINT16_MAX };

// What one worker has of a port. A queue has one owner, for as long as the process lives.
struct port_queue {
    uint16_t rx;       // queue this worker polls, or PORT_NO_QUEUE
    uint16_t tx;       // queue this worker fills, or PORT_NO_QUEUE
    uint16_t tx_owner; // worker that sends for this one: itself when `tx` is a queue
};

struct port {
    uint16_t id; // of the ethdev
    uint16_t index;
    uint16_t rx_queues;
    uint16_t tx_queues;
    uint16_t frame_max; // bytes of the longest frame that its MTU allows
    int socket;         // NUMA node, 0 where the device names none
    struct rte_ether_addr mac;
    // RTE_MBUF_F_TX_* of every media packet: the checksums that the device fills in (IP_CKSUM, UDP_CKSUM;
    // with either IPV4)
    uint64_t tx_flags;
    bool rx_udp_checksum;     // the device marks each UDP packet RTE_MBUF_F_RX_L4_CKSUM_GOOD or _BAD
    bool verify_udp_checksum; // software must look where the device did not
    bool steered;             // RSS brings each port bucket to the worker that owns it
    char name[TL_NAME_MAX];
    struct port_queue queue[TL_WORKERS_MAX];
    uint32_t realm_count;
    struct port_realm realm[TL_REALMS_MAX];
};

struct ports {
    uint32_t count;
    uint32_t workers;
    uint8_t bucket_worker[TL_PORT_BUCKETS]; // who owns the media ports of a bucket, see tl_port_bucket()
    struct port port[TL_PORTS_MAX];         // in the order of the configuration
    uint8_t by_id[RTE_MAX_ETHPORTS];        // ethdev port id to index in port[], UINT8_MAX = not ours
};

enum { PORT_RSS_KEY_LEN = 40, PORT_RSS_KEY_MAX = 52 };

// Opens and starts every port of the configuration: queues for its workers, RSS that leaves only the port
// bucket, checksum offloads, media addresses bound. `pools` has one pool per NUMA node (index = node, NULL
// where there is none; pool 0 always exists). *out belongs to the caller, who ends it with ports_close().
// Returns 0, or -errno with one sentence in `why`; then nothing stays open. Main lcore, before the workers.
int ports_open(struct ports *out, const struct tl_config *config, struct rte_mempool *const *pools, char *why,
               size_t why_len);

// Stops and closes what ports_open() started; safe on a zeroed object. Main lcore, after the workers.
void ports_close(struct ports *ports);

// Which worker of `workers` (1..TL_WORKERS_MAX) owns a bucket (0..TL_PORT_BUCKETS-1): contiguous ranges, so
// that a redirection table of 64 entries, which sees only every second bucket, still splits them. Any thread.
unsigned port_bucket_worker(unsigned bucket, unsigned workers);

// Queue plan of one device with `rx_queues` and `tx_queues` (each 1..workers): fills queue[0..workers-1].
// Worker w gets queue w where there is one; who has none sends through worker w % tx_queues. Any thread.
void port_plan_queues(struct port *port, unsigned workers, unsigned rx_queues, unsigned tx_queues);

// RSS key of `len` bytes (PORT_RSS_KEY_LEN..PORT_RSS_KEY_MAX) with only bit 119 set: the hash of an IPv4 UDP
// packet is then its destination port's low byte with the bits reversed, so that its low seven bits are the
// reversed port bucket. Any thread.
void port_rss_key(uint8_t *key, size_t len);

// Bucket whose packets meet entry `i` of a redirection table of at least 128 entries. Any thread.
unsigned port_rss_bucket(unsigned i);

// Binds the realms that the configuration puts on port `index`. Any thread, before the workers.
void port_bind_realms(struct port *port, const struct tl_config *config, uint32_t index);

// The realm whose media address is `ip` (network byte order) on this port, or NULL. Any thread.
static inline const struct port_realm *port_find_realm(const struct port *port, uint32_t ip)
{
    for (uint32_t i = 0; i < port->realm_count; i++) {
        if (port->realm[i].ip == ip)
            return &port->realm[i];
    }
    return NULL;
}

// Is the address one of our media addresses, on whatever port? `ip` in network byte order. Any thread.
static inline bool ports_own_address(const struct ports *ports, uint32_t ip)
{
    for (uint32_t i = 0; i < ports->count; i++)
        if (port_find_realm(&ports->port[i], ip))
            return true;
    return false;
}

// What the device counts. Fields that its driver does not know are 0.
struct port_stats {
    uint64_t rx_packets;
    uint64_t tx_packets;
    uint64_t missed;  // no room in the receive ring
    uint64_t errors;  // both ways
    uint64_t no_mbuf; // receive without a buffer
    bool link_up;
};

// Reads them. Returns 0 or -errno. Main lcore (some drivers make a system call).
int port_stats_read(const struct port *port, struct port_stats *out);

// One line that says what was opened: name, device, MAC, link, queues and who owns them, offloads, addresses.
void port_describe(const struct port *port, const struct tl_config *config, char *line, size_t len);
