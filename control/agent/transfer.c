// SPDX-License-Identifier: BSD-3-Clause
// REFER that goes to the other side, and the NOTIFYs that come back (RFC 3515). Who is to be called is a number at our
// address; what the NOTIFY says of that call is its status line and nothing more.
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/uri.h"
#include "control/sip/value.h"

enum {
    LINE_MAX_BYTES = 512,
    STATUS_LINE_MAX = 120, // bytes of the status line that we write
};

// "NAME: <sip:USER@US>" with the user of that header, at our address on the side of `to`. 0, or the status that turns the
// REFER away.
static int add_address(const struct agent_dialog *to, const struct sip_msg *msg, const char *name, char *out,
                       size_t size)
{
    const struct tl_trunk_config *trunk = agent_leg_trunk(to->leg);
    const struct tl_listener_config *listener = agent_leg_listener(to->leg);
    struct sip_addr addr;
    struct sip_uri uri;
    struct sip_str method;
    char user[SIP_NUMBER_MAX], contact[AGENT_CONTACT_MAX];
    size_t used = strlen(out);
    if (!sip_read_addr(sip_msg_header(msg, name, 0), &addr) || !sip_read_uri(addr.uri, &uri))
        return 400;
    if (uri.scheme == URI_OTHER || !sip_uri_user(&uri, user, sizeof user) || !user[0])
        return 603; // nobody whom the other side could call over us
    if (uri.headers.p || (sip_read_param(uri.params, "method", &method) && !sip_str_is(method, "INVITE")))
        return 603; // Replaces names a dialog that the other side knows nothing of
    if (to->leg->scheme != TL_URI_SIPS &&
        agent_asks_for_more(to->leg->owner->leg[to->leg->side ^ 1], addr.uri))
        return 603;
    if (!headers_contact(trunk, tl_listener_shown(listener), listener->transport, to->leg->scheme, user,
                         contact, sizeof contact) ||
        used + strlen(name) + strlen(contact) + 5 > size)
        return 603;
    snprintf(out + used, size - used, "%s: %s\r\n", name, contact);
    return 0;
}

static struct refer_relayed *free_refer(struct agent_call *c)
{
    for (unsigned i = 0; i < AGENT_REFERS_MAX; i++)
        if (!c->refers[i].used)
            return &c->refers[i];
    return NULL;
}

void agent_take_refer(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    if (agent_leg_trunk(d->leg)->refer == TL_REFER_CARRY_OUT) {
        agent_carry_out_refer(d, txn, msg);
        return;
    }
    struct agent_call *c = d->leg->owner;
    char lines[LINE_MAX_BYTES] = "", by[LINE_MAX_BYTES] = "";
    struct agent_words words = {.lines = lines, .body_type = "", .refer = free_refer(c)};
    uint32_t cseq = 0;
    int status = 405;
    struct agent_dialog *to = agent_leg_trunk(d->leg)->refer == TL_REFER_RELAY
                                  ? agent_relay_to(d, msg, CALL_METHOD_REFER, &status)
                                  : NULL;
    if (to && (!sip_msg_header(msg, "Refer-To", 0).p || sip_msg_header(msg, "Refer-To", 1).p))
        status = 400; // exactly one, RFC 3515 2.4.2
    else if (to && !words.refer)
        status = 500;
    else if (to)
        status = add_address(to, msg, "Refer-To", lines, sizeof lines);
    if (!to || !words.refer || status) {
        agent_relay_refuse(d, txn, msg, status);
        return;
    }
    size_t used = strlen(lines);
    if (add_address(to, msg, "Referred-By", by, sizeof by) == 0 && used + strlen(by) < sizeof lines)
        snprintf(lines + used, sizeof lines - used, "%s", by);
    agent_add_line(msg, "Refer-Sub", lines, sizeof lines);
    *words.refer = (struct refer_relayed){.used = true, .from = d->leg->side, .cseq_in = sip_msg_cseq(msg)};
    status = agent_relay_send(to, txn, msg, &words, &cseq);
    words.refer->cseq_out = cseq;
    if (status) {
        words.refer->used = false;
        agent_relay_refuse(d, txn, msg, status);
        return;
    }
    log_line(LOG_INFO, "call %llu: %c transfers %c", (unsigned long long)c->id,
             d->leg->side == CALL_A ? 'A' : 'B', d->leg->side == CALL_A ? 'B' : 'A');
}

// The REFER that a NOTIFY of `side` is about. *id: it was named.
static struct refer_relayed *refer_of(struct agent_call *c, uint8_t side, const struct sip_msg *msg, bool *id)
{
    struct sip_str event = sip_msg_header(msg, "Event", 0), value = {NULL, 0};
    uint64_t number = 0;
    size_t name = 0;
    *id = false;
    while (name < event.len && sip_is_token(event.p[name]))
        name++;
    if (!event.p || !sip_str_is_nocase((struct sip_str){event.p, name}, "refer"))
        return NULL;
    *id = sip_read_param(sip_trim((struct sip_str){event.p + name, event.len - name}), "id", &value);
    if (*id && (!value.p || !sip_read_number(value, INT32_MAX, &number)))
        return NULL;
    for (unsigned i = 0; i < AGENT_REFERS_MAX; i++) {
        struct refer_relayed *r = &c->refers[i];
        if (r->used && r->from != side && (!*id || r->cseq_out == number))
            return r;
    }
    return NULL;
}

// Status of "SIP/2.0 200 OK" at the start of a body of message/sipfrag (RFC 3420); 0: it has none. Its phrase is the other
// network's and stays there.
static int sipfrag_status(const struct sip_msg *msg)
{
    struct sip_str body = sip_msg_body(msg, "message/sipfrag");
    uint64_t code;
    if (body.len < 11 || memcmp(body.p, "SIP/2.0 ", 8) != 0 ||
        !sip_read_number((struct sip_str){body.p + 8, 3}, 699, &code) || code < 100)
        return 0;
    return (int)code;
}

// Writes the value of Subscription-State (RFC 6665 4.1.3) anew: its word, expires and reason. False: it is none.
static bool write_state(struct sip_str value, char *out, size_t size)
{
    const char *params = value.p ? memchr(value.p, ';', value.len) : NULL;
    struct sip_str word =
        sip_trim((struct sip_str){value.p, params ? (size_t)(params - value.p) : value.len});
    struct sip_str rest = {params, params ? (size_t)(value.p + value.len - params) : 0}, param;
    static const char *const words[] = {"active", "pending", "terminated"};
    static const char *const reasons[] = {"deactivated", "probation",  "rejected", "timeout",
                                          "giveup",      "noresource", "invariant"};
    uint64_t expires;
    size_t w = 0;
    while (w < 3 && !sip_str_is_nocase(word, words[w]))
        w++;
    if (w == 3)
        return false;
    int n = snprintf(out, size, "%s", words[w]);
    if (sip_read_param(rest, "expires", &param) && sip_read_number(param, UINT32_MAX, &expires))
        n += snprintf(out + n, size - (size_t)n, ";expires=%llu", (unsigned long long)expires);
    for (size_t i = 0; sip_read_param(rest, "reason", &param) && i < sizeof reasons / sizeof reasons[0]; i++)
        if (sip_str_is_nocase(param, reasons[i]))
            snprintf(out + n, size - (size_t)n, ";reason=%s", reasons[i]);
    return true;
}

void agent_take_notify(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg)
{
    struct agent_call *c = d->leg->owner;
    char lines[LINE_MAX_BYTES], frag[STATUS_LINE_MAX], state[80], id_text[32] = "";
    bool id;
    struct refer_relayed *refer = refer_of(c, d->leg->side, msg, &id);
    int code = sipfrag_status(msg);
    struct agent_words words = {.lines = lines, .body_type = "message/sipfrag;version=2.0", .refer = refer};
    uint32_t cseq;
    int status = 481; // of a subscription that is none of ours, RFC 6665 4.1.3
    struct agent_dialog *to = refer ? agent_relay_to(d, msg, 0, &status) : NULL;
    if (to && (!code || !write_state(sip_msg_header(msg, "Subscription-State", 0), state, sizeof state)))
        status = 400;
    if (status) {
        agent_relay_refuse(d, txn, msg, status);
        return;
    }
    if (id)
        snprintf(id_text, sizeof id_text, ";id=%u", refer->cseq_in);
    snprintf(lines, sizeof lines, "Event: refer%s\r\nSubscription-State: %s\r\n", id_text, state);
    int len = snprintf(frag, sizeof frag, "SIP/2.0 %d %s\r\n", code, sip_reason(code));
    words.body = (struct sip_str){frag, (size_t)len};
    status = agent_relay_send(to, txn, msg, &words, &cseq);
    if (status)
        agent_relay_refuse(d, txn, msg, status);
    else if (strncmp(state, "terminated", 10) == 0)
        refer->used = false;
}
