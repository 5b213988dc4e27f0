// SPDX-License-Identifier: BSD-3-Clause
// What an option is set to, as the file would have it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/config/diff.h"

uint32_t config_read_number(const void *field, size_t size)
{
    uint8_t one;
    uint16_t two;
    uint32_t four = 0;

    if (size == 1) {
        memcpy(&one, field, 1);
        return one;
    }
    if (size == 2) {
        memcpy(&two, field, 2);
        return two;
    }
    memcpy(&four, field, size < sizeof four ? size : sizeof four);
    return four;
}

const char *config_item_name(const struct tl_config *config, enum config_list list, uint32_t index)
{
    const struct list_place *place = &config_lists[list];

    return (const char *)config + place->items + index * place->item_size;
}

// One of a list, or the value itself: what config_set_items() stores as a number.
static void write_item(FILE *out, const struct option *o, const struct tl_config *config, uint32_t n)
{
    switch (o->type) {
    case OPTION_WORD:
    case OPTION_WORDS:
        fprintf(out, "\"%s\"", o->words[n]);
        break;
    case OPTION_SUITE:
    case OPTION_SUITES:
        fprintf(out, "\"%s\"", tl_suite_info((int)n)->name);
        break;
    case OPTION_REF:
    case OPTION_REFS:
        fprintf(out, "\"%s\"", config_item_name(config, o->list, n));
        break;
    default:
        fprintf(out, "%u", n);
    }
}

static void write_items(FILE *out, const struct option *o, const struct tl_config *config, const char *base)
{
    uint32_t count = config_read_number(base + o->offset2, o->size2);

    fputc('[', out);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", out);
        write_item(out, o, config, config_read_number(base + o->offset + i * sizeof count, sizeof count));
    }
    fputc(']', out);
}

// Texts of `room` bytes each.
static void write_texts(FILE *out, const struct option *o, const char *base, size_t room)
{
    uint32_t count = config_read_number(base + o->offset2, o->size2);

    fputc('[', out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s\"%.*s\"", i ? ", " : "", (int)room, base + o->offset + i * room);
    fputc(']', out);
}

static void write_names(FILE *out, const char *what, const char (*names)[TL_HEADER_PATTERN_LEN],
                        uint32_t count)
{
    if (!count)
        return;
    fprintf(out, "\"%s\": [", what);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", names[i]);
    fputs("] ", out);
}

static void write_headers(FILE *out, const struct tl_header_rules *rules)
{
    fputs("{ ", out);
    write_names(out, "pass", rules->pass, rules->pass_count);
    write_names(out, "remove", rules->remove, rules->remove_count);
    for (uint32_t i = 0; i < rules->add_count; i++)
        fprintf(out, "\"%s\": \"%s\" ", rules->add[i].name, rules->add[i].value);
    fputc('}', out);
}

static void write_address(FILE *out, const struct option *o, const char *base)
{
    char text[TL_ADDR_TEXT];
    struct tl_addr addr;

    if (o->type == OPTION_PEER && ((const struct tl_peer_config *)(const void *)base)->name[0]) {
        fprintf(out, "\"%s\"", ((const struct tl_peer_config *)(const void *)base)->name);
        return;
    }

    memcpy(&addr, base + o->offset, sizeof addr);
    if (!tl_addr_is_set(&addr)) {
        fputs("none", out);
        return;
    }
    if (o->type == OPTION_TRANSPORT)
        tl_addr_print(&addr, text);
    else
        tl_addr_print_ip(&addr, text);
    fprintf(out, "\"%s", text);
    if (o->type == OPTION_SUBNET)
        fprintf(out, "/%u", config_read_number(base + o->offset2, o->size2));
    fputc('"', out);
}

static void write_servers(FILE *out, const struct option *o, const char *base)
{
    const struct tl_addr *servers = (const struct tl_addr *)(const void *)(base + o->offset);
    uint32_t count = config_read_number(base + o->offset2, o->size2);

    fputc('[', out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", TL_ADDR_STR(&servers[i]));
    fputc(']', out);
}

static void write_failover(FILE *out, const struct tl_failover *set)
{
    const char *comma = "";

    fputc('[', out);
    for (unsigned what = TL_FAILOVER_FIRST; what < TL_FAILOVER_END; what++) {
        if (!tl_failover_has(set, what))
            continue;
        if (what <= TL_FAILOVER_LAST)
            fprintf(out, "%s%u", comma, what);
        else
            fprintf(out, "%s\"%s\"", comma, config_failover_words[what - TL_FAILOVER_LAST - 1]);
        comma = ", ";
    }
    fputc(']', out);
}

static void write_rules(FILE *out, const struct tl_rule *rules, uint32_t count)
{
    fputc('[', out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s{\"match\": \"%s\", \"to\": \"%s\"}", i ? ", " : "", rules[i].match, rules[i].to);
    fputc(']', out);
}

static void write_code_rules(FILE *out, const struct tl_code_rule *rules, uint32_t count)
{
    fputc('[', out);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "%s{", i ? ", " : "");
        if (rules[i].status)
            fprintf(out, "\"status\": %u, ", rules[i].status);
        if (rules[i].cause)
            fprintf(out, "\"cause\": %u, ", rules[i].cause);
        fprintf(out, "\"to\": %u}", rules[i].to);
    }
    fputc(']', out);
}

static void write_value(FILE *out, const struct option *o, const struct tl_config *config, const char *base)
{
    const char *field = base + o->offset;

    switch (o->type) {
    case OPTION_BOOL:
        fputs(config_read_number(field, o->size) ? "true" : "false", out);
        break;
    case OPTION_REF:
        if (o->size2 && config_read_number(base + o->offset2, o->size2)) {
            fputs("any", out);
            break;
        }
        if (config_read_number(field, o->size) == TL_NO_INDEX)
            fputs("none", out);
        else
            write_item(out, o, config, config_read_number(field, o->size));
        break;
    case OPTION_NUMBER:
    case OPTION_WORD:
    case OPTION_SUITE:
        write_item(out, o, config, config_read_number(field, o->size));
        break;
    case OPTION_NUMBERS:
    case OPTION_WORDS:
    case OPTION_SUITES:
    case OPTION_REFS:
        write_items(out, o, config, base);
        break;
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_HOST:
    case OPTION_PATH:
    case OPTION_DEVICE:
    case OPTION_DIGITS:
        fprintf(out, "\"%.*s\"", (int)o->size, field);
        break;
    case OPTION_DIGIT_LIST:
        write_texts(out, o, base, TL_DIGITS_MAX);
        break;
    case OPTION_HOSTS:
        write_texts(out, o, base, TL_HOST_MAX);
        break;
    case OPTION_PATTERN:
        fprintf(out, "\"%s\"", field);
        break;
    case OPTION_RULES:
        write_rules(out, (const struct tl_rule *)(const void *)field,
                    config_read_number(base + o->offset2, o->size2));
        break;
    case OPTION_CODE_RULES:
        write_code_rules(out, (const struct tl_code_rule *)(const void *)field,
                         config_read_number(base + o->offset2, o->size2));
        break;
    case OPTION_FAILOVER:
        write_failover(out, (const struct tl_failover *)(const void *)field);
        break;
    case OPTION_HEADERS:
        write_headers(out, (const struct tl_header_rules *)(const void *)field);
        break;
    case OPTION_ADDRESS:
    case OPTION_TRANSPORT:
    case OPTION_SUBNET:
    case OPTION_PEER:
        write_address(out, o, base);
        break;
    case OPTION_SERVERS:
        write_servers(out, o, base);
        break;
    case OPTION_PORTS:
        fprintf(out, "[%u, %u]", config_read_number(field, o->size),
                config_read_number(base + o->offset2, o->size2));
        break;
    case OPTION_PROFILE: // what it sets stands in the trunk
    case OPTION_BLOCK:
    case OPTION_LIST:
        break;
    }
}

char *config_value_text(const struct option *o, const struct tl_config *config, const void *base)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    write_value(out, o, config, base);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
