// SPDX-License-Identifier: BSD-3-Clause
// Lengths, room and memory: what is refused before anything is touched, that no engine reads or writes
// outside a packet (guard pages on both sides: the library is assembler, which ASan does not see), keys are
// wiped.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/srtp/srtp.h"
#include "runner.h"
#include "srtp_testing.h"

// ---- refusals ----------------------------------------------------------------------------------------

static void refuse_on(struct srtp_ctx *ctx)
{
    struct rng r = {1};
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_new(ctx, &crypto);
        const unsigned room = room_needed(&crypto), least = 20 + rtp_trailer(&crypto);
        const struct {
            int line;
            uint64_t index;
            unsigned len, hdr_len, room;
            uint8_t status;
        } protect[] = {
            {__LINE__, 1, 12, 12, room, SRTP_OK},
            {__LINE__, 1, 40, 40, room, SRTP_OK},
            {__LINE__, 1, 40, 12, room, SRTP_OK},
            {__LINE__, 1, 40, 11, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 40, 0, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 40, 41, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 11, 12, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 0, 12, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 0, 0, room, TL_DROP_bad_rtp},
            {__LINE__, 1, 40, 12, room - 1, TL_DROP_no_room},
            {__LINE__, 1, 40, 12, 0, TL_DROP_no_room},
            {__LINE__, (1ull << 48) - 1, 40, 12, room, SRTP_OK},
            {__LINE__, 1ull << 48, 40, 12, room, TL_DROP_tx_index_end},
            {__LINE__, UINT64_MAX, 40, 12, room, TL_DROP_tx_index_end},
        };
        for (size_t i = 0; i < sizeof protect / sizeof protect[0]; i++) {
            struct packet p = packet_rtp(&r, 0, -1, 28, protect[i].room, 9, 9), before = packet_copy(&p, 0);
            struct srtp_op op = packet_op(&p, key, protect[i].index, 9);
            op.len = (uint16_t)protect[i].len;
            op.hdr_len = (uint16_t)protect[i].hdr_len;
            srtp_protect(ctx, &op, 1);
            CU_ASSERT(op.status == protect[i].status);
            if (op.status != protect[i].status)
                printf("     row of line %d: status %d\n", protect[i].line, op.status);
            if (op.status != SRTP_OK)
                CU_ASSERT(op.len == protect[i].len && memcmp(p.buf, before.buf, p.len) == 0);
            free(p.buf);
            free(before.buf);
        }

        // too short for header, MKI and tag, at every length; then it has none of the key's
        for (unsigned len = 0; len < least + 3; len++) {
            struct packet p = packet_rtp(&r, 2, -1, 40, 0, 9, 9);
            memset(p.buf + 20, (uint8_t)~crypto.mki[0], p.len - 20u);
            struct srtp_op op = packet_op(&p, key, 9, 0);
            op.len = (uint16_t)len;
            srtp_unprotect(ctx, &op, 1);
            CU_ASSERT(op.status == (len < least      ? TL_DROP_short_srtp
                                    : crypto.mki_len ? TL_DROP_bad_mki
                                                     : TL_DROP_bad_auth));
            free(p.buf);
        }
        struct packet p = packet_rtp(&r, 0, -1, 40, 0, 9, 9);
        struct srtp_op op = packet_op(&p, key, 9, 0);
        op.hdr_len = 11;
        srtp_unprotect(ctx, &op, 1);
        CU_ASSERT(op.status == TL_DROP_bad_rtp);
        op.hdr_len = UINT16_MAX; // no sum wraps
        srtp_unprotect(ctx, &op, 1);
        CU_ASSERT(op.status == TL_DROP_short_srtp);
        op.status = 123;
        srtp_protect(ctx, &op, 0);
        srtp_unprotect(ctx, &op, 0);
        CU_ASSERT(op.status == 123);
        free(p.buf);

        // the longest length there is: the sum must not wrap
        struct packet big = packet_rtp(&r, 0, -1, UINT16_MAX - 12, SRTP_TAILROOM, 9, 9);
        struct srtp_op large = packet_op(&big, key, 9, 9);
        srtp_protect(ctx, &large, 1);
        CU_ASSERT(large.status == TL_DROP_no_room);
        free(big.buf);
        key_free(key);
    }
}

static void refuse_rtcp_on(struct srtp_ctx *ctx)
{
    struct rng r = {2};
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_new(ctx, &crypto);
        const unsigned room = room_needed(&crypto) + 4, least = 8 + rtcp_trailer(&crypto);
        const uint8_t whole = crypto.mki_len ? TL_DROP_bad_mki : TL_DROP_bad_auth;
        const struct {
            int line;
            uint64_t index;
            unsigned len, room;
            uint8_t status;
        } protect[] = {
            {__LINE__, 0, 8, room, SRTP_OK},
            {__LINE__, 0x7fffffff, 28, room, SRTP_OK},
            {__LINE__, 0x80000000, 28, room, TL_DROP_tx_index_end},
            {__LINE__, UINT64_MAX, 28, room, TL_DROP_tx_index_end},
            {__LINE__, 1, 7, room, TL_DROP_bad_rtcp},
            {__LINE__, 1, 0, room, TL_DROP_bad_rtcp},
            {__LINE__, 1, 28, room - 1, TL_DROP_no_room},
            {__LINE__, 1, 28, 0, TL_DROP_no_room},
        };
        for (size_t i = 0; i < sizeof protect / sizeof protect[0]; i++) {
            struct packet p = packet_rtcp(&r, 20, protect[i].room, 9), before = packet_copy(&p, 0);
            struct srtp_op op = packet_op(&p, key, protect[i].index, 0);
            op.len = (uint16_t)protect[i].len;
            srtcp_protect(ctx, &op, 1);
            CU_ASSERT(op.status == protect[i].status);
            if (op.status != protect[i].status)
                printf("     row of line %d: status %d\n", protect[i].line, op.status);
            if (op.status != SRTP_OK)
                CU_ASSERT(op.len == protect[i].len && memcmp(p.buf, before.buf, p.len) == 0);
            free(p.buf);
            free(before.buf);
        }
        for (unsigned len = 0; len < least + 3; len++) {
            struct packet p = packet_rtcp(&r, 40, 0, 9);
            memset(p.buf, 0xff, p.len); // E is set, wherever it is looked for
            struct srtp_op op = packet_op(&p, key, 0, 0);
            op.len = (uint16_t)len;
            uint32_t index = 3;
            uint8_t peek = srtcp_peek(key, p.buf, len, &index);
            const bool readable = len >= least && !crypto.mki_len;
            CU_ASSERT(peek == (len < least ? TL_DROP_short_srtp : readable ? SRTP_OK : TL_DROP_bad_mki));
            CU_ASSERT(index == (readable ? 0x7fffffff : 3));
            srtcp_unprotect(ctx, &op, 1);
            CU_ASSERT(op.status == (len < least ? TL_DROP_short_srtp : whole));
            free(p.buf);
        }
        key_free(key);
    }
}

static void refusals(void)
{
    each_engine(refuse_on);
}

static void rtcp_refusals(void)
{
    each_engine(refuse_rtcp_on);
}

// ---- guard pages -------------------------------------------------------------------------------------

// Room for 64 kB between two pages that fault.
struct guarded {
    uint8_t *map, *begin, *end;
    size_t size;
};

static struct guarded guarded_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 65536;
    struct guarded g = {.size = room + 2 * page};
    g.map = mmap(NULL, g.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(g.map != MAP_FAILED);
    g.begin = g.map + page;
    g.end = g.begin + room;
    CU_ASSERT_FATAL(mprotect(g.begin, room, PROT_READ | PROT_WRITE) == 0);
    return g;
}

// Places a key so that it ends where the page does.
static struct srtp_key *key_at_end(struct srtp_ctx *ctx, struct guarded *g, const struct tl_crypto *crypto)
{
    struct srtp_key *key = (struct srtp_key *)(void *)(g->end - srtp_key_size(crypto->suite));
    CU_ASSERT_FATAL(srtp_key_init(ctx, key, crypto) == 0);
    return key;
}

// There and back with the packet against one guard, then the other.
static void guarded_trip(struct srtp_ctx *ctx, const struct srtp_key *key, const struct tl_crypto *crypto,
                         struct guarded *g, struct packet *plain)
{
    const bool rtcp = plain->hdr_len == SRTCP_HEADER_LEN;
    const unsigned room = room_needed(crypto) + (rtcp ? 4 : 0);
    uint8_t sealed[2048];
    for (unsigned side = 0; side < 2; side++) {
        struct packet p = *plain;
        p.room = (uint16_t)room;
        p.buf = side ? g->end - p.len - room : g->begin;
        memcpy(p.buf, plain->buf, p.len);
        struct srtp_op op = packet_op(&p, key, 9, 9);
        (rtcp ? srtcp_protect : srtp_protect)(ctx, &op, 1);
        CU_ASSERT(op.status == SRTP_OK);
        // received, a packet has nothing behind it
        memcpy(sealed, op.pkt, op.len);
        op.pkt = side ? g->end - op.len : g->begin;
        memcpy(op.pkt, sealed, op.len);
        op.room = 0;
        (rtcp ? srtcp_unprotect : srtp_unprotect)(ctx, &op, 1);
        CU_ASSERT(op.status == SRTP_OK && op.len == plain->len && memcmp(op.pkt, plain->buf, op.len) == 0);
    }
}

static void guard_on(struct srtp_ctx *ctx)
{
    struct rng r = {3};
    struct guarded g = guarded_new(), keys = guarded_new();
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_at_end(ctx, &keys, &crypto);
        for (unsigned payload = 0; payload < 300; payload++) {
            struct packet p = packet_rtp(&r, payload % 3, payload % 5 ? -1 : 1, payload, 0, 9, 9);
            guarded_trip(ctx, key, &crypto, &g, &p);
            free(p.buf);
        }
        for (unsigned payload = 1400; payload < 1490; payload++) {
            struct packet p = packet_rtp(&r, 0, -1, payload, 0, 9, 9);
            guarded_trip(ctx, key, &crypto, &g, &p);
            free(p.buf);
        }
        for (unsigned body = 0; body < 200; body += 4) {
            struct packet p = packet_rtcp(&r, body, 0, 9);
            guarded_trip(ctx, key, &crypto, &g, &p);
            free(p.buf);
        }
        srtp_key_prefetch(key, srtp_key_lines(ctx, srtp_suite_is_gcm(crypto.suite)));
        srtp_key_wipe(key);
    }
    munmap(g.map, g.size);
    munmap(keys.map, keys.size);
}

static void guard_pages(void)
{
    each_engine(guard_on);
}

// Many packets of one size at once, each against the begin or the end of its own pages, and the key against the end of
// its: what engines compute side by side.
enum { LANES = 33 };

static void guard_lanes_of(struct srtp_ctx *ctx, const struct srtp_key *key, const struct tl_crypto *crypto,
                           struct guarded g[LANES], bool at_end)
{
    struct rng r = {4};
    const unsigned room = room_needed(crypto), unsent = room - rtp_trailer(crypto);
    for (unsigned payload = 0; payload < 200; payload += 3) {
        struct srtp_op op[LANES];
        uint8_t plain[LANES][256];
        for (unsigned i = 0; i < LANES; i++) {
            struct packet p = packet_rtp(&r, 0, -1, payload + i % 3, 0, 9, 9);
            memcpy(plain[i], p.buf, p.len);
            uint8_t *at = at_end ? g[i].end - p.len - room : g[i].begin;
            memcpy(at, p.buf, p.len);
            free(p.buf);
            p.buf = at;
            p.room = (uint16_t)room;
            op[i] = packet_op(&p, key, 9, 9);
        }
        srtp_protect(ctx, op, LANES);
        for (unsigned i = 0; i < LANES; i++) {
            CU_ASSERT(op[i].status == SRTP_OK);
            if (at_end) {
                memmove(op[i].pkt + unsent, op[i].pkt, op[i].len); // over the bytes of tag that are not sent
                op[i].pkt += unsent;
            }
        }
        srtp_unprotect(ctx, op, LANES);
        for (unsigned i = 0; i < LANES; i++)
            CU_ASSERT(op[i].status == SRTP_OK && memcmp(op[i].pkt, plain[i], op[i].len) == 0);
    }
}

static void guard_lanes_on(struct srtp_ctx *ctx)
{
    struct rng r = {7};
    struct guarded g[LANES], keys = guarded_new();
    for (unsigned i = 0; i < LANES; i++)
        g[i] = guarded_new();
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        struct srtp_key *key = key_at_end(ctx, &keys, &crypto);
        guard_lanes_of(ctx, key, &crypto, g, true);
        guard_lanes_of(ctx, key, &crypto, g, false);
        srtp_key_wipe(key);
    }
    for (unsigned i = 0; i < LANES; i++)
        munmap(g[i].map, g[i].size);
    munmap(keys.map, keys.size);
}

static void guard_lanes(void)
{
    each_engine(guard_lanes_on);
}

// ---- keys and machines -------------------------------------------------------------------------------

static void keys_on(struct srtp_ctx *ctx)
{
    struct rng r = {5};
    for (unsigned c = 0; c < CRYPTO_CASES; c++) {
        struct tl_crypto crypto = crypto_case(&r, c);
        crypto.generation = 0xfedcba98 + c;
        size_t size = srtp_key_size(crypto.suite), left = 0;
        struct srtp_key *key = key_new(ctx, &crypto);
        CU_ASSERT(srtp_key_suite(key) == (enum tl_suite)crypto.suite);
        CU_ASSERT(srtp_key_generation(key) == 0xfedcba98 + c);
        CU_ASSERT(srtp_key_trailer(key) == rtp_trailer(&crypto));
        srtp_key_wipe(key);
        for (size_t i = 0; i < size; i++)
            left += ((const uint8_t *)key)[i] != 0;
        CU_ASSERT(left == 0);
        srtp_key_wipe(key); // twice is once
        struct tl_crypto none = {.suite = TL_SUITE_NONE}, beyond = {.suite = TL_SUITE_COUNT};
        CU_ASSERT(srtp_key_init(ctx, key, &none) == -EINVAL);
        CU_ASSERT(srtp_key_init(ctx, key, &beyond) == -EINVAL);
        crypto.mki_len = TL_MKI_MAX + 1;
        CU_ASSERT(srtp_key_init(ctx, key, &crypto) == -EINVAL);
        free(key);
    }
    srtp_key_wipe(NULL);
}

// What a direction costs is promised by these.
static void keys(void)
{
    each_engine(keys_on);
    CU_ASSERT(srtp_key_size(TL_SUITE_AES_CM_128_HMAC_SHA1_80) == 320);
    CU_ASSERT(srtp_key_size(TL_SUITE_AES_CM_128_HMAC_SHA1_32) == 320);
    CU_ASSERT(srtp_key_size(TL_SUITE_AES_256_CM_HMAC_SHA1_80) == 384);
    CU_ASSERT(srtp_key_size(TL_SUITE_AES_256_CM_HMAC_SHA1_32) == 384);
    CU_ASSERT(srtp_key_size(TL_SUITE_AEAD_AES_128_GCM) == 1088);
    CU_ASSERT(srtp_key_size(TL_SUITE_AEAD_AES_256_GCM) == 1088);
    CU_ASSERT(srtp_key_size(TL_SUITE_NONE) == 0);
    CU_ASSERT(srtp_key_size(TL_SUITE_COUNT) == 0);
    CU_ASSERT(srtp_key_size((enum tl_suite) - 1) == 0);
    for (int suite = TL_SUITE_NONE; suite <= TL_SUITE_COUNT; suite++) {
        const struct tl_suite_info *info = tl_suite_info(suite);
        CU_ASSERT(srtp_suite_is_gcm(suite) == (info && strncmp(info->name, "AEAD_", 5) == 0));
    }
}

static void machines(void)
{
    struct srtp_ctx *ctx = (struct srtp_ctx *)1;
    CU_ASSERT(srtp_ctx_new(SRTP_ENGINE_COUNT, &ctx) == -EINVAL && ctx == NULL);
    CU_ASSERT(srtp_ctx_new((enum srtp_engine) - 1, &ctx) == -EINVAL && ctx == NULL);
    srtp_ctx_free(NULL);

    // keys made with one machine work with another of the same engine: the manager makes, workers use
    struct srtp_ctx *manager, *worker;
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_AUTO, &manager) == 0);
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_AUTO, &worker) == 0);
    CU_ASSERT(strcmp(srtp_ctx_name(manager), srtp_ctx_name(worker)) == 0);
    struct rng r = {6};
    for (int suite = TL_SUITE_NONE + 1; suite < TL_SUITE_COUNT; suite++) {
        struct tl_crypto crypto = random_crypto(&r, suite);
        struct srtp_key *tx = key_new(manager, &crypto), *rx = key_new(worker, &crypto);
        struct packet p = packet_rtp(&r, 0, -1, 160, SRTP_TAILROOM, 9, 9), before = packet_copy(&p, 0);
        struct srtp_op op = packet_op(&p, tx, 9, 9);
        srtp_protect(worker, &op, 1);
        CU_ASSERT(op.status == SRTP_OK);
        op.key = rx;
        srtp_unprotect(manager, &op, 1);
        CU_ASSERT(op.status == SRTP_OK && op.len == before.len && memcmp(p.buf, before.buf, op.len) == 0);
        free(p.buf);
        free(before.buf);
        key_free(tx);
        key_free(rx);
    }
    srtp_ctx_free(manager);
    srtp_ctx_free(worker);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"refusals", refusals},
        {"rtcp_refusals", rtcp_refusals},
        {"guard_pages", guard_pages},
        {"guard_lanes", guard_lanes},
        {"keys", keys},
        {"machines", machines},
    };
    return test_main("srtp_bounds", TEST_CASES(cases), argc, argv);
}
