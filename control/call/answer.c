// SPDX-License-Identifier: BSD-3-Clause
// What B answers to the INVITE: early media, forks, its 2xx.
#include <errno.h>

#include "control/call/call_internal.h"

static void b_has_spoken(struct call_actions *out)
{
    act_timer(out, CALL_TIMER_NO_RESPONSE, 0);
    act_timer(out, CALL_TIMER_NO_PROGRESS, 0);
}

// An exchange under way is with the main fork: another one waits until that has ended.
static void choose_due(struct call *call, struct call_actions *out)
{
    if (call->state != CALL_CALLING || call->x || !fork_choose_due(call))
        return;
    if (!call->late_offer || call->a_has_answer)
        act_modify(call, out);
}

void answer_exchange_over(struct call *call, struct call_actions *out)
{
    choose_due(call, out);
    tell_a(call, out);
}

void answer_provisional(struct call *call, const struct call_event *event, struct call_actions *out)
{
    const struct call_facts none = {0}, *facts = event->facts ? event->facts : &none;
    const char *why;
    b_has_spoken(out);
    if (call->state != CALL_CALLING)
        return;
    struct call_fork *fork = fork_get(call, event->dialog, false);
    if (!fork)
        return; // too many: what it says is for nobody
    if (facts->early_media != CALL_EARLY_UNSAID)
        fork->no_media =
            call_trunk(call, CALL_B)->early_media == TL_EARLY_AS_SAID && facts->early_media == CALL_EARLY_NO;
    // An answer that we cannot take is B's affair until it answers for good.
    bool early = event->sdp && fork_take_answer(call, fork, event, &why) == 0;
    fork->reliable |= early && facts->reliable;
    if (!fork->status && event->status != 199) // 199 is about B's forks only
        fork->status = event->status;
    fork->says_sdp |= early || facts->early_media == CALL_EARLY_YES;
    if ((early || facts->early_media == CALL_EARLY_YES) && fork_wanted(call, fork)) {
        for (struct call_fork *f = call->forks; f; f = f->next)
            f->due = f == fork;
        choose_due(call, out);
    }
    tell_a(call, out);
}

void answer_success(struct call *call, const struct call_event *event, struct call_actions *out)
{
    struct call_side *b = &call->side[CALL_B];
    const char *why = "B answered without SDP";
    b_has_spoken(out);
    b->invite_out = false;
    b->dialog = true;
    b->ack_owed = true;
    session_taken(call, event, out);
    struct call_fork *fork = fork_get(call, event->dialog, true);
    if (!fork) {
        end_call(call, out, 500, "no memory for B's answer");
        return;
    }
    int status = event->sdp ? fork_take_answer(call, fork, event, &why) : 502;
    if (status && !fork->answered) {
        end_call(call, out, status, why);
        return;
    }
    bool moves = call->b_has_answered && call->side[CALL_B].main != fork->id;
    fork_choose(call, fork);
    if (moves)
        exchange_moves(call, out);
    for (struct call_fork *f = call->forks; f; f = f->next)
        f->status = 0; // the 2xx says it all
    call->state = CALL_ANSWERING;
    call->success_due = true;
    if (call->late_offer)
        act_ack(call, out, CALL_B, 0);
    // B speaks as soon as it has our ACK: it gets it when the dataplane knows B's address and keys. Who began without an
    // offer is told what A answered when that is here.
    if (!call->late_offer || call->a_has_answer)
        act_modify(call, out);
    tell_a(call, out);
}

void answer_modified(struct call *call, const struct call_event *event, struct call_actions *out)
{
    if (event->status < 0)
        end_call(call, out,
                 event->status == -ENOENT   ? 503
                 : event->status == -ESTALE ? 488
                                            : 500,
                 event->status == -ESTALE ? call_key_forgotten : "the dataplane refused the answer");
    else
        tell_a(call, out);
}
