// SPDX-License-Identifier: BSD-3-Clause
// What is to be known of each transport, a row a transport. Who adds one adds a row here, its operations in
// control/sip/transport.c, and nothing else. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// number, then the fields of struct tl_transport_row in their order
#define TL_TRANSPORTS(X)                                                                                     \
    X(TL_UDP, "udp", "UDP", "", false, false, false, 5060)                                                   \
    X(TL_TCP, "tcp", "TCP", ";transport=tcp", true, true, false, 5060)                                       \
    X(TL_TLS, "tls", "TLS", ";transport=tls", true, true, true, 5061)

enum tl_transport {
#define X(id, ...) id,
    TL_TRANSPORTS(X)
#undef X
        TL_TRANSPORT_COUNT
};

struct tl_transport_row {
    const char *name;      // in the configuration, the log and trunklinectl
    const char *via;       // in Via: "UDP"
    const char *uri;       // what stands behind a URI: ";transport=tcp", "" for what a URI means without it
    bool reliable;         // repeats by itself: timers A, E and G are off, D, I, J and K are 0
    bool stream;           // messages are cut by Content-Length, a peer's port is any
    bool secure;           // what crosses it cannot be read on the way
    uint16_t default_port; // of a URI or Via without one
};

// Scheme of the URIs that address a peer and ourselves. sips: TLS on each hop (RFC 5630).
enum tl_uri_scheme { TL_URI_SIP, TL_URI_SIPS };

// What a URI begins with: "sip:" or "sips:"; and what it says of its transport: ";transport=tcp", "" for sips:, where it is
// always TLS over TCP and transport=tls must not stand (RFC 5630 section 5.1.1).
const char *tl_uri_scheme_text(enum tl_uri_scheme scheme);
const char *tl_uri_transport(enum tl_uri_scheme scheme, enum tl_transport transport);

// The names, with a final NULL: the words of the configuration.
extern const char *const tl_transport_words[TL_TRANSPORT_COUNT + 1];

// The row of a transport; never NULL (an unknown number has UDP's).
const struct tl_transport_row *tl_transport_row(enum tl_transport transport);

// The transport with that name, `len` bytes compared without case, as in Via and in a URI's parameter.
// Returns false when there is none.
bool tl_transport_by_name(const char *name, size_t len, enum tl_transport *out);
