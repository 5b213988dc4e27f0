// SPDX-License-Identifier: BSD-3-Clause
// Passwords: read from a file that nobody else can read, kept where no core dump looks, wiped when they are no longer
// needed.
#pragma once

#include <stddef.h>

enum { SECRET_MAX = 256 }; // bytes of a password with its final NUL

// Reads the password in a file: its first line, without the line's end. The file must be a regular one that belongs to
// us or to root, and that neither its group nor others may read, write or execute. Returns its length, at least 1, and
// the password with a final NUL in `out`, which the caller wipes; -EACCES (who else may read it), -EINVAL (no regular
// file; empty, too long or with a NUL) or another -errno, with one sentence in `why` and nothing in `out`. Any thread.
int secret_read(const char *path, char out[static SECRET_MAX], char *why, size_t why_size);

// Zeroed memory for secrets that core dumps leave out and that is not swapped where the limits allow it. A page at least.
// NULL without memory. Any thread.
void *secret_alloc(size_t size);

// Wipes it and gives it back. `size` is what was asked for. NULL is ignored.
void secret_free(void *memory, size_t size);
