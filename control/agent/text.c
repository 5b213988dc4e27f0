// SPDX-License-Identifier: BSD-3-Clause
// The headers of our messages: what the plan makes of what the other side said.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"

static const char pidf_type[] = "application/pidf+xml";

static struct header_str str(struct sip_str s)
{
    return (struct header_str){s.p, s.len};
}

// ---- what was said ------------------------------------------------------------------------------------

struct header_view *agent_keep(const struct sip_msg *msg)
{
    struct header_line line[SIP_HEADERS_MAX];
    struct header_view view = {
        .request = sip_msg_is_request(msg), .uri = str(sip_msg_uri(msg)), .line = line};
    struct sip_str name, value;
    while (view.count < SIP_HEADERS_MAX && sip_msg_nth_line(msg, view.count, &name, &value))
        line[view.count++] = header_line(str(name), str(value));
    return headers_keep(&view);
}

void agent_forget(struct agent_said *said)
{
    free(said->view);
    *said = (struct agent_said){0};
}

void agent_hear(struct agent_call *c, unsigned side, const struct sip_msg *msg)
{
    struct agent_said *said = &c->said[side];
    enum sip_method method = sip_msg_method(msg);
    // the first INVITE is kept for every attempt; these say nothing for the other side
    if ((side == CALL_A && !c->leg[CALL_B]->trunk) || method == SIP_ACK || method == SIP_PRACK)
        return;
    agent_forget(said);
    *said = (struct agent_said){agent_keep(msg), sip_msg_status(msg)};
}

void agent_keep_location(struct agent_call *c, const struct sip_msg *invite, const struct way *way)
{
    bool wanted = false;
    for (unsigned i = 0; c->leg[CALL_A]->invite && i < way->count; i++)
        wanted = wanted || headers_location_passes(&c->generation->config->trunks[way->target[i].trunk],
                                                   c->leg[CALL_A]->invite);
    struct sip_str part = wanted ? sip_msg_body(invite, pidf_type) : (struct sip_str){NULL, 0};
    if (part.p)
        c->location = sip_str_dup(part);
}

// ---- plans --------------------------------------------------------------------------------------------

struct number_pass agent_number_pass(const struct agent_leg *to)
{
    const struct agent_leg *from = to->owner->leg[to->side ^ 1];
    return (struct number_pass){.from_config = from->generation->config,
                                .to_config = to->generation->config,
                                .from = agent_leg_trunk(from),
                                .to = agent_leg_trunk(to)};
}

int agent_plan_invite(struct agent_call *c, const struct sip_flow *flow, struct header_plan *plan)
{
    struct agent_leg *leg = c->leg[CALL_B];
    const struct tl_trunk_config *to = agent_leg_trunk(leg);
    const struct number_pass pass = agent_number_pass(leg);
    char called[NUMBER_MAX], calling[NUMBER_MAX];
    number_to_peer(pass.to_config, to, to->called_out, c->number ? c->numbers[c->number - 1] : c->called,
                   called);
    bool same_called = !c->number && strcmp(called, c->leg[CALL_A]->contact) == 0;
    bool same_calling = !c->said_calling[0] || !number_pass_calling(&pass, c->said_calling, calling);
    const struct header_ask ask = {.message = TL_MSG_SETUP,
                                   .msg = c->leg[CALL_A]->invite,
                                   .from = agent_leg_trunk(c->leg[CALL_A]),
                                   .to = to,
                                   .local = flow->local,
                                   .peer = flow->remote,
                                   .transport = flow->transport,
                                   .scheme = leg->scheme,
                                   .numbers = &pass,
                                   .called = same_called ? NULL : called, // else with all that it came with
                                   .calling = same_calling ? NULL : calling,
                                   .tag = leg->tag};
    int rc = headers_plan(&ask, c->agent->room, sizeof c->agent->room, plan);
    memcpy(leg->number, c->number ? c->numbers[c->number - 1] : c->called, sizeof leg->number);
    snprintf(leg->contact, sizeof leg->contact, "%s",
             plan->anonymous ? "anonymous"
             : same_calling  ? c->said_calling
                             : calling);
    if (rc == 0 && plan->dropped)
        log_line(LOG_INFO, "call %llu: %u header values could not pass to trunk %s: broken or too long",
                 (unsigned long long)c->id, plan->dropped, to->name);
    return rc;
}

void agent_invite_body(struct agent_call *c, struct sip_request *request, char type[static LOCATION_TYPE_MAX],
                       char **room)
{
    if (!c->location || !headers_location_passes(agent_leg_trunk(c->leg[CALL_B]), c->leg[CALL_A]->invite))
        return;
    struct header_str sdp = {request->body, request->body ? request->body_len : 0};
    struct header_str location = header_str(c->location);
    size_t size = sdp.len + location.len + 1024 + SIP_LINE_MAX;
    *room = malloc(size);
    int len = *room ? headers_location_body(c->leg[CALL_A]->invite, sdp, location, type, *room, size) : -1;
    if (len < 0) {
        log_line(LOG_WARNING, "call %llu: the caller's location could not go along",
                 (unsigned long long)c->id);
        return;
    }
    request->body_type = type;
    request->body = *room;
    request->body_len = (size_t)len;
}

// Lines for a message to that side from what the other one said, which is used up when `last`.
static const char *lines(struct agent_call *c, const struct agent_leg *leg, enum tl_message message,
                         bool last)
{
    struct agent_said *said = &c->said[leg->side ^ 1];
    const struct number_pass pass = agent_number_pass(leg);
    const struct header_ask ask = {.message = message,
                                   .msg = said->view,
                                   .from = agent_leg_trunk(c->leg[leg->side ^ 1]),
                                   .to = agent_leg_trunk(leg),
                                   .numbers = &pass,
                                   .local = *tl_listener_shown(agent_leg_listener(leg))};
    struct header_plan plan;
    int rc = said->view ? headers_plan(&ask, c->agent->room, sizeof c->agent->room, &plan) : -1;
    if (last)
        agent_forget(said);
    return rc == 0 ? plan.lines : "";
}

const char *agent_request_lines(struct agent_call *c, const struct agent_leg *leg, enum sip_method method)
{
    const struct agent_said *said = &c->said[leg->side ^ 1];
    enum tl_message message = method == SIP_CANCEL ? TL_MSG_CANCEL : TL_MSG_DIALOG;
    return said->status == 0 || method == SIP_BYE ? lines(c, leg, message, true) : "";
}

const char *agent_answer_lines(struct agent_call *c, const struct agent_leg *leg, int status, bool setup)
{
    const struct agent_said *said = &c->said[leg->side ^ 1];
    enum tl_message message = !setup         ? TL_MSG_DIALOG
                              : status < 200 ? TL_MSG_PROVISIONAL
                              : status < 300 ? TL_MSG_SUCCESS
                                             : TL_MSG_FAILURE;
    if (setup && status >= 200 && status < 300 &&
        c->leg[leg->side]->news) { // somebody else has picked its call up
        const char *says = agent_connected_lines(c->leg[leg->side], NULL);
        agent_connected_told(c->leg[leg->side], true);
        return says;
    }
    // what is answered has to follow from what was said: the same kind of answer. A failure may have become another one.
    bool follows = status < 300 ? said->status / 100 == status / 100 : said->status >= 300;
    return follows ? lines(c, leg, message, status >= 200) : "";
}

bool agent_phrase(const struct agent_leg *leg, const struct sip_flow *flow, char *out, size_t size)
{
    const struct agent_call *c = leg->owner;
    return headers_text(agent_leg_trunk(c->leg[leg->side ^ 1]), agent_leg_trunk(leg), &flow->local,
                        header_str(c->agent->phrase), out, size);
}

// ---- addresses ----------------------------------------------------------------------------------------

void agent_contact(const struct agent_leg *leg, const struct sip_flow *flow, char *out, size_t size)
{
    if (!headers_contact(agent_leg_trunk(leg), &flow->local, flow->transport, leg->scheme, leg->contact, out,
                         size))
        out[0] = '\0';
}
