// SPDX-License-Identifier: BSD-3-Clause
// URIs that a message is sent to or answered by (RFC 3261 section 19.1, RFC 3966), read by control/base/uri.h, and written.
// Nothing here allocates. Any thread.
#pragma once

#include "common/config/transport.h"
#include "common/contract.h"
#include "control/base/uri.h"
#include "control/sip/msg.h"

// Parts of a URI, as they stand there. p == NULL: absent.
struct sip_uri {
    enum uri_scheme scheme;
    struct sip_str user;    // with its parameters, without password; of tel: the number
    struct sip_str host;    // name, IPv4, or IPv6 in brackets; none for tel
    uint16_t port;          // 0 = none given
    struct sip_str params;  // from the first ';' behind host or number
    struct sip_str headers; // from '?' on
};

// Reads a URI that is callable, see uri_read(). Returns false for others.
bool sip_read_uri(struct sip_str text, struct sip_uri *uri);

// Whether it begins with a scheme and a colon, whatever follows.
bool sip_has_scheme(struct sip_str text);

// The user part without its parameters, escapes replaced: uri_unescape().
bool sip_uri_user(const struct sip_uri *uri, char *out, size_t size);

// The number that a URI is about: the user part, or the number of a tel URI, without parameters, visual separators (RFC 3966
// section 3) and escapes. Returns false, and out is "", when there is none or it does not fit.
bool sip_uri_number(struct sip_str text, char out[static SIP_NUMBER_MAX]);

// Address and port that the host of a sip URI stands for, maddr before host (RFC 3261 section 19.1.1), the
// transport's port where none is given. Returns false when that is a name.
bool sip_uri_address(const struct sip_uri *uri, struct tl_addr *out);

// Whether a URI is a sips: one: who uses it wants TLS on each hop (RFC 5630 section 4).
bool sip_uri_is_secure(struct sip_str text);

// Writes "sip:USER@HOST:PORT" and what the transport adds, or "sips:USER@HOST:PORT", which says all of it (RFC 5630 section
// 5.1.1). USER comes from outside and is escaped; NULL or "" leaves it out. Cut to size; never in the middle of an escape.
void sip_write_uri(char *out, size_t size, enum tl_uri_scheme scheme, const char *user,
                   const struct tl_addr *addr, enum tl_transport transport);

// A user part with all escaped that may not stand there (25.1). Cut to size, never in the middle of an escape.
void sip_escape_user(const char *user, char *out, size_t size);
