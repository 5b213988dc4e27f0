// SPDX-License-Identifier: BSD-3-Clause
// Where a call goes by its called number.
#pragma once

#include "common/config/config.h"

// The route of a call that came by trunk `from` (index) and calls `number`: the longest prefix that fits, and
// at the same length a route for this trunk before one for all. A route that is open to the call on none of its trunks
// (tl_route_open()) does not fit. NULL: no route, which is 404, or with *closed 403: one would fit but for that.
//
// `number` is the user part of the Request-URI as it came: its visual separators "-.()" do not count (RFC
// 3966 5.1.1), neither do parameters behind ";"; %2B, %23 and %2A mean + # *. A user that is no number fits
// only "". Any thread.
const struct tl_route_config *route_find(const struct tl_config *config, uint32_t from, const char *number,
                                         bool *closed);
