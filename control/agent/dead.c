// SPDX-License-Identifier: BSD-3-Clause
// Calls whose media has stopped: the live table's counters of each call are looked at again and again, some calls in a
// turn, and a leg that sends nothing for the time of its trunk ends its call.
#include "common/live.h"
#include "control/agent/agent_internal.h"

enum {
    TURN_MS = 100, // between two looks at some of the calls
    TURNS = 50,    // until each call was looked at
};

// The time that the leg may be silent in the state that its call is in, 0: for ever.
static uint64_t limit_ms(const struct agent_call *c, unsigned leg)
{
    const struct tl_trunk_config *trunk = agent_leg_trunk(c->leg[leg]);
    const struct neg_leg *neg = &c->call.side[leg].neg, *other = &c->call.side[!leg].neg;
    bool sends = neg->direction & SDP_SENDONLY && other->direction & SDP_RECVONLY;
    if (c->answer_ms && !c->call.side[leg].dialog) // it has hung up while it transfers the other one
        return 0;
    if (!c->answer_ms)
        return sends && c->call.b_has_answered && leg == CALL_B
                   ? 1000 * (uint64_t)trunk->media_timeout_early_s
                   : 0;
    return 1000 * (uint64_t)(sends ? trunk->media_timeout_s : trunk->media_timeout_held_s);
}

// What the leg has sent so far, RTP and RTCP, in a number that changes with every packet.
static uint64_t heard_of(const struct tl_session_snapshot *snap, unsigned leg)
{
    return snap->leg[leg].counters.rx_packets + snap->leg[leg].counters.rx_rtcp;
}

// The leg that has been silent for too long, or -1.
static int silent_leg(struct agent_call *c, uint64_t now)
{
    const struct tl_live_view *live = media_live(c->agent->media);
    struct tl_session_snapshot snap;
    int silent = -1;
    if (!c->media || !live || call_stands_in(&c->call))
        return -1;
    const struct tl_handle handle = media_handle(c->media);
    if (tl_live_read(live, &handle, &snap) != 0)
        return -1;
    for (unsigned leg = 0; leg < 2; leg++) {
        uint64_t limit = limit_ms(c, leg), heard = heard_of(&snap, leg);
        // a change of what is awaited begins the time anew, as a packet does
        if (heard != c->heard[leg] || limit != c->heard_limit_ms[leg] || !limit) {
            c->heard[leg] = heard;
            c->heard_limit_ms[leg] = limit;
            c->heard_ms[leg] = now;
        } else if (now - c->heard_ms[leg] >= limit) {
            silent = (int)leg;
        }
    }
    return silent;
}

static void on_turn(void *arg)
{
    struct agent *agent = arg;
    uint64_t now = loop_now(agent->loop);
    unsigned share = agent->counters.active / TURNS + 1;
    agent->dead_armed = false;
    if (!agent->dead_at)
        agent->dead_at = agent->calls;
    for (unsigned i = 0; i < share && agent->dead_at; i++) {
        struct agent_call *c = agent->dead_at;
        agent->dead_at = c->next; // agent_call_free() moves it on when that call goes
        int leg = silent_leg(c, now);
        if (leg < 0)
            continue;
        agent->counters.dead++;
        agent_plain_event(c, CALL_EV_DEAD, (unsigned)leg, 0);
    }
    agent_dead_arm(agent);
}

void agent_dead_arm(struct agent *agent)
{
    if (!agent->counters.active ||
        agent->dead_armed) // the first call arms it, the turn after the last one does not
        return;
    agent->dead_armed = true;
    wheel_add(loop_wheel(agent->loop), &agent->dead_timer, TURN_MS, on_turn, agent);
}
