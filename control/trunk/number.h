// SPDX-License-Identifier: BSD-3-Clause
// What is told from a number alone. Pure. Any thread.
#pragma once

#include <stdbool.h>

#include "common/config/config.h"

// Whether a call to `called` passes when limits are reached: it is one of control.emergency_numbers. `called` is a number
// without separators and parameters, as sip_msg_called() gives it.
bool number_is_emergency(const struct tl_config *config, const char *called);
