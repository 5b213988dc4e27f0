// SPDX-License-Identifier: BSD-3-Clause
// packet path: the reference engine, by OpenSSL: one packet after the other, keys set up for each. It is for
// CPUs without AES instructions and to check the other engine against.
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "dataplane/srtp/engine.h"

struct ossl_ctx {
    struct srtp_ctx base;
    // by size of key: 128 and 256 bits
    EVP_CIPHER_CTX *ctr[2];
    EVP_CIPHER_CTX *gcm[2];
    EVP_MAC_CTX *hmac;
};

static struct ossl_ctx *ossl(struct srtp_ctx *ctx)
{
    return (struct ossl_ctx *)(void *)ctx;
}

static size_t ossl_size(void)
{
    return sizeof(struct ossl_ctx);
}

static int ossl_init(struct srtp_ctx *base, enum srtp_engine engine)
{
    (void)engine;
    struct ossl_ctx *x = ossl(base);
    base->name = "openssl";
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    x->hmac = mac ? EVP_MAC_CTX_new(mac) : NULL; // holds a reference of its own
    EVP_MAC_free(mac);
    if (!x->hmac)
        return -ENOMEM;
    char sha1[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha1, 0),
                                 OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(x->hmac, params) != 1)
        return -ENOTSUP;
    for (unsigned size = 0; size < 2; size++) {
        x->ctr[size] = EVP_CIPHER_CTX_new();
        x->gcm[size] = EVP_CIPHER_CTX_new();
        if (!x->ctr[size] || !x->gcm[size])
            return -ENOMEM;
        const EVP_CIPHER *counter = size ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
        const EVP_CIPHER *galois = size ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
        if (EVP_EncryptInit_ex(x->ctr[size], counter, NULL, NULL, NULL) != 1 ||
            EVP_EncryptInit_ex(x->gcm[size], galois, NULL, NULL, NULL) != 1)
            return -ENOTSUP;
    }
    return 0;
}

static void ossl_fini(struct srtp_ctx *base)
{
    struct ossl_ctx *x = ossl(base);
    for (unsigned size = 0; size < 2; size++) {
        EVP_CIPHER_CTX_free(x->ctr[size]);
        EVP_CIPHER_CTX_free(x->gcm[size]);
    }
    EVP_MAC_CTX_free(x->hmac);
}

static int ossl_key_init(struct srtp_ctx *base, struct srtp_key *key, const struct srtp_session_keys *keys)
{
    (void)base;
    if (srtp_suite_is_gcm(key->suite)) {
        memcpy(((struct srtp_key_gcm *)(void *)key)->data, keys->rtp.key, sizeof keys->rtp.key);
    } else {
        struct srtp_key_cm *cm = (struct srtp_key_cm *)(void *)key;
        memcpy(cm->enc, keys->rtp.key, sizeof keys->rtp.key);
        memcpy(cm->inner, keys->rtp.auth, 20);
    }
    return 0;
}

// AES-CTR in place. True unless OpenSSL fails.
static bool ctr(EVP_CIPHER_CTX *c, const uint8_t *key, const uint8_t iv[16], uint8_t *p, unsigned len)
{
    int n = 0;
    return len == 0 || (EVP_EncryptInit_ex(c, NULL, NULL, key, iv) == 1 &&
                        EVP_EncryptUpdate(c, p, &n, p, (int)len) == 1 && n == (int)len);
}

// HMAC-SHA1 over p and then the four bytes of `tail` (none if NULL), 20 bytes.
static bool hmac(struct ossl_ctx *x, const uint8_t *key, const uint8_t *p, unsigned len, const uint8_t *tail,
                 uint8_t out[20])
{
    size_t n = 0;
    return EVP_MAC_init(x->hmac, key, 20, NULL) == 1 && EVP_MAC_update(x->hmac, p, len) == 1 &&
           (!tail || EVP_MAC_update(x->hmac, tail, 4) == 1) && EVP_MAC_final(x->hmac, out, &n, 20) == 1 &&
           n == 20;
}

// What GCM works on: text in place, AAD in two parts.
struct gcm_job {
    const uint8_t *key, *iv;
    const uint8_t *aad, *aad2;
    unsigned aad_len, aad2_len;
    uint8_t *text;
    unsigned len;
    uint8_t *tag; // 16 bytes: written, or compared
};

enum gcm_direction { GCM_OPEN, GCM_SEAL };

// True if sealed, or opened and authentic.
static bool gcm(EVP_CIPHER_CTX *c, enum gcm_direction dir, const struct gcm_job *j)
{
    int n = 0;
    uint8_t none[16];
    if (EVP_CipherInit_ex(c, NULL, NULL, j->key, j->iv, dir) != 1 ||
        EVP_CipherUpdate(c, NULL, &n, j->aad, (int)j->aad_len) != 1 ||
        (j->aad2_len && EVP_CipherUpdate(c, NULL, &n, j->aad2, (int)j->aad2_len) != 1))
        return false;
    if (j->len && (EVP_CipherUpdate(c, j->text, &n, j->text, (int)j->len) != 1 || n != (int)j->len))
        return false;
    if (dir == GCM_OPEN && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG, j->tag) != 1)
        return false;
    if (EVP_CipherFinal_ex(c, none, &n) != 1) // compares the tag in constant time
        return false;
    return dir == GCM_OPEN || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG, j->tag) == 1;
}

// That of the size of `key`.
static EVP_CIPHER_CTX *ctr_of(struct ossl_ctx *x, const struct srtp_key *key)
{
    return x->ctr[srtp_suite_is_256(key->suite)];
}

static EVP_CIPHER_CTX *gcm_of(struct ossl_ctx *x, const struct srtp_key *key)
{
    return x->gcm[srtp_suite_is_256(key->suite)];
}

// ---- SRTP --------------------------------------------------------------------------------------------

static bool gcm_rtp(struct ossl_ctx *x, enum gcm_direction dir, const struct srtp_op *op, unsigned end)
{
    uint8_t iv[12];
    srtp_iv_gcm(iv, srtp_gcm(op->key)->salt, tl_get32(op->pkt + 8), op->index);
    const struct gcm_job j = {
        .key = srtp_gcm(op->key)->data,
        .iv = iv,
        .aad = op->pkt,
        .aad_len = op->hdr_len,
        .text = op->pkt + op->hdr_len,
        .len = end - op->hdr_len,
        .tag = op->pkt + end,
    };
    return gcm(gcm_of(x, op->key), dir, &j);
}

static void ossl_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct ossl_ctx *x = ossl(base);
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_protect_begin(base, op))
            continue;
        const struct srtp_key *key = op->key;
        uint8_t *end = op->pkt + op->len;
        op->status = TL_DROP_bad_auth;
        if (srtp_suite_is_gcm(key->suite)) {
            if (!gcm_rtp(x, GCM_SEAL, op, op->len))
                continue;
            memcpy(end + SRTP_GCM_TAG, srtp_mki(key), key->mki_len);
        } else {
            const struct srtp_key_cm *cm = srtp_cm(key);
            uint8_t iv[16], roc[4], tag[20];
            srtp_iv_cm(iv, cm->salt, op->ssrc, op->index);
            tl_put32(roc, (uint32_t)(op->index >> 16));
            if (!ctr(ctr_of(x, key), cm->enc, iv, op->pkt + op->hdr_len, op->len - op->hdr_len) ||
                !hmac(x, cm->inner, op->pkt, op->len, roc, tag))
                continue;
            memcpy(end, srtp_mki(key), key->mki_len);
            memcpy(end + key->mki_len, tag, key->tag);
        }
        op->len += srtp_key_trailer(key);
        op->status = SRTP_OK;
    }
}

static void ossl_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct ossl_ctx *x = ossl(base);
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_unprotect_begin(base, op))
            continue;
        const struct srtp_key *key = op->key;
        const unsigned end = op->len - srtp_key_trailer(key);
        op->status = TL_DROP_bad_auth;
        if (srtp_suite_is_gcm(key->suite)) {
            if (!gcm_rtp(x, GCM_OPEN, op, end))
                continue;
        } else {
            const struct srtp_key_cm *cm = srtp_cm(key);
            uint8_t iv[16], roc[4], tag[20];
            srtp_iv_cm(iv, cm->salt, tl_get32(op->pkt + 8), op->index);
            tl_put32(roc, (uint32_t)(op->index >> 16));
            if (!hmac(x, cm->inner, op->pkt, end, roc, tag) ||
                !srtp_tag_equal(tag, op->pkt + op->len - key->tag, key->tag) ||
                !ctr(ctr_of(x, key), cm->enc, iv, op->pkt + op->hdr_len, end - op->hdr_len))
                continue;
        }
        op->len = (uint16_t)end;
        op->status = SRTP_OK;
    }
}

// ---- SRTCP -------------------------------------------------------------------------------------------

// Header and the word with the index are authenticated, what lies between is encrypted. `end` is where that
// ends.
static bool gcm_rtcp(struct ossl_ctx *x, enum gcm_direction dir, const struct srtp_op *op, unsigned end)
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    uint8_t iv[12], word[SRTCP_WORD];
    srtp_iv_gcm(iv, key->rtcp_salt, tl_get32(op->pkt + 4), op->index);
    tl_put32(word, SRTCP_E | (uint32_t)op->index);
    const struct gcm_job j = {
        .key = key->rtcp_key,
        .iv = iv,
        .aad = op->pkt,
        .aad_len = SRTCP_HEADER_LEN,
        .aad2 = word,
        .aad2_len = sizeof word,
        .text = op->pkt + SRTCP_HEADER_LEN,
        .len = end - SRTCP_HEADER_LEN,
        .tag = op->pkt + end,
    };
    return gcm(gcm_of(x, op->key), dir, &j);
}

static void ossl_rtcp_protect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct ossl_ctx *x = ossl(base);
    const struct srtp_key *key = op->key;
    uint32_t word = SRTCP_E | (uint32_t)op->index;
    op->status = TL_DROP_bad_auth;
    if (srtp_suite_is_gcm(key->suite)) {
        if (!gcm_rtcp(x, GCM_SEAL, op, op->len))
            return;
        tl_put32(op->pkt + op->len + SRTP_GCM_TAG, word);
        op->len += SRTP_GCM_TAG + SRTCP_WORD;
    } else {
        const struct srtp_session_key *k = &srtp_cm_tail(srtp_cm(key))->rtcp;
        uint8_t iv[16], tag[20];
        srtp_iv_cm(iv, k->salt, tl_get32(op->pkt + 4), op->index);
        if (!ctr(ctr_of(x, key), k->key, iv, op->pkt + SRTCP_HEADER_LEN, op->len - SRTCP_HEADER_LEN))
            return;
        tl_put32(op->pkt + op->len, word);
        op->len += SRTCP_WORD;
        if (!hmac(x, k->auth, op->pkt, op->len, NULL, tag))
            return;
        memcpy(op->pkt + op->len, srtp_mki(key), key->mki_len);
        memcpy(op->pkt + op->len + key->mki_len, tag, SRTCP_CM_TAG);
        op->len += key->mki_len + SRTCP_CM_TAG;
    }
    op->status = SRTP_OK;
}

static void ossl_rtcp_unprotect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct ossl_ctx *x = ossl(base);
    const struct srtp_key *key = op->key;
    unsigned end;
    op->status = TL_DROP_bad_auth;
    if (srtp_suite_is_gcm(key->suite)) {
        end = op->len - SRTP_GCM_TAG - SRTCP_WORD;
        if (!gcm_rtcp(x, GCM_OPEN, op, end))
            return;
    } else {
        const struct srtp_session_key *k = &srtp_cm_tail(srtp_cm(key))->rtcp;
        uint8_t iv[16], tag[20];
        end = op->len - SRTCP_CM_TAG - key->mki_len - SRTCP_WORD;
        srtp_iv_cm(iv, k->salt, tl_get32(op->pkt + 4), op->index);
        if (!hmac(x, k->auth, op->pkt, end + SRTCP_WORD, NULL, tag) ||
            !srtp_tag_equal(tag, op->pkt + op->len - SRTCP_CM_TAG, SRTCP_CM_TAG) ||
            !ctr(ctr_of(x, key), k->key, iv, op->pkt + SRTCP_HEADER_LEN, end - SRTCP_HEADER_LEN))
            return;
    }
    op->len = (uint16_t)end;
    op->status = SRTP_OK;
}

const struct srtp_engine_table srtp_engine_openssl = {
    .cm_lines = SRTP_LINES_CM,
    .gcm_lines = SRTP_LINES_GCM,
    .size = ossl_size,
    .init = ossl_init,
    .fini = ossl_fini,
    .key_init = ossl_key_init,
    .protect = ossl_protect,
    .unprotect = ossl_unprotect,
    .rtcp_protect = ossl_rtcp_protect,
    .rtcp_unprotect = ossl_rtcp_unprotect,
};
