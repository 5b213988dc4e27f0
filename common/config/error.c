// SPDX-License-Identifier: BSD-3-Clause
// Errors of the configuration: noted with their place, sorted, each a line.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config/parse.h"

static void note(struct config_parser *p, size_t offset, unsigned line, unsigned column, const char *path,
                 const char *format, va_list args)
{
    char *what, *text;

    if (p->kept_count == CONFIG_ERRORS_KEPT)
        return;
    if (vasprintf(&what, format, args) < 0) {
        p->no_memory = true;
        return;
    }
    if (asprintf(&text, "%s:%u:%u: %s%s%s\n", p->name, line, column, path, path[0] ? ": " : "", what) < 0) {
        p->no_memory = true;
    } else {
        p->kept[p->kept_count].offset = offset;
        p->kept[p->kept_count++].text = text;
    }
    free(what);
}

// At the value of `child` in node, or of node.
static void note_at(struct config_parser *p, uint32_t node, const char *child, const char *behind,
                    const char *format, va_list args)
{
    char path[176] = "";
    unsigned line = 1, column = 1;
    size_t offset = 0;

    if (p->kept_count == CONFIG_ERRORS_KEPT) // finding the line reads all that comes before
        return;
    if (node != SCAN_NONE) {
        uint32_t at = child ? scan_find(&p->scan, node, child) : SCAN_NONE;
        offset = p->scan.nodes[at == SCAN_NONE ? node : at].value;
        scan_position(&p->scan, offset, &line, &column);
        scan_path(&p->scan, node, path, sizeof path);
    }
    if (child) {
        size_t used = strlen(path);
        snprintf(path + used, sizeof path - used, "%s%s", used ? "." : "", child);
    }
    size_t used = strlen(path);
    snprintf(path + used, sizeof path - used, "%s", behind);
    note(p, offset, line, column, path, format, args);
}

void config_complain(struct config_parser *p, uint32_t node, const char *child, const char *format, ...)
{
    va_list args;

    p->count++;
    va_start(args, format);
    note_at(p, node, child, "", format, args);
    va_end(args);
}

void config_warn(struct config_parser *p, uint32_t node, const char *child, const char *format, ...)
{
    va_list args;

    p->warnings++;
    va_start(args, format);
    note_at(p, node, child, ": warning", format, args);
    va_end(args);
}

void config_complain_key(struct config_parser *p, uint32_t node, const char *format, ...)
{
    char path[160];
    unsigned line, column;
    size_t offset = p->scan.nodes[node].key - 1;
    va_list args;

    p->count++;
    scan_position(&p->scan, offset, &line, &column);
    scan_path(&p->scan, node, path, sizeof path);
    va_start(args, format);
    note(p, offset, line, column, path, format, args);
    va_end(args);
}

void config_complain_at(struct config_parser *p, unsigned line, unsigned column, const char *format, ...)
{
    va_list args;

    p->count++;
    va_start(args, format);
    note(p, 0, line, column, "", format, args);
    va_end(args);
}

void config_errors_fini(struct config_parser *p, struct tl_config_errors *errors)
{
    size_t used = 0;

    // insertion sort: few, and errors at one place keep their order
    for (unsigned i = 1; i < p->kept_count; i++)
        for (unsigned k = i; k && p->kept[k].offset < p->kept[k - 1].offset; k--) {
            size_t offset = p->kept[k].offset;
            char *text = p->kept[k].text;
            p->kept[k] = p->kept[k - 1];
            p->kept[k - 1].offset = offset;
            p->kept[k - 1].text = text;
        }
    errors->count = p->count;
    errors->warnings = p->warnings;
    errors->text[0] = '\0';
    for (unsigned i = 0; i < p->kept_count; i++) {
        size_t len = strlen(p->kept[i].text);
        if (used + len < sizeof errors->text) {
            memcpy(errors->text + used, p->kept[i].text, len + 1);
            used += len;
        } else {
            used = sizeof errors->text; // the first that does not fit ends the text
        }
        free(p->kept[i].text);
    }
    p->kept_count = 0;
}

const char *config_quote(const char *text, char out[CONFIG_QUOTE])
{
    const size_t room = CONFIG_QUOTE - 6; // quotes, "..." and NUL
    size_t len = 0;

    out[len++] = '"';
    while (*text && len < room) {
        unsigned char c = (unsigned char)*text++;
        out[len++] = (char)(c < ' ' || c == 0x7f ? '?' : c);
    }
    if (*text) {
        // not in the middle of a character
        while (len > 1 && ((unsigned char)*text & 0xc0) == 0x80)
            text--, len--;
        memcpy(out + len, "...", 3);
        len += 3;
    }
    out[len++] = '"';
    out[len] = '\0';
    return out;
}

// Levenshtein distance of words below 64 characters, without case.
static unsigned distance(const char *a, const char *b)
{
    unsigned row[64];
    unsigned n = (unsigned)strlen(b);

    for (unsigned k = 0; k <= n; k++)
        row[k] = k;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= n; k++) {
            unsigned best = corner + (strncasecmp(&a[i - 1], &b[k - 1], 1) != 0);
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            corner = row[k];
            row[k] = best;
        }
    }
    return row[n];
}

const char *config_nearest(const char *given, const char *const *words, size_t count)
{
    size_t len = strlen(given);
    unsigned best = len < 3 ? 0 : (unsigned)(len + 2) / 3;
    const char *found = NULL;

    if (len == 0 || len > 63)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > 63)
            continue;
        unsigned d = distance(given, words[i]);
        if (d < best || (d == best && !found)) {
            best = d;
            found = words[i];
        }
    }
    return found;
}
