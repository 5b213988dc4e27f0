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

// Answers who asked. The relay is gone then.
static void finish(struct agent_relay *relay, int status, unsigned retry_after, const char *headers)
{
    const struct agent_leg *from = &relay->owner->leg[relay->to == CALL_A ? CALL_B : CALL_A];
    struct sip_txn *in = relay->in;
    relay->in = NULL;
    if (in) {
        sip_txn_set_owner(in, NULL);
        sip_respond(in, &(struct sip_answer){
                            .status = status,
                            .headers = headers,
                            .retry_after = retry_after,
                            .allow = agent_allow(from->owner->agent, agent_methods(agent_leg_trunk(from)))});
    }
    relay_free(relay);
}

void agent_relays_free(struct agent_call *c)
{
    while (c->relays)
        finish(c->relays, 481, 0, NULL);
}

// ---- there --------------------------------------------------------------------------------------------

static void add_line(const struct sip_msg *msg, const char *name, char *out, size_t size)
{
    struct sip_str value = sip_msg_header(msg, name, 0);
    size_t used = strlen(out);
    if (value.p && value.len && used + strlen(name) + value.len + 5 <= size)
        snprintf(out + used, size - used, "%s: %.*s\r\n", name, (int)value.len, value.p);
}

// Sends the same request into the other side's dialog. 0, or the status that says why not.
static int send_on(struct agent_dialog *to, struct sip_txn *txn, const struct sip_msg *msg, const char *lines)
{
    struct agent_call *c = to->leg->owner;
    struct sip_flow flow = sip_dialog_next_hop(&to->sip);
    struct sip_str type = sip_msg_header(msg, "Content-Type", 0), body = sip_msg_whole_body(msg);
    char contact[AGENT_CONTACT_MAX], type_text[256];
    struct sip_request r;
    struct agent_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return 500;
    *relay = (struct agent_relay){
        .user.kind = AGENT_RELAY, .owner = c, .next = c->relays, .to = to->leg->side, .in = txn};
    c->relays = relay;
    agent_dialog_request(to, sip_msg_method(msg), &r, contact, sizeof contact);
    r.headers = lines[0] ? lines : NULL;
    if (body.len) {
        r.body_type = sip_str_copy(type, type_text, sizeof type_text);
        r.body = body.p;
        r.body_len = body.len;
    }
    if (sip_request(c->agent->stack, &flow, &r, &relay->user.sip, &relay->out) < 0) {
        relay_free(relay);
        return 500;
    }
    sip_txn_set_owner(txn, &relay->user.sip);
    return 0;
}

// ---- INFO ---------------------------------------------------------------------------------------------

// The dialog that an INFO goes to. NULL with the status that turns it away.
static struct agent_dialog *info_goes_to(const struct agent_dialog *d, const struct sip_msg *msg, int *status)
{
    struct agent_call *c = d->leg->owner;
    uint8_t side = d->leg->side == CALL_A ? CALL_B : CALL_A;
    const struct call_side *other = &c->call.side[side];
    struct agent_dialog *to = agent_dialog_get(&c->leg[side], 0);
    struct sip_str type = sip_msg_header(msg, "Content-Type", 0);
    *status = 0;
    if (c->call.state != CALL_UP || d != d->leg->main || !to || !to->bound)
        *status = c->call.state < CALL_UP ? 480 : 481; // the other side cannot be asked yet, or any more
    else if (other->allow_known && !(other->allow & CALL_METHOD_INFO))
        *status = 405;
    else if (sip_msg_has_body(msg) && (!type.p || type.len > 255))
        *status = 400;
    else if (sip_msg_whole_body(msg).len > BODY_MAX)
        *status = 413;
    else if (count(c) >= RELAYS_MAX)
        *status = 500;
    return *status ? NULL : to;
}

void agent_relay_info(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    static const char *const along[] = {"Info-Package", "Content-Disposition", "Content-Encoding"};
    char lines[LINES_MAX] = "";
    int status;
    struct agent_dialog *to = info_goes_to(d, msg, &status);
    for (size_t i = 0; i < sizeof along / sizeof along[0]; i++)
        add_line(msg, along[i], lines, sizeof lines);
    if (to)
        status = send_on(to, txn, msg, lines);
    if (status)
        sip_respond(txn, &(struct sip_answer){.status = status,
                                              .retry_after = status == 500 ? OVERLOAD_RETRY : 0,
                                              .allow = agent_allow(d->leg->owner->agent,
                                                                   agent_methods(agent_leg_trunk(d->leg)) &
                                                                       ~sip_method_bit(SIP_INFO))});
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
        add_line(msg, "Recv-Info", lines, sizeof lines);
    finish(relay, status_for_asker(status), sip_msg_number(msg, "Retry-After", 3600, 0),
           lines[0] ? lines : NULL);
    if (status == 481) // RFC 3261 12.2.1.2
        agent_plain_event(c, CALL_EV_GONE, to, status);
}

void agent_relay_failure(struct agent_relay *relay, struct sip_txn *txn, enum sip_failure why)
{
    if (txn == relay->in) {
        relay->in = NULL;
        relay_free(relay);
        return;
    }
    relay->out = NULL; // a peer that says nothing to this may still know the call
    finish(relay, why == SIP_TIMEOUT ? 408 : 503, 0, NULL);
}
