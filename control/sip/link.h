// SPDX-License-Identifier: BSD-3-Clause
// What lies between a connection and its socket: nothing over TCP, or TLS. tcp.c is the one user; it brings the waiting,
// the time-outs and the framing, a link only moves bytes. Loop's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/sip/sip.h"

struct sip_listener;
struct sip_link;
struct tls_link;

// Operations. What they return below 0 is -errno.
struct sip_link_ops {
    // Begins on a connection that is about to be made, to a trunk's peer (flow->trunk), or on one that was accepted.
    // Returns 0; -EACCES: nobody of there is expected; -EINVAL; -ENOMEM. Fails without anything to close.
    int (*open)(struct sip_link *link, struct sip_listener *listener, const struct sip_flow *flow,
                bool accepted);
    // A step of the handshake. Returns 0 when it is through; -EAGAIN when it waits for the socket as link->wants_write
    // says; else it has failed and said why in the log. NULL: there is none.
    int (*greet)(struct sip_link *link);
    // As recv() and send(), with -EAGAIN and link->wants_write: a link may have to write before it can read on, and the
    // other way round.
    ssize_t (*recv)(struct sip_link *link, void *p, size_t room);
    ssize_t (*send)(struct sip_link *link, const void *p, size_t len);
    // Whether bytes are here that the socket no longer has.
    bool (*pending)(const struct sip_link *link);
    // Whether who is at the other end has shown to be the peer of that trunk (its number).
    bool (*vouches)(const struct sip_link *link, uint32_t trunk);
    // Says in the log that the handshake was given up, as it took too long.
    void (*late)(const struct sip_link *link);
    // Tells the other side, if that can be done at once, and frees. Harmless on a zeroed one.
    void (*close)(struct sip_link *link);
};

struct sip_link {
    const struct sip_link_ops *does;
    int fd;
    bool wants_write; // of the last -EAGAIN
    struct tls_link *tls;
};

extern const struct sip_link_ops sip_link_tcp, sip_link_tls;
