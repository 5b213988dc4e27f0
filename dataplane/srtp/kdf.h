// SPDX-License-Identifier: BSD-3-Clause
// Key derivation of SRTP and SRTCP: RFC 3711 4.3 with AES-CM and key derivation rate 0, RFC 6188 3, RFC
// 7714 11.
#pragma once

#include <stdint.h>

#include "common/suite.h"

struct srtp_session_key {
    uint8_t key[32];  // 16 bytes of a 128-bit suite; zeroes behind
    uint8_t auth[20]; // HMAC-SHA1's; zeroes of a GCM suite
    uint8_t salt[16]; // 14 bytes, or 12 of a GCM suite; zeroes behind
};

struct srtp_session_keys {
    struct srtp_session_key rtp;
    struct srtp_session_key rtcp;
};

// Derives the six session keys of a suite from its master key (16 or 32 bytes, and AES of that size is the
// pseudo-random function) and salt (14 bytes, 12 of a GCM suite). 0; -EINVAL if there is no such suite; -EIO
// if OpenSSL fails (*out is then wiped). The caller wipes *out after use. Any thread but a worker's: it
// allocates inside OpenSSL.
int srtp_kdf(enum tl_suite suite, const uint8_t *key, const uint8_t *salt, struct srtp_session_keys *out);
