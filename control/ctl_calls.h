// SPDX-License-Identifier: BSD-3-Clause
// The agent's answers on the operator's socket.
#pragma once

#include "control/agent.h"
#include "control/ctl.h"

// Asked with a struct agent as `arg`.
extern const struct ctl_provider agent_provider;
