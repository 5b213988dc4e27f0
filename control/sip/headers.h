// SPDX-License-Identifier: BSD-3-Clause
// The headers of common/header_names.h as the messages of this room number them. A name outside of that list can still be
// found by its text.
#pragma once

#include "common/header_names.h"

enum sip_name {
    SIP_NAME_OTHER, // not in the list
#define X(id, ...) SIP_NAME_##id,
    TL_HEADERS(X)
#undef X
        SIP_NAME_COUNT
};
