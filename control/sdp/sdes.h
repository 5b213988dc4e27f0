// SPDX-License-Identifier: BSD-3-Clause
// a=crypto of SDP security descriptions (RFC 4568): one line read, written, keys made.
#pragma once

#include <stdbool.h>
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
    bool lifetime;           // the line has one; ours is 2^31 then
    uint8_t mki_len;         // 0: its packets have no MKI
    uint8_t mki[TL_MKI_MAX]; // as in the packets
};

// Fills `len` bytes with randomness; 0 or -errno.
typedef int (*sdes_random)(void *arg, void *out, size_t len);

// The kernel's randomness (getrandom); `arg` is not used. Any thread.
int sdes_kernel_random(void *arg, void *out, size_t len);

// Reads what follows "a=crypto:". Of several keys (RFC 4568 6.1, each with an MKI of its own) the first is
// taken. A lifetime is checked and then left to the sender, who has to bring a new key in time. A line that
// asks for what we don't do is refused, so that the next line can be taken. Returns 0; -EINVAL when the line
// is malformed; -ENOTSUP for an unknown suite, an MKI above TL_MKI_MAX or a session parameter that we don't
// keep. *out is only written on success; after a failure *why (may be NULL) is a sentence. Any thread.
int sdes_parse(struct sdes_crypto *out, const char *text, size_t len, const char **why);

// The suite that a line names, whatever else is in it; TL_SUITE_NONE: none that we know. Any thread.
enum tl_suite sdes_suite(const char *text, size_t len);

// Writes what follows "a=crypto:" into out with a NUL. Returns its length, or -ENOSPC, or -EINVAL for no
// suite.
int sdes_write(const struct sdes_crypto *crypto, char *out, size_t cap);

// Makes new keys for `suite`, without lifetime and MKI. Returns 0, -EINVAL for a suite that is none, or what
// `random` returned.
int sdes_generate(struct sdes_crypto *out, uint32_t tag, enum tl_suite suite, sdes_random random, void *arg);

void sdes_wipe(struct sdes_crypto *crypto);
