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

// RFC 4568 6.2, RFC 6188 4, RFC 7714 12 and 14.2: SRTCP's tags are never the short ones.
static void facts_of_the_rfcs(void)
{
    static const struct {
        unsigned number;
        const char *name;
        unsigned key, salt, rtp_tag, rtcp_tag;
    } facts[] = {
        {1, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10}, {2, "AEAD_AES_128_GCM", 16, 12, 16, 16},
        {3, "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10},  {4, "AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10},
        {5, "AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10},  {6, "AEAD_AES_256_GCM", 32, 12, 16, 16},
    };
    const size_t n = sizeof facts / sizeof facts[0];
    CU_ASSERT(n == TL_SUITE_COUNT - 1);
    for (size_t i = 0; i < n; i++) {
        const struct tl_suite_info *s = tl_suite_info(tl_suite_by_name(facts[i].name, strlen(facts[i].name)));
        CU_ASSERT_FATAL(s != NULL && s == tl_suite_info(facts[i].number));
        CU_ASSERT(s->key_len == facts[i].key && s->salt_len == facts[i].salt);
        CU_ASSERT(s->rtp_tag == facts[i].rtp_tag && s->rtcp_tag == facts[i].rtcp_tag);
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
        {"facts_of_the_rfcs", facts_of_the_rfcs},
        {"unknown_suites_are_none", unknown_suites_are_none},
        {"drop_labels_are_distinct", drop_labels_are_distinct},
    };
    return test_main("suite", TEST_CASES(cases), argc, argv);
}
