// SPDX-License-Identifier: BSD-3-Clause
// Packets through all stages: plain RTP and RTCP between two legs.
#include <string.h>

#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };

static struct rig rig;

static void both(struct tl_leg leg[2])
{
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
}

static void send_rtp(unsigned port, const struct rtp_fields *f)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    unsigned len = rtp_write(rtp, f, PAYLOAD);
    rig_udp(&rig, port, 0, port ? REMOTE1 : REMOTE0, port ? PORT1 : PORT0, rtp, len);
}

static bool payload_right(const struct rig_sent *s, uint32_t ssrc, uint16_t seq)
{
    for (unsigned i = 0; i < PAYLOAD; i++)
        if (s->udp.payload[12 + i] != rtp_payload_byte(ssrc, seq, i))
            return false;
    return s->udp.len == 12 + PAYLOAD;
}

static void plain_both_ways(void)
{
    struct tl_leg leg[2];
    both(leg);
    rig_open(&rig, 1, 1);
    struct rig_call call = rig_call(&rig, 3, leg);
    for (unsigned i = 0; i < 50; i++)
        for (unsigned port = 0; port < 2; port++) {
            struct rtp_fields f = {
                .pt = 8, .marker = i == 0, .seq = 65500 + i, .ts = 160 * i, .ssrc = 100 + port};
            send_rtp(port, &f);
            rig_turn(&rig);
        }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 100);
    unsigned next[2] = {0, 0};
    for (unsigned k = 0; k < rig.sent_count; k++) {
        const struct rig_sent *s = &rig.sent[k];
        unsigned from = !s->port;
        struct rtp_fields f = rtp_read(s->udp.payload);
        CU_ASSERT_EQUAL(s->udp.src_port, s->port ? PORT1 : PORT0);
        CU_ASSERT_EQUAL(s->udp.dst_port, s->port ? REMOTE1 : REMOTE0);
        CU_ASSERT_EQUAL(f.pt, 8);
        CU_ASSERT_EQUAL(f.marker, next[from] == 0);
        CU_ASSERT_EQUAL(f.ssrc, 100 + from);
        CU_ASSERT_EQUAL(f.seq, (uint16_t)(65500 + next[from]));
        CU_ASSERT_EQUAL(f.ts, 160 * next[from]);
        CU_ASSERT(payload_right(s, f.ssrc, f.seq));
        next[from]++;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct tl_live_leg *l = &call.session->live->leg[i];
        CU_ASSERT_EQUAL(l->rx_packets, 50);
        CU_ASSERT_EQUAL(l->tx_packets, 50);
        CU_ASSERT_EQUAL(l->rx_octets, 50 * 172);
        CU_ASSERT_EQUAL(l->tx_octets, 50 * 172);
        CU_ASSERT_EQUAL(l->tx.ssrc, 100u + !i);
        CU_ASSERT_EQUAL(srtp_word_index(l->tx.word), 65500 + 49); // past the wrap
    }
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
    rig_end(&rig, &call);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"plain_both_ways", plain_both_ways},
    };
    if (rig_eal())
        return 1;
    int status = test_main("relay", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
