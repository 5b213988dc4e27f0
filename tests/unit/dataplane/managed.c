// SPDX-License-Identifier: BSD-3-Clause
#include "managed.h"

#include <CUnit/CUnit.h>
#include <rte_malloc.h>

struct rig rig;
struct fake_control control;

static void dataplane_turn(void *arg)
{
    rig_turn(arg);
}

size_t managed_heap(void)
{
    struct rte_malloc_socket_stats stats;
    rte_malloc_get_socket_stats(0, &stats);
    size_t bytes = stats.heap_allocsz_bytes;
    for (unsigned i = 0; i < EAL_NODES_MAX; i++) {
        struct slab_bytes slab = slab_bytes(&rig.manager->slab[i]);
        bytes = bytes - slab.reserved + slab.in_use;
    }
    return bytes;
}

void managed_connect(void)
{
    CU_ASSERT_EQUAL_FATAL(fake_control_open(&control, rig.config->dataplane.socket, dataplane_turn, &rig), 0);
}

void managed_open(unsigned workers, unsigned queues)
{
    rig_open_managed(&rig, workers, queues);
    managed_connect();
}

void managed_close(void)
{
    fake_control_close(&control);
    rig_close(&rig);
}

int managed_del(const struct tl_handle *handle)
{
    struct tl_leg_counters final[2];
    return fake_control_del(&control, handle, final);
}

void managed_legs(struct tl_leg leg[2], unsigned call)
{
    leg[0] = fake_leg("peer", "10.1.0.10", REMOTE0 + 2 * call);
    leg[1] = fake_leg("core", "10.2.0.10", REMOTE1 + 2 * call);
}

void managed_rtp(unsigned port, const struct tl_addr local[2], uint16_t remote, uint32_t ssrc, uint16_t seq)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 160u * seq, .ssrc = ssrc};
    rig_udp(&rig, port, 0, remote, local[port].port, rtp, rtp_write(rtp, &f, PAYLOAD));
}

struct tl_handle managed_add(uint64_t call_ref, unsigned n, struct tl_addr local[2])
{
    struct tl_leg leg[2];
    struct tl_handle handle = {0};
    managed_legs(leg, n);
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, call_ref, leg, &handle, local), 0);
    return handle;
}
