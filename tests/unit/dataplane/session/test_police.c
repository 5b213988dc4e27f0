// SPDX-License-Identifier: BSD-3-Clause
// Buckets under a clock of the test's own.
#include "dataplane/session/police.h"

#include <string.h>

#include "common/contract.h"
#include "runner.h"

#define MS           UINT64_C(1000000)
#define SECOND       (1000 * MS)
#define HOUR         (3600 * SECOND)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// xorshift64: the same numbers each time.
static uint64_t seed = 88172645463325252u;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 32) % n;
}

// `n` packets of `len` bytes, `every` ns; returns how many pass.
static unsigned send(struct police *p, const struct police_rate *rate, uint64_t *now, unsigned n,
                     uint64_t every, uint32_t len)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < n; i++, *now += every)
        passed += police_own(p, rate, *now, len, true);
    return passed;
}

static unsigned send_loose(struct police *p, const struct police_rate *rate, uint64_t *now, unsigned n,
                           uint64_t every, uint32_t len)
{
    unsigned passed = 0;
    for (unsigned i = 0; i < n; i++, *now += every)
        passed += police_loose(p, rate, *now, len);
    return passed;
}

// ---- rates -------------------------------------------------------------------------------------------

static void units_by_rate(void)
{
    // hand-computed: 998,046,875 ns / pps / 2^shift; burst and one packet
    static const struct {
        uint32_t pps, bps, burst_ms, len;
        unsigned shift, packet, depth, octet;
    } table[] = {
        {50, 9000, 1000, 1472, 14, 1218, 70998, 443576},  // 19.96 ms; 163.2 ms for 1472 bytes
        {100, 18000, 500, 200, 14, 609, 31194, 221788},   // 11.09 ms for 200 bytes
        {200, 36000, 1000, 200, 13, 609, 122747, 221788}, // 4.99 ms; 5.54 ms
        {1, 100000, 10, 1472, 14, 60915, 61526, 39921},   // a packet a second
        {1000000, 1000000000, 1000, 1472, 0, 998, 1000001469, 65408},
        {1000000, 1000000000, 10000, 1472, 4, 62, 625000091, 4088}, // the depth asks for a longer wrap
    };
    for (unsigned i = 0; i < COUNT(table); i++) {
        struct police_rate r = police_rate_of(table[i].pps, table[i].bps, table[i].burst_ms, table[i].len);
        CU_ASSERT_EQUAL(r.shift, table[i].shift);
        CU_ASSERT_EQUAL(r.packet, table[i].packet);
        CU_ASSERT_EQUAL(r.depth, table[i].depth);
        CU_ASSERT_EQUAL(r.octet, table[i].octet);
    }
}

// Whatever control may ask for: nothing is cut off by a type's width, no packet is free, the wrap is four
// times the depth, and a bucket has room for the largest packet.
static void every_allowed_rate_fits(void)
{
    static const uint32_t pps[] = {1, 2, 49, 50, 99, 101, 500, 5000, 123456, TL_PPS_MAX};
    static const uint32_t bps[] = {TL_BPS_MIN, 8600, 17200, 1000000, 99999999, TL_BPS_MAX};
    static const uint32_t burst[] = {TL_BURST_MIN_MS, 200, 1000, TL_BURST_MAX_MS};
    static const uint32_t len[] = {TL_LEN_MIN, TL_LEN_MAX};
    for (unsigned i = 0; i < COUNT(pps) * COUNT(bps) * COUNT(burst) * COUNT(len); i++) {
        uint32_t p = pps[i % COUNT(pps)], b = bps[i / COUNT(pps) % COUNT(bps)],
                 t = burst[i / COUNT(pps) / COUNT(bps) % COUNT(burst)],
                 l = len[i / COUNT(pps) / COUNT(bps) / COUNT(burst)];
        struct police_rate r = police_rate_of(p, b, t, l);
        double unit = (double)(1u << r.shift), packet = r.packet * unit / 1e9 * p,
               octet = r.octet * unit / 65536 / 1e9 * b, depth = r.depth * unit / 1e6;
        // what is granted is the rate or a little more: 0.2 %, 2 % where a unit is a large part of a packet,
        // and more where it is 16,000 bytes
        CU_ASSERT(packet <= 1 && packet > (r.packet >= POLICE_FINE ? 0.996 : 0.98));
        CU_ASSERT(octet <= 1 && octet > (b > 90000000 ? 0.7 : 0.99));
        CU_ASSERT(r.packet >> POLICE_LOOSE_LOG2 > 0);
        CU_ASSERT(r.depth <= UINT32_MAX / 4);
        CU_ASSERT(depth >= t && r.depth >= r.packet && r.depth >= police_octets(&r, l));
    }
}

// ---- a conforming stream -----------------------------------------------------------------------------

// A day of 20 ms packets from a clock that is 500 ppm fast, with 40 ms of jitter, a stall of 900 ms in each
// minute after which what was held up comes at once, and RTCP every 5 s.
static void a_conforming_stream_passes_for_a_day(void)
{
    const struct police_rate rate = police_rate_of(50, 50 * 172 + 100 / 5, 1000, 1472);
    const uint64_t every = 20 * MS - 20 * MS / 2000, day = 24 * HOUR, start = 7 * HOUR;
    struct police p = {0};
    uint64_t sent = 0, lost = 0, now = 0;
    for (uint64_t at = 0; at < day; at += every, sent++) {
        uint64_t in_minute = at % (60 * SECOND), late = random_below(40 * MS);
        if (in_minute < 900 * MS) // held up until the stall ends
            late = 900 * MS - in_minute;
        if (start + at + late > now)
            now = start + at + late;
        lost += !police_loose(&p, &rate, now, 172) || !police_own(&p, &rate, now, 172, true);
        if (sent % 250 == 0)
            lost += !police_loose(&p, &rate, now, 100) || !police_own(&p, &rate, now, 100, false);
    }
    CU_ASSERT(sent > 4320000);
    CU_ASSERT_EQUAL(lost, 0);
}

// The same with a burst that is longer than agreed: what is too much is refused, and only that.
static void a_longer_stall_loses_the_rest(void)
{
    const struct police_rate rate = police_rate_of(50, 50 * 172, 1000, 172);
    struct police p = {0};
    uint64_t now = HOUR;
    CU_ASSERT_EQUAL(send(&p, &rate, &now, 80, 0, 172), 51); // 1,000 ms and one packet
    now += 20 * MS;
    CU_ASSERT_EQUAL(send(&p, &rate, &now, 1000, 20 * MS, 172), 1000);
}

// ---- too much ----------------------------------------------------------------------------------------

static void twice_the_rate_loses_half(void)
{
    static const struct {
        uint32_t pps, bps, len;
        uint64_t every;
    } table[] = {
        {50, 100000, 172, 10 * MS},      // by packets
        {5000, 8600, 172, 10 * MS},      // by bytes
        {50, 8600, 344, 20 * MS},        // the right rate, twice the bytes
        {50, 8600, 172, 10 * MS},        // both
        {1000000, 1000000000, 200, 500}, // the fastest
        {1, 1000, 200, 500 * MS},        // the slowest
        {500, 1000, 200, 100 * MS},      // the least bandwidth
    };
    for (unsigned i = 0; i < COUNT(table); i++) {
        const struct police_rate rate = police_rate_of(table[i].pps, table[i].bps, 1000, 1472);
        // begin just before the units wrap
        uint64_t now = (UINT64_C(5) << (32 + rate.shift)) - 3 * SECOND;
        struct police p = {0};
        send(&p, &rate, &now, 5 * SECOND / table[i].every, table[i].every,
             table[i].len); // the burst is spent
        unsigned n = 20 * SECOND / table[i].every,
                 passed = send(&p, &rate, &now, n, table[i].every, table[i].len);
        CU_ASSERT(passed * 2 >= n - 2 && passed * 2 <= n + n / 100 + 2);
    }
}

// Eight times the rate passes for ever; of a flood only that much, whatever its size.
static void loose_bounds_a_flood_to_eight_times(void)
{
    static const uint32_t len[] = {12, 172, 1472};
    const struct police_rate rate = police_rate_of(50, 50 * 172, 1000, 1472);
    for (unsigned i = 0; i < COUNT(len); i++) {
        // the dearer of a packet and its bytes, ns
        uint64_t cost = (len[i] > 172 ? 20 * MS * len[i] / 172 : 20 * MS) / POLICE_LOOSE, now = 3 * HOUR;
        struct police p = {0};
        unsigned n = 30 * SECOND / cost;
        CU_ASSERT_EQUAL(send_loose(&p, &rate, &now, n, cost, len[i]), n);
        send_loose(&p, &rate, &now, 2000, 0, len[i]);                          // fill it
        unsigned passed = send_loose(&p, &rate, &now, 1000000, 10000, len[i]); // 10 s
        unsigned most = 10 * SECOND / cost;
        CU_ASSERT(passed >= most - 1 && passed <= most + most / 50 + 1);
        CU_ASSERT(p.packets == 0 && p.octets == 0);
    }
}

// What the own buckets pass never fills the loose one, however sizes are mixed.
static void what_conforms_is_never_a_flood(void)
{
    const struct police_rate rate = police_rate_of(100, 10000, 500, 1472);
    struct police p = {0};
    uint64_t now = HOUR;
    unsigned passed = 0, refused = 0, flood = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        now += random_below(20) == 0 ? random_below(900) * MS : random_below(3) * MS;
        uint32_t len = random_below(2) ? 12 + random_below(30) : 12 + random_below(1460);
        if (!police_own(&p, &rate, now, len, random_below(10) > 0)) {
            refused++;
            continue;
        }
        passed++;
        flood += !police_loose(&p, &rate, now, len);
    }
    CU_ASSERT(passed > 100000 && refused > 100000);
    CU_ASSERT_EQUAL(flood, 0);
}

static void a_refused_packet_costs_nothing(void)
{
    const struct police_rate rate = police_rate_of(50, 8600, 1000, 1472);
    struct police p = {0};
    uint64_t now = HOUR;
    send(&p, &rate, &now, 1000, 0, 172);
    send_loose(&p, &rate, &now, 10000, 0, 172);
    struct police before = p;
    CU_ASSERT_EQUAL(send(&p, &rate, &now, 1000, 0, 172), 0);
    CU_ASSERT_EQUAL(send_loose(&p, &rate, &now, 1000, 0, 172), 0);
    CU_ASSERT(memcmp(&p, &before, sizeof p) == 0);
}

static void rtcp_counts_in_bytes_only(void)
{
    const struct police_rate rate = police_rate_of(50, 8600, 1000, 1472);
    struct police p = {0};
    uint64_t now = HOUR;
    unsigned passed = 0;
    while (send(&p, &rate, &now, 1, 0, 0) == 1) // packets without a byte
        ;
    for (unsigned i = 0; i < 200; i++)
        passed += police_own(&p, &rate, now, 100, false);
    CU_ASSERT_EQUAL(passed, 100); // 1 s and 1472 bytes: 10072 bytes and what the clocks are granted
}

// ---- silence -----------------------------------------------------------------------------------------

// After any silence as long as the burst, all of the burst is there again, whatever the words held.
static void after_silence_the_burst_is_there(void)
{
    static const uint64_t silence[] = {1100 * MS, 71 * 60 * SECOND, 4294967296u * 1000u, 5 * HOUR,
                                       19 * HOUR, 20 * HOUR,        24 * HOUR,           400 * HOUR};
    static const struct {
        uint32_t pps, bps;
        unsigned own, loose;
    } table[] = {
        {50, 8600, 51, 409},     // depth 62,253, a packet 1,218 and 152
        {125, 21500, 126, 1016}, // 123,044: 974 and 121; what control sends for 20 ms
    };
    for (unsigned i = 0; i < COUNT(silence) * COUNT(table); i++) {
        const unsigned t = i % COUNT(table);
        const struct police_rate rate = police_rate_of(table[t].pps, table[t].bps, 1000, 172);
        struct police p = {0};
        uint64_t now = HOUR;
        send(&p, &rate, &now, 2000, 0, 172);
        send_loose(&p, &rate, &now, 2000, 0, 172);
        now += silence[i / COUNT(table)];
        CU_ASSERT_EQUAL(send(&p, &rate, &now, 200, 0, 172), table[t].own);
        CU_ASSERT_EQUAL(send_loose(&p, &rate, &now, 2000, 0, 172), table[t].loose);
    }
}

// The worst that the wrap can do: the silence ends so that an old word reads as a level. It never reads as
// more than a full bucket, a stream at its rate loses one packet at most, and a second later all is well.
static void a_wrapped_word_is_harmless(void)
{
    const struct police_rate rate = police_rate_of(50, 8600, 1000, 172);
    unsigned hit = 0;
    for (unsigned wraps = 1; wraps <= 3; wraps++) {
        for (uint64_t before = 0; before <= rate.depth + 4000; before += 97) {
            struct police p = {0};
            uint64_t now = HOUR;
            send(&p, &rate, &now, 1, 0, 172);
            now = ((p.packets + ((uint64_t)wraps << 32) - before) << rate.shift);
            hit += police_level(p.packets, now >> rate.shift, rate.depth) > 0;
            CU_ASSERT(send(&p, &rate, &now, 100, 20 * MS, 172) >= 99);
            now += SECOND;
            CU_ASSERT_EQUAL(send(&p, &rate, &now, 51, 0, 172), 51);
        }
    }
    CU_ASSERT(hit > 100); // or the case was not met
}

// A fresh session's words are 0: at any time of the day its first burst passes.
static void a_fresh_word_is_an_empty_bucket(void)
{
    static const uint64_t at[] = {0, 1, SECOND, 2 * SECOND, HOUR, 10 * HOUR, 19 * HOUR, 30 * HOUR};
    const struct police_rate rate = police_rate_of(50, 8600, 1000, 172);
    for (unsigned i = 0; i < COUNT(at); i++) {
        struct police p = {0};
        uint64_t now = at[i];
        CU_ASSERT_EQUAL(send(&p, &rate, &now, 51, 0, 172), 51);
        CU_ASSERT_EQUAL(send_loose(&p, &rate, &now, 8 * 51, 0, 172), 8 * 51);
    }
}

// ---- MODIFY ------------------------------------------------------------------------------------------

static void new_rates_hold_at_once(void)
{
    const struct police_rate slow = police_rate_of(50, 8600, 1000, 172),
                             same_unit = police_rate_of(100, 17200, 1000, 172),
                             fast = police_rate_of(1000, 172000, 1000, 172);
    CU_ASSERT(slow.shift == same_unit.shift && slow.shift != fast.shift);
    struct police p = {0};
    uint64_t now = HOUR;
    CU_ASSERT_EQUAL(send(&p, &slow, &now, 100, 0, 172), 51);

    police_swap(&p, &slow, &slow); // nothing new: full as before
    CU_ASSERT_EQUAL(send(&p, &slow, &now, 100, 0, 172), 0);

    police_swap(&p, &slow, &same_unit);
    CU_ASSERT_EQUAL(send(&p, &same_unit, &now, 200, 0, 172), 101);
    now += 10 * MS;
    CU_ASSERT_EQUAL(send(&p, &same_unit, &now, 1000, 10 * MS, 172), 1000);

    police_swap(&p, &same_unit, &fast);
    CU_ASSERT_EQUAL(send(&p, &fast, &now, 10000, MS, 172), 10000);
    unsigned passed = send(&p, &fast, &now, 20000, MS / 2, 172);
    CU_ASSERT(passed >= 11000 && passed < 11100); // 10 s and a burst of 1 s

    police_swap(&p, &fast, &slow);
    CU_ASSERT_EQUAL(send(&p, &slow, &now, 1000, 20 * MS, 172), 1000);
    passed = send(&p, &slow, &now, 2000, 10 * MS, 172);
    CU_ASSERT(passed >= 1045 && passed < 1060);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"units_by_rate", units_by_rate},
        {"every_allowed_rate_fits", every_allowed_rate_fits},
        {"a_conforming_stream_passes_for_a_day", a_conforming_stream_passes_for_a_day},
        {"a_longer_stall_loses_the_rest", a_longer_stall_loses_the_rest},
        {"twice_the_rate_loses_half", twice_the_rate_loses_half},
        {"loose_bounds_a_flood_to_eight_times", loose_bounds_a_flood_to_eight_times},
        {"what_conforms_is_never_a_flood", what_conforms_is_never_a_flood},
        {"a_refused_packet_costs_nothing", a_refused_packet_costs_nothing},
        {"rtcp_counts_in_bytes_only", rtcp_counts_in_bytes_only},
        {"after_silence_the_burst_is_there", after_silence_the_burst_is_there},
        {"a_wrapped_word_is_harmless", a_wrapped_word_is_harmless},
        {"a_fresh_word_is_an_empty_bucket", a_fresh_word_is_an_empty_bucket},
        {"new_rates_hold_at_once", new_rates_hold_at_once},
    };
    return test_main("police", TEST_CASES(cases), argc, argv);
}
