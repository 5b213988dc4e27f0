// SPDX-License-Identifier: BSD-3-Clause
// One event loop of control: libevent for sockets and signals, our wheel for timers. A loop and everything
// that hangs on it belong to the thread that runs it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/base/wheel.h"

struct event_base;
struct loop;

// `number` (0..TL_LOOPS_MAX-1) stands in every tag, branch and Call-ID made on this loop.
// Returns NULL with errno set when the kernel or memory refuses.
struct loop *loop_new(unsigned number);

// The same with a clock that stands at `now_ms` until loop_turn() moves it: for tests, which never wait.
struct loop *loop_new_by_hand(unsigned number, uint64_t now_ms);

// Moves the clock of such a loop to `now_ms`, fires the timers that are due by then, takes what its sockets have
// now and returns without waiting. Returns the number of timers that fired.
size_t loop_turn(struct loop *loop, uint64_t now_ms);

// Frees the loop; everything that was made on it must be gone. NULL is ignored.
void loop_free(struct loop *loop);

struct event_base *loop_base(struct loop *loop);
struct wheel *loop_wheel(struct loop *loop);
unsigned loop_number(const struct loop *loop);

// Takes the monotonic clock (ms) into the wheel and returns it; by hand, the clock as it stands. Called first in
// every libevent callback, so that delays count from the event and not from the last time-out.
uint64_t loop_now(struct loop *loop);

// Calls `fn` when the process gets the signal, from the loop and not from the signal handler; one function a
// signal. Returns 0, -EINVAL (more than 8, or the same twice) or -ENOMEM.
int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg);

// Runs until loop_stop(). Returns 0, or -EIO when libevent gives up.
int loop_run(struct loop *loop);

// Ends loop_run() after the running callback. From the loop's thread.
void loop_stop(struct loop *loop);
