// SPDX-License-Identifier: BSD-3-Clause
// What is judged, and the table on the terminal.
#include "tools/bench/report.h"

#include <math.h>
#include <string.h>

#include "tools/bench/reference.h"

enum { ROOM = 32, MAIN = 10000, MANY = 200000, FEW = 1000 };

// ---- goals -------------------------------------------------------------------------------------------

static void goal(struct goal *goals, unsigned room, unsigned *n, struct goal g)
{
    if (g.value.count > 0 && *n < room)
        goals[(*n)++] = g;
}

unsigned report_goals(const struct run *run, struct goal *goals, unsigned room)
{
    const struct plan *p = run->plan;
    static const struct {
        const char *name, *arm, *raw;
    } crypto[] = {{"rtp_srtp_cm80 over raw_cm80 + relay", "rtp_srtp_cm80", "raw_cm80"},
                  {"srtp_rtp_cm80 over raw_cm80 + relay", "srtp_rtp_cm80", "raw_cm80"},
                  {"rtp_srtp_gcm128 over raw_gcm128 + relay", "rtp_srtp_gcm128", "raw_gcm128"},
                  {"srtp_rtp_gcm128 over raw_gcm128 + relay", "srtp_rtp_gcm128", "raw_gcm128"}};
    unsigned n = 0;
    goal(goals, room, &n,
         (struct goal){"relay above mac_swap at 10,000 streams", "cycles",
                       plan_compare(p, COMPARE_MINUS, "relay", MAIN, PAYLOAD_MAX, "mac_swap", MAIN, NULL),
                       140, false});
    goal(goals, room, &n,
         (struct goal){"relay at 200,000 streams above itself at 1,000", "cycles",
                       plan_compare(p, COMPARE_MINUS, "relay", MANY, PAYLOAD_MAX, "relay", FEW, NULL), 130,
                       false});
    static const struct {
        const char *name, *arm, *raw;
        unsigned streams;
        double most;
    } rest[] = {
        {"rtp_srtp_cm80 less relay over raw_cm80 at 1,000 streams", "rtp_srtp_cm80", "raw_cm80", FEW, 0.6},
        {"srtp_rtp_cm80 less relay over raw_cm80 at 1,000 streams", "srtp_rtp_cm80", "raw_cm80", FEW, 0.6},
        {"rtp_srtp_cm80 less relay over raw_cm80 at 10,000 streams", "rtp_srtp_cm80", "raw_cm80", MAIN, 0.8},
        {"srtp_rtp_cm80 less relay over raw_cm80 at 10,000 streams", "srtp_rtp_cm80", "raw_cm80", MAIN, 0.8},
        {"rtp_srtp_gcm128 less relay over raw_gcm128 at 1,000 streams", "rtp_srtp_gcm128", "raw_gcm128", FEW,
         0.9},
        {"srtp_rtp_gcm128 less relay over raw_gcm128 at 1,000 streams", "srtp_rtp_gcm128", "raw_gcm128", FEW,
         0.9},
        {"rtp_srtp_gcm128 less relay over raw_gcm128 at 10,000 streams", "rtp_srtp_gcm128", "raw_gcm128",
         MAIN, 0.9},
        {"srtp_rtp_gcm128 less relay over raw_gcm128 at 10,000 streams", "srtp_rtp_gcm128", "raw_gcm128",
         MAIN, 0.9}};
    for (unsigned i = 0; i < sizeof rest / sizeof rest[0]; i++)
        goal(goals, room, &n,
             (struct goal){rest[i].name, "times",
                           plan_compare(p, COMPARE_REST_OVER, rest[i].arm, rest[i].streams, PAYLOAD_MAX,
                                        rest[i].raw, rest[i].streams, "relay"),
                           rest[i].most, false});
    for (unsigned i = 0; i < sizeof crypto / sizeof crypto[0]; i++)
        goal(goals, room, &n,
             (struct goal){crypto[i].name, "times",
                           plan_compare(p, COMPARE_OVER, crypto[i].arm, MAIN, PAYLOAD_MAX, crypto[i].raw,
                                        MAIN, "relay"),
                           1.15, false});
    goal(goals, room, &n,
         (struct goal){
             "libre_cm80 over protect_cm80 at 10,000 streams", "times",
             plan_compare(p, COMPARE_OVER, "libre_cm80", MAIN, PAYLOAD_MAX, "protect_cm80", MAIN, NULL), 4,
             true});
    goal(goals, room, &n,
         (struct goal){
             "libre_gcm128 over protect_gcm128 at 10,000 streams", "times",
             plan_compare(p, COMPARE_OVER, "libre_gcm128", MAIN, PAYLOAD_MAX, "protect_gcm128", MAIN, NULL),
             3, true});
    goal(goals, room, &n,
         (struct goal){"attack above mac_swap at 10,000 streams", "cycles",
                       plan_compare(p, COMPARE_MINUS, "attack", MAIN, PAYLOAD_MAX, "mac_swap", MAIN, NULL),
                       80, false});
    return n;
}

bool report_gate(const struct run *run, struct verdict *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned i = 0; i < run->plan->block_count; i++)
        for (unsigned j = 0; j < run->plan->block[i].count; j++)
            verdict_add(sum, &run->plan->block[i].series[j].verdict);
    return verdict_right(sum);
}

// ---- table -------------------------------------------------------------------------------------------

static unsigned columns_of(const struct plan *p, unsigned *streams)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; j < p->block[i].count; j++) {
            unsigned s = p->block[i].series[j].streams, k = 0;
            while (k < n && streams[k] != s)
                k++;
            if (k == n && n < ROOM)
                streams[n++] = s;
        }
    return n;
}

static void row(const struct run *run, FILE *out, const struct arm *arm, const unsigned *streams, unsigned n,
                unsigned payload)
{
    char cell[64];
    bool any = false;
    struct spread cycles;
    struct verdict verdict;
    for (unsigned i = 0; i < n; i++) {
        plan_cycles(run->plan, arm->name, streams[i], payload, &cycles, &verdict);
        any |= verdict.sent > 0;
    }
    if (!any)
        return;
    fprintf(out, "%-17s", arm->name);
    for (unsigned i = 0; i < n; i++) {
        bool right = plan_cycles(run->plan, arm->name, streams[i], payload, &cycles, &verdict);
        if (verdict.sent == 0)
            cell[0] = 0;
        else if (!verdict_right(&verdict))
            snprintf(cell, sizeof cell, "GATE FAILED");
        else if (!right)
            snprintf(cell, sizeof cell, "all set aside");
        else
            snprintf(cell, sizeof cell, "%.0f (%.0f-%.0f)", cycles.median, cycles.p10, cycles.p90);
        fprintf(out, " %18s", cell);
    }
    fprintf(out, "\n");
}

static void patterns_text(const struct plan *p, FILE *out)
{
    for (unsigned i = 0; i < p->pattern_count; i++) {
        const struct pattern_result *r = &p->pattern[i];
        const struct raw_pattern *w = &raw_patterns[r->pattern];
        if (i == 0)
            fprintf(out, "\nlibIPSec_MB, cycles a packet by how it is called\n");
        fprintf(out, "%-26s %6u streams  %-34s %7.0f (%.0f-%.0f)%s\n", tl_suite_info(w->suite)->name,
                r->streams, w->name, r->cycles.median, r->cycles.p10, r->cycles.p90,
                r->chosen ? "  best" : "");
    }
}

static void aside_text(const struct run *run, FILE *out)
{
    struct tally t = plan_tally(run->plan);
    fprintf(out,
            "%u slices of %u rounds; set aside: %u slices (core stolen), %u (another process ran), %u "
            "(frequency); "
            "%u single rounds\n",
            run->plan->slices, t.rounds, t.aside[ASIDE_STEAL], t.aside[ASIDE_SWITCHED],
            t.aside[ASIDE_FREQUENCY], t.lost_rounds);
}

void report_failure(const char *what, unsigned streams, const struct verdict *v, FILE *out)
{
    fprintf(out,
            "gate: %s at %u streams: of %lu packets %lu wrong, %lu out of order, %lu that should not come, "
            "%lu missing; "
            "%lu streams whose counters differ\n",
            what, streams, (unsigned long)v->sent, (unsigned long)v->wrong, (unsigned long)v->out_of_order,
            (unsigned long)v->unexpected, (unsigned long)v->missing, (unsigned long)v->counters);
}

static void failures(const struct run *run, FILE *out)
{
    for (unsigned i = 0; i < run->plan->block_count; i++)
        for (unsigned j = 0; j < run->plan->block[i].count; j++) {
            const struct series *s = &run->plan->block[i].series[j];
            if (!verdict_right(&s->verdict))
                report_failure(s->arm->name, s->streams, &s->verdict, out);
        }
}

void report_text(const struct run *run, FILE *out)
{
    unsigned streams[ROOM], n = columns_of(run->plan, streams);
    static const unsigned payload[] = {PAYLOAD_MAX, 80, 6};
    struct goal goals[ROOM];
    struct verdict sum;
    for (unsigned size = 0; size < 3; size++) {
        struct spread cycles;
        struct verdict verdict;
        bool any = size == 0 && n > 0;
        for (unsigned i = 0; i < n && !any; i++) {
            plan_cycles(run->plan, "relay", streams[i], payload[size], &cycles, &verdict);
            any |= verdict.sent > 0;
        }
        if (!any)
            continue;
        fprintf(
            out,
            "\nTSC cycles a packet, frames of %u bytes: median (10 %% - 90 %%) by number of streams\n%-17s",
            FRAME_HEADER + RTP_HEADER + payload[size], "");
        for (unsigned i = 0; i < n; i++)
            fprintf(out, " %18u", streams[i]);
        fprintf(out, "\n");
        for (unsigned i = 0; i < arm_count; i++)
            row(run, out, &arms[i], streams, n, payload[size]);
    }
    patterns_text(run->plan, out);
    fprintf(out, "\n");
    for (unsigned i = 0, count = report_goals(run, goals, ROOM); i < count; i++) {
        const struct goal *g = &goals[i];
        bool reached = g->at_least ? g->value.median >= g->target : g->value.median <= g->target;
        fprintf(out, "%-60s %8.2f %-6s (%.2f - %.2f)  %s %g: %s\n", g->name, g->value.median, g->unit,
                g->value.p10, g->value.p90, g->at_least ? "at least" : "at most", g->target,
                reached ? "reached" : "missed");
    }
    bool right = report_gate(run, &sum);
    if (n == 0)
        return;
    aside_text(run, out);
    fprintf(out,
            "gate: %s: %lu packets sent, %lu came out, %lu dropped and counted; %lu compared byte by byte, "
            "%lu of them by libsrtp2\n",
            right ? "passed" : "FAILED", (unsigned long)sum.sent, (unsigned long)sum.passed,
            (unsigned long)sum.dropped, (unsigned long)sum.sampled, (unsigned long)sum.by_libsrtp);
    failures(run, out);
}
