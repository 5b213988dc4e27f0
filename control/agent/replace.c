// SPDX-License-Identifier: BSD-3-Clause
// INVITEs that replace a dialog (RFC 3891): the call that one brings lives until its sender is where the replaced party
// was; then that one is in it, and gets its BYE or CANCEL.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"

static void refuse(struct agent *agent, struct sip_txn *txn, const struct trunk *from, int status,
                   const char *why)
{
    log_line(LOG_INFO, "INVITE with Replaces from trunk %s: %d, %s", from->name, status, why);
    char line[AGENT_SIPS_LINE];
    agent->counters.turned_away++;
    if (status == 480) // for its scheme
        agent_sips_warning(from->config, sip_txn_flow(txn), !agent_is_sips(sip_txn_request(txn)), line);
    agent_respond(txn, status, status == 500 ? 1 : 0, status == 480 ? line : NULL);
}

// Whether that trunk's media has its place where the leg has it.
static bool same_realm(const struct trunk *trunk, const struct agent_leg *leg)
{
    const struct tl_config *now = leg->owner->agent->trunks.now->config;
    const struct tl_config *its = leg->generation->config;
    return strcmp(now->realms[trunk->config->realm].name, its->realms[agent_leg_trunk(leg)->realm].name) == 0;
}

// Whether the peer of a trunk may replace a dialog of that leg.
static bool may_replace(const struct trunk *from, const struct agent_leg *leg)
{
    const struct tl_trunk_config *its = agent_leg_trunk(leg);
    if (leg->trunk == from)
        return true;
    return its->replaces != TL_REPLACES_REFUSE &&
           (from->config->replaces == TL_REPLACES_ANY ||
            (from->config->replaces == TL_REPLACES_REALM && same_realm(from, leg)));
}

// Section 3: 0, or the status that refuses it and why.
static int check(const struct agent_dialog *d, const struct sip_replaces *replaces, const struct sip_msg *msg,
                 const struct trunk *from, const char **why)
{
    const struct agent_leg *leg = d ? d->leg : NULL;
    const struct agent_call *c = d ? leg->owner : NULL;
    *why = "it names no dialog of ours";
    if (!d)
        return 481;
    *why = "the dialog is another trunk's";
    if (!may_replace(from, leg))
        return 403;
    *why = "one of that call and its own Request-URI is sips:, the other is not";
    if (c->sips != agent_is_sips(msg))
        return 480;
    *why = "that call has ended";
    if (c->call.state >= CALL_ENDING)
        return 603;
    if (c->call.state == CALL_UP) {
        *why = "it is for an early dialog, and that call has been answered";
        if (replaces->early_only)
            return 486;
        *why = "that call is being changed or transferred";
        return !call_at_rest(&c->call) || c->transfer ? 500 : 0;
    }
    *why = "an early dialog can only be replaced where we have called";
    if (leg->side == CALL_A)
        return 481;
    *why = "that call cannot be picked up now";
    return call_can_be_picked_up(&c->call) && !c->transfer ? 0 : 500;
}

// The sender takes the place; who was there stays with the call `c` of the INVITE.
static void take_over(struct agent_call *c, struct agent_call *of, uint8_t side, uint8_t dialog)
{
    bool up = of->call.state == CALL_UP;
    struct agent_leg *leg = c->leg[CALL_A];
    log_line(LOG_INFO, "call %llu: %c is replaced by %s (%s)", (unsigned long long)of->id,
             side == CALL_A ? 'A' : 'B', c->calling, leg->trunk->name);
    memcpy(leg->contact, of->leg[side ^ 1]->number, sizeof leg->contact);
    agent_attempt_result(of, 487); // nobody is to blame that another one answers
    trunk_leg_answered(&leg->taken, c->call.side[CALL_A].neg.ptime);
    if (!up)
        call_pick(&of->call, dialog);
    agent_swap(of, side, c, CALL_A);
    agent_connected(of->leg[side ^ 1]);
    agent_plain_event(of, up ? CALL_EV_JOINED : CALL_EV_PICKED_UP, side, 0);
    agent_plain_event(c, CALL_EV_REPLACED, CALL_A, 0);
}

bool agent_take_replaces(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                         struct trunk *from)
{
    struct sip_str value = sip_msg_header(msg, "Replaces", 0), sdp = agent_sdp_of(msg);
    struct sip_replaces replaces;
    const char *why = "Replaces cannot be read, or is there twice";
    if (!value.p || from->config->replaces == TL_REPLACES_REFUSE || agent_body_refused(msg))
        return false;
    from->counters.incoming++;
    agent_know_sender(agent, txn, from);
    if (sip_msg_header(msg, "Replaces", 1).p || sip_msg_header(msg, "Join", 0).p ||
        !sip_read_replaces(value, &replaces)) {
        refuse(agent, txn, from, 400, why);
        return true;
    }
    struct agent_dialog *d = agent_find_replaced(agent, &replaces);
    int status = check(d, &replaces, msg, from, &why), error;
    enum trunk_limit limit =
        status ? TRUNK_LIMIT_NONE : trunk_admit(from, TRUNK_ORDINARY, loop_now(agent->loop));
    if (limit != TRUNK_LIMIT_NONE) {
        status = 503;
        why = trunk_limit_text(limit);
    }
    if (status) {
        refuse(agent, txn, from, status, why);
        return true;
    }
    struct agent_call *of = d->leg->owner;
    uint8_t side = d->leg->side, dialog = d->id;
    const struct agent_leg *stays = of->leg[side ^ 1];
    const struct trunk *its = stays->trunk && stays->trunk->config ? stays->trunk : from; // that is not gone
    struct way way = {.target = {{.trunk = its->index}}, .count = 1};
    char calling[SIP_NUMBER_MAX];
    sip_msg_calling(msg, calling);
    number_translate(agent_config(agent), from->config->calling_in, calling, way.calling);
    struct agent_call *c = agent_call_new(agent, txn, msg, from, &way, &error);
    if (!c) {
        refuse(agent, txn, from, error == -EINVAL ? 400 : 500,
               "no From tag, no Contact that we could call, or no memory");
        return true;
    }
    agent->counters.calls++;
    struct call_facts facts;
    agent_facts(msg, &facts);
    struct call_event e = {
        .type = CALL_EV_INVITE, .side = CALL_A, .sdp = sdp.p, .sdp_len = sdp.len, .facts = &facts};
    const uint64_t id = c->id;
    bool apart = !same_realm(from, d->leg);
    if (!apart)
        call_await(&c->call, &of->call, side);
    else if (call_await_other(&c->call, &of->call, side) < 0 || !agent_transfer_replace(d, c)) {
        agent_plain_event(c, CALL_EV_UNJOINED, CALL_A, 500);
        return true;
    }
    agent_event(c, &e, msg, NULL);
    if (apart || !agent->calls || agent->calls->id != id || c->call.state != CALL_ANSWERING)
        return true; // it goes on by itself; or it was refused for what it asks, and may be gone
    if (call_fits(&c->call, &of->call, side))
        take_over(c, of, side, dialog);
    else
        agent_plain_event(c, CALL_EV_UNJOINED, CALL_A, 488);
    return true;
}
