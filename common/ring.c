// SPDX-License-Identifier: BSD-3-Clause
#include "common/ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(struct tl_ring_shared) == 128, "contract layout");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "counters are shared between processes");

static uint32_t stride_of(uint32_t message)
{
    return (message + 63u) & ~63u;
}

static unsigned char *slot_at(const struct tl_ring *ring, uint64_t counter)
{
    return ring->shared->slots + (size_t)(counter & ring->mask) * ring->stride;
}

size_t tl_ring_bytes(uint32_t slots, uint32_t message)
{
    return sizeof(struct tl_ring_shared) + (size_t)slots * stride_of(message);
}

void tl_ring_init(struct tl_ring *ring, void *shared, uint32_t slots, uint32_t message)
{
    assert(slots && (slots & (slots - 1)) == 0 && ((uintptr_t)shared & 63u) == 0);
    *ring = (struct tl_ring){
        .shared = shared,
        .size = slots,
        .mask = slots - 1,
        .message = message,
        .stride = stride_of(message),
    };
}

int tl_ring_room(struct tl_ring *ring)
{
    ring->peer = atomic_load_explicit(&ring->shared->released, memory_order_acquire);
    uint64_t used = ring->own - ring->peer;
    return used > ring->size ? -EPROTO : (int)(ring->size - used);
}

int tl_ring_waiting(struct tl_ring *ring)
{
    ring->peer = atomic_load_explicit(&ring->shared->published, memory_order_acquire);
    uint64_t waiting = ring->peer - ring->own;
    return waiting > ring->size ? -EPROTO : (int)waiting;
}

int tl_ring_push(struct tl_ring *ring, const void *message)
{
    // The peer's line is looked at only when what was last seen of it leaves no room.
    if (ring->own - ring->peer >= ring->size) {
        int room = tl_ring_room(ring);
        if (room <= 0)
            return room ? room : -EAGAIN;
    }
    memcpy(slot_at(ring, ring->own), message, ring->message);
    ring->own++;
    atomic_store_explicit(&ring->shared->published, ring->own, memory_order_release);
    return 0;
}

int tl_ring_pop(struct tl_ring *ring, void *message)
{
    if (ring->peer == ring->own) {
        int waiting = tl_ring_waiting(ring);
        if (waiting <= 0)
            return waiting ? waiting : -EAGAIN;
    }
    unsigned char *slot = slot_at(ring, ring->own);
    memcpy(message, slot, ring->message);
    explicit_bzero(slot, ring->message); // keys must not stay behind in shared memory
    ring->own++;
    atomic_store_explicit(&ring->shared->released, ring->own, memory_order_release);
    return 0;
}
