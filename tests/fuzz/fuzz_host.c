// SPDX-License-Identifier: BSD-3-Clause
// Frames that are no media: ARP, ICMP and all else, in one segment or two, at host_input() of
// dataplane/net/host.h. Checksums can be made right, so that what lies behind them is reached.
//
//   input: a byte of switches, a byte of where the second segment begins, the frame
#include <rte_ip.h>

#include "dataplane/net/host.h"
#include "fuzz.h"
#include "rig.h"

enum { ETH = 14, ANSWERED_MIN = 42, FRAME_FULL = 60, TAIL = 64, ECHO_GAP_NS = 1000000, OWN = 64 };

enum {
    TO_US = 1 << 0,
    TO_ALL = 1 << 1,
    ARP = 1 << 2,
    RIGHT_IP = 1 << 3,
    RIGHT_ICMP = 1 << 4,
    CUT = 1 << 5,
    ROOM = 1 << 6
};

static struct rig rig;
static struct host host;
static struct neigh_worker *neigh;
static uint64_t now;

static void end(void)
{
    rig_close(&rig);
    rig_eal_end();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    uint32_t next_hop;
    (void)argc;
    (void)argv;
    if (rig_eal())
        exit(1);
    rig_open(&rig, 1, 1);
    neigh = &rig.engine->worker[0]->neigh;
    host_init(&host, &rig.ports, neigh);
    struct port *port = &rig.ports.port[0];
    FUZZ_MUST(neigh_get(rig.neigh, port, &port->realm[0], RIG_PEER(0), 1, &next_hop) == 0);
    atexit(end);
    return 0;
}

static void put_sum(uint8_t *at, const uint8_t *from, unsigned len)
{
    memset(at, 0, 2);
    uint16_t sum = ~rte_raw_cksum(from, len);
    memcpy(at, &sum, 2);
}

// Makes the frame what the switches say, as far as its length has room for it.
static void mend(unsigned switches, uint8_t *f, unsigned len)
{
    if (switches & TO_US && len >= ETH) {
        if (switches & TO_ALL)
            memset(f, 0xff, 6);
        else
            memcpy(f, (uint8_t[6]){2, 0, 0, 1, 0, 2}, 6);
        f[12] = 8;
        f[13] = switches & ARP ? 6 : 0;
    }
    if (len < ETH + 28 || f[13] != 0)
        return;
    unsigned header = 4 * (f[ETH] & 15), total = f[16] << 8 | f[17];
    if (switches & RIGHT_IP && header >= 20 && ETH + header <= len) {
        uint32_t ip = RIG_IP(0);
        memcpy(f + 30, &ip, 4);
        put_sum(f + 24, f + ETH, header);
    }
    if (switches & RIGHT_ICMP && total >= 28 && ETH + total <= len)
        put_sum(f + 36, f + 34, total - 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    uint8_t frame[PACKET_BYTES_MAX], switches = fuzz_byte(&in), cut = fuzz_byte(&in);
    size_t n = sizeof frame;
    const uint8_t *bytes = fuzz_bytes(&in, &n);
    if (n == 0)
        return 0;
    memcpy(frame, bytes, n);
    mend(switches, frame, n);

    bool two = switches & CUT && cut < n;
    struct rte_mbuf *m = packet_from(rig.pool, frame, two ? cut : n);
    if (two)
        FUZZ_MUST(rte_pktmbuf_chain(m, packet_from(rig.pool, frame + cut, n - cut)) == 0);
    m->port = rig.ports.port[0].id;
    // an answer is padded to a full frame; where none can be, every byte behind the frame is a step too far
    packet_guard(m, switches & ROOM || (n >= ANSWERED_MIN && n < FRAME_FULL) ? TAIL : 0);
    enum tl_drop why = TL_DROP_COUNT;
    now += ECHO_GAP_NS;
    if (host_input(&host, m, now, &why) == HOST_DROP)
        FUZZ_MUST(why < TL_DROP_COUNT);
    packet_unguard(m);
    rte_pktmbuf_free(m);

    struct rte_mbuf *own[OWN];
    neigh_manage(rig.neigh, now);
    rte_pktmbuf_free_bulk(own, neigh_own_frames(neigh, own, OWN));
    return 0;
}
