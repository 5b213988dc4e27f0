// SPDX-License-Identifier: BSD-3-Clause
// trunkline-control: signalling.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/addr.h"
#include "control/admin/calls.h"
#include "control/base/log.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: trunkline-control --config FILE [--check] [--quiet]\n"
    "The signalling of Trunkline: a SIP back-to-back user agent that tells trunkline-dataplane what media to "
    "move.\n"
    "  --config FILE  the configuration of both daemons, JSON (docs/config.md)\n"
    "  --check        say whether FILE is right and end\n"
    "  --quiet        log warnings and errors only\n"
    "  --version      print the version and end\n"
    "  --help         print this and end\n"
    "SIGHUP reads FILE again, as trunklinectl reload does: calls that are up keep what they began with.\n"
    "Ends on SIGTERM and SIGINT. Calls that are up are not hung up then: the dataplane goes on with their "
    "media, and a\n"
    "control that is started again ends those sessions, because it does not know the calls.\n"
    "Exit status: 0, 1 when it cannot run, 2 for a wrong command line or FILE.\n";

struct options {
    const char *config;
    bool check;
    bool quiet;
};

// Returns -1 to go on, else the exit status.
static int read_options(int argc, char **argv, struct options *out)
{
    enum { OPT_CONFIG = 256, OPT_CHECK, OPT_QUIET, OPT_VERSION, OPT_HELP };
    static const struct option known[] = {
        {"config", required_argument, NULL, OPT_CONFIG}, {"check", no_argument, NULL, OPT_CHECK},
        {"quiet", no_argument, NULL, OPT_QUIET},         {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP},           {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case OPT_CONFIG:
            out->config = optarg;
            break;
        case OPT_CHECK:
            out->check = true;
            break;
        case OPT_QUIET:
            out->quiet = true;
            break;
        case OPT_VERSION:
            printf("trunkline-control %s\n", TRUNKLINE_VERSION);
            return EXIT_SUCCESS;
        case OPT_HELP:
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default: // getopt has said what is wrong
            return EXIT_USAGE;
        }
    if (optind < argc) {
        fprintf(stderr, "trunkline-control: no argument is known by the name %s (see --help)\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    if (!out->config) {
        fputs("trunkline-control: --config FILE is missing (see --help)\n", stderr);
        return EXIT_USAGE;
    }
    return -1;
}

enum { HANGUP_PAUSE_MS = 1000 }; // between two readings of the file

struct running {
    struct loop *loop;
    struct agent *agent;
    bool ending;
    struct wheel_timer hangup;
    uint64_t hangup_ms; // not to be read again before
};

static void stop(void *arg)
{
    loop_stop(arg);
}

// The first signal takes the registrations back, a second one does not wait for it.
static void on_signal(int signo, void *arg)
{
    struct running *run = arg;
    log_line(LOG_NOTICE, "%s: ending", signo == SIGTERM ? "SIGTERM" : "SIGINT");
    if (run->ending)
        loop_stop(run->loop);
    else
        agent_leave(run->agent, stop, run->loop);
    run->ending = true;
}

static void read_again(void *arg)
{
    struct running *run = arg;
    const char *file = agent_file(run->agent);
    char why[2048];
    unsigned count;
    log_line(LOG_NOTICE, "SIGHUP: reading %s again", file);
    // what comes of it is in the log
    (void)agent_reload_file(run->agent, file, false, NULL, NULL, &count, why, sizeof why);
    run->hangup_ms = loop_now(run->loop) + HANGUP_PAUSE_MS;
}

// No call is set up while the file is read, and libevent hands on each of many signals: those that come together are one, and
// calls have their turn between two.
static void on_hangup_signal(int signo, void *arg)
{
    struct running *run = arg;
    uint64_t now = loop_now(run->loop);
    (void)signo;
    if (!wheel_armed(&run->hangup))
        wheel_add(loop_wheel(run->loop), &run->hangup, run->hangup_ms > now ? run->hangup_ms - now : 0,
                  read_again, run);
}

static void say_listeners(const struct tl_config *config)
{
    for (uint32_t i = 0; i < config->listener_count; i++) {
        const struct tl_listener_config *l = &config->listeners[i];
        bool translated = tl_addr_is_set(&l->advertised);
        log_line(LOG_NOTICE, "listener %s: %s %s%s%s", l->name, tl_transport_row(l->transport)->via,
                 TL_ADDR_STR(&l->address), translated ? ", known as " : "",
                 translated ? TL_ADDR_STR(&l->advertised) : "");
    }
}

// Connections are files: as many as the process may have at most.
static void raise_files(const struct tl_config *config)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)config->control.max_connections + config->listener_count + 256;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
        return;
    struct rlimit more = {wanted,
                          wanted > files.rlim_max ? wanted : files.rlim_max}; // who is root may have it
    if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int serve(const struct tl_config *config, const char *file)
{
    char why[512] = "";
    raise_files(config);
    struct agent *agent = NULL;
    struct ctl *ctl = NULL;
    struct loop *loop = loop_new(0);
    int rc = loop ? 0 : -errno;
    if (rc < 0)
        snprintf(why, sizeof why, "event loop: %s", strerror(-rc));
    if (rc == 0)
        rc = agent_new(loop, config, &agent, why, sizeof why);
    if (rc == 0)
        agent_set_file(agent, file);
    if (rc == 0) {
        rc = ctl_open(&ctl, loop_base(loop), config->control.socket, &agent_provider, agent, NULL);
        if (rc < 0)
            snprintf(
                why, sizeof why, "control.socket %s: %s", config->control.socket,
                rc == -EADDRINUSE ? "another trunkline-control listens there; end it or choose another path"
                : rc == -EEXIST   ? "there is something that is no socket; move it away"
                : rc == -ENOENT   ? "its folder is not there; make it or choose another path"
                : rc == -EACCES   ? "no right to make it there; start as another user or choose another path"
                                  : strerror(-rc));
    }
    struct running run = {.loop = loop, .agent = agent};
    if (rc == 0)
        rc = loop_on_signal(loop, SIGTERM, on_signal, &run);
    if (rc == 0)
        rc = loop_on_signal(loop, SIGINT, on_signal, &run);
    if (rc == 0)
        rc = loop_on_signal(loop, SIGHUP, on_hangup_signal, &run);
    if (rc == 0) {
        say_listeners(config);
        log_line(LOG_NOTICE, "trunkline-control %s is ready", TRUNKLINE_VERSION);
        rc = loop_run(loop);
        if (rc < 0)
            snprintf(why, sizeof why, "event loop: %s", strerror(-rc));
    }
    if (rc < 0)
        fprintf(stderr, "trunkline-control: %s\n", why[0] ? why : strerror(-rc));
    ctl_close(ctl);
    agent_free(agent);
    loop_free(loop);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int status = read_options(argc, argv, &options);
    if (status >= 0)
        return status;
    struct tl_config_errors *errors = calloc(1, sizeof *errors);
    struct tl_config *config = NULL;
    if (!errors) {
        fputs("trunkline-control: no memory\n", stderr);
        return EXIT_FAILURE;
    }
    status = EXIT_SUCCESS;
    if (tl_config_load(options.config, &config, errors) < 0) {
        tl_config_print_errors(stderr, options.config, errors);
        status = EXIT_USAGE;
    } else {
        tl_config_print_errors(stderr, options.config, errors);
    }
    free(errors);
    if (status == EXIT_SUCCESS && options.check) {
        printf("%s: ok\n", options.config);
    } else if (status == EXIT_SUCCESS) {
        signal(SIGPIPE, SIG_IGN);
        if (options.quiet)
            log_set_level(LOG_WARNING);
        status = serve(config, options.config);
    }
    tl_config_free(config);
    return status;
}
