// SPDX-License-Identifier: BSD-3-Clause
// Which legs have fallen silent and whether a call is one-way or no-way then, found out from the live table:
// the packet path does nothing for it.
#include <errno.h>

#include "dataplane/manager/manager_internal.h"

enum {
    MS = 1000000,
    ROUND_NS = 100 * MS, // in which each session is looked at, if there are not too many for it
    LOOK_MIN_NS = MS,    // between two looks
    LOOK_MAX_NS = 10 * MS,
};

void silence_watch(struct roster_leg *leg, const struct tl_leg *terms, uint64_t now_ns)
{
    bool watched = terms->flags & TL_LEG_RECV && terms->rtp.family != TL_AF_UNSET;
    leg->silence_ms = watched ? terms->silence_ms : 0;
    leg->silent = false;
    leg->since_ns = now_ns;
}

static uint64_t last_heard(const struct manager *m, const struct roster_entry *entry, unsigned leg)
{
    const struct tl_live_rx *rx = &m->live.sessions[roster_slot(&m->roster, entry)].rx[leg];
    return atomic_load_explicit(&rx->last_ns, memory_order_relaxed);
}

// Is there media from the leg, by its own measure or, where it has none, by that of the other one?
static bool is_heard(const struct manager *m, const struct roster_entry *entry, unsigned leg)
{
    uint32_t ms = entry->leg[leg].silence_ms ? entry->leg[leg].silence_ms : entry->leg[leg ^ 1].silence_ms;
    uint64_t last = last_heard(m, entry, leg);
    return last != 0 && (last >= m->now_ns || m->now_ns - last < (uint64_t)ms * MS);
}

// Tells control. False: its ring is full, to be tried again.
static bool tell(struct manager *m, const struct roster_entry *entry, unsigned leg, enum tl_event_type type,
                 uint64_t ns)
{
    uint32_t slot = roster_slot(&m->roster, entry);
    unsigned here = type == TL_EVENT_HEARD, there = is_heard(m, entry, leg ^ 1);
    struct tl_event event = {.handle = {m->live.incarnation, slot, entry->generation},
                             .call_ref = entry->call_ref,
                             .type = type,
                             .leg = leg,
                             .heard = here << leg | there << (leg ^ 1),
                             .ms = RTE_MIN(ns / MS, (uint64_t)UINT32_MAX)};
    int e = tl_server_event(m->server, entry->owner, &event);
    if (e)
        count64(&m->live.workers[entry->worker].events_lost, 1);
    return e != -ENOBUFS;
}

static void look(struct manager *m, struct roster_entry *entry, unsigned i)
{
    struct roster_leg *leg = &entry->leg[i];
    uint64_t long_ns = (uint64_t)leg->silence_ms * MS;
    if (leg->silence_ms == 0)
        return;
    // the live record is out of the manager's cache: it is read once in silence_ms only. A worker's clock may
    // be ahead of this turn's
    if (!leg->silent && (m->now_ns < leg->since_ns || m->now_ns - leg->since_ns < long_ns))
        return;
    uint64_t last = last_heard(m, entry, i);
    if (leg->silent) {
        if (last > leg->since_ns && tell(m, entry, i, TL_EVENT_HEARD, last - leg->since_ns))
            leg->silent = false;
        return;
    }
    if (last > leg->since_ns)
        leg->since_ns = last;
    if (m->now_ns < leg->since_ns || m->now_ns - leg->since_ns < long_ns)
        return;
    leg->silent = tell(m, entry, i, TL_EVENT_SILENT, m->now_ns - leg->since_ns);
}

uint64_t silence_scan(struct manager *m)
{
    uint32_t live = m->roster.live_count, look_at = RTE_MIN(live, (uint32_t)SILENCE_AT_ONCE);
    if (m->now_ns < m->silence_due_ns)
        return m->silence_due_ns - m->now_ns;
    for (uint32_t n = 0; n < look_at; n++) {
        uint32_t slot = roster_next_live(&m->roster, m->silence_slot);
        if (slot == m->roster.count)
            slot = roster_next_live(&m->roster, 0);
        m->silence_slot = slot + 1;
        for (unsigned leg = 0; leg < 2; leg++)
            look(m, &m->roster.entry[slot], leg);
    }
    uint64_t wait = (uint64_t)ROUND_NS * SILENCE_AT_ONCE / RTE_MAX(live, 1u);
    wait = RTE_MIN(RTE_MAX(wait, (uint64_t)LOOK_MIN_NS), (uint64_t)LOOK_MAX_NS);
    m->silence_due_ns = m->now_ns + wait;
    return wait;
}
