// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/msg_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/base/wipe.h"
#include "control/sip/uri.h"

// ---- strings -------------------------------------------------------------------------------------------

char *sip_str_copy(struct sip_str s, char *out, size_t size)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;
    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
    return out;
}

char *sip_str_dup(struct sip_str s)
{
    char *out = malloc(s.len + 1);
    return out ? sip_str_copy(s, out, s.len + 1) : NULL;
}

bool sip_str_is(struct sip_str s, const char *text)
{
    return s.p && strlen(text) == s.len && memcmp(s.p, text, s.len) == 0;
}

bool sip_str_equal(struct sip_str a, struct sip_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

// ---- making one ----------------------------------------------------------------------------------------

static struct sip_str moved(struct sip_str s, const char *from, const char *to)
{
    return (struct sip_str){s.p ? to + (s.p - from) : NULL, s.len};
}

static struct sip_addr moved_addr(const struct sip_addr *addr, const char *from, const char *to)
{
    return (struct sip_addr){.display = moved(addr->display, from, to),
                             .uri = moved(addr->uri, from, to),
                             .params = moved(addr->params, from, to),
                             .angle = addr->angle};
}

static void move_shape(struct sip_msg *msg, const struct sip_shape *shape, const char *from, const char *to)
{
    msg->status = shape->code;
    msg->cseq = shape->cseq;
    msg->method_name = moved(shape->cseq_method, from, to);
    msg->method = sip_method_by_name(msg->method_name);
    msg->via = shape->via;
    msg->via.transport = moved(shape->via.transport, from, to);
    msg->via.host = moved(shape->via.host, from, to);
    msg->via.params = moved(shape->via.params, from, to);
    msg->via.branch = moved(shape->via.branch, from, to);
    msg->from = moved_addr(&shape->from, from, to);
    msg->to = moved_addr(&shape->to, from, to);
    msg->contact = moved_addr(&shape->contact, from, to);
    msg->from_tag = moved(shape->from_tag, from, to);
    msg->to_tag = moved(shape->to_tag, from, to);
}

struct sip_msg *sip_msg_new(const struct sip_head *head, const struct sip_shape *shape)
{
    size_t len = head->body + shape->body_len, lines = head->lines * sizeof(struct sip_line);
    struct sip_msg *msg = wipe_alloc(sizeof *msg + lines + len);
    if (!msg)
        return NULL;
    memset(msg, 0, sizeof *msg);
    char *bytes = (char *)msg + sizeof *msg + lines;
    const char *from = head->bytes.p;
    memcpy(bytes, from, len);
    msg->bytes = (struct sip_str){bytes, len};
    msg->body = (struct sip_str){bytes + head->body, shape->body_len};
    msg->request = head->request;
    msg->uri = moved(head->uri, from, bytes);
    msg->phrase = moved(head->phrase, from, bytes);
    move_shape(msg, shape, from, bytes);
    memcpy(msg->first, head->first, sizeof msg->first);
    msg->line_count = head->lines;
    for (unsigned i = 0; i < head->lines; i++) {
        msg->lines[i] = head->line[i];
        msg->lines[i].name = moved(head->line[i].name, from, bytes);
        msg->lines[i].value = moved(head->line[i].value, from, bytes);
    }
    return msg;
}

void sip_msg_free(struct sip_msg *msg)
{
    if (msg)
        wipe_free(msg);
}

// ---- reading one ---------------------------------------------------------------------------------------

bool sip_msg_is_request(const struct sip_msg *msg)
{
    return msg->request;
}

enum sip_method sip_msg_method(const struct sip_msg *msg)
{
    return msg->method;
}

struct sip_str sip_msg_method_name(const struct sip_msg *msg)
{
    return msg->method_name;
}

int sip_msg_status(const struct sip_msg *msg)
{
    return msg->status;
}

struct sip_str sip_msg_phrase(const struct sip_msg *msg)
{
    return msg->phrase;
}

struct sip_str sip_msg_uri(const struct sip_msg *msg)
{
    return msg->uri;
}

bool sip_msg_called(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX])
{
    return sip_uri_number(msg->uri, out);
}

bool sip_msg_calling(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX])
{
    return sip_uri_number(msg->from.uri, out);
}

struct sip_str sip_msg_call_id(const struct sip_msg *msg)
{
    return sip_msg_first(msg, SIP_NAME_CALL_ID);
}

uint32_t sip_msg_cseq(const struct sip_msg *msg)
{
    return msg->cseq;
}

struct sip_str sip_msg_from(const struct sip_msg *msg)
{
    return sip_msg_first(msg, SIP_NAME_FROM);
}

struct sip_str sip_msg_to(const struct sip_msg *msg)
{
    return sip_msg_first(msg, SIP_NAME_TO);
}

struct sip_str sip_msg_from_tag(const struct sip_msg *msg)
{
    return msg->from_tag;
}

struct sip_str sip_msg_to_tag(const struct sip_msg *msg)
{
    return msg->to_tag;
}

struct sip_str sip_msg_contact(const struct sip_msg *msg)
{
    return msg->contact.uri;
}

uint16_t sip_msg_via_port(const struct sip_msg *msg)
{
    return msg->via.port;
}

bool sip_msg_nth_line(const struct sip_msg *msg, unsigned n, struct sip_str *name, struct sip_str *value)
{
    if (n >= msg->line_count)
        return false;
    *name = msg->lines[n].name;
    *value = msg->lines[n].value;
    return true;
}

struct sip_str sip_msg_line(const struct sip_msg *msg, enum sip_name id, unsigned n)
{
    unsigned i = msg->first[id];
    for (; i && n; n--)
        i = msg->lines[i - 1].next;
    return i ? msg->lines[i - 1].value : (struct sip_str){NULL, 0};
}

struct sip_str sip_msg_header(const struct sip_msg *msg, const char *name, unsigned n)
{
    enum sip_name id = sip_name_id((struct sip_str){name, strlen(name)});
    if (id)
        return sip_msg_line(msg, id, n);
    for (unsigned i = msg->first[SIP_NAME_OTHER]; i; i = msg->lines[i - 1].next)
        if (sip_str_is_nocase(msg->lines[i - 1].name, name) && n-- == 0)
            return msg->lines[i - 1].value;
    return (struct sip_str){NULL, 0};
}

uint32_t sip_msg_number(const struct sip_msg *msg, const char *name, uint32_t max, uint32_t otherwise)
{
    struct sip_str s = sip_msg_header(msg, name, 0);
    uint64_t v;
    size_t digits = 0;
    while (digits < s.len && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    return sip_read_number((struct sip_str){s.p, digits}, max, &v) ? (uint32_t)v : otherwise;
}

bool sip_msg_has_token(const struct sip_msg *msg, const char *name, const char *token)
{
    struct sip_str line, value;
    for (unsigned n = 0; (line = sip_msg_header(msg, name, n)).p; n++)
        while ((value = sip_next_value(&line)).p)
            if (sip_str_is_nocase(value, token))
                return true;
    return false;
}

struct sip_str sip_msg_bytes(const struct sip_msg *msg)
{
    return msg->bytes;
}

struct sip_str sip_msg_whole_body(const struct sip_msg *msg)
{
    return msg->body.len ? msg->body : (struct sip_str){NULL, 0};
}

bool sip_msg_has_body(const struct sip_msg *msg)
{
    return msg->body.len > 0;
}
