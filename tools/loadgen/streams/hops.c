// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/hops.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct endpoint any = {0, 0};

static uint32_t next_hop(const struct stream_options *o, const struct flow *f)
{
    const uint32_t mask = o->prefix == 0 ? 0 : UINT32_MAX << (32 - o->prefix);

    return ((f->local.ip ^ f->remote.ip) & mask) == 0 ? f->remote.ip : o->gateway;
}

static void no_way(const struct flow *f, char *error, size_t size)
{
    const struct in_addr ip = {htonl(f->remote.ip)};
    char text[INET_ADDRSTRLEN];

    snprintf(error, size, "%s is not in the subnet of the local address: give --gateway, or another --prefix",
             inet_ntop(AF_INET, &ip, text, sizeof text));
}

int hops_init(struct hops *h, const struct stream_options *o, const struct flow *flows, uint32_t count,
              char *error, size_t size)
{
    memset(h, 0, sizeof *h);
    h->hop = calloc(count, sizeof *h->hop);
    h->of = calloc(count, sizeof *h->of);
    if (h->hop == NULL || h->of == NULL || demux_init(&h->by_ip, count) != 0 ||
        demux_init(&h->ours, count) != 0) {
        snprintf(error, size, "out of memory");
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t ip = next_hop(o, &flows[i]);
        const struct endpoint key = {ip, 0}, own = {flows[i].local.ip, 0};

        if (ip == 0) {
            no_way(&flows[i], error, size);
            return -EHOSTUNREACH;
        }
        demux_put(&h->ours, &own, &any, i); // again and again where they share it
        if (demux_put(&h->by_ip, &key, &any, h->count) == 0)
            h->hop[h->count++] = (struct hop){.ip = ip, .from = flows[i].local.ip};
        h->of[i] = demux_get(&h->by_ip, &key, &any);
    }
    h->unknown = h->count;
    return 0;
}

void hops_fini(struct hops *h)
{
    demux_fini(&h->by_ip);
    demux_fini(&h->ours);
    free(h->hop);
    free(h->of);
    memset(h, 0, sizeof *h);
}

void hops_learn(struct hops *h, uint32_t ip, const uint8_t mac[6])
{
    const uint32_t at = demux_get(&h->by_ip, &(struct endpoint){ip, 0}, &any);

    if (at == UINT32_MAX || (mac[0] & 1) != 0)
        return;
    h->unknown -= !h->hop[at].known;
    h->hop[at].known = true;
    memcpy(h->hop[at].mac, mac, 6);
}

bool hops_ours(const struct hops *h, uint32_t ip)
{
    return demux_get(&h->ours, &(struct endpoint){ip, 0}, &any) != UINT32_MAX;
}
