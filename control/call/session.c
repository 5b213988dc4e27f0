// SPDX-License-Identifier: BSD-3-Clause
// The session timers of a call (RFC 4028): one of each side, which refresh.c keeps. Here is what they do to the call.
#include <stdio.h>

#include "control/call/call_internal.h"

static const struct refresh_said *said_of(const struct call_event *event)
{
    static const struct refresh_said nothing;
    return event->facts ? &event->facts->session : &nothing;
}

static enum call_timer refresh_timer(uint8_t side)
{
    return side == CALL_A ? CALL_TIMER_REFRESH_A : CALL_TIMER_REFRESH_B;
}

static enum call_timer expiry_timer(uint8_t side)
{
    return side == CALL_A ? CALL_TIMER_EXPIRY_A : CALL_TIMER_EXPIRY_B;
}

// The session has just been refreshed, or has no timer any more.
static void start_timers(struct call *call, struct call_actions *out, uint8_t side)
{
    const struct refresh *r = &call->side[side].refresh;
    if (call_trunk(call, side)->session_timer == TL_SESSION_TIMER_OFF)
        return;
    act_timer(out, refresh_timer(side), refresh_due_ms(r));
    act_timer(out, expiry_timer(side), refresh_end_ms(r));
}

// ---- what messages say --------------------------------------------------------------------------------

int session_asked(struct call *call, const struct call_event *event, enum refresh_request which)
{
    struct call_side *side = &call->side[event->side];
    const struct tl_trunk_config *trunk = call_trunk(call, event->side);
    const struct refresh_said *said = said_of(event);
    int status = 0;
    if (event->type == CALL_EV_INVITE || side->dialog)
        status = refresh_take_request(&side->refresh, trunk, which, said);
    else if (said->required && trunk->session_timer == TL_SESSION_TIMER_OFF)
        status = 420; // an early dialog has no timer, but this is as true in one
    if (status == 420)
        call->lacking = CALL_OPTION_TIMER;
    return status;
}

void session_answer(struct call *call, struct call_actions *out, struct call_action *a,
                    enum refresh_request which)
{
    struct call_side *side = &call->side[a->side];
    const struct tl_trunk_config *trunk = call_trunk(call, a->side);
    if (a->status == 420 || a->status == 421) {
        a->options = call->lacking;
    } else if (a->status == 422) {
        a->session.min_se_s = refresh_min_s(trunk);
    } else if (a->status >= 200 && a->status < 300 && side->dialog) {
        refresh_answer(&side->refresh, trunk, which, &a->session);
        start_timers(call, out, a->side);
    }
}

void session_ask(const struct call *call, struct call_action *a)
{
    const struct call_side *side = &call->side[a->side];
    if (a->type == CALL_DO_INVITE || side->dialog)
        refresh_ask(&side->refresh, call_trunk(call, a->side), &a->session);
}

void session_taken(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (!call->side[event->side].dialog)
        return;
    refresh_take_answer(&call->side[event->side].refresh, call_trunk(call, event->side), said_of(event));
    start_timers(call, out, event->side);
}

bool session_raise(struct call *call, const struct call_event *event)
{
    return refresh_raise(&call->side[event->side].refresh, call_trunk(call, event->side), said_of(event));
}

// ---- our refreshes ------------------------------------------------------------------------------------

// By UPDATE without SDP where that is allowed, else by re-INVITE (section 7.4). What is under way with the side refreshes
// it, too; else it has to end first.
static void refresh(struct call *call, struct call_actions *out, uint8_t s)
{
    struct call_side *side = &call->side[s];
    bool ready = call->state == CALL_UP && side->dialog && !side->invite_out && !side->update_out;
    if (ready && call_trunk(call, s)->update && side->allow & CALL_METHOD_UPDATE) {
        struct call_action *a = act(out, CALL_DO_UPDATE, s);
        side->update_out = side->update_bare = true;
        a->flags = CALL_REFRESH;
        session_ask(call, a);
    } else if (!ready || !exchange_refresh(call, out, s)) {
        act_timer(out, refresh_timer(s), exchange_glare_ms(call, s));
    }
}

void session_failed(struct call *call, struct call_actions *out, uint8_t side, int status)
{
    if (status == 491)
        act_timer(out, refresh_timer(side), exchange_glare_ms(call, side));
    else // 0 stops it: the session ends with its timer
        act_timer(out, refresh_timer(side), refresh_retry_ms(&call->side[side].refresh));
}

void session_updated(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *side = &call->side[event->side];
    int status = event->status ? event->status : 408;
    side->update_bare = false;
    if (status >= 200 && status < 300) {
        session_taken(call, event, out);
    } else if (status == 481 || status == 408) { // section 10
        end_call(call, out, status, "a side no longer knows the call");
    } else if (status == 405 || status == 501) {
        side->allow &= (uint8_t)~CALL_METHOD_UPDATE;
        refresh(call, out, event->side);
    } else if (status == 422 && session_raise(call, event)) {
        refresh(call, out, event->side);
    } else {
        session_failed(call, out, event->side, status);
    }
}

// ---- theirs -------------------------------------------------------------------------------------------

void session_update(struct call *call, const struct call_event *event, struct call_actions *out)
{
    int status = session_asked(call, event, REFRESH_UPDATE);
    struct call_action *a = act(out, CALL_DO_REPLY_UPDATE, event->side);
    a->status = status ? status : 200;
    call->side[event->side].update_in = false;
    session_answer(call, out, a, REFRESH_UPDATE);
}

void session_timer(struct call *call, enum call_timer timer, struct call_actions *out)
{
    uint8_t side = timer == CALL_TIMER_REFRESH_A || timer == CALL_TIMER_EXPIRY_A ? CALL_A : CALL_B;
    const struct refresh *r = &call->side[side].refresh;
    if (call->state >= CALL_ENDING || !r->interval_s)
        return;
    if (timer == refresh_timer(side)) {
        refresh(call, out, side);
        return;
    }
    snprintf(call->why_text, sizeof call->why_text,
             "the session timer of %c's side expired: no refresh within %u s (Session-Expires %u)",
             side == CALL_A ? 'A' : 'B', (unsigned)(refresh_end_ms(r) / 1000), r->interval_s);
    call->expired = true;
    call->cause = CALL_Q850_TIMER;
    end_call(call, out, 408, call->why_text);
}
