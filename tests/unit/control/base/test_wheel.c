// SPDX-License-Identifier: BSD-3-Clause
// The timer wheel against a plain list of (due, timer), and SipHash against published values.
#include "control/base/siphash.h"
#include "control/base/wheel.h"
#include "runner.h"

#include <string.h>

struct probe {
    struct wheel_timer timer;
    struct wheel *wheel;
    uint64_t due;
    uint64_t fired_at; // 0: not yet
    unsigned fires;
};

static void note(void *arg)
{
    struct probe *p = arg;
    p->fired_at = p->wheel->ticked;
    p->fires++;
}

static uint64_t rng_state;

static uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

// A timer fires in the first run at or after its due time and never before, for delays on every level.
static void fires_when_due(void)
{
    static const uint64_t delays[] = {0,
                                      1,
                                      2,
                                      63,
                                      64,
                                      65,
                                      4095,
                                      4096,
                                      4097,
                                      262143,
                                      262144,
                                      16777215,
                                      16777216,
                                      1073741823,
                                      1 << 30,
                                      UINT64_C(1) << 35,
                                      WHEEL_DELAY_MAX};
    static const uint64_t starts[] = {0, 1, 63, 64, 4095, 1234567890123, UINT64_C(0xffffffff)};
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        for (size_t d = 0; d < sizeof delays / sizeof *delays; d++) {
            struct wheel w;
            struct probe p = {.wheel = &w};
            wheel_init(&w, starts[s]);
            wheel_add(&w, &p.timer, delays[d], note, &p);
            CU_ASSERT(wheel_armed(&p.timer));
            CU_ASSERT(w.armed == 1);
            uint64_t due = starts[s] + (delays[d] ? delays[d] : 1);
            CU_ASSERT(wheel_next(&w) <= due - starts[s]);
            CU_ASSERT(wheel_run(&w, due - 1) == 0);
            CU_ASSERT(p.fires == 0);
            CU_ASSERT(wheel_run(&w, due) == 1);
            CU_ASSERT(p.fires == 1 && p.fired_at == due);
            CU_ASSERT(!wheel_armed(&p.timer) && w.armed == 0);
            CU_ASSERT(wheel_next(&w) == UINT64_MAX);
        }
    }
}

// Following wheel_next() alone reaches every timer on its millisecond: what the loop does.
static void next_leads_there(void)
{
    struct wheel w;
    struct probe p = {.wheel = &w};
    uint64_t now = 999;
    unsigned steps = 0;
    wheel_init(&w, now);
    wheel_add(&w, &p.timer, 32000000, note, &p);
    while (!p.fires && steps < 100) {
        uint64_t wait = wheel_next(&w);
        CU_ASSERT_FATAL(wait != UINT64_MAX && wait > 0);
        now += wait;
        wheel_run(&w, now);
        steps++;
    }
    CU_ASSERT(p.fired_at == 999 + 32000000);
    CU_ASSERT(steps <= WHEEL_LEVELS + 1);
}

// Random adds, moves, cancels and jumps of the clock against a list.
static void agrees_with_list(void)
{
    enum { N = 300 };
    static struct probe p[N];
    struct wheel w;
    uint64_t now = 5000;
    rng_state = 88172645463325252u;
    memset(p, 0, sizeof p);
    wheel_init(&w, now);
    unsigned wrong = 0;
    for (unsigned step = 0; step < 20000; step++) {
        struct probe *q = &p[rng() % N];
        q->wheel = &w;
        switch (rng() % 4) {
        case 0:
        case 1:
            q->due = now + rng() % (UINT64_C(1) << (rng() % 20)) + 1;
            q->fires = 0;
            wheel_add(&w, &q->timer, q->due - now, note, q);
            break;
        case 2:
            wheel_cancel(&w, &q->timer);
            q->due = 0;
            break;
        default: {
            uint64_t last = now;
            now += rng() % 3000;
            wheel_run(&w, now);
            for (unsigned i = 0; i < N; i++) {
                bool expect = p[i].due > last && p[i].due <= now;
                if (expect) {
                    wrong += p[i].fires != 1 || p[i].fired_at != p[i].due;
                    p[i].due = 0;
                    p[i].fires = 0;
                } else {
                    wrong += p[i].fires != 0;
                    wrong += (p[i].due != 0) != wheel_armed(&p[i].timer);
                }
            }
        }
        }
    }
    CU_ASSERT(wrong == 0);
}

struct pair {
    struct wheel *wheel;
    struct wheel_timer first, second;
    unsigned first_fired, second_fired;
};

static void cancel_other(void *arg)
{
    struct pair *p = arg;
    p->first_fired++;
    wheel_cancel(p->wheel, &p->first);
    wheel_cancel(p->wheel, &p->second);
}

static void cancel_this(void *arg)
{
    struct pair *p = arg;
    p->second_fired++;
    wheel_cancel(p->wheel, &p->first);
    wheel_cancel(p->wheel, &p->second);
}

// Two timers of the same millisecond, of which the one that fires cancels the other; also just behind the
// start of an upper slot.
static void cancel_from_callback(void)
{
    static const uint64_t delays[] = {5, 64, 128, 4096};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct wheel w;
        wheel_init(&w, 0);
        struct pair p = {.wheel = &w};
        wheel_add(&w, &p.first, delays[i], cancel_other, &p);
        wheel_add(&w, &p.second, delays[i], cancel_this, &p);
        wheel_run(&w, delays[i] + 1);
        CU_ASSERT(p.first_fired + p.second_fired == 1);
        CU_ASSERT(w.armed == 0);
        wheel_run(&w, delays[i] + 10000);
        CU_ASSERT(p.first_fired + p.second_fired == 1);
    }
}

static void again(void *arg)
{
    struct probe *p = arg;
    p->fires++;
    wheel_add(p->wheel, &p->timer, 0, again, p);
}

// A timer that arms itself at once does not hold the wheel for ever.
static void rearm_at_once_ends(void)
{
    struct wheel w;
    struct probe p = {.wheel = &w};
    wheel_init(&w, 0);
    wheel_add(&w, &p.timer, 1, again, &p);
    wheel_run(&w, 10);
    CU_ASSERT(p.fires >= 1 && p.fires <= 10);
    wheel_cancel(&w, &p.timer);
    CU_ASSERT(w.armed == 0);
}

static unsigned told;

static void tell(void *arg)
{
    (void)arg;
    told++;
}

static void tells_when_earlier(void)
{
    struct wheel w;
    struct probe a = {.wheel = &w}, b = {.wheel = &w}, c = {.wheel = &w};
    wheel_init(&w, 0);
    w.earlier = tell;
    told = 0;
    wheel_add(&w, &a.timer, 50, note, &a);
    CU_ASSERT(told == 1);
    wheel_add(&w, &b.timer, 60, note, &b);
    CU_ASSERT(told == 1);
    wheel_add(&w, &c.timer, 10, note, &c);
    CU_ASSERT(told == 2);
    wheel_run(&w, 60);
    CU_ASSERT(a.fires + b.fires + c.fires == 3);
}

// Key 00..0f, message 00, 01, ... of the length given; the first two from OpenSSL's SIPHASH MAC.
static void siphash_values(void)
{
    static const struct {
        unsigned len;
        uint64_t a, b; // bytes of the published value, read little-endian
    } table[] = {
        {0, UINT64_C(0xe6a825ba047f81a3), UINT64_C(0x930255c71472f66d)},
        {15, UINT64_C(0x11a8b03399e99354), UINT64_C(0xd9c3cf970fec087e)},
    };
    uint8_t key[16], message[64];
    for (unsigned i = 0; i < 16; i++)
        key[i] = (uint8_t)i;
    for (unsigned i = 0; i < 64; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct siphash h;
        siphash_init(&h, key);
        siphash_update(&h, message, table[i].len);
        struct siphash_value v = siphash_final(&h);
        CU_ASSERT(v.a == table[i].a && v.b == table[i].b);
    }
    // cut anywhere, the value stays
    struct siphash h;
    siphash_init(&h, key);
    siphash_update(&h, message, 64);
    struct siphash_value whole = siphash_final(&h);
    for (unsigned cut = 0; cut <= 64; cut++) {
        siphash_init(&h, key);
        siphash_update(&h, message, cut);
        siphash_update(&h, message + cut, 64 - cut);
        struct siphash_value v = siphash_final(&h);
        CU_ASSERT(v.a == whole.a && v.b == whole.b);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"fires_when_due", fires_when_due},         {"next_leads_there", next_leads_there},
        {"agrees_with_list", agrees_with_list},     {"cancel_from_callback", cancel_from_callback},
        {"rearm_at_once_ends", rearm_at_once_ends}, {"tells_when_earlier", tells_when_earlier},
        {"siphash_values", siphash_values},
    };
    return test_main("wheel", TEST_CASES(cases), argc, argv);
}
