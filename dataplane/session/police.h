// SPDX-License-Identifier: BSD-3-Clause
// packet path: how much the remote side of a leg may send. Three leaky buckets (GCRA, ITU-T I.371 annex A)
// of one word each:
//   loose    asked before authentication, and of RTCP, at 8 times both rates: bounds the work that forged
//            packets cause
//   packets  asked after authentication, on a plain leg at once: the negotiated packets a second
//   octets   the same for the negotiated bytes of UDP payload a second
// RTCP counts in `loose` and `octets`.
//
// A word is the time at which its bucket will be empty, modulo 2^32 units; a unit is 2^shift ns, 16 us for
// streams of up to 118 packets a second, 8 us for up to 237, and so on, never so fine that a bucket is deeper
// than a quarter of the 2^32. A level beyond the bucket's depth can only be a time that has passed, so
// whatever a word held before a long silence reads as empty, with one exception: after a silence that ends
// within `depth` before a multiple of the wrap (19.5 hours of 16 us, 9.8 of 8) it reads as partly full, as if
// the stream had just sent a burst. That costs a stream at its rate one packet at most, and others a part of
// their burst. A fresh word of 0 is such an old time, too, so words need no start.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    POLICE_LOOSE = 8,      // times the negotiated rates, before authentication
    POLICE_LOOSE_LOG2 = 3, // the same as a shift
    POLICE_SHIFT_MAX = 14, // units of 16.384 us
    POLICE_FRACTION = 16,  // bits behind the point of police_rate.octet
    POLICE_FINE = 512,     // units that a packet costs at least, where the depth lets it: 0.2 %
    POLICE_GRANT = 512,    // the rate is exceeded by one part in so many: clocks differ
};
static_assert(1 << POLICE_LOOSE_LOG2 == POLICE_LOOSE, "the same factor");

// What a leg has agreed on, ready for use. Immutable, part of its terms: packed, so that a byte of theirs
// follows.
struct __attribute__((packed)) police_rate {
    uint32_t octet;  // what a byte costs, units with POLICE_FRACTION bits behind the point
    uint32_t depth;  // of each bucket, units: the burst and one packet of the largest kind
    uint16_t packet; // what a packet costs, units
    uint8_t shift;   // a unit is 2^shift ns
};
static_assert(sizeof(struct police_rate) == 11, "part of a line of terms");

// One leg's words. The owning worker's.
struct police {
    uint32_t loose;
    uint32_t packets;
    uint32_t octets;
};
static_assert(sizeof(struct police) == 12, "part of a session's head");

// Rate of `pps` packets (1..TL_PPS_MAX) and `bps` bytes (TL_BPS_MIN..TL_BPS_MAX) a second, with bursts of
// `burst_ms` (TL_BURST_MIN_MS..TL_BURST_MAX_MS) and packets of up to `max_len` bytes
// (TL_LEN_MIN..TL_LEN_MAX). A conforming sender may lie 0.2 % above: its clock is not ours. Any thread; for
// the manager.
static inline struct police_rate police_rate_of(uint32_t pps, uint32_t bps, uint32_t burst_ms,
                                                uint32_t max_len)
{
    const uint64_t second = 1000000000u - 1000000000u / POLICE_GRANT;
    uint64_t packet_ns = second / pps, largest_ns = second * max_len / bps;
    uint64_t depth_ns = burst_ms * UINT64_C(1000000) + (largest_ns > packet_ns ? largest_ns : packet_ns);
    uint64_t octet = (second << POLICE_FRACTION) / bps; // of units of 1 ns
    unsigned shift = POLICE_SHIFT_MAX;
    while (shift > 0 && packet_ns >> shift < POLICE_FINE && depth_ns >> (shift - 1) <= UINT32_MAX / 4 &&
           octet >> (shift - 1) <= UINT32_MAX)
        shift--;
    return (struct police_rate){
        .octet = octet >> shift, .depth = depth_ns >> shift, .packet = packet_ns >> shift, .shift = shift};
}

// How full a bucket is: what lies further ahead than its depth has passed.
static inline uint32_t police_level(uint32_t word, uint32_t now, uint32_t depth)
{
    uint32_t level = word - now;
    return level > depth ? 0 : level;
}

static inline uint32_t police_octets(const struct police_rate *rate, uint32_t len)
{
    return (uint64_t)len * rate->octet >> POLICE_FRACTION;
}

// Before authentication: may a packet of `len` bytes of UDP payload go on? A refused one costs the bucket
// nothing. One bucket stands for both rates, each packet at the dearer of its two costs; so what the stream's
// own buckets let pass never fills it. `now_ns` must not go back.
static inline bool police_loose(struct police *words, const struct police_rate *rate, uint64_t now_ns,
                                uint32_t len)
{
    uint32_t now = now_ns >> rate->shift, octets = police_octets(rate, len);
    uint32_t cost = (octets > rate->packet ? octets : rate->packet) >> POLICE_LOOSE_LOG2;
    uint32_t level = police_level(words->loose, now, rate->depth) + cost;
    if (level > rate->depth)
        return false;
    words->loose = now + level;
    return true;
}

// After authentication: may it go on by the stream's own buckets? A refused one costs them nothing. `rtp`: it
// counts as a packet; RTCP does not.
static inline bool police_own(struct police *words, const struct police_rate *rate, uint64_t now_ns,
                              uint32_t len, bool rtp)
{
    uint32_t now = now_ns >> rate->shift;
    uint32_t packets = police_level(words->packets, now, rate->depth) + (rtp ? rate->packet : 0);
    uint32_t octets = police_level(words->octets, now, rate->depth) + police_octets(rate, len);
    if (packets > rate->depth || octets > rate->depth)
        return false;
    words->packets = now + packets;
    words->octets = now + octets;
    return true;
}

// New terms: levels of another bucket mean nothing, so it is empty then. The same one goes on.
static inline void police_swap(struct police *words, const struct police_rate *old,
                               const struct police_rate *rate)
{
    if (old->shift != rate->shift || old->depth != rate->depth)
        *words = (struct police){0};
}
