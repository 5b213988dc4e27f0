// SPDX-License-Identifier: BSD-3-Clause
// Identifiers that only the stack makes.
#pragma once

#include "control/sip/txn.h"

enum { SIP_BRANCH_LEN = 56 }; // with its final NUL

void sip_make_branch(struct sip_stack *stack, char out[static SIP_BRANCH_LEN]);

// The branch of an INVITE of ours to that URI: it ends with a fingerprint of who is called, so that the same call is known
// when it comes back with our Via in it (RFC 3261 16.3).
void sip_make_call_branch(struct sip_stack *stack, const char *uri, char out[static SIP_BRANCH_LEN]);
