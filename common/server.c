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
#include <unistd.h>

#include "common/server_internal.h"

static const size_t backlog_bytes = sizeof(struct tl_backlog_entry) * TL_BACKLOG_MAX;

void tl_server_say(const struct tl_server *server, const char *format, ...)
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

int tl_server_watch(const struct tl_server *server, int fd, enum tl_watch kind, uint32_t index)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | index};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int tl_server_open(struct tl_server **out, const struct tl_server_config *config)
{
    struct tl_server *server = calloc(1, sizeof *server);

    *out = NULL;
    if (!server)
        return -ENOMEM;
    server->config = *config;
    server->listener = server->epoll = server->spare = server->link.sock = -1;
    for (int i = 0; i < TL_PENDING_MAX; i++)
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
        rc = server->epoll < 0 || server->spare < 0 ? -errno : tl_server_listen(server);
    }
    if (rc < 0) {
        if (rc == -EADDRINUSE)
            tl_server_say(
                server,
                "%s: another process listens there or it is not a socket; stop that dataplane or change "
                "dataplane.socket",
                config->path);
        else
            tl_server_say(server,
                          "cannot listen on %s: %s; check that its folder exists and is ours to write",
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
    tl_server_stop_listening(server);
    for (int i = 0; i < TL_PENDING_MAX; i++)
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

void tl_server_drop(struct tl_server *server, const char *why)
{
    int pid = server->link.pid;
    uint32_t left = tl_link_fini(&server->link, &server->backlog);
    tl_server_say(server, "control (pid %d) %s; commands of it still to be executed: %u", pid, why, left);
}

static void on_link(struct tl_server *server)
{
    char byte;

    if (server->link.sock < 0)
        return;
    ssize_t n = recv(server->link.sock, &byte, sizeof byte, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    tl_server_drop(server, n > 0 ? "sent something after its greeting and was disconnected" : "went away");
}

static void handle(struct tl_server *server, uint32_t kind, uint32_t index)
{
    switch (kind) {
    case TL_WATCH_LISTENER:
        tl_server_accept(server);
        break;
    case TL_WATCH_LINK:
        on_link(server);
        break;
    case TL_WATCH_PENDING:
        tl_server_greeted(server, &server->pending[index]);
        break;
    case TL_WATCH_OTHER:
        break;
    case TL_WATCH_BELL:
        server->link.loop[index].rung = true;
        break;
    }
}

// One look, of `ns` at most. Returns how many descriptors had something, or -errno.
static int look(struct tl_server *server, uint64_t ns)
{
    struct epoll_event ready[3 + TL_PENDING_MAX + TL_LOOPS_MAX];
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    int room = sizeof ready / sizeof ready[0];
    int n = epoll_pwait2(server->epoll, ready, room, &t, NULL);
    if (n < 0 && errno == ENOSYS) // Linux before 5.11, and valgrind
        n = epoll_wait(server->epoll, ready, room, (int)((ns + 999999) / 1000000));
    // What an entry is about may have changed by an earlier one; each handler copes with "nothing there".
    for (int i = 0; i < n; i++)
        handle(server, (uint32_t)(ready[i].data.u64 >> 32), (uint32_t)ready[i].data.u64);
    return n < 0 ? -errno : n;
}

int tl_server_wait(struct tl_server *server, uint64_t ns)
{
    uint64_t accepted = server->accepted;
    int n = look(server, ns);
    if (server->accepted != accepted) // who was accepted has mostly greeted already
        look(server, 0);
    return n == -EINTR ? 0 : n;
}

void tl_server_poll(struct tl_server *server)
{
    tl_server_wait(server, 0);
}

int tl_server_watch_other(struct tl_server *server, int fd)
{
    return tl_server_watch(server, fd, TL_WATCH_OTHER, 0);
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
    int rc = tl_link_next(&server->link, command, origin);
    if (rc == -EPROTO) {
        tl_server_drop(server, "claims more than its rings hold and was disconnected");
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
    int rc = tl_link_complete(&server->link, &origin, completion);
    if (rc < 0)
        server->stats.completions_orphaned++;
    if (rc == -EALREADY) // ours to mend, and no reason to part from control
        tl_server_say(server, "a command of control loop %u was answered twice; the second answer is dropped",
                      origin.loop);
    else if (rc < 0)
        tl_server_drop(server, "claims more than its rings hold and was disconnected");
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
            tl_server_drop(server, "claims more than its rings hold and was disconnected");
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

size_t tl_server_bytes(const struct tl_server *server)
{
    return server->link.rings.size;
}

void tl_server_stats(const struct tl_server *server, struct tl_server_stats *out)
{
    *out = server->stats;
}
