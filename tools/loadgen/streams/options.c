// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/options.h"

#include "tools/loadgen/argtext.h"
#include "tools/loadgen/streams/stamp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    O_MODE = 1,
    O_LOCAL,
    O_REMOTE,
    O_STREAMS,
    O_FIRST,
    O_MAP,
    O_SUITE,
    O_TX_KEY,
    O_RX_KEY,
    O_SEED,
    O_SIDE,
    O_PTIME,
    O_PAYLOAD,
    O_PAYLOAD_TYPE,
    O_CLOCK_RATE,
    O_DURATION,
    O_PACKETS,
    O_WRAP_EVERY,
    O_START_AFTER,
    O_START_HEARD,
    O_LOSE,
    O_SWAP,
    O_DUPLICATE,
    O_CORRUPT,
    O_VERIFY,
    O_EXPECT_LOSS,
    O_EXPECT_RATE,
    O_ONE_CLOCK,
    O_WAIT,
    O_FIRST_WAIT,
    O_DPDK,
    O_PORT,
    O_MAC,
    O_PREFIX,
    O_GATEWAY,
    O_BUSY,
    O_JSON,
    O_PROGRESS,
    O_HELP,
};

#define WITH(name, id)                                                                                       \
    {                                                                                                        \
        name, required_argument, NULL, id                                                                    \
    }
#define ALONE(name, id)                                                                                      \
    {                                                                                                        \
        name, no_argument, NULL, id                                                                          \
    }
static const struct option table[] = {
    WITH("mode", O_MODE),
    WITH("local", O_LOCAL),
    WITH("remote", O_REMOTE),
    WITH("streams", O_STREAMS),
    WITH("first", O_FIRST),
    WITH("map", O_MAP),
    WITH("suite", O_SUITE),
    WITH("tx-key", O_TX_KEY),
    WITH("rx-key", O_RX_KEY),
    WITH("seed", O_SEED),
    WITH("side", O_SIDE),
    WITH("ptime", O_PTIME),
    WITH("payload", O_PAYLOAD),
    WITH("payload-type", O_PAYLOAD_TYPE),
    WITH("clock-rate", O_CLOCK_RATE),
    WITH("duration", O_DURATION),
    WITH("packets", O_PACKETS),
    WITH("wrap-every", O_WRAP_EVERY),
    WITH("start-after", O_START_AFTER),
    ALONE("start-heard", O_START_HEARD),
    WITH("lose", O_LOSE),
    WITH("swap", O_SWAP),
    WITH("duplicate", O_DUPLICATE),
    WITH("corrupt", O_CORRUPT),
    WITH("verify", O_VERIFY),
    WITH("expect-loss", O_EXPECT_LOSS),
    WITH("expect-rate", O_EXPECT_RATE),
    ALONE("one-clock", O_ONE_CLOCK),
    WITH("wait", O_WAIT),
    WITH("first-wait", O_FIRST_WAIT),
    WITH("dpdk", O_DPDK),
    WITH("port", O_PORT),
    WITH("mac", O_MAC),
    WITH("prefix", O_PREFIX),
    WITH("gateway", O_GATEWAY),
    ALONE("busy", O_BUSY),
    WITH("json", O_JSON),
    ALONE("progress", O_PROGRESS),
    ALONE("help", O_HELP),
    {NULL, 0, NULL, 0},
};

bool stream_mode_sends(enum stream_mode mode)
{
    return mode == MODE_SEND || mode == MODE_BOTH || mode == MODE_ECHO;
}

bool stream_mode_receives(enum stream_mode mode)
{
    return mode != MODE_SEND;
}

// A decimal number with up to three places, as thousandths of `unit`s: --ptime in ms gives µs, seconds give
// ms.
static int thousandths(struct complaint *c, const char *name, const char *text, uint32_t min, uint32_t max,
                       uint32_t *value)
{
    char *end;
    const double number = strtod(text, &end);

    if (end == text || *end != 0 || !(number * 1000 >= min - 0.001 && number * 1000 <= max + 0.001))
        return argtext_complain(c, "--%s: expected a number from %g to %g, got '%s'", name, min / 1e3,
                                max / 1e3, text);
    *value = (uint32_t)(number * 1000 + 0.5);
    return 0;
}

// Percent, as parts per million.
static int percent(struct complaint *c, const char *name, const char *text, uint32_t *value)
{
    char *end;
    const double number = strtod(text, &end);

    if (end == text || (*end != 0 && strcmp(end, "%") != 0) || !(number >= 0 && number <= 100))
        return argtext_complain(c, "--%s: expected a percentage from 0 to 100, got '%s'", name, text);
    *value = (uint32_t)(number * 10000 + 0.5);
    return 0;
}

static int ip_of(struct complaint *c, const char *name, const char *text, uint32_t *ip)
{
    struct in_addr parsed;

    if (inet_pton(AF_INET, text, &parsed) != 1 || parsed.s_addr == INADDR_ANY)
        return argtext_complain(c, "--%s: expected an IPv4 address, got '%s'", name, text);
    *ip = ntohl(parsed.s_addr);
    return 0;
}

// Cuts `text` at the last `mark`; what is behind it, or NULL.
static char *behind(char *text, char mark)
{
    char *at = strrchr(text, mark);

    if (at == NULL)
        return NULL;
    *at = 0;
    return at + 1;
}

static int range(struct complaint *c, const char *name, const char *text, struct port_range *r)
{
    char copy[64];
    uint32_t first, last = 0, step = 0;

    if (strlen(text) >= sizeof copy)
        goto bad;
    memcpy(copy, text, strlen(text) + 1);
    const char *plus = behind(copy, '+'), *dash = behind(copy, '-'), *port = behind(copy, ':');
    if (port == NULL || argtext_number_of(port, 1, UINT16_MAX, &first) != 0 ||
        (plus != NULL && argtext_number_of(plus, 1, 1000, &step) != 0) ||
        (dash != NULL && argtext_number_of(dash, first, UINT16_MAX, &last) != 0))
        goto bad;
    if (dash == NULL)
        last = step == 0 ? first : UINT16_MAX;
    *r = (struct port_range){.first = (uint16_t)first, .last = (uint16_t)last, .step = (uint16_t)step};
    return ip_of(c, name, copy, &r->ip);
bad:
    return argtext_complain(c, "--%s: expected IP:PORT[-LAST][+STEP], got '%s'", name, text);
}

static int every(struct complaint *c, const char *text, uint32_t *value)
{
    if (strncmp(text, "1/", 2) != 0 || argtext_number_of(text + 2, 1, 10000, value) != 0)
        return argtext_complain(c, "--verify: expected 1/N with N from 1 to 10000, got '%s'", text);
    return 0;
}

static int mac(struct complaint *c, const char *text, struct stream_options *o)
{
    char rest;

    o->mac_given = true;
    if (strlen(text) == 17 &&
        sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &o->mac[0], &o->mac[1], &o->mac[2], &o->mac[3],
               &o->mac[4], &o->mac[5], &rest) == 6 &&
        (o->mac[0] & 1) == 0)
        return 0;
    return argtext_complain(c, "--mac: expected a unicast address like 02:00:00:00:00:01, got '%s'", text);
}

static int take_stream_option(int id, const char *name, const char *text, struct stream_options *o,
                              struct complaint *c)
{
    static const char *const modes[] = {"send", "receive", "both", "echo", "reflect"};
    int choice = 0, result;

    switch (id) {
    case O_MODE:
        result = argtext_word(c, name, text, modes, 5, &choice);
        o->mode = (enum stream_mode)choice;
        return result;
    case O_LOCAL:
        return range(c, name, text, &o->local);
    case O_REMOTE:
        return range(c, name, text, &o->remote);
    case O_STREAMS:
        return argtext_number(c, name, text, 1, STREAMS_MAX, &o->streams);
    case O_FIRST:
        return argtext_number(c, name, text, 0, FIRST_MAX, &o->first);
    case O_MAP:
        o->map = text;
        return 0;
    case O_SUITE:
        result = argtext_word(c, name, text, suites_names, STREAM_SUITES, &choice);
        o->suite = (enum stream_suite)choice;
        return result;
    case O_TX_KEY:
        o->tx_key = text;
        return 0;
    case O_RX_KEY:
        o->rx_key = text;
        return 0;
    case O_SEED:
        o->seed = text;
        return 0;
    case O_SIDE:
        if (strcmp(text, "a") != 0 && strcmp(text, "b") != 0)
            return argtext_complain(c, "--side: expected a or b, got '%s'", text);
        o->side = *text;
        return 0;
    default:
        return 1;
    }
}

static int take_traffic_option(int id, const char *name, const char *text, struct stream_options *o,
                               struct complaint *c, uint32_t *duration_ms)
{
    uint32_t value = 0;
    int result;

    switch (id) {
    case O_PTIME:
        return thousandths(c, name, text, 10, 1000000, &o->ptime_us);
    case O_PAYLOAD:
        return argtext_number(c, name, text, STAMP_MIN, STAMP_MAX, &o->payload);
    case O_PAYLOAD_TYPE:
        result = argtext_number(c, name, text, 0, 127, &value);
        o->pt = (uint8_t)value;
        return result;
    case O_CLOCK_RATE:
        return argtext_number(c, name, text, 1000, 192000, &o->clock);
    case O_DURATION:
        return thousandths(c, name, text, 1, 86400u * 7 * 1000, duration_ms);
    case O_PACKETS:
        result = argtext_number(c, name, text, 1, 1000000000, &value);
        o->packets = value;
        return result;
    case O_WRAP_EVERY:
        return argtext_number(c, name, text, 0, STREAMS_MAX, &o->wrap_every);
    case O_START_AFTER:
        return thousandths(c, name, text, 0, 3600 * 1000, &o->start_after_ms);
    case O_START_HEARD:
        o->start_heard = true;
        return 0;
    case O_LOSE:
        return percent(c, name, text, &o->lose_ppm);
    case O_SWAP:
        return percent(c, name, text, &o->swap_ppm);
    case O_DUPLICATE:
        return percent(c, name, text, &o->duplicate_ppm);
    case O_CORRUPT:
        return percent(c, name, text, &o->corrupt_ppm);
    default:
        return 1;
    }
}

static int take_run_option(int id, const char *name, const char *text, struct stream_options *o,
                           struct complaint *c)
{
    uint32_t value = 0;
    int result;

    switch (id) {
    case O_VERIFY:
        return every(c, text, &o->verify_every);
    case O_EXPECT_LOSS:
        return percent(c, name, text, &o->expect_loss_ppm);
    case O_EXPECT_RATE:
        return percent(c, name, text, &o->expect_rate_ppm);
    case O_ONE_CLOCK:
        o->one_clock = true;
        return 0;
    case O_WAIT:
        return thousandths(c, name, text, 100, 3600 * 1000, &o->wait_ms);
    case O_FIRST_WAIT:
        return thousandths(c, name, text, 100, 3600 * 1000, &o->first_wait_ms);
    case O_DPDK:
        o->dpdk = text;
        return 0;
    case O_PORT:
        o->port = text;
        return 0;
    case O_MAC:
        return mac(c, text, o);
    case O_PREFIX:
        result = argtext_number(c, name, text, 1, 32, &value);
        o->prefix = (uint8_t)value;
        return result;
    case O_GATEWAY:
        return ip_of(c, name, text, &o->gateway);
    case O_BUSY:
        o->busy = true;
        return 0;
    case O_JSON:
        o->json = text;
        return 0;
    default:
        o->progress = true;
        return 0;
    }
}

// Whether the range holds `streams` ports without running out of addresses.
static bool holds(const struct port_range *r, uint32_t streams)
{
    if (r->step == 0)
        return true;
    const uint32_t per_address = (uint32_t)(r->last - r->first) / r->step + 1;

    return (streams - 1) / per_address <= UINT32_MAX - r->ip;
}

static int check_streams(struct stream_options *o, struct complaint *c)
{
    struct stream_key key;

    if (o->map != NULL && (o->local.ip != 0 || o->remote.ip != 0 || o->tx_key != NULL || o->rx_key != NULL ||
                           o->suite != STREAM_PLAIN))
        return argtext_complain(c,
                                "--map says which streams there are: it doesn't go with --local, --remote, "
                                "--suite and keys");
    if (o->map != NULL)
        return 0;
    if (o->local.ip == 0 || o->remote.ip == 0)
        return argtext_complain(c, "--%s is missing: give IP:PORT[-LAST][+STEP], or --map FILE",
                                o->local.ip == 0 ? "local" : "remote");
    if (o->streams == 0)
        o->streams = 1;
    if (o->streams > 1 && o->local.step == 0 && o->remote.step == 0)
        return argtext_complain(
            c, "--local and --remote name one port each: %u streams need +STEP on one of them", o->streams);
    if (!holds(&o->local, o->first + o->streams) || !holds(&o->remote, o->first + o->streams))
        return argtext_complain(c, "--streams: the addresses end before stream %u",
                                o->first + o->streams - 1);
    if ((o->tx_key != NULL || o->rx_key != NULL) && o->suite == STREAM_PLAIN)
        return argtext_complain(c, "--tx-key and --rx-key need a --suite");
    for (int rx = 0; rx < 2; rx++) {
        const char *text = rx ? o->rx_key : o->tx_key;

        if (text != NULL && suites_read_key(o->suite, text, &key) != 0)
            return argtext_complain(c, "--%s: expected %zu bytes in base64 for %s", rx ? "rx-key" : "tx-key",
                                    suites_key_length(o->suite), suites_names[o->suite]);
    }
    explicit_bzero(&key, sizeof key);
    return 0;
}

static int check_rest(const struct stream_options *o, struct complaint *c)
{
    if (o->start_heard && o->mode != MODE_BOTH)
        return argtext_complain(c, "--start-heard goes with --mode both: in the others nobody else begins");
    if (o->one_clock && o->mode != MODE_BOTH && o->mode != MODE_RECEIVE)
        return argtext_complain(c, "--one-clock goes with --mode both and receive");
    if (o->lose_ppm + o->swap_ppm + o->duplicate_ppm + o->corrupt_ppm > 1000000)
        return argtext_complain(c, "--lose, --swap, --duplicate and --corrupt come to more than 100 %%");
    if (o->lose_ppm + o->swap_ppm + o->duplicate_ppm + o->corrupt_ppm > 0 && !stream_mode_sends(o->mode))
        return argtext_complain(c, "--lose, --swap, --duplicate and --corrupt need a mode that sends");
    if (o->dpdk == NULL && (o->port != NULL || o->mac_given || o->gateway != 0))
        return argtext_complain(c, "--port, --mac and --gateway go with --dpdk");
    if (strlen(o->seed) == 0)
        return argtext_complain(c, "--seed: expected a text, got none");
    return 0;
}

static void defaults(struct stream_options *o)
{
    memset(o, 0, sizeof *o);
    o->mode = (enum stream_mode) - 1;
    o->seed = "trunkline";
    o->ptime_us = 20000;
    o->payload = 160;
    o->clock = 8000;
    o->pt = 8;
    o->wait_ms = 3000;
    o->first_wait_ms = 30000;
    o->verify_every = 1;
    o->expect_rate_ppm = 990000;
    o->prefix = 24;
}

static int finish(struct stream_options *o, uint32_t duration_ms, struct complaint *c)
{
    if (o->mode == (enum stream_mode) - 1)
        return argtext_complain(c, "--mode is missing: give send, receive, both, echo or reflect");
    if (o->packets != 0 && duration_ms != 0)
        return argtext_complain(c, "--packets and --duration say the same: give one");
    if (o->packets == 0)
        o->packets =
            ((uint64_t)(duration_ms == 0 ? 10000 : duration_ms) * 1000 + o->ptime_us - 1) / o->ptime_us;
    if (o->packets > 1000000000)
        return argtext_complain(c, "--duration: %llu packets a stream are more than 1,000,000,000",
                                (unsigned long long)o->packets);
    if (o->side == 0)
        o->side = o->mode == MODE_REFLECT ? 'b' : 'a';
    return check_streams(o, c) != 0 || check_rest(o, c) != 0 ? -EINVAL : 0;
}

enum stream_args stream_options_parse(int argc, char **argv, struct stream_options *o, char *error,
                                      size_t size)
{
    struct complaint c = {error, size};
    uint32_t duration_ms = 0;
    int id, index = 0;

    defaults(o);
    optind = 0; // glibc: start anew, a test parses many times
    opterr = 0;
    while ((id = getopt_long(argc, argv, "+:h", table, &index)) != -1) {
        int result;

        if (id == O_HELP || id == 'h')
            return STREAM_ARGS_HELP;
        if (id == ':' || id == '?') {
            argtext_complain(&c,
                             id == ':' ? "%s needs a value (see --help)" : "unknown option %s (see --help)",
                             argv[optind - 1]);
            return STREAM_ARGS_BAD;
        }
        result = take_stream_option(id, table[index].name, optarg, o, &c);
        if (result > 0)
            result = take_traffic_option(id, table[index].name, optarg, o, &c, &duration_ms);
        if (result > 0)
            result = take_run_option(id, table[index].name, optarg, o, &c);
        if (result != 0)
            return STREAM_ARGS_BAD;
    }
    if (optind < argc) {
        argtext_complain(&c, "'%s' is not an option (see --help)", argv[optind]);
        return STREAM_ARGS_BAD;
    }
    return finish(o, duration_ms, &c) == 0 ? STREAM_ARGS_RUN : STREAM_ARGS_BAD;
}
