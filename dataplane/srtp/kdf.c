// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/srtp/kdf.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// RFC 3711 4.3.1 and 4.3.2
enum label {
    LABEL_RTP_KEY,
    LABEL_RTP_AUTH,
    LABEL_RTP_SALT,
    LABEL_RTCP_KEY,
    LABEL_RTCP_AUTH,
    LABEL_RTCP_SALT,
};

// Keystream of AES-CM under the master key with IV (label * 2^48 XOR salt) * 2^16. `cipher` has the key.
static bool derive(EVP_CIPHER_CTX *cipher, const uint8_t salt[14], enum label label, uint8_t *out, int len)
{
    static const uint8_t zeroes[32];
    uint8_t iv[16] = {0};
    int n = 0;
    memcpy(iv, salt, 14);
    iv[7] ^= (uint8_t)label;
    return EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(cipher, out, &n, zeroes, len) == 1 && n == len;
}

int srtp_kdf(enum tl_suite suite, const uint8_t *key, const uint8_t *salt, struct srtp_session_keys *out)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    if (!info || info->salt_len > 14 || (info->key_len != 16 && info->key_len != 32))
        return -EINVAL;
    const int auth_len = info->salt_len == 14 ? sizeof out->rtp.auth : 0; // GCM has no such key

    // RFC 7714 11: a salt of 12 bytes stands left, in the place of the 14
    uint8_t padded[14] = {0};
    memcpy(padded, salt, info->salt_len);
    memset(out, 0, sizeof *out);

    const EVP_CIPHER *aes = info->key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c && EVP_EncryptInit_ex(c, aes, NULL, key, NULL) == 1;
    const struct {
        enum label label;
        uint8_t *to;
        int len;
    } part[] = {
        {LABEL_RTP_KEY, out->rtp.key, info->key_len},    {LABEL_RTP_AUTH, out->rtp.auth, auth_len},
        {LABEL_RTP_SALT, out->rtp.salt, info->salt_len}, {LABEL_RTCP_KEY, out->rtcp.key, info->key_len},
        {LABEL_RTCP_AUTH, out->rtcp.auth, auth_len},     {LABEL_RTCP_SALT, out->rtcp.salt, info->salt_len},
    };
    for (size_t i = 0; ok && i < sizeof part / sizeof part[0]; i++)
        ok = part[i].len == 0 || derive(c, padded, part[i].label, part[i].to, part[i].len);
    EVP_CIPHER_CTX_free(c); // wipes its copy of the key
    explicit_bzero(padded, sizeof padded);
    if (ok)
        return 0;
    explicit_bzero(out, sizeof *out);
    return -EIO;
}
