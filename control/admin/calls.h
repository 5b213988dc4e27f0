// SPDX-License-Identifier: BSD-3-Clause
// The agent's answers on the operator's socket.
#pragma once

#include "control/admin/ctl.h"
#include "control/agent/agent.h"

// Asked with a struct agent as `arg`.
extern const struct ctl_provider agent_provider;
