// SPDX-License-Identifier: BSD-3-Clause
// Sealed shared-memory segments: made by the dataplane, mapped by control. The seals keep either side from
// shrinking a segment under the other (SIGBUS) and, for read-only ones, from ever writing it.
#pragma once

#include <stddef.h>

enum tl_segment_kind {
    TL_SEGMENT_SHARED,    // both sides write: rings
    TL_SEGMENT_READ_ONLY, // only the maker's mapping, made before the seal, can write: the live table
};

// A large segment lies in huge pages of 2 MB where there are enough: a table of 100,000 calls touched all
// over misses the TLB at every packet otherwise.
enum tl_segment_pages { TL_SEGMENT_SMALL_PAGES, TL_SEGMENT_HUGE_PAGES };
enum { TL_SEGMENT_HUGE_PAGE = 2 << 20, TL_SEGMENT_HUGE_FROM = 2 * TL_SEGMENT_HUGE_PAGE };

struct tl_segment {
    void *base; // page-aligned, NULL when not mapped
    size_t size;
    int fd; // owned, close-on-exec; -1 when there is none
};

#define TL_SEGMENT_NONE ((struct tl_segment){.fd = -1})

// What a segment for `size` bytes measures: more in huge pages, of which it takes whole ones. Any thread.
size_t tl_segment_size(size_t size, enum tl_segment_pages pages);

// Makes a zeroed segment of `size` bytes (or tl_segment_size() of it in huge pages), maps it writable with
// all pages present (no page fault later) and seals it. `name` shows in /proc/PID/maps. 0 or -errno (ENOMEM,
// EMFILE, ...), then *out is TL_SEGMENT_NONE. Any thread.
int tl_segment_create(struct tl_segment *out, const char *name, size_t size, enum tl_segment_kind kind,
                      enum tl_segment_pages pages);

// Maps a segment that another process made: writable for TL_SEGMENT_SHARED, else read-only. Checks that it
// is exactly `size` bytes (0: any size but none) and has the seals of its kind. Takes over `fd` on success
// only. 0; -EPROTO: size or seals wrong, or not a memfd; else -errno. Any thread.
int tl_segment_open(struct tl_segment *out, int fd, size_t size, enum tl_segment_kind kind);

// Unmaps and closes. Safe on TL_SEGMENT_NONE and when called again. Any thread.
void tl_segment_close(struct tl_segment *segment);
