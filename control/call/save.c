// SPDX-License-Identifier: BSD-3-Clause
// A call as a record, and back: its sides, its forks, the exchange under way. Trunks stand there by name.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/record.h"
#include "control/call/call_internal.h"

enum { CALL_RECORD = 1, SIDE_RECORD = 1, FORK_RECORD = 1, EXCHANGE_RECORD = 1 };

// A bool or a number of one byte in one of our structs.
struct field {
    const char *name;
    uint16_t offset;
    uint8_t max;
};

#define FIELD(type, member, most)                                                                            \
    {                                                                                                        \
#        member, offsetof(struct type, member), most                                                         \
    }
static const struct field side_fields[] = {
    FIELD(call_side, main, CALL_DIALOGS_MAX + 1),
    FIELD(call_side, allow, UINT8_MAX),
    FIELD(call_side, allow_known, 1),
    FIELD(call_side, supported, UINT8_MAX),
    FIELD(call_side, reliable, 1),
    FIELD(call_side, dialog, 1),
    FIELD(call_side, invite_in, 1),
    FIELD(call_side, invite_out, 1),
    FIELD(call_side, ack_due, 1),
    FIELD(call_side, ack_owed, 1),
    FIELD(call_side, update_in, 1),
    FIELD(call_side, prack_in, 1),
    FIELD(call_side, update_out, 1),
    FIELD(call_side, update_bare, 1),
    FIELD(call_side, bye_after_ack, 1),
    FIELD(call_side, bye_waits, 1),
    FIELD(call_side, bye_out, 1),
    FIELD(call_side, stands_in, 1),
    FIELD(call_side, offer_due, 1),
};
static const struct field call_fields[] = {
    FIELD(call, late_offer, 1),     FIELD(call, a_offered, 1),   FIELD(call, a_has_answer, 1),
    FIELD(call, b_has_answered, 1), FIELD(call, prack_due, 1),   FIELD(call, prack_sdp, 1),
    FIELD(call, success_due, 1),    FIELD(call, separate, 1),    FIELD(call, session, 1),
    FIELD(call, adding, 1),         FIELD(call, modifying, 1),   FIELD(call, modify_again, 1),
    FIELD(call, deleting, 1),       FIELD(call, retry_side, 1),  FIELD(call, cause, 127),
    FIELD(call, leaving, 2),        FIELD(call, frozen, 1),      FIELD(call, join_tries, 4),
    FIELD(call, progressed, 1),     FIELD(call, join_misled, 1),
};
static const struct field fork_fields[] = {
    FIELD(call_fork, id, CALL_DIALOGS_MAX + 1),
    FIELD(call_fork, answered, 1),
    FIELD(call_fork, reliable, 1),
    FIELD(call_fork, told, 1),
    FIELD(call_fork, no_media, 1),
    FIELD(call_fork, due, 1),
    FIELD(call_fork, says_sdp, 1),
};
static const struct field exchange_fields[] = {
    FIELD(call_exchange, from, 1), FIELD(call_exchange, late, 1),    FIELD(call_exchange, join, JOIN_MOVED),
    FIELD(call_exchange, undo, 1), FIELD(call_exchange, refresh, 1),
};
static_assert(sizeof(bool) == 1, "a field is a byte");
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void put_fields(struct record_writer *w, const struct field *f, size_t count, const void *object)
{
    for (size_t i = 0; i < count; i++)
        record_put_number(w, f[i].name, ((const uint8_t *)object)[f[i].offset]);
}

static void get_fields(struct record *r, const struct field *f, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)object)[f[i].offset] = (uint8_t)record_number(r, f[i].name, f[i].max);
}

// ---- trunks by name -----------------------------------------------------------------------------------

static void put_trunk(struct record_writer *w, const struct tl_config *config, uint32_t trunk)
{
    record_put_text(w, "trunk", config->trunks[trunk].name);
}

static int find_trunk(struct record *r, const struct tl_config *config, uint32_t *out)
{
    char name[TL_NAME_MAX];
    record_text(r, "trunk", name, sizeof name);
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (strcmp(config->trunks[i].name, name) == 0) {
            *out = i;
            return 0;
        }
    return -ENOENT;
}

// ---- writing ------------------------------------------------------------------------------------------

static void put_side(struct record_writer *w, const struct call *call, uint8_t side)
{
    record_begin(w, "side", SIDE_RECORD);
    put_trunk(w, call->side[side].config, call->side[side].trunk);
    put_fields(w, side_fields, COUNT(side_fields), &call->side[side]);
    if (call->side[side].neg.trunk) // B was not asked yet
        neg_save(w, "leg", &call->side[side].neg);
    refresh_save(&call->side[side].refresh, w);
    record_end(w);
}

static void put_fork(struct record_writer *w, const struct call_fork *fork)
{
    record_begin(w, "fork", FORK_RECORD);
    put_fields(w, fork_fields, COUNT(fork_fields), fork);
    record_put_number(w, "status", (uint64_t)fork->status);
    neg_save(w, "leg", &fork->neg);
    if (fork->a)
        neg_save(w, "leg_a", fork->a);
    record_end(w);
}

static void put_exchange(struct record_writer *w, const struct call_exchange *x)
{
    record_begin(w, "exchange", EXCHANGE_RECORD);
    put_fields(w, exchange_fields, COUNT(exchange_fields), x);
    record_put_number(w, "stage", x->stage);
    record_put_number(w, "in", x->in);
    record_put_number(w, "out", x->out);
    neg_save(w, "leg_a", &x->neg[CALL_A]);
    neg_save(w, "leg_b", &x->neg[CALL_B]);
    record_end(w);
}

void call_save(struct record_writer *w, const struct call *call)
{
    record_begin(w, "call", CALL_RECORD);
    record_put_number(w, "state", call->state);
    record_put_number(w, "status", (uint64_t)call->status);
    record_put_number(w, "trunk_at", call->trunk_at);
    put_fields(w, call_fields, COUNT(call_fields), call);
    if (tl_addr_is_set(&call->lent)) {
        char text[TL_ADDR_TEXT];
        record_put_text(w, "lent", tl_addr_print(&call->lent, text));
        record_put_text(w, "lent_realm", call->lent_realm);
    }
    for (unsigned i = 0; i < call->trunk_count; i++) {
        record_begin(w, "route", SIDE_RECORD);
        put_trunk(w, call->env->config, call->targets[i].trunk);
        record_put_number(w, "number", call->targets[i].number);
        record_put_number(w, "last", call->targets[i].last);
        record_end(w);
    }
    put_side(w, call, CALL_A);
    put_side(w, call, CALL_B);
    if (call->offered)
        neg_save(w, "offered", call->offered);
    if (call->asked)
        neg_save(w, "asked", call->asked);
    for (const struct call_fork *fork = call->forks; fork; fork = fork->next)
        put_fork(w, fork);
    if (call->x)
        put_exchange(w, call->x);
    record_end(w);
}

// ---- reading ------------------------------------------------------------------------------------------

// A leg in memory of its own, when the section is there. 0, also without it; -errno.
static int get_leg(struct neg_leg **out, const struct record *r, const char *name,
                   const struct tl_config *config)
{
    struct record section;
    if (record_section(r, name, 0, &section) < 0)
        return 0;
    *out = calloc(1, sizeof **out);
    return *out ? neg_load(*out, r, name, config) : -ENOMEM;
}

static int get_side(struct call *call, const struct record *in, uint8_t side)
{
    const struct tl_config *config = call->env->config;
    struct call_side *s = &call->side[side];
    struct record r;
    s->config = config;
    if (record_section(in, "side", side, &r) < 0 || r.version != SIDE_RECORD)
        return -EINVAL;
    int rc = find_trunk(&r, config, &s->trunk);
    get_fields(&r, side_fields, COUNT(side_fields), s);
    if (rc == 0)
        rc = r.bad ? -EINVAL : 0;
    struct record leg, timer;
    if (rc == 0 && record_section(&r, "refresh", 0, &timer) == 0) // without it: no session timer
        rc = refresh_load(&s->refresh, &timer);
    if (rc < 0 || record_section(&r, "leg", 0, &leg) < 0)
        return rc;
    return neg_load(&s->neg, &r, "leg", config);
}

static int get_forks(struct call *call, const struct record *in)
{
    const struct tl_config *config = call->env->config;
    struct call_fork **at = &call->forks;
    struct record r;
    for (unsigned i = 0; i <= CALL_DIALOGS_MAX && record_section(in, "fork", i, &r) == 0; i++) {
        struct call_fork *fork = *at = calloc(1, sizeof *fork);
        if (!fork)
            return -ENOMEM;
        at = &fork->next;
        get_fields(&r, fork_fields, COUNT(fork_fields), fork);
        fork->status = (int)record_number(&r, "status", 199);
        int rc = neg_load(&fork->neg, &r, "leg", config);
        if (rc == 0)
            rc = get_leg(&fork->a, &r, "leg_a", config);
        if (rc < 0 || r.bad || r.version != FORK_RECORD || (call->separate && !fork->a))
            return rc < 0 ? rc : -EINVAL;
    }
    return 0;
}

static int get_exchange(struct call *call, const struct record *in)
{
    const struct tl_config *config = call->env->config;
    struct record r;
    if (record_section(in, "exchange", 0, &r) < 0)
        return 0;
    struct call_exchange *x = call->x = calloc(1, sizeof *x);
    if (!x)
        return -ENOMEM;
    get_fields(&r, exchange_fields, COUNT(exchange_fields), x);
    x->stage = (enum exchange_stage)record_number(&r, "stage", EXCHANGE_QUIET);
    x->in = (enum carrier)record_number(&r, "in", BY_PRACK);
    x->out = (enum carrier)record_number(&r, "out", BY_PRACK);
    int rc = neg_load(&x->neg[CALL_A], &r, "leg_a", config);
    if (rc == 0)
        rc = neg_load(&x->neg[CALL_B], &r, "leg_b", config);
    return rc < 0 ? rc : r.bad || r.version != EXCHANGE_RECORD ? -EINVAL : 0;
}

static int get_route(struct call *call, const struct record *in)
{
    struct record r;
    for (unsigned i = 0; i < TL_ROUTE_TRUNKS_MAX && record_section(in, "route", i, &r) == 0; i++) {
        int rc = find_trunk(&r, call->env->config, &call->targets[i].trunk);
        call->targets[i].number = (uint8_t)record_number(&r, "number", CALL_NUMBERS_MAX);
        call->targets[i].last = record_number(&r, "last", 1);
        if (rc < 0)
            return rc;
        call->trunk_count = (uint8_t)(i + 1);
    }
    return call->trunk_at < call->trunk_count ? 0 : -EINVAL;
}

// The place in another call's session; without it B has one of its own.
static int get_lent(struct call *call, struct record *r)
{
    char text[TL_ADDR_TEXT] = "";
    if (!record_has(r, "lent"))
        return 0;
    record_text(r, "lent", text, sizeof text);
    record_text(r, "lent_realm", call->lent_realm, sizeof call->lent_realm);
    return !r->bad && tl_addr_read(text, strlen(text), &call->lent) ? 0 : -EINVAL;
}

// Whether each leg is there that the call looks at in its state.
static bool whole(const struct call *call)
{
    bool not_asked = call->state < CALL_CALLING || call->state >= CALL_ENDING; // B, perhaps
    if (!call->side[CALL_A].neg.trunk || (!call->side[CALL_B].neg.trunk && !not_asked))
        return false;
    if (!call->side[CALL_B].neg.trunk && (call->b_has_answered || call->forks || call->x))
        return false;
    return !call->separate || !call->offered || call->asked;
}

int call_load(struct call *call, const struct call_env *env, const struct record *in)
{
    struct record r = *in;
    memset(call, 0, sizeof *call);
    call->env = env;
    call->state = (enum call_state)record_number(&r, "state", CALL_OVER);
    call->status = (int)record_number(&r, "status", 699);
    call->trunk_at = (uint8_t)record_number(&r, "trunk_at", TL_ROUTE_TRUNKS_MAX - 1);
    get_fields(&r, call_fields, COUNT(call_fields), call);
    int rc = r.bad || r.version != CALL_RECORD ? -EINVAL : get_route(call, &r);
    if (rc == 0)
        rc = get_lent(call, &r);
    for (uint8_t side = 0; rc == 0 && side < 2; side++)
        rc = get_side(call, &r, side);
    if (rc == 0)
        rc = get_leg(&call->offered, &r, "offered", env->config);
    if (rc == 0)
        rc = get_leg(&call->asked, &r, "asked", env->config);
    if (rc == 0)
        rc = get_forks(call, &r);
    if (rc == 0)
        rc = get_exchange(call, &r);
    if (rc == 0 && !whole(call))
        rc = -EINVAL;
    if (rc < 0)
        call_fini(call);
    return rc;
}
