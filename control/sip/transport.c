// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/link.h"
#include "control/sip/tls.h"
#include "control/sip/transport_internal.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "control/base/log.h"

enum {
    ERRORS = 64,          // of the network, taken in one go
    UDP_BUFFER = 4 << 20, // bytes asked of the kernel: half a second of load while the process does not run
    BACKLOG = 512,        // TCP connections that wait to be accepted
    OTHER_FILES = 128,    // descriptors for all but connections: dataplane, operator, listeners
};

// ---- UDP -----------------------------------------------------------------------------------------------

static bool only_line_ends(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != '\r' && p[i] != '\n' && p[i] != '\0')
            return false;
    return true;
}

// ICMP errors to what we sent: handed on with as much of our message as they quote, from which its
// transaction is known. Who forges one would have to know a branch of ours.
static void take_errors(struct sip_listener *listener, int fd)
{
    struct sip_transport *transport = listener->transport;
    for (unsigned i = 0; i < ERRORS; i++) {
        struct iovec iov = {transport->buffer, sizeof transport->buffer};
        char control[512];
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0)
            return;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
            struct sock_extended_err e;
            bool error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                         (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
            if (!error || c->cmsg_len < CMSG_LEN(sizeof e))
                continue;
            memcpy(&e, CMSG_DATA(c), sizeof e);
            if (e.ee_errno == ECONNREFUSED || e.ee_errno == EHOSTUNREACH || e.ee_errno == ENETUNREACH)
                transport->unreachable(transport->arg, transport->buffer, (size_t)n);
        }
    }
}

// How long a datagram waited in the kernel, whose clock it came with.
static uint32_t waited_ms(struct msghdr *msg)
{
    struct timespec then, now;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS ||
            c->cmsg_len < CMSG_LEN(sizeof then))
            continue;
        memcpy(&then, CMSG_DATA(c), sizeof then);
        clock_gettime(CLOCK_REALTIME, &now);
        int64_t ms = ((int64_t)now.tv_sec - then.tv_sec) * 1000 + (now.tv_nsec - then.tv_nsec) / 1000000;
        return ms > 0 && ms < 60000 ? (uint32_t)ms : 0; // else that clock was set
    }
    return 0;
}

// The address of ours that a datagram came to, where a socket has several.
static struct tl_addr came_to(struct msghdr *msg)
{
    struct tl_addr at = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            at.family = TL_AF_INET;
            memcpy(at.ip, &info.ipi_addr, sizeof info.ipi_addr);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            at.family = TL_AF_INET6;
            memcpy(at.ip, &info.ipi6_addr, sizeof info.ipi6_addr);
        }
    }
    return at;
}

// Takes a datagram out of the socket. Its length; -1 with errno.
static ssize_t take_datagram(struct sip_listener *listener, struct tl_addr *remote, struct tl_addr *at)
{
    struct sip_transport *transport = listener->transport;
    struct sockaddr_storage from;
    struct iovec iov = {transport->buffer, sizeof transport->buffer};
    char control[128];
    struct msghdr msg = {.msg_name = &from,
                         .msg_namelen = sizeof from,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    ssize_t n = recvmsg(listener->fd, &msg, 0);
    if (n < 0)
        return n;
    uint32_t ms = waited_ms(&msg);
    if (!listener->heard || ms < listener->least_ms)
        listener->least_ms = ms;
    listener->heard = true;
    if (!tl_addr_from_sockaddr((struct sockaddr *)&from, remote))
        *remote = (struct tl_addr){0};
    *at = came_to(&msg);
    return n;
}

uint32_t sip_transport_delay(struct sip_transport *transport)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < transport->listener_count; i++) {
        struct sip_listener *listener = &transport->listeners[i];
        if (listener->heard && listener->least_ms > longest)
            longest = listener->least_ms;
        listener->heard = false;
    }
    return longest;
}

static void on_datagram(evutil_socket_t fd, short what, void *arg)
{
    struct sip_listener *listener = arg;
    struct sip_transport *transport = listener->transport;
    (void)what;
    size_t bytes = 0;
    unsigned taken = 0, dropped = 0;
    uint64_t now = loop_now(transport->loop);
    while (taken < SIP_TURN_MESSAGES && bytes < SIP_TURN_BYTES && dropped < SIP_TURN_DROPS) {
        struct tl_addr remote, at;
        ssize_t n = take_datagram(listener, &remote, &at);
        if (n < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                break;
            dropped++; // an error to an earlier message, which is in the queue of errors too
            continue;
        }
        if (!tl_addr_is_set(&remote) ||
            sip_gate_message(transport->gate, listener->config, &remote, now) != SIP_GATE_OPEN) {
            dropped++;
            continue;
        }
        taken++;
        bytes += (size_t)n;
        if (only_line_ends(transport->buffer, (size_t)n)) {
            transport->counters->keep_alive++;
            continue;
        }
        struct sip_flow flow = sip_listener_flow(listener, &remote);
        flow.at = at;
        transport->receive(transport->arg, &flow, transport->buffer, (size_t)n);
        explicit_bzero(transport->buffer, (size_t)n);
    }
    if (dropped) // the longest of them had a message's bytes
        explicit_bzero(transport->buffer, sizeof transport->buffer);
    take_errors(listener, fd);
}

// The bytes, from that address of ours where the socket has several.
static ssize_t send_datagram(int fd, const struct sip_flow *flow, const struct sip_bytes *bytes)
{
    struct sockaddr_storage to;
    socklen_t to_len = tl_addr_to_sockaddr(&flow->remote, &to);
    if (!tl_addr_is_set(&flow->at))
        return sendto(fd, bytes->data, bytes->len, 0, (struct sockaddr *)&to, to_len);
    union {
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        struct cmsghdr align;
    } control = {.room = ""};
    struct iovec iov = {(void *)(uintptr_t)bytes->data, bytes->len};
    struct msghdr msg = {.msg_name = &to,
                         .msg_namelen = to_len,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.room};
    struct in_pktinfo from4 = {0};
    struct in6_pktinfo from6 = {0};
    bool six = flow->at.family == TL_AF_INET6;
    size_t len = six ? sizeof from6 : sizeof from4;
    memcpy(&from4.ipi_spec_dst, flow->at.ip, sizeof from4.ipi_spec_dst);
    memcpy(&from6.ipi6_addr, flow->at.ip, sizeof from6.ipi6_addr);
    control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(len),
                                     .cmsg_level = six ? IPPROTO_IPV6 : IPPROTO_IP,
                                     .cmsg_type = six ? IPV6_PKTINFO : IP_PKTINFO};
    msg.msg_controllen = CMSG_SPACE(len);
    memcpy(CMSG_DATA(&control.align), six ? (const void *)&from6 : (const void *)&from4, len);
    return sendmsg(fd, &msg, 0);
}

static int udp_send(struct sip_transport *transport, struct sip_flow *flow, const struct sip_bytes *bytes,
                    struct sip_waiter *waiter)
{
    (void)waiter;
    int fd = transport->listeners[flow->listener].fd;
    // The first error may be that of an earlier message to someone else: it is told once and then gone.
    for (unsigned tries = 0; tries < 3; tries++) {
        if (send_datagram(fd, flow, bytes) >= 0)
            return 0;
        // No room is what a full router would be: the timers repeat it.
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            transport->counters->tx_failed++;
            return 0;
        }
    }
    return -errno;
}

static void udp_tune(int fd, const struct tl_addr *address)
{
    int on = 1, buffer = UDP_BUFFER;
    bool six = address->family == TL_AF_INET6;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer); // as much as the kernel allows
    setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
    if (tl_addr_is_any(address)) // an answer leaves from where its request came to (RFC 3581 4)
        setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

// ---- TCP -----------------------------------------------------------------------------------------------

// Connections of an earlier run that linger must not keep the port.
static void tcp_tune(int fd, const struct tl_addr *address)
{
    int on = 1;
    (void)address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
    struct sip_listener *listener = arg;
    (void)fd;
    (void)what;
    loop_now(listener->transport->loop);
    sip_tcp_accept(listener);
}

// ---- what each transport does ---------------------------------------------------------------------------

// The operations of a row of common/config/transport.h.
static const struct operations {
    int socket_type;
    void (*tune)(int fd, const struct tl_addr *address); // a listener's socket, before it is bound there
    event_callback_fn on_ready;
    const struct sip_link_ops *link; // of a stream's connections
    int (*send)(struct sip_transport *transport, struct sip_flow *flow, const struct sip_bytes *bytes,
                struct sip_waiter *waiter);
} operations[TL_TRANSPORT_COUNT] = {
    [TL_UDP] = {SOCK_DGRAM, udp_tune, on_datagram, NULL, udp_send},
    [TL_TCP] = {SOCK_STREAM, tcp_tune, on_connection, &sip_link_tcp, sip_tcp_send},
    [TL_TLS] = {SOCK_STREAM, tcp_tune, on_connection, &sip_link_tls, sip_tcp_send},
};

// ---- listeners -----------------------------------------------------------------------------------------

static int explain(const struct tl_listener_config *config, int err, char *why, size_t size)
{
    char ip[TL_ADDR_TEXT];
    const char *kind = tl_transport_row(config->transport)->via;
    tl_addr_print_ip(&config->address, ip);
    if (err == EADDRINUSE)
        snprintf(why, size,
                 "listener %s: another program has %s port %u of %s; stop it or give the listener "
                 "another port",
                 config->name, kind, config->address.port, ip);
    else if (err == EADDRNOTAVAIL)
        snprintf(why, size,
                 "listener %s: this machine has no address %s; add it to an interface or correct the "
                 "listener",
                 config->name, ip);
    else if (err == EACCES)
        snprintf(why, size,
                 "listener %s: no right to open %s port %u; give a port above 1023 or the capability "
                 "CAP_NET_BIND_SERVICE",
                 config->name, kind, config->address.port);
    else
        snprintf(why, size, "listener %s: cannot open %s port %u of %s: %s", config->name, kind,
                 config->address.port, ip, strerror(err));
    return -err;
}

static void on_greeting(evutil_socket_t fd, short what, void *arg)
{
    struct sip_transport *transport = arg;
    (void)fd;
    (void)what;
    loop_now(transport->loop);
    sip_tcp_greet(transport);
}

static int open_listener(struct sip_listener *listener, char *why, size_t why_size)
{
    const struct tl_listener_config *config = listener->config;
    const struct operations *does = &operations[config->transport];
    const struct tl_addr *shown = tl_listener_shown(config);
    if (!tl_addr_is_set(shown) || tl_addr_is_any(shown) || !shown->port || !config->address.port) {
        snprintf(why, why_size,
                 "listener %s: address and port stand in Via and Contact, so both must be given",
                 config->name);
        return -EINVAL;
    }
    struct sockaddr_storage at;
    socklen_t at_len = tl_addr_to_sockaddr(&config->address, &at);
    listener->fd = socket(at.ss_family, does->socket_type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return explain(config, errno, why, why_size);
    listener->link = does->link;
    // the IPv4 of a machine is another listener's
    int on = 1;
    if (at.ss_family == AF_INET6)
        setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    does->tune(listener->fd, &config->address);
    if (bind(listener->fd, (struct sockaddr *)&at, at_len) != 0 ||
        (does->socket_type == SOCK_STREAM && listen(listener->fd, BACKLOG) != 0))
        return explain(config, errno, why, why_size);
    listener->event = event_new(loop_base(listener->transport->loop), listener->fd, EV_READ | EV_PERSIST,
                                does->on_ready, listener);
    if (!listener->event || event_add(listener->event, NULL) != 0)
        return explain(config, ENOMEM, why, why_size);
    return 0;
}

void sip_transport_configure(struct sip_transport *transport, const struct tl_control_config *config)
{
    transport->t1_ms = config->t1_ms;
    transport->connect_timeout_ms = config->connect_timeout_ms;
    transport->handshake_timeout_ms = config->handshake_timeout_ms;
    transport->crlf_ms = config->crlf_interval_s * UINT32_C(1000);
}

// As many as the configuration says and the process may have, beside what else it needs.
static uint32_t connections(const struct tl_config *config)
{
    struct rlimit files;
    uint32_t most = config->control.max_connections, other = OTHER_FILES + config->listener_count;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= (rlim_t)most + other)
        return most;
    uint32_t left = files.rlim_cur > other + 16 ? (uint32_t)files.rlim_cur - other : 16;
    log_line(LOG_WARNING,
             "control.max_connections is %u, but the process may have %u files only: %u connections", most,
             (unsigned)files.rlim_cur, left);
    return left;
}

int sip_transport_new(struct loop *loop, const struct tl_config *config, struct sip_gate *gate,
                      struct sip_counters *counters, const struct sip_transport_user *user, void *arg,
                      struct sip_transport **out, char *why, size_t why_size)
{
    struct sip_transport *transport = calloc(1, sizeof *transport);
    if (transport) {
        transport->loop = loop;
        transport->config = config;
        sip_transport_configure(transport, &config->control);
        transport->counters = counters;
        transport->gate = gate;
        transport->receive = user->receive;
        transport->unreachable = user->unreachable;
        transport->arg = arg;
        transport->conn_max = connections(config);
        transport->listeners = calloc(config->listener_count + 1, sizeof *transport->listeners);
        transport->conns = calloc(transport->conn_max, sizeof(struct sip_conn *));
        TAILQ_INIT(&transport->greetings);
        transport->greeter = event_new(loop_base(loop), -1, 0, on_greeting, transport);
    }
    if (!transport || !transport->greeter || !transport->listeners || !transport->conns ||
        sip_table_init(&transport->by_remote, transport->conn_max) != 0 ||
        getentropy(transport->secret, sizeof transport->secret) != 0 ||
        sip_places_init(&transport->places, transport->conn_max, transport->secret) != 0) {
        sip_transport_free(transport);
        snprintf(why, why_size, "no memory for the SIP listeners");
        return -ENOMEM;
    }
    int failed = sip_tls_new(loop, config, user->trunks, arg, &transport->tls, why, why_size);
    if (failed) {
        sip_transport_free(transport);
        return failed;
    }
    for (uint32_t i = 0; i < config->listener_count; i++) {
        struct sip_listener *listener = &transport->listeners[i];
        *listener = (struct sip_listener){
            .transport = transport, .index = i, .config = &config->listeners[i], .fd = -1};
        transport->listener_count++;
        int err = open_listener(listener, why, why_size);
        if (err) {
            sip_transport_free(transport);
            return err;
        }
    }
    *out = transport;
    return 0;
}

struct sip_tls *sip_transport_tls(const struct sip_transport *transport)
{
    return transport->tls;
}

void sip_transport_free(struct sip_transport *transport)
{
    if (!transport)
        return;
    if (transport->conns)
        sip_tcp_close_all(transport);
    for (uint32_t i = 0; i < transport->listener_count; i++) {
        wheel_cancel(loop_wheel(transport->loop), &transport->listeners[i].pause);
        if (transport->listeners[i].event)
            event_free(transport->listeners[i].event);
        if (transport->listeners[i].fd >= 0)
            close(transport->listeners[i].fd);
    }
    sip_tls_free(transport->tls);
    if (transport->greeter)
        event_free(transport->greeter);
    sip_table_fini(&transport->by_remote);
    sip_places_fini(&transport->places);
    free(transport->listeners);
    free(transport->conns);
    free(transport);
}

static int send_bytes(void *arg, struct sip_flow *flow, const struct sip_bytes *bytes,
                      struct sip_waiter *waiter)
{
    struct sip_transport *transport = arg;
    if (flow->listener >= transport->listener_count)
        return -EINVAL;
    if (bytes->len < 4 || memcmp(bytes->data, "SIP/", 4) != 0)
        sip_gate_asked(transport->gate, &flow->remote, loop_wheel(transport->loop)->now);
    return operations[transport->listeners[flow->listener].config->transport].send(transport, flow, bytes,
                                                                                   waiter);
}

static bool vouches(void *arg, const struct sip_flow *flow, uint32_t trunk)
{
    return !sip_flow_row(flow)->stream || sip_tcp_vouches(arg, flow, trunk);
}

static void alias(void *arg, const struct sip_flow *flow, uint16_t port)
{
    if (sip_flow_row(flow)->secure)
        sip_tcp_alias(arg, flow, port);
}

const struct sip_io sip_transport_io = {.send = send_bytes, .vouches = vouches, .alias = alias};
