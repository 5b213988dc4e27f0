// SPDX-License-Identifier: BSD-3-Clause
// Shared by the files of TLS.
#pragma once

#include "control/base/log.h"
#include "control/sip/link.h"
#include "control/sip/tls.h"
#include "control/sip/tls_store.h"

enum { TLS_WHY = 400 };

// Of a connection.
struct tls_link {
    struct sip_tls *tls;
    struct tls_store *store;
    const struct tl_listener_config *listener;
    struct tl_addr remote;
    SSL *ssl;
    bool accepted, open;
    bool broken; // OpenSSL wants no word more of it
    // trunks whose peer it may be; behind the handshake those whose peer it is
    struct tls_candidate {
        uint32_t trunk; // its number
        struct tls_terms *terms;
    } * candidates;
    uint32_t count;
    char why[TLS_WHY]; // of a certificate that was refused
};

// The link of a connection.
struct tls_link *tls_link_of(const SSL *ssl);

// OpenSSL's question whether the other side's certificate is good (tls_verify.c): for one of the link's trunks it has to be
// from its CAs and for one of its names. Leaves those trunks; says why not in link->why.
int tls_verify(X509_STORE_CTX *presented, void *arg);

// Leaves the trunks that want no certificate: the other side has shown none. Returns whether there is one.
bool tls_verify_none(struct tls_link *link);

// Whether the certificate of a session that was taken up again still holds.
bool tls_verify_still(struct tls_link *link);

// Why a step failed, in words (tls_words.c): of the error queue, which is empty then, and of SSL_get_error()'s result.
void tls_words(const struct tls_link *link, int ssl_error, int sys_error, char *out, size_t size);

// Why a chain was refused, X509_V_ERR_*; `at` is the certificate that it is about, `ca` the file of the CAs.
void tls_words_chain(int error, X509 *at, const char *ca, char *out, size_t size);

// A name from a certificate made fit for people.
void tls_words_name(const char *p, size_t len, char *out, size_t size);
