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

static struct call_exchange *begin(struct call *call, uint8_t from, enum carrier in)
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

static void commit(struct call *call)
{
    call->side[CALL_A].neg = call->x->neg[CALL_A];
    call->side[CALL_B].neg = call->x->neg[CALL_B];
    exchange_drop(call);
}

// ---- answering who began ------------------------------------------------------------------------------

static struct call_action *answer_in(struct call *call, struct call_actions *out, uint8_t side,
                                     enum carrier in, int status, int len)
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
static void refuse(struct call *call, struct call_actions *out, int status, const char *why)
{
    uint8_t from = call->x->from;
    enum carrier in = call->x->in;
    keep_versions(call);
    exchange_drop(call);
    struct call_action *a = answer_in(call, out, from, in, status, 0);
    if (a && (status == 400 || status == 488))
        a->warning = why;
}

void exchange_end(struct call *call, struct call_actions *out, int status)
{
    if (call->x)
        answer_in(call, out, call->x->from, call->x->in, status, 0);
}

// ---- where an offer goes ------------------------------------------------------------------------------

// How the other side is asked: BY_NONE where it cannot be, or not yet (RFC 3311 5.1: inside an early dialog only behind a
// reliable answer). Then the offer is answered here, and the dataplane converts.
static enum carrier way_to(const struct call *call, uint8_t to, enum carrier in)
{
    const struct call_side *side = &call->side[to];
    bool update = side->allow & CALL_METHOD_UPDATE && !side->update_out && call_trunk(call, to)->update;
    if (call->state == CALL_UP)
        return !side->dialog ? BY_NONE : in != BY_INVITE && update ? BY_UPDATE : BY_INVITE;
    if (to == CALL_A)
        return update && call->a_has_answer && side->reliable && !call->prack_due ? BY_UPDATE : BY_NONE;
    return update && call->b_has_answered && side->reliable ? BY_UPDATE : BY_NONE;
}

static void send_offer(struct call *call, struct call_actions *out, uint8_t to, int len)
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
static int glare(const struct call *call, uint8_t side, enum carrier in)
{
    const struct call_side *from = &call->side[side], *to = &call->side[call_other(side)];
    if (call->x)
        return call->x->from == side && call->x->in != BY_NONE && in != BY_INVITE ? 500 : 491;
    // in an early dialog an INVITE of ours is out, but its offer has been answered (below)
    if (call->modifying || (from->update_out && !from->update_bare) ||
        (call->state == CALL_UP && from->invite_out))
        return 491;
    if (call->state == CALL_UP) {
        if (from->ack_due && in == BY_INVITE)
            return 491;
        if (to->ack_due && way_to(call, call_other(side), in) == BY_INVITE) // RFC 3261 14.1: nor one of ours
            return 491;
        return to->invite_out || to->invite_in || (call->late_offer && !call->a_has_answer) ? 491 : 0;
    }
    if (side == CALL_A)
        return call->a_has_answer ? 0 : call->a_offered ? 491 : 500;
    return call->b_has_answered && (!call->late_offer || call->a_has_answer) ? 0 : 491;
}

// ---- an offer comes -----------------------------------------------------------------------------------

// Both legs are as they should be but for the dataplane, and `from` waits for its answer.
static void tell_media(struct call *call, struct call_actions *out)
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
        refuse(call, out, 488, "the two sides have no codec in common");
        return;
    }
    commit(call);
    answer_in(call, out, from, in, 200, len);
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
        answer_in(call, out, from, in, 200, len);
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
    answer_in(call, out, event->side, in, len > 0 ? 200 : len == -EBUSY ? 491 : 488, len);
}

static void take_offer(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    uint8_t from = x->from, to = call_other(from);
    struct sdp sdp;
    const char *why = NULL;
    if (call_read_sdp(call, event, &sdp, &why) < 0) {
        refuse(call, out, 400, why);
        return;
    }
    bool unchanged = neg_same_sdp(&x->neg[from], &sdp, event->sdp);
    int len = neg_take_offer(&x->neg[from], &sdp, event->sdp, call->env->random, &why);
    if (len == 0 && unchanged) {
        answer_unchanged(call, out);
        return;
    }
    if (len == 0 && x->out == BY_NONE) {
        tell_media(call, out);
        return;
    }
    if (len == 0)
        len = neg_make_offer(&x->neg[to], &x->neg[from], call->env->random, act_body(out));
    if (len < 0)
        refuse(call, out, len == -ENOTSUP ? 488 : 500, why);
    else
        send_offer(call, out, to, len);
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
        answer_in(call, out, from, in, status, 0);
        return;
    }
    if (answer_beside(call, event, out, in))
        return;
    status = glare(call, from, in);
    if (status) {
        struct call_action *a = answer_in(call, out, from, in, status, 0);
        uint8_t wait = 0;
        if (a && status == 500 && call->env->random.fill(call->env->random.arg, &wait, 1) == 0)
            a->retry_after = 1 + wait % 10; // RFC 3311 5.2: 0 to 10 s
        return;
    }
    struct call_exchange *x = begin(call, from, in);
    if (!x) {
        answer_in(call, out, from, in, 500, 0);
        return;
    }
    x->stage = EXCHANGE_ASKED;
    x->out = way_to(call, to, in);
    x->late = !event->sdp;
    if (x->late) // only an INVITE comes without one, and only to a call that is up
        send_offer(call, out, to, 0);
    else
        take_offer(call, event, out);
}

// ---- another fork takes the call ----------------------------------------------------------------------

// What was on its way between A's dialog for the lost fork and that fork is for neither of them any more.
static void drop_with_fork(struct call *call, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    call->side[CALL_A].update_out = false;
    answer_in(call, out, x->from, x->in, 481, 0);
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
    answer_in(call, out, CALL_B, x->in, 487, 0);
    if (x->stage == EXCHANGE_ASKED)
        x->stage = EXCHANGE_QUIET;
    else
        x->undo = x->out != BY_NONE; // A took what the lost fork offered
}

// ---- the other side speaks ----------------------------------------------------------------------------

// Offers `to` again what the other side has said for good: it took a change that is undone.
static void offer_again(struct call *call, struct call_actions *out, uint8_t to)
{
    struct call_exchange *x = begin(call, call_other(to), BY_NONE);
    if (!x)
        return;
    x->stage = EXCHANGE_ASKED;
    x->out = way_to(call, to, BY_NONE);
    int len = x->out == BY_NONE
                  ? -EBUSY
                  : neg_make_offer(&x->neg[to], &x->neg[x->from], call->env->random, act_body(out));
    if (len < 0)
        exchange_drop(call);
    else
        send_offer(call, out, to, len);
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
    tell_media(call, out);
}

// The other side said yes, but in words that nobody can use: it is asked to stay as it was, and so does who began.
static void undo_unusable(struct call *call, struct call_actions *out, uint8_t side)
{
    bool ours = call->x->in == BY_NONE;
    if (call->side[side].ack_owed)
        act_ack(call, out, side, 0);
    refuse(call, out, 488, "the answer to the offer cannot be taken");
    if (!ours)
        offer_again(call, out, side);
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
        tell_media(call, out);
    }
    neg_fini(&before);
}

bool exchange_refresh(struct call *call, struct call_actions *out, uint8_t to)
{
    if (glare(call, call_other(to), BY_INVITE) || call->side[to].update_out)
        return false;
    struct call_exchange *x = begin(call, call_other(to), BY_NONE);
    if (!x)
        return false;
    x->stage = EXCHANGE_ASKED;
    x->out = BY_INVITE;
    x->refresh = true;
    int len = neg_make_offer(&x->neg[to], &x->neg[x->from], call->env->random, act_body(out));
    if (len < 0)
        exchange_drop(call);
    else
        send_offer(call, out, to, len);
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
    if (!glare(call, call_other(call->retry_side), BY_INVITE))
        offer_again(call, out, call->retry_side);
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
    if (status == 481 || status == 408) { // RFC 3261 12.2.1.2
        if (x)
            answer_in(call, out, x->from, x->in, status, 0);
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
            send_offer(call, out, event->side, len);
            return;
        }
    }
    bool refresh = x->refresh;
    if (x->in == BY_NONE && status == 491 && !refresh)
        wait_and_retry(call, out, event->side);
    refuse(call, out, status_for_asker(status), "the other side refused the offer");
    if (refresh)
        session_failed(call, out, event->side, status);
}

// ---- both have spoken ---------------------------------------------------------------------------------

void exchange_modified(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    if (event->status < 0) {
        exchange_end(call, out, 500);
        end_call(call, out, 500, "the dataplane refused a change of the call");
        return;
    }
    if (!x || x->stage != EXCHANGE_MEDIA)
        return;
    uint8_t from = x->from, to = call_other(from);
    enum carrier in = x->in;
    struct call_side *s = &call->side[from];
    bool asked = (in == BY_INVITE && s->invite_in) || (in == BY_UPDATE && s->update_in) ||
                 (in == BY_PRACK && s->prack_in);
    bool undo = x->undo;
    if (call->side[to].ack_owed)
        act_ack(call, out, to, 0);
    int len = asked ? neg_make_answer(&x->neg[from], &x->neg[to], act_body(out)) : 0;
    commit(call);
    if (len < 0)
        end_call(call, out, 488, "the two sides have no codec in common any more");
    else if (asked)
        answer_in(call, out, from, in, 200, len);
    else if (undo)
        offer_again(call, out, to);
    if (call->state == CALL_CALLING || call->state == CALL_ANSWERING)
        answer_exchange_over(call, out);
}

// ---- ACK and CANCEL -----------------------------------------------------------------------------------

// The ACK to our 2xx that had an offer: of the first INVITE (late_offer) or of a later one.
static int take_ack_answer(struct call *call, const struct call_event *event, struct neg_leg *leg)
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
        if (take_ack_answer(call, event, &call->side[CALL_A].neg) < 0) {
            no_ack_answer(call, out);
            return;
        }
        call->a_has_answer = true;
        act_modify(call, out);
    } else if (x && x->stage == EXCHANGE_LATE && event->side == x->from) {
        uint8_t to = call_other(x->from);
        int len = take_ack_answer(call, event, &x->neg[x->from]);
        if (len == 0)
            len = neg_make_answer(&x->neg[to], &x->neg[x->from], act_body(out));
        if (len < 0) {
            no_ack_answer(call, out);
            return;
        }
        act_ack(call, out, to, len);
        tell_media(call, out);
    }
}

void exchange_cancel(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    if (!call->side[event->side].invite_in)
        return;
    bool its = x && x->from == event->side && x->in == BY_INVITE;
    // The other side has agreed and the dataplane is being told: the 2xx is as good as out, and CANCEL too late.
    if (its && x->stage == EXCHANGE_MEDIA)
        return;
    act_answer(call, out, event->side, 487, 0);
    if (!its || x->stage != EXCHANGE_ASKED)
        return;
    x->stage = EXCHANGE_QUIET;
    if (x->out == BY_INVITE)
        act(out, CALL_DO_CANCEL, call_other(x->from));
}
