// SPDX-License-Identifier: BSD-3-Clause
// trunkline-bench: see --help, docs/performance.md and tools/bench.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/g711.h"
#include "tools/bench/args.h"
#include "tools/bench/report.h"

enum { PORT_PAIRS = 32000, SPARE_SESSIONS = 64, MEGABYTES_BASE = 384, SESSIONS_PER_MEGABYTE = 200 };

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
    if (percent == last)
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

static int run_plan(struct bench *b, const struct args *a, const char *command)
{
    struct plan plan;
    struct verdict sum;
    struct run run = {
        .bench = b, .plan = &plan, .command = command, .commit = a->commit, .extra = json_object()};
    time_t now = time(NULL);
    double begin = seconds_now();
    strftime(run.started, sizeof run.started, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    machine_load(run.load_before);
    plan_make(&plan, &b->options, a->streams, a->stream_count);
    size_dataplane(&b->options, plan_sessions(&plan));
    place_start(b);
    place_up(b, 1);
    plan_run(&plan, b, show_progress);
    place_down(b);
    run.seconds = seconds_now() - begin;
    report_text(&run, stdout);
    int status = report_gate(&run, &sum) ? 0 : 1;
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
    return args.instructions ? run_instructions(&bench, &args) : run_plan(&bench, &args, command);
}
