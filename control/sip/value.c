// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/value.h"

#include <string.h>
#include <strings.h>

struct sip_str sip_trim(struct sip_str s)
{
    while (s.len && sip_is_space(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && sip_is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool sip_str_is_nocase(struct sip_str s, const char *text)
{
    return s.p && strlen(text) == s.len && strncasecmp(s.p, text, s.len) == 0;
}

bool sip_read_cseq(struct sip_str value, uint32_t *number, struct sip_str *method)
{
    size_t i = 0;
    uint64_t v;
    while (i < value.len && !sip_is_space(value.p[i]))
        i++;
    if (!sip_read_number((struct sip_str){value.p, i}, INT32_MAX, &v))
        return false;
    *method = sip_trim((struct sip_str){value.p + i, value.len - i});
    *number = (uint32_t)v;
    for (i = 0; i < method->len; i++)
        if (!sip_is_token(method->p[i]))
            return false;
    return method->len > 0;
}

struct cursor {
    const char *p, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->p < c->end && sip_is_space(*c->p))
        c->p++;
}

static bool take(struct cursor *c, char want)
{
    skip_space(c);
    if (c->p == c->end || *c->p != want)
        return false;
    c->p++;
    return true;
}

static struct sip_str take_token(struct cursor *c)
{
    skip_space(c);
    struct sip_str s = {c->p, 0};
    while (c->p < c->end && sip_is_token(*c->p))
        c->p++;
    s.len = (size_t)(c->p - s.p);
    return s;
}

// Past a quoted string whose first quote is at c->p. Returns false when it does not end.
static bool skip_quoted(struct cursor *c)
{
    for (c->p++; c->p < c->end; c->p++) {
        if (*c->p == '\\')
            c->p++;
        else if (*c->p == '"') {
            c->p++;
            return true;
        }
    }
    c->p = c->end;
    return false;
}

// One ";name[=value]" at the cursor, which stands on the ';'. The value keeps its quotes.
static bool take_param(struct cursor *c, struct sip_str *name, struct sip_str *value)
{
    *value = (struct sip_str){NULL, 0};
    if (!take(c, ';'))
        return false;
    *name = take_token(c);
    if (!name->len)
        return false;
    struct cursor before = *c;
    if (!take(c, '=')) {
        *c = before;
        return true;
    }
    skip_space(c);
    value->p = c->p;
    if (c->p < c->end && *c->p == '"') {
        if (!skip_quoted(c))
            return false;
    } else {
        // token, host or IPv6 reference, and what else clearly belongs to it: a branch in base64, a tag with '@'
        while (c->p < c->end && !sip_set_has(SIP_SET_VALUE_END, *c->p))
            c->p++;
    }
    value->len = (size_t)(c->p - value->p);
    return value->len > 0;
}

static bool via_params(struct cursor *c, struct sip_via *via)
{
    struct sip_str name, value;
    for (;;) {
        skip_space(c);
        if (c->p == c->end || *c->p == ',')
            return true;
        if (!take_param(c, &name, &value))
            return false;
        if (sip_str_is_nocase(name, "branch"))
            via->branch = value;
        else if (sip_str_is_nocase(name, "rport"))
            via->rport = true;
    }
}

bool sip_read_via(struct sip_str value, struct sip_via *via)
{
    struct cursor c = {value.p, value.p + value.len};
    memset(via, 0, sizeof *via);
    struct sip_str protocol = take_token(&c);
    if (!sip_str_is_nocase(protocol, "SIP") || !take(&c, '/'))
        return false;
    struct sip_str version = take_token(&c);
    if (version.len == 0 || !take(&c, '/'))
        return false;
    via->transport = take_token(&c);
    if (!via->transport.len || c.p == c.end || !sip_is_space(*c.p))
        return false;
    skip_space(&c);
    via->host.p = c.p;
    if (c.p < c.end && *c.p == '[') {
        while (c.p < c.end && *c.p != ']')
            c.p++;
        if (c.p == c.end)
            return false;
        c.p++;
    } else {
        while (c.p < c.end && sip_is_token(*c.p))
            c.p++;
    }
    via->host.len = (size_t)(c.p - via->host.p);
    if (!via->host.len)
        return false;
    struct cursor before = c;
    if (take(&c, ':')) {
        struct sip_str digits = take_token(&c);
        uint64_t port;
        if (!sip_read_number(digits, UINT16_MAX, &port) || port == 0)
            return false;
        via->port = (uint16_t)port;
    } else {
        c = before;
    }
    via->params.p = c.p;
    if (!via_params(&c, via))
        return false;
    via->params.len = (size_t)(c.p - via->params.p);
    via->len = (size_t)(c.p - value.p);
    return true;
}

// The first '<' outside of quotes, or the end. Returns false when quotes do not end or a '>' stands before it.
static bool find_bracket(struct cursor *c)
{
    while (c->p < c->end && *c->p != '<') {
        if (*c->p == '>')
            return false;
        if (*c->p != '"')
            c->p++;
        else if (!skip_quoted(c))
            return false;
    }
    return true;
}

static bool all_params(struct cursor *c)
{
    struct sip_str name, value;
    skip_space(c);
    while (c->p < c->end) {
        if (!take_param(c, &name, &value))
            return false;
        skip_space(c);
    }
    return true;
}

// "NAME <URI>": the name may be anything, so that what a trunk forgot to quote costs nobody a call.
static bool read_name_addr(struct sip_str value, struct cursor *c, struct sip_addr *addr)
{
    const char *close = memchr(c->p, '>', (size_t)(c->end - c->p));
    if (!close)
        return false;
    addr->angle = true;
    addr->display = sip_trim((struct sip_str){value.p, (size_t)(c->p - value.p)});
    addr->uri = sip_trim((struct sip_str){c->p + 1, (size_t)(close - c->p - 1)});
    c->p = close + 1;
    return true;
}

// "URI": it has no parameters, headers or commas of its own (20.10).
static bool read_addr_spec(struct sip_str value, struct cursor *c, struct sip_addr *addr)
{
    c->p = value.p;
    while (c->p < c->end && *c->p != ';')
        c->p++;
    addr->uri = sip_trim((struct sip_str){value.p, (size_t)(c->p - value.p)});
    for (size_t i = 0; i < addr->uri.len; i++)
        if (strchr("?, \t\"", addr->uri.p[i]))
            return false;
    return true;
}

bool sip_read_addr(struct sip_str value, struct sip_addr *addr)
{
    struct cursor c = {value.p, value.p + value.len};
    memset(addr, 0, sizeof *addr);
    if (!find_bracket(&c) ||
        !(c.p < c.end ? read_name_addr(value, &c, addr) : read_addr_spec(value, &c, addr)))
        return false;
    if (!addr->uri.len || memchr(addr->uri.p, '<', addr->uri.len))
        return false;
    skip_space(&c);
    addr->params = (struct sip_str){c.p, (size_t)(c.end - c.p)};
    return all_params(&c);
}

bool sip_read_param(struct sip_str params, const char *name, struct sip_str *value)
{
    struct cursor c = {params.p, params.p + params.len};
    struct sip_str found;
    while (params.p && take_param(&c, &found, value))
        if (sip_str_is_nocase(found, name))
            return true;
    *value = (struct sip_str){NULL, 0};
    return false;
}

struct sip_str sip_next_value(struct sip_str *rest)
{
    while (rest->len) {
        struct cursor c = {rest->p, rest->p + rest->len};
        bool angle = false;
        while (c.p < c.end && (angle || *c.p != ',')) {
            if (*c.p == '"' && !angle) {
                skip_quoted(&c);
                continue;
            }
            if (*c.p == '<')
                angle = true;
            else if (*c.p == '>')
                angle = false;
            c.p++;
        }
        struct sip_str value = sip_trim((struct sip_str){rest->p, (size_t)(c.p - rest->p)});
        size_t used = (size_t)(c.p - rest->p) + (c.p < c.end);
        rest->p += used;
        rest->len -= used;
        if (value.len)
            return value;
    }
    return (struct sip_str){NULL, 0};
}
