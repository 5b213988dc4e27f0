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

const char *tl_drop_text(enum tl_drop reason)
{
    return texts[reason];
}
