// SPDX-License-Identifier: BSD-3-Clause
// packet path: the engine by libIPSec_MB 1.3. AES_CM packets of a call are gathered over all streams: one
// burst of ciphers, one of hashes, whose lanes then are full. GCM goes packet by packet through the
// single-shot call.
#include <errno.h>
#include <intel-ipsec-mb.h>

#include "dataplane/srtp_engine.h"

enum {
    BATCH = 64, // AES_CM packets in one burst: some times the lanes of the widest SHA-1
};

// The widest code hashes a full set of lanes for little more than one packet; the SSE code with SHA-NI works
// on two. So what is left behind the full sets goes to the SSE code if it is at most `few`. Measured in one
// run on Sapphire Rapids, HMAC-SHA1 of 176 bytes, cycles per packet: SHA-NI 320 to 370 for any number;
// AVX-512 1,300 for 1, 357 for 6, 318 for 7, 176 for 16, 249 for 17. Split like this against AVX-512 alone:
// 0.28 for 1 packet, 0.91 for 6, 0.79 for 17, 0.94 for 20, 1.00 for 16 and 32.
struct lanes {
    uint8_t wide, few;
};

static struct lanes lanes_of(uint32_t arch)
{
    switch (arch) {
    case IMB_ARCH_AVX512:
        return (struct lanes){16, 6};
    case IMB_ARCH_AVX2:
        return (struct lanes){8, 5};
    default:
        return (struct lanes){4, 2};
    }
}

// SRTCP keys while they are used, wiped after each packet.
struct scratch {
    alignas(64) uint8_t gcm[SRTP_GCM_DATA];
    alignas(16) uint8_t enc[SRTP_AES_SCHEDULE];
    alignas(16) uint8_t dec[SRTP_AES_SCHEDULE]; // made by the key expansion, not used in counter mode
    uint8_t inner[20], outer[20];
};

// Jobs with all the fields set that are the same for every packet.
struct mb_ctx {
    struct srtp_ctx base;
    IMB_MGR *wide; // as the engine asks
    IMB_MGR *few;  // for the hashes that fill no set of lanes; NULL: `wide` does them
    struct lanes lanes;
    struct gcm_context_data gcm;
    struct srtp_op *cm[BATCH];
    alignas(64) uint8_t iv[BATCH][16];
    uint8_t digest[BATCH][SRTP_CM_TAG_ROOM];
    uint8_t tag[BATCH][SRTP_CM_TAG];
    IMB_JOB cipher[BATCH];
    IMB_JOB hash[BATCH];
    struct scratch scratch;
};
static_assert(sizeof(struct gcm_key_data) == SRTP_GCM_DATA, "libIPSec_MB 1.3");
static_assert(SRTP_CM_TAG_ROOM == 12, "libIPSec_MB 1.3 makes SHA-1 tags of 12 or 20 bytes");
static_assert(BATCH <= IMB_MAX_BURST_SIZE, "one burst");

static struct mb_ctx *mb(struct srtp_ctx *ctx)
{
    return (struct mb_ctx *)(void *)ctx;
}

// ---- machine -----------------------------------------------------------------------------------------

static size_t round64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

// The context, and behind it two managers of the library: one allocation, wiped as one.
static size_t mb_size(void)
{
    return round64(sizeof(struct mb_ctx)) + 2 * round64(imb_get_mb_mgr_size());
}

static const char *mb_name(const IMB_MGR *mgr)
{
    switch ((IMB_ARCH)mgr->used_arch) {
    case IMB_ARCH_SSE:
        return "ipsec_mb sse";
    case IMB_ARCH_AVX:
        return "ipsec_mb avx";
    case IMB_ARCH_AVX2:
        return "ipsec_mb avx2";
    case IMB_ARCH_AVX512:
        return "ipsec_mb avx512";
    default:
        return "ipsec_mb";
    }
}

// Sets a manager up for an engine; false where the CPU lacks what that needs.
static bool manager(IMB_MGR *mgr, enum srtp_engine engine)
{
    uint64_t need = IMB_CPUFLAGS_SSE;
    void (*init)(IMB_MGR *) = init_mb_mgr_sse;

    switch (engine) {
    case SRTP_ENGINE_IPSECMB_AVX2:
        need = IMB_CPUFLAGS_AVX2;
        init = init_mb_mgr_avx2;
        break;
    case SRTP_ENGINE_IPSECMB_AVX:
        need = IMB_CPUFLAGS_AVX;
        init = init_mb_mgr_avx;
        break;
    case SRTP_ENGINE_IPSECMB:
        init = NULL;
        break;
    default:
        break;
    }
    if (!imb_set_pointers_mb_mgr(mgr, engine == SRTP_ENGINE_IPSECMB_SSE_NO_SHANI ? IMB_FLAG_SHANI_OFF : 0, 1))
        return false;
    if ((mgr->features & need) != need)
        return false;
    if (init)
        init(mgr);
    else
        init_mb_mgr_auto(mgr, NULL);
    return imb_get_errno(mgr) == 0;
}

static int mb_init(struct srtp_ctx *base, enum srtp_engine engine)
{
    struct mb_ctx *x = mb(base);
    uint8_t *behind = (uint8_t *)x + round64(sizeof *x);
    x->wide = (IMB_MGR *)(void *)behind;
    x->few = (IMB_MGR *)(void *)(behind + round64(imb_get_mb_mgr_size()));
    if (!manager(x->wide, engine))
        return -ENOTSUP;
    // Without SHA-NI nothing is won by a second manager. The other engines are for tests of just that code.
    if (engine != SRTP_ENGINE_IPSECMB || !(x->wide->features & IMB_FEATURE_SHANI) ||
        !manager(x->few, SRTP_ENGINE_IPSECMB_SSE))
        x->few = NULL;
    x->lanes = lanes_of(x->wide->used_arch);
    base->name = mb_name(x->wide);

    for (unsigned i = 0; i < BATCH; i++) {
        x->cipher[i].cipher_mode = IMB_CIPHER_CNTR;
        x->cipher[i].cipher_direction = IMB_DIR_ENCRYPT;
        x->cipher[i].hash_alg = IMB_AUTH_NULL;
        x->cipher[i].chain_order = IMB_ORDER_CIPHER_HASH;
        x->cipher[i].key_len_in_bytes = IMB_KEY_128_BYTES;
        x->cipher[i].iv_len_in_bytes = 16;
        x->hash[i].cipher_mode = IMB_CIPHER_NULL;
        x->hash[i].cipher_direction = IMB_DIR_ENCRYPT;
        x->hash[i].hash_alg = IMB_AUTH_HMAC_SHA_1;
        x->hash[i].chain_order = IMB_ORDER_HASH_CIPHER;
        x->hash[i].auth_tag_output_len_in_bytes = SRTP_CM_TAG_ROOM;
    }
    return 0;
}

static void mb_fini(struct srtp_ctx *base)
{
    (void)base; // no memory of its own, and srtp_ctx_free wipes all of it
}

// ---- keys --------------------------------------------------------------------------------------------

// SHA-1 states behind key ^ ipad and key ^ opad, RFC 2104.
static void hmac_states(IMB_MGR *mgr, const uint8_t key[20], uint8_t inner[20], uint8_t outer[20])
{
    alignas(16) uint8_t block[64];
    memset(block, 0x36, sizeof block);
    for (unsigned i = 0; i < 20; i++)
        block[i] ^= key[i];
    IMB_SHA1_ONE_BLOCK(mgr, block, inner);
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(mgr, block, outer);
    explicit_bzero(block, sizeof block);
}

static int mb_key_init(struct srtp_ctx *base, struct srtp_key *key, const struct srtp_session_keys *keys)
{
    struct mb_ctx *x = mb(base);
    if (key->suite == TL_SUITE_AEAD_AES_128_GCM) {
        struct srtp_key_gcm *gcm = (struct srtp_key_gcm *)(void *)key;
        IMB_AES128_GCM_PRE(x->wide, keys->rtp.key, (struct gcm_key_data *)gcm->data);
    } else {
        struct srtp_key_cm *cm = (struct srtp_key_cm *)(void *)key;
        IMB_AES_KEYEXP_128(x->wide, keys->rtp.key, cm->enc, x->scratch.dec);
        hmac_states(x->wide, keys->rtp.auth, cm->inner, cm->outer);
        explicit_bzero(x->scratch.dec, sizeof x->scratch.dec);
    }
    return imb_get_errno(x->wide) == 0 ? 0 : -EIO;
}

// ---- AES_CM ------------------------------------------------------------------------------------------

// Fills cipher job `i` for `len` bytes at p, not 0.
static inline void cipher_job(struct mb_ctx *x, unsigned i, const void *round_keys, uint8_t *p, unsigned len,
                              const uint8_t iv[16])
{
    IMB_JOB *job = &x->cipher[i];
    job->enc_keys = round_keys;
    job->dec_keys = round_keys;
    job->src = p;
    job->dst = p;
    job->msg_len_to_cipher_in_bytes = len;
    job->iv = iv;
    job->status = IMB_STATUS_BEING_PROCESSED;
}

// Fills hash job `i` for `len` bytes at p; 12 bytes of tag go to `out`, which may lie inside or behind them.
static inline void hash_job(struct mb_ctx *x, unsigned i, const uint8_t *inner, const uint8_t *outer,
                            const uint8_t *p, unsigned len, uint8_t *out)
{
    IMB_JOB *job = &x->hash[i];
    job->src = p;
    job->msg_len_to_hash_in_bytes = len;
    job->auth_tag_output = out;
    job->u.HMAC._hashed_auth_key_xor_ipad = inner;
    job->u.HMAC._hashed_auth_key_xor_opad = outer;
    job->status = IMB_STATUS_BEING_PROCESSED;
}

// Both run the first n jobs to their end; true if all are done. One that is not is a fault of the library:
// then nothing of the burst is believed.
static bool run_cipher(struct mb_ctx *x, unsigned n)
{
    return n == 0 || IMB_SUBMIT_CIPHER_BURST_NOCHECK(x->wide, x->cipher, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                                     IMB_KEY_128_BYTES) == n;
}

static bool run_hash(struct mb_ctx *x, unsigned n)
{
    unsigned rest = n % x->lanes.wide, full = x->few && rest <= x->lanes.few ? n - rest : n, done = 0;
    if (full)
        done += IMB_SUBMIT_HASH_BURST_NOCHECK(x->wide, x->hash, full, IMB_AUTH_HMAC_SHA_1);
    if (full < n)
        done += IMB_SUBMIT_HASH_BURST_NOCHECK(x->few, x->hash + full, n - full, IMB_AUTH_HMAC_SHA_1);
    return done == n;
}

static void cm_protect(struct mb_ctx *x, unsigned n)
{
    unsigned ciphers = 0;
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = x->cm[i];
        const struct srtp_key_cm *key = srtp_cm(op->key);
        if (op->len > op->hdr_len) {
            srtp_iv_cm(x->iv[i], key->salt, op->ssrc, op->index);
            cipher_job(x, ciphers++, key->enc, op->pkt + op->hdr_len, op->len - op->hdr_len, x->iv[i]);
        }
        // the ROC is authenticated behind the packet and not sent (RFC 3711 4.2): the tag overwrites it
        srtp_put32(op->pkt + op->len, (uint32_t)(op->index >> 16));
        hash_job(x, i, key->inner, key->outer, op->pkt, op->len + 4u, op->pkt + op->len);
    }
    bool ok = run_cipher(x, ciphers) && run_hash(x, n);
    for (unsigned i = 0; i < n; i++) {
        x->cm[i]->status = ok ? SRTP_OK : TL_DROP_bad_auth;
        x->cm[i]->len += SRTP_CM_TAG;
    }
}

static void cm_unprotect(struct mb_ctx *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = x->cm[i];
        const struct srtp_key_cm *key = srtp_cm(op->key);
        op->len -= SRTP_CM_TAG;
        memcpy(x->tag[i], op->pkt + op->len, SRTP_CM_TAG);
        srtp_put32(op->pkt + op->len, (uint32_t)(op->index >> 16));
        hash_job(x, i, key->inner, key->outer, op->pkt, op->len + 4u, x->digest[i]);
    }
    bool ok = run_hash(x, n);
    unsigned ciphers = 0;
    for (unsigned i = 0; i < n; i++) {
        struct srtp_op *op = x->cm[i];
        const struct srtp_key_cm *key = srtp_cm(op->key);
        if (!ok || !srtp_tag_equal(x->digest[i], x->tag[i], SRTP_CM_TAG)) {
            op->status = TL_DROP_bad_auth;
            continue;
        }
        op->status = SRTP_OK;
        if (op->len > op->hdr_len) {
            srtp_iv_cm(x->iv[i], key->salt, srtp_get32(op->pkt + 8), op->index);
            cipher_job(x, ciphers++, key->enc, op->pkt + op->hdr_len, op->len - op->hdr_len, x->iv[i]);
        }
    }
    if (!run_cipher(x, ciphers))
        for (unsigned i = 0; i < n; i++)
            x->cm[i]->status = TL_DROP_bad_auth;
}

// ---- GCM ---------------------------------------------------------------------------------------------

static void gcm_protect(struct mb_ctx *x, struct srtp_op *op)
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    uint8_t iv[12], *text = op->pkt + op->hdr_len;
    srtp_iv_gcm(iv, key->salt, op->ssrc, op->index);
    IMB_AES128_GCM_ENC(x->wide, (const struct gcm_key_data *)key->data, &x->gcm, text, text,
                       op->len - op->hdr_len, iv, op->pkt, op->hdr_len, op->pkt + op->len, SRTP_GCM_TAG);
    op->len += SRTP_GCM_TAG;
    op->status = SRTP_OK;
}

static void gcm_unprotect(struct mb_ctx *x, struct srtp_op *op)
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    uint8_t iv[12], tag[SRTP_GCM_TAG], *text = op->pkt + op->hdr_len;
    op->len -= SRTP_GCM_TAG;
    srtp_iv_gcm(iv, key->salt, srtp_get32(op->pkt + 8), op->index);
    IMB_AES128_GCM_DEC(x->wide, (const struct gcm_key_data *)key->data, &x->gcm, text, text,
                       op->len - op->hdr_len, iv, op->pkt, op->hdr_len, tag, SRTP_GCM_TAG);
    op->status = srtp_tag_equal(tag, op->pkt + op->len, SRTP_GCM_TAG) ? SRTP_OK : TL_DROP_bad_auth;
}

// ---- bursts ------------------------------------------------------------------------------------------

// Keys of the packets ahead: first their head, which says what else to fetch, then that.
static inline void prefetch_ahead(const struct srtp_op *ops, unsigned i, unsigned n)
{
    if (i + 8 < n)
        __builtin_prefetch(ops[i + 8].key);
    if (i + 4 < n)
        srtp_key_prefetch(ops[i + 4].key, ops[i + 4].key->suite);
}

static void mb_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    unsigned gathered = 0;
    for (unsigned i = 0; i < n; i++) {
        prefetch_ahead(ops, i, n);
        if (!srtp_protect_begin(base, &ops[i]))
            continue;
        if (ops[i].key->suite == TL_SUITE_AEAD_AES_128_GCM) {
            gcm_protect(x, &ops[i]);
            continue;
        }
        x->cm[gathered++] = &ops[i];
        if (gathered == BATCH) {
            cm_protect(x, gathered);
            gathered = 0;
        }
    }
    cm_protect(x, gathered);
}

static void mb_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    unsigned gathered = 0;
    for (unsigned i = 0; i < n; i++) {
        prefetch_ahead(ops, i, n);
        if (!srtp_unprotect_begin(base, &ops[i]))
            continue;
        if (ops[i].key->suite == TL_SUITE_AEAD_AES_128_GCM) {
            gcm_unprotect(x, &ops[i]);
            continue;
        }
        x->cm[gathered++] = &ops[i];
        if (gathered == BATCH) {
            cm_unprotect(x, gathered);
            gathered = 0;
        }
    }
    cm_unprotect(x, gathered);
}

// ---- SRTCP -------------------------------------------------------------------------------------------

static void wipe(struct scratch *s)
{
    explicit_bzero(s->gcm, sizeof s->gcm);
    explicit_bzero(s->enc, sizeof s->enc);
    explicit_bzero(s->dec, sizeof s->dec);
    explicit_bzero(s->inner, sizeof s->inner);
    explicit_bzero(s->outer, sizeof s->outer);
}

// Expands the SRTCP keys of an AES_CM stream and works on its packet up to `end`, in the first jobs.
static bool cm_rtcp_cipher(struct mb_ctx *x, struct srtp_op *op, unsigned end)
{
    const struct srtp_session_key *k = &srtp_cm(op->key)->rtcp;
    if (end == SRTCP_HEADER_LEN)
        return true;
    IMB_AES_KEYEXP_128(x->wide, k->key, x->scratch.enc, x->scratch.dec);
    srtp_iv_cm(x->iv[0], k->salt, srtp_get32(op->pkt + 4), op->index);
    cipher_job(x, 0, x->scratch.enc, op->pkt + SRTCP_HEADER_LEN, end - SRTCP_HEADER_LEN, x->iv[0]);
    return run_cipher(x, 1);
}

static bool cm_rtcp_hash(struct mb_ctx *x, struct srtp_op *op, unsigned len)
{
    hmac_states(x->wide, srtp_cm(op->key)->rtcp.auth, x->scratch.inner, x->scratch.outer);
    hash_job(x, 0, x->scratch.inner, x->scratch.outer, op->pkt, len, x->digest[0]);
    return run_hash(x, 1);
}

// AAD of SRTCP by RFC 7714 9.2: header, E bit and index. `end` is where text ends and tag begins.
static void gcm_rtcp_begin(struct mb_ctx *x, const struct srtp_op *op, uint8_t iv[12], uint8_t aad[12])
{
    const struct srtp_key_gcm *key = srtp_gcm(op->key);
    IMB_AES128_GCM_PRE(x->wide, key->rtcp_key, (struct gcm_key_data *)x->scratch.gcm);
    srtp_iv_gcm(iv, key->rtcp_salt, srtp_get32(op->pkt + 4), op->index);
    memcpy(aad, op->pkt, SRTCP_HEADER_LEN);
    srtp_put32(aad + SRTCP_HEADER_LEN, SRTCP_E | (uint32_t)op->index);
}

static void mb_rtcp_protect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct mb_ctx *x = mb(base);
    const uint32_t word = SRTCP_E | (uint32_t)op->index;
    op->status = TL_DROP_bad_auth;
    if (op->key->suite == TL_SUITE_AEAD_AES_128_GCM) {
        uint8_t iv[12], aad[12], *text = op->pkt + SRTCP_HEADER_LEN;
        gcm_rtcp_begin(x, op, iv, aad);
        IMB_AES128_GCM_ENC(x->wide, (const struct gcm_key_data *)x->scratch.gcm, &x->gcm, text, text,
                           op->len - SRTCP_HEADER_LEN, iv, aad, sizeof aad, op->pkt + op->len, SRTP_GCM_TAG);
        srtp_put32(op->pkt + op->len + SRTP_GCM_TAG, word);
        op->len += SRTP_GCM_TAG + SRTCP_WORD;
        op->status = SRTP_OK;
    } else if (cm_rtcp_cipher(x, op, op->len)) {
        srtp_put32(op->pkt + op->len, word);
        op->len += SRTCP_WORD;
        if (cm_rtcp_hash(x, op, op->len)) {
            memcpy(op->pkt + op->len, x->digest[0], SRTP_CM_TAG);
            op->len += SRTP_CM_TAG;
            op->status = SRTP_OK;
        }
    }
    wipe(&x->scratch);
}

static void mb_rtcp_unprotect(struct srtp_ctx *base, struct srtp_op *op)
{
    struct mb_ctx *x = mb(base);
    op->status = TL_DROP_bad_auth;
    if (op->key->suite == TL_SUITE_AEAD_AES_128_GCM) {
        uint8_t iv[12], aad[12], tag[SRTP_GCM_TAG], *text = op->pkt + SRTCP_HEADER_LEN;
        op->len -= SRTP_GCM_TAG + SRTCP_WORD;
        gcm_rtcp_begin(x, op, iv, aad);
        IMB_AES128_GCM_DEC(x->wide, (const struct gcm_key_data *)x->scratch.gcm, &x->gcm, text, text,
                           op->len - SRTCP_HEADER_LEN, iv, aad, sizeof aad, tag, SRTP_GCM_TAG);
        if (srtp_tag_equal(tag, op->pkt + op->len, SRTP_GCM_TAG))
            op->status = SRTP_OK;
    } else {
        op->len -= SRTP_CM_TAG;
        if (cm_rtcp_hash(x, op, op->len) && srtp_tag_equal(x->digest[0], op->pkt + op->len, SRTP_CM_TAG)) {
            op->len -= SRTCP_WORD;
            if (cm_rtcp_cipher(x, op, op->len))
                op->status = SRTP_OK;
        }
    }
    wipe(&x->scratch);
}

const struct srtp_engine_table srtp_engine_ipsecmb = {
    .size = mb_size,
    .init = mb_init,
    .fini = mb_fini,
    .key_init = mb_key_init,
    .protect = mb_protect,
    .unprotect = mb_unprotect,
    .rtcp_protect = mb_rtcp_protect,
    .rtcp_unprotect = mb_rtcp_unprotect,
};
