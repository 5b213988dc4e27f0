// SPDX-License-Identifier: BSD-3-Clause
// OPTIONS to the trunks, and what is learnt from them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/agent/agent_internal.h"
#include "control/base/log.h"
#include "control/sip/uri.h"

void agent_say_trunk(const struct trunk *trunk, enum trunk_change change)
{
    if (change == TRUNK_WENT_DOWN)
        log_line(LOG_WARNING, "trunk %s is down: no answer to %u OPTIONS in a row", trunk->config->name,
                 trunk->failures);
    else if (change == TRUNK_WENT_UP)
        log_line(LOG_NOTICE, "trunk %s is up again", trunk->config->name);
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

void agent_probe_result(struct agent_probe *probe, unsigned status)
{
    struct agent *agent = probe->agent;
    uint64_t now = loop_now(agent->loop);
    agent_say_trunk(probe->trunk, trunk_options_result(probe->trunk, status, now));
    arm(agent);
}

static void send_probe(struct agent *agent, struct agent_probe *probe)
{
    const struct tl_trunk_config *t = probe->trunk->config;
    struct sip_flow flow = sip_flow_to(agent->stack, t->listener, &t->peer);
    char uri[128], to[140], own[TL_HOST_MAX], from[180], tag[SIP_TAG_LEN], call_id[64],
        contact[AGENT_CONTACT_MAX];
    sip_write_uri(uri, sizeof uri, NULL, &t->peer, flow.transport);
    sip_make_tag(agent->stack, tag);
    sip_make_call_id(agent->stack, call_id, sizeof call_id);
    headers_host(t, &flow.local, own);
    headers_contact(t, &flow.local, flow.transport, NULL, contact, sizeof contact);
    snprintf(to, sizeof to, "<%s>", uri);
    snprintf(from, sizeof from, "<sip:%s>;tag=%s", own, tag);
    struct sip_request request = {.method = SIP_OPTIONS,
                                  .uri = uri,
                                  .from = from,
                                  .to = to,
                                  .call_id = call_id,
                                  .cseq = ++probe->cseq,
                                  .contact = contact,
                                  .headers = "Accept: application/sdp\r\n"};
    struct sip_txn *txn;
    trunk_options_sent(probe->trunk, loop_now(agent->loop));
    if (sip_request(agent->stack, &flow, &request, &probe->user.sip, &txn) < 0)
        agent_probe_result(probe, 0);
}

static void on_probe_timer(void *arg)
{
    struct agent *agent = arg;
    uint64_t now = loop_now(agent->loop);
    struct trunk *trunk;
    while ((trunk = trunk_due(&agent->trunks, now)))
        send_probe(agent, &agent->probes[trunk->index]);
    arm(agent);
}

int agent_probes_init(struct agent *agent)
{
    agent->probes = calloc(agent->trunks.count ? agent->trunks.count : 1, sizeof *agent->probes);
    if (!agent->probes)
        return -ENOMEM;
    for (uint32_t i = 0; i < agent->trunks.count; i++)
        agent->probes[i] =
            (struct agent_probe){.user.kind = AGENT_PROBE, .agent = agent, .trunk = &agent->trunks.trunks[i]};
    arm(agent);
    return 0;
}

void agent_probes_fini(struct agent *agent)
{
    wheel_cancel(loop_wheel(agent->loop), &agent->probe_timer);
    free(agent->probes);
    agent->probes = NULL;
}
