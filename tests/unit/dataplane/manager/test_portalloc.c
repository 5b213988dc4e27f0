// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <string.h>

#include "dataplane/manager/portalloc.h"
#include "dataplane/session/portmap.h"
#include "runner.h"

// Bucket b of `workers`, as an even split has it.
static const uint8_t *owners(unsigned workers)
{
    static uint8_t owner[TL_PORT_BUCKETS];
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++)
        owner[b] = b * workers / TL_PORT_BUCKETS;
    return owner;
}

static void ranges(void)
{
    static const struct {
        uint16_t first, last;
        int want;
    } t[] = {
        {20000, 20001, 0},       {1024, 65535, 0},        {20001, 20004, -EINVAL}, {20000, 20000, -EINVAL},
        {20000, 20002, -EINVAL}, {20002, 20001, -EINVAL}, {0, 1, -EINVAL},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct portalloc a;
        CU_ASSERT_EQUAL(portalloc_init(&a, t[i].first, t[i].last, owners(1)), t[i].want);
        if (t[i].want == 0)
            CU_ASSERT_EQUAL(a.free_pairs, (t[i].last - t[i].first + 1u) / 2);
        portalloc_fini(&a);
        portalloc_fini(&a);
    }
}

// Every pair of the range comes out exactly once, even, in the bucket that was asked for.
static void every_pair_once(void)
{
    struct portalloc a;
    static bool seen[65536];
    memset(seen, 0, sizeof seen);
    CU_ASSERT_EQUAL_FATAL(portalloc_init(&a, 10000, 11999, owners(3)), 0);
    unsigned got = 0;
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++) {
        uint16_t p;
        while ((p = portalloc_take(&a, b)) != 0) {
            CU_ASSERT_EQUAL(p & 1, 0);
            CU_ASSERT(p >= 10000 && p <= 11998);
            CU_ASSERT_EQUAL(tl_port_bucket(p), b);
            CU_ASSERT_EQUAL(tl_port_bucket(p + 1), b);
            CU_ASSERT_FALSE(seen[p]);
            seen[p] = true;
            got++;
        }
        CU_ASSERT_EQUAL(a.count[b], 0);
    }
    CU_ASSERT_EQUAL(got, 1000);
    CU_ASSERT_EQUAL(a.free_pairs, 0);
    for (unsigned w = 0; w < 3; w++)
        CU_ASSERT_EQUAL(a.worker_free[w], 0);
    portalloc_fini(&a);
}

static void freed_last_is_used_last(void)
{
    struct portalloc a;
    CU_ASSERT_EQUAL_FATAL(portalloc_init(&a, 10000, 10000 + 256 * 4 - 1, owners(1)), 0);
    unsigned b = tl_port_bucket(10000);
    CU_ASSERT_EQUAL_FATAL(a.count[b], 4);
    uint16_t first = portalloc_take(&a, b);
    CU_ASSERT_EQUAL(first, 10000);
    portalloc_put(&a, first);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 10256);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 10512);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 10768);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), first);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 0);
    portalloc_fini(&a);
}

static void asked_for_port(void)
{
    struct portalloc a;
    CU_ASSERT_EQUAL_FATAL(portalloc_init(&a, 10000, 10000 + 256 * 3 - 1, owners(2)), 0);
    unsigned b = tl_port_bucket(10256);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 10256), 0); // from the middle of its bucket
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 10256), -EADDRINUSE);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 10257), -EADDRINUSE);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 9998), -EADDRINUSE);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 10768), -EADDRINUSE);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 0), -EADDRINUSE);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 10000);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 10512);
    CU_ASSERT_EQUAL(portalloc_take(&a, b), 0);
    portalloc_put(&a, 10256);
    CU_ASSERT_EQUAL(portalloc_take_port(&a, 10256), 0); // the only one: head and tail at once
    CU_ASSERT_EQUAL(a.count[b], 0);
    portalloc_fini(&a);
}

static void map_entries(void)
{
    static struct portmap map;
    static const uint32_t slots[] = {0, 1, 4711, PORTMAP_SLOTS_MAX};
    for (size_t i = 0; i < 4; i++)
        for (unsigned leg = 0; leg < 2; leg++) {
            portmap_set(&map, 65534, slots[i], leg);
            for (unsigned rtcp = 0; rtcp < 2; rtcp++) {
                uint32_t e = portmap_get(&map, 65534 + rtcp);
                CU_ASSERT_NOT_EQUAL(e, PORTMAP_NONE);
                CU_ASSERT_EQUAL(portmap_entry_slot(e), slots[i]);
                CU_ASSERT_EQUAL(portmap_entry_leg(e), leg);
                CU_ASSERT_EQUAL(portmap_entry_rtcp(e), rtcp);
            }
        }
    CU_ASSERT_EQUAL(portmap_get(&map, 65533), PORTMAP_NONE);
    CU_ASSERT_EQUAL(portmap_get(&map, 0), PORTMAP_NONE);
    portmap_clear(&map, 65534);
    CU_ASSERT_EQUAL(portmap_get(&map, 65534), PORTMAP_NONE);
    CU_ASSERT_EQUAL(portmap_get(&map, 65535), PORTMAP_NONE);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"ranges", ranges},
        {"every_pair_once", every_pair_once},
        {"freed_last_is_used_last", freed_last_is_used_last},
        {"asked_for_port", asked_for_port},
        {"map_entries", map_entries},
    };
    return test_main("portalloc", TEST_CASES(cases), argc, argv);
}
