// SPDX-License-Identifier: BSD-3-Clause
// What TLS needs of files: our certificates with their keys, and the CAs of whom we believe. One store is one reading of the
// files; when they change a new store takes its place, and connections keep the one that they began with. Loop's thread.
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "common/config/config.h"
#include "control/base/log.h"

enum { TLS_NAME_TEXT = 160 };

// A file as it was when it was read.
struct tls_file {
    char path[TL_FILE_LEN];
    struct timespec changed;
    off_t size;
    ino_t inode;
};

// A certificate of ours.
struct tls_identity {
    char ciphers[TL_CIPHERS_LEN];
    enum tl_tls_version min_version;
    struct tls_file certificate, key;
    char subject[TLS_NAME_TEXT]; // whom it names, for people
    time_t not_after;            // of the certificate or of what it stands on, whichever ends first
    SSL_CTX *ctx;
};

// CAs that are believed; path "": those of the system.
struct tls_trust {
    struct tls_file file;
    char subject[TLS_NAME_TEXT]; // of the CA that ends first
    time_t not_after;            // 0: not known
    X509_STORE *store;
};

// What a trunk's connections are made of. Has all that it needs of the configuration, which may go before it.
struct tls_terms {
    char trunk[TL_NAME_MAX], domain[TL_HOST_MAX];
    struct tl_tls_config config;
    const struct tls_identity *identity;
    const struct tls_trust *trust;
    SSL_SESSION *session;   // to take up again when we connect, or NULL
    struct log_limit limit; // of what is said of connections that we could not make
};

struct tls_store {
    unsigned users; // the transport and each connection
    uint32_t generation;
    struct tls_identity *identities;
    uint32_t identity_count;
    struct tls_trust *trusts;
    uint32_t trust_count;
    const struct tls_identity **listeners; // by index; NULL: it has no TLS
    uint32_t listener_count;
    struct tls_terms **terms; // by the trunk's number - 1; NULL: it has no TLS
    uint32_t terms_count;
};

// Reads every file that listeners and trunks with TLS name. `setup` completes each context. Returns 0 and *out with one
// user; else -errno and one sentence in `why` that names the file. The generation is a number that no other store of the
// process has.
int tls_store_load(const struct tl_config *config, void (*setup)(SSL_CTX *ctx), struct tls_store **out,
                   char *why, size_t why_size);

// The terms of the trunk with that number (flow->trunk), or NULL.
struct tls_terms *tls_store_terms(const struct tls_store *store, uint32_t trunk);

// One user more or less; the last one frees it. NULL is ignored by the second.
struct tls_store *tls_store_hold(struct tls_store *store);
void tls_store_release(struct tls_store *store);

// Whether a file is another one than it was. One that is not there has not changed: somebody is about to replace it.
bool tls_store_changed(const struct tls_store *store);
