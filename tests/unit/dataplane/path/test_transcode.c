// SPDX-License-Identifier: BSD-3-Clause
// G.711 from law to law through the whole dataplane: the payload changes, all of it and nothing else, plain
// and under SRTP on either side.
#include <string.h>

#include "dataplane/session/g711.h"
#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PCMU = 0, PCMA = 8, EVENT = 101 };
enum { CODES = 256 };

static struct rig rig;
static struct rig_call call;
static struct far in, out;

// Leg 0 speaks PCMA, leg 1 PCMU.
static void set_up(enum tl_suite rx, enum tl_suite tx)
{
    struct tl_leg leg[2] = {rig_leg(0, PORT0, REMOTE0), rig_leg(1, PORT1, REMOTE1)};
    rig_open(&rig, 1, 1);
    for (unsigned i = 0; i < 2; i++) {
        leg[i].pt_count = 2;
        memset(leg[i].pt_in, 0, TL_PT_MAX);
        memset(leg[i].pt_out, 0, TL_PT_MAX);
        leg[i].pt_in[0] = i ? PCMU : PCMA;
        leg[i].pt_out[0] = i ? PCMA : PCMU;
        leg[i].pt_law[0] = i ? TL_LAW_U_TO_A : TL_LAW_A_TO_U;
        leg[i].pt_in[1] = leg[i].pt_out[1] = EVENT;
    }
    if (rx != TL_SUITE_NONE) {
        in = far_make(rig.srtp, rx, 1, 1);
        leg[0].rx = in.crypto;
    }
    if (tx != TL_SUITE_NONE) {
        out = far_make(rig.srtp, tx, 1, 2);
        leg[1].tx = out.crypto;
    }
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
}

static void tear_down(enum tl_suite rx, enum tl_suite tx)
{
    if (rx != TL_SUITE_NONE)
        far_free(&in);
    if (tx != TL_SUITE_NONE)
        far_free(&out);
    rig_end(&rig, &call);
    rig_close(&rig);
}

// Every code once, with CSRCs, an extension and padding around it, `len` bytes in all.
static unsigned packet(uint8_t *p, uint8_t pt, uint16_t seq, unsigned first, unsigned *payload)
{
    unsigned at = 12;
    memset(p, 0, 12);
    p[0] = first;
    p[1] = pt;
    p[2] = seq >> 8;
    p[3] = seq;
    p[11] = 1;
    for (unsigned i = 0; i < 4 * (first & 0xfu); i++)
        p[at++] = 0xd5;
    if (first & 0x10) {
        const uint8_t extension[8] = {0xbe, 0xde, 0, 1, 0xd5, 0xd5, 0xd5, 0xd5};
        memcpy(p + at, extension, sizeof extension);
        at += sizeof extension;
    }
    *payload = at;
    for (unsigned i = 0; i < CODES; i++)
        p[at++] = i;
    if (first & 0x20)
        for (unsigned i = 0; i < 7; i++)
            p[at++] = i < 6 ? 0xd5 : 7;
    return at;
}

// Sends a packet on leg 0 and compares what leaves: header fields that the relay owns apart, all bytes but
// the payload are the same, the payload is `a_to_u` of what it was, or the same.
static void check(enum tl_suite rx, enum tl_suite tx, uint8_t pt, uint8_t pt_out, uint16_t seq,
                  unsigned first)
{
    uint8_t p[PACKET_BYTES_MAX], sent[PACKET_BYTES_MAX], got[PACKET_BYTES_MAX];
    unsigned payload, len = packet(p, pt, seq, first, &payload), wire = len;
    memcpy(sent, p, len);
    if (rx != TL_SUITE_NONE)
        wire = far_protect(&in, sent, len, payload, seq);
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, sent, wire);
    rig_turn(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
    unsigned got_len = rig.sent[0].udp.len;
    memcpy(got, rig.sent[0].udp.payload, got_len);
    if (tx != TL_SUITE_NONE) {
        CU_ASSERT_EQUAL_FATAL(first, 0x80); // far_open() knows the fixed header only
        got_len = far_open(&out, got, got_len, seq);
    }
    CU_ASSERT_EQUAL_FATAL(got_len, len);
    CU_ASSERT_EQUAL(got[1], pt_out);
    CU_ASSERT(memcmp(got + 12, p + 12, payload - 12) == 0);
    CU_ASSERT(memcmp(got + payload + CODES, p + payload + CODES, len - payload - CODES) == 0);
    if (pt == PCMA) {
        // ITU-T G.711 Table 4 by hand: the quietest both ways, the loudest both ways, and two between
        CU_ASSERT(got[payload + 0xd5] == 0xfe && got[payload + 0x55] == 0x7e);
        CU_ASSERT(got[payload + 0xaa] == 0x80 && got[payload + 0x2a] == 0x00);
        g711_a_to_u(p + payload, CODES);
    }
    CU_ASSERT(memcmp(got + payload, p + payload, CODES) == 0);
    rig_clear(&rig);
}

static void payload_only(void)
{
    static const uint8_t firsts[] = {0x80, 0x83, 0x90, 0xa0, 0xb2, 0xbf};
    uint16_t seq = 1;
    set_up(TL_SUITE_NONE, TL_SUITE_NONE);
    for (unsigned i = 0; i < RTE_DIM(firsts); i++)
        check(TL_SUITE_NONE, TL_SUITE_NONE, PCMA, PCMU, seq++, firsts[i]);
    tear_down(TL_SUITE_NONE, TL_SUITE_NONE);
}

static void under_srtp(void)
{
    static const enum tl_suite suites[] = {TL_SUITE_NONE, TL_SUITE_AES_CM_128_HMAC_SHA1_80,
                                           TL_SUITE_AEAD_AES_128_GCM};
    for (unsigned i = 0; i < RTE_DIM(suites) * RTE_DIM(suites); i++) {
        enum tl_suite rx = suites[i % RTE_DIM(suites)], tx = suites[i / RTE_DIM(suites)];
        set_up(rx, tx);
        for (uint16_t seq = 1; seq < 4; seq++)
            check(rx, tx, PCMA, PCMU, seq, 0x80);
        tear_down(rx, tx);
    }
}

static void events_stay_as_they_are(void)
{
    set_up(TL_SUITE_NONE, TL_SUITE_NONE);
    check(TL_SUITE_NONE, TL_SUITE_NONE, EVENT, EVENT, 1, 0x80);
    check(TL_SUITE_NONE, TL_SUITE_NONE, PCMA, PCMU, 2, 0x80);
    tear_down(TL_SUITE_NONE, TL_SUITE_NONE);
}

// The other way, there and back: what A-law said comes back wherever mu-law can tell it.
static void the_other_way(void)
{
    uint8_t p[PACKET_BYTES_MAX], want[CODES];
    unsigned payload, len = packet(p, PCMU, 1, 0xa0, &payload);
    set_up(TL_SUITE_NONE, TL_SUITE_NONE);
    memcpy(want, p + payload, CODES);
    g711_u_to_a(want, CODES);
    rig_udp(&rig, 1, 0, REMOTE1, PORT1, p, len);
    rig_turn(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
    const struct udp_frame *u = &rig.sent[0].udp;
    CU_ASSERT(u->len == len && u->payload[1] == PCMA);
    CU_ASSERT(memcmp(u->payload + payload, want, CODES) == 0);
    CU_ASSERT(u->payload[payload + 0xff] == 0xd5 && u->payload[payload + 0x7f] == 0x55);
    CU_ASSERT(memcmp(u->payload + payload + CODES, p + payload + CODES, 7) == 0);
    tear_down(TL_SUITE_NONE, TL_SUITE_NONE);
}

// No payload, and only padding: nothing to change, nothing beyond.
static void nothing_to_change(void)
{
    uint8_t p[20] = {0x80, PCMA, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xd5, 0xd5, 0xd5, 4};
    set_up(TL_SUITE_NONE, TL_SUITE_NONE);
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, 12);
    p[0] |= 0x20;
    p[3]++;
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, 16);
    rig_turn(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2);
    CU_ASSERT(memcmp(rig.sent[1].udp.payload + 12, p + 12, 4) == 0);
    tear_down(TL_SUITE_NONE, TL_SUITE_NONE);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"payload_only", payload_only},
        {"under_srtp", under_srtp},
        {"events_stay_as_they_are", events_stay_as_they_are},
        {"the_other_way", the_other_way},
        {"nothing_to_change", nothing_to_change},
    };
    if (rig_eal())
        return 1;
    int status = test_main("transcode", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
