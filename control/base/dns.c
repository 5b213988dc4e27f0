// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/dns.h"

#include <ares.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/addr.h"
#include "control/base/loop.h"

enum { CLASS_IN = 1, LATER_MS = 1 };

// A socket of c-ares.
struct dns_socket {
    struct dns_socket *next;
    struct dns *dns;
    ares_socket_t fd;
    struct event *event;
};

struct question {
    struct dns *dns;
    enum dns_type type;
    char name[DNS_NAME_MAX];
};

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct dns_socket *sockets;
    struct wheel_timer timer;
    dns_answer_fn *fn;
    void *arg;
    bool ending;
};

static void on_timer(void *arg);

static void arm(struct dns *dns)
{
    struct timeval room, *tv = ares_timeout(dns->channel, NULL, &room);

    if (tv)
        wheel_add(loop_wheel(dns->loop), &dns->timer,
                  (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000 + LATER_MS, on_timer, dns);
    else
        wheel_cancel(loop_wheel(dns->loop), &dns->timer);
}

static void on_timer(void *arg)
{
    struct dns *dns = arg;

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(dns);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct dns *dns = ((struct dns_socket *)arg)->dns;

    loop_now(dns->loop);
    ares_process_fd(dns->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    arm(dns);
}

// ---- sockets

static void socket_free(struct dns_socket **at)
{
    struct dns_socket *s = *at;

    *at = s->next;
    if (s->event)
        event_free(s->event);
    free(s);
}

// What c-ares wants of one of its sockets. Without memory its question has its time-out.
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dns *dns = arg;
    struct dns_socket **at = &dns->sockets;

    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    if (*at && !readable && !writable) {
        socket_free(at);
        return;
    }
    if (!readable && !writable)
        return;
    struct dns_socket *s = *at;
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return;
        *s = (struct dns_socket){.next = dns->sockets, .dns = dns, .fd = fd};
        dns->sockets = s;
    }
    if (s->event)
        event_free(s->event);
    short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    s->event = event_new(loop_base(dns->loop), fd, what, on_event, s);
    if (s->event)
        event_add(s->event, NULL);
}

// ---- questions

static void on_answer(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
    struct question *q = arg;
    struct dns *dns = q->dns;
    struct dns_answer answer = {.status = DNS_FAILED};

    (void)timeouts;
    if (status == ARES_EBADRESP || status == ARES_EBADNAME)
        answer = (struct dns_answer){.status = DNS_BROKEN, .fault = DNS_MALFORMED};
    else if ((status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND) && msg)
        dns_read(msg, (size_t)len, q->name, q->type, &answer);
    if (!dns->ending)
        dns->fn(dns->arg, q->name, q->type, &answer);
    free(q);
}

int dns_ask(struct dns *dns, const char *name, enum dns_type type)
{
    struct question *q = calloc(1, sizeof *q);

    if (!q || strlen(name) >= sizeof q->name) {
        free(q);
        return -ENOMEM;
    }
    q->dns = dns;
    q->type = type;
    memcpy(q->name, name, strlen(name) + 1);
    ares_query(dns->channel, name, CLASS_IN, (int)type, on_answer, q);
    arm(dns);
    return 0;
}

// ---- life

// "192.0.2.1:53,[2001:db8::1]:53"
static int set_servers(struct dns *dns, const struct dns_options *o)
{
    char *list = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&list, &size);

    if (!out)
        return ARES_ENOMEM;
    for (size_t i = 0; i < o->server_count; i++)
        fprintf(out, "%s%s", i ? "," : "", TL_ADDR_STR(&o->servers[i]));
    int status = fclose(out) == 0 ? ares_set_servers_ports_csv(dns->channel, list) : ARES_ENOMEM;
    free(list);
    return status;
}

int dns_new(struct loop *loop, const struct dns_options *o, dns_answer_fn *fn, void *arg, struct dns **out,
            char *why, size_t why_size)
{
    struct dns *dns = calloc(1, sizeof *dns);
    struct ares_options options = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
                                   .timeout = (int)o->timeout_ms,
                                   .tries = (int)o->tries,
                                   .sock_state_cb = on_state,
                                   .sock_state_cb_data = dns};
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (!dns || status != ARES_SUCCESS) {
        free(dns);
        snprintf(why, why_size, "no memory for names");
        return -ENOMEM;
    }
    *dns = (struct dns){.loop = loop, .fn = fn, .arg = arg};
    status = ares_init_options(&dns->channel, &options,
                               ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && o->server_count)
        status = set_servers(dns, o);
    if (status != ARES_SUCCESS) {
        snprintf(why, why_size, "names cannot be resolved: %s", ares_strerror(status));
        dns_free(dns);
        return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
    }
    *out = dns;
    return 0;
}

void dns_free(struct dns *dns)
{
    if (!dns)
        return;
    dns->ending = true;
    if (dns->channel)
        ares_destroy(dns->channel);
    while (dns->sockets)
        socket_free(&dns->sockets);
    wheel_cancel(loop_wheel(dns->loop), &dns->timer);
    free(dns);
    ares_library_cleanup();
}
