// SPDX-License-Identifier: BSD-3-Clause
// How an exchange ends: what the other side answers, the dataplane's word, the ACK, a withdrawal.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/call/call_internal.h"

// ---- the other side speaks ----------------------------------------------------------------------------

// Offers `to` again what the other side has said for good: it took a change that is undone.
void exchange_offer_again(struct call *call, struct call_actions *out, uint8_t to)
{
    struct call_exchange *x = exchange_begin(call, call_other(to), BY_NONE);
    if (!x)
        return;
    x->stage = EXCHANGE_ASKED;
    x->out = exchange_way(call, to, BY_NONE);
    int len = x->out == BY_NONE
                  ? -EBUSY
                  : neg_make_offer(&x->neg[to], &x->neg[x->from], call->env->random, act_body(out));
    if (len < 0)
        exchange_drop(call);
    else
        exchange_send(call, out, to, len);
}

// The 2xx to an INVITE without offer brings one; it goes to the side that began.
static void take_late_offer(struct call *call, const struct sdp *sdp, const struct call_event *event,
                            struct call_actions *out)
{
    struct call_exchange *x = call->x;
    const char *why;
    call->side[event->side].ack_owed = true; // with the answer, when that is here
    int len = neg_take_offer(&x->neg[event->side], sdp, event->sdp, call->env->random, &why);
    if (len == 0)
        len = neg_make_offer(&x->neg[x->from], &x->neg[event->side], call->env->random, act_body(out));
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
        len = neg_make_answer(leg, &x->neg[x->from], act_body(out));
    if (len < 0) {
        end_call(call, out, 488, "a later offer fits no codec or policy of the other side");
        return;
    }
    act_ack(call, out, event->side, len);
    exchange_tell_media(call, out);
}

// The other side said yes, but in words that nobody can use: it is asked to stay as it was, and so does who began.
static void undo_unusable(struct call *call, struct call_actions *out, uint8_t side)
{
    bool ours = call->x->in == BY_NONE, join = call->x->join != JOIN_NONE;
    if (call->side[side].ack_owed)
        act_ack(call, out, side, 0);
    exchange_refuse(call, out, 488, "the answer to the offer cannot be taken");
    if (join) {
        call->join_misled = true;
        join_refused(call, out, side, 488);
    }
    if (!ours)
        exchange_offer_again(call, out, side);
}

void exchange_success(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    bool invite = event->type == CALL_EV_SUCCESS;
    struct sdp sdp;
    const char *why;
    if (invite)
        call->side[event->side].invite_out = false;
    if (!x) {
        if (invite)
            act_ack(call, out, event->side, 0);
        return;
    }
    if (x->join && x->stage == EXCHANGE_QUIET) { // it agreed to a place where nobody waits for it any more
        if (invite)
            act_ack(call, out, event->side, 0);
        exchange_refuse(call, out, 487, NULL);
        call->join_misled = true;
        join_refused(call, out, event->side, 487);
        return;
    }
    bool readable = event->sdp && call_read_sdp(call, event, &sdp, &why) == 0;
    if (readable && x->late && x->stage == EXCHANGE_ASKED) {
        take_late_offer(call, &sdp, event, out);
        return;
    }
    if (readable && x->late && x->stage == EXCHANGE_QUIET) {
        take_quiet_offer(call, &sdp, event, out);
        return;
    }
    if (invite) // that of an UPDATE says nothing of the ACK that B's first 2xx waits for
        call->side[event->side].ack_owed = true; // until the dataplane knows what was agreed
    if (x->late) {
        end_call(call, out, 488, "the 2xx to an INVITE without an offer has none either");
        return;
    }
    struct neg_leg before = x->neg[event->side];
    bool taken =
        readable && neg_take_answer(&x->neg[event->side], &sdp, event->sdp, call->env->random, &why) == 0;
    if (!taken) {
        x->neg[event->side] = before;
        undo_unusable(call, out, event->side);
    } else {
        if (x->stage == EXCHANGE_QUIET) { // the side that began has gone back to what it was
            x->neg[x->from] = call->side[x->from].neg;
            x->undo = true;
        }
        join_agreed(call, out);
    }
    neg_fini(&before);
}

bool exchange_refresh(struct call *call, struct call_actions *out, uint8_t to)
{
    if (exchange_glare(call, call_other(to), BY_INVITE) || call->side[to].update_out)
        return false;
    struct call_exchange *x = exchange_begin(call, call_other(to), BY_NONE);
    if (!x)
        return false;
    x->stage = EXCHANGE_ASKED;
    x->out = BY_INVITE;
    x->refresh = true;
    int len = neg_make_offer(&x->neg[to], &x->neg[x->from], call->env->random, act_body(out));
    if (len < 0)
        exchange_drop(call);
    else
        exchange_send(call, out, to, len);
    return len >= 0;
}

// On B's side the Call-ID is ours.
uint64_t exchange_glare_ms(const struct call *call, uint8_t side)
{
    uint8_t random = 0;
    if (call->env->random.fill(call->env->random.arg, &random, 1) < 0)
        random = 100; // a time is needed more than a random one
    return side == CALL_B ? 2100 + 10u * (random % 190) : 10 + 10u * (random % 200);
}

// An offer of ours met one of theirs: it is made again after the time of RFC 3261 14.1.
static void wait_and_retry(struct call *call, struct call_actions *out, uint8_t side)
{
    call->retry_side = side;
    act_timer(out, CALL_TIMER_RETRY, exchange_glare_ms(call, side));
}

void exchange_retry(struct call *call, struct call_actions *out)
{
    if (call->join_tries)
        join_retry(call, out);
    else if (!exchange_glare(call, call_other(call->retry_side), BY_INVITE))
        exchange_offer_again(call, out, call->retry_side);
    else
        wait_and_retry(call, out, call->retry_side);
}

static int failure_status(const struct call_event *event)
{
    switch (event->type) {
    case CALL_EV_TIMEOUT:
        return 408;
    case CALL_EV_TRANSPORT: // RFC 3261 8.1.3.1
        return 503;
    default:
        return event->status ? event->status : 408;
    }
}

// What who began hears of it: a refusal of our request that is about that side's dialog alone, or that names something in
// headers which do not pass, is none that it could act on.
static int status_for_asker(int status)
{
    switch (status) {
    case 401:
    case 405:
    case 407:
    case 420:
    case 421:
    case 422:
    case 423:
    case 482:
    case 483:
    case 501:
        return 488;
    default:
        return status >= 400 ? status : 488;
    }
}

void exchange_failure(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    int status = failure_status(event);
    if (event->type != CALL_EV_UPDATED)
        call->side[event->side].invite_out = false;
    if (call->leaving == 1 + event->side && !call->side[event->side].dialog)
        return; // it has hung up since
    bool early = event->type == CALL_EV_UPDATED && call->state != CALL_UP;
    if (early && (status == 481 ||
                  status == 408)) { // that early dialog may be gone; the INVITE says what becomes of the call
        status = 500;
    } else if (status == 481 || status == 408) { // RFC 3261 12.2.1.2
        if (x)
            exchange_reply(call, out, x->from, x->in, status, 0);
        end_call(call, out, status, "a side no longer knows the call");
        return;
    }
    if (!x)
        return;
    bool no_update = x->out == BY_UPDATE && (status == 405 || status == 501);
    bool raised = status == 422 && !x->late && x->stage == EXCHANGE_ASKED && session_raise(call, event);
    bool by_invite = no_update && call->state == CALL_UP && x->stage == EXCHANGE_ASKED;
    if (no_update)
        call->side[event->side].allow &= (uint8_t)~CALL_METHOD_UPDATE;
    if (by_invite && call->side[event->side].ack_due) {
        by_invite = false;
        status = 491; // by re-INVITE, but not before that ACK
    }
    if (by_invite)
        x->out = BY_INVITE;
    if (by_invite || raised) {
        int len = neg_make_offer(&x->neg[event->side], &x->neg[x->from], call->env->random, act_body(out));
        if (len > 0) {
            exchange_send(call, out, event->side, len);
            return;
        }
    }
    bool refresh = x->refresh, join = x->join != JOIN_NONE;
    if (join && x->stage == EXCHANGE_QUIET)
        status = 487;
    if (x->in == BY_NONE && status == 491 && !refresh && !join)
        wait_and_retry(call, out, event->side);
    exchange_refuse(call, out, status_for_asker(status), "the other side refused the offer");
    if (refresh)
        session_failed(call, out, event->side, status);
    if (join)
        join_refused(call, out, event->side, status);
}

// ---- both have spoken ---------------------------------------------------------------------------------

void exchange_modified(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    bool stale = event->status == -ESTALE;
    if (event->status < 0) {
        if (x)
            exchange_reply(call, out, x->from, x->in, stale ? 488 : 500, 0);
        end_call(call, out, stale ? 488 : 500,
                 stale ? call_key_forgotten : "the dataplane refused a change of the call");
        return;
    }
    if (!x)
        join_late(call, out);
    if (!x || x->stage != EXCHANGE_MEDIA)
        return;
    if (x->join) {
        join_modified(call, out);
        return;
    }
    uint8_t from = x->from, to = call_other(from);
    enum carrier in = x->in;
    struct call_side *s = &call->side[from];
    bool asked = (in == BY_INVITE && s->invite_in) || (in == BY_UPDATE && s->update_in) ||
                 (in == BY_PRACK && s->prack_in);
    bool undo = x->undo;
    if (call->side[to].ack_owed)
        act_ack(call, out, to, 0);
    int len = asked ? neg_make_answer(&x->neg[from], &x->neg[to], act_body(out)) : 0;
    exchange_commit(call);
    if (len < 0)
        end_call(call, out, 488, "the two sides have no codec in common any more");
    else if (asked)
        exchange_reply(call, out, from, in, 200, len);
    else if (undo)
        exchange_offer_again(call, out, to);
    if (call->state == CALL_CALLING || call->state == CALL_ANSWERING)
        answer_exchange_over(call, out);
}

// ---- ACK and CANCEL -----------------------------------------------------------------------------------

// The ACK to our 2xx that had an offer: of the first INVITE (late_offer) or of a later one.
int exchange_ack_answer(struct call *call, const struct call_event *event, struct neg_leg *leg)
{
    struct sdp sdp;
    const char *why;
    if (!event->sdp || call_read_sdp(call, event, &sdp, &why) < 0)
        return -ENOTSUP;
    return neg_take_answer(leg, &sdp, event->sdp, call->env->random, &why);
}

static void no_ack_answer(struct call *call, struct call_actions *out)
{
    end_call(call, out, 488, "the ACK to an offer of ours has no usable answer");
}

void exchange_ack(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    call->side[event->side].ack_due = false;
    if (event->side == CALL_A && call->late_offer && !call->a_has_answer) {
        if (exchange_ack_answer(call, event, &call->side[CALL_A].neg) < 0) {
            no_ack_answer(call, out);
            return;
        }
        call->a_has_answer = true;
        act_modify(call, out);
    } else if (x && x->stage == EXCHANGE_LATE && !x->join && event->side == x->from) {
        uint8_t to = call_other(x->from);
        int len = exchange_ack_answer(call, event, &x->neg[x->from]);
        if (len == 0)
            len = neg_make_answer(&x->neg[to], &x->neg[x->from], act_body(out));
        if (len < 0) {
            no_ack_answer(call, out);
            return;
        }
        act_ack(call, out, to, len);
        exchange_tell_media(call, out);
    } else {
        join_ack(call, event, out);
    }
}

void exchange_cancel(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    if (!call->side[event->side].invite_in || join_cancel(call, event, out))
        return;
    bool its = x && x->from == event->side && x->in == BY_INVITE;
    // The other side has agreed and the dataplane is being told: the 2xx is as good as out, and CANCEL too late.
    if ((its && x->stage == EXCHANGE_MEDIA) || (x && x->join))
        return;
    act_answer(call, out, event->side, 487, 0);
    if (!its || x->stage != EXCHANGE_ASKED)
        return;
    x->stage = EXCHANGE_QUIET;
    if (x->out == BY_INVITE)
        act(out, CALL_DO_CANCEL, call_other(x->from));
}
