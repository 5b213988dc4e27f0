// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/msg_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/base/wipe.h"

// ---- names ---------------------------------------------------------------------------------------------

static const char *const method_names[SIP_METHOD_COUNT] = {
    [SIP_INVITE] = "INVITE",
    [SIP_ACK] = "ACK",
    [SIP_BYE] = "BYE",
    [SIP_CANCEL] = "CANCEL",
    [SIP_OPTIONS] = "OPTIONS",
    [SIP_REGISTER] = "REGISTER",
    [SIP_PRACK] = "PRACK",
    [SIP_UPDATE] = "UPDATE",
    [SIP_INFO] = "INFO",
    [SIP_REFER] = "REFER",
    [SIP_SUBSCRIBE] = "SUBSCRIBE",
    [SIP_NOTIFY] = "NOTIFY",
    [SIP_MESSAGE] = "MESSAGE",
    [SIP_PUBLISH] = "PUBLISH",
};

const char *sip_method_name(enum sip_method method)
{
    return (unsigned)method < SIP_METHOD_COUNT ? method_names[method] : NULL;
}

enum sip_method sip_method_by_name(struct sip_str name)
{
    for (unsigned i = SIP_OTHER + 1; i < SIP_METHOD_COUNT; i++)
        if (sip_str_is(name, method_names[i]))
            return (enum sip_method)i;
    return SIP_OTHER;
}

const char *sip_reason(int status)
{
    const char *text = osip_message_get_reason(status);
    return text ? text : "Unknown";
}

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

static void no_trace(const char *file, int line, osip_trace_level_t level, const char *format, va_list ap)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)ap;
}

void sip_msg_setup(void)
{
    static bool done;
    if (done)
        return;
    // First of all: osip prints two lines to stdout for each bad datagram otherwise.
    osip_trace_initialize_func(END_TRACE_LEVEL, no_trace);
    parser_init();
    done = true;
}

static bool wanted_by_osip(enum sip_name id)
{
    return id == SIP_NAME_VIA || id == SIP_NAME_FROM || id == SIP_NAME_TO || id == SIP_NAME_CALL_ID ||
           id == SIP_NAME_CSEQ || id == SIP_NAME_CONTACT || id == SIP_NAME_RECORD_ROUTE;
}

static char *append(char *to, struct sip_str s)
{
    if (s.len)
        memcpy(to, s.p, s.len);
    return to + s.len;
}

static char *append_text(char *to, const char *text)
{
    return append(to, (struct sip_str){text, strlen(text)});
}

// osip reads a head of only what it has to understand: its body parser refuses what is common, and each
// header costs it several allocations.
static struct osip_message *parse(const struct sip_head *head, const struct sip_shape *shape)
{
    size_t room = 64 + head->method.len + head->uri.len;
    for (unsigned i = 0; i < head->lines; i++)
        if (wanted_by_osip(head->line[i].id))
            room += head->line[i].name.len + head->line[i].value.len + 4;
    char *text = malloc(room), *p = text;
    osip_message_t *osip = NULL;
    if (!text)
        return NULL;
    if (head->request) {
        p = append_text(append(p, head->method), " ");
        p = append_text(append(p, head->uri), " SIP/2.0\r\n");
    } else {
        char code[4] = {(char)('0' + shape->code / 100), (char)('0' + shape->code / 10 % 10),
                        (char)('0' + shape->code % 10), '\0'};
        p = append_text(append_text(append_text(p, "SIP/2.0 "), code), " -\r\n");
    }
    for (unsigned i = 0; i < head->lines; i++) {
        const struct sip_line *line = &head->line[i];
        if (!wanted_by_osip(line->id))
            continue;
        p = append_text(append(p, line->name), ": ");
        p = append_text(append(p, line->value), "\r\n");
    }
    p = append_text(p, "\r\n");
    if (osip_message_init(&osip) != 0)
        osip = NULL;
    else if (osip_message_parse(osip, text, (size_t)(p - text)) != 0) {
        osip_message_free(osip);
        osip = NULL;
    }
    free(text);
    return osip;
}

// What the transaction machine and the accessors rely on.
static bool complete(const struct osip_message *osip, bool request)
{
    const osip_via_t *via = osip_list_get(&osip->vias, 0);
    return via && via->host && via->protocol && osip->from && osip->from->url && osip->to && osip->to->url &&
           osip->call_id && osip->call_id->number && osip->cseq && osip->cseq->method && osip->cseq->number &&
           (!request || (osip->req_uri && osip->sip_method && osip->sip_version));
}

static struct sip_str moved(struct sip_str s, const char *from, const char *to)
{
    return (struct sip_str){s.p ? to + (s.p - from) : NULL, s.len};
}

struct sip_msg *sip_msg_new(const struct sip_head *head, const struct sip_shape *shape)
{
    size_t len = head->body + shape->body_len, lines = head->lines * sizeof(struct sip_line);
    struct sip_msg *msg = wipe_alloc(sizeof *msg + lines + len);
    if (!msg)
        return NULL;
    memset(msg, 0, sizeof *msg);
    msg->osip = parse(head, shape);
    if (!msg->osip || !complete(msg->osip, head->request)) {
        sip_msg_free(msg);
        return NULL;
    }
    char *bytes = (char *)msg + sizeof *msg + lines;
    const char *from = head->bytes.p;
    memcpy(bytes, from, len);
    msg->bytes = (struct sip_str){bytes, len};
    msg->body = (struct sip_str){bytes + head->body, shape->body_len};
    msg->request = head->request;
    msg->status = shape->code;
    msg->cseq = shape->cseq;
    msg->method_name = moved(shape->cseq_method, from, bytes);
    msg->method = sip_method_by_name(msg->method_name);
    msg->uri = moved(head->uri, from, bytes);
    msg->phrase = moved(head->phrase, from, bytes);
    msg->line_count = head->lines;
    for (unsigned i = 0; i < head->lines; i++) {
        struct sip_line *line = &msg->lines[i];
        line->id = head->line[i].id;
        line->name = moved(head->line[i].name, from, bytes);
        line->value = moved(head->line[i].value, from, bytes);
    }
    for (unsigned i = 0; i < SIP_NAME_COUNT; i++)
        msg->first[i] = moved(head->first[i], from, bytes);
    return msg;
}

void sip_msg_free(struct sip_msg *msg)
{
    if (!msg)
        return;
    osip_message_free(msg->osip);
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

// Drops parameters and, from what is a number, visual separators.
static bool plain_user(const char *user, char *out)
{
    size_t n = 0;
    bool number = *user != '\0';
    for (const char *p = user; *p && *p != ';'; p++)
        number = number && strchr("0123456789+*#-.()", *p);
    for (const char *p = user; *p && *p != ';'; p++) {
        if (number && strchr("-.()", *p))
            continue;
        if (n == SIP_NUMBER_MAX - 1 || (unsigned char)*p < 0x20 || *p == 0x7f) {
            n = 0;
            break;
        }
        out[n++] = *p;
    }
    out[n] = '\0';
    return n > 0;
}

static bool uri_user(const osip_uri_t *uri, char *out)
{
    out[0] = '\0';
    if (!uri || !uri->scheme)
        return false;
    if (strcasecmp(uri->scheme, "tel") == 0)
        return uri->string && plain_user(uri->string, out);
    return uri->username && plain_user(uri->username, out);
}

bool sip_msg_called(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX])
{
    return uri_user(msg->osip->req_uri, out);
}

bool sip_msg_calling(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX])
{
    return uri_user(msg->osip->from->url, out);
}

struct sip_str sip_msg_call_id(const struct sip_msg *msg)
{
    return msg->first[SIP_NAME_CALL_ID];
}

uint32_t sip_msg_cseq(const struct sip_msg *msg)
{
    return msg->cseq;
}

struct sip_str sip_msg_from(const struct sip_msg *msg)
{
    return msg->first[SIP_NAME_FROM];
}

struct sip_str sip_msg_to(const struct sip_msg *msg)
{
    return msg->first[SIP_NAME_TO];
}

struct sip_str sip_read_tag(struct sip_str value)
{
    struct sip_addr addr;
    struct sip_str tag = {NULL, 0};
    if (sip_read_addr(value, &addr))
        sip_read_param(addr.params, "tag", &tag);
    return tag;
}

struct sip_str sip_msg_from_tag(const struct sip_msg *msg)
{
    return sip_read_tag(msg->first[SIP_NAME_FROM]);
}

struct sip_str sip_msg_to_tag(const struct sip_msg *msg)
{
    return sip_read_tag(msg->first[SIP_NAME_TO]);
}

struct sip_str sip_msg_contact(const struct sip_msg *msg)
{
    struct sip_str rest = msg->first[SIP_NAME_CONTACT], none = {NULL, 0};
    struct sip_addr addr;
    struct sip_str value = sip_next_value(&rest);
    if (!value.p || sip_str_is(value, "*") || !sip_read_addr(value, &addr))
        return none;
    return addr.uri;
}

struct sip_str sip_msg_record_route(const struct sip_msg *msg, unsigned n)
{
    for (unsigned i = 0; i < msg->line_count; i++) {
        if (msg->lines[i].id != SIP_NAME_RECORD_ROUTE)
            continue;
        struct sip_str rest = msg->lines[i].value, value;
        while ((value = sip_next_value(&rest)).p)
            if (n-- == 0)
                return value;
    }
    return (struct sip_str){NULL, 0};
}

struct sip_str sip_msg_header(const struct sip_msg *msg, const char *name, unsigned n)
{
    for (unsigned i = 0; i < msg->line_count; i++)
        if (sip_name_is(msg->lines[i].name, name) && n-- == 0)
            return msg->lines[i].value;
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

bool sip_msg_has_body(const struct sip_msg *msg)
{
    return msg->body.len > 0;
}
