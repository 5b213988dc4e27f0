// SPDX-License-Identifier: BSD-3-Clause
// Hands out the media ports of one realm: pairs of an even RTP port and the odd RTCP port after it.
//
// Pairs lie in the 128 buckets that name their worker. Each bucket is a first-in first-out list: a port that
// was just freed is the last of its bucket to be used again, so late packets of the old call find nobody.
// Manager only; nothing here is shared.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"

struct portalloc {
    uint16_t first;                       // even
    uint32_t pairs;                       // in the range
    uint16_t *next;                       // by pair, or a mark: end, taken
    uint16_t *prev;                       // by pair
    uint16_t head[TL_PORT_BUCKETS];       // pair to use next
    uint16_t tail[TL_PORT_BUCKETS];       // pair that was freed last
    uint16_t count[TL_PORT_BUCKETS];      // free pairs
    uint32_t worker_free[TL_WORKERS_MAX]; // free pairs of all buckets of a worker
    uint32_t free_pairs;
    uint8_t bucket_worker[TL_PORT_BUCKETS]; // who owns a bucket
};

// Takes the range `first` (even) to `last` (odd, above first), both inclusive. bucket_worker[TL_PORT_BUCKETS]
// has who owns each bucket, below TL_WORKERS_MAX; it is copied. Returns 0, -EINVAL for another range,
// -ENOMEM.
int portalloc_init(struct portalloc *a, uint16_t first, uint16_t last, const uint8_t *bucket_worker);

// Safe on a zeroed object.
void portalloc_fini(struct portalloc *a);

// Bytes of its lists.
size_t portalloc_bytes(const struct portalloc *a);

// Takes the longest-free pair of the bucket. Returns its RTP port, or 0: none free.
uint16_t portalloc_take(struct portalloc *a, unsigned bucket);

// Takes this very RTP port. Returns 0, -EADDRINUSE when it is taken, odd or outside the range.
int portalloc_take_port(struct portalloc *a, uint16_t port);

// Gives back a port that one of the two above handed out.
void portalloc_put(struct portalloc *a, uint16_t port);
