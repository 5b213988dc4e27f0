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
enum { WIPE_HEAD = _Alignof(max_align_t) };
static_assert(WIPE_HEAD >= sizeof(size_t), "the head holds a size");

static inline size_t wipe_size(const void *block)
{
    size_t size;
    memcpy(&size, (const char *)block - WIPE_HEAD, sizeof size);
    return size;
}

// malloc() of a block for wipe_free(). NULL without memory.
static inline void *wipe_alloc(size_t size)
{
    char *head = size <= SIZE_MAX - WIPE_HEAD ? malloc(WIPE_HEAD + size) : NULL;
    if (!head)
        return NULL;
    memcpy(head, &size, sizeof size);
    return head + WIPE_HEAD;
}

// Wipes a block of wipe_alloc() or wipe_realloc() and frees it. NULL is ignored.
static inline void wipe_free(void *block)
{
    if (!block)
        return;
    explicit_bzero(block, wipe_size(block));
    free((char *)block - WIPE_HEAD);
}

// realloc() that leaves nothing behind where the block stood. NULL without memory; the block stays then.
static inline void *wipe_realloc(void *block, size_t size)
{
    size_t room = block ? wipe_size(block) : 0;
    void *grown = wipe_alloc(size);
    if (grown && block) {
        memcpy(grown, block, room < size ? room : size);
        wipe_free(block);
    }
    return grown;
}
