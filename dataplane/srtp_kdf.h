// SPDX-License-Identifier: BSD-3-Clause
// Key derivation of SRTP and SRTCP: RFC 3711 4.3 with AES-CM and key derivation rate 0, RFC 7714 section 11.
#pragma once

#include <stdint.h>

#include "common/suite.h"

struct srtp_session_key {
    uint8_t key[16];
    uint8_t auth[20]; // AES_CM_128_HMAC_SHA1_80 only, else 0
    uint8_t salt[16]; // 14 bytes, or 12 of a GCM suite; zeroes behind
};

struct srtp_session_keys {
    struct srtp_session_key rtp;
    struct srtp_session_key rtcp;
};

// Derives the six session keys of a suite with 128-bit keys from `key` (16 bytes) and `salt` (14 bytes, 12 of
// a GCM suite). 0; -EINVAL if there is no such suite; -EIO if OpenSSL fails (*out is then wiped). The caller
// wipes *out after use. Any thread but a worker's: it allocates inside OpenSSL.
int srtp_kdf(enum tl_suite suite, const uint8_t *key, const uint8_t *salt, struct srtp_session_keys *out);
