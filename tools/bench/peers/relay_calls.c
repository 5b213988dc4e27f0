// SPDX-License-Identifier: BSD-3-Clause
// Sets up calls in a running dataplane for blast, over the contract, as control would.
//   relay_calls --socket PATH --peer IP --core IP --calls N [--core-suite NAME] --out FILE
// Party addresses are blast's; both sides of call n are on port 20000 + 2 n; realms are "peer" and "core".
// Writes blast's file of calls and says `ready`; answers each line of input with one line of JSON, the
// counters of all workers; deletes the calls at the end of its input.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#include "common/client.h"
#include "common/suite.h"

enum { CALLS_MAX = 5000, FIRST_PORT = 20000, PATIENCE_MS = 5000, PPS = 500000 };

static struct tl_client *client;
static uint64_t last_id;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("relay_calls: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void rest(void)
{
    struct pollfd fds[] = {{.fd = tl_client_fd(client), .events = POLLIN},
                           {.fd = tl_client_loop_fd(client, 0), .events = POLLIN}};
    poll(fds, 2, 10);
    tl_client_poll(client);
}

static void connect_to(const char *path)
{
    if (tl_client_open(&client, path, 1) < 0)
        die("%s: not to be used as a path", path);
    for (uint64_t end = now_ms() + PATIENCE_MS; tl_client_state(client) != TL_CLIENT_UP; rest()) {
        if (now_ms() > end)
            die("%s", tl_client_error(client));
        if (tl_client_state(client) == TL_CLIENT_AWAY)
            tl_client_connect(client);
    }
}

// Sends a command and waits for what became of it.
static void execute(struct tl_command *command, struct tl_completion *out)
{
    command->id = ++last_id;
    int e = tl_client_send(client, 0, command);
    explicit_bzero(command, sizeof *command);
    for (uint64_t end = now_ms() + PATIENCE_MS; e == 0; rest()) {
        e = tl_client_completion(client, 0, out);
        if (e == 0 && out->id == last_id)
            break;
        if (e == -EAGAIN)
            e = now_ms() > end ? -ETIMEDOUT : 0;
    }
    if (e != 0)
        die("the dataplane does not answer: %s", strerror(-e));
    if (out->status != 0)
        die("command %u is refused: %s (field %u)", out->op, strerror(-out->status), out->field);
}

// ---- calls -------------------------------------------------------------------------------------------

static void new_key(struct tl_crypto *c, enum tl_suite suite)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    if (!info)
        return;
    c->suite = (uint8_t)suite;
    c->generation = 1;
    if (getrandom(c->key, info->key_len, 0) < 0 || getrandom(c->salt, info->salt_len, 0) < 0)
        die("no random bytes");
}

static void fill_leg(struct tl_leg *leg, const char *realm, struct in_addr ip, unsigned call,
                     enum tl_suite suite)
{
    snprintf(leg->realm, sizeof leg->realm, "%s", realm);
    leg->flags = TL_LEG_RECV | TL_LEG_SEND;
    leg->rtp = (struct tl_addr){.family = TL_AF_INET, .port = (uint16_t)(FIRST_PORT + 2 * call)};
    memcpy(leg->rtp.ip, &ip, 4);
    leg->pt_count = 1;
    leg->pt_in[0] = leg->pt_out[0] = 8;
    // policing is on, as always, and has nothing to refuse: blast's streams are as fast as a slice needs
    leg->max_len = TL_LEN_MAX;
    leg->max_pps = PPS;
    leg->max_bps = PPS * TL_LEN_MAX;
    leg->burst_ms = 1000;
    new_key(&leg->rx, suite);
    new_key(&leg->tx, suite);
}

static void print_key(FILE *out, const struct tl_crypto *c)
{
    const struct tl_suite_info *info = tl_suite_info(c->suite);
    for (unsigned i = 0; i < info->key_len; i++)
        fprintf(out, "%02x", c->key[i]);
    for (unsigned i = 0; i < info->salt_len; i++)
        fprintf(out, "%02x", c->salt[i]);
}

// What blast has to know of a leg: where to send; its keys are ours the other way round.
static void print_leg(FILE *out, const struct tl_leg *leg, const struct tl_addr *local)
{
    char ip[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, local->ip, ip, sizeof ip);
    fprintf(out, " %s %u ", ip, local->port);
    if (leg->rx.suite == TL_SUITE_NONE) {
        fputs("- - -", out);
        return;
    }
    fprintf(out, "%s ", tl_suite_info(leg->rx.suite)->name);
    print_key(out, &leg->rx);
    fputc(' ', out);
    print_key(out, &leg->tx);
}

static void add_call(FILE *out, unsigned call, const struct in_addr ip[2], enum tl_suite core_suite)
{
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = (uint64_t)now_ms() << 20 | (call + 1)};
    struct tl_completion done;
    struct tl_leg leg[2];
    fill_leg(&c.leg[0], "peer", ip[0], call, TL_SUITE_NONE);
    fill_leg(&c.leg[1], "core", ip[1], call, core_suite);
    memcpy(leg, c.leg, sizeof leg);
    execute(&c, &done);
    fputs("call", out);
    for (unsigned i = 0; i < 2; i++)
        print_leg(out, &leg[i], &done.add.local[i]);
    fputc('\n', out);
    explicit_bzero(leg, sizeof leg);
}

// ---- counters ----------------------------------------------------------------------------------------

static void print_counters(void)
{
    struct tl_worker_snapshot sum = {0}, w;
    for (uint32_t i = 0; tl_live_read_worker(tl_client_live(client), i, &w) == 0; i++) {
        sum.rx_nic += w.rx_nic, sum.tx += w.tx;
        sum.busy_cycles += w.busy_cycles, sum.busy_packets += w.busy_packets;
        for (unsigned d = 0; d < TL_DROP_COUNT; d++)
            sum.drops[d] += w.drops[d];
    }
    printf("{\"rx\": %lu, \"tx\": %lu, \"busy_cycles\": %lu, \"busy_packets\": %lu, \"drops\": {", sum.rx_nic,
           sum.tx, sum.busy_cycles, sum.busy_packets);
    const char *comma = "";
    for (unsigned d = 0; d < TL_DROP_COUNT; d++) {
        if (sum.drops[d] > 0) {
            printf("%s\"%s\": %lu", comma, tl_drop_label(d), sum.drops[d]);
            comma = ", ";
        }
    }
    puts("}}");
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"socket", 1, NULL, 's'},
                                          {"peer", 1, NULL, 'p'},
                                          {"core", 1, NULL, 'c'},
                                          {"calls", 1, NULL, 'n'},
                                          {"core-suite", 1, NULL, 'x'},
                                          {"out", 1, NULL, 'o'},
                                          {0}};
    const char *socket = NULL, *out = NULL;
    struct in_addr ip[2] = {0};
    enum tl_suite suite = TL_SUITE_NONE;
    unsigned calls = 0;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == 's')
            socket = optarg;
        else if (o == 'p' || o == 'c')
            inet_pton(AF_INET, optarg, &ip[o == 'c']);
        else if (o == 'n')
            calls = (unsigned)atoi(optarg);
        else if (o == 'x')
            suite = tl_suite_by_name(optarg, (unsigned)strlen(optarg));
        else if (o == 'o')
            out = optarg;
        else
            die("unknown option");
        if (o == 'x' && suite == TL_SUITE_NONE)
            die("no suite is called %s", optarg);
    }
    if (!socket || !out || !ip[0].s_addr || !ip[1].s_addr || calls < 1 || calls > CALLS_MAX)
        die("--socket, --peer, --core, --out and --calls (1 to %d) are needed", CALLS_MAX);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    connect_to(socket);
    FILE *file = fopen(out, "w");
    if (!file)
        die("%s: %s", out, strerror(errno));
    for (unsigned i = 0; i < calls; i++)
        add_call(file, i, ip, suite);
    fclose(file);
    puts("ready");
    fflush(stdout);
    for (char line[16]; fgets(line, sizeof line, stdin); fflush(stdout))
        print_counters();
    struct tl_command flush = {.op = TL_OP_FLUSH};
    struct tl_completion done;
    execute(&flush, &done);
    tl_client_close(client);
    return 0;
}
