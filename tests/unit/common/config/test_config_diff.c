// SPDX-License-Identifier: BSD-3-Clause
// What differs between two configurations, when it takes effect, and what a reload refuses with which place.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "runner.h"

static const char base[] =
    "{\n"
    "\"dataplane\": {\"ports\": [{\"name\": \"lan\", \"device\": \"net_null0\"}], \"huge_pages\": false, \"max_sessions\": 64},\n"
    "\"control\": {\"t1_ms\": 500, \"max_calls\": 50},\n"
    "\"realms\": [{\"name\": \"lan\", \"port\": \"lan\", \"address\": \"10.0.0.1/24\", \"side\": \"core\"}],\n"
    "\"listeners\": [{\"name\": \"udp\", \"transport\": \"udp\", \"address\": \"10.0.0.2:5060\"},\n"
    "  {\"name\": \"tcp\", \"transport\": \"tcp\", \"address\": \"10.0.0.2:5060\"}],\n"
    "\"profiles\": [{\"name\": \"gw\", \"no_response_ms\": 4000}],\n"
    "\"trunks\": [{\"name\": \"a\", \"listener\": \"udp\", \"peer\": \"10.0.0.10:5060\", \"realm\": \"lan\", \"profile\": \"gw\"},\n"
    "  {\"name\": \"b\", \"listener\": \"udp\", \"peer\": \"10.0.0.20:5060\", \"realm\": \"lan\"}],\n"
    "\"routes\": [{\"prefix\": \"1\", \"trunks\": [\"a\", \"b\"]},\n"
    "  {\"prefix\": \"1\", \"from\": \"a\", \"trunks\": [\"b\"]},\n"
    "  {\"prefix\": \"2\", \"trunks\": [\"a\"]}]\n"
    "}\n";

// Replaces the first `what` by `with`; the caller frees it.
static char *with(const char *text, const char *what, const char *by)
{
    const char *at = strstr(text, what);
    char *out = NULL;

    CU_ASSERT_FATAL(at != NULL);
    CU_ASSERT_FATAL(asprintf(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what)) >= 0);
    return out;
}

static struct tl_config *parse(const char *text)
{
    struct tl_config_errors errors;
    struct tl_config *config = NULL;

    if (tl_config_parse("f", text, strlen(text), &config, &errors) < 0)
        printf("   %s", errors.text);
    CU_ASSERT_FATAL(config != NULL);
    return config;
}

struct told {
    char text[2000];
    size_t used;
};

static void tell(void *arg, const struct tl_config_change *c)
{
    static const char *const signs[] = {
        [TL_CONFIG_CHANGED] = "", [TL_CONFIG_ADDED] = "+", [TL_CONFIG_REMOVED] = "-"};
    struct told *t = arg;

    t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, "%s%s%s%s", signs[c->what],
                                c->noun, c->name[0] ? " " : "", c->name);
    if (c->what == TL_CONFIG_CHANGED)
        t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, ".%s %s -> %s", c->key,
                                    c->from, c->to);
    t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, " (%s)\n",
                                tl_config_when_text(c->when));
}

static const struct {
    const char *what, *by; // in `base`
    const char *told;
    const char *refused; // how a reload refuses it, NULL: it takes it
} rows[] = {
    {"500", "500", "", NULL},
    {"500", "200",
     "control.t1_ms 500 -> 200 (live)\n"
     "control.timer_b_ms 32000 -> 12800 (live)\n"
     "control.timer_f_ms 32000 -> 12800 (live)\n"
     "control.timer_h_ms 32000 -> 12800 (live)\n",
     NULL},
    {"\"control\": {\"t1_ms\": 500, \"max_calls\": 50},", "\"control\": {\"max_calls\": 60},",
     "control.max_calls 50 -> 60 (live)\n", NULL},
    // trunks, by name
    {"10.0.0.20:5060", "10.0.0.20:5070",
     "trunk b.peer \"10.0.0.20:5060\" -> \"10.0.0.20:5070\" (new calls)\n", NULL},
    {"\"name\": \"b\", \"listener\": \"udp\"", "\"name\": \"b\", \"listener\": \"tcp\"",
     "trunk b.listener \"udp\" -> \"tcp\" (new calls)\n", NULL},
    {"\"lan\", \"profile\"", "\"lan\", \"options_interval_s\": 5, \"profile\"",
     "trunk a.options_interval_s 30 -> 5 (live)\n", NULL},
    {"4000", "6000", "trunk a.no_response_ms 4000 -> 6000 (new calls)\n",
     NULL}, // a profile's change is its trunks'
    {"\"lan\", \"profile\"",
     "\"lan\", \"codecs\": [\"PCMU\"], \"headers\": {\"pass\": [\"X-*\"], \"add\": {\"X-Site\": \"1\"}}, \"profile\"",
     "trunk a.codecs [\"PCMA\", \"PCMU\"] -> [\"PCMU\"] (new calls)\n"
     "trunk a.headers { } -> { \"pass\": [\"X-*\"] \"X-Site\": \"1\" } (new calls)\n",
     NULL},
    {"\"lan\", \"profile\"",
     "\"lan\", \"suites\": [\"AEAD_AES_128_GCM\"], \"domain\": \"x.example\", \"profile\"",
     "trunk a.suites [\"AEAD_AES_128_GCM\", \"AES_CM_128_HMAC_SHA1_80\", \"AEAD_AES_256_GCM\", \"AES_256_CM_HMAC_SHA1_80\"] -> "
     "[\"AEAD_AES_128_GCM\"] (new calls)\n"
     "trunk a.domain \"\" -> \"x.example\" (new calls)\n",
     NULL},
    // options of an object inside it
    {"\"lan\", \"profile\"", "\"lan\", \"tls\": {\"verify\": \"off\"}, \"profile\"",
     "trunk a.verify \"required\" -> \"off\" (live)\n", NULL},
    {"\"trunks\": [",
     "\"trunks\": [{\"name\": \"new\", \"listener\": \"udp\", \"peer\": \"10.0.0.30:5060\", \"realm\": \"lan\"},",
     "+trunk new (new calls)\n", NULL}, // the others' numbers are other ones now, which is no change
    // routes, by prefix and from
    {"\"from\": \"a\", \"trunks\": [\"b\"]", "\"from\": \"a\", \"trunks\": [\"b\", \"a\"]",
     "route \"1\" \"a\".trunks [\"b\"] -> [\"b\", \"a\"] (new calls)\n", NULL},
    {"\"prefix\": \"2\"", "\"prefix\": \"3\"",
     "-route \"2\" any (new calls)\n"
     "+route \"3\" any (new calls)\n",
     NULL},
    {"\"from\": \"a\", \"trunks\": [\"b\"]", "\"from\": \"b\", \"trunks\": [\"a\"]",
     "-route \"1\" \"a\" (new calls)\n"
     "+route \"1\" \"b\" (new calls)\n",
     NULL},
    // the dataplane's
    {"64", "128", "dataplane.max_sessions 64 -> 128 (dataplane restart)\n", NULL},
    {"net_null0", "net_null1", "port lan.device \"net_null0\" -> \"net_null1\" (dataplane restart)\n", NULL},
    {"10.0.0.1/24\"", "10.0.0.3/24\", \"gateway\": \"10.0.0.254\", \"rtp_ports\": [2000, 2999]",
     "realm lan.address \"10.0.0.1/24\" -> \"10.0.0.3/24\" (dataplane restart)\n"
     "realm lan.gateway none -> \"10.0.0.254\" (dataplane restart)\n"
     "realm lan.rtp_ports [16384, 32767] -> [2000, 2999] (dataplane restart)\n",
     NULL},
    // what a reload cannot do
    {"10.0.0.2:5060", "10.0.0.2:5070",
     "listener udp.address \"10.0.0.2:5060\" -> \"10.0.0.2:5070\" (restart)\n",
     "f:5:62: listeners[0].address: \"10.0.0.2:5070\" instead of \"10.0.0.2:5060\" needs a restart; expected "
     "\"10.0.0.2:5060\"\n"},
    {"\"realms\": [", "\"realms\": [{\"name\": \"wan\", \"port\": \"lan\", \"address\": \"10.1.0.1/24\"},",
     "realm lan.place in the list 0 -> 1 (restart)\n"
     "+realm wan (restart)\n",
     "f:4:12: realms[0]: a new realm needs a restart; expected those that run\n"
     "f:4:69: realms[1]: realm \"lan\" has another place in the list, which needs a restart; expected place 0\n"},
    {",\n  {\"name\": \"tcp\", \"transport\": \"tcp\", \"address\": \"10.0.0.2:5060\"}", "",
     "-listener tcp (restart)\n",
     "f:5:14: listeners: listener \"tcp\" is not there any more, which needs a restart; expected those that run\n"},
    {"\"max_calls\": 50", "\"socket\": \"/x\"",
     "control.socket \"/run/trunkline/control.sock\" -> \"/x\" (restart)\n"
     "control.max_calls 50 -> 10000 (live)\n",
     "f:3:37: control.socket: \"/x\" instead of \"/run/trunkline/control.sock\" needs a restart; expected "
     "\"/run/trunkline/control.sock\"\n"},
    // what is wrong anyway is said first, and alone
    {"\"t1_ms\": 500", "\"t1_ms\": 5, \"socket\": \"/x\"", NULL,
     "f:3:22: control.t1_ms: 5 is out of range; expected 10 to 10000 ms\n"},
};

static void differences_are_told(void)
{
    struct tl_config *from = parse(base);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].told)
            continue;
        char *text = with(base, rows[i].what, rows[i].by);
        struct tl_config *to = parse(text);
        struct told told = {"", 0};
        CU_ASSERT(tl_config_diff(from, to, tell, &told) == 0);
        if (strcmp(told.text, rows[i].told) != 0)
            printf("   row %zu: told\n%s   instead of\n%s", i, told.text, rows[i].told);
        CU_ASSERT_STRING_EQUAL(told.text, rows[i].told);
        tl_config_free(to);
        free(text);
    }
    tl_config_free(from);
}

static void what_needs_a_restart_is_refused(void)
{
    struct tl_config *from = parse(base);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = with(base, rows[i].what, rows[i].by);
        struct tl_config *to = NULL;
        struct tl_config_errors errors;
        int rc = tl_config_parse_next("f", text, strlen(text), from, &to, &errors);
        const char *expected = rows[i].refused ? rows[i].refused : "";
        if (strcmp(errors.text, expected) != 0)
            printf("   row %zu: %s   instead of %s\n", i, errors.text, expected);
        CU_ASSERT_STRING_EQUAL(errors.text, expected);
        CU_ASSERT((rc == 0) == !rows[i].refused && (to != NULL) == !rows[i].refused);
        tl_config_free(to);
        free(text);
    }
    tl_config_free(from);
}

// All of a block may be at its default.
static void a_block_that_is_not_there(void)
{
    char *text =
        with(base, "\"control\": {\"t1_ms\": 500, \"max_calls\": 50}", "\"control\": {\"socket\": \"/x\"}");
    struct tl_config *from = parse(text), *to = NULL;
    struct tl_config_errors errors;
    char *without = with(text, "\"control\": {\"socket\": \"/x\"},", "");

    CU_ASSERT(tl_config_parse_next("f", without, strlen(without), from, &to, &errors) < 0);
    CU_ASSERT_STRING_EQUAL(errors.text,
                           "f:1:1: control: socket \"/run/trunkline/control.sock\" instead of \"/x\" needs a "
                           "restart; expected \"/x\"\n");
    tl_config_free(from);
    free(without);
    free(text);
}

// As many as fit, each another one: what a reload compares in a turn of the loop.
static void full_lists_are_compared(void)
{
    struct tl_config *from = parse(base), *to = parse(base);
    struct told told = {"", 0};

    for (uint32_t i = 0; i < TL_TRUNKS_MAX; i++) {
        from->trunks[i] = from->trunks[1];
        snprintf(from->trunks[i].name, sizeof from->trunks[i].name, "t%u", i);
        to->trunks[TL_TRUNKS_MAX - 1 - i] = from->trunks[i];
    }
    from->trunk_count = to->trunk_count = TL_TRUNKS_MAX;
    from->route_count = to->route_count = 0;
    to->trunks[7].dtmf_pt = 97;
    CU_ASSERT(tl_config_diff(from, to, tell, &told) == 0);
    CU_ASSERT_STRING_EQUAL(told.text, "trunk t1016.dtmf_pt 101 -> 97 (new calls)\n");
    tl_config_free(from);
    tl_config_free(to);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"differences_are_told", differences_are_told},
        {"what_needs_a_restart_is_refused", what_needs_a_restart_is_refused},
        {"a_block_that_is_not_there", a_block_that_is_not_there},
        {"full_lists_are_compared", full_lists_are_compared},
    };
    return test_main("config_diff", TEST_CASES(cases), argc, argv);
}
