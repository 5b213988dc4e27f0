// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/session/g711.h"
#include "tools/bench/reference.h"
#include "tools/bench/report.h"

enum { GOALS = 32 };

static json_t *aside_json(const unsigned aside[ASIDE_COUNT])
{
    json_t *o = json_object();
    for (unsigned i = ASIDE_NO + 1; i < ASIDE_COUNT; i++)
        json_object_set_new(o, aside_name(i), json_integer(aside[i]));
    return o;
}

static json_t *verdict_json(const struct verdict *v)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "passed", verdict_right(v),
                     "sent", (json_int_t)v->sent, "came_out", (json_int_t)v->passed, "dropped",
                     (json_int_t)v->dropped, "wrong", (json_int_t)v->wrong, "out_of_order",
                     (json_int_t)v->out_of_order, "unexpected", (json_int_t)v->unexpected, "missing",
                     (json_int_t)v->missing, "counters", (json_int_t)v->counters, "compared",
                     (json_int_t)v->sampled, "by_libsrtp2", (json_int_t)v->by_libsrtp);
}

// By name, those that there were.
static json_t *drops_json(const struct verdict *v)
{
    json_t *drops = json_object();
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        if (v->drops[i] > 0)
            json_object_set_new(drops, tl_drop_label(i), json_integer((json_int_t)v->drops[i]));
    return drops;
}

// Figures of an arm at a number of streams; without them when the gate failed.
static json_t *figures(const struct run *run, const char *arm, unsigned streams, unsigned payload)
{
    struct spread cycles;
    struct verdict verdict;
    unsigned aside[ASIDE_COUNT] = {0};
    bool right = plan_cycles(run->plan, arm, streams, payload, &cycles, &verdict);
    if (verdict.sent == 0)
        return NULL;
    for (unsigned i = 0; i < run->plan->block_count; i++) {
        const struct series *s = block_find(&run->plan->block[i], arm, streams, payload);
        for (unsigned k = 0; s && k < ASIDE_COUNT; k++)
            aside[k] += s->aside[k];
    }
    json_t *o = json_pack("{s:o, s:o, s:o}", "gate", verdict_json(&verdict), "drops", drops_json(&verdict),
                          "set_aside", aside_json(aside));
    if (!right)
        return o;
    struct spread above =
        plan_compare(run->plan, COMPARE_MINUS, arm, streams, payload, "mac_swap", streams, NULL);
    struct spread over =
        plan_compare(run->plan, COMPARE_OVER, arm, streams, payload, "mac_swap", streams, NULL);
    json_object_set_new(o, "cycles_per_packet", stats_spread(&cycles));
    json_object_set_new(o, "slices", json_integer(cycles.count));
    json_object_set_new(o, "million_packets_per_second",
                        stats_number(machine_tsc_hz() / 1e6 / cycles.median));
    if (above.count > 0) {
        json_object_set_new(o, "cycles_above_mac_swap", stats_spread(&above));
        json_object_set_new(o, "times_mac_swap", stats_spread(&over));
    }
    return o;
}

// {"1000": ...} of all numbers of streams at which the arm ran with this payload; NULL when there are none.
static json_t *by_streams(const struct run *run, const struct arm *arm, unsigned payload)
{
    json_t *streams = json_object();
    char key[16];
    for (unsigned i = 0; i < run->plan->block_count; i++)
        for (unsigned j = 0; j < run->plan->block[i].count; j++) {
            const struct series *s = &run->plan->block[i].series[j];
            snprintf(key, sizeof key, "%u", s->streams);
            if (s->arm != arm || s->payload != payload || json_object_get(streams, key))
                continue;
            json_t *o = figures(run, arm->name, s->streams, payload);
            if (o)
                json_object_set_new(streams, key, o);
        }
    if (json_object_size(streams) > 0)
        return streams;
    json_decref(streams);
    return NULL;
}

static json_t *arms_json(const struct run *run)
{
    static const unsigned small[] = {80, 6};
    json_t *all = json_object();
    char key[16];
    for (unsigned i = 0; i < arm_count; i++) {
        json_t *streams = by_streams(run, &arms[i], PAYLOAD_MAX), *frames = json_object();
        for (unsigned k = 0; k < 2; k++) {
            json_t *o = by_streams(run, &arms[i], small[k]);
            snprintf(key, sizeof key, "%u", FRAME_HEADER + RTP_HEADER + small[k]);
            if (o)
                json_object_set_new(frames, key, json_pack("{s:o}", "streams", o));
        }
        if (streams) {
            json_t *o = json_pack("{s:s, s:o}", "what", arms[i].what, "streams", streams);
            if (json_object_size(frames) > 0)
                json_object_set(o, "frames", frames);
            json_object_set_new(all, arms[i].name, o);
        }
        json_decref(frames);
    }
    return all;
}

static json_t *patterns_json(const struct plan *p)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < p->pattern_count; i++) {
        const struct pattern_result *r = &p->pattern[i];
        const struct raw_pattern *w = &raw_patterns[r->pattern];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:i, s:o, s:b}", "suite", tl_suite_info(w->suite)->name,
                            "pattern", w->name, "packets_per_call", (int)w->batch, "streams", (int)r->streams,
                            "cycles_per_packet", stats_spread(&r->cycles), "chosen", r->chosen));
    }
    return list;
}

static json_t *ratios_json(const struct run *run)
{
    struct goal goals[GOALS];
    json_t *all = json_object();
    for (unsigned i = 0, n = report_goals(run, goals, GOALS); i < n; i++) {
        const struct goal *g = &goals[i];
        bool reached = g->at_least ? g->value.median >= g->target : g->value.median <= g->target;
        json_t *o = stats_spread(&g->value);
        json_object_set_new(o, "unit", json_string(g->unit));
        json_object_set_new(o, g->at_least ? "at_least" : "at_most", stats_number(g->target));
        json_object_set_new(o, "pairs", json_integer(g->value.count));
        json_object_set_new(o, "reached", json_boolean(reached));
        json_object_set_new(all, g->name, o);
    }
    return all;
}

static json_t *settings_json(const struct run *run)
{
    const struct options *o = &run->bench->options;
    return json_pack("{s:b, s:b, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "quick", o->quick,
                     "huge_pages", o->huge, "checksums", o->sums_in_software ? "software" : "as by a NIC",
                     "burst", (int)run->bench->burst, "ring", RING_SLOTS, "packets_in_circulation",
                     CIRCULATING, "repetitions", (int)o->repetitions, "slice_us", (int)o->slice_us,
                     "media_addresses", (int)(o->realms * SIDES), "core", (int)o->core[0], "g711",
                     g711_name(g711.code));
}

static json_t *slices_json(const struct plan *p)
{
    struct tally t = plan_tally(p);
    return json_pack("{s:i, s:i, s:i, s:o}", "run", (int)p->slices, "rounds", (int)t.rounds,
                     "rounds_left_out", (int)t.lost_rounds, "set_aside", aside_json(t.aside));
}

int report_json(const struct run *run, const char *file)
{
    struct verdict sum;
    report_gate(run, &sum);
    json_t *bench = json_pack("{s:i, s:s, s:o, s:s}", "format", 1, "started", run->started, "seconds",
                              stats_number(run->seconds), "command", run->command);
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "bench", bench, "machine",
                  machine_json(run), "versions", versions_json(run), "settings", settings_json(run), "slices",
                  slices_json(run->plan), "gate", verdict_json(&sum), "arms", arms_json(run), "raw_patterns",
                  patterns_json(run->plan), "ratios", ratios_json(run));
    if (o && run->extra)
        json_object_update(o, run->extra);
    if (!o || json_dump_file(o, file, JSON_INDENT(1) | JSON_REAL_PRECISION(8)) != 0) {
        fprintf(stderr, "bench: %s cannot be written: %s\n", file, strerror(errno));
        json_decref(o);
        return errno ? -errno : -EIO;
    }
    json_decref(o);
    return 0;
}
