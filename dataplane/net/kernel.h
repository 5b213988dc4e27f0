// SPDX-License-Identifier: BSD-3-Clause
// The kernel beside us: settings of interfaces that the dataplane shares with it and that make it answer
// media.
#pragma once

#include "common/config/config.h"

// Says, one sentence each, what of the kernel's settings will disturb media on AF_PACKET ports: forwarding on
// the interface (a redirect for each packet) and media addresses that the kernel has too (a port unreachable
// for each packet). Nothing of it keeps the dataplane from running. Returns how many there were. Main lcore.
unsigned kernel_warnings(const struct tl_config *config, void (*say)(const char *sentence));
