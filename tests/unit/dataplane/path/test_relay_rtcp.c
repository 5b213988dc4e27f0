// SPDX-License-Identifier: BSD-3-Clause
// RTCP from one leg to the other: what is mapped and what is refused. Pure, on exact buffers.
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "dataplane/path/stages.h"
#include "runner.h"

// Leg 0's side sends as A, which leg 1's side knows as A_OUT; leg 1's side sends as B, which leg 0's side
// knows as B_OUT with sequence numbers that are BASE ahead and timestamps TS ahead.
enum { A = 0xa0, A_OUT = 0xa1, A_TS = 1000, B = 0xb0, B_OUT = 0xb1, BASE = 70000 };

static struct session *mapped(void)
{
    static struct session s;
    memset(&s, 0, sizeof s);
    s.ssrc_state[0] = s.ssrc_state[1] = SSRC_SENDING;
    s.leg[1].ssrc = A_OUT;
    s.leg[1].ts_base = A_TS;
    s.leg[1].tx.near_ssrc = A;
    s.leg[1].tx.near_known = 1;
    s.leg[0].ssrc = B_OUT;
    s.leg[0].base = BASE;
    s.leg[0].tx.near_ssrc = B;
    s.leg[0].tx.near_known = 1;
    return &s;
}

static unsigned begin(uint8_t *d, unsigned count, unsigned type, unsigned len)
{
    memset(d, 0, len);
    d[0] = 0x80 | count;
    d[1] = type;
    d[2] = (len / 4 - 1) >> 8;
    d[3] = len / 4 - 1;
    return len;
}

// SR of A with reports on B_OUT and on a stranger, SDES, APP, feedback on B_OUT, BYE. 8 + 20 + 2 * 24 bytes
// and so on.
static unsigned compound(uint8_t *d)
{
    unsigned at = begin(d, 2, 200, 76);
    tl_put32(d + 4, A);
    tl_put32(d + 16, 5000); // RTP timestamp
    tl_put32(d + 28, B_OUT);
    tl_put32(d + 28 + 8, BASE + 123);
    tl_put32(d + 52, 0x99);
    tl_put32(d + 52 + 8, 456);
    uint8_t *sdes = d + at;
    at += begin(sdes, 1, 202, 16);
    tl_put32(sdes + 4, A);
    memcpy(sdes + 8, "\1\4abcd", 6);
    uint8_t *app = d + at;
    at += begin(app, 0, 204, 16);
    tl_put32(app + 4, A);
    memcpy(app + 8, "PING", 4);
    uint8_t *fb = d + at;
    at += begin(fb, 1, 206, 12);
    tl_put32(fb + 4, A);
    tl_put32(fb + 8, B_OUT);
    uint8_t *xr = d + at;
    at += begin(xr, 0, 207, 8);
    tl_put32(xr + 4, A);
    uint8_t *bye = d + at;
    at += begin(bye, 1, 203, 8);
    tl_put32(bye + 4, A);
    return at;
}

static void maps_names_and_numbers(void)
{
    uint8_t d[256], was[256];
    unsigned len = compound(d);
    memcpy(was, d, len);
    CU_ASSERT_EQUAL(relay_rtcp(mapped(), NULL, 0, d, len), SRTP_OK);
    CU_ASSERT_EQUAL(tl_get32(d + 4), A_OUT);
    CU_ASSERT_EQUAL(tl_get32(d + 16), 5000 + A_TS);
    CU_ASSERT_EQUAL(tl_get32(d + 28), B);
    CU_ASSERT_EQUAL(tl_get32(d + 36), 123);
    CU_ASSERT_EQUAL(tl_get32(d + 52), 0x99);
    CU_ASSERT_EQUAL(tl_get32(d + 60), 456);
    CU_ASSERT_EQUAL(tl_get32(d + 76 + 4), A_OUT);
    CU_ASSERT_EQUAL(tl_get32(d + 92 + 4), A_OUT);
    CU_ASSERT_EQUAL(tl_get32(d + 108 + 4), A_OUT);
    CU_ASSERT_EQUAL(tl_get32(d + 108 + 8), B);
    CU_ASSERT_EQUAL(tl_get32(d + 120 + 4), A_OUT);
    CU_ASSERT_EQUAL(tl_get32(d + 128 + 4), A_OUT);
    static const unsigned touched[] = {4, 16, 28, 36, 80, 96, 112, 116, 124, 132};
    unsigned changed = 0;
    for (unsigned i = 0; i < len; i += 4)
        changed += tl_get32(d + i) != tl_get32(was + i);
    CU_ASSERT_EQUAL(changed, sizeof touched / sizeof *touched);
}

// Before anybody changed anything, and before RTP flowed at all: not a byte differs.
static void identity_is_left_alone(void)
{
    uint8_t d[256], was[256];
    static struct session fresh;
    struct session *s = mapped();
    s->leg[1].ssrc = A;
    s->leg[1].ts_base = 0;
    s->leg[0].ssrc = B_OUT;
    s->leg[0].tx.near_ssrc = B_OUT;
    s->leg[0].base = 0;
    unsigned len = compound(was);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(d, was, len);
        CU_ASSERT_EQUAL(relay_rtcp(i ? &fresh : s, NULL, 0, d, len), SRTP_OK);
        CU_ASSERT(memcmp(d, was, len) == 0);
    }
}

// Each prefix of the compound on a buffer of just that size: right where a packet ends, else refused.
static void truncated_at_every_length(void)
{
    uint8_t whole[256];
    static const unsigned ends[] = {76, 92, 108, 120, 128, 136};
    unsigned len = compound(whole), next = 0;
    for (unsigned cut = 0; cut <= len; cut++) {
        uint8_t *d = malloc(cut ? cut : 1);
        memcpy(d, whole, cut);
        bool whole_ones = next < 6 && cut == ends[next];
        CU_ASSERT_EQUAL(relay_rtcp(mapped(), NULL, 0, d, cut), whole_ones ? SRTP_OK : TL_DROP_bad_rtcp);
        next += whole_ones;
        free(d);
    }
    CU_ASSERT_EQUAL(next, 6);
}

// Every count and every length that a header can claim, on a buffer of 32 bytes.
static void lying_headers(void)
{
    unsigned right = 0;
    for (unsigned type = 192; type < 224; type++)
        for (unsigned count = 0; count < 64; count++)
            for (unsigned words = 0; words < 12; words++) {
                uint8_t *d = calloc(1, 32);
                begin(d, 0, 201, 32);
                d[0] = 0x80 | count; // bit 5 is padding
                d[1] = type;
                d[3] = words;
                d[31] = 4;
                if (4 * words + 4 < 32)
                    begin(d + 4 * words + 4, 0, 201, 28 - 4 * words);
                right += relay_rtcp(mapped(), NULL, 0, d, 32) == SRTP_OK;
                free(d);
            }
    CU_ASSERT(right > 0);
}

static void padding(void)
{
    static const struct {
        unsigned value, len;
        uint8_t want;
    } t[] = {
        {4, 12, SRTP_OK},
        {8, 16, SRTP_OK},
        {0, 12, TL_DROP_bad_rtcp},
        {3, 12, TL_DROP_bad_rtcp},
        {8, 12, TL_DROP_bad_rtcp},
        {12, 12, TL_DROP_bad_rtcp},
        {16, 12, TL_DROP_bad_rtcp},
        {255, 12, TL_DROP_bad_rtcp},
        {252, 12, TL_DROP_bad_rtcp},
    };
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        uint8_t *d = malloc(t[i].len);
        begin(d, 0, 201, t[i].len); // RR of 8 bytes, the rest is padding
        d[0] |= 0x20;
        d[t[i].len - 1] = t[i].value;
        CU_ASSERT_EQUAL(relay_rtcp(mapped(), NULL, 0, d, t[i].len), t[i].want);
        free(d);
    }
    uint8_t two[24]; // padding before the last one
    begin(two, 0, 201, 12);
    two[0] |= 0x20;
    two[11] = 4;
    begin(two + 12, 0, 201, 12);
    CU_ASSERT_EQUAL(relay_rtcp(mapped(), NULL, 0, two, 24), TL_DROP_bad_rtcp);
}

static void wrong_version(void)
{
    uint8_t d[256];
    for (unsigned at = 0; at < 2; at++)
        for (unsigned version = 0; version < 4; version++) {
            unsigned len = compound(d);
            d[at * 76] = (d[at * 76] & 0x3f) | version << 6;
            CU_ASSERT_EQUAL(relay_rtcp(mapped(), NULL, 0, d, len), version == 2 ? SRTP_OK : TL_DROP_bad_rtcp);
        }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"maps_names_and_numbers", maps_names_and_numbers},
        {"identity_is_left_alone", identity_is_left_alone},
        {"truncated_at_every_length", truncated_at_every_length},
        {"lying_headers", lying_headers},
        {"padding", padding},
        {"wrong_version", wrong_version},
    };
    return test_main("relay_rtcp", TEST_CASES(cases), argc, argv);
}
