// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/tally.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t tally_percentile(uint32_t *values, size_t count, uint32_t percent)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, ascending);
    const size_t rank = (count * percent + 99) / 100;
    return values[rank == 0 ? 0 : rank - 1];
}

void tally_json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c > 0x7e)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}
