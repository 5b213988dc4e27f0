// SPDX-License-Identifier: BSD-3-Clause
// DPDK's arguments and what the machine must have, by tables on a made-up machine.
#include <errno.h>
#include <string.h>

#include "dataplane/net/eal.h"
#include "runner.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum eal_interface interface_of_test(const char *name)
{
    if (strcmp(name, "eth1") == 0)
        return EAL_INTERFACE_UP;
    return strcmp(name, "eth2") == 0 ? EAL_INTERFACE_DOWN : EAL_INTERFACE_MISSING;
}

static bool pci_of_test(const char *address, char *driver, size_t len)
{
    static const char *const devices[][2] = {{"0000:03:00.0", "vfio-pci"},
                                             {"0000:03:00.1", "ixgbe"},
                                             {"0000:04:00.0", "mlx5_core"},
                                             {"0000:05:00.0", ""}};
    for (size_t i = 0; i < COUNT(devices); i++) {
        if (strcmp(address, devices[i][0]) == 0) {
            snprintf(driver, len, "%s", devices[i][1]);
            return true;
        }
    }
    return false;
}

static struct eal_facts machine(void)
{
    struct eal_facts f = {
        .free_huge_bytes = 1ull << 30,
        .huge_page_bytes = 2 << 20,
        .free_bytes = 4ull << 30,
        .net_raw = true,
        .net_admin = true,
        .bpf = true,
        .root = true,
        .interface = interface_of_test,
        .pci_driver = pci_of_test,
    };
    for (unsigned i = 0; i < 4; i++)
        f.core[i] = true;
    return f;
}

static struct tl_dataplane_config config(void)
{
    return (struct tl_dataplane_config){
        .file_prefix = "trunkline",
        .main_core = 0,
        .worker_cores = {1, 2},
        .worker_count = 2,
        .huge_pages = true,
        .memory_mb = 256,
        .mbufs = 16384,
        .max_sessions = 1000,
        .ports = {{.name = "peer", .device = "net_af_packet0,iface=eth1,qdisc_bypass=1"},
                  {.name = "core", .device = "0000:03:00.0"}},
        .port_count = 2,
    };
}

static void expect_args(const struct tl_dataplane_config *c, const char *expected)
{
    static struct eal_args args;
    char why[EAL_WHY_LEN] = "", line[4096] = "";
    CU_ASSERT_EQUAL(eal_args_make(c, &args, why), 0);
    for (int i = 0; i < args.argc; i++) {
        strcat(line, i ? " " : "");
        strcat(line, args.argv[i]);
    }
    if (strcmp(line, expected) != 0) {
        printf("     got  %s\n     want %s\n", line, expected);
        CU_FAIL("arguments");
    }
    CU_ASSERT_PTR_NULL(args.argv[args.argc]);
}

static void test_arguments(void)
{
    struct tl_dataplane_config c = config();
    expect_args(
        &c, "trunkline-dataplane --lcores 0@0,1@1,2@2 --main-lcore=0 --file-prefix=trunkline --no-telemetry "
            "--log-level=error --in-memory --vdev=net_af_packet0,iface=eth1,qdisc_bypass=1 "
            "--allow=0000:03:00.0");
    c.port_count = 1;
    c.huge_pages = false;
    c.main_core = c.worker_cores[0] = 7;
    c.worker_count = 1;
    expect_args(&c,
                "trunkline-dataplane --lcores 0@7,1@7 --main-lcore=0 --file-prefix=trunkline --no-telemetry "
                "--log-level=error --no-huge --no-shconf -m 256 --no-pci --iova-mode=va "
                "--vdev=net_af_packet0,iface=eth1,qdisc_bypass=1");
}

static void test_arguments_at_their_limits(void)
{
    static struct eal_args args;
    char why[EAL_WHY_LEN] = "";
    struct tl_dataplane_config c = config();
    c.worker_count = 0;
    CU_ASSERT_EQUAL(eal_args_make(&c, &args, why), -EINVAL);
    CU_ASSERT_NOT_EQUAL(why[0], 0);
    c.worker_count = TL_WORKERS_MAX;
    c.port_count = TL_PORTS_MAX;
    c.huge_pages = false;
    for (unsigned i = 0; i < TL_WORKERS_MAX; i++)
        c.worker_cores[i] = 1000 + i;
    for (unsigned i = 0; i < TL_PORTS_MAX; i++) {
        memset(c.ports[i].device, 'x', TL_DEVICE_LEN - 1);
        c.ports[i].device[TL_DEVICE_LEN - 1] = 0;
    }
    CU_ASSERT_EQUAL(eal_args_make(&c, &args, why), 0);
    CU_ASSERT_EQUAL(strlen(args.argv[args.argc - 1]), strlen("--vdev=") + TL_DEVICE_LEN - 1); // whole
    CU_ASSERT_PTR_NULL(args.argv[args.argc]);
    CU_ASSERT_PTR_NOT_NULL(strstr(args.argv[2], ",64@1063"));
}

static void test_device_names(void)
{
    static const struct {
        const char *device, *name;
        bool pci;
    } table[] = {
        {"net_af_packet0,iface=eth1", "net_af_packet0", false},
        {"net_null0", "net_null0", false},
        {"0000:03:00.0", "0000:03:00.0", true},
        {"ffff:ff:1f.7", "ffff:ff:1f.7", true},
        {"0000:03:00.0,x=1", "0000:03:00.0", false},
        {"net_ring0", "net_ring0", false},
        {"", "", false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tl_port_config port = {0};
        char name[64];
        snprintf(port.device, sizeof port.device, "%s", table[i].device);
        eal_device_name(&port, name, sizeof name);
        CU_ASSERT_STRING_EQUAL(name, table[i].name);
        CU_ASSERT_EQUAL(eal_is_pci(&port), table[i].pci);
    }
}

// ---- what the machine lacks --------------------------------------------------------------------------

struct lack {
    const char *name;
    void (*change)(struct tl_dataplane_config *, struct eal_facts *);
    int error;
    const char *says; // must be in the sentence
};

#define CHANGE(fn, ...)                                                                                      \
    static void fn(struct tl_dataplane_config *c, struct eal_facts *f)                                       \
    {                                                                                                        \
        (void)c, (void)f;                                                                                    \
        __VA_ARGS__;                                                                                         \
    }
CHANGE(nothing, )
CHANGE(no_main_core, c->main_core = 4)
CHANGE(no_worker_core, c->worker_cores[1] = 9)
CHANGE(core_out_of_sight, c->worker_cores[0] = 4000000000u)
CHANGE(core_not_ours, f->core[2] = false)
CHANGE(no_huge_pages, f->free_huge_bytes = 0)
CHANGE(few_huge_pages, f->free_huge_bytes = 32 << 20)
CHANGE(no_huge_support, f->huge_page_bytes = f->free_huge_bytes = 0)
CHANGE(many_mbufs, c->mbufs = 1000000)
CHANGE(without_huge, c->huge_pages = false; f->free_huge_bytes = 0)
CHANGE(little_memory, c->huge_pages = false; c->memory_mb = 32)
CHANGE(xdp_memory, strcpy(c->ports[0].device, "net_af_xdp0,iface=eth1"); c->huge_pages = false;
       c->memory_mb = 84)
CHANGE(no_memory, c->huge_pages = false; c->memory_mb = 8000)
CHANGE(interface_missing, strcpy(c->ports[0].device, "net_af_packet0,iface=eth9"))
CHANGE(interface_down, strcpy(c->ports[0].device, "net_af_packet0,qpairs=2,iface=eth2"))
CHANGE(interface_unnamed, strcpy(c->ports[0].device, "net_af_packet0,qpairs=2"))
CHANGE(interface_empty, strcpy(c->ports[0].device, "net_af_packet0,iface="))
CHANGE(interface_long, strcpy(c->ports[0].device, "net_af_packet0,iface=abcdefghijklmnop"))
CHANGE(no_raw, f->net_raw = false)
CHANGE(xdp, strcpy(c->ports[0].device, "net_af_xdp0,iface=eth1"))
CHANGE(xdp_without_bpf, strcpy(c->ports[0].device, "net_af_xdp0,iface=eth1"); f->bpf = false)
CHANGE(xdp_missing, strcpy(c->ports[0].device, "net_af_xdp0,iface=eth7"))
CHANGE(pci_missing, strcpy(c->ports[1].device, "0000:09:00.0"))
CHANGE(pci_of_the_kernel, strcpy(c->ports[1].device, "0000:03:00.1"))
CHANGE(pci_shared, strcpy(c->ports[1].device, "0000:04:00.0"))
CHANGE(pci_without_driver, strcpy(c->ports[1].device, "0000:05:00.0"))
CHANGE(pci_without_root, f->root = false)
CHANGE(null_without_rights, c->port_count = 1; strcpy(c->ports[0].device, "net_null0");
       f->root = f->net_raw = f->net_admin = f->bpf = false)

static const struct lack lacks[] = {
    {"nothing", nothing, 0, ""},
    {"no main core", no_main_core, -ENXIO, "dataplane.main_core: there is no core 4"},
    {"no worker core", no_worker_core, -ENXIO, "dataplane.worker_cores[1]: there is no core 9"},
    {"core out of sight", core_out_of_sight, -ENXIO, "worker_cores[0]"},
    {"core not ours", core_not_ours, -ENXIO, "widen its CPU affinity"},
    {"no huge pages", no_huge_pages, -ENOMEM,
     "0 MB of huge pages are free and 60 are needed: add 30 to vm.nr_hugepages"},
    {"few huge pages", few_huge_pages, -ENOMEM, "add 14 to vm.nr_hugepages"},
    {"no huge page support", no_huge_support, -ENOMEM, "dataplane.huge_pages to false"},
    {"many mbufs", many_mbufs, -ENOMEM, "huge pages are free"},
    {"without huge pages", without_huge, 0, ""},
    {"little memory", little_memory, -ENOMEM,
     "dataplane.memory_mb is 32, but 16384 packet buffers and 1000 sessions need 60"},
    {"AF_XDP without huge pages", xdp_memory, -ENOMEM,
     "dataplane.memory_mb is 84, but 16384 packet buffers and 1000 sessions need 86"},
    {"no memory", no_memory, -ENOMEM, "the machine has 4096 MB left"},
    {"interface missing", interface_missing, -ENODEV, "port peer: there is no interface eth9"},
    {"interface down", interface_down, -ENETDOWN, "ip link set eth2 up"},
    {"interface unnamed", interface_unnamed, -EINVAL, "add iface="},
    {"interface empty", interface_empty, -EINVAL, "add iface="},
    {"interface long", interface_long, -EINVAL, "at most 15"},
    {"no right", no_raw, -EPERM, "port peer: no right to take packets from interface eth1: start it as root"},
    {"AF_XDP", xdp, 0, ""},
    {"AF_XDP without BPF", xdp_without_bpf, -EPERM, "CAP_BPF"},
    {"AF_XDP missing", xdp_missing, -ENODEV, "eth7"},
    {"PCI missing", pci_missing, -ENODEV, "port core: there is no PCI device 0000:09:00.0"},
    {"PCI of the kernel", pci_of_the_kernel, -EBUSY,
     "belongs to ixgbe: dpdk-devbind.py --bind=vfio-pci 0000:03:00.1"},
    {"PCI shared", pci_shared, 0, ""},
    {"PCI without driver", pci_without_driver, -EBUSY, "belongs to no driver"},
    {"PCI without root", pci_without_root, -EPERM, "start it as root"},
    {"null without rights", null_without_rights, 0, ""},
};

static void test_lacks(void)
{
    for (size_t i = 0; i < COUNT(lacks); i++) {
        struct tl_dataplane_config c = config();
        struct eal_facts f = machine();
        lacks[i].change(&c, &f);
        char why[EAL_WHY_LEN] = "";
        int error = eal_check(&c, &f, why);
        if (error != lacks[i].error || !strstr(why, lacks[i].says) || (error != 0) != (why[0] != 0)) {
            printf("     %s: %d \"%s\"\n", lacks[i].name, error, why);
            CU_FAIL("check");
        }
        CU_ASSERT_PTR_NULL(strchr(why, '\n'));
    }
}

static void test_this_machine(void)
{
    static struct eal_facts f;
    eal_facts_read(&f);
    unsigned cores = 0;
    for (unsigned i = 0; i < COUNT(f.core); i++)
        cores += f.core[i];
    CU_ASSERT(cores > 0);
    CU_ASSERT(f.free_bytes > 0);
    CU_ASSERT_EQUAL(f.interface("lo"), EAL_INTERFACE_UP);
    CU_ASSERT_EQUAL(f.interface("nosuchthing"), EAL_INTERFACE_MISSING);
    char driver[32];
    CU_ASSERT_FALSE(f.pci_driver("ffff:ff:1f.7", driver, sizeof driver));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"arguments", test_arguments},       {"arguments at their limits", test_arguments_at_their_limits},
        {"device names", test_device_names}, {"lacks", test_lacks},
        {"this machine", test_this_machine},
    };
    return test_main("eal", TEST_CASES(cases), argc, argv);
}
