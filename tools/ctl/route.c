// SPDX-License-Identifier: BSD-3-Clause
// route test: what would become of a call, asked from trunkline-control or of a file.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "control/admin/route_test.h"
#include "tools/ctl/client.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/table.h"

// ---- asking

static int ask_control(const struct ctl_options *options, json_t **result)
{
    json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "command", "route_test", "trunk", options->trunk,
                                "from", options->from, "to", options->to);
    struct client client;
    int status = client_open(&client, options->socket);

    if (!request) {
        fputs("trunklinectl: --from, --to and --trunk have to be UTF-8\n", stderr);
        status = CTL_USAGE;
    }
    if (status == CTL_OK)
        status = client_ask(&client, request, result);
    else
        json_decref(request);
    client_close(&client);
    return status;
}

static int ask_file(const struct ctl_options *options, json_t **result)
{
    const struct route_test ask = {.trunk = options->trunk, .from = options->from, .to = options->to};
    struct tl_config *config = NULL;
    struct tl_config_errors errors;
    char refused[1024] = "";

    if (tl_config_load(options->config, &config, &errors) < 0) {
        tl_config_print_errors(stderr, options->config, &errors);
        return CTL_USAGE;
    }
    *result = route_test_offline(config, &ask, refused, sizeof refused);
    tl_config_free(config);
    if (!*result)
        fprintf(stderr, "trunklinectl: %s\n", refused);
    return *result ? CTL_OK : CTL_FAILED;
}

// ---- showing

// A member as text; the caller frees it.
static char *text_of(const json_t *object, const char *key)
{
    return value_text(json_object_get(object, key));
}

static bool has(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return v && !json_is_null(v) && !json_is_false(v) && !(json_is_string(v) && json_string_length(v) == 0);
}

// "called   0301234 -> +49301234 (national-in, rule 1: ^0 becomes +49)"
static void show_number(const char *title, const json_t *n)
{
    char *before = text_of(n, "before"), *after = text_of(n, "after"), *name = text_of(n, "translation"),
         *rule = text_of(n, "rule"), *match = text_of(n, "match"), *to = text_of(n, "to");

    if (before && after && name && rule && match && to) {
        printf("%-8s %s", title, before);
        if (strcmp(before, after) != 0)
            printf(" -> %s", after);
        if (has(n, "rule"))
            printf(" (%s, rule %s: %s becomes %s)", name, rule, match, has(n, "to") ? to : "nothing");
        else if (has(n, "translation"))
            printf(" (no rule of %s fits)", name);
        putchar('\n');
    }
    free(before);
    free(after);
    free(name);
    free(rule);
    free(match);
    free(to);
}

// Adds " KEY VALUE" where the route says something of it.
static void add(FILE *out, const json_t *route, const char *key, const char *as)
{
    char *text = has(route, key) ? text_of(route, key) : NULL;

    if (text)
        fprintf(out, "%s%s %s", ftell(out) ? ", " : "", as, text);
    free(text);
}

// A route in words: "prefix +49, from pbx: group carriers"
static json_t *route_row(const json_t *route)
{
    static const struct {
        const char *key, *as;
    } parts[] = {{"prefix", "prefix"}, {"called", "called"}, {"calling", "calling"},
                 {"from", "from"},     {"deny", "deny"},     {"group", "group"}};
    char *text = NULL;
    size_t size, i;
    json_t *name;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
        add(out, route, parts[i].key, parts[i].as);
    if (!has(route, "group") && !has(route, "deny"))
        json_array_foreach(json_object_get(route, "trunks"), i, name)
        {
            fprintf(out, "%s%s%s", i || !ftell(out) ? "" : ", ", i ? " " : "trunks ",
                    json_string_value(name));
        }
    fclose(out);
    json_t *row =
        json_pack("{s:O, s:O, s:s, s:O}", "route", json_object_get(route, "route"), "priority",
                  json_object_get(route, "priority"), "says", text, "why", json_object_get(route, "why"));
    free(text);
    return row;
}

static void show_routes(const json_t *result)
{
    static const struct column columns[] = {
        {"ROUTE", "route"}, {"PRIORITY", "priority"}, {"SAYS", "says"}, {"RESULT", "why"}};
    json_t *rows = json_array(), *route;
    size_t i;
    json_int_t passed = json_integer_value(json_object_get(result, "routes_passed"));

    json_array_foreach(json_object_get(result, "routes"), i, route)
    {
        json_array_append_new(rows, route_row(route));
    }
    putchar('\n');
    if (json_array_size(rows))
        table_print(columns, sizeof columns / sizeof columns[0], rows);
    if (passed)
        printf(
            "%lld other route%s not looked at: the called number begins otherwise, or another comes first\n",
            (long long)passed, passed == 1 ? " is" : "s are");
    json_decref(rows);
}

static void show_trunks(const json_t *result)
{
    static const struct column columns[] = {
        {"TRIED", "place"},         {"TRUNK", "trunk"},           {"STATE", "state"}, {"RANK", "rank"},
        {"CALLED", "called.after"}, {"CALLING", "calling.after"}, {"WHY", "why"},
    };
    const json_t *trunks = json_object_get(result, "trunks"), *group = json_object_get(result, "group"),
                 *trunk;
    size_t i;

    if (json_array_size(trunks) == 0)
        return;
    putchar('\n');
    if (json_is_object(group)) {
        char *name = text_of(group, "name"), *order = text_of(group, "order");
        printf("group %s, %s\n", name ? name : "", order ? order : "");
        free(name);
        free(order);
    }
    table_print(columns, sizeof columns / sizeof columns[0], trunks);
    json_array_foreach((json_t *)(uintptr_t)trunks, i, trunk)
    {
        char *name = text_of(trunk, "trunk");
        char title[128];
        if (has(json_object_get(trunk, "called"), "rule")) {
            snprintf(title, sizeof title, "called to %s", name ? name : "");
            show_number(title, json_object_get(trunk, "called"));
        }
        if (has(json_object_get(trunk, "calling"), "rule")) {
            snprintf(title, sizeof title, "calling to %s", name ? name : "");
            show_number(title, json_object_get(trunk, "calling"));
        }
        free(name);
    }
}

static void show(const json_t *result)
{
    char *status = text_of(result, "status"), *phrase = text_of(result, "phrase"),
         *why = text_of(result, "why");

    show_number("called", json_object_get(result, "called"));
    show_number("calling", json_object_get(result, "calling"));
    if (has(result, "emergency"))
        puts("an emergency call: limits do not hold it back, and trunks that rest are tried last");
    show_routes(result);
    show_trunks(result);
    putchar('\n');
    if (has(result, "status"))
        printf("turned away with %s%s%s: %s\n", status, has(result, "phrase") ? " " : "",
               has(result, "phrase") ? phrase : "", why);
    else
        puts(has(result, "offline") ? "goes out, if its trunks are as they should be" : "goes out");
    free(status);
    free(phrase);
    free(why);
}

int ctl_route_test(const struct ctl_options *options)
{
    json_t *result = NULL;
    int status = options->offline ? ask_file(options, &result) : ask_control(options, &result);

    if (status == CTL_OK && options->json) {
        json_dumpf(result, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (status == CTL_OK) {
        show(result);
    }
    json_decref(result);
    return status;
}
