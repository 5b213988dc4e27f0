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

static int take(struct tl_key_history *h, unsigned number)
{
    struct tl_crypto c = key(number, 0);
    c.generation = tl_key_history_generation(h, &c, SEED);
    CU_ASSERT_EQUAL(tl_key_history_check(h, &c, SEED), 0);
    return tl_key_history_take(h, &c, SEED);
}

static int find(const struct tl_key_history *h, unsigned number)
{
    struct tl_crypto c = key(number, 0);
    return tl_key_history_find(h, &c, SEED);
}

// The newest nine have slots, each its own, and generations that they keep; those before are known as forgotten.
static void nine_are_kept(void)
{
    struct tl_key_history h = {0};
    for (unsigned n = 1; n <= TL_KEYS_KEPT + TL_KEYS_FORGOTTEN; n++) {
        unsigned slots = 0;
        CU_ASSERT_EQUAL(find(&h, n), -ENOENT);
        CU_ASSERT_EQUAL(take(&h, n), find(&h, n));
        for (unsigned i = 1; i <= n; i++) {
            struct tl_crypto c = key(i, i);
            int slot = find(&h, i);
            CU_ASSERT_EQUAL(slot >= 0, i + TL_KEYS_KEPT > n);
            CU_ASSERT_EQUAL(tl_key_history_check(&h, &c, SEED), slot >= 0 ? 0 : -ESTALE);
            c.generation = n + 1;
            CU_ASSERT_EQUAL(tl_key_history_check(&h, &c, SEED), slot >= 0 ? -EINVAL : -ESTALE);
            slots += slot >= 0 ? 1u << slot : 0;
        }
        CU_ASSERT_EQUAL(slots, n < TL_KEYS_KEPT ? (1u << n) - 1 : (1u << TL_KEYS_KEPT) - 1);
    }
    struct tl_crypto first = key(1, 1), next = key(1000, 5);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &first, SEED), -ESTALE);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &next, SEED), 0); // a generation that nobody has any more
    next.generation = 40;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &next, SEED), -EINVAL);
}

// No bit of a key is lost in what is kept of the forgotten ones.
static void forgotten_ones_differ_in_every_bit(void)
{
    struct tl_key_history h = {0};
    take(&h, 1);
    for (unsigned n = 1000; n < 1000 + TL_KEYS_KEPT; n++)
        take(&h, n);
    CU_ASSERT_EQUAL(find(&h, 1), -ESTALE);
    for (unsigned bit = 0; bit < 8 * TL_KEY_MAX; bit++) {
        struct tl_crypto c = key(1, 0);
        c.key[bit / 8] ^= 1u << bit % 8;
        CU_ASSERT_EQUAL(tl_key_history_find(&h, &c, SEED), -ENOENT);
    }
    for (unsigned bit = 0; bit < 8 * TL_SALT_MAX; bit++) {
        struct tl_crypto c = key(1, 0);
        c.salt[bit / 8] ^= 1u << bit % 8;
        CU_ASSERT_EQUAL(tl_key_history_find(&h, &c, SEED), -ENOENT);
    }
}

// What is used again is not the next to be forgotten, plain RTP in between or not.
static void used_again(void)
{
    struct tl_key_history h = {0};
    struct tl_crypto plain = {0};
    for (unsigned n = 1; n <= TL_KEYS_KEPT; n++)
        take(&h, n);
    int first = find(&h, 1);
    CU_ASSERT_EQUAL(tl_key_history_take(&h, &plain, SEED), -1);
    CU_ASSERT(h.plain);
    CU_ASSERT_EQUAL(take(&h, 1), first);
    CU_ASSERT(!h.plain);
    take(&h, 100);
    CU_ASSERT_EQUAL(find(&h, 1), first);
    CU_ASSERT_EQUAL(find(&h, 2), -ESTALE);
    CU_ASSERT_EQUAL(find(&h, 3) >= 0, 1);
    take(&h, 101);
    CU_ASSERT_EQUAL(find(&h, 3), -ESTALE);
    CU_ASSERT_EQUAL(h.newest, TL_KEYS_KEPT + 2);
}

static void lost_all_but_one(void)
{
    struct tl_key_history h = {0};
    struct tl_crypto plain = {0};
    tl_key_history_lose(&h);
    CU_ASSERT_EQUAL(h.count, 0);
    for (unsigned n = 1; n <= 5; n++)
        take(&h, n);
    take(&h, 2);
    tl_key_history_lose(&h);
    for (unsigned n = 1; n <= 5; n++)
        CU_ASSERT_EQUAL(find(&h, n), n == 2 ? 1 : -ESTALE);
    take(&h, 6);
    CU_ASSERT_EQUAL(h.newest, 6);
    tl_key_history_take(&h, &plain, SEED);
    tl_key_history_lose(&h); // none is in use
    CU_ASSERT_EQUAL(find(&h, 6), -ESTALE);
    CU_ASSERT_EQUAL(find(&h, 2), -ESTALE);
}

static void generation_0_is_plain(void)
{
    struct tl_key_history h = {0};
    struct tl_crypto plain = {0}, a = key(1, 0), b = key(2, 0);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &plain, SEED), 0);
    CU_ASSERT_EQUAL(tl_key_history_generation(&h, &plain, SEED), 0);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &a, SEED), -EINVAL);
    a.generation = 5;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &a, SEED), 0);
    tl_key_history_take(&h, &a, SEED);
    tl_key_history_take(&h, &plain, SEED);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &a, SEED), 0);
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), -EINVAL);
    b.generation = 5;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), -EINVAL);
    b.generation = 6;
    CU_ASSERT_EQUAL(tl_key_history_check(&h, &b, SEED), 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"prints_differ_in_every_part", prints_differ_in_every_part},
        {"nine_are_kept", nine_are_kept},
        {"forgotten_ones_differ_in_every_bit", forgotten_ones_differ_in_every_bit},
        {"used_again", used_again},
        {"lost_all_but_one", lost_all_but_one},
        {"generation_0_is_plain", generation_0_is_plain},
    };
    return test_main("key_history", TEST_CASES(cases), argc, argv);
}
