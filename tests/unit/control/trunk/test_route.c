// SPDX-License-Identifier: BSD-3-Clause
// Routes by called number.
#include <stdio.h>
#include <string.h>

#include "control/trunk/route.h"
#include "runner.h"

static struct tl_config config;

static void add(const char *prefix, int from)
{
    struct tl_route_config *r = &config.routes[config.route_count++];

    snprintf(r->prefix, sizeof r->prefix, "%s", prefix);
    r->any_from = from < 0;
    r->from = from < 0 ? UINT32_MAX : (uint32_t)from;
}

// Number of the route, -1 for none.
static int route(uint32_t from, const char *number)
{
    const struct tl_route_config *r = route_find(&config, from, number);

    return r ? (int)(r - config.routes) : -1;
}

static void longest_prefix_wins(void)
{
    static const struct {
        uint32_t from;
        const char *number;
        int route;
    } rows[] = {
        {0, "+4930123", 1},
        {0, "+49", 0},
        {0, "+4", -1},
        {0, "", -1},
        {0, "+493", 0},
        {0, "+49301", 1},
        {0, "4930", -1},
        {0, "110", 3},
        {1, "110", 2}, // a route of its own at the same length
        {1, "1101", 2},
        {2, "110", 3},
        {1, "+49 30", -1}, // no number
        // what does not count in a number
        {0, "+49-30-12", 1},
        {0, "+49(30)12", 1},
        {0, "+49.30.12", 1},
        {0, "+4930;phone-context=x", 1},
        {0, "+49;30", 0},
        {0, "%2B4930", 1},
        {0, "%2b4930", 1},
        {0, "%23%2a1", 4},
        {0, "#*1", 4},
        {0, "%2", -1},
        {0, "%", -1},
        {0, "%2Balice", -1},
        {0, "alice", -1},
        {0, "11o", -1},
        {0, "4+9", -1},
        {0, "12345678901234567890123456789012345", 5}, // longer than any prefix
        {0, "1234567890123456789012345678901", 5},
        {0, "123456789012345678901234567890", -1},
    };

    memset(&config, 0, sizeof config);
    add("+49", -1);
    add("+4930", -1);
    add("110", 1);
    add("110", -1);
    add("#*", -1);
    add("1234567890123456789012345678901", -1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int r = route(rows[i].from, rows[i].number);
        if (r != rows[i].route)
            printf("   \"%s\" from %u: route %d instead of %d\n", rows[i].number, rows[i].from, r,
                   rows[i].route);
        CU_ASSERT(r == rows[i].route);
    }
}

static void longer_prefix_beats_from(void)
{
    memset(&config, 0, sizeof config);
    add("4", 1);
    add("49", -1);
    CU_ASSERT_EQUAL(route(1, "490"), 1);
    CU_ASSERT_EQUAL(route(1, "480"), 0);
    CU_ASSERT_EQUAL(route(0, "480"), -1);
}

static void empty_prefix_fits_everything(void)
{
    memset(&config, 0, sizeof config);
    CU_ASSERT_EQUAL(route(0, "1"), -1);
    add("", 2);
    CU_ASSERT_EQUAL(route(0, "1"), -1);
    CU_ASSERT_EQUAL(route(2, "1"), 0);
    add("", -1);
    CU_ASSERT_EQUAL(route(0, "alice"), 1);
    CU_ASSERT_EQUAL(route(0, ""), 1);
    CU_ASSERT_EQUAL(route(2, "alice"), 0);
    add("1", -1);
    CU_ASSERT_EQUAL(route(2, "1"), 2);
    CU_ASSERT_EQUAL(route(0, "al1ce"), 1);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"longest_prefix_wins", longest_prefix_wins},
        {"longer_prefix_beats_from", longer_prefix_beats_from},
        {"empty_prefix_fits_everything", empty_prefix_fits_everything},
    };
    return test_main("route", TEST_CASES(cases), argc, argv);
}
