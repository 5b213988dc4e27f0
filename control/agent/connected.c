// SPDX-License-Identifier: BSD-3-Clause
// Connected identity (RFC 4916, RFC 5876): a party that stays where another one came is told whom it talks to now, by the request
// that offers it the media of that one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/uri.h"

enum { LINES = 8, LINE_BYTES = 512 };

static bool told_by(const struct agent_leg *to, enum tl_connected least)
{
    return agent_leg_trunk(to)->connected_identity >= least;
}

// Who is on a leg, as if it had just called: what its INVITE said; of one that we have called, the number.
static struct header_view *identity(const struct agent_leg *who)
{
    static const enum tl_header_id own[] = {TL_HEADER_ID_FROM, TL_HEADER_ID_P_ASSERTED_IDENTITY,
                                            TL_HEADER_ID_PRIVACY};
    const struct tl_listener_config *listener = agent_leg_listener(who);
    const struct tl_trunk_config *trunk = agent_leg_trunk(who);
    struct header_line line[LINES];
    struct header_view view = {.request = true, .line = line};
    char number[NUMBER_MAX], uri[LINE_BYTES], from[LINE_BYTES + 4];
    number_to_peer(who->generation->config, trunk, trunk->called_out, who->number, number);
    sip_write_uri(uri, sizeof uri, who->scheme, number, &listener->address, listener->transport);
    snprintf(from, sizeof from, "<%s>", uri);
    view.uri = header_str(uri);
    bool asserted = false;
    struct header_str said = header_str(from);
    for (size_t i = 0; who->invite && i < sizeof own / sizeof own[0]; i++)
        for (unsigned n = 0; n < who->invite->count && view.count < LINES - 2; n++)
            if (who->invite->line[n].known == tl_header(own[i])) {
                line[view.count++] = who->invite->line[n];
                asserted = asserted || own[i] == TL_HEADER_ID_P_ASSERTED_IDENTITY;
                if (own[i] == TL_HEADER_ID_FROM)
                    said = who->invite->line[n].value;
            }
    if (!who->invite)
        line[view.count++] = header_line(header_str("From"), said);
    if (!asserted)
        line[view.count++] = header_line(header_str("P-Asserted-Identity"), said);
    return headers_keep(&view);
}

void agent_connected(struct agent_leg *to)
{
    const struct agent_leg *who = to->owner->leg[to->side ^ 1];
    const struct tl_trunk_config *trunk = agent_leg_trunk(to);
    to->news = told_by(to, TL_CONNECTED_ASSERTED);
    if (to->news)
        number_to_peer(to->generation->config, trunk, trunk->calling_out, who->number, to->contact);
}

// From of our requests in the dialog from now on (RFC 4916 4.4), where the peer takes one that changes.
static void change_from(struct agent_dialog *d, struct header_view *view)
{
    struct agent_leg *to = d->leg;
    struct agent *agent = to->owner->agent;
    const struct agent_leg *who = to->owner->leg[to->side ^ 1];
    const struct tl_listener_config *listener = agent_leg_listener(to);
    const struct number_pass numbers = agent_number_pass(to);
    char calling[NUMBER_MAX], tag[SIP_TAG_LEN];
    struct header_plan plan;
    sip_str_copy(d->sip.local_tag, tag, sizeof tag);
    number_to_peer(numbers.to_config, numbers.to, numbers.to->calling_out, who->number, calling);
    const struct header_ask ask = {.message = TL_MSG_SETUP,
                                   .msg = view,
                                   .from = numbers.from,
                                   .to = numbers.to,
                                   .local = listener->address,
                                   .peer = numbers.to->peer,
                                   .transport = listener->transport,
                                   .scheme = to->scheme,
                                   .numbers = &numbers,
                                   .calling = calling[0] ? calling : NULL,
                                   .tag = tag};
    if (headers_plan(&ask, agent->room, sizeof agent->room, &plan) == 0) {
        if (plan.anonymous)
            snprintf(to->contact, sizeof to->contact, "anonymous");
        sip_dialog_rename(&d->sip, plan.from);
    }
}

const char *agent_connected_lines(struct agent_leg *to, struct agent_dialog *d)
{
    struct agent_call *c = to->owner;
    const struct agent_leg *who = c->leg[to->side ^ 1];
    struct header_view *view = to->news ? identity(who) : NULL;
    if (!view)
        return "";
    if (d && told_by(to, TL_CONNECTED_AUTO) && c->call.side[to->side].supported & CALL_OPTION_FROM_CHANGE)
        change_from(d, view);
    const struct number_pass numbers = agent_number_pass(to);
    const struct header_ask ask = {.message = TL_MSG_DIALOG,
                                   .msg = view,
                                   .from = numbers.from,
                                   .to = numbers.to,
                                   .numbers = &numbers,
                                   .local = agent_leg_listener(to)->address};
    struct header_plan plan;
    int rc = headers_plan(&ask, c->agent->room, sizeof c->agent->room, &plan);
    free(view);
    to->telling = true;
    return rc == 0 ? plan.lines : "";
}

void agent_connected_told(struct agent_leg *to, bool taken)
{
    to->news = to->news && !(to->telling && taken);
    to->telling = false;
}
