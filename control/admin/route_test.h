// SPDX-License-Identifier: BSD-3-Clause
// What would become of a call: the operator's question, answered by what routes calls (control/trunk/way.h). Nothing is counted,
// no turn of a group and no token is used up.
#pragma once

#include <jansson.h>

#include "control/trunk/generation.h"

struct route_test {
    const char *trunk;     // name of the trunk that the call comes by
    const char *from, *to; // numbers, user parts or URIs; `from` "": nobody
    bool offline; // asked of a configuration that nobody runs: nothing is known of trunks and dataplane
    bool dataplane_away;
};

// Answers it for the current generation of `table`:
//   {"trunk", "offline": bool, "called": number, "calling": number, "emergency": bool,
//    "routes": [{"route": its place in the configuration, "prefix", "called", "calling", "from", "priority", "trunks": [names],
//                "group", "deny", "deny_text", "peer_to_peer", "back_to_origin", "verdict": "taken", "from", "called", "calling" or
//                "side", "why": sentence}], "routes_passed": how many were not looked at,
//    "group": null or {"name", "order"},
//    "trunks": [{"trunk", "place": 1 for who is tried first, null for who is not, "state": "unchecked", "up" or "down",
//                "rank": "good", "failing", "down" or "resting", "verdict": "tried", "side", "unregistered", "resting" or the
//                label of a limit, "why", "called": number, "calling": number}],
//    "limit": null or the label of the limit that turns it away,
//    "status": null or what it is turned away with, "phrase", "retry_after": s, "why"}
//   number: {"before", "after", "translation": null or its name, "rule": null or its place, "match", "to", "remove_plus": bool}
// Numbers are escaped as in logs. NULL with a sentence in `refused` when the question cannot be answered.
json_t *route_test_answer(const struct trunk_table *table, const struct route_test *ask, uint64_t now_ms,
                          char *refused, size_t size);

// The same for a configuration that nobody runs: its trunks count as up and never checked, the dataplane as there.
json_t *route_test_offline(const struct tl_config *config, const struct route_test *ask, char *refused,
                           size_t size);
