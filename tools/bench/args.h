// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include "tools/bench/plan.h"

enum { ARGS_STREAMS_MAX = 8, ARGS_STREAMS_MOST = 200000 };

enum part { PART_ARMS, PART_TWO_CORE, PART_TWO_WORKERS, PART_COUNT };

struct args {
    struct options options;
    unsigned streams[ARGS_STREAMS_MAX];
    unsigned stream_count;
    const char *json;
    const char *commit;
    const char *instructions; // arm to run for callgrind, or NULL
    unsigned packets;
    unsigned parts; // 1 << enum part
};

// Reads the command line; a wrong one ends the program with status 2, --help with 0.
void args_read(struct args *a, int argc, char **argv);
