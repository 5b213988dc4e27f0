// SPDX-License-Identifier: BSD-3-Clause
// Regular expressions of the configuration (PCRE2), compiled once, with a bound on what a match may cost. PCRE2 ends in
// pattern.c. A pattern is used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tl_pattern;

enum {
    TL_PATTERN_LEN = 128,        // bytes of a pattern, with its final NUL
    TL_TEMPLATE_LEN = 64,        // of what replaces a match
    TL_PATTERN_MATCH_MAX = 2000, // steps of a match, and its depth, before it gives up
};

// Compiles a pattern of Perl's syntax over bytes, by PCRE2's JIT where there is one. Returns 0 and *out, which
// tl_pattern_free() frees; -EINVAL and a sentence in `why` for one that is none; -ENOMEM.
int tl_pattern_compile(const char *text, struct tl_pattern **out, char *why, size_t why_size);
void tl_pattern_free(struct tl_pattern *pattern); // NULL is ignored

// Whether it fits somewhere in the subject: 1, 0, or -ELOOP when it gave up.
int tl_pattern_match(const struct tl_pattern *pattern, const char *subject);

// Writes the subject with `to` in place of what the pattern fits first. In `to` $1 to $9 and ${12} stand for groups, which are
// empty where they took no part, and $$ for a dollar. Returns 0; -ENOENT: it does not fit; -ELOOP: it gave up; -EMSGSIZE.
int tl_pattern_replace(const struct tl_pattern *pattern, const char *subject, const char *to, char *out,
                       size_t size);

// Whether `to` is well-formed and names only groups that the pattern has.
bool tl_pattern_has_groups(const struct tl_pattern *pattern, const char *to);

// The digits, with a '+' before them perhaps, that every subject begins with that this pattern fits; "" where that is not
// plain to see. Returns out.
const char *tl_pattern_beginning(const char *text, char *out, size_t size);
