// SPDX-License-Identifier: BSD-3-Clause
// How often a kind of line may be written.
#include "control/base/log.h"
#include "runner.h"

static void lines_of_a_kind_are_bounded(void)
{
    struct log_limit limit = {0};
    uint64_t unsaid = 99;
    for (unsigned i = 0; i < LOG_LIMIT; i++) {
        CU_ASSERT_TRUE(log_allow(&limit, 5000 + i, &unsaid));
        CU_ASSERT_EQUAL(unsaid, 0);
    }
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_FALSE(log_allow(&limit, 5999, &unsaid));
    // the next second says how many were left out, once
    CU_ASSERT_TRUE(log_allow(&limit, 6000, &unsaid));
    CU_ASSERT_EQUAL(unsaid, 1000);
    CU_ASSERT_TRUE(log_allow(&limit, 6000, &unsaid));
    CU_ASSERT_EQUAL(unsaid, 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"lines_of_a_kind_are_bounded", lines_of_a_kind_are_bounded},
    };
    return test_main("log", TEST_CASES(cases), argc, argv);
}
