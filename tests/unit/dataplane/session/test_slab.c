// SPDX-License-Identifier: BSD-3-Clause
#include <rte_malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/session/slab.h"
#include "runner.h"
#include "tests/unit/dataplane/eal_for_tests.h"

#if defined(__SANITIZE_ADDRESS__)
#    include <sanitizer/asan_interface.h>
#endif

static size_t heap_in_use(void)
{
    struct rte_malloc_socket_stats stats;
    rte_malloc_get_socket_stats(0, &stats);
    return stats.heap_allocsz_bytes;
}

static bool all_zero(const void *block, size_t size)
{
    const uint8_t *b = block;
    for (size_t i = 0; i < size; i++)
        if (b[i])
            return false;
    return true;
}

static void sizes_and_alignment(void)
{
    static const struct {
        size_t size, takes;
    } rows[] = {{1, 64},    {63, 64},   {64, 64},     {65, 128},    {192, 192},
                {320, 320}, {384, 384}, {1088, 1088}, {2047, 2048}, {2048, 2048}};
    struct slab slab;
    slab_init(&slab, SOCKET_ID_ANY);
    uint64_t sum = 0;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(slab_size(rows[i].size), rows[i].takes);
        uint64_t before = slab_class_bytes(&slab, rows[i].size).in_use;
        uint8_t *b = slab_get(&slab, rows[i].size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(b);
        CU_ASSERT_EQUAL((uintptr_t)b % 64, 0);
        CU_ASSERT(all_zero(b, rows[i].takes));
        memset(b, 0xee, rows[i].takes); // all of it is ours
        sum += rows[i].takes;
        CU_ASSERT_EQUAL(slab_class_bytes(&slab, rows[i].size).in_use, before + rows[i].takes);
        CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, sum);
    }
    slab_put(&slab, NULL, 64);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, sum);
    slab_fini(&slab);
}

// Neighbours don't overlap, and a block that comes back is given again, zeroed.
static void reuse_and_wiping(void)
{
    enum { COUNT = 5000, SIZE = 320 };
    static uint8_t *b[COUNT];
    struct slab slab;
    slab_init(&slab, SOCKET_ID_ANY);
    for (unsigned i = 0; i < COUNT; i++) {
        b[i] = slab_get(&slab, SIZE);
        CU_ASSERT_PTR_NOT_NULL_FATAL(b[i]);
        memset(b[i], 1 + i % 255, SIZE);
    }
    unsigned spoilt = 0;
    for (unsigned i = 0; i < COUNT; i++)
        spoilt += b[i][0] != 1 + i % 255 || memcmp(b[i], b[i] + 1, SIZE - 1) != 0;
    CU_ASSERT_EQUAL(spoilt, 0);
    uint64_t reserved = slab_bytes(&slab).reserved;
    CU_ASSERT(reserved >= COUNT * SIZE && reserved < COUNT * SIZE + 2 * SLAB_CHUNK_MAX);
    for (unsigned i = 0; i < COUNT; i += 2)
        slab_put(&slab, b[i], SIZE);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, COUNT / 2 * SIZE);
    unsigned dirty = 0;
    for (unsigned i = 0; i < COUNT; i += 2) {
        b[i] = slab_get(&slab, SIZE);
        dirty += !all_zero(b[i], SIZE);
        memset(b[i], 0xff, SIZE);
    }
    CU_ASSERT_EQUAL(dirty, 0);
    CU_ASSERT_EQUAL(slab_bytes(&slab).reserved, reserved);
    for (unsigned i = 1; i < COUNT; i += 2)
        spoilt += b[i][0] != 1 + i % 255 || memcmp(b[i], b[i] + 1, SIZE - 1) != 0;
    CU_ASSERT_EQUAL(spoilt, 0);
    slab_fini(&slab);
}

// A key is gone from memory when its block is back, not only when it is given again.
static void wiped_when_taken_back(void)
{
    struct slab slab;
    slab_init(&slab, SOCKET_ID_ANY);
    uint8_t *b = slab_get(&slab, 1088);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    memset(b, 0x5a, 1088);
    slab_put(&slab, b, 1088);
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(b, 1088);
#endif
    CU_ASSERT(all_zero(b + sizeof(void *), 1088 - sizeof(void *)));
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(b, 1088);
#endif
    CU_ASSERT_PTR_EQUAL(slab_get(&slab, 1088), b);
    CU_ASSERT(all_zero(b, 1088));
    slab_fini(&slab);
}

static void classes_are_apart(void)
{
    struct slab slab;
    slab_init(&slab, SOCKET_ID_ANY);
    uint8_t *small = slab_get(&slab, 64), *large = slab_get(&slab, 1088);
    CU_ASSERT_FATAL(small && large);
    slab_put(&slab, small, 64);
    uint8_t *other = slab_get(&slab, 128);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    CU_ASSERT(other + 128 <= small || other >= small + 64);
    CU_ASSERT_EQUAL(slab_class_bytes(&slab, 64).in_use, 0);
    CU_ASSERT_EQUAL(slab_class_bytes(&slab, 128).in_use, 128);
    CU_ASSERT_EQUAL(slab_class_bytes(&slab, 1088).in_use, 1088);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 128 + 1088);
    slab_fini(&slab);
}

// Until nothing is left: NULL, the counters are true, and a block that comes back can be had again.
static void exhaustion(void)
{
    enum { SIZE = 1088 };
    struct slab slab;
    size_t heap = heap_in_use(), count = 0;
    void *last = NULL, *b;
    slab_init(&slab, 0);
    while ((b = slab_get(&slab, SIZE))) {
        last = b;
        count++;
    }
    struct slab_bytes full = slab_bytes(&slab);
    CU_ASSERT(count > 20000); // of the test's 64 MB
    CU_ASSERT_EQUAL(full.in_use, count * SIZE);
    CU_ASSERT(full.reserved - full.in_use < full.in_use / 50);
    // what it says it took is what DPDK's heap gave
    size_t taken = heap_in_use() - heap;
    CU_ASSERT(taken <= full.reserved && full.reserved < taken + taken / 100);
    CU_ASSERT_PTR_NULL(slab_get(&slab, SIZE));
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, full.in_use);
    slab_put(&slab, last, SIZE);
    CU_ASSERT_PTR_EQUAL(slab_get(&slab, SIZE), last);
    CU_ASSERT_PTR_NULL(slab_get(&slab, SIZE));
    slab_fini(&slab);
    CU_ASSERT_EQUAL(heap_in_use(), heap);
    slab_init(&slab, 0);
    CU_ASSERT_PTR_NOT_NULL(slab_get(&slab, SIZE));
    slab_fini(&slab);
}

static void free_blocks_are_poisoned(void)
{
#if defined(__SANITIZE_ADDRESS__)
    struct slab slab;
    slab_init(&slab, SOCKET_ID_ANY);
    uint8_t *b = slab_get(&slab, 192);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_PTR_NULL(__asan_region_is_poisoned(b, 192));
    CU_ASSERT(__asan_address_is_poisoned(b + 192)); // not handed out yet
    slab_put(&slab, b, 192);
    for (unsigned i = 0; i < 192; i++)
        CU_ASSERT(__asan_address_is_poisoned(b + i));
    CU_ASSERT_PTR_EQUAL(slab_get(&slab, 192), b);
    CU_ASSERT_PTR_NULL(__asan_region_is_poisoned(b, 192));
    slab_fini(&slab);
    CU_ASSERT(!__asan_address_is_poisoned(b)); // DPDK may use it for another purpose
#else
    test_skip("this build has no AddressSanitizer");
#endif
}

static void nothing_to_end(void)
{
    struct slab slab = {0};
    slab_fini(&slab);
    slab_init(&slab, SOCKET_ID_ANY);
    slab_fini(&slab);
    slab_fini(&slab);
    CU_ASSERT_EQUAL(slab_bytes(&slab).reserved, 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"sizes_and_alignment", sizes_and_alignment},
        {"reuse_and_wiping", reuse_and_wiping},
        {"wiped_when_taken_back", wiped_when_taken_back},
        {"classes_are_apart", classes_are_apart},
        {"exhaustion", exhaustion},
        {"free_blocks_are_poisoned", free_blocks_are_poisoned},
        {"nothing_to_end", nothing_to_end},
    };
    if (!eal_for_tests(NULL))
        return 1;
    int status = test_main("slab", TEST_CASES(cases), argc, argv);
    rte_eal_cleanup();
    return status;
}
