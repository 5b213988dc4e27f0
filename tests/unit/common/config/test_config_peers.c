// SPDX-License-Identifier: BSD-3-Clause
// Peers of trunks: what is filled in, what is refused and where, whose an address is when two trunks claim it.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/config/config.h"
#include "config_mark.h"
#include "runner.h"

// Listeners: 0 UDP and 1 TCP at one address and port, 2 TLS there at another port, 3 TCP at another address.
#define TLS_FILES "\"tls\":{\"certificate\":\"/c.pem\",\"key\":\"/k.pem\"}"
#define HEAD                                                                                                 \
    "{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]},"                                \
    "\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}],"                              \
    "\"listeners\":[{\"name\":\"u\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\"},"                   \
    "{\"name\":\"t\",\"transport\":\"tcp\",\"address\":\"10.0.0.1:5060\"},"                                  \
    "{\"name\":\"s\",\"transport\":\"tls\",\"address\":\"10.0.0.1:5061\"," TLS_FILES "},"                    \
    "{\"name\":\"far\",\"transport\":\"tcp\",\"address\":\"10.0.1.1:5060\"}],\n\"trunks\":["
#define TRUNK(name, listener, rest)                                                                          \
    "{\"name\":\"" name "\",\"listener\":\"" listener "\",\"realm\":\"r\"," rest "}"
#define PEERS(list) "\"peers\":[" list "]"
#define AT(address) "{\"address\":\"" address "\"}"

static int parse(const char *text, struct tl_config **out, struct tl_config_errors *errors)
{
    return tl_config_parse("f", text, strlen(text), out, errors);
}

static void peers_are_completed(void)
{
    static const char text[] = HEAD TRUNK("one", "u", "\"peer\":\"10.0.0.9:5070\"") "," TRUNK(
        "many", "u",
        PEERS(AT("10.1.0.1") ","
                             "{\"address\":\"10.1.0.2\",\"transport\":\"tcp\",\"port\":5080},"
                             "{\"address\":\"10.1.0.3\",\"transport\":\"tls\",\"send\":false}," AT(
                                 "10.2.0.0/16")) ",\"tls\":{\"names\":[\"a.example\"]}") "]}";
    static const struct {
        unsigned trunk;
        const char *at;
        uint8_t prefix_len;
        uint32_t listener;
        bool send;
    } rows[] = {
        {0, "10.0.0.9:5070", 32, 0, true}, {1, "10.1.0.1:5060", 32, 0, true},
        {1, "10.1.0.2:5080", 32, 1, true}, {1, "10.1.0.3:5061", 32, 2, false},
        {1, "10.2.0.0:0", 16, 0, false},
    };
    struct tl_config *c = NULL;
    struct tl_config_errors errors;
    struct tl_peer_config peer;
    unsigned n = 0;

    CU_ASSERT_FATAL(parse(text, &c, &errors) == 0);
    for (unsigned t = 0; t < 2; t++)
        for (uint32_t i = 0; tl_trunk_peer(&c->trunks[t], i, &peer); i++, n++) {
            CU_ASSERT_FATAL(n < sizeof rows / sizeof rows[0]);
            CU_ASSERT(rows[n].trunk == t && peer.prefix_len == rows[n].prefix_len &&
                      peer.listener == rows[n].listener && peer.send == rows[n].send);
            CU_ASSERT_STRING_EQUAL(TL_ADDR_STR(&peer.address), rows[n].at);
        }
    CU_ASSERT(n == sizeof rows / sizeof rows[0]);
    tl_config_free(c);
}

// One error each; @ marks its place.
static void what_cannot_be_is_refused(void)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {HEAD "@" TRUNK("a", "u", "\"side\":\"peer\"") "]}", "trunks[0].peer: missing; expected peer, "},
        {HEAD TRUNK("a", "u", "\"peer\":\"10.0.0.9:5060\",\"peers\":@[" AT("10.0.0.9") "]") "]}",
         "trunks[0].peers: has peer and peers; "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"sip..example.com\"}")) "]}",
         "trunks[0].peers[0].address: not an address: \"sip..example.com\"; expected host name like "},
        {HEAD TRUNK("a", "u", PEERS(AT("sip.example.com") ",{\"address\":@\"SIP.example.com\"}")) "]}",
         "trunks[0].peers[1].address: is in the list already; "},
        {HEAD "],\"control\":{\"dns\":{\"servers\":[\"10.0.0.53\",@\"10.0.0.53:53\"]}}}",
         "control.dns.servers[1]: is in the list already; "},
        {HEAD "],\"control\":{\"dns\":{\"servers\":[@\"ns.example.com\"]}}}",
         "control.dns.servers[0]: not an address: \"ns.example.com\"; "},
        {HEAD TRUNK("a", "u", "\"uri_scheme\":\"sips\",\"peer\":@\"10.0.0.9:5060\"") "]}",
         "trunks[0].peer: uri_scheme is \"sips\" and requests to it leave by listener \"u\", which is udp; expected "},
        {HEAD TRUNK("a", "s",
                    "\"uri_scheme\":\"sips\",\"tls\":{\"names\":[\"a.example\"]},"
                    "\"peers\":[{\"address\":\"10.1.0.1\"},{\"address\":\"10.1.0.2\",\"transport\":\"tcp\","
                    "\"send\":false},{\"address\":@\"a.example\",\"transport\":\"tcp\"}]") "]}",
         "trunks[0].peers[2].address: uri_scheme is \"sips\" and requests to it leave by listener \"t\", which is tcp; "},
        {HEAD TRUNK("a", "s",
                    "\"tls\":{\"verify\":\"off\"},\"uri_scheme\":@\"tls\",\"peer\":\"10.0.0.9:5061\"") "]}",
         "trunks[0].uri_scheme: "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.1.0.0/33\"}")) "]}",
         "trunks[0].peers[0].address: not a prefix length: "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.1.0.0/32\"}")) "]}",
         "trunks[0].peers[0].address: prefix length is out of range: "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.0.0.0/7\"}")) "]}",
         "trunks[0].peers[0].address: prefix length is out of range: "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"2001:db8::/128\"}")) "]}",
         "trunks[0].peers[0].address: prefix length is out of range: "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"2001:db8::1%eth0\"}")) "]}",
         "trunks[0].peers[0].address: has a scope id, "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"2001:db8::/32\"}")) "]}",
         "trunks[0].peers[0].address: is IPv6 and listener \"u\" is IPv4; "},
        {HEAD TRUNK("a", "u",
                    PEERS(AT("10.1.0.1") ",{\"address\":@\"2001:db8::1\",\"transport\":\"tcp\"}")) "]}",
         "trunks[0].peers[1].address: is IPv6 and listener \"t\" is IPv4; "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.1.2.3/24\"}")) "]}",
         "trunks[0].peers[0].address: is no network of that prefix length; expected 10.1.2.0/24\n"},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":\"10.1.2.0/24\",\"port\":@5060}")) "]}",
         "trunks[0].peers[0].port: a network has no port"},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":\"10.1.2.0/24\",\"send\":@true}")) "]}",
         "trunks[0].peers[0].send: nothing can be sent to a network; "},
        {HEAD TRUNK("a", "far", PEERS("{\"address\":\"10.1.0.1\",\"transport\":@\"udp\"}")) "]}",
         "trunks[0].peers[0].transport: no listener with transport \"udp\" has the address of listener \"far\"; "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.0.0.1\"}")) "]}",
         "trunks[0].peers[0].address: is our own listener \"u\"; "},
        {HEAD TRUNK("a", "u", PEERS("{\"address\":@\"10.0.0.2\"}")) "]}",
         "trunks[0].peers[0].address: is our own media address in realm \"r\"; "},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.1") ",{\"address\":@\"10.1.0.1\",\"port\":5060}")) "]}",
         "trunks[0].peers[1].address: is in the list already; "},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.1") "," AT("10.1.0.2"))) ",\n" TRUNK(
             "b", "u", PEERS(AT("10.1.0.3") ",{\"address\":@\"10.1.0.2\"}")) "]}",
         "trunks[1].peers[1].address: trunks[0] has this listener and peer already; "},
        {HEAD TRUNK("a", "u", "\"peer\":\"10.1.0.1:5060\"") ",\n" TRUNK(
             "b", "t", PEERS("{\"address\":@\"10.1.0.1\",\"transport\":\"udp\"}")) "]}",
         "trunks[1].peers[0].address: trunks[0] has this listener and peer already; "},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.0/16"))) ",\n" TRUNK(
             "b", "u", PEERS("{\"address\":@\"10.1.0.0/16\"}")) "]}",
         "trunks[1].peers[0].address: trunks[0] has this listener and network already; "},
        // over TLS certificates may tell them apart, unless they share a name
        {HEAD TRUNK("a", "s", PEERS(AT("10.1.0.0/16")) ",\"tls\":{\"names\":[\"a.example\"]}") ",\n" TRUNK(
             "b", "s", PEERS("{\"address\":@\"10.1.0.0/16\"}") ",\"tls\":{\"names\":[\"a.example\"]}") "]}",
         "trunks[1].peers[0].address: trunks[0] has this listener and network already; "},
        {HEAD TRUNK("a", "u",
                    PEERS(AT("10.1.0.0/16"))) "],\"routes\":[{\"prefix\":\"\",\"trunks\":[@\"a\"]}]}",
         "routes[0].trunks[0]: no peer of the trunk has send; "},
        // keys for SRTP would cross the network in the clear
        {HEAD TRUNK(
             "a", "s",
             PEERS(AT(
                 "10.1.0.1") ",{\"address\":\"10.1.0.2\",\"transport\":\"udp\"}") ",\"tls\":{\"names\":[\"a.example\"]},\"srtp\":@\"required\"") "]}",
         "trunks[0].srtp: SRTP needs SIP over TLS "},
        {HEAD TRUNK("a", "far", "\"peer\":\"10.1.0.1:5060\",\"tls\":@{\"names\":[\"a.example\"]}") "]}",
         "trunks[0].tls: tls.names is set and listener \"far\" is tcp; "},
    };
    struct tl_config_errors errors;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char place[64], expected[512], *text = unmark(rows[i].text, place, sizeof place);
        struct tl_config *c = NULL;
        snprintf(expected, sizeof expected, "%s%s", place, rows[i].error);
        int rc = parse(text, &c, &errors);
        if (rc != -EINVAL || errors.count != 1 || strncmp(errors.text, expected, strlen(expected)) != 0)
            printf("   row %zu: %s   instead of %s\n", i, errors.text, expected);
        CU_ASSERT(rc == -EINVAL && errors.count == 1);
        CU_ASSERT(strncmp(errors.text, expected, strlen(expected)) == 0);
        free(text);
    }
}

// A smaller network inside of another trunk's is right, and worth a look.
static void what_is_inside_is_a_warning(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.0/16"))) ",\n" TRUNK("b", "u", PEERS(AT("10.1.2.3"))) "]}",
         "f:3:60: trunks[1].peers[0].address: warning: is inside of 10.1.0.0/16, a network of trunks[0]; "},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.2.0/24"))) ",\n" TRUNK("b", "u", PEERS(AT("10.1.0.0/16"))) "]}",
         "f:2:70: trunks[0].peers[0].address: warning: is inside of 10.1.0.0/16, a network of trunks[1]; "},
        // of one trunk, of two listeners, or beside each other they are no matter
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.0/16") "," AT("10.1.2.0/24"))) "]}", ""},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.0/16"))) ",\n" TRUNK("b", "far", PEERS(AT("10.1.2.3"))) "]}",
         ""},
        {HEAD TRUNK("a", "u", PEERS(AT("10.1.0.0/16"))) ",\n" TRUNK("b", "u", PEERS(AT("10.2.0.0/16"))) "]}",
         ""},
        {HEAD TRUNK("a", "s", PEERS(AT("10.1.0.0/16")) ",\"tls\":{\"names\":[\"a.example\"]}") ",\n" TRUNK(
             "b", "s", PEERS(AT("10.1.0.0/16")) ",\"tls\":{\"names\":[\"b.example\"]}") "]}",
         ""},
    };
    struct tl_config_errors errors;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_config *c = NULL;
        CU_ASSERT_FATAL(parse(rows[i].text, &c, &errors) == 0);
        if (strncmp(errors.text, rows[i].says, strlen(rows[i].says)) != 0)
            printf("   row %zu: %s\n", i, errors.text);
        CU_ASSERT(strncmp(errors.text, rows[i].says, strlen(rows[i].says)) == 0);
        CU_ASSERT(errors.warnings == (rows[i].says[0] != '\0'));
        tl_config_free(c);
    }
}

// Which listeners a peer may come by: N not, O its own, C changed to.
static void listeners_of_a_trunk(void)
{
    static const struct {
        const char *trunk, *over;
        uint32_t tls; // listener, TL_NO_INDEX: none
        bool secure;
    } rows[] = {
        {TRUNK("a", "u", PEERS(AT("10.1.0.1"))), "OCNN", TL_NO_INDEX, false},
        {TRUNK("a", "t", PEERS(AT("10.1.0.1"))), "CONN", TL_NO_INDEX, false},
        {TRUNK("a", "u", "\"peer\":\"10.1.0.1:5060\",\"other_transports\":false"), "ONNN", TL_NO_INDEX,
         false},
        {TRUNK("a", "u", "\"peer\":\"10.1.0.1:5060\",\"tls\":{\"names\":[\"a.example\"]}"), "OCCN", 2, false},
        {TRUNK("a", "u", "\"peer\":\"10.1.0.1:5060\",\"tls\":{\"verify\":\"off\"}"), "OCCN", 2, false},
        {TRUNK("a", "far", PEERS(AT("10.1.0.1"))), "NNNO", TL_NO_INDEX, false},
        // what began in secret does not go on in the open
        {TRUNK("a", "s", "\"peer\":\"10.1.0.1:5061\",\"tls\":{\"names\":[\"a.example\"]}"), "NNON", 2, true},
        {TRUNK(
             "a", "s",
             PEERS(
                 "{\"address\":\"10.1.0.1\",\"transport\":\"tcp\"}") ",\"tls\":{\"names\":[\"a.example\"]}"),
         "COCN", 2, false},
    };
    struct tl_config_errors errors;
    char text[2048];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_config *c = NULL;
        char over[5] = "";
        snprintf(text, sizeof text, "%s%s]}", HEAD, rows[i].trunk);
        int rc = parse(text, &c, &errors);
        if (rc < 0)
            printf("   row %zu: %s\n", i, errors.text);
        CU_ASSERT_FATAL(rc == 0);
        for (uint32_t l = 0; l < 4; l++)
            over[l] = "NOC"[tl_trunk_over(c, &c->trunks[0], l)];
        bool same = strcmp(over, rows[i].over) == 0;
        if (!same)
            printf("   row %zu: over %s\n", i, over);
        CU_ASSERT(same);
        CU_ASSERT(tl_trunk_tls_listener(c, &c->trunks[0]) == rows[i].tls);
        CU_ASSERT(tl_trunk_is_secure(c, &c->trunks[0]) == rows[i].secure);
        tl_config_free(c);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"peers_are_completed", peers_are_completed},
        {"what_cannot_be_is_refused", what_cannot_be_is_refused},
        {"what_is_inside_is_a_warning", what_is_inside_is_a_warning},
        {"listeners_of_a_trunk", listeners_of_a_trunk},
    };
    return test_main("config_peers", TEST_CASES(cases), argc, argv);
}
