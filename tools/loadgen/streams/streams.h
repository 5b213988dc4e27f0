// SPDX-License-Identifier: BSD-3-Clause
// `trunkline-loadgen streams`, and the same on DPDK ports in a program of its own.
#pragma once

#include "tools/loadgen/streams/port.h"

typedef int port_opener(const struct stream_options *o, const struct flow *flows, uint32_t count,
                        struct port **port, char *error, size_t size);

// Runs the command: argv[0] is its name, the arguments follow. `sockets` or `dpdk` opens the port, as the
// options ask; a program without DPDK gives NULL for the latter and execs the one that has it, which is
// installed beside it. Returns the exit status: 0 good, 1 not, 2 a wrong command line.
int streams_main(int argc, char **argv, port_opener *sockets, port_opener *dpdk);
