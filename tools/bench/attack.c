// SPDX-License-Identifier: BSD-3-Clause
// The attack arm: each stream sends a good packet, then forged tags, replays of the good one and packets to
// ports that nobody has, at a thousand times the negotiated rate, until the buckets refuse nearly all without
// looking further.
#include "tools/bench/bench.h"

enum { ROUNDS_MAX = 2000, REFUSED_ALL = CIRCULATING * 97 / 100 };

static void run_round(struct bench *b, struct set *s, struct verdict *v)
{
    traffic_make(b, s, CIRCULATING);
    step_timed(s->lane, step_of(s), CIRCULATING);
    check_round(b, s, CIRCULATING, v);
}

// Packets refused before any authentication.
static uint64_t refused_early(const struct set *s)
{
    struct tl_worker_snapshot w;
    if (tl_live_read_worker(tl_client_live(s->lane->bench->client), s->lane->id, &w))
        die("the live table has no worker %u", s->lane->id);
    return w.drops[TL_DROP_flood] + w.drops[TL_DROP_unknown_port];
}

void attack_prepare(struct bench *b, struct set *s)
{
    struct verdict v = {0};
    uint64_t before = refused_early(s);
    set_begin(s);
    for (unsigned done = 0; done < s->streams; done += CIRCULATING)
        run_round(b, s, &v);
    s->refused = REFUSED_TAG;
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        run_round(b, s, &v);
        uint64_t now = refused_early(s);
        if (now - before >= REFUSED_ALL)
            break;
        before = now;
    }
    check_counters(b, s, &v);
    if (v.passed < s->streams || v.unexpected > 0)
        die("the streams that will be attacked do not work: %lu of %lu packets passed",
            (unsigned long)v.passed, (unsigned long)v.sent);
}
