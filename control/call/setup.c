// SPDX-License-Identifier: BSD-3-Clause
// From A's INVITE to its 2xx: media, B, fail-over, early media.
#include <errno.h>
#include <string.h>

#include "common/addr.h"
#include "control/call/call_internal.h"
#include "control/call/causes.h"

bool setup_last_trunk(const struct call *call)
{
    return call->trunk_at + 1 >= call->trunk_count;
}

static bool fails_over(const struct call *call, unsigned what)
{
    return tl_failover_has(&call_trunk(call, CALL_B)->failover, what);
}

// Whether B gets no_progress_ms and no more: somebody better than nobody comes behind it.
static bool must_progress(const struct call *call)
{
    for (unsigned i = call->trunk_at + 1u; i < call->trunk_count; i++)
        if (!call->targets[i].last)
            return fails_over(call, TL_FAILOVER_NO_PROGRESS);
    return false;
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

static void drop_media(struct call *call, struct call_actions *out)
{
    if (call->session)
        act(out, CALL_DO_DEL, CALL_A)->flags = CALL_FORGET;
    call->session = false;
}

static void take_invite(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct neg_leg *neg = &call->side[CALL_A].neg;
    struct sdp sdp;
    const char *why = NULL;
    const struct call_facts none = {0}, *facts = event->facts ? event->facts : &none;
    enum tl_prack prack = call_trunk(call, CALL_A)->prack;
    bool supports = (facts->supported | facts->required) & CALL_OPTION_100REL;
    call->side[CALL_A].invite_in = true;
    call->side[CALL_A].reliable = supports && prack != TL_PRACK_OFF;
    call->late_offer = !event->sdp;
    if (facts->required & CALL_OPTION_100REL && prack == TL_PRACK_OFF) {
        call->lacking = CALL_OPTION_100REL;
        end_call(call, out, 420, "A requires 100rel, and its trunk has prack off");
        return;
    }
    if (!supports && prack == TL_PRACK_REQUIRED) {
        call->lacking = CALL_OPTION_100REL;
        end_call(call, out, 421, "the trunk requires 100rel, and A does not support it");
        return;
    }
    int refused = session_asked(call, event, REFRESH_INVITE);
    if (refused) {
        end_call(call, out, refused,
                 refused == 420 ? "A requires session timers, and its trunk has session_timer off"
                                : "A asks for a session interval below its trunk's min_se_s");
        return;
    }
    if (event->sdp) {
        if (call_read_sdp(call, event, &sdp, &why) < 0) {
            end_call(call, out, 400, why);
            return;
        }
        int rc = neg_take_offer(neg, &sdp, event->sdp, call->env->random, &why);
        if (rc < 0) {
            end_call(call, out, rc == -ENOTSUP ? 488 : 500, rc == -ENOTSUP ? why : "no keys could be made");
            return;
        }
    }
    call->side[CALL_A].offer_due = call->late_offer && call->side[CALL_B].stands_in;
    if (call->side[CALL_B].stands_in && tl_addr_is_set(&call->lent)) { // it replaces somebody, and goes there
        call->side[CALL_A].neg.local = call->lent;
        call->state = CALL_ANSWERING;
        return;
    }
    act_timer(out, CALL_TIMER_SETUP, call->env->config->control.setup_timeout_ms);
    ask_for_media(call, out);
}

// Whether B's place is one of another call's session.
static bool is_lent(const struct call *call)
{
    const struct call_side *b = &call->side[CALL_B];
    return tl_addr_is_set(&call->lent) &&
           strcmp(b->config->realms[call_trunk(call, CALL_B)->realm].name, call->lent_realm) == 0;
}

// Sends the INVITE over the trunk whose turn it is. The session has to be there. `flags`: 0 or CALL_AGAIN.
static void invite_b(struct call *call, struct call_actions *out, uint8_t flags)
{
    struct call_side *b = &call->side[CALL_B];
    struct tl_addr local = b->neg.local;
    const struct neg_leg *offered = call->late_offer ? NULL : &call->side[CALL_A].neg;
    int rc = neg_init(&b->neg, call_trunk(call, CALL_B), call->env->random);
    b->neg.local = local;
    int len = rc < 0 ? rc : neg_make_offer(&b->neg, offered, call->env->random, act_body(out));
    if (len > 0 && (rc = forks_begin(call)) < 0)
        len = rc;
    if (len < 0) {
        end_call(call, out, len == -ENOTSUP ? 488 : 500, "no offer could be made for the trunk");
        return;
    }
    call->state = CALL_CALLING;
    b->invite_out = true;
    struct call_action *a = act_with_body(out, CALL_DO_INVITE, CALL_B, len);
    a->trunk = b->trunk;
    a->number = call->targets[call->trunk_at].number;
    a->flags = flags;
    session_ask(call, a);
    act_timer(out, CALL_TIMER_NO_RESPONSE, call_trunk(call, CALL_B)->no_response_ms);
    // who is the last one has all the time that the call has
    act_timer(out, CALL_TIMER_NO_PROGRESS,
              must_progress(call) ? call_trunk(call, CALL_B)->no_progress_ms : 0);
}

static void invite_lent(struct call *call, struct call_actions *out)
{
    call->side[CALL_B].neg.local = call->lent;
    invite_b(call, out, 0);
}

// A call for somebody whom another call has.
static void call_for(struct call *call, struct call_actions *out)
{
    call->side[CALL_A].invite_in = true; // the answer is for who asked for the call
    act_timer(out, CALL_TIMER_SETUP, call->env->config->control.setup_timeout_ms);
    if (is_lent(call))
        invite_lent(call, out);
    else
        ask_for_media(call, out);
}

// A place of our own in the session, as the peer has to send there: behind a router that translates addresses it knows us by
// another one.
static struct tl_addr shown(const struct call *call, uint8_t side, const struct tl_addr *local)
{
    const struct tl_addr *as = &call->side[side].config->realms[call_trunk(call, side)->realm].advertised;
    struct tl_addr out = tl_addr_is_set(as) ? *as : *local;
    out.port = local->port;
    return out;
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
    call->side[CALL_A].neg.local = shown(call, CALL_A, &event->local[0]);
    call->side[CALL_B].neg.local = shown(call, CALL_B, &event->local[1]);
    if (call->side[CALL_B].stands_in) { // nobody is called: those who come are in other calls
        call->b_has_answered = true;
        tell_for(call, out);
        return;
    }
    invite_b(call, out, 0);
}

// Once A may have been given an answer, or was sent an offer, its part of the media stays what it is.
static bool may_move(const struct call *call)
{
    return !call->a_has_answer && !call->a_offered && !(call->b_has_answered && !call->late_offer) &&
           !call->x;
}

// What an INVITE that came to nothing has said of B.
static void forget_b(struct call *call)
{
    struct call_side *b = &call->side[CALL_B];
    b->allow = b->supported = 0;
    b->allow_known = false;
    b->refresh = (struct refresh){0};
    call->progressed = false;
    forks_drop(call);
}

// Calls the target whose turn it is.
static void move(struct call *call, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    uint32_t last = b->trunk;
    b->trunk = call->targets[call->trunk_at].trunk;
    forget_b(call);
    if (is_lent(call)) {
        drop_media(call, out);
        invite_lent(call, out);
    } else if (call->session && same_realm(call, last, b->trunk)) {
        invite_b(call, out, 0);
    } else {
        // Nobody was told A's port yet, so a session with both legs in the right realms may have other ports.
        drop_media(call, out);
        ask_for_media(call, out);
    }
}

static void stop_trunk_timers(struct call_actions *out)
{
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    act_timer(out, CALL_TIMER_NO_PROGRESS, 0);
}

// The next target of the same trunk, which comes before the next trunk whatever the trunk fails over on: RFC 3263 4.3. One that is
// down comes behind the other trunks. False: nothing was done.
static bool next_target(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->more == CALL_MORE_NONE || (event->more == CALL_MORE_DOWN && !setup_last_trunk(call)) ||
        !may_move(call) || (call->progressed && !call_trunk(call, CALL_B)->failover_after_progress))
        return false;
    stop_trunk_timers(out);
    forget_b(call);
    invite_b(call, out, CALL_NEXT_TARGET);
    return true;
}

// The next trunk, where `what` (a status or one of TL_FAILOVER_*) leads there and there is one. False: nothing was done.
static bool next_trunk(struct call *call, struct call_actions *out, unsigned what)
{
    if (setup_last_trunk(call) || !may_move(call) || !fails_over(call, what) ||
        (call->progressed && !call_trunk(call, CALL_B)->failover_after_progress))
        return false;
    stop_trunk_timers(out);
    call->trunk_at++;
    move(call, out);
    return true;
}

// A trunk that takes no more calls has not been asked: the next one is, whatever it fails over on.
static void pass_over(struct call *call, struct call_actions *out)
{
    call->side[CALL_B].invite_out = false;
    if (setup_last_trunk(call) || !may_move(call)) {
        end_call(call, out, 503, "no trunk takes more calls");
        return;
    }
    stop_trunk_timers(out);
    call->trunk_at++;
    move(call, out);
}

// The same, or the end of the call with `status`.
static void next_trunk_or(struct call *call, struct call_actions *out, unsigned what, int status,
                          const char *why)
{
    if (!next_trunk(call, out, what))
        end_call(call, out, status, why);
}

// A 3xx that is followed, or that A gets. False: it is a refusal like others.
static bool take_redirect(struct call *call, const struct call_event *event, struct call_actions *out)
{
    enum tl_redirect redirect = call_trunk(call, CALL_B)->redirect;
    if (event->status < 300 || event->status > 399)
        return false;
    if (redirect == TL_REDIRECT_RELAY && event->contacts) {
        end_call(call, out, event->status, "B is elsewhere");
        return true;
    }
    if (redirect != TL_REDIRECT_FOLLOW || !event->target_count || !may_move(call))
        return false;
    memcpy(call->targets, event->targets, event->target_count * sizeof call->targets[0]);
    call->trunk_count = (uint8_t)event->target_count;
    call->trunk_at = 0;
    stop_trunk_timers(out);
    move(call, out);
    return true;
}

static void take_failure(struct call *call, const struct call_event *event, struct call_actions *out)
{
    unsigned q850 = event->facts ? event->facts->q850 : 0;
    int status = cause_taken_for(call_trunk(call, CALL_B), event->status, q850);
    bool ruled = status != event->status;
    call->side[CALL_B].invite_out = false;
    if (event->status == 503 && next_target(call, event, out))
        return;
    if (event->status < 600 && next_trunk(call, out, (unsigned)status))
        return;
    if (status == 503) { // B's own Retry-After is for us
        end_call(call, out, 503, "every trunk answered 503 or did not answer");
        return;
    }
    // What A may have been given of B's early dialogs would not hold for another INVITE.
    if (status == 422 && !call->b_has_answered && !call->x && session_raise(call, event)) {
        invite_b(call, out, CALL_AGAIN);
        return;
    }
    if (!take_redirect(call, event, out))
        end_call(call, out, ruled ? status : cause_for_a(status, q850), "B refused");
    for (unsigned i = 0; i < out->count; i++)
        if (out->action[i].type == CALL_DO_ANSWER)
            out->action[i].flags |= CALL_RELAY;
}

// One of several early dialogs is hung up, theirs or what stands for it on A's side: the others ring on (RFC 3261 15).
static bool one_of_several(const struct call *call, const struct call_event *event)
{
    bool several = call->forks && call->forks->next;
    return event->type == CALL_EV_BYE && call->state == CALL_CALLING && several &&
           (event->side == CALL_B || call->separate);
}

// A hangs up before B has answered: CANCEL, or a BYE in the early dialog.
static void take_withdrawal(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->type == CALL_EV_BYE)
        act(out, CALL_DO_REPLY, event->side)->status = 200;
    if (one_of_several(call, event))
        return;
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
        end_call(call, out, 408, "nobody answered within control.setup_timeout_ms");
        return;
    }
    if (call->state != CALL_CALLING || !call->side[CALL_B].invite_out)
        return;
    bool silent = event->timer == CALL_TIMER_NO_RESPONSE;
    if (silent && event->status == 100) // it has said that it is at work; that much was asked for
        return;
    if (event->timer > CALL_TIMER_NO_PROGRESS || (!silent && !must_progress(call)))
        return;
    call->side[CALL_B].invite_out = false;
    act(out, CALL_DO_ABANDON, CALL_B)->flags |= CALL_FAILED;
    if (silent && next_target(call, event, out))
        return;
    next_trunk_or(call, out, silent ? TL_FAILOVER_NO_RESPONSE : TL_FAILOVER_NO_PROGRESS, 503,
                  silent ? "no trunk responded within its no_response_ms"
                         : "no trunk made progress within its no_progress_ms");
}

void setup_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (end_from_outside(call, event, out) || join_step(call, event, out))
        return;
    switch (event->type) {
    case CALL_EV_INVITE:
        take_invite(call, event, out);
        break;
    case CALL_EV_CALL_FOR:
        call_for(call, out);
        break;
    case CALL_EV_REINVITE: // B's, before A has answered; RFC 3261 14.2
        act_answer(call, out, event->side, 491, 0);
        break;
    case CALL_EV_CANCEL:
    case CALL_EV_BYE:
        take_withdrawal(call, event, out);
        break;
    case CALL_EV_ACK:
        join_ack(call, event, out);
        break;
    case CALL_EV_NO_ACK:
        end_call(call, out, 480,
                 event->side == CALL_A ? "A cannot be answered" : "who picked the call up sent no ACK");
        break;
    case CALL_EV_PRACK:
    case CALL_EV_NO_PRACK:
        reliable_step(call, event, out);
        break;
    case CALL_EV_UPDATE:
        exchange_update(call, event, out);
        break;
    case CALL_EV_UPDATED:
        if (event->status >= 200 && event->status < 300)
            exchange_success(call, event, out);
        else
            exchange_failure(call, event, out);
        answer_exchange_over(call, out);
        break;
    case CALL_EV_PROVISIONAL:
        call->progressed = true;
        answer_provisional(call, event, out);
        break;
    case CALL_EV_SUCCESS:
        answer_success(call, event, out);
        break;
    case CALL_EV_FAILURE:
        take_failure(call, event, out);
        break;
    case CALL_EV_TIMEOUT:
    case CALL_EV_TRANSPORT:
        call->side[CALL_B].invite_out = false;
        if (next_target(call, event, out))
            break;
        next_trunk_or(call, out,
                      event->type == CALL_EV_TIMEOUT ? TL_FAILOVER_NO_RESPONSE : TL_FAILOVER_TRANSPORT, 503,
                      "no trunk could be reached");
        break;
    case CALL_EV_FULL:
        pass_over(call, out);
        break;
    case CALL_EV_ADDED:
        take_added(call, event, out);
        break;
    case CALL_EV_MODIFIED:
        if (call->x && call->x->stage == EXCHANGE_MEDIA)
            exchange_modified(call, event, out);
        else
            answer_modified(call, event, out);
        break;
    case CALL_EV_TIMER:
        take_timer(call, event, out);
        break;
    default:
        break;
    }
}
