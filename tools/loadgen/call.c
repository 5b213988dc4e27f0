// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/call_internal.h"

#include "tools/loadgen/agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_fail(struct call *c, const char *format, ...)
{
    va_list ap;

    if (c->failure[0] != 0)
        return;
    va_start(ap, format);
    vsnprintf(c->failure, sizeof c->failure, format, ap);
    va_end(ap);
}

uint32_t call_since_up(const struct call *c)
{
    return (uint32_t)((agent_now_us() - c->up_us) / 1000);
}

void call_over(struct call *c)
{
    if (c->state == CALL_OVER)
        return;
    agent_call_over(c->agent, c);
    c->state = CALL_OVER;
    list_unlink(&c->slot);
    stream_fini(&c->stream);
    negotiation_fini(&c->negotiation);
}

void call_let_go(struct call *c)
{
    struct sipsess *session = c->session;

    c->session = NULL;
    if (c->state == CALL_SETUP || c->state == CALL_UP)
        c->state = CALL_ENDING;
    list_unlink(&c->slot);
    mem_deref(session);
}

int call_take_terms(struct call *c, const struct stream_terms *terms)
{
    const int error = stream_set(&c->stream, terms);

    if (error != 0)
        call_fail(c, "media can't start: %s", strerror(-error));
    return error;
}

void call_enter_hold(struct call *c, enum hold_state state)
{
    c->hold = state;
    c->hold_since = call_since_up(c);
}

// The answer to an INVITE or re-INVITE of ours.
int call_answered(const struct sip_msg *msg, void *arg)
{
    struct call *c = arg;
    struct stream_terms terms;
    const char *why = "";

    if (c->state == CALL_SETUP && c->role == CALL_CALLER)
        c->setup_us = (uint32_t)(agent_now_us() - c->invited_us);
    if (negotiation_finish(&c->negotiation, msg->mb, &terms, &why) != 0) {
        call_fail(c, "answered with %s", why);
        return EPROTO;
    }
    if (call_take_terms(c, &terms) != 0)
        return EPROTO;
    if (c->hold == HOLD_SENT)
        call_enter_hold(c, HOLD_ON);
    else if (c->hold == HOLD_RESUMING)
        call_enter_hold(c, HOLD_DONE);
    return 0;
}

// An offer in a re-INVITE of the far side.
int call_offered(struct mbuf **answer, const struct sip_msg *msg, void *arg)
{
    struct call *c = arg;
    struct stream_terms terms;
    const char *why = "";

    if (mbuf_get_left(msg->mb) == 0)
        return -negotiation_offer(&c->negotiation, SDP_SENDRECV, answer);
    if (negotiation_answer(&c->negotiation, msg->mb, &c->stream, answer, &terms, &why) != 0) {
        call_fail(c, "re-INVITE refused: %s", why);
        return EPROTO;
    }
    c->holds_seen += !terms.may_send && !c->held_by_peer;
    c->held_by_peer = !terms.may_send;
    if (call_take_terms(c, &terms) != 0) {
        *answer = mem_deref(*answer);
        return EPROTO;
    }
    return 0;
}

// ACK sent (caller) or received (callee).
void call_established(const struct sip_msg *msg, void *arg)
{
    struct call *c = arg;

    (void)msg;
    c->state = CALL_UP;
    c->up_us = agent_now_us();
    c->stream.window.open = true;
    c->stream.receipt.judging = true;
    c->next_report = c->agent->options->rtcp_interval * 500;
    agent_call_up(c->agent, c);
}

static void ended_by_peer(struct call *c, int err, const struct sip_msg *msg)
{
    const uint32_t now = call_since_up(c);

    if (err != ECONNRESET) {
        if (msg != NULL)
            call_fail(c, "lost after %u ms: %u %.*s", now, msg->scode, (int)msg->reason.l, msg->reason.p);
        else
            call_fail(c, "lost after %u ms: %s", now, strerror(err));
        return;
    }
    c->bye_received = true;
    if (now < c->plan.count_end)
        call_fail(c, "hung up on after %u ms, before its time", now);
}

void call_closed(int err, const struct sip_msg *msg, void *arg)
{
    struct call *c = arg;

    if (c->state == CALL_UP)
        ended_by_peer(c, err, msg);
    else if (msg != NULL)
        call_fail(c, "%u %.*s", msg->scode, (int)msg->reason.l, msg->reason.p);
    else if (c->role == CALL_CALLEE && err == ETIMEDOUT)
        call_fail(c, "no ACK");
    else if (c->role == CALL_CALLEE && err == ECONNRESET)
        call_fail(c, "cancelled");
    else
        call_fail(c, "no answer: %s", strerror(err));
    call_let_go(c);
}

void call_hang_up_early(struct call *c)
{
    if (c->state == CALL_SETUP) {
        call_fail(c, "given up during set-up");
        call_let_go(c);
    } else if (c->state == CALL_UP && !c->stream.window.closed) {
        const uint32_t now = call_since_up(c);

        call_fail(c, "stopped after %u ms", now);
        c->plan.count_end = now;
        c->plan.bye_at = now + SCHEDULE_GUARD_MS;
        c->plan.hangs_up = true;
        c->stream.heard.final = now; // the far side's end is not waited for
        c->plan.holds = false;
    }
}

void call_abandon(struct call *c)
{
    if (c->state == CALL_OVER)
        return;
    call_fail(c, "still up at the end");
    if (c->session != NULL)
        call_let_go(c);
}
