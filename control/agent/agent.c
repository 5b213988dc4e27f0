// SPDX-License-Identifier: BSD-3-Clause
#include "control/agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"
#include "control/base/log.h"

const char agent_hops_header[] = "X-Trunkline-Hops";
const char agent_sdp_type[] = "application/sdp";

void agent_respond(struct sip_txn *txn, int status, unsigned retry_after, const char *headers)
{
    struct sip_answer answer = {.status = status, .headers = headers, .retry_after = retry_after};
    sip_respond(txn, &answer);
}

void agent_respond_in(const struct agent_dialog *d, struct sip_txn *txn, int status, const char *headers)
{
    sip_respond(txn, &(struct sip_answer){
                         .status = status,
                         .headers = headers,
                         .allow = agent_allow(d->leg->owner->agent, agent_methods(agent_leg_trunk(d->leg)))});
}

// ---- new calls ----------------------------------------------------------------------------------------

// Answers without keeping anything: who sends much, from addresses that may be forged, fills no table.
static void answer_stranger(struct sip_txn *txn, int status, const char *headers)
{
    sip_respond(txn, &(struct sip_answer){.status = status, .headers = headers, .forget = true});
}

// `stranger`: nobody that we know sent it.
static void turn_away(struct agent *agent, struct sip_txn *txn, bool stranger, int status,
                      const struct agent_admission *a)
{
    unsigned retry_after =
        a->way.retry_after ? a->way.retry_after : agent_config(agent)->control.retry_after_s;
    const struct sip_flow *flow = sip_txn_flow(txn);
    uint64_t unsaid;
    agent->counters.turned_away++;
    if (log_allow(&agent->away_limit, loop_now(agent->loop), &unsaid)) {
        if (unsaid)
            log_line(LOG_INFO, "%llu more INVITEs were turned away before this one",
                     (unsigned long long)unsaid);
        log_line(LOG_INFO, "INVITE from %s: %d, %s", TL_ADDR_STR(&flow->remote), status, a->way.why);
    }
    if (stranger)
        answer_stranger(txn, status, NULL);
    else if (*a->lines) // many of them, perhaps: nothing is kept, and one that comes again is refused again
        sip_respond(txn, &(struct sip_answer){.status = status,
                                              .headers = a->lines,
                                              .retry_after = status == 503 ? retry_after : 0,
                                              .forget = true});
    else
        sip_respond(txn, &(struct sip_answer){.status = status,
                                              .reason = a->way.phrase,
                                              .headers = status == 415 ? "Accept: application/sdp\r\n" : NULL,
                                              .retry_after = status == 503 ? retry_after : 0});
}

struct sip_str agent_sdp_of(const struct sip_msg *msg)
{
    return sip_msg_body(msg, agent_sdp_type);
}

const struct tl_trunk_config *agent_leg_trunk(const struct agent_leg *leg)
{
    return &leg->generation->config->trunks[leg->owner->call.side[leg->side].trunk];
}

const struct tl_listener_config *agent_leg_listener(const struct agent_leg *leg)
{
    return &leg->generation->config->listeners[agent_leg_trunk(leg)->listener];
}

// What else a body may be is ignored, unless its sender demands that it is understood.
bool agent_body_refused(const struct sip_msg *msg)
{
    static const char *const types[] = {"application/sdp", NULL};
    return sip_msg_body_refused(msg, types);
}

static void new_call(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                     const struct sip_flow *flow)
{
    struct trunk *peer = agent_sender(agent, msg, flow);
    if (peer && agent_take_replaces(agent, txn, msg, peer))
        return;
    struct agent_admission a;
    int error, status = agent_admit(agent, txn, msg, flow, &a);
    if (status) {
        turn_away(agent, txn, a.from == NULL, status, &a);
        return;
    }
    struct agent_call *c = agent_call_new(agent, txn, msg, a.from, &a.way, &error);
    if (!c) {
        a.way.why = error == -EINVAL ? "no From tag, or no Contact that we could call" : strerror(-error);
        turn_away(agent, txn, false, error == -EINVAL ? 400 : 500, &a);
        return;
    }
    agent->counters.calls++;
    // at most what the caller allows, and one less, RFC 3261 16.6
    unsigned hops = sip_msg_number(msg, "Max-Forwards", 255, 70);
    c->own_hops = sip_msg_number(msg, agent_hops_header, 255, 0) + 1;
    c->max_forwards = hops > 1 ? hops - 1 : SIP_LAST_HOP;
    struct sip_str sdp = agent_sdp_of(msg);
    struct call_facts facts;
    agent_facts(msg, &facts);
    struct call_event e = {
        .type = CALL_EV_INVITE, .side = CALL_A, .sdp = sdp.p, .sdp_len = sdp.len, .facts = &facts};
    agent_event(c, &e, msg, NULL);
}

// ---- requests -----------------------------------------------------------------------------------------

// Who knows a dialog's tags but is not its peer gets no nearer to the call than this.
static void stranger(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                     const struct sip_flow *flow)
{
    struct sip_str method = sip_msg_method_name(msg);
    uint64_t unsaid;
    agent->counters.strangers++;
    if (log_allow(&agent->away_limit, loop_now(agent->loop), &unsaid))
        log_line(LOG_WARNING, "%.*s inside a dialog from %s, which is not its peer: 403", (int)method.len,
                 method.p, TL_ADDR_STR(&flow->remote));
    answer_stranger(txn, 403, NULL);
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct agent *agent = arg;
    struct agent_dialog *d = agent_find_dialog(agent, msg);
    bool lost = sip_msg_to_tag(msg).p || sip_msg_method(msg) == SIP_BYE;
    if (d && !agent_from_peer(agent, d, flow)) {
        stranger(agent, txn, msg, flow);
        return;
    }
    if (d) {
        sip_txn_set_peer(txn, &d->sip.flow);
        sip_dialog_follow(&d->sip, flow);
        agent_in_dialog(d, txn, msg);
        return;
    }
    if (!lost && agent_refuse_clear(agent, txn, msg, flow))
        return;
    if (sip_msg_method(msg) == SIP_INVITE && !lost) {
        new_call(agent, txn, msg, flow);
        return;
    }
    int refused =
        sip_method_refused(sip_msg_method(msg), SIP_OUTSIDE, sip_methods_ours() | sip_method_bit(SIP_NOTIFY));
    int otherwise =
        media_up(agent->media) ? 200 : 503; // of what is ours only OPTIONS is left: calls could not be taken
    int status = lost ? 481 : refused ? refused : otherwise;
    const char *headers = status == otherwise ? "Accept: application/sdp\r\n" : NULL;
    const struct trunk *from = agent_sender(agent, msg, flow);
    if (from)
        sip_respond(txn, &(struct sip_answer){
                             .status = status,
                             .headers = headers,
                             .forget = true, // asked again it says the same
                             .retry_after = status == 503 ? agent_config(agent)->control.retry_after_s : 0,
                             .allow = agent_allow(agent, agent_methods(from->config))});
    else
        answer_stranger(txn, status, headers);
}

static void on_cancel(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *cancel)
{
    struct agent_leg *leg = (struct agent_leg *)owner;
    (void)arg;
    if (!leg || leg->invite_in != txn) {
        agent_respond(txn, 487, 0, NULL);
        return;
    }
    struct call_event e = {.type = CALL_EV_CANCEL, .side = leg->side};
    agent_event(leg->owner, &e, cancel, NULL);
}

static void on_ack(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *ack)
{
    struct agent_leg *leg = (struct agent_leg *)owner;
    (void)arg;
    if (!leg)
        return;
    (void)txn;
    struct sip_str sdp = agent_sdp_of(ack);
    struct call_event e = {.type = CALL_EV_ACK, .side = leg->side, .sdp = sdp.p, .sdp_len = sdp.len};
    agent_event(leg->owner, &e, ack, NULL);
}

// ---- responses ----------------------------------------------------------------------------------------

static void on_response(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    (void)arg;
    if (!owner)
        return;
    if (((struct agent_user *)owner)->kind == AGENT_PROBE) {
        if (sip_msg_status(msg) >= 200)
            agent_probe_result((struct agent_probe *)owner, (unsigned)sip_msg_status(msg));
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_REGISTER) {
        agent_register_response((struct agent_registration *)owner, msg);
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_RELAY) {
        agent_relay_response((struct agent_relay *)owner, msg);
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_NOTIFIER) {
        if (sip_msg_status(msg) >= 200)
            agent_notify_answered((struct agent_notifier *)owner, sip_msg_status(msg));
        return;
    }
    agent_response((struct agent_leg *)owner, txn, msg, flow);
}

static void on_failure(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why)
{
    (void)arg;
    if (!owner)
        return;
    if (((struct agent_user *)owner)->kind == AGENT_PROBE) {
        agent_probe_result((struct agent_probe *)owner, 0);
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_REGISTER) {
        agent_register_failure((struct agent_registration *)owner, why);
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_RELAY) {
        agent_relay_failure((struct agent_relay *)owner, txn, why);
        return;
    }
    if (((struct agent_user *)owner)->kind == AGENT_NOTIFIER) {
        agent_notify_answered((struct agent_notifier *)owner, 0);
        return;
    }
    agent_failure((struct agent_leg *)owner, txn, why);
}

// What a request may require of us is in the table of options; what it may not is said where people look.
static uint32_t on_required(void *arg, const struct sip_flow *flow, enum sip_method method, uint32_t options,
                            const char *unknown)
{
    struct agent *agent = arg;
    uint32_t taken = sip_options_required();
    const struct trunk *from = agent_sender(agent, NULL, flow);
    if (from && method == SIP_INVITE && from->config->replaces != TL_REPLACES_REFUSE)
        taken |= sip_option_bit(SIP_OPTION_REPLACES);
    if (from && method == SIP_REFER && from->config->refer == TL_REFER_CARRY_OUT)
        taken |= sip_option_bit(SIP_OPTION_NOREFERSUB);
    const char *name = sip_method_name(method);
    char list[256];
    uint64_t unsaid;
    if (!(options & ~taken) && !*unknown)
        return taken;
    agent->counters.bad_extension++;
    sip_option_list(options & ~taken, list, sizeof list);
    if (log_allow(&agent->away_limit, loop_now(agent->loop), &unsaid))
        log_line(LOG_INFO, "%s from %s: 420, it requires %s%s%s", name ? name : "request",
                 TL_ADDR_STR(&flow->remote), list, *list && *unknown ? ", " : "", unknown);
    return taken;
}

static bool is_peer(void *arg, const struct tl_addr *source)
{
    const struct agent *agent = arg;
    return trunk_is_peer(&agent->trunks, source) || agent_is_former(agent, source);
}

static bool is_from(void *arg, struct sip_owner *owner, const struct sip_flow *flow, uint32_t trunk)
{
    if (owner && ((struct agent_user *)owner)->kind == AGENT_LEG)
        return agent_is_of_leg((struct agent_leg *)owner, flow);
    const struct trunk *from = agent_sender(arg, NULL, flow);
    return from && from->number == trunk;
}

static uint32_t on_again(void *arg, struct sip_txn *txn, struct sip_owner *owner,
                         const struct sip_msg *response)
{
    (void)arg;
    switch (((struct agent_user *)owner)->kind) {
    case AGENT_LEG:
        return agent_again((struct agent_leg *)owner, txn, response);
    case AGENT_RELAY:
        return agent_relay_again((struct agent_relay *)owner, response);
    case AGENT_NOTIFIER:
        return agent_notify_again((struct agent_notifier *)owner, response);
    case AGENT_REGISTER:
        return agent_register_again((struct agent_registration *)owner);
    default: // a Call-ID of its own
        return sip_msg_cseq(response) + 1;
    }
}

static const struct sip_user sip_user = {.is_peer = is_peer,
                                         .is_from = is_from,
                                         .on_request = on_request,
                                         .on_cancel = on_cancel,
                                         .on_ack = on_ack,
                                         .on_response = on_response,
                                         .on_failure = on_failure,
                                         .on_required = on_required,
                                         .on_again = on_again,
                                         .on_connection = agent_on_connection};

// ---- life ---------------------------------------------------------------------------------------------

void agent_warn_about_keys(const struct tl_config *config)
{
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (!tl_trunk_is_secure(config, &config->trunks[i]) && config->trunks[i].srtp != TL_SRTP_OFF &&
            config->control.srtp_without_tls == TL_SRTP_ALLOW)
            log_line(LOG_WARNING,
                     "trunk %s: SRTP keys cross the network in clear text (srtp_without_tls: allow)",
                     config->trunks[i].name);
}

int agent_new(struct loop *loop, const struct tl_config *config, struct agent **out, char *why,
              size_t why_size)
{
    return agent_new_over(loop, config, NULL, out, why, why_size);
}

int agent_new_over(struct loop *loop, const struct tl_config *config, const struct agent_parts *parts,
                   struct agent **out, char *why, size_t why_size)
{
    struct agent *agent = calloc(1, sizeof *agent);
    *out = NULL;
    snprintf(why, why_size, "no memory");
    if (!agent)
        return -ENOMEM;
    agent->loop = loop;
    agent->start_ms = loop_now(loop);
    agent->failed_limit.burst = agent->attempt_limit.burst = 30;
    int rc = agent_accounts_read(&agent->accounts, config, why, why_size);
    if (rc == 0)
        rc = trunk_table_init(&agent->trunks, config, loop_now(loop));
    if (rc == 0 && parts)
        rc = sip_stack_new_over(loop, config, parts->sip_io, parts->sip_io_arg, &sip_user, agent,
                                &agent->stack, why, why_size);
    else if (rc == 0)
        rc = sip_stack_new(loop, config, &sip_user, agent, &agent->stack, why, why_size);
    if (rc == 0) {
        rc = media_new(loop, config->dataplane.socket, &agent_media_user, &agent->media);
        if (rc < 0)
            snprintf(why, why_size, "dataplane client: %s", strerror(-rc));
    }
    if (rc == 0)
        rc = agent_registers_begin(agent);
    if (rc < 0) {
        agent_free(agent);
        return rc;
    }
    agent_probes_init(agent);
    agent_names_begin(agent);
    agent_warn_about_keys(config);
    *out = agent;
    return 0;
}

void agent_free(struct agent *agent)
{
    if (!agent)
        return;
    sip_stack_free(agent->stack);
    agent->stack = NULL;
    media_free(agent->media);
    while (agent->calls)
        agent_call_free(agent->calls);
    wheel_cancel(loop_wheel(agent->loop), &agent->pace_timer);
    agent_probes_fini(agent);
    agent_names_fini(agent);
    agent_former_fini(agent);
    agent_registers_fini(agent);
    agent_accounts_fini(&agent->accounts);
    trunk_table_fini(&agent->trunks);
    explicit_bzero(&agent->actions, sizeof agent->actions);
    free(agent);
}

uint64_t agent_now_ms(const struct agent *agent)
{
    return loop_now(agent->loop);
}

uint64_t agent_uptime_s(const struct agent *agent)
{
    return (loop_now(agent->loop) - agent->start_ms) / 1000;
}

const struct agent_counters *agent_counters(const struct agent *agent)
{
    return &agent->counters;
}

void agent_set_file(struct agent *agent, const char *file)
{
    agent->file = file;
}

const char *agent_file(const struct agent *agent)
{
    return agent->file;
}

const struct tl_config *agent_config(const struct agent *agent)
{
    return agent->trunks.now->config;
}

const struct trunk_table *agent_trunks(const struct agent *agent)
{
    return &agent->trunks;
}

const struct media *agent_media(const struct agent *agent)
{
    return agent->media;
}

const struct sip_stack *agent_stack(const struct agent *agent)
{
    return agent->stack;
}

struct sip_gate *agent_gate(const struct agent *agent)
{
    return sip_stack_gate(agent->stack);
}
