// SPDX-License-Identifier: BSD-3-Clause
// Whose a request is: by the address that it came from and, over TLS, by the certificate.
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
