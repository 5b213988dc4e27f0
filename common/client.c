// SPDX-License-Identifier: BSD-3-Clause
#include "common/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/config/config.h"
#include "common/segment.h"

// What one loop's thread uses; nothing in it is written by another thread between two handshakes.
struct client_loop {
    struct tl_ring command;
    struct tl_ring completion;
    struct tl_ring event;
    int bell;
    int event_bell;
    int epoll;            // of the bells, stays over connections
    uint32_t outstanding; // commands without completion
    bool broken;          // the dataplane broke the rules of a ring
};

struct tl_client {
    char path[TL_PATH_LEN];
    char error[TL_SENTENCE_LEN * 2];
    unsigned loops;
    int epoll; // of the connection
    int sock;  // -1: away
    enum tl_client_state state;
    struct tl_segment rings; // kept after a loss for what is left in them
    struct tl_live_view live;
    struct tl_live_view previous;
    struct client_loop loop[TL_LOOPS_MAX];
};

static int add_to_epoll(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int tl_client_open(struct tl_client **out, const char *path, unsigned loops)
{
    size_t len = strlen(path);

    *out = NULL;
    if (loops < 1 || loops > TL_LOOPS_MAX)
        return -EINVAL;
    if (len == 0 || len >= TL_PATH_LEN)
        return -ENAMETOOLONG;
    struct tl_client *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    memcpy(c->path, path, len + 1);
    c->loops = loops;
    c->sock = -1;
    int rc = 0;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll < 0)
        rc = -errno;
    for (unsigned i = 0; i < TL_LOOPS_MAX; i++) {
        struct client_loop *l = &c->loop[i];
        l->bell = l->event_bell = l->epoll = -1;
        if (rc == 0 && i < loops && (l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
            rc = -errno;
    }
    if (rc < 0) {
        tl_client_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

// Ends the connection but keeps the rings, so that what the dataplane published can still be taken.
static void hang_up(struct tl_client *c)
{
    if (c->sock >= 0)
        close(c->sock);
    c->sock = -1;
    c->state = TL_CLIENT_AWAY;
    for (unsigned i = 0; i < c->loops; i++) {
        struct client_loop *l = &c->loop[i];
        if (l->bell >= 0)
            close(l->bell);
        if (l->event_bell >= 0)
            close(l->event_bell);
        l->bell = l->event_bell = -1;
    }
}

static void drop_rings(struct tl_client *c)
{
    tl_segment_close(&c->rings);
    for (unsigned i = 0; i < c->loops; i++) {
        c->loop[i].outstanding = 0;
        c->loop[i].broken = false;
    }
}

void tl_client_close(struct tl_client *client)
{
    if (!client)
        return;
    hang_up(client);
    drop_rings(client);
    tl_live_close(&client->live);
    tl_live_close(&client->previous);
    for (unsigned i = 0; i < client->loops; i++)
        if (client->loop[i].epoll >= 0)
            close(client->loop[i].epoll);
    if (client->epoll >= 0)
        close(client->epoll);
    free(client);
}

// ---- the connection ----------------------------------------------------------------------------------

#define FAIL(c, ...) snprintf((c)->error, sizeof(c)->error, __VA_ARGS__)

static int connect_failed(struct tl_client *c, int error)
{
    hang_up(c);
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        FAIL(c, "no dataplane listens on %s; start trunkline-dataplane with the same configuration", c->path);
        break;
    case EACCES:
        FAIL(c, "%s belongs to another user; run control as the dataplane's user or as root", c->path);
        break;
    case EAGAIN:
        FAIL(c, "the dataplane on %s does not take connections; it is busy or hangs", c->path);
        break;
    default:
        FAIL(c, "cannot connect to the dataplane on %s: %s", c->path, strerror(error));
    }
    return -error;
}

int tl_client_connect(struct tl_client *client)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct tl_greeting hello;
    uint32_t uid;
    int pid;

    hang_up(client);
    drop_rings(client);
    client->error[0] = '\0';
    memcpy(addr.sun_path, client->path, strlen(client->path));
    client->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->sock < 0 || connect(client->sock, (struct sockaddr *)&addr, sizeof addr) < 0)
        return connect_failed(client, errno);
    int rc = tl_channel_peer(client->sock, &uid, &pid);
    if (rc < 0)
        return connect_failed(client, -rc);
    if (!tl_channel_trusts(uid)) {
        hang_up(client);
        FAIL(client, "the dataplane on %s runs as user %u; call keys go only to root or our own user %u",
             client->path, uid, (unsigned)geteuid());
        return -EACCES;
    }
    tl_greeting_init(&hello, client->loops);
    rc = tl_channel_send(client->sock, &hello, sizeof hello, NULL, 0);
    if (rc == -EPIPE || rc == -ECONNRESET)
        rc = 0; // refused already; the reason waits to be read
    if (rc == 0)
        rc = add_to_epoll(client->epoll, client->sock);
    if (rc < 0)
        return connect_failed(client, -rc);
    client->state = TL_CLIENT_GREETING;
    return 0;
}

// Maps what came with a greeting that fits. The descriptors taken over are set to -1.
static int move_in(struct tl_client *c, const struct tl_greeting *got, int *fds)
{
    size_t size = tl_channel_rings_size(c->loops);
    struct tl_live_view live;

    if (got->rings_size != size)
        return -EPROTO;
    int rc = tl_segment_open(&c->rings, fds[0], size, TL_SEGMENT_SHARED);
    if (rc < 0)
        return rc;
    fds[0] = -1;
    rc = tl_live_open(&live, fds[1]);
    if (rc < 0)
        return rc;
    fds[1] = -1;
    if (live.incarnation != got->incarnation || live.segment.size != got->live_size) {
        tl_live_close(&live);
        return -EPROTO;
    }
    if (live.incarnation == c->live.incarnation) {
        tl_live_close(&live); // the same table once more; pointers into the first stay valid
    } else {
        tl_live_close(&c->previous);
        c->previous = c->live;
        c->live = live;
    }
    for (unsigned i = 0; i < c->loops; i++) {
        struct client_loop *l = &c->loop[i];
        tl_channel_rings_init(c->rings.base, i, &l->command, &l->completion, &l->event);
        l->bell = fds[2 + TL_LOOP_FDS * i];
        l->event_bell = fds[3 + TL_LOOP_FDS * i];
        fds[2 + TL_LOOP_FDS * i] = fds[3 + TL_LOOP_FDS * i] = -1;
        if ((rc = add_to_epoll(l->epoll, l->bell)) < 0 || (rc = add_to_epoll(l->epoll, l->event_bell)) < 0)
            return rc;
    }
    return 0;
}

static void on_greeting(struct tl_client *c)
{
    struct tl_greeting got = {0};
    int fds[TL_CHANNEL_FDS_MAX], rc = 0;
    unsigned count;
    char peer[TL_PATH_LEN + 32], sentence[TL_SENTENCE_LEN];

    int n = tl_channel_recv(c->sock, &got, sizeof got, fds, TL_CHANNEL_FDS_MAX, &count);
    if (n == -ECONNRESET) // it hung up without reading our greeting; what it said before that comes now
        n = tl_channel_recv(c->sock, &got, sizeof got, fds, TL_CHANNEL_FDS_MAX, &count);
    if (n == -EAGAIN || n == -EINTR)
        return;
    snprintf(peer, sizeof peer, "the dataplane on %s", c->path);
    if (n == -EMSGSIZE)
        n = sizeof got + 1; // longer than ours; its beginning says which version that is
    if (n <= 0) {
        FAIL(c, "%s closed the connection without an answer; its log says why", peer);
        hang_up(c);
        return;
    }
    // What differs is said by this side too: a dataplane of another version may put its sentence elsewhere.
    if (!tl_greeting_fits(&got, (size_t)n, peer, "this control", sentence)) {
        FAIL(c, "%s", sentence);
        rc = -EPROTO;
    } else if (got.status != 0) {
        got.sentence[sizeof got.sentence - 1] = '\0';
        FAIL(c, "%s refused us: %s", peer, got.sentence);
        rc = -EPROTO;
    } else if (got.loops != c->loops || count != 2 + TL_LOOP_FDS * c->loops) {
        FAIL(c, "%s answered for %u control loops with %u descriptors, asked for were %u loops", peer,
             got.loops, count, c->loops);
        rc = -EPROTO;
    } else if ((rc = move_in(c, &got, fds)) < 0) {
        FAIL(c, "%s sent segments that cannot be used (%s); restart it", peer, strerror(-rc));
    }
    while (count)
        if (fds[--count] >= 0)
            close(fds[count]);
    if (rc < 0) {
        hang_up(c);
        drop_rings(c);
    } else {
        c->state = TL_CLIENT_UP;
    }
}

static void on_connection(struct tl_client *c)
{
    char byte;
    bool broken = false;

    ssize_t n = recv(c->sock, &byte, sizeof byte, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    for (unsigned i = 0; i < c->loops; i++)
        broken |= c->loop[i].broken;
    if (broken || n > 0)
        FAIL(c, "the dataplane on %s broke the rules of the channel and was left", c->path);
    else
        FAIL(c, "the dataplane on %s went away", c->path);
    hang_up(c);
}

enum tl_client_state tl_client_poll(struct tl_client *client)
{
    if (client->state == TL_CLIENT_GREETING)
        on_greeting(client);
    else if (client->state == TL_CLIENT_UP)
        on_connection(client);
    return client->state;
}

enum tl_client_state tl_client_state(const struct tl_client *client)
{
    return client->state;
}

const char *tl_client_error(const struct tl_client *client)
{
    return client->error;
}

int tl_client_fd(const struct tl_client *client)
{
    return client->epoll;
}

int tl_client_loop_fd(const struct tl_client *client, unsigned loop)
{
    return client->loop[loop].epoll;
}

const struct tl_live_view *tl_client_live(const struct tl_client *client)
{
    return client->live.incarnation ? &client->live : NULL;
}

const struct tl_live_view *tl_client_previous_live(const struct tl_client *client)
{
    return client->previous.incarnation ? &client->previous : NULL;
}

void tl_client_forget_previous(struct tl_client *client)
{
    tl_live_close(&client->previous);
}

// ---- messages ----------------------------------------------------------------------------------------

// Shutting the socket down wakes tl_client_poll() in its own thread, which does the rest.
static int break_off(const struct tl_client *c, struct client_loop *l)
{
    l->broken = true;
    if (c->sock >= 0)
        shutdown(c->sock, SHUT_RDWR);
    return -EPROTO;
}

int tl_client_send(struct tl_client *client, unsigned loop, const struct tl_command *command)
{
    struct client_loop *l = &client->loop[loop];

    if (client->state != TL_CLIENT_UP)
        return -ENOTCONN;
    if (l->broken)
        return -EPROTO;
    if (l->outstanding >= TL_RING_SLOTS)
        return -EAGAIN;
    // Fewer are outstanding than there are slots, so a full ring is a peer that does not keep its counter.
    if (tl_ring_push(&l->command, command) < 0)
        return break_off(client, l);
    l->outstanding++;
    if (!(command->flags & TL_COMMAND_QUIET))
        tl_bell_ring(l->bell);
    return 0;
}

// Takes from a ring; on an empty one clears the bell and looks once more, so that no ring is missed.
static int take(struct tl_client *c, struct client_loop *l, struct tl_ring *ring, int bell, void *out)
{
    if (!c->rings.base)
        return -ENOTCONN;
    if (l->broken)
        return -EPROTO;
    int rc = tl_ring_pop(ring, out);
    if (rc == -EAGAIN && c->state != TL_CLIENT_UP)
        return -ENOTCONN;
    if (rc == -EAGAIN) {
        tl_bell_clear(bell);
        rc = tl_ring_pop(ring, out);
    }
    return rc == -EPROTO ? break_off(c, l) : rc;
}

int tl_client_completion(struct tl_client *client, unsigned loop, struct tl_completion *out)
{
    struct client_loop *l = &client->loop[loop];
    int rc = take(client, l, &l->completion, l->bell, out);

    if (rc == 0 && l->outstanding-- == 0) {
        l->outstanding = 0;
        return break_off(client, l);
    }
    return rc;
}

int tl_client_event(struct tl_client *client, unsigned loop, struct tl_event *out)
{
    struct client_loop *l = &client->loop[loop];
    return take(client, l, &l->event, l->event_bell, out);
}

unsigned tl_client_outstanding(const struct tl_client *client, unsigned loop)
{
    return client->loop[loop].outstanding;
}
