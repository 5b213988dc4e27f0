// SPDX-License-Identifier: BSD-3-Clause
#include "agent_fixture.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/base/log.h"

#define AUDIO(address, rest)                                                                                 \
    "v=0\r\no=- 1 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n" rest
const char body_a[] =
    AUDIO("192.0.2.1", "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
const char body_b[] = AUDIO("192.0.2.2", "m=audio 5000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\n");
const char body_hold[] = AUDIO("192.0.2.1", "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
const char body_held[] = AUDIO("192.0.2.2", "m=audio 5000 RTP/AVP 8\r\na=recvonly\r\n");

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// ---- parties ------------------------------------------------------------------------------------------

static int udp_socket(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                    getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void party_read(struct party *p)
{
    static char buffer[65536];
    ssize_t n;
    while ((n = recv(p->fd, buffer, sizeof buffer - 1, 0)) >= 0) {
        buffer[n] = 0;
        CU_ASSERT_FATAL(p->count < PARTY_INBOX);
        p->inbox[p->count++] = strdup(buffer);
    }
}

void party_forget(struct party *p)
{
    while (p->count)
        free(p->inbox[--p->count]);
}

unsigned party_has(const struct party *p, const char *prefix)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->count; i++)
        n += strncmp(p->inbox[i], prefix, strlen(prefix)) == 0;
    return n;
}

const char *party_expect(struct world *w, struct party *p, const char *prefix)
{
    static char *taken[3];
    static unsigned turn;
    uint64_t end = now_ms() + WORLD_WAIT_MS;
    for (;;) {
        for (unsigned i = 0; i < p->count; i++) {
            if (strncmp(p->inbox[i], prefix, strlen(prefix)) != 0)
                continue;
            turn = (turn + 1) % 3;
            free(taken[turn]);
            taken[turn] = p->inbox[i];
            memmove(&p->inbox[i], &p->inbox[i + 1], (--p->count - i) * sizeof p->inbox[0]);
            return taken[turn];
        }
        if (now_ms() > end)
            break;
        world_turn(w, 2);
    }
    printf("no message \"%s\"; there are %u:\n", prefix, p->count);
    for (unsigned i = 0; i < p->count; i++)
        printf("   %.*s\n", (int)strcspn(p->inbox[i], "\r"), p->inbox[i]);
    return NULL;
}

void party_send(struct world *w, struct party *p, const char *format, ...)
{
    static char text[16384], wire[20000];
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(w->sip_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *body = strstr(text, "\n\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    size_t n = 0;
    for (char *c = text; c <= body; c++) {
        if (*c == '\n')
            wire[n++] = '\r';
        wire[n++] = *c;
    }
    n += (size_t)snprintf(wire + n, sizeof wire - n, "Content-Length: %zu\r\n\r\n%s", strlen(body + 2),
                          body + 2);
    CU_ASSERT_EQUAL(sendto(p->fd, wire, n, 0, (struct sockaddr *)&to, sizeof to), (ssize_t)n);
}

static char *buffer_in_turn(void)
{
    static char buffers[8][1024];
    static unsigned turn;
    turn = (turn + 1) % 8;
    buffers[turn][0] = 0;
    return buffers[turn];
}

const char *header_of(const char *message, const char *name)
{
    char *out = buffer_in_turn(), key[64];
    snprintf(key, sizeof key, "\r\n%s: ", name);
    const char *at = message ? strstr(message, key) : NULL;
    if (at) {
        at += strlen(key);
        snprintf(out, 1024, "%.*s", (int)strcspn(at, "\r"), at);
    }
    return out;
}

const char *uri_of(const char *message, const char *name)
{
    const char *value = header_of(message, name), *open = strchr(value, '<');
    char *out = buffer_in_turn();
    if (open)
        snprintf(out, 1024, "%.*s", (int)strcspn(open + 1, ">"), open + 1);
    return out;
}

static const char *type_line(const char *body)
{
    return body ? "Content-Type: application/sdp\n" : "";
}

void party_answer(struct world *w, struct party *p, const char *request, const char *status, const char *tag,
                  const char *body)
{
    const char *to = header_of(request, "To");
    party_send(w, p,
               "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %s\nContact: "
               "<sip:x@127.0.0.1:%u>\n%s\n%s",
               status, header_of(request, "Via"), header_of(request, "From"), to,
               strstr(to, ";tag=") ? "" : ";tag=", strstr(to, ";tag=") ? "" : tag,
               header_of(request, "Call-ID"), header_of(request, "CSeq"), p->port, type_line(body),
               body ? body : "");
}

static unsigned next_branch;

void a_invites(struct world *w, const char *call_id, const char *number, const char *extra, const char *body)
{
    party_send(
        w, &w->a,
        "INVITE sip:%s@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKa%u\n"
        "From: \"Alice\" <sip:100@127.0.0.1>;tag=atag\nTo: <sip:%s@127.0.0.1>\nCall-ID: %s\nCSeq: 1 INVITE\n"
        "Contact: <sip:100@127.0.0.1:%u>\n%s%s\n%s",
        number, w->a.port, ++next_branch, number, call_id, w->a.port, extra, type_line(body),
        body ? body : "");
}

void a_requests(struct world *w, const char *answer, const char *method, unsigned cseq, const char *extra,
                const char *body)
{
    party_send(
        w, &w->a,
        "%s %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKa%u\nFrom: %s\nTo: %s\nCall-ID: %s\n"
        "CSeq: %u %s\nContact: <sip:100@127.0.0.1:%u>\n%s%s\n%s",
        method, uri_of(answer, "Contact"), w->a.port, ++next_branch, header_of(answer, "From"),
        header_of(answer, "To"), header_of(answer, "Call-ID"), cseq, method, w->a.port, extra,
        type_line(body), body ? body : "");
}

void b_requests(struct world *w, struct party *p, const char *invite, const char *tag, const char *method,
                unsigned cseq, const char *extra, const char *body)
{
    party_send(w, p,
               "%s %s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKb%u\nFrom: %s;tag=%s\nTo: "
               "%s\nCall-ID: %s\n"
               "CSeq: %u %s\nContact: <sip:x@127.0.0.1:%u>\n%s%s\n%s",
               method, uri_of(invite, "Contact"), p->port, ++next_branch, header_of(invite, "To"), tag,
               header_of(invite, "From"), header_of(invite, "Call-ID"), cseq, method, p->port, extra,
               type_line(body), body ? body : "");
}

// ---- the world ----------------------------------------------------------------------------------------

static void set_trunk(struct tl_config *c, unsigned i, const char *name, uint16_t port, unsigned realm)
{
    struct tl_trunk_config *t = &c->trunks[i];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->peer = (struct tl_addr){.family = TL_AF_INET, .port = port, .ip = {127, 0, 0, 1}};
    t->realm = realm;
    t->side = realm ? TL_SIDE_CORE : TL_SIDE_PEER;
    t->dtmf_pt = 101;
    t->trusted = true;
    t->codecs[0] = TL_PCMA;
    t->codecs[1] = TL_PCMU;
    t->codec_count = 2;
    t->burst_ms = 1000;
    t->no_response_ms = 300;
    t->options_failures = 2;
    for (unsigned what = 400; what < TL_FAILOVER_END; what++)
        if (what == 408 || what == 503 || what == 504 || what > TL_FAILOVER_LAST)
            tl_failover_add(&t->failover, what);
    c->trunk_count = i + 1;
}

static void add_route(struct tl_config *c, const char *prefix, uint32_t first, uint32_t second)
{
    struct tl_route_config *r = &c->routes[c->route_count++];
    snprintf(r->prefix, sizeof r->prefix, "%s", prefix);
    r->any_from = true;
    r->trunks[0] = first;
    r->trunks[1] = second;
    r->trunk_count = second ? 2 : 1;
}

static void make_config(struct world *w)
{
    struct tl_config *c = w->config = calloc(1, sizeof *c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    snprintf(c->dataplane.socket, sizeof c->dataplane.socket, "%s/s", w->dir);
    strcpy(c->control.user_agent, "Test");
    c->control.srtp_without_tls = TL_SRTP_ALLOW;
    c->control.t1_ms = 20, c->control.t2_ms = 80, c->control.t4_ms = 80;
    c->control.timer_b_ms = c->control.timer_f_ms = c->control.timer_h_ms = 64 * 20;
    c->control.setup_timeout_ms = 2500;
    c->control.max_calls = 50, c->control.max_transactions = 1000, c->control.retry_after_s = 7;
    strcpy(c->realms[0].name, "left");
    strcpy(c->realms[1].name, "right");
    c->realm_count = 2;
    close(udp_socket(&w->sip_port)); // a port that was free a moment ago
    strcpy(c->listeners[0].name, "udp");
    c->listeners[0].address =
        (struct tl_addr){.family = TL_AF_INET, .port = w->sip_port, .ip = {127, 0, 0, 1}};
    c->listener_count = 1;
    set_trunk(c, 0, "caller", w->a.port, 0);
    set_trunk(c, 1, "one", w->b.port, 1);
    set_trunk(c, 2, "two", w->b2.port, 1);
    set_trunk(c, 3, "secure", w->s.port, 1);
    c->trunks[3].srtp = TL_SRTP_REQUIRED;
    c->trunks[3].suites[0] = TL_SUITE_AES_CM_128_HMAC_SHA1_80;
    c->trunks[3].suite_count = 1;
    add_route(c, "1", 1, 0);
    add_route(c, "2", 1, 2);
    add_route(c, "3", 3, 0);
}

void world_open(struct world *w, void (*tune)(struct tl_config *config))
{
    char why[200];
    memset(w, 0, sizeof *w);
    log_set_level(LOG_ERROR - 1);
    snprintf(w->dir, sizeof w->dir, "/tmp/trunkline-agent-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->dir));
    struct party *all[] = {&w->a, &w->b, &w->b2, &w->s};
    for (unsigned i = 0; i < 4; i++)
        all[i]->fd = udp_socket(&all[i]->port);
    make_config(w);
    if (tune)
        tune(w->config);
    struct fake_dataplane_config config = {
        .path = w->config->dataplane.socket,
        .realms = {{"left", {.family = TL_AF_INET, .ip = {198, 51, 100, 1}}, 20000, 20999},
                   {"right", {.family = TL_AF_INET, .ip = {203, 0, 113, 1}}, 30000, 30999}},
        .realm_count = 2,
        .sessions = 100,
        .workers = 1};
    w->fake = fake_dataplane_start(&config);
    w->loop = loop_new(0);
    CU_ASSERT_FATAL(w->fake && w->loop);
    int rc = agent_new(w->loop, w->config, &w->agent, why, sizeof why);
    if (rc < 0)
        printf("%s\n", why);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    for (int i = 0; i < 1000 && !media_up(agent_media(w->agent)); i++)
        world_turn(w, 2);
    world_turn(w, 10);
}

void world_turn(struct world *w, unsigned ms)
{
    uint64_t end = now_ms() + ms;
    do {
        fake_dataplane_poll(w->fake);
        loop_now(w->loop);
        event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
        party_read(&w->a);
        party_read(&w->b);
        party_read(&w->b2);
        party_read(&w->s);
        usleep(500);
    } while (now_ms() < end);
}

bool world_quiet(struct world *w)
{
    for (int i = 0; i < 1500 && (agent_counters(w->agent)->active || fake_dataplane_count(w->fake)); i++)
        world_turn(w, 2);
    return agent_counters(w->agent)->active == 0 && fake_dataplane_count(w->fake) == 0;
}

void world_close(struct world *w)
{
    CU_ASSERT_TRUE(world_quiet(w));
    CU_ASSERT_EQUAL(media_session_count(agent_media(w->agent)), 0);
    world_drop(w);
}

void world_drop(struct world *w)
{
    struct party *all[] = {&w->a, &w->b, &w->b2, &w->s};
    for (unsigned i = 0; i < 4; i++) {
        party_forget(all[i]);
        close(all[i]->fd);
    }
    agent_free(w->agent);
    loop_free(w->loop);
    fake_dataplane_stop(w->fake);
    free(w->config);
    rmdir(w->dir);
}

void bring_up(struct world *w, char **ok, char **invite)
{
    a_invites(w, "call", "1100", "", body_a);
    const char *i = party_expect(w, &w->b, "INVITE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(i);
    *invite = strdup(i);
    party_answer(w, &w->b, *invite, "200 OK", "btag", body_b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(party_expect(w, &w->b, "ACK"));
    const char *o = party_expect(w, &w->a, "SIP/2.0 200");
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    *ok = strdup(o);
    a_requests(w, *ok, "ACK", 1, "", NULL);
    world_turn(w, 10);
}
