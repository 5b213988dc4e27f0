// SPDX-License-Identifier: BSD-3-Clause
// What comes back from workers, and the answers to control. An object that is back is the manager's alone.
#include <string.h>

#include "dataplane/manager/manager_internal.h"

enum { AT_ONCE = 64 };

static struct tl_completion answer_to(const struct manager *m, const struct op *op)
{
    return (struct tl_completion){
        .id = op->id,
        .call_ref = op->entry->call_ref,
        .handle = {m->live.incarnation, roster_slot(&m->roster, op->entry), op->entry->generation},
        .op = op->command};
}

static void local_address(const struct manager *m, struct tl_addr *out, const struct roster_leg *leg)
{
    const struct port_realm *realm = m->place[leg->realm].realm;
    *out = (struct tl_addr){.family = TL_AF_INET, .port = leg->local_port};
    memcpy(out->ip, &realm->ip, sizeof realm->ip);
}

void manager_free_entry(struct manager *m, struct roster_entry *entry)
{
    struct session *s = &m->engine.sessions[roster_slot(&m->roster, entry)];
    struct terms_maker maker = manager_maker(m, entry->worker);
    for (unsigned i = 0; i < 2; i++) {
        struct leg_parts parts = session_parts(s, i);
        if (leg_keys_owns(entry->leg[i].keys, parts.rx)) // goes with the others
            parts.rx = NULL;
        leg_parts_free(&parts, &maker, m->now_ns);
        if (entry->leg[i].local_port)
            portalloc_put(&m->ports[entry->leg[i].realm], entry->leg[i].local_port);
    }
    explicit_bzero(s, sizeof *s);
    roster_put(&m->roster, entry, manager_slab(m, entry->worker));
}

static void done_unlink(struct manager *m, struct op *op)
{
    struct roster_entry *entry = op->entry;
    uint32_t slot = roster_slot(&m->roster, entry);
    if (op->flush) {
        op->flush->waiting--;
        op->flush->count++;
    } else {
        struct tl_completion c = answer_to(m, op);
        for (unsigned i = 0; i < 2; i++)
            tl_live_counters(&m->live.sessions[slot], i, &c.final[i]);
        tl_server_complete(m->server, op->origin, &c);
    }
    tl_live_release(&m->live, slot);
    manager_free_entry(m, entry);
}

void manager_free_swap(struct manager *m, struct op *op)
{
    struct slab *slab = manager_slab(m, op->entry->worker);
    manager_free_aside(m, op->entry, op->task.parts);
    for (unsigned i = 0; i < 2; i++)
        slab_put(slab, op->retired[i], sizeof *op->retired[i]);
}

static void done(struct manager *m, struct op *op)
{
    struct tl_completion c;
    switch (op->task.kind) {
    case TASK_LINK:
    case TASK_NONE:
        c = answer_to(m, op);
        for (unsigned i = 0; i < 2; i++)
            local_address(m, &c.add.local[i], &op->entry->leg[i]);
        tl_server_complete(m->server, op->origin, &c);
        break;
    case TASK_SWAP:
        manager_free_swap(m, op);
        c = answer_to(m, op);
        tl_server_complete(m->server, op->origin, &c);
        break;
    case TASK_UNLINK:
        done_unlink(m, op);
        break;
    }
}

void manager_done(struct manager *m)
{
    for (unsigned w = 0; m->out_all > 0 && w < m->engine.workers; w++) {
        struct task *t[AT_ONCE];
        unsigned n = rte_ring_sc_dequeue_burst(m->engine.worker[w]->done, (void **)t, AT_ONCE, NULL);
        for (unsigned i = 0; i < n; i++) {
            struct op *op = (struct op *)(void *)t[i];
            m->out_waited -= op->task.kind != TASK_UNLINK;
            done(m, op);
            op->next = m->free_op;
            m->free_op = op;
        }
        m->out[w] -= n;
        m->out_all -= n;
    }
}
