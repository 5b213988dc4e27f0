// SPDX-License-Identifier: BSD-3-Clause
// The operator's reload.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// Answers "reload" for the agent `arg`, as struct ctl_provider says.
json_t *reload_answer(void *arg, bool dry_run, char *refused, size_t size);
