// SPDX-License-Identifier: BSD-3-Clause
// The one way unit tests are run and counted: CUnit underneath, one line per program at the end that
// tools/test.sh adds up, skips that say why.
#pragma once

#include <CUnit/CUnit.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

// Runs the cases in order and prints one line for each, then `N passed, N failed, N skipped`.
// Returns the exit status: 0 when nothing failed and at least one case ran or was skipped.
// A case fails when one of its CUnit assertions does. argv[1], if given, picks cases whose name contains it.
int test_main(const char *suite, const struct test_case *cases, size_t count, int argc, char **argv);

// Marks the running case as skipped and says why; the case must then return.
void test_skip(const char *why);

// Absolute path of a file in the shared test data, or NULL (and the case is marked skipped) where the data
// is absent. The folder is $TRUNKLINE_TEST_DATA, else ../shared/data beside the checkout. Valid until the
// next call.
const char *test_data(const char *relative);

#define TEST_CASES(array) (array), sizeof(array) / sizeof((array)[0])
