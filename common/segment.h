// SPDX-License-Identifier: BSD-3-Clause
// Sealed shared-memory segments: made by the dataplane, mapped by control. The seals keep either side from
// shrinking a segment under the other (SIGBUS) and, for read-only ones, from ever writing it.
#pragma once

#include <stddef.h>

enum tl_segment_kind {
    TL_SEGMENT_SHARED,    // both sides write: rings
    TL_SEGMENT_READ_ONLY, // only the maker's mapping, made before the seal, can write: the live table
};

struct tl_segment {
    void *base; // page-aligned, NULL when not mapped
    size_t size;
    int fd; // owned, close-on-exec; -1 when there is none
};

#define TL_SEGMENT_NONE ((struct tl_segment){.fd = -1})

// Makes a zeroed segment of `size` bytes, maps it writable with all pages present (no page fault later) and
// seals it. `name` shows in /proc/PID/maps. 0 or -errno (ENOMEM, EMFILE, ...), then *out is TL_SEGMENT_NONE.
// Any thread.
int tl_segment_create(struct tl_segment *out, const char *name, size_t size, enum tl_segment_kind kind);

// Maps a segment that another process made: writable for TL_SEGMENT_SHARED, else read-only. Checks that it
// is exactly `size` bytes (0: any size but none) and has the seals of its kind. Takes over `fd` on success
// only. 0; -EPROTO: size or seals wrong, or not a memfd; else -errno. Any thread.
int tl_segment_open(struct tl_segment *out, int fd, size_t size, enum tl_segment_kind kind);

// Unmaps and closes. Safe on TL_SEGMENT_NONE and when called again. Any thread.
void tl_segment_close(struct tl_segment *segment);
