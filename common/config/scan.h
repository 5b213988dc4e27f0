// SPDX-License-Identifier: BSD-3-Clause
// Where each value of a JSON text stands. jansson keeps no positions and the last of two equal keys;
// this second look at the text keeps every key in order, with its place.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_NONE UINT32_MAX

// A value and, in an object, its key. Node 0 is the whole text's value.
struct scan_node {
    uint32_t parent;  // SCAN_NONE for node 0
    uint32_t first;   // child, in the order of the text
    uint32_t last;    // child
    uint32_t next;    // sibling
    uint32_t index;   // among the siblings, from 0
    uint32_t key;     // offset of the key's first byte behind the quote; 0: no key (array item, node 0)
    uint32_t key_len; // raw, escapes and all
    uint32_t value;   // offset of the value's first byte
};

struct scan {
    const char *text;
    size_t len;
    struct scan_node *nodes;
    uint32_t count;
};

// Scans `len` bytes (below 2^31) that jansson accepted; on other bytes it stays within them but what it
// finds is worth nothing. `text` must outlive the scan. 0, or -ENOMEM. Any thread.
int scan_init(struct scan *scan, const char *text, size_t len);
void scan_fini(struct scan *scan);

// The key of a node without its escapes, NUL-terminated. Returns its length, cut to size - 1.
size_t scan_key(const struct scan *scan, uint32_t node, char *out, size_t size);

// The last child of that key, which is the one whose value jansson keeps; SCAN_NONE if there is none.
uint32_t scan_find(const struct scan *scan, uint32_t node, const char *key);

// Child number `index`, or SCAN_NONE.
uint32_t scan_item(const struct scan *scan, uint32_t node, uint32_t index);

// Line and column, both from 1, of a byte offset; a column is a character, as editors and jansson count.
void scan_position(const struct scan *scan, size_t offset, unsigned *line, unsigned *column);

// Path of a node like `trunks[1].peer`, NUL-terminated; "" for node 0. Characters that would not show are
// '?'.
void scan_path(const struct scan *scan, uint32_t node, char *out, size_t size);
