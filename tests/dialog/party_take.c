// SPDX-License-Identifier: BSD-3-Clause
// What parties hear: inboxes, what no message may be like, and what a dialog learns.
#include "common/addr.h"
#include "party_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/base/loop.h"

void party_drop(struct party *p, unsigned i)
{
    free(p->inbox[i].text);
    memmove(&p->inbox[i], &p->inbox[i + 1], (--p->count - i) * sizeof p->inbox[0]);
}

void message_title(const char *message, char *out, size_t size)
{
    char cseq[64];
    text_header(message, "CSeq", 0, cseq, sizeof cseq);
    int line = (int)strcspn(message, "\r\n");
    if (strncmp(message, "SIP/2.0 ", 8) == 0)
        snprintf(out, size, "%.*s (%s)%s", line - 8, message + 8, cseq, *text_body(message) ? " SDP" : "");
    else
        snprintf(out, size, "%.*s (%s)%s", line - 8 > 0 ? line - 8 : line, message, cseq,
                 *text_body(message) ? " SDP" : "");
}

__attribute__((format(printf, 3, 4))) static void fault(struct parties *ps, const char *message,
                                                        const char *format, ...)
{
    char text[300], title[160];
    va_list args;
    if (ps->fault[0])
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message_title(message, title, sizeof title);
    snprintf(ps->fault, sizeof ps->fault, "a message that may not be: %s: %s", title, text);
}

// ---- what holds for every message ---------------------------------------------------------------------

static void look_at_credentials(struct parties *ps, const struct got *m)
{
    static const char *const names[] = {"Authorization", "Proxy-Authorization"};
    char value[3000];
    for (unsigned i = 0; i < 2; i++)
        for (unsigned n = 0; text_header(m->text, names[i], n, value, sizeof value); n++) {
            const char *wrong = credentials_fault(ps, m->text, value);
            if (wrong)
                fault(ps, m->text, "%s: %s", wrong, value);
        }
}

static void look_at_request(struct parties *ps, const struct got *m)
{
    static const char *const once[] = {"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq"};
    char via[300], branch[120], from[600], tag[160];
    for (unsigned i = 0; i < sizeof once / sizeof once[0]; i++)
        if (text_header_count(m->text, once[i]) != 1)
            fault(ps, m->text, "%u headers %s", text_header_count(m->text, once[i]), once[i]);
    text_header(m->text, "Via", 0, via, sizeof via);
    text_param(via, "branch", branch, sizeof branch);
    if (strncmp(branch, "z9hG4bK", 7) != 0)
        fault(ps, m->text, "a branch without the cookie");
    look_at_credentials(ps, m);
    text_header(m->text, "From", 0, from, sizeof from);
    text_param(from, "tag", tag, sizeof tag);
    if (!tag[0])
        fault(ps, m->text, "From has no tag");
    if (strncmp(m->text, m->method, strlen(m->method)) != 0)
        fault(ps, m->text, "its CSeq names another method");
    if (strcmp(m->method, "INVITE") == 0 && text_header_count(m->text, "Contact") != 1)
        fault(ps, m->text, "%u Contacts", text_header_count(m->text, "Contact"));
}

static void look_at_response(struct parties *ps, const struct got *m)
{
    char to[600], tag[160];
    if (!text_header_count(m->text, "Via"))
        fault(ps, m->text, "no Via");
    text_header(m->text, "To", 0, to, sizeof to);
    text_param(to, "tag", tag, sizeof tag);
    // a 400 may answer what nobody can read
    if (m->status > 100 && !tag[0] && !(ps->loose && m->status == 400))
        fault(ps, m->text, "To has no tag");
    if (strcmp(m->method, "INVITE") == 0 && m->status >= 200 && m->status < 300 &&
        text_header_count(m->text, "Contact") != 1)
        fault(ps, m->text, "%u Contacts", text_header_count(m->text, "Contact"));
    if (m->status == 405 && !text_header_count(m->text, "Allow"))
        fault(ps, m->text, "405 without Allow");
    if (strcmp(m->method, "PRACK") != 0 && text_header_count(m->text, "RSeq") && m->status >= 200)
        fault(ps, m->text, "RSeq in a final response");
}

static void look_at(struct parties *ps, const struct got *m)
{
    char value[64];
    text_header(m->text, "Content-Length", 0, value, sizeof value);
    size_t body = strlen(text_body(m->text));
    if (!value[0] || strtoul(value, NULL, 10) != body)
        fault(ps, m->text, "Content-Length %s, %zu octets of body", value, body);
    if (m->request)
        look_at_request(ps, m);
    else
        look_at_response(ps, m);
}

// ---- inboxes ------------------------------------------------------------------------------------------

static bool seen_before(struct party *p, const char *text, size_t len)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)text[i]) * 1099511628211u;
    for (unsigned i = 0; i < p->seen_count; i++)
        if (p->seen[i] == h)
            return true;
    if (p->seen_count == PARTY_SEEN) {
        memmove(p->seen, p->seen + PARTY_SEEN / 2, PARTY_SEEN / 2 * sizeof p->seen[0]);
        p->seen_count = PARTY_SEEN / 2;
    }
    p->seen[p->seen_count++] = h;
    return false;
}

static void top_branch(const char *text, char *out, size_t size)
{
    char via[300];
    text_header(text, "Via", 0, via, sizeof via);
    text_param(via, "branch", out, size);
}

// The dialog whose request of that method came with the branch of `text`.
static struct dialog *by_branch(struct parties *ps, const struct party *p, const char *text,
                                const char *method)
{
    char want[120], has[120];
    top_branch(text, want, sizeof want);
    for (unsigned i = ps->dialog_count; i-- > 0;) {
        struct dialog *d = &ps->dialog[i];
        for (unsigned k = 0; d->party == p && k < d->asked_count; k++) {
            if (strcmp(d->asked[k].method, method) != 0)
                continue;
            top_branch(d->asked[k].text, has, sizeof has);
            if (strcmp(has, want) == 0)
                return d;
        }
    }
    return NULL;
}

static void ack_refusal(struct parties *ps, struct party *p, const struct got *m)
{
    char value[600], call_id[200];
    text_header(m->text, "Call-ID", 0, call_id, sizeof call_id);
    for (unsigned i = 0; i < ps->dialog_count; i++) {
        struct dialog *d = &ps->dialog[i];
        if (d->party != p || !d->invite || strcmp(d->call_id, call_id) != 0 || d->invite_cseq != m->cseq)
            continue;
        struct head h = {0};
        char uri[400];
        size_t len;
        sscanf(d->invite, "INVITE %399s", uri);
        head_add(&h, "ACK %s SIP/2.0", uri);
        text_header(d->invite, "Via", 0, value, sizeof value);
        head_add(&h, "Via: %s", value);
        head_add(&h, "Max-Forwards: 70");
        text_header(m->text, "From", 0, value, sizeof value);
        head_add(&h, "From: %s", value);
        text_header(m->text, "To", 0, value, sizeof value);
        head_add(&h, "To: %s", value);
        head_add(&h, "Call-ID: %s", call_id);
        head_add(&h, "CSeq: %u ACK", m->cseq);
        char *text = head_finish(&h, "", 0, &len);
        world_receive(ps->w, p->listener, &p->addr, text, len);
        free(text);
        return;
    }
}

static void note_ack(struct parties *ps, const struct got *m)
{
    char value[600], call_id[200], tag[160];
    text_header(m->text, "Call-ID", 0, call_id, sizeof call_id);
    text_header(m->text, "To", 0, value, sizeof value);
    text_param(value, "tag", tag, sizeof tag);
    for (unsigned i = 0; i < ps->owed_count; i++) {
        struct owed *o = &ps->owed[i];
        o->acked |= o->cseq == m->cseq && strcmp(o->tag, tag) == 0 && strcmp(o->call_id, call_id) == 0;
    }
}

const struct owed *parties_unacked(const struct parties *ps)
{
    for (unsigned i = 0; i < ps->owed_count; i++) {
        const struct owed *o = &ps->owed[i];
        const struct party *p = party_find((struct parties *)ps, o->dialog, strcspn(o->dialog, "."));
        if (!o->acked && p && !p->cut_off)
            return o;
    }
    return NULL;
}

static struct party *party_at(struct parties *ps, const struct world_sent *s)
{
    for (unsigned i = 0; i < ps->party_count; i++) {
        struct party *p = &ps->party[i];
        if (p->listener == s->listener && memcmp(p->addr.ip, s->to.ip, sizeof s->to.ip) == 0 &&
            (tl_transport_row(s->transport)->stream || p->addr.port == s->to.port))
            return p;
    }
    return NULL;
}

static void loose_take(struct parties *ps, struct party *p, struct got *m);

static void take(struct parties *ps, struct world_sent *s)
{
    char cseq[64], title[160];
    struct party *p = party_at(ps, s);
    message_title(s->text, title, sizeof title);
    struct got m = {.at = s->at, .text = s->text, .request = strncmp(s->text, "SIP/2.0 ", 8) != 0};
    text_header(s->text, "CSeq", 0, cseq, sizeof cseq);
    sscanf(cseq, "%u %19s", &m.cseq, m.method);
    if (!p && ps->loose) { // somebody was told to go where nobody is
        free(s->text);
        return;
    }
    if (!p || p->count == PARTY_INBOX) {
        fault(ps, s->text, p ? "the inbox is full" : "it goes to %s, where nobody is", TL_ADDR_STR(&s->to));
        free(s->text);
        return;
    }
    m.status = m.request ? 0 : atoi(s->text + 8);
    m.again = seen_before(p, s->text, s->len);
    m.quiet = m.status == 100;
    if (m.request && strcmp(m.method, "ACK") == 0)
        m.quiet = by_branch(ps, p, s->text, "INVITE") != NULL;
    if (m.request && strcmp(m.method, "ACK") == 0)
        note_ack(ps, &m);
    if (ps->trace)
        ps->trace(ps->trace_arg, p, false, s->text, m.again ? "again" : "");
    if (!ps->mutated) // a part of what we say is theirs
        look_at(ps, &m);
    p->inbox[p->count++] = m;
    if (!m.request && m.status >= 300 && strcmp(m.method, "INVITE") == 0 && !p->no_ack)
        ack_refusal(ps, p, &m);
    if (ps->loose)
        loose_take(ps, p, &p->inbox[p->count - 1]);
}

void parties_collect(struct parties *ps)
{
    struct world_sent s;
    while (world_take(ps->w, &s))
        take(ps, &s);
    if (ps->w->overflow && !ps->fault[0])
        snprintf(ps->fault, sizeof ps->fault, "more messages at once than a world holds");
}

// ---- what a dialog learns -----------------------------------------------------------------------------

static void without_tag(const char *value, char *out, size_t size)
{
    const char *close = strchr(value, '>');
    const char *tag = strcasestr(close ? close : value, ";tag=");
    snprintf(out, size, "%.*s", tag ? (int)(tag - value) : (int)strlen(value), value);
}

static void take_route_set(struct dialog *d, const char *text, bool reverse)
{
    char value[600];
    unsigned n = text_header_count(text, "Record-Route");
    while (d->routes)
        free(d->route[--d->routes]);
    for (unsigned i = 0; i < n && i < ROUTES_MAX; i++) {
        text_header(text, "Record-Route", reverse ? n - 1 - i : i, value, sizeof value);
        d->route[d->routes++] = strdup(value);
    }
}

static void take_target(struct dialog *d, const char *text)
{
    char value[600];
    if (text_header(text, "Contact", 0, value, sizeof value))
        text_uri(value, d->target, sizeof d->target);
}

static void begin_from_invite(struct parties *ps, struct dialog *d, const struct got *m)
{
    char value[600];
    d->used = true;
    text_header(m->text, "Call-ID", 0, d->call_id, sizeof d->call_id);
    text_header(m->text, "From", 0, value, sizeof value);
    text_param(value, "tag", d->remote_tag, sizeof d->remote_tag);
    without_tag(value, d->remote, sizeof d->remote);
    text_header(m->text, "To", 0, d->local, sizeof d->local);
    snprintf(d->local_tag, sizeof d->local_tag, "%s-t%u", d->name, ++ps->next_id);
    take_route_set(d, m->text, false);
    take_target(d, m->text);
}

static void keep_asked(struct dialog *d, const struct got *m)
{
    if (d->asked_count == ASKED_MAX) { // the first stays: it is the INVITE that began
        free(d->asked[1].text);
        memmove(d->asked + 1, d->asked + 2, (ASKED_MAX - 2) * sizeof d->asked[0]);
        d->asked_count--;
    }
    struct asked *a = &d->asked[d->asked_count++];
    *a = (struct asked){.cseq = m->cseq, .text = strdup(m->text), .at = m->at};
    strcpy(a->method, m->method);
}

static bool take_request(struct parties *ps, struct dialog *d, const struct got *m, char *why,
                         size_t why_size)
{
    char to[600], from[600], to_tag[160], from_tag[160], call_id[200];
    text_header(m->text, "To", 0, to, sizeof to);
    text_header(m->text, "From", 0, from, sizeof from);
    text_header(m->text, "Call-ID", 0, call_id, sizeof call_id);
    text_param(to, "tag", to_tag, sizeof to_tag);
    text_param(from, "tag", from_tag, sizeof from_tag);
    bool cancel = strcmp(m->method, "CANCEL") == 0;
    if (!to_tag[0] && !cancel) {
        if (d->used && !m->again) {
            snprintf(why, why_size, "a new request outside dialogs, but %s is a dialog already", d->name);
            return false;
        }
        if (!d->used)
            begin_from_invite(ps, d, m);
    } else if (strcmp(call_id, d->call_id) != 0 || (!cancel && strcmp(to_tag, d->local_tag) != 0) ||
               strcmp(from_tag, d->remote_tag) != 0) {
        snprintf(why, why_size, "it is not of dialog %s: Call-ID %s, tags %s and %s, which has %s, %s and %s",
                 d->name, call_id, from_tag, to_tag, d->call_id, d->remote_tag, d->local_tag);
        return false;
    }
    if (m->again)
        return true;
    if (strcmp(m->method, "INVITE") == 0 || strcmp(m->method, "UPDATE") == 0)
        take_target(d, m->text);
    d->over |= strcmp(m->method, "BYE") == 0;
    d->ended |= strcmp(m->method, "BYE") == 0;
    keep_asked(d, m);
    return true;
}

static bool take_response(struct dialog *d, const struct got *m, char *why, size_t why_size)
{
    char to[600], from[600], to_tag[160], from_tag[160], call_id[200], value[64];
    text_header(m->text, "To", 0, to, sizeof to);
    text_header(m->text, "From", 0, from, sizeof from);
    text_header(m->text, "Call-ID", 0, call_id, sizeof call_id);
    text_param(to, "tag", to_tag, sizeof to_tag);
    text_param(from, "tag", from_tag, sizeof from_tag);
    bool invite = strcmp(m->method, "INVITE") == 0;
    bool refusal = m->status >= 300 && !d->confirmed;
    if (!d->used || strcmp(call_id, d->call_id) != 0 || strcmp(from_tag, d->local_tag) != 0) {
        snprintf(why, why_size, "it is not of dialog %s", d->name);
        return false;
    }
    if (d->remote_tag[0] && to_tag[0] && strcmp(to_tag, d->remote_tag) != 0 && !refusal &&
        strcmp(m->method, "CANCEL") != 0) {
        snprintf(why, why_size, "its To tag is %s, dialog %s has %s", to_tag, d->name, d->remote_tag);
        return false;
    }
    if (!invite || m->status == 100 || m->status >= 300) {
        if (m->status < 300 && strcmp(m->method, "UPDATE") == 0)
            take_target(d, m->text);
        return true;
    }
    snprintf(d->remote_tag, sizeof d->remote_tag, "%s", to_tag);
    if (!d->confirmed && d->ours && !d->routes)
        take_route_set(d, m->text, true);
    take_target(d, m->text);
    d->confirmed |= m->status >= 200;
    d->ack_due |= m->status >= 200;
    if (m->status < 200 && text_header(m->text, "RSeq", 0, value, sizeof value)) {
        uint32_t rseq = (uint32_t)strtoul(value, NULL, 10);
        if (d->got_rseq && d->got_rseq_cseq == m->cseq && rseq - d->got_rseq > 1) { // RFC 3262 section 4
            snprintf(why, why_size, "its RSeq is %u, and the last one of dialog %s was %u", rseq, d->name,
                     d->got_rseq);
            return false;
        }
        d->got_rseq = rseq;
        d->got_rseq_cseq = m->cseq;
        d->prack_due = true;
    }
    return true;
}

// Another To tag to our INVITE: that dialog begins as a copy of the one that asked.
static void begin_from_fork(struct parties *ps, struct dialog *d, const struct got *m)
{
    char call_id[200];
    text_header(m->text, "Call-ID", 0, call_id, sizeof call_id);
    for (unsigned i = 0; i < ps->dialog_count; i++) {
        const struct dialog *from = &ps->dialog[i];
        if (from == d || from->party != d->party || !from->ours || strcmp(from->call_id, call_id) != 0)
            continue;
        d->used = d->ours = true;
        strcpy(d->call_id, from->call_id);
        strcpy(d->local_tag, from->local_tag);
        strcpy(d->local, from->local);
        strcpy(d->remote, from->remote);
        strcpy(d->target, from->target);
        d->cseq = from->cseq;
        d->invite_cseq = from->invite_cseq;
        d->invite = from->invite ? strdup(from->invite) : NULL;
        return;
    }
}

bool dialog_take(struct parties *ps, struct dialog *d, struct got *m, char *why, size_t why_size)
{
    if (m->taken)
        return true;
    if (m->request)
        return take_request(ps, d, m, why, why_size);
    if (!d->used)
        begin_from_fork(ps, d, m);
    return take_response(d, m, why, why_size);
}

// ---- without an author that expects -------------------------------------------------------------------

static void loose_take(struct parties *ps, struct party *p, struct got *m)
{
    char why[300], name[40];
    for (unsigned i = 0; i < ps->dialog_count && !m->taken; i++)
        if (ps->dialog[i].party == p && ps->dialog[i].used && !(m->request && m->again) &&
            dialog_take(ps, &ps->dialog[i], m, why, sizeof why))
            m->taken = true;
    for (unsigned n = 0; n < 10 && m->request && !m->again && !m->taken && strcmp(m->method, "INVITE") == 0;
         n++) {
        snprintf(name, sizeof name, n ? "%s.%u" : "%s", p->name, n);
        struct dialog *d = dialog_find(ps, name);
        m->taken = d && !d->used && dialog_take(ps, d, m, why, sizeof why);
    }
    party_drop(p, p->count - 1);
}
