// SPDX-License-Identifier: BSD-3-Clause
// Text from outside, as it is shown to people. Any thread.
#pragma once

#include <stddef.h>

enum { TEXT_SHOWN_MAX = 512 }; // of what TEXT_SHOWN() shows, with its final NUL

// Writes `len` bytes as UTF-8 that can go to a log, a terminal and JSON: printable characters as they are; control
// characters, what reorders or ends lines, and bytes that are no UTF-8 as \xNN. Cut to size - 1 bytes, never in the
// middle of a character or an escape, and ended by a NUL. size > 0. Returns out.
char *text_escape(const char *in, size_t len, char *out, size_t size);

// The same of a string, inside an expression: the text lives until the block ends. NULL is "".
#define TEXT_SHOWN(s) text_shown((s), (char[TEXT_SHOWN_MAX]){""})
char *text_shown(const char *s, char out[static TEXT_SHOWN_MAX]);
