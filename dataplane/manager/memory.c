// SPDX-License-Identifier: BSD-3-Clause
// The sum of what the dataplane takes, made from what each part says it has.
#include <malloc.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <stdio.h>

#include "dataplane/manager/costs.h"
#include "dataplane/manager/manager_internal.h"

enum { LOOK_NS = 1000000000 }; // between two looks at the process

static void add_pool(struct rte_mempool *pool, void *bytes)
{
    const struct rte_mempool_memhdr *h;
    STAILQ_FOREACH(h, &pool->mem_list, next)
    *(uint64_t *)bytes += h->len;
    *(uint64_t *)bytes += (uint64_t)rte_ring_get_memsize(rte_align32pow2(pool->size + 1));
}

static uint64_t packets(void)
{
    uint64_t bytes = 0;
    rte_mempool_walk(add_pool, &bytes);
    return bytes;
}

// With huge pages DPDK has whole pages of them, and gives our objects a part. Without, a page is there once
// it was touched, and what nobody touched is not.
static uint64_t spare(const struct manager *m)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; m->config.config->dataplane.huge_pages && i < rte_socket_count(); i++) {
        struct rte_malloc_socket_stats stats;
        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) == 0)
            bytes += stats.heap_totalsz_bytes - stats.heap_allocsz_bytes;
    }
    return bytes;
}

static uint64_t port_bytes(const struct manager *m)
{
    uint64_t bytes = 0;
    for (uint32_t p = 0; p < m->config.ports->count; p++)
        for (uint32_t i = 0; i < m->config.ports->port[p].realm_count; i++) {
            bool shared = false;
            for (uint32_t k = 0; k < i; k++)
                shared |= m->engine.map[p][k] == m->engine.map[p][i];
            bytes += shared ? 0 : sizeof(struct portmap);
        }
    for (unsigned i = 0; i < TL_REALMS_MAX; i++)
        bytes += portalloc_bytes(&m->ports[i]);
    return bytes;
}

static uint64_t worker_bytes(const struct manager *m)
{
    uint64_t bytes = sizeof *m + neigh_bytes(m->neigh) + malloc_usable_size(m->srtp);
    for (unsigned w = 0; w < m->engine.workers; w++) {
        const struct worker *worker = m->engine.worker[w];
        const struct rte_ring *rings[] = {worker->tasks, worker->done, worker->handoff, worker->transmit};
        bytes += sizeof *worker + malloc_usable_size(worker->srtp) + WORKER_TASKS * sizeof *m->ops;
        for (unsigned i = 0; i < RTE_DIM(rings); i++)
            bytes += (uint64_t)rte_ring_get_memsize(rte_ring_get_size(rings[i]));
    }
    return bytes;
}

void manager_memory_begin(struct manager *m)
{
    uint64_t process = 0, others = packets() + spare(m);
    memory_process(&process);
    m->program_bytes = process > others ? process - others : 0;
}

void manager_memory(const struct manager *m, struct memory_sum *out)
{
    bool huge = m->config.config->dataplane.huge_pages;
    *out = (struct memory_sum){
        .part = {[MEMORY_program] = m->program_bytes,
                 [MEMORY_packets] = packets(),
                 [MEMORY_live] = m->live.segment.size,
                 // slots are used one after the other, so those that never were are untouched pages
                 [MEMORY_sessions] =
                     (uint64_t)(huge ? m->engine.session_count : m->roster.fresh) * sizeof(struct session),
                 [MEMORY_calls] = roster_bytes(&m->roster),
                 [MEMORY_ports] = port_bytes(m),
                 [MEMORY_workers] = worker_bytes(m),
                 [MEMORY_control] = tl_server_bytes(m->server),
                 [MEMORY_spare] = spare(m)}};
    for (unsigned i = 0; i < EAL_NODES_MAX; i++)
        out->part[MEMORY_keys] += slab_bytes(&m->slab[i]).reserved;
}

void manager_memory_publish(struct manager *m)
{
    struct memory_sum sum;
    uint64_t process = 0;
    if (m->now_ns < m->memory_due_ns)
        return;
    m->memory_due_ns = m->now_ns + LOOK_NS;
    manager_memory(m, &sum);
    memory_process(&process); // 0 where /proc is not to be read
    atomic_store_explicit(&m->live.header->memory_bytes, memory_total(&sum), memory_order_relaxed);
    atomic_store_explicit(&m->live.header->process_bytes, process, memory_order_relaxed);
}

// ---- for people --------------------------------------------------------------------------------------

static unsigned mib(uint64_t bytes)
{
    return (unsigned)((bytes + (1 << 19)) >> 20);
}

static void say_now(const struct manager *m, void (*say)(const char *))
{
    char text[512], line[640];
    struct memory_sum sum;
    uint64_t process = 0;
    manager_memory(m, &sum);
    memory_process(&process);
    memory_describe(&sum, text, sizeof text);
    snprintf(line, sizeof line, "memory: %u MiB (the kernel says %u): %s", mib(memory_total(&sum)),
             mib(process), text);
    say(line);
}

static void say_costs(const struct manager *m, void (*say)(const char *))
{
    enum { CM = TL_SUITE_AES_CM_128_HMAC_SHA1_80, GCM = TL_SUITE_AEAD_AES_128_GCM };
    char line[512];
    struct memory_costs c;
    memory_costs(&c);
    snprintf(line, sizeof line,
             "memory of a direction: %u bytes plain (live record %u, session %u, ports %u, manager %u); "
             "AES_CM_128 %u more to receive, %u to send; AEAD_AES_128_GCM %u and %u",
             memory_plain(&c), c.live, c.session, c.ports, c.record, c.rx[CM], c.tx[CM], c.rx[GCM],
             c.tx[GCM]);
    say(line);
    // what grows with the calls: the live table is there from the start, as is all of it with huge pages
    uint64_t calls = m->roster.count, plain = c.record;
    if (!m->config.config->dataplane.huge_pages)
        plain += c.session;
    snprintf(
        line, sizeof line,
        "memory of %u calls: %u MiB more if plain, %u with AES_CM_128 on one side, %u with AEAD_AES_128_GCM",
        (unsigned)calls, mib(calls * 2 * plain), mib(calls * (2 * plain + c.rx[CM] + c.tx[CM])),
        mib(calls * (2 * plain + c.rx[GCM] + c.tx[GCM])));
    say(line);
}

void manager_describe_memory(const struct manager *m, void (*say)(const char *sentence))
{
    say_now(m, say);
    say_costs(m, say);
}
