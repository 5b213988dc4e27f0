// SPDX-License-Identifier: BSD-3-Clause
// The unit tests' fixtures assert through CUnit; outside of one of its runs a failed assertion ends the
// program, so that libFuzzer keeps the input.
#include <CUnit/CUnit.h>

#include "fuzz.h"

CU_BOOL CU_assertImplementation(CU_BOOL holds, unsigned line, const char *condition, const char *file,
                                const char *function, CU_BOOL fatal)
{
    (void)function;
    (void)fatal;
    if (!holds) {
        fprintf(stderr, "%s:%u: %s\n", file, line, condition);
        abort();
    }
    return holds;
}
