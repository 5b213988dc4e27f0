// SPDX-License-Identifier: BSD-3-Clause
// The fake dataplane's media ports: even ports of each realm, buckets shared out to workers.
#pragma once

#include "tests/fakes/fake_dataplane.h"

struct fake_ports {
    struct fake_realm realm;
    uint16_t next;    // where the search goes on, so that a port rests before it is used again
    bool used[32768]; // by port / 2
};

void fake_ports_init(struct fake_ports *ports, const struct fake_realm *realm);

// The worker that a port belongs to.
uint32_t fake_ports_worker(uint16_t port, uint32_t workers);

// Takes `wanted`, or with 0 the next free even port of that worker. Returns it, or -EINVAL (outside the
// realm), -EADDRINUSE (taken), -ENOSPC (none left).
int fake_ports_take(struct fake_ports *ports, uint16_t wanted, uint32_t worker, uint32_t workers);

void fake_ports_give(struct fake_ports *ports, uint16_t port);
