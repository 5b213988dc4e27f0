// SPDX-License-Identifier: BSD-3-Clause
// Rates and quality through the whole dataplane, by a clock that stands still between packets.
#include <string.h>

#include "rig.h"
#include "runner.h"

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160, LEN = 12 + PAYLOAD };

static struct rig rig;
static struct rig_call call;
static struct far theirs;
static struct tl_leg legs[2];

// 50 packets a second of 172 bytes, 200 ms of burst: 11 packets at once, or 88 and a bit before they are
// authenticated.
static void set_up(enum tl_suite suite)
{
    rig_open(&rig, 1, 1);
    legs[0] = rig_leg(0, PORT0, REMOTE0);
    legs[1] = rig_leg(1, PORT1, REMOTE1);
    legs[0].max_pps = 50;
    legs[0].max_bps = 50 * LEN;
    legs[0].burst_ms = 200;
    legs[0].max_len = TL_LEN_MIN;
    if (suite != TL_SUITE_NONE) {
        theirs = far_make(rig.srtp, suite, 1, 1);
        legs[0].rx = theirs.crypto;
        legs[0].max_bps = 50 * (LEN + 16);
    }
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    rig.engine->worker[0]->now_ns += 3600 * SECOND; // ahead of the real clock: it goes when the test says
}

static void tear_down(void)
{
    if (legs[0].rx.suite != TL_SUITE_NONE)
        far_free(&theirs);
    rig_end(&rig, &call);
    rig_close(&rig);
}

static void later(uint64_t ns)
{
    rig.engine->worker[0]->now_ns += ns;
}

static unsigned packet(uint8_t *p, uint16_t seq)
{
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = 7};
    unsigned len = rtp_write(p, &f, PAYLOAD);
    return legs[0].rx.suite == TL_SUITE_NONE ? len : far_protect(&theirs, p, len, 12, seq);
}

static void deliver(uint16_t seq)
{
    uint8_t p[PACKET_BYTES_MAX];
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, packet(p, seq));
    rig_turn(&rig);
}

// What was relayed since the last time.
static unsigned relayed(void)
{
    unsigned n = rig.sent_count;
    rig_clear(&rig);
    return n;
}

static const enum tl_suite suites[] = {TL_SUITE_NONE, TL_SUITE_AES_CM_128_HMAC_SHA1_80,
                                       TL_SUITE_AEAD_AES_128_GCM};

// ---- rates -------------------------------------------------------------------------------------------

static void its_rate_passes(void)
{
    for (unsigned s = 0; s < RTE_DIM(suites); s++) {
        set_up(suites[s]);
        for (uint16_t seq = 0; seq < 500; seq++, later(20 * MS))
            deliver(seq);
        CU_ASSERT_EQUAL(relayed(), 500);
        later(SECOND);
        for (uint16_t seq = 500; seq < 511; seq++) // a stall of 200 ms, all at once
            deliver(seq);
        CU_ASSERT_EQUAL(relayed(), 11);
        CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
        tear_down();
    }
}

static void twice_its_rate_loses_half(void)
{
    for (unsigned s = 0; s < RTE_DIM(suites); s++) {
        set_up(suites[s]);
        for (uint16_t seq = 0; seq < 600; seq++, later(10 * MS)) {
            deliver(seq);
            if (seq == 99)
                relayed(); // the burst is spent
        }
        unsigned n = relayed(), over = rig_leg_drops(&call, 0, TL_DROP_over_rate);
        CU_ASSERT(n >= 249 && n <= 252);
        CU_ASSERT(over >= 285 && over <= 300);
        CU_ASSERT_EQUAL(rig_all_drops(&rig), over);
        tear_down();
    }
}

// Packets of the right rate that are twice as long as agreed.
static void bandwidth_counts(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    set_up(TL_SUITE_NONE);
    legs[0].max_len = TL_LEN_MAX;
    rig_modify(&rig, &call, 0, &legs[0]);
    for (uint16_t seq = 0; seq < 500; seq++, later(20 * MS)) {
        struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = 7};
        rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, rtp_write(p, &f, 2 * LEN - 12));
        rig_turn(&rig);
    }
    unsigned n = relayed();
    CU_ASSERT(n >= 250 && n <= 263);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_over_rate), 500 - n);
    tear_down();
}

// MODIFY to another rate holds at once, either way.
static void modified_rate(void)
{
    uint16_t seq = 0;
    set_up(TL_SUITE_NONE);
    legs[0].max_pps = 200;
    legs[0].max_bps = 200 * LEN;
    rig_modify(&rig, &call, 0, &legs[0]);
    for (; seq < 400; seq++, later(5 * MS))
        deliver(seq);
    CU_ASSERT_EQUAL(relayed(), 400);
    legs[0].max_pps = 50;
    legs[0].max_bps = 50 * LEN;
    rig_modify(&rig, &call, 0, &legs[0]);
    for (; seq < 800; seq++, later(5 * MS))
        deliver(seq);
    unsigned n = relayed();
    CU_ASSERT(n >= 100 && n <= 112);
    tear_down();
}

static void rtcp_takes_of_the_bandwidth_only(void)
{
    uint8_t rr[32] = {0x81, 201, 0, 7};
    set_up(TL_SUITE_NONE);
    for (uint16_t seq = 0; seq < 11; seq++) // all packets that the burst has
        deliver(seq);
    deliver(11);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_over_rate), 1);
    CU_ASSERT_EQUAL(relayed(), 11);
    for (unsigned i = 0; i < 10;
         i++) { // 200 ms and one packet of 200 bytes: 1,920 bytes less 11 * 172 are 28
        rig_udp(&rig, 0, 0, REMOTE0 + 1, PORT0 + 1, rr, i < 3 ? 8 : 32);
        rr[0] = i < 2 ? 0x80 : 0x81;
        rr[3] = i < 2 ? 1 : 7;
        rig_turn(&rig);
    }
    CU_ASSERT(relayed() <= 3);
    later(SECOND);
    rig_udp(&rig, 0, 0, REMOTE0 + 1, PORT0 + 1, rr, 32);
    rig_turn(&rig);
    CU_ASSERT_EQUAL(relayed(), 1);
    tear_down();
}

// ---- what must not cost the stream -------------------------------------------------------------------

// Forgeries from the right source: eight times the rate is looked at, the rest is refused unseen, and none of
// it costs the stream's own buckets.
static void forgeries(void)
{
    for (unsigned s = 1; s < RTE_DIM(suites); s++) {
        uint8_t p[PACKET_BYTES_MAX];
        set_up(suites[s]);
        unsigned len = packet(p, 1000);
        p[20] ^= 1;
        for (unsigned i = 0; i < 1000; i++) {
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
            if (i % 32 == 31)
                rig_turn(&rig);
        }
        rig_settle(&rig);
        unsigned bad = rig_leg_drops(&call, 0, TL_DROP_bad_auth),
                 flood = rig_leg_drops(&call, 0, TL_DROP_flood);
        CU_ASSERT(bad >= 88 && bad <= 90); // 220 ms in eighths of 20 ms
        CU_ASSERT_EQUAL(bad + flood, 1000);
        later(30 * MS); // room for 12 packets before authentication
        for (uint16_t seq = 0; seq < 11; seq++)
            deliver(seq);
        CU_ASSERT_EQUAL(relayed(), 11);
        tear_down();
    }
}

// Copies of a right packet, one by one and in the same burst: replays, and the stream has its whole burst.
static void copies(void)
{
    for (unsigned s = 1; s < RTE_DIM(suites); s++) {
        uint8_t p[PACKET_BYTES_MAX];
        set_up(suites[s]);
        deliver(0); // so that what comes in one burst is authenticated together
        later(20 * MS);
        unsigned len = packet(p, 1);
        for (unsigned i = 0; i < 30; i++) // fewer than a burst of the worker's
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
        rig_turn(&rig);
        for (unsigned i = 0; i < 10; i++) {
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
            rig_turn(&rig);
        }
        CU_ASSERT_EQUAL(relayed(), 2);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 39);
        for (uint16_t seq = 2; seq < 12; seq++)
            deliver(seq);
        CU_ASSERT_EQUAL(relayed(), 10);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_over_rate), 0);
        tear_down();
    }
}

// Strangers cost nothing at all, and one leg's flood is not the other's.
static void strangers_and_the_other_leg(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    set_up(TL_SUITE_NONE);
    unsigned len = packet(p, 0);
    for (unsigned i = 0; i < 500; i++) {
        rig_udp(&rig, 0, 0, REMOTE0 + 4, PORT0, p, len);
        rig_turn(&rig);
    }
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_wrong_source), 500);
    for (uint16_t seq = 0; seq < 11; seq++)
        deliver(seq);
    CU_ASSERT_EQUAL(relayed(), 11);
    for (unsigned i = 0; i < 500; i++)
        deliver(i);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_over_rate), 500);
    CU_ASSERT_EQUAL(relayed(), 0);
    for (uint16_t seq = 0; seq < 20; seq++) {
        struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = 9};
        rig_udp(&rig, 1, 0, REMOTE1, PORT1, p, rtp_write(p, &f, PAYLOAD));
        rig_turn(&rig);
    }
    CU_ASSERT_EQUAL(relayed(), 20);
    tear_down();
}

// A sender above its rate while its sequence number goes round twice: what passes behind it is authentic.
static void overload_keeps_the_index(void)
{
    set_up(TL_SUITE_AES_CM_128_HMAC_SHA1_80);
    legs[0].max_pps = 1; // hardly anything passes
    legs[0].burst_ms = TL_BURST_MIN_MS;
    rig_modify(&rig, &call, 0, &legs[0]);
    for (uint64_t index = 0; index <= 140000; index += 20000) {
        uint8_t p[PACKET_BYTES_MAX];
        struct rtp_fields f = {.pt = 8, .seq = (uint16_t)index, .ts = 0, .ssrc = 7};
        unsigned len = far_protect(&theirs, p, rtp_write(p, &f, PAYLOAD), 12, index);
        if (index == 140000)
            later(2 * SECOND);
        rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
        rig_turn(&rig);
    }
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_over_rate), 6);
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 6);
    CU_ASSERT_EQUAL(relayed(), 2);
    tear_down();
}

// ---- quality -----------------------------------------------------------------------------------------

static void expect_quality(uint32_t lost, uint32_t reordered, uint32_t duplicates, uint32_t gap_ms)
{
    struct tl_leg_counters n;
    tl_live_counters(call.live, 0, &n);
    CU_ASSERT_EQUAL(n.lost, lost);
    CU_ASSERT_EQUAL(n.reordered, reordered);
    CU_ASSERT_EQUAL(n.duplicates, duplicates);
    CU_ASSERT_EQUAL(n.gap_ms, gap_ms);
    if (n.lost != lost || n.reordered != reordered || n.duplicates != duplicates || n.gap_ms != gap_ms)
        printf("     lost %u, reordered %u, duplicates %u, gap %u ms\n", n.lost, n.reordered, n.duplicates,
               n.gap_ms);
}

static void quality_of_a_stream(void)
{
    static const uint16_t order[] = {65533, 65534, 0, 65535, 1, 2, 2, 4, 5};
    for (unsigned s = 0; s < RTE_DIM(suites); s++) {
        set_up(suites[s]);
        for (unsigned i = 0; i < RTE_DIM(order); i++, later(20 * MS)) {
            uint8_t p[PACKET_BYTES_MAX];
            struct rtp_fields f = {.pt = 8, .seq = order[i], .ts = 160u * i, .ssrc = 7};
            unsigned len = rtp_write(p, &f, PAYLOAD);
            if (suites[s] != TL_SUITE_NONE)
                len = far_protect(&theirs, p, len, 12, order[i] + (order[i] < 100 ? 65536u : 0));
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
            rig_turn(&rig);
        }
        expect_quality(1, 1, suites[s] == TL_SUITE_NONE, suites[s] == TL_SUITE_NONE ? 20 : 40);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), suites[s] != TL_SUITE_NONE);
        CU_ASSERT_EQUAL(call.live->rx[0].octets % (RTE_DIM(order) - (suites[s] != TL_SUITE_NONE)), 0);
        tear_down();
    }
}

// A hold of a minute, in which the far side may go on or not: neither a gap nor a loss.
static void quality_over_a_hold(void)
{
    for (unsigned goes_on = 0; goes_on < 2; goes_on++) {
        uint16_t seq = 0;
        set_up(TL_SUITE_NONE);
        for (; seq < 20; seq++, later(20 * MS))
            deliver(seq);
        legs[0].flags = TL_LEG_SEND;
        rig_modify(&rig, &call, 0, &legs[0]);
        for (unsigned i = 0; i < 3000; i++, later(20 * MS))
            if (goes_on)
                deliver(seq++);
        legs[0].flags = TL_LEG_SEND | TL_LEG_RECV;
        rig_modify(&rig, &call, 0, &legs[0]);
        for (unsigned i = 0; i < 20; i++, later(20 * MS))
            deliver(seq++);
        expect_quality(0, 0, 0, 20);
        CU_ASSERT_EQUAL(call.live->rx[0].packets, 40);
        later(480 * MS);
        deliver(seq + 3); // behind it, loss and gaps count as before
        expect_quality(3, 0, 0, 500);
        tear_down();
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"its_rate_passes", its_rate_passes},
        {"twice_its_rate_loses_half", twice_its_rate_loses_half},
        {"bandwidth_counts", bandwidth_counts},
        {"modified_rate", modified_rate},
        {"rtcp_takes_of_the_bandwidth_only", rtcp_takes_of_the_bandwidth_only},
        {"forgeries", forgeries},
        {"copies", copies},
        {"strangers_and_the_other_leg", strangers_and_the_other_leg},
        {"overload_keeps_the_index", overload_keeps_the_index},
        {"quality_of_a_stream", quality_of_a_stream},
        {"quality_over_a_hold", quality_over_a_hold},
    };
    if (rig_eal())
        return 1;
    int status = test_main("policing", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
