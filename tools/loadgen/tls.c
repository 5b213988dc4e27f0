// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#define USE_OPENSSL // declares tls_openssl_context()
#include <re.h>

// An OpenSSL context for one look at the files.
static SSL_CTX *with_files(const char *certificate, const char *ca, const char **wrong)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    *wrong = "OpenSSL";
    if (ctx == NULL)
        return NULL;
    *wrong = certificate;
    bool good = certificate == NULL || (SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
                                        SSL_CTX_use_PrivateKey_file(ctx, certificate, SSL_FILETYPE_PEM) == 1);
    if (good) {
        *wrong = ca;
        good = ca == NULL || SSL_CTX_load_verify_locations(ctx, ca, NULL) == 1;
    }
    if (good)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

bool tls_files_readable(const char *certificate, const char *ca, char *error, size_t size)
{
    const char *wrong;
    SSL_CTX *ctx = with_files(certificate, ca, &wrong);

    if (ctx == NULL) {
        const char *reason = ERR_reason_error_string(ERR_get_error());
        snprintf(error, size, "%s: %s; expected %s in PEM", wrong, reason != NULL ? reason : "cannot be read",
                 wrong == certificate ? "a certificate with its key" : "certificates");
        return false;
    }
    SSL_CTX_free(ctx);
    return true;
}

int tls_make(struct tls **out, const char *certificate, const char *ca)
{
    int err = tls_alloc(out, TLS_METHOD_SSLV23, certificate, NULL);

    if (err == 0 && ca != NULL)
        err = tls_add_ca(*out, ca);
    if (err != 0)
        return err;
    SSL_CTX *ctx = tls_openssl_context(*out);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    if (ca != NULL)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}
