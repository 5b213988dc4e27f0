// SPDX-License-Identifier: BSD-3-Clause
// What parties say.
#include "common/addr.h"
#include "party_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// ---- life ---------------------------------------------------------------------------------------------

void parties_init(struct parties *ps, struct world *w)
{
    memset(ps, 0, sizeof *ps);
    ps->w = w;
}

static void dialog_fini(struct dialog *d)
{
    for (unsigned i = 0; i < d->routes; i++)
        free(d->route[i]);
    for (unsigned i = 0; i < d->asked_count; i++)
        free(d->asked[i].text);
    for (unsigned i = 0; i < d->said_count; i++)
        free(d->said[i].text);
    free(d->invite);
    free(d->sdp);
}

void parties_forget(struct parties *ps)
{
    for (unsigned i = 0; i < ps->dialog_count; i++)
        dialog_fini(&ps->dialog[i]);
    memset(ps->dialog, 0, ps->dialog_count * sizeof ps->dialog[0]);
    ps->dialog_count = 0;
    for (unsigned i = 0; i < ps->party_count; i++) {
        while (ps->party[i].count)
            party_drop(&ps->party[i], ps->party[i].count - 1);
        ps->party[i].seen_count = 0;
    }
}

void parties_fini(struct parties *ps)
{
    parties_forget(ps);
    ps->party_count = 0;
}

struct party *party_add(struct parties *ps, const char *name, const struct tl_addr *addr, uint32_t listener)
{
    if (ps->party_count == PARTY_MAX || strlen(name) >= sizeof ps->party[0].name)
        return NULL;
    struct party *p = &ps->party[ps->party_count++];
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->addr = *addr;
    p->listener = listener;
    return p;
}

struct party *party_find(struct parties *ps, const char *name, size_t len)
{
    for (unsigned i = 0; i < ps->party_count; i++)
        if (strlen(ps->party[i].name) == len && strncmp(ps->party[i].name, name, len) == 0)
            return &ps->party[i];
    return NULL;
}

struct dialog *dialog_find(struct parties *ps, const char *name)
{
    for (unsigned i = 0; i < ps->dialog_count; i++)
        if (strcmp(ps->dialog[i].name, name) == 0)
            return &ps->dialog[i];
    struct party *p = party_find(ps, name, strcspn(name, "."));
    if (!p || ps->dialog_count == DIALOGS_MAX || strlen(name) >= sizeof ps->dialog[0].name)
        return NULL;
    struct dialog *d = &ps->dialog[ps->dialog_count++];
    memset(d, 0, sizeof *d);
    strcpy(d->name, name);
    d->party = p;
    return d;
}

// ---- words --------------------------------------------------------------------------------------------

void addr_text(const struct tl_addr *a, char *out, size_t size)
{
    char host[TL_ADDR_TEXT];
    snprintf(out, size, "%s", tl_addr_print_host(a, host));
}

static const struct tl_listener_config *listener_of(const struct parties *ps, const struct party *p)
{
    return &ps->w->config->listeners[p->listener];
}

void party_contact(const struct parties *ps, const struct party *p, char *out, size_t size)
{
    char ip[TL_ADDR_TEXT];
    addr_text(&p->addr, ip, sizeof ip);
    snprintf(out, size, "<sip:%s@%s:%u%s>", p->name, ip, p->addr.port,
             tl_transport_row(listener_of(ps, p)->transport)->uri);
}

static void via_line(const struct parties *ps, const struct party *p, const char *branch, struct head *h)
{
    char ip[TL_ADDR_TEXT];
    addr_text(&p->addr, ip, sizeof ip);
    head_add(h, "Via: SIP/2.0/%s %s:%u;branch=%s", tl_transport_row(listener_of(ps, p)->transport)->via, ip,
             p->addr.port, branch);
}

unsigned dialog_media_port(const struct parties *ps, const struct dialog *d)
{
    return 4000 + 2 * (unsigned)(d - ps->dialog);
}

static void body_of(struct parties *ps, struct dialog *d, const struct out *o, struct text *body)
{
    for (unsigned i = 0; i < o->edit_count; i++)
        if (o->edits[i][0] == '|')
            text_add(body, "%s\r\n", o->edits[i] + (o->edits[i][1] == ' ' ? 2 : 1));
    if (body->len || !o->sdp.wanted)
        return;
    char ip[TL_ADDR_TEXT], key[64];
    unsigned port = dialog_media_port(ps, d);
    addr_text(&d->party->addr, ip, sizeof ip);
    if (d->party->addr.family == TL_AF_INET6) // whose media is IPv4
        snprintf(ip, sizeof ip, "10.99.6.%u", d->party->addr.ip[15]);
    snprintf(key, sizeof key, "%s", d->name);
    sdp_make(&o->sdp, ip, port, d->party->name, d->sdp_version, key, body);
    if (d->sdp && strcmp(d->sdp, body->p) == 0)
        return;
    text_free(body); // it says something new: another version
    sdp_make(&o->sdp, ip, port, d->party->name, ++d->sdp_version, key, body);
    free(d->sdp);
    d->sdp = strdup(body->p);
}

// The rest of a message: what the line adds, replaces and removes, then the body.
static char *finish(struct parties *ps, struct dialog *d, const struct out *o, struct head *h, size_t *len)
{
    struct text body = {0};
    body_of(ps, d, o, &body);
    bool typed = false;
    for (unsigned i = 0; i < o->edit_count; i++)
        typed |= strcasestr(o->edits[i], "Content-Type:") != NULL;
    if (body.len && !typed)
        head_add(h, "Content-Type: application/sdp");
    for (unsigned i = 0; i < o->edit_count; i++) {
        const char *e = o->edits[i], *value = e + 1 + strspn(e + 1, " ");
        if (e[0] == '+')
            head_add(h, "%s", value);
        else if (e[0] == '=')
            head_replace(h, value);
        else if (e[0] == '-')
            head_remove(h, value);
    }
    char *text = head_finish(h, body.p ? body.p : "", body.len, len);
    text_free(&body);
    return text;
}

static void mutate(char *text, size_t len, unsigned long seed)
{
    static const char odd[] = "\r\n\t :;,<>@=\"/%&\\09Az\xff\x01";
    uint64_t h = seed;
    for (unsigned i = 0; i <= seed % 4 && len; i++) {
        h = h * 6364136223846793005u + 1442695040888963407u;
        char *at = &text[(h >> 33) % len];
        *at = h & 1 << 20 ? odd[(h >> 24) % (sizeof odd - 1)] : (char)(*at ^ 1 << (h >> 24) % 7);
    }
}

static bool is_odd(const struct out *o)
{
    bool odd = o->mutate || o->cseq >= 0 || o->from_tag || o->to_tag || o->branch;
    for (unsigned i = 0; i < o->edit_count; i++)
        odd |= o->edits[i][0] != '|';
    return odd;
}

static void send(struct parties *ps, struct dialog *d, const char *what, char *text, size_t len,
                 const struct out *o)
{
    struct said *s;
    bool lost = o->lost;
    d->odd |= is_odd(o);
    if (o->mutate)
        mutate(text, len, o->mutate);
    ps->mutated |= o->mutate != 0;
    if (d->said_count == SAID_MAX) {
        free(d->said[0].text);
        memmove(d->said, d->said + 1, (SAID_MAX - 1) * sizeof d->said[0]);
        d->said_count--;
    }
    s = &d->said[d->said_count++];
    snprintf(s->what, sizeof s->what, "%s", what);
    s->text = text;
    s->len = len;
    if (ps->trace)
        ps->trace(ps->trace_arg, d->party, true, text, lost ? "lost" : "");
    if (!lost)
        world_receive(ps->w, d->party->listener, &d->party->addr, text, len);
}

void party_say_raw(struct parties *ps, struct party *p, const char *bytes, size_t len)
{
    if (ps->trace)
        ps->trace(ps->trace_arg, p, true, bytes, "raw");
    world_receive(ps->w, p->listener, &p->addr, bytes, len);
}

// ---- requests -----------------------------------------------------------------------------------------

static void begin_dialog(struct parties *ps, struct dialog *d, const char *uri)
{
    char ip[TL_ADDR_TEXT], gw[TL_ADDR_TEXT];
    const struct tl_listener_config *l = listener_of(ps, d->party);
    addr_text(&d->party->addr, ip, sizeof ip);
    addr_text(&l->address, gw, sizeof gw);
    const char *at = strchr(uri, '@');
    if (at && strncmp(at, "@gw", 3) == 0)
        snprintf(d->target, sizeof d->target, "%.*s@%s:%u%s", (int)(at - uri), uri, gw, l->address.port,
                 at + 3);
    else
        snprintf(d->target, sizeof d->target, "%s", uri);
    d->used = d->ours = true;
    snprintf(d->call_id, sizeof d->call_id, "%s-%u@%s", d->name, ++ps->next_id, ip);
    snprintf(d->local_tag, sizeof d->local_tag, "%s-t%u", d->name, ++ps->next_id);
    snprintf(d->local, sizeof d->local, "<sip:%s@%s>", "1000", ip);
    snprintf(d->remote, sizeof d->remote, "<%s>", d->target);
    d->cseq = 0;
}

static void from_to(const struct dialog *d, const struct out *o, struct head *h, bool cancel)
{
    const char *from = o->from_tag ? o->from_tag : d->local_tag;
    const char *to = o->to_tag ? o->to_tag : cancel ? "" : d->remote_tag;
    head_add(h, "From: %s%s%s", d->local, *from ? ";tag=" : "", from);
    head_add(h, "To: %s%s%s", d->remote, *to ? ";tag=" : "", to);
    head_add(h, "Call-ID: %s", d->call_id);
}

static bool say_cancel(struct parties *ps, struct dialog *d, const struct out *o, char *why, size_t why_size)
{
    struct head h = {0};
    char value[600], uri[400];
    size_t len;
    if (!d->invite) {
        snprintf(why, why_size, "dialog %s has no INVITE to cancel", d->name);
        return false;
    }
    sscanf(d->invite, "INVITE %399s", uri);
    head_add(&h, "CANCEL %s SIP/2.0", uri);
    text_header(d->invite, "Via", 0, value, sizeof value);
    head_add(&h, "Via: %s", value);
    head_add(&h, "Max-Forwards: 70");
    text_header(d->invite, "From", 0, value, sizeof value);
    head_add(&h, "From: %s", value);
    text_header(d->invite, "To", 0, value, sizeof value);
    head_add(&h, "To: %s", value);
    head_add(&h, "Call-ID: %s", d->call_id);
    head_add(&h, "CSeq: %u CANCEL", o->cseq >= 0 ? (unsigned)o->cseq : d->invite_cseq);
    for (unsigned i = 0; text_header(d->invite, "Route", i, value, sizeof value); i++)
        head_add(&h, "Route: %s", value);
    char *text = finish(ps, d, o, &h, &len);
    send(ps, d, "CANCEL", text, len, o);
    return true;
}

static void method_headers(struct parties *ps, const struct dialog *d, const char *method,
                           const struct out *o, struct head *h)
{
    char contact[80];
    if (strcmp(method, "BYE") != 0 && strcmp(method, "PRACK") != 0) {
        party_contact(ps, d->party, contact, sizeof contact);
        head_add(h, "Contact: %s", contact);
    }
    if (strcmp(method, "PRACK") == 0) {
        if (o->rack)
            head_add(h, "RAck: %s", o->rack);
        else
            head_add(h, "RAck: %u %u INVITE", d->got_rseq, d->got_rseq_cseq);
    }
    if (strcmp(method, "INVITE") == 0 && o->reliable)
        head_add(h, "Supported: 100rel");
}

static bool say_request(struct parties *ps, struct dialog *d, const char *method, const struct out *o,
                        char *why, size_t why_size)
{
    struct head h = {0};
    char branch[80];
    size_t len;
    bool ack = strcmp(method, "ACK") == 0;
    if (strcmp(method, "CANCEL") == 0)
        return say_cancel(ps, d, o, why, why_size);
    if (!d->used) {
        if (!o->uri) {
            snprintf(why, why_size, "dialog %s does not exist yet: its first request names a URI", d->name);
            return false;
        }
        begin_dialog(ps, d, o->uri);
    }
    d->odd |= strcmp(method, "INVITE") == 0 && d->invite && !d->remote_tag[0]; // two calls in one
    if (!ack)
        d->cseq++;
    uint32_t cseq = o->cseq >= 0 ? (uint32_t)o->cseq : ack ? d->invite_cseq : d->cseq;
    if (o->cseq >= 0 && !ack)
        d->cseq = cseq;
    snprintf(branch, sizeof branch, "z9hG4bK%s-%u", d->name, ++ps->next_id);
    head_add(&h, "%s %s SIP/2.0", method, o->uri && d->remote_tag[0] ? o->uri : d->target);
    via_line(ps, d->party, o->branch ? o->branch : branch, &h);
    head_add(&h, "Max-Forwards: 70");
    from_to(d, o, &h, false);
    head_add(&h, "CSeq: %u %s", cseq, method);
    for (unsigned i = 0; i < d->routes; i++)
        head_add(&h, "Route: %s", d->route[i]);
    method_headers(ps, d, method, o, &h);
    char *text = finish(ps, d, o, &h, &len);
    if (strcmp(method, "INVITE") == 0) {
        free(d->invite);
        d->invite = strdup(text);
        d->invite_cseq = cseq;
    }
    d->over |= strcmp(method, "BYE") == 0;
    if (ack)
        d->ack_due = false;
    if (strcmp(method, "PRACK") == 0)
        d->prack_due = false;
    send(ps, d, method, text, len, o);
    return true;
}

// ---- responses ----------------------------------------------------------------------------------------

static struct asked *find_asked(struct dialog *d, const char *method)
{
    for (unsigned pass = 0; pass < 2; pass++) // one without a final answer first
        for (unsigned i = d->asked_count; i-- > 0;) {
            struct asked *a = &d->asked[i];
            if ((!pass && a->answered) || (method && strcmp(method, a->method) != 0) ||
                strcmp(a->method, "ACK") == 0)
                continue;
            return a;
        }
    return NULL;
}

// A further fork: the newest INVITE that its party got, another tag.
static bool begin_fork(struct parties *ps, struct dialog *d)
{
    for (unsigned i = ps->dialog_count; i-- > 0;) {
        struct dialog *from = &ps->dialog[i];
        if (from == d || from->party != d->party || !from->used || from->ours || !from->asked_count)
            continue;
        struct got m = {.at = from->asked[0].at,
                        .text = from->asked[0].text,
                        .request = true,
                        .cseq = from->asked[0].cseq};
        char why[100];
        strcpy(m.method, "INVITE");
        return strcmp(from->asked[0].method, "INVITE") == 0 && dialog_take(ps, d, &m, why, sizeof why);
    }
    return false;
}

static const char *phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } known[] = {{100, "Trying"},
                 {180, "Ringing"},
                 {181, "Call Is Being Forwarded"},
                 {182, "Queued"},
                 {183, "Progress"},
                 {200, "OK"},
                 {302, "Moved Temporarily"},
                 {404, "Not Found"},
                 {480, "Unavailable"},
                 {486, "Busy Here"},
                 {487, "Request Terminated"},
                 {488, "Not Acceptable Here"},
                 {491, "Request Pending"},
                 {500, "Server Internal Error"},
                 {503, "Service Unavailable"},
                 {603, "Decline"}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].phrase;
    return "Status";
}

static void response_headers(struct parties *ps, struct dialog *d, int status, const struct asked *a,
                             const struct out *o, struct head *h)
{
    char contact[80], value[600];
    bool invite = strcmp(a->method, "INVITE") == 0;
    for (unsigned i = 0; status < 300 && text_header(a->text, "Record-Route", i, value, sizeof value); i++)
        head_add(h, "Record-Route: %s", value);
    if (status > 100 && status < 400 && (invite || strcmp(a->method, "UPDATE") == 0)) {
        party_contact(ps, d->party, contact, sizeof contact);
        head_add(h, "Contact: %s", contact);
    }
    if (o->reliable) {
        d->rseq = o->rseq >= 0 ? (uint32_t)o->rseq
                  : d->rseq    ? d->rseq + 1
                               : 1000 + 10 * (unsigned)(d - ps->dialog);
        head_add(h, "Require: 100rel");
        head_add(h, "RSeq: %u", d->rseq);
    }
}

// Whether our transaction is there to hear a 2xx: for 64 times T1, unless anybody at that party has refused it before.
static bool is_heard(const struct parties *ps, const struct dialog *d, const struct asked *a)
{
    for (unsigned i = 0; i < ps->dialog_count; i++) {
        const struct dialog *other = &ps->dialog[i];
        for (unsigned k = 0; other->party == d->party && k < other->asked_count; k++)
            if (other->asked[k].refused && other->asked[k].cseq == a->cseq &&
                strcmp(other->call_id, d->call_id) == 0)
                return false;
    }
    return world_now(ps->w) - a->at < 64 * ps->w->config->control.t1_ms;
}

static void owe_ack(struct parties *ps, const struct dialog *d, const struct asked *a, const struct out *o)
{
    if (!ps->loose || o->lost || d->odd || is_odd(o) || ps->owed_count == OWED_MAX || !is_heard(ps, d, a))
        return;
    struct owed *owed = &ps->owed[ps->owed_count++];
    *owed = (struct owed){.cseq = a->cseq};
    snprintf(owed->dialog, sizeof owed->dialog, "%s", d->name);
    snprintf(owed->call_id, sizeof owed->call_id, "%s", d->call_id);
    snprintf(owed->tag, sizeof owed->tag, "%s", d->local_tag);
}

static bool say_response(struct parties *ps, struct dialog *d, int status, const struct out *o, char *why,
                         size_t why_size)
{
    struct head h = {0};
    char value[600], to[600], what[28];
    size_t len;
    if (!d->used && !begin_fork(ps, d)) {
        snprintf(why, why_size, "%s got no request that could be answered", d->name);
        return false;
    }
    struct asked *a = find_asked(d, o->method);
    if (!a) {
        snprintf(why, why_size, "%s got no %s that could be answered", d->name,
                 o->method ? o->method : "request");
        return false;
    }
    head_add(&h, "SIP/2.0 %d %s", status, phrase(status));
    for (unsigned i = 0; text_header(a->text, "Via", i, value, sizeof value); i++)
        head_add(&h, "Via: %s", value);
    text_header(a->text, "From", 0, value, sizeof value);
    head_add(&h, "From: %s", value);
    text_header(a->text, "To", 0, to, sizeof to);
    text_param(to, "tag", value, sizeof value);
    const char *tag = o->to_tag ? o->to_tag : d->local_tag;
    if (value[0] || status == 100 || !*tag)
        head_add(&h, "To: %s", to);
    else
        head_add(&h, "To: %s;tag=%s", to, tag);
    text_header(a->text, "Call-ID", 0, value, sizeof value);
    head_add(&h, "Call-ID: %s", value);
    head_add(&h, "CSeq: %u %s", o->cseq >= 0 ? (unsigned)o->cseq : a->cseq, a->method);
    response_headers(ps, d, status, a, o, &h);
    a->answered |= status >= 200;
    a->refused |= status >= 300;
    if (status >= 200 && status < 300 && strcmp(a->method, "INVITE") == 0)
        owe_ack(ps, d, a, o);
    if (status >= 200 && status < 300 && strcmp(a->method, "INVITE") == 0)
        d->confirmed = true;
    snprintf(what, sizeof what, "%d %s", status, a->method);
    char *text = finish(ps, d, o, &h, &len);
    send(ps, d, what, text, len, o);
    return true;
}

static bool say_again(struct parties *ps, struct dialog *d, const char *what, const struct out *o, char *why,
                      size_t why_size)
{
    char full[28];
    snprintf(full, sizeof full, "%s%s%s", what, o->method ? " " : "", o->method ? o->method : "");
    size_t n = strlen(full);
    for (unsigned i = d->said_count; i-- > 0;)
        if (strncmp(d->said[i].what, full, n) == 0 && (!d->said[i].what[n] || d->said[i].what[n] == ' ')) {
            if (ps->trace)
                ps->trace(ps->trace_arg, d->party, true, d->said[i].text, "again");
            d->odd |= strcmp(what, "INVITE") == 0; // late enough it begins another call
            world_receive(ps->w, d->party->listener, &d->party->addr, d->said[i].text, d->said[i].len);
            return true;
        }
    snprintf(why, why_size, "%s has not said %s before", d->name, full);
    return false;
}

bool party_say(struct parties *ps, struct dialog *d, const char *what, const struct out *o, char *why,
               size_t why_size)
{
    if (o->again)
        return say_again(ps, d, what, o, why, why_size);
    if (what[0] >= '1' && what[0] <= '6')
        return say_response(ps, d, atoi(what), o, why, why_size);
    return say_request(ps, d, what, o, why, why_size);
}
