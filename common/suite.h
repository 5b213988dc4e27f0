// SPDX-License-Identifier: BSD-3-Clause
// SRTP crypto suites: numbers used in the contract, names used in SDP (RFC 4568, 6188, 7714) and
// configuration.
#pragma once

#include <stdint.h>

enum tl_suite {
    TL_SUITE_NONE = 0, // plain RTP and RTCP
    TL_SUITE_AES_CM_128_HMAC_SHA1_80 = 1,
    TL_SUITE_AEAD_AES_128_GCM = 2,
    TL_SUITE_AES_CM_128_HMAC_SHA1_32 = 3,
    TL_SUITE_AES_256_CM_HMAC_SHA1_80 = 4,
    TL_SUITE_AES_256_CM_HMAC_SHA1_32 = 5,
    TL_SUITE_AEAD_AES_256_GCM = 6,
    TL_SUITE_COUNT
};

enum { TL_KEY_MAX = 32, TL_SALT_MAX = 14, TL_MKI_MAX = 8 };

struct tl_suite_info {
    const char *name; // as in a=crypto
    uint8_t key_len;  // master key, bytes
    uint8_t salt_len; // master salt, bytes
    uint8_t rtp_tag;  // authentication tag of SRTP, bytes
    uint8_t rtcp_tag; // authentication tag of SRTCP, bytes: not shortened by _32 (RFC 4568 6.2.2)
};

// Facts of a suite, or NULL for TL_SUITE_NONE and numbers that are none. Any thread.
const struct tl_suite_info *tl_suite_info(enum tl_suite suite);

// Suite of that name (`len` bytes, compared without case as RFC 4568 has it), or TL_SUITE_NONE. Any thread.
enum tl_suite tl_suite_by_name(const char *name, unsigned len);
