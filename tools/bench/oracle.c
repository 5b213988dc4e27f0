// SPDX-License-Identifier: BSD-3-Clause
// libsrtp2, which judges; its header and ours name functions alike, so it is seen only here.
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/contract.h"

unsigned oracle_open(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc, uint8_t *packet,
                     unsigned len);

static void stop(void)
{
    srtp_shutdown();
}

// It tests itself when it is started, which takes a while.
static bool start(void)
{
    static bool started;
    if (!started && srtp_init() == srtp_err_status_ok)
        started = atexit(stop) == 0;
    return started;
}

static unsigned open_one(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc, uint8_t *packet,
                         unsigned len)
{
    const struct tl_suite_info *info = tl_suite_info(crypto->suite);
    uint8_t key[TL_KEY_MAX + TL_SALT_MAX];
    srtp_t session = NULL;
    int length = (int)len;
    if (!info || !start())
        return 0;
    memcpy(key, crypto->key, info->key_len);
    memcpy(key + info->key_len, crypto->salt, info->salt_len);
    srtp_policy_t policy = {.ssrc = {ssrc_specific, ssrc}, .key = key, .window_size = 128};
    if (crypto->suite == TL_SUITE_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    bool right = srtp_create(&session, &policy) == srtp_err_status_ok &&
                 (roc == 0 || srtp_set_stream_roc(session, ssrc, roc) == srtp_err_status_ok) &&
                 srtp_unprotect(session, packet, &length) == srtp_err_status_ok;
    if (session)
        srtp_dealloc(session);
    return right ? (unsigned)length : 0;
}

// Two lanes may ask at once; what libsrtp2 shares between its sessions is not said to be made for that.
unsigned oracle_open(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc, uint8_t *packet,
                     unsigned len)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    len = open_one(crypto, ssrc, roc, packet, len);
    pthread_mutex_unlock(&lock);
    return len;
}
