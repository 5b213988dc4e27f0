// SPDX-License-Identifier: BSD-3-Clause
// Whose an address is: hosts and networks in a hash, against a search through all of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/trunk/sources.h"
#include "runner.h"

static struct trunk_source entry(const char *text, unsigned len, uint32_t listener,
                                 enum trunk_source_kind kind, uint32_t trunk)
{
    struct trunk_source s = {
        .prefix_len = (uint8_t)len, .kind = (uint8_t)kind, .listener = listener, .trunk = trunk};

    CU_ASSERT_FATAL(tl_addr_read(text, strlen(text), &s.net));
    return s;
}

// The trunks in the order of the walk, a '|' between groups.
static const char *walk_of(const struct trunk_sources *set, uint32_t listener, const char *from)
{
    static char out[256];
    struct tl_addr addr = {0};
    uint32_t group = 0;
    size_t used = 0;

    tl_addr_read(from, strlen(from), &addr);
    struct trunk_walk walk = trunk_walk(set, listener, &addr);
    out[0] = '\0';
    for (const struct trunk_source *s; (s = trunk_walk_next(&walk));) {
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%u",
                                 !used                 ? ""
                                 : group != walk.group ? "|"
                                                       : ",",
                                 s->trunk);
        group = walk.group;
    }
    return out;
}

static void the_longest_prefix_comes_first(void)
{
    static const struct {
        uint32_t listener;
        const char *from, *walk;
    } rows[] = {
        {0, "10.1.2.3:40000", "3|2|1"},
        {0, "10.1.2.4:5060", "2|1"},
        {0, "10.1.3.3:5060", "1"},
        {0, "10.2.0.0:5060", ""},
        {0, "10.0.255.255:5060", ""},
        {0, "10.1.0.0:1", "1"},
        {0, "10.1.255.255:1", "1"},
        {1, "10.1.2.3:1", "5|4|6"}, // its own before others, however long
        {2, "10.1.2.3:1", ""},
        {0, "[2001:db8::1]:5060", "8|7"},
        {0, "[2001:db8::2]:5060", "7"},
        {0, "[2001:db9::1]:5060", ""},
        {0, "none", ""},
    };
    struct trunk_sources set = {0};
    const struct trunk_source all[] = {
        entry("10.1.0.0", 16, 0, TRUNK_SOURCE_OWN, 1),
        entry("10.1.2.0", 24, 0, TRUNK_SOURCE_OWN, 2),
        entry("10.1.2.3:5060", 32, 0, TRUNK_SOURCE_OWN, 3),
        entry("10.0.0.0", 8, 1, TRUNK_SOURCE_OWN, 4),
        entry("10.1.0.0", 16, 1, TRUNK_SOURCE_OWN, 5),
        entry("10.1.2.3:5060", 32, 1, TRUNK_SOURCE_OTHER, 6),
        entry("[2001:db8::]", 32, 0, TRUNK_SOURCE_OWN, 7),
        entry("[2001:db8::1]:5060", 128, 0, TRUNK_SOURCE_OWN, 8),
    };
    enum { ALL = sizeof all / sizeof all[0] };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_STRING_EQUAL(walk_of(&set, rows[i].listener, rows[i].from), ""); // none yet
    for (size_t i = 0; i < ALL; i++)
        CU_ASSERT_FATAL(trunk_sources_add(&set, &all[i]) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_STRING_EQUAL(walk_of(&set, rows[i].listener, rows[i].from), rows[i].walk);
    CU_ASSERT(set.length_count[0] == 4 && set.length_count[1] == 2); // probes that a look-up has at most
    // one that is taken out twice is there once
    CU_ASSERT(trunk_sources_add(&set, &all[1]) == 0);
    CU_ASSERT_STRING_EQUAL(walk_of(&set, 0, "10.1.2.4:5060"), "2,2|1");
    CU_ASSERT(trunk_sources_remove(&set, &all[1]) && trunk_sources_remove(&set, &all[1]));
    CU_ASSERT(!trunk_sources_remove(&set, &all[1]));
    CU_ASSERT_STRING_EQUAL(walk_of(&set, 0, "10.1.2.3:5060"), "3|1");
    CU_ASSERT(set.length_count[0] == 3 && set.count == ALL - 1);
    trunk_sources_fini(&set);
    trunk_sources_fini(&set);
}

// Thousands of entries, put in and taken out, against a search through all.
static void many_are_found_like_by_a_search(void)
{
    enum { MANY = 6000, ASKED = 3000 };
    static struct trunk_source all[MANY];
    static bool there[MANY];
    struct trunk_sources set = {0};
    uint32_t seed = 7;
    unsigned hits = 0;

#define NEXT (seed = seed * 1664525u + 1013904223u, seed >> 8)
    for (unsigned i = 0; i < MANY; i++) {
        struct trunk_source *s = &all[i];
        s->net.family = TL_AF_INET;
        s->prefix_len = (uint8_t)(8 + NEXT % 25);
        s->listener = NEXT % 3;
        s->kind = (uint8_t)(NEXT % 2);
        s->trunk = i;
        for (unsigned k = 0; k < 4; k++)
            s->net.ip[k] = (uint8_t)(k == 0 ? 10 : NEXT % 4);
        CU_ASSERT_FATAL(trunk_sources_add(&set, s) == 0);
        there[i] = true;
        if (NEXT % 3 == 0) {
            unsigned out = NEXT % (i + 1);
            CU_ASSERT(trunk_sources_remove(&set, &all[out]) == there[out]);
            there[out] = false;
        }
    }
    for (unsigned a = 0; a < ASKED; a++) {
        struct tl_addr from = {.family = TL_AF_INET, .ip = {10, NEXT % 4, NEXT % 4, NEXT % 4}};
        struct trunk_walk walk = trunk_walk(&set, a % 3, &from);
        unsigned expected = 0, found = 0, last = 0;
        for (unsigned i = 0; i < MANY; i++) {
            uint32_t mask = UINT32_MAX << (32 - all[i].prefix_len), one, other;
            one = (uint32_t)from.ip[0] << 24 | from.ip[1] << 16 | from.ip[2] << 8 | from.ip[3];
            other = (uint32_t)all[i].net.ip[0] << 24 | all[i].net.ip[1] << 16 | all[i].net.ip[2] << 8 |
                    all[i].net.ip[3];
            expected += there[i] && all[i].listener == a % 3 && ((one ^ other) & mask) == 0;
        }
        for (const struct trunk_source *s; (s = trunk_walk_next(&walk)); found++) {
            unsigned order = (unsigned)s->kind * 64 + 33 - s->prefix_len;
            CU_ASSERT(there[s->trunk] && order >= last);
            last = order;
        }
        CU_ASSERT(found == expected);
        hits += found;
    }
    CU_ASSERT(hits > ASKED);
    trunk_sources_fini(&set);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"the_longest_prefix_comes_first", the_longest_prefix_comes_first},
        {"many_are_found_like_by_a_search", many_are_found_like_by_a_search},
    };
    return test_main("sources", TEST_CASES(cases), argc, argv);
}
