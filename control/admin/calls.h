// SPDX-License-Identifier: BSD-3-Clause
// The agent's answers on the operator's socket.
#pragma once

#include "control/admin/ctl.h"
#include "control/agent/agent.h"

// Asked with a struct agent as `arg`.
extern const struct ctl_provider agent_provider;

// Adds the registrations of each trunk to a list that ctl_trunks() made, and says which trunks wait for theirs.
void ctl_add_registrations(const struct agent *agent, json_t *trunks);

// A list of the certificates that listeners and trunks show, and of the CAs that they believe; `trunk`: of that one alone, NULL: all.
// [{"listener" or "trunk", "role": "ours" or "CA", "state", "days_left", "subject", "names", "issuer", "not_before", "not_after",
// "ends_first": what it stands on and ends with, or null, "file"}]. NULL without memory.
json_t *ctl_certificates(const struct agent *agent, const char *trunk);
