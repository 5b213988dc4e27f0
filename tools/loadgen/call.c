// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libre destroys it with the session, which is after the BYE was answered or given up: the only sign it gives
// of that.
struct token {
    struct call *call;
};

void call_fail(struct call *c, const char *format, ...)
{
    va_list ap;

    if (c->failure[0] != 0)
        return;
    va_start(ap, format);
    vsnprintf(c->failure, sizeof c->failure, format, ap);
    va_end(ap);
}

static uint32_t since_up(const struct call *c)
{
    return (uint32_t)((agent_now_us() - c->up_us) / 1000);
}

static void over(struct call *c)
{
    if (c->state == CALL_OVER)
        return;
    agent_call_over(c->agent, c);
    c->state = CALL_OVER;
    list_unlink(&c->slot);
    stream_fini(&c->stream);
    negotiation_fini(&c->negotiation);
}

static void token_destroyed(void *arg)
{
    struct token *t = arg;

    over(t->call);
}

// Lets go of the session: libre cancels or sends a BYE, and destroys it when that is answered.
static void let_go(struct call *c)
{
    struct sipsess *session = c->session;

    c->session = NULL;
    if (c->state == CALL_SETUP || c->state == CALL_UP)
        c->state = CALL_ENDING;
    list_unlink(&c->slot);
    mem_deref(session);
}

static void hang_up(struct call *c)
{
    c->bye_sent = true;
    let_go(c);
}

static int take_terms(struct call *c, const struct stream_terms *terms)
{
    const int error = stream_set(&c->stream, terms);

    if (error != 0)
        call_fail(c, "media can't start: %s", strerror(-error));
    return error;
}

static void enter_hold(struct call *c, enum hold_state state)
{
    c->hold = state;
    c->hold_since = since_up(c);
}

// The answer to an INVITE or re-INVITE of ours.
static int answered(const struct sip_msg *msg, void *arg)
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
    if (take_terms(c, &terms) != 0)
        return EPROTO;
    if (c->hold == HOLD_SENT)
        enter_hold(c, HOLD_ON);
    else if (c->hold == HOLD_RESUMING)
        enter_hold(c, HOLD_DONE);
    return 0;
}

// An offer in a re-INVITE of the far side.
static int offered(struct mbuf **answer, const struct sip_msg *msg, void *arg)
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
    if (take_terms(c, &terms) != 0) {
        *answer = mem_deref(*answer);
        return EPROTO;
    }
    return 0;
}

// ACK sent (caller) or received (callee).
static void established(const struct sip_msg *msg, void *arg)
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
    const uint32_t now = since_up(c);

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

static void closed(int err, const struct sip_msg *msg, void *arg)
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
    let_go(c);
}

static void destroyed(void *arg)
{
    struct call *c = arg;

    hash_unlink(&c->he);
    mem_deref(c->call_id);
}

// Plan and media of a call; the call is in the agent's list from here on.
static struct call *call_new(struct agent *a, enum call_role role, uint32_t label, int *error)
{
    const struct options *o = a->options;
    struct call *c = mem_zalloc(sizeof *c, destroyed);

    if (c == NULL) {
        *error = -ENOMEM;
        return NULL;
    }
    c->agent = a;
    c->role = role;
    c->label = label;
    c->stream.fd = c->stream.rtcp_fd = -1;
    list_append(&a->calls, &c->le, c);

    const uint32_t turn = o->hold_every == 0 ? 0 : label / o->hold_every;
    const bool hold_call = o->hold_every != 0 && label % o->hold_every == 0;
    const bool caller_hangs_up =
        o->hangup == HANGUP_CALLER || (o->hangup == HANGUP_ALTERNATE && label % 2 == 1);
    schedule_make(&c->plan, o->seconds, (uint32_t)strlen(o->dtmf),
                  hold_call && (turn & 1) == (role == CALL_CALLER), caller_hangs_up == (role == CALL_CALLER));
    *error = stream_init(&c->stream, o, &a->ports, label,
                         role == CALL_CALLER ? PAYLOAD_FROM_CALLER : PAYLOAD_FROM_CALLEE,
                         o->wrap_every != 0 && label % o->wrap_every == 0);
    if (*error == 0)
        *error = negotiation_init(&c->negotiation, o, &c->stream);
    return c;
}

static struct token *token_for(struct call *c)
{
    struct token *t = mem_zalloc(sizeof *t, token_destroyed);

    if (t != NULL)
        t->call = c;
    return t;
}

static const char *media_error(int error)
{
    return error == -EADDRINUSE ? "no free port in --rtp-ports" : strerror(-error);
}

void call_place(struct agent *a, uint32_t label)
{
    const struct options *o = a->options;
    const char *tp = o->tcp ? ";transport=tcp" : "";
    char to[96], from[64], contact[64];
    struct mbuf *offer = NULL;
    int error;
    struct call *c = call_new(a, CALL_CALLER, label, &error);

    if (c == NULL)
        return;
    if (error == 0)
        error = negotiation_offer(&c->negotiation, SDP_SENDRECV, &offer);
    if (error != 0) {
        call_fail(c, "not placed: %s", media_error(error));
        over(c);
        return;
    }
    snprintf(to, sizeof to, "sip:%s%07u@%s:%u%s", o->prefix, label, o->target.ip, o->target.port, tp);
    snprintf(from, sizeof from, "sip:%07u@%s", label, o->local.ip);
    snprintf(contact, sizeof contact, "sip:%07u@%s:%u%s", label, o->local.ip, o->local.port, tp);

    struct token *token = token_for(c);
    c->invited_us = agent_now_us();
    error =
        sipsess_connect(&c->session, a->sock, to, NULL, from, contact, NULL, 0, "application/sdp", offer,
                        NULL, token, true, offered, answered, NULL, established, NULL, NULL, closed, c, NULL);
    mem_deref(offer);
    if (error != 0)
        call_fail(c, "not placed: %s", strerror(error));
    else
        agent_call_named(a, c);
    mem_deref(token); // the session holds it now; if there is none, this ends the call
}

// The label that the called number ends in. 0: none.
static uint32_t label_of(const struct pl *user)
{
    uint32_t label = 0;

    if (user->l < LABEL_DIGITS)
        return 0;
    for (size_t i = user->l - LABEL_DIGITS; i < user->l; i++) {
        if (user->p[i] < '0' || user->p[i] > '9')
            return 0;
        label = label * 10 + (uint32_t)(user->p[i] - '0');
    }
    return label;
}

static void refuse(struct agent *a, const struct sip_msg *msg, uint16_t code, const char *reason)
{
    a->rejected++;
    sip_treply(NULL, a->sip, msg, code, reason);
}

void call_answer(struct agent *a, const struct sip_msg *msg)
{
    const struct options *o = a->options;
    const uint32_t label = label_of(&msg->uri.user);
    const bool has_offer = mbuf_get_left(msg->mb) > 0;
    struct stream_terms terms;
    struct mbuf *sdp = NULL;
    const char *why = "";
    char contact[64];
    int error;

    if (a->stopping) {
        refuse(a, msg, 503, "Stopping");
        return;
    }
    if (label == 0) {
        refuse(a, msg, 404, "Number Does Not End In A Call Label");
        return;
    }
    struct call *c = call_new(a, CALL_CALLEE, label, &error);
    if (c == NULL)
        return;
    a->incoming++;
    if (error != 0) {
        call_fail(c, "not answered: %s", media_error(error));
        refuse(a, msg, 500, "No Media Port");
        over(c);
        return;
    }
    error = has_offer ? negotiation_answer(&c->negotiation, msg->mb, &c->stream, &sdp, &terms, &why)
                      : negotiation_offer(&c->negotiation, SDP_SENDRECV, &sdp);
    if (error == 0 && has_offer)
        error = take_terms(c, &terms);
    if (error != 0) {
        call_fail(c, "offer refused: %s", why);
        refuse(a, msg, 488, "Not Acceptable Here");
        mem_deref(sdp);
        over(c);
        return;
    }
    snprintf(contact, sizeof contact, "sip:%07u@%s:%u%s", label, o->local.ip, o->local.port,
             msg->tp == SIP_TRANSP_TCP ? ";transport=tcp" : "");

    struct token *token = token_for(c);
    error = sipsess_accept(&c->session, a->sock, msg, 200, "OK", contact, "application/sdp", sdp, NULL, token,
                           true, offered, answered, established, NULL, NULL, closed, c, NULL);
    mem_deref(sdp);
    if (error != 0) {
        call_fail(c, "not answered: %s", strerror(error));
    } else {
        agent_call_named(a, c);
    }
    mem_deref(token);
}

// Sends a re-INVITE with direction `dir`. A failure shows by no answer.
static void reinvite(struct call *c, enum sdp_dir dir)
{
    struct mbuf *offer = NULL;
    int error = -negotiation_offer(&c->negotiation, dir, &offer);

    if (error == 0)
        error = sipsess_modify(c->session, offer);
    if (error != 0)
        call_fail(c, "re-INVITE not sent: %s", strerror(error));
    mem_deref(offer);
}

static enum sdp_dir hold_direction(const struct call *c)
{
    return (c->label / c->agent->options->hold_every) >> 1 & 1 ? SDP_INACTIVE : SDP_SENDONLY;
}

// The side that holds: ask for a pause in the media, hold, wait, resume.
static void step_hold(struct call *c, uint32_t now)
{
    const uint32_t waited = now - c->hold_since;

    switch (c->hold) {
    case HOLD_NONE:
        if (c->plan.holds && now >= c->plan.hold_at)
            enter_hold(c, HOLD_ASKED);
        break;
    case HOLD_ASKED:
        if (c->stream.receipt.peer_paused)
            enter_hold(c, HOLD_AGREED);
        break;
    case HOLD_AGREED:
        if (waited >= SCHEDULE_GUARD_MS) {
            enter_hold(c, HOLD_SENT);
            reinvite(c, hold_direction(c));
        }
        break;
    case HOLD_ON:
        if (waited >= c->plan.hold_for) {
            enter_hold(c, HOLD_RESUMING);
            reinvite(c, SDP_SENDRECV);
        }
        break;
    default:
        break;
    }
    c->stream.window.paused_here = c->hold != HOLD_NONE && c->hold != HOLD_DONE;
}

static bool dtmf_in_progress(const struct call *c)
{
    return c->stream.dtmf_tx.step > 0 && !dtmf_said(&c->stream.dtmf_tx);
}

// The far side's wish to pause is met between digits; it ends with the first packet that no longer asks for
// it.
static void follow_pause(struct call *c)
{
    struct window *w = &c->stream.window;

    if (c->hold != HOLD_NONE && c->hold != HOLD_DONE)
        return;
    if (!c->stream.receipt.peer_holds)
        w->paused_there = c->held_by_peer;
    else if (!dtmf_in_progress(c))
        w->paused_there = true;
}

static void report_if_due(struct call *c, uint32_t tick, uint32_t now)
{
    const struct window *w = &c->stream.window;

    if (c->agent->options->rtcp_interval == 0 || now < c->next_report || now >= c->plan.count_end ||
        w->paused_here || w->paused_there)
        return;
    c->next_report = now + c->agent->options->rtcp_interval * 1000;
    stream_send_report(&c->stream, tick);
}

void call_tick(struct call *c, uint32_t tick)
{
    uint32_t now = 0;
    bool dtmf = false;

    if (c->state == CALL_UP) {
        now = since_up(c);
        if (schedule_bye_due(&c->plan, now, &c->stream.heard)) {
            hang_up(c);
            return;
        }
        if (schedule_overdue(&c->plan, now, &c->stream.heard)) {
            call_fail(c, "not hung up on in time");
            hang_up(c);
            return;
        }
        step_hold(c, now);
        follow_pause(c);
        dtmf = now >= c->plan.dtmf_at && !c->stream.window.closed &&
               (dtmf_in_progress(c) || !(c->stream.window.paused_here || c->stream.window.paused_there));
        report_if_due(c, tick, now);
    }
    stream_tick(&c->stream, &c->plan, tick, now, dtmf);
}

void call_hang_up_early(struct call *c)
{
    if (c->state == CALL_SETUP) {
        call_fail(c, "given up during set-up");
        let_go(c);
    } else if (c->state == CALL_UP && !c->stream.window.closed) {
        const uint32_t now = since_up(c);

        call_fail(c, "stopped after %u ms", now);
        c->plan.count_end = now;
        c->plan.bye_at = now + SCHEDULE_GUARD_MS;
        c->plan.hangs_up = true;
        c->plan.holds = false;
    }
}

void call_abandon(struct call *c)
{
    if (c->state == CALL_OVER)
        return;
    call_fail(c, "still up at the end");
    if (c->session != NULL)
        let_go(c);
}
