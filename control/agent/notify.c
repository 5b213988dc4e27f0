// SPDX-License-Identifier: BSD-3-Clause
// The NOTIFYs of a REFER that we carry out (RFC 3515): one after the other, and then the BYE, which gives the transferor
// time for its own.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/agent/agent_internal.h"

enum { BYE_WAIT_MS = 2000 }; // behind the last word, RFC 5589 5: who transfers hangs up itself

struct agent_notifier {
    struct agent_user user; // first
    struct agent_leg *leg;
    struct refer refer;
    struct wheel_timer timer;
};

static void on_time(void *arg)
{
    struct agent_notifier *n = arg;
    struct agent_leg *leg = n->leg;
    loop_now(leg->owner->agent->loop);
    agent_notify_end(leg);
    agent_plain_event(leg->owner, CALL_EV_RELEASED, leg->side, 0);
}

static int send_one(struct agent_notifier *n, int status)
{
    struct agent_leg *leg = n->leg;
    struct agent_call *c = leg->owner;
    struct agent_dialog *d = leg->main;
    char contact[AGENT_CONTACT_MAX], lines[160], id[24] = "", state[48] = "terminated;reason=noresource",
                                                 frag[96];
    struct sip_request r;
    struct sip_txn *txn;
    const struct call_side *side = &c->call.side[leg->side];
    bool there = side->dialog || (side->bye_out && !leg->bye); // or its BYE goes out in this very turn
    if (!d || !d->bound || !there)
        return -ENOTCONN;
    struct sip_flow flow = agent_next_hop(d);
    agent_dialog_request(d, SIP_NOTIFY, &r, contact, sizeof contact);
    if (n->refer.named) // RFC 3515 2.4.6
        snprintf(id, sizeof id, ";id=%u", n->refer.cseq);
    if (status < 200)
        snprintf(state, sizeof state, "active;expires=%u",
                 agent_config(c->agent)->control.setup_timeout_ms / 1000 + 1);
    snprintf(lines, sizeof lines, "Event: refer%s\r\nSubscription-State: %s\r\n", id, state);
    int len = snprintf(frag, sizeof frag, "SIP/2.0 %d %s\r\n", status, sip_reason(status));
    r.headers = lines;
    r.body_type = "message/sipfrag;version=2.0"; // RFC 3420
    r.body = frag;
    r.body_len = (size_t)len;
    return sip_request(c->agent->stack, &flow, &r, &n->user.sip, &txn);
}

// Sends what is due; behind the last word the time begins that the far side has for its BYE.
static void go_on(struct agent_notifier *n)
{
    int status = refer_next(&n->refer);
    if (status && send_one(n, status) < 0)
        refer_answered(&n->refer, 0);
    if (refer_is_over(&n->refer) && !wheel_armed(&n->timer))
        wheel_add(loop_wheel(n->leg->owner->agent->loop), &n->timer, BYE_WAIT_MS, on_time, n);
}

int agent_notify_begin(struct agent_leg *leg, uint32_t cseq, bool quiet)
{
    agent_notify_end(leg);
    struct agent_notifier *n = leg->notifier = calloc(1, sizeof *n);
    if (!n)
        return -ENOMEM;
    n->user.kind = AGENT_NOTIFIER;
    n->leg = leg;
    refer_begin(&n->refer, cseq, quiet, leg->referred);
    leg->referred = true;
    go_on(n);
    return 0;
}

void agent_notify_tell(struct agent_leg *leg, int status)
{
    if (!leg->notifier)
        return;
    refer_tell(&leg->notifier->refer, status);
    go_on(leg->notifier);
}

uint32_t agent_notify_again(struct agent_notifier *n, const struct sip_msg *response)
{
    return agent_again(n->leg, NULL, response);
}

void agent_notify_answered(struct agent_notifier *n, int status)
{
    refer_answered(&n->refer, status);
    go_on(n);
}

bool agent_notify_open(const struct agent_leg *leg)
{
    return leg->notifier && !refer_is_over(&leg->notifier->refer);
}

void agent_notify_end(struct agent_leg *leg)
{
    struct agent_notifier *n = leg->notifier;
    if (!n)
        return;
    leg->notifier = NULL;
    wheel_cancel(loop_wheel(leg->owner->agent->loop), &n->timer);
    sip_owner_cut(&n->user.sip);
    free(n);
}
