// SPDX-License-Identifier: BSD-3-Clause
// What a call's counts say about it.
#include "tools/loadgen/call.h"

#include "tools/loadgen/agent.h"

#include <string.h>

static void judge_media(struct call *c)
{
    const struct receipt *r = &c->stream.receipt;
    const struct stream_counts *n = &c->stream.n;
    const struct {
        uint32_t count;
        const char *what;
    } faults[] = {
        {receipt_lost(r), "lost"},
        {n->bad_auth, "failed authentication"},
        {r->bad_payload, "with a wrong payload"},
        {r->misrouted, "of another call"},
        {n->bad_pt, "with a wrong payload type"},
        {n->bad_rtp, "that are no RTP"},
        {n->foreign, "from another address than the signalled one"},
        {r->reordered, "out of order"},
        {r->duplicate, "twice"},
        {n->replayed, "replayed"},
        {n->late_for_roc, "late across a wrap"},
        {r->seq_jumps, "with a jump of the sequence number"},
        {r->ts_jumps, "with a jump of the timestamp"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (faults[i].count > 0)
            call_fail(c, "%u packets %s", faults[i].count, faults[i].what);
    if (r->received == 0)
        call_fail(c, "no media received");
    if (c->stream.window.counted == 0)
        call_fail(c, "no media sent");
    if (!r->final_known)
        call_fail(c, "the end of the far side's stream never came");
}

static void judge_dtmf(struct call *c)
{
    const char *digits = c->agent->options->dtmf;
    const uint32_t wrong = dtmf_wrong(&c->stream.dtmf_rx, digits);

    if (digits[0] != 0 && c->stream.terms.tx_event == 0)
        call_fail(c, "the far side takes no telephone-event");
    if (c->stream.n.dtmf_digits < strlen(digits))
        call_fail(c, "only %u of %zu digits sent", c->stream.n.dtmf_digits, strlen(digits));
    if (wrong > 0)
        call_fail(c, "%u digits wrong, heard '%s'", wrong, c->stream.dtmf_rx.digits);
}

static void judge_hold(struct call *c)
{
    if (c->plan.holds && c->hold != HOLD_DONE) {
        if (c->hold == HOLD_ASKED)
            call_fail(c, "not held: the far side did not pause its media");
        else
            call_fail(c, "hold or resume not completed, last SIP failure %u", c->last_error);
    }
    if ((c->hold == HOLD_DONE || c->holds_seen > 0) && c->stream.receipt.after_hold == 0)
        call_fail(c, "no media after the hold");
}

static void judge_rtcp(struct call *c)
{
    const struct stream_counts *n = &c->stream.n;

    if (n->rtcp_bad_auth > 0)
        call_fail(c, "%u RTCP packets failed authentication", n->rtcp_bad_auth);
    if (n->rtcp_bad > 0)
        call_fail(c, "%u RTCP packets malformed or of another stream", n->rtcp_bad);
    if (n->rtcp_foreign > 0)
        call_fail(c, "%u RTCP packets from another address than the signalled one", n->rtcp_foreign);
    if (n->rtcp_sent > 0 && n->rtcp_received == 0)
        call_fail(c, "no RTCP received");
}

bool call_judge(struct call *c)
{
    if (c->up_us == 0) {
        call_fail(c, "not established");
        return false;
    }
    judge_media(c);
    judge_dtmf(c);
    judge_hold(c);
    judge_rtcp(c);
    if (c->bye_sent && c->bye_status == 0)
        call_fail(c, "BYE not answered");
    else if (c->bye_sent && c->bye_status >= 300)
        call_fail(c, "BYE answered with %u", c->bye_status);
    return c->failure[0] == 0;
}
