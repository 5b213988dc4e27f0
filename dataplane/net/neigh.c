// SPDX-License-Identifier: BSD-3-Clause
// The manager's side of the next-hop table: who is asked when, and what an answer changes.
#include "dataplane/net/neigh_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>

#include "dataplane/net/arp.h"

enum { MS = 1000000 };
static const uint64_t never = UINT64_MAX;
static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct rte_ether_addr unknown;

// ---- table -------------------------------------------------------------------------------------------

static void publish(struct neigh *n, uint32_t number, uint64_t record)
{
    atomic_store_explicit(&n->table.record[number], record, memory_order_relaxed);
}

static uint64_t record_of(const struct rte_ether_addr *mac)
{
    uint64_t record = 0;
    memcpy(&record, mac, sizeof *mac);
    return record | NEIGH_VALID;
}

static void known_store(struct neigh *n, uint32_t at, uint64_t e)
{
    atomic_store_explicit(&n->known.place[at], e, memory_order_relaxed);
}

static void known_add(struct neigh *n, unsigned port, uint32_t ip, uint32_t number)
{
    uint32_t at = neigh_hash(port, ip);
    while (atomic_load_explicit(&n->known.place[at], memory_order_relaxed) != 0)
        at = (at + 1) & (NEIGH_HASH - 1);
    known_store(n, at, (uint64_t)ip << 32 | (uint64_t)port << 16 | number);
}

// Takes an entry out and moves up those that it had pushed on.
static void known_remove(struct neigh *n, uint32_t number)
{
    const struct neigh_entry *gone = &n->entry[number];
    uint64_t e = (uint64_t)gone->ip << 32 | (uint64_t)gone->port << 16 | number;
    uint32_t hole = neigh_hash(gone->port, gone->ip);
    while (atomic_load_explicit(&n->known.place[hole], memory_order_relaxed) != e)
        hole = (hole + 1) & (NEIGH_HASH - 1);
    known_store(n, hole, 0);
    for (uint32_t at = (hole + 1) & (NEIGH_HASH - 1);; at = (at + 1) & (NEIGH_HASH - 1)) {
        e = atomic_load_explicit(&n->known.place[at], memory_order_relaxed);
        if (e == 0)
            return;
        uint32_t home = neigh_hash((unsigned)(e >> 16 & 0xffff), (uint32_t)(e >> 32));
        // It may move to the hole when its home is not between the hole and it.
        if (((at - home) & (NEIGH_HASH - 1)) >= ((at - hole) & (NEIGH_HASH - 1))) {
            known_store(n, hole, e);
            known_store(n, at, 0);
            hole = at;
        }
    }
}

static void wake_at(struct neigh *n, struct neigh_entry *e, uint64_t due_ns)
{
    e->due_ns = due_ns;
    if (due_ns < n->next_due_ns)
        n->next_due_ns = due_ns;
}

// ---- frames ------------------------------------------------------------------------------------------

// Gives a frame to the worker that owns the first tx queue of the port.
static bool send_frame(struct neigh *n, const struct port *port, const struct rte_ether_addr *eth_dst,
                       const struct rte_ether_addr *target_mac, uint32_t source_ip, uint32_t target_ip)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(n->pool);
    if (!m || !rte_pktmbuf_append(m, ARP_FRAME) || !frame_pad(m)) {
        rte_pktmbuf_free(m);
        n->stats.lost++;
        return false;
    }
    arp_write(m, RTE_ARP_OP_REQUEST, eth_dst, &port->mac, source_ip, target_mac, target_ip);
    m->port = port->id;
    if (rte_ring_sp_enqueue(n->down[port->queue[0].tx_owner], m) != 0) {
        rte_pktmbuf_free(m);
        n->stats.lost++;
        return false;
    }
    return true;
}

static uint64_t retry_ns(unsigned tries)
{
    return (uint64_t)NEIGH_RETRY_MS * MS << (tries % NEIGH_TRIES);
}

// Asks once more and sets when to look again. A known address is asked directly first (RFC 1122 2.3.2.1).
static void request(struct neigh *n, struct neigh_entry *e, uint64_t now_ns)
{
    bool direct = e->state == NEIGH_RECHECK && e->tries < NEIGH_TRIES;
    if (send_frame(n, &n->ports->port[e->port], direct ? &e->mac : &broadcast, &unknown, e->source_ip, e->ip))
        n->stats.requests++;
    wake_at(n, e, now_ns + retry_ns(e->tries));
    e->tries++;
}

// ---- states ------------------------------------------------------------------------------------------

static void set_state(struct neigh *n, struct neigh_entry *e, enum neigh_state state)
{
    n->probing -= e->state == NEIGH_PROBING;
    e->state = state;
    n->probing += e->state == NEIGH_PROBING;
}

static void probe(struct neigh *n, struct neigh_entry *e, uint64_t now_ns)
{
    set_state(n, e, NEIGH_PROBING);
    e->tries = 0;
    request(n, e, now_ns);
}

static void recheck(struct neigh *n, struct neigh_entry *e, uint64_t now_ns)
{
    set_state(n, e, NEIGH_RECHECK);
    e->tries = 0;
    request(n, e, now_ns);
}

static void fail(struct neigh *n, uint32_t number, uint64_t now_ns)
{
    struct neigh_entry *e = &n->entry[number];
    set_state(n, e, NEIGH_HOLD);
    publish(n, number, NEIGH_FAILED);
    wake_at(n, e, now_ns + (uint64_t)e->hold_ms * MS);
    e->hold_ms = RTE_MIN(e->hold_ms * 2, (uint32_t)NEIGH_HOLD_MAX_MS);
}

static void release(struct neigh *n, uint32_t number)
{
    known_remove(n, number);
    publish(n, number, NEIGH_FAILED);
    memset(&n->entry[number], 0, sizeof n->entry[number]);
    n->free_count++;
}

// What a state wants now that its time has come.
static void entry_due(struct neigh *n, uint32_t number, uint64_t now_ns)
{
    struct neigh_entry *e = &n->entry[number];
    if (e->refs == 0 && e->state != NEIGH_PROBING && now_ns - e->idle_ns >= (uint64_t)NEIGH_LINGER_MS * MS) {
        release(n, number);
        return;
    }
    uint64_t linger_ns = e->refs ? never : e->idle_ns + (uint64_t)NEIGH_LINGER_MS * MS;
    switch (e->state) {
    case NEIGH_PROBING:
        if (e->tries < NEIGH_TRIES)
            request(n, e, now_ns);
        else
            fail(n, number, now_ns);
        break;
    case NEIGH_KNOWN:
        if (e->refs)
            recheck(n, e, now_ns);
        else
            wake_at(n, e, linger_ns);
        break;
    case NEIGH_RECHECK:
        if (e->tries < 2 * NEIGH_TRIES)
            request(n, e, now_ns);
        else
            fail(n, number, now_ns);
        break;
    case NEIGH_HOLD:
        set_state(n, e, NEIGH_IDLE);
        publish(n, number, ++e->epoch);
        wake_at(n, e, linger_ns);
        break;
    case NEIGH_IDLE:
        wake_at(n, e, linger_ns);
        break;
    case NEIGH_FREE:
        break;
    }
}

// ---- messages of workers -----------------------------------------------------------------------------

static void learn(struct neigh *n, const struct neigh_message *message, uint64_t now_ns)
{
    uint32_t number = neigh_known_find(&n->known, message->port, message->ip);
    if (number == NEIGH_NO_ROUTE)
        return;
    struct neigh_entry *e = &n->entry[number];
    struct rte_ether_addr mac;
    memcpy(&mac, message->mac, sizeof mac);
    if (!rte_is_unicast_ether_addr(&mac) || rte_is_zero_ether_addr(&mac))
        return;
    n->stats.answers++;
    bool had = e->state == NEIGH_KNOWN || e->state == NEIGH_RECHECK;
    bool asked = message->type == NEIGH_REPLY && (e->state == NEIGH_PROBING || e->state == NEIGH_RECHECK);
    // What is said unasked proves nothing about an address that we have already; another one is tried at
    // once.
    if (!asked && had && rte_is_same_ether_addr(&e->mac, &mac))
        return;
    e->mac = mac;
    publish(n, number, record_of(&mac));
    e->hold_ms = NEIGH_HOLD_MS;
    if (!asked && had) {
        recheck(n, e, now_ns);
        return;
    }
    set_state(n, e, NEIGH_KNOWN);
    e->tries = 0;
    e->old_ns = now_ns + (uint64_t)NEIGH_FRESH_MS * MS;
    wake_at(n, e, e->old_ns);
}

static void conflict(struct neigh *n, const struct neigh_message *message, uint64_t now_ns)
{
    n->stats.conflicts++;
    if (n->conflict_said_ns && now_ns - n->conflict_said_ns < 10000ull * MS)
        return;
    n->conflict_said_ns = now_ns;
    char ip[INET_ADDRSTRLEN];
    const uint8_t *m = message->mac;
    fprintf(stderr,
            "port %s: media address %s is also claimed by %02x:%02x:%02x:%02x:%02x:%02x: "
            "take it from one of the two\n",
            n->ports->port[message->port].name, inet_ntop(AF_INET, &message->ip, ip, sizeof ip), m[0], m[1],
            m[2], m[3], m[4], m[5]);
}

static void take_messages(struct neigh *n, unsigned worker, uint64_t now_ns)
{
    struct neigh_message batch[32];
    // No more than a ring full, so that a flood cannot keep the manager here.
    for (unsigned done = 0; done < NEIGH_UP;) {
        unsigned got =
            rte_ring_sc_dequeue_burst_elem(n->up[worker], batch, sizeof batch[0], RTE_DIM(batch), NULL);
        for (unsigned i = 0; i < got; i++) {
            struct neigh_entry *e;
            switch (batch[i].type) {
            case NEIGH_ASK:
                e = &n->entry[batch[i].number];
                if (e->state == NEIGH_IDLE)
                    probe(n, e, now_ns);
                break;
            case NEIGH_REPLY:
            case NEIGH_NEWS:
                learn(n, &batch[i], now_ns);
                break;
            case NEIGH_CONFLICT:
                conflict(n, &batch[i], now_ns);
                break;
            }
        }
        done += got;
        if (got < RTE_DIM(batch))
            return;
    }
}

// ---- announcements -----------------------------------------------------------------------------------

void neigh_announce(struct neigh *n, const struct port *port, uint64_t now_ns)
{
    n->link[port->index].announcements = 3;
    n->link[port->index].due_ns = now_ns;
    n->announce_due_ns = now_ns;
}

static void announce_due(struct neigh *n, uint64_t now_ns)
{
    if (now_ns < n->announce_due_ns)
        return;
    n->announce_due_ns = never;
    for (uint32_t i = 0; i < n->ports->count; i++) {
        struct neigh_link *link = &n->link[i];
        if (link->announcements == 0)
            continue;
        if (now_ns < link->due_ns) {
            n->announce_due_ns = RTE_MIN(n->announce_due_ns, link->due_ns);
            continue;
        }
        const struct port *port = &n->ports->port[i];
        for (uint32_t r = 0; r < port->realm_count; r++) {
            if (send_frame(n, port, &broadcast, &unknown, port->realm[r].ip, port->realm[r].ip))
                n->stats.announcements++;
        }
        link->announcements--;
        link->due_ns = now_ns + 1000ull * MS;
        if (link->announcements)
            n->announce_due_ns = RTE_MIN(n->announce_due_ns, link->due_ns);
    }
}

uint64_t neigh_manage(struct neigh *n, uint64_t now_ns)
{
    for (uint32_t w = 0; w < n->ports->workers; w++)
        take_messages(n, w, now_ns);
    announce_due(n, now_ns);
    if (now_ns >= n->next_due_ns) {
        n->next_due_ns = never;
        for (uint32_t i = 1; i < n->top; i++) {
            if (n->entry[i].state == NEIGH_FREE)
                continue;
            if (now_ns >= n->entry[i].due_ns)
                entry_due(n, i, now_ns);
            else if (n->entry[i].due_ns < n->next_due_ns)
                n->next_due_ns = n->entry[i].due_ns;
        }
    }
    uint64_t next = RTE_MIN(n->next_due_ns, n->announce_due_ns);
    // Somebody's first packet waits for an answer.
    const uint64_t longest = n->probing ? MS : 1000ull * MS;
    return next > now_ns ? RTE_MIN(next - now_ns, longest) : 0;
}

// ---- next hops of sessions ---------------------------------------------------------------------------

// Whether `ip` can be the address of another host as seen from this realm.
static bool is_host(const struct port *port, const struct port_realm *realm, uint32_t ip)
{
    uint32_t h = rte_be_to_cpu_32(ip);
    uint32_t host_bits = ~rte_be_to_cpu_32(realm->mask);
    if (h >> 24 == 0 || h >> 24 == 127 || h >> 28 >= 0xe || port_find_realm(port, ip))
        return false;
    // A /31 has neither network nor broadcast address, RFC 3021.
    if ((ip & realm->mask) == (realm->ip & realm->mask) && host_bits > 1)
        return (h & host_bits) != 0 && (h & host_bits) != host_bits;
    return true;
}

// A number that is nobody's, or NEIGH_NO_ROUTE.
static uint32_t take_number(struct neigh *n)
{
    if (n->free_count == 0)
        return NEIGH_NO_ROUTE;
    for (uint32_t i = 1; i < n->top; i++) {
        if (n->entry[i].state == NEIGH_FREE) {
            n->free_count--;
            return i;
        }
    }
    n->free_count--;
    return n->top++;
}

int neigh_get(struct neigh *n, const struct port *port, const struct port_realm *realm, uint32_t ip,
              uint64_t now_ns, uint32_t *number)
{
    *number = NEIGH_NO_ROUTE;
    if (!is_host(port, realm, ip))
        return -ENETUNREACH;
    uint32_t hop = (ip & realm->mask) == (realm->ip & realm->mask) ? ip : realm->gateway;
    if (hop == 0)
        return -ENETUNREACH;
    uint32_t found = neigh_known_find(&n->known, port->index, hop);
    if (found == NEIGH_NO_ROUTE) {
        found = take_number(n);
        if (found == NEIGH_NO_ROUTE)
            return -ENOSPC;
        struct neigh_entry *made = &n->entry[found];
        *made = (struct neigh_entry){
            .ip = hop, .source_ip = realm->ip, .port = (uint8_t)port->index, .hold_ms = NEIGH_HOLD_MS};
        publish(n, found, 0);
        known_add(n, port->index, hop, found);
        probe(n, made, now_ns);
    }
    struct neigh_entry *e = &n->entry[found];
    if (e->state == NEIGH_IDLE)
        probe(n, e, now_ns);
    // It may have grown old while nobody had it.
    if (e->refs++ == 0 && e->state == NEIGH_KNOWN) {
        if (now_ns >= e->old_ns)
            recheck(n, e, now_ns);
        else
            wake_at(n, e, e->old_ns);
    }
    *number = found;
    return 0;
}

void neigh_put(struct neigh *n, uint32_t number, uint64_t now_ns)
{
    if (number == NEIGH_NO_ROUTE || number >= NEIGH_MAX || n->entry[number].refs == 0)
        return;
    struct neigh_entry *e = &n->entry[number];
    if (--e->refs > 0)
        return;
    e->idle_ns = now_ns;
    if (e->due_ns == never)
        wake_at(n, e, now_ns + (uint64_t)NEIGH_LINGER_MS * MS);
}

// ---- life --------------------------------------------------------------------------------------------

struct neigh *neigh_create(const struct ports *ports, struct rte_mempool *pool)
{
    static unsigned made; // ring names are unique in a process
    struct neigh *n = rte_zmalloc("neigh", sizeof *n, RTE_CACHE_LINE_SIZE);
    if (!n)
        return NULL;
    n->ports = ports;
    n->pool = pool;
    n->top = 1;
    n->free_count = NEIGH_MAX - 1;
    n->next_due_ns = n->announce_due_ns = never;
    // A number that is nobody's reads as failed, so that no packet can wait for it.
    for (uint32_t i = 0; i < NEIGH_MAX; i++)
        publish(n, i, NEIGH_FAILED);
    made++;
    for (uint32_t w = 0; w < ports->workers; w++) {
        char name[RTE_RING_NAMESIZE];
        snprintf(name, sizeof name, "neigh_up_%u_%u", made, w);
        n->up[w] = rte_ring_create_elem(name, sizeof(struct neigh_message), NEIGH_UP, SOCKET_ID_ANY,
                                        RING_F_SP_ENQ | RING_F_SC_DEQ);
        snprintf(name, sizeof name, "neigh_down_%u_%u", made, w);
        n->down[w] = rte_ring_create(name, NEIGH_DOWN, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (!n->up[w] || !n->down[w]) {
            neigh_free(n);
            return NULL;
        }
    }
    return n;
}

void neigh_free(struct neigh *n)
{
    if (!n)
        return;
    for (uint32_t w = 0; w < TL_WORKERS_MAX; w++) {
        void *m;
        while (n->down[w] && rte_ring_sc_dequeue(n->down[w], &m) == 0)
            rte_pktmbuf_free(m);
        rte_ring_free(n->down[w]);
        rte_ring_free(n->up[w]);
    }
    rte_free(n);
}

size_t neigh_bytes(const struct neigh *n)
{
    size_t rings = (size_t)(rte_ring_get_memsize_elem(sizeof(struct neigh_message), NEIGH_UP) +
                            rte_ring_get_memsize(NEIGH_DOWN));
    return sizeof *n + n->ports->workers * rings;
}

const struct neigh_table *neigh_table(const struct neigh *n)
{
    return &n->table;
}

void neigh_worker_init(struct neigh_worker *out, struct neigh *n, unsigned worker)
{
    *out = (struct neigh_worker){
        .table = &n->table, .known = &n->known, .up = n->up[worker], .down = n->down[worker]};
}

void neigh_worker_fini(struct neigh_worker *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        rte_pktmbuf_free(w->wait[i].packet);
    memset(w, 0, sizeof *w);
}

void neigh_stats_read(const struct neigh *n, struct neigh_stats *out)
{
    *out = n->stats;
    for (uint32_t i = 1; i < n->top; i++) {
        const struct neigh_entry *e = &n->entry[i];
        out->in_use += e->refs > 0;
        out->valid += e->state == NEIGH_KNOWN || e->state == NEIGH_RECHECK;
        out->failed += e->state == NEIGH_HOLD;
    }
}
