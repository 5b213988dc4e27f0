// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/session/slab.h"

#include <assert.h>
#include <rte_common.h>
#include <rte_malloc.h>
#include <stdbool.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) // gcc
#    define SLAB_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define SLAB_ASAN 1
#    endif
#endif

#ifdef SLAB_ASAN
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#    define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

static_assert(SLAB_LINE == RTE_CACHE_LINE_SIZE, "a block shares no cache line");

enum { HEAP_HEAD = 128 }; // that DPDK's heap puts before each piece

// Head of a chunk; blocks follow from the next cache line on.
struct slab_chunk {
    struct slab_chunk *next;
    size_t size; // with this head
};

static struct slab_class *class_of(const struct slab *slab, size_t size)
{
    assert(size > 0 && size <= SLAB_SIZE_MAX);
    return (struct slab_class *)(uintptr_t)&slab->class[(size - 1) / SLAB_LINE];
}

static size_t block_size(const struct slab *slab, const struct slab_class *c)
{
    return (size_t)(c - slab->class + 1) * SLAB_LINE;
}

void slab_init(struct slab *slab, int node)
{
    memset(slab, 0, sizeof *slab);
    slab->node = node;
}

void slab_fini(struct slab *slab)
{
    for (struct slab_chunk *c = slab->chunks, *next; c; c = next) {
        next = c->next;
        ASAN_UNPOISON_MEMORY_REGION(c, c->size);
        rte_free(c);
    }
    memset(slab, 0, sizeof *slab);
}

// Memory of `size` with DPDK's own head in it, so that two of the largest fill a huge page of 2 MB.
static struct slab_chunk *new_chunk(const struct slab *slab, size_t size)
{
    struct slab_chunk *chunk = rte_zmalloc_socket("slab", size - HEAP_HEAD, SLAB_LINE, slab->node);
    if (!chunk && slab->node != SOCKET_ID_ANY)
        chunk = rte_zmalloc_socket("slab", size - HEAP_HEAD, SLAB_LINE, SOCKET_ID_ANY);
    if (chunk)
        chunk->size = size - HEAP_HEAD;
    return chunk;
}

// As large as all that the class has, within bounds; smaller where the heap is nearly full.
static bool grow(struct slab *slab, struct slab_class *c)
{
    size_t size = RTE_MIN(RTE_MAX(c->reserved, (uint64_t)SLAB_CHUNK_MIN), (uint64_t)SLAB_CHUNK_MAX);
    struct slab_chunk *chunk = new_chunk(slab, size);
    while (!chunk && size > SLAB_CHUNK_MIN)
        chunk = new_chunk(slab, size /= 2);
    if (!chunk)
        return false;
    chunk->next = slab->chunks;
    slab->chunks = chunk;
    c->next = (uint8_t *)chunk + SLAB_LINE;
    c->end = (uint8_t *)chunk + chunk->size;
    c->reserved += size;
    ASAN_POISON_MEMORY_REGION(c->next, (size_t)(c->end - c->next));
    return true;
}

void *slab_get(struct slab *slab, size_t size)
{
    struct slab_class *c = class_of(slab, size);
    size_t step = block_size(slab, c);
    uint8_t *block = c->free;
    if (block) {
        ASAN_UNPOISON_MEMORY_REGION(block, step);
        memcpy(&c->free, block, sizeof c->free);
        memset(block, 0, sizeof c->free);
    } else {
        if ((size_t)(c->end - c->next) < step && !grow(slab, c))
            return NULL;
        block = c->next;
        c->next += step;
        ASAN_UNPOISON_MEMORY_REGION(block, step);
    }
    c->in_use++;
    return block;
}

void slab_put(struct slab *slab, void *block, size_t size)
{
    if (!block)
        return;
    struct slab_class *c = class_of(slab, size);
    size_t step = block_size(slab, c);
    assert(c->in_use > 0);
    explicit_bzero(block, step);
    memcpy(block, &c->free, sizeof c->free);
    ASAN_POISON_MEMORY_REGION(block, step);
    c->free = block;
    c->in_use--;
}

static struct slab_bytes bytes_of(const struct slab *slab, const struct slab_class *c)
{
    return (struct slab_bytes){(uint64_t)c->in_use * block_size(slab, c), c->reserved};
}

struct slab_bytes slab_class_bytes(const struct slab *slab, size_t size)
{
    return bytes_of(slab, class_of(slab, size));
}

struct slab_bytes slab_bytes(const struct slab *slab)
{
    struct slab_bytes sum = {0, 0};
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        struct slab_bytes b = bytes_of(slab, &slab->class[i]);
        sum.in_use += b.in_use;
        sum.reserved += b.reserved;
    }
    return sum;
}
