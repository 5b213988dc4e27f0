// SPDX-License-Identifier: BSD-3-Clause
// libre's SRTP; its headers are seen only here.
#include <re.h>
#include <stdlib.h>
#include <string.h>

#include "common/contract.h"

struct libre_stream;
struct libre_stream *libre_new(const struct tl_crypto *crypto);
void libre_free(struct libre_stream *x);
unsigned libre_protect(struct libre_stream *x, uint8_t *packet, unsigned len, unsigned room);

struct libre_stream *libre_new(const struct tl_crypto *crypto)
{
    const struct tl_suite_info *info = tl_suite_info(crypto->suite);
    uint8_t key[TL_KEY_MAX + TL_SALT_MAX];
    struct srtp *srtp = NULL;
    memcpy(key, crypto->key, info->key_len);
    memcpy(key + info->key_len, crypto->salt, info->salt_len);
    enum srtp_suite suite =
        crypto->suite == TL_SUITE_AEAD_AES_128_GCM ? SRTP_AES_128_GCM : SRTP_AES_CM_128_HMAC_SHA1_80;
    if (srtp_alloc(&srtp, suite, key, info->key_len + info->salt_len, 0))
        return NULL;
    return (struct libre_stream *)(void *)srtp;
}

void libre_free(struct libre_stream *x)
{
    mem_deref(x);
}

// An mbuf of libre's on the stack, over the packet where it is.
unsigned libre_protect(struct libre_stream *x, uint8_t *packet, unsigned len, unsigned room)
{
    struct mbuf mb = {.buf = packet, .size = len + room, .pos = 0, .end = len};
    return srtp_encrypt((struct srtp *)(void *)x, &mb) ? 0 : mb.end;
}
