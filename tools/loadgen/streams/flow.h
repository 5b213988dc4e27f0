// SPDX-License-Identifier: BSD-3-Clause
// One bare stream, both directions: what it sends next, what came in. One thread.
#pragma once

#include "tools/loadgen/streams/ledger.h"
#include "tools/loadgen/streams/plan.h"

struct packet;

struct flow {
    struct endpoint local, remote;
    struct srtp *tx, *rx; // libre contexts, NULL on a plain stream
    uint32_t ssrc;
    uint32_t number; // of the next packet
    uint32_t total;  // packets that count, once the end is being said
    uint32_t ts_base;
    uint16_t seq_base;
    uint64_t sent;    // accepted by the port, ends and what was returned included
    uint32_t refused; // by the port, for good: they took a number and were never on the wire
    uint32_t rtcp;    // RTCP that came in on the same port; not looked into
    struct ledger in;
};

// Makes all streams of the options. *flows and *count are the caller's, to be given to flows_close(). 0;
// -ENOMEM; -EINVAL or the file's error, with a sentence in `error`.
int flows_open(const struct stream_options *o, struct flow **flows, uint32_t *count, char *error,
               size_t size);
void flows_close(struct flow *flows, uint32_t count);

// Writes the stream's next packet into `p` (data, length), protected. `now` in ns goes into its stamp. 0 or
// -errno: libre refused; the number is spent all the same.
int flow_build(struct flow *f, const struct stream_options *o, struct packet *p, int64_t now);

// The same for a packet that says the end: flow->total is set.
int flow_build_final(struct flow *f, const struct stream_options *o, struct packet *p);

enum flow_verdict {
    FLOW_BAD,        // counted by its name
    FLOW_RTCP,       // no business of ours
    FLOW_UNVERIFIED, // counted by its header
    FLOW_GOOD,       // this stream's, right to the last byte
    FLOW_ENDED,      // the same, and the sender said its end for the first time
    FLOW_MORE_ENDED, // and again
};

// Judges a packet that came for this stream, unprotecting it in place; *s is its stamp when the verdict is
// FLOW_GOOD. One in `every` is verified.
enum flow_verdict flow_take(struct flow *f, const struct stream_options *o, uint32_t every, struct packet *p,
                            struct stamp *s);

// Writes into `out` what a reflecting far end returns for the packet `in` that flow_take() has seen. 0, or
// -errno when it is nothing to return.
int flow_reflect(struct flow *f, const struct packet *in, enum flow_verdict verdict, struct packet *out);
