// SPDX-License-Identifier: BSD-3-Clause
// libsrtp2 as an oracle that shares nothing with us: what we protect it unprotects, and the other way round,
// over wraps of the sequence number at several ROCs, with loss, reordering and duplicates on the wire; and bursts of one
// stream at every length, of which OpenSSL's engine and the one of this CPU make the same as libsrtp2.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/index.h"
#include "dataplane/srtp/srtp.h"
#include "observer.h"
#include "oracle.h"
#include "runner.h"
#include "srtp_testing.h"

enum { PACKETS = 400, FIRST_SEQ = 65300, SSRC = 0x51250c1a, WIRE_MAX = 800 };

static const uint32_t rocs[] = {0, 1, 0x7fff, 0x12345678, 0xfffffffe};

static void each_start(struct srtp_ctx *ctx,
                       void (*test)(struct srtp_ctx *, const struct tl_crypto *, uint32_t))
{
    struct rng r = {0x0ac1e};
    for (unsigned c = 0; c < CRYPTO_CASES; c++)
        for (size_t i = 0; i < sizeof rocs / sizeof rocs[0]; i++) {
            struct tl_crypto crypto = crypto_case(&r, c);
            if (crypto.mki_len == 0 || i == c % 4) // with an MKI at one ROC each: tests stay short
                test(ctx, &crypto, rocs[i]);
        }
}

static struct packet any_packet(struct rng *r, unsigned room, uint16_t seq)
{
    if (rng_below(r, 2)) // as most are, so that there are some to be computed together
        return packet_rtp(r, 0, -1, 160, room, seq, SSRC);
    return packet_rtp(r, rng_below(r, 5) ? 0 : rng_below(r, 16), rng_below(r, 5) ? -1 : (int)rng_below(r, 9),
                      rng_below(r, 400), room, seq, SSRC);
}

// Order of sending: a few are lost, neighbours swap places.
static unsigned shuffle(struct rng *r, unsigned *order, unsigned n)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++)
        if (rng_below(r, 30))
            order[kept++] = i;
    for (unsigned i = 0; i + 20 < kept; i++)
        if (!rng_below(r, 6)) {
            unsigned j = i + 1 + rng_below(r, 18), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
    return kept;
}

// ---- ours to theirs ----------------------------------------------------------------------------------

static void protect_for_oracle(struct srtp_ctx *ctx, const struct tl_crypto *crypto, uint32_t roc)
{
    struct rng r = {0x51 + roc};
    struct srtp_key *key = key_new(ctx, crypto);
    struct oracle *oracle = oracle_new(crypto, SSRC, roc);
    CU_ASSERT_FATAL(oracle != NULL);
    struct observer *observer = observer_new();
    struct srtp_tx tx = {0};
    if (roc)
        srtp_tx_resume(&tx, (uint64_t)roc << 16 | (FIRST_SEQ - 1), 0);

    unsigned order[PACKETS], n = shuffle(&r, order, PACKETS), unused = 0;
    for (unsigned done = 0; done < n;) {
        struct packet plain[40], wire[40];
        struct srtp_op op[40];
        unsigned batch = 1 + rng_below(&r, 40), m = 0;
        for (; m < batch && done < n; done++) {
            uint64_t index = 0;
            enum srtp_tx_event event;
            uint16_t seq = (uint16_t)(FIRST_SEQ + order[done]);
            // the very first ones may lie before the index that the resumed stream began with
            if (srtp_tx_take(&tx, 1, seq, &index, &event) != SRTP_OK) {
                unused++;
                continue;
            }
            plain[m] = any_packet(&r, 0, (uint16_t)index);
            wire[m] = packet_copy(&plain[m], SRTP_TAILROOM);
            op[m] = packet_op(&wire[m], key, index, SSRC);
            m++;
        }
        srtp_protect(ctx, op, m);
        for (unsigned i = 0; i < m; i++) {
            CU_ASSERT_FATAL(op[i].status == SRTP_OK);
            observer_see(observer, crypto, OBSERVER_SRTP, SSRC, op[i].index, wire[i].buf, op[i].len);
            int len = op[i].len;
            CU_ASSERT(oracle_unprotect(oracle, wire[i].buf, &len));
            CU_ASSERT(len == plain[i].len && memcmp(wire[i].buf, plain[i].buf, plain[i].len) == 0);
            free(plain[i].buf);
            free(wire[i].buf);
        }
    }
    CU_ASSERT(oracle_roc(oracle) == roc + 1 && tx.rtp.top >> 16 == (uint64_t)roc + 1);
    CU_ASSERT(unused < 20 && observer_packets(observer) == n - unused && observer_violations(observer) == 0);
    observer_free(observer);
    oracle_free(oracle);
    key_free(key);
}

// ---- theirs to ours ----------------------------------------------------------------------------------

struct wire {
    uint8_t sealed[WIRE_MAX];
    struct packet plain;
    unsigned sealed_len, accepted;
};

static struct wire *oracle_sends(const struct tl_crypto *crypto, uint32_t roc, struct rng *r)
{
    struct wire *w = calloc(PACKETS, sizeof *w);
    CU_ASSERT_FATAL(w != NULL);
    struct oracle *oracle = oracle_new(crypto, SSRC, roc);
    CU_ASSERT_FATAL(oracle != NULL);
    for (unsigned i = 0; i < PACKETS; i++) {
        w[i].plain = any_packet(r, 0, (uint16_t)(FIRST_SEQ + i));
        memcpy(w[i].sealed, w[i].plain.buf, w[i].plain.len);
        int len = w[i].plain.len;
        CU_ASSERT_FATAL(oracle_protect(oracle, w[i].sealed, &len));
        w[i].sealed_len = (unsigned)len;
    }
    oracle_free(oracle);
    return w;
}

// A burst as the worker takes it: all checked, then unprotected, then committed. Returns how many came
// through.
static unsigned take_burst(struct srtp_ctx *ctx, const struct srtp_key *key, struct srtp_rx *rx,
                           struct wire *w, const unsigned *which, unsigned n)
{
    struct packet p[40];
    struct srtp_op op[40];
    unsigned m = 0, good = 0;
    for (unsigned i = 0; i < n; i++) {
        struct wire *x = &w[which[i]];
        uint64_t index = 0;
        uint16_t seq = (uint16_t)(x->sealed[2] << 8 | x->sealed[3]);
        if (srtp_rx_check(rx, seq, &index) != SRTP_OK)
            continue;
        struct packet sealed = {
            .buf = x->sealed, .len = (uint16_t)x->sealed_len, .hdr_len = x->plain.hdr_len};
        p[m] = packet_copy(&sealed, 0);
        op[m] = packet_op(&p[m], key, index, 0);
        op[m].user = x;
        m++;
    }
    srtp_unprotect(ctx, op, m);
    for (unsigned i = 0; i < m; i++) {
        struct wire *x = op[i].user;
        CU_ASSERT(op[i].status == SRTP_OK && op[i].len == x->plain.len);
        CU_ASSERT(memcmp(p[i].buf, x->plain.buf, x->plain.len) == 0);
        if (srtp_rx_commit(rx, op[i].index) == SRTP_OK) {
            x->accepted++;
            good++;
        }
        free(p[i].buf);
    }
    return good;
}

static void unprotect_oracle(struct srtp_ctx *ctx, const struct tl_crypto *crypto, uint32_t roc)
{
    struct rng r = {0x52 + roc};
    struct srtp_key *key = key_new(ctx, crypto);
    struct wire *w = oracle_sends(crypto, roc, &r);
    struct srtp_rx rx = {0};
    if (roc)
        srtp_rx_resume(&rx, SSRC, (uint64_t)roc << 16 | (FIRST_SEQ - 1), 0);

    unsigned order[PACKETS], n = shuffle(&r, order, PACKETS), good = 0;
    for (unsigned at = 0; at < n;) {
        unsigned which[40], m = 0, batch = srtp_rx_fresh(&rx) ? 1 : 1 + rng_below(&r, 19);
        for (; m < 2 * batch && at < n && batch > 0; batch--) {
            which[m++] = order[at];
            if (!rng_below(&r, 8)) // a duplicate in the same burst
                which[m++] = order[at];
            at++;
        }
        good += take_burst(ctx, key, &rx, w, which, m);
        unsigned again = order[at - 1]; // and one later
        CU_ASSERT(take_burst(ctx, key, &rx, w, &again, 1) == 0);
    }
    CU_ASSERT(good == n && rx.rtp.top >> 16 == (uint64_t)roc + 1);
    for (unsigned i = 0; i < PACKETS; i++) {
        CU_ASSERT(w[i].accepted <= 1);
        free(w[i].plain.buf);
    }
    free(w);
    key_free(key);
}

// ---- SRTCP -------------------------------------------------------------------------------------------

static void rtcp_both_ways(struct srtp_ctx *ctx, const struct tl_crypto *crypto, uint32_t roc)
{
    struct rng r = {0x53 + roc};
    struct srtp_key *key = key_new(ctx, crypto);
    struct oracle *out = oracle_new(crypto, SSRC, 0), *in = oracle_new(crypto, SSRC, 0);
    CU_ASSERT_FATAL(out && in);
    struct srtp_tx tx = {0};
    struct srtp_rx rx = {0};
    for (unsigned i = 0; i < 60; i++) {
        struct packet plain = packet_rtcp(&r, 4 * (1 + rng_below(&r, 40)), 0, SSRC);
        struct packet p = packet_copy(&plain, SRTCP_TRAILER_MAX);
        uint32_t index = 0;
        CU_ASSERT(srtcp_tx_take(&tx, &index) == SRTP_OK);
        struct srtp_op op = packet_op(&p, key, index, 0);
        srtcp_protect(ctx, &op, 1);
        CU_ASSERT(op.status == SRTP_OK);

        // it counts from 1 as we do, so what it makes of the packet is the same
        uint8_t wire[WIRE_MAX];
        memcpy(wire, plain.buf, plain.len);
        int len = plain.len;
        CU_ASSERT(oracle_protect_rtcp(out, wire, &len));
        CU_ASSERT(len == op.len && memcmp(p.buf, wire, op.len) == 0);
        int open_len = op.len;
        CU_ASSERT(oracle_unprotect_rtcp(in, p.buf, &open_len));
        CU_ASSERT(open_len == plain.len && memcmp(p.buf, plain.buf, plain.len) == 0);
        for (unsigned copy = 0; copy < 2; copy++) {
            struct packet sealed = {.buf = wire, .len = (uint16_t)len, .hdr_len = SRTCP_HEADER_LEN};
            struct packet got = packet_copy(&sealed, 0);
            struct srtp_op open = packet_op(&got, key, 0, 0);
            CU_ASSERT(srtcp_peek(key, got.buf, got.len, &index) == SRTP_OK);
            CU_ASSERT(srtcp_rx_check(&rx, index) == (copy ? TL_DROP_replayed : SRTP_OK));
            srtcp_unprotect(ctx, &open, 1);
            CU_ASSERT(open.status == SRTP_OK && open.index == index && open.len == plain.len);
            CU_ASSERT(memcmp(got.buf, plain.buf, plain.len) == 0);
            CU_ASSERT(srtcp_rx_commit(&rx, index) == (copy ? TL_DROP_replayed : SRTP_OK));
            free(got.buf);
        }
        free(p.buf);
        free(plain.buf);
    }
    oracle_free(out);
    oracle_free(in);
    key_free(key);
}

// ---- three of them -----------------------------------------------------------------------------------

enum { LENGTH_MAX = 2060, THREE_BURST = 40 };

// One stream: what each of the three knows of it.
struct three {
    struct tl_crypto crypto;
    struct srtp_key *key, *reference_key;
    struct oracle *oracle;
    uint64_t next; // index
};

// n packets of the stream, one behind the other, sealed by all three and opened by ours.
static void three_burst(struct srtp_ctx *ctx, struct srtp_ctx *reference, struct three *t, struct rng *r,
                        unsigned n, unsigned len, struct observer *observer)
{
    struct packet plain[THREE_BURST], mine[THREE_BURST], theirs[THREE_BURST];
    struct srtp_op a[THREE_BURST], b[THREE_BURST];
    const unsigned room = room_needed(&t->crypto), most = (len - SRTP_HEADER_MIN) / 4;
    const unsigned csrc = rng_below(r, 3) ? 0 : rng_below(r, (most < 15 ? most : 15) + 1);
    for (unsigned i = 0; i < n; i++) {
        uint64_t index = t->next++;
        plain[i] = packet_rtp(r, csrc, -1, len - SRTP_HEADER_MIN - 4 * csrc, 0, (uint16_t)index, SSRC);
        mine[i] = packet_copy(&plain[i], room);
        theirs[i] = packet_copy(&plain[i], room);
        a[i] = packet_op(&mine[i], t->key, index, SSRC);
        b[i] = packet_op(&theirs[i], t->reference_key, index, SSRC);
    }
    srtp_protect(ctx, a, n);
    srtp_protect(reference, b, n);
    for (unsigned i = 0; i < n; i++) {
        uint8_t wire[LENGTH_MAX + SRTP_TAILROOM];
        int wire_len = plain[i].len;
        memcpy(wire, plain[i].buf, plain[i].len);
        CU_ASSERT_FATAL(oracle_protect(t->oracle, wire, &wire_len));
        CU_ASSERT_FATAL(a[i].status == SRTP_OK && a[i].len == wire_len &&
                        memcmp(a[i].pkt, wire, a[i].len) == 0);
        CU_ASSERT_FATAL(b[i].status == SRTP_OK && b[i].len == wire_len &&
                        memcmp(b[i].pkt, wire, b[i].len) == 0);
        observer_see(observer, &t->crypto, OBSERVER_SRTP, SSRC, a[i].index, a[i].pkt, a[i].len);
    }
    srtp_unprotect(ctx, a, n);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT(a[i].status == SRTP_OK && a[i].len == len && memcmp(a[i].pkt, plain[i].buf, len) == 0);
        free(plain[i].buf);
        free(mine[i].buf);
        free(theirs[i].buf);
    }
}

// All lengths, of random suites, MKIs and numbers of packets, over wraps of the sequence number within a burst.
// TRUNKLINE_LONG=1 has each length 24 times: a million packets.
static void three_agree(void)
{
    struct srtp_ctx *ctx, *reference;
    struct three three[CRYPTO_CASES];
    struct rng r = {0x3a93ee};
    struct observer *observer = observer_new();
    const unsigned times = getenv("TRUNKLINE_LONG") ? 24 : 1;
    unsigned packets = 0;
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_AUTO, &ctx) == 0 &&
                    srtp_ctx_new(SRTP_ENGINE_OPENSSL, &reference) == 0);
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        three[c] = (struct three){.crypto = crypto_case(&r, c), .next = (uint64_t)(c + 1) << 16 | FIRST_SEQ};
        three[c].key = key_new(ctx, &three[c].crypto);
        three[c].reference_key = key_new(reference, &three[c].crypto);
        three[c].oracle = oracle_new(&three[c].crypto, SSRC, c + 1);
        CU_ASSERT_FATAL(three[c].key && three[c].reference_key && three[c].oracle);
    }
    for (unsigned k = 0; k < times; k++)
        for (unsigned len = SRTP_HEADER_MIN; len <= LENGTH_MAX; len++) {
            unsigned n = 1 + rng_below(&r, THREE_BURST);
            three_burst(ctx, reference, &three[rng_below(&r, CRYPTO_CASES)], &r, n, len, observer);
            packets += n;
        }
    printf("     %u packets, %s\n", packets, srtp_ctx_name(ctx));
    CU_ASSERT(observer_packets(observer) == packets && observer_violations(observer) == 0);
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        CU_ASSERT(three[c].next >> 16 > c + 1); // there was a wrap
        oracle_free(three[c].oracle);
        key_free(three[c].key);
        key_free(three[c].reference_key);
    }
    observer_free(observer);
    srtp_ctx_free(ctx);
    srtp_ctx_free(reference);
}

static void ours_to_theirs_on(struct srtp_ctx *ctx)
{
    each_start(ctx, protect_for_oracle);
}

static void theirs_to_ours_on(struct srtp_ctx *ctx)
{
    each_start(ctx, unprotect_oracle);
}

static void rtcp_on(struct srtp_ctx *ctx)
{
    each_start(ctx, rtcp_both_ways);
}

static void ours_to_theirs(void)
{
    each_engine(ours_to_theirs_on);
}

static void theirs_to_ours(void)
{
    each_engine(theirs_to_ours_on);
}

static void rtcp(void)
{
    each_engine(rtcp_on);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"ours_to_theirs", ours_to_theirs},
        {"theirs_to_ours", theirs_to_ours},
        {"rtcp", rtcp},
        {"three_agree", three_agree},
    };
    return test_main("srtp_libsrtp", TEST_CASES(cases), argc, argv);
}
