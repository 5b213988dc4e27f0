// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/random.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 256 }; // what getentropy() gives

static _Thread_local unsigned char pool[AT_ONCE];
static _Thread_local size_t left;

int random_bytes(void *out, size_t len)
{
    for (size_t n; len > 0; len -= n, out = (char *)out + n) {
        if (left == 0 && getentropy(pool, sizeof pool) != 0)
            return -errno;
        if (left == 0)
            left = sizeof pool;
        n = len < left ? len : left;
        left -= n;
        memcpy(out, pool + left, n);
        explicit_bzero(pool + left, n);
    }
    return 0;
}
