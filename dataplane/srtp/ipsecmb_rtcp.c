// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTCP by libIPSec_MB, one packet after the other. The session keys are expanded for each
// packet, worked with in scratch memory and wiped.
#include "dataplane/srtp/ipsecmb.h"

static void wipe(struct mb_scratch *s)
{
    explicit_bzero(s->gcm, sizeof s->gcm);
    explicit_bzero(s->enc, sizeof s->enc);
    explicit_bzero(s->dec, sizeof s->dec);
    explicit_bzero(s->inner, sizeof s->inner);
    explicit_bzero(s->outer, sizeof s->outer);
}

// Works on an AES_CM packet up to `end`, in the first job of its size.
static bool cm_cipher(struct mb_ctx *x, const struct srtp_op *op, unsigned end)
{
    const struct srtp_session_key *k = &srtp_cm_tail(srtp_cm(op->key))->rtcp;
    enum mb_aes aes = mb_aes(op->key);
    if (end == SRTCP_HEADER_LEN)
        return true;
    if (aes == MB_AES_256)
        IMB_AES_KEYEXP_256(x->wide, k->key, x->scratch.enc, x->scratch.dec);
    else
        IMB_AES_KEYEXP_128(x->wide, k->key, x->scratch.enc, x->scratch.dec);
    srtp_iv_cm(x->iv[0], k->salt, tl_get32(op->pkt + 4), op->index);
    mb_cipher_job(&x->cipher[aes][0], x->scratch.enc, op->pkt + SRTCP_HEADER_LEN, end - SRTCP_HEADER_LEN,
                  x->iv[0]);
    return mb_run_cipher(x, aes, 1);
}

// The tag over the first `len` bytes to x->digest[0].
static bool cm_hash(struct mb_ctx *x, const struct srtp_op *op, unsigned len)
{
    const struct srtp_session_key *k = &srtp_cm_tail(srtp_cm(op->key))->rtcp;
    mb_hmac_states(x->wide, k->auth, x->scratch.inner, x->scratch.outer);
    mb_hash_job(&x->hash[0], x->scratch.inner, x->scratch.outer, op->pkt, len, x->digest[0]);
    return mb_run_hash(x, 1);
}

// AAD of SRTCP by RFC 7714 9.2: header, E bit and index.
static void gcm_begin(struct mb_ctx *x, const struct srtp_op *op, uint8_t iv[12], uint8_t aad[12])
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    if (mb_aes(op->key) == MB_AES_256)
        IMB_AES256_GCM_PRE(x->wide, key->rtcp_key, (struct gcm_key_data *)x->scratch.gcm);
    else
        IMB_AES128_GCM_PRE(x->wide, key->rtcp_key, (struct gcm_key_data *)x->scratch.gcm);
    srtp_iv_gcm(iv, key->rtcp_salt, tl_get32(op->pkt + 4), op->index);
    memcpy(aad, op->pkt, SRTCP_HEADER_LEN);
    tl_put32(aad + SRTCP_HEADER_LEN, SRTCP_E | (uint32_t)op->index);
}

static void gcm_protect(struct mb_ctx *x, struct srtp_op *op)
{
    uint8_t iv[12], aad[12], *text = op->pkt + SRTCP_HEADER_LEN;
    gcm_begin(x, op, iv, aad);
    x->seal[mb_aes(op->key)]((const struct gcm_key_data *)x->scratch.gcm, &x->gcm, text, text,
                             op->len - SRTCP_HEADER_LEN, iv, aad, sizeof aad, op->pkt + op->len,
                             SRTP_GCM_TAG);
    tl_put32(op->pkt + op->len + SRTP_GCM_TAG, SRTCP_E | (uint32_t)op->index);
    op->len += SRTP_GCM_TAG + SRTCP_WORD;
    op->status = SRTP_OK;
}

static void gcm_unprotect(struct mb_ctx *x, struct srtp_op *op)
{
    uint8_t iv[12], aad[12], tag[SRTP_GCM_TAG], *text = op->pkt + SRTCP_HEADER_LEN;
    op->len -= SRTP_GCM_TAG + SRTCP_WORD;
    gcm_begin(x, op, iv, aad);
    x->open[mb_aes(op->key)]((const struct gcm_key_data *)x->scratch.gcm, &x->gcm, text, text,
                             op->len - SRTCP_HEADER_LEN, iv, aad, sizeof aad, tag, SRTP_GCM_TAG);
    if (srtp_tag_equal(tag, op->pkt + op->len, SRTP_GCM_TAG))
        op->status = SRTP_OK;
}

void mb_rtcp_protect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct mb_ctx *x = mb(base);
    const struct srtp_key *key = op->key;
    op->status = TL_DROP_bad_auth;
    if (srtp_suite_is_gcm(key->suite)) {
        gcm_protect(x, op);
    } else if (cm_cipher(x, op, op->len)) {
        tl_put32(op->pkt + op->len, SRTCP_E | (uint32_t)op->index);
        op->len += SRTCP_WORD;
        if (cm_hash(x, op, op->len)) {
            memcpy(op->pkt + op->len, srtp_mki(key), key->mki_len);
            memcpy(op->pkt + op->len + key->mki_len, x->digest[0], SRTCP_CM_TAG);
            op->len += key->mki_len + SRTCP_CM_TAG;
            op->status = SRTP_OK;
        }
    }
    wipe(&x->scratch);
}

void mb_rtcp_unprotect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct mb_ctx *x = mb(base);
    op->status = TL_DROP_bad_auth;
    if (srtp_suite_is_gcm(op->key->suite)) {
        gcm_unprotect(x, op);
    } else {
        const uint8_t *tag = op->pkt + op->len - SRTCP_CM_TAG;
        op->len -= SRTCP_CM_TAG + op->key->mki_len;
        if (cm_hash(x, op, op->len) && srtp_tag_equal(x->digest[0], tag, SRTCP_CM_TAG)) {
            op->len -= SRTCP_WORD;
            if (cm_cipher(x, op, op->len))
                op->status = SRTP_OK;
        }
    }
    wipe(&x->scratch);
}
