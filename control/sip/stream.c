// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/wipe.h"
#include "control/sip/read.h"

// Of a buffer: what is kept is less than a message.
enum { SIP_STREAM_ROOM_MAX = SIP_MESSAGE_MAX + 2 * SIP_STREAM_READ };

void sip_stream_fini(struct sip_stream *stream)
{
    wipe_free(stream->buffer);
    memset(stream, 0, sizeof *stream);
}

int sip_stream_room(struct sip_stream *stream, char **p, size_t *n)
{
    if (stream->start) {
        stream->len -= stream->start;
        memmove(stream->buffer, stream->buffer + stream->start, stream->len);
        explicit_bzero(stream->buffer + stream->len, stream->start); // where what was moved stood
        stream->start = 0;
    }
    if (stream->room - stream->len < SIP_STREAM_READ) {
        // bounded: sip_stream_next() asks for no more than a message's limit
        // half as much again, so that a long message is copied a few times only
        size_t room = stream->len + stream->len / 2 + (size_t)2 * SIP_STREAM_READ;
        if (room > SIP_STREAM_ROOM_MAX)
            room = SIP_STREAM_ROOM_MAX;
        char *grown = wipe_realloc(stream->buffer, room);
        if (!grown)
            return -ENOMEM;
        stream->buffer = grown;
        stream->room = room;
    }
    *p = stream->buffer + stream->len;
    *n = stream->room - stream->len;
    return 0;
}

void sip_stream_filled(struct sip_stream *stream, size_t n)
{
    stream->len += n;
}

bool sip_stream_partial(const struct sip_stream *stream)
{
    return stream->len > stream->start;
}

// Just behind the empty line that ends the head, or NULL.
static const char *head_end(const char *p, size_t from, size_t n)
{
    for (const char *lf = p + from; (lf = memchr(lf, '\n', (size_t)(p + n - lf))); lf++) {
        const char *next = lf + 1;
        if (next < p + n && *next == '\r')
            next++;
        if (next < p + n && *next == '\n')
            return next + 1;
    }
    return NULL;
}

// The number that a Content-Length line begins with, which may stand on a folded line.
static bool read_length(const char *p, const char *end, size_t *length)
{
    size_t digits = 0;
    uint64_t n;
    while (p < end && strchr(" \t\r\n", *p))
        p++;
    while (p + digits < end && p[digits] >= '0' && p[digits] <= '9')
        digits++;
    if (!sip_read_number((struct sip_str){p, digits}, SIP_MESSAGE_MAX, &n))
        return false;
    *length = n;
    return true;
}

// Behind the header that starts at `p`, its folded lines included: they are its value, whatever they look like.
static const char *header_end(const char *p, const char *end)
{
    do {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        p = lf ? lf + 1 : end;
    } while (p < end && sip_is_space(*p));
    return p;
}

// Length of the body as the head says; false when it says it twice differently or is out of range.
static bool body_length(const char *p, const char *end, size_t *length)
{
    bool seen = false;
    *length = 0;
    for (const char *next; p < end; p = next) {
        next = header_end(p, end);
        const char *colon = memchr(p, ':', (size_t)(next - p));
        size_t n;
        if (!colon ||
            sip_name_id(sip_trim((struct sip_str){p, (size_t)(colon - p)})) != SIP_NAME_CONTENT_LENGTH)
            continue;
        if (!read_length(colon + 1, next, &n) || (seen && n != *length))
            return false;
        *length = n;
        seen = true;
    }
    return true;
}

enum sip_stream_result sip_stream_next(struct sip_stream *stream, char **message, size_t *len)
{
    for (;;) {
        char *p = stream->buffer + stream->start;
        size_t n = stream->len - stream->start;
        if (!n)
            return SIP_STREAM_MORE;
        if (stream->need)
            break;
        if (p[0] == '\n') {
            stream->start++;
            continue;
        }
        if (p[0] != '\r')
            break;
        // CR LF CR LF is a ping, CR LF before a message is skipped
        if (n >= 4 && memcmp(p, "\r\n\r\n", 4) == 0) {
            stream->start += 4;
            return SIP_STREAM_PING;
        }
        if (n == 2 && stream->pongs && p[1] == '\n') {
            stream->start += 2;
            return SIP_STREAM_PONG;
        }
        if (n < 4 && memcmp(p, "\r\n\r\n", n) == 0)
            return SIP_STREAM_MORE;
        if (p[1] != '\n')
            return SIP_STREAM_BAD;
        stream->start += 2;
    }
    char *p = stream->buffer + stream->start;
    size_t n = stream->len - stream->start;
    if (!stream->need) {
        const char *end = head_end(p, stream->scanned, n);
        size_t body;
        if (!end) {
            // the two bytes before may be the first of the empty line
            stream->scanned = n > 2 ? n - 2 : 0;
            return n > SIP_STREAM_HEAD_MAX ? SIP_STREAM_BAD : SIP_STREAM_MORE;
        }
        size_t head = (size_t)(end - p);
        if (head > SIP_STREAM_HEAD_MAX || !body_length(p, end, &body) || head + body > SIP_MESSAGE_MAX)
            return SIP_STREAM_BAD;
        stream->need = head + body;
    }
    if (n < stream->need)
        return SIP_STREAM_MORE;
    *message = p;
    *len = stream->need;
    stream->start += stream->need;
    stream->scanned = 0;
    stream->need = 0;
    return SIP_STREAM_MESSAGE;
}
