// SPDX-License-Identifier: BSD-3-Clause
// What the machine must have before DPDK starts, and the sentence when it has not.
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/net/eal.h"

enum {
    MB = 1024 * 1024,
    // of one packet buffer in a pool: mbuf, room, and what the pool puts around it
    BUFFER_BYTES = sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE + 2ul * RTE_CACHE_LINE_SIZE,
    PAGE_BYTES = 4096,
    OTHER_BYTES = 16 * MB, // what DPDK, rings and port maps take
};

// ---- reading the machine -----------------------------------------------------------------------------

// Number after `label` in a /proc file of "Label: number" lines, in `base`. 0 where it is not there.
static uint64_t proc_number(const char *file, const char *label, int base)
{
    FILE *f = fopen(file, "re");
    char line[256];
    uint64_t value = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, label, strlen(label)) == 0) {
            value = strtoull(line + strlen(label), NULL, base);
            break;
        }
    }
    if (f)
        fclose(f);
    return value;
}

// By ioctl: sysfs shows the network namespace that it was mounted in, which need not be ours.
static enum eal_interface interface_state(const char *name)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return EAL_INTERFACE_UP; // nothing known, so nothing to complain of
    int error = ioctl(fd, SIOCGIFFLAGS, &request) == 0 ? 0 : errno;
    close(fd);
    if (error == ENODEV)
        return EAL_INTERFACE_MISSING;
    return error != 0 || request.ifr_flags & IFF_UP ? EAL_INTERFACE_UP : EAL_INTERFACE_DOWN;
}

static bool pci_driver(const char *address, char *driver, size_t len)
{
    char path[128], target[256];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s", address);
    if (access(path, F_OK) != 0)
        return false;
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/driver", address);
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    const char *slash = strrchr(target, '/');
    snprintf(driver, len, "%s", slash ? slash + 1 : target);
    return true;
}

void eal_facts_read(struct eal_facts *out)
{
    memset(out, 0, sizeof *out);
    uint64_t free_pages = proc_number("/proc/meminfo", "HugePages_Free:", 10);
    uint64_t reserved = proc_number("/proc/meminfo", "HugePages_Rsvd:", 10);
    out->huge_page_bytes = proc_number("/proc/meminfo", "Hugepagesize:", 10) * 1024;
    out->free_huge_bytes = free_pages > reserved ? (free_pages - reserved) * out->huge_page_bytes : 0;
    out->free_bytes = proc_number("/proc/meminfo", "MemAvailable:", 10) * 1024;
    uint64_t caps = proc_number("/proc/self/status", "CapEff:", 16);
    out->net_raw = caps >> CAP_NET_RAW & 1;
    out->net_admin = caps >> CAP_NET_ADMIN & 1;
    out->bpf = (caps >> CAP_SYS_ADMIN & 1) || (caps >> CAP_BPF & 1);
    out->root = geteuid() == 0;
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
        for (unsigned i = 0; i < RTE_DIM(out->core) && i < CPU_SETSIZE; i++)
            out->core[i] = CPU_ISSET(i, &cpus);
    }
    out->interface = interface_state;
    out->pci_driver = pci_driver;
}

// ---- checks ------------------------------------------------------------------------------------------

__attribute__((format(printf, 3, 4))) static int refuse(char *why, int error, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(why, EAL_WHY_LEN, format, values);
    va_end(values);
    return error;
}

static int check_core(const struct eal_facts *facts, uint32_t core, const char *path, char *why)
{
    if (core < RTE_DIM(facts->core) && facts->core[core])
        return 0;
    unsigned count = 0, last = 0;
    for (unsigned i = 0; i < RTE_DIM(facts->core); i++) {
        if (facts->core[i])
            last = i, count++;
    }
    return refuse(why, -ENXIO,
                  "%s: there is no core %u for this process (it may use %u, the last is number %u): name "
                  "another or widen its CPU affinity",
                  path, core, count, last);
}

static int check_cores(const struct tl_dataplane_config *config, const struct eal_facts *facts, char *why)
{
    int error = check_core(facts, config->main_core, "dataplane.main_core", why);
    for (uint32_t w = 0; w < config->worker_count && error == 0; w++) {
        char path[48];
        snprintf(path, sizeof path, "dataplane.worker_cores[%u]", w);
        error = check_core(facts, config->worker_cores[w], path, why);
    }
    return error;
}

static int check_memory(const struct tl_dataplane_config *config, const struct eal_facts *facts, char *why)
{
    uint64_t buffer = eal_buffer_per_page(config) ? PAGE_BYTES : BUFFER_BYTES;
    uint64_t need = config->mbufs * buffer + (uint64_t)config->max_sessions * TL_SESSION_BYTES + OTHER_BYTES;
    unsigned need_mb = (unsigned)((need + MB - 1) / MB);
    if (!config->huge_pages) {
        if (config->memory_mb < need_mb)
            return refuse(
                why, -ENOMEM,
                "dataplane.memory_mb is %u, but %u packet buffers and %u sessions need %u: raise it, or "
                "set dataplane.mbufs or max_sessions lower",
                config->memory_mb, config->mbufs, config->max_sessions, need_mb);
        if ((uint64_t)config->memory_mb * MB > facts->free_bytes)
            return refuse(why, -ENOMEM,
                          "dataplane.memory_mb is %u, but the machine has %u MB left: set it lower, or "
                          "end other programs",
                          config->memory_mb, (unsigned)(facts->free_bytes / MB));
        return 0;
    }
    need += (uint64_t)config->max_sessions * sizeof(struct tl_live_session); // the live table is not DPDK's
    need_mb = (unsigned)((need + MB - 1) / MB);
    if (facts->huge_page_bytes == 0)
        return refuse(why, -ENOMEM, "this kernel has no huge pages: set dataplane.huge_pages to false");
    if (facts->free_huge_bytes < need) {
        uint64_t pages =
            (need - facts->free_huge_bytes + facts->huge_page_bytes - 1) / facts->huge_page_bytes;
        return refuse(
            why, -ENOMEM,
            "%u MB of huge pages are free and %u are needed: add %u to vm.nr_hugepages (sysctl -w), "
            "or set dataplane.huge_pages to false",
            (unsigned)(facts->free_huge_bytes / MB), need_mb, (unsigned)pages);
    }
    return 0;
}

static int check_pci(const struct tl_port_config *port, const struct eal_facts *facts, char *why)
{
    // Cards that DPDK drives through their kernel driver.
    static const char *const shared[] = {"mlx4_core", "mlx5_core", "mana"};
    static const char *const user[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};
    char driver[64];
    if (!facts->pci_driver(port->device, driver, sizeof driver))
        return refuse(why, -ENODEV, "port %s: there is no PCI device %s: lspci -D lists what there is",
                      port->name, port->device);
    for (size_t i = 0; i < RTE_DIM(shared); i++) {
        if (strcmp(driver, shared[i]) == 0)
            return 0;
    }
    for (size_t i = 0; i < RTE_DIM(user); i++) {
        if (strcmp(driver, user[i]) == 0)
            return facts->root
                       ? 0
                       : refuse(why, -EPERM, "port %s: PCI devices need root: start it as root", port->name);
    }
    return refuse(why, -EBUSY,
                  "port %s: %s belongs to %s: dpdk-devbind.py --bind=vfio-pci %s gives it to DPDK",
                  port->name, port->device, driver[0] ? driver : "no driver", port->device);
}

// Value of `key` in a vdev string "name,key=value,..." into out[IFNAMSIZ]. False: it has none that fits.
static bool vdev_value(const char *device, const char *key, char *out)
{
    size_t key_len = strlen(key);
    for (const char *p = strchr(device, ','); p; p = strchr(p, ',')) {
        p++;
        if (strncmp(p, key, key_len) != 0 || p[key_len] != '=')
            continue;
        p += key_len + 1;
        size_t n = strcspn(p, ",");
        if (n == 0 || n >= IFNAMSIZ)
            return false;
        memcpy(out, p, n);
        out[n] = 0;
        return true;
    }
    return false;
}

bool eal_is_af_packet(const struct tl_port_config *port)
{
    return strncmp(port->device, "net_af_packet", 13) == 0;
}

bool eal_interface_of(const struct tl_port_config *port, char *name)
{
    return vdev_value(port->device, "iface", name);
}

static int check_interface(const struct tl_port_config *port, const struct eal_facts *facts, bool xdp,
                           char *why)
{
    char name[IFNAMSIZ];
    if (!eal_interface_of(port, name))
        return refuse(why, -EINVAL, "port %s: \"%s\" names no interface: add iface=NAME (at most %d letters)",
                      port->name, port->device, IFNAMSIZ - 1);
    if (!facts->net_raw || (xdp && !(facts->net_admin && facts->bpf)))
        return refuse(why, -EPERM,
                      "port %s: no right to take packets from interface %s: start it as root or with %s",
                      port->name, name,
                      xdp ? "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF" : "CAP_NET_RAW and CAP_NET_ADMIN");
    switch (facts->interface(name)) {
    case EAL_INTERFACE_UP:
        return 0;
    case EAL_INTERFACE_DOWN:
        return refuse(why, -ENETDOWN, "port %s: interface %s is down: ip link set %s up", port->name, name,
                      name);
    case EAL_INTERFACE_MISSING:
        break;
    }
    return refuse(why, -ENODEV,
                  "port %s: there is no interface %s in this network namespace: ip link lists what there is",
                  port->name, name);
}

int eal_check(const struct tl_dataplane_config *config, const struct eal_facts *facts, char *why)
{
    int error = check_cores(config, facts, why);
    for (uint32_t i = 0; i < config->port_count && error == 0; i++) {
        const struct tl_port_config *port = &config->ports[i];
        if (eal_is_pci(port))
            error = check_pci(port, facts, why);
        else if (eal_is_af_packet(port))
            error = check_interface(port, facts, false, why);
        else if (strncmp(port->device, "net_af_xdp", 10) == 0)
            error = check_interface(port, facts, true, why);
    }
    return error == 0 ? check_memory(config, facts, why) : error;
}
