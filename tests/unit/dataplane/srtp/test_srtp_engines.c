// SPDX-License-Identifier: BSD-3-Clause
// Every engine against the OpenSSL one on random packets, and everything that must not authenticate.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/srtp.h"
#include "runner.h"
#include "srtp_testing.h"

enum { KEYS = CRYPTO_CASES, BATCH_MAX = 150 };

static struct srtp_ctx *reference; // OpenSSL

struct pair {
    struct tl_crypto crypto;
    struct srtp_key *key, *ref_key;
};

static void pairs_make(struct srtp_ctx *ctx, struct rng *r, struct pair *pair)
{
    for (unsigned i = 0; i < KEYS; i++) {
        pair[i].crypto = crypto_case(r, i);
        pair[i].key = key_new(ctx, &pair[i].crypto);
        pair[i].ref_key = key_new(reference, &pair[i].crypto);
        CU_ASSERT_FATAL(pair[i].key && pair[i].ref_key);
    }
}

static void pairs_end(struct pair *pair)
{
    for (unsigned i = 0; i < KEYS; i++) {
        key_free(pair[i].key);
        key_free(pair[i].ref_key);
    }
}

// A packet of 12 to 1,500 bytes: mostly media-sized, sometimes with CSRCs, an extension, nothing in it.
static struct packet random_rtp(struct rng *r, unsigned room, uint16_t seq, uint32_t ssrc)
{
    unsigned csrc = rng_below(r, 4) ? 0 : rng_below(r, 16);
    int ext = rng_below(r, 4) ? -1 : (int)rng_below(r, 20);
    unsigned payload = rng_below(r, 3) ? rng_below(r, 200) : rng_below(r, 1500 - 12 - 60 - 84);
    if (!rng_below(r, 20))
        csrc = 0, ext = -1, payload = 0;
    return packet_rtp(r, csrc, ext, payload, room, seq, ssrc);
}

// One batch over both engines, with keys of pair[first .. first + keys - 1]: same bytes out, and each opens
// what the other sealed.
static void one_batch(struct srtp_ctx *ctx, struct rng *r, struct pair *pair, unsigned n, unsigned first,
                      unsigned keys)
{
    struct packet plain[BATCH_MAX], mine[BATCH_MAX], theirs[BATCH_MAX], open[BATCH_MAX];
    struct srtp_op a[BATCH_MAX], b[BATCH_MAX];
    for (unsigned i = 0; i < n; i++) {
        unsigned k = first + rng_below(r, keys);
        uint64_t index = rng_next(r) & ((1ull << 48) - 1);
        uint32_t ssrc = (uint32_t)rng_next(r);
        unsigned room = room_needed(&pair[k].crypto);
        plain[i] = random_rtp(r, 0, (uint16_t)index, ssrc);
        mine[i] = packet_copy(&plain[i], room);
        theirs[i] = packet_copy(&plain[i], room);
        a[i] = packet_op(&mine[i], pair[k].key, index, ssrc);
        b[i] = packet_op(&theirs[i], pair[k].ref_key, index, ssrc);
    }
    srtp_protect(ctx, a, n);
    srtp_protect(reference, b, n);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT_FATAL(a[i].status == SRTP_OK && b[i].status == SRTP_OK && a[i].len == b[i].len);
        CU_ASSERT_FATAL(a[i].len == plain[i].len + srtp_key_trailer(a[i].key));
        CU_ASSERT_FATAL(memcmp(mine[i].buf, theirs[i].buf, a[i].len) == 0);
        // packets of their own size: whatever is read behind them is seen by ASan
        struct packet sealed = {.buf = theirs[i].buf, .len = b[i].len, .hdr_len = plain[i].hdr_len};
        open[i] = packet_copy(&sealed, 0);
        a[i].pkt = open[i].buf;
        a[i].room = 0;
        a[i].user = &plain[i];
    }
    srtp_unprotect(ctx, a, n);
    srtp_unprotect(reference, b, n);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT_FATAL(a[i].status == SRTP_OK && b[i].status == SRTP_OK);
        CU_ASSERT(a[i].len == plain[i].len && b[i].len == plain[i].len && a[i].user == &plain[i]);
        CU_ASSERT(memcmp(open[i].buf, plain[i].buf, plain[i].len) == 0);
        CU_ASSERT(memcmp(theirs[i].buf, plain[i].buf, plain[i].len) == 0);
        free(plain[i].buf);
        free(mine[i].buf);
        free(theirs[i].buf);
        free(open[i].buf);
    }
}

static void agree_on(struct srtp_ctx *ctx)
{
    struct rng r = {0xfeedbeef};
    struct pair pair[KEYS];
    pairs_make(ctx, &r, pair);
    for (unsigned n = 1; n <= 70; n++) {
        one_batch(ctx, &r, pair, n, 0, 1); // one suite without MKI
        one_batch(ctx, &r, pair, n, n % KEYS, 1);
        one_batch(ctx, &r, pair, n, 0, KEYS); // all of them together
    }
    static const unsigned many[] = {127, 128, 129, BATCH_MAX};
    for (unsigned i = 0; i < sizeof many / sizeof many[0]; i++) {
        one_batch(ctx, &r, pair, many[i], 0, KEYS);
        for (unsigned suite = 0; suite < KEYS; suite += 4)
            one_batch(ctx, &r, pair, many[i], suite, 4);
    }
    pairs_end(pair);
    printf("     %s agrees with openssl\n", srtp_ctx_name(ctx));
}

static void rtcp_agrees_on(struct srtp_ctx *ctx)
{
    struct rng r = {0xc0ffee};
    struct pair pair[KEYS];
    pairs_make(ctx, &r, pair);
    for (unsigned i = 0; i < 300; i++) {
        struct pair *k = &pair[rng_below(&r, KEYS)];
        uint32_t index = i == 0 ? 0 : i == 1 ? 0x7fffffff : (uint32_t)rng_next(&r) & 0x7fffffff;
        struct packet plain = packet_rtcp(&r, 4 * rng_below(&r, 60), 0, (uint32_t)rng_next(&r));
        unsigned room = room_needed(&k->crypto) + 4;
        struct packet mine = packet_copy(&plain, room), theirs = packet_copy(&plain, room);
        struct srtp_op a = packet_op(&mine, k->key, index, 0), b = packet_op(&theirs, k->ref_key, index, 0);
        srtcp_protect(ctx, &a, 1);
        srtcp_protect(reference, &b, 1);
        CU_ASSERT_FATAL(a.status == SRTP_OK && b.status == SRTP_OK && a.len == b.len);
        CU_ASSERT_FATAL(a.len == plain.len + rtcp_trailer(&k->crypto));
        CU_ASSERT_FATAL(memcmp(mine.buf, theirs.buf, a.len) == 0);
        uint32_t peeked = ~index;
        CU_ASSERT(srtcp_peek(k->key, mine.buf, a.len, &peeked) == SRTP_OK && peeked == index);
        a.index = b.index = 0;
        srtcp_unprotect(ctx, &a, 1);
        srtcp_unprotect(reference, &b, 1);
        CU_ASSERT(a.status == SRTP_OK && a.index == index && a.len == plain.len);
        CU_ASSERT(b.status == SRTP_OK && b.index == index && b.len == plain.len);
        CU_ASSERT(memcmp(mine.buf, plain.buf, plain.len) == 0);
        CU_ASSERT(memcmp(theirs.buf, plain.buf, plain.len) == 0);
        free(plain.buf);
        free(mine.buf);
        free(theirs.buf);
    }
    pairs_end(pair);
}

// ---- what must not pass ------------------------------------------------------------------------------

// A sealed packet, one bit of it wrong, among good ones: only it fails.
static void bits_on(struct srtp_ctx *ctx)
{
    struct rng r = {0xb175};
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_new(ctx, &crypto);
        const uint64_t index = 0x123456789abcull;
        struct packet plain = packet_rtp(&r, 1, 2, 33, room_needed(&crypto), (uint16_t)index, 77);
        struct srtp_op sealed = packet_op(&plain, key, index, 77);
        srtp_protect(ctx, &sealed, 1);
        CU_ASSERT_FATAL(sealed.status == SRTP_OK);
        struct packet whole = {.buf = plain.buf, .len = sealed.len, .hdr_len = plain.hdr_len};
        const unsigned mki = plain.len + (srtp_suite_is_gcm(crypto.suite) ? 16 : 0);
        for (unsigned bit = 0; bit < 8u * sealed.len; bit++) {
            struct packet p[7];
            struct srtp_op op[7];
            unsigned n = 1 + bit % 7, at = bit % n;
            bool in_mki = bit / 8 >= mki && bit / 8 < mki + crypto.mki_len;
            for (unsigned i = 0; i < n; i++) {
                p[i] = packet_copy(&whole, 0);
                op[i] = packet_op(&p[i], key, index, 0);
            }
            p[at].buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
            srtp_unprotect(ctx, op, n);
            for (unsigned i = 0; i < n; i++) {
                CU_ASSERT(op[i].status == (i != at ? SRTP_OK : in_mki ? TL_DROP_bad_mki : TL_DROP_bad_auth));
                free(p[i].buf);
            }
        }
        free(plain.buf);
        key_free(key);
    }
}

// Right bytes, wrong index or key.
static void index_and_key_on(struct srtp_ctx *ctx)
{
    struct rng r = {0x1d};
    for (int suite = TL_SUITE_NONE + 1; suite < TL_SUITE_COUNT; suite++) {
        struct tl_crypto crypto = random_crypto(&r, suite), bent = crypto;
        struct srtp_key *key = key_new(ctx, &crypto);
        const uint64_t index = 0x80000001ffffull;
        struct packet plain = packet_rtp(&r, 0, -1, 50, room_needed(&crypto), 0xffff, 77);
        struct srtp_op sealed = packet_op(&plain, key, index, 77);
        srtp_protect(ctx, &sealed, 1);
        struct packet whole = {.buf = plain.buf, .len = sealed.len, .hdr_len = plain.hdr_len};

        for (unsigned bit = 0; bit < 49; bit++) { // bits of SEQ (not the header's then), of the ROC, above
            struct packet p = packet_copy(&whole, 0);
            struct srtp_op op = packet_op(&p, key, index ^ 1ull << bit, 0);
            srtp_unprotect(ctx, &op, 1);
            CU_ASSERT(op.status == TL_DROP_bad_auth);
            free(p.buf);
        }
        for (unsigned part = 0; part < 2; part++) { // master key, master salt
            bent = crypto;
            if (part)
                bent.salt[11] ^= 1;
            else
                bent.key[tl_suite_info(suite)->key_len - 1] ^= 1;
            struct srtp_key *other = key_new(ctx, &bent);
            struct packet p = packet_copy(&whole, 0);
            struct srtp_op op = packet_op(&p, other, index, 0);
            srtp_unprotect(ctx, &op, 1);
            CU_ASSERT(op.status == TL_DROP_bad_auth);
            free(p.buf);
            key_free(other);
        }
        free(plain.buf);
        key_free(key);
    }
}

static void rtcp_bits_on(struct srtp_ctx *ctx)
{
    struct rng r = {0x5eed};
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_new(ctx, &crypto);
        struct packet plain = packet_rtcp(&r, 24, room_needed(&crypto) + 4, 77);
        struct srtp_op sealed = packet_op(&plain, key, 5, 0);
        srtcp_protect(ctx, &sealed, 1);
        CU_ASSERT_FATAL(sealed.status == SRTP_OK);
        struct packet whole = {.buf = plain.buf, .len = sealed.len, .hdr_len = plain.hdr_len};
        // payload, E and index, MKI, tag; or payload, tag, E and index, MKI
        const unsigned mki = sealed.len - crypto.mki_len - (srtp_suite_is_gcm(crypto.suite) ? 0 : 10);
        const unsigned e_bit = 8 * (mki - 4) + 7;
        for (unsigned bit = 0; bit < 8u * sealed.len; bit++) {
            struct packet p = packet_copy(&whole, 0);
            struct srtp_op op = packet_op(&p, key, 0, 0);
            p.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
            srtcp_unprotect(ctx, &op, 1);
            bool in_mki = bit / 8 >= mki && bit / 8 < mki + crypto.mki_len;
            CU_ASSERT(op.status == (in_mki         ? TL_DROP_bad_mki
                                    : bit == e_bit ? TL_DROP_plain_rtcp
                                                   : TL_DROP_bad_auth));
            free(p.buf);
        }
        free(plain.buf);
        key_free(key);
    }
}

static void with_reference(void (*test)(struct srtp_ctx *ctx))
{
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_OPENSSL, &reference) == 0);
    each_engine(test);
    srtp_ctx_free(reference);
}

static void engines_agree(void)
{
    with_reference(agree_on);
}

static void rtcp_agrees(void)
{
    with_reference(rtcp_agrees_on);
}

static void wrong_bits(void)
{
    each_engine(bits_on);
}

static void wrong_index_or_key(void)
{
    each_engine(index_and_key_on);
}

static void rtcp_wrong_bits(void)
{
    each_engine(rtcp_bits_on);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"engines_agree", engines_agree},     {"rtcp_agrees", rtcp_agrees},
        {"wrong_bits", wrong_bits},           {"wrong_index_or_key", wrong_index_or_key},
        {"rtcp_wrong_bits", rtcp_wrong_bits},
    };
    return test_main("srtp_engines", TEST_CASES(cases), argc, argv);
}
