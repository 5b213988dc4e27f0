// SPDX-License-Identifier: BSD-3-Clause
// DPDK for unit tests: no huge pages, no PCI, nothing shared, one lcore.
#pragma once

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <stdio.h>

// Starts DPDK with `extra` arguments (NULL-terminated list, NULL for none). False: it did not start.
static inline bool eal_for_tests(const char *const *extra)
{
    static char text[24][64];
    static char *argv[25];
    static const char *const base[] = {
        "test", "-l",       "0",           "--no-huge",      "-m",
        "64",   "--no-pci", "--no-shconf", "--no-telemetry", "--log-level=error",
        NULL};
    int argc = 0;
    for (const char *const *a = base; *a; a++, argc++)
        snprintf(text[argc], sizeof text[argc], "%s", *a);
    for (const char *const *a = extra; a && *a; a++, argc++)
        snprintf(text[argc], sizeof text[argc], "%s", *a);
    for (int i = 0; i < argc; i++)
        argv[i] = text[i];
    return rte_eal_init(argc, argv) >= 0;
}
