// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/manager/costs.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/manager/roster.h"
#include "dataplane/session/portmap.h"
#include "dataplane/session/session.h"
#include "dataplane/srtp/srtp.h"

static const char *const part_text[MEMORY_COUNT] = {
#define X(name, text) [MEMORY_##name] = (text),
    MEMORY_PARTS(X)
#undef X
};

uint64_t memory_total(const struct memory_sum *sum)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < MEMORY_COUNT; i++)
        total += sum->part[i];
    return total;
}

void memory_describe(const struct memory_sum *sum, char *text, size_t len)
{
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < MEMORY_COUNT && used < len; i++) {
        if (sum->part[i] == 0)
            continue;
        uint64_t tenths = (sum->part[i] * 10 + (1 << 19)) >> 20;
        int n = snprintf(text + used, len - used, "%s%s %" PRIu64 ".%" PRIu64, used ? ", " : "", part_text[i],
                         tenths / 10, tenths % 10);
        used += n > 0 ? (size_t)n : len;
    }
}

// Value of a line "NAME:   123 kB" in bytes.
static bool find_kb(const char *text, const char *name, uint64_t *bytes)
{
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) != 0)
            continue;
        line += len;
        while (*line == ' ' || *line == '\t')
            line++;
        if (!isdigit((unsigned char)*line))
            return false;
        *bytes = strtoull(line, NULL, 10) * 1024;
        return true;
    }
    return false;
}

int memory_parse_status(const char *text, uint64_t *bytes)
{
    uint64_t resident, huge = 0; // huge pages are no part of the resident set; old kernels don't name them
    if (!find_kb(text, "VmRSS:", &resident))
        return -EPROTO;
    find_kb(text, "HugetlbPages:", &huge);
    *bytes = resident + huge;
    return 0;
}

int memory_process(uint64_t *bytes)
{
    char text[4096];
    FILE *f = fopen("/proc/self/status", "re");
    if (!f)
        return -errno;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    return memory_parse_status(text, bytes);
}

// ---- what a direction costs --------------------------------------------------------------------------

// Two chain heads for three records at the least, one for one at the most: see roster_init().
enum { CHAIN_SHARE = 8, PORT_LISTS = 2 * sizeof(uint16_t) };

static_assert(sizeof(struct tl_live_session) / 2 + sizeof(struct session) / 2 + 2 * sizeof(uint32_t) +
                      PORT_LISTS + (sizeof(struct roster_entry) + CHAIN_SHARE) / 2 <=
                  512,
              "a plain direction, all counted");

void memory_costs(struct memory_costs *out)
{
    *out = (struct memory_costs){
        .live = sizeof(struct tl_live_session) / 2,
        .session = sizeof(struct session) / 2,
        .ports = 2 * sizeof(((struct portmap *)0)->entry[0]) + PORT_LISTS,
        .record = (sizeof(struct roster_entry) + CHAIN_SHARE) / 2,
    };
    for (unsigned suite = TL_SUITE_NONE + 1; suite < TL_SUITE_COUNT; suite++) {
        size_t key = srtp_key_size(suite);
        if (key == 0)
            continue;
        out->rx[suite] = (uint32_t)(slab_size(key) + slab_size(sizeof(struct leg_rx)));
        out->tx[suite] = (uint32_t)(slab_size(key) + slab_size(sizeof(struct leg_keys)));
    }
}

uint32_t memory_plain(const struct memory_costs *costs)
{
    return costs->live + costs->session + costs->ports + costs->record;
}
