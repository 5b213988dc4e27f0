// SPDX-License-Identifier: BSD-3-Clause
// The table of what A hears, and that docs/causes.md shows it row by row.
#include "control/call/causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static void test_rows(void)
{
    static const struct {
        int b;
        unsigned q850;
        int a;
    } table[] = {
        {302, 0, 480},  {401, 0, 403},  {407, 0, 403}, {420, 0, 500},   {421, 0, 500},
        {481, 0, 500},  {491, 17, 500}, {486, 0, 486}, {404, 17, 404},  {480, 0, 480},
        {480, 17, 486}, {500, 17, 486}, {500, 1, 404}, {500, 127, 500}, {503, 0, 503},
        {599, 28, 484}, {600, 17, 600}, {603, 0, 603}, {480, 22, 410},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CU_ASSERT_EQUAL(cause_for_a(table[i].b, table[i].q850), table[i].a);
}

static void expect_line(const char *page, int from, int to, unsigned cause, int hears, const char *why)
{
    char range[24], q850[8], line[256];
    snprintf(range, sizeof range, from == to ? "%d" : "%d to %d", from, to);
    snprintf(q850, sizeof q850, "%u", cause);
    snprintf(line, sizeof line, "\n| %s | %s | %d | %s |\n", range, cause ? q850 : "any", hears, why);
    if (!strstr(page, line))
        printf("docs/causes.md lacks:%s", line);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, line));
}

static void test_page(void)
{
    static char page[16384];
    FILE *f = fopen(TEST_SOURCE_ROOT "/docs/causes.md", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    page[fread(page, 1, sizeof page - 1, f)] = 0;
    fclose(f);
    unsigned rows = 0;
#define X(from, to, cause, hears, why)                                                                       \
    expect_line(page, from, to, cause, hears, why);                                                          \
    rows++;
    CALL_CAUSES(X)
#undef X
    unsigned lines = 0;
    for (const char *p = page; (p = strstr(p, "\n| ")); p++)
        lines++;
    CU_ASSERT_EQUAL(lines, rows + 1); // and the head
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"rows", test_rows}, {"the page", test_page}};
    return test_main("causes", TEST_CASES(cases), argc, argv);
}
