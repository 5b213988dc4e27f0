// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/report.h"

#include "tools/loadgen/tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURES_SHOWN = 10 };

static void add_media(struct report *r, const struct call *c)
{
    const struct receipt *in = &c->stream.receipt;
    const struct stream_counts *n = &c->stream.n;

    r->sent += c->stream.window.counted;
    r->received += in->received;
    r->lost += receipt_lost(in);
    r->reordered += in->reordered;
    r->duplicate += in->duplicate + n->replayed;
    r->bad_auth += n->bad_auth;
    r->bad_payload += in->bad_payload;
    r->misrouted += in->misrouted;
    r->bad_pt += n->bad_pt;
    r->bad_rtp += n->bad_rtp;
    r->foreign += n->foreign;
    r->early += in->early;
    r->uncounted += in->uncounted;
    r->seq_jumps += in->seq_jumps;
    r->ts_jumps += in->ts_jumps;
    r->late_for_roc += n->late_for_roc;
    r->packets_sent += n->packets_sent;
    r->packets_received += in->packets;
    r->ssrc_changes += in->ssrc_changes;
    r->roc_sent += n->roc_steps;
    r->roc_received += in->roc_steps;
    r->send_errors += n->send_errors;
    r->skipped += n->skipped;
    if (receipt_jitter_us(in) > r->jitter_us)
        r->jitter_us = receipt_jitter_us(in);
}

static void add_signals(struct report *r, const struct call *c)
{
    const struct stream_counts *n = &c->stream.n;
    const char *digits = c->agent->options->dtmf;

    r->rtcp_sent += n->rtcp_sent;
    r->rtcp_received += n->rtcp_received;
    r->rtcp_bad_auth += n->rtcp_bad_auth;
    r->rtcp_bad += n->rtcp_bad;
    r->rtcp_foreign += n->rtcp_foreign;
    r->dtmf_sent += n->dtmf_digits;
    r->dtmf_packets_sent += n->dtmf_packets;
    r->dtmf_packets_received += c->stream.dtmf_rx.packets;
    if (c->up_us != 0) {
        r->dtmf_received += dtmf_right(&c->stream.dtmf_rx, digits);
        r->dtmf_wrong += dtmf_wrong(&c->stream.dtmf_rx, digits);
    }
    r->held += c->hold == HOLD_DONE || c->holds_seen > 0;
}

static void add_call(struct report *r, struct call *c)
{
    if (c->state != CALL_OVER) {
        r->still_up++;
        call_fail(c, "still up at the end");
    }
    const bool good = call_judge(c);

    if (c->role == CALL_CALLER) {
        r->completed += good;
        r->failed += !good;
    } else {
        r->incoming++;
        r->answered += c->up_us != 0;
        r->answered_completed += good;
        r->incoming_failed += !good;
    }
    add_media(r, c);
    add_signals(r, c);
}

void report_make(struct report *r, struct agent *a)
{
    uint32_t *setups = calloc(a->placed + 1, sizeof *setups);
    size_t count = 0;

    memset(r, 0, sizeof *r);
    r->attempted = a->placed;
    for (struct le *le = a->calls.head; le != NULL; le = le->next) {
        struct call *c = le->data;

        add_call(r, c);
        if (setups != NULL && c->role == CALL_CALLER && c->up_us != 0)
            setups[count++] = c->setup_us;
    }
    r->setup_p50_us = tally_percentile(setups, count, 50);
    r->setup_p99_us = tally_percentile(setups, count, 99);
    free(setups);
}

bool report_good(const struct report *r, const struct agent *a)
{
    return r->completed == a->options->calls && r->failed == 0 && r->incoming_failed == 0 &&
           a->rejected == 0 && r->answered_completed >= a->options->expect_calls && r->still_up == 0 &&
           !a->limit_reached;
}

void report_progress(const struct agent *a, FILE *out)
{
    uint64_t sent = 0, received = 0, lost = 0, bad = 0;
    uint32_t failed = 0;

    for (const struct le *le = a->calls.head; le != NULL; le = le->next) {
        const struct call *c = le->data;
        const struct stream_counts *n = &c->stream.n;

        sent += n->packets_sent;
        received += c->stream.receipt.packets;
        lost += receipt_lost(&c->stream.receipt);
        bad += n->bad_auth + n->bad_pt + n->foreign + c->stream.receipt.bad_payload +
               c->stream.receipt.misrouted;
        failed += c->failure[0] != 0;
    }
    fprintf(out,
            "%4.0f s  up %u  placed %u  answered %u  failed %u  RTP sent %" PRIu64 "  received %" PRIu64
            "  lost %" PRIu64 "  bad %" PRIu64 "\n",
            (double)(agent_now_us() - a->start_us) / 1e6, a->up, a->placed, a->incoming, failed, sent,
            received, lost, bad);
    fflush(out);
}

static void print_failures(FILE *out, const struct agent *a)
{
    uint32_t shown = 0, all = 0;

    for (const struct le *le = a->calls.head; le != NULL; le = le->next) {
        const struct call *c = le->data;

        if (c->failure[0] == 0)
            continue;
        if (++all > FAILURES_SHOWN)
            continue;
        shown++;
        fprintf(out, "  call %07u (%s): %s\n", c->label, c->role == CALL_CALLER ? "placed" : "answered",
                c->failure);
    }
    if (all > shown)
        fprintf(out, "  and %u more\n", all - shown);
}

void report_print(FILE *out, const struct report *r, const struct agent *a)
{
    fprintf(out,
            "calls    placed %u, completed %u, failed %u; incoming %u, answered %u, without a fault %u; "
            "still up %u\n",
            r->attempted, r->completed, r->failed, r->incoming, r->answered, r->answered_completed,
            r->still_up);
    fprintf(out, "set-up   %.1f ms median, %.1f ms 99th percentile\n", r->setup_p50_us / 1e3,
            r->setup_p99_us / 1e3);
    fprintf(out,
            "RTP      sent %" PRIu64 ", received %" PRIu64 ", lost %" PRIu64 ", reordered %" PRIu64
            ", duplicate %" PRIu64 ", early %" PRIu64 "\n",
            r->sent, r->received, r->lost, r->reordered, r->duplicate, r->early);
    fprintf(out,
            "         bad: authentication %" PRIu64 ", payload %" PRIu64 ", other call %" PRIu64
            ", payload type %" PRIu64 ", address %" PRIu64 ", sequence %" PRIu64 ", timestamp %" PRIu64 "\n",
            r->bad_auth, r->bad_payload, r->misrouted, r->bad_pt, r->foreign, r->seq_jumps, r->ts_jumps);
    fprintf(out, "         sequence wraps: sent %" PRIu64 ", received %" PRIu64 "; worst jitter %.1f ms\n",
            r->roc_sent, r->roc_received, r->jitter_us / 1e3);
    fprintf(out, "RTCP     sent %" PRIu64 ", received %" PRIu64 ", bad %" PRIu64 "\n", r->rtcp_sent,
            r->rtcp_received, r->rtcp_bad + r->rtcp_bad_auth + r->rtcp_foreign);
    fprintf(out, "digits   sent %" PRIu64 ", received %" PRIu64 ", wrong %" PRIu64 "; calls held %u\n",
            r->dtmf_sent, r->dtmf_received, r->dtmf_wrong, r->held);
    if (a->late_ticks > 0 || r->send_errors > 0)
        fprintf(out,
                "machine  %u ms late in all, %" PRIu64 " packets left out for it, %" PRIu64
                " refused by the kernel\n",
                a->late_ticks * AGENT_TICK_MS, r->skipped, r->send_errors);
    if (a->rejected > 0)
        fprintf(out, "refused  %u incoming calls\n", a->rejected);
    if (a->limit_reached)
        fprintf(out, "stopped  by --duration-limit\n");
    print_failures(out, a);
}
