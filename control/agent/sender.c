// SPDX-License-Identifier: BSD-3-Clause
// Whose a request is, by the address that it came from and, over TLS, by the certificate; and where a trunk's requests go.
#include "common/addr.h"
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

// What holds for all that goes to a trunk, whichever of its peers that is.
static void set_terms(struct agent *agent, const struct tl_trunk_config *t, uint32_t number,
                      struct sip_flow *flow)
{
    flow->trunk = number;
    flow->name = t->domain_in_via ? sip_own_name(agent->stack, t->domain) : NULL;
    flow->tcp_above = (uint16_t)t->tcp_above_bytes;
}

// Where the host that a request came from listens over the same transport; unset: it is no target.
static struct tl_addr listens_at(const struct trunk *trunk, const struct sip_flow *flow)
{
    struct tl_addr found = {0};
    for (uint32_t i = 0; i < trunk->target_count; i++) {
        const struct trunk_target *t = &trunk->targets[i];
        if (!tl_addr_same_host(&t->addr, &flow->remote))
            continue;
        if (t->listener == flow->listener)
            return t->addr;
        found = t->addr;
        found.port = sip_flow_row(flow)->default_port;
    }
    return found;
}

void agent_know_sender(struct agent *agent, struct sip_txn *txn, const struct trunk *from)
{
    struct sip_flow to = {.peer = listens_at(from, sip_txn_flow(txn))};
    set_terms(agent, from->config, from->number, &to);
    sip_txn_set_peer(txn, &to);
}

struct sip_flow agent_flow(struct agent *agent, const struct tl_trunk_config *t, const struct trunk *trunk,
                           const struct trunk_target *target)
{
    struct sip_flow flow = sip_flow_to(agent->stack, target->listener, &target->addr);
    set_terms(agent, t, trunk->number, &flow);
    return flow;
}

bool agent_is_of_leg(const struct agent_leg *leg, const struct sip_flow *flow)
{
    const struct trunk *from = agent_sender(leg->owner->agent, NULL, flow);
    const struct trunk *its = leg->generation->trunks[leg->owner->call.side[leg->side].trunk];
    if (from)
        return from == its;
    return generation_has(leg->generation, its->number, flow->listener, &flow->remote) &&
           sip_flow_vouches(leg->owner->agent->stack, flow, its->number);
}

struct sip_flow agent_next_hop(const struct agent_dialog *d)
{
    const struct agent *agent = d->leg->owner->agent;
    struct sip_flow flow = sip_dialog_next_hop(&d->sip);
    flow.elsewhere = flow.elsewhere && !trunk_has(&agent->trunks, flow.trunk, flow.listener, &flow.remote);
    return flow;
}

bool agent_from_peer(struct agent *agent, const struct agent_dialog *d, const struct sip_flow *flow)
{
    const struct sip_flow *own = &d->sip.flow;
    if (!sip_dialog_from_peer(&d->sip, flow) && !agent_is_of_leg(d->leg, flow))
        return false;
    return !sip_flow_row(own)->secure ||
           (sip_flow_row(flow)->secure && sip_flow_vouches(agent->stack, flow, own->trunk));
}

uint32_t agent_on_connection(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                             uint32_t max)
{
    const struct agent *agent = arg;
    uint32_t count = trunk_candidates(&agent->trunks, listener, remote, out, max);
    return agent_former_trunks(agent, remote, out, count, max);
}

struct trunk_target *agent_leg_target(const struct agent_leg *leg)
{
    return leg->trunk && leg->tried_count ? trunk_target(leg->trunk, leg->tried[leg->tried_count - 1]) : NULL;
}

enum call_more agent_more(const struct agent_leg *leg)
{
    if (!leg->trunk || leg->tried_count == TRUNK_TRIED_MAX)
        return CALL_MORE_NONE;
    enum trunk_rank rank = trunk_pick_rank(leg->trunk, agent_need(leg->owner->sips), leg->tried,
                                           leg->tried_count, loop_now(leg->owner->agent->loop));
    return rank == TRUNK_RESTING ? CALL_MORE_NONE : rank == TRUNK_DOWN ? CALL_MORE_DOWN : CALL_MORE;
}
