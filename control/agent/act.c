// SPDX-License-Identifier: BSD-3-Clause
// What the calls decide, carried out: messages, sessions, timers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"
#include "control/base/log.h"

// An event that the action itself brings about; taken when the actions of this step are done.
static void later(struct agent_call *c, enum call_event_type type, unsigned side, int status)
{
    agent_later(c, &(struct call_event){.type = type, .side = (uint8_t)side, .status = status});
}

// ---- media --------------------------------------------------------------------------------------------

static void do_add(struct agent_call *c)
{
    struct tl_leg legs[2];
    call_legs(&c->call, legs);
    struct media_past past[2] = {0};
    agent_transfer_past(c, past);
    int rc = media_add_for(c->agent->media, legs, past, c, &c->media);
    explicit_bzero(legs, sizeof legs);
    if (rc < 0)
        later(c, CALL_EV_ADDED, 0, rc);
}

static void do_modify(struct agent_call *c)
{
    struct tl_leg legs[2];
    if (call_stands_in(&c->call)) { // its media flows when all are here
        later(c, CALL_EV_MODIFIED, 0, 0);
        return;
    }
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
    struct trunk *trunk = c->leg[CALL_B]->trunk;
    struct trunk_target *target = agent_leg_target(c->leg[CALL_B]);
    const struct tl_trunk_config *config = agent_leg_trunk(c->leg[CALL_B]);
    bool last, was_down = target && target->down,
               more = (!status || status == 503) && agent_more(c->leg[CALL_B]) == CALL_MORE;
    enum trunk_change change =
        trunk_attempt_result(trunk, target, config, status, more, loop_now(c->agent->loop), &last);
    if (was_down && !target->down)
        agent_say_target(trunk, target, TRUNK_WENT_UP);
    agent_say_trunk(trunk, change);
    if (last)
        log_line(LOG_WARNING, "trunk %s fails calls, %u in a row: it is tried last for %u s", trunk->name,
                 trunk->failed_calls, config->last_for_s);
}

// " at ADDRESS" where the trunk has several targets.
static const char *which_target(const struct agent_leg *leg, char out[static TL_ADDR_TEXT + 8])
{
    const struct trunk_target *target = agent_leg_target(leg);
    if (target && leg->trunk->target_count > 1)
        snprintf(out, TL_ADDR_TEXT + 8, " at %s", TL_ADDR_STR(&target->addr));
    return out;
}

void agent_attempt_failed(struct agent_call *c, unsigned status, const char *why)
{
    uint64_t unsaid;
    if (c->attempt && log_allow(&c->agent->attempt_limit, loop_now(c->agent->loop), &unsaid))
        log_line(LOG_INFO, "call %llu: trunk %s%s %s", (unsigned long long)c->id, c->leg[CALL_B]->trunk->name,
                 which_target(c->leg[CALL_B], (char[TL_ADDR_TEXT + 8]){""}), why);
    agent_attempt_result(c, status);
}

// Two texts of header lines as one; NULL for an empty one or without memory.
static char *join(const char *first, const char *second)
{
    char *out = NULL;
    if ((!*first && !second) || asprintf(&out, "%s%s", first, second ? second : "") < 0)
        return NULL;
    return out;
}

// The target that the INVITE goes to: the last one once more, another one of the same trunk, or the first of a trunk. NULL: the
// trunk has none any more.
static struct trunk_target *choose_target(struct agent_leg *leg, uint8_t flags)
{
    if (flags & CALL_AGAIN)
        return agent_leg_target(leg);
    if (!(flags & CALL_NEXT_TARGET))
        leg->tried_count = 0;
    if (leg->tried_count == TRUNK_TRIED_MAX)
        return NULL;
    struct trunk_target *target = trunk_pick(leg->trunk, agent_need(leg->owner->sips), leg->tried,
                                             leg->tried_count, loop_now(leg->owner->agent->loop));
    if (target)
        leg->tried[leg->tried_count++] = target->id;
    return target;
}

static void do_invite(struct agent_call *c, const struct call_action *a)
{
    struct agent *agent = c->agent;
    struct agent_leg *leg = c->leg[CALL_B];
    struct trunk *trunk = c->generation->trunks[a->trunk];
    const struct tl_trunk_config *config = &c->generation->config->trunks[a->trunk];
    char options[AGENT_OPTIONS_MAX], type[LOCATION_TYPE_MAX], *room = NULL;
    struct header_plan plan = {0};
    enum trunk_limit full =
        a->flags & (CALL_AGAIN | CALL_NEXT_TARGET)
            ? TRUNK_LIMIT_NONE
            : trunk_send(trunk, c->emergency ? TRUNK_URGENT : TRUNK_ORDINARY, loop_now(agent->loop));
    if (full != TRUNK_LIMIT_NONE) { // it was not, when the call's trunks were chosen
        agent_say_full(agent, trunk, full);
        leg->invite_out = NULL;
        later(c, CALL_EV_FULL, CALL_B, 0);
        return;
    }
    leg->trunk = trunk;
    trunk_leg_begin(&leg->taken, trunk, TRUNK_LEG_TO);
    struct trunk_target *target = choose_target(leg, a->flags);
    if (!target) {
        leg->invite_out = NULL;
        later(c, CALL_EV_TRANSPORT, CALL_B, 0);
        return;
    }
    const struct sip_flow flow = agent_flow(agent, config, trunk, target);
    trunk_attempt(trunk, target);
    c->attempt = true;
    c->number = a->number;
    leg->scheme = c->sips ? TL_URI_SIPS : config->uri_scheme;
    agent_dialogs_free(leg);
    if (a->flags & CALL_AGAIN) {
        leg->invite_cseq++;
    } else {
        leg->invite_cseq = 1;
        sip_make_tag(agent->stack, leg->tag);
        sip_make_call_id(agent->stack, leg->call_id, sizeof leg->call_id);
    }
    int rc = agent_plan_invite(c, &flow, &plan);
    agent_request_options(config, a, options);
    char *headers = NULL;
    const char *replaces = c->replaces ? c->replaces : "";
    if (rc == 0 && asprintf(&headers, "%s: %u\r\n%s%s%s%s%s", agent_hops_header, c->own_hops, options,
                            plan.lines, *replaces ? "Replaces: " : "", replaces, *replaces ? "\r\n" : "") < 0)
        rc = -ENOMEM;
    struct sip_request request = {.method = SIP_INVITE,
                                  .uri = plan.uri,
                                  .from = plan.from,
                                  .to = plan.to,
                                  .call_id = leg->call_id,
                                  .cseq = leg->invite_cseq,
                                  .contact = plan.contact,
                                  .max_forwards = c->max_forwards,
                                  .headers = headers,
                                  .allow = agent_allow(agent, agent_methods(config)),
                                  .body_type = agent_sdp_type,
                                  .body = a->body,
                                  .body_len = a->body_len,
                                  .account = agent_account(agent, config->name, "")};
    request.route_count = agent_service_route(agent, config->name, &request.routes);
    agent_invite_body(c, &request, type, &room);
    if (rc == 0)
        rc = sip_request(agent->stack, &flow, &request, &leg->user.sip, &leg->invite_out);
    free(headers);
    free(room);
    if (rc < 0) {
        uint64_t unsaid;
        if (log_allow(&agent->attempt_limit, loop_now(agent->loop), &unsaid))
            log_line(LOG_WARNING, "call %llu: INVITE to trunk %s was not sent: %s", (unsigned long long)c->id,
                     config->name, strerror(-rc));
        leg->invite_out = NULL;
        agent_attempt_result(c, 0);
        later(c, CALL_EV_TRANSPORT, CALL_B, 0);
    }
}

// ---- inside a dialog ----------------------------------------------------------------------------------

void agent_dialog_request(struct agent_dialog *d, enum sip_method method, struct sip_request *r,
                          char *contact, size_t size)
{
    sip_dialog_request(&d->sip, method, r);
    agent_contact(d->leg, &d->sip.flow, contact, size);
    r->contact = contact;
    r->allow = agent_allow(d->leg->owner->agent, agent_methods(agent_leg_trunk(d->leg)));
    r->account = agent_account(d->leg->owner->agent, agent_leg_trunk(d->leg)->name, "");
}

static void set_body(struct sip_request *r, const struct call_action *a)
{
    if (!a->body)
        return;
    r->body_type = agent_sdp_type;
    r->body = a->body;
    r->body_len = a->body_len;
}

// Sends a re-INVITE or UPDATE with what the action says.
static int send_inside(struct agent_call *c, struct agent_dialog *d, enum sip_method method,
                       const struct call_action *a, struct sip_txn **at)
{
    struct agent_leg *leg = d->leg;
    struct sip_flow flow = agent_next_hop(d);
    struct sip_request r;
    char contact[AGENT_CONTACT_MAX], options[AGENT_OPTIONS_MAX];
    bool ours = a->flags & CALL_REFRESH; // the other side has no part in it
    const char *lines = ours ? "" : agent_request_lines(c, leg, method);
    if (!*lines)
        lines = agent_connected_lines(leg, d);
    agent_dialog_request(d, method, &r, contact, sizeof contact);
    agent_request_options(agent_leg_trunk(leg), a, options);
    char *headers = join(options, lines);
    r.headers = headers;
    set_body(&r, a);
    if (method == SIP_INVITE)
        leg->invite_cseq = r.cseq;
    c->agent->counters.refreshes += ours;
    int rc = sip_request(c->agent->stack, &flow, &r, &leg->user.sip, at);
    free(headers);
    return rc;
}

static void do_reinvite(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    struct agent_dialog *d = agent_dialog_get(leg, 0);
    if (d && d->bound && send_inside(c, d, SIP_INVITE, a, &leg->invite_out) == 0)
        return;
    leg->invite_out = NULL;
    later(c, CALL_EV_TRANSPORT, a->side, 0);
}

static void do_update(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    // the main one of early dialogs has the number that the call machine knows
    struct agent_dialog *d = agent_dialog_get(leg, c->call.side[a->side].main);
    if (d && d->bound && send_inside(c, d, SIP_UPDATE, a, &leg->update_out) == 0)
        return;
    leg->update_out = NULL;
    later(c, CALL_EV_UPDATED, a->side, 503);
}

static void do_ack(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    struct sip_request r;
    char contact[AGENT_CONTACT_MAX];
    if (!leg->invite_out || !leg->main)
        return;
    struct sip_flow flow = agent_next_hop(leg->main);
    agent_dialog_request(leg->main, SIP_ACK, &r, contact, sizeof contact);
    r.cseq = leg->invite_cseq; // other requests may have gone out since
    set_body(&r, a);
    int rc = sip_ack(leg->invite_out, &flow, &r);
    if (rc < 0) {
        log_line(LOG_WARNING, "call %llu: ACK was not sent: %s", (unsigned long long)c->id, strerror(-rc));
        sip_abandon(leg->invite_out); // then at least the stack ACKs and ends that dialog
    }
    leg->invite_out = NULL;
}

static void do_bye(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    struct sip_request r;
    char contact[AGENT_CONTACT_MAX], reason[160];
    if (leg->main && leg->main->bound) {
        struct sip_flow flow = agent_next_hop(leg->main);
        agent_dialog_request(leg->main, SIP_BYE, &r, contact, sizeof contact);
        r.contact = NULL;
        if (a->flags & CALL_RELAY)
            r.headers = agent_request_lines(c, leg, SIP_BYE);
        else if (c->call.cause) {
            snprintf(reason, sizeof reason, "Reason: Q.850;cause=%u;text=\"%s\"\r\n", c->call.cause,
                     c->call.why);
            r.headers = reason;
        }
        if (sip_request(c->agent->stack, &flow, &r, &leg->user.sip, &leg->bye) == 0)
            return;
    }
    leg->bye = NULL;
    later(c, CALL_EV_BYE_DONE, a->side, 0);
}

static void do_abandon(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    if (leg->invite_out) {
        sip_cancel_with(leg->invite_out, agent_request_lines(c, leg, SIP_CANCEL));
        sip_abandon(leg->invite_out);
    }
    leg->invite_out = NULL;
    // An attempt that A withdrew says nothing against the trunk; one that was never answered does.
    if (a->side == CALL_B && a->flags & CALL_FAILED)
        agent_attempt_failed(c, 0, "did not answer within its no_response_ms or no_progress_ms");
    else if (a->side == CALL_B)
        agent_attempt_result(c, 487);
}

// ---- answers ------------------------------------------------------------------------------------------

// What an answer says beside what the stack adds: what passes of the other side's, why it is what it is.
static char *answer_lines(struct agent_call *c, const struct call_action *a, const struct sip_flow *flow)
{
    struct agent_leg *leg = c->leg[a->side];
    char warning[480] = "", options[AGENT_OPTIONS_MAX];
    if (a->warning)
        agent_warning_line(leg, flow, a->warning, warning, sizeof warning);
    c->agent->counters.bad_extension += a->status == 420;
    c->agent->counters.extension_required += a->status == 421;
    agent_answer_options(agent_leg_trunk(leg), a, options);
    return join(*options ? options : warning,
                agent_answer_lines(c, leg, a->status, a->side == CALL_A && !c->answer_ms));
}

// A later INVITE that we accept moves the remote target (RFC 3261 12.2.2); the first one makes the dialog.
static void accepted(struct agent_call *c, struct agent_leg *leg, struct agent_dialog *d)
{
    const struct sip_msg *request = sip_txn_request(leg->invite_in);
    if (request && c->answer_ms)
        sip_dialog_retarget(&d->sip, request);
    agent_dialog_confirm(d);
    if (c->answer_ms)
        return;
    c->answer_ms = loop_now(c->agent->loop);
    c->agent->counters.answered++;
    for (unsigned s = 0; s < 2; s++)
        trunk_leg_answered(&c->leg[s]->taken, c->call.side[s].neg.ptime);
}

// RFC 3262 section 3: random, so that nobody guesses it, and far below 2^31.
static uint32_t first_rseq(const struct agent_call *c)
{
    const struct neg_random *random = &c->call.env->random;
    uint32_t n = 0;
    if (random->fill(random->arg, &n, sizeof n) < 0)
        n = 0;
    return 1 + (n & 0x3fffffff);
}

static void do_answer(struct agent_call *c, const struct call_action *a)
{
    struct agent_leg *leg = c->leg[a->side];
    struct sip_txn *txn = leg->invite_in;
    const struct agent *agent = c->agent;
    bool relayed = a->flags & CALL_RELAY && agent->status == a->status;
    char contact[AGENT_CONTACT_MAX], phrase[256];
    if (c->call.side[a->side].stands_in)
        agent_transfer_answer(c, a->status);
    if (!txn)
        return;
    struct agent_dialog *d = a->side == CALL_A && (!c->answer_ms || a->dialog) && a->status < 300
                                 ? agent_dialog_a(leg, a->dialog)
                                 : NULL; // of the first INVITE
    if (!d)
        d = agent_dialog_get(leg, 0);
    const struct sip_flow *flow = sip_txn_flow(txn);
    agent_contact(leg, flow, contact, sizeof contact);
    char *headers = answer_lines(c, a, flow);
    struct sip_answer answer = {.status = a->status,
                                .reason =
                                    relayed && agent_phrase(leg, flow, phrase, sizeof phrase) ? phrase : NULL,
                                .contact = a->status < 300   ? contact
                                           : a->status < 400 ? c->contacts
                                                             : NULL,
                                .headers = headers,
                                .retry_after = a->retry_after,
                                .allow = agent_allow(c->agent, agent_methods(agent_leg_trunk(leg))),
                                .tag = d ? d->tag : NULL,
                                .body_type = a->body ? agent_sdp_type : NULL,
                                .body = a->body,
                                .body_len = a->body_len};
    if (a->flags & CALL_RELIABLE &&
        d) { // a sequence for each dialog: the caller counts so (RFC 3262 section 4)
        const struct sip_msg *request = sip_txn_request(txn);
        d->rseq_cseq = request ? sip_msg_cseq(request) : 0;
        d->rseq_open = true;
        d->rseq = d->rseq ? d->rseq + 1 : first_rseq(c);
        answer.rseq = d->rseq;
    }
    if (a->status >= 200 && a->status < 300 && d)
        accepted(c, leg, d);
    if (a->status >= 300) // nothing of it concerns the call any more
        sip_txn_set_owner(txn, NULL);
    int rc = sip_respond(txn, &answer);
    if (rc == -EINVAL && relayed) { // a phrase or Reason that cannot go along
        answer.reason = answer.headers = NULL;
        rc = sip_respond(txn, &answer);
    }
    free(headers);
    if (a->status < 200 && rc != -EIO) // with that the transaction has gone
        return;
    leg->invite_in = NULL;
    if (a->status < 300 && rc < 0)
        later(c, CALL_EV_NO_ACK, a->side, 0);
}

// Answers the request that *at holds.
static void do_reply(struct agent_call *c, const struct call_action *a, struct sip_txn **at)
{
    struct agent_leg *leg = c->leg[a->side];
    struct sip_txn *txn = *at;
    char contact[AGENT_CONTACT_MAX], lines[480] = "";
    if (!txn)
        return;
    const struct sip_flow *flow = sip_txn_flow(txn);
    const struct sip_msg *request = sip_txn_request(txn);
    bool update = txn == leg->update_in;
    *at = NULL;
    agent_contact(leg, flow, contact, sizeof contact);
    if (a->warning)
        agent_warning_line(leg, flow, a->warning, lines, sizeof lines);
    else
        agent_answer_options(agent_leg_trunk(leg), a, lines);
    if (update && request && a->status < 300) {
        struct agent_dialog *d = agent_find_dialog(c->agent, request);
        if (d)
            sip_dialog_retarget(&d->sip, request);
    }
    sip_txn_set_owner(txn, NULL);
    char *headers = join(lines, update ? agent_answer_lines(c, leg, a->status, false) : NULL);
    sip_respond(txn, &(struct sip_answer){.status = a->status,
                                          .contact = update && a->status < 300 ? contact : NULL,
                                          .headers = headers,
                                          .retry_after = a->retry_after,
                                          .body_type = a->body ? agent_sdp_type : NULL,
                                          .body = a->body,
                                          .body_len = a->body_len});
    free(headers);
}

// ---- timers -------------------------------------------------------------------------------------------

static void on_timer(void *arg)
{
    struct agent_timer *t = arg;
    loop_now(t->owner->agent->loop);
    struct call_event e = {.type = CALL_EV_TIMER, .timer = t->which};
    const struct sip_txn *invite = t->owner->leg[CALL_B]->invite_out;
    if (t->which == CALL_TIMER_NO_RESPONSE && invite && sip_txn_heard(invite))
        e.status = 100;
    agent_event(t->owner, &e, NULL, NULL);
}

void agent_arm(struct agent_call *c, enum call_timer which, uint64_t ms)
{
    struct agent_timer *t = &c->timer[which];
    wheel_add(loop_wheel(c->agent->loop), &t->timer, ms, on_timer, t);
}

static void do_timer(struct agent_call *c, const struct call_action *a)
{
    if (a->ms)
        agent_arm(c, a->timer, a->ms);
    else
        wheel_cancel(loop_wheel(c->agent->loop), &c->timer[a->timer].timer);
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
    case CALL_DO_UPDATE:
        do_update(c, a);
        break;
    case CALL_DO_REPLY:
        do_reply(c, a, &c->txn);
        break;
    case CALL_DO_REPLY_UPDATE:
        do_reply(c, a, &c->leg[a->side]->update_in);
        break;
    case CALL_DO_REPLY_PRACK:
        do_reply(c, a, &c->leg[a->side]->prack_in);
        break;
    case CALL_DO_CANCEL:
        if (c->leg[a->side]->invite_out)
            sip_cancel_with(c->leg[a->side]->invite_out, agent_request_lines(c, c->leg[a->side], SIP_CANCEL));
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
    case CALL_DO_JOINED:
        agent_transfer_joined(c, a->status);
        break;
    case CALL_DO_END:
    case CALL_DO_COUNT:
        break;
    }
}
