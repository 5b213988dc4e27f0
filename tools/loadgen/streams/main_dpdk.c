// SPDX-License-Identifier: BSD-3-Clause
// trunkline-loadgen-dpdk: `trunkline-loadgen streams` with DPDK ports. A program of its own, so that the
// other one starts where there is no DPDK; that one execs it for --dpdk.
#include "tools/loadgen/streams/dpdk_port.h"
#include "tools/loadgen/streams/streams.h"

#include <string.h>

int main(int argc, char **argv)
{
    const int named = argc > 1 && strcmp(argv[1], "streams") == 0;

    return streams_main(argc - named, argv + named, sockets_open, dpdk_port_open);
}
