// SPDX-License-Identifier: BSD-3-Clause
// blast: see blast.h.
//   blast --peer NS,INTERFACE,IP,GATEWAY-MAC --core NS,INTERFACE,IP,GATEWAY-MAC --calls FILE --cpu N
// Reads commands, a line each, and answers each with one line of JSON:
//   prepare RATE MS   builds the packets of a slice: RATE a second, both sides together, for MS milliseconds
//   go                sends them and says what happened
// Ends with its input.
#include "tools/bench/peers/blast.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <x86intrin.h>

enum {
    TICK_NS = 50000,       // what is due is sent so often, so that a gateway sees small bursts as from a wire
    DRAIN_NS = 2000000000, // waits so long for what is missing at the end, lest it come in the next slice ...
    QUIET_NS = 50000000,   // ... or so long after the last packet
    SLOW_NS = 500000000,   // a slice that takes so much longer than planned is cut off
    FRAMES_MAX = 1u << 20, // of a side in a slice: 256 MiB
    RATE_MIN = 100,
    RATE_MAX = 5000000,
};

static double ns_per_cycle;

void blast_die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("blast: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void measure_tsc(void)
{
    uint64_t t = now_ns(), c = __rdtsc(), took;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    took = __rdtsc() - c;
    ns_per_cycle = (double)(now_ns() - t) / (double)took;
}

// ---- a slice -----------------------------------------------------------------------------------------

static uint64_t receive(struct blast *b)
{
    uint64_t n = 0;
    const uint8_t *ip;
    uint32_t len;
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < BLAST_BATCH && (ip = blast_port_next(&b->party[side], &len)); i++, n++) {
            blast_judge(b, side, ip, len);
            blast_port_done(&b->party[side]);
        }
    }
    return n;
}

// CPU time of this thread, which is not away while another one has the core.
static uint64_t own_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Sends what is due of a party, at most a batch at a time. Returns the CPU time that it took, ns.
static uint64_t send_due(struct blast *b, struct blast_party *p, uint64_t due)
{
    if (due > p->count)
        due = p->count;
    if (due <= p->sent)
        return 0;
    uint32_t n = (uint32_t)due - p->sent;
    if (n > BLAST_BATCH)
        n = BLAST_BATCH;
    uint64_t start = own_ns();
    b->result.refused += blast_port_send(p, n);
    b->result.sent += n;
    return own_ns() - start;
}

static void drain(struct blast *b)
{
    uint64_t start = now_ns(), last = start, now = start;
    while (b->result.received < b->result.sent && now - start < DRAIN_NS && now - last < QUIET_NS) {
        if (receive(b) > 0)
            last = now;
        now = now_ns();
    }
    // what nobody asked for would come late
    while (receive(b) > 0)
        ;
}

static void run_slice(struct blast *b, double per_side)
{
    struct blast_party *p = b->party;
    uint64_t start = now_ns(), now = start, next = start, sending = 0;
    uint64_t planned = (uint64_t)(p[0].count / per_side * 1e9);
    for (unsigned turn = 0; p[0].sent < p[0].count || p[1].sent < p[1].count; turn++) {
        receive(b);
        uint64_t before = now;
        now = now_ns();
        if (now - before > b->result.gap_ns && turn > 0)
            b->result.gap_ns = now - before;
        if (now - start > planned + SLOW_NS)
            break;
        if (now < next)
            continue;
        uint64_t due = (uint64_t)((double)(now - start + TICK_NS) * per_side / 1e9);
        sending += send_due(b, &p[turn & 1], due);
        sending += send_due(b, &p[!(turn & 1)], due);
        if (p[0].sent >= due && p[1].sent >= due)
            next = now + TICK_NS - (now - start) % TICK_NS;
    }
    b->result.wall_ns = now_ns() - start;
    b->result.send_ns = sending;
}

// ---- commands ----------------------------------------------------------------------------------------

static double prepared_per_side;

static void prepare(struct blast *b, unsigned rate, unsigned ms)
{
    if (rate < RATE_MIN || rate > RATE_MAX || ms < 1 || ms > 60000)
        blast_die("prepare: %d to %d packets a second, 1 to 60000 ms", RATE_MIN, RATE_MAX);
    prepared_per_side = rate / 2.0;
    double count = prepared_per_side * ms / 1000;
    if (count > FRAMES_MAX)
        count = FRAMES_MAX;
    if (!blast_build(b, count < 1 ? 1 : (uint32_t)count))
        blast_die("no memory for %.0f packets", 2 * count);
    printf("{\"prepared\": %u}\n", 2 * b->party[0].count);
}

static void go(struct blast *b)
{
    if (prepared_per_side == 0)
        blast_die("go: nothing is prepared");
    struct blast_result *r = &b->result;
    memset(r, 0, sizeof *r);
    for (unsigned side = 0; side < 2; side++)
        blast_port_missed(&b->party[side]);
    run_slice(b, prepared_per_side);
    // the time after the last packet sent is not the slice's: CPU time is read by who gets this line
    printf("{\"sent\": %lu, \"behind\": %lu, \"wall_ns\": %lu, \"send_ns\": %lu, \"ns_per_cycle\": %.9f}\n",
           r->sent, r->sent - r->received, r->wall_ns, r->send_ns, ns_per_cycle);
    fflush(stdout);
    drain(b);
    for (unsigned side = 0; side < 2; side++)
        r->missed += blast_port_missed(&b->party[side]);
    blast_check_samples(b);
    printf("{\"received\": %lu, \"refused\": %lu, \"duplicates\": %lu, \"disordered\": %lu, \"bad\": %lu, ",
           r->received, r->refused, r->duplicates, r->disordered, r->bad);
    printf("\"foreign\": %lu, \"late\": %lu, \"missed\": %lu, \"sampled\": %lu, \"sample_bad\": %lu, "
           "\"gap_ns\": %lu}\n",
           r->foreign, r->late, r->missed, r->sampled, r->sample_bad, r->gap_ns);
    prepared_per_side = 0;
}

static void obey(struct blast *b)
{
    char line[128];
    unsigned rate, ms;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "prepare %u %u", &rate, &ms) == 2)
            prepare(b, rate, ms);
        else if (strcmp(line, "go\n") == 0)
            go(b);
        else
            blast_die("unknown command: %s", line);
        fflush(stdout);
    }
}

// ---- command line ------------------------------------------------------------------------------------

static void read_party(struct blast_party *p, char *text)
{
    char *at, *ns = strtok_r(text, ",", &at), *interface = strtok_r(NULL, ",", &at),
              *ip = strtok_r(NULL, ",", &at), *mac = strtok_r(NULL, ",", &at);
    uint8_t *m = p->gateway_mac;
    if (!mac || inet_pton(AF_INET, ip, &p->ip) != 1 ||
        sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
        blast_die("a party is NAMESPACE,INTERFACE,IP,GATEWAY-MAC");
    snprintf(p->ns, sizeof p->ns, "%s", ns);
    snprintf(p->interface, sizeof p->interface, "%s", interface);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        blast_die("core %d is not to be had", cpu);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"peer", 1, NULL, 'p'}, {"core", 1, NULL, 'c'}, {"calls", 1, NULL, 'f'}, {"cpu", 1, NULL, 'n'}, {0}};
    static struct blast b;
    const char *calls = NULL;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (o) {
        case 'p':
        case 'c':
            read_party(&b.party[o == 'c'], optarg);
            break;
        case 'f':
            calls = optarg;
            break;
        case 'n':
            pin(atoi(optarg));
            break;
        default:
            blast_die("unknown option");
        }
    }
    if (!calls || !b.party[0].ns[0] || !b.party[1].ns[0])
        blast_die("--peer, --core and --calls are needed");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (srtp_init() != srtp_err_status_ok)
        blast_die("libsrtp does not start");
    measure_tsc();
    blast_read_calls(&b, calls);
    for (unsigned side = 0; side < 2; side++)
        blast_port_open(&b.party[side]);
    puts("{\"ready\": true}");
    fflush(stdout);
    obey(&b);
    for (unsigned side = 0; side < 2; side++)
        blast_port_close(&b.party[side]);
    blast_free_calls(&b);
    srtp_shutdown();
    return 0;
}
