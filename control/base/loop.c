// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

enum { SIGNALS_MAX = 8 };

struct loop_signal {
    struct event *event;
    int signo;
    void (*fn)(int signo, void *arg);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *tick; // wakes the wheel; NULL: the clock is moved by hand
    struct wheel wheel;
    unsigned number;
    struct loop_signal signals[SIGNALS_MAX];
    unsigned signal_count;
};

static uint64_t monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void arm(struct loop *loop)
{
    uint64_t ms = wheel_next(&loop->wheel);
    if (ms == UINT64_MAX) {
        event_del(loop->tick);
        return;
    }
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    event_add(loop->tick, &tv);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    wheel_run(&loop->wheel, monotonic_ms());
    arm(loop);
}

static void on_earlier(void *arg)
{
    arm(arg);
}

struct loop *loop_new_by_hand(unsigned number, uint64_t now_ms)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->number = number;
    wheel_init(&loop->wheel, now_ms);
    loop->base = event_base_new();
    if (!loop->base) {
        loop_free(loop);
        errno = ENOMEM;
        return NULL;
    }
    return loop;
}

size_t loop_turn(struct loop *loop, uint64_t now_ms)
{
    size_t fired = wheel_run(&loop->wheel, now_ms);
    event_base_loop(loop->base, EVLOOP_NONBLOCK);
    return fired;
}

struct loop *loop_new(unsigned number)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->number = number;
    wheel_init(&loop->wheel, monotonic_ms());
    loop->base = event_base_new();
    loop->tick = loop->base ? event_new(loop->base, -1, 0, on_tick, loop) : NULL;
    if (!loop->tick) {
        loop_free(loop);
        errno = ENOMEM;
        return NULL;
    }
    loop->wheel.earlier = on_earlier;
    loop->wheel.earlier_arg = loop;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (unsigned i = 0; i < loop->signal_count; i++)
        event_free(loop->signals[i].event);
    if (loop->tick)
        event_free(loop->tick);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

struct wheel *loop_wheel(struct loop *loop)
{
    return &loop->wheel;
}

unsigned loop_number(const struct loop *loop)
{
    return loop->number;
}

uint64_t loop_now(struct loop *loop)
{
    if (loop->tick)
        wheel_set_now(&loop->wheel, monotonic_ms());
    return loop->wheel.now;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct loop_signal *s = arg;
    (void)fd;
    (void)what;
    s->fn(s->signo, s->arg);
}

int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg)
{
    if (loop->signal_count == SIGNALS_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < loop->signal_count; i++)
        if (loop->signals[i].signo == signo)
            return -EINVAL;
    struct loop_signal *s = &loop->signals[loop->signal_count];
    *s = (struct loop_signal){.signo = signo, .fn = fn, .arg = arg};
    s->event = evsignal_new(loop->base, signo, on_signal, s);
    if (!s->event)
        return -ENOMEM;
    if (event_add(s->event, NULL) != 0) {
        event_free(s->event);
        return -EINVAL;
    }
    loop->signal_count++;
    return 0;
}

int loop_run(struct loop *loop)
{
    // Not to end when nothing is armed: control may be waiting for nothing but a signal.
    return event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? -EIO : 0;
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}
