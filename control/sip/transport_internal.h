// SPDX-License-Identifier: BSD-3-Clause
// Shared by the files of the transport.
#pragma once

#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "control/sip/gate.h"
#include "control/sip/places.h"
#include "control/sip/transport.h"

struct event;
struct sip_conn;
struct sip_link_ops;
struct sip_tls;

// What a socket or a connection hands on in a turn of the loop; what is left has to wait until all others had
// theirs. A message costs in proportion to its bytes, so nobody holds the loop for more than some milliseconds.
// What is not let in costs little and is cleared away, so that it takes nobody's place in the kernel's buffer.
enum { SIP_TURN_MESSAGES = 32, SIP_TURN_BYTES = 128 << 10, SIP_TURN_DROPS = 2048 };

struct sip_listener {
    struct sip_transport *transport;
    uint32_t index;
    const struct tl_listener_config *config;
    const struct sip_link_ops *link; // of its connections
    int fd;
    struct event *event;
    struct wheel_timer pause; // of accepting
    bool heard;               // a datagram since sip_transport_delay()
    uint32_t least_ms;        // that one of these waited to be read
};

struct sip_transport {
    struct loop *loop;
    const struct tl_config *config;
    uint32_t t1_ms, connect_timeout_ms, handshake_timeout_ms, crlf_ms;
    struct sip_counters *counters;
    struct sip_gate *gate;
    sip_receive_fn *receive;
    sip_unreachable_fn *unreachable;
    void *arg;
    struct sip_listener *listeners;
    uint32_t listener_count;
    struct sip_conn **conns; // by slot; NULL = free
    uint32_t conn_max;
    struct sip_places places;
    uint32_t accepted, strangers; // connections
    struct sip_table by_remote;
    uint8_t secret[16];
    uint32_t generation;                           // of the last connection
    TAILQ_HEAD(sip_greetings, sip_conn) greetings; // connections that wait for a step of their handshake
    struct event *greeter;
    struct sip_tls *tls; // NULL: no listener has it
    char buffer[SIP_MESSAGE_MAX + 1];
};

// A flow of that listener, whose trunk and peer nobody knows yet.
static inline struct sip_flow sip_listener_flow(const struct sip_listener *listener,
                                                const struct tl_addr *remote)
{
    return (struct sip_flow){.listener = listener->index,
                             .transport = listener->config->transport,
                             .local = *tl_listener_shown(listener->config),
                             .remote = *remote};
}

// tcp.c
void sip_tcp_accept(struct sip_listener *listener);
int sip_tcp_send(struct sip_transport *transport, struct sip_flow *flow, const struct sip_bytes *bytes,
                 struct sip_waiter *waiter);
void sip_tcp_close_all(struct sip_transport *transport);

// Takes a turn's share of the handshakes that wait.
void sip_tcp_greet(struct sip_transport *transport);

// Whether who is at the other end of the flow's connection is the peer of that trunk (its number); false when the connection
// has gone.
bool sip_tcp_vouches(const struct sip_transport *transport, const struct sip_flow *flow, uint32_t trunk);

// Who is at the other end of the flow's connection, which it made, listens at that port too and takes what goes there over this
// connection (RFC 5923 8).
void sip_tcp_alias(struct sip_transport *transport, const struct sip_flow *flow, uint16_t port);
