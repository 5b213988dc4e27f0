// SPDX-License-Identifier: BSD-3-Clause
// The table of sources: bounded whatever comes, bans, who is pushed out.
#include <string.h>

#include "common/addr.h"
#include "control/base/sources.h"
#include "runner.h"

static const uint8_t key[16] = "not so secret";

static struct tl_addr addr(uint32_t n)
{
    struct tl_addr a = {.family = TL_AF_INET, .port = (uint16_t)n};
    memcpy(a.ip, &n, sizeof n);
    return a;
}

static void an_address_is_one_whatever_its_port(void)
{
    struct sources t;
    struct tl_addr a = addr(7), b = a,
                   six = {.family = TL_AF_INET6, .ip = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9}}, same_net = six,
                   other_net = six;
    CU_ASSERT_FATAL(sources_init(&t, 64, key) == 0);
    b.port = 9;
    same_net.ip[15] = 77;
    other_net.ip[7] = 2;
    struct source *place = sources_get(&t, &a, 1);
    CU_ASSERT_FATAL(place != NULL);
    CU_ASSERT_PTR_EQUAL(sources_get(&t, &b, 2), place);
    CU_ASSERT_PTR_EQUAL(sources_find(&t, &b), place);
    CU_ASSERT_EQUAL(place->seen_ms, 2);
    place = sources_get(&t, &six, 3);
    CU_ASSERT_PTR_EQUAL(sources_get(&t, &same_net, 3), place); // a host has a whole /64
    char text[SOURCE_TEXT];
    struct tl_addr read;
    CU_ASSERT(strcmp(source_text(place, text) + strlen(text) - 3, "/64") == 0 && source_read(text, &read) &&
              sources_find(&t, &read) == place);
    CU_ASSERT(source_read("2001:db8::5", &read) && source_read("10.0.0.1", &read) &&
              !source_read("10.0.0.1/64", &read) && !source_read("/64", &read));
    CU_ASSERT_PTR_NOT_EQUAL(sources_get(&t, &other_net, 3), place);
    struct tl_addr never = addr(8);
    CU_ASSERT_PTR_NULL(sources_find(&t, &never));
    sources_fini(&t);
    sources_fini(&t); // safe twice
}

// A million forged addresses: what is banned stays, and a known address goes only when all its places are newer.
static void forged_addresses_cost_no_memory_and_end_no_ban(void)
{
    struct sources t;
    struct tl_addr bad = addr(1);
    CU_ASSERT_FATAL(sources_init(&t, 1000, key) == 0);
    CU_ASSERT_EQUAL(t.sets * SOURCES_WAYS, 1024);
    struct source *place = sources_get(&t, &bad, 0);
    CU_ASSERT_FALSE(source_strike(place, 2, 60000, 100));
    CU_ASSERT_TRUE(source_strike(place, 2, 60000, 101));
    for (uint32_t n = 2; n < 1000000; n++) {
        struct tl_addr a = addr(n);
        CU_ASSERT_FATAL(sources_get(&t, &a, 200 + n / 1000) != NULL);
    }
    CU_ASSERT_PTR_EQUAL(sources_find(&t, &bad), place);
    CU_ASSERT_TRUE(source_is_banned(place, 60100));
    CU_ASSERT_FALSE(source_is_banned(place, 60101));
    sources_fini(&t);
}

static void places_that_are_kept_are_not_given_away(void)
{
    struct sources t;
    CU_ASSERT_FATAL(sources_init(&t, 1, key) == 0);
    CU_ASSERT_EQUAL(t.sets, 1);
    for (uint32_t n = 1; n <= SOURCES_WAYS; n++) {
        struct tl_addr a = addr(n);
        struct source *s = sources_get(&t, &a, n);
        CU_ASSERT_FATAL(s != NULL);
        s->banned_ms = n == 2 ? 0 : 1000;
    }
    struct tl_addr a = addr(50), second = addr(2);
    CU_ASSERT_PTR_NOT_NULL(sources_get(&t, &a, 60)); // the place of number 2, who is not banned
    CU_ASSERT_PTR_NULL(sources_find(&t, &second));
    sources_find(&t, &a)->banned_ms = 5000;
    CU_ASSERT_PTR_NULL(sources_get(&t, &second, 70)); // all kept
    CU_ASSERT_PTR_NOT_NULL(sources_get(&t, &second, 1001));
    sources_fini(&t);
}

static void strikes_are_forgotten_when_it_is_quiet(void)
{
    static const struct {
        uint64_t at;
        bool banned;
    } rows[] = {{20000, false}, {25000, false}, {35001, false}, {35002, false}, {35003, true}};
    struct source s = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(source_strike(&s, 3, 1000, rows[i].at), rows[i].banned);
    CU_ASSERT_TRUE(source_is_banned(&s, 36002));
    struct source never = {0};
    for (unsigned i = 0; i < 100; i++)
        CU_ASSERT_FALSE(source_strike(&never, 3, 0, 20000 + i)); // ban_s 0
    CU_ASSERT_FALSE(source_is_banned(&never, 20099));
}

static void count(void *arg, const struct source *source)
{
    CU_ASSERT_EQUAL(source->addr.family, TL_AF_INET);
    ++*(unsigned *)arg;
}

static void bans_are_listed(void)
{
    struct sources t;
    unsigned n = 0;
    CU_ASSERT_FATAL(sources_init(&t, 64, key) == 0);
    for (uint32_t i = 1; i < 6; i++) {
        struct tl_addr a = addr(i);
        sources_get(&t, &a, 0)->banned_ms = i * 1000;
    }
    sources_banned(&t, 3000, count, &n);
    CU_ASSERT_EQUAL(n, 2);
    sources_fini(&t);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"an_address_is_one_whatever_its_port", an_address_is_one_whatever_its_port},
        {"forged_addresses_cost_no_memory_and_end_no_ban", forged_addresses_cost_no_memory_and_end_no_ban},
        {"places_that_are_kept_are_not_given_away", places_that_are_kept_are_not_given_away},
        {"strikes_are_forgotten_when_it_is_quiet", strikes_are_forgotten_when_it_is_quiet},
        {"bans_are_listed", bans_are_listed},
    };
    return test_main("sources", TEST_CASES(cases), argc, argv);
}
