// SPDX-License-Identifier: BSD-3-Clause
// Server transactions: requests received. The machine up to the final answer (of an INVITE: up to the ACK to a refusal);
// after it records that answer again. What RFC 3261 leaves to the user agent core about a 2xx to an INVITE is
// here too.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/wipe.h"
#include "control/sip/ids.h"

static struct sip_txn *of_key(struct sip_node *node)
{
    return node ? (struct sip_txn *)((char *)node - offsetof(struct sip_txn, key)) : NULL;
}

static struct sip_txn *of_ack(struct sip_node *node)
{
    return node ? (struct sip_txn *)((char *)node - offsetof(struct sip_txn, ack)) : NULL;
}

// The port that answers over UDP go to: the source's when Via asks for it (RFC 3581), else that of Via
// (18.2.2).
static uint16_t reply_port(const struct sip_flow *flow, const struct sip_via *via)
{
    if (!sip_flow_row(flow)->stream && via->rport)
        return flow->remote.port;
    return via->port ? via->port : sip_flow_row(flow)->default_port;
}

// ---- answering -----------------------------------------------------------------------------------------

void sip_answer_head(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                     const struct sip_flow *flow, const struct sip_answer *answer)
{
    // A tag that the same request gets again, without anything being kept: made from what names the request.
    char tag[SIP_TAG_LEN];
    struct siphash_value v =
        sip_key_ack(stack->secret, sip_head_value(head, SIP_NAME_CALL_ID),
                    sip_head_value(head, SIP_NAME_FROM), sip_head_value(head, SIP_NAME_VIA), 0);
    snprintf(tag, sizeof tag, "%u.%016llx", stack->loop_number, (unsigned long long)v.a);
    struct sip_reply reply = {
        .request = {head->line, head->lines},
        .from = &flow->remote,
        .tag = tag,
        .agent = stack->config->user_agent,
        .answer = answer,
    };
    struct sip_bytes *bytes = sip_write_response(&reply);
    if (!bytes)
        return;
    struct sip_flow to = *flow;
    struct sip_via via = shape->via;
    if (!sip_flow_row(&to)->stream && (via.host.p || sip_read_via(sip_head_value(head, SIP_NAME_VIA), &via)))
        to.remote.port = reply_port(flow, &via);
    if (stack->io->send(stack->io_arg, &to, bytes, NULL) == 0) {
        stack->counters.tx[to.transport]++;
        stack->counters.answered_here++;
    } else {
        stack->counters.tx_failed++;
    }
    wipe_free(bytes);
}

static void answer_status(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                          const struct sip_flow *flow, int status)
{
    sip_answer_head(stack, head, shape, flow, &(struct sip_answer){.status = status});
}

static void arm_live(struct sip_txn *txn)
{
    const struct tl_control_config *c = txn->stack->config;
    uint64_t now = txn->stack->wheel->now;
    txn->repeat_at = 0;
    if (txn->live->state == SIP_STATE_COMPLETED) {
        if (!txn->deadline)
            txn->deadline = now + c->timer_h_ms;
        if (txn->interval > c->t2_ms)
            txn->interval = c->t2_ms;
        if (!sip_flow_row(&txn->flow)->reliable)
            txn->repeat_at = now + txn->interval;
    }
    sip_txn_arm(txn);
}

// The 2xx is out: the machine is through, and we repeat it until the ACK (13.3.1.4), over TCP too.
static void await_ack(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    const struct sip_msg *invite = txn->live->request;
    struct sip_str tag =
        txn->flags & SIP_TO_TAG ? sip_msg_to_tag(invite) : (struct sip_str){txn->tag, strlen(txn->tag)};
    sip_table_add(
        &stack->acks, &txn->ack,
        sip_key_ack(stack->secret, sip_msg_call_id(invite), sip_msg_from_tag(invite), tag, invite->cseq));
    txn->repeat = txn->live->out;
    txn->live->out = NULL;
    sip_txn_end_live(txn, SIP_AWAIT_ACK);
    txn->interval = stack->config->t1_ms;
    txn->repeat_at = stack->wheel->now + txn->interval;
    txn->deadline = stack->wheel->now + stack->config->timer_h_ms;
    sip_txn_arm(txn);
}

static void stop_reliable(struct sip_txn *txn)
{
    wipe_free(txn->live->reliable);
    txn->live->reliable = NULL;
    txn->live->rseq = 0;
    txn->repeat_at = txn->deadline = 0;
    sip_txn_arm(txn);
}

// The provisional is out, and repeated until its PRACK is here (RFC 3262 section 3).
static void await_prack(struct sip_txn *txn, uint32_t rseq)
{
    struct sip_stack *stack = txn->stack;
    const struct sip_bytes *out = txn->live->out;
    struct sip_bytes *copy = wipe_alloc(sizeof *copy + out->len);
    if (!copy)
        return; // sent once: what is lost is as it was without 100rel
    memcpy(copy, out, sizeof *copy + out->len);
    txn->live->reliable = copy;
    txn->live->rseq = rseq;
    txn->interval = stack->config->t1_ms;
    txn->repeat_at = stack->wheel->now + txn->interval;
    txn->deadline = stack->wheel->now + 64 * (uint64_t)stack->config->t1_ms;
    sip_txn_arm(txn);
}

int sip_prack(struct sip_txn *txn, uint32_t rseq)
{
    if (txn->kind != SIP_SERVER_INVITE || txn->stage != SIP_LIVE || !rseq || txn->live->rseq != rseq)
        return -ENOENT;
    stop_reliable(txn);
    return 0;
}

// It is time to repeat the provisional, or to give up waiting.
static void reliable_timer(struct sip_txn *txn, bool late)
{
    struct sip_stack *stack = txn->stack;
    if (late) {
        stop_reliable(txn);
        sip_txn_hold(txn);
        if (txn->owner)
            stack->user->on_failure(stack->arg, txn, txn->owner, SIP_NO_PRACK);
        sip_txn_release(txn);
        return;
    }
    if (sip_txn_send(txn, txn->live->reliable) == 0)
        stack->counters.tx_again++;
    txn->interval *= 2;
    txn->repeat_at = stack->wheel->now + txn->interval;
    sip_txn_arm(txn);
}

// The final answer is out.
static void finish(struct sip_txn *txn, int status, bool forget)
{
    txn->flags |= SIP_FINAL;
    if (txn->live->rseq)
        stop_reliable(txn);
    if (forget && (txn->kind != SIP_SERVER_INVITE || status >= 300)) {
        sip_txn_free(txn);
        return;
    }
    if (txn->kind == SIP_SERVER_INVITE) {
        if (status < 300) {
            await_ack(txn);
        } else {
            sip_txn_set_owner(txn, NULL);
            txn->interval = txn->stack->config->t1_ms;
            arm_live(txn);
        }
        return;
    }
    uint32_t wait = sip_txn_wait_ms(txn);
    struct sip_bytes *repeat = txn->live->out;
    txn->live->out = NULL;
    sip_txn_wait(txn, wait, repeat);
}

int sip_respond(struct sip_txn *txn, const struct sip_answer *answer)
{
    if (!sip_kind_is_server(txn->kind) || !sip_answer_valid(answer))
        return -EINVAL;
    if (txn->stage != SIP_LIVE || txn->flags & SIP_FINAL)
        return -EALREADY;
    if (answer->rseq && txn->live->rseq)
        return -EBUSY;
    if (answer->tag && answer->status >= 200) // the dialog that lives
        snprintf(txn->tag, sizeof txn->tag, "%s", answer->tag);
    const struct sip_msg *request = txn->live->request;
    struct sip_reply reply = {
        .request = {request->lines, request->line_count},
        .from = &txn->flow.remote,
        .tag = answer->tag ? answer->tag : txn->tag,
        .agent = txn->stack->config->user_agent,
        .answer = answer,
    };
    struct sip_bytes *bytes = sip_write_response(&reply);
    if (!bytes)
        return -ENOMEM;
    wipe_free(txn->live->out);
    txn->live->out = bytes;
    sip_txn_step(txn, sip_machine_response(answer->status));
    if (txn->flags & SIP_BROKEN) {
        txn->flags |= SIP_FINAL;
        sip_txn_free(txn);
        return -EIO;
    }
    if (answer->status < 200)
        txn->flags |= SIP_PROVISIONAL;
    if (answer->status < 200 && answer->rseq)
        await_prack(txn, answer->rseq);
    else if (answer->status >= 200)
        finish(txn, answer->status, answer->forget);
    return 0;
}

// ---- requests ------------------------------------------------------------------------------------------

static void take_new(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                     const struct sip_flow *flow, const struct sip_ident *ident, struct siphash_value key)
{
    struct sip_msg *msg = sip_msg_new(head, shape);
    if (!msg) {
        stack->counters.rejects[SIP_REJECT_memory]++;
        answer_status(stack, head, shape, flow, 500);
        return;
    }
    bool invite = msg->method == SIP_INVITE;
    struct sip_txn *txn = sip_txn_new(stack, invite ? SIP_SERVER_INVITE : SIP_SERVER_OTHER, flow, msg);
    if (!txn) {
        stack->counters.rejects[SIP_REJECT_memory]++;
        sip_msg_free(msg);
        answer_status(stack, head, shape, flow, 500);
        return;
    }
    txn->reply_port = reply_port(flow, &shape->via);
    sip_table_add(&stack->txns, &txn->key, key);
    if (ident->to_tag.p) {
        txn->flags |= SIP_TO_TAG;
        sip_str_copy(ident->to_tag, txn->tag, sizeof txn->tag);
    } else {
        sip_table_add(&stack->merges, &txn->merge, sip_key_merge(stack->secret, ident));
        sip_make_tag(stack, txn->tag);
    }
    sip_txn_hold(txn);
    stack->user->on_request(stack->arg, txn, msg, flow);
    // 17.2.1: within 200 ms, unless the user was faster
    if (invite && txn->stage == SIP_LIVE && !(txn->flags & (SIP_FINAL | SIP_PROVISIONAL)))
        sip_respond(txn, &(struct sip_answer){.status = 100});
    sip_txn_release(txn);
}

static bool has_room(struct sip_stack *stack, bool in_dialog)
{
    const struct sip_counters *c = &stack->counters;
    // Calls that exist may still be changed and ended when no new ones are taken.
    uint64_t live = in_dialog ? stack->live_max + (uint64_t)stack->live_max / 4 + 1 : stack->live_max;
    uint64_t waiting = in_dialog ? stack->waiting_max + (uint64_t)stack->live_max : stack->waiting_max;
    return c->txns_live < live && c->txns_waiting < waiting;
}

// Adds a name to a list, when it fits whole. Returns the new length.
static size_t list_name(char *list, size_t len, size_t size, struct sip_str name)
{
    if (len + name.len + 3 > size)
        return len;
    return len + (size_t)snprintf(list + len, size - len, "%s%.*s", len ? ", " : "", (int)name.len, name.p);
}

// Options that the far side insists on and the user has not (8.2.2.3). Returns whether there were any.
static bool refuse_required(struct sip_stack *stack, const struct sip_head *head,
                            const struct sip_shape *shape, const struct sip_flow *flow)
{
    const struct sip_user *user = stack->user;
    char unknown[400] = "", lacking[400], line[900];
    size_t len = 0;
    uint32_t options = 0;
    for (unsigned n = head->first[SIP_NAME_REQUIRE]; n; n = head->line[n - 1].next) {
        struct sip_str rest = head->line[n - 1].value, one;
        while ((one = sip_next_value(&rest)).p) {
            enum sip_option option = sip_option_by_name(one);
            if (option < SIP_OPTION_COUNT)
                options |= sip_option_bit(option);
            else
                len = list_name(unknown, len, sizeof unknown, one);
        }
    }
    if (!options && !len)
        return false;
    enum sip_method method = sip_method_by_name(shape->cseq_method);
    uint32_t taken = user->on_required ? user->on_required(stack->arg, flow, method, options, unknown)
                                       : sip_options_required();
    options &= ~taken;
    if (!options && !len)
        return false;
    sip_option_list(options, lacking, sizeof lacking);
    snprintf(line, sizeof line, "Unsupported: %s%s%s\r\n", lacking, *lacking && len ? ", " : "", unknown);
    sip_answer_head(stack, head, shape, flow, &(struct sip_answer){.status = 420, .headers = line});
    return true;
}

static void come_again(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    stack->counters.rx_again++;
    if (txn->stage == SIP_LIVE) {
        bool answers = txn->live->out != NULL;
        sip_txn_step(txn, SIP_ON_AGAIN);
        if (answers)
            stack->counters.tx_again++;
    } else if (txn->stage == SIP_WAITING && txn->repeat && sip_txn_send(txn, txn->repeat) == 0) {
        stack->counters.tx_again++;
    }
}

// ---- CANCEL and ACK ------------------------------------------------------------------------------------

// Both come from whoever sent the INVITE. Its other addresses count as well: where nobody in between record-routes, the ACK to a
// 2xx comes from another host of the peer than the INVITE (13.2.2.4). What began in secret does not go on in clear text.
static bool is_stranger(const struct sip_txn *txn, const struct sip_flow *flow)
{
    const struct sip_user *user = txn->stack->user;
    const struct sip_flow *first = &txn->flow;
    if (sip_flow_row(first)->secure && !sip_flow_row(flow)->secure)
        return true;
    if (tl_addr_same_host(&first->remote, &flow->remote))
        return false;
    return !first->trunk || !user->is_from || !user->is_from(txn->stack->arg, txn->owner, flow, first->trunk);
}

static void take_cancel(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                        const struct sip_flow *flow, const struct sip_ident *ident)
{
    struct sip_txn *txn =
        of_key(sip_table_find(&stack->txns, sip_key_server(stack->secret, ident, "INVITE")));
    if (txn && is_stranger(txn, flow)) {
        stack->counters.rejects[SIP_REJECT_stranger]++;
        txn = NULL;
    }
    if (!txn || txn->kind != SIP_SERVER_INVITE) {
        answer_status(stack, head, shape, flow, 481);
        return;
    }
    // The same answer each time needs no transaction of its own (9.2).
    struct sip_reply reply = {
        .request = {head->line, head->lines},
        .from = &flow->remote,
        .tag = txn->tag,
        .agent = stack->config->user_agent,
        .answer = &(struct sip_answer){.status = 200},
    };
    struct sip_bytes *bytes = sip_write_response(&reply);
    struct sip_flow to = *flow;
    if (!sip_flow_row(&to)->stream)
        to.remote.port = reply_port(flow, &shape->via);
    if (bytes && stack->io->send(stack->io_arg, &to, bytes, NULL) == 0)
        stack->counters.tx[to.transport]++;
    wipe_free(bytes);
    if (txn->flags & SIP_CANCELLED)
        stack->counters.rx_again++;
    if (txn->stage != SIP_LIVE || txn->flags & (SIP_FINAL | SIP_CANCELLED))
        return;
    struct sip_msg *msg = sip_msg_new(head, shape);
    if (!msg) {
        stack->counters.rejects[SIP_REJECT_memory]++;
        return;
    }
    txn->flags |= SIP_CANCELLED;
    sip_txn_hold(txn);
    stack->user->on_cancel(stack->arg, txn, txn->owner, msg);
    sip_txn_release(txn);
    sip_msg_free(msg);
}

// To a final response of 300 and above.
static bool ack_of_failure(struct sip_stack *stack, struct sip_txn *txn, const struct sip_ident *ident)
{
    if (!txn || txn->kind != SIP_SERVER_INVITE || (txn->stage != SIP_LIVE && txn->stage != SIP_WAITING))
        return false;
    if (txn->ack.link)
        return false; // it had a 2xx
    if (sip_key_is_old(ident) && !(txn->flags & SIP_TO_TAG) && !sip_str_is(ident->to_tag, txn->tag))
        return false;
    if (txn->stage == SIP_WAITING || !(txn->flags & SIP_FINAL)) {
        stack->counters.rx_again++;
        return true;
    }
    sip_txn_step(txn, SIP_ON_ACK);
    sip_txn_wait(txn, sip_txn_wait_ms(txn), NULL);
    return true;
}

// From here on it only absorbs INVITEs and ACKs that come again, until 64*T1 after the 2xx (RFC 6026 timer
// L).
static void stop_2xx(struct sip_txn *txn)
{
    uint64_t now = txn->stack->wheel->now;
    sip_txn_wait(txn, txn->deadline > now ? (uint32_t)(txn->deadline - now) : 1, NULL);
}

void sip_server_abandon(struct sip_txn *txn)
{
    if (txn->stage == SIP_AWAIT_ACK)
        stop_2xx(txn);
    else if (txn->stage == SIP_LIVE && !(txn->flags & SIP_FINAL))
        sip_respond(txn, &(struct sip_answer){.status = 500});
}

static void take_ack(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                     const struct sip_flow *flow, const struct sip_ident *ident)
{
    struct sip_txn *txn = of_key(sip_table_find(&stack->txns, sip_key_server(stack->secret, ident, NULL)));
    if (txn && is_stranger(txn, flow)) {
        stack->counters.rejects[SIP_REJECT_stranger]++;
        return;
    }
    if (ack_of_failure(stack, txn, ident))
        return;
    txn = of_ack(sip_table_find(&stack->acks, sip_key_ack(stack->secret, ident->call_id, ident->from_tag,
                                                          ident->to_tag, ident->cseq)));
    if (!txn || is_stranger(txn, flow)) {
        stack->counters.rejects[txn ? SIP_REJECT_stranger : SIP_REJECT_stray_ack]++;
        return;
    }
    if (txn->stage != SIP_AWAIT_ACK) {
        stack->counters.rx_again++;
        return;
    }
    struct sip_msg *msg = sip_msg_new(head, shape);
    if (!msg) {
        stack->counters.rejects[SIP_REJECT_memory]++;
        return;
    }
    struct sip_owner *owner = txn->owner;
    sip_txn_hold(txn);
    stop_2xx(txn);
    stack->user->on_ack(stack->arg, txn, owner, msg);
    sip_txn_release(txn);
    sip_msg_free(msg);
}

void sip_server_request(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                        const struct sip_flow *flow)
{
    struct sip_ident ident;
    sip_ident_read(head, shape, &ident);
    if (sip_str_is(ident.method, "ACK")) {
        take_ack(stack, head, shape, flow, &ident);
        return;
    }
    if (sip_str_is(ident.method, "CANCEL")) {
        take_cancel(stack, head, shape, flow, &ident);
        return;
    }
    struct siphash_value key = sip_key_server(stack->secret, &ident, NULL);
    struct sip_txn *txn = of_key(sip_table_find(&stack->txns, key));
    if (txn) {
        come_again(txn);
    } else if (!ident.to_tag.p && sip_table_find(&stack->merges, sip_key_merge(stack->secret, &ident))) {
        answer_status(stack, head, shape, flow, 482);
    } else if (!has_room(stack, ident.to_tag.p != NULL)) {
        stack->counters.rejects[SIP_REJECT_overload]++;
        sip_answer_head(stack, head, shape, flow,
                        &(struct sip_answer){.status = 503, .retry_after = stack->config->retry_after_s});
    } else if (!refuse_required(stack, head, shape, flow)) {
        take_new(stack, head, shape, flow, &ident, key);
    }
}

void sip_server_timer(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    uint64_t now = stack->wheel->now;
    bool late = txn->deadline && now >= txn->deadline;
    bool again = txn->repeat_at && now >= txn->repeat_at;
    if (txn->stage == SIP_WAITING) {
        sip_txn_free(txn);
    } else if (txn->stage == SIP_AWAIT_ACK && late) {
        stack->counters.no_ack++;
        sip_txn_hold(txn);
        stack->user->on_failure(stack->arg, txn, txn->owner, SIP_TIMEOUT);
        sip_txn_free(txn);
        sip_txn_release(txn);
    } else if (txn->stage == SIP_AWAIT_ACK && again) {
        if (sip_txn_send(txn, txn->repeat) == 0)
            stack->counters.tx_again++;
        txn->interval = txn->interval * 2 < stack->config->t2_ms ? txn->interval * 2 : stack->config->t2_ms;
        txn->repeat_at = now + txn->interval;
        sip_txn_arm(txn);
    } else if (txn->live->rseq && (late || again)) {
        reliable_timer(txn, late);
    } else if (late) {
        sip_txn_step(txn, SIP_ON_GIVE_UP);
        sip_txn_free(txn);
    } else if (again) {
        txn->interval *= 2;
        sip_txn_step(txn, SIP_ON_REPEAT);
        stack->counters.tx_again++;
        arm_live(txn);
    } else {
        sip_txn_arm(txn);
    }
}

// ---- what the user may ask -----------------------------------------------------------------------------

const char *sip_txn_tag(const struct sip_txn *txn)
{
    return txn->tag;
}

const struct sip_msg *sip_txn_request(const struct sip_txn *txn)
{
    return txn->live && sip_kind_is_server(txn->kind) && !(txn->flags & SIP_FINAL) ? txn->live->request
                                                                                   : NULL;
}

const struct sip_flow *sip_txn_flow(const struct sip_txn *txn)
{
    return &txn->flow;
}

void sip_txn_set_peer(struct sip_txn *txn, const struct sip_flow *to)
{
    txn->flow.peer = to->peer;
    txn->flow.trunk = to->trunk;
    txn->flow.name = to->name;
    txn->flow.tcp_above = to->tcp_above;
}

bool sip_txn_heard(const struct sip_txn *txn)
{
    return txn->flags & SIP_PROVISIONAL;
}

bool sip_txn_is_server(const struct sip_txn *txn)
{
    return sip_kind_is_server(txn->kind);
}

struct sip_owner *sip_txn_owner(const struct sip_txn *txn)
{
    return txn->owner;
}
