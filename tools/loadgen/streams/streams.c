// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/streams.h"

#include "tools/loadgen/streams/result.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_GOOD, EXIT_BAD_RUN, EXIT_BAD_ARGS };

static void on_signal(int number)
{
    (void)number;
    run_stop = run_stop + 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// The program that has DPDK stands beside this one.
static int hand_over(char **argv)
{
    char path[PATH_MAX], here[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);

    if (length > 0) {
        here[length] = 0;
        snprintf(path, sizeof path, "%s/trunkline-loadgen-dpdk", dirname(here));
        execv(path, argv);
    }
    fprintf(stderr, "trunkline-loadgen: --dpdk needs trunkline-loadgen-dpdk beside this program: %s\n",
            strerror(errno));
    return EXIT_BAD_RUN;
}

static int write_report(const struct stream_options *o, const struct result *result, const struct run *run)
{
    if (o->json != NULL && strcmp(o->json, "-") == 0) {
        result_json(stdout, result, run);
        return fflush(stdout);
    }
    result_print(stdout, result, run);
    if (o->json == NULL)
        return 0;

    FILE *out = fopen(o->json, "w");
    if (out != NULL) {
        result_json(out, result, run);
        if (fclose(out) == 0)
            return 0;
    }
    fprintf(stderr, "trunkline-loadgen: can't write %s: %s\n", o->json, strerror(errno));
    return -EIO;
}

// In an echo the sender knows its own end, whether or not that came back.
static void close_echo(struct run *run)
{
    for (uint32_t i = 0; run->o->mode == MODE_ECHO && i < run->count; i++) {
        run->flows[i].in.ended = true;
        run->flows[i].in.total = run->sending_until == 0 ? run->flows[i].number : run->flows[i].total;
    }
}

static int run_streams(const struct stream_options *o, struct flow *flows, uint32_t count,
                       port_opener *open_port)
{
    struct run *run = calloc(1, sizeof *run);
    struct result *result = calloc(1, sizeof *result);
    char error[300] = "out of memory";
    int status = EXIT_BAD_RUN;

    if (run == NULL || result == NULL || open_port(o, flows, count, &run->port, error, sizeof error) != 0) {
        fprintf(stderr, "trunkline-loadgen: %s\n", error);
    } else {
        run->o = o;
        run->flows = flows;
        run->count = count;
        inject_init(&run->inject, plan_ssrc(o->seed, o->side, 0), o->lose_ppm, o->duplicate_ppm,
                    o->corrupt_ppm, o->swap_ppm);
        fprintf(stderr, "ready: %u streams, %s\n", count, run->port->name);
        run_all(run, o->progress ? stderr : NULL);
        close_echo(run);
        result_make(result, run);
        if (write_report(o, result, run) == 0 && result_good(result))
            status = EXIT_GOOD;
        run->port->ops->close(run->port);
    }
    free(result);
    free(run);
    return status;
}

int streams_main(int argc, char **argv, port_opener *sockets, port_opener *dpdk)
{
    struct stream_options o;
    struct flow *flows;
    uint32_t count;
    char error[300];

    switch (stream_options_parse(argc, argv, &o, error, sizeof error)) {
    case STREAM_ARGS_HELP:
        fputs(stream_options_help, stdout);
        return EXIT_GOOD;
    case STREAM_ARGS_BAD:
        fprintf(stderr, "trunkline-loadgen: %s\n", error);
        return EXIT_BAD_ARGS;
    default:
        break;
    }
    if (o.dpdk != NULL && dpdk == NULL)
        return hand_over(argv);
    catch_signals();
    if (flows_open(&o, &flows, &count, error, sizeof error) != 0) {
        fprintf(stderr, "trunkline-loadgen: %s\n", error);
        return EXIT_BAD_RUN;
    }
    const int status = run_streams(&o, flows, count, o.dpdk != NULL ? dpdk : sockets);

    flows_close(flows, count);
    return status;
}
