// SPDX-License-Identifier: BSD-3-Clause
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void text_add_bytes(struct text *t, const void *bytes, size_t len)
{
    if (t->len + len + 1 > t->room) {
        t->room = 2 * (t->len + len + 1);
        t->p = realloc(t->p, t->room);
        if (!t->p)
            abort();
    }
    if (len)
        memcpy(t->p + t->len, bytes, len);
    t->len += len;
    t->p[t->len] = 0;
}

static void add_list(struct text *t, const char *format, va_list args)
{
    char *piece;
    int n = vasprintf(&piece, format, args);
    if (n < 0)
        abort();
    text_add_bytes(t, piece, (size_t)n);
    free(piece);
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_list(t, format, args);
    va_end(args);
}

void text_free(struct text *t)
{
    free(t->p);
    *t = (struct text){0};
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return *p ? p + 1 : p;
}

static size_t is_header(const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0)
        return 0;
    size_t blank = strspn(line + n, " \t");
    return line[n + blank] == ':' ? n + blank + 1 : 0;
}

bool text_header(const char *message, const char *name, unsigned n, char *out, size_t size)
{
    out[0] = 0;
    for (const char *p = next_line(message); *p && *p != '\r' && *p != '\n'; p = next_line(p)) {
        size_t at = is_header(p, name);
        if (!at || n--)
            continue;
        const char *value = p + at + strspn(p + at, " \t");
        size_t len = strcspn(value, "\r\n");
        while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
            len--;
        snprintf(out, size, "%.*s", (int)len, value);
        return true;
    }
    return false;
}

unsigned text_header_count(const char *message, const char *name)
{
    char value[2];
    unsigned n = 0;
    while (text_header(message, name, n, value, sizeof value))
        n++;
    return n;
}

void text_param(const char *value, const char *param, char *out, size_t size)
{
    const char *p = strchr(value, '>');
    size_t n = strlen(param);
    out[0] = 0;
    for (p = p ? p : value; (p = strchr(p, ';'));) {
        p++;
        if (strncasecmp(p, param, n) == 0 && p[n] == '=') {
            snprintf(out, size, "%.*s", (int)strcspn(p + n + 1, ";, "), p + n + 1);
            return;
        }
    }
}

void text_uri(const char *value, char *out, size_t size)
{
    const char *open = strchr(value, '<');
    if (open)
        snprintf(out, size, "%.*s", (int)strcspn(open + 1, ">"), open + 1);
    else
        snprintf(out, size, "%.*s", (int)strcspn(value, ";"), value);
}

const char *text_body(const char *message)
{
    const char *end = strstr(message, "\r\n\r\n");
    return end ? end + 4 : message + strlen(message);
}

void head_add(struct head *h, const char *format, ...)
{
    va_list args;
    if (h->count == HEAD_MAX)
        return;
    va_start(args, format);
    if (vasprintf(&h->line[h->count++], format, args) < 0)
        abort();
    va_end(args);
}

unsigned head_remove(struct head *h, const char *name)
{
    unsigned kept = 1, gone = 0;
    for (unsigned i = 1; i < h->count; i++)
        if (is_header(h->line[i], name)) {
            free(h->line[i]);
            gone++;
        } else {
            h->line[kept++] = h->line[i];
        }
    if (h->count)
        h->count = kept;
    return gone;
}

void head_replace(struct head *h, const char *line)
{
    char name[128];
    unsigned kept = 1;
    bool done = false;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(line, ": \t"), line);
    for (unsigned i = 1; i < h->count; i++) {
        if (!is_header(h->line[i], name)) {
            h->line[kept++] = h->line[i];
            continue;
        }
        free(h->line[i]);
        if (!done && !(h->line[kept++] = strdup(line)))
            abort();
        done = true;
    }
    h->count = kept;
    if (!done)
        head_add(h, "%s", line);
}

char *head_finish(struct head *h, const char *body, size_t body_len, size_t *len)
{
    struct text t = {0};
    bool has = false;
    for (unsigned i = 0; i < h->count; i++) {
        has |= is_header(h->line[i], "Content-Length") > 0;
        text_add(&t, "%s\r\n", h->line[i]);
        free(h->line[i]);
    }
    if (!has)
        text_add(&t, "Content-Length: %zu\r\n", body_len);
    text_add_bytes(&t, "\r\n", 2);
    text_add_bytes(&t, body, body_len);
    h->count = 0;
    *len = t.len;
    return t.p;
}
