// SPDX-License-Identifier: BSD-3-Clause
// The live table's writer: geometry, and how a slot changes hands so that readers notice.
#include "common/live.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static_assert(sizeof(struct tl_live_header) % 64 == 0 && sizeof(struct tl_live_session) % 64 == 0,
              "a cache line has one writer");

static uint64_t new_incarnation(void)
{
    uint64_t n = 0;
    while (n == 0)
        if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n)
            n = 0;
    return n;
}

static uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int tl_live_create(struct tl_live_table *out, uint32_t workers, uint32_t sessions,
                   enum tl_segment_pages pages)
{
    memset(out, 0, sizeof *out);
    if (workers < 1 || workers > TL_WORKERS_MAX || sessions < 1 || sessions > TL_SESSIONS_MAX)
        return -EINVAL;
    uint32_t worker_offset = sizeof(struct tl_live_header);
    uint32_t session_offset = worker_offset + workers * (uint32_t)sizeof(struct tl_live_worker);
    size_t size = session_offset + (size_t)sessions * sizeof(struct tl_live_session);

    if (size < TL_SEGMENT_HUGE_FROM) // as who maps it expects
        pages = TL_SEGMENT_SMALL_PAGES;
    int rc = tl_segment_create(&out->segment, "trunkline-live", size, TL_SEGMENT_READ_ONLY, pages);
    if (rc < 0)
        return rc;
    unsigned char *base = out->segment.base;
    out->header = out->segment.base;
    out->workers = (struct tl_live_worker *)(void *)(base + worker_offset);
    out->sessions = (struct tl_live_session *)(void *)(base + session_offset);
    out->worker_count = workers;
    out->session_count = sessions;
    out->incarnation = new_incarnation();

    out->header->magic = TL_CONTRACT_MAGIC;
    out->header->version = TL_CONTRACT_VERSION;
    out->header->incarnation = out->incarnation;
    out->header->start_ns = monotonic_ns();
    out->header->workers = workers;
    out->header->sessions = sessions;
    out->header->worker_offset = worker_offset;
    out->header->session_offset = session_offset;
    out->header->size = out->segment.size;
    return 0;
}

void tl_live_destroy(struct tl_live_table *table)
{
    tl_segment_close(&table->segment);
    memset(table, 0, sizeof *table);
    table->segment = TL_SEGMENT_NONE;
}

static void count_in_use(struct tl_live_table *table, uint32_t change)
{
    uint32_t n = atomic_load_explicit(&table->header->in_use, memory_order_relaxed);
    atomic_store_explicit(&table->header->in_use, n + change, memory_order_relaxed);
}

// A slot changes hands like this: generation 0, then the fields, then the new generation. A reader that saw
// any field of the new owner finds another generation than before, since a generation never comes back.
void tl_live_claim(struct tl_live_table *table, uint32_t slot, uint32_t generation, uint32_t worker,
                   uint32_t owner, uint64_t call_ref)
{
    struct tl_live_session *s = &table->sessions[slot];
    assert(slot < table->session_count && generation != 0);
    atomic_store_explicit(&s->generation, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    memset(s->rx, 0, sizeof s->rx);
    memset(s->tx, 0, sizeof s->tx);
    memset(s->rx_ssrc, 0, sizeof s->rx_ssrc);
    memset(s->rx_rtcp, 0, sizeof s->rx_rtcp);
    memset(s->tx_rtcp, 0, sizeof s->tx_rtcp);
    memset(s->drops, 0, sizeof s->drops);
    atomic_store_explicit(&s->worker, worker, memory_order_relaxed);
    atomic_store_explicit(&s->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&s->call_ref, call_ref, memory_order_relaxed);
    atomic_store_explicit(&s->generation, generation, memory_order_release);
    count_in_use(table, 1);
}

void tl_live_release(struct tl_live_table *table, uint32_t slot)
{
    assert(slot < table->session_count);
    atomic_store_explicit(&table->sessions[slot].generation, 0, memory_order_release);
    count_in_use(table, UINT32_MAX);
}
