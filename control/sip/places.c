// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/sources.h"

int sip_places_init(struct sip_places *places, uint32_t count, const uint8_t secret[static 16])
{
    memset(places, 0, sizeof *places);
    memcpy(places->secret, secret, sizeof places->secret);
    places->free = calloc(count ? count : 1, sizeof *places->free);
    if (!places->free || sip_table_init(&places->hosts, count) != 0) {
        sip_places_fini(places);
        return -ENOMEM;
    }
    places->count = count;
    while (places->left < count) {
        places->free[places->left] = count - 1 - places->left;
        places->left++;
    }
    return 0;
}

void sip_places_fini(struct sip_places *places)
{
    free(places->free);
    sip_table_fini(&places->hosts);
    memset(places, 0, sizeof *places);
}

bool sip_places_take(struct sip_places *places, uint32_t *slot)
{
    if (!places->left)
        return false;
    *slot = places->free[--places->left];
    return true;
}

void sip_places_give(struct sip_places *places, uint32_t slot)
{
    places->free[places->left++] = slot;
}

static struct siphash_value key_of(const struct sip_places *places, const struct tl_addr *addr)
{
    struct tl_addr host = source_host(addr);
    struct siphash h;
    siphash_init(&h, places->secret);
    siphash_update(&h, &host, sizeof host);
    return siphash_final(&h);
}

static struct sip_place_holder *find(const struct sip_places *places, struct siphash_value key)
{
    struct sip_node *node = sip_table_find(&places->hosts, key);
    return node ? (struct sip_place_holder *)((char *)node - offsetof(struct sip_place_holder, node)) : NULL;
}

uint32_t sip_places_of(const struct sip_places *places, const struct tl_addr *host)
{
    const struct sip_place_holder *holder = find(places, key_of(places, host));
    return holder ? holder->count : 0;
}

struct sip_place_holder *sip_places_hold(struct sip_places *places, const struct tl_addr *host)
{
    struct siphash_value key = key_of(places, host);
    struct sip_place_holder *holder = find(places, key);
    if (!holder) {
        holder = calloc(1, sizeof *holder);
        if (!holder)
            return NULL;
        sip_table_add(&places->hosts, &holder->node, key);
    }
    holder->count++;
    return holder;
}

void sip_places_drop(struct sip_places *places, struct sip_place_holder *holder)
{
    if (!holder || --holder->count)
        return;
    sip_table_remove(&places->hosts, &holder->node);
    free(holder);
}
