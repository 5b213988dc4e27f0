// SPDX-License-Identifier: BSD-3-Clause
// SIP messages as text, for parties that must be able to say anything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A text that grows.
struct text {
    char *p;
    size_t len, room;
};

__attribute__((format(printf, 2, 3))) void text_add(struct text *t, const char *format, ...);
void text_add_bytes(struct text *t, const void *bytes, size_t len);
void text_free(struct text *t);

// The n-th header of that name (0 ..) into `out`, without the blanks around it. false: there is none; out is "".
bool text_header(const char *message, const char *name, unsigned n, char *out, size_t size);
unsigned text_header_count(const char *message, const char *name);

// Value of a parameter (";tag=") outside <>, "" without.
void text_param(const char *value, const char *param, char *out, size_t size);

// What stands between < and >, else all before ';'.
void text_uri(const char *value, char *out, size_t size);

// Where the body begins; points at the final NUL without one.
const char *text_body(const char *message);

// The header lines of a message, to be changed one by one.
enum { HEAD_MAX = 400 };
struct head {
    char *line[HEAD_MAX]; // 0 is the start line
    unsigned count;
};

__attribute__((format(printf, 2, 3))) void head_add(struct head *h, const char *format, ...);
// Takes away every header of that name. Returns how many.
unsigned head_remove(struct head *h, const char *name);
// "Name: value" in place of the first of that name, the others go; added when there is none.
void head_replace(struct head *h, const char *line);
// Writes the message, with a Content-Length when none is there. Frees the lines. The caller frees the result.
char *head_finish(struct head *h, const char *body, size_t body_len, size_t *len);
