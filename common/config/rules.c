// SPDX-License-Identifier: BSD-3-Clause
// Patterns, rules that rewrite numbers with them, and rules for response codes.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/config/parse.h"

// A pattern into `text` of TL_PATTERN_LEN bytes and *pattern. False after an error.
static bool read_pattern(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                         char *text, struct tl_pattern **pattern)
{
    char why[160];
    const char *s = config_string(p, o, value, node);

    if (!s)
        return false;
    size_t len = strlen(s);
    if (!len || len >= TL_PATTERN_LEN || s[strspn(s, CONFIG_PRINTABLE)]) {
        config_complain(p, node, NULL, "is no pattern; expected 1 to %d printable ASCII characters",
                        TL_PATTERN_LEN - 1);
        return false;
    }
    int rc = tl_pattern_compile(s, pattern, why, sizeof why);
    if (rc == -ENOMEM)
        p->no_memory = true;
    else if (rc < 0)
        config_complain(p, node, NULL, "is no pattern: %s; expected a regular expression as Perl has them",
                        why);
    if (rc < 0)
        return false;
    memcpy(text, s, len + 1);
    return true;
}

bool config_set_pattern(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        char *base)
{
    struct tl_pattern *pattern = NULL;

    if (!read_pattern(p, o, value, node, base + o->offset, &pattern))
        return false;
    memcpy(base + o->offset2, &pattern, sizeof pattern);
    return true;
}

// Are the keys of an object among `keys`, each once, and those marked with '!' there?
static bool check_keys(struct config_parser *p, const json_t *object, uint32_t node, const char *const keys[],
                       const char *all)
{
    bool good = true;
    char key[32], quoted[CONFIG_QUOTE];

    if (!json_is_object(object)) {
        config_complain(p, node, NULL, "not an object; expected one with %s", all);
        return false;
    }
    for (size_t k = 0; keys[k]; k++)
        if (keys[k][0] == '!' && !json_object_get(object, keys[k] + 1)) {
            config_complain(p, node, keys[k] + 1, "missing; expected %s", all);
            good = false;
        }
    if (node == SCAN_NONE)
        return good;
    size_t seen = 0;
    for (uint32_t c = p->scan.nodes[node].first; c != SCAN_NONE; c = p->scan.nodes[c].next, seen++) {
        bool known = false;
        scan_key(&p->scan, c, key, sizeof key);
        for (size_t k = 0; keys[k]; k++)
            known = known || strcmp(keys[k] + (keys[k][0] == '!'), key) == 0;
        if (known || strcmp(key, "_comment") == 0)
            continue;
        config_complain_key(p, c, "unknown key %s; expected one of %s", config_quote(key, quoted), all);
        good = false;
    }
    if (seen != json_object_size(object)) {
        config_complain(p, node, NULL, "has a key given twice; expected each once");
        good = false;
    }
    return good;
}

static bool read_rule(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      struct tl_rule *rule)
{
    static const char *const keys[] = {"!match", "!to", NULL};

    if (!check_keys(p, value, node, keys, "match, to, _comment"))
        return false;
    const json_t *match = json_object_get(value, "match"), *to = json_object_get(value, "to");
    uint32_t to_node = scan_find(&p->scan, node, "to");
    const char *text = config_string(p, o, to, to_node);
    bool good =
        read_pattern(p, o, match, scan_find(&p->scan, node, "match"), rule->match, &rule->pattern) && text;
    if (!text)
        return false;
    if (strlen(text) >= TL_TEMPLATE_LEN || text[strspn(text, CONFIG_NUMBER_CHARS "${}")]) {
        config_complain(
            p, to_node, NULL,
            "is nothing to write instead; expected at most %d characters that may stand in a number, "
            "and $1 to $9 for groups of match",
            TL_TEMPLATE_LEN - 1);
        return false;
    }
    if (good && !tl_pattern_has_groups(rule->pattern, text)) {
        config_complain(
            p, to_node, NULL,
            "names a group that match has not, or ends in the middle of one; expected $1 to $9 for "
            "groups of match, $$ for a dollar");
        return false;
    }
    memcpy(rule->to, text, strlen(text) + 1);
    return good;
}

bool config_set_rules(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      char *base)
{
    struct tl_rule *rules = (void *)(base + o->offset);
    bool good = true;

    if (!config_array(p, o, value, node, 1, TL_RULES_MAX))
        return false;
    for (uint32_t i = 0; i < json_array_size(value); i++) {
        config_store(base + o->offset2, o->size2, i + 1); // also of a bad one: its pattern is freed
        good = read_rule(p, o, json_array_get(value, i), scan_item(&p->scan, node, i), &rules[i]) && good;
    }
    return good;
}

// A number of an object, within min and max, or what it was without it.
static bool read_member(struct config_parser *p, const struct option *o, const json_t *object, uint32_t node,
                        const char *key, uint32_t min, uint32_t max, uint32_t *out)
{
    struct option one = *o;
    const json_t *value = json_object_get(object, key);

    one.type = OPTION_NUMBER;
    one.min = min;
    one.max = max;
    return !value || config_number(p, &one, value, scan_find(&p->scan, node, key), out);
}

bool config_set_code_rules(struct config_parser *p, const struct option *o, const json_t *value,
                           uint32_t node, char *base)
{
    static const char *const keys[] = {"status", "cause", "!to", NULL};
    struct tl_code_rule *rules = (void *)(base + o->offset);
    bool good = true;

    config_store(base + o->offset2, o->size2, 0);
    if (!config_array(p, o, value, node, 0, TL_CODE_RULES_MAX))
        return false;
    for (uint32_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        uint32_t at = scan_item(&p->scan, node, i);
        struct tl_code_rule *r = &rules[i];
        *r = (struct tl_code_rule){0};
        bool read = check_keys(p, item, at, keys, "status, cause, to, _comment") &&
                    read_member(p, o, item, at, "status", 400, 699, &r->status) &&
                    read_member(p, o, item, at, "cause", 1, 127, &r->cause) &&
                    read_member(p, o, item, at, "to", 400, 699, &r->to);
        if (read && !r->status && !r->cause) {
            config_complain(p, at, NULL, "fits every refusal; expected status, cause or both");
            read = false;
        }
        good = good && read;
    }
    config_store(base + o->offset2, o->size2, (uint32_t)json_array_size(value));
    return good;
}
