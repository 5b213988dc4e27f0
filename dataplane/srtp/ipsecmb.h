// SPDX-License-Identifier: BSD-3-Clause
// packet path: what the files of the libIPSec_MB engine share: the machine, filling and running its jobs.
#pragma once

#include <intel-ipsec-mb.h>

#include "dataplane/srtp/engine.h"

enum {
    MB_BATCH = 64, // AES_CM packets in one burst: some times the lanes of the widest SHA-1
};

// Sets of lanes of the hash: see lanes_of().
struct mb_lanes {
    uint8_t wide, few;
};

// SRTCP keys while they are used, wiped after each packet.
struct mb_scratch {
    alignas(64) uint8_t gcm[SRTP_GCM_DATA];
    alignas(16) uint8_t enc[SRTP_AES_SCHEDULE_256];
    alignas(16) uint8_t dec[SRTP_AES_SCHEDULE_256]; // made by the key expansion, not used in counter mode
    uint8_t inner[20], outer[20];
};

enum mb_aes { MB_AES_128, MB_AES_256, MB_AES_SIZES };

// Jobs with all the fields set that are the same for every packet. A burst of ciphers has one size of key.
struct mb_ctx {
    struct srtp_ctx base;
    IMB_MGR *wide; // as the engine asks
    IMB_MGR *few;  // for the hashes that fill no set of lanes; NULL: `wide` does them
    struct mb_lanes lanes;
    aes_gcm_enc_dec_t seal[MB_AES_SIZES], open[MB_AES_SIZES];
    struct gcm_context_data gcm;
    struct srtp_op *cm[MB_BATCH];
    alignas(64) uint8_t iv[MB_BATCH][16];
    uint8_t digest[MB_BATCH][SRTP_CM_TAG_ROOM];
    uint8_t tag[MB_BATCH][SRTP_CM_TAG_ROOM];
    IMB_JOB cipher[MB_AES_SIZES][MB_BATCH];
    IMB_JOB hash[MB_BATCH];
    struct mb_scratch scratch;
};
static_assert(sizeof(struct gcm_key_data) == SRTP_GCM_DATA, "libIPSec_MB 1.3");
static_assert(SRTP_CM_TAG_ROOM == 12, "libIPSec_MB 1.3 makes SHA-1 tags of 12 or 20 bytes");
static_assert(MB_BATCH <= IMB_MAX_BURST_SIZE, "one burst");

static inline struct mb_ctx *mb(struct srtp_ctx *ctx)
{
    return (struct mb_ctx *)(void *)ctx;
}

static inline enum mb_aes mb_aes(const struct srtp_key *key)
{
    return srtp_suite_is_256(key->suite) ? MB_AES_256 : MB_AES_128;
}

// SHA-1 states behind key ^ ipad and key ^ opad, RFC 2104.
void mb_hmac_states(IMB_MGR *mgr, const uint8_t key[20], uint8_t inner[20], uint8_t outer[20]);

// AES_CM packets gathered so far, in mb_ctx.cm and the jobs. Begins as zeroes.
struct mb_gathered {
    unsigned n;
    unsigned ciphers[MB_AES_SIZES];
    bool mki; // at least one of them has one
};

// Protects a packet that has passed srtp_protect_begin(): GCM at once, AES_CM when enough are gathered or at the
// finish, which is called while g->n is not 0. The op stays where it is till then.
void mb_protect_add(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op);
void mb_seal_add(struct mb_ctx *x, struct mb_gathered *g,
                 struct srtp_op *op); // AES_CM that is encrypted already
void mb_protect_finish(struct mb_ctx *x, struct mb_gathered *g);

// The same for one that has passed srtp_unprotect_begin().
void mb_unprotect_add(struct mb_ctx *x, struct mb_gathered *g, struct srtp_op *op);
void mb_unprotect_finish(struct mb_ctx *x, struct mb_gathered *g);

// The functions of the engine's table.
size_t mb_size(void);
int mb_init(struct srtp_ctx *base, enum srtp_engine engine);
void mb_fini(struct srtp_ctx *base);
int mb_key_init(struct srtp_ctx *base, struct srtp_key *key, const struct srtp_session_keys *keys);
void mb_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n);
void mb_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n);
void mb_rtcp_protect(struct srtp_ctx *base, struct srtp_op *op);
void mb_rtcp_unprotect(struct srtp_ctx *base, struct srtp_op *op);

// ---- jobs --------------------------------------------------------------------------------------------

// Fills a cipher job for `len` bytes at p, not 0.
static inline void mb_cipher_job(IMB_JOB *job, const void *round_keys, uint8_t *p, unsigned len,
                                 const uint8_t iv[16])
{
    job->enc_keys = round_keys;
    job->src = p;
    job->dst = p;
    job->msg_len_to_cipher_in_bytes = len;
    job->iv = iv;
}

// Fills hash job for `len` bytes at p; 12 bytes of tag go to `out`, which may lie inside or behind them.
static inline void mb_hash_job(IMB_JOB *job, const uint8_t *inner, const uint8_t *outer, const uint8_t *p,
                               unsigned len, uint8_t *out)
{
    job->src = p;
    job->msg_len_to_hash_in_bytes = len;
    job->auth_tag_output = out;
    job->u.HMAC._hashed_auth_key_xor_ipad = inner;
    job->u.HMAC._hashed_auth_key_xor_opad = outer;
}

// Both run the first n jobs to their end; true if all are done. One that is not is a fault of the library:
// then nothing of the burst is believed.
static inline bool mb_run_cipher(struct mb_ctx *x, enum mb_aes aes, unsigned n)
{
    return n == 0 ||
           IMB_SUBMIT_CIPHER_BURST_NOCHECK(x->wide, x->cipher[aes], n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                           aes == MB_AES_256 ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES) == n;
}

static inline bool mb_run_hash(struct mb_ctx *x, unsigned n)
{
    unsigned rest = n % x->lanes.wide, full = x->few && rest <= x->lanes.few ? n - rest : n, done = 0;
    if (full)
        done += IMB_SUBMIT_HASH_BURST_NOCHECK(x->wide, x->hash, full, IMB_AUTH_HMAC_SHA_1);
    if (full < n)
        done += IMB_SUBMIT_HASH_BURST_NOCHECK(x->few, x->hash + full, n - full, IMB_AUTH_HMAC_SHA_1);
    return done == n;
}
