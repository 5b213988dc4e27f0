// SPDX-License-Identifier: BSD-3-Clause
// What the calls decide, carried out: messages, sessions, timers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/base/log.h"

static const char sdp_type[] = "application/sdp";

// An event that the action itself brings about; taken when the actions of this step are done.
static void later(struct agent_call *c, enum call_event_type type, unsigned side, int status)
{
    if (c->later_count < AGENT_LATER_MAX)
        c->later[c->later_count++] =
            (struct call_event){.type = type, .side = (uint8_t)side, .status = status};
}

// ---- media --------------------------------------------------------------------------------------------

static void do_add(struct agent_call *c)
{
    struct tl_leg legs[2];
    call_legs(&c->call, legs);
    int rc = media_add(c->agent->media, legs, c, &c->media);
    explicit_bzero(legs, sizeof legs);
    if (rc < 0)
        later(c, CALL_EV_ADDED, 0, rc);
}

static void do_modify(struct agent_call *c)
{
    struct tl_leg legs[2];
    call_legs(&c->call, legs);
    int rc = c->media ? media_modify(c->media, legs) : -ENOENT;
    explicit_bzero(legs, sizeof legs);
    if (rc == -ENOTCONN) // kept until the dataplane is back: the call goes on
        later(c, CALL_EV_MODIFIED, 0, 0);
    else if (rc < 0)
        later(c, CALL_EV_MODIFIED, 0, rc);
}

static void do_del(struct agent_call *c, const struct call_action *a)
{
    struct media_session *s = c->media;
    c->media = NULL;
    if (a->flags & CALL_FORGET) {
        if (s)
            media_forget(s);
    } else if (!s || media_del(s) < 0) {
        later(c, CALL_EV_DELETED, 0, 0);
    }
}

// ---- INVITE to B --------------------------------------------------------------------------------------

void agent_attempt_result(struct agent_call *c, unsigned status)
{
    if (!c->attempt)
        return;
    c->attempt = false;
    agent_say_trunk(c->trunk_b, trunk_attempt_result(c->trunk_b, status, loop_now(c->agent->loop)));
}

static void do_invite(struct agent_call *c, const struct call_action *a)
{
    struct agent *agent = c->agent;
    struct agent_leg *leg = &c->leg[CALL_B];
    struct trunk *trunk = &agent->trunks.trunks[a->trunk];
    struct sip_flow flow = sip_flow_to(agent->stack, trunk->config->listener, &trunk->config->peer);
    char uri[256], to[260], from[600], contact[256], tag[SIP_TAG_LEN], call_id[64];
    if (c->trunk_b)
        trunk_leg_ends(c->trunk_b);
    c->trunk_b = trunk;
    trunk_leg_begins(trunk);
    trunk_attempt(trunk);
    c->attempt = true;
    sip_make_tag(agent->stack, tag);
    sip_make_call_id(agent->stack, call_id, sizeof call_id);
    agent_set_tag(leg, tag);
    agent_uri(uri, sizeof uri, c->called, &trunk->config->peer, flow.transport);
    snprintf(to, sizeof to, "<%s>", uri);
    snprintf(from, sizeof from, "%s;tag=%s", c->from, tag);
    agent_contact(contact, sizeof contact, c->calling, &flow);
    struct sip_request request = {.method = SIP_INVITE,
                                  .uri = uri,
                                  .from = from,
                                  .to = to,
                                  .call_id = call_id,
                                  .cseq = 1,
                                  .contact = contact,
                                  .max_forwards = c->max_forwards,
                                  .headers = c->headers,
                                  .body_type = sdp_type,
                                  .body = a->body,
                                  .body_len = a->body_len};
    int rc = sip_request(agent->stack, &flow, &request, &leg->user.sip, &leg->invite_out);
    if (rc < 0) {
        log_line(LOG_WARNING, "call %llu: INVITE to trunk %s was not sent: %s", (unsigned long long)c->id,
                 trunk->config->name, strerror(-rc));
        leg->invite_out = NULL;
        agent_attempt_result(c, 0);
        later(c, CALL_EV_TRANSPORT, CALL_B, 0);
    }
}

// ---- inside a dialog ----------------------------------------------------------------------------------

static void dialog_request(struct agent_leg *leg, enum sip_method method, struct sip_request *r,
                           char *contact, size_t size)
{
    memset(r, 0, sizeof *r);
    r->method = method;
    sip_dialog_request(&leg->dialog, method, r);
    agent_contact(contact, size, leg->side == CALL_A ? leg->owner->called : leg->owner->calling,
                  &leg->dialog.flow);
    r->contact = contact;
}

static void do_reinvite(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = &c->leg[a->side];
    struct sip_flow flow = sip_dialog_next_hop(&leg->dialog);
    struct sip_request r;
    char contact[256];
    dialog_request(leg, SIP_INVITE, &r, contact, sizeof contact);
    if (a->body) {
        r.body_type = sdp_type;
        r.body = a->body;
        r.body_len = a->body_len;
    }
    if (sip_request(c->agent->stack, &flow, &r, &leg->user.sip, &leg->invite_out) < 0) {
        leg->invite_out = NULL;
        later(c, CALL_EV_FAILURE, a->side, 500);
    }
}

static void do_ack(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = &c->leg[a->side];
    struct sip_flow flow = sip_dialog_next_hop(&leg->dialog);
    struct sip_request r;
    char contact[256];
    if (!leg->invite_out)
        return;
    dialog_request(leg, SIP_ACK, &r, contact, sizeof contact);
    if (a->body) {
        r.body_type = sdp_type;
        r.body = a->body;
        r.body_len = a->body_len;
    }
    int rc = sip_ack(leg->invite_out, &flow, &r);
    if (rc < 0) {
        log_line(LOG_WARNING, "call %llu: ACK was not sent: %s", (unsigned long long)c->id, strerror(-rc));
        sip_abandon(leg->invite_out); // then at least the stack ACKs and ends that dialog
    }
    leg->invite_out = NULL;
}

static void do_bye(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = &c->leg[a->side];
    struct sip_flow flow = sip_dialog_next_hop(&leg->dialog);
    struct sip_request r;
    char contact[256];
    dialog_request(leg, SIP_BYE, &r, contact, sizeof contact);
    r.contact = NULL;
    if (a->flags & CALL_RELAY && c->agent->reason[0])
        r.headers = c->agent->reason;
    if (sip_request(c->agent->stack, &flow, &r, &leg->user.sip, &leg->bye) < 0) {
        leg->bye = NULL;
        later(c, CALL_EV_BYE_DONE, a->side, 0);
    }
}

static void do_abandon(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = &c->leg[a->side];
    if (leg->invite_out)
        sip_abandon(leg->invite_out);
    leg->invite_out = NULL;
    // An attempt that A withdrew says nothing against the trunk; one that was never answered does.
    if (a->side == CALL_B)
        agent_attempt_result(c, c->gave_up ? 0 : 487);
}

// ---- answers ------------------------------------------------------------------------------------------

static void do_answer(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = &c->leg[a->side];
    struct sip_txn *txn = leg->invite_in;
    const struct agent *agent = c->agent;
    bool relayed = a->flags & CALL_RELAY && agent->status == a->status;
    char contact[256];
    if (!txn)
        return;
    const struct sip_flow *flow = sip_txn_flow(txn);
    agent_contact(contact, sizeof contact, a->side == CALL_A ? c->called : c->calling, flow);
    struct sip_answer answer = {.status = a->status,
                                .reason = relayed && agent->phrase[0] ? agent->phrase : NULL,
                                .contact = a->status < 300 ? contact : NULL,
                                .headers = relayed && agent->reason[0] ? agent->reason : NULL,
                                .retry_after = a->retry_after,
                                .body_type = a->body ? sdp_type : NULL,
                                .body = a->body,
                                .body_len = a->body_len};
    if (a->status >= 200 && a->status < 300) {
        const struct sip_msg *request = sip_txn_request(txn);
        if (request && c->answer_ms) // a later INVITE that we accept moves the remote target, RFC 3261 12.2.2
            sip_dialog_retarget(&leg->dialog, request);
        if (!c->answer_ms) {
            c->answer_ms = loop_now(c->agent->loop);
            c->agent->counters.answered++;
        }
    }
    if (a->status >= 300) // nothing of it concerns the call any more
        sip_txn_set_owner(txn, NULL);
    int rc = sip_respond(txn, &answer);
    if (rc == -EINVAL && relayed) { // a phrase or Reason that cannot go along
        answer.reason = answer.headers = NULL;
        rc = sip_respond(txn, &answer);
    }
    if (a->status < 200 && rc != -EIO) // with that the transaction has gone
        return;
    leg->invite_in = NULL;
    if (a->status >= 300)
        return;
    if (rc == 0)
        leg->ack_due = txn;
    else
        later(c, CALL_EV_NO_ACK, a->side, 0);
}

// ---- timers -------------------------------------------------------------------------------------------

static void on_timer(void *arg)
{
    struct agent_timer *t = arg;
    loop_now(t->owner->agent->loop);
    struct call_event e = {.type = CALL_EV_TIMER, .timer = t->which};
    agent_event(t->owner, &e, NULL, NULL);
}

static void do_timer(struct agent_call *c, const struct call_action *a)
{
    struct wheel *wheel = loop_wheel(c->agent->loop);
    struct agent_timer *t = &c->timer[a->timer];
    if (a->ms)
        wheel_add(wheel, &t->timer, a->ms, on_timer, t);
    else
        wheel_cancel(wheel, &t->timer);
}

void agent_carry_out(struct agent_call *c, const struct call_action *a)
{
    switch (a->type) {
    case CALL_DO_ADD:
        do_add(c);
        break;
    case CALL_DO_MODIFY:
        do_modify(c);
        break;
    case CALL_DO_DEL:
        do_del(c, a);
        break;
    case CALL_DO_INVITE:
        do_invite(c, a);
        break;
    case CALL_DO_REINVITE:
        do_reinvite(c, a);
        break;
    case CALL_DO_ACK:
        do_ack(c, a);
        break;
    case CALL_DO_ANSWER:
        do_answer(c, a);
        break;
    case CALL_DO_REPLY:
        if (c->txn)
            agent_respond(c->txn, a->status, 0, NULL);
        c->txn = NULL;
        break;
    case CALL_DO_CANCEL:
        if (c->leg[a->side].invite_out)
            sip_cancel(c->leg[a->side].invite_out);
        break;
    case CALL_DO_ABANDON:
        do_abandon(c, a);
        break;
    case CALL_DO_BYE:
        do_bye(c, a);
        break;
    case CALL_DO_TIMER:
        do_timer(c, a);
        break;
    case CALL_DO_END:
    case CALL_DO_COUNT:
        break;
    }
}
