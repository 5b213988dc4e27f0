// SPDX-License-Identifier: BSD-3-Clause
#include "common/drops.h"

static const char *const labels[] = {
#define X(name, text) #name,
    TL_DROPS(X)
#undef X
};

static const char *const texts[] = {
#define X(name, text) text,
    TL_DROPS(X)
#undef X
};

const char *tl_drop_label(enum tl_drop reason)
{
    return labels[reason];
}

uint32_t tl_drop_digest(void)
{
    uint32_t h = 2166136261u; // FNV-1a
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        for (const char *c = labels[i];; c++) {
            h = (h ^ (unsigned char)*c) * 16777619u;
            if (*c == '\0') // counts too, so that "ab", "c" is not "a", "bc"
                break;
        }
    return h;
}

const char *tl_drop_text(enum tl_drop reason)
{
    return texts[reason];
}
