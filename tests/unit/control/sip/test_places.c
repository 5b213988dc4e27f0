// SPDX-License-Identifier: BSD-3-Clause
// Places of connections: each is given to one at a time, and a host is known by how many it holds.
#include "common/addr.h"
#include "control/sip/places.h"
#include "runner.h"

#include <string.h>

enum { PLACES = 100 };

static const uint8_t secret[16] = {1};

static struct tl_addr of(const char *text)
{
    struct tl_addr addr;
    CU_ASSERT_FATAL(tl_addr_read(text, strlen(text), &addr));
    return addr;
}

static void each_once(void)
{
    struct sip_places places;
    bool taken[PLACES] = {false};
    uint32_t slot;
    CU_ASSERT_FATAL(sip_places_init(&places, PLACES, secret) == 0);
    for (unsigned i = 0; i < PLACES; i++) {
        CU_ASSERT_FATAL(sip_places_take(&places, &slot) && slot < PLACES && !taken[slot]);
        taken[slot] = true;
    }
    CU_ASSERT(!sip_places_take(&places, &slot));
    sip_places_give(&places, 7);
    sip_places_give(&places, 70);
    CU_ASSERT(sip_places_take(&places, &slot) && slot == 70);
    CU_ASSERT(sip_places_take(&places, &slot) && slot == 7);
    CU_ASSERT(!sip_places_take(&places, &slot));
    sip_places_fini(&places);
}

static void holders(void)
{
    struct sip_places places;
    const struct tl_addr one = of("10.0.0.1:5060"), again = of("10.0.0.1:40000"), other = of("10.0.0.2:5060"),
                         six = of("[2001:db8::1]:5060"), near = of("[2001:db8::ffff:1]:9"),
                         far = of("[2001:db8:0:1::1]:5060"), like = of("[a00:1::]:5060");
    CU_ASSERT_FATAL(sip_places_init(&places, PLACES, secret) == 0);
    struct sip_place_holder *a = sip_places_hold(&places, &one), *b = sip_places_hold(&places, &again);
    CU_ASSERT(a == b && sip_places_of(&places, &one) == 2 && sip_places_of(&places, &other) == 0 &&
              sip_places_of(&places, &like) == 0);
    struct sip_place_holder *c = sip_places_hold(&places, &six), *d = sip_places_hold(&places, &near);
    CU_ASSERT(c == d && sip_places_of(&places, &six) == 2 && sip_places_of(&places, &far) == 0);
    sip_places_drop(&places, a);
    CU_ASSERT(sip_places_of(&places, &one) == 1);
    sip_places_drop(&places, b);
    CU_ASSERT(sip_places_of(&places, &one) == 0);
    sip_places_drop(&places, c);
    sip_places_drop(&places, d);
    sip_places_drop(&places, NULL);
    CU_ASSERT(places.hosts.count == 0);
    sip_places_fini(&places);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"each_once", each_once},
        {"holders", holders},
    };
    return test_main("places", TEST_CASES(cases), argc, argv);
}
