// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/session/engine.h"

#include <errno.h>
#include <rte_malloc.h>
#include <string.h>

#include "dataplane/session/g711.h"

// The map that a realm's address already has on this port, through an earlier realm. NULL: none.
static struct portmap *shared_map(const struct engine *engine, const struct port *port, uint32_t number,
                                  const char **why)
{
    struct portmap *map = NULL;
    const struct port_realm *r = &port->realm[number];
    for (uint32_t i = 0; i < number; i++) {
        const struct port_realm *o = &port->realm[i];
        if (o->ip != r->ip)
            continue;
        map = engine->map[port->index][i];
        if (r->rtp_first <= o->rtp_last && o->rtp_first <= r->rtp_last)
            *why = "two realms have the same media address and share RTP ports";
    }
    return map;
}

// Zeroed and, without huge pages, there: a worker that looks up a port never waits for a page.
static struct portmap *new_map(void)
{
    struct portmap *map = rte_malloc("portmap", sizeof *map, RTE_CACHE_LINE_SIZE);
    if (map)
        memset(map, 0, sizeof *map);
    return map;
}

int engine_init(struct engine *engine, const struct tl_config *config, const struct ports *ports,
                const struct neigh_table *neigh, struct tl_live_table *live, const char **why)
{
    *why = NULL;
    g711_select();
    *engine = (struct engine){.config = config,
                              .ports = ports,
                              .neigh = neigh,
                              .live = live,
                              .session_count = live->session_count,
                              .workers = ports->workers};
    engine->sessions =
        rte_zmalloc("sessions", sizeof(struct session) * engine->session_count, RTE_CACHE_LINE_SIZE);
    if (!engine->sessions || engine->session_count > PORTMAP_SLOTS_MAX)
        goto no_memory;
    for (uint32_t p = 0; p < ports->count; p++)
        for (uint32_t i = 0; i < ports->port[p].realm_count; i++) {
            struct portmap *map = shared_map(engine, &ports->port[p], i, why);
            if (*why) {
                engine_fini(engine);
                return -EINVAL;
            }
            if (!map)
                map = new_map();
            if (!map)
                goto no_memory;
            engine->map[p][i] = map;
        }
    return 0;

no_memory:
    engine_fini(engine);
    return -ENOMEM;
}

void engine_fini(struct engine *engine)
{
    for (unsigned p = 0; p < TL_PORTS_MAX; p++)
        for (unsigned i = 0; i < TL_REALMS_MAX; i++) {
            struct portmap *map = engine->map[p][i];
            for (unsigned j = i; map && j < TL_REALMS_MAX; j++)
                if (engine->map[p][j] == map)
                    engine->map[p][j] = NULL;
            rte_free(map);
        }
    rte_free(engine->sessions);
    memset(engine, 0, sizeof *engine);
}
