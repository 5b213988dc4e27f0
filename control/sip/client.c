// SPDX-License-Identifier: BSD-3-Clause
// Client transactions: requests of ours. The machine up to the final response; after it records that
// ACK again, and end what nobody wants any more.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/base/wipe.h"
#include "control/sip/dialog.h"
#include "control/sip/ids.h"

// ---- telling the user ----------------------------------------------------------------------------------

static void tell_failure(struct sip_txn *txn, enum sip_failure why)
{
    struct sip_stack *stack = txn->stack;
    struct sip_owner *owner = txn->owner;
    bool heard = !(txn->flags & SIP_ABANDONED);
    txn->flags |= SIP_FINAL | SIP_ABANDONED;
    if (why == SIP_TIMEOUT)
        stack->counters.timeouts++;
    if (heard) {
        sip_txn_hold(txn);
        stack->user->on_failure(stack->arg, txn, owner, why);
        if (!sip_txn_release(txn))
            return;
    }
    sip_txn_free(txn);
}

// Returns false when the transaction went meanwhile.
static bool tell_response(struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct sip_stack *stack = txn->stack;
    if (txn->flags & SIP_ABANDONED)
        return true;
    sip_txn_hold(txn);
    stack->user->on_response(stack->arg, txn, txn->owner, msg, flow);
    return sip_txn_release(txn);
}

// ---- sending -------------------------------------------------------------------------------------------

// What the machine's state asks for next, after each event.
static void arm_live(struct sip_txn *txn)
{
    const struct tl_control_config *c = txn->stack->config;
    uint64_t now = txn->stack->wheel->now;
    bool invite = txn->kind == SIP_CLIENT_INVITE, heard = txn->live->state == SIP_STATE_PROCEEDING;
    txn->repeat_at = 0;
    if (txn->flags & SIP_BROKEN) {
        txn->deadline = now; // the user hears of it from the timer, never from inside sip_request()
    } else if (invite && heard) {
        if (!(txn->flags & SIP_CANCEL_SENT))
            txn->deadline = 0; // how long a phone may ring is the user's business
    } else if (heard || txn->live->state == SIP_STATE_TRYING) {
        if (!txn->deadline)
            txn->deadline = now + (invite ? c->timer_b_ms : c->timer_f_ms);
        if (!invite && (heard || txn->interval > c->t2_ms)) // timer E, but not A, ends at T2
            txn->interval = c->t2_ms;
        if (!sip_flow_row(&txn->flow)->reliable)
            txn->repeat_at = now + txn->interval;
    }
    sip_txn_arm(txn);
}

// Sends the first copy.
static void leave(struct sip_txn *txn, struct sip_bytes *bytes, struct siphash_value key)
{
    txn->live->out = bytes;
    txn->interval = txn->stack->config->t1_ms;
    sip_table_add(&txn->stack->txns, &txn->key, key);
    sip_txn_step(txn, SIP_ON_BEGIN);
    arm_live(txn);
}

// Starts a transaction over bytes of ours. Takes the bytes over, also on failure. NULL without memory or when
// the bytes are no message that we would take ourselves.
static struct sip_txn *start(struct sip_stack *stack, const struct sip_flow *flow, struct sip_bytes *bytes,
                             struct sip_str branch, int *err)
{
    struct sip_msg *msg = bytes ? sip_own_message(bytes) : NULL;
    *err = bytes ? -EINVAL : -ENOMEM;
    if (!msg) {
        wipe_free(bytes);
        return NULL;
    }
    enum sip_kind kind = msg->method == SIP_INVITE ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER;
    struct sip_txn *txn = sip_txn_new(stack, kind, flow, msg);
    if (!txn) {
        *err = -ENOMEM;
        sip_msg_free(msg);
        wipe_free(bytes);
        return NULL;
    }
    if (msg->to_tag.p)
        txn->flags |= SIP_TO_TAG;
    leave(txn, bytes, sip_key_client(stack->secret, branch, msg->method_name));
    return txn;
}

// That of an INVITE lets us know it when it comes back to us.
static void make_branch(struct sip_stack *stack, enum sip_method method, const char *uri,
                        char branch[static SIP_BRANCH_LEN])
{
    if (method == SIP_INVITE)
        sip_make_call_branch(stack, uri, branch);
    else
        sip_make_branch(stack, branch);
}

int sip_request(struct sip_stack *stack, const struct sip_flow *to, const struct sip_request *request,
                struct sip_owner *owner, struct sip_txn **out)
{
    char branch[SIP_BRANCH_LEN];
    int err;
    if (!sip_request_valid(request) || request->method == SIP_ACK || request->method == SIP_CANCEL)
        return -EINVAL;
    // What ends a call always goes out: it makes room.
    if (stack->counters.txns_live >= stack->live_max && request->method != SIP_BYE)
        return -EAGAIN;
    make_branch(stack, request->method, request->uri, branch);
    char *credentials = request->account && !to->elsewhere
                            ? sip_account_lines(request->account, request->method, request->uri)
                            : NULL;
    struct sip_flow by = *to;
    struct sip_bytes *bytes = sip_write_request(request, &by, branch, stack->config->user_agent, credentials);
    bool detour = bytes && sip_detour(stack, bytes->len, &by);
    if (detour) {
        wipe_free(bytes);
        bytes = sip_write_request(request, &by, branch, stack->config->user_agent, credentials);
    }
    struct sip_txn *txn = start(stack, &by, bytes, (struct sip_str){branch, strlen(branch)}, &err);
    if (!txn) {
        wipe_free(credentials);
        return err;
    }
    txn->flags |= detour ? SIP_BY_TCP : 0;
    txn->account = sip_account_hold(request->account);
    txn->credentials = credentials;
    if (out)
        sip_txn_set_owner(txn, owner);
    if (!out)
        txn->flags |= SIP_ABANDONED; // nobody listens
    else
        *out = txn;
    return 0;
}

static void send_cancel(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    const struct sip_msg *invite = txn->live->request;
    struct sip_lines lines = {invite->lines, invite->line_count};
    int err;
    struct sip_bytes *bytes =
        sip_write_follow(&lines, invite->uri, invite->cseq, SIP_CANCEL, sip_msg_first(invite, SIP_NAME_TO),
                         stack->config->user_agent, txn->live->cancel);
    struct sip_txn *cancel = start(stack, &txn->flow, bytes, invite->via.branch, &err);
    if (cancel)
        cancel->flags |= SIP_ABANDONED;
    // Also when it could not leave: the INVITE ends 64*T1 from now (9.1).
    txn->flags |= SIP_CANCEL_SENT;
    txn->deadline = stack->wheel->now + 64 * (uint64_t)stack->config->t1_ms;
    sip_txn_arm(txn);
}

int sip_cancel(struct sip_txn *txn)
{
    return sip_cancel_with(txn, NULL);
}

int sip_cancel_with(struct sip_txn *txn, const char *headers)
{
    if (txn->kind != SIP_CLIENT_INVITE)
        return -EINVAL;
    if (txn->stage != SIP_LIVE || txn->flags & (SIP_FINAL | SIP_CANCEL_WANTED))
        return -EALREADY;
    txn->flags |= SIP_CANCEL_WANTED;
    if (headers && *headers && sip_lines_valid(headers))
        txn->live->cancel = strdup(headers);
    if (txn->flags & SIP_PROVISIONAL && !(txn->flags & SIP_BROKEN))
        send_cancel(txn);
    return 0;
}

// ---- ending what nobody wants --------------------------------------------------------------------------

// ACKs a 2xx, with the INVITE's credentials, and BYEs its dialog, unless SIP_ACK_ONLY is set. `txn` becomes (or is) the record
// that ACKs it again.
static void ack_and_bye(struct sip_txn *txn, const struct sip_msg *msg, const char *credentials)
{
    struct sip_stack *stack = txn->stack;
    struct sip_dialog dialog;
    struct sip_bytes *bytes = NULL;
    if (sip_dialog_uac(&dialog, msg, &txn->flow) == 0 || sip_dialog_uac_last(&dialog, msg, &txn->flow) == 0) {
        struct sip_request request;
        struct sip_flow hop = sip_dialog_next_hop(&dialog);
        char branch[SIP_BRANCH_LEN];
        sip_dialog_request(&dialog, SIP_ACK, &request);
        sip_make_branch(stack, branch);
        bytes = sip_request_valid(&request)
                    ? sip_write_request(&request, &hop, branch, stack->config->user_agent,
                                        hop.elsewhere ? NULL : credentials)
                    : NULL;
        txn->flow = hop;
        if (bytes)
            sip_txn_send(txn, bytes);
        if (!(txn->flags & SIP_ACK_ONLY)) {
            // PRACKs and UPDATEs of the early dialog have numbers that nobody here knows
            dialog.local_cseq += 1000;
            sip_dialog_request(&dialog, SIP_BYE, &request);
            request.account = txn->account;
            sip_request(stack, &hop, &request, NULL, NULL);
            stack->counters.forks_ended++;
        }
        sip_dialog_fini(&dialog);
    }
    sip_txn_wait(txn, 64 * stack->config->t1_ms, bytes);
}

void sip_abandon(struct sip_txn *txn)
{
    bool gone = txn->flags & SIP_ABANDONED;
    txn->flags |= SIP_ABANDONED;
    sip_txn_set_owner(txn, NULL);
    if (gone)
        return;
    if (sip_kind_is_server(txn->kind)) {
        sip_server_abandon(txn);
        return;
    }
    if (txn->stage == SIP_AWAIT_USER) {
        struct sip_msg *answer = txn->answer;
        if (!answer)
            return; // from inside on_response(): it goes on when that returns
        txn->answer = NULL;
        ack_and_bye(txn, answer, txn->credentials);
        sip_msg_free(answer);
    } else if (txn->kind == SIP_CLIENT_INVITE) {
        sip_cancel(txn);
    }
}

int sip_ack(struct sip_txn *txn, const struct sip_flow *to, const struct sip_request *ack)
{
    struct sip_stack *stack = txn->stack;
    char branch[SIP_BRANCH_LEN];
    if (txn->kind != SIP_CLIENT_INVITE || txn->stage != SIP_AWAIT_USER || ack->method != SIP_ACK ||
        !sip_request_valid(ack))
        return -EINVAL;
    sip_make_branch(stack, branch);
    struct sip_flow by = *to;
    const char *credentials = to->elsewhere ? NULL : txn->credentials;
    struct sip_bytes *bytes = sip_write_request(ack, &by, branch, stack->config->user_agent, credentials);
    // nobody would hear of it if it were lost: TCP has to have carried the INVITE
    if (bytes && txn->flags & SIP_BY_TCP && sip_detour(stack, bytes->len, &by)) {
        wipe_free(bytes);
        bytes = sip_write_request(ack, &by, branch, stack->config->user_agent, credentials);
    }
    if (!bytes)
        return -ENOMEM;
    txn->flow = by;
    sip_txn_send(txn, bytes); // one that is lost is sent again when the 2xx comes again
    sip_msg_free(txn->answer);
    txn->answer = NULL;
    txn->flags |= SIP_ABANDONED;
    sip_txn_wait(txn, 64 * stack->config->t1_ms, bytes);
    return 0;
}

// ---- responses -----------------------------------------------------------------------------------------

// A 2xx to an INVITE that is through with its first final response.
static void again_2xx(struct sip_txn *txn, const struct sip_head *head, const struct sip_shape *shape)
{
    struct sip_stack *stack = txn->stack;
    struct sip_str tag = shape->to_tag;
    if (siphash_equal(sip_key_tag(stack->secret, tag), txn->winner)) {
        stack->counters.rx_again++;
        if (txn->stage == SIP_WAITING && txn->repeat && sip_txn_send(txn, txn->repeat) == 0)
            stack->counters.tx_again++;
        return;
    }
    struct siphash_value key = sip_key_fork(stack->secret, shape->via.branch, tag);
    struct sip_node *node = sip_table_find(&stack->txns, key);
    struct sip_txn *fork;
    if (node) {
        fork = (struct sip_txn *)((char *)node - offsetof(struct sip_txn, key));
        stack->counters.rx_again++;
        if (fork->repeat && sip_txn_send(fork, fork->repeat) == 0)
            stack->counters.tx_again++;
        return;
    }
    struct sip_msg *msg = stack->counters.txns_waiting < stack->waiting_max ? sip_msg_new(head, shape) : NULL;
    fork = msg ? sip_txn_record(stack, SIP_CLIENT_INVITE, &txn->flow) : NULL;
    if (fork) {
        fork->flags = SIP_FINAL | SIP_ABANDONED;
        if (txn->flags & SIP_TO_TAG) // of a re-INVITE: no other phone, and the call's dialog goes on
            fork->flags |= SIP_ACK_ONLY;
        fork->account = sip_account_hold(txn->account);
        sip_table_add(&stack->txns, &fork->key, key);
        ack_and_bye(fork, msg, txn->credentials);
    } else {
        stack->counters.rejects[SIP_REJECT_memory]++;
    }
    sip_msg_free(msg);
}

static void first_2xx(struct sip_txn *txn, struct sip_msg *msg, const struct sip_flow *flow)
{
    struct sip_stack *stack = txn->stack;
    txn->winner = sip_key_tag(stack->secret, sip_msg_to_tag(msg));
    sip_txn_end_live(txn, SIP_AWAIT_USER);
    if (txn->flags & SIP_ABANDONED) {
        ack_and_bye(txn, msg, txn->credentials);
        sip_msg_free(msg);
        return;
    }
    txn->answer = msg;
    txn->deadline = stack->wheel->now + 64 * (uint64_t)stack->config->t1_ms;
    sip_txn_arm(txn);
    // The user may ACK, which frees txn->answer: the message must outlive the callback.
    sip_txn_hold(txn);
    txn->answer = NULL;
    stack->user->on_response(stack->arg, txn, txn->owner, msg, flow);
    if (txn->stage == SIP_AWAIT_USER && !(txn->flags & SIP_ABANDONED)) {
        txn->answer = msg;
        msg = NULL;
    } else if (txn->stage == SIP_AWAIT_USER) {
        ack_and_bye(txn, msg, txn->credentials);
    }
    sip_msg_free(msg);
    sip_txn_release(txn);
}

// Whether the account knows an answer to a challenge that the peer has not had.
static bool answerable(struct sip_txn *txn, const struct sip_msg *msg)
{
    struct sip_stack *stack = txn->stack;
    char cnonce[SIP_TAG_LEN], why[512];
    uint64_t now = stack->wheel->now;
    if (!txn->account || (msg->status != 401 && msg->status != 407) ||
        txn->flags & (SIP_CANCEL_WANTED | SIP_BROKEN))
        return false;
    stack->counters.challenged++;
    sip_make_tag(stack, cnonce);
    if (txn->flow.elsewhere)
        snprintf(why, sizeof why,
                 "it went to another host than the trunk's peer, whose credentials are for nobody else");
    else if (sip_account_challenged(txn->account, &txn->auth, msg, cnonce, why, sizeof why))
        return true;
    stack->counters.challenged_in_vain++;
    if (sip_account_may_log(txn->account, now))
        log_line(LOG_WARNING, "trunk %s: %.*s is answered %d: %s", sip_account_name(txn->account),
                 (int)msg->method_name.len, msg->method_name.p, msg->status, why);
    return false;
}

// The CSeq that a challenged request leaves with, 0: it does not leave.
static uint32_t next_cseq(struct sip_txn *txn, const struct sip_msg *response)
{
    const struct sip_user *user = txn->stack->user;
    bool asks = txn->owner && !(txn->flags & SIP_ABANDONED) && user->on_again;
    uint32_t cseq =
        asks ? user->on_again(txn->stack->arg, txn, txn->owner, response) : txn->live->request->cseq + 1;
    return cseq <= INT32_MAX ? cseq : 0;
}

// Puts another request into the transaction, whose pointer stays, to go by that flow. What it was until now stays behind as a record, which
// ACKs the challenge when that comes again. Takes the bytes over on success only.
static bool replace(struct sip_txn *txn, struct sip_bytes *bytes, const char *branch,
                    const struct sip_flow *flow)
{
    struct sip_stack *stack = txn->stack;
    struct sip_live *before = txn->live;
    uint32_t wait = sip_txn_wait_ms(txn);
    struct sip_msg *msg = sip_own_message(bytes);
    struct sip_txn *record = msg ? sip_txn_record(stack, (enum sip_kind)txn->kind, &txn->flow) : NULL;
    const struct sip_flow was = txn->flow;
    txn->live = NULL;
    txn->flow = *flow;
    if (!record || !sip_txn_begin_live(txn, msg)) {
        txn->live = before;
        txn->flow = was;
        sip_msg_free(msg);
        if (record)
            sip_txn_free(record);
        return false;
    }
    struct siphash_value key = txn->key.key;
    struct sip_bytes *ack = before->ack;
    before->ack = NULL;
    record->live = before;
    record->flags = SIP_FINAL | SIP_ABANDONED;
    sip_table_remove(&stack->txns, &txn->key);
    sip_table_add(&stack->txns, &record->key, key);
    sip_txn_wait(record, wait, ack);
    txn->flags &= SIP_ABANDONED | SIP_TO_TAG | SIP_BY_TCP;
    txn->deadline = 0;
    leave(txn, bytes,
          sip_key_client(stack->secret, (struct sip_str){branch, strlen(branch)}, msg->method_name));
    return true;
}

// Sends a request that was challenged again. Returns false when it could not be sent: all is as it was.
static bool send_again(struct sip_txn *txn, const struct sip_msg *response)
{
    const struct sip_msg *request = txn->live->request;
    char branch[SIP_BRANCH_LEN];
    uint32_t cseq = next_cseq(txn, response);
    char *uri = cseq ? sip_str_dup(request->uri) : NULL;
    char *credentials = uri ? sip_account_lines(txn->account, request->method, uri) : NULL;
    if (uri)
        make_branch(txn->stack, request->method, uri, branch);
    struct sip_bytes *bytes =
        credentials ? sip_write_again(request, &txn->flow, branch, cseq, credentials) : NULL;
    free(uri);
    const struct sip_flow flow = txn->flow;
    if (!bytes || !replace(txn, bytes, branch, &flow)) {
        wipe_free(bytes);
        wipe_free(credentials);
        return false;
    }
    wipe_free(txn->credentials);
    txn->credentials = credentials;
    return true;
}

static void live_final(struct sip_txn *txn, struct sip_msg *msg, const struct sip_flow *flow)
{
    struct sip_live *live = txn->live;
    uint32_t wait = sip_txn_wait_ms(txn);
    if (answerable(txn, msg) && send_again(txn, msg)) {
        sip_msg_free(msg);
        return;
    }
    struct sip_bytes *ack = live->ack;
    live->ack = NULL;
    txn->flags |= SIP_FINAL;
    sip_txn_hold(txn);
    tell_response(txn, msg, flow);
    txn->flags |= SIP_ABANDONED;
    sip_txn_wait(txn, wait, ack);
    sip_txn_release(txn);
    sip_msg_free(msg);
}

static void live_response(struct sip_txn *txn, struct sip_msg *msg, const struct sip_flow *flow)
{
    struct sip_stack *stack = txn->stack;
    int status = msg->status;
    bool invite = txn->kind == SIP_CLIENT_INVITE;
    if (txn->account && !txn->flow.elsewhere && status >= 200 && status < 300)
        sip_account_accepted(txn->account, msg);
    if (invite && status >= 300) {
        const struct sip_msg *request = txn->live->request;
        struct sip_lines lines = {request->lines, request->line_count};
        txn->live->ack = sip_write_follow(&lines, request->uri, request->cseq, SIP_ACK,
                                          sip_msg_first(msg, SIP_NAME_TO), stack->config->user_agent, NULL);
    }
    sip_txn_step(txn, sip_machine_response(status));
    if (status >= 300 || (status >= 200 && !invite)) {
        live_final(txn, msg, flow);
        return;
    }
    if (status >= 200) {
        txn->flags |= SIP_FINAL;
        first_2xx(txn, msg, flow);
        return;
    }
    txn->flags |= SIP_PROVISIONAL;
    arm_live(txn);
    if (txn->flags & SIP_CANCEL_WANTED && !(txn->flags & SIP_CANCEL_SENT))
        send_cancel(txn);
    if (status > 100)
        tell_response(txn, msg, flow);
    sip_msg_free(msg);
}

void sip_client_response(struct sip_txn *txn, const struct sip_head *head, const struct sip_shape *shape,
                         const struct sip_flow *from)
{
    struct sip_stack *stack = txn->stack;
    struct sip_flow with_peer = *from, *flow = &with_peer;
    flow->peer = txn->flow.peer;
    flow->trunk = txn->flow.trunk;
    flow->name = txn->flow.name;
    flow->tcp_above = txn->flow.tcp_above;
    if (txn->flags & SIP_BY_TCP)
        sip_detour_home(txn, flow);
    if (txn->stage == SIP_LIVE) {
        struct sip_msg *msg = txn->flags & (SIP_FINAL | SIP_BROKEN) ? NULL : sip_msg_new(head, shape);
        if (msg)
            live_response(txn, msg, flow);
        else if (!(txn->flags & (SIP_FINAL | SIP_BROKEN)))
            stack->counters.rejects[SIP_REJECT_memory]++;
        return;
    }
    if (txn->kind == SIP_CLIENT_INVITE && shape->code >= 200 && shape->code < 300) {
        again_2xx(txn, head, shape);
        return;
    }
    stack->counters.rx_again++;
    if (txn->stage == SIP_WAITING && shape->code >= 300 && !(txn->winner.a | txn->winner.b) && txn->repeat &&
        sip_txn_send(txn, txn->repeat) == 0)
        stack->counters.tx_again++;
}

// ---- time and transport --------------------------------------------------------------------------------

// Sends a request that TCP did not take by UDP after all (18.1.1). Returns false when that cannot be.
static bool back_to_udp(struct sip_txn *txn)
{
    const struct sip_msg *request = txn->live->request;
    char branch[SIP_BRANCH_LEN];
    if (!(txn->flags & SIP_BY_TCP) || txn->flags & (SIP_PROVISIONAL | SIP_FINAL | SIP_CANCEL_WANTED))
        return false;
    struct sip_flow flow = txn->flow;
    char *uri = sip_str_dup(request->uri);
    if (!uri)
        return false;
    sip_detour_failed(txn);
    sip_detour_home(txn, &flow);
    make_branch(txn->stack, request->method, uri, branch);
    free(uri);
    struct sip_bytes *bytes =
        sip_write_again(request, &flow, branch, request->cseq, txn->credentials ? txn->credentials : "");
    if (!bytes || !replace(txn, bytes, branch, &flow)) {
        wipe_free(bytes);
        return false;
    }
    txn->flags &= (uint16_t)~SIP_BY_TCP;
    return true;
}

static void live_timer(struct sip_txn *txn)
{
    struct sip_stack *stack = txn->stack;
    uint64_t now = stack->wheel->now;
    if (txn->flags & SIP_BROKEN) {
        if (!back_to_udp(txn))
            tell_failure(txn, SIP_TRANSPORT);
        return;
    }
    if (txn->deadline && now >= txn->deadline) {
        sip_txn_step(txn, SIP_ON_GIVE_UP);
        tell_failure(txn, SIP_TIMEOUT);
        return;
    }
    if (txn->repeat_at && now >= txn->repeat_at) {
        txn->interval *= 2;
        sip_txn_step(txn, SIP_ON_REPEAT);
        stack->counters.tx_again++;
        arm_live(txn);
        return;
    }
    sip_txn_arm(txn);
}

void sip_client_timer(struct sip_txn *txn)
{
    if (txn->stage == SIP_LIVE) {
        live_timer(txn);
    } else if (txn->stage == SIP_AWAIT_USER && txn->answer) {
        // The user took no notice of the 2xx for 64*T1: the far side must not be left with half a call.
        struct sip_stack *stack = txn->stack;
        struct sip_owner *owner = txn->owner;
        sip_txn_hold(txn);
        sip_abandon(txn);
        stack->user->on_failure(stack->arg, txn, owner, SIP_TIMEOUT);
        sip_txn_release(txn);
    } else {
        sip_txn_free(txn);
    }
}

void sip_client_broken(struct sip_txn *txn)
{
    // A peer that has answered provisionally may answer on another connection (18.2.2).
    if (txn->stage != SIP_LIVE || txn->flags & (SIP_PROVISIONAL | SIP_FINAL))
        return;
    txn->flags |= SIP_BROKEN;
    arm_live(txn);
}
