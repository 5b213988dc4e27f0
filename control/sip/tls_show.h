// SPDX-License-Identifier: BSD-3-Clause
// Our certificates as people look at them: whose each is, whom it names, when it ends. No OpenSSL in this header. Loop's thread.
#pragma once

#include <time.h>

#include "common/config/config.h"

enum {
    SIP_CERTIFICATE_TEXT = 512,
    SIP_CERTIFICATE_WARN_S = 30 * 24 * 3600, // before its end, from when on it is a warning
};

// What a listener or trunk shows to peers, or whom it believes. The texts are fit for a log, a terminal and JSON.
struct sip_certificate {
    const char *listener, *trunk; // one of them: whose it is
    bool ca;          // a file of CAs; `subject`, `issuer` and the dates are of the one that ends first
    const char *file; // as it was read last
    char subject[SIP_CERTIFICATE_TEXT]; // "/CN=sbc.example.com"
    char issuer[SIP_CERTIFICATE_TEXT];
    char names
        [SIP_CERTIFICATE_TEXT];   // of its subjectAltName, "DNS:a.example.com, IP:192.0.2.1"; "": it has none
    time_t not_before, not_after; // 0: not known
    // Of what it stands on, where that ends before it; "" and 0: nothing does.
    char ends_first[SIP_CERTIFICATE_TEXT];
    time_t ends_first_at;
};

typedef void sip_certificate_fn(void *arg, const struct sip_certificate *certificate);

// When it is of no use any more: its own end, or that of what it stands on.
static inline time_t sip_certificate_end(const struct sip_certificate *c)
{
    return c->ends_first_at ? c->ends_first_at : c->not_after;
}

// What there is to say of it at `now`: "ok", "ends soon" (SIP_CERTIFICATE_WARN_S), "expired", "not yet valid"; "unknown" without
// an end.
const char *sip_certificate_state(const struct sip_certificate *c, time_t now);

struct tls_store;
// Tells `fn` of each listener with TLS and each trunk that speaks it, in their order; of CAs where a file names them.
void tls_store_show(const struct tls_store *store, const struct tl_config *config, sip_certificate_fn *fn,
                    void *arg);
