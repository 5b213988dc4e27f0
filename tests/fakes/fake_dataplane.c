// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fakes/fake_dataplane.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/server.h"
#include "common/validate.h"
#include "tests/fakes/fake_ports.h"

enum { REALMS_MAX = 8 };

struct slot {
    bool used;
    uint32_t generation; // of the session that has or had it
    uint32_t realm[2];
    struct fake_session session;
};

struct held {
    struct tl_origin origin;
    struct tl_completion completion;
};

struct refusal {
    unsigned count;
    int status;
    uint16_t field;
};

struct fake_dataplane {
    struct fake_dataplane_config config;
    char path[108];
    struct tl_server *server; // NULL: dead
    struct tl_live_table live;
    struct fake_ports ports[REALMS_MAX];
    struct slot *slots;
    unsigned in_use;
    uint32_t next_slot; // where the search for a free one starts
    unsigned executed[TL_OP_COUNT];
    struct refusal refusals[TL_OP_COUNT];
    bool holding;
    struct held *held;
    unsigned held_count, held_room;
};

static void log_to_stderr(void *arg, const char *sentence)
{
    (void)arg;
    // Only asked for: comings and goings would drown a test's own output.
    if (getenv("TRUNKLINE_FAKE_LOG"))
        fprintf(stderr, "fake dataplane: %s\n", sentence);
}

// ---- life and death ----------------------------------------------------------------------------------

static int come_alive(struct fake_dataplane *fake)
{
    int rc = tl_live_create(&fake->live, fake->config.workers, fake->config.sessions, TL_SEGMENT_SMALL_PAGES);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < fake->config.realm_count; i++)
        fake_ports_init(&fake->ports[i], &fake->config.realms[i]);
    memset(fake->slots, 0, fake->config.sessions * sizeof *fake->slots);
    fake->in_use = fake->next_slot = 0;
    struct tl_server_config config = {.path = fake->path, .live = &fake->live, .log = log_to_stderr};
    rc = tl_server_open(&fake->server, &config);
    if (rc < 0)
        tl_live_destroy(&fake->live);
    return rc;
}

static void drop_all(struct fake_dataplane *fake)
{
    tl_server_close(fake->server);
    fake->server = NULL;
    tl_live_destroy(&fake->live);
    fake->held_count = 0;
    fake->in_use = 0;
    for (uint32_t i = 0; i < fake->config.sessions; i++)
        fake->slots[i].used = false;
}

struct fake_dataplane *fake_dataplane_start(const struct fake_dataplane_config *config)
{
    struct fake_dataplane *fake = calloc(1, sizeof *fake);
    if (!fake)
        return NULL;
    fake->config = *config;
    snprintf(fake->path, sizeof fake->path, "%s", config->path);
    fake->config.path = fake->path;
    fake->slots = calloc(config->sessions, sizeof *fake->slots);
    int rc = fake->slots && config->realm_count <= REALMS_MAX ? come_alive(fake) : -EINVAL;
    if (rc < 0) {
        fprintf(stderr, "fake dataplane on %s: %s\n", config->path, strerror(-rc));
        fake->path[0] = '\0'; // whoever has the socket keeps it
        fake_dataplane_stop(fake);
        return NULL;
    }
    return fake;
}

void fake_dataplane_stop(struct fake_dataplane *fake)
{
    if (!fake)
        return;
    if (fake->slots)
        drop_all(fake);
    if (fake->path[0])
        unlink(fake->path); // the one that dying left
    free(fake->slots);
    free(fake->held);
    free(fake);
}

void fake_dataplane_die(struct fake_dataplane *fake)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    drop_all(fake);
    // A crash leaves the socket's file behind, with nobody listening.
    strcpy(addr.sun_path, fake->path);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0)
        perror("fake dataplane: leaving a stale socket");
    if (sock >= 0)
        close(sock);
}

int fake_dataplane_revive(struct fake_dataplane *fake)
{
    return fake->server ? 0 : come_alive(fake);
}

int fake_dataplane_fd(const struct fake_dataplane *fake)
{
    return fake->server ? tl_server_fd(fake->server) : -1;
}

// ---- sessions ----------------------------------------------------------------------------------------

static struct slot *slot_by_ref(const struct fake_dataplane *fake, uint64_t call_ref)
{
    for (uint32_t i = 0; i < fake->config.sessions; i++)
        if (fake->slots[i].used && fake->slots[i].session.call_ref == call_ref)
            return &fake->slots[i];
    return NULL;
}

static struct slot *slot_by_handle(const struct fake_dataplane *fake, const struct tl_handle *handle)
{
    if (handle->incarnation != fake->live.incarnation || handle->slot >= fake->config.sessions)
        return NULL;
    struct slot *s = &fake->slots[handle->slot];
    return s->used && s->generation == handle->generation ? s : NULL;
}

static struct slot *free_slot(struct fake_dataplane *fake)
{
    for (uint32_t n = 0; n < fake->config.sessions; n++) {
        struct slot *s = &fake->slots[fake->next_slot];
        fake->next_slot = (fake->next_slot + 1) % fake->config.sessions;
        if (!s->used)
            return s;
    }
    return NULL;
}

static int realm_by_name(const struct fake_dataplane *fake, const char *name)
{
    for (unsigned i = 0; i < fake->config.realm_count; i++)
        if (strcmp(fake->config.realms[i].name, name) == 0)
            return (int)i;
    return -ENODEV;
}

static void resume_ssrc(struct tl_live_ssrc *to, const struct tl_resume_ssrc *from, uint32_t key_generation)
{
    if (from->index == 0 && from->ssrc == 0 && from->srtcp_index == 0)
        return;
    atomic_store(&to->ssrc, from->ssrc);
    atomic_store(&to->srtcp_index, from->srtcp_index);
    if (from->index != TL_INDEX_NONE)
        atomic_store(&to->word, tl_live_word(from->index, key_generation));
}

// Realms and ports of both legs, or nothing. Ports that are asked for name the worker.
static int place(struct fake_dataplane *fake, struct slot *s, const struct tl_command *c, uint16_t *field)
{
    uint32_t workers = fake->config.workers, worker = (uint32_t)(s - fake->slots) % workers;
    int port[2] = {0, 0};

    for (int i = 0; i < 2; i++) {
        int realm = realm_by_name(fake, c->leg[i].realm);
        if (realm < 0)
            return realm;
        s->realm[i] = (uint32_t)realm;
        if (c->leg[i].local_port)
            worker = fake_ports_worker(c->leg[i].local_port, workers);
    }
    for (int i = 0; i < 2; i++) {
        uint16_t wanted = c->leg[i].local_port;
        port[i] = wanted && fake_ports_worker(wanted, workers) != worker
                      ? -EADDRINUSE
                      : fake_ports_take(&fake->ports[s->realm[i]], wanted, worker, workers);
        if (port[i] < 0) {
            if (i == 1)
                fake_ports_give(&fake->ports[s->realm[0]], (uint16_t)port[0]);
            *field = port[i] == -EINVAL ? TL_FIELD_LOCAL_PORT : TL_FIELD_NONE;
            return port[i];
        }
    }
    for (int i = 0; i < 2; i++) {
        s->session.local[i] = fake->config.realms[s->realm[i]].address;
        s->session.local[i].port = (uint16_t)port[i];
    }
    return (int)worker;
}

static int add(struct fake_dataplane *fake, const struct tl_command *c, uint32_t loop,
               struct tl_completion *out)
{
    struct slot *s = slot_by_ref(fake, c->call_ref);

    if (!s) {
        s = free_slot(fake);
        if (!s)
            return -ENOSPC;
        memset(&s->session, 0, sizeof s->session);
        int worker = place(fake, s, c, &out->field);
        if (worker < 0)
            return worker;
        uint32_t slot = (uint32_t)(s - fake->slots);
        s->used = true;
        fake->in_use++;
        s->generation++;
        s->session.handle = (struct tl_handle){fake->live.incarnation, slot, s->generation};
        s->session.call_ref = c->call_ref;
        s->session.owner = loop;
        tl_live_claim(&fake->live, slot, s->generation, (uint32_t)worker, loop, c->call_ref);
        for (int i = 0; i < 2; i++) {
            struct tl_live_session *live = &fake->live.sessions[slot];
            s->session.leg[i] = c->leg[i];
            s->session.leg[i].local_port = s->session.local[i].port;
            resume_ssrc(&live->tx[i].ssrc, &c->leg[i].tx_resume, c->leg[i].tx.generation);
            for (int r = 0; r < TL_SSRC_MAX; r++)
                resume_ssrc(&live->rx_ssrc[i][r], &c->leg[i].rx_resume[r], c->leg[i].rx.generation);
        }
    }
    out->handle = s->session.handle;
    out->add.local[0] = s->session.local[0];
    out->add.local[1] = s->session.local[1];
    return 0;
}

static void modify_leg(struct fake_dataplane *fake, struct slot *s, int i, const struct tl_leg *to)
{
    struct tl_live_session *live = &fake->live.sessions[s - fake->slots];
    struct tl_leg was = s->session.leg[i], *leg = &s->session.leg[i];

    *leg = *to;
    memcpy(leg->realm, was.realm, sizeof leg->realm);
    leg->local_port = was.local_port;
    memcpy(leg->rx_resume, was.rx_resume, sizeof leg->rx_resume);
    leg->tx_resume = was.tx_resume;
    // Another key starts its indices anew.
    for (int r = 0; r < TL_SSRC_MAX && leg->rx.generation != was.rx.generation; r++) {
        atomic_store(&live->rx_ssrc[i][r].word, 0);
        atomic_store(&live->rx_ssrc[i][r].srtcp_index, 0);
    }
    if (leg->tx.generation != was.tx.generation) {
        atomic_store(&live->tx[i].ssrc.word, 0);
        atomic_store(&live->tx[i].ssrc.srtcp_index, 0);
    }
}

static int modify(struct fake_dataplane *fake, const struct tl_command *c, struct tl_completion *out)
{
    struct slot *s = slot_by_handle(fake, &c->handle);
    if (!s)
        return -ENOENT;
    for (int i = 0; i < 2; i++)
        if ((c->leg_mask & 1u << i) && c->leg[i].realm[0] &&
            strcmp(c->leg[i].realm, s->session.leg[i].realm) != 0) {
            out->field = TL_FIELD_REALM;
            return -EINVAL;
        }
    for (int i = 0; i < 2; i++)
        if (c->leg_mask & 1u << i)
            modify_leg(fake, s, i, &c->leg[i]);
    s->session.modifies++;
    out->call_ref = s->session.call_ref;
    return 0;
}

static void end(struct fake_dataplane *fake, struct slot *s)
{
    for (int i = 0; i < 2; i++)
        fake_ports_give(&fake->ports[s->realm[i]], s->session.local[i].port);
    tl_live_release(&fake->live, s->session.handle.slot);
    explicit_bzero(&s->session, sizeof s->session);
    s->used = false;
    fake->in_use--;
}

static int del(struct fake_dataplane *fake, const struct tl_command *c, struct tl_completion *out)
{
    struct slot *s = slot_by_handle(fake, &c->handle);
    if (!s)
        return -ENOENT;
    out->call_ref = s->session.call_ref;
    for (int i = 0; i < 2; i++)
        tl_live_counters(&fake->live.sessions[c->handle.slot], (unsigned)i, &out->final[i]);
    end(fake, s);
    return 0;
}

static bool belongs(const struct fake_dataplane *fake, const struct slot *s, uint32_t loop)
{
    unsigned loops = tl_server_loops(fake->server);
    return s->used && (loops ? s->session.owner % loops : s->session.owner) == loop;
}

static int list(struct fake_dataplane *fake, const struct tl_command *c, uint32_t loop,
                struct tl_completion *out)
{
    out->list.next_slot = UINT32_MAX;
    for (uint32_t i = c->list_slot; i < fake->config.sessions; i++) {
        const struct slot *s = &fake->slots[i];
        if (!belongs(fake, s, loop))
            continue;
        if (out->list.count == TL_LIST_PAGE) {
            out->list.next_slot = i;
            break;
        }
        out->list.entry[out->list.count++] = (struct tl_list_entry){s->session.call_ref, i, s->generation};
    }
    return 0;
}

static int flush(struct fake_dataplane *fake, uint32_t loop, struct tl_completion *out)
{
    for (uint32_t i = 0; i < fake->config.sessions; i++)
        if (belongs(fake, &fake->slots[i], loop)) {
            end(fake, &fake->slots[i]);
            out->flush.count++;
        }
    return 0;
}

static int execute(struct fake_dataplane *fake, const struct tl_command *c, uint32_t loop,
                   struct tl_completion *out)
{
    int rc = tl_command_check(c, &out->field);
    if (rc < 0)
        return rc;
    struct refusal *refusal = &fake->refusals[c->op];
    if (refusal->count) {
        refusal->count--;
        out->field = refusal->field;
        return refusal->status;
    }
    fake->executed[c->op]++;
    switch (c->op) {
    case TL_OP_ADD:
        return add(fake, c, loop, out);
    case TL_OP_MODIFY:
        return modify(fake, c, out);
    case TL_OP_DEL:
        return del(fake, c, out);
    case TL_OP_LIST:
        return list(fake, c, loop, out);
    default:
        return flush(fake, loop, out);
    }
}

// ---- the channel -------------------------------------------------------------------------------------

static void hold(struct fake_dataplane *fake, struct tl_origin origin, const struct tl_completion *completion)
{
    if (fake->held_count == fake->held_room) {
        unsigned room = fake->held_room ? 2 * fake->held_room : 64;
        struct held *more = realloc(fake->held, room * sizeof *more);
        if (!more)
            abort();
        fake->held = more;
        fake->held_room = room;
    }
    fake->held[fake->held_count++] = (struct held){origin, *completion};
}

unsigned fake_dataplane_poll(struct fake_dataplane *fake)
{
    struct tl_command c;
    struct tl_origin origin;
    unsigned n = 0;

    if (!fake->server)
        return 0;
    tl_server_poll(fake->server);
    for (; tl_server_next(fake->server, &c, &origin) == 0; n++) {
        struct tl_completion out;
        memset(&out, 0, sizeof out);
        out.id = c.id;
        out.op = c.op;
        out.call_ref = c.op == TL_OP_ADD ? c.call_ref : 0;
        out.handle = c.op == TL_OP_MODIFY || c.op == TL_OP_DEL ? c.handle : (struct tl_handle){0};
        out.status = execute(fake, &c, origin.loop, &out);
        explicit_bzero(&c, sizeof c);
        if (fake->holding)
            hold(fake, origin, &out);
        else
            tl_server_complete(fake->server, origin, &out);
    }
    uint64_t now;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    atomic_store(&fake->live.header->manager_ns, now);
    for (uint32_t w = 0; w < fake->live.worker_count; w++) {
        atomic_store(&fake->live.workers[w].heartbeat, atomic_load(&fake->live.workers[w].heartbeat) + 1);
        atomic_store(&fake->live.workers[w].heartbeat_ns, now);
    }
    return n;
}

void fake_dataplane_hold_completions(struct fake_dataplane *fake)
{
    fake->holding = true;
}

unsigned fake_dataplane_release_completions(struct fake_dataplane *fake, unsigned count)
{
    unsigned n = count < fake->held_count ? count : fake->held_count;

    if (count == UINT_MAX)
        fake->holding = false;
    for (unsigned i = 0; i < n; i++)
        tl_server_complete(fake->server, fake->held[i].origin, &fake->held[i].completion);
    if (n) // with none held there may be no array
        memmove(fake->held, fake->held + n, (fake->held_count - n) * sizeof *fake->held);
    fake->held_count -= n;
    return n;
}

void fake_dataplane_refuse(struct fake_dataplane *fake, uint16_t op, unsigned count, int status,
                           uint16_t field)
{
    fake->refusals[op] = (struct refusal){count, status, field};
}

// ---- for tests ---------------------------------------------------------------------------------------

int fake_dataplane_event(struct fake_dataplane *fake, uint64_t call_ref, uint16_t type, uint8_t leg,
                         uint32_t ms, uint8_t heard)
{
    const struct slot *s = slot_by_ref(fake, call_ref);
    if (!s)
        return -ENOENT;
    struct tl_event event = {.handle = s->session.handle,
                             .call_ref = call_ref,
                             .type = type,
                             .leg = leg,
                             .heard = heard,
                             .ms = ms};
    return tl_server_event(fake->server, s->session.owner, &event);
}

static void move_on(struct tl_live_ssrc *to, uint32_t ssrc, uint32_t key_generation, uint64_t packets)
{
    uint64_t word = atomic_load(&to->word);
    atomic_store(&to->ssrc, ssrc);
    atomic_store(&to->word, tl_live_word(tl_live_word_index(word) + packets, key_generation));
}

int fake_dataplane_media(struct fake_dataplane *fake, uint64_t call_ref, uint8_t leg, uint32_t ssrc,
                         uint64_t packets, uint64_t octets)
{
    const struct slot *s = slot_by_ref(fake, call_ref);
    if (!s)
        return -ENOENT;
    const struct fake_session *f = &s->session;
    struct tl_live_session *live = &fake->live.sessions[f->handle.slot];
    struct tl_live_rx *in = &live->rx[leg];
    struct tl_live_tx *out = &live->tx[!leg];
    atomic_fetch_add(&in->packets, packets);
    atomic_fetch_add(&in->octets, octets);
    atomic_fetch_add(&out->packets, packets);
    atomic_fetch_add(&out->octets, octets);
    atomic_store(&in->last_ns, atomic_load(&fake->live.header->manager_ns));
    if (ssrc && f->leg[leg].rx.suite)
        move_on(&live->rx_ssrc[leg][0], ssrc, f->leg[leg].rx.generation, packets);
    if (ssrc && f->leg[!leg].tx.suite)
        move_on(&out->ssrc, ssrc, f->leg[!leg].tx.generation, packets);
    return 0;
}

const struct fake_session *fake_dataplane_find(const struct fake_dataplane *fake, uint64_t call_ref)
{
    const struct slot *s = slot_by_ref(fake, call_ref);
    return s ? &s->session : NULL;
}

unsigned fake_dataplane_count(const struct fake_dataplane *fake)
{
    return fake->in_use;
}

const struct fake_session *fake_dataplane_at(const struct fake_dataplane *fake, unsigned i)
{
    for (uint32_t s = 0; s < fake->config.sessions; s++)
        if (fake->slots[s].used && i-- == 0)
            return &fake->slots[s].session;
    return NULL;
}

unsigned fake_dataplane_executed(const struct fake_dataplane *fake, uint16_t op)
{
    return op < TL_OP_COUNT ? fake->executed[op] : 0;
}

struct tl_live_table *fake_dataplane_live(struct fake_dataplane *fake)
{
    return &fake->live;
}

uint64_t fake_dataplane_incarnation(const struct fake_dataplane *fake)
{
    return fake->live.incarnation;
}
