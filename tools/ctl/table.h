// SPDX-License-Identifier: BSD-3-Clause
// Answers for people: aligned tables and lists of members. What came from the network cannot move the
// terminal.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct column {
    const char *title;
    const char *key; // of the row's member, a dot between levels
};

// Prints a title line and a line for each object in the array `rows`; numbers stand right, a missing value is
// "-".
void table_print(const struct column *columns, size_t count, const json_t *rows);

// Prints each member of an object in a line of its own, "a.b  value"; arrays as "a[0]".
void members_print(const json_t *object);

// A value as text, for the caller to free: control characters are '?', null is "-". NULL without memory.
char *value_text(const json_t *value);

// Whether an answer says under `key` that control does not reach the dataplane. show.c
bool dataplane_away(const json_t *answer, const char *key);

// Prints certificates, a line each. show_trunk.c
void certificates_print(const json_t *rows);

// Prints what `trunk` answers. show_trunk.c
void show_trunk(const json_t *trunk);

// Prints what `call` answers: both legs side by side in at most 80 columns unless names are long. show_call.c
void show_call(const json_t *call);
