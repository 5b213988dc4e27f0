// SPDX-License-Identifier: BSD-3-Clause
// trunkline-bench: see --help, docs/performance.md and tools/bench.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/session/g711.h"
#include "tools/bench/args.h"
#include "tools/bench/report.h"
#include "tools/bench/two_core.h"

enum { PORT_PAIRS = 32000, SPARE_SESSIONS = 64, MEGABYTES_BASE = 384, SESSIONS_PER_MEGABYTE = 200 };
enum { TWO_CORE_STREAMS = 10000, TWO_CORE_SESSIONS = 2048, TWO_CORE_MOST = 10 };

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show_progress(const struct plan *p, unsigned done, unsigned all)
{
    static unsigned last = UINT32_MAX;
    unsigned percent = done * 100 / all;
    (void)p;
    if (percent == last || (!isatty(2) && percent % 10 != 0))
        return;
    last = percent;
    fprintf(stderr, isatty(2) ? "\rbench: %u %%" : "bench: %u %%\n", percent);
    if (isatty(2) && done == all)
        fprintf(stderr, "\n");
}

// Ports and memory for the sessions of the largest phase.
static void size_dataplane(struct options *o, unsigned sessions)
{
    o->max_sessions = sessions + SPARE_SESSIONS;
    o->realms = RTE_MAX(2u, (o->max_sessions + PORT_PAIRS - 1) / PORT_PAIRS);
    o->memory_mb = MEGABYTES_BASE + o->max_sessions / SESSIONS_PER_MEGABYTE;
}

// Exactly so many packets of one arm and nothing else: what callgrind counts in step_timed(), at two numbers
// of packets, differs by the instructions of the difference.
static int run_instructions(struct bench *b, const struct args *a)
{
    const struct arm *arm = arm_find(a->instructions);
    struct verdict v = {0};
    if (!arm)
        die("there is no arm '%s'", a->instructions);
    size_dataplane(&b->options, a->streams[0]);
    place_start(b);
    place_up(b, 1);
    struct set *s = set_new(b, arm, &b->lane[0], a->streams[0], PAYLOAD_MAX, SET_OWN_RATE);
    set_begin(s);
    for (unsigned done = 0; done < a->packets; done += CIRCULATING) {
        traffic_make(b, s, CIRCULATING);
        step_timed(&b->lane[0], step_of(s), CIRCULATING);
        check_round(b, s, CIRCULATING, &v);
    }
    check_counters(b, s, &v);
    set_free(b, s);
    place_down(b);
    place_end(b);
    printf("%s: %lu packets, gate %s\n", arm->name, (unsigned long)v.sent,
           verdict_right(&v) ? "passed" : "FAILED");
    return verdict_right(&v) ? 0 : 1;
}

// The largest number of streams that two cores are tried with.
static unsigned two_core_streams(const struct args *a)
{
    unsigned most = 0;
    for (unsigned i = 0; i < a->stream_count; i++)
        if (a->streams[i] <= TWO_CORE_STREAMS)
            most = RTE_MAX(most, a->streams[i]);
    return most ? most : TWO_CORE_STREAMS;
}

static bool has(const struct args *a, enum part part)
{
    return a->parts >> part & 1;
}

// Everything that was asked for. Returns whether all packets passed the gate.
static bool run_parts(struct bench *b, const struct args *a, struct plan *plan, json_t *found)
{
    unsigned streams = two_core_streams(a),
             repetitions = RTE_MIN(b->options.repetitions, (unsigned)TWO_CORE_MOST);
    bool right = true;
    place_up(b, 1);
    if (has(a, PART_ARMS))
        plan_run(plan, b, show_progress);
    if (has(a, PART_TWO_CORE) && b->options.cores > 1)
        right &= two_core_run(b, streams, repetitions, RTE_MAX(1u, b->options.slice_us / 400), found);
    place_down(b);
    if (has(a, PART_TWO_WORKERS) && b->options.cores > 1) {
        place_up(b, 2);
        right &= two_workers_run(b, streams, repetitions, b->options.slice_us, found);
        place_down(b);
    }
    return right;
}

static int run_all(struct bench *b, const struct args *a, const char *command)
{
    struct plan plan;
    struct verdict sum;
    struct run run = {
        .bench = b, .plan = &plan, .command = command, .commit = a->commit, .extra = json_object()};
    time_t now = time(NULL);
    struct tm utc;
    double begin = seconds_now();
    strftime(run.started, sizeof run.started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    machine_load(run.load_before);
    plan_make(&plan, &b->options, a->streams, has(a, PART_ARMS) ? a->stream_count : 0);
    size_dataplane(&b->options, RTE_MAX(plan_sessions(&plan), 2 * two_core_streams(a) + TWO_CORE_SESSIONS));
    place_start(b);
    bool right = run_parts(b, a, &plan, run.extra);
    run.seconds = seconds_now() - begin;
    report_text(&run, stdout);
    two_core_text(run.extra, stdout);
    right &= report_gate(&run, &sum);
    if (!right)
        printf("the correctness gate FAILED\n");
    int status = right ? 0 : 1;
    if (a->json && report_json(&run, a->json))
        status = 1;
    place_end(b);
    plan_free(&plan);
    json_decref(run.extra);
    return status;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct args args;
    char command[512] = "trunkline-bench";
    size_t used = strlen(command);
    for (int i = 1; i < argc && used < sizeof command; i++)
        used += snprintf(command + used, sizeof command - used, " %s", argv[i]);
    args_read(&args, argc, argv);
    bench.options = args.options;
    g711_select();
    return args.instructions ? run_instructions(&bench, &args) : run_all(&bench, &args, command);
}
