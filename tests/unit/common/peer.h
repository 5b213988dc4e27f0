// SPDX-License-Identifier: BSD-3-Clause
// For tests of the channel: a place for sockets, a server whose sentences are kept, and hand-made peers that
// can break every rule.
#pragma once

#include "common/channel.h"
#include "common/client.h"
#include "common/live.h"
#include "common/segment.h"
#include "common/server.h"

// Socket path in a folder made for this program; peer_cleanup() removes it. peer_setup() returns false when
// it cannot.
extern char peer_path[64];
bool peer_setup(void);
void peer_cleanup(void);

// A server with a live table of its own.
struct peer_server {
    struct tl_live_table live;
    struct tl_server *server;
    char said[4096]; // every sentence, one a line
};

int peer_server_open(struct peer_server *s);
void peer_server_close(struct peer_server *s);
void peer_server_turn(struct peer_server *s);

// Takes a client of `loops` loops to TL_CLIENT_UP. NULL on failure.
struct tl_client *peer_client(struct peer_server *s, unsigned loops);

// A control made by hand.
struct raw_control {
    int sock;
    struct tl_greeting answer;
    int answered; // length of the answer, 0 end of the connection, -errno
    struct tl_segment rings;
    struct tl_ring command, completion, event; // of loop 0
    int fds[TL_CHANNEL_FDS_MAX];
    unsigned count;
};

// Connects, sends `len` bytes, lets the server work and takes the answer; maps the rings if there are any.
void raw_control_open(struct raw_control *raw, struct peer_server *s, const void *hello, size_t len);
void raw_control_close(struct raw_control *raw);

// A socket listening on peer_path, as a dataplane made by hand needs it.
int raw_listen(void);

// Descriptors open in this process, and mappings of it.
unsigned count_descriptors(void);
unsigned count_mappings(const char *name);
