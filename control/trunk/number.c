// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/number.h"

#include <string.h>

bool number_is_emergency(const struct tl_config *config, const char *called)
{
    const struct tl_control_config *c = &config->control;

    for (uint32_t i = 0; i < c->emergency_count; i++)
        if (strcmp(c->emergency_numbers[i], called) == 0)
            return true;
    return false;
}
