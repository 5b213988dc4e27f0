// SPDX-License-Identifier: BSD-3-Clause
// One trunk for people: what it is, who its peer is, how each target does.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "-";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void show_head(const json_t *trunk)
{
    const json_t *s = json_object_get(trunk, "settings");
    const char *domain = text_of(s, "domain");

    printf("trunk %s: %s for %lld s, %s; %lld call%s up\n", text_of(trunk, "name"), text_of(trunk, "state"),
           number_of(trunk, "state_seconds"), text_of(trunk, "rank"), number_of(trunk, "active_calls"),
           number_of(trunk, "active_calls") == 1 ? "" : "s");
    if (!s) // calls of before a reload have it yet
        return;
    printf("listener %s, %s at %s%s; realm %s, side %s; srtp %s%s%s\n", text_of(s, "listener"),
           text_of(trunk, "transport"), text_of(s, "address"),
           json_is_true(json_object_get(s, "other_transports")) ? " and other transports there" : "",
           text_of(s, "realm"), text_of(s, "side"), text_of(s, "srtp"), *domain ? "; our name " : "", domain);
    if (number_of(s, "options_interval_s"))
        printf("OPTIONS every %lld s, down after %lld without answer; INVITE waits %lld ms for any\n",
               number_of(s, "options_interval_s"), number_of(s, "options_failures"),
               number_of(s, "no_response_ms"));
    else
        printf("no OPTIONS; INVITE waits %lld ms for any answer\n", number_of(s, "no_response_ms"));
}

static void show_calls(const json_t *trunk)
{
    const json_t *c = json_object_get(trunk, "counters");

    printf(
        "%lld calls from it; %lld INVITEs to it: %lld answered, %lld failed, of these %lld by 503 and %lld "
        "without any answer\n",
        number_of(c, "incoming"), number_of(c, "attempts"), number_of(c, "answered"), number_of(c, "failed"),
        number_of(c, "busy_503"), number_of(c, "no_response"));
}

static void show_table(const char *title, const struct column *columns, size_t count, const json_t *rows,
                       const char *none)
{
    printf("\n%s\n", json_array_size(rows) ? title : none);
    if (json_array_size(rows))
        table_print(columns, count, rows);
}

// "203.0.113.10:5060 tcp, 203.0.113.11:5060 tcp"
static json_t *addresses_text(const json_t *name)
{
    const json_t *list = json_object_get(name, "addresses");
    json_t *text = json_string(json_array_size(list) ? "" : "-");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        json_t *longer = json_sprintf("%s%s%s %s", json_string_value(text), i ? ", " : "",
                                      text_of(one, "address"), text_of(one, "transport"));
        json_decref(text);
        text = longer;
    }
    return text;
}

static void show_names(const json_t *names)
{
    static const struct column columns[] = {
        {"NAME", "name"}, {"STATE", "state"}, {"TTL LEFT", "ttl_seconds"}, {"STANDS FOR", "text"}};

    for (size_t i = 0; i < json_array_size(names); i++)
        json_object_set_new(json_array_get(names, i), "text", addresses_text(json_array_get(names, i)));
    if (json_array_size(names))
        show_table("names", columns, COUNT(columns), names, "");
}

void certificates_print(const json_t *rows)
{
    static const struct column columns[] = {
        {"OF", "of"},          {"ROLE", "role"},       {"STATE", "state"}, {"DAYS", "days_left"},
        {"ENDS", "not_after"}, {"SUBJECT", "subject"}, {"NAMES", "names"}, {"FILE", "file"}};
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *listener = json_string_value(json_object_get(row, "listener"));
        json_object_set_new(row, "of",
                            json_sprintf("%s %s", listener ? "listener" : "trunk",
                                         listener ? listener : text_of(row, "trunk")));
    }
    table_print(columns, COUNT(columns), rows);
}

void show_trunk(const json_t *trunk)
{
    static const struct column peers[] = {{"PEER", "address"},
                                          {"TRANSPORT", "transport"},
                                          {"SEND", "send"},
                                          {"PRIORITY", "priority"},
                                          {"WEIGHT", "weight"}};
    static const struct column targets[] = {{"TARGET", "address"},
                                            {"TRANSPORT", "transport"},
                                            {"STATE", "state"},
                                            {"SECONDS", "state_seconds"},
                                            {"RANK", "rank"},
                                            {"LAST", "last_seconds"},
                                            {"REST", "rest_seconds"},
                                            {"PRIORITY", "priority"},
                                            {"WEIGHT", "weight"},
                                            {"OPTIONS IN", "next_options_seconds"},
                                            {"SENT", "counters.options_sent"},
                                            {"LOST", "counters.options_failed"},
                                            {"OUT", "counters.attempts"},
                                            {"ANSWERED", "counters.answered"},
                                            {"FAILED", "counters.failed"},
                                            {"SILENT", "counters.no_response"}};

    show_head(trunk);
    show_calls(trunk);
    if (!json_object_get(trunk, "settings"))
        return;
    show_table("requests from", peers, COUNT(peers), json_object_get(trunk, "peers"), "no peers");
    show_table("requests to", targets, COUNT(targets), json_object_get(trunk, "targets"), "no targets");
    show_names(json_object_get(trunk, "names"));
    if (json_array_size(json_object_get(trunk, "certificates"))) {
        puts("\ncertificates");
        certificates_print(json_object_get(trunk, "certificates"));
    }
}
