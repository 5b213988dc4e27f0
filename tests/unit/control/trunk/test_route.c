// SPDX-License-Identifier: BSD-3-Clause
// Routes by called number.
#include <stdio.h>
#include <string.h>

#include "control/trunk/route.h"
#include "runner.h"

enum { CORE = 4, OTHER_CORE, TRUNKS };

static struct tl_config config;
static bool closed;

static void add(const char *prefix, int from)
{
    struct tl_route_config *r = &config.routes[config.route_count++];

    snprintf(r->prefix, sizeof r->prefix, "%s", prefix);
    r->any_from = from < 0;
    r->from = from < 0 ? UINT32_MAX : (uint32_t)from;
    r->trunks[0] = CORE;
    r->trunk_count = 1;
}

// Trunks 0 to 3 are peers, CORE and OTHER_CORE ours.
static void begin(void)
{
    memset(&config, 0, sizeof config);
    config.trunk_count = TRUNKS;
    config.trunks[CORE].side = config.trunks[OTHER_CORE].side = TL_SIDE_CORE;
}

// Number of the route, -1 for none.
static int route(uint32_t from, const char *number)
{
    const struct tl_route_config *r = route_find(&config, from, number, &closed);

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

    begin();
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
    begin();
    add("4", 1);
    add("49", -1);
    CU_ASSERT_EQUAL(route(1, "490"), 1);
    CU_ASSERT_EQUAL(route(1, "480"), 0);
    CU_ASSERT_EQUAL(route(0, "480"), -1);
}

static void empty_prefix_fits_everything(void)
{
    begin();
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

// No call from a peer to a peer and none back, unless a route says so.
static void sides(void)
{
    enum { OPEN, CLOSED, PEERS = 1, BACK = 2 };
    static const struct {
        uint32_t from, to;
        unsigned says;
        bool closed;
    } rows[] = {
        {0, CORE, 0, OPEN},         {CORE, 0, 0, OPEN},          {CORE, OTHER_CORE, 0, OPEN},
        {CORE, CORE, 0, CLOSED},    {CORE, CORE, PEERS, CLOSED}, {CORE, CORE, BACK, OPEN},
        {0, 1, 0, CLOSED},          {0, 1, BACK, CLOSED},        {0, 1, PEERS, OPEN},
        {0, 0, 0, CLOSED},          {0, 0, PEERS, CLOSED},       {0, 0, BACK, CLOSED},
        {0, 0, PEERS | BACK, OPEN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int from = -1; from < TRUNKS; from += 1 + (int)rows[i].from) { // a route for all and one for it
            if (from >= 0 && from != (int)rows[i].from)
                break;
            begin();
            add("1", from);
            config.routes[0].trunks[0] = rows[i].to;
            config.routes[0].peer_to_peer = rows[i].says & PEERS;
            config.routes[0].back_to_origin = rows[i].says & BACK;
            CU_ASSERT_EQUAL(route(rows[i].from, "12"), rows[i].closed ? -1 : 0);
            CU_ASSERT_EQUAL(closed, rows[i].closed);
            CU_ASSERT_EQUAL(tl_route_open(&config, &config.routes[0], rows[i].from, rows[i].to),
                            !rows[i].closed);
            route(rows[i].from, "2");
            CU_ASSERT_FALSE(closed); // no route is not a closed one
        }
}

// A route that is closed to the call is as one that is not there: the next one that fits has it.
static void closed_route_is_passed_over(void)
{
    begin();
    add("49", -1);
    config.routes[0].trunks[0] = 1;
    add("4", -1);
    CU_ASSERT_EQUAL(route(0, "490"), 1);
    CU_ASSERT_FALSE(closed);
    CU_ASSERT_EQUAL(route(CORE, "490"), 0);
    config.routes[0].trunks[1] = CORE; // one way is enough
    config.routes[0].trunk_count = 2;
    CU_ASSERT_EQUAL(route(0, "490"), 0);
    CU_ASSERT_FALSE(closed);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"longest_prefix_wins", longest_prefix_wins},
        {"longer_prefix_beats_from", longer_prefix_beats_from},
        {"empty_prefix_fits_everything", empty_prefix_fits_everything},
        {"sides", sides},
        {"closed_route_is_passed_over", closed_route_is_passed_over},
    };
    return test_main("route", TEST_CASES(cases), argc, argv);
}
