// SPDX-License-Identifier: BSD-3-Clause
// DPDK's arguments and start, its pools and its end.
#include "dataplane/net/eal.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// ---- arguments ---------------------------------------------------------------------------------------

// Adds one argument. text has room for the longest of all, which a test makes.
__attribute__((format(printf, 2, 3))) static void add(struct eal_args *args, const char *format, ...)
{
    char *to = args->text + args->used;
    size_t room = sizeof args->text - args->used;
    va_list values;
    va_start(values, format);
    int n = vsnprintf(to, room, format, values);
    va_end(values);
    if (n < 0 || (size_t)n >= room || args->argc >= EAL_ARGS_MAX)
        return;
    args->used += (size_t)n + 1;
    args->argv[args->argc++] = to;
}

bool eal_is_pci(const struct tl_port_config *port)
{
    unsigned domain, bus, device, function;
    int used = 0;
    return sscanf(port->device, "%x:%x:%x.%x%n", &domain, &bus, &device, &function, &used) == 4 &&
           (size_t)used == strlen(port->device);
}

static void add_lcores(const struct tl_dataplane_config *config, struct eal_args *args)
{
    char map[16 * (TL_WORKERS_MAX + 1)];
    size_t n = (size_t)snprintf(map, sizeof map, "0@%u", config->main_core);
    for (uint32_t w = 0; w < config->worker_count; w++)
        n +=
            (size_t)snprintf(map + n, sizeof map - n, ",%u@%u", eal_worker_lcore(w), config->worker_cores[w]);
    add(args, "--lcores");
    add(args, "%s", map);
}

int eal_args_make(const struct tl_dataplane_config *config, struct eal_args *out, char *why)
{
    memset(out, 0, sizeof *out);
    if (config->worker_count == 0 || config->worker_count > TL_WORKERS_MAX ||
        config->port_count > TL_PORTS_MAX) {
        snprintf(why, EAL_WHY_LEN, "dataplane has %u workers and %u ports: 1 to %d and at most %d",
                 config->worker_count, config->port_count, TL_WORKERS_MAX, TL_PORTS_MAX);
        return -EINVAL;
    }
    add(out, "trunkline-dataplane");
    add_lcores(config, out);
    add(out, "--main-lcore=0");
    add(out, "--file-prefix=%s", config->file_prefix);
    // Nothing is shared with other DPDK processes and no socket is left in the runtime folder.
    add(out, "--no-telemetry");
    add(out, "--log-level=error");
    bool pci = false;
    for (uint32_t i = 0; i < config->port_count; i++)
        pci |= eal_is_pci(&config->ports[i]);
    if (config->huge_pages) {
        add(out, "--in-memory");
    } else {
        add(out, "--no-huge");
        add(out, "--no-shconf");
        add(out, "-m");
        add(out, "%u", config->memory_mb);
    }
    if (!pci) {
        add(out, "--no-pci");
        // No device reads memory by itself, so what is one piece for us need not be one for the bus.
        add(out, "--iova-mode=va");
    }
    for (uint32_t i = 0; i < config->port_count; i++)
        add(out, eal_is_pci(&config->ports[i]) ? "--allow=%s" : "--vdev=%s", config->ports[i].device);
    return 0;
}

static bool is_xdp(const struct tl_port_config *port)
{
    return strncmp(port->device, "net_af_xdp", 10) == 0;
}

bool eal_buffer_per_page(const struct tl_dataplane_config *config)
{
    bool xdp = false;
    for (uint32_t i = 0; i < config->port_count; i++)
        xdp |= is_xdp(&config->ports[i]);
    return xdp && !config->huge_pages;
}

void eal_device_name(const struct tl_port_config *port, char *name, size_t len)
{
    size_t n = strcspn(port->device, ",");
    snprintf(name, len, "%.*s", (int)n, port->device);
}

int eal_start(const struct tl_dataplane_config *config, char *why)
{
    static struct eal_args args; // DPDK keeps pointers into it
    static struct eal_facts facts;
    eal_facts_read(&facts);
    int error = eal_check(config, &facts, why);
    if (error == 0)
        error = eal_args_make(config, &args, why);
    if (error != 0)
        return error;
    if (rte_eal_init(args.argc, args.argv) < 0) {
        snprintf(why, EAL_WHY_LEN, "DPDK did not start: %s (what it says itself is above)",
                 rte_strerror(rte_errno));
        return rte_errno > 0 ? -rte_errno : -EIO;
    }
    return 0;
}

void eal_stop(void)
{
    char folder[256];
    snprintf(folder, sizeof folder, "%s", rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    rmdir(folder); // refuses when another process of this prefix left something in it
}

// ---- pools -------------------------------------------------------------------------------------------

// Memory without huge pages comes in pages of 4 kB, and DPDK then gives each buffer a page of its own for the
// sake of devices that read memory themselves. None does so without huge pages, but the kernel's AF_XDP takes
// no packet that crosses pages.
static struct rte_mempool *new_pool(const char *name, const struct tl_dataplane_config *config, int node)
{
    unsigned cache = RTE_MIN((unsigned)RTE_MEMPOOL_CACHE_MAX_SIZE, config->mbufs / 8);
    if (eal_buffer_per_page(config))
        return rte_pktmbuf_pool_create(name, config->mbufs, cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, node);
    struct rte_pktmbuf_pool_private room = {.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE};
    struct rte_mempool *pool = rte_mempool_create_empty(
        name, config->mbufs, sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, cache, sizeof room, node,
        config->huge_pages ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);
    if (!pool)
        return NULL;
    if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0) {
        rte_mempool_free(pool);
        return NULL;
    }
    rte_pktmbuf_pool_init(pool, &room);
    if (rte_mempool_populate_default(pool) < 0) {
        rte_mempool_free(pool);
        return NULL;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

static int make_pool(const struct tl_dataplane_config *config, int node, struct rte_mempool **out, char *why)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "packets%d", node);
    struct rte_mempool *pool = new_pool(name, config, node);
    if (!pool) {
        int error = rte_errno > 0 ? -rte_errno : -ENOMEM;
        snprintf(
            why, EAL_WHY_LEN,
            "no memory for %u packet buffers on NUMA node %d: give more %s, or set dataplane.mbufs lower",
            config->mbufs, node, config->huge_pages ? "huge pages" : "dataplane.memory_mb");
        return error;
    }
    *out = pool;
    return 0;
}

// AF_XDP lays its UMEM over the pool's memory as one piece.
static int check_chunks(const struct tl_dataplane_config *config, const struct rte_mempool *pool, char *why)
{
    for (uint32_t i = 0; i < config->port_count; i++) {
        if (pool->nb_mem_chunks > 1 && is_xdp(&config->ports[i])) {
            snprintf(why, EAL_WHY_LEN,
                     "port %s: AF_XDP wants all packet buffers in one piece of memory, they came in %u: use "
                     "more huge pages, or dataplane.huge_pages false",
                     config->ports[i].name, pool->nb_mem_chunks);
            return -ENOMEM;
        }
    }
    return 0;
}

int eal_pools_make(const struct tl_config *config, struct rte_mempool *pools[EAL_NODES_MAX], char *why)
{
    const struct tl_dataplane_config *d = &config->dataplane;
    bool wanted[EAL_NODES_MAX] = {[0] = true};
    for (uint32_t w = 0; w < d->worker_count; w++) {
        unsigned node = rte_lcore_to_socket_id(eal_worker_lcore(w));
        if (node < EAL_NODES_MAX)
            wanted[node] = true;
    }
    uint16_t id;
    RTE_ETH_FOREACH_DEV(id)
    {
        int node = rte_eth_dev_socket_id(id);
        if (node >= 0 && node < EAL_NODES_MAX)
            wanted[node] = true;
    }
    memset(pools, 0, EAL_NODES_MAX * sizeof pools[0]);
    for (int node = 0; node < EAL_NODES_MAX; node++) {
        if (!wanted[node])
            continue;
        int error = make_pool(d, node, &pools[node], why);
        if (error == 0)
            error = check_chunks(d, pools[node], why);
        if (error != 0) {
            eal_pools_free(pools);
            return error;
        }
    }
    for (int node = 1; node < EAL_NODES_MAX; node++) {
        if (!pools[node])
            pools[node] = pools[0];
    }
    return 0;
}

void eal_pools_free(struct rte_mempool *pools[EAL_NODES_MAX])
{
    for (int node = EAL_NODES_MAX - 1; node >= 0; node--) {
        if (node == 0 || pools[node] != pools[0])
            rte_mempool_free(pools[node]);
        pools[node] = NULL;
    }
}
