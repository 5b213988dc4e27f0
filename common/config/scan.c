// SPDX-License-Identifier: BSD-3-Clause
#include "common/config/scan.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Room for one more node, doubling. SCAN_NONE without memory.
static uint32_t add(struct scan *scan, uint32_t *room, uint32_t parent, uint32_t value)
{
    if (scan->count == *room) {
        uint32_t more = *room ? *room * 2 : 64;
        struct scan_node *grown = realloc(scan->nodes, more * sizeof *grown);
        if (!grown)
            return SCAN_NONE;
        scan->nodes = grown;
        *room = more;
    }
    uint32_t n = scan->count++;
    scan->nodes[n] = (struct scan_node){
        .parent = parent, .first = SCAN_NONE, .last = SCAN_NONE, .next = SCAN_NONE, .value = value};
    if (parent != SCAN_NONE) {
        struct scan_node *p = &scan->nodes[parent];
        if (p->last == SCAN_NONE) {
            p->first = n;
        } else {
            scan->nodes[p->last].next = n;
            scan->nodes[n].index = scan->nodes[p->last].index + 1;
        }
        p->last = n;
    }
    return n;
}

// Offset behind the string whose opening quote is at `pos`.
static size_t behind_string(const struct scan *scan, size_t pos)
{
    for (pos++; pos < scan->len; pos++) {
        if (scan->text[pos] == '\\')
            pos++;
        else if (scan->text[pos] == '"')
            return pos + 1;
    }
    return scan->len;
}

static size_t behind_literal(const struct scan *scan, size_t pos)
{
    while (pos < scan->len && !memchr(" \t\r\n,:[]{}\"", scan->text[pos], 11))
        pos++;
    return pos;
}

int scan_init(struct scan *scan, const char *text, size_t len)
{
    uint32_t room = 0, open = SCAN_NONE, key = 0, key_len = 0;
    size_t pos = 0;

    *scan = (struct scan){.text = text, .len = len};
    while (pos < len) {
        char c = text[pos];
        if (memchr(" \t\r\n,:", c, 6)) {
            pos++;
            continue;
        }
        if (c == '}' || c == ']') {
            if (open != SCAN_NONE)
                open = scan->nodes[open].parent;
            pos++;
            continue;
        }
        bool in_object = open != SCAN_NONE && text[scan->nodes[open].value] == '{';
        if (in_object && !key && c == '"') {
            size_t end = behind_string(scan, pos);
            key = (uint32_t)pos + 1;
            key_len = end - pos >= 2 ? (uint32_t)(end - pos - 2) : 0;
            pos = end;
            continue;
        }
        uint32_t n = add(scan, &room, open, (uint32_t)pos);
        if (n == SCAN_NONE) {
            scan_fini(scan);
            return -ENOMEM;
        }
        scan->nodes[n].key = key;
        scan->nodes[n].key_len = key_len;
        key = key_len = 0;
        if (c == '{' || c == '[') {
            open = n;
            pos++;
        } else {
            size_t end = c == '"' ? behind_string(scan, pos) : behind_literal(scan, pos);
            pos = end > pos ? end : pos + 1;
        }
    }
    return 0;
}

void scan_fini(struct scan *scan)
{
    free(scan->nodes);
    *scan = (struct scan){0};
}

size_t scan_key(const struct scan *scan, uint32_t node, char *out, size_t size)
{
    const struct scan_node *n = &scan->nodes[node];
    const char *raw = scan->text + n->key;
    size_t len = n->key_len;
    json_t *plain = NULL;

    if (memchr(raw, '\\', len)) {
        plain = json_loadb(raw - 1, len + 2, JSON_DECODE_ANY, NULL);
        if (plain && json_is_string(plain)) {
            raw = json_string_value(plain);
            len = json_string_length(plain);
        }
    }
    if (len > size - 1)
        len = size - 1;
    memcpy(out, raw, len);
    out[len] = '\0';
    json_decref(plain);
    return len;
}

uint32_t scan_find(const struct scan *scan, uint32_t node, const char *key)
{
    uint32_t found = SCAN_NONE;
    char plain[64];

    if (node >= scan->count)
        return SCAN_NONE;
    for (uint32_t c = scan->nodes[node].first; c != SCAN_NONE; c = scan->nodes[c].next)
        if (scan->nodes[c].key && scan_key(scan, c, plain, sizeof plain) && strcmp(plain, key) == 0)
            found = c;
    return found;
}

uint32_t scan_item(const struct scan *scan, uint32_t node, uint32_t index)
{
    if (node >= scan->count)
        return SCAN_NONE;
    uint32_t c = scan->nodes[node].first;
    while (c != SCAN_NONE && index--)
        c = scan->nodes[c].next;
    return c;
}

void scan_position(const struct scan *scan, size_t offset, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < scan->len; i++) {
        if (scan->text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)scan->text[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

void scan_path(const struct scan *scan, uint32_t node, char *out, size_t size)
{
    enum { DEPTH = 8 }; // the configuration nests four deep; what lies deeper is not looked at
    uint32_t up[DEPTH];
    unsigned depth = 0;
    size_t used = 0;

    out[0] = '\0';
    while (node < scan->count && scan->nodes[node].parent != SCAN_NONE && depth < DEPTH) {
        up[depth++] = node;
        node = scan->nodes[node].parent;
    }
    while (depth-- && used < size - 1) {
        const struct scan_node *n = &scan->nodes[up[depth]];
        if (n->key) {
            char key[64];
            scan_key(scan, up[depth], key, sizeof key);
            for (char *p = key; *p; p++)
                if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
                    *p = '?';
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "." : "", key);
        } else {
            used += (size_t)snprintf(out + used, size - used, "[%u]", n->index);
        }
    }
}
