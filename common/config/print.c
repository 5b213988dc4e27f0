// SPDX-License-Identifier: BSD-3-Clause
// The table of options in words: for errors and for docs/config.md.
#include <string.h>

#include "common/config/table.h"

static int list_words(char *out, size_t size, const char *const *words, const char *last)
{
    int used = 0;

    for (size_t i = 0; words[i]; i++) {
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : last;
        used += snprintf(out + used, size - (size_t)used, "%s\"%s\"", between, words[i]);
    }
    return used;
}

static void expect_number(const struct option *o, char *out, size_t size)
{
    snprintf(out, size, "%s%u to %u%s%s%s", o->unit ? "" : "number from ", o->min, o->max, o->unit ? " " : "",
             o->unit ? o->unit : "", o->flags & OPTION_POWER_OF_TWO ? ", a power of two" : "");
}

static void expect_suites(const struct option *o, char *out, size_t size)
{
    const char *names[TL_SUITE_COUNT + 1] = {NULL};
    int used = 0, n = 0;

    for (int s = 0; s < TL_SUITE_COUNT; s++)
        if (tl_suite_info(s))
            names[n++] = tl_suite_info(s)->name;
    if (o->type == OPTION_SUITES)
        used = snprintf(out, size, "list of 1 to %d different of ", n);
    list_words(out + used, size - (size_t)used, names, o->type == OPTION_SUITES ? " and " : " or ");
}

const char *option_expected(const struct option *o, char *out, size_t size)
{
    int used;

    switch (o->type) {
    case OPTION_BOOL:
        snprintf(out, size, "true or false");
        break;
    case OPTION_NUMBER:
        expect_number(o, out, size);
        break;
    case OPTION_NUMBERS:
        snprintf(out, size, "list of 1 to %zu %snumbers from %u to %u", o->size / sizeof(uint32_t),
                 o->flags & OPTION_REPEATED ? "" : "different ", o->min, o->max);
        break;
    case OPTION_NAME:
        snprintf(out, size, "name of at most %zu letters, digits, '.', '_' and '-', first a letter or digit",
                 o->size - 1);
        break;
    case OPTION_TEXT:
        snprintf(out, size, "1 to %zu printable ASCII characters", o->size - 1);
        break;
    case OPTION_HOST:
        snprintf(out, size, "host name of at most %zu bytes like sbc.example.com", o->size - 1);
        break;
    case OPTION_HOSTS:
        snprintf(out, size, "list of 1 to %zu different host names like sbc.example.com",
                 o->size / TL_HOST_MAX);
        break;
    case OPTION_HEADERS:
        snprintf(
            out, size,
            "object with \"pass\" and \"remove\", lists of at most %d header names, and \"add\", an object "
            "of at most %d names and values",
            TL_HEADER_PATTERNS_MAX, TL_HEADER_ADDS_MAX);
        break;
    case OPTION_FAILOVER:
        snprintf(out, size,
                 "list of numbers from %d to %d and \"no-response\", \"no-progress\", \"transport\"",
                 TL_FAILOVER_FIRST, TL_FAILOVER_LAST);
        break;
    case OPTION_PATTERN:
        snprintf(out, size, "regular expression of at most %d characters (PCRE2)", TL_PATTERN_LEN - 1);
        break;
    case OPTION_RULES:
        snprintf(out, size, "list of 1 to %d objects with \"match\" and \"to\"", TL_RULES_MAX);
        break;
    case OPTION_CODE_RULES:
        snprintf(
            out, size,
            "list of at most %d objects with \"status\" (400 to 699), \"cause\" (1 to 127) or both, and \"to\" "
            "(400 to 699)",
            TL_CODE_RULES_MAX);
        break;
    case OPTION_PATH:
        snprintf(out, size, "absolute path of at most %zu bytes", o->size - 1);
        break;
    case OPTION_DEVICE:
        snprintf(out, size, "PCI address like 0000:03:00.0 or vdev like net_af_packet0,iface=eth1");
        break;
    case OPTION_DIGITS:
        snprintf(out, size, "at most %zu digits, '*' and '#', before them perhaps a '+'", o->size - 1);
        break;
    case OPTION_DIGIT_LIST:
        snprintf(out, size, "list of at most %zu numbers, each of digits, '*', '#' and a '+' before them",
                 o->size / TL_DIGITS_MAX);
        break;
    case OPTION_WORD:
        list_words(out, size, o->words, " or ");
        break;
    case OPTION_WORDS:
        used = snprintf(out, size, "list of 1 to %zu different of ", o->size / sizeof(uint32_t));
        list_words(out + used, size - (size_t)used, o->words, " and ");
        break;
    case OPTION_SUITE:
    case OPTION_SUITES:
        expect_suites(o, out, size);
        break;
    case OPTION_ADDRESS:
        snprintf(out, size, "IPv4 address like 192.0.2.1");
        break;
    case OPTION_TRANSPORT:
        snprintf(out, size,
                 o->flags & OPTION_PORT_OR_NOT
                     ? "IP address like 192.0.2.10, 192.0.2.10:5060 or [2001:db8::10]:5060"
                     : "IP address and port like 192.0.2.10:5060 or [2001:db8::10]:5060");
        break;
    case OPTION_SUBNET:
        snprintf(out, size, "IPv4 address and prefix length (%u to %u) like 192.0.2.2/24", o->min, o->max);
        break;
    case OPTION_PEER:
        snprintf(out, size,
                 "host name like sip.example.com, IP address like 192.0.2.10 or 2001:db8::10, or a "
                 "network with its prefix length (at least %u) like 192.0.2.0/28",
                 (unsigned)TL_PEER_PREFIX_MIN);
        break;
    case OPTION_SERVERS:
        snprintf(out, size, "list of at most %zu different addresses like 192.0.2.53 or 192.0.2.53:5353",
                 o->size / sizeof(struct tl_addr));
        break;
    case OPTION_PORTS:
        snprintf(out, size, "[first, last]: an even and a higher odd number from %u to %u", o->min, o->max);
        break;
    case OPTION_REF:
    case OPTION_PROFILE:
        snprintf(out, size, "name of a %s", config_lists[o->list].noun);
        break;
    case OPTION_REFS:
        snprintf(out, size, "list of 1 to %zu different names of %s", o->size / sizeof(uint32_t),
                 config_lists[o->list].path);
        break;
    case OPTION_BLOCK:
        snprintf(out, size, "object");
        break;
    case OPTION_LIST:
        snprintf(out, size, "list of %u to %u objects", o->min, o->max);
        break;
    }
    return out;
}

// One cell of a Markdown table.
static void print_cell(FILE *out, const char *text)
{
    fputs(" ", out);
    for (; *text; text++) {
        if (strchr("*|<[", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" |", out);
}

static void print_options(FILE *out, const struct block *block, const struct option *options, size_t count)
{
    char expected[256];

    fputs("| option | value | default | changes | meaning |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &options[i];
        fprintf(out, "| `%s` |", o->name);
        print_cell(out, option_expected(o, expected, sizeof expected));
        if (o->preset)
            fprintf(out, " `%s` |", o->preset);
        else
            print_cell(out, o->preset_text ? o->preset_text : "required");
        print_cell(out, o->type == OPTION_BLOCK ? "" : tl_config_when_text(o->when ? o->when : block->when));
        print_cell(out, o->doc);
        fputs("\n", out);
    }
    fputs("\n", out);
}

static void print_block(FILE *out, const struct block *block)
{
    fprintf(out, "### %s\n\n%s\n\n", block->title, block->doc);
    print_options(out, block, block->own, block->own_count);
    // What two blocks share is printed with the one that binds it to something; the other has only a name.
    if (block->shared && block->own_count == 1)
        fputs("A profile also takes every switch of a trunk, see below.\n\n", out);
    else if (block->shared) {
        fputs("Switches, which a profile can set as well:\n\n", out);
        print_options(out, block, block->shared, block->shared_count);
    }
    for (size_t i = 0; i < block->own_count; i++)
        if (block->own[i].block)
            print_block(out, block->own[i].block);
    for (size_t i = 0; block->shared && block->own_count > 1 && i < block->shared_count; i++)
        if (block->shared[i].block)
            print_block(out, block->shared[i].block);
}

void tl_config_print_reference(FILE *out)
{
    print_block(out, &config_top);
}
