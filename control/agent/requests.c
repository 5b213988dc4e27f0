// SPDX-License-Identifier: BSD-3-Clause
// Requests of the far side inside a dialog.
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/value.h"

static const char accept_sdp[] = "Accept: application/sdp\r\n";

static void sdp_event(struct agent_dialog *d, enum call_event_type type, const struct sip_msg *msg)
{
    struct sip_str sdp = agent_sdp_of(msg);
    struct call_facts facts;
    agent_facts(msg, &facts);
    struct call_event e = {.type = type,
                           .side = d->leg->side,
                           .dialog = d->id,
                           .sdp = sdp.p,
                           .sdp_len = sdp.len,
                           .facts = &facts};
    agent_event(d->leg->owner, &e, msg, NULL);
}

// A body that is no SDP.
static bool strange_body(struct sip_txn *txn, const struct sip_msg *msg)
{
    if (!agent_body_refused(msg))
        return false;
    agent_respond(txn, 415, 0, accept_sdp);
    return true;
}

static void take_invite(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct agent_leg *leg = d->leg;
    if (leg->invite_in) { // RFC 3261 14.2: before the first one was answered
        agent_respond(txn, 500, 1, NULL);
        return;
    }
    if (strange_body(txn, msg))
        return;
    leg->invite_in = txn;
    sip_txn_set_owner(txn, &leg->user.sip);
    sdp_event(d, CALL_EV_REINVITE, msg);
}

// RFC 3311 5.2. One without SDP moves the target, refreshes the session or shows that the far side is there.
static void take_update(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct agent_leg *leg = d->leg;
    if (!agent_leg_trunk(leg)->update) {
        agent_respond_in(d, txn, 405, NULL);
        return;
    }
    if (leg->update_in) {
        agent_respond(txn, 500, 1, NULL);
        return;
    }
    if (strange_body(txn, msg))
        return;
    leg->update_in = txn;
    sip_txn_set_owner(txn, &leg->user.sip);
    sdp_event(d, CALL_EV_UPDATE, msg);
}

// "RSEQ CSEQ INVITE" (RFC 3262 7.2) names the provisional that we wait for.
static bool rack_fits(const struct agent_dialog *d, const struct sip_msg *msg)
{
    struct sip_str rack = sip_msg_header(msg, "RAck", 0), method;
    uint32_t cseq;
    uint64_t rseq;
    size_t digits = 0;
    if (!rack.p)
        return false;
    while (digits < rack.len && !sip_is_space(rack.p[digits]))
        digits++;
    struct sip_str rest = sip_trim((struct sip_str){rack.p + digits, rack.len - digits});
    return sip_read_number((struct sip_str){rack.p, digits}, INT32_MAX, &rseq) &&
           sip_read_cseq(rest, &cseq, &method) && sip_str_is(method, "INVITE") && d->rseq &&
           rseq == d->rseq && cseq == d->rseq_cseq;
}

static void take_prack(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct agent_leg *leg = d->leg;
    if (leg->side != CALL_A || !d->rseq_open || leg->prack_in || !rack_fits(d, msg)) {
        agent_respond(txn, 481, 0, NULL);
        return;
    }
    if (strange_body(txn, msg)) // not taken: a better one may follow
        return;
    d->rseq_open = false;
    if (leg->invite_in) // else it was answered finally, and nothing is repeated any more
        sip_prack(leg->invite_in, d->rseq);
    leg->prack_in = txn;
    sip_txn_set_owner(txn, &leg->user.sip);
    sdp_event(d, CALL_EV_PRACK, msg);
}

void agent_in_dialog(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct call_event bye = {.type = CALL_EV_BYE, .side = d->leg->side, .dialog = d->id};
    if (sip_dialog_take_cseq(&d->sip, msg) < 0) {
        agent_respond(txn, 500, 0, NULL);
        return;
    }
    enum sip_method method = sip_msg_method(msg);
    if (d->leg->owner->call.state >= CALL_ENDING && method != SIP_BYE && method != SIP_INVITE) {
        agent_respond(txn, 481, 0, NULL); // RFC 3261 12.2.2: the dialog has ended, its BYE is on its way
        return;
    }
    uint32_t taken = agent_methods(agent_leg_trunk(d->leg)) | sip_method_bit(SIP_NOTIFY);
    int refused = sip_method_refused(method, SIP_IN_DIALOG, taken);
    if (refused) {
        agent_respond_in(d, txn, refused, NULL);
        return;
    }
    switch (method) {
    case SIP_BYE:
        agent_event(d->leg->owner, &bye, msg, txn);
        return;
    case SIP_INVITE:
        take_invite(d, txn, msg);
        return;
    case SIP_UPDATE:
        take_update(d, txn, msg);
        return;
    case SIP_PRACK:
        take_prack(d, txn, msg);
        return;
    case SIP_OPTIONS:
        agent_respond_in(d, txn, 200, accept_sdp);
        return;
    case SIP_INFO:
        agent_relay_info(d, txn, msg);
        return;
    case SIP_REFER:
        agent_take_refer(d, txn, msg);
        return;
    case SIP_NOTIFY:
        agent_take_notify(d, txn, msg);
        return;
    default:
        agent_respond_in(d, txn, 405, NULL);
        return;
    }
}
