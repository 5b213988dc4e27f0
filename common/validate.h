// SPDX-License-Identifier: BSD-3-Clause
// What a command must look like before anyone acts on it. Everything that can be judged from the command
// alone is judged here, for the dataplane and for the fake of it; what depends on configuration or sessions
// is not.
#pragma once

#include "common/contract.h"

// Checks a command that was copied out of the ring. 0, or -EINVAL with *field (enum tl_field) naming what is
// wrong. Fields that the operation does not use are ignored (legs outside leg_mask, a handle in ADD); padding
// in what it uses must be 0. Any thread.
int tl_command_check(const struct tl_command *command, uint16_t *field);

// A transport address that media can be sent to: IPv4 unicast, port not 0, padding 0. Any thread.
bool tl_addr_is_unicast(const struct tl_addr *addr);

// What a command has to have in this field, as the end of a sentence ("payload types must be ..."). Any
// thread.
const char *tl_field_text(uint16_t field);
