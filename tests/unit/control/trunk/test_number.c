// SPDX-License-Identifier: BSD-3-Clause
// Numbers by tables: into E.164, out of it, callers that are no number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/trunk/number.h"
#include "runner.h"

enum { IN, OUT };

static struct tl_config *config;

static void rule(uint32_t translation, const char *match, const char *to)
{
    struct tl_translation_config *t = &config->translations[translation];
    struct tl_rule *r = &t->rules[t->rule_count++];
    char why[160];

    snprintf(r->match, sizeof r->match, "%s", match);
    snprintf(r->to, sizeof r->to, "%s", to);
    CU_ASSERT_EQUAL_FATAL(tl_pattern_compile(match, &r->pattern, why, sizeof why), 0);
    if (translation >= config->translation_count)
        config->translation_count = translation + 1;
}

static void begin(void)
{
    config = calloc(1, sizeof *config);
    CU_ASSERT_FATAL(config != NULL);
    rule(IN, "^00([1-9]\\d+)$", "+$1");
    rule(IN, "^0([1-9]\\d+)$", "+49$1");
    rule(IN, "^(\\d{4})$", "+4930555$1");
    rule(IN, "^x(.*)$", "a b$1"); // no user part
    rule(OUT, "^\\+4930555(\\d{4})$", "$1");
    rule(OUT, "^\\+49", "0");
    rule(OUT, "^\\+", "00");
}

static void end(void)
{
    tl_config_free(config);
}

static void first_rule_that_fits_counts(void)
{
    static const struct {
        uint32_t translation;
        const char *number, *out;
        int rule;
    } rows[] = {
        {IN, "0044123", "+44123", 0},
        {IN, "030123", "+4930123", 1},
        {IN, "4711", "+49305554711", 2},
        {IN, "0123", "+49123", 1}, // not the third
        {IN, "+4930", "+4930", -1},
        {IN, "anonymous", "anonymous", -1},
        {IN, "alice", "alice", -1},
        {IN, "", "", -1},
        {IN, "xy", "xy", 3}, // stays
        {OUT, "+49305554711", "4711", 0},
        {OUT, "+49301234", "0301234", 1},
        {OUT, "+44123", "0044123", 2},
        {TL_NO_INDEX, "030", "030", -1},
        {7, "030", "030", -1},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[NUMBER_MAX];
        CU_ASSERT_EQUAL(number_translate(config, rows[i].translation, rows[i].number, out), rows[i].rule);
        CU_ASSERT_STRING_EQUAL(out, rows[i].out);
    }
    char out[NUMBER_MAX], all[NUMBER_MAX];
    memset(all, '1', sizeof all - 1);
    all[sizeof all - 1] = '\0';
    rule(OUT, "^(1+)$", "$1$1"); // longer than a number may be: it stays
    CU_ASSERT_EQUAL(number_translate(config, OUT, all, out), 3);
    CU_ASSERT_STRING_EQUAL(out, all);
    end();
}

static void numbers_go_from_peer_to_peer(void)
{
    static const struct {
        bool in, out, remove_plus;
        const char *number, *sent;
    } rows[] = {
        {false, false, false, "+4930", NULL},       {true, false, false, "030123", "+4930123"},
        {true, true, false, "030123", NULL}, // there and back
        {true, true, false, "4711", NULL},          {false, false, true, "+4930123", "4930123"},
        {true, false, true, "4711", "49305554711"}, {true, true, true, "0044123", NULL},
        {true, true, true, "anonymous", NULL},      {false, false, true, "+", ""},
        {false, true, true, "+44123", "0044123"},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tl_trunk_config from = {.calling_in = rows[i].in ? IN : TL_NO_INDEX},
                                     to = {.calling_out = rows[i].out ? OUT : TL_NO_INDEX,
                                           .remove_plus = rows[i].remove_plus};
        const struct number_pass pass = {config, config, &from, &to};
        char out[NUMBER_MAX];
        CU_ASSERT_EQUAL(number_pass_calling(&pass, rows[i].number, out), rows[i].sent != NULL);
        CU_ASSERT_STRING_EQUAL(out, rows[i].sent ? rows[i].sent : rows[i].number);
    }
    end();
}

static void emergency_numbers_are_known(void)
{
    begin();
    strcpy(config->control.emergency_numbers[0], "112");
    strcpy(config->control.emergency_numbers[1], "+49112");
    config->control.emergency_count = 2;
    CU_ASSERT(number_is_emergency(config, "112") && number_is_emergency(config, "+49112"));
    CU_ASSERT(!number_is_emergency(config, "1121") && !number_is_emergency(config, "11") &&
              !number_is_emergency(config, ""));
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"first_rule_that_fits_counts", first_rule_that_fits_counts},
        {"numbers_go_from_peer_to_peer", numbers_go_from_peer_to_peer},
        {"emergency_numbers_are_known", emergency_numbers_are_known},
    };
    return test_main("number", TEST_CASES(cases), argc, argv);
}
