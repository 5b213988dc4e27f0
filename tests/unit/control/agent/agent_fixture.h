// SPDX-License-Identifier: BSD-3-Clause
// The whole agent in one thread: its sockets on loopback, the fake dataplane, and parties that are bare UDP
// sockets, so that any message can be sent, held back or forged.
#pragma once

#include "control/agent/agent.h"
#include "runner.h"
#include "tests/fakes/fake_dataplane.h"

enum { PARTY_INBOX = 2048, WORLD_WAIT_MS = 3000 };

// Somebody on the other end of a trunk.
struct party {
    int fd;
    uint16_t port;
    char *inbox[PARTY_INBOX];
    unsigned count;
};

// Trunks: 0 the caller, 1 and 2 callees in one realm, 3 a callee with SRTP. Number 1x goes to 1; 2x to 1,
// then 2; 3x to 3.
struct world {
    char dir[64];
    struct tl_config *config;
    struct loop *loop;
    struct agent *agent;
    struct fake_dataplane *fake;
    uint16_t sip_port; // the listener's
    struct party a, b, b2, s;
};

// T1 is 20 ms, T2 80 ms, no_response_ms 300 ms. `tune` may change the configuration before the start.
void world_open(struct world *w, void (*tune)(struct tl_config *config));

// Checks that no call and no session is left, then frees everything.
void world_close(struct world *w);
void world_drop(struct world *w); // whatever is under way

// Lets time pass.
void world_turn(struct world *w, unsigned ms);

// Waits until no call is left. Returns whether that came.
bool world_quiet(struct world *w);

// Sends a message as it is to the agent; "\n" stands for every line end. A Content-Length that fits is added.
void party_send(struct world *w, struct party *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Waits for a message that starts with `prefix` and takes it out of the inbox, NULL if none comes within
// WORLD_WAIT_MS. Valid until two more were taken.
const char *party_expect(struct world *w, struct party *p, const char *prefix);

// How many messages with that prefix are in the inbox now.
unsigned party_has(const struct party *p, const char *prefix);
void party_forget(struct party *p);

// Answers a request of the agent: Via, From, To, Call-ID, CSeq copied, with a tag. body NULL: none.
void party_answer(struct world *w, struct party *p, const char *request, const char *status, const char *tag,
                  const char *body);

// Value of a header, in one of eight buffers that take turns; "" without it.
const char *header_of(const char *message, const char *name);
// The URI between < > in a header.
const char *uri_of(const char *message, const char *name);

// INVITE of party a to `number`; extra: further lines, each with "\n", or "".
void a_invites(struct world *w, const char *call_id, const char *number, const char *extra, const char *body);
// A request of party a inside its dialog, made of our 2xx.
void a_requests(struct world *w, const char *answer, const char *method, unsigned cseq, const char *extra,
                const char *body);
// A request of a callee inside its dialog, made of our INVITE.
void b_requests(struct world *w, struct party *p, const char *invite, const char *tag, const char *method,
                unsigned cseq, const char *extra, const char *body);

// A call of a to b that is up. *ok is our 2xx to a, *invite our INVITE to b; the caller frees both.
void bring_up(struct world *w, char **ok, char **invite);

extern const char body_a[], body_b[], body_hold[], body_held[];
