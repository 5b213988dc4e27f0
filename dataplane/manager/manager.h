// SPDX-License-Identifier: BSD-3-Clause
// The manager: the main lcore's part. It takes control's commands, checks them, allocates slots, ports, keys
// and header templates, and hands finished objects to the workers, who link them between two bursts and hand
// them back. It alone makes and frees what workers use; when a deleted session is back, nobody holds it.
#pragma once

#include <rte_mempool.h>

#include "common/config/config.h"
#include "dataplane/net/port.h"

struct manager;
struct worker;

enum { MANAGER_WHY_LEN = 256 };

struct manager_config {
    const struct tl_config *config;               // these three must outlive the manager
    const struct ports *ports;                    // opened
    struct rte_mempool *const *pools;             // by NUMA node; pool 0 exists
    void (*log)(void *arg, const char *sentence); // what operators should know
    void *arg;
};

// Makes live table, next hops, workers (not running yet) and the socket for control. Returns 0, or -errno
// with one sentence in why[MANAGER_WHY_LEN]. Main lcore.
int manager_init(struct manager **out, const struct manager_config *config, char *why);

// Ends everything that manager_init() made; keys are wiped. The workers' loops have ended. NULL is fine.
void manager_fini(struct manager *m);

// Worker number `i` (below worker_count), for rte_eal_remote_launch(worker_main, ...).
struct worker *manager_worker(struct manager *m, unsigned i);

// Serves until manager_stop(). Returns 0, or -errno when it cannot wait any more (then the log says why).
int manager_run(struct manager *m);

// Ends manager_run(). Async-signal-safe; any thread.
void manager_stop(struct manager *m);

// Says what memory the dataplane takes now, part by part, and what a direction costs. Main lcore.
void manager_describe_memory(const struct manager *m, void (*say)(const char *sentence));

// One turn without waiting: commands, what came back from workers, ARP, silence, heartbeat. Returns
// nanoseconds until the next is due. For manager_run() and for tests, which run workers in between.
uint64_t manager_turn(struct manager *m);
