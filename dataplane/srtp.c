// SPDX-License-Identifier: BSD-3-Clause
// Makes and ends SRTP machines and keys, and finds the engine for each call.
#include "dataplane/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp_engine.h"

static int ctx_make(const struct srtp_engine_table *table, enum srtp_engine engine, struct srtp_ctx **out)
{
    size_t size = (table->size() + 63) & ~(size_t)63;
    struct srtp_ctx *ctx = aligned_alloc(64, size);
    if (!ctx)
        return -ENOMEM;
    memset(ctx, 0, size);
    ctx->table = table;
    ctx->size = size;
    ctx->engine = engine;
    int rc = table->init(ctx, engine);
    if (rc < 0) {
        srtp_ctx_free(ctx);
        return rc;
    }
    *out = ctx;
    return 0;
}

int srtp_ctx_new(enum srtp_engine engine, struct srtp_ctx **out)
{
    *out = NULL;
    if ((unsigned)engine >= SRTP_ENGINE_COUNT)
        return -EINVAL;
    if (engine == SRTP_ENGINE_OPENSSL)
        return ctx_make(&srtp_engine_openssl, engine, out);
    if (engine != SRTP_ENGINE_AUTO)
        return ctx_make(&srtp_engine_ipsecmb, engine, out);
    int rc = ctx_make(&srtp_engine_ipsecmb, SRTP_ENGINE_IPSECMB, out);
    return rc == -ENOTSUP ? ctx_make(&srtp_engine_openssl, SRTP_ENGINE_OPENSSL, out) : rc;
}

void srtp_ctx_free(struct srtp_ctx *ctx)
{
    if (!ctx)
        return;
    ctx->table->fini(ctx);
    explicit_bzero(ctx, ctx->size);
    free(ctx);
}

const char *srtp_ctx_name(const struct srtp_ctx *ctx)
{
    return ctx->name;
}

size_t srtp_key_size(enum tl_suite suite)
{
    switch (suite) {
    case TL_SUITE_AES_CM_128_HMAC_SHA1_80:
        return sizeof(struct srtp_key_cm);
    case TL_SUITE_AEAD_AES_128_GCM:
        return sizeof(struct srtp_key_gcm);
    default:
        break;
    }
    return 0;
}

enum tl_suite srtp_key_suite(const struct srtp_key *key)
{
    return key->suite;
}

int srtp_key_build(struct srtp_ctx *ctx, struct srtp_key *key, enum tl_suite suite,
                   const struct srtp_session_keys *keys)
{
    assert((uintptr_t)key % SRTP_KEY_ALIGN == 0);
    memset(key, 0, srtp_key_size(suite));
    key->suite = suite;
    key->engine = (uint8_t)ctx->engine;
    memcpy(key->salt, keys->rtp.salt, sizeof key->salt);
    if (suite == TL_SUITE_AEAD_AES_128_GCM) {
        struct srtp_key_gcm *gcm = (struct srtp_key_gcm *)(void *)key;
        memcpy(gcm->rtcp_key, keys->rtcp.key, sizeof gcm->rtcp_key);
        memcpy(gcm->rtcp_salt, keys->rtcp.salt, sizeof gcm->rtcp_salt);
    } else {
        ((struct srtp_key_cm *)(void *)key)->rtcp = keys->rtcp;
    }
    int rc = ctx->table->key_init(ctx, key, keys);
    if (rc < 0)
        explicit_bzero(key, srtp_key_size(suite));
    return rc;
}

int srtp_key_init(struct srtp_ctx *ctx, struct srtp_key *key, const struct tl_crypto *crypto)
{
    size_t size = srtp_key_size(crypto->suite);
    if (!size)
        return -EINVAL;
    struct srtp_session_keys keys;
    int rc = srtp_kdf(crypto->suite, crypto->key, crypto->salt, &keys);
    if (rc == 0)
        rc = srtp_key_build(ctx, key, crypto->suite, &keys);
    else
        explicit_bzero(key, size);
    explicit_bzero(&keys, sizeof keys);
    return rc;
}

void srtp_key_wipe(struct srtp_key *key)
{
    if (key)
        explicit_bzero(key, srtp_key_size(key->suite));
}

void srtp_key_prefetch(const struct srtp_key *key, enum tl_suite suite)
{
    const uint8_t *line = (const uint8_t *)key;
    // AES_CM: head, HMAC states and round keys. GCM: head, round keys and the end of the GHASH table, where
    // the low powers of H lie in its widest form.
    for (unsigned i = 0; i < 4; i++)
        __builtin_prefetch(line + i * 64);
    if (suite == TL_SUITE_AEAD_AES_128_GCM)
        for (unsigned i = 13; i < 17; i++)
            __builtin_prefetch(line + i * 64);
}

void srtp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    ctx->table->protect(ctx, ops, n);
}

void srtp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    ctx->table->unprotect(ctx, ops, n);
}

void srtcp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        assert(op->key->engine == ctx->engine);
        unsigned tag = op->key->suite == TL_SUITE_AEAD_AES_128_GCM ? SRTP_GCM_TAG : SRTP_CM_TAG_ROOM;
        if (op->len < SRTCP_HEADER_LEN)
            op->status = TL_DROP_bad_rtcp;
        else if (op->room < tag + SRTCP_WORD || op->len > UINT16_MAX - tag - SRTCP_WORD)
            op->status = TL_DROP_no_room;
        else if (op->index >= SRTCP_E)
            op->status = TL_DROP_tx_index_end;
        else
            ctx->table->rtcp_protect(ctx, op);
    }
}

void srtcp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        assert(op->key->engine == ctx->engine);
        uint32_t index = 0;
        op->status = srtcp_peek(op->key, op->pkt, op->len, &index);
        op->index = index;
        if (op->status == SRTP_OK)
            ctx->table->rtcp_unprotect(ctx, op);
    }
}

uint8_t srtcp_peek(const struct srtp_key *key, const uint8_t *pkt, size_t len, uint32_t *index)
{
    // RFC 3711 3.4: ... E and index, tag; RFC 7714 9.2: ... tag, E and index
    bool gcm = key->suite == TL_SUITE_AEAD_AES_128_GCM;
    size_t behind = gcm ? 0 : SRTP_CM_TAG;
    if (len < SRTCP_HEADER_LEN + SRTCP_WORD + (size_t)(gcm ? SRTP_GCM_TAG : SRTP_CM_TAG))
        return TL_DROP_short_srtp;
    uint32_t word = srtp_get32(pkt + len - behind - SRTCP_WORD);
    if (!(word & SRTCP_E))
        return TL_DROP_plain_rtcp;
    *index = word & ~SRTCP_E;
    return SRTP_OK;
}
