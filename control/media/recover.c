// SPDX-License-Identifier: BSD-3-Clause
// What happens when the dataplane is back: sessions that nobody knows end, those of ours go on.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/base/log.h"
#include "control/media/media_internal.h"

// ---- resume -------------------------------------------------------------------------------------------

static void resume_leg(struct media_session *s, unsigned i, const struct tl_leg_snapshot *snap)
{
    struct media_resume *r = &s->resume[i];
    r->known = true;
    r->rx_generation = s->leg[i].rx.generation;
    r->tx_generation = s->leg[i].tx.generation;
    for (unsigned k = 0; k < TL_SSRC_MAX; k++)
        r->rx[k] = tl_live_resume(&snap->rx[k], r->rx_generation);
    r->tx = tl_live_resume(&snap->tx, r->tx_generation);
}

void media_resume_from(struct media_session *s, unsigned leg, const struct media_past *past)
{
    const struct media_session *from = past->session;
    const struct tl_live_view *live = media_live(s->media);
    struct media_resume *r = &s->resume[leg];
    struct tl_session_snapshot snap;
    if (!from || !live || tl_live_read(live, &from->handle, &snap) < 0)
        return;
    const struct tl_crypto *was = &from->leg[past->leg].rx, *now = &s->leg[leg].rx;
    r->known = was->suite && tl_key_print(was, s->call_ref) == tl_key_print(now, s->call_ref);
    r->rx_generation = now->generation;
    r->tx_generation = UINT32_MAX; // nothing of it goes on
    for (unsigned k = 0; k < TL_SSRC_MAX; k++)
        r->rx[k] = tl_live_resume(&snap.leg[past->leg].rx[k], was->generation);
    explicit_bzero(&snap, sizeof snap);
}

// Reads the dead dataplane's table once, by slot: that also finds sessions whose ADD it had done without
// telling us.
static void read_old_table(struct media *m)
{
    const struct tl_live_view *old = tl_client_previous_live(m->client);
    struct tl_session_snapshot snap;
    for (uint32_t slot = 0; old && slot < old->session_count; slot++) {
        if (tl_live_read_slot(old, slot, &snap) < 0)
            continue;
        struct media_session *s = media_find(m, snap.call_ref);
        if (!s || (s->installed && s->handle.generation != snap.handle.generation))
            continue;
        resume_leg(s, 0, &snap.leg[0]);
        resume_leg(s, 1, &snap.leg[1]);
        s->seen = true;
    }
    explicit_bzero(&snap, sizeof snap);
    tl_client_forget_previous(m->client);
}

void media_apply_resume(const struct media_session *s, struct tl_leg leg[2])
{
    for (unsigned i = 0; i < 2; i++) {
        const struct media_resume *r = &s->resume[i];
        if (!r->known)
            continue;
        if (leg[i].rx.suite &&
            r->rx_generation == leg[i].rx.generation) // what comes in plain leaves no state
            memcpy(leg[i].rx_resume, r->rx, sizeof leg[i].rx_resume);
        if (r->tx_generation == leg[i].tx.generation)
            leg[i].tx_resume = r->tx;
    }
}

static bool has_keys(const struct media_session *s)
{
    return s->leg[0].tx.suite || s->leg[0].rx.suite || s->leg[1].tx.suite || s->leg[1].rx.suite;
}

// ---- sessions -----------------------------------------------------------------------------------------

void media_session_lost(struct media_session *s, const char *why)
{
    struct media *m = s->media;
    void *arg = s->arg;
    bool ending = s->ending, tell = s->tell_deleted;
    if (!ending) {
        m->counters.lost++;
        log_line(LOG_WARNING, "session %016" PRIx64 " is lost: %s", s->call_ref, why);
    }
    media_session_free(s);
    if (arg && !ending)
        m->user->on_lost(arg, why);
    else if (arg && tell) // its call waits for the end, not for a session
        m->user->on_deleted(arg, NULL);
}

typedef void (*session_fn)(struct media_session *s);

// What `fn` does to one may end others: a call that loses its session may take another call with it.
static void for_each(struct media *m, session_fn fn)
{
    for (unsigned b = 0; b < MEDIA_BUCKETS; b++)
        for (struct media_session *s = m->bucket[b]; s; s = m->walk_next) {
            m->walk_next = s->next;
            fn(s);
        }
}

// A dataplane without our sessions: each is made again, if its keys can be used without using an index twice.
static void make_again(struct media_session *s)
{
    bool was_there = s->installed;
    s->installed = false;
    memset(&s->handle, 0, sizeof s->handle);
    bool known = media_lose_keys(s);
    if (was_there && ((!s->seen && has_keys(s)) || !known))
        media_session_lost(s, "the old live table does not know where its SRTP indices stood");
    else
        media_queue(s);
}

static void forget_seen(struct media_session *s)
{
    s->seen = false;
}

// The list is complete: what the dataplane does not have is made again if it never had it, else lost.
static void compare(struct media_session *s)
{
    if (s->installed && !s->seen)
        media_session_lost(s, "the dataplane has ended it");
    else if (!s->installed || s->dirty)
        media_queue(s);
}

// ---- the list -----------------------------------------------------------------------------------------

static void ask_for_page(struct media *m)
{
    struct tl_command c = {.op = TL_OP_LIST, .list_slot = m->list_slot};
    if (media_send(m, &c, NULL) == 0)
        m->recover++;
}

static void delete_unknown(struct media *m, const struct tl_list_entry *e)
{
    struct tl_command c = {
        .op = TL_OP_DEL, .call_ref = e->call_ref, .handle = {m->incarnation, e->slot, e->generation}};
    if (media_send(m, &c, NULL) == 0)
        m->recover++;
}

static void take_page(struct media *m, const struct tl_completion *done)
{
    uint32_t count = done->list.count < TL_LIST_PAGE ? done->list.count : TL_LIST_PAGE;
    for (uint32_t i = 0; i < count; i++) {
        const struct tl_list_entry *e = &done->list.entry[i];
        struct media_session *s = media_find(m, e->call_ref);
        if (!s) {
            delete_unknown(m, e);
            continue;
        }
        s->seen = true;
        if (!s->installed || s->handle.generation != e->generation || s->handle.slot != e->slot) {
            s->handle = (struct tl_handle){m->incarnation, e->slot, e->generation};
            s->installed = true;
            s->dirty = true; // what it has may be older than what we want
        }
    }
    m->list_slot = done->list.next_slot;
    if (m->list_slot == UINT32_MAX || done->status < 0)
        m->listing = false;
}

static void count_flushed(struct media *m, uint32_t count)
{
    m->counters.flushed += count;
    if (count)
        log_line(LOG_NOTICE, "dataplane: %u session(s) of an earlier control ended", count);
}

void media_recover_completion(struct media *m, const struct tl_completion *done)
{
    if (m->recover)
        m->recover--;
    if (done->op == TL_OP_LIST)
        take_page(m, done);
    else if (done->op == TL_OP_FLUSH && done->status == 0)
        count_flushed(m, done->flush.count);
    else if (done->op == TL_OP_DEL && done->status == 0)
        m->counters.flushed++;
    if (m->recover)
        return;
    if (m->listing) {
        ask_for_page(m);
        return;
    }
    if (done->op == TL_OP_LIST || done->op == TL_OP_DEL)
        for_each(m, compare);
    media_flush_queue(m);
}

void media_recover_begin(struct media *m)
{
    const struct tl_live_view *live = tl_client_live(m->client);
    uint64_t incarnation = live ? live->incarnation : 0;
    bool same = incarnation == m->incarnation;
    log_line(LOG_NOTICE, "dataplane: connected, incarnation %016" PRIx64 "%s, %u session(s) here",
             incarnation, same ? " as before" : "", m->session_count);
    m->incarnation = incarnation;
    for_each(m, forget_seen);
    if (same) {
        m->listing = true;
        m->list_slot = 0;
        ask_for_page(m);
    } else {
        if (m->session_count)
            read_old_table(m);
        struct tl_command c = {.op = TL_OP_FLUSH};
        for_each(m, make_again);
        if (media_send(m, &c, NULL) == 0) // what an earlier control left; ours come after it
            m->recover++;
    }
    media_flush_queue(m);
}
