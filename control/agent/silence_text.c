// SPDX-License-Identifier: BSD-3-Clause
#include "control/agent/silence_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/addr.h"

struct text {
    char *out;
    size_t at;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->out + t->at, SILENCE_TEXT_MAX - t->at, format, args);
    va_end(args);
    if (n > 0)
        t->at += (size_t)n < SILENCE_TEXT_MAX - t->at ? (size_t)n : SILENCE_TEXT_MAX - t->at - 1;
}

static char letter(unsigned leg)
{
    return leg ? 'B' : 'A';
}

static void put_side(struct text *t, const struct silence_side *side, unsigned leg)
{
    put(t, "%c, trunk %s (%s)", letter(leg), side->trunk, TL_ADDR_STR(&side->media));
}

// The commonest reason for which packets of the leg were dropped, if any were.
static void put_drops(struct text *t, const struct tl_session_snapshot *snap, unsigned leg)
{
    int most = 0;
    if (!snap)
        return;
    const uint32_t *drops = snap->leg[leg].drops;
    for (int r = 1; r < TL_DROP_COUNT; r++)
        if (drops[r] > drops[most])
            most = r;
    if (drops[most])
        put(t, "; dropped from %c so far: %u %s (%s)", letter(leg), drops[most], tl_drop_label(most),
            tl_drop_text(most));
}

static void put_silent(struct text *t, const struct silence_side side[2], unsigned leg, uint32_t ms,
                       bool other_heard, const struct tl_session_snapshot *snap)
{
    unsigned other = leg ^ 1;
    const char *what = !side[other].sends ? "" : other_heard ? "one-way audio: " : "no audio either way: ";
    put(t, "%snothing from ", what);
    put_side(t, &side[leg], leg);
    put(t, ", for %.1f s", ms / 1000.0);
    if (!side[other].sends) {
        put(t, "; %c only listens", letter(other));
    } else if (!other_heard) {
        put(t, ", nor from ");
        put_side(t, &side[other], other);
    } else if (snap && snap->leg[leg].counters.tx_packets == 0) {
        put(t, "; %c is heard, but nothing goes on from it", letter(other));
        put_drops(t, snap, other);
    } else {
        put(t, "; towards it all is well");
    }
    put_drops(t, snap, leg);
}

static void put_again(struct text *t, const struct silence_side side[2], unsigned leg, uint32_t ms,
                      bool other_heard, const struct tl_session_snapshot *snap)
{
    unsigned other = leg ^ 1;
    put(t, "heard again after %.1f s: ", ms / 1000.0);
    put_side(t, &side[leg], leg);
    if (!side[other].sends) {
        put(t, "; %c only listens", letter(other));
    } else if (other_heard) {
        put(t, "; audio both ways");
    } else {
        put(t, "; still one-way audio: nothing from ");
        put_side(t, &side[other], other);
        put_drops(t, snap, other);
    }
}

void silence_text(char out[SILENCE_TEXT_MAX], const struct silence_side side[2], unsigned leg, uint32_t ms,
                  bool again, uint8_t heard, const struct tl_session_snapshot *snap)
{
    struct text t = {.out = out};
    bool other_heard = heard >> (leg ^ 1) & 1;
    if (again)
        put_again(&t, side, leg, ms, other_heard, snap);
    else
        put_silent(&t, side, leg, ms, other_heard, snap);
}
