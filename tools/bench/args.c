// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usage =
    "usage: trunkline-bench [OPTION...]\n"
    "Measures the packet engine against the limits of this machine. tools/bench.sh sets up what it needs and "
    "runs it.\n"
    "  --quick              1,000 and 10,000 streams, the main arms, in a minute\n"
    "  --json FILE          the result, for the report\n"
    "  --streams N,N...     numbers of streams (1,1000,10000,64000,200000)\n"
    "  --parts P,P...       arms, two_core (throughput, latency, updates, attack), two_workers (all; arms "
    "when quick)\n"
    "  --only TEXT          only engine arms whose name contains TEXT\n"
    "  --repetitions N      slices of each arm that count (30)\n"
    "  --slice-us N         length of a slice (60000)\n"
    "  --checksums HOW      of IPv4 and UDP: nic (done by the device, as by any NIC) or software (nic)\n"
    "  --cores A[,B]        CPUs; two for what needs two (0,1)\n"
    "  --no-huge            ordinary memory instead of huge pages\n"
    "  --commit TEXT        what the sources are, for the report\n"
    "  --arms               prints the names of all arms and ends\n"
    "  --instructions ARM   runs --packets packets of one arm at --streams streams and ends: for callgrind\n"
    "  --packets N          how many, in rounds of 4096; the difference of two runs is what they cost "
    "(4096)\n";

static void wrong(const char *what, const char *value)
{
    fprintf(stderr, "bench: %s '%s' (see --help)\n", what, value);
    exit(2);
}

static unsigned number(const char *name, const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (end == text || *end || v < low || v > high) {
        fprintf(stderr, "bench: %s takes a number from %u to %u, not '%s'\n", name, low, high, text);
        exit(2);
    }
    return (unsigned)v;
}

// "1,1000": up to `room` numbers.
static unsigned numbers(const char *name, const char *text, unsigned low, unsigned high, unsigned *out,
                        unsigned room)
{
    char copy[128], *save = NULL;
    unsigned n = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (n == room)
            wrong("too many numbers in", text);
        out[n++] = number(name, word, low, high);
    }
    if (n == 0)
        wrong("no number in", text);
    return n;
}

static unsigned parts(const char *text)
{
    static const char *const name[PART_COUNT] = {"arms", "two_core", "two_workers"};
    char copy[64], *save = NULL;
    unsigned set = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        unsigned i = 0;
        while (i < PART_COUNT && strcmp(word, name[i]) != 0)
            i++;
        if (i == PART_COUNT)
            wrong("--parts has no", word);
        set |= 1u << i;
    }
    return set;
}

static void defaults(struct args *a)
{
    a->packets = a->packets ? a->packets : CIRCULATING;
    static const unsigned quick[] = {1000, 10000}, full[] = {1, 1000, 10000, 64000, 200000};
    struct options *o = &a->options;
    if (a->stream_count == 0) {
        a->stream_count = o->quick ? 2 : 5;
        memcpy(a->streams, o->quick ? quick : full, a->stream_count * sizeof a->streams[0]);
    }
    if (o->repetitions == 0)
        o->repetitions = 30;
    if (o->slice_us == 0)
        o->slice_us = o->quick ? 20000 : 60000;
    if (a->parts == 0)
        a->parts = o->quick ? 1u << PART_ARMS : (1u << PART_COUNT) - 1;
    if (o->cores == 0) {
        o->core[0] = 0;
        o->core[1] = 1;
        o->cores = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
    }
}

void args_read(struct args *a, int argc, char **argv)
{
    memset(a, 0, sizeof *a);
    a->options.huge = true;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        struct options *o = &a->options;
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
            fputs(usage, stdout);
            exit(0);
        } else if (strcmp(name, "--arms") == 0) {
            for (unsigned k = 0; k < arm_count; k++)
                puts(arms[k].name);
            exit(0);
        } else if (strcmp(name, "--quick") == 0) {
            o->quick = true;
            continue;
        } else if (strcmp(name, "--no-huge") == 0) {
            o->huge = false;
            continue;
        }
        if (strncmp(name, "--", 2) != 0 || !*value)
            wrong("no option, or one without its value:", name);
        i++;
        if (strcmp(name, "--json") == 0)
            a->json = value;
        else if (strcmp(name, "--streams") == 0)
            a->stream_count = numbers(name, value, 1, ARGS_STREAMS_MOST, a->streams, ARGS_STREAMS_MAX);
        else if (strcmp(name, "--parts") == 0)
            a->parts = parts(value);
        else if (strcmp(name, "--only") == 0)
            o->only = value;
        else if (strcmp(name, "--repetitions") == 0)
            o->repetitions = number(name, value, 1, REPETITIONS_MAX);
        else if (strcmp(name, "--slice-us") == 0)
            o->slice_us = number(name, value, 1, 1000000);
        else if (strcmp(name, "--checksums") == 0 && strcmp(value, "software") == 0)
            o->sums_in_software = true;
        else if (strcmp(name, "--checksums") == 0 && strcmp(value, "nic") == 0)
            o->sums_in_software = false;
        else if (strcmp(name, "--cores") == 0)
            o->cores = numbers(name, value, 0, 1023, o->core, LANES_MAX);
        else if (strcmp(name, "--commit") == 0)
            a->commit = value;
        else if (strcmp(name, "--instructions") == 0)
            a->instructions = value;
        else if (strcmp(name, "--packets") == 0)
            a->packets = number(name, value, CIRCULATING, 1u << 30);
        else
            wrong("unknown option or value:", name);
    }
    defaults(a);
}
