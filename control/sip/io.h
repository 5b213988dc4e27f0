// SPDX-License-Identifier: BSD-3-Clause
// What the transaction layer needs of a transport: a function that sends, and word when a connection breaks.
// Tests put their own in its place.
#pragma once

#include "control/sip/write.h"

// Wants to know when the connection that carried its message breaks. Lies inside the transaction. Zeroed:
// waits for nothing.
struct sip_waiter {
    struct sip_waiter *next;
    struct sip_waiter **link;
    void (*broken)(void *arg); // the waiter is off the list when it is called
    void *arg;
};

struct sip_io {
    // Sends a whole message to flow->remote from flow->listener. Over TCP it uses the connection named in
    // *flow, or when none is named the one to flow->remote, which over TLS must be of flow->trunk's peer, made on demand, and
    // names it in *flow; `waiter`,
    // if not NULL and not waiting yet, is put on its list. Returns 0 once the bytes are queued, or lost for
    // want of room in the kernel as the network might lose them; -ENOTCONN when the connection named has
    // gone; else -errno.
    int (*send)(void *arg, struct sip_flow *flow, const struct sip_bytes *bytes, struct sip_waiter *waiter);
    // Whether the flow's transport knows no better than that its other end is the peer of that trunk (its number): false
    // where a certificate has shown another one. NULL: it never does.
    bool (*vouches)(void *arg, const struct sip_flow *flow, uint32_t trunk);
    // A request that came by the flow has alias in its Via, with that port: what goes to that port of its host may take the
    // flow's connection (RFC 5923). NULL: it is not used.
    void (*alias)(void *arg, const struct sip_flow *flow, uint16_t port);
};

static inline void sip_waiter_cancel(struct sip_waiter *waiter)
{
    if (!waiter->link)
        return;
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
    waiter->next = NULL;
    waiter->link = NULL;
}

static inline void sip_waiter_add(struct sip_waiter **list, struct sip_waiter *waiter)
{
    waiter->next = *list;
    if (waiter->next)
        waiter->next->link = &waiter->next;
    waiter->link = list;
    *list = waiter;
}
