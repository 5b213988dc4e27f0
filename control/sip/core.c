// SPDX-License-Identifier: BSD-3-Clause
// What comes in: read, filter, then to the transaction that it belongs to.
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/sip/txn.h"

const char *sip_reject_label(enum sip_reject reason)
{
    static const char *const labels[] = {
#define X(name, text) #name,
        SIP_REJECTS(X)
#undef X
    };
    return (unsigned)reason < SIP_REJECT_COUNT ? labels[reason] : "unknown";
}

const char *sip_reject_text(enum sip_reject reason)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SIP_REJECTS(X)
#undef X
    };
    return (unsigned)reason < SIP_REJECT_COUNT ? texts[reason] : "unknown";
}

// Whether it is the Via that what leaves by that flow has.
static bool is_own_via(const struct sip_via *via, const struct sip_flow *flow)
{
    struct tl_addr host;
    if (via->port != flow->local.port)
        return false;
    if (flow->name)
        return sip_str_is_nocase(via->host, flow->name);
    return tl_addr_read_host(via->host.p, via->host.len, &host) && tl_addr_same_host(&host, &flow->local);
}

static void take_response(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                          const struct sip_flow *flow)
{
    struct sip_counters *c = &stack->counters;
    struct sip_node *node = NULL;
    if (shape->via.branch.p)
        node = sip_table_find(&stack->txns,
                              sip_key_client(stack->secret, shape->via.branch, shape->cseq_method));
    struct sip_txn *txn = node ? (struct sip_txn *)((char *)node - offsetof(struct sip_txn, key)) : NULL;
    // Ours carry one Via (18.1.2).
    if (head->count[SIP_NAME_VIA] != 1 || shape->via.len != sip_head_value(head, SIP_NAME_VIA).len ||
        !is_own_via(&shape->via, txn ? &txn->flow : flow)) {
        c->rejects[SIP_REJECT_via]++;
        return;
    }
    if (!txn) {
        c->rejects[SIP_REJECT_stray_response]++;
        return;
    }
    sip_client_response(txn, head, shape, flow);
}

// Over a connection that nobody has vouched for the parameter means nothing; the transport knows.
static void take_alias(struct sip_stack *stack, const struct sip_via *via, const struct sip_flow *flow)
{
    struct sip_str value;
    if (stack->io->alias && sip_flow_row(flow)->stream && sip_read_param(via->params, "alias", &value))
        stack->io->alias(stack->io_arg, flow, via->port ? via->port : sip_flow_row(flow)->default_port);
}

void sip_core_receive(struct sip_stack *stack, const struct sip_flow *flow, char *bytes, size_t len)
{
    struct sip_counters *c = &stack->counters;
    struct sip_head head;
    struct sip_shape shape;
    c->rx[flow->transport]++;
    sip_read(bytes, len, &head);
    bool good = sip_filter(&head, sip_flow_row(flow)->stream, &shape);
    if (good && head.request) {
        c->rx_requests++;
        take_alias(stack, &shape.via, flow);
        sip_server_request(stack, &head, &shape, flow);
    } else if (good) {
        c->rx_responses++;
        take_response(stack, &head, &shape, flow);
    } else {
        c->rejects[shape.reason]++;
        if (shape.status)
            sip_answer_head(stack, &head, &shape, flow, &(struct sip_answer){.status = shape.status});
    }
}

void sip_core_unreachable(struct sip_stack *stack, char *bytes, size_t len)
{
    struct sip_head head;
    struct sip_via via;
    sip_read(bytes, len, &head);
    // what is quoted ends anywhere: the top Via has to be whole, and is the first line of our requests
    if (head.faults & SIP_FAULT_NOT_SIP || !head.request ||
        !sip_read_via(sip_head_value(&head, SIP_NAME_VIA), &via) || !via.branch.p)
        return;
    struct sip_node *node =
        sip_table_find(&stack->txns, sip_key_client(stack->secret, via.branch, head.method));
    if (node)
        sip_client_broken((struct sip_txn *)((char *)node - offsetof(struct sip_txn, key)));
}
