// SPDX-License-Identifier: BSD-3-Clause
// Decimal numbers from outside. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads `len` bytes that are decimal digits and nothing else, 0..max; leading zeros are digits too. Returns false, and
// *out stays as it was, for anything else, none and too large ones among it.
bool tl_read_number(const char *s, size_t len, uint64_t max, uint64_t *out);
