// SPDX-License-Identifier: BSD-3-Clause
// A dataplane with a manager, driven through the contract by a control without SIP, in one process.
#pragma once

#include "rig.h"
#include "tests/fakes/fake_control.h"

enum { REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };

extern struct rig rig;
extern struct fake_control control;

// Starts both; a turn of the dataplane is run whenever control waits.
void managed_open(unsigned workers, unsigned queues);

// Control comes (back): managed_open() does it, fake_control_close() undoes it.
void managed_connect(void);

// Control goes, then the dataplane, with the checks of rig_close().
void managed_close(void);

// Bytes of DPDK's heap that are in use, of slabs the blocks that are out.
size_t managed_heap(void);

// Legs to .10 on both sides: ports REMOTE0 and REMOTE1, two higher for each `call`.
void managed_legs(struct tl_leg leg[2], unsigned call);

// A session of such legs that is there in full, or the test cannot go on.
struct tl_handle managed_add(uint64_t call_ref, unsigned n, struct tl_addr local[2]);

// Status of the DEL.
int managed_del(const struct tl_handle *handle);

// A PCMA packet from `remote` to the session's leg on `port`.
void managed_rtp(unsigned port, const struct tl_addr local[2], uint16_t remote, uint32_t ssrc, uint16_t seq);
