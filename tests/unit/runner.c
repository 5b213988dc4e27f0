// SPDX-License-Identifier: BSD-3-Clause
#include "runner.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char skip_reason[256];
static bool skipped;

void test_skip(const char *why)
{
    skipped = true;
    snprintf(skip_reason, sizeof skip_reason, "%s", why);
}

const char *test_data(const char *relative)
{
    static char path[PATH_MAX];
    const char *root = getenv("TRUNKLINE_TEST_DATA");
    snprintf(path, sizeof path, "%s/%s", root ? root : TEST_SOURCE_ROOT "/../shared/data", relative);
    if (access(path, R_OK) == 0)
        return path;
    char why[sizeof path + 32];
    snprintf(why, sizeof why, "no test data at %.180s", path);
    test_skip(why);
    return NULL;
}

int test_main(const char *suite, const struct test_case *cases, size_t count, int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    unsigned passed = 0, failed = 0, skips = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "%s: CUnit did not start: %s\n", suite, CU_get_error_msg());
        return 1;
    }
    CU_pSuite s = CU_add_suite(suite, NULL, NULL);
    CU_set_error_action(CUEA_IGNORE);
    for (size_t i = 0; i < count; i++) {
        if (only && !strstr(cases[i].name, only))
            continue;
        CU_pTest t = CU_add_test(s, cases[i].name, cases[i].run);
        if (!t) {
            printf("FAIL %s/%s: CUnit refused it: %s\n", suite, cases[i].name, CU_get_error_msg());
            failed++;
            continue;
        }
        skipped = false;
        // CU_run_test clears the failure list, so what it holds afterwards is this case's own.
        CU_run_test(s, t);
        CU_pFailureRecord f = CU_get_failure_list();
        if (f) {
            failed++;
            printf("FAIL %s/%s\n", suite, cases[i].name);
            for (; f; f = f->pNext)
                printf("     %s:%u: %s\n", f->strFileName ? f->strFileName : "?", f->uiLineNumber,
                       f->strCondition ? f->strCondition : "?");
        } else if (skipped) {
            skips++;
            printf("SKIP %s/%s: %s\n", suite, cases[i].name, skip_reason);
        } else {
            passed++;
            printf("ok   %s/%s\n", suite, cases[i].name);
        }
    }
    CU_cleanup_registry();
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skips);
    return failed != 0 || passed + skips == 0;
}
