// SPDX-License-Identifier: BSD-3-Clause
// The file into structs: the walk over blocks and lists, and the way in and out.
#include "common/config/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void parse_block(struct config_parser *p, const struct block *block, const json_t *object,
                        uint32_t node, void *base);

static void unknown_key(struct config_parser *p, const struct block *block, uint32_t node, const char *key)
{
    const char *names[BLOCK_OPTIONS_MAX + 1];
    char all[BLOCK_OPTIONS_MAX * (TL_NAME_MAX + 2)] = "", quoted[CONFIG_QUOTE];
    size_t n = block_count(block), used = 0;

    for (size_t i = 0; i < n; i++) {
        names[i] = block_option(block, i)->name;
        if (used >= sizeof all)
            continue;
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    names[n] = "_comment";
    const char *meant = config_nearest(key, names, n + 1);
    config_quote(key, quoted);
    if (meant)
        config_complain_key(p, node, "unknown key %s; did you mean \"%s\"?", quoted, meant);
    else
        config_complain_key(p, node, "unknown key %s; expected one of %s", quoted, all);
}

// A list that was not read: who refers to its items is not to blame.
static void mark_broken(struct config_parser *p, const struct option *o)
{
    if (o->type == OPTION_LIST)
        p->broken[o->list] = true;
    for (size_t i = 0; o->block && i < o->block->own_count; i++)
        mark_broken(p, &o->block->own[i]);
}

// Finds the node of each option's value. Of two equal keys it is the second, as in jansson.
static void find_keys(struct config_parser *p, const struct block *block, uint32_t node, uint32_t *at)
{
    uint32_t comment = SCAN_NONE;
    char key[64];

    for (uint32_t c = p->scan.nodes[node].first; c != SCAN_NONE; c = p->scan.nodes[c].next) {
        uint32_t *place = NULL;
        scan_key(&p->scan, c, key, sizeof key);
        if (strcmp(key, "_comment") == 0)
            place = &comment;
        for (size_t i = 0; !place && i < block_count(block); i++)
            if (strcmp(key, block_option(block, i)->name) == 0)
                place = &at[i];
        if (!place) {
            unknown_key(p, block, c, key);
            continue;
        }
        if (*place != SCAN_NONE) {
            unsigned line, column;
            scan_position(&p->scan, p->scan.nodes[*place].key - 1, &line, &column);
            config_complain_key(p, c, "key given twice, first in line %u; expected once", line);
        }
        *place = c;
    }
}

static void check_name(struct config_parser *p, enum config_list list, uint32_t index, uint32_t node)
{
    const struct list_place *place = &config_lists[list];
    const char *items = (const char *)p->root + place->items, *name = items + index * place->item_size;

    if (!name[0]) {
        p->broken[list] = true;
        return;
    }
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(items + i * place->item_size, name) == 0) {
            config_complain(p, node, "name",
                            "\"%s\" is the name of %s[%u] already; expected a name of its own", name,
                            place->path, i);
            return;
        }
}

static void parse_list(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                       char *base)
{
    uint32_t n = 0;

    if (!json_is_array(value) || json_array_size(value) < o->min || json_array_size(value) > o->max) {
        if (json_is_array(value))
            config_refuse(p, o, node, "is a list of %zu", json_array_size(value));
        else
            config_refuse(p, o, node, "is not a list");
        p->broken[o->list] = true;
    }
    for (; n < json_array_size(value) && n < o->max; n++) {
        char *item = base + o->offset + n * o->block->size;
        uint32_t at = scan_item(&p->scan, node, n);
        parse_block(p, o->block, json_array_get(value, n), at, item);
        if (o->list < LIST_ROUTES)
            check_name(p, o->list, n, at);
        memcpy(base + o->offset2, &(uint32_t){n + 1}, sizeof n);
    }
}

static void set_option(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                       void *base)
{
    if (o->type == OPTION_BLOCK) {
        // whole in place of what a profile had
        memset((char *)base + o->offset, 0, o->block->size);
        parse_block(p, o->block, value, node, (char *)base + o->offset);
    } else if (o->type == OPTION_LIST) {
        parse_list(p, o, value, node, base);
    } else {
        config_set(p, o, value, node, base);
    }
}

static void set_preset(struct config_parser *p, const struct option *o, void *base)
{
    if (o->preset) {
        json_t *value = json_loads(o->preset, JSON_DECODE_ANY, NULL);
        if (value)
            set_option(p, o, value, SCAN_NONE, base);
        else
            p->no_memory = true;
        json_decref(value);
    } else if (o->type == OPTION_REF) {
        const uint32_t none = CONFIG_NO_INDEX;
        const bool any = true;
        memcpy((char *)base + o->offset, &none, o->size);
        memcpy((char *)base + o->offset2, &any, o->size2);
    }
}

static void parse_block(struct config_parser *p, const struct block *block, const json_t *object,
                        uint32_t node, void *base)
{
    uint32_t at[BLOCK_OPTIONS_MAX];

    for (size_t i = 0; i < BLOCK_OPTIONS_MAX; i++)
        at[i] = SCAN_NONE;
    for (size_t i = 0; i < block_count(block); i++)
        set_preset(p, block_option(block, i), base);
    if (!json_is_object(object)) {
        config_complain(p, node, NULL, "not an object; expected an object in braces");
        for (size_t i = 0; i < block->own_count; i++)
            mark_broken(p, &block->own[i]);
        return;
    }
    if (node != SCAN_NONE)
        find_keys(p, block, node, at);
    for (size_t i = 0; i < block_count(block); i++) {
        const struct option *o = block_option(block, i);
        const json_t *value = json_object_get(object, o->name);
        if (value) {
            set_option(p, o, value, at[i], base);
        } else if (o->flags & OPTION_REQUIRED) {
            char expected[256];
            config_complain(p, node, o->name, "missing; expected %s",
                            option_expected(o, expected, sizeof expected));
            mark_broken(p, o);
        }
    }
}

// A syntax error in jansson's words, made one line.
static void complain_syntax(struct config_parser *p, const json_error_t *error)
{
    char text[sizeof error->text];
    size_t len = 0;

    for (const char *s = error->text; *s; s++)
        text[len++] = (char)((unsigned char)*s < ' ' || (unsigned char)*s > '~' ? '?' : *s);
    text[len] = '\0';
    config_complain_at(p, error->line > 0 ? (unsigned)error->line : 1,
                       error->column > 0 ? (unsigned)error->column : 1, "not JSON: %s", text);
}

static void parse_text(struct config_parser *p, const char *text, size_t len)
{
    json_error_t error;

    if (len > CONFIG_FILE_MAX) {
        config_complain_at(p, 1, 1, "longer than %d MiB; expected a configuration file",
                           CONFIG_FILE_MAX >> 20);
        return;
    }
    p->top = json_loadb(text, len, 0, &error);
    if (!p->top) {
        complain_syntax(p, &error);
        return;
    }
    if (scan_init(&p->scan, text, len) < 0) {
        p->no_memory = true;
        return;
    }
    parse_block(p, &config_top, p->top, 0, p->root);
    config_check(p);
    if (p->running && !p->count && !p->no_memory)
        config_check_next(p);
}

// What only pointers hold.
static void free_patterns(struct tl_config *config)
{
    for (uint32_t i = 0; i < config->route_count; i++) {
        tl_pattern_free(config->routes[i].called_pattern);
        tl_pattern_free(config->routes[i].calling_pattern);
    }
    for (uint32_t i = 0; i < config->translation_count; i++)
        for (uint32_t k = 0; k < config->translations[i].rule_count; k++)
            tl_pattern_free(config->translations[i].rules[k].pattern);
}

int tl_config_parse_next(const char *name, const char *text, size_t len, const struct tl_config *running,
                         struct tl_config **out, struct tl_config_errors *errors)
{
    struct config_parser p = {.name = name, .root = calloc(1, sizeof *p.root), .running = running};

    if (p.root)
        parse_text(&p, text, len);
    else
        p.no_memory = true;
    if (p.no_memory && !p.count)
        config_complain_at(&p, 1, 1, "not enough memory to read it");
    config_errors_fini(&p, errors);
    json_decref(p.top);
    scan_fini(&p.scan);
    if (p.no_memory || p.count) {
        if (p.root)
            free_patterns(&p.root->config);
        free(p.root);
        return p.no_memory ? -ENOMEM : -EINVAL;
    }
    // The configuration, some megabytes, is the root's first part: it stays where it is.
    static_assert(offsetof(struct config_root, config) == 0, "tl_config_free() frees it");
    *out = realloc(p.root, sizeof **out);
    if (!*out)
        *out = &p.root->config;
    return 0;
}

int tl_config_parse(const char *name, const char *text, size_t len, struct tl_config **out,
                    struct tl_config_errors *errors)
{
    return tl_config_parse_next(name, text, len, NULL, out, errors);
}

// Reads at most `size` bytes; the number, or -errno.
static ssize_t read_file(const char *file, char *text, size_t size)
{
    size_t used = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    while (used < size) {
        ssize_t n = read(fd, text + used, size - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int e = errno;
            close(fd);
            return -e;
        }
        if (n == 0)
            break;
        used += (size_t)n;
    }
    close(fd);
    return (ssize_t)used;
}

int tl_config_load_next(const char *file, const struct tl_config *running, struct tl_config **out,
                        struct tl_config_errors *errors)
{
    size_t size = CONFIG_FILE_MAX + 1; // one more than is taken, to see that it is too long
    char *text = malloc(size);
    ssize_t len = text ? read_file(file, text, size) : -ENOMEM;
    int rc;

    if (len < 0) {
        errors->count = 1;
        errors->warnings = 0;
        snprintf(errors->text, sizeof errors->text, "%s: cannot be read: %s\n", file, strerror((int)-len));
        rc = (int)len;
    } else {
        rc = tl_config_parse_next(file, text, (size_t)len, running, out, errors);
    }
    free(text);
    return rc;
}

int tl_config_load(const char *file, struct tl_config **out, struct tl_config_errors *errors)
{
    return tl_config_load_next(file, NULL, out, errors);
}

void tl_config_free(struct tl_config *config)
{
    if (config)
        free_patterns(config);
    free(config);
}
