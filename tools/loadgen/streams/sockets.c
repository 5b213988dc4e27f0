// SPDX-License-Identifier: BSD-3-Clause
// The port that is kernel sockets: one for each local address and port, so as many as there are streams or
// one for all. What shares a socket goes out by one sendmmsg() for different destinations.
#include "tools/loadgen/streams/demux.h"
#include "tools/loadgen/streams/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOT = 2048,
    READY = 256,
    PER_SOCKET = 8,         // packets taken from a socket of one stream at a time
    SPARE_DESCRIPTORS = 32, // for everything else
    SHARED_BUFFER = 32 << 20,
};

struct own_socket {
    int fd;
    uint32_t stream; // UINT32_MAX: of several, told apart by the address
};

struct sockets {
    struct port port;
    const struct flow *flows;
    struct own_socket *socket;
    uint32_t *socket_of; // by stream
    uint32_t sockets;
    struct demux demux; // of the pairs, for shared sockets
    int epoll;          // -1: none
    struct epoll_event ready[READY];
    int ready_count, ready_at;
    uint64_t stray, missed_before;
    uint8_t *free_slot[PORT_BURST]; // to be filled and sent
    uint32_t free_slots;
    uint8_t tx[PORT_BURST][SLOT], rx[PORT_BURST][SLOT];
};

static struct sockaddr_in address_of(const struct endpoint *e)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(e->port), .sin_addr = {htonl(e->ip)}};
}

static void print_endpoint(char *out, size_t size, const struct endpoint *e)
{
    const struct in_addr ip = {htonl(e->ip)};
    char text[INET_ADDRSTRLEN];

    snprintf(out, size, "%s:%u", inet_ntop(AF_INET, &ip, text, sizeof text), e->port);
}

// Datagrams that this namespace's kernel dropped for want of receive buffer; 0 where it doesn't say.
static uint64_t buffer_errors(void)
{
    char line[512], names[512] = "";
    unsigned long long errors = 0;
    FILE *in = fopen("/proc/self/net/snmp", "r");

    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "Udp:", 4) != 0)
            continue;
        if (names[0] == 0) {
            memcpy(names, line, sizeof names);
            continue;
        }
        char *save_name = NULL, *save_value = NULL;
        const char *name = strtok_r(names, " \n", &save_name), *value = strtok_r(line, " \n", &save_value);
        for (; name != NULL && value != NULL;
             name = strtok_r(NULL, " \n", &save_name), value = strtok_r(NULL, " \n", &save_value))
            if (strcmp(name, "RcvbufErrors") == 0)
                errors = strtoull(value, NULL, 10);
        break;
    }
    if (in != NULL)
        fclose(in);
    return errors;
}

// ---- sending ------------------------------------------------------------------------------------------

static uint32_t buffers(struct port *port, struct packet *p, uint32_t n)
{
    struct sockets *s = (struct sockets *)port;
    uint32_t given = 0;

    for (; given < n && s->free_slots > 0; given++)
        p[given] = (struct packet){.data = s->free_slot[--s->free_slots], .room = SLOT};
    return given;
}

static void unused(struct port *port, struct packet *p, uint32_t n)
{
    struct sockets *s = (struct sockets *)port;

    for (uint32_t i = 0; i < n; i++)
        s->free_slot[s->free_slots++] = p[i].data;
}

// Sends the first packets of `n`, which leave by one socket. Returns how many are done with; fewer: it is
// full.
static uint32_t send_run(struct sockets *s, int fd, struct packet *p, uint32_t n)
{
    struct mmsghdr messages[PORT_BURST];
    struct sockaddr_in to[PORT_BURST];
    struct iovec iov[PORT_BURST];
    uint32_t done = 0;

    for (uint32_t i = 0; i < n; i++) {
        to[i] = address_of(&s->flows[p[i].stream].remote);
        iov[i] = (struct iovec){p[i].data, p[i].length};
        messages[i] = (struct mmsghdr){
            .msg_hdr = {
                .msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &iov[i], .msg_iovlen = 1}};
    }
    while (done < n) {
        const int sent = sendmmsg(fd, messages + done, n - done, MSG_DONTWAIT);

        if (sent > 0)
            done += (uint32_t)sent;
        else if (errno == EAGAIN || errno == ENOBUFS)
            break;
        else if (errno != EINTR) // a firewall, no route: this one will never go
            p[done++].refused = true;
    }
    return done;
}

static uint32_t send_packets(struct port *port, struct packet *p, uint32_t n)
{
    struct sockets *s = (struct sockets *)port;
    uint32_t done = 0;

    while (done < n) {
        const uint32_t socket = s->socket_of[p[done].stream];
        uint32_t run = 1;

        while (done + run < n && s->socket_of[p[done + run].stream] == socket)
            run++;
        const uint32_t sent = send_run(s, s->socket[socket].fd, p + done, run);
        done += sent;
        if (sent < run)
            break;
    }
    unused(port, p, done);
    return done;
}

// ---- receiving ----------------------------------------------------------------------------------------

// For which stream a packet from `from` is that came in on a socket; false: for none.
static bool assign(struct sockets *s, const struct own_socket *socket, const struct sockaddr_in *from,
                   struct packet *p)
{
    const struct endpoint remote = {ntohl(from->sin_addr.s_addr), ntohs(from->sin_port)};

    if (socket->stream == UINT32_MAX) {
        const uint32_t shared = (uint32_t)(socket - s->socket);
        p->stream = demux_get(&s->demux, &(struct endpoint){shared, 0}, &remote);
        return p->stream != UINT32_MAX;
    }
    const struct endpoint *expected = &s->flows[socket->stream].remote;
    p->stream = socket->stream;
    p->foreign = remote.ip != expected->ip || remote.port != expected->port;
    return true;
}

// Reads up to `n` datagrams of a socket into the slots from `slot` on. Returns how many packets they made.
static uint32_t read_socket(struct sockets *s, const struct own_socket *socket, uint32_t slot,
                            struct packet *p, uint32_t n)
{
    struct mmsghdr messages[PORT_BURST];
    struct sockaddr_in from[PORT_BURST];
    struct iovec iov[PORT_BURST];
    uint32_t made = 0;

    for (uint32_t i = 0; i < n; i++) {
        iov[i] = (struct iovec){s->rx[slot + i], SLOT};
        messages[i] = (struct mmsghdr){
            .msg_hdr = {
                .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1}};
    }
    const int count = recvmmsg(socket->fd, messages, n, MSG_DONTWAIT, NULL);

    for (int i = 0; i < count; i++) {
        p[made] =
            (struct packet){.data = s->rx[slot + (uint32_t)i], .length = messages[i].msg_len, .room = SLOT};
        if (assign(s, socket, &from[i], &p[made]))
            made++;
        else
            s->stray++;
    }
    return made;
}

static uint32_t receive(struct port *port, struct packet *p, uint32_t n)
{
    struct sockets *s = (struct sockets *)port;
    uint32_t made = 0, slots = 0;

    while (slots < n) {
        if (s->ready_at == s->ready_count) {
            if (made > 0)
                break;
            s->ready_at = 0;
            s->ready_count = epoll_wait(s->epoll, s->ready, READY, 0);
            if (s->ready_count <= 0) {
                s->ready_count = 0;
                break;
            }
        }
        const struct own_socket *socket = &s->socket[s->ready[s->ready_at++].data.u32];
        uint32_t ask = socket->stream == UINT32_MAX ? PORT_BURST : PER_SOCKET;

        if (ask > n - slots)
            ask = n - slots;
        made += read_socket(s, socket, slots, p + made, ask);
        slots += ask;
    }
    return made;
}

static void received_done(struct port *port, struct packet *p, uint32_t n)
{
    (void)port;
    (void)p;
    (void)n;
}

static void wait_for(struct port *port, int64_t ns)
{
    struct sockets *s = (struct sockets *)port;
    const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    if (s->ready_at < s->ready_count)
        return;
    s->ready_at = 0;
    s->ready_count = epoll_pwait2(s->epoll, s->ready, READY, &time, NULL);
    if (s->ready_count < 0) {
        if (errno == ENOSYS) // before Linux 5.11
            clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
        s->ready_count = 0;
    }
}

static void counters(struct port *port, struct port_counters *c)
{
    const struct sockets *s = (const struct sockets *)port;

    *c = (struct port_counters){.missed = buffer_errors() - s->missed_before, .stray = s->stray};
}

// ---- opening ------------------------------------------------------------------------------------------

static void close_all(struct port *port)
{
    struct sockets *s = (struct sockets *)port;

    for (uint32_t i = 0; i < s->sockets; i++)
        if (s->socket[i].fd >= 0)
            close(s->socket[i].fd);
    if (s->epoll >= 0)
        close(s->epoll);
    demux_fini(&s->demux);
    free(s->socket_of);
    free(s->socket);
    free(s);
}

static const struct port_ops ops = {
    .buffers = buffers,
    .send = send_packets,
    .unused = unused,
    .receive = receive,
    .received_done = received_done,
    .wait = wait_for,
    .counters = counters,
    .close = close_all,
};

// Decides which streams share a socket. 0, -ENOMEM, or -EEXIST with a sentence.
static int assign_sockets(struct sockets *s, uint32_t count, char *error, size_t size)
{
    static const struct endpoint nowhere = {0, 0};
    struct demux locals = {0};
    int failed = demux_init(&locals, count);

    for (uint32_t i = 0; i < count && failed == 0; i++) {
        const struct endpoint *local = &s->flows[i].local;
        uint32_t at = demux_get(&locals, local, &nowhere);

        if (at == UINT32_MAX) {
            at = s->sockets++;
            s->socket[at] = (struct own_socket){.fd = -1, .stream = i};
            demux_put(&locals, local, &nowhere, at);
        } else {
            s->socket[at].stream = UINT32_MAX;
        }
        s->socket_of[i] = at;
        if (demux_put(&s->demux, &(struct endpoint){at, 0}, &s->flows[i].remote, i) != 0) {
            char text[32];
            print_endpoint(text, sizeof text, local);
            snprintf(error, size,
                     "stream %u has the local and the remote address of one before it (local %s)", i, text);
            failed = -EEXIST;
        }
    }
    demux_fini(&locals);
    return failed;
}

static int raise_limit(uint32_t sockets, char *error, size_t size)
{
    const rlim_t need = (rlim_t)sockets + SPARE_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return 0;
    const rlim_t hard = limit.rlim_max;
    limit.rlim_cur = need;
    if (need > hard)
        limit.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return 0;
    snprintf(
        error, size,
        "%u sockets need %llu descriptors, but the limit is %llu and may not be raised without CAP_SYS_RESOURCE: "
        "raise `ulimit -n`, let streams share a local port (--local IP:PORT), "
        "or give several programs a part each (--first)",
        sockets, (unsigned long long)need, (unsigned long long)hard);
    return -EMFILE;
}

static int open_socket(struct sockets *s, uint32_t index, const struct endpoint *local, char *error,
                       size_t size)
{
    const struct sockaddr_in at = address_of(local);
    struct own_socket *socket_ = &s->socket[index];
    struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = index}};
    const int wide = SHARED_BUFFER;

    socket_->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_->fd < 0 || bind(socket_->fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        const int failed = -errno;
        char text[32];

        print_endpoint(text, sizeof text, local);
        snprintf(error, size, "can't listen on %s: %s", text, strerror(-failed));
        return failed;
    }
    if (socket_->stream == UINT32_MAX) {
        if (setsockopt(socket_->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wide, sizeof wide) != 0)
            setsockopt(socket_->fd, SOL_SOCKET, SO_RCVBUF, &wide, sizeof wide);
        if (setsockopt(socket_->fd, SOL_SOCKET, SO_SNDBUFFORCE, &wide, sizeof wide) != 0)
            setsockopt(socket_->fd, SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide);
    }
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, socket_->fd, &event) != 0) {
        const int failed = -errno;
        snprintf(error, size, "can't wait for sockets: %s", strerror(-failed));
        return failed;
    }
    return 0;
}

int sockets_open(const struct stream_options *o, const struct flow *flows, uint32_t count, struct port **port,
                 char *error, size_t size)
{
    struct sockets *s = calloc(1, sizeof *s);
    int failed = -ENOMEM;

    (void)o;
    snprintf(error, size, "out of memory");
    if (s == NULL)
        return failed;
    s->port.ops = &ops;
    s->flows = flows;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->socket = calloc(count, sizeof *s->socket);
    s->socket_of = calloc(count, sizeof *s->socket_of);
    for (; s->free_slots < PORT_BURST; s->free_slots++)
        s->free_slot[s->free_slots] = s->tx[s->free_slots];
    if (s->epoll >= 0 && s->socket != NULL && s->socket_of != NULL && demux_init(&s->demux, count) == 0)
        failed = assign_sockets(s, count, error, size);
    if (failed == 0)
        failed = raise_limit(s->sockets, error, size);
    for (uint32_t i = 0, next = 0; i < count && failed == 0; i++) {
        if (s->socket_of[i] != next) // of a stream before it
            continue;
        failed = open_socket(s, next++, &flows[i].local, error, size);
    }
    if (failed != 0) {
        close_all(&s->port);
        return failed;
    }
    s->missed_before = buffer_errors();
    snprintf(s->port.name, sizeof s->port.name, "%u kernel socket%s", s->sockets, s->sockets == 1 ? "" : "s");
    *port = &s->port;
    return 0;
}
