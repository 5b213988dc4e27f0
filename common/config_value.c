// SPDX-License-Identifier: BSD-3-Clause
// One JSON value into its field, by the type of its option.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_parse.h"

static const char *kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return "null";
    }
}

void config_refuse(struct config_parser *p, const struct option *option, uint32_t node, const char *format,
                   ...)
{
    char expected[256];
    char *what;
    va_list args;

    va_start(args, format);
    if (vasprintf(&what, format, args) < 0) {
        p->no_memory = true;
        what = NULL;
    }
    va_end(args);
    config_complain(p, node, NULL, "%s; expected %s", what ? what : "wrong",
                    option_expected(option, expected, sizeof expected));
    free(what);
}

static void store(void *field, size_t size, uint32_t number)
{
    uint8_t n8 = (uint8_t)number;
    uint16_t n16 = (uint16_t)number;

    memcpy(field, size == 1 ? (void *)&n8 : size == 2 ? (void *)&n16 : (void *)&number, size);
}

// The text of a string value, or NULL after an error.
static const char *string(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node)
{
    if (json_is_string(value))
        return json_string_value(value);
    config_refuse(p, o, node, "is %s", kind(value));
    return NULL;
}

static bool number(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                   uint32_t *out)
{
    if (!json_is_integer(value)) {
        config_refuse(p, o, node, "is %s", kind(value));
        return false;
    }
    json_int_t n = json_integer_value(value);
    if (n < o->min || n > o->max) {
        config_refuse(p, o, node, "%" JSON_INTEGER_FORMAT " is out of range", n);
        return false;
    }
    if ((o->flags & OPTION_POWER_OF_TWO) && (n & (n - 1))) {
        config_refuse(p, o, node, "%" JSON_INTEGER_FORMAT " is not a power of two", n);
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static bool list(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                 size_t min, size_t max)
{
    size_t n = json_array_size(value);

    if (!json_is_array(value))
        config_refuse(p, o, node, "is %s", kind(value));
    else if (n < min || n > max)
        config_refuse(p, o, node, "is a list of %zu", n);
    return json_is_array(value) && n >= min && n <= max;
}

// ---- texts

static bool is_name(const char *s)
{
    if (!isalnum((unsigned char)s[0]))
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~')
            return false;
    return true;
}

// 0000:03:00.0, also without the domain
static bool is_pci(const char *s)
{
    static const char *const shapes[] = {"xxxx:xx:xx.x", "xx:xx.x"};

    for (size_t i = 0; i < 2; i++) {
        const char *shape = shapes[i];
        size_t k = 0;
        if (strlen(s) != strlen(shape))
            continue;
        while (shape[k] && (shape[k] == 'x' ? isxdigit((unsigned char)s[k]) : s[k] == shape[k]))
            k++;
        if (!shape[k])
            return true;
    }
    return false;
}

static bool is_device(const char *s)
{
    if (is_pci(s))
        return true;
    size_t word = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return isalpha((unsigned char)s[0]) && strchr(s, '_') && (s[word] == '\0' || s[word] == ',') &&
           is_printable(s) && !strchr(s, ' ');
}

static bool is_digits(const char *s)
{
    s += *s == '+';
    return s[strspn(s, "0123456789*#")] == '\0';
}

static bool set_text(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                     char *field)
{
    char quoted[CONFIG_QUOTE];
    const char *s = string(p, o, value, node);
    bool good = true;

    if (!s)
        return false;
    size_t len = strlen(s);
    if (len >= o->size) {
        config_refuse(p, o, node, "%zu bytes are too long", len);
        return false;
    }
    switch (o->type) {
    case OPTION_NAME:
        good = is_name(s);
        break;
    case OPTION_PATH:
        good = s[0] == '/' && len > 1 && is_printable(s);
        break;
    case OPTION_DEVICE:
        good = is_device(s);
        break;
    case OPTION_DIGITS:
        good = is_digits(s);
        break;
    default:
        good = len && is_printable(s);
    }
    if (!good) {
        config_refuse(p, o, node, "not %s: %s",
                      o->type == OPTION_NAME     ? "a name"
                      : o->type == OPTION_PATH   ? "an absolute path"
                      : o->type == OPTION_DEVICE ? "a device"
                      : o->type == OPTION_DIGITS ? "a number prefix"
                                                 : "a plain text",
                      config_quote(s, quoted));
        return false;
    }
    memcpy(field, s, len + 1);
    return true;
}

static bool set_word(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                     void *field)
{
    char quoted[CONFIG_QUOTE];
    const char *s = string(p, o, value, node);

    if (!s)
        return false;
    for (uint32_t i = 0; o->words[i]; i++)
        if (strcmp(o->words[i], s) == 0) {
            store(field, o->size, i);
            return true;
        }
    config_refuse(p, o, node, "%s is none of its values", config_quote(s, quoted));
    return false;
}

// ---- addresses

// Reads an unsigned decimal without sign, space or leading zero that fills the string.
static bool decimal(const char *s, uint32_t max, uint32_t *out)
{
    size_t digits = strspn(s, "0123456789");

    if (digits == 0 || digits > 5 || s[digits] || (s[0] == '0' && digits > 1))
        return false;
    *out = (uint32_t)strtoul(s, NULL, 10);
    return *out <= max;
}

// IPv4 address that one host can have, then, with a separator, the number behind it. Says what is wrong, or
// NULL.
static const char *read_address(const char *s, char separator, uint32_t max, struct tl_addr *addr,
                                uint32_t *behind)
{
    char ip[INET_ADDRSTRLEN];
    const char *end = separator ? strrchr(s, separator) : s + strlen(s);
    const char *colon = strchr(s, ':');

    if (colon && strchr(colon + 1, ':'))
        return "IPv6 is not supported yet";
    if (!end)
        return separator == ':' ? "not an address and port" : "not an address and prefix length";
    if (end == s || (size_t)(end - s) >= sizeof ip)
        return "not an address";
    memcpy(ip, s, (size_t)(end - s));
    ip[end - s] = '\0';
    *addr = (struct tl_addr){.family = TL_AF_INET};
    if (inet_pton(AF_INET, ip, addr->ip) != 1)
        return "not an address";
    if (addr->ip[0] == 0 || addr->ip[0] >= 224)
        return "not an address that a host can have";
    if (separator && !decimal(end + 1, max, behind))
        return separator == ':' ? "not a port" : "not a prefix length";
    return NULL;
}

static bool set_address(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                        void *base)
{
    char quoted[CONFIG_QUOTE];
    struct tl_addr addr;
    uint32_t behind = 0;
    const char *s = string(p, o, value, node);
    const char *wrong;

    if (!s)
        return false;
    wrong = read_address(s,
                         o->type == OPTION_TRANSPORT ? ':'
                         : o->type == OPTION_SUBNET  ? '/'
                                                     : '\0',
                         o->type == OPTION_TRANSPORT ? UINT16_MAX : 32, &addr, &behind);
    if (!wrong && o->type == OPTION_TRANSPORT && behind == 0)
        wrong = "not a port";
    if (!wrong && o->type == OPTION_SUBNET && behind < o->min)
        wrong = "prefix length is out of range";
    if (wrong) {
        config_refuse(p, o, node, "%s: %s", wrong, config_quote(s, quoted));
        return false;
    }
    if (o->type == OPTION_TRANSPORT)
        addr.port = (uint16_t)behind;
    else if (o->type == OPTION_SUBNET)
        store((char *)base + o->offset2, o->size2, behind);
    memcpy((char *)base + o->offset, &addr, sizeof addr);
    return true;
}

static bool set_ports(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      void *base)
{
    uint32_t port[2];
    struct option one = *o; // what an item takes

    if (!list(p, o, value, node, 2, 2))
        return false;
    one.type = OPTION_NUMBER;
    for (uint32_t i = 0; i < 2; i++)
        if (!number(p, &one, json_array_get(value, i), scan_item(&p->scan, node, i), &port[i]))
            return false;
    if (port[0] % 2 || port[1] % 2 == 0 || port[0] > port[1]) {
        config_refuse(p, o, node, "%s",
                      port[0] % 2        ? "the first port is odd"
                      : port[1] % 2 == 0 ? "the last port is even"
                                         : "the last port is below the first");
        return false;
    }
    store((char *)base + o->offset, o->size, port[0]);
    store((char *)base + o->offset2, o->size2, port[1]);
    return true;
}

// ---- references

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
    const char *s = string(p, o, value, node);
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

static bool set_reference(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                          char *base)
{
    uint32_t i = find(p, o, value, node);

    memcpy(base + o->offset, &i, sizeof i);
    if (o->size2)
        store(base + o->offset2, o->size2, 0);
    return i != CONFIG_NO_INDEX;
}

// Takes over the switches that the profile names.
static bool set_profile(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
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
        return number(p, o, value, node, out);
    if (o->type == OPTION_REF)
        return (*out = find(p, o, value, node)) != CONFIG_NO_INDEX;
    const char *s = string(p, o, value, node);
    if (!s)
        return false;
    *out = tl_suite_by_name(s, (unsigned)strlen(s));
    if (*out == TL_SUITE_NONE)
        config_refuse(p, o, node, "%s is no suite we have", config_quote(s, quoted));
    return *out != TL_SUITE_NONE;
}

static bool set_items(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      char *base)
{
    uint32_t *field = (uint32_t *)(void *)(base + o->offset);
    size_t room = o->size / sizeof *field, n = json_array_size(value);
    bool good = true;
    struct option one = *o; // what an item takes

    one.type = o->type == OPTION_NUMBERS ? OPTION_NUMBER : o->type == OPTION_REFS ? OPTION_REF : OPTION_SUITE;
    store(base + o->offset2, o->size2, 0);
    if (!list(p, o, value, node, 1, room))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = scan_item(&p->scan, node, i);
        if (!item(p, &one, json_array_get(value, i), at, &field[i])) {
            good = false;
            field[i] = CONFIG_NO_INDEX;
            continue;
        }
        for (uint32_t k = 0; k < i; k++)
            if (field[k] == field[i]) {
                config_complain(p, at, NULL, "is in the list already; expected each item once");
                good = false;
                break;
            }
    }
    store(base + o->offset2, o->size2, (uint32_t)n);
    return good;
}

bool config_set(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                void *base)
{
    char *field = (char *)base + o->offset;
    uint32_t n;

    switch (o->type) {
    case OPTION_BOOL:
        if (!json_is_boolean(value)) {
            config_refuse(p, o, node, "is %s", kind(value));
            return false;
        }
        store(field, o->size, json_is_true(value));
        return true;
    case OPTION_NUMBER:
        if (!number(p, o, value, node, &n))
            return false;
        store(field, o->size, n);
        return true;
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_DEVICE:
    case OPTION_DIGITS:
        return set_text(p, o, value, node, field);
    case OPTION_WORD:
        return set_word(p, o, value, node, field);
    case OPTION_ADDRESS:
    case OPTION_TRANSPORT:
    case OPTION_SUBNET:
        return set_address(p, o, value, node, base);
    case OPTION_PORTS:
        return set_ports(p, o, value, node, base);
    case OPTION_REF:
        return set_reference(p, o, value, node, base);
    case OPTION_PROFILE:
        return set_profile(p, o, value, node, base);
    case OPTION_NUMBERS:
    case OPTION_SUITES:
    case OPTION_REFS:
        return set_items(p, o, value, node, base);
    case OPTION_SUITE:
    case OPTION_BLOCK:
    case OPTION_LIST:
        break;
    }
    return false;
}
