// SPDX-License-Identifier: BSD-3-Clause
// SRTP through all stages, on one leg or both, with the observer at everything that goes out: one index, one
// packet. The far ends open what they get with their own estimate of the index.
#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };

static const enum tl_suite suites[] = {TL_SUITE_AES_CM_128_HMAC_SHA1_80, TL_SUITE_AEAD_AES_128_GCM};

static struct rig rig;
static struct rig_call call;
static struct tl_leg leg[2];
static struct far rx[2], tx[2]; // what the remote side of a leg sends with, and what we send it with
static struct observer *observer;

static uint64_t begins_at; // not 0: index of the first packet of what leaves, as after a restart

// A call whose legs have these suites; TL_SUITE_NONE is plain.
static void set_up(enum tl_suite suite0, enum tl_suite suite1)
{
    const enum tl_suite suite[2] = {suite0, suite1};
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
    rig_open(&rig, 1, 1);
    observer = observer_new();
    for (unsigned i = 0; i < 2; i++) {
        if (suite[i] == TL_SUITE_NONE)
            continue;
        rx[i] = far_make(rig.srtp, suite[i], 1, 10 + i);
        tx[i] = far_make(rig.srtp, suite[i], 1, 20 + i);
        leg[i].rx = rx[i].crypto;
        leg[i].tx = tx[i].crypto;
    }
    for (unsigned i = 0; begins_at && i < 2; i++)
        leg[i].tx_resume = (struct tl_resume_ssrc){.index = begins_at - 1, .ssrc = i ? 100 : 200};
    call = rig_call(&rig, 5, leg);
    rig_settle(&rig);
    rig_clear(&rig);
}

static void tear_down(void)
{
    begins_at = 0;
    CU_ASSERT_EQUAL(observer_violations(observer), 0);
    observer_free(observer);
    rig_end(&rig, &call);
    for (unsigned i = 0; i < 2; i++)
        if (leg[i].rx.suite) {
            far_free(&rx[i]);
            far_free(&tx[i]);
        }
    rig_close(&rig);
}

// One RTP packet from the remote side of a leg; its index is `index`, of which a plain leg shows 16 bits.
static void queue_rtp(unsigned from, uint32_t ssrc, uint64_t index, uint8_t pt)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = pt, .seq = index, .ts = 160 * (uint32_t)index, .ssrc = ssrc};
    unsigned len = rtp_write(p, &f, PAYLOAD);
    if (leg[from].rx.suite)
        len = far_protect(&rx[from], p, len, 12, index);
    rig_udp(&rig, from, 0, from ? REMOTE1 : REMOTE0, from ? PORT1 : PORT0, p, len);
}

static void send_rtp(unsigned from, uint32_t ssrc, uint64_t index)
{
    queue_rtp(from, ssrc, index, 8);
    rig_turn(&rig);
}

// Opens packet `i` of what was sent, to the remote side of leg `to`, under `index`; the observer sees it.
static bool opens(unsigned i, unsigned to, uint64_t index, struct rtp_fields *f, uint8_t *payload)
{
    struct rig_sent *s = &rig.sent[i];
    uint8_t p[PACKET_BYTES_MAX];
    unsigned len = s->udp.len;
    if (s->port != to)
        return false;
    memcpy(p, s->udp.payload, len);
    *f = rtp_read(p);
    if (leg[to].tx.suite) {
        observer_see(observer, &leg[to].tx, OBSERVER_SRTP, f->ssrc, index, p, len);
        len = far_open(&tx[to], p, len, index);
    }
    memcpy(payload, p + 12, PAYLOAD);
    return len == 12 + PAYLOAD && f->seq == (uint16_t)index;
}

// The same, and the payload is what rtp_write() made for (ssrc, seq) on the near side.
static void check_sent(unsigned i, unsigned to, uint64_t index, uint32_t out_ssrc, uint32_t ssrc,
                       uint16_t seq)
{
    struct rtp_fields f;
    uint8_t payload[PAYLOAD];
    unsigned wrong = 0;
    CU_ASSERT_TRUE(opens(i, to, index, &f, payload));
    CU_ASSERT_EQUAL(f.ssrc, out_ssrc);
    for (unsigned k = 0; k < PAYLOAD; k++)
        wrong += payload[k] != rtp_payload_byte(ssrc, seq, k);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void both_ways_over_the_wrap(enum tl_suite suite0, enum tl_suite suite1, unsigned burst)
{
    enum { COUNT = 120 };
    const uint64_t first = 65536 - 40;
    begins_at = first;
    set_up(suite0, suite1);
    for (unsigned i = 0; i < COUNT; i++) {
        queue_rtp(0, 100, first + i, 8);
        queue_rtp(1, 200, first + i, 8);
        if (i % burst == burst - 1)
            rig_turn(&rig);
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2 * COUNT);
    unsigned next[2] = {0, 0};
    for (unsigned i = 0; i < rig.sent_count; i++) {
        unsigned to = rig.sent[i].port;
        check_sent(i, to, first + next[to], to ? 100 : 200, to ? 100 : 200, first + next[to]);
        next[to]++;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct tl_live_session *l = call.live;
        CU_ASSERT_EQUAL(srtp_word_index(l->tx[i].ssrc.word), first + COUNT - 1);
        CU_ASSERT_EQUAL(l->rx[i].packets, COUNT);
        CU_ASSERT_EQUAL(l->tx[i].packets, COUNT);
        if (leg[i].rx.suite) {
            CU_ASSERT_EQUAL(srtp_word_index(l->rx_ssrc[i][0].word), first + COUNT - 1);
            CU_ASSERT_EQUAL(l->rx_ssrc[i][0].ssrc, i ? 200 : 100);
        }
    }
    tear_down();
}

static void all_suites_over_the_wrap(void)
{
    static const unsigned bursts[] = {1, 2, 15,
                                      120}; // also the wrap within one burst, after the first packet
    for (unsigned b = 0; b < 4; b++)
        for (unsigned i = 0; i < 2; i++) {
            both_ways_over_the_wrap(suites[i], TL_SUITE_NONE, bursts[b]);
            both_ways_over_the_wrap(TL_SUITE_NONE, suites[i], bursts[b]);
            both_ways_over_the_wrap(suites[i], suites[0], bursts[b]);
            both_ways_over_the_wrap(suites[i], suites[1], bursts[b]);
        }
}

// The very first packets of a stream, in one burst, on both sides of the wrap.
static void first_burst_wraps(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begins_at = 65535;
        set_up(suites[i], suites[!i]);
        for (unsigned k = 0; k < 4; k++)
            queue_rtp(0, 100, 65535 + k, 8);
        rig_settle(&rig);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 4);
        for (unsigned k = 0; k < 4; k++)
            check_sent(k, 1, 65535 + k, 100, 100, 65535 + k);
        tear_down();
    }
}

// New streams among each other in one burst: each keeps its own estimate, and its one slot.
static void new_streams_interleaved(void)
{
    static const struct {
        uint32_t ssrc;
        uint64_t index;
    } t[] = {{1, 65535}, {2, 100}, {2, 101}, {1, 65536}, {3, 7}, {1, 65537}, {2, 102}, {3, 8}, {3, 9}};
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], TL_SUITE_NONE);
        for (unsigned k = 0; k < sizeof t / sizeof *t; k++)
            queue_rtp(0, t[k].ssrc, t[k].index, 8);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
        CU_ASSERT_EQUAL(rig.sent_count, sizeof t / sizeof *t);
        CU_ASSERT_EQUAL(rig_rx_used(&call, 0), 7);
        CU_ASSERT_EQUAL(srtp_word_index(call.live->rx_ssrc[0][0].word), 65537);
        tear_down();
    }
}

static void late_and_lost(void)
{
    static const uint64_t order[] = {1000, 1002, 1001, 1010, 1009, 1005, 1137, 1011};
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        for (unsigned k = 0; k < 8; k++)
            send_rtp(0, 1, order[k]);
        rig_settle(&rig);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 8);
        for (unsigned k = 0; k < 8; k++)
            check_sent(k, 1, order[k], 1, 1, order[k]);
        send_rtp(0, 1, 1009); // 128 below the highest
        CU_ASSERT_EQUAL(rig.sent_count, 8);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_tx_index_used), 1);
        tear_down();
    }
}

// ---- hostile plain senders ---------------------------------------------------------------------------

// Sends a payload of its own under a sequence number; nothing may go out that shares an index.
static void send_marked(uint32_t ssrc, uint16_t seq, uint8_t mark)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = ssrc};
    unsigned len = rtp_write(p, &f, PAYLOAD);
    memset(p + 12, mark, PAYLOAD);
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
}

// Gives everything that was sent to the observer, which estimates the indices itself.
static void observe_wire(void)
{
    for (unsigned i = 0; i < rig.sent_count; i++)
        observer_srtp(observer, &leg[1].tx, rig.sent[i].udp.payload, rig.sent[i].udp.len);
    CU_ASSERT_EQUAL(observer_packets(observer), rig.sent_count);
    rig_clear(&rig);
}

static void duplicates_with_another_payload(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        for (unsigned k = 0; k < 200; k++)
            for (unsigned mark = 0; mark < 3; mark++) // in one burst, too
                send_marked(1, 500 + k / 2 * 2, mark + 3 * (k % 2));
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 100);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_tx_index_used), 500);
        observe_wire();
        tear_down();
    }
}

static void ssrc_flips_every_packet(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        for (unsigned k = 0; k < 300; k++) {
            send_marked(k % 3 ? 7 : k, 65000 + 977 * k, k);
            rig_turn(&rig);
        }
        rig_settle(&rig);
        CU_ASSERT(rig.sent_count > 200);
        uint16_t last = 0;
        for (unsigned k = 0; k < rig.sent_count; k++) { // one outgoing SSRC, numbers that only grow
            struct rtp_fields f = rtp_read(rig.sent[k].udp.payload);
            CU_ASSERT_EQUAL(f.ssrc, 0); // the first one's
            CU_ASSERT(k == 0 || (uint16_t)(f.seq - last) < 3000);
            last = f.seq;
        }
        observe_wire();
        tear_down();
    }
}

static void jumps(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        srand(4711);
        for (unsigned k = 0; k < 2000; k++) {
            static uint16_t seq;
            unsigned dice = rand() % 100;
            seq += dice < 80 ? 1 : dice < 90 ? rand() % 5 : dice < 95 ? -(rand() % 200) : rand();
            send_marked(rand() % 50 ? 1 : 2, seq, rand());
            if (k % 7 == 0)
                rig_turn(&rig);
            if (rig.sent_count > RIG_SENT / 2)
                observe_wire();
        }
        rig_settle(&rig);
        CU_ASSERT(rig.sent_count > 0);
        observe_wire();
        tear_down();
    }
}

static void new_ssrc_keeps_ours(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        for (unsigned k = 0; k < 10; k++)
            send_rtp(0, 11, 300 + k);
        for (unsigned k = 0; k < 10; k++)
            send_rtp(0, 12, 40000 + k);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 20);
        for (unsigned k = 0; k < 10; k++)
            check_sent(k, 1, 300 + k, 11, 11, 300 + k);
        for (unsigned k = 0; k < 10; k++)
            check_sent(10 + k, 1, 310 + k, 11, 12, 40000 + k);
        // timestamps go on, and in step again
        uint32_t last = rtp_read(rig.sent[9].udp.payload).ts;
        CU_ASSERT(rtp_read(rig.sent[10].udp.payload).ts - last < 8000);
        CU_ASSERT_EQUAL(rtp_read(rig.sent[11].udp.payload).ts - rtp_read(rig.sent[10].udp.payload).ts, 160);
        tear_down();
    }
}

// ---- received ----------------------------------------------------------------------------------------

static void replays_and_forgeries(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], TL_SUITE_NONE);
        uint8_t p[PACKET_BYTES_MAX];
        struct rtp_fields f = {.pt = 8, .seq = 100, .ts = 1, .ssrc = 1};
        unsigned len = far_protect(&rx[0], p, rtp_write(p, &f, PAYLOAD), 12, 100);
        for (unsigned k = 0; k < 5; k++) // five times in one burst
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 1);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 4);
        rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 5);
        for (unsigned k = 0; k < 3; k++) // of a stream that is known: all pass the check, one the commit
            queue_rtp(0, 1, 101, 8);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 2);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 7);
        // Each bit of the packet counts; a forgery teaches nothing: neither index nor SSRC nor time.
        const struct tl_live_session *l = call.live;
        uint64_t word = l->rx_ssrc[0][0].word, heard = l->rx[0].last_ns, forged = 0;
        f.seq = 30000;
        len = far_protect(&rx[0], p, rtp_write(p, &f, PAYLOAD), 12, 30000);
        for (unsigned bit = 16; bit < 8 * len; bit += bit < 128 ? 1 : 37, forged++) {
            p[bit / 8] ^= 1 << bit % 8;
            rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len);
            rig_turn(&rig);
            p[bit / 8] ^= 1 << bit % 8;
        }
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 2);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_bad_auth), forged);
        CU_ASSERT_EQUAL(l->rx_ssrc[0][0].word, word);
        CU_ASSERT_EQUAL(l->rx[0].last_ns, heard);
        CU_ASSERT_EQUAL(rig_rx_used(&call, 0), 1);
        rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, len); // the right one still passes
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 3);
        tear_down();
    }
}

static void every_length_is_safe(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], suites[!i]);
        uint8_t p[PACKET_BYTES_MAX], frame[PACKET_BYTES_MAX];
        struct rtp_fields f = {.pt = 8, .seq = 100, .ts = 1, .ssrc = 1};
        unsigned len = far_protect(&rx[0], p, rtp_write(p, &f, 30), 12, 100);
        for (unsigned cut = 0; cut < len; cut++) { // guarded at its very end
            unsigned n = rig_udp_write(frame, 0, REMOTE0, PORT0, p, cut);
            rig_frame(&rig, 0, 0, frame, n, 0);
            rig_turn(&rig);
        }
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 0);
        CU_ASSERT_EQUAL(rig_all_drops(&rig), len);
        CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_short_srtp) + rig_drops(&rig, TL_DROP_not_rtp) +
                            rig_drops(&rig, TL_DROP_bad_rtp) + rig_drops(&rig, TL_DROP_bad_auth),
                        len);
        tear_down();
    }
}

// A leg on hold goes on authenticating, so that its ROC steps while nothing is relayed.
static void hold_over_the_wrap(void)
{
    set_up(suites[0], TL_SUITE_NONE);
    send_rtp(0, 1, 30000);
    struct tl_leg held = leg[0];
    held.flags = TL_LEG_SEND;
    rig_modify(&rig, &call, 0, &held);
    uint64_t heard = call.live->rx[0].last_ns;
    for (uint64_t k = 31000; k <= 70000; k += 1000)
        send_rtp(0, 1, k);
    CU_ASSERT_EQUAL(rig.sent_count, 1);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_held), 40);
    CU_ASSERT_EQUAL(call.live->rx[0].last_ns, heard);
    rig_modify(&rig, &call, 0, &leg[0]);
    send_rtp(0, 1, 70001);
    send_rtp(0, 1, 70002);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_bad_auth), 0);
    CU_ASSERT_EQUAL(rig.sent_count, 3);
    tear_down();
}

// ---- keys --------------------------------------------------------------------------------------------

static void same_generation_goes_on(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begins_at = 65530;
        set_up(suites[i], suites[i]);
        for (uint64_t k = 65530; k < 65540; k++)
            send_rtp(0, 1, k);
        for (unsigned side = 0; side < 2; side++) // hold and resume: nothing begins anew
            rig_modify(&rig, &call, side, &leg[side]);
        for (uint64_t k = 65540; k < 65550; k++)
            send_rtp(0, 1, k);
        send_rtp(0, 1, 65535); // still known
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 1);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 20);
        for (unsigned k = 0; k < 20; k++)
            check_sent(k, 1, 65530 + k, 100, 1, 65530 + k);
        tear_down();
    }
}

static void new_keys_begin_anew(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begins_at = 65530;
        set_up(suites[i], suites[!i]);
        for (uint64_t k = 65530; k < 65540; k++)
            send_rtp(0, 1, k);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 10);
        for (unsigned k = 0; k < 10; k++)
            check_sent(k, 1, 65530 + k, 100, 1, 65530 + k);
        far_free(&rx[0]);
        far_free(&tx[1]);
        rx[0] = far_make(rig.srtp, suites[!i], 2, 33); // another suite, too
        tx[1] = far_make(rig.srtp, suites[i], 2, 34);
        leg[0].rx = rx[0].crypto;
        leg[1].tx = tx[1].crypto;
        rig_modify(&rig, &call, 0, &leg[0]);
        rig_modify(&rig, &call, 1, &leg[1]);
        const struct tl_live_session *live = call.live;
        CU_ASSERT_EQUAL(live->rx_ssrc[0][0].word, 0);
        CU_ASSERT_EQUAL(live->tx[1].ssrc.word, tl_live_word(3, 2)); // what is sent goes on behind 3
        rig_clear(&rig);
        for (uint64_t k = 4; k < 14; k++)
            send_rtp(0, 1, k); // ROC 0 again
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 10);
        for (unsigned k = 0; k < 10; k++)
            check_sent(k, 1, 4 + k, 100, 1, 4 + k);
        CU_ASSERT_EQUAL(live->rx_ssrc[0][0].word, tl_live_word(13, 2));
        CU_ASSERT_EQUAL(live->tx[1].ssrc.word, tl_live_word(13, 2));
        tear_down();
    }
}

static void resumes_behind_what_was_used(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], suites[i]);
        rig_end(&rig, &call);
        leg[0].rx_resume[0] = (struct tl_resume_ssrc){.ssrc = 1, .index = 0x30005, .srtcp_index = 7};
        leg[1].tx_resume = (struct tl_resume_ssrc){.ssrc = 9, .index = 0x20010, .srtcp_index = 3};
        call = rig_call(&rig, 6, leg);
        rig_settle(&rig);
        send_rtp(0, 1, 0x30005); // seen before the restart
        send_rtp(0, 1, 0x30001);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 2);
        send_rtp(0, 1, 0x30006);
        send_rtp(0, 1, 0x30007);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2);
        check_sent(0, 1, 0x20011, 9, 1, 6);
        check_sent(1, 1, 0x20012, 9, 1, 7);
        tear_down();
    }
}

// Before the restart only SRTCP went out: its indices go on, RTP begins with the near side's SSRC, not with
// 0.
static void resumes_behind_rtcp_alone(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        rig_end(&rig, &call);
        leg[1].tx_resume = (struct tl_resume_ssrc){.index = TL_INDEX_NONE, .srtcp_index = 3};
        call = rig_call(&rig, 6, leg);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(tl_live_word_index(call.live->tx[1].ssrc.word), 0);
        send_rtp(0, 77, 500);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
        check_sent(0, 1, 500, 77, 77, 500);
        CU_ASSERT_EQUAL(call.live->tx[1].ssrc.srtcp_index, 3);
        tear_down();
    }
}

// An index is in the live table before its packet reaches the driver, also where the driver does not take it;
// and it is not given again.
static void stored_before_it_is_sent(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(TL_SUITE_NONE, suites[i]);
        const struct tl_live_ssrc *live = &call.live->tx[1].ssrc;
        send_rtp(0, 1, 10);
        rig_block(1, 0);
        send_rtp(0, 1, 11);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_tx_full), 1);
        CU_ASSERT_EQUAL(tl_live_word_index(live->word), 11);
        CU_ASSERT_EQUAL(live->ssrc, 1);
        rig_unblock(1, 0);
        send_rtp(0, 1, 11);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_tx_index_used), 1);
        send_rtp(0, 1, 12);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2);
        check_sent(1, 1, 12, 1, 1, 12);
        tear_down();
    }
}

// ---- SRTCP -------------------------------------------------------------------------------------------

static unsigned sender_report(uint8_t *p, uint32_t ssrc)
{
    memset(p, 0, 28);
    memcpy(p, (uint8_t[]){0x80, 200, 0, 6}, 4);
    for (unsigned i = 0; i < 4; i++)
        p[4 + i] = ssrc >> (24 - 8 * i);
    return 28;
}

static void queue_rtcp(unsigned from, uint32_t ssrc, uint32_t index)
{
    uint8_t p[PACKET_BYTES_MAX];
    unsigned len = sender_report(p, ssrc);
    if (leg[from].rx.suite)
        len = far_protect_rtcp(&rx[from], p, len, index);
    rig_udp(&rig, from, 0, (from ? REMOTE1 : REMOTE0) + 1, (from ? PORT1 : PORT0) + 1, p, len);
}

static void send_rtcp(unsigned from, uint32_t ssrc, uint32_t index)
{
    queue_rtcp(from, ssrc, index);
    rig_turn(&rig);
}

// RTCP and RTP of a new SSRC in one burst share its slot; the same index twice passes once.
static void srtcp_and_srtp_share_a_slot(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], TL_SUITE_NONE);
        queue_rtcp(0, 5, 1);
        queue_rtcp(0, 5, 2);
        queue_rtcp(0, 5, 2);
        queue_rtp(0, 5, 9, 8);
        queue_rtp(0, 5, 10, 8);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 4);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 1);
        CU_ASSERT_EQUAL(rig_rx_used(&call, 0), 1);
        tear_down();
    }
}

static void srtcp_both_suites(void)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(suites[i], suites[!i]);
        for (unsigned k = 1; k <= 5; k++)
            send_rtcp(0, 1, k);
        send_rtcp(0, 1, 5);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_replayed), 1);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 5);
        for (unsigned k = 0; k < 5; k++) {
            uint8_t p[PACKET_BYTES_MAX], want[28];
            uint32_t index;
            const struct rig_sent *s = &rig.sent[k];
            CU_ASSERT_EQUAL(s->udp.dst_port, REMOTE1 + 1);
            CU_ASSERT_EQUAL(s->udp.src_port, PORT1 + 1);
            observer_srtcp(observer, &leg[1].tx, s->udp.payload, s->udp.len);
            memcpy(p, s->udp.payload, s->udp.len);
            CU_ASSERT_EQUAL(far_open_rtcp(&tx[1], p, s->udp.len, &index), 28);
            CU_ASSERT_EQUAL(index, k + 1);
            sender_report(want, 1);
            CU_ASSERT(memcmp(p, want, 28) == 0);
        }
        CU_ASSERT_EQUAL(call.live->tx[1].ssrc.srtcp_index, 5);
        CU_ASSERT_EQUAL(call.live->rx_ssrc[0][0].srtcp_index, 5);
        CU_ASSERT_EQUAL(call.live->rx_rtcp[0], 5);
        CU_ASSERT_EQUAL(call.live->tx_rtcp[1], 5);
        tear_down();
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"all_suites_over_the_wrap", all_suites_over_the_wrap},
        {"first_burst_wraps", first_burst_wraps},
        {"new_streams_interleaved", new_streams_interleaved},
        {"late_and_lost", late_and_lost},
        {"duplicates_with_another_payload", duplicates_with_another_payload},
        {"ssrc_flips_every_packet", ssrc_flips_every_packet},
        {"jumps", jumps},
        {"new_ssrc_keeps_ours", new_ssrc_keeps_ours},
        {"replays_and_forgeries", replays_and_forgeries},
        {"every_length_is_safe", every_length_is_safe},
        {"hold_over_the_wrap", hold_over_the_wrap},
        {"same_generation_goes_on", same_generation_goes_on},
        {"new_keys_begin_anew", new_keys_begin_anew},
        {"resumes_behind_what_was_used", resumes_behind_what_was_used},
        {"stored_before_it_is_sent", stored_before_it_is_sent},
        {"resumes_behind_rtcp_alone", resumes_behind_rtcp_alone},
        {"srtcp_both_suites", srtcp_both_suites},
        {"srtcp_and_srtp_share_a_slot", srtcp_and_srtp_share_a_slot},
    };
    if (rig_eal())
        return 1;
    int status = test_main("relay_srtp", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
