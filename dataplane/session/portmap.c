// SPDX-License-Identifier: BSD-3-Clause
// packet path: setting and clearing the entries of a media port pair.
#include "dataplane/session/portmap.h"

static void set(struct portmap *map, uint16_t port, uint32_t entry)
{
    atomic_store_explicit(&map->entry[portmap_place(rte_cpu_to_be_16(port))], entry, memory_order_relaxed);
}

void portmap_set(struct portmap *map, uint16_t rtp_port, uint32_t slot, unsigned leg)
{
    set(map, rtp_port & 0xfffe, portmap_entry(slot, leg, false));
    set(map, rtp_port | 1, portmap_entry(slot, leg, true));
}

void portmap_clear(struct portmap *map, uint16_t rtp_port)
{
    set(map, rtp_port & 0xfffe, PORTMAP_NONE);
    set(map, rtp_port | 1, PORTMAP_NONE);
}
