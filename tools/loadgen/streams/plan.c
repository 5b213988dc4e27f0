// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/plan.h"

#include "tools/loadgen/argtext.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct endpoint port_of(const struct port_range *r, uint32_t index)
{
    if (r->step == 0)
        return (struct endpoint){r->ip, r->first};
    const uint32_t per_address = (uint32_t)(r->last - r->first) / r->step + 1;

    return (struct endpoint){r->ip + index / per_address,
                             (uint16_t)(r->first + index % per_address * r->step)};
}

// What this side sends is what the other one receives. In an echo both directions are one stream's: the far
// end sends with the keys of its own side.
static void derive_keys(const struct stream_options *o, uint32_t index, struct plan_entry *e)
{
    suites_derive_key(o->seed, e->suite, o->side, index, &e->tx_key);
    suites_derive_key(o->seed, e->suite, o->side == 'a' ? 'b' : 'a', index, &e->rx_key);
}

void plan_entry_of(const struct stream_options *o, uint32_t index, struct plan_entry *e)
{
    e->local = port_of(&o->local, index);
    e->remote = port_of(&o->remote, index);
    e->suite = o->suite;
    if (e->suite == STREAM_PLAIN)
        return;
    derive_keys(o, index, e);
    if (o->tx_key != NULL)
        suites_read_key(e->suite, o->tx_key, &e->tx_key);
    if (o->rx_key != NULL)
        suites_read_key(e->suite, o->rx_key, &e->rx_key);
}

static int read_endpoint(char *text, struct endpoint *e)
{
    char *colon = text == NULL ? NULL : strchr(text, ':');
    struct in_addr ip;
    uint32_t port;

    if (colon == NULL || argtext_number_of(colon + 1, 1, UINT16_MAX, &port) != 0)
        return -EINVAL;
    *colon = 0;
    if (inet_pton(AF_INET, text, &ip) != 1 || ip.s_addr == INADDR_ANY)
        return -EINVAL;
    *e = (struct endpoint){ntohl(ip.s_addr), (uint16_t)port};
    return 0;
}

static int suite_of(const char *name, enum stream_suite *suite)
{
    for (int i = 0; i < STREAM_SUITES; i++) {
        if (strcmp(name, suites_names[i]) == 0) {
            *suite = (enum stream_suite)i;
            return 0;
        }
    }
    return -ENOENT;
}

// A key of a line: absent or "-" leaves what the seed gave.
static int line_key(enum stream_suite suite, const char *text, struct stream_key *key)
{
    return text == NULL || strcmp(text, "-") == 0 ? 0 : suites_read_key(suite, text, key);
}

enum plan_line plan_read_line(const struct stream_options *o, uint32_t index, char *line,
                              struct plan_entry *e, char *error, size_t size)
{
    struct complaint c = {error, size};
    char *save = NULL, *word[6] = {NULL};
    int words = 0;

    memset(e, 0, sizeof *e);
    for (char *at = strtok_r(line, " \t\r\n", &save); at != NULL && words < 6;
         at = strtok_r(NULL, " \t\r\n", &save))
        word[words++] = at;
    if (words == 0 || word[0][0] == '#')
        return PLAN_LINE_EMPTY;
    if (words < 2 || words > 5 || read_endpoint(word[0], &e->local) != 0 ||
        read_endpoint(word[1], &e->remote) != 0) {
        argtext_complain(&c, "expected LOCAL REMOTE [SUITE TX-KEY RX-KEY] with addresses as IP:PORT");
        return PLAN_LINE_BAD;
    }
    if (word[2] != NULL && suite_of(word[2], &e->suite) != 0) {
        argtext_complain(&c, "there is no suite '%s'", word[2]);
        return PLAN_LINE_BAD;
    }
    if (e->suite == STREAM_PLAIN)
        return PLAN_LINE_STREAM;
    derive_keys(o, index, e);
    if (line_key(e->suite, word[3], &e->tx_key) != 0 || line_key(e->suite, word[4], &e->rx_key) != 0) {
        argtext_complain(&c, "expected keys of %zu bytes in base64 for %s", suites_key_length(e->suite),
                         word[2]);
        return PLAN_LINE_BAD;
    }
    return PLAN_LINE_STREAM;
}

// murmur3's last step: any two numbers stay different
static uint32_t scramble(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x85ebca6bu;
    x = (x ^ (x >> 13)) * 0xc2b2ae35u;
    return x ^ (x >> 16);
}

uint32_t plan_ssrc(const char *seed, char side, uint32_t index)
{
    uint32_t sum = 2166136261u;

    for (; *seed != 0; seed++)
        sum = (sum ^ (uint8_t)*seed) * 16777619u;
    return scramble((index << 1 | (side == 'b')) ^ sum);
}
