// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/write.h"
#include "common/addr.h"
#include "control/base/wipe.h"
#include "control/sip/msg_internal.h"

#include <stdlib.h>
#include <string.h>

// ---- a growing text ------------------------------------------------------------------------------------

struct text {
    struct sip_bytes *bytes;
    size_t room; // of bytes->data
    bool failed;
};

static bool reserve(struct text *t, size_t more)
{
    size_t used = t->bytes ? t->bytes->len : 0;
    if (t->failed)
        return false;
    if (t->bytes && used + more <= t->room)
        return true;
    size_t room = t->room ? t->room : 1024;
    while (room < used + more)
        room *= 2;
    struct sip_bytes *grown =
        room <= (size_t)2 * SIP_MESSAGE_MAX ? wipe_realloc(t->bytes, sizeof *grown + room) : NULL;
    if (!grown) {
        t->failed = true;
        return false;
    }
    if (!t->bytes)
        grown->len = 0;
    t->bytes = grown;
    t->room = room;
    return true;
}

static void add(struct text *t, const void *p, size_t len)
{
    if (len && reserve(t, len)) {
        memcpy(t->bytes->data + t->bytes->len, p, len);
        t->bytes->len += (uint32_t)len;
    }
}

static void add_text(struct text *t, const char *s)
{
    add(t, s, strlen(s));
}

static void add_number(struct text *t, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    add(t, digits + at, sizeof digits - at);
}

// "NAME: VALUE" of a NUL-terminated value. Every message has some ten of them: printf would take longer than all else.
static void text_header(struct text *t, const char *name, const char *value)
{
    add_text(t, name);
    add(t, ": ", 2);
    add_text(t, value);
    add(t, "\r\n", 2);
}

static void number_header(struct text *t, const char *name, uint64_t n)
{
    add_text(t, name);
    add(t, ": ", 2);
    add_number(t, n);
    add(t, "\r\n", 2);
}

static void cseq_header(struct text *t, uint32_t cseq, const char *method)
{
    add_text(t, "CSeq: ");
    add_number(t, cseq);
    add(t, " ", 1);
    add_text(t, method);
    add(t, "\r\n", 2);
}

static void header(struct text *t, const char *name, struct sip_str value)
{
    add_text(t, name);
    add(t, ": ", 2);
    add(t, value.p, value.len);
    add(t, "\r\n", 2);
}

static struct sip_bytes *finish(struct text *t)
{
    if (t->failed || t->bytes->len > SIP_MESSAGE_MAX) {
        wipe_free(t->bytes);
        return NULL;
    }
    // transactions keep it for half a minute: give back what was reserved in advance
    struct sip_bytes *fit = wipe_realloc(t->bytes, sizeof *fit + t->bytes->len);
    return fit ? fit : t->bytes;
}

static void finish_body(struct text *t, const char *type, const void *body, size_t len)
{
    if (body && type)
        text_header(t, "Content-Type", type);
    number_header(t, "Content-Length", body ? len : 0);
    add(t, "\r\n", 2);
    if (body)
        add(t, body, len);
}

// ---- validity ------------------------------------------------------------------------------------------

static bool one_line(const char *s)
{
    return !s || !strpbrk(s, "\r\n");
}

// Whole header lines, each "Name: value" with CR LF, no empty one and no other CR or LF.
bool sip_lines_valid(const char *s)
{
    while (s && *s) {
        const char *cr = strpbrk(s, "\r\n");
        if (!cr || cr == s || cr[0] != '\r' || cr[1] != '\n' || !memchr(s, ':', (size_t)(cr - s)))
            return false;
        s = cr + 2;
    }
    return true;
}

bool sip_answer_valid(const struct sip_answer *a)
{
    return a->status >= 100 && a->status <= 699 && one_line(a->reason) && one_line(a->contact) &&
           one_line(a->allow) && one_line(a->supported) && sip_lines_valid(a->headers) &&
           one_line(a->body_type) && (!a->body || a->body_type) &&
           (!a->body || a->body_len <= SIP_MESSAGE_MAX) && one_line(a->tag) &&
           (!a->rseq || (a->status > 100 && a->status < 200 && a->rseq <= INT32_MAX));
}

bool sip_request_valid(const struct sip_request *r)
{
    if (!sip_method_name(r->method) || !r->uri || !*r->uri || !r->from || !*r->from || !r->to || !*r->to ||
        !r->call_id || !*r->call_id || r->cseq > INT32_MAX || r->max_forwards > SIP_LAST_HOP)
        return false;
    for (unsigned i = 0; i < r->route_count; i++)
        if (!r->routes || !r->routes[i] || !one_line(r->routes[i]))
            return false;
    return one_line(r->uri) && one_line(r->from) && one_line(r->to) && one_line(r->call_id) &&
           one_line(r->contact) && one_line(r->allow) && one_line(r->supported) &&
           sip_lines_valid(r->headers) && one_line(r->body_type) &&
           (!r->body || (r->body_type && r->body_len <= SIP_MESSAGE_MAX));
}

// ---- responses -----------------------------------------------------------------------------------------

// The top Via with received and rport as RFC 3581 section 4 has them; what claims to be one already is
// dropped.
static void top_via(struct text *t, struct sip_str value, const struct tl_addr *from)
{
    struct sip_via via;
    if (!from || !from->port || !sip_read_via(value, &via)) {
        header(t, "Via", value);
        return;
    }
    char ip[TL_ADDR_TEXT];
    struct tl_addr host; // as many ways as there are to write an IPv6 address
    bool same = tl_addr_read_host(via.host.p, via.host.len, &host) && tl_addr_same_host(&host, from);
    tl_addr_print_ip(from, ip);
    add_text(t, "Via: ");
    add(t, value.p, (size_t)(via.params.p - value.p));
    // parameter by parameter: a ';' in a quoted value ends none
    const char *p = via.params.p, *end = p + via.params.len;
    while (p < end) {
        const char *next = p + 1;
        for (bool quoted = false; next < end && (quoted || *next != ';'); next++) {
            if (*next == '\\' && quoted && next + 1 < end)
                next++;
            else if (*next == '"')
                quoted = !quoted;
        }
        struct sip_str one = sip_trim((struct sip_str){p, (size_t)(next - p)}), ignored;
        if (!sip_read_param(one, "received", &ignored) && !sip_read_param(one, "rport", &ignored))
            add(t, one.p, one.len);
        p = next;
    }
    if (via.rport || !same) {
        add_text(t, ";received=");
        add_text(t, ip);
    }
    if (via.rport) {
        add_text(t, ";rport=");
        add_number(t, from->port);
    }
    add(t, value.p + via.len, value.len - via.len);
    add(t, "\r\n", 2);
}

static void reply_line(struct text *t, const struct sip_reply *r, const struct sip_line *line, bool *via_done)
{
    int status = r->answer->status;
    struct sip_addr addr;
    struct sip_str tag;
    switch (line->id) {
    case SIP_NAME_VIA:
        if (!*via_done)
            top_via(t, line->value, r->from);
        else
            header(t, "Via", line->value);
        *via_done = true;
        return;
    case SIP_NAME_TO:
        add_text(t, "To: ");
        add(t, line->value.p, line->value.len);
        if (r->tag && status > 100 &&
            !(sip_read_addr(line->value, &addr) && sip_read_param(addr.params, "tag", &tag))) {
            add_text(t, ";tag=");
            add_text(t, r->tag);
        }
        add(t, "\r\n", 2);
        return;
    case SIP_NAME_FROM:
        header(t, "From", line->value);
        return;
    case SIP_NAME_CALL_ID:
        header(t, "Call-ID", line->value);
        return;
    case SIP_NAME_CSEQ:
        header(t, "CSeq", line->value);
        return;
    case SIP_NAME_RECORD_ROUTE:
        if (status > 100 && status < 300)
            header(t, "Record-Route", line->value);
        return;
    default:
        if (status == 100 && sip_name_is(line->name, "Timestamp"))
            header(t, "Timestamp", line->value);
    }
}

// What we take and what we can, as the caller has it for this trunk, or as the tables have it.
static void add_abilities(struct text *t, const char *allow, const char *supported)
{
    char list[256];
    text_header(t, "Allow", allow ? allow : sip_method_list(sip_methods_ours(), list, sizeof list));
    if (!supported)
        supported = sip_option_list(sip_options_supported(), list, sizeof list);
    if (*supported)
        text_header(t, "Supported", supported);
}

struct sip_bytes *sip_write_response(const struct sip_reply *r)
{
    const struct sip_answer *a = r->answer;
    struct text t = {0};
    bool via_done = false;
    add_text(&t, "SIP/2.0 ");
    add_number(&t, (uint64_t)a->status);
    add(&t, " ", 1);
    add_text(&t, a->reason ? a->reason : sip_reason(a->status));
    add(&t, "\r\n", 2);
    for (unsigned i = 0; i < r->request.count; i++)
        reply_line(&t, r, &r->request.line[i], &via_done);
    if (a->contact)
        text_header(&t, "Contact", a->contact);
    if (a->retry_after)
        number_header(&t, "Retry-After", a->retry_after);
    if (a->rseq) {
        text_header(&t, "Require", "100rel");
        number_header(&t, "RSeq", a->rseq);
    }
    if (r->agent && *r->agent && a->status > 100)
        text_header(&t, "Server", r->agent);
    if (a->status >= 200 && a->status < 300)
        add_abilities(&t, a->allow, a->supported);
    else if (a->status == 405)
        add_abilities(&t, a->allow, "");
    if (a->headers)
        add_text(&t, a->headers);
    finish_body(&t, a->body_type, a->body, a->body_len);
    return finish(&t);
}

// ---- requests ------------------------------------------------------------------------------------------

static void request_line(struct text *t, const char *method, struct sip_str uri)
{
    add_text(t, method);
    add(t, " ", 1);
    add(t, uri.p, uri.len);
    add_text(t, " SIP/2.0\r\n");
}

static void own_via(struct text *t, const struct sip_flow *flow, const char *branch)
{
    add_text(t, "Via: SIP/2.0/");
    add_text(t, sip_flow_row(flow)->via);
    add(t, " ", 1);
    if (flow->name) {
        add_text(t, flow->name);
        add(t, ":", 1);
        add_number(t, flow->local.port);
    } else {
        add_text(t, TL_ADDR_STR(&flow->local));
    }
    add_text(t, ";branch=");
    add_text(t, branch);
    // RFC 5923 5: who is asked may ask us over the same connection; only certificates say that it is us
    add_text(t, sip_flow_row(flow)->secure ? ";rport;alias\r\n" : ";rport\r\n");
}

struct sip_bytes *sip_write_request(const struct sip_request *r, const struct sip_flow *flow,
                                    const char *branch, const char *agent, const char *credentials)
{
    struct text t = {0};
    const char *method = sip_method_name(r->method);
    request_line(&t, method, (struct sip_str){r->uri, strlen(r->uri)});
    own_via(&t, flow, branch);
    unsigned hops = r->max_forwards ? r->max_forwards : 70;
    number_header(&t, "Max-Forwards", hops == SIP_LAST_HOP ? 0 : hops);
    for (unsigned i = 0; i < r->route_count; i++)
        text_header(&t, "Route", r->routes[i]);
    text_header(&t, "From", r->from);
    text_header(&t, "To", r->to);
    text_header(&t, "Call-ID", r->call_id);
    cseq_header(&t, r->cseq, method);
    if (r->contact)
        text_header(&t, "Contact", r->contact);
    if (agent && *agent)
        text_header(&t, "User-Agent", agent);
    if (r->method == SIP_INVITE || r->method == SIP_UPDATE || r->method == SIP_OPTIONS)
        add_abilities(&t, r->allow, r->supported);
    if (credentials)
        add_text(&t, credentials);
    if (r->headers)
        add_text(&t, r->headers);
    finish_body(&t, r->body_type, r->body, r->body_len);
    return finish(&t);
}

struct sip_bytes *sip_write_again(const struct sip_msg *msg, const struct sip_flow *flow, const char *branch,
                                  uint32_t cseq, const char *credentials)
{
    struct text t = {0};
    const char *method = sip_method_name(msg->method);
    request_line(&t, method, msg->uri);
    own_via(&t, flow, branch);
    for (unsigned i = 0; i < msg->line_count; i++) {
        const struct sip_line *line = &msg->lines[i];
        switch (line->id) {
        case SIP_NAME_VIA: // of ours there is one
        case SIP_NAME_AUTHORIZATION:
        case SIP_NAME_PROXY_AUTHORIZATION:
            break;
        case SIP_NAME_CSEQ:
            cseq_header(&t, cseq, method);
            add_text(&t, credentials);
            break;
        default:
            add(&t, line->name.p, line->name.len);
            add(&t, ": ", 2);
            add(&t, line->value.p, line->value.len);
            add(&t, "\r\n", 2);
        }
    }
    add(&t, "\r\n", 2);
    add(&t, msg->body.p, msg->body.len);
    return finish(&t);
}

struct sip_bytes *sip_write_follow(const struct sip_lines *invite, struct sip_str uri, uint32_t cseq,
                                   enum sip_method method, struct sip_str to, const char *agent,
                                   const char *headers)
{
    struct text t = {0};
    const char *name = sip_method_name(method);
    bool via_done = false;
    request_line(&t, name, uri);
    for (unsigned i = 0; i < invite->count; i++) {
        const struct sip_line *line = &invite->line[i];
        if (line->id == SIP_NAME_VIA && !via_done) {
            header(&t, "Via", line->value);
            via_done = true;
        } else if (line->id == SIP_NAME_FROM) {
            header(&t, "From", line->value);
        } else if (line->id == SIP_NAME_CALL_ID) {
            header(&t, "Call-ID", line->value);
        } else if (sip_name_is(line->name, "Route")) {
            header(&t, "Route", line->value);
        }
    }
    header(&t, "To", to);
    cseq_header(&t, cseq, name);
    number_header(&t, "Max-Forwards", 70);
    if (agent && *agent)
        text_header(&t, "User-Agent", agent);
    if (headers)
        add_text(&t, headers);
    add_text(&t, "Content-Length: 0\r\n\r\n");
    return finish(&t);
}
