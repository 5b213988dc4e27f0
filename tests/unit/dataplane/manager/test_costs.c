// SPDX-License-Identifier: BSD-3-Clause
// What is pure in the sum of memory. That the sum is true is shown by tests/e2e/memory.sh.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "dataplane/manager/costs.h"
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
    sum.part[MEMORY_keys] = (1 << 20) + (1 << 19);
    CU_ASSERT_EQUAL(memory_total(&sum), (11 << 20) + (1 << 19));
    memory_describe(&sum, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "packet buffers 10.0, keys 1.5");
    for (unsigned i = 0; i < MEMORY_COUNT; i++)
        sum.part[i] = UINT64_MAX / MEMORY_COUNT / 16;
    for (size_t len = 1; len < sizeof text; len++) { // what does not fit is cut
        memset(text, 'x', sizeof text);
        memory_describe(&sum, text, len);
        CU_ASSERT(strlen(text) < len);
        CU_ASSERT_EQUAL(text[len], 'x');
    }
}

// The limits of a direction, for every suite that is there.
static void a_direction_is_small(void)
{
    enum {
        PLAIN = 512,
        CM = 512,
        CM_256 = CM + 64,
        GCM = 1300
    }; // AES-256 has four round keys more: 64 bytes
    static const uint32_t limit[TL_SUITE_COUNT] = {
        [TL_SUITE_AES_CM_128_HMAC_SHA1_80] = CM,     [TL_SUITE_AES_CM_128_HMAC_SHA1_32] = CM,
        [TL_SUITE_AES_256_CM_HMAC_SHA1_80] = CM_256, [TL_SUITE_AES_256_CM_HMAC_SHA1_32] = CM_256,
        [TL_SUITE_AEAD_AES_128_GCM] = GCM,           [TL_SUITE_AEAD_AES_256_GCM] = GCM};
    struct memory_costs c;
    memory_costs(&c);
    CU_ASSERT(memory_plain(&c) <= PLAIN);
    CU_ASSERT(c.live >= 288 && c.session >= 160 && c.ports >= 8 && c.record >= 40);
    CU_ASSERT(c.rx[TL_SUITE_NONE] == 0 && c.tx[TL_SUITE_NONE] == 0);
    unsigned suites = 0;
    for (unsigned s = TL_SUITE_NONE + 1; s < TL_SUITE_COUNT; s++) {
        CU_ASSERT(c.rx[s] <= limit[s] && c.tx[s] <= limit[s]);
        CU_ASSERT((c.rx[s] == 0) == (c.tx[s] == 0));
        suites += c.rx[s] > 0;
        // what the configuration counts on for a call with SRTP on both sides
        CU_ASSERT(2 * (c.session + c.rx[s] + c.tx[s]) <= TL_SESSION_BYTES);
    }
    CU_ASSERT(suites >= 2 && c.rx[TL_SUITE_AES_CM_128_HMAC_SHA1_80] > 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"status_of_a_process", status_of_a_process},
        {"in_words", in_words},
        {"a_direction_is_small", a_direction_is_small},
    };
    return test_main("costs", TEST_CASES(cases), argc, argv);
}
