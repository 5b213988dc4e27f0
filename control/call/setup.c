// SPDX-License-Identifier: BSD-3-Clause
// From A's INVITE to its 2xx: media, B, fail-over, early media.
#include <errno.h>
#include <string.h>

#include "control/call/call_internal.h"

static const struct tl_trunk_config *trunk_b(const struct call *call)
{
    return &call->env->config->trunks[call->side[CALL_B].trunk];
}

static bool same_realm(const struct call *call, uint32_t one, uint32_t other)
{
    return call->env->config->trunks[one].realm == call->env->config->trunks[other].realm;
}

static void ask_for_media(struct call *call, struct call_actions *out)
{
    call->state = CALL_ADDING;
    call->session = true;
    call->adding = true;
    act(out, CALL_DO_ADD, CALL_A);
}

static void take_invite(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct neg_leg *neg = &call->side[CALL_A].neg;
    struct sdp sdp;
    const char *why = NULL;
    call->side[CALL_A].invite_in = true;
    call->late_offer = !event->sdp;
    if (event->sdp) {
        if (sdp_parse(&sdp, event->sdp, event->sdp_len, &why) < 0) {
            end_call(call, out, 400, why);
            return;
        }
        int rc = neg_take_offer(neg, &sdp, event->sdp, call->env->random, &why);
        if (rc < 0) {
            end_call(call, out, rc == -ENOTSUP ? 488 : 500, rc == -ENOTSUP ? why : "no keys could be made");
            return;
        }
    }
    act_timer(out, CALL_TIMER_SETUP, call->env->config->control.setup_timeout_ms);
    ask_for_media(call, out);
}

// Sends the INVITE over the trunk whose turn it is. The session has to be there.
static void invite_b(struct call *call, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    struct tl_addr local = b->neg.local;
    const struct neg_leg *offered = call->late_offer ? NULL : &call->side[CALL_A].neg;
    int rc = neg_init(&b->neg, trunk_b(call), call->env->random);
    b->neg.local = local;
    int len = rc < 0 ? rc : neg_make_offer(&b->neg, offered, call->env->random, out->body);
    if (len < 0) {
        end_call(call, out, len == -ENOTSUP ? 488 : 500, "no offer could be made for the trunk");
        return;
    }
    call->state = CALL_CALLING;
    b->invite_out = true;
    struct call_action *a = act(out, CALL_DO_INVITE, CALL_B);
    a->trunk = b->trunk;
    a->body = out->body;
    a->body_len = (size_t)len;
    act_timer(out, CALL_TIMER_NO_RESPONSE, trunk_b(call)->no_response_timeout_ms);
}

static void take_added(struct call *call, const struct call_event *event, struct call_actions *out)
{
    call->adding = false;
    if (event->status < 0) {
        call->session = false;
        bool full = event->status == -ENOSPC || event->status == -ENOTCONN || event->status == -EAGAIN;
        end_call(call, out, full ? 503 : 500,
                 event->status == -ENOSPC ? "the dataplane has no session or port left"
                 : full                   ? "the dataplane is away"
                                          : "the dataplane refused the session");
        return;
    }
    call->side[CALL_A].neg.local = event->local[0];
    call->side[CALL_B].neg.local = event->local[1];
    invite_b(call, out);
}

// The next trunk, or 503 when that was the last one.
static void next_trunk(struct call *call, struct call_actions *out, const char *why)
{
    struct call_side *b = &call->side[CALL_B];
    uint32_t last = b->trunk;
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    if (call->trunk_at + 1 >= call->trunk_count || call->a_has_answer || call->early_status) {
        end_call(call, out, 503, why);
        return;
    }
    b->trunk = call->trunks[++call->trunk_at];
    call->b_has_answered = false;
    if (same_realm(call, last, b->trunk)) {
        invite_b(call, out);
        return;
    }
    // Nobody was told A's port yet, so a session with both legs in the right realms may have other ports.
    act(out, CALL_DO_DEL, CALL_A)->flags = CALL_FORGET;
    ask_for_media(call, out);
}

// Takes B's answer into the leg; one that cannot be taken changes nothing. Returns 0 or a status for A.
static int take_answer(struct call *call, const struct call_event *event, const char **why)
{
    struct sdp sdp;
    struct neg_leg *b = &call->side[CALL_B].neg;
    if (sdp_parse(&sdp, event->sdp, event->sdp_len, why) < 0)
        return 502;
    struct neg_leg before = *b;
    int rc = neg_take_answer(b, &sdp, event->sdp, call->env->random, why);
    if (rc < 0)
        *b = before;
    else
        call->b_has_answered = true;
    neg_fini(&before);
    return rc == 0 ? 0 : rc == -ENOTSUP ? 488 : 500;
}

static void take_provisional(struct call *call, const struct call_event *event, struct call_actions *out)
{
    const char *why;
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    if (call->state != CALL_CALLING)
        return;
    bool early = event->sdp && take_answer(call, event, &why) == 0;
    if (!early || call->late_offer) {
        // An answer that we cannot take is B's affair until it answers for good. While the dataplane is being
        // told of an earlier one A hears of nothing; 199 is about B's forks only.
        if (!call->early_status && event->status != 199)
            act_answer(call, out, CALL_A, event->status, 0);
        return;
    }
    call->early_status = event->status;
    act_modify(call, out);
}

static void answer_a(struct call *call, struct call_actions *out, int status, int len)
{
    if (len < 0) {
        end_call(call, out, len == -ENOTSUP ? 488 : 500, "the two sides have no codec in common");
        return;
    }
    if (status >= 200) {
        call->state = CALL_UP;
        call->status = status;
        call->side[CALL_A].dialog = true;
        act_timer(out, CALL_TIMER_SETUP, 0);
    }
    act_answer(call, out, CALL_A, status, len);
}

static void take_success(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    const char *why = "B answered without SDP";
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    b->invite_out = false;
    b->dialog = true;
    b->ack_owed = true;
    int status = event->sdp ? take_answer(call, event, &why) : call->b_has_answered ? 0 : 502;
    if (status) {
        end_call(call, out, status, why);
        return;
    }
    if (call->late_offer) { // A's answer comes with its ACK; the dataplane is told then
        act_ack(call, out, CALL_B, 0);
        answer_a(call, out, 200,
                 neg_make_offer(&call->side[CALL_A].neg, &b->neg, call->env->random, out->body));
        return;
    }
    // B speaks as soon as it has our ACK: it gets it when the dataplane knows B's address and keys.
    call->state = CALL_ANSWERING;
    act_modify(call, out);
}

static void take_modified(struct call *call, const struct call_event *event, struct call_actions *out)
{
    int status = call->state == CALL_ANSWERING ? 200 : call->early_status;
    call->early_status = 0;
    if (event->status < 0) {
        end_call(call, out, event->status == -ENOENT ? 503 : 500, "the dataplane refused the answer");
        return;
    }
    if (!status)
        return;
    if (call->side[CALL_B].ack_owed)
        act_ack(call, out, CALL_B, 0);
    struct neg_leg *a = &call->side[CALL_A].neg;
    bool again = call->a_has_answer; // RFC 3261 13.2.1: A's answer stays what it was in the 1xx
    call->a_has_answer = true;
    answer_a(call, out, status,
             again ? neg_repeat_answer(a, out->body)
                   : neg_make_answer(a, &call->side[CALL_B].neg, out->body));
}

static void take_failure(struct call *call, const struct call_event *event, struct call_actions *out)
{
    call->side[CALL_B].invite_out = false;
    if (event->status == 503) {
        next_trunk(call, out, "every trunk answered 503 or did not answer");
        return;
    }
    end_call(call, out, call_status_for_a(event->status), "B refused");
    for (unsigned i = 0; i < out->count; i++)
        if (out->action[i].type == CALL_DO_ANSWER)
            out->action[i].flags |= CALL_RELAY;
}

// A hangs up before B has answered: CANCEL, or a BYE in the early dialog.
static void take_withdrawal(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->type == CALL_EV_BYE)
        act(out, CALL_DO_REPLY, event->side)->status = 200;
    if (event->side == CALL_A) {
        end_call(call, out, 487, "A hung up before the answer");
        return;
    }
    if (event->type != CALL_EV_BYE)
        return;
    call->side[CALL_B].dialog = false;
    end_call(call, out, 480, "B hung up at once");
}

static void take_timer(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->timer == CALL_TIMER_SETUP) {
        end_call(call, out, 408, "nobody answered within setup_timeout");
    } else if (call->state == CALL_CALLING && call->side[CALL_B].invite_out) {
        call->side[CALL_B].invite_out = false;
        act(out, CALL_DO_ABANDON, CALL_B);
        next_trunk(call, out, "no trunk responded within its no_response_timeout");
    }
}

void setup_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    switch (event->type) {
    case CALL_EV_INVITE:
        take_invite(call, event, out);
        break;
    case CALL_EV_REINVITE: // B's, before A has answered; RFC 3261 14.2
        act_answer(call, out, event->side, 491, 0);
        break;
    case CALL_EV_CANCEL:
    case CALL_EV_BYE:
        take_withdrawal(call, event, out);
        break;
    case CALL_EV_NO_ACK:
        end_call(call, out, 480, "A cannot be answered");
        break;
    case CALL_EV_PROVISIONAL:
        take_provisional(call, event, out);
        break;
    case CALL_EV_SUCCESS:
        take_success(call, event, out);
        break;
    case CALL_EV_FAILURE:
        take_failure(call, event, out);
        break;
    case CALL_EV_TIMEOUT:
    case CALL_EV_TRANSPORT:
        call->side[CALL_B].invite_out = false;
        next_trunk(call, out, "no trunk could be reached");
        break;
    case CALL_EV_ADDED:
        take_added(call, event, out);
        break;
    case CALL_EV_MODIFIED:
        take_modified(call, event, out);
        break;
    case CALL_EV_MEDIA_LOST:
        call->session = false;
        end_call(call, out, 503, "the dataplane lost the session");
        break;
    case CALL_EV_TIMER:
        take_timer(call, event, out);
        break;
    case CALL_EV_HANGUP:
        end_call(call, out, 480, "ended by the operator");
        break;
    default:
        break;
    }
}
