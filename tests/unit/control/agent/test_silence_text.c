// SPDX-License-Identifier: BSD-3-Clause
// What the log says at night.
#include "control/agent/silence_text.h"

#include <string.h>

#include "runner.h"

static struct silence_side side[2];
static struct tl_session_snapshot snap;

static void set_up(void)
{
    side[0] = (struct silence_side){"peer", {TL_AF_INET, 0, 4000, {10, 0, 0, 1}}, true};
    side[1] = (struct silence_side){"core", {TL_AF_INET, 0, 5002, {10, 0, 0, 2}}, true};
    memset(&snap, 0, sizeof snap);
    snap.leg[0].counters.tx_packets = snap.leg[1].counters.tx_packets = 1000;
}

static void expect(unsigned leg, uint32_t ms, bool again, uint8_t heard,
                   const struct tl_session_snapshot *record, const char *want)
{
    char text[SILENCE_TEXT_MAX];
    silence_text(text, side, leg, ms, again, heard, record);
    CU_ASSERT_STRING_EQUAL(text, want);
    if (strcmp(text, want) != 0)
        printf("     %s\n", text);
}

static void one_way(void)
{
    set_up();
    expect(1, 5000, false, 1, &snap,
           "one-way audio: nothing from B, trunk core (10.0.0.2:5002), for 5.0 s; towards it all is well");
    expect(0, 12345, false, 2, NULL,
           "one-way audio: nothing from A, trunk peer (10.0.0.1:4000), for 12.3 s; towards it all is well");
    snap.leg[1].drops[TL_DROP_leg_incomplete] = 3;
    snap.leg[1].drops[TL_DROP_wrong_source] = 250;
    expect(1, 5000, false, 1, &snap,
           "one-way audio: nothing from B, trunk core (10.0.0.2:5002), for 5.0 s; towards it all is well; "
           "dropped from B so far: 250 wrong_source (source is not the signalled address and port)");
}

// A is heard, but its packets don't go on either: the reason stands with A.
static void one_way_and_nothing_goes_on(void)
{
    set_up();
    snap.leg[1].counters.tx_packets = 0;
    snap.leg[0].drops[TL_DROP_no_route] = 7;
    expect(1, 5000, false, 1, &snap,
           "one-way audio: nothing from B, trunk core (10.0.0.2:5002), for 5.0 s; "
           "A is heard, but nothing goes on from it; "
           "dropped from A so far: 7 no_route (destination is not on-link and no gateway is configured)");
}

static void no_way(void)
{
    set_up();
    expect(
        1, 5000, false, 0, &snap,
        "no audio either way: nothing from B, trunk core (10.0.0.2:5002), for 5.0 s, nor from A, trunk peer "
        "(10.0.0.1:4000)");
}

static void the_other_only_listens(void)
{
    set_up();
    side[0].sends = false;
    expect(1, 5000, false, 0, &snap, "nothing from B, trunk core (10.0.0.2:5002), for 5.0 s; A only listens");
    expect(1, 5000, true, 2, &snap, "heard again after 5.0 s: B, trunk core (10.0.0.2:5002); A only listens");
}

static void heard_again(void)
{
    set_up();
    expect(1, 7250, true, 3, &snap,
           "heard again after 7.2 s: B, trunk core (10.0.0.2:5002); audio both ways");
    snap.leg[0].drops[TL_DROP_bad_auth] = 9;
    expect(
        1, 7250, true, 2, &snap,
        "heard again after 7.2 s: B, trunk core (10.0.0.2:5002); still one-way audio: nothing from A, trunk "
        "peer (10.0.0.1:4000); dropped from A so far: 9 bad_auth (SRTP or SRTCP tag wrong)");
}

// The longest names and numbers end where the line does, whole.
static void fits(void)
{
    char name[TL_NAME_MAX], text[SILENCE_TEXT_MAX + 1];
    set_up();
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (unsigned i = 0; i < 2; i++) {
        side[i] = (struct silence_side){name, {TL_AF_INET, 0, 65535, {255, 255, 255, 255}}, true};
        snap.leg[i].counters.tx_packets = 0;
    }
    for (int r = 0; r < TL_DROP_COUNT; r++) {
        memset(snap.leg, 0, sizeof snap.leg);
        snap.leg[0].drops[r] = snap.leg[1].drops[r] = UINT32_MAX;
        for (unsigned heard = 0; heard < 4; heard++)
            for (unsigned leg = 0; leg < 2; leg++) {
                text[SILENCE_TEXT_MAX] = 'x';
                silence_text(text, side, leg, UINT32_MAX, false, heard, &snap);
                CU_ASSERT(strlen(text) < SILENCE_TEXT_MAX - 1 && text[SILENCE_TEXT_MAX] == 'x');
                silence_text(text, side, leg, UINT32_MAX, true, heard, &snap);
                CU_ASSERT(strlen(text) < SILENCE_TEXT_MAX - 1 && text[SILENCE_TEXT_MAX] == 'x');
            }
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"one_way", one_way},         {"one_way_and_nothing_goes_on", one_way_and_nothing_goes_on},
        {"no_way", no_way},           {"the_other_only_listens", the_other_only_listens},
        {"heard_again", heard_again}, {"fits", fits},
    };
    return test_main("silence_text", TEST_CASES(cases), argc, argv);
}
