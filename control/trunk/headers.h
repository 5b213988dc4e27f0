// SPDX-License-Identifier: BSD-3-Clause
//
// The header plan: what a message to one side of a call says in its headers, given the message of the other side that
// it follows from. One pure function, asked for each attempt, each answer and each request inside a dialog, so that
// nothing of one side's network can stand in the other's message. docs/headers.md is its table.
#pragma once

#include "common/config/config.h"
#include "common/header_names.h"
#include "control/base/uri.h"
#include "control/trunk/number.h"

enum {
    HEADERS_ROOM = 96 * 1024, // bytes: more than a message has, with what longer hosts add
    HEADERS_LINE_MAX = 4096,  // bytes of a value that passes
    LOCATION_TYPE_MAX = 80,
};

struct header_line {
    struct header_str name, value; // folding undone, no spaces around
    const struct tl_header *known; // NULL: none that we know
};

// A line of a view, looked up once.
static inline struct header_line header_line(struct header_str name, struct header_str value)
{
    return (struct header_line){name, value, tl_header_find(name.p, name.len)};
}

// A message as it was received. The one who fills it in owns the bytes.
struct header_view {
    bool request;
    struct header_str uri; // Request-URI
    unsigned count;
    const struct header_line *line;
};

// A message that is to be sent.
struct header_ask {
    enum tl_message message;
    const struct header_view *msg;      // what it follows from; NULL: we make it ourselves
    const struct tl_trunk_config *from; // where that came from; NULL with msg
    const struct tl_trunk_config *to;   // where it goes
    struct tl_addr local;               // ours on the sending side, with port
    struct tl_addr peer;                // set-up: where it goes, with port
    enum tl_transport transport;
    enum tl_uri_scheme scheme;         // of Request-URI, From, To and Contact
    const struct number_pass *numbers; // rewrites the numbers of identities; NULL: they stay
    const char *calling, *called;      // set-up: numbers to send instead of those in msg; NULL: these
    const char *tag;                   // set-up: ours in From; NULL: none is written
    const char *user;                  // else: user part of our Contact, NULL: none
};

// What it says. The strings lie in the room that was given, with a final NUL.
struct header_plan {
    const char *uri, *from, *to; // set-up, else NULL; From and To are values
    const char *contact;         // value
    const char *lines;           // complete lines, each with CRLF; may be ""
    bool anonymous;              // From does not tell who calls, because we made it so
    unsigned dropped;            // lines and values that may pass but could not: broken, too long
};

// Makes the plan in `room`, of HEADERS_ROOM bytes. `msg` is only read; a set-up needs one with its Request-URI.
// Returns 0; -EMSGSIZE when the room does not hold it, nothing is cut; -EINVAL for a set-up whose Request-URI names
// nobody that could be called. Any thread.
//
//   From, To, Request-URI, Contact  RFC 3261 8.1.1, 19.1.6 (tel), 25.1 (escapes)
//   Privacy                         RFC 3323, RFC 3325, RFC 5379, RFC 5876
//   Identity, Date                  RFC 8224: only while nothing that they sign has changed
int headers_plan(const struct header_ask *ask, char *room, size_t size, struct header_plan *plan);

// Copies what later plans can need of a message, so that it outlives it: one malloc, free() frees it. NULL without
// memory.
struct header_view *headers_keep(const struct header_view *msg);

// A text of the other side made fit for this one, as a reason phrase: valid UTF-8, addresses and our name there become
// our host. Returns false for an empty one, one with control characters and one that does not fit.
bool headers_text(const struct tl_trunk_config *from, const struct tl_trunk_config *to,
                  const struct tl_addr *local, struct header_str text, char *out, size_t size);

// Our Contact, as in a plan: "<sip:USER@HOST:PORT;transport=tcp>" or "<sips:USER@HOST:PORT>". `user` may be NULL or "".
// Returns false when it does not fit.
bool headers_contact(const struct tl_trunk_config *to, const struct tl_addr *local,
                     enum tl_transport transport, enum tl_uri_scheme scheme, const char *user, char *out,
                     size_t size);

// Our host towards that trunk, as it stands in a URI or a Warning: its `domain`, else our address.
void headers_host(const struct tl_trunk_config *to, const struct tl_addr *local,
                  char out[static TL_HOST_MAX]);

// ---- location -----------------------------------------------------------------------------------------

// Whether the location of `msg` goes to that trunk, so that the body part it names has to go as well.
bool headers_location_passes(const struct tl_trunk_config *to, const struct header_view *msg);

// Puts an SDP and a location (the body of the part application/pidf+xml) into one body, multipart/mixed (RFC 6442 3,
// RFC 2046 5.1); the part gets the Content-ID that Geolocation names. Its type goes to `type`. Returns the length of the
// body in `room`; -EMSGSIZE; -EINVAL for a part in which every boundary could stand.
int headers_location_body(const struct header_view *msg, struct header_str sdp, struct header_str pidf,
                          char type[LOCATION_TYPE_MAX], char *room, size_t size);
