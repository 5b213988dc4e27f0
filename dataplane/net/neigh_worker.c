// SPDX-License-Identifier: BSD-3-Clause
// packet path: the workers' side of the next-hop table.
#include "dataplane/net/neigh_internal.h"

// True when the manager has the message.
static bool tell(struct neigh_worker *w, struct neigh_message *message)
{
    return rte_ring_sp_enqueue_elem(w->up, message, sizeof *message) == 0;
}

static bool ask(struct neigh_worker *w, uint32_t number)
{
    struct neigh_message message = {.type = NEIGH_ASK, .number = number};
    return tell(w, &message);
}

// Part of an unresolved record that changes with each hold-down that passed.
static uint8_t epoch_of(uint64_t record)
{
    return record & 0xff;
}

enum tl_drop neigh_wait(struct neigh_worker *w, struct rte_mbuf *m, uint32_t number)
{
    if (number == NEIGH_NO_ROUTE || number >= NEIGH_MAX)
        return TL_DROP_no_route;
    uint64_t record = neigh_load(w->table, number);
    if (record & NEIGH_FAILED)
        return TL_DROP_no_neighbour;
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->wait[i].number == number)
            return TL_DROP_neighbour_queue;
    }
    if (w->count == NEIGH_WAIT_MAX)
        return TL_DROP_neighbour_queue;
    // The answer may have come between the caller's look and ours: then neigh_collect() finds it next turn.
    w->wait[w->count].packet = m;
    w->wait[w->count].number = number;
    w->wait[w->count].epoch = epoch_of(record);
    w->wait[w->count].asked = record & NEIGH_VALID || ask(w, number);
    w->count++;
    return TL_DROP_COUNT;
}

void neigh_collect(struct neigh_worker *w, struct rte_mbuf **ready, unsigned *ready_count,
                   struct rte_mbuf **failed, unsigned *failed_count)
{
    unsigned good = 0, bad = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        struct rte_mbuf *m = w->wait[i].packet;
        uint64_t record = neigh_load(w->table, w->wait[i].number);
        if (record & NEIGH_VALID) {
            neigh_write_ether(record, rte_pktmbuf_mtod(m, struct rte_ether_hdr *));
            ready[good++] = m;
            continue;
        }
        if (record & NEIGH_FAILED) {
            failed[bad++] = m;
            continue;
        }
        // A worker that stood still may have missed a whole failure; its question went with it.
        if (w->wait[i].epoch != epoch_of(record)) {
            w->wait[i].epoch = epoch_of(record);
            w->wait[i].asked = false;
        }
        if (!w->wait[i].asked)
            w->wait[i].asked = ask(w, w->wait[i].number);
        w->wait[kept++] = w->wait[i];
    }
    w->count = kept;
    *ready_count = good;
    *failed_count = bad;
}

unsigned neigh_own_frames(struct neigh_worker *w, struct rte_mbuf **frames, unsigned max)
{
    return rte_ring_sc_dequeue_burst(w->down, (void **)frames, max, NULL);
}

bool neigh_heard(struct neigh_worker *w, unsigned port, uint32_t ip, const struct rte_ether_addr *mac,
                 bool reply)
{
    if (neigh_known_find(w->known, port, ip) == NEIGH_NO_ROUTE)
        return false;
    struct neigh_message message = {
        .type = reply ? NEIGH_REPLY : NEIGH_NEWS, .port = (uint8_t)port, .ip = ip};
    memcpy(message.mac, mac, sizeof message.mac);
    tell(w, &message);
    return true;
}

void neigh_conflict(struct neigh_worker *w, unsigned port, uint32_t ip, const struct rte_ether_addr *mac)
{
    struct neigh_message message = {.type = NEIGH_CONFLICT, .port = (uint8_t)port, .ip = ip};
    memcpy(message.mac, mac, sizeof message.mac);
    tell(w, &message);
}
