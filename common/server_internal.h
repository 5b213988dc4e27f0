// SPDX-License-Identifier: BSD-3-Clause
// The server's inside, shared by server.c (life and messages) and server_accept.c (socket and handshake).
#pragma once

#include <sys/stat.h>

#include "common/config/config.h"
#include "common/server_link.h"

enum { TL_PENDING_MAX = 4 };

// Which descriptor epoll means.
enum tl_watch { TL_WATCH_LISTENER, TL_WATCH_LINK, TL_WATCH_BELL, TL_WATCH_PENDING, TL_WATCH_OTHER };

// Accepted, has not greeted yet. The oldest gives way, so idlers keep nobody out.
struct tl_pending {
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
    struct tl_pending pending[TL_PENDING_MAX];
    struct tl_link link;
    struct tl_backlog backlog;
    struct tl_server_stats stats;
};

// Hands a sentence to the log.
__attribute__((format(printf, 2, 3))) void tl_server_say(const struct tl_server *server, const char *format,
                                                         ...);

// Adds a descriptor to the server's epoll. 0 or -errno.
int tl_server_watch(const struct tl_server *server, int fd, enum tl_watch kind, uint32_t index);

// Parts from the control of now; `why` completes the sentence "control (pid 1) ...".
void tl_server_drop(struct tl_server *server, const char *why);

// Binds the socket and listens. 0 or -errno; either way tl_server_stop_listening() cleans up.
int tl_server_listen(struct tl_server *server);
void tl_server_stop_listening(struct tl_server *server);

// The listening socket is readable: takes who waits.
void tl_server_accept(struct tl_server *server);

// Someone who was accepted greets or goes. Nothing there is fine.
void tl_server_greeted(struct tl_server *server, struct tl_pending *pending);

void tl_server_forget(struct tl_pending *pending);
