// SPDX-License-Identifier: BSD-3-Clause
// The configuration's file, read again while calls are up.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"

static void read_tls(struct agent *agent)
{
    char why[512];
    if (sip_stack_read_tls(agent->stack, agent_config(agent), why, sizeof why) < 0)
        log_line(LOG_WARNING, "TLS goes on with the certificates that it has: %s", why);
}

int agent_reload(struct agent *agent, struct tl_config *config)
{
    agent_registers_withdraw(agent, config);
    int rc = trunk_table_reload(&agent->trunks, config, loop_now(agent->loop));
    if (rc < 0) {
        agent_registers_begin(agent); // those that were withdrawn are configured as before
        return rc;
    }
    sip_stack_configure(agent->stack, &config->control);
    read_tls(agent);
    agent_names_begin(agent);
    agent_former_look(agent);
    agent_probes_reload(agent);
    agent_warn_about_keys(config);
    return 0;
}

struct telling {
    void (*fn)(void *arg, const struct tl_config_change *change);
    void *arg;
    unsigned count;
    bool log;
};

static void say(const struct tl_config_change *c)
{
    const char *between = c->name[0] ? " " : "";
    if (c->what == TL_CONFIG_CHANGED)
        log_line(LOG_INFO, "configuration: %s%s%s: %s %s -> %s (%s)", c->noun, between, c->name, c->key,
                 c->from, c->to, tl_config_when_text(c->when));
    else
        log_line(LOG_INFO, "configuration: %s%s%s is %s (%s)", c->noun, between, c->name,
                 c->what == TL_CONFIG_ADDED ? "new" : "removed", tl_config_when_text(c->when));
}

static void tell(void *arg, const struct tl_config_change *change)
{
    struct telling *t = arg;
    t->count++;
    if (t->log)
        say(change);
    if (t->fn)
        t->fn(t->arg, change);
}

// The first sentence of the errors, and how many more there are. Returns `rc`.
static int refuse(const struct agent *agent, const struct tl_config_errors *errors, int rc, char *why,
                  size_t size)
{
    size_t len = strcspn(errors->text, "\n");
    int used = snprintf(why, size, "%.*s", (int)len, errors->text);
    if (errors->count > 1 && used >= 0 && (size_t)used < size)
        snprintf(why + used, size - (size_t)used,
                 " (and %u more; trunklinectl config check shows what is wrong in itself)",
                 errors->count - 1);
    log_line(LOG_WARNING, "the configuration is not taken, and generation %llu runs on: %s",
             (unsigned long long)agent->trunks.now->number, why);
    return rc;
}

// Writes the warnings of a file that can be taken to the log, a line each, as a start writes them.
static void say_warnings(const struct tl_config_errors *errors)
{
    const char *line = errors->text;
    while (*line) {
        size_t len = strcspn(line, "\n");
        log_line(LOG_WARNING, "%.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

// Puts them in place of those that there are; registrations go on with them.
static void take_accounts(struct agent *agent, struct agent_accounts *accounts)
{
    agent_accounts_fini(&agent->accounts);
    agent->accounts = *accounts;
    *accounts = (struct agent_accounts){0};
    if (agent_registers_begin(agent) < 0)
        log_line(LOG_ERROR, "no memory: not all registrations of the configuration were begun");
}

int agent_reload_file(struct agent *agent, const char *file, bool dry_run,
                      void (*fn)(void *arg, const struct tl_config_change *change), void *arg,
                      unsigned *count, char *why, size_t why_size)
{
    struct tl_config_errors errors = {.count = 0};
    struct tl_config *config = NULL;
    const struct tl_config *running = agent_config(agent);
    if (agent->left) {
        snprintf(why, why_size, "control is about to end: it takes no other configuration");
        *count = 0;
        return -ESHUTDOWN;
    }
    int rc = tl_config_load_next(file, running, &config, &errors);
    *count = 0;
    if (rc < 0)
        return refuse(agent, &errors, rc, why, why_size);
    if (errors.warnings)
        say_warnings(&errors);
    struct agent_accounts accounts;
    rc = agent_accounts_read(&accounts, config, why, why_size);
    if (rc < 0) {
        log_line(LOG_WARNING, "the configuration is not taken: %s", why);
        tl_config_free(config);
        return rc;
    }
    struct telling t = {fn, arg, 0, !dry_run};
    rc = tl_config_diff(running, config, tell, &t);
    bool take = rc == 0 && t.count && !dry_run;
    if (take)
        rc = agent_reload(agent, config);
    else if (rc == 0 && !dry_run)
        read_tls(agent); // the file is the same, those that it names may not be
    if (!take || rc < 0)
        tl_config_free(config);
    if (rc == 0 && !dry_run)
        take_accounts(agent, &accounts);
    agent_accounts_fini(&accounts);
    if (rc < 0) {
        snprintf(why, why_size, "%s: not enough memory to take it", file);
        log_line(LOG_WARNING, "%s; the configuration that is there runs on", why);
        return rc;
    }
    *count = t.count;
    if (!dry_run)
        log_line(LOG_NOTICE, "configuration: generation %llu, %u change(s)",
                 (unsigned long long)agent->trunks.now->number, t.count);
    return 0;
}
