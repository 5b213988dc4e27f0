// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/argtext.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int argtext_complain(struct complaint *c, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(c->text, c->size, format, ap);
    va_end(ap);
    return -EINVAL;
}

int argtext_number_of(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
    uint64_t n = 0;

    if (*text == 0)
        return -EINVAL;
    for (const char *c = text; *c != 0; c++) {
        if (*c < '0' || *c > '9')
            return -EINVAL;
        n = n * 10 + (uint64_t)(*c - '0');
        if (n > max)
            return -EINVAL;
    }
    if (n < min)
        return -EINVAL;
    *value = (uint32_t)n;
    return 0;
}

int argtext_number(struct complaint *c, const char *name, const char *text, uint32_t min, uint32_t max,
                   uint32_t *value)
{
    if (argtext_number_of(text, min, max, value) == 0)
        return 0;
    return argtext_complain(c, "--%s: expected a number from %u to %u, got '%s'", name, min, max, text);
}

int argtext_word(struct complaint *c, const char *name, const char *text, const char *const *words, int count,
                 int *value)
{
    char list[256] = "";

    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return 0;
        }
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                 i == 0           ? ""
                 : i == count - 1 ? " or "
                                  : ", ",
                 words[i]);
    }
    return argtext_complain(c, "--%s: expected %s, got '%s'", name, list, text);
}
