// SPDX-License-Identifier: BSD-3-Clause
// libIPSec_MB alone, called in every way it can be called for SRTP.
#include <intel-ipsec-mb.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "dataplane/srtp/kdf.h"
#include "tools/bench/reference.h"

enum { BATCH_MAX = 64, AHEAD = 6, CM_TAG = 10, CM_TAG_ROOM = 12, GCM_TAG = 16 };

#define CM      TL_SUITE_AES_CM_128_HMAC_SHA1_80
#define GCM_128 TL_SUITE_AEAD_AES_128_GCM

const struct raw_pattern raw_patterns[] = {
    {"jobs, flushed after 1", CM, RAW_JOBS, 1},
    {"jobs, flushed after 8", CM, RAW_JOBS, 8},
    {"jobs, flushed after 16", CM, RAW_JOBS, 16},
    {"jobs, flushed after 32", CM, RAW_JOBS, 32},
    {"jobs, flushed after 64", CM, RAW_JOBS, 64},
    {"job burst of 1", CM, RAW_BURST, 1},
    {"job burst of 8", CM, RAW_BURST, 8},
    {"job burst of 16", CM, RAW_BURST, 16},
    {"job burst of 32", CM, RAW_BURST, 32},
    {"job burst of 64", CM, RAW_BURST, 64},
    {"cipher burst and hash burst of 1", CM, RAW_TWO_BURSTS, 1},
    {"cipher burst and hash burst of 8", CM, RAW_TWO_BURSTS, 8},
    {"cipher burst and hash burst of 16", CM, RAW_TWO_BURSTS, 16},
    {"cipher burst and hash burst of 32", CM, RAW_TWO_BURSTS, 32},
    {"cipher burst and hash burst of 64", CM, RAW_TWO_BURSTS, 64},
    {"one call", GCM_128, RAW_ONE_CALL, 32},
    {"init, update, finalize", GCM_128, RAW_THREE_CALLS, 32},
    {"jobs", GCM_128, RAW_JOBS, 32},
};
const unsigned raw_pattern_count = sizeof raw_patterns / sizeof raw_patterns[0];

enum { FIRST_CM = 13, FIRST_GCM = 15 }; // what is taken until it is chosen

// A stream's keys, in whole cache lines; in huge pages, as the engine's are.
struct cm_key {
    _Alignas(64) uint8_t salt[16];
    uint8_t inner[20], outer[20];
    _Alignas(64) uint8_t enc[176];
};

struct gcm_key {
    _Alignas(64) struct gcm_key_data data;
    uint8_t salt[16];
};

struct raw {
    IMB_MGR *mgr;
    struct cm_key *cm;
    struct gcm_key *gcm;
    unsigned pattern;
    struct gcm_context_data context;
    _Alignas(16) uint8_t iv[BATCH_MAX][16];
    IMB_JOB cipher[BATCH_MAX], hash[BATCH_MAX];
};

// ---- keys --------------------------------------------------------------------------------------------

static void hmac_states(IMB_MGR *mgr, const uint8_t key[20], uint8_t inner[20], uint8_t outer[20])
{
    _Alignas(16) uint8_t block[64] = {0};
    memcpy(block, key, 20);
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] ^= 0x36;
    IMB_SHA1_ONE_BLOCK(mgr, block, inner);
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(mgr, block, outer);
}

static void make_key(struct raw *raw, const struct set *s, unsigned i)
{
    struct tl_crypto c = set_crypto(s, i, true);
    struct srtp_session_keys keys;
    _Alignas(16) uint8_t dec[256];
    if (srtp_kdf(c.suite, c.key, c.salt, &keys))
        die("a key cannot be derived");
    if (raw->gcm) {
        IMB_AES128_GCM_PRE(raw->mgr, keys.rtp.key, &raw->gcm[i].data);
        memcpy(raw->gcm[i].salt, keys.rtp.salt, 12);
        return;
    }
    IMB_AES_KEYEXP_128(raw->mgr, keys.rtp.key, raw->cm[i].enc, dec);
    hmac_states(raw->mgr, keys.rtp.auth, raw->cm[i].inner, raw->cm[i].outer);
    memcpy(raw->cm[i].salt, keys.rtp.salt, 14);
    memset(raw->cm[i].salt + 14, 0, 2);
}

static void fill_jobs(struct raw *raw)
{
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        raw->cipher[i] = (IMB_JOB){.cipher_mode = IMB_CIPHER_CNTR,
                                   .cipher_direction = IMB_DIR_ENCRYPT,
                                   .hash_alg = IMB_AUTH_NULL,
                                   .chain_order = IMB_ORDER_CIPHER_HASH,
                                   .key_len_in_bytes = IMB_KEY_128_BYTES,
                                   .iv_len_in_bytes = 16};
        raw->hash[i] = (IMB_JOB){.cipher_mode = IMB_CIPHER_NULL,
                                 .cipher_direction = IMB_DIR_ENCRYPT,
                                 .hash_alg = IMB_AUTH_HMAC_SHA_1,
                                 .chain_order = IMB_ORDER_HASH_CIPHER,
                                 .auth_tag_output_len_in_bytes = CM_TAG_ROOM};
    }
}

struct raw *raw_new(struct set *s)
{
    struct raw *raw = aligned_alloc(64, (sizeof *raw + 63) & ~63ul);
    bool gcm = s->arm->out == GCM_128;
    if (!raw)
        die("no memory for libIPSec_MB");
    memset(raw, 0, sizeof *raw);
    raw->mgr = alloc_mb_mgr(0);
    if (!raw->mgr)
        die("libIPSec_MB does not start");
    init_mb_mgr_auto(raw->mgr, NULL);
    if (gcm)
        raw->gcm = rte_malloc("raw", s->streams * sizeof *raw->gcm, 64);
    else
        raw->cm = rte_malloc("raw", s->streams * sizeof *raw->cm, 64);
    if (!raw->gcm && !raw->cm)
        die("no memory for the keys of %u streams", s->streams);
    for (unsigned i = 0; i < s->streams; i++)
        make_key(raw, s, i);
    fill_jobs(raw);
    raw->pattern = gcm ? FIRST_GCM : FIRST_CM;
    return raw;
}

void raw_free(struct raw *raw)
{
    free_mb_mgr(raw->mgr);
    rte_free(raw->cm);
    rte_free(raw->gcm);
    free(raw);
}

void raw_choose(struct raw *raw, unsigned pattern)
{
    raw->pattern = pattern;
}

// ---- packets -----------------------------------------------------------------------------------------

struct one {
    uint8_t *rtp;
    unsigned len;
    unsigned number;
    uint32_t ssrc;
    uint64_t index;
};

// As the engine does it: a packet that comes later and its keys, all lines that 160 bytes need. (By
// rte_prefetch0: of __builtin_prefetch alone gcc 12 makes nothing.)
static inline void prefetch_later(const struct lane *l)
{
    const struct raw *raw = l->set->reference;
    struct rte_mbuf *m = l->mbuf[(l->next + AHEAD) % CIRCULATING];
    const struct sent *sent = sent_of(l, m);
    for (size_t line = 0; line < 4; line++)
        rte_prefetch0(rte_pktmbuf_mtod_offset(m, const char *, line * 64));
    unsigned number = sent->number;
    const char *key = raw->gcm ? (const char *)&raw->gcm[number] : (const char *)&raw->cm[number];
    for (size_t line = 0; line < 4; line++) // AES_CM: states and schedule; GCM: schedule
        rte_prefetch0(key + line * 64);
    for (size_t line = 12; raw->gcm && line < 17; line++) // powers of H, salt
        rte_prefetch0(key + line * 64);
}

static inline struct one next_one(struct lane *l, unsigned tag)
{
    prefetch_later(l);
    struct rte_mbuf *m = l->mbuf[l->next++];
    const struct sent *sent = sent_of(l, m);
    struct one o = {.rtp = rte_pktmbuf_mtod(m, uint8_t *) + FRAME_HEADER,
                    .len = m->data_len - FRAME_HEADER,
                    .number = sent->number,
                    .ssrc = sent->ssrc,
                    .index = sent->index};
    m->data_len += tag;
    return o;
}

static inline void cm_begin(struct raw *raw, unsigned i, const struct one *o)
{
    const struct cm_key *key = &raw->cm[o->number];
    uint32_t roc = rte_cpu_to_be_32((uint32_t)(o->index >> 16));
    tl_put64(raw->iv[i], tl_get64(key->salt) ^ o->ssrc);
    tl_put64(raw->iv[i] + 8, tl_get64(key->salt + 8) ^ o->index << 16);
    memcpy(o->rtp + o->len, &roc, 4);
}

// Cipher and hash in one job.
static inline void cm_job(struct raw *raw, IMB_JOB *job, unsigned i, const struct one *o)
{
    const struct cm_key *key = &raw->cm[o->number];
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->enc_keys = key->enc;
    job->dec_keys = key->enc;
    job->key_len_in_bytes = IMB_KEY_128_BYTES;
    job->iv = raw->iv[i];
    job->iv_len_in_bytes = 16;
    job->src = o->rtp;
    job->dst = o->rtp + RTP_HEADER;
    job->cipher_start_src_offset_in_bytes = RTP_HEADER;
    job->msg_len_to_cipher_in_bytes = o->len - RTP_HEADER;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = o->len + 4;
    job->auth_tag_output = o->rtp + o->len;
    job->auth_tag_output_len_in_bytes = CM_TAG_ROOM;
    job->u.HMAC._hashed_auth_key_xor_ipad = key->inner;
    job->u.HMAC._hashed_auth_key_xor_opad = key->outer;
}

static unsigned cm_jobs(struct lane *l, struct raw *raw, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct one o = next_one(l, CM_TAG);
        IMB_JOB *job = IMB_GET_NEXT_JOB(raw->mgr);
        cm_begin(raw, i, &o);
        cm_job(raw, job, i, &o);
        job = IMB_SUBMIT_JOB_NOCHECK(raw->mgr);
        while (job)
            job = IMB_GET_COMPLETED_JOB(raw->mgr);
    }
    while (IMB_FLUSH_JOB(raw->mgr))
        ;
    return n;
}

static unsigned cm_burst(struct lane *l, struct raw *raw, unsigned n)
{
    IMB_JOB *jobs[BATCH_MAX];
    IMB_GET_NEXT_BURST(raw->mgr, n, jobs);
    for (unsigned i = 0; i < n; i++) {
        struct one o = next_one(l, CM_TAG);
        cm_begin(raw, i, &o);
        cm_job(raw, jobs[i], i, &o);
    }
    unsigned done = IMB_SUBMIT_BURST_NOCHECK(raw->mgr, n, jobs);
    while (done < n)
        done += IMB_FLUSH_BURST(raw->mgr, n - done, jobs);
    return n;
}

static unsigned cm_two_bursts(struct lane *l, struct raw *raw, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct one o = next_one(l, CM_TAG);
        const struct cm_key *key = &raw->cm[o.number];
        cm_begin(raw, i, &o);
        raw->cipher[i].enc_keys = raw->cipher[i].dec_keys = key->enc;
        raw->cipher[i].src = o.rtp + RTP_HEADER;
        raw->cipher[i].dst = o.rtp + RTP_HEADER;
        raw->cipher[i].msg_len_to_cipher_in_bytes = o.len - RTP_HEADER;
        raw->cipher[i].iv = raw->iv[i];
        raw->hash[i].src = o.rtp;
        raw->hash[i].msg_len_to_hash_in_bytes = o.len + 4;
        raw->hash[i].auth_tag_output = o.rtp + o.len;
        raw->hash[i].u.HMAC._hashed_auth_key_xor_ipad = key->inner;
        raw->hash[i].u.HMAC._hashed_auth_key_xor_opad = key->outer;
    }
    IMB_SUBMIT_CIPHER_BURST_NOCHECK(raw->mgr, raw->cipher, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                    IMB_KEY_128_BYTES);
    IMB_SUBMIT_HASH_BURST_NOCHECK(raw->mgr, raw->hash, n, IMB_AUTH_HMAC_SHA_1);
    return n;
}

static inline void gcm_iv(const struct gcm_key *key, const struct one *o, uint8_t iv[12])
{
    uint32_t low;
    tl_put64(iv, tl_get64(key->salt) ^ ((uint64_t)o->ssrc << 16 | o->index >> 32));
    memcpy(&low, key->salt + 8, 4);
    low ^= rte_cpu_to_be_32((uint32_t)o->index);
    memcpy(iv + 8, &low, 4);
}

static unsigned gcm_calls(struct lane *l, struct raw *raw, unsigned n, enum raw_way way)
{
    for (unsigned i = 0; i < n; i++) {
        struct one o = next_one(l, GCM_TAG);
        const struct gcm_key *key = &raw->gcm[o.number];
        uint8_t iv[12], *text = o.rtp + RTP_HEADER;
        gcm_iv(key, &o, iv);
        if (way == RAW_ONE_CALL) {
            IMB_AES128_GCM_ENC(raw->mgr, &key->data, &raw->context, text, text, o.len - RTP_HEADER, iv, o.rtp,
                               RTP_HEADER, o.rtp + o.len, GCM_TAG);
        } else {
            IMB_AES128_GCM_INIT(raw->mgr, &key->data, &raw->context, iv, o.rtp, RTP_HEADER);
            IMB_AES128_GCM_ENC_UPDATE(raw->mgr, &key->data, &raw->context, text, text, o.len - RTP_HEADER);
            IMB_AES128_GCM_ENC_FINALIZE(raw->mgr, &key->data, &raw->context, o.rtp + o.len, GCM_TAG);
        }
    }
    return n;
}

static unsigned gcm_jobs(struct lane *l, struct raw *raw, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct one o = next_one(l, GCM_TAG);
        const struct gcm_key *key = &raw->gcm[o.number];
        IMB_JOB *job = IMB_GET_NEXT_JOB(raw->mgr);
        gcm_iv(key, &o, raw->iv[i]);
        job->cipher_mode = IMB_CIPHER_GCM;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_CIPHER_HASH;
        job->hash_alg = IMB_AUTH_AES_GMAC;
        job->enc_keys = job->dec_keys = &key->data;
        job->key_len_in_bytes = IMB_KEY_128_BYTES;
        job->iv = raw->iv[i];
        job->iv_len_in_bytes = 12;
        job->src = o.rtp;
        job->dst = o.rtp + RTP_HEADER;
        job->cipher_start_src_offset_in_bytes = RTP_HEADER;
        job->msg_len_to_cipher_in_bytes = o.len - RTP_HEADER;
        job->hash_start_src_offset_in_bytes = RTP_HEADER;
        job->msg_len_to_hash_in_bytes = o.len - RTP_HEADER;
        job->u.GCM.aad = o.rtp;
        job->u.GCM.aad_len_in_bytes = RTP_HEADER;
        job->auth_tag_output = o.rtp + o.len;
        job->auth_tag_output_len_in_bytes = GCM_TAG;
        job = IMB_SUBMIT_JOB_NOCHECK(raw->mgr);
        while (job)
            job = IMB_GET_COMPLETED_JOB(raw->mgr);
    }
    while (IMB_FLUSH_JOB(raw->mgr))
        ;
    return n;
}

unsigned raw_step(struct lane *l)
{
    struct raw *raw = l->set->reference;
    enum raw_way way = raw_patterns[raw->pattern].way;
    unsigned n = raw_patterns[raw->pattern].batch;
    if (raw->gcm)
        return way == RAW_JOBS ? gcm_jobs(l, raw, n) : gcm_calls(l, raw, n, way);
    if (way == RAW_JOBS)
        return cm_jobs(l, raw, n);
    return way == RAW_BURST ? cm_burst(l, raw, n) : cm_two_bursts(l, raw, n);
}
