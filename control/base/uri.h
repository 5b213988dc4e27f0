// SPDX-License-Identifier: BSD-3-Clause
// URIs and name-addrs of header values, read as loosely as they come and written as RFC 3261 wants them. Nothing here
// allocates; what is read points into the bytes. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bytes inside something else; not NUL-terminated. p == NULL: absent.
struct header_str {
    const char *p;
    size_t len;
};

static inline struct header_str header_str(const char *text)
{
    return (struct header_str){text, text ? strlen(text) : 0};
}

bool header_str_is(struct header_str s, const char *text); // without case
struct header_str header_trim(struct header_str s);        // without spaces around

// Text that is being written into a fixed room, always with its final NUL. What does not fit sets `full`.
struct header_out {
    char *p;
    size_t size, len;
    bool full;
};

void header_put(struct header_out *out, struct header_str s);
void header_puts(struct header_out *out, const char *text);
void header_rewind(struct header_out *out, size_t len); // back to that length
void header_putf(struct header_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Whether a value has no control character but the tab: no CR, LF or NUL that would make a line of its own.
bool header_is_clean(struct header_str s);

// Copies a clean text as valid UTF-8: what is none becomes '?', a tab a space.
void header_put_utf8(struct header_out *out, struct header_str s);

// What must not reach the other side, and what stands there instead.
struct header_hide {
    const char *host;  // ours on the sending side: "192.0.2.1", "[2001:db8::1]", "sbc.example.com"
    const char *other; // our name on the other side, NULL or "": none
};

// The same without the other network: every IPv4 or IPv6 address in the text but the loopback's, and our name on the
// other side, becomes `hide->host`.
void header_put_hidden(struct header_out *out, struct header_str s, const struct header_hide *hide);

enum uri_scheme { URI_OTHER, URI_SIP, URI_SIPS, URI_TEL };

struct uri {
    enum uri_scheme scheme;
    bool callable;          // ... and may be called: see uri_read()
    uint16_t port;          // 0: none given, or none that can be
    struct header_str text; // all
    struct header_str user; // user part or number, without parameters and password; len 0: none
    struct header_str
        options;            // parameters of the user part or of the number, from their ';' on: behind `user`
    struct header_str host; // "[...]" with the brackets; len 0 but for sip and sips
    struct header_str params;  // of the URI, from their ';' on
    struct header_str headers; // behind '?'
};

// Reads a URI (RFC 3261 19.1, RFC 3966). In a user part '?', '#', ';', '@' and the like may stand as they do in the field
// (25.1 user-unreserved and more): it ends at the first '@' behind which a host stands. Of a scheme other than sip, sips and tel
// nothing more than that is known. Returns false, and *uri is of no use, for what has no scheme, no number or no host, or
// has a control character. `callable` says more: it is good as a Request-URI or Contact, too. No space, quote, < > or
// second '@' is in it, a port is one, and an IPv6 address is one.
bool uri_read(struct header_str text, struct uri *uri);

// The length of the scheme that a text begins with; 0 where it begins with none and a colon.
size_t uri_scheme_length(struct header_str text);

// RFC 3261 25.1: what may stand in the user part as it is.
bool uri_is_user_char(char c);

// Writes the text with its escapes replaced (one that is none stays as it stands). Returns false, and out is "", when that is
// nothing, does not fit or has a control character.
bool uri_unescape(struct header_str s, char *out, size_t size);

// Whether a host is an address: IPv4 or "[...]"; whether it stands for nobody: anonymous.invalid and what else ends in
// ".invalid" (RFC 3323 4.1.1.3).
bool uri_host_is_address(struct header_str host);
bool uri_host_is_nobody(struct header_str host);

// Whether a user part is a number: digits, '*' and '#', perhaps a '+' before them, visual separators between; '+', '#'
// and '*' also escaped.
bool uri_user_is_number(struct header_str user);

// Writes a user part: a number without its visual separators (RFC 3966 5.1.1); escaped is what may not stand there
// (RFC 3261 25.1), an escape that is there stays.
void uri_put_user(struct header_out *out, struct header_str user);

// Whether two numbers are the same but for visual separators and escapes. What is no number has to be equal.
bool uri_same_user(struct header_str a, struct header_str b);

// Looks for ";name" or ";name=value" among parameters, without case; *value is absent where it has none.
bool uri_param(struct header_str params, const char *name, struct header_str *value);

// Cuts the first ";name=value" off *rest, with its ';'. p == NULL when nothing is left. Quotes hold.
struct header_str uri_next_param(struct header_str *rest);

struct name_addr {
    struct header_str display; // as it stands there, trimmed, with its quotes
    struct header_str uri;     // without < >
    struct header_str params;  // of the header, from their ';' on
};

// Reads one name-addr or addr-spec. Returns false where quotes or < > do not match or there is no URI.
bool name_addr_read(struct header_str value, struct name_addr *addr);

// Writes a display name and a space behind it: as it came where it is legal, quoted where it was not. Nothing for an
// empty one.
void name_addr_put_display(struct header_out *out, struct header_str display);

// Cuts the first comma-separated value off *rest, trimmed; commas in quotes and < > do not count.
// Returns p == NULL when nothing is left.
struct header_str header_next_value(struct header_str *rest);
