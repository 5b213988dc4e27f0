// SPDX-License-Identifier: BSD-3-Clause
// The loop whose clock is moved by hand.
#include "control/base/loop.h"
#include "runner.h"

#include <event2/event.h>
#include <unistd.h>

struct note {
    struct loop *loop;
    unsigned fired, read;
    uint64_t at;
};

static void on_timer(void *arg)
{
    struct note *n = arg;
    n->fired++;
    n->at = loop_now(n->loop);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct note *n = arg;
    char byte;
    (void)what;
    n->read += read(fd, &byte, 1) == 1;
}

static void the_clock_stands_until_it_is_moved(void)
{
    struct note n = {.loop = loop_new_by_hand(3, 1000)};
    struct wheel_timer timer = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(n.loop);
    CU_ASSERT_EQUAL(loop_number(n.loop), 3);
    wheel_add(loop_wheel(n.loop), &timer, 86400000, on_timer, &n);
    CU_ASSERT_EQUAL(loop_turn(n.loop, 1000 + 86399999), 0);
    CU_ASSERT_EQUAL(loop_now(n.loop), 1000 + 86399999);
    CU_ASSERT_EQUAL(loop_turn(n.loop, 1000 + 86400000), 1);
    CU_ASSERT_EQUAL(n.fired, 1);
    CU_ASSERT_EQUAL(n.at, 1000 + 86400000);
    loop_free(n.loop);
}

static void sockets_are_read_without_waiting(void)
{
    struct note n = {.loop = loop_new_by_hand(0, 1)};
    int fd[2];
    CU_ASSERT_PTR_NOT_NULL_FATAL(n.loop);
    CU_ASSERT_FATAL(pipe(fd) == 0);
    struct event *e = event_new(loop_base(n.loop), fd[0], EV_READ | EV_PERSIST, on_read, &n);
    CU_ASSERT_FATAL(e && event_add(e, NULL) == 0);
    loop_turn(n.loop, 1);
    CU_ASSERT_EQUAL(n.read, 0);
    CU_ASSERT_FATAL(write(fd[1], "x", 1) == 1);
    loop_turn(n.loop, 1);
    CU_ASSERT_EQUAL(n.read, 1);
    event_free(e);
    close(fd[0]);
    close(fd[1]);
    loop_free(n.loop);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"the_clock_stands_until_it_is_moved", the_clock_stands_until_it_is_moved},
        {"sockets_are_read_without_waiting", sockets_are_read_without_waiting},
    };
    return test_main("loop", TEST_CASES(cases), argc, argv);
}
