// SPDX-License-Identifier: BSD-3-Clause
// packet path: what all workers and the manager share. Made by the manager before the workers start; pointers
// and tables are read-only from then on, what they point to says who writes it.
#pragma once

#include "common/config/config.h"
#include "common/live.h"
#include "dataplane/net/neigh.h"
#include "dataplane/net/port.h"
#include "dataplane/session/portmap.h"
#include "dataplane/session/session.h"

struct worker;

struct engine {
    const struct tl_config *config;
    const struct ports *ports;
    const struct neigh_table *neigh;
    struct tl_live_table *live;
    struct session *sessions; // by slot
    uint32_t session_count;
    unsigned workers;
    struct worker *worker[TL_WORKERS_MAX];
    // By port and number in its realm[]; realms with one address share a map. NULL where there is none.
    struct portmap *map[TL_PORTS_MAX][TL_REALMS_MAX];
};

// Chooses the code for this CPU and allocates sessions and port maps for `config`, whose ports are `ports`;
// both must outlive the engine, as must `neigh` and `live`. Returns 0; -ENOMEM; -EINVAL with *why set to a
// sentence when realms with one address share ports. On failure engine_fini() need not be called. Main lcore,
// before the workers are made.
int engine_init(struct engine *engine, const struct tl_config *config, const struct ports *ports,
                const struct neigh_table *neigh, struct tl_live_table *live, const char **why);

// Frees what engine_init() made; safe on a zeroed object. Main lcore, after the workers.
void engine_fini(struct engine *engine);

// Map of the media address, or NULL when it is not ours on this port. `ip` in network byte order. Worker.
static inline struct portmap *engine_find_map(const struct engine *engine, const struct port *port,
                                              uint32_t ip)
{
    for (uint32_t i = 0; i < port->realm_count; i++)
        if (port->realm[i].ip == ip)
            return engine->map[port->index][i];
    return NULL;
}
