// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "control/sip/value.h"

static const struct {
    const char *name, *session_name;
    const EVP_MD *(*hash)(void);
} algorithms[DIGEST_ALGORITHM_COUNT] = {
    [DIGEST_MD5] = {"MD5", "MD5-sess", EVP_md5},
    [DIGEST_SHA_256] = {"SHA-256", "SHA-256-sess", EVP_sha256},
    [DIGEST_SHA_512_256] = {"SHA-512-256", "SHA-512-256-sess", EVP_sha512_256},
};

const char *digest_name(enum digest_algorithm algorithm, bool session)
{
    return session ? algorithms[algorithm].session_name : algorithms[algorithm].name;
}

bool digest_by_name(struct sip_str name, enum digest_algorithm *algorithm, bool *session)
{
    for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
        *session = sip_str_is_nocase(name, algorithms[i].session_name);
        *algorithm = (enum digest_algorithm)i;
        if (*session || sip_str_is_nocase(name, algorithms[i].name))
            return true;
    }
    return false;
}

static struct sip_str text(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

// H(part:part:...) in hexadecimal. OpenSSL wipes what the context kept of the parts when it is freed.
static int hash(enum digest_algorithm algorithm, const struct sip_str *part, unsigned count,
                char out[static DIGEST_HEX])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = ctx && EVP_DigestInit_ex(ctx, algorithms[algorithm].hash(), NULL) == 1 ? 0 : -ENOTSUP;
    for (unsigned i = 0; rc == 0 && i < count; i++)
        if ((i && EVP_DigestUpdate(ctx, ":", 1) != 1) || EVP_DigestUpdate(ctx, part[i].p, part[i].len) != 1)
            rc = -ENOTSUP;
    if (rc == 0 && (EVP_DigestFinal_ex(ctx, sum, &len) != 1 || len * 2 >= DIGEST_HEX))
        rc = -ENOTSUP;
    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; rc == 0 && i < len; i++)
        snprintf(out + i * 2, 3, "%02x", sum[i]);
    explicit_bzero(sum, sizeof sum);
    if (rc < 0)
        out[0] = '\0';
    return rc;
}

int digest_secret(enum digest_algorithm algorithm, struct sip_str user, struct sip_str realm,
                  struct sip_str password, char out[static DIGEST_HEX])
{
    const struct sip_str parts[] = {user, realm, password};
    return hash(algorithm, parts, 3, out);
}

int digest_response(const struct digest_input *in, char out[static DIGEST_HEX])
{
    char first[DIGEST_HEX], second[DIGEST_HEX], count[9];
    const struct sip_str session[] = {text(in->secret), in->nonce, in->cnonce};
    const struct sip_str request[] = {in->method, in->uri};
    snprintf(first, sizeof first, "%s", in->secret);
    snprintf(count, sizeof count, "%08x", in->count);
    int rc = in->session ? hash(in->algorithm, session, 3, first) : 0;
    if (rc == 0)
        rc = hash(in->algorithm, request, 2, second);
    const struct sip_str with[] = {text(first), in->nonce,    text(count),
                                   in->cnonce,  text("auth"), text(second)};
    const struct sip_str without[] = {text(first), in->nonce, text(second)};
    if (rc == 0)
        rc = in->qop ? hash(in->algorithm, with, 6, out) : hash(in->algorithm, without, 3, out);
    explicit_bzero(first, sizeof first);
    return rc;
}
