// SPDX-License-Identifier: BSD-3-Clause
// The arithmetic of digest authentication (RFC 7616 3.4, RFC 8760): hashes of texts. OpenSSL's hashes are used here and
// nowhere else in this room. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/sip/msg.h"

enum digest_algorithm {
    DIGEST_MD5,
    DIGEST_SHA_256,
    DIGEST_SHA_512_256,
    DIGEST_ALGORITHM_COUNT
}; // weakest first

enum { DIGEST_HEX = 65 }; // the longest hash in hexadecimal with its final NUL

// "SHA-512-256"; with `session` the variant whose secret is made anew for each nonce, "SHA-512-256-sess".
const char *digest_name(enum digest_algorithm algorithm, bool session);

// The algorithm of a name, compared without case. Returns false for one that is not known.
bool digest_by_name(struct sip_str name, enum digest_algorithm *algorithm, bool *session);

// What stands for a password from now on, H(user:realm:password): whoever has it can log in to that realm, so it is to be
// wiped as the password is. Returns 0; -ENOTSUP where OpenSSL does not offer the hash (MD5 in FIPS mode).
int digest_secret(enum digest_algorithm algorithm, struct sip_str user, struct sip_str realm,
                  struct sip_str password, char out[static DIGEST_HEX]);

struct digest_input {
    enum digest_algorithm algorithm;
    bool session;       // the -sess variant
    bool qop;           // qop=auth; else the challenge had none (RFC 2069): `count` and `cnonce` do not count
    const char *secret; // digest_secret()
    struct sip_str nonce;  // as it stands between its quotes, escapes and all (RFC 7616 3.3: unq())
    struct sip_str cnonce; // likewise
    uint32_t count;        // of requests with this nonce, this one included
    struct sip_str method, uri;
};

// The response to a challenge, in hexadecimal. Returns 0, or -ENOTSUP as above.
int digest_response(const struct digest_input *in, char out[static DIGEST_HEX]);
