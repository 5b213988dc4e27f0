// SPDX-License-Identifier: BSD-3-Clause
// Configuration: what the examples say, every kind of error with its place, and input that is no
// configuration.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"
#include "config_mark.h"
#include "config_text.h"
#include "runner.h"

// A file read whole, NUL-terminated; the caller frees it.
static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    if (!f)
        return NULL;
    ssize_t n = getdelim(&text, &room, '\0', f);
    fclose(f);
    *len = n > 0 ? (size_t)n : 0;
    return text;
}

static const char *const examples[] = {
    TEST_SOURCE_ROOT "/docs/examples/bare-metal.json",
    TEST_SOURCE_ROOT "/docs/examples/demo.json",
    TEST_SOURCE_ROOT "/docs/examples/provider-registration.json",
    TEST_SOURCE_ROOT "/docs/examples/provider-by-address.json",
    TEST_SOURCE_ROOT "/docs/examples/ip-pbx-tcp.json",
    TEST_SOURCE_ROOT "/docs/examples/teams-direct-routing.json",
    TEST_SOURCE_ROOT "/docs/examples/skype-for-business.json",
};

// ---- what is right

static void examples_parse(void)
{
    struct tl_config_errors errors;

    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct tl_config *c = NULL;
        CU_ASSERT_EQUAL(tl_config_load(examples[i], &c, &errors), 0);
        CU_ASSERT_STRING_EQUAL(errors.text, "");
        CU_ASSERT_EQUAL(errors.count, 0);
        tl_config_free(c);
    }
}

static void provider_means_what_it_says(void)
{
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(tl_config_load(examples[2], &c, &errors) == 0);
    const struct tl_trunk_config *t = &c->trunks[0], *pbx = &c->trunks[1];
    CU_ASSERT(t->credentials_count == 1 && t->registration_count == 1 && t->register_required);
    CU_ASSERT_STRING_EQUAL(t->credentials[0].realm, "provider.example");
    CU_ASSERT_STRING_EQUAL(t->credentials[0].user, "u4930123");
    CU_ASSERT_STRING_EQUAL(t->credentials[0].password_file, "/etc/trunkline/provider.password");
    CU_ASSERT_STRING_EQUAL(t->registrations[0].user, "4930123");
    CU_ASSERT_STRING_EQUAL(t->registrations[0].domain, "provider.example");
    CU_ASSERT_STRING_EQUAL(t->registrations[0].contact_user, "");
    CU_ASSERT(t->registrations[0].expires_s == 600 && !t->registrations[0].path);
    CU_ASSERT(t->register_retry_s == 30 && t->register_retry_max_s == 1800);
    CU_ASSERT(!pbx->credentials_count && !pbx->registration_count);
    tl_config_free(c);
}

static void demo_means_what_it_says(void)
{
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(tl_config_load(examples[1], &c, &errors) == 0);
    CU_ASSERT_STRING_EQUAL(c->dataplane.ports[0].device,
                           "net_af_packet0,iface=rvgp,qdisc_bypass=1,framecnt=4096,blocksz=65536");
    CU_ASSERT(c->dataplane.poll == TL_POLL_ADAPTIVE && !c->dataplane.huge_pages);
    CU_ASSERT(c->dataplane.worker_count == 1 && c->dataplane.worker_cores[0] == 1);
    CU_ASSERT(c->dataplane.port_count == 2 && c->dataplane.ports[1].rx_descriptors == 4096);
    CU_ASSERT_STRING_EQUAL(c->dataplane.file_prefix, "trunkline");
    CU_ASSERT(c->control.srtp_without_tls == TL_SRTP_ALLOW);
    CU_ASSERT(c->control.t1_ms == 500 && c->control.timer_b_ms == 32000 && c->control.timer_h_ms == 32000);
    CU_ASSERT(c->realm_count == 2 && c->realms[1].port == 1 && c->realms[1].prefix_len == 24);
    CU_ASSERT(memcmp(c->realms[1].address.ip, "\x0a\x63\x02\x02", 4) == 0 && c->realms[1].address.port == 0);
    CU_ASSERT(c->realms[0].gateway.family == TL_AF_UNSET);
    CU_ASSERT(c->realms[0].rtp_first == 16384 && c->realms[0].rtp_last == 32767);
    CU_ASSERT(c->listener_count == 4 && c->listeners[3].transport == TL_TCP);
    CU_ASSERT(c->listeners[3].address.port == 5060 && c->listeners[3].address.family == TL_AF_INET);
    CU_ASSERT(c->trunk_count == 4 && c->trunks[2].srtp == TL_SRTP_REQUIRED && c->trunks[2].dtmf_pt == 96);
    CU_ASSERT(c->trunks[0].srtp == TL_SRTP_OFF && c->trunks[0].dtmf_pt == 101 && c->trunks[0].listener == 0);
    CU_ASSERT(c->trunks[0].silence_ms == 5000 && c->trunks[0].options_interval_s == 30 &&
              c->trunks[0].codec_count == 2 && c->trunks[0].codecs[0] == TL_PCMA);
    CU_ASSERT(c->trunks[0].mki == TL_MKI_MIRROR && c->trunks[0].max_packets_per_s == 0 &&
              c->trunks[0].burst_ms == 1000);
    CU_ASSERT(c->trunks[2].suite_count == 4 && c->trunks[2].suites[0] == TL_SUITE_AEAD_AES_128_GCM);
    CU_ASSERT(c->route_count == 4 && !c->routes[0].any_from && c->routes[0].from == 0);
    CU_ASSERT(c->routes[3].trunk_count == 1 && c->routes[3].trunks[0] == 1 && c->routes[3].prefix[0] == '\0');
    tl_config_free(c);
}

static void profile_is_overridden_by_trunk(void)
{
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(tl_config_load(examples[0], &c, &errors) == 0);
    CU_ASSERT(c->trunks[0].options_interval_s == 60 && c->trunks[0].no_response_ms == 5000);
    CU_ASSERT(c->trunks[1].options_interval_s == 60 && c->trunks[1].no_response_ms == 4000);
    CU_ASSERT(c->trunks[2].rtcp_mux && c->trunks[2].suite_count == 1);
    CU_ASSERT(c->trunks[2].suites[0] == TL_SUITE_AES_CM_128_HMAC_SHA1_80);
    CU_ASSERT(c->routes[0].any_from && c->routes[0].trunks[1] == 3);
    CU_ASSERT(c->realms[0].gateway.ip[0] == 192 && c->realms[0].gateway.ip[3] == 1);
    tl_config_free(c);
}

// ---- what is wrong

#define LOGIN(rest)                                                                                          \
    SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\"," rest   \
        "}]"
#define CALLS SIP ",\"trunks\":[" TRUNK "]"

struct wrong {
    const char *text;  // @ marks the place where the error is found
    const char *error; // begins with it, behind file, line and column ...
    const char *hint;  // ... and goes on with something that contains it
};

// Each of them has one error and no more.
static const struct wrong wrongs[] = {
    // places, and types
    {"{" SIP ",\n  \"trunks\": [\n    " TRUNK
     ",\n    {\"name\": \"u\", \"listener\": \"l\", \"realm\": \"r\",\n"
     "     \"peer\": @\"10.0.0.300:5060\"}]}",
     "trunks[1].peer: not an address: \"10.0.0.300:5060\"; ",
     "expected IP address and port like 192.0.2.10:5060 or [2001:db8::10]:5060\n"},
    {"{\"dataplane\":{" PORTS ",\"burst\":@\"32\"}," REALMS "}", "dataplane.burst: is a string; ",
     "expected 4 to 64 packets\n"},
    {"{\"dataplane\":{" PORTS ",\"burst\":@65}," REALMS "}", "dataplane.burst: 65 is out of range; ",
     "4 to 64"},
    {"{\"dataplane\":{" PORTS ",\"burst\":@3}," REALMS "}", "dataplane.burst: 3 is out of range; ", ""},
    {"{\"dataplane\":{" PORTS ",\"burst\":@-1}," REALMS "}", "dataplane.burst: -1 is out of range; ", ""},
    {"{\"dataplane\":{" PORTS ",\"burst\":@8.0}," REALMS "}", "dataplane.burst: is a fraction; ", ""},
    {"{\"dataplane\":{" PORTS ",\"max_sessions\":@4294967297}," REALMS "}",
     "dataplane.max_sessions: 4294967297 is out of range; ", ""},
    {"{\"dataplane\":{" PORTS ",\"huge_pages\":@1}," REALMS "}", "dataplane.huge_pages: is a number; ",
     "true or false"},
    {"{\"dataplane\":{" PORTS ",\"poll\":@\"buzy\"}," REALMS "}", "dataplane.poll: \"buzy\" is none ",
     "\"busy\" or \"adaptive\""},
    {"{\"dataplane\":{" PORTS ",\"socket\":@\"run/x\"}," REALMS "}", "dataplane.socket: not an absolute path",
     "at most 107 bytes"},
    {"{\"dataplane\":{" PORTS ",\"file_prefix\":@\"a/b\"}," REALMS "}",
     "dataplane.file_prefix: not a name: ", "letters"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"side\":@\"inner\"}]}",
     "trunks[0].side: \"inner\" is none of its values; ", "\"peer\", \"core\" or \"realm\""},
    {"{" BASE ",\"control\":{\"emergency_numbers\":[\"112\",@\"one\"]}}",
     "control.emergency_numbers[1]: not a number prefix: \"one\"; ", "digits"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"failover\":[503,@603]}]}",
     "trunks[0].failover[1]: 603 is out of range; ", "from 400 to 599 and \"no-response\""},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"failover\":[@\"timeout\"]}]}",
     "trunks[0].failover[0]: \"timeout\" is none of its values; ", "\"transport\""},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"called\":@\"^(\",\"trunks\":[\"t\"]}]}",
     "routes[0].called: is no pattern: missing closing parenthesis at its character 3; ",
     "regular expression"},
    {"{" CALLS ",\"routes\":[@{\"prefix\":\"1\",\"deny\":403,\"trunks\":[\"t\"]}]}",
     "routes[0]: leads to more than one place; ", "one of trunks, group and deny"},
    {"{" CALLS ",\"routes\":[@{\"prefix\":\"1\"}]}", "routes[0].trunks: missing; ",
     "one of trunks, group and deny"},
    {"{" CALLS ",\"routes\":[@{\"trunks\":[\"t\"]}]}", "routes[0].prefix: missing; ", "called"},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"trunks\":[\"t\"],\"deny_text\":@\"x\"}]}",
     "routes[0].deny_text: without deny it says nothing; ", ""},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"deny\":@200}]}", "routes[0].deny: 200 is out of range; ",
     "400 to 699"},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"group\":@\"g\"}]}",
     "routes[0].group: no route group is called \"g\"; ", "which has none"},
    {"{" CALLS ",\"route_groups\":[{\"name\":\"g\",\"trunks\":[\"t\"],\"weights\":@[1]}]}",
     "route_groups[0].weights: without order \"weighted\" they say nothing; ", ""},
    {"{" CALLS
     ",\"route_groups\":[{\"name\":\"g\",\"trunks\":[\"t\"],\"order\":\"weighted\",\"weights\":@[1,1]}]}",
     "route_groups[0].weights: 2 weights for 1 trunks; ", "one for each"},
    {"{" BASE ",\"translations\":[{\"name\":\"x\",\"rules\":[{\"match\":\"^(0)\",\"to\":@\"$2\"}]}]}",
     "translations[0].rules[0].to: names a group that match has not", "$1 to $9"},
    {"{" BASE ",\"translations\":[{\"name\":\"x\",\"rules\":[{\"match\":\"^0\",\"to\":@\"a@b\"}]}]}",
     "translations[0].rules[0].to: is nothing to write instead; ", ""},
    {"{" BASE ",\"translations\":[{\"name\":\"x\",\"rules\":[@{\"match\":\"^0\"}]}]}",
     "translations[0].rules[0].to: missing; ", ""},
    {"{" BASE ",\"translations\":[{\"name\":\"x\",\"rules\":[{\"match\":\"^0\",\"to\":\"1\",@\"two\":1}]}]}",
     "translations[0].rules[0].two: unknown key \"two\"; ", "match, to"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"codes_in\":[@{\"to\":503}]}]}",
     "trunks[0].codes_in[0]: fits every refusal; ", "status, cause or both"},
    {"{" SIP
     ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"codes_in\":[{\"status\":@302,\"to\":503}]}]}",
     "trunks[0].codes_in[0].status: 302 is out of range; ", ""},
    {"{\"dataplane\":@null," REALMS "}", "dataplane: not an object; ", ""},
    {"{\"dataplane\":{\"ports\":@{}}," REALMS "}", "dataplane.ports: is not a list; ", "1 to 16 objects"},
    {"{\"dataplane\":{\"ports\":@[]}," REALMS "}", "dataplane.ports: is a list of 0; ", "1 to 16 objects"},
    {"{" BASE ",\"listeners\":[@5]}", "listeners[0]: not an object; ", ""},
    {"@[]", "not an object; ", ""},
    // keys
    {"{" BASE ",@\"trunk\":[]}", "trunk: unknown key \"trunk\"; ", "did you mean \"trunks\"?\n"},
    {"{" BASE ",@\"\":[]}", "unknown key \"\"; ", "expected one of dataplane, control, realms"},
    {"{" BASE ",@\"a\\nb\\u0007\":[]}", "a?b?: unknown key \"a?b?\"; ", ""},
    {"{" BASE ",\n\"control\":{\"t1_ms\":400,\n \"max_calls\":5,\n @\"t1_ms\":500}}",
     "control.t1_ms: key given twice, first in line 2; ", "once"},
    {"{" BASE ",\n\"control\":{\"t1_ms\":400,\n @\"t1\\u005fms\":500}}",
     "control.t1_ms: key given twice, first in line 2; ", ""},
    {"{" BASE ",\"_comment\":1,\n@\"_comment\":2}", "_comment: key given twice, first in line 1; ", ""},
    {"{" BASE ",\"control\":{@\"_Comment\":1}}", "control._Comment: unknown key \"_Comment\"; ",
     "did you mean \"_comment\""},
    {"@{" REALMS "}", "dataplane: missing; ", "expected object"},
    {"@{" DATAPLANE "}", "realms: missing; ", "1 to 64 objects"},
    {"{" SIP ",\"trunks\":[\n@{\"name\":\"t\",\"listener\":\"l\",\"realm\":\"r\"}]}",
     "trunks[0].peer: missing; ", "IP address and port"},
    {"{" BASE ",\"listeners\":[{\"name\":@\"l\u00e4\",\"transport\":\"udp\",\"address\":\"10.0.0.1:1\"}]}",
     "listeners[0].name: not a name: \"l\u00e4\"; ", ""},
    // names
    {"{" SIP ",\"trunks\":[" TRUNK
     ",{\"name\":@\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.8:5060\",\"realm\":\"r\"}]}",
     "trunks[1].name: \"t\" is the name of trunks[0] already; ", ""},
    {"{" DATAPLANE ",\"realms\":[{\"name\":\"r\",\"port\":@\"q\",\"address\":\"10.0.0.2/24\"}]}",
     "realms[0].port: no port is called \"q\"; ", "expected one of p\n"},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"trunks\":[\"t\",@\"zzzz\"]}]}",
     "routes[0].trunks[1]: no trunk is called \"zzzz\"; ", "expected one of t\n"},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"trunks\":[\"t\",@\"t\"]}]}",
     "routes[0].trunks[1]: is in the list already; ", ""},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"trunks\":@[]}]}", "routes[0].trunks: is a list of 0; ", ""},
    {"{" CALLS ",\"routes\":[{\"prefix\":\"1\",\"from\":@\"l\",\"trunks\":[\"t\"]}]}",
     "routes[0].from: no trunk is called \"l\"; ", ""},
    {"{" CALLS ",\"routes\":[{\"prefix\":@\"+1 2\",\"trunks\":[\"t\"]}]}",
     "routes[0].prefix: not a number prefix: \"+1 2\"; ", "31 digits"},
    {"{" CALLS
     ",\"routes\":[{\"prefix\":\"1\",\"trunks\":[\"t\"]},\n{\"prefix\":@\"1\",\"trunks\":[\"t\"]}]}",
     "routes[1].prefix: routes[0] fits the same calls already; ", ""},
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"profile\":@\"x\"}]}",
     "trunks[0].profile: no profile is called \"x\"; ", "expected one from profiles, which has none"},
    // addresses
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"10.0.0.1\"}]}",
     "listeners[0].address: not an address and port: ", ""},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"10.0.0.1:0\"}]}",
     "listeners[0].address: not a port: ", ""},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"10.0.0.1:65536\"}]}",
     "listeners[0].address: not a port: ", ""},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"10.0.0.1:05060\"}]}",
     "listeners[0].address: not a port: ", ""},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"0.0.0.0:5060\"}]}",
     "listeners[0].address: is every address of this machine; ", "expected advertised"},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":@\"10.0.0.2:5060\"}]}",
     "listeners[0].address: is the media address of realms[0], ", "another address"},
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"10.0.0.1:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: is our own listener \"l\"; ", ""},
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":@\"10.0.0.2:5060\",\"realm\":\"r\"}]}",
     "trunks[0].peer: is our own media address in realm \"r\"; ", ""},
    {"{" SIP ",\"trunks\":[" TRUNK
     ",\n{\"name\":\"u\",\"listener\":\"l\",\"peer\":@\"10.0.0.9:5060\",\"realm\":\"r\"}]}",
     "trunks[1].peer: trunks[0] has this listener and peer already; ", ""},
    {"{" LOGIN("\"credentials\":[{\"realm\":@\"a\\\"b\",\"user\":\"u\",\"password_file\":\"/p\"}]") "}",
     "trunks[0].credentials[0].realm: has a quote or a backslash; ", ""},
    {"{" LOGIN("\"credentials\":[{\"realm\":\"a\",\"user\":@\"u\\\\\",\"password_file\":\"/p\"}]") "}",
     "trunks[0].credentials[0].user: has a quote or a backslash; ", ""},
    {"{" LOGIN("\"credentials\":[{\"realm\":\"a\",\"user\":\"u\",\"password_file\":\"/p\"},"
               "{\"realm\":\"a\",\"user\":@\"u\",\"password_file\":\"/q\"}]") "}",
     "trunks[0].credentials[1].user: \"u\" has credentials for the realm \"a\" already; ", ""},
    {"{" LOGIN("\"credentials\":[@{\"realm\":\"a\",\"user\":\"u\"}]") "}",
     "trunks[0].credentials[0].password_file: missing; ", ""},
    {"{" LOGIN("\"register\":[{\"user\":@\"a b\"}]") "}",
     "trunks[0].register[0].user: \" \" cannot stand in the user part of a SIP URI; ", ""},
    {"{" LOGIN("\"register\":[{\"user\":\"1\",\"contact_user\":@\"a@b\"}]") "}",
     "trunks[0].register[0].contact_user: \"@\" cannot stand in the user part of a SIP URI; ", ""},
    {"{" LOGIN("\"register\":[{\"user\":\"1\",\"login\":@\"bob\"}]") "}",
     "trunks[0].register[0].login: no credentials of the trunk have the user \"bob\"; ", ""},
    {"{" LOGIN("\"register\":[{\"user\":\"1\"},{\"user\":@\"1\"}]") "}",
     "trunks[0].register[1].user: is registered with this contact already; ", ""},
    {"{" LOGIN("\"register\":[{\"user\":\"1\"}],\"register_retry_max_s\":@20") "}",
     "trunks[0].register_retry_max_s: 20 is less than register_retry_s, 30; ", ""},
    {"{" LOGIN("\"credentials\":[{\"realm\":\"a\",\"user\":\"u\",\"password_file\":@\"p\"}]") "}",
     "trunks[0].credentials[0].password_file: not an absolute path: ", ""},
    {"{" BASE ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\"},\n"
     "{\"name\":\"m\",\"transport\":\"udp\",\"address\":@\"10.0.0.1:5060\"}]}",
     "listeners[1].address: listeners[0] has this transport and address already; ", ""},
    {"{" DATAPLANE ",\"realms\":[" REALM ",\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"10.0.0.2/8\"}]}",
     "realms[1].address: is the address of realms[0] already; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"10.0.0.0/24\"}]}",
     "realms[0].address: is the network address of its subnet; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"10.0.0.255/24\"}]}",
     "realms[0].address: is the broadcast address of its subnet; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"10.0.0.5/7\"}]}",
     "realms[0].address: prefix length is out of range: ", "8 to 32"},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":@\"10.0.0.5/33\"}]}",
     "realms[0].address: not a prefix length: ", ""},
    {"{" DATAPLANE
     ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/24\",\"gateway\":@\"10.0.1.1\"}]}",
     "realms[0].gateway: is not in the realm's subnet; ", ""},
    {"{" DATAPLANE
     ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/24\",\"gateway\":@\"10.0.0.5\"}]}",
     "realms[0].gateway: is the realm's own address; ", ""},
    // media ports
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/"
     "24\",\"rtp_ports\":@[16385,32767]}]}",
     "realms[0].rtp_ports: the first port is odd; ", "even"},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/"
     "24\",\"rtp_ports\":@[16384,32766]}]}",
     "realms[0].rtp_ports: the last port is even; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/"
     "24\",\"rtp_ports\":@[16384,16383]}]}",
     "realms[0].rtp_ports: the last port is below the first; ", ""},
    {"{" DATAPLANE ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/"
     "24\",\"rtp_ports\":[@1022,16383]}]}",
     "realms[0].rtp_ports[0]: 1022 is out of range; ", "1024 to 65535"},
    {"{" DATAPLANE
     ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/24\",\"rtp_ports\":@[1024]}]}",
     "realms[0].rtp_ports: is a list of 1; ", ""},
    {"{" DATAPLANE
     ",\"realms\":[\n{\"name\":\"s\",\"port\":\"p\",\"address\":\"10.0.0.5/24\",\"rtp_ports\":@7}]}",
     "realms[0].rtp_ports: is a number; ", ""},
    // the machine
    {"{\"dataplane\":{" PORTS ",\"poll\":\"adaptive\",\"worker_cores\":[0,1,@1]}," REALMS "}",
     "dataplane.worker_cores[2]: is in the list already; ", ""}, // and 0 is fine
    {"{\"dataplane\":{" PORTS ",\"worker_cores\":[1,2,@0]}," REALMS "}",
     "dataplane.worker_cores[2]: core 0 is the main core, too; ", ""},
    {"{\"dataplane\":{" PORTS ",\"main_core\":@1}," REALMS "}",
     "dataplane.main_core: core 1 is the main core, too; ", ""},
    {"{\"dataplane\":{" PORTS ",\"worker_cores\":[1,@1]}," REALMS "}",
     "dataplane.worker_cores[1]: is in the list already; ", ""},
    {"{\"dataplane\":{" PORTS ",\"worker_cores\":[@128]}," REALMS "}",
     "dataplane.worker_cores[0]: 128 is out of range; ", ""},
    {"{\"dataplane\":{" PORTS ",\"mbufs\":@5000}," REALMS "}",
     "dataplane.mbufs: 5000 buffers do not fill the rings; ", "at least 5120"},
    {"{\"dataplane\":{" PORTS ",\"huge_pages\":false,\"memory_mb\":@128}," REALMS "}",
     "dataplane.memory_mb: 128 MiB do not hold 65535 mbufs and 10000 sessions; ", "at least 219"},
    {"{\"dataplane\":{\"huge_pages\":false,\"ports\":[{\"name\":\"p\",\"device\":@\"0000:03:00.0\"}]}," REALMS
     "}",
     "dataplane.ports[0].device: a PCI device needs huge pages; ", ""},
    {"{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":@\"0000:03:00.\"}]}," REALMS "}",
     "dataplane.ports[0].device: not a device: ", "0000:03:00.0"},
    {"{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":@\"net_null0 x\"}]}," REALMS "}",
     "dataplane.ports[0].device: not a device: ", "vdev"},
    {"{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0,a=1\"},\n"
     "{\"name\":\"q\",\"device\":@\"net_null0\"}]}," REALMS "}",
     "dataplane.ports[1].device: net_null0 is the device of ports[0] already; ", ""},
    {"{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\",\"rx_descriptors\":@1000}]}," REALMS
     "}",
     "dataplane.ports[0].rx_descriptors: 1000 is not a power of two; ",
     "64 to 32768 packets, a power of two\n"},
    // control
    {"{" BASE ",\"control\":{\"t2_ms\":@400}}", "control.t2_ms: T2 of 400 ms is below T1 of 500 ms; ", ""},
    {"{" BASE ",\"control\":{\"t1_ms\":@5000}}", "control.t1_ms: T2 of 4000 ms is below T1 of 5000 ms; ", ""},
    {"{" BASE ",\"control\":{\"timer_b_ms\":@100}}", "control.timer_b_ms: 100 ms are below T1 of 500 ms; ",
     ""},
    {"{" BASE ",\"control\":{\"user_agent\":@\"a\\r\\nX: y\"}}",
     "control.user_agent: not a plain text: \"a??X: y\"; ", "63 printable"},
    {"{" BASE ",\"control\":{\"socket\":@\"/run/trunkline/dataplane.sock\"}}",
     "control.socket: control.socket and dataplane.socket are one; ", ""},
    // session timers
    {"{" SIP ",\"trunks\":[@{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"min_se_s\":1801}]}",
     "trunks[0]: session_expires_s of 1800 s is below min_se_s of 1801 s; ", "at least as much\n"},
    // shares of max_calls
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"reserved_calls\":@10001}]}",
     "trunks[0].reserved_calls: the trunks up to this one keep 10001 calls; ",
     "at most control.max_calls, 10000, in all"},
    // SRTP
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"srtp\":@\"required\"}]}",
     "trunks[0].srtp: SRTP needs SIP over TLS to hide its keys; ", "control.srtp_without_tls \"allow\""},
    {"{" SIP
     ",\"profiles\":[{\"name\":\"x\",\"srtp\":\"optional\"}],\"trunks\":[{\"name\":\"t\",\"listener\":\"l\","
     "\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"profile\":@\"x\"}]}",
     "trunks[0].profile: SRTP needs SIP over TLS to hide its keys; ", ""},
    // switches that contradict themselves
    {"{" SIP ",\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
     "\"sdp_pass\":@[\"ptime\",\"none\"]}]}",
     "trunks[0].sdp_pass: sdp_pass has \"none\" beside other lines; ", "\"none\" alone"},
    {"{" SIP ",\"profiles\":[{\"name\":\"x\",\"sdp_pass\":[\"none\",\"ptime\"]}],\"trunks\":[{\"name\":\"t\","
     "\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\",\"profile\":@\"x\"}]}",
     "trunks[0].profile: sdp_pass has \"none\" beside other lines; ", "\"none\" alone"},
    {"{" SIP ",\"profiles\":[{\"name\":\"x\",\"suites\":[@\"F8_128_HMAC_SHA1_80\"]}]}",
     "profiles[0].suites[0]: \"F8_128_HMAC_SHA1_80\" is no suite we have; ", "\"AEAD_AES_128_GCM\""},
    {"{" SIP ",\"profiles\":[{\"name\":\"x\",\"suites\":[\"AEAD_AES_128_GCM\",@\"aead_aes_128_gcm\"]}]}",
     "profiles[0].suites[1]: is in the list already; ", ""},
    {"{" SIP ",\"profiles\":[{\"name\":\"x\",@\"peer\":\"10.0.0.9:5060\"}]}",
     "profiles[0].peer: unknown key \"peer\"; ", ""},
    // not JSON
    {"@", "not JSON: '[' or '{' expected near end of file\n", ""},
    {"{\n \"dataplane\" @{}}", "not JSON: ':' expected near '{'\n", ""},
    {"{} @x", "not JSON: end of file expected near 'x'\n", ""},
    {"{\"a\":@\"\xff\"}", "not JSON: unable to decode byte 0xff near ", ""},
    {"{\"a\":\"\\u0000@\"}", "not JSON: \\u0000 is not allowed ", ""},
    {"{\"a\":9999999999999999999@9}", "not JSON: too big integer near ", ""},
};

static void errors_name_their_place(void)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        const struct wrong *w = &wrongs[i];
        struct tl_config_errors errors;
        struct tl_config *c = (void *)&errors;
        char begin[256];
        char *text = unmark(w->text, begin, sizeof begin);
        strcat(begin, w->error);
        int rc = tl_config_parse("f", text, strlen(text), &c, &errors);
        bool good = rc == -EINVAL && errors.count == 1 && strncmp(errors.text, begin, strlen(begin)) == 0 &&
                    strstr(errors.text + strlen(begin), w->hint) && c == (void *)&errors;
        if (!good)
            printf("   text %zu: status %d, %u errors, %s   instead of %s...%s\n", i, rc, errors.count,
                   errors.text, begin, w->hint);
        CU_ASSERT(good);
        if (rc == 0)
            tl_config_free(c);
        free(text);
    }
}

static void all_errors_in_the_order_of_the_file(void)
{
    static const char text[] =
        "{\"routes\":[{\"prefix\":5,\"trunks\":[\"t\"]}],\n"
        " \"trunks\":[{\"name\":\"t\",\"listener\":\"x\",\"peer\":\"1.2.3.4\",\"realm\":\"r\"}],\n"
        " \"realms\":[" REALM "],\n"
        " \"colour\":1,\n"
        " \"dataplane\":{\"burst\":1," PORTS "}}";
    static const char *const begin[] = {
        "f:1:22: routes[0].prefix: ", "f:2:35: trunks[0].listener: ", "f:2:46: trunks[0].peer: ",
        "f:4:2: colour: ", "f:5:23: dataplane.burst: "};
    struct tl_config_errors errors;
    struct tl_config *c;

    CU_ASSERT_EQUAL(tl_config_parse("f", text, sizeof text - 1, &c, &errors), -EINVAL);
    CU_ASSERT_EQUAL(errors.count, 5);
    char *line = strtok(errors.text, "\n");
    for (size_t i = 0; i < 5; i++, line = strtok(NULL, "\n")) {
        CU_ASSERT_FATAL(line != NULL);
        if (strncmp(line, begin[i], strlen(begin[i])) != 0)
            printf("   %s instead of %s\n", line, begin[i]);
        CU_ASSERT(strncmp(line, begin[i], strlen(begin[i])) == 0);
    }
    CU_ASSERT(line == NULL);
}

// A broken name is one error, not one more for each that refers to it.
static void no_error_follows_from_another(void)
{
    static const char text[] =
        "{" DATAPLANE ",\"realms\":[{\"name\":7,\"port\":\"p\",\"address\":\"10.0.0.2/24\"}]," LISTENERS
        ",\"trunks\":[" TRUNK "]}";
    struct tl_config_errors errors;
    struct tl_config *c;

    CU_ASSERT_EQUAL(tl_config_parse("f", text, sizeof text - 1, &c, &errors), -EINVAL);
    CU_ASSERT_EQUAL(errors.count, 1);
    CU_ASSERT(strstr(errors.text, "realms[0].name: is a number") != NULL);
}

static void many_errors_are_counted_and_cut(void)
{
    size_t room = 1 << 20, used = 0;
    char *text = malloc(room);
    struct tl_config_errors errors;
    struct tl_config *c;

    used += (size_t)snprintf(text, room, "{" BASE);
    for (int i = 0; i < 5000; i++)
        used += (size_t)snprintf(text + used, room - used, ",\n\"unknown%d\":[{\"x\":%d}]", i, i);
    used += (size_t)snprintf(text + used, room - used, "}");
    CU_ASSERT_EQUAL(tl_config_parse("f", text, used, &c, &errors), -EINVAL);
    CU_ASSERT_EQUAL(errors.count, 5000);
    size_t len = strlen(errors.text);
    CU_ASSERT(len > sizeof errors.text / 2 && len < sizeof errors.text && errors.text[len - 1] == '\n');
    free(text);
}

static void too_many_items(void)
{
    size_t room = 1 << 20, used = 0;
    char *text = malloc(room);
    struct tl_config_errors errors;
    struct tl_config *c;

    used += (size_t)snprintf(text, room, "{" DATAPLANE ",\"realms\":[");
    for (int i = 0; i <= TL_REALMS_MAX; i++)
        used += (size_t)snprintf(text + used, room - used,
                                 "%s{\"name\":\"r%d\",\"port\":\"p\",\"address\":\"10.0.0.%d/24\"}",
                                 i ? "," : "", i, i + 1);
    used += (size_t)snprintf(text + used, room - used, "]}");
    CU_ASSERT_EQUAL(tl_config_parse("f", text, used, &c, &errors), -EINVAL);
    CU_ASSERT_EQUAL(errors.count, 1);
    CU_ASSERT(strstr(errors.text, "realms: is a list of 65; expected list of 1 to 64 objects") != NULL);
    free(text);
}

// By the names of SDP, in the order of the list.
static void every_suite_may_be_offered(void)
{
    char text[2048];
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    int used = snprintf(text, sizeof text,
                        "{" SIP ",\"control\":{\"srtp_without_tls\":\"allow\"},\"trunks\":[{\"name\":\"t\","
                        "\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\","
                        "\"srtp\":\"required\",\"suites\":[");
    for (int suite = TL_SUITE_COUNT - 1; suite > TL_SUITE_NONE; suite--)
        used += snprintf(text + used, sizeof text - used, "%s\"%s\"", suite < TL_SUITE_COUNT - 1 ? "," : "",
                         tl_suite_info(suite)->name);
    strcpy(text + used, "]}]}");
    CU_ASSERT_EQUAL_FATAL(tl_config_parse("f", text, strlen(text), &c, &errors), 0);
    CU_ASSERT_EQUAL(c->trunks[0].suite_count, TL_SUITE_COUNT - 1);
    for (unsigned i = 0; i < TL_SUITE_COUNT - 1; i++)
        CU_ASSERT_EQUAL(c->trunks[0].suites[i], TL_SUITE_COUNT - 1 - i);
    tl_config_free(c);
}

static void adaptive_workers_may_share_the_main_core(void)
{
    static const char text[] =
        "{\"dataplane\":{\"worker_cores\":[0,1],\"poll\":\"adaptive\"," PORTS "}," REALMS "}";
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(tl_config_parse("f", text, sizeof text - 1, &c, &errors) == 0);
    CU_ASSERT(c->dataplane.worker_count == 2 && c->dataplane.main_core == 0);
    tl_config_free(c);
}

// As large as it may be, every list full.
static void full_size(void)
{
    static const char *const kinds[] = {"realms", "listeners", "profiles", "trunks", "routes"};
    static const int counts[] = {TL_REALMS_MAX, TL_LISTENERS_MAX, 64, TL_TRUNKS_MAX, TL_ROUTES_MAX};
    struct tl_config_errors errors;
    struct tl_config *c = NULL;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    fputs("{" DATAPLANE, f);
    for (int k = 0; k < 5; k++) {
        fprintf(f, ",\n\"%s\":[", kinds[k]);
        for (int i = 0; i < counts[k]; i++) {
            fputs(i ? ",\n{" : "{", f);
            if (k == 0)
                fprintf(f, "\"name\":\"r%d\",\"port\":\"p\",\"address\":\"10.0.%d.1/24\",\"side\":\"%s\"}", i,
                        i, i % 2 ? "core" : "peer");
            else if (k == 1)
                fprintf(f, "\"name\":\"l%d\",\"transport\":\"udp\",\"address\":\"10.1.%d.1:5060\"}", i, i);
            else if (k == 2)
                fprintf(f, "\"name\":\"p%d\",\"dtmf_pt\":%d}", i, 96 + i % 32);
            else if (k == 3)
                fprintf(
                    f,
                    "\"name\":\"t%d\",\"listener\":\"l%d\",\"peer\":\"10.2.%d.%d:5060\",\"realm\":\"r%d\","
                    "\"profile\":\"p%d\"}",
                    i, i % 64, i / 250, i % 250 + 1, i % 64, i % 64);
            else
                fprintf(f, "\"prefix\":\"%d\",\"trunks\":[\"t%d\",\"t%d\"]}", i, i, (i + 1) % 1024);
        }
        fputs("]", f);
    }
    fputs("}", f);
    fclose(f);
    int rc = tl_config_parse("f", text, size, &c, &errors);
    CU_ASSERT_STRING_EQUAL(errors.text, "");
    CU_ASSERT_FATAL(rc == 0);
    CU_ASSERT(c->trunk_count == TL_TRUNKS_MAX && c->route_count == TL_ROUTES_MAX);
    CU_ASSERT(c->trunks[1023].listener == 63 && c->trunks[1023].dtmf_pt == 127 &&
              c->routes[1023].trunks[1] == 0);
    tl_config_free(c);
    free(text);
}

// ---- what is no configuration at all

// A configuration has megabytes, whose shadow AddressSanitizer writes at each start and end: there every eleventh byte.
#if defined(__SANITIZE_ADDRESS__)
enum { BYTE_STEP = 11 };
#else
enum { BYTE_STEP = 1 };
#endif

static void every_truncation_is_an_error(void)
{
    for (size_t e = 0; e < 2; e++) {
        size_t len;
        char *text = slurp(examples[e], &len);
        CU_ASSERT_FATAL(text != NULL);
        while (len && text[len - 1] == '\n')
            len--;
        for (size_t n = 0; n < len; n += BYTE_STEP) {
            struct tl_config_errors errors;
            struct tl_config *c = NULL;
            char *exact = malloc(n ? n : 1); // so that a read past the end is seen
            memcpy(exact, text, n);
            int rc = tl_config_parse("f", exact, n, &c, &errors);
            if (rc != -EINVAL || errors.count != 1 || strncmp(errors.text, "f:", 2) != 0) {
                printf("   %zu bytes of %s: status %d, %u errors: %s\n", n, examples[e], rc, errors.count,
                       errors.text);
                CU_FAIL("truncated configuration was not refused");
            }
            free(exact);
        }
        free(text);
    }
}

// Each byte of the examples in turn becomes another: whatever comes out, it is either a configuration or
// errors.
static void every_changed_byte_is_survived(void)
{
    static const char bytes[] = {'\0', '"', '\\', '{', '}',  '[',    ']',   ',',
                                 ':',  '9', '-',  'x', '\n', '\xc3', '\xff'};
    unsigned accepted = 0, refused = 0;

    for (size_t e = 0; e < 2; e++) {
        size_t len;
        char *text = slurp(examples[e], &len);
        CU_ASSERT_FATAL(text != NULL);
        for (size_t i = 0; i < len; i += BYTE_STEP) {
            struct tl_config_errors errors;
            struct tl_config *c = NULL;
            char was = text[i];
            text[i] = bytes[(i * 7 + e) % sizeof bytes];
            int rc = tl_config_parse("f", text, len, &c, &errors);
            CU_ASSERT((rc == 0 && errors.count == 0) ||
                      (rc == -EINVAL && errors.count > 0 && errors.text[0]));
            if (rc == 0) {
                accepted++;
                tl_config_free(c);
            } else {
                refused++;
            }
            text[i] = was;
        }
        free(text);
    }
    CU_ASSERT(accepted > 0 && refused > accepted);
}

static void refuse_repeated(const char *head, const char *part, size_t times, const char *tail,
                            const char *hint)
{
    size_t h = strlen(head), n = strlen(part), t = strlen(tail), len = h + n * times + t;
    char *text = malloc(len + 1);
    struct tl_config_errors errors;
    struct tl_config *c;

    memcpy(text, head, h);
    for (size_t i = 0; i < times; i++)
        memcpy(text + h + i * n, part, n);
    memcpy(text + h + n * times, tail, t + 1);
    CU_ASSERT_EQUAL(tl_config_parse("f", text, len, &c, &errors), -EINVAL);
    if (!strstr(errors.text, hint))
        printf("   %s   does not say %s\n", errors.text, hint);
    CU_ASSERT(strstr(errors.text, hint) != NULL);
    free(text);
}

static void deep_and_huge_input(void)
{
    refuse_repeated("", "[", 3000, "", "maximum parsing depth");
    refuse_repeated("", "{\"a\":", 500000, "", "maximum parsing depth");
    refuse_repeated("{" BASE ",\"x\":", "[", 2000, "", "not JSON: ");
    refuse_repeated("{" BASE ",\"listeners\":[", "[", 1000, "", "not JSON: ");
    refuse_repeated("{" BASE ",\"control\":{\"user_agent\":\"", "x", 1000000, "\"}}",
                    "1000000 bytes are too long");
    refuse_repeated("{" BASE ",\"", "x", 1000000, "\":1}", "unknown key");
    refuse_repeated("{" BASE ",\"realms\":[", "1,", 100000, "1]}", "is a list of 100001");
    refuse_repeated("", " ", 5000000, "", "longer than 4 MiB");
    refuse_repeated("", "\0", 1, "", "not JSON");
}

static void unreadable_files(void)
{
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_EQUAL(tl_config_load("/nonexistent/f.json", &c, &errors), -ENOENT);
    CU_ASSERT_STRING_EQUAL(errors.text, "/nonexistent/f.json: cannot be read: No such file or directory\n");
    CU_ASSERT_EQUAL(errors.count, 1);
    CU_ASSERT_EQUAL(tl_config_load("/", &c, &errors), -EISDIR);
    CU_ASSERT_EQUAL(tl_config_load("/dev/zero", &c, &errors), -EINVAL);
    CU_ASSERT(strstr(errors.text, "longer than 4 MiB") != NULL);
    CU_ASSERT_EQUAL(tl_config_load("/dev/null", &c, &errors), -EINVAL);
    CU_ASSERT(c == NULL);
}

// ---- documents

static void document_has_the_reference(void)
{
    size_t len, size;
    char *reference = NULL, *text = slurp(TEST_SOURCE_ROOT "/docs/config.md", &len);
    FILE *f = open_memstream(&reference, &size);

    CU_ASSERT_FATAL(text != NULL && f != NULL);
    tl_config_print_reference(f);
    fclose(f);
    char *at = strstr(text, "## Reference\n\n");
    CU_ASSERT_FATAL(at != NULL);
    at += strlen("## Reference\n\n");
    CU_ASSERT(size > 5000);
    if (strcmp(at, reference) != 0)
        printf("   docs/config.md is not what the table says: run tools/update-config-doc.sh\n");
    CU_ASSERT(strcmp(at, reference) == 0);
    free(reference);
    free(text);
}

static void document_shows_what_parses(void)
{
    size_t len;
    char *text = slurp(TEST_SOURCE_ROOT "/docs/config.md", &len);
    struct tl_config_errors errors;
    struct tl_config *c = NULL;

    CU_ASSERT_FATAL(text != NULL);
    char *begin = strstr(text, "```json\n"), *end = begin ? strstr(begin, "\n```\n") : NULL;
    CU_ASSERT_FATAL(begin != NULL && end != NULL);
    begin += strlen("```json\n");
    CU_ASSERT_EQUAL(tl_config_parse("docs/config.md", begin, (size_t)(end - begin), &c, &errors), 0);
    CU_ASSERT_STRING_EQUAL(errors.text, "");
    tl_config_free(c);
    free(text);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"examples_parse", examples_parse},
        {"demo_means_what_it_says", demo_means_what_it_says},
        {"provider_means_what_it_says", provider_means_what_it_says},
        {"every_suite_may_be_offered", every_suite_may_be_offered},
        {"profile_is_overridden_by_trunk", profile_is_overridden_by_trunk},
        {"errors_name_their_place", errors_name_their_place},
        {"all_errors_in_the_order_of_the_file", all_errors_in_the_order_of_the_file},
        {"no_error_follows_from_another", no_error_follows_from_another},
        {"many_errors_are_counted_and_cut", many_errors_are_counted_and_cut},
        {"too_many_items", too_many_items},
        {"adaptive_workers_may_share_the_main_core", adaptive_workers_may_share_the_main_core},
        {"full_size", full_size},
        {"every_truncation_is_an_error", every_truncation_is_an_error},
        {"every_changed_byte_is_survived", every_changed_byte_is_survived},
        {"deep_and_huge_input", deep_and_huge_input},
        {"unreadable_files", unreadable_files},
        {"document_has_the_reference", document_has_the_reference},
        {"document_shows_what_parses", document_shows_what_parses},
    };
    return test_main("config", TEST_CASES(cases), argc, argv);
}
