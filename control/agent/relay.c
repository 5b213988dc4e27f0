// SPDX-License-Identifier: BSD-3-Clause
// Requests inside a dialog that are the other side's to answer. Each is an object that both of its transactions hang
// on, and goes when it is answered or its call ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"

enum {
    RELAYS_MAX = 8,     // of a call
    BODY_MAX = 8192,    // bytes
    LINES_MAX = 1024,   // of header lines that go along
    OVERLOAD_RETRY = 2, // s
};

struct agent_relay {
    struct agent_user user; // first
    struct agent_call *owner;
    struct agent_relay *next;
    uint8_t to;          // side
    struct sip_txn *in;  // waits for our answer
    struct sip_txn *out; // waits for the other side's
    enum sip_method method;
    struct refer_relayed *refer; // of a REFER or NOTIFY: in the call ...
    uint32_t refer_cseq;         // ... as long as it is the one with that cseq_out
};

static unsigned count(const struct agent_call *c)
{
    unsigned n = 0;
    for (const struct agent_relay *r = c->relays; r; r = r->next)
        n++;
    return n;
}

static void relay_free(struct agent_relay *relay)
{
    struct agent_relay **at = &relay->owner->relays;
    while (*at != relay)
        at = &(*at)->next;
    *at = relay->next;
    sip_owner_cut(&relay->user.sip);
    free(relay);
}

// Nothing more comes of its REFER.
static void end_refer(struct agent_relay *relay)
{
    if (relay->refer && relay->refer->cseq_out == relay->refer_cseq)
        relay->refer->used = false;
}

// Answers who asked. The relay is gone then.
static void finish(struct agent_relay *relay, int status, unsigned retry_after, const char *headers)
{
    const struct agent_leg *from = relay->owner->leg[relay->to == CALL_A ? CALL_B : CALL_A];
    struct sip_txn *in = relay->in;
    char contact[AGENT_CONTACT_MAX] = "";
    relay->in = NULL;
    if (in && from->owner->agent->stack) { // at the end of all the stack has gone before the calls
        if (relay->method == SIP_REFER && status < 300) // RFC 3515 table 2
            agent_contact(from, sip_txn_flow(in), contact, sizeof contact);
        sip_txn_set_owner(in, NULL);
        sip_respond(in, &(struct sip_answer){
                            .status = status,
                            .headers = headers,
                            .contact = contact[0] ? contact : NULL,
                            .retry_after = retry_after,
                            .allow = agent_allow(from->owner->agent, agent_methods(agent_leg_trunk(from)))});
    }
    relay_free(relay);
}

void agent_relays_free(struct agent_call *c, int status)
{
    while (c->relays)
        finish(c->relays, status, status == 500 ? OVERLOAD_RETRY : 0, NULL);
}

// ---- there --------------------------------------------------------------------------------------------

void agent_add_line(const struct sip_msg *msg, const char *name, char *out, size_t size)
{
    struct sip_str value = sip_msg_header(msg, name, 0);
    size_t used = strlen(out);
    if (value.p && value.len && used + strlen(name) + value.len + 5 <= size)
        snprintf(out + used, size - used, "%s: %.*s\r\n", name, (int)value.len, value.p);
}

int agent_relay_send(struct agent_dialog *to, struct sip_txn *txn, const struct sip_msg *msg,
                     const struct agent_words *words, uint32_t *cseq)
{
    struct agent_call *c = to->leg->owner;
    struct sip_flow flow = agent_next_hop(to);
    char contact[AGENT_CONTACT_MAX];
    struct sip_request r;
    struct agent_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return 500;
    *relay = (struct agent_relay){.user.kind = AGENT_RELAY,
                                  .owner = c,
                                  .next = c->relays,
                                  .to = to->leg->side,
                                  .in = txn,
                                  .method = sip_msg_method(msg),
                                  .refer = words->refer};
    c->relays = relay;
    agent_dialog_request(to, sip_msg_method(msg), &r, contact, sizeof contact);
    r.headers = words->lines[0] ? words->lines : NULL;
    if (words->body.len) {
        r.body_type = words->body_type;
        r.body = words->body.p;
        r.body_len = words->body.len;
    }
    *cseq = r.cseq;
    relay->refer_cseq = relay->method == SIP_REFER ? r.cseq : words->refer ? words->refer->cseq_out : 0;
    if (sip_request(c->agent->stack, &flow, &r, &relay->user.sip, &relay->out) < 0) {
        relay_free(relay);
        return 500;
    }
    sip_txn_set_owner(txn, &relay->user.sip);
    return 0;
}

struct agent_dialog *agent_relay_to(const struct agent_dialog *d, const struct sip_msg *msg,
                                    uint8_t call_method, int *status)
{
    struct agent_call *c = d->leg->owner;
    uint8_t side = d->leg->side == CALL_A ? CALL_B : CALL_A;
    const struct call_side *other = &c->call.side[side];
    struct agent_dialog *to = agent_dialog_get(c->leg[side], 0);
    *status = 0;
    if (c->call.state != CALL_UP || d != d->leg->main || !to || !to->bound)
        *status = c->call.state < CALL_UP ? 480 : 481; // the other side cannot be asked yet, or any more
    else if (call_method && other->allow_known && !(other->allow & call_method))
        *status = 405;
    else if (sip_msg_whole_body(msg).len > BODY_MAX)
        *status = 413;
    else if (count(c) >= RELAYS_MAX)
        *status = 500;
    return *status ? NULL : to;
}

void agent_relay_refuse(const struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg,
                        int status)
{
    uint32_t methods =
        agent_methods(agent_leg_trunk(d->leg)) & ~(status == 405 ? sip_method_bit(sip_msg_method(msg)) : 0);
    sip_respond(txn, &(struct sip_answer){.status = status,
                                          .retry_after = status == 500 ? OVERLOAD_RETRY : 0,
                                          .allow = agent_allow(d->leg->owner->agent, methods)});
}

// ---- INFO ---------------------------------------------------------------------------------------------

void agent_relay_info(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    static const char *const along[] = {"Info-Package", "Content-Disposition", "Content-Encoding"};
    struct sip_str type = sip_msg_header(msg, "Content-Type", 0);
    char lines[LINES_MAX] = "", type_text[256];
    struct agent_words words = {.lines = lines, .body_type = type_text, .body = sip_msg_whole_body(msg)};
    uint32_t cseq;
    int status;
    struct agent_dialog *to = agent_relay_to(d, msg, CALL_METHOD_INFO, &status);
    for (size_t i = 0; i < sizeof along / sizeof along[0]; i++)
        agent_add_line(msg, along[i], lines, sizeof lines);
    sip_str_copy(type.p ? type : (struct sip_str){"", 0}, type_text, sizeof type_text);
    if (to && words.body.len && (!type.p || type.len >= sizeof type_text))
        status = 400;
    else if (to)
        status = agent_relay_send(to, txn, msg, &words, &cseq);
    if (status)
        agent_relay_refuse(d, txn, msg, status);
}

// ---- and back -----------------------------------------------------------------------------------------

// What who asked hears: a failure that concerns the other side's dialog alone is none that it could act on.
static int status_for_asker(int status)
{
    switch (status) {
    case 401:
    case 407:
        return 403;
    case 420:
    case 421:
    case 482:
    case 491:
        return 500;
    default:
        return status >= 300 && status < 400 ? 480 : status;
    }
}

void agent_relay_response(struct agent_relay *relay, const struct sip_msg *msg)
{
    struct agent_call *c = relay->owner;
    int status = sip_msg_status(msg);
    uint8_t to = relay->to;
    char lines[LINES_MAX] = "";
    if (status < 200)
        return;
    relay->out = NULL;
    if (status == 469) // what it takes instead, RFC 6086 4.2.2
        agent_add_line(msg, "Recv-Info", lines, sizeof lines);
    if (relay->method == SIP_REFER)
        agent_add_line(msg, "Refer-Sub", lines, sizeof lines);
    // RFC 3515 2.4.4, RFC 6665 4.2.2: without a subscription nothing more comes of it
    bool notify = relay->method == SIP_NOTIFY;
    if (notify ? status == 481 : status >= 300)
        end_refer(relay);
    finish(relay, notify && status == 481 ? 481 : status_for_asker(status),
           sip_msg_number(msg, "Retry-After", 3600, 0), lines[0] ? lines : NULL);
    if (status == 481 && !notify) // RFC 3261 12.2.1.2
        agent_plain_event(c, CALL_EV_GONE, to, status);
}

uint32_t agent_relay_again(struct agent_relay *relay, const struct sip_msg *response)
{
    uint32_t cseq = agent_again(relay->owner->leg[relay->to], NULL, response);
    if (cseq && relay->method == SIP_REFER && relay->refer && relay->refer->cseq_out == relay->refer_cseq)
        relay->refer->cseq_out = relay->refer_cseq =
            cseq; // its subscription is called by the REFER that is taken
    return cseq;
}

void agent_relay_failure(struct agent_relay *relay, struct sip_txn *txn, enum sip_failure why)
{
    if (txn == relay->in) {
        relay->in = NULL;
        relay_free(relay);
        return;
    }
    relay->out = NULL; // a peer that says nothing to this may still know the call
    if (relay->method == SIP_REFER)
        end_refer(relay);
    finish(relay, why == SIP_TIMEOUT ? 500 : 503, 0,
           NULL); // a 408 would end the asker's dialog (RFC 3261 12.2.1.2)
}
