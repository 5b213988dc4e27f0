// SPDX-License-Identifier: BSD-3-Clause
// Random bytes: none given twice, none left behind, and what the kernel refuses is said.
#include "control/base/random.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runner.h"

// The kernel's bytes: a count that goes on, so that each eight are known by their number.
static uint64_t number;
static bool refuses;

int getentropy(void *out, size_t len)
{
    if (refuses) {
        errno = ENOSYS;
        return -1;
    }
    for (size_t i = 0; i < len; i += sizeof number, number++)
        memcpy((char *)out + i, &number, sizeof number);
    return 0;
}

static void each_once(void)
{
    static bool seen[1000];
    for (unsigned i = 0; i < 500; i++) {
        uint64_t n;
        CU_ASSERT_EQUAL(random_bytes(&n, sizeof n), 0);
        CU_ASSERT_FATAL(n < sizeof seen);
        CU_ASSERT(!seen[n]);
        seen[n] = true;
    }
    CU_ASSERT(number >= 500 && number <= 500 + 32); // and none is thrown away
}

static void more_than_is_fetched_at_once(void)
{
    uint64_t many[100], before = number;
    memset(many, 0xff, sizeof many);
    CU_ASSERT_EQUAL(random_bytes(many, sizeof many), 0);
    for (unsigned i = 0; i < 100; i++) {
        CU_ASSERT(many[i] < number);
        for (unsigned k = 0; k < i; k++)
            CU_ASSERT(many[i] != many[k]);
    }
    CU_ASSERT(number - before <= 100 + 32);
    CU_ASSERT_EQUAL(random_bytes(many, 0), 0);
}

static void refusal(void)
{
    char rest[4096];
    refuses = true;
    CU_ASSERT_EQUAL(random_bytes(rest, sizeof rest), -ENOSYS);
    refuses = false;
    CU_ASSERT_EQUAL(random_bytes(rest, sizeof rest), 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"each_once", each_once},
        {"more_than_is_fetched_at_once", more_than_is_fetched_at_once},
        {"refusal", refusal},
    };
    return test_main("random", TEST_CASES(cases), argc, argv);
}
