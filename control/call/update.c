// SPDX-License-Identifier: BSD-3-Clause
// While the call is up: what comes is for its exchange, or ends it.
#include "control/call/call_internal.h"

static void take_bye(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *side = &call->side[event->side];
    if (join_bye(call, event, out))
        return;
    act(out, CALL_DO_REPLY, event->side)->status = 200;
    side->dialog = false;
    side->ack_due = false;
    if (side->invite_in) // answered here, because end_call() would take it for the first INVITE
        act_answer(call, out, event->side, 487, 0);
    const struct call_side *other = &call->side[call_other(event->side)];
    bool waits = other->invite_in && !other->dialog; // for who has hung up now
    end_call(call, out, waits ? 480 : 487, event->side == CALL_A ? "A hung up" : "B hung up");
    for (unsigned i = 0; i < out->count; i++)
        if (out->action[i].type == CALL_DO_BYE)
            out->action[i].flags |= CALL_RELAY;
}

// The final response to an UPDATE of ours with an offer.
static void updated(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->status < 200 || event->status >= 300) {
        exchange_failure(call, event, out);
        return;
    }
    session_taken(call, event, out);
    exchange_success(call, event, out);
}

void update_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (end_from_outside(call, event, out) || join_step(call, event, out))
        return;
    switch (event->type) {
    case CALL_EV_REINVITE:
        exchange_offer(call, event, out, BY_INVITE);
        break;
    case CALL_EV_UPDATE:
        exchange_update(call, event, out);
        break;
    case CALL_EV_PRACK:
        reliable_step(call, event, out);
        break;
    case CALL_EV_CANCEL:
        exchange_cancel(call, event, out);
        break;
    case CALL_EV_ACK:
        exchange_ack(call, event, out);
        break;
    case CALL_EV_BYE:
        take_bye(call, event, out);
        break;
    case CALL_EV_SUCCESS:
        session_taken(call, event, out);
        exchange_success(call, event, out);
        break;
    case CALL_EV_FAILURE:
    case CALL_EV_TIMEOUT:
    case CALL_EV_TRANSPORT:
        exchange_failure(call, event, out);
        break;
    case CALL_EV_UPDATED:
        if (call->side[event->side].update_bare)
            session_updated(call, event, out);
        else
            updated(call, event, out);
        break;
    case CALL_EV_NO_ACK:
        end_call(call, out, 408, event->side == CALL_A ? "A sent no ACK" : "B sent no ACK");
        break;
    case CALL_EV_GONE:
        end_call(call, out, 481, "a side no longer knows the call");
        break;
    case CALL_EV_MODIFIED:
        exchange_modified(call, event, out);
        break;
    case CALL_EV_TIMER:
        if (event->timer == CALL_TIMER_RETRY)
            exchange_retry(call, out);
        break;
    default:
        break;
    }
}
