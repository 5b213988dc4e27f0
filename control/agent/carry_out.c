// SPDX-License-Identifier: BSD-3-Clause
// A REFER that we carry out (RFC 3515, RFC 5589): the target is called in a call of its own, in which somebody stands in for
// the party that is transferred. When it has answered and both calls are at rest, parties change places:
//
//   same realm    the target goes where the transferor was: port, keys and indices of the other one stay what they are
//   another one   the one that is transferred goes where somebody stood in for it, and is told of its new port first
//
// What is left in either case is a call of the transferor with nobody, which ends. What fails leaves the first call as it was.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/uri.h"
#include "control/sip/value.h"

enum {
    TARGET_LINES = 8,
    LINE_BYTES = 512,
};

enum stage {
    CALLING, // the target is called
    WAITING, // it has answered; the calls have to be at rest
    MOVING,  // the one that is transferred is being told of its new place
};

struct agent_transfer {
    struct agent *agent;
    enum stage stage;
    struct agent_call *call;   // of who asked and who is transferred
    struct agent_call *target; // of who stands in and the target
    uint8_t by;                // side of who asked, in `call`
    int answer;                // the target's final answer, 0: none yet
    int joined;                // what became of the move, 0: nothing yet
    struct wheel_timer timer;  // how long the calls may take to be at rest
};

// ---- the target's call --------------------------------------------------------------------------------

struct lines {
    struct header_line line[TARGET_LINES];
    unsigned count;
};

static void add_line(struct lines *l, const char *name, struct header_str value)
{
    if (value.p && value.len && l->count < TARGET_LINES)
        l->line[l->count++] = header_line(header_str(name), value);
}

// What the INVITE to the target follows from: it is as if who is transferred had called it, RFC 3515 2.4.2.
static struct header_view *make_invite(const struct agent_leg *who, const char *number,
                                       const struct sip_msg *refer)
{
    static const char *const own[] = {"From", "P-Asserted-Identity", "Privacy"};
    const struct tl_listener_config *listener = agent_leg_listener(who);
    struct sip_str by = sip_msg_header(refer, "Referred-By", 0);
    char uri[LINE_BYTES], from[LINE_BYTES + 4];
    struct lines l = {.count = 0};
    sip_write_uri(uri, sizeof uri, number, &listener->address, listener->transport);
    for (size_t i = 0; who->invite && i < sizeof own / sizeof own[0]; i++)
        for (unsigned n = 0; n < who->invite->count; n++)
            if (who->invite->line[n].known == tl_header_find(own[i], strlen(own[i])))
                add_line(&l, own[i], who->invite->line[n].value);
    if (!who->invite) {
        char caller[LINE_BYTES];
        sip_write_uri(caller, sizeof caller, who->number, &listener->address, listener->transport);
        snprintf(from, sizeof from, "<%s>", caller);
        add_line(&l, "From", header_str(from));
    }
    add_line(&l, "Referred-By", (struct header_str){by.p, by.len});
    return headers_keep(
        &(struct header_view){.request = true, .uri = header_str(uri), .count = l.count, .line = l.line});
}

// The way of a call of that trunk's peer. 0 or the status that says why there is none.
static int plan_from(const struct agent *agent, const struct trunk *from, const char *number,
                     struct agent_way *way)
{
    if (!from || !from->config)
        return 404;
    return agent_route(agent->trunks.now, from->index, number, loop_now(agent->loop), way);
}

// As the party that is transferred would call the number, else as who asked would. 0 or the status that says why not.
static int plan(const struct agent_leg *who, const struct agent_leg *by, const char *number,
                struct agent_way *way)
{
    const struct agent *agent = who->owner->agent;
    int status = plan_from(agent, who->trunk, number, way);
    if (status) {
        int other = plan_from(agent, by->trunk, number, way);
        status = other == 404 ? status : other;
    }
    if (!who->trunk || !who->trunk->config)
        return 404;
    if (status)
        return status;
    return agent->counters.active >= agent_config(agent)->control.max_calls || !media_up(agent->media) ? 503
                                                                                                       : 0;
}

// Makes the call. NULL with the status that turns the REFER away.
static struct agent_call *make_target(struct agent_leg *who, struct agent_leg *by, const char *number,
                                      const struct sip_msg *refer, int *status)
{
    const struct agent_call *of = who->owner;
    struct agent_way way;
    *status = plan(who, by, number, &way);
    if (*status)
        return NULL;
    struct agent_call *c = agent_call_make(of->agent);
    *status = 500;
    if (!c)
        return NULL;
    int rc = call_init_for(&c->call, &c->env, &of->call, who->side, who->trunk->index, way.target, way.count);
    c->leg[CALL_A]->invite = make_invite(who, number, refer);
    if (rc < 0 || !c->leg[CALL_A]->invite) {
        agent_call_free(c);
        return NULL;
    }
    *status = 0;
    snprintf(c->called, sizeof c->called, "%s", number);
    memcpy(c->calling, who->number, sizeof c->calling);
    memcpy(c->leg[CALL_A]->number, who->number, sizeof who->number);
    c->own_hops = of->own_hops + 1;
    return c;
}

// ---- REFER --------------------------------------------------------------------------------------------

// Whom Refer-To names. 0, or the status that turns the REFER away.
static int read_target(const struct sip_msg *msg, char number[SIP_NUMBER_MAX])
{
    struct sip_str value = sip_msg_header(msg, "Refer-To", 0), method;
    struct sip_addr addr;
    struct sip_uri uri;
    if (!value.p || sip_msg_header(msg, "Refer-To", 1).p) // exactly one, RFC 3515 2.4.2
        return 400;
    if (!sip_read_addr(value, &addr) || !sip_read_uri(addr.uri, &uri))
        return 400;
    if (sip_read_param(uri.params, "method", &method) && !sip_str_is(method, "INVITE"))
        return 603;
    return agent_number_of(addr.uri, number) ? 0 : 603;
}

static struct agent_transfer *link_calls(struct agent_leg *by, struct agent_call *target)
{
    struct agent_transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct agent_transfer){
        .agent = by->owner->agent, .call = by->owner, .target = target, .by = by->side};
    t->call->transfer = t->target->transfer = t;
    t->call->call.leaving = 1 + by->side;
    return t;
}

static void accept_refer(struct agent_dialog *d, struct sip_txn *txn, bool quiet)
{
    char contact[AGENT_CONTACT_MAX];
    agent_contact(d->leg, sip_txn_flow(txn), contact, sizeof contact);
    sip_respond(txn, &(struct sip_answer){
                         .status = 202,
                         .contact = contact[0] ? contact : NULL, // RFC 3515 table 2
                         .headers = quiet ? "Refer-Sub: false\r\n" : NULL,
                         .allow = agent_allow(d->leg->owner->agent, agent_methods(agent_leg_trunk(d->leg)))});
}

void agent_carry_out_refer(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct agent_leg *by = d->leg;
    struct agent_call *c = by->owner, *target = NULL;
    struct agent_leg *who = c->leg[by->side ^ 1];
    char number[SIP_NUMBER_MAX];
    bool quiet = sip_msg_has_token(msg, "Refer-Sub", "false"); // RFC 4488
    uint32_t cseq = sip_msg_cseq(msg);                         // the message is gone with its answer
    int status = 0;
    if (c->call.state != CALL_UP || d != by->main || !c->call.a_has_answer ||
        !c->call.side[by->side ^ 1].dialog)
        status = c->call.state < CALL_UP ? 480 : 481;
    else if (c->transfer || agent_notify_open(by))
        status = 491; // one at a time
    else
        status = read_target(msg, number);
    if (!status)
        target = make_target(who, by, number, msg, &status);
    if (target && !link_calls(by, target)) {
        agent_call_free(target);
        status = 500;
    }
    if (status) {
        agent_relay_refuse(d, txn, msg, status);
        return;
    }
    log_line(LOG_INFO, "call %llu: %c transfers %c to %s, which is called as call %llu",
             (unsigned long long)c->id, by->side == CALL_A ? 'A' : 'B', by->side == CALL_A ? 'B' : 'A',
             number, (unsigned long long)target->id);
    accept_refer(d, txn, quiet);
    agent_notify_begin(by, cseq, quiet);
    agent_plain_event(target, CALL_EV_CALL_FOR, CALL_A, 0);
}

// ---- changing places ----------------------------------------------------------------------------------

static void swap_timer(struct agent_call *a, enum call_timer at, struct agent_call *b, enum call_timer with)
{
    struct wheel *wheel = loop_wheel(a->agent->loop);
    struct wheel_timer *one = &a->timer[at].timer, *other = &b->timer[with].timer;
    bool armed[2] = {wheel_armed(one), wheel_armed(other)};
    uint64_t due[2] = {one->due, other->due}, now = wheel->now;
    wheel_cancel(wheel, one);
    wheel_cancel(wheel, other);
    if (armed[1])
        agent_arm(a, at, due[1] > now ? due[1] - now : 0);
    if (armed[0])
        agent_arm(b, with, due[0] > now ? due[0] - now : 0);
}

static void settle(struct agent_call *c)
{
    uint64_t now = loop_now(c->agent->loop);
    agent_relays_free(c); // what is between two parties that part is answered here
    for (unsigned i = 0; i < AGENT_REFERS_MAX; i++)
        c->refers[i].used = false;
    for (unsigned s = 0; s < 2; s++) {
        agent_forget(&c->said[s]);
        c->heard_ms[s] = now;
        c->heard_limit_ms[s] = 0;
    }
}

// Puts the party on side `s` of `a` where that on side `w` of `b` is, and the other way round.
static void swap(struct agent_call *a, uint8_t s, struct agent_call *b, uint8_t w)
{
    struct agent_leg *leg = a->leg[s];
    settle(a);
    settle(b);
    call_swap(&a->call, s, &b->call, w);
    a->leg[s] = b->leg[w];
    b->leg[w] = leg;
    a->leg[s]->owner = a;
    a->leg[s]->side = s;
    b->leg[w]->owner = b;
    b->leg[w]->side = w;
    swap_timer(a, s == CALL_A ? CALL_TIMER_REFRESH_A : CALL_TIMER_REFRESH_B, b,
               w == CALL_A ? CALL_TIMER_REFRESH_A : CALL_TIMER_REFRESH_B);
    swap_timer(a, s == CALL_A ? CALL_TIMER_EXPIRY_A : CALL_TIMER_EXPIRY_B, b,
               w == CALL_A ? CALL_TIMER_EXPIRY_A : CALL_TIMER_EXPIRY_B);
}

// ---- steps --------------------------------------------------------------------------------------------

static void unlink_calls(struct agent_transfer *t)
{
    t->call->transfer = t->target->transfer = NULL;
    t->call->call.leaving = 0;
    t->call->call.frozen = false;
    wheel_cancel(loop_wheel(t->agent->loop), &t->timer);
    free(t);
}

// It came to nothing: `status` is what who asked hears.
static void fail(struct agent_transfer *t, int status)
{
    struct agent_call *call = t->call, *target = t->target;
    uint8_t by = t->by;
    log_line(LOG_INFO, "call %llu: the transfer came to nothing: %d", (unsigned long long)call->id, status);
    agent_notify_tell(call->leg[by], status);
    unlink_calls(t);
    bool alone = call->call.state == CALL_UP && !call->call.side[by].dialog;
    if (target->call.state < CALL_ENDING)
        agent_plain_event(target, CALL_EV_UNJOINED, CALL_A, 0);
    if (alone) // who asked has hung up meanwhile
        agent_plain_event(call, CALL_EV_UNJOINED, CALL_A, 0);
}

// The calls are what they are to be: who asked is on side `side` of `left`, where nobody is but it.
static void succeed(struct agent_transfer *t, struct agent_call *left, uint8_t side)
{
    struct agent_call *on = left == t->call ? t->target : t->call;
    uint8_t came = t->by;
    bool agreed = on == t->call;
    log_line(LOG_INFO, "call %llu: the transfer is done, call %llu goes on", (unsigned long long)t->call->id,
             (unsigned long long)on->id);
    agent_notify_tell(left->leg[side], 200);
    unlink_calls(t);
    if (agreed)
        agent_plain_event(on, CALL_EV_JOINED, came, 0);
    agent_plain_event(left, CALL_EV_REPLACED, side, 1);
}

static void join(struct agent_transfer *t)
{
    struct agent_call *call = t->call, *target = t->target;
    uint8_t by = t->by;
    struct agent_leg *came = target->leg[CALL_B];
    target->answer_ms = target->answer_ms ? target->answer_ms : loop_now(t->agent->loop);
    trunk_leg_answered(&came->taken, target->call.side[CALL_B].neg.ptime);
    if (!target->call.session) { // the target was promised the transferor's place
        swap(call, by, target, CALL_B);
        succeed(t, target, CALL_B);
        return;
    }
    t->stage = MOVING;
    call->call.frozen = true;
    swap(call, by ^ 1, target, CALL_A);
    agent_plain_event(target, CALL_EV_MOVED, CALL_A, 0);
}

static void on_time(void *arg)
{
    struct agent_transfer *t = arg;
    loop_now(t->agent->loop);
    if (t->stage == WAITING)
        fail(t, 504);
}

static void wait_for_rest(struct agent_transfer *t)
{
    const struct tl_control_config *config = &agent_config(t->agent)->control;
    t->stage = WAITING;
    if (!wheel_armed(&t->timer))
        wheel_add(loop_wheel(t->agent->loop), &t->timer, 64 * (uint64_t)config->t1_ms, on_time, t);
    if (call_at_rest(&t->call->call) && call_at_rest(&t->target->call))
        join(t);
}

// The one that was transferred has answered in its new place, or not.
static void moved(struct agent_transfer *t)
{
    struct agent_call *call = t->call, *target = t->target;
    if (t->joined == 200) {
        succeed(t, call, t->by);
        return;
    }
    swap(call, t->by ^ 1, target, CALL_A);
    fail(t, t->joined);
}

void agent_transfer_turn(struct agent_call *c)
{
    struct agent_transfer *t = c->transfer;
    if (!t)
        return;
    bool over = t->call->call.state >= CALL_ENDING, lost = t->target->call.state >= CALL_ENDING;
    if (t->stage == MOVING && (over || lost)) { // who was between two calls has no other any more
        struct agent_call *other = c == t->call ? t->target : t->call;
        agent_notify_tell(t->call->leg[t->by], 500);
        unlink_calls(t);
        if (other->call.state < CALL_ENDING)
            agent_plain_event(other, CALL_EV_UNJOINED, CALL_A, 0);
    } else if (over || lost) {
        fail(t, over ? 487 : t->answer >= 300 ? t->answer : 480);
    } else if (t->stage == MOVING) {
        if (t->joined)
            moved(t);
    } else if (t->target->call.state == CALL_UP) {
        wait_for_rest(t);
    }
}

void agent_transfer_drop(struct agent_call *c)
{
    if (c->transfer)
        unlink_calls(c->transfer);
}

void agent_transfer_ending(struct agent_call *c)
{
    struct agent_transfer *t = c->transfer;
    if (c == t->call)
        agent_notify_tell(c->leg[t->by], 487);
}

void agent_transfer_answer(struct agent_call *c, int status)
{
    struct agent_transfer *t = c->transfer;
    if (!t || c != t->target)
        return;
    if (status >= 200)
        t->answer = status;
    else
        agent_notify_tell(t->call->leg[t->by], status);
}

void agent_transfer_joined(struct agent_call *c, int status)
{
    if (c->transfer && c->transfer->stage == MOVING && c == c->transfer->target)
        c->transfer->joined = status;
}

void agent_transfer_past(const struct agent_call *c, struct media_past past[2])
{
    const struct agent_transfer *t = c->transfer;
    if (t && c == t->target)
        past[CALL_A] = (struct media_past){t->call->media, t->by ^ 1u};
}
