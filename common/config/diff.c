// SPDX-License-Identifier: BSD-3-Clause
// What differs between two configurations, found by the table of options. Items of a list are the same where their keys are:
// the name, or for routes what makes one differ from all others.
#include "common/config/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diff {
    const struct tl_config *from, *to;
    diff_fn *fn;
    void *arg;
    bool no_memory;
};

static bool is_key(const struct option *o)
{
    return strcmp(o->name, "name") == 0 || o->flags & OPTION_KEY;
}

static enum tl_config_when when_of(const struct block *block, const struct option *o)
{
    return o->when ? o->when : block->when;
}

// Bytes that are the same say the same, except in what refers to an item by its index.
static bool same_bytes(const struct option *o, const char *a, const char *b)
{
    return o->type != OPTION_REF && o->type != OPTION_REFS &&
           memcmp(a + o->offset, b + o->offset, o->size) == 0 &&
           memcmp(a + o->offset2, b + o->offset2, o->size2) == 0;
}

static void compare_option(struct diff *d, const struct option *o, const char *a, const char *b,
                           struct tl_config_change *change, struct diff_place *place)
{
    if (same_bytes(o, a, b))
        return;
    char *from = config_value_text(o, d->from, a), *to = config_value_text(o, d->to, b);
    if (!from || !to) {
        d->no_memory = true;
    } else if (strcmp(from, to) != 0) {
        change->key = o->name;
        change->from = from;
        change->to = to;
        place->option = o;
        d->fn(d->arg, change, place);
    }
    free(from);
    free(to);
}

// A list inside of an item of another, whose own items have no names: whether it is the same, and how long it is.
static void compare_nested(struct diff *d, const struct option *o, const char *a, const char *b,
                           struct tl_config_change *change, struct diff_place *place)
{
    uint32_t n, m;
    char from[32], to[32];
    memcpy(&n, a + o->offset2, sizeof n);
    memcpy(&m, b + o->offset2, sizeof m);
    if (n == m && memcmp(a + o->offset, b + o->offset, n * o->block->size) == 0)
        return;
    snprintf(from, sizeof from, "%u of them", n);
    snprintf(to, sizeof to, n == m ? "%u others" : "%u of them", m);
    change->key = o->name;
    change->from = from;
    change->to = to;
    place->option = o;
    d->fn(d->arg, change, place);
}

// Options of two structs of the block; and of blocks in it; lists of named items are not looked at.
static void compare_options(struct diff *d, const struct block *block, const char *a, const char *b,
                            struct tl_config_change change, struct diff_place place)
{
    for (size_t i = 0; i < block_count(block); i++) {
        const struct option *o = block_option(block, i);
        if (o->type == OPTION_BLOCK)
            compare_options(d, o->block, a + o->offset, b + o->offset, change, place);
        bool nested = o->type == OPTION_LIST && o->list > LIST_ROUTES;
        if (o->type == OPTION_BLOCK || (o->type == OPTION_LIST && !nested) || o->type == OPTION_PROFILE ||
            is_key(o))
            continue;
        change.what = TL_CONFIG_CHANGED;
        change.when = when_of(block, o);
        if (nested)
            compare_nested(d, o, a, b, &change, &place);
        else
            compare_option(d, o, a, b, &change, &place);
    }
}

// ---- lists

struct entry {
    char *key;
    uint32_t index;
};

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

// What an item is known by: `"49" "core"`, without the quotes of a lone name.
static char *key_of(const struct block *block, const struct tl_config *config, const char *item)
{
    char *key = NULL;
    unsigned parts = 0;

    for (size_t i = 0; i < block->own_count; i++) {
        const struct option *o = &block->own[i];
        char *text = is_key(o) ? config_value_text(o, config, item) : NULL, *both = NULL;
        if (!is_key(o))
            continue;
        if (text && parts && (strcmp(text, o->preset ? o->preset : "\"\"") == 0)) { // not said in the file
            free(text);
            continue;
        }
        if (!text || asprintf(&both, "%s%s%s", key ? key : "", key ? " " : "", text) < 0)
            both = NULL;
        free(text);
        free(key);
        key = both;
        if (!key)
            return NULL;
        parts++;
    }
    size_t len = key ? strlen(key) : 0;
    if (parts == 1 && len >= 2 && key[0] == '"') { // a lone text
        memmove(key, key + 1, len - 2);
        key[len - 2] = '\0';
    }
    return key;
}

struct entries {
    struct entry *entry;
    uint32_t count;
};

static void entries_free(struct entries *e)
{
    for (uint32_t i = 0; e->entry && i < e->count; i++)
        free(e->entry[i].key);
    free(e->entry);
}

static bool entries_read(struct entries *e, const struct option *list, const struct tl_config *config,
                         const char *base)
{
    *e = (struct entries){.count = config_read_number(base + list->offset2, list->size2)};
    e->entry = calloc(e->count ? e->count : 1, sizeof *e->entry);
    for (uint32_t i = 0; e->entry && i < e->count; i++) {
        e->entry[i].index = i;
        e->entry[i].key = key_of(list->block, config, base + list->offset + i * list->block->size);
        if (!e->entry[i].key)
            return false;
    }
    if (e->entry)
        qsort(e->entry, e->count, sizeof *e->entry, by_key);
    return e->entry != NULL;
}

static void tell_item(struct diff *d, const struct option *list, enum tl_config_what what,
                      const struct block *in, const struct entry *e)
{
    const struct tl_config_change change = {
        .what = what, .when = when_of(in, list), .noun = config_lists[list->list].noun, .name = e->key};
    const struct diff_place place = {
        .option = list, .list = list, .index = what == TL_CONFIG_REMOVED ? UINT32_MAX : e->index};

    d->fn(d->arg, &change, &place);
}

// Numbers of such items outlive a reload: one may not become another's.
static void compare_order(struct diff *d, const struct option *list, const struct entry *old,
                          const struct entry *new)
{
    char from[16], to[16];

    if (list->when != TL_CONFIG_RESTART || old->index == new->index)
        return;
    snprintf(from, sizeof from, "%u", old->index);
    snprintf(to, sizeof to, "%u", new->index);
    const struct tl_config_change change = {.what = TL_CONFIG_CHANGED,
                                            .when = list->when,
                                            .noun = config_lists[list->list].noun,
                                            .name = new->key,
                                            .key = "place in the list",
                                            .from = from,
                                            .to = to};
    d->fn(d->arg, &change, &(struct diff_place){.option = list, .list = list, .index = new->index});
}

static void compare_lists(struct diff *d, const struct block *in, const struct option *list, const char *a,
                          const char *b)
{
    struct entries old, new = {0};
    uint32_t i = 0, k = 0;

    if (!entries_read(&old, list, d->from, a) || !entries_read(&new, list, d->to, b)) {
        d->no_memory = true;
    } else {
        while (i < old.count || k < new.count) {
            const struct entry *x = &old.entry[i], *y = &new.entry[k];
            int order = i == old.count ? 1 : k == new.count ? -1 : strcmp(x->key, y->key);
            if (order < 0) {
                tell_item(d, list, TL_CONFIG_REMOVED, in, x);
            } else if (order > 0) {
                tell_item(d, list, TL_CONFIG_ADDED, in, y);
            } else {
                compare_order(d, list, x, y);
                compare_options(
                    d, list->block, a + list->offset + x->index * list->block->size,
                    b + list->offset + y->index * list->block->size,
                    (struct tl_config_change){.noun = config_lists[list->list].noun, .name = y->key},
                    (struct diff_place){.list = list, .index = y->index});
            }
            i += order <= 0;
            k += order >= 0;
        }
    }
    entries_free(&old);
    entries_free(&new);
}

static void compare_blocks(struct diff *d, const struct block *block, const char *name, const char *a,
                           const char *b)
{
    if (name)
        compare_options(d, block, a, b, (struct tl_config_change){.noun = name, .name = ""},
                        (struct diff_place){.index = UINT32_MAX, .block = name});
    for (size_t i = 0; i < block->own_count; i++) {
        const struct option *o = &block->own[i];
        if (o->type == OPTION_BLOCK)
            compare_blocks(d, o->block, o->name, a + o->offset, b + o->offset);
        else if (o->type == OPTION_LIST && o->list != LIST_PROFILES) // a profile is what its trunks have
            compare_lists(d, block, o, a, b);
    }
}

int config_diff(const struct tl_config *from, const struct tl_config *to, diff_fn *fn, void *arg)
{
    struct diff d = {from, to, fn, arg, false};

    static_assert(offsetof(struct config_root, config) == 0, "a configuration is the beginning of a root");
    compare_blocks(&d, &config_top, NULL, (const char *)from, (const char *)to);
    return d.no_memory ? -ENOMEM : 0;
}

struct plain {
    void (*fn)(void *arg, const struct tl_config_change *change);
    void *arg;
};

static void tell_plain(void *arg, const struct tl_config_change *change, const struct diff_place *place)
{
    const struct plain *plain = arg;

    (void)place;
    plain->fn(plain->arg, change);
}

int tl_config_diff(const struct tl_config *from, const struct tl_config *to,
                   void (*fn)(void *arg, const struct tl_config_change *change), void *arg)
{
    return config_diff(from, to, tell_plain, &(struct plain){fn, arg});
}

const char *tl_config_when_text(enum tl_config_when when)
{
    static const char *const texts[] = {[TL_CONFIG_LIVE] = "live",
                                        [TL_CONFIG_NEW_CALLS] = "new calls",
                                        [TL_CONFIG_DATAPLANE] = "dataplane restart",
                                        [TL_CONFIG_RESTART] = "restart"};

    return texts[when];
}
