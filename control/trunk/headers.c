// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/headers_internal.h"

#include "common/addr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

// ---- reading ------------------------------------------------------------------------------------------

struct header_str header_first(const struct header_view *msg, enum tl_header_id id)
{
    const struct tl_header *want = tl_header(id);
    for (unsigned i = 0; msg && i < msg->count; i++)
        if (msg->line[i].known == want)
            return msg->line[i].value;
    return (struct header_str){NULL, 0};
}

// What a plan may ever need of a message beside what passes.
static bool is_needed(const struct header_line *line)
{
    return line->known == tl_header(TL_HEADER_ID_FROM) || !tl_header_is_own(line->name.p, line->name.len);
}

struct header_view *headers_keep(const struct header_view *msg)
{
    size_t bytes = msg->uri.len;
    unsigned count = 0;
    for (unsigned i = 0; i < msg->count; i++)
        if (is_needed(&msg->line[i])) {
            bytes += msg->line[i].name.len + msg->line[i].value.len;
            count++;
        }
    struct header_view *copy = malloc(sizeof *copy + count * sizeof(struct header_line) + bytes);
    if (!copy)
        return NULL;
    struct header_line *line = (struct header_line *)(copy + 1);
    struct header_out out = {.p = (char *)(line + count)};
    *copy = (struct header_view){.request = msg->request, .count = count, .line = line};
#define KEEP(s)                                                                                              \
    ((s).len ? (memcpy(out.p + out.len, (s).p, (s).len), out.len += (s).len,                                 \
                (struct header_str){out.p + out.len - (s).len, (s).len})                                     \
             : (struct header_str){(s).p ? out.p + out.len : NULL, 0})
    copy->uri = KEEP(msg->uri);
    for (unsigned i = 0; i < msg->count; i++)
        if (is_needed(&msg->line[i])) {
            line->name = KEEP(msg->line[i].name);
            line->value = KEEP(msg->line[i].value);
            line->known = msg->line[i].known;
            line++;
        }
#undef KEEP
    return copy;
}

// ---- what passes --------------------------------------------------------------------------------------

static bool listed(const char (*patterns)[TL_HEADER_PATTERN_LEN], uint32_t count, const char *name,
                   size_t len)
{
    for (uint32_t i = 0; i < count; i++)
        if (tl_header_fits(patterns[i], name, len))
            return true;
    return false;
}

static bool is_added(const struct header_ask *ask, const char *name, size_t len)
{
    const struct tl_header_rules *rules = &ask->to->headers;
    for (uint32_t i = 0; ask->message == TL_MSG_SETUP && i < rules->add_count; i++)
        if (strlen(rules->add[i].name) == len && tl_header_fits(rules->add[i].name, name, len))
            return true;
    return false;
}

// Whether the trunk that it goes to wants that header in that message.
static bool wanted(const struct header_ask *ask, const struct tl_header *header, struct header_str name)
{
    const struct tl_header_rules *rules = &ask->to->headers;
    const char *full = header ? header->name : name.p;
    size_t len = header ? header->len : name.len;
    if (tl_header_is_own(name.p, name.len))
        return false;
    if (listed(rules->remove, rules->remove_count, full, len) || is_added(ask, full, len))
        return false;
    if (listed(rules->pass, rules->pass_count, full, len))
        return true;
    if (!header || !(header->messages & (unsigned)ask->message))
        return false;
    return header->rule != TL_HEADER_LOCATION || ask->to->location == TL_LOCATION_PASS;
}

// ---- lines --------------------------------------------------------------------------------------------

static void put_line(struct planner *p, struct header_str name, struct header_str value, bool hidden)
{
    header_put(&p->out, name);
    header_puts(&p->out, ": ");
    if (hidden)
        header_put_hidden(&p->out, value, &p->hide);
    else
        header_put_utf8(&p->out, value);
    header_puts(&p->out, "\r\n");
}

// A line of a header that we know, by its rule.
static void known_line(struct planner *p, const struct tl_header *header, struct header_str value)
{
    struct header_str name = {header->name, header->len};
    switch (header->rule) {
    case TL_HEADER_ASSERTED:
    case TL_HEADER_PREFERRED:
    case TL_HEADER_PARTY:
    case TL_HEADER_DIVERSION:
    case TL_HEADER_HISTORY:
    case TL_HEADER_REFERRER:
        if (identity_passes(p, header->rule))
            identity_line(p, header, value);
        break;
    case TL_HEADER_PRIVACY:
        identity_privacy_line(p, value);
        break;
    case TL_HEADER_NUMBERS:
        if (p->same_numbers && !p->anonymous && !p->hide_id)
            put_line(p, name, value, false);
        break;
    case TL_HEADER_PERSONAL:
        if (!p->to_strangers || !p->privacy.user)
            put_line(p, name, value, true);
        break;
    case TL_HEADER_TEXT:
        put_line(p, name, value, true);
        break;
    case TL_HEADER_LOCATION:
    case TL_HEADER_OTHER:
        put_line(p, name, value, false);
        break;
    case TL_HEADER_OWN:
        break;
    }
}

static void pass_lines(struct planner *p)
{
    const struct header_view *msg = p->ask->msg;
    for (unsigned i = 0; msg && i < msg->count; i++) {
        const struct header_line *line = &msg->line[i];
        const struct tl_header *header = line->known;
        if (!wanted(p->ask, header, line->name))
            continue;
        bool broken = !tl_header_is_token(line->name.p, line->name.len) || !header_is_clean(line->value) ||
                      line->value.len > HEADERS_LINE_MAX;
        p->plan->dropped += broken;
        if (broken)
            continue;
        if (header)
            known_line(p, header, line->value);
        else
            put_line(p, line->name, line->value, false); // a switch says so: as it came
    }
    const struct tl_header_rules *rules = &p->ask->to->headers;
    for (uint32_t i = 0; p->ask->message == TL_MSG_SETUP && i < rules->add_count; i++)
        put_line(p, header_str(rules->add[i].name), header_str(rules->add[i].value), false);
}

// ---- the plan -----------------------------------------------------------------------------------------

void headers_host(const struct tl_trunk_config *to, const struct tl_addr *local, char out[static TL_HOST_MAX])
{
    char host[TL_ADDR_TEXT];
    snprintf(out, TL_HOST_MAX, "%s", to->domain[0] ? to->domain : tl_addr_print_host(local, host));
}

// What hides the trunk `from` from the trunk `to`.
static void set_hide(const struct tl_trunk_config *from, const struct tl_trunk_config *to,
                     const struct tl_addr *local, char host[static TL_HOST_MAX], struct header_hide *hide)
{
    headers_host(to, local, host);
    *hide = (struct header_hide){.host = host, .other = from ? from->domain : NULL};
    if (hide->other && header_str_is(header_str(hide->other), host))
        hide->other = NULL;
}

static bool same_number(const struct header_ask *ask, const char *instead, struct header_str uri)
{
    struct uri u;
    return !instead || (identity_uri(uri, &u) && uri_same_user(header_str(instead), u.user) && ask->msg);
}

int headers_plan(const struct header_ask *ask, char *room, size_t size, struct header_plan *plan)
{
    struct planner p = {.ask = ask, .plan = plan, .out = {.p = room, .size = size}};
    struct name_addr from;
    struct uri uri;
    *plan = (struct header_plan){0};
    if (ask->message == TL_MSG_SETUP &&
        (!ask->msg || !identity_uri(ask->msg->uri, &uri) || uri.scheme == URI_OTHER))
        return -EINVAL;
    set_hide(ask->from, ask->to, &ask->local, p.host, &p.hide);
    identity_privacy(&p);
    plan->anonymous = p.anonymous;
    p.same_numbers = ask->message != TL_MSG_SETUP ||
                     (same_number(ask, ask->called, ask->msg->uri) &&
                      (!ask->calling || (name_addr_read(header_first(ask->msg, TL_HEADER_ID_FROM), &from) &&
                                         same_number(ask, ask->calling, from.uri))));
    if (ask->message == TL_MSG_SETUP)
        identity_setup(&p);
    else
        identity_contact(&p, header_str(ask->user));
    plan->lines = room + p.out.len;
    pass_lines(&p);
    return p.out.full ? -EMSGSIZE : 0;
}

bool headers_text(const struct tl_trunk_config *from, const struct tl_trunk_config *to,
                  const struct tl_addr *local, struct header_str text, char *out, size_t size)
{
    struct header_out o = {.p = out, .size = size};
    char host[TL_HOST_MAX];
    struct header_hide hide;
    set_hide(from, to, local, host, &hide);
    if (!text.len || !header_is_clean(text))
        return false;
    header_put_hidden(&o, text, &hide);
    return !o.full;
}

bool headers_contact(const struct tl_trunk_config *to, const struct tl_addr *local,
                     enum tl_transport transport, enum tl_uri_scheme scheme, const char *user, char *out,
                     size_t size)
{
    struct header_plan plan;
    const struct header_ask ask = {.message = TL_MSG_DIALOG,
                                   .to = to,
                                   .local = *local,
                                   .transport = transport,
                                   .scheme = scheme,
                                   .user = user};
    struct planner p = {.ask = &ask, .plan = &plan, .out = {.p = out, .size = size}};
    headers_host(to, local, p.host);
    identity_contact(&p, header_str(user));
    return !p.out.full;
}
