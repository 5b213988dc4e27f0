// SPDX-License-Identifier: BSD-3-Clause
// The places that connections have: which are free, and how many each host has taken. Nothing here costs more with more
// connections. Loop's thread.
#pragma once

#include "control/sip/key.h"

struct sip_places {
    uint32_t *free; // places, the next one last
    uint32_t left, count;
    struct sip_table hosts;
    uint8_t secret[16];
};

// How many connections a host has; of IPv6 a /64 is one host, as in the table of sources.
struct sip_place_holder {
    struct sip_node node;
    uint32_t count;
};

// 0 or -ENOMEM; fini is safe on a zeroed one.
int sip_places_init(struct sip_places *places, uint32_t count, const uint8_t secret[static 16]);
void sip_places_fini(struct sip_places *places);

// A free place, from 0 on. False: there is none.
bool sip_places_take(struct sip_places *places, uint32_t *slot);
void sip_places_give(struct sip_places *places, uint32_t slot);

// How many that host holds.
uint32_t sip_places_of(const struct sip_places *places, const struct tl_addr *host);

// One more or less of it. NULL without memory, which the second ignores.
struct sip_place_holder *sip_places_hold(struct sip_places *places, const struct tl_addr *host);
void sip_places_drop(struct sip_places *places, struct sip_place_holder *holder);
