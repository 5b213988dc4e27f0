// SPDX-License-Identifier: BSD-3-Clause
// Sockets of the stack: the listeners of the configuration, connections accepted and made. Whole messages go in and out.
// Loop's thread.
#pragma once

#include "control/sip/io.h"
#include "control/sip/tls.h"

struct sip_transport;
struct sip_gate;

// Takes each message received; `bytes` may be changed and is not kept.
typedef void sip_receive_fn(void *arg, const struct sip_flow *flow, char *bytes, size_t len);

// Takes the beginning of a datagram of ours that the network reports as undeliverable; likewise.
typedef void sip_unreachable_fn(void *arg, char *bytes, size_t len);

// The times that connections have, from now on; what is copied of it.
void sip_transport_configure(struct sip_transport *transport, const struct tl_control_config *config);

// Who uses it.
struct sip_transport_user {
    sip_receive_fn *receive;
    sip_unreachable_fn *unreachable;
    sip_trunks_fn *trunks;
};

// Opens every listener. `gate` says who is let in. `counters` are kept up to date and, like `config` and `user`, outlive the
// transport. Returns 0; else -errno and one sentence in `why` that names the listener.
int sip_transport_new(struct loop *loop, const struct tl_config *config, struct sip_gate *gate,
                      struct sip_counters *counters, const struct sip_transport_user *user, void *arg,
                      struct sip_transport **out, char *why, size_t why_size);

// Its TLS, or NULL.
struct sip_tls *sip_transport_tls(const struct sip_transport *transport);

// How long datagrams wait to be read, ms: the least wait since the last call, of the listener where it is longest. A queue that
// never empties shows in the least wait; a core that stood still for a moment does not (RFC 8289 section 3).
uint32_t sip_transport_delay(struct sip_transport *transport);

// Closes everything without telling any waiter. NULL is ignored.
void sip_transport_free(struct sip_transport *transport);

// Sends through a transport (its `arg` is the struct sip_transport).
extern const struct sip_io sip_transport_io;
