// SPDX-License-Identifier: BSD-3-Clause
// Several SSRCs under one key: who gives way to whom, and what is known of one that comes back.
#include <stdio.h>
#include <string.h>

#include "dataplane/session/leg_rx.h"
#include "runner.h"

#define ROC(roc, seq) ((uint64_t)(roc) << 16 | (seq))
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

// As the unprotect stage does with an authentic packet. Returns SRTP_OK or why it is refused.
static unsigned heard(struct leg_rx *rx, uint32_t ssrc, uint64_t index)
{
    int slot = leg_rx_find(rx, ssrc);
    struct srtp_rx floor;
    if (slot < 0) {
        leg_rx_floor(rx, ssrc, &floor);
        unsigned status = srtp_window_check(&floor.rtp, index);
        if (status != SRTP_OK)
            return status;
        slot = (int)leg_rx_add(rx, ssrc);
    }
    unsigned status = srtp_rx_commit(&rx->stream[slot], index);
    if (status == SRTP_OK)
        leg_rx_heard(rx, (unsigned)slot);
    return status;
}

static unsigned heard_rtcp(struct leg_rx *rx, uint32_t ssrc, uint32_t index)
{
    int slot = leg_rx_find(rx, ssrc);
    if (slot < 0)
        slot = (int)leg_rx_add(rx, ssrc);
    leg_rx_heard(rx, (unsigned)slot);
    return srtcp_rx_commit(&rx->stream[slot], index);
}

// Is the order one of all four slots?
static bool whole(const struct leg_rx *rx)
{
    unsigned slots = 0;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++)
        slots |= 1u << (rx->order >> 2 * i & 3);
    return slots == 15;
}

// SSRCs are letters: who is heard in turn, who then has a slot from the newest to the longest silent, and who
// has left a floor, the newer one first.
static void who_gives_way(void)
{
    static const struct {
        const char *turns, *slots, *floors;
    } t[] = {
        {"", "", ""},
        {"a", "a", ""},
        {"aaa", "a", ""},
        {"ab", "ba", ""},
        {"aba", "ab", ""},
        {"abcd", "dcba", ""},
        {"abcda", "adcb", ""},
        {"abcdbca", "acbd", ""},
        {"abcde", "edcb", "a"},
        {"abcdae", "eadc", "b"},
        {"abcdef", "fedc", "ba"},
        {"abcdefg", "gfed", "cb"},
        {"abcdea", "aedc", "b"},    // back at once: its floor is used up, b leaves one
        {"abcdefa", "afed", "cb"},  // the older floor used up
        {"abcdefb", "bfed", "ca"},  // the newer one
        {"abcdefgh", "hgfe", "dc"}, // a and b are forgotten
        {"abcdabcde", "edcb", "a"},
        {"abcdeabcdeabcde", "edcb", "a"},
        {"abcdefabcdef", "fedc", "ba"},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct leg_rx rx;
        leg_rx_reset(&rx, TL_ROC_AUTO);
        uint64_t index = 0;
        for (const char *turn = t[i].turns; *turn; turn++) {
            CU_ASSERT_EQUAL(heard(&rx, (uint32_t)*turn, ++index), SRTP_OK);
            CU_ASSERT(whole(&rx));
        }
        char slots[8] = "", floors[8] = "";
        for (unsigned k = 0; k < TL_SSRC_MAX; k++) {
            const struct srtp_rx *s = &rx.stream[rx.order >> 2 * k & 3];
            if (leg_rx_used(s))
                slots[strlen(slots)] = (char)s->ssrc;
        }
        for (unsigned k = 0; k < LEG_FLOORS; k++)
            if (rx.floor_has >> 2 * k & 3)
                floors[strlen(floors)] = (char)rx.floor_ssrc[k];
        CU_ASSERT_STRING_EQUAL(slots, t[i].slots);
        CU_ASSERT_STRING_EQUAL(floors, t[i].floors);
        if (strcmp(slots, t[i].slots) != 0 || strcmp(floors, t[i].floors) != 0)
            printf("     %s: slots %s, floors %s\n", t[i].turns, slots, floors);
    }
}

// What a floor says, for indices of every size.
static void floors_hold(void)
{
    static const uint64_t top[] = {0, 1, 65535, ROC(1, 0), ROC(0x12345678, 0x9abc), SRTP_INDEX_MAX};
    for (size_t i = 0; i < COUNT(top); i++) {
        struct leg_rx rx;
        struct srtp_rx back;
        leg_rx_reset(&rx, TL_ROC_AUTO);
        CU_ASSERT_EQUAL(heard(&rx, 1, top[i]), SRTP_OK);
        for (uint32_t ssrc = 2; ssrc < 2 + TL_SSRC_MAX; ssrc++)
            CU_ASSERT_EQUAL(heard(&rx, ssrc, 5), SRTP_OK);
        CU_ASSERT_EQUAL(leg_rx_find(&rx, 1), -1);
        leg_rx_floor(&rx, 1, &back);
        CU_ASSERT(back.ssrc == 1 && back.rtp.top == top[i] && !srtp_rx_fresh(&back));
        CU_ASSERT(back.rtcp_bits == 0); // there was no SRTCP
        struct leg_rx before = rx;
        for (uint64_t age = 0; age <= 200 && age <= top[i]; age++)
            CU_ASSERT_EQUAL(heard(&rx, 1, top[i] - age),
                            age < SRTP_WINDOW ? TL_DROP_replayed : TL_DROP_too_old);
        CU_ASSERT(memcmp(&before, &rx, sizeof rx) == 0); // a replay takes nobody's place
        uint64_t index = 0;
        if (top[i] == SRTP_INDEX_MAX)
            continue;
        CU_ASSERT_EQUAL(srtp_rx_check(&back, (uint16_t)(top[i] + 1), &index), SRTP_OK);
        CU_ASSERT_EQUAL(index, top[i] + 1); // with its rollover counter
        CU_ASSERT_EQUAL(heard(&rx, 1, index), SRTP_OK);
        CU_ASSERT_EQUAL(rx.stream[leg_rx_find(&rx, 1)].rtp.top, index);
    }
}

static void floors_of_srtcp(void)
{
    struct leg_rx rx;
    struct srtp_rx back;
    leg_rx_reset(&rx, TL_ROC_AUTO);
    CU_ASSERT_EQUAL(heard_rtcp(&rx, 1, 0x7ffffffe), SRTP_OK); // SRTCP alone
    CU_ASSERT_EQUAL(heard(&rx, 2, 77), SRTP_OK);              // both
    CU_ASSERT_EQUAL(heard_rtcp(&rx, 2, 9), SRTP_OK);
    for (uint32_t ssrc = 3; ssrc < 3 + TL_SSRC_MAX; ssrc++)
        CU_ASSERT_EQUAL(heard(&rx, ssrc, 5), SRTP_OK);
    leg_rx_floor(&rx, 1, &back);
    CU_ASSERT(srtp_rx_fresh(&back) && back.rtp.bits[0] == 0); // its first SRTP packet may have any number
    CU_ASSERT_EQUAL(srtcp_rx_check(&back, 0x7ffffffe), TL_DROP_replayed);
    CU_ASSERT_EQUAL(srtcp_rx_check(&back, 0x7fffffc0), TL_DROP_replayed);
    CU_ASSERT_EQUAL(srtcp_rx_check(&back, 5), TL_DROP_too_old);
    CU_ASSERT_EQUAL(srtcp_rx_check(&back, 0x7fffffff), SRTP_OK);
    leg_rx_floor(&rx, 2, &back);
    CU_ASSERT(back.rtp.top == 77 && srtcp_rx_check(&back, 9) == TL_DROP_replayed);
    CU_ASSERT_EQUAL(srtcp_rx_check(&back, 10), SRTP_OK);
}

// An SSRC that nobody ever had, 0 among them.
static void strangers(void)
{
    struct leg_rx rx;
    struct srtp_rx floor, none = {0};
    leg_rx_reset(&rx, TL_ROC_AUTO);
    CU_ASSERT_EQUAL(leg_rx_find(&rx, 0), -1);
    leg_rx_floor(&rx, 0, &floor);
    CU_ASSERT(memcmp(&floor, &none, sizeof none) == 0);
    CU_ASSERT_EQUAL(heard(&rx, 0, 3), SRTP_OK);
    CU_ASSERT_EQUAL(leg_rx_find(&rx, 0), 0); // the first gets the first line
    CU_ASSERT_EQUAL(heard(&rx, 0, 3), TL_DROP_replayed);
}

// No index passes twice as long as its SSRC is remembered, whatever the order.
static void random_walks(void)
{
    enum { SSRCS = TL_SSRC_MAX + LEG_FLOORS, STEPS = 20000 };
    struct leg_rx rx;
    uint64_t next[SSRCS] = {0}, noise = 0x9e3779b97f4a7c15;
    unsigned passed = 0;
    leg_rx_reset(&rx, TL_ROC_AUTO);
    for (unsigned i = 0; i < STEPS; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        unsigned who = (unsigned)(noise % SSRCS);
        uint64_t index = next[who] + (noise >> 20) % 3;
        CU_ASSERT_FATAL(heard(&rx, who, index) == SRTP_OK);
        next[who] = index + 1;
        passed++;
        unsigned old = (unsigned)(noise >> 40) % SSRCS;
        if (next[old] > 0)
            CU_ASSERT_FATAL(heard(&rx, old, next[old] - 1) != SRTP_OK);
        CU_ASSERT_FATAL(whole(&rx));
    }
    CU_ASSERT_EQUAL(passed, STEPS);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"who_gives_way", who_gives_way},     {"floors_hold", floors_hold},
        {"floors_of_srtcp", floors_of_srtcp}, {"strangers", strangers},
        {"random_walks", random_walks},
    };
    return test_main("leg_rx", TEST_CASES(cases), argc, argv);
}
