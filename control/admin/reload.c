// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/reload.h"

#include <errno.h>
#include <stdio.h>

#include "control/agent/agent.h"

static void add_change(void *arg, const struct tl_config_change *c)
{
    static const char *const whats[] = {
        [TL_CONFIG_CHANGED] = "changed", [TL_CONFIG_ADDED] = "added", [TL_CONFIG_REMOVED] = "removed"};
    // numbers, words and lists as the file would have them; strings keep their quotes
    json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s}", "what", whats[c->what],
                                         "noun", c->noun, "name", c->name, "key", c->key, "from", c->from,
                                         "to", c->to, "takes_effect", tl_config_when_text(c->when)));
}

json_t *reload_answer(void *arg, bool dry_run, char *refused, size_t size)
{
    struct agent *agent = arg;
    json_t *changes = json_array();
    unsigned count = 0;
    int rc = -ENOMEM;

    snprintf(refused, size, "not enough memory for the answer");
    if (changes && !agent_file(agent))
        snprintf(refused, size, "the configuration was read from no file");
    else if (changes)
        rc = agent_reload_file(agent, agent_file(agent), dry_run, add_change, changes, &count, refused, size);
    if (rc < 0) {
        json_decref(changes);
        return NULL;
    }
    return json_pack("{s:b, s:I, s:o}", "applied", !dry_run && count > 0, "generation",
                     (json_int_t)agent_trunks(agent)->now->number, "changes", changes);
}
