// SPDX-License-Identifier: BSD-3-Clause
// What the operator is told of a call that nobody makes.
#include <stdio.h>
#include <string.h>

#include "control/admin/route_test.h"
#include "runner.h"

enum { PBX, A, B, C };

static struct tl_config *config;
static struct trunk_table table;
static char refused[512];
static bool dataplane_away;

static void begin(void)
{
    struct tl_config_errors errors;

    dataplane_away = false;
    CU_ASSERT_FATAL(tl_config_load(TEST_SOURCE_ROOT "/tests/unit/control/trunk/way.json", &config, &errors) ==
                    0);
    CU_ASSERT_FATAL(trunk_table_init(&table, config, 0) == 0);
}

static void end(void)
{
    trunk_table_fini(&table);
    tl_config_free(config);
}

static json_t *ask(const char *trunk, const char *from, const char *to)
{
    const struct route_test q = {.trunk = trunk, .from = from, .to = to, .dataplane_away = dataplane_away};

    refused[0] = '\0';
    return route_test_answer(&table, &q, 1000, refused, sizeof refused);
}

// A member behind dots, numbers among them, as text: "trunks.0.called.after".
static const char *at(const json_t *answer, const char *path)
{
    static char text[8][128];
    static unsigned turn;
    char word[64];

    for (;;) {
        size_t len = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)len, path);
        answer = json_is_array(answer) ? json_array_get(answer, (size_t)(word[0] - '0'))
                                       : json_object_get(answer, word);
        if (!path[len])
            break;
        path += len + 1;
    }
    char *out = text[turn++ % 8];
    if (json_is_string(answer))
        snprintf(out, sizeof text[0], "%s", json_string_value(answer));
    else if (json_is_integer(answer))
        snprintf(out, sizeof text[0], "%d", (int)json_integer_value(answer));
    else
        snprintf(out, sizeof text[0], "%s",
                 !answer                ? "missing"
                 : json_is_null(answer) ? "null"
                 : json_is_true(answer) ? "true"
                                        : "false");
    return out;
}

static void each_step_is_told(void)
{
    static const struct {
        const char *path, *is;
    } rows[] = {
        {"trunk", "pbx"},
        {"offline", "false"},
        {"called.before", "0441"},
        {"called.after", "+49441"},
        {"called.translation", "national"},
        {"called.rule", "1"},
        {"called.match", "^0"},
        {"called.to", "+49"},
        {"calling.before", "anonymous"},
        {"calling.after", "anonymous"},
        {"calling.rule", "null"},
        {"emergency", "false"},
        {"routes.0.route", "2"},
        {"routes.0.verdict", "taken"},
        {"routes.0.trunks.1", "b"},
        {"routes.1", "missing"},
        {"routes_passed", "6"},
        {"group", "null"},
        {"trunks.0.trunk", "b"}, // a is down: behind the others
        {"trunks.0.place", "1"},
        {"trunks.0.called.after", "+49441"},
        {"trunks.1.trunk", "c"},
        {"trunks.1.rank", "failing"},
        {"trunks.1.why", "tried late: it fails calls"},
        {"trunks.2.trunk", "a"},
        {"trunks.2.place", "3"},
        {"trunks.2.state", "down"},
        {"trunks.2.verdict", "tried"},
        {"trunks.2.called.after", "49441"},
        {"trunks.2.called.remove_plus", "true"},
        {"limit", "null"},
        {"status", "null"},
    };

    begin();
    table.now->trunks[A]->down = true;
    table.now->trunks[C]->last_until_ms = 2000;
    json_t *answer = ask("pbx", "sip:anonymous@anonymous.invalid", "sip:0-44.1;x=y@192.0.2.9");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_STRING_EQUAL(at(answer, rows[i].path), rows[i].is);
    json_decref(answer);
    end();
}

static void routes_say_why_not(void)
{
    begin();
    for (int i = 0; i < 2; i++) { // who asks takes no turn of the group
        json_t *answer = ask("pbx", "030", "tel:+44-20");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.0.route"), "5");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.0.verdict"), "from");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.0.from"), "c");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.1.route"), "4");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.1.verdict"), "calling");
        CU_ASSERT_STRING_EQUAL(at(answer, "routes.2.verdict"), "taken");
        CU_ASSERT_STRING_EQUAL(at(answer, "group.name"), "carriers");
        CU_ASSERT_STRING_EQUAL(at(answer, "group.order"), "round-robin");
        CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.trunk"), "a");
        json_decref(answer);
    }
    json_t *answer = ask("pbx", "", "0900");
    CU_ASSERT_STRING_EQUAL(at(answer, "routes.0.deny"), "403");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "403");
    CU_ASSERT_STRING_EQUAL(at(answer, "phrase"), "Closed");
    CU_ASSERT_STRING_EQUAL(at(answer, "why"), "a route denies it");
    json_decref(answer);
    answer = ask("b", "", "+4977");
    CU_ASSERT_STRING_EQUAL(at(answer, "routes.0.verdict"), "side");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.trunk"), "c");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.1.verdict"), "side");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.1.why"),
                           "from a peer to a peer, and the route has no peer_to_peer");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.2.why"),
                           "the call came from there, and the route has no back_to_origin");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.2.place"), "null");
    json_decref(answer);
    answer = ask("pbx", "", "sips:030@gw");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.verdict"), "no_tls");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.why"), "the call is sips:, and it has no peer over TLS");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "480");
    json_decref(answer);
    answer = ask("pbx", "1", "7");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "404");
    CU_ASSERT_STRING_EQUAL(at(answer, "routes_passed"), "7");
    json_decref(answer);
    end();
}

static void limits_and_rest(void)
{
    begin();
    table.now->trunks[A]->rest_until_ms = 5000;
    table.now->trunks[B]->unregistered = true;
    config->trunks[C].max_calls = 1;
    table.now->trunks[C]->use.calls = 1;
    json_t *answer = ask("pbx", "1", "030");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "503");
    CU_ASSERT_STRING_EQUAL(at(answer, "limit"), "calls");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.trunk"), "c");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.verdict"), "calls");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.place"), "null");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.1.verdict"), "resting");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.2.verdict"), "unregistered");
    CU_ASSERT_EQUAL(table.now->trunks[C]->use.diverted[TRUNK_LIMIT_calls], 0); // nothing is counted
    json_decref(answer);
    answer = ask("pbx", "1", "112");
    CU_ASSERT_STRING_EQUAL(at(answer, "emergency"), "true");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.trunk"), "a");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.rank"), "resting");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "null");
    json_decref(answer);
    answer = ask("pbx", "1", "077");
    CU_ASSERT_STRING_EQUAL(at(answer, "retry_after"), "4");
    json_decref(answer);
    config->trunks[PBX].max_calls = 1;
    table.now->trunks[PBX]->use.calls = 1;
    answer = ask("pbx", "1", "030");
    CU_ASSERT_STRING_EQUAL(at(answer, "limit"), "calls");
    CU_ASSERT_EQUAL(table.now->trunks[PBX]->use.refused[TRUNK_LIMIT_calls], 0);
    json_decref(answer);
    dataplane_away = true;
    answer = ask("pbx", "1", "030");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "503");
    CU_ASSERT_STRING_EQUAL(at(answer, "limit"), "null");
    CU_ASSERT_STRING_EQUAL(at(answer, "why"), "the dataplane is away");
    json_decref(answer);
    end();
}

static void questions_that_make_no_sense(void)
{
    static const struct {
        const char *trunk, *from, *to, *refused;
    } rows[] = {
        {"x\33", "1", "2", "no trunk of the configuration has the name x\\x1b"},
        {"pbx", "1", "", " has no number that can be called"},
        {"pbx", "1", "sip:192.0.2.1", "sip:192.0.2.1 has no number that can be called"},
        {"pbx", "1", "mailto:x", "mailto:x has no number that can be called"},
        {"pbx", "1", "a b", "a b has no number that can be called"},
        {"pbx", "a b", "1", "a b is no caller"},
        {"pbx", "1", "0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123456789 has no number"},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_PTR_NULL(ask(rows[i].trunk, rows[i].from, rows[i].to));
        CU_ASSERT(strncmp(refused, rows[i].refused, strlen(rows[i].refused)) == 0);
    }
    // what stands in a URI is shown escaped
    json_t *answer = ask("pbx", "sip:%1b%5b2J%ff@x", "a%9bb");
    CU_ASSERT_STRING_EQUAL(at(answer, "calling.before"), "");
    CU_ASSERT_STRING_EQUAL(at(answer, "called.before"), "a\\x9bb");
    json_decref(answer);
    end();
}

static void asked_of_a_file(void)
{
    const struct route_test q = {.trunk = "pbx", .from = "1", .to = "030"};

    begin();
    json_t *answer = route_test_offline(config, &q, refused, sizeof refused);
    CU_ASSERT_STRING_EQUAL(at(answer, "offline"), "true");
    CU_ASSERT_STRING_EQUAL(at(answer, "trunks.0.state"), "unchecked");
    CU_ASSERT_STRING_EQUAL(at(answer, "status"), "null");
    json_decref(answer);
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"each_step_is_told", each_step_is_told},
        {"routes_say_why_not", routes_say_why_not},
        {"limits_and_rest", limits_and_rest},
        {"questions_that_make_no_sense", questions_that_make_no_sense},
        {"asked_of_a_file", asked_of_a_file},
    };
    return test_main("route_test", TEST_CASES(cases), argc, argv);
}
