// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP by libIPSec_MB. AES_CM packets of a call are gathered over all streams and suites: a
// burst of ciphers for each size of key, and one of hashes, whose lanes then are full. GCM goes packet by
// packet through the single-shot call.
#include "dataplane/srtp/ipsecmb.h"

static inline void gather_cipher(struct mb_ctx *x, struct mb_gathered *g, const struct srtp_op *op,
                                 unsigned i, uint32_t ssrc, unsigned end)
{
    const struct srtp_key_cm *key = srtp_cm(op->key);
    enum mb_aes aes = mb_aes(op->key);
    if (end == op->hdr_len)
        return;
    if (aes == MB_AES_256)
        srtp_prefetch_line(key->enc + SRTP_AES_SCHEDULE_128); // the line more that these keys have
    srtp_iv_cm(x->iv[i], key->salt, ssrc, op->index);
    mb_cipher_job(&x->cipher[aes][g->ciphers[aes]++], key->enc, op->pkt + op->hdr_len, end - op->hdr_len,
                  x->iv[i]);
}

static inline bool run_ciphers(struct mb_ctx *x, const struct mb_gathered *g)
{
    return mb_run_cipher(x, MB_AES_128, g->ciphers[MB_AES_128]) &&
           mb_run_cipher(x, MB_AES_256, g->ciphers[MB_AES_256]);
}

// ---- AES_CM, protect ---------------------------------------------------------------------------------

static inline void gather_seal(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op)
{
    const struct srtp_key_cm *key = srtp_cm(op->key);
    const unsigned i = g->n++, mki_len = key->head.mki_len;
    x->cm[i] = op;
    // The ROC is authenticated behind the packet and not sent (RFC 3711 4.2): the tag overwrites it, or the
    // MKI does when all is done.
    tl_put32(op->pkt + op->len, (uint32_t)(op->index >> 16));
    mb_hash_job(&x->hash[i], key->inner, key->outer, op->pkt, op->len + 4u, op->pkt + op->len + mki_len);
    g->mki |= mki_len != 0;
    op->len += srtp_key_trailer(op->key);
    op->status = SRTP_OK;
}

void mb_protect_finish(struct mb_ctx *x, struct mb_gathered *g)
{
    bool ok = run_ciphers(x, g) && mb_run_hash(x, g->n);
    for (unsigned i = 0; g->mki && i < g->n; i++) {
        struct srtp_op *op = x->cm[i];
        memcpy(op->pkt + op->len - srtp_key_trailer(op->key), srtp_mki(op->key), op->key->mki_len);
    }
    for (unsigned i = 0; !ok && i < g->n; i++)
        x->cm[i]->status = TL_DROP_bad_auth;
    *g = (struct mb_gathered){0};
}

// ---- AES_CM, unprotect -------------------------------------------------------------------------------

static inline void gather_unprotect(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op)
{
    const struct srtp_key_cm *key = srtp_cm(op->key);
    const unsigned i = g->n++;
    const uint8_t *tag = op->pkt + op->len - key->head.tag;
    x->cm[i] = op;
    op->len -= srtp_key_trailer(op->key);
    if (key->head.tag == SRTCP_CM_TAG)
        memcpy(x->tag[i], tag, SRTCP_CM_TAG);
    else
        memcpy(x->tag[i], tag, key->head.tag);
    // overwrites of what follows the payload the MKI, which was looked at, and the tag, which was kept
    tl_put32(op->pkt + op->len, (uint32_t)(op->index >> 16));
    mb_hash_job(&x->hash[i], key->inner, key->outer, op->pkt, op->len + 4u, x->digest[i]);
}

void mb_unprotect_finish(struct mb_ctx *x, struct mb_gathered *g)
{
    bool ok = mb_run_hash(x, g->n);
    for (unsigned i = 0; i < g->n; i++) {
        struct srtp_op *op = x->cm[i];
        op->status = TL_DROP_bad_auth;
        if (!ok || !srtp_tag_equal(x->digest[i], x->tag[i], op->key->tag))
            continue;
        op->status = SRTP_OK;
        gather_cipher(x, g, op, i, tl_get32(op->pkt + 8), op->len);
    }
    ok = run_ciphers(x, g);
    for (unsigned i = 0; !ok && i < g->n; i++)
        x->cm[i]->status = TL_DROP_bad_auth;
    *g = (struct mb_gathered){0};
}

// ---- GCM ---------------------------------------------------------------------------------------------

static inline void gcm_protect(struct mb_ctx *x, struct srtp_op *op)
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    uint8_t iv[12], *text = op->pkt + op->hdr_len, *tag = op->pkt + op->len;
    srtp_iv_gcm(iv, key->salt, op->ssrc, op->index);
    x->seal[mb_aes(op->key)]((const struct gcm_key_data *)key->data, &x->gcm, text, text,
                             op->len - op->hdr_len, iv, op->pkt, op->hdr_len, tag, SRTP_GCM_TAG);
    if (key->head.mki_len)
        memcpy(tag + SRTP_GCM_TAG, key->mki, key->head.mki_len);
    op->len += srtp_key_trailer(op->key);
    op->status = SRTP_OK;
}

static inline void gcm_unprotect(struct mb_ctx *x, struct srtp_op *op)
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    uint8_t iv[12], tag[SRTP_GCM_TAG], *text = op->pkt + op->hdr_len;
    op->len -= srtp_key_trailer(op->key);
    srtp_iv_gcm(iv, key->salt, tl_get32(op->pkt + 8), op->index);
    x->open[mb_aes(op->key)]((const struct gcm_key_data *)key->data, &x->gcm, text, text,
                             op->len - op->hdr_len, iv, op->pkt, op->hdr_len, tag, SRTP_GCM_TAG);
    op->status = srtp_tag_equal(tag, op->pkt + op->len, SRTP_GCM_TAG) ? SRTP_OK : TL_DROP_bad_auth;
}

// ---- bursts ------------------------------------------------------------------------------------------

void mb_seal_add(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op)
{
    gather_seal(x, g, op);
    if (g->n == MB_BATCH)
        mb_protect_finish(x, g);
}

void mb_protect_add(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op)
{
    if (srtp_suite_is_gcm(op->key->suite)) {
        gcm_protect(x, op);
        return;
    }
    gather_cipher(x, g, op, g->n, op->ssrc, op->len);
    mb_seal_add(x, g, op);
}

void mb_unprotect_add(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op)
{
    if (srtp_suite_is_gcm(op->key->suite)) {
        gcm_unprotect(x, op);
        return;
    }
    gather_unprotect(x, g, op);
    if (g->n == MB_BATCH)
        mb_unprotect_finish(x, g);
}

// The keys' lines are on their way since a stage ahead called srtp_key_prefetch().
void mb_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered g = {0};
    for (unsigned i = 0; i < n; i++)
        if (srtp_protect_begin(base, &ops[i]))
            mb_protect_add(x, &g, &ops[i]);
    if (g.n)
        mb_protect_finish(x, &g);
}

void mb_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered g = {0};
    for (unsigned i = 0; i < n; i++)
        if (srtp_unprotect_begin(base, &ops[i]))
            mb_unprotect_add(x, &g, &ops[i]);
    if (g.n)
        mb_unprotect_finish(x, &g);
}
