// SPDX-License-Identifier: BSD-3-Clause
// What people are told of the calls.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"

static const char *call_id(const struct agent_leg *leg)
{
    return leg->main && leg->main->bound ? leg->main->sip.call_id : leg->call_id;
}

// Where what is sent to that side goes.
static struct tl_addr sip_peer(const struct agent_leg *leg)
{
    const struct trunk_target *target = agent_leg_target(leg);
    if (leg->main && leg->main->bound)
        return leg->main->sip.flow.remote;
    if (leg->invite_in)
        return sip_txn_flow(leg->invite_in)->remote;
    return leg->side == CALL_B && target ? target->addr : (struct tl_addr){0};
}

static void describe(const struct agent_call *c, struct agent_call_info *out)
{
    const struct agent *agent = c->agent;
    const struct call *call = &c->call;
    uint64_t now = loop_now(agent->loop);
    memset(out, 0, sizeof *out);
    out->id = c->id;
    memcpy(out->calling, c->calling, sizeof out->calling);
    memcpy(out->called, c->called, sizeof out->called);
    out->state = call_state_name(call->state);
    out->age_ms = now - c->start_ms;
    out->talk_ms = c->answer_ms ? now - c->answer_ms : 0;
    for (unsigned s = 0; s < 2; s++) {
        const struct neg_leg *neg = &call->side[s].neg;
        out->trunk[s] = agent_leg_trunk(c->leg[s]);
        out->sip_call_id[s] = call_id(c->leg[s]);
        out->peer[s] = sip_peer(c->leg[s]);
        out->local[s] = neg->local;
        out->remote[s] = neg->rtp;
        out->suite[s] = (enum tl_suite)neg->tx.suite;
        out->neg[s] = neg;
        out->refresh[s] = &call->side[s].refresh;
        out->held |= neg->direction != SDP_SENDRECV;
    }
    if (call->a_has_answer)
        neg_codec_names(&call->side[CALL_A].neg, &call->side[CALL_B].neg, out->codec, sizeof out->codec);
    if (c->media) {
        out->call_ref = media_call_ref(c->media);
        out->handle = media_handle(c->media);
    }
}

void agent_each_call(const struct agent *agent, bool (*fn)(void *arg, const struct agent_call_info *info),
                     void *arg)
{
    for (const struct agent_call *c = agent->calls; c; c = c->next) {
        struct agent_call_info info;
        describe(c, &info);
        if (!fn(arg, &info))
            return;
    }
}

static struct agent_call *by_id(const struct agent *agent, uint64_t id)
{
    struct agent_call *c = agent->calls;
    while (c && c->id != id)
        c = c->next;
    return c;
}

bool agent_find_call(const struct agent *agent, uint64_t id, struct agent_call_info *out)
{
    const struct agent_call *c = by_id(agent, id);
    if (c)
        describe(c, out);
    return c != NULL;
}

int agent_hang_up(struct agent *agent, uint64_t id)
{
    struct agent_call *c = by_id(agent, id);
    if (!c)
        return -ENOENT;
    agent_plain_event(c, CALL_EV_HANGUP, 0, 0);
    return 0;
}

size_t agent_hang_up_where(struct agent *agent, uint64_t below, size_t limit,
                           bool (*wanted)(void *arg, const struct agent_call_info *info), void *arg,
                           uint64_t *next)
{
    size_t ended = 0, asked = 0;
    uint64_t last = 0;
    for (agent->walk = agent->calls; agent->walk && asked < limit;) {
        struct agent_call *c = agent->walk;
        agent->walk = c->next;
        if ((below && c->id >= below) || c->call.state >= CALL_ENDING)
            continue;
        asked++;
        last = c->id;
        struct agent_call_info info;
        describe(c, &info);
        if (!wanted(arg, &info))
            continue;
        ended++;
        agent_plain_event(c, CALL_EV_HANGUP, 0, 0); // ends this call, perhaps the one at agent->walk, too
    }
    *next = agent->walk ? last : 0;
    agent->walk = NULL;
    return ended;
}
