// SPDX-License-Identifier: BSD-3-Clause
// The manager driven through the contract by a control without SIP, in one process: commands, completions,
// live table, events, and packets over rings.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rig.h"
#include "runner.h"
#include "tests/fakes/fake_control.h"

enum { REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };

static struct rig rig;
static struct fake_control control;

static void dataplane_turn(void *arg)
{
    rig_turn(arg);
}

static void start(unsigned workers, unsigned queues)
{
    rig_open_managed(&rig, workers, queues);
    CU_ASSERT_EQUAL_FATAL(fake_control_open(&control, rig.config->dataplane.socket, dataplane_turn, &rig), 0);
}

static void stop(void)
{
    fake_control_close(&control);
    rig_close(&rig);
}

static void two_legs(struct tl_leg leg[2], unsigned call)
{
    leg[0] = fake_leg("peer", "10.1.0.10", REMOTE0 + 2 * call);
    leg[1] = fake_leg("core", "10.2.0.10", REMOTE1 + 2 * call);
}

static void send_rtp(unsigned port, const struct tl_addr local[2], uint16_t remote, uint32_t ssrc,
                     uint16_t seq)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = ssrc};
    rig_udp(&rig, port, 0, remote, local[port].port, rtp, rtp_write(rtp, &f, PAYLOAD));
}

static void add_media_del(void)
{
    struct tl_leg leg[2];
    struct tl_handle handle;
    struct tl_addr local[2];
    struct tl_leg_counters final[2];
    struct tl_session_snapshot s;
    start(1, 1);
    two_legs(leg, 0);
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 77, leg, &handle, local), 0);
    rig_settle(&rig); // ARP
    CU_ASSERT_EQUAL(handle.incarnation, rig.live->incarnation);
    CU_ASSERT_EQUAL(handle.generation, 1);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t ip = RIG_IP(i);
        CU_ASSERT_EQUAL(local[i].family, TL_AF_INET);
        CU_ASSERT(memcmp(local[i].ip, &ip, 4) == 0);
        CU_ASSERT_EQUAL(local[i].port & 1, 0);
        CU_ASSERT(local[i].port >= rig.config->realms[i].rtp_first &&
                  local[i].port < rig.config->realms[i].rtp_last);
    }
    CU_ASSERT_EQUAL(tl_port_bucket(local[0].port), tl_port_bucket(local[1].port));
    for (unsigned i = 0; i < 20; i++) {
        send_rtp(0, local, REMOTE0, 1, i);
        send_rtp(1, local, REMOTE1, 2, i);
    }
    send_rtp(0, local, REMOTE0 + 2, 1, 20); // another source
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 40);
    CU_ASSERT_EQUAL_FATAL(fake_control_read(&control, &handle, &s), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(s.leg[i].counters.rx_packets, 20);
        CU_ASSERT_EQUAL(s.leg[i].counters.tx_packets, 20);
        CU_ASSERT_NOT_EQUAL(s.leg[i].last_rx_ns, 0);
    }
    CU_ASSERT_EQUAL(s.leg[0].drops[TL_DROP_wrong_source], 1);
    CU_ASSERT_EQUAL(s.call_ref, 77);
    CU_ASSERT_EQUAL(fake_control_del(&control, &handle, final), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(final[i].rx_packets, 20);
        CU_ASSERT_EQUAL(final[i].rx_octets, 20 * 172);
        CU_ASSERT_EQUAL(final[i].tx_packets, 20);
        CU_ASSERT_EQUAL(final[i].drops, i == 0);
    }
    CU_ASSERT_EQUAL(fake_control_read(&control, &handle, &s), -ENOENT);
    CU_ASSERT_EQUAL(fake_control_del(&control, &handle, final), -ENOENT);
    rig_clear(&rig);
    send_rtp(0, local, REMOTE0, 1, 21);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 0);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_port), 1);
    stop();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"add_media_del", add_media_del},
    };
    if (rig_eal())
        return 1;
    int status = test_main("manager", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
