// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/read.h"

#include <string.h>
#include <strings.h>

// ---- header names --------------------------------------------------------------------------------------

static_assert((int)SIP_NAME_COUNT == (int)TL_HEADER_ID_COUNT, "one list of headers");

const char *sip_name_text(enum sip_name id)
{
    const struct tl_header *header = tl_header((enum tl_header_id)id);
    return header ? header->name : NULL;
}

enum sip_name sip_name_id(struct sip_str name)
{
    return (enum sip_name)tl_header_id(name.p, name.len);
}

bool sip_name_is(struct sip_str name, const char *full)
{
    enum sip_name id = sip_name_id((struct sip_str){full, strlen(full)});
    return id ? sip_name_id(name) == id : sip_str_is_nocase(name, full);
}

// ---- lines ---------------------------------------------------------------------------------------------

// Length of the line that starts at `p` with what ends it in *ending; false when nothing ends it.
static bool line_at(const char *p, const char *end, size_t *len, size_t *ending)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    if (!lf)
        return false;
    *ending = lf > p && lf[-1] == '\r' ? 2 : 1;
    *len = (size_t)(lf - p) + 1 - *ending;
    return true;
}

void sip_unfold(char *bytes, size_t len)
{
    char *p = bytes, *end = bytes + len;
    size_t n, ending;
    while (line_at(p, end, &n, &ending) && n > 0) {
        char *next = p + n + ending;
        if (next < end && sip_is_space(*next) && p != bytes)
            memset(p + n, ' ', ending);
        p = next;
    }
}

// Whether one of eight bytes is below a space or DEL, by the borrow of a subtraction (a tab is, too).
static bool may_have_control(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
    uint64_t x, del;
    memcpy(&x, p, sizeof x);
    del = x ^ ones * 0x7f;
    return (((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & tops;
}

static bool has_control(struct sip_str s)
{
    size_t i = 0;
    while (i + 8 <= s.len && !may_have_control(s.p + i))
        i += 8;
    for (; i < s.len; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

static void read_line(struct sip_head *head, struct sip_str text)
{
    const char *colon = memchr(text.p, ':', text.len);
    if (text.len > SIP_LINE_MAX || has_control(text) || !colon) {
        head->faults |= SIP_FAULT_LINE;
        return;
    }
    struct sip_line line;
    size_t at = (size_t)(colon - text.p);
    line.name = sip_trim((struct sip_str){text.p, at});
    line.value = sip_trim((struct sip_str){colon + 1, text.len - at - 1});
    bool token = line.name.len > 0 && !sip_is_space(text.p[0]);
    for (size_t i = 0; i < line.name.len; i++)
        token = token && sip_is_token(line.name.p[i]);
    if (!token) {
        head->faults |= SIP_FAULT_LINE;
        return;
    }
    if (head->lines == SIP_HEADERS_MAX) {
        head->faults |= SIP_FAULT_LINES;
        return;
    }
    line.id = sip_name_id(line.name);
    line.next = 0;
    head->line[head->lines++] = line;
    uint8_t number = (uint8_t)head->lines;
    if (head->count[line.id]++ == 0)
        head->first[line.id] = number;
    else
        head->line[head->last[line.id] - 1].next = number;
    head->last[line.id] = number;
}

// ---- start line ----------------------------------------------------------------------------------------

static bool read_status(struct sip_head *head, struct sip_str line)
{
    if (line.len < 4 || strncasecmp(line.p, "SIP/", 4) != 0)
        return false;
    const char *end = line.p + line.len;
    const char *space = memchr(line.p, ' ', line.len);
    if (!space) {
        head->faults |= SIP_FAULT_START;
        return true;
    }
    head->version = (struct sip_str){line.p, (size_t)(space - line.p)};
    const char *code = space + 1;
    const char *after = memchr(code, ' ', (size_t)(end - code));
    head->code = (struct sip_str){code, (size_t)((after ? after : end) - code)};
    head->phrase = after ? (struct sip_str){after + 1, (size_t)(end - after - 1)} : (struct sip_str){end, 0};
    if (has_control(head->phrase)) // it says nothing that a program needs, and might reach the other network
        head->phrase.len = 0;
    return true;
}

// "METHOD URI SIP/2.0"; where spaces stand too many, the first token, the last and what is between.
static bool read_request(struct sip_head *head, struct sip_str line)
{
    struct sip_str text = sip_trim(line);
    const char *first = text.p ? memchr(text.p, ' ', text.len) : NULL;
    if (!first)
        return false;
    const char *last = text.p + text.len - 1;
    while (last > first && *last != ' ')
        last--;
    if (last == first)
        return false;
    head->method = (struct sip_str){text.p, (size_t)(first - text.p)};
    head->version = (struct sip_str){last + 1, (size_t)(text.p + text.len - last - 1)};
    head->uri = sip_trim((struct sip_str){first + 1, (size_t)(last - first - 1)});
    if (head->version.len < 4 || strncasecmp(head->version.p, "SIP/", 4) != 0 || head->uri.len == 0)
        return false;
    for (size_t i = 0; i < head->method.len; i++)
        if (!sip_is_token(head->method.p[i]))
            return false;
    if (text.len != line.len || head->uri.len != (size_t)(last - first - 1) ||
        memchr(head->uri.p, ' ', head->uri.len) || has_control(head->uri) ||
        memchr(head->uri.p, '\t', head->uri.len))
        head->faults |= SIP_FAULT_START;
    head->request = true;
    return true;
}

void sip_read(char *bytes, size_t len, struct sip_head *head)
{
    const char *p = bytes, *end = bytes + len;
    size_t n, ending;

    // all but the big array of lines
    memset(head, 0, offsetof(struct sip_head, line));
    head->bytes = (struct sip_str){bytes, len};
    head->body = len;
    sip_unfold(bytes, len);
    if (!line_at(p, end, &n, &ending)) {
        head->faults = SIP_FAULT_NOT_SIP;
        return;
    }
    struct sip_str start = {p, n};
    if (n > SIP_LINE_MAX || (!read_status(head, start) && !read_request(head, start))) {
        head->faults = SIP_FAULT_NOT_SIP;
        return;
    }
    for (p += n + ending;; p += n + ending) {
        if (p >= end || !line_at(p, end, &n, &ending)) {
            head->faults |= SIP_FAULT_UNENDED;
            return;
        }
        if (n == 0)
            break;
        read_line(head, (struct sip_str){p, n});
    }
    head->body = (size_t)(p + ending - bytes);
}
