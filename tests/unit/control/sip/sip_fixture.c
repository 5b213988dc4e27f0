// SPDX-License-Identifier: BSD-3-Clause
#include "sip_fixture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/base/wipe.h"

const struct tl_addr fix_peer = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 10}};

// ---- the transport of paper ----------------------------------------------------------------------------

static int paper_send(void *arg, struct sip_flow *flow, const struct sip_bytes *bytes,
                      struct sip_waiter *waiter)
{
    struct fix *fix = arg;
    if (fix->fail_send)
        return fix->fail_send;
    if (fix->gone_generation && flow->conn_generation == fix->gone_generation)
        return -ENOTCONN;
    CU_ASSERT_FATAL(fix->sent_count < FIX_SENT);
    struct fix_sent *s = &fix->sent[fix->sent_count++];
    s->flow = *flow;
    s->at = fix->wheel.now;
    s->text = wipe_alloc(bytes->len + 1);
    memcpy(s->text, bytes->data, bytes->len);
    s->text[bytes->len] = '\0';
    if (waiter && !waiter->link && flow->transport == TL_TCP)
        sip_waiter_add(&fix->waiters, waiter);
    return 0;
}

static const struct sip_io paper = {.send = paper_send};

// ---- the user of paper ---------------------------------------------------------------------------------

static void note(struct fix *fix, struct fix_event event, const struct sip_msg *msg)
{
    CU_ASSERT_FATAL(fix->event_count < FIX_EVENTS);
    event.at = fix->wheel.now;
    if (msg) {
        event.status = sip_msg_status(msg);
        event.method = sip_msg_method(msg);
    }
    fix->event[fix->event_count++] = event;
    if (fix->act)
        fix->act(fix, &event, msg);
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    (void)flow;
    note(arg, (struct fix_event){.what = FIX_REQUEST, .txn = txn}, msg);
}

static void on_cancel(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg)
{
    note(arg, (struct fix_event){.what = FIX_CANCEL, .txn = txn, .owner = owner}, msg);
}

static void on_ack(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg)
{
    note(arg, (struct fix_event){.what = FIX_ACK, .txn = txn, .owner = owner}, msg);
}

static void on_response(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    (void)flow;
    note(arg, (struct fix_event){.what = FIX_RESPONSE, .txn = txn, .owner = owner}, msg);
}

static void on_failure(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why)
{
    note(arg, (struct fix_event){.what = FIX_FAILURE, .txn = txn, .owner = owner, .why = why}, NULL);
}

static uint32_t on_required(void *arg, const struct sip_flow *flow, enum sip_method method, uint32_t options,
                            const char *unknown)
{
    struct fix *fix = arg;
    (void)flow;
    (void)method;
    (void)options;
    snprintf(fix->unknown, sizeof fix->unknown, "%s", unknown);
    return fix->options;
}

static uint32_t on_again(void *arg, struct sip_txn *txn, struct sip_owner *owner,
                         const struct sip_msg *response)
{
    struct fix *fix = arg;
    (void)txn;
    (void)owner;
    (void)response;
    return fix->again_cseq;
}

static const struct sip_user user = {.on_request = on_request,
                                     .on_cancel = on_cancel,
                                     .on_ack = on_ack,
                                     .on_response = on_response,
                                     .on_failure = on_failure,
                                     .on_required = on_required,
                                     .on_again = on_again};

// ---- life ----------------------------------------------------------------------------------------------

void fix_open(struct fix *fix)
{
    memset(fix, 0, sizeof *fix);
    struct tl_control_config *c = &fix->config.control;
    snprintf(c->user_agent, sizeof c->user_agent, "trunkline-test");
    c->t1_ms = FIX_T1;
    c->t2_ms = FIX_T2;
    c->t4_ms = FIX_T4;
    c->timer_b_ms = c->timer_f_ms = c->timer_h_ms = 64 * FIX_T1;
    c->max_transactions = 100;
    c->retry_after_s = 7;
    fix->config.listener_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct tl_listener_config *l = &fix->config.listeners[i];
        snprintf(l->name, sizeof l->name, i ? "tcp" : "udp");
        l->transport = i ? TL_TCP : TL_UDP;
        l->address = (struct tl_addr){.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}};
    }
    wheel_init(&fix->wheel, 1000000);
    CU_ASSERT_FATAL(sip_core_new(&fix->wheel, 3, &fix->config, &user, fix, &paper, fix, &fix->stack) == 0);
}

void fix_close(struct fix *fix)
{
    fix_advance(fix, 3 * 64 * FIX_T1);
    const struct sip_counters *c = sip_stack_counters(fix->stack);
    CU_ASSERT(c->txns_live == 0);
    CU_ASSERT(c->txns_waiting == 0);
    CU_ASSERT(fix->stack->all == NULL);
    CU_ASSERT(fix->stack->txns.count == 0);
    CU_ASSERT(fix->stack->merges.count == 0);
    CU_ASSERT(fix->stack->acks.count == 0);
    CU_ASSERT(fix->wheel.armed == 0);
    fix_drop(fix);
}

void fix_drop(struct fix *fix)
{
    sip_core_free(fix->stack);
    fix_forget(fix);
}

void fix_forget(struct fix *fix)
{
    for (unsigned i = 0; i < fix->sent_count; i++)
        wipe_free(fix->sent[i].text);
    fix->sent_count = 0;
}

void fix_receive_from(struct fix *fix, uint32_t listener, const struct tl_addr *from, const char *text)
{
    struct sip_flow flow = sip_flow_to(fix->stack, listener, from);
    if (flow.transport == TL_TCP) {
        flow.conn = 1;
        flow.conn_generation = 1;
    }
    // exact size: the sanitiser sees a byte read behind it
    size_t len = 0;
    for (const char *p = text; *p; p++)
        len += *p == '\n' ? 2 : 1;
    char *bytes = wipe_alloc(len), *to = bytes;
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            *to++ = '\r';
        *to++ = *p;
    }
    sip_core_receive(fix->stack, &flow, bytes, len);
    wipe_free(bytes);
}

void fix_receive(struct fix *fix, uint32_t listener, const char *text, ...)
{
    char buffer[8192];
    va_list ap;
    va_start(ap, text);
    vsnprintf(buffer, sizeof buffer, text, ap);
    va_end(ap);
    fix_receive_from(fix, listener, fix->from ? fix->from : &fix_peer, buffer);
}

void fix_advance(struct fix *fix, unsigned ms)
{
    while (ms--)
        wheel_run(&fix->wheel, fix->wheel.now + 1);
}

// ---- looking -------------------------------------------------------------------------------------------

const struct fix_sent *fix_find(const struct fix *fix, unsigned from, const char *prefix, unsigned n)
{
    for (unsigned i = from; i < fix->sent_count; i++)
        if (strncmp(fix->sent[i].text, prefix, strlen(prefix)) == 0 && n-- == 0)
            return &fix->sent[i];
    return NULL;
}

unsigned fix_count(const struct fix *fix, unsigned from, const char *prefix)
{
    unsigned n = 0;
    while (fix_find(fix, from, prefix, n))
        n++;
    return n;
}

const char *fix_last(const struct fix *fix)
{
    return fix->sent_count ? fix->sent[fix->sent_count - 1].text : "";
}

const struct fix_event *fix_event(const struct fix *fix, enum fix_what what, unsigned n)
{
    for (unsigned i = 0; i < fix->event_count; i++)
        if (fix->event[i].what == what && n-- == 0)
            return &fix->event[i];
    return NULL;
}

unsigned fix_events(const struct fix *fix, enum fix_what what)
{
    unsigned n = 0;
    while (fix_event(fix, what, n))
        n++;
    return n;
}

static char *slot(void)
{
    static char ring[16][512];
    static unsigned next;
    return ring[next++ % 16];
}

const char *fix_header(const char *message, const char *name)
{
    char *out = slot();
    size_t n = strlen(name);
    out[0] = '\0';
    for (const char *p = strstr(message, "\r\n"); p && p[2] != '\r'; p = strstr(p + 2, "\r\n")) {
        p += 2;
        if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
            const char *value = p + n + 1 + strspn(p + n + 1, " ");
            snprintf(out, 512, "%.*s", (int)strcspn(value, "\r\n"), value);
            break;
        }
        p -= 2;
    }
    return out;
}

static const char *param(const char *value, const char *name)
{
    char *out = slot();
    const char *p = strstr(value, name);
    out[0] = '\0';
    if (p)
        snprintf(out, 512, "%.*s", (int)strcspn(p + strlen(name), ";\r\n, "), p + strlen(name));
    return out;
}

const char *fix_branch(const char *message)
{
    return param(fix_header(message, "Via"), "branch=");
}

const char *fix_to_tag(const char *message)
{
    return param(fix_header(message, "To"), ";tag=");
}

// ---- usual messages ------------------------------------------------------------------------------------

void fix_invite(struct fix *fix, uint32_t listener, const char *id)
{
    fix_receive(fix, listener,
                "INVITE sip:+15551234@192.0.2.1 SIP/2.0\n"
                "Via: SIP/2.0/%s 192.0.2.10:5060;branch=z9hG4bK-%s;rport\n"
                "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>\n"
                "From: \"A\" <sip:a@192.0.2.10>;tag=from-%s\n"
                "To: <sip:+15551234@192.0.2.1>\n"
                "Call-ID: call-%s\n"
                "CSeq: 1 INVITE\n"
                "Contact: <sip:a@192.0.2.10:5060>\n"
                "Max-Forwards: 70\n"
                "Content-Type: application/sdp\n"
                "Content-Length: 5\n\nv=0\r\n",
                listener ? "TCP" : "UDP", id, id, id);
}

void fix_in_dialog(struct fix *fix, uint32_t listener, const char *id, const char *method, unsigned cseq,
                   const char *branch, const char *to_tag)
{
    fix_receive(fix, listener,
                "%s sip:192.0.2.1:5060 SIP/2.0\n"
                "Via: SIP/2.0/%s 192.0.2.10:5060;branch=z9hG4bK-%s;rport\n"
                "From: \"A\" <sip:a@192.0.2.10>;tag=from-%s\n"
                "To: <sip:+15551234@192.0.2.1>%s%s\n"
                "Call-ID: call-%s\n"
                "CSeq: %u %s\n"
                "Max-Forwards: 70\n"
                "Content-Length: 0\n\n",
                method, listener ? "TCP" : "UDP", branch, id, to_tag ? ";tag=" : "", to_tag ? to_tag : "", id,
                cseq, method);
}

void fix_answer(struct fix *fix, uint32_t listener, const char *request, int status, const char *to_tag)
{
    fix_answer_with(fix, listener, request, status, to_tag, "");
}

void fix_answer_with(struct fix *fix, uint32_t listener, const char *request, int status, const char *to_tag,
                     const char *lines)
{
    const char *to = fix_header(request, "To");
    bool tagged = strstr(to, ";tag=") != NULL;
    fix_receive(fix, listener,
                "SIP/2.0 %d Whatever\n"
                "Via: %s;received=192.0.2.1\n"
                "Record-Route: <sip:192.0.2.8;lr>\n"
                "Record-Route: <sip:192.0.2.9;lr>\n"
                "From: %s\n"
                "To: %s%s%s\n"
                "Call-ID: %s\n"
                "CSeq: %s\n"
                "Contact: <sip:b@192.0.2.20:5070>\n"
                "%s"
                "Content-Length: 0\n\n",
                status, fix_header(request, "Via"), fix_header(request, "From"), to,
                to_tag && !tagged ? ";tag=" : "", to_tag && !tagged ? to_tag : "",
                fix_header(request, "Call-ID"), fix_header(request, "CSeq"), lines);
}

struct sip_request fix_request(enum sip_method method)
{
    return (struct sip_request){
        .method = method,
        .uri = "sip:b@192.0.2.10:5060",
        .from = "<sip:us@192.0.2.1>;tag=ours",
        .to = "<sip:b@192.0.2.10>",
        .call_id = "3.feedbeef",
        .cseq = 1,
        .contact = "<sip:us@192.0.2.1:5060>",
    };
}

struct sip_msg *fix_message(const char *text, struct sip_shape *shape)
{
    struct sip_head head;
    size_t len = 0, n = strlen(text);
    char *bytes = malloc(2 * n + 1);
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            bytes[len++] = '\r';
        bytes[len++] = *p;
    }
    char *exact = malloc(len ? len : 1); // the sanitiser sees a byte read behind it
    memcpy(exact, bytes, len);
    free(bytes);
    sip_read(exact, len, &head);
    struct sip_msg *msg = sip_filter(&head, false, shape) ? sip_msg_new(&head, shape) : NULL;
    free(exact);
    return msg;
}
