// SPDX-License-Identifier: BSD-3-Clause
// Identifiers that only the stack makes.
#pragma once

#include "control/sip/txn.h"

enum { SIP_BRANCH_LEN = 48 }; // with its final NUL

void sip_make_branch(struct sip_stack *stack, char out[static SIP_BRANCH_LEN]);

// `len` <= 256 bytes of the kernel's random numbers.
void sip_random(struct sip_stack *stack, void *out, size_t len);
