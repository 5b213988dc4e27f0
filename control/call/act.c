// SPDX-License-Identifier: BSD-3-Clause
// The call machine's entry, and its actions put into words once.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/call/call_internal.h"

const char call_key_forgotten[] =
    "an SRTP key was used before in this call, and where it stood is not known any more";

char *act_body(struct call_actions *out)
{
    assert(out->bodies < CALL_BODIES_MAX);
    return out->body[out->bodies];
}

struct call_action *act(struct call_actions *out, enum call_action_type type, uint8_t side)
{
    assert(out->count < CALL_ACTIONS_MAX);
    struct call_action *a = &out->action[out->count++];
    *a = (struct call_action){.type = type, .side = side};
    return a;
}

struct call_action *act_with_body(struct call_actions *out, enum call_action_type type, uint8_t side, int len)
{
    struct call_action *a = act(out, type, side);
    if (len > 0) {
        a->body = act_body(out);
        a->body_len = (size_t)len;
        out->bodies++;
    }
    return a;
}

struct call_action *act_answer(struct call *call, struct call_actions *out, uint8_t side, int status, int len)
{
    struct call_action *a = act_with_body(out, CALL_DO_ANSWER, side, len);
    a->status = status;
    if (status < 200)
        return a;
    session_answer(call, out, a, REFRESH_INVITE);
    call->side[side].invite_in = false;
    if (status < 300) // a refusal says nothing of an earlier 2xx that still waits for its ACK
        call->side[side].ack_due = true;
    return a;
}

void act_answer_503(struct call *call, struct call_actions *out, uint8_t side)
{
    act_answer(call, out, side, 503, 0)->retry_after = call->env->config->control.retry_after_s;
}

void act_timer(struct call_actions *out, enum call_timer timer, uint64_t ms)
{
    struct call_action *a = act(out, CALL_DO_TIMER, CALL_A);
    a->timer = timer;
    a->ms = ms;
}

void act_duration(const struct call *call, struct call_actions *out)
{
    uint64_t a = call_trunk(call, CALL_A)->max_duration_s, b = call_trunk(call, CALL_B)->max_duration_s;
    act_timer(out, CALL_TIMER_DURATION, 1000 * (!a || (b && b < a) ? b : a));
}

// One MODIFY at a time: what changes meanwhile goes in the next one.
void act_modify(struct call *call, struct call_actions *out)
{
    if (call->modifying) {
        call->modify_again = true;
        return;
    }
    call->modifying = true;
    act(out, CALL_DO_MODIFY, CALL_A);
}

void act_ack(struct call *call, struct call_actions *out, uint8_t side, int len)
{
    call->side[side].ack_owed = false;
    act_with_body(out, CALL_DO_ACK, side, len);
}

// ---- life ---------------------------------------------------------------------------------------------

int call_read_sdp(const struct call *call, const struct call_event *event, struct sdp *sdp, const char **why)
{
    int rc = sdp_parse(sdp, event->sdp, event->sdp_len, why);
    if (call->env->sdp)
        sdp_count(call->env->sdp, sdp, rc);
    return rc;
}

int call_init(struct call *call, const struct call_env *env, uint32_t trunk_a,
              const struct call_target *targets, unsigned target_count)
{
    memset(call, 0, sizeof *call);
    assert(target_count >= 1 && target_count <= TL_ROUTE_TRUNKS_MAX);
    call->env = env;
    call->trunk_count = (uint8_t)target_count;
    memcpy(call->targets, targets, target_count * sizeof *targets);
    call->side[CALL_A].config = call->side[CALL_B].config = env->config;
    call->side[CALL_A].trunk = trunk_a;
    call->side[CALL_B].trunk = targets[0].trunk;
    return neg_init(&call->side[CALL_A].neg, &env->config->trunks[trunk_a], env->random);
}

void call_fini(struct call *call)
{
    exchange_drop(call);
    forks_drop(call);
    neg_fini(&call->side[CALL_A].neg);
    neg_fini(&call->side[CALL_B].neg);
}

static void set_realm(const struct call *call, uint8_t side, struct tl_leg *leg)
{
    const struct tl_realm_config *realm = &call->side[side].config->realms[call_trunk(call, side)->realm];
    memcpy(leg->realm, realm->name, sizeof leg->realm);
}

void call_legs(const struct call *call, struct tl_leg out[2])
{
    const struct call_exchange *x = call->x;
    memset(out, 0, 2 * sizeof out[0]);
    if (x && x->stage == EXCHANGE_MEDIA)
        neg_fill(&x->neg[CALL_A], &x->neg[CALL_B], out);
    else if (call->b_has_answered)
        neg_fill(&call->side[CALL_A].neg, &call->side[CALL_B].neg, out);
    else
        for (int s = 0; s < 2; s++) // nothing is agreed yet
            neg_limits(call_trunk(call, (uint8_t)s), &call->side[s].neg, &call->side[!s].neg, &out[s]);
    for (int s = 0; s < 2; s++)
        if (call->adding && call->side[s].stands_in) // who will come goes on with the key that it has
            neg_fill_keys(&call->side[s].neg, &out[s]);
    set_realm(call, CALL_A, &out[0]);
    set_realm(call, CALL_B, &out[1]);
}

const char *call_state_name(enum call_state state)
{
    static const char *const names[CALL_STATE_COUNT] = {"idle", "media",  "calling", "answering",
                                                        "up",   "ending", "over"};
    return state < CALL_STATE_COUNT ? names[state] : "?";
}

// ---- events -------------------------------------------------------------------------------------------

// A MODIFY that was overtaken by another change is not the end of the matter.
static bool modify_goes_on(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->type != CALL_EV_MODIFIED)
        return false;
    call->modifying = false;
    if (event->status < 0 || !call->modify_again || call->state >= CALL_ENDING)
        return false;
    call->modify_again = false;
    act_modify(call, out);
    return true;
}

// What an event says of its side, whatever the call makes of it.
static void note(struct call *call, const struct call_event *event)
{
    struct call_side *side = &call->side[event->side];
    if (event->facts && event->facts->allow_known) {
        side->allow = event->facts->allow;
        side->allow_known = true;
    }
    if (event->facts)
        side->supported |= event->facts->supported;
    switch (event->type) {
    case CALL_EV_REINVITE:
        side->invite_in = true;
        break;
    case CALL_EV_UPDATE:
        side->update_in = true;
        break;
    case CALL_EV_PRACK:
        side->prack_in = true;
        break;
    case CALL_EV_UPDATED:
        side->update_out = false;
        break;
    case CALL_EV_NO_ACK:
        side->invite_in = false;
        side->ack_due = false;
        break;
    default:
        break;
    }
}

void call_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    out->count = 0;
    out->bodies = 0;
    if (call->state == CALL_OVER || modify_goes_on(call, event, out))
        return;
    if (event->type == CALL_EV_UPDATED && !call->side[event->side].update_out)
        return; // of a fork that has lost
    note(call, event);
    if (event->type == CALL_EV_TIMER && event->timer >= CALL_TIMER_REFRESH_A) {
        session_timer(call, event->timer, out);
        return;
    }
    switch (call->state) {
    case CALL_UP:
        update_step(call, event, out);
        break;
    case CALL_ENDING:
        end_step(call, event, out);
        break;
    default:
        setup_step(call, event, out);
        break;
    }
}
