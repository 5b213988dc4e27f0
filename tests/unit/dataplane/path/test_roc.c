// SPDX-License-Identifier: BSD-3-Clause
// The rollover counter where nothing says what it is: the first packets of a stream, and a key that changes. What
// comes in is tried by more than one, within a budget; what goes out begins so that a receiver cannot be wrong.
#include <string.h>

#include "observer.h"
#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160, SSRC = 0xc0 };

#define ROC(roc, seq) ((uint64_t)(roc) << 16 | (seq))

static const enum tl_suite suites[] = {TL_SUITE_AES_CM_128_HMAC_SHA1_80, TL_SUITE_AEAD_AES_128_GCM,
                                       TL_SUITE_AES_256_CM_HMAC_SHA1_32};

static struct rig rig;
static struct rig_call call;
static struct tl_leg leg[2];
static struct far rx, tx; // of leg 1
static struct observer *observer;
static unsigned keys; // that the leg has had

static void set_up(enum tl_suite suite, enum tl_roc roc)
{
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
    rig_open(&rig, 1, 1);
    observer = observer_new();
    keys = 1;
    rx = far_make(rig.srtp, suite, 1, 10);
    tx = far_make(rig.srtp, suite, 1, 20);
    leg[1].rx = rx.crypto;
    leg[1].tx = tx.crypto;
    leg[1].roc_on_rekey = (uint8_t)roc;
    call = rig_call(&rig, 5, leg);
    rig_settle(&rig);
    rig_clear(&rig);
}

static void tear_down(void)
{
    CU_ASSERT_EQUAL(observer_violations(observer), 0);
    observer_free(observer);
    rig_end(&rig, &call);
    far_free(&rx);
    far_free(&tx);
    rig_close(&rig);
}

// Both directions get a new key, as in a re-INVITE.
static void rekey(void)
{
    enum tl_suite suite = rx.crypto.suite;
    keys++;
    far_free(&rx);
    far_free(&tx);
    rx = far_make(rig.srtp, suite, keys, 100 + keys);
    tx = far_make(rig.srtp, suite, keys, 200 + keys);
    leg[1].rx = rx.crypto;
    leg[1].tx = tx.crypto;
    rig_modify(&rig, &call, 1, &leg[1]);
}

static void queue(uint32_t ssrc, uint64_t index, bool forged)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = (uint16_t)index, .ts = 160 * (uint32_t)index, .ssrc = ssrc};
    unsigned len = far_protect(&rx, p, rtp_write(p, &f, PAYLOAD), 12, index);
    p[20] ^= forged;
    rig_udp(&rig, 1, 0, REMOTE1, PORT1, p, len);
}

// Does a packet with the index get through, with its payload?
static bool receives(uint64_t index)
{
    unsigned before = rig.sent_count, wrong = 0;
    queue(SSRC, index, false);
    rig_settle(&rig);
    if (rig.sent_count != before + 1)
        return false;
    for (unsigned k = 0; k < PAYLOAD; k++)
        wrong += rig.sent[before].udp.payload[12 + k] != rtp_payload_byte(SSRC, (uint16_t)index, k);
    CU_ASSERT_EQUAL(wrong, 0);
    return true;
}

// Does the near side's packet leave under the index?
static bool sends(uint16_t near_seq, uint64_t index)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = near_seq, .ts = 160u * near_seq, .ssrc = 1};
    unsigned before = rig.sent_count;
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, rtp_write(p, &f, PAYLOAD));
    rig_settle(&rig);
    if (rig.sent_count != before + 1)
        return false;
    const struct rig_sent *s = &rig.sent[before];
    memcpy(p, s->udp.payload, s->udp.len);
    observer_see(observer, &tx.crypto, OBSERVER_SRTP, rtp_read(p).ssrc, index, p, s->udp.len);
    return far_open(&tx, p, s->udp.len, index) == 12 + PAYLOAD;
}

// ---- received ----------------------------------------------------------------------------------------

// The first packet that arrives of a stream: ROC 0, or 1 when those before the wrap are lost; no other.
static void first_packet(void)
{
    static const struct {
        uint64_t index;
        bool right;
    } t[] = {{0, true},         {5, true},           {40000, true},         {65535, true},
             {ROC(1, 0), true}, {ROC(1, 300), true}, {ROC(1, 65535), true}, {ROC(2, 0), false},
             {ROC(7, 9), false}};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
            set_up(suites[k], TL_ROC_AUTO);
            CU_ASSERT_EQUAL(receives(t[i].index), t[i].right);
            CU_ASSERT_EQUAL(receives(t[i].index), false);
            CU_ASSERT_EQUAL(receives(t[i].index + 1), t[i].right);
            CU_ASSERT_EQUAL(srtp_word_index(call.live->rx_ssrc[1][0].word), t[i].right ? t[i].index + 1 : 0);
            tear_down();
        }
}

// The first packet under a new key, by where the one before ended and by what was agreed.
static void first_under_a_new_key(void)
{
    static const struct {
        int line;
        uint64_t before, after;
        bool right[TL_ROC_COUNT]; // auto, keep, reset
    } t[] = {
        {__LINE__, 1000, 1001, {true, true, true}},
        {__LINE__,
         65534,
         ROC(1, 3),
         {true, true, true}}, // kept, the wrap lost; or begun anew, first packets lost
        {__LINE__, 65534, 3, {true, false, true}},
        {__LINE__, ROC(1, 10), ROC(1, 11), {true, true, true}},
        {__LINE__, ROC(1, 10), 11, {true, false, true}},
        {__LINE__, ROC(1, 10), 40000, {true, true, true}}, // nearest to where it was
        {__LINE__, ROC(1, 65530), ROC(2, 1), {true, true, false}},
        {__LINE__, ROC(5, 10), ROC(5, 11), {true, true, false}},
        {__LINE__, ROC(5, 10), ROC(4, 65500), {true, true, false}}, // late, from before the wrap
        {__LINE__, ROC(5, 10), 11, {true, false, true}},
        {__LINE__, ROC(5, 10), ROC(1, 11), {true, false, true}},
        {__LINE__, ROC(5, 10), ROC(3, 11), {false, false, false}},
        {__LINE__, ROC(5, 10), ROC(6, 11), {false, false, false}},
    };
    for (unsigned roc = 0; roc < TL_ROC_COUNT; roc++)
        for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
            set_up(suites[i % 3], roc);
            rig_end(&rig, &call);
            leg[1].rx_resume[0] = (struct tl_resume_ssrc){.ssrc = SSRC, .index = t[i].before - 1};
            call = rig_call(&rig, 6, leg);
            CU_ASSERT(receives(t[i].before));
            rekey();
            bool right = receives(t[i].after);
            CU_ASSERT_EQUAL(right, t[i].right[roc]);
            if (right != t[i].right[roc])
                printf("     line %d, roc %u\n", t[i].line, roc);
            CU_ASSERT_EQUAL(receives(t[i].after), false);
            CU_ASSERT_EQUAL(receives(t[i].after + 1), right);
            CU_ASSERT_EQUAL(rig_rx_used(&call, 1), right ? 1 : 0);
            tear_down();
        }
}

// A key that is never used in between does not make the one before it forgotten; another SSRC begins at 0.
static void two_keys_in_a_row(void)
{
    set_up(suites[0], TL_ROC_AUTO);
    CU_ASSERT(receives(65535));
    CU_ASSERT(receives(ROC(1, 0)));
    for (uint64_t i = 1; i < 5; i++)
        CU_ASSERT(receives(ROC(i, 32000)) && receives(ROC(i, 64000)) && receives(ROC(i + 1, 10)));
    rekey();
    rekey();
    CU_ASSERT(receives(ROC(5, 11)));
    unsigned before = rig.sent_count;
    queue(0x99, 11, false);
    queue(0x98, ROC(1, 2), false);
    queue(0x97, ROC(5, 12), false);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, before + 2);
    CU_ASSERT(receives(ROC(5, 12)));
    tear_down();
}

// Streams that begin with ROC 1, all in one burst, among others.
static void in_one_burst(void)
{
    for (unsigned k = 0; k < 3; k++) {
        set_up(suites[k], TL_ROC_AUTO);
        for (unsigned i = 0; i < 3; i++)
            for (uint32_t ssrc = 1; ssrc <= 4; ssrc++)
                queue(ssrc, ssrc % 2 ? ROC(1, 5 + i) : 5 + i, false);
        rig_settle(&rig);
        CU_ASSERT_EQUAL(rig.sent_count, 12);
        CU_ASSERT_EQUAL(rig_rx_used(&call, 1), 15);
        CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
        tear_down();
    }
}

// A flood from the right source of packets that are not authentic: the budget is spent, and comes back so slowly
// that each of them costs an eighth of a further guess at the most. A stream that begins under it gets through.
static void flood(void)
{
    set_up(suites[0], TL_ROC_AUTO);
    struct leg_rx *state = call.session->rx[1];
    for (unsigned i = 0; i < 300; i++) {
        queue(0x1000 + i, 7, true);
        rig_turn(&rig);
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_bad_auth), 300);
    CU_ASSERT(state->credit < LEG_RX_GUESS_COSTS);
    unsigned passed = 0, first = 0;
    for (unsigned i = 0; i < 20; i++) {
        passed += receives(ROC(1, 100 + i));
        first += passed == 0;
    }
    CU_ASSERT(first < LEG_RX_GUESS_COSTS);
    CU_ASSERT_EQUAL(passed, 20 - first);
    tear_down();

    // the sum itself
    struct leg_rx rx_state;
    unsigned guesses = 0;
    leg_rx_reset(&rx_state, TL_ROC_AUTO);
    for (unsigned i = 0; i < 10000; i++) {
        leg_rx_earn(&rx_state);
        for (; leg_rx_may_guess(&rx_state); guesses++)
            rx_state.credit -= LEG_RX_GUESS_COSTS;
    }
    CU_ASSERT(guesses <= (LEG_RX_CREDIT_MAX + 10000) / LEG_RX_GUESS_COSTS);
}

// ---- sent --------------------------------------------------------------------------------------------

// A stream that we begin: below 2^15 with SRTP, wherever the near side begins.
static void begins_low(void)
{
    static const uint16_t seq[] = {0, 1, 32767, 32768, 40000, 65535};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < sizeof seq / sizeof *seq; i++) {
            set_up(suites[k], TL_ROC_AUTO);
            for (uint16_t n = 0; n < 3; n++)
                CU_ASSERT(sends((uint16_t)(seq[i] + n), (seq[i] & 0x7fff) + n));
            tear_down();
        }
}

// The first index under a new key, by the last one under the key before and by what was agreed.
static void sent_under_a_new_key(void)
{
    static const struct {
        int line;
        uint64_t before, next[TL_ROC_COUNT]; // auto, keep, reset
    } t[] = {
        {__LINE__, 1000, {1001, 1001, 1001}},
        {__LINE__, 65533, {65534, 65534, 65534}}, // ROC 0 either way: the numbers go on
        {__LINE__, 65535, {1, ROC(1, 0), 1}},
        {__LINE__, ROC(1, 9), {10, ROC(1, 10), 10}},
        {__LINE__, ROC(3, 40000), {40001 - 32768, ROC(3, 40001), 40001 - 32768}},
        {__LINE__, ROC(3, 32767), {1, ROC(3, 32768), 1}},
    };
    for (unsigned roc = 0; roc < TL_ROC_COUNT; roc++)
        for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
            set_up(suites[i % 3], roc);
            rig_end(&rig, &call);
            leg[1].tx_resume = (struct tl_resume_ssrc){.ssrc = 1, .index = t[i].before - 1};
            call = rig_call(&rig, 6, leg);
            CU_ASSERT(sends(5, t[i].before));
            rekey();
            bool right =
                sends(6, t[i].next[roc]) && sends(8, t[i].next[roc] + 2) && sends(7, t[i].next[roc] + 1);
            CU_ASSERT(right);
            if (!right)
                printf("     line %d, roc %u\n", t[i].line, roc);
            tear_down();
        }
}

// With auto we do with our ROC what the remote side was seen to do with its own: once it kept it, so do we; once
// it begins at 0 again, so do we.
static void as_the_remote_side_does(void)
{
    set_up(suites[0], TL_ROC_AUTO);
    rig_end(&rig, &call);
    leg[1].tx_resume = (struct tl_resume_ssrc){.ssrc = 1, .index = ROC(3, 9)};
    leg[1].rx_resume[0] = (struct tl_resume_ssrc){.ssrc = SSRC, .index = ROC(2, 10)};
    call = rig_call(&rig, 6, leg);
    CU_ASSERT(sends(100, ROC(3, 10)));
    rekey(); // nothing was seen yet
    CU_ASSERT(receives(ROC(2, 11)));
    CU_ASSERT(sends(101, 11));
    CU_ASSERT(receives(ROC(2, 12)));
    tear_down();

    for (unsigned keeps = 0; keeps < 2; keeps++) {
        set_up(suites[1], TL_ROC_AUTO);
        rig_end(&rig, &call);
        leg[1].tx_resume = (struct tl_resume_ssrc){.ssrc = 1, .index = ROC(3, 9)};
        leg[1].rx_resume[0] = (struct tl_resume_ssrc){.ssrc = SSRC, .index = ROC(2, 10)};
        call = rig_call(&rig, 6, leg);
        far_free(&rx); // its key alone changes
        rx = far_make(rig.srtp, suites[1], 7, 77);
        leg[1].rx = rx.crypto;
        rig_modify(&rig, &call, 1, &leg[1]);
        CU_ASSERT(receives(keeps ? ROC(2, 11) : 11));
        CU_ASSERT(sends(100, ROC(3, 10)));
        keys = 10;
        rekey();
        CU_ASSERT(sends(101, keeps ? ROC(3, 11) : 11));
        CU_ASSERT(receives(keeps ? ROC(2, 12) : 12));
        tear_down();
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"first_packet", first_packet},
        {"first_under_a_new_key", first_under_a_new_key},
        {"two_keys_in_a_row", two_keys_in_a_row},
        {"in_one_burst", in_one_burst},
        {"flood", flood},
        {"begins_low", begins_low},
        {"sent_under_a_new_key", sent_under_a_new_key},
        {"as_the_remote_side_does", as_the_remote_side_does},
    };
    if (rig_eal())
        return 1;
    int status = test_main("roc", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
