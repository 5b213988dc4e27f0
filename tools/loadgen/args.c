// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/args.h"

#include "tools/loadgen/argtext.h"
#include "tools/loadgen/schedule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char args_help[] =
    "trunkline-loadgen: places SIP calls, answers those that come in, and verifies every media packet\n"
    "\n"
    "  trunkline-loadgen --local IP[:PORT] --target IP:PORT [--calls N] [options]\n"
    "  trunkline-loadgen streams …: bare RTP or SRTP streams without SIP (trunkline-loadgen streams --help)\n"
    "\n"
    "Calls\n"
    "  --local IP[:PORT]     address for SIP (UDP and TCP, port 5060; TLS on the port behind it) and media\n"
    "  --target IP:PORT      where calls are sent\n"
    "  --calls N             calls to place (0: only answer)\n"
    "  --cps R               calls placed per second (10)\n"
    "  --seconds S           length of a call from ACK to BYE (10)\n"
    "  --transport NAME      udp, tcp or tls, for the calls placed (udp); incoming ones are taken over all\n"
    "  --certificate FILE    TLS: our chain with its key, PEM; shown as client, and as server, for which it is needed\n"
    "  --ca FILE             TLS: what has to have signed the peer's certificate, as server too; else it is not looked at\n"
    "  --number PREFIX       called number is PREFIX and the call's label in seven digits\n"
    "  --first-call K        label of the first call (1); the two sides' labels must differ\n"
    "  --expect-calls N      end only after N incoming calls have ended\n"
    "  --start-after S       wait S seconds before the first call, for the far side to be there (0)\n"
    "  --hangup WHO          caller, callee or alternate: odd labels the caller, even ones the callee "
    "(alternate)\n"
    "  --hold-every N        every Nth call is held and resumed, by caller and callee in turn\n"
    "Media\n"
    "  --srtp SUITE          off, AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM (off)\n"
    "  --codec pcma|pcmu     (pcma)\n"
    "  --rtp-ports A-B       (20000-39999)\n"
    "  --rtcp-mux            offer and accept RTCP on the RTP port (RFC 5761)\n"
    "  --rtcp-interval S     seconds between sender reports, 0 for none (2)\n"
    "  --echo                the far side returns our own packets (an echo service, sipp -rtp_echo)\n"
    "  --dtmf DIGITS         up to 16 digits, said in each call in both directions (RFC 4733)\n"
    "  --telephone-event PT  payload type that this side asks for (101)\n"
    "  --wrap-every N        every Nth call starts within 200 packets below the sequence number's wrap\n"
    "Run\n"
    "  --duration-limit S    give up after S seconds\n"
    "  --json FILE           write the full report; - for stdout instead of the summary\n"
    "  --progress            one line per second on stderr\n"
    "  --trace               every SIP message on stderr\n"
    "\n"
    "Give --seconds, --dtmf, --hold-every and --hangup alike to both sides. Exit status: 0 when every call "
    "placed and\n"
    "expected completed and every packet was right, 1 when not, 2 for a wrong command line.\n";

enum option_id {
    O_LOCAL = 1,
    O_TARGET,
    O_CALLS,
    O_CPS,
    O_SECONDS,
    O_TRANSPORT,
    O_CERTIFICATE,
    O_CA,
    O_SRTP,
    O_RTP_PORTS,
    O_NUMBER,
    O_FIRST_CALL,
    O_DTMF,
    O_TELEPHONE_EVENT,
    O_HOLD_EVERY,
    O_WRAP_EVERY,
    O_HANGUP,
    O_CODEC,
    O_RTCP_MUX,
    O_RTCP_INTERVAL,
    O_ECHO,
    O_EXPECT_CALLS,
    O_START_AFTER,
    O_DURATION_LIMIT,
    O_JSON,
    O_PROGRESS,
    O_TRACE,
    O_HELP,
};

static const struct option table[] = {
    {"local", required_argument, NULL, O_LOCAL},
    {"target", required_argument, NULL, O_TARGET},
    {"calls", required_argument, NULL, O_CALLS},
    {"cps", required_argument, NULL, O_CPS},
    {"seconds", required_argument, NULL, O_SECONDS},
    {"transport", required_argument, NULL, O_TRANSPORT},
    {"certificate", required_argument, NULL, O_CERTIFICATE},
    {"ca", required_argument, NULL, O_CA},
    {"srtp", required_argument, NULL, O_SRTP},
    {"rtp-ports", required_argument, NULL, O_RTP_PORTS},
    {"number", required_argument, NULL, O_NUMBER},
    {"first-call", required_argument, NULL, O_FIRST_CALL},
    {"dtmf", required_argument, NULL, O_DTMF},
    {"telephone-event", required_argument, NULL, O_TELEPHONE_EVENT},
    {"hold-every", required_argument, NULL, O_HOLD_EVERY},
    {"wrap-every", required_argument, NULL, O_WRAP_EVERY},
    {"hangup", required_argument, NULL, O_HANGUP},
    {"codec", required_argument, NULL, O_CODEC},
    {"rtcp-mux", no_argument, NULL, O_RTCP_MUX},
    {"rtcp-interval", required_argument, NULL, O_RTCP_INTERVAL},
    {"echo", no_argument, NULL, O_ECHO},
    {"expect-calls", required_argument, NULL, O_EXPECT_CALLS},
    {"start-after", required_argument, NULL, O_START_AFTER},
    {"duration-limit", required_argument, NULL, O_DURATION_LIMIT},
    {"json", required_argument, NULL, O_JSON},
    {"progress", no_argument, NULL, O_PROGRESS},
    {"trace", no_argument, NULL, O_TRACE},
    {"help", no_argument, NULL, O_HELP},
    {NULL, 0, NULL, 0},
};

static int address(struct complaint *c, const char *name, const char *text, uint16_t fallback,
                   struct address *a)
{
    const char *colon = strchr(text, ':');
    const size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    struct in_addr parsed;
    uint32_t port = fallback;

    if (length >= sizeof a->ip)
        return argtext_complain(c, "--%s: expected IP:PORT with an IPv4 address, got '%s'", name, text);
    memcpy(a->ip, text, length);
    a->ip[length] = 0;
    if (inet_pton(AF_INET, a->ip, &parsed) != 1 || parsed.s_addr == INADDR_ANY)
        return argtext_complain(c, "--%s: expected IP:PORT with an IPv4 address, got '%s'", name, text);
    if (colon != NULL && argtext_number_of(colon + 1, 1, UINT16_MAX, &port) != 0)
        return argtext_complain(c, "--%s: expected a port from 1 to 65535 in '%s'", name, text);
    if (port == 0)
        return argtext_complain(c, "--%s: expected IP:PORT, got '%s' without a port", name, text);
    a->port = (uint16_t)port;
    return 0;
}

static int ports(struct complaint *c, const char *text, struct options *o)
{
    const char *dash = strchr(text, '-');
    char first[8] = "";
    uint32_t min, max;

    if (dash != NULL && (size_t)(dash - text) < sizeof first)
        memcpy(first, text, (size_t)(dash - text));
    if (dash == NULL || argtext_number_of(first, 1024, 65534, &min) != 0 ||
        argtext_number_of(dash + 1, 1025, 65535, &max) != 0 || ((min + 1) & ~1u) + 1 > max)
        return argtext_complain(c, "--rtp-ports: expected A-B with ports from 1024 to 65535, got '%s'", text);
    o->rtp_min = (uint16_t)((min + 1) & ~1u);
    o->rtp_max = (uint16_t)max;
    return 0;
}

static int rate(struct complaint *c, const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end == text || *end != 0 || !(*value >= 0.01 && *value <= 1000))
        return argtext_complain(c, "--cps: expected calls per second from 0.01 to 1000, got '%s'", text);
    return 0;
}

// A text of characters out of `allowed`, not longer than `max`.
static int letters(struct complaint *c, const char *name, const char *text, const char *allowed, size_t max,
                   char *value)
{
    if (strlen(text) > max || text[strspn(text, allowed)] != 0)
        return argtext_complain(c, "--%s: expected up to %zu of %s, got '%s'", name, max, allowed, text);
    memcpy(value, text, strlen(text) + 1);
    return 0;
}

static int take_call_option(int id, const char *name, const char *text, struct options *o,
                            struct complaint *c)
{
    static const char *const transports[] = {"udp", "tcp", "tls"};
    static const char *const whos[] = {"alternate", "caller", "callee"};
    int choice = 0, result;

    switch (id) {
    case O_LOCAL:
        return address(c, name, text, 5060, &o->local);
    case O_TARGET:
        return address(c, name, text, 0, &o->target);
    case O_CALLS:
        return argtext_number(c, name, text, 0, CALLS_MAX, &o->calls);
    case O_CPS:
        return rate(c, text, &o->cps);
    case O_SECONDS:
        return argtext_number(c, name, text, 1, 86400, &o->seconds);
    case O_TRANSPORT:
        result = argtext_word(c, name, text, transports, 3, &choice);
        o->transport = (enum transport)choice;
        return result;
    case O_CERTIFICATE:
        o->certificate = text;
        return 0;
    case O_CA:
        o->ca = text;
        return 0;
    case O_NUMBER:
        return letters(c, name, text, "+0123456789", PREFIX_MAX, o->prefix);
    case O_FIRST_CALL:
        return argtext_number(c, name, text, 1, LABEL_MAX, &o->first_call);
    case O_EXPECT_CALLS:
        return argtext_number(c, name, text, 0, CALLS_MAX, &o->expect_calls);
    case O_START_AFTER:
        return argtext_number(c, name, text, 0, 3600, &o->start_after);
    case O_HANGUP:
        result = argtext_word(c, name, text, whos, 3, &choice);
        o->hangup = (enum hangup)choice;
        return result;
    case O_HOLD_EVERY:
        return argtext_number(c, name, text, 0, LABEL_MAX, &o->hold_every);
    default:
        return 1;
    }
}

static int take_media_option(int id, const char *name, const char *text, struct options *o,
                             struct complaint *c)
{
    static const char *const suites[] = {"off", "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"};
    static const char *const codecs[] = {"pcma", "pcmu"};
    uint32_t value = 0;
    int choice = 0, result;

    switch (id) {
    case O_SRTP:
        result = argtext_word(c, name, text, suites, 3, &choice);
        o->srtp = (enum media_suite)choice;
        return result;
    case O_CODEC:
        result = argtext_word(c, name, text, codecs, 2, &choice);
        o->codec = (enum codec)choice;
        return result;
    case O_RTP_PORTS:
        return ports(c, text, o);
    case O_RTCP_MUX:
        o->rtcp_mux = true;
        return 0;
    case O_ECHO:
        o->echo = true;
        return 0;
    case O_RTCP_INTERVAL:
        return argtext_number(c, name, text, 0, 3600, &o->rtcp_interval);
    case O_DTMF:
        return letters(c, name, text, "0123456789*#ABCD", DTMF_DIGITS_MAX, o->dtmf);
    case O_TELEPHONE_EVENT:
        result = argtext_number(c, name, text, 96, 127, &value);
        o->telephone_event = (uint8_t)value;
        return result;
    case O_WRAP_EVERY:
        return argtext_number(c, name, text, 0, LABEL_MAX, &o->wrap_every);
    default:
        return 1;
    }
}

static int take_run_option(int id, const char *name, const char *text, struct options *o, struct complaint *c)
{
    switch (id) {
    case O_DURATION_LIMIT:
        return argtext_number(c, name, text, 1, 86400 * 7, &o->duration_limit);
    case O_JSON:
        o->json = text;
        return 0;
    case O_PROGRESS:
        o->progress = true;
        return 0;
    default:
        o->trace = true;
        return 0;
    }
}

// What only the whole command line can show.
static int check(const struct options *o, struct complaint *c)
{
    const uint32_t digits = (uint32_t)strlen(o->dtmf);
    const bool holds = o->hold_every != 0;

    if (o->echo && holds)
        return argtext_complain(c,
                                "--echo and --hold-every don't go together: an echo can't agree to a hold");
    if (o->local.ip[0] == 0)
        return argtext_complain(c, "--local is missing: give the address to send and answer from");
    if (o->local.port == UINT16_MAX && options_have_tls(o))
        return argtext_complain(c, "--local: TLS needs the port behind %u", o->local.port);
    if (o->calls > 0 && o->target.ip[0] == 0)
        return argtext_complain(c,
                                "--target is missing: give the address to call, or --calls 0 to answer only");
    if (o->calls > 0 && o->first_call + o->calls - 1 > LABEL_MAX)
        return argtext_complain(c, "--first-call: labels would pass %u, the last that fits %u digits",
                                LABEL_MAX, LABEL_DIGITS);
    if (o->seconds < schedule_shortest(digits, holds))
        return argtext_complain(c, "--seconds: %u is too short for %u digits%s, expected at least %u",
                                o->seconds, digits, holds ? " and a hold" : "",
                                schedule_shortest(digits, holds));
    return 0;
}

enum args_result args_parse(int argc, char **argv, struct options *o, char *error, size_t size)
{
    struct complaint c = {error, size};
    int id, index = 0;

    memset(o, 0, sizeof *o);
    o->cps = 10;
    o->seconds = 10;
    o->rtp_min = 20000;
    o->rtp_max = 39999;
    o->first_call = 1;
    o->telephone_event = 101;
    o->rtcp_interval = 2;

    optind = 0; // glibc: start anew, a test parses many times
    opterr = 0;
    while ((id = getopt_long(argc, argv, "+:h", table, &index)) != -1) {
        int result;

        if (id == O_HELP || id == 'h')
            return ARGS_HELP;
        if (id == ':') {
            argtext_complain(&c, "%s needs a value (see --help)", argv[optind - 1]);
            return ARGS_BAD;
        }
        if (id == '?') {
            argtext_complain(&c, "unknown option %s (see --help)", argv[optind - 1]);
            return ARGS_BAD;
        }
        result = take_call_option(id, table[index].name, optarg, o, &c);
        if (result > 0)
            result = take_media_option(id, table[index].name, optarg, o, &c);
        if (result > 0)
            result = take_run_option(id, table[index].name, optarg, o, &c);
        if (result != 0)
            return ARGS_BAD;
    }
    if (optind < argc) {
        argtext_complain(&c, "'%s' is not an option (see --help)", argv[optind]);
        return ARGS_BAD;
    }
    return check(o, &c) == 0 ? ARGS_RUN : ARGS_BAD;
}
