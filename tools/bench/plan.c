// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/reference.h"

enum {
    TOGETHER = 10000,  // streams of each arm up to which all arms have their sessions at once
    REFERENCE = 1000,  // streams of the relay that goes along with many streams
    LIBRE_MAX = 10000, // a stream of libre's takes kilobytes of OpenSSL's
    EXTRA = 3,         // a repetition is tried anew so often, over all, before slices set aside are left out
    PATTERN_TRIES = 7,
    PATTERN_US = 2000,
    BLOCKS_MAX = 256,
};

// ---- making ------------------------------------------------------------------------------------------

static struct block *add_block(struct plan *p, const char *name)
{
    if (p->block_count == BLOCKS_MAX)
        die("more blocks than there is room for");
    struct block *b = &p->block[p->block_count++];
    *b = (struct block){.name = name, .phase = p->phases};
    return b;
}

static void add_series(struct block *b, const char *arm, unsigned streams, unsigned payload)
{
    if (b->count == SERIES_MAX)
        die("more series than a block has room for");
    b->series[b->count++] = (struct series){.arm = arm_find(arm), .streams = streams, .payload = payload};
}

static bool wanted(const struct options *o, const char *arm)
{
    return !o->only || strstr(arm, o->only);
}

// The references, then `arms` (up to a NULL) as far as they are wanted; nothing when none is.
static void block_of(struct plan *p, const struct options *o, const char *name, unsigned streams,
                     unsigned payload, const char *const *references, const char *const *names)
{
    bool any = false;
    for (unsigned i = 0; names[i]; i++)
        any |= wanted(o, names[i]);
    if (!any)
        return;
    struct block *b = add_block(p, name);
    for (unsigned i = 0; references[i]; i++)
        add_series(b, references[i], streams, payload);
    for (unsigned i = 0; names[i]; i++)
        if (wanted(o, names[i]))
            add_series(b, names[i], streams, payload);
}

#define NAMES(...)                                                                                           \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static void quick_blocks(struct plan *p, const struct options *o, unsigned n)
{
    block_of(p, o, "plain", n, PAYLOAD_MAX, NAMES("null", "mac_swap"), NAMES("relay"));
    block_of(p, o, "cm80", n, PAYLOAD_MAX, NAMES("mac_swap", "relay", "raw_cm80"),
             NAMES("own_cm80", "rtp_srtp_cm80", "srtp_rtp_cm80"));
    block_of(p, o, "gcm128", n, PAYLOAD_MAX, NAMES("mac_swap", "relay", "raw_gcm128"),
             NAMES("own_gcm128", "rtp_srtp_gcm128", "srtp_rtp_gcm128"));
    p->phases++;
}

static void all_blocks(struct plan *p, const struct options *o, unsigned n)
{
    block_of(p, o, "plain", n, PAYLOAD_MAX, NAMES("null", "mac_swap"), NAMES("relay", "alaw_ulaw"));
    block_of(
        p, o, "cm80", n, PAYLOAD_MAX, NAMES("mac_swap", "relay", "raw_cm80"),
        NAMES("own_cm80", "protect_cm80", "libre_cm80", "rtp_srtp_cm80", "srtp_rtp_cm80", "srtp_srtp_cm80"));
    block_of(p, o, "gcm128", n, PAYLOAD_MAX, NAMES("mac_swap", "relay", "raw_gcm128"),
             NAMES("own_gcm128", "protect_gcm128", "libre_gcm128", "rtp_srtp_gcm128", "srtp_rtp_gcm128",
                   "srtp_srtp_gcm128"));
    block_of(p, o, "mixed", n, PAYLOAD_MAX, NAMES("mac_swap", "relay"), NAMES("mixed"));
    block_of(p, o, "attack", n, PAYLOAD_MAX, NAMES("mac_swap"), NAMES("attack"));
    p->phases++;
}

// 10 ms of G.711, and frames of 60 bytes.
static void size_blocks(struct plan *p, const struct options *o, unsigned n)
{
    static const unsigned payload[] = {80, 6};
    for (unsigned i = 0; i < 2; i++) {
        block_of(p, o, "sizes", n, payload[i], NAMES("mac_swap"),
                 NAMES("relay", "rtp_srtp_cm80", "srtp_rtp_cm80", "rtp_srtp_gcm128", "srtp_rtp_gcm128"));
        p->phases++;
    }
}

// With so many streams one arm beside the relay is in the dataplane at a time.
static void many_blocks(struct plan *p, const struct options *o, unsigned n)
{
    static const char *const alone[] = {"alaw_ulaw",        "rtp_srtp_cm80",   "srtp_rtp_cm80",
                                        "srtp_srtp_cm80",   "rtp_srtp_gcm128", "srtp_rtp_gcm128",
                                        "srtp_srtp_gcm128", "mixed",           "attack"};
    if (wanted(o, "relay")) {
        struct block *b = add_block(p, "plain");
        add_series(b, "null", n, PAYLOAD_MAX);
        add_series(b, "mac_swap", n, PAYLOAD_MAX);
        add_series(b, "relay", n, PAYLOAD_MAX);
        add_series(b, "relay", REFERENCE, PAYLOAD_MAX);
        p->phases++;
    }
    for (unsigned i = 0; i < sizeof alone / sizeof alone[0]; i++) {
        if (!wanted(o, alone[i]))
            continue;
        struct block *b = add_block(p, alone[i]);
        const struct arm *arm = arm_find(alone[i]);
        enum tl_suite suite = arm->out ? arm->out : arm->in;
        add_series(b, "mac_swap", n, PAYLOAD_MAX);
        add_series(b, "relay", n, PAYLOAD_MAX);
        const bool gcm = suite == TL_SUITE_AEAD_AES_128_GCM;
        if (suite && !arm->attack) {
            add_series(b, gcm ? "raw_gcm128" : "raw_cm80", n, PAYLOAD_MAX);
            add_series(b, gcm ? "own_gcm128" : "own_cm80", n, PAYLOAD_MAX);
        }
        add_series(b, alone[i], n, PAYLOAD_MAX);
        p->phases++;
    }
}

void plan_make(struct plan *p, const struct options *o, const unsigned *streams, unsigned count)
{
    memset(p, 0, sizeof *p);
    p->block = calloc(BLOCKS_MAX, sizeof *p->block);
    p->pattern = calloc((size_t)BLOCKS_MAX * PATTERNS_MAX, sizeof *p->pattern);
    if (!p->block || !p->pattern)
        die("no memory for a plan");
    for (unsigned i = 0; i < count; i++) {
        if (o->quick)
            quick_blocks(p, o, streams[i]);
        else if (streams[i] <= TOGETHER)
            all_blocks(p, o, streams[i]);
        else
            many_blocks(p, o, streams[i]);
        if (!o->quick && streams[i] == TOGETHER)
            size_blocks(p, o, streams[i]);
    }
    unsigned slices = 0;
    for (unsigned i = 0; i < p->block_count; i++)
        slices += p->block[i].count * o->repetitions * (1 + EXTRA);
    p->speed = calloc(slices + 1, sizeof *p->speed);
    if (!p->speed)
        die("no memory for a plan");
}

void plan_free(struct plan *p)
{
    free(p->block);
    free(p->pattern);
    free(p->speed);
}

static bool same(const struct series *a, const struct series *b)
{
    return a->arm == b->arm && a->streams == b->streams && a->payload == b->payload;
}

// The first series of the phase that is the same: it owns the set.
static struct series *owner_of(struct plan *p, const struct series *s, unsigned phase)
{
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; p->block[i].phase == phase && j < p->block[i].count; j++)
            if (same(&p->block[i].series[j], s))
                return &p->block[i].series[j];
    return NULL;
}

unsigned plan_sessions(const struct plan *plan)
{
    struct plan p = *plan;
    unsigned most = 0;
    for (unsigned phase = 0; phase < p.phases; phase++) {
        unsigned sum = 0;
        for (unsigned i = 0; i < p.block_count; i++)
            for (unsigned j = 0; p.block[i].phase == phase && j < p.block[i].count; j++) {
                struct series *s = &p.block[i].series[j];
                if (s->arm->kind == ARM_ENGINE && owner_of(&p, s, phase) == s)
                    sum += (s->streams + SIDES - 1) / SIDES;
            }
        most = RTE_MAX(most, sum);
    }
    return most;
}

// ---- running -----------------------------------------------------------------------------------------

static void shuffle(unsigned *order, unsigned n, struct rng *rng)
{
    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    for (unsigned i = n; i > 1; i--) {
        unsigned j = rng_below(rng, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

static void sets_up(struct plan *p, struct bench *b, unsigned phase)
{
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; p->block[i].phase == phase && j < p->block[i].count; j++) {
            struct series *s = &p->block[i].series[j], *owner = owner_of(p, s, phase);
            if (owner && owner != s)
                s->set = owner->set;
            else if (s->arm->kind != ARM_LIBRE || s->streams <= LIBRE_MAX)
                s->set = set_new(b, s->arm, &b->lane[0], s->streams, s->payload, SET_OWN_RATE);
        }
}

static void sets_down(struct plan *p, struct bench *b, unsigned phase)
{
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; p->block[i].phase == phase && j < p->block[i].count; j++) {
            struct series *s = &p->block[i].series[j];
            if (owner_of(p, s, phase) == s)
                set_free(b, s->set);
        }
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; p->block[i].phase == phase && j < p->block[i].count; j++)
            p->block[i].series[j].set = NULL;
}

// Every pattern in turn, some times over; the set keeps the one with the lowest median.
static void choose_pattern(struct plan *p, struct bench *b, struct set *set)
{
    double cycles[PATTERNS_MAX][PATTERN_TRIES];
    struct pattern_result *best = NULL;
    struct slice slice;
    for (unsigned t = 0; t < PATTERN_TRIES; t++)
        for (unsigned i = 0; i < raw_pattern_count; i++) {
            if (raw_patterns[i].suite != set->arm->out)
                continue;
            reference_pattern(set, i);
            slice_run(b, set, PATTERN_US, &slice);
            if (!verdict_right(&slice.verdict))
                die("libIPSec_MB by %s makes wrong packets", raw_patterns[i].name);
            cycles[i][t] = slice.cycles;
        }
    for (unsigned i = 0; i < raw_pattern_count; i++) {
        if (raw_patterns[i].suite != set->arm->out)
            continue;
        struct pattern_result *r = &p->pattern[p->pattern_count++];
        *r = (struct pattern_result){
            .pattern = i, .streams = set->streams, .cycles = spread_of(cycles[i], PATTERN_TRIES)};
        if (!best || isnan(best->cycles.median) || r->cycles.median < best->cycles.median)
            best = r;
    }
    best->chosen = true;
    reference_pattern(set, best->pattern);
}

static void choose_patterns(struct plan *p, struct bench *b, unsigned phase)
{
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; p->block[i].phase == phase && j < p->block[i].count; j++) {
            struct series *s = &p->block[i].series[j];
            bool known = false;
            for (unsigned k = 0; k < p->pattern_count; k++)
                if (p->pattern[k].streams == s->streams && p->pattern[k].chosen &&
                    raw_patterns[p->pattern[k].pattern].suite == s->arm->out && s->arm->kind == ARM_RAW) {
                    known = true;
                    reference_pattern(s->set, p->pattern[k].pattern);
                }
            if (s->arm->kind == ARM_RAW && !known)
                choose_pattern(p, b, s->set);
        }
}

// One repetition of a block: each series once, in random order. Returns whether all of it counts.
static bool run_block(struct plan *p, struct bench *b, struct block *block, unsigned wall_us, struct rng *rng)
{
    unsigned order[SERIES_MAX] = {0}, at = block->repetitions;
    bool whole = true;
    struct slice slice;
    shuffle(order, block->count, rng);
    for (unsigned i = 0; i < block->count; i++) {
        struct series *s = &block->series[order[i]];
        s->cycles[at] = NAN;
        if (!s->set)
            continue;
        slice_run(b, s->set, wall_us, &slice);
        verdict_add(&s->verdict, &slice.verdict);
        s->rounds += slice.rounds;
        s->lost_rounds += slice.lost_rounds;
        p->speed[p->slices++] = slice.core_per_tsc;
        if (slice.aside == ASIDE_NO)
            s->cycles[at] = slice.cycles;
        else
            s->aside[slice.aside]++;
        whole &= slice.aside == ASIDE_NO;
    }
    return whole;
}

static void run_phase(struct plan *p, struct bench *b, unsigned phase, unsigned *done, unsigned all,
                      void (*progress)(const struct plan *p, unsigned done, unsigned all))
{
    unsigned order[BLOCKS_MAX],
        n = 0, spare = b->options.quick ? b->options.repetitions : b->options.repetitions * EXTRA;
    struct rng rng = {phase + 1};
    sets_up(p, b, phase);
    choose_patterns(p, b, phase);
    for (unsigned i = 0; i < p->block_count; i++)
        n += p->block[i].phase == phase;
    for (unsigned r = 0; r < b->options.repetitions; r++) {
        shuffle(order, n, &rng);
        for (unsigned i = 0, first = 0; i < n; i++) {
            while (p->block[first].phase != phase)
                first++;
            struct block *block = &p->block[first + order[i]];
            // what was set aside is tried again, while that does not take for ever
            while (!run_block(p, b, block, b->options.slice_us, &rng) && spare > 0)
                spare--;
            block->repetitions++;
            progress(p, ++*done, all);
        }
    }
    sets_down(p, b, phase);
}

void plan_run(struct plan *p, struct bench *b,
              void (*progress)(const struct plan *p, unsigned done, unsigned all))
{
    unsigned done = 0;
    for (unsigned phase = 0; phase < p->phases; phase++)
        run_phase(p, b, phase, &done, p->block_count * b->options.repetitions, progress);
}

// ---- results -----------------------------------------------------------------------------------------

struct tally plan_tally(const struct plan *p)
{
    struct tally t = {0};
    for (unsigned i = 0; i < p->block_count; i++)
        for (unsigned j = 0; j < p->block[i].count; j++) {
            const struct series *s = &p->block[i].series[j];
            for (unsigned k = 0; k < ASIDE_COUNT; k++)
                t.aside[k] += s->aside[k];
            t.rounds += s->rounds;
            t.lost_rounds += s->lost_rounds;
        }
    return t;
}

const struct series *block_find(const struct block *block, const char *arm, unsigned streams,
                                unsigned payload)
{
    for (unsigned i = 0; i < block->count; i++)
        if (strcmp(block->series[i].arm->name, arm) == 0 && block->series[i].streams == streams &&
            block->series[i].payload == payload)
            return &block->series[i];
    return NULL;
}

bool plan_cycles(const struct plan *p, const char *arm, unsigned streams, unsigned payload,
                 struct spread *cycles, struct verdict *verdict)
{
    double *all = calloc((size_t)p->block_count * REPETITIONS_MAX, sizeof *all);
    unsigned n = 0;
    if (!all)
        die("no memory for a result");
    memset(verdict, 0, sizeof *verdict);
    for (unsigned i = 0; i < p->block_count; i++) {
        const struct series *s = block_find(&p->block[i], arm, streams, payload);
        if (!s)
            continue;
        memcpy(all + n, s->cycles, p->block[i].repetitions * sizeof *all);
        n += p->block[i].repetitions;
        verdict_add(verdict, &s->verdict);
    }
    *cycles = spread_of(all, n);
    free(all);
    return verdict_right(verdict) && cycles->count > 0;
}

struct spread plan_compare(const struct plan *p, enum compare how, const char *arm, unsigned streams,
                           unsigned payload, const char *first, unsigned first_streams, const char *second)
{
    double *all = calloc((size_t)p->block_count * REPETITIONS_MAX, sizeof *all);
    unsigned n = 0;
    if (!all)
        die("no memory for a result");
    for (unsigned i = 0; i < p->block_count; i++) {
        const struct block *b = &p->block[i];
        const struct series *s = block_find(b, arm, streams, payload);
        const struct series *x = block_find(b, first, first_streams, payload);
        const struct series *y = second ? block_find(b, second, streams, payload) : NULL;
        if (!s || !x || (second && !y) || !verdict_right(&s->verdict) || !verdict_right(&x->verdict) ||
            (y && !verdict_right(&y->verdict)))
            continue;
        for (unsigned r = 0; r < b->repetitions; r++) { // NaN in one makes it NaN
            const double mine = s->cycles[r], one = x->cycles[r], other = y ? y->cycles[r] : 0;
            all[n++] = how == COMPARE_MINUS  ? mine - (one + other)
                       : how == COMPARE_OVER ? mine / (one + other)
                                             : (mine - other) / one;
        }
    }
    struct spread spread = spread_of(all, n);
    free(all);
    return spread;
}
