// SPDX-License-Identifier: BSD-3-Clause
// Who calls whom, as the other side may know it: numbers, names, identities, privacy.
#include "control/trunk/headers_internal.h"

#include <strings.h>

#include "common/addr.h"
#include "common/config/transport.h"

// ---- privacy ------------------------------------------------------------------------------------------

static void read_privacy(struct privacy *out, struct header_str value)
{
    static const struct {
        const char *word;
        size_t offset;
    } words[] = {
        {"header", offsetof(struct privacy, header)},   {"session", offsetof(struct privacy, session)},
        {"user", offsetof(struct privacy, user)},       {"id", offsetof(struct privacy, id)},
        {"history", offsetof(struct privacy, history)}, {"critical", offsetof(struct privacy, critical)},
        {"none", offsetof(struct privacy, none)},
    };
    while (value.len) {
        size_t n = 0;
        while (n < value.len && value.p[n] != ';' && value.p[n] != ',')
            n++;
        struct header_str word = header_trim((struct header_str){value.p, n});
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (header_str_is(word, words[i].word))
                *(bool *)((char *)out + words[i].offset) = true;
        n += n < value.len;
        value = (struct header_str){value.p + n, value.len - n};
    }
}

bool identity_uri(struct header_str text, struct uri *uri)
{
    return uri_read(text, uri) && (uri->scheme != URI_TEL || uri_user_is_number(uri->user));
}

static bool is_anonymous(const struct uri *uri)
{
    return uri_host_is_nobody(uri->host) || header_str_is(uri->user, "anonymous");
}

void identity_privacy(struct planner *p)
{
    const struct header_view *msg = p->ask->msg;
    const struct tl_header *privacy = tl_header(TL_HEADER_ID_PRIVACY);
    struct name_addr from;
    struct uri uri;
    for (unsigned i = 0; msg && i < msg->count; i++)
        if (msg->line[i].known == privacy)
            read_privacy(&p->privacy, msg->line[i].value);
    // From tells of the sender in a request only
    if (msg && msg->request && name_addr_read(header_first(msg, TL_HEADER_ID_FROM), &from) &&
        identity_uri(from.uri, &uri))
        p->nobody = is_anonymous(&uri);
    p->to_strangers = !p->ask->to->trusted;
    p->anonymous = p->to_strangers && p->privacy.user;
    p->hide_id = p->to_strangers && (p->privacy.id || p->privacy.user || (p->nobody && !p->privacy.none));
}

// To a trunk that is not trusted: without what was done here (RFC 3323 5). "id" stays, it says that the number is
// restricted.
void identity_privacy_line(struct planner *p, struct header_str value)
{
    static const char *const done[] = {"header", "session", "user", "history"};
    size_t start = p->out.len;
    bool any = false, more = false;
    header_puts(&p->out, "Privacy: ");
    while (value.len) {
        size_t n = 0;
        bool drop = false;
        while (n < value.len && value.p[n] != ';' && value.p[n] != ',')
            n++;
        struct header_str word = header_trim((struct header_str){value.p, n});
        for (size_t i = 0; i < sizeof done / sizeof done[0]; i++)
            drop = drop || (p->to_strangers && header_str_is(word, done[i]));
        if (tl_header_is_token(word.p, word.len) && !drop) {
            header_puts(&p->out, any ? ";" : "");
            header_put(&p->out, word);
            any = true;
            more = more || !header_str_is(word, "critical");
        }
        n += n < value.len;
        value = (struct header_str){value.p + n, value.len - n};
    }
    if (more)
        header_puts(&p->out, "\r\n");
    else
        header_rewind(&p->out, start); // nothing is asked for any more
}

bool identity_passes(const struct planner *p, enum tl_header_rule rule)
{
    bool believed = !p->ask->from || p->ask->from->trusted;
    switch (rule) {
    case TL_HEADER_ASSERTED:
    case TL_HEADER_PARTY:
        return believed && !p->hide_id;
    case TL_HEADER_PREFERRED:
        return !p->hide_id;
    case TL_HEADER_DIVERSION:
    case TL_HEADER_REFERRER:
        return !p->to_strangers || !p->privacy.user;
    default:
        return true;
    }
}

// ---- URIs of identities -------------------------------------------------------------------------------

static void put_user(struct planner *p, const struct uri *uri)
{
    uri_put_user(&p->out, uri->user);
    if (p->ask->to->user_params == TL_USER_PARAMS_DROP)
        return;
    struct header_str rest = uri->options, one;
    while ((one = uri_next_param(&rest)).p) {
        char hidden[HEADERS_LINE_MAX];
        struct header_out out = {.p = hidden, .size = sizeof hidden};
        header_put_hidden(&out, one, &p->hide);
        p->out.full = p->out.full || out.full;
        size_t start = p->out.len;
        uri_put_user(&p->out, (struct header_str){hidden, out.len});
        if (p->out.len - start < 2) // a ';' alone
            header_rewind(&p->out, start);
    }
}

static bool wants_phone(const struct planner *p, const struct uri *uri)
{
    struct header_str value;
    switch (p->ask->to->user_phone) {
    case TL_USER_PHONE_NEVER:
        return false;
    case TL_USER_PHONE_ALWAYS:
        return uri_user_is_number(uri->user);
    default:
        return uri->scheme == URI_TEL ||
               (uri_param(uri->params, "user", &value) && header_str_is(value, "phone"));
    }
}

// What stays of a URI's parameters and headers in an identity: what tells of the call, not of a network.
static void put_rest(struct planner *p, const struct uri *uri)
{
    static const char *const kept[] = {"cause", "cpc", "isup-oli", "oli", "noa"};
    struct header_str value, rest = uri->headers;
    bool any = false;
    if (wants_phone(p, uri))
        header_puts(&p->out, ";user=phone");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (uri_param(uri->params, kept[i], &value) && uri_user_is_number(value))
            header_putf(&p->out, ";%s=%.*s", kept[i], (int)value.len, value.p);
        else if (value.len && tl_header_is_token(value.p, value.len))
            header_putf(&p->out, ";%s=%.*s", kept[i], (int)value.len, value.p);
    while (rest.len) { // Reason and Privacy of an entry, RFC 7044 5
        size_t n = 0;
        while (n < rest.len && rest.p[n] != '&')
            n++;
        struct header_str one = {rest.p, n};
        if ((n > 7 && strncasecmp(one.p, "Reason=", 7) == 0) ||
            (n > 8 && strncasecmp(one.p, "Privacy=", 8) == 0)) {
            header_puts(&p->out, any ? "&" : "?");
            header_put_hidden(&p->out, one, &p->hide);
            any = true;
        }
        n += n < rest.len;
        rest = (struct header_str){rest.p + n, rest.len - n};
    }
}

// One URI, with our host for theirs.
static void put_uri(struct planner *p, const struct uri *uri)
{
    bool keep =
        uri_host_is_nobody(uri->host) ||
        (p->ask->to->host_names == TL_HOST_NAMES_KEEP && uri->host.len && !uri_host_is_address(uri->host) &&
         !header_str_is(uri->host, p->hide.other ? p->hide.other : ""));
    if (uri->scheme == URI_OTHER) { // a URN has no host
        header_put(&p->out, uri->text);
        return;
    }
    header_puts(&p->out, uri->scheme == URI_TEL ? "tel:" : "sip:");
    put_user(p, uri);
    if (uri->scheme == URI_TEL)
        return;
    header_puts(&p->out, uri->user.len ? "@" : "");
    if (keep)
        header_put(&p->out, uri->host);
    else
        header_puts(&p->out, p->host);
    put_rest(p, uri);
}

// Whether an entry says itself that it is not for strangers.
static bool is_private(const struct tl_header *header, const struct name_addr *addr, const struct uri *uri)
{
    struct header_str value;
    if (header->rule == TL_HEADER_HISTORY) {
        for (size_t i = 0; i + 8 < uri->headers.len; i++)
            if (strncasecmp(uri->headers.p + i, "Privacy=", 8) == 0)
                return strncasecmp(uri->headers.p + i + 8, "none", 4) != 0 || uri->headers.len - i - 8 < 4;
        return false;
    }
    return (header->rule == TL_HEADER_DIVERSION || header->rule == TL_HEADER_PARTY) &&
           uri_param(addr->params, "privacy", &value) && !header_str_is(value, "off");
}

// Parameters of the header: without those of a dialog or a body, without addresses.
static void put_params(struct planner *p, struct header_str params)
{
    struct header_str one, value;
    while ((one = uri_next_param(&params)).p)
        if (!uri_param(one, "tag", &value) && !uri_param(one, "epid", &value) &&
            !uri_param(one, "cid", &value))
            header_put_hidden(&p->out, header_trim(one), &p->hide);
}

// The number of an identity as the peer wants it, in `room`.
static void pass_number(const struct planner *p, struct uri *uri, char room[static NUMBER_MAX])
{
    char number[NUMBER_MAX];
    struct header_out out = {.p = number, .size = sizeof number};
    if (!p->ask->numbers || !uri->user.len || uri->scheme == URI_OTHER)
        return;
    uri_put_user(&out, uri->user); // without separators
    if (out.full)
        return;
    if (strncasecmp(number, "%2B", 3) == 0) {
        number[0] = '+';
        memmove(number + 1, number + 3, strlen(number + 3) + 1);
    }
    if (!number_pass_calling(p->ask->numbers, number, room))
        return;
    uri->user = header_str(room);
    uri->options = (struct header_str){NULL, 0};
}

// One value. False when it does not go; *broken says whether that is because it cannot be read.
static bool put_identity(struct planner *p, const struct tl_header *header, struct header_str value,
                         bool *broken)
{
    struct name_addr addr;
    struct uri uri;
    char room[NUMBER_MAX];
    *broken = !name_addr_read(value, &addr) || !identity_uri(addr.uri, &uri) ||
              (uri.scheme == URI_OTHER && (uri.text.len < 5 || strncasecmp(uri.text.p, "urn:", 4) != 0));
    if (*broken)
        return false;
    bool hidden = p->to_strangers && is_private(header, &addr, &uri);
    if (header->rule == TL_HEADER_HISTORY) {
        const struct privacy *asked = &p->privacy;
        hidden =
            hidden || (p->to_strangers && (asked->history || asked->header || asked->session || asked->user));
    } else if (hidden) {
        return false;
    }
    if (hidden) { // RFC 7044 10.1.2: the entry stays, so that the index does
        header_puts(&p->out, "<sip:anonymous@anonymous.invalid>");
    } else {
        pass_number(p, &uri, room);
        name_addr_put_display(&p->out, addr.display);
        header_puts(&p->out, "<");
        put_uri(p, &uri);
        header_puts(&p->out, ">");
    }
    put_params(p, addr.params);
    return true;
}

void identity_line(struct planner *p, const struct tl_header *header, struct header_str value)
{
    size_t start = p->out.len;
    struct header_str one;
    bool any = false;
    header_putf(&p->out, "%s: ", header->name);
    while ((one = header_next_value(&value)).p) {
        size_t before = p->out.len;
        bool broken;
        header_puts(&p->out, any ? ", " : "");
        if (put_identity(p, header, one, &broken))
            any = true;
        else
            header_rewind(&p->out, before);
        p->plan->dropped += broken;
    }
    if (any)
        header_puts(&p->out, "\r\n");
    else
        header_rewind(&p->out, start);
}

// ---- set-up -------------------------------------------------------------------------------------------

// Ends a string in the room and starts the next behind it.
static const char *begin(struct planner *p)
{
    return p->out.p + p->out.len;
}

static void end(struct planner *p)
{
    if (p->out.len + 1 >= p->out.size)
        p->out.full = true;
    if (p->out.full)
        return;
    p->out.len++;
    p->out.p[p->out.len] = '\0';
}

static void put_peer(struct planner *p)
{
    char host[TL_ADDR_TEXT];
    header_puts(&p->out, tl_addr_print_host(&p->ask->peer, host));
}

static void put_transport(struct planner *p)
{
    header_puts(&p->out, tl_uri_transport(p->ask->scheme, p->ask->transport));
}

// "<sip:" or "<sips:", where an address begins with what addresses the peer and us.
static void put_scheme(struct planner *p, const char *before)
{
    header_puts(&p->out, before);
    header_puts(&p->out, tl_uri_scheme_text(p->ask->scheme));
}

void identity_contact(struct planner *p, struct header_str user)
{
    if (p->plan)
        p->plan->contact = begin(p);
    put_scheme(p, "<");
    uri_put_user(&p->out, user);
    header_putf(&p->out, "%s%s:%u", user.len ? "@" : "", p->host, p->ask->local.port);
    put_transport(p);
    header_puts(&p->out, ">");
    end(p);
}

// From as it goes on: the caller's name and number at our host.
static void put_from(struct planner *p, const struct name_addr *addr, const struct uri *uri)
{
    if (p->anonymous) { // RFC 3323 4.1.1.3
        header_puts(&p->out, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
        return;
    }
    name_addr_put_display(&p->out, addr->display);
    put_scheme(p, "<");
    put_user(p, uri);
    header_puts(&p->out, uri->user.len ? "@" : "");
    if (uri_host_is_nobody(uri->host))
        header_puts(&p->out, "anonymous.invalid");
    else
        header_puts(&p->out, p->host);
    if (wants_phone(p, uri))
        header_puts(&p->out, ";user=phone");
    header_puts(&p->out, ">");
}

void identity_setup(struct planner *p)
{
    const struct header_ask *ask = p->ask;
    struct name_addr addr = {0};
    struct uri called, calling = {.scheme = URI_SIP};
    identity_uri(ask->msg->uri, &called);
    if (!name_addr_read(header_first(ask->msg, TL_HEADER_ID_FROM), &addr) ||
        !identity_uri(addr.uri, &calling))
        calling = (struct uri){.scheme = URI_SIP};
    if (ask->called)
        called =
            (struct uri){.scheme = called.scheme, .user = header_str(ask->called), .params = called.params};
    if (ask->calling)
        calling.user = header_str(ask->calling), calling.options = (struct header_str){NULL, 0};

    p->plan->uri = begin(p);
    put_scheme(p, "");
    put_user(p, &called);
    header_puts(&p->out, called.user.len ? "@" : "");
    put_peer(p);
    header_putf(&p->out, ":%u", ask->peer.port);
    put_transport(p);
    header_puts(&p->out, wants_phone(p, &called) ? ";user=phone" : "");
    end(p);

    p->plan->to = begin(p); // neither port nor transport: RFC 3261 19.1.1, table 1
    put_scheme(p, "<");
    put_user(p, &called);
    header_puts(&p->out, called.user.len ? "@" : "");
    put_peer(p);
    header_puts(&p->out, wants_phone(p, &called) ? ";user=phone>" : ">");
    end(p);

    p->plan->from = begin(p);
    put_from(p, &addr, &calling);
    if (ask->tag)
        header_putf(&p->out, ";tag=%s", ask->tag);
    end(p);
    identity_contact(p, p->anonymous ? header_str("anonymous") : calling.user);
}
