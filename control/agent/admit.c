// SPDX-License-Identifier: BSD-3-Clause
// Which new calls are taken, and where they may go: whose they are, routes, limits.
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/base/log.h"
#include "control/sip/gate.h"

// The peer is told which limit it was, as a cause that it can act on.
static int over(struct agent_admission *out, enum trunk_limit limit)
{
    out->way.why = trunk_limit_text(limit);
    snprintf(out->lines, sizeof out->lines, "Reason: Q.850;cause=%u;text=\"%s\"\r\n",
             trunk_limit_cause(limit), out->way.why);
    return 503;
}

void agent_say_full(struct agent *agent, const struct trunk *trunk, enum trunk_limit limit)
{
    uint64_t unsaid;
    if (log_allow(&agent->full_limit, loop_now(agent->loop), &unsaid))
        log_line(LOG_NOTICE, "trunk %s gets no more calls (%llu before this one were not said): %s",
                 trunk->name, (unsigned long long)unsaid, trunk_limit_text(limit));
}

static void count_full(void *arg, struct trunk *trunk, enum trunk_limit limit)
{
    trunk->use.diverted[limit]++;
    agent_say_full(arg, trunk, limit);
}

static void on_pace_timer(void *arg);

static void arm_pace(struct agent *agent)
{
    wheel_add(loop_wheel(agent->loop), &agent->pace_timer, TRUNK_PACE_MS, on_pace_timer, agent);
}

static void on_pace_timer(void *arg)
{
    struct agent *agent = arg;
    struct trunk_shares *shares = &agent->trunks.shares;
    bool came = shares->most > 0, was_free = shares->pace >= TRUNK_PACE_FREE;
    loop_now(agent->loop);
    trunk_pace(shares, sip_stack_delay(agent->stack));
    bool is_free = shares->pace >= TRUNK_PACE_FREE;
    agent->counters.busy += was_free && !is_free;
    if (was_free && !is_free)
        log_line(LOG_WARNING, "control is busy: each trunk may bring %u new calls a second", shares->pace);
    else if (!was_free && is_free)
        log_line(LOG_NOTICE, "control is not busy any more");
    if (came || !is_free)
        arm_pace(agent);
}

static int admit_by_limits(struct agent *agent, struct agent_admission *out)
{
    if (!wheel_armed(&agent->pace_timer))
        arm_pace(agent);
    uint64_t now_ms = loop_now(agent->loop);
    enum trunk_limit limit = trunk_admit(out->from, way_urgency(&out->way), now_ms);
    if (limit == TRUNK_LIMIT_NONE)
        limit = way_drop_full(agent->trunks.now, &out->way, now_ms, count_full, agent);
    if (limit == TRUNK_LIMIT_NONE)
        return 0;
    agent->counters.over_limit++;
    return over(out, limit);
}

int agent_admit(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                const struct sip_flow *flow, struct agent_admission *out)
{
    char called[SIP_NUMBER_MAX], calling[SIP_NUMBER_MAX];
    *out = (struct agent_admission){0};
    out->from = agent_sender(agent, msg, flow);
    out->way.why = "it is the peer of no trunk on this listener";
    if (!out->from)
        return 403;
    out->from->counters.incoming++;
    agent_know_sender(agent, txn, out->from);
    out->way.why = "Max-Forwards is used up";
    if (sip_msg_number(msg, "Max-Forwards", 255, 70) == 0)
        return 483;
    out->way.why = "it has passed too many of our nodes (max_hops)";
    if (sip_msg_number(msg, agent_hops_header, 255, 0) > agent_config(agent)->control.max_hops)
        return 483;
    out->way.why = "it is a call of ours that has come back";
    if (sip_msg_is_loop(agent->stack, msg))
        return 482;
    out->way.why = "its body is not SDP";
    if (agent_body_refused(msg))
        return 415;
    out->way.why = "its Request-URI is sips: and its Contact is not";
    if (agent_is_mixed(msg))
        return 400;
    out->way.why = "no route for the called number";
    if (!sip_msg_called(msg, called))
        return 404;
    sip_msg_calling(msg, calling);
    const struct way_ask ask = {.from = out->from->index,
                                .called = called,
                                .calling = calling,
                                .need = agent_need(agent_is_sips(msg)),
                                .now_ms = loop_now(agent->loop)};
    int status = way_find(agent->trunks.now, &ask, &out->way);
    if (out->way.clear) {
        agent->counters.sips_refused++;
        agent_sips_warning(out->from->config, flow, false, out->lines);
    }
    if (status)
        return status;
    out->way.why = "the dataplane is away";
    if (!media_up(agent->media)) {
        agent->counters.media_away++;
        return 503;
    }
    return admit_by_limits(agent, out);
}
