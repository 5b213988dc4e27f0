// SPDX-License-Identifier: BSD-3-Clause
// Addresses of listeners and peers in a configuration: both families, what each error says and where, what follows from others.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/config/config.h"
#include "config_mark.h"
#include "config_text.h"
#include "runner.h"

// One error each; @ marks its place.
static const struct {
    const char *text, *error, *hint;
} wrongs[] = {
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"0.0.0.9:5060\"}]}",
     "listeners[0].address: not an address that a host can have: ", ""},
    {"{" BASE
     ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"[::]:5060\",\"advertised\":\"2001:db8::1\"},\n"
     "{\"name\":\"m\",\"transport\":\"udp\",\"address\":@\"[2001:db8::2]:5060\"}]}",
     "listeners[1].address: listeners[0] has this transport and address already; ", ""},
    {"{" BASE
     ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"[::]:5060\",\"advertised\":@\"10.0.0.1\"}]}",
     "listeners[0].advertised: is of the other IP family than address; ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[2001:db8::9]:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: is IPv6 and listener \"l\" is IPv4; ", "of one family"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"2001:db8::9:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: an IPv6 address with a port stands in brackets: ", "[2001:db8::10]:5060"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[fe80::1%eth0]:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: has a scope id, which SIP cannot carry: ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[fe80::1]:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: a link-local address, which means nothing without an interface: ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[ff02::1]:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: not an address that a host can have: ", ""},
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[2001:db8::9]\",\"realm\":\"r\"}]}",
     "trunks[0].peer: not an address and port: ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[2001:db8::9]:0\",\"realm\":\"r\"}]}",
     "trunks[0].peer: not a port: ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[2001:db8::9]x\",\"realm\":\"r\"}]}",
     "trunks[0].peer: not an address and port: ", ""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"[::ffff:10.0.0.1]:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: is our own listener \"l\"; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"2001:db8::5/64\"}]}",
     "realms[0].address: media is IPv4 only: ", ""},
    {"{" BASE
     ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\",\"advertised\":@\"10.0.0.1:\"}]}",
     "listeners[0].advertised: not a port: ", "like 192.0.2.10, 192.0.2.10:5060 or"},
    {"{" BASE
     ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\",\"advertised\":@\"sbc\"}]}",
     "listeners[0].advertised: not an address: ", ""},
    {"{" BASE
     ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\",\"advertised\":\"198.51.100.1\"},\n"
     "{\"name\":\"m\",\"transport\":\"udp\",\"address\":\"10.0.0.3:5060\",\"advertised\":@\"198.51.100.1:5060\"}]}",
     "listeners[1].advertised: is where listeners[0] is known with this transport; ", "another"},
    {"{" SIP
     ",\"trunks\":[@{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"domain_in_via\":true}]}",
     "trunks[0]: domain_in_via is true and there is no name to put there; ", "expected domain"},
};

static void errors_name_their_place(void)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct tl_config_errors errors;
        struct tl_config *c = NULL;
        char place[64], begin[256], *text = unmark(wrongs[i].text, place, sizeof place);
        snprintf(begin, sizeof begin, "%s%s", place, wrongs[i].error);
        int rc = tl_config_parse("f", text, strlen(text), &c, &errors);
        bool good = rc == -EINVAL && errors.count == 1 && strncmp(errors.text, begin, strlen(begin)) == 0 &&
                    strstr(errors.text + strlen(begin), wrongs[i].hint);
        if (!good)
            printf("   text %zu: %s   instead of %s...%s\n", i, errors.text, begin, wrongs[i].hint);
        CU_ASSERT(good);
        free(text);
    }
}

static void what_peers_know_a_listener_by(void)
{
    static const struct {
        const char *listener, *shown;
    } rows[] = {
        {"\"address\":\"10.0.0.1:5060\"", "10.0.0.1:5060"},
        {"\"address\":\"10.0.0.1:5080\",\"advertised\":\"198.51.100.1\"", "198.51.100.1:5080"},
        {"\"address\":\"10.0.0.1:5080\",\"advertised\":\"198.51.100.1:5060\"", "198.51.100.1:5060"},
        {"\"address\":\"[::]:5080\",\"advertised\":\"2001:db8::1\"", "[2001:db8::1]:5080"},
        {"\"address\":\"[::]:5080\",\"advertised\":\"[2001:DB8::1]:5060\"", "[2001:db8::1]:5060"},
        {"\"address\":\"[::ffff:10.0.0.1]:5060\"", "10.0.0.1:5060"},
        {"\"address\":\"[::1]:5060\"", "[::1]:5060"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_config_errors errors;
        struct tl_config *c = NULL;
        char text[600];
        snprintf(text, sizeof text, "{%s,\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",%s}]}", BASE,
                 rows[i].listener);
        CU_ASSERT_FATAL(tl_config_parse("f", text, strlen(text), &c, &errors) == 0);
        CU_ASSERT_STRING_EQUAL(TL_ADDR_STR(tl_listener_shown(&c->listeners[0])), rows[i].shown);
        tl_config_free(c);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"errors_name_their_place", errors_name_their_place},
        {"what_peers_know_a_listener_by", what_peers_know_a_listener_by},
    };
    return test_main("config_address", TEST_CASES(cases), argc, argv);
}
