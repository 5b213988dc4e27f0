// SPDX-License-Identifier: BSD-3-Clause
// Next hops: who is to be asked for by ARP, for which stream, and what was answered. Pure.
#pragma once

#include "tools/loadgen/streams/demux.h"
#include "tools/loadgen/streams/flow.h"

struct hop {
    uint32_t ip;   // host order
    uint32_t from; // address of ours that asks
    uint8_t mac[6];
    bool known;
};

struct hops {
    struct hop *hop;
    uint32_t *of; // by stream
    uint32_t count, unknown;
    struct demux by_ip, ours;
};

// Finds the next hop of each stream: its remote address where that is in the subnet of its local one
// (o->prefix bits), else o->gateway. 0; -ENOMEM; -EHOSTUNREACH with a sentence: a remote address is not in
// the subnet and there is no gateway.
int hops_init(struct hops *h, const struct stream_options *o, const struct flow *flows, uint32_t count,
              char *error, size_t size);
void hops_fini(struct hops *h);

// Notes what an ARP packet says of its sender, if that is a next hop.
void hops_learn(struct hops *h, uint32_t ip, const uint8_t mac[6]);

// Whether `ip` is a local address of a stream: to be answered for.
bool hops_ours(const struct hops *h, uint32_t ip);
