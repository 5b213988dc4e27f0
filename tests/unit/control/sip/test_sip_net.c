// SPDX-License-Identifier: BSD-3-Clause
// The stack on real sockets of the loopback: calls between two stacks, and a raw socket that misbehaves.
// Addresses are 127.x.y.z made from the process id, so that parallel runs do not meet.
#include "common/addr.h"
#include "control/sip/dialog.h"
#include "control/sip/sip.h"
#include "control/sip/uri.h"
#include "runner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

enum { UDP = 0, TCP = 1, PORT = 5060 };

// One side: a stack and what its user saw.
struct side {
    struct sip_owner owner;
    struct tl_config config;
    struct sip_stack *stack;
    struct sip_dialog dialog;
    struct sip_txn *server;
    struct sip_flow last_flow; // of a request
    uint32_t trunk;            // whom it asks
    unsigned requests, acks, byes, responses, failures;
    int last_status;
    enum sip_failure why;
    bool answer;   // calls at once
    bool may_fail; // answers may not get through
};

static struct loop *loop;
static struct side a, b;

static struct tl_addr address(unsigned last)
{
    unsigned n = (unsigned)getpid() * 16 + last;
    return (struct tl_addr){.family = TL_AF_INET,
                            .port = PORT,
                            .ip = {127, (uint8_t)(1 + (n >> 16) % 250), (uint8_t)(n >> 8), (uint8_t)n}};
}

static void our_contact(const struct sip_flow *flow, char out[static 128])
{
    char uri[120];
    sip_write_uri(uri, sizeof uri, TL_URI_SIP, "x", &flow->local, flow->transport);
    snprintf(out, 128, "<%s>", uri);
}

// ---- the user ------------------------------------------------------------------------------------------

static void on_request(void *arg, struct sip_txn *txn, const struct sip_msg *msg, const struct sip_flow *flow)
{
    struct side *s = arg;
    char contact[128];
    s->requests++;
    s->last_flow = *flow;
    our_contact(flow, contact);
    if (sip_msg_method(msg) == SIP_BYE)
        s->byes++;
    if (sip_msg_method(msg) == SIP_INVITE) {
        CU_ASSERT(sip_dialog_uas(&s->dialog, msg, flow, sip_txn_tag(txn)) == 0);
        if (!s->answer) {
            s->server = txn;
            return;
        }
    }
    int err = sip_respond(txn, &(struct sip_answer){.status = 200, .contact = contact});
    CU_ASSERT(err == 0 || (s->may_fail && err == -EIO));
}

static void on_cancel(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg)
{
    (void)arg;
    (void)owner;
    (void)msg;
    CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = 487}) == 0);
}

static void on_ack(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg)
{
    (void)txn;
    (void)owner;
    (void)msg;
    ((struct side *)arg)->acks++;
}

static void on_response(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow)
{
    struct side *s = arg;
    (void)owner;
    s->responses++;
    s->last_status = sip_msg_status(msg);
    if (sip_msg_method(msg) == SIP_INVITE && s->last_status == 200) {
        struct sip_request ack;
        CU_ASSERT_FATAL(sip_dialog_uac(&s->dialog, msg, flow) == 0);
        sip_dialog_request(&s->dialog, SIP_ACK, &ack);
        struct sip_flow hop = sip_dialog_next_hop(&s->dialog);
        CU_ASSERT(sip_ack(txn, &hop, &ack) == 0);
    }
}

static void on_failure(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why)
{
    struct side *s = arg;
    (void)txn;
    (void)owner;
    s->failures++;
    s->why = why;
}

// Who connects may be trunk 2's peer only.
static uint32_t second_trunk(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                             uint32_t max)
{
    (void)arg;
    (void)listener;
    (void)remote;
    out[0] = 2;
    return max > 0;
}

static const struct sip_user user = {.on_request = on_request,
                                     .on_cancel = on_cancel,
                                     .on_ack = on_ack,
                                     .on_response = on_response,
                                     .on_failure = on_failure,
                                     .on_connection = second_trunk};

// ---- the loop ------------------------------------------------------------------------------------------

static struct wheel_timer alarm_timer, look_timer;
static bool (*wanted)(void);
static bool reached;

static void on_alarm(void *arg)
{
    loop_stop(arg);
}

static void on_look(void *arg)
{
    reached = wanted();
    if (reached)
        loop_stop(arg);
    else
        wheel_add(loop_wheel(arg), &look_timer, 2, on_look, arg);
}

// Runs the loop until `condition`, at most five seconds (the machine may be slow; nothing waits for it in
// vain).
static bool run_until(bool (*condition)(void))
{
    wanted = condition;
    reached = false;
    loop_now(loop);
    wheel_add(loop_wheel(loop), &alarm_timer, 5000, on_alarm, loop);
    wheel_add(loop_wheel(loop), &look_timer, 0, on_look, loop);
    loop_run(loop);
    wheel_cancel(loop_wheel(loop), &alarm_timer);
    wheel_cancel(loop_wheel(loop), &look_timer);
    return reached;
}

static void configure(struct side *s, unsigned last)
{
    memset(s, 0, sizeof *s);
    struct tl_control_config *c = &s->config.control;
    snprintf(c->user_agent, sizeof c->user_agent, "net-test");
    c->t1_ms = 50;
    c->message_timeout_ms = 64 * 50;
    c->max_connections = 4096;
    c->t2_ms = 400;
    c->t4_ms = 500;
    c->timer_b_ms = c->timer_f_ms = c->timer_h_ms = 3200;
    c->max_transactions = 100;
    c->retry_after_s = 1;
    c->connect_timeout_ms = 800;
    s->config.listener_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct tl_listener_config *l = &s->config.listeners[i];
        snprintf(l->name, sizeof l->name, i ? "tcp" : "udp");
        l->transport = i ? TL_TCP : TL_UDP;
        l->address = address(last);
    }
    s->answer = true;
}

static void begin(struct side *s, unsigned last)
{
    char why[256] = "";
    configure(s, last);
    int err = sip_stack_new(loop, &s->config, &user, s, &s->stack, why, sizeof why);
    if (err)
        printf("     %s\n", why);
    CU_ASSERT_FATAL(err == 0);
}

static void open_both(void)
{
    loop = loop_new(2);
    CU_ASSERT_FATAL(loop != NULL);
    begin(&a, 1);
    begin(&b, 2);
}

static void close_both(void)
{
    sip_dialog_fini(&a.dialog);
    sip_dialog_fini(&b.dialog);
    sip_stack_free(a.stack);
    sip_stack_free(b.stack);
    CU_ASSERT(loop_wheel(loop)->armed == 0);
    loop_free(loop);
}

static struct sip_txn *ask(struct side *s, enum sip_method method, unsigned listener, struct tl_addr to)
{
    char call_id[64], tag[SIP_TAG_LEN], from[128], contact[128];
    struct sip_flow flow = sip_flow_to(s->stack, listener, &to);
    struct sip_txn *txn = NULL;
    flow.trunk = s->trunk;
    sip_make_call_id(s->stack, call_id, sizeof call_id);
    sip_make_tag(s->stack, tag);
    snprintf(from, sizeof from, "<sip:a@example>;tag=%s", tag);
    our_contact(&flow, contact);
    struct sip_request r = {.method = method,
                            .uri = "sip:b@example",
                            .from = from,
                            .to = "<sip:b@example>",
                            .call_id = call_id,
                            .cseq = 1,
                            .contact = contact};
    CU_ASSERT(sip_request(s->stack, &flow, &r, &s->owner, &txn) == 0);
    return txn;
}

static void hang_up(struct side *s)
{
    struct sip_request bye;
    struct sip_txn *txn;
    struct sip_flow hop = sip_dialog_next_hop(&s->dialog);
    sip_dialog_request(&s->dialog, SIP_BYE, &bye);
    CU_ASSERT(sip_request(s->stack, &hop, &bye, &s->owner, &txn) == 0);
}

static bool call_is_up(void)
{
    return b.acks == 1;
}

static bool a_heard_twice(void)
{
    return a.responses == 2;
}

static bool b_heard(void)
{
    return b.responses == 1;
}

// A whole call; the caller hangs up, then a second call that the callee ends.
static void calls(unsigned listener)
{
    for (unsigned callee_ends = 0; callee_ends < 2; callee_ends++) {
        open_both();
        ask(&a, SIP_INVITE, listener, address(2));
        CU_ASSERT(run_until(call_is_up));
        CU_ASSERT(a.last_status == 200);
        hang_up(callee_ends ? &b : &a);
        CU_ASSERT(run_until(callee_ends ? b_heard : a_heard_twice));
        CU_ASSERT(a.byes == callee_ends && b.byes == 1 - callee_ends);
        CU_ASSERT(a.failures + b.failures == 0);
        const struct sip_counters *ca = sip_stack_counters(a.stack), *cb = sip_stack_counters(b.stack);
        CU_ASSERT(ca->rx[1 - listener] + cb->rx[1 - listener] == 0);
        for (unsigned r = 0; r < SIP_REJECT_COUNT; r++)
            CU_ASSERT(ca->rejects[r] + cb->rejects[r] == 0);
        if (listener == TCP) {
            // INVITE, ACK and BYE of the caller share a connection; the callee's BYE goes to the Contact
            CU_ASSERT(ca->tcp_connected == 1 && cb->tcp_accepted == 1);
            CU_ASSERT(cb->tcp_connected == callee_ends);
        }
        close_both();
    }
}

static void udp_calls(void)
{
    calls(UDP);
}

static void tcp_calls(void)
{
    calls(TCP);
}

static bool a_failed(void)
{
    return a.failures == 1;
}

// Nobody listens there: an INVITE and an OPTIONS fail as transport failures, long before timer B.
static void tcp_connect_refused(void)
{
    static const enum sip_method methods[] = {SIP_INVITE, SIP_OPTIONS};
    for (unsigned i = 0; i < 2; i++) {
        open_both();
        ask(&a, methods[i], TCP, address(3));
        CU_ASSERT(a.failures == 0);
        CU_ASSERT(run_until(a_failed));
        CU_ASSERT(a.why == SIP_TRANSPORT);
        CU_ASSERT(sip_stack_counters(a.stack)->tcp_refused == 1 &&
                  sip_stack_counters(a.stack)->tcp_open == 0);
        close_both();
    }
}

// The same over UDP: the kernel's port unreachable is a transport failure too.
static void udp_port_unreachable(void)
{
    open_both();
    ask(&a, SIP_INVITE, UDP, address(3));
    CU_ASSERT(run_until(a_failed));
    CU_ASSERT(a.why == SIP_TRANSPORT);
    close_both();
}

static bool b_has_call(void)
{
    return b.server != NULL;
}

static bool b_has_no_connection(void)
{
    return sip_stack_counters(b.stack)->tcp_open == 0;
}

static bool a_got_stray(void)
{
    return sip_stack_counters(a.stack)->rejects[SIP_REJECT_stray_response] == 1;
}

// The connection that brought the INVITE has gone when it is answered: the answer makes one to the port in
// Via.
static void answer_on_new_connection(void)
{
    open_both();
    b.answer = false;
    ask(&a, SIP_INVITE, TCP, address(2));
    CU_ASSERT(run_until(b_has_call));
    sip_dialog_fini(&b.dialog);
    struct sip_flow flow = *sip_txn_flow(b.server);
    CU_ASSERT(flow.conn_generation != 0);
    // a's side of it dies and its stack comes up again on the same address, as after a restart of the peer
    sip_stack_free(a.stack);
    begin(&a, 1);
    CU_ASSERT(run_until(b_has_no_connection));
    CU_ASSERT(sip_respond(b.server, &(struct sip_answer){.status = 486}) == 0);
    CU_ASSERT(run_until(a_got_stray)); // it arrived; the new life knows nothing of it
    close_both();
}

// ---- a raw socket --------------------------------------------------------------------------------------

static int raw = -1;
static char raw_in[4096];
static size_t raw_len;
static bool raw_closed;

static void raw_open(unsigned listener)
{
    struct tl_addr from = address(4), to = address(1);
    struct sockaddr_in sin = {.sin_family = AF_INET}, peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    memcpy(&sin.sin_addr, from.ip, 4);
    memcpy(&peer.sin_addr, to.ip, 4);
    raw = socket(AF_INET, listener == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
    CU_ASSERT_FATAL(raw >= 0 && bind(raw, (struct sockaddr *)&sin, sizeof sin) == 0);
    CU_ASSERT_FATAL(connect(raw, (struct sockaddr *)&peer, sizeof peer) == 0);
    fcntl(raw, F_SETFL, O_NONBLOCK);
    raw_len = 0;
    raw_closed = false;
}

static void raw_send(const char *text)
{
    CU_ASSERT(send(raw, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void raw_read(void)
{
    ssize_t n = recv(raw, raw_in + raw_len, sizeof raw_in - 1 - raw_len, 0);
    if (n > 0)
        raw_len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        raw_closed = true;
    raw_in[raw_len] = '\0';
}

static bool raw_pong(void)
{
    raw_read();
    return strcmp(raw_in, "\r\n") == 0;
}

static bool raw_is_closed(void)
{
    raw_read();
    return raw_closed;
}

static bool raw_has_two_answers(void)
{
    raw_read();
    const char *first = strstr(raw_in, "SIP/2.0 200 ");
    return first && strstr(first + 1, "SIP/2.0 200 ");
}

static bool raw_has_400(void)
{
    raw_read();
    return strstr(raw_in, "SIP/2.0 400 ") != NULL;
}

#define OPTIONS(n)                                                                                           \
    "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP raw;branch=z9hG4bK" n ";rport\r\nFrom: <sip:r@raw>;tag=" n  \
    "\r\nTo: <sip:a@h>\r\nCall-ID: " n "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// Two messages in one write, and a ping between messages.
static void several_messages_in_one_read(void)
{
    open_both();
    raw_open(TCP);
    raw_send("\r\n\r\n");
    CU_ASSERT(run_until(raw_pong));
    raw_send(OPTIONS("1") OPTIONS("2"));
    CU_ASSERT(run_until(raw_has_two_answers));
    CU_ASSERT(a.requests == 2 && !raw_closed);
    CU_ASSERT(sip_stack_counters(a.stack)->keep_alive == 1);
    close(raw);
    close_both();
}

// Bytes that are no SIP end the connection; so does a message that is never finished, and one never begun.
static void bad_streams_are_closed(void)
{
    static const char *const streams[] = {
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP raw\r\n", // and then nothing
        "",
    };
    for (unsigned i = 0; i < sizeof streams / sizeof *streams; i++) {
        open_both();
        a.config.control.message_timeout_ms = 256;
        raw_open(TCP);
        raw_send(streams[i]);
        CU_ASSERT(run_until(raw_is_closed));
        CU_ASSERT(a.requests == 0);
        CU_ASSERT(sip_stack_counters(a.stack)->tcp_broken == 1 && sip_stack_counters(a.stack)->tcp_open == 0);
        close(raw);
        close_both();
    }
}

static bool flood_ended(void)
{
    static const char text[] = OPTIONS("9");
    // asks and never reads; what does not fit stays for the next look
    for (unsigned i = 0; i < 100; i++)
        if (send(raw, text, sizeof text - 1, MSG_NOSIGNAL) < 0)
            break;
    return sip_stack_counters(a.stack)->tcp_open == 0;
}

// A peer that asks and asks and reads no answer is cut off, and what was queued for it was bounded.
static void reader_that_does_not_read(void)
{
    open_both();
    a.config.control.t1_ms = 4;
    a.config.control.message_timeout_ms = 256;
    a.may_fail = true;
    raw_open(TCP);
    CU_ASSERT(run_until(flood_ended));
    CU_ASSERT(sip_stack_counters(a.stack)->tcp_broken == 1);
    CU_ASSERT(sip_stack_counters(a.stack)->txns_live == 0);
    close(raw);
    close_both();
}

static bool a_took_garbage(void)
{
    return sip_stack_counters(a.stack)->rejects[SIP_REJECT_start_line] == 2;
}

static void udp_garbage_counted(void)
{
    open_both();
    raw_open(UDP);
    raw_send("\r\n\r\n");
    raw_send("garbage");
    CU_ASSERT(send(raw, "\xff\xfe\x00\x01\n", 5, 0) == 5);
    CU_ASSERT(run_until(a_took_garbage));
    CU_ASSERT(sip_stack_counters(a.stack)->keep_alive == 1);
    raw_send("OPTIONS sip:a  SIP/2.0\r\nVia: SIP/2.0/UDP raw;rport;branch=z9hG4bKx\r\nFrom: <sip:r>;tag=1\r\n"
             "To: <sip:a>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n");
    CU_ASSERT(run_until(raw_has_400));
    CU_ASSERT(a.requests == 0);
    close(raw);
    close_both();
}

// A port that is taken, an address that is not here, no address: one sentence, nothing left open.
static void listeners_that_fail(void)
{
    static const struct {
        uint8_t ip[4];
        unsigned listener;
        int err;
        const char *says;
    } table[] = {
        {{0}, UDP, -EADDRINUSE, "listener udp: another program has UDP port 5060 of 127."},
        {{0}, TCP, -EADDRINUSE, "listener tcp: another program has TCP port 5060 of 127."},
        {{192, 0, 2, 77}, TCP, -EADDRNOTAVAIL, "listener tcp: this machine has no address 192.0.2.77"},
        {{0, 0, 0, 0}, UDP, -EINVAL, "listener udp: address and port stand in Via and Contact"},
    };
    open_both();
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        static struct side c; // a configuration is larger than a stack
        char why[256] = "";
        struct sip_stack *stack = NULL;
        configure(&c, 9);
        struct tl_addr *addr = &c.config.listeners[table[i].listener].address;
        if (table[i].err == -EADDRINUSE)
            *addr = address(1);
        else
            memcpy(addr->ip, table[i].ip, 4);
        CU_ASSERT(sip_stack_new(loop, &c.config, &user, &c, &stack, why, sizeof why) == table[i].err);
        CU_ASSERT(strncmp(why, table[i].says, strlen(table[i].says)) == 0);
        if (strncmp(why, table[i].says, strlen(table[i].says)) != 0)
            printf("     %s\n", why);
        CU_ASSERT(stack == NULL);
    }
    close_both();
}

static int signalled;

static void on_signal(int signo, void *arg)
{
    signalled = signo;
    loop_stop(arg);
}

static void signals_reach_the_loop(void)
{
    loop = loop_new(0);
    CU_ASSERT_FATAL(loop != NULL);
    CU_ASSERT(loop_on_signal(loop, SIGUSR1, on_signal, loop) == 0);
    CU_ASSERT(loop_on_signal(loop, SIGUSR1, on_signal, loop) == -EINVAL);
    raise(SIGUSR1);
    CU_ASSERT(loop_run(loop) == 0);
    CU_ASSERT(signalled == SIGUSR1);
    loop_free(loop);
}

// ---- a turn of the loop --------------------------------------------------------------------------------

enum { FLOOD = 10000, SHARE = 32 /* of a connection in a turn */ };

struct talker {
    int fd;
    unsigned sent, wanted; // requests
    size_t at;             // bytes of the one under way
    unsigned answers;
    char tail[16]; // of what was read: an answer may be cut anywhere
};

static struct talker talk(int type, unsigned last)
{
    struct talker t = {.fd = socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    struct tl_addr me = address(last), to = address(1);
    struct sockaddr_storage from, at;
    me.port = 0;
    CU_ASSERT_FATAL(bind(t.fd, (struct sockaddr *)&from, tl_addr_to_sockaddr(&me, &from)) == 0);
    CU_ASSERT_FATAL(connect(t.fd, (struct sockaddr *)&at, tl_addr_to_sockaddr(&to, &at)) == 0);
    fcntl(t.fd, F_SETFL, O_NONBLOCK);
    return t;
}

// What is ready now, each once.
static void one_turn(uint64_t now)
{
    wheel_run(loop_wheel(loop), now);
    event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

// Sends what the kernel takes of the requests that are wanted, and counts answers.
static void say(struct talker *t, unsigned number)
{
    char buffer[4096];
    ssize_t n;
    while (t->sent < t->wanted) {
        int len = snprintf(buffer, sizeof buffer,
                           "OPTIONS sip:x@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK%u.%u;rport\r\n"
                           "From: <sip:a@h>;tag=t\r\nTo: <sip:x@h>\r\nCall-ID: %u.%u\r\nCSeq: 1 OPTIONS\r\n"
                           "Content-Length: 0\r\n\r\n",
                           number, t->sent, number, t->sent);
        n = send(t->fd, buffer + t->at, (size_t)len - t->at, MSG_NOSIGNAL);
        if (n < 0)
            break;
        t->at += (size_t)n;
        if (t->at == (size_t)len) {
            t->at = 0;
            t->sent++;
        }
    }
    size_t kept = strlen(t->tail);
    memcpy(buffer, t->tail, kept);
    while ((n = recv(t->fd, buffer + kept, sizeof buffer - kept - 1, 0)) > 0) {
        buffer[kept + (size_t)n] = '\0';
        size_t whole = strlen(buffer), keep = whole < 11 ? whole : 11;
        for (const char *p = buffer; (p = strstr(p, "SIP/2.0 200 ")); p++)
            t->answers++;
        memmove(buffer, buffer + whole - keep, keep + 1); // one byte less than what is counted
        kept = keep;
    }
    snprintf(t->tail, sizeof t->tail, "%.*s", (int)kept, buffer);
}

// Ten thousand requests in one go over a connection, and over UDP as fast as they are taken: who else asks is
// answered in between, and no turn has more than each one's share.
static void a_turn_is_shared(void)
{
    uint64_t now = 1000;
    loop = loop_new_by_hand(2, now);
    CU_ASSERT_FATAL(loop != NULL);
    begin(&a, 1);
    struct talker flood = talk(SOCK_STREAM, 2), other = talk(SOCK_STREAM, 3), udp = talk(SOCK_DGRAM, 4);
    flood.wanted = FLOOD;
    unsigned turns = 0, most = 0, late = 0, waiting = 0;
    while (flood.answers < FLOOD && ++turns < 20 * FLOOD) {
        say(&flood, 1);
        if (turns % 10 == 0 && other.answers == other.wanted) {
            other.wanted++;
            udp.wanted++;
            waiting = 0;
        }
        say(&other, 2);
        say(&udp, 3);
        if (other.answers < other.wanted || udp.answers < udp.wanted)
            late += ++waiting > 9;
        unsigned before = a.requests;
        one_turn(turns % 3 ? now : ++now);
        if (a.requests - before > most)
            most = a.requests - before;
    }
    CU_ASSERT(flood.answers == FLOOD && other.answers > 10 && udp.answers > 10);
    CU_ASSERT(late == 0);
    CU_ASSERT(most > 1 && most <= SHARE + 2);
    CU_ASSERT(sip_stack_counters(a.stack)->tcp_broken == 0);
    close(flood.fd);
    close(other.fd);
    close(udp.fd);
    for (unsigned i = 0; i < 200; i++)
        one_turn(now += 50);
    sip_stack_free(a.stack);
    loop_free(loop);
}

// Nothing but line ends: each pair is answered, and counts as a message does.
static void pings_are_shared_too(void)
{
    static char pings[8 * 1024];
    uint64_t now = 1000;
    loop = loop_new_by_hand(2, now);
    CU_ASSERT_FATAL(loop != NULL);
    begin(&a, 1);
    struct talker flood = talk(SOCK_STREAM, 2);
    for (size_t i = 0; i < sizeof pings; i++)
        pings[i] = i % 2 ? '\n' : '\r';
    CU_ASSERT_FATAL(send(flood.fd, pings, sizeof pings, MSG_NOSIGNAL) == sizeof pings);
    const struct sip_counters *c = sip_stack_counters(a.stack);
    uint64_t most = 0;
    unsigned turns = 0;
    while (c->keep_alive < sizeof pings / 4 && ++turns < 10000) {
        uint64_t before = c->keep_alive;
        one_turn(now);
        if (c->keep_alive - before > most)
            most = c->keep_alive - before;
    }
    CU_ASSERT(c->keep_alive == sizeof pings / 4 && most == SHARE && c->tcp_broken == 0);
    // one that ends with work left is freed with it
    CU_ASSERT(send(flood.fd, pings, sizeof pings, MSG_NOSIGNAL) == sizeof pings);
    one_turn(now);
    close(flood.fd);
    sip_stack_free(a.stack);
    loop_free(loop);
}

// ---- TLS -----------------------------------------------------------------------------------------------

static void begin_tls(struct side *s, unsigned last, const char *file)
{
    char why[256] = "";
    configure(s, last);
    struct tl_listener_config *l = &s->config.listeners[TCP];
    l->transport = TL_TLS;
    snprintf(l->tls.certificate, sizeof l->tls.certificate, "%s", file);
    s->config.control.handshake_timeout_ms = 4000;
    s->config.control.connect_timeout_ms = 4000;
    s->config.trunk_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        s->config.trunks[i].number = i + 1;
        s->config.trunks[i].listener = TCP;
        s->config.trunks[i].tls.verify = TL_TLS_VERIFY_OFF;
    }
    CU_ASSERT_FATAL(sip_stack_new(loop, &s->config, &user, s, &s->stack, why, sizeof why) == 0);
}

static struct side *asking;

static bool is_told(void)
{
    return asking->responses + asking->failures == 1;
}

// An OPTIONS to a trunk's peer; returns whether it was answered.
static bool reaches(struct side *s, struct tl_addr to, uint32_t trunk)
{
    s->responses = s->failures = 0;
    s->trunk = trunk;
    asking = s;
    ask(s, SIP_OPTIONS, TCP, to);
    return run_until(is_told) && s->responses == 1;
}

// What goes to a trunk over TLS takes no connection that was made for another one at the same address, and of those that
// were accepted only one whose peer is the trunk's.
static void tls_connections_are_of_a_trunk(void)
{
    char file[] = "/tmp/sip-net-XXXXXX", command[200];
    int fd = mkstemp(file);
    CU_ASSERT_FATAL(fd >= 0);
    snprintf(command, sizeof command,
             "exec 2>/dev/null; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc "
             "-days 90 -subj /CN=x -keyout - >%s",
             file);
    CU_ASSERT_FATAL(system(command) == 0);
    loop = loop_new(2);
    CU_ASSERT_FATAL(loop != NULL);
    begin_tls(&a, 1, file);
    begin_tls(&b, 2, file);
    const struct sip_counters *ca = sip_stack_counters(a.stack), *cb = sip_stack_counters(b.stack);
    CU_ASSERT(reaches(&a, address(2), 1) && ca->tcp_connected == 1);
    CU_ASSERT(reaches(&a, address(2), 1) && ca->tcp_connected == 1);
    CU_ASSERT(reaches(&a, address(2), 2) && ca->tcp_connected == 2);
    CU_ASSERT(reaches(&a, address(2), 1) && reaches(&a, address(2), 2) && ca->tcp_connected == 2);
    // back to the port that it came from, where nobody listens
    CU_ASSERT(reaches(&b, b.last_flow.remote, 2) && cb->tcp_connected == 0 && cb->tcp_refused == 0);
    CU_ASSERT(!reaches(&b, b.last_flow.remote, 1) && cb->tcp_refused == 1);
    sip_stack_free(a.stack);
    sip_stack_free(b.stack);
    loop_free(loop);
    close(fd);
    unlink(file);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a_turn_is_shared", a_turn_is_shared},
        {"pings_are_shared_too", pings_are_shared_too},
        {"udp_calls", udp_calls},
        {"tcp_calls", tcp_calls},
        {"tcp_connect_refused", tcp_connect_refused},
        {"udp_port_unreachable", udp_port_unreachable},
        {"answer_on_new_connection", answer_on_new_connection},
        {"several_messages_in_one_read", several_messages_in_one_read},
        {"bad_streams_are_closed", bad_streams_are_closed},
        {"reader_that_does_not_read", reader_that_does_not_read},
        {"udp_garbage_counted", udp_garbage_counted},
        {"listeners_that_fail", listeners_that_fail},
        {"tls_connections_are_of_a_trunk", tls_connections_are_of_a_trunk},
        {"signals_reach_the_loop", signals_reach_the_loop},
    };
    return test_main("sip_net", TEST_CASES(cases), argc, argv);
}
