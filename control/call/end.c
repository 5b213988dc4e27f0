// SPDX-License-Identifier: BSD-3-Clause
// How a call ends, and what is still awaited then.
#include "control/call/call_internal.h"

// Nothing is left to do or to wait for.
static void maybe_over(struct call *call, struct call_actions *out)
{
    for (int s = 0; s < 2; s++)
        if (call->side[s].bye_after_ack || call->side[s].bye_out || call->side[s].bye_waits)
            return;
    if (call->deleting || call->adding)
        return;
    call->state = CALL_OVER;
    act(out, CALL_DO_END, CALL_A);
}

static void bye(struct call *call, struct call_actions *out, uint8_t s)
{
    struct call_side *side = &call->side[s];
    side->dialog = false;
    side->bye_out = true;
    act(out, CALL_DO_BYE, s);
}

// Whoever waits for an answer of ours gets one.
static void answer_pending(struct call *call, struct call_actions *out, uint8_t s, int status,
                           const char *why)
{
    struct call_side *side = &call->side[s];
    if (side->update_in)
        act(out, CALL_DO_REPLY_UPDATE, s)->status = 487;
    if (side->prack_in)
        act(out, CALL_DO_REPLY_PRACK, s)->status = 481;
    side->update_in = side->prack_in = false;
    if (!side->invite_in)
        return;
    if (side->dialog) {
        act_answer(call, out, s, 487, 0);
        return;
    }
    if (s == CALL_A) // else somebody who picks up what A called
        call->status = status;
    if (status == 503)
        act_answer_503(call, out, s);
    else
        act_answer(call, out, s, status, 0)->warning = status == 400 || status == 488 ? why : NULL;
}

static void end_side(struct call *call, struct call_actions *out, uint8_t s)
{
    struct call_side *side = &call->side[s];
    if (side->ack_owed)
        act_ack(call, out, s, 0);
    if (side->invite_out) {
        side->invite_out = false;
        act(out, CALL_DO_ABANDON, s);
    }
    if (!side->dialog)
        side->bye_waits = false;
    else if (side->ack_due) // RFC 3261 15: no BYE to who has not ACKed yet
        side->bye_after_ack = true;
    else if (!side->bye_waits)
        bye(call, out, s);
}

// What a BYE waited for is over.
static void release(struct call *call, struct call_actions *out, uint8_t s)
{
    struct call_side *side = &call->side[s];
    bool waited = side->bye_waits && !side->bye_after_ack;
    side->bye_waits = false;
    if (waited)
        bye(call, out, s);
}

static void delete_session(struct call *call, struct call_actions *out)
{
    if (!call->session || call->adding || call->deleting)
        return; // an ADD under way is deleted when its completion is here
    call->session = false;
    call->deleting = true;
    act(out, CALL_DO_DEL, CALL_A);
}

void end_call(struct call *call, struct call_actions *out, int status, const char *why)
{
    call->why = why;
    call->state = CALL_ENDING;
    for (int t = 0; t < CALL_TIMER_COUNT; t++)
        act_timer(out, (enum call_timer)t, 0);
    for (uint8_t s = 0; s < 2; s++) {
        answer_pending(call, out, s, status, why);
        end_side(call, out, s);
    }
    exchange_drop(call);
    forks_drop(call);
    delete_session(call, out);
    maybe_over(call, out);
}

bool end_from_outside(struct call *call, const struct call_event *event, struct call_actions *out)
{
    bool up = call->state == CALL_UP;
    switch (event->type) {
    case CALL_EV_HANGUP:
        call->cause = CALL_Q850_NORMAL;
        end_call(call, out, 480, "ended by the operator");
        return true;
    case CALL_EV_DEAD:
        call->cause = CALL_Q850_TIMER;
        end_call(call, out, up ? 487 : 408,
                 event->side == CALL_A ? "no media from A for the timeout of its trunk"
                                       : "no media from B for the timeout of its trunk");
        return true;
    case CALL_EV_MEDIA_LOST:
        call->session = false;
        call->cause = CALL_Q850_TEMPORARY;
        end_call(call, out, 503, "the dataplane lost the session");
        return true;
    case CALL_EV_REPLACED:
        join_replaced(call, event, out);
        return true;
    case CALL_EV_UNJOINED:
        end_call(call, out, event->status ? event->status : 487,
                 event->status == 488 ? "who replaces a party has no codec in common with the other one"
                 : event->status      ? "whom it was to talk to did not come"
                                      : "a transfer came to nothing");
        return true;
    case CALL_EV_TIMER:
        if (event->timer != CALL_TIMER_DURATION || !up)
            return false;
        call->cause = CALL_Q850_NORMAL;
        end_call(call, out, 487, "the call lasted for max_duration_s of its trunk");
        return true;
    default:
        return false;
    }
}

void end_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *side = &call->side[event->side];
    switch (event->type) {
    case CALL_EV_BYE: // both hang up at once: theirs is as good as an answer to ours
        act(out, CALL_DO_REPLY, event->side)->status = 200;
        side->bye_after_ack = side->bye_waits = false;
        break;
    case CALL_EV_REINVITE:
        act_answer(call, out, event->side, 481, 0);
        break;
    case CALL_EV_UPDATE:
        side->update_in = false;
        act(out, CALL_DO_REPLY_UPDATE, event->side)->status = 481;
        break;
    case CALL_EV_PRACK:
        side->prack_in = false;
        act(out, CALL_DO_REPLY_PRACK, event->side)->status = 481;
        break;
    case CALL_EV_ACK:
    case CALL_EV_NO_ACK:
        side->ack_due = false;
        if (side->bye_after_ack) {
            side->bye_after_ack = false;
            if (!side->bye_waits)
                bye(call, out, event->side);
        }
        break;
    case CALL_EV_RELEASED:
        release(call, out, event->side);
        break;
    case CALL_EV_BYE_DONE:
        side->bye_out = false;
        break;
    case CALL_EV_ADDED:
        call->adding = false;
        call->session = event->status == 0;
        delete_session(call, out);
        break;
    case CALL_EV_DELETED:
        call->deleting = false;
        break;
    default:
        break;
    }
    maybe_over(call, out);
}
