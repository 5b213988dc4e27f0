// SPDX-License-Identifier: BSD-3-Clause
// packet path: what srtp.c shares with its engines: layout of keys, the table of functions, IVs, tag compare.
#pragma once

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#include "common/bytes.h"
#include "dataplane/srtp/kdf.h"
#include "dataplane/srtp/srtp.h"

enum {
    SRTP_CM_TAG_ROOM = 12, // libIPSec_MB writes 12 bytes of HMAC-SHA1, 10 or 4 are sent
    SRTP_GCM_TAG = 16,
    SRTCP_CM_TAG = 10,
    SRTCP_WORD = 4,              // E bit and index
    SRTP_AES_SCHEDULE_128 = 176, // round keys
    SRTP_AES_SCHEDULE_256 = 240,
    SRTP_GCM_DATA = 1008,
    SRTP_KEY_CM_128 = 320,
    SRTP_KEY_CM_256 = 384,
};
#define SRTCP_E 0x80000000u

// Is the key of AES 256 bits long?
static inline bool srtp_suite_is_256(unsigned suite)
{
    return suite == TL_SUITE_AES_256_CM_HMAC_SHA1_80 || suite == TL_SUITE_AES_256_CM_HMAC_SHA1_32 ||
           suite == TL_SUITE_AEAD_AES_256_GCM;
}

// ---- layout of keys ----------------------------------------------------------------------------------

// Engines fill `enc`, `inner`, `outer` and `data` in their own way: expanded and hashed, or (OpenSSL) raw.
// The first cache line has all that is not round keys.
struct srtp_key_cm {
    alignas(SRTP_KEY_ALIGN) struct srtp_key head;
    uint8_t salt[16];  // SRTP session salt, 14 bytes and two zeroes
    uint8_t inner[20]; // SHA-1 state behind key ^ ipad, or the key
    uint8_t outer[20]; // SHA-1 state behind key ^ opad
    uint8_t enc[];     // SRTP_AES_SCHEDULE_128 or _256 bytes, struct srtp_cm_tail behind them
};

// The MKI lies in the line where the round keys end; the rest is cold.
struct srtp_cm_tail {
    uint8_t mki[TL_MKI_MAX];
    struct srtp_session_key rtcp;
};
static_assert(offsetof(struct srtp_key_cm, enc) == 64, "round keys begin a line");
static_assert(64 + SRTP_AES_SCHEDULE_128 + sizeof(struct srtp_cm_tail) <= SRTP_KEY_CM_128,
              "as srtp.h has it");
static_assert(64 + SRTP_AES_SCHEDULE_256 + sizeof(struct srtp_cm_tail) <= SRTP_KEY_CM_256,
              "as srtp.h has it");

// `data` begins with the round keys, and those with the key itself, which so lies in the first line whole; the powers of
// H end it.
struct srtp_key_gcm {
    alignas(SRTP_KEY_ALIGN) struct srtp_key head;
    uint8_t salt[12];
    uint8_t rtcp_salt[12];
    alignas(16) uint8_t data[SRTP_GCM_DATA];
    uint8_t mki[TL_MKI_MAX]; // beside the low powers of H
    uint8_t rtcp_key[32];
};
static_assert(sizeof(struct srtp_key_gcm) == 1088, "as srtp.h has it");
static_assert(offsetof(struct srtp_key_gcm, data) == 32, "the key of 32 bytes ends the first line");

static inline const struct srtp_key_cm *srtp_cm(const struct srtp_key *key)
{
    return (const struct srtp_key_cm *)(const void *)key;
}

static inline const struct srtp_cm_tail *srtp_cm_tail(const struct srtp_key_cm *key)
{
    unsigned at = srtp_suite_is_256(key->head.suite) ? SRTP_AES_SCHEDULE_256 : SRTP_AES_SCHEDULE_128;
    return (const struct srtp_cm_tail *)(const void *)(key->enc + at);
}

static inline const struct srtp_key_gcm *srtp_gcm(const struct srtp_key *key)
{
    return (const struct srtp_key_gcm *)(const void *)key;
}

static inline const uint8_t *srtp_mki(const struct srtp_key *key)
{
    return srtp_suite_is_gcm(key->suite) ? srtp_gcm(key)->mki : srtp_cm_tail(srtp_cm(key))->mki;
}

// Lines of a key, by bit: of AES_CM its head and the round keys of 128 bits; of GCM head, round keys and the low powers
// of H, which stand last; the head alone, behind which the key of AES begins.
#define SRTP_LINES_CM   0xfu
#define SRTP_LINES_GCM  (0xfu | 0xfu << 13)
#define SRTP_LINES_HEAD 0x1u

// An engine. The four packet functions work as their namesakes in srtp.h.
struct srtp_engine_table {
    uint32_t cm_lines, gcm_lines; // see srtp_key_lines()
    size_t (*size)(void);         // of its ctx, whose first member is struct srtp_ctx
    // Makes a zeroed, 64-aligned ctx of that size usable; -ENOTSUP, -ENOMEM. fini is safe after a failed
    // init.
    int (*init)(struct srtp_ctx *ctx, enum srtp_engine engine);
    void (*fini)(struct srtp_ctx *ctx);
    // Fills what is the engine's own in a key whose head is done. 0 or -EIO.
    int (*key_init)(struct srtp_ctx *ctx, struct srtp_key *key, const struct srtp_session_keys *keys);
    void (*protect)(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);
    void (*unprotect)(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);
    // Both with the MKI left to the caller where it is the packet's end (GCM), else theirs (AES_CM).
    void (*rtcp_protect)(struct srtp_ctx *ctx, struct srtp_op *op);   // checked, trailer room is there
    void (*rtcp_unprotect)(struct srtp_ctx *ctx, struct srtp_op *op); // checked, index is set
};

struct srtp_ctx {
    const struct srtp_engine_table *table;
    const char *name;
    size_t size;
    enum srtp_engine engine;
};

// srtp_key_init behind the key derivation: of `crypto` it takes all but key and salt. Tests call it with the
// session keys of published vectors.
int srtp_key_build(struct srtp_ctx *ctx, struct srtp_key *key, const struct tl_crypto *crypto,
                   const struct srtp_session_keys *keys);

extern const struct srtp_engine_table srtp_engine_ipsecmb;
extern const struct srtp_engine_table srtp_engine_openssl;
extern const struct srtp_engine_table srtp_engine_lanes;

// ---- bytes -------------------------------------------------------------------------------------------

// In constant time: whether two tags of 4 or 8 to 16 bytes are the same. Words, the second one may overlap.
static inline bool srtp_tag_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
    if (len == 4)
        return tl_get32(a) == tl_get32(b);
    uint64_t diff = tl_get64(a) ^ tl_get64(b);
    diff |= tl_get64(a + len - 8) ^ tl_get64(b + len - 8);
    return diff == 0;
}

// RFC 3711 4.1.1: salt * 2^16 XOR ssrc * 2^64 XOR index * 2^16. `salt` has 14 bytes and two zeroes.
static inline void srtp_iv_cm(uint8_t iv[16], const uint8_t salt[16], uint32_t ssrc, uint64_t index)
{
    tl_put64(iv, tl_get64(salt) ^ ssrc);
    tl_put64(iv + 8, tl_get64(salt + 8) ^ index << 16);
}

// RFC 7714 8.1 and 9.1: two zero bytes, SSRC, 48 bits of index, all XOR salt.
static inline void srtp_iv_gcm(uint8_t iv[12], const uint8_t salt[12], uint32_t ssrc, uint64_t index)
{
    tl_put64(iv, tl_get64(salt) ^ ((uint64_t)ssrc << 16 | index >> 32));
    tl_put32(iv + 8, tl_get32(salt + 8) ^ (uint32_t)index);
}

// ---- what every engine does first --------------------------------------------------------------------

// Bytes that protecting an RTP packet may write behind it.
static inline unsigned srtp_room(const struct srtp_key *key)
{
    unsigned tag = key->tag < SRTP_CM_TAG_ROOM ? SRTP_CM_TAG_ROOM : key->tag;
    return tag + key->mki_len;
}

// Checks an op for srtp_protect and writes its header. False: the status is set.
static inline bool srtp_protect_begin(const struct srtp_ctx *ctx, struct srtp_op *op)
{
    assert(op->key->engine == ctx->engine);
    unsigned room = srtp_room(op->key);
    if (op->hdr_len < SRTP_HEADER_MIN || op->hdr_len > op->len) {
        op->status = TL_DROP_bad_rtp;
    } else if (op->room < room || op->len > UINT16_MAX - room) {
        op->status = TL_DROP_no_room;
    } else if (op->index >> 48) {
        op->status = TL_DROP_tx_index_end;
    } else {
        tl_put16(op->pkt + 2, (uint16_t)op->index);
        tl_put32(op->pkt + 8, op->ssrc);
        return true;
    }
    return false;
}

// Is the MKI at `at` that of the key? Not a secret, so compared as it comes.
static inline bool srtp_mki_is(const struct srtp_key *key, const uint8_t *at)
{
    return key->mki_len == 0 || memcmp(at, srtp_mki(key), key->mki_len) == 0;
}

// Checks an op for srtp_unprotect. False: the status is set. The MKI stands last with GCM, whose tag is part
// of the ciphertext (RFC 7714 8.2), else before the tag (RFC 3711 3.1).
static inline bool srtp_unprotect_begin(const struct srtp_ctx *ctx, struct srtp_op *op)
{
    assert(op->key->engine == ctx->engine);
    const struct srtp_key *key = op->key;
    unsigned trailer = srtp_key_trailer(key);
    if (op->hdr_len < SRTP_HEADER_MIN) {
        op->status = TL_DROP_bad_rtp;
    } else if (op->hdr_len + trailer > op->len) {
        op->status = TL_DROP_short_srtp;
    } else if (key->mki_len &&
               !srtp_mki_is(key,
                            op->pkt + op->len - (srtp_suite_is_gcm(key->suite) ? key->mki_len : trailer))) {
        op->status = TL_DROP_bad_mki;
    } else if (op->index >> 48 || op->pkt[2] != (uint8_t)(op->index >> 8) ||
               op->pkt[3] != (uint8_t)op->index) {
        op->status = TL_DROP_bad_auth;
    } else {
        return true;
    }
    return false;
}
