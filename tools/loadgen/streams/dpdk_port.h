// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tools/loadgen/streams/port.h"

// Starts an EAL, takes the ethdev with one queue each way, finds the next hops. As sockets_open(); once in a
// process.
int dpdk_port_open(const struct stream_options *o, const struct flow *flows, uint32_t count,
                   struct port **port, char *error, size_t size);
