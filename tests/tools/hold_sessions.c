// SPDX-License-Identifier: BSD-3-Clause
// Holds sessions on a running dataplane for a load generator that drives them: a control of its own adds
// them, with random keys, and writes a map for each side (`trunkline-loadgen streams --map`).
//   hold_sessions --socket PATH --sessions N --peer IP:PORT[,SUITE],MAP --core IP:PORT[,SUITE],MAP
// Session i has its parties at PORT + 2 i. Prints `holding` when they are there, waits for SIGTERM, deletes
// them and prints their final counters, summed, as JSON.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/fakes/fake_control.h"

enum { SESSIONS_MAX = 10000 };

struct party {
    char ip[INET_ADDRSTRLEN];
    uint16_t port;
    enum tl_suite suite;
    FILE *map;
    struct tl_leg_counters sum;
};

static struct party party[2];
static struct tl_handle handles[SESSIONS_MAX];

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fprintf(stderr, "hold_sessions: ");
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}

static void read_party(struct party *p, char *text)
{
    char *address = strtok(text, ","), *second = strtok(NULL, ","), *third = strtok(NULL, ",");
    char *colon = address ? strchr(address, ':') : NULL;
    const char *path = third ? third : second;

    if (!colon || !path || colon - address >= (ptrdiff_t)sizeof p->ip)
        die("a party is IP:PORT[,SUITE],MAP");
    *colon = 0;
    strcpy(p->ip, address);
    p->port = (uint16_t)atoi(colon + 1);
    p->suite = third ? tl_suite_by_name(second, (unsigned)strlen(second)) : TL_SUITE_NONE;
    if (third && p->suite == TL_SUITE_NONE)
        die("no suite is called %s", second);
    p->map = fopen(path, "w");
    if (!p->map)
        die("%s: %s", path, strerror(errno));
}

static struct tl_crypto random_key(enum tl_suite suite)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    struct tl_crypto c = {.suite = (uint8_t)suite, .generation = 1};

    if (!info)
        return (struct tl_crypto){0};
    if (getrandom(c.key, info->key_len, 0) != info->key_len ||
        getrandom(c.salt, info->salt_len, 0) != info->salt_len)
        die("no random numbers");
    return c;
}

static void print_key(FILE *out, const struct tl_crypto *c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const struct tl_suite_info *info = tl_suite_info(c->suite);
    uint8_t bytes[TL_KEY_MAX + TL_SALT_MAX + 2] = {0};
    const unsigned length = info->key_len + info->salt_len;

    memcpy(bytes, c->key, info->key_len);
    memcpy(bytes + info->key_len, c->salt, info->salt_len);
    fputc(' ', out);
    for (unsigned i = 0; i < length; i += 3) {
        const uint32_t word = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

        for (unsigned at = 0; at < 4; at++)
            fputc(i + at > length ? '=' : letters[word >> (18 - 6 * at) & 63], out);
    }
}

// What the party needs to know: what it sends with is what the leg receives with.
static void print_line(const struct party *p, uint16_t port, const struct tl_addr *local,
                       const struct tl_leg *leg)
{
    char ip[INET_ADDRSTRLEN];

    fprintf(p->map, "%s:%u %s:%u", p->ip, port, inet_ntop(AF_INET, local->ip, ip, sizeof ip), local->port);
    if (p->suite != TL_SUITE_NONE) {
        fprintf(p->map, " %s", tl_suite_info(p->suite)->name);
        print_key(p->map, &leg->rx);
        print_key(p->map, &leg->tx);
    }
    fputc('\n', p->map);
}

static void add(struct fake_control *control, unsigned i)
{
    struct tl_addr local[2];
    struct tl_leg leg[2];
    uint64_t call_ref = i + 1;

    for (unsigned who = 0; who < 2; who++) {
        leg[who] = fake_leg(who ? "core" : "peer", party[who].ip, (uint16_t)(party[who].port + 2 * i));
        leg[who].rx = random_key(party[who].suite);
        leg[who].tx = random_key(party[who].suite);
    }
    const int status = fake_control_add(control, call_ref, leg, &handles[i], local);
    if (status != 0)
        die("ADD of session %u: %s", i, strerror(-status));
    for (unsigned who = 0; who < 2; who++)
        print_line(&party[who], (uint16_t)(party[who].port + 2 * i), &local[who], &leg[who]);
}

static void delete (struct fake_control *control, unsigned i)
{
    struct tl_leg_counters c[2];
    const int status = fake_control_del(control, &handles[i], c);

    if (status != 0)
        die("DEL of session %u: %s", i, strerror(-status));
    for (unsigned who = 0; who < 2; who++) {
        party[who].sum.rx_packets += c[who].rx_packets;
        party[who].sum.tx_packets += c[who].tx_packets;
        party[who].sum.drops += c[who].drops;
        party[who].sum.lost += c[who].lost;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"socket", 1, NULL, 's'},
                                          {"sessions", 1, NULL, 'n'},
                                          {"peer", 1, NULL, 'p'},
                                          {"core", 1, NULL, 'c'},
                                          {0}};
    const char *path = NULL;
    unsigned count = 1;
    struct fake_control control;
    sigset_t end;
    int got;

    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == 's')
            path = optarg;
        else if (o == 'n')
            count = (unsigned)atoi(optarg);
        else if (o == 'p' || o == 'c')
            read_party(&party[o == 'c'], optarg);
        else
            die("unknown option");
    }
    if (!path || !party[0].map || !party[1].map || count == 0 || count > SESSIONS_MAX)
        die("--socket, --peer and --core are needed, --sessions is 1 to %d", SESSIONS_MAX);
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (fake_control_open(&control, path, NULL, NULL) != 0)
        die("the dataplane does not shake hands");
    for (unsigned i = 0; i < count; i++)
        add(&control, i);
    for (unsigned who = 0; who < 2; who++)
        if (fclose(party[who].map) != 0)
            die("a map can't be written: %s", strerror(errno));
    puts("holding");
    fflush(stdout);
    sigwait(&end, &got);
    for (unsigned i = 0; i < count; i++)
        delete (&control, i);
    fake_control_close(&control);
    for (unsigned who = 0; who < 2; who++)
        printf("%s\"%s\":{\"received\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"drops\":%" PRIu64 ",\"lost\":%u}%s",
               who ? "," : "{", who ? "core" : "peer", party[who].sum.rx_packets, party[who].sum.tx_packets,
               party[who].sum.drops, party[who].sum.lost, who ? "}\n" : "");
    return 0;
}
