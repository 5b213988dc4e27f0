// SPDX-License-Identifier: BSD-3-Clause
// Texts with an '@' where an error has to be found.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

// The text without its mark; "f:LINE:COLUMN: " of the mark, in characters. The caller frees it.
static inline char *unmark(const char *marked, char *place, size_t size)
{
    char *text = strdup(marked), *at = strchr(text, '@');
    unsigned line = 1, column = 1;

    CU_ASSERT_FATAL(at != NULL);
    for (const char *s = text; s < at; s++) {
        column = *s == '\n' ? 1 : column + ((*s & 0xc0) != 0x80);
        line += *s == '\n';
    }
    memmove(at, at + 1, strlen(at));
    snprintf(place, size, "f:%u:%u: ", line, column);
    return text;
}
