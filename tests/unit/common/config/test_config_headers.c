// SPDX-License-Identifier: BSD-3-Clause
// A trunk's headers and its name in the configuration.
#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "runner.h"

// A file whose trunk and profile have these members. Returns 0 and the config, else the errors.
static int parse(const char *trunk, const char *profile, struct tl_config **out,
                 struct tl_config_errors *errors)
{
    char text[8000];
    int n = snprintf(
        text, sizeof text,
        "{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]},"
        "\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}],"
        "\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\"}],"
        "\"profiles\":[{\"name\":\"f\"%s%s}],\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"profile\":\"f\","
        "\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\"%s%s}]}",
        profile[0] ? "," : "", profile, trunk[0] ? "," : "", trunk);
    CU_ASSERT_FATAL(n > 0 && (size_t)n < sizeof text);
    *out = NULL;
    return tl_config_parse("f", text, (size_t)n, out, errors);
}

static void headers_are_read(void)
{
    struct tl_config_errors errors;
    struct tl_config *c;
    CU_ASSERT_FATAL(
        parse(
            "\"headers\":{\"_comment\":\"x\",\"pass\":[\"X-*\",\"*\"],\"remove\":[\"Subject\"],\"add\":{\"X-A\":"
            "\"J\\u00e4 1\",\"Privacy\":\"id\"}},\"domain\":\"a-1.b.example\",\"trusted\":false",
            "\"headers\":{\"pass\":[\"Y\"]},\"host_names\":\"keep\",\"trusted\":true", &c, &errors) == 0);
    const struct tl_trunk_config *t = &c->trunks[0];
    CU_ASSERT(t->headers.pass_count == 2 && t->headers.remove_count == 1 && t->headers.add_count == 2);
    CU_ASSERT_STRING_EQUAL(t->headers.pass[0], "X-*");
    CU_ASSERT_STRING_EQUAL(t->headers.remove[0], "Subject");
    CU_ASSERT_STRING_EQUAL(t->headers.add[0].name, "X-A");
    CU_ASSERT_STRING_EQUAL(t->headers.add[0].value, "J\xc3\xa4 1");
    CU_ASSERT_STRING_EQUAL(t->domain, "a-1.b.example");
    CU_ASSERT(!t->trusted && t->host_names == TL_HOST_NAMES_KEEP && t->location == TL_LOCATION_REMOVE);
    tl_config_free(c);
    CU_ASSERT_FATAL(parse("", "\"headers\":{\"pass\":[\"Y\"]},\"domain\":\"a\"", &c, &errors) == 0);
    CU_ASSERT(c->trunks[0].headers.pass_count == 1 && c->trunks[0].trusted);
    CU_ASSERT_STRING_EQUAL(c->trunks[0].headers.pass[0], "Y");
    CU_ASSERT_STRING_EQUAL(c->trunks[0].domain, "a");
    tl_config_free(c);
}

static void mistakes_are_named(void)
{
    static const struct {
        const char *trunk, *error; // with its path
    } rows[] = {
        {"\"headers\":{\"pass\":[\"X-A\",\"Via\"]}",
         "trunks[0].headers.pass[1]: \"Via\" belongs to the dialog"},
        {"\"headers\":{\"pass\":[\"m\"]}", "trunks[0].headers.pass[0]: \"m\" belongs"},
        {"\"headers\":{\"remove\":[\"content-type\"]}",
         "trunks[0].headers.remove[0]: \"content-type\" belongs"},
        {"\"headers\":{\"pass\":[\"Content-Foo\"]}", "\"Content-Foo\" belongs"},
        {"\"headers\":{\"add\":{\"Call-ID\":\"x\"}}", "trunks[0].headers.add.Call-ID: \"Call-ID\" belongs"},
        {"\"headers\":{\"add\":{\"X-*\":\"x\"}}", "\"X-*\" is no header name"},
        {"\"headers\":{\"pass\":[\"a b\"]}", "\"a b\" is no header name"},
        {"\"headers\":{\"pass\":[\"\"]}", "is no header name"},
        {"\"headers\":{\"pass\":[\"X-0123456789012345678901234567890123456789\"]}", "bytes are too long"},
        {"\"headers\":{\"pass\":[1]}", "trunks[0].headers.pass[0]: is a number"},
        {"\"headers\":{\"pass\":\"X-A\"}", "trunks[0].headers.pass: is a string"},
        {"\"headers\":{\"pass\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\","
         "\"16\",\"17\"]}",
         "trunks[0].headers.pass: is a list of 17"},
        {"\"headers\":{\"add\":{\"X-A\":\"a\\nb\"}}", "trunks[0].headers.add.X-A: is no value"},
        {"\"headers\":{\"add\":{\"X-A\":\"\"}}", "is no value"},
        {"\"headers\":{\"add\":{\"X-A\":\" x\"}}", "is no value"},
        {"\"headers\":{\"add\":{\"X-A\":[]}}", "trunks[0].headers.add.X-A: is a list"},
        {"\"headers\":{\"add\":[]}", "trunks[0].headers.add: is no object"},
        {"\"headers\":{\"add\":{\"1\":\"a\",\"2\":\"a\",\"3\":\"a\",\"4\":\"a\",\"5\":\"a\",\"6\":\"a\",\"7\":\"a\",\"8\":\"a\",\"9\":"
         "\"a\"}}",
         "is no object of at most 8 lines"},
        {"\"headers\":{\"drop\":[]}",
         "trunks[0].headers.drop: unknown key \"drop\"; expected one of pass, remove, add"},
        {"\"headers\":{\"pass\":[],\"pass\":[]}", "trunks[0].headers: has a key given twice"},
        {"\"headers\":{\"add\":{\"A\":\"1\",\"A\":\"2\"}}", "trunks[0].headers.add: has a key given twice"},
        {"\"headers\":[]", "trunks[0].headers: is no object"},
        {"\"domain\":\"\"", "trunks[0].domain: not a host name"},
        {"\"domain\":\"10.0.0.1\"", "not a host name"},
        {"\"domain\":\"a..b\"", "not a host name"},
        {"\"domain\":\".a\"", "not a host name"},
        {"\"domain\":\"a.\"", "not a host name"},
        {"\"domain\":\"-a.b\"", "not a host name"},
        {"\"domain\":\"a.b-\"", "not a host name"},
        {"\"domain\":\"a-.b\"", "not a host name"},
        {"\"domain\":\"a b\"", "not a host name"},
        {"\"domain\":\"a:5060\"", "not a host name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_config_errors errors;
        struct tl_config *c;
        int rc = parse(rows[i].trunk, "", &c, &errors);
        if (rc == 0 || !strstr(errors.text, rows[i].error))
            printf("   %s: %s\n", rows[i].trunk, rc == 0 ? "taken" : errors.text);
        CU_ASSERT(rc != 0 && strstr(errors.text, rows[i].error));
        CU_ASSERT_EQUAL(errors.count, 1);
        if (rc == 0)
            tl_config_free(c);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"headers_are_read", headers_are_read},
        {"mistakes_are_named", mistakes_are_named},
    };
    return test_main("config_headers", TEST_CASES(cases), argc, argv);
}
