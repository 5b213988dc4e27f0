// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/report.h"

#include "tools/loadgen/tally.h"

#include <inttypes.h>

// A JSON object of numbers.
struct field {
    const char *name;
    uint64_t value;
};

static void json_fields(FILE *out, const char *name, const struct field *fields, size_t count)
{
    if (name != NULL)
        fprintf(out, "\"%s\":{", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", fields[i].name, fields[i].value);
    if (name != NULL)
        fprintf(out, "},\n");
}

static void json_sums(FILE *out, const struct report *r, const struct agent *a)
{
    const struct field calls[] = {
        {"attempted", r->attempted}, {"completed", r->completed},
        {"failed", r->failed},       {"incoming", r->incoming},
        {"answered", r->answered},   {"answered_completed", r->answered_completed},
        {"rejected", a->rejected},   {"held", r->held},
        {"still_up", r->still_up},
    };
    const struct field rtp[] = {
        {"sent", r->sent},
        {"received", r->received},
        {"lost", r->lost},
        {"reordered", r->reordered},
        {"duplicate", r->duplicate},
        {"bad_auth", r->bad_auth},
        {"bad_payload", r->bad_payload},
        {"misrouted", r->misrouted},
        {"bad_pt", r->bad_pt},
        {"bad_rtp", r->bad_rtp},
        {"foreign", r->foreign},
        {"early", r->early},
        {"uncounted", r->uncounted},
        {"seq_jumps", r->seq_jumps},
        {"ts_jumps", r->ts_jumps},
        {"ssrc_changes", r->ssrc_changes},
        {"late_for_roc", r->late_for_roc},
        {"roc_steps_sent", r->roc_sent},
        {"roc_steps_received", r->roc_received},
        {"packets_sent", r->packets_sent},
        {"packets_received", r->packets_received},
        {"send_errors", r->send_errors},
        {"skipped", r->skipped},
        {"jitter_us", r->jitter_us},
    };
    const struct field rtcp[] = {
        {"sent", r->rtcp_sent}, {"received", r->rtcp_received}, {"bad_auth", r->rtcp_bad_auth},
        {"bad", r->rtcp_bad},   {"foreign", r->rtcp_foreign},
    };
    const struct field dtmf[] = {
        {"sent", r->dtmf_sent},
        {"received", r->dtmf_received},
        {"wrong", r->dtmf_wrong},
        {"packets_sent", r->dtmf_packets_sent},
        {"packets_received", r->dtmf_packets_received},
    };
    const struct field sip[] = {{"options_answered", a->options_seen}, {"stray", a->stray}};

    json_fields(out, "calls", calls, ARRAY_SIZE(calls));
    json_fields(out, "rtp", rtp, ARRAY_SIZE(rtp));
    json_fields(out, "rtcp", rtcp, ARRAY_SIZE(rtcp));
    json_fields(out, "dtmf", dtmf, ARRAY_SIZE(dtmf));
    json_fields(out, "sip", sip, ARRAY_SIZE(sip));
    fprintf(out, "\"setup_ms\":{\"p50\":%.1f,\"p99\":%.1f},\n", r->setup_p50_us / 1e3, r->setup_p99_us / 1e3);
    fprintf(out, "\"late_ms\":%u,\n", a->late_ticks * AGENT_TICK_MS);
}

static void json_call(FILE *out, const struct call *c)
{
    const struct receipt *in = &c->stream.receipt;
    const struct stream_counts *n = &c->stream.n;
    const struct field fields[] = {
        {"label", c->label},
        {"established", c->up_us != 0},
        {"setup_us", c->setup_us},
        {"port", c->stream.port},
        {"sent", c->stream.window.counted},
        {"received", in->received},
        {"expected", receipt_expected(in)},
        {"end_seen", in->final_known},
        {"lost", receipt_lost(in)},
        {"early", in->early},
        {"uncounted", in->uncounted},
        {"packets_sent", n->packets_sent},
        {"packets_received", in->packets},
        {"first_seq", c->stream.first_seq},
        {"first_seq_received", in->seq_first},
        {"roc_steps_sent", n->roc_steps},
        {"roc_steps_received", in->roc_steps},
        {"held", c->hold == HOLD_DONE || c->holds_seen > 0},
        {"received_after_hold", in->after_hold},
        {"bad_auth", n->bad_auth},
        {"bad_payload", in->bad_payload},
        {"misrouted", in->misrouted},
        {"bad_pt", n->bad_pt},
        {"foreign", n->foreign},
        {"reordered", in->reordered},
        {"duplicate", in->duplicate + n->replayed},
        {"dtmf_sent", n->dtmf_digits},
        {"dtmf_received", dtmf_right(&c->stream.dtmf_rx, c->agent->options->dtmf)},
        {"rtcp_sent", n->rtcp_sent},
        {"rtcp_received", n->rtcp_received},
        {"jitter_us", receipt_jitter_us(in)},
        {"bye_status", c->bye_status},
    };

    fprintf(out, "{\"role\":\"%s\",\"bye\":\"%s\",", c->role == CALL_CALLER ? "caller" : "callee",
            c->bye_sent       ? "sent"
            : c->bye_received ? "received"
                              : "none");
    json_fields(out, NULL, fields, ARRAY_SIZE(fields));
    fprintf(out, ",\"call_id\":");
    tally_json_string(out, c->call_id == NULL ? "" : c->call_id);
    fprintf(out, ",\"failure\":");
    tally_json_string(out, c->failure);
    fprintf(out, "}");
}

void report_json(FILE *out, const struct report *r, const struct agent *a)
{
    const char *separator = "";

    fprintf(out, "{");
    json_sums(out, r, a);
    fprintf(out, "\"failures\":[");
    for (const struct le *le = a->calls.head; le != NULL; le = le->next) {
        const struct call *c = le->data;

        if (c->failure[0] == 0)
            continue;
        fprintf(out, "%s\n{\"call\":%u,\"role\":\"%s\",\"reason\":", separator, c->label,
                c->role == CALL_CALLER ? "caller" : "callee");
        tally_json_string(out, c->failure);
        fprintf(out, "}");
        separator = ",";
    }
    separator = "";
    fprintf(out, "],\n\"per_call\":[");
    for (const struct le *le = a->calls.head; le != NULL; le = le->next) {
        fprintf(out, "%s\n", separator);
        json_call(out, le->data);
        separator = ",";
    }
    fprintf(out, "],\n\"good\":%s}\n", report_good(r, a) ? "true" : "false");
}
