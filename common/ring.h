// SPDX-License-Identifier: BSD-3-Clause
// One end of a single-producer, single-consumer ring of fixed slots in memory shared with another process.
//
// Shared are the two counters (a cache line each) and the slots, nothing else. Size, mask and one's own
// counter are private, so the other side can spoil messages but not lead us out of the ring. Counters are 64
// bits wide and count messages since the ring was made.
//
// A producer that dies at any instruction leaves every message it published whole and no other visible: the
// counter is stored last. Rings are never taken over by a successor; each handshake makes new ones.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// What lies in shared memory. Zeroed memory is an empty ring.
struct tl_ring_shared {
    alignas(64) _Atomic uint64_t published; // producer: wo, consumer: ro
    alignas(64) _Atomic uint64_t released;  // consumer: wo, producer: ro
    alignas(64) unsigned char slots[];
};

// One end. The same struct serves both ends; an end calls only push or only pop, from one thread at a time.
struct tl_ring {
    struct tl_ring_shared *shared;
    uint64_t own;  // producer: published, consumer: released
    uint64_t peer; // the other side's counter as last seen
    uint32_t size; // slots
    uint32_t mask;
    uint32_t message; // bytes of a message
    uint32_t stride;  // bytes from slot to slot
};

// Bytes of shared memory for `slots` (a power of two) messages of `message` bytes, a multiple of 64. Any
// thread.
size_t tl_ring_bytes(uint32_t slots, uint32_t message);

// Sets up one end over `shared`, 64-byte aligned zeroed memory of tl_ring_bytes() which the caller owns and
// which must outlive the ring. `slots` is a power of two.
void tl_ring_init(struct tl_ring *ring, void *shared, uint32_t slots, uint32_t message);

// Producer: copies one message in and publishes it. 0; -EAGAIN: full; -EPROTO: the consumer claims to have
// released what was never published (the caller closes the connection). Never blocks.
int tl_ring_push(struct tl_ring *ring, const void *message);

// Consumer: copies the oldest message out, wipes its slot, then releases it. 0; -EAGAIN: empty; -EPROTO: the
// producer claims more messages than there are slots (the caller closes the connection). Never blocks.
int tl_ring_pop(struct tl_ring *ring, void *message);

// Producer: free slots, or -EPROTO as tl_ring_push().
int tl_ring_room(struct tl_ring *ring);

// Consumer: messages that wait, or -EPROTO as tl_ring_pop().
int tl_ring_waiting(struct tl_ring *ring);
