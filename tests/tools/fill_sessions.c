// SPDX-License-Identifier: BSD-3-Clause
// Fills a running dataplane with calls through the contract and holds its memory to its word: what it counts
// against what the kernel says of its process, and what a direction costs.
//   fill_sessions --socket PATH --pid PID --realms N --plain N --cm N --gcm N [--huge]
// Realms are r0, r1, ...; call number i has its legs in r(2i) and r(2i + 1), modulo N. SRTP is on one leg, so
// that each direction has one context. Calls are added kind by kind, listed, ended and added again. What a
// command costs the manager with nobody there and with all of them is said, not judged.
// Prints a line per check; the last is `N passed, N failed, 0 skipped`.
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "tests/fakes/fake_control.h"

enum {
    KIND_COUNT = 3,
    PLAIN_MAX = 512, // bytes of a plain direction
    CM_MAX = 512,    // more for one context
    GCM_MAX = 1300,
    LIVE_BYTES = sizeof(struct tl_live_session) / 2,
    SESSION_BYTES = 96, // of the workers' half: with huge pages there from the start
    PORT_BYTES = 12,    // entries in the port map and the free list: there from the start
    CHURN = 5000,       // calls that come and go to see what that costs
    PUBLISH_MS = 2500,  // the dataplane looks at itself about once a second
};

static const struct kind {
    const char *name;
    enum tl_suite suite;
    unsigned more; // bytes a direction may have beside a plain one
} kinds[KIND_COUNT] = {{"plain", TL_SUITE_NONE, 0},
                       {"AES_CM_128", TL_SUITE_AES_CM_128_HMAC_SHA1_80, CM_MAX},
                       {"AEAD_AES_128_GCM", TL_SUITE_AEAD_AES_128_GCM, GCM_MAX}};

static const char *socket_path;
static unsigned pid, realms, calls[KIND_COUNT];
static bool huge;
static struct fake_control control;
static struct tl_handle *handles;
static unsigned handle_count;
static unsigned passed, failed;

__attribute__((format(printf, 2, 3))) static bool check(bool ok, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    printf(ok ? "ok   " : "FAIL ");
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    fflush(stdout);
    *(ok ? &passed : &failed) += 1;
    return ok;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// ---- memory ------------------------------------------------------------------------------------------

struct memory {
    double sum;     // what the dataplane counts
    double process; // what the kernel says
};

// Read here and not taken from the dataplane, whose word is to be checked.
static double process_bytes(void)
{
    char path[64], line[256];
    unsigned long resident = 0, huge_kb = 0;
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "VmRSS: %lu", &resident);
        sscanf(line, "HugetlbPages: %lu", &huge_kb);
    }
    if (f)
        fclose(f);
    return 1024.0 * (double)(resident + huge_kb);
}

static struct memory look(void)
{
    const struct tl_live_header *h = tl_client_live(control.client)->header;
    nanosleep(&(struct timespec){PUBLISH_MS / 1000, PUBLISH_MS % 1000 * 1000000L}, NULL);
    return (struct memory){(double)atomic_load_explicit(&h->memory_bytes, memory_order_relaxed),
                           process_bytes()};
}

static double percent(double a, double b)
{
    return 100 * (a / b - 1);
}

static bool near(double a, double b)
{
    return percent(a, b) >= -10 && percent(a, b) <= 10;
}

static void check_total(const char *when, struct memory m)
{
    check(near(m.sum, m.process), "%s: it counts %.1f MiB, the kernel %.1f (%+.1f %%)", when, m.sum / 1048576,
          m.process / 1048576, percent(m.sum, m.process));
}

// ---- calls -------------------------------------------------------------------------------------------

static void set_key(struct tl_crypto *crypto, enum tl_suite suite)
{
    crypto->suite = suite;
    crypto->generation = 1;
    if (getrandom(crypto->key, 16, 0) != 16 || getrandom(crypto->salt, 12, 0) != 12)
        abort();
}

static void make_add(struct tl_command *c, unsigned i, enum tl_suite suite)
{
    *c = (struct tl_command){.op = TL_OP_ADD, .id = i, .call_ref = 1 + i};
    for (unsigned leg = 0; leg < 2; leg++) {
        char realm[TL_NAME_MAX], ip[16];
        unsigned r = (2 * i + leg) % realms;
        snprintf(realm, sizeof realm, "r%u", r);
        snprintf(ip, sizeof ip, "10.50.%u.10", r & 255);
        c->leg[leg] = fake_leg(realm, ip, 1024 + 2 * (i % 30000));
    }
    if (suite != TL_SUITE_NONE) {
        set_key(&c->leg[1].rx, suite);
        set_key(&c->leg[1].tx, suite);
    }
}

// Nanoseconds that the manager's thread was on a core.
static double manager_ns(void)
{
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%u/task/%u/schedstat", pid, pid);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    if (f)
        fclose(f);
    return (double)ns;
}

// Sends `count` commands as fast as they are taken. Returns how many were done well.
static unsigned run(unsigned count, void (*make)(struct tl_command *, unsigned, void *),
                    void (*done)(const struct tl_completion *), void *arg)
{
    unsigned sent = 0, got = 0, good = 0;
    struct tl_command command;
    struct tl_completion completion;
    double until = seconds() + 60;
    while (got < count && seconds() < until) {
        while (sent < count) {
            make(&command, sent, arg);
            if (tl_client_send(control.client, 0, &command))
                break;
            sent++;
        }
        int rc;
        while ((rc = tl_client_completion(control.client, 0, &completion)) == 0) {
            got++;
            good += completion.status == 0;
            done(&completion);
        }
        if (rc != -EAGAIN)
            break;
        struct pollfd fd = {.fd = tl_client_loop_fd(control.client, 0), .events = POLLIN};
        poll(&fd, 1, 100);
    }
    return good;
}

struct batch {
    enum tl_suite suite;
    unsigned first;
};

static void make_batch(struct tl_command *c, unsigned i, void *arg)
{
    const struct batch *b = arg;
    make_add(c, b->first + i, b->suite);
}

static void take_handle(const struct tl_completion *c)
{
    if (c->status == 0)
        handles[handle_count++] = c->handle;
}

static void make_del(struct tl_command *c, unsigned i, void *arg)
{
    (void)arg;
    *c = (struct tl_command){.op = TL_OP_DEL, .id = i, .handle = handles[i]};
}

static void nothing(const struct tl_completion *c)
{
    (void)c;
}

// CHURN calls end (those of the first handles, if there are any) and as many begin; what the manager spent on
// each command.
static void churn(const char *when, unsigned call_ref)
{
    struct batch b = {TL_SUITE_NONE, call_ref};
    unsigned had = handle_count, good = 0;
    double start = manager_ns();
    if (had) {
        good = run(CHURN, make_del, nothing, NULL);
        check(good == CHURN, "%s: %u DEL, %.1f us of the manager each", when, good,
              (manager_ns() - start) / 1000 / CHURN);
        memmove(handles, handles + CHURN, (had - CHURN) * sizeof *handles);
        handle_count -= CHURN;
    }
    start = manager_ns();
    good = run(CHURN, make_batch, take_handle, &b);
    check(good == CHURN, "%s: %u ADD, %.1f us of the manager each", when, good,
          (manager_ns() - start) / 1000 / CHURN);
    if (had)
        return;
    start = manager_ns();
    good = run(CHURN, make_del, nothing, NULL);
    check(good == CHURN, "%s: %u DEL, %.1f us of the manager each", when, good,
          (manager_ns() - start) / 1000 / CHURN);
    handle_count = 0;
}

static void check_list(unsigned all)
{
    struct tl_list_entry *entries = calloc(all, sizeof *entries);
    uint32_t count = 0, wrong = 0;
    int rc = entries ? fake_control_list(&control, entries, all, &count) : -ENOMEM;
    for (uint32_t i = 1; rc == 0 && i < count && i < all; i++)
        wrong += entries[i].slot <= entries[i - 1].slot;
    check(rc == 0 && count == all && wrong == 0, "LIST names %u calls, each once", count);
    free(entries);
}

static void fill(struct memory *now)
{
    unsigned first = 0;
    for (unsigned k = 0; k < KIND_COUNT; first += calls[k], k++) {
        struct batch b = {kinds[k].suite, first};
        struct memory before = *now;
        if (calls[k] == 0)
            continue;
        double start = manager_ns();
        unsigned good = run(calls[k], make_batch, take_handle, &b);
        double took = manager_ns() - start;
        check(good == calls[k], "%u of %u calls added, %s, %.1f us of the manager each", good, calls[k],
              kinds[k].name, took / 1000 / calls[k]);
        *now = look();
        double sum = now->sum - before.sum, process = now->process - before.process;
        double there = LIVE_BYTES + PORT_BYTES + (huge ? SESSION_BYTES : 0);
        double each = sum / (2.0 * calls[k]) + there, each_process = process / (2.0 * calls[k]) + there;
        check(near(sum, process), "growth: it counts %.1f MiB, the kernel %.1f (%+.1f %%)", sum / 1048576,
              process / 1048576, percent(sum, process));
        check(each <= PLAIN_MAX + kinds[k].more,
              "a direction: %.0f bytes counted, %.0f by the kernel; at most %u", each, each_process,
              PLAIN_MAX + kinds[k].more);
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"socket", 1, 0, 's'}, {"pid", 1, 0, 'p'}, {"realms", 1, 0, 'r'}, {"plain", 1, 0, '0'},
        {"cm", 1, 0, '1'},     {"gcm", 1, 0, '2'}, {"huge", 0, 0, 'h'},   {0}};
    int o;
    while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (o) {
        case 's':
            socket_path = optarg;
            break;
        case 'p':
            pid = (unsigned)atoi(optarg);
            break;
        case 'r':
            realms = (unsigned)atoi(optarg);
            break;
        case 'h':
            huge = true;
            break;
        case '0':
        case '1':
        case '2':
            calls[o - '0'] = (unsigned)atoi(optarg);
            break;
        default:
            exit(2);
        }
    }
    if (!socket_path || !pid || realms < 2 || realms % 2) {
        fprintf(stderr, "fill_sessions: --socket, --pid and an even number of --realms are needed\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    unsigned all = 0, count = 0;
    read_options(argc, argv);
    for (unsigned k = 0; k < KIND_COUNT; k++)
        all += calls[k];
    handles = calloc(all, sizeof *handles);
    if (!handles || fake_control_open(&control, socket_path, NULL, NULL)) {
        fprintf(stderr, "fill_sessions: no dataplane at %s\n", socket_path);
        return 1;
    }
    const struct tl_live_header *h = tl_client_live(control.client)->header;
    struct memory now = look();
    check_total("empty", now);
    fill(&now);
    check(h->in_use == all, "%u calls live, %u directions", h->in_use, 2 * h->in_use);
    check_total("full", now);
    check_list(all);
    churn("full", all + CHURN);
    count = run(handle_count, make_del, nothing, NULL);
    check(count == all && h->in_use == 0, "%u calls ended", count);
    handle_count = 0;
    double peak = now.process;
    struct batch again = {kinds[1].suite, all + 2 * CHURN};
    unsigned cm = calls[1]; // what was given back serves again
    count = run(cm, make_batch, take_handle, &again);
    now = look();
    check(count == cm && now.process < peak * 1.02,
          "%u calls added after that; the process has %+.1f %% of what it had", count,
          percent(now.process, peak));
    check_total("after a change", now);
    check(fake_control_flush(&control, &count) == 0 && count == cm, "FLUSH ends %u calls", count);
    handle_count = 0;
    churn("empty", 2 * all);
    fake_control_close(&control);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
