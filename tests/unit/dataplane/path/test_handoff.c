// SPDX-License-Identifier: BSD-3-Clause
// Two workers and queues that nothing steers: about half of the packets come to the wrong one and are handed
// over, each stream stays in order, and the counters of both add up.
#include <string.h>

#include "rig.h"
#include "runner.h"

enum { CALLS = 16, COUNT = 100, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 40 };

static struct rig rig;
static struct rig_call call[CALLS];
static uint16_t port[CALLS][2];

static void set_up(unsigned queues)
{
    rig_open(&rig, 2, queues);
    for (unsigned i = 0; i < CALLS; i++) {
        port[i][0] = 20000 + 30 * i;
        port[i][1] = 30000;
        while (tl_port_bucket(port[i][1]) != tl_port_bucket(port[i][0]))
            port[i][1] += 2;
        struct tl_leg leg[2] = {rig_leg(0, port[i][0], REMOTE0 + 2 * i),
                                rig_leg(1, port[i][1], REMOTE1 + 2 * i)};
        call[i] = rig_call(&rig, i, leg);
    }
    rig_settle(&rig);
    rig_clear(&rig);
}

static unsigned calls_of(unsigned worker)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CALLS; i++)
        n += rig.ports.bucket_worker[tl_port_bucket(port[i][0])] == worker;
    return n;
}

static void send_rtp(unsigned i, unsigned from, unsigned queue, uint16_t seq)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = seq, .ssrc = i};
    unsigned len = rtp_write(p, &f, PAYLOAD);
    rig_udp(&rig, from, queue, (from ? REMOTE1 : REMOTE0) + 2 * i, port[i][from], p, len);
}

// Every stream complete and in order.
static void check_order(unsigned count)
{
    uint16_t next[CALLS][2] = {{0}};
    unsigned wrong = 0;
    CU_ASSERT_EQUAL(rig.sent_count, CALLS * 2 * count);
    for (unsigned k = 0; k < rig.sent_count; k++) {
        const struct rig_sent *s = &rig.sent[k];
        struct rtp_fields f = rtp_read(s->udp.payload);
        wrong += f.ssrc >= CALLS || f.seq != next[f.ssrc % CALLS][s->port]++;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
}

// Each direction of a call stays on one queue, chosen without regard to who owns it.
static void half_is_handed_off(void)
{
    set_up(2);
    CU_ASSERT(calls_of(0) >= CALLS / 4 && calls_of(1) >= CALLS / 4);
    struct tl_live_worker *w = rig.live->workers;
    uint64_t nic = w[0].rx_nic + w[1].rx_nic;
    for (unsigned n = 0; n < COUNT; n++) {
        for (unsigned i = 0; i < CALLS; i++)
            for (unsigned from = 0; from < 2; from++)
                send_rtp(i, from, (i + from) % 2, n);
        if (n % 3 == 0) // a turn of one, of the other, of both
            worker_step(rig.engine->worker[n / 3 % 2]);
        else if (n % 3 == 1)
            rig_turn(&rig);
        if (n % 3 == 0)
            rig_turn(&rig);
    }
    rig_settle(&rig);
    check_order(COUNT);
    nic = w[0].rx_nic + w[1].rx_nic - nic;
    CU_ASSERT_EQUAL(nic, CALLS * 2 * COUNT);
    uint64_t off = w[0].handed_off + w[1].handed_off;
    CU_ASSERT_EQUAL(off, w[0].rx_handoff + w[1].rx_handoff);
    CU_ASSERT(off > nic * 2 / 5 && off < nic * 3 / 5);
    CU_ASSERT(w[0].handed_off > 0 && w[1].handed_off > 0);
    for (unsigned i = 0; i < CALLS; i++)
        rig_end(&rig, &call[i]);
    rig_close(&rig); // asserts the identity of each worker
}

// One queue: worker 1 receives nothing itself and sends through worker 0.
static void one_queue_for_two(void)
{
    set_up(1);
    for (unsigned n = 0; n < COUNT; n++) {
        for (unsigned i = 0; i < CALLS; i++)
            for (unsigned from = 0; from < 2; from++)
                send_rtp(i, from, 0, n);
        rig_turn(&rig);
    }
    rig_settle(&rig);
    check_order(COUNT);
    struct tl_live_worker *w = rig.live->workers;
    CU_ASSERT_EQUAL(w[1].rx_nic, 0);
    CU_ASSERT_EQUAL(w[1].tx, 0);
    CU_ASSERT_EQUAL(w[1].rx_handoff, calls_of(1) * 2 * COUNT);
    CU_ASSERT_EQUAL(w[1].handed_off, w[1].rx_handoff); // all of them go back to be sent
    for (unsigned i = 0; i < CALLS; i++) {
        CU_ASSERT_EQUAL(call[i].live->tx[0].packets, COUNT);
        CU_ASSERT_EQUAL(call[i].live->tx[1].packets, COUNT);
        rig_end(&rig, &call[i]);
    }
    rig_close(&rig);
}

// The ring to the worker that would send it is full: the packet is dropped by name, on its leg, too.
static void transmit_ring_full(void)
{
    set_up(1);
    static char filler;
    struct rte_ring *ring = rig.engine->worker[0]->transmit;
    unsigned i = 0;
    while (rig.ports.bucket_worker[tl_port_bucket(port[i][0])] != 1)
        i++;
    void *back;
    send_rtp(i, 0, 0, 1);
    worker_step(rig.engine->worker[0]);
    while (rte_ring_enqueue(ring, &filler) == 0)
        ;
    worker_step(rig.engine->worker[1]);
    while (rte_ring_dequeue(ring, &back) == 0)
        CU_ASSERT(back == &filler);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 0);
    CU_ASSERT_EQUAL(rig_leg_drops(&call[i], 0, TL_DROP_handoff_full), 1);
    CU_ASSERT_EQUAL(call[i].live->tx[1].packets, 0);
    for (unsigned k = 0; k < CALLS; k++)
        rig_end(&rig, &call[k]);
    rig_close(&rig);
}

// A packet waits for ARP at a worker that has no queue, and when the answer comes the ring to the sender is
// full: it is in one place of the counters all the time.
static void waits_and_finds_a_full_ring(void)
{
    enum { RTP_PORT = 20200 };
    struct tl_leg leg[2] = {rig_leg(0, RTP_PORT, REMOTE0), rig_leg(1, 30000, REMOTE1)};
    while (tl_port_bucket(leg[1].local_port) != tl_port_bucket(RTP_PORT))
        leg[1].local_port += 2;
    rig_open(&rig, 2, 1);
    rig.silent = true;
    CU_ASSERT_EQUAL_FATAL(rig.ports.bucket_worker[tl_port_bucket(RTP_PORT)], 1);
    struct rig_call one = rig_call(&rig, 0, leg);
    struct worker **w = rig.engine->worker;
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = 1, .ssrc = 1};
    rig_udp(&rig, 0, 0, REMOTE0, RTP_PORT, p, rtp_write(p, &f, PAYLOAD));
    rig_settle(&rig);
    CU_ASSERT_EQUAL(w[1]->live->waiting, 1);
    rig.silent = false;
    for (unsigned i = 0; i < 4; i++) { // worker 0 asks and hears the answer, worker 1 stands still
        neigh_manage(rig.neigh, w[0]->now_ns + 300000000u);
        worker_step(w[0]);
        rig_collect(&rig);
    }
    CU_ASSERT_FATAL((neigh_load(rig.engine->neigh, one.session->leg[1].terms.rtp_hop) & NEIGH_VALID) != 0);
    static char filler;
    void *back;
    while (rte_ring_enqueue(w[0]->transmit, &filler) == 0)
        ;
    worker_step(w[1]);
    while (rte_ring_dequeue(w[0]->transmit, &back) == 0)
        CU_ASSERT(back == &filler);
    CU_ASSERT_EQUAL(w[1]->live->waiting, 0);
    CU_ASSERT_EQUAL(w[1]->live->handed_off, 0);
    CU_ASSERT_EQUAL(w[1]->live->drops[TL_DROP_handoff_full], 1);
    rig_end(&rig, &one);
    rig_close(&rig); // asserts the identity of each worker
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"half_is_handed_off", half_is_handed_off},
        {"one_queue_for_two", one_queue_for_two},
        {"transmit_ring_full", transmit_ring_full},
        {"waits_and_finds_a_full_ring", waits_and_finds_a_full_ring},
    };
    if (rig_eal())
        return 1;
    int status = test_main("handoff", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
