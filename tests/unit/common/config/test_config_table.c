// SPDX-License-Identifier: BSD-3-Clause
// Every row of the table of options does what it says: bounds, words, types, each tried with each option. And
// the scan that finds the places.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/scan.h"
#include "common/config/table.h"
#include "config_text.h"
#include "runner.h"

// A configuration around one object of each block; what an object must have, as `key:value`, one after the
// other.
static const struct {
    const char *title; // of the block
    const char *path;  // of the object
    const char *before, *behind;
    const char *members[5];
} blocks[] = {
    {"dataplane",
     "dataplane",
     "{\"dataplane\":{",
     "},\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}]}",
     {"\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]"}},
    {"dataplane.ports[]",
     "dataplane.ports[0]",
     "{\"dataplane\":{\"ports\":[{",
     "}]},\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}]}",
     {"\"name\":\"p\"", "\"device\":\"net_null0\""}},
#define PROFILES "\"profiles\":[{\"name\":\"f\"}]"
#define TRUNKS   "\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\"}]"
    {"control", "control", "{" DATAPLANE "," REALMS ",\"control\":{", "}}", {NULL}},
    {"realms[]",
     "realms[0]",
     "{" DATAPLANE ",\"realms\":[{",
     "}]}",
     {"\"name\":\"r\"", "\"port\":\"p\"", "\"address\":\"10.0.0.2/24\""}},
    {"listeners[]",
     "listeners[0]",
     "{" DATAPLANE "," REALMS ",\"listeners\":[{",
     "}]}",
     {"\"name\":\"l\"", "\"transport\":\"udp\"", "\"address\":\"10.0.0.1:5060\""}},
    {"profiles[]", "profiles[0]", "{" DATAPLANE "," REALMS ",\"profiles\":[{", "}]}", {"\"name\":\"f\""}},
    {"trunks[]",
     "trunks[0]",
     "{\"control\":{\"srtp_without_tls\":\"allow\"}," DATAPLANE "," REALMS "," LISTENERS "," PROFILES
     ",\"trunks\":[{",
     "}]}",
     {"\"name\":\"t\"", "\"listener\":\"l\"", "\"peer\":\"10.0.0.9:5060\"", "\"realm\":\"r\""}},
    {"routes[]",
     "routes[0]",
     "{" DATAPLANE "," REALMS "," LISTENERS "," TRUNKS ",\"routes\":[{",
     "}]}",
     {"\"prefix\":\"\"", "\"trunks\":[\"t\"]"}},
};

enum { BLOCKS = sizeof blocks / sizeof blocks[0] };

// Parses block number b with this option set to `value` (NULL: left out). Returns the errors, "" if there are
// none.
static const char *try_value(size_t b, const struct option *o, const char *value)
{
    static struct tl_config_errors errors;
    struct tl_config *config = NULL;
    char text[2000], key[64];
    int used = snprintf(text, sizeof text, "%s", blocks[b].before);
    const char *comma = "";

    snprintf(key, sizeof key, "\"%s\":", o->name);
    for (size_t m = 0; m < 5 && blocks[b].members[m]; m++) {
        if (strncmp(blocks[b].members[m], key, strlen(key)) == 0)
            continue;
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", comma, blocks[b].members[m]);
        comma = ",";
    }
    if (value)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s%s", comma, key, value);
    used += snprintf(text + used, sizeof text - (size_t)used, "%s", blocks[b].behind);
    int rc = tl_config_parse("f", text, (size_t)used, &config, &errors);
    CU_ASSERT((rc == 0) == (errors.count == 0));
    CU_ASSERT(errors.count == 0 || errors.text[0]);
    if (rc == 0)
        tl_config_free(config);
    return rc == 0 ? "" : errors.text; // no warnings
}

// Does an error stand at the option? Others may follow from an extreme value.
static bool refused(size_t b, const struct option *o, const char *value)
{
    char at[128];
    const char *errors = try_value(b, o, value);

    snprintf(at, sizeof at, ": %s.%s", blocks[b].path, o->name);
    return strstr(errors, at) != NULL;
}

static bool out_of_range(size_t b, const struct option *o, long long number)
{
    char value[32];

    snprintf(value, sizeof value, "%lld", number);
    const char *errors = try_value(b, o, value);
    return strstr(errors, "is out of range; expected ") && strstr(errors, o->name);
}

static void report(size_t b, const struct option *o, const char *what)
{
    printf("   %s.%s: %s\n", blocks[b].title, o->name, what);
}

// Calls `check` with every option of every block.
static void each(void (*check)(size_t b, const struct option *o))
{
    unsigned found = 0;

    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t i = 0; i < block_count(&config_top); i++) {
            const struct block *block = block_option(&config_top, i)->block;
            const struct block *inner = strcmp(block->title, "dataplane") == 0
                                            ? block_option(block, block->own_count - 1)->block
                                            : block;
            if (strcmp(blocks[b].title, inner->title) == 0)
                block = inner;
            else if (strcmp(blocks[b].title, block->title) != 0)
                continue;
            found++;
            for (size_t k = 0; k < block_count(block); k++)
                check(b, block_option(block, k));
        }
    CU_ASSERT_EQUAL(found, BLOCKS);
}

// Of a route one of several must be there, or another one beside it; of a trunk peer or peers.
static bool depends_on_others(const struct option *o)
{
    return !(o->flags & OPTION_REQUIRED) &&
           (strcmp(o->name, "prefix") == 0 || strcmp(o->name, "trunks") == 0 ||
            strcmp(o->name, "deny_text") == 0 || strcmp(o->name, "peer") == 0);
}

static void check_required(size_t b, const struct option *o)
{
    bool missing = strstr(try_value(b, o, NULL), ": missing; expected ") != NULL;

    if (missing != ((o->flags & OPTION_REQUIRED) != 0) && !depends_on_others(o))
        report(b, o, try_value(b, o, NULL));
    CU_ASSERT(depends_on_others(o) || missing == ((o->flags & OPTION_REQUIRED) != 0));
    CU_ASSERT(o->doc && o->doc[0] && o->doc[strlen(o->doc) - 1] == '.');
    CU_ASSERT(((o->flags & OPTION_REQUIRED) != 0) + (o->preset != NULL) + (o->preset_text != NULL) == 1);
}

static void what_is_required_and_documented(void)
{
    each(check_required);
}

static void check_bounds(size_t b, const struct option *o)
{
    if (o->type != OPTION_NUMBER)
        return;
    bool good = !out_of_range(b, o, o->min) && !out_of_range(b, o, o->max) &&
                out_of_range(b, o, (long long)o->min - 1) && out_of_range(b, o, (long long)o->max + 1) &&
                out_of_range(b, o, -(1LL << 32) + o->min) && out_of_range(b, o, (1LL << 32) + o->min) &&
                out_of_range(b, o, INT64_MAX) && out_of_range(b, o, INT64_MIN);
    if (!good)
        report(b, o, "bounds");
    CU_ASSERT(good);
    // the field can hold what the bounds allow
    CU_ASSERT(o->size == 4 || (o->size == 2 && o->max <= UINT16_MAX) ||
              (o->size == 1 && o->max <= UINT8_MAX));
}

static void numbers_keep_their_bounds(void)
{
    each(check_bounds);
}

static void check_types(size_t b, const struct option *o)
{
    static const char *const never[] = {"null", "1.5",    "-1",   "\"\\u0001\"",
                                        "[[]]", "[null]", "[{}]", "[1.5,2.5]"};
    bool array = o->type == OPTION_NUMBERS || o->type == OPTION_SUITES || o->type == OPTION_REFS ||
                 o->type == OPTION_LIST || o->type == OPTION_PORTS;

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (!refused(b, o, never[i]))
            report(b, o, never[i]);
        CU_ASSERT(refused(b, o, never[i]));
    }
    CU_ASSERT(refused(b, o, "true") == (o->type != OPTION_BOOL));
    CU_ASSERT(refused(b, o, "{}") == (o->type != OPTION_HEADERS && o->type != OPTION_BLOCK));
    CU_ASSERT(refused(b, o, "[]") ==
              (o->type != OPTION_DIGIT_LIST && o->type != OPTION_FAILOVER && o->type != OPTION_CODE_RULES));
    CU_ASSERT(array || refused(b, o, "[1,1]"));
    if (o->type == OPTION_BOOL)
        CU_ASSERT(!refused(b, o, "false"));
    if (o->type == OPTION_WORD)
        for (size_t w = 0; o->words[w]; w++) {
            char word[64];
            snprintf(word, sizeof word, "\"%s\"", o->words[w]);
            CU_ASSERT(!refused(b, o, word));
            snprintf(word, sizeof word, "\"%sx\"", o->words[w]);
            CU_ASSERT(refused(b, o, word));
        }
}

static void wrong_types_are_refused(void)
{
    each(check_types);
}

// Texts of exactly the room of their field, and one more.
static void check_lengths(size_t b, const struct option *o)
{
    char value[400];
    bool text = o->type == OPTION_NAME || o->type == OPTION_TEXT || o->type == OPTION_PATH ||
                o->type == OPTION_DEVICE || o->type == OPTION_DIGITS || o->type == OPTION_HOST;

    if (!text || depends_on_others(o))
        return;
    for (size_t more = 0; more < 2; more++) {
        size_t len = o->size - 1 + more;
        value[0] = '"';
        memset(value + 1, o->type == OPTION_DIGITS ? '1' : 'x', len);
        memcpy(value + 1,
               o->type == OPTION_PATH     ? "/"
               : o->type == OPTION_DEVICE ? "net_x,"
                                          : "",
               o->type == OPTION_PATH     ? 1
               : o->type == OPTION_DEVICE ? 6
                                          : 0);
        memcpy(value + 1 + len, "\"", 2);
        if (refused(b, o, value) != (more == 1))
            report(b, o, try_value(b, o, value));
        CU_ASSERT(refused(b, o, value) == (more == 1));
    }
}

static void texts_fit_their_fields(void)
{
    each(check_lengths);
}

// ---- scan

static void places_and_paths(void)
{
    static const char text[] =
        "{ \"a\" : [1, {\"b\\u002fc\":\n\t\"x]}\\\"\"}, [ ] ],\n \"\xc3\xa4\":tr, \"a\":null}";
    struct scan scan;
    unsigned line, column;
    char path[64];

    CU_ASSERT_FATAL(scan_init(&scan, text, sizeof text - 1) == 0);
    CU_ASSERT_EQUAL(scan.count, 8);
    uint32_t list = scan.nodes[0].first, object = scan_item(&scan, list, 1),
             inner = scan_find(&scan, object, "b/c");
    CU_ASSERT_FATAL(object != SCAN_NONE && inner != SCAN_NONE);
    scan_position(&scan, scan.nodes[inner].value, &line, &column);
    CU_ASSERT(line == 2 && column == 2);
    scan_path(&scan, inner, path, sizeof path);
    CU_ASSERT_STRING_EQUAL(path, "a[1].b/c");
    CU_ASSERT_EQUAL(scan_item(&scan, list, 3), SCAN_NONE);
    CU_ASSERT_EQUAL(scan_item(&scan, scan_item(&scan, list, 2), 0), SCAN_NONE);
    uint32_t umlaut = scan_item(&scan, 0, 1), last = scan_find(&scan, 0, "a");
    scan_path(&scan, umlaut, path, sizeof path);
    CU_ASSERT_STRING_EQUAL(path, "\?\?");
    CU_ASSERT(last == scan_item(&scan, 0, 2));
    scan_position(&scan, scan.nodes[last].value, &line, &column); // the letter of two bytes is one column
    CU_ASSERT(line == 3 && column == 14);
    scan_path(&scan, 0, path, sizeof path);
    CU_ASSERT_STRING_EQUAL(path, "");
    CU_ASSERT_EQUAL(scan_find(&scan, SCAN_NONE, "a"), SCAN_NONE);
    scan_fini(&scan);
    scan_fini(&scan);
}

// On bytes that are no JSON it stays within them.
static void scan_of_garbage(void)
{
    static const char parts[] = "{}[]\"\"\\:, \n\0ab1\xc3\xa4";
    uint32_t seed = 7;

    for (int round = 0; round < 3000; round++) {
        size_t len = (size_t)round % 64;
        char *bytes = malloc(len ? len : 1), path[40], key[8];
        struct scan scan;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = parts[(seed >> 16) % (sizeof parts - 1)];
        }
        CU_ASSERT_FATAL(scan_init(&scan, bytes, len) == 0);
        CU_ASSERT(scan.count <= len);
        for (uint32_t n = 0; n < scan.count; n++) {
            CU_ASSERT(scan.nodes[n].value < len);
            scan_path(&scan, n, path, sizeof path);
            if (scan.nodes[n].key)
                CU_ASSERT(scan_key(&scan, n, key, sizeof key) < sizeof key);
        }
        scan_fini(&scan);
        free(bytes);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"what_is_required_and_documented", what_is_required_and_documented},
        {"numbers_keep_their_bounds", numbers_keep_their_bounds},
        {"wrong_types_are_refused", wrong_types_are_refused},
        {"texts_fit_their_fields", texts_fit_their_fields},
        {"places_and_paths", places_and_paths},
        {"scan_of_garbage", scan_of_garbage},
    };
    return test_main("config_table", TEST_CASES(cases), argc, argv);
}
