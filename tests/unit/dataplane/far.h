// SPDX-License-Identifier: BSD-3-Clause
// A far end of SRTP in tests: one key, used to protect what we receive or to open what we sent.
#pragma once

#include <stdbool.h>

#include "dataplane/srtp/srtp.h"

struct far {
    struct tl_crypto crypto;
    struct srtp_ctx *ctx; // the rig's
    struct srtp_key *key;
};

// A key of that suite, made from `seed` (different seeds, different keys). Aborts without memory.
struct far far_make(struct srtp_ctx *ctx, enum tl_suite suite, uint32_t generation, unsigned seed);
void far_free(struct far *f);

// Makes SRTP of the RTP packet (header of `header_len` bytes) under `index`, in place; SRTP_TAILROOM bytes
// behind it are written. Returns the new length. far_protect_rtcp() does SRTCP.
unsigned far_protect(struct far *f, uint8_t *pkt, unsigned len, unsigned header_len, uint64_t index);
unsigned far_protect_rtcp(struct far *f, uint8_t *pkt, unsigned len, uint32_t index);

// Opens SRTP with a fixed header, under `index`, in place. Returns the new length, 0: not authentic.
// far_open_rtcp() gives the index that the packet carries.
unsigned far_open(struct far *f, uint8_t *pkt, unsigned len, uint64_t index);
unsigned far_open_rtcp(struct far *f, uint8_t *pkt, unsigned len, uint32_t *index);
