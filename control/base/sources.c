// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/siphash.h"

enum {
    QUIET_MS = 10000, // after so long without a strike all are forgotten
    PREFIX_6 = 8,     // octets of an IPv6 address that a host cannot choose
};

int sources_init(struct sources *table, uint32_t places, const uint8_t key[static 16])
{
    table->sets = 1;
    while (table->sets * SOURCES_WAYS < places)
        table->sets *= 2;
    table->places = calloc((size_t)table->sets * SOURCES_WAYS, sizeof *table->places);
    memcpy(table->key, key, sizeof table->key);
    return table->places ? 0 : -ENOMEM;
}

void sources_fini(struct sources *table)
{
    free(table->places);
    *table = (struct sources){0};
}

struct tl_addr source_host(const struct tl_addr *addr)
{
    struct tl_addr host = {.family = addr->family};
    memcpy(host.ip, addr->ip, addr->family == TL_AF_INET ? 4 : PREFIX_6);
    return host;
}

const char *source_text(const struct source *source, char out[static SOURCE_TEXT])
{
    char ip[TL_ADDR_TEXT];
    snprintf(out, SOURCE_TEXT, "%.*s%s", TL_ADDR_TEXT, tl_addr_print_ip(&source->addr, ip),
             source->addr.family == TL_AF_INET6 ? "/64" : "");
    return out;
}

bool source_read(const char *text, struct tl_addr *out)
{
    size_t len = strlen(text);
    bool network = len > 3 && strcmp(text + len - 3, "/64") == 0;
    return tl_addr_read_ip(text, len - (network ? 3 : 0), out) && (!network || out->family == TL_AF_INET6);
}

static struct source *set_of(const struct sources *table, const struct tl_addr *host)
{
    struct siphash h;
    siphash_init(&h, table->key);
    siphash_update(&h, host, sizeof *host);
    return &table->places[(siphash_final(&h).a & (table->sets - 1)) * SOURCES_WAYS];
}

static struct source *find(struct source *set, const struct tl_addr *host)
{
    for (unsigned i = 0; i < SOURCES_WAYS; i++)
        if (tl_addr_is_set(&set[i].addr) && tl_addr_same_host(&set[i].addr, host))
            return &set[i];
    return NULL;
}

struct source *sources_find(const struct sources *table, const struct tl_addr *addr)
{
    struct tl_addr host = source_host(addr);
    return find(set_of(table, &host), &host);
}

struct source *sources_get(struct sources *table, const struct tl_addr *addr, uint64_t now_ms)
{
    struct tl_addr host = source_host(addr);
    struct source *set = set_of(table, &host), *place = find(set, &host);
    if (place) {
        place->seen_ms = now_ms;
        return place;
    }
    for (unsigned i = 0; i < SOURCES_WAYS; i++)
        if (!source_is_banned(&set[i], now_ms) &&
            (!place || !tl_addr_is_set(&set[i].addr) ||
             (tl_addr_is_set(&place->addr) && set[i].seen_ms < place->seen_ms)))
            place = &set[i];
    if (place)
        *place = (struct source){.addr = host, .seen_ms = now_ms};
    return place;
}

bool source_strike(struct source *source, uint32_t most, uint64_t ban_ms, uint64_t now_ms)
{
    // `banned_ms` in the past is the time of the last strike
    if (now_ms - source->banned_ms > QUIET_MS)
        source->strikes = 0;
    source->banned_ms = now_ms;
    if (++source->strikes < most || !ban_ms)
        return false;
    source->strikes = 0;
    source->dropped = 0;
    source->banned_ms = now_ms + ban_ms;
    return true;
}

void sources_banned(const struct sources *table, uint64_t now_ms,
                    void (*fn)(void *arg, const struct source *source), void *arg)
{
    for (size_t i = 0; i < (size_t)table->sets * SOURCES_WAYS; i++)
        if (source_is_banned(&table->places[i], now_ms))
            fn(arg, &table->places[i]);
}
