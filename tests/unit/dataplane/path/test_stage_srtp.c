// SPDX-License-Identifier: BSD-3-Clause
// SRTP through all stages with a far end that is not ours: libsrtp2 opens what leaves and makes what comes;
// the observer sees what leaves. test_relay_srtp.c has the rest of the stages, with our own code as the far
// end.
#include <string.h>

#include "observer.h"
#include "oracle.h"
#include "rig.h"
#include "runner.h"

enum {
    PORT0 = 20000, // the plain leg
    PORT1 = 30008, // the one with keys
    REMOTE0 = 5000,
    REMOTE1 = 6000,
    PAYLOAD = 160,
    NEAR = 0x1234, // SSRC of the plain side, and so of what we send
    FAR = 0xfa5,   // SSRC of the side with keys
};

// A call with a plain and an SRTP leg, and all who watch it.
struct scene {
    struct rig rig;
    struct rig_call warm, call;
    struct tl_leg leg[2];
    struct oracle *far_in, *far_out; // the far end's two directions
    struct observer *observer;
    unsigned seen; // of rig.sent
};
static struct scene scene;

static struct tl_crypto crypto(enum tl_suite suite, unsigned mki_len, uint8_t seed)
{
    struct tl_crypto c = {.suite = suite, .generation = seed, .mki_len = (uint8_t)mki_len};
    for (unsigned i = 0; i < mki_len; i++)
        c.mki[i] = (uint8_t)(seed + i);
    for (unsigned i = 0; i < tl_suite_info(suite)->key_len; i++)
        c.key[i] = (uint8_t)(seed * 17 + i);
    for (unsigned i = 0; i < tl_suite_info(suite)->salt_len; i++)
        c.salt[i] = (uint8_t)(seed * 29 + i);
    return c;
}

static void send_raw(struct scene *s, unsigned port, unsigned rtcp, const void *bytes, unsigned len)
{
    rig_udp(&s->rig, port, 0, (uint16_t)((port ? REMOTE1 : REMOTE0) + rtcp),
            (uint16_t)((port ? PORT1 : PORT0) + rtcp), bytes, len);
}

// A plain call beside ours has resolved both neighbours before ours sends its first burst.
static void warm_up(struct scene *s)
{
    struct tl_leg leg[2] = {rig_leg(0, PORT0 + 4, REMOTE0), rig_leg(1, PORT1 + 4, REMOTE1)};
    uint8_t rtp[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = 1, .ssrc = 1};
    unsigned len = rtp_write(rtp, &f, PAYLOAD);
    s->warm = rig_call(&s->rig, 9, leg);
    rig_udp(&s->rig, 0, 0, REMOTE0, PORT0 + 4, rtp, len);
    rig_udp(&s->rig, 1, 0, REMOTE1, PORT1 + 4, rtp, len);
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL_FATAL(s->rig.sent_count, 2);
    rig_clear(&s->rig);
}

static void begin(struct scene *s, enum tl_suite suite, unsigned mki_len)
{
    memset(s, 0, sizeof *s);
    rig_open(&s->rig, 1, 1);
    s->leg[0] = rig_leg(0, PORT0, REMOTE0);
    s->leg[1] = rig_leg(1, PORT1, REMOTE1);
    s->leg[0].pt_out[2] = 96; // telephone-event: 101 here, 96 there
    s->leg[1].pt_in[2] = 96;
    s->leg[1].rx = crypto(suite, mki_len, 1);
    s->leg[1].tx = crypto(suite, mki_len, 2);
    warm_up(s);
    s->call = rig_call(&s->rig, 3, s->leg);
    s->observer = observer_new();
    s->far_in = oracle_new(&s->leg[1].tx, NEAR, 0);
    s->far_out = oracle_new(&s->leg[1].rx, FAR, 0);
    CU_ASSERT_FATAL(s->far_in && s->far_out);
}

static void end(struct scene *s)
{
    CU_ASSERT_EQUAL(observer_violations(s->observer), 0);
    observer_free(s->observer);
    oracle_free(s->far_in);
    oracle_free(s->far_out);
    rig_end(&s->rig, &s->call);
    rig_end(&s->rig, &s->warm);
    rig_close(&s->rig);
}

static void each_suite(void (*test)(struct scene *s))
{
    for (int suite = TL_SUITE_NONE + 1; suite < TL_SUITE_COUNT; suite++) {
        for (unsigned mki_len = 0; mki_len <= TL_MKI_MAX; mki_len += TL_MKI_MAX) {
            begin(&scene, suite, mki_len);
            test(&scene);
            end(&scene);
        }
    }
}

static void send_plain(struct scene *s, uint32_t ssrc, uint16_t seq, uint8_t pt, uint8_t first)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = pt, .seq = seq, .ts = seq * 160u, .ssrc = ssrc};
    unsigned len = rtp_write(rtp, &f, PAYLOAD);
    rtp[12] = first;
    send_raw(s, 0, 0, rtp, len);
}

// The far end's next packet, protected by the oracle. Returns its length.
static unsigned far_packet(struct oracle *oracle, uint8_t *rtp, uint32_t ssrc, uint16_t seq)
{
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = seq * 160u, .ssrc = ssrc};
    int len = (int)rtp_write(rtp, &f, PAYLOAD);
    CU_ASSERT_FATAL(oracle_protect(oracle, rtp, &len));
    return (unsigned)len;
}

// The next packet that was sent on port 1 since the last call, seen by the observer and opened by the far end
// into `plain`. False: none.
static bool next_sealed(struct scene *s, uint8_t *plain, int *len)
{
    for (; s->seen < s->rig.sent_count; s->seen++) {
        const struct rig_sent *x = &s->rig.sent[s->seen];
        if (x->port != 1 || x->udp.src_port != PORT1)
            continue;
        observer_srtp(s->observer, &s->leg[1].tx, x->udp.payload, x->udp.len);
        memcpy(plain, x->udp.payload, x->udp.len);
        *len = x->udp.len;
        CU_ASSERT(oracle_unprotect(s->far_in, plain, len));
        s->seen++;
        return true;
    }
    return false;
}

static const struct tl_live_ssrc *live_tx(const struct scene *s)
{
    return &s->call.live->tx[1].ssrc;
}

static const struct tl_live_ssrc *live_rx(const struct scene *s, unsigned slot)
{
    return &s->call.live->rx_ssrc[1][slot];
}

// Is the payload what rtp_write() made of SSRC and sequence number, from byte `from` on?
static bool payload_right(const uint8_t *rtp, unsigned from)
{
    struct rtp_fields f = rtp_read(rtp);
    for (unsigned i = from; i < PAYLOAD; i++)
        if (rtp[12 + i] != rtp_payload_byte(f.ssrc, f.seq, i))
            return false;
    return true;
}

// ---- there and back ----------------------------------------------------------------------------------

static void to_far_end(struct scene *s)
{
    enum { FIRST = 32700, STEP = 150 }; // over the wrap
    uint8_t plain[PACKET_BYTES_MAX];
    int len;
    unsigned sent = 0, burst = 1;
    for (unsigned i = 0; i < 300; i += burst, burst = burst % 31 + 1) { // bursts of every size
        for (unsigned k = i; k < i + burst; k++)
            send_plain(s, NEAR, (uint16_t)(FIRST + STEP * k), k % 10 ? 8 : 101, (uint8_t)k);
        rig_turn(&s->rig);
        sent += burst;
    }
    rig_settle(&s->rig);
    for (unsigned k = 0; k < sent; k++) {
        CU_ASSERT_FATAL(next_sealed(s, plain, &len));
        struct rtp_fields f = rtp_read(plain);
        CU_ASSERT(len == 12 + PAYLOAD && f.ssrc == NEAR && f.seq == (uint16_t)(FIRST + STEP * k));
        CU_ASSERT(f.pt == (k % 10 ? 8 : 96) && f.ts == (uint16_t)(FIRST + STEP * k) * 160u &&
                  plain[12] == (uint8_t)k);
        CU_ASSERT(payload_right(plain, 1));
    }
    CU_ASSERT(!next_sealed(s, plain, &len));
    CU_ASSERT(oracle_roc(s->far_in) == 1 && observer_packets(s->observer) == sent);
    CU_ASSERT_EQUAL(live_tx(s)->word, srtp_word(FIRST + STEP * (sent - 1), 2));
    CU_ASSERT_EQUAL(live_tx(s)->ssrc, NEAR);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), 0);
}

static void plain_to_srtp(void)
{
    each_suite(to_far_end);
}

static void from_far_end(struct scene *s)
{
    uint8_t rtp[PACKET_BYTES_MAX], copy[PACKET_BYTES_MAX];
    unsigned copies = 0;
    // The first burst has the wrap in it, while nothing is known of the stream; duplicates all along.
    for (unsigned k = 0; k < 200; k++) {
        unsigned len = far_packet(s->far_out, rtp, FAR, (uint16_t)(65533 + k));
        send_raw(s, 1, 0, rtp, len);
        if (k % 3 == 0) {
            send_raw(s, 1, 0, rtp, len);
            copies++;
        }
        if (k % 20 == 19)
            rig_turn(&s->rig);
        if (k == 100) {
            memcpy(copy, rtp, len);
            rig_turn(&s->rig);
            send_raw(s, 1, 0, copy, len); // and one a burst later
            copies++;
        }
    }
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 200);
    for (unsigned k = 0; k < s->rig.sent_count; k++) {
        const struct rig_sent *x = &s->rig.sent[k];
        struct rtp_fields f = rtp_read(x->udp.payload);
        CU_ASSERT(x->port == 0 && x->udp.len == 12 + PAYLOAD && f.ssrc == FAR &&
                  f.seq == (uint16_t)(65533 + k));
        CU_ASSERT(payload_right(x->udp.payload, 0));
    }
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_replayed), copies);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), copies);
    CU_ASSERT_EQUAL(live_rx(s, 0)->word, srtp_word(65533 + 199, 1));
    CU_ASSERT_EQUAL(live_rx(s, 0)->ssrc, FAR);
}

static void srtp_to_plain(void)
{
    each_suite(from_far_end);
}

// ---- nothing learnt from what is not authentic -------------------------------------------------------

static void forgeries(struct scene *s)
{
    uint8_t good[PACKET_BYTES_MAX], rtp[PACKET_BYTES_MAX];
    unsigned len = far_packet(s->far_out, good, FAR, 40000), forged = 0;
    struct session before = *s->call.session;
    struct leg_rx before_rx = *s->call.session->rx[1];
    for (unsigned i = 0; i < 20; i++, forged++) { // new SSRCs, with and without the right sequence
        struct rtp_fields f = {.pt = 8, .seq = (uint16_t)(40000 + 999 * i), .ssrc = 500 + i};
        send_raw(s, 1, 0, rtp, rtp_write(rtp, &f, PAYLOAD));
    }
    for (unsigned i = 1; i < len; i += 7, forged++) { // the real one with a byte wrong
        memcpy(rtp, good, len);
        rtp[i] ^= i == 1 ? 0x80 : 0x01;
        send_raw(s, 1, 0, rtp, len);
        rig_turn(&s->rig);
    }
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 0);
    unsigned other_mki = rig_drops(&s->rig, TL_DROP_bad_mki);
    CU_ASSERT_EQUAL(other_mki > 0, s->leg[1].rx.mki_len > 0);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_bad_auth) + other_mki, forged);
    CU_ASSERT(s->call.session->police[1].loose != before.police[1].loose); // that they came is all
    before.police[1].loose = s->call.session->police[1].loose;
    CU_ASSERT(memcmp(&before, s->call.session, sizeof before) == 0);
    before_rx.credit = s->call.session->rx[1]->credit; // the budget of guesses is all that moved
    CU_ASSERT(memcmp(&before_rx, s->call.session->rx[1], sizeof before_rx) == 0);
    CU_ASSERT(live_rx(s, 0)->word == 0 && live_rx(s, 0)->ssrc == 0);
    CU_ASSERT_EQUAL(s->call.live->rx[1].last_ns, 0);

    send_raw(s, 1, 0, good, len); // and it still counts
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 1);
    CU_ASSERT_EQUAL(live_rx(s, 0)->word, srtp_word(40000, 1));

    unsigned tag = tl_suite_info(s->leg[1].rx.suite)->rtp_tag;
    send_raw(s, 1, 0, good, 12 + tag - 1); // no room for the tag
    struct rtp_fields f = {.pt = 8, .seq = 40001, .ssrc = FAR};
    send_raw(s, 1, 0, rtp, rtp_write(rtp, &f, PAYLOAD)); // plain
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_short_srtp), 1);
    other_mki = rig_drops(&s->rig, TL_DROP_bad_mki);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_bad_auth) + other_mki, forged + 1);
    CU_ASSERT_EQUAL(s->rig.sent_count, 1);
}

static void nothing_learnt(void)
{
    each_suite(forgeries);
}

// More SSRCs than there are slots, in one burst and later; each goes on behind its first wrap though others
// took its place meanwhile, and nothing of what it sent before passes again.
enum { CROWD = TL_SSRC_MAX + LEG_FLOORS };

static void crowd(struct scene *s)
{
    struct {
        uint8_t bytes[2][PACKET_BYTES_MAX];
        unsigned len[2];
    } sent[CROWD];
    struct oracle *far[CROWD];
    for (uint32_t i = 0; i < CROWD; i++) {
        far[i] = oracle_new(&s->leg[1].rx, 900 + i, 0);
        CU_ASSERT_FATAL(far[i] != NULL);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < CROWD; i++) {
            uint8_t *rtp = sent[i].bytes[round];
            sent[i].len[round] = far_packet(far[i], rtp, 900 + i, (uint16_t)(65535 + round));
            send_raw(s, 1, 0, rtp, sent[i].len[round]);
            if (round)
                rig_turn(&s->rig);
        }
        rig_settle(&s->rig);
    }
    CU_ASSERT_EQUAL(s->rig.sent_count, 2 * CROWD);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), 0);
    unsigned named = 0;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++) {
        uint32_t ssrc = live_rx(s, i)->ssrc;
        CU_ASSERT(ssrc >= 900 + LEG_FLOORS && ssrc < 900 + CROWD);
        CU_ASSERT_EQUAL(live_rx(s, i)->word, srtp_word(65536, 1));
        named |= 1u << (ssrc - 900);
    }
    CU_ASSERT_EQUAL(named, 0x3c);

    for (uint32_t i = 0; i < CROWD; i++)
        for (unsigned round = 0; round < 2; round++) {
            send_raw(s, 1, 0, sent[i].bytes[round], sent[i].len[round]);
            if (i % 2)
                rig_turn(&s->rig);
        }
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 2 * CROWD);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_replayed), 2 * CROWD);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), 2 * CROWD);
    for (uint32_t i = 0; i < CROWD; i++)
        oracle_free(far[i]);
}

static void crowd_of_ssrcs(void)
{
    each_suite(crowd);
}

// A forged crowd takes nobody's place.
static void forged_crowd(struct scene *s)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    send_raw(s, 1, 0, rtp, far_packet(s->far_out, rtp, FAR, 65535));
    rig_settle(&s->rig);
    for (uint32_t i = 0; i < 3 * TL_SSRC_MAX; i++) {
        struct rtp_fields f = {.pt = 8, .seq = (uint16_t)i, .ssrc = 500 + i};
        send_raw(s, 1, 0, rtp, rtp_write(rtp, &f, PAYLOAD));
    }
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, s->leg[1].rx.mki_len ? TL_DROP_bad_mki : TL_DROP_bad_auth),
                    3 * TL_SSRC_MAX);
    CU_ASSERT_EQUAL(rig_rx_used(&s->call, 1), 1);
    send_raw(s, 1, 0, rtp, far_packet(s->far_out, rtp, FAR, 0));
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 2);
    CU_ASSERT_EQUAL(live_rx(s, 0)->word, srtp_word(65536, 1));
}

static void crowd_of_forgeries(void)
{
    each_suite(forged_crowd);
}

// ---- hostile plain senders ---------------------------------------------------------------------------

static unsigned drain(struct scene *s)
{
    uint8_t plain[PACKET_BYTES_MAX];
    int len;
    unsigned n = 0;
    rig_settle(&s->rig);
    while (next_sealed(s, plain, &len))
        n++;
    rig_clear(&s->rig);
    s->seen = 0;
    return n;
}

// Any sequence numbers and SSRCs, few enough to meet often; no two packets have the same payload.
static void mischief(struct scene *s)
{
    unsigned given = 0, sent = 0;
    uint64_t noise = 88172645463325252ull;
    for (unsigned i = 0; i < 1500; i++, given++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        uint16_t seq = noise & 1 ? (uint16_t)(noise >> 32) : (uint16_t)(300 + (noise >> 32) % 200);
        send_plain(s, (noise >> 8) % 16 ? NEAR : 77, seq, 8, (uint8_t)i);
        if (i % 25 == 24)
            rig_turn(&s->rig);
        if (i % 100 == 99)
            sent += drain(s);
    }
    sent += drain(s);
    CU_ASSERT(sent > 300);
    CU_ASSERT_EQUAL(observer_packets(s->observer), sent);
    CU_ASSERT_EQUAL(rig_drops(&s->rig, TL_DROP_tx_index_used), given - sent);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), given - sent);
}

static void hostile_plain_sender(void)
{
    each_suite(mischief);
}

// ---- SRTCP -------------------------------------------------------------------------------------------

// A sender report without report blocks.
static unsigned report(uint8_t *rtcp, uint32_t ssrc, uint8_t mark)
{
    memset(rtcp, mark, 28);
    memcpy(rtcp,
           (uint8_t[]){0x80, 200, 0, 6, (uint8_t)(ssrc >> 24), (uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8),
                       (uint8_t)ssrc},
           8);
    return 28;
}

static void reports(struct scene *s)
{
    uint8_t rtcp[PACKET_BYTES_MAX], sealed[PACKET_BYTES_MAX];
    for (unsigned i = 0; i < 40; i++) {
        send_raw(s, 0, 1, rtcp, report(rtcp, NEAR, (uint8_t)i));
        rig_turn(&s->rig);
    }
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 40);
    for (unsigned i = 0; i < s->rig.sent_count; i++) {
        const struct rig_sent *x = &s->rig.sent[i];
        observer_srtcp(s->observer, &s->leg[1].tx, x->udp.payload, x->udp.len);
        memcpy(sealed, x->udp.payload, x->udp.len);
        int len = x->udp.len;
        CU_ASSERT(x->port == 1 && x->udp.src_port == PORT1 + 1 && x->udp.dst_port == REMOTE1 + 1);
        CU_ASSERT(oracle_unprotect_rtcp(s->far_in, sealed, &len));
        CU_ASSERT(len == (int)report(rtcp, NEAR, (uint8_t)i) && memcmp(sealed, rtcp, 28) == 0);
    }
    CU_ASSERT_EQUAL(observer_packets(s->observer), 40);
    CU_ASSERT_EQUAL(live_tx(s)->srtcp_index, 40);

    rig_clear(&s->rig);
    for (unsigned i = 0; i < 40; i++) {
        int len = (int)report(sealed, FAR, (uint8_t)i);
        CU_ASSERT(oracle_protect_rtcp(s->far_out, sealed, &len));
        send_raw(s, 1, 1, sealed, (unsigned)len);
        send_raw(s, 1, 1, sealed, (unsigned)len); // twice in one burst
        sealed[len - 1] ^= 1;                     // a bit of tag (AES_CM) or index (GCM)
        send_raw(s, 1, 1, sealed, (unsigned)len);
        rig_turn(&s->rig);
    }
    send_raw(s, 1, 1, rtcp, report(rtcp, FAR, 0)); // not protected, E bit clear wherever it is looked for
    rig_settle(&s->rig);
    CU_ASSERT_EQUAL(s->rig.sent_count, 40);
    for (unsigned i = 0; i < s->rig.sent_count; i++) {
        const struct rig_sent *x = &s->rig.sent[i];
        CU_ASSERT(x->port == 0 && x->udp.len == report(rtcp, FAR, (uint8_t)i));
        CU_ASSERT(memcmp(x->udp.payload, rtcp, 28) == 0);
    }
    // one of each pair and the bent one, which with GCM may carry an index that was seen or another MKI
    uint64_t refused = rig_drops(&s->rig, TL_DROP_replayed) + rig_drops(&s->rig, TL_DROP_bad_auth) +
                       rig_drops(&s->rig, TL_DROP_bad_mki);
    CU_ASSERT_EQUAL(refused, 80);
    CU_ASSERT_EQUAL(rig_all_drops(&s->rig), 81);
    CU_ASSERT_EQUAL(live_rx(s, 0)->srtcp_index, 40);
}

static void srtcp(void)
{
    each_suite(reports);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"plain_to_srtp", plain_to_srtp},
        {"srtp_to_plain", srtp_to_plain},
        {"nothing_learnt", nothing_learnt},
        {"crowd_of_ssrcs", crowd_of_ssrcs},
        {"crowd_of_forgeries", crowd_of_forgeries},
        {"hostile_plain_sender", hostile_plain_sender},
        {"srtcp", srtcp},
    };
    if (rig_eal())
        return 1;
    int status = test_main("stage_srtp", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
