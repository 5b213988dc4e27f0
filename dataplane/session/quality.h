// SPDX-License-Identifier: BSD-3-Clause
// packet path: what the stream that a leg receives is like, without RTCP: packets, octets, loss, reorder,
// duplicates, jitter (RFC 3550 A.8) and the longest gap, in the one line of the live record that a received
// packet writes anyway.
//
// A sequence begins with the first packet, another SSRC, a jump (RFC 3550 A.1) or after a hold, and what lies
// between two sequences is no loss. Its beginning is the lowest number that came within the window, so
// packets that overtook the first one are reordered, not duplicate. Loss is all numbers from there to the
// highest that have not come.
//
// Under SRTP a packet that comes twice is dropped as `replayed` before it gets here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/contract.h"

enum {
    QUALITY_WINDOW = 63,    // numbers that are told apart: came, or is missing
    QUALITY_DROPOUT = 3000, // RFC 3550 A.1: further ahead it is a jump ...
    QUALITY_MISORDER = 100, // ... and further behind, too
    QUALITY_TICK_NS = 125000,
};

// Bit of tl_live_rx.seen that stays once the sequence has begun before its window.
#define QUALITY_OLDER (UINT64_C(1) << QUALITY_WINDOW)

#define QUALITY_GET(field)        atomic_load_explicit(&(field), memory_order_relaxed)
#define QUALITY_SET(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

// Time for jitter, modulo 2^32: RTP ticks of 8 kHz, which all our payload types have.
static inline uint32_t quality_ticks(uint64_t now_ns)
{
    return now_ns / QUALITY_TICK_NS;
}

// RFC 3550 A.8 of a packet with timestamp `ts`. Packets of the same timestamp, as a telephone event's (RFC
// 4733 2.5.1.2), are sent when they please, so only the first counts.
static inline void quality_jitter(struct tl_live_rx *rx, uint32_t ticks, uint32_t ts)
{
    uint32_t last = QUALITY_GET(rx->transit), jitter = QUALITY_GET(rx->jitter);
    if ((uint16_t)ts == last >> 16)
        return;
    int d = (int16_t)(uint16_t)(ticks - ts - last);
    jitter += (uint32_t)(d < 0 ? -d : d) - ((jitter + 8) >> 4);
    QUALITY_SET(rx->jitter, jitter);
    QUALITY_SET(rx->transit, ts << 16 | (uint16_t)(ticks - ts));
}

// The packet that a sequence begins with.
void quality_start(struct tl_live_rx *rx, uint32_t ticks, uint32_t ssrc, uint16_t seq, uint32_t ts);

// A packet whose number is not the next.
void quality_odd(struct tl_live_rx *rx, uint32_t ticks, uint16_t seq, uint32_t ts);

// Counts an RTP packet with `octets` of UDP payload that was taken at `now_ns` (CLOCK_MONOTONIC, never going
// back; `ticks` is quality_ticks() of it). Its header's fields are in host byte order. Returns the
// nanoseconds since the last one, or since the clock's beginning for the first. Owning worker.
static inline uint64_t quality_rtp(struct tl_live_rx *rx, uint64_t now_ns, uint32_t ticks, uint32_t ssrc,
                                   uint16_t seq, uint32_t ts, uint32_t octets)
{
    uint64_t seen = QUALITY_GET(rx->seen), gap = now_ns - QUALITY_GET(rx->last_ns);
    uint32_t top = QUALITY_GET(rx->seq);
    QUALITY_SET(rx->packets, QUALITY_GET(rx->packets) + 1);
    QUALITY_SET(rx->octets, QUALITY_GET(rx->octets) + octets);
    QUALITY_SET(rx->last_ns, now_ns);
    if (__builtin_expect(seen != 0 && gap >= (QUALITY_GET(rx->gap_ms) + UINT64_C(1)) * 1000000u, 0))
        QUALITY_SET(rx->gap_ms, gap / 1000000u);
    if (__builtin_expect(seen == 0 || ssrc != QUALITY_GET(rx->ssrc), 0)) {
        quality_start(rx, ticks, ssrc, seq, ts);
    } else if (__builtin_expect(seq == (uint16_t)(top + 1), 1)) {
        QUALITY_SET(rx->seen, seen << 1 | 1 | (seen & QUALITY_OLDER));
        QUALITY_SET(rx->seq, top + 1);
        quality_jitter(rx, ticks, ts);
    } else {
        quality_odd(rx, ticks, seq, ts);
    }
    return gap;
}

// The leg stops receiving (hold): what comes after it begins a sequence, and the time between is no gap.
// Owning worker.
static inline void quality_pause(struct tl_live_rx *rx)
{
    QUALITY_SET(rx->seen, 0);
}
