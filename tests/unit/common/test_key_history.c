// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include "common/key_history.h"
#include "runner.h"

enum { SEED = 7 };

static struct tl_crypto key(unsigned number, uint32_t generation)
{
    struct tl_crypto c = {.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80, .generation = generation};
    memcpy(c.key, &number, sizeof number);
    c.salt[0] = 1;
    return c;
}

static void prints_differ_in_every_part(void)
{
    struct tl_crypto a = key(1, 1), plain = {0};
    uint64_t print = tl_key_print(&a, SEED);
    CU_ASSERT_EQUAL(tl_key_print(&plain, SEED), 0);
    CU_ASSERT_NOT_EQUAL(print, 0);
    CU_ASSERT_NOT_EQUAL(tl_key_print(&a, SEED + 1), print);
    a.generation++;
    CU_ASSERT_EQUAL(tl_key_print(&a, SEED), print);
    for (unsigned i = 0; i < TL_KEY_MAX; i++) {
        a = key(1, 1);
        a.key[i] ^= 0x80;
        CU_ASSERT_NOT_EQUAL(tl_key_print(&a, SEED), print);
    }
    for (unsigned i = 0; i < TL_SALT_MAX; i++) {
        a = key(1, 1);
        a.salt[i] ^= 1;
        CU_ASSERT_NOT_EQUAL(tl_key_print(&a, SEED), print);
    }
    a = key(1, 1);
    a.suite = TL_SUITE_AEAD_AES_128_GCM;
    CU_ASSERT_NOT_EQUAL(tl_key_print(&a, SEED), print);
}

// Each key is accepted once and never again, up to the limit; the one in use stays in use.
static void none_comes_back(void)
{
    struct tl_key_history h = {0};
    unsigned n = 0;
    for (;; n++) {
        struct tl_crypto c = key(n, n + 1);
        CU_ASSERT_EQUAL(tl_key_history_check(&h, &c, SEED), 0);
        if (tl_key_history_reserve(&h, &c, SEED))
            break;
        tl_key_history_take(&h, &c, SEED);
    }
    CU_ASSERT_EQUAL(n, TL_KEY_HISTORY_MAX + 1);
    for (unsigned i = 0; i < n; i++) {
        struct tl_crypto c = key(i, i == n - 1 ? n : n + 1);
        CU_ASSERT_EQUAL(tl_key_history_check(&h, &c, SEED), i == n - 1 ? 0 : -EINVAL);
        CU_ASSERT(i != n - 1 || tl_key_history_reserve(&h, &c, SEED) == 0);
    }
    tl_key_history_fini(&h);
    CU_ASSERT(h.older == NULL && h.last == 0);
    tl_key_history_fini(&h);
}

static void generation_0_after_plain(void)
{
    struct tl_key_history h = {0};
    struct tl_crypto plain = {0}, a = key(1, 0), b = key(2, 0);
    tl_key_history_take(&h, &plain, SEED);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &plain, SEED), 0);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &a, SEED), -EINVAL);
    a.generation = 5;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &a, SEED), 0);
    tl_key_history_take(&h, &a, SEED);
    tl_key_history_take(&h, &plain, SEED);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), -EINVAL);
    b.generation = 5;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), -EINVAL);
    b.generation = 6;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), 0);
    tl_key_history_fini(&h);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"prints_differ_in_every_part", prints_differ_in_every_part},
        {"none_comes_back", none_comes_back},
        {"generation_0_after_plain", generation_0_after_plain},
    };
    return test_main("key_history", TEST_CASES(cases), argc, argv);
}
