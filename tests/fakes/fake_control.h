// SPDX-License-Identifier: BSD-3-Clause
// A control without SIP: one loop, one command at a time, waits for each completion. For tests of a dataplane
// that runs in another process or thread, or in this one when `turn` is given.
#pragma once

#include "common/client.h"

struct fake_control {
    struct tl_client *client;
    uint64_t next_id;
    unsigned timeout_ms; // for each wait; 2000 by default
    void (*turn)(
        void *arg); // runs the dataplane when it lives in this thread; NULL: sleep on the descriptors
    void *arg;
};

// Connects and waits until the dataplane is up, trying again while nobody listens. 0 or -errno (-ETIMEDOUT),
// with the client's sentence on stderr. `turn` may be NULL.
int fake_control_open(struct fake_control *fake, const char *path, void (*turn)(void *), void *arg);
void fake_control_close(struct fake_control *fake);

// Sends any command (its id is set here) and waits for its completion. 0: *out is the completion, whatever
// its status; -ETIMEDOUT; -ENOTCONN: the dataplane went.
int fake_control_call(struct fake_control *fake, struct tl_command *command, struct tl_completion *out);

// Each returns the completion's status, or -ETIMEDOUT or -ENOTCONN as above.
int fake_control_add(struct fake_control *fake, uint64_t call_ref, const struct tl_leg leg[2],
                     struct tl_handle *handle, struct tl_addr local[2]);
int fake_control_modify(struct fake_control *fake, const struct tl_handle *handle, uint8_t leg_mask,
                        const struct tl_leg leg[2]);
int fake_control_del(struct fake_control *fake, const struct tl_handle *handle,
                     struct tl_leg_counters counters[2]);

// All pages. entries holds `room`; *count is how many there are, more than room if they did not fit.
int fake_control_list(struct fake_control *fake, struct tl_list_entry *entries, uint32_t room,
                      uint32_t *count);
int fake_control_flush(struct fake_control *fake, uint32_t *count);

// Waits for an event. 0, -ETIMEDOUT or -ENOTCONN.
int fake_control_event(struct fake_control *fake, struct tl_event *event);

// Reads a session from the live table. 0 or -ENOENT.
int fake_control_read(struct fake_control *fake, const struct tl_handle *handle,
                      struct tl_session_snapshot *out);

// A leg that validates: recv and send, plain, PCMA, PCMU and telephone-event as they are, remote address
// "a.b.c.d" (NULL: none yet) and port.
struct tl_leg fake_leg(const char *realm, const char *remote_ip, uint16_t remote_port);
