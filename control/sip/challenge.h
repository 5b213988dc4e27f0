// SPDX-License-Identifier: BSD-3-Clause
// Reads what a peer asks of us in WWW-Authenticate and Proxy-Authenticate (RFC 3261 20.44, RFC 7616 3.3, RFC 8760).
// Nothing here allocates; what is read points into the message. Any thread.
#pragma once

#include "control/sip/digest.h"

enum {
    SIP_CHALLENGES_MAX = 16, // of a response; more are not looked at
    SIP_NONCE_MAX = 512,     // bytes of a nonce or opaque value
    SIP_REALM_MAX = 128,     // with a final NUL
};

// A digest challenge that we could answer. The texts stand as between their quotes, escapes and all.
struct sip_challenge {
    bool proxy; // Proxy-Authenticate: the answer is Proxy-Authorization
    enum digest_algorithm algorithm;
    bool session;         // the -sess variant
    bool named;           // the algorithm was given, not presumed to be MD5
    bool qop;             // qop=auth is offered; else there is no qop at all
    bool stale;           // what was wrong with the answer before is its nonce alone
    struct sip_str realm; // may be empty
    struct sip_str nonce;
    struct sip_str opaque; // p == NULL: none
};

// The challenges of a 401 or 407, in the order of the message. What nobody here could answer is left out: another
// scheme than Digest, an algorithm or qop that is not known, a parameter that is missing, there twice, or too long.
// Returns how many there are.
unsigned sip_read_challenges(const struct sip_msg *response,
                             struct sip_challenge out[static SIP_CHALLENGES_MAX]);

// The nonce for the next request in Authentication-Info, or with `proxy` in Proxy-Authentication-Info (RFC 7616 3.5);
// p == NULL: none that could be taken.
struct sip_str sip_next_nonce(const struct sip_msg *response, bool proxy);
