// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fakes/fake_control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// Lets the dataplane work, then waits a little for what it did.
static void turn(struct fake_control *fake)
{
    struct pollfd fds[] = {
        {.fd = tl_client_fd(fake->client), .events = POLLIN},
        {.fd = tl_client_loop_fd(fake->client, 0), .events = POLLIN},
    };

    if (fake->turn)
        fake->turn(fake->arg);
    poll(fds, 2, fake->turn ? 0 : 10);
    tl_client_poll(fake->client);
}

int fake_control_open(struct fake_control *fake, const char *path, void (*run)(void *), void *arg)
{
    *fake = (struct fake_control){.timeout_ms = 2000, .turn = run, .arg = arg};
    int rc = tl_client_open(&fake->client, path, 1);
    if (rc < 0)
        return rc;
    for (uint64_t end = now_ms() + fake->timeout_ms; now_ms() < end;) {
        if (tl_client_state(fake->client) == TL_CLIENT_AWAY) {
            rc = tl_client_connect(fake->client);
            if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -EAGAIN)
                poll(NULL, 0, 10);
        }
        turn(fake);
        if (tl_client_state(fake->client) == TL_CLIENT_UP)
            return 0;
    }
    fprintf(stderr, "fake control: %s\n", tl_client_error(fake->client));
    fake_control_close(fake);
    return -ETIMEDOUT;
}

void fake_control_close(struct fake_control *fake)
{
    tl_client_close(fake->client);
    fake->client = NULL;
}

int fake_control_call(struct fake_control *fake, struct tl_command *command, struct tl_completion *out)
{
    command->id = ++fake->next_id;
    int rc = tl_client_send(fake->client, 0, command);
    for (uint64_t end = now_ms() + fake->timeout_ms; rc == 0;) {
        rc = tl_client_completion(fake->client, 0, out);
        if (rc == 0) {
            if (out->id == command->id)
                return 0;
            continue; // of a command that was given up
        }
        if (rc == -EAGAIN)
            rc = now_ms() < end ? 0 : -ETIMEDOUT;
        turn(fake);
    }
    return rc;
}

int fake_control_add(struct fake_control *fake, uint64_t call_ref, const struct tl_leg leg[2],
                     struct tl_handle *handle, struct tl_addr local[2])
{
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = call_ref, .leg = {leg[0], leg[1]}};
    struct tl_completion done;

    int rc = fake_control_call(fake, &c, &done);
    if (rc < 0 || done.status < 0)
        return rc < 0 ? rc : done.status;
    *handle = done.handle;
    memcpy(local, done.add.local, sizeof done.add.local);
    return 0;
}

int fake_control_modify(struct fake_control *fake, const struct tl_handle *handle, uint8_t leg_mask,
                        const struct tl_leg leg[2])
{
    struct tl_command c = {
        .op = TL_OP_MODIFY, .handle = *handle, .leg_mask = leg_mask, .leg = {leg[0], leg[1]}};
    struct tl_completion done;

    int rc = fake_control_call(fake, &c, &done);
    return rc < 0 ? rc : done.status;
}

int fake_control_del(struct fake_control *fake, const struct tl_handle *handle,
                     struct tl_leg_counters counters[2])
{
    struct tl_command c = {.op = TL_OP_DEL, .handle = *handle};
    struct tl_completion done;

    int rc = fake_control_call(fake, &c, &done);
    if (rc == 0 && done.status == 0)
        memcpy(counters, done.final, sizeof done.final);
    return rc < 0 ? rc : done.status;
}

int fake_control_list(struct fake_control *fake, struct tl_list_entry *entries, uint32_t room,
                      uint32_t *count)
{
    uint32_t slot = 0;

    *count = 0;
    while (slot != UINT32_MAX) {
        struct tl_command c = {.op = TL_OP_LIST, .list_slot = slot};
        struct tl_completion done;
        int rc = fake_control_call(fake, &c, &done);
        if (rc < 0 || done.status < 0)
            return rc < 0 ? rc : done.status;
        if (done.list.count > TL_LIST_PAGE || done.list.next_slot <= slot)
            return -EPROTO;
        for (uint32_t i = 0; i < done.list.count; i++, (*count)++)
            if (*count < room)
                entries[*count] = done.list.entry[i];
        slot = done.list.next_slot;
    }
    return 0;
}

int fake_control_flush(struct fake_control *fake, uint32_t *count)
{
    struct tl_command c = {.op = TL_OP_FLUSH};
    struct tl_completion done;

    int rc = fake_control_call(fake, &c, &done);
    if (rc < 0 || done.status < 0)
        return rc < 0 ? rc : done.status;
    *count = done.flush.count;
    return 0;
}

int fake_control_event(struct fake_control *fake, struct tl_event *event)
{
    for (uint64_t end = now_ms() + fake->timeout_ms;; turn(fake)) {
        int rc = tl_client_event(fake->client, 0, event);
        if (rc != -EAGAIN)
            return rc;
        if (now_ms() >= end)
            return -ETIMEDOUT;
    }
}

int fake_control_read(struct fake_control *fake, const struct tl_handle *handle,
                      struct tl_session_snapshot *out)
{
    const struct tl_live_view *view = tl_client_live(fake->client);
    return view ? tl_live_read(view, handle, out) : -ENOENT;
}

struct tl_leg fake_leg(const char *realm, const char *remote_ip, uint16_t remote_port)
{
    struct tl_leg leg;

    memset(&leg, 0, sizeof leg);
    snprintf(leg.realm, sizeof leg.realm, "%s", realm);
    leg.flags = TL_LEG_RECV | TL_LEG_SEND;
    if (remote_ip) {
        leg.rtp.family = TL_AF_INET;
        leg.rtp.port = remote_port;
        inet_pton(AF_INET, remote_ip, leg.rtp.ip);
    }
    leg.pt_count = 3;
    memcpy(leg.pt_in, (uint8_t[]){0, 8, 101}, 3);
    memcpy(leg.pt_out, (uint8_t[]){0, 8, 101}, 3);
    leg.max_len = TL_LEN_MAX;
    leg.max_pps = TL_PPS_MAX;
    leg.max_bps = TL_BPS_MAX;
    leg.burst_ms = TL_BURST_MAX_MS;
    return leg;
}
