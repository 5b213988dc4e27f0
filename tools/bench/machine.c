// SPDX-License-Identifier: BSD-3-Clause
// What a figure is worth nothing without: machine, versions, load.
#include <intel-ipsec-mb.h>
#include <rte_cycles.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dataplane/session/g711.h"
#include "tools/bench/report.h"

enum { LINE = 8192 };

// Value of the first line "KEY : VALUE" of a file of /proc, "" without one.
static void proc_value(const char *file, const char *key, char *out, size_t len)
{
    char line[LINE];
    FILE *f = fopen(file, "r");
    out[0] = 0;
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        colon[strcspn(colon, "\n")] = 0;
        snprintf(out, len, "%s", colon);
        break;
    }
    if (f)
        fclose(f);
}

// Of the CPU's flags those that this program's code cares for.
static json_t *flags_json(void)
{
    static const char *const care[] = {"aes",        "avx2",       "avx512bw",     "avx512vbmi",
                                       "gfni",       "hypervisor", "sha_ni",       "vaes",
                                       "vpclmulqdq", "rdtscp",     "constant_tsc", "nonstop_tsc"};
    char flags[LINE];
    json_t *list = json_array();
    proc_value("/proc/cpuinfo", "flags", flags, sizeof flags);
    for (char *save, *word = strtok_r(flags, " ", &save); word; word = strtok_r(NULL, " ", &save))
        for (unsigned i = 0; i < sizeof care / sizeof care[0]; i++)
            if (strcmp(word, care[i]) == 0)
                json_array_append_new(list, json_string(word));
    return list;
}

void machine_load(double load[3])
{
    if (getloadavg(load, 3) != 3)
        load[0] = load[1] = load[2] = 0;
}

double machine_tsc_hz(void)
{
    return (double)rte_get_tsc_hz();
}

json_t *machine_json(const struct run *run)
{
    char cpu[128], memory[32], free_pages[32], pages[32], page_size[32];
    struct utsname u;
    double load[3];
    uname(&u);
    machine_load(load);
    proc_value("/proc/cpuinfo", "model name", cpu, sizeof cpu);
    proc_value("/proc/meminfo", "MemTotal", memory, sizeof memory);
    proc_value("/proc/meminfo", "HugePages_Total", pages, sizeof pages);
    proc_value("/proc/meminfo", "HugePages_Free", free_pages, sizeof free_pages);
    proc_value("/proc/meminfo", "Hugepagesize", page_size, sizeof page_size);
    struct spread speed = {0};
    double *copy = calloc(run->plan->slices + 1, sizeof *copy);
    if (copy && run->plan->slices > 0) {
        memcpy(copy, run->plan->speed, run->plan->slices * sizeof *copy);
        speed = spread_of(copy, run->plan->slices);
    }
    free(copy);
    return json_pack("{s:s, s:i, s:o, s:s, s:s, s:f, s:o, s:s, s:{s:i, s:i, s:s}, s:{s:[f,f,f], s:[f,f,f]}}",
                     "cpu", cpu, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "flags", flags_json(), "kernel",
                     u.release, "system", u.version, "tsc_hz", machine_tsc_hz(), "core_per_tsc",
                     stats_spread(&speed), "memory", memory, "huge_pages", "total", atoi(pages), "free",
                     atoi(free_pages), "size", page_size, "load", "before", run->load_before[0],
                     run->load_before[1], run->load_before[2], "after", load[0], load[1], load[2]);
}

json_t *versions_json(const struct run *run)
{
    return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:s}", "trunkline", TRUNKLINE_VERSION, "commit",
                     run->commit, "dpdk", rte_version(), "ipsec_mb", imb_get_version_str(), "libre",
                     LIBRE_VERSION, "libsrtp2", LIBSRTP_VERSION, "compiler", __VERSION__, "srtp_engine",
                     srtp_ctx_name(run->bench->lane[0].srtp));
}
