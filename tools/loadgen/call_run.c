// SPDX-License-Identifier: BSD-3-Clause
// A call that is up: its hold, its media, its end.
#include "tools/loadgen/call_internal.h"

#include "tools/loadgen/agent.h"

#include <stdio.h>
#include <string.h>

static void hang_up(struct call *c)
{
    c->bye_sent = true;
    call_let_go(c);
}

// Sends a re-INVITE with direction `dir`. A failure shows by no answer.
static void reinvite(struct call *c, enum sdp_dir dir)
{
    struct mbuf *offer = NULL;
    int error = -negotiation_offer(&c->negotiation, dir, &offer);

    if (error == 0)
        error = sipsess_modify(c->session, offer);
    if (error != 0)
        call_fail(c, "re-INVITE not sent: %s", strerror(error));
    mem_deref(offer);
}

static enum sdp_dir hold_direction(const struct call *c)
{
    return (c->label / c->agent->options->hold_every) >> 1 & 1 ? SDP_INACTIVE : SDP_SENDONLY;
}

// The side that holds: ask for a pause in the media, hold, wait, resume.
static void step_hold(struct call *c, uint32_t now)
{
    const uint32_t waited = now - c->hold_since;

    switch (c->hold) {
    case HOLD_NONE:
        if (c->plan.holds && now >= c->plan.hold_at)
            call_enter_hold(c, HOLD_ASKED);
        break;
    case HOLD_ASKED:
        if (c->stream.receipt.peer_paused)
            call_enter_hold(c, HOLD_AGREED);
        break;
    case HOLD_AGREED:
        if (waited >= SCHEDULE_GUARD_MS) {
            call_enter_hold(c, HOLD_SENT);
            reinvite(c, hold_direction(c));
        }
        break;
    case HOLD_ON:
        if (waited >= c->plan.hold_for) {
            call_enter_hold(c, HOLD_RESUMING);
            reinvite(c, SDP_SENDRECV);
        }
        break;
    default:
        break;
    }
    c->stream.window.paused_here = c->hold != HOLD_NONE && c->hold != HOLD_DONE;
}

static bool dtmf_in_progress(const struct call *c)
{
    return c->stream.dtmf_tx.step > 0 && !dtmf_said(&c->stream.dtmf_tx);
}

// The far side's wish to pause is met between digits; it ends with the first packet that no longer asks for
// it.
static void follow_pause(struct call *c)
{
    struct window *w = &c->stream.window;

    if (c->hold != HOLD_NONE && c->hold != HOLD_DONE)
        return;
    if (!c->stream.receipt.peer_holds)
        w->paused_there = c->held_by_peer;
    else if (!dtmf_in_progress(c))
        w->paused_there = true;
}

static void report_if_due(struct call *c, uint32_t tick, uint32_t now)
{
    const struct window *w = &c->stream.window;

    if (c->agent->options->rtcp_interval == 0 || now < c->next_report || now >= c->plan.count_end ||
        w->paused_here || w->paused_there)
        return;
    c->next_report = now + c->agent->options->rtcp_interval * 1000;
    stream_send_report(&c->stream, tick);
}

void call_tick(struct call *c, uint32_t tick)
{
    uint32_t now = 0;
    bool dtmf = false;

    if (c->state == CALL_UP) {
        now = call_since_up(c);
        if (schedule_bye_due(&c->plan, now, &c->stream.heard)) {
            hang_up(c);
            return;
        }
        if (schedule_overdue(&c->plan, now, &c->stream.heard)) {
            call_fail(c, "not hung up on in time");
            hang_up(c);
            return;
        }
        step_hold(c, now);
        follow_pause(c);
        dtmf = now >= c->plan.dtmf_at && !c->stream.window.closed &&
               (dtmf_in_progress(c) || !(c->stream.window.paused_here || c->stream.window.paused_there));
        report_if_due(c, tick, now);
    }
    stream_tick(&c->stream, &c->plan, tick, now, dtmf);
}
