// SPDX-License-Identifier: BSD-3-Clause
// Offers after the first one (RFC 3264 section 8, RFC 6337): whoever makes one, and whatever carries it, it is one object
// that ends taken by both sides and the dataplane, or undone.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/call/call_internal.h"

// ---- the object ---------------------------------------------------------------------------------------

void exchange_drop(struct call *call)
{
    if (!call->x)
        return;
    neg_fini(&call->x->neg[CALL_A]);
    neg_fini(&call->x->neg[CALL_B]);
    free(call->x);
    call->x = NULL;
}

struct call_exchange *exchange_begin(struct call *call, uint8_t from, enum carrier in)
{
    struct call_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    *x = (struct call_exchange){
        .from = from, .in = in, .neg = {call->side[CALL_A].neg, call->side[CALL_B].neg}};
    call->x = x;
    return x;
}

// What was said stays said: the next SDP to that side is a newer version, also when this one was refused.
static void keep_versions(struct call *call)
{
    for (int s = 0; s < 2; s++)
        neg_keep_version(&call->side[s].neg, &call->x->neg[s]);
}

void exchange_commit(struct call *call)
{
    call->side[CALL_A].neg = call->x->neg[CALL_A];
    call->side[CALL_B].neg = call->x->neg[CALL_B];
    exchange_drop(call);
}

// ---- answering who began ------------------------------------------------------------------------------

struct call_action *exchange_reply(struct call *call, struct call_actions *out, uint8_t side, enum carrier in,
                                   int status, int len)
{
    struct call_side *s = &call->side[side];
    struct call_action *a = NULL;
    if (in == BY_INVITE && s->invite_in) {
        return act_answer(call, out, side, status, len);
    } else if (in == BY_UPDATE && s->update_in) {
        a = act_with_body(out, CALL_DO_REPLY_UPDATE, side, len);
        s->update_in = false;
    } else if (in == BY_PRACK && s->prack_in) {
        a = act_with_body(out, CALL_DO_REPLY_PRACK, side, len);
        s->prack_in = false;
    }
    if (a)
        a->status = status;
    if (a && in == BY_UPDATE)
        session_answer(call, out, a, REFRESH_UPDATE);
    return a;
}

// Turns the offer away; the call stays as it was (RFC 3261 14.1).
void exchange_refuse(struct call *call, struct call_actions *out, int status, const char *why)
{
    uint8_t from = call->x->from;
    enum carrier in = call->x->in;
    keep_versions(call);
    exchange_drop(call);
    struct call_action *a = exchange_reply(call, out, from, in, status, 0);
    if (a && (status == 400 || status == 488))
        a->warning = why;
}

// ---- where an offer goes ------------------------------------------------------------------------------

// How the other side is asked: BY_NONE where it cannot be, or not yet (RFC 3311 5.1: inside an early dialog only behind a
// reliable answer). Then the offer is answered here, and the dataplane converts.
enum carrier exchange_way(const struct call *call, uint8_t to, enum carrier in)
{
    const struct call_side *side = &call->side[to];
    bool update = side->allow & CALL_METHOD_UPDATE && !side->update_out && call_trunk(call, to)->update;
    if (call->state == CALL_UP)
        return !side->dialog ? BY_NONE : in != BY_INVITE && update ? BY_UPDATE : BY_INVITE;
    if (to == CALL_A)
        return update && call->a_has_answer && side->reliable && !call->prack_due ? BY_UPDATE : BY_NONE;
    return update && call->b_has_answered && side->reliable ? BY_UPDATE : BY_NONE;
}

void exchange_send(struct call *call, struct call_actions *out, uint8_t to, int len)
{
    bool update = call->x->out == BY_UPDATE;
    if (update)
        call->side[to].update_out = true;
    else
        call->side[to].invite_out = true;
    struct call_action *a = act_with_body(out, update ? CALL_DO_UPDATE : CALL_DO_REINVITE, to, len);
    a->flags = call->x->refresh ? CALL_REFRESH : 0;
    session_ask(call, a);
}

// An offer of `side` that cannot be taken now: 0, or the status that says so. RFC 3261 14.2, RFC 3311 5.2: 491 where one of
// ours is out, 500 where an earlier one of its own was not answered yet.
int exchange_glare(const struct call *call, uint8_t side, enum carrier in)
{
    const struct call_side *from = &call->side[side], *to = &call->side[call_other(side)];
    if (call->frozen || call->join_tries) // an offer of ours is out, or waits for its time
        return 491;
    if (call->x)
        return call->x->from == side && call->x->in != BY_NONE && in != BY_INVITE ? 500 : 491;
    // in an early dialog an INVITE of ours is out, but its offer has been answered (below)
    if (call->modifying || (from->update_out && !from->update_bare) ||
        (call->state == CALL_UP && from->invite_out))
        return 491;
    if (call->state == CALL_UP) {
        if (from->ack_due && in == BY_INVITE)
            return 491;
        if (to->ack_due &&
            exchange_way(call, call_other(side), in) == BY_INVITE) // RFC 3261 14.1: nor one of ours
            return 491;
        return to->invite_out || to->invite_in || (call->late_offer && !call->a_has_answer) ? 491 : 0;
    }
    if (side == CALL_A)
        return call->a_has_answer ? 0 : call->a_offered ? 491 : 500;
    return call->b_has_answered && (!call->late_offer || call->a_has_answer) ? 0 : 491;
}

// ---- an offer comes -----------------------------------------------------------------------------------

// Both legs are as they should be but for the dataplane, and `from` waits for its answer.
void exchange_tell_media(struct call *call, struct call_actions *out)
{
    call->x->stage = EXCHANGE_MEDIA;
    act_modify(call, out);
}

// A refresh: nothing has changed, so nobody has to be asked (RFC 4028 7.4 says the same of session timers).
static void answer_unchanged(struct call *call, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    uint8_t from = x->from;
    enum carrier in = x->in;
    int len = neg_repeat_answer(&x->neg[from], act_body(out));
    if (len == -ENOENT)
        len = neg_make_answer(&x->neg[from], &x->neg[call_other(from)], act_body(out));
    if (len < 0) {
        exchange_refuse(call, out, 488, "the two sides have no codec in common");
        return;
    }
    exchange_commit(call);
    exchange_reply(call, out, from, in, 200, len);
}

// A refresh while the other side is busy with something that this one has no part in (an ACK is on its way, a refresh of ours
// is out): nobody has to be asked, so it has not to wait. Session timers of two legs that fire at once would otherwise end
// the call. False: it is none.
static bool answer_beside(struct call *call, const struct call_event *event, struct call_actions *out,
                          enum carrier in)
{
    uint8_t from = event->side, to = call_other(from);
    struct call_side *side = &call->side[from];
    const struct call_exchange *x = call->x;
    struct sdp sdp;
    const char *why;
    bool apart = !x || (x->in == BY_NONE && x->from == from);
    if (call->state != CALL_UP || !event->sdp || !apart || side->invite_out || side->ack_due ||
        (side->update_out && !side->update_bare) || (call->late_offer && !call->a_has_answer) ||
        sdp_parse(&sdp, event->sdp, event->sdp_len, &why) < 0 || !neg_same_sdp(&side->neg, &sdp, event->sdp))
        return false;
    struct neg_leg leg = side->neg;
    int len = neg_take_offer(&leg, &sdp, event->sdp, call->env->random, &why);
    if (len == 0)
        len = neg_repeat_answer(&leg, act_body(out));
    if (len == -ENOENT)
        len = neg_make_answer(&leg, &call->side[to].neg, act_body(out));
    if (len > 0) {
        side->neg = leg;
        if (x)
            call->x->neg[from] = leg;
        exchange_reply(call, out, from, in, 200, len);
    }
    neg_fini(&leg);
    return len > 0;
}

// An early dialog that is not the main one changes nothing for anybody else: neither a fork of B nor A's dialog that stands
// for it.
static void answer_fork(struct call *call, const struct call_event *event, struct call_actions *out,
                        enum carrier in)
{
    struct call_fork *fork = fork_find(call, event->dialog);
    bool of_a = event->side == CALL_A;
    struct neg_leg leg;
    struct sdp sdp;
    const char *why = NULL;
    int len = -EBUSY;
    if (fork && fork->answered && (!of_a || fork->told)) {
        struct neg_leg *its = of_a ? fork_leg_a(call, fork) : &fork->neg;
        leg = *its;
        len = call_read_sdp(call, event, &sdp, &why) < 0 ? -ENOTSUP : 0;
        if (len == 0)
            len = neg_take_offer(&leg, &sdp, event->sdp, call->env->random, &why);
        if (len == 0)
            len = neg_make_answer(&leg, of_a ? &fork->neg : fork_leg_a(call, fork), act_body(out));
        if (len > 0)
            *its = leg;
        neg_fini(&leg);
    }
    exchange_reply(call, out, event->side, in, len > 0 ? 200 : len == -EBUSY ? 491 : 488, len);
}

static void take_offer(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    uint8_t from = x->from, to = call_other(from);
    struct sdp sdp;
    const char *why = NULL;
    if (call_read_sdp(call, event, &sdp, &why) < 0) {
        exchange_refuse(call, out, 400, why);
        return;
    }
    bool unchanged = neg_same_sdp(&x->neg[from], &sdp, event->sdp);
    int len = neg_take_offer(&x->neg[from], &sdp, event->sdp, call->env->random, &why);
    if (len == 0 && unchanged) {
        answer_unchanged(call, out);
        return;
    }
    if (len == 0 && x->out == BY_NONE) {
        exchange_tell_media(call, out);
        return;
    }
    if (len == 0)
        len = neg_make_offer(&x->neg[to], &x->neg[from], call->env->random, act_body(out));
    if (len < 0)
        exchange_refuse(call, out, len == -ENOTSUP ? 488 : 500, why);
    else
        exchange_send(call, out, to, len);
}

void exchange_offer(struct call *call, const struct call_event *event, struct call_actions *out,
                    enum carrier in)
{
    uint8_t from = event->side, to = call_other(from);
    bool early = call->state != CALL_UP;
    if (early && (from == CALL_B || call->separate) && call->b_has_answered &&
        event->dialog != call->side[from].main) {
        answer_fork(call, event, out, in);
        return;
    }
    int status =
        in == BY_PRACK ? 0 : session_asked(call, event, in == BY_INVITE ? REFRESH_INVITE : REFRESH_UPDATE);
    if (status) {
        exchange_reply(call, out, from, in, status, 0);
        return;
    }
    if (answer_beside(call, event, out, in))
        return;
    status = exchange_glare(call, from, in);
    if (status) {
        struct call_action *a = exchange_reply(call, out, from, in, status, 0);
        uint8_t wait = 0;
        if (a && status == 500 && call->env->random.fill(call->env->random.arg, &wait, 1) == 0)
            a->retry_after = 1 + wait % 10; // RFC 3311 5.2: 0 to 10 s
        return;
    }
    struct call_exchange *x = exchange_begin(call, from, in);
    if (!x) {
        exchange_reply(call, out, from, in, 500, 0);
        return;
    }
    x->stage = EXCHANGE_ASKED;
    x->out = exchange_way(call, to, in);
    x->late = !event->sdp;
    if (x->late) // only an INVITE comes without one, and only to a call that is up
        exchange_send(call, out, to, 0);
    else
        take_offer(call, event, out);
}

void exchange_update(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->sdp)
        exchange_offer(call, event, out, BY_UPDATE);
    else
        session_update(call, event, out);
}

// ---- another fork takes the call ----------------------------------------------------------------------

// What was on its way between A's dialog for the lost fork and that fork is for neither of them any more.
static void drop_with_fork(struct call *call, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    call->side[CALL_A].update_out = false;
    exchange_reply(call, out, x->from, x->in, 481, 0);
    exchange_drop(call);
}

void exchange_moves(struct call *call, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    call->side[CALL_B].update_out = false; // of the fork that lost
    if (!x)
        return;
    if (call->separate) {
        drop_with_fork(call, out);
        return;
    }
    neg_fini(&x->neg[CALL_B]);
    x->neg[CALL_B] = call->side[CALL_B].neg;
    if (x->from == CALL_A) { // its offer is answered here
        x->out = BY_NONE;
        x->stage = EXCHANGE_MEDIA;
        return;
    }
    exchange_reply(call, out, CALL_B, x->in, 487, 0);
    if (x->stage == EXCHANGE_ASKED)
        x->stage = EXCHANGE_QUIET;
    else
        x->undo = x->out != BY_NONE; // A took what the lost fork offered
}
