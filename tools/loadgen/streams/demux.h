// SPDX-License-Identifier: BSD-3-Clause
// Finds a stream by its two addresses. Pure.
#pragma once

#include "tools/loadgen/streams/plan.h"

struct demux_slot;

struct demux {
    struct demux_slot *slot;
    uint32_t mask;
};

// Room for `count` pairs. 0 or -ENOMEM.
int demux_init(struct demux *d, uint32_t count);
void demux_fini(struct demux *d);

// Notes that the pair belongs to `value` (below UINT32_MAX). 0 or -EEXIST: it already has one. No more than
// `count` may be put.
int demux_put(struct demux *d, const struct endpoint *local, const struct endpoint *remote, uint32_t value);

// The value of the pair, or UINT32_MAX.
uint32_t demux_get(const struct demux *d, const struct endpoint *local, const struct endpoint *remote);

// Changes the value of a pair that has one.
void demux_set(struct demux *d, const struct endpoint *local, const struct endpoint *remote, uint32_t value);
