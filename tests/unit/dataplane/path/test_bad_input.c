// SPDX-License-Identifier: BSD-3-Clause
// What has no business on a media port, each by its own name, through the whole dataplane: guarded at its
// last byte, counted by the worker and, where there is one, by the leg.
#include <string.h>

#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, MAX_LEN = 300, RELAYED = TL_DROP_COUNT };

static struct rig rig;
static struct rig_call call;

enum on { RTP_PORT, RTCP_PORT, MUX };

// A call on which 2 + 2 bytes or more of media are at most MAX_LEN bytes long.
static void set_up(enum on on)
{
    struct tl_leg leg[2] = {rig_leg(0, PORT0, REMOTE0), rig_leg(1, PORT1, REMOTE1)};
    leg[0].max_len = MAX_LEN;
    if (on == MUX)
        leg[0].flags |= TL_LEG_RTCP_MUX;
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
}

static void tear_down(void)
{
    rig_end(&rig, &call);
    rig_close(&rig);
}

static void expect(const char *what, enum on on, const void *payload, unsigned len, unsigned want)
{
    unsigned odd = on == RTCP_PORT, failures = CU_get_number_of_failures(), got = RELAYED + 1;
    uint64_t before = want < RELAYED ? rig_drops(&rig, want) : 0, all = rig_all_drops(&rig);
    uint32_t leg = want < RELAYED ? rig_leg_drops(&call, 0, want) : 0;
    rig_udp(&rig, 0, 0, REMOTE0 + odd, PORT0 + odd, payload, len);
    rig_turn(&rig);
    CU_ASSERT_EQUAL(rig_all_drops(&rig) - all, want < RELAYED ? 1 : 0);
    CU_ASSERT_EQUAL(rig.sent_count, want == RELAYED ? 1 : 0);
    if (want < RELAYED) {
        CU_ASSERT_EQUAL(rig_drops(&rig, want) - before, 1);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, want) - leg, 1);
    }
    if (CU_get_number_of_failures() == failures)
        return;
    for (unsigned r = 0; r < TL_DROP_COUNT; r++) // the last one counted, roughly
        if (rig_leg_drops(&call, 0, r))
            got = r;
    printf("     %s: not %s; counted so far up to %s\n", what,
           want < RELAYED ? tl_drop_label(want) : "relayed", got < RELAYED ? tl_drop_label(got) : "nothing");
    rig_clear(&rig);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct sample {
    const char *what;
    const uint8_t *bytes;
    unsigned len;
    unsigned on_rtp, on_rtcp, on_mux;
};

// Heads of real protocols, and what only looks like them.
#define STUN_COOKIE    0x21, 0x12, 0xa4, 0x42
#define TRANSACTION    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
#define DTLS_HEADER(t) t, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0

static void protocols(void)
{
    const unsigned not_rtp = TL_DROP_not_rtp, stun = TL_DROP_stun, dtls = TL_DROP_dtls,
                   bad_rtcp = TL_DROP_bad_rtcp, bad_rtp = TL_DROP_bad_rtp, none = RELAYED;
    const struct sample samples[] = {
        {"empty", BYTES(0), not_rtp, not_rtp, not_rtp},
        {"one byte of RTP", BYTES(0x80), not_rtp, not_rtp, not_rtp},
        {"STUN binding request", BYTES(0, 1, 0, 0, STUN_COOKIE, TRANSACTION), stun, stun, stun},
        {"STUN binding response with an attribute",
         BYTES(1, 1, 0, 8, STUN_COOKIE, TRANSACTION, 0, 32, 0, 4, 1, 2, 3, 4), stun, stun, stun},
        {"STUN of RFC 3489, no cookie", BYTES(0, 1, 0, 0, 1, 2, 3, 4, TRANSACTION), not_rtp, not_rtp,
         not_rtp},
        {"STUN cut short", BYTES(0, 1, 0, 0, STUN_COOKIE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), not_rtp,
         not_rtp, not_rtp},
        {"a STUN cookie behind another first byte", BYTES(4, 1, 0, 0, STUN_COOKIE, TRANSACTION), not_rtp,
         not_rtp, not_rtp},
        {"DTLS change cipher spec", BYTES(DTLS_HEADER(20)), dtls, dtls, dtls},
        {"DTLS client hello", BYTES(DTLS_HEADER(22), 1, 0, 0, 44), dtls, dtls, dtls},
        {"DTLS, last of its range", BYTES(63), dtls, dtls, dtls},
        {"ZRTP", BYTES(16, 0, 0, 1, 'Z', 'R', 'T', 'P', 0, 0, 0, 1), not_rtp, not_rtp, not_rtp},
        {"below DTLS", BYTES(19, 0, 0), not_rtp, not_rtp, not_rtp},
        {"TURN channel", BYTES(64, 1, 0, 4, 1, 2, 3, 4), not_rtp, not_rtp, not_rtp},
        {"version 1", BYTES(0x40, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xd5), not_rtp, not_rtp, not_rtp},
        {"version 3", BYTES(0xc0, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xd5), not_rtp, not_rtp, not_rtp},
        {"SIP", BYTES('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '), not_rtp, not_rtp, not_rtp},
        {"text", BYTES('h', 'e', 'l', 'l', 'o'), not_rtp, not_rtp, not_rtp},
        {"RTP", BYTES(0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xd5), none, not_rtp, none},
        {"RTP of 11 bytes", BYTES(0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0), bad_rtp, not_rtp, bad_rtp},
        // without mux the RTP port knows no RTCP: these are RTP that is too short
        {"RTCP receiver report", BYTES(0x80, 201, 0, 1, 0, 0, 0, 1), bad_rtp, none, none},
        {"RTCP of 7 bytes", BYTES(0x80, 201, 0, 1, 0, 0, 0), bad_rtp, bad_rtcp, bad_rtcp},
        {"RTCP of 2 bytes", BYTES(0x80, 201), bad_rtp, bad_rtcp, bad_rtcp},
    };
    for (enum on on = RTP_PORT; on <= MUX; on++) {
        set_up(on);
        for (unsigned i = 0; i < RTE_DIM(samples); i++) {
            const struct sample *s = &samples[i];
            unsigned want = on == RTP_PORT ? s->on_rtp : on == RTCP_PORT ? s->on_rtcp : s->on_mux;
            expect(s->what, on, s->bytes, i == 0 ? 0 : s->len, want);
            rig_clear(&rig);
        }
        tear_down();
    }
}

// RFC 3550 5.1: headers whose parts do not fit the packet.
static void rtp_that_lies(void)
{
    const unsigned bad = TL_DROP_bad_rtp, none = RELAYED;
    static const struct {
        const char *what;
        uint8_t first;
        unsigned len;
        uint8_t at[2], value[2]; // further bytes; 0: none
        bool good;
    } table[] = {
        {"a CSRC too many", 0x82, 12 + 7, {0}, {0}, false},
        {"CSRCs that just fit", 0x82, 12 + 8, {0}, {0}, true},
        {"15 CSRCs", 0x8f, 12 + 59, {0}, {0}, false},
        {"an extension without room for its head", 0x90, 12 + 3, {0}, {0}, false},
        {"an empty extension", 0x90, 12 + 4, {0}, {0}, true},
        {"an extension of one word too many", 0x90, 12 + 4 + 8, {15}, {3}, false},
        {"an extension that fits", 0x90, 12 + 4 + 8, {15}, {2}, true},
        {"an extension of 65,535 words", 0x90, 12 + 4 + 8, {14, 15}, {255, 255}, false},
        {"padding of nothing", 0xa0, 12 + 8, {19}, {0}, false},
        {"padding of one byte", 0xa0, 12 + 8, {19}, {1}, true},
        {"all of it padding", 0xa0, 12 + 8, {19}, {8}, true},
        {"padding into the header", 0xa0, 12 + 8, {19}, {9}, false},
        {"padding of 255", 0xa0, 12 + 8, {19}, {255}, false},
        {"padding without a payload", 0xa0, 12, {11}, {4}, false},
        {"padding into the extension", 0xb0, 12 + 8 + 4, {15, 23}, {1, 5}, false},
        {"padding behind an extension", 0xb0, 12 + 8 + 4, {15, 23}, {1, 4}, true},
    };
    set_up(RTP_PORT);
    for (unsigned i = 0; i < RTE_DIM(table); i++) {
        uint8_t p[100] = {table[i].first, 8, 0, (uint8_t)(i + 1), 0, 0, 0, 1, 0, 0, 0, 1};
        for (unsigned k = 0; k < 2 && table[i].at[k]; k++)
            p[table[i].at[k]] = table[i].value[k];
        expect(table[i].what, RTP_PORT, p, table[i].len, table[i].good ? none : bad);
        rig_clear(&rig);
    }
    tear_down();
}

// RFC 3550 6.1: compounds whose lengths do not add up, on the RTCP port and muxed. The first packet's type is
// at byte 1, its length in words less one at bytes 2 and 3.
static void rtcp_that_lies(void)
{
    static const struct {
        const char *what;
        uint8_t bytes[44];
        unsigned len;
        bool good;
    } table[] = {
        {"RR", {0x80, 201, 0, 1, 0, 0, 0, 1}, 8, true},
        {"length one word short", {0x80, 201, 0, 0, 0, 0, 0, 1}, 8, false},
        {"length one word long", {0x80, 201, 0, 2, 0, 0, 0, 1}, 8, false},
        {"length of 65,535 words", {0x80, 201, 255, 255, 0, 0, 0, 1}, 8, false},
        {"three bytes behind it", {0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0, 0}, 11, false},
        {"a second one of version 1", {0x80, 201, 0, 1, 0, 0, 0, 1, 0x40, 201, 0, 1, 0, 0, 0, 1}, 16, false},
        {"a second one that is longer",
         {0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 203, 0, 2, 0, 0, 0, 1},
         16,
         false},
        {"a report that is not there", {0x81, 201, 0, 1, 0, 0, 0, 1}, 8, false},
        {"31 reports", {0x9f, 201, 0, 7, 0, 0, 0, 1}, 32, false},
        {"one report", {0x81, 201, 0, 7, 0, 0, 0, 1}, 32, true},
        {"SR without its sender info", {0x80, 200, 0, 1, 0, 0, 0, 1}, 8, false},
        {"SR cut within it", {0x80, 200, 0, 5, 0, 0, 0, 1}, 24, false},
        {"SR", {0x80, 200, 0, 6, 0, 0, 0, 1}, 28, true},
        {"BYE of more sources than it has", {0x83, 203, 0, 1, 0, 0, 0, 1}, 8, false},
        {"padding of nothing", {0xa0, 201, 0, 1, 0, 0, 0, 0}, 8, false},
        {"padding of three", {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3}, 12, false},
        {"padding over its own header", {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 12}, 12, false},
        {"padding over the sender", {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8}, 12, false},
        {"padding", {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4}, 12, true},
        {"padding before the last one",
         {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0x80, 201, 0, 1, 0, 0, 0, 1},
         20,
         false},
        {"APP without a name", {0x80, 204, 0, 1, 0, 0, 0, 1}, 8, false},
        {"feedback without a media source", {0x81, 206, 0, 1, 0, 0, 0, 1}, 8, false},
    };
    for (enum on on = RTCP_PORT; on <= MUX; on++) {
        set_up(on);
        for (unsigned i = 0; i < RTE_DIM(table); i++) {
            expect(table[i].what, on, table[i].bytes, table[i].len,
                   table[i].good ? RELAYED : TL_DROP_bad_rtcp);
            rig_clear(&rig);
        }
        tear_down();
    }
}

// The same lies under a right tag: a peer that holds the key is believed no more than any other.
static void srtcp_that_lies(void)
{
    static const struct {
        uint8_t bytes[44];
        unsigned len;
        bool good;
    } table[] = {
        {{0x80, 201, 0, 1, 0, 0, 0, 1}, 8, true},   {{0x80, 201, 0, 2, 0, 0, 0, 1}, 8, false},
        {{0x81, 201, 0, 1, 0, 0, 0, 1}, 8, false},  {{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 12}, 12, false},
        {{0x80, 200, 0, 5, 0, 0, 0, 1}, 24, false},
    };
    static const enum tl_suite suites[] = {TL_SUITE_AES_CM_128_HMAC_SHA1_80, TL_SUITE_AEAD_AES_128_GCM};
    for (unsigned k = 0; k < RTE_DIM(suites); k++) {
        rig_open(&rig, 1, 1);
        struct far theirs = far_make(rig.srtp, suites[k], 1, 1);
        struct tl_leg leg[2] = {rig_leg(0, PORT0, REMOTE0), rig_leg(1, PORT1, REMOTE1)};
        leg[0].rx = theirs.crypto;
        call = rig_call(&rig, 0, leg);
        rig_settle(&rig);
        for (unsigned i = 0; i < RTE_DIM(table); i++) {
            uint8_t p[PACKET_BYTES_MAX];
            memcpy(p, table[i].bytes, table[i].len);
            unsigned len = far_protect_rtcp(&theirs, p, table[i].len, i + 1);
            expect("SRTCP", RTCP_PORT, p, len, table[i].good ? RELAYED : TL_DROP_bad_rtcp);
            rig_clear(&rig);
        }
        far_free(&theirs);
        tear_down();
    }
}

static void oversized(void)
{
    uint8_t p[PACKET_BYTES_MAX] = {0x80, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    set_up(RTP_PORT);
    for (unsigned len = MAX_LEN - 2; len <= 1472; len += len < MAX_LEN + 2 ? 1 : 97) {
        p[3]++;
        expect("RTP", RTP_PORT, p, len, len <= MAX_LEN ? RELAYED : TL_DROP_too_big);
        rig_clear(&rig);
    }
    uint8_t rtcp[PACKET_BYTES_MAX] = {0x80, 201, 0, 1, 0, 0, 0, 1};
    expect("RTCP", RTCP_PORT, rtcp, MAX_LEN + 1, TL_DROP_too_big);
    memset(p, 0, sizeof p); // garbage is too big before it is garbage
    expect("garbage", RTP_PORT, p, MAX_LEN + 1, TL_DROP_too_big);
    tear_down();
}

// ---- our own addresses, ports of nobody --------------------------------------------------------------

static void from_ip(uint32_t src_ip, uint16_t dst_port)
{
    static const uint8_t rtp[12] = {0x80, 8};
    uint8_t frame[PACKET_BYTES_MAX];
    struct udp_frame u = {.dst_mac = {2, 0, 0, 1, 0, 2},
                          .src_mac = {2, 0, 0, 2, 0, 10},
                          .src_ip = src_ip,
                          .dst_ip = RIG_IP(0),
                          .src_port = REMOTE0,
                          .dst_port = dst_port,
                          .payload = rtp,
                          .len = sizeof rtp};
    rig_frame(&rig, 0, 0, frame, udp_frame_write(frame, &u), 0);
    rig_turn(&rig);
}

static void our_own_packets(void)
{
    set_up(RTP_PORT);
    from_ip(RIG_IP(0), PORT0); // from the address that it came to, and from the other realm's
    from_ip(RIG_IP(1), PORT0);
    from_ip(RIG_IP(1), PORT0 + 1);
    from_ip(RIG_IP(1), PORT0 + 100); // to a port of nobody
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_loop), 4);
    from_ip(IP4(10, 1, 0, 9), PORT0);
    from_ip(IP4(10, 1, 0, 9), PORT0 + 100);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_loop), 4);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_wrong_source), 1);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_port), 1);
    CU_ASSERT_EQUAL(rig.sent_count, 0);
    tear_down();
}

// Before the answer names a source, too.
static void our_own_packets_before_the_answer(void)
{
    struct tl_leg leg[2] = {rig_leg(0, PORT0, REMOTE0), rig_leg(1, PORT1, REMOTE1)};
    leg[0].rtp = (struct tl_addr){0};
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
    from_ip(RIG_IP(1), PORT0);
    from_ip(RIG_PEER(0), PORT0);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_loop), 1);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_leg_incomplete), 1);
    tear_down();
}

static void unknown_ports_by_address(void)
{
    static const uint8_t rtp[12] = {0x80, 8};
    set_up(RTP_PORT);
    for (unsigned i = 0; i < 8; i++) // three to the one address, five to the other
        rig_udp(&rig, i < 3 ? 0 : 1, 0, 999, i < 3 ? PORT0 + 100 : 40000, rtp, sizeof rtp);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_port), 8);
    CU_ASSERT_EQUAL(rig.live->workers[0].unknown_port[0], 3); // in the order of the configuration
    CU_ASSERT_EQUAL(rig.live->workers[0].unknown_port[1], 5);
    CU_ASSERT_EQUAL(rig.live->workers[0].unknown_port[2], 0);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"protocols", protocols},
        {"rtp_that_lies", rtp_that_lies},
        {"rtcp_that_lies", rtcp_that_lies},
        {"srtcp_that_lies", srtcp_that_lies},
        {"oversized", oversized},
        {"our_own_packets", our_own_packets},
        {"our_own_packets_before_the_answer", our_own_packets_before_the_answer},
        {"unknown_ports_by_address", unknown_ports_by_address},
    };
    if (rig_eal())
        return 1;
    int status = test_main("bad_input", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
