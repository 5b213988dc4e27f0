// SPDX-License-Identifier: BSD-3-Clause
#include "common/server_link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void close_bells(struct tl_link *link)
{
    for (unsigned i = 0; i < link->loops; i++) {
        if (link->loop[i].bell >= 0)
            close(link->loop[i].bell);
        if (link->loop[i].event_bell >= 0)
            close(link->loop[i].event_bell);
        link->loop[i].bell = link->loop[i].event_bell = -1;
    }
}

int tl_link_init(struct tl_link *link, int sock, int pid, uint32_t id, unsigned loops,
                 int peer_fds[TL_LOOP_FDS * TL_LOOPS_MAX])
{
    unsigned made = 0;

    *link = (struct tl_link){.sock = -1, .pid = pid, .id = id, .loops = loops};
    for (unsigned i = 0; i < TL_LOOPS_MAX; i++)
        link->loop[i].bell = link->loop[i].event_bell = -1;
    int rc = tl_segment_create(&link->rings, "trunkline-rings", tl_channel_rings_size(loops),
                               TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES);
    for (unsigned i = 0; rc == 0 && i < loops; i++) {
        struct tl_link_loop *l = &link->loop[i];
        int ends[2];
        tl_channel_rings_init(link->rings.base, i, &l->command, &l->completion, &l->event);
        for (int b = 0; b < TL_LOOP_FDS && (rc = tl_bell_pair(ends)) == 0; b++) {
            *(b == 0 ? &l->bell : &l->event_bell) = ends[0];
            peer_fds[made++] = ends[1];
        }
    }
    if (rc < 0) {
        while (made)
            close(peer_fds[--made]);
        tl_link_discard(link);
        return rc;
    }
    link->sock = sock;
    return 0;
}

void tl_link_discard(struct tl_link *link)
{
    close_bells(link);
    tl_segment_close(&link->rings);
    *link = (struct tl_link){.sock = -1};
}

uint32_t tl_link_fini(struct tl_link *link, struct tl_backlog *backlog)
{
    uint32_t before = backlog->count;
    int sock = link->sock;

    if (sock < 0)
        return 0;
    for (unsigned i = 0; i < link->loops; i++) {
        // The counter is read once: a control that hung and wakes up now adds nothing.
        int waiting = tl_ring_waiting(&link->loop[i].command);
        for (int n = 0; n < waiting && backlog->count < TL_BACKLOG_MAX; n++) {
            struct tl_backlog_entry *e = &backlog->entry[backlog->count++];
            e->origin = (struct tl_origin){.connection = link->id, .loop = i};
            tl_ring_pop(&link->loop[i].command, &e->command);
        }
    }
    tl_link_discard(link);
    close(sock);
    return backlog->count - before;
}

// On an empty ring the bell is cleared and the ring looked at once more: a bell that rang before was for what is there now.
static bool clear_bell(struct tl_link_loop *l)
{
    if (!l->rung)
        return false;
    l->rung = false;
    tl_bell_clear(l->bell);
    return true;
}

int tl_link_next(struct tl_link *link, struct tl_command *command, struct tl_origin *origin)
{
    for (unsigned n = 0; n < link->loops; n++) {
        unsigned i = link->turn;
        struct tl_link_loop *l = &link->loop[i];
        link->turn = (i + 1) % link->loops;
        origin->loop = i;

        int room = tl_ring_room(&l->completion);
        if (room < 0)
            return room;
        if ((uint32_t)room <= l->taken) {
            // Control has not fetched its completions, so it broke its own bound or is fetching them right
            // now.
            clear_bell(l);
            room = tl_ring_room(&l->completion);
            if (room < 0)
                return room;
            if ((uint32_t)room <= l->taken)
                continue;
        }
        int rc = tl_ring_pop(&l->command, command);
        if (rc == -EAGAIN && clear_bell(l))
            rc = tl_ring_pop(&l->command, command);
        if (rc == 0) {
            l->taken++;
            origin->quiet = command->flags & TL_COMMAND_QUIET;
        }
        if (rc != -EAGAIN)
            return rc;
    }
    return -EAGAIN;
}

int tl_link_complete(struct tl_link *link, const struct tl_origin *origin,
                     const struct tl_completion *completion)
{
    struct tl_link_loop *l = &link->loop[origin->loop];

    if (l->taken == 0)
        return -EALREADY;
    // There is a reserved slot, so "full" too would mean that the peer does not keep its counter.
    if (tl_ring_push(&l->completion, completion) < 0)
        return -EPROTO;
    l->taken--;
    if (!origin->quiet)
        tl_bell_ring(l->bell);
    return 0;
}

int tl_link_event(struct tl_link *link, uint32_t loop, const struct tl_event *event)
{
    struct tl_link_loop *l = &link->loop[loop];
    int rc = tl_ring_push(&l->event, event);

    if (rc == 0)
        tl_bell_ring(l->event_bell);
    return rc;
}
