// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/slice.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    ROUNDS_MAX = 4096,
    WARM_ROUNDS_MAX = 4,
    MANAGER_TURNS = 4, // between two slices: a question for ARP, its answer, and what follows
    CALIBRATION = 20000,
    MULTIPLY_CYCLES = 3,
    RECENT = 63,
    LOST_SHARE = 2, // more than one round in so many lost: the slice is set aside
};
static const double DRIFT = 0.03;

// ---- was the core ours? ------------------------------------------------------------------------------

const char *aside_name(enum aside why)
{
    static const char *const name[ASIDE_COUNT] = {"no", "steal", "switched", "frequency"};
    return name[why];
}

double core_per_tsc(void)
{
    uint64_t best = UINT64_MAX, x = 3;
    for (unsigned tries = 0; tries < 3; tries++) { // an interrupt in one of them does no harm
        uint64_t begin = rte_rdtsc();
        for (unsigned i = 0; i < CALIBRATION; i++)
            __asm__ volatile("imul %0, %0" : "+r"(x));
        uint64_t took = rte_rdtsc() - begin;
        best = RTE_MIN(best, took);
    }
    return (double)CALIBRATION * MULTIPLY_CYCLES / best;
}

// Hundredths of a second that the hypervisor gave this CPU to others; 0 where the kernel does not say.
static unsigned long steal_of(int cpu)
{
    char line[256], name[16];
    unsigned long v[8] = {0}, steal = 0;
    FILE *f = fopen("/proc/stat", "r");
    snprintf(name, sizeof name, "cpu%d ", cpu);
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0 &&
            sscanf(line + strlen(name), "%lu %lu %lu %lu %lu %lu %lu %lu", &v[0], &v[1], &v[2], &v[3], &v[4],
                   &v[5], &v[6], &v[7]) == 8)
            steal = v[7];
    if (f)
        fclose(f);
    return steal;
}

struct core {
    unsigned long steal;
    double speed;
};

static struct core core_now(void)
{
    return (struct core){steal_of(sched_getcpu()), core_per_tsc()};
}

// The usual speed: the median of the last slices of this thread.
static double usual_speed(double now)
{
    static __thread double ring[RECENT];
    static __thread unsigned count;
    double sorted[RECENT];
    ring[count++ % RECENT] = now;
    unsigned n = RTE_MIN(count, (unsigned)RECENT);
    memcpy(sorted, ring, n * sizeof sorted[0]);
    return spread_of(sorted, n).median;
}

static enum aside judge(const struct core *before, const struct core *after, double *speed)
{
    *speed = (before->speed + after->speed) / 2;
    double usual = usual_speed(*speed);
    if (before->steal != after->steal)
        return ASIDE_STEAL;
    if (fabs(after->speed / before->speed - 1) > DRIFT || fabs(*speed / usual - 1) > DRIFT)
        return ASIDE_FREQUENCY;
    return ASIDE_NO;
}

// ---- slices ------------------------------------------------------------------------------------------

static uint64_t wall_us_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + t.tv_nsec / 1000;
}

static long switches_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

// Cycles a packet, NaN when another process had the core in the timed part.
static double round_run(struct bench *b, struct set *s, struct verdict *v)
{
    traffic_make(b, s, CIRCULATING);
    long switches = switches_now();
    uint64_t cycles = step_timed(s->lane, step_of(s), CIRCULATING);
    bool ours = switches == switches_now();
    check_round(b, s, CIRCULATING, v);
    return ours ? (double)cycles / CIRCULATING : NAN;
}

void slice_run(struct bench *b, struct set *s, unsigned wall_us, struct slice *out)
{
    double cycles[ROUNDS_MAX];
    unsigned warm = RTE_MIN(1 + s->streams / CIRCULATING, (unsigned)WARM_ROUNDS_MAX);
    memset(out, 0, sizeof *out);
    if (b->workers == 1)
        for (unsigned i = 0; i < MANAGER_TURNS; i++)
            place_turn(b);
    set_begin(s);
    while (warm-- > 0)
        round_run(b, s, &out->verdict);
    struct core before = core_now();
    uint64_t end = wall_us_now() + wall_us;
    do {
        cycles[out->rounds++] = round_run(b, s, &out->verdict);
    } while (out->rounds < ROUNDS_MAX && wall_us_now() < end);
    struct core after = core_now();
    check_counters(b, s, &out->verdict);
    out->aside = judge(&before, &after, &out->core_per_tsc);
    struct spread spread = spread_of(cycles, out->rounds);
    out->cycles = spread.median;
    out->lost_rounds = out->rounds - spread.count;
    if (out->aside == ASIDE_NO && out->lost_rounds * LOST_SHARE > out->rounds)
        out->aside = ASIDE_SWITCHED;
}
