// SPDX-License-Identifier: BSD-3-Clause
// B's early dialogs: one for each To tag of its provisional responses, each with an SDP and keys of its own.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/call/call_internal.h"

static bool is_main(const struct call *call, const struct call_fork *fork)
{
    return call->b_has_answered && call->side[CALL_B].main == fork->id;
}

static void leg_free(struct neg_leg *leg)
{
    if (leg)
        neg_fini(leg);
    free(leg);
}

static struct neg_leg *leg_copy(const struct neg_leg *leg)
{
    struct neg_leg *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *leg;
    return copy;
}

static void fork_free(struct call_fork *fork)
{
    neg_fini(&fork->neg);
    leg_free(fork->a);
    free(fork);
}

struct call_fork *fork_find(const struct call *call, uint8_t id)
{
    struct call_fork *fork = call->forks;
    while (fork && fork->id != id)
        fork = fork->next;
    return fork;
}

struct call_fork *fork_get(struct call *call, uint8_t id, bool final)
{
    struct call_fork **at = &call->forks;
    unsigned count = 0;
    for (; *at; at = &(*at)->next, count++)
        if ((*at)->id == id)
            return *at;
    if (count >= CALL_DIALOGS_MAX + (unsigned) final || !call->offered)
        return NULL;
    struct call_fork *fork = calloc(1, sizeof *fork);
    if (!fork)
        return NULL;
    fork->id = id;
    fork->neg = *call->offered;
    if (call->separate && !(fork->a = leg_copy(call->asked))) {
        fork_free(fork);
        return NULL;
    }
    *at = fork;
    return fork;
}

struct neg_leg *fork_leg(struct call *call, struct call_fork *fork)
{
    return is_main(call, fork) ? &call->side[CALL_B].neg : &fork->neg;
}

struct neg_leg *fork_leg_a(struct call *call, struct call_fork *fork)
{
    return call->separate && !is_main(call, fork) ? fork->a : &call->side[CALL_A].neg;
}

int fork_take_answer(struct call *call, struct call_fork *fork, const struct call_event *event,
                     const char **why)
{
    struct neg_leg *leg = fork_leg(call, fork);
    struct sdp sdp;
    if (call_read_sdp(call, event, &sdp, why) < 0)
        return 502;
    struct neg_leg before = *leg;
    int rc = neg_take_answer(leg, &sdp, event->sdp, call->env->random, why);
    if (rc < 0)
        *leg = before;
    else
        fork->answered = true;
    neg_fini(&before);
    return rc == 0 ? 0 : rc == -ENOTSUP ? 488 : 500;
}

bool fork_wanted(const struct call *call, const struct call_fork *fork)
{
    if (!fork->answered || fork->no_media)
        return false;
    return is_main(call, fork) || !call->b_has_answered ||
           call_trunk(call, CALL_B)->early_media != TL_EARLY_FIRST;
}

// Puts `next` where `now` is; what was there goes to `room`. The dataplane goes on with the leg that it has: a change of
// keys is a new generation of its own count.
static void swap_leg(struct neg_leg *now, struct neg_leg *next, struct neg_leg *room)
{
    struct neg_leg taken = *next;
    neg_follow(&taken, now);
    if (room)
        *room = *now;
    *now = taken;
    neg_fini(&taken);
}

void fork_choose(struct call *call, struct call_fork *fork)
{
    struct call_side *b = &call->side[CALL_B];
    if (!is_main(call, fork)) {
        struct call_fork *old = call->b_has_answered ? fork_find(call, b->main) : NULL;
        swap_leg(&b->neg, &fork->neg, old ? &old->neg : NULL);
        if (call->separate)
            swap_leg(&call->side[CALL_A].neg, fork->a, old ? old->a : NULL);
        b->main = fork->id;
        if (call->separate)
            call->side[CALL_A].main = fork->id;
    }
    b->reliable = fork->reliable;
    call->b_has_answered = true;
}

bool fork_choose_due(struct call *call)
{
    struct call_fork *fork = call->forks;
    while (fork && !fork->due)
        fork = fork->next;
    if (!fork)
        return false;
    fork->due = false;
    fork_choose(call, fork);
    return true;
}

int forks_begin(struct call *call)
{
    forks_drop(call);
    call->b_has_answered = false;
    call->side[CALL_B].main = 0;
    call->separate = call_trunk(call, CALL_B)->forks == TL_FORKS_SEPARATE && !call->late_offer &&
                     !call->side[CALL_A].stands_in;
    call->offered = leg_copy(&call->side[CALL_B].neg);
    if (call->separate)
        call->asked = leg_copy(&call->side[CALL_A].neg);
    return call->offered && (call->asked || !call->separate) ? 0 : -ENOMEM;
}

void forks_drop(struct call *call)
{
    while (call->forks) {
        struct call_fork *fork = call->forks;
        call->forks = fork->next;
        fork_free(fork);
    }
    leg_free(call->offered);
    leg_free(call->asked);
    call->offered = call->asked = NULL;
}
