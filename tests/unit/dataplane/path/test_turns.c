// SPDX-License-Identifier: BSD-3-Clause
// SSRCs that take turns on one leg, on a plain one and on one with SRTP: one outgoing SSRC, numbers that grow, a
// base of timestamps for each sender, one index for one packet.
#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };
enum { PLAIN = 1, SRTP = 2, BOTH = 3, NONE = 0 }; // legs on which a packet goes out
enum { AUDIO = 0x11, DIGIT = 0x22, THIRD = 0x33, FOURTH = 0x44, FIFTH = 0x55 };

static struct rig rig;
static struct rig_call call;
static struct tl_leg leg[2];
static struct far rx, tx;
static struct observer *observer;
static uint64_t begun_ns;

static void set_up(enum tl_suite suite)
{
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
    rig_open(&rig, 1, 1);
    observer = observer_new();
    if (suite != TL_SUITE_NONE) {
        rx = far_make(rig.srtp, suite, 1, 10);
        tx = far_make(rig.srtp, suite, 1, 20);
        leg[1].rx = rx.crypto;
        leg[1].tx = tx.crypto;
    }
    call = rig_call(&rig, 5, leg);
    rig_settle(&rig);
    rig_clear(&rig);
    begun_ns = rig.engine->worker[0]->now_ns + 1000000000u;
}

static void tear_down(void)
{
    CU_ASSERT_EQUAL(observer_violations(observer), 0);
    observer_free(observer);
    rig_end(&rig, &call);
    if (leg[1].rx.suite) {
        far_free(&rx);
        far_free(&tx);
    }
    rig_close(&rig);
}

static void at_ms(uint32_t ms)
{
    clock_stop(&rig.engine->worker[0]->clock, begun_ns + ms * 1000000ull);
}

// Sends one packet from side 0; returns what came out of it, or NULL.
static const struct rig_sent *relayed(uint32_t ssrc, uint16_t seq, uint32_t ts)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = ts, .ssrc = ssrc};
    unsigned before = rig.sent_count;
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, rtp_write(p, &f, PAYLOAD));
    rig_settle(&rig);
    if (rig.sent_count != before + 1)
        return NULL;
    const struct rig_sent *s = &rig.sent[before];
    if (leg[1].tx.suite)
        observer_srtp(observer, &leg[1].tx, s->udp.payload, s->udp.len);
    return s;
}

// One packet of the near side and what leaves for it.
struct step {
    int line;
    uint32_t ms; // since the beginning
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts;
    unsigned out; // on which legs
    uint16_t out_seq;
    uint32_t out_ts;
};

static void play(const struct step *t, size_t n)
{
    static const enum tl_suite suites[] = {TL_SUITE_NONE, TL_SUITE_AES_CM_128_HMAC_SHA1_80,
                                           TL_SUITE_AEAD_AES_128_GCM};
    for (unsigned k = 0; k < 3; k++) {
        unsigned bit = suites[k] == TL_SUITE_NONE ? PLAIN : SRTP, wrong = 0;
        set_up(suites[k]);
        for (size_t i = 0; i < n; i++) {
            at_ms(t[i].ms);
            const struct rig_sent *s = relayed(t[i].ssrc, t[i].seq, t[i].ts);
            struct rtp_fields f = {0};
            if (s)
                f = rtp_read(s->udp.payload);
            bool right = !s == !(t[i].out & bit);
            if (s && right)
                right = f.seq == t[i].out_seq && f.ts == t[i].out_ts && f.ssrc == t[0].ssrc;
            if (!right) {
                printf("     line %d, suite %d: %s seq %u ts %u ssrc %x\n", t[i].line, suites[k],
                       s ? "out" : "nothing out", f.seq, f.ts, f.ssrc);
                wrong++;
            }
        }
        CU_ASSERT_EQUAL(wrong, 0);
        tear_down();
    }
}

#define PLAY(t) play(t, sizeof(t) / sizeof *(t))

// A digit from an SSRC, sequence and clock of its own while the audio goes on: it keeps one timestamp, the audio
// its own ones.
static void digit_beside_audio(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 1000, 50000, BOTH, 1000, 50000},
        {__LINE__, 20, AUDIO, 1001, 50160, BOTH, 1001, 50160},
        {__LINE__, 21, DIGIT, 30000, 900000, BOTH, 1002, 50320},
        {__LINE__, 40, AUDIO, 1002, 50320, BOTH, 1003, 50320},
        {__LINE__, 41, DIGIT, 30001, 900000, BOTH, 1004, 50320},
        {__LINE__, 60, AUDIO, 1003, 50480, BOTH, 1005, 50480},
        {__LINE__, 61, DIGIT, 30002, 900000, BOTH, 1006, 50320},
        {__LINE__, 3060, AUDIO, 1004, 74480, BOTH, 1007, 74480}, // 3 s later
        {__LINE__, 3061, DIGIT, 30003, 900000, BOTH, 1008, 50320},
        {__LINE__, 8060, AUDIO, 1005, 114480, BOTH, 1009, 114480},
        {__LINE__, 8061, DIGIT, 30004, 900000, BOTH, 1010, 50320},  // as long as an event may be
        {__LINE__, 9061, DIGIT, 30005, 972320, BOTH, 1011, 122640}, // another digit: its clock has run
        {__LINE__, 9081, DIGIT, 30006, 972320, BOTH, 1012, 122640},
        {__LINE__, 9100, AUDIO, 1006, 122800, BOTH, 1013, 122800},
    };
    PLAY(t);
}

// The same where the digit's SSRC has the clock of the audio, which pauses meanwhile.
static void digit_instead_of_audio(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 1000, 50000, BOTH, 1000, 50000},
        {__LINE__, 20, DIGIT, 7, 50160, BOTH, 1001, 50160},
        {__LINE__, 40, DIGIT, 8, 50160, BOTH, 1002, 50160},
        {__LINE__, 2020, DIGIT, 9, 50160, BOTH, 1003, 50160},
        {__LINE__, 2040, AUDIO, 1001, 66320, BOTH, 1004, 66320},
        {__LINE__, 2060, AUDIO, 1002, 66480, BOTH, 1005, 66480},
        {__LINE__, 2080, DIGIT, 10, 66640, BOTH, 1006, 66640},
    };
    PLAY(t);
}

// A generator whose clock stands between digits: each digit begins behind what has been sent and keeps that.
static void clock_stands_between_digits(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 1, 50000, BOTH, 1, 50000},
        {__LINE__, 10, DIGIT, 1, 700, BOTH, 2, 50160},
        {__LINE__, 20, AUDIO, 2, 50160, BOTH, 3, 50160},
        {__LINE__, 60000, AUDIO, 3, 530000, BOTH, 4, 530000},
        {__LINE__, 60010, DIGIT, 2, 1500, BOTH, 5, 530160},
        {__LINE__, 60020, AUDIO, 4, 530160, BOTH, 6, 530160},
        {__LINE__, 60030, DIGIT, 3, 1500, BOTH, 7, 530160},
    };
    PLAY(t);
}

// Overlap of a transfer: two senders that both send audio, then the first one falls silent and comes back with a
// clock that stood still.
static void two_senders(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 1, 1000, BOTH, 1, 1000},
        {__LINE__, 10, THIRD, 500, 88000, BOTH, 2, 1160},
        {__LINE__, 20, AUDIO, 2, 1160, BOTH, 3, 1160},
        {__LINE__, 30, THIRD, 501, 88160, BOTH, 4, 1320},
        {__LINE__, 40, AUDIO, 3, 1320, BOTH, 5, 1320},
        {__LINE__, 50, THIRD, 502, 88320, BOTH, 6, 1480},
        {__LINE__, 30050, THIRD, 503, 328320, BOTH, 7, 241480},
        {__LINE__, 30060, AUDIO, 4, 1480, BOTH, 8, 241640}, // behind by half a minute: not its old base
        {__LINE__, 30080, AUDIO, 5, 1640, BOTH, 9, 241800},
        {__LINE__, 30090, THIRD, 504, 328480, BOTH, 10, 241640},
    };
    PLAY(t);
}

// What comes late takes the place that was left for it, whoever has the turn; what came before does not.
static void late_and_twice(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 10, 1600, BOTH, 10, 1600},    {__LINE__, 20, DIGIT, 500, 1600, BOTH, 11, 1600},
        {__LINE__, 40, AUDIO, 14, 2240, BOTH, 15, 2240}, // 11, 12 and 13 are on their way
        {__LINE__, 41, DIGIT, 501, 1600, BOTH, 16, 1600},  {__LINE__, 42, AUDIO, 12, 1920, BOTH, 13, 1920},
        {__LINE__, 43, AUDIO, 12, 1920, PLAIN, 13, 1920},  {__LINE__, 44, AUDIO, 14, 2240, PLAIN, 15, 2240},
        {__LINE__, 45, AUDIO, 10, 1600, PLAIN, 11, 1600}, // of the turn before: no place, a number that is taken
        {__LINE__, 46, DIGIT, 501, 1600, PLAIN, 16, 1600}, {__LINE__, 47, DIGIT, 502, 1600, BOTH, 17, 1600},
        {__LINE__, 48, AUDIO, 11, 1760, BOTH, 12, 1760},   {__LINE__, 60, AUDIO, 15, 2400, BOTH, 18, 2400},
        {__LINE__, 80, DIGIT, 1000, 1600, BOTH, 19, 1600}, // a gap that says nothing is not shown
        {__LINE__, 90, DIGIT, 999, 1600, PLAIN, 18, 1600},
    };
    PLAY(t);
}

// A sender that began anew under the SSRC that it had.
static void begins_anew(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 10000, 1600, BOTH, 10000, 1600},
        {__LINE__, 10, DIGIT, 500, 1600, BOTH, 10001, 1600},
        {__LINE__, 20, AUDIO, 5, 77000, BOTH, 10002, 1760}, // behind the window
        {__LINE__, 40, AUDIO, 6, 77160, BOTH, 10003, 1920},
        {__LINE__, 50, DIGIT, 501, 1600, BOTH, 10004, 1600},
        {__LINE__, 60, AUDIO, 7, 77320, BOTH, 10005, 2080},
    };
    PLAY(t);
}

// Four SSRCs in rotation are known; of five, the one that left first is a new one when it comes back.
static void as_many_as_are_kept(void)
{
    static const struct step t[] = {
        {__LINE__, 0, AUDIO, 1, 1000, BOTH, 1, 1000},      {__LINE__, 1, DIGIT, 1, 200000, BOTH, 2, 1160},
        {__LINE__, 2, THIRD, 1, 300000, BOTH, 3, 1320},    {__LINE__, 3, FOURTH, 1, 400000, BOTH, 4, 1480},
        {__LINE__, 20, AUDIO, 2, 1160, BOTH, 5, 1160},     {__LINE__, 21, DIGIT, 2, 200000, BOTH, 6, 1160},
        {__LINE__, 22, THIRD, 2, 300160, BOTH, 7, 1480},   {__LINE__, 23, FOURTH, 2, 400160, BOTH, 8, 1640},
        {__LINE__, 30, FIFTH, 1, 500000, BOTH, 9, 1800}, // in the place of AUDIO
        {__LINE__, 31, FOURTH, 3, 400320, BOTH, 10, 1800}, {__LINE__, 32, DIGIT, 3, 200000, BOTH, 11, 1160},
        {__LINE__, 40, AUDIO, 3, 1320, BOTH, 12, 1960},
    };
    PLAY(t);
}

// RTCP of a sender whose turn is over speaks of its own timestamps.
static void sender_reports(void)
{
    static const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, DIGIT};
    uint8_t p[28];
    set_up(TL_SUITE_NONE);
    at_ms(0);
    relayed(AUDIO, 1, 50000);
    relayed(DIGIT, 1, 900000); // leaves as 50160
    relayed(AUDIO, 2, 50160);
    for (unsigned i = 0; i < 2; i++) {
        rig_clear(&rig);
        memcpy(p, sr, sizeof p);
        p[7] = i ? AUDIO : DIGIT;
        uint32_t ts = i ? 50320 : 900480;
        for (unsigned k = 0; k < 4; k++)
            p[16 + k] = (uint8_t)(ts >> (24 - 8 * k));
        rig_udp(&rig, 0, 0, REMOTE0 + 1, PORT0 + 1, p, sizeof p);
        rig_settle(&rig);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
        const uint8_t *d = rig.sent[0].udp.payload;
        CU_ASSERT_EQUAL(d[7], AUDIO);
        CU_ASSERT_EQUAL((uint32_t)d[16] << 24 | d[17] << 16 | d[18] << 8 | d[19], i ? 50320 : 50640);
    }
    tear_down();
}

// More sessions take turns than the table holds: the oldest entries give way, nothing else is lost. The table
// is looked at directly; a session in another one's slot finds nothing.
static void table_is_full(void)
{
    static struct turns_table table;
    static struct session s[TURNS_SESSIONS + 100];
    for (unsigned i = 0; i < TURNS_SESSIONS + 100; i++)
        s[i].slot = i;
    for (unsigned i = 0; i < TURNS_SESSIONS; i++) {
        struct turns *turns = turns_add(&table, &s[i]);
        turns->turn[1][0] = (struct turn){.ssrc = i, .used = true};
    }
    for (unsigned i = 0; i < TURNS_SESSIONS; i++)
        CU_ASSERT(turns_of(turns_find(&table, &s[i]), 1, i) != NULL);
    CU_ASSERT_PTR_NULL(turns_of(turns_find(&table, &s[3]), 0, 3));
    CU_ASSERT_PTR_NULL(turns_find(&table, &s[TURNS_SESSIONS]));
    turns_add(&table, &s[TURNS_SESSIONS]); // nobody has used one since: the first gives way
    CU_ASSERT_PTR_NULL(turns_find(&table, &s[0]));
    turns_find(&table, &s[1])->recent = true;
    turns_add(&table, &s[TURNS_SESSIONS + 1]);
    CU_ASSERT_PTR_NOT_NULL(turns_find(&table, &s[1])); // is in use, the next one was not
    CU_ASSERT_PTR_NULL(turns_find(&table, &s[2]));
    struct session other = {.slot = 3}; // after session 3 has gone
    CU_ASSERT_PTR_NULL(turns_find(&table, &other));
}

// Whatever two to six senders do, and whichever keys come: numbers grow but for what is late, one index is one
// packet.
static void at_random(void)
{
    for (unsigned k = 0; k < 2; k++) {
        set_up(k ? TL_SUITE_AEAD_AES_128_GCM : TL_SUITE_AES_CM_128_HMAC_SHA1_80);
        srand(815 + k);
        uint16_t seq[6] = {0, 65000, 300, 40000, 7, 65535};
        unsigned out = 0;
        for (unsigned i = 0; i < 6000; i++) {
            unsigned who = rand() % (2 + i / 1500), dice = rand() % 100;
            seq[who] += dice < 80 ? 1 : dice < 90 ? rand() % 6 : dice < 98 ? -(rand() % 140) : rand();
            at_ms(i * 10);
            out += relayed(who, seq[who], 80 * i + rand() % 100) != NULL;
            if (rig.sent_count > RIG_SENT / 2)
                rig_clear(&rig);
        }
        CU_ASSERT(out > 2000);
        CU_ASSERT_EQUAL(observer_packets(observer), out);
        tear_down();
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"digit_beside_audio", digit_beside_audio},
        {"digit_instead_of_audio", digit_instead_of_audio},
        {"clock_stands_between_digits", clock_stands_between_digits},
        {"two_senders", two_senders},
        {"late_and_twice", late_and_twice},
        {"begins_anew", begins_anew},
        {"as_many_as_are_kept", as_many_as_are_kept},
        {"sender_reports", sender_reports},
        {"table_is_full", table_is_full},
        {"at_random", at_random},
    };
    if (rig_eal())
        return 1;
    int status = test_main("turns", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
