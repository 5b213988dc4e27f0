// SPDX-License-Identifier: BSD-3-Clause
// A REFER that we carry out (RFC 3515, RFC 5589): the target is called in a call of its own, in which somebody stands in for
// the party that is transferred. When it has answered and both calls are at rest, parties change places:
//
//   same realm    the target goes where the transferor was: port, keys and indices of the other one stay what they are
//   another one   the one that is transferred goes where somebody stood in for it, and is told of its new port first
//
// Where Refer-To replaces another call of the transferor's with us nobody is called: a call is made in which somebody
// stands in on both sides, and the parties that those two calls have at their other ends go there, one after the other.
//
// An INVITE that replaces a party from another realm (replace.c) is a transfer, too: its call is the target's, in which somebody
// stands in for the one who stays and goes there; who is replaced is "who asked", and is told nothing.
//
// What is left in any case are calls of the transferor with nobody, which end. What fails leaves the calls as they were.
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

struct agent_transfer {
    struct agent *agent;
    struct transfer is;
    struct agent_call *call;   // of who asked and who is transferred
    struct agent_call *target; // of who stands in and the target
    struct agent_call *second; // attended: the transferor's other call, else NULL
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
    sip_write_uri(uri, sizeof uri, who->scheme, number, tl_listener_shown(listener), listener->transport);
    for (size_t i = 0; who->invite && i < sizeof own / sizeof own[0]; i++)
        for (unsigned n = 0; n < who->invite->count; n++)
            if (who->invite->line[n].known == tl_header_find(own[i], strlen(own[i])))
                add_line(&l, own[i], who->invite->line[n].value);
    if (!who->invite) {
        char caller[LINE_BYTES];
        sip_write_uri(caller, sizeof caller, who->scheme, who->number, tl_listener_shown(listener),
                      listener->transport);
        snprintf(from, sizeof from, "<%s>", caller);
        add_line(&l, "From", header_str(from));
    }
    add_line(&l, "Referred-By", (struct header_str){by.p, by.len});
    return headers_keep(
        &(struct header_view){.request = true, .uri = header_str(uri), .count = l.count, .line = l.line});
}

// The way of a call of that trunk's peer, to which `who` is transferred. 0 or the status that says why there is none.
static int plan_from(const struct agent_leg *who, const struct trunk *from, const char *number,
                     struct way *way)
{
    const struct agent *agent = who->owner->agent;
    if (!from || !from->config)
        return 404;
    const struct way_ask ask = {.from = from->index,
                                .called = number,
                                .calling = who->number,
                                .need = agent_need(who->owner->sips),
                                .now_ms = loop_now(agent->loop)};
    return way_find_inside(agent->trunks.now, &ask, way);
}

// Leaves out what a peer may not reach: by a REFER it would have us call another peer as our own party, at our cost.
static void close_to_peers(const struct tl_config *config, struct way *way)
{
    unsigned n = 0;
    for (unsigned i = 0; i < way->count; i++)
        if (way->peer_to_peer || config->trunks[way->target[i].trunk].side != TL_SIDE_PEER)
            way->target[n++] = way->target[i];
    way->count = n;
}

// As the party that is transferred would call the number, else as who asked would. 0 or the status that says why not.
static int plan(const struct agent_leg *who, const struct agent_leg *by, const char *number, struct way *way)
{
    const struct agent *agent = who->owner->agent;
    char inside[NUMBER_MAX]; // Refer-To has the number as the transferor calls it
    number_translate(by->generation->config, agent_leg_trunk(by)->called_in, number, inside);
    int status = plan_from(who, who->trunk, inside, way);
    if (!status && agent_leg_trunk(by)->side == TL_SIDE_PEER) {
        close_to_peers(agent_config(agent), way);
        status = way->count ? 0 : 403;
    }
    if (status) {
        int other = plan_from(who, by->trunk, inside, way);
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
    struct way way;
    *status = plan(who, by, number, &way);
    if (*status == 404 || *status == 480)
        *status = 603; // these would end the transferor's dialog or its call, RFC 5057 5.1
    if (*status)
        return NULL;
    struct agent_call *c = agent_call_make(of->agent);
    *status = 500;
    if (!c)
        return NULL;
    struct call_target target[TL_ROUTE_TRUNKS_MAX];
    agent_targets(&way, 0, target);
    int rc = call_init_for(&c->call, &c->env, &of->call, who->side, who->trunk->index, target, way.count);
    c->leg[CALL_A]->invite = make_invite(who, number, refer);
    if (rc < 0 || !c->leg[CALL_A]->invite) {
        agent_call_free(c);
        return NULL;
    }
    *status = 0;
    memcpy(c->called, way.called, sizeof c->called);
    memcpy(c->calling, who->number, sizeof c->calling);
    memcpy(c->said_calling, who->number, sizeof c->said_calling);
    memcpy(c->leg[CALL_A]->number, who->number, sizeof who->number);
    c->emergency = way.emergency;
    c->sips = of->sips;
    c->leg[CALL_A]->scheme = who->scheme;
    c->own_hops = of->own_hops + 1;
    return c;
}

// Makes the call of the two whom the transferor talks to in two calls. NULL with the status that turns the REFER away.
static struct agent_call *make_between(const struct agent_leg *one, const struct agent_leg *other,
                                       int *status)
{
    struct agent *agent = one->owner->agent;
    bool gone = !one->trunk || !one->trunk->config || !other->trunk || !other->trunk->config;
    *status = gone ? 603
              : agent->counters.active >= agent_config(agent)->control.max_calls || !media_up(agent->media)
                  ? 503
                  : 0;
    struct agent_call *c = *status ? NULL : agent_call_make(agent);
    if (!c) {
        *status = *status ? *status : 500;
        return NULL;
    }
    if (call_init_between(&c->call, &c->env, &one->owner->call, one->side, one->trunk->index,
                          &other->owner->call, other->side, other->trunk->index) < 0) {
        agent_call_free(c);
        *status = 500;
        return NULL;
    }
    c->sips = one->owner->sips;
    memcpy(c->calling, one->number, sizeof c->calling);
    memcpy(c->called, other->number, sizeof c->called);
    return c;
}

// ---- REFER --------------------------------------------------------------------------------------------

// Whom Refer-To names, and the Replaces in it, "" for none. 0, or the status that turns the REFER of `by` away.
static int read_target(const struct agent_leg *by, const struct sip_msg *msg, char number[SIP_NUMBER_MAX],
                       char replaces[SIP_REPLACES_MAX])
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
    if (agent_asks_for_more(by, addr.uri))
        return 603;
    sip_uri_header(&uri, "Replaces", replaces, SIP_REPLACES_MAX);
    return agent_number_of(addr.uri, number) ? 0 : 603;
}

// The transferor's leg in another call with us that Replaces names. NULL: it is no dialog of ours, which whoever is called
// may know; or *status turns the REFER away.
static struct agent_leg *find_second(const struct agent_leg *by, const char *text, int *status)
{
    struct sip_replaces replaces;
    if (!text[0])
        return NULL;
    if (!sip_read_replaces((struct sip_str){text, strlen(text)}, &replaces)) {
        *status = 400;
        return NULL;
    }
    const struct agent_dialog *d = agent_find_replaced(by->owner->agent, &replaces);
    if (!d)
        return NULL;
    const struct agent_call *c = d->leg->owner;
    if (d->leg->trunk != by->trunk) // another trunk's call is not the transferor's to give away
        *status = 403;
    else if (c == by->owner)
        *status = 400;
    else if (c->sips !=
             by->owner->sips) // one of the two would talk to somebody without TLS, RFC 5630 5.1.1.3
        *status = 603;
    else if (c->transfer || call_is_joining(&c->call))
        *status = 491;
    else if (c->call.state != CALL_UP || d != d->leg->main || !c->call.a_has_answer ||
             !c->call.side[d->leg->side ^ 1].dialog)
        *status = 603; // who rings there cannot be given to anybody yet
    return *status ? NULL : d->leg;
}

static struct agent_transfer *link_calls(struct agent_leg *by, struct agent_leg *second,
                                         struct agent_call *target)
{
    struct agent_transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct agent_transfer){
        .agent = by->owner->agent,
        .call = by->owner,
        .target = target,
        .is = {.by = by->side, .call = by->owner->id, .target = target->id, .attended = second != NULL}};
    t->call->transfer = t->target->transfer = t;
    t->call->call.leaving = 1 + by->side;
    if (second) {
        t->second = second->owner;
        t->is.second = second->owner->id;
        t->is.by_second = second->side;
        t->second->transfer = t;
        t->second->call.leaving = 1 + second->side;
    }
    return t;
}

bool agent_transfer_replace(const struct agent_dialog *d, struct agent_call *c)
{
    struct agent_leg *by = d->leg;
    const struct agent_leg *who = by->owner->leg[by->side ^ 1];
    struct agent_transfer *t = link_calls(by, NULL, c);
    if (!t)
        return false;
    t->is.replaces = true;
    t->is.dialog = d->id;
    memcpy(c->leg[CALL_A]->contact, who->number, sizeof who->number);
    memcpy(c->called, who->number, sizeof c->called);
    return true;
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
    struct agent_leg *second = NULL;
    char number[SIP_NUMBER_MAX], replaces[SIP_REPLACES_MAX] = "";
    bool quiet = sip_msg_has_token(msg, "Refer-Sub", "false"); // RFC 4488
    uint32_t cseq = sip_msg_cseq(msg);                         // the message is gone with its answer
    int status = 0;
    if (c->call.state != CALL_UP || d != by->main || !c->call.a_has_answer ||
        !c->call.side[by->side ^ 1].dialog)
        status = c->call.state < CALL_UP ? 480 : 481;
    else if (c->transfer || agent_notify_open(by) || call_is_joining(&c->call))
        status = 491; // one at a time
    else
        status = read_target(by, msg, number, replaces);
    if (!status)
        second = find_second(by, replaces, &status);
    if (!status && second)
        target = make_between(who, second->owner->leg[second->side ^ 1], &status);
    else if (!status)
        target = make_target(who, by, number, msg, &status);
    if (target && replaces[0] && !second)
        target->replaces = strdup(replaces);
    if (target && !link_calls(by, second, target)) {
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
    // what is between two parties that part can be asked again; 481 would end its dialog (RFC 5057 5.1)
    agent_relays_free(c, 500);
    for (unsigned i = 0; i < AGENT_REFERS_MAX; i++)
        c->refers[i].used = false;
    for (unsigned s = 0; s < 2; s++) {
        agent_forget(&c->said[s]);
        c->heard_ms[s] = now;
        c->heard_limit_ms[s] = 0;
    }
}

void agent_swap(struct agent_call *a, uint8_t s, struct agent_call *b, uint8_t w)
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
    struct agent_call *const calls[] = {t->call, t->target, t->second};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i]) {
            calls[i]->transfer = NULL;
            calls[i]->call.leaving = 0;
            calls[i]->call.frozen = false;
        }
    wheel_cancel(loop_wheel(t->agent->loop), &t->timer);
    free(t);
}

static bool has_ended(const struct agent_call *c)
{
    return c && c->call.state >= CALL_ENDING;
}

enum { BACK_NOBODY = 0, BACK_A = 1 << CALL_A, BACK_B = 1 << CALL_B };

// It came to nothing: `status` is what who asked hears. `back`: which of those who were to talk to each other was told of
// another place, and is told of its own once more.
static void fail(struct agent_transfer *t, int status, unsigned back)
{
    struct agent_call *call = t->call, *target = t->target, *second = t->second;
    uint8_t by = t->is.by, by_second = t->is.by_second;
    log_line(LOG_INFO, "call %llu: the %s came to nothing: %d", (unsigned long long)call->id,
             t->is.replaces ? "replacement" : "transfer", status);
    int tell = t->is.replaces ? status : 0; // whose INVITE waits hears why
    agent_notify_tell(call->leg[by], status);
    unlink_calls(t);
    // who asked may have hung up meanwhile: then nobody is there any more for the others
    bool alone = !has_ended(call) && !call->call.side[by].dialog;
    if (!has_ended(target))
        agent_plain_event(target, CALL_EV_UNJOINED, CALL_A, tell);
    if (second && !has_ended(second) && !second->call.side[by_second].dialog)
        agent_plain_event(second, CALL_EV_UNJOINED, CALL_A, 0);
    else if (second && !has_ended(second) && back & BACK_B)
        agent_plain_event(second, CALL_EV_MOVED, by_second ^ 1u, 0);
    if (alone)
        agent_plain_event(call, CALL_EV_UNJOINED, CALL_A, 0);
    else if (back & BACK_A && !has_ended(call))
        agent_plain_event(call, CALL_EV_MOVED, by ^ 1u, 0);
}

// The calls are what they are to be: who asked is where nobody is but it.
static void succeed(struct agent_transfer *t, bool agreed)
{
    struct agent_call *on = agreed ? t->call : t->target, *left = agreed ? t->target : t->call;
    struct agent_call *second = t->second;
    uint8_t by = t->is.by, by_second = t->is.by_second, of = agreed ? (uint8_t)CALL_B : by;
    bool waits = left->leg[of]->notifier; // whose last word calls its BYE
    log_line(LOG_INFO, "call %llu: the %s is done, call %llu goes on", (unsigned long long)t->call->id,
             t->is.replaces ? "replacement" : "transfer", (unsigned long long)on->id);
    agent_notify_tell(left->leg[of], 200);
    unlink_calls(t);
    if (agreed)
        agent_plain_event(on, CALL_EV_JOINED, by, 0);
    agent_plain_event(left, CALL_EV_REPLACED, of, waits);
    if (second)
        agent_plain_event(second, CALL_EV_REPLACED, by_second, 0);
}

// Where in the target's call the party of `t->call` goes.
static uint8_t place(const struct agent_transfer *t)
{
    return t->is.replaces ? CALL_B : CALL_A;
}

// Changes places between the target's call and the one where that side's party comes from.
static void change(struct agent_transfer *t, uint8_t side)
{
    bool first = side == place(t);
    agent_swap(first ? t->call : t->second, (first ? t->is.by : t->is.by_second) ^ 1, t->target, side);
}

static void move(struct agent_transfer *t, uint8_t side)
{
    t->is.stage = TRANSFER_MOVING;
    t->is.moving = side;
    t->is.joined = 0;
    (side == place(t) ? t->call : t->second)->call.frozen = true;
    change(t, side);
    agent_connected(t->target->leg[side]);
    agent_plain_event(t->target, CALL_EV_MOVED, side, 0);
}

static void join(struct agent_transfer *t)
{
    struct agent_call *target = t->target;
    struct agent_leg *came = target->leg[CALL_B];
    if (t->is.replaces) { // answered when the party is here
        move(t, place(t));
        return;
    }
    target->answer_ms = target->answer_ms ? target->answer_ms : loop_now(t->agent->loop);
    if (came->main) // else who is there comes from another call, where that was noted
        trunk_leg_answered(&came->taken, target->call.side[CALL_B].neg.ptime);
    if (target->call.session) {
        if (t->second) // its party moves next
            t->second->call.frozen = true;
        move(t, CALL_A);
        return;
    }
    agent_swap(t->call, t->is.by, target, CALL_B); // the target was promised the transferor's place
    agent_connected(t->call->leg[t->is.by ^ 1]);
    succeed(t, true);
}

static void on_time(void *arg)
{
    struct agent_transfer *t = arg;
    loop_now(t->agent->loop);
    if (t->is.stage == TRANSFER_WAITING)
        fail(t, 504, BACK_NOBODY);
}

static void wait_for_rest(struct agent_transfer *t)
{
    const struct tl_control_config *config = &agent_config(t->agent)->control;
    t->is.stage = TRANSFER_WAITING;
    if (!wheel_armed(&t->timer))
        wheel_add(loop_wheel(t->agent->loop), &t->timer, 64 * (uint64_t)config->t1_ms, on_time, t);
    if (call_at_rest(&t->call->call) && call_at_rest(&t->target->call) &&
        (!t->second || call_at_rest(&t->second->call)))
        join(t);
}

// A party is back where it was; whom it talks to is only news if it has been told of another one.
static void back_again(struct agent_transfer *t, uint8_t side)
{
    bool first = side == place(t);
    change(t, side);
    struct agent_call *c = first ? t->call : t->second;
    struct agent_leg *leg = c->leg[(first ? t->is.by : t->is.by_second) ^ 1];
    bool told = !leg->news;
    agent_connected(leg);
    leg->news = leg->news && told;
}

// Who was moved has answered in its new place, or not.
static void moved(struct agent_transfer *t)
{
    if (t->is.joined != 200) {
        bool first = t->is.moving == place(t);
        unsigned back = first ? BACK_NOBODY : BACK_A;
        if (t->target->call.join_misled)
            back |= first ? BACK_A : BACK_B;
        back_again(t, t->is.moving);
        if (!first)
            back_again(t, place(t));
        fail(t, t->is.joined, back);
    } else if (t->second && t->is.moving == CALL_A) {
        move(t, CALL_B);
    } else {
        succeed(t, false);
    }
}

// A call ended while its parties were between two calls: who has nobody any more is let go.
static void part(struct agent_transfer *t)
{
    struct agent_call *const calls[] = {t->call, t->target, t->second};
    agent_notify_tell(t->call->leg[t->is.by], 480);
    unlink_calls(t);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i] && !has_ended(calls[i]) && (i == 1 || call_stands_in(&calls[i]->call)))
            agent_plain_event(calls[i], CALL_EV_UNJOINED, CALL_A, 0);
}

// The one who rings in the call is let go, its caller is answered and waits. Later, where the call cannot be picked up now.
static void vacate(struct agent_transfer *t)
{
    struct agent_call *of = t->call;
    if (!call_can_be_picked_up(&of->call))
        return;
    if (!call_fits(&t->target->call, &of->call, t->is.by)) {
        fail(t, 488, BACK_NOBODY);
        return;
    }
    call_pick(&of->call, t->is.dialog);
    if (call_stand_for(&of->call, &t->target->call) < 0) {
        fail(t, 500, BACK_NOBODY);
    } else {
        agent_attempt_result(of, 487); // nobody is to blame that another one answers
        agent_plain_event(of, CALL_EV_VACATED, CALL_B, 0);
    }
}

void agent_transfer_turn(struct agent_call *c)
{
    struct agent_transfer *t = c->transfer;
    if (!t)
        return;
    bool ended = has_ended(t->call) || has_ended(t->target) || has_ended(t->second);
    if (ended && t->is.stage == TRANSFER_MOVING)
        part(t);
    else if (ended)
        fail(t,
             has_ended(t->call)                            ? 487
             : has_ended(t->target) && t->is.answer >= 300 ? t->is.answer
                                                           : 480,
             BACK_NOBODY);
    else if (t->is.stage == TRANSFER_MOVING && t->is.joined)
        moved(t);
    else if (t->is.stage != TRANSFER_MOVING && t->target->call.state == CALL_UP) {
        if (t->is.replaces && t->call->call.state < CALL_ANSWERING)
            vacate(t);
        else
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
    const struct agent_transfer *t = c->transfer;
    if (c == t->call)
        agent_notify_tell(c->leg[t->is.by], 487);
}

void agent_transfer_answer(struct agent_call *c, int status)
{
    struct agent_transfer *t = c->transfer;
    if (!t || c != t->target)
        return;
    if (status >= 200)
        t->is.answer = (uint16_t)status;
    else
        agent_notify_tell(t->call->leg[t->is.by], status);
}

void agent_transfer_joined(struct agent_call *c, int status)
{
    if (c->transfer && c->transfer->is.stage == TRANSFER_MOVING && c == c->transfer->target)
        c->transfer->is.joined = (uint16_t)status;
    else if (!c->transfer && status != 200) // it came back and cannot be told: its media is nowhere
        agent_later(c, &(struct call_event){.type = CALL_EV_UNJOINED});
}

void agent_transfer_past(const struct agent_call *c, struct media_past past[2])
{
    const struct agent_transfer *t = c->transfer;
    if (!t || c != t->target)
        return;
    past[place(t)] = (struct media_past){t->call->media, t->is.by ^ 1u};
    if (t->second)
        past[CALL_B] = (struct media_past){t->second->media, t->is.by_second ^ 1u};
}
