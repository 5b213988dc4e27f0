// SPDX-License-Identifier: BSD-3-Clause
// Routes by numbers, sides and priority.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/trunk/route.h"
#include "runner.h"

enum { CORE = 4, OTHER_CORE, TRUNKS };

static struct tl_config config;
static bool closed;
static const char *calling = "";

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
    struct route_index *index = route_index_new(&config);
    const struct route_ask ask = {.from = from, .called = number, .calling = calling};

    CU_ASSERT_FATAL(index != NULL);
    const struct tl_route_config *r = route_find(index, &ask, &closed);
    route_index_free(index);
    return r ? (int)(r - config.routes) : -1;
}

// A route with a pattern for the called number, "" for none, and one for the calling number.
static void add_pattern(const char *prefix, const char *called, const char *caller, uint32_t priority)
{
    char why[160];

    add(prefix, -1);
    struct tl_route_config *r = &config.routes[config.route_count - 1];
    r->priority = priority;
    snprintf(r->called, sizeof r->called, "%s", called);
    snprintf(r->calling, sizeof r->calling, "%s", caller);
    if (*called)
        CU_ASSERT_EQUAL_FATAL(tl_pattern_compile(called, &r->called_pattern, why, sizeof why), 0);
    if (*caller)
        CU_ASSERT_EQUAL_FATAL(tl_pattern_compile(caller, &r->calling_pattern, why, sizeof why), 0);
}

static void forget_patterns(void)
{
    for (uint32_t i = 0; i < config.route_count; i++) {
        tl_pattern_free(config.routes[i].called_pattern);
        tl_pattern_free(config.routes[i].calling_pattern);
    }
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
        {0, "#*1", 4},
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

static void priority_comes_before_all(void)
{
    begin();
    add_pattern("49", "", "", 100);
    add_pattern("", "^49", "", 50);
    add_pattern("", "5$", "", 10);
    add_pattern("", "", "^\\+1", 5);
    CU_ASSERT_EQUAL(route(0, "491"), 1);
    CU_ASSERT_EQUAL(route(0, "495"), 2);
    CU_ASSERT_EQUAL(route(0, "15"), 2);
    CU_ASSERT_EQUAL(route(0, "1"), -1);
    calling = "+12";
    CU_ASSERT_EQUAL(route(0, "495"), 3);
    calling = "anonymous";
    CU_ASSERT_EQUAL(route(0, "495"), 2);
    calling = "";
    forget_patterns();
}

// Of equal priority: the longest prefix, one of that trunk's own, one with a pattern, the first.
static void equals_have_an_order(void)
{
    begin();
    add("4", -1);
    add("4", 1);
    add_pattern("4", "9$", "", 0);
    add_pattern("4", "99$", "", 0);
    add_pattern("", "^49", "", 0); // no longer prefix for saying so
    CU_ASSERT_EQUAL(route(0, "41"), 0);
    CU_ASSERT_EQUAL(route(1, "41"), 1);
    CU_ASSERT_EQUAL(route(0, "499"), 2);
    CU_ASSERT_EQUAL(route(1, "499"), 1);
    forget_patterns();
    begin();
    add_pattern("", "^a", "", 0);
    add("", -1);
    CU_ASSERT_EQUAL(route(0, "alice"), 0); // no number, but a pattern
    CU_ASSERT_EQUAL(route(0, "bob"), 1);
    forget_patterns();
}

// A letter behind the digits of a number leads around no denial; a prefix that leads somewhere stays for numbers.
static void denials_hold_for_what_begins_so(void)
{
    static const char *const denied[] = {"+49900123", "+49900123A", "+49900123,", "+49900 ", "+49900x;y"};

    for (unsigned with_prefix = 0; with_prefix < 2; with_prefix++) {
        begin();
        if (with_prefix)
            add("+49900", -1);
        else
            add_pattern("", "^\\+49900", "", 0);
        add("", -1);
        config.routes[0].deny = 603;
        config.routes[0].trunk_count = 0;
        for (unsigned i = 0; i < sizeof denied / sizeof *denied; i++)
            CU_ASSERT_EQUAL(route(0, denied[i]), 0);
        CU_ASSERT_EQUAL(route(0, "+4990A"), 1);
        CU_ASSERT_EQUAL(route(0, "x+49900123"), 1);
        forget_patterns();
    }
    begin();
    add("+49", -1);
    add("", -1);
    CU_ASSERT_EQUAL(route(0, "+4912"), 0);
    CU_ASSERT_EQUAL(route(0, "+4912A"), 1);
    add_pattern("", "^\\+4912A", "", 0);
    config.routes[2].priority = 0;
    CU_ASSERT_EQUAL(route(0, "+4912A"), 2);
    forget_patterns();
}

static void denied_and_given_up(void)
{
    const char *long_number = "11111111111111111111111111111111111111111111111111111111111x";

    begin();
    add_pattern("", "^(1+)+$", "", 0);
    CU_ASSERT_EQUAL(route(0, "1"), 0);
    CU_ASSERT_EQUAL(route(0, long_number), -1); // gave up: does not fit
    config.routes[0].deny = 403;
    config.routes[0].trunk_count = 0;
    CU_ASSERT_EQUAL(route(0, "1"), 0);         // for a peer's calls too
    CU_ASSERT_EQUAL(route(0, long_number), 0); // a route that denies does on the safe side
    CU_ASSERT_EQUAL(route(0, "2"), -1);
    CU_ASSERT_FALSE(closed);
    forget_patterns();
}

static void note(void *arg, uint32_t r, enum route_verdict verdict)
{
    static const char letters[] = {[ROUTE_TAKEN] = '!',
                                   [ROUTE_OTHER_FROM] = 'f',
                                   [ROUTE_CALLED] = 'c',
                                   [ROUTE_CALLING] = 'g',
                                   [ROUTE_CLOSED] = 'x'};
    size_t used = strlen(arg);

    snprintf((char *)arg + used, 64 - used, "%u%c ", r, letters[verdict]);
}

static void verdicts_are_told(void)
{
    char told[64] = "";

    begin();
    add("49", 3);
    add_pattern("49", "7$", "", 0);
    add_pattern("49", "", "^x", 0);
    add("4", -1);
    config.routes[3].trunks[0] = 1;
    add("", -1);
    add("5", -1);
    struct route_index *index = route_index_new(&config);
    CU_ASSERT_FATAL(index != NULL);
    const struct route_ask ask = {.called = "491", .calling = "y", .tell = note, .arg = told};
    CU_ASSERT_PTR_EQUAL(route_find(index, &ask, &closed), &config.routes[4]);
    CU_ASSERT_STRING_EQUAL(told, "0f 1c 2g 3x 4! ");
    route_index_free(index);
    forget_patterns();
}

// A thousand routes and numbers at random: the index finds what a look at each route finds.
static void index_finds_what_a_search_finds(void)
{
    unsigned seed = 1;

    begin();
    for (int i = 0; i < TL_ROUTES_MAX; i++) {
        char prefix[8];
        snprintf(prefix, sizeof prefix, "%0*u", (int)(rand_r(&seed) % 5 + 1), (unsigned)rand_r(&seed) % 1000);
        add(prefix, rand_r(&seed) % 4 ? -1 : rand_r(&seed) % 3);
        config.routes[i].priority = (uint32_t)rand_r(&seed) % 3;
    }
    struct route_index *index = route_index_new(&config);
    CU_ASSERT_FATAL(index != NULL);
    for (int n = 0; n < 2000; n++) {
        char number[12];
        snprintf(number, sizeof number, "%05d", rand_r(&seed) % 100000);
        const struct route_ask ask = {.from = (uint32_t)n % 3, .called = number};
        const struct tl_route_config *best = NULL;
        for (uint32_t i = 0; i < config.route_count; i++) {
            const struct tl_route_config *r = &config.routes[i];
            if (strncmp(number, r->prefix, strlen(r->prefix)) != 0 || (!r->any_from && r->from != ask.from))
                continue;
            bool better = !best || r->priority < best->priority ||
                          (r->priority == best->priority &&
                           (strlen(r->prefix) > strlen(best->prefix) ||
                            (strlen(r->prefix) == strlen(best->prefix) && best->any_from && !r->any_from)));
            if (better)
                best = r;
        }
        CU_ASSERT_PTR_EQUAL(route_find(index, &ask, &closed), best);
    }
    route_index_free(index);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"longest_prefix_wins", longest_prefix_wins},
        {"longer_prefix_beats_from", longer_prefix_beats_from},
        {"empty_prefix_fits_everything", empty_prefix_fits_everything},
        {"sides", sides},
        {"priority_comes_before_all", priority_comes_before_all},
        {"equals_have_an_order", equals_have_an_order},
        {"denials_hold_for_what_begins_so", denials_hold_for_what_begins_so},
        {"denied_and_given_up", denied_and_given_up},
        {"verdicts_are_told", verdicts_are_told},
        {"index_finds_what_a_search_finds", index_finds_what_a_search_finds},
        {"closed_route_is_passed_over", closed_route_is_passed_over},
    };
    return test_main("route", TEST_CASES(cases), argc, argv);
}
