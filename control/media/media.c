// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/validate.h"
#include "control/base/log.h"
#include "control/media/media_internal.h"
#include "control/sdp/sdes.h"

// ---- sessions by name ---------------------------------------------------------------------------------

static struct media_session **bucket_of(struct media *m, uint64_t call_ref)
{
    return &m->bucket[call_ref % MEDIA_BUCKETS]; // random, so any bits do
}

struct media_session *media_find(const struct media *m, uint64_t call_ref)
{
    struct media_session *s = m->bucket[call_ref % MEDIA_BUCKETS];
    while (s && s->call_ref != call_ref)
        s = s->next;
    return s;
}

void media_unqueue(struct media_session *s)
{
    struct media *m = s->media;
    struct media_session **at = &m->queue_head;
    while (*at != s)
        at = &(*at)->queue_next;
    *at = s->queue_next;
    if (m->queue_tail == &s->queue_next)
        m->queue_tail = at;
    s->queued = false;
    m->queue_count--;
}

void media_session_free(struct media_session *s)
{
    struct media *m = s->media;
    struct media_session **at = bucket_of(m, s->call_ref);
    if (s->queued)
        media_unqueue(s);
    for (unsigned i = 0; s->busy && i < TL_RING_SLOTS; i++)
        if (m->pending[i].session == s)
            m->pending[i].session = NULL;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (m->walk_next == s)
        m->walk_next = s->next;
    m->session_count--;
    free(s->keys);
    explicit_bzero(s, sizeof *s);
    free(s);
}

// ---- commands out -------------------------------------------------------------------------------------

int media_send(struct media *m, struct tl_command *c, struct media_session *s)
{
    uint64_t id = ++m->next_id;
    struct media_pending *p = &m->pending[id % TL_RING_SLOTS];
    for (unsigned i = 0; p->id && i < TL_RING_SLOTS; i++) { // completions may come out of order
        id = ++m->next_id;
        p = &m->pending[id % TL_RING_SLOTS];
    }
    if (p->id)
        return -EAGAIN;
    c->id = id;
    int rc = tl_client_send(m->client, MEDIA_LOOP, c);
    if (rc == 0)
        *p = (struct media_pending){id, s, m->loop ? loop_now(m->loop) : 0, c->op};
    return rc;
}

// No bell rings for the answer to the end of a session: calls that end wake nobody, and are taken together.
static void on_quiet(void *arg)
{
    struct media *m = arg;
    media_look(m);
    if (m->up && media_outstanding(m) > 0 && !wheel_armed(&m->quiet_timer))
        wheel_add(loop_wheel(m->loop), &m->quiet_timer, MEDIA_QUIET_MS, on_quiet, m);
}

void media_look(struct media *m)
{
    media_drain(m);
    media_flush_queue(m);
    if (media_outstanding(m) == 0)
        wheel_cancel(loop_wheel(m->loop), &m->quiet_timer);
}

static int send_next(struct media_session *s)
{
    struct media *m = s->media;
    struct tl_command c = {.call_ref = s->call_ref, .handle = s->handle};
    if (s->ending) {
        c.op = TL_OP_DEL;
        c.flags = TL_COMMAND_QUIET;
    } else {
        c.op = s->installed ? TL_OP_MODIFY : TL_OP_ADD;
        c.leg_mask = s->installed ? 3 : 0;
        memcpy(c.leg, s->leg, sizeof c.leg);
        if (!s->installed) {
            memset(&c.handle, 0, sizeof c.handle);
            c.leg[0].local_port = s->local[0].port;
            c.leg[1].local_port = s->local[1].port;
            media_apply_resume(s, c.leg);
        }
    }
    int rc = media_send(m, &c, s);
    if (rc == 0) {
        s->busy = (uint8_t)c.op;
        s->dirty = false;
        if (c.flags & TL_COMMAND_QUIET && m->loop && !wheel_armed(&m->quiet_timer))
            wheel_add(loop_wheel(m->loop), &m->quiet_timer, MEDIA_QUIET_MS, on_quiet, m);
    }
    explicit_bzero(&c, sizeof c);
    return rc;
}

void media_queue(struct media_session *s)
{
    struct media *m = s->media;
    if (s->queued || s->busy)
        return; // what is due is looked up when its turn comes
    s->queued = true;
    s->queue_next = NULL;
    *m->queue_tail = s;
    m->queue_tail = &s->queue_next;
    m->queue_count++;
}

void media_flush_queue(struct media *m)
{
    while (m->up && !m->recover && m->queue_head) {
        struct media_session *s = m->queue_head;
        if (send_next(s) < 0)
            return; // goes on with the next completion, or with the next connection
        media_unqueue(s);
    }
}

// ---- completions and events in ------------------------------------------------------------------------

static void take_added(struct media_session *s, const struct tl_completion *done)
{
    struct media *m = s->media;
    if (done->status < 0) {
        m->counters.refused++;
        if (s->confirmed) {
            media_session_lost(s, "the new dataplane refused it");
            return;
        }
        void *arg = s->arg;
        bool ending = s->ending, tell = s->tell_deleted;
        media_session_free(s);
        if (arg && ending && tell)
            m->user->on_deleted(arg, NULL);
        else if (arg && !ending)
            m->user->on_added(arg, done->status, NULL);
        return;
    }
    s->handle = done->handle;
    s->installed = true;
    memcpy(s->local, done->add.local, sizeof s->local);
    memset(s->resume, 0, sizeof s->resume);
    if (s->confirmed) {
        m->counters.reinstalled++;
    } else {
        m->counters.added++;
        s->confirmed = true;
        if (!s->ending && s->arg) {
            m->user->on_added(s->arg, 0, s->local);
            return; // the session may be gone
        }
    }
}

static void take_modified(struct media_session *s, const struct tl_completion *done)
{
    struct media *m = s->media;
    // a key that the dataplane has forgotten and we have not: its owner should know that it is the key
    int status = done->status < 0 && done->field == TL_FIELD_KEY ? -ESTALE : done->status;
    m->counters.modified += status == 0;
    if (s->dirty || !s->tell_modified)
        return; // a newer change follows and answers for both
    s->tell_modified = false;
    if (s->arg && !s->ending)
        m->user->on_modified(s->arg, status);
}

static void take_deleted(struct media_session *s, const struct tl_completion *done)
{
    struct media *m = s->media;
    void *arg = s->tell_deleted ? s->arg : NULL;
    m->counters.deleted++;
    media_session_free(s);
    if (arg)
        m->user->on_deleted(arg, done->status == 0 ? done->final : NULL);
}

static void take_completion(struct media *m, const struct tl_completion *done)
{
    struct media_pending *p = &m->pending[done->id % TL_RING_SLOTS];
    if (done->id == 0 || p->id != done->id) {
        log_line(LOG_WARNING, "dataplane: completion %llu answers no command", (unsigned long long)done->id);
        return;
    }
    struct media_session *s = p->session;
    uint16_t op = p->op;
    uint64_t call_ref = s ? s->call_ref : 0;
    *p = (struct media_pending){0};
    if (!s) {
        media_recover_completion(m, done);
        return;
    }
    if (done->status < 0 && !(op == TL_OP_DEL && done->status == -ENOENT))
        log_line(LOG_WARNING, "dataplane refused operation %u of session %016llx: %s%s%s", op,
                 (unsigned long long)call_ref, strerror(-done->status), done->field ? ": " : "",
                 done->field ? tl_field_text(done->field) : "");
    s->busy = 0;
    if (op == TL_OP_ADD)
        take_added(s, done);
    else if (op == TL_OP_MODIFY)
        take_modified(s, done);
    else
        take_deleted(s, done);
    s = media_find(m, call_ref); // a callback may have ended it
    if (s && (s->dirty || s->ending))
        media_queue(s);
}

static void take_event(struct media *m, const struct tl_event *e)
{
    struct media_session *s = media_find(m, e->call_ref);
    if (!s || !s->arg || e->leg > 1 || s->handle.generation != e->handle.generation)
        return;
    if (e->type == TL_EVENT_SILENT)
        m->counters.silences++;
    if (e->type == TL_EVENT_SILENT || e->type == TL_EVENT_HEARD)
        m->user->on_silence(s->arg, e->leg, e->ms, e->type == TL_EVENT_HEARD, e->heard);
}

void media_drain(struct media *m)
{
    struct tl_completion done;
    struct tl_event e;
    while (tl_client_completion(m->client, MEDIA_LOOP, &done) == 0)
        take_completion(m, &done);
    while (tl_client_event(m->client, MEDIA_LOOP, &e) == 0)
        take_event(m, &e);
}

// ---- for the calls ------------------------------------------------------------------------------------

bool media_up(const struct media *m)
{
    return m->up;
}

const struct media_counters *media_counters(const struct media *m)
{
    return &m->counters;
}

unsigned media_session_count(const struct media *m)
{
    return m->session_count;
}

unsigned media_outstanding(const struct media *m)
{
    return tl_client_outstanding(m->client, MEDIA_LOOP);
}

const struct tl_live_view *media_live(const struct media *m)
{
    return tl_client_live(m->client);
}

static void enter(struct media_session *s)
{
    struct media_session **bucket = bucket_of(s->media, s->call_ref);
    s->next = *bucket;
    *bucket = s;
    s->media->session_count++;
}

void media_adopt(struct media_session *s)
{
    enter(s);
    if (s->installed)
        s->media->incarnation = s->handle.incarnation;
    s->dirty = s->installed; // whether the last MODIFY had reached it is not known
}

int media_add(struct media *m, const struct tl_leg leg[2], void *arg, struct media_session **out)
{
    static const struct media_past none[2];
    return media_add_for(m, leg, none, arg, out);
}

int media_add_for(struct media *m, const struct tl_leg leg[2], const struct media_past past[2], void *arg,
                  struct media_session **out)
{
    *out = NULL;
    if (!m->up)
        return -ENOTCONN;
    if (m->queue_count >= MEDIA_QUEUE_MAX)
        return -EAGAIN;
    struct media_session *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    do {
        int rc = sdes_kernel_random(NULL, &s->call_ref, sizeof s->call_ref);
        if (rc < 0) {
            free(s);
            return rc;
        }
    } while (!s->call_ref || media_find(m, s->call_ref));
    s->media = m;
    s->arg = arg;
    memcpy(s->leg, leg, sizeof s->leg);
    media_number_keys(s, s->leg); // the first ones
    for (unsigned i = 0; i < 2; i++)
        media_resume_from(s, i, &past[i]);
    enter(s);
    media_queue(s);
    media_flush_queue(m);
    *out = s;
    return 0;
}

int media_modify(struct media_session *s, const struct tl_leg leg[2])
{
    struct media *m = s->media;
    struct tl_leg to[2];
    memcpy(to, leg, sizeof to);
    int rc = media_number_keys(s, to);
    if (rc == 0)
        memcpy(s->leg, to, sizeof s->leg);
    explicit_bzero(to, sizeof to);
    if (rc < 0)
        return rc;
    s->dirty = true;
    if (!m->up)
        return -ENOTCONN;
    s->tell_modified = true;
    media_queue(s);
    media_flush_queue(m);
    return 0;
}

static int end_session(struct media_session *s, bool tell)
{
    struct media *m = s->media;
    if (!m->up) {
        media_session_free(s);
        return -ENOTCONN;
    }
    s->ending = true;
    s->tell_deleted = tell;
    if (!s->installed && !s->busy) { // it was never sent, or waits to be given back
        media_session_free(s);
        return -ENOTCONN;
    }
    media_queue(s);
    media_flush_queue(m);
    return 0;
}

int media_del(struct media_session *s)
{
    return end_session(s, true);
}

void media_forget(struct media_session *s)
{
    s->arg = NULL;
    end_session(s, false);
}

uint64_t media_call_ref(const struct media_session *s)
{
    return s->call_ref;
}

struct tl_handle media_handle(const struct media_session *s)
{
    return s->handle;
}
