// SPDX-License-Identifier: BSD-3-Clause
// Names of peers: asks the name servers what they stand for, and gives trunks their targets.
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"

enum { BATCH_MS = 20 }; // answers that come together are looked at together

static void look(struct agent *agent);

static void on_timer(void *arg)
{
    struct agent *agent = arg;
    loop_now(agent->loop);
    look(agent);
}

static void arm(struct agent *agent, uint64_t ms)
{
    wheel_add(loop_wheel(agent->loop), &agent->names_timer, ms, on_timer, agent);
}

// ---- what is said

static void say_name(const struct trunk *t, const char *name, enum name_state now, enum name_state before)
{
    if (now == NAME_FAILED)
        log_line(LOG_WARNING,
                 "trunk %s: %s does not resolve: no name server answers, or not in a way that can be read",
                 t->name, name);
    else if (now == NAME_NOTHING)
        log_line(LOG_WARNING, "trunk %s: %s does not resolve: it has no address for the trunk's listeners",
                 t->name, name);
    else if (now == NAME_STALE)
        log_line(
            LOG_WARNING,
            "trunk %s: no name server answers for %s: what it stood for is used on, for %d hours at most",
            t->name, name, NAMES_STALE_S / 3600);
    else if (now == NAME_FOUND && before == NAME_STALE)
        log_line(LOG_NOTICE, "trunk %s: a name server answers for %s again", t->name, name);
}

static void say_targets(const struct trunk *t)
{
    char text[400] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < t->resolved_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                                 TL_ADDR_STR(&t->resolved[i].addr));
    if (t->resolved_count)
        log_line(LOG_NOTICE, "trunk %s: its names resolve to %s", t->name, text);
}

static void on_change(void *arg, struct trunk *t, bool moved,
                      const enum name_state before[static TL_PEERS_MAX])
{
    struct agent *agent = arg;
    for (uint32_t i = 0; i < t->config->peer_count; i++)
        if (t->config->peers[i].name[0] && t->name_state[i] != before[i])
            say_name(t, t->config->peers[i].name, t->name_state[i], before[i]);
    if (moved) {
        agent->names_moved = true;
        say_targets(t);
        agent_probes_reload(agent);
    }
}

// ---- asking

static void on_answer(void *arg, const char *name, enum dns_type type, const struct dns_answer *answer)
{
    struct agent *agent = arg;
    names_answer(agent->trunks.names, name, type, answer, loop_now(agent->loop));
    arm(agent, BATCH_MS);
}

static bool open_client(struct agent *agent)
{
    const struct tl_dns_config *c = &agent_config(agent)->control.dns;
    const struct dns_options options = {c->servers, c->server_count, c->timeout_ms, c->tries};
    char why[200];
    if (!agent->dns && dns_new(agent->loop, &options, on_answer, agent, &agent->dns, why, sizeof why) < 0) {
        uint64_t unsaid;
        if (log_allow(&agent->names_limit, loop_now(agent->loop), &unsaid))
            log_line(LOG_ERROR, "%s", why);
        return false;
    }
    agent->dns_config = *c;
    return true;
}

// Looks at all names and asks what is missing.
static void look(struct agent *agent)
{
    struct names *names = agent->trunks.names;
    uint64_t now = loop_now(agent->loop), due;
    char name[DNS_NAME_MAX];
    enum dns_type type;
    agent->names_moved = false;
    trunk_table_resolve(&agent->trunks, now, on_change, agent);
    if (agent->names_moved)
        agent_former_look(agent);
    while (names_question(names, name, &type)) {
        const struct dns_answer none = {.status = DNS_FAILED};
        if (!open_client(agent) || dns_ask(agent->dns, name, type) < 0) {
            names_answer(names, name, type, &none, now);
            arm(agent, NAMES_RETRY_MIN_S * UINT64_C(1000));
        }
    }
    due = names_due(names);
    if (due != NAMES_NEVER && !wheel_armed(&agent->names_timer))
        arm(agent, due > now ? due - now : BATCH_MS);
}

// ---- life

void agent_names_begin(struct agent *agent)
{
    const struct tl_dns_config *c = &agent_config(agent)->control.dns;
    if (agent->dns && memcmp(&agent->dns_config, c, sizeof *c) != 0) {
        dns_free(agent->dns);
        agent->dns = NULL;
        names_ask_again(agent->trunks.names, loop_now(agent->loop));
    }
    look(agent);
}

void agent_names_fini(struct agent *agent)
{
    dns_free(agent->dns);
    wheel_cancel(loop_wheel(agent->loop), &agent->names_timer);
}
