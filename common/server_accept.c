// SPDX-License-Identifier: BSD-3-Clause
// The server's socket, who may come in by it, and the handshake.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/server_internal.h"

// ---- the listening socket ----------------------------------------------------------------------------

// Is a socket file that bind() tripped over left from a crash? Then nobody listens on it.
static bool is_stale(const struct sockaddr_un *addr)
{
    struct stat st;
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return false;
    bool stale = lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
                 connect(sock, (const struct sockaddr *)addr, sizeof *addr) < 0 && errno == ECONNREFUSED;
    close(sock);
    return stale;
}

int tl_server_listen(struct tl_server *server)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    // fits: checked in tl_server_open()
    memcpy(addr.sun_path, server->path, strlen(server->path) + 1);

    server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // The mode of the socket becomes that of its file, at once.
    if (server->listener < 0 || fchmod(server->listener, 0600) < 0)
        return -errno;
    int rc = bind(server->listener, (struct sockaddr *)&addr, sizeof addr);
    if (rc < 0 && errno == EADDRINUSE) {
        if (!is_stale(&addr))
            return -EADDRINUSE;
        if (unlink(server->path) < 0)
            return -errno;
        rc = bind(server->listener, (struct sockaddr *)&addr, sizeof addr);
    }
    if (rc < 0 || stat(server->path, &server->file) < 0 || listen(server->listener, TL_PENDING_MAX) < 0)
        return -errno;
    return tl_server_watch(server, server->listener, TL_WATCH_LISTENER, 0);
}

void tl_server_stop_listening(struct tl_server *server)
{
    struct stat now;
    if (server->listener < 0)
        return;
    if (server->file.st_ino && stat(server->path, &now) == 0 && now.st_ino == server->file.st_ino &&
        now.st_dev == server->file.st_dev)
        unlink(server->path);
    close(server->listener);
}

// ---- connections -------------------------------------------------------------------------------------

void tl_server_forget(struct tl_pending *pending)
{
    close(pending->sock); // leaves epoll with it
    pending->sock = -1;
}

static void refuse(struct tl_server *server, int sock, int pid, int status, const char *sentence)
{
    struct tl_greeting answer;

    tl_greeting_init(&answer, 0);
    answer.status = status;
    snprintf(answer.sentence, sizeof answer.sentence, "%s", sentence);
    // If it does not get there, the end of the connection does.
    tl_channel_send(sock, &answer, sizeof answer, NULL, 0);
    server->stats.refused++;
    tl_server_say(server, "control (pid %d) refused: %s", pid, sentence);
}

static void accept_one(struct tl_server *server, int sock)
{
    char sentence[TL_SENTENCE_LEN];
    uint32_t uid = UINT32_MAX;
    int pid = 0, rc = tl_channel_peer(sock, &uid, &pid);

    if (rc < 0 || !tl_channel_trusts(uid)) {
        snprintf(sentence, sizeof sentence,
                 "it runs as user %u and this dataplane as %u; run both as the same user, or control as root",
                 uid, (unsigned)geteuid());
        refuse(server, sock, pid, -EPERM, sentence);
        close(sock);
        return;
    }
    struct tl_pending *place = &server->pending[0];
    for (int i = 0; i < TL_PENDING_MAX && place->sock >= 0; i++)
        if (server->pending[i].sock < 0 || server->pending[i].order < place->order)
            place = &server->pending[i];
    if (place->sock >= 0)
        tl_server_forget(place);
    *place = (struct tl_pending){.sock = sock, .pid = pid, .order = ++server->accepted};
    if (tl_server_watch(server, sock, TL_WATCH_PENDING, (uint32_t)(place - server->pending)) < 0)
        tl_server_forget(place);
}

void tl_server_accept(struct tl_server *server)
{
    for (int i = 0; i < TL_PENDING_MAX; i++) {
        int sock = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (sock >= 0) {
            accept_one(server, sock);
            continue;
        }
        if (errno != EMFILE && errno != ENFILE)
            return;
        // Without a descriptor the caller cannot even be turned away, and would keep us awake.
        close(server->spare);
        sock = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (sock >= 0)
            close(sock);
        server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        tl_server_say(server, "no descriptor left for a connection on %s; raise the limit of open files",
                      server->path);
    }
}

// Answers a greeting that fits: new rings, and out with the old control.
static void take_over(struct tl_server *server, struct tl_pending *pending, unsigned loops)
{
    int fds[TL_CHANNEL_FDS_MAX];
    unsigned bells = TL_LOOP_FDS * loops;
    struct tl_link link;
    struct tl_greeting answer;
    char sentence[TL_SENTENCE_LEN];

    if (++server->last_connection == 0)
        server->last_connection = 1;
    int rc = tl_link_init(&link, pending->sock, pending->pid, server->last_connection, loops, fds + 2);
    if (rc == 0) {
        tl_greeting_init(&answer, loops);
        answer.incarnation = server->config.live->incarnation;
        answer.rings_size = link.rings.size;
        answer.live_size = server->config.live->segment.size;
        fds[0] = link.rings.fd;
        fds[1] = server->config.live->segment.fd;
        if (server->link.sock >= 0)
            tl_server_drop(server, "was replaced by a new one");
        rc = tl_channel_send(pending->sock, &answer, sizeof answer, fds, 2 + bells);
        while (bells)
            close(fds[2 + --bells]);
        if (rc < 0)
            tl_link_discard(&link);
    }
    if (rc < 0) {
        snprintf(sentence, sizeof sentence, "the dataplane cannot set up the channel: %s", strerror(-rc));
        refuse(server, pending->sock, pending->pid, rc, sentence);
        tl_server_forget(pending);
        return;
    }
    pending->sock = -1;
    server->link = link;
    server->stats.handshakes++;
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)TL_WATCH_LINK << 32};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, link.sock, &e);
    for (unsigned i = 0; i < loops; i++)
        rc = rc ? rc : tl_server_watch(server, link.loop[i].bell, TL_WATCH_BELL, i);
    tl_server_say(server, "control (pid %d) connected, control loops: %u", link.pid, loops);
    if (rc < 0)
        tl_server_drop(server, "cannot be watched");
}

void tl_server_greeted(struct tl_server *server, struct tl_pending *pending)
{
    struct tl_greeting got;
    char sentence[TL_SENTENCE_LEN], peer[48];
    unsigned count;

    // The old control's commands come first, and there is one backlog: the greeting waits in its socket.
    if (pending->sock < 0 || server->backlog.next < server->backlog.count)
        return;
    int n = tl_channel_recv(pending->sock, &got, sizeof got, NULL, 0, &count);
    if (n == -EAGAIN)
        return;
    if (n == -EMSGSIZE)
        n = sizeof got + 1; // longer than ours: another version, or not control
    if (n <= 0) {
        tl_server_forget(pending);
        return;
    }
    snprintf(peer, sizeof peer, "control (pid %d)", pending->pid);
    bool fits = tl_greeting_fits(&got, (size_t)n, peer, "this dataplane", sentence);
    if (fits && (got.loops < 1 || got.loops > TL_LOOPS_MAX)) {
        fits = false;
        snprintf(sentence, sizeof sentence, "%s asks for %u control loops; 1 to %u are possible", peer,
                 got.loops, (unsigned)TL_LOOPS_MAX);
    }
    if (fits) {
        take_over(server, pending, got.loops);
        return;
    }
    refuse(server, pending->sock, pending->pid, -EPROTO, sentence);
    tl_server_forget(pending);
}
