// SPDX-License-Identifier: BSD-3-Clause
// Memory of SIP messages: their SDP has SRTP keys, so it is wiped before it goes back to the heap.
#pragma once

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// Wipes the whole block and frees it. NULL is ignored.
static inline void wipe_free(void *block)
{
    if (block)
        explicit_bzero(block, malloc_usable_size(block));
    free(block);
}

// realloc() that leaves nothing behind where the block stood. NULL without memory; the block stays then.
static inline void *wipe_realloc(void *block, size_t size)
{
    size_t room = block ? malloc_usable_size(block) : 0;
    void *grown = malloc(size);
    if (grown && block)
        memcpy(grown, block, room < size ? room : size);
    if (grown)
        wipe_free(block);
    return grown;
}
