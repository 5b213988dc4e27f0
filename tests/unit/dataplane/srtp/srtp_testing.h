// SPDX-License-Identifier: BSD-3-Clause
// What the SRTP tests share: repeatable randomness, packets in heap buffers of just their size (so that ASan
// sees every step too far), keys, and a loop over all engines that this CPU can run.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/srtp/srtp.h"

// xorshift64*; the seed is the test's own, so a failure repeats.
struct rng {
    uint64_t state; // not 0
};
uint64_t rng_next(struct rng *r);
// 0 .. bound - 1
uint32_t rng_below(struct rng *r, uint32_t bound);
void rng_fill(struct rng *r, void *to, size_t len);

// Reads hexadecimal digits (blanks are skipped) into `to`, at most `max` bytes. Returns how many.
size_t unhex(const char *hex, uint8_t *to, size_t max);

// Random master key and salt of a suite, without an MKI, and with a random one of 1 to TL_MKI_MAX bytes.
struct tl_crypto random_crypto(struct rng *r, enum tl_suite suite);
struct tl_crypto random_crypto_mki(struct rng *r, enum tl_suite suite, unsigned mki_len);

// All suites, each without an MKI and with one of 1, 4 and TL_MKI_MAX bytes: crypto_case(r, 0), (r, 1), ...
// CRYPTO_CASES of them.
enum { CRYPTO_CASES = 4 * (TL_SUITE_COUNT - 1) };
struct tl_crypto crypto_case(struct rng *r, unsigned i);

// Room that srtp_protect needs; srtcp_protect needs 4 more. And what the packets grow by.
unsigned room_needed(const struct tl_crypto *crypto);
unsigned rtp_trailer(const struct tl_crypto *crypto);
unsigned rtcp_trailer(const struct tl_crypto *crypto);

// A key object on the heap; NULL (with a failed assertion) if srtp_key_init refuses. key_free wipes and
// frees.
struct srtp_key *key_new(struct srtp_ctx *ctx, const struct tl_crypto *crypto);
void key_free(struct srtp_key *key);

// A random RTP packet with `csrc` CSRCs, an extension of `ext` words (none if negative) and `payload` bytes.
// Owned by the caller: free(buf). The buffer ends exactly `room` bytes behind the packet.
struct packet {
    uint8_t *buf;
    uint16_t len, hdr_len, room;
};
struct packet packet_rtp(struct rng *r, unsigned csrc, int ext, unsigned payload, unsigned room, uint16_t seq,
                         uint32_t ssrc);
// A random RTCP packet of 8 + `body` bytes, body a multiple of 4.
struct packet packet_rtcp(struct rng *r, unsigned body, unsigned room, uint32_t ssrc);
// The same bytes with other room behind.
struct packet packet_copy(const struct packet *p, unsigned room);

// The op for it, `index` and `ssrc` for protect.
struct srtp_op packet_op(struct packet *p, const struct srtp_key *key, uint64_t index, uint32_t ssrc);

// Calls `test` once with a machine for each engine that runs here and prints the name of each.
void each_engine(void (*test)(struct srtp_ctx *ctx));
