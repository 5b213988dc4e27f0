// SPDX-License-Identifier: BSD-3-Clause
// A SIP message that was received: its bytes with an index over them. Every header that control looks at is
// found by its number, and what names a dialog is read once, when the message is made.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/sip/headers.h"

// Bytes inside something else; not NUL-terminated. p == NULL: absent.
struct sip_str {
    const char *p;
    size_t len;
};

enum sip_method {
    SIP_OTHER,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_OPTIONS,
    SIP_REGISTER,
    SIP_PRACK,
    SIP_UPDATE,
    SIP_INFO,
    SIP_REFER,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_MESSAGE,
    SIP_PUBLISH,
    SIP_METHOD_COUNT
};

enum {
    SIP_MESSAGE_MAX = 65535, // bytes of a message
    SIP_HEADERS_MAX = 128,   // header lines of a message
    SIP_LINE_MAX = 4096,     // bytes of a header line, folded parts included
    SIP_NUMBER_MAX = 64,     // user part with its final NUL
};

struct sip_msg;

// Name of a method ("INVITE"), NULL for SIP_OTHER; method of a name (methods are case-sensitive). Any thread.
const char *sip_method_name(enum sip_method method);
enum sip_method sip_method_by_name(struct sip_str name);

// The standard reason phrase of a status code, "Unknown" where there is none. Any thread.
const char *sip_reason(int status);

// Everything below: the pointers returned live as long as the message.

bool sip_msg_is_request(const struct sip_msg *msg);
enum sip_method sip_msg_method(const struct sip_msg *msg);     // of a response: that of its CSeq
struct sip_str sip_msg_method_name(const struct sip_msg *msg); // as it stands in the message
int sip_msg_status(const struct sip_msg *msg);                 // 100..699, 0 for a request
struct sip_str sip_msg_phrase(const struct sip_msg *msg);      // reason phrase, may be empty

struct sip_str sip_msg_uri(const struct sip_msg *msg); // Request-URI as it stands there

// The called number: sip_uri_number() of the Request-URI.
bool sip_msg_called(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX]);
// The same of From.
bool sip_msg_calling(const struct sip_msg *msg, char out[static SIP_NUMBER_MAX]);

struct sip_str sip_msg_call_id(const struct sip_msg *msg);
uint32_t sip_msg_cseq(const struct sip_msg *msg);
struct sip_str sip_msg_from(const struct sip_msg *msg); // whole value with parameters, as received
struct sip_str sip_msg_to(const struct sip_msg *msg);
struct sip_str sip_msg_from_tag(const struct sip_msg *msg); // p == NULL without one
struct sip_str sip_msg_to_tag(const struct sip_msg *msg);

// URI of the first Contact without < >; p == NULL when there is none or it is "*".
struct sip_str sip_msg_contact(const struct sip_msg *msg);

// Value of the n-th header line of that name (compared without case; the compact form counts as the name),
// folding replaced by spaces, no white space around. Commas do not split it.
struct sip_str sip_msg_header(const struct sip_msg *msg, const char *name, unsigned n);

// The same by number, for a name of the table: no line is looked at twice. `id` is not SIP_NAME_OTHER.
struct sip_str sip_msg_line(const struct sip_msg *msg, enum sip_name id, unsigned n);

// The n-th line of the message, whatever its name: both as in sip_msg_header(). Returns false behind the last.
bool sip_msg_nth_line(const struct sip_msg *msg, unsigned n, struct sip_str *name, struct sip_str *value);

// The name of a header number ("Call-ID"), NULL for SIP_NAME_OTHER. Any thread.
const char *sip_name_text(enum sip_name id);

// Port in the topmost Via, 0: none given.
uint16_t sip_msg_via_port(const struct sip_msg *msg);

// Number at the start of that header (Max-Forwards, Retry-After, Expires, Min-SE ...), or `otherwise` when
// there is none, it is no number or is above `max`.
uint32_t sip_msg_number(const struct sip_msg *msg, const char *name, uint32_t max, uint32_t otherwise);

// Whether a comma-separated header (Require, Supported, Allow) has that token, compared without case.
bool sip_msg_has_token(const struct sip_msg *msg, const char *name, const char *token);

// The body whose type is `type` ("application/sdp"), also as part of a multipart body, nested up to three deep: of
// multipart/alternative the last such part (RFC 2046 5.1.4), of multipart/related the root if it is one (RFC 2387),
// else and of any other multipart the first. A part that is encoded (base64, gzip) or belongs to an early session
// (RFC 3959) is none.
struct sip_str sip_msg_body(const struct sip_msg *msg, const char *type);

// The same of a part with that Content-ID ("<x@y>" or "x@y", as a cid: URI of Geolocation names it); NULL for either
// counts as any.
struct sip_str sip_msg_part(const struct sip_msg *msg, const char *type, const char *id);

// Whether the body cannot be handled as its sender demands, which is a 415 (RFC 3261 8.2.3, 20.11): it, or a part
// of it that says handling=required, is of a type that is not in `types` (NULL at the end), or encoded. Of
// alternatives one that is known is enough. False without a body and with handling=optional.
bool sip_msg_body_refused(const struct sip_msg *msg, const char *const types[]);

// The whole body, whatever its type; p == NULL: none.
struct sip_str sip_msg_whole_body(const struct sip_msg *msg);

// Whether there is a body at all.
bool sip_msg_has_body(const struct sip_msg *msg);

// All bytes as received, and the number of the first body byte.
struct sip_str sip_msg_bytes(const struct sip_msg *msg);

// Copies with a final NUL, cut to size - 1; returns out.
char *sip_str_copy(struct sip_str s, char *out, size_t size);
char *sip_str_dup(struct sip_str s); // malloc'ed, NULL without memory
bool sip_str_is(struct sip_str s, const char *text);
bool sip_str_equal(struct sip_str a, struct sip_str b);
