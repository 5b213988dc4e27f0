// SPDX-License-Identifier: BSD-3-Clause
// No cache line is written by two: everything that two workers and the manager write while calls are up, line
// by line. What they read together is made before, and rings are how they talk.
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/net/neigh_internal.h"
#include "managed.h"
#include "runner.h"

enum { LINE = 64, CLAIMS_MAX = 1 << 18, MANAGER = 100 };

struct claim {
    uintptr_t line;
    unsigned writer; // number of the worker, or MANAGER
    const char *what;
};

static struct claim *claims;
static size_t claimed;

static void claim(unsigned writer, const char *what, const volatile void *at, size_t len)
{
    uintptr_t first = (uintptr_t)at / LINE, last = ((uintptr_t)at + len - 1) / LINE;
    for (uintptr_t line = first; line <= last; line++) {
        const struct claim *before = claimed ? &claims[claimed - 1] : NULL;
        if (before && before->line == line && before->writer == writer)
            continue;
        CU_ASSERT_FATAL(claimed < CLAIMS_MAX);
        claims[claimed++] = (struct claim){line, writer, what};
    }
}

static int by_line(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

// Lines that two writers claim, at most one is named. Forgets the claims.
static unsigned shared(bool say)
{
    unsigned n = 0;
    qsort(claims, claimed, sizeof *claims, by_line);
    for (size_t i = 1; i < claimed; i++) {
        if (claims[i].line != claims[i - 1].line || claims[i].writer == claims[i - 1].writer)
            continue;
        if (n++ == 0 && say)
            printf("     line %#zx: %s of %u, %s of %u\n", (size_t)claims[i].line * LINE, claims[i].what,
                   claims[i].writer, claims[i - 1].what, claims[i - 1].writer);
    }
    claimed = 0;
    return n;
}

static void begin(void)
{
    claims = calloc(CLAIMS_MAX, sizeof *claims);
    CU_ASSERT_FATAL(claims != NULL);
}

static void end(void)
{
    free(claims);
    claims = NULL;
}

static void claim_worker(const struct worker *w)
{
    claim(w->id, "worker", w, offsetof(struct worker, stop));
    claim(MANAGER, "worker.stop", &w->stop, sizeof *w - offsetof(struct worker, stop));
    claim(w->id, "live worker", w->live, offsetof(struct tl_live_worker, events_lost));
    claim(MANAGER, "live worker.events_lost", &w->live->events_lost, sizeof w->live->events_lost);
    claim(w->id, "SRTP machine", w->srtp, LINE);
    claim(MANAGER, "tasks, in", &w->tasks->prod, sizeof w->tasks->prod);
    claim(w->id, "tasks, out", &w->tasks->cons, sizeof w->tasks->cons);
    claim(w->id, "done, in", &w->done->prod, sizeof w->done->prod);
    claim(MANAGER, "done, out", &w->done->cons, sizeof w->done->cons);
    claim(w->id, "hand-off, out", &w->handoff->cons, sizeof w->handoff->cons);
    claim(w->id, "transmit, out", &w->transmit->cons, sizeof w->transmit->cons);
}

// A call that both legs of have keys, so that it has all the parts there are.
static struct tl_handle add_keyed(uint64_t call_ref, unsigned n)
{
    struct tl_leg leg[2];
    struct tl_handle handle = {0};
    struct tl_addr local[2];
    managed_legs(leg, n);
    for (unsigned i = 0; i < 2; i++) {
        leg[i].rx = (struct tl_crypto){.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80, .generation = 1};
        leg[i].tx = leg[i].rx;
        memset(leg[i].rx.key, (int)(4 * n + 2 * i + 1), 16);
        memset(leg[i].tx.key, (int)(4 * n + 2 * i + 2), 16);
    }
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, call_ref, leg, &handle, local), 0);
    return handle;
}

// All that the worker of a session writes of it, and what the manager made for it.
static unsigned claim_session(uint32_t slot)
{
    const struct session *s = &rig.engine->sessions[slot];
    unsigned w = rig.live->sessions[slot].worker;
    claim(w, "session", s, sizeof *s);
    claim(w, "live session", &rig.live->sessions[slot], sizeof rig.live->sessions[slot]);
    for (unsigned i = 0; i < 2; i++) {
        claim(w, "leg_rx", s->rx[i], sizeof *s->rx[i]);
        claim(MANAGER, "rx key", s->leg[i].terms.rx_key, srtp_key_size(TL_SUITE_AES_CM_128_HMAC_SHA1_80));
        claim(MANAGER, "tx key", s->leg[i].terms.tx_key, srtp_key_size(TL_SUITE_AES_CM_128_HMAC_SHA1_80));
    }
    claim(MANAGER, "call", &rig.manager->roster.entry[slot], sizeof rig.manager->roster.entry[slot]);
    return w;
}

static void a_dataplane_of_two_workers(void)
{
    enum { CALLS = 8 };
    struct tl_handle handle[CALLS];
    unsigned calls[2] = {0, 0};
    begin();
    managed_open(2, 2);
    for (unsigned w = 0; w < 2; w++)
        claim_worker(rig.engine->worker[w]);
    for (unsigned i = 0; i < CALLS; i++) {
        handle[i] = add_keyed(i + 1, i);
        calls[claim_session(handle[i].slot)]++;
    }
    CU_ASSERT(calls[0] > 0 && calls[1] > 0);
    claim(MANAGER, "live header", rig.live->header, sizeof *rig.live->header);
    claim(MANAGER, "next hops", &rig.neigh->table, sizeof rig.neigh->table);
    claim(MANAGER, "known next hops", &rig.neigh->known, sizeof rig.neigh->known);
    claim(MANAGER, "engine", rig.engine, sizeof *rig.engine);
    CU_ASSERT(claimed > 500);
    CU_ASSERT_EQUAL(shared(true), 0);
    for (unsigned i = 0; i < CALLS; i++)
        CU_ASSERT_EQUAL(managed_del(&handle[i]), 0);
    managed_close();
    end();
}

// Whoever owns a port's bucket writes its entry, with any number of workers.
static void port_maps(void)
{
    struct portmap *map = rte_zmalloc(NULL, sizeof *map, RTE_CACHE_LINE_SIZE);
    CU_ASSERT_FATAL(map != NULL);
    begin();
    for (unsigned workers = 1; workers <= TL_WORKERS_MAX; workers += workers < 9 ? 1 : 5) {
        for (unsigned port = 0; port < PORTMAP_PORTS; port += 2) {
            const _Atomic uint32_t *at = &map->entry[portmap_place(rte_cpu_to_be_16((uint16_t)port))];
            const _Atomic uint32_t *rtcp = &map->entry[portmap_place(rte_cpu_to_be_16((uint16_t)(port + 1)))];
            unsigned owner = port_bucket_worker(tl_port_bucket((uint16_t)port), workers);
            claim(owner, "RTP", at, sizeof *at);
            claim(owner, "RTCP", rtcp, sizeof *rtcp);
        }
        CU_ASSERT_EQUAL(shared(true), 0);
    }
    // buckets dealt out one by one, which is no plan of ours but the worst there is
    for (unsigned port = 0; port < PORTMAP_PORTS; port++) {
        const _Atomic uint32_t *at = &map->entry[portmap_place(rte_cpu_to_be_16((uint16_t)port))];
        claim(tl_port_bucket((uint16_t)port), "port", at, sizeof *at);
    }
    CU_ASSERT_EQUAL(shared(true), 0);
    end();
    rte_free(map);
}

// Every port has a place of its own, and the place says its bucket.
static void port_map_places(void)
{
    static uint8_t taken[PORTMAP_PORTS];
    memset(taken, 0, sizeof taken);
    for (unsigned port = 0; port < PORTMAP_PORTS; port++) {
        uint16_t place = portmap_place(rte_cpu_to_be_16((uint16_t)port));
        CU_ASSERT_FATAL(!taken[place]);
        taken[place] = 1;
        CU_ASSERT_EQUAL_FATAL(portmap_bucket(place), tl_port_bucket((uint16_t)port));
    }
}

// The search itself: it finds a line of two, and only that.
static void what_is_found(void)
{
    static _Alignas(LINE) uint8_t memory[4 * LINE];
    begin();
    claim(0, "a", memory, 2 * LINE);
    claim(1, "b", memory + 2 * LINE, LINE);
    claim(0, "c", memory + 8, 1);
    CU_ASSERT_EQUAL(shared(false), 0);
    claim(0, "a", memory, 2 * LINE + 1);
    claim(1, "b", memory + 2 * LINE + 60, LINE);
    CU_ASSERT_EQUAL(shared(false), 1);
    claim(MANAGER, "a", memory + LINE - 1, 2);
    claim(0, "b", memory, 4 * LINE);
    CU_ASSERT_EQUAL(shared(false), 2);
    end();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"what_is_found", what_is_found},
        {"a_dataplane_of_two_workers", a_dataplane_of_two_workers},
        {"port_maps", port_maps},
        {"port_map_places", port_map_places},
    };
    if (rig_eal())
        return 1;
    int status = test_main("layout", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
