// SPDX-License-Identifier: BSD-3-Clause
// Regular expressions: what fits, what is put in its place, what is refused, and that a match is bounded.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/pattern.h"
#include "runner.h"

static struct tl_pattern *compile(const char *text)
{
    struct tl_pattern *p = NULL;
    char why[160];

    CU_ASSERT_EQUAL_FATAL(tl_pattern_compile(text, &p, why, sizeof why), 0);
    return p;
}

static void numbers_fit(void)
{
    static const struct {
        const char *pattern, *subject;
        int fits;
    } rows[] = {
        {"^\\+49", "+4930", 1},          {"^\\+49", "4930", 0},    {"30", "+4930", 1},
        {"^(\\d{4})$", "1234", 1},       {"^(\\d{4})$", "123", 0}, {"^(\\d{4})$", "1234\n", 0},
        {"^anonymous$", "anonymous", 1}, {"^(?!\\+)", "+1", 0},    {"", "", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_pattern *p = compile(rows[i].pattern);
        CU_ASSERT_EQUAL(tl_pattern_match(p, rows[i].subject), rows[i].fits);
        tl_pattern_free(p);
    }
    tl_pattern_free(NULL);
}

// mediation.md rows 89 and 90, and what a template may be.
static void matches_are_replaced(void)
{
    static const struct {
        const char *pattern, *subject, *to, *out;
        int rc;
    } rows[] = {
        {"^\\+1425(\\d{7})$", "+14255550100", "$1", "5550100", 0},
        {"^\\+(1\\d{10})$", "+14255550100", "$1", "14255550100", 0},
        {"^\\+(\\d{9}\\d+)$", "+4930123456", "011$1", "0114930123456", 0},
        {"^(\\d{4})$", "4711", "+1206555$1", "+12065554711", 0},
        {"^0", "030123", "+49", "+4930123", 0}, // what is behind it stays
        {"^(\\d)(\\d)?x", "1x", "${1}0$2", "10", 0},
        {"^1", "1", "$$", "$", 0},
        {"^1", "2", "3", "", -ENOENT},
        {"^(.*)$", "123456789", "$1$1", "", -EMSGSIZE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_pattern *p = compile(rows[i].pattern);
        char out[16] = "";
        CU_ASSERT_EQUAL(tl_pattern_replace(p, rows[i].subject, rows[i].to, out, sizeof out), rows[i].rc);
        if (rows[i].rc == 0)
            CU_ASSERT_STRING_EQUAL(out, rows[i].out);
        tl_pattern_free(p);
    }
}

static void groups_are_checked(void)
{
    static const struct {
        const char *to;
        bool good;
    } rows[] = {{"", true},      {"$1", true},   {"$2", true},   {"$3", false}, {"${2}", true},
                {"${3}", false}, {"$", false},   {"$$1", true},  {"$x", false}, {"${1", false},
                {"${}", false},  {"a$2b", true}, {"$12", false}, {"$0", true}};
    struct tl_pattern *p = compile("^(1)(2)");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(tl_pattern_has_groups(p, rows[i].to), rows[i].good);
        char out[64];
        if (rows[i].good) // and PCRE2 takes it
            CU_ASSERT_EQUAL(tl_pattern_replace(p, "12", rows[i].to, out, sizeof out), 0);
    }
    tl_pattern_free(p);
}

static void wrong_ones_are_refused(void)
{
    static const char *const rows[] = {"(", "[", "*", "a{2,1}", "(?<n>", "\\", "(?P=x)", "(*UTF)a", "\\C"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_pattern *p = NULL;
        char why[160] = "";
        CU_ASSERT_EQUAL(tl_pattern_compile(rows[i], &p, why, sizeof why), -EINVAL);
        CU_ASSERT(p == NULL && strstr(why, " at its character ") != NULL);
    }
}

// A pattern that would take longer than the universe gives up.
static void a_match_is_bounded(void)
{
    static const char *const rows[] = {"^(a+)+$", "^(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_pattern *p = compile(rows[i]);
        char out[128];
        int rc = tl_pattern_match(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
        CU_ASSERT(rc == 0 || rc == -ELOOP); // the library may see at once that it cannot fit
        rc = tl_pattern_replace(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "", out,
                                sizeof out);
        CU_ASSERT(rc == -ENOENT || rc == -ELOOP);
        tl_pattern_free(p);
    }
    struct tl_pattern *p = compile("^(a+)+$");
    CU_ASSERT_EQUAL(tl_pattern_match(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
                    -ELOOP);
    tl_pattern_free(p);
}

static void beginnings_are_read(void)
{
    static const struct {
        const char *pattern, *beginning;
    } rows[] = {
        {"^\\+49", "+49"}, {"^\\+4930(\\d+)$", "+4930"},
        {"^00", "00"},     {"^00?", "0"},
        {"^0*", ""},       {"^1{2}", ""},
        {"^12+", "1"},     {"49", ""},
        {"^49|^50", ""},   {"^(49)", ""},
        {"^4\\+9", "4"},   {"^+49", ""},
        {"^4[9]", "4"},    {"", ""},
        {"^\\d", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[32];
        CU_ASSERT_STRING_EQUAL(tl_pattern_beginning(rows[i].pattern, out, sizeof out), rows[i].beginning);
    }
    char small[4];
    CU_ASSERT_STRING_EQUAL(tl_pattern_beginning("^12345", small, sizeof small), "123");
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"numbers_fit", numbers_fit},
        {"matches_are_replaced", matches_are_replaced},
        {"groups_are_checked", groups_are_checked},
        {"wrong_ones_are_refused", wrong_ones_are_refused},
        {"a_match_is_bounded", a_match_is_bounded},
        {"beginnings_are_read", beginnings_are_read},
    };
    return test_main("pattern", TEST_CASES(cases), argc, argv);
}
