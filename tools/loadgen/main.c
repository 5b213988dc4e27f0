// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/report.h"
#include "tools/loadgen/streams/streams.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { EXIT_GOOD, EXIT_BAD_RUN, EXIT_BAD_ARGS };

static int write_report(const struct options *o, const struct report *r, const struct agent *a)
{
    const bool to_stdout = o->json != NULL && strcmp(o->json, "-") == 0;

    if (to_stdout) {
        report_json(stdout, r, a);
        return 0;
    }
    report_print(stdout, r, a);
    if (o->json == NULL)
        return 0;

    FILE *out = fopen(o->json, "w");
    if (out == NULL) {
        fprintf(stderr, "trunkline-loadgen: can't write %s: %s\n", o->json, strerror(errno));
        return -errno;
    }
    report_json(out, r, a);
    if (fclose(out) != 0) {
        fprintf(stderr, "trunkline-loadgen: can't write %s: %s\n", o->json, strerror(errno));
        return -EIO;
    }
    return 0;
}

static int run(const struct options *o)
{
    static struct agent agent;
    struct report report;
    char error[200];
    int status = EXIT_BAD_RUN;

    if (agent_init(&agent, o, error, sizeof error) != 0) {
        fprintf(stderr, "trunkline-loadgen: %s\n", error);
    } else {
        const int failed = agent_run(&agent);

        if (failed != 0)
            fprintf(stderr, "trunkline-loadgen: the event loop ended: %s\n", strerror(-failed));
        report_make(&report, &agent);
        if (write_report(o, &report, &agent) == 0 && failed == 0 && report_good(&report, &agent))
            status = EXIT_GOOD;
    }
    agent_fini(&agent);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    char error[300];

    if (argc > 1 && strcmp(argv[1], "streams") == 0)
        return streams_main(argc - 1, argv + 1, sockets_open, NULL);
    switch (args_parse(argc, argv, &options, error, sizeof error)) {
    case ARGS_HELP:
        fputs(args_help, stdout);
        return EXIT_GOOD;
    case ARGS_BAD:
        fprintf(stderr, "trunkline-loadgen: %s\n", error);
        return EXIT_BAD_ARGS;
    default:
        break;
    }
    signal(SIGPIPE, SIG_IGN);
    if (libre_init() != 0) {
        fprintf(stderr, "trunkline-loadgen: libre can't start\n");
        return EXIT_BAD_RUN;
    }
    const int status = run(&options);
    libre_close();
    tmr_debug();
    mem_debug();
    return status;
}
