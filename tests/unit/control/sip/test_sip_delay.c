// SPDX-License-Identifier: BSD-3-Clause
// How long datagrams wait for the stack, on real sockets of the loopback.
#include "common/addr.h"
#include "control/sip/sip.h"
#include "runner.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

static struct tl_config config;
static const struct sip_user user = {.on_request = NULL};

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void listener(unsigned i, struct tl_addr address)
{
    struct tl_listener_config *l = &config.listeners[i];
    *l = (struct tl_listener_config){.transport = TL_UDP, .address = address};
    l->name[0] = (char)('a' + i);
}

static void ping(int fd, const struct tl_addr *to)
{
    struct sockaddr_storage at;
    unsigned len = tl_addr_to_sockaddr(to, &at);
    CU_ASSERT(sendto(fd, "\r\n\r\n", 4, 0, (struct sockaddr *)&at, len) == 4);
}

// Reads until the stack has taken so many pings in all.
static void read_until(struct loop *loop, struct sip_stack *stack, uint64_t pings)
{
    for (uint64_t end = clock_ms() + 5000; sip_stack_counters(stack)->keep_alive < pings && clock_ms() < end;)
        event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    CU_ASSERT(sip_stack_counters(stack)->keep_alive == pings);
}

// A datagram that waits is seen; one that waits while the next does not is no queue; each listener has a queue of its own.
static void the_least_wait_counts(void)
{
    unsigned n = (unsigned)getpid();
    struct tl_addr a = {.family = TL_AF_INET, .port = 5060, .ip = {127, 251, (uint8_t)(n >> 8), (uint8_t)n}},
                   b = a;
    struct sip_stack *stack = NULL;
    char why[256] = "";
    b.port++;
    listener(0, a);
    listener(1, b);
    config.listener_count = 2;
    config.control = (struct tl_control_config){.t1_ms = 50, .max_connections = 16, .max_transactions = 16};
    struct loop *loop = loop_new_by_hand(2, 1000);
    CU_ASSERT_FATAL(loop && sip_stack_new(loop, &config, &user, NULL, &stack, why, sizeof why) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0);

    CU_ASSERT(sip_stack_delay(stack) == 0);
    ping(fd, &a);
    usleep(60000);
    ping(fd, &a);
    uint64_t last = clock_ms();
    read_until(loop, stack, 2);
    CU_ASSERT(sip_stack_delay(stack) <= clock_ms() - last + 1);
    CU_ASSERT(sip_stack_delay(stack) == 0); // nothing came since

    ping(fd, &a);
    usleep(60000);
    ping(fd, &b);
    read_until(loop, stack, 4);
    CU_ASSERT(sip_stack_delay(stack) >= 59);

    close(fd);
    sip_stack_free(stack);
    loop_free(loop);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"the_least_wait_counts", the_least_wait_counts}};
    return test_main("sip_delay", TEST_CASES(cases), argc, argv);
}
