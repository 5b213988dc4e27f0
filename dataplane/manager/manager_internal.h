// SPDX-License-Identifier: BSD-3-Clause
// The manager's parts among themselves: manager.c (life and turns), manager_command.c (what control asks),
// manager_ports.c (where a session goes), manager_done.c (what comes back from workers), manager_memory.c,
// silence.c.
#pragma once

#include "common/server.h"
#include "dataplane/manager/manager.h"
#include "dataplane/manager/portalloc.h"
#include "dataplane/manager/roster.h"
#include "dataplane/net/eal.h"
#include "dataplane/path/worker.h"
#include "dataplane/session/terms.h"

struct flush;
struct memory_sum;

// A command that a worker has a part in, until it is answered.
struct op {
    struct task task; // the first, so that what comes back is the op
    struct tl_origin origin;
    uint64_t id;
    struct roster_entry *entry;
    struct flush *flush;       // that it is a part of, or NULL
    struct leg_rx *retired[2]; // by leg: windows of a key that the MODIFY made forgotten, freed behind it
    uint16_t command;          // enum tl_op
    struct op *next;           // free ones
};

static_assert(offsetof(struct op, task) == 0, "a task is the op it belongs to");

enum {
    MANAGER_FLUSHES = 2 * TL_LOOPS_MAX, // at a time: one for each loop of a control and its successor
    MANAGER_LOOKS = 512,                // live sessions that LIST or FLUSH looks at before others have a turn
    SILENCE_AT_ONCE = 128,              // and that silence_scan() does
    MANAGER_BUSY_WAIT_NS = 50000, // first sleep for a worker that has a task, then twice as long each time
};

// FLUSH of one control loop: its sessions end a few at a time.
struct flush {
    bool active;
    struct tl_origin origin;
    uint64_t id;
    uint64_t born;    // sessions after it are not meant
    uint32_t modulus; // loops that share the sessions
    uint32_t slot;    // next to look at
    uint32_t waiting; // sessions on their way back
    uint32_t count;   // ended
};

struct manager {
    struct manager_config config;
    struct tl_live_table live;
    struct neigh *neigh;
    struct engine engine;
    struct srtp_ctx *srtp;
    struct tl_server *server;
    struct roster roster;
    struct portalloc ports[TL_REALMS_MAX];
    struct leg_place place[TL_REALMS_MAX]; // port and realm; local_port 0
    struct portmap *map[TL_REALMS_MAX];
    struct slab slab[EAL_NODES_MAX];     // by NUMA node
    uint8_t worker_node[TL_WORKERS_MAX]; // whose slab a worker's objects come from
    struct op *ops;                      // all of them, and those that are free
    struct op *free_op;
    unsigned out[TL_WORKERS_MAX]; // tasks that a worker has
    unsigned out_all;
    unsigned out_waited; // those whose answer somebody waits for: no ends of sessions
    uint64_t busy_ns;    // how long to sleep next while there are some
    bool looked;         // at the server, since the last turn
    unsigned bucket;     // where the search for ports begins
    struct flush flush[MANAGER_FLUSHES];
    bool link_up[TL_PORTS_MAX];
    uint64_t now_ns; // of this turn
    uint64_t link_due_ns;
    uint64_t silence_due_ns;
    uint32_t silence_slot;  // next to look at
    uint64_t program_bytes; // of the process before the manager was made, packet buffers apart
    uint64_t memory_due_ns;
    char *why; // while the server opens: where its sentence goes
    int wake_fd;
    _Atomic bool stop;
};

// Can every worker take another `reserve` tasks and one more? No command is taken before.
bool manager_has_room(const struct manager *m, unsigned reserve);

// An op for the task, filled in but for what the task needs. There is room (manager_has_room). The op is the
// worker's from manager_post() until manager_done() sees it.
struct op *manager_op(struct manager *m, struct roster_entry *entry, enum task_kind kind, uint16_t command,
                      struct tl_origin origin, uint64_t id);
void manager_post(struct manager *m, struct op *op);

// Ends a session: nothing finds it any more, and the worker takes it out. `flush` as in struct op.
void manager_unlink(struct manager *m, struct roster_entry *entry, struct flush *flush,
                    struct tl_origin origin, uint64_t id);

// Carries out one command and wipes it.
void manager_command(struct manager *m, struct tl_command *command, struct tl_origin origin);

// Goes on with each FLUSH as far as there is room, and answers those that are done.
void manager_flush(struct manager *m);

// Takes what workers handed back and answers the commands.
void manager_done(struct manager *m);

// The memory near a worker.
static inline struct slab *manager_slab(struct manager *m, unsigned worker)
{
    return &m->slab[m->worker_node[worker]];
}

// What terms of a worker's sessions are made of.
static inline struct terms_maker manager_maker(struct manager *m, unsigned worker)
{
    return (struct terms_maker){manager_slab(m, worker), m->srtp, m->neigh};
}

// Takes ports for both legs on one worker, which is the session's from then on, those that control asks for or
// free ones. On failure what was taken stays in `entry` for manager_free_entry(). 0; -EADDRINUSE: a port that
// was asked for is not to be had, or the two are not of one worker; -ENOSPC.
int manager_take_ports(struct manager *m, struct roster_entry *entry, const struct tl_leg leg[2]);

// Frees the terms that a MODIFY made, or those that they took the place of, where there are any, but for the
// windows of a key that is remembered.
void manager_free_aside(struct manager *m, const struct roster_entry *entry, struct leg_parts parts[2]);

// The same for a MODIFY that is back, with the windows that it made forgotten.
void manager_free_swap(struct manager *m, struct op *op);

// Frees what a session holds, once no worker has it. Also used when an ADD fails half-way.
void manager_free_entry(struct manager *m, struct roster_entry *entry);

// What memory the dataplane takes. manager_memory_begin() looks at the process before anything of the
// manager's is made; manager_memory_publish() puts the sum into the live table's header once a second.
void manager_memory_begin(struct manager *m);
void manager_memory(const struct manager *m, struct memory_sum *out);
void manager_memory_publish(struct manager *m);

// Watches a leg as its new terms say.
void silence_watch(struct roster_leg *leg, const struct tl_leg *terms, uint64_t now_ns);

// Looks at some of the live sessions and raises events: SILENCE_AT_ONCE at most, a few microseconds' worth. A
// round of all takes 100 ms, or a millisecond for each SILENCE_AT_ONCE live sessions where that is longer.
// Returns nanoseconds until the next look is due.
uint64_t silence_scan(struct manager *m);
