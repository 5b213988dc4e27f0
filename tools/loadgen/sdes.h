// SPDX-License-Identifier: BSD-3-Clause
// SDES keys in SDP (RFC 4568, RFC 7714) for the suites of --srtp.
#pragma once

#include "tools/loadgen/args.h"

enum { SDES_KEY_MAX = 30, SDES_LINE_MAX = 128 };

struct sdes {
    uint32_t tag; // of the crypto attribute
    size_t length;
    uint8_t key[SDES_KEY_MAX]; // master key and salt
};

// Makes a key for `suite` with `tag`. 0 or -errno (no randomness).
int sdes_make(struct sdes *s, enum media_suite suite, uint32_t tag);

// Prints the value of a=crypto, without the name.
void sdes_print(const struct sdes *s, enum media_suite suite, char line[SDES_LINE_MAX]);

// Reads the value of an a=crypto. 0; -ENOENT when it is for another suite; -EBADMSG when it is malformed or
// asks for what isn't done here (an MKI, session parameters that change the protection).
int sdes_parse(struct sdes *s, enum media_suite suite, const char *value);

// Name in SDP.
const char *sdes_suite_name(enum media_suite suite);
