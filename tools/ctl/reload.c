// SPDX-License-Identifier: BSD-3-Clause
// reload: what a new configuration changes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/client.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/table.h"

// Text of a member, without anything that could move the terminal; the caller frees it.
static char *text_of(const json_t *change, const char *key)
{
    return value_text(json_object_get(change, key));
}

// "trunk a   no_response_ms   4000 -> 6000   new calls"
static json_t *row(const json_t *change)
{
    char *noun = text_of(change, "noun"), *name = text_of(change, "name"), *from = text_of(change, "from"),
         *to = text_of(change, "to"), *key = text_of(change, "key"), *when = text_of(change, "takes_effect"),
         *what = text_of(change, "what");
    bool all = noun && name && from && to && key && when && what;
    bool changed = all && strcmp(what, "changed") == 0;
    json_t *out = all ? json_pack("{s:o, s:o, s:o, s:s}", "where",
                                  json_sprintf("%s%s%s", noun, name[0] ? " " : "", name), "what",
                                  changed ? json_string(key) : json_sprintf("(%s)", what), "values",
                                  changed ? json_sprintf("%s -> %s", from, to) : json_null(), "when", when)
                      : NULL;
    free(noun);
    free(name);
    free(from);
    free(to);
    free(key);
    free(when);
    free(what);
    return out;
}

static void show(const json_t *result, bool dry_run)
{
    static const struct column columns[] = {
        {"WHERE", "where"}, {"WHAT", "what"}, {"CHANGES", "values"}, {"TAKES EFFECT", "when"}};
    const json_t *changes = json_object_get(result, "changes");
    json_t *rows = json_array(), *change;
    size_t i;
    json_int_t generation = json_integer_value(json_object_get(result, "generation"));

    json_array_foreach((json_t *)(uintptr_t)changes, i, change)
    {
        json_array_append_new(rows, row(change));
    }
    if (json_array_size(changes) == 0)
        printf("nothing has changed; generation %lld runs on\n", (long long)generation);
    else if (dry_run)
        printf("the file is right; a reload would change:\n");
    else
        printf("generation %lld is current:\n", (long long)generation);
    if (json_array_size(rows))
        table_print(columns, sizeof columns / sizeof columns[0], rows);
    json_decref(rows);
}

int ctl_reload(const struct ctl_options *options)
{
    json_t *request = json_pack("{s:s, s:b}", "command", "reload", "dry_run", options->dry_run),
           *result = NULL;
    struct client client;
    int status = client_open(&client, options->socket);

    if (status == CTL_OK)
        status = client_ask(&client, request, &result);
    else
        json_decref(request);
    if (status == CTL_OK && options->json) {
        json_dumpf(result, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (status == CTL_OK) {
        show(result, options->dry_run);
    }
    json_decref(result);
    client_close(&client);
    return status;
}
