// SPDX-License-Identifier: BSD-3-Clause
// While the call is up: ACKs, later offers from either side, BYE.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/call/call_internal.h"

static uint8_t other(uint8_t side)
{
    return side == CALL_A ? CALL_B : CALL_A;
}

void exchange_drop(struct call *call)
{
    if (!call->x)
        return;
    neg_fini(&call->x->neg[CALL_A]);
    neg_fini(&call->x->neg[CALL_B]);
    free(call->x);
    call->x = NULL;
}

// What was said stays said: the next SDP to that side is a newer version, also when this one was refused.
static void keep_versions(struct call *call)
{
    for (int s = 0; s < 2; s++) {
        call->side[s].neg.version = call->x->neg[s].version;
        call->side[s].neg.hash = call->x->neg[s].hash;
    }
}

static void exchange_commit(struct call *call)
{
    call->side[CALL_A].neg = call->x->neg[CALL_A];
    call->side[CALL_B].neg = call->x->neg[CALL_B];
    exchange_drop(call);
}

// Turns the offer of `from` away; the call stays as it was.
static void exchange_refuse(struct call *call, struct call_actions *out, int status)
{
    uint8_t from = call->x->from;
    keep_versions(call);
    exchange_drop(call);
    if (call->side[from].invite_in)
        act_answer(call, out, from, status, 0);
}

// ---- an offer comes -----------------------------------------------------------------------------------

static void send_reinvite(struct call *call, struct call_actions *out, uint8_t to, int len)
{
    struct call_action *a = act(out, CALL_DO_REINVITE, to);
    call->side[to].invite_out = true;
    if (len > 0) {
        a->body = out->body;
        a->body_len = (size_t)len;
    }
}

static void take_reinvite(struct call *call, const struct call_event *event, struct call_actions *out)
{
    uint8_t from = event->side, to = other(from);
    struct sdp sdp;
    const char *why;
    // Glare: one change at a time. RFC 3261 14.2; the sender tries again after a random time.
    if (call->x || call->side[from].ack_due || call->side[to].ack_due || call->modifying) {
        act_answer(call, out, from, 491, 0);
        return;
    }
    call->x = calloc(1, sizeof *call->x);
    if (!call->x) {
        act_answer_503(call, out, from);
        return;
    }
    struct call_exchange *x = call->x;
    x->from = from;
    x->stage = EXCHANGE_ASKED;
    x->late = !event->sdp;
    x->neg[CALL_A] = call->side[CALL_A].neg;
    x->neg[CALL_B] = call->side[CALL_B].neg;
    if (x->late) {
        send_reinvite(call, out, to, 0);
        return;
    }
    if (sdp_parse(&sdp, event->sdp, event->sdp_len, &why) < 0) {
        exchange_refuse(call, out, 400);
        return;
    }
    int len = neg_take_offer(&x->neg[from], &sdp, event->sdp, call->env->random, &why);
    if (len == 0)
        len = neg_make_offer(&x->neg[to], &x->neg[from], call->env->random, out->body);
    if (len < 0)
        exchange_refuse(call, out, len == -ENOTSUP ? 488 : 500);
    else
        send_reinvite(call, out, to, len);
}

// ---- the other side speaks ----------------------------------------------------------------------------

// The 2xx to an INVITE without offer brings one; it goes to the side that began.
static void take_late_offer(struct call *call, const struct sdp *sdp, const struct call_event *event,
                            struct call_actions *out)
{
    struct call_exchange *x = call->x;
    const char *why;
    call->side[event->side].ack_owed = true; // with the answer, when that is here
    int len = neg_take_offer(&x->neg[event->side], sdp, event->sdp, call->env->random, &why);
    if (len == 0)
        len = neg_make_offer(&x->neg[x->from], &x->neg[event->side], call->env->random, out->body);
    if (len < 0) {
        end_call(call, out, 488, "a later offer fits no codec or policy of the other side");
        return;
    }
    x->stage = EXCHANGE_LATE;
    act_answer(call, out, x->from, 200, len);
}

// The same when the side that began has withdrawn its INVITE: it stays as it is, and the answer says so.
static void take_quiet_offer(struct call *call, const struct sdp *sdp, const struct call_event *event,
                             struct call_actions *out)
{
    struct call_exchange *x = call->x;
    struct neg_leg *leg = &x->neg[event->side];
    const char *why;
    call->side[event->side].ack_owed = true;
    int len = neg_take_offer(leg, sdp, event->sdp, call->env->random, &why);
    if (len == 0)
        len = neg_make_answer(leg, &x->neg[x->from], out->body);
    if (len < 0) {
        end_call(call, out, 488, "a later offer fits no codec or policy of the other side");
        return;
    }
    act_ack(call, out, event->side, len);
    x->stage = EXCHANGE_MEDIA;
    act_modify(call, out);
}

static void take_success(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    struct sdp sdp;
    const char *why;
    call->side[event->side].invite_out = false;
    if (!x) {
        act_ack(call, out, event->side, 0);
        return;
    }
    bool readable = event->sdp && sdp_parse(&sdp, event->sdp, event->sdp_len, &why) == 0;
    if (readable && x->late && x->stage == EXCHANGE_ASKED) {
        take_late_offer(call, &sdp, event, out);
        return;
    }
    if (readable && x->late && x->stage == EXCHANGE_QUIET) {
        take_quiet_offer(call, &sdp, event, out);
        return;
    }
    call->side[event->side].ack_owed = true; // until the dataplane knows what was agreed
    if (!readable || x->late ||
        neg_take_answer(&x->neg[event->side], &sdp, event->sdp, call->env->random, &why) < 0) {
        end_call(call, out, 488, "the answer to a later offer cannot be taken");
        return;
    }
    if (x->stage == EXCHANGE_QUIET) { // the side that began has gone back to what it was
        x->neg[x->from] = call->side[x->from].neg;
        x->undo = true;
    }
    x->stage = EXCHANGE_MEDIA;
    act_modify(call, out);
}

static void take_failure(struct call *call, const struct call_event *event, struct call_actions *out)
{
    call->side[event->side].invite_out = false;
    bool gone = event->type != CALL_EV_FAILURE || event->status == 481 || event->status == 408;
    if (gone) { // RFC 3261 12.2.1.2
        call->side[event->side].dialog = event->type != CALL_EV_FAILURE || event->status != 481;
        end_call(call, out, 481, "a side no longer knows the call");
    } else if (call->x) {
        bool pass = event->status >= 400 && event->status != 401 && event->status != 407;
        exchange_refuse(call, out, pass ? event->status : 488);
    }
}

// Offers the side that took a withdrawn change what `from` has said for good. A refusal leaves all as it is.
static void offer_again(struct call *call, struct call_actions *out, uint8_t from)
{
    uint8_t to = other(from);
    struct call_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return;
    *x = (struct call_exchange){
        .stage = EXCHANGE_ASKED, .from = from, .neg = {call->side[CALL_A].neg, call->side[CALL_B].neg}};
    call->x = x;
    int len = neg_make_offer(&x->neg[to], &x->neg[from], call->env->random, out->body);
    if (len < 0)
        exchange_drop(call);
    else
        send_reinvite(call, out, to, len);
}

static void take_modified(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->status < 0) {
        end_call(call, out, 500, "the dataplane refused a change of the call");
        return;
    }
    struct call_exchange *x = call->x;
    if (!x || x->stage != EXCHANGE_MEDIA)
        return;
    uint8_t from = x->from;
    bool asked = call->side[from].invite_in;
    if (call->side[other(from)].ack_owed)
        act_ack(call, out, other(from), 0);
    bool undo = x->undo;
    int len = asked ? neg_make_answer(&x->neg[from], &x->neg[other(from)], out->body) : 0;
    exchange_commit(call);
    if (len < 0)
        end_call(call, out, 488, "the two sides have no codec in common any more");
    else if (asked)
        act_answer(call, out, from, 200, len);
    else if (undo)
        offer_again(call, out, from);
}

// ---- ACK ----------------------------------------------------------------------------------------------

// The ACK to our 2xx that had an offer: of the first INVITE (late_offer) or of a later one.
static int take_ack_answer(struct call *call, const struct call_event *event, struct neg_leg *leg)
{
    struct sdp sdp;
    const char *why;
    if (!event->sdp || sdp_parse(&sdp, event->sdp, event->sdp_len, &why) < 0)
        return -ENOTSUP;
    return neg_take_answer(leg, &sdp, event->sdp, call->env->random, &why);
}

static void take_ack(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    call->side[event->side].ack_due = false;
    if (event->side == CALL_A && call->late_offer && !call->a_has_answer) {
        if (take_ack_answer(call, event, &call->side[CALL_A].neg) < 0) {
            end_call(call, out, 488, "the ACK to an offer of ours has no usable answer");
            return;
        }
        call->a_has_answer = true;
        act_modify(call, out);
    } else if (x && x->stage == EXCHANGE_LATE && event->side == x->from) {
        uint8_t to = other(x->from);
        int len = take_ack_answer(call, event, &x->neg[x->from]);
        if (len == 0)
            len = neg_make_answer(&x->neg[to], &x->neg[x->from], out->body);
        if (len < 0) {
            end_call(call, out, 488, "the ACK to an offer of ours has no usable answer");
            return;
        }
        act_ack(call, out, to, len);
        x->stage = EXCHANGE_MEDIA;
        act_modify(call, out);
    }
}

static void take_cancel(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    if (!call->side[event->side].invite_in)
        return;
    // The other side has agreed and the dataplane is being told: the 2xx is as good as out, and CANCEL too
    // late.
    if (x && x->from == event->side && x->stage == EXCHANGE_MEDIA)
        return;
    act_answer(call, out, event->side, 487, 0);
    if (!x || x->from != event->side || x->stage != EXCHANGE_ASKED)
        return;
    x->stage = EXCHANGE_QUIET;
    act(out, CALL_DO_CANCEL, other(x->from));
}

static void take_bye(struct call *call, const struct call_event *event, struct call_actions *out)
{
    act(out, CALL_DO_REPLY, event->side)->status = 200;
    call->side[event->side].dialog = false;
    call->side[event->side].ack_due = false;
    if (call->side[event->side]
            .invite_in) // answered here, because end_call() would take it for the first INVITE
        act_answer(call, out, event->side, 487, 0);
    end_call(call, out, 487, event->side == CALL_A ? "A hung up" : "B hung up");
    for (unsigned i = 0; i < out->count; i++)
        if (out->action[i].type == CALL_DO_BYE)
            out->action[i].flags |= CALL_RELAY;
}

void update_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    switch (event->type) {
    case CALL_EV_REINVITE:
        take_reinvite(call, event, out);
        break;
    case CALL_EV_CANCEL:
        take_cancel(call, event, out);
        break;
    case CALL_EV_ACK:
        take_ack(call, event, out);
        break;
    case CALL_EV_BYE:
        take_bye(call, event, out);
        break;
    case CALL_EV_SUCCESS:
        take_success(call, event, out);
        break;
    case CALL_EV_FAILURE:
    case CALL_EV_TIMEOUT:
    case CALL_EV_TRANSPORT:
        take_failure(call, event, out);
        break;
    case CALL_EV_NO_ACK:
        end_call(call, out, 408, event->side == CALL_A ? "A sent no ACK" : "B sent no ACK");
        break;
    case CALL_EV_MODIFIED:
        take_modified(call, event, out);
        break;
    case CALL_EV_MEDIA_LOST:
        call->session = false;
        end_call(call, out, 503, "the dataplane lost the session");
        break;
    case CALL_EV_HANGUP:
        end_call(call, out, 480, "ended by the operator");
        break;
    default:
        break;
    }
}
