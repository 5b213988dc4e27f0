// SPDX-License-Identifier: BSD-3-Clause
// Whose a request is, by the address that it came from and, over TLS, by the certificate; and where a trunk's requests go.
#include "control/agent/agent_internal.h"

struct came_by {
    const struct agent *agent;
    const struct sip_flow *flow;
};

static bool vouches(void *arg, uint32_t trunk)
{
    const struct came_by *by = arg;
    return sip_flow_vouches(by->agent->stack, by->flow, trunk);
}

struct trunk *agent_sender(struct agent *agent, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct came_by by = {agent, flow};
    return trunk_identify(&agent->trunks, flow->listener, &flow->remote, msg ? sip_msg_via_port(msg) : 0,
                          vouches, &by);
}

// Our name in Via towards a trunk, or NULL.
static const char *name_for(struct agent *agent, const struct tl_trunk_config *t)
{
    return t->domain_in_via ? sip_own_name(agent->stack, t->domain) : NULL;
}

void agent_know_sender(struct agent *agent, struct sip_txn *txn, const struct trunk *from)
{
    sip_txn_set_peer(txn, &from->config->peer, from->number, name_for(agent, from->config));
}

struct sip_flow agent_flow(struct agent *agent, const struct tl_trunk_config *t, uint32_t number)
{
    struct sip_flow flow = sip_flow_to(agent->stack, t->listener, &t->peer);
    flow.trunk = number;
    flow.name = name_for(agent, t);
    return flow;
}

bool agent_from_peer(const struct agent *agent, const struct agent_dialog *d, const struct sip_flow *flow)
{
    const struct sip_flow *own = &d->sip.flow;
    if (!sip_dialog_from_peer(&d->sip, flow))
        return false;
    return !sip_flow_row(own)->secure ||
           (sip_flow_row(flow)->secure && sip_flow_vouches(agent->stack, flow, own->trunk));
}

uint32_t agent_on_connection(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                             uint32_t max)
{
    const struct agent *agent = arg;
    return trunk_candidates(&agent->trunks, listener, remote, out, max);
}
