// SPDX-License-Identifier: BSD-3-Clause
// What needs a second core: throughput, latency, updates under traffic, good packets under attack.
#include "tools/bench/two_core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/duo.h"

enum {
    CHURN = 64, // sessions that come and go
    UPDATES_PER_S = 10000,
    TURN_US = 20, // between two turns of the manager while commands are out
    TRIES = 5,
    VICTIMS = 1000,
    ATTACK_PERCENT = 70, // of the rate of mac_swap
};

#define CHURN_CALLS (1ull << 63) // no set's sessions are called so

struct tested_arm {
    const char *name; // in the report
    const char *arm;
    enum duo_kind kind;
};

static const struct tested_arm tested[] = {{"null", "relay", DUO_RINGS},
                                           {"mac_swap", "relay", DUO_SWAP},
                                           {"relay", "relay", DUO_LOOP},
                                           {"rtp_srtp_cm80", "rtp_srtp_cm80", DUO_LOOP},
                                           {"rtp_srtp_gcm128", "rtp_srtp_gcm128", DUO_LOOP}};
enum { TESTED = sizeof tested / sizeof tested[0], RELAY = 2 };

static double us_of_tsc(void)
{
    return 1e6 / (double)rte_get_tsc_hz();
}

static void note(bool *right, const struct duo_result *r, const char *what)
{
    if (duo_right(r))
        return;
    *right = false;
    fprintf(stderr,
            "bench: gate: %s: %lu sent, %lu came out, %lu dropped, %lu out of order, %lu of no stream, %lu "
            "forged\n",
            what, (unsigned long)r->sent, (unsigned long)r->came, (unsigned long)r->dropped,
            (unsigned long)r->out_of_order, (unsigned long)r->foreign, (unsigned long)r->forged_came);
}

// ---- throughput --------------------------------------------------------------------------------------

static json_t *throughput(struct bench *b, struct traffic *t, unsigned repetitions, unsigned ms, double *best,
                          bool *right)
{
    double(*pps)[TESTED] = calloc(repetitions, sizeof *pps), column[REPETITIONS_MAX], ratio[REPETITIONS_MAX];
    struct duo_result *r = calloc(1, sizeof *r);
    json_t *all = json_object();
    if (!pps || !r)
        die("no memory for a result");
    for (unsigned i = 0; i < repetitions; i++)
        for (unsigned j = 0; j < TESTED; j++) {
            unsigned k = (i * 7 + j) % TESTED; // another order each time
            duo_run(b, tested[k].kind, &t[k], 0, ms, NULL, NULL, r);
            note(right, r, tested[k].name);
            pps[i][k] = r->pps / 1e6;
        }
    for (unsigned k = 0; k < TESTED; k++) {
        for (unsigned i = 0; i < repetitions; i++) {
            column[i] = pps[i][k];
            ratio[i] = pps[i][k] / pps[i][1];
        }
        struct spread rate = spread_of(column, repetitions), share = spread_of(ratio, repetitions);
        best[k] = rate.median * 1e6;
        json_object_set_new(all, tested[k].name,
                            json_pack("{s:o, s:o}", "million_packets_per_second", stats_spread(&rate),
                                      "of_mac_swap", stats_spread(&share)));
    }
    free(pps);
    free(r);
    return all;
}

// ---- latency -----------------------------------------------------------------------------------------

static json_t *latency(struct bench *b, struct traffic *t, const double *best, unsigned ms, bool *right)
{
    static const unsigned load[] = {10, 50, 90};
    struct duo_result *r = calloc(1, sizeof *r);
    json_t *all = json_object();
    char key[8];
    if (!r)
        die("no memory for a result");
    for (unsigned k = 0; k < TESTED; k++) {
        json_t *arm = json_object();
        for (unsigned i = 0; i < 3; i++) {
            enum duo_kind kind = tested[k].kind == DUO_LOOP ? DUO_TURNS : tested[k].kind;
            duo_run(b, kind, &t[k], best[k] * load[i] / 100, ms, NULL, NULL, r);
            note(right, r, tested[k].name);
            snprintf(key, sizeof key, "%u", load[i]);
            json_object_set_new(
                arm, key,
                json_pack("{s:o, s:o, s:o, s:I, s:I}", "million_packets_per_second",
                          stats_number(r->pps / 1e6), "wall_us", stats_histogram(&r->wall, us_of_tsc()),
                          "turn_us", stats_histogram(&r->turns, us_of_tsc()), "lost",
                          (json_int_t)(r->sent - r->came), "not_sent_in_time", (json_int_t)r->unsent));
        }
        json_object_set_new(all, tested[k].name, arm);
    }
    free(r);
    return all;
}

// ---- updates -----------------------------------------------------------------------------------------

struct churn {
    struct set *set; // whose sessions come and go; its own are not in the dataplane
    uint64_t next_tsc, step_tsc, turn_tsc;
    unsigned position;
    unsigned out; // commands without an answer
    uint64_t added, deleted, failed;
    uint64_t number;
    bool live[CHURN];
};

static void take_answers(struct bench *b, struct churn *c)
{
    struct tl_completion done;
    tl_client_poll(b->client);
    while (tl_client_completion(b->client, 0, &done) == 0) {
        unsigned i = done.id % CHURN;
        c->out--;
        if (done.status) {
            c->failed++;
        } else if (done.op == TL_OP_ADD) {
            c->set->handle[i] = done.handle;
            c->live[i] = true;
            c->added++;
        } else {
            c->deleted++;
        }
    }
}

// A session goes and another comes in its place.
static void update(struct bench *b, struct churn *c)
{
    unsigned i = c->position++ % CHURN;
    struct tl_command del = {.id = i, .op = TL_OP_DEL, .handle = c->set->handle[i]};
    struct tl_command add = {.id = i, .op = TL_OP_ADD, .call_ref = CHURN_CALLS | ++c->number << 32 | (i + 1)};
    if (c->live[i]) {
        c->live[i] = false;
        c->out += tl_client_send(b->client, 0, &del) == 0;
    }
    set_leg(b, c->set, i, 0, &add.leg[0]);
    set_leg(b, c->set, i, 1, &add.leg[1]);
    c->out += tl_client_send(b->client, 0, &add) == 0;
}

static void churn_hook(struct bench *b, void *arg)
{
    struct churn *c = arg;
    uint64_t now = rte_rdtsc();
    if (now >= c->next_tsc) {
        c->next_tsc += c->step_tsc;
        update(b, c);
    }
    if (c->out > 0 && now >= c->turn_tsc) {
        manager_turn(b->manager);
        take_answers(b, c);
        c->turn_tsc = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * TURN_US;
    }
}

// The last ones go; nothing runs but this.
static void churn_end(struct bench *b, struct churn *c)
{
    for (unsigned i = 0; i < CHURN; i++) {
        for (unsigned turns = 0; c->out > 0 && turns < 100000; turns++) {
            place_turn(b);
            take_answers(b, c);
        }
        struct tl_command del = {.id = i, .op = TL_OP_DEL, .handle = c->set->handle[i]};
        if (c->live[i])
            c->out += tl_client_send(b->client, 0, &del) == 0;
    }
    for (unsigned turns = 0; c->out > 0 && turns < 100000; turns++) {
        place_turn(b);
        take_answers(b, c);
    }
}

static json_t *updates(struct bench *b, struct traffic *t, double pps, unsigned ms, bool *right)
{
    struct duo_result *with = calloc(TRIES, sizeof *with), *without = calloc(TRIES, sizeof *without);
    struct churn *c = calloc(1, sizeof *c);
    double grown[TRIES], p_with[TRIES], p_without[TRIES];
    uint64_t lost = 0, unsent = 0;
    if (!with || !without || !c)
        die("no memory for a result");
    c->set = set_outside(b, arm_find("rtp_srtp_cm80"), &b->lane[0], CHURN * SIDES);
    c->step_tsc = rte_get_tsc_hz() / UPDATES_PER_S;
    double seconds = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        duo_run(b, DUO_TURNS, t, pps, ms, NULL, NULL, &without[i]);
        note(right, &without[i], "without updates");
        c->next_tsc = rte_rdtsc();
        duo_run(b, DUO_TURNS, t, pps, ms, churn_hook, c, &with[i]);
        note(right, &with[i], "updates");
        seconds += with[i].seconds;
        lost += with[i].sent - with[i].came;
        unsent += with[i].unsent;
        p_with[i] = histogram_at(&with[i].turns, 9990) * us_of_tsc();
        p_without[i] = histogram_at(&without[i].turns, 9990) * us_of_tsc();
        grown[i] = p_with[i] - p_without[i];
        if (i > 0) {
            histogram_merge(&with[0].turns, &with[i].turns);
            histogram_merge(&without[0].turns, &without[i].turns);
        }
    }
    uint64_t added = c->added, deleted = c->deleted, failed = c->failed;
    churn_end(b, c);
    struct spread g = spread_of(grown, TRIES);
    json_t *o =
        json_pack("{s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:{s:o, s:f, s:b}}", "adds_per_second",
                  stats_number(added / seconds), "deletes_per_second", stats_number(deleted / seconds),
                  "refused", (json_int_t)failed, "packets_lost", (json_int_t)lost, "not_sent_in_time",
                  (json_int_t)unsent, "turn_us_with", stats_histogram(&with[0].turns, us_of_tsc()),
                  "turn_us_without", stats_histogram(&without[0].turns, us_of_tsc()), "p99_9_grows_us",
                  "value", stats_spread(&g), "at_most", 50.0, "reached", g.median <= 50 && lost == 0);
    json_object_set_new(o, "million_packets_per_second", stats_number(with[0].pps / 1e6));
    set_free(b, c->set);
    free(c);
    free(with);
    free(without);
    return o;
}

// ---- attack ------------------------------------------------------------------------------------------

static json_t *under_attack(struct bench *b, struct traffic *t, struct set *victims, double swap_pps,
                            unsigned ms, bool *right)
{
    struct duo_result *r = calloc(1, sizeof *r);
    uint64_t sent = 0, lost = 0, unsent = 0, forged = 0;
    double pps = 0, worst = 0;
    if (!r)
        die("no memory for a result");
    traffic_forge(b, t, victims);
    for (unsigned i = 0; i < TRIES; i++) {
        duo_run(b, DUO_TURNS, t, swap_pps * ATTACK_PERCENT / 100, ms, NULL, NULL, r);
        note(right, r, "attack");
        sent += r->sent;
        lost += r->sent - r->came;
        unsent += r->unsent;
        forged += r->forged;
        pps += (double)(r->sent + r->forged) / r->seconds / TRIES / 1e6;
        worst = fmax(worst, r->turns.max * us_of_tsc());
    }
    free(r);
    return json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:o, s:b}", "percent_of_mac_swap", ATTACK_PERCENT,
                     "million_packets_per_second", stats_number(pps), "good_sent", (json_int_t)sent,
                     "good_lost", (json_int_t)lost, "good_not_sent_in_time", (json_int_t)unsent,
                     "forged_sent", (json_int_t)forged, "longest_turn_us", stats_number(worst), "reached",
                     lost + unsent == 0);
}

// ---- all ---------------------------------------------------------------------------------------------

bool two_core_run(struct bench *b, unsigned streams, unsigned repetitions, unsigned ms, json_t *into)
{
    struct set *sets[TESTED] = {NULL};
    struct traffic t[TESTED];
    double best[TESTED] = {0};
    bool right = true;
    for (unsigned k = 0; k < TESTED; k++) {
        // the references take the relay's streams
        sets[k] = k == 0 || strcmp(tested[k].arm, tested[0].arm) != 0
                      ? set_new(b, arm_find(tested[k].arm), &b->lane[0], streams, PAYLOAD_MAX, SET_ANY_RATE)
                      : sets[0];
        traffic_begin(&t[k], sets[k]);
    }
    struct set *victims = set_new(b, arm_find("attack"), &b->lane[0], RTE_MIN(streams, (unsigned)VICTIMS),
                                  PAYLOAD_MAX, SET_OWN_RATE);
    fprintf(stderr, "bench: throughput\n");
    json_object_set_new(into, "throughput", throughput(b, t, repetitions, ms, best, &right));
    fprintf(stderr, "bench: latency\n");
    json_object_set_new(into, "latency", latency(b, t, best, 10 * ms, &right));
    fprintf(stderr, "bench: updates\n");
    json_object_set_new(into, "updates", updates(b, &t[RELAY], best[RELAY] / 2, 5 * ms, &right));
    fprintf(stderr, "bench: good packets under attack\n");
    json_object_set_new(into, "under_attack", under_attack(b, &t[RELAY], victims, best[1], 5 * ms, &right));
    for (unsigned k = 0; k < TESTED; k++)
        traffic_end(&t[k]);
    set_free(b, victims);
    for (unsigned k = TESTED; k-- > 0;)
        if (k == 0 || sets[k] != sets[0])
            set_free(b, sets[k]);
    return right;
}
