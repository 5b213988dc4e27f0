// SPDX-License-Identifier: BSD-3-Clause
// Cuts a byte stream into SIP messages by Content-Length (RFC 3261 sections 7.5 and 18.3), with limits. Any
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    SIP_STREAM_HEAD_MAX = 32768, // bytes of a head
    SIP_STREAM_READ = 4096,      // bytes of room that a reader gets at least
};

enum sip_stream_result {
    SIP_STREAM_MORE,    // nothing whole yet
    SIP_STREAM_MESSAGE, // one message
    SIP_STREAM_PING,    // CR LF CR LF between messages: answered CR LF (RFC 5626 section 4.4.1)
    SIP_STREAM_PONG,    // such an answer
    SIP_STREAM_BAD,     // no SIP, or beyond a limit: where the next message starts cannot be known
};

// Zeroed is an empty stream.
struct sip_stream {
    char *buffer;
    size_t room, len;
    size_t start;   // bytes taken out already
    size_t scanned; // of the message at `start`: bytes without the end of its head
    size_t need;    // its whole length once the head is here, else 0
    bool pongs;     // we ping: a lone CR LF is an answer
};

void sip_stream_fini(struct sip_stream *stream);

// Room for at least SIP_STREAM_READ bytes at *p, *n bytes in fact. Pointers given out before become invalid.
// Returns 0 or -ENOMEM.
int sip_stream_room(struct sip_stream *stream, char **p, size_t *n);

// Tells that `n` bytes were put there.
void sip_stream_filled(struct sip_stream *stream, size_t n);

// The next thing in the stream; for a message *message points into the buffer and is valid, and may be
// changed, until the next call.
enum sip_stream_result sip_stream_next(struct sip_stream *stream, char **message, size_t *len);

// Whether part of a message is there.
bool sip_stream_partial(const struct sip_stream *stream);
