// SPDX-License-Identifier: BSD-3-Clause
// packet path: what classification asks of each packet that came by a port, put together so that few tests
// answer it. Made at the port's first packet; nothing in it changes afterwards but the addresses met.
#pragma once

#include <stdint.h>

#include "dataplane/net/port.h"
#include "dataplane/session/portmap.h"

enum { ARRIVAL_ADDRESSES = 64 };

struct arrival {
    const struct port *port; // NULL: nothing came by it yet
    uint32_t plain;          // upper half of the rearm word of its mbufs of one segment; 0: of none
    uint32_t sums;           // flags of an mbuf that say of its checksums ...
    uint32_t good;           // ... this when there is nothing to look at; or never
    uint64_t mac;            // its own, in the low 6 bytes
    // The port's media addresses by arrival_place(); the first one where nothing has been put yet, so that
    // there is no empty place to ask for. Of two in one place the last one met has it.
    struct {
        uint32_t ip;
        struct portmap *map;
    } address[ARRIVAL_ADDRESSES];
};

// Addresses that follow each other, in the last byte or the one before, have places of their own. `ip` in
// network byte order.
static inline unsigned arrival_place(uint32_t ip)
{
    return ((ip >> 24) + (ip >> 16)) % ARRIVAL_ADDRESSES;
}
