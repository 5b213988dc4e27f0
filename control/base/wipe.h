// SPDX-License-Identifier: BSD-3-Clause
// Memory of SIP messages: their SDP has SRTP keys, so it is wiped before it goes back to the heap. A block
// carries its own size: what malloc() rounds it up to is not ours to write (_FORTIFY_SOURCE=3 aborts there).
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// In front of each block: its size in bytes, in as much room as keeps what follows aligned for anything.
struct wipe_head {
    size_t size;
    max_align_t block[];
};

static inline struct wipe_head *wipe_head(const void *block)
{
    return (struct wipe_head *)((uintptr_t)block - offsetof(struct wipe_head, block));
}

// malloc() of a block for wipe_free(). NULL without memory.
static inline void *wipe_alloc(size_t size)
{
    struct wipe_head *head = size <= SIZE_MAX - sizeof *head ? malloc(sizeof *head + size) : NULL;
    if (!head)
        return NULL;
    head->size = size;
    return head->block;
}

// Wipes a block of wipe_alloc() or wipe_realloc() and frees it. NULL is ignored.
static inline void wipe_free(void *block)
{
    if (!block)
        return;
    explicit_bzero(block, wipe_head(block)->size);
    free(wipe_head(block));
}

// realloc() that leaves nothing behind where the block stood. NULL without memory; the block stays then.
static inline void *wipe_realloc(void *block, size_t size)
{
    size_t room = block ? wipe_head(block)->size : 0;
    void *grown = wipe_alloc(size);
    if (grown && block) {
        memcpy(grown, block, room < size ? room : size);
        wipe_free(block);
    }
    return grown;
}
