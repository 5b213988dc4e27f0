// SPDX-License-Identifier: BSD-3-Clause
// The call machine by scripts: what comes in, what must go out. The clock and the dataplane are made up here; a script says
// when they speak.
//
// In:  "A invite sdp"   "B 183 sdp"   "B#2 183 pcmu reliable"   "added"   "wait 10000" (timers that are due fire) ...
// Out: "add" "invite:1+sdp" "A=200+sdp" "A=183!#2" (reliable, second dialog) "ack:B" "bye:A" "del" "end" ..., in order.
// Timers are not written out: the clock shows them.
#pragma once

#include "control/call/call.h"
#include "runner.h"

struct world {
    struct call call;
    uint64_t now;
    uint64_t due[CALL_TIMER_COUNT]; // 0: not armed
    char out[400];                  // actions of the step
    char body[NEG_BODY_MAX];        // the last SDP that went out
    struct tl_leg legs[2];          // as the dataplane was told last
    bool freed;
};

struct line {
    const char *in, *out;
};

extern struct tl_config *config;
extern struct call_env env;

// Trunk 0 is A's; 1, 2 (one realm) and 3 (another) are B's. To be freed.
void make_config(void);

// A call of trunk 0 over the first `trunks` of 1, 2, 3.
void begin(struct world *w, unsigned trunks);
void hear(struct world *w, const char *line);
void play(struct world *w, const struct line *script, size_t lines);
void finish(struct world *w);

// Plays whole scripts that end with the call gone.
#define SCRIPT(trunks, ...)                                                                                  \
    do {                                                                                                     \
        static const struct line lines_[] = {__VA_ARGS__};                                                   \
        struct world w_;                                                                                     \
        begin(&w_, trunks);                                                                                  \
        play(&w_, lines_, sizeof lines_ / sizeof lines_[0]);                                                 \
        finish(&w_);                                                                                         \
    } while (0)

#define UP(world, trunks)                                                                                    \
    do {                                                                                                     \
        static const struct line lines_[] = {                                                                \
            {"A invite sdp", "add"}, {"added", "invite:1+sdp"},       {"B 180", "A=180"},                    \
            {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""}};                        \
        begin(world, trunks);                                                                                \
        play(world, lines_, sizeof lines_ / sizeof lines_[0]);                                               \
        CU_ASSERT_EQUAL((world)->call.state, CALL_UP);                                                       \
    } while (0)

#define GO(world, ...)                                                                                       \
    do {                                                                                                     \
        static const struct line lines_[] = {__VA_ARGS__};                                                   \
        play(world, lines_, sizeof lines_ / sizeof lines_[0]);                                               \
    } while (0)
