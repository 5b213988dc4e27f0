// SPDX-License-Identifier: BSD-3-Clause
// Two workers, each on its core with its own rings: what a packet costs while the other one works, too. The
// same of libIPSec_MB alone, whose lanes share nothing, is what the machine itself does to two cores: it has
// no limit. And what the terminal says of all that needs two cores.
#include <math.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/slice.h"
#include "tools/bench/two_core.h"

enum { OTHER_LCORE = 1, ARMS = 4 };

// What a packet may cost while the other worker works, over what it costs alone. SRTP is wide vector code, whose pace
// cores may share.
static double most(const char *arm)
{
    return strcmp(arm, "relay") == 0 ? 1.05 : 1.1;
}

struct job {
    struct bench *b;
    struct set *set;
    unsigned slice_us;
    struct slice slice;
};

static int run_job(void *arg)
{
    struct job *j = arg;
    slice_run(j->b, j->set, j->slice_us, &j->slice);
    return 0;
}

static double cycles_of(const struct slice *s)
{
    return s->aside == ASIDE_NO ? s->cycles : NAN;
}

// Each alone, then both: cycles into alone[] and both[].
static void one_repetition(struct job job[LANES_MAX], double alone[LANES_MAX], double both[LANES_MAX],
                           struct verdict *verdict)
{
    for (unsigned step = 0; step < 3; step++) {
        bool first = step != 1, second = step != 0;
        if (second && rte_eal_remote_launch(run_job, &job[1], OTHER_LCORE))
            die("the second lcore does not start");
        if (first)
            run_job(&job[0]);
        if (second)
            rte_eal_wait_lcore(OTHER_LCORE);
        for (unsigned i = 0; i < LANES_MAX; i++) {
            if (i == 0 ? !first : !second)
                continue;
            (step == 2 ? both : alone)[i] = cycles_of(&job[i].slice);
            verdict_add(verdict, &job[i].slice.verdict);
        }
    }
}

static json_t *one_arm(struct bench *b, const char *name, unsigned streams, unsigned repetitions,
                       unsigned slice_us, bool *right)
{
    double alone[LANES_MAX][REPETITIONS_MAX], both[LANES_MAX][REPETITIONS_MAX], ratio[REPETITIONS_MAX];
    struct job job[LANES_MAX];
    struct verdict verdict = {0};
    json_t *workers = json_array();
    for (unsigned i = 0; i < LANES_MAX; i++)
        job[i] =
            (struct job){.b = b,
                         .set = set_new(b, arm_find(name), &b->lane[i], streams, PAYLOAD_MAX, SET_OWN_RATE),
                         .slice_us = slice_us};
    for (unsigned r = 0; r < repetitions; r++) {
        double a[LANES_MAX] = {0}, t[LANES_MAX] = {0};
        one_repetition(job, a, t, &verdict);
        for (unsigned i = 0; i < LANES_MAX; i++) {
            alone[i][r] = a[i];
            both[i][r] = t[i];
        }
    }
    bool reached = true;
    for (unsigned i = 0; i < LANES_MAX; i++) {
        for (unsigned r = 0; r < repetitions; r++)
            ratio[r] = both[i][r] / alone[i][r];
        struct spread x = spread_of(ratio, repetitions), one = spread_of(alone[i], repetitions),
                      two = spread_of(both[i], repetitions);
        reached &= x.median <= most(name);
        json_array_append_new(workers, json_pack("{s:o, s:o, s:o, s:i}", "alone", stats_spread(&one), "both",
                                                 stats_spread(&two), "both_over_alone", stats_spread(&x),
                                                 "pairs", (int)x.count));
        set_free(b, job[i].set);
    }
    *right &= verdict_right(&verdict);
    if (!verdict_right(&verdict))
        report_failure(name, streams, &verdict, stderr);
    json_t *arm = json_pack("{s:o, s:b}", "workers", workers, "gate", verdict_right(&verdict));
    if (arm_find(name)->kind != ARM_RAW)
        json_object_update_new(arm, json_pack("{s:f, s:b}", "at_most", most(name), "reached", reached));
    return arm;
}

bool two_workers_run(struct bench *b, unsigned streams, unsigned repetitions, unsigned slice_us, json_t *into)
{
    static const char *const names[ARMS] = {"relay", "rtp_srtp_cm80", "rtp_srtp_gcm128", "raw_cm80"};
    json_t *all = json_object();
    bool right = true;
    fprintf(stderr, "bench: two workers\n");
    for (unsigned i = 0; i < ARMS; i++)
        json_object_set_new(all, names[i], one_arm(b, names[i], streams, repetitions, slice_us, &right));
    json_object_set_new(into, "two_workers", all);
    return right;
}

// ---- terminal ----------------------------------------------------------------------------------------

static double at(const json_t *o, const char *a, const char *b)
{
    const json_t *v = json_object_get(json_object_get(o, a), b);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void latency_text(const json_t *latency, FILE *out)
{
    static const char *const column[] = {"p50", "p90", "p99", "p99_9", "p99_99", "max"};
    const char *arm, *load;
    json_t *by_load, *o;
    fprintf(out,
            "\nus from ring to ring, one burst of the generator's and one of the worker's in it\n%-17s %5s",
            "", "load");
    for (unsigned i = 0; i < 6; i++)
        fprintf(out, " %9s", column[i]);
    fprintf(out, "   worker's turn p99_9\n");
    json_object_foreach((json_t *)latency, arm, by_load)
    {
        json_object_foreach(by_load, load, o)
        {
            fprintf(out, "%-17s %3s %%", arm, load);
            for (unsigned i = 0; i < 6; i++)
                fprintf(out, " %9.1f", at(o, "wall_us", column[i]));
            fprintf(out, " %9.1f\n", at(o, "turn_us", "p99_9"));
        }
    }
}

static void workers_text(const json_t *two, FILE *out)
{
    const char *arm;
    json_t *o;
    json_object_foreach((json_t *)two, arm, o)
    {
        const json_t *w = json_object_get(o, "workers");
        const json_t *limit = json_object_get(o, "at_most");
        fprintf(out, "two workers, %s: each costs %.2f and %.2f times what it costs alone (", arm,
                at(json_array_get(w, 0), "both_over_alone", "median"),
                at(json_array_get(w, 1), "both_over_alone", "median"));
        if (limit)
            fprintf(out, "at most %g: %s)\n", json_number_value(limit),
                    json_is_true(json_object_get(o, "reached")) ? "reached" : "missed");
        else
            fprintf(out, "by the machine itself)\n");
    }
}

void two_core_text(const json_t *found, FILE *out)
{
    const char *arm;
    json_t *o;
    const json_t *updates = json_object_get(found, "updates"),
                 *attack = json_object_get(found, "under_attack");
    if (json_object_get(found, "throughput"))
        fprintf(out, "\nmillion packets a second, generator on one core, worker on the other\n");
    json_object_foreach(json_object_get(found, "throughput"), arm, o)
    {
        fprintf(out, "%-17s %8.2f (%.2f - %.2f)  %5.2f of mac_swap\n", arm,
                at(o, "million_packets_per_second", "median"), at(o, "million_packets_per_second", "p10"),
                at(o, "million_packets_per_second", "p90"), at(o, "of_mac_swap", "median"));
    }
    if (json_object_get(found, "latency"))
        latency_text(json_object_get(found, "latency"), out);
    fprintf(out, "\n");
    if (updates)
        fprintf(out,
                "updates: %.0f sessions made and %.0f ended a second: %lld packets lost; "
                "P99.9 of the worker's turn %.1f us with, %.1f us without\n",
                json_number_value(json_object_get(updates, "adds_per_second")),
                json_number_value(json_object_get(updates, "deletes_per_second")),
                json_integer_value(json_object_get(updates, "packets_lost")),
                at(updates, "turn_us_with", "p99_9"), at(updates, "turn_us_without", "p99_9"));
    if (attack)
        fprintf(
            out,
            "attack: %.2f million packets a second, 7 of 10 forged: of %lld good ones %lld lost, %lld not sent in time\n",
            json_number_value(json_object_get(attack, "million_packets_per_second")),
            json_integer_value(json_object_get(attack, "good_sent")),
            json_integer_value(json_object_get(attack, "good_lost")),
            json_integer_value(json_object_get(attack, "good_not_sent_in_time")));
    workers_text(json_object_get(found, "two_workers"), out);
}
