// SPDX-License-Identifier: BSD-3-Clause
#include "control/call/causes.h"

#include <stddef.h>

int cause_for_a(int status, unsigned q850)
{
    static const struct {
        int from, to;
        unsigned q850;
        int hears;
    } rows[] = {
#define X(from, to, cause, hears, why) {from, to, cause, hears},
        CALL_CAUSES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (status >= rows[i].from && status <= rows[i].to && (!rows[i].q850 || rows[i].q850 == q850))
            return rows[i].hears;
    return status;
}

int cause_taken_for(const struct tl_trunk_config *trunk, int status, unsigned q850)
{
    for (uint32_t i = 0; status >= 400 && i < trunk->codes_in_count; i++) {
        const struct tl_code_rule *r = &trunk->codes_in[i];
        if ((!r->status || (int)r->status == status) && (!r->cause || r->cause == q850))
            return (int)r->to;
    }
    return status;
}
