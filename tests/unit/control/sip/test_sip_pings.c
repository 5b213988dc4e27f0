// SPDX-License-Identifier: BSD-3-Clause
// Keep-alive of connections that we made (RFC 5626 4.4.1), on real sockets of the loopback and a clock that is moved by hand.
#include "common/addr.h"
#include "control/sip/sip.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

static struct tl_config config;
static struct loop *loop;
static struct sip_stack *stack;
static uint64_t now;

static struct tl_addr address(unsigned last)
{
    unsigned n = (unsigned)getpid() * 16 + last;
    return (struct tl_addr){.family = TL_AF_INET,
                            .port = 5060,
                            .ip = {127, (uint8_t)(1 + (n >> 16) % 250), (uint8_t)(n >> 8), (uint8_t)n}};
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    (void)arg;
    (void)msg;
    (void)flow;
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 200}) == 0);
}

static void on_response(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    (void)arg;
    (void)txn;
    (void)owner;
    (void)msg;
    (void)flow;
}

static void on_failure(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why)
{
    (void)arg;
    (void)txn;
    (void)owner;
    (void)why;
}

static const struct sip_user user = {
    .on_request = on_request, .on_response = on_response, .on_failure = on_failure};

static void begin(uint32_t crlf_interval_s)
{
    char why[256] = "";
    struct tl_control_config *c = &config.control;
    memset(&config, 0, sizeof config);
    c->t1_ms = 50;
    c->t2_ms = 400;
    c->t4_ms = 500;
    c->timer_b_ms = c->timer_f_ms = c->timer_h_ms = 3200;
    c->message_timeout_ms = 3200;
    c->max_connections = c->max_transactions = 100;
    c->connect_timeout_ms = 800;
    c->crlf_interval_s = crlf_interval_s;
    config.listener_count = 1;
    config.listeners[0] =
        (struct tl_listener_config){.name = "tcp", .transport = TL_TCP, .address = address(1)};
    now = 1000;
    loop = loop_new_by_hand(2, now);
    CU_ASSERT_FATAL(loop != NULL);
    CU_ASSERT_FATAL(sip_stack_new(loop, &config, &user, NULL, &stack, why, sizeof why) == 0);
}

static void end(void)
{
    sip_stack_free(stack);
    loop_free(loop);
}

// The clock goes on, and what is ready then is done.
static void pass(uint64_t ms)
{
    now += ms;
    wheel_run(loop_wheel(loop), now);
    for (unsigned i = 0; i < 4; i++)
        event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

// The other end of a connection that a request of ours has made.
static int connection_of_ours(int *listener)
{
    struct tl_addr at = address(5);
    struct sockaddr_storage sa;
    socklen_t len = tl_addr_to_sockaddr(&at, &sa);
    struct sip_flow flow = sip_flow_to(stack, 0, &at);
    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(*listener, (struct sockaddr *)&sa, len) == 0 && listen(*listener, 4) == 0);
    const struct sip_request request = {.method = SIP_OPTIONS,
                                        .uri = "sip:b@example",
                                        .from = "<sip:a@example>;tag=1",
                                        .to = "<sip:b@example>",
                                        .call_id = "c",
                                        .cseq = 1};
    CU_ASSERT(sip_request(stack, &flow, &request, NULL, NULL) == 0);
    int fd = accept(*listener, NULL, NULL);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

// What it has got since it was last asked. Waits a moment for something.
static size_t got(int fd, char *out, size_t size)
{
    ssize_t n = -1;
    for (unsigned i = 0; i < 100 && n <= 0; i++) {
        pass(0);
        n = recv(fd, out, size - 1, MSG_DONTWAIT);
        if (n <= 0)
            usleep(1000);
    }
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void quiet_connections_are_pinged(void)
{
    char text[4096];
    int listener;
    begin(30);
    int fd = connection_of_ours(&listener);
    const struct sip_counters *c = sip_stack_counters(stack);
    CU_ASSERT(got(fd, text, sizeof text) > 0 && strncmp(text, "OPTIONS", 7) == 0);
    pass(29900);
    CU_ASSERT(c->pings == 0);
    pass(200);
    CU_ASSERT(c->pings == 1 && got(fd, text, sizeof text) == 4 && strcmp(text, "\r\n\r\n") == 0);
    // who does not know pings answers none, and that is no reason to give the connection up
    pass(30100);
    CU_ASSERT(c->pings == 2 && got(fd, text, sizeof text) == 4 && c->tcp_open == 1);
    CU_ASSERT(send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2);
    usleep(2000);
    pass(0);
    pass(29000);
    CU_ASSERT(c->pings == 2); // the answer is life
    pass(1200);
    CU_ASSERT(c->pings == 3 && got(fd, text, sizeof text) == 4);
    // who has answered once and now does not is gone
    pass(9800);
    CU_ASSERT(c->tcp_open == 1 && c->tcp_broken == 0);
    pass(400);
    CU_ASSERT(c->tcp_open == 0 && c->tcp_broken == 1 && c->pings == 3);
    close(fd);
    close(listener);
    end();
}

static void no_pings_unless_wanted(void)
{
    char text[4096];
    int listener;
    begin(0);
    int fd = connection_of_ours(&listener);
    CU_ASSERT(got(fd, text, sizeof text) > 0);
    pass(600000);
    CU_ASSERT(sip_stack_counters(stack)->pings == 0 && sip_stack_counters(stack)->tcp_open == 1);
    close(fd);
    close(listener);
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"quiet_connections_are_pinged", quiet_connections_are_pinged},
        {"no_pings_unless_wanted", no_pings_unless_wanted},
    };
    return test_main("sip_pings", TEST_CASES(cases), argc, argv);
}
