// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/result.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static void add_ledger(struct result *r, const struct ledger *l)
{
    r->expected += ledger_expected(l);
    r->lost += ledger_lost(l);
    r->in.received += l->received;
    r->in.verified += l->verified;
    r->in.reordered += l->reordered;
    r->in.duplicate += l->duplicate;
    r->in.too_late += l->too_late;
    r->in.finals += l->finals;
    r->in.bad_payload += l->bad_payload;
    r->in.misrouted += l->misrouted;
    r->in.seq_jumps += l->seq_jumps;
    r->in.ts_jumps += l->ts_jumps;
    r->in.ssrc_changes += l->ssrc_changes;
    r->in.bad_rtp += l->bad_rtp;
    r->in.bad_pt += l->bad_pt;
    r->in.bad_auth += l->bad_auth;
    r->in.replayed += l->replayed;
    r->in.late_for_roc += l->late_for_roc;
    r->in.foreign += l->foreign;
    r->silent += !l->any;
    r->endless += l->finals == 0;
    r->faulty += ledger_lost(l) > 0 || ledger_faults(l) > 0;
}

__attribute__((format(printf, 2, 3))) static void because(struct result *r, const char *format, ...)
{
    va_list ap;

    if (r->reasons == RESULT_REASONS)
        return;
    va_start(ap, format);
    vsnprintf(r->reason[r->reasons++], sizeof r->reason[0], format, ap);
    va_end(ap);
}

static void judge_sending(struct result *r, const struct run *run)
{
    const struct stream_options *o = run->o;

    if (run->sending_from == 0)
        because(r, run->o->start_heard ? "nothing was sent: nothing was heard that --start-heard waited for"
                                       : "nothing was sent");
    else if (run->interrupted)
        because(r, "interrupted");
    if ((double)r->gone * 1e6 < (double)r->offered * o->expect_rate_ppm)
        because(r,
                "%" PRIu64 " of %" PRIu64
                " packets were sent, less than --expect-rate %g: this machine or its port is too slow",
                r->gone, r->offered, o->expect_rate_ppm / 1e4);
    if (r->refused > 0)
        because(r, "%" PRIu64 " packets were refused by the port", r->refused);
    if (run->crypto_errors > 0)
        because(r, "%" PRIu64 " packets could not be protected", run->crypto_errors);
}

static void judge_receiving(struct result *r, const struct run *run)
{
    const uint64_t faults = ledger_faults(&r->in);

    if (r->silent > 0)
        because(r, "%u of %u streams were not heard", r->silent, run->count);
    else if (r->endless > 0)
        because(r, "the end of %u of %u streams was not heard", r->endless, run->count);
    if ((double)r->lost * 1e6 > (double)r->expected * run->o->expect_loss_ppm)
        because(r, "%" PRIu64 " of %" PRIu64 " packets are lost, more than --expect-loss %g", r->lost,
                r->expected, run->o->expect_loss_ppm / 1e4);
    if (faults > 0)
        because(r, "%" PRIu64 " packets were not as they must be", faults);
    if (run->unsound > 0)
        because(r, "%" PRIu64 " packets come from another clock: --one-clock is for one machine",
                run->unsound);
}

void result_make(struct result *r, const struct run *run)
{
    memset(r, 0, sizeof *r);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct flow *f = &run->flows[i];

        add_ledger(r, &f->in);
        r->made += run->sending_until == 0 ? f->number : f->total;
        r->sent += f->sent;
        r->refused += f->refused;
        r->rtcp += f->rtcp;
    }
    run->port->ops->counters(run->port, &r->port);
    r->offered = r->made + run->skipped;
    r->gone = r->made > r->refused + run->crypto_errors ? r->made - r->refused - run->crypto_errors : 0;
    r->offered_pps = stream_mode_sends(run->o->mode) ? run->count * 1e6 / run->o->ptime_us : 0;
    if (run->sending_until > run->sending_from)
        r->seconds = (double)(run->sending_until - run->sending_from) / 1e9;
    if (r->seconds > 0)
        r->sent_pps = (double)r->gone / r->seconds;
    if (stream_mode_sends(run->o->mode))
        judge_sending(r, run);
    if (stream_mode_receives(run->o->mode))
        judge_receiving(r, run);
}

bool result_good(const struct result *r)
{
    return r->reasons == 0;
}

static void print_sending(FILE *out, const struct result *r, const struct run *run)
{
    fprintf(out, "offered    %" PRIu64 " packets, %.0f a second (%u streams, one each %g ms)\n", r->offered,
            r->offered_pps, run->count, run->o->ptime_us / 1e3);
    fprintf(out,
            "sent       %" PRIu64 " packets, %.0f a second; left out %" PRIu64
            ", refused by the port %" PRIu64 "\n",
            r->gone, r->sent_pps, run->skipped, r->refused);
    fprintf(out,
            "late       50 %% by up to %.3f ms, 99 %% %.3f, 99.9 %% %.3f, worst %.3f; %" PRIu64
            " by more than 2 ms\n",
            (double)histogram_at(&run->late, 5000) / 1e6, (double)histogram_at(&run->late, 9900) / 1e6,
            (double)histogram_at(&run->late, 9990) / 1e6, (double)run->late.max / 1e6, run->late_packets);
    if (run->inject.below[INJECT_SWAP] > 0)
        fprintf(out,
                "on purpose left out %" PRIu64 ", sent twice %" PRIu64 ", damaged %" PRIu64
                ", swapped %" PRIu64 "\n",
                run->inject.count[INJECT_LOSE], run->inject.count[INJECT_DUPLICATE],
                run->inject.count[INJECT_CORRUPT], run->inject.count[INJECT_SWAP]);
}

static void print_receiving(FILE *out, const struct result *r, const struct run *run)
{
    fprintf(out,
            "received   %" PRIu64 " of %" PRIu64 " packets, %" PRIu64 " verified; lost %" PRIu64
            " (%.4f %%), reordered %u, duplicate %u\n",
            r->in.received, r->expected, r->in.verified, r->lost,
            r->expected == 0 ? 0 : 100.0 * (double)r->lost / (double)r->expected, r->in.reordered,
            r->in.duplicate);
    fprintf(
        out,
        "bad        authentication %u, replayed %u, payload %u, other stream %u, address %u, payload type "
        "%u, no RTP %u\n"
        "           sequence %u, timestamp %u, SSRC changed %u, too late to judge %u, late for the wrap %u\n",
        r->in.bad_auth, r->in.replayed, r->in.bad_payload, r->in.misrouted, r->in.foreign, r->in.bad_pt,
        r->in.bad_rtp, r->in.seq_jumps, r->in.ts_jumps, r->in.ssrc_changes, r->in.too_late,
        r->in.late_for_roc);
    fprintf(out, "streams    %u, of which %u with a fault; %u not heard, end not heard of %u\n", run->count,
            r->faulty, r->silent, r->endless);
    if (run->latency.count > 0)
        fprintf(
            out,
            "latency    50 %% within %.3f ms, 90 %% %.3f, 99 %% %.3f, 99.9 %% %.3f, 99.99 %% %.3f, worst "
            "%.3f\n",
            (double)histogram_at(&run->latency, 5000) / 1e6, (double)histogram_at(&run->latency, 9000) / 1e6,
            (double)histogram_at(&run->latency, 9900) / 1e6, (double)histogram_at(&run->latency, 9990) / 1e6,
            (double)histogram_at(&run->latency, 9999) / 1e6, (double)run->latency.max / 1e6);
}

// What the generator itself took: near one core of CPU a second, it is what limits.
static void print_machine(FILE *out, const struct result *r, const struct run *run)
{
    const uint64_t packets = r->sent + run->received;

    fprintf(out, "this end   %.2f s of CPU in %.2f s", (double)run->cpu_ns / 1e9, (double)run->run_ns / 1e9);
    if (packets > 0)
        fprintf(out, ", %.2f µs a packet sent or received", (double)run->cpu_ns / 1e3 / (double)packets);
    fputc('\n', out);
}

void result_print(FILE *out, const struct result *r, const struct run *run)
{
    fprintf(out, "port       %s\n", run->port->name);
    if (stream_mode_sends(run->o->mode))
        print_sending(out, r, run);
    if (stream_mode_receives(run->o->mode))
        print_receiving(out, r, run);
    print_machine(out, r, run);
    if (r->port.missed > 0)
        fprintf(out,
                "machine    %" PRIu64
                " packets were lost here, before this program took them: not the far side's fault\n",
                r->port.missed);
    if (r->port.stray + r->port.bad_sum + r->rtcp > 0)
        fprintf(out,
                "besides    %" PRIu64 " packets of no stream, %" PRIu64 " with a wrong checksum, %" PRIu64
                " RTCP\n",
                r->port.stray, r->port.bad_sum, r->rtcp);
    for (uint32_t i = 0; i < r->reasons; i++)
        fprintf(out, "not good:  %s\n", r->reason[i]);
}
