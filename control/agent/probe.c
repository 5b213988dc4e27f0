// SPDX-License-Identifier: BSD-3-Clause
// OPTIONS to the trunks, and what is learnt from them.
#include <stdio.h>
#include <stdlib.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"
#include "control/base/log.h"
#include "control/sip/uri.h"

void agent_say_trunk(const struct trunk *trunk, enum trunk_change change)
{
    if (change == TRUNK_WENT_DOWN && trunk->target_count > 1)
        log_line(LOG_WARNING, "trunk %s is down: none of its %u targets answers OPTIONS", trunk->name,
                 trunk->target_count);
    else if (change == TRUNK_WENT_DOWN)
        log_line(LOG_WARNING, "trunk %s is down: no answer to %u OPTIONS in a row", trunk->name,
                 trunk->failures);
    else if (change == TRUNK_WENT_UP)
        log_line(LOG_NOTICE, "trunk %s is up again", trunk->name);
}

void agent_say_target(const struct trunk *trunk, const struct trunk_target *target, enum trunk_change change)
{
    if (trunk->target_count < 2)
        return;
    if (change == TRUNK_WENT_DOWN)
        log_line(LOG_WARNING, "trunk %s: target %s is down: no answer to %u OPTIONS in a row", trunk->name,
                 TL_ADDR_STR(&target->addr), target->failures);
    else if (change == TRUNK_WENT_UP)
        log_line(LOG_NOTICE, "trunk %s: target %s is up again", trunk->name, TL_ADDR_STR(&target->addr));
}

static void on_probe_timer(void *arg);

// A trunk whose answer is awaited has no due time, so that is looked up again with every result.
static void arm(struct agent *agent)
{
    uint64_t now = loop_now(agent->loop), due = trunk_table_due(&agent->trunks);
    if (due != TRUNK_NEVER)
        wheel_add(loop_wheel(agent->loop), &agent->probe_timer, due > now ? due - now : 0, on_probe_timer,
                  agent);
}

static void probe_free(struct agent_probe *probe)
{
    sip_owner_cut(&probe->user.sip);
    *probe->link = probe->next;
    if (probe->next)
        probe->next->link = probe->link;
    generation_drop(probe->generation);
    free(probe);
}

static struct agent_probe *probe_new(struct agent *agent, struct trunk *trunk, uint32_t target)
{
    struct agent_probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return NULL;
    *probe = (struct agent_probe){.user.kind = AGENT_PROBE,
                                  .agent = agent,
                                  .next = agent->probes,
                                  .link = &agent->probes,
                                  .generation = generation_hold(agent->trunks.now),
                                  .trunk = trunk,
                                  .target = target};
    if (probe->next)
        probe->next->link = &probe->next;
    agent->probes = probe;
    return probe;
}

// Of a target that is there.
static void note_result(struct agent *agent, struct trunk *trunk, struct trunk_target *target,
                        unsigned status)
{
    enum trunk_change of_target;
    enum trunk_change change = trunk_options_result(trunk, target, status, loop_now(agent->loop), &of_target);
    agent_say_target(trunk, target, of_target);
    agent_say_trunk(trunk, change);
}

static struct trunk_target *target_of(const struct agent_probe *probe)
{
    return probe->trunk->config ? trunk_target(probe->trunk, probe->target) : NULL;
}

void agent_probe_result(struct agent_probe *probe, unsigned status)
{
    struct agent *agent = probe->agent;
    struct trunk_target *target = target_of(probe);
    if (target)
        note_result(agent, probe->trunk, target, status);
    probe_free(probe);
    arm(agent);
}

static void send_probe(struct agent *agent, struct agent_probe *probe, const struct trunk_target *target)
{
    const struct tl_trunk_config *t = probe->trunk->config;
    const struct sip_flow flow = agent_flow(agent, t, probe->trunk, target);
    char uri[128], to[140], own[TL_HOST_MAX], from[180], tag[SIP_TAG_LEN], call_id[64],
        contact[AGENT_CONTACT_MAX];
    sip_write_uri(uri, sizeof uri, t->uri_scheme, NULL, &flow.remote, flow.transport);
    sip_make_tag(agent->stack, tag);
    sip_make_call_id(agent->stack, call_id, sizeof call_id);
    headers_host(t, &flow.local, own);
    headers_contact(t, &flow.local, flow.transport, t->uri_scheme, NULL, contact, sizeof contact);
    snprintf(to, sizeof to, "<%s>", uri);
    snprintf(from, sizeof from, "<%s%s>;tag=%s", tl_uri_scheme_text(t->uri_scheme), own, tag);
    struct sip_request request = {.method = SIP_OPTIONS,
                                  .uri = uri,
                                  .from = from,
                                  .to = to,
                                  .call_id = call_id,
                                  .cseq = 1,
                                  .contact = contact,
                                  .headers = "Accept: application/sdp\r\n",
                                  .account = agent_account(agent, t->name, "")};
    struct sip_txn *txn;
    if (sip_request(agent->stack, &flow, &request, &probe->user.sip, &txn) < 0)
        agent_probe_result(probe, 0);
}

static void on_probe_timer(void *arg)
{
    struct agent *agent = arg;
    uint64_t now = loop_now(agent->loop);
    struct trunk *trunk;
    while ((trunk = trunk_due(&agent->trunks, now))) {
        struct trunk_target *target = trunk_target_due(trunk, now);
        struct agent_probe *probe = probe_new(agent, trunk, target->id);
        trunk_options_sent(trunk, target, now);
        if (probe)
            send_probe(agent, probe, target);
        else
            note_result(agent, trunk, target, 0);
    }
    arm(agent);
}

void agent_probes_init(struct agent *agent)
{
    arm(agent);
}

void agent_probes_reload(struct agent *agent)
{
    for (struct agent_probe *probe = agent->probes, *next; probe; probe = next) {
        next = probe->next;
        if (!target_of(probe))
            probe_free(probe);
    }
    wheel_cancel(loop_wheel(agent->loop), &agent->probe_timer);
    arm(agent);
}

void agent_probes_fini(struct agent *agent)
{
    wheel_cancel(loop_wheel(agent->loop), &agent->probe_timer);
    while (agent->probes)
        probe_free(agent->probes);
}
