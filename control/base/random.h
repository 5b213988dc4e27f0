// SPDX-License-Identifier: BSD-3-Clause
// Random bytes for what must not be guessed: keys, tags, branches, names of sessions.
#pragma once

#include <stddef.h>

// Fills `out` with `len` bytes of the kernel's. They are fetched some at a time and each is given once: what was given is
// wiped here. Any thread. 0 or -errno, then nothing of `out` may be used.
int random_bytes(void *out, size_t len);
