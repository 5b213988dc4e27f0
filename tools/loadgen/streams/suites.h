// SPDX-License-Identifier: BSD-3-Clause
// SRTP suites of bare streams: all that libre has, by their names in SDP, and the keys of a stream.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum stream_suite {
    STREAM_PLAIN,
    STREAM_AES_CM_128_HMAC_SHA1_80,
    STREAM_AES_CM_128_HMAC_SHA1_32,
    STREAM_AES_256_CM_HMAC_SHA1_80,
    STREAM_AES_256_CM_HMAC_SHA1_32,
    STREAM_AEAD_AES_128_GCM,
    STREAM_AEAD_AES_256_GCM,
    STREAM_SUITES,
};

enum {
    SUITES_KEY_MAX = 46, // master key and salt, bytes
    SUITES_TAG_MAX = 16,
};

struct stream_key {
    uint8_t bytes[SUITES_KEY_MAX]; // master key, then master salt
};

// Names in the order of the enum; STREAM_PLAIN is "off".
extern const char *const suites_names[STREAM_SUITES];

// Bytes of master key and salt together, 0 for STREAM_PLAIN.
size_t suites_key_length(enum stream_suite suite);

// Reads a key in base64 as it stands behind "inline:" in SDP, without lifetime and MKI. 0 or -EBADMSG: it is
// not base64, or not of the suite's length.
int suites_read_key(enum stream_suite suite, const char *text, struct stream_key *key);

// The key with which side 'a' or 'b' protects stream `index`, made of a seed (HMAC-SHA1 of what is named
// here, keyed with the seed): two programs with the same seed agree. It is as secret as the seed; for tests.
void suites_derive_key(const char *seed, enum stream_suite suite, char side, uint32_t index,
                       struct stream_key *key);

struct srtp;

// Makes libre's context. 0 or -errno. The caller frees it with mem_deref().
int suites_open(enum stream_suite suite, const struct stream_key *key, struct srtp **context);
