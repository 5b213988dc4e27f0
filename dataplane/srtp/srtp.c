// SPDX-License-Identifier: BSD-3-Clause
// Makes and ends SRTP machines and keys, and finds the engine for each call.
#include "dataplane/srtp/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/engine.h"

static const struct srtp_engine_table *table_of(enum srtp_engine engine)
{
    switch (engine) {
    case SRTP_ENGINE_LANES:
        return &srtp_engine_lanes;
    case SRTP_ENGINE_OPENSSL:
        return &srtp_engine_openssl;
    default:
        return &srtp_engine_ipsecmb;
    }
}

static int ctx_make(enum srtp_engine engine, struct srtp_ctx **out)
{
    const struct srtp_engine_table *table = table_of(engine);
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
    if (engine != SRTP_ENGINE_AUTO)
        return ctx_make(engine, out);
    static const enum srtp_engine best_first[] = {SRTP_ENGINE_LANES, SRTP_ENGINE_IPSECMB,
                                                  SRTP_ENGINE_OPENSSL};
    int rc = -ENOTSUP;
    for (unsigned i = 0; i < sizeof best_first / sizeof best_first[0] && rc == -ENOTSUP; i++)
        rc = ctx_make(best_first[i], out);
    return rc;
}

void srtp_ctx_free(struct srtp_ctx *ctx)
{
    if (!ctx)
        return;
    ctx->table->fini(ctx);
    explicit_bzero(ctx, ctx->size);
    free(ctx);
}

uint32_t srtp_key_lines(const struct srtp_ctx *ctx, bool gcm)
{
    return gcm ? ctx->table->gcm_lines : ctx->table->cm_lines;
}

const char *srtp_ctx_name(const struct srtp_ctx *ctx)
{
    return ctx->name;
}

size_t srtp_key_size(enum tl_suite suite)
{
    if (!tl_suite_info(suite))
        return 0;
    if (srtp_suite_is_gcm(suite))
        return sizeof(struct srtp_key_gcm);
    return srtp_suite_is_256(suite) ? SRTP_KEY_CM_256 : SRTP_KEY_CM_128;
}

int srtp_key_build(struct srtp_ctx *ctx, struct srtp_key *key, const struct tl_crypto *crypto,
                   const struct srtp_session_keys *keys)
{
    assert((uintptr_t)key % SRTP_KEY_ALIGN == 0 && crypto->mki_len <= TL_MKI_MAX);
    size_t size = srtp_key_size(crypto->suite);
    memset(key, 0, size);
    *key = (struct srtp_key){.suite = crypto->suite,
                             .engine = (uint8_t)ctx->engine,
                             .tag = tl_suite_info(crypto->suite)->rtp_tag,
                             .mki_len = crypto->mki_len,
                             .generation = crypto->generation};
    if (srtp_suite_is_gcm(key->suite)) {
        struct srtp_key_gcm *gcm = (struct srtp_key_gcm *)(void *)key;
        memcpy(gcm->salt, keys->rtp.salt, sizeof gcm->salt);
        memcpy(gcm->rtcp_key, keys->rtcp.key, sizeof gcm->rtcp_key);
        memcpy(gcm->rtcp_salt, keys->rtcp.salt, sizeof gcm->rtcp_salt);
        memcpy(gcm->mki, crypto->mki, crypto->mki_len);
    } else {
        struct srtp_key_cm *cm = (struct srtp_key_cm *)(void *)key;
        struct srtp_cm_tail *tail = (struct srtp_cm_tail *)(uintptr_t)srtp_cm_tail(cm);
        memcpy(cm->salt, keys->rtp.salt, sizeof cm->salt);
        memcpy(tail->mki, crypto->mki, crypto->mki_len);
        tail->rtcp = keys->rtcp;
    }
    int rc = ctx->table->key_init(ctx, key, keys);
    if (rc < 0)
        explicit_bzero(key, size);
    return rc;
}

int srtp_key_init(struct srtp_ctx *ctx, struct srtp_key *key, const struct tl_crypto *crypto)
{
    size_t size = srtp_key_size(crypto->suite);
    if (!size || crypto->mki_len > TL_MKI_MAX)
        return -EINVAL;
    struct srtp_session_keys keys;
    int rc = srtp_kdf(crypto->suite, crypto->key, crypto->salt, &keys);
    if (rc == 0)
        rc = srtp_key_build(ctx, key, crypto, &keys);
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

void srtp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    ctx->table->protect(ctx, ops, n);
}

void srtp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    ctx->table->unprotect(ctx, ops, n);
}

// RFC 3711 3.4: ... E and index, MKI, tag. RFC 7714 9.2: ... tag, E and index, MKI: there the MKI, which
// nothing authenticates, is put behind and taken off here.
void srtcp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        const struct srtp_key *key = op->key;
        assert(key->engine == ctx->engine);
        unsigned room = srtp_room(key) + SRTCP_WORD;
        if (op->len < SRTCP_HEADER_LEN) {
            op->status = TL_DROP_bad_rtcp;
        } else if (op->room < room || op->len > UINT16_MAX - room) {
            op->status = TL_DROP_no_room;
        } else if (op->index >= SRTCP_E) {
            op->status = TL_DROP_tx_index_end;
        } else {
            ctx->table->rtcp_protect(ctx, op);
            if (srtp_suite_is_gcm(key->suite)) {
                memcpy(op->pkt + op->len, srtp_mki(key), key->mki_len);
                op->len += key->mki_len;
            }
        }
    }
}

void srtcp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n)
{
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        assert(op->key->engine == ctx->engine);
        uint32_t index = 0;
        op->status = srtcp_peek(op->key, op->pkt, op->len, &index);
        op->index = index;
        if (op->status != SRTP_OK)
            continue;
        if (srtp_suite_is_gcm(op->key->suite))
            op->len -= op->key->mki_len;
        ctx->table->rtcp_unprotect(ctx, op);
    }
}

uint8_t srtcp_peek(const struct srtp_key *key, const uint8_t *pkt, size_t len, uint32_t *index)
{
    bool gcm = srtp_suite_is_gcm(key->suite);
    size_t tag = gcm ? SRTP_GCM_TAG : SRTCP_CM_TAG;
    if (len < SRTCP_HEADER_LEN + SRTCP_WORD + key->mki_len + tag)
        return TL_DROP_short_srtp;
    const uint8_t *mki = pkt + len - key->mki_len - (gcm ? 0 : tag);
    if (!srtp_mki_is(key, mki))
        return TL_DROP_bad_mki;
    uint32_t word = tl_get32(mki - SRTCP_WORD);
    if (!(word & SRTCP_E))
        return TL_DROP_plain_rtcp;
    *index = word & ~SRTCP_E;
    return SRTP_OK;
}
