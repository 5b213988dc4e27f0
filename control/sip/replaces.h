// SPDX-License-Identifier: BSD-3-Clause
// Replaces (RFC 3891 section 6.1), as a header and inside a Refer-To URI. Nothing here allocates. Any thread.
#pragma once

#include "control/sip/msg.h"
#include "control/sip/uri.h"

enum { SIP_REPLACES_MAX = 512 }; // bytes of one, with its final NUL

// The dialog that it names, as the one who gets it knows it: to_tag is that one's own.
struct sip_replaces {
    struct sip_str call_id, to_tag, from_tag;
    bool early_only;
};

// Reads a value. Returns false when a part is missing or is there twice, or it has more than one value.
bool sip_read_replaces(struct sip_str value, struct sip_replaces *out);

// The header `name` (compared without case) of a URI, escapes undone. Returns false, and out is "", when it has none or
// two, or that does not fit or has a control character.
bool sip_uri_header(const struct sip_uri *uri, const char *name, char *out, size_t size);
