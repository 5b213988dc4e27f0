// SPDX-License-Identifier: BSD-3-Clause
// How a call begins: placed or answered.
#include "tools/loadgen/call_internal.h"

#include "tools/loadgen/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// libre destroys it with the session, which is after the BYE was answered or given up: the only sign it gives
// of that.
struct token {
    struct call *call;
};

static void token_destroyed(void *arg)
{
    struct token *t = arg;

    call_over(t->call);
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

// TLS is listened for on the port behind that of the others.
static void write_contact(const struct options *o, uint32_t label, enum sip_transp transport, char *out,
                          size_t size)
{
    const unsigned port = o->local.port + (transport == SIP_TRANSP_TLS);

    snprintf(out, size, "sip:%07u@%s:%u%s", label, o->local.ip, port, sip_transp_param(transport));
}

void call_place(struct agent *a, uint32_t label)
{
    const struct options *o = a->options;
    static const enum sip_transp transports[] = {
        [OVER_UDP] = SIP_TRANSP_UDP, [OVER_TCP] = SIP_TRANSP_TCP, [OVER_TLS] = SIP_TRANSP_TLS};
    const enum sip_transp transport = transports[o->transport];
    const char *tp = sip_transp_param(transport);
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
        call_over(c);
        return;
    }
    snprintf(to, sizeof to, "sip:%s%07u@%s:%u%s", o->prefix, label, o->target.ip, o->target.port, tp);
    snprintf(from, sizeof from, "sip:%07u@%s", label, o->local.ip);
    write_contact(o, label, transport, contact, sizeof contact);

    struct token *token = token_for(c);
    c->invited_us = agent_now_us();
    error = sipsess_connect(&c->session, a->sock, to, NULL, from, contact, NULL, 0, "application/sdp", offer,
                            NULL, token, true, call_offered, call_answered, NULL, call_established, NULL,
                            NULL, call_closed, c, NULL);
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
        call_over(c);
        return;
    }
    error = has_offer ? negotiation_answer(&c->negotiation, msg->mb, &c->stream, &sdp, &terms, &why)
                      : negotiation_offer(&c->negotiation, SDP_SENDRECV, &sdp);
    if (error == 0 && has_offer)
        error = call_take_terms(c, &terms);
    if (error != 0) {
        call_fail(c, "offer refused: %s", why);
        refuse(a, msg, 488, "Not Acceptable Here");
        mem_deref(sdp);
        call_over(c);
        return;
    }
    write_contact(o, label, msg->tp, contact, sizeof contact);

    struct token *token = token_for(c);
    error =
        sipsess_accept(&c->session, a->sock, msg, 200, "OK", contact, "application/sdp", sdp, NULL, token,
                       true, call_offered, call_answered, call_established, NULL, NULL, call_closed, c, NULL);
    mem_deref(sdp);
    if (error != 0) {
        call_fail(c, "not answered: %s", strerror(error));
    } else {
        agent_call_named(a, c);
    }
    mem_deref(token);
}
