// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/filter.h"

#include <string.h>

#include "control/sip/uri.h"

static bool fail(struct sip_shape *shape, enum sip_reject reason, int status)
{
    shape->reason = reason;
    shape->status = status;
    return false;
}

static bool check_required(const struct sip_head *head, struct sip_shape *shape)
{
    static const enum sip_name once[] = {SIP_NAME_FROM, SIP_NAME_TO, SIP_NAME_CALL_ID, SIP_NAME_CSEQ};
    bool good = head->count[SIP_NAME_VIA] > 0 && head->count[SIP_NAME_CONTENT_LENGTH] <= 1 &&
                head->count[SIP_NAME_MAX_FORWARDS] <= 1 && head->count[SIP_NAME_CONTENT_TYPE] <= 1 &&
                sip_head_value(head, SIP_NAME_CALL_ID).len > 0;
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        good = good && head->count[once[i]] == 1;
    return good || fail(shape, SIP_REJECT_required, 400);
}

static bool check_numbers(const struct sip_head *head, bool stream, struct sip_shape *shape)
{
    uint64_t n;
    struct sip_str cl = sip_head_value(head, SIP_NAME_CONTENT_LENGTH),
                   mf = sip_head_value(head, SIP_NAME_MAX_FORWARDS);
    if (!sip_read_cseq(sip_head_value(head, SIP_NAME_CSEQ), &shape->cseq, &shape->cseq_method))
        return fail(shape, SIP_REJECT_number, 400);
    if (mf.p && !sip_read_number(mf, 255, &n))
        return fail(shape, SIP_REJECT_number, 400);
    size_t there = head->bytes.len - head->body;
    shape->body_len = stream ? 0 : there;
    if (cl.p) {
        if (!sip_read_number(cl, SIP_MESSAGE_MAX, &n))
            return fail(shape, SIP_REJECT_number, 400);
        if (n > there)
            return fail(shape, SIP_REJECT_length, 400);
        shape->body_len = n;
    }
    return true;
}

static bool has_any(struct sip_str s, const char *set)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr(set, s.p[i]))
            return true;
    return false;
}

// A Request-URI carries no headers (19.1.1).
static bool check_uri(struct sip_str text, struct sip_shape *shape)
{
    struct sip_uri uri;
    if (!sip_read_uri(text, &uri) || uri.headers.p)
        return fail(shape, SIP_REJECT_syntax, 400);
    if (uri.scheme == URI_OTHER)
        return fail(shape, SIP_REJECT_scheme, 416);
    return true;
}

// From and To: whatever has a scheme, with a tag or none. They name a party and are not called: a number with a space
// in it or a host that is none leaves the call without that number.
static bool read_party(struct sip_str value, struct sip_addr *addr, struct sip_str *tag)
{
    if (!sip_read_addr(value, addr) || !sip_has_scheme(addr->uri))
        return false;
    sip_read_param(addr->params, "tag", tag);
    return true;
}

// What has no colon is the first half of a name that should have been quoted: "Doe, Jane <sip:jane@h>".
static bool is_half_a_name(struct sip_str value)
{
    return !memchr(value.p, ':', value.len);
}

static bool check_contact(struct sip_str value, struct sip_shape *shape)
{
    struct sip_str rest = value, one;
    struct sip_addr addr;
    if (sip_str_is(value, "*"))
        return true;
    while ((one = sip_next_value(&rest)).p) {
        if (is_half_a_name(one) && rest.len)
            continue;
        if (!sip_read_addr(one, &addr))
            return false;
        if (!shape->contact.uri.p)
            shape->contact = addr;
    }
    return true;
}

static bool check_record_route(struct sip_str value)
{
    struct sip_str one;
    struct sip_addr addr;
    while ((one = sip_next_value(&value)).p)
        if (!sip_read_addr(one, &addr) || !addr.angle)
            return false;
    return true;
}

static bool check_addresses(const struct sip_head *head, struct sip_shape *shape)
{
    bool good = read_party(sip_head_value(head, SIP_NAME_FROM), &shape->from, &shape->from_tag) &&
                read_party(sip_head_value(head, SIP_NAME_TO), &shape->to, &shape->to_tag);
    for (unsigned n = head->first[SIP_NAME_CONTACT]; good && n; n = head->line[n - 1].next)
        good = check_contact(head->line[n - 1].value, shape);
    for (unsigned n = head->first[SIP_NAME_RECORD_ROUTE]; good && n; n = head->line[n - 1].next)
        good = check_record_route(head->line[n - 1].value);
    return good;
}

static bool check_head(const struct sip_head *head, bool stream, struct sip_shape *shape)
{
    if (!sip_str_is_nocase(head->version, "SIP/2.0"))
        return fail(shape, SIP_REJECT_version, 505);
    if (head->faults & SIP_FAULT_START)
        return fail(shape, SIP_REJECT_start_line, 400);
    if (head->faults & SIP_FAULT_LINES)
        return fail(shape, SIP_REJECT_headers, 400);
    if (head->faults & (SIP_FAULT_LINE | SIP_FAULT_UNENDED))
        return fail(shape, SIP_REJECT_line, 400);
    if (!check_required(head, shape) || !check_numbers(head, stream, shape))
        return false;
    if (!sip_read_via(sip_head_value(head, SIP_NAME_VIA), &shape->via) || !check_addresses(head, shape) ||
        has_any(sip_head_value(head, SIP_NAME_CALL_ID), " \t,;"))
        return fail(shape, SIP_REJECT_syntax, 400);
    return true;
}

// Whether a bad request can be answered: never an ACK, and the answer needs at least Via and CSeq.
static bool answerable(const struct sip_head *head)
{
    return head->request && head->count[SIP_NAME_VIA] && head->count[SIP_NAME_CSEQ] &&
           !sip_str_is(head->method, "ACK");
}

static bool judge(const struct sip_head *head, bool stream, struct sip_shape *shape)
{
    uint64_t code;
    if (head->faults & SIP_FAULT_NOT_SIP)
        return fail(shape, SIP_REJECT_start_line, 0);
    if (head->bytes.len > SIP_MESSAGE_MAX)
        return fail(shape, SIP_REJECT_size, 0);
    if (!check_head(head, stream, shape))
        return false;
    if (!head->request) {
        if (head->code.len != 3 || !sip_read_number(head->code, 699, &code) || code < 100)
            return fail(shape, SIP_REJECT_number, 0);
        shape->code = (int)code;
        return true;
    }
    if (!sip_str_equal(head->method, shape->cseq_method))
        return fail(shape, SIP_REJECT_required, 400);
    return check_uri(head->uri, shape);
}

bool sip_filter(const struct sip_head *head, bool stream, struct sip_shape *shape)
{
    *shape = (struct sip_shape){.reason = SIP_REJECT_COUNT};
    if (judge(head, stream, shape))
        return true;
    if (!answerable(head))
        shape->status = 0;
    return false;
}
