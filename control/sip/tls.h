// SPDX-License-Identifier: BSD-3-Clause
// TLS 1.2 and 1.3 beneath the connections of tcp.c. OpenSSL ends in control/sip/tls*.c. Loop's thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/base/loop.h"
#include "control/sip/tls_show.h"

struct sip_tls;

// The trunks whose peer a connection to `listener` from `remote` may be: their numbers to `out`. Returns how many, at most
// `max`.
typedef uint32_t sip_trunks_fn(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                               uint32_t max);

// Reads the files of every listener and trunk with TLS, and again whenever they have changed: looked at every 10 s. Then
// handshakes to come use the new ones; a file that is wrong is one line in the log, and the old ones go on. Certificates
// that end within 30 days are a warning once a day. The process ignores SIGPIPE. `config` must outlive it. Without any TLS
// *out is NULL. Returns 0; else -errno and one sentence in `why`.
int sip_tls_new(struct loop *loop, const struct tl_config *config, sip_trunks_fn *trunks, void *arg,
                struct sip_tls **out, char *why, size_t why_size);

// After all connections have gone. NULL is ignored.
void sip_tls_free(struct sip_tls *tls);

// Has another configuration, or the same, and reads its files now, changed or not. Returns 0; else -errno and one sentence in
// `why`, and the files that were read before go on.
int sip_tls_reload(struct sip_tls *tls, const struct tl_config *config, char *why, size_t why_size);

// Tells `fn` of each certificate as it was read last.
void sip_tls_show(const struct sip_tls *tls, sip_certificate_fn *fn, void *arg);
