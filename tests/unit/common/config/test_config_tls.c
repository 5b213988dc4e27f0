// SPDX-License-Identifier: BSD-3-Clause
// The configuration of TLS: what is taken, and what is refused with which sentence.
#include "common/config/config.h"
#include "config_text.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

#define TLS    "\"name\":\"l\",\"transport\":\"tls\",\"address\":\"10.0.0.1:5061\""
#define SECURE BASE ",\"listeners\":[{" TLS ",\"tls\":{\"certificate\":\"/c.pem\"}}]"
#define PEER   "\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5061\",\"realm\":\"r\""

// A trunk over TLS may have SRTP; what it has for TLS comes from its profile, or whole from itself.
static void tls_is_enough_for_srtp(void)
{
    static const char text[] =
        "{" SECURE ",\"profiles\":[{\"name\":\"p\",\"srtp\":\"required\","
        "\"tls\":{\"names\":[\"a.example\",\"b.example\"],\"ca\":\"/ca.pem\"}}],"
        "\"trunks\":[{" PEER
        ",\"profile\":\"p\"},{\"name\":\"u\",\"listener\":\"l\",\"peer\":\"10.0.0.8:5061\","
        "\"realm\":\"r\",\"profile\":\"p\",\"tls\":{\"verify\":\"off\"}}]}";
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(tl_config_parse("x", text, sizeof text - 1, &c, &errors) == 0);
    CU_ASSERT(c->listeners[0].tls.min_version == TL_TLS_1_2 && !c->listeners[0].tls.key[0]);
    CU_ASSERT_STRING_EQUAL(c->listeners[0].tls.certificate, "/c.pem");
    CU_ASSERT(c->trunks[0].srtp == TL_SRTP_REQUIRED && c->trunks[0].tls.verify == TL_TLS_VERIFY_REQUIRED);
    CU_ASSERT(c->trunks[0].tls.name_count == 2 && c->trunks[0].number == 1 && c->trunks[1].number == 2);
    CU_ASSERT_STRING_EQUAL(c->trunks[0].tls.names[1], "b.example");
    CU_ASSERT_STRING_EQUAL(c->trunks[0].tls.ca, "/ca.pem");
    CU_ASSERT(c->trunks[1].tls.verify == TL_TLS_VERIFY_OFF && c->trunks[1].tls.name_count == 0 &&
              !c->trunks[1].tls.ca[0]);
    tl_config_free(c);
}

// Each of them has one error and no more.
static const struct {
    const char *text;  // @ marks the place where the error is found
    const char *error; // begins with it, behind file, line and column ...
    const char *hint;  // ... and goes on with something that contains it
} wrongs[] = {
    {"{" BASE ",\"listeners\":[@{" TLS "}]}", "listeners[0].tls: TLS needs a certificate of ours; ",
     "tls.certificate"},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\","
     "\"tls\":@{\"certificate\":\"/c.pem\"}}]}",
     "listeners[0].tls: tls.certificate is set and the transport is \"udp\"; ", "transport \"tls\""},
    {"{" BASE ",\"listeners\":[{" TLS ",\"tls\":{\"certificate\":@\"c.pem\"}}]}",
     "listeners[0].tls.certificate: not an absolute path: \"c.pem\"; ", ""},
    {"{" BASE ",\"listeners\":[{" TLS ",\"tls\":{\"certificate\":\"/c.pem\",\"min_version\":@\"1.1\"}}]}",
     "listeners[0].tls.min_version: \"1.1\" is none of its values; ", "\"1.2\" or \"1.3\""},
    {"{" SECURE ",\"trunks\":[@{" PEER "}]}", "trunks[0]: the peer's certificate has to be for a name; ",
     "tls.names"},
    {"{" SECURE ",\"trunks\":[{" PEER ",\"tls\":@{\"ca\":\"/ca.pem\"}}]}",
     "trunks[0].tls: the peer's certificate has to be for a name; ", ""},
    {"{" SECURE ",\"trunks\":[{" PEER ",\"tls\":{\"names\":@[]}}]}", "trunks[0].tls.names: is a list of 0; ",
     "list of 1 to 8 different host names"},
    {"{" SECURE ",\"trunks\":[{" PEER ",\"tls\":{\"names\":[\"a.b\",@\"A.B\"]}}]}",
     "trunks[0].tls.names[1]: is in the list already; ", ""},
    {"{" SECURE ",\"trunks\":[{" PEER ",\"tls\":{\"names\":[@\"*.example.com\"]}}]}",
     "trunks[0].tls.names[0]: not a host name: \"*.example.com\"; ", ""},
    {"{" SECURE ",\"trunks\":[{" PEER ",\"tls\":@{\"names\":[\"a.b\"],\"key\":\"/k.pem\"}}]}",
     "trunks[0].tls: tls.key is set without tls.certificate; ", ""},
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"tls\":@{\"names\":[\"a.b\"]}}]}",
     "trunks[0].tls: tls.names is set and listener \"l\" is udp; ", ""},
};

static void errors_name_their_place(void)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct tl_config_errors errors;
        struct tl_config *c = NULL;
        char text[2000], expected[300];
        size_t at = strcspn(wrongs[i].text, "@");
        snprintf(text, sizeof text, "%.*s%s", (int)at, wrongs[i].text, wrongs[i].text + at + 1);
        int used = snprintf(expected, sizeof expected, "f:1:%zu: %s", at + 1, wrongs[i].error);
        int status = tl_config_parse("f", text, strlen(text), &c, &errors);
        bool good = status < 0 && errors.count == 1 && strncmp(errors.text, expected, (size_t)used) == 0 &&
                    strstr(errors.text, wrongs[i].hint);
        CU_ASSERT(good);
        if (!good)
            printf("   row %zu: status %d, %s   instead of %s\n", i, status, errors.text, expected);
        if (status == 0)
            tl_config_free(c);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"tls_is_enough_for_srtp", tls_is_enough_for_srtp},
        {"errors_name_their_place", errors_name_their_place},
    };
    return test_main("config_tls", TEST_CASES(cases), argc, argv);
}
