// SPDX-License-Identifier: BSD-3-Clause
// Connections, over TCP and TLS: accepted, and made on demand and used again, one to a remote address. What lies between
// one and its socket is its link.
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "control/base/wipe.h"
#include "control/sip/link.h"
#include "control/sip/stream.h"
#include "control/sip/transport_internal.h"

enum {
    ACCEPTS = 16,          // taken in one go
    READS = 4,             // of a connection in a turn
    OUT_MAX = 1 << 20,     // bytes that a peer may leave unread
    PAUSE_MS = 20,         // of reading from who sends too much
    ACCEPT_PAUSE_MS = 200, // when the process has no descriptors left
    PONG_MS = 10000,       // that an answer to a ping may take
    // Steps of handshakes in a turn of the loop: one may take a millisecond or two, and a call's set-up needs half a dozen turns.
    TURN_GREETINGS = 1,
};

enum conn_state {
    CONN_CONNECTING,
    CONN_GREETING, // its link's handshake
    CONN_OPEN,
};

struct sip_conn {
    struct sip_node node;  // by listener and remote address, a secure one of ours by its trunk too
    struct sip_node alias; // by where who made it listens, if its Via says so
    struct sip_listener *listener;
    struct tl_addr remote;
    uint32_t slot, generation;
    struct sip_place_holder *holder; // of one that was accepted
    struct sip_link link;
    enum conn_state state;
    struct event *readable, *writable;
    struct event *more; // the next turn, when this one's share was not enough
    bool doomed, accepted;
    bool stranger; // accepted, of nobody that we know
    bool paid;     // the gate has let in what is read next
    bool waits;    // for `more`: nothing is read before what is here has been handed on
    bool queued;   // for a step of its handshake
    TAILQ_ENTRY(sip_conn) greeting;
    struct sip_stream in;
    char *out;
    size_t out_len, out_room, out_sent;
    struct sip_waiter *waiters;
    struct wheel_timer timer;
    uint64_t partial_since, stalled_since; // ms, 0 = not
    uint64_t used;                         // ms, last whole message either way
    uint64_t pinged;                       // ms, our last ping
    bool ping_out;                         // it has no answer yet
    bool answers_pings;                    // one had
};

// ---- end -----------------------------------------------------------------------------------------------

static void free_events(struct sip_conn *conn)
{
    if (conn->readable)
        event_free(conn->readable);
    if (conn->writable)
        event_free(conn->writable);
    if (conn->more)
        event_free(conn->more);
}

static void conn_free(struct sip_conn *conn)
{
    struct sip_transport *transport = conn->listener->transport;
    transport->conns[conn->slot] = NULL;
    sip_places_give(&transport->places, conn->slot);
    sip_places_drop(&transport->places, conn->holder);
    transport->counters->tcp_open--;
    transport->accepted -= conn->accepted;
    transport->strangers -= conn->stranger;
    sip_table_remove(&transport->by_remote, &conn->node);
    sip_table_remove(&transport->by_remote, &conn->alias);
    wheel_cancel(loop_wheel(transport->loop), &conn->timer);
    free_events(conn);
    if (conn->queued)
        TAILQ_REMOVE(&transport->greetings, conn, greeting);
    conn->link.does->close(&conn->link);
    close(conn->link.fd);
    sip_stream_fini(&conn->in);
    wipe_free(conn->out);
    while (conn->waiters) {
        struct sip_waiter *waiter = conn->waiters;
        sip_waiter_cancel(waiter);
        waiter->broken(waiter->arg);
    }
    free(conn);
}

static void conn_break(struct sip_conn *conn)
{
    conn->listener->transport->counters->tcp_broken++;
    conn_free(conn);
}

// Ends one that never came to be open.
static void conn_refuse(struct sip_conn *conn)
{
    conn->listener->transport->counters->tcp_refused++;
    conn_free(conn);
}

void sip_tcp_close_all(struct sip_transport *transport)
{
    for (uint32_t i = 0; i < transport->conn_max; i++)
        if (transport->conns[i])
            conn_free(transport->conns[i]);
}

// ---- time ----------------------------------------------------------------------------------------------

static void conn_timer(void *arg);

// How long a peer has for what it began: the time in which any transaction ends.
static uint64_t patience(const struct sip_conn *conn)
{
    const struct sip_transport *transport = conn->listener->transport;
    uint32_t said = transport->config->control.message_timeout_ms;
    return said ? said : 64 * (uint64_t)transport->t1_ms;
}

static uint64_t idle_ms(const struct sip_conn *conn)
{
    uint32_t s = conn->listener->transport->config->control.idle_timeout_s;
    return s ? s * UINT64_C(1000) : WHEEL_DELAY_MAX;
}

// For what comes before the first message.
static uint64_t beginning(const struct sip_conn *conn)
{
    const struct sip_transport *transport = conn->listener->transport;
    return conn->accepted ? transport->handshake_timeout_ms : transport->connect_timeout_ms;
}

// When the next ping is due: only who made a connection pings on it.
static uint64_t ping_due(const struct sip_conn *conn)
{
    uint32_t interval = conn->listener->transport->crlf_ms;
    if (!interval || conn->accepted || conn->state != CONN_OPEN || (conn->ping_out && conn->answers_pings))
        return UINT64_MAX;
    return (conn->used > conn->pinged ? conn->used : conn->pinged) + interval;
}

static bool no_pong(const struct sip_conn *conn, uint64_t now)
{
    return conn->ping_out && conn->answers_pings && conn->pinged + PONG_MS <= now;
}

static uint64_t deadline(const struct sip_conn *conn)
{
    uint64_t at = conn->used + (conn->state == CONN_OPEN ? idle_ms(conn) : beginning(conn));
    if (conn->partial_since && conn->partial_since + patience(conn) < at)
        at = conn->partial_since + patience(conn);
    if (conn->stalled_since && conn->stalled_since + patience(conn) < at)
        at = conn->stalled_since + patience(conn);
    if (conn->ping_out && conn->answers_pings && conn->pinged + PONG_MS < at)
        at = conn->pinged + PONG_MS;
    return conn->doomed ? 0 : at;
}

static void conn_arm(struct sip_conn *conn)
{
    struct wheel *wheel = loop_wheel(conn->listener->transport->loop);
    uint64_t at = deadline(conn), ping = ping_due(conn);
    at = !conn->doomed && ping < at ? ping : at;
    wheel_add(wheel, &conn->timer, at > wheel->now ? at - wheel->now : 0, conn_timer, conn);
}

static bool conn_flush(struct sip_conn *conn);
static int conn_queue(struct sip_conn *conn, const void *bytes, size_t len);

// RFC 5626 4.4.1. Returns false when the connection is broken.
static bool conn_ping(struct sip_conn *conn)
{
    uint64_t now = loop_wheel(conn->listener->transport->loop)->now;
    conn->pinged = now;
    conn->ping_out = true;
    conn->listener->transport->counters->pings++;
    return conn_queue(conn, "\r\n\r\n", 4) == 0 && conn_flush(conn);
}

static void conn_timer(void *arg)
{
    struct sip_conn *conn = arg;
    struct wheel *wheel = loop_wheel(conn->listener->transport->loop);
    if (deadline(conn) > wheel->now) {
        if (ping_due(conn) <= wheel->now && !conn_ping(conn))
            conn_break(conn);
        else
            conn_arm(conn);
        return;
    }
    bool idle = !conn->doomed && conn->state == CONN_OPEN && !conn->partial_since && !conn->stalled_since &&
                !no_pong(conn, wheel->now);
    if (idle) {
        conn_free(conn);
    } else if (conn->state == CONN_OPEN) {
        conn_break(conn);
    } else {
        if (conn->state == CONN_GREETING && !conn->doomed)
            conn->link.does->late(&conn->link);
        conn_refuse(conn);
    }
}

// Breaks it from the timer: whoever is sending must not lose the ground under its feet.
static void conn_doom(struct sip_conn *conn)
{
    conn->doomed = true;
    event_del(conn->readable);
    event_del(conn->writable);
    event_del(conn->more);
    conn_arm(conn);
}

// ---- out -----------------------------------------------------------------------------------------------

// Writes what is queued. Returns false when the connection is broken.
static bool conn_flush(struct sip_conn *conn)
{
    uint64_t now = loop_wheel(conn->listener->transport->loop)->now;
    while (conn->out_sent < conn->out_len) {
        ssize_t n =
            conn->link.does->send(&conn->link, conn->out + conn->out_sent, conn->out_len - conn->out_sent);
        if (n == -EAGAIN) {
            if (!conn->stalled_since)
                conn->stalled_since = now ? now : 1;
            if (conn->link.wants_write) // else what comes sets it going again
                event_add(conn->writable, NULL);
            conn_arm(conn);
            return true;
        }
        if (n < 0)
            return false;
        conn->out_sent += (size_t)n;
        conn->stalled_since = 0;
    }
    if (conn->out) // else nothing was queued yet
        explicit_bzero(conn->out, conn->out_len);
    conn->out_len = conn->out_sent = 0;
    event_del(conn->writable);
    return true;
}

// Returns 0; -ENOBUFS when the peer does not read; -ENOMEM.
static int conn_queue(struct sip_conn *conn, const void *bytes, size_t len)
{
    if (conn->out_sent) {
        conn->out_len -= conn->out_sent;
        memmove(conn->out, conn->out + conn->out_sent, conn->out_len);
        explicit_bzero(conn->out + conn->out_len, conn->out_sent);
        conn->out_sent = 0;
    }
    if (conn->out_len + len > OUT_MAX)
        return -ENOBUFS;
    if (conn->out_len + len > conn->out_room) {
        // half as much again, so that what a peer leaves unread is copied a few times only
        size_t room = conn->out_len + len + conn->out_len / 2 + 1024;
        char *grown = wipe_realloc(conn->out, room);
        if (!grown)
            return -ENOMEM;
        conn->out = grown;
        conn->out_room = room;
    }
    memcpy(conn->out + conn->out_len, bytes, len);
    conn->out_len += len;
    return 0;
}

// ---- in ------------------------------------------------------------------------------------------------

enum taken {
    TAKEN_ALL,  // what is left is no whole message
    TAKEN_SOME, // this turn's share
    TAKEN_LAST, // the connection has gone, or ends from the timer
};

// Whether what begins next may be read. A peer that sends too much waits, a stranger loses its connection.
static enum taken conn_pay(struct sip_conn *conn)
{
    static const struct timeval pause = {0, PAUSE_MS * 1000L};
    struct sip_transport *transport = conn->listener->transport;
    if (conn->paid || !conn->accepted || !sip_stream_partial(&conn->in))
        return TAKEN_ALL;
    enum sip_gate_drop drop = sip_gate_message(transport->gate, conn->listener->config, &conn->remote,
                                               loop_wheel(transport->loop)->now);
    if (drop == SIP_GATE_peer_rate) {
        conn->waits = true;
        event_del(conn->readable);
        event_add(conn->more, &pause);
        return TAKEN_LAST;
    }
    conn->paid = drop == SIP_GATE_OPEN;
    if (conn->paid)
        return TAKEN_ALL;
    conn_break(conn);
    return TAKEN_LAST;
}

// Hands on what is whole, *left pieces at most.
static enum taken conn_take(struct sip_conn *conn, unsigned *left)
{
    struct sip_transport *transport = conn->listener->transport;
    uint32_t slot = conn->slot, generation = conn->generation;
    uint64_t now = loop_wheel(transport->loop)->now;
    struct sip_flow flow = sip_listener_flow(conn->listener, &conn->remote);
    flow.conn = slot;
    flow.conn_generation = generation;
    for (; *left; --*left) {
        char *message;
        size_t len;
        if (conn_pay(conn) == TAKEN_LAST)
            return TAKEN_LAST;
        switch (sip_stream_next(&conn->in, &message, &len)) {
        case SIP_STREAM_MORE:
            if (!sip_stream_partial(&conn->in))
                conn->partial_since = 0;
            else if (!conn->partial_since)
                conn->partial_since = now ? now : 1;
            conn_arm(conn);
            return TAKEN_ALL;
        case SIP_STREAM_PING:
            transport->counters->keep_alive++;
            conn->used = now;
            conn->paid = false;
            if (conn_queue(conn, "\r\n", 2) != 0 || !conn_flush(conn)) {
                conn_break(conn);
                return TAKEN_LAST;
            }
            break;
        case SIP_STREAM_PONG:
            conn->used = now;
            conn->ping_out = false;
            conn->answers_pings = true;
            break;
        case SIP_STREAM_MESSAGE:
            conn->used = now;
            conn->ping_out = false; // it is there
            conn->partial_since = 0;
            conn->paid = false;
            transport->receive(transport->arg, &flow, message, len);
            // what the message set off may have ended the connection, even given its slot away
            if (transport->conns[slot] != conn || conn->generation != generation)
                return TAKEN_LAST;
            explicit_bzero(message, len); // its SDP has keys
            if (conn->doomed)
                return TAKEN_LAST;
            break;
        default:
            transport->counters->rejects[SIP_REJECT_start_line]++;
            conn_break(conn);
            return TAKEN_LAST;
        }
    }
    return TAKEN_SOME;
}

// A connection's turn: what is here already, then what the kernel has.
static void conn_serve(struct sip_conn *conn)
{
    static const struct timeval next_turn = {0, 0};
    unsigned left = SIP_TURN_MESSAGES;
    for (unsigned i = 0;; i++) {
        char *p;
        size_t room;
        enum taken taken = conn_take(conn, &left);
        if (taken == TAKEN_SOME) {
            conn->waits = true;
            event_add(conn->more, &next_turn);
        }
        if (taken != TAKEN_ALL)
            return;
        if (i == READS) {
            // what the socket no longer has does not make it readable
            if (conn->link.does->pending(&conn->link)) {
                conn->waits = true;
                event_add(conn->more, &next_turn);
            }
            return;
        }
        if (sip_stream_room(&conn->in, &p, &room) != 0) {
            conn_break(conn);
            return;
        }
        ssize_t n = conn->link.does->recv(&conn->link, p, room);
        if (n == -EAGAIN) {
            if (conn->link.wants_write)
                event_add(conn->writable, NULL);
            return;
        }
        if (n <= 0) {
            // a peer that closes between messages has done nothing wrong
            if (n == 0 && !sip_stream_partial(&conn->in))
                conn_free(conn);
            else
                conn_break(conn);
            return;
        }
        sip_stream_filled(&conn->in, (size_t)n);
    }
}

static void conn_queue_greeting(struct sip_conn *conn);

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct sip_conn *conn = arg;
    (void)fd;
    (void)what;
    loop_now(conn->listener->transport->loop);
    if (conn->state == CONN_GREETING)
        conn_queue_greeting(conn);
    else if (conn->out_len && !conn_flush(conn)) // it may have waited to read before it could write on
        conn_break(conn);
    else if (!conn->waits)
        conn_serve(conn);
}

static void on_more(evutil_socket_t fd, short what, void *arg)
{
    struct sip_conn *conn = arg;
    (void)fd;
    (void)what;
    loop_now(conn->listener->transport->loop);
    conn->waits = false;
    event_add(conn->readable, NULL);
    conn_serve(conn);
}

// ---- handshake -----------------------------------------------------------------------------------------

static void conn_opened(struct sip_conn *conn)
{
    struct sip_transport *transport = conn->listener->transport;
    uint64_t now = loop_wheel(transport->loop)->now;
    conn->state = CONN_OPEN;
    conn->used = now;
    if (conn->accepted) // a peer that connects has something to say: the same patience as for half a message
        conn->partial_since = now ? now : 1;
    else
        transport->counters->tcp_connected++;
    event_add(conn->readable, NULL);
    conn_arm(conn);
    if (!conn_flush(conn))
        conn_break(conn);
    else if (conn->link.does->pending(&conn->link))
        conn_serve(conn);
}

// Handshakes take far more of the loop than messages do: they wait in a queue, of which a turn takes a few steps.
static void conn_queue_greeting(struct sip_conn *conn)
{
    static const struct timeval next_turn = {0, 0};
    struct sip_transport *transport = conn->listener->transport;
    event_del(conn->readable);
    event_del(conn->writable);
    if (conn->queued)
        return;
    conn->queued = true;
    TAILQ_INSERT_TAIL(&transport->greetings, conn, greeting);
    event_add(transport->greeter, &next_turn);
}

static void conn_greet(struct sip_conn *conn)
{
    int err = conn->link.does->greet(&conn->link);
    if (err == -EAGAIN)
        event_add(conn->link.wants_write ? conn->writable : conn->readable, NULL);
    else if (err)
        conn_refuse(conn);
    else
        conn_opened(conn);
}

void sip_tcp_greet(struct sip_transport *transport)
{
    static const struct timeval next_turn = {0, 0};
    for (unsigned i = 0; i < TURN_GREETINGS && !TAILQ_EMPTY(&transport->greetings); i++) {
        struct sip_conn *conn = TAILQ_FIRST(&transport->greetings);
        TAILQ_REMOVE(&transport->greetings, conn, greeting);
        conn->queued = false;
        if (!conn->doomed)
            conn_greet(conn);
    }
    if (!TAILQ_EMPTY(&transport->greetings))
        event_add(transport->greeter, &next_turn);
}

// The socket is there.
static void conn_connected(struct sip_conn *conn)
{
    if (!conn->link.does->greet) {
        conn_opened(conn);
        return;
    }
    conn->state = CONN_GREETING;
    if (conn->accepted)
        event_add(conn->readable, NULL); // its first word is the other side's
    else
        conn_queue_greeting(conn);
    conn_arm(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct sip_conn *conn = arg;
    (void)what;
    loop_now(conn->listener->transport->loop);
    if (conn->state == CONN_CONNECTING) {
        int err = 0;
        socklen_t len = sizeof err;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
        event_del(conn->writable);
        if (err)
            conn_refuse(conn);
        else
            conn_connected(conn);
    } else if (conn->state == CONN_GREETING) {
        conn_queue_greeting(conn);
    } else if (!conn_flush(conn)) {
        conn_break(conn);
    } else if (!conn->waits && conn->link.does->pending(&conn->link)) {
        conn_serve(conn); // it may have waited to write before it could read on
    }
}

// ---- beginning -----------------------------------------------------------------------------------------

// A secure connection is of the trunk that it was made for, as `trunk` says: to another one whose peer has the same address
// nobody has shown anything on it. 0: any that was accepted, and all that are not secure.
static struct siphash_value remote_key(const struct sip_listener *listener, const struct tl_addr *remote,
                                       uint32_t trunk)
{
    struct siphash h;
    siphash_init(&h, listener->transport->secret);
    siphash_update(&h, &listener->index, sizeof listener->index);
    siphash_update(&h, &trunk, sizeof trunk);
    siphash_update(&h, remote, sizeof *remote);
    return siphash_final(&h);
}

static bool is_secure(const struct sip_listener *listener)
{
    return tl_transport_row(listener->config->transport)->secure;
}

enum { OF_ALIAS = UINT32_MAX }; // no trunk's number

static struct sip_conn *find_alias(const struct sip_listener *listener, const struct tl_addr *remote)
{
    struct sip_node *node =
        sip_table_find(&listener->transport->by_remote, remote_key(listener, remote, OF_ALIAS));
    struct sip_conn *conn =
        node ? (struct sip_conn *)((char *)node - offsetof(struct sip_conn, alias)) : NULL;
    return conn && !conn->doomed ? conn : NULL;
}

void sip_tcp_alias(struct sip_transport *transport, const struct sip_flow *flow, uint16_t port)
{
    struct sip_conn *conn = flow->conn < transport->conn_max ? transport->conns[flow->conn] : NULL;
    if (!conn || conn->generation != flow->conn_generation || !conn->accepted || conn->alias.link)
        return;
    struct tl_addr at = conn->remote;
    at.port = port;
    if (!find_alias(conn->listener, &at))
        sip_table_add(&transport->by_remote, &conn->alias, remote_key(conn->listener, &at, OF_ALIAS));
}

static struct sip_conn *find_conn(struct sip_listener *listener, const struct tl_addr *remote, uint32_t trunk)
{
    struct sip_table *table = &listener->transport->by_remote;
    struct sip_node *node = sip_table_find(table, remote_key(listener, remote, trunk));
    struct sip_conn *conn = node ? (struct sip_conn *)((char *)node - offsetof(struct sip_conn, node)) : NULL;
    if (!conn || !conn->doomed)
        return conn;
    sip_table_remove(table, &conn->node);
    return NULL;
}

// The connection that what goes to the flow's trunk may take, or NULL.
static struct sip_conn *usable_conn(struct sip_listener *listener, const struct sip_flow *flow)
{
    struct sip_conn *conn = is_secure(listener) ? find_conn(listener, &flow->remote, flow->trunk) : NULL;
    if (conn && !conn->accepted)
        return conn;
    conn = is_secure(listener) ? find_alias(listener, &flow->remote) : NULL;
    if (!conn || !conn->link.does->vouches(&conn->link, flow->trunk))
        conn = find_conn(listener, &flow->remote, 0);
    return conn && conn->link.does->vouches(&conn->link, flow->trunk) ? conn : NULL;
}

// What a connection is made of. NULL: it cannot be had, or its link does not want it.
static struct sip_conn *conn_make(struct sip_listener *listener, int fd, const struct sip_flow *flow,
                                  bool accepted)
{
    struct sip_transport *transport = listener->transport;
    struct sip_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn->readable = event_new(loop_base(transport->loop), fd, EV_READ | EV_PERSIST, on_readable, conn);
    conn->writable = event_new(loop_base(transport->loop), fd, EV_WRITE | EV_PERSIST, on_writable, conn);
    conn->more = event_new(loop_base(transport->loop), -1, 0, on_more, conn);
    conn->link = (struct sip_link){.does = listener->link, .fd = fd};
    if (!conn->readable || !conn->writable || !conn->more ||
        listener->link->open(&conn->link, listener, flow, accepted) != 0) {
        free_events(conn);
        free(conn);
        return NULL;
    }
    return conn;
}

// The descriptor is the caller's until there is a connection.
static struct sip_conn *conn_new(struct sip_listener *listener, int fd, const struct sip_flow *flow,
                                 bool accepted)
{
    struct sip_transport *transport = listener->transport;
    const struct tl_addr *remote = &flow->remote;
    uint32_t slot;
    if (!sip_places_take(&transport->places, &slot))
        return NULL;
    struct sip_place_holder *holder = accepted ? sip_places_hold(&transport->places, remote) : NULL;
    struct sip_conn *conn = holder || !accepted ? conn_make(listener, fd, flow, accepted) : NULL;
    if (!conn) {
        sip_places_drop(&transport->places, holder);
        sip_places_give(&transport->places, slot);
        return NULL;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    conn->listener = listener;
    conn->accepted = accepted;
    conn->remote = *remote;
    conn->in.pongs = !accepted;
    conn->slot = slot;
    conn->holder = holder;
    // 0 names no connection
    conn->generation = ++transport->generation ? transport->generation : ++transport->generation;
    conn->used = loop_wheel(transport->loop)->now;
    transport->conns[slot] = conn;
    transport->counters->tcp_open++;
    struct siphash_value key =
        remote_key(listener, remote, is_secure(listener) && !accepted ? flow->trunk : 0);
    if (!sip_table_find(&transport->by_remote, key))
        sip_table_add(&transport->by_remote, &conn->node, key);
    return conn;
}

// Whether the gate lets it connect.
static bool may_connect(const struct sip_listener *listener, const struct tl_addr *remote)
{
    struct sip_transport *transport = listener->transport;
    const struct sip_gate_room room = {sip_places_of(&transport->places, remote), transport->accepted,
                                       transport->strangers, transport->conn_max};
    return sip_gate_connection(transport->gate, listener->config, remote, &room,
                               loop_wheel(transport->loop)->now) == SIP_GATE_OPEN;
}

static void accept_again(void *arg)
{
    struct sip_listener *listener = arg;
    event_add(listener->event, NULL);
}

void sip_tcp_accept(struct sip_listener *listener)
{
    struct sip_transport *transport = listener->transport;
    for (unsigned i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                // it stays readable: without a pause the loop would do nothing else
                transport->counters->tcp_refused++;
                event_del(listener->event);
                wheel_add(loop_wheel(transport->loop), &listener->pause, ACCEPT_PAUSE_MS, accept_again,
                          listener);
            }
            return;
        }
        struct tl_addr remote;
        bool known = tl_addr_from_sockaddr((struct sockaddr *)&from, &remote);
        struct sip_flow flow = sip_listener_flow(listener, &remote);
        struct sip_conn *conn =
            !known || !may_connect(listener, &remote) ? NULL : conn_new(listener, fd, &flow, true);
        if (!conn) {
            transport->counters->tcp_refused++;
            close(fd);
            continue;
        }
        conn->stranger = !sip_gate_is_peer(transport->gate, &remote);
        transport->accepted++;
        transport->strangers += conn->stranger;
        transport->counters->tcp_accepted++;
        conn_connected(conn);
    }
}

static int connect_to(struct sip_listener *listener, const struct sip_flow *flow, struct sip_conn **out)
{
    const struct tl_addr *remote = &flow->remote;
    struct tl_addr local = listener->config->address;
    int on = 1, fd = socket(remote->family == TL_AF_INET6 ? AF_INET6 : AF_INET,
                            SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    local.port = 0;
    struct sockaddr_storage from, to;
    socklen_t from_len = tl_addr_to_sockaddr(&local, &from), to_len = tl_addr_to_sockaddr(remote, &to);
    // the listener's address, a port of the kernel's choice at connect
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    int err = 0;
    if (bind(fd, (struct sockaddr *)&from, from_len) != 0)
        err = -errno;
    else if (connect(fd, (struct sockaddr *)&to, to_len) != 0 && errno != EINPROGRESS)
        err = -errno;
    struct sip_conn *conn = err ? NULL : conn_new(listener, fd, flow, false);
    if (!conn) {
        listener->transport->counters->tcp_refused++;
        close(fd);
        return err ? err : -ENOBUFS;
    }
    event_add(conn->writable, NULL); // writable: connected or failed
    conn_arm(conn);
    *out = conn;
    return 0;
}

int sip_tcp_send(struct sip_transport *transport, struct sip_flow *flow, const struct sip_bytes *bytes,
                 struct sip_waiter *waiter)
{
    struct sip_listener *listener = &transport->listeners[flow->listener];
    struct sip_conn *conn = NULL;
    if (flow->conn_generation) {
        conn = flow->conn < transport->conn_max ? transport->conns[flow->conn] : NULL;
        if (!conn || conn->generation != flow->conn_generation || conn->doomed)
            return -ENOTCONN;
    } else {
        conn = usable_conn(listener, flow);
        if (!conn) {
            int err = connect_to(listener, flow, &conn);
            if (!conn)
                return err;
        }
    }
    int err = conn_queue(conn, bytes->data, bytes->len);
    if (err) {
        conn_doom(conn);
        return err;
    }
    if (conn->state == CONN_OPEN)
        conn->used = loop_wheel(transport->loop)->now;
    flow->conn = conn->slot;
    flow->conn_generation = conn->generation;
    if (waiter && !waiter->link)
        sip_waiter_add(&conn->waiters, waiter);
    // an error is told to the waiters from the timer
    if (conn->state == CONN_OPEN && !conn_flush(conn))
        conn_doom(conn);
    return 0;
}

bool sip_tcp_vouches(const struct sip_transport *transport, const struct sip_flow *flow, uint32_t trunk)
{
    const struct sip_conn *conn = flow->conn < transport->conn_max ? transport->conns[flow->conn] : NULL;
    return conn && flow->conn_generation && conn->generation == flow->conn_generation &&
           conn->link.does->vouches(&conn->link, trunk);
}
