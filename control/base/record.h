// SPDX-License-Identifier: BSD-3-Clause
// Records: how the owner of a state saves it and reads it back after a restart. Text, so that people can read
// it: sections with a version, in them lines of a name and a value, and further sections.
//
//   call 1 {
//   trunk core
//   leg 1 {
//   version 4611686018427387904
//   key 00ff12
//   }
//   }
//
// Values are decimal numbers, bytes in hexadecimal, or text in which what is no printable ASCII, a blank at an
// end, '%' and '{' stand as %XX. Names are a-z, 0-9 and '_'. A reader asks by name: what it does not know it does not see,
// and the order does not matter, so records of other versions can be read. Nothing here allocates. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_NAME_MAX = 32,       // bytes of a name with its final NUL
    RECORD_DEPTH_MAX = 8,       // sections in each other
    RECORD_BYTES_MAX = 1 << 20, // of a record that is read
};

// ---- writing ------------------------------------------------------------------------------------------

struct record_writer {
    char *out;
    size_t cap, len;
    unsigned depth;
    bool bad;  // a name that is none, too deep, or a section that was not begun
    bool full; // cap was too little
};

// Writes into `cap` bytes at `out`, which are the caller's. What was written may hold keys: the caller wipes it.
void record_writer_init(struct record_writer *w, char *out, size_t cap);

// A section; each record_begin() needs its record_end(). version 1..UINT32_MAX.
void record_begin(struct record_writer *w, const char *name, uint32_t version);
void record_end(struct record_writer *w);

// A line. After an error they do nothing: record_finish() says so.
void record_put_number(struct record_writer *w, const char *name, uint64_t value);
void record_put_bytes(struct record_writer *w, const char *name, const void *bytes, size_t len);
void record_put_text(struct record_writer *w, const char *name, const char *text);

// Ends the record. Returns its length, without a NUL; -ENOSPC when `cap` was too little, -EINVAL for a wrong name,
// a section left open or ended once too often.
int record_finish(const struct record_writer *w);

// ---- reading ------------------------------------------------------------------------------------------

// A section that is being read; points into the caller's text.
struct record {
    const char *p;
    size_t len;
    uint32_t version;
    bool bad;  // something that was asked for is missing or malformed
    size_t at; // where the next name is looked for first
};

// Opens the section `name`, which is the whole text, after looking through all of it. 0; -EINVAL for what is
// no record, another section, or more than RECORD_BYTES_MAX or RECORD_DEPTH_MAX.
int record_open(struct record *out, const char *text, size_t len, const char *name);

// Opens the `n`-th section of that name inside `in`, counted from 0. 0 or -ENOENT.
int record_section(const struct record *in, const char *name, unsigned n, struct record *out);

// Whether there is a line of that name.
bool record_has(const struct record *r, const char *name);

// The values. One that is missing (where no `otherwise` can stand for it), malformed, above `max` or of another size
// sets r->bad and gives 0 (nothing, ""): read all of it, then look at r->bad once.
uint64_t record_number(struct record *r, const char *name, uint64_t max);
uint64_t record_number_or(struct record *r, const char *name, uint64_t max, uint64_t otherwise);
void record_bytes(struct record *r, const char *name, void *out, size_t len);        // exactly `len`
size_t record_bytes_upto(struct record *r, const char *name, void *out, size_t cap); // returns how many
void record_text(struct record *r, const char *name, char *out, size_t cap);         // with its NUL
