// SPDX-License-Identifier: BSD-3-Clause
// Words and numbers on a command line, and the sentence said about a wrong one. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Where the sentence goes: `size` bytes that the caller owns.
struct complaint {
    char *text;
    size_t size;
};

// Writes the sentence. Returns -EINVAL, for the caller to pass on.
__attribute__((format(printf, 2, 3))) int argtext_complain(struct complaint *c, const char *format, ...);

// Decimal digits only, from `min` to `max`: no sign, no blank, no trailing text. 0 or -EINVAL, without a
// sentence.
int argtext_number_of(const char *text, uint32_t min, uint32_t max, uint32_t *value);

// The same for the value of option `name`, with a sentence.
int argtext_number(struct complaint *c, const char *name, const char *text, uint32_t min, uint32_t max,
                   uint32_t *value);

// The place of `text` in the list of `count` words, put into `value`. 0 or -EINVAL with a sentence that
// lists them.
int argtext_word(struct complaint *c, const char *name, const char *text, const char *const *words, int count,
                 int *value);
