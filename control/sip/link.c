// SPDX-License-Identifier: BSD-3-Clause
// The link of TCP: the socket itself.
#include "control/sip/link.h"

#include <errno.h>
#include <sys/socket.h>

static int tcp_open(struct sip_link *link, struct sip_listener *listener, const struct sip_flow *flow,
                    bool accepted)
{
    (void)link;
    (void)listener;
    (void)flow;
    (void)accepted;
    return 0;
}

static ssize_t tcp_recv(struct sip_link *link, void *p, size_t room)
{
    ssize_t n;
    do
        n = recv(link->fd, p, room, 0);
    while (n < 0 && errno == EINTR);
    link->wants_write = false;
    return n < 0 ? -errno : n;
}

static ssize_t tcp_send(struct sip_link *link, const void *p, size_t len)
{
    ssize_t n;
    do
        n = send(link->fd, p, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    link->wants_write = true;
    return n < 0 ? -errno : n;
}

static bool tcp_pending(const struct sip_link *link)
{
    (void)link;
    return false;
}

// The address is all that there is to know.
static bool tcp_vouches(const struct sip_link *link, uint32_t trunk)
{
    (void)link;
    (void)trunk;
    return true;
}

static void tcp_close(struct sip_link *link)
{
    (void)link;
}

const struct sip_link_ops sip_link_tcp = {
    .open = tcp_open,
    .recv = tcp_recv,
    .send = tcp_send,
    .pending = tcp_pending,
    .vouches = tcp_vouches,
    .close = tcp_close,
};
