// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ctl/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16, GAP = 2 };

// Columns that a UTF-8 text takes, each character being one.
static size_t width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

// C0, DEL and C1 (U+0080 to U+009F), which a terminal could take for commands.
static void defuse(char *text)
{
    for (unsigned char *s = (unsigned char *)text; *s; s++) {
        if (*s < ' ' || *s == 0x7f)
            *s = '?';
        else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
            s[0] = s[1] = '?';
    }
}

char *value_text(const json_t *value)
{
    char *text = NULL;

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        text = strdup(json_string_length(value) ? json_string_value(value) : "-");
        break;
    case JSON_INTEGER:
        if (asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < 0)
            return NULL;
        break;
    case JSON_REAL:
        if (asprintf(&text, "%.1f", json_real_value(value)) < 0)
            return NULL;
        break;
    case JSON_TRUE:
        text = strdup("yes");
        break;
    case JSON_FALSE:
        text = strdup("no");
        break;
    case JSON_NULL:
        text = strdup("-");
        break;
    default:
        text = json_dumps(value, JSON_COMPACT);
    }
    if (text)
        defuse(text);
    return text;
}

static const json_t *member(const json_t *object, const char *key)
{
    char word[64];

    for (;;) {
        size_t len = strcspn(key, ".");
        snprintf(word, sizeof word, "%.*s", (int)len, key);
        object = json_object_get(object, word);
        if (!key[len])
            return object;
        key += len + 1;
    }
}

static void pad(size_t n)
{
    printf("%*s", (int)n, "");
}

enum side { LEFT, RIGHT };

// A cell and, unless the line ends behind it, what fills its column.
static void print_cell(const char *text, size_t column_width, enum side side, char behind)
{
    size_t blank = column_width - width(text);

    if (side == RIGHT)
        pad(blank);
    fputs(text, stdout);
    if (behind == '\n')
        putchar('\n');
    else
        pad((side == RIGHT ? 0 : blank) + GAP);
}

void table_print(const struct column *columns, size_t count, const json_t *rows)
{
    size_t widest[COLUMNS_MAX], n = json_array_size(rows);
    enum side side[COLUMNS_MAX];

    for (size_t c = 0; c < count && c < COLUMNS_MAX; c++) {
        widest[c] = width(columns[c].title);
        side[c] = LEFT;
        for (size_t r = 0; r < n; r++) {
            const json_t *value = member(json_array_get(rows, r), columns[c].key);
            char *text = value_text(value);
            if (text && width(text) > widest[c])
                widest[c] = width(text);
            side[c] = json_is_number(value) ? RIGHT : side[c];
            free(text);
        }
    }
    for (size_t c = 0; c < count; c++)
        print_cell(columns[c].title, widest[c], side[c], c + 1 == count ? '\n' : ' ');
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < count; c++) {
            char *text = value_text(member(json_array_get(rows, r), columns[c].key));
            print_cell(text ? text : "-", widest[c], side[c], c + 1 == count ? '\n' : ' ');
            free(text);
        }
    }
}

// Calls `leaf` for every value below `value` that is neither an object nor an array with something in it.
static void walk(const json_t *value, const char *path,
                 void (*leaf)(const char *path, const json_t *value, size_t *widest), size_t *widest)
{
    char *inner = NULL;
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_object(value) && json_object_size(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, child)
        {
            if (asprintf(&inner, "%s%s%s", path, path[0] ? "." : "", key) < 0)
                return;
            walk(child, inner, leaf, widest);
            free(inner);
        }
    } else if (json_is_array(value) && json_array_size(value)) {
        json_array_foreach(value, i, child)
        {
            if (asprintf(&inner, "%s[%zu]", path, i) < 0)
                return;
            walk(child, inner, leaf, widest);
            free(inner);
        }
    } else {
        leaf(path, value, widest);
    }
}

static void measure(const char *path, const json_t *value, size_t *widest)
{
    (void)value;
    if (width(path) > *widest)
        *widest = width(path);
}

static void print_member(const char *path, const json_t *value, size_t *widest)
{
    char *text = value_text(value), *name = strdup(path);

    if (text && name) {
        defuse(name);
        print_cell(name, *widest, LEFT, ' ');
        puts(text);
    }
    free(text);
    free(name);
}

void members_print(const json_t *object)
{
    size_t widest = 0;

    walk(object, "", measure, &widest);
    walk(object, "", print_member, &widest);
}
