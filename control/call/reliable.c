// SPDX-License-Identifier: BSD-3-Clause
// What goes on to A of B's responses, and when: reliable provisionals one after the other, each behind its PRACK
// (RFC 3262 section 3), SDP behind the dataplane's word, the 2xx last.
#include <errno.h>

#include "control/call/call_internal.h"

// What A was answered, once more; 0 when A has answered an offer of ours since (UPDATE in the early dialog): then there is
// nothing to say again, and it was said reliably.
static int repeat_answer(const struct neg_leg *a, char *body)
{
    int len = neg_repeat_answer(a, body);
    return len == -ENOENT ? 0 : len;
}

// The SDP that a provisional of the fork has for A, into the next body. Its length, 0: none, or -errno.
static int provisional_sdp(struct call *call, struct call_fork *fork, struct call_actions *out)
{
    const struct call_side *b = &call->side[CALL_B];
    bool main = call->b_has_answered && b->main == fork->id;
    if (!fork->answered || !fork->says_sdp || fork->no_media || (!main && !call->separate) ||
        call->side[CALL_A].stands_in)
        return 0;
    if (call->late_offer) {
        // A makes no answer to an unreliable offer; its own is made once
        if (!call->side[CALL_A].reliable || call->a_offered)
            return 0;
        int len = neg_make_offer(&call->side[CALL_A].neg, &b->neg, call->env->random, act_body(out));
        call->a_offered = len > 0;
        return len;
    }
    bool told = call->separate ? fork->told : call->a_has_answer;
    struct neg_leg *a = fork_leg_a(call, fork);
    int len =
        told ? repeat_answer(a, act_body(out)) : neg_make_answer(a, fork_leg(call, fork), act_body(out));
    fork->told |= len > 0;
    call->a_has_answer |= len > 0;
    return len;
}

static void no_codec(struct call *call, struct call_actions *out, int rc)
{
    end_call(call, out, rc == -ENOTSUP ? 488 : 500, "the two sides have no codec in common");
}

// False: the call ends.
static bool tell_provisional(struct call *call, struct call_fork *fork, struct call_actions *out)
{
    int len = provisional_sdp(call, fork, out);
    if (len < 0) {
        no_codec(call, out, len);
        return false;
    }
    struct call_action *a = act_answer(call, out, CALL_A, fork->status, len);
    a->dialog = call->separate ? fork->id : 0;
    fork->status = 0;
    fork->says_sdp = false;
    if (call->side[CALL_A].reliable) {
        a->flags |= CALL_RELIABLE;
        call->prack_due = true;
        call->prack_sdp = len > 0;
    }
    return true;
}

// B has answered whom it was called for, and gets its ACK when that one is here; or nobody is called, and all who come are in
// other calls.
void tell_for(struct call *call, struct call_actions *out)
{
    call->success_due = false;
    call->state = CALL_UP;
    call->status = 200;
    act_timer(out, CALL_TIMER_SETUP, 0);
    act_duration(call, out);
    if (call->side[CALL_A].stands_in) { // else its INVITE is answered when the other one is here
        call->side[CALL_A].invite_in = false;
        act(out, CALL_DO_ANSWER, CALL_A)->status = 200;
    }
    call->a_has_answer = true;
    forks_drop(call);
}

static void tell_success(struct call *call, struct call_actions *out)
{
    struct call_side *a = &call->side[CALL_A], *b = &call->side[CALL_B];
    struct call_fork *fork =
        fork_find(call, b->main); // none: somebody else picked the call up, see call_pick()
    bool told = call->separate && fork ? fork->told : call->a_has_answer;
    int len = 0;
    if (a->stands_in) {
        tell_for(call, out);
        return;
    }
    if (call->late_offer) { // A's answer comes with its ACK, unless a PRACK brought it
        if (!call->a_offered)
            len = neg_make_offer(&a->neg, neg_has_spoken(&b->neg) ? &b->neg : NULL, call->env->random,
                                 act_body(out));
    } else if (told) {
        len = repeat_answer(&a->neg, act_body(out));
    } else {
        len = neg_make_answer(&a->neg, &b->neg, act_body(out));
    }
    if (b->ack_owed)
        act_ack(call, out, CALL_B, 0);
    if (len < 0) {
        no_codec(call, out, len);
        return;
    }
    call->a_has_answer |= !call->late_offer;
    call->success_due = false;
    call->state = CALL_UP;
    call->status = 200;
    a->dialog = true;
    act_timer(out, CALL_TIMER_SETUP, 0);
    act_duration(call, out);
    act_answer(call, out, CALL_A, 200, len)->dialog = call->separate ? a->main : 0;
    forks_drop(call);
    if (b->invite_in && !(call->late_offer && !call->a_has_answer)) { // who picked the call up
        len = neg_make_answer(&b->neg, &a->neg, act_body(out));
        if (len > 0)
            join_answer(call, out, CALL_B, len);
        else
            no_codec(call, out, len);
    }
}

void tell_a(struct call *call, struct call_actions *out)
{
    bool reliable = call->side[CALL_A].reliable;
    if (call->modifying || (call->state != CALL_CALLING && call->state != CALL_ANSWERING))
        return;
    for (struct call_fork *fork = call->forks; fork; fork = fork->next) {
        if (reliable && (call->prack_due || call->side[CALL_A].prack_in))
            break; // A's next PRACK has to find the last one answered
        if (out->bodies + 1 >= CALL_BODIES_MAX)
            break; // with the next event
        if (fork->status && !tell_provisional(call, fork, out))
            return;
    }
    if (call->success_due && !(call->prack_due && call->prack_sdp))
        tell_success(call, out);
}

// The answer to the offer that a reliable provisional of ours brought (RFC 3262 section 5).
static void take_answer(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct neg_leg *a = &call->side[CALL_A].neg;
    struct sdp sdp;
    const char *why = NULL;
    call->side[CALL_A].prack_in = false;
    if (!event->sdp || call_read_sdp(call, event, &sdp, &why) < 0 ||
        neg_take_answer(a, &sdp, event->sdp, call->env->random, &why) < 0) {
        act(out, CALL_DO_REPLY_PRACK, CALL_A)->status = 488;
        end_call(call, out, 488, "the PRACK to an offer of ours has no usable answer");
        return;
    }
    act(out, CALL_DO_REPLY_PRACK, CALL_A)->status = 200;
    call->a_has_answer = true;
    act_modify(call, out);
}

static void take_prack(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *side = &call->side[event->side];
    call->prack_due = call->prack_sdp = false;
    if (call->late_offer && call->a_offered && !call->a_has_answer) {
        take_answer(call, event, out);
        return;
    }
    if (event->sdp) {
        exchange_offer(call, event, out, BY_PRACK);
    } else {
        side->prack_in = false;
        act(out, CALL_DO_REPLY_PRACK, event->side)->status = 200;
    }
    tell_a(call, out);
}

void reliable_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->type == CALL_EV_PRACK)
        take_prack(call, event, out);
    else if (call->state == CALL_CALLING || call->state == CALL_ANSWERING) // RFC 3262 3: a 5xx
        end_call(call, out, 504, "A did not acknowledge a provisional response");
}
