// SPDX-License-Identifier: BSD-3-Clause
// The dataplane's end of the contract: listens on a Unix socket, shakes hands with one control at a time and
// carries its commands, completions and events. All functions belong to the manager's thread and never block.
//
// A new handshake replaces the old control, hung or not. Whichever way a control goes, the commands that it
// had published whole are copied out and its rings unmapped at once: nothing it does afterwards is seen.
// tl_server_next() hands those commands out before any of the next control's, so that control's first LIST or
// FLUSH covers them.
#pragma once

#include "common/contract.h"
#include "common/live.h"

struct tl_server;

struct tl_server_config {
    const char *path;                 // Unix socket, shorter than TL_PATH_LEN; copied
    const struct tl_live_table *live; // must outlive the server
    // Gets each thing that operators should know as one sentence: who came, who went, who was refused and
    // why.
    void (*log)(void *arg, const char *sentence);
    void *arg;
};

// Where a command came from. A completion whose control is gone is dropped, never given to its successor.
struct tl_origin {
    uint32_t connection;
    uint32_t loop; // control loop, 0 .. loops - 1; owner of the sessions it makes
    bool quiet;    // TL_COMMAND_QUIET: its completion rings no bell
};

struct tl_server_stats {
    uint64_t handshakes;
    uint64_t refused;
    uint64_t commands;
    uint64_t completions;
    uint64_t completions_orphaned; // their control was gone
    uint64_t events;
    uint64_t events_lost; // ring full or no control
};

// Binds the socket (mode 0600; a stale one left by a crash is removed) and listens. 0; -EADDRINUSE: another
// dataplane listens there; else -errno. On failure the log got the sentence and *out is NULL.
int tl_server_open(struct tl_server **out, const struct tl_server_config *config);

// Closes everything and removes the socket file if it is still ours. NULL is fine.
void tl_server_close(struct tl_server *server);

// One descriptor for the manager's epoll or poll, the same for the server's whole life. Readable
// (level-triggered) when there is something for tl_server_poll() or tl_server_next() to do, quiet commands apart:
// for those tl_server_next() is to be called every TL_LOOK_MS.
int tl_server_fd(const struct tl_server *server);

// Takes connections, shakes hands, notices a control that went and bells. Call when tl_server_fd() is readable, then
// tl_server_next() until -EAGAIN. Calling it more often does no harm.
void tl_server_poll(struct tl_server *server);

// Sleeps until there is something for tl_server_poll() or tl_server_next() to do, a descriptor of tl_server_watch_other() is
// readable or `ns` have passed, and does what tl_server_poll() does. How many descriptors had something (0 after a signal,
// too), or -errno.
int tl_server_wait(struct tl_server *server, uint64_t ns);

// A descriptor of the caller's that ends tl_server_wait() for as long as it is readable. The caller closes it. 0 or -errno.
int tl_server_watch_other(struct tl_server *server, int fd);

// Takes the next command, turn by turn from the loops, unchecked (tl_command_check() is the caller's next
// step). 0; -EAGAIN: none now. Each command taken must be answered by exactly one tl_server_complete(), later
// if need be: a slot for it is reserved, and no command is taken from a loop while its completion ring has no
// slot to reserve. The caller wipes the command when it is done with it.
int tl_server_next(struct tl_server *server, struct tl_command *command, struct tl_origin *origin);

// Answers a command. Cannot fail; dropped and counted if that control is gone.
void tl_server_complete(struct tl_server *server, struct tl_origin origin,
                        const struct tl_completion *completion);

// Sends an event to the loop that owns the session (`owner` as in the live table; a control with fewer loops
// than its predecessor gets owner % loops). 0; -ENOTCONN: no control; -ENOBUFS: ring full. Either way it is
// counted as lost.
int tl_server_event(struct tl_server *server, uint32_t owner, const struct tl_event *event);

// Loops of the connected control, 0 when there is none. A session belongs to loop owner % loops.
unsigned tl_server_loops(const struct tl_server *server);

// Bytes of the rings that the connected control and the server share, 0 when there is none.
size_t tl_server_bytes(const struct tl_server *server);

void tl_server_stats(const struct tl_server *server, struct tl_server_stats *out);
