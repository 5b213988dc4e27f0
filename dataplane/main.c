// SPDX-License-Identifier: BSD-3-Clause
// trunkline-dataplane: from the command line to running workers, and in order back.
#include <errno.h>
#include <getopt.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/config/config.h"
#include "dataplane/manager/manager.h"
#include "dataplane/net/eal.h"
#include "dataplane/net/kernel.h"
#include "dataplane/net/port.h"
#include "dataplane/path/worker.h"

enum { EXIT_RUN = 1, EXIT_USAGE = 2 };
enum { STOP_WAIT_MS = 5000 }; // for workers to end their turn; a busy machine may keep their cores for long

static const char usage[] =
    "usage: trunkline-dataplane --config FILE [--check]\n"
    "The media engine of Trunkline: moves RTP and SRTP between its ports as trunkline-control tells it.\n"
    "  --config FILE   the configuration of both daemons, JSON (docs/config.md)\n"
    "  --check         say whether FILE is right and end\n"
    "  --version       print the version and end\n"
    "  --help          print this and end\n"
    "Ends in order on SIGTERM and SIGINT. Exit status: 0, 1 when it cannot run, 2 for a wrong command line "
    "or FILE.\n";

// Everything that is made at the start and taken down in the opposite order. Zeroed: nothing is made.
struct daemon {
    struct tl_config *config;
    bool dpdk;
    struct rte_mempool *pools[EAL_NODES_MAX];
    struct ports ports;
    struct manager *manager;
    unsigned running; // workers
};

static struct daemon self;

static void say(const char *sentence)
{
    fprintf(stderr, "trunkline-dataplane: %s\n", sentence);
}

static void say_from_manager(void *arg, const char *sentence)
{
    (void)arg;
    say(sentence);
}

// ---- command line and file ---------------------------------------------------------------------------

struct options {
    const char *file;
    bool check;
};

// Returns -1 to go on, else the exit status.
static int read_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int o;
    while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (o) {
        case 'c':
            out->file = optarg;
            break;
        case 'k':
            out->check = true;
            break;
        case 'v':
            printf("trunkline-dataplane %s, contract %u\n", TRUNKLINE_VERSION, TL_CONTRACT_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            return EXIT_USAGE; // getopt has said why
        }
    }
    if (optind < argc || !out->file) {
        fprintf(stderr, "trunkline-dataplane: %s%s (see --help)\n",
                optind < argc ? "no argument is known by the name " : "--config FILE is missing",
                optind < argc ? argv[optind] : "");
        return EXIT_USAGE;
    }
    return -1;
}

static bool load(const char *file)
{
    static struct tl_config_errors errors;
    if (tl_config_load(file, &self.config, &errors) == 0)
        return true;
    tl_config_print_errors(stderr, file, &errors);
    return false;
}

// ---- start -------------------------------------------------------------------------------------------

static bool start_dpdk(void)
{
    char why[EAL_WHY_LEN];
    if (eal_start(&self.config->dataplane, why) != 0) {
        say(why);
        return false;
    }
    self.dpdk = true;
    if (eal_pools_make(self.config, self.pools, why) != 0) {
        say(why);
        return false;
    }
    return true;
}

static bool start_ports(void)
{
    char why[512];
    if (ports_open(&self.ports, self.config, self.pools, why, sizeof why) != 0) {
        say(why);
        return false;
    }
    return true;
}

// The folder of the socket, if only the last part of its path is missing: /run is empty after a boot.
static void make_socket_folder(void)
{
    char folder[TL_PATH_LEN];
    snprintf(folder, sizeof folder, "%s", self.config->dataplane.socket);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = 0;
    mkdir(folder, 0755); // if it cannot be made, binding the socket fails and says so
}

static bool start_manager(void)
{
    char why[MANAGER_WHY_LEN];
    struct manager_config config = {
        .config = self.config, .ports = &self.ports, .pools = self.pools, .log = say_from_manager};
    make_socket_folder();
    if (manager_init(&self.manager, &config, why) != 0) {
        say(why);
        return false;
    }
    return true;
}

static bool start_workers(void)
{
    const struct tl_dataplane_config *d = &self.config->dataplane;
    for (; self.running < d->worker_count; self.running++) {
        int error = rte_eal_remote_launch(worker_main, manager_worker(self.manager, self.running),
                                          eal_worker_lcore(self.running));
        if (error != 0) {
            fprintf(stderr, "trunkline-dataplane: worker %u does not start on core %u: %s\n", self.running,
                    d->worker_cores[self.running], strerror(-error));
            return false;
        }
    }
    return true;
}

// What runs now; the last line says so.
static void describe(void)
{
    const struct tl_dataplane_config *d = &self.config->dataplane;
    char line[2048], cores[TL_WORKERS_MAX * 6 + 1] = "";
    for (uint32_t i = 0; i < self.ports.count; i++) {
        port_describe(&self.ports.port[i], self.config, line, sizeof line);
        say(line);
    }
    kernel_warnings(self.config, say);
    manager_describe_memory(self.manager, say);
    for (uint32_t w = 0; w < d->worker_count; w++) {
        size_t n = strlen(cores);
        snprintf(cores + n, sizeof cores - n, "%s%u", w ? "," : "", d->worker_cores[w]);
    }
    fprintf(
        stderr,
        "trunkline-dataplane: version %s: %u ports, %u realms, %u workers on cores %s (%s), manager on core "
        "%u, SRTP by %s, up to %u sessions, control at %s\n",
        TRUNKLINE_VERSION, self.ports.count, self.config->realm_count, d->worker_count, cores,
        d->poll == TL_POLL_BUSY ? "busy" : "adaptive", d->main_core,
        srtp_ctx_name(manager_worker(self.manager, 0)->srtp), d->max_sessions, d->socket);
}

// ---- end ---------------------------------------------------------------------------------------------

static void on_signal(int number)
{
    (void)number;
    if (self.manager)
        manager_stop(self.manager);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// Ends the workers' loops. False when one does not come back: a driver may wait for ever in a system call
// when its interface is down; then nothing that it uses may be freed.
static bool stop_workers(void)
{
    for (unsigned w = 0; w < self.running; w++)
        worker_stop(manager_worker(self.manager, w));
    for (unsigned w = 0, waited = 0; w < self.running;) {
        if (rte_eal_get_lcore_state(eal_worker_lcore(w)) != RUNNING) {
            rte_eal_wait_lcore(eal_worker_lcore(w++));
        } else if (waited++ < STOP_WAIT_MS) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        } else {
            fprintf(stderr,
                    "trunkline-dataplane: worker %u hangs in the driver of a port; ending without it\n", w);
            return false;
        }
    }
    self.running = 0;
    return true;
}

static bool stop(void)
{
    signal(SIGTERM, SIG_IGN); // it is on its way
    signal(SIGINT, SIG_IGN);
    if (!stop_workers())
        return false;
    manager_fini(self.manager);
    self.manager = NULL;
    if (self.dpdk) {
        ports_close(&self.ports);
        eal_pools_free(self.pools);
        eal_stop();
    }
    tl_config_free(self.config);
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int status = read_options(argc, argv, &options);
    if (status >= 0)
        return status;
    if (!load(options.file))
        return EXIT_USAGE;
    if (options.check) {
        printf("%s: ok\n", options.file);
        tl_config_free(self.config);
        return EXIT_SUCCESS;
    }
    bool ran = start_dpdk() && start_ports() && start_manager();
    if (ran) {
        catch_signals();
        ran = start_workers();
    }
    if (ran) {
        describe();
        ran = manager_run(self.manager) == 0;
    }
    if (!stop())
        _exit(EXIT_RUN); // what the hanging worker uses stays until the process is gone
    if (ran)
        say("ended");
    return ran ? EXIT_SUCCESS : EXIT_RUN;
}
