// SPDX-License-Identifier: BSD-3-Clause
#include "common/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/config.h"
#include "common/server_link.h"

enum { PENDING_MAX = 4 };

// Which descriptor epoll means.
enum { WATCH_LISTENER, WATCH_LINK, WATCH_BELL, WATCH_PENDING };

// Accepted, has not greeted yet. The oldest gives way, so idlers keep nobody out.
struct pending {
    int sock; // -1: free
    int pid;
    uint64_t order;
};

struct tl_server {
    struct tl_server_config config;
    char path[TL_PATH_LEN];
    struct stat file; // of the socket, to remove no other's
    int epoll;
    int listener;
    int spare; // given up for a moment when descriptors run out
    uint64_t accepted;
    uint32_t last_connection;
    struct pending pending[PENDING_MAX];
    struct tl_link link;
    struct tl_backlog backlog;
    struct tl_server_stats stats;
};

static const size_t backlog_bytes = sizeof(struct tl_backlog_entry) * TL_BACKLOG_MAX;

__attribute__((format(printf, 2, 3))) static void say(const struct tl_server *server, const char *format, ...)
{
    char sentence[TL_SENTENCE_LEN * 2];
    va_list args;

    if (!server->config.log)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    server->config.log(server->config.arg, sentence);
}

static int watch(const struct tl_server *server, int fd, uint32_t kind, uint32_t index)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | index};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

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

static int start_listening(struct tl_server *server)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    strcpy(addr.sun_path, server->path); // fits: checked in tl_server_open()

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
    if (rc < 0 || stat(server->path, &server->file) < 0 || listen(server->listener, PENDING_MAX) < 0)
        return -errno;
    return watch(server, server->listener, WATCH_LISTENER, 0);
}

static void stop_listening(struct tl_server *server)
{
    struct stat now;
    if (server->listener < 0)
        return;
    if (server->file.st_ino && stat(server->path, &now) == 0 && now.st_ino == server->file.st_ino &&
        now.st_dev == server->file.st_dev)
        unlink(server->path);
    close(server->listener);
}

int tl_server_open(struct tl_server **out, const struct tl_server_config *config)
{
    struct tl_server *server = calloc(1, sizeof *server);

    *out = NULL;
    if (!server)
        return -ENOMEM;
    server->config = *config;
    server->listener = server->epoll = server->spare = server->link.sock = -1;
    for (int i = 0; i < PENDING_MAX; i++)
        server->pending[i].sock = -1;
    // Pages come when they are touched, which is after a crash of control only.
    server->backlog.entry =
        mmap(NULL, backlog_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (server->backlog.entry == MAP_FAILED)
        server->backlog.entry = NULL;

    int rc = 0;
    size_t len = strlen(config->path);
    if (len == 0 || len >= sizeof server->path)
        rc = -ENAMETOOLONG;
    else if (!server->backlog.entry)
        rc = -ENOMEM;
    else {
        memcpy(server->path, config->path, len + 1);
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        rc = server->epoll < 0 || server->spare < 0 ? -errno : start_listening(server);
    }
    if (rc < 0) {
        if (rc == -EADDRINUSE)
            say(server,
                "%s: another process listens there or it is not a socket; stop that dataplane or change "
                "dataplane.socket",
                config->path);
        else
            say(server, "cannot listen on %s: %s; check that its folder exists and is ours to write",
                config->path, strerror(-rc));
        tl_server_close(server);
        return rc;
    }
    *out = server;
    return 0;
}

void tl_server_close(struct tl_server *server)
{
    if (!server)
        return;
    stop_listening(server);
    for (int i = 0; i < PENDING_MAX; i++)
        if (server->pending[i].sock >= 0)
            close(server->pending[i].sock);
    if (server->backlog.entry) {
        tl_link_fini(&server->link, &server->backlog);
        for (uint32_t i = server->backlog.next; i < server->backlog.count; i++)
            explicit_bzero(&server->backlog.entry[i], sizeof server->backlog.entry[i]);
        munmap(server->backlog.entry, backlog_bytes);
    }
    if (server->spare >= 0)
        close(server->spare);
    if (server->epoll >= 0)
        close(server->epoll);
    free(server);
}

int tl_server_fd(const struct tl_server *server)
{
    return server->epoll;
}

// ---- connections -------------------------------------------------------------------------------------

static void forget(struct pending *pending)
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
    tl_channel_send(sock, &answer, sizeof answer, NULL,
                    0); // if it does not get there, the end of the connection does
    server->stats.refused++;
    say(server, "control (pid %d) refused: %s", pid, sentence);
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
    struct pending *place = &server->pending[0];
    for (int i = 0; i < PENDING_MAX && place->sock >= 0; i++)
        if (server->pending[i].sock < 0 || server->pending[i].order < place->order)
            place = &server->pending[i];
    if (place->sock >= 0)
        forget(place);
    *place = (struct pending){.sock = sock, .pid = pid, .order = ++server->accepted};
    if (watch(server, sock, WATCH_PENDING, (uint32_t)(place - server->pending)) < 0)
        forget(place);
}

static void accept_all(struct tl_server *server)
{
    for (int i = 0; i < PENDING_MAX; i++) {
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
        say(server, "no descriptor left for a connection on %s; raise the limit of open files", server->path);
    }
}

static void drop_link(struct tl_server *server, const char *why)
{
    int pid = server->link.pid;
    uint32_t left = tl_link_fini(&server->link, &server->backlog);
    say(server, "control (pid %d) %s; commands of it still to be executed: %u", pid, why, left);
}

// Answers a greeting that fits: new rings, and out with the old control.
static void take_over(struct tl_server *server, struct pending *pending, unsigned loops)
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
            drop_link(server, "was replaced by a new one");
        rc = tl_channel_send(pending->sock, &answer, sizeof answer, fds, 2 + bells);
        while (bells)
            close(fds[2 + --bells]);
        if (rc < 0)
            tl_link_discard(&link);
    }
    if (rc < 0) {
        snprintf(sentence, sizeof sentence, "the dataplane cannot set up the channel: %s", strerror(-rc));
        refuse(server, pending->sock, pending->pid, rc, sentence);
        forget(pending);
        return;
    }
    pending->sock = -1;
    server->link = link;
    server->stats.handshakes++;
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)WATCH_LINK << 32};
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, link.sock, &e);
    for (unsigned i = 0; i < loops; i++)
        rc = rc ? rc : watch(server, link.loop[i].bell, WATCH_BELL, i);
    say(server, "control (pid %d) connected, control loops: %u", link.pid, loops);
    if (rc < 0)
        drop_link(server, "cannot be watched");
}

static void on_pending(struct tl_server *server, struct pending *pending)
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
        forget(pending);
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
    forget(pending);
}

static void on_link(struct tl_server *server)
{
    char byte;

    if (server->link.sock < 0)
        return;
    ssize_t n = recv(server->link.sock, &byte, sizeof byte, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    drop_link(server, n > 0 ? "sent something after its greeting and was disconnected" : "went away");
}

static void handle(struct tl_server *server, uint32_t kind, uint32_t index)
{
    switch (kind) {
    case WATCH_LISTENER:
        accept_all(server);
        break;
    case WATCH_LINK:
        on_link(server);
        break;
    case WATCH_PENDING:
        on_pending(server, &server->pending[index]);
        break;
    case WATCH_BELL: // tl_server_next() is called anyway
        break;
    }
}

void tl_server_poll(struct tl_server *server)
{
    struct epoll_event ready[2 + PENDING_MAX + TL_LOOPS_MAX];

    // Twice, for who was accepted in the first round has mostly greeted already.
    for (int round = 0; round < 2; round++) {
        int n = epoll_wait(server->epoll, ready, sizeof ready / sizeof ready[0], 0);
        // What an entry is about may have changed by an earlier one; each handler copes with "nothing there".
        for (int i = 0; i < n; i++)
            handle(server, (uint32_t)(ready[i].data.u64 >> 32), (uint32_t)ready[i].data.u64);
    }
}

// ---- messages ----------------------------------------------------------------------------------------

int tl_server_next(struct tl_server *server, struct tl_command *command, struct tl_origin *origin)
{
    struct tl_backlog *backlog = &server->backlog;

    if (backlog->next < backlog->count) {
        struct tl_backlog_entry *e = &backlog->entry[backlog->next++];
        *command = e->command;
        *origin = e->origin;
        explicit_bzero(e, sizeof *e);
        if (backlog->next == backlog->count)
            backlog->next = backlog->count = 0;
        server->stats.commands++;
        return 0;
    }
    if (server->link.sock < 0)
        return -EAGAIN;
    origin->connection = server->link.id;
    int rc = tl_link_next(&server->link, command, &origin->loop);
    if (rc == -EPROTO) {
        drop_link(server, "claims more than its rings hold and was disconnected");
        return backlog->count ? tl_server_next(server, command, origin) : -EAGAIN;
    }
    if (rc == 0)
        server->stats.commands++;
    return rc;
}

void tl_server_complete(struct tl_server *server, struct tl_origin origin,
                        const struct tl_completion *completion)
{
    if (server->link.sock < 0 || origin.connection != server->link.id || origin.loop >= server->link.loops) {
        server->stats.completions_orphaned++;
        return;
    }
    int rc = tl_link_complete(&server->link, origin.loop, completion);
    if (rc < 0)
        server->stats.completions_orphaned++;
    if (rc == -EALREADY) // ours to mend, and no reason to part from control
        say(server, "a command of control loop %u was answered twice; the second answer is dropped",
            origin.loop);
    else if (rc < 0)
        drop_link(server, "claims more than its rings hold and was disconnected");
    if (rc < 0)
        return;
    server->stats.completions++;
}

int tl_server_event(struct tl_server *server, uint32_t owner, const struct tl_event *event)
{
    int rc = -ENOTCONN;

    if (server->link.sock >= 0) {
        rc = tl_link_event(&server->link, owner % server->link.loops, event);
        if (rc == -EPROTO) {
            drop_link(server, "claims more than its rings hold and was disconnected");
            rc = -ENOTCONN;
        }
    }
    if (rc < 0)
        server->stats.events_lost++;
    else
        server->stats.events++;
    return rc == -EAGAIN ? -ENOBUFS : rc;
}

unsigned tl_server_loops(const struct tl_server *server)
{
    return server->link.sock >= 0 ? server->link.loops : 0;
}

void tl_server_stats(const struct tl_server *server, struct tl_server_stats *out)
{
    *out = server->stats;
}
