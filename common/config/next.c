// SPDX-License-Identifier: BSD-3-Clause
// What a configuration may not change while it runs.
#include "common/config/diff.h"
#include "common/config/parse.h"

// Node of the object that the change is in.
static uint32_t node_of(const struct config_parser *p, const struct diff_place *place)
{
    if (place->block)
        return scan_find(&p->scan, 0, place->block);
    uint32_t list = scan_find(&p->scan, 0, config_lists[place->list->list].path);
    return place->index == UINT32_MAX ? list : scan_item(&p->scan, list, place->index);
}

static void complain(void *arg, const struct tl_config_change *change, const struct diff_place *place)
{
    struct config_parser *p = arg;

    if (change->when != TL_CONFIG_RESTART)
        return;
    uint32_t node = node_of(p, place);
    if (change->what == TL_CONFIG_ADDED)
        config_complain(p, node, NULL, "a new %s needs a restart; expected those that run", change->noun);
    else if (change->what == TL_CONFIG_REMOVED)
        config_complain(p, node, NULL,
                        "%s \"%s\" is not there any more, which needs a restart; expected those that run",
                        change->noun, change->name);
    else if (place->option == place->list)
        config_complain(p, node, NULL,
                        "%s \"%s\" has another place in the list, which needs a restart; expected place %s",
                        change->noun, change->name, change->from);
    else if (node == SCAN_NONE) // all of the block is at its default
        config_complain(p, 0, place->block, "%s %s instead of %s needs a restart; expected %s", change->key,
                        change->to, change->from, change->from);
    else
        config_complain(p, node, change->key, "%s instead of %s needs a restart; expected %s", change->to,
                        change->from, change->from);
}

void config_check_next(struct config_parser *p)
{
    if (config_diff(p->running, &p->root->config, complain, p) < 0)
        p->no_memory = true;
}
