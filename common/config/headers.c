// SPDX-License-Identifier: BSD-3-Clause
// A trunk's headers: names of what passes and what does not, lines that are added.
#include <stdio.h>
#include <string.h>

#include "common/config/parse.h"
#include "common/header_names.h"

// Does every key of an object stand there once? jansson keeps the last of two.
static bool keys_once(struct config_parser *p, uint32_t node, const json_t *object)
{
    size_t count = 0;

    if (node == SCAN_NONE)
        return true;
    for (uint32_t c = p->scan.nodes[node].first; c != SCAN_NONE; c = p->scan.nodes[c].next)
        count++;
    if (count == json_object_size(object))
        return true;
    config_complain(p, node, NULL, "has a key given twice; expected each once");
    return false;
}

// A name, or a pattern where '*' may stand in it, of a header that is not ours alone. False after an error.
static bool check_name(struct config_parser *p, uint32_t node, const char *name, bool pattern)
{
    char quoted[CONFIG_QUOTE];
    size_t len = strlen(name);

    config_quote(name, quoted);
    if (len >= TL_HEADER_PATTERN_LEN)
        config_complain(p, node, NULL, "%zu bytes are too long; expected a header name of at most %d", len,
                        TL_HEADER_PATTERN_LEN - 1);
    else if (!tl_header_is_token(name, len) || (!pattern && strchr(name, '*')))
        config_complain(p, node, NULL, "%s is no header name; expected one%s", quoted,
                        pattern ? " in which '*' may stand for any characters" : "");
    else if (tl_header_is_own(name, len))
        config_complain(
            p, node, NULL,
            "%s belongs to the dialog, the transport or the body and is always ours; expected another "
            "header",
            quoted);
    else
        return true;
    return false;
}

// A list of names into `names`; says how many.
static bool read_names(struct config_parser *p, const struct option *o, const json_t *list, uint32_t node,
                       char names[TL_HEADER_PATTERNS_MAX][TL_HEADER_PATTERN_LEN], uint32_t *count)
{
    bool good = true;

    if (!config_array(p, o, list, node, 0, TL_HEADER_PATTERNS_MAX))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint32_t at = scan_item(&p->scan, node, (uint32_t)i);
        const char *name = config_string(p, o, json_array_get(list, i), at);
        if (!name || !check_name(p, at, name, true)) {
            good = false;
            continue;
        }
        snprintf(names[(*count)++], TL_HEADER_PATTERN_LEN, "%s", name);
    }
    return good;
}

static bool is_line(const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
            return false;
    return len && value[0] != ' ' && value[len - 1] != ' ';
}

static bool read_adds(struct config_parser *p, const struct option *o, json_t *adds, uint32_t node,
                      struct tl_header_rules *rules)
{
    const char *name;
    json_t *value;

    if (!json_is_object(adds) || json_object_size(adds) > TL_HEADER_ADDS_MAX) {
        config_refuse(p, o, node, "is no object of at most %d lines", TL_HEADER_ADDS_MAX);
        return false;
    }
    bool good = keys_once(p, node, adds);
    json_object_foreach(adds, name, value)
    {
        uint32_t at = scan_find(&p->scan, node, name);
        const char *text = config_string(p, o, value, at);
        if (!text || !check_name(p, at, name, false)) {
            good = false;
        } else if (!is_line(text) || strlen(text) >= TL_HEADER_VALUE_LEN) {
            config_complain(p, at, NULL,
                            "is no value of a header line; expected 1 to %d bytes without control characters",
                            TL_HEADER_VALUE_LEN - 1);
            good = false;
        } else {
            snprintf(rules->add[rules->add_count].name, TL_HEADER_PATTERN_LEN, "%s", name);
            snprintf(rules->add[rules->add_count++].value, TL_HEADER_VALUE_LEN, "%s", text);
        }
    }
    return good;
}

bool config_set_headers(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        void *base)
{
    struct tl_header_rules *rules = (void *)((char *)base + o->offset);
    const char *key;
    json_t *inner, *object = (json_t *)(uintptr_t)value; // jansson iterates over what is not const only

    memset(rules, 0, sizeof *rules);
    if (!json_is_object(value)) {
        config_refuse(p, o, node, "is no object");
        return false;
    }
    bool good = keys_once(p, node, value);
    json_object_foreach(object, key, inner)
    {
        uint32_t at = scan_find(&p->scan, node, key);
        if (strcmp(key, "pass") == 0) {
            good = read_names(p, o, inner, at, rules->pass, &rules->pass_count) && good;
        } else if (strcmp(key, "remove") == 0) {
            good = read_names(p, o, inner, at, rules->remove, &rules->remove_count) && good;
        } else if (strcmp(key, "add") == 0) {
            good = read_adds(p, o, inner, at, rules) && good;
        } else if (strcmp(key, "_comment") != 0) {
            char quoted[CONFIG_QUOTE];
            config_complain(p, at, NULL, "unknown key %s; expected one of pass, remove, add, _comment",
                            config_quote(key, quoted));
            good = false;
        }
    }
    return good;
}
