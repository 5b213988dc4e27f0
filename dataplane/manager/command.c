// SPDX-License-Identifier: BSD-3-Clause
// What control asks. Everything in a command is checked before use: what can be judged from it alone by
// tl_command_check(), the rest here.
#include <errno.h>
#include <string.h>

#include "common/validate.h"
#include "dataplane/manager/manager_internal.h"

enum { FLUSH_RESERVE = WORKER_TASKS / 2 }; // tasks per worker that a FLUSH leaves for other commands

// ---- tasks -------------------------------------------------------------------------------------------

bool manager_has_room(const struct manager *m, unsigned reserve)
{
    for (unsigned w = 0; w < m->engine.workers; w++)
        if (m->out[w] + reserve + 1 >= WORKER_TASKS) // a ring holds one less than its slots
            return false;
    return true;
}

static struct session *session_of(struct manager *m, const struct roster_entry *entry)
{
    return &m->engine.sessions[roster_slot(&m->roster, entry)];
}

struct op *manager_op(struct manager *m, struct roster_entry *entry, enum task_kind kind, uint16_t command,
                      struct tl_origin origin, uint64_t id)
{
    struct op *op = m->free_op; // as many as the rings hold together
    m->free_op = op->next;
    *op = (struct op){.origin = origin, .id = id, .entry = entry, .command = command};
    op->task = (struct task){.kind = kind,
                             .slot = roster_slot(&m->roster, entry),
                             .port = {entry->leg[0].local_port, entry->leg[1].local_port}};
    for (unsigned i = 0; kind != TASK_SWAP && i < 2; i++)
        op->task.map[i] = m->map[entry->leg[i].realm];
    return op;
}

void manager_post(struct manager *m, struct op *op)
{
    unsigned w = op->entry->worker;
    rte_ring_sp_enqueue(m->engine.worker[w]->tasks, &op->task);
    m->out[w]++;
    m->out_all++;
    if (op->task.kind != TASK_UNLINK) {
        m->out_waited++;
        m->busy_ns = MANAGER_BUSY_WAIT_NS;
    }
}

void manager_unlink(struct manager *m, struct roster_entry *entry, struct flush *flush,
                    struct tl_origin origin, uint64_t id)
{
    roster_end(&m->roster, entry);
    struct op *op = manager_op(m, entry, TASK_UNLINK, flush ? TL_OP_FLUSH : TL_OP_DEL, origin, id);
    op->flush = flush;
    manager_post(m, op);
}

static void refuse(struct manager *m, const struct tl_command *c, struct tl_origin origin, int status,
                   uint16_t field)
{
    struct tl_completion answer = {.id = c->id,
                                   .call_ref = c->op == TL_OP_ADD ? c->call_ref : 0,
                                   .handle = c->handle,
                                   .op = c->op,
                                   .field = field,
                                   .status = status};
    tl_server_complete(m->server, origin, &answer);
}

// ---- ADD ---------------------------------------------------------------------------------------------

static int find_realm(const struct manager *m, const char *name)
{
    for (uint32_t i = 0; i < m->config.config->realm_count; i++)
        if (strncmp(m->config.config->realms[i].name, name, TL_NAME_MAX) == 0 && m->place[i].port)
            return (int)i;
    return -1;
}

static int make_parts(struct manager *m, struct roster_entry *entry, const struct tl_leg *leg, unsigned i,
                      struct leg_parts *out)
{
    struct terms_maker maker = manager_maker(m, entry->worker);
    struct leg_place place = m->place[entry->leg[i].realm];
    place.local_port = entry->leg[i].local_port;
    int e = leg_parts_make(out, leg, &place, &maker, m->now_ns);
    return e == -ENOMEM ? -ENOSPC : e;
}

// The keys of a leg's new terms, of which `rx` are the windows, are in use from now on.
static struct leg_keys_change remember(struct manager *m, struct roster_entry *entry,
                                       const struct tl_leg *leg, unsigned i, struct leg_rx *rx)
{
    silence_watch(&entry->leg[i], leg, m->now_ns);
    return leg_keys_take(entry->leg[i].keys, leg, rx, m->roster.seed);
}

// Everything of a new session that may fail.
static int build(struct manager *m, struct roster_entry *entry, const struct tl_command *c)
{
    struct session *s = session_of(m, entry);
    memset(s, 0, sizeof *s);
    int e = manager_take_ports(m, entry, c->leg);
    for (unsigned i = 0; !e && i < 2; i++) {
        struct leg_parts parts = session_parts(s, i);
        e = leg_keys_need(&entry->leg[i].keys, &c->leg[i], manager_slab(m, entry->worker));
        if (!e)
            e = make_parts(m, entry, &c->leg[i], i, &parts);
        s->rx[i] = parts.rx;
    }
    return e;
}

static void link_entry(struct manager *m, struct roster_entry *entry, const struct tl_command *c,
                       struct tl_origin origin)
{
    struct session *s = session_of(m, entry);
    const struct tl_resume_ssrc *rx[2] = {c->leg[0].rx_resume, c->leg[1].rx_resume};
    const struct tl_resume_ssrc *tx[2] = {&c->leg[0].tx_resume, &c->leg[1].tx_resume};
    s->slot = roster_slot(&m->roster, entry);
    entry->call_ref = c->call_ref;
    entry->owner = origin.loop;
    for (unsigned i = 0; i < 2; i++)
        remember(m, entry, &c->leg[i], i, s->rx[i]);
    roster_link(&m->roster, entry);
    tl_live_claim(&m->live, s->slot, entry->generation, entry->worker, entry->owner, entry->call_ref);
    session_start(s, &m->live.sessions[s->slot], rx, tx);
    manager_post(m, manager_op(m, entry, TASK_LINK, TL_OP_ADD, origin, c->id));
}

static void add(struct manager *m, const struct tl_command *c, struct tl_origin origin)
{
    struct roster_entry *entry = roster_find(&m->roster, c->call_ref);
    if (entry) { // behind the first one's link in the same ring
        manager_post(m, manager_op(m, entry, TASK_NONE, TL_OP_ADD, origin, c->id));
        return;
    }
    int realm[2];
    for (unsigned i = 0; i < 2; i++) {
        realm[i] = find_realm(m, c->leg[i].realm);
        if (realm[i] < 0) {
            refuse(m, c, origin, -ENODEV, TL_FIELD_REALM);
            return;
        }
    }
    entry = roster_take(&m->roster);
    if (!entry) {
        refuse(m, c, origin, -ENOSPC, TL_FIELD_NONE);
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        entry->leg[i].realm = realm[i];
    int e = build(m, entry, c);
    if (e) {
        manager_free_entry(m, entry);
        refuse(m, c, origin, e, e == -EADDRINUSE ? TL_FIELD_LOCAL_PORT : TL_FIELD_NONE);
        return;
    }
    link_entry(m, entry, c, origin);
}

// ---- MODIFY, DEL -------------------------------------------------------------------------------------

static struct roster_entry *named(struct manager *m, const struct tl_command *c)
{
    if (c->handle.incarnation != m->live.incarnation)
        return NULL;
    return roster_get(&m->roster, &c->handle);
}

// What a MODIFY may not change: the realm; and a key that comes back must not be forgotten. Also makes room to
// remember the key, so that nothing fails any more when the MODIFY is under way. 0, -EINVAL, -ENOSPC.
static int check_change(struct manager *m, struct roster_entry *entry, unsigned i, const struct tl_leg *to,
                        uint16_t *field)
{
    struct roster_leg *leg = &entry->leg[i];
    const char *realm = m->config.config->realms[leg->realm].name;
    if (to->realm[0] && strncmp(to->realm, realm, TL_NAME_MAX) != 0) {
        *field = TL_FIELD_REALM;
        return -EINVAL;
    }
    int e = leg_keys_check(&leg->keys, to, manager_slab(m, entry->worker), m->roster.seed);
    *field = e == -ESTALE ? TL_FIELD_KEY : e ? TL_FIELD_SUITE : TL_FIELD_NONE;
    return e == -ESTALE ? -EINVAL : e;
}

// New terms for a leg, aside until the worker has room between two bursts.
static int make_aside(struct manager *m, struct roster_entry *entry, const struct tl_leg *leg, unsigned i,
                      struct leg_parts *out)
{
    out->rx = leg_keys_rx(entry->leg[i].keys, leg, m->roster.seed);
    out->terms = slab_get(manager_slab(m, entry->worker), sizeof *out->terms);
    return out->terms ? make_parts(m, entry, leg, i, out) : -ENOSPC;
}

void manager_free_aside(struct manager *m, const struct roster_entry *entry, struct leg_parts parts[2])
{
    struct terms_maker maker = manager_maker(m, entry->worker);
    for (unsigned i = 0; i < 2; i++) {
        if (!parts[i].terms)
            continue;
        if (parts[i].past || leg_keys_owns(entry->leg[i].keys, parts[i].rx))
            parts[i].rx =
                NULL; // of a key that is remembered, or freed behind the MODIFY that made it forgotten
        leg_parts_free(&parts[i], &maker, m->now_ns);
        slab_put(maker.slab, parts[i].terms, sizeof *parts[i].terms);
        parts[i].terms = NULL;
    }
}

static void modify(struct manager *m, const struct tl_command *c, struct tl_origin origin)
{
    struct roster_entry *entry = named(m, c);
    if (!entry) {
        refuse(m, c, origin, -ENOENT, TL_FIELD_HANDLE);
        return;
    }
    struct leg_parts parts[2] = {0};
    int e = 0;
    uint16_t field = TL_FIELD_NONE;
    for (unsigned i = 0; !e && i < 2; i++) {
        if (!(c->leg_mask >> i & 1))
            continue;
        e = check_change(m, entry, i, &c->leg[i], &field);
        if (!e)
            e = make_aside(m, entry, &c->leg[i], i, &parts[i]);
    }
    if (e) {
        manager_free_aside(m, entry, parts);
        refuse(m, c, origin, e, field);
        return;
    }
    struct op *op = manager_op(m, entry, TASK_SWAP, TL_OP_MODIFY, origin, c->id);
    for (unsigned i = 0; i < 2; i++) {
        op->task.parts[i] = parts[i];
        if (!parts[i].terms)
            continue;
        struct leg_keys_change change = remember(m, entry, &c->leg[i], i, parts[i].rx);
        op->task.parts[i].past = change.past;
        op->task.tx_slot[i] = change.tx_slot;
        op->retired[i] = change.retired;
    }
    manager_post(m, op);
}

static void del(struct manager *m, const struct tl_command *c, struct tl_origin origin)
{
    struct roster_entry *entry = named(m, c);
    if (entry)
        manager_unlink(m, entry, NULL, origin, c->id);
    else
        refuse(m, c, origin, -ENOENT, TL_FIELD_HANDLE);
}

// ---- LIST, FLUSH -------------------------------------------------------------------------------------

// How many loops share the sessions: those of the control that is connected, by whose number a session's
// owner counts.
static uint32_t modulus(const struct manager *m)
{
    unsigned loops = tl_server_loops(m->server);
    return loops ? loops : TL_LOOPS_MAX;
}

static void list(struct manager *m, const struct tl_command *c, struct tl_origin origin)
{
    struct tl_completion answer = {.id = c->id, .op = TL_OP_LIST};
    uint32_t loops = modulus(m), slot = roster_next_live(&m->roster, c->list_slot);
    for (unsigned i = 0; slot < m->roster.count && answer.list.count < TL_LIST_PAGE && i < MANAGER_LOOKS;
         i++, slot = roster_next_live(&m->roster, slot + 1)) {
        const struct roster_entry *entry = &m->roster.entry[slot];
        if (entry->owner % loops == origin.loop)
            answer.list.entry[answer.list.count++] =
                (struct tl_list_entry){entry->call_ref, slot, entry->generation};
    }
    answer.list.next_slot = slot < m->roster.count ? slot : UINT32_MAX;
    answer.handle.incarnation = m->live.incarnation;
    tl_server_complete(m->server, origin, &answer);
}

static void flush(struct manager *m, const struct tl_command *c, struct tl_origin origin)
{
    for (unsigned i = 0; i < MANAGER_FLUSHES; i++) {
        if (m->flush[i].active)
            continue;
        m->flush[i] = (struct flush){
            .active = true, .origin = origin, .id = c->id, .born = m->roster.born, .modulus = modulus(m)};
        return;
    }
    refuse(m, c, origin, -ENOSPC, TL_FIELD_NONE);
}

static void go_on(struct manager *m, struct flush *f)
{
    f->slot = roster_next_live(&m->roster, f->slot);
    for (unsigned i = 0; f->slot < m->roster.count && i < MANAGER_LOOKS && manager_has_room(m, FLUSH_RESERVE);
         i++, f->slot = roster_next_live(&m->roster, f->slot + 1)) {
        struct roster_entry *entry = &m->roster.entry[f->slot];
        if (entry->born > f->born || entry->owner % f->modulus != f->origin.loop)
            continue;
        f->waiting++;
        manager_unlink(m, entry, f, f->origin, f->id);
    }
    if (f->slot < m->roster.count || f->waiting > 0)
        return;
    struct tl_completion answer = {.id = f->id, .op = TL_OP_FLUSH, .flush.count = f->count};
    answer.handle.incarnation = m->live.incarnation;
    f->active = false;
    tl_server_complete(m->server, f->origin, &answer);
}

void manager_flush(struct manager *m)
{
    for (unsigned i = 0; i < MANAGER_FLUSHES; i++)
        if (m->flush[i].active)
            go_on(m, &m->flush[i]);
}

static bool own_address(const struct manager *m, const struct tl_addr *addr)
{
    uint32_t ip;
    memcpy(&ip, addr->ip, sizeof ip);
    return addr->family == TL_AF_INET && ports_own_address(m->engine.ports, ip);
}

// Would one of the legs send to ourselves?
static bool loops(const struct manager *m, const struct tl_command *c)
{
    unsigned legs = c->op == TL_OP_ADD ? 3 : c->op == TL_OP_MODIFY ? c->leg_mask : 0;
    for (unsigned i = 0; i < 2; i++)
        if (legs >> i & 1 && (own_address(m, &c->leg[i].rtp) || own_address(m, &c->leg[i].rtcp)))
            return true;
    return false;
}

void manager_command(struct manager *m, struct tl_command *command, struct tl_origin origin)
{
    uint16_t field = TL_FIELD_NONE;
    if (tl_command_check(command, &field)) {
        refuse(m, command, origin, -EINVAL, field);
    } else if (loops(m, command)) {
        refuse(m, command, origin, -EINVAL, TL_FIELD_LOOP);
    } else {
        switch (command->op) {
        case TL_OP_ADD:
            add(m, command, origin);
            break;
        case TL_OP_MODIFY:
            modify(m, command, origin);
            break;
        case TL_OP_DEL:
            del(m, command, origin);
            break;
        case TL_OP_LIST:
            list(m, command, origin);
            break;
        case TL_OP_FLUSH:
            flush(m, command, origin);
            break;
        }
    }
    explicit_bzero(command, sizeof *command);
}
