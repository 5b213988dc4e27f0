// SPDX-License-Identifier: BSD-3-Clause
#include "common/header_names.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static const struct tl_header headers[TL_HEADER_ID_COUNT] = {
#define X(id, name, compact, rule, messages, doc)                                                            \
    [TL_HEADER_ID_##id] = {name, sizeof(name) - 1, compact, TL_HEADER_##rule, messages, doc},
    TL_HEADERS(X)
#undef X
};

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

enum { LETTERS = 'z' - 'a' + 1 };

// The first header of each letter, in the order of the table, and behind the last one the end.
static uint8_t first_of[LETTERS + 1];
static_assert(TL_HEADER_ID_COUNT <= UINT8_MAX, "a place in the table is a byte");

// Before main(), so that any thread may look.
__attribute__((constructor)) static void find_letters(void)
{
    unsigned id = TL_HEADER_ID_NONE + 1;
    for (int i = 0; i <= LETTERS; i++) {
        while (id < TL_HEADER_ID_COUNT && lower(headers[id].name[0]) < 'a' + i)
            id++;
        first_of[i] = (uint8_t)id;
    }
}

static bool is_name(const char *name, const char *full, size_t len)
{
    size_t i = 0;
    while (i < len && lower(name[i]) == lower(full[i]))
        i++;
    return i == len;
}

enum tl_header_id tl_header_id(const char *name, size_t len)
{
    int letter = len ? lower(name[0]) - 'a' : -1;

    if (letter < 0 || letter >= LETTERS)
        return TL_HEADER_ID_NONE;
    if (len == 1) {
        for (unsigned i = TL_HEADER_ID_NONE + 1; i < TL_HEADER_ID_COUNT; i++)
            if (headers[i].compact == letter + 'a')
                return (enum tl_header_id)i;
        return TL_HEADER_ID_NONE;
    }
    // those of one letter and length: most often one
    for (unsigned i = first_of[letter]; i < first_of[letter + 1]; i++)
        if (headers[i].len == len && is_name(name, headers[i].name, len))
            return (enum tl_header_id)i;
    return TL_HEADER_ID_NONE;
}

const struct tl_header *tl_header(enum tl_header_id id)
{
    return id > TL_HEADER_ID_NONE && id < TL_HEADER_ID_COUNT ? &headers[id] : NULL;
}

const struct tl_header *tl_header_find(const char *name, size_t len)
{
    return tl_header(tl_header_id(name, len));
}

bool tl_header_is_own(const char *name, size_t len)
{
    static const char content[] = "Content-";
    const struct tl_header *h = tl_header_find(name, len);

    if (h)
        return h->rule == TL_HEADER_OWN;
    return len >= sizeof content - 1 && strncasecmp(name, content, sizeof content - 1) == 0;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-.!%*_+`'~", c));
}

bool tl_header_is_token(const char *name, size_t len)
{
    size_t i = 0;

    while (i < len && is_token_char(name[i]))
        i++;
    return len && i == len;
}

bool tl_header_fits(const char *pattern, const char *name, size_t len)
{
    const char *star = NULL; // behind the last '*'
    size_t at = 0, mark = 0; // where what it stands for ends

    while (at < len) {
        if (*pattern == '*') {
            star = ++pattern;
            mark = at;
        } else if (*pattern && lower(*pattern) == lower(name[at])) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

void tl_header_print_table(FILE *out)
{
    static const unsigned columns[] = {TL_MSG_SETUP,   TL_MSG_PROVISIONAL, TL_MSG_SUCCESS,
                                       TL_MSG_FAILURE, TL_MSG_DIALOG,      TL_MSG_CANCEL};
    const char *between = "";

    fputs("| header | set-up | 101 to 199 | 2xx | 300 to 699 | inside | CANCEL | what is done with it |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
    for (unsigned i = TL_HEADER_ID_NONE + 1; i < TL_HEADER_ID_COUNT; i++) {
        const struct tl_header *h = &headers[i];
        if (!h->doc)
            continue;
        fprintf(out, "| `%s` |", h->name);
        for (unsigned c = 0; c < sizeof columns / sizeof columns[0]; c++)
            fputs(h->messages & columns[c] ? " passes |" : " |", out);
        fprintf(out, " %s |\n", h->doc);
    }
    fputs("\nAlways ours, and refused in a trunk's `headers`: ", out);
    for (unsigned i = TL_HEADER_ID_NONE + 1; i < TL_HEADER_ID_COUNT; i++)
        if (headers[i].rule == TL_HEADER_OWN) {
            fprintf(out, "%s`%s`", between, headers[i].name);
            between = ", ";
        }
    fputs(", and every other `Content-...`.\n", out);
}
