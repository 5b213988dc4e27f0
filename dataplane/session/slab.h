// SPDX-License-Identifier: BSD-3-Clause
// Memory for what the manager makes by the hundred thousand: keys and the state of received
// streams; and for the terms of a MODIFY on their way.
// rte_malloc() spends 128 bytes beside each block; here a block costs its size, a multiple of a cache line.
//
// Each size is a class of its own, carved from chunks that double from 64 kB to 1 MB; a chunk stays with its
// class until slab_fini(). So a slab holds the most that was ever in use at a time, and less than one chunk
// of each class more.
//
// Free blocks are zero but for the link in their first word, and poisoned under ASan. Manager only; the
// blocks themselves belong to whom the manager gives them.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    SLAB_LINE = 64,       // sizes and alignment
    SLAB_SIZE_MAX = 2048, // the largest block
    SLAB_CLASSES = SLAB_SIZE_MAX / SLAB_LINE,
    SLAB_CHUNK_MIN = 1 << 16,
    SLAB_CHUNK_MAX = 1 << 20,
};

struct slab_chunk;

// Blocks of one size.
struct slab_class {
    void *free;          // chain of blocks that came back, the last one first
    uint8_t *next, *end; // of the newest chunk: what was never handed out
    uint32_t in_use;     // blocks
    uint64_t reserved;   // bytes of its chunks, their heads and DPDK's included
};

struct slab {
    struct slab_class class[SLAB_CLASSES]; // size / SLAB_LINE - 1
    struct slab_chunk *chunks;
    int node; // NUMA node that chunks are asked of first
};

struct slab_bytes {
    uint64_t in_use;   // blocks that are out
    uint64_t reserved; // all that was taken from DPDK's heap for them
};

// An empty slab whose memory comes from this NUMA node (or SOCKET_ID_ANY), from another where it has none
// left. Takes nothing yet.
void slab_init(struct slab *slab, int node);

// Gives all memory back; no block may be in use any more. Safe on a zeroed object.
void slab_fini(struct slab *slab);

// A zeroed block of `size` bytes (1..SLAB_SIZE_MAX), aligned to a cache line. NULL: no memory.
void *slab_get(struct slab *slab, size_t size);

// Wipes a block that slab_get() gave for this very size and takes it back. NULL is fine.
void slab_put(struct slab *slab, void *block, size_t size);

// What a block of `size` really takes.
static inline size_t slab_size(size_t size)
{
    return (size + SLAB_LINE - 1) / SLAB_LINE * SLAB_LINE;
}

// Bytes of the class that serves `size`, and of all.
struct slab_bytes slab_class_bytes(const struct slab *slab, size_t size);
struct slab_bytes slab_bytes(const struct slab *slab);
