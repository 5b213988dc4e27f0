// SPDX-License-Identifier: BSD-3-Clause
#include "world.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "control/agent/agent_internal.h"
#include "control/base/log.h"
#include "control/base/wheel.h"
#include "control/sip/txn.h"

// ---- randomness ---------------------------------------------------------------------------------------

static uint64_t random_state = 1;

// In place of the kernel's, so that a run can be had again.
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    uint8_t *out = buffer;
    (void)flags;
    for (size_t i = 0; i < length; i++) { // xorshift64*
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        out[i] = (uint8_t)(random_state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
    return (ssize_t)length;
}

int getentropy(void *buffer, size_t length)
{
    return getrandom(buffer, length, 0) == (ssize_t)length ? 0 : -1;
}

// ---- the network of paper -----------------------------------------------------------------------------

static bool same_host(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static struct world_conn *find_conn(struct world *w, uint32_t listener, const struct tl_addr *remote)
{
    for (unsigned i = 0; i < WORLD_CONNS_MAX; i++) {
        struct world_conn *c = &w->conn[i];
        if (c->open && c->listener == listener && same_host(&c->remote, remote) &&
            c->remote.port == remote->port)
            return c;
    }
    return NULL;
}

static struct world_conn *make_conn(struct world *w, uint32_t listener, const struct tl_addr *remote,
                                    bool ours)
{
    for (unsigned i = 0; i < WORLD_CONNS_MAX; i++) {
        struct world_conn *c = &w->conn[i];
        if (c->open)
            continue;
        *c = (struct world_conn){.open = true,
                                 .ours = ours,
                                 .generation = c->generation + 1,
                                 .listener = listener,
                                 .remote = *remote};
        return c;
    }
    return NULL;
}

static int paper_send(void *arg, struct sip_flow *flow, const struct sip_bytes *bytes,
                      struct sip_waiter *waiter)
{
    struct world *w = arg;
    if (w->refuse_sends && same_host(&w->refuse, &flow->remote)) {
        w->refuse_sends--;
        return w->refuse_with;
    }
    if (tl_transport_row(flow->transport)->stream) {
        struct world_conn *c = flow->conn_generation ? &w->conn[flow->conn % WORLD_CONNS_MAX]
                                                     : find_conn(w, flow->listener, &flow->remote);
        if (flow->conn_generation && (!c->open || c->generation != flow->conn_generation))
            return -ENOTCONN;
        if (!c)
            c = make_conn(w, flow->listener, &flow->remote, true);
        if (!c)
            return -EMFILE;
        flow->conn = (uint32_t)(c - w->conn);
        flow->conn_generation = c->generation;
        if (waiter && !waiter->link)
            sip_waiter_add(&c->waiters, waiter);
    }
    if (w->count == WORLD_SENT_MAX) {
        w->overflow = true;
        return 0;
    }
    struct world_sent *s = &w->sent[(w->first + w->count++) % WORLD_SENT_MAX];
    *s = (struct world_sent){.at = world_now(w),
                             .listener = flow->listener,
                             .conn = flow->conn,
                             .transport = flow->transport,
                             .to = flow->remote,
                             .text = malloc(bytes->len + 1),
                             .len = bytes->len};
    if (!s->text)
        abort();
    memcpy(s->text, bytes->data, bytes->len);
    s->text[s->len] = 0;
    return 0;
}

static const struct sip_io paper = {.send = paper_send};

static struct sip_stack *stack_of(const struct world *w)
{
    return (struct sip_stack *)(uintptr_t)agent_stack(w->agent);
}

void world_receive(struct world *w, uint32_t listener, const struct tl_addr *from, const char *bytes,
                   size_t len)
{
    struct sip_flow flow = sip_flow_to(agent_stack(w->agent), listener, from);
    char *copy = malloc(len ? len : 1); // of its very size: what reads on is seen
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    if (tl_transport_row(flow.transport)->stream) {
        struct world_conn *c = find_conn(w, listener, from);
        if (!c)
            c = make_conn(w, listener, from, false);
        if (c) {
            flow.conn = (uint32_t)(c - w->conn);
            flow.conn_generation = c->generation;
        }
    }
    sip_core_receive(stack_of(w), &flow, copy, len);
    free(copy);
    world_settle(w);
}

void world_unreachable(struct world *w, const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    sip_core_unreachable(stack_of(w), copy, len);
    free(copy);
    world_settle(w);
}

unsigned world_break(struct world *w, const struct tl_addr *remote)
{
    unsigned n = 0;
    for (unsigned i = 0; i < WORLD_CONNS_MAX; i++) {
        struct world_conn *c = &w->conn[i];
        if (!c->open || !same_host(&c->remote, remote) || (remote->port && remote->port != c->remote.port))
            continue;
        c->open = false;
        n++;
        for (struct sip_waiter *first; (first = c->waiters);) {
            sip_waiter_cancel(first);
            first->broken(first->arg);
        }
    }
    world_settle(w);
    return n;
}

bool world_take(struct world *w, struct world_sent *out)
{
    if (!w->count)
        return false;
    *out = w->sent[w->first];
    w->first = (w->first + 1) % WORLD_SENT_MAX;
    w->count--;
    return true;
}

// ---- time ---------------------------------------------------------------------------------------------

uint64_t world_now(const struct world *w)
{
    return loop_wheel(w->loop)->now - w->start;
}

uint64_t world_next(const struct world *w)
{
    return wheel_next(loop_wheel(w->loop));
}

// Of the dataplane: its sockets need no look.
static bool nothing_is_asked(const struct world *w)
{
    return media_up(agent_media(w->agent)) && !media_outstanding(agent_media(w->agent));
}

void world_settle(struct world *w)
{
    uint64_t now = loop_wheel(w->loop)->now;
    unsigned idle = 0;
    loop_turn(w->loop, now);
    if (nothing_is_asked(w))
        return;
    for (unsigned i = 0; i < 1000 && idle < 2; i++) {
        loop_turn(w->loop, now);
        idle = fake_dataplane_poll(w->fake) ? 0 : idle + 1;
        media_look(w->agent->media);
    }
    loop_turn(w->loop, now);
}

void world_advance(struct world *w, uint64_t ms)
{
    uint64_t end = loop_wheel(w->loop)->now + ms;
    for (;;) {
        uint64_t now = loop_wheel(w->loop)->now, next = world_next(w);
        uint64_t to = next > end - now ? end : now + next;
        wheel_run(loop_wheel(w->loop), to);
        if (!nothing_is_asked(w))
            world_settle(w);
        if (to == end && (end == now || world_next(w) > 0))
            return;
    }
}

// ---- the log ------------------------------------------------------------------------------------------

static void keep_log(void *arg, enum log_level level, const char *text)
{
    struct world *w = arg;
    static const char *const names[] = {"error", "warning", "notice", "info"};
    char *line;
    if (asprintf(&line, "%s: %s", names[level - LOG_ERROR], text) < 0)
        abort();
    if (w->log_count == WORLD_LOG_MAX) { // the oldest half goes
        for (unsigned i = 0; i < WORLD_LOG_MAX / 2; i++)
            free(w->log[i]);
        memmove(w->log, w->log + WORLD_LOG_MAX / 2, WORLD_LOG_MAX / 2 * sizeof w->log[0]);
        w->log_count = WORLD_LOG_MAX / 2;
    }
    w->log[w->log_count++] = line;
}

// ---- life ---------------------------------------------------------------------------------------------

static bool start_fake(struct world *w)
{
    struct fake_dataplane_config fake = {.path = w->config->dataplane.socket,
                                         .realm_count = w->config->realm_count,
                                         .sessions = 64,
                                         .workers = 1};
    for (unsigned i = 0; i < w->config->realm_count && i < 8; i++) {
        const struct tl_realm_config *r = &w->config->realms[i];
        struct fake_realm *to = &fake.realms[i];
        memcpy(to->name, r->name, sizeof to->name);
        to->address = r->address;
        to->first = r->rtp_first;
        to->last = r->rtp_last;
    }
    w->fake = fake_dataplane_start(&fake);
    return w->fake != NULL;
}

static bool read_config(struct world *w, const char *json, char *why, size_t why_size)
{
    struct tl_config_errors *errors = calloc(1, sizeof *errors);
    if (!errors)
        abort();
    int rc = tl_config_parse("config", json, strlen(json), &w->config, errors);
    if (rc < 0)
        snprintf(why, why_size, "configuration: %s", errors->text);
    free(errors);
    if (rc < 0)
        return false;
    snprintf(w->config->dataplane.socket, sizeof w->config->dataplane.socket, "%s/s", w->dir);
    return true;
}

bool world_open(struct world *w, const char *json, uint64_t seed, char *why, size_t why_size)
{
    memset(w, 0, sizeof *w);
    random_state = seed * 2 + 1;
    snprintf(w->dir, sizeof w->dir, "/tmp/trunkline-dialog-XXXXXX");
    if (!mkdtemp(w->dir)) {
        snprintf(why, why_size, "no folder in /tmp: %s", strerror(errno));
        w->dir[0] = 0;
        return false;
    }
    if (!read_config(w, json, why, why_size))
        return false;
    log_set_sink(keep_log, w);
    w->start = 1000000;
    w->loop = loop_new_by_hand(0, w->start);
    snprintf(why, why_size, "the fake dataplane or the loop did not start");
    if (!w->loop || !start_fake(w))
        return false;
    const struct agent_parts parts = {.sip_io = &paper, .sip_io_arg = w};
    if (agent_new_over(w->loop, w->config, &parts, &w->agent, why, why_size) < 0)
        return false;
    for (unsigned i = 0; i < 50 && !media_up(agent_media(w->agent)); i++) {
        loop_turn(w->loop, w->start + 1);
        fake_dataplane_poll(w->fake);
    }
    world_settle(w);
    snprintf(why, why_size, "the dataplane's client did not connect");
    w->timers = loop_wheel(w->loop)->armed;
    w->start = loop_wheel(w->loop)->now;
    return media_up(agent_media(w->agent));
}

int world_reload(struct world *w, const char *json, char *why, size_t why_size)
{
    char path[sizeof w->dir + 8];
    json_t *config = json_loads(json, 0, NULL);
    unsigned count;
    snprintf(path, sizeof path, "%s/c.json", w->dir);
    json_object_set_new(json_object_get(config, "dataplane"), "socket",
                        json_string(w->config->dataplane.socket));
    snprintf(why, why_size, "%s cannot be written", path);
    int rc = json_dump_file(config, path, JSON_INDENT(1));
    json_decref(config);
    if (rc == 0)
        rc = agent_reload_file(w->agent, path, false, NULL, NULL, &count, why, why_size);
    unlink(path);
    world_settle(w);
    return rc;
}

void world_close(struct world *w)
{
    struct world_sent s;
    agent_free(w->agent);
    loop_free(w->loop);
    fake_dataplane_stop(w->fake);
    tl_config_free(w->config);
    while (world_take(w, &s))
        free(s.text);
    for (unsigned i = 0; i < w->log_count; i++)
        free(w->log[i]);
    log_set_sink(NULL, NULL);
    if (w->dir[0])
        rmdir(w->dir);
    memset(w, 0, sizeof *w);
}

struct world_rest world_rest(const struct world *w)
{
    const struct sip_counters *c = sip_stack_counters(agent_stack(w->agent));
    size_t armed = loop_wheel(w->loop)->armed;
    return (struct world_rest){.calls = agent_counters(w->agent)->active,
                               .sessions = media_session_count(agent_media(w->agent)),
                               .sessions_fake = fake_dataplane_count(w->fake),
                               .transactions = c->txns_live + c->txns_waiting,
                               .timers = armed > w->timers ? (unsigned)(armed - w->timers) : 0};
}

bool world_is_quiet(const struct world *w)
{
    struct world_rest r = world_rest(w);
    return !r.calls && !r.sessions && !r.sessions_fake && !r.transactions && !r.timers;
}
