// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/record.h"
#include "common/number.h"

#include <errno.h>
#include <string.h>

static const char hex[] = "0123456789abcdef";

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// ---- writing ------------------------------------------------------------------------------------------

void record_writer_init(struct record_writer *w, char *out, size_t cap)
{
    *w = (struct record_writer){.out = out, .cap = cap};
}

static void put_char(struct record_writer *w, char c)
{
    if (w->len < w->cap)
        w->out[w->len++] = c;
    else
        w->full = true;
}

static void put_number(struct record_writer *w, uint64_t value)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0)
        put_char(w, digits[--n]);
}

// The name and the blank behind it. False: the writer is of no use any more.
static bool put_name(struct record_writer *w, const char *name)
{
    size_t n = 0;
    while (n < RECORD_NAME_MAX && name_char(name[n]))
        n++;
    if (n == 0 || n == RECORD_NAME_MAX || name[n])
        w->bad = true;
    if (w->bad || w->full)
        return false;
    for (size_t i = 0; i < n; i++)
        put_char(w, name[i]);
    put_char(w, ' ');
    return true;
}

void record_begin(struct record_writer *w, const char *name, uint32_t version)
{
    if (w->depth == RECORD_DEPTH_MAX || version == 0)
        w->bad = true;
    w->depth++;
    if (!put_name(w, name))
        return;
    put_number(w, version);
    put_char(w, ' ');
    put_char(w, '{');
    put_char(w, '\n');
}

void record_end(struct record_writer *w)
{
    if (w->depth == 0)
        w->bad = true;
    else
        w->depth--;
    if (w->bad || w->full)
        return;
    put_char(w, '}');
    put_char(w, '\n');
}

void record_put_number(struct record_writer *w, const char *name, uint64_t value)
{
    if (!put_name(w, name))
        return;
    put_number(w, value);
    put_char(w, '\n');
}

void record_put_bytes(struct record_writer *w, const char *name, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    if (!put_name(w, name))
        return;
    for (size_t i = 0; i < len; i++) {
        put_char(w, hex[p[i] >> 4]);
        put_char(w, hex[p[i] & 15]);
    }
    put_char(w, '\n');
}

void record_put_text(struct record_writer *w, const char *name, const char *text)
{
    if (!put_name(w, name))
        return;
    for (size_t i = 0; text[i]; i++) {
        uint8_t c = (uint8_t)text[i];
        bool end = i == 0 || !text[i + 1];
        if (c < 0x20 || c > 0x7e || c == '%' || c == '{' || (c == ' ' && end)) {
            put_char(w, '%');
            put_char(w, hex[c >> 4]);
            put_char(w, hex[c & 15]);
        } else {
            put_char(w, (char)c);
        }
    }
    put_char(w, '\n');
}

int record_finish(const struct record_writer *w)
{
    if (w->bad || w->depth != 0)
        return -EINVAL;
    return w->full ? -ENOSPC : (int)w->len;
}

// ---- reading ------------------------------------------------------------------------------------------

enum kind { LINE, BEGIN, END };

struct line {
    enum kind kind;
    const char *name, *value;
    size_t name_len, value_len;
    uint32_t version; // of a section
    size_t next;      // where the next line begins
};

// Reads the line at `at`; false when it is none.
static bool read_line(const char *text, size_t len, size_t at, struct line *out)
{
    const char *p = text + at;
    const char *lf = at < len ? memchr(p, '\n', len - at) : NULL;
    if (!lf)
        return false;
    size_t n = (size_t)(lf - p), name = 0;
    *out = (struct line){.kind = LINE, .name = p, .next = at + n + 1};
    if (n == 1 && p[0] == '}') {
        out->kind = END;
        return true;
    }
    while (name < n && name_char(p[name]))
        name++;
    if (name == 0 || name >= RECORD_NAME_MAX || name == n || p[name] != ' ')
        return false;
    out->name_len = name;
    out->value = p + name + 1;
    out->value_len = n - name - 1;
    if (out->value_len >= 3 && memcmp(lf - 2, " {", 2) == 0) {
        uint64_t version = 0;
        if (!tl_read_number(out->value, out->value_len - 2, UINT32_MAX, &version) || version == 0)
            return false;
        out->kind = BEGIN;
        out->version = (uint32_t)version;
    }
    return true;
}

static bool named(const struct line *l, const char *name)
{
    return l->name_len == strlen(name) && memcmp(l->name, name, l->name_len) == 0;
}

int record_open(struct record *out, const char *text, size_t len, const char *name)
{
    struct line l, first = {0};
    unsigned depth = 0;
    if (len > RECORD_BYTES_MAX)
        return -EINVAL;
    for (size_t at = 0; at < len; at = l.next) {
        if (!read_line(text, len, at, &l) || (at > 0 && depth == 0) || (at == 0 && l.kind != BEGIN))
            return -EINVAL;
        if (at == 0)
            first = l;
        if (l.kind == BEGIN && ++depth > RECORD_DEPTH_MAX)
            return -EINVAL;
        if (l.kind == END)
            depth--;
    }
    if (len == 0 || depth != 0 || !named(&first, name))
        return -EINVAL;
    *out = (struct record){.p = text + first.next, .len = len - first.next - 2, .version = first.version};
    return 0;
}

// The place behind the section that was begun before `at`.
static size_t behind_section(const struct record *r, size_t at)
{
    struct line l;
    for (unsigned depth = 1; depth > 0 && read_line(r->p, r->len, at, &l); at = l.next)
        depth = l.kind == BEGIN ? depth + 1 : l.kind == END ? depth - 1 : depth;
    return at;
}

int record_section(const struct record *in, const char *name, unsigned n, struct record *out)
{
    struct line l;
    for (size_t at = 0; read_line(in->p, in->len, at, &l);) {
        at = l.next;
        if (l.kind != BEGIN)
            continue;
        at = behind_section(in, l.next);
        if (named(&l, name) && n-- == 0) {
            *out = (struct record){.p = in->p + l.next, .len = at - l.next - 2, .version = l.version};
            return 0;
        }
    }
    return -ENOENT;
}

// Looks from `from` on for the line, up to the place `to`.
static bool look(const struct record *r, const char *name, size_t from, size_t to, struct line *out)
{
    for (size_t at = from; at < to && read_line(r->p, r->len, at, out);) {
        if (out->kind == LINE && named(out, name))
            return true;
        at = out->kind == BEGIN ? behind_section(r, out->next) : out->next;
    }
    return false;
}

bool record_has(const struct record *r, const char *name)
{
    struct line l;
    return look(r, name, 0, r->len, &l);
}

// Readers mostly ask in the order of the writer, so the search begins behind the line that was found last.
static bool find(struct record *r, const char *name, struct line *out)
{
    if (!look(r, name, r->at, r->len, out) && !look(r, name, 0, r->at, out))
        return false;
    r->at = out->next;
    return true;
}

uint64_t record_number(struct record *r, const char *name, uint64_t max)
{
    struct line l;
    uint64_t n = 0;
    if (!find(r, name, &l) || !tl_read_number(l.value, l.value_len, max, &n))
        r->bad = true;
    return n;
}

uint64_t record_number_or(struct record *r, const char *name, uint64_t max, uint64_t otherwise)
{
    return record_has(r, name) ? record_number(r, name, max) : otherwise;
}

static int digit(char c)
{
    const char *at = c ? strchr(hex, c) : NULL;
    return at ? (int)(at - hex) : -1;
}

size_t record_bytes_upto(struct record *r, const char *name, void *out, size_t cap)
{
    struct line l;
    uint8_t *p = out;
    if (!find(r, name, &l) || l.value_len % 2 || l.value_len / 2 > cap) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < l.value_len / 2; i++) {
        int high = digit(l.value[2 * i]), low = digit(l.value[2 * i + 1]);
        if (high < 0 || low < 0) {
            r->bad = true;
            return 0;
        }
        p[i] = (uint8_t)(high << 4 | low);
    }
    return l.value_len / 2;
}

void record_bytes(struct record *r, const char *name, void *out, size_t len)
{
    if (record_bytes_upto(r, name, out, len) != len) {
        memset(out, 0, len);
        r->bad = true;
    }
}

// Undoes %XX; a NUL would cut the text short and is none of ours. Returns whether it fits and is well formed.
static bool unescape(const struct line *l, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < l->value_len; i++) {
        char c = l->value[i];
        if (c == '%') {
            int high = i + 2 < l->value_len ? digit(l->value[i + 1]) : -1;
            int low = high >= 0 ? digit(l->value[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c < 0x20 || c > 0x7e) {
            return false;
        }
        if (!c || n + 1 >= cap)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

void record_text(struct record *r, const char *name, char *out, size_t cap)
{
    struct line l;
    if (!find(r, name, &l) || !unescape(&l, out, cap)) {
        out[0] = 0;
        r->bad = true;
    }
}
