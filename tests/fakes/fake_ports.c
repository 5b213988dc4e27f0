// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fakes/fake_ports.h"

#include <errno.h>
#include <string.h>

void fake_ports_init(struct fake_ports *ports, const struct fake_realm *realm)
{
    memset(ports, 0, sizeof *ports);
    ports->realm = *realm;
    ports->next = realm->first;
}

uint32_t fake_ports_worker(uint16_t port, uint32_t workers)
{
    return tl_port_bucket(port) % workers;
}

int fake_ports_take(struct fake_ports *ports, uint16_t wanted, uint32_t worker, uint32_t workers)
{
    uint16_t first = ports->realm.first, last = ports->realm.last;

    if (wanted) {
        if (wanted < first || wanted >= last || wanted % 2)
            return -EINVAL;
        if (ports->used[wanted / 2])
            return -EADDRINUSE;
        ports->used[wanted / 2] = true;
        return wanted;
    }
    for (unsigned n = 0; n < (last - first + 1u) / 2; n++) {
        uint16_t port = ports->next;
        ports->next = port + 2 < last ? (uint16_t)(port + 2) : first;
        if (ports->used[port / 2] || fake_ports_worker(port, workers) != worker)
            continue;
        ports->used[port / 2] = true;
        return port;
    }
    return -ENOSPC;
}

void fake_ports_give(struct fake_ports *ports, uint16_t port)
{
    ports->used[port / 2] = false;
}
