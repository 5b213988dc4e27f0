// SPDX-License-Identifier: BSD-3-Clause
// Numbers: rewritten between the form of a peer and E.164, and what is told from one alone. Pure; one thread at a time, as
// patterns are. A number is a user part without separators and parameters, or a user that is no number.
#pragma once

#include <stdbool.h>

#include "common/config/config.h"

enum { NUMBER_MAX = 64 }; // bytes, with the final NUL

// Rewrites a number by a translation (index or TL_NO_INDEX): the first rule that fits counts. `out` has the number, rewritten or
// as it was; it stays where the outcome does not fit or has characters that no user part has. Returns the rule's place in the
// translation, or -1.
int number_translate(const struct tl_config *config, uint32_t translation, const char *number,
                     char out[static NUMBER_MAX]);

// The same to a peer: by the translation, then without its plus where the trunk says so.
int number_to_peer(const struct tl_config *config, const struct tl_trunk_config *trunk, uint32_t translation,
                   const char *number, char out[static NUMBER_MAX]);

// Two trunks that an identity goes between, each in its configuration.
struct number_pass {
    const struct tl_config *from_config, *to_config;
    const struct tl_trunk_config *from, *to;
};

// A calling number on its way from one peer to the other. Returns whether it changed.
bool number_pass_calling(const struct number_pass *pass, const char *number, char out[static NUMBER_MAX]);

// Whether a call to `called` passes when limits are reached: it is one of control.emergency_numbers.
bool number_is_emergency(const struct tl_config *config, const char *called);
