// SPDX-License-Identifier: BSD-3-Clause
// One JSON value into its field, by the type of its option.
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config/parse.h"

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

void config_store(void *field, size_t size, uint32_t number)
{
    uint8_t n8 = (uint8_t)number;
    uint16_t n16 = (uint16_t)number;

    memcpy(field, size == 1 ? (void *)&n8 : size == 2 ? (void *)&n16 : (void *)&number, size);
}

// The text of a string value, or NULL after an error.
const char *config_string(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node)
{
    if (json_is_string(value))
        return json_string_value(value);
    config_refuse(p, o, node, "is %s", kind(value));
    return NULL;
}

bool config_number(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
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

bool config_array(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
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

bool config_is_host(const char *s)
{
    bool letter = false;

    for (size_t i = 0; s[i]; i++) {
        bool edge = i == 0 || s[i - 1] == '.' || s[i + 1] == '.' || !s[i + 1];
        letter = letter || isalpha((unsigned char)s[i]);
        if (edge ? !isalnum((unsigned char)s[i]) && s[i] != '.'
                 : !isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '.')
            return false;
        if (s[i] == '.' && (i == 0 || s[i - 1] == '.' || !s[i + 1]))
            return false;
    }
    return letter;
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
    const char *s = config_string(p, o, value, node);
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
    case OPTION_HOST:
        good = config_is_host(s);
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
                      : o->type == OPTION_HOST   ? "a host name"
                                                 : "a plain text",
                      config_quote(s, quoted));
        return false;
    }
    memcpy(field, s, len + 1);
    return true;
}

static bool set_digit_list(struct config_parser *p, const struct option *o, const json_t *value,
                           uint32_t node, char *base)
{
    char(*field)[TL_DIGITS_MAX] = (void *)(base + o->offset);
    struct option one = *o;
    bool good = true;

    one.type = OPTION_DIGITS;
    one.size = sizeof *field;
    config_store(base + o->offset2, o->size2, 0);
    if (!config_array(p, o, value, node, 0, o->size / sizeof *field))
        return false;
    for (uint32_t i = 0; i < json_array_size(value); i++)
        good = set_text(p, &one, json_array_get(value, i), scan_item(&p->scan, node, i), field[i]) && good;
    config_store(base + o->offset2, o->size2, (uint32_t)json_array_size(value));
    return good;
}

// Names without one twice; case does not count.
static bool set_hosts(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                      char *base)
{
    char(*names)[TL_HOST_MAX] = (void *)(base + o->offset);
    size_t room = o->size / TL_HOST_MAX, n = json_array_size(value);
    struct option one = *o; // what an item takes
    bool good = true;

    one.type = OPTION_HOST;
    one.size = TL_HOST_MAX;
    if (!config_array(p, o, value, node, 1, room))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = scan_item(&p->scan, node, i);
        good = set_text(p, &one, json_array_get(value, i), at, names[i]) && good;
        for (uint32_t k = 0; k < i; k++)
            if (names[i][0] && strcasecmp(names[k], names[i]) == 0) {
                config_complain(p, at, NULL, "is in the list already; expected each name once");
                good = false;
                break;
            }
    }
    config_store(base + o->offset2, o->size2, (uint32_t)n);
    return good;
}

bool config_word(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                 uint32_t *out)
{
    char quoted[CONFIG_QUOTE];
    const char *s = config_string(p, o, value, node);

    if (!s)
        return false;
    for (uint32_t i = 0; o->words[i]; i++)
        if (strcmp(o->words[i], s) == 0) {
            *out = i;
            return true;
        }
    config_refuse(p, o, node, "%s is none of its values", config_quote(s, quoted));
    return false;
}

// From TL_FAILOVER_NO_RESPONSE on.
const char *const config_failover_words[TL_FAILOVER_END - TL_FAILOVER_NO_RESPONSE] = {
    "no-response", "no-progress", "transport"};

static bool failover_item(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                          uint32_t *out)
{
    char quoted[CONFIG_QUOTE];

    if (json_is_integer(value)) {
        struct option code = *o;
        code.min = TL_FAILOVER_FIRST;
        code.max = TL_FAILOVER_LAST;
        return config_number(p, &code, value, node, out);
    }
    const char *s = config_string(p, o, value, node);
    for (uint32_t i = 0; s && i < TL_FAILOVER_END - TL_FAILOVER_NO_RESPONSE; i++)
        if (strcmp(config_failover_words[i], s) == 0) {
            *out = TL_FAILOVER_NO_RESPONSE + i;
            return true;
        }
    if (s)
        config_refuse(p, o, node, "%s is none of its values", config_quote(s, quoted));
    return false;
}

static bool set_failover(struct config_parser *p, const struct option *o, const json_t *value, uint32_t node,
                         void *field)
{
    struct tl_failover set = {{0}};
    bool good = true;

    if (!config_array(p, o, value, node, 0, TL_FAILOVER_END - TL_FAILOVER_FIRST))
        return false;
    for (uint32_t i = 0, what; i < json_array_size(value); i++)
        if (failover_item(p, o, json_array_get(value, i), scan_item(&p->scan, node, i), &what))
            tl_failover_add(&set, what);
        else
            good = false;
    memcpy(field, &set, sizeof set);
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
        config_store(field, o->size, json_is_true(value));
        return true;
    case OPTION_NUMBER:
        if (!config_number(p, o, value, node, &n))
            return false;
        config_store(field, o->size, n);
        return true;
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_DEVICE:
    case OPTION_DIGITS:
    case OPTION_HOST:
        return set_text(p, o, value, node, field);
    case OPTION_WORD:
        if (!config_word(p, o, value, node, &n))
            return false;
        config_store(field, o->size, n);
        return true;
    case OPTION_DIGIT_LIST:
        return set_digit_list(p, o, value, node, base);
    case OPTION_PATTERN:
        return config_set_pattern(p, o, value, node, base);
    case OPTION_RULES:
        return config_set_rules(p, o, value, node, base);
    case OPTION_CODE_RULES:
        return config_set_code_rules(p, o, value, node, base);
    case OPTION_FAILOVER:
        return set_failover(p, o, value, node, field);
    case OPTION_HOSTS:
        return set_hosts(p, o, value, node, base);
    case OPTION_HEADERS:
        return config_set_headers(p, o, value, node, base);
    case OPTION_ADDRESS:
    case OPTION_TRANSPORT:
    case OPTION_SUBNET:
    case OPTION_PEER:
        return config_set_address(p, o, value, node, base);
    case OPTION_SERVERS:
        return config_set_servers(p, o, value, node, base);
    case OPTION_PORTS:
        return config_set_ports(p, o, value, node, base);
    case OPTION_REF:
        return config_set_reference(p, o, value, node, base);
    case OPTION_PROFILE:
        return config_set_profile(p, o, value, node, base);
    case OPTION_NUMBERS:
    case OPTION_WORDS:
    case OPTION_SUITES:
    case OPTION_REFS:
        return config_set_items(p, o, value, node, base);
    case OPTION_SUITE:
    case OPTION_BLOCK:
    case OPTION_LIST:
        break;
    }
    return false;
}
