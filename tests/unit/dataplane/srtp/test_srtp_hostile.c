// SPDX-License-Identifier: BSD-3-Clause
// Plain senders that do what they should not, through index assignment and both suites, with the observer
// attached: whatever comes in, no index goes out with two different packets. And the observer itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/index.h"
#include "dataplane/srtp/srtp.h"
#include "observer.h"
#include "runner.h"
#include "srtp_testing.h"

enum { OUT_SSRC = 0x0badcafe };

// A leg that sends SRTP: what the worker's stages do with it, for one packet at a time.
struct leg {
    struct srtp_ctx *ctx;
    struct tl_crypto crypto;
    struct srtp_key *key;
    struct srtp_tx tx;
    struct srtp_rx far; // what the far end makes of it
    struct observer *observer;
    struct rng rng;
    unsigned sent, refused, renewed;
};

static void leg_start(struct leg *l, enum tl_suite suite, uint64_t seed)
{
    memset(l, 0, sizeof *l);
    l->rng.state = seed;
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_AUTO, &l->ctx) == 0);
    l->crypto = random_crypto(&l->rng, suite);
    l->key = key_new(l->ctx, &l->crypto);
    l->observer = observer_new();
}

static void leg_end(struct leg *l)
{
    CU_ASSERT(observer_violations(l->observer) == 0);
    CU_ASSERT(observer_packets(l->observer) == l->sent);
    observer_free(l->observer);
    key_free(l->key);
    srtp_ctx_free(l->ctx);
}

// One plain packet with a payload of its own. Returns the status of srtp_tx_take; what leaves must reach the
// far end authentic and once.
static uint8_t send_plain(struct leg *l, uint32_t ssrc, uint16_t seq)
{
    uint64_t index = 0, before = l->tx.rtp.top;
    enum srtp_tx_event event;
    uint8_t status = srtp_tx_take(&l->tx, ssrc, seq, &index, &event);
    if (status != SRTP_OK) {
        l->refused++;
        return status;
    }
    if (event == SRTP_TX_NEW) {
        l->renewed++;
        CU_ASSERT(l->sent == 0 || index > before); // strictly above all used
    }
    struct packet p = packet_rtp(&l->rng, 0, -1, 20 + rng_below(&l->rng, 180), SRTP_TAILROOM, seq, ssrc);
    struct srtp_op op = packet_op(&p, l->key, index, OUT_SSRC);
    srtp_protect(l->ctx, &op, 1);
    CU_ASSERT(op.status == SRTP_OK);
    observer_see(l->observer, &l->crypto, OBSERVER_SRTP, OUT_SSRC, index, p.buf, op.len);
    l->sent++;

    uint64_t estimate = 0;
    uint8_t far = srtp_rx_check(&l->far, (uint16_t)index, &estimate);
    CU_ASSERT(far == SRTP_OK && estimate == index);
    op.index = estimate;
    srtp_unprotect(l->ctx, &op, 1);
    CU_ASSERT(op.status == SRTP_OK);
    CU_ASSERT(srtp_rx_commit(&l->far, estimate) == SRTP_OK);
    free(p.buf);
    return status;
}

static void both_suites(void (*play)(struct leg *l))
{
    for (int s = TL_SUITE_NONE + 1; s < TL_SUITE_COUNT; s++) {
        struct leg l;
        leg_start(&l, s, 0x1234567 + (uint64_t)s);
        play(&l);
        leg_end(&l);
    }
}

// Every packet three times, each with a payload of its own.
static void play_duplicates(struct leg *l)
{
    for (unsigned i = 0; i < 400; i++)
        for (unsigned copy = 0; copy < 3; copy++)
            send_plain(l, 1, (uint16_t)(65500 + i)); // also over the wrap
    CU_ASSERT(l->sent == 400 && l->refused == 800 && l->renewed == 1);
}

static void duplicates(void)
{
    both_suites(play_duplicates);
}

// Old packets again, in the window and below it.
static void play_late_copies(struct leg *l)
{
    for (unsigned i = 0; i < 600; i++)
        CU_ASSERT(send_plain(l, 1, (uint16_t)(40000 + i)) == SRTP_OK);
    for (unsigned back = 0; back < SRTP_WINDOW; back++)
        CU_ASSERT(send_plain(l, 1, (uint16_t)(40599 - back)) == TL_DROP_tx_index_used);
    // one stray from below the window is refused; it takes a second one to be a jump, and that has indices of
    // its own
    CU_ASSERT(send_plain(l, 1, 40100) == TL_DROP_tx_index_used);
    CU_ASSERT(send_plain(l, 1, 40600) == SRTP_OK);
    CU_ASSERT(send_plain(l, 1, 40100) == TL_DROP_tx_index_used);
    CU_ASSERT(send_plain(l, 1, 40101) == SRTP_OK);
    CU_ASSERT(l->renewed == 2 && l->tx.rtp.top == 40601);
}

static void late_copies(void)
{
    both_suites(play_late_copies);
}

// Two sources take turns, with the same sequence numbers.
static void play_ssrc_flips(struct leg *l)
{
    for (unsigned i = 0; i < 500; i++) {
        CU_ASSERT(send_plain(l, 1, (uint16_t)(100 + i)) == SRTP_OK);
        CU_ASSERT(send_plain(l, 2, (uint16_t)(100 + i)) == SRTP_OK);
    }
    CU_ASSERT(l->sent == 1000 && l->renewed == 1000 && l->tx.rtp.top == 100 + 999);
}

static void ssrc_flips(void)
{
    both_suites(play_ssrc_flips);
}

// Starts over and over again at the same sequence number.
static void play_restarts(struct leg *l)
{
    for (unsigned round = 0; round < 20; round++)
        for (unsigned i = 0; i < 300; i++)
            send_plain(l, 7, (uint16_t)(5000 + i));
    // Each new start is 299 back, so outside the window: its first packet is the jump.
    CU_ASSERT(l->refused == 19 && l->sent == 20 * 300 - 19 && l->renewed == 20);
}

static void restarts(void)
{
    both_suites(play_restarts);
}

// No order at all, few sequence numbers and SSRCs, so that all meet often.
static void play_noise(struct leg *l)
{
    for (unsigned i = 0; i < 6000; i++) {
        uint32_t ssrc = 1 + (rng_below(&l->rng, 20) == 0);
        uint16_t seq;
        switch (rng_below(&l->rng, 4)) {
        case 0:
            seq = (uint16_t)rng_next(&l->rng);
            break;
        case 1:
            seq = (uint16_t)(65500 + rng_below(&l->rng, 300));
            break;
        case 2:
            seq = (uint16_t)(l->tx.near_seq - rng_below(&l->rng, 300));
            break;
        default:
            seq = (uint16_t)(l->tx.near_seq + rng_below(&l->rng, 5));
            break;
        }
        send_plain(l, ssrc, seq);
    }
    CU_ASSERT(l->sent > 1000 && l->refused > 1000);
}

static void noise(void)
{
    both_suites(play_noise);
}

// A restart of the dataplane: what went out before it is never repeated, though the sender goes on or back.
static void play_resume(struct leg *l)
{
    for (unsigned i = 0; i < 200; i++)
        CU_ASSERT(send_plain(l, 1, (uint16_t)(65400 + i)) == SRTP_OK);
    uint64_t word = srtp_word(l->tx.rtp.top, l->crypto.generation);
    memset(&l->tx, 0xee, sizeof l->tx);
    srtp_tx_resume(&l->tx, srtp_word_index(word), 0);
    for (unsigned i = 0; i < 200; i++)
        CU_ASSERT(send_plain(l, 1, (uint16_t)(65400 + i)) == SRTP_OK);
    CU_ASSERT(l->renewed == 2 && l->tx.rtp.top == 65400 + 399);
}

static void resume(void)
{
    both_suites(play_resume);
}

// SRTCP: each packet has an index of its own by construction.
static void rtcp(void)
{
    for (int s = TL_SUITE_NONE + 1; s < TL_SUITE_COUNT; s++) {
        struct leg l;
        leg_start(&l, s, 99);
        for (unsigned i = 0; i < 100; i++) {
            struct packet p = packet_rtcp(&l.rng, 4 * rng_below(&l.rng, 20), SRTCP_TRAILER_MAX, 5);
            uint32_t index = 0;
            CU_ASSERT(srtcp_tx_take(&l.tx, &index) == SRTP_OK && index == i + 1);
            struct srtp_op op = packet_op(&p, l.key, index, 0);
            srtcp_protect(l.ctx, &op, 1);
            CU_ASSERT(op.status == SRTP_OK);
            observer_srtcp(l.observer, &l.crypto, p.buf, op.len);
            l.sent++;
            free(p.buf);
        }
        leg_end(&l);
    }
}

// The observer fails what it must fail.
static void observer_sees(void)
{
    struct observer *o = observer_new();
    struct tl_crypto a = {.suite = TL_SUITE_AEAD_AES_128_GCM, .key = {1}}, b = {.suite = a.suite, .key = {2}};
    uint8_t one[40] = {0x80, 0, 0, 7, [11] = 1}, two[40] = {0x80, 0, 0, 7, [11] = 1, [39] = 1};
    observer_srtp(o, &a, one, sizeof one);
    observer_srtp(o, &a, one, sizeof one);
    observer_see(o, &a, OBSERVER_SRTP, 1, 7, one, sizeof one);
    CU_ASSERT(observer_violations(o) == 0);
    observer_srtp(o, &b, two, sizeof two);                         // another key
    observer_see(o, &a, OBSERVER_SRTP, 2, 7, two, sizeof two);     // another SSRC
    observer_see(o, &a, OBSERVER_SRTCP, 1, 7, two, sizeof two);    // SRTCP has its own indices
    observer_see(o, &a, OBSERVER_SRTP, 1, 65543, two, sizeof two); // one ROC further
    CU_ASSERT(observer_violations(o) == 0);

    fflush(stdout);
    observer_srtp(o, &a, two, sizeof two);
    CU_ASSERT(observer_violations(o) == 1);
    observer_see(o, &a, OBSERVER_SRTP, 1, 7, one, sizeof one - 1); // shorter is different, too
    CU_ASSERT(observer_violations(o) == 2);
    observer_srtp(o, &a, one, 21);
    CU_ASSERT(observer_violations(o) == 3);

    // the wire's estimate steps with the sequence number: 65535, 0 are not one ROC
    uint8_t c[40] = {0x80, 0, 0xff, 0xff, [11] = 9}, d[40] = {0x80, 0, 0, 0, [11] = 9};
    observer_srtp(o, &a, d + 0, sizeof d); // index 0
    observer_expect(o, &a, 9, 65534);
    observer_srtp(o, &a, c, sizeof c); // 65535
    d[39] = 1;
    observer_srtp(o, &a, d, sizeof d); // 65536
    CU_ASSERT(observer_violations(o) == 3);
    d[39] = 2;
    observer_srtp(o, &a, d, sizeof d);
    CU_ASSERT(observer_violations(o) == 4);
    for (unsigned i = 0; i < 5000; i++) // over several sizes of its table
        observer_see(o, &b, OBSERVER_SRTP, 3, i, one, sizeof one);
    for (unsigned i = 0; i < 5000; i++)
        observer_see(o, &b, OBSERVER_SRTP, 3, i, one, sizeof one);
    CU_ASSERT(observer_violations(o) == 4);
    observer_see(o, &b, OBSERVER_SRTP, 3, 4321, two, sizeof two);
    CU_ASSERT(observer_violations(o) == 5);
    observer_free(o);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"observer_sees", observer_sees},
        {"duplicates", duplicates},
        {"late_copies", late_copies},
        {"ssrc_flips", ssrc_flips},
        {"restarts", restarts},
        {"noise", noise},
        {"resume", resume},
        {"rtcp", rtcp},
    };
    return test_main("srtp_hostile", TEST_CASES(cases), argc, argv);
}
