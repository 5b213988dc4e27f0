// SPDX-License-Identifier: BSD-3-Clause
#include "srtp_testing.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

uint64_t rng_next(struct rng *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dull;
}

uint32_t rng_below(struct rng *r, uint32_t bound)
{
    return (uint32_t)((rng_next(r) >> 32) * bound >> 32);
}

void rng_fill(struct rng *r, void *to, size_t len)
{
    uint8_t *p = to;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(rng_next(r) >> 32);
}

size_t unhex(const char *hex, uint8_t *to, size_t max)
{
    size_t n = 0;
    int high = -1;
    for (; *hex; hex++) {
        if (!isxdigit((unsigned char)*hex))
            continue;
        int digit = isdigit((unsigned char)*hex) ? *hex - '0' : tolower((unsigned char)*hex) - 'a' + 10;
        if (high < 0) {
            high = digit;
            continue;
        }
        CU_ASSERT_FATAL(n < max);
        to[n++] = (uint8_t)(high << 4 | digit);
        high = -1;
    }
    CU_ASSERT(high < 0);
    return n;
}

struct tl_crypto random_crypto(struct rng *r, enum tl_suite suite)
{
    struct tl_crypto c = {.suite = suite, .generation = 1};
    const struct tl_suite_info *info = tl_suite_info(suite);
    CU_ASSERT_FATAL(info != NULL);
    rng_fill(r, c.key, info->key_len);
    rng_fill(r, c.salt, info->salt_len);
    return c;
}

struct tl_crypto random_crypto_mki(struct rng *r, enum tl_suite suite, unsigned mki_len)
{
    struct tl_crypto c = random_crypto(r, suite);
    c.mki_len = (uint8_t)mki_len;
    rng_fill(r, c.mki, mki_len);
    return c;
}

struct tl_crypto crypto_case(struct rng *r, unsigned i)
{
    static const unsigned mki_len[] = {0, 1, 4, TL_MKI_MAX};
    return random_crypto_mki(r, TL_SUITE_NONE + 1 + i / 4, mki_len[i % 4]);
}

unsigned room_needed(const struct tl_crypto *crypto)
{
    unsigned tag = tl_suite_info(crypto->suite)->rtp_tag;
    return (tag < 12 ? 12 : tag) + crypto->mki_len;
}

unsigned rtp_trailer(const struct tl_crypto *crypto)
{
    return tl_suite_info(crypto->suite)->rtp_tag + crypto->mki_len;
}

unsigned rtcp_trailer(const struct tl_crypto *crypto)
{
    return tl_suite_info(crypto->suite)->rtcp_tag + 4 + crypto->mki_len;
}

struct srtp_key *key_new(struct srtp_ctx *ctx, const struct tl_crypto *crypto)
{
    struct srtp_key *key = aligned_alloc(SRTP_KEY_ALIGN, srtp_key_size(crypto->suite));
    CU_ASSERT_FATAL(key != NULL);
    int rc = srtp_key_init(ctx, key, crypto);
    CU_ASSERT(rc == 0);
    if (rc == 0)
        return key;
    free(key);
    return NULL;
}

void key_free(struct srtp_key *key)
{
    srtp_key_wipe(key);
    free(key);
}

static struct packet packet_new(unsigned hdr_len, unsigned body, unsigned room)
{
    struct packet p = {
        .buf = malloc(hdr_len + body + room),
        .len = (uint16_t)(hdr_len + body),
        .hdr_len = (uint16_t)hdr_len,
        .room = (uint16_t)room,
    };
    CU_ASSERT_FATAL(p.buf != NULL);
    return p;
}

static void put(uint8_t *to, uint32_t value, unsigned bytes)
{
    while (bytes--) {
        to[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

struct packet packet_rtp(struct rng *r, unsigned csrc, int ext, unsigned payload, unsigned room, uint16_t seq,
                         uint32_t ssrc)
{
    unsigned hdr_len = 12 + 4 * csrc + (ext < 0 ? 0 : 4 + 4 * (unsigned)ext);
    struct packet p = packet_new(hdr_len, payload, room);
    rng_fill(r, p.buf, (size_t)p.len + room);
    p.buf[0] = (uint8_t)(0x80 | (ext < 0 ? 0 : 0x10) | csrc);
    p.buf[1] &= 0x7f;
    put(p.buf + 2, seq, 2);
    put(p.buf + 8, ssrc, 4);
    if (ext >= 0)
        put(p.buf + 12 + 4 * csrc + 2, (uint32_t)ext, 2);
    return p;
}

struct packet packet_rtcp(struct rng *r, unsigned body, unsigned room, uint32_t ssrc)
{
    struct packet p = packet_new(SRTCP_HEADER_LEN, body, room);
    rng_fill(r, p.buf, (size_t)p.len + room);
    p.buf[0] = 0x80;
    p.buf[1] = 200;
    put(p.buf + 2, p.len / 4 - 1, 2);
    put(p.buf + 4, ssrc, 4);
    return p;
}

struct packet packet_copy(const struct packet *p, unsigned room)
{
    struct packet copy = packet_new(p->hdr_len, p->len - p->hdr_len, room);
    memcpy(copy.buf, p->buf, p->len);
    memset(copy.buf + p->len, 0xa5, room);
    return copy;
}

struct srtp_op packet_op(struct packet *p, const struct srtp_key *key, uint64_t index, uint32_t ssrc)
{
    return (struct srtp_op){
        .key = key,
        .pkt = p->buf,
        .index = index,
        .ssrc = ssrc,
        .len = p->len,
        .hdr_len = p->hdr_len,
        .room = p->room,
        .user = p,
    };
}

void each_engine(void (*test)(struct srtp_ctx *ctx))
{
    unsigned ran = 0;
    for (int e = SRTP_ENGINE_AUTO; e < SRTP_ENGINE_COUNT; e++) {
        struct srtp_ctx *ctx;
        int rc = srtp_ctx_new(e, &ctx);
        if (rc == -ENOTSUP && e != SRTP_ENGINE_AUTO && e != SRTP_ENGINE_OPENSSL) {
            printf("     engine %d: this CPU cannot run it\n", e);
            continue;
        }
        CU_ASSERT_FATAL(rc == 0);
        test(ctx);
        srtp_ctx_free(ctx);
        ran++;
    }
    CU_ASSERT(ran >= 2);
}
