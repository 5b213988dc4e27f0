// SPDX-License-Identifier: BSD-3-Clause
// a=crypto of SDP security descriptions (RFC 4568): one line read, written, keys made.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/suite.h"

enum {
    SDES_LINE_MAX = 160, // of what sdes_write() makes, with the final NUL
    SDES_TAG_MAX = 999999999,
};

// Keys of one direction as a line names them. Whoever owns one wipes it with sdes_wipe().
struct sdes_crypto {
    uint32_t tag;  // 0..SDES_TAG_MAX
    uint8_t suite; // enum tl_suite; TL_SUITE_NONE: no keys
    uint8_t key[TL_KEY_MAX];
    uint8_t salt[TL_SALT_MAX];
};

// Fills `len` bytes with randomness; 0 or -errno.
typedef int (*sdes_random)(void *arg, void *out, size_t len);

// The kernel's randomness (getrandom); `arg` is not used. Any thread.
int sdes_kernel_random(void *arg, void *out, size_t len);

// Reads what follows "a=crypto:". A lifetime is checked and then left to the sender; a line that asks for
// what we don't do is refused, so that the next line can be taken. Returns 0; -EINVAL when the line is
// malformed; -ENOTSUP for an unknown suite, an MKI, several keys or a session parameter that we don't keep.
// *out is only written on success. Any thread.
int sdes_parse(struct sdes_crypto *out, const char *text, size_t len);

// Writes what follows "a=crypto:" into out with a NUL. Returns its length, or -ENOSPC, or -EINVAL for no
// suite.
int sdes_write(const struct sdes_crypto *crypto, char *out, size_t cap);

// Makes new keys for `suite`. Returns 0, -EINVAL for a suite that is none, or what `random` returned.
int sdes_generate(struct sdes_crypto *out, uint32_t tag, enum tl_suite suite, sdes_random random, void *arg);

void sdes_wipe(struct sdes_crypto *crypto);
