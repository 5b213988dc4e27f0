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

// ---- numbered commands between the server `dp` and a client ------------------------------------------

extern struct peer_server dp;

// Opens the server and a client of it, which is up.
struct tl_client *begin(unsigned loops);

// Greets the server by hand.
void open_raw(struct raw_control *raw);

// The command of that number, with bytes that depend on it.
struct tl_command command(uint64_t id);
int send_id(struct tl_client *c, unsigned loop, uint64_t id);

// Takes the next command and checks that it is whole. Its number, 0 if there is none.
uint64_t next_id(struct tl_origin *origin);
void complete(struct tl_origin origin, uint64_t id);

// Number of the next completion, 0 if there is none.
uint64_t done_id(struct tl_client *c, unsigned loop);

bool readable(int fd);
