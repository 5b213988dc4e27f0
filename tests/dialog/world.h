// SPDX-License-Identifier: BSD-3-Clause
// The whole of control in a box: the real agent, calls, SIP stack and dataplane client, on a clock that is moved by hand,
// a network of paper and the fake dataplane. Nothing waits, nothing depends on the machine's time or randomness.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/agent/agent.h"
#include "control/sip/io.h"
#include "tests/fakes/fake_dataplane.h"

enum { WORLD_SENT_MAX = 1024, WORLD_LOG_MAX = 4096, WORLD_CONNS_MAX = 64 };

// A message that left the agent.
struct world_sent {
    uint64_t at; // ms on the world's clock
    uint32_t listener, conn;
    enum tl_transport transport;
    struct tl_addr to;
    char *text;
    size_t len;
};

// A TCP connection of paper.
struct world_conn {
    bool open;
    bool ours; // the agent made it
    uint32_t generation, listener;
    struct tl_addr remote;
    struct sip_waiter *waiters;
};

struct world {
    char dir[64];
    struct tl_config *config;
    struct loop *loop;
    struct agent *agent;
    struct fake_dataplane *fake;
    uint64_t start;
    size_t timers; // armed when nothing goes on
    struct world_sent sent[WORLD_SENT_MAX];
    unsigned first, count; // of sent: a ring
    bool overflow;         // more was sent than `sent` holds
    struct world_conn conn[WORLD_CONNS_MAX];
    unsigned refuse_sends; // so many sends fail from now on ...
    int refuse_with;       // ... with this -errno ...
    struct tl_addr refuse; // ... when they go there
    char *log[WORLD_LOG_MAX];
    unsigned log_count;
};

// Starts a world on this configuration, JSON of both daemons whose dataplane.socket is replaced. Randomness is made of
// `seed`. false: `why` says what is wrong.
bool world_open(struct world *w, const char *json, uint64_t seed, char *why, size_t why_size);

// The gateway reads this configuration, as above, in place of the one that it has. 0, or -errno with `why`.
int world_reload(struct world *w, const char *json, char *why, size_t why_size);

// Frees everything, whatever goes on. Safe on a world that did not open.
void world_close(struct world *w);

// ms since the world began.
uint64_t world_now(const struct world *w);

// Moves the clock and does all that comes of it.
void world_advance(struct world *w, uint64_t ms);

// ms until a timer may fire, UINT64_MAX without any.
uint64_t world_next(const struct world *w);

// Lets the agent and the dataplane talk until neither has anything to say.
void world_settle(struct world *w);

// A message arrives. Over TCP it comes on the party's connection, which is made when there is none.
void world_receive(struct world *w, uint32_t listener, const struct tl_addr *from, const char *bytes,
                   size_t len);

// The network says that what we sent cannot be delivered (ICMP).
void world_unreachable(struct world *w, const char *bytes, size_t len);

// Breaks every TCP connection to that address (any port when it has none). Returns how many there were.
unsigned world_break(struct world *w, const struct tl_addr *remote);

// Takes the oldest message that left; the caller frees out->text. false: there is none.
bool world_take(struct world *w, struct world_sent *out);

// What is left of calls.
struct world_rest {
    unsigned calls, sessions, sessions_fake, transactions, timers; // timers: beyond those of an idle world
};
struct world_rest world_rest(const struct world *w);
bool world_is_quiet(const struct world *w);
