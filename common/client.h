// SPDX-License-Identifier: BSD-3-Clause
// Control's end of the contract: connects to the dataplane, sends commands, takes completions and events.
//
// Threads: the functions that take no loop belong to one thread (that of loop 0); those with a loop to that
// loop's thread. No loop may be in a call while tl_client_connect(), tl_client_poll() or tl_client_close()
// runs on another thread. Nothing blocks.
//
// Life: open, connect, poll when tl_client_fd() is readable until TL_CLIENT_UP; on TL_CLIENT_AWAY take what
// completions are left, and connect again by a timer. Commands without a completion may or may not have been
// executed: LIST, then send again.
#pragma once

#include "common/contract.h"
#include "common/live.h"

struct tl_client;

enum tl_client_state {
    TL_CLIENT_AWAY,     // no dataplane; tl_client_error() says why
    TL_CLIENT_GREETING, // connected, the handshake is under way
    TL_CLIENT_UP,
};

// Makes a client that is away. `path` is the dataplane's socket (copied), loops 1..TL_LOOPS_MAX. 0 or -errno,
// then *out is NULL.
int tl_client_open(struct tl_client **out, const char *path, unsigned loops);

// Disconnects and frees. NULL is fine.
void tl_client_close(struct tl_client *client);

// Drops the connection, if any, with what is left in its rings, and begins a new handshake. 0: greeting;
// -ENOENT, -ECONNREFUSED: nobody listens; -EAGAIN: the dataplane does not take connections now; -EACCES; or
// another -errno, with a sentence in tl_client_error(). A dataplane that never answers the greeting is the
// caller's timer's to give up on (call again or close).
int tl_client_connect(struct tl_client *client);

// Moves the handshake on and notices a connection that was lost. Returns the state now. When it turns
// TL_CLIENT_UP, the live table is mapped and the rings are new; all commands of before count as unanswered.
enum tl_client_state tl_client_poll(struct tl_client *client);

enum tl_client_state tl_client_state(const struct tl_client *client);

// Why the client is away, one sentence: what is wrong, where, what to do. "" when there is nothing to say.
// Valid until the next call.
const char *tl_client_error(const struct tl_client *client);

// Readable when tl_client_poll() has something to do. The same for the client's whole life (an epoll
// descriptor: watch it for reading, level-triggered).
int tl_client_fd(const struct tl_client *client);

// Readable when the loop has a completion or an event. The same for the client's whole life. When it is
// readable take completions and events until -EAGAIN each.
int tl_client_loop_fd(const struct tl_client *client, unsigned loop);

// Sends a command; it is copied, the caller wipes its own. 0; -EAGAIN: as many commands as a ring holds wait
// for their completion: send it after the next completion; -ENOTCONN: away; -EPROTO: the dataplane broke the
// rules, the connection is being dropped.
int tl_client_send(struct tl_client *client, unsigned loop, const struct tl_command *command);

// Takes the next completion. 0; -EAGAIN: none now; -ENOTCONN: none left of a connection that was lost;
// -EPROTO as tl_client_send().
int tl_client_completion(struct tl_client *client, unsigned loop, struct tl_completion *out);

// Takes the next event, as tl_client_completion().
int tl_client_event(struct tl_client *client, unsigned loop, struct tl_event *out);

// Commands sent without a completion taken.
unsigned tl_client_outstanding(const struct tl_client *client, unsigned loop);

// The live table of the dataplane that the client is or was last connected to; stays mapped and readable
// after that dataplane's death, until a handshake with another incarnation. NULL before the first handshake.
const struct tl_live_view *tl_client_live(const struct tl_client *client);

// The live table of the incarnation before that one, to re-install its sessions from; NULL if there was none.
// Valid until the next incarnation or tl_client_forget_previous().
const struct tl_live_view *tl_client_previous_live(const struct tl_client *client);
void tl_client_forget_previous(struct tl_client *client);
