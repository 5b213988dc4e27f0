// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/pace.h"

#include <string.h>

void pace_init(struct pace *p, int64_t start, uint64_t interval, uint32_t streams, uint64_t rounds,
               uint64_t lag_limit)
{
    memset(p, 0, sizeof *p);
    p->start = start;
    p->interval = interval;
    p->streams = streams;
    p->rounds = rounds;
    p->lag_limit = lag_limit;
}

int64_t pace_next_at(const struct pace *p)
{
    const uint64_t round = p->next / p->streams, stream = p->next % p->streams;

    return p->start + (int64_t)(round * p->interval + stream * p->interval / p->streams);
}

// Slots whose time has come.
static uint64_t passed(const struct pace *p, int64_t now)
{
    if (now < p->start)
        return 0;
    const uint64_t since = (uint64_t)(now - p->start);
    const uint64_t round = since / p->interval, rest = since % p->interval;

    if (round >= p->rounds)
        return p->rounds * p->streams;
    // stream i is due in its round at floor(i * interval / n): those with i * interval < (rest + 1) * n
    uint64_t streams = ((rest + 1) * p->streams + p->interval - 1) / p->interval;
    if (streams > p->streams)
        streams = p->streams;
    return round * p->streams + streams;
}

uint32_t pace_due(struct pace *p, int64_t now, uint32_t room)
{
    const uint64_t until = passed(p, now);

    if (until <= p->next)
        return 0;
    if (p->lag_limit != 0 && now - pace_next_at(p) > (int64_t)p->lag_limit) {
        p->skipped += until - p->next;
        p->next = until;
        return 0;
    }
    return until - p->next < room ? (uint32_t)(until - p->next) : room;
}

uint32_t pace_stream(const struct pace *p)
{
    return (uint32_t)(p->next % p->streams);
}

void pace_step(struct pace *p)
{
    p->next++;
}

int pace_over(const struct pace *p)
{
    return p->next >= p->rounds * p->streams;
}
