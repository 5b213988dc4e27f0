// SPDX-License-Identifier: BSD-3-Clause
// Bodies and their parts (RFC 5621, RFC 2046 section 5.1).
#include "control/sip/msg_internal.h"

#include <string.h>

enum {
    DEPTH_MAX = 4,    // multiparts in each other, the message's own body counted
    PARTS_MAX = 64,   // of one multipart; more are not looked at
    VALUE_MAX = 256,  // of a part's header line; a longer one is as if it were not there
    BOUNDARY_MAX = 70 // RFC 2046 5.1.1
};

// What the header of a part, or of the message, says of its body. Copies, because lines may be folded.
struct head {
    char type[VALUE_MAX], id[VALUE_MAX], disposition[VALUE_MAX], encoding[VALUE_MAX];
};

// What is looked for.
struct search {
    const char *type; // NULL: any
    const char *id;   // Content-ID without < >, NULL: any
};

static struct sip_str str(const char *text)
{
    return (struct sip_str){text, strlen(text)};
}

static struct sip_str before_params(struct sip_str value)
{
    const char *semicolon = value.p ? memchr(value.p, ';', value.len) : NULL;
    if (semicolon)
        value.len = (size_t)(semicolon - value.p);
    return sip_trim(value);
}

static bool param(struct sip_str value, const char *name, struct sip_str *out)
{
    const char *semicolon = value.p ? memchr(value.p, ';', value.len) : NULL;
    *out = (struct sip_str){NULL, 0};
    if (!semicolon)
        return false;
    struct sip_str params = {semicolon, (size_t)(value.p + value.len - semicolon)};
    if (!sip_read_param(params, name, out) || !out->p)
        return false;
    if (out->len >= 2 && out->p[0] == '"')
        *out = (struct sip_str){out->p + 1, out->len - 2};
    return true;
}

static bool type_is(const char *value, const char *type)
{
    return sip_str_is_nocase(before_params(str(value)), type);
}

static bool is_multipart(const char *value)
{
    return strncasecmp(value, "multipart/", 10) == 0;
}

// Whether the bytes stand there as they are: nothing is decoded here.
static bool readable(const struct head *h)
{
    static const char *const plain[] = {"", "7bit", "8bit", "binary", "identity"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (sip_str_is_nocase(before_params(str(h->encoding)), plain[i]))
            return true;
    return false;
}

// "<x@y>" and "x@y" are one Content-ID (RFC 2392).
static bool same_id(struct sip_str one, const char *other)
{
    one = sip_trim(one);
    if (one.len >= 2 && one.p[0] == '<' && one.p[one.len - 1] == '>')
        one = (struct sip_str){one.p + 1, one.len - 2};
    size_t len = strlen(other);
    if (len >= 2 && other[0] == '<' && other[len - 1] == '>')
        other++, len -= 2;
    return one.len == len && len > 0 && memcmp(one.p, other, len) == 0;
}

// Whether a part is what is looked for. SDP of an early session (RFC 3959) is not that of the session.
static bool matches(const struct search *s, const struct head *h)
{
    return (!s->type || type_is(h->type, s->type)) && (!s->id || same_id(str(h->id), s->id)) && readable(h) &&
           !type_is(h->disposition, "early-session");
}

// ---- parts --------------------------------------------------------------------------------------------

struct parts {
    struct sip_str boundary;
    const char *start, *end;
    const char *p; // behind the delimiter of the next part; NULL: there is none
    unsigned count;
};

// The next "--boundary" that is a line of its own at or after `p`; NULL without one. *behind is the place after its
// line, NULL for the last delimiter.
static const char *delimiter(const struct parts *parts, const char *p, const char **behind)
{
    size_t n = parts->boundary.len;
    for (; (p = memmem(p, (size_t)(parts->end - p), "--", 2)); p++) {
        const char *q = p + 2 + n;
        if ((size_t)(parts->end - p) < 2 + n)
            return NULL;
        if ((p != parts->start && p[-1] != '\n') || memcmp(p + 2, parts->boundary.p, n) != 0)
            continue;
        *behind = NULL;
        if (parts->end - q >= 2 && memcmp(q, "--", 2) == 0)
            return p;
        while (q < parts->end && (*q == ' ' || *q == '\t' || *q == '\r'))
            q++;
        if (q < parts->end && *q != '\n')
            continue; // a longer boundary that begins so
        *behind = q < parts->end ? q + 1 : NULL;
        return p;
    }
    return NULL;
}

static bool parts_open(struct parts *parts, const struct head *h, struct sip_str body)
{
    *parts = (struct parts){.start = body.p, .end = body.p + body.len};
    if (!is_multipart(h->type) || !readable(h) || !param(str(h->type), "boundary", &parts->boundary) ||
        !parts->boundary.len || parts->boundary.len > BOUNDARY_MAX)
        return false;
    delimiter(parts, body.p, &parts->p); // the preamble lies before it
    return true;
}

// Takes a header line of a part, `value` with its folds.
static void take_line(struct head *h, struct sip_str name, struct sip_str value)
{
    char *out = sip_name_is(name, "Content-Type")                ? h->type
                : sip_name_is(name, "Content-ID")                ? h->id
                : sip_name_is(name, "Content-Disposition")       ? h->disposition
                : sip_name_is(name, "Content-Transfer-Encoding") ? h->encoding
                                                                 : NULL;
    value = sip_trim(value);
    if (!out || value.len >= VALUE_MAX)
        return;
    for (size_t i = 0; i < value.len; i++)
        out[i] = (char)(value.p[i] == '\r' || value.p[i] == '\n' ? ' ' : value.p[i]);
    out[value.len] = 0;
}

// Cuts the header lines off a part, up to an empty line. False: it has no empty line.
static bool take_head(struct head *h, struct sip_str *part)
{
    const char *p = part->p, *end = part->p + part->len;
    memset(h, 0, sizeof *h);
    for (;;) {
        const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        while (lf && lf + 1 < end && lf > p + 1 && (lf[1] == ' ' || lf[1] == '\t')) { // folded
            const char *more = memchr(lf + 1, '\n', (size_t)(end - lf - 1));
            if (!more)
                break;
            lf = more;
        }
        if (!lf)
            return false;
        struct sip_str line = {p, (size_t)(lf - p)};
        if (line.len && line.p[line.len - 1] == '\r')
            line.len--;
        p = lf + 1;
        if (!line.len)
            break;
        const char *colon = memchr(line.p, ':', line.len);
        if (colon)
            take_line(h, sip_trim((struct sip_str){line.p, (size_t)(colon - line.p)}),
                      (struct sip_str){colon + 1, (size_t)(line.p + line.len - colon - 1)});
    }
    if (!h->type[0])
        strcpy(h->type, "text/plain"); // RFC 2046 5.1
    *part = (struct sip_str){p, (size_t)(end - p)};
    return true;
}

// The next part with its header; those without an empty line are left out. The end of the body ends the last one too.
static bool parts_next(struct parts *parts, struct head *h, struct sip_str *body)
{
    while (parts->p && parts->count++ < PARTS_MAX) {
        const char *at = parts->p, *behind = NULL;
        const char *next = delimiter(parts, at, &behind);
        size_t len = (size_t)((next ? next : parts->end) - at);
        // the line end before the delimiter belongs to the delimiter
        if (next && len && at[len - 1] == '\n')
            len--;
        if (next && len && at[len - 1] == '\r')
            len--;
        parts->p = next ? behind : NULL;
        *body = (struct sip_str){at, len};
        if (take_head(h, body))
            return true;
    }
    return false;
}

// ---- looking for a part -------------------------------------------------------------------------------

static struct sip_str find(const struct head *h, struct sip_str body, const struct search *s, unsigned depth);

// Of multipart/related the root counts first: the part that `start` names, else the first one (RFC 2387).
static struct sip_str find_root(const struct head *h, struct sip_str body, const struct search *s,
                                unsigned depth)
{
    struct sip_str none = {NULL, 0}, start, part;
    struct parts parts;
    struct head inner;
    char id[VALUE_MAX];
    if (!param(str(h->type), "start", &start) || !parts_open(&parts, h, body))
        return none;
    sip_str_copy(start, id, sizeof id);
    while (parts_next(&parts, &inner, &part))
        if (same_id(str(inner.id), id))
            return find(&inner, part, s, depth + 1);
    return none;
}

static struct sip_str find(const struct head *h, struct sip_str body, const struct search *s, unsigned depth)
{
    struct sip_str best = {NULL, 0}, part;
    struct parts parts;
    struct head inner;
    if (matches(s, h))
        return body;
    if (depth == DEPTH_MAX || !parts_open(&parts, h, body))
        return best;
    if (type_is(h->type, "multipart/related")) {
        best = find_root(h, body, s, depth);
        if (best.p)
            return best;
    }
    // of alternatives the last one that we understand (RFC 2046 5.1.4), else the first
    bool last = type_is(h->type, "multipart/alternative");
    while ((last || !best.p) && parts_next(&parts, &inner, &part)) {
        struct sip_str found = find(&inner, part, s, depth + 1);
        if (found.p)
            best = found;
    }
    return best;
}

static void copy_value(char out[static VALUE_MAX], struct sip_str value)
{
    out[0] = 0;
    if (value.p && value.len < VALUE_MAX)
        sip_str_copy(value, out, VALUE_MAX);
}

// What the message's own header says of its body.
static void head_of(const struct sip_msg *msg, struct head *h)
{
    copy_value(h->type, sip_msg_first(msg, SIP_NAME_CONTENT_TYPE));
    copy_value(h->id, sip_msg_header(msg, "Content-ID", 0));
    copy_value(h->disposition, sip_msg_header(msg, "Content-Disposition", 0));
    copy_value(h->encoding, sip_msg_header(msg, "Content-Encoding", 0));
}

struct sip_str sip_msg_part(const struct sip_msg *msg, const char *type, const char *id)
{
    struct search s = {type, id};
    struct head h;
    if (!msg->body.len)
        return (struct sip_str){NULL, 0};
    head_of(msg, &h);
    return find(&h, msg->body, &s, 1);
}

struct sip_str sip_msg_body(const struct sip_msg *msg, const char *type)
{
    return sip_msg_part(msg, type, NULL);
}

// ---- what must be understood --------------------------------------------------------------------------

enum handling { UNSAID, OPTIONAL, MUST };

static enum handling handling_of(const struct head *h)
{
    struct sip_str value;
    if (!param(str(h->disposition), "handling", &value))
        return UNSAID;
    return sip_str_is_nocase(value, "optional") ? OPTIONAL
                                                : MUST; // RFC 3204 5: required, or what we don't know
}

static bool known(const struct head *h, const char *const types[])
{
    for (; *types; types++)
        if (type_is(h->type, *types))
            return readable(h);
    return false;
}

// Whether something inside cannot be handled as it must be. `must`: what of a part that does not say.
static bool refused(const struct head *h, struct sip_str body, const char *const types[], bool must,
                    unsigned depth)
{
    struct parts parts;
    struct head inner;
    struct sip_str part;
    enum handling handling = handling_of(h);
    if (handling == OPTIONAL || known(h, types))
        return false;
    if (depth == DEPTH_MAX || !parts_open(&parts, h, body))
        return must || handling == MUST;
    bool alternative = type_is(h->type, "multipart/alternative"), one_good = false, one_bad = false;
    while (parts_next(&parts, &inner, &part)) {
        bool bad = refused(&inner, part, types, false, depth + 1);
        one_good |= !bad && (known(&inner, types) || is_multipart(inner.type));
        one_bad |= bad;
    }
    return one_bad && !(alternative && one_good);
}

bool sip_msg_body_refused(const struct sip_msg *msg, const char *const types[])
{
    struct head h;
    if (!msg->body.len)
        return false;
    head_of(msg, &h);
    return refused(&h, msg->body, types, true, 1);
}
