// SPDX-License-Identifier: BSD-3-Clause
// How often a kind of line may be written.
#include "control/base/log.h"
#include "runner.h"

#include <stdio.h>

static void lines_of_a_kind_are_bounded(void)
{
    struct log_limit limit = {0};
    uint64_t unsaid = 99;
    for (unsigned i = 0; i < LOG_LIMIT; i++) {
        CU_ASSERT_TRUE(log_allow(&limit, 5000 + i, &unsaid));
        CU_ASSERT_EQUAL(unsaid, 0);
    }
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_FALSE(log_allow(&limit, 5000 + i, &unsaid));
    // the next one says how many were left out, once
    CU_ASSERT_TRUE(log_allow(&limit, 5000 + 2 * LOG_REFILL_S * 1000, &unsaid));
    CU_ASSERT_EQUAL(unsaid, 1000);
    CU_ASSERT_TRUE(log_allow(&limit, 5000 + 2 * LOG_REFILL_S * 1000, &unsaid));
    CU_ASSERT_EQUAL(unsaid, 0);
    CU_ASSERT_FALSE(log_allow(&limit, 5000 + 2 * LOG_REFILL_S * 1000, &unsaid));
    // a minute has 25 at most
    struct log_limit other = {0};
    unsigned said = 0;
    for (uint64_t ms = 0; ms < 60000; ms += 10)
        said += log_allow(&other, ms, &unsaid);
    CU_ASSERT(said <= 25);
}

static enum log_level last_level;
static char last[64];

static void keep(void *arg, enum log_level level, const char *text)
{
    CU_ASSERT_PTR_EQUAL(arg, last);
    last_level = level;
    snprintf(last, sizeof last, "%s", text);
}

static void a_sink_gets_the_lines(void)
{
    log_set_sink(keep, last);
    log_line(LOG_WARNING, "trunk %s is\ndown", "b");
    CU_ASSERT_EQUAL(last_level, LOG_WARNING);
    CU_ASSERT_STRING_EQUAL(last, "trunk b is\\x0adown");
    log_set_sink(NULL, NULL);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"lines_of_a_kind_are_bounded", lines_of_a_kind_are_bounded},
        {"a_sink_gets_the_lines", a_sink_gets_the_lines},
    };
    return test_main("log", TEST_CASES(cases), argc, argv);
}
