// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "common/drops.h"
#include "common/suite.h"
#include "runner.h"

static void names_and_numbers_agree(void)
{
    for (int s = TL_SUITE_NONE + 1; s < TL_SUITE_COUNT; s++) {
        const struct tl_suite_info *info = tl_suite_info(s);
        CU_ASSERT_FATAL(info != NULL);
        CU_ASSERT(tl_suite_by_name(info->name, strlen(info->name)) == (enum tl_suite)s);
        CU_ASSERT(info->key_len <= TL_KEY_MAX && info->salt_len <= TL_SALT_MAX);
    }
}

static void unknown_suites_are_none(void)
{
    CU_ASSERT(tl_suite_info(TL_SUITE_NONE) == NULL);
    CU_ASSERT(tl_suite_info(TL_SUITE_COUNT) == NULL);
    CU_ASSERT(tl_suite_info(-1) == NULL);
    CU_ASSERT(tl_suite_by_name("AEAD_AES_128_GC", 15) == TL_SUITE_NONE);
    CU_ASSERT(tl_suite_by_name("AEAD_AES_128_GCM_8", 18) == TL_SUITE_NONE);
    CU_ASSERT(tl_suite_by_name("aead_aes_128_gcm", 16) == TL_SUITE_AEAD_AES_128_GCM);
}

static void drop_labels_are_distinct(void)
{
    for (int a = 0; a < TL_DROP_COUNT; a++)
        for (int b = 0; b < a; b++) {
            CU_ASSERT(strcmp(tl_drop_label(a), tl_drop_label(b)) != 0);
            CU_ASSERT(strcmp(tl_drop_text(a), tl_drop_text(b)) != 0);
        }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"names_and_numbers_agree", names_and_numbers_agree},
        {"unknown_suites_are_none", unknown_suites_are_none},
        {"drop_labels_are_distinct", drop_labels_are_distinct},
    };
    return test_main("suite", TEST_CASES(cases), argc, argv);
}
