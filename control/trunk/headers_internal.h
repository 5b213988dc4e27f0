// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the header plan.
#pragma once

#include "control/trunk/headers.h"

// Privacy that a message asks for (RFC 3323 4.2, RFC 3325 9.3, RFC 7044 10.1).
struct privacy {
    bool header, session, user, id, history, critical, none;
};

// A plan that is being made.
struct planner {
    const struct header_ask *ask;
    struct header_plan *plan;
    struct header_out out;
    char host[TL_HOST_MAX]; // ours on the sending side
    struct header_hide hide;
    struct privacy privacy; // what the message asks for
    bool to_strangers;      // the trunk that it goes to is not trusted
    bool nobody;            // From came anonymous
    bool anonymous;         // we make From anonymous
    bool hide_id;           // no identity may go
    bool same_numbers;      // calling and called stay as they were
};

// ---- headers.c

// Value of the first header with that number; p == NULL: none.
struct header_str header_first(const struct header_view *msg, enum tl_header_id id);

// ---- identity.c

// Reads the URI of a party: uri_read(), and that of a tel URI is a number.
bool identity_uri(struct header_str text, struct uri *uri);

// Reads Privacy and From, and decides what of the caller may be shown.
void identity_privacy(struct planner *p);

// Request-URI, From, To and Contact of a set-up.
void identity_setup(struct planner *p);
void identity_contact(struct planner *p, struct header_str user);

// Writes the values of an identity's line with their addresses changed, as "NAME: VALUES" with CRLF. Nothing when none
// is left.
void identity_line(struct planner *p, const struct tl_header *header, struct header_str value);

// Whether an identity of that rule may go at all.
bool identity_passes(const struct planner *p, enum tl_header_rule rule);

void identity_privacy_line(struct planner *p, struct header_str value);
