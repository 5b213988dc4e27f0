// SPDX-License-Identifier: BSD-3-Clause
// packet path: from a local media address's UDP port to the leg that owns it, one array per address.
//
// An entry is four bytes, so the map of an address is 256 kB and 16,000 calls on it touch 128 kB. Lookup is
// one load, no hash, no chain, no pathological input. Entries lie in the order of the port's
// low byte, that is bucket by bucket, so that no cache line has entries of two workers, however the buckets
// are shared out; RTP and RTCP ports lie apart.
#pragma once

#include <assert.h>
#include <rte_byteorder.h>
#include <rte_prefetch.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/contract.h"

enum {
    PORTMAP_NONE = 0,
    PORTMAP_PORTS = 65536,
    PORTMAP_SLOTS_MAX = (1 << 29) - 2, // slots that fit an entry
};

// Slot + 1, the leg and whether the port is the RTCP one; 0 is no session.
struct portmap {
    _Atomic uint32_t entry[PORTMAP_PORTS]; // worker that owns the port's bucket: rw, others: never
};

// Place in entry[] of a port as it stands in the packet: with the low byte in front, whose upper bits name
// the bucket.
static inline uint16_t portmap_place(rte_be16_t port)
{
    return port;
}

// The bucket of a place, as tl_port_bucket() of the port.
static inline unsigned portmap_bucket(uint16_t place)
{
    return place >> 9;
}
static_assert(TL_PORT_BUCKETS == 1 << 7 && RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "bits 1 to 7 of a port");

static inline uint32_t portmap_entry(uint32_t slot, unsigned leg, bool rtcp)
{
    return ((slot + 1) << 2) | (leg & 1) << 1 | (rtcp ? 1 : 0);
}

static inline uint32_t portmap_entry_slot(uint32_t entry)
{
    return (entry >> 2) - 1;
}

static inline unsigned portmap_entry_leg(uint32_t entry)
{
    return entry >> 1 & 1;
}

static inline bool portmap_entry_rtcp(uint32_t entry)
{
    return entry & 1;
}

// Entry of the port (host byte order), PORTMAP_NONE where no session has it. Owning worker only.
static inline uint32_t portmap_get(const struct portmap *map, uint16_t port)
{
    return atomic_load_explicit(&map->entry[portmap_place(rte_cpu_to_be_16(port))], memory_order_relaxed);
}

// Prefetches the line of a port pair (host byte order) ahead of portmap_set() or portmap_clear(). Nobody else
// has it, so reading it is enough to own it. Owning worker only.
static inline void portmap_prefetch(const struct portmap *map, uint16_t port)
{
    rte_prefetch0(&map->entry[portmap_place(rte_cpu_to_be_16(port & 0xfffe))]);
}

// Gives the even port and the odd one after it to a leg of the slot; portmap_clear takes them back.
// Owning worker only, between two bursts.
void portmap_set(struct portmap *map, uint16_t rtp_port, uint32_t slot, unsigned leg);
void portmap_clear(struct portmap *map, uint16_t rtp_port);
