// SPDX-License-Identifier: BSD-3-Clause
// DPDK's start: its arguments from our configuration, and what the machine must have for it, checked first so
// that what is missing is one sentence of ours and not a page of DPDK's log.
#pragma once

#include <rte_mempool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"

enum {
    EAL_ARGS_MAX = 24 + TL_PORTS_MAX,
    EAL_TEXT_LEN = 1024 + TL_PORTS_MAX * (TL_DEVICE_LEN + 16),
    EAL_WHY_LEN = 256,
    EAL_NODES_MAX = 8, // NUMA nodes
};

struct eal_args {
    int argc;
    char *argv[EAL_ARGS_MAX + 1]; // point into text
    size_t used;
    char text[EAL_TEXT_LEN];
};

enum eal_interface { EAL_INTERFACE_UP, EAL_INTERFACE_DOWN, EAL_INTERFACE_MISSING };

// What a check needs to know of the machine; filled in by eal_facts_read(), made up by tests.
struct eal_facts {
    uint64_t free_huge_bytes;
    uint64_t huge_page_bytes; // of one page, 0 = the kernel has none
    uint64_t free_bytes;      // MemAvailable
    bool net_raw;             // CAP_NET_RAW
    bool net_admin;           // CAP_NET_ADMIN
    bool bpf;                 // CAP_BPF or CAP_SYS_ADMIN
    bool root;                // effective user id 0
    bool core[1024];          // CPUs that this process may run on
    enum eal_interface (*interface)(const char *name);
    // Driver that has the PCI device, "" for none; false: no such device.
    bool (*pci_driver)(const char *address, char *driver, size_t len);
};

// Reads them. Any thread.
void eal_facts_read(struct eal_facts *out);

// Whether the machine has what `config` asks for: cores, memory or huge pages, rights, interfaces, PCI
// devices. Returns 0 or -errno with one sentence in why[EAL_WHY_LEN]: what is missing and what to do. Pure.
int eal_check(const struct tl_dataplane_config *config, const struct eal_facts *facts, char *why);

// Arguments for rte_eal_init(). The main lcore is lcore 0 and worker w lcore w + 1, whatever cores they are
// on. Returns 0, or -EINVAL with a sentence in why[EAL_WHY_LEN]. Pure.
int eal_args_make(const struct tl_dataplane_config *config, struct eal_args *out, char *why);

// Lcore of a worker, as eal_args_make() numbers them.
static inline unsigned eal_worker_lcore(unsigned worker)
{
    return worker + 1;
}

// Checks the machine and starts DPDK. Returns 0 or -errno with a sentence in why[EAL_WHY_LEN]. Once a
// process, on the thread that becomes the main lcore.
int eal_start(const struct tl_dataplane_config *config, char *why);

// Whether the device is a PCI address and not a vdev string. Pure.
bool eal_is_pci(const struct tl_port_config *port);

bool eal_is_af_packet(const struct tl_port_config *port);

// The kernel interface that a vdev string names, into name[IFNAMSIZ]. False: none, or one that does not fit.
bool eal_interface_of(const struct tl_port_config *port, char *name);

// Whether each packet buffer takes a page of memory (4 kB) instead of its own size: AF_XDP without huge
// pages. Pure.
bool eal_buffer_per_page(const struct tl_dataplane_config *config);

// The name by which ethdev knows a configured device: a PCI address, or a vdev string up to its first comma.
void eal_device_name(const struct tl_port_config *port, char *name, size_t len);

// Makes one packet pool for each NUMA node that has a worker or a port, in a single chunk of memory (AF_XDP
// lays its UMEM over it); nodes without one get node 0's. Returns 0, or -errno with a sentence.
int eal_pools_make(const struct tl_config *config, struct rte_mempool *pools[EAL_NODES_MAX], char *why);

void eal_pools_free(struct rte_mempool *pools[EAL_NODES_MAX]);

// Ends DPDK and removes what it left in its runtime folder.
void eal_stop(void);
