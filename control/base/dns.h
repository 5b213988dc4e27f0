// SPDX-License-Identifier: BSD-3-Clause
// A client of name servers: c-ares on the loop's sockets and timers. Nothing here blocks. Loop's thread.
#pragma once

#include "control/base/dns_msg.h"

struct loop;
struct dns;

struct dns_options {
    const struct tl_addr *servers; // with port; none: those of /etc/resolv.conf
    size_t server_count;
    unsigned timeout_ms; // of a server's first answer; it doubles with each try
    unsigned tries;      // of each server
};

// Is told what became of each question, once, perhaps from inside of dns_ask(). `answer` is good until it returns.
typedef void dns_answer_fn(void *arg, const char *name, enum dns_type type, const struct dns_answer *answer);

// Returns 0 and *out; -errno with one sentence in `why`: no memory, or c-ares refuses the servers.
int dns_new(struct loop *loop, const struct dns_options *options, dns_answer_fn *fn, void *arg,
            struct dns **out, char *why, size_t why_size);

// Questions that wait are forgotten. NULL is ignored.
void dns_free(struct dns *dns);

// Asks the servers, one after the other until one answers; over TCP what does not fit a datagram. 0 or -ENOMEM.
int dns_ask(struct dns *dns, const char *name, enum dns_type type);
