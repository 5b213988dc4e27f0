// SPDX-License-Identifier: BSD-3-Clause
// The connection to the dataplane: made, watched, lost, made again.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/media/media_internal.h"

static void on_connect_timer(void *arg);

static void arm_connect(struct media *m, uint64_t ms)
{
    wheel_add(loop_wheel(m->loop), &m->connect_timer, ms, on_connect_timer, m);
}

static void back_off(struct media *m)
{
    arm_connect(m, m->backoff_ms);
    m->backoff_ms = m->backoff_ms * 2 > MEDIA_BACKOFF_MOST_MS ? MEDIA_BACKOFF_MOST_MS : m->backoff_ms * 2;
}

static void say_away(struct media *m)
{
    if (!m->said_away)
        log_line(LOG_WARNING, "dataplane: %s; new calls get 503 until it is back",
                 tl_client_error(m->client));
    m->said_away = true;
}

// A session whose command will never be answered. May free it.
static void interrupt(struct media_session *s)
{
    struct media *m = s->media;
    void *arg = s->arg;
    uint8_t op = s->busy;
    s->busy = 0;
    if (s->ending) { // a dataplane that kept it is told when the lists are compared
        bool tell = s->tell_deleted;
        media_session_free(s);
        if (arg && tell)
            m->user->on_deleted(arg, NULL);
    } else if (!s->confirmed) {
        media_session_free(s);
        if (arg)
            m->user->on_added(arg, -ENOTCONN, NULL);
    } else {
        s->dirty |= op == TL_OP_MODIFY;
        if (s->tell_modified) {
            s->tell_modified = false;
            if (arg)
                m->user->on_modified(arg, 0);
        }
    }
}

static void drop_connection(struct media *m)
{
    bool was_up = m->up;
    m->up = false;
    m->recover = 0;
    m->listing = false;
    memset(m->pending, 0, sizeof m->pending);
    while (m->queue_head)
        media_unqueue(m->queue_head);
    for (unsigned b = 0; was_up && b < MEDIA_BUCKETS; b++) {
        struct media_session *next;
        for (struct media_session *s = m->bucket[b]; s; s = next) {
            next = s->next;
            interrupt(s); // callbacks end other sessions only through the queue, never this list
        }
    }
}

static void look(struct media *m)
{
    enum tl_client_state state = tl_client_poll(m->client);
    if (state == TL_CLIENT_UP && !m->up) {
        wheel_cancel(loop_wheel(m->loop), &m->connect_timer);
        m->greeting = false;
        m->up = true;
        m->said_away = false;
        m->backoff_ms = MEDIA_BACKOFF_FIRST_MS;
        m->counters.connected++;
        media_recover_begin(m);
    } else if (state == TL_CLIENT_AWAY && (m->up || m->greeting || !wheel_armed(&m->connect_timer))) {
        m->greeting = false;
        media_drain(m);
        say_away(m);
        drop_connection(m);
        back_off(m);
    }
}

static void on_connect_timer(void *arg)
{
    struct media *m = arg;
    if (m->up)
        return;
    if (m->greeting && !m->said_away) {
        log_line(LOG_WARNING, "dataplane: connected, but no greeting within %d s; new calls get 503",
                 MEDIA_GREETING_TIMEOUT_MS / 1000);
        m->said_away = true;
    }
    m->greeting = false;
    if (tl_client_connect(m->client) < 0) {
        say_away(m);
        back_off(m);
        return;
    }
    arm_connect(m, MEDIA_GREETING_TIMEOUT_MS);
    m->greeting = true;
    look(m);
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    struct media *m = arg;
    (void)fd, (void)what;
    loop_now(m->loop);
    look(m);
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
    struct media *m = arg;
    (void)fd, (void)what;
    loop_now(m->loop);
    media_drain(m);
    media_flush_queue(m);
    look(m);
}

static void on_watch(void *arg)
{
    struct media *m = arg;
    uint64_t now = loop_now(m->loop);
    wheel_add(loop_wheel(m->loop), &m->watch_timer, 1000, on_watch, m);
    for (unsigned i = 0; m->up && i < TL_RING_SLOTS; i++)
        if (m->pending[i].id && now - m->pending[i].sent_ms > MEDIA_COMMAND_TIMEOUT_MS) {
            log_line(LOG_ERROR, "dataplane: no completion within %d s; connecting again",
                     MEDIA_COMMAND_TIMEOUT_MS / 1000);
            m->counters.timeouts++;
            drop_connection(m);
            on_connect_timer(m);
        }
}

// ---- life ---------------------------------------------------------------------------------------------

int media_new(struct loop *loop, const char *socket, const struct media_user *user, struct media **out)
{
    struct media *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return -ENOMEM;
    m->loop = loop;
    m->user = user;
    m->queue_tail = &m->queue_head;
    m->backoff_ms = MEDIA_BACKOFF_FIRST_MS;
    int rc = tl_client_open(&m->client, socket, 1);
    if (rc == 0) {
        struct event_base *base = loop_base(loop);
        m->client_event = event_new(base, tl_client_fd(m->client), EV_READ | EV_PERSIST, on_client, m);
        m->ring_event =
            event_new(base, tl_client_loop_fd(m->client, MEDIA_LOOP), EV_READ | EV_PERSIST, on_ring, m);
        if (!m->client_event || !m->ring_event || event_add(m->client_event, NULL) < 0 ||
            event_add(m->ring_event, NULL) < 0)
            rc = -ENOMEM;
    }
    if (rc < 0) {
        media_free(m);
        return rc;
    }
    arm_connect(m, 0);
    wheel_add(loop_wheel(loop), &m->watch_timer, 1000, on_watch, m);
    *out = m;
    return 0;
}

void media_free(struct media *m)
{
    if (!m)
        return;
    for (unsigned b = 0; b < MEDIA_BUCKETS; b++)
        while (m->bucket[b])
            media_session_free(m->bucket[b]);
    wheel_cancel(loop_wheel(m->loop), &m->connect_timer);
    wheel_cancel(loop_wheel(m->loop), &m->watch_timer);
    wheel_cancel(loop_wheel(m->loop), &m->quiet_timer);
    if (m->client_event)
        event_free(m->client_event);
    if (m->ring_event)
        event_free(m->ring_event);
    tl_client_close(m->client);
    free(m);
}
