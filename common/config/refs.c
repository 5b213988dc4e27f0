// SPDX-License-Identifier: BSD-3-Clause
// References by name, profiles, and lists of items that stand in them once.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/parse.h"

static char *item_name(struct config_parser *p, enum config_list list, uint32_t i)
{
    return (char *)p->root + config_lists[list].items + i * config_lists[list].item_size;
}

static uint32_t items(struct config_parser *p, enum config_list list)
{
    uint32_t n;

    memcpy(&n, (char *)p->root + config_lists[list].count, sizeof n);
    return n;
}

// "a, b, c ...", as many as fit.
static const char *join(const char *const *names, size_t count, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (used + strlen(names[i]) + sizeof ",  ..." > size) {
            snprintf(out + used, size - used, " ...");
            break;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", names[i]);
    }
    return out;
}

// Index of the item of that name, or CONFIG_NO_INDEX, after an error if `node` is to blame.
static uint32_t find(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node)
{
    const char *s = config_string(p, o, value, node);
    const char *names[TL_TRUNKS_MAX];
    char quoted[CONFIG_QUOTE], all[200];
    uint32_t n = items(p, o->list);

    if (!s)
        return CONFIG_NO_INDEX;
    for (uint32_t i = 0; i < n; i++) {
        names[i] = item_name(p, o->list, i);
        if (strcmp(names[i], s) == 0)
            return i;
    }
    if (p->broken[o->list])
        return CONFIG_NO_INDEX;
    const char *meant = config_nearest(s, names, n);
    const char *noun = config_lists[o->list].noun;
    config_quote(s, quoted);
    if (meant)
        config_complain(p, node, NULL, "no %s is called %s; did you mean \"%s\"?", noun, quoted, meant);
    else if (n)
        config_complain(p, node, NULL, "no %s is called %s; expected one of %s", noun, quoted,
                        join(names, n, all, sizeof all));
    else
        config_complain(p, node, NULL, "no %s is called %s; expected one from %s, which has none", noun,
                        quoted, config_lists[o->list].path);
    return CONFIG_NO_INDEX;
}

bool config_set_reference(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                          char *base)
{
    uint32_t i = find(p, o, value, node);

    memcpy(base + o->offset, &i, sizeof i);
    if (o->size2)
        config_store(base + o->offset2, o->size2, 0);
    return i != CONFIG_NO_INDEX;
}

// Takes over the switches that the profile names.
bool config_set_profile(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        char *base)
{
    uint32_t i = find(p, o, value, node);

    if (i == CONFIG_NO_INDEX)
        return false;
    const struct block *block = NULL;
    for (size_t k = 0; k < block_count(&config_top); k++)
        if (block_option(&config_top, k)->list == LIST_PROFILES)
            block = block_option(&config_top, k)->block;
    const json_t *profile = json_array_get(json_object_get(p->top, config_lists[LIST_PROFILES].path), i);
    const char *from = item_name(p, LIST_PROFILES, i);
    for (size_t k = 0; block && k < block->shared_count; k++) {
        const struct option *s = &block->shared[k];
        if (!json_object_get(profile, s->name))
            continue;
        memcpy(base + s->offset, from + s->offset, s->size);
        memcpy(base + s->offset2, from + s->offset2, s->size2);
    }
    return true;
}

// ---- lists of numbers, suites and names, each of them once

static bool item(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                 uint32_t *out)
{
    char quoted[CONFIG_QUOTE];

    if (o->type == OPTION_NUMBER)
        return config_number(p, o, value, node, out);
    if (o->type == OPTION_REF)
        return (*out = find(p, o, value, node)) != CONFIG_NO_INDEX;
    if (o->type == OPTION_WORD)
        return config_word(p, o, value, node, out);
    const char *s = config_string(p, o, value, node);
    if (!s)
        return false;
    *out = tl_suite_by_name(s, (unsigned)strlen(s));
    if (*out == TL_SUITE_NONE)
        config_refuse(p, o, node, "%s is no suite we have", config_quote(s, quoted));
    return *out != TL_SUITE_NONE;
}

bool config_set_items(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      char *base)
{
    uint32_t *field = (uint32_t *)(void *)(base + o->offset);
    size_t room = o->size / sizeof *field, n = json_array_size(value);
    bool good = true;
    struct option one = *o; // what an item takes

    one.type = o->type == OPTION_NUMBERS ? OPTION_NUMBER
               : o->type == OPTION_REFS  ? OPTION_REF
               : o->type == OPTION_WORDS ? OPTION_WORD
                                         : OPTION_SUITE;
    config_store(base + o->offset2, o->size2, 0);
    if (!config_array(p, o, value, node, 1, room))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = scan_item(&p->scan, node, i);
        if (!item(p, &one, json_array_get(value, i), at, &field[i])) {
            good = false;
            field[i] = CONFIG_NO_INDEX;
            continue;
        }
        for (uint32_t k = 0; k < i && !(o->flags & OPTION_REPEATED); k++)
            if (field[k] == field[i]) {
                config_complain(p, at, NULL, "is in the list already; expected each item once");
                good = false;
                break;
            }
    }
    config_store(base + o->offset2, o->size2, (uint32_t)n);
    return good;
}
