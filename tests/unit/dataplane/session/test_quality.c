// SPDX-License-Identifier: BSD-3-Clause
// Quality of a stream: what is computed by hand, and a stream of chance against a model that keeps
// everything.
#include "dataplane/session/quality.h"

#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define MS           UINT64_C(1000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SSRC = 0x1234 };

static struct tl_live_rx rx;

static void packet(uint64_t now_ms, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
    quality_rtp(&rx, now_ms * MS, quality_ticks(now_ms * MS), ssrc, seq, ts, 172);
}

static void fresh(void)
{
    memset(&rx, 0, sizeof rx);
}

// ---- sequence numbers --------------------------------------------------------------------------------

// Numbers in the order of their coming, 20 ms apart; -1 ends.
static void sequences(void)
{
    static const struct {
        const char *what;
        int seq[16];
        uint32_t lost, reordered, duplicates, top;
    } table[] = {
        {"in order", {1, 2, 3, 4, -1}, 0, 0, 0, 4},
        {"one lost", {1, 2, 4, 5, -1}, 1, 0, 0, 5},
        {"two holes", {1, 3, 4, 8, -1}, 4, 0, 0, 8},
        {"swapped", {1, 3, 2, 4, -1}, 0, 1, 0, 4},
        {"late by three", {1, 3, 4, 5, 2, 6, -1}, 0, 1, 0, 6},
        {"one late, one lost", {1, 4, 2, 5, -1}, 1, 1, 0, 5},
        {"twice", {1, 2, 2, 3, -1}, 0, 0, 1, 3},
        {"twice, later", {1, 2, 3, 4, 2, 5, -1}, 0, 0, 1, 5},
        {"late, then again", {1, 3, 2, 2, 4, -1}, 0, 1, 1, 4},
        {"wraps", {65534, 65535, 0, 1, -1}, 0, 0, 0, 65537},
        {"lost at the wrap", {65534, 0, 1, -1}, 1, 0, 0, 65537},
        {"late over the wrap", {65534, 0, 1, 65535, 2, -1}, 0, 1, 0, 65538},
        {"twice over the wrap", {65535, 0, 65535, 1, -1}, 0, 0, 1, 65537},
        {"overtaken at the start", {10, 9, 11, -1}, 0, 1, 0, 11},
        {"overtaken by two, one lost", {10, 7, 9, 11, -1}, 1, 2, 0, 11},
        {"overtaken and again", {10, 9, 9, 10, 11, -1}, 0, 1, 2, 11},
        {"the most that is a loss", {1, 3000, 3001, -1}, 2998, 0, 0, 3001},
        {"a jump ahead", {1, 2, 3002, 3003, -1}, 0, 0, 0, 3003},
        {"a jump back", {500, 501, 400, 401, -1}, 0, 0, 0, 401},
        {"the most that is late", {500, 600, 501, 500, 601, -1}, 99, 2, 0, 601},
        {"a jump, then late", {1, 2, 5000, 5002, 5001, -1}, 0, 1, 0, 5002},
    };
    for (unsigned i = 0; i < COUNT(table); i++) {
        unsigned failures = CU_get_number_of_failures(), n = 0;
        fresh();
        for (; table[i].seq[n] >= 0; n++)
            packet(1000 + 20 * n, SSRC, table[i].seq[n], 160 * n);
        CU_ASSERT_EQUAL(rx.packets, n);
        CU_ASSERT_EQUAL(rx.octets, 172 * n);
        CU_ASSERT_EQUAL(rx.lost, table[i].lost);
        CU_ASSERT_EQUAL(rx.reordered, table[i].reordered);
        CU_ASSERT_EQUAL(rx.duplicates, table[i].duplicates);
        CU_ASSERT_EQUAL(rx.seq, table[i].top);
        CU_ASSERT_EQUAL(rx.ssrc, SSRC);
        CU_ASSERT_EQUAL(rx.last_ns, (1000 + 20 * (n - 1)) * MS);
        if (CU_get_number_of_failures() != failures)
            printf("     %s: lost %u, reordered %u, duplicates %u, top %u\n", table[i].what, rx.lost,
                   rx.reordered, rx.duplicates, rx.seq);
    }
}

// At the window's far end: 62 behind is told from a duplicate, 63 behind is given up.
static void edge_of_the_window(void)
{
    for (unsigned back = 61; back <= 64; back++) {
        fresh();
        packet(1, SSRC, 999, 0);
        for (unsigned i = 1; i <= back; i++) // 1000 is missing
            packet(1 + i, SSRC, 1000 + i, i);
        CU_ASSERT_EQUAL(rx.lost, 1);
        packet(200, SSRC, 1000, 300);
        CU_ASSERT_EQUAL(rx.reordered, 1);
        CU_ASSERT_EQUAL(rx.lost, back < QUALITY_WINDOW ? 0 : 1);
        packet(201, SSRC, 1000, 301);
        CU_ASSERT_EQUAL(rx.duplicates, back < QUALITY_WINDOW ? 1 : 0);
    }
}

// The beginning is remembered over any step: late packets are never taken for some from before it.
static void beginning_leaves_the_window(void)
{
    for (unsigned step = 1; step < 130; step++) {
        fresh();
        packet(1, SSRC, 100, 0);
        packet(2, SSRC, 100 + step, 1);
        packet(3, SSRC, 100 + step + 2, 2);
        uint32_t lost = step; // step - 1 and one
        CU_ASSERT_EQUAL(rx.lost, lost);
        packet(4, SSRC, 100 + step + 1, 3);
        CU_ASSERT_EQUAL(rx.lost, lost - 1);
    }
}

static void another_ssrc_begins_anew(void)
{
    fresh();
    packet(1000, SSRC, 10, 0);
    packet(1020, SSRC, 12, 320);
    packet(1040, SSRC + 1, 50000, 77);
    packet(1060, SSRC + 1, 50001, 237);
    packet(1080, SSRC, 13, 480); // and back
    packet(1100, SSRC, 14, 640);
    CU_ASSERT_EQUAL(rx.lost, 1);
    CU_ASSERT_EQUAL(rx.reordered, 0);
    CU_ASSERT_EQUAL(rx.packets, 6);
    CU_ASSERT_EQUAL(rx.ssrc, SSRC);
    CU_ASSERT_EQUAL(rx.jitter, 0);
}

// An SSRC of 0 is one like any other, also as the first.
static void ssrc_zero(void)
{
    fresh();
    packet(1000, 0, 65535, 0);
    packet(1020, 0, 1, 320);
    CU_ASSERT_EQUAL(rx.lost, 1);
}

// ---- time --------------------------------------------------------------------------------------------

static void longest_gap(void)
{
    fresh();
    packet(5000, SSRC, 1, 0); // nothing before the first packet is a gap
    CU_ASSERT_EQUAL(rx.gap_ms, 0);
    packet(5020, SSRC, 2, 160);
    CU_ASSERT_EQUAL(rx.gap_ms, 20);
    packet(5520, SSRC, 3, 320);
    CU_ASSERT_EQUAL(rx.gap_ms, 500);
    packet(5540, SSRC, 4, 480);
    packet(6039, SSRC, 6, 640);
    CU_ASSERT_EQUAL(rx.gap_ms, 500);
    packet(6540, SSRC + 1, 6, 640); // silence is silence, whoever ends it
    CU_ASSERT_EQUAL(rx.gap_ms, 501);
    quality_rtp(&rx, 7041 * MS + 999999, 0, SSRC + 1, 7, 0, 172); // 501.999999 ms
    CU_ASSERT_EQUAL(rx.gap_ms, 501);
    quality_rtp(&rx, 7543 * MS + 999999, 0, SSRC + 1, 8, 0, 172);
    CU_ASSERT_EQUAL(rx.gap_ms, 502);
}

static void hold_is_no_gap_and_no_loss(void)
{
    fresh();
    packet(1000, SSRC, 1, 0);
    packet(1020, SSRC, 2, 160);
    quality_pause(&rx);
    packet(61020, SSRC, 700, 480160); // resumed a minute later
    packet(61040, SSRC, 702, 480480);
    CU_ASSERT_EQUAL(rx.gap_ms, 20);
    CU_ASSERT_EQUAL(rx.lost, 1);
    CU_ASSERT_EQUAL(rx.packets, 4);
    CU_ASSERT_EQUAL(rx.jitter, 160); // the first behind the hold has none, the second came 20 ms early
}

// RFC 3550 A.8: jitter += |d| - ((jitter + 8) >> 4), in sixteenths of 125 us.
static void jitter_by_hand(void)
{
    static const struct {
        uint64_t ms;
        uint32_t ts, jitter;
    } table[] = {
        {1000, 0, 0},       {1020, 160, 0}, // d 0
        {1045, 320, 40},                    // 5 ms late: 0 + 40 - 0
        {1060, 480, 77},                    // 5 ms early after that: 40 + 40 - 3
        {1080, 640, 72},                    // d 0: 77 - 5
        {1100, 800, 67},                    // 72 - 5
        {1320, 960, 1663},                  // 200 ms late: 67 + 1600 - 4
        {1320, 1120, 1719},                 // comes with it, 20 ms early after that: 1663 + 160 - 104
    };
    fresh();
    for (unsigned i = 0; i < COUNT(table); i++) {
        packet(table[i].ms, SSRC, i, table[i].ts);
        CU_ASSERT_EQUAL(rx.jitter, table[i].jitter);
        if (rx.jitter != table[i].jitter)
            printf("     packet %u: jitter %u\n", i, rx.jitter);
    }
}

// The packets of a telephone event have one timestamp for seconds; what comes behind them is in time again.
static void events_leave_jitter_alone(void)
{
    fresh();
    unsigned seq = 0;
    uint64_t ms = 1000;
    for (; seq < 10; seq++, ms += 20)
        packet(ms, SSRC, seq, (uint32_t)ms * 8);
    uint32_t event = (uint32_t)ms * 8;
    for (; seq < 60; seq++, ms += 20)
        packet(ms, SSRC, seq, event);
    for (unsigned i = 0; i < 2; i++, seq++) // the end of the event, twice more at once
        packet(ms - 20, SSRC, seq, event);
    for (; seq < 80; seq++, ms += 20)
        packet(ms, SSRC, seq, (uint32_t)ms * 8);
    CU_ASSERT_EQUAL(rx.jitter, 0);
    CU_ASSERT_EQUAL(rx.lost, 0);
    packet(ms + 10, SSRC, seq, (uint32_t)ms * 8); // or nothing would be measured at all
    CU_ASSERT_EQUAL(rx.jitter, 80);
}

// Ticks and timestamps wrap at 2^32.
static void jitter_over_wraps(void)
{
    uint64_t wrap_ms = (UINT64_C(1) << 32) / 8;
    fresh();
    for (unsigned i = 0; i < 10; i++)
        packet(wrap_ms - 100 + 20 * i, SSRC, i, UINT32_MAX - 500 + 160 * i);
    CU_ASSERT_EQUAL(rx.jitter, 0);
}

// ---- chance against a model --------------------------------------------------------------------------

enum { HISTORY = 1 << 19 };

// Keeps each number that came in the sequence, by its extended value.
struct model {
    uint8_t came[HISTORY];
    int64_t first, top;
    uint32_t lost, reordered, duplicates;
    bool started;
};

static void model_end(struct model *m)
{
    for (int64_t i = m->first; m->started && i <= m->top; i++)
        m->lost += !m->came[i];
}

static void model_start(struct model *m, int64_t at)
{
    model_end(m);
    memset(m->came, 0, sizeof m->came);
    m->first = m->top = at;
    m->came[at] = 1;
    m->started = true;
}

static void model_packet(struct model *m, int64_t at)
{
    if (!m->started || at - m->top >= 3000 || m->top - at > 100) {
        model_start(m, at);
    } else if (at > m->top) {
        m->top = at;
        m->came[at] = 1;
    } else if (m->top - at >= 63) {
        m->reordered++;
    } else if (m->came[at]) {
        m->duplicates++;
    } else {
        m->reordered++;
        m->came[at] = 1;
        if (at < m->first)
            m->first = at;
    }
}

static uint64_t seed = 88172645463325252u;

static uint32_t random_below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 32) % n;
}

// Loss, lateness, duplicates, outages and jumps as they fall, over three wraps of the sequence number.
static void agrees_with_a_model(void)
{
    static struct model m;
    memset(&m, 0, sizeof m);
    fresh();
    int64_t next = 70000; // extended; room below for late ones
    uint32_t count = 0;
    for (uint64_t ms = 1; next < HISTORY - 20000 && count < 200000; ms += 20, count++) {
        int64_t at = next++;
        switch (random_below(40)) {
        case 0:
            at = next += random_below(4); // loss
            next++;
            break;
        case 1:
            at -= 1 + random_below(70); // late, or again
            next--;
            break;
        case 2:
            at--; // again
            next--;
            break;
        case 3:
            if (random_below(200) == 0)
                at = next += random_below(2990); // an outage
            next++;
            break;
        case 4:
            if (random_below(2000) == 0)
                at = next += 3000 + random_below(5000); // a jump
            next++;
            break;
        default:
            break;
        }
        model_packet(&m, at);
        packet(ms, SSRC, (uint16_t)at, (uint32_t)ms * 8);
    }
    model_end(&m);
    CU_ASSERT(next > 3 * 65536 && m.duplicates > 1000 && m.reordered > 900 && m.lost > 1000);
    CU_ASSERT_EQUAL(rx.packets, count);
    CU_ASSERT_EQUAL(rx.lost, m.lost);
    CU_ASSERT_EQUAL(rx.reordered, m.reordered);
    CU_ASSERT_EQUAL(rx.duplicates, m.duplicates);
    if (rx.lost != m.lost || rx.reordered != m.reordered || rx.duplicates != m.duplicates)
        printf("     lost %u %u, reordered %u %u, duplicates %u %u, %lld\n", rx.lost, m.lost, rx.reordered,
               m.reordered, rx.duplicates, m.duplicates, (long long)next);
}

// RFC 3550 A.8 in its own words, on whole numbers as they are.
static void jitter_agrees_with_the_rfc(void)
{
    uint32_t jitter = 0;
    int64_t transit = 0;
    fresh();
    uint64_t ms = 1000;
    for (unsigned i = 0; i < 100000; i++) {
        ms += random_below(41);
        uint32_t ts = 160 * i;
        int64_t now = (int64_t)ms * 8 - (int64_t)ts, d = now - transit;
        transit = now;
        if (i > 0)
            jitter += (uint32_t)llabs(d) - ((jitter + 8) >> 4);
        packet(ms, SSRC, (uint16_t)i, ts);
        if (rx.jitter != jitter) {
            CU_FAIL("jitter differs");
            break;
        }
    }
    CU_ASSERT(jitter > 0);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"sequences", sequences},
        {"edge_of_the_window", edge_of_the_window},
        {"beginning_leaves_the_window", beginning_leaves_the_window},
        {"another_ssrc_begins_anew", another_ssrc_begins_anew},
        {"ssrc_zero", ssrc_zero},
        {"longest_gap", longest_gap},
        {"hold_is_no_gap_and_no_loss", hold_is_no_gap_and_no_loss},
        {"jitter_by_hand", jitter_by_hand},
        {"events_leave_jitter_alone", events_leave_jitter_alone},
        {"jitter_over_wraps", jitter_over_wraps},
        {"agrees_with_a_model", agrees_with_a_model},
        {"jitter_agrees_with_the_rfc", jitter_agrees_with_the_rfc},
    };
    return test_main("quality", TEST_CASES(cases), argc, argv);
}
