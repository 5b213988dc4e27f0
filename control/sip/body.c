// SPDX-License-Identifier: BSD-3-Clause
// Finding a body by its type, also inside multipart/mixed (RFC 2046 section 5.1). Bodies are ours: osip's
// parser does not see them.
#include "control/sip/msg_internal.h"

#include <string.h>

enum { DEPTH_MAX = 3 }; // of multiparts in each other

// Whether a Content-Type value has that type, whatever its parameters.
static bool type_is(struct sip_str value, const char *type)
{
    const char *semicolon = value.p ? memchr(value.p, ';', value.len) : NULL;
    if (semicolon)
        value.len = (size_t)(semicolon - value.p);
    return sip_str_is_nocase(sip_trim(value), type);
}

static struct sip_str params_of(struct sip_str value)
{
    const char *semicolon = value.p ? memchr(value.p, ';', value.len) : NULL;
    return semicolon ? (struct sip_str){semicolon, (size_t)(value.p + value.len - semicolon)}
                     : (struct sip_str){value.p, 0};
}

static struct sip_str find(struct sip_str content_type, struct sip_str body, const char *type,
                           unsigned depth);

// The next "--boundary" that starts a line at or after `p`; NULL without one.
static const char *delimiter(const char *p, const char *start, const char *end, struct sip_str boundary)
{
    for (; p + boundary.len + 2 <= end; p++) {
        p = memmem(p, (size_t)(end - p), "--", 2);
        if (!p || p + boundary.len + 2 > end)
            return NULL;
        if ((p == start || p[-1] == '\n') && memcmp(p + 2, boundary.p, boundary.len) == 0)
            return p;
    }
    return NULL;
}

// One part: header lines up to an empty line, then its body.
static struct sip_str in_part(struct sip_str part, const char *type, unsigned depth)
{
    const char *p = part.p, *end = part.p + part.len;
    struct sip_str content_type = {NULL, 0}, none = {NULL, 0};
    for (;;) {
        const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!lf)
            return none;
        struct sip_str line = {p, (size_t)(lf - p)};
        if (line.len && line.p[line.len - 1] == '\r')
            line.len--;
        p = lf + 1;
        if (!line.len)
            break;
        const char *colon = memchr(line.p, ':', line.len);
        struct sip_str name = sip_trim((struct sip_str){line.p, colon ? (size_t)(colon - line.p) : 0});
        if (colon && sip_name_is(name, "Content-Type"))
            content_type = sip_trim((struct sip_str){colon + 1, (size_t)(line.p + line.len - colon - 1)});
    }
    return find(content_type, (struct sip_str){p, (size_t)(end - p)}, type, depth + 1);
}

static struct sip_str find(struct sip_str content_type, struct sip_str body, const char *type, unsigned depth)
{
    struct sip_str none = {NULL, 0}, boundary;
    if (type_is(content_type, type))
        return body;
    if (depth == DEPTH_MAX || !type_is(content_type, "multipart/mixed") ||
        !sip_read_param(params_of(content_type), "boundary", &boundary) || !boundary.p)
        return none;
    if (boundary.len >= 2 && boundary.p[0] == '"')
        boundary = (struct sip_str){boundary.p + 1, boundary.len - 2};
    if (!boundary.len || boundary.len > 70)
        return none;
    const char *end = body.p + body.len;
    const char *p = delimiter(body.p, body.p, end, boundary);
    while (p) {
        p += 2 + boundary.len;
        if (end - p >= 2 && memcmp(p, "--", 2) == 0)
            break;
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf)
            break;
        const char *next = delimiter(lf + 1, body.p, end, boundary);
        // the line end before the delimiter belongs to the delimiter
        size_t len = (size_t)((next ? next : end) - (lf + 1));
        if (next && len && lf[len] == '\n')
            len--;
        if (next && len && lf[len] == '\r')
            len--;
        struct sip_str found = in_part((struct sip_str){lf + 1, len}, type, depth);
        if (found.p)
            return found;
        p = next;
    }
    return none;
}

struct sip_str sip_msg_body(const struct sip_msg *msg, const char *type)
{
    if (!msg->body.len)
        return (struct sip_str){NULL, 0};
    return find(sip_msg_first(msg, SIP_NAME_CONTENT_TYPE), msg->body, type, 0);
}
