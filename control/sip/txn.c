// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/txn.h"
#include "common/addr.h"
#include "control/base/wipe.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static_assert(sizeof(struct sip_txn) + 900 < SIP_RECORD_BYTES, "a record leaves room for a usual response");

// ---- the stack -----------------------------------------------------------------------------------------

void sip_core_configure(struct sip_stack *stack, const struct tl_control_config *config)
{
    stack->control = *config;
    stack->live_max = config->max_transactions ? config->max_transactions : 1;
    // A transaction lives for milliseconds to seconds and waits for 64*T1 after that.
    stack->waiting_max = stack->live_max > UINT32_MAX / 4 ? UINT32_MAX : stack->live_max * 4;
}

int sip_core_new(struct wheel *wheel, unsigned loop_number, const struct tl_config *config,
                 const struct sip_user *user, void *arg, const struct sip_io *io, void *io_arg,
                 struct sip_stack **out)
{
    struct sip_stack *stack = calloc(1, sizeof *stack);
    if (!stack)
        return -ENOMEM;
    stack->wheel = wheel;
    stack->loop_number = loop_number;
    stack->whole = config;
    stack->config = &stack->control;
    stack->user = user;
    stack->arg = arg;
    stack->io = io;
    stack->io_arg = io_arg;
    sip_core_configure(stack, &config->control);
    int err = getentropy(stack->secret, sizeof stack->secret) == 0 ? 0 : -EIO;
    size_t expected = (size_t)stack->live_max * 2;
    if (!err)
        err = sip_table_init(&stack->txns, expected);
    if (!err)
        err = sip_table_init(&stack->merges, expected);
    if (!err)
        err = sip_table_init(&stack->acks, stack->live_max);
    if (!err)
        err = sources_init(&stack->no_tcp, SIP_NO_TCP_PLACES, stack->secret);
    if (err) {
        sip_core_free(stack);
        return err;
    }
    *out = stack;
    return 0;
}

void sip_core_drop(struct sip_stack *stack)
{
    while (stack->all) {
        stack->all->busy = 0;
        sip_txn_free(stack->all);
    }
}

void sip_core_free(struct sip_stack *stack)
{
    if (!stack)
        return;
    sip_core_drop(stack);
    sip_table_fini(&stack->txns);
    sip_table_fini(&stack->merges);
    sip_table_fini(&stack->acks);
    explicit_bzero(stack->secret, sizeof stack->secret);
    tdestroy(stack->names, free);
    sources_fini(&stack->no_tcp);
    sip_gate_fini(&stack->gate);
    free(stack);
}

const struct sip_counters *sip_stack_counters(const struct sip_stack *stack)
{
    return &stack->counters;
}

// ---- counting ------------------------------------------------------------------------------------------

static void count_live(struct sip_stack *stack, int by)
{
    struct sip_counters *c = &stack->counters;
    c->txns_live = (uint32_t)((int64_t)c->txns_live + by);
    if (c->txns_live > c->txns_live_most)
        c->txns_live_most = c->txns_live;
}

static void count_waiting(struct sip_stack *stack, int by)
{
    struct sip_counters *c = &stack->counters;
    c->txns_waiting = (uint32_t)((int64_t)c->txns_waiting + by);
    if (c->txns_waiting > c->txns_waiting_most)
        c->txns_waiting_most = c->txns_waiting;
}

// ---- life ----------------------------------------------------------------------------------------------

struct sip_txn *sip_txn_record(struct sip_stack *stack, enum sip_kind kind, const struct sip_flow *flow)
{
    struct sip_txn *txn = calloc(1, sizeof *txn);
    if (!txn)
        return NULL;
    txn->stack = stack;
    txn->kind = (uint8_t)kind;
    txn->stage = SIP_WAITING;
    txn->flow = *flow;
    txn->next = stack->all;
    if (txn->next)
        txn->next->link = &txn->next;
    txn->link = &stack->all;
    stack->all = txn;
    count_waiting(stack, 1);
    return txn;
}

uint32_t sip_txn_wait_ms(const struct sip_txn *txn)
{
    const struct tl_control_config *c = txn->stack->config;
    bool t4 = txn->kind == SIP_CLIENT_OTHER || txn->kind == SIP_SERVER_INVITE;
    if (sip_flow_row(&txn->flow)->reliable)
        return 0;
    return t4 ? c->t4_ms : 64 * c->t1_ms;
}

static void on_timer(void *arg)
{
    struct sip_txn *txn = arg;
    if (sip_kind_is_server(txn->kind))
        sip_server_timer(txn);
    else
        sip_client_timer(txn);
}

static void on_broken(void *arg)
{
    sip_client_broken(arg);
}

bool sip_txn_begin_live(struct sip_txn *txn, struct sip_msg *request)
{
    struct sip_stack *stack = txn->stack;
    struct sip_live *live = calloc(1, sizeof *live);
    if (!live)
        return false;
    live->state = (uint8_t)sip_machine_first((enum sip_kind)txn->kind);
    live->request = request;
    live->waiter.broken = on_broken;
    live->waiter.arg = txn;
    txn->live = live;
    txn->stage = SIP_LIVE;
    count_waiting(stack, -1);
    count_live(stack, 1);
    return true;
}

struct sip_txn *sip_txn_new(struct sip_stack *stack, enum sip_kind kind, const struct sip_flow *flow,
                            struct sip_msg *request)
{
    struct sip_txn *txn = sip_txn_record(stack, kind, flow);
    if (txn && !sip_txn_begin_live(txn, request)) {
        sip_txn_free(txn);
        return NULL;
    }
    return txn;
}

void sip_txn_step(struct sip_txn *txn, enum sip_event event)
{
    struct sip_live *live = txn->live;
    struct sip_step step = sip_machine_step((enum sip_kind)txn->kind, (enum sip_state)live->state, event);
    const struct sip_bytes *bytes = step.send == SIP_SEND_ACK ? live->ack : live->out;
    live->state = step.state;
    if (step.send == SIP_SEND_NOTHING || (event == SIP_ON_AGAIN && !bytes))
        return;
    int err = bytes ? sip_txn_send(txn, bytes) : -ENOMEM;
    // A provisional answer or a repetition may get lost.
    bool matters = !sip_kind_is_server(txn->kind) || event == SIP_ON_2XX || event == SIP_ON_REST;
    if (err && matters)
        txn->flags |= SIP_BROKEN;
}

void sip_txn_end_live(struct sip_txn *txn, enum sip_stage stage)
{
    struct sip_live *live = txn->live;
    if (!live)
        return;
    sip_waiter_cancel(&live->waiter);
    sip_msg_free(live->request);
    wipe_free(live->out);
    wipe_free(live->ack);
    free(live->cancel);
    wipe_free(live->reliable);
    free(live);
    txn->live = NULL;
    txn->stage = (uint8_t)stage;
    txn->repeat_at = 0;
    txn->deadline = 0;
    count_live(txn->stack, -1);
    count_waiting(txn->stack, 1);
}

// What only a request that may still be challenged or ACKed needs.
static void forget_account(struct sip_txn *txn)
{
    sip_account_release(txn->account);
    txn->account = NULL;
    wipe_free(txn->credentials);
    txn->credentials = NULL;
}

void sip_txn_free(struct sip_txn *txn)
{
    if (txn->busy) {
        txn->flags |= SIP_FREE;
        return;
    }
    struct sip_stack *stack = txn->stack;
    sip_txn_set_owner(txn, NULL);
    sip_txn_end_live(txn, SIP_WAITING);
    wheel_cancel(stack->wheel, &txn->timer);
    sip_table_remove(&stack->txns, &txn->key);
    sip_table_remove(&stack->merges, &txn->merge);
    sip_table_remove(&stack->acks, &txn->ack);
    *txn->link = txn->next;
    if (txn->next)
        txn->next->link = txn->link;
    sip_msg_free(txn->answer);
    wipe_free(txn->repeat);
    forget_account(txn);
    free(txn);
    count_waiting(stack, -1);
}

void sip_txn_wait(struct sip_txn *txn, uint32_t ms, struct sip_bytes *repeat)
{
    sip_txn_end_live(txn, SIP_WAITING);
    txn->stage = SIP_WAITING;
    sip_txn_set_owner(txn, NULL);
    if (txn->kind != SIP_CLIENT_INVITE) // another fork's 2xx may come, to be ACKed and BYEd
        forget_account(txn);
    wipe_free(txn->repeat);
    txn->repeat = repeat;
    // Of what is too large for a record repetitions are absorbed without an answer; but an ACK of ours has to
    // come again with each 2xx, or the call ends, and there is one a call.
    if (repeat && repeat->len > SIP_REPEAT_MAX && txn->kind != SIP_CLIENT_INVITE) {
        wipe_free(repeat);
        txn->repeat = NULL;
    }
    txn->repeat_at = 0;
    txn->deadline = txn->stack->wheel->now + ms;
    if (ms == 0)
        sip_txn_free(txn);
    else
        sip_txn_arm(txn);
}

void sip_txn_set_owner(struct sip_txn *txn, struct sip_owner *owner)
{
    if (txn->owner) {
        *txn->owner_link = txn->owner_next;
        if (txn->owner_next)
            txn->owner_next->owner_link = txn->owner_link;
    }
    txn->owner = owner;
    if (!owner)
        return;
    txn->owner_next = owner->txns;
    txn->owner_link = &owner->txns;
    if (txn->owner_next)
        txn->owner_next->owner_link = &txn->owner_next;
    owner->txns = txn;
}

void sip_owner_cut(struct sip_owner *owner)
{
    while (owner->txns) {
        struct sip_txn *txn = owner->txns;
        sip_txn_set_owner(txn, NULL);
        sip_abandon(txn);
    }
}

void sip_txn_hold(struct sip_txn *txn)
{
    txn->busy++;
}

bool sip_txn_release(struct sip_txn *txn)
{
    if (--txn->busy || !(txn->flags & SIP_FREE))
        return true;
    sip_txn_free(txn);
    return false;
}

void sip_txn_arm(struct sip_txn *txn)
{
    uint64_t at = txn->deadline, now = txn->stack->wheel->now;
    if (txn->repeat_at && (!at || txn->repeat_at < at))
        at = txn->repeat_at;
    if (at)
        wheel_add(txn->stack->wheel, &txn->timer, at > now ? at - now : 0, on_timer, txn);
    else
        wheel_cancel(txn->stack->wheel, &txn->timer);
}

int sip_txn_send(struct sip_txn *txn, const struct sip_bytes *bytes)
{
    struct sip_stack *stack = txn->stack;
    bool server = sip_kind_is_server(txn->kind);
    struct sip_waiter *waiter = !server && txn->live ? &txn->live->waiter : NULL;
    struct sip_flow to = txn->flow;
    if (server && !sip_flow_row(&to)->stream)
        to.remote.port = txn->reply_port;
    int err = stack->io->send(stack->io_arg, &to, bytes, waiter);
    if (err == -ENOTCONN && to.conn_generation) {
        // The connection it came on has gone: to the port that the Via names (18.2.2), or for a request of
        // ours on another connection to where the peer listens.
        to.conn_generation = 0;
        if (server)
            to.remote.port = txn->reply_port;
        else if (tl_addr_is_set(&to.peer))
            to.remote = to.peer;
        err = stack->io->send(stack->io_arg, &to, bytes, waiter);
    }
    if (!server)
        txn->flow = to;
    if (err)
        stack->counters.tx_failed++;
    else
        stack->counters.tx[to.transport]++;
    return err;
}

struct sip_msg *sip_own_message(const struct sip_bytes *bytes)
{
    struct sip_head head;
    struct sip_shape shape;
    char *copy = wipe_alloc(bytes->len);
    struct sip_msg *msg = NULL;
    if (!copy)
        return NULL;
    memcpy(copy, bytes->data, bytes->len);
    sip_read(copy, bytes->len, &head);
    if (sip_filter(&head, false, &shape))
        msg = sip_msg_new(&head, &shape);
    wipe_free(copy);
    return msg;
}
