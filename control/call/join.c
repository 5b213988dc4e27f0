// SPDX-License-Identifier: BSD-3-Clause
// Parties that move from one call to another: a transfer's target that comes, the transferee that goes to it, who is
// replaced.
#include <string.h>

#include "control/call/call_internal.h"

enum { TRIES_MAX = 4 }; // of an offer that meets another one, RFC 3261 14.1

// ---- moving -------------------------------------------------------------------------------------------

static int stand_in(struct call *call, uint8_t side, const struct call_side *of)
{
    struct call_side *s = &call->side[side];
    s->stands_in = true;
    int rc = neg_stand_in(&s->neg, &of->neg, call->env->random);
    s->neg.trunk = call_trunk(call, side); // the other one's may go with its call
    return rc;
}

int call_init_for(struct call *call, const struct call_env *env, const struct call *of, uint8_t side,
                  uint32_t trunk_a, const struct call_target *targets, unsigned target_count)
{
    const struct call_side *leaves = &of->side[call_other(side)];
    int rc = call_init(call, env, trunk_a, targets, target_count);
    if (rc < 0)
        return rc;
    call->lent = leaves->neg.local;
    memcpy(call->lent_realm, leaves->config->realms[call_trunk(of, call_other(side))->realm].name,
           TL_NAME_MAX);
    return stand_in(call, CALL_A, &of->side[side]);
}

int call_init_between(struct call *call, const struct call_env *env, const struct call *of_a, uint8_t side_a,
                      uint32_t trunk_a, const struct call *of_b, uint8_t side_b, uint32_t trunk_b)
{
    const struct call_target there = {.trunk = trunk_b};
    int rc = call_init(call, env, trunk_a, &there, 1);
    if (rc == 0)
        rc = stand_in(call, CALL_A, &of_a->side[side_a]);
    return rc == 0 ? stand_in(call, CALL_B, &of_b->side[side_b]) : rc;
}

void call_await(struct call *call, const struct call *of, uint8_t side)
{
    call->side[CALL_B].stands_in = true;
    call->lent = of->side[side].neg.local;
}

int call_await_other(struct call *call, const struct call *of, uint8_t side)
{
    return stand_in(call, CALL_B, &of->side[call_other(side)]);
}

int call_stand_for(struct call *call, const struct call *who)
{
    struct call_side *b = &call->side[CALL_B];
    const struct tl_addr local = b->neg.local;
    neg_fini(&b->neg);
    int rc = stand_in(call, CALL_B, &who->side[CALL_A]);
    b->neg.local = local;
    return rc;
}

// A is here by an INVITE that waits until whom it is to talk to has come.
static bool arrives(const struct call *call)
{
    const struct call_side *a = &call->side[CALL_A];
    return call->state == CALL_UP && a->invite_in && !a->dialog;
}

// What that side takes. NULL: it has said nothing yet, and is offered all, or asked for less by an offer for all.
static const struct neg_leg *spoken(const struct neg_leg *leg)
{
    return neg_has_spoken(leg) ? leg : NULL;
}

bool call_fits(const struct call *call, const struct call *of, uint8_t side)
{
    struct neg_leg leg = call->side[CALL_A].neg, stays = of->side[call_other(side)].neg;
    char body[NEG_BODY_MAX];
    leg.local = of->side[side].neg.local;
    int len = call->side[CALL_A].offer_due ? neg_make_offer(&leg, spoken(&stays), call->env->random, body)
              : spoken(&stays)             ? neg_make_answer(&leg, &stays, body)
                                           : neg_make_offer(&stays, &leg, call->env->random, body);
    neg_fini(&leg);
    neg_fini(&stays);
    explicit_bzero(body, sizeof body);
    return len > 0;
}

bool call_can_be_picked_up(const struct call *call)
{
    bool answers = call->a_offered && !call->a_has_answer; // our offer to A waits for its PRACK
    return call->state == CALL_CALLING && call->side[CALL_B].invite_out && !call->x && !call->modifying &&
           !answers && !call->side[CALL_A].stands_in;
}

void call_pick(struct call *call, uint8_t dialog)
{
    struct call_fork *fork = call->separate ? fork_find(call, dialog) : NULL;
    if (!fork)
        return;
    fork_choose(call, fork);
    call->a_has_answer = fork->told;
}

bool call_stands_in(const struct call *call)
{
    return call->side[CALL_A].stands_in || call->side[CALL_B].stands_in;
}

bool call_is_joining(const struct call *call)
{
    return call->join_tries || (call->x && call->x->join != JOIN_NONE);
}

bool call_at_rest(const struct call *call)
{
    bool busy =
        call->state != CALL_UP || call->x || call->modifying || !call->a_has_answer || call->join_tries;
    for (int s = 0; s < 2; s++) {
        const struct call_side *side = &call->side[s];
        busy = busy || (side->invite_in && !(s == CALL_A && arrives(call))) || side->invite_out ||
               side->ack_due || side->update_in || side->update_out || side->prack_in;
        busy = busy || (side->ack_owed && !call_stands_in(call));
    }
    return !busy;
}

void call_swap(struct call *one, uint8_t side, struct call *other, uint8_t with)
{
    struct call_side *a = &one->side[side], *b = &other->side[with], was_a = *a, was_b = *b;
    *a = was_b;
    *b = was_a;
    a->neg.local = was_a.neg.local;
    b->neg.local = was_b.neg.local;
    neg_follow(&a->neg, &was_a.neg); // the keys that are remembered are the place's
    neg_follow(&b->neg, &was_b.neg);
    neg_fini(&was_a.neg);
    neg_fini(&was_b.neg);
}

// ---- who came -----------------------------------------------------------------------------------------

static struct call_exchange *begin(struct call *call, uint8_t side, enum join join)
{
    struct call_exchange *x = exchange_begin(call, call_other(side), BY_NONE);
    call->late_offer = false; // what an INVITE left open was said in another call
    call->a_has_answer = call->b_has_answered = true;
    call->prack_due = call->prack_sdp = false;
    if (x)
        x->join = (uint8_t)join;
    return x;
}

// Answers the INVITE without offer of who came with one of ours: what the other side has. False: the call ends.
static bool offer_due(struct call *call, struct call_actions *out, struct neg_leg *leg,
                      const struct neg_leg *stays, uint8_t side)
{
    int len = neg_make_offer(leg, spoken(stays), call->env->random, act_body(out));
    call->side[side].offer_due = false;
    if (len > 0)
        join_answer(call, out, side, len);
    else
        end_call(call, out, 488, "no offer could be made for who came");
    return len > 0;
}

static void joined(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = begin(call, event->side, JOIN_AGREED);
    act_timer(out, CALL_TIMER_RETRY, 0); // the other side is offered anew all the same
    act_duration(call, out);
    if (!x)
        end_call(call, out, 500, "no memory for who came to the call");
    else if (!call->side[event->side].offer_due)
        exchange_tell_media(call, out);
    else if (offer_due(call, out, &x->neg[event->side], &x->neg[x->from], event->side))
        x->stage = EXCHANGE_LATE;
}

// Tells who was moved here where its media is now.
static void offer_place(struct call *call, struct call_actions *out, uint8_t side)
{
    struct call_exchange *x = begin(call, side, JOIN_MOVED);
    int len = -1;
    if (x) {
        struct neg_leg *leg = &x->neg[side];
        const struct tl_addr local = leg->local;
        x->stage = EXCHANGE_ASKED;
        x->out = exchange_way(call, side, BY_NONE);
        if (x->out != BY_NONE && neg_move(leg, &local, call->env->random) == 0)
            len = neg_make_offer(leg, call->side[x->from].offer_due ? NULL : &x->neg[x->from],
                                 call->env->random, act_body(out));
    }
    if (len > 0) {
        call->join_tries++;
        exchange_send(call, out, side, len);
        return;
    }
    exchange_drop(call);
    call->join_tries = 0;
    act(out, CALL_DO_JOINED, side)->status = 488;
}

static void b_is_there(struct call *call, struct call_actions *out)
{
    call->b_has_answered = true;
    call->state = CALL_ANSWERING;
    call->success_due = true;
    if (call->late_offer && !call->a_has_answer) // there is nothing to tell the dataplane yet
        tell_a(call, out);
    else
        act_modify(call, out);
}

// Somebody else than B takes A's call: both have made an offer, and both are answered. Or only A has: that is made to who
// came, and its ACK is what B's answer would have been. Or only who came has: that is made to A in its 2xx, and who came is
// answered when A's ACK is here. Where nobody has, who came is offered all, and A what came of that.
static void picked_up(struct call *call, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    forks_drop(call);
    b->main = 0;
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    act_timer(out, CALL_TIMER_NO_PROGRESS, 0);
    if (b->offer_due)
        offer_due(call, out, &b->neg, &call->side[CALL_A].neg, CALL_B);
    else
        b_is_there(call, out);
}

// The place of who is called is empty from now on; A, who rang there, is answered and waits.
static void vacated(struct call *call, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    if (b->invite_out)
        act(out, CALL_DO_ABANDON, CALL_B);
    b->invite_out = false;
    forks_drop(call);
    b->main = 0;
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    act_timer(out, CALL_TIMER_NO_PROGRESS, 0);
    b_is_there(call, out);
}

void join_agreed(struct call *call, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    uint8_t to = call_other(x->from);
    if (!x->join || !call->side[x->from].offer_due) {
        exchange_tell_media(call, out);
        return;
    }
    if (call->side[to].ack_owed) // what is still to be agreed is not with this one
        act_ack(call, out, to, 0);
    if (offer_due(call, out, &x->neg[x->from], &x->neg[to], x->from))
        x->stage = EXCHANGE_LATE;
}

// Who picked the call up has made an offer that A is to answer with its ACK.
static bool waits_for_ack_of_a(const struct call *call)
{
    const struct call_side *b = &call->side[CALL_B];
    return call->state == CALL_UP && call->late_offer && b->invite_in && !b->dialog;
}

void join_late(struct call *call, struct call_actions *out)
{
    if (!waits_for_ack_of_a(call))
        return;
    int len = neg_make_answer(&call->side[CALL_B].neg, &call->side[CALL_A].neg, act_body(out));
    if (len > 0)
        join_answer(call, out, CALL_B, len);
    else
        end_call(call, out, 488, "who picked the call up has no codec in common with A");
}

bool join_cancel(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    if (event->side == CALL_B && waits_for_ack_of_a(call)) {
        if (!call->a_has_answer) // else the 2xx is as good as out
            end_call(call, out, 487, "who picked the call up hung up before the answer");
        return true;
    }
    if (event->side != CALL_A || !arrives(call))
        return false;
    if (x && x->stage != EXCHANGE_ASKED) // the 2xx is as good as out
        return true;
    if (!x && !call->join_tries) {
        end_call(call, out, 487, "A hung up before the answer");
        return true;
    }
    act_answer(call, out, CALL_A, 487, 0);
    if (x) {
        x->stage = EXCHANGE_QUIET; // who was moved here goes back when it has answered
        return true;
    }
    act_timer(out, CALL_TIMER_RETRY, 0);
    join_refused(call, out, CALL_B, 487);
    return true;
}

void join_ack(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_exchange *x = call->x;
    uint8_t side = event->side;
    bool picks_up = call->state == CALL_CALLING && side == CALL_B && call->side[side].ack_due;
    call->side[side].ack_due = false;
    bool late = x && x->join && x->stage == EXCHANGE_LATE && (x->join == JOIN_AGREED) == (side != x->from);
    if (!picks_up && !late)
        return;
    if (exchange_ack_answer(call, event, picks_up ? &call->side[side].neg : &x->neg[side]) < 0)
        end_call(call, out, 488, "the ACK to an offer of ours has no usable answer");
    else if (picks_up)
        b_is_there(call, out);
    else
        exchange_tell_media(call, out);
}

void join_answer(struct call *call, struct call_actions *out, uint8_t side, int len)
{
    call->side[side].dialog = true;
    act_answer(call, out, side, 200, len);
}

// Whether an offer of what the other side has would say something that the party `to` does not know and has to: a hold or its
// end. Laws are converted.
static bool says_news(struct call *call, uint8_t to)
{
    struct neg_leg leg = call->side[to].neg;
    char body[NEG_BODY_MAX];
    int len = call->side[to].stands_in
                  ? -1
                  : neg_make_offer(&leg, &call->side[call_other(to)].neg, call->env->random, body);
    const struct neg_word *said = &call->side[to].neg.word;
    bool news = len > 0 && (leg.word.direction != said->direction || leg.word.zero != said->zero);
    neg_fini(&leg);
    explicit_bzero(body, sizeof body);
    return news;
}

bool join_step(struct call *call, const struct call_event *event, struct call_actions *out)
{
    switch (event->type) {
    case CALL_EV_JOINED:
        joined(call, event, out);
        return true;
    case CALL_EV_PICKED_UP:
        picked_up(call, out);
        return true;
    case CALL_EV_VACATED:
        vacated(call, out);
        return true;
    case CALL_EV_MOVED:
        call->join_tries = 0;
        call->join_misled = false;
        act_timer(out, CALL_TIMER_RETRY, 0); // what it was for is part of this offer
        offer_place(call, out, event->side);
        return true;
    default:
        return false;
    }
}

void join_modified(struct call *call, struct call_actions *out)
{
    const struct call_exchange *x = call->x;
    uint8_t from = x->from, came = call_other(from), asked = call->side[came].invite_in ? came : from;
    bool agreed = x->join == JOIN_AGREED;
    int len = call->side[asked].invite_in
                  ? neg_make_answer(&call->x->neg[asked], &call->x->neg[call_other(asked)], act_body(out))
                  : 0;
    for (uint8_t s = 0; s < 2; s++)
        if (call->side[s].ack_owed)
            act_ack(call, out, s, 0);
    call->join_tries = 0;
    exchange_commit(call);
    if (len < 0) {
        end_call(call, out, 488, "who came has no codec in common with the other side");
        return;
    }
    if (len > 0) // it came by an INVITE that replaces somebody
        join_answer(call, out, asked, len);
    act(out, CALL_DO_JOINED, came)->status = 200;
    if (agreed || says_news(call, from))
        exchange_offer_again(call, out, from);
}

static void wait_and_retry(struct call *call, struct call_actions *out, uint8_t side)
{
    call->retry_side = side;
    act_timer(out, CALL_TIMER_RETRY, exchange_glare_ms(call, side));
}

void join_refused(struct call *call, struct call_actions *out, uint8_t side, int status)
{
    if (status == 491 && call->join_tries < TRIES_MAX) {
        wait_and_retry(call, out, side);
        return;
    }
    call->join_tries = 0;
    act(out, CALL_DO_JOINED, side)->status = status;
}

void join_retry(struct call *call, struct call_actions *out)
{
    const struct call_side *side = &call->side[call->retry_side];
    if (call->x || side->invite_in || side->invite_out || side->ack_due) // RFC 3261 14.1
        wait_and_retry(call, out, call->retry_side);
    else
        offer_place(call, out, call->retry_side);
}

// ---- who is left --------------------------------------------------------------------------------------

void join_replaced(struct call *call, const struct call_event *event, struct call_actions *out)
{
    call->side[event->side].bye_waits = event->status != 0;
    call->status = call->status ? call->status : 200;
    end_call(call, out, 487, event->side == CALL_A ? "B talks in another call" : "A talks in another call");
}

bool join_bye(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *side = &call->side[event->side];
    if (call->leaving != 1 + event->side)
        return false;
    act(out, CALL_DO_REPLY, event->side)->status = 200;
    if (side->invite_in)
        act_answer(call, out, event->side, 487, 0);
    side->dialog = side->ack_due = false;
    side->refresh = (struct refresh){0};
    struct call_exchange *x = call->x;
    if (x && x->from != event->side && x->stage == EXCHANGE_ASKED) // its answer does not come any more
        exchange_refuse(call, out, 480, NULL);
    return true;
}
