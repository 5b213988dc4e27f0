// SPDX-License-Identifier: BSD-3-Clause
// packet path: the packets of a stream that don't follow the one before.
#include "dataplane/session/quality.h"

static void add(_Atomic uint32_t *counter, uint32_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void begin(struct tl_live_rx *rx, uint32_t ticks, uint16_t seq, uint32_t ts)
{
    QUALITY_SET(rx->seen, 1);
    QUALITY_SET(rx->seq, seq);
    QUALITY_SET(rx->transit, ts << 16 | (uint16_t)(ticks - ts));
}

void quality_start(struct tl_live_rx *rx, uint32_t ticks, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
    if (ssrc != QUALITY_GET(rx->ssrc))
        QUALITY_SET(rx->jitter, 0);
    QUALITY_SET(rx->ssrc, ssrc);
    begin(rx, ticks, seq, ts);
}

// `step` numbers on, at least 1.
static void ahead(struct tl_live_rx *rx, uint16_t step)
{
    uint64_t seen = QUALITY_GET(rx->seen), to = 1 | QUALITY_OLDER;
    if (step < QUALITY_WINDOW)
        to = seen << step | 1 | (seen >> (QUALITY_WINDOW - step) ? QUALITY_OLDER : 0);
    QUALITY_SET(rx->seen, to);
    QUALITY_SET(rx->seq, QUALITY_GET(rx->seq) + step);
    add(&rx->lost, step - 1u);
}

// `back` numbers behind the highest, within the window. False: it has come before.
static bool behind(struct tl_live_rx *rx, uint16_t back)
{
    uint64_t seen = QUALITY_GET(rx->seen);
    if (seen >> back & 1)
        return false;
    // Was it missing, or does the sequence begin with it? Then those behind it are missing.
    unsigned first = 63 - __builtin_clzll(seen);
    add(&rx->lost, first > back ? UINT32_MAX : back - first - 1u);
    QUALITY_SET(rx->seen, seen | UINT64_C(1) << back);
    return true;
}

void quality_odd(struct tl_live_rx *rx, uint32_t ticks, uint16_t seq, uint32_t ts)
{
    uint16_t step = seq - QUALITY_GET(rx->seq), back = -step;
    if (step > 0 && step < QUALITY_DROPOUT) {
        ahead(rx, step);
        quality_jitter(rx, ticks, ts);
    } else if (back > QUALITY_MISORDER) {
        begin(rx, ticks, seq, ts);
    } else if (back >= QUALITY_WINDOW || behind(rx, back)) { // older than the window: given up as lost
        add(&rx->reordered, 1);
        quality_jitter(rx, ticks, ts);
    } else {
        add(&rx->duplicates, 1);
    }
}
