// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane takes of the machine's memory: its own sum, part by part, and what the kernel says of
// the process, which must be nearly the same. And what one direction of a call costs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/suite.h"

// Parts of the sum: name and what it is, in the order in which they are printed.
#define MEMORY_PARTS(X)                                                                                      \
    X(program, "program, libraries and DPDK")                                                                \
    X(packets, "packet buffers")                                                                             \
    X(live, "live table")                                                                                    \
    X(sessions, "sessions")                                                                                  \
    X(calls, "records of calls")                                                                             \
    X(keys, "keys")                                                                                          \
    X(ports, "media ports")                                                                                  \
    X(workers, "workers and rings")                                                                          \
    X(control, "rings of control")                                                                           \
    X(spare, "huge pages in reserve")

enum memory_part {
#define X(name, text) MEMORY_##name,
    MEMORY_PARTS(X)
#undef X
        MEMORY_COUNT
};

// Bytes of each part that are really there: what is only promised (pages that were never touched) is not in.
struct memory_sum {
    uint64_t part[MEMORY_COUNT];
};

uint64_t memory_total(const struct memory_sum *sum);

// "program, libraries and DPDK 41.2 MiB, packet buffers 75.8, ...": parts that are not empty.
void memory_describe(const struct memory_sum *sum, char *text, size_t len);

// Bytes of physical memory that this process has: resident set and huge pages, from /proc/self/status.
// 0 or -errno. Makes system calls.
int memory_process(uint64_t *bytes);

// The same from the text of that file; -EPROTO when it has no VmRSS. Pure.
int memory_parse_status(const char *text, uint64_t *bytes);

// ---- what a direction costs --------------------------------------------------------------------------

// A direction is half a call: what comes in on one leg and goes out on the other. Bytes.
struct memory_costs {
    uint32_t live;    // its record in the live table
    uint32_t session; // what was agreed on, and what the worker writes
    uint32_t ports;   // its entries in the port map and in the list of free ports
    uint32_t record;  // the manager's
    // More for a key of each suite (enum tl_suite): what we receive under it, with the windows of its SSRCs,
    // and what we send, with the history of the leg's keys.
    uint32_t rx[TL_SUITE_COUNT];
    uint32_t tx[TL_SUITE_COUNT];
};

void memory_costs(struct memory_costs *out);

// Sum of the first four: a plain direction.
uint32_t memory_plain(const struct memory_costs *costs);
