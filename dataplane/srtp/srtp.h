// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP and SRTCP (RFC 3711, 6188, 7714) over arrays of packets, in place, without mbufs or an
// EAL.
//
// Who does what: index.h says which index a packet has and whether it may pass, this file transforms the
// packets, the worker's stages put both together:
//   unprotect:  srtp_rx_check -> srtp_unprotect -> srtp_rx_commit of those with SRTP_OK
//   protect:    srtp_tx_take -> store the index in the live table -> srtp_protect
// A batch may mix streams, directions and suites; the more AES_CM packets in one call, the cheaper each is.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"
#include "common/drops.h"
#include "common/suite.h"

// Result of one packet: this, else the enum tl_drop that names why it must be dropped.
enum { SRTP_OK = TL_DROP_COUNT };
static_assert(TL_DROP_COUNT < UINT8_MAX, "a status fits a byte");

enum {
    SRTP_HEADER_MIN = 12, // RTP header without CSRC
    SRTCP_HEADER_LEN = 8, // RTCP header and SSRC, never encrypted
    SRTP_TAG_MAX = 16,
    SRTP_TRAILER_MAX = SRTP_TAG_MAX + TL_MKI_MAX, // what SRTP adds at most
    SRTCP_TRAILER_MAX = SRTP_TRAILER_MAX + 4,     // what SRTCP adds at most
    // Bytes behind `len` that are enough for every packet to be protected. Needed are: SRTP 12 (AES_CM, which
    // writes a tag of 12 and sends 10 or 4 of it) or 16 (GCM) and the MKI, SRTCP 4 more. Received packets
    // need none. Nothing else outside of the packet is read or written, with any instruction set (a test with
    // guard pages shows it).
    SRTP_TAILROOM = SRTCP_TRAILER_MAX,
    SRTP_KEY_ALIGN = 64,
};

// ---- keys --------------------------------------------------------------------------------------------

// Keys of one direction of one leg: what RFC 3711 4.3 (key derivation rate 0) makes of a master key and salt,
// for SRTP and SRTCP, in the form that the engine wants. Immutable once made, so threads may share it. This
// is its head; what the engine needs follows in the same cache line and the next ones.
struct srtp_key {
    uint8_t suite;       // enum tl_suite
    uint8_t engine;      // enum srtp_engine, never AUTO
    uint8_t tag;         // bytes of authentication tag of SRTP (SRTCP's are 10 or 16)
    uint8_t mki_len;     // bytes of MKI behind every packet
    uint32_t generation; // tl_crypto.generation
};

// A thread's own SRTP machine: scratch memory and what the crypto library needs. Never shared by threads.
struct srtp_ctx;

enum srtp_engine {
    SRTP_ENGINE_AUTO,    // the first of lanes, libIPSec_MB and OpenSSL that this CPU can run
    SRTP_ENGINE_LANES,   // packets of one shape by our own AVX-512, all else by libIPSec_MB
    SRTP_ENGINE_IPSECMB, // libIPSec_MB with the widest instructions of this CPU
    SRTP_ENGINE_IPSECMB_AVX2,
    SRTP_ENGINE_IPSECMB_AVX,
    SRTP_ENGINE_IPSECMB_SSE,
    SRTP_ENGINE_IPSECMB_SSE_NO_SHANI,
    SRTP_ENGINE_OPENSSL, // the reference
    SRTP_ENGINE_COUNT
};

// Makes a thread's machine. `engine` other than AUTO insists. Returns 0 and sets *out, which the caller ends
// with srtp_ctx_free; -ENOTSUP if the CPU cannot run that engine, -ENOMEM, -EINVAL if there is no such
// engine. Allocates; may be called before the thread runs, which is the one that then uses it.
int srtp_ctx_new(enum srtp_engine engine, struct srtp_ctx **out);

// Wipes and frees it; NULL is allowed.
void srtp_ctx_free(struct srtp_ctx *ctx);

// For status output: "ipsec_mb avx512", "openssl". Any thread, valid for ever.
const char *srtp_ctx_name(const struct srtp_ctx *ctx);

// Bytes of a key object of that suite, a multiple of SRTP_KEY_ALIGN: 320 for AES_CM_128, 384 for AES_256_CM,
// 1,088 for both GCM suites (their GHASH table), 0 for TL_SUITE_NONE and numbers that are no suite.
size_t srtp_key_size(enum tl_suite suite);

// Derives the session keys of `crypto` into *key: srtp_key_size(crypto->suite) bytes of the caller's, aligned
// to SRTP_KEY_ALIGN. `ctx` is the calling thread's; the key then works with every ctx made for the same
// engine. 0, -EINVAL (no such suite, an MKI longer than TL_MKI_MAX), -EIO (the crypto library failed; *key is
// wiped). Manager thread: it is slow (microseconds) and OpenSSL allocates in it.
int srtp_key_init(struct srtp_ctx *ctx, struct srtp_key *key, const struct tl_crypto *crypto);

// Wipes a key object; NULL is allowed. The memory stays the caller's. No op may refer to it any more.
void srtp_key_wipe(struct srtp_key *key);

// ---- what the head of a key says: for any thread, one load ---------------------------------------------

static inline enum tl_suite srtp_key_suite(const struct srtp_key *key)
{
    return (enum tl_suite)key->suite;
}

// tl_crypto.generation, which stands beside every index in the live table.
static inline uint32_t srtp_key_generation(const struct srtp_key *key)
{
    return key->generation;
}

// Bytes that SRTP adds to a packet: tag and MKI.
static inline unsigned srtp_key_trailer(const struct srtp_key *key)
{
    return (unsigned)key->tag + key->mki_len;
}

// The GCM suites: one bit apart, so this is a mask and a compare.
static inline bool srtp_suite_is_gcm(unsigned suite)
{
    return suite == TL_SUITE_AEAD_AES_128_GCM || suite == TL_SUITE_AEAD_AES_256_GCM;
}

// Brings the line of `p` towards the cache. An inline function of nothing but __builtin_prefetch counts as
// pure for gcc 12, which then drops the calls of it; this stays.
static inline void srtp_prefetch_line(const void *p)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetcht0 %0" : : "m"(*(const char *)p));
#else
    __builtin_prefetch(p);
#endif
}

// The lines of a key that packets read with this ctx, by bit, for AES_CM or GCM. Of AES_CM the head with the HMAC
// states, and round keys or what they are made of; of GCM head, round keys and the powers of H, or the head alone.
uint32_t srtp_key_lines(const struct srtp_ctx *ctx, bool gcm);

// Brings them towards the cache. srtp_protect and srtp_unprotect do not do it: it is for the stage before, whose work
// hides the wait. The key itself is not read.
static inline void srtp_key_prefetch(const struct srtp_key *key, uint32_t lines)
{
    for (; lines; lines &= lines - 1)
        srtp_prefetch_line((const char *)key + (size_t)64 * (unsigned)__builtin_ctz(lines));
}

// ---- packets -----------------------------------------------------------------------------------------

// One packet to transform. On failure the packet's bytes are undefined: drop it.
struct srtp_op {
    const struct srtp_key *key; // in
    uint8_t *pkt;               // in: first byte of the RTP or RTCP header, contiguous
    uint64_t index;             // in: 48-bit SRTP index; 31-bit SRTCP index (unprotect: out)
    uint32_t ssrc;              // in, protect only: goes into the header; else ignored
    uint16_t len;               // in: bytes of the packet; out with SRTP_OK: its new length
    uint16_t hdr_len;           // in, RTP only: header with CSRC list and extension, 12..len
    uint16_t room;              // in: bytes behind `len` that may be written
    uint8_t status;             // out: SRTP_OK or enum tl_drop
    uint8_t pad;
    void *user; // the caller's
};
static_assert(sizeof(struct srtp_op) == 48, "ops are laid out in arrays");

// For the linker these two have other names: libsrtp2, which tests link as an oracle, exports the same ones.
#define SRTP_SYMBOL(name) __asm__("trunkline_" #name)

// Encrypts and authenticates `n` RTP packets (n of any size, also 0; order is kept, results by status). The
// sequence number (low 16 bits of `index`) and `ssrc` are written into each header, so that what is sent is
// what was counted. The caller has taken each index by srtp_tx_take.
// Status: SRTP_OK, bad_rtp (hdr_len outside 12..len), no_room, tx_index_end (index above 48 bits), bad_auth
// (the crypto library failed: never seen, but then nothing may leave). RFC 3711 3.1 to 4.2, RFC 7714 8.
void srtp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n) SRTP_SYMBOL(srtp_protect);

// Authenticates and decrypts `n` SRTP packets. `index` comes from srtp_rx_check and its low 16 bits are the
// header's sequence number. Replay is not looked at: before by srtp_rx_check, after by srtp_rx_commit.
// Status: SRTP_OK, bad_rtp (hdr_len below 12), short_srtp, bad_mki (not that of the key, or none), bad_auth
// (tag wrong, or `index` is not the header's). RFC 3711 3.3, RFC 7714 8.
void srtp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n) SRTP_SYMBOL(srtp_unprotect);

// The same for compound RTCP packets; `index` has 31 bits, the E bit is always set, `ssrc` and `hdr_len` are
// ignored (the IV takes the SSRC from the packet's bytes 4 to 7). One packet after the other: SRTCP is rare
// and keeps only its short keys, which are expanded when used. Status: SRTP_OK, bad_rtcp (shorter than 8),
// no_room, tx_index_end (index above 31 bits). RFC 3711 3.4, RFC 7714 9.
void srtcp_protect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);

// Authenticates and decrypts SRTCP packets and sets `index` to what each carries, authenticated if SRTP_OK.
// To refuse a replay before the work of authentication, read it with srtcp_peek and ask srtcp_rx_check first.
// Status: SRTP_OK, short_srtp, bad_mki, plain_rtcp (no E bit), bad_auth.
void srtcp_unprotect(struct srtp_ctx *ctx, struct srtp_op *ops, unsigned n);

// Reads the index of a received SRTCP packet of `len` bytes without authenticating it. Returns SRTP_OK and
// sets *index; short_srtp if it cannot hold header, index, MKI and tag; bad_mki if the MKI is not the key's;
// plain_rtcp without the E bit.
uint8_t srtcp_peek(const struct srtp_key *key, const uint8_t *pkt, size_t len, uint32_t *index);
