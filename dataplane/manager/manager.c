// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/manager.h"

#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/manager/manager_internal.h"

enum {
    COMMANDS_AT_ONCE = 64,   // in one turn
    MOMENT_NS = 5000,        // that a worker mostly takes for a task: less than it costs to sleep
    QUIET_WAIT_NS = 1000000, // for ends of sessions, which nobody waits for
    IDLE_WAIT_NS = TL_LOOK_MS * 1000000,
    LINK_CHECK_NS = 500000000,
};

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- life --------------------------------------------------------------------------------------------

static int fail(char *why, int e, const char *what)
{
    snprintf(why, MANAGER_WHY_LEN, "%s: %s", what, strerror(-e));
    return e;
}

static int bind_realms(struct manager *m, char *why)
{
    const struct ports *ports = m->config.ports;
    for (uint32_t p = 0; p < ports->count; p++)
        for (uint32_t i = 0; i < ports->port[p].realm_count; i++) {
            const struct port_realm *r = &ports->port[p].realm[i];
            m->place[r->realm] = (struct leg_place){&ports->port[p], r, 0};
            m->map[r->realm] = m->engine.map[p][i];
            int e = portalloc_init(&m->ports[r->realm], r->rtp_first, r->rtp_last, ports->bucket_worker);
            if (e)
                return fail(why, e, "the ports of a realm");
        }
    return 0;
}

static int make_ops(struct manager *m)
{
    uint32_t count = WORKER_TASKS * m->engine.workers;
    m->ops = aligned_alloc(RTE_CACHE_LINE_SIZE, count * sizeof *m->ops);
    if (!m->ops)
        return -ENOMEM;
    memset(m->ops, 0, count * sizeof *m->ops);
    for (uint32_t i = 0; i < count; i++)
        m->ops[i].next = i + 1 < count ? &m->ops[i + 1] : NULL;
    m->free_op = m->ops;
    return 0;
}

static uint8_t node_of(unsigned worker)
{
    unsigned lcore = eal_worker_lcore(worker);
    unsigned node = rte_lcore_is_enabled(lcore) ? rte_lcore_to_socket_id(lcore) : 0;
    return node < EAL_NODES_MAX ? node : 0;
}

static int make_engine(struct manager *m, char *why)
{
    const struct manager_config *c = &m->config;
    const char *sentence = NULL;
    uint32_t sessions = c->config->dataplane.max_sessions;
    int e = tl_live_create(&m->live, c->ports->workers, sessions,
                           c->config->dataplane.huge_pages ? TL_SEGMENT_HUGE_PAGES : TL_SEGMENT_SMALL_PAGES);
    if (e)
        return fail(why, e, "the live table");
    for (unsigned i = 0; i < EAL_NODES_MAX; i++)
        slab_init(&m->slab[i], (int)i);
    m->neigh = neigh_create(c->ports, c->pools[0]);
    if (!m->neigh)
        return fail(why, -ENOMEM, "the table of next hops");
    e = engine_init(&m->engine, c->config, c->ports, neigh_table(m->neigh), &m->live, &sentence);
    if (e && sentence)
        snprintf(why, MANAGER_WHY_LEN, "%s", sentence);
    if (e)
        return sentence ? e : fail(why, e, "sessions and port maps; fewer max_sessions need less memory");
    for (unsigned w = 0; w < c->ports->workers; w++) {
        struct worker *worker;
        e = worker_init(&worker, &m->engine, m->neigh, w);
        if (e)
            return fail(why, e, "a worker");
        m->worker_node[w] = node_of(w);
    }
    e = srtp_ctx_new(SRTP_ENGINE_AUTO, &m->srtp);
    if (!e)
        e = roster_init(&m->roster, sessions);
    if (!e)
        e = make_ops(m);
    return e ? fail(why, e, "the manager") : bind_realms(m, why);
}

// The server says by the log what is wrong; this keeps it for `why`, too.
static void log_sentence(void *arg, const char *sentence)
{
    struct manager *m = arg;
    if (m->why)
        snprintf(m->why, MANAGER_WHY_LEN, "%s", sentence);
    else if (m->config.log)
        m->config.log(m->config.arg, sentence);
}

static int open_server(struct manager *m, char *why)
{
    struct tl_server_config c = {
        .path = m->config.config->dataplane.socket, .live = &m->live, .log = log_sentence, .arg = m};
    m->why = why;
    int e = tl_server_open(&m->server, &c);
    m->why = NULL;
    return e;
}

int manager_init(struct manager **out, const struct manager_config *config, char *why)
{
    struct manager *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return fail(why, -ENOMEM, "the manager");
    m->config = *config;
    m->live.segment = TL_SEGMENT_NONE;
    m->now_ns = clock_ns();
    manager_memory_begin(m);
    m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int e = m->wake_fd < 0 ? fail(why, -errno, "an eventfd") : make_engine(m, why);
    if (!e)
        e = open_server(m, why);
    if (!e && (e = tl_server_watch_other(m->server, m->wake_fd)) < 0)
        fail(why, e, "the manager's eventfd");
    if (e) {
        manager_fini(m);
        return e;
    }
    for (uint32_t p = 0; p < config->ports->count; p++) {
        m->link_up[p] = true;
        neigh_announce(m->neigh, &config->ports->port[p], m->now_ns);
    }
    *out = m;
    return 0;
}

// The workers have ended, and with them all that could hold a session. Tasks that they never saw are undone
// by looking at the sessions themselves; only the parts of a MODIFY are nowhere else. Of one that was never
// `run` and changes a key, the windows may also be those of a later one: they go with the slab.
static void drop_tasks(struct manager *m, struct rte_ring *ring, bool run)
{
    struct op *op;
    while (rte_ring_dequeue(ring, (void **)&op) == 0) {
        if (op->task.kind != TASK_SWAP)
            continue;
        for (unsigned i = 0; !run && i < 2; i++)
            if (op->task.parts[i].past)
                op->task.parts[i].rx = op->retired[i] = NULL;
        manager_free_swap(m, op);
    }
}

static void end_calls(struct manager *m)
{
    for (unsigned w = 0; w < m->engine.workers && m->engine.worker[w]; w++) {
        drop_tasks(m, m->engine.worker[w]->done, true);
        drop_tasks(m, m->engine.worker[w]->tasks, false);
    }
    for (uint32_t i = 0; i < m->roster.fresh; i++)
        if (m->roster.entry[i].state != ROSTER_FREE)
            manager_free_entry(m, &m->roster.entry[i]);
}

void manager_fini(struct manager *m)
{
    if (!m)
        return;
    tl_server_close(m->server);
    end_calls(m);
    for (unsigned w = 0; w < m->engine.workers; w++)
        worker_fini(m->engine.worker[w]);
    engine_fini(&m->engine);
    neigh_free(m->neigh);
    for (unsigned i = 0; i < TL_REALMS_MAX; i++)
        portalloc_fini(&m->ports[i]);
    roster_fini(&m->roster);
    for (unsigned i = 0; i < EAL_NODES_MAX; i++)
        slab_fini(&m->slab[i]);
    srtp_ctx_free(m->srtp);
    tl_live_destroy(&m->live);
    free(m->ops);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    free(m);
}

struct worker *manager_worker(struct manager *m, unsigned i)
{
    return m->engine.worker[i];
}

// ---- turns -------------------------------------------------------------------------------------------

static void take_commands(struct manager *m)
{
    struct tl_command command;
    struct tl_origin origin;
    if (!m->looked)
        tl_server_poll(m->server);
    m->looked = false;
    for (unsigned i = 0; i < COMMANDS_AT_ONCE && manager_has_room(m, 0); i++) {
        if (tl_server_next(m->server, &command, &origin))
            break;
        manager_command(m, &command, origin);
    }
}

// A switch forgets us while our link is down: when it is back, we say again where we are.
static void check_links(struct manager *m)
{
    if (m->now_ns < m->link_due_ns)
        return;
    m->link_due_ns = m->now_ns + LINK_CHECK_NS;
    for (uint32_t p = 0; p < m->config.ports->count; p++) {
        struct port_stats stats;
        if (port_stats_read(&m->config.ports->port[p], &stats))
            continue;
        if (stats.link_up && !m->link_up[p])
            neigh_announce(m->neigh, &m->config.ports->port[p], m->now_ns);
        m->link_up[p] = stats.link_up;
    }
}

// Workers that have a task whose answer somebody waits for get a moment to carry it out. Not one that may need our
// core for it.
static void wait_for_workers(struct manager *m)
{
    if (m->config.config->dataplane.poll != TL_POLL_BUSY)
        return;
    for (uint64_t until = clock_ns() + MOMENT_NS; m->out_waited > 0 && clock_ns() < until; manager_done(m))
        rte_pause();
}

// How long to sleep while workers have tasks: ends of sessions have time.
static uint64_t busy_wait(struct manager *m)
{
    if (m->out_waited == 0)
        return m->out_all > 0 ? QUIET_WAIT_NS : IDLE_WAIT_NS;
    uint64_t wait = m->busy_ns;
    m->busy_ns = RTE_MIN(wait * 2, (uint64_t)QUIET_WAIT_NS);
    return wait;
}

uint64_t manager_turn(struct manager *m)
{
    m->now_ns = clock_ns();
    manager_done(m);
    take_commands(m);
    manager_flush(m);
    wait_for_workers(m);
    check_links(m);
    uint64_t wait = neigh_manage(m->neigh, m->now_ns);
    wait = RTE_MIN(wait, silence_scan(m));
    manager_memory_publish(m);
    atomic_store_explicit(&m->live.header->manager_ns, m->now_ns, memory_order_relaxed);
    return RTE_MIN(wait, busy_wait(m));
}

// For a command that waits for room in a worker's ring its bell goes on ringing.
static int sleep_ns(struct manager *m, uint64_t ns)
{
    struct timespec t = {.tv_nsec = (long)ns};
    if (manager_has_room(m, 0))
        return tl_server_wait(m->server, ns);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
    return 0;
}

int manager_run(struct manager *m)
{
    while (!atomic_load_explicit(&m->stop, memory_order_acquire)) {
        int e = sleep_ns(m, manager_turn(m));
        if (e < 0) {
            char why[MANAGER_WHY_LEN];
            fail(why, e, "the manager cannot wait for its descriptors");
            log_sentence(m, why);
            return e;
        }
        m->looked = true;
    }
    return 0;
}

void manager_stop(struct manager *m)
{
    uint64_t one = 1;
    atomic_store_explicit(&m->stop, true, memory_order_release);
    if (write(m->wake_fd, &one, sizeof one) < 0)
        return; // full: it is awake
}
