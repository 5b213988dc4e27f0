// SPDX-License-Identifier: BSD-3-Clause
// Generations of the configuration. A reload makes a new one, which is the current one from then on; a call keeps the one that it
// began with and reads its settings there to its end. What trunks have learnt (trunk.h) belongs to none of them: it is
// found by name, lives on as long as one generation has the trunk, and is freed with the last one.
//
// A generation is held by the table while it is the current one, by each call that began with it, and by whatever else may
// come back to it later. Trunks, listeners and realms are numbered within a generation: an index means nothing in another one.
// Pure; one thread.
#pragma once

#include <stdint.h>

#include "control/trunk/route.h"
#include "control/trunk/sources.h"
#include "control/trunk/trunk.h"

struct trunk_table;

struct generation {
    const struct tl_config *config;
    struct trunk **trunks; // state of config->trunks[i]
    uint64_t number;       // from 1
    struct route_index *routes;
    // generation.c
    struct group_turn *turns; // of each route group
    struct trunk_sources sources;
    struct tl_config *owned;
    struct trunk_table *table;
    unsigned holders;
};

struct trunk_table {
    struct generation *now; // the current one
    void *by_name;          // every struct trunk that a generation has; <search.h>
    struct trunk_shares shares;
    uint32_t numbers; // that trunks have been given
    struct names *names;
};

// Makes the first generation and the state of its trunks: all count as up until OPTIONS says else. `config` must outlive the
// table. 0, or -ENOMEM; fini is safe on a zeroed table, and comes when nobody holds a generation any more.
int trunk_table_init(struct trunk_table *table, const struct tl_config *config, uint64_t now_ms);
void trunk_table_fini(struct trunk_table *table);

// Makes `config` the current generation and takes it over: tl_config_free() ends it with its last holder. Its listeners are
// those of the generation before. 0; -ENOMEM: nothing has changed, and `config` is still the caller's.
int trunk_table_reload(struct trunk_table *table, struct tl_config *config, uint64_t now_ms);

// One more holder; returns its argument.
struct generation *generation_hold(struct generation *generation);
// One holder less; with the last one it ends, and so do trunks that no other generation has. NULL is ignored.
void generation_drop(struct generation *generation);

// Looks up what the peers' names of all trunks stand for now, after answers and when names_due() says so. Tells of each trunk
// that has other targets or sources than before, and of each that has a name whose state is another one.
void trunk_table_resolve(struct trunk_table *table, uint64_t now_ms,
                         void (*tell)(void *arg, struct trunk *trunk, bool moved,
                                      const enum name_state before[static TL_PEERS_MAX]),
                         void *arg);

// The trunk of that name, of the current generation or one that is still held; NULL: none.
struct trunk *trunk_named(const struct trunk_table *table, const char *name);

// Gives a trunk the health that its section "trunk" says, which is that of another process: the trunk of that name in the current
// generation, and only one with keep-alive, which would be down for ever without. 0; -ENOENT: there is none; -EINVAL: another
// version, or something in it is missing or cannot be. After an error no trunk has changed.
int trunk_load(const struct trunk_table *table, const struct record *in, uint64_t now_ms);

// Tells `fn` of each trunk of the current generation in its order, then of those that only former ones have.
void trunk_each(const struct trunk_table *table, void (*fn)(void *arg, const struct trunk *trunk), void *arg);

// The trunk of the current generation whose peer sent a request to `listener` (index) from `source`, or NULL: nobody we know,
// refuse it. The address has to be one of the peer's; of several networks around it the smallest counts, and before all who
// talks to that listener comes before who may have changed to its transport. The port decides only between trunks that share the address: over UDP the
// source's, then, on any transport, `sent_by_port`, the port in the request's topmost Via (0: none, which
// means the transport's default). If neither names one of several trunks it is NULL, too.
// Where the transport has shown who the peer is, `vouches` says which trunks it can be, by their numbers; NULL: any.
typedef bool trunk_vouches_fn(void *arg, uint32_t number);
struct trunk *trunk_identify(const struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                             uint16_t sent_by_port, trunk_vouches_fn *vouches, void *arg);

// The trunks whose peer a connection to `listener` from `source` may be, by the address alone: their numbers to `out`,
// `max` at most. Returns how many.
uint32_t trunk_candidates(const struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                          uint32_t *out, uint32_t max);

// Whether the trunk of that number has a peer with the address, whatever the port, at `listener`.
bool trunk_has(const struct trunk_table *table, uint32_t number, uint32_t listener,
               const struct tl_addr *source);

// The same of a generation that may be a former one.
bool generation_has(const struct generation *g, uint32_t number, uint32_t listener,
                    const struct tl_addr *source);

// Whether the address, whatever the port, is that of a trunk's peer on any listener of the current generation.
bool trunk_is_peer(const struct trunk_table *table, const struct tl_addr *source);

// A trunk to try for a call.
struct trunk_choice {
    uint32_t trunk; // index
    bool last;      // it is down, fails calls or rests: who is tried before it has all the time there is
};

// What becomes of a trunk of the route that a call takes.
enum trunk_verdict {
    TRUNK_TRIED,
    TRUNK_CLOSED,       // from a peer to a peer, or back, and the route does not say that it may
    TRUNK_UNREGISTERED, // it is to be used only while registered, and is not
    TRUNK_LEFT_ALONE,   // it has asked to rest
    TRUNK_CLEAR,        // the call is sips:, and it has no target over TLS
};

struct trunk_ask {
    uint32_t from; // index of the trunk that the call came by
    enum trunk_need need;
    bool anyhow; // an emergency call: trunks that rest come last, they are not left out
    bool dry;    // only asked: nobody's turn in a route group is used up
    uint64_t now_ms;
    // Is told of each trunk of the route: those to try in their order, then the others; NULL: nobody.
    void (*tell)(void *arg, uint32_t trunk, enum trunk_verdict verdict);
    void *arg;
};

// Trunks to try for a call, in order: those of the route that are open to it, as its group has turns, then by their rank. One
// that rests is left out, unless `anyhow`; one that is to be registered and is not is left out always. `route` is one of the generation's. Writes them to `out` and returns how many; where
// that is 0, *rest_ms says for how long the first of those that rest does; it is UINT64_MAX where none rests.
unsigned trunk_plan(const struct generation *generation, const struct tl_route_config *route,
                    const struct trunk_ask *ask, struct trunk_choice out[TL_ROUTE_TRUNKS_MAX],
                    uint64_t *rest_ms);

// When the next OPTIONS of all trunks of the current generation is due; TRUNK_NEVER if none is.
uint64_t trunk_table_due(const struct trunk_table *table);

// A trunk of it that has a target whose OPTIONS is due at now_ms (trunk_target_due()), or NULL. Call it until NULL, with
// trunk_options_sent() after each.
struct trunk *trunk_due(const struct trunk_table *table, uint64_t now_ms);
