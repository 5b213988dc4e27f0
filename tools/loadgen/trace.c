// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/trace.h"

#include <string.h>
#include <strings.h>

// The value when `line` is the header `name` or its compact form, else an empty text.
static struct trace_text header(struct trace_text line, const char *name, const char *compact)
{
    const char *colon = memchr(line.text, ':', line.length);
    const struct trace_text none = {NULL, 0};

    if (colon == NULL)
        return none;
    size_t length = (size_t)(colon - line.text);
    while (length > 0 && (line.text[length - 1] == ' ' || line.text[length - 1] == '\t'))
        length--;
    const bool full = length == strlen(name) && strncasecmp(line.text, name, length) == 0;
    const bool brief = compact != NULL && length == 1 && strncasecmp(line.text, compact, 1) == 0;
    if (!full && !brief)
        return none;

    struct trace_text value = {colon + 1, line.length - (size_t)(colon + 1 - line.text)};
    while (value.length > 0 && (*value.text == ' ' || *value.text == '\t')) {
        value.text++;
        value.length--;
    }
    while (value.length > 0 && (value.text[value.length - 1] == ' ' || value.text[value.length - 1] == '\r'))
        value.length--;
    return value;
}

static void take_line(struct trace_text line, struct trace_response *r)
{
    const struct trace_text id = header(line, "Call-ID", "i");
    const struct trace_text cseq = header(line, "CSeq", NULL);

    if (id.length > 0)
        r->call_id = id;
    if (cseq.length == 0)
        return;
    const char *blank = memchr(cseq.text, ' ', cseq.length);
    if (blank == NULL)
        return;
    while (blank < cseq.text + cseq.length && *blank == ' ')
        blank++;
    r->method = (struct trace_text){blank, cseq.length - (size_t)(blank - cseq.text)};
}

bool trace_read(const char *data, size_t length, struct trace_response *r)
{
    static const char start[] = "SIP/2.0 ";
    const size_t head = sizeof start - 1;

    memset(r, 0, sizeof *r);
    while (length > 0 && (*data == '\r' || *data == '\n')) { // keep-alives before it on a stream
        data++;
        length--;
    }
    if (length < head + 3 || memcmp(data, start, head) != 0)
        return false;
    for (size_t i = head; i < head + 3; i++) {
        if (data[i] < '0' || data[i] > '9')
            return false;
        r->status = (uint16_t)(r->status * 10 + (data[i] - '0'));
    }
    while (length > 0) {
        const char *end = memchr(data, '\n', length);
        const struct trace_text line = {data, end == NULL ? length : (size_t)(end - data)};

        if (line.length == 0 || (line.length == 1 && *line.text == '\r'))
            break;
        take_line(line, r);
        if (end == NULL)
            break;
        length -= line.length + 1;
        data = end + 1;
    }
    return r->call_id.length > 0 && r->method.length > 0;
}
