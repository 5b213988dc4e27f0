// SPDX-License-Identifier: BSD-3-Clause
// Who we are to a peer: users and passwords, each for one realm, and the nonces that the peer gave us for them. Answers
// digest challenges (RFC 3261 22, RFC 7616, RFC 8760) and says who we are before it is asked again. Randomness is a
// parameter. One thread.
#pragma once

#include "control/base/log.h"
#include "control/sip/challenge.h"

enum {
    SIP_LOGINS_MAX = 4,  // of an account
    SIP_AUTH_ROUNDS = 5, // times that a request is sent again because it was challenged
    SIP_CNONCE_LEN = 33, // with its final NUL
};

struct sip_account;

// Makes one without a login. `name` stands in sentences: its trunk's. It begins with one holder. NULL without memory.
struct sip_account *sip_account_new(const char *name);

// One holder more; one less, the last of which wipes and frees it. NULL is ignored, and returned.
struct sip_account *sip_account_hold(struct sip_account *account);
void sip_account_release(struct sip_account *account);

// Adds a login. The password is not kept, only what digest_secret() makes of it; the caller wipes it. Returns 0; -EINVAL
// (a realm or user that is empty, too long, or has a quote, a backslash or a control character; a realm that it has
// already), -ENOSPC (SIP_LOGINS_MAX), -ENOTSUP (OpenSSL offers none of the hashes).
int sip_account_add(struct sip_account *account, const char *realm, const char *user, const char *password);

// How far a request has come that is challenged. Zeroed at first; of a new request it begins anew.
struct sip_auth {
    uint32_t
        answered; // challenges of this request that were answered: a bit for each login, with and without proxy
    uint8_t rounds;
};

// Takes the challenges of a 401 or 407 to a request of ours: notes the nonces, the strongest challenge of each realm.
// `cnonce` is random text for them. Returns true when there is an answer that the peer has not had yet: the request is
// sent again with sip_account_lines(). False, with one sentence in `why`: the realm is not one of ours, nothing there
// can be answered, what we answered was wrong, or the peer challenges on and on.
bool sip_account_challenged(struct sip_account *account, struct sip_auth *auth,
                            const struct sip_msg *response, const char *cnonce, char *why, size_t why_size);

// The lines of Authorization and Proxy-Authorization for a request, by the nonces that the account has: those for
// REGISTER came with REGISTER. Each call counts as a use of the nonces. NULL: there are none (or no memory); else the
// caller frees it with wipe_free().
char *sip_account_lines(struct sip_account *account, enum sip_method method, const char *uri);

// Takes the next nonce out of a 2xx to a request with such lines (RFC 7616 3.5), where there is no doubt whose it is.
void sip_account_accepted(struct sip_account *account, const struct sip_msg *response);

// Forgets the nonces: the next requests say nothing until they are asked.
void sip_account_forget(struct sip_account *account);

// Whether one more sentence of sip_account_challenged() may be logged at `now_ms`.
bool sip_account_may_log(struct sip_account *account, uint64_t now_ms);
const char *sip_account_name(const struct sip_account *account);
