// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/suites.h"

#include <errno.h>
#include <re.h>
#include <stdio.h>
#include <string.h>

const char *const suites_names[STREAM_SUITES] = {
    [STREAM_PLAIN] = "off",
    [STREAM_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
    [STREAM_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
    [STREAM_AES_256_CM_HMAC_SHA1_80] = "AES_256_CM_HMAC_SHA1_80",
    [STREAM_AES_256_CM_HMAC_SHA1_32] = "AES_256_CM_HMAC_SHA1_32",
    [STREAM_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
    [STREAM_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
};

static const struct {
    enum srtp_suite libre;
    uint8_t key, salt;
} facts[STREAM_SUITES] = {
    [STREAM_AES_CM_128_HMAC_SHA1_80] = {SRTP_AES_CM_128_HMAC_SHA1_80, 16, 14},
    [STREAM_AES_CM_128_HMAC_SHA1_32] = {SRTP_AES_CM_128_HMAC_SHA1_32, 16, 14},
    [STREAM_AES_256_CM_HMAC_SHA1_80] = {SRTP_AES_256_CM_HMAC_SHA1_80, 32, 14},
    [STREAM_AES_256_CM_HMAC_SHA1_32] = {SRTP_AES_256_CM_HMAC_SHA1_32, 32, 14},
    [STREAM_AEAD_AES_128_GCM] = {SRTP_AES_128_GCM, 16, 12},
    [STREAM_AEAD_AES_256_GCM] = {SRTP_AES_256_GCM, 32, 12},
};

size_t suites_key_length(enum stream_suite suite)
{
    return (size_t)facts[suite].key + facts[suite].salt;
}

int suites_read_key(enum stream_suite suite, const char *text, struct stream_key *key)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    const size_t length = strlen(text);
    uint8_t bytes[64];
    size_t decoded = sizeof bytes;

    if (length > 64 || strspn(text, letters) != length) // the decoder takes any character
        return -EBADMSG;
    if (base64_decode(text, length, bytes, &decoded) != 0 || decoded != suites_key_length(suite))
        return -EBADMSG;
    memcpy(key->bytes, bytes, decoded);
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

void suites_derive_key(const char *seed, enum stream_suite suite, char side, uint32_t index,
                       struct stream_key *key)
{
    uint8_t block[20];
    char name[96];

    for (size_t at = 0; at < sizeof key->bytes; at += sizeof block) {
        const size_t left = sizeof key->bytes - at;
        const int length =
            snprintf(name, sizeof name, "%s %c %u %zu", suites_names[suite], side, index, at / sizeof block);

        hmac_sha1((const uint8_t *)seed, strlen(seed), (const uint8_t *)name, (size_t)length, block,
                  sizeof block);
        memcpy(key->bytes + at, block, left < sizeof block ? left : sizeof block);
    }
    explicit_bzero(block, sizeof block);
}

int suites_open(enum stream_suite suite, const struct stream_key *key, struct srtp **context)
{
    if (suite == STREAM_PLAIN)
        return -EINVAL;
    return -srtp_alloc(context, facts[suite].libre, key->bytes, suites_key_length(suite), 0);
}
