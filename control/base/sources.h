// SPDX-License-Identifier: BSD-3-Clause
// Who sends how much: a token bucket for each address in a table of fixed size. An address that finds its place taken pushes out
// who was silent longest, so no number of forged addresses costs memory or time. A place is found by SipHash: nobody without
// the key chooses it. The time is a parameter, milliseconds of any steady clock. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/contract.h"
#include "control/base/bucket.h"

enum {
    SOURCES_WAYS = 4, // places that an address may have
    SOURCE_TEXT = 64, // "2001:db8::/64" and its NUL
};

struct source {
    struct tl_addr addr; // without port; IPv6: its /64. Unset: free
    uint32_t strikes;    // messages too many, since it was last quiet for a while
    struct bucket bucket;
    uint64_t seen_ms;
    uint64_t banned_ms; // until then nothing of it is taken; in the past: its last strike
    uint64_t dropped;   // messages while it is banned
};

struct sources {
    struct source *places;
    uint32_t sets; // a power of two
    uint8_t key[16];
};

// Who counts as one: the address without port, of IPv6 its /64, in which a host may have any address.
struct tl_addr source_host(const struct tl_addr *addr);

// "192.0.2.1", "2001:db8::/64"; reads that, and any address in it.
const char *source_text(const struct source *source, char out[static SOURCE_TEXT]);
bool source_read(const char *text, struct tl_addr *out);

// Makes a table for `places` addresses, rounded up to a power of two. 0 or -ENOMEM; fini is safe on a zeroed one.
int sources_init(struct sources *table, uint32_t places, const uint8_t key[static 16]);
void sources_fini(struct sources *table);

// The address's place, made when it has none. Good until the next call. NULL: its places are all banned ones'.
struct source *sources_get(struct sources *table, const struct tl_addr *addr, uint64_t now_ms);

// The same without making one: NULL when it has none.
struct source *sources_find(const struct sources *table, const struct tl_addr *addr);

// One message too many. With `most` strikes, none of them more than QUIET_MS after the one before, it is banned for `ban_ms`
// (0: never). Returns whether that happened now.
bool source_strike(struct source *source, uint32_t most, uint64_t ban_ms, uint64_t now_ms);

static inline bool source_is_banned(const struct source *source, uint64_t now_ms)
{
    return source->banned_ms > now_ms;
}

// Tells of each that is banned.
void sources_banned(const struct sources *table, uint64_t now_ms,
                    void (*fn)(void *arg, const struct source *source), void *arg);
