// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/result.h"

#include "tools/loadgen/tally.h"

#include <arpa/inet.h>
#include <inttypes.h>

enum { FAULTY_SHOWN = 20 };

struct field {
    const char *name;
    uint64_t value;
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void fields(FILE *out, const char *name, const struct field *f, size_t count)
{
    fprintf(out, "\"%s\":{", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", f[i].name, f[i].value);
    fprintf(out, "}");
}

static void percentiles(FILE *out, const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        uint32_t per_10000;
    } points[] = {{"p50", 5000}, {"p90", 9000}, {"p99", 9900}, {"p99_9", 9990}, {"p99_99", 9999}};

    if (h->count == 0) {
        fprintf(out, "\"%s\":null", name);
        return;
    }
    fprintf(out, "\"%s\":{\"count\":%" PRIu64, name, h->count);
    for (size_t i = 0; i < COUNT(points); i++)
        fprintf(out, ",\"%s\":%.1f", points[i].name, (double)histogram_at(h, points[i].per_10000) / 1e3);
    fprintf(out, ",\"max\":%.1f}", (double)h->max / 1e3);
}

static void received_fields(FILE *out, const struct result *r)
{
    const struct ledger *l = &r->in;
    const struct field received[] = {
        {"expected", r->expected},
        {"received", l->received},
        {"verified", l->verified},
        {"lost", r->lost},
        {"reordered", l->reordered},
        {"duplicate", l->duplicate},
        {"too_late", l->too_late},
        {"bad_payload", l->bad_payload},
        {"misrouted", l->misrouted},
        {"seq_jumps", l->seq_jumps},
        {"ts_jumps", l->ts_jumps},
        {"ssrc_changes", l->ssrc_changes},
        {"bad_rtp", l->bad_rtp},
        {"bad_pt", l->bad_pt},
        {"bad_auth", l->bad_auth},
        {"replayed", l->replayed},
        {"late_for_roc", l->late_for_roc},
        {"foreign", l->foreign},
        {"ends", l->finals},
        {"rtcp", r->rtcp},
    };

    fields(out, "received", received, COUNT(received));
}

static void print_address(FILE *out, const char *name, const struct endpoint *e)
{
    const struct in_addr ip = {htonl(e->ip)};
    char text[INET_ADDRSTRLEN];

    fprintf(out, "\"%s\":\"%s:%u\",", name, inet_ntop(AF_INET, &ip, text, sizeof text), e->port);
}

static void faulty_streams(FILE *out, const struct run *run)
{
    uint32_t shown = 0;

    fprintf(out, "\"faulty_streams\":[");
    for (uint32_t i = 0; i < run->count && shown < FAULTY_SHOWN; i++) {
        const struct flow *f = &run->flows[i];

        if (!stream_mode_receives(run->o->mode) ||
            (ledger_lost(&f->in) == 0 && ledger_faults(&f->in) == 0 && f->in.ended))
            continue;
        fprintf(out, "%s\n{\"stream\":%u,", shown++ == 0 ? "" : ",", i);
        print_address(out, "local", &f->local);
        print_address(out, "remote", &f->remote);
        const struct field one[] = {
            {"expected", ledger_expected(&f->in)},
            {"received", f->in.received},
            {"lost", ledger_lost(&f->in)},
            {"faults", ledger_faults(&f->in)},
            {"bad_auth", f->in.bad_auth},
            {"bad_payload", f->in.bad_payload},
            {"end_heard", f->in.ended},
        };
        fields(out, "in", one, COUNT(one));
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

static void sent_fields(FILE *out, const struct result *r, const struct run *run)
{
    const struct field sent[] = {
        {"packets", r->gone},
        {"with_ends", r->sent},
        {"left_out", run->skipped},
        {"refused", r->refused},
        {"crypto_errors", run->crypto_errors},
        {"late", run->late_packets},
    };
    const struct field injected[] = {
        {"lost", run->inject.count[INJECT_LOSE]},
        {"duplicate", run->inject.count[INJECT_DUPLICATE]},
        {"corrupt", run->inject.count[INJECT_CORRUPT]},
        {"swapped", run->inject.count[INJECT_SWAP]},
    };

    fprintf(out, "\"offered\":{\"packets\":%" PRIu64 ",\"packets_per_second\":%.1f},\n", r->offered,
            r->offered_pps);
    fields(out, "sent", sent, COUNT(sent));
    fprintf(out, ",\n\"sent_per_second\":%.1f,\"sending_seconds\":%.3f,\n", r->sent_pps, r->seconds);
    fields(out, "injected", injected, COUNT(injected));
    fprintf(out, ",\n");
    percentiles(out, "late_us", &run->late);
}

void result_json(FILE *out, const struct result *r, const struct run *run)
{
    static const char *const modes[] = {"send", "receive", "both", "echo", "reflect"};
    const struct field streams[] = {{"count", run->count},
                                    {"faulty", r->faulty},
                                    {"not_heard", r->silent},
                                    {"end_not_heard", r->endless}};
    const struct field machine[] = {{"missed", r->port.missed},
                                    {"stray", r->port.stray},
                                    {"bad_checksum", r->port.bad_sum},
                                    {"not_udp", r->port.not_udp},
                                    {"cpu_us", (uint64_t)run->cpu_ns / 1000},
                                    {"run_us", (uint64_t)run->run_ns / 1000}};

    fprintf(out, "{\"mode\":\"%s\",\"port\":", modes[run->o->mode]);
    tally_json_string(out, run->port->name);
    fprintf(out, ",\"payload\":%u,\"ptime_ms\":%.3f,\n", run->o->payload, run->o->ptime_us / 1e3);
    fields(out, "streams", streams, COUNT(streams));
    fprintf(out, ",\n");
    sent_fields(out, r, run);
    fprintf(out, ",\n");
    received_fields(out, r);
    fprintf(out, ",\n");
    percentiles(out, "latency_us", &run->latency);
    fprintf(out, ",\n");
    fields(out, "machine", machine, COUNT(machine));
    fprintf(out, ",\n");
    faulty_streams(out, run);
    fprintf(out, ",\n\"not_good\":[");
    for (uint32_t i = 0; i < r->reasons; i++) {
        fprintf(out, i == 0 ? "" : ",");
        tally_json_string(out, r->reason[i]);
    }
    fprintf(out, "],\n\"good\":%s}\n", result_good(r) ? "true" : "false");
}
