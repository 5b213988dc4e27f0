// SPDX-License-Identifier: BSD-3-Clause
// What becomes of our requests: responses, and their absence.
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/call/causes.h"

static struct call_event event_of(const struct agent_leg *leg, const struct sip_msg *msg)
{
    struct sip_str sdp = agent_sdp_of(msg);
    return (struct call_event){
        .side = leg->side, .status = sip_msg_status(msg), .sdp = sdp.p, .sdp_len = sdp.len};
}

// ---- provisionals -------------------------------------------------------------------------------------

static void send_prack(struct agent_dialog *d, const struct sip_msg *msg, uint32_t rseq)
{
    struct sip_flow flow = agent_next_hop(d);
    struct sip_request r;
    char contact[AGENT_CONTACT_MAX], rack[64];
    agent_dialog_request(d, SIP_PRACK, &r, contact, sizeof contact);
    snprintf(rack, sizeof rack, "RAck: %u %u INVITE\r\n", rseq, sip_msg_cseq(msg));
    r.headers = rack;
    r.contact = NULL;
    struct sip_txn
        *txn; // the leg's, which asks for no answer, but says how it leaves again when it is challenged
    sip_request(d->leg->owner->agent->stack, &flow, &r, &d->leg->user.sip, &txn);
}

// RFC 3262 section 4: what came before or out of its turn is not taken. False: it says nothing new.
static bool take_reliable(struct agent_dialog *d, const struct sip_msg *msg, struct call_facts *facts)
{
    uint32_t rseq = facts->reliable ? sip_msg_number(msg, "RSeq", INT32_MAX, 0) : 0;
    if (!rseq || !d || !d->bound) {
        facts->reliable = false;
        return true;
    }
    if (d->rseq && rseq != d->rseq + 1)
        return false;
    d->rseq = rseq;
    send_prack(d, msg, rseq);
    return true;
}

static void provisional(struct agent_leg *leg, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct call_event e = event_of(leg, msg);
    struct call_facts facts;
    bool first = !leg->main; // of the INVITE that makes the dialog
    struct agent_dialog *d = leg->side == CALL_B && first ? agent_dialog_b(leg, msg, flow) : leg->main;
    agent_facts(msg, &facts);
    if (!take_reliable(d, msg, &facts) || !first)
        return; // a re-INVITE's say nothing that matters
    e.type = CALL_EV_PROVISIONAL;
    e.dialog = d ? d->id : 0;
    e.facts = &facts;
    agent_event(leg->owner, &e, msg, NULL);
}

// ---- final --------------------------------------------------------------------------------------------

// The dialog of a 2xx. NULL: nobody there could be called.
static struct agent_dialog *take_dialog(struct agent_leg *leg, const struct sip_msg *msg,
                                        const struct sip_flow *flow)
{
    if (leg->main)
        return sip_dialog_retarget(&leg->main->sip, msg) == 0 ? leg->main : NULL;
    struct agent_dialog *d = agent_dialog_b(leg, msg, flow);
    if (!d || !d->bound)
        return NULL;
    agent_dialog_confirm(d);
    return d;
}

// What the final response to an INVITE that sets a call up says of the trunk.
static void end_attempt(struct agent_leg *leg, const struct sip_msg *msg, unsigned q850)
{
    struct agent_call *c = leg->owner;
    int said = sip_msg_status(msg);
    unsigned status = (unsigned)cause_taken_for(agent_leg_trunk(leg), said, q850);
    uint32_t rest = said == 503 ? sip_msg_number(msg, "Retry-After", INT32_MAX, 0) : 0;
    char why[64];
    if (rest) {
        snprintf(why, sizeof why, "answered 503, Retry-After %u", rest);
        trunk_rest(leg->trunk, agent_leg_target(leg), rest, loop_now(c->agent->loop));
    } else {
        snprintf(why, sizeof why, (int)status == said ? "answered %d" : "answered %d, taken for %u", said,
                 status);
    }
    if (said < 600 && tl_failover_has(&agent_leg_trunk(leg)->failover, status))
        agent_attempt_failed(c, status, why);
    else
        agent_attempt_result(c, status);
}

static void invite_final(struct agent_leg *leg, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct agent_call *c = leg->owner;
    struct call_event e = event_of(leg, msg);
    struct call_facts facts;
    agent_facts(msg, &facts);
    if (leg->side == CALL_B && !leg->main)
        end_attempt(leg, msg, facts.q850);
    e.type = e.status < 300 ? CALL_EV_SUCCESS : CALL_EV_FAILURE;
    e.facts = &facts;
    if (e.type == CALL_EV_FAILURE && leg->side == CALL_B && !leg->main) {
        c->b_status = e.status;
        sip_str_copy(sip_msg_phrase(msg), c->b_phrase, sizeof c->b_phrase);
        c->b_cause = facts.q850;
    } else if (leg->side == CALL_B && !leg->main) {
        c->b_status = 0; // what an earlier trunk refused is not how this call ended
    }
    if (e.type == CALL_EV_SUCCESS) {
        struct agent_dialog *d = take_dialog(leg, msg, flow);
        e.dialog = d ? d->id : 0;
        if (!d) {
            log_line(LOG_WARNING, "call %llu: the 2xx has no Contact that could be called",
                     (unsigned long long)c->id);
            sip_abandon(leg->invite_out); // ACKs it and ends that dialog
            e.type = CALL_EV_FAILURE;
            e.status = 502;
        }
    }
    struct call_target targets[TL_ROUTE_TRUNKS_MAX];
    if (e.type == CALL_EV_FAILURE)
        leg->invite_out = NULL;
    if (e.status >= 300 && e.status < 400 && leg->side == CALL_B && !leg->main)
        agent_redirect(c, msg, &e, targets);
    agent_event(c, &e, msg, NULL);
}

static void update_final(struct agent_leg *leg, const struct sip_msg *msg)
{
    struct call_event e = event_of(leg, msg);
    struct call_facts facts;
    struct agent_dialog *d = agent_dialog_get(leg, leg->owner->call.side[leg->side].main);
    leg->update_out = NULL;
    bool its = d && d->bound && (!d->remote_tag || sip_str_is(sip_msg_to_tag(msg), d->remote_tag));
    if (e.status < 300 && its) // not of a fork that has lost since
        sip_dialog_retarget(&d->sip, msg);
    agent_facts(msg, &facts);
    e.facts = &facts;
    e.type = CALL_EV_UPDATED;
    agent_event(leg->owner, &e, msg, NULL);
}

void agent_response(struct agent_leg *leg, struct sip_txn *txn, const struct sip_msg *msg,
                    const struct sip_flow *flow)
{
    int status = sip_msg_status(msg);
    if (status >= 200 && (txn == leg->invite_out || txn == leg->update_out))
        agent_connected_told(leg, status < 300);
    if (txn == leg->invite_out && status < 200) {
        provisional(leg, msg, flow);
    } else if (txn == leg->invite_out) {
        invite_final(leg, msg, flow);
    } else if (txn == leg->update_out && status >= 200) {
        update_final(leg, msg);
    } else if (txn == leg->bye && status >= 200) {
        leg->bye = NULL;
        agent_plain_event(leg->owner, CALL_EV_BYE_DONE, leg->side, 0);
    }
}

void agent_failure(struct agent_leg *leg, struct sip_txn *txn, enum sip_failure why)
{
    struct agent_call *c = leg->owner;
    if (txn == leg->invite_out || txn == leg->update_out)
        agent_connected_told(leg, false);
    if (why == SIP_NO_PRACK) {
        agent_plain_event(c, CALL_EV_NO_PRACK, leg->side, 0);
    } else if (txn == leg->invite_out) {
        leg->invite_out = NULL;
        if (leg->side == CALL_B && !leg->main)
            agent_attempt_failed(
                c, 0,
                why == SIP_TIMEOUT
                    ? "did not answer within timer_b_ms"
                    : "cannot be reached: nobody listens at its address, or the connection broke");
        agent_plain_event(c, why == SIP_TIMEOUT ? CALL_EV_TIMEOUT : CALL_EV_TRANSPORT, leg->side, 0);
    } else if (txn == leg->update_out) {
        leg->update_out = NULL;
        agent_plain_event(c, CALL_EV_UPDATED, leg->side, why == SIP_TIMEOUT ? 0 : 503);
    } else if (txn == leg->bye) {
        leg->bye = NULL;
        agent_plain_event(c, CALL_EV_BYE_DONE, leg->side, 0);
    } else if (sip_txn_is_server(txn)) {
        if (txn == leg->invite_in)
            leg->invite_in = NULL;
        agent_plain_event(c, CALL_EV_NO_ACK, leg->side, 0);
    }
}
