// SPDX-License-Identifier: BSD-3-Clause
// status, calls, call, hangup, trunks, trunk, stats: asked from trunkline-control and shown.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/client.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PAGES_MAX = 10000 }; // far more than there can be calls

static void print_json(const json_t *result)
{
    json_dumpf(result, stdout, JSON_COMPACT);
    putchar('\n');
}

// Asks one question and shows the answer, as JSON or with `show`.
static int ask(const struct ctl_options *options, json_t *request, void (*show)(const json_t *result))
{
    struct client client;
    json_t *result = NULL;
    int status = client_open(&client, options->socket);

    if (status == CTL_OK)
        status = client_ask(&client, request, &result);
    else
        json_decref(request);
    if (status == CTL_OK) {
        if (options->json)
            print_json(result);
        else
            show(result);
    }
    json_decref(result);
    client_close(&client);
    return status;
}

int ctl_status(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "status"), members_print);
}

int ctl_call(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s, s:s}", "command", "call", "call", options->argv[0]), show_call);
}

// ---- calls

static void show_calls(const json_t *result)
{
    static const struct column columns[] = {
        {"CALL", "id"},         {"STATE", "state"},           {"FROM", "from"},
        {"TO", "to"},           {"BY TRUNK", "from_trunk"},   {"ON TRUNK", "to_trunk"},
        {"SECONDS", "seconds"}, {"HEARD A", "heard_a_s_ago"}, {"HEARD B", "heard_b_s_ago"},
    };
    const json_t *calls = json_object_get(result, "calls");

    if (json_array_size(calls) == 0)
        puts("no calls");
    else
        table_print(columns, COUNT(columns), calls);
}

// All pages in one list. What "next" means is control's business; a page that brings nothing is the last.
static int collect_calls(struct client *client, json_t *all)
{
    json_int_t after = 0;

    for (int pages = 0; pages < PAGES_MAX; pages++) {
        json_t *page = NULL;
        int status = client_ask(client, json_pack("{s:s, s:I}", "command", "calls", "after", after), &page);
        if (status != CTL_OK)
            return status;
        const json_t *calls = json_object_get(page, "calls"), *next = json_object_get(page, "next");
        bool more = json_array_size(calls) != 0 && json_is_integer(next) && json_integer_value(next) != after;
        json_array_extend(all, (json_t *)(uintptr_t)calls);
        after = json_integer_value(next);
        json_decref(page);
        if (!more)
            break;
    }
    return CTL_OK;
}

int ctl_calls(const struct ctl_options *options)
{
    struct client client;
    json_t *all = json_array();
    int status = client_open(&client, options->socket);

    if (status == CTL_OK)
        status = collect_calls(&client, all);
    json_t *result = json_pack("{s:o}", "calls", all);
    if (status == CTL_OK) {
        if (options->json)
            print_json(result);
        else
            show_calls(result);
    }
    json_decref(result);
    client_close(&client);
    return status;
}

// ---- hangup

// One request after the other: each ends a bounded number of calls and says where to go on.
static int end_calls(struct client *client, const struct ctl_options *options, json_int_t *ended)
{
    json_int_t after = 0;

    for (int pages = 0; pages < PAGES_MAX; pages++) {
        json_t *result = NULL, *request = json_pack("{s:s, s:I}", "command", "hangup", "after", after);
        if (options->all)
            json_object_set_new(request, "all", json_true());
        else if (options->trunk)
            json_object_set_new(request, "trunk", json_string(options->trunk));
        else
            json_object_set_new(request, "call", json_string(options->argv[0]));
        int status = client_ask(client, request, &result);
        if (status != CTL_OK)
            return status;
        const json_t *next = json_object_get(result, "next");
        bool more = json_is_integer(next) && json_integer_value(next) != after;
        *ended += json_integer_value(json_object_get(result, "ended"));
        after = json_integer_value(next);
        json_decref(result);
        if (!more)
            break;
    }
    return CTL_OK;
}

int ctl_hangup(const struct ctl_options *options)
{
    struct client client;
    json_int_t ended = 0;
    int status = client_open(&client, options->socket);

    if (status == CTL_OK)
        status = end_calls(&client, options, &ended);
    client_close(&client);
    if (options->json && (status == CTL_OK || ended))
        printf("{\"ended\":%lld}\n", (long long)ended);
    else if (status == CTL_OK || ended)
        printf("%lld call%s ended\n", (long long)ended, ended == 1 ? "" : "s");
    return status;
}

// ---- trunks

static void show_trunks(const json_t *result)
{
    static const struct column columns[] = {
        {"TRUNK", "name"},
        {"STATE", "state"},
        {"SECONDS", "state_seconds"},
        {"LAST", "last_seconds"},
        {"REST", "rest_seconds"},
        {"PEER", "peer"},
        {"CALLS", "active_calls"},
        {"IN", "counters.incoming"},
        {"OUT", "counters.attempts"},
        {"ANSWERED", "counters.answered"},
        {"FAILED", "counters.failed"},
        {"503", "counters.busy_503"},
        {"SILENT", "counters.no_response"},
        {"LIMITED", "limits.held_back"},
    };
    const json_t *trunks = json_object_get(result, "trunks");

    if (json_array_size(trunks) == 0)
        puts("no trunks");
    else
        table_print(columns, COUNT(columns), trunks);
}

int ctl_trunks(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "trunks"), show_trunks);
}

int ctl_trunk(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s, s:s}", "command", "trunk", "trunk", options->argv[0]), show_trunk);
}

// ---- certificates

static void show_certificates(const json_t *result)
{
    const json_t *rows = json_object_get(result, "certificates");

    if (json_array_size(rows) == 0)
        puts("no certificates: no listener has TLS");
    else
        certificates_print(rows);
}

int ctl_certificates(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "certificates"), show_certificates);
}

// ---- bans

static void show_bans(const json_t *result)
{
    static const struct column columns[] = {
        {"BANNED", "address"}, {"SECONDS LEFT", "seconds"}, {"DROPPED", "dropped"}};
    const json_t *bans = json_object_get(result, "bans");

    if (json_array_size(bans) == 0)
        puts("nobody is banned");
    else
        table_print(columns, COUNT(columns), bans);
}

int ctl_bans(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "bans"), show_bans);
}

static void show_unban(const json_t *result)
{
    printf("%s is not banned any more\n", json_string_value(json_object_get(result, "address")));
}

int ctl_unban(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s, s:s}", "command", "unban", "address", options->argv[0]), show_unban);
}

// ---- registrations

static void show_registrations(const json_t *result)
{
    static const struct column columns[] = {
        {"TRUNK", "trunk"},       {"ADDRESS", "aor"},       {"STATE", "state"}, {"HOLDS", "holds_seconds"},
        {"NEXT", "next_seconds"}, {"FAILURES", "failures"}, {"WHY", "why"},
    };
    json_t *rows = json_array(), *trunk, *row;
    size_t i, k;
    json_array_foreach(json_object_get(result, "trunks"), i, trunk)
    {
        json_array_foreach(json_object_get(trunk, "registrations"), k, row)
        {
            json_object_set(row, "trunk", json_object_get(trunk, "name"));
            json_array_append(rows, row);
        }
    }
    if (json_array_size(rows) == 0)
        puts("no registrations");
    else
        table_print(columns, COUNT(columns), rows);
    json_decref(rows);
}

int ctl_registrations(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "trunks"), show_registrations);
}

// ---- stats

// The worker's rows, and their sum where there are several.
static json_t *worker_rows(const json_t *result)
{
    json_t *rows = json_array(), *total = json_deep_copy(json_object_get(result, "total"));

    json_array_extend(rows, json_object_get(result, "workers"));
    if (json_array_size(rows) > 1 && total) {
        json_object_set_new(total, "worker", json_string("all"));
        json_array_append(rows, total);
    }
    json_decref(total);
    return rows;
}

// Two tables, so that neither is wider than a terminal: where packets went, and how the workers are.
static void show_workers(const json_t *result)
{
    static const struct column packets[] = {
        {"WORKER", "worker"},   {"FROM NIC", "rx_nic"},       {"FROM WORKERS", "rx_handoff"},
        {"SENT ON", "tx"},      {"HANDED OFF", "handed_off"}, {"ABSORBED", "absorbed"},
        {"WAITING", "waiting"}, {"DROPPED", "dropped"},
    };
    static const struct column health[] = {
        {"WORKER", "worker"},
        {"BEAT MS AGO", "heartbeat_age_ms"},
        {"CYCLES/PACKET", "cycles_per_packet"},
        {"OWN PACKETS", "tx_own"},
        {"EVENTS LOST", "events_lost"},
    };
    json_t *rows = worker_rows(result);

    table_print(packets, COUNT(packets), rows);
    putchar('\n');
    table_print(health, COUNT(health), rows);
    json_decref(rows);
}

static void show_drops(const json_t *result)
{
    static const struct column columns[] = {{"DROPPED", "count"}, {"REASON", "reason"}, {"MEANING", "text"}};
    json_t *rows = json_array(), *drop;
    size_t i;

    json_array_foreach(json_object_get(result, "drops"), i, drop)
    {
        if (json_integer_value(json_object_get(drop, "count")) != 0)
            json_array_append(rows, drop);
    }
    if (json_array_size(rows))
        table_print(columns, COUNT(columns), rows);
    else
        puts("nothing dropped");
    json_decref(rows);
}

// Where the packets without a call went: a table only when there are some.
static void show_unknown_ports(const json_t *result)
{
    static const struct column columns[] = {
        {"UNKNOWN PORT", "count"}, {"REALM", "realm"}, {"ADDRESS", "address"}};
    json_t *rows = json_array(), *realm;
    size_t i;

    json_array_foreach(json_object_get(result, "unknown_ports"), i, realm)
    {
        if (json_integer_value(json_object_get(realm, "count")) != 0)
            json_array_append(rows, realm);
    }
    if (json_array_size(rows)) {
        putchar('\n');
        table_print(columns, COUNT(columns), rows);
    }
    json_decref(rows);
}

// Those that have counted something: a table only when there are some.
static void show_counted(const struct column *columns, size_t count, const json_t *all)
{
    json_t *rows = json_array(), *row;
    size_t i;

    json_array_foreach(all, i, row)
    {
        if (json_integer_value(json_object_get(row, "count")) != 0)
            json_array_append(rows, row);
    }
    if (json_array_size(rows)) {
        putchar('\n');
        table_print(columns, count, rows);
    }
    json_decref(rows);
}

// What control counts: lines of SDPs that it has dropped, and how name servers answer it.
static void show_control(const json_t *result)
{
    static const struct column sdp[] = {
        {"SDP LINES", "count"}, {"DROPPED AS", "reason"}, {"MEANING", "text"}};
    static const struct column names[] = {{"NAMES", "count"}, {"COUNTED AS", "counter"}, {"MEANING", "text"}};

    show_counted(sdp, COUNT(sdp), json_object_get(json_object_get(result, "sdp"), "drops"));
    show_counted(names, COUNT(names), json_object_get(result, "names"));
}

bool dataplane_away(const json_t *answer, const char *key)
{
    const char *state = json_string_value(json_object_get(answer, key));
    return state && strcmp(state, "away") == 0;
}

static void show_stats(const json_t *result)
{
    const json_t *dataplane = json_object_get(result, "dataplane");

    if (!json_is_object(dataplane)) {
        puts("the dataplane has not been there yet");
        show_control(result);
        return;
    }
    if (dataplane_away(result, "state"))
        puts("the dataplane is away: these are its last counters\n");
    members_print(dataplane);
    putchar('\n');
    show_workers(result);
    putchar('\n');
    show_drops(result);
    show_unknown_ports(result);
    show_control(result);
}

int ctl_stats(const struct ctl_options *options)
{
    return ask(options, json_pack("{s:s}", "command", "stats"), show_stats);
}
