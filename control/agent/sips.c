// SPDX-License-Identifier: BSD-3-Clause
// Calls to sips: URIs (RFC 3261 26.2.2, RFC 5630): they come over TLS, they leave over TLS, and nothing turns one into a sip:
// call.
#include <stdio.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"
#include "control/sip/uri.h"
#include "control/sip/value.h"

bool agent_is_sips(const struct sip_msg *msg)
{
    return sip_uri_is_secure(sip_msg_uri(msg));
}

enum trunk_need agent_need(bool sips)
{
    return sips ? TRUNK_SECURE_WAY : TRUNK_ANY_WAY;
}

enum tl_uri_scheme agent_answer_scheme(const struct sip_msg *request)
{
    struct sip_str route = sip_msg_line(request, SIP_NAME_RECORD_ROUTE, 0), first;
    struct sip_addr addr;
    bool sips = agent_is_sips(request);
    if (!sips && route.p && (first = sip_next_value(&route)).p)
        sips = sip_read_addr(first, &addr) && sip_uri_is_secure(addr.uri);
    else if (!sips)
        sips = sip_uri_is_secure(sip_msg_contact(request));
    return sips ? TL_URI_SIPS : TL_URI_SIP;
}

bool agent_is_mixed(const struct sip_msg *invite)
{
    struct sip_str contact = sip_msg_contact(invite);
    return agent_is_sips(invite) && contact.p && !sip_uri_is_secure(contact);
}

bool agent_asks_for_more(const struct agent_leg *by, struct sip_str uri)
{
    return by->scheme != TL_URI_SIPS && sip_uri_is_secure(uri);
}

void agent_sips_warning(const struct tl_trunk_config *trunk, const struct sip_flow *flow, bool required,
                        char out[static AGENT_SIPS_LINE])
{
    char host[TL_HOST_MAX];
    if (trunk)
        headers_host(trunk, &flow->local, host);
    else
        tl_addr_print_host(&flow->local, host);
    snprintf(out, AGENT_SIPS_LINE, "Warning: %d %s \"%s\"\r\n", required ? 381 : 380, host,
             required ? "SIPS Required" : "SIPS Not Allowed");
}

bool agent_refuse_clear(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    struct sip_str method = sip_msg_method_name(msg);
    char line[AGENT_SIPS_LINE];
    uint64_t unsaid;
    if (!agent_is_sips(msg) || sip_flow_row(flow)->secure)
        return false;
    agent->counters.sips_in_clear++;
    if (log_allow(&agent->away_limit, loop_now(agent->loop), &unsaid))
        log_line(LOG_INFO, "%.*s from %s: 480, it is for a sips: URI and came over %s", (int)method.len,
                 method.p, TL_ADDR_STR(&flow->remote), sip_flow_row(flow)->name);
    agent_sips_warning(NULL, flow, false, line);
    sip_respond(txn, &(struct sip_answer){.status = 480, .headers = line, .forget = true});
    return true;
}
