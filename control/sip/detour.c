// SPDX-License-Identifier: BSD-3-Clause
// A request that is too long for UDP leaves by TCP, if we listen there at the same address (RFC 3261 18.1.1): a datagram of
// several fragments is lost with each of them, and many firewalls let none pass. The dialog stays one of UDP: each of its
// requests decides anew.
#include "common/addr.h"
#include "control/sip/txn.h"

enum { NO_TCP_MS = 5 * 60 * 1000 }; // that a peer without TCP is not asked again

static bool is_known_without(const struct sip_stack *stack, const struct tl_addr *peer)
{
    const struct source *place = sources_find(&stack->no_tcp, peer);
    return place && stack->wheel->now < place->seen_ms + NO_TCP_MS;
}

bool sip_detour(struct sip_stack *stack, size_t len, struct sip_flow *flow)
{
    if (flow->transport != TL_UDP || !flow->tcp_above || len <= flow->tcp_above)
        return false;
    uint32_t listener = tl_listener_beside(stack->whole, flow->listener, TL_TCP);
    if (listener == TL_NO_INDEX || is_known_without(stack, &flow->remote))
        return false;
    flow->home = flow->listener;
    flow->listener = listener;
    flow->transport = TL_TCP;
    flow->local = *tl_listener_shown(&stack->whole->listeners[listener]);
    flow->at = (struct tl_addr){0};
    flow->conn_generation = 0;
    stack->counters.by_tcp++;
    return true;
}

void sip_detour_home(const struct sip_txn *txn, struct sip_flow *flow)
{
    const struct sip_flow *by = &txn->flow;
    const struct tl_listener_config *l = &txn->stack->whole->listeners[by->home];
    flow->listener = by->home;
    flow->transport = l->transport;
    flow->local = *tl_listener_shown(l);
    flow->remote = by->remote;
    flow->conn_generation = 0;
}

void sip_detour_failed(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    stack->counters.back_to_udp++;
    sources_get(&stack->no_tcp, &txn->flow.remote, stack->wheel->now);
}
