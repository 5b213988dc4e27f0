// SPDX-License-Identifier: BSD-3-Clause
// What is pure in the sum of memory. That the sum is true is shown by tests/e2e/memory.sh.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/memory.h"
#include "runner.h"

static void status_of_a_process(void)
{
    static const struct {
        const char *text;
        int status;
        uint64_t bytes;
    } rows[] = {
        {"VmPeak:\t  9 kB\nVmRSS:\t   20 kB\nRssAnon:\t 5 kB\nHugetlbPages:\t  2048 kB\n", 0,
         (20 + 2048) * 1024},
        {"VmRSS:\t   20 kB\n", 0, 20 * 1024},
        {"Name:\tVmRSS:\nVmRSS:\t7 kB", 0, 7 * 1024},
        {"VmRSS:\t99999999999 kB\n", 0, 99999999999u * 1024},
        {"HugetlbPages:\t  2048 kB\n", -EPROTO, 0},
        {"XVmRSS:\t20 kB\n", -EPROTO, 0},
        {"VmRSS:\n", -EPROTO, 0},
        {"VmRSS:\t-5 kB\n", -EPROTO, 0},
        {"", -EPROTO, 0},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t bytes = 0;
        CU_ASSERT_EQUAL(memory_parse_status(rows[i].text, &bytes), rows[i].status);
        CU_ASSERT_EQUAL(bytes, rows[i].bytes);
    }
    uint64_t before, after;
    CU_ASSERT_EQUAL_FATAL(memory_process(&before), 0);
    enum { MORE = 32 << 20 };
    volatile char *p = malloc(MORE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (unsigned i = 0; i < MORE; i += 4096)
        p[i] = 1;
    CU_ASSERT_EQUAL(memory_process(&after), 0);
    free((void *)(uintptr_t)p);
    CU_ASSERT(after > before + MORE / 10 * 9);
}

static void in_words(void)
{
    char text[512];
    struct memory_sum sum = {{0}};
    memory_describe(&sum, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    sum.part[MEMORY_packets] = 10 << 20;
    sum.part[MEMORY_terms] = (1 << 20) + (1 << 19);
    CU_ASSERT_EQUAL(memory_total(&sum), (11 << 20) + (1 << 19));
    memory_describe(&sum, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "packet buffers 10.0, terms and keys 1.5");
    for (unsigned i = 0; i < MEMORY_COUNT; i++)
        sum.part[i] = UINT64_MAX / MEMORY_COUNT / 16;
    for (size_t len = 1; len < sizeof text; len++) { // what does not fit is cut
        memset(text, 'x', sizeof text);
        memory_describe(&sum, text, len);
        CU_ASSERT(strlen(text) < len);
        CU_ASSERT_EQUAL(text[len], 'x');
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"status_of_a_process", status_of_a_process},
        {"in_words", in_words},
    };
    return test_main("memory", TEST_CASES(cases), argc, argv);
}
