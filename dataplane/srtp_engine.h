// SPDX-License-Identifier: BSD-3-Clause
// packet path: what srtp.c shares with its engines: layout of keys, the table of functions, IVs, tag compare.
#pragma once

#include <assert.h>
#include <endian.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/srtp.h"
#include "dataplane/srtp_kdf.h"

enum {
    SRTP_CM_TAG = 10,
    SRTP_CM_TAG_ROOM = 12, // libIPSec_MB writes 12 bytes of HMAC-SHA1, 10 are sent
    SRTP_GCM_TAG = 16,
    SRTCP_WORD = 4, // E bit and index
    SRTP_AES_SCHEDULE = 176,
    SRTP_GCM_DATA = 1008,
};
#define SRTCP_E 0x80000000u

// Head of every key object; the first cache line of AES_CM with the HMAC states in it.
struct srtp_key {
    alignas(SRTP_KEY_ALIGN) uint8_t suite; // enum tl_suite
    uint8_t engine;                        // enum srtp_engine, never AUTO
    uint8_t ghash_line; // cache line of gcm.data where the powers of H lie that short packets use
    uint8_t pad;
    uint8_t salt[16]; // SRTP session salt, zeroes behind
};

// Engines fill `enc`, `inner`, `outer` and `data` in their own way: expanded and hashed, or (OpenSSL) raw.
struct srtp_key_cm {
    uint8_t suite, engine, ghash_line, pad; // as in struct srtp_key
    uint8_t salt[16];
    uint8_t inner[20]; // SHA-1 state behind key ^ ipad, or the key
    uint8_t outer[20]; // SHA-1 state behind key ^ opad
    alignas(SRTP_KEY_ALIGN) uint8_t enc[SRTP_AES_SCHEDULE];
    // cold from here on
    alignas(SRTP_KEY_ALIGN) struct srtp_session_key rtcp;
};
static_assert(sizeof(struct srtp_key_cm) == 320, "as srtp.h has it");

struct srtp_key_gcm {
    uint8_t suite, engine, ghash_line, pad;
    uint8_t salt[16];
    uint8_t rtcp_key[16];
    uint8_t rtcp_salt[16];
    alignas(SRTP_KEY_ALIGN) uint8_t data[SRTP_GCM_DATA];
};
static_assert(sizeof(struct srtp_key_gcm) == 1088, "as srtp.h has it");
static_assert(offsetof(struct srtp_key_cm, salt) == offsetof(struct srtp_key, salt), "common head");
static_assert(offsetof(struct srtp_key_gcm, salt) == offsetof(struct srtp_key, salt), "common head");

static inline const struct srtp_key_cm *srtp_cm(const struct srtp_key *key)
{
    return (const struct srtp_key_cm *)(const void *)key;
}

static inline const struct srtp_key_gcm *srtp_gcm(const struct srtp_key *key)
{
    return (const struct srtp_key_gcm *)(const void *)key;
}

// An engine. The four packet functions work as their namesakes in srtp.h.
struct srtp_engine_table {
    size_t (*size)(void); // of its ctx, whose first member is struct srtp_ctx
    // Makes a zeroed, 64-aligned ctx of that size usable; -ENOTSUP, -ENOMEM. fini is safe after a failed
    // init.
    int (*init)(struct srtp_ctx *ctx, enum srtp_engine engine);
    void (*fini)(struct srtp_ctx *ctx);
    // Fills what is the engine's own in a key whose head is done. 0 or -EIO.
    int (*key_init)(struct srtp_ctx *ctx, struct srtp_key *key, const struct srtp_session_keys *keys);
    void (*protect)(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);
    void (*unprotect)(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);
    void (*rtcp_protect)(struct srtp_ctx *ctx, struct srtp_op *op);   // checked, trailer room is there
    void (*rtcp_unprotect)(struct srtp_ctx *ctx, struct srtp_op *op); // checked, index is set
};

struct srtp_ctx {
    const struct srtp_engine_table *table;
    const char *name;
    size_t size;
    enum srtp_engine engine;
};

// srtp_key_init behind the key derivation; tests call it with the session keys of published vectors.
int srtp_key_build(struct srtp_ctx *ctx, struct srtp_key *key, enum tl_suite suite,
                   const struct srtp_session_keys *keys);

extern const struct srtp_engine_table srtp_engine_ipsecmb;
extern const struct srtp_engine_table srtp_engine_openssl;

// ---- bytes -------------------------------------------------------------------------------------------

static inline uint32_t srtp_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static inline void srtp_put32(uint8_t *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof v);
}

static inline uint64_t srtp_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static inline void srtp_put64(uint8_t *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof v);
}

// In constant time: whether `len` bytes are the same.
static inline bool srtp_tag_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++)
        diff |= a[i] ^ b[i];
    return diff == 0;
}

// RFC 3711 4.1.1: salt * 2^16 XOR ssrc * 2^64 XOR index * 2^16. `salt` has 14 bytes and two zeroes.
static inline void srtp_iv_cm(uint8_t iv[16], const uint8_t salt[16], uint32_t ssrc, uint64_t index)
{
    srtp_put64(iv, srtp_get64(salt) ^ ssrc);
    srtp_put64(iv + 8, srtp_get64(salt + 8) ^ index << 16);
}

// RFC 7714 8.1 and 9.1: two zero bytes, SSRC, 48 bits of index, all XOR salt.
static inline void srtp_iv_gcm(uint8_t iv[12], const uint8_t salt[12], uint32_t ssrc, uint64_t index)
{
    srtp_put64(iv, srtp_get64(salt) ^ ((uint64_t)ssrc << 16 | index >> 32));
    srtp_put32(iv + 8, srtp_get32(salt + 8) ^ (uint32_t)index);
}

// ---- what every engine does first --------------------------------------------------------------------

// Checks an op for srtp_protect and writes its header. False: the status is set.
static inline bool srtp_protect_begin(const struct srtp_ctx *ctx, struct srtp_op *op)
{
    assert(op->key->engine == ctx->engine);
    unsigned room = op->key->suite == TL_SUITE_AEAD_AES_128_GCM ? SRTP_GCM_TAG : SRTP_CM_TAG_ROOM;
    if (op->hdr_len < SRTP_HEADER_MIN || op->hdr_len > op->len) {
        op->status = TL_DROP_bad_rtp;
    } else if (op->room < room || op->len > UINT16_MAX - room) {
        op->status = TL_DROP_no_room;
    } else if (op->index >> 48) {
        op->status = TL_DROP_tx_index_end;
    } else {
        op->pkt[2] = (uint8_t)(op->index >> 8);
        op->pkt[3] = (uint8_t)op->index;
        srtp_put32(op->pkt + 8, op->ssrc);
        return true;
    }
    return false;
}

// Checks an op for srtp_unprotect. False: the status is set.
static inline bool srtp_unprotect_begin(const struct srtp_ctx *ctx, struct srtp_op *op)
{
    assert(op->key->engine == ctx->engine);
    unsigned tag = op->key->suite == TL_SUITE_AEAD_AES_128_GCM ? SRTP_GCM_TAG : SRTP_CM_TAG;
    if (op->hdr_len < SRTP_HEADER_MIN) {
        op->status = TL_DROP_bad_rtp;
    } else if (op->hdr_len + tag > op->len) {
        op->status = TL_DROP_short_srtp;
    } else if (op->index >> 48 || op->pkt[2] != (uint8_t)(op->index >> 8) ||
               op->pkt[3] != (uint8_t)op->index) {
        op->status = TL_DROP_bad_auth;
    } else {
        return true;
    }
    return false;
}
