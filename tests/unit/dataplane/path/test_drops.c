// SPDX-License-Identifier: BSD-3-Clause
// Each reason to drop is raised by something that comes in, is counted under its name and under no other, by
// the worker and, where the leg is known, by the leg. The table must name every reason there is.
#include <string.h>

#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, SEQ = 1000 };

static struct rig rig;
static struct rig_call call;
static struct far theirs, ours; // what leg 0's remote side sends with, and what we send with

enum setup { PLAIN, SRTP_IN, SRTP_OUT, NO_CALL };

static void legs(struct tl_leg leg[2])
{
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
}

static void start(enum setup setup)
{
    struct tl_leg leg[2];
    legs(leg);
    if (setup == SRTP_IN)
        leg[0].rx = theirs.crypto;
    if (setup == SRTP_OUT)
        leg[1].tx = ours.crypto;
    if (setup != NO_CALL)
        call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
}

static unsigned rtp(uint8_t *out, uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    struct rtp_fields f = {.pt = pt, .seq = seq, .ts = 1, .ssrc = ssrc};
    return rtp_write(out, &f, 20);
}

static void payload_from(uint16_t src_port, uint16_t dst_port, const void *payload, unsigned len)
{
    rig_udp(&rig, 0, 0, src_port, dst_port, payload, len);
    rig_turn(&rig);
}

static void payload(const void *data, unsigned len)
{
    payload_from(REMOTE0, PORT0, data, len);
}

static void plain(uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    uint8_t p[PACKET_BYTES_MAX];
    payload(p, rtp(p, pt, ssrc, seq));
}

static void srtp(uint32_t ssrc, uint64_t index)
{
    uint8_t p[PACKET_BYTES_MAX];
    payload(p, far_protect(&theirs, p, rtp(p, 8, ssrc, index), 12, index));
}

// A right frame of 74 bytes in which byte `at` becomes `value`; the IPv4 checksum is made right again if
// `mend`.
static void spoilt(unsigned at, uint8_t value, bool mend)
{
    uint8_t p[PACKET_BYTES_MAX], frame[PACKET_BYTES_MAX];
    unsigned len = rig_udp_write(frame, 0, REMOTE0, PORT0, p, rtp(p, 8, 1, SEQ));
    int old = frame[at] << (at % 2 ? 0 : 8), new = value << (at % 2 ? 0 : 8);
    frame[at] = value;
    if (mend) { // RFC 1624
        uint32_t sum = (frame[24] << 8 | frame[25]) + old - new + 0xffff;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        frame[24] = sum >> 8;
        frame[25] = sum;
    }
    rig_frame(&rig, 0, 0, frame, len, 0);
    rig_turn(&rig);
}

static void runt(void)
{
    uint8_t frame[13] = {0};
    rig_frame(&rig, 0, 0, frame, sizeof frame, 0);
}

static void not_ours(void)
{
    spoilt(5, 99, false);
}

static void echo_rate(void)
{
    uint8_t frame[60] = {2, 0, 0, 1, 0,  2, 2, 0, 0,  2, 0, 10, 8,  0, 0x45, 0, 0, 28,
                         0, 0, 0, 0, 64, 1, 0, 0, 10, 1, 0, 10, 10, 1, 0,    2, 8};
    uint32_t sum = 0;
    for (unsigned i = 14; i < 34; i += 2)
        sum += frame[i] << 8 | frame[i + 1];
    sum = ~(sum + (sum >> 16));
    frame[24] = sum >> 8;
    frame[25] = sum;
    frame[36] = 0xf7, frame[37] = 0xff; // ~0x0800
    for (unsigned i = 0; i < 100000 && rig_drops(&rig, TL_DROP_echo_rate) == 0; i++) {
        rig_frame(&rig, 0, 0, frame, sizeof frame, 0);
        rig_turn(&rig);
    }
    CU_ASSERT(rig.live->workers[0].absorbed >= 100);
}

static void bad_ip(void)
{
    spoilt(24, 0x12, false);
}

static void fragment(void)
{
    spoilt(20, 0x20, true);
}

static void bad_udp(void)
{
    spoilt(39, 9, false);
}

static void bad_checksum(void)
{
    rig.ports.port[0].verify_udp_checksum = true;
    spoilt(60, 9, false);
}

static void unknown_port(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    payload_from(REMOTE0, PORT0 + 2, p, rtp(p, 8, 1, SEQ));
}

static void leg_incomplete(void)
{
    struct tl_leg leg[2];
    legs(leg);
    leg[0].rtp = (struct tl_addr){0};
    call = rig_call(&rig, 0, leg);
    plain(8, 1, SEQ);
}

static void wrong_source(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    payload_from(REMOTE0 + 1, PORT0, p, rtp(p, 8, 1, SEQ));
}

static void former_source(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct tl_leg leg = rig_leg(0, PORT0, REMOTE0 + 40);
    rig_modify(&rig, &call, 0, &leg);
    payload_from(REMOTE0, PORT0, p, rtp(p, 8, 1, SEQ));
}

static void loop(void)
{
    spoilt(29, 2, true); // from the address that it goes to
}

static void too_big(void)
{
    uint8_t p[PACKET_BYTES_MAX] = {0};
    struct tl_leg leg = rig_leg(0, PORT0, REMOTE0);
    leg.max_len = TL_LEN_MIN;
    rig_modify(&rig, &call, 0, &leg);
    rtp(p, 8, 1, SEQ);
    payload(p, TL_LEN_MIN);
    rtp(p, 8, 1, SEQ + 1);
    payload(p, TL_LEN_MIN + 1);
}

// One packet a second: the loose bucket has room for eight of them, the stream's own for one.
static void slowly(void)
{
    struct tl_leg leg = rig_leg(0, PORT0, REMOTE0);
    leg.max_pps = 1;
    leg.burst_ms = TL_BURST_MIN_MS;
    rig_modify(&rig, &call, 0, &leg);
    rig.engine->worker[0]->now_ns += 3600000000000u; // stands still from here on
}

static void flood(void)
{
    uint8_t rr[8] = {0x80, 201, 0, 1}; // no packet of the stream's own bucket
    slowly();
    for (unsigned i = 0; i < 9; i++)
        payload_from(REMOTE0 + 1, PORT0 + 1, rr, sizeof rr);
}

static void over_rate(void)
{
    slowly();
    plain(8, 1, SEQ);
    plain(8, 1, SEQ + 1);
}

static void stun(void)
{
    uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    payload(request, sizeof request);
}

static void dtls(void)
{
    uint8_t hello[13] = {22, 0xfe, 0xfd};
    payload(hello, sizeof hello);
}

static void not_rtp(void)
{
    uint8_t stun_without_cookie[20] = {0, 1};
    payload(stun_without_cookie, sizeof stun_without_cookie);
}

static void bad_rtp(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    unsigned len = rtp(p, 8, 1, SEQ);
    p[0] |= 6; // CSRCs that end behind the packet
    payload(p, len);
}

static void bad_rtcp(void)
{
    uint8_t rr[8] = {0x80, 201, 0, 2};
    payload_from(REMOTE0 + 1, PORT0 + 1, rr, sizeof rr);
}

static void short_srtp(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    rtp(p, 8, 1, SEQ);
    payload(p, 21);
}

static void replayed(void)
{
    srtp(1, SEQ);
    srtp(1, SEQ);
}

static void too_old(void)
{
    srtp(1, SEQ);
    srtp(1, SEQ - 128);
}

static void bad_auth(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    unsigned len = far_protect(&theirs, p, rtp(p, 8, 1, SEQ), 12, SEQ);
    p[20] ^= 1;
    payload(p, len);
}

// Authentic under the same key, but with the MKI of another one.
static void bad_mki(void)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct tl_leg leg[2];
    legs(leg);
    leg[0].rx = theirs.crypto;
    leg[0].rx.mki_len = 1;
    leg[0].rx.mki[0] = 7;
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
    unsigned len = far_protect(&theirs, p, rtp(p, 8, 1, SEQ), 12, SEQ);
    p[len] = 8;
    payload(p, len + 1);
}

static void plain_rtcp(void)
{
    uint8_t rr[28] = {0x80, 201, 0, 6};
    payload_from(REMOTE0 + 1, PORT0 + 1, rr, sizeof rr);
}

static void held(void)
{
    struct tl_leg leg = rig_leg(0, PORT0, REMOTE0);
    leg.flags = TL_LEG_SEND;
    rig_modify(&rig, &call, 0, &leg);
    plain(8, 1, SEQ);
}

static void unknown_pt(void)
{
    plain(9, 1, SEQ);
}

static void other_leg_incomplete(void)
{
    struct tl_leg leg[2];
    legs(leg);
    leg[1].rtp = (struct tl_addr){0};
    call = rig_call(&rig, 0, leg);
    plain(8, 1, SEQ);
}

static void tx_index_used(void)
{
    plain(8, 1, SEQ);
    plain(8, 1, SEQ);
}

static void tx_index_end(void)
{
    struct tl_leg leg[2];
    legs(leg);
    leg[1].tx = ours.crypto;
    leg[1].tx_resume = (struct tl_resume_ssrc){.ssrc = 1, .index = (1ull << 48) - 1};
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
    plain(8, 1, SEQ);
}

static void no_room(void)
{
    uint8_t p[PACKET_BYTES_MAX], frame[PACKET_BYTES_MAX];
    unsigned len = rig_udp_write(frame, 0, REMOTE0, PORT0, p, rtp(p, 8, 1, SEQ));
    rig_frame_at_end(&rig, 0, 0, frame, len);
}

// The longest packet that goes, and one more, which the tag makes too long.
static void too_long(void)
{
    uint8_t p[PACKET_BYTES_MAX] = {0};
    rtp(p, 8, 1, SEQ);
    unsigned sent = rig.sent_count;
    payload(p, 1472 - 16);
    CU_ASSERT_EQUAL(rig.sent_count, sent + 1);
    rtp(p, 8, 1, SEQ + 1);
    payload(p, 1472 - 15);
    CU_ASSERT_EQUAL(rig.sent_count, sent + 1);
}

static void no_route(void)
{
    struct tl_leg leg[2];
    legs(leg);
    memcpy(leg[1].rtp.ip, (uint8_t[]){192, 0, 2, 1}, 4);
    call = rig_call(&rig, 0, leg);
    plain(8, 1, SEQ);
}

static void no_neighbour(void)
{
    rig.silent = true;
    start(PLAIN);
    plain(8, 1, SEQ);
    CU_ASSERT_EQUAL(rig.live->workers[0].waiting, 1);
    for (unsigned i = 0; i < 20; i++) {
        rig.later_ns += 1000000000u;
        rig_turn(&rig);
        if (rig_all_drops(&rig))
            break;
    }
    CU_ASSERT_EQUAL(rig.live->workers[0].waiting, 0);
}

static void neighbour_queue(void)
{
    rig.silent = true;
    start(PLAIN);
    plain(8, 1, SEQ);
    plain(8, 1, SEQ + 1);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_neighbour_queue), 1);
    rig.silent = false;
    rig.later_ns += 300000000u; // the next request
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 1); // the first one waited for the answer
}

static void handoff_full(void)
{
    rig_close(&rig);
    rig_open(&rig, 2, 1); // one queue: worker 1's packets come to worker 0
    static char filler;
    struct rte_ring *ring = rig.engine->worker[1]->handoff;
    uint8_t p[PACKET_BYTES_MAX];
    void *back;
    unsigned other = 0;
    while (rig.ports.bucket_worker[tl_port_bucket(other)] != 1)
        other += 2;
    while (rte_ring_enqueue(ring, &filler) == 0)
        ;
    rig_udp(&rig, 0, 0, REMOTE0, other, p, rtp(p, 8, 1, SEQ));
    worker_step(rig.engine->worker[0]);
    while (rte_ring_dequeue(ring, &back) == 0)
        CU_ASSERT(back == &filler);
}

static void tx_full(void)
{
    rig_block(1, 0);
    plain(8, 1, SEQ);
    rig_unblock(1, 0);
}

static const struct reason {
    enum setup setup;
    void (*raise)(void);
    int leg; // that has it, or -1
} reasons[TL_DROP_COUNT] = {
    [TL_DROP_runt] = {PLAIN, runt, -1},
    [TL_DROP_not_ours] = {PLAIN, not_ours, -1},
    [TL_DROP_echo_rate] = {PLAIN, echo_rate, -1},
    [TL_DROP_bad_ip] = {PLAIN, bad_ip, -1},
    [TL_DROP_fragment] = {PLAIN, fragment, -1},
    [TL_DROP_bad_udp] = {PLAIN, bad_udp, -1},
    [TL_DROP_bad_checksum] = {PLAIN, bad_checksum, -1},
    [TL_DROP_loop] = {PLAIN, loop, -1},
    [TL_DROP_unknown_port] = {PLAIN, unknown_port, -1},
    [TL_DROP_leg_incomplete] = {NO_CALL, leg_incomplete, 0},
    [TL_DROP_wrong_source] = {PLAIN, wrong_source, 0},
    [TL_DROP_former_source] = {PLAIN, former_source, 0},
    [TL_DROP_too_big] = {PLAIN, too_big, 0},
    [TL_DROP_flood] = {PLAIN, flood, 0},
    [TL_DROP_stun] = {PLAIN, stun, 0},
    [TL_DROP_dtls] = {PLAIN, dtls, 0},
    [TL_DROP_not_rtp] = {PLAIN, not_rtp, 0},
    [TL_DROP_bad_rtp] = {PLAIN, bad_rtp, 0},
    [TL_DROP_bad_rtcp] = {PLAIN, bad_rtcp, 0},
    [TL_DROP_short_srtp] = {SRTP_IN, short_srtp, 0},
    [TL_DROP_bad_mki] = {NO_CALL, bad_mki, 0},
    [TL_DROP_replayed] = {SRTP_IN, replayed, 0},
    [TL_DROP_too_old] = {SRTP_IN, too_old, 0},
    [TL_DROP_bad_auth] = {SRTP_IN, bad_auth, 0},
    [TL_DROP_plain_rtcp] = {SRTP_IN, plain_rtcp, 0},
    [TL_DROP_over_rate] = {PLAIN, over_rate, 0},
    [TL_DROP_held] = {PLAIN, held, 0},
    [TL_DROP_unknown_pt] = {PLAIN, unknown_pt, 0},
    [TL_DROP_other_leg_incomplete] = {NO_CALL, other_leg_incomplete, 0},
    [TL_DROP_tx_index_used] = {SRTP_OUT, tx_index_used, 0},
    [TL_DROP_tx_index_end] = {NO_CALL, tx_index_end, 0},
    [TL_DROP_no_room] = {SRTP_OUT, no_room, 0},
    [TL_DROP_too_long] = {SRTP_OUT, too_long, 0},
    [TL_DROP_no_route] = {NO_CALL, no_route, 0},
    [TL_DROP_no_neighbour] = {NO_CALL, no_neighbour, -1},
    [TL_DROP_neighbour_queue] = {NO_CALL, neighbour_queue, 0},
    [TL_DROP_handoff_full] = {NO_CALL, handoff_full, -1},
    [TL_DROP_tx_full] = {PLAIN, tx_full, 0},
};

static void raise_one(unsigned reason)
{
    const struct reason *t = &reasons[reason];
    unsigned failures = CU_get_number_of_failures();
    if (!t->raise) {
        CU_FAIL("no test for a reason");
        printf("     nothing raises %s\n", tl_drop_label(reason));
        return;
    }
    rig_open(&rig, 1, 1);
    call = (struct rig_call){0};
    theirs = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1);
    ours = far_make(rig.srtp, TL_SUITE_AEAD_AES_128_GCM, 1, 2);
    start(t->setup);
    t->raise();
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_drops(&rig, reason), 1);
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 1);
    if (call.session) {
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, reason), t->leg == 0);
        rig_end(&rig, &call);
    }
    far_free(&theirs);
    far_free(&ours);
    rig_close(&rig);
    if (CU_get_number_of_failures() != failures)
        printf("     while raising %s\n", tl_drop_label(reason));
}

static void every_reason_is_raised(void)
{
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        raise_one(i);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"every_reason_is_raised", every_reason_is_raised},
    };
    if (rig_eal())
        return 1;
    int status = test_main("drops", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
